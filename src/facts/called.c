/* self.handler(): where handler is no method but an attribute of the object, the call is a use of what the attribute
 * holds, as self.handler.run() is.
 *
 * super().__setitem__(k, v), dict.__setitem__(self, k, v): what is done there to what the object holds is the
 * operation by its own name, self[k] = v of the base.
 *
 * get = table.get, and then get(key), with both names in the module or in the function around: an operation on the
 * table.
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

/* Makes the access of the method that it is called by the operation. */
static void be_operation(Access *a, u8 op)
{
    a->op = op;
    a->method = SYM_ITEM;
    if (op == OP_CONTAINS && a->test == TEST_TRUE) a->test = TEST_IN;
    if (op == OP_CONTAINS && a->test == TEST_FALSE) a->test = TEST_NOT_IN;
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
        be_operation(a, op);
    }
}

enum { SEVERAL = NONE - 1 };

static u64 name_key(const Path *p)
{
    return map_key(p->root == ROOT_LOCAL ? p->func : 0, p->name);
}

static bool plain_name(const Path *p)
{
    return !p->nattr && (p->root == ROOT_GLOBAL || p->root == ROOT_LOCAL);
}

/* {}, [], dict(), collections.OrderedDict(): a container, by the literal or the name of the type. */
static bool makes_container(const Facts *f, const Def *d)
{
    static const char *const types[] = {"dict",        "list",        "set",     "deque",
                                        "OrderedDict", "defaultdict", "Counter", "WeakValueDictionary"};
    if (d->kind == VAL_DICT || d->kind == VAL_LIST || d->kind == VAL_SET) return true;
    if (d->kind != VAL_CALL) return false;
    return str_among(call_last(f, &f->calls.v[d->value]), types, COUNT_OF(types));
}

/* The path of the method of a container that the name is bound to, and to nothing else; NONE. `names` has the one Def
 * of each name. */
static u32 bound_method(const Facts *f, const Map *names, const Path *name)
{
    u32 id = plain_name(name) ? map_get(names, name_key(name)) : NONE;
    if (id == NONE || id == SEVERAL || f->defs.v[id].kind != VAL_PATH || f->defs.v[id].augmented) return NONE;
    Path of = f->paths.v[f->defs.v[id].value];
    if (of.nattr != 1 || of.attr[0] == SYM_ITEM || f->defs.v[id].func != (name->root == ROOT_LOCAL ? name->func : 0))
        return NONE;
    of.nattr = 0;
    u32 made = plain_name(&of) ? map_get(names, name_key(&of)) : NONE;
    return made != NONE && made != SEVERAL && makes_container(f, &f->defs.v[made]) ? f->defs.v[id].value : NONE;
}

/* get = table.get, of whatever kind the table is. */
static bool may_bind_method(const Facts *f, const Def *d)
{
    if (d->path == NONE || d->kind != VAL_PATH || !plain_name(&f->paths.v[d->path])) return false;
    Path of = f->paths.v[d->value];
    if (of.nattr != 1 || of.attr[0] == SYM_ITEM) return false;
    of.nattr = 0;
    return plain_name(&of);
}

static Map names_bound(Walk *w)
{
    const Facts *f = w->f;
    Map names = {0};
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE || !plain_name(&f->paths.v[d->path])) continue;
        u32 *at = map_at(w->scratch, &names, name_key(&f->paths.v[d->path]));
        *at = *at == NONE ? i : SEVERAL;
    }
    return names;
}

void calls_of_bound_methods(Walk *w)
{
    Facts *f = w->f;
    bool any = false;
    for (u32 i = 0; i < f->defs.n && !any; i++) any = may_bind_method(f, &f->defs.v[i]);
    if (!any) return;
    Map names = names_bound(w), call_at = {0};
    any = false;
    for (u32 i = 0; i < f->defs.n && !any; i++)
        any = may_bind_method(f, &f->defs.v[i]) && bound_method(f, &names, &f->paths.v[f->defs.v[i].path]) != NONE;
    for (u32 i = 0; i < f->calls.n && any; i++)
        map_put(w->scratch, &call_at, map_key(f->calls.v[i].func, f->calls.v[i].span.start), i);
    for (u32 i = 0; i < f->accesses.n && any; i++) {
        Access *a = &f->accesses.v[i];
        u32 method = a->op == OP_LOAD ? bound_method(f, &names, &f->paths.v[a->path]) : NONE;
        u32 id = method == NONE ? NONE : map_get(&call_at, map_key(a->func, a->span.start));
        if (id == NONE) continue;
        Call *c = &f->calls.v[id];
        Path of = f->paths.v[method];
        u32 name = of.attr[0];
        of.nattr = 0;
        a->path = path_id(w, of);
        a->op = OP_METHOD;
        a->method = name;
        a->nargs = (u8)MIN(c->nargs, 255u);
        Span first = c->nargs ? f->args.v[c->args].span : (Span){0, 0};
        if (first.end - first.start <= KEY_MAX)
            a->key = intern(w->a, &f->syms, str_slice(w->src->text, first.start, first.end));
        a->span = c->span;
        source_position_near(w->src, c->span.end, &a->end_line, &a->end_column);
        u8 op = operation_of(sym_str(f, name));
        if (op != OP_COUNT) be_operation(a, op);
        c->callee = method;
    }
}
