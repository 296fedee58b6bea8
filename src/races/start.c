/* UG401: a thread is joined before it is started, in the same function: t.join() … t.start(), or the two loops over
 * one list of threads in the wrong order. */
#include "races/races.h"

static bool named(const Facts *f, const Access *a, const char *name)
{
    return a->op == OP_METHOD && str_is(sym_str(f, a->method), name);
}

static bool thread_like(const Program *p, u32 file, const Access *a)
{
    const Facts *f = p->facts[file];
    Type t = path_type(p, file, a->path);
    if (t.kind == TYPE_THREAD) return true;
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) /* made in this function by Thread(target=…) */
        if (p->roots.v[i].file == file && p->roots.v[i].call != NONE &&
            f->calls.v[p->roots.v[i].call].func == a->func)
            return true;
    return false;
}

/* Is the binding another loop over what the name was bound to before the join? */
static bool same_loop(const Facts *x, const Access *join, const Def *again)
{
    const Def *before = NULL;
    for (u32 k = 0; k < x->defs.n; k++)
        if (x->defs.v[k].path == join->path && x->defs.v[k].func == join->func &&
            x->defs.v[k].span.start < join->span.start)
            before = &x->defs.v[k];
    return before && before->kind == VAL_ITER_OF && again->kind == VAL_ITER_OF && before->value == again->value;
}

/* Is another thread bound to the name or stored in the attribute between the two? Then the join waits for the one
 * that was there before. */
static bool rebound(const Facts *x, const Access *join, const Access *start)
{
    for (u32 k = 0; k < x->defs.n && !x->paths.v[join->path].nattr; k++) {
        const Def *d = &x->defs.v[k];
        if (d->func == join->func && d->path != NONE && d->path == join->path && d->span.start > join->span.start &&
            d->span.start < start->span.start && !same_loop(x, join, d))
            return true;
    }
    const Func *fn = &x->funcs.v[join->func];
    for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
        const Access *a = &x->accesses.v[k];
        if (a->op == OP_STORE && a->path == join->path && x->paths.v[a->path].nattr &&
            a->span.start > join->span.start && a->span.start < start->span.start)
            return true;
    }
    return false;
}

/* if t.is_alive(): t.join() waits for a thread that runs, started by whom ever. */
static bool asked_alive(const Facts *x, const Access *join)
{
    const Func *fn = &x->funcs.v[join->func];
    for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
        const Access *a = &x->accesses.v[k];
        if (a->path != join->path || a->cond == NONE || (!named(x, a, "is_alive") && !named(x, a, "isAlive")))
            continue;
        const Cond *c = &x->conds.v[a->cond];
        if (c->then_block != NONE && block_within(x, join->block, c->then_block)) return true;
    }
    return false;
}

void race_start(Finder *f, u32 file)
{
    const Facts *x = f->p->facts[file];
    for (u32 i = 0; i < x->accesses.n; i++) {
        const Access *join = &x->accesses.v[i];
        if (!named(x, join, "join") || join->key != SYM_EMPTY) continue;
        u32 start = NONE;
        bool started = false;
        const Func *fn = &x->funcs.v[join->func];
        for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
            const Access *s = &x->accesses.v[k];
            if (s->path != join->path || !named(x, s, "start")) continue;
            if (s->span.start < join->span.start)
                started = true;
            else if (start == NONE)
                start = k;
        }
        if (started || start == NONE || !thread_like(f->p, file, join)) continue;
        const Access *s = &x->accesses.v[start];
        if (rebound(x, join, s) || asked_alive(x, join)) continue;
        /* start in another branch, or in a loop that comes round again, is not after the join */
        if (x->blocks.v[join->block].repeats && x->blocks.v[s->block].repeats &&
            x->blocks.v[join->block].parent != x->blocks.v[s->block].parent &&
            !block_within(x, s->block, x->blocks.v[join->block].parent))
            continue;
        Race *r = race_at(f, UG401, file, join->func, join->span, path_text(f->a, x, join->path), CONF_HIGH);
        r->sites[0] = f->p->access_base[file] + i;
        r->sites[1] = f->p->access_base[file] + start;
        r->nsites = 2;
        race_message(
            f, r, "join() comes before start() on line %u; joining a thread that was not started raises RuntimeError",
            s->line);
    }
}
