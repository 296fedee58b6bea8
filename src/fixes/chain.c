/* The last branch of a long if statement: the test is repeated under the lock, in the branch that relies on it.
 *
 *   if event == "start":                     if event == "start":
 *       …                                        …
 *   elif event == "stop":                    elif event == "stop":
 *       …                              →         …
 *   elif name in self._names:                elif name in self._names:
 *       self._names.remove(name)                 with self._lock:
 *                                                    if name in self._names:
 *                                                        self._names.remove(name)
 *
 * Under the lock as a whole, the other branches would run there for nothing. Who finds the second test failed does
 * nothing, as a moment later; where other branches follow, or an else, he would go on to them, and the statement is
 * guarded as a whole. Only where no other branch touches the state, the question about it is on one line and calls
 * nothing, the branch has a few statements on lines of their own, and the rest is longer than it. Of a number that is
 * compared the first test would stand there unguarded, and be found. */
#include "fixes/fixes.h"

enum { BRANCH_MAX = 5, OTHERS_MIN = 6 };

/* The last branch, an elif clause, if the span stands in its condition; NONE. */
static u32 branch_of(const Ast *t, u32 n, Span test)
{
    u32 last = NONE;
    for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
        if (ast_is(t, c, NODE_elif_clause) || ast_is(t, c, NODE_else_clause)) last = c;
    bool there =
        ast_is(t, last, NODE_elif_clause) && span_within(test, ast_span(t, ast_field(t, last, FIELD_condition)));
    return there ? last : NONE;
}

static bool contains_kind(const Ast *t, u32 n, u8 kind)
{
    if (t->v[n].kind == kind) return true;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (contains_kind(t, c, kind)) return true;
    return false;
}

static bool asked_again(const Ast *t, u32 cond)
{
    Str text = ast_text(t, cond);
    return str_find(text, '\n') == text.n && !contains_kind(t, cond, NODE_call) &&
           !contains_kind(t, cond, NODE_await) && !contains_kind(t, cond, NODE_named_expression) &&
           !contains_kind(t, cond, NODE_lambda);
}

/* The question about the state alone: `name in self._names` of `event == "drop" and name in self._names`. The whole
 * condition must say no where it does: NONE where `or`, `not` or a comparison takes its answer. */
static u32 question(const Ast *t, u32 cond, Span test)
{
    u32 asked = NONE;
    for (u32 n = ast_at(t, test); n != cond; n = t->v[n].parent) {
        u32 up = n == NONE ? NONE : t->v[n].parent;
        if (up == NONE) return NONE;
        bool joins = ast_is(t, up, NODE_boolean_operator), same = ast_is(t, up, NODE_parenthesized_expression);
        if (joins && !ast_token(t, up, "and")) return NONE;
        if (!joins && !same && asked != NONE) return NONE;
        if ((joins || same) && asked == NONE) asked = n;
    }
    return asked == NONE ? cond : asked;
}

/* Does each name and literal of the question come in the branch as well? The page adds no others. */
static bool words_known(const Ast *t, u32 n, Str body)
{
    u8 k = t->v[n].kind;
    if (k == NODE_identifier || k == NODE_integer || k == NODE_string) return str_contains(body, ast_text(t, n));
    for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
        if (!words_known(t, c, body)) return false;
    return true;
}

/* A few statements, each on a line of its own, with no comment between them. */
static bool few_lines(const Ast *t, u32 body)
{
    u32 n = 0;
    for (u32 c = ast_first(t, body); c != NONE; c = ast_after(t, c), n++) {
        u8 k = t->v[c].kind;
        Str text = ast_text(t, c);
        Str rest = str_trim(str_slice(t->source->text, t->v[c].end, line_after(t->source, t->v[c].end)));
        bool plain = k == NODE_expression_statement || k == NODE_delete_statement || k == NODE_return_statement;
        if (!plain || str_find(text, '\n') != text.n || !stands_first(t->source, t->v[c].start)) return false;
        if (comment_above(t->source, t->v[c].start) || (rest.n && rest.p[0] != '#')) return false;
    }
    return n && n <= BRANCH_MAX;
}

/* Is the state used in the statement, but not in this branch of it? */
static bool used_beside(const Plan *pl, const Work *w, const Region *r, Span cond, Span body)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        Span s = f->accesses.v[i].span;
        if (pl->p->access_place[pl->p->access_base[r->file] + i] == w->place && span_within(s, r->span) &&
            !span_within(s, cond) && !span_within(s, body))
            return true;
    }
    return false;
}

/* Does another region of the group reach into the branch, or hold all of it? */
static bool others_there(const Plan *pl, const Region *r, Span cond, Span body)
{
    for (u32 i = 0; i < pl->ngroup; i++)
        for (u32 k = 0; k < pl->group[i]->regions.n; k++) {
            const Region *o = &pl->group[i]->regions.v[k];
            bool same = o->span.start == r->span.start && o->span.end == r->span.end && o->access == r->access;
            if (!same && o->file == r->file && o->span.start < body.end && cond.start < o->span.end) return true;
        }
    return false;
}

static u32 lines_of(const Source *s, Span span)
{
    u32 first, last, column;
    source_position(s, span.start, &first, &column);
    source_position(s, span.end, &last, &column);
    return last - first + 1;
}

bool chain_region(Plan *pl, const Work *w, const Region *r, Region *out)
{
    const Ast *t = site_ast(pl, r->file);
    if (r->test == NONE || r->copy.n || r->taken || r->problem.n || r->back || r->loose.n || r->first != r->last)
        return false;
    if (!ast_is(t, r->first, NODE_if_statement) || ast_field(t, r->first, FIELD_alternative) == NONE) return false;
    const Access *test = program_access(pl->p, r->test), *act = program_access(pl->p, r->access);
    u32 branch = branch_of(t, r->first, test->span);
    if (branch == NONE || test->test == TEST_NO || test->test == TEST_COMPARE) return false;
    u32 cond = ast_field(t, branch, FIELD_condition), body = ast_field(t, branch, FIELD_consequence);
    u32 again = question(t, cond, test->span);
    if (again == NONE || !asked_again(t, again) || !words_known(t, again, ast_text(t, body))) return false;
    if (!span_within(act->span, ast_span(t, body)) || !few_lines(t, body)) return false;
    const Source *s = site_source(pl, r->file);
    u32 own = lines_of(s, ast_span(t, body)), all = lines_of(s, ast_span(t, r->first));
    if (all < own + OTHERS_MIN || all < 3 * own) return false;
    if (used_beside(pl, w, r, ast_span(t, cond), ast_span(t, body))) return false;
    if (others_there(pl, r, ast_span(t, cond), ast_span(t, body))) return false;
    u32 first = ast_first(t, body), last = first;
    while (ast_after(t, last) != NONE) last = ast_after(t, last);
    *out = *r;
    out->first = first;
    out->last = last;
    out->span = (Span){t->v[first].start, t->v[last].end};
    out->at = t->v[first].start;
    out->chain = again;
    return true;
}

void chain_write(Plan *pl, Fix *f, const Region *r, u32 lock)
{
    const Ast *t = site_ast(pl, r->file);
    const Source *s = site_source(pl, r->file);
    u32 at = line_before(s, r->at);
    Str text = str_fmt(pl->a, "with %.*s:\n    if %.*s:", STR_ARG(r->lock), STR_ARG(ast_text(t, r->chain)));
    for (u32 c = r->first;; c = ast_after(t, c)) {
        Span lines = {line_before(s, t->v[c].start), line_after(s, t->v[c].end)};
        Str line = str_trim(str_slice(s->text, lines.start, lines.end));
        text = str_fmt(pl->a, "%.*s\n        %.*s", STR_ARG(text), STR_ARG(line));
        intent_add(pl, f, INTENT_DELETE, r->file, lines, S(""), NONE);
        if (c == r->last) break;
    }
    text = str_fmt(pl->a, "%.*s%.*s", STR_ARG(str_slice(s->text, at, r->at)),
                   STR_ARG(text_indent(pl, r->file, r->at, text)));
    intent_add(pl, f, INTENT_INSERT, r->file, (Span){at, at}, text, lock);
}
