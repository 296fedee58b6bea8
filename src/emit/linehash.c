/* GitHub's primaryLocationLineHash: for each line a hash of the 100 UTF-16 units that follow from its start, blanks
 * left out, and how often that value came up before in the file. Two files' equal lines get equal values as long as
 * what follows is equal too. A byte order mark counts as a unit of the first line, as it does there. */
#include "emit/emit.h"
#include "emit/json.h"

enum { HASH_UNITS = 100, END_MARK = 65535 };

typedef struct Units {
    u16 *v;
    u32 n;
} Units;

/* Appends the UTF-16 units of the character at s[i]; returns the bytes it takes. */
static size_t unit_add(Units *u, Str s, size_t i)
{
    u8 b = (u8)s.p[i];
    size_t n = b < 0xc0 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
    if (n == 1 || i + n > s.n) {
        u->v[u->n++] = b;
        return 1;
    }
    u32 c = b & (0x7fu >> n);
    for (size_t k = 1; k < n; k++) c = c << 6 | ((u8)s.p[i + k] & 63);
    if (c >= 0x10000) u->v[u->n++] = (u16)(0xd7c0 + (c >> 10));
    u->v[u->n++] = (u16)(c >= 0x10000 ? 0xdc00 | (c & 0x3ff) : c);
    return n;
}

static u64 window_hash(const Units *u, u32 from)
{
    u64 h = 0;
    for (u32 i = 0; i < HASH_UNITS; i++) h = h * 37 + (from + i < u->n ? u->v[from + i] : 0);
    return h;
}

Str *line_hashes(Arena *a, Str text)
{
    Units u = {arena_new(a, u16, text.n + 2), 0};
    Vec(u32) starts = {0};
    Map seen = {0};
    vec_push(a, &starts, 0);
    for (size_t i = 0; i < text.n;) {
        char c = text.p[i];
        if (c == ' ' || c == '\t') {
            i++;
        } else if (c == '\n' || c == '\r') {
            i += c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n' ? 2 : 1;
            u.v[u.n++] = '\n';
            vec_push(a, &starts, u.n);
        } else {
            i += unit_add(&u, text, i);
        }
    }
    u.v[u.n++] = END_MARK;
    Str *out = arena_new(a, Str, starts.n);
    for (u32 i = 0; i < starts.n; i++) {
        u64 h = window_hash(&u, starts.v[i]);
        u32 *count = map_at(a, &seen, h == UINT64_MAX ? 0 : h);
        *count = *count == NONE ? 1 : *count + 1;
        out[i] = str_fmt(a, "%llx:%u", (unsigned long long)h, *count);
    }
    return out;
}
