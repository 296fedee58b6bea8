/* Planner "read-once": a name or attribute that is tested and then used is read into a local first.
 *
 *   if self.conn is not None:           conn = self.conn
 *       self.conn.send(data)      →     if conn is not None:
 *                                           conn.send(data)
 * Another thread may set the attribute to None between the two reads; after one read it does not matter.
 * No lock is needed, and none is held during the call. Only where the act uses the object and does not
 * change what the name is bound to, and where nothing in between could rebind it in this thread. */
#include "fixes/fixes.h"

typedef struct Once {
    u32 file, func;
    u32 stmt; /* the if statement */
    u32 body;
    Str text; /* the state as written: "self.conn" */
    Str name; /* the local */
} Once;

static bool binding_test(const Access *a)
{
    return a->test == TEST_TRUE || a->test == TEST_FALSE || a->test == TEST_NONE || a->test == TEST_NOT_NONE;
}

/* The node of the state itself at the left edge of an access's expression. */
static u32 state_node(const Ast *t, Span span, Str state)
{
    u32 n = ast_at(t, span);
    while (n != NONE) {
        switch (t->v[n].kind) {
        case NODE_identifier: return str_eq(ast_text(t, n), state) ? n : NONE;
        case NODE_attribute: {
            u32 name = ast_field(t, n, FIELD_attribute);
            if (name != NONE && str_eq(ast_text(t, name), state)) return n;
            n = ast_field(t, n, FIELD_object);
            break;
        }
        case NODE_call: n = ast_field(t, n, FIELD_function); break;
        case NODE_subscript: n = ast_field(t, n, FIELD_value); break;
        default: n = ast_first(t, n); break;
        }
    }
    return NONE;
}

/* May a call in the statement rebind the state: a call of a method of the same object, or of a function of
 * the module for a global? Calls on the state's own object do not count. */
static bool may_rebind(Plan *pl, const Work *w, const Once *x)
{
    const Facts *f = pl->p->facts[x->file];
    const Func *fn = &f->funcs.v[x->func];
    Span s = {site_ast(pl, x->file)->v[x->stmt].start, site_ast(pl, x->file)->v[x->stmt].end};
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        bool here = a->span.start >= s.start && a->span.end <= s.end;
        if (!here || pl->p->access_place[pl->p->access_base[x->file] + i] != w->place) continue;
        if (a->op == OP_STORE || a->op == OP_DEL || a->op == OP_AUG) return true;
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start < s.start || c->span.end > s.end) continue;
        Str text = str_slice(site_source(pl, x->file)->text, c->span.start, c->span.end);
        u32 targets[4];
        if (!str_starts(text, x->text) && call_targets(pl->p, x->file, i, targets, COUNT_OF(targets))) return true;
    }
    return false;
}

/* Names that a local must not take away: Python's own words, and builtins that the same line may call. */
static bool reserved(Str name)
{
    static const char *const words[] = {"case", "match", "self", "cls", "print"};
    return python_keyword(name) || known_builtin(name, 0) || str_among(name, words, COUNT_OF(words));
}

/* Is it a name in the function? With `written`, which has the word in it, as an attribute, what an argument is
 * called, or in a text it is none; else it may not stand there at all (edit/words.c). */
static bool name_in(Plan *pl, u32 file, u32 func, Str name, Str written)
{
    static const char *const askers[] = {"locals", "vars", "exec", "eval"};
    const Ast *t = site_ast(pl, file);
    Span span = func ? pl->p->facts[file]->funcs.v[func].span : ast_span(t, 0);
    if (!str_has_name(str_slice(t->source->text, span.start, span.end), name)) return false;
    size_t at = str_search(written, name);
    bool word = at < written.n && at && !is_word_char(written.p[at - 1]);
    if (!func || !word || at + name.n != written.n) return true;
    for (u32 n = 0; n < t->n; n++) {
        if (!ast_is(t, n, NODE_identifier) || !span_within(ast_span(t, n), span)) continue;
        if (str_among(ast_text(t, n), askers, COUNT_OF(askers))) return true;
        bool keyword = t->v[n].field == FIELD_name && ast_is(t, t->v[n].parent, NODE_keyword_argument);
        if (t->v[n].field != FIELD_attribute && !keyword && str_eq(ast_text(t, n), name)) return true;
    }
    return false;
}

bool local_name(Plan *pl, u32 file, u32 func, Str state, Str text, const char *suffix, Str *out)
{
    state = state_word(state);
    Str tries[] = {state, str_fmt(pl->a, "%.*s_%s", STR_ARG(state), suffix),
                   str_fmt(pl->a, "%.*s_local", STR_ARG(state))};
    for (u32 i = 0; i < COUNT_OF(tries); i++)
        if (!reserved(tries[i]) && !name_in(pl, file, func, tries[i], text) && !str_eq(tries[i], text)) {
            *out = tries[i];
            return true;
        }
    return false;
}

static bool once_read(Plan *pl, Work *w, const Race *r, Once *x)
{
    w->tried = S("the test and the use do not have the shape `if x is not None: x.use()`");
    if (r->test == NONE || r->act == NONE || access_writes(pl->p, r->act)) return false;
    GId g = access_gid(pl->p, r->test);
    const Access *test = program_access(pl->p, r->test), *act = program_access(pl->p, r->act);
    if (!binding_test(test) || test->func != act->func || access_gid(pl->p, r->act).file != g.file) return false;
    x->file = g.file;
    x->func = test->func;
    const Ast *t = site_ast(pl, g.file);
    Str state = pl->p->syms.strs[pl->p->places.v[w->place].name];
    u32 n = state_node(t, test->span, state), m = state_node(t, act->span, state);
    if (n == NONE || m == NONE || !str_eq(ast_text(t, n), ast_text(t, m))) return false;
    w->tried = S("reading the state may do something of its own");
    if (!expr_steady(pl, g.file, n)) return false;
    w->tried = S("the test and the use do not have the shape `if x is not None: x.use()`");
    x->text = ast_text(t, n);
    x->stmt = ast_statement(t, n);
    if (!ast_is(t, x->stmt, NODE_if_statement) || ast_field(t, x->stmt, FIELD_alternative) != NONE) return false;
    u32 cond = ast_field(t, x->stmt, FIELD_condition);
    x->body = ast_field(t, x->stmt, FIELD_consequence);
    if (!ast_inside(t, n, cond) || !ast_inside(t, m, x->body)) return false;
    Region region;
    if (!region_make(pl, g.file, x->func, test->span, test->span, &region, &w->tried)) return false;
    if (region.first != x->stmt || region.last != x->stmt) return false;
    if (judgement_find(S("no-error-nearby"))->judge(pl, w, &region, NULL, &w->tried) != VERDICT_OK) return false;
    w->tried = S("something between the test and the use may bind the name anew");
    return !may_rebind(pl, w, x) && local_name(pl, x->file, x->func, state, x->text, "now", &x->name);
}

/* Every mention of the state in the statement becomes the local; nested functions are left alone. */
static void mentions_replace(Plan *pl, Fix *fix, const Once *x, u32 n)
{
    const Ast *t = site_ast(pl, x->file);
    u8 k = t->v[n].kind;
    if (k == NODE_function_definition || k == NODE_class_definition) return;
    if ((k == NODE_attribute || k == NODE_identifier) && str_eq(ast_text(t, n), x->text)) {
        intent_add(pl, fix, INTENT_REPLACE, x->file, (Span){t->v[n].start, t->v[n].end}, x->name, NONE);
        return;
    }
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (!(k == NODE_attribute && t->v[c].field == FIELD_attribute) &&
            !(k == NODE_keyword_argument && t->v[c].field == FIELD_name))
            mentions_replace(pl, fix, x, c);
}

static void once_write(Plan *pl, Fix *fix, const Once *x)
{
    const Source *s = site_source(pl, x->file);
    u32 start = site_ast(pl, x->file)->v[x->stmt].start, line, column;
    source_position(s, start, &line, &column);
    u32 at = line == 1 && s->bom ? 3 : s->line_start[line - 1];
    Str indent = str_slice(s->text, at, start);
    Str text = str_fmt(pl->a, "%.*s%.*s = %.*s", STR_ARG(indent), STR_ARG(x->name), STR_ARG(x->text));
    intent_add(pl, fix, INTENT_INSERT, x->file, (Span){at, at}, text, NONE);
    mentions_replace(pl, fix, x, x->stmt);
}

/* Is the object itself changed somewhere, an item added or taken? Then its own state matters, not only its
 * name's. */
static bool changed_in_place(const Plan *pl, u32 place)
{
    const Place *p = &pl->p->places.v[place];
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u8 op = program_access(pl->p, pl->p->place_access.v[i])->op;
        if (op != OP_STORE && op != OP_DEL && access_writes(pl->p, pl->p->place_access.v[i])) return true;
    }
    return false;
}

bool plan_once(Plan *pl, Work *w, const Page *page)
{
    if (w->place == NONE || type_holds_items(pl->p->places.v[w->place].type.kind) || changed_in_place(pl, w->place))
        return false;
    Fix draft = {0};
    u32 last = NONE;
    for (u32 i = 0; i < w->races.n; i++) {
        Once x = {0};
        if (!once_read(pl, w, &pl->races->v[w->races.v[i]], &x)) return false;
        if (x.stmt == last) continue; /* several uses of one test */
        last = x.stmt;
        once_write(pl, &draft, &x);
    }
    Fix *f = fix_add(pl, page, w);
    fix_take(f, &draft);
    w->done = true;
    return true;
}
