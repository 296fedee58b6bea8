/* A counter of depth: how many are inside, with something to be done by the first who comes and the last who goes.
 *
 *   if self.depth == 0:                    with self._depth_lock:
 *       self.begin()                           if self.depth == 0:
 *   self.depth += 1                   →            self.begin()
 *                                              self.depth += 1
 *
 * The update alone under a lock counts right, and still lets two threads both begin, or one end while another begins.
 * So the lock is held over the test and what it leads to, where the counter goes up and down by one and is compared
 * with nothing but zero before or after its updates; what stands in the branch is judged as any critical section. */
#include "fixes/fixes.h"

/* X += 1 or X -= 1: which one, as +1 or -1; 0 for other statements. */
static int step_of(const Ast *t, u32 stmt)
{
    u32 n = ast_is(t, stmt, NODE_expression_statement) ? ast_first(t, stmt) : NONE;
    if (!ast_is(t, n, NODE_augmented_assignment) || !str_is(ast_text(t, ast_field(t, n, FIELD_right)), "1")) return 0;
    return ast_token(t, n, "+=") ? 1 : ast_token(t, n, "-=") ? -1 : 0;
}

/* Is the statement an if that asks of the counter, written as in the update, whether it is zero? */
static bool asks_zero(const Ast *t, u32 n, Str counter)
{
    if (!ast_is(t, n, NODE_if_statement)) return false;
    u32 cond = ast_field(t, n, FIELD_condition);
    if (ast_is(t, cond, NODE_not_operator)) cond = ast_field(t, cond, FIELD_argument);
    if (str_eq(ast_text(t, cond), counter)) return true;
    u32 left = ast_is(t, cond, NODE_comparison_operator) ? ast_first(t, cond) : NONE;
    u32 right = left == NONE ? NONE : ast_after(t, left);
    return right != NONE && ast_after(t, right) == NONE && str_eq(ast_text(t, left), counter) &&
           str_is(ast_text(t, right), "0");
}

static Str counter_of(const Ast *t, u32 stmt)
{
    return ast_text(t, ast_field(t, ast_first(t, stmt), FIELD_left));
}

/* Does the place go up and down by one, and does the first who comes find out before the update that it is one? */
static bool counts_depth(Plan *pl, u32 place)
{
    const Place *p = &pl->p->places.v[place];
    bool up = false, down = false, first = false;
    if (p->type.kind != TYPE_NUMBER) return false;
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 ga = pl->p->place_access.v[i];
        const Access *a = program_access(pl->p, ga);
        if (a->op != OP_AUG) continue;
        const Ast *t = site_ast(pl, access_gid(pl->p, ga).file);
        u32 stmt = ast_statement(t, ast_at(t, a->span));
        int step = stmt == NONE ? 0 : step_of(t, stmt);
        up |= step > 0;
        down |= step < 0;
        first |= step > 0 && asks_zero(t, ast_before(t, stmt), counter_of(t, stmt));
    }
    return up && down && first;
}

void depth_extend(Plan *pl, const Work *w, Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    if (r->first != r->last || !step_of(t, r->first)) return;
    if (pl->depth_of != w->place + 1) pl->depth = counts_depth(pl, w->place); /* asked for each update of the place */
    pl->depth_of = w->place + 1;
    if (!pl->depth) return;
    Str counter = counter_of(t, r->first), why;
    u32 from = ast_before(t, r->first), to = ast_after(t, r->last);
    if (!asks_zero(t, from, counter)) from = r->first;
    if (!asks_zero(t, to, counter)) to = r->last;
    Region more;
    if (from == to || !region_split(pl, r->file, r->func, ast_span(t, from), ast_span(t, to), &more, &why)) return;
    if (more.first != from || more.last != to || !span_within(r->span, more.span)) return;
    r->first = from;
    r->last = to;
    r->span = more.span;
}
