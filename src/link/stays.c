/* Objects that stay with the thread that made them, by where all that are made of a class go: to a threading.local,
 *
 *   connection = local.connection = Connection()          local.by_name[name] = Connection(name)
 *   connection = connect()                                 def connect(): return Connection()
 *   local.connection = connection                          local.connection = connect()
 *
 * or under the thread's own key, kept[get_ident()] = Connection(), kept[self.ident] = Work() in a Thread;
 *
 * be it by a local, or by a function that is called for nothing else (Python library reference, "Thread-Local Data");
 * or to a with statement that is made one for it,
 *
 *   with Checkout(pool) as checkout: …                     with pool.checkout() as checkout: …
 *
 * and gives it to nobody who may keep it. Who has such an object is in the thread that made it. Calls of tests do not
 * count.
 *
 * A ContextVar is no such place: a new thread may get a copy of its parent's context, with the same object in it
 * (Python 3.14, sys.flags.thread_inherit_context). Not seen: what is later taken out and handed to a thread. */
#include "link/link.h"

bool through_thread_local(const Program *p, u32 file, u32 path)
{
    const Path *x = path == NONE ? NULL : &p->facts[file]->paths.v[path];
    for (u32 k = 0; x && k < x->nattr; k++) {
        Type t = ent_type(p, path_resolve(p, file, x, k));
        if (t.kind == TYPE_LOCAL || (t.kind == TYPE_CLASS && p->state->classes[t.id].thread_local_)) return true;
    }
    return false;
}

/* Does self stand for the thread that runs the function, a threading.Thread? */
static bool self_is_thread(const Program *p, u32 file, u32 func)
{
    u32 cls = p->facts[file]->funcs.v[func].self_class;
    return cls != NONE && class_is_thread(p, gclass_of(p, file, cls));
}

bool under_own_key(const Program *p, u32 file, const Def *d)
{
    const Facts *f = p->facts[file];
    const Path *x = d->path == NONE ? NULL : &f->paths.v[d->path];
    if (!x || !path_is_item(x)) return false;
    Str target = str_slice(f->source->text, d->span.start, d->span.end);
    if (str_has_name(target, S("self.ident")) && self_is_thread(p, file, d->func)) return true;
    const Func *fn = &f->funcs.v[d->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (span_within(c->span, d->span) && call_asks_thread(p, file, i)) return true;
    }
    return false;
}

static bool is_local(const Path *x)
{
    return x->root == ROOT_LOCAL && !x->nattr;
}

/* Where the result of a call goes. */
enum { TO_THREAD = 1, TO_WITH = 2, HANDS = 3 /* functions that hand it on, one to the other */ };

typedef struct Stays {
    Program *p;
    u8 *call;  /* by global call: TO_ bits */
    Map given; /* local_key → may others have its object? As far as it was asked for */
    Arena a;
} Stays;

/* Marks the locals that are stored where others may find them, unless each thread has that for itself. */
static void stored_find(Stays *x, u32 file)
{
    const Facts *f = x->p->facts[file];
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *q = d->kind == VAL_PATH && !d->is_return ? &f->paths.v[d->value] : NULL;
        if (q && is_local(q) && f->paths.v[d->path].nattr && !through_thread_local(x->p, file, d->path) &&
            !under_own_key(x->p, file, d))
            map_put(&x->a, &x->given, local_key(file, q->func, q->name), true);
    }
}

/* Is the local, or what it has, given to a function that may keep it? */
static bool handed_on(const Program *p, u32 file, const Path *local)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[local->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        for (u32 k = f->calls.v[i].args; k < f->calls.v[i].args + f->calls.v[i].nargs; k++) {
            const Arg *a = &f->args.v[k];
            const Path *q = a->kind == VAL_PATH ? &f->paths.v[a->value] : NULL;
            if (q && q->root == ROOT_LOCAL && q->name == local->name &&
                !call_keeps_argument(p, file, i, k, ESCAPE_DEPTH))
                return true;
        }
    return false;
}

/* Is the local, or what it has, given to nobody who may keep it, but to what each thread has of its own? */
static bool kept_by_thread_alone(Stays *x, u32 file, const Path *local)
{
    u32 *known = map_at(&x->a, &x->given, local_key(file, local->func, local->name));
    if (*known == NONE) *known = handed_on(x->p, file, local);
    return !*known;
}

/* Calls whose result the local is bound to. */
static void mark_local(Stays *x, u32 file, const Path *local, u8 where)
{
    const LinkState *s = x->p->state;
    if (!kept_by_thread_alone(x, file, local)) return;
    for (u32 at = map_get(&s->local_defs, local_key(file, local->func, local->name)); at != NONE;
         at = s->defrefs.v[at].next) {
        const Def *d = &x->p->facts[file]->defs.v[s->defrefs.v[at].def];
        if (d->kind == VAL_CALL) x->call[x->p->call_base[file] + d->value] |= where;
    }
}

static void mark_value(Stays *x, u32 file, u8 kind, u32 value, u8 where)
{
    if (kind == VAL_CALL) x->call[x->p->call_base[file] + value] |= where;
    if (kind == VAL_PATH && is_local(&x->p->facts[file]->paths.v[value]))
        mark_local(x, file, &x->p->facts[file]->paths.v[value], where);
}

static void mark_stores(Stays *x, u32 file)
{
    const Facts *f = x->p->facts[file];
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->is_return || (d->kind != VAL_CALL && d->kind != VAL_PATH)) continue;
        if (through_thread_local(x->p, file, d->path) || under_own_key(x->p, file, d))
            mark_value(x, file, d->kind, d->value, TO_THREAD);
    }
}

/* with make() as name: … */
static void mark_withs(Stays *x, u32 file)
{
    const Facts *f = x->p->facts[file];
    for (u32 i = 0; i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        if (!c->in_with) continue;
        const Path *name = c->target == NONE ? NULL : &f->paths.v[c->target];
        if (name && (!is_local(name) || name->func != c->func || !kept_by_thread_alone(x, file, name))) continue;
        x->call[x->p->call_base[file] + i] |= TO_WITH;
    }
}

static bool for_all_to_see(const Program *p, Ent e)
{
    const Place *x = e.kind == ENT_PLACE ? &p->places.v[e.id] : NULL;
    return x && (x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR) && !x->thread_local_;
}

/* stack.append(self), Current.object = self: objects that make themselves known do not stay. */
static void shown_find(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        const Path *q = &f->paths.v[c->callee];
        u32 cls = f->funcs.v[c->func].self_class;
        for (u32 k = c->args; k < c->args + c->nargs && cls != NONE && q->nattr; k++) {
            const Path *given = f->args.v[k].kind == VAL_PATH ? &f->paths.v[f->args.v[k].value] : NULL;
            if (given && given->root == ROOT_SELF && !given->nattr &&
                for_all_to_see(p, path_resolve(p, file, q, q->nattr - 1u)))
                p->state->classes[gclass_of(p, file, cls)].shown = true;
        }
    }
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *q = d->kind == VAL_PATH && d->path != NONE ? &f->paths.v[d->value] : NULL;
        u32 cls = f->funcs.v[d->func].self_class;
        if (q && cls != NONE && q->root == ROOT_SELF && !q->nattr && for_all_to_see(p, path_entity(p, file, d->path)))
            p->state->classes[gclass_of(p, file, cls)].shown = true;
    }
}

/* What functions return whose every call is marked. */
static void mark_returned(Stays *x)
{
    enum { ELSEWHERE = 128 };
    Program *p = x->p;
    u8 *use = xmalloc(p->state->nfuncs + 1);
    memset(use, 0, p->state->nfuncs + 1);
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (p->tests[e->file]) continue;
        bool plain = e->call != NONE && !e->weak && !e->passed;
        u8 where = plain ? x->call[p->call_base[e->file] + e->call] : 0;
        use[e->callee] |= where ? where : ELSEWHERE;
    }
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->defs.n; i++) {
            const Def *d = &p->facts[file]->defs.v[i];
            u8 where = d->is_return ? use[gfunc_of(p, file, d->func)] : 0;
            if (!(where & ELSEWHERE) && where) mark_value(x, file, d->kind, d->value, where);
        }
    free(use);
}

/* Tells classes that have objects that stay, and all their bases. */
static void mark_some(Stays *x)
{
    const LinkState *s = x->p->state;
    Vec(u32) todo = {0};
    for (u32 i = 0; i < s->nclasses; i++)
        if (s->classes[i].stays) vec_push(&x->a, &todo, i);
    while (todo.n) {
        ClassInfo *c = &s->classes[todo.v[--todo.n]];
        for (u32 i = 0; i < c->bases.n && !c->some_stay; i++) vec_push(&x->a, &todo, c->bases.v[i]);
        c->some_stay = true;
    }
}

void stays_find(Program *p)
{
    u32 n = p->call_base[p->nfiles];
    Stays x = {.p = p, .call = xmalloc(n + 1)};
    memset(x.call, 0, n + 1);
    for (u32 file = 0; file < p->nfiles; file++) {
        if (p->tests[file]) continue;
        shown_find(p, file);
        stored_find(&x, file);
        mark_stores(&x, file);
        mark_withs(&x, file);
    }
    for (u32 i = 0; i < HANDS; i++) mark_returned(&x);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->calls.n; i++) {
            u8 where = x.call[p->call_base[file] + i];
            Ent e = where ? path_entity(p, file, p->facts[file]->calls.v[i].callee) : (Ent){ENT_NONE, 0, 0, 0};
            if (e.kind != ENT_CLASS) continue;
            p->state->classes[e.id].stays++;
            p->state->classes[e.id].in_with |= (where & TO_WITH) != 0;
        }
    mark_some(&x);
    free(x.call);
    arena_free(&x.a);
}

/* A class that expects several threads, however its objects are made. */
static bool expects_threads(const ClassInfo *c)
{
    return c->shown || c->any_lock || c->makes_threads || c->handed || c->method_kept || c->singleton || c->decorator;
}

static bool all_stay(const Program *p, u32 cls, u32 depth)
{
    const ClassInfo *c = &p->state->classes[cls];
    if (c->kept_globally || c->stays < c->made_elsewhere || (c->subs.n && !depth)) return false;
    if (c->in_with && expects_threads(c)) return false;
    for (u32 i = 0; i < c->subs.n; i++)
        if (!all_stay(p, c->subs.v[i], depth - 1)) return false;
    return true;
}

bool objects_stay(const Program *p, u32 cls)
{
    enum { DEPTH = 6 };
    return p->state->classes[cls].some_stay && all_stay(p, cls, DEPTH);
}
