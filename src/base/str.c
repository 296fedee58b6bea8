/* String values: comparison, cutting, copying, hashing, globbing. */
#include "str.h"

#include <stdarg.h>

bool str_starts(Str s, Str prefix)
{
    return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

bool str_ends(Str s, Str suffix)
{
    return s.n >= suffix.n && memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0;
}

int str_cmp(Str a, Str b)
{
    size_t n = MIN(a.n, b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

Str str_slice(Str s, size_t from, size_t to)
{
    to = MIN(to, s.n);
    from = MIN(from, to);
    return (Str){s.p + from, to - from};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

Str str_trim(Str s)
{
    while (s.n && is_space(s.p[0])) s.p++, s.n--;
    while (s.n && is_space(s.p[s.n - 1])) s.n--;
    return s;
}

size_t str_find(Str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

size_t str_rfind(Str s, char c)
{
    for (size_t i = s.n; i-- > 0;)
        if (s.p[i] == c) return i;
    return s.n;
}

size_t str_search(Str s, Str sub)
{
    const char *at = sub.n ? memmem(s.p, s.n, sub.p, sub.n) : s.p;
    return at ? (size_t)(at - s.p) : s.n;
}

bool str_contains(Str s, Str sub)
{
    return sub.n == 0 || (s.n && memmem(s.p, s.n, sub.p, sub.n));
}

static inline char low(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Does the word stand at this place? */
static bool word_here(Str s, size_t i, const char *word)
{
    for (; *word && i < s.n; i++, word++)
        if (low(s.p[i]) != *word) return false;
    return !*word;
}

bool str_has_word(Str s, const char *word)
{
    if (!*word) return true;
    for (size_t i = 0; i < s.n; i++)
        if (low(s.p[i]) == *word && word_here(s, i, word)) return true;
    return false;
}

bool str_is_hex(Str s, size_t n)
{
    if (s.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) return false;
    return true;
}

bool is_word_char(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

/* Where the name stands next in the text, at `from` or behind it; text.n. */
static size_t name_find(Str text, Str name, size_t from)
{
    for (size_t i; name.n && (i = from + str_search(str_slice(text, from, text.n), name)) < text.n; from = i + 1) {
        char before = i ? text.p[i - 1] : ' ', after = i + name.n < text.n ? text.p[i + name.n] : ' ';
        if (!is_word_char(before) && before != '.' && !is_word_char(after)) return i;
    }
    return text.n;
}

bool str_has_name(Str text, Str name)
{
    return name_find(text, name, 0) < text.n;
}

u32 str_name_count(Str text, Str name)
{
    u32 n = 0;
    for (size_t i = 0; (i = name_find(text, name, i)) < text.n; i++) n++;
    return n;
}

Str str_last(Str s, char sep)
{
    size_t at = str_rfind(s, sep);
    return at == s.n ? s : str_slice(s, at + 1, s.n);
}

Str str_folder(Str path)
{
    size_t at = str_rfind(path, '/');
    return str_slice(path, 0, at == path.n ? 0 : at);
}

Str str_cut(Str s, char sep, Str *rest)
{
    size_t at = str_find(s, sep);
    *rest = str_slice(s, at + 1, s.n);
    return str_slice(s, 0, at);
}

bool str_line(Str *rest, Str *line)
{
    if (!rest->n) return false;
    *line = str_cut(*rest, '\n', rest);
    if (line->n && line->p[line->n - 1] == '\r') line->n--;
    return true;
}

Str str_dup(Arena *a, Str s)
{
    char *p = arena_new(a, char, s.n + 1);
    if (s.n) memcpy(p, s.p, s.n);
    return (Str){p, s.n};
}

char *str_c(Arena *a, Str s)
{
    return (char *)(uintptr_t)str_dup(a, s).p;
}

size_t utf8_length(Str s, size_t at)
{
    const u8 *p = (const u8 *)s.p + at;
    if (at >= s.n) return 0;
    if (p[0] < 0x80) return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > s.n - at) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0; /* overlong; surrogates */
    if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
    return n;
}

size_t shown_length(Str s, size_t at)
{
    size_t n = utf8_length(s, at);
    u8 c = n ? (u8)s.p[at] : 0;
    bool low = c < ' ' && c != '\n' && c != '\t' && c != '\r';
    bool high = n == 2 && c == 0xc2 && (u8)s.p[at + 1] < 0xa0; /* C1, which some terminals obey, too */
    return low || high || c == 0x7f ? 0 : n;
}

Str str_fmt(Arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) BUG("bad format %s", fmt);
    char *p = arena_new(a, char, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return (Str){p, (size_t)n};
}

Str str_dot(Arena *a, Str left, Str right)
{
    size_t n = left.n + 1 + right.n;
    char *p = arena_new(a, char, n + 1);
    if (left.n) memcpy(p, left.p, left.n);
    p[left.n] = '.';
    if (right.n) memcpy(p + left.n + 1, right.p, right.n);
    return (Str){p, n};
}

u64 hash_mix(u64 h, u64 x)
{
    h ^= x;
    h *= 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

/* Little-endian, whatever the machine is. */
static u64 bytes_at(const char *p, u32 n)
{
    u64 x = 0;
    for (u32 i = 0; i < n; i++) x |= (u64)(u8)p[i] << (8 * i);
    return x;
}

/* The last n < 8 bytes of a string of `all` bytes, by loads of fixed size that may overlap: most strings are short
 * names, and a loop over their bytes costs more than all the rest. */
static u64 tail_at(const char *p, size_t n, size_t all)
{
    if (!n) return 0;
    if (all >= 8) return bytes_at(p + n - 8, 8) >> (8 * (8 - n));
    if (n >= 4) return bytes_at(p, 4) | bytes_at(p + n - 4, 4) << (8 * (n - 4));
    return (u64)(u8)p[0] | (u64)(u8)p[n / 2] << (8 * (n / 2)) | (u64)(u8)p[n - 1] << (8 * (n - 1));
}

u64 str_hash(Str s)
{
    u64 h = 0xcbf29ce484222325u ^ s.n;
    const char *p = s.p;
    size_t n = s.n;
    for (; n >= 8; p += 8, n -= 8) h = hash_mix(h, bytes_at(p, 8));
    h = hash_mix(h, tail_at(p, n, s.n) ^ 0x5bd1e995u);
    return h ^ (h >> 32);
}

/* One character class "[a-z]" at p; *next is set behind it. An unclosed class matches '['. */
static bool class_match(const char *p, const char *end, char c, const char **next)
{
    const char *q = p + 1;
    bool negate = q < end && (*q == '!' || *q == '^'), hit = false;
    if (negate) q++;
    for (const char *first = q; q < end && (*q != ']' || q == first); q++) {
        if (q + 2 < end && q[1] == '-' && q[2] != ']') {
            hit |= c >= q[0] && c <= q[2];
            q += 2;
        } else {
            hit |= *q == c;
        }
    }
    if (q >= end) {
        *next = p + 1;
        return c == '[';
    }
    *next = q + 1;
    return c != '/' && hit != negate;
}

/* Does one character of the pattern, or a class, match c? *next is set behind it. */
static bool char_match(const char *p, const char *end, char c, const char **next)
{
    if (*p == '[') return class_match(p, end, c, next);
    *next = p + 1;
    return *p == '?' ? c != '/' : *p == c;
}

bool glob_closed(Str pattern)
{
    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.p[i] != '[') continue;
        const char *next;
        class_match(pattern.p + i, pattern.p + pattern.n, 0, &next);
        if (next == pattern.p + i + 1) return false; /* taken for a mere bracket */
        i = (size_t)(next - pattern.p) - 1;
    }
    return true;
}

/* Where the text goes on to differ, only the last star and the last double star are tried further on: what an earlier
 * one could reach, the last one reaches from where it is. A star does not cross a '/', so it is forgotten with its
 * double star. */
bool glob_match(Str pattern, Str path)
{
    const char *p = pattern.p, *end = p + pattern.n, *s = path.p, *stop = s + path.n;
    const char *star = NULL, *star_at = NULL, *deep = NULL, *deep_at = NULL, *next;
    bool folders = false;
    for (;;) {
        if (p < end && *p == '*') {
            if (p + 1 < end && p[1] == '*') {
                folders = p + 2 < end && p[2] == '/' && (p == pattern.p || p[-1] == '/');
                p += folders ? 3 : 2;
                if (p == end) return true;
                deep = p;
                deep_at = s;
                star = NULL;
            } else {
                star = ++p;
                star_at = s;
            }
        } else if (p == end && s == stop) {
            return true;
        } else if (p < end && s < stop && char_match(p, end, *s, &next)) {
            p = next;
            s++;
        } else if (star && star_at < stop && *star_at != '/') {
            p = star;
            s = ++star_at;
        } else {
            if (!deep) return false;
            do {
                if (deep_at == stop) return false;
                deep_at++;
            } while (folders && deep_at[-1] != '/');
            p = deep;
            s = deep_at;
            star = NULL;
        }
    }
}

bool str_among(Str s, const char *const *words, size_t n)
{
    char first = s.n ? s.p[0] : 0; /* tells most words apart */
    for (size_t i = 0; i < n; i++)
        if (words[i][0] == first && str_is(s, words[i])) return true;
    return false;
}

bool str_has_any(Str s, const char *const *words, size_t n)
{
    bool starts[256] = {0}; /* does a word begin with it? Most characters are done with when they are seen */
    for (size_t i = 0; i < n; i++) {
        u8 c = (u8)words[i][0];
        starts[c] = true;
        if (c >= 'a' && c <= 'z') starts[c - 32] = true;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!starts[(u8)s.p[i]]) continue;
        for (size_t k = 0; k < n; k++)
            if (word_here(s, i, words[k])) return true;
    }
    return false;
}

bool str_starts_any(Str s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_starts(s, str_from(words[i]))) return true;
    return false;
}

bool str_first_word(Str name, const char *const *words, size_t n)
{
    while (name.n && name.p[0] == '_') name = str_slice(name, 1, name.n);
    size_t end = 1;
    while (end < name.n && name.p[end] != '_' && !(name.p[end] >= 'A' && name.p[end] <= 'Z')) end++;
    return str_among(str_slice(name, 0, end), words, n);
}
