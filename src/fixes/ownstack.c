/* Planner "own-stack": a stack that blocks push and pop becomes one stack for each thread.
 *
 *   _stack = []                           class _Stack(threading.local):
 *                                             def __init__(self):
 *                                    →            self.items = []
 *
 *                                         _stack = _Stack()
 *   _stack.append(x)                      _stack.items.append(x)
 *
 * threading.local calls __init__ of a subclass once more in each thread that uses the object (its documentation).
 * Only for a private global of one module, made in one place by an empty display or call, all of whose mentions in
 * the program are plain uses of the name in that module: every one of them is rewritten. What one thread has pushed
 * is not seen in those that it starts, which nothing in the text can tell to be right: the fix is unsafe. */
#include "fixes/fixes.h"

typedef struct Own {
    Plan *pl;
    Work *w;
    u32 file;
    u32 stmt, value; /* where it is made: the statement and the empty container, nodes */
    Str name;
    Fix draft;
} Own;

static bool fails(Own *x, const char *why)
{
    x->w->tried = str_from(why);
    return false;
}

/* Is it a stack: is there a finding about what is pushed and popped on two sides of a block? */
static bool is_stack(const Plan *pl, const Work *w)
{
    for (u32 i = 0; i < w->races.n; i++) {
        const Race *r = &pl->races->v[w->races.v[i]];
        bool pair = r->test != NONE && r->act != NONE && program_access(pl->p, r->test)->op == OP_METHOD &&
                    program_access(pl->p, r->act)->op == OP_METHOD &&
                    program_access(pl->p, r->test)->func != program_access(pl->p, r->act)->func;
        if (pair) return true;
    }
    return false;
}

static bool made_empty(const Ast *t, u32 value)
{
    if (ast_is(t, value, NODE_list)) return ast_first(t, value) == NONE;
    if (!ast_is(t, value, NODE_call)) return false;
    Str callee = ast_text(t, ast_field(t, value, FIELD_function));
    bool known = str_is(callee, "list") || str_is(callee, "deque") || str_is(callee, "collections.deque");
    return known && ast_first(t, ast_field(t, value, FIELD_arguments)) == NONE;
}

/* NAME = [], once, a statement of the module. */
static bool made_once(Own *x)
{
    const Program *p = x->pl->p;
    const Place *place = &p->places.v[x->w->place];
    u32 store = NONE, n = 0;
    for (u32 i = place->first; i < place->first + place->n; i++) {
        u32 ga = p->place_access.v[i];
        if (access_gid(p, ga).file != x->file) return fails(x, "other modules use the stack, too");
        u8 op = program_access(p, ga)->op;
        if (op != OP_STORE && op != OP_DEL && op != OP_AUG) continue;
        store = ga;
        n++;
    }
    if (n != 1 || program_access(p, store)->func != 0) return fails(x, "the stack is not made in one place");
    const Ast *t = site_ast(x->pl, x->file);
    u32 assignment = ast_assignment(t, program_access(p, store)->span);
    x->stmt = assignment == NONE ? NONE : ast_statement(t, assignment);
    if (x->stmt == NONE || t->v[x->stmt].parent != 0 || ast_field(t, assignment, FIELD_type) != NONE ||
        !ast_is(t, ast_field(t, assignment, FIELD_left), NODE_identifier))
        return fails(x, "the stack is not made by a plain statement of the module");
    x->value = ast_field(t, assignment, FIELD_right);
    if (!made_empty(t, x->value)) return fails(x, "the stack is not made empty");
    return true;
}

/* Does an access of the place begin at this byte? */
static bool access_begins(const Own *x, u32 at)
{
    const Program *p = x->pl->p;
    const Place *place = &p->places.v[x->w->place];
    for (u32 i = place->first; i < place->first + place->n; i++) {
        const Access *a = program_access(p, p->place_access.v[i]);
        if (a->span.start <= at && at < a->span.end) return true;
    }
    return false;
}

/* Every mention of the name in the file, but where it is made, is the start of an access. */
static bool uses_convert(Own *x)
{
    const Ast *t = site_ast(x->pl, x->file);
    for (u32 n = 0; n < t->n; n++) {
        if (t->v[n].kind != NODE_identifier || !str_eq(ast_text(t, n), x->name)) continue;
        u32 up = t->v[n].parent;
        if (ast_is(t, up, NODE_attribute) && ast_field(t, up, FIELD_attribute) == n) continue; /* x.NAME */
        if (ast_inside(t, n, x->stmt)) continue;
        if (ast_is(t, up, NODE_keyword_argument) && ast_field(t, up, FIELD_name) == n) continue;
        if (!access_begins(x, t->v[n].start)) return fails(x, "the name is used for something else, too");
        intent_add(x->pl, &x->draft, INTENT_REPLACE, x->file, (Span){t->v[n].start, t->v[n].end},
                   str_fmt(x->pl->a, "%.*s.items", STR_ARG(x->name)), NONE);
    }
    return true;
}

static bool class_write(Own *x)
{
    const Ast *t = site_ast(x->pl, x->file);
    const Facts *f = x->pl->p->facts[x->file];
    ImportRef base = import_ref(x->pl->a, f, t, S("threading"), S("local"), false);
    Str cls;
    if (!perthread_class_name(x->pl, x->file, x->name, &cls)) return fails(x, "there is no free name for the class");
    if (!base.have) intent_add(x->pl, &x->draft, INTENT_NEED_IMPORT, x->file, (Span){0}, base.statement, NONE);
    Str body = str_fmt(x->pl->a, "        self.items = %.*s\n", STR_ARG(ast_text(t, x->value)));
    u32 at = perthread_class(x->pl, x->file, x->stmt, cls, base.text, body, &x->draft);
    if (base.have && base.end > at) return fails(x, "threading is imported below it");
    intent_add(x->pl, &x->draft, INTENT_REPLACE, x->file, (Span){t->v[x->value].start, t->v[x->value].end},
               str_fmt(x->pl->a, "%.*s()", STR_ARG(cls)), NONE);
    return true;
}

bool plan_own_stack(Plan *pl, Work *w, const Page *page)
{
    Own x = {.pl = pl, .w = w};
    if (w->place == NONE || !is_stack(pl, w)) return false;
    const Place *place = &pl->p->places.v[w->place];
    if (place->kind != PLACE_GLOBAL || place->file == NONE || place->public_)
        return fails(&x, "only a private stack of a module can become one for each thread");
    x.file = place->file;
    x.name = pl->p->syms.strs[place->name];
    if (!made_once(&x) || !uses_convert(&x) || !class_write(&x)) return false;
    const Ast *t = site_ast(pl, x.file);
    Region region;
    Span span = {t->v[x.stmt].start, t->v[x.stmt].end};
    if (!region_make(pl, x.file, 0, span, span, &region, &w->tried)) return false;
    if (judgement_find(S("no-error-nearby"))->judge(pl, w, &region, NULL, &w->tried) != VERDICT_OK) return false;
    Fix *fix = fix_add(pl, page, w);
    fix_take(fix, &x.draft);
    fix_caution(fix, FIX_UNSAFE, S("a thread that is started inside of such a block begins with an empty stack"));
    w->done = true;
    return true;
}
