/* Which lock each critical section takes.
 *
 * Seen through: properties and functions that return it, contextlib managers, classes whose __enter__ acquires,
 * subclasses of queue.Queue with its mutex, functions and methods that only take a lock (_acquireLock), lock classes
 * of the project, keyed collections of locks, reader-writer locks (reading and writing count as one). A lock made in
 * the function that uses it guards nothing. */
#include "link/locks.h"

static bool acquires(const Facts *f, const Access *a)
{
    Str method = sym_str(f, a->method);
    return a->op == OP_METHOD && (str_is(method, "acquire") || str_is(method, "__enter__"));
}

/* The lock that an access which acquires takes, of a place that is a lock or sounds like one; NONE. */
static u32 lock_acquired(Program *p, u32 file, const Access *a)
{
    Ent e = path_entity(p, file, a->path);
    if (e.kind != ENT_PLACE) return NONE;
    bool known = type_is_lock(place_type(p, e.id).kind);
    if (!known && !sounds_like_lock(p->syms.strs[p->places.v[e.id].name])) return NONE;
    return lock_of_place(p, e.id, TYPE_LOCK, !known);
}

/* Is the section still open when the function hands over to its caller's code: where the manager yields, or when
 * __enter__ returns? */
static bool open_for_caller(const Facts *f, const Func *fn, const Section *s)
{
    if (!fn->is_generator) return s->kind != SECTION_WITH;
    for (u32 i = 0; i < f->suspends.n; i++) {
        const Suspend *y = &f->suspends.v[i];
        if (y->is_yield && y->func == s->func && y->offset >= s->span.start && y->offset < s->span.end) return true;
    }
    return false;
}

/* The lock that a function takes while it runs its caller's code: a contextlib manager or an __enter__. */
static u32 lock_of_manager(Program *p, u32 gfunc, u32 depth)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections && depth; i++) {
        u32 l = open_for_caller(f, fn, &f->sections.v[i]) ? section_lock_of(p, g.file, i, depth - 1) : NONE;
        if (l != NONE) return l;
    }
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) { /* __enter__: self._lock.acquire() */
        u32 lock = acquires(f, &f->accesses.v[i]) ? lock_acquired(p, g.file, &f->accesses.v[i]) : NONE;
        if (lock != NONE) return lock;
    }
    return NONE;
}

/* Does the function give the lock back itself, by release() or as a section of its own? */
static bool given_back(const Facts *f, const Func *fn, const Access *taken)
{
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        if (a->op == OP_METHOD && a->path == taken->path && a->span.start > taken->span.start &&
            (str_is(sym_str(f, a->method), "release") || str_is(sym_str(f, a->method), "__exit__")))
            return true;
    }
    return false;
}

/* The lock that a function has taken when it returns: def _acquireLock(): _lock.acquire(). */
static u32 lock_taken(Program *p, u32 gfunc, u32 depth)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    if (fn->is_async || fn->is_generator) return NONE;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        if (!acquires(f, a) || given_back(f, fn, a)) continue;
        u32 lock = lock_acquired(p, g.file, a);
        if (lock != NONE) return lock;
    }
    for (u32 i = fn->calls; depth && i < fn->calls + fn->ncalls; i++) {
        bool pair = false;
        for (u32 k = fn->sections; k < fn->sections + fn->nsections; k++) pair |= f->sections.v[k].call == i;
        u32 to[2], n = pair ? 0 : call_targets(p, g.file, i, to, COUNT_OF(to));
        u32 l = n == 1 && to[0] != gfunc ? lock_taken(p, to[0], depth - 1) : NONE;
        if (l != NONE) return l;
    }
    return NONE;
}

/* A function that returns a lock. */
static u32 lock_returned(Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    LinkState *s = p->state;
    for (u32 i = map_get(&s->local_defs, local_key(g.file, g.id, SYM_EMPTY)); i != NONE; i = s->defrefs.v[i].next) {
        const Def *d = &f->defs.v[s->defrefs.v[i].def];
        if (d->kind != VAL_PATH) continue;
        Ent e = path_entity(p, g.file, d->value);
        if (e.kind == ENT_PLACE &&
            (type_is_lock(place_type(p, e.id).kind) || sounds_like_lock(p->syms.strs[p->places.v[e.id].name])))
            return lock_of_place(p, e.id, TYPE_LOCK, false);
    }
    return NONE;
}

/* @property def mutex(self): return Lock(): does the function make another lock for each who asks? Not what keeps its
 * answers, as decorators do, and not what another class may have instead. */
static bool makes_lock_anew(const Program *p, u32 file, u32 path, u32 gfunc)
{
    const LinkState *s = p->state;
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    const Path *x = &p->facts[file]->paths.v[path];
    u32 at = map_get(&s->local_defs, local_key(g.file, g.id, SYM_EMPTY)), own[2];
    if (at == NONE || s->defrefs.v[at].next != NONE || fn->ndecorators > (fn->is_property ? 1u : 0u)) return false;
    if (fn->ndecorators && !str_is(path_text(p->arena, f, f->decorators.v[fn->decorators]), "property")) return false;
    if (x->root == ROOT_SELF &&
        self_methods(p, file, x->func, str_c(p->arena, sym_str(f, fn->name)), own, COUNT_OF(own)) > 1)
        return false;
    const Def *d = &f->defs.v[s->defrefs.v[at].def];
    const Call *c = d->kind == VAL_CALL ? &f->calls.v[d->value] : NULL;
    u8 kind = c && !c->nargs ? external_type(p, path_external(p, g.file, c->callee)).kind : TYPE_UNKNOWN;
    return kind == TYPE_LOCK || kind == TYPE_RLOCK;
}

static u32 lock_of_class(Program *p, u32 cls, u32 depth)
{
    static const char *const takers[] = {"__enter__", "acquire", "lock"};
    for (u32 i = 0; i < COUNT_OF(takers) && depth; i++) {
        u32 gs = intern_find(&p->syms, str_from(takers[i]));
        u32 take = gs == NONE ? NONE : class_method(p, cls, gs, false);
        u32 l = take == NONE ? NONE : i == 0 ? lock_of_manager(p, take, depth) : lock_taken(p, take, depth);
        if (l == NONE && take != NONE && i == 0) l = lock_taken(p, take, depth);
        if (l != NONE) return l;
    }
    return NONE;
}

/* Is the class nothing but a lock, so that each object is one, or does it guard data of its own with one? */
static bool is_lock_class(const Program *p, u32 cls)
{
    u32 file;
    const Class *k = program_class(p, cls, &file);
    return sounds_like_lock(sym_str(p->facts[file], k->name));
}

bool class_is_queue(const Program *p, u32 gclass)
{
    static const char *const bases[] = {"queue.Queue",          "queue.LifoQueue", "queue.PriorityQueue",
                                        "Queue.Queue",          "Queue.LifoQueue", "Queue.PriorityQueue",
                                        "six.moves.queue.Queue"};
    return class_derives_any(p, gclass, bases, COUNT_OF(bases));
}

static bool queue_lock(const Program *p, const Place *x)
{
    if (x->kind != PLACE_INSTANCE && x->kind != PLACE_CLASS_ATTR) return false;
    Str n = p->syms.strs[x->name];
    bool name = str_is(n, "mutex") || str_is(n, "not_empty") || str_is(n, "not_full") || str_is(n, "all_tasks_done");
    return name && class_is_queue(p, x->owner);
}

/* The first class of the program between this one and the library's queue, so that mutex and not_full are one lock in
 * a class and in what is derived from it. */
static u32 queue_base(const Program *p, u32 gclass)
{
    u32 first = gclass;
    for (u32 c = 0; c < p->state->nclasses; c++)
        if (c != first && class_is_a(p, first, c) && class_is_queue(p, c)) first = c;
    return first;
}

/* Semaphore(3): one of several threads at a time is no exclusion. */
static bool lets_several_in(const Program *p, u32 place)
{
    const LinkState *s = p->state;
    for (u32 at = map_get(&s->place_defs, place); at != NONE; at = s->defrefs.v[at].next) {
        const Facts *f = p->facts[s->defrefs.v[at].file];
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        const Call *c = d->kind == VAL_CALL ? &f->calls.v[d->value] : NULL;
        if (!c || !c->nargs) continue;
        if (f->args.v[c->args].kind != VAL_NUMBER) return true; /* as many as somebody says */
        Str n = sym_str(f, f->args.v[c->args].text);
        if (n.n && !str_is(n, "1") && !str_is(n, "0")) return true;
    }
    return false;
}

/* A multiprocessing.Value or Array is its own lock, and get_lock() gives it (Python library reference,
 * "multiprocessing.Value"): TYPE_MP_SAFE. */
u32 lock_of_ent(Program *p, u32 file, u32 path, Ent e, u32 func, u32 depth)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[path];
    Str name = last_name(f, x);
    if (e.kind == ENT_PLACE) {
        const Place *pl = &p->places.v[e.id];
        if (queue_lock(p, pl))
            return lock_intern(
                p, map_key(2, queue_base(p, pl->owner)),
                (Lock){.place = e.id, .kind = TYPE_LOCK, .display = S("the queue's mutex"), .func = NONE});
        Type t = place_type(p, e.id);
        if (t.kind == TYPE_ASYNC_LOCK) return NONE;
        if (t.kind == TYPE_SEMAPHORE && lets_several_in(p, e.id)) return NONE;
        if (type_is_lock(t.kind)) return lock_of_place(p, e.id, t.kind, false);
        if (t.kind == TYPE_MP_SAFE) return lock_of_place(p, e.id, TYPE_RLOCK, false);
        if (t.kind == TYPE_CLASS) {
            u32 inner = lock_of_class(p, t.id, depth);
            if (inner != NONE && !is_lock_class(p, t.id) && !sounds_like_lock(name)) return inner;
            if (inner != NONE || sounds_like_lock(name)) return lock_of_place(p, e.id, TYPE_RWLOCK, inner == NONE);
            return NONE;
        }
        return sounds_like_lock(name) ? lock_of_place(p, e.id, TYPE_UNKNOWN, true) : NONE;
    }
    if (e.kind == ENT_FUNC) { /* a property */
        u32 l = lock_returned(p, e.id);
        if (l == NONE && makes_lock_anew(p, file, path, e.id))
            return lock_by_text(p, file, path, gfunc_of(p, file, func), false);
        return l != NONE ? l : sounds_like_lock(name) ? lock_by_text(p, file, path, NONE, true) : NONE;
    }
    if (e.kind == ENT_INSTANCE) return lock_of_class(p, e.id, depth);
    if (e.kind == ENT_LOCAL) {
        GId g = func_gid(p, e.id);
        Type t = local_type(p, g.file, g.id, e.sym);
        if (t.kind == TYPE_ASYNC_LOCK || (!type_is_lock(t.kind) && !sounds_like_lock(name))) return NONE;
        u32 first = map_get(&p->state->local_defs, local_key(g.file, g.id, e.sym));
        bool made_here =
            first != NONE && f->defs.v[p->state->defrefs.v[first].def].kind == VAL_CALL && x->func == func &&
            external_type(p,
                          path_external(p, file, f->calls.v[f->defs.v[p->state->defrefs.v[first].def].value].callee))
                    .kind != TYPE_UNKNOWN;
        u32 place = place_of(p, PLACE_CLOSURE, file, e.id, gsym(p, file, e.sym));
        u32 l = lock_of_place(p, place, t.kind, !type_is_lock(t.kind));
        if (made_here) p->locks.v[l].func = gfunc_of(p, file, func);
        return l;
    }
    return sounds_like_lock(name) ? lock_by_text(p, file, path, NONE, true) : NONE;
}

/* with self._locks[key]: all of one collection count as one lock. */
static u32 lock_of_item(Program *p, u32 file, const Path *x)
{
    const Facts *f = p->facts[file];
    Path base = *x;
    while (path_is_item(&base)) base.nattr--;
    Ent e = path_resolve(p, file, &base, base.nattr);
    if (e.kind != ENT_PLACE) return NONE;
    Type t = element_type(p, file, e);
    bool known = type_is_lock(t.kind);
    if (!known && !sounds_like_lock(last_name(f, &base))) return NONE;
    u32 l = lock_of_place(p, e.id, TYPE_LOCK, !known);
    p->locks.v[l].keyed = true;
    return l;
}

/* The place that holds the object of a lock class on which the path is a method: self._rw of self._rw.write. */
static u32 lock_of_object(Program *p, u32 file, const Path *x)
{
    if (!x->nattr) return NONE;
    Path base = *x;
    base.nattr--;
    Ent b = path_resolve(p, file, &base, base.nattr);
    if (b.kind != ENT_PLACE) return NONE;
    Type t = place_type(p, b.id);
    bool is_lock = type_is_lock(t.kind) || (t.kind == TYPE_CLASS && is_lock_class(p, t.id));
    return is_lock ? lock_of_place(p, b.id, TYPE_RWLOCK, false) : NONE;
}

static bool is_locker(Str name)
{
    return str_is(name, "QMutexLocker") || str_is(name, "QReadLocker") || str_is(name, "QWriteLocker");
}

static u32 lock_of_call(Program *p, u32 file, const Section *s, u32 depth)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[s->path];
    Ent e = path_entity(p, file, s->path);
    Str name = last_name(f, x);
    if (e.kind == ENT_FUNC) {
        u32 l = lock_of_object(p, file, x);
        if (l == NONE) l = lock_of_manager(p, e.id, depth);
        if (l == NONE) l = lock_returned(p, e.id);
        if (l == NONE && makes_lock_anew(p, file, s->path, e.id))
            l = lock_by_text(p, file, s->path, gfunc_of(p, file, s->func), false);
        if (l != NONE) return l;
    }
    if (e.kind == ENT_CLASS) {
        u32 l = lock_of_class(p, e.id, depth);
        return l != NONE ? l : sounds_like_lock(name) ? lock_by_text(p, file, s->path, NONE, true) : NONE;
    }
    if (is_locker(name) && s->call != NONE && f->calls.v[s->call].nargs) { /* QMutexLocker(self.mutex) */
        const Arg *a = &f->args.v[f->calls.v[s->call].args];
        if (a->kind == VAL_PATH)
            return lock_of_ent(p, file, a->value, path_entity(p, file, a->value), s->func, depth);
    }
    if (e.kind == ENT_EXTERNAL) {
        Str ext = p->syms.strs[e.id];
        if (type_is_lock(external_type(p, ext).kind))
            return lock_by_text(p, file, s->path, gfunc_of(p, file, s->func), false);
        return sounds_like_lock(name) ? lock_by_text(p, file, s->path, NONE, true) : NONE;
    }
    /* self._rw.read(): the lock is what the method is called on */
    if (x->nattr) {
        Path base = *x;
        base.nattr--;
        Ent b = path_resolve(p, file, &base, base.nattr);
        Str owner = last_name(f, &base);
        if (b.kind == ENT_PLACE && place_type(p, b.id).kind == TYPE_MP_SAFE && str_is(name, "get_lock"))
            return lock_of_place(p, b.id, TYPE_RLOCK, false);
        if (b.kind == ENT_PLACE && (type_is_lock(place_type(p, b.id).kind) || sounds_like_lock(owner)))
            return lock_of_place(p, b.id, TYPE_RWLOCK, !type_is_lock(place_type(p, b.id).kind));
        if (sounds_like_lock(owner)) return lock_by_text(p, file, s->path, NONE, true);
    }
    return sounds_like_lock(name) ? lock_by_text(p, file, s->path, NONE, true) : NONE;
}

/* _acquireLock() … _releaseLock(), self.db.lock() … self.db.unlock(), rw.acquire_read() … rw.release_read(). */
static u32 lock_of_pair(Program *p, u32 file, const Section *s, u32 depth)
{
    const Facts *f = p->facts[file];
    u32 l = lock_of_object(p, file, &f->paths.v[s->path]);
    Ent e = path_entity(p, file, s->path);
    return l == NONE && e.kind == ENT_FUNC ? lock_taken(p, e.id, depth) : l;
}

u32 section_lock_of(Program *p, u32 file, u32 section, u32 depth)
{
    const Facts *f = p->facts[file];
    const Section *s = &f->sections.v[section];
    if (s->kind == SECTION_ASYNC_WITH) return NONE;
    const Path *x = &f->paths.v[s->path];
    if (s->kind == SECTION_CALLS) return lock_of_pair(p, file, s, depth);
    if (s->call != NONE) return lock_of_call(p, file, s, depth);
    if (s->entered && path_type(p, file, s->path).kind == TYPE_SEMAPHORE) return NONE; /* a signal, not an exit */
    if (path_is_item(x)) return lock_of_item(p, file, x);
    return lock_of_ent(p, file, s->path, path_entity(p, file, s->path), s->func, depth);
}
