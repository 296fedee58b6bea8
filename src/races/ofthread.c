/* Evidence that two threads have one object: it is a thread itself, and who has started it goes on to call its
 * methods:
 *
 *   poller = Poller()             class Poller(threading.Thread)
 *   poller.start()                run() calls self.update() now and then
 *   work()
 *   poller.update()
 *
 * Needs the call edges and the calls of one function: the same local, or attribute of one, is started before the
 * call, in the same block or one around it, and not waited for in between. */
#include "races/races.h"

/* Are both calls of methods of one and the same variable or attribute? */
static bool one_receiver(const Path *a, const Path *b)
{
    if (!a->nattr || a->truncated || b->truncated || a->nattr != b->nattr || a->root != b->root ||
        a->name != b->name || a->func != b->func)
        return false;
    for (u32 i = 0; i + 1 < a->nattr; i++)
        if (a->attr[i] != b->attr[i] || a->attr[i] == SYM_ITEM) return false;
    return a->root == ROOT_LOCAL || a->nattr > 1;
}

static bool called_after_start(const Program *p, const CallEdge *e)
{
    const Facts *x = p->facts[e->file];
    const Call *c = &x->calls.v[e->call];
    const Func *fn = &x->funcs.v[c->func];
    bool started = false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *d = &x->calls.v[i];
        if (d->span.end > c->span.start || d->func != c->func ||
            !one_receiver(&x->paths.v[c->callee], &x->paths.v[d->callee]))
            continue;
        Str name = path_last(x, &x->paths.v[d->callee]);
        if (str_is(name, "join")) return false;
        started |= str_is(name, "start") && block_within(x, c->block, d->block);
    }
    return started;
}

bool race_with_starter(const Finder *f, const Race *r, const Place *x)
{
    const Program *p = f->p;
    if (x->kind != PLACE_INSTANCE || x->owner == NONE || !class_is_thread(p, x->owner)) return false;
    for (u32 k = 0; k < MIN(r->nsites, 2u); k++) {
        u32 gfunc = access_func(p, r->sites[k]), other = r->sites[r->nsites < 2 ? 0 : 1 - k];
        if (!threads_reach(p, other)) continue;
        for (u32 i = f->called_first[gfunc]; i < f->called_first[gfunc + 1]; i++) {
            const CallEdge *e = &p->edges.v[f->called[i]];
            if (!e->weak && !e->passed && e->call != NONE && called_after_start(p, e)) return true;
        }
    }
    return false;
}
