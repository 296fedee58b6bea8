/* The growing byte buffer. */
#include "buf.h"

#include <stdarg.h>

static void buf_room(Buf *b, size_t more)
{
    if (b->cap - b->n > more) return;
    size_t cap = MAX(b->cap * 2, b->n + more + 1);
    cap = MAX(cap, (size_t)64);
    b->p = xrealloc(b->p, cap);
    b->cap = cap;
}

void buf_bytes(Buf *b, const char *p, size_t n)
{
    if (!n) return;
    buf_room(b, n);
    memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_str(Buf *b, Str s)
{
    buf_bytes(b, s.p, s.n);
}

void buf_c(Buf *b, const char *s)
{
    buf_bytes(b, s, strlen(s));
}

void buf_char(Buf *b, char c)
{
    buf_bytes(b, &c, 1);
}

void buf_fill(Buf *b, char c, size_t n)
{
    buf_room(b, n);
    memset(b->p + b->n, c, n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_fmt(Buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) BUG("bad format %s", fmt);
    buf_room(b, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

void buf_free(Buf *b)
{
    free(b->p);
    *b = (Buf){0};
}

void buf_shown(Buf *b, Str s)
{
    for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
        n = utf8_length(s, i);
        if (!n)
            buf_c(b, NO_CHARACTER);
        else if (!shown_length(s, i) || s.p[i] == '\r')
            buf_c(b, "\xc2\xb7");
        else
            buf_bytes(b, s.p + i, n);
    }
}
