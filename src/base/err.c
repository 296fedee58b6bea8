#include "err.h"

#include <stdarg.h>

bool err_set(Err *e, const char *fmt, ...)
{
    if (e->set) return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    e->set = true;
    return false;
}
