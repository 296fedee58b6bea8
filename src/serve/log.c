/* The server's log: lines of "TIME WORD text" on standard error. Each is written in one piece, so that lines of
 * children that share the descriptor do not mix, and texts from outside cannot make lines of their own. */
#include "serve/serve.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

i64 unix_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}

void log_line(const Options *o, LogLevel level, const char *fmt, ...)
{
    static const char *const words[] = {"warning", "info", "debug"};
    char text[3072], line[4096];
    va_list ap;
    if ((int)level > o->verbosity) return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    time_t now = unix_now();
    struct tm tm;
    gmtime_r(&now, &tm);
    size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &tm);
    n += (size_t)snprintf(line + n, sizeof line - n, "%s ", words[level - LOG_WARN]);
    for (const char *p = text; *p && n < sizeof line - 8; p++) {
        u8 c = (u8)*p;
        if (c < ' ' || c == 0x7f)
            n += (size_t)snprintf(line + n, sizeof line - n, "\\x%02x", c);
        else
            line[n++] = (char)c;
    }
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0) return; /* there is nowhere left to say so */
}
