/* Properties that can be set: self.x = v calls a function, whatever that does with v, and no attribute x is there.
 *
 *   @x.setter                   the second method of a name that is a property there
 *   x = property(get_x, set_x)  in the class body, with methods of that class
 *
 * A property alone cannot be set; what only names itself one (cached_property and its like) keeps what self.x = v
 * gives it in the object. (Python reference, section 3.3.2.) */
#include "link/link.h"

static u32 body_method(const Program *p, u32 gclass, u32 file, const Arg *a)
{
    const Facts *f = p->facts[file];
    const Path *x = a->kind == VAL_PATH && !a->star ? &f->paths.v[a->value] : NULL;
    if (!x || x->root != ROOT_CLASS || x->nattr) return NONE;
    return map_get(&p->state->classes[gclass].methods, gsym(p, file, x->name));
}

/* The argument of property(…) at a position, or of that name; NULL without one. */
static const Arg *property_arg(const Facts *f, const Call *c, u32 at, const char *name)
{
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *a = &f->args.v[c->args + i];
        if (a->keyword == SYM_EMPTY ? i == at : str_is(sym_str(f, a->keyword), name)) return a;
    }
    return NULL;
}

static void called_property(Program *p, u32 file, const Def *d)
{
    const Facts *f = p->facts[file];
    const Path *x = d->path == NONE ? NULL : &f->paths.v[d->path];
    if (!x || x->root != ROOT_CLASS || x->nattr || d->kind != VAL_CALL) return;
    const Call *c = &f->calls.v[d->value];
    const Path *maker = &f->paths.v[c->callee];
    if (maker->root != ROOT_GLOBAL || maker->nattr || !str_is(sym_str(f, maker->name), "property")) return;
    const Arg *get = property_arg(f, c, 0, "fget"), *set = property_arg(f, c, 1, "fset");
    u32 gclass = gclass_of(p, file, x->func), gs = gsym(p, file, x->name);
    u32 getter = get ? body_method(p, gclass, file, get) : NONE;
    u32 setter = set ? body_method(p, gclass, file, set) : NONE;
    ClassInfo *ci = &p->state->classes[gclass];
    if (getter == NONE || (set && setter == NONE) || map_get(&ci->methods, gs) != NONE) return;
    map_put(p->state->a, &ci->methods, gs, getter);
    if (set) map_put(p->state->a, &ci->setters, gs, setter);
}

void properties_index(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 1; i < f->funcs.n; i++) {
        const Func *x = &f->funcs.v[i];
        if (x->cls == NONE || !x->is_property) continue;
        for (u32 k = x->decorators; k < x->decorators + x->ndecorators; k++) {
            const Path *d = &f->paths.v[f->decorators.v[k]];
            if (d->nattr && str_is(path_last(f, d), "setter"))
                map_put(p->state->a, &p->state->classes[p->class_base[file] + x->cls].setters, gsym(p, file, x->name),
                        gfunc_of(p, file, i));
        }
    }
    for (u32 i = 0; i < f->defs.n; i++) called_property(p, file, &f->defs.v[i]);
}
