/* Evidence that two threads have one object: it is a thread itself, and who has started it goes on to call its
 * methods:
 *
 *   poller = Poller()             class Poller(threading.Thread)
 *   poller.start()                run() calls self.update() now and then
 *   work()
 *   poller.update()
 *
 * Needs the call edges and the calls of one function: the same local, or attribute of one, is started before the
 * call, in the same block or one around it. Not where a thread is waited for in between, or the name bound anew. */
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

/* Is the receiver of the call bound between the two places? */
static bool bound_between(const Facts *x, const Call *c, u32 from)
{
    const Path *q = &x->paths.v[c->callee];
    for (u32 i = 0; i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        if (d->func != c->func || d->path == NONE || d->span.start < from || d->span.start > c->span.start) continue;
        const Path *to = &x->paths.v[d->path];
        if (to->root != q->root || to->name != q->name || to->nattr >= q->nattr) continue;
        if (!memcmp(to->attr, q->attr, to->nattr * sizeof *q->attr)) return true;
    }
    return false;
}

static bool called_after_start(const Program *p, const CallEdge *e)
{
    const Facts *x = p->facts[e->file];
    const Call *c = &x->calls.v[e->call];
    const Func *fn = &x->funcs.v[c->func];
    u32 started = NONE;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *d = &x->calls.v[i];
        if (d->span.end > c->span.start || d->func != c->func) continue;
        Str name = path_last(x, &x->paths.v[d->callee]);
        if (str_is(name, "join") || str_is(name, "is_alive")) started = NONE; /* of whatever */
        bool starts = str_is(name, "start") && one_receiver(&x->paths.v[c->callee], &x->paths.v[d->callee]);
        if (starts && block_within(x, c->block, d->block)) started = d->span.end;
    }
    return started != NONE && !bound_between(x, c, started);
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
