/* Operations on self that the class itself defines: what `if name not in self: self[name] = x` asks and changes is
 * what
 * __contains__ and __setitem__ of the class ask and change, mostly one container, self._items.
 *
 * A method counts whose own code does that operation to one attribute of self, and nothing else to any state, under
 * no lock: then the operation on self is one on that attribute. Of a Mapping, `in` asks __getitem__. A class that is
 * derived from a container holds what its base does (contents_place, places.c), unless it defines the operation. */
#include "link/link.h"

static const char *method_of(u8 op)
{
    return op == OP_CONTAINS     ? "__contains__"
           : op == OP_ITEM_LOAD  ? "__getitem__"
           : op == OP_ITEM_STORE ? "__setitem__"
           : op == OP_ITEM_DEL   ? "__delitem__"
                                 : NULL;
}

/* `in` of a mapping asks for the item: Lib/_collections_abc.py. */
static bool asks_item(const Program *p, u32 cls)
{
    static const char *const bases[] = {"collections.abc.Mapping", "collections.abc.MutableMapping",
                                        "collections.Mapping",     "collections.MutableMapping",
                                        "typing.Mapping",          "typing.MutableMapping"};
    return class_derives_any(p, cls, bases, COUNT_OF(bases));
}

/* The attribute of self that the method does the operation to, its one access of state; NONE. */
static u32 done_to(const Program *p, u32 gfunc, u8 op)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    const Access *one = fn->naccesses == 1 ? &f->accesses.v[fn->accesses] : NULL;
    if (!one || one->op != op || fn->nsections || fn->is_async || fn->is_generator || fn->ndecorators) return NONE;
    const Path *x = &f->paths.v[one->path];
    Ent e = x->root == ROOT_SELF && x->nattr == 1 ? path_resolve(p, g.file, x, 1) : (Ent){.kind = ENT_NONE};
    return e.kind == ENT_PLACE ? e.id : NONE;
}

u32 own_operation(const Program *p, u32 cls, u8 op)
{
    const char *name = method_of(op);
    u32 method = name ? method_by_name(p, cls, name) : NONE;
    if (method != NONE) return done_to(p, method, op);
    if (op != OP_CONTAINS || !asks_item(p, cls)) return NONE;
    method = method_by_name(p, cls, "__getitem__");
    return method == NONE ? NONE : done_to(p, method, OP_ITEM_LOAD);
}

bool defines_operation(const Program *p, u32 cls, u8 op, bool above)
{
    const char *name = method_of(op);
    u32 gs = name ? intern_find(&p->syms, str_from(name)) : NONE;
    return gs != NONE && class_method(p, cls, gs, above) != NONE;
}
