/* Conditions: which branch an access decides, and how. */
#include "facts/walk.h"

static const Use use_load = {.op = OP_LOAD};

static u8 flip(u8 test)
{
    static const u8 other[] = {
        [TEST_TRUE] = TEST_FALSE, [TEST_FALSE] = TEST_TRUE, [TEST_NONE] = TEST_NOT_NONE,  [TEST_NOT_NONE] = TEST_NONE,
        [TEST_IN] = TEST_NOT_IN,  [TEST_NOT_IN] = TEST_IN,  [TEST_COMPARE] = TEST_COMPARE};
    return other[test];
}

static u32 comparison_operator(Walk *w, u32 n)
{
    for (u32 c = w->t.v[n].child; c != NONE; c = w->t.v[c].next)
        if (w->t.v[c].field == FIELD_operators) return c;
    return NONE;
}

/* What `in` asks: d, also where d.keys() is written. The call is kept, whoever's keys() it is. */
static Path asked_container(Walk *w, u32 n)
{
    u32 fn = ast_is(&w->t, n, NODE_call) ? ast_field(&w->t, n, FIELD_function) : NONE;
    if (fn == NONE || !ast_is(&w->t, fn, NODE_attribute) ||
        ast_first(&w->t, ast_field(&w->t, n, FIELD_arguments)) != NONE)
        return walk_object(w, n);
    Str name = ast_text(&w->t, ast_field(&w->t, fn, FIELD_attribute));
    if (!str_is(name, "keys") && !str_is(name, "iterkeys") && !str_is(name, "viewkeys")) return walk_object(w, n);
    Path p = walk_object(w, n);
    if (p.root != ROOT_CALL || p.nattr || p.func == NONE) return p;
    Path whose = w->f->paths.v[w->f->calls.v[p.func].callee];
    if (!whose.nattr || whose.truncated) return p;
    whose.nattr--;
    return whose;
}

/* x in d.values() looks at one after the other. */
static bool asks_values(const Walk *w, u32 n, Path p)
{
    if (p.root != ROOT_CALL || p.nattr || p.func == NONE || !ast_is(&w->t, n, NODE_call)) return false;
    const Path *callee = &w->f->paths.v[w->f->calls.v[p.func].callee];
    if (!callee->nattr || w->f->calls.v[p.func].nargs) return false;
    Str name = path_last(w->f, callee);
    return str_is(name, "values") || str_is(name, "itervalues");
}

/* state in ("new", "idle"): which of these it is, as by ==. */
static bool is_choice(const Walk *w, u32 n)
{
    u8 kind = w->t.v[n].kind;
    return kind == NODE_tuple || kind == NODE_list || kind == NODE_set;
}

/* Among None and others that say as little, (None, ""), it is asked whether it is there at all. */
static u8 choice_test(const Walk *w, u32 n, bool in)
{
    for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c))
        if (w->t.v[c].kind == NODE_none) return in ? TEST_NONE : TEST_NOT_NONE;
    return TEST_COMPARE;
}

/* k in d, k not in d */
static bool walk_contains(Walk *w, u32 n, bool negated)
{
    u32 opn = comparison_operator(w, n), left = ast_first(&w->t, n),
        right = left == NONE ? NONE : ast_after(&w->t, left);
    if (opn == NONE || right == NONE || ast_after(&w->t, right) != NONE) return false;
    Str op = ast_text(&w->t, opn);
    bool in = str_is(op, "in"), not_in = str_starts(op, S("not"));
    if (!in && !not_in) return false;
    bool head = w->head_cond != NONE && is_choice(w, right);
    walk_expr(w, left, head ? (Use){.op = OP_TRUTH, .test = choice_test(w, right, in != negated)} : use_load);
    Path p = asked_container(w, right);
    u8 test = in != negated ? TEST_IN : TEST_NOT_IN;
    Str attr;
    u32 last = p.nattr ? p.attr[p.nattr - 1] : SYM_EMPTY;
    if (p.nattr && string_literal(w, left, &attr) && str_is(sym_str(w->f, last), "__dict__")) {
        Path named = p; /* whoever fills it stores the attribute, or the item */
        named.attr[p.nattr - 1] = intern(w->a, &w->f->syms, attr);
        access_add(w, named, (Use){.op = OP_HASATTR, .test = w->head_cond != NONE ? test : TEST_NO}, n);
    }
    u32 id = access_add(w, p, (Use){.op = OP_CONTAINS, .test = w->head_cond != NONE ? test : TEST_NO}, n);
    if (id != NONE) w->f->accesses.v[id].key = key_symbol(w, left);
    if (asks_values(w, right, p))
        access_add(w, p, (Use){.op = OP_CREAD, .method = intern(w->a, &w->f->syms, S("in"))}, right);
    return true;
}

/* x is None, x is not None, x == None; any other comparison is TEST_COMPARE. */
void walk_comparison(Walk *w, u32 n, bool negated)
{
    if (walk_contains(w, n, negated)) return;
    u32 left = ast_first(&w->t, n), right = left == NONE ? NONE : ast_after(&w->t, left);
    u32 opn = comparison_operator(w, n);
    u8 test = TEST_COMPARE;
    if (right != NONE && opn != NONE && w->t.v[right].kind == NODE_none && ast_after(&w->t, right) == NONE) {
        Str op = ast_text(&w->t, opn);
        bool is = str_is(op, "is") || str_is(op, "==");
        test = is != negated ? TEST_NONE : TEST_NOT_NONE;
    }
    bool head = w->head_cond != NONE;
    for (u32 c = left; c != NONE; c = ast_after(&w->t, c))
        walk_expr(w, c, (Use){.op = head ? OP_TRUTH : OP_LOAD, .test = head ? test : TEST_NO});
}

static void test_node(Walk *w, u32 n, bool negated)
{
    if (n == NONE) return;
    if (++w->depth > MAX_DEPTH) {
        w->depth--;
        return;
    }
    switch (w->t.v[n].kind) {
    case NODE_parenthesized_expression: test_node(w, ast_first(&w->t, n), negated); break;
    case NODE_not_operator: test_node(w, ast_field(&w->t, n, FIELD_argument), !negated); break;
    case NODE_boolean_operator:
        test_node(w, ast_field(&w->t, n, FIELD_left), negated);
        test_node(w, ast_field(&w->t, n, FIELD_right), negated);
        break;
    case NODE_comparison_operator: walk_comparison(w, n, negated); break;
    default: walk_expr(w, n, (Use){.op = OP_TRUTH, .test = negated ? flip(TEST_TRUE) : TEST_TRUE});
    }
    w->depth--;
}

void walk_test(Walk *w, u32 n, u32 cond)
{
    u32 outer = w->head_cond;
    w->head_cond = cond;
    test_node(w, n, false);
    w->head_cond = outer;
}

/* for k in self.d or (): self.d is walked, where it has something. As self.d may be None, the whole is what can be
 * copied, and so what the access spans. */
static void left_read(Walk *w, u32 n, u32 left, Use use)
{
    u8 node = w->t.v[left].kind, kind;
    if (node != NODE_identifier && node != NODE_attribute && node != NODE_subscript && node != NODE_call) return;
    u32 value;
    bool empty;
    value_of(w, left, &kind, &value, &empty);
    if (kind == VAL_PATH) access_add(w, w->f->paths.v[value], use, n);
    if (kind == VAL_CALL) access_add(w, (Path){.root = ROOT_CALL, .func = value, .name = SYM_EMPTY}, use, n);
}

/* A condition inside an expression: a if c else b, a and b, a or b. Inside another condition it adds no branch of its
 * own: the outer one decides. */
void walk_branch_expr(Walk *w, u32 n, Use use)
{
    Ast *t = &w->t;
    bool ternary = t->v[n].kind == NODE_conditional_expression;
    u32 first = ternary ? ast_first(t, n) : ast_field(t, n, FIELD_left);
    u32 head = ternary && first != NONE ? ast_after(t, first) : first;
    u32 rest = ternary ? (head == NONE ? NONE : ast_after(t, head)) : ast_field(t, n, FIELD_right);
    if (head == NONE) return;
    u32 outer = w->head_cond, block = w->block, cond = cond_add(w, n, head);
    w->f->conds.v[cond].is_expr = true;
    walk_test(w, head, cond);
    w->head_cond = NONE;
    bool is_or = !ternary && ast_token(t, n, "or");
    if (use.op != OP_ITER && use.op != OP_CREAD) use = use_load;
    if (is_or && use.op != OP_LOAD) left_read(w, n, head, use);
    if (ternary) {
        w->block = w->f->conds.v[cond].then_block = block_add(w, BLOCK_THEN, cond, first);
        walk_expr(w, first, use);
        w->block = block;
    }
    if (rest != NONE) {
        u32 b = block_add(w, ternary || is_or ? BLOCK_ELSE : BLOCK_THEN, cond, rest);
        if (ternary || is_or)
            w->f->conds.v[cond].else_block = b;
        else
            w->f->conds.v[cond].then_block = b;
        w->block = b;
        walk_expr(w, rest, use);
    }
    w->block = block;
    w->head_cond = outer;
}
