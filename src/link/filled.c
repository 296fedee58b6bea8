/* Functions that fill an object before anybody else has it: methods that are called only while their object is made,
 * and functions that are only given such an object, config = Config(); load(config, path); return config.
 *
 * Needs the call edges, what only runs while an object is made (reach.c), and what leaves a function (escape.c). An
 * object is new where a function has just made it and has not let it go, where it is the self of a method that only
 * new objects have, or a parameter for which every caller in sight passes a new one. All are taken to be new at
 * first; what some call contradicts is taken back, until nothing changes. Tests may call as they like. Callers out of
 * sight may not keep to this, so it lowers what is found (races/pair.c) and hides nothing; and of a public function
 * only what is given on by __init__ counts, not what some caller has just made. */
#include "link/link.h"

enum { ROUNDS = 12 };

typedef struct Filled {
    Program *p;
    bool *self, *param; /* by global func and param: is it new wherever it is called? */
    u32 *open;          /* by global func: how many of these are left; most have none, and their edges say nothing */
} Filled;

/* A local that only holds what is made before the call, anew in each turn of the loop that the call stands in, and
 * has not left the function until then. */
static bool new_local(const Program *p, u32 file, const Call *c, const Path *x)
{
    const LinkState *s = p->state;
    u32 at = map_get(&s->local_defs, local_key(file, x->func, x->name));
    const Facts *f = p->facts[file];
    u32 loop = block_loop(f, c->block);
    if (at == NONE) return false;
    for (; at != NONE; at = s->defrefs.v[at].next) {
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        if (d->kind != VAL_CALL || path_entity(p, file, f->calls.v[d->value].callee).kind != ENT_CLASS) return false;
        if (d->span.start > c->span.start || (loop != NONE && !block_within(f, d->block, loop))) return false;
    }
    return !local_escapes_before(p, file, c->func, x->name, ESCAPE_DEPTH, c->span.start);
}

/* Is the object that the name stands for new, at this call? Who makes an object and then calls what everybody may
 * call (`open_`) is one user of many, with the others out of sight. */
static bool is_new(const Filled *w, u32 file, const Call *c, const Path *x, bool open_)
{
    const Program *p = w->p;
    u32 caller = gfunc_of(p, file, c->func);
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[c->func];
    if (x->func != c->func) return false;
    switch (x->root) {
    case ROOT_SELF:
    case ROOT_SUPER: return p->funcs[caller].construct || w->self[caller];
    case ROOT_PARAM:
        for (u32 i = 0; i < fn->nparams; i++)
            if (f->params.v[fn->params + i].name == x->name)
                return w->param[p->state->param_base[file] + fn->params + i];
        return false;
    case ROOT_LOCAL: return !open_ && new_local(p, file, c, x);
    default: return false;
    }
}

/* The method's object at this call: x of x.method(). A public method that __init__ calls is there for more than
 * that. */
static bool receiver_new(const Filled *w, u32 file, const Call *c, bool open_)
{
    const Path *x = &w->p->facts[file]->paths.v[c->callee];
    if (open_ && x->root != ROOT_PARAM) return false;
    return x->nattr == 1 && x->attr[0] != SYM_ITEM && is_new(w, file, c, x, open_);
}

/* Is what goes to the function's parameter at this position new? */
static bool argument_new(const Filled *w, u32 file, const Call *c, GId callee, u32 at, bool open_)
{
    const Facts *f = w->p->facts[file];
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *a = &f->args.v[c->args + i];
        if (a->star) return false;
        if (param_of_arg(w->p, callee, file, c, i) != at) continue;
        return a->kind == VAL_PATH && !f->paths.v[a->value].nattr && is_new(w, file, c, &f->paths.v[a->value], open_);
    }
    return false;
}

/* What one call says of the function that it calls. */
static bool edge_judge(Filled *w, const CallEdge *e)
{
    const Program *p = w->p;
    if (!w->open[e->callee] || e->caller == e->callee || p->tests[e->file]) return false;
    GId g = func_gid(p, e->callee);
    const Func *fn = &p->facts[g.file]->funcs.v[g.id];
    const Call *c = e->call == NONE || e->weak || e->passed || e->param ? NULL : &p->facts[e->file]->calls.v[e->call];
    bool *param = &w->param[p->state->param_base[g.file] + fn->params], changed = false;
    bool open_ = !str_starts(sym_str(p->facts[g.file], fn->name), S("_"));
    if (w->self[e->callee] && (!c || !receiver_new(w, e->file, c, open_))) {
        w->self[e->callee] = false;
        w->open[e->callee]--;
        changed = true;
    }
    for (u32 i = 0; i < fn->nparams; i++) {
        if (!param[i] || (c && argument_new(w, e->file, c, g, i, open_))) continue;
        param[i] = false;
        w->open[e->callee]--;
        changed = true;
    }
    return changed;
}

/* All that is called from the program itself, runs in no thread of its own, and is no coroutine. */
static void candidates(Filled *w)
{
    const Program *p = w->p;
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (!p->tests[e->file] && e->caller != e->callee) w->self[e->callee] = true;
    }
    for (u32 r = ROOT_API + 1; r < p->roots.n; r++)
        if (p->roots.v[r].func != NONE) w->self[p->roots.v[r].func] = false;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->funcs.n; i++) {
            const Func *fn = &f->funcs.v[i];
            u32 g = gfunc_of(p, file, i);
            for (u32 k = 0; k < fn->nparams; k++) {
                const Param *x = &f->params.v[fn->params + k];
                bool open = i && w->self[g] && !x->star && !x->star2 && !x->has_default && !fn->is_async;
                w->param[p->state->param_base[file] + fn->params + k] = open;
                w->open[g] += open;
            }
            Str name = sym_str(f, fn->name);
            w->self[g] &= fn->cls != NONE && !fn->is_static && !fn->is_classmethod && !fn->is_property &&
                          !fn->is_async && !str_starts(name, S("__"));
            w->open[g] += w->self[g];
        }
    }
}

void filled_find(Program *p)
{
    u32 nparams = p->state->param_base[p->nfiles];
    Arena scratch = {0};
    Filled w = {p, arena_new(p->arena, bool, p->state->nfuncs + 1), arena_new(p->arena, bool, nparams + 1),
                arena_new(&scratch, u32, p->state->nfuncs + 1)};
    u32 changed = 1;
    candidates(&w);
    for (u32 round = 0; changed && round < ROUNDS; round++) {
        changed = 0;
        for (u32 i = 0; i < p->edges.n; i++) changed |= edge_judge(&w, &p->edges.v[i]);
    }
    arena_free(&scratch);
    if (changed) return; /* more rounds than that: nothing is known */
    p->state->filled_self = w.self;
    p->state->filled_param = w.param;
}

bool access_fills(const Program *p, u32 gaccess)
{
    const LinkState *s = p->state;
    GId g = access_gid(p, gaccess);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    const Path *x = &f->paths.v[a->path];
    const Func *fn = &f->funcs.v[a->func];
    u32 place = p->access_place[gaccess];
    if (!s->filled_self || place == NONE || p->places.v[place].kind != PLACE_INSTANCE) return false;
    if (x->func != a->func || (x->nattr != 1 && !(x->nattr == 2 && x->attr[1] == SYM_ITEM))) return false;
    if (x->root == ROOT_SELF) return s->filled_self[gfunc_of(p, g.file, a->func)];
    for (u32 i = 0; x->root == ROOT_PARAM && i < fn->nparams; i++)
        if (f->params.v[fn->params + i].name == x->name)
            return s->filled_param[s->param_base[g.file] + fn->params + i];
    return false;
}
