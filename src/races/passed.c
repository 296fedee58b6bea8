/* What a function does to a container that it is given: self.toggle(self.lights, lamp), where toggle(self, box, x)
 * says box.add(x); total(self.prices), where total(d) says sum(v for v in d.values()); and helpers that hand back a
 * view, for p in dict_values(self.prices).
 *
 * Needs the call that an argument stands in and its targets; one call deep. Where all callers pass the same place,
 * the parameter stands for it (link/places.c) and nothing is asked here. Of changes only growing and shrinking
 * counts, which is what a walk elsewhere minds; the lock that the function takes for it counts, as if it were held at
 * the call. Not followed: *args, methods of unknown objects. */
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

/* x = dict(x): is the parameter another object from some point on? */
static bool param_rebound(const Program *p, GId func, u32 name)
{
    const Facts *x = p->facts[func.file];
    for (u32 i = 0; i < x->defs.n; i++) {
        if (x->defs.v[i].func != func.id || x->defs.v[i].path == NONE) continue;
        const Path *q = &x->paths.v[x->defs.v[i].path];
        if (q->root == ROOT_PARAM && !q->nattr && q->name == name && q->func == func.id) return true;
    }
    return false;
}

/* Does the access in the function read the whole of its parameter, step by step, if that is of the type? */
static bool walks_param(const Program *p, u32 ga, u32 gfunc, Str name, u8 type)
{
    u32 place = p->access_place[ga];
    if (place == NONE || p->access_locks[ga] || failure_caught(p, ga)) return false;
    const Place *x = &p->places.v[place];
    if (x->kind != PLACE_CLOSURE || x->owner != gfunc || !str_eq(p->syms.strs[x->name], name)) return false;
    const Access *a = program_access(p, ga);
    if (a->op == OP_ITER) return true;
    Str reader = sym_str(p->facts[access_gid(p, ga).file], a->method);
    return a->op == OP_CREAD && !str_is(reader, "return") && !reader_is_safe(type, reader, access_is_view(p, ga));
}

/* Is the result of the call a view of the parameter, lambda d: d.values(), and does the caller walk it? */
static bool view_walked(const Program *p, const Facts *f, const Access *given, u32 call, GId to, u32 name, u8 type)
{
    const Facts *x = p->facts[to.file];
    const Func *fn = &x->funcs.v[to.id];
    if (fn->ncalls != 1 || fn->is_generator) return false;
    const Path *q = &x->paths.v[x->calls.v[fn->calls].callee];
    if (q->root != ROOT_PARAM || q->nattr != 1 || q->name != name || q->func != to.id) return false;
    Str view = sym_str(x, q->attr[0]), end = str_slice(x->source->text, x->calls.v[fn->calls].span.end, fn->span.end);
    if (!str_is(view, "items") && !str_is(view, "keys") && !str_is(view, "values") && !str_starts(view, S("iter")) &&
        !str_starts(view, S("view")))
        return false;
    if (str_trim(end).n) return false; /* list(d.items()) */
    const Func *here = &f->funcs.v[given->func];
    for (u32 i = here->accesses; i < here->accesses + here->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        const Path *r = &f->paths.v[a->path];
        if (r->root != ROOT_CALL || r->func != call || r->nattr) continue;
        if (a->op == OP_ITER || (a->op == OP_CREAD && !str_is(sym_str(f, a->method), "return") &&
                                 !reader_is_safe(type, sym_str(f, a->method), true)))
            return true;
    }
    return false;
}

/* Is its name bound twice, once for each version of Python, say? Then we do not know which one is called. */
static bool one_of_several(const Facts *x, u32 func)
{
    u32 name = NONE, n = 0;
    for (u32 i = 0; i < x->defs.n && name == NONE; i++)
        if ((x->defs.v[i].kind == VAL_FUNC || x->defs.v[i].kind == VAL_LAMBDA) && x->defs.v[i].value == func)
            name = x->defs.v[i].path;
    for (u32 i = 0; i < x->defs.n && name != NONE; i++) n += x->defs.v[i].path == name;
    return n > 1;
}

/* Is what the call may run a helper that hands back a view, or a function that walks the parameter itself? */
static bool walks(const Program *p, const Facts *f, const Access *a, u32 call, u32 arg, u32 gfunc, u8 type,
                  bool *view)
{
    GId t = func_gid(p, gfunc);
    const Facts *x = p->facts[t.file];
    const Func *fn = &x->funcs.v[t.id];
    u32 name = param_for(p, f, &f->calls.v[call], arg, gfunc);
    if (name == NONE || fn->is_async || one_of_several(x, t.id) || param_rebound(p, t, name)) return false;
    if ((*view = view_walked(p, f, a, call, t, name, type))) return true;
    for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses && !fn->is_generator; k++)
        if (walks_param(p, p->access_base[t.file] + k, gfunc, sym_str(x, name), type)) return true;
    return false;
}

u32 passed_walk(const Program *p, u32 ga, bool *view)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    u32 call, arg, out[TARGETS];
    if (a->op != OP_ARG || p->access_place[ga] == NONE || !call_with(f, a, &call, &arg)) return NONE;
    u8 type = p->places.v[p->access_place[ga]].type.kind;
    u32 n = call_targets(p, g.file, call, out, TARGETS);
    for (u32 i = 0; i < n; i++) /* one for each version of Python, say: all have to */
        if (!walks(p, f, a, call, arg, out[i], type, view)) return NONE;
    return n ? out[0] : NONE;
}

/* headers = {**headers} at the head of the function: what it changes from there on is not what it was given. */
static bool rebound_before(const Facts *x, const Func *fn, const Access *a)
{
    u32 func = a->func;
    for (u32 i = 0; i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        if (d->func != func || d->path == NONE || d->block != fn->block || d->span.start >= a->span.start) continue;
        const Path *q = &x->paths.v[d->path], *given = &x->paths.v[a->path];
        if (q->root == ROOT_PARAM && !q->nattr && q->name == given->name && q->func == func) return true;
    }
    return false;
}

/* What the function does to the size of what the call gives it. *covered is cleared where a change or a walk of it
 * holds no lock of the set. */
static u32 effect_in(const Program *p, const Facts *f, const Call *c, u32 arg, u32 gfunc, u32 with, bool *covered)
{
    u32 name = param_for(p, f, c, arg, gfunc), effect = 0;
    GId t = func_gid(p, gfunc);
    const Facts *x = p->facts[t.file];
    const Func *fn = &x->funcs.v[t.id];
    for (u32 k = fn->accesses; name != NONE && k < fn->accesses + fn->naccesses; k++) {
        const Path *q = &x->paths.v[x->accesses.v[k].path];
        u32 ga = p->access_base[t.file] + k;
        if (q->root != ROOT_PARAM || q->nattr || q->name != name || q->func != t.id ||
            rebound_before(x, fn, &x->accesses.v[k]))
            continue;
        u32 changes = access_effect(p, ga) & (EFFECT_GROW | EFFECT_SHRINK);
        u8 op = x->accesses.v[k].op;
        if ((changes || op == OP_ITER || op == OP_CREAD) && lockset_common(p, p->access_locks[ga], with) == NONE)
            *covered = false;
        effect |= changes;
    }
    return effect;
}

static u32 effect_of_targets(const Program *p, u32 ga, u32 with, bool *covered)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    u32 call, arg, out[TARGETS], effect = 0;
    const Call *c = a->op == OP_ARG ? call_with(f, a, &call, &arg) : NULL;
    *covered = c != NULL;
    if (!c) return 0;
    u32 n = call_targets(p, g.file, call, out, TARGETS);
    for (u32 i = 0; i < n; i++) effect |= effect_in(p, f, c, arg, out[i], with, covered);
    return effect;
}

u32 passed_effect(const Program *p, u32 ga)
{
    bool covered;
    return effect_of_targets(p, ga, 0, &covered);
}

bool passed_under(const Program *p, u32 ga, u32 set)
{
    bool covered;
    return p->locksets.v[set].n && effect_of_targets(p, ga, set, &covered) && covered;
}
