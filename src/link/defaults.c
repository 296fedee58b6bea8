/* Defaults of parameters: one object for all calls that do not pass their own (The Python Language Reference,
 * "Function definitions"). Only those of functions in a module or class; the others are made by each call of the
 * outer one. A default that names a container of the module is that. */
#include "link/link.h"

/* x = dict(x): from here on the parameter is another object than its default. Binding it never changes the default.
 */
static bool rebound(const Program *p, u32 file, const Path *x, const Access *a)
{
    const Facts *f = p->facts[file];
    if (a->op == OP_STORE || a->op == OP_DEL) return true;
    u32 at = map_get(&p->state->local_defs, local_key(file, x->func, x->name));
    for (; at != NONE; at = p->state->defrefs.v[at].next) {
        const Def *d = &f->defs.v[p->state->defrefs.v[at].def];
        if (d->func == x->func && d->block == f->funcs.v[x->func].block && d->stmt < a->stmt) return true;
    }
    return false;
}

/* What a default holds that all calls share and can change: {}, [], set(), and what deque() or a generator function
 * makes. */
u8 default_kind(const Program *p, u32 file, const Param *q)
{
    switch (q->def_kind) {
    case VAL_DICT: return TYPE_DICT;
    case VAL_LIST: return TYPE_LIST;
    case VAL_SET: return TYPE_SET;
    case VAL_CALL: break;
    default: return TYPE_UNKNOWN;
    }
    u8 kind = call_type(p, file, q->def_value).kind;
    return type_is_container(kind) || kind == TYPE_GENERATOR || kind == TYPE_ITERATOR ? kind : TYPE_UNKNOWN;
}

/* def f(key, cache=_cache): the container of the module that the default names, when nothing else is ever bound to
 * that name; NONE. */
static u32 default_named(const Program *p, u32 file, const Param *q)
{
    const LinkState *s = p->state;
    if (q->def_kind != VAL_PATH) return NONE;
    u32 place = path_place(p, file, q->def_value);
    if (place == NONE || p->places.v[place].kind != PLACE_GLOBAL || !type_is_container(place_type(p, place).kind))
        return NONE;
    u32 at = map_get(&s->place_defs, place);
    return at != NONE && s->defrefs.v[at].next == NONE ? place : NONE;
}

u32 default_place(Program *p, u32 file, const Path *x, const Access *a)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[x->func];
    if (rebound(p, file, x, a)) return NONE;
    for (u32 i = 0; i < fn->nparams; i++) {
        const Param *q = &f->params.v[fn->params + i];
        if (fn->parent || q->name != x->name) continue;
        u32 named = default_named(p, file, q);
        if (named != NONE) return named;
        if (default_kind(p, file, q) != TYPE_UNKNOWN)
            return place_of(p, PLACE_DEFAULT, file, gfunc_of(p, file, x->func), gsym(p, file, x->name));
    }
    return NONE;
}
