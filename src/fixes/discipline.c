/* Planners about locks and threads themselves rather than about the state that they guard.
 *
 * with    lock.acquire(), statements, lock.release() in one block become `with lock:`. Only where nothing in between
 *         mentions the lock again, so that every way out releases it exactly once, and no other function ends with
 *         the lock taken or gives back what it did not take: then a way out may leave it taken on purpose.
 * swap    x.join() right before x.start(), or two such loops, change places.
 * eager   a lock that is None first and made when it is first needed is made at once, and the test goes. */
#include "fixes/fixes.h"

static u32 race_function(const Plan *pl, const Race *r)
{
    const Facts *f = pl->p->facts[r->file];
    u32 func = 0;
    for (u32 i = 0; i < f->funcs.n; i++)
        if (f->funcs.v[i].span.start <= r->span.start && r->span.end <= f->funcs.v[i].span.end) func = i;
    return func;
}

/* The statement OBJECT.METHOD() without arguments: OBJECT; NONE otherwise. */
static u32 bare_call(const Ast *t, u32 stmt, const char *method)
{
    if (!ast_is(t, stmt, NODE_expression_statement)) return NONE;
    u32 call = ast_first(t, stmt), fn = ast_is(t, call, NODE_call) ? ast_field(t, call, FIELD_function) : NONE;
    if (!ast_is(t, fn, NODE_attribute) || ast_after(t, call) != NONE) return NONE;
    if (ast_first(t, ast_field(t, call, FIELD_arguments)) != NONE) return NONE;
    return str_is(ast_text(t, ast_field(t, fn, FIELD_attribute)), method) ? ast_field(t, fn, FIELD_object) : NONE;
}

static bool mentions(const Ast *t, u32 n, Str text)
{
    u8 k = t->v[n].kind;
    if ((k == NODE_identifier || k == NODE_attribute || k == NODE_subscript) && str_eq(ast_text(t, n), text))
        return true;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (mentions(t, c, text)) return true;
    return false;
}

static bool judged(Plan *pl, Work *w, const Region *r, const char *judgement)
{
    return judgement_find(str_from(judgement))->judge(pl, w, r, NULL, &w->tried) == VERDICT_OK;
}

bool plan_with(Plan *pl, Work *w, const Page *page)
{
    const Race *r = &pl->races->v[w->races.v[0]];
    u32 file = r->file, func = race_function(pl, r);
    const Ast *t = site_ast(pl, file);
    u32 first = ast_statement(t, ast_at(t, r->span)), object = first == NONE ? NONE : bare_call(t, first, "acquire");
    w->tried = S("acquire() and release() do not stand in one block as plain statements");
    if (w->races.n != 1 || object == NONE || ast_is(t, object, NODE_call)) return false;
    Str lock = ast_text(t, object);
    if (r->lock != NONE && pl->p->locks.v[r->lock].passed) {
        w->tried = str_fmt(pl->a,
                           "%.*s is taken in one function and given back in another, which may be meant to do "
                           "so where this one fails",
                           STR_ARG(lock));
        return false;
    }
    u32 last = NONE, end = ast_after(t, first);
    for (; end != NONE; last = end, end = ast_after(t, end)) {
        u32 released = bare_call(t, end, "release");
        if (released != NONE && str_eq(ast_text(t, released), lock)) break;
        if (mentions(t, end, lock)) {
            w->tried = str_fmt(pl->a, "%.*s is used again between acquire() and release()", STR_ARG(lock));
            return false;
        }
    }
    if (end == NONE || last == NONE) return false;
    Region region;
    Span from = {t->v[ast_after(t, first)].start, t->v[ast_after(t, first)].end},
         to = {t->v[last].start, t->v[last].end};
    if (!region_make(pl, file, func, from, to, &region, &w->tried)) return false;
    if (!judged(pl, w, &region, "no-error-nearby") || !judged(pl, w, &region, "no-suspend-inside")) return false;
    Fix draft = {0};
    if (!statement_delete(pl, &draft, file, func, first, &w->tried)) return false;
    if (!statement_delete(pl, &draft, file, func, end, &w->tried)) return false;
    Span inside = region.span; /* comments at its ends go along */
    for (u32 c = t->v[first].next; c != NONE && c != end; c = t->v[c].next) {
        if (t->v[c].kind != NODE_comment ||
            line_before(t->source, t->v[c].start) == line_before(t->source, t->v[first].start))
            continue;
        inside.start = MIN(inside.start, t->v[c].start);
        inside.end = MAX(inside.end, t->v[c].end);
    }
    intent_add(pl, &draft, INTENT_WRAP, file, inside, lock, NONE);
    fix_take(fix_add(pl, page, w), &draft);
    w->done = true;
    return true;
}

/* ---- join before start ---- */

/* Two statements that follow each other on lines of their own, without a comment in or between them. */
static bool neighbours(Plan *pl, const Work *w, u32 file, u32 func, u32 a, u32 b)
{
    const Ast *t = site_ast(pl, file);
    Region r;
    Str why;
    Span span = {t->v[a].start, t->v[b].end}, first = {t->v[a].start, t->v[a].end};
    Span second = {t->v[b].start, t->v[b].end};
    if (ast_after(t, a) != b) return false;
    if (!region_make(pl, file, func, first, first, &r, &why) || r.first != a || r.last != a) return false;
    if (!region_make(pl, file, func, first, second, &r, &why) || r.first != a || r.last != b) return false;
    return str_find(str_slice(t->source->text, span.start, span.end), '#') == span.end - span.start;
}

/* Is it x.METHOD(), or a loop over nothing but that? */
static bool calls_only(const Ast *t, u32 n, const char *method)
{
    if (ast_is(t, n, NODE_for_statement)) {
        u32 body = ast_field(t, n, FIELD_body);
        if (ast_field(t, n, FIELD_alternative) != NONE || body == NONE) return false;
        n = ast_first(t, body);
        if (ast_after(t, n) != NONE) return false;
    }
    return bare_call(t, n, method) != NONE;
}

/* The statement among those around n that stands in the same block as `other` or one around it. */
static u32 beside(const Ast *t, u32 n, u32 other)
{
    for (; n != NONE; n = ast_statement(t, t->v[n].parent))
        for (u32 o = other; o != NONE; o = ast_statement(t, t->v[o].parent))
            if (t->v[n].parent == t->v[o].parent) return n;
    return NONE;
}

bool plan_swap(Plan *pl, Work *w, const Page *page)
{
    const Race *r = &pl->races->v[w->races.v[0]];
    w->tried = S("join() and start() do not follow each other as statements of their own");
    if (w->races.n != 1 || r->nsites != 2) return false;
    const Ast *t = site_ast(pl, r->file);
    u32 join = ast_statement(t, ast_at(t, program_access(pl->p, r->sites[0])->span));
    u32 start = ast_statement(t, ast_at(t, program_access(pl->p, r->sites[1])->span));
    if (join == NONE || start == NONE) return false;
    u32 a = beside(t, join, start), b = beside(t, start, join);
    if (a == NONE || b == NONE || !calls_only(t, a, "join") || !calls_only(t, b, "start")) return false;
    if (!neighbours(pl, w, r->file, race_function(pl, r), a, b)) return false;
    Fix draft = {0};
    intent_add(pl, &draft, INTENT_REPLACE, r->file, (Span){t->v[a].start, t->v[a].end}, ast_text(t, b), NONE);
    intent_add(pl, &draft, INTENT_REPLACE, r->file, (Span){t->v[b].start, t->v[b].end}, ast_text(t, a), NONE);
    fix_take(fix_add(pl, page, w), &draft);
    w->done = true;
    return true;
}

/* ---- a lock made on first use ---- */

/* threading.Lock() and the like: a call of a name without arguments. */
static bool plain_make(const Ast *t, u32 n)
{
    return ast_is(t, n, NODE_call) && ast_first(t, ast_field(t, n, FIELD_arguments)) == NONE;
}

/* class Store: _lock = None, and self._lock = Lock() in a method: each object makes a lock of its own. */
static bool of_each_object(const Plan *pl, const Ast *t, u32 none, u32 lazy)
{
    u32 up = t->v[t->v[ast_statement(t, none)].parent].parent;
    const Facts *f = pl->p->facts[access_gid(pl->p, lazy).file];
    return ast_is(t, up, NODE_class_definition) && f->paths.v[program_access(pl->p, lazy)->path].root == ROOT_SELF;
}

/* global NAME, once the function does not bind the name any more. */
static bool global_delete(Plan *pl, Work *w, Fix *draft, u32 file, u32 func, u32 test, Str name)
{
    const Ast *t = site_ast(pl, file);
    u32 block = t->v[test].parent, others = 0, found = NONE;
    for (u32 n = ast_first(t, block); n != NONE; n = ast_after(t, n)) {
        u32 only = ast_is(t, n, NODE_global_statement) ? ast_first(t, n) : NONE;
        if (only != NONE && ast_after(t, only) == NONE && str_eq(ast_text(t, only), name))
            found = n;
        else
            others += n != test;
    }
    return found == NONE || !others || statement_delete(pl, draft, file, func, found, &w->tried);
}

bool plan_eager(Plan *pl, Work *w, const Page *page)
{
    const Program *p = pl->p;
    w->tried = S("it is not one lock that is None at first and made in one place");
    if (w->place == NONE || !type_is_lock(p->places.v[w->place].type.kind)) return false;
    const Place *place = &p->places.v[w->place];
    u32 first = NONE, lazy = NONE;
    for (u32 i = place->first; i < place->first + place->n; i++) {
        u32 g = p->place_access.v[i];
        if (program_access(p, g)->op == OP_DEL) return false;
        if (program_access(p, g)->op != OP_STORE) continue;
        u32 *slot = first == NONE ? &first : lazy == NONE ? &lazy : NULL;
        if (!slot) return false;
        *slot = g;
    }
    if (lazy == NONE || access_gid(p, first).file != access_gid(p, lazy).file) return false;
    u32 file = access_gid(p, first).file, func = program_access(p, lazy)->func;
    const Ast *t = site_ast(pl, file);
    u32 none = ast_assignment(t, program_access(p, first)->span),
        make = ast_assignment(t, program_access(p, lazy)->span);
    if (none == NONE || make == NONE || ast_field(t, none, FIELD_type) != NONE) return false;
    u32 was = ast_field(t, none, FIELD_right), value = ast_field(t, make, FIELD_right);
    if (!ast_is(t, was, NODE_none) || !plain_make(t, value) || program_access(p, first)->func == func) return false;
    if (of_each_object(pl, t, none, lazy)) {
        w->tried = S("each object makes a lock of its own, and the class has none to begin with");
        return false;
    }
    u32 stmt = ast_statement(t, make), block = t->v[stmt].parent, test = t->v[block].parent;
    if (!ast_is(t, test, NODE_if_statement) || ast_field(t, test, FIELD_alternative) != NONE) return false;
    if (ast_first(t, block) != stmt || ast_after(t, stmt) != NONE) return false;
    Fix draft = {0};
    intent_add(pl, &draft, INTENT_REPLACE, file, (Span){t->v[was].start, t->v[was].end}, ast_text(t, value), NONE);
    if (!statement_delete(pl, &draft, file, func, test, &w->tried)) return false;
    if (!global_delete(pl, w, &draft, file, func, test, ast_text(t, ast_field(t, make, FIELD_left)))) return false;
    fix_take(fix_add(pl, page, w), &draft);
    w->done = true;
    return true;
}
