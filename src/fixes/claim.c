/* Claim inside, work outside: what follows the change in its branch must not run under the lock.
 *
 *   if url not in seen:                    with _seen_lock:
 *       seen.add(url)                          first = url not in seen
 *       fetch(url)                   →         if first:
 *                                                  seen.add(url)
 *                                          if first:
 *                                              fetch(url)
 *
 * The lock is held for the test and the change alone. Others see the change before the work is done, as they did
 * before. Only where the branch begins with the change, by statements of one line each, and where nothing after them
 * touches the state. */
#include "fixes/fixes.h"

/* Does the function access the place within this span? */
static bool touched(const Plan *pl, const Region *r, u32 place, Span span)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++)
        if (span_within(f->accesses.v[i].span, span) && pl->p->access_place[pl->p->access_base[r->file] + i] == place)
            return true;
    return false;
}

static bool one_line(const Ast *t, u32 n)
{
    Str text = ast_text(t, n);
    return str_find(text, '\n') == text.n && str_find(text, '\r') == text.n;
}

/* Does it have its line for itself, with no comment above that speaks of it? One behind it goes along. */
static bool whole_line(const Ast *t, u32 n)
{
    u32 end = t->v[n].end;
    Str rest = str_trim(str_slice(t->source->text, end, line_after(t->source, end)));
    return stands_first(t->source, t->v[n].start) && !comment_above(t->source, t->v[n].start) &&
           (!rest.n || rest.p[0] == '#');
}

/* The last statement of the branch's beginning that touches the place, all up to there being plain ones; NONE. */
static u32 change_end(const Plan *pl, const Work *w, const Region *r, const Ast *t, u32 body)
{
    u32 last = NONE;
    bool plain = true;
    for (u32 c = ast_first(t, body); c != NONE; c = ast_after(t, c)) {
        plain = plain && ast_is(t, c, NODE_expression_statement) && one_line(t, c) &&
                whole_line(t, c);
        if (!touched(pl, r, w->place, (Span){t->v[c].start, t->v[c].end})) continue;
        if (!plain) return NONE;
        last = c;
    }
    return last != NONE && ast_after(t, last) != NONE ? last : NONE;
}

/* Does another work of the group guard something in the same statement? */
static bool shared(const Plan *pl, const Work *w, const Region *r)
{
    for (u32 i = 0; i < pl->ngroup; i++)
        for (u32 k = 0; pl->group[i] != w && k < pl->group[i]->regions.n; k++) {
            const Region *o = &pl->group[i]->regions.v[k];
            if (o->file == r->file && o->span.start < r->span.end && r->span.start < o->span.end) return true;
        }
    for (u32 k = 0; k < w->regions.n; k++) {
        const Region *o = &w->regions.v[k];
        if (o->file == r->file && o->span.start < r->span.end && r->span.start < o->span.end &&
            (o->span.start != r->span.start || o->span.end != r->span.end))
            return true;
    }
    return false;
}

bool claim_region(Plan *pl, const Work *w, const Region *r, Region *out)
{
    const Ast *t = site_ast(pl, r->file);
    if (r->test == NONE || r->copy.n || r->taken || r->problem.n || r->first != r->last) return false;
    if (!ast_is(t, r->first, NODE_if_statement) || ast_field(t, r->first, FIELD_alternative) != NONE) return false;
    u32 cond = ast_field(t, r->first, FIELD_condition), body = ast_field(t, r->first, FIELD_consequence);
    if (!one_line(t, cond) || !span_within(program_access(pl->p, r->test)->span, ast_span(t, cond)))
        return false;
    u32 last = change_end(pl, w, r, t, body);
    if (last == NONE || shared(pl, w, r)) return false;
    *out = (Region){.file = r->file, .func = r->func, .first = r->first, .last = r->first,
                    .span = {t->v[r->first].start, t->v[last].end}, .access = r->access, .test = r->test,
                    .race = true, .at = t->v[r->first].start, .claim = last};
    if (!span_within(program_access(pl->p, r->access)->span, out->span)) return false;
    bool negated = ast_is(t, cond, NODE_not_operator) || ast_token(t, cond, "not in") || ast_token(t, cond, "is");
    return local_name(pl, r->file, r->func, negated ? S("first") : S("proceed"), S(""), "here", &out->name);
}

void claim_write(Plan *pl, Fix *f, const Region *r, u32 lock)
{
    const Ast *t = site_ast(pl, r->file);
    const Source *s = site_source(pl, r->file);
    u32 cond = ast_field(t, r->first, FIELD_condition), at = line_before(s, r->at);
    u32 body = ast_field(t, r->first, FIELD_consequence);
    Str text = str_fmt(pl->a, "with %.*s:\n    %.*s = %.*s\n    if %.*s:", STR_ARG(r->lock), STR_ARG(r->name),
                       STR_ARG(ast_text(t, cond)), STR_ARG(r->name));
    for (u32 c = ast_first(t, body);; c = ast_after(t, c)) {
        Span lines = {line_before(s, t->v[c].start), line_after(s, t->v[c].end)};
        Str line = str_trim(str_slice(s->text, lines.start, lines.end));
        text = str_fmt(pl->a, "%.*s\n        %.*s", STR_ARG(text), STR_ARG(line));
        intent_add(pl, f, INTENT_DELETE, r->file, lines, S(""), NONE);
        if (c == r->claim) break;
    }
    text = str_fmt(pl->a, "%.*s%.*s", STR_ARG(str_slice(s->text, at, r->at)),
                   STR_ARG(text_indent(pl, r->file, r->at, text)));
    intent_add(pl, f, INTENT_INSERT, r->file, (Span){at, at}, text, lock);
    intent_add(pl, f, INTENT_REPLACE, r->file, (Span){t->v[cond].start, t->v[cond].end}, r->name, NONE);
}
