/* Locks: which object each critical section takes, which locks are held at each access.
 *
 * A lock is the place that holds it. Seen through: imports, aliases, properties and functions that return it,
 * parameters that always get the same one, Condition(lock), contextlib managers, classes whose __enter__ acquires,
 * subclasses of queue.Queue with its mutex, functions
 * and methods that only take a lock (_acquireLock), lock classes of the project, keyed collections of locks,
 * reader-writer locks (reading and writing count as one), decorators whose wrapper takes a lock. Something that only
 * sounds like a lock is a lock with `maybe` set: enough to keep quiet, not enough to accuse. A lock made in the
 * function that uses it guards nothing. A public method whose callers in sight all hold a lock holds it as far as one
 * can hope (Lock.hoped). */
#include "link/link.h"

enum { ROUNDS = 10, TOP = LOCKSET_TOP };

/* ---- which lock ---- */

static u32 lock_intern(Program *p, u64 key, Lock lock)
{
    u32 *at = map_at(p->state->a, &p->state->lock_of, key);
    if (*at == NONE) {
        *at = p->locks.n;
        vec_push(p->arena, &p->locks, lock);
    }
    return map_get(&p->state->lock_of, key);
}

/* self._lock = lock (always the same one passed in), Condition(self._lock): the place whose object it really is. */
static u32 canonical(Program *p, u32 place, u32 depth)
{
    LinkState *s = p->state;
    u32 first = map_get(&s->place_defs, place);
    if (first == NONE || depth == 0 || s->defrefs.v[first].next != NONE) return place;
    u32 file = s->defrefs.v[first].file;
    const Facts *f = p->facts[file];
    const Def *d = &f->defs.v[s->defrefs.v[first].def];
    u32 from = NONE;
    if (d->kind == VAL_PATH) from = d->value;
    if (d->kind == VAL_CALL) {
        const Call *c = &f->calls.v[d->value];
        if (call_type(p, file, d->value).kind == TYPE_CONDITION && c->nargs == 1 &&
            f->args.v[c->args].kind == VAL_PATH)
            from = f->args.v[c->args].value;
    }
    if (from == NONE) return place;
    Ent e = path_entity(p, file, from);
    if (e.kind == ENT_PLACE && e.id != place) return canonical(p, e.id, depth - 1);
    if (e.kind == ENT_LOCAL) { /* a parameter that every caller gives the same lock */
        const Path *x = &f->paths.v[from];
        const Func *fn = &f->funcs.v[x->func];
        for (u32 i = 0; i < fn->nparams && x->root == ROOT_PARAM; i++) {
            if (f->params.v[fn->params + i].name != x->name) continue;
            const ParamInfo *pi = &s->params[s->param_base[file] + fn->params + i];
            u32 one = NONE;
            for (u32 k = 0; k < pi->n; k++) {
                Ent q = pi->from[k].kind == VAL_PATH ? path_entity(p, pi->from[k].file, pi->from[k].value)
                                                     : (Ent){ENT_NONE, NONE, NONE, NONE};
                if (q.kind != ENT_PLACE || pi->more || (one != NONE && one != q.id)) return place;
                one = q.id;
            }
            if (one != NONE && one != place) return canonical(p, one, depth - 1);
        }
    }
    return place;
}

static u32 lock_of_place(Program *p, u32 place, u8 kind, bool maybe)
{
    place = canonical(p, place, 4);
    const Place *x = &p->places.v[place];
    u8 k = type_is_lock(x->type.kind) ? x->type.kind : kind;
    Str display = x->display;
    if (!display.n)
        display = str_fmt(p->arena, "%.*s.%.*s", STR_ARG(p->facts[x->file]->source->module),
                          STR_ARG(p->syms.strs[x->name]));
    return lock_intern(p, map_key(1, place),
                       (Lock){.place = place,
                              .kind = k,
                              .reentrant = k == TYPE_RLOCK || k == TYPE_CONDITION || k == TYPE_UNKNOWN,
                              .maybe = maybe,
                              .display = display,
                              .func = NONE});
}

u32 lock_at(Program *p, u32 place)
{
    return lock_of_place(p, place, TYPE_LOCK, false);
}

/* The lock as far as the callers in sight hold it. */
static u32 lock_hoped(Program *p, u32 lock)
{
    Lock l = p->locks.v[lock];
    if (l.hoped) return lock;
    l.hoped = l.maybe = true;
    l.real = lock;
    l.display = str_fmt(p->arena, "%.*s (held by every caller in sight)", STR_ARG(l.display));
    return lock_intern(p, map_key(4, lock), l);
}

static u32 lock_by_text(Program *p, u32 file, u32 path, u32 func, bool maybe)
{
    Str text = path_text(p->arena, p->facts[file], path);
    u64 key = hash_mix(hash_mix(str_hash(text), file), 99) & ~(1ull << 63);
    return lock_intern(
        p, key,
        (Lock){
            .place = NONE, .kind = TYPE_UNKNOWN, .reentrant = true, .maybe = maybe, .display = text, .func = func});
}

static Str last_name(const Facts *f, const Path *x)
{
    for (u32 i = x->nattr; i-- > 0;)
        if (x->attr[i] != SYM_ITEM) return sym_str(f, x->attr[i]);
    return x->root == ROOT_CALL ? S("") : sym_str(f, x->name);
}

static u32 section_lock_of(Program *p, u32 file, u32 section, u32 depth);

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

/* The lock that a function takes while it runs its caller's code: a contextlib manager or an __enter__. */
static u32 lock_of_manager(Program *p, u32 gfunc, u32 depth)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections && depth; i++) {
        u32 l = section_lock_of(p, g.file, i, depth - 1);
        if (l != NONE) return l;
    }
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) { /* __enter__: self._lock.acquire() */
        u32 lock = acquires(f, &f->accesses.v[i]) ? lock_acquired(p, g.file, &f->accesses.v[i]) : NONE;
        if (lock != NONE) return lock;
    }
    return NONE;
}

/* Does the function give the lock back itself, by release() or as a section of its own? */
static bool given_back(const Program *p, const Facts *f, const Func *fn, const Access *taken)
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
        if (!acquires(f, a) || given_back(p, f, fn, a)) continue;
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

static bool queue_lock(const Program *p, const Place *x)
{
    if (x->kind != PLACE_INSTANCE && x->kind != PLACE_CLASS_ATTR) return false;
    Str n = p->syms.strs[x->name];
    bool name = str_is(n, "mutex") || str_is(n, "not_empty") || str_is(n, "not_full") || str_is(n, "all_tasks_done");
    return name && (class_derives(p, x->owner, "queue.Queue") || class_derives(p, x->owner, "Queue.Queue") ||
                    class_derives(p, x->owner, "six.moves.queue.Queue"));
}

static u32 lock_of_ent(Program *p, u32 file, u32 path, Ent e, u32 func, u32 depth)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[path];
    Str name = last_name(f, x);
    if (e.kind == ENT_PLACE) {
        const Place *pl = &p->places.v[e.id];
        if (queue_lock(p, pl))
            return lock_intern(
                p, map_key(2, pl->owner),
                (Lock){.place = e.id, .kind = TYPE_LOCK, .display = S("the queue's mutex"), .func = NONE});
        Type t = place_type(p, e.id);
        if (t.kind == TYPE_ASYNC_LOCK) return NONE;
        if (type_is_lock(t.kind)) return lock_of_place(p, e.id, t.kind, false);
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
    while (base.nattr && base.attr[base.nattr - 1] == SYM_ITEM) base.nattr--;
    Ent e = path_resolve(p, file, &base, base.nattr);
    if (e.kind != ENT_PLACE) return NONE;
    Type t = element_type(p, file, e);
    bool known = type_is_lock(t.kind);
    return known || sounds_like_lock(last_name(f, &base)) ? lock_of_place(p, e.id, TYPE_LOCK, !known) : NONE;
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
        if (l != NONE) return l;
    }
    if (e.kind == ENT_CLASS) {
        u32 l = lock_of_class(p, e.id, depth);
        return l != NONE ? l : sounds_like_lock(name) ? lock_by_text(p, file, s->path, NONE, true) : NONE;
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

static u32 section_lock_of(Program *p, u32 file, u32 section, u32 depth)
{
    const Facts *f = p->facts[file];
    const Section *s = &f->sections.v[section];
    if (s->kind == SECTION_ASYNC_WITH) return NONE;
    const Path *x = &f->paths.v[s->path];
    if (s->kind == SECTION_CALLS) return lock_of_pair(p, file, s, depth);
    if (s->call != NONE) return lock_of_call(p, file, s, depth);
    if (s->entered && path_type(p, file, s->path).kind == TYPE_SEMAPHORE) return NONE; /* a signal, not an exit */
    if (x->nattr && x->attr[x->nattr - 1] == SYM_ITEM) return lock_of_item(p, file, x);
    return lock_of_ent(p, file, s->path, path_entity(p, file, s->path), s->func, depth);
}

/* ---- what each access holds ---- */

static u32 held_at(Program *p, u32 file, u32 func, u32 offset)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    u32 set = 0;
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        u32 lock = p->section_lock[p->section_base[file] + i];
        if (lock != NONE && offset >= s->span.start && offset < s->span.end) set = lockset_add(p, set, lock);
    }
    return set;
}

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

/* The lock that a decorator's wrapper takes round the function: @synchronized, @with_lock(L). */
static u32 decorator_lock(Program *p, u32 file, u32 func, u32 path)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    Ent e = path_entity(p, file, path);
    Str name = last_name(f, &f->paths.v[path]);
    if (e.kind != ENT_FUNC)
        return sounds_like_lock(name) && e.kind != ENT_CLASS ? lock_by_text(p, file, path, NONE, true) : NONE;
    GId g = func_gid(p, e.id);
    const Facts *df = p->facts[g.file];
    for (u32 i = 1; i < df->funcs.n; i++) {
        const Func *w = &df->funcs.v[i];
        bool inside = w->parent == g.id || (w->parent && df->funcs.v[w->parent].parent == g.id);
        if (!inside || !w->nsections) continue;
        for (u32 k = w->sections; k < w->sections + w->nsections; k++) {
            const Section *s = &df->sections.v[k];
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
                                ? lock_of_ent(p, file, a->value, path_entity(p, file, a->value), 0, 3)
                                : NONE;
                return given != NONE ? given : lock_by_text(p, file, path, NONE, true);
            }
            if (lock != NONE) return lock;
        }
    }
    return sounds_like_lock(name) ? lock_by_text(p, file, path, NONE, true) : NONE;
}

static bool entry_candidate(const Program *p, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, file, func)];
    Str name = sym_str(f, fn->name);
    bool private_ = (name.n && name.p[0] == '_' && !str_ends(name, S("__"))) || fn->parent || !fi->api;
    if (!private_ || func == 0) return false;
    for (u32 r = ROOT_API + 1; r < p->roots.n; r++)
        if (p->roots.v[r].func == gfunc_of(p, file, func)) return false;
    return true;
}

/* A public function whose callers in sight all hold a lock: hooks such as emit(), and helpers of theirs. Who else
 * calls it we do not see, so this is only hoped for. */
static bool hook_candidate(const Program *p, u32 file, u32 func)
{
    const Func *fn = &p->facts[file]->funcs.v[func];
    Str name = sym_str(p->facts[file], fn->name);
    return func && fn->cls != NONE && !str_starts(name, S("__"));
}

/* Does the lock belong to the method's own object, or to its module? Others are held by chance. */
static bool lock_concerns(const Program *p, u32 gfunc, u32 lock)
{
    const Lock *l = &p->locks.v[lock];
    if (l->place == NONE || l->func != NONE) return false;
    const Place *x = &p->places.v[l->place];
    GId g = func_gid(p, gfunc);
    if (x->kind == PLACE_GLOBAL) return x->file == g.file;
    if (x->kind != PLACE_INSTANCE && x->kind != PLACE_CLASS_ATTR) return false;
    u32 cls = gclass_of(p, g.file, p->facts[g.file]->funcs.v[g.id].cls);
    return x->owner != NONE && (class_is_a(p, cls, x->owner) || class_is_a(p, x->owner, cls));
}

/* The locks that every call site of a candidate holds, to a fixed point. `callee_first` tells whose calls count. */
static u32 *callers_locks(Program *p, const bool *candidate, bool strict)
{
    u32 nf = p->state->nfuncs;
    u32 *entry = xmalloc(nf * sizeof *entry), *next = xmalloc(nf * sizeof *next);
    for (u32 g = 0; g < nf; g++) entry[g] = candidate[g] ? TOP : p->funcs[g].entry_locks;
    for (u32 round = 0; round < ROUNDS; round++) {
        for (u32 g = 0; g < nf; g++) next[g] = candidate[g] ? TOP : p->funcs[g].entry_locks;
        for (u32 i = 0; i < p->edges.n; i++) {
            const CallEdge *e = &p->edges.v[i];
            if (!candidate[e->callee] || p->funcs[e->caller].construct || p->funcs[e->caller].import_time ||
                e->caller == e->callee)
                continue;
            if (!strict && (e->weak || is_test_path(p->facts[e->file]->source->path))) continue;
            u32 held = 0;
            if (e->call != NONE) {
                const Call *c = &p->facts[e->file]->calls.v[e->call];
                held = held_at(p, e->file, c->func, c->span.start);
            }
            if (entry[e->caller] == TOP) continue;
            held = lockset_union(p, held, entry[e->caller]);
            next[e->callee] = lockset_both(p, next[e->callee], held);
        }
        bool same = memcmp(entry, next, nf * sizeof *entry) == 0;
        memcpy(entry, next, nf * sizeof *entry);
        if (same) break;
    }
    free(next);
    return entry;
}

static bool runs_as_root(const Program *p, u32 gfunc)
{
    for (u32 r = ROOT_API + 1; r < p->roots.n; r++)
        if (p->roots.v[r].func == gfunc) return true;
    return false;
}

/* "Caller holds the lock": private functions for sure, public ones as hoped. */
static void entry_locks(Program *p)
{
    u32 nf = p->state->nfuncs;
    bool *candidate = xmalloc(nf);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->funcs.n; i++)
            candidate[gfunc_of(p, file, i)] = entry_candidate(p, file, i);
    u32 *entry = callers_locks(p, candidate, true);
    for (u32 g = 0; g < nf; g++) p->funcs[g].entry_locks = entry[g] == TOP ? 0 : entry[g];
    free(entry);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->funcs.n; i++) {
            u32 g = gfunc_of(p, file, i);
            candidate[g] =
                p->locks.n && !p->funcs[g].entry_locks && hook_candidate(p, file, i) && !runs_as_root(p, g);
        }
    entry = callers_locks(p, candidate, false);
    for (u32 g = 0; g < nf; g++) {
        if (!candidate[g] || entry[g] == TOP) continue;
        LockSet held = p->locksets.v[entry[g]];
        for (u32 i = 0; i < held.n; i++)
            if (lock_concerns(p, g, held.ids[i]))
                p->funcs[g].entry_locks = lockset_add(p, p->funcs[g].entry_locks, lock_hoped(p, held.ids[i]));
    }
    free(entry);
    free(candidate);
}

static void decorator_locks(Program *p)
{
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
                u32 lock = lock_intern(p, map_key(3, 3),
                                       (Lock){.place = NONE,
                                              .kind = TYPE_UNKNOWN,
                                              .reentrant = true,
                                              .maybe = true,
                                              .display = S("a lock that the caller holds"),
                                              .func = NONE});
                fi->entry_locks = lockset_add(p, fi->entry_locks, lock);
            }
        }
    }
}

void locks_link(Program *p)
{
    lockset_intern(p, NULL, 0); /* id 0 is the empty set */
    u32 total = p->section_base[p->nfiles];
    p->section_lock = arena_new(p->arena, u32, total);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->sections.n; i++)
            p->section_lock[p->section_base[file] + i] = section_lock_of(p, file, i, 3);
    entry_locks(p);
    decorator_locks(p);
    p->access_locks = arena_new(p->arena, u32, p->state->naccesses);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->accesses.n; i++) {
            const Access *a = &f->accesses.v[i];
            u32 set = f->funcs.v[a->func].nsections ? held_at(p, file, a->func, a->span.start) : 0;
            p->access_locks[p->access_base[file] + i] =
                lockset_union(p, set, p->funcs[gfunc_of(p, file, a->func)].entry_locks);
        }
    }
}
