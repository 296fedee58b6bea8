/* self.handler(): where handler is no method but an attribute of the object, the call is a use of what the attribute
 * holds, as self.handler.run() is.
 *
 * Needs all accesses of the file, their aliases resolved. What counts is what the class says in its own body: a store
 * to self.handler and no method of that name. Attributes that a base class of another file sets are not seen. */
#include "facts/walk.h"

/* The class whose self the access goes through, when it is of self or of an attribute of self; NONE. */
static u32 self_class(const Facts *f, const Access *a, u32 nattr)
{
    const Path *p = &f->paths.v[a->path];
    if (p->root != ROOT_SELF || p->nattr != nattr || p->truncated) return NONE;
    return f->funcs.v[a->func].self_class;
}

void calls_of_attributes(Walk *w)
{
    Facts *f = w->f;
    Map stored = {0}, methods = {0}; /* (class, symbol) → 1 */
    for (u32 i = 1; i < f->funcs.n; i++)
        if (f->funcs.v[i].cls != NONE)
            map_put(w->scratch, &methods, map_key(f->funcs.v[i].cls, f->funcs.v[i].name), 1);
    for (u32 i = 0; i < f->accesses.n; i++) {
        const Access *a = &f->accesses.v[i];
        u32 cls = a->op == OP_STORE ? self_class(f, a, 1) : NONE;
        if (cls != NONE) map_put(w->scratch, &stored, map_key(cls, f->paths.v[a->path].attr[0]), 1);
    }
    u32 called = intern(w->a, &f->syms, S("__call__"));
    for (u32 i = 0; i < f->accesses.n; i++) {
        Access *a = &f->accesses.v[i];
        u32 cls = a->op == OP_METHOD ? self_class(f, a, 0) : NONE;
        if (cls == NONE) continue;
        u64 key = map_key(cls, a->method);
        if (map_get(&stored, key) == NONE || map_get(&methods, key) != NONE) continue;
        a->path = path_id(w, path_attr(f->paths.v[a->path], a->method));
        a->method = called;
    }
}
