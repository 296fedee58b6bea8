/* Which deliveries were taken before: digests of their ids and of their bodies, the last SEEN_MAX of them, also after
 * a restart. A file of lines of 32 hexadecimal digits that only grows, and is written anew when it is twice as long
 * as needed.
 *
 * A line is in the kernel's hands before the delivery is answered, so the end of this process loses none; the disk
 * gets them once a second (seen_flush). After a power failure some may be missing: such a delivery could be replayed,
 * and the review that it starts would find everything said. */
#include "serve/serve.h"

#include <fcntl.h>
#include <unistd.h>

enum { SLOTS = SEEN_MAX * 4, LINE = 2 * DIGEST + 1 };

static u32 slot_first(const u8 id[DIGEST])
{
    u32 h;
    memcpy(&h, id, sizeof h); /* a digest is as good as any hash of it */
    return h % SLOTS;
}

static u32 slot_find(const Seen *s, const u8 id[DIGEST])
{
    u32 i = slot_first(id);
    while (s->slots[i] && memcmp(s->ids[s->slots[i] - 1], id, DIGEST) != 0) i = (i + 1) % SLOTS;
    return i;
}

bool seen_has(const Seen *s, const u8 id[DIGEST])
{
    return s->slots[slot_find(s, id)] != 0;
}

/* Linear probing: what stands behind a freed slot may have to move up. */
static void slot_free(Seen *s, u32 i)
{
    s->slots[i] = 0;
    for (u32 k = (i + 1) % SLOTS; s->slots[k]; k = (k + 1) % SLOTS) {
        u32 v = s->slots[k];
        s->slots[k] = 0;
        s->slots[slot_find(s, s->ids[v - 1])] = v;
    }
}

static void remember(Seen *s, const u8 id[DIGEST])
{
    u32 at = s->at;
    if (seen_has(s, id)) return;
    if (s->n == SEEN_MAX)
        slot_free(s, slot_find(s, s->ids[at]));
    else
        s->n++;
    memcpy(s->ids[at], id, DIGEST);
    s->slots[slot_find(s, id)] = at + 1;
    s->at = (at + 1) % SEEN_MAX;
}

static void line_make(char out[LINE], const u8 id[DIGEST])
{
    static const char digits[] = "0123456789abcdef";
    for (u32 i = 0; i < DIGEST; i++) {
        out[2 * i] = digits[id[i] >> 4];
        out[2 * i + 1] = digits[id[i] & 15];
    }
    out[LINE - 1] = '\n';
}

static bool line_read(Str line, u8 id[DIGEST])
{
    if (line.n != LINE - 1) return false;
    for (u32 i = 0; i < DIGEST; i++) {
        unsigned int byte;
        char hex[3] = {line.p[2 * i], line.p[2 * i + 1], 0};
        if (hex[0] == ' ' || sscanf(hex, "%2x", &byte) != 1) return false;
        id[i] = (u8)byte;
    }
    return true;
}

static bool file_open(Seen *s, Err *e)
{
    if (s->file >= 0) close(s->file);
    s->file = open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return s->file >= 0 ? true : err_set(e, "cannot write %s", s->path);
}

/* Writes the file anew, oldest first. */
static bool rewrite(Seen *s, Err *e)
{
    Buf b = {0};
    char line[LINE];
    for (u32 i = 0; i < s->n; i++) {
        line_make(line, s->ids[(s->at + SEEN_MAX - s->n + i) % SEEN_MAX]);
        buf_bytes(&b, line, LINE);
    }
    bool ok = os_replace_file(s->path, buf_view(&b), e) && file_open(s, e);
    buf_free(&b);
    s->lines = s->n;
    return ok;
}

bool seen_open(Arena *a, Seen *s, const char *state, Err *e)
{
    Arena scratch = {0};
    Str text, line;
    u8 id[DIGEST];
    *s = (Seen){.file = -1, .ids = arena_alloc(a, DIGEST, 1, SEEN_MAX), .slots = arena_new(a, u32, SLOTS)};
    snprintf(s->path, sizeof s->path, "%s/deliveries", state);
    bool ok = true, damaged = false;
    if (access(s->path, F_OK) == 0) {
        ok = os_read_file(&scratch, s->path, (size_t)64 << 20, &text, e);
        damaged = ok && text.n % LINE != 0; /* the end of a write that a crash cut */
        while (ok && str_line(&text, &line)) {
            s->lines++;
            if (line_read(line, id)) remember(s, id);
        }
    }
    arena_free(&scratch);
    return ok && (damaged || s->lines > 2 * SEEN_MAX ? rewrite(s, e) : file_open(s, e));
}

bool seen_add(Seen *s, const u8 id[DIGEST], Err *e)
{
    char line[LINE];
    line_make(line, id);
    remember(s, id);
    if (s->lines >= 2 * SEEN_MAX) return rewrite(s, e);
    if (write(s->file, line, LINE) != LINE) return err_set(e, "cannot write %s", s->path);
    s->lines++;
    s->dirty = true;
    return true;
}

void seen_flush(Seen *s)
{
    if (s->dirty) fdatasync(s->file);
    s->dirty = false;
}
