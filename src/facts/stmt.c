/* Statements: blocks, branches and loops; hands bindings, sections and definitions to their files.
 *
 * A function's body is walked after the code around it, so that accesses, calls and sections come grouped by
 * function. Class bodies run where they stand and belong to the function around them. */
#include "facts/walk.h"

static const Use use_load = {.op = OP_LOAD};

static void walk_stmt(Walk *w, u32 n);

/* if TYPE_CHECKING: nothing in it runs. */
static bool checks_types(const Walk *w, u32 cond)
{
    Span head = w->f->conds.v[cond].head;
    return str_ends(str_slice(w->src->text, head.start, head.end), S("TYPE_CHECKING")) &&
           !str_starts(str_slice(w->src->text, head.start, head.end), S("not "));
}

u32 block_add(Walk *w, BlockKind kind, u32 cond, u32 node)
{
    u32 parent = w->block;
    const Block *up = parent == NONE ? NULL : &w->f->blocks.v[parent];
    bool repeats = (up && up->repeats) || kind == BLOCK_LOOP || kind == BLOCK_COMPREHENSION;
    bool typing = (up && up->typing) || (kind == BLOCK_THEN && cond != NONE && checks_types(w, cond));
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
u32 walk_block(Walk *w, BlockKind kind, u32 cond, u32 body)
{
    if (body == NONE) return NONE;
    u32 outer = w->block, b = block_add(w, kind, cond, body);
    w->f->blocks.v[b].exits = stmt_exits(w, body);
    w->block = b;
    walk_suite(w, body);
    w->block = outer;
    return b;
}

/* A branch that no Python takes: its block, and nothing of what stands in it. */
static u32 dead_block(Walk *w, BlockKind kind, u32 cond, u32 body)
{
    if (body == NONE) return NONE;
    u32 b = block_add(w, kind, cond, body);
    w->f->blocks.v[b].exits = stmt_exits(w, body);
    w->f->blocks.v[b].dead = true;
    return b;
}

/* ---- branches and loops ---- */

static void walk_if_part(Walk *w, u32 n, u32 next);

/* The elif or else clause `next` of the branch `cond`. */
static void walk_else(Walk *w, u32 cond, u32 next, bool dead)
{
    if (next == NONE) return;
    Ast *t = &w->t;
    u32 following = ast_after(t, next);
    if (dead || t->v[next].kind == NODE_else_clause) {
        bool last = t->v[next].kind == NODE_else_clause;
        u32 body = ast_field(t, next, last ? FIELD_body : FIELD_consequence);
        u32 other = (dead ? dead_block : walk_block)(w, BLOCK_ELSE, cond, body);
        w->f->conds.v[cond].else_block = other;
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
    Holds version = head == NONE ? HOLDS_MAYBE : version_test(ast_text(&w->t, head));
    u32 body = ast_field(&w->t, n, FIELD_consequence);
    u32 then = (version == HOLDS_NEVER ? dead_block : walk_block)(w, guard ? BLOCK_MAIN : BLOCK_THEN, cond, body);
    w->f->conds.v[cond].then_block = then; /* only now: what stands in the body may have moved the conds */
    walk_else(w, cond, next, version == HOLDS_ALWAYS);
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
    u32 body = walk_block(w, BLOCK_LOOP, cond, ast_field(&w->t, n, FIELD_body));
    w->f->conds.v[cond].then_block = body;
    u32 e = next_clause(w, n);
    if (e != NONE) walk_block(w, BLOCK_ELSE, NONE, ast_field(&w->t, e, FIELD_body));
}

/* One of those that a loop's name is chosen from: self.jobs, or a view of it. */
static void chosen_read(Walk *w, u32 element, Use use, u32 n)
{
    u8 kind, node = w->t.v[element].kind;
    u32 value, keep = w->dep.n;
    bool empty;
    if (node != NODE_identifier && node != NODE_attribute && node != NODE_call) return;
    value_of(w, element, &kind, &value, &empty);
    w->dep.n = keep;
    if (kind == VAL_PATH) access_add(w, w->f->paths.v[value], use, n);
    if (kind == VAL_CALL) access_add(w, (Path){.root = ROOT_CALL, .func = value, .name = SYM_EMPTY}, use, n);
}

/* for f in (read, write): what the name may stand for. Of functions only names count. */
void loop_choices(Walk *w, u32 target, u32 list)
{
    u8 k = list == NONE ? 0 : w->t.v[list].kind;
    if ((k != NODE_tuple && k != NODE_list) || !ast_is(&w->t, target, NODE_identifier)) return;
    u32 keep = w->dep.n;
    for (u32 c = ast_first(&w->t, list); c != NONE; c = ast_after(&w->t, c)) {
        u8 kind;
        u32 value;
        bool empty;
        value_of(w, c, &kind, &value, &empty);
        if (kind == VAL_PATH)
            def_add(w, path_name(w, sym_of(w, target)), target, VAL_ONE_OF, value, false, NONE, false);
    }
    w->dep.n = keep;
    vec_push(w->scratch, &w->choices, (Choice){sym_of(w, target), w->func, list});
}

/* The first one is nearest to the name: an inner loop may use the name anew. */
void choices_read(Walk *w, Path name, Use use, u32 n)
{
    enum { TABLES = 64 }; /* a longer list is one of values */
    if (use.op != OP_ITER && use.op != OP_CREAD) return;
    for (u32 i = w->choices.n; i-- > 0;) {
        if (w->choices.v[i].name != name.name || w->choices.v[i].func != name.func) continue;
        u32 c = ast_first(&w->t, w->choices.v[i].list);
        for (u32 k = 0; c != NONE && k < TABLES; c = ast_after(&w->t, c), k++) chosen_read(w, c, use, n);
        return;
    }
}

static void walk_for(Walk *w, u32 n)
{
    u32 left = ast_field(&w->t, n, FIELD_left), right = ast_field(&w->t, n, FIELD_right), dep = w->dep.n;
    bool is_async = ast_token(&w->t, n, "async");
    u32 choices = w->choices.n;
    if (is_async) suspend_add(w, n, false);
    walk_expr(w, right, (Use){.op = is_async ? OP_ARG : OP_ITER});
    walk_loop_target(w, left, right, dep);
    loop_choices(w, left, right);
    walk_block(w, BLOCK_LOOP, NONE, ast_field(&w->t, n, FIELD_body));
    w->choices.n = choices;
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
    u32 body = walk_block(w, BLOCK_TRY, cond, ast_field(&w->t, n, FIELD_body));
    w->f->conds.v[cond].then_block = body;
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

/* ---- the rest ---- */

/* return d.items(): the caller walks d. */
static bool returns_view(const Walk *w, u32 value)
{
    if (!ast_is(&w->t, value, NODE_call)) return false;
    u32 fn = ast_field(&w->t, value, FIELD_function);
    if (fn == NONE || !ast_is(&w->t, fn, NODE_attribute)) return false;
    Str name = ast_text(&w->t, ast_field(&w->t, fn, FIELD_attribute));
    return str_is(name, "items") || str_is(name, "keys") || str_is(name, "values");
}

/* return iter(d), map(f, d), itertools.islice(d, 3): likewise. The symbol of the function; SYM_EMPTY for others. */
static u32 returns_iterator(Walk *w, u32 value)
{
    static const char *const builtins[] = {"iter", "reversed", "map", "filter", "enumerate", "zip"};
    static const char *const tools[] = {"chain",     "islice",     "starmap", "takewhile",
                                        "dropwhile", "accumulate", "product", "zip_longest"};
    u32 fn = ast_is(&w->t, value, NODE_call) ? ast_field(&w->t, value, FIELD_function) : NONE;
    if (fn == NONE) return SYM_EMPTY;
    for (u32 i = 0; i < COUNT_OF(builtins); i++)
        if (is_builtin(w, fn, builtins[i])) return sym_of(w, fn);
    Str name = str_last(ast_text(&w->t, fn), '.');
    u32 module = intern_find(&w->f->syms, S("itertools"));
    return module != NONE && str_among(name, tools, COUNT_OF(tools)) ? intern(w->a, &w->f->syms, name) : SYM_EMPTY;
}

static void walk_returned(Walk *w, u32 value)
{
    u32 read = intern(w->a, &w->f->syms, S("return")), first = w->f->accesses.n;
    u32 iterator = returns_iterator(w, value);
    walk_expr(w, value, returns_view(w, value) ? (Use){.op = OP_CREAD, .method = read} : (Use){.op = OP_RETURN});
    for (u32 i = first; iterator != SYM_EMPTY && i < w->f->accesses.n; i++)
        if (w->f->accesses.v[i].op == OP_CREAD && w->f->accesses.v[i].method == iterator)
            w->f->accesses.v[i].method = read;
}

static void return_def(Walk *w, u32 value)
{
    u8 kind;
    u32 v;
    bool empty;
    value_of(w, value, &kind, &v, &empty);
    vec_push(w->a, &w->f->defs,
             (Def){.path = NONE,
                   .is_return = true,
                   .empty = empty,
                   .kind = kind,
                   .value = v,
                   .func = w->func,
                   .block = w->block,
                   .annotation = NONE,
                   .item_of = NONE,
                   .span = {w->t.v[value].start, w->t.v[value].end},
                   .stmt = w->stmt});
}

static void walk_return(Walk *w, u32 n)
{
    u32 value = ast_first(&w->t, n);
    if (value == NONE) return;
    u8 node = w->t.v[value].kind;
    if (node == NODE_tuple || node == NODE_expression_list)
        for (u32 c = ast_first(&w->t, value); c != NONE; c = ast_after(&w->t, c))
            if (returns_view(w, c) || returns_iterator(w, c) != SYM_EMPTY)
                walk_returned(w, c);
            else
                walk_expr(w, c, use_load);
    else
        walk_returned(w, value);
    return_def(w, value);
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
        w->f->python2 |= ast_is(&w->t, n, NODE_print_statement) || ast_is(&w->t, n, NODE_exec_statement);
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
        if (body != NONE) return_def(w, body);
    } else if (body != NONE) {
        w->f->blocks.v[w->block].exits = stmt_exits(w, body);
        walk_suite(w, body);
    }
    acquire_sections(w, accesses, sections);
    wrapper_sections(w, calls);
    stack_sections(w, calls);
    locker_sections(w, calls);
    f = &w->f->funcs.v[p.func];
    f->accesses = accesses;
    f->naccesses = w->f->accesses.n - accesses;
    f->calls = calls;
    f->ncalls = w->f->calls.n - calls;
    f->sections = sections;
    f->nsections = w->f->sections.n - sections;
}
