/* Does the program fork? A child that is forked while another thread holds a lock finds it held for ever, since the
 * thread that would release it is not there (docs/memory-model.md). That is so with every lock; where a new one comes
 * into a program that forks, the reason of its place says so, and what helps: os.register_at_fork. */
#include "fixes/fixes.h"

static const char *const forkers[] = {"os.fork", "os.forkpty", "pty.fork", "multiprocessing.Process",
                                      "multiprocessing.Pool", "concurrent.futures.ProcessPoolExecutor"};

static bool asks_for_fork(const Facts *f, const Call *c, Str name)
{
    if (!str_is(name, "multiprocessing.get_context") && !str_is(name, "multiprocessing.set_start_method"))
        return false;
    return c->nargs && str_contains(sym_str(f, f->args.v[c->args].text), S("fork"));
}

/* Processes are forked by default up to 3.13; from 3.14 on a server of its own forks them (its documentation). */
static bool is_fork(const Plan *pl, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    Str name = path_external(pl->p, file, c->callee);
    if (!name.n) return false;
    for (u32 i = 0; i < COUNT_OF(forkers); i++)
        if (str_is(name, forkers[i])) return i < 3 || pl->p->options->target < 14;
    return asks_for_fork(f, c, name);
}

Str forks_where(Plan *pl)
{
    for (u32 file = 0; !pl->forks_known && file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        bool imports = false;
        for (u32 i = 0; i < f->imports.n; i++) {
            Str rest, top = str_cut(sym_str(f, f->imports.v[i].module), '.', &rest);
            imports |= str_is(top, "os") || str_is(top, "pty") || str_is(top, "multiprocessing") ||
                       str_is(top, "concurrent");
        }
        if (!imports || is_test_path(f->source->path)) continue;
        for (u32 i = 0; i < f->calls.n && !pl->forks.n; i++)
            if (is_fork(pl, file, &f->calls.v[i]))
                pl->forks = str_fmt(pl->a, "%.*s:%u", STR_ARG(f->source->path), f->calls.v[i].line);
        if (pl->forks.n) break;
    }
    pl->forks_known = true;
    return pl->forks;
}
