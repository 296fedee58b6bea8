/* What a function does to a container that it is given: self.toggle(self.lights, lamp), where toggle(self, box, x)
 * says box.add(x).
 *
 * Needs the call that an argument stands in and its targets; one call deep. Where all callers pass the same place,
 * the parameter stands for it (link/places.c) and nothing is asked here. Only growing and shrinking counts, which is
 * what a walk elsewhere minds. Not followed: *args, methods of unknown objects. */
#include "races/races.h"

enum { TARGETS = 8 };

static const Call *call_with(const Facts *f, const Access *a, u32 *call, u32 *arg)
{
    const Func *fn = &f->funcs.v[a->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start > a->span.start || c->span.end < a->span.end) continue;
        for (u32 k = 0; k < c->nargs; k++) {
            if (f->args.v[c->args + k].star) break;
            if (f->args.v[c->args + k].span.start != a->span.start || f->args.v[c->args + k].span.end != a->span.end)
                continue;
            *call = i;
            *arg = k;
            return c;
        }
    }
    return NULL;
}

/* The name of the parameter that takes the argument: a symbol of the callee's file, or NONE. */
static u32 param_for(const Program *p, const Facts *f, const Call *c, u32 arg, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    const Arg *given = &f->args.v[c->args + arg];
    u32 at = arg + (fn->cls != NONE && !fn->is_static ? 1 : 0);
    if (given->keyword != SYM_EMPTY) {
        for (at = 0; at < fn->nparams; at++)
            if (str_eq(sym_str(x, x->params.v[fn->params + at].name), sym_str(f, given->keyword))) break;
    }
    if (at >= fn->nparams || x->params.v[fn->params + at].star || x->params.v[fn->params + at].star2) return NONE;
    return x->params.v[fn->params + at].name;
}

u32 passed_effect(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    u32 call, arg, out[TARGETS], effect = 0;
    const Call *c = a->op == OP_ARG ? call_with(f, a, &call, &arg) : NULL;
    if (!c) return 0;
    u32 n = call_targets(p, g.file, call, out, TARGETS);
    for (u32 i = 0; i < n; i++) {
        u32 name = param_for(p, f, c, arg, out[i]);
        GId t = func_gid(p, out[i]);
        const Facts *x = p->facts[t.file];
        const Func *fn = &x->funcs.v[t.id];
        for (u32 k = fn->accesses; name != NONE && k < fn->accesses + fn->naccesses; k++) {
            const Path *q = &x->paths.v[x->accesses.v[k].path];
            if (q->root == ROOT_PARAM && !q->nattr && q->name == name && q->func == t.id)
                effect |= access_effect(p, p->access_base[t.file] + k) & (EFFECT_GROW | EFFECT_SHRINK);
        }
    }
    return effect;
}
