/* Order by start and join: in the function that starts threads, what stands before the first start and after the last
 * join does not run at the same time as they do. Functions that are called only before the first start count as
 * running before any thread; so do those that the main program calls, once, before the call that leads to the first
 * start. What waits for threads is told by waits.c. A start that we do not see is not waited for. Where a function is
 * called in a loop and does not wait, nothing in it stands before the first start but once. */
#include "link/link.h"

/* app.add_url_rule("/", view_func=index), atexit.register(f): does the call say what a server shall call, once that
 * runs, or the main thread at its end? */
static bool only_registers(const Program *p, const Root *r)
{
    static const char *const names[] = {
        "add_url_rule", "add_api_route",     "path",    "re_path",      "url",
        "Route",        "register_function", "Depends", "set_function", "register_instance"};
    const Facts *f = p->facts[r->file];
    return r->main == MAIN_EXIT || str_among(call_last(f, &f->calls.v[r->call]), names, COUNT_OF(names));
}

/* Calls that start a thread by themselves: submit, to_thread and their like, not Thread(…). */
static Map starting_calls(const Program *p, Arena *scratch)
{
    Map m = {0};
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        if (r->call == NONE || r->loop == event_loop_root || only_registers(p, r)) continue; /* the loop runs */
        Str ext = path_external(p, r->file, p->facts[r->file]->calls.v[r->call].callee);
        if (!str_starts(ext, S("threading."))) map_put(scratch, &m, map_key(r->file, r->call), i);
    }
    return m;
}

/* run(thread.start): somebody starts it in the course of the call. */
static bool passes_start(const Program *p, u32 file, const Call *c)
{
    const Facts *f = p->facts[file];
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Path *x = f->args.v[i].kind == VAL_PATH ? &f->paths.v[f->args.v[i].value] : NULL;
        if (!x || !path_is_attr(x)) continue;
        if (str_is(path_last(f, x), "start") && thread_named(p, file, x)) return true;
    }
    return false;
}

static bool makes_threads(const Program *p, u32 file, const Func *fn)
{
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (call_type(p, file, i).kind == TYPE_THREAD) return true;
    return false;
}

/* t.start() for t in threads.values(), where the function has made threads and nothing tells what the items are. */
static bool starts_thread(const Program *p, u32 file, const Call *c, const Path *x)
{
    if (thread_named(p, file, x)) return true;
    if (c->nargs || x->root != ROOT_LOCAL || x->nattr != 2 || x->attr[0] != SYM_ITEM) return false;
    if (element_type(p, file, path_resolve(p, file, x, 0)).kind != TYPE_UNKNOWN) return false;
    return makes_threads(p, file, &p->facts[file]->funcs.v[c->func]);
}

static void order_func(Program *p, const Map *starting, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    FuncInfo *fi = &p->funcs[gfunc_of(p, file, func)];
    u32 last_start = 0;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *x = &f->paths.v[c->callee];
        Str name = path_is_attr(x) ? path_last(f, x) : S("");
        bool handed = map_get(starting, map_key(file, i)) != NONE;
        bool start = (str_is(name, "start") && starts_thread(p, file, c, x)) || passes_start(p, file, c) || handed;
        if (start) {
            fi->first_start = MIN(fi->first_start, c->span.start);
            last_start = MAX(last_start, c->span.end);
            u32 loop = spawning_loop(p, file, c);
            if (fi->spawns == NONE ||
                (loop != NONE && f->blocks.v[loop].span.start < f->blocks.v[fi->spawns].span.start))
                fi->spawns = loop;
        }
        u32 end = start && !handed ? NONE : wait_end(p, file, i, handed);
        if (end != NONE) fi->last_join = fi->last_join == NONE ? end : MAX(fi->last_join, end);
    }
    /* with ThreadPoolExecutor() as pool: … waits at its end */
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        if (s->call == NONE || call_type(p, file, s->call).kind != TYPE_EXECUTOR || last_start > s->span.end)
            continue;
        bool waited = fi->last_join != NONE && fi->last_join >= last_start && fi->last_join <= s->span.end;
        if (waited) continue; /* futures.wait(fs) in the block: its end has nothing to wait for */
        if (fi->first_start != NONE && fi->first_start >= s->span.start && fi->first_start < s->span.end)
            fi->last_join = fi->last_join == NONE ? s->span.end : MAX(fi->last_join, s->span.end);
    }
    if (fi->last_join != NONE && fi->last_join < last_start) fi->last_join = NONE;
}

u32 thread_kept_as(const Program *p, const Root *r, u32 file)
{
    if (r->call == NONE || r->file != file) return NONE;
    const Facts *f = p->facts[file];
    u32 target = f->calls.v[r->call].target;
    const Path *x = target == NONE ? NULL : &f->paths.v[target];
    return x && x->root == ROOT_SELF && x->nattr == 1 ? x->attr[0] : NONE;
}

/* Is what the path names a thread of the class whose run() the root is? */
static bool runs_root(const Program *p, u32 file, const Path *x, const Root *r)
{
    if (!r->own || r->func == NONE) return false;
    Type t = ent_type(p, path_resolve(p, file, x, x->nattr - 1u));
    GId g = func_gid(p, r->func);
    u32 cls = p->facts[g.file]->funcs.v[g.id].cls;
    return t.kind == TYPE_CLASS && cls != NONE && class_is_a(p, t.id, gclass_of(p, g.file, cls));
}

/* Is the join made on each way to the access, but for those without a thread: if self.thread is not None? */
static bool surely_joined(const Facts *f, const Call *join, Str thread, const Access *a)
{
    for (u32 b = join->block; b != NONE && !block_within(f, a->block, b); b = f->blocks.v[b].parent) {
        const Block *x = &f->blocks.v[b];
        if (x->kind == BLOCK_ELSE || x->kind == BLOCK_EXCEPT || x->kind == BLOCK_CASE) return false;
        if (x->kind != BLOCK_THEN) continue;
        Span head = x->cond == NONE ? (Span){0, 0} : f->conds.v[x->cond].head;
        if (!str_contains(str_slice(f->source->text, head.start, head.end), thread)) return false;
    }
    return true;
}

bool joined_before(const Program *p, u32 file, const Access *a, const Root *r)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[a->func];
    u32 attr = thread_kept_as(p, r, file), join = intern_find(&f->syms, S("join"));
    for (u32 i = fn->calls; join != NONE && i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *x = &f->paths.v[c->callee];
        if (c->span.end > a->span.start || x->root != ROOT_SELF || x->nattr != 2 || x->attr[1] != join) continue;
        if (x->attr[0] != attr && !runs_root(p, file, x, r)) continue;
        if (surely_joined(f, c, sym_str(f, x->attr[0]), a)) return true;
    }
    return false;
}

bool order_by_caller(const Program *p, u32 ga, u32 gb)
{
    GId a = access_gid(p, ga);
    const Facts *f = p->facts[a.file];
    const Access *xa = &f->accesses.v[a.id];
    const FuncInfo *fa = &p->funcs[gfunc_of(p, a.file, xa->func)], *fb = &p->funcs[access_func(p, gb)];
    u32 place = p->access_place[ga];
    if (fa->nroots || !fb->nroots || place == NONE || p->places.v[place].kind != PLACE_INSTANCE) return false;
    if (p->locksets.v[p->access_locks[ga]].n) return false; /* it expects others */
    bool before = before_threads(p, ga);
    for (u32 i = 0; i < fb->nroots; i++) {
        const Root *r = &p->roots.v[fb->roots[i]];
        bool starts = before && r->call != NONE && r->file == a.file && f->calls.v[r->call].func == xa->func;
        if (!starts && !joined_before(p, a.file, xa, r)) return false;
    }
    return true;
}

enum { LEAD_ROUNDS = 8, ONCE_DEPTH = 6 };

typedef struct Before {
    const Program *p;
    u32 *callers; /* global func → how many edges lead to it */
    u32 *caller;  /* and the last of them */
} Before;

static void leads_find(Program *p)
{
    u32 *lead = p->state->lead = arena_new(p->state->a, u32, p->state->nfuncs + 1);
    for (u32 i = 0; i < p->state->nfuncs; i++) lead[i] = p->funcs[i].first_start;
    for (u32 round = 0, changed = 1; round < LEAD_ROUNDS && changed; round++) {
        changed = 0;
        for (u32 i = 0; i < p->edges.n; i++) {
            const CallEdge *e = &p->edges.v[i];
            if (e->weak || lead[e->callee] == NONE) continue;
            u32 at = e->call == NONE ? 0 : p->facts[e->file]->calls.v[e->call].span.start;
            if (at >= lead[e->caller]) continue;
            lead[e->caller] = at;
            changed = 1;
        }
    }
}

/* Does the main program, and nobody else, run the function, and only once? */
static bool runs_once(const Before *b, u32 gfunc, u32 depth)
{
    const Program *p = b->p;
    if (func_gid(p, gfunc).id == 0) return true;
    const FuncInfo *fi = &p->funcs[gfunc];
    if (!depth || !fi->main || fi->nroots || b->callers[gfunc] != 1) return false;
    const CallEdge *e = &p->edges.v[b->caller[gfunc]];
    if (e->weak || e->call == NONE) return false;
    const Facts *f = p->facts[e->file];
    return !f->blocks.v[f->calls.v[e->call].block].repeats && runs_once(b, e->caller, depth - 1);
}

/* Is the name given anew in each round of a loop, as in `for w in workers: w.start()`? */
static bool set_in_loop(const Program *p, u32 first)
{
    for (u32 at = first; at != NONE; at = p->state->defrefs.v[at].next) {
        const DefRef *r = &p->state->defrefs.v[at];
        const Facts *f = p->facts[r->file];
        if (f->blocks.v[f->defs.v[r->def].block].repeats || f->defs.v[r->def].kind == VAL_ITER_OF ||
            f->defs.v[r->def].kind == VAL_ONE_OF)
            return true;
    }
    return false;
}

/* Is each call of the loop one of the same object's method, or of a function? */
static bool same_receiver(const Program *p, const CallEdge *e)
{
    GId to = func_gid(p, e->callee);
    const Facts *f = p->facts[e->file];
    const Path *x = &f->paths.v[f->calls.v[e->call].callee];
    if (p->facts[to.file]->funcs.v[to.id].cls == NONE) return true;
    if (!x->nattr || x->root == ROOT_CALL) return false;
    for (u32 i = 0; i < x->nattr; i++)
        if (x->attr[i] == SYM_ITEM) return false;
    if (x->root == ROOT_SELF) return true;
    Ent e0 = path_resolve(p, e->file, x, x->nattr - 1u);
    if (e0.kind == ENT_PLACE) return !set_in_loop(p, map_get(&p->state->place_defs, e0.id));
    if (e0.kind != ENT_LOCAL) return false;
    GId g = func_gid(p, e0.id);
    return !set_in_loop(p, map_get(&p->state->local_defs, local_key(g.file, g.id, e0.sym)));
}

static bool edge_before(const Before *b, const CallEdge *e)
{
    const FuncInfo *caller = &b->p->funcs[e->caller];
    if (caller->import_time) return true;
    if (e->call == NONE) return false;
    const Facts *f = b->p->facts[e->file];
    u32 end = f->calls.v[e->call].span.end;
    bool round = caller->spawns != NONE && end > f->blocks.v[caller->spawns].span.start && same_receiver(b->p, e);
    if (caller->first_start != NONE && end <= caller->first_start && !round) return true;
    u32 lead = b->p->state->lead[e->caller];
    return lead != NONE && end <= lead && !f->blocks.v[f->calls.v[e->call].block].repeats &&
           runs_once(b, e->caller, ONCE_DEPTH);
}

/* Functions called only from main-program code that stands before the first start. */
static void before_start(Program *p, Arena *scratch)
{
    u32 n = p->state->nfuncs;
    Before b = {p, arena_new(scratch, u32, n + 1), arena_new(scratch, u32, n + 1)};
    u8 *seen = arena_new(scratch, u8, n + 1); /* 0 no caller, 1 all before a start, 2 not */
    for (u32 i = 0; i < p->edges.n; i++) {
        b.callers[p->edges.v[i].callee]++;
        b.caller[p->edges.v[i].callee] = i;
    }
    for (u32 round = 0; round < 3; round++) {
        memset(seen, 0, n);
        for (u32 i = 0; i < p->edges.n; i++) {
            const CallEdge *e = &p->edges.v[i];
            if (seen[e->callee] != 2) seen[e->callee] = edge_before(&b, e) ? 1 : 2;
        }
        for (u32 i = 0; i < n; i++)
            if (seen[i] == 1 && !p->funcs[i].nroots && !p->funcs[i].api && !p->funcs[i].later &&
                p->funcs[i].first_start == NONE)
                p->funcs[i].import_time = true; /* what starts a thread itself goes on beside that */
    }
}

typedef Vec(u32) FuncIds;

/* Does the call, which is made again and again, say so of what it calls? */
static void again_mark(Program *p, Arena *scratch, const CallEdge *e, FuncIds *marked)
{
    if (e->weak || e->call == NONE || p->funcs[e->callee].again || p->tests[e->file] || !same_receiver(p, e)) return;
    p->funcs[e->callee].again = true;
    vec_push(scratch, marked, e->callee);
}

/* What is called in a loop, with the same object each time, and what that calls. */
static void again_find(Program *p, Arena *scratch)
{
    FuncIds marked = {0};
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        const Facts *f = p->facts[e->file];
        if (e->call != NONE && f->blocks.v[f->calls.v[e->call].block].repeats) again_mark(p, scratch, e, &marked);
    }
    for (u32 i = 0; i < marked.n; i++)
        for (u32 k = p->edge_first[marked.v[i]]; k < p->edge_first[marked.v[i] + 1]; k++)
            again_mark(p, scratch, &p->edges.v[k], &marked);
}

void starts_find(Program *p)
{
    Arena scratch = {0};
    Map starting = starting_calls(p, &scratch);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->funcs.n; i++) order_func(p, &starting, file, i);
    leads_find(p);
    again_find(p, &scratch);
    arena_free(&scratch);
}

void order_find(Program *p)
{
    Arena scratch = {0};
    startup_find(p);
    before_start(p, &scratch);
    arena_free(&scratch);
}
