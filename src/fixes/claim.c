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
 * before. What is kept of a test that is no comparison is its truth then, proceed = bool(self._queue): the container
 * itself may be empty, or no longer be, when the second if asks. Only where the branch begins with the change, by
 * statements of one line each, and where nothing after them touches the state.
 *
 * Not where others rely on the work:
 *
 *   if loaded:                         with _loaded_lock:
 *       return                             if loaded:
 *   loaded = True                 →            return
 *   table.update(read_table())             loaded = True
 *                                          table.update(read_table())
 *
 * Whoever finds the flag set goes on as if the work were done, so the lock is held until it is: where the flag says
 * that something was made ready, and what follows stores something. What the region must not run makes the fix
 * unsafe, or declines it, as anywhere. A flag that says that something was ended, or told, is a claim. */
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
        plain = plain && ast_is(t, c, NODE_expression_statement) && one_line(t, c) && whole_line(t, c);
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

static bool said_of(const Plan *pl, const Region *r, const char *const *words, u32 n)
{
    const Facts *f = pl->p->facts[r->file];
    u32 place = pl->p->access_place[pl->p->access_base[r->file] + access_gid(pl->p, r->access).id];
    Str flag = pl->p->syms.strs[pl->p->places.v[place].name];
    return str_has_any(flag, words, n) || str_has_any(sym_str(f, f->funcs.v[r->func].name), words, n);
}

/* Does the statement store something that is not nothing, in a place other than the flag? */
static bool stores_other(const Plan *pl, const Region *r, u32 flag, Span s)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 ga = pl->p->access_base[r->file] + i, place = pl->p->access_place[ga];
        if (!span_within(f->accesses.v[i].span, s) || place == NONE || place == flag) continue;
        if (!(access_effect(pl->p, ga) & (EFFECT_WRITE | EFFECT_GROW))) continue;
        const Def *d = stored_def(pl->p, ga);
        if (f->accesses.v[i].op != OP_DEL && !(d && (d->kind == VAL_NONE || d->kind == VAL_BOOL))) return true;
    }
    return false;
}

static bool calls_in(const Plan *pl, const Region *r, Span s)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (span_within(f->calls.v[i].span, s)) return true;
    return false;
}

/* Is the change that of a flag, set to True before the work, and does the statement belong to the work that others
 * rely on when they find it set? */
static bool relied_on(const Plan *pl, const Region *r, u32 place, Span s)
{
    static const char *const ends[] = {
        "close",    "closed",   "closing",    "stop",    "stopped",  "stopping",  "shutdown",   "finish",
        "finished", "cancel",   "cancelled",  "dispose", "disposed", "release",   "released",   "exit",
        "exited",   "exiting",  "terminated", "killed",  "destroy",  "destroyed", "disconnect", "warn",
        "warned",   "notified", "reported",   "logged",  "printed",  "shown",     "announced",  "sent",
        "running",  "busy",     "active",     "pending", "cleanup",  "teardown",  "abort",      "aborted",
        "end",      "ended",    "seen",       "asked",   "failed"};
    static const char *const begins[] = {
        "init",     "initialized", "initialised", "initialize",   "loaded",    "load",     "ready",
        "setup",    "configured",  "configure",   "registered",   "populated", "populate", "installed",
        "install",  "connected",   "opened",      "created",      "built",     "prepared", "discovered",
        "imported", "patched",     "started",     "bootstrapped", "inited"};
    if (said_of(pl, r, ends, COUNT_OF(ends))) return false;
    if (stores_other(pl, r, place, s)) return true;
    return said_of(pl, r, begins, COUNT_OF(begins)) && calls_in(pl, r, s);
}

/* loaded = True */
static bool raises_flag(const Plan *pl, const Region *r)
{
    const Facts *f = pl->p->facts[r->file];
    const Access *a = program_access(pl->p, r->access);
    const Def *d = a->op == OP_STORE ? stored_def(pl->p, r->access) : NULL;
    if (!d || d->kind != VAL_BOOL) return false;
    Str rest = str_trim(str_slice(f->source->text, a->span.end, MIN(a->span.end + 16u, (u32)f->source->text.n)));
    return str_starts(rest, S("=")) && str_starts(str_trim(str_slice(rest, 1, rest.n)), S("True"));
}

static bool has_while(const Ast *t, u32 n)
{
    if (t->v[n].kind == NODE_while_statement) return true;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (has_while(t, c)) return true;
    return false;
}

void claim_extend(Plan *pl, const Work *w, Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    if (r->test == NONE || r->first == r->last || !raises_flag(pl, r)) return;
    if (!span_within(program_access(pl->p, r->access)->span, ast_span(t, r->last))) return;
    u32 body = ast_is(t, r->first, NODE_if_statement) ? ast_field(t, r->first, FIELD_consequence) : NONE;
    u32 leaves = body == NONE ? NONE : ast_first(t, body);
    while (leaves != NONE && ast_after(t, leaves) != NONE) leaves = ast_after(t, leaves);
    if (!ast_is(t, leaves, NODE_return_statement)) return;
    u32 last = r->last;
    for (u32 n = ast_after(t, r->last); n != NONE; n = ast_after(t, n)) {
        Span s = ast_span(t, n);
        if (has_while(t, n) || touched(pl, r, w->place, s)) return; /* it says that something is going on */
        if (relied_on(pl, r, w->place, s)) last = n;
    }
    Region more;
    Str why;
    if (last == r->last || !region_split(pl, r->file, r->func, ast_span(t, r->first), ast_span(t, last), &more, &why))
        return;
    r->first = more.first;
    r->last = more.last;
    r->span = more.span;
}

/* Is what the condition gives the same whenever it is asked: True or False, a number, a text? */
static bool stays_so(const Plan *pl, const Region *r, const Ast *t, u32 cond)
{
    if (ast_is(t, cond, NODE_parenthesized_expression)) return stays_so(pl, r, t, ast_first(t, cond));
    if (ast_is(t, cond, NODE_comparison_operator) || ast_is(t, cond, NODE_not_operator)) return true;
    Span span = program_access(pl->p, r->test)->span;
    if (span.start != t->v[cond].start || span.end != t->v[cond].end) return false;
    Type type = path_type(pl->p, r->file, program_access(pl->p, r->test)->path);
    return type.kind == TYPE_NUMBER || type.kind == TYPE_STRING;
}

bool claim_region(Plan *pl, const Work *w, const Region *r, Region *out)
{
    const Ast *t = site_ast(pl, r->file);
    if (r->test == NONE || r->copy.n || r->taken || r->problem.n || r->first != r->last) return false;
    if (!ast_is(t, r->first, NODE_if_statement) || ast_field(t, r->first, FIELD_alternative) != NONE) return false;
    u32 cond = ast_field(t, r->first, FIELD_condition), body = ast_field(t, r->first, FIELD_consequence);
    if (!one_line(t, cond) || !span_within(program_access(pl->p, r->test)->span, ast_span(t, cond))) return false;
    u32 last = change_end(pl, w, r, t, body);
    if (last == NONE || shared(pl, w, r)) return false;
    if (!stays_so(pl, r, t, cond) && name_bound(pl->p->facts[r->file], S("bool"), S(""))) return false;
    Span rest = {t->v[last].end, t->v[r->first].end};
    if (raises_flag(pl, r) && relied_on(pl, r, w->place, rest)) return false;
    *out = (Region){.file = r->file,
                    .func = r->func,
                    .first = r->first,
                    .last = r->first,
                    .span = {t->v[r->first].start, t->v[last].end},
                    .access = r->access,
                    .test = r->test,
                    .race = true,
                    .at = t->v[r->first].start,
                    .claim = last};
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
    Str test = ast_text(t, cond);
    if (!stays_so(pl, r, t, cond)) {
        u32 inner = ast_is(t, cond, NODE_parenthesized_expression) ? ast_first(t, cond) : cond;
        test = str_fmt(pl->a, "bool(%.*s)", STR_ARG(ast_text(t, inner)));
    }
    Str text = str_fmt(pl->a, "with %.*s:\n    %.*s = %.*s\n    if %.*s:", STR_ARG(r->lock), STR_ARG(r->name),
                       STR_ARG(test), STR_ARG(r->name));
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
