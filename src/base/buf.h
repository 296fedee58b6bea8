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
/* What is in it now; valid until the next append. */
static inline Str buf_view(const Buf *b)
{
    return (Str){b->p, b->n};
}
void buf_free(Buf *b);

#endif
