/* UG105: a thread is started in __init__, and a field that it uses is set only afterwards. The thread may be faster
 * and find no such attribute.
 *
 * Needs the thread roots and what they reach, and where a function first starts a thread (link/order.c). The start
 * stands in __init__ itself (Thread(target=self.run).start(), or self.start() of a Thread), or in the constructor of
 * a helper that is given self: Engine(self). A field set on either side of the start is not reported, and neither is
 * one that the thread only stores. */
#include "races/races.h"

static bool reached_by(const Program *p, u32 gfunc, u32 root)
{
    const FuncInfo *fi = &p->funcs[gfunc];
    for (u32 i = 0; i < fi->nroots; i++)
        if (fi->roots[i] == root) return true;
    return false;
}

/* Thread(target=self.run).start(): where the call that makes this thread is started at once, or NONE. */
static u32 started_at_once(const Facts *f, u32 func, u32 call)
{
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *q = &f->paths.v[f->calls.v[i].callee];
        if (q->root == ROOT_CALL && q->func == call && q->nattr == 1 && str_is(sym_str(f, q->attr[0]), "start"))
            return f->calls.v[i].span.start;
    }
    return NONE;
}

/* self.start(): where the function first starts the thread that its object is, or NONE. A thread of another object,
 * or a weakref callback, that starts in the same function does not run this object's run(). */
static u32 starts_itself(const Facts *f, u32 func)
{
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *q = &f->paths.v[f->calls.v[i].callee];
        bool own = (q->root == ROOT_SELF || q->root == ROOT_SUPER) && q->nattr == 1;
        if (own && str_is(sym_str(f, q->attr[0]), "start")) return f->calls.v[i].span.start;
    }
    return NONE;
}

/* Where the function starts this root, by a call of its own or because the root is a method of the object it makes.
 */
static u32 starts(const Program *p, u32 gfunc, const Root *r)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    if (r->call != NONE) {
        u32 start = p->funcs[gfunc].first_start;
        if (r->file != g.file || f->calls.v[r->call].func != g.id) return NONE;
        return start != NONE ? start : started_at_once(f, g.id, r->call);
    }
    GId m = func_gid(p, r->func);
    const Func *a = &f->funcs.v[g.id], *b = &p->facts[m.file]->funcs.v[m.id];
    return r->own && g.file == m.file && a->cls != NONE && a->cls == b->cls ? starts_itself(f, g.id) : NONE;
}

static bool passes_self(const Facts *f, const Call *c)
{
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *a = &f->args.v[c->args + i];
        if (a->kind == VAL_PATH && f->paths.v[a->value].root == ROOT_SELF && !f->paths.v[a->value].nattr) return true;
    }
    return false;
}

/* Does the constructor run another one in passing, whose threads it starts, too? */
static bool runs_constructor(const Program *p, const CallEdge *e)
{
    return !e->weak && e->call != NONE && p->funcs[e->callee].construct;
}

/* Where the object's __init__ lets this root run, or NONE. */
static u32 started_at(const Program *p, u32 gfunc, const Root *r)
{
    u32 at = starts(p, gfunc, r);
    if (at != NONE) return at;
    for (u32 i = p->edge_first[gfunc]; i < p->edge_first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (!runs_constructor(p, e)) continue;
        const Facts *x = p->facts[e->file];
        if (starts(p, e->callee, r) != NONE && passes_self(x, &x->calls.v[e->call]))
            at = MIN(at, x->calls.v[e->call].span.start);
    }
    return at;
}

/* A use of the place in a function that the root reaches. */
static u32 used_by(const Program *p, const Place *x, u32 root)
{
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = p->place_access.v[i];
        const Access *a = program_access(p, ga);
        u32 gfunc = access_func(p, ga);
        if (a->op != OP_STORE && a->op != OP_HASATTR && !p->funcs[gfunc].construct && reached_by(p, gfunc, root) &&
            !failure_caught(p, ga))
            return ga;
    }
    return NONE;
}

static void late_fields(Finder *f, u32 file, u32 func, u32 root, u32 start)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        u32 ga = p->access_base[file] + i, place = p->access_place[ga];
        if (a->op != OP_STORE || a->span.start < start || place == NONE || f->claimed[ga] ||
            x->paths.v[a->path].root != ROOT_SELF || p->places.v[place].kind != PLACE_INSTANCE)
            continue;
        u32 use = used_by(p, &p->places.v[place], root);
        if (use == NONE || field_set_before(p, &p->places.v[place], file, func, NONE, start)) continue;
        f->claimed[ga] = 1;
        u32 line, column;
        source_position(x->source, start, &line, &column);
        Race *r = race_at(f, UG105, file, func, a->span, p->places.v[place].display, CONF_MEDIUM);
        r->sites[0] = ga;
        r->sites[1] = use;
        r->nsites = 2;
        race_message(
            f, r,
            "%.*s is set here, after the start on line %u of a thread that uses it (%.*s:%u); the thread may "
            "be faster and find no such attribute",
            STR_ARG(path_text(f->a, x, a->path)), line, STR_ARG(p->facts[access_gid(p, use).file]->source->path),
            program_access(p, use)->line);
    }
}

/* A weakref's callback runs when the object that was given is gone; whoever made this one still has that. */
static bool of_weakref(const Program *p, const Root *r)
{
    if (r->call == NONE) return false;
    return str_starts(path_external(p, r->file, p->facts[r->file]->calls.v[r->call].callee), S("weakref."));
}

static u64 by_func(u32 gfunc)
{
    return (u64)gfunc << 1;
}

static u64 by_class(u32 gclass)
{
    return (u64)gclass << 1 | 1;
}

/* The function with the call that makes the thread, or the class whose objects are the threads themselves. */
static u64 starter_of(const Program *p, const Root *r)
{
    if (r->call != NONE) return by_func(gfunc_of(p, r->file, p->facts[r->file]->calls.v[r->call].func));
    GId m = func_gid(p, r->func);
    u32 cls = p->facts[m.file]->funcs.v[m.id].cls;
    return cls == NONE ? by_func(NONE) : by_class(p->class_base[m.file] + cls);
}

void starters_index(Finder *f)
{
    const Program *p = f->p;
    f->started_next = arena_new(f->scratch, u32, p->roots.n + 1);
    for (u32 i = p->roots.n; i-- > ROOT_API + 1;) {
        const Root *r = &p->roots.v[i];
        if (r->func == NONE || r->main || of_weakref(p, r)) continue;
        u32 *first = map_at(f->scratch, &f->started_first, starter_of(p, r));
        f->started_next[i] = *first;
        *first = i;
    }
}

typedef Vec(u32) RootVec;

/* The roots that the function or the class it stands in may start. */
static void starters_add(const Finder *f, Arena *a, u32 gfunc, RootVec *out)
{
    GId g = func_gid(f->p, gfunc);
    u32 cls = f->p->facts[g.file]->funcs.v[g.id].cls;
    u64 keys[] = {by_func(gfunc), by_class(cls == NONE ? NONE : f->p->class_base[g.file] + cls)};
    for (u32 i = 0; i < COUNT_OF(keys); i++)
        for (u32 r = map_get(&f->started_first, keys[i]); r != NONE; r = f->started_next[r]) vec_push(a, out, r);
}

static int by_id(const void *x, const void *y)
{
    u32 a = *(const u32 *)x, b = *(const u32 *)y;
    return (a > b) - (a < b);
}

static void published_in(Finder *f, u32 file, u32 func)
{
    const Program *p = f->p;
    u32 gfunc = gfunc_of(p, file, func);
    Arena room = {0};
    RootVec roots = {0};
    starters_add(f, &room, gfunc, &roots);
    for (u32 i = p->edge_first[gfunc]; i < p->edge_first[gfunc + 1]; i++)
        if (runs_constructor(p, &p->edges.v[i])) starters_add(f, &room, p->edges.v[i].callee, &roots);
    if (roots.n) qsort(roots.v, roots.n, sizeof *roots.v, by_id);
    for (u32 i = 0; i < roots.n; i++) {
        u32 at = i && roots.v[i] == roots.v[i - 1] ? NONE : started_at(p, gfunc, &p->roots.v[roots.v[i]]);
        if (at != NONE) late_fields(f, file, func, roots.v[i], at);
    }
    arena_free(&room);
}

void race_published(Finder *f, u32 file)
{
    const Facts *x = f->p->facts[file];
    for (u32 func = 1; func < x->funcs.n; func++)
        if (x->funcs.v[func].cls != NONE && str_is(sym_str(x, x->funcs.v[func].name), "__init__"))
            published_in(f, file, func);
}
