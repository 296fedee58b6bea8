/* Planner "take-entry", and entries for the planner "guard": an entry that is asked for and then used is taken once.
 *
 *   if key in self._jobs:                  job = self._jobs.get(key)
 *       self._jobs[key].stop()        →    if job is not None:
 *                                              job.stop()
 *
 * The same where the test leaves (`if key not in d: return`) and the uses stand after it. get() is one step on
 * a dict, so another thread can no longer take the entry away between test and use, no lock is needed, and
 * nothing that the branch calls runs under one. Only where an entry cannot be None, where the branch does not
 * change the dict or bind the key anew, and where nothing that is called before the last use may change the
 * dict in this very thread. */
#include "fixes/fixes.h"

typedef struct Take {
    u32 file, func;
    u32 stmt;        /* the if statement */
    u32 asked;       /* its `K in D` */
    u32 first, last; /* the statements that use the entry */
    bool leaves;     /* `K not in D`, and the branch leaves */
    Str key, dict, name;
    u32 bind; /* a statement NAME = D[K], which is taken out; NONE */
    u32 nuses, first_use, last_use;
} Take;

/* D of D and of D.keys(). */
static u32 dict_node(const Ast *t, u32 n)
{
    if (!ast_is(t, n, NODE_call) || ast_first(t, ast_field(t, n, FIELD_arguments)) != NONE) return n;
    u32 fn = ast_field(t, n, FIELD_function);
    bool keys = ast_is(t, fn, NODE_attribute) && str_is(ast_text(t, ast_field(t, fn, FIELD_attribute)), "keys");
    return keys ? ast_field(t, fn, FIELD_object) : n;
}

/* The condition that the if statement begins with: itself, or the first of several that must all hold. */
static u32 first_condition(const Ast *t, u32 n)
{
    while (ast_is(t, n, NODE_parenthesized_expression)) n = ast_first(t, n);
    while (ast_is(t, n, NODE_boolean_operator) && ast_token(t, n, "and")) n = ast_first(t, n);
    return n;
}

/* Fills what the test says; false when it is of another form. */
static bool test_read(Plan *pl, const Ast *t, Span span, Take *x)
{
    x->asked = ast_at(t, span);
    while (x->asked != 0 && !ast_is(t, x->asked, NODE_comparison_operator)) x->asked = t->v[x->asked].parent;
    if (x->asked == 0) return false;
    u32 key = ast_first(t, x->asked), dict = key == NONE ? NONE : ast_after(t, key);
    if (dict == NONE || ast_after(t, dict) != NONE) return false;
    x->leaves = ast_token(t, x->asked, "not in");
    if (!x->leaves && !ast_token(t, x->asked, "in")) return false;
    dict = dict_node(t, dict);
    bool fixed = ast_is(t, key, NODE_string) || ast_is(t, key, NODE_integer);
    if ((!fixed && !ast_plain_name(t, key)) || !ast_plain_name(t, dict)) return false;
    if (!expr_steady(pl, x->file, key) || !expr_steady(pl, x->file, dict)) return false;
    x->key = ast_text(t, key);
    x->dict = ast_text(t, dict);
    x->stmt = ast_statement(t, x->asked);
    if (!ast_is(t, x->stmt, NODE_if_statement)) return false;
    u32 cond = ast_field(t, x->stmt, FIELD_condition), body = ast_field(t, x->stmt, FIELD_consequence);
    u32 first = first_condition(t, cond);
    if (first != x->asked || (x->leaves && ast_is(t, cond, NODE_boolean_operator))) return false;
    x->first = x->leaves ? ast_after(t, x->stmt) : ast_first(t, body);
    if (x->leaves && (ast_field(t, x->stmt, FIELD_alternative) != NONE || !ast_block_leaves(t, body))) return false;
    for (u32 c = x->first; c != NONE; c = ast_after(t, c)) x->last = c;
    return x->first != NONE;
}

/* ---- the uses ---- */

static bool is_use(const Ast *t, const Take *x, u32 n)
{
    if (!ast_is(t, n, NODE_subscript)) return false;
    u32 key = ast_field(t, n, FIELD_subscript);
    return key != NONE && ast_after(t, key) == NONE && str_eq(ast_text(t, key), x->key) &&
           str_eq(ast_text(t, ast_field(t, n, FIELD_value)), x->dict);
}

/* Counts the uses below a node; false when one runs later than where it stands. */
static bool uses_count(const Ast *t, Take *x, u32 n, bool late)
{
    if (is_use(t, x, n)) {
        if (late) return false;
        if (!x->nuses++) x->first_use = n;
        x->last_use = n;
        return true;
    }
    u8 k = t->v[n].kind;
    late |= k == NODE_lambda || k == NODE_function_definition || k == NODE_generator_expression;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (!uses_count(t, x, c, late)) return false;
    return true;
}

/* In all that is asked after the test, and in the statements that use the entry. */
static bool uses_find(const Ast *t, Take *x)
{
    if (!x->leaves && !uses_count(t, x, ast_field(t, x->stmt, FIELD_condition), false)) return false;
    for (u32 c = x->first; c != NONE; c = ast_after(t, c))
        if (!uses_count(t, x, c, false)) return false;
    return x->nuses > 0;
}

/* Is the dict written to, or the key or the dict bound anew, from the test to the end of the statements? */
static bool changed_between(const Plan *pl, const Work *w, const Ast *t, const Take *x)
{
    const Facts *f = pl->p->facts[x->file];
    const Func *fn = &f->funcs.v[x->func];
    Span span = {t->v[x->stmt].start, MAX(t->v[x->stmt].end, t->v[x->last].end)};
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 g = pl->p->access_base[x->file] + i;
        if (span_within(f->accesses.v[i].span, span) && pl->p->access_place[g] == w->place && access_writes(pl->p, g))
            return true;
    }
    Str root = str_slice(x->key, 0, str_find(x->key, '.'));
    for (u32 i = 0; i < f->defs.n; i++) {
        const Path *p = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
        if (!p || !span_within(f->defs.v[i].span, span)) continue;
        Str name = path_last(f, p);
        if ((!p->nattr && str_eq(name, root)) || (p->nattr && str_ends(x->key, name))) return true;
    }
    return false;
}

/* May what is called from the test to the last use change the dict, or what the key stands for, in this thread? */
static bool calls_change(Plan *pl, const Work *w, const Ast *t, const Take *x)
{
    u32 mark = ++pl->marks;
    const Place *p = &pl->p->places.v[w->place];
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        if (access_writes(pl->p, g))
            pl->mark[gfunc_of(pl->p, access_gid(pl->p, g).file, program_access(pl->p, g)->func)] = mark;
    }
    Span span = {t->v[x->asked].end, t->v[x->last_use].start};
    const Facts *f = pl->p->facts[x->file];
    const Func *fn = &f->funcs.v[x->func];
    bool attribute = str_find(x->key, '.') != x->key.n; /* which anything may set */
    for (u32 i = fn->calls; attribute && i < fn->calls + fn->ncalls; i++)
        if (span_within(f->calls.v[i].span, span)) return true;
    return reach_from(pl, x->file, x->func, span, mark) != REACH_NO;
}

/* ---- can an entry be None? ---- */

/* Is an attribute of the variable used, before the store or in it, wherever the store runs? */
static bool attribute_used(const Facts *f, const Access *store, u32 var)
{
    const Func *fn = &f->funcs.v[store->func];
    const Path *v = &f->paths.v[var];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        const Path *p = &f->paths.v[a->path];
        bool same = p->root == v->root && p->name == v->name && p->func == v->func && p->nattr;
        if (same && a->span.start <= store->span.end && block_within(f, store->block, a->block)) return true;
    }
    return false;
}

/* Is it sure that what is stored here is an object? */
static bool object_stored(const Plan *pl, u32 file, const Access *a)
{
    const Facts *f = pl->p->facts[file];
    const Def *d = a->value == NONE ? NULL : &f->defs.v[a->value];
    if (!d) return false;
    if (d->kind >= VAL_NUMBER && d->kind <= VAL_LAMBDA) return true;
    if (d->kind == VAL_CALL) return path_type(pl->p, file, f->calls.v[d->value].callee).kind == TYPE_CLASS_OBJECT;
    if (d->kind != VAL_PATH) return false;
    const Path *v = &f->paths.v[d->value];
    if (v->nattr || (v->root != ROOT_LOCAL && v->root != ROOT_PARAM)) return false;
    return (v->root == ROOT_LOCAL && path_type(pl->p, file, d->value).kind == TYPE_CLASS) ||
           attribute_used(f, a, d->value);
}

static bool never_none(const Plan *pl, u32 place)
{
    const Place *p = &pl->p->places.v[place];
    bool stored = false;
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        GId id = access_gid(pl->p, g);
        const Access *a = program_access(pl->p, g);
        const Facts *f = pl->p->facts[id.file];
        if (!access_writes(pl->p, g) || a->op == OP_DEL || a->op == OP_ITEM_DEL) continue;
        if (a->op == OP_STORE && a->value != NONE && f->defs.v[a->value].kind == VAL_DICT &&
            f->defs.v[a->value].empty)
            continue;                                                                 /* its name */
        if (a->op == OP_METHOD && !(access_effect(pl->p, g) & EFFECT_GROW)) continue; /* pop, clear */
        if (a->op != OP_ITEM_STORE || !object_stored(pl, id.file, a)) return false;
        stored = true;
    }
    return stored;
}

/* Is the first use one that None would not allow, in a statement that always runs? */
static bool needs_object(const Ast *t, const Take *x)
{
    u32 n = x->first_use, stmt = ast_statement(t, n), up = t->v[n].parent;
    if (stmt != x->first) return false;
    bool object = (ast_is(t, up, NODE_attribute) && ast_field(t, up, FIELD_object) == n) ||
                  (ast_is(t, up, NODE_subscript) && ast_field(t, up, FIELD_value) == n) ||
                  (ast_is(t, up, NODE_call) && ast_field(t, up, FIELD_function) == n);
    for (; object && up != stmt; up = t->v[up].parent)
        object = !ast_is(t, up, NODE_boolean_operator) && !ast_is(t, up, NODE_conditional_expression);
    return object && (ast_is(t, stmt, NODE_expression_statement) || ast_is(t, stmt, NODE_return_statement));
}

/* Does the statement after NAME = D[K] use NAME as None could not be used? */
static bool object_after(const Ast *t, const Take *x)
{
    u32 next = ast_after(t, x->bind);
    if (!ast_is(t, next, NODE_expression_statement) && !ast_is(t, next, NODE_return_statement)) return false;
    for (u32 n = next + 1; n < t->n && t->v[n].start < t->v[next].end; n++) {
        u8 k = t->v[n].kind;
        if (k == NODE_boolean_operator || k == NODE_conditional_expression || k == NODE_lambda) return false;
        u32 up = t->v[n].parent;
        bool object = (ast_is(t, up, NODE_attribute) && ast_field(t, up, FIELD_object) == n) ||
                      (ast_is(t, up, NODE_subscript) && ast_field(t, up, FIELD_value) == n);
        if (k == NODE_identifier && object && str_eq(ast_text(t, n), x->name)) return true;
    }
    return false;
}

/* ---- the name ---- */

/* NAME = D[K] as the first statement, and NAME nowhere but in the statements that use it: the name, and nothing is
 * left to bind. */
static bool name_given(Plan *pl, const Ast *t, Take *x)
{
    u32 set = ast_is(t, x->first, NODE_expression_statement) ? ast_first(t, x->first) : NONE;
    if (!ast_is(t, set, NODE_assignment) || ast_field(t, set, FIELD_type) != NONE) return false;
    u32 left = ast_field(t, set, FIELD_left);
    if (!ast_is(t, left, NODE_identifier) || !is_use(t, x, ast_field(t, set, FIELD_right))) return false;
    if (x->nuses != 1 || x->first == x->last) return false;
    u32 end = t->v[x->first].end;
    Str rest = str_slice(t->source->text, end, line_after(t->source, end));
    if (str_find(rest, '#') != rest.n) return false; /* it would go with the statement */
    Span span = x->func ? pl->p->facts[x->file]->funcs.v[x->func].span : (Span){0, (u32)t->source->text.n};
    Str name = ast_text(t, left), text = str_slice(t->source->text, span.start, span.end);
    Str within = str_slice(t->source->text, t->v[x->first].start, t->v[x->last].end);
    if (str_name_count(text, name) != str_name_count(within, name)) return false;
    x->name = name;
    x->bind = x->first;
    return true;
}

/* _clients → client, entries → entry, table → entry */
static Str singular(Plan *pl, Str state)
{
    state = state_word(state);
    if (str_ends(state, S("ies"))) return str_fmt(pl->a, "%.*sy", (int)(state.n - 3), state.p);
    bool many = state.n > 3 && str_ends(state, S("s")) && !str_ends(state, S("ss")) && !str_ends(state, S("us")) &&
                !str_ends(state, S("is"));
    return many ? str_slice(state, 0, state.n - 1) : S("entry");
}

/* ---- all together ---- */

static bool take_read(Plan *pl, const Work *w, const Race *r, Take *x)
{
    u8 type = pl->p->places.v[w->place].type.kind;
    if (type != TYPE_DICT && type != TYPE_DEFAULT_DICT && type != TYPE_ORDERED_DICT) return false;
    if (items_of_object(pl, w)) return false; /* a class of its own may say what `in` and [] mean */
    if (r->test == NONE || r->act == NONE || access_writes(pl->p, r->act)) return false;
    GId g = access_gid(pl->p, r->test);
    const Access *test = program_access(pl->p, r->test), *act = program_access(pl->p, r->act);
    if (test->func != act->func || access_gid(pl->p, r->act).file != g.file) return false;
    *x = (Take){.file = g.file, .func = test->func, .bind = NONE};
    const Ast *t = site_ast(pl, g.file);
    if (!test_read(pl, t, test->span, x) || !uses_find(t, x)) return false;
    Span used = {t->v[x->first].start, t->v[x->last].end};
    Span cond = ast_span(t, ast_field(t, x->stmt, FIELD_condition));
    if (!span_within(act->span, used) && !span_within(act->span, cond)) return false;
    if (changed_between(pl, w, t, x) || calls_change(pl, w, t, x)) return false;
    Region region;
    Str why;
    if (!region_make(pl, g.file, x->func, test->span, test->span, &region, &why) || region.first != x->stmt ||
        region.last != x->stmt)
        return false;
    bool given = name_given(pl, t, x);
    if (entries_none(pl, w->place)) return false; /* and what None does not allow raises today */
    if (!(given && object_after(t, x)) && !needs_object(t, x) && !never_none(pl, w->place)) return false;
    Str state = pl->p->syms.strs[pl->p->places.v[w->place].name];
    return given || local_name(pl, x->file, x->func, singular(pl, state), x->dict, "entry", &x->name);
}

static void uses_replace(Plan *pl, Fix *fix, const Ast *t, const Take *x, u32 n)
{
    if (is_use(t, x, n)) {
        intent_add(pl, fix, INTENT_REPLACE, x->file, ast_span(t, n), x->name, NONE);
        return;
    }
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next) uses_replace(pl, fix, t, x, c);
}

/* Takes the statement out that bound the name, and the empty line after it. */
static bool bind_delete(Plan *pl, Fix *fix, const Take *x, Str *why)
{
    if (!statement_delete(pl, fix, x->file, x->func, x->bind, why)) return false;
    Intent *in = &fix->intents.v[fix->intents.n - 1];
    const Source *s = site_source(pl, x->file);
    u32 next = line_after(s, in->span.end);
    if (in->kind == INTENT_DELETE && !str_trim(str_slice(s->text, in->span.end, next)).n) in->span.end = next;
    return true;
}

static bool take_write(Plan *pl, Fix *fix, const Take *x, Str *why)
{
    const Ast *t = site_ast(pl, x->file);
    const Source *s = site_source(pl, x->file);
    u32 start = t->v[x->stmt].start, at = line_before(s, start);
    Str text = str_fmt(pl->a, "%.*s%.*s = %.*s.get(%.*s)", STR_ARG(str_slice(s->text, at, start)), STR_ARG(x->name),
                       STR_ARG(x->dict), STR_ARG(x->key));
    intent_add(pl, fix, INTENT_INSERT, x->file, (Span){at, at}, text, NONE);
    text = str_fmt(pl->a, x->leaves ? "%.*s is None" : "%.*s is not None", STR_ARG(x->name));
    intent_add(pl, fix, INTENT_REPLACE, x->file, ast_span(t, x->asked), text, NONE);
    if (!x->leaves) uses_replace(pl, fix, t, x, ast_field(t, x->stmt, FIELD_condition));
    if (x->bind != NONE) return bind_delete(pl, fix, x, why);
    for (u32 c = x->first; c != NONE; c = ast_after(t, c)) uses_replace(pl, fix, t, x, c);
    return true;
}

bool take_region(Plan *pl, const Work *w, const Race *r, Region *out)
{
    Take x;
    if (!take_read(pl, w, r, &x)) return false;
    const Ast *t = site_ast(pl, x.file);
    Span span = {t->v[x.stmt].start, MAX(t->v[x.stmt].end, t->v[x.last].end)};
    u32 last = x.leaves ? x.last : x.stmt;
    *out = (Region){.file = x.file,
                    .func = x.func,
                    .first = x.stmt,
                    .last = last,
                    .span = span,
                    .access = r->act,
                    .test = r->test,
                    .race = true,
                    .taken = r};
    return true;
}

bool take_region_write(Plan *pl, Work *w, Fix *f, const Region *r, Str *why)
{
    Take x;
    return take_read(pl, w, r->taken, &x) && take_write(pl, f, &x, why);
}

bool plan_take(Plan *pl, Work *w, const Page *page)
{
    if (w->place == NONE) return false;
    Fix draft = {0};
    u32 done[RACE_SITES * 4], n = 0;
    for (u32 i = 0; i < w->races.n; i++) {
        Take x;
        Region region = {0};
        w->tried = S("an entry may be None, or what stands between the test and the last use may change the dict");
        if (n == COUNT_OF(done) || !take_region(pl, w, &pl->races->v[w->races.v[i]], &region)) return false;
        if (judgement_find(S("no-error-nearby"))->judge(pl, w, &region, NULL, &w->tried) != VERDICT_OK) return false;
        if (!take_read(pl, w, region.taken, &x)) return false;
        bool again = false;
        for (u32 k = 0; k < n; k++) again |= done[k] == x.stmt;
        done[n++] = x.stmt;
        if (!again && !take_write(pl, &draft, &x, &w->tried)) return false;
    }
    fix_take(fix_add(pl, page, w), &draft);
    w->done = true;
    return true;
}
