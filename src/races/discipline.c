/* UG301, UG302, UG304, UG305: how one function uses its locks.
 *
 * Needs section_lock and the facts of one file. A lock known by its name only never accuses. */
#include "races/races.h"

/* lock = Lock(): the call that makes the local lock of the section, the last one before it; NULL. */
static const Call *local_lock(const Facts *x, const Section *s)
{
    const Func *fn = &x->funcs.v[s->func];
    const Call *made = NULL;
    if (x->paths.v[s->path].root != ROOT_LOCAL || x->paths.v[s->path].nattr) return NULL;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        if (c->target == s->path && c->span.end <= s->span.start) made = c;
    }
    return made;
}

/* FileLock(path), client.lock(name), Condition(lock): an object of this call for a lock that others have. */
static bool lock_by_name(const Program *p, u32 file, const Section *s, u32 place)
{
    const Facts *x = p->facts[file];
    const Call *call = s->call == NONE ? local_lock(x, s) : &x->calls.v[s->call];
    if (place != NONE && p->places.v[place].def != NONE && p->places.v[place].def_file == file) {
        const Def *d = &x->defs.v[p->places.v[place].def];
        if (d->kind == VAL_CALL) call = &x->calls.v[d->value];
    }
    if (!call || !call->nargs) return false;
    Str made = path_external(p, file, call->callee);
    bool of_lock = str_is(made, "threading.Condition") && x->args.v[call->args].kind == VAL_PATH;
    return !str_starts(made, S("threading.")) || of_lock;
}

/* show(lock, lines), Worker(lock), job.lock = lock, waiting[key] = lock, return lock: the function does more with the
 * lock than take it, so that others may have it. */
static bool given_away(const Program *p, u32 file, const Section *s)
{
    const Facts *x = p->facts[file];
    if (func_returns(p, file, s->func, s->path)) return true;
    const Func *fn = &x->funcs.v[s->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++)
            if (x->args.v[k].kind == VAL_PATH && x->args.v[k].value == s->path) return true;
    }
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        bool stores = a->op == OP_STORE || a->op == OP_ITEM_STORE;
        const Def *d = stores && a->value != NONE ? &x->defs.v[a->value] : NULL;
        if (d && d->kind == VAL_PATH && d->value == s->path) return true;
    }
    return false;
}

/* lock = given or Lock(): is it made only for want of another? */
static bool made_for_want(const Facts *x, const Section *s)
{
    const Call *c = local_lock(x, s);
    Str before = c ? str_slice(x->source->text, c->stmt, c->span.start) : S("");
    return str_has_name(before, S("or")) || str_has_name(before, S("else"));
}

/* with self.no_lock(held) or self.lock: is the lock taken only for want of another? */
static bool taken_for_want(const Facts *x, const Section *s)
{
    Str head = str_slice(x->source->text, s->stmt, s->span.start), rest = head;
    while (str_search(rest, S(" or ")) < rest.n) rest = str_slice(rest, str_search(rest, S(" or ")) + 4, rest.n);
    return s->kind == SECTION_WITH && rest.n < head.n && str_find(rest, ',') == rest.n &&
           str_find(rest, '(') == rest.n && str_find(rest, ')') == rest.n;
}

static bool of_all(const Facts *x, const Access *a)
{
    u8 root = x->paths.v[a->path].root;
    return root == ROOT_GLOBAL || root == ROOT_CLS ||
           ((root == ROOT_SELF || root == ROOT_PARAM) && x->paths.v[a->path].nattr);
}

/* if mylar.IMPORTING: return … with lock: mylar.IMPORTING = True: is it a flag that the function asks first? */
static bool asked_flag(const Facts *x, const Section *s, const Access *store)
{
    const Func *fn = &x->funcs.v[s->func];
    if (store->value == NONE || x->defs.v[store->value].kind != VAL_BOOL) return false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (a->path == store->path && a->test != TEST_NO && a->span.start < store->span.start) return true;
    }
    return false;
}

/* Does the block change what others have by what it was: n += 1, if k not in d: d[k] = v, a flag that is asked? What
 * merely reads or stores needs no lock, or not this one; of six such reports none was held to be a race, of six
 * others all were. */
static bool guards_change(const Facts *x, const Section *s)
{
    const Func *fn = &x->funcs.v[s->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (!span_within(a->span, s->span) || !of_all(x, a)) continue;
        if (a->op == OP_AUG || a->op == OP_ITEM_AUG) return true;
        if (a->op == OP_STORE && asked_flag(x, s, a)) return true;
    }
    for (u32 i = 0; i < x->flows.n; i++) {
        const Access *from = &x->accesses.v[x->flows.v[i].from], *to = &x->accesses.v[x->flows.v[i].to];
        if (from->func == s->func && of_all(x, to) && span_within(from->span, s->span) &&
            span_within(to->span, s->span))
            return true;
    }
    return false;
}

/* cond = Condition(); with cond: cond.wait(30): nobody can notify it, and nothing else is done under it. */
static bool only_sleeps(const Facts *x, const Section *s)
{
    const Func *fn = &x->funcs.v[s->func];
    bool waits = false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (!span_within(a->span, s->span)) continue;
        if (a->op == OP_METHOD && a->path == s->path && str_is(sym_str(x, a->method), "wait"))
            waits = true;
        else if (of_all(x, a))
            return false;
    }
    return waits;
}

/* A lock made by this very call: nobody else can hold it. */
static void lock_per_call(Finder *f, u32 file, const Section *s, u32 lock)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    if (p->locks.v[lock].func != gfunc_of(p, file, s->func) || s->func == 0) return;
    if (x->paths.v[s->path].root == ROOT_PARAM) return; /* if lock is None: lock = Lock(), for want of another */
    u32 place = p->locks.v[lock].place;
    if (lock_by_name(p, file, s, place) || made_for_want(x, s)) return;
    for (u32 i = 0; place != NONE && i < p->places.v[place].n;
         i++) { /* handed to others or used by inner functions: theirs too */
        u32 ga = p->place_access.v[p->places.v[place].first + i];
        const Access *a = program_access(p, ga);
        if (a->func != s->func || a->op == OP_ARG || a->op == OP_RETURN || a->op == OP_STORE) {
            const Path *q = &x->paths.v[a->path];
            if (a->func != s->func || a->span.end != s->span.start || q->nattr) return;
        }
    }
    if (given_away(p, file, s)) return;
    if (only_sleeps(x, s)) return;
    Race *r = race_at_section(f, UG301, file, s, lock, guards_change(x, s) ? CONF_HIGH : CONF_MEDIUM);
    race_message(f, r, "this lock is made anew by every call, so no two threads ever wait for each other here");
}

/* Does the function come to the block whenever it is called? */
static bool always_runs(const Facts *x, u32 func, u32 block)
{
    while (block != x->funcs.v[func].block) {
        if (x->blocks.v[block].kind != BLOCK_WITH && x->blocks.v[block].kind != BLOCK_TRY) return false;
        block = x->blocks.v[block].parent;
    }
    return true;
}

/* global lock; lock = Lock(); with lock: … The lock is shared, but each call makes another one, just before it takes
 * it. Who makes one on first use, or anew in a child process, does not take it there. */
static void lock_bound_anew(Finder *f, u32 file, const Section *s, u32 lock)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    u32 place = p->locks.v[lock].place, gfunc = gfunc_of(p, file, s->func);
    const Place *q = place == NONE ? NULL : &p->places.v[place];
    if (!q || p->locks.v[lock].maybe || p->locks.v[lock].keyed || !s->func) return;
    if ((q->kind != PLACE_GLOBAL && q->kind != PLACE_CLASS_ATTR) || !threads_meet(p, gfunc)) return;
    for (u32 i = 0; i < q->n; i++) {
        u32 ga = p->place_access.v[q->first + i];
        const Access *a = program_access(p, ga);
        if (access_func(p, ga) != gfunc || a->op != OP_STORE || a->span.end > s->stmt) continue;
        const Def *d = stored_def(p, ga);
        if (!d || d->kind != VAL_CALL || x->calls.v[d->value].nargs || !always_runs(x, s->func, a->block)) continue;
        if (p->access_locks[ga]) continue;
        Race *r = race_at_section(f, UG301, file, s, lock, CONF_HIGH);
        r->per_call = true;
        r->by_hand = "make it once, where the module or the class is made, and not here";
        race_message(
            f, r,
            "each call makes this lock anew on line %u, so a thread that still holds the one before does not "
            "keep this one out",
            a->line);
        return;
    }
}

/* assert not sem.acquire(False) … sem.release(): nobody holds it in between; the release wakes another. */
static bool not_taken(const Facts *x, const Section *s)
{
    return str_starts(str_slice(x->source->text, s->stmt, s->span.end), S("assert not "));
}

/* The block that runs when acquire() did not get the lock: if not lock.acquire(False): return. NONE without one. */
static u32 not_gotten(const Facts *x, const Section *s)
{
    const Func *fn = &x->funcs.v[s->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (a->op != OP_METHOD || a->span.end != s->span.start || a->cond == NONE) continue;
        if (a->test == TEST_FALSE) return x->conds.v[a->cond].then_block;
        if (a->test == TEST_TRUE) return x->conds.v[a->cond].else_block;
    }
    return NONE;
}

static void without_finally(Finder *f, u32 file, const Section *s, u32 lock)
{
    const Facts *x = f->p->facts[file];
    u32 failed = not_gotten(x, s);
    if ((s->kind != SECTION_ACQUIRE && s->kind != SECTION_CALLS) || s->finally || f->p->locks.v[lock].maybe) return;
    if (not_taken(x, s) || s->entered) return;
    for (u32 i = 0; i < x->blocks.n; i++) { /* return or raise on the way */
        const Block *b = &x->blocks.v[i];
        if (b->func != s->func || !b->exits || b->kind == BLOCK_LOOP || b->span.start < s->span.start ||
            b->span.end > s->span.end || (failed != NONE && span_within(b->span, x->blocks.v[failed].span)))
            continue;
        Str text = str_slice(x->source->text, b->span.start, b->span.end);
        bool given = s->kind == SECTION_CALLS ? str_contains(text, S("elease")) || str_contains(text, S("nlock"))
                                              : str_contains(text, S(".release("));
        if (given || !(str_contains(text, S("return")) || str_contains(text, S("raise")))) continue;
        if (f->p->locks.v[lock].passed) return; /* and whoever goes on gives it back */
        Race *r = race_at_section(f, UG302, file, s, lock, CONF_MEDIUM);
        race_message(f, r, "a way out between acquire() and release() leaves the lock taken for ever; use `with`");
        return;
    }
    u32 calls = 0;
    for (u32 i = 0; i < x->calls.n; i++)
        if (x->calls.v[i].func == s->func && x->calls.v[i].span.start > s->span.start &&
            x->calls.v[i].span.end < s->span.end)
            calls++;
    if (!calls) return;
    Race *r = race_at_section(f, UG302, file, s, lock, CONF_MEDIUM);
    race_message(f, r, "an exception between acquire() and release() leaves the lock taken for ever; use `with`");
}

static bool is_manager(const Program *p, u32 file, u32 func)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++) {
        Str d = path_text(p->arena, x, x->decorators.v[i]);
        if (str_contains(d, S("contextmanager")) || str_contains(d, S("fixture"))) return true;
    }
    return false;
}

/* with cond: … cond.release(); yield x; cond.acquire(): is it given back when the function is suspended here? */
static bool given_back(const Facts *x, const Section *s, u32 at)
{
    const Func *fn = &x->funcs.v[s->func];
    bool given = false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (a->op != OP_METHOD || a->path != s->path || a->span.start <= s->span.start || a->span.start > at)
            continue;
        if (str_is(sym_str(x, a->method), "release")) given = true;
        if (str_is(sym_str(x, a->method), "acquire")) given = false;
    }
    return given;
}

/* await self.reply(): does what is awaited here run to its end at once, a coroutine without any await? */
static bool never_suspends(const Program *p, u32 file, const Suspend *y)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[y->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        u32 target;
        if (!c->awaited || c->span.start < y->offset || c->stmt > y->offset) continue;
        if (call_targets(p, file, i, &target, 1) != 1 || call_unknown(p, file, i)) return false;
        GId g = func_gid(p, target);
        if (!p->facts[g.file]->funcs.v[g.id].is_async) return false;
        for (u32 k = 0; k < p->facts[g.file]->suspends.n; k++)
            if (p->facts[g.file]->suspends.v[k].func == g.id) return false;
        return true;
    }
    return false;
}

static void across_suspension(Finder *f, u32 file, const Section *s, u32 lock)
{
    const Facts *x = f->p->facts[file];
    if (f->p->locks.v[lock].maybe || f->p->locks.v[lock].kind == TYPE_UNKNOWN) return;
    /* with await lock.acquire(): a lock that is awaited is none of threads */
    if (s->call != NONE && x->calls.v[s->call].awaited) return;
    for (u32 i = 0; i < x->suspends.n; i++) {
        const Suspend *y = &x->suspends.v[i];
        if (y->func != s->func || y->offset < s->span.start || y->offset >= s->span.end) continue;
        if (given_back(x, s, y->offset)) continue;
        if (!y->is_yield && never_suspends(f->p, file, y)) continue;
        if (y->is_yield && !x->funcs.v[s->func].is_async && is_manager(f->p, file, s->func)) continue;
        u32 line, column;
        source_position(x->source, y->offset, &line, &column);
        bool again = f->p->locks.v[lock].kind == TYPE_RLOCK; /* the loop's thread has it, and takes it once more */
        Race *r = race_at_section(f, UG304, file, s, lock, y->is_yield || again ? CONF_MEDIUM : CONF_HIGH);
        if (y->is_yield)
            race_message(f, r,
                         "the generator is suspended on line %u with the lock taken; until it is resumed, every "
                         "other thread waits",
                         line);
        else if (again)
            race_message(f, r,
                         "the coroutine is suspended on line %u with a thread lock taken; another task of the loop "
                         "gets the RLock all the same, and another thread waits",
                         line);
        else
            race_message(f, r,
                         "the coroutine is suspended on line %u with a thread lock taken; another task that wants it "
                         "stops the whole event loop",
                         line);
        return;
    }
}

/* Does this function itself take the lock (in its own sections)? */
static const Section *takes(const Program *p, u32 gfunc, u32 lock)
{
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
        if (p->section_lock[p->section_base[g.file] + i] == lock && !x->sections.v[i].maybe) return &x->sections.v[i];
    return NULL;
}

static bool plain_lock(const Program *p, u32 lock)
{
    const Lock *l = &p->locks.v[lock];
    return !l->maybe && l->kind == TYPE_LOCK && l->func == NONE && l->place != NONE;
}

/* Is the lock the object's own, self.lock? */
static bool own_lock(const Facts *x, const Section *s)
{
    const Path *q = &x->paths.v[s->path];
    return q->root == ROOT_SELF && q->nattr == 1;
}

/* Is the callee called on the same object? An instance lock of another object is another lock; and what a decorator
 * is given was made by another call of it, if it was made by it at all, with a lock of its own. */
static bool same_object(const Program *p, const CallEdge *e, u32 lock)
{
    const Facts *x = p->facts[e->file];
    const Path *q = &x->paths.v[x->calls.v[e->call].callee];
    u8 kind = p->places.v[p->locks.v[lock].place].kind;
    if (kind == PLACE_CLOSURE) return q->root != ROOT_PARAM;
    if (kind != PLACE_INSTANCE) return true;
    return (q->root == ROOT_SELF || q->root == ROOT_SUPER) && q->nattr <= 1;
}

/* What the call gives for the parameter, or its default, as it is written; empty when that is not seen. */
static Str given_for(const Program *p, u32 file, const Call *c, GId callee, u32 param)
{
    const Facts *x = p->facts[file], *y = p->facts[callee.file];
    const Func *fn = &y->funcs.v[callee.id];
    const Param *q = &y->params.v[fn->params + param];
    u32 position = 0, self = fn->cls != NONE && !fn->is_static;
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &x->args.v[i];
        if (a->star) return S("");
        Str keyword = sym_str(x, a->keyword);
        bool here = keyword.n ? str_eq(keyword, sym_str(y, q->name)) : position++ + self == param;
        if (here) return str_trim(str_slice(x->source->text, a->span.start, a->span.end));
    }
    Str text = str_trim(str_slice(y->source->text, q->span.start, q->span.end)), value = S("");
    if (q->has_default) str_cut(text, '=', &value);
    return str_trim(value);
}

/* Is the value, as the call gives it, seen to be no None: neither None itself, nor a local that is only that, nor
 * what the caller has been given? */
static bool is_something(const Program *p, u32 file, u32 func, Str value)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    if (!value.n || str_is(value, "None")) return false;
    for (u32 i = 0; i < fn->nparams; i++)
        if (str_eq(value, sym_str(x, x->params.v[fn->params + i].name))) return false;
    u32 name = intern_find(&x->syms, value);
    const Def *only = name == NONE ? NULL : local_def(p, file, func, name);
    return !only || only->kind != VAL_NONE;
}

/* Does the test of a parameter fail for what the call gives: `if x`, `if x is not None`, `if x is None`? */
static bool test_fails(const Program *p, const CallEdge *e, Str test, u32 param)
{
    GId g = func_gid(p, e->callee);
    const Facts *y = p->facts[g.file];
    Str name = sym_str(y, y->params.v[y->funcs.v[g.id].params + param].name), rest;
    if (!str_starts(test, name)) return false;
    rest = str_trim(str_slice(test, name.n, test.n));
    const Call *c = &p->facts[e->file]->calls.v[e->call];
    Str value = given_for(p, e->file, c, g, param);
    if (!rest.n) return str_is(value, "False") || str_is(value, "None") || str_is(value, "0");
    if (str_is(rest, "is not None")) return str_is(value, "None");
    return str_is(rest, "is None") && is_something(p, e->file, c->func, value);
}

/* def find(key, cached=False): if cached: with lock: … find(key): does a parameter choose whether the lock is taken,
 * and the call not ask for it? */
static bool turned_off(const Program *p, const CallEdge *e, const Section *inner)
{
    GId g = func_gid(p, e->callee);
    const Facts *y = p->facts[g.file];
    const Func *fn = &y->funcs.v[g.id];
    u32 i = fn->calls;
    while (i < fn->calls + fn->ncalls && y->calls.v[i].span.start < inner->span.start) i++;
    if (i == fn->calls + fn->ncalls || y->calls.v[i].span.start >= inner->span.end) return false;
    for (u32 b = y->calls.v[i].block; b != NONE; b = y->blocks.v[b].parent) {
        if (y->blocks.v[b].kind != BLOCK_THEN || y->blocks.v[b].cond == NONE) continue;
        Span head = y->conds.v[y->blocks.v[b].cond].head;
        Str test = str_trim(str_slice(y->source->text, head.start, head.end));
        for (u32 k = 0; k < fn->nparams; k++)
            if (test_fails(p, e, test, k)) return true;
    }
    return false;
}

/* with self.busy(), self.busy(): the call is a section of its own, which nested_same() reports. */
static bool is_section_again(const Facts *x, const Section *s, u32 call)
{
    const Func *fn = &x->funcs.v[s->func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
        if (x->sections.v[i].call == call && x->sections.v[i].path == s->path) return true;
    return false;
}

/* with lock: … lock.release(); try: call() finally: lock.acquire(): is it let go when the call comes? */
static bool let_go(const Facts *x, const Section *s, const Call *c)
{
    const Func *fn = &x->funcs.v[s->func];
    const Path *lock = &x->paths.v[s->path];
    bool gone = false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *r = &x->calls.v[i];
        const Path *q = &x->paths.v[r->callee];
        if (r->span.start < s->span.start || r->span.start >= c->span.start || q->nattr != lock->nattr + 1) continue;
        if (q->root != lock->root || q->name != lock->name ||
            memcmp(q->attr, lock->attr, lock->nattr * sizeof *lock->attr) != 0)
            continue;
        Str method = sym_str(x, q->attr[lock->nattr]);
        if (str_is(method, "release") || str_is(method, "acquire")) gone = str_is(method, "release");
    }
    return gone;
}

static void self_deadlock(Finder *f, u32 file, const Section *s, u32 lock)
{
    const Program *p = f->p;
    if (!plain_lock(p, lock) || s->maybe || taken_for_want(p->facts[file], s)) return;
    u32 caller = gfunc_of(p, file, s->func);
    for (u32 i = p->edge_first[caller]; i < p->edge_first[caller + 1]; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->weak || e->call == NONE || e->file != file) continue;
        const Call *c = &p->facts[file]->calls.v[e->call];
        if (c->span.start < s->span.start || c->span.start >= s->span.end || !same_object(p, e, lock)) continue;
        if (program_func(p, e->callee)->is_async && !c->awaited) continue; /* it is made here, and runs elsewhere */
        const Section *inner = takes(p, e->callee, lock);
        if (!inner || inner->kind != SECTION_WITH) continue;
        bool of_object = p->places.v[p->locks.v[lock].place].kind == PLACE_INSTANCE;
        if (of_object && !(own_lock(p->facts[file], s) && own_lock(p->facts[func_gid(p, e->callee).file], inner)))
            continue;
        if (is_section_again(p->facts[file], s, e->call)) continue;
        if (let_go(p->facts[file], s, c) || turned_off(p, e, inner)) continue;
        if (taken_for_want(p->facts[func_gid(p, e->callee).file], inner)) continue;
        Str callee = func_display(f->a, p, e->callee);
        Race *r = race_at_section(f, UG305, file, s, lock, CONF_HIGH);
        r->call = p->call_base[file] + e->call;
        race_message(
            f, r,
            "the lock is held when %.*s is called on line %u, which takes it again; a Lock waits for itself for ever",
            STR_ARG(callee), c->line);
        return;
    }
}

static void nested_same(Finder *f, u32 file, u32 section, u32 lock)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Section *s = &x->sections.v[section];
    if (!plain_lock(p, lock) || s->kind != SECTION_WITH) return;
    const Func *fn = &x->funcs.v[s->func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *y = &x->sections.v[i];
        if (i == section || y->kind != SECTION_WITH || p->section_lock[p->section_base[file] + i] != lock) continue;
        if (y->span.start <= s->span.start || y->span.start >= s->span.end || y->path != s->path) continue;
        Race *r = race_at_section(f, UG305, file, y, lock, CONF_HIGH);
        race_message(f, r, "this lock is held already by the `with` around it; a Lock waits for itself for ever");
        return;
    }
}

void race_discipline(Finder *f, u32 file)
{
    const Facts *x = f->p->facts[file];
    for (u32 i = 0; i < x->sections.n; i++) {
        const Section *s = &x->sections.v[i];
        u32 lock = f->p->section_lock[f->p->section_base[file] + i];
        if (lock == NONE || s->entered) continue;
        lock_per_call(f, file, s, lock);
        lock_bound_anew(f, file, s, lock);
        without_finally(f, file, s, lock);
        across_suspension(f, file, s, lock);
        self_deadlock(f, file, s, lock);
        nested_same(f, file, i, lock);
    }
}
