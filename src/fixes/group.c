/* Which places share a lock, and the lock of each group: the end of planner "guard".
 *
 * Places whose regions overlap, or that change in neighbouring statements, get one lock; so do fields of one object
 * that one method changes, where none of their sections does more. Works that cannot name it,
 * although they only stand beside the others, are planned by themselves. A new lock that would be taken before and
 * after another one declines the group. */
#include "fixes/fixes.h"

static u32 group_root(const Plan *pl, u32 i)
{
    while (pl->works.v[i].group != i) i = pl->works.v[i].group;
    return i;
}

/* Do the regions overlap, or stand one right after the other in one block? */
static bool regions_meet(Plan *pl, const Region *x, const Region *y)
{
    if (x->problem.n || y->problem.n || x->copy.n || y->copy.n || x->file != y->file || x->func != y->func)
        return false;
    if (x->span.start < y->span.end && y->span.start < x->span.end) return true;
    const Ast *t = site_ast(pl, x->file);
    return ast_after(t, x->last) == y->first || ast_after(t, y->last) == x->first;
}

/* The lock that a work must have, or most likely gets: that of its findings, of a comment, of the guard table. */
static u32 wanted_lock(const Plan *pl, const Work *w)
{
    u32 named = race_lock(pl, w);
    const Place *p = &pl->p->places.v[w->place];
    return named != NONE ? named : p->declared_guard != NONE ? p->declared_guard : p->guard;
}

/* Different locks that exist already stay different, also where a work without one stands between two. */
static bool locks_differ(const Plan *pl, u32 a, u32 b)
{
    u32 x = pl->wanted[a], y = pl->wanted[b];
    return x != NONE && y != NONE && x != y;
}

static bool works_overlap(const Work *a, const Work *b)
{
    for (u32 i = 0; i < a->regions.n; i++)
        for (u32 k = 0; k < b->regions.n; k++) {
            const Region *x = &a->regions.v[i], *y = &b->regions.v[k];
            if (x->file == y->file && x->span.start < y->span.end && y->span.start < x->span.end) return true;
        }
    return false;
}

/* State that changes in the same or in neighbouring statements. */
static bool together(Plan *pl, const Work *a, const Work *b)
{
    for (u32 i = 0; i < a->regions.n; i++)
        for (u32 k = 0; k < b->regions.n; k++)
            if (regions_meet(pl, &a->regions.v[i], &b->regions.v[k])) return true;
    return false;
}

/* Does the work only change its state, in sections that call nothing slow and nobody else? */
static bool only_changes(Plan *pl, const Work *w)
{
    Str why;
    for (u32 i = 0; i < w->regions.n; i++) {
        const Region *r = &w->regions.v[i];
        if (r->problem.n || r->claim || r->taken || r->again.n) return false;
        if (!r->copy.n && no_blocking(pl, w, r, NULL, &why) != VERDICT_OK) return false;
    }
    return true;
}

/* Fields of one object that change in one method, and of which it only keeps count. */
static bool one_object(Plan *pl, const Work *a, const Work *b)
{
    const Place *x = &pl->p->places.v[a->place], *y = &pl->p->places.v[b->place];
    if (x->kind != PLACE_INSTANCE || y->kind != PLACE_INSTANCE || x->owner != y->owner) return false;
    bool method = false;
    for (u32 i = 0; i < a->regions.n && !method; i++)
        for (u32 k = 0; k < b->regions.n && !method; k++)
            method = a->regions.v[i].race && b->regions.v[k].race && a->regions.v[i].file == b->regions.v[k].file &&
                     a->regions.v[i].func == b->regions.v[k].func;
    return method && only_changes(pl, a) && only_changes(pl, b);
}

static void works_group(Plan *pl)
{
    pl->wanted = arena_new(pl->a, u32, pl->works.n + 1);
    for (u32 i = 0; i < pl->works.n; i++) {
        pl->works.v[i].group = i;
        pl->wanted[i] = pl->works.v[i].page && !pl->works.v[i].done ? wanted_lock(pl, &pl->works.v[i]) : NONE;
    }
    for (u32 i = 0; i < pl->works.n; i++) {
        const Work *a = &pl->works.v[i];
        if (!a->page || a->done) continue;
        for (u32 k = i + 1; k < pl->works.n; k++) {
            const Work *b = &pl->works.v[k];
            u32 x = group_root(pl, i), y = group_root(pl, k);
            if (!b->page || b->done || x == y || locks_differ(pl, x, y)) continue;
            if (!together(pl, a, b) && !one_object(pl, a, b)) continue;
            pl->works.v[MAX(x, y)].group = MIN(x, y);
            pl->wanted[MIN(x, y)] = pl->wanted[x] != NONE ? pl->wanted[x] : pl->wanted[y];
        }
    }
}

/* ---- the lock of a group ---- */

/* Does a region of the group reach code that takes this lock, without holding it already? */
static bool takes_inside(Plan *pl, Work **works, u32 n, u32 lock)
{
    u32 mark = mark_takers(pl, lock);
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            if (r->problem.n || lockset_has(pl->p, pl->p->access_locks[r->access], lock)) continue;
            if (takes_directly(pl, r->file, r->func, r->span, lock)) return true;
            if (reach_from(pl, r->file, r->func, r->span, mark) == REACH_YES) return true;
        }
    return false;
}

/* A lock held around one region and taken inside another would be taken before and after the new one. */
static Str order_problem(Plan *pl, Work **works, u32 n)
{
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const LockSet *held = &pl->p->locksets.v[pl->p->access_locks[works[i]->regions.v[k].access]];
            for (u32 h = 0; h < held->n; h++)
                if (takes_inside(pl, works, n, held->ids[h]))
                    return str_fmt(pl->a, "a new lock and %.*s would be taken in both orders",
                                   STR_ARG(pl->p->locks.v[held->ids[h]].display));
        }
    return S("");
}

static void group_decline(Plan *pl, Work *w, Str why)
{
    w->problem = why;
    Fix *f = fix_add(pl, w->page, w);
    f->declined = true;
    f->reason = why;
}

/* Can every race of the work name the lock? */
static bool lock_nameable(Plan *pl, Work *w, u32 lock)
{
    for (u32 i = 0; i < w->regions.n; i++) {
        Region r = w->regions.v[i];
        Fix nothing = {0};
        Str why;
        if (r.race && !r.problem.n && !lock_expression(pl, lock, w, &r, &nothing, &why)) return false;
    }
    return true;
}

static bool overlaps_any(const Work *w, Work **works, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (works_overlap(w, works[i])) return true;
    return false;
}

/* Moves the works that cannot name the lock, or should not be guarded by it, to the end, unless their regions overlap
 * those of the others: they get a lock of their own. Returns how many stay. */
static u32 group_split(Plan *pl, Work **works, u32 n, u32 lock)
{
    u32 stay = 0;
    for (u32 i = 0; i < n; i++) {
        Work *w = works[i];
        if (!lock_nameable(pl, w, lock) || lock_stranger(pl, w, lock)) continue;
        for (u32 k = i; k > stay; k--) works[k] = works[k - 1];
        works[stay++] = w;
    }
    for (u32 i = stay; i < n && stay; i++)
        if (overlaps_any(works[i], works, stay)) {
            Work *w = works[i];
            works[i] = works[stay];
            works[stay++] = w;
        }
    return stay ? stay : n;
}

/* Is the region an update alone, such as `self.free -= n`? */
static bool only_updates(Plan *pl, const Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    u8 op = program_access(pl->p, r->access)->op;
    if (r->first != r->last || r->copy.n || r->taken || !ast_is(t, r->first, NODE_expression_statement)) return false;
    return op == OP_AUG || (op == OP_STORE && r->test != NONE);
}

/* Do both add or take away the same, which is no number that stands there? */
static bool same_operand(Plan *pl, const Region *r, const Region *o)
{
    const Ast *t = site_ast(pl, r->file);
    u32 a = ast_field(t, ast_first(t, r->first), FIELD_right), b = ast_field(t, ast_first(t, o->first), FIELD_right);
    if (a == NONE || b == NONE || ast_is(t, a, NODE_integer) || ast_is(t, a, NODE_float)) return false;
    return str_eq(ast_text(t, a), ast_text(t, b));
}

/* self.size += n; self.free += n: fields of one object that are kept in step, by the same number, or wherever one of
 * them changes. */
static bool in_step(Plan *pl, const Work *a, const Work *b)
{
    const Place *x = &pl->p->places.v[a->place], *y = &pl->p->places.v[b->place];
    u32 n = 0;
    if (x->kind != y->kind || x->owner != y->owner || x->owner == NONE) return false;
    for (u32 i = 0; i < a->regions.n; i++)
        for (u32 k = 0; k < b->regions.n; k++) {
            const Region *r = &a->regions.v[i], *o = &b->regions.v[k];
            if (r->file != o->file || r->func != o->func || !only_updates(pl, r) || !only_updates(pl, o)) continue;
            const Ast *t = site_ast(pl, r->file);
            if (ast_after(t, r->last) != o->first && ast_after(t, o->last) != r->first) continue;
            if (same_operand(pl, r, o) || ++n > 1) return true;
        }
    return false;
}

/* Of fields that are kept in step one alone under the lock is worth little: who looks at the fix for one looks at
 * both. first: the fix of the first work. */
static void halves_caution(Plan *pl, Work **works, u32 n, u32 first)
{
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < n; k++) {
            Fix *f = &pl->out->fixes.v[first + i];
            const Fix *o = &pl->out->fixes.v[first + k];
            if (f->declined || f->safety != FIX_SAFE || (!o->declined && o->safety == FIX_SAFE)) continue;
            if (!in_step(pl, works[i], works[k])) continue;
            Str name = pl->p->syms.strs[pl->p->places.v[works[k]->place].name];
            fix_caution(f, FIX_UNSAFE,
                        str_fmt(pl->a, "%.*s changes in step with it, and cannot be guarded for sure: %.*s",
                                STR_ARG(name), STR_ARG(o->reason)));
        }
}

/* One lock for all; those that cannot use it, although they only stand beside the others, are planned by
 * themselves. */
static void group_plan(Plan *pl, Work **works, u32 n)
{
    Str why = S("");
    u32 lock = lock_choose(pl, works, n, &why), stay = n;
    if (lock != NONE) stay = group_split(pl, works, n, lock);
    if (lock != NONE && !pl->out->locks.v[lock].existing) why = order_problem(pl, works, stay);
    pl->group = works;
    pl->ngroup = stay;
    pl->allowed = false;
    if (lock != NONE && !why.n) order_ask(pl, lock);
    if (!why.n) regions_lift(pl, works, stay);
    u32 first = pl->out->fixes.n;
    for (u32 i = 0; i < stay; i++) {
        works[i]->done = true;
        if (why.n)
            group_decline(pl, works[i], why);
        else
            work_plan(pl, works[i], lock);
    }
    if (lock != NONE && !why.n) lock_settle(pl, lock, works, stay);
    if (lock != NONE) promotion_settle(pl, lock);
    if (lock != NONE && !why.n && !pl->out->locks.v[lock].existing) halves_caution(pl, works, stay, first);
    pl->ngroup = 0;
    pl->allowed = false;
    if (stay < n) group_plan(pl, works + stay, n - stay);
}

/* Fields of one object that change one right after the other are read together under their lock, too. */
static void pairs_add(Plan *pl)
{
    for (u32 i = 0; i < pl->works.n; i++) pl->works.v[i].group = group_root(pl, i);
    for (u32 i = 0; i < pl->works.n; i++)
        for (u32 k = i + 1; k < pl->works.n; k++) {
            Work *a = &pl->works.v[i], *b = &pl->works.v[k];
            if (!a->page || a->done || !b->page || b->done || group_root(pl, i) != group_root(pl, k)) continue;
            const Place *x = &pl->p->places.v[a->place], *y = &pl->p->places.v[b->place];
            bool fields = x->kind == PLACE_INSTANCE && y->kind == PLACE_INSTANCE && x->owner == y->owner;
            if (fields && together(pl, a, b)) pair_readers(pl, a, b);
        }
}

void guard_finish(Plan *pl)
{
    works_group(pl);
    pairs_add(pl);
    Work **group = arena_new(pl->a, Work *, pl->works.n + 1);
    for (u32 i = 0; i < pl->works.n; i++) {
        if (!pl->works.v[i].page || pl->works.v[i].done) continue;
        u32 n = 0;
        for (u32 k = i; k < pl->works.n; k++)
            if (pl->works.v[k].page && !pl->works.v[k].done && group_root(pl, k) == group_root(pl, i))
                group[n++] = &pl->works.v[k];
        group_plan(pl, group, n);
    }
}
