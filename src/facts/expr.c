/* Expressions: what they read, test, call and pass on. Every syntax node is walked exactly once. */
#include "facts/walk.h"

static const Use use_load = {.op = OP_LOAD};

static void walk_children(Walk *w, u32 n)
{
    for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c)) walk_expr(w, c, use_load);
}

static void walk_comprehension(Walk *w, u32 n)
{
    u32 block = w->block, body = ast_field(&w->t, n, FIELD_body), choices = w->choices.n;
    for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c)) {
        u8 k = w->t.v[c].kind;
        if (k == NODE_for_in_clause) {
            u32 right = ast_field(&w->t, c, FIELD_right), left = ast_field(&w->t, c, FIELD_left), dep = w->dep.n;
            walk_expr(w, right, (Use){.op = OP_ITER});
            w->block = block_add(w, BLOCK_COMPREHENSION, NONE, n);
            walk_loop_target(w, left, right, dep);
            if (left != NONE) loop_choices(w, left, right);
        } else if (k == NODE_if_clause) {
            u32 test = ast_first(&w->t, c), cond = cond_add(w, n, test);
            w->f->conds.v[cond].is_expr = true;
            w->f->conds.v[cond].then_block = block_add(w, BLOCK_THEN, cond, n);
            walk_test(w, test, cond);
            w->block = w->f->conds.v[cond].then_block;
        }
    }
    if (body != NONE) walk_expr(w, body, use_load);
    w->block = block;
    w->choices.n = choices;
}

void suspend_add(Walk *w, u32 n, bool is_yield)
{
    vec_push(w->a, &w->f->suspends, (Suspend){w->func, w->t.v[n].start, is_yield});
}

static void walk_await(Walk *w, u32 n)
{
    suspend_add(w, n, false);
    u32 inner = ast_first(&w->t, n);
    w->awaiting = ast_is(&w->t, inner, NODE_call);
    walk_expr(w, inner, use_load);
    w->awaiting = false;
}

static void walk_named(Walk *w, u32 n, Use use)
{
    u32 name = ast_field(&w->t, n, FIELD_name), value = ast_field(&w->t, n, FIELD_value), dep = w->dep.n;
    if (name == NONE || value == NONE) return;
    walk_expr(w, value, use.test ? (Use){.op = OP_TRUTH, .test = use.test} : use_load);
    u8 kind;
    u32 v;
    bool empty;
    value_of(w, value, &kind, &v, &empty);
    walk_assign_target(w, name, value, dep, kind, v);
}

static void walk_value(Walk *w, u32 n, Use use)
{
    Path p;
    const Node *x = &w->t.v[n];
    u32 from = w->dep.n;
    if (x->kind == NODE_identifier) {
        p = path_of_name(w, n);
        if (p.root == ROOT_LOCAL && p.func == w->func) local_read(w, p.name, use.test);
        access_add(w, p, use, n);
        if (p.root == ROOT_LOCAL && w->choices.n) choices_read(w, p, use, n);
        return;
    }
    p = walk_object(w, n);
    if (names_attribute(w, n)) {
        if (use.test && p.root == ROOT_SELF && p.nattr == 1) attribute_tested(w, path_id(w, p), use.test);
        access_add(w, p, use, n);
    } else if (x->kind == NODE_subscript && (use.op == OP_ITER || use.op == OP_CREAD)) {
        access_add(w, p, use, n);
    } else if (use.test && w->dep.n > from) {
        /* the test is made on what a subscript or a call gave */
        Access *a = &w->f->accesses.v[w->dep.v[w->dep.n - 1]];
        if (a->span.end == x->end && a->cond == w->head_cond) a->test = use.test;
        /* if self.queues[key]: the question is for the container in the container, too */
        if (x->kind == NODE_subscript && use.op == OP_TRUTH && path_is_item(&p)) access_add(w, p, use, n);
    } else if ((use.op == OP_ITER || use.op == OP_CREAD) && x->kind == NODE_call) {
        access_add(w, p, use, n);
    }
}

static void walk_lambda(Walk *w, u32 n)
{
    u32 func = map_get(&w->node_func, n);
    for (u32 p = ast_first(&w->t, ast_field(&w->t, n, FIELD_parameters)); p != NONE; p = ast_after(&w->t, p))
        if (ast_field(&w->t, p, FIELD_value) != NONE) walk_expr(w, ast_field(&w->t, p, FIELD_value), use_load);
    if (func != NONE) vec_push(w->scratch, &w->queue, (Pending){n, func});
}

/* [*d.items()] copies a view in one step, {*d.items()} does not (docs/memory-model.md). */
static const char *splat_reader(const Walk *w, u32 n)
{
    return ast_is(&w->t, w->t.v[n].parent, NODE_set) ? "{*}" : "[*]";
}

static Use splat_use(Walk *w, const char *reader)
{
    return (Use){.op = OP_CREAD, .method = intern(w->a, &w->f->syms, str_from(reader))};
}

void walk_expr(Walk *w, u32 n, Use use)
{
    if (n == NONE) return;
    if (++w->depth > MAX_DEPTH) {
        if (!w->too_deep) {
            w->too_deep = true;
            u32 line, column;
            source_position(w->src, w->t.v[n].start, &line, &column);
            vec_push(w->a, &w->f->notes,
                     (Note){w->src->path, line, "too-deep", S("expressions nested this deep are not analysed")});
        }
        w->depth--;
        return;
    }
    switch (w->t.v[n].kind) {
    case NODE_attribute:
    case NODE_subscript:
    case NODE_call:
        if (w->src->text.p[w->t.v[n].start] == '*') use = splat_use(w, splat_reader(w, n)); /* see walk_object() */
        walk_value(w, n, use);
        break;
    case NODE_identifier: walk_value(w, n, use); break;
    case NODE_parenthesized_expression: walk_expr(w, ast_first(&w->t, n), use); break;
    case NODE_await: walk_await(w, n); break;
    case NODE_named_expression: walk_named(w, n, use); break;
    case NODE_lambda: walk_lambda(w, n); break;
    case NODE_boolean_operator:
    case NODE_conditional_expression: walk_branch_expr(w, n, use); break;
    case NODE_not_operator: walk_expr(w, ast_field(&w->t, n, FIELD_argument), use); break;
    case NODE_comparison_operator: walk_comparison(w, n, false); break;
    case NODE_list_comprehension:
    case NODE_set_comprehension:
    case NODE_dictionary_comprehension:
    case NODE_generator_expression: walk_comprehension(w, n); break;
    case NODE_list_splat: walk_expr(w, ast_first(&w->t, n), splat_use(w, splat_reader(w, n))); break;
    case NODE_dictionary_splat: walk_expr(w, ast_first(&w->t, n), splat_use(w, "{**}")); break;
    case NODE_yield:
        w->f->funcs.v[w->func].is_generator = true;
        suspend_add(w, n, true);
        for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c))
            walk_expr(w, c, (Use){.op = ast_token(&w->t, n, "from") ? OP_ITER : OP_RETURN});
        break;
    default: walk_children(w, n);
    }
    w->depth--;
}
