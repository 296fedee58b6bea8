/* Planner "local-sum": an update in a loop becomes a sum of its own, added once after the loop.
 *
 *   for page in pages:                     total = 0
 *       self.total += size(page)           try:
 *                                    →         for page in pages:
 *                                                  total += size(page)
 *                                          finally:
 *                                              with self._total_lock:
 *                                                  self.total += total
 *
 * However the loop is left, what was counted is added. Where nothing in it can raise or return, no `try` is needed.
 * Only for + and - on a number, where neither the loop nor what it calls uses the state otherwise, and where nothing
 * suspends it. What others see meanwhile is older than before: a person must want that, and so the page is tried only
 * where it is preferred. All other writes of the state take the lock as in planner "guard". */
#include "fixes/fixes.h"

/* The augmented assignment that the region consists of, when it adds to or takes from a name; NONE. */
static u32 sum_update(const Ast *t, const Region *r)
{
    u32 n = r->first == r->last && ast_is(t, r->first, NODE_expression_statement) ? ast_first(t, r->first) : NONE;
    if (!ast_is(t, n, NODE_augmented_assignment) || ast_after(t, n) != NONE) return NONE;
    bool sum = ast_token(t, n, "+=") || ast_token(t, n, "-=");
    return sum && ast_plain_name(t, ast_field(t, n, FIELD_left)) ? n : NONE;
}

/* The loop around a statement, within its function; NONE. */
static u32 loop_around(const Ast *t, u32 n)
{
    for (n = t->v[n].parent; n != 0 && n != NONE; n = t->v[n].parent) {
        u8 k = t->v[n].kind;
        if (k == NODE_for_statement || k == NODE_while_statement) return n;
        if (k == NODE_function_definition || k == NODE_class_definition || k == NODE_lambda) return NONE;
    }
    return NONE;
}

/* Is the state, or what its name starts with, used otherwise in the loop, or bound there? */
static bool used_otherwise(const Plan *pl, const Work *w, const Region *r, Span loop, Str state)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    Str root = str_slice(state, 0, str_find(state, '.'));
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        if (!span_within(f->accesses.v[i].span, loop) || span_within(f->accesses.v[i].span, r->span)) continue;
        if (pl->p->access_place[pl->p->access_base[r->file] + i] == w->place) return true;
    }
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE || !span_within(d->span, loop) || span_within(d->span, r->span)) continue;
        const Path *p = &f->paths.v[d->path];
        if (p->nattr == 0 && str_eq(sym_str(f, p->name), root)) return true;
    }
    return false;
}

/* Functions that use the place in any way, marked for reach_from. */
static u32 mark_users(Plan *pl, u32 place)
{
    const Place *x = &pl->p->places.v[place];
    pl->marks++;
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = pl->p->place_access.v[i];
        pl->mark[gfunc_of(pl->p, access_gid(pl->p, ga).file, program_access(pl->p, ga)->func)] = pl->marks;
    }
    return pl->marks;
}

/* Is another sum taken out of this loop in this round? The next round sees to this one. */
static bool loop_taken(const Plan *pl, const Work *w, const Region *r, u32 loop)
{
    for (u32 i = 0; i < pl->works.n; i++)
        for (u32 k = 0; k < pl->works.v[i].regions.n; k++) {
            const Region *o = &pl->works.v[i].regions.v[k];
            if (o->sum == loop && o->file == r->file && (o != r || &pl->works.v[i] != w)) return true;
        }
    return false;
}

/* Can nothing below the node raise or return: names, attributes, numbers, and a loop over range() of such? */
static bool runs_through(const Ast *t, u32 n, u32 loop)
{
    switch (t->v[n].kind) {
    case NODE_return_statement:
    case NODE_raise_statement:
    case NODE_assert_statement:
    case NODE_delete_statement:
    case NODE_import_statement:
    case NODE_import_from_statement:
    case NODE_with_statement:
    case NODE_try_statement:
    case NODE_subscript: return false;
    case NODE_call:
        if (t->v[n].parent != loop || !str_is(ast_text(t, ast_field(t, n, FIELD_function)), "range")) return false;
        break;
    case NODE_for_statement:
        if (n != loop) return false;
        break;
    default: break;
    }
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (!runs_through(t, c, loop)) return false;
    return true;
}

/* Does a comment that belongs to the loop's last block follow it? It would come to stand behind the sum. */
static bool comment_follows(const Source *s, Span loop)
{
    u32 at = line_after(s, loop.end), start = at;
    while (start < s->text.n && (s->text.p[start] == ' ' || s->text.p[start] == '\t')) start++;
    bool deeper = start - at > loop.start - line_before(s, loop.start);
    return deeper && s->text.p[start] == '#';
}

/* Fills the region of the update as one that is summed up. False with a reason. */
static bool sum_region(Plan *pl, const Work *w, Region *r, Str *why)
{
    const Ast *t = site_ast(pl, r->file);
    u32 update = r->problem.n || r->copy.n || r->func == 0 ? NONE : sum_update(t, r);
    u32 loop = update == NONE ? NONE : loop_around(t, r->first);
    *why = S("no update by += or -= stands in a loop");
    if (loop == NONE || pl->p->places.v[w->place].type.kind != TYPE_NUMBER) return false;
    Span span = ast_span(t, loop);
    Str state = ast_text(t, ast_field(t, update, FIELD_left));
    Region whole = {.file = r->file, .func = r->func, .first = loop, .last = loop, .span = span};
    *why = S("the loop or what it calls uses the state otherwise");
    if (used_otherwise(pl, w, r, span, state)) return false;
    if (reach_from(pl, r->file, r->func, span, mark_users(pl, w->place)) == REACH_YES) return false;
    if (judgement_find(S("no-suspend-inside"))->judge(pl, w, &whole, NULL, why) != VERDICT_OK) return false;
    *why = S("a lock is held in the loop already, or another sum is taken out of it");
    if (pl->p->access_locks[r->access] != 0 || loop_taken(pl, w, r, loop)) return false;
    *why = S("the loop does not stand on lines of its own");
    if (!own_lines(t->source, span) || comment_follows(t->source, span)) return false;
    if (!local_name(pl, r->file, r->func, state, state, "sum", &r->name)) return false;
    r->sum = loop;
    r->at = span.start;
    r->span = ast_span(t, ast_field(t, update, FIELD_left));
    return true;
}

bool plan_sum(Plan *pl, Work *w, const Page *page)
{
    u32 sums = 0;
    Str why = S("");
    if (!plan_guard(pl, w, page)) return false;
    for (u32 i = 0; i < w->regions.n; i++)
        if (w->regions.v[i].race) sums += sum_region(pl, w, &w->regions.v[i], &why);
    if (sums) return true;
    w->page = NULL;
    w->regions.n = 0;
    w->tried = why;
    return false;
}

void sum_write(Plan *pl, Fix *f, const Region *r, u32 lock)
{
    const Ast *t = site_ast(pl, r->file);
    const Source *s = t->source;
    u32 line = line_before(s, r->at), after = line_after(s, t->v[r->sum].end);
    Str indent = str_slice(s->text, line, r->at), state = str_slice(s->text, r->span.start, r->span.end);
    Str made = str_fmt(pl->a, "%.*s%.*s = 0", STR_ARG(indent), STR_ARG(r->name));
    Str add = str_fmt(pl->a, "with %.*s:\n    %.*s += %.*s", STR_ARG(r->lock), STR_ARG(state), STR_ARG(r->name));
    bool through = runs_through(t, r->sum, r->sum);
    if (!through) add = str_fmt(pl->a, "finally:\n    with %.*s:\n        %.*s += %.*s", STR_ARG(r->lock),
                                STR_ARG(state), STR_ARG(r->name));
    add = str_fmt(pl->a, "%.*s%.*s", STR_ARG(indent), STR_ARG(text_indent(pl, r->file, r->at, add)));
    intent_add(pl, f, INTENT_INSERT, r->file, (Span){line, line}, made, NONE);
    intent_add(pl, f, INTENT_REPLACE, r->file, r->span, r->name, NONE);
    if (!through) intent_add(pl, f, INTENT_WRAP, r->file, ast_span(t, r->sum), S(""), lock);
    intent_add(pl, f, INTENT_INSERT, r->file, (Span){after, after}, add, lock);
    fix_caution(f, FIX_UNSAFE, S("others see the total only when the loop is over, which a person must want"));
}
