/* Containers that go from hand to hand: a worker that keeps the dictionary which its maker gave it has the maker's,
 *
 *   self._worker = Worker(self._devices)          def __init__(self, devices):
 *                                                     self._devices = devices
 *
 * and `self.services = self.devices` is a second name. What is done to the attribute is done to the place that the
 * container comes from; binding the attribute is not.
 *
 * Needs what callers pass (params_link). All calls outside of tests must pass one and the same place, which holds a
 * container and is bound where its owner is made, and the attribute must be bound to nothing else. */
#include "link/objects.h"

enum { HANDS = 3 };

static u32 place_behind(Program *p, u32 file, u32 path, u32 depth);

/* What all callers pass for the parameter, those in tests or without them, or NULL when it is none or not all is
 * known. */
static const ParamInfo *passed(const Program *p, u32 file, const Path *x, bool tests)
{
    const LinkState *s = p->state;
    const Func *fn = &p->facts[file]->funcs.v[x->func];
    for (u32 i = 0; i < fn->nparams; i++) {
        if (p->facts[file]->params.v[fn->params + i].name != x->name) continue;
        const ParamInfo *pi = &s->params[s->param_base[file] + fn->params + i];
        return (tests ? pi->more : pi->more_own) ? NULL : pi;
    }
    return NULL;
}

/* What the parameter is given, see param_place; without what tests give, if those do not count. */
static u32 given(Program *p, u32 file, const Path *x, bool tests, u32 depth)
{
    const ParamInfo *pi = passed(p, file, x, tests);
    u32 place = NONE;
    for (u32 k = 0; pi && k < pi->n; k++) {
        if (!tests && p->tests[pi->from[k].file]) continue;
        u32 q = pi->from[k].kind == VAL_PATH ? place_behind(p, pi->from[k].file, pi->from[k].value, depth) : NONE;
        if (q == NONE || (place != NONE && q != place)) return NONE;
        place = q;
    }
    return place;
}

bool param_made_here(const Program *p, u32 file, const Path *x)
{
    const ParamInfo *pi = x->root == ROOT_PARAM ? passed(p, file, x, true) : NULL;
    for (u32 k = 0; pi && k < pi->n; k++) {
        const Path *q = pi->from[k].kind == VAL_PATH ? &p->facts[pi->from[k].file]->paths.v[pi->from[k].value] : NULL;
        if (!q || q->root != ROOT_SELF || !p->funcs[gfunc_of(p, pi->from[k].file, q->func)].construct) return false;
    }
    return pi && pi->n;
}

/* The place that a path names, or a local, or what a parameter is given, `depth` calls up. */
static u32 place_behind(Program *p, u32 file, u32 path, u32 depth)
{
    const Path *x = &p->facts[file]->paths.v[path];
    Ent e = path_entity(p, file, path);
    if (e.kind == ENT_PLACE) return e.id;
    if (e.kind != ENT_LOCAL || x->nattr) return NONE;
    if (x->root == ROOT_LOCAL) return closure_place(p, file, x);
    return x->root == ROOT_PARAM && depth ? given(p, file, x, false, depth - 1) : NONE;
}

u32 param_place(Program *p, u32 file, const Path *x)
{
    return given(p, file, x, true, 0);
}

static bool in_making(const Program *p, u32 file, const Def *d)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[d->func];
    return d->func == 0 || (fn->cls != NONE && str_is(sym_str(f, fn->name), "__init__"));
}

/* Does the place hold one container, from when its owner is made? */
static bool holds_one(const Program *p, u32 place)
{
    const Place *x = &p->places.v[place];
    const LinkState *s = p->state;
    GId g = x->kind == PLACE_CLOSURE ? func_gid(p, x->owner) : (GId){NONE, NONE};
    u32 sym = g.file != NONE ? intern_find(&p->facts[g.file]->syms, p->syms.strs[x->name]) : NONE, n = 0;
    u32 at = g.file != NONE ? map_get(&s->local_defs, local_key(g.file, g.id, sym)) : map_get(&s->place_defs, place);
    for (; at != NONE; at = s->defrefs.v[at].next, n++) {
        const Def *d = &p->facts[s->defrefs.v[at].file]->defs.v[s->defrefs.v[at].def];
        bool made = d->kind == VAL_LIST || d->kind == VAL_DICT || d->kind == VAL_SET || d->kind == VAL_CALL;
        if (!made || (g.file != NONE ? n : !in_making(p, s->defrefs.v[at].file, d))) return false;
    }
    if (!n) return false;
    u8 kind = g.file != NONE ? local_type(p, g.file, g.id, sym).kind : place_type(p, place).kind;
    return type_is_container(kind);
}

/* The place that the attribute's one value comes from, or NONE. */
static u32 comes_from(Program *p, u32 place)
{
    const LinkState *s = p->state;
    u32 from = NONE;
    for (u32 at = map_get(&s->place_defs, place); at != NONE; at = s->defrefs.v[at].next) {
        u32 file = s->defrefs.v[at].file;
        const Def *d = &p->facts[file]->defs.v[s->defrefs.v[at].def];
        if (d->kind == VAL_NONE) continue;
        if (d->kind != VAL_PATH || from != NONE || !in_making(p, file, d)) return NONE;
        const Path *q = &p->facts[file]->paths.v[d->value];
        if (q->root != ROOT_PARAM && q->root != ROOT_SELF && q->root != ROOT_GLOBAL) return NONE;
        from = place_behind(p, file, d->value, HANDS);
        if (from == NONE || from == place) return NONE;
    }
    return from;
}

u32 handed_place(Program *p, u32 place, u8 op)
{
    if (p->places.v[place].kind != PLACE_INSTANCE || op == OP_STORE || op == OP_DEL || op == OP_AUG) return place;
    u32 *known = map_at(p->state->a, &p->state->handed, place);
    if (*known != NONE) return *known;
    *known = place;
    u32 from = comes_from(p, place);
    for (u32 n = 0; n < HANDS && from != NONE && !holds_one(p, from); n++)
        from = p->places.v[from].kind == PLACE_INSTANCE ? comes_from(p, from) : NONE;
    if (from == NONE || !holds_one(p, from)) return place;
    if (p->places.v[from].kind == PLACE_CLOSURE && !class_is_thread(p, p->places.v[place].owner))
        return place; /* a local of the maker: the object is where it lives on; of threads there are several */
    *map_at(p->state->a, &p->state->handed, place) = from;
    return from;
}

static bool handed_to_thread(const Program *p, const Place *x)
{
    if (x->kind != PLACE_INSTANCE || !type_is_container(x->type.kind)) return false;
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = p->place_access.v[i];
        GId g = access_gid(p, ga);
        const Facts *f = p->facts[g.file];
        const Access *a = &f->accesses.v[g.id];
        const Path *q = &f->paths.v[a->path];
        u32 cls = f->funcs.v[a->func].self_class;
        if (q->root != ROOT_SELF || q->nattr != 1 || cls == NONE || p->tests[g.file]) continue;
        if (!p->funcs[gfunc_of(p, g.file, a->func)].threads) continue;
        u32 bits, holder = class_attr_owner(p, gclass_of(p, g.file, cls), gsym(p, g.file, q->attr[0]), &bits);
        if (holder != NONE && classes_unrelated(p, holder, x->owner)) return true;
    }
    return false;
}

void handed_find(Program *p)
{
    for (u32 i = 0; i < p->places.n; i++) p->places.v[i].to_thread = handed_to_thread(p, &p->places.v[i]);
}

bool attr_given(const Program *p, u32 cls, u32 gs)
{
    const LinkState *s = p->state;
    Ent e = ent_attr(p, (Ent){ENT_INSTANCE, cls, NONE, NONE}, gs);
    for (u32 at = e.kind == ENT_PLACE ? map_get(&s->place_defs, e.id) : NONE; at != NONE;
         at = s->defrefs.v[at].next) {
        const Facts *f = p->facts[s->defrefs.v[at].file];
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        if (d->kind == VAL_PATH && f->paths.v[d->value].root == ROOT_PARAM && !f->paths.v[d->value].nattr)
            return true;
    }
    return false;
}
