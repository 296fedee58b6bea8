/* Planners for queues: poll without the gap between the test and the pop, and lists that become deques.
 *
 * Poll:   while q:                         while True:
 *             item = q.popleft()      →        try:
 *             work(item)                           item = q.popleft()
 *                                              except IndexError:
 *                                                  break
 *                                              work(item)
 * and the same for `if q:`, for q.pop(), q.pop(0), and for queues with `not q.empty()` and get_nowait().
 * Only where the pop is the first statement of the suite and an assignment or a plain call, and nothing
 * else in the suite asks for the length. A list becomes a deque when all its uses in the program exist on
 * a deque too. */
#include "fixes/fixes.h"

typedef struct Poll {
    u32 stmt; /* while or if */
    u32 cond, body, first, call;
    bool loop;
    Str queue;         /* as written in the condition */
    bool empty_method; /* tested by q.empty(), q.qsize() */
    Str method;
    Str item; /* what the item is popped into, where its target may raise the same error; empty: the target itself */
} Poll;

/* The object that a condition asks whether it has items: q, len(q), len(q) > 0, not q.empty(), q.qsize(). */
static u32 asked(const Ast *t, u32 n, bool *method)
{
    *method = false;
    while (ast_is(t, n, NODE_parenthesized_expression)) n = ast_first(t, n);
    if (ast_is(t, n, NODE_comparison_operator)) {
        u32 left = ast_first(t, n), right = ast_after(t, left);
        bool greater = ast_token(t, n, ">") || ast_token(t, n, "!=");
        if (!greater || right == NONE || !str_is(ast_text(t, right), "0") || !ast_is(t, left, NODE_call)) return NONE;
        n = left;
    }
    bool negated = ast_is(t, n, NODE_not_operator);
    if (negated) n = ast_field(t, n, FIELD_argument);
    if (!ast_is(t, n, NODE_call)) return negated ? NONE : n;
    u32 fn = ast_field(t, n, FIELD_function), arg = ast_first(t, ast_field(t, n, FIELD_arguments));
    if (ast_is(t, fn, NODE_identifier) && str_is(ast_text(t, fn), "len") && !negated && arg != NONE) return arg;
    if (!ast_is(t, fn, NODE_attribute) || arg != NONE) return NONE;
    Str name = ast_text(t, ast_field(t, fn, FIELD_attribute));
    if (!(negated && str_is(name, "empty")) && !(!negated && str_is(name, "qsize"))) return NONE;
    *method = true;
    return ast_field(t, fn, FIELD_object);
}

/* item = q.pop(…) or q.pop(…): the call; NONE otherwise. */
static u32 popping_call(const Ast *t, u32 stmt)
{
    if (!ast_is(t, stmt, NODE_expression_statement)) return NONE;
    u32 n = ast_first(t, stmt);
    if (ast_after(t, n) != NONE) return NONE;
    if (ast_is(t, n, NODE_assignment)) n = ast_field(t, n, FIELD_right);
    return ast_is(t, n, NODE_call) && ast_is(t, ast_field(t, n, FIELD_function), NODE_attribute) ? n : NONE;
}

static bool mentions(const Ast *t, u32 n, Str text, u32 but)
{
    if (n == but) return false;
    u8 k = t->v[n].kind;
    if ((k == NODE_identifier || k == NODE_attribute) && str_eq(ast_text(t, n), text)) return true;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (mentions(t, c, text, but)) return true;
    return false;
}

static bool pop_fits(const Ast *t, Poll *p)
{
    u32 arg = ast_first(t, ast_field(t, p->call, FIELD_arguments));
    bool none = arg == NONE, zero = !none && ast_after(t, arg) == NONE && str_is(ast_text(t, arg), "0");
    if (p->empty_method) return (str_is(p->method, "get") || str_is(p->method, "get_nowait")) && none;
    if (str_is(p->method, "pop")) return none || zero;
    return str_is(p->method, "popleft") && none;
}

/* Pops the queue of items as a queue or list of Python's own would: no error but that of an empty one? A set raises
 * KeyError. */
static bool known_queue(const Plan *pl, u32 place, bool by_method)
{
    u8 type = pl->p->places.v[place].type.kind;
    return by_method ? type == TYPE_QUEUE : type == TYPE_LIST || type == TYPE_DEQUE;
}

/* results[i] = q.pop(): the target may raise an IndexError of its own, which nobody must catch. */
static bool target_plain(const Ast *t, const Poll *p)
{
    u32 n = ast_first(t, p->first);
    return n == p->call || ast_is(t, ast_field(t, n, FIELD_left), NODE_identifier);
}

static bool poll_read(Plan *pl, u32 place, u32 file, const Access *test, Poll *p, Str *why)
{
    const Ast *t = site_ast(pl, file);
    p->stmt = ast_statement(t, ast_at(t, test->span));
    *why = S("the test and the pop do not have the shape `while q: item = q.pop()`");
    p->loop = ast_is(t, p->stmt, NODE_while_statement);
    if (!p->loop && !ast_is(t, p->stmt, NODE_if_statement)) return false;
    p->cond = ast_field(t, p->stmt, FIELD_condition);
    p->body = ast_field(t, p->stmt, p->loop ? FIELD_body : FIELD_consequence);
    if (p->body == NONE || ast_field(t, p->stmt, FIELD_alternative) != NONE) return false;
    if (p->loop && ast_is(t, ast_after(t, p->body), NODE_else_clause)) return false;
    u32 object = asked(t, p->cond, &p->empty_method);
    p->first = ast_first(t, p->body);
    p->call = object == NONE || p->first == NONE ? NONE : popping_call(t, p->first);
    if (p->call == NONE) return false;
    u32 fn = ast_field(t, p->call, FIELD_function);
    p->queue = ast_text(t, object);
    p->method = ast_text(t, ast_field(t, fn, FIELD_attribute));
    if (!str_eq(ast_text(t, ast_field(t, fn, FIELD_object)), p->queue) || !pop_fits(t, p)) return false;
    *why = S("finding the queue may raise the error of an empty one, or do something of its own");
    if (!ast_plain_name(t, object) || !expr_steady(pl, file, object)) return false;
    *why = S("it is not known to be a list, a deque or a queue, and what it raises when it is empty");
    if (!known_queue(pl, place, p->empty_method)) return false;
    *why = S("every name for the item is taken");
    if (!target_plain(t, p) && !local_name(pl, file, test->func, S("item"), p->queue, "taken", &p->item))
        return false;
    for (u32 n = ast_after(t, p->first); n != NONE; n = ast_after(t, n))
        if (mentions(t, n, p->queue, NONE)) {
            *why = S("the code after the pop uses the queue again");
            return false;
        }
    Region whole, line;
    if (!region_make(pl, file, test->func, test->span, test->span, &whole, why)) return false;
    Span first = {t->v[p->first].start, t->v[p->first].end};
    if (!region_make(pl, file, test->func, first, first, &line, why)) return false;
    if (line.first != p->first || line.last != p->first || whole.first != p->stmt || whole.last != p->stmt) {
        *why = S("the statements share their lines with others");
        return false;
    }
    return true;
}

/* Only comments may stand between the header and the pop, and none of them may be lost. */
static bool comment_free(const Ast *t, const Poll *p)
{
    Str between = str_slice(t->source->text, t->v[p->cond].end, t->v[p->first].start);
    return str_find(between, '#') == between.n;
}

static bool poll_write(Plan *pl, u32 file, const Poll *p, Fix *fix, Str pop)
{
    const Ast *t = site_ast(pl, file);
    const Facts *f = pl->p->facts[file];
    Str error = S("IndexError");
    if (p->empty_method) {
        ImportRef ref = import_ref(pl->a, f, t, S("queue"), S("Empty"), false);
        if (!ref.have) intent_add(pl, fix, INTENT_NEED_IMPORT, file, (Span){0}, ref.statement, NONE);
        error = ref.text;
    }
    const Node *first = &t->v[p->first], *call = &t->v[p->call];
    Str target = str_slice(t->source->text, first->start, call->start), after = S("");
    Str text = str_fmt(pl->a, "%.*s%.*s", STR_ARG(target), STR_ARG(pop));
    if (p->item.n) {
        text = str_fmt(pl->a, "%.*s = %.*s", STR_ARG(p->item), STR_ARG(pop));
        after = str_fmt(pl->a, "\n%s%.*s%.*s", p->loop ? "" : "    ", STR_ARG(target), STR_ARG(p->item));
    }
    if (p->loop) {
        intent_add(pl, fix, INTENT_REPLACE, file, (Span){t->v[p->cond].start, t->v[p->cond].end}, S("True"), NONE);
        text = str_fmt(pl->a, "try:\n    %.*s\nexcept %.*s:\n    break%.*s", STR_ARG(text), STR_ARG(error),
                       STR_ARG(after));
        intent_add(pl, fix, INTENT_REPLACE, file, (Span){first->start, call->end},
                   text_indent(pl, file, first->start, text), NONE);
        return true;
    }
    bool more = p->item.n || ast_after(t, p->first) != NONE;
    text = str_fmt(pl->a, "try:\n    %.*s\nexcept %.*s:\n    pass%s%.*s", STR_ARG(text), STR_ARG(error),
                   more ? "\nelse:" : "", STR_ARG(after));
    Span span = {t->v[p->stmt].start, call->end};
    intent_add(pl, fix, INTENT_REPLACE, file, span, text_indent(pl, file, span.start, text), NONE);
    return true;
}

static Str pop_text(Plan *pl, u32 file, const Poll *p, bool deque)
{
    const Ast *t = site_ast(pl, file);
    if (str_is(p->method, "get")) return str_fmt(pl->a, "%.*s.get_nowait()", STR_ARG(p->queue));
    u32 arg = ast_first(t, ast_field(t, p->call, FIELD_arguments));
    if (deque && str_is(p->method, "pop") && arg != NONE) return str_fmt(pl->a, "%.*s.popleft()", STR_ARG(p->queue));
    return ast_text(t, p->call);
}

/* All findings of the work as polls; intents go into the fix. */
static bool polls_plan(Plan *pl, Work *w, Fix *fix, bool deque)
{
    for (u32 i = 0; i < w->races.n; i++) {
        const Race *r = &pl->races->v[w->races.v[i]];
        u32 id = r->test != NONE ? r->test : r->nsites ? r->sites[0] : NONE;
        if (id == NONE) return false;
        u32 file = access_gid(pl->p, id).file;
        Poll p = {0};
        if (!poll_read(pl, w->place, file, program_access(pl->p, id), &p, &w->tried)) return false;
        if (!comment_free(site_ast(pl, file), &p)) {
            w->tried = S("a comment stands between the test and the pop");
            return false;
        }
        Region region;
        Str why = S("");
        Span first = {site_ast(pl, file)->v[p.first].start, site_ast(pl, file)->v[p.first].end};
        if (!region_make(pl, file, program_access(pl->p, id)->func, first, first, &region, &why)) return false;
        if (judgement_find(S("no-error-nearby"))->judge(pl, w, &region, NULL, &w->tried) != VERDICT_OK) return false;
        poll_write(pl, file, &p, fix, pop_text(pl, file, &p, deque));
    }
    return true;
}

bool plan_poll(Plan *pl, Work *w, const Page *page)
{
    Fix draft = {0};
    if (w->place == NONE || !polls_plan(pl, w, &draft, false)) return false;
    fix_take(fix_add(pl, page, w), &draft);
    w->done = true;
    return true;
}

/* ---- list to deque ---- */

static const char *const deque_methods[] = {"append", "extend", "pop",     "clear",
                                            "insert", "remove", "reverse", "count"};

/* What one use of the list becomes on a deque. False with a reason when a deque cannot do it. */
static bool use_convert(Plan *pl, u32 g, Fix *fix, Str *why)
{
    GId id = access_gid(pl->p, g);
    const Facts *f = pl->p->facts[id.file];
    const Access *a = &f->accesses.v[id.id];
    Str method = sym_str(f, a->method);
    *why = str_fmt(pl->a, "line %u of %.*s uses the list in a way that a deque does not allow (%s)", a->line,
                   STR_ARG(f->source->path), op_name[a->op]);
    if (a->op == OP_STORE || a->op == OP_LOAD || a->op == OP_TRUTH || a->op == OP_ITER || a->op == OP_CONTAINS)
        return true;
    if (a->op == OP_CREAD) return str_is(method, "len") || str_is(method, "list") || str_is(method, "bool");
    if (a->op != OP_METHOD) return false;
    bool known = false;
    for (u32 i = 0; i < COUNT_OF(deque_methods); i++) known |= str_is(method, deque_methods[i]);
    if (!known) return false;
    const Ast *t = site_ast(pl, id.file);
    u32 call = ast_at(t, a->span);
    if (!ast_is(t, call, NODE_call)) return false;
    u32 args = ast_field(t, call, FIELD_arguments), arg = ast_first(t, args), fn = ast_field(t, call, FIELD_function);
    bool zero = arg != NONE && str_is(ast_text(t, arg), "0");
    if (str_is(method, "pop") && arg != NONE) {
        if (!zero) return false;
        u32 name = ast_field(t, fn, FIELD_attribute);
        intent_add(pl, fix, INTENT_REPLACE, id.file, (Span){t->v[name].start, t->v[args].end}, S("popleft()"), NONE);
    }
    if (str_is(method, "insert")) {
        u32 value = arg == NONE ? NONE : ast_after(t, arg), name = ast_field(t, fn, FIELD_attribute);
        if (!zero || value == NONE) return false;
        Str text = str_fmt(pl->a, "appendleft(%.*s)", STR_ARG(ast_text(t, value)));
        intent_add(pl, fix, INTENT_REPLACE, id.file, (Span){t->v[name].start, t->v[args].end}, text, NONE);
    }
    return true;
}

/* The Defs of all places, in the order of the places and then of the text. */
static void defs_list(Plan *pl)
{
    const Program *p = pl->p;
    Vec(u32) places = {0};
    Vec(GId) ids = {0};
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->defs.n; i++) {
            const Def *d = &f->defs.v[i];
            u32 place = d->path == NONE || d->is_return ? NONE : path_place(p, file, d->path);
            if (place == NONE) continue;
            vec_push(pl->a, &places, place);
            vec_push(pl->a, &ids, (GId){file, i});
        }
    }
    pl->defs_places = p->places.n; /* asking for places may have made some */
    pl->defs_first = arena_new(pl->a, u32, p->places.n + 2);
    pl->defs.v = arena_new(pl->a, GId, ids.n + 1);
    pl->defs.n = ids.n;
    pl->defs.cap = ids.n + 1;
    for (u32 i = 0; i < ids.n; i++) pl->defs_first[places.v[i] + 2]++;
    for (u32 i = 0; i <= p->places.n; i++) pl->defs_first[i + 1] += pl->defs_first[i];
    for (u32 i = 0; i < ids.n; i++) pl->defs.v[pl->defs_first[places.v[i] + 1]++] = ids.v[i];
}

/* The assignment of a list literal becomes one of deque(…); false when it is something else. */
static bool def_convert(Plan *pl, u32 file, const Def *d, Fix *fix)
{
    const Ast *t = site_ast(pl, file);
    u32 n = ast_at(t, d->span);
    while (n != NONE && t->v[n].kind != NODE_assignment) n = ast_is_statement(t, n) ? NONE : t->v[n].parent;
    u32 value = n == NONE ? NONE : ast_field(t, n, FIELD_right);
    if (d->kind != VAL_LIST || d->augmented || !ast_is(t, value, NODE_list) || ast_field(t, n, FIELD_type) != NONE)
        return false;
    ImportRef ref = import_ref(pl->a, pl->p->facts[file], t, S("collections"), S("deque"), true);
    if (!ref.have) intent_add(pl, fix, INTENT_NEED_IMPORT, file, (Span){0}, ref.statement, NONE);
    Str text = d->empty ? str_fmt(pl->a, "%.*s()", STR_ARG(ref.text))
                        : str_fmt(pl->a, "%.*s(%.*s)", STR_ARG(ref.text), STR_ARG(ast_text(t, value)));
    intent_add(pl, fix, INTENT_REPLACE, file, (Span){t->v[value].start, t->v[value].end}, text, NONE);
    return true;
}

/* Every assignment must be of a list literal. */
static bool defs_convert(Plan *pl, u32 place, Fix *fix, Str *why)
{
    if (!pl->defs.cap) defs_list(pl);
    u32 from = place < pl->defs_places ? pl->defs_first[place] : 0;
    u32 to = place < pl->defs_places ? pl->defs_first[place + 1] : 0;
    for (u32 i = from; i < to; i++) {
        GId g = pl->defs.v[i];
        if (def_convert(pl, g.file, &pl->p->facts[g.file]->defs.v[g.id], fix)) continue;
        *why = S("it is also assigned something that is no list literal, or has an annotation");
        return false;
    }
    if (from == to) *why = S("where the list is made is not known");
    return from < to;
}

static bool inside_replaced(const Fix *polls, u32 file, Span s)
{
    for (u32 i = 0; i < polls->intents.n; i++) {
        const Intent *in = &polls->intents.v[i];
        if (in->kind == INTENT_REPLACE && in->file == file && in->span.start <= s.start && s.end <= in->span.end)
            return true;
    }
    return false;
}

bool plan_deque(Plan *pl, Work *w, const Page *page)
{
    if (w->place == NONE || pl->p->places.v[w->place].type.kind != TYPE_LIST) return false;
    const Place *p = &pl->p->places.v[w->place];
    Fix draft = {0};
    bool growth = true; /* nothing to poll: UG202 */
    for (u32 i = 0; i < w->races.n; i++) growth &= pl->races->v[w->races.v[i]].rule == UG202;
    if (!growth && !polls_plan(pl, w, &draft, true)) return false;
    if (!defs_convert(pl, w->place, &draft, &w->tried)) return false;
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        const Access *a = program_access(pl->p, g);
        Fix part = {0};
        if (!use_convert(pl, g, &part, &w->tried)) return false;
        for (u32 k = 0; k < part.intents.n; k++)
            if (!inside_replaced(&draft, access_gid(pl->p, g).file, a->span))
                vec_push(pl->a, &draft.intents, part.intents.v[k]);
    }
    fix_take(fix_add(pl, page, w), &draft);
    w->done = true;
    return true;
}
