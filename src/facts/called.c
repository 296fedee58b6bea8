/* self.handler(): where handler is no method but an attribute of the object, the call is a use of what the attribute
 * holds, as self.handler.run() is.
 *
 * super().__setitem__(k, v), dict.__setitem__(self, k, v): what is done there to what the object holds is the
 * operation by its own name, self[k] = v of the base.
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

/* The operation that the method is called for, OP_COUNT for others. */
static u8 operation_of(Str method)
{
    return str_is(method, "__setitem__")    ? OP_ITEM_STORE
           : str_is(method, "__getitem__")  ? OP_ITEM_LOAD
           : str_is(method, "__delitem__")  ? OP_ITEM_DEL
           : str_is(method, "__contains__") ? OP_CONTAINS
                                            : OP_COUNT;
}

void operations_of_bases(Walk *w)
{
    Facts *f = w->f;
    if (intern_find(&f->syms, S("super")) == NONE) return;
    for (u32 i = 0; i < f->accesses.n; i++) {
        Access *a = &f->accesses.v[i];
        const Path *p = &f->paths.v[a->path];
        if (a->op != OP_METHOD || p->root != ROOT_SUPER || p->nattr) continue;
        u8 op = operation_of(sym_str(f, a->method));
        if (op == OP_COUNT || a->nargs != (op == OP_ITEM_STORE ? 2 : 1)) continue;
        a->op = op;
        a->method = SYM_ITEM;
        if (op == OP_CONTAINS && a->test == TEST_TRUE) a->test = TEST_IN;
        if (op == OP_CONTAINS && a->test == TEST_FALSE) a->test = TEST_NOT_IN;
    }
}
