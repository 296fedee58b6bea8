/* The operand of an update is made before the lock is taken:
 *
 *   self.total += fetch(url)       →       value = fetch(url)
 *                                          with self._total_lock:
 *                                              self.total += value
 *
 * Python reads the state first and then makes the operand; what was lost in between is not lost any more. The same
 * for what is stored, self.last = port.read(), and for the one argument of a method,
 * self.lines.append(port.readline()). Only for a statement on lines of its own whose operand is a call, neither reads
 * nor changes the state, and waits for nothing of a coroutine. */
#include "fixes/fixes.h"

u32 mark_changers(Plan *pl, u32 place)
{
    const Place *x = &pl->p->places.v[place];
    pl->marks++;
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = pl->p->place_access.v[i];
        if (access_writes(pl->p, ga))
            pl->mark[gfunc_of(pl->p, access_gid(pl->p, ga).file, program_access(pl->p, ga)->func)] = pl->marks;
    }
    return pl->marks;
}

static bool reads_state(const Plan *pl, u32 place, u32 file, Span s)
{
    const Place *x = &pl->p->places.v[place];
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = pl->p->place_access.v[i];
        Span at = program_access(pl->p, ga)->span;
        if (access_gid(pl->p, ga).file == file && s.start <= at.start && at.end <= s.end) return true;
    }
    return false;
}

static bool calls_in(const Ast *t, u32 n)
{
    for (u32 c = n; c < t->n && t->v[c].start < t->v[n].end; c++)
        if (ast_is(t, c, NODE_call) || ast_is(t, c, NODE_await)) return true;
    return false;
}

/* What is made ahead: the call on the right of an update or a store, or the one argument of a method that the state's
 * container has; NONE. */
static u32 operand(const Ast *t, u32 stmt)
{
    u32 x = ast_first(t, stmt), right = NONE;
    if (!ast_is(t, stmt, NODE_expression_statement) || x == NONE || ast_after(t, x) != NONE) return NONE;
    bool store = ast_is(t, x, NODE_assignment) && ast_field(t, x, FIELD_type) == NONE;
    if (store || ast_is(t, x, NODE_augmented_assignment)) right = ast_field(t, x, FIELD_right);
    u32 function = ast_is(t, x, NODE_call) ? ast_field(t, x, FIELD_function) : NONE;
    if (ast_is(t, function, NODE_attribute) && !calls_in(t, function)) { /* which would come first */
        u32 list = ast_field(t, x, FIELD_arguments);
        right = ast_is(t, list, NODE_argument_list) ? ast_first(t, list) : NONE;
        if (right != NONE && ast_after(t, right) != NONE) return NONE;
    }
    return ast_is(t, right, NODE_call) ? right : NONE;
}

bool ahead_region(Plan *pl, const Work *w, const Region *r, Region *out)
{
    const Ast *t = site_ast(pl, r->file);
    if (r->first != r->last || r->problem.n || r->copy.n || r->back) return false;
    u32 right = operand(t, r->first);
    if (right == NONE) return false;
    Span value = {t->v[right].start, t->v[right].end};
    if (!own_lines(t->source, r->span) || reads_state(pl, w->place, r->file, value)) return false;
    if (reach_from(pl, r->file, r->func, value, mark_changers(pl, w->place)) == REACH_YES) return false;
    *out = *r;
    if (!local_name(pl, r->file, r->func, S("value"), S(""), "made", &out->name)) return false;
    out->at = r->span.start;
    out->ahead = right;
    out->span = (Span){r->span.start, value.start};
    return true;
}

void ahead_write(Plan *pl, Fix *f, const Region *r, u32 lock)
{
    const Source *s = site_source(pl, r->file);
    const Ast *t = site_ast(pl, r->file);
    Span value = {t->v[r->ahead].start, t->v[r->ahead].end};
    u32 line = line_before(s, r->at);
    Str indent = str_slice(s->text, line, r->at);
    Str text = str_fmt(pl->a, "%.*s%.*s = %.*s", STR_ARG(indent), STR_ARG(r->name),
                       STR_ARG(str_slice(s->text, value.start, value.end)));
    intent_add(pl, f, INTENT_INSERT, r->file, (Span){line, line}, text, NONE);
    intent_add(pl, f, INTENT_REPLACE, r->file, value, r->name, NONE);
    intent_add(pl, f, INTENT_WRAP, r->file, (Span){r->span.start, t->v[r->first].end}, r->lock, lock);
}
