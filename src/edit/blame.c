/* Which fixes to blame for a lock order that was not there before.
 *
 * A cycle among locks is broken when none of the ways is left that lead from one of its locks to the next. Each way
 * has two ends, the section that holds the one lock and the section that takes the other; a fix that makes one of
 * these sections can be left out. Of the cycle's edges the one is cut that costs the fewest findings. */
#include "edit/prove.h"

/* A set of fixes, as a flag for each, and what leaving them out would cost. */
typedef struct Cut {
    bool *in;
    u32 cost;
    bool whole; /* does it break what it is there for? */
} Cut;

static Cut cut_new(const Proof *v, Arena *a)
{
    return (Cut){arena_new(a, bool, v->fixes->fixes.n + 1), 0, true};
}

static u32 fix_cost(const Proof *v, const Fix *f)
{
    u32 n = 0;
    for (u32 i = 0; i < f->races.n; i++) n += 1 + v->races->v[f->races.v[i]].confidence;
    return n;
}

static void cut_add(const Proof *v, Cut *c, u32 fix)
{
    if (c->in[fix]) return;
    c->in[fix] = true;
    c->cost += fix_cost(v, &v->fixes->fixes.v[fix]);
}

/* Adds the wanted fixes with this lock that wrap or rewrite something between two offsets of the text before. */
static bool fixes_within(const Proof *v, Cut *c, u32 file, Str lock, Span s)
{
    bool found = false;
    for (u32 i = 0; i < v->fixes->fixes.n; i++) {
        const Fix *f = &v->fixes->fixes.v[i];
        if (!fix_wanted(v->fixes, i, v->w) || !str_eq(fix_lock_name(v, f), lock)) continue;
        for (u32 k = 0; k < f->intents.n; k++) {
            const Intent *in = &f->intents.v[k];
            if (in->file != file || in->kind == INTENT_NEED_IMPORT || in->kind == INTENT_NEED_LOCK) continue;
            if (in->span.start > s.end || in->span.end < s.start) continue;
            cut_add(v, c, i);
            found = true;
        }
    }
    return found;
}

/* The fixes that put the step's call under the lock that is held. */
static Cut holders(const Proof *v, Arena *a, const LockStep *s, Str lock)
{
    Cut c = cut_new(v, a);
    const Made *m = made_of(v, s->file);
    u32 fix = NONE, inner;
    if (m) offset_before(m, s->held, &fix);
    c.whole = fix != NONE;
    if (!c.whole) return c;
    u32 at = offset_before(m, s->at, &inner);
    if (!fixes_within(v, &c, s->file, lock, (Span){at, at})) cut_add(v, &c, fix);
    return c;
}

/* The fixes that make the section in which the step takes the other lock. */
static Cut takers(const Proof *v, Arena *a, const LockStep *s, Str lock)
{
    Cut c = cut_new(v, a);
    const Made *m = made_of(v, s->taken_file);
    u32 fix = NONE, end;
    u32 from = m ? offset_before(m, s->taken.start, &fix) : 0;
    c.whole = fix != NONE;
    if (!c.whole) return c;
    cut_add(v, &c, fix);
    fixes_within(v, &c, s->taken_file, lock, (Span){from, offset_before(m, s->taken.end, &end)});
    return c;
}

/* What leaves no way from one lock to another. */
static Cut edge_cut(const Proof *v, Arena *a, const Program *after, u32 from, u32 to)
{
    Cut c = cut_new(v, a);
    LockStep *steps;
    u32 n;
    lock_steps(a, after, from, to, &steps, &n);
    c.whole = n > 0;
    for (u32 i = 0; i < n && c.whole; i++) {
        Cut h = holders(v, a, &steps[i], after->locks.v[from].display);
        Cut t = takers(v, a, &steps[i], after->locks.v[to].display);
        const Cut *less = h.whole && (!t.whole || h.cost <= t.cost) ? &h : &t;
        c.whole = less->whole;
        for (u32 k = 0; k < v->fixes->fixes.n; k++)
            if (less->in[k]) cut_add(v, &c, k);
    }
    return c;
}

bool blame_cycle(Proof *v, const Program *after, const Race *r, Str why)
{
    Arena scratch = {0};
    Cut best = {0};
    for (u32 i = 0; i < r->norder; i++) {
        Cut c = edge_cut(v, &scratch, after, r->order[i], r->order[(i + 1) % r->norder]);
        if (c.whole && (!best.whole || c.cost < best.cost)) best = c;
    }
    for (u32 i = 0; best.whole && i < v->fixes->fixes.n; i++)
        if (best.in[i]) proof_drop(v, i, why);
    bool found = best.whole;
    arena_free(&scratch);
    return found;
}
