/* Errors as sentences: cleaned of what a terminal would obey, cut to the room there is, the first cause kept. */
#include "buf.h"
#include "err.h"

#include <stdarg.h>

/* The name of a file may hold anything, and messages end up on a terminal. */
static void message_clean(Err *e)
{
    Buf shown = {0};
    buf_shown(&shown, str_from(e->msg));
    size_t n = MIN(shown.n, sizeof e->msg - 1);
    while (n && n < shown.n && ((u8)shown.p[n] & 0xc0) == 0x80) n--; /* no half of a character */
    if (n) memcpy(e->msg, shown.p, n);
    e->msg[n] = 0;
    buf_free(&shown);
}

bool err_set(Err *e, const char *fmt, ...)
{
    if (e->set) return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    message_clean(e);
    e->set = true;
    return false;
}

void err_say(const char *fmt, ...)
{
    Err e = {0};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e.msg, sizeof e.msg, fmt, ap);
    va_end(ap);
    message_clean(&e);
    fprintf(stderr, "ungil: %s\n", e.msg);
}
