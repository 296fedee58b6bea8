/* One section where a group's lock would be taken in every branch of an if.
 *
 *   if good:                               with self._lock:
 *       with self._lock:                       if good:
 *           self.ok += 1           →               self.ok += 1
 *   else:                                      else:
 *       with self._lock:                           self.failed += 1
 *           self.failed += 1
 *
 * The regions become the whole statement where all that its branches do is within regions of the group, the
 * conditions call nothing, and either there is an else, or the lock is taken right before or after. */
#include "fixes/fixes.h"

typedef struct Lift {
    Plan *pl;
    Work **works;
    u32 n, file, func;
    const Ast *t;
    u32 branch; /* the if statement */
} Lift;

static bool plain_region(const Region *r)
{
    bool small = r->claim || r->sum || r->ahead || r->taken || r->again.n;
    return !small && !r->problem.n && !r->copy.n && !r->name.n && !r->skip;
}

/* Is the statement within a region of the group that is no larger than the if statement itself? Where a larger one
 * holds all of it, nothing is to be lifted, and what that one is too large for must not count here. */
static bool held(const Lift *l, u32 stmt)
{
    const Node *x = &l->t->v[stmt], *whole = &l->t->v[l->branch];
    for (u32 i = 0; i < l->n; i++)
        for (u32 k = 0; k < l->works[i]->regions.n; k++) {
            const Region *r = &l->works[i]->regions.v[k];
            bool larger = r->span.start <= whole->start && whole->end <= r->span.end &&
                          r->span.end - r->span.start > whole->end - whole->start;
            if (r->file == l->file && r->func == l->func && plain_region(r) && !larger &&
                r->span.start <= x->start && x->end <= r->span.end)
                return true;
        }
    return false;
}

static bool suite_held(const Lift *l, u32 block)
{
    if (!ast_is(l->t, block, NODE_block)) return false;
    for (u32 n = ast_first(l->t, block); n != NONE; n = ast_after(l->t, n))
        if (!held(l, n)) return false;
    return true;
}

static bool calls_nothing(const Lift *l, u32 condition)
{
    const Node *x = &l->t->v[condition];
    for (u32 n = condition; n < l->t->n && l->t->v[n].start < x->end; n++)
        if (l->t->v[n].kind == NODE_call || l->t->v[n].kind == NODE_await || l->t->v[n].kind == NODE_yield)
            return false;
    return true;
}

/* Shall the lock be taken around the if statement instead? */
static bool liftable(Lift *l, u32 n)
{
    const Ast *t = l->t;
    bool whole = false;
    l->branch = n;
    if (!calls_nothing(l, ast_field(t, n, FIELD_condition)) || !suite_held(l, ast_field(t, n, FIELD_consequence)))
        return false;
    for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c)) {
        if (ast_is(t, c, NODE_elif_clause)) {
            if (!calls_nothing(l, ast_field(t, c, FIELD_condition)) ||
                !suite_held(l, ast_field(t, c, FIELD_consequence)))
                return false;
        } else if (ast_is(t, c, NODE_else_clause)) {
            if (!suite_held(l, ast_field(t, c, FIELD_body))) return false;
            whole = true;
        }
    }
    u32 prev = ast_before(t, n), next = ast_after(t, n);
    return whole || (prev != NONE && held(l, prev)) || (next != NONE && held(l, next));
}

static bool lift(Lift *l, Region *r)
{
    const Ast *t = l->t;
    u32 block = t->v[r->first].parent, n = block == NONE ? NONE : t->v[block].parent;
    if (ast_is(t, n, NODE_elif_clause) || ast_is(t, n, NODE_else_clause)) n = t->v[n].parent;
    if (!ast_is(t, block, NODE_block) || !ast_is(t, n, NODE_if_statement) || !liftable(l, n)) return false;
    Region whole = {.file = r->file, .func = r->func};
    Span span = {t->v[n].start, t->v[n].end};
    Str why;
    if (!region_make(l->pl, r->file, r->func, span, span, &whole, &why)) return false;
    r->first = whole.first;
    r->last = whole.last;
    r->span = whole.span;
    return true;
}

void regions_lift(Plan *pl, Work **works, u32 n)
{
    bool again = n > 0;
    for (u32 round = 0; again && round < 4; round++) {
        again = false;
        for (u32 i = 0; i < n; i++)
            for (u32 k = 0; k < works[i]->regions.n; k++) {
                Region *r = &works[i]->regions.v[k];
                if (!plain_region(r)) continue;
                Lift l = {pl, works, n, r->file, r->func, site_ast(pl, r->file), NONE};
                again |= lift(&l, r);
            }
    }
}
