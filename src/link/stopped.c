/* Order by a method that waits for its object's thread:
 *
 *   collector.stop()                        class Collector:
 *   for name in collector.found: …              def stop(self):
 *                                                   self.running = False
 *                                                   self.thread.join()
 *
 * What the caller does afterwards does not run beside that thread.
 *
 * Needs the call edges and which attribute holds the thread (thread_kept_as). Such a join must be made on each way
 * through the method, but for those without a thread, or with one that has ended. One call of each function is looked
 * at, the first; what stands in the same block after it, or within that, is ordered, up to a start that is seen. */
#include "link/link.h"

enum { HANDS = 3 }; /* stop() calls join(), which joins */

struct Stopped {
    u32 *joins; /* by global func: the attribute whose thread it joins, a symbol of its file; NONE */
    u32 *edge;  /* by global func: the first edge from it to such a function, NONE */
    u32 *start; /* by global func: where a thread is started after that, as far as one call deep; NONE */
};

/* `self.thread`, `self.thread is not None`, `self.is_alive()`, or that the caller is another thread. */
static bool asks_once(Str test, Str thread)
{
    Str self = S("self.");
    if (str_contains(test, S("current_thread()"))) return true;
    if (!str_starts(test, self)) return false;
    if (str_ends(test, S("alive()"))) return true;
    if (!str_starts(str_slice(test, self.n, test.n), thread)) return false;
    Str rest = str_trim(str_slice(test, self.n + thread.n, test.n));
    return !rest.n || str_is(rest, "is not None");
}

/* Is there a thread that runs? Each part of the test must ask for that and for nothing else. */
static bool asks_for_thread(Str test, Str thread)
{
    Str both = S(" and ");
    for (size_t at; (at = str_search(test, both)) < test.n; test = str_slice(test, at + both.n, test.n))
        if (!asks_once(str_trim(str_slice(test, 0, at)), thread)) return false;
    return asks_once(str_trim(test), thread);
}

static Str head_of(const Facts *f, u32 cond)
{
    Span head = cond == NONE ? (Span){0, 0} : f->conds.v[cond].head;
    return str_slice(f->source->text, head.start, head.end);
}

/* Does a way lead out of the function before the call, other than where there is no thread? */
static bool may_leave(const Facts *f, const Call *c, Str thread)
{
    const Func *fn = &f->funcs.v[c->func];
    for (u32 b = fn->block; b < f->blocks.n && f->blocks.v[b].span.start < c->span.start; b++) {
        const Block *x = &f->blocks.v[b];
        if (x->func != c->func || !x->exits || x->span.end > c->span.start || x->kind != BLOCK_THEN) continue;
        if (!str_contains(head_of(f, x->cond), thread)) return true;
    }
    return false;
}

/* Is the call made always, or where there is a thread that runs? */
static bool made_always(const Facts *f, const Call *c, Str thread)
{
    if (f->blocks.v[c->block].repeats || may_leave(f, c, thread)) return false;
    for (u32 b = c->block; b != NONE; b = f->blocks.v[b].parent) {
        const Block *x = &f->blocks.v[b];
        if (x->kind == BLOCK_ELSE || x->kind == BLOCK_EXCEPT || x->kind == BLOCK_CASE) return false;
        if (x->kind != BLOCK_THEN) continue;
        if (!asks_for_thread(head_of(f, x->cond), thread)) return false;
    }
    return true;
}

/* self.thread.join() in the function: the attribute, or NONE. */
static u32 joined_in(const Facts *f, const Func *fn, u32 join)
{
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *x = &f->paths.v[c->callee];
        if (x->root != ROOT_SELF || x->nattr != 2 || x->attr[1] != join || c->nargs) continue;
        if (made_always(f, c, sym_str(f, x->attr[0]))) return x->attr[0];
    }
    return NONE;
}

static bool by_self(const Program *p, const CallEdge *e)
{
    const Facts *f = p->facts[e->file];
    const Path *x = &f->paths.v[f->calls.v[e->call].callee];
    return (x->root == ROOT_SELF || x->root == ROOT_SUPER) && x->nattr <= 1;
}

static void find_edges(const Program *p, struct Stopped *s)
{
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->weak || e->call == NONE || s->joins[e->callee] == NONE) continue;
        const Facts *f = p->facts[e->file];
        const Call *c = &f->calls.v[e->call];
        u32 *first = &s->edge[e->caller];
        if (*first == NONE || c->span.start < f->calls.v[p->edges.v[*first].call].span.start) *first = i;
        bool hands_on = by_self(p, e) && func_gid(p, e->callee).file == e->file;
        Str thread = hands_on ? sym_str(f, s->joins[e->callee]) : S("");
        if (hands_on && s->joins[e->caller] == NONE && made_always(f, c, thread))
            s->joins[e->caller] = s->joins[e->callee];
    }
}

/* Where the stop that was found ends, NONE without one. */
static u32 stop_end(const Program *p, const struct Stopped *s, u32 gfunc)
{
    if (s->edge[gfunc] == NONE) return NONE;
    const CallEdge *e = &p->edges.v[s->edge[gfunc]];
    return p->facts[e->file]->calls.v[e->call].span.end;
}

static void find_starts(const Program *p, struct Stopped *s)
{
    for (u32 i = 0; i < p->state->nfuncs; i++) {
        u32 first = p->funcs[i].first_start, end = stop_end(p, s, i);
        s->start[i] = end != NONE && first != NONE && first >= end ? first : NONE;
    }
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        u32 end = stop_end(p, s, e->caller);
        if (end == NONE || e->call == NONE || p->funcs[e->callee].first_start == NONE) continue;
        u32 at = p->facts[e->file]->calls.v[e->call].span.start;
        if (at >= end) s->start[e->caller] = MIN(s->start[e->caller], at);
    }
}

void stopped_find(Program *p)
{
    struct Stopped *s = arena_new(p->arena, struct Stopped, 1);
    s->joins = arena_new(p->arena, u32, p->state->nfuncs + 1);
    s->edge = arena_new(p->arena, u32, p->state->nfuncs + 1);
    bool any = false;
    s->start = arena_new(p->arena, u32, p->state->nfuncs + 1);
    for (u32 i = 0; i < p->state->nfuncs; i++) s->joins[i] = s->edge[i] = NONE;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        u32 join = intern_find(&f->syms, S("join"));
        for (u32 i = 1; join != NONE && i < f->funcs.n; i++) {
            bool restarts = p->funcs[gfunc_of(p, file, i)].first_start != NONE;
            u32 attr = restarts ? NONE : joined_in(f, &f->funcs.v[i], join);
            s->joins[gfunc_of(p, file, i)] = attr;
            any |= attr != NONE;
        }
    }
    if (!any) return;
    for (u32 i = 0; i < HANDS; i++) find_edges(p, s);
    find_starts(p, s);
    p->state->stopped = s;
}

/* Is each thread that comes to the access one that the attribute of the file holds? */
static bool all_kept_as(const Program *p, u32 ga, u32 file, u32 attr)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    u32 coming = roots_coming(p, ga);
    for (u32 i = 0; i < fi->nroots; i++)
        if (coming & 1u << i && thread_kept_as(p, &p->roots.v[fi->roots[i]], file) != attr) return false;
    return coming;
}

/* collector.stop() and collector.found: are both of one object, by their names? */
static bool of_one_object(const Path *call, const Path *access)
{
    return call->nattr && call->nattr == access->nattr && !call->truncated && call->root == access->root &&
           call->func == access->func && call->name == access->name &&
           memcmp(call->attr, access->attr, (call->nattr - 1u) * sizeof *call->attr) == 0;
}

bool stopped_before(const Program *p, u32 ga, u32 gb)
{
    const struct Stopped *s = p->state->stopped;
    u32 func = access_func(p, ga), place = p->access_place[ga];
    if (!s || s->edge[func] == NONE || p->funcs[func].nroots || place == NONE) return false;
    if (p->places.v[place].kind != PLACE_INSTANCE) return false;
    const CallEdge *e = &p->edges.v[s->edge[func]];
    const Facts *f = p->facts[e->file];
    const Call *c = &f->calls.v[e->call];
    const Access *a = program_access(p, ga);
    if (a->span.start < c->span.end || !block_within(f, a->block, c->block)) return false;
    if (s->start[func] <= a->span.start || !of_one_object(&f->paths.v[c->callee], &f->paths.v[a->path])) return false;
    GId g = func_gid(p, e->callee);
    u32 cls = p->facts[g.file]->funcs.v[g.id].self_class, owner = p->places.v[place].owner;
    if (cls == NONE) return false;
    cls = gclass_of(p, g.file, cls);
    if (!class_is_a(p, owner, cls) && !class_is_a(p, cls, owner)) return false;
    return all_kept_as(p, gb, g.file, s->joins[e->callee]);
}
