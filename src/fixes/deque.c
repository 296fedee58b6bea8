/* Planner "list-to-deque": a list that is used as a queue only becomes a deque.
 *
 * A deque has what a queue needs, and little else of a list: it cannot be sliced, sorted or added to a list, is equal
 * to none, is written otherwise, and must not change while it is walked. So whatever the program does with the list,
 * by all its names (uses.c), must be of a form that is known to be the same on a deque. */
#include "fixes/fixes.h"

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

void place_defs(Plan *pl, u32 place, u32 *from, u32 *to)
{
    if (!pl->defs.cap) defs_list(pl);
    *from = place < pl->defs_places ? pl->defs_first[place] : 0;
    *to = place < pl->defs_places ? pl->defs_first[place + 1] : 0;
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
    u32 from, to;
    place_defs(pl, place, &from, &to);
    for (u32 i = from; i < to; i++) {
        GId g = pl->defs.v[i];
        if (def_convert(pl, g.file, &pl->p->facts[g.file]->defs.v[g.id], fix)) continue;
        *why = S("it is also assigned something that is no list literal, or has an annotation");
        return false;
    }
    if (from == to) *why = S("where the list is made is not known");
    return from < to;
}

/* ---- forms that are the same ---- */

/* The first named child that is no comment, if it is the only one. */
static u32 only_argument(const Ast *t, u32 call)
{
    u32 arg = ast_first(t, ast_field(t, call, FIELD_arguments));
    bool one = arg != NONE && ast_after(t, arg) == NONE && !ast_is(t, arg, NODE_keyword_argument) &&
               !ast_is(t, arg, NODE_list_splat) && !ast_is(t, arg, NODE_dictionary_splat) &&
               !ast_is(t, arg, NODE_generator_expression);
    return one ? arg : NONE;
}

/* Is there an access of the place with this span? Only such calls are converted. */
static bool seen_there(const Plan *pl, u32 place, u32 file, Span span)
{
    const Facts *f = pl->p->facts[file];
    for (u32 i = 0; i < f->accesses.n; i++) {
        Span s = f->accesses.v[i].span;
        if (s.start == span.start && s.end == span.end && pl->p->access_place[pl->p->access_base[file] + i] == place)
            return true;
    }
    return false;
}

/* q.append(x), q.pop(0); n is the attribute. */
static bool method_same(const Plan *pl, u32 place, u32 file, const Ast *t, u32 n)
{
    static const char *const one[] = {"append", "extend", "remove", "count"};
    static const char *const none[] = {"clear", "reverse", "pop"};
    Str name = ast_text(t, ast_field(t, n, FIELD_attribute));
    u32 call = t->v[n].parent;
    if (!ast_is(t, call, NODE_call) || ast_field(t, call, FIELD_function) != n)
        return str_is(name, "append"); /* handed on as a function */
    u32 args = ast_field(t, call, FIELD_arguments), first = ast_first(t, args), only = only_argument(t, call);
    if (str_among(name, one, COUNT_OF(one))) return only != NONE;
    if (first == NONE) return str_among(name, none, COUNT_OF(none));
    if (!str_is(ast_text(t, first), "0") || !seen_there(pl, place, file, ast_span(t, call))) return false;
    if (str_is(name, "pop")) return only != NONE;
    u32 value = ast_after(t, first);
    return str_is(name, "insert") && value != NONE && ast_after(t, value) == NONE &&
           !ast_is(t, value, NODE_list_splat) && !ast_is(t, value, NODE_keyword_argument);
}

/* Is it only asked whether there is something in it? */
static bool only_asked(const Ast *t, u32 n)
{
    for (u32 up = t->v[n].parent; up != NONE; n = up, up = t->v[up].parent) {
        u8 k = t->v[up].kind;
        if (k == NODE_parenthesized_expression || k == NODE_boolean_operator) continue;
        if (k == NODE_not_operator) return true;
        if (k == NODE_if_statement || k == NODE_elif_clause || k == NODE_while_statement)
            return t->v[n].field == FIELD_condition;
        if (k == NODE_conditional_expression) return ast_after(t, ast_first(t, up)) == n;
        return k == NODE_assert_statement && ast_first(t, up) == n;
    }
    return false;
}

/* Functions that go through what they are given at once, and keep nothing of it. */
static bool reader(const Plan *pl, u32 file, const Ast *t, u32 call)
{
    static const char *const names[] = {"len",    "bool", "list", "tuple", "set", "frozenset",
                                        "sorted", "sum",  "any",  "all",   "max", "min"};
    u32 fn = ast_field(t, call, FIELD_function);
    if (ast_is(t, fn, NODE_attribute)) /* ", ".join(q) */
        return ast_is(t, ast_field(t, fn, FIELD_object), NODE_string) &&
               str_is(ast_text(t, ast_field(t, fn, FIELD_attribute)), "join");
    return ast_is(t, fn, NODE_identifier) && str_among(ast_text(t, fn), names, COUNT_OF(names)) &&
           !name_bound(pl->p->facts[file], ast_text(t, fn), S(""));
}

/* A list may change while it is walked. Can it, by what runs in this span, or is let run? */
static bool changes_in(Plan *pl, u32 place, u32 file, Span span)
{
    const Facts *f = pl->p->facts[file];
    u32 func = 0;
    for (u32 i = 1; i < f->funcs.n; i++)
        if (span_within(span, f->funcs.v[i].body)) func = i; /* the innermost comes last */
    for (u32 i = 0; i < f->suspends.n; i++)
        if (f->suspends.v[i].offset >= span.start && f->suspends.v[i].offset < span.end) return true;
    for (u32 i = 0; i < f->accesses.n; i++) {
        u32 g = pl->p->access_base[file] + i;
        if (pl->p->access_place[g] == place && span_within(f->accesses.v[i].span, span) && access_writes(pl->p, g))
            return true;
    }
    return reach_from(pl, file, func, span, mark_changers(pl, place)) != REACH_NO;
}

/* for x in q, for i, x in enumerate(q), [x for x in q] */
static bool walk_same(Plan *pl, u32 place, u32 file, u32 n)
{
    const Ast *t = site_ast(pl, file);
    u32 up = t->v[n].parent;
    if (ast_is(t, up, NODE_for_statement)) {
        Span body = ast_span(t, ast_field(t, up, FIELD_body));
        return t->v[n].field == FIELD_right && !ast_token(t, up, "async") && !changes_in(pl, place, file, body);
    }
    u32 all = t->v[up].parent;
    if (!ast_is(t, up, NODE_for_in_clause) || t->v[n].field != FIELD_right) return false;
    bool at_once = ast_is(t, all, NODE_list_comprehension) || ast_is(t, all, NODE_set_comprehension) ||
                   ast_is(t, all, NODE_dictionary_comprehension);
    if (ast_is(t, all, NODE_generator_expression)) {
        u32 call = t->v[all].parent;
        if (ast_is(t, call, NODE_argument_list)) call = t->v[call].parent;
        at_once = ast_is(t, call, NODE_call) && reader(pl, file, t, call);
    }
    return at_once && !changes_in(pl, place, file, ast_span(t, all));
}

/* x in q, q is None */
static bool comparison_same(const Ast *t, u32 n)
{
    u32 up = t->v[n].parent, left = ast_first(t, up), right = left == NONE ? NONE : ast_after(t, left);
    if (right == NONE || ast_after(t, right) != NONE) return false;
    if (ast_token(t, up, "in") || ast_token(t, up, "not in")) return right == n;
    return (ast_token(t, up, "is") || ast_token(t, up, "is not")) && ast_is(t, left == n ? right : left, NODE_none);
}

static bool form_same(Plan *pl, u32 place, u32 file, u32 n, bool follow);

/* local = q, and nothing else is ever bound to it: the local is another name. */
static bool alias_same(Plan *pl, u32 place, u32 file, u32 left)
{
    const Facts *f = pl->p->facts[file];
    const Ast *t = site_ast(pl, file);
    Str name = ast_text(t, left);
    u32 sym = intern_find(&f->syms, name), func = 0;
    for (u32 i = 1; i < f->funcs.n; i++)
        if (span_within(ast_span(t, left), f->funcs.v[i].body)) func = i;
    if (!func || sym == NONE || !local_def(pl->p, file, func, sym)) return false;
    Span body = f->funcs.v[func].span;
    for (u32 n = ast_at(t, body); n < t->n && t->v[n].start < body.end; n++) {
        if (n == left || t->v[n].kind != NODE_identifier || !str_eq(ast_text(t, n), name)) continue;
        u8 up = t->v[t->v[n].parent].kind;
        if (up == NODE_attribute && t->v[n].field == FIELD_attribute) continue;
        if (up == NODE_keyword_argument && t->v[n].field == FIELD_name) continue;
        if (!form_same(pl, place, file, n, false)) return false;
    }
    return true;
}

/* Is what is done with the list at a node, its name or an attribute, the same on a deque? */
static bool form_same(Plan *pl, u32 place, u32 file, u32 n, bool follow)
{
    const Ast *t = site_ast(pl, file);
    if (only_asked(t, n)) return true;
    while (ast_is(t, t->v[n].parent, NODE_parenthesized_expression)) n = t->v[n].parent;
    u32 up = t->v[n].parent, call;
    switch (t->v[up].kind) {
    case NODE_expression_statement: return true;
    case NODE_attribute: return t->v[n].field == FIELD_object && method_same(pl, place, file, t, up);
    case NODE_assignment:
        if (t->v[n].field == FIELD_left) return follow; /* what is bound to it is looked at with its Defs */
        return follow && t->v[n].field == FIELD_right && ast_is(t, t->v[up].parent, NODE_expression_statement) &&
               ast_is(t, ast_field(t, up, FIELD_left), NODE_identifier) &&
               alias_same(pl, place, file, ast_field(t, up, FIELD_left));
    case NODE_comparison_operator: return comparison_same(t, n);
    case NODE_for_statement:
    case NODE_for_in_clause: return walk_same(pl, place, file, n);
    case NODE_list_splat: /* f(*q), [*q] */
        return ast_is(t, t->v[up].parent, NODE_argument_list) || ast_is(t, t->v[up].parent, NODE_list) ||
               ast_is(t, t->v[up].parent, NODE_tuple);
    case NODE_argument_list:
        call = t->v[up].parent;
        if (!ast_is(t, call, NODE_call) || only_argument(t, call) != n) return false;
        if (reader(pl, file, t, call)) return true;
        return (str_is(ast_text(t, ast_field(t, call, FIELD_function)), "enumerate") ||
                str_is(ast_text(t, ast_field(t, call, FIELD_function)), "reversed")) &&
               walk_same(pl, place, file, call);
    default: return false;
    }
}

/* All that the program does with the list. */
static bool uses_same(Plan *pl, Work *w)
{
    UseVec uses = {0};
    if (!uses_known(pl, w->place, &uses, &w->tried)) return false;
    for (u32 i = 0; i < uses.n; i++) {
        const Use *u = &uses.v[i];
        if (form_same(pl, w->place, u->file, u->node, true)) continue;
        const Source *s = site_source(pl, u->file);
        u32 line, column;
        source_position(s, site_ast(pl, u->file)->v[u->node].start, &line, &column);
        w->tried = str_fmt(pl->a, "line %u of %.*s does something with the list that may be another thing on a deque",
                           line, STR_ARG(s->path));
        return false;
    }
    return true;
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
    if (!defs_convert(pl, w->place, &draft, &w->tried) || !uses_same(pl, w)) return false;
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
