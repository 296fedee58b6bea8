/* Statements: blocks and branches, bindings, critical sections, definitions.
 *
 * A function's body is walked after the code around it, so that accesses, calls and sections come grouped by
 * function. Class bodies run where they stand and belong to the function around them. */
#include "facts/walk.h"

static const Use use_load = {.op = OP_LOAD};

static void walk_stmt(Walk *w, u32 n);

u32 block_add(Walk *w, BlockKind kind, u32 cond, u32 node)
{
    u32 parent = w->block;
    const Block *up = parent == NONE ? NULL : &w->f->blocks.v[parent];
    bool repeats = (up && up->repeats) || kind == BLOCK_LOOP || kind == BLOCK_COMPREHENSION;
    bool typing = up && up->typing;
    Span span = {w->t.v[node].start, w->t.v[node].end};
    vec_push(w->a, &w->f->blocks,
             (Block){.kind = (u8)kind,
                     .parent = parent,
                     .func = w->func,
                     .cond = cond,
                     .catches = SYM_EMPTY,
                     .repeats = repeats,
                     .typing = typing,
                     .span = span});
    return w->f->blocks.n - 1;
}

u32 cond_add(Walk *w, u32 node, u32 head)
{
    const Node *n = &w->t.v[node], *h = &w->t.v[head == NONE ? node : head];
    vec_push(w->a, &w->f->conds,
             (Cond){.func = w->func,
                    .block = w->block,
                    .then_block = NONE,
                    .else_block = NONE,
                    .span = {n->start, n->end},
                    .head = {h->start, h->end}});
    return w->f->conds.n - 1;
}

/* Does control never run off the end of this statement? */
static bool stmt_exits(const Walk *w, u32 n)
{
    const Ast *t = &w->t;
    switch (t->v[n].kind) {
    case NODE_return_statement:
    case NODE_raise_statement:
    case NODE_continue_statement:
    case NODE_break_statement: return true;
    case NODE_block: {
        u32 last = NONE;
        for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c)) last = c;
        return last != NONE && stmt_exits(w, last);
    }
    case NODE_with_statement:
        return ast_field(t, n, FIELD_body) != NONE && stmt_exits(w, ast_field(t, n, FIELD_body));
    case NODE_if_statement: {
        bool has_else = false;
        u32 body = ast_field(t, n, FIELD_consequence);
        if (body == NONE || !stmt_exits(w, body)) return false;
        for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c)) {
            if (t->v[c].kind != NODE_else_clause && t->v[c].kind != NODE_elif_clause) continue;
            has_else |= t->v[c].kind == NODE_else_clause;
            u32 b = ast_field(t, c, t->v[c].kind == NODE_else_clause ? FIELD_body : FIELD_consequence);
            if (b == NONE || !stmt_exits(w, b)) return false;
        }
        return has_else;
    }
    default: return false;
    }
}

static void walk_suite(Walk *w, u32 body)
{
    if (body == NONE) return;
    for (u32 c = ast_first(&w->t, body); c != NONE; c = ast_after(&w->t, c)) walk_stmt(w, c);
}

/* A suite in a block of its own; returns the block. */
static u32 walk_block(Walk *w, BlockKind kind, u32 cond, u32 body)
{
    if (body == NONE) return NONE;
    u32 outer = w->block, b = block_add(w, kind, cond, body);
    w->f->blocks.v[b].exits = stmt_exits(w, body);
    w->block = b;
    walk_suite(w, body);
    w->block = outer;
    return b;
}

/* ---- bindings ---- */

static void def_add(Walk *w, Path p, u32 target, u8 kind, u32 value, bool empty, u32 annotation, bool augmented)
{
    vec_push(w->a, &w->f->defs,
             (Def){.path = path_id(w, p),
                   .kind = kind,
                   .value = value,
                   .empty = empty,
                   .annotation = annotation,
                   .augmented = augmented,
                   .func = w->func,
                   .block = w->block,
                   .stmt = w->stmt,
                   .span = {w->t.v[target].start, w->t.v[target].end}});
}

/* The accesses read since dep_from flow into a store. */
static void flows_add(Walk *w, u32 dep_from, u32 dep_to, u32 store)
{
    if (store == NONE) return;
    for (u32 i = dep_from; i < dep_to; i++)
        if (w->dep.v[i] != store) vec_push(w->a, &w->f->flows, (Flow){w->dep.v[i], store});
}

static u32 annotation_path(Walk *w, u32 type)
{
    u32 n = type == NONE ? NONE : w->t.v[type].kind == NODE_type ? ast_first(&w->t, type) : type;
    /* Optional[X], X | None: X is what counts */
    for (int i = 0; i < 3 && n != NONE; i++) {
        u8 k = w->t.v[n].kind;
        if (k == NODE_generic_type || k == NODE_subscript) {
            u32 name = ast_first(&w->t, n);
            Str s = name == NONE ? S("") : ast_text(&w->t, name);
            u32 arg = name == NONE ? NONE : ast_after(&w->t, name);
            bool through = str_is(s, "Optional") || str_is(s, "typing.Optional") || str_is(s, "ClassVar") ||
                           str_is(s, "typing.ClassVar") || str_is(s, "Final") || str_is(s, "Annotated");
            if (through && arg != NONE)
                n = ast_is(&w->t, arg, NODE_type) ? ast_first(&w->t, arg)
                    : ast_first(&w->t, arg) != NONE && w->t.v[arg].kind != NODE_attribute &&
                            w->t.v[arg].kind != NODE_subscript
                        ? ast_first(&w->t, arg)
                        : arg;
            else
                n = name;
        } else if (k == NODE_union_type || k == NODE_binary_operator || k == NODE_type) {
            n = ast_first(&w->t, n);
        }
    }
    if (n == NONE || (w->t.v[n].kind != NODE_identifier && w->t.v[n].kind != NODE_attribute)) return NONE;
    u32 object = n;
    while (ast_is(&w->t, object, NODE_attribute)) object = ast_field(&w->t, object, FIELD_object);
    if (!ast_is(&w->t, object, NODE_identifier)) return NONE;
    u32 keep = w->dep.n;
    Path p = walk_object(w, n);
    w->dep.n = keep;
    return p.root == ROOT_UNKNOWN ? NONE : path_id(w, p);
}

typedef struct Target {
    u32 dep_from, dep_to; /* what the right side read */
    u8 kind;              /* and what it gives */
    u32 value;
    bool empty;
    u32 annotation;
    u32 value_node;
} Target;

static void assign_name(Walk *w, u32 n, const Target *t)
{
    Path p = path_name(w, sym_of(w, n));
    u32 id = access_add(w, p, (Use){.op = OP_STORE}, n);
    flows_add(w, t->dep_from, t->dep_to, id);
    if (id != NONE) w->f->accesses.v[id].value = w->f->defs.n;
    if ((p.root == ROOT_LOCAL || p.root == ROOT_PARAM) && p.func == w->func) {
        w->dep.n = t->dep_to;
        local_set(w, p.name, t->dep_from);
    }
    def_add(w, p, n, t->kind, t->value, t->empty, t->annotation, false);
}

static void assign_attribute(Walk *w, u32 n, const Target *t)
{
    Path p = walk_object(w, n);
    if (p.root == ROOT_UNKNOWN) return;
    u32 id = access_add(w, p, (Use){.op = OP_STORE}, n);
    flows_add(w, t->dep_from, t->dep_to, id);
    if (id != NONE) w->f->accesses.v[id].value = w->f->defs.n;
    def_add(w, p, n, t->kind, t->value, t->empty, t->annotation, false);
}

/* The path of a subscript's container; globals()["x"] = v is a store of the global itself. */
static void assign_item(Walk *w, u32 n, const Target *t)
{
    u32 before = w->f->accesses.n;
    Path p = walk_object(w, n);
    if (p.root == ROOT_UNKNOWN) return;
    bool item = p.nattr && p.attr[p.nattr - 1] == SYM_ITEM;
    u32 id = NONE;
    if (item && w->f->accesses.n > before && w->f->accesses.v[w->f->accesses.n - 1].op == OP_ITEM_LOAD) {
        id = w->f->accesses.n - 1; /* it was recorded as a read of the item */
        w->f->accesses.v[id].op = OP_ITEM_STORE;
    } else if (!item) {
        id = access_add(w, p, (Use){.op = OP_STORE}, n);
    }
    flows_add(w, t->dep_from, t->dep_to, id);
    if (id != NONE) w->f->accesses.v[id].value = w->f->defs.n;
    def_add(w, p, n, t->kind, t->value, t->empty, NONE, false);
}

static void assign_pattern(Walk *w, u32 n, const Target *t);

static void assign_to(Walk *w, u32 n, const Target *t)
{
    switch (w->t.v[n].kind) {
    case NODE_identifier: assign_name(w, n, t); break;
    case NODE_attribute: assign_attribute(w, n, t); break;
    case NODE_subscript: assign_item(w, n, t); break;
    default: assign_pattern(w, n, t);
    }
}

/* a, b = x, y: each target gets its own value where the shapes agree. All targets depend on all values. */
static void assign_pattern(Walk *w, u32 n, const Target *t)
{
    u32 v = t->value_node;
    if (v != NONE && w->t.v[v].kind != NODE_expression_list && w->t.v[v].kind != NODE_tuple) v = NONE;
    u32 value = v == NONE ? NONE : ast_first(&w->t, v);
    for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c)) {
        Target one = *t;
        one.kind = VAL_OTHER;
        one.value = NONE;
        one.empty = false;
        one.value_node = value;
        if (value != NONE && ast_is(&w->t, c, NODE_list_splat_pattern)) value = NONE;
        if (value != NONE) value_of(w, value, &one.kind, &one.value, &one.empty);
        assign_to(w, c, &one);
        if (value != NONE) value = ast_after(&w->t, value);
    }
}

void walk_assign_target(Walk *w, u32 target, u32 value_node, u32 dep_from, u8 kind, u32 value)
{
    bool empty = false;
    if (value_node != NONE) value_of(w, value_node, &kind, &value, &empty);
    Target t = {dep_from, w->dep.n, kind, value, empty, NONE, value_node};
    assign_to(w, target, &t);
    w->dep.n = MAX(w->dep.n, t.dep_to);
}

/* The call whose result an assignment keeps: x = f(), x = [f() for …], x = f().g(). */
static void call_target(Walk *w, u32 target, u8 kind, u32 value)
{
    if (kind != VAL_CALL || w->t.v[target].kind == NODE_pattern_list || w->t.v[target].kind == NODE_tuple_pattern)
        return;
    const Def *d = w->f->defs.n ? &w->f->defs.v[w->f->defs.n - 1] : NULL;
    if (d && d->span.start == w->t.v[target].start) w->f->calls.v[value].target = d->path;
}

/* x = [f(), …] or x = [f() for …]: the elements of x come from that call. */
static void element_defs(Walk *w, u32 target, u32 right)
{
    u8 k = w->t.v[right].kind;
    if (k != NODE_list && k != NODE_list_comprehension && k != NODE_tuple && k != NODE_set) return;
    u32 item = k == NODE_list_comprehension ? ast_field(&w->t, right, FIELD_body) : ast_first(&w->t, right);
    const Def *d = w->f->defs.n ? &w->f->defs.v[w->f->defs.n - 1] : NULL;
    if (item == NONE || !d || d->span.start != w->t.v[target].start || d->path == NONE) return;
    u8 kind;
    u32 value;
    bool empty;
    value_of(w, item, &kind, &value, &empty);
    if (kind != VAL_CALL && kind != VAL_PATH && kind != VAL_LAMBDA) return;
    Path p = path_attr(w->f->paths.v[d->path], SYM_ITEM);
    if (kind == VAL_CALL) w->f->calls.v[value].target = path_id(w, p);
    def_add(w, p, target, kind, value, empty, NONE, false);
}

static void walk_assignment(Walk *w, u32 n)
{
    u32 left = ast_field(&w->t, n, FIELD_left), right = ast_field(&w->t, n, FIELD_right),
        type = ast_field(&w->t, n, FIELD_type);
    if (left == NONE) return;
    u32 dep = w->dep.n, value_node = right;
    if (right != NONE && w->t.v[right].kind == NODE_assignment) {
        walk_assignment(w, right); /* a = b = v: the inner one first, then a gets v too */
        while (ast_is(&w->t, value_node, NODE_assignment)) value_node = ast_field(&w->t, value_node, FIELD_right);
    } else if (right != NONE) {
        walk_expr(w, right, use_load);
    }
    u8 kind = VAL_OTHER;
    u32 value = NONE;
    bool empty = false;
    if (value_node != NONE) value_of(w, value_node, &kind, &value, &empty);
    u32 annotation = annotation_path(w, type);
    if (right == NONE) { /* x: T declares, assigns nothing */
        if (w->t.v[left].kind == NODE_identifier)
            def_add(w, path_name(w, sym_of(w, left)), left, VAL_OTHER, NONE, false, annotation, true);
        return;
    }
    Target t = {dep, w->dep.n, kind, value, empty, annotation, value_node};
    assign_to(w, left, &t);
    call_target(w, left, kind, value);
    element_defs(w, left, value_node == NONE ? right : value_node);
}

static void walk_augmented(Walk *w, u32 n)
{
    u32 left = ast_field(&w->t, n, FIELD_left), right = ast_field(&w->t, n, FIELD_right), id = NONE,
        before = w->f->accesses.n;
    if (left == NONE) return;
    walk_expr(w, right, use_load);
    Path p = walk_object(w, left);
    if (w->t.v[left].kind == NODE_subscript && w->f->accesses.n > before &&
        w->f->accesses.v[w->f->accesses.n - 1].op == OP_ITEM_LOAD &&
        w->f->accesses.v[w->f->accesses.n - 1].span.end == w->t.v[left].end) {
        id = w->f->accesses.n - 1;
        w->f->accesses.v[id].op = OP_ITEM_AUG;
    } else {
        id = access_add(w, p, (Use){.op = OP_AUG}, left);
    }
    if (p.root == ROOT_UNKNOWN) return;
    u8 kind;
    u32 value;
    bool empty;
    value_of(w, right, &kind, &value, &empty);
    if (id != NONE) w->f->accesses.v[id].value = w->f->defs.n;
    def_add(w, p, left, kind, value, empty, NONE, true);
}

static void walk_delete(Walk *w, u32 n)
{
    Ast *t = &w->t;
    u8 k = t->v[n].kind;
    if (k == NODE_delete_statement || k == NODE_expression_list || k == NODE_tuple ||
        k == NODE_parenthesized_expression) {
        for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c)) walk_delete(w, c);
        return;
    }
    u32 before = w->f->accesses.n;
    Path p = walk_object(w, n);
    if (k == NODE_subscript && w->f->accesses.n > before && w->f->accesses.v[w->f->accesses.n - 1].op == OP_ITEM_LOAD)
        w->f->accesses.v[w->f->accesses.n - 1].op = OP_ITEM_DEL;
    else
        access_add(w, p, (Use){.op = OP_DEL}, n);
}

/* ---- branches and loops ---- */

static void walk_if_part(Walk *w, u32 n, u32 next);

/* The elif or else clause `next` of the branch `cond`. */
static void walk_else(Walk *w, u32 cond, u32 next)
{
    if (next == NONE) return;
    Ast *t = &w->t;
    u32 following = ast_after(t, next);
    if (t->v[next].kind == NODE_else_clause) {
        w->f->conds.v[cond].else_block = walk_block(w, BLOCK_ELSE, cond, ast_field(t, next, FIELD_body));
        return;
    }
    u32 outer = w->block, b = block_add(w, BLOCK_ELSE, cond, next);
    w->f->conds.v[cond].else_block = b;
    w->block = b;
    walk_if_part(w, next, following);
    w->block = outer;
}

static bool is_main_guard(const Walk *w, u32 head)
{
    Str s = ast_text(&w->t, head);
    return w->func == 0 && str_contains(s, S("__name__")) && str_contains(s, S("__main__"));
}

static void walk_if_part(Walk *w, u32 n, u32 next)
{
    u32 head = ast_field(&w->t, n, FIELD_condition), cond = cond_add(w, n, head);
    if (head != NONE) walk_test(w, head, cond);
    bool guard = head != NONE && is_main_guard(w, head);
    w->f->has_main_guard |= guard;
    u32 b = walk_block(w, guard ? BLOCK_MAIN : BLOCK_THEN, cond, ast_field(&w->t, n, FIELD_consequence));
    w->f->conds.v[cond].then_block = b;
    walk_else(w, cond, next);
    if (next != NONE) { /* the statement ends where its last clause ends */
        u32 last = next;
        for (u32 c = next; c != NONE; c = ast_after(&w->t, c)) last = c;
        w->f->conds.v[cond].span.end = w->t.v[last].end;
    }
}

static u32 next_clause(const Walk *w, u32 n)
{
    for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c))
        if (w->t.v[c].kind == NODE_elif_clause || w->t.v[c].kind == NODE_else_clause) return c;
    return NONE;
}

static void walk_while(Walk *w, u32 n)
{
    u32 head = ast_field(&w->t, n, FIELD_condition), cond = cond_add(w, n, head);
    w->f->conds.v[cond].loop = true;
    if (head != NONE) walk_test(w, head, cond);
    w->f->conds.v[cond].then_block = walk_block(w, BLOCK_LOOP, cond, ast_field(&w->t, n, FIELD_body));
    u32 e = next_clause(w, n);
    if (e != NONE) walk_block(w, BLOCK_ELSE, NONE, ast_field(&w->t, e, FIELD_body));
}

static void walk_for(Walk *w, u32 n)
{
    u32 left = ast_field(&w->t, n, FIELD_left), right = ast_field(&w->t, n, FIELD_right), dep = w->dep.n;
    bool is_async = ast_token(&w->t, n, "async");
    if (is_async) suspend_add(w, n, false);
    walk_expr(w, right, (Use){.op = is_async ? OP_ARG : OP_ITER});
    u8 kind;
    u32 value;
    bool empty;
    value_of(w, right, &kind, &value, &empty);
    if (left != NONE) walk_assign_target(w, left, NONE, dep, kind == VAL_PATH ? VAL_ITER_OF : VAL_OTHER, value);
    walk_block(w, BLOCK_LOOP, NONE, ast_field(&w->t, n, FIELD_body));
    u32 e = next_clause(w, n);
    if (e != NONE) walk_block(w, BLOCK_ELSE, NONE, ast_field(&w->t, e, FIELD_body));
}

static u32 clause_body(const Walk *w, u32 clause)
{
    u32 body = NONE;
    for (u32 c = ast_first(&w->t, clause); c != NONE; c = ast_after(&w->t, c))
        if (w->t.v[c].kind == NODE_block) body = c;
    return body;
}

static void walk_except(Walk *w, u32 clause, u32 cond)
{
    u32 value = ast_first(&w->t, clause), catches = SYM_EMPTY;
    if (value != NONE && w->t.v[value].kind != NODE_block) {
        u32 type = w->t.v[value].kind == NODE_as_pattern ? ast_first(&w->t, value) : value;
        catches = key_symbol(w, type);
        u32 alias = ast_field(&w->t, value, FIELD_alias);
        if (alias != NONE && ast_first(&w->t, alias) != NONE)
            walk_assign_target(w, ast_first(&w->t, alias), NONE, w->dep.n, VAL_OTHER, NONE);
    }
    u32 b = walk_block(w, BLOCK_EXCEPT, cond, clause_body(w, clause));
    if (b == NONE) return;
    w->f->blocks.v[b].catches = catches;
    if (w->f->conds.v[cond].else_block == NONE) w->f->conds.v[cond].else_block = b;
}

static void walk_try(Walk *w, u32 n)
{
    u32 cond = cond_add(w, n, NONE);
    w->f->conds.v[cond].is_try = true;
    w->f->conds.v[cond].then_block = walk_block(w, BLOCK_TRY, cond, ast_field(&w->t, n, FIELD_body));
    for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c)) {
        switch (w->t.v[c].kind) {
        case NODE_except_clause: walk_except(w, c, cond); break;
        case NODE_else_clause: walk_block(w, BLOCK_ELSE, NONE, ast_field(&w->t, c, FIELD_body)); break;
        case NODE_finally_clause: walk_block(w, BLOCK_FINALLY, NONE, clause_body(w, c)); break;
        default: break;
        }
    }
}

static void walk_match(Walk *w, u32 n)
{
    u32 cond = cond_add(w, n, ast_field(&w->t, n, FIELD_subject));
    for (u32 c = w->t.v[n].child; c != NONE; c = w->t.v[c].next)
        if (w->t.v[c].field == FIELD_subject) walk_test(w, c, cond);
    u32 body = ast_field(&w->t, n, FIELD_body), outer = w->block;
    for (u32 c = ast_first(&w->t, body); c != NONE; c = ast_after(&w->t, c)) {
        if (w->t.v[c].kind != NODE_case_clause) continue;
        u32 guard = ast_field(&w->t, c, FIELD_guard);
        if (guard != NONE) walk_expr(w, ast_first(&w->t, guard), use_load);
        u32 b = walk_block(w, BLOCK_CASE, cond, ast_field(&w->t, c, FIELD_consequence));
        if (w->f->conds.v[cond].then_block == NONE)
            w->f->conds.v[cond].then_block = b;
        else
            w->f->conds.v[cond].else_block = b;
    }
    w->block = outer;
}

/* ---- critical sections ---- */

static void section_add(Walk *w, u32 value, bool is_async, u32 stmt_node, u32 body)
{
    u8 kind;
    u32 v, path = NONE, call = NONE;
    bool empty;
    value_of(w, value, &kind, &v, &empty);
    if (kind == VAL_PATH) path = v;
    if (kind == VAL_CALL) {
        call = v;
        path = w->f->calls.v[v].callee;
        w->f->calls.v[v].in_with = true;
    }
    if (path == NONE) return;
    vec_push(w->a, &w->f->sections,
             (Section){.kind = is_async ? SECTION_ASYNC_WITH : SECTION_WITH,
                       .finally = true,
                       .func = w->func,
                       .path = path,
                       .call = call,
                       .stmt = w->t.v[stmt_node].start,
                       .span = {w->t.v[value].end, body == NONE ? w->t.v[stmt_node].end : w->t.v[body].end}});
}

static void walk_with(Walk *w, u32 n)
{
    bool is_async = ast_token(&w->t, n, "async");
    if (is_async) suspend_add(w, n, false);
    u32 body = ast_field(&w->t, n, FIELD_body);
    for (u32 clause = ast_first(&w->t, n); clause != NONE; clause = ast_after(&w->t, clause)) {
        if (w->t.v[clause].kind != NODE_with_clause) continue;
        for (u32 item = ast_first(&w->t, clause); item != NONE; item = ast_after(&w->t, item)) {
            u32 value = ast_field(&w->t, item, FIELD_value), alias = NONE;
            if (value == NONE) continue;
            if (w->t.v[value].kind == NODE_as_pattern) {
                alias = ast_field(&w->t, value, FIELD_alias);
                value = ast_first(&w->t, value);
            }
            u32 dep = w->dep.n;
            walk_expr(w, value, (Use){.op = OP_ARG});
            u8 kind;
            u32 v;
            bool empty;
            value_of(w, value, &kind, &v, &empty);
            u32 target = alias == NONE ? NONE : ast_first(&w->t, alias);
            if (target != NONE) {
                walk_assign_target(w, target, NONE, dep,
                                   kind == VAL_PATH   ? VAL_ENTER_OF
                                   : kind == VAL_CALL ? VAL_CALL
                                                      : VAL_OTHER,
                                   v);
                call_target(w, target, kind, v);
            }
            section_add(w, value, is_async, n, body);
        }
    }
    walk_block(w, BLOCK_WITH, NONE, body);
}

static bool method_is(const Walk *w, const Access *a, const char *name)
{
    return a->op == OP_METHOD && str_is(sym_str(w->f, a->method), name);
}

/* acquire … release of one lock in one function: the section runs from the acquire to the last release before the
 * next acquire of the same lock (or to the end of the function's text). */
static void acquire_sections(Walk *w, u32 first_access)
{
    u32 end = w->f->accesses.n;
    for (u32 i = first_access; i < end; i++) {
        const Access a = w->f->accesses.v[i];
        if (!method_is(w, &a, "acquire") || a.awaited) continue;
        u32 last = NONE;
        for (u32 j = i + 1; j < end; j++) {
            const Access *b = &w->f->accesses.v[j];
            if (b->path != a.path) continue;
            if (method_is(w, b, "release"))
                last = j;
            else if (method_is(w, b, "acquire") && last != NONE)
                break;
        }
        if (last == NONE) continue;
        const Access *r = &w->f->accesses.v[last];
        bool finally = false;
        for (u32 b = r->block; b != NONE; b = w->f->blocks.v[b].parent)
            finally |= w->f->blocks.v[b].kind == BLOCK_FINALLY;
        vec_push(w->a, &w->f->sections,
                 (Section){.kind = SECTION_ACQUIRE,
                           .finally = finally,
                           .maybe = a.key != SYM_EMPTY && a.cond == NONE && a.local == SYM_EMPTY,
                           .func = w->func,
                           .path = a.path,
                           .call = NONE,
                           .span = {a.span.end, r->span.start},
                           .stmt = a.stmt});
    }
}

/* ---- definitions ---- */

static void decorator_add(Walk *w, u32 n, u32 decorates)
{
    u32 value = ast_first(&w->t, n), calls = w->f->calls.n;
    if (value == NONE) return;
    bool in_def = w->in_def;
    w->in_def = true;
    walk_expr(w, value, use_load);
    w->in_def = in_def;
    u8 kind;
    u32 v, path = path_id(w, (Path){.root = ROOT_UNKNOWN});
    bool empty;
    value_of(w, value, &kind, &v, &empty);
    if (kind == VAL_PATH) path = v;
    if (kind == VAL_CALL && v >= calls) {
        path = w->f->calls.v[v].callee;
        w->f->calls.v[v].is_decorator = true;
        w->f->calls.v[v].decorates = decorates;
    }
    vec_push(w->a, &w->f->decorators, path);
}

static bool path_ends(const Walk *w, u32 path, const char *name)
{
    const Path *p = &w->f->paths.v[path];
    return str_is(sym_str(w->f, p->nattr ? p->attr[p->nattr - 1] : p->name), name);
}

static void func_decorators(Walk *w, u32 func)
{
    Func *f = &w->f->funcs.v[func];
    for (u32 i = f->decorators; i < f->decorators + f->ndecorators; i++) {
        u32 d = w->f->decorators.v[i];
        f->is_static |= path_ends(w, d, "staticmethod");
        f->is_classmethod |= path_ends(w, d, "classmethod");
        f->is_property |= path_ends(w, d, "property") || path_ends(w, d, "cached_property") ||
                          path_ends(w, d, "setter") || path_ends(w, d, "getter") || path_ends(w, d, "deleter") ||
                          path_ends(w, d, "lazyproperty") || path_ends(w, d, "reify");
        f->is_overload |= path_ends(w, d, "overload");
    }
    Str name = sym_str(w->f, f->name);
    if (str_is(name, "__new__") || str_is(name, "__init_subclass__") || str_is(name, "__class_getitem__"))
        f->is_classmethod = true;
}

/* Defaults and annotations of the parameters: they run in the scope around the function. */
static void walk_params(Walk *w, u32 func, u32 params)
{
    u32 i = w->f->funcs.v[func].params;
    bool in_def = w->in_def;
    w->in_def = true;
    for (u32 p = ast_first(&w->t, params); p != NONE; p = ast_after(&w->t, p)) {
        if (i >= w->f->funcs.v[func].params + w->f->funcs.v[func].nparams ||
            w->t.v[p].start != w->f->params.v[i].span.start)
            continue;
        u32 value = ast_field(&w->t, p, FIELD_value), type = ast_field(&w->t, p, FIELD_type);
        if (value != NONE) {
            walk_expr(w, value, use_load);
            Param *x = &w->f->params.v[i];
            value_of(w, value, &x->def_kind, &x->def_value, &x->empty);
        }
        w->f->params.v[i].annotation = annotation_path(w, type);
        i++;
    }
    w->in_def = in_def;
}

static void walk_function_def(Walk *w, u32 n, u32 decorated)
{
    u32 func = map_get(&w->node_func, n);
    if (func == NONE) return;
    u32 first = w->f->decorators.n;
    for (u32 c = decorated == NONE ? NONE : ast_first(&w->t, decorated); c != NONE; c = ast_after(&w->t, c))
        if (w->t.v[c].kind == NODE_decorator) decorator_add(w, c, func);
    w->f->funcs.v[func].decorators = first;
    w->f->funcs.v[func].ndecorators = w->f->decorators.n - first;
    func_decorators(w, func);
    u32 params = ast_field(&w->t, n, FIELD_parameters), name = ast_field(&w->t, n, FIELD_name);
    if (params != NONE) walk_params(w, func, params);
    w->f->funcs.v[func].returns = annotation_path(w, ast_field(&w->t, n, FIELD_return_type));
    if (name != NONE) def_add(w, path_name(w, sym_of(w, name)), name, VAL_FUNC, func, false, NONE, false);
    vec_push(w->scratch, &w->queue, (Pending){n, func});
}

static void class_bases(Walk *w, u32 cls, u32 list)
{
    u32 first = w->f->bases.n;
    for (u32 c = ast_first(&w->t, list); c != NONE; c = ast_after(&w->t, c)) {
        bool keyword = w->t.v[c].kind == NODE_keyword_argument;
        u32 value = keyword ? ast_field(&w->t, c, FIELD_value) : c;
        walk_expr(w, value, use_load);
        u8 kind;
        u32 v;
        bool empty;
        value_of(w, value, &kind, &v, &empty);
        u32 path = kind == VAL_PATH ? v : kind == VAL_CALL ? w->f->calls.v[v].callee : NONE;
        if (path == NONE) continue;
        const Path *p = &w->f->paths.v[path];
        if (p->nattr && p->attr[p->nattr - 1] == SYM_ITEM) { /* Generic[T], Base[int] */
            Path q = *p;
            q.nattr--;
            path = path_id(w, q);
        }
        if (!keyword)
            vec_push(w->a, &w->f->bases, path);
        else if (str_is(ast_text(&w->t, ast_field(&w->t, c, FIELD_name)), "metaclass"))
            w->f->classes.v[cls].metaclass = path;
    }
    w->f->classes.v[cls].bases = first;
    w->f->classes.v[cls].nbases = w->f->bases.n - first;
}

static void walk_class_def(Walk *w, u32 n, u32 decorated)
{
    u32 cls = map_get(&w->node_class, n), name = ast_field(&w->t, n, FIELD_name);
    if (cls == NONE) return;
    u32 first = w->f->decorators.n;
    for (u32 c = decorated == NONE ? NONE : ast_first(&w->t, decorated); c != NONE; c = ast_after(&w->t, c))
        if (w->t.v[c].kind == NODE_decorator) decorator_add(w, c, NONE);
    w->f->classes.v[cls].decorators = first;
    w->f->classes.v[cls].ndecorators = w->f->decorators.n - first;
    w->f->classes.v[cls].bases = w->f->bases.n;
    u32 list = ast_field(&w->t, n, FIELD_superclasses);
    if (list != NONE) class_bases(w, cls, list);
    if (name != NONE) def_add(w, path_name(w, sym_of(w, name)), name, VAL_CLASS, cls, false, NONE, false);
    u32 outer = w->cls;
    w->cls = cls;
    walk_block(w, BLOCK_CLASS, NONE, ast_field(&w->t, n, FIELD_body));
    w->cls = outer;
    u32 slots = intern_find(&w->f->syms, S("__slots__"));
    w->f->classes.v[cls].has_slots = slots != NONE && bind_bits(w, cls | CLASS_SCOPE, slots);
}

static void walk_decorated(Walk *w, u32 n)
{
    u32 def = ast_field(&w->t, n, FIELD_definition);
    if (ast_is(&w->t, def, NODE_class_definition))
        walk_class_def(w, def, n);
    else if (def != NONE)
        walk_function_def(w, def, n);
}

/* ---- imports ---- */

static void import_add(Walk *w, u32 n, Str local, Str module, Str name, u8 level, bool star)
{
    Intern *syms = &w->f->syms;
    vec_push(w->a, &w->f->imports,
             (Import){.local = intern(w->a, syms, local),
                      .module = intern(w->a, syms, module),
                      .name = intern(w->a, syms, name),
                      .level = level,
                      .star = star,
                      .typing = w->f->blocks.v[w->block].typing,
                      .func = w->func,
                      .span = {w->t.v[n].start, w->t.v[n].end}});
}

static void walk_import(Walk *w, u32 n)
{
    for (u32 c = w->t.v[n].child; c != NONE; c = w->t.v[c].next) {
        if (w->t.v[c].field != FIELD_name) continue;
        if (w->t.v[c].kind == NODE_aliased_import) {
            import_add(w, n, ast_text(&w->t, ast_field(&w->t, c, FIELD_alias)),
                       ast_text(&w->t, ast_field(&w->t, c, FIELD_name)), S(""), 0, false);
        } else { /* import a.b.c binds a */
            Str rest, whole = ast_text(&w->t, c);
            import_add(w, n, str_cut(whole, '.', &rest), whole, S(""), 0, false);
        }
    }
}

static void walk_import_from(Walk *w, u32 n)
{
    u32 from = ast_field(&w->t, n, FIELD_module_name);
    Str module = from == NONE ? S("") : ast_text(&w->t, from);
    u8 level = 0;
    while (module.n && (module.p[0] == '.' || module.p[0] == ' ')) {
        level = (u8)(level + (module.p[0] == '.'));
        module = str_slice(module, 1, module.n);
    }
    for (u32 c = w->t.v[n].child; c != NONE; c = w->t.v[c].next) {
        if (w->t.v[c].kind == NODE_wildcard_import) import_add(w, n, S(""), module, S(""), level, true);
        if (w->t.v[c].field != FIELD_name) continue;
        bool as = w->t.v[c].kind == NODE_aliased_import;
        Str name = ast_text(&w->t, as ? ast_field(&w->t, c, FIELD_name) : c);
        import_add(w, n, as ? ast_text(&w->t, ast_field(&w->t, c, FIELD_alias)) : name, module, name, level, false);
    }
}

/* ---- the rest ---- */

static void walk_return(Walk *w, u32 n)
{
    u32 value = ast_first(&w->t, n);
    if (value == NONE) return;
    walk_expr(w, value, (Use){.op = OP_RETURN});
    u8 kind;
    u32 v;
    bool empty;
    value_of(w, value, &kind, &v, &empty);
    vec_push(w->a, &w->f->defs,
             (Def){.path = NONE,
                   .is_return = true,
                   .kind = kind,
                   .value = v,
                   .func = w->func,
                   .block = w->block,
                   .annotation = NONE,
                   .span = {w->t.v[value].start, w->t.v[value].end},
                   .stmt = w->stmt});
}

static void walk_expression_statement(Walk *w, u32 n)
{
    for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c)) {
        u8 k = w->t.v[c].kind;
        if (k == NODE_assignment)
            walk_assignment(w, c);
        else if (k == NODE_augmented_assignment)
            walk_augmented(w, c);
        else
            walk_expr(w, c, use_load);
    }
}

static void walk_stmt(Walk *w, u32 n)
{
    u32 outer = w->stmt;
    if (++w->depth > 1200) { /* each level of statements costs several calls of ours */
        w->depth--;
        return;
    }
    w->stmt = w->t.v[n].start;
    u32 dep = w->dep.n;
    switch (w->t.v[n].kind) {
    case NODE_expression_statement: walk_expression_statement(w, n); break;
    case NODE_if_statement: walk_if_part(w, n, next_clause(w, n)); break;
    case NODE_while_statement: walk_while(w, n); break;
    case NODE_for_statement: walk_for(w, n); break;
    case NODE_try_statement: walk_try(w, n); break;
    case NODE_with_statement: walk_with(w, n); break;
    case NODE_match_statement: walk_match(w, n); break;
    case NODE_function_definition: walk_function_def(w, n, NONE); break;
    case NODE_class_definition: walk_class_def(w, n, NONE); break;
    case NODE_decorated_definition: walk_decorated(w, n); break;
    case NODE_delete_statement: walk_delete(w, n); break;
    case NODE_return_statement: walk_return(w, n); break;
    case NODE_import_statement: walk_import(w, n); break;
    case NODE_import_from_statement: walk_import_from(w, n); break;
    case NODE_assert_statement: {
        u32 head = ast_first(&w->t, n);
        u32 cond = cond_add(w, n, head);
        if (head != NONE) walk_test(w, head, cond);
        break;
    }
    case NODE_block:
    case NODE_module: walk_suite(w, n); break;
    case NODE_global_statement:
    case NODE_nonlocal_statement:
    case NODE_future_import_statement:
    case NODE_pass_statement:
    case NODE_comment: break;
    default:
        for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c)) {
            if (w->t.v[n].error)
                walk_stmt(w, c); /* the grammar lost its way here: take what is whole */
            else
                walk_expr(w, c, use_load);
        }
    }
    w->dep.n = MIN(w->dep.n, dep);
    w->stmt = outer;
    w->depth--;
}

void walk_function(Walk *w, Pending p)
{
    Func *f = &w->f->funcs.v[p.func];
    w->func = p.func;
    w->cls = NONE;
    w->block = NONE;
    w->in_def = false;
    w->head_cond = NONE;
    w->dep.n = 0;
    w->stmt = w->t.v[p.node].start;
    u32 accesses = w->f->accesses.n, calls = w->f->calls.n, sections = w->f->sections.n;
    u32 body = p.func == 0 ? p.node : ast_field(&w->t, p.node, FIELD_body);
    w->block = block_add(w, BLOCK_FUNC, NONE, body == NONE ? p.node : body);
    f->block = w->block;
    if (f->is_lambda) {
        walk_expr(w, body, (Use){.op = OP_RETURN});
    } else if (body != NONE) {
        w->f->blocks.v[w->block].exits = stmt_exits(w, body);
        walk_suite(w, body);
    }
    acquire_sections(w, accesses);
    f = &w->f->funcs.v[p.func];
    f->accesses = accesses;
    f->naccesses = w->f->accesses.n - accesses;
    f->calls = calls;
    f->ncalls = w->f->calls.n - calls;
    f->sections = sections;
    f->nsections = w->f->sections.n - sections;
}
