/* Strings are a pointer and a length, passed by value; the bytes belong to an arena, a Source or a literal.
 * They need not end in NUL unless a function says that it returns one that does. */
#ifndef UNGIL_STR_H
#define UNGIL_STR_H

#include "arena.h"
#include "types.h"

#include <string.h>

typedef struct Str {
    const char *p;
    size_t n;
} Str;

#define S(lit) ((Str){"" lit, sizeof(lit) - 1})
/* For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).n, (s).p

static inline Str str_from(const char *c)
{
    return (Str){c, c ? strlen(c) : 0};
}
static inline bool str_eq(Str a, Str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_is(Str a, const char *lit)
{
    return str_eq(a, str_from(lit));
}

bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
/* Byte order, shorter first on a tie; for sorting. */
int str_cmp(Str a, Str b);
/* s[from..to), both clamped to the string. */
Str str_slice(Str s, size_t from, size_t to);
/* Without ASCII white space at both ends. */
Str str_trim(Str s);
/* Index of the first/last c, or s.n when there is none. */
size_t str_find(Str s, char c);
size_t str_rfind(Str s, char c);
/* Index of the first occurrence of sub, or s.n. */
size_t str_search(Str s, Str sub);
bool str_contains(Str s, Str sub);
/* The same, ASCII letters of s in any case; word is in lower case. */
bool str_has_word(Str s, const char *word);
/* Is it n hexadecimal digits, with small letters? */
bool str_is_hex(Str s, size_t n);
/* May the character stand in a Python name? Bytes beyond ASCII may. */
bool is_word_char(char c);
/* Does the name stand somewhere in the text of a program, whole and not as an attribute of something? */
bool str_has_name(Str text, Str name);
/* How often it does. */
u32 str_name_count(Str text, Str name);
/* Is it one of the n words? */
bool str_among(Str s, const char *const *words, size_t n);
/* Does one of the n words stand in it, in any case as for str_has_word? Does it start with one? */
bool str_has_any(Str s, const char *const *words, size_t n);
bool str_starts_any(Str s, const char *const *words, size_t n);
/* Is the first word of a name one of the n: "open" of open, _open_all, openAll, not of opening? */
bool str_first_word(Str name, const char *const *words, size_t n);

/* What follows the last sep; all of it when there is none. */
Str str_last(Str s, char sep);
/* The folder of a path: what stands before its last '/', empty when there is none. */
Str str_folder(Str path);
/* The part before the first sep; *rest is what follows it, empty when there was none. */
Str str_cut(Str s, char sep, Str *rest);
/* Takes the next line off *rest, without its \n or \r\n. False at the end. */
bool str_line(Str *rest, Str *line);

/* Copies into the arena, with a NUL after the last byte (not counted). */
Str str_dup(Arena *a, Str s);
/* The same as a C string. */
char *str_c(Arena *a, Str s);
/* printf into the arena; NUL-terminated. */
Str str_fmt(Arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* How many bytes the UTF-8 character at a place takes; 0 when there is none. */
size_t utf8_length(Str s, size_t at);
/* The same for a character that can be shown: 0 for control characters as well, but for tabs and ends of lines. */
size_t shown_length(Str s, size_t at);

/* "left.right", NUL-terminated. */
Str str_dot(Arena *a, Str left, Str right);

/* 64-bit hash, stable across runs and machines (used in fingerprints and cache keys). */
u64 str_hash(Str s);
u64 hash_mix(u64 h, u64 x);

/* Shell-style pattern match of a '/'-separated path: * ? [..] stay within one component, ** crosses them. */
bool glob_match(Str pattern, Str path);
/* Does every [ of a pattern have its ]? */
bool glob_closed(Str pattern);

#endif
