/* Threads that have ended again when a call returns, fan out and wait, and what does not run beside them:
 *
 *   def run(urls):                                   def main():
 *       threads = [Thread(target=check, …) …]            run(urls)
 *       for t in threads: t.start()                      report()
 *       for t in threads: t.join()
 *
 * For each root the stretch of a function in which its threads run: of the one that starts them, or, when that does
 * not wait for them, of its only caller, which calls what waits. Where the main thread alone runs that function,
 * whatever else the main thread runs is ordered, but for what is called in the stretch, at any depth.
 *
 * Of a thread that has a name, t = Thread(…); t.start(); t.join(), the stretch is its own; of others it is that from
 * the first start to the last wait of the function. Needs roots, edges, and the starts of order.c. Not followed:
 * waits in the callers of callers of callers. */
#include "link/link.h"

enum { UP = 3, FOLLOWED = 2000, LOOKED = 2000000 };

struct Endings {
    Map during; /* (root, global func) → 1 when the stretch calls it */
    u32 *func;  /* by root: the function of the stretch; NONE when the threads may run on */
    Span *span;
};

typedef struct Ending {
    Program *p;
    struct Endings *e;
    Callers callers;
    u32 *seen, mark, *todo, n, left;
} Ending;

static bool same_path(const Path *x, const Path *on)
{
    return x->root == on->root && x->func == on->func && x->name == on->name && x->nattr == on->nattr + 1 &&
           memcmp(x->attr, on->attr, on->nattr * sizeof on->attr[0]) == 0;
}

static bool method_on(const Facts *f, const Call *c, const Path *on, const char *name)
{
    const Path *x = &f->paths.v[c->callee];
    return same_path(x, on) && x->attr[x->nattr - 1] != SYM_ITEM && str_is(path_last(f, x), name);
}

/* Where the name is next bound after `at`, in the function. */
static u32 bound_after(const Facts *f, const Path *x, u32 func, u32 at)
{
    u32 next = NONE;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE || d->func != func || d->span.start <= at) continue;
        const Path *q = &f->paths.v[d->path];
        if (q->root == x->root && q->func == x->func && q->name == x->name && !q->nattr)
            next = MIN(next, d->span.start);
    }
    return next;
}

/* The end of the last wait of the function that is not one for a single thread that has another name. */
static u32 waits_for_many(const Program *p, u32 file, const Func *fn, u32 from)
{
    const Facts *f = p->facts[file];
    u32 last = NONE;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *x = &f->paths.v[f->calls.v[i].callee];
        if (x->root == ROOT_LOCAL && x->nattr == 1 && thread_named(p, file, x)) continue;
        u32 end = wait_end(p, file, i, false);
        if (end != NONE && end > from) last = last == NONE ? end : MAX(last, end);
    }
    return last;
}

/* t = Thread(…); t.start(); …; t.join(): the stretch of a thread that a local of its starter holds. */
static bool named_span(const Program *p, const Root *r, Span *out)
{
    const Facts *f = p->facts[r->file];
    const Call *made = &f->calls.v[r->call];
    const Func *fn = &f->funcs.v[made->func];
    if (made->target == NONE || f->blocks.v[made->block].repeats) return false;
    const Path *x = &f->paths.v[made->target];
    if (x->root != ROOT_LOCAL || x->nattr || call_type(p, r->file, r->call).kind == TYPE_EXECUTOR) return false;
    u32 next = bound_after(f, x, made->func, made->span.end), start = NONE, end = NONE;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start < made->span.end || c->span.start >= next) continue;
        if (method_on(f, c, x, "start")) start = MIN(start, c->span.start);
        if (!method_on(f, c, x, "join")) continue;
        u32 e = wait_end(p, r->file, i, false);
        if (e != NONE) end = end == NONE ? e : MAX(end, e);
    }
    if (start == NONE) return false;
    if (end == NONE) end = waits_for_many(p, r->file, fn, start);
    *out = (Span){start, end};
    return true;
}

static void span_of(Program *p, Root *r)
{
    r->span = (Span){NONE, NONE};
    if (r->call == NONE || r->func == NONE || r->main || r->loop) return;
    const Call *c = &p->facts[r->file]->calls.v[r->call];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, r->file, c->func)];
    u32 end = wait_end(p, r->file, r->call, true);
    if (end != NONE)
        r->span = (Span){c->span.start, end};
    else if (!named_span(p, r, &r->span))
        r->span = (Span){fi->first_start, fi->last_join};
}

/* ---- what is called in the stretch ---- */

static void reach(Ending *w, u32 gfunc)
{
    if (w->seen[gfunc] == w->mark || w->n > FOLLOWED) return;
    w->seen[gfunc] = w->mark;
    w->todo[w->n++] = gfunc;
}

static void calls_between(Ending *w, u32 gfunc, Span s)
{
    const Program *p = w->p;
    for (u32 i = p->edge_first[gfunc]; i < p->edge_first[gfunc + 1] && w->n <= FOLLOWED && w->left; i++) {
        const CallEdge *e = &p->edges.v[i];
        w->left--;
        u32 at = e->call == NONE ? NONE : p->facts[e->file]->calls.v[e->call].span.start;
        if (at == NONE || (at >= s.start && at < s.end)) reach(w, e->callee);
    }
}

/* Does the main thread alone run the function? Coroutines leave it to others whenever they wait. */
static bool main_only(const Program *p, u32 gfunc)
{
    const FuncInfo *fi = &p->funcs[gfunc];
    return fi->main && !fi->nroots && !fi->api && !fi->event_loop;
}

/* The call after `from` by which the caller waits for what another call has started: workers.wait(). */
static u32 waiting_call(const Program *p, u32 gfunc, u32 from)
{
    u32 end = NONE;
    for (u32 i = p->edge_first[gfunc]; i < p->edge_first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[i];
        const FuncInfo *to = &p->funcs[e->callee];
        if (e->weak || e->call == NONE || to->first_start != NONE || to->last_join == NONE) continue;
        const Call *c = &p->facts[e->file]->calls.v[e->call];
        if (c->span.start >= from) end = end == NONE ? c->span.end : MAX(end, c->span.end);
    }
    return end;
}

/* From the starter to the function that waits; false when nobody in sight does. */
static bool stretch(const Ending *w, const Root *r, u32 *gfunc, Span *s)
{
    const Program *p = w->p;
    *gfunc = gfunc_of(p, r->file, p->facts[r->file]->calls.v[r->call].func);
    *s = r->span;
    for (u32 up = 0; up < UP && main_only(p, *gfunc); up++) {
        if (s->start == NONE) return false;
        if (s->end != NONE && s->end > s->start) return true;
        u32 first = w->callers.first[*gfunc], end = w->callers.first[*gfunc + 1];
        if (end - first != 1) return false;
        const CallEdge *e = &p->edges.v[w->callers.edge[first]];
        if (e->weak || e->call == NONE ||
            p->facts[e->file]->blocks.v[p->facts[e->file]->calls.v[e->call].block].repeats)
            return false;
        *s = (Span){p->facts[e->file]->calls.v[e->call].span.start, NONE};
        *gfunc = e->caller;
        const FuncInfo *fi = &p->funcs[e->caller];
        s->end =
            fi->last_join != NONE && fi->last_join > s->start ? fi->last_join : waiting_call(p, e->caller, s->start);
    }
    return main_only(p, *gfunc) && s->start != NONE && s->end != NONE && s->end > s->start;
}

static void of_root(Ending *w, u32 root)
{
    const Root *r = &w->p->roots.v[root];
    u32 gfunc;
    Span s;
    w->e->func[root] = NONE;
    if (r->span.start == NONE || r->func == NONE || !w->left || !stretch(w, r, &gfunc, &s)) return;
    w->mark++;
    w->n = 0;
    calls_between(w, gfunc, s);
    for (u32 i = 0; i < w->n && i <= FOLLOWED; i++) calls_between(w, w->todo[i], (Span){0, NONE});
    if (w->n > FOLLOWED || !w->left) return;
    w->e->func[root] = gfunc;
    w->e->span[root] = s;
    for (u32 i = 0; i < w->n; i++) map_put(w->p->arena, &w->e->during, map_key(root, w->todo[i]), 1);
}

void ended_find(Program *p)
{
    Arena scratch = {0};
    Ending w = {.p = p, .e = arena_new(p->arena, struct Endings, 1), .left = LOOKED};
    w.e->func = arena_new(p->arena, u32, p->roots.n + 1);
    w.e->span = arena_new(p->arena, Span, p->roots.n + 1);
    w.seen = arena_new(&scratch, u32, p->state->nfuncs + 1);
    w.todo = arena_new(&scratch, u32, FOLLOWED + 2);
    w.callers = callers_index(p, &scratch);
    for (u32 i = 0; i < p->roots.n; i++) {
        span_of(p, &p->roots.v[i]);
        of_root(&w, i);
    }
    p->state->ended = w.e;
    arena_free(&scratch);
}

/* Does the access of the starter stand before the start or after the wait for the root's threads? */
static bool outside(const Program *p, u32 ga, const Root *r)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    const Access *a = program_access(p, ga);
    if (fi->again && r->span.end == NONE) return false;
    if (fi->spawns != NONE && r->span.end == NONE) return before_threads(p, ga);
    return a->span.start < r->span.start || (r->span.end != NONE && a->span.start >= r->span.end);
}

/* Is the access, in the function of the stretch or in one that it does not call, made while no thread of the root
 * runs? */
static bool after_all(const Program *p, u32 root, u32 gfunc, const Access *a)
{
    const struct Endings *e = p->state->ended;
    if (!e || e->func[root] == NONE || !main_only(p, gfunc)) return false;
    if (e->func[root] == gfunc && (a->span.start < e->span[root].start || a->span.start >= e->span[root].end))
        return true;
    return e->func[root] != gfunc && map_get(&e->during, map_key(root, gfunc)) == NONE;
}

/* self.thread.join() stands before it in its own method. */
static bool after_join(const Program *p, u32 ga, const Root *r)
{
    u32 place = p->access_place[ga];
    if (place == NONE || p->places.v[place].kind != PLACE_INSTANCE || !main_only(p, access_func(p, ga))) return false;
    return joined_before(p, access_file(p, ga), program_access(p, ga), r);
}

Ended ended_beside(const Program *p, u32 ga, u32 gb)
{
    const Access *a = program_access(p, ga);
    u32 gfunc = access_func(p, ga), coming = roots_coming(p, gb);
    const FuncInfo *fb = &p->funcs[access_func(p, gb)];
    Ended all = fb->nroots && fb->nroots < FUNC_ROOTS ? ENDED_YES : ENDED_UNKNOWN;
    for (u32 i = 0; i < fb->nroots; i++) {
        if (!(coming & 1u << i)) continue;
        const Root *r = &p->roots.v[fb->roots[i]];
        bool starter = r->call != NONE && gfunc_of(p, r->file, p->facts[r->file]->calls.v[r->call].func) == gfunc;
        if (starter && r->span.start != NONE) {
            if (!outside(p, ga, r)) return ENDED_NO;
        } else if (!after_all(p, fb->roots[i], gfunc, a) && !after_join(p, ga, r))
            all = ENDED_UNKNOWN;
    }
    return all;
}
