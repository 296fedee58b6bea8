/* Functions that hand out what others have: the container that a call gives is state, not a local of its caller.
 *
 *   rows = table()            `return _rows` in a function of another file, `return self._rows` in a base class
 *   table(kind)[key] = x      `return _tables.setdefault(kind, {})`: a container in a container (element.c)
 *   record(n)["count"] += 1   what a function under functools.lru_cache makes, every caller gets
 *
 * Those of the same file have been seen through with its facts (facts/accessor.c), whatever they hand out. Here only
 * containers count, as far as something is done to what they hold. One return, beside None and empty containers. */
#include "link/link.h"

bool is_memoised(const Program *p, u32 file, const Func *fn)
{
    static const char *const memos[] = {"functools.lru_cache", "functools.cache"};
    const Facts *f = p->facts[file];
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++)
        if (str_among(path_external(p, file, f->decorators.v[i]), memos, COUNT_OF(memos))) return true;
    return false;
}

/* The place of the containers that a memoised function makes: one for all arguments, as for those in a container. */
static u32 memoised_place(Program *p, u32 gfunc, u32 file, u32 call)
{
    GId g = func_gid(p, gfunc);
    const Func *fn = program_func(p, gfunc);
    LinkState *s = p->state;
    Type t = fn->parent == 0 && is_memoised(p, g.file, fn) ? call_type(p, file, call) : (Type){TYPE_UNKNOWN, NONE};
    if (!type_is_container(t.kind)) return NONE;
    u32 owner = fn->cls == NONE ? NONE : gclass_of(p, g.file, fn->cls);
    Str text = str_fmt(p->arena, "%.*s()", STR_ARG(sym_str(p->facts[g.file], fn->name)));
    u32 place =
        place_of(p, owner == NONE ? PLACE_GLOBAL : PLACE_CLASS_ATTR, g.file, owner, intern(p->arena, &p->syms, text));
    while (s->place_state.n <= place) vec_push(s->a, &s->place_state, 0);
    s->place_state.v[place] = 2; /* nothing binds it that would tell */
    p->places.v[place].type = t;
    return place;
}

/* The place of the container that a return names; NONE. */
static u32 named_place(Program *p, u32 file, const Def *d)
{
    const Path *x = d->kind == VAL_PATH ? &p->facts[file]->paths.v[d->value] : NULL;
    bool state = x && ((x->root == ROOT_GLOBAL && !x->nattr) ||
                       ((x->root == ROOT_SELF || x->root == ROOT_CLS) && x->nattr == 1));
    Ent e = state ? path_resolve(p, file, x, x->nattr) : (Ent){.kind = ENT_NONE};
    return e.kind == ENT_PLACE && type_is_container(place_type(p, e.id).kind) ? e.id : NONE;
}

u32 result_place(Program *p, u32 file, const Access *a, const Path *x)
{
    u32 call = access_of_contents(a) ? path_result_of(p, file, x) : NONE;
    if (call == NONE) return NONE;
    Ent e = path_entity(p, file, p->facts[file]->calls.v[call].callee);
    if (e.kind != ENT_FUNC) return NONE;
    GId g = func_gid(p, e.id);
    const Func *fn = program_func(p, e.id);
    if (fn->is_property || fn->is_async || fn->is_generator) return NONE;
    if (fn->ndecorators && !fn->is_static && !fn->is_classmethod) return memoised_place(p, e.id, file, call);
    const Def *d = one_return(p, g);
    u32 place = d ? named_place(p, g.file, d) : NONE;
    return place != NONE || !d ? place : element_returned(p, g.file, d);
}
