/* Planner "own-value": what a call has set for itself is used further down from a local.
 *
 *   self.limit = int(text)                 limit = int(text)
 *   if self.limit > most:            →     self.limit = limit
 *       warn(self.limit)                   if limit > most:
 *                                              warn(limit)
 *
 * Of two calls at once, each goes on with what it has made itself; the attribute keeps what was set last, for those
 * who ask later. For findings about state that serves one call (races/scratch.c), whose value is made by a plain
 * assignment and read in statements after it, in the same block, up to the next one that binds the state. What a
 * function called on the way may bind is meant to be seen; so is, where the state is set elsewhere too, what another
 * thread sets while this one goes round a loop or waits. Both decline. */
#include "fixes/fixes.h"

typedef struct Own {
    u32 file, func;
    u32 stmt;   /* the assignment's statement */
    u32 target; /* what it assigns */
    Str text;   /* the state as written: "self.limit" */
    Str name;   /* the local */
    u32 nreads;
    bool loops; /* one of the reads is in a loop, or is what it asks */
} Own;

/* Fills the assignment that sets the state; false when it is of another form. */
static bool store_read(Plan *pl, const Race *r, Own *x)
{
    GId g = access_gid(pl->p, r->test);
    const Access *store = program_access(pl->p, r->test), *read = program_access(pl->p, r->act);
    x->file = g.file;
    x->func = store->func;
    if (access_gid(pl->p, r->act).file != g.file || read->func != store->func || store->func == 0) return false;
    const Ast *t = site_ast(pl, g.file);
    u32 assign = ast_assignment(t, store->span);
    if (assign == NONE || ast_field(t, assign, FIELD_type) != NONE) return false;
    x->stmt = t->v[assign].parent;
    x->target = ast_field(t, assign, FIELD_left);
    bool whole = t->v[x->target].start == store->span.start && t->v[x->target].end == store->span.end;
    x->text = ast_text(t, x->target);
    return whole && ast_is(t, x->stmt, NODE_expression_statement) && ast_plain_name(t, x->target) &&
           own_lines(t->source, ast_span(t, x->stmt));
}

/* Is what stands at the left edge of the state, `self` of self.limit, or the state bound anew in the statement? */
static bool binds(const Plan *pl, const Own *x, Span s, u32 place)
{
    const Facts *f = pl->p->facts[x->file];
    const Func *fn = &f->funcs.v[x->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        if ((a->op != OP_STORE && a->op != OP_DEL && a->op != OP_AUG) || !span_within(a->span, s)) continue;
        if (pl->p->access_place[pl->p->access_base[x->file] + i] == place) return true;
    }
    Str root = str_slice(x->text, 0, str_find(x->text, '.'));
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE || !span_within(d->span, s)) continue;
        const Path *p = &f->paths.v[d->path];
        if (p->nattr == 0 && str_eq(sym_str(f, p->name), root)) return true;
    }
    return false;
}

/* An f-string is one token, so that it is replaced as a whole: its text from `from` on, with the reads below the node
 * replaced. */
static bool string_text(Plan *pl, Own *x, u32 n, u32 *from, Str *text)
{
    const Ast *t = site_ast(pl, x->file);
    u8 k = t->v[n].kind;
    if ((k == NODE_attribute || k == NODE_identifier) && str_eq(ast_text(t, n), x->text)) {
        Str before = str_slice(t->source->text, *from, t->v[n].start);
        *text = str_fmt(pl->a, "%.*s%.*s%.*s", STR_ARG(*text), STR_ARG(before), STR_ARG(x->name));
        *from = t->v[n].end;
        x->nreads++;
        return true;
    }
    if (k == NODE_lambda) return false;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (!(k == NODE_attribute && t->v[c].field == FIELD_attribute) && !string_text(pl, x, c, from, text))
            return false;
    return true;
}

static bool string_replace(Plan *pl, Fix *fix, Own *x, u32 n, bool late, bool loop)
{
    const Ast *t = site_ast(pl, x->file);
    u32 from = t->v[n].start, before = x->nreads;
    Str text = S("");
    if (!string_text(pl, x, n, &from, &text)) return false;
    if (x->nreads == before) return true;
    text = str_fmt(pl->a, "%.*s%.*s", STR_ARG(text), STR_ARG(str_slice(t->source->text, from, t->v[n].end)));
    intent_add(pl, fix, INTENT_REPLACE, x->file, ast_span(t, n), text, NONE);
    x->loops |= loop;
    return !late;
}

/* Reads below a node become the local; false when one stands in code that may run later or elsewhere. */
static bool reads_replace(Plan *pl, Fix *fix, Own *x, u32 n, bool late, bool loop)
{
    const Ast *t = site_ast(pl, x->file);
    u8 k = t->v[n].kind;
    if ((k == NODE_attribute || k == NODE_identifier) && str_eq(ast_text(t, n), x->text)) {
        if (late) return false;
        intent_add(pl, fix, INTENT_REPLACE, x->file, ast_span(t, n), x->name, NONE);
        x->nreads++;
        x->loops |= loop;
        return true;
    }
    if (k == NODE_string) return string_replace(pl, fix, x, n, late, loop);
    loop |= k == NODE_while_statement || k == NODE_for_statement;
    late |= k == NODE_lambda || k == NODE_function_definition || k == NODE_class_definition;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next) {
        bool name = (k == NODE_attribute && t->v[c].field == FIELD_attribute) ||
                    (k == NODE_keyword_argument && t->v[c].field == FIELD_name);
        if (!name && !reads_replace(pl, fix, x, c, late, loop)) return false;
    }
    return true;
}

/* The statements after the assignment, up to the first one that binds the state anew. Fills *end, a byte. */
static bool run_replace(Plan *pl, Fix *fix, Own *x, u32 place, u32 *end)
{
    const Ast *t = site_ast(pl, x->file);
    for (u32 n = ast_after(t, x->stmt); n != NONE; n = ast_after(t, n)) {
        if (binds(pl, x, ast_span(t, n), place)) break;
        u32 before = x->nreads;
        if (!reads_replace(pl, fix, x, n, false, false)) return false;
        if (x->nreads > before) *end = t->v[n].end;
    }
    return x->nreads > 0;
}

/* Do other functions change the state, once the object is made? */
static bool set_elsewhere(const Plan *pl, const Own *x, u32 place)
{
    const Place *p = &pl->p->places.v[place];
    u32 here = gfunc_of(pl->p, x->file, x->func);
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 ga = pl->p->place_access.v[i];
        u32 g = gfunc_of(pl->p, access_gid(pl->p, ga).file, program_access(pl->p, ga)->func);
        if (g != here && access_writes(pl->p, ga) && !pl->p->funcs[g].construct && !pl->p->funcs[g].import_time)
            return true;
    }
    return false;
}

static void store_write(Plan *pl, Fix *draft, const Own *x)
{
    const Ast *t = site_ast(pl, x->file);
    const Source *s = t->source;
    u32 start = t->v[x->stmt].start, at = line_after(s, t->v[x->stmt].end);
    Str line = str_fmt(pl->a, "%.*s%.*s = %.*s", STR_ARG(str_slice(s->text, line_before(s, start), start)),
                       STR_ARG(x->text), STR_ARG(x->name));
    intent_add(pl, draft, INTENT_REPLACE, x->file, ast_span(t, x->target), x->name, NONE);
    intent_add(pl, draft, INTENT_INSERT, x->file, (Span){at, at}, line, NONE);
}

static bool own_plan(Plan *pl, const Race *r, Fix *draft, Str *why)
{
    Own x = {0};
    Str no;
    if (!store_read(pl, r, &x)) return false;
    const Ast *t = site_ast(pl, x.file);
    u32 place = pl->p->access_place[r->test], end = 0;
    Region region = {.file = x.file, .func = x.func, .first = x.stmt, .last = x.stmt, .span = ast_span(t, x.stmt)};
    if (place == NONE || judgement_find(S("no-error-nearby"))->judge(pl, NULL, &region, NULL, why) != VERDICT_OK)
        return false;
    if (!local_name(pl, x.file, x.func, x.text, x.text, "now", &x.name)) return false;
    store_write(pl, draft, &x);
    *why = S("it is read again in code that runs later, or not after the assignment");
    if (!run_replace(pl, draft, &x, place, &end)) return false;
    *why = S("what is called before it is read again may set it anew");
    region.span = (Span){t->v[x.stmt].end, end};
    bool waits = x.loops || no_blocking(pl, &(Work){.place = place}, &region, NULL, &no) == VERDICT_DECLINE;
    if (waits && set_elsewhere(pl, &x, place)) {
        *why = S("it is read in a loop or after a wait, and what others set meanwhile may be meant");
        return false;
    }
    if (reach_from(pl, x.file, x.func, region.span, mark_changers(pl, place)) == REACH_YES)
        return false;
    return true;
}

bool plan_own_value(Plan *pl, Work *w, const Page *page)
{
    Fix draft = {0};
    for (u32 i = 0; i < w->races.n; i++) {
        const Race *r = &pl->races->v[w->races.v[i]];
        Str why = S("");
        if (!r->per_call || r->test == NONE || r->act == NONE) return false;
        if (own_plan(pl, r, &draft, &why)) continue;
        w->tried = why;
        return false;
    }
    fix_take(fix_add(pl, page, w), &draft);
    w->done = true;
    return true;
}
