/* The order of all locks with a planned one among them.
 *
 * A graph over the program's locks: Y → X when X may be taken while Y is held, in the same function or further down,
 * calls by the mere name of a method included. A planned lock has what is held where its regions run, or by a caller
 * near or far, before it, and what its regions take after it; an existing one has its own neighbours too. When no
 * way leads from what comes after to what is before, taking it can close no cycle, and so no deadlock among locks.
 * Locks of two objects of one class count as one; code that is passed in and called is not followed. */
#include "fixes/fixes.h"

enum { LOCKS_MAX = 512, PLANS_MAX = 512, PAIRS_MAX = 200000 };

/* A call under a lock. */
typedef struct Under {
    u32 lock, callee;
} Under;

typedef struct LockOrder {
    u32 n;        /* the program's locks, and behind them new ones as they are planned */
    bool *before; /* n * n: [y * n + x]: y is held when x is taken */
    Vec(Under) calls;
} LockOrder;

static bool *edge(const LockOrder *o, u32 y, u32 x)
{
    return &o->before[(size_t)y * o->n + x];
}

static bool counts(const Plan *pl, u32 lock)
{
    return lock != NONE && pl->p->locks.v[lock].func == NONE;
}

static u32 real_lock(const Plan *pl, u32 lock)
{
    return pl->p->locks.v[lock].hoped ? pl->p->locks.v[lock].real : lock;
}

/* Calls under each lock, and locks taken under others in the same function. */
static void sections_read(Plan *pl, LockOrder *o, u32 file)
{
    const Facts *f = pl->p->facts[file];
    const u32 *lock = pl->p->section_lock + pl->p->section_base[file];
    for (u32 i = 0; i < f->sections.n; i++) {
        const Section *s = &f->sections.v[i];
        if (!counts(pl, lock[i])) continue;
        const Func *fn = &f->funcs.v[s->func];
        for (u32 k = fn->sections; k < fn->sections + fn->nsections; k++)
            if (counts(pl, lock[k]) && s->span.start <= f->sections.v[k].stmt &&
                f->sections.v[k].stmt < s->span.end && lock[k] != lock[i])
                *edge(o, lock[i], lock[k]) = true;
        u32 g = gfunc_of(pl->p, file, s->func);
        for (u32 k = pl->p->edge_first[g]; k < pl->p->edge_first[g + 1] && o->calls.n < PAIRS_MAX; k++) {
            const CallEdge *e = &pl->p->edges.v[k];
            Span at = e->call == NONE ? s->span : f->calls.v[e->call].span;
            if (s->span.start <= at.start && at.end <= s->span.end)
                vec_push(pl->a, &o->calls, (Under){lock[i], e->callee});
        }
    }
}

/* Marks the functions that may lead to those in the stack, which are marked. */
static void callers_mark(Plan *pl, u32 mark, u32 *stack, u32 n)
{
    while (n) {
        u32 g = stack[--n];
        for (u32 i = pl->caller_first[g]; i < pl->caller_first[g + 1]; i++) {
            u32 caller = pl->p->edges.v[pl->caller_edge[i]].caller;
            if (pl->mark[caller] == mark) continue;
            pl->mark[caller] = mark;
            stack[n++] = caller;
        }
    }
}

static LockOrder *order_make(Plan *pl)
{
    LockOrder *o = arena_new(pl->a, LockOrder, 1);
    if (pl->p->locks.n > LOCKS_MAX) return o;
    o->n = pl->p->locks.n + PLANS_MAX;
    o->before = arena_new(pl->a, bool, (size_t)o->n * o->n + 1);
    for (u32 file = 0; file < pl->p->nfiles; file++) sections_read(pl, o, file);
    u32 *stack = arena_new(pl->a, u32, pl->nfuncs + 1);
    for (u32 x = 0; x < pl->p->locks.n; x++) {
        u32 mark = mark_takers(pl, x), n = 0;
        if (pl->taker_first[x] == pl->taker_first[x + 1]) continue;
        for (u32 i = pl->taker_first[x]; i < pl->taker_first[x + 1]; i++) stack[n++] = pl->taker[i];
        callers_mark(pl, mark, stack, n);
        for (u32 i = 0; i < o->calls.n; i++)
            if (o->calls.v[i].lock != x && pl->mark[o->calls.v[i].callee] == mark)
                *edge(o, o->calls.v[i].lock, x) = true;
    }
    return o;
}

/* ---- the planned lock ---- */

/* Locks held where the regions run: there, or at a call that leads to their functions. */
static void held_find(Plan *pl, const LockOrder *o, bool *held)
{
    u32 mark = ++pl->marks, n = 0;
    u32 *stack = arena_new(pl->a, u32, pl->nfuncs + 1);
    for (u32 w = 0; w < pl->ngroup; w++)
        for (u32 i = 0; i < pl->group[w]->regions.n; i++) {
            const Region *r = &pl->group[w]->regions.v[i];
            const LockSet *set = &pl->p->locksets.v[pl->p->access_locks[r->access]];
            for (u32 k = 0; k < set->n; k++)
                if (counts(pl, real_lock(pl, set->ids[k]))) held[real_lock(pl, set->ids[k])] = true;
            u32 g = gfunc_of(pl->p, r->file, r->func);
            if (pl->mark[g] == mark) continue;
            pl->mark[g] = mark;
            stack[n++] = g;
        }
    callers_mark(pl, mark, stack, n);
    for (u32 i = 0; i < o->calls.n; i++)
        if (pl->mark[o->calls.v[i].callee] == mark) held[o->calls.v[i].lock] = true;
}

static void taken_below(Plan *pl, u32 g, u32 mark, bool *taken)
{
    if (pl->mark[g] == mark) return;
    pl->mark[g] = mark;
    GId id = func_gid(pl->p, g);
    const Func *fn = &pl->p->facts[id.file]->funcs.v[id.id];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        u32 lock = pl->p->section_lock[pl->p->section_base[id.file] + i];
        if (counts(pl, lock)) taken[lock] = true;
    }
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1]; i++)
        taken_below(pl, pl->p->edges.v[i].callee, mark, taken);
}

/* Locks that the regions take, themselves or by what they call. */
static void taken_find(Plan *pl, bool *taken)
{
    u32 mark = ++pl->marks;
    for (u32 w = 0; w < pl->ngroup; w++)
        for (u32 i = 0; i < pl->group[w]->regions.n; i++) {
            const Region *r = &pl->group[w]->regions.v[i];
            const Facts *f = pl->p->facts[r->file];
            if (r->problem.n) continue;
            for (u32 k = 0; k < f->sections.n; k++) {
                u32 lock = pl->p->section_lock[pl->p->section_base[r->file] + k];
                if (f->sections.v[k].func == r->func && counts(pl, lock) && r->span.start <= f->sections.v[k].stmt &&
                    f->sections.v[k].stmt < r->span.end)
                    taken[lock] = true;
            }
            u32 g = gfunc_of(pl->p, r->file, r->func);
            for (u32 k = pl->p->edge_first[g]; k < pl->p->edge_first[g + 1]; k++) {
                const CallEdge *e = &pl->p->edges.v[k];
                Span at = e->call == NONE ? r->span : f->calls.v[e->call].span;
                if (r->span.start <= at.start && at.end <= r->span.end) taken_below(pl, e->callee, mark, taken);
            }
        }
}

/* Does a way lead from one of `from` to one of `to`? */
static bool way_between(Plan *pl, const LockOrder *o, const bool *from, const bool *to)
{
    bool *seen = arena_new(pl->a, bool, o->n + 1);
    u32 *stack = arena_new(pl->a, u32, o->n + 1), n = 0;
    for (u32 i = 0; i < o->n; i++)
        if (from[i]) {
            seen[i] = true;
            stack[n++] = i;
        }
    while (n) {
        u32 y = stack[--n];
        if (to[y]) return true;
        for (u32 x = 0; x < o->n; x++)
            if (*edge(o, y, x) && !seen[x]) {
                seen[x] = true;
                stack[n++] = x;
            }
    }
    return false;
}

/* Other locks that are planned stand in the graph as far as they were asked about before. */
static void order_add(LockOrder *o, u32 lock, const bool *held, const bool *taken)
{
    for (u32 i = 0; i < o->n; i++) {
        if (i == lock) continue;
        *edge(o, i, lock) |= held[i];
        *edge(o, lock, i) |= taken[i];
    }
}

void order_ask(Plan *pl, u32 plan)
{
    const LockPlan *l = &pl->out->locks.v[plan];
    if (!pl->order) pl->order = order_make(pl);
    LockOrder *o = pl->order;
    pl->allowed = false;
    u32 node = l->existing ? l->lock : pl->p->locks.n + plan;
    if (!o->before || o->calls.n >= PAIRS_MAX || node >= o->n) return;
    bool *held = arena_new(pl->a, bool, o->n + 1), *taken = arena_new(pl->a, bool, o->n + 1);
    held_find(pl, o, held);
    taken_find(pl, taken);
    for (u32 i = 0; l->existing && i < o->n; i++) {
        held[i] |= *edge(o, i, node);
        taken[i] |= *edge(o, node, i);
    }
    held[node] = taken[node] = false;
    pl->allowed = !way_between(pl, o, taken, held);
    if (pl->allowed) order_add(o, node, held, taken);
}
