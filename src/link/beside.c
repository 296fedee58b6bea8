/* One place in the program that starts a thread, and two threads in what it runs.
 *
 *   t = Thread(target=work)          def handle(conn):
 *   t.start()                            Thread(target=serve, args=(conn,)).start()
 *   work()
 *   t.join()                         while True:
 *                                        handle(server.accept())
 *
 * On the left the starter runs the function as well while the thread is there: what it calls between the start and
 * the last join that it makes, and what its callers call after that when it makes none, with all that these calls
 * lead to. On the right the starter itself is called again, and does not wait. Fills FuncInfo.beside and
 * FuncInfo.others; needs roots, edges and the starts of order.c.
 *
 * Not followed: starts by another name than start(), more than LOOKED calls in all, callers of callers of callers. A
 * thread that is kept in an attribute is taken to be the only one of its object, and one that is started under a
 * condition to be missed. */
#include "link/link.h"

enum { CALLERS_UP = 2, CALLERS = 8, FOLLOWED = 3000, LOOKED = 20000000 };

typedef struct Beside {
    Program *p;
    Callers callers;
    u32 *seen, mark; /* by global func: the mark of the root that has come there */
    u32 *todo, n;    /* functions whose edges are still to be followed */
    u32 left;        /* calls that may still be looked at, for all roots */
    u8 *tries;       /* by file: does it hold tests or examples? 2: tests */
} Beside;

/* Is it a call that runs the callee here and now? */
static bool follows(const Beside *b, const CallEdge *e)
{
    if (e->weak || e->passed || e->param || e->kept || e->call == NONE) return false;
    return !b->tries[e->file] || !from_tests(b->p, e->file, e->callee);
}

static void reach(Beside *b, u32 gfunc)
{
    if (b->seen[gfunc] == b->mark || b->n == FOLLOWED) return;
    b->seen[gfunc] = b->mark;
    b->todo[b->n++] = gfunc;
}

/* What the function calls between the two offsets. */
static void calls_between(Beside *b, u32 gfunc, u32 from, u32 to)
{
    const Program *p = b->p;
    for (u32 i = p->edge_first[gfunc]; i < p->edge_first[gfunc + 1] && b->n < FOLLOWED && b->left; i++) {
        const CallEdge *e = &p->edges.v[i];
        b->left--;
        if (!follows(b, e)) continue;
        u32 at = p->facts[e->file]->calls.v[e->call].span.start;
        if (at >= from && at < to) reach(b, e->callee);
    }
}

/* After what the root's thread runs: the end of the call of start() that starts it, or of the call that hands it
 * over. */
static u32 started_at(const Program *p, const Root *r)
{
    const Facts *f = p->facts[r->file];
    const Call *made = &f->calls.v[r->call];
    Str ext = path_external(p, r->file, made->callee);
    if (!r->own && !str_starts(ext, S("threading."))) return made->span.end;
    const Func *fn = &f->funcs.v[made->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *x = &f->paths.v[f->calls.v[i].callee];
        if (f->calls.v[i].span.end < made->span.end || !path_is_attr(x)) continue;
        if (str_is(path_last(f, x), "start")) return f->calls.v[i].span.end;
    }
    return NONE; /* somebody else starts it */
}

/* What runs after a function that has left the thread running returns, in those who call it. */
static void after_calls(Beside *b, u32 gfunc, u32 up)
{
    const Program *p = b->p;
    u32 first = b->callers.first[gfunc], end = b->callers.first[gfunc + 1];
    for (u32 i = first; up && i < end && i - first < CALLERS; i++) {
        const CallEdge *e = &p->edges.v[b->callers.edge[i]];
        if (!follows(b, e)) continue;
        const FuncInfo *caller = &p->funcs[e->caller];
        u32 from = p->facts[e->file]->calls.v[e->call].span.end;
        bool waits = caller->last_join != NONE && caller->last_join > from;
        calls_between(b, e->caller, from, waits ? caller->last_join : NONE);
        if (!waits) after_calls(b, e->caller, up - 1);
    }
}

static void of_root(Beside *b, u32 root)
{
    const Program *p = b->p;
    const Root *r = &p->roots.v[root];
    if (r->call == NONE || r->func == NONE || r->main || r->loop || r->awaited || r->many) return;
    u32 starter = gfunc_of(p, r->file, p->facts[r->file]->calls.v[r->call].func), from = started_at(p, r);
    if (from == NONE || p->funcs[starter].event_loop) return;
    const FuncInfo *fi = &p->funcs[starter];
    bool waits = fi->last_join != NONE && fi->last_join > from;
    b->mark++;
    b->n = 0;
    calls_between(b, starter, from, waits ? fi->last_join : NONE);
    if (!waits) after_calls(b, starter, CALLERS_UP);
    for (u32 i = 0; i < b->n; i++) {
        FuncInfo *at = &b->p->funcs[b->todo[i]];
        for (u32 k = 0; k < at->nroots; k++)
            if (at->roots[k] == root) at->beside |= (u8)(1u << k);
        calls_between(b, b->todo[i], 0, NONE);
    }
}

/* ---- starters that are called again ---- */

/* d = Downloader(url); d.start(); d.join(): is there, after the call in the loop, one that may wait for the thread?
 */
static bool waits_after(const Facts *f, const Call *call)
{
    static const char *const names[] = {"join", "wait",      "stop",   "close", "shutdown",    "quit",
                                        "exit", "terminate", "result", "kill",  "communicate", "disconnect"};
    const Func *fn = &f->funcs.v[call->func];
    u32 loop = block_loop(f, call->block);
    for (u32 i = fn->calls; loop != NONE && i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *x = &f->paths.v[c->callee];
        if (c->span.start < call->span.end || !path_is_attr(x)) continue;
        if (!block_within(f, c->block, loop)) continue;
        if (str_among(path_last(f, x), names, COUNT_OF(names))) return true;
    }
    return false;
}

/* By global func: is it called in a loop, whatever the object, or by what is? Tests do so to try it. */
static u8 *several_find(const Beside *b, Arena *scratch)
{
    const Program *p = b->p;
    u8 *several = arena_new(scratch, u8, p->state->nfuncs + 1);
    Vec(u32) marked = {0};
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (several[e->callee] || b->tries[e->file] == 2 || !follows(b, e)) continue;
        const Facts *f = p->facts[e->file];
        const Call *c = &f->calls.v[e->call];
        if (!f->blocks.v[c->block].repeats || waits_after(f, c)) continue;
        several[e->callee] = 1;
        vec_push(scratch, &marked, e->callee);
    }
    for (u32 i = 0; i < marked.n; i++)
        for (u32 k = p->edge_first[marked.v[i]]; k < p->edge_first[marked.v[i] + 1]; k++) {
            const CallEdge *e = &p->edges.v[k];
            if (several[e->callee] || b->tries[e->file] == 2 || !follows(b, e)) continue;
            several[e->callee] = 1;
            vec_push(scratch, &marked, e->callee);
        }
    return several;
}

/* a(); a() one after the other, or two objects made and started in one function. */
static bool called_twice(const Beside *b, u32 gfunc)
{
    const Program *p = b->p;
    u32 first = b->callers.first[gfunc], end = b->callers.first[gfunc + 1];
    for (u32 i = first; i < end && i - first < CALLERS; i++) {
        const CallEdge *e = &p->edges.v[b->callers.edge[i]], *o;
        for (u32 k = i + 1; k < end && follows(b, e) && k - first < CALLERS; k++) {
            o = &p->edges.v[b->callers.edge[k]];
            const Facts *f = p->facts[e->file];
            if (o->caller != e->caller || o->call == e->call || !follows(b, o)) continue;
            u32 x = f->calls.v[e->call].block, y = f->calls.v[o->call].block;
            if (x == y && b->tries[e->file] != 2) return true;
        }
    }
    return false;
}

/* Does the thread start whenever its starter runs? */
static bool surely_started(const Program *p, const Root *r)
{
    const Facts *f = p->facts[r->file];
    for (u32 b = f->calls.v[r->call].block; b != NONE; b = f->blocks.v[b].parent) {
        u8 k = f->blocks.v[b].kind;
        if (k == BLOCK_THEN || k == BLOCK_ELSE || k == BLOCK_EXCEPT || k == BLOCK_CASE) return false;
    }
    return true;
}

/* By root: 1 when several of its threads run at once with one object, 2 when they do with different ones. */
static u8 again_of(const Beside *b, const u8 *several, const Root *r)
{
    const Program *p = b->p;
    if (r->call == NONE || r->func == NONE || r->main || r->loop || r->awaited || r->many || r->lane || r->chain)
        return 0;
    const Facts *f = p->facts[r->file];
    const Call *c = &f->calls.v[r->call];
    u32 starter = gfunc_of(p, r->file, c->func);
    const FuncInfo *fi = &p->funcs[starter];
    if (!c->func || fi->last_join != NONE || fi->event_loop || !surely_started(p, r)) return 0;
    bool method = f->funcs.v[c->func].self_class != NONE, twice = called_twice(b, starter);
    bool kept = c->target != NONE && (f->paths.v[c->target].nattr || f->paths.v[c->target].root == ROOT_GLOBAL);
    if (!kept && (fi->again || (twice && !method))) return r->own ? 2 : 1;
    return (several[starter] || twice) && (method || r->own) ? 2 : 0;
}

static void restarts_find(Beside *b, Arena *scratch)
{
    Program *p = b->p;
    const u8 *several = several_find(b, scratch);
    u8 *kind = arena_new(scratch, u8, p->roots.n + 1);
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) kind[i] = again_of(b, several, &p->roots.v[i]);
    for (u32 i = 0; i < p->state->nfuncs; i++)
        for (u32 k = 0; k < p->funcs[i].nroots; k++) {
            u8 bit = (u8)(1u << k);
            if (kind[p->funcs[i].roots[k]] == 1) p->funcs[i].beside |= bit;
            if (kind[p->funcs[i].roots[k]] == 2) p->funcs[i].others |= bit;
        }
}

void beside_find(Program *p)
{
    Arena scratch = {0};
    Beside b = {.p = p, .left = LOOKED, .seen = arena_new(&scratch, u32, p->state->nfuncs + 1)};
    b.todo = arena_new(&scratch, u32, FOLLOWED + 1);
    b.tries = arena_new(&scratch, u8, p->nfiles + 1);
    for (u32 i = 0; i < p->nfiles; i++) b.tries[i] = p->tests[i] ? 2 : p->examples[i];
    b.callers = callers_index(p, &scratch);
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) of_root(&b, i);
    restarts_find(&b, &scratch);
    arena_free(&scratch);
}
