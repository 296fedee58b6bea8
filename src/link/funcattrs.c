/* Attributes of functions: def count(): count.n += 1 keeps its number on the function, which the module has once.
 *
 * Such an attribute is a place of the module, named "count.n". Needs the names of modules; only attributes that the
 * function's own file binds count, so that what decorators and libraries give to functions (f.cache_clear, f.delay)
 * is none. Attributes of inner functions are captured variables (places.c). */
#include "link/link.h"

/* The function of the module whose attribute the definition binds, or NONE. */
static u32 bound_on(const Program *p, u32 file, const Def *d)
{
    if (d->path == NONE || d->is_return) return NONE;
    const Path *x = &p->facts[file]->paths.v[d->path];
    if (x->root != ROOT_GLOBAL || x->nattr != 1 || x->attr[0] == SYM_ITEM) return NONE;
    Ent e = path_resolve(p, file, x, 0);
    if (e.kind != ENT_FUNC || func_gid(p, e.id).file != file) return NONE;
    const Func *fn = program_func(p, e.id);
    return fn->parent == 0 && fn->cls == NONE ? e.id : NONE;
}

void func_attrs_index(Program *p)
{
    LinkState *s = p->state;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->defs.n; i++) {
            u32 gfunc = bound_on(p, file, &f->defs.v[i]);
            if (gfunc == NONE) continue;
            const Path *x = &f->paths.v[f->defs.v[i].path];
            Str name = str_dot(s->a, sym_str(f, x->name), sym_str(f, x->attr[0]));
            u32 *at = map_at(s->a, &s->func_attrs, map_key(gfunc, gsym(p, file, x->attr[0])));
            if (*at == NONE) *at = place_of(p, PLACE_GLOBAL, file, NONE, intern(p->arena, &p->syms, name));
        }
    }
}

Ent func_attr(const Program *p, u32 gfunc, u32 gs)
{
    u32 place = map_get(&p->state->func_attrs, map_key(gfunc, gs));
    return (Ent){place == NONE ? ENT_NONE : ENT_PLACE, place, NONE, NONE};
}
