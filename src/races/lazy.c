/* What is only walked later: generators, and what map(), filter(), itertools.chain() and their like give, kept in a
 * local while a lock is held, and walked or handed out when it is not held any more:
 *
 *   with lock:
 *       found = (job for job in self._jobs if job.waits)
 *   return found
 *
 * Needs the accesses, Defs and calls of one function; iterate.c reports what it finds. Locals that are bound more
 * than once are not followed. */
#include "races/races.h"

/* Does the call give an iterator that goes through its arguments when it is asked? */
static bool lazy_call(const Program *p, u32 file, const Call *c)
{
    static const char *const builtins[] = {"iter", "reversed", "map", "filter", "enumerate", "zip"};
    Str name = path_external(p, file, c->callee);
    return str_starts(name, S("itertools.")) || str_among(name, builtins, COUNT_OF(builtins));
}

/* The call that has the access, or the view that it reads, among its arguments. */
static const Call *call_around(const Facts *x, const Access *a)
{
    u32 at;
    return call_given(x, a, &at);
}

bool reads_lazily(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Call *c = x->accesses.v[g.id].op == OP_CREAD ? call_around(x, &x->accesses.v[g.id]) : NULL;
    return c && lazy_call(p, g.file, c);
}

/* The one Def of the local that holds a generator which walks here, or what a call gave that has the access among its
 * arguments; NULL. */
static const Def *lazy_local(const Program *p, u32 file, const Access *a)
{
    const Facts *x = p->facts[file];
    const Call *c = a->op == OP_CREAD ? call_around(x, a) : NULL;
    for (u32 i = 0; i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        if (d->stmt != a->stmt || d->func != a->func || d->path == NONE || d->augmented) continue;
        const Path *q = &x->paths.v[d->path];
        if (q->root != ROOT_LOCAL || q->nattr || local_def(p, file, a->func, q->name) != d) continue;
        if (a->op == OP_ITER && d->kind == VAL_GENERATOR) return d;
        if (c && d->kind == VAL_CALL && c == &x->calls.v[d->value] && lazy_call(p, file, c)) return d;
    }
    return NULL;
}

static bool is_local(const Facts *x, u32 path, u32 func, u32 sym)
{
    const Path *q = &x->paths.v[path];
    return q->root == ROOT_LOCAL && q->func == func && q->name == sym && !q->nattr;
}

/* Is the offset of the access's function outside of all critical sections in which the access stands? */
static bool unlocked_at(const Program *p, u32 ga, u32 offset)
{
    return !spots_in_section(p, access_file(p, ga), program_access(p, ga)->func, program_access(p, ga)->span.start,
                             offset, NULL);
}

bool kept_past_lock(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    const Def *kept = p->access_locks[ga] ? lazy_local(p, g.file, a) : NULL;
    if (!kept) return false;
    u32 sym = x->paths.v[kept->path].name;
    for (u32 i = g.id + 1; i < fn->accesses + fn->naccesses; i++) {
        const Access *b = &x->accesses.v[i];
        bool walks = b->op == OP_ITER || b->op == OP_CREAD || (b->op == OP_METHOD && !b->awaited);
        if (walks && is_local(x, b->path, a->func, sym) && unlocked_at(p, ga, b->span.start)) return true;
    }
    for (u32 i = 0; i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        if (d->is_return && d->func == a->func && d->kind == VAL_PATH && d->span.start > a->span.start &&
            is_local(x, d->value, a->func, sym) && unlocked_at(p, ga, d->span.start))
            return true;
    }
    return false;
}
