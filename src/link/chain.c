/* Threads that start their own successor: def tick(self): …; Timer(1, self.tick).start(), or a task that submits
 * itself again.
 *
 * One object then has one such thread at a time, however many there are in the program: what two of them do to its
 * attributes happens one after the other. Needs a start that only the constructor and the thread itself come to;
 * functions that others may call start a second chain beside the first. */
#include "link/link.h"

/* The function in which the root's thread is started; NONE where that may happen more than once in a run of it, or
 * where the name of the function invites others to call it. */
static u32 starter(const Program *p, const Root *r)
{
    if (!r->many || r->func == NONE || r->file == NONE || r->call == NONE || r->own) return NONE;
    const Facts *f = p->facts[r->file];
    const Call *c = &f->calls.v[r->call];
    const Func *fn = &f->funcs.v[c->func];
    u32 gfunc = gfunc_of(p, r->file, c->func);
    Str name = sym_str(f, fn->name);
    bool own = p->funcs[gfunc].construct || (name.n && name.p[0] == '_');
    return own && !f->blocks.v[c->block].repeats && fn->self_class != NONE ? gfunc : NONE;
}

/* Does only the thread itself run the function, or the constructor of its object? */
static bool runs_in_chain(const Program *p, u32 gfunc, u32 root)
{
    const FuncInfo *fi = &p->funcs[gfunc];
    if (fi->construct) return true;
    return fi->nroots == 1 && fi->roots[0] == root && !fi->main && !fi->api;
}

void roots_chain(Program *p)
{
    Arena scratch = {0};
    Map starts = {0}; /* global func → the last root that is started in it */
    u32 *next = arena_new(&scratch, u32, p->roots.n + 1); /* by root: another one of the same function, NONE */
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        u32 from = starter(p, &p->roots.v[i]);
        if (from == NONE) continue;
        p->roots.v[i].chain = true;
        next[i] = map_get(&starts, from);
        map_put(&scratch, &starts, from, i);
    }
    for (u32 e = 0; e < p->edges.n; e++) {
        const CallEdge *x = &p->edges.v[e];
        for (u32 i = map_get(&starts, x->callee); i != NONE; i = next[i])
            if (!runs_in_chain(p, x->caller, i)) p->roots.v[i].chain = false;
    }
    arena_free(&scratch);
}
