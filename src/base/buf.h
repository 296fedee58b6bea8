/* A growing byte buffer on the heap: everything that is printed is first appended to one of these. */
#ifndef UNGIL_BUF_H
#define UNGIL_BUF_H

#include "str.h"

/* Zero-initialise; release with buf_free. p is NUL-terminated whenever n > 0. */
typedef struct Buf {
    char *p;
    size_t n, cap;
} Buf;

void buf_bytes(Buf *b, const char *p, size_t n);
void buf_str(Buf *b, Str s);
void buf_c(Buf *b, const char *s);
void buf_char(Buf *b, char c);
void buf_fill(Buf *b, char c, size_t n);
void buf_fmt(Buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Like buf_str, but what would not be seen, or do something to a terminal, is seen: control characters as a middle
 * dot, bytes that are not UTF-8, as the names of files may have, as U+FFFD. Tabs and ends of lines stay. */
void buf_shown(Buf *b, Str s);
/* A character that is not UTF-8 in the outputs that must be: U+FFFD. */
#define NO_CHARACTER "\xef\xbf\xbd"
/* What is in it now; valid until the next append. */
static inline Str buf_view(const Buf *b)
{
    return (Str){b->p, b->n};
}
void buf_free(Buf *b);

#endif
