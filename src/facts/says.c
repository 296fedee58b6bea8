/* What a class says of threads: in its own text, where authors speak to readers.
 *
 * "Any thread may call this" speaks for objects that threads share; a class that says that it is not for threads, or
 * that its users lock, speaks against it (link/hints.c and link/confined.c weigh it). Asked of the text once, while
 * the facts are collected. Words are found in any case. Not read: documentation outside of the class. */
#include "facts/walk.h"

/* Has the text a part of each phrase that speaks of threads? Most texts have none. */
static bool names_threads(Str text)
{
    return str_contains(text, S("hread")) || str_contains(text, S("HREAD")) || str_contains(text, S("oncurrent"));
}

/* Does the text say that several threads come here? */
static bool speaks_of_threads(Str text)
{
    static const char *const said[] = {"any thread",      "other thread",   "another thread",    "multiple thread",
                                       "several threads", "many threads",   "all threads",       "different thread",
                                       "between threads", "across threads", "concurrent access", "thread-safe",
                                       "thread safe",     "threadsafe",     "by threads",        "background thread"};
    static const char *const denied[] = {"not thread",     "non-thread",     "n't thread",
                                         "not concurrent", "n't concurrent", "no locking",
                                         "external lock",  "not safe",       "not be shared"};
    return names_threads(text) && !str_has_any(text, denied, COUNT_OF(denied)) &&
           str_has_any(text, said, COUNT_OF(said));
}

bool leaves_locking(Str text)
{
    static const char *const parts[] = {"lock", "thread", "synchronized"}; /* one is in each of the phrases */
    static const char *const said[] = {"external locking",
                                       "an external lock",
                                       "no locking",
                                       "not thread-safe",
                                       "not thread safe",
                                       "not threadsafe",
                                       "n't thread-safe",
                                       "n't thread safe",
                                       "n't threadsafe",
                                       "not synchronized",
                                       "be synchronized externally",
                                       "not safe for use in concurrent",
                                       "not safe to call from multiple thread",
                                       "not safe to use from multiple thread",
                                       "not be shared across thread",
                                       "not be shared between thread",
                                       "not be shared among thread"};
    return str_has_any(text, parts, COUNT_OF(parts)) && str_has_any(text, said, COUNT_OF(said));
}

void says_collect(Walk *w)
{
    Facts *f = w->f;
    /* By class: where its first method starts; up to there the class speaks of itself. */
    u32 *end = arena_new(w->scratch, u32, f->classes.n + 1);
    for (u32 i = 0; i < f->classes.n; i++) end[i] = f->classes.v[i].body.end;
    for (u32 i = 1; i < f->funcs.n; i++)
        if (f->funcs.v[i].cls != NONE) end[f->funcs.v[i].cls] = MIN(end[f->funcs.v[i].cls], f->funcs.v[i].span.start);
    bool threads = f->classes.n && names_threads(w->src->text);
    for (u32 i = 0; i < f->classes.n; i++) {
        Class *c = &f->classes.v[i];
        c->says_shared = threads && speaks_of_threads(str_slice(w->src->text, c->body.start, c->body.end));
        c->leaves_locking = leaves_locking(str_slice(w->src->text, c->span.start, end[i]));
    }
}
