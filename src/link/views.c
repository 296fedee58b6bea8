/* Views and what else stands for a container when it is walked:
 *
 *   for k in d.items(), six.iteritems(d)      d itself; also when the view is kept in a local first, and iter(d);
 *                                             the local may be bound to a list of its own in another branch
 *   for k in store.names()                    what the one return of our function hands out: a view of self._d, an
 *                                             iterator over it, self._d itself, or a container in it, self._d[key];
 *                                             likewise a property
 *   for k in store                            what its __iter__ hands out
 *   rows = []; if ready: rows = self.rows     the attribute, for a walk of the local
 *
 * A return of nothing or of an empty container does not count beside it. Nothing is known of functions with several
 * other returns, generators, and those that return a copy. */
#include "link/link.h"

/* A container of the function's own, or nothing: ids = [], ids = [event.id], ids = None. */
static bool own_literal(const Def *d)
{
    bool literal = d->kind == VAL_LIST || d->kind == VAL_DICT || d->kind == VAL_TUPLE || d->kind == VAL_SET;
    return !d->augmented && (literal || d->kind == VAL_NONE);
}

/* Does the second binding of a local always take the place of the first one? */
static bool replaces(const Facts *f, const Def *first, const Def *second)
{
    return second->stmt > first->stmt && block_within(f, first->block, second->block);
}

enum { BINDINGS = 8 }; /* of one local, that are looked through */

/* The one Def that may bind a local to what others have, where all others bind it to containers of its own, in other
 * branches or before; NULL. */
static const Def *shared_binding(const Program *p, u32 file, const Path *x)
{
    const Facts *f = p->facts[file];
    const LinkState *s = p->state;
    u32 first = map_get(&s->local_defs, local_key(file, x->func, x->name));
    const Def *one = NULL;
    for (u32 at = first, n = 0; at != NONE; at = s->defrefs.v[at].next, n++) {
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        if (n == BINDINGS) return NULL;
        if (own_literal(d)) continue;
        if (one) return NULL;
        one = d;
    }
    for (u32 at = first; one && at != NONE; at = s->defrefs.v[at].next)
        if (replaces(f, one, &f->defs.v[s->defrefs.v[at].def])) return NULL;
    return one;
}

u32 path_result_of(const Program *p, u32 file, const Path *x)
{
    if (x->nattr || x->truncated) return NONE;
    if (x->root == ROOT_CALL) return x->func;
    if (x->root != ROOT_LOCAL) return NONE;
    u32 at = map_get(&p->state->local_defs, local_key(file, x->func, x->name));
    if (at == NONE || p->state->defrefs.v[at].next != NONE) return NONE;
    const Def *d = &p->facts[file]->defs.v[p->state->defrefs.v[at].def];
    return d->kind == VAL_CALL && !d->augmented ? d->value : NONE;
}

/* The same, where the local may be bound to containers of its own as well. */
static u32 path_result_among(const Program *p, u32 file, const Path *x)
{
    if (x->root != ROOT_LOCAL || x->nattr || x->truncated) return path_result_of(p, file, x);
    const Def *d = shared_binding(p, file, x);
    return d && d->kind == VAL_CALL && !d->augmented ? d->value : NONE;
}

/* six.iteritems, future.utils.itervalues and their like, whatever they are called here. */
static bool view_function(const Program *p, u32 file, u32 callee)
{
    static const char *const names[] = {"iteritems", "itervalues", "iterkeys", "viewitems", "viewvalues", "viewkeys"};
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[callee];
    if (str_among(path_last(f, x), names, COUNT_OF(names))) return true;
    Str full = x->nattr ? S("") : path_external(p, file, callee);
    size_t dot = str_rfind(full, '.');
    return dot < full.n && str_among(str_slice(full, dot + 1, full.n), names, COUNT_OF(names));
}

bool view_of(const Program *p, u32 file, const Path *x, Path *out)
{
    u32 call = path_result_among(p, file, x);
    if (call == NONE) return false;
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    if (c->nargs == 1 && f->args.v[c->args].kind == VAL_PATH && !f->args.v[c->args].star &&
        view_function(p, file, c->callee)) {
        *out = f->paths.v[f->args.v[c->args].value];
        return true;
    }
    *out = f->paths.v[c->callee];
    if (!path_is_attr(out)) return false;
    return known_method(sym_str(f, out->attr[--out->nattr]), AS_VIEW);
}

/* iter(self._d): the path of what is walked. */
static bool iterator_of(const Program *p, u32 file, u32 call, Path *out)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    if (c->nargs != 1 || f->args.v[c->args].star || !str_is(path_external(p, file, c->callee), "iter")) return false;
    const Arg *a = &f->args.v[c->args];
    if (a->kind == VAL_PATH) *out = f->paths.v[a->value];
    if (a->kind == VAL_CALL) return view_of(p, file, &(Path){.root = ROOT_CALL, .func = a->value}, out);
    return a->kind == VAL_PATH;
}

bool iterated_of(const Program *p, u32 file, const Path *x, Path *out)
{
    u32 call = path_result_among(p, file, x);
    return call != NONE && iterator_of(p, file, call, out);
}

static bool of_self_or_module(const Path *x)
{
    return (x->root == ROOT_SELF && x->nattr == 1) || (x->root == ROOT_GLOBAL && !x->nattr);
}

/* return None, return [], return (): nothing that others have. */
static bool returns_nothing(const Def *d)
{
    return d->kind == VAL_NONE ||
           (d->empty && (d->kind == VAL_LIST || d->kind == VAL_DICT || d->kind == VAL_TUPLE || d->kind == VAL_SET));
}

const Def *one_return(const Program *p, GId g)
{
    const Facts *f = p->facts[g.file];
    const LinkState *s = p->state;
    const Def *one = NULL;
    if (f->funcs.v[g.id].is_generator || f->funcs.v[g.id].is_async) return NULL;
    u32 at = map_get(&s->local_defs, local_key(g.file, g.id, SYM_EMPTY));
    for (; at != NONE; at = s->defrefs.v[at].next) {
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        if (returns_nothing(d)) continue;
        if (one) return NULL;
        one = d;
    }
    return one;
}

u32 handed_out(const Program *p, u32 gfunc, bool walked)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Def *d = one_return(p, g);
    if (!d || (!f->funcs.v[g.id].is_property && !walked)) return NONE;
    u32 inner = walked ? element_returned((Program *)(uintptr_t)p, g.file, d) : NONE;
    if (inner != NONE) return inner;
    Path view, *x = d->kind == VAL_PATH ? &f->paths.v[d->value] : NULL;
    if (x && (x->root != ROOT_SELF || x->nattr != 1)) return NONE;
    if (d->kind == VAL_CALL && walked &&
        (view_of(p, g.file, &(Path){.root = ROOT_CALL, .func = d->value}, &view) ||
         iterator_of(p, g.file, d->value, &view)))
        x = of_self_or_module(&view) ? &view : NULL;
    if (!x) return NONE;
    Ent e = path_resolve(p, g.file, x, x->nattr);
    return e.kind == ENT_PLACE ? e.id : NONE;
}

/* The method that a walk over an object of our class calls. */
static u32 iter_method(const Program *p, Ent e)
{
    Type t = ent_type(p, e);
    u32 gs = t.kind == TYPE_CLASS ? intern_find(&p->syms, S("__iter__")) : NONE;
    return gs == NONE ? NONE : class_method(p, t.id, gs, false);
}

/* names = store.names if store else []: the attribute for a local that may be bound to containers of its own as well.
 */
static const Path *property_among(const Program *p, u32 file, const Path *x)
{
    const Facts *f = p->facts[file];
    const Def *d = x->root == ROOT_LOCAL && !x->nattr && !x->truncated ? shared_binding(p, file, x) : NULL;
    return d && d->kind == VAL_PATH && f->paths.v[d->value].nattr ? &f->paths.v[d->value] : x;
}

/* The function, property or __iter__ of ours that a walk goes through; NONE. */
static u32 walked_through(const Program *p, u32 file, const Path *x, u8 op)
{
    u32 call = path_result_among(p, file, x);
    x = property_among(p, file, x);
    Ent e = call != NONE ? path_entity(p, file, p->facts[file]->calls.v[call].callee)
                         : path_resolve(p, file, x, x->nattr);
    if (e.kind == ENT_FUNC) {
        GId g = func_gid(p, e.id);
        return p->facts[g.file]->funcs.v[g.id].is_property == (call == NONE) ? e.id : NONE;
    }
    return op == OP_ITER && call == NONE && e.kind != ENT_NONE ? iter_method(p, e) : NONE;
}

/* Is the attribute bound anew in the function? A local may then have the old container for itself. */
static bool bound_anew(const Facts *f, u32 func, const Path *q)
{
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *b = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (b && d->func == func && b->root == q->root && b->name == q->name && b->nattr == q->nattr &&
            !memcmp(b->attr, q->attr, q->nattr * sizeof *q->attr))
            return true;
    }
    return false;
}

/* rows = []; if ready: rows = self.rows: the attribute's place; NONE. */
static u32 place_among(const Program *p, u32 file, const Path *x)
{
    const Path *q = property_among(p, file, x);
    if (q == x || q->truncated || path_is_item(q) || bound_anew(p->facts[file], x->func, q)) return NONE;
    Ent e = path_resolve(p, file, q, q->nattr);
    return e.kind == ENT_PLACE && type_is_container(place_type(p, e.id).kind) ? e.id : NONE;
}

u32 walked_place(const Program *p, u32 file, const Path *x, u8 op)
{
    u32 func = walked_through(p, file, x, op);
    return func == NONE ? place_among(p, file, x) : handed_out(p, func, true);
}

bool access_of_whole(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Access *a = program_access(p, ga);
    u32 func = walked_through(p, g.file, &p->facts[g.file]->paths.v[a->path], a->op);
    if (func == NONE) return false;
    const Def *d = one_return(p, func_gid(p, func));
    return d && d->kind == VAL_PATH;
}

bool access_of_iterator(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Access *a = program_access(p, ga);
    const Path *x = &p->facts[g.file]->paths.v[a->path];
    u32 func = walked_through(p, g.file, x, a->op), call = path_result_among(p, g.file, x);
    if (func != NONE) {
        GId h = func_gid(p, func);
        const Def *d = one_return(p, h);
        Path seen;
        return d && d->kind == VAL_CALL && iterator_of(p, h.file, d->value, &seen);
    }
    if (call == NONE || !p->facts[g.file]->calls.v[call].nargs) return false;
    u32 callee = p->facts[g.file]->calls.v[call].callee;
    return view_function(p, g.file, callee) || str_is(path_external(p, g.file, callee), "iter");
}
