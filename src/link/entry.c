/* The locks that are held when a function is entered: those of decorators whose wrapper takes one, of names that say
 * so, and those that every caller holds. A public method whose callers in sight all hold a lock holds it as far as
 * one can hope (Lock.hoped). */
#include "link/locks.h"

enum { ROUNDS = 10, WRAPPERS = 2, TOP = LOCKSET_TOP };

/* The argument of a decorator's call for a parameter of its factory, L of @synchronized(L); NULL without one. */
static const Arg *decorator_arg(const Program *p, u32 file, u32 func, u32 callee, GId factory, u32 param)
{
    const Facts *f = p->facts[file], *df = p->facts[factory.file];
    const Func *fn = &df->funcs.v[factory.id];
    u32 at = 0;
    while (at < fn->nparams && df->params.v[fn->params + at].name != param) at++;
    for (u32 i = 0; i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        if (!c->is_decorator || c->decorates != func || c->callee != callee) continue;
        for (u32 k = 0; k < c->nargs; k++) {
            const Arg *a = &f->args.v[c->args + k];
            bool named = a->keyword != SYM_EMPTY;
            if (!a->star && (named ? str_eq(sym_str(f, a->keyword), sym_str(df, param)) : k == at)) return a;
        }
    }
    return NULL;
}

/* The path that a wrapper's local stands for: lock_obj = lock, where lock is a parameter of the factory. */
static const Path *factory_param(const Program *p, GId factory, u32 wrapper, const Path *x)
{
    const Facts *df = p->facts[factory.file];
    if (x->nattr) return NULL;
    if (x->root == ROOT_PARAM) return x->func == factory.id ? x : NULL;
    if (x->root != ROOT_LOCAL) return NULL;
    const LinkState *s = p->state;
    u32 i = map_get(&s->local_defs, local_key(factory.file, wrapper, x->name));
    for (; i != NONE; i = s->defrefs.v[i].next) {
        const Def *d = &df->defs.v[s->defrefs.v[i].def];
        const Path *q = d->kind == VAL_PATH ? &df->paths.v[d->value] : NULL;
        if (q && q->root == ROOT_PARAM && q->func == factory.id && !q->nattr) return q;
    }
    return NULL;
}

/* Does the wrapper call the function that it was given while it holds the section? A cache takes its lock to look up
 * and to fill, and computes without. */
static bool calls_inside(const Facts *f, u32 wrapper, const Section *s)
{
    const Func *w = &f->funcs.v[wrapper];
    for (u32 i = w->calls; i < w->calls + w->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *x = &f->paths.v[c->callee];
        if (x->root == ROOT_PARAM && !x->nattr && c->span.start >= s->span.start && c->span.end <= s->span.end)
            return true;
    }
    return false;
}

/* @locked, where locked is a class whose objects wrap methods: the lock of the method's own object that their
 * __call__ takes, or that of the objects which __call__ returns. */
static u32 class_lock(Program *p, u32 method_class, u32 cls, u32 depth)
{
    u32 call = class_own_method(p, cls, "__call__");
    if (call == NONE) return NONE;
    GId g = func_gid(p, call);
    const Facts *f = p->facts[g.file];
    const Func *w = &f->funcs.v[g.id];
    for (u32 k = w->sections; k < w->sections + w->nsections; k++) {
        const Path *x = &f->paths.v[f->sections.v[k].path];
        bool own = x->root == ROOT_SELF && x->nattr == 1; /* of the object that wraps */
        if (own || !x->nattr || !sounds_like_lock(last_name(f, x))) continue;
        Ent e = ent_attr(p, (Ent){ENT_INSTANCE, method_class, NONE, NONE}, gsym(p, g.file, x->attr[x->nattr - 1]));
        if (e.kind == ENT_PLACE) return lock_of_place(p, e.id, TYPE_LOCK, false);
    }
    for (u32 i = 0; i < f->defs.n && depth; i++) {
        const Def *d = &f->defs.v[i];
        if (!d->is_return || d->func != g.id || d->kind != VAL_CALL) continue;
        Ent e = path_entity(p, g.file, f->calls.v[d->value].callee);
        if (e.kind == ENT_CLASS) return class_lock(p, method_class, e.id, depth - 1);
    }
    return NONE;
}

/* The lock that a decorator's wrapper takes round the function: @synchronized, @with_lock(L). */
static u32 decorator_lock(Program *p, u32 file, u32 func, u32 path)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    Ent e = path_entity(p, file, path);
    Str name = last_name(f, &f->paths.v[path]);
    u32 self = gclass_of(p, file, fn->cls);
    if (e.kind == ENT_CLASS) return self == NONE ? NONE : class_lock(p, self, e.id, WRAPPERS);
    if (e.kind != ENT_FUNC) return sounds_like_lock(name) ? lock_by_text(p, file, path, NONE, true) : NONE;
    GId g = func_gid(p, e.id);
    const Facts *df = p->facts[g.file];
    for (u32 i = 1; i < df->funcs.n; i++) {
        const Func *w = &df->funcs.v[i];
        bool inside = w->parent == g.id || (w->parent && df->funcs.v[w->parent].parent == g.id);
        if (!inside || !w->nsections) continue;
        for (u32 k = w->sections; k < w->sections + w->nsections; k++) {
            const Section *s = &df->sections.v[k];
            if (!calls_inside(df, i, s)) continue;
            const Path *x = &df->paths.v[s->path];
            u32 lock = p->section_lock[p->section_base[g.file] + k];
            /* with self._lock in a wrapper(self, …): the lock of the decorated method's object */
            if (x->root == ROOT_PARAM && x->nattr == 1 && fn->cls != NONE &&
                sounds_like_lock(sym_str(df, x->attr[0]))) {
                Ent q = ent_attr(p, (Ent){ENT_INSTANCE, gclass_of(p, file, fn->cls), NONE, NONE},
                                 gsym(p, g.file, x->attr[0]));
                if (q.kind == ENT_PLACE) return lock_of_place(p, q.id, TYPE_LOCK, false);
            }
            const Path *param = factory_param(p, g, i, x);
            if (param && lock != NONE) { /* each use of the decorator has the lock that it was given */
                const Arg *a = decorator_arg(p, file, func, path, g, param->name);
                u32 given = a && a->kind == VAL_PATH
                                ? lock_of_ent(p, file, a->value, path_entity(p, file, a->value), 0, SECTION_DEPTH)
                                : NONE;
                return given != NONE ? given : lock_by_text(p, file, path, NONE, true);
            }
            if (lock != NONE) return lock;
        }
    }
    return sounds_like_lock(name) ? lock_by_text(p, file, path, NONE, true) : NONE;
}

/* By function: does a thread or an event loop run it, so that it is entered without any lock? */
static bool *run_as_root(const Program *p)
{
    bool *runs = xmalloc(p->state->nfuncs + 1);
    memset(runs, 0, p->state->nfuncs + 1);
    for (u32 r = ROOT_API + 1; r < p->roots.n; r++)
        if (p->roots.v[r].func != NONE) runs[p->roots.v[r].func] = true;
    for (u32 g = 0; g < p->state->nfuncs; g++) runs[g] |= p->funcs[g].later;
    return runs;
}

static bool entry_candidate(const Program *p, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, file, func)];
    Str name = sym_str(f, fn->name);
    bool private_ = (name.n && name.p[0] == '_' && !str_ends(name, S("__"))) || fn->parent || !fi->api;
    return private_ && func != 0;
}

/* A public function whose callers in sight all hold a lock: hooks such as emit(), helpers of theirs, the __init__ of
 * a class that makes its one object under the lock, and functions that are given the object whose lock is held. Who
 * else calls it we do not see, so this is only hoped for. */
static bool hook_candidate(const Program *p, u32 file, u32 func)
{
    const Func *fn = &p->facts[file]->funcs.v[func];
    Str name = sym_str(p->facts[file], fn->name);
    if (func && fn->cls == NONE) return !fn->parent && fn->nparams;
    return func && (!str_starts(name, S("__")) || str_is(name, "__init__"));
}

/* The edges that lead to each function, as lists. */
typedef struct Incoming {
    u32 *first; /* global func → edge, NONE */
    u32 *next;  /* edge → edge */
} Incoming;

static Incoming incoming_index(const Program *p, Arena *a)
{
    Incoming in = {arena_new(a, u32, p->state->nfuncs + 1), arena_new(a, u32, p->edges.n + 1)};
    for (u32 g = 0; g < p->state->nfuncs; g++) in.first[g] = NONE;
    for (u32 i = 0; i < p->edges.n; i++) {
        in.next[i] = in.first[p->edges.v[i].callee];
        in.first[p->edges.v[i].callee] = i;
    }
    return in;
}

/* Does the class of the method guard things of its objects by a lock that they have themselves? */
static bool locks_itself(const Program *p, GId g)
{
    const Facts *f = p->facts[g.file];
    u32 own = f->funcs.v[g.id].self_class;
    for (u32 i = 0; i < f->sections.n && own != NONE; i++) {
        u32 lock = p->section_lock[p->section_base[g.file] + i];
        const Path *x = &f->paths.v[f->sections.v[i].path];
        if (lock == NONE || p->locks.v[lock].maybe || x->root != ROOT_SELF || x->nattr != 1) continue;
        if (f->funcs.v[f->sections.v[i].func].self_class == own && p->locks.v[lock].place != NONE) return true;
    }
    return false;
}

/* self.part.put(…), self.parts[i].put(…), for part in self.parts: part.put(…): the path of the attribute in the own
 * object that the part is in; NULL. */
static const Path *part_of_self(const Program *p, u32 file, const Path *x)
{
    const Facts *f = p->facts[file];
    bool item = x->nattr == 3 && x->attr[1] == SYM_ITEM;
    if (x->root == ROOT_SELF) return x->nattr == 2 || item ? x : NULL;
    const Def *d = x->root == ROOT_LOCAL && x->nattr == 1 ? local_def(p, file, x->func, x->name) : NULL;
    if (!d || d->kind != VAL_ITER_OF) return NULL;
    const Path *q = &f->paths.v[d->value];
    return q->root == ROOT_SELF && q->nattr == 1 ? q : NULL;
}

/* with self._lock: self._buffer.put(…): do all who call the method in sight have its object as a part of theirs, in
 * the class that owns the lock? */
static bool called_on_part(const Program *p, const Incoming *in, u32 gfunc, u32 owner)
{
    bool own_lock = locks_itself(p, func_gid(p, gfunc));
    for (u32 i = in->first[gfunc]; i != NONE; i = in->next[i]) {
        const CallEdge *e = &p->edges.v[i];
        if (e->weak || e->caller == gfunc || p->tests[e->file]) continue;
        GId c = func_gid(p, e->caller), g = func_gid(p, gfunc);
        u32 cls = p->facts[c.file]->funcs.v[c.id].self_class;
        if (c.file == g.file && cls != NONE && cls == p->facts[g.file]->funcs.v[g.id].self_class) continue;
        const Facts *f = p->facts[e->file];
        const Path *x = e->call == NONE ? NULL : part_of_self(p, e->file, &f->paths.v[f->calls.v[e->call].callee]);
        if (!x || cls == NONE || gclass_of(p, c.file, cls) != owner) return false;
        /* several owners may have what they were given, each with a lock of its own; it has one for that */
        if (own_lock && attr_given(p, owner, gsym(p, e->file, x->attr[0]))) return false;
    }
    return true;
}

/* with self.table.lock: fill(rows, self.table): the number of the argument that is the object whose lock the call
 * stands under; NONE. */
static u32 argument_locked(const Program *p, u32 file, const Call *c, u32 lock)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[c->func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        if (!section_holds(s, c->span.start) || p->section_lock[p->section_base[file] + i] != lock) continue;
        const Path *held = &f->paths.v[s->path];
        for (u32 k = 0; k < c->nargs; k++) {
            const Arg *arg = &f->args.v[c->args + k];
            if (arg->kind != VAL_PATH || arg->star || arg->keyword != SYM_EMPTY) continue;
            const Path *given = &f->paths.v[arg->value];
            if (given->root == held->root && given->func == held->func && given->name == held->name &&
                given->nattr + 1 == held->nattr &&
                !memcmp(given->attr, held->attr, given->nattr * sizeof *given->attr))
                return k;
        }
    }
    return NONE;
}

/* Do all who call the function in sight give it the object whose lock they hold, as one and the same argument? */
static bool called_with_locked(const Program *p, const Incoming *in, u32 gfunc, u32 lock)
{
    u32 which = NONE;
    for (u32 i = in->first[gfunc]; i != NONE; i = in->next[i]) {
        const CallEdge *e = &p->edges.v[i];
        if (e->weak || e->caller == gfunc || p->tests[e->file]) continue;
        u32 at = e->call == NONE ? NONE : argument_locked(p, e->file, &p->facts[e->file]->calls.v[e->call], lock);
        if (at == NONE || (which != NONE && which != at)) return false;
        which = at;
    }
    return which != NONE;
}

/* Does the lock belong to the method's own object, to one that has it as a part, or to its module? Others are held by
 * chance. */
static bool lock_concerns(const Program *p, const Incoming *in, u32 gfunc, u32 lock)
{
    const Lock *l = &p->locks.v[lock];
    if (l->place == NONE || l->func != NONE) return false;
    const Place *x = &p->places.v[l->place];
    GId g = func_gid(p, gfunc);
    u32 own = p->facts[g.file]->funcs.v[g.id].cls;
    if (x->kind == PLACE_GLOBAL) return x->file == g.file && own != NONE;
    if (x->kind != PLACE_INSTANCE && x->kind != PLACE_CLASS_ATTR) return false;
    if (own == NONE) return called_with_locked(p, in, gfunc, lock);
    u32 cls = gclass_of(p, g.file, own);
    if (x->owner == NONE) return false;
    return class_is_a(p, cls, x->owner) || class_is_a(p, x->owner, cls) || called_on_part(p, in, gfunc, x->owner);
}

/* A call of a candidate, and what its own function holds there: UNKNOWN until it is asked for. */
typedef struct Site {
    u32 edge, held;
} Site;
typedef Vec(Site) SiteVec;
enum { UNKNOWN = NONE };

/* The calls that count: with `strict` all but those of construction and imports, else only what is known to call and
 * stands in no test. */
static void call_sites(const Program *p, Arena *a, const bool *candidate, bool strict, SiteVec *out)
{
    bool *test = arena_new(a, bool, p->nfiles + 1);
    for (u32 i = 0; i < p->nfiles && !strict; i++) test[i] = p->tests[i];
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        const FuncInfo *caller = &p->funcs[e->caller];
        if (!candidate[e->callee] || caller->construct || caller->import_time || e->caller == e->callee || e->passed)
            continue;
        if (!strict && (e->weak || test[e->file])) continue;
        vec_push(a, out, (Site){i, UNKNOWN});
    }
}

static u32 site_held(Program *p, Site *s)
{
    const CallEdge *e = &p->edges.v[s->edge];
    if (s->held != UNKNOWN) return s->held;
    s->held = 0;
    if (e->call != NONE) {
        const Call *c = &p->facts[e->file]->calls.v[e->call];
        s->held = held_at(p, e->file, c->func, c->span.start);
    }
    return s->held;
}

/* The locks that every call site of a candidate holds, with those of its own decorators, to a fixed point. */
static u32 *callers_locks(Program *p, const bool *candidate, bool strict)
{
    Arena scratch = {0};
    SiteVec sites = {0};
    u32 nf = p->state->nfuncs;
    u32 *entry = xmalloc(nf * sizeof *entry), *next = xmalloc(nf * sizeof *next);
    call_sites(p, &scratch, candidate, strict, &sites);
    for (u32 g = 0; g < nf; g++) entry[g] = candidate[g] ? TOP : p->funcs[g].entry_locks;
    for (u32 round = 0; round < ROUNDS; round++) {
        for (u32 g = 0; g < nf; g++) next[g] = candidate[g] ? TOP : p->funcs[g].entry_locks;
        for (u32 i = 0; i < sites.n; i++) {
            const CallEdge *e = &p->edges.v[sites.v[i].edge];
            u32 held = site_held(p, &sites.v[i]);
            if (entry[e->caller] == TOP) continue;
            held = lockset_union(p, held, entry[e->caller]);
            next[e->callee] = lockset_both(p, next[e->callee], held);
        }
        for (u32 g = 0; g < nf; g++)
            if (candidate[g] && next[g] != TOP) next[g] = lockset_union(p, next[g], p->funcs[g].entry_locks);
        bool same = memcmp(entry, next, nf * sizeof *entry) == 0;
        memcpy(entry, next, nf * sizeof *entry);
        if (same) break;
    }
    free(next);
    arena_free(&scratch);
    return entry;
}

/* Takes out what nobody in sight calls: it holds what its unknown callers hold, which is nothing as far as we see. */
static void leave_called(const Program *p, bool *candidate)
{
    bool *called = xmalloc(p->state->nfuncs);
    memset(called, 0, p->state->nfuncs);
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (!e->weak && e->caller != e->callee && !p->tests[e->file]) called[e->callee] = true;
    }
    for (u32 g = 0; g < p->state->nfuncs; g++) candidate[g] &= called[g];
    free(called);
}

/* "Caller holds the lock": private functions for sure, public ones as hoped. Needs decorator_locks: who is called by
 * decorated methods only holds what their decorator takes. */
void entry_locks(Program *p)
{
    u32 nf = p->state->nfuncs;
    bool *candidate = xmalloc(nf), *root = run_as_root(p);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->funcs.n; i++)
            candidate[gfunc_of(p, file, i)] = !root[gfunc_of(p, file, i)] && entry_candidate(p, file, i);
    u32 *entry = callers_locks(p, candidate, true);
    for (u32 g = 0; g < nf; g++)
        if (entry[g] != TOP) p->funcs[g].entry_locks = entry[g];
    free(entry);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->funcs.n; i++) {
            u32 g = gfunc_of(p, file, i);
            candidate[g] = p->locks.n && !p->funcs[g].entry_locks && !root[g] && hook_candidate(p, file, i);
        }
    leave_called(p, candidate);
    entry = callers_locks(p, candidate, false);
    Arena scratch = {0};
    Incoming in = incoming_index(p, &scratch);
    for (u32 g = 0; g < nf; g++) {
        if (!candidate[g] || entry[g] == TOP) continue;
        LockSet held = p->locksets.v[entry[g]];
        for (u32 i = 0; i < held.n; i++)
            if (lock_concerns(p, &in, g, held.ids[i]))
                p->funcs[g].entry_locks = lockset_add(p, p->funcs[g].entry_locks, lock_hoped(p, held.ids[i]));
    }
    arena_free(&scratch);
    free(entry);
    free(root);
    free(candidate);
}

/* class H(logging.Handler): logging calls emit() and format() with the lock of the handler held (Python library
 * reference, "Handler Objects"); others may call them, too. */
static bool logging_hook(const Program *p, u32 file, const Func *fn)
{
    static const char *const bases[] = {"logging.Handler", "logging.StreamHandler", "logging.FileHandler"};
    Str name = sym_str(p->facts[file], fn->name);
    if (fn->cls == NONE || (!str_is(name, "emit") && !str_is(name, "format"))) return false;
    return class_derives_any(p, gclass_of(p, file, fn->cls), bases, COUNT_OF(bases));
}

/* class Unique(queue.Queue): put() and get() call these with the queue's mutex held (CPython, Lib/queue.py). */
static bool queue_hook(const Program *p, u32 file, const Func *fn)
{
    static const char *const hooks[] = {"_put", "_get", "_qsize"};
    return fn->cls != NONE && str_among(sym_str(p->facts[file], fn->name), hooks, COUNT_OF(hooks)) &&
           class_is_queue(p, gclass_of(p, file, fn->cls));
}

/* The mutex of such a class, as the program names it in it, in a base or in a class derived from it; NONE. */
static u32 queue_mutex(const Program *p, u32 gclass)
{
    for (u32 c = 0; c < p->state->nclasses; c++) {
        u32 lock = map_get(&p->state->lock_of, map_key(2, c));
        if (lock != NONE && (class_is_a(p, gclass, c) || class_is_a(p, c, gclass))) return lock;
    }
    return NONE;
}

/* A lock that we see nothing of but that it is held. */
static u32 lock_unseen(Program *p, u32 kind, Str display)
{
    return lock_intern(
        p, map_key(3, kind),
        (Lock){
            .place = NONE, .kind = TYPE_UNKNOWN, .reentrant = true, .maybe = true, .display = display, .func = NONE});
}

void decorator_locks(Program *p)
{
    enum { CALLERS = 3, HANDLERS, QUEUES };
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 1; i < f->funcs.n; i++) {
            const Func *fn = &f->funcs.v[i];
            FuncInfo *fi = &p->funcs[gfunc_of(p, file, i)];
            for (u32 k = fn->decorators; k < fn->decorators + fn->ndecorators; k++) {
                u32 lock = decorator_lock(p, file, i, f->decorators.v[k]);
                if (lock != NONE) fi->entry_locks = lockset_add(p, fi->entry_locks, lock);
            }
            /* a name that says so: the caller holds some lock */
            Str name = sym_str(f, fn->name);
            if (str_ends(name, S("_locked")) || str_ends(name, S("_nolock")) || str_ends(name, S("_unlocked")) ||
                str_ends(name, S("_no_lock")) || str_ends(name, S("_unsafe"))) {
                u32 lock = lock_unseen(p, CALLERS, S("a lock that the caller holds"));
                fi->entry_locks = lockset_add(p, fi->entry_locks, lock);
            }
            if (queue_hook(p, file, fn)) {
                u32 lock = queue_mutex(p, gclass_of(p, file, fn->cls));
                if (lock == NONE) lock = lock_unseen(p, QUEUES, S("the queue's mutex"));
                fi->entry_locks = lockset_add(p, fi->entry_locks, lock);
            }
            if (logging_hook(p, file, fn))
                fi->entry_locks = lockset_add(p, fi->entry_locks, lock_unseen(p, HANDLERS, S("the handler's lock")));
        }
    }
}
