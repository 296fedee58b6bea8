/* Does whoever holds a lock wait for a thread that would come for it?
 *
 *   def flush(self):                                       def _one(self, i):
 *       with self._lock:                                       self.done += 1
 *           futures = [self._pool.submit(self._one, i)]
 *           return [f.result() for f in futures]
 *
 * Were _one to take the lock, both would wait for ever, an RLock or not. So the sections of the lock are searched, as
 * far down as calls are certain, for what waits for others: the join of a thread, the result of a future, the end of
 * a pool, an Event, a Queue, a Semaphore, the Condition of another lock. A thread is waited for when it is handed out
 * in the same file, and by a place that holds it only the thread that the place holds; of an Event and the like, when
 * the thread signals it, too. Where it is not handed out in the function or the class that waits, or others signal
 * as well, it may end otherwise: then the fix is unsafe only. So it is where any caller of a library may come to the
 * region, since the work that is waited for may be such a caller, or where nothing tells what ends the wait.
 *
 * Not seen: who waits in a function that is called by name only; locks that callers hold by a decorator. */
#include "fixes/fixes.h"

/* A call that ends a wait. */
typedef struct Signal {
    u32 file, call, gfunc;
} Signal;

/* A call, or the end of a with statement, that waits under the lock. */
typedef struct Wait {
    u32 file, func, call; /* call: NONE for a with statement */
    u32 at;               /* byte */
    u32 holder;           /* the function with the section, a global func */
    const char *signal;   /* the method that ends it; NULL: the end of work that was handed out */
    u32 place;            /* that holds what is waited for; NONE */
    u32 gclass;           /* of the thread that is joined; NONE */
    Str what;             /* "calls result()" */
    bool unseen;          /* what ends it is not in sight: anybody's work */
    bool known;           /* ends has been filled */
    Vec(Signal) ends;
} Wait;
typedef Vec(Wait) WaitVec;

struct Awaited {
    bool known;
    WaitVec waits;
};

typedef struct Find {
    Plan *pl;
    u32 lock, holder, left, epoch;
    WaitVec *out;
} Find;

enum { LOOK_LIMIT = 200, WAITS_MAX = 100 };

static Type receiver_type(const Plan *pl, u32 file, const Path *p)
{
    return ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u));
}

/* with self._cond: self._cond.wait() releases what it holds. A condition that no section of the function names is
 * held by a caller. */
static bool own_condition(const Find *x, u32 file, const Call *c)
{
    const Program *p = x->pl->p;
    const Facts *f = p->facts[file];
    const Path *path = &f->paths.v[c->callee];
    const Func *fn = &f->funcs.v[c->func];
    Ent e = path_resolve(p, file, path, path->nattr - 1u);
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        if (s->path == NONE || !span_within(c->span, s->span)) continue;
        Ent held = path_entity(p, file, s->path);
        u32 lock = p->section_lock[p->section_base[file] + i];
        if (held.kind == e.kind && held.id == e.id && held.sym == e.sym) return lock == x->lock;
    }
    return true;
}

/* Is the call a statement of its own, so that nobody walks what it gives? */
static bool result_dropped(const Call *c)
{
    return c->stmt == c->span.start;
}

/* The thread that is joined, of a class of the program; NONE. */
static u32 thread_class(const Plan *pl, Type t)
{
    return t.kind == TYPE_CLASS && class_is_thread(pl->p, t.id) ? t.id : NONE;
}

/* What the call waits for. False: it does not wait, or not for a thread of the program. */
static bool call_look(const Find *x, u32 file, u32 call, Wait *w)
{
    const Plan *pl = x->pl;
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *p = &f->paths.v[c->callee];
    Str full = path_external(pl->p, file, c->callee);
    if (known_function(full, AS_WAITS) && str_starts(full, S("concurrent."))) return true;
    if (!path_is_attr(p) || p->truncated) return false;
    Str name = path_last(f, p);
    Type t = receiver_type(pl, file, p);
    Ent e = path_resolve(pl->p, file, p, p->nattr - 1u);
    w->place = e.kind == ENT_PLACE ? e.id : NONE;
    if (t.kind == TYPE_EXECUTOR) {
        if (str_is(name, "shutdown")) return !call_told_not(f, c, "wait", 0);
        if (str_is(name, "join")) return true;
        return (str_is(name, "map") || str_is(name, "starmap") || str_is(name, "imap") ||
                str_is(name, "imap_unordered")) &&
               !result_dropped(c);
    }
    if (!call_waits(x->pl, file, call)) return false;
    if (str_is(name, "join")) {
        if (t.kind == TYPE_QUEUE) w->signal = "task_done";
        w->gclass = thread_class(pl, t);
        return t.kind == TYPE_QUEUE || t.kind == TYPE_THREAD || t.kind == TYPE_UNKNOWN || t.kind == TYPE_NONE ||
               w->gclass != NONE;
    }
    if (str_is(name, "result") || str_is(name, "exception")) return true;
    if (str_is(name, "wait") || str_is(name, "wait_for")) w->signal = t.kind == TYPE_CONDITION ? "notify" : "set";
    if (str_is(name, "acquire")) w->signal = "release";
    if (str_is(name, "get")) w->signal = "put";
    if (str_is(name, "put")) w->signal = "get";
    if (t.kind == TYPE_CONDITION) return str_starts(name, S("wait")) && !own_condition(x, file, c);
    if (t.kind == TYPE_UNKNOWN && str_starts(name, S("wait"))) return w->unseen = !own_condition(x, file, c);
    return w->signal && (t.kind == TYPE_EVENT || t.kind == TYPE_SEMAPHORE || t.kind == TYPE_QUEUE);
}

static void waits_below(Find *x, u32 file, u32 func, Span span);

static void wait_note(Find *x, Wait w, u32 file, u32 func, u32 call, u32 at, Str what)
{
    if (x->out->n == WAITS_MAX) return;
    w.file = file;
    w.func = func;
    w.call = call;
    w.at = at;
    w.holder = x->holder;
    w.what = what;
    vec_push(x->pl->a, x->out, w);
}

/* with ThreadPoolExecutor() as pool: the end of the block waits for all that was handed to the pool. */
static void pools_look(Find *x, u32 file, u32 func, Span span)
{
    const Program *p = x->pl->p;
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        if (s->kind != SECTION_WITH || !span_within(s->span, span)) continue;
        if (section_type(x->pl, file, s).kind != TYPE_EXECUTOR) continue;
        Wait w = {.place = NONE, .gclass = NONE};
        wait_note(x, w, file, func, NONE, s->stmt, S("ends a pool of threads"));
    }
}

static void waits_below(Find *x, u32 file, u32 func, Span span)
{
    const Program *p = x->pl->p;
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    u32 g = gfunc_of(p, file, func);
    pools_look(x, file, func, span);
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        Wait w = {.place = NONE, .gclass = NONE};
        if (!span_within(c->span, span) || !call_look(x, file, i, &w)) continue;
        wait_note(x, w, file, func, i, c->span.start,
                  str_fmt(x->pl->a, "calls %.*s()", STR_ARG(path_text(x->pl->a, f, c->callee))));
    }
    for (u32 i = p->edge_first[g]; i < p->edge_first[g + 1]; i++) {
        const CallEdge *e = &p->edges.v[i];
        if ((e->weak && !e->further) || e->file != file || !edge_within(p, e, span) || !x->left ||
            x->pl->seen[e->callee] == x->epoch)
            continue;
        x->left--;
        x->pl->seen[e->callee] = x->epoch;
        GId id = func_gid(p, e->callee);
        waits_below(x, id.file, id.id, program_func(p, e->callee)->span);
    }
}

static WaitVec *waits_of(Plan *pl, u32 lock)
{
    if (!pl->awaited) pl->awaited = arena_new(pl->a, struct Awaited, pl->p->locks.n + 1);
    struct Awaited *a = &pl->awaited[lock];
    if (a->known) return &a->waits;
    a->known = true;
    for (u32 i = pl->taker_first[lock]; i < pl->taker_first[lock + 1]; i++) {
        GId id = func_gid(pl->p, pl->taker[i]);
        const Facts *f = pl->p->facts[id.file];
        const Func *fn = &f->funcs.v[id.id];
        if (i > pl->taker_first[lock] && pl->taker[i] == pl->taker[i - 1]) continue;
        for (u32 s = fn->sections; s < fn->sections + fn->nsections; s++) {
            if (pl->p->section_lock[pl->p->section_base[id.file] + s] != lock) continue;
            Find x = {.pl = pl, .lock = lock, .holder = pl->taker[i], .left = LOOK_LIMIT, .out = &a->waits};
            x.epoch = ++pl->epoch;
            waits_below(&x, id.file, id.id, f->sections.v[s].span);
        }
    }
    return &a->waits;
}

/* ---- whom is waited for? ---- */

static bool runs_in(const Plan *pl, u32 g, u32 root)
{
    const FuncInfo *fi = &pl->p->funcs[g];
    for (u32 i = 0; i < fi->nroots; i++)
        if (fi->roots[i] == root) return true;
    return false;
}

/* Does one thread alone, of this root, run the function? It does not wait for itself. */
static bool only_itself(const Plan *pl, u32 g, u32 root)
{
    const FuncInfo *fi = &pl->p->funcs[g];
    return fi->nroots == 1 && fi->roots[0] == root && !fi->main && !fi->api && !pl->p->roots.v[root].many;
}

/* Finds the calls that end the wait: those of the method on what the place holds, or on what no place does. */
static void ends_find(Plan *pl, Wait *w)
{
    w->known = true;
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            const Path *p = &f->paths.v[f->calls.v[i].callee];
            if (!path_is_attr(p) || p->truncated) continue;
            Str name = path_last(f, p);
            if (!str_starts(name, str_from(w->signal))) continue; /* notify_all, put_nowait */
            Ent e = path_resolve(pl->p, file, p, p->nattr - 1u);
            if (w->place != NONE ? e.kind != ENT_PLACE || e.id != w->place : e.kind == ENT_PLACE) continue;
            vec_push(pl->a, &w->ends, (Signal){file, i, gfunc_of(pl->p, file, f->calls.v[i].func)});
        }
    }
}

/* Does a function that runs in the thread end the wait, other than before the region? *others: so does one that does
 * not run there. */
static bool signalled(Plan *pl, Wait *w, u32 root, const Region *r, bool *others)
{
    bool found = false;
    if (!w->known) ends_find(pl, w);
    for (u32 i = 0; i < w->ends.n; i++) {
        const Signal *s = &w->ends.v[i];
        const Facts *f = pl->p->facts[s->file];
        const Call *c = &f->calls.v[s->call];
        const FuncInfo *fi = &pl->p->funcs[s->gfunc];
        if (!runs_in(pl, s->gfunc, root)) {
            *others |= fi->nroots || fi->main || fi->api;
            continue;
        }
        bool before = s->file == r->file && c->func == r->func && c->span.end <= r->span.start;
        found |= !before || f->blocks.v[c->block].repeats;
    }
    return found;
}

/* Is the thread of the root handed out where somebody waits for such: in the same file, and into the place that is
 * joined, or of the class? *sure: in the same function or class, or there is no doubt which thread it is. */
static bool handed_out_there(const Plan *pl, const Wait *w, const Root *root, bool *sure)
{
    const Facts *f = root->file == NONE ? NULL : pl->p->facts[root->file];
    if (w->gclass != NONE) {
        GId id = func_gid(pl->p, root->func);
        u32 cls = pl->p->facts[id.file]->funcs.v[id.id].cls;
        *sure = true;
        return cls != NONE && class_is_a(pl->p, w->gclass, gclass_of(pl->p, id.file, cls));
    }
    if (!f || root->call == NONE || root->file != w->file) return false;
    const Call *c = &f->calls.v[root->call];
    if (w->place != NONE && c->target != NONE) {
        Ent e = path_entity(pl->p, root->file, c->target);
        bool threads = pl->p->places.v[w->place].type.kind == TYPE_THREAD;
        if (threads && e.kind == ENT_PLACE) {
            *sure = e.id == w->place;
            return *sure;
        }
    }
    u32 mine = f->funcs.v[w->func].self_class, theirs = f->funcs.v[c->func].self_class;
    *sure = c->func == w->func || (mine != NONE && mine == theirs);
    return true;
}

/* Would a thread of the root that comes to the region be waited for? */
static Verdict awaited_root(Plan *pl, Wait *w, u32 root, const Region *r)
{
    const Root *x = &pl->p->roots.v[root];
    bool sure = false, others = false;
    if (x->main || x->func == NONE || only_itself(pl, w->holder, root)) return VERDICT_OK;
    if (!w->signal) return !handed_out_there(pl, w, x, &sure) ? VERDICT_OK : sure ? VERDICT_DECLINE : VERDICT_UNSAFE;
    if (!signalled(pl, w, root, r, &others)) return VERDICT_OK;
    return w->place != NONE && !others ? VERDICT_DECLINE : VERDICT_UNSAFE;
}

Verdict holder_waits(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    if (!lock || !lock->existing) return VERDICT_OK;
    WaitVec *waits = waits_of(pl, lock->lock);
    const FuncInfo *fi = &pl->p->funcs[gfunc_of(pl->p, r->file, r->func)];
    Verdict worst = VERDICT_OK;
    for (u32 i = 0; i < waits->n; i++) {
        if ((waits->v[i].unseen || fi->api) && worst == VERDICT_OK) {
            u32 line, column;
            source_position(site_source(pl, waits->v[i].file), waits->v[i].at, &line, &column);
            *why = str_fmt(pl->a,
                           "%.*s:%u %.*s while %.*s is held; whoever is waited for may come here, as any caller may",
                           STR_ARG(site_source(pl, waits->v[i].file)->path), line, STR_ARG(waits->v[i].what),
                           STR_ARG(lock->display));
            worst = VERDICT_UNSAFE;
        }
        for (u32 k = 0; k < fi->nroots; k++) {
            if (fi->roots[k] <= ROOT_API) continue;
            Verdict v = awaited_root(pl, &waits->v[i], fi->roots[k], r);
            if (v <= worst) continue;
            u32 line, column, here;
            source_position(site_source(pl, waits->v[i].file), waits->v[i].at, &line, &column);
            source_position(site_source(pl, r->file), r->span.start, &here, &column);
            *why =
                str_fmt(pl->a,
                        "%.*s:%u %.*s while %.*s is held, and what it waits for %s to line %u: they would wait for "
                        "each other",
                        STR_ARG(site_source(pl, waits->v[i].file)->path), line, STR_ARG(waits->v[i].what),
                        STR_ARG(lock->display), v == VERDICT_DECLINE ? "comes" : "may come", here);
            worst = v;
        }
    }
    return worst;
}
