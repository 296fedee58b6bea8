/* Critical sections that are there already, but do not exclude: two that must become one, and one whose lock is made
 * anew in each call.
 *
 *   with self._lock:                   with self._lock:
 *       found = key in self._d             found = key in self._d
 *   if not found:                 →        if not found:
 *       with self._lock:                       self._d[key] = value
 *           self._d[key] = value
 *
 * The headers after the first go, and what stood between the sections is indented; the bodies stay where they are. So
 * is the return of what a section has changed. A lock made in the function gives way to the one that lives beside the
 * state, in the sections that take it. What stands between the sections must be quick and known: whoever releases a
 * lock around a slow call, or one of code of others, means it.
 *
 * A section that a new one of the same lock would be put round, or stand right beside, goes into that likewise. */
#include "fixes/fixes.h"

/* Is it `with LOCK:` and nothing else? */
static bool takes_only(const Ast *t, u32 n, Str lock)
{
    if (!ast_is(t, n, NODE_with_statement) || ast_token(t, n, "async")) return false;
    u32 clause = ast_first(t, n), item = ast_is(t, clause, NODE_with_clause) ? ast_first(t, clause) : NONE;
    return ast_is(t, item, NODE_with_item) && ast_after(t, item) == NONE && str_eq(ast_text(t, item), lock);
}

/* The blanks that the first statement of a suite is indented with; empty when it does not start its line. */
static Str body_indent(const Ast *t, u32 with)
{
    u32 at = t->v[ast_first(t, ast_field(t, with, FIELD_body))].start, from = line_before(t->source, at);
    Str blanks = str_slice(t->source->text, from, at);
    return str_trim(blanks).n ? S("") : blanks;
}

static bool string_over_lines(const Ast *t, Span s)
{
    for (u32 n = 0; n < t->n && t->v[n].start < s.end; n++)
        if (t->v[n].kind == NODE_string && t->v[n].start >= s.start &&
            line_before(t->source, t->v[n].start) != line_before(t->source, t->v[n].end))
            return true;
    return false;
}

/* The lines with `from` at their start replaced by `to`. Empty when a line does not start so. */
static Str reindent(Plan *pl, Str text, Str from, Str to)
{
    Buf b = {0};
    bool ok = true;
    while (text.n && ok) {
        size_t end = str_find(text, '\n');
        end += end < text.n;
        Str line = str_slice(text, 0, end);
        text = str_slice(text, end, text.n);
        bool blank = !str_trim(line).n;
        ok = blank || str_starts(line, from);
        if (!blank) buf_str(&b, to);
        buf_str(&b, blank ? line : str_slice(line, from.n, line.n));
    }
    Str out = ok ? str_dup(pl->a, buf_view(&b)) : S("");
    buf_free(&b);
    return out;
}

/* Does code in the statement take the lock by a call? */
static bool calls_taker(Plan *pl, const Region *r, const LockPlan *l, Span s)
{
    return reach_from(pl, r->file, r->func, s, mark_takers(pl, l->lock)) == REACH_YES;
}

/* Whoever releases a lock around a call means it: what waits, is slow, or is code of others stays outside. */
static bool gap_quick(Plan *pl, const Work *w, const Region *r, const LockPlan *l, Span s, Str *why)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    Region gap = *r;
    Str slow = S("");
    gap.span = s;
    gap.test = NONE;
    bool quick = no_blocking(pl, w, &gap, l, &slow) == VERDICT_OK;
    if (quick && reach_all_known(pl, r->file, r->func, s)) return true;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start < s.start || c->span.end > s.end) continue;
        *why = str_fmt(pl->a,
                       "what line %u and those around it call runs while %.*s is released, and may take long or come "
                       "back to it: test once more where the lock is taken again",
                       c->line, STR_ARG(l->display));
        break;
    }
    return false;
}

/* Lines from one section's end to the next one's header, or to the end of the region. */
static bool gap_indent(Plan *pl, const Work *w, Fix *fix, const Region *r, const LockPlan *l, Span s, Str from,
                       Str to, Str *why)
{
    const Ast *t = site_ast(pl, r->file);
    Str old = str_slice(t->source->text, s.start, s.end);
    if (!str_trim(old).n) return true;
    if (!gap_quick(pl, w, r, l, s, why)) return false;
    *why = S("what stands between the two critical sections cannot be indented");
    if (string_over_lines(t, s) || calls_taker(pl, r, l, s)) return false;
    Str text = reindent(pl, old, from, to);
    if (!text.n) return false;
    intent_add(pl, fix, INTENT_REPLACE, r->file, s, text, NONE);
    return true;
}

typedef Vec(u32) NodeList;

/* The sections of the lock in a statement, those in nested functions left out. */
static void sections_in(Plan *pl, const Ast *t, u32 n, Str lock, NodeList *out)
{
    u8 k = t->v[n].kind;
    if (k == NODE_function_definition || k == NODE_class_definition || k == NODE_lambda) return;
    if (takes_only(t, n, lock)) {
        vec_push(pl->a, out, n);
        return;
    }
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next) sections_in(pl, t, c, lock, out);
}

static Str indent_of(const Ast *t, u32 n)
{
    return str_slice(t->source->text, line_before(t->source, t->v[n].start), t->v[n].start);
}

/* Takes the header of a section away: its body then stands where the lines around it will. */
static bool header_delete(Plan *pl, Fix *fix, const Region *r, u32 with, Str unit)
{
    const Ast *t = site_ast(pl, r->file);
    const Source *s = t->source;
    Str indent = indent_of(t, with), body = body_indent(t, with);
    u32 first = t->v[ast_first(t, ast_field(t, with, FIELD_body))].start;
    Span header = {line_before(s, t->v[with].start), line_after(s, t->v[ast_first(t, with)].end)};
    Str text = str_slice(s->text, header.start, header.end);
    bool fits = body.n == indent.n + unit.n && str_starts(body, indent) && str_ends(body, unit);
    if (str_trim(indent).n || !fits || header.end > first || str_find(text, '#') < text.n) return false;
    intent_add(pl, fix, INTENT_DELETE, r->file, header, S(""), NONE);
    return true;
}

bool sections_join(Plan *pl, const Work *w, const Region *r, const LockPlan *l, Fix *fix, Str *why)
{
    const Ast *t = site_ast(pl, r->file);
    const Source *s = t->source;
    *why = str_fmt(pl->a, "%.*s is taken between the steps already; the two critical sections must become one",
                   STR_ARG(l->display));
    if (!takes_only(t, r->first, r->lock) || r->first == r->last) return false;
    Str from = indent_of(t, r->first), to = body_indent(t, r->first);
    if (str_trim(from).n || !str_starts(to, from) || to.n == from.n) return false;
    if (reach_holding(pl, gfunc_of(pl->p, r->file, r->func), l->lock, false)) return false;
    Fix draft = {0};
    NodeList sections = {0};
    u32 gap = line_after(s, t->v[r->first].end), end = line_after(s, t->v[r->last].end);
    for (u32 n = ast_after(t, r->first); n != NONE; n = ast_after(t, n)) {
        sections_in(pl, t, n, r->lock, &sections);
        if (n == r->last) break;
    }
    for (u32 i = 0; i < sections.n; i++) {
        u32 with = sections.v[i];
        Span between = {gap, line_before(s, t->v[with].start)};
        if (!gap_indent(pl, w, &draft, r, l, between, from, to, why)) return false;
        if (!header_delete(pl, &draft, r, with, str_slice(to, from.n, to.n))) return false;
        gap = line_after(s, t->v[with].end);
    }
    bool returns = ast_is(t, r->last, NODE_return_statement) && ast_after(t, r->first) == r->last;
    if (!sections.n && !returns) return false;
    if (!gap_indent(pl, w, &draft, r, l, (Span){MIN(gap, end), end}, from, to, why)) return false;
    for (u32 i = 0; i < draft.intents.n; i++) vec_push(pl->a, &fix->intents, draft.intents.v[i]);
    return true;
}

/* The section's header goes, and its lines stay where they are: a new one goes round it. */
static bool absorb(Plan *pl, Fix *fix, const Region *r, u32 with)
{
    const Source *s = site_source(pl, r->file);
    Str unit = s->indent.n ? s->indent : S("    ");
    if (!header_delete(pl, fix, r, with, unit)) return false;
    const Ast *t = site_ast(pl, r->file);
    Span lines = {line_before(s, t->v[with].start), line_after(s, t->v[with].end)};
    intent_add(pl, fix, INTENT_KEEP, r->file, lines, r->lock, NONE);
    return true;
}

static u32 taken_times(const Plan *pl, const Region *r, u32 lock)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    u32 n = 0;
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
        n += pl->p->section_lock[pl->p->section_base[r->file] + i] == lock &&
             r->span.start <= f->sections.v[i].stmt && f->sections.v[i].stmt < r->span.end;
    return n;
}

bool sections_absorb(Plan *pl, const Region *r, u32 lock, Fix *fix, Str *why)
{
    const Ast *t = site_ast(pl, r->file);
    NodeList sections = {0};
    Fix draft = {0};
    for (u32 n = r->first; n != NONE; n = n == r->last ? NONE : ast_after(t, n))
        sections_in(pl, t, n, r->lock, &sections);
    *why = str_fmt(pl->a, "%.*s is taken between the steps already; the critical sections must become one",
                   STR_ARG(pl->p->locks.v[lock].display));
    if (sections.n != taken_times(pl, r, lock)) return false;
    for (u32 i = 0; i < sections.n; i++)
        if (!absorb(pl, &draft, r, sections.v[i])) return false;
    for (u32 i = 0; i < draft.intents.n; i++) vec_push(pl->a, &fix->intents, draft.intents.v[i]);
    return true;
}

Span sections_beside(Plan *pl, const Region *r, Fix *fix)
{
    const Ast *t = site_ast(pl, r->file);
    Span span = r->span;
    u32 before = ast_before(t, r->first), after = ast_after(t, r->last);
    if (before != NONE && takes_only(t, before, r->lock) && absorb(pl, fix, r, before))
        span.start = t->v[before].start;
    if (after != NONE && takes_only(t, after, r->lock) && absorb(pl, fix, r, after)) span.end = t->v[after].end;
    return span;
}

bool section_directly(Plan *pl, const Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    for (u32 n = r->first; n != NONE; n = n == r->last ? NONE : ast_after(t, n))
        if (takes_only(t, n, r->lock)) return true;
    return false;
}

/* ---- a lock made in each call ---- */

static bool has_intent(const Fix *fix, u32 file, u32 start)
{
    for (u32 i = 0; i < fix->intents.n; i++)
        if (fix->intents.v[i].file == file && fix->intents.v[i].span.start == start) return true;
    return false;
}

/* The statement in the function that makes the lock; NONE. */
static u32 making(Plan *pl, const Region *r, Str name)
{
    const Facts *f = pl->p->facts[r->file];
    const Ast *t = site_ast(pl, r->file);
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->func != r->func || d->path == NONE || d->kind != VAL_CALL) continue;
        const Path *p = &f->paths.v[d->path];
        if (p->nattr || !str_eq(sym_str(f, p->name), name)) continue;
        u32 n = ast_statement(t, ast_at(t, d->span)), set = n == NONE ? NONE : ast_first(t, n);
        return ast_is(t, set, NODE_assignment) && ast_is(t, ast_field(t, set, FIELD_left), NODE_identifier) ? n
                                                                                                            : NONE;
    }
    return NONE;
}

bool section_relock(Plan *pl, const Region *r, u32 local, Fix *fix, Str *why)
{
    const Facts *f = pl->p->facts[r->file];
    const Ast *t = site_ast(pl, r->file);
    const Func *fn = &f->funcs.v[r->func];
    u32 place = pl->p->locks.v[local].place, sections = 0; /* with Lock(): has none */
    Str name = place == NONE ? S("") : pl->p->syms.strs[pl->p->places.v[place].name];
    u32 made = place == NONE ? NONE : making(pl, r, name);
    *why = str_fmt(pl->a, "%.*s is made anew in each call; make it once, where the state is made",
                   STR_ARG(pl->p->locks.v[local].display));
    if (made == NONE) return false;
    if (has_intent(fix, r->file, line_before(t->source, t->v[made].start))) return true;
    Fix draft = {0};
    bool covered = false;
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        if (pl->p->section_lock[pl->p->section_base[r->file] + i] != local) continue;
        u32 n = ast_statement(t, ast_at(t, (Span){s->stmt, s->stmt + 4}));
        if (s->kind != SECTION_WITH || n == NONE || !takes_only(t, n, name)) return false;
        u32 item = ast_first(t, ast_first(t, n));
        intent_add(pl, &draft, INTENT_REPLACE, r->file, (Span){t->v[item].start, t->v[item].end}, r->lock, NONE);
        covered |= t->v[n].start <= r->span.start && r->span.end <= t->v[n].end;
        sections++;
    }
    Str text = str_slice(t->source->text, fn->span.start, fn->span.end);
    if (!covered || str_name_count(text, name) != sections + 1) return false;
    if (!statement_delete(pl, &draft, r->file, r->func, made, why)) return false;
    for (u32 i = 0; i < draft.intents.n; i++) vec_push(pl->a, &fix->intents, draft.intents.v[i]);
    return true;
}
