/* Objects that any thread can find. An object is looked up where it was put into a container that all threads have,
 * of a module, of a class or of a shared object, and a function hands out what the container holds:
 *
 *   METERS[name] = Meter(name)                    def meter(name): return METERS[name]
 *   METERS[self.name] = self                      in __init__: no object without
 *   service.register(meter)                       def register(self, m: Meter): self._meters[m.name] = m
 *
 * A container that nobody looks into by such a function is mostly one account of objects which each have their user.
 * And what a shared object is given, or makes and keeps as an attribute, is found by way of that:
 *
 *   POOL = Pool(Policy())                         def __init__(self, policy): self._policy = policy
 *
 * Most objects of the class must go that way. Needs the evidence of the classes (guards.c) and the edges. Not seen:
 * what is put into a container that was handed on before. */
#include "link/link.h"

enum { ROUNDS = 4, HALF = 2 };

/* How an object comes to where it is found; bits. */
enum { BY_KEY = 1, BY_OWNER = 2 };

typedef struct Finds {
    Program *p;
    Arena a;
    u8 *made;  /* by global call: where is put what it makes? */
    u8 *given; /* by global param: where is put what it is given? */
    u8 *takes; /* by global func: is a parameter of it among these? */
    u8 *typed; /* by global class: likewise its objects, by the type of what is put there */
    u8 *self;  /* by global class: where its objects put themselves while they are made */
    Map open;  /* place of a container → true: a function hands out what it holds */
    bool any;  /* this round has found more */
} Finds;

static void mark(Finds *x, u8 *what, u8 how)
{
    x->any |= (how & ~*what) != 0;
    *what |= how;
}

/* The calls among the definitions that begin with `first`; are there any? */
static bool put_made(Finds *x, u32 first, u8 how)
{
    const LinkState *s = x->p->state;
    bool any = false;
    for (u32 at = first; at != NONE; at = s->defrefs.v[at].next) {
        const DefRef *r = &s->defrefs.v[at];
        const Def *d = &x->p->facts[r->file]->defs.v[r->def];
        if (d->kind != VAL_CALL) continue;
        any = true;
        mark(x, &x->made[x->p->call_base[r->file] + d->value], how);
    }
    return any;
}

static void put_param(Finds *x, u32 file, const Path *q, u8 how)
{
    const Func *fn = &x->p->facts[file]->funcs.v[q->func];
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++)
        if (x->p->facts[file]->params.v[i].name == q->name) {
            mark(x, &x->given[x->p->state->param_base[file] + i], how);
            x->takes[gfunc_of(x->p, file, q->func)] = true;
        }
}

/* The value that `func` puts there: what it has made, what it was given, an attribute, or its own object. */
static void put(Finds *x, u32 file, u32 func, u8 kind, u32 value, u8 how)
{
    const Program *p = x->p;
    const Facts *f = p->facts[file];
    if (kind == VAL_CALL) mark(x, &x->made[p->call_base[file] + value], how);
    if (kind != VAL_PATH) return;
    const Path *q = &f->paths.v[value];
    bool bare = !q->nattr;
    if (bare && q->root == ROOT_SELF) {
        u32 cls = f->funcs.v[func].self_class;
        bool making = cls != NONE && p->funcs[gfunc_of(p, file, func)].construct;
        if (making) mark(x, &x->self[gclass_of(p, file, cls)], how);
        return;
    }
    if (bare && q->root == ROOT_PARAM) put_param(x, file, q, how);
    if (bare && q->root == ROOT_LOCAL &&
        put_made(x, map_get(&p->state->local_defs, local_key(file, q->func, q->name)), how))
        return; /* which calls make it is known, and counted */
    Ent e = path_entity(p, file, value);
    if (e.kind == ENT_PLACE) put_made(x, map_get(&p->state->place_defs, e.id), how);
    Type t = ent_type(p, e);
    if (t.kind == TYPE_CLASS) mark(x, &x->typed[t.id], how);
}

/* Does the value come out of a container by its key? Then notes that. */
static bool hands_out(Finds *x, u32 file, const Def *d)
{
    static const char *const getters[] = {"get", "setdefault"};
    const Facts *f = x->p->facts[file];
    if (d->kind != VAL_PATH && d->kind != VAL_CALL) return false;
    const Path *q = &f->paths.v[d->kind == VAL_PATH ? d->value : f->calls.v[d->value].callee];
    if (!q->nattr || q->truncated) return false;
    u32 last = q->attr[q->nattr - 1];
    bool item = last == SYM_ITEM;
    if (item != (d->kind == VAL_PATH) || (!item && !str_among(sym_str(f, last), getters, COUNT_OF(getters))))
        return false;
    Ent e = path_resolve(x->p, file, q, q->nattr - 1u);
    if (e.kind == ENT_PLACE) map_put(&x->a, &x->open, e.id, true);
    return true;
}

/* return METERS[name]; meter = METERS.get(name); …; return meter */
static void lookups(Finds *x, u32 file)
{
    const LinkState *s = x->p->state;
    const Facts *f = x->p->facts[file];
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (!d->is_return || hands_out(x, file, d) || d->kind != VAL_PATH) continue;
        const Path *q = &f->paths.v[d->value];
        if (q->root != ROOT_LOCAL || q->nattr) continue;
        for (u32 at = map_get(&s->local_defs, local_key(file, q->func, q->name)); at != NONE;
             at = s->defrefs.v[at].next)
            hands_out(x, file, &f->defs.v[s->defrefs.v[at].def]);
    }
}

static bool shared(const ClassInfo *c)
{
    return c->has_lock || c->singleton || c->part || c->handed_to_many || c->found;
}

/* What is put into the place, or into the container there: is it found by other threads, and how? */
static u8 place_shows(const Finds *x, Ent e, bool item)
{
    const Program *p = x->p;
    const Place *at = e.kind == ENT_PLACE ? &p->places.v[e.id] : NULL;
    if (!at || at->thread_local_ || at->file == NONE || (item && map_get(&x->open, e.id) == NONE)) return 0;
    bool owned = at->kind == PLACE_INSTANCE && at->owner != NONE && shared(&p->state->classes[at->owner]);
    if (!item) return owned ? BY_OWNER : 0;
    if (at->kind == PLACE_GLOBAL) return kept_by_process(p, at) || is_script(p, at->file) ? 0 : BY_KEY;
    return owned || at->kind == PLACE_CLASS_ATTR ? BY_KEY : 0;
}

/* METERS[key] = value, METERS.append(value), METERS = [value]; self.part = value */
static void stores(Finds *x, u32 file)
{
    const Facts *f = x->p->facts[file];
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->is_return || d->augmented || (d->kind != VAL_PATH && d->kind != VAL_CALL)) continue;
        const Path *q = &f->paths.v[d->path];
        if (!q->nattr || q->truncated) continue;
        bool item = q->attr[q->nattr - 1] == SYM_ITEM;
        u8 how = place_shows(x, path_resolve(x->p, file, q, q->nattr - (item ? 1u : 0u)), item);
        if (how) put(x, file, d->func, d->kind, d->value, how);
    }
}

/* METERS.setdefault(key, value), METERS.insert(0, value) */
static void inserts(Finds *x, u32 file)
{
    static const char *const names[] = {"setdefault", "insert"};
    const Facts *f = x->p->facts[file];
    for (u32 i = 0; i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        const Path *q = &f->paths.v[c->callee];
        if (c->nargs != 2 || !path_is_attr(q) || q->truncated) continue;
        if (!str_among(path_last(f, q), names, COUNT_OF(names))) continue;
        const Arg *a = &f->args.v[c->args + 1];
        u8 how = place_shows(x, path_resolve(x->p, file, q, q->nattr - 1u), true);
        if (how) put(x, file, c->func, a->kind, a->value, how);
    }
}

/* What is passed to a parameter that is put there. */
static void passed(Finds *x, const CallEdge *e)
{
    const Program *p = x->p;
    GId g = func_gid(p, e->callee);
    const Func *fn = program_func(p, e->callee);
    const u8 *given = &x->given[p->state->param_base[g.file] + fn->params];
    const Call *c = &p->facts[e->file]->calls.v[e->call];
    for (u32 k = 0; k < c->nargs; k++) {
        const Arg *a = &p->facts[e->file]->args.v[c->args + k];
        u32 at = param_of_arg(p, g, e->file, c, k);
        if (at != NONE && at < fn->nparams && given[at]) put(x, e->file, c->func, a->kind, a->value, given[at]);
    }
}

/* By global class: the calls that make an object of it which is put there. */
static void count_made(const Finds *x, u32 *made)
{
    const Program *p = x->p;
    memset(made, 0, (p->state->nclasses + 1) * sizeof *made);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->calls.n; i++) {
            if (!x->made[p->call_base[file] + i]) continue;
            Type t = call_type(p, file, i);
            if (t.kind == TYPE_CLASS) made[t.id]++;
        }
}

/* The classes most of whose objects are found; where objects of a class are put of which nobody makes one, those of
 * the classes derived from it. */
static void settle(Finds *x, u32 *made)
{
    LinkState *s = x->p->state;
    count_made(x, made);
    for (u32 i = 0; i < s->nclasses; i++) {
        ClassInfo *c = &s->classes[i];
        for (u32 k = 0; k < c->subs.n && !c->made_elsewhere && x->typed[i] & BY_KEY; k++)
            mark(x, &x->typed[c->subs.v[k]], BY_KEY);
        bool most = made[i] * HALF > c->made_elsewhere;
        bool found = most || (x->self[i] | x->typed[i]) & BY_KEY;
        x->any |= found && !c->found;
        c->found |= found;
    }
}

static u8 *flags(Arena *a, u32 n)
{
    return arena_new(a, u8, n + 1);
}

void found_find(Program *p)
{
    LinkState *s = p->state;
    Finds x = {.p = p, .any = true};
    x.made = flags(&x.a, p->call_base[p->nfiles]);
    x.given = flags(&x.a, s->param_base[p->nfiles]);
    x.takes = flags(&x.a, s->nfuncs);
    x.typed = flags(&x.a, s->nclasses);
    x.self = flags(&x.a, s->nclasses);
    u32 *made = arena_new(&x.a, u32, s->nclasses + 1);
    for (u32 file = 0; file < p->nfiles; file++) lookups(&x, file);
    for (u32 round = 0; round < ROUNDS && x.any; round++) {
        x.any = false;
        for (u32 file = 0; file < p->nfiles; file++) {
            if (p->tests[file]) continue;
            stores(&x, file);
            inserts(&x, file);
        }
        for (u32 i = 0; i < p->edges.n; i++) {
            const CallEdge *e = &p->edges.v[i];
            bool direct = x.takes[e->callee] && e->call != NONE && !e->weak && !e->passed;
            if (direct && !p->tests[e->file]) passed(&x, e);
        }
        settle(&x, made);
    }
    arena_free(&x.a);
}
