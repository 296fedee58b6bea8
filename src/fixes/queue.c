/* Planner "queue-poll": poll without the gap between the test and the pop.
 *
 * Poll:   while q:                         while True:
 *             item = q.popleft()      →        try:
 *             work(item)                           item = q.popleft()
 *                                              except IndexError:
 *                                                  break
 *                                              work(item)
 * and the same for `if q:`, for q.pop(), q.pop(0), and for queues with `not q.empty()` and get_nowait().
 * Only where the pop is the first statement of the suite and an assignment or a plain call, and nothing
 * else in the suite asks for the length. */
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
bool polls_plan(Plan *pl, Work *w, Fix *fix, bool deque)
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
