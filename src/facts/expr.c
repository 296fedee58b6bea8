/* Expressions: what they read, test, call and pass on.
 *
 * walk_object gives the path of a receiver and records what its inner parts do; walk_expr records what the whole
 * expression does. Every syntax node is walked exactly once. Inside the condition of a branch (head_cond) each access
 * is marked with that branch; reading a local marks the accesses whose value the local holds. */
#include "facts/walk.h"

enum { MAX_DEPTH = 2500, KEY_MAX = 100 };

static const Use use_load = {.op = OP_LOAD};

static void walk_children(Walk *w, u32 n)
{
    for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c)) walk_expr(w, c, use_load);
}

u32 key_symbol(Walk *w, u32 n)
{
    if (n == NONE) return SYM_EMPTY;
    Str s = ast_text(&w->t, n);
    return s.n <= KEY_MAX ? intern(w->a, &w->f->syms, s) : SYM_EMPTY;
}

/* ---- recording ---- */

/* A plain use of a local that no inner function sees concerns nobody else. */
static bool worth_recording(const Walk *w, const Path *p, u8 op)
{
    bool binding = op == OP_LOAD || op == OP_STORE || op == OP_DEL || op == OP_AUG || op == OP_TRUTH ||
                   op == OP_ARG || op == OP_RETURN;
    if (p->root == ROOT_UNKNOWN) return false;
    if (p->nattr || !binding) return true;
    if (p->root == ROOT_LOCAL || p->root == ROOT_PARAM)
        return p->func != w->func || (bind_bits(w, p->func, p->name) & BIND_CAPTURED);
    if (p->root == ROOT_GLOBAL) {
        u32 bits = bind_bits(w, 0, p->name);
        return bits & (BIND_ASSIGN | BIND_GLOBAL) || op == OP_STORE || op == OP_AUG || op == OP_DEL;
    }
    return p->root == ROOT_CLASS;
}

u32 access_add(Walk *w, Path p, Use use, u32 node)
{
    if (!worth_recording(w, &p, use.op)) return NONE;
    Access *a = vec_add(w->a, &w->f->accesses);
    *a = (Access){.path = path_id(w, p),
                  .op = use.op,
                  .test = use.test,
                  .in_nested_def = w->in_def,
                  .method = use.method,
                  .key = SYM_EMPTY,
                  .func = w->func,
                  .block = w->block,
                  .stmt = w->stmt,
                  .cond = w->head_cond,
                  .value = NONE,
                  .local = SYM_EMPTY,
                  .span = {w->t.v[node].start, w->t.v[node].end}};
    if (w->head_cond != NONE && !a->test) a->test = TEST_COMPARE;
    source_position(w->src, a->span.start, &a->line, &a->column);
    source_position(w->src, a->span.end, &a->end_line, &a->end_column);
    u32 id = w->f->accesses.n - 1;
    vec_push(w->scratch, &w->dep, id);
    return id;
}

static LocalValue *local_value(Walk *w, u32 func, u32 sym)
{
    u32 *at = map_at(w->scratch, &w->locals, map_key(func, sym));
    if (*at == NONE) {
        vec_push(w->scratch, &w->local_values, (LocalValue){0});
        *at = w->local_values.n - 1;
    }
    return &w->local_values.v[*at];
}

void local_set(Walk *w, u32 sym, u32 dep_from)
{
    LocalValue *lv = local_value(w, w->func, sym);
    *lv = (LocalValue){0};
    for (u32 i = dep_from; i < w->dep.n; i++) {
        Access *a = &w->f->accesses.v[w->dep.v[i]];
        if (a->func != w->func) continue;
        if (a->local == SYM_EMPTY) a->local = sym;
        if (lv->n < LOCAL_FROM) lv->from[lv->n++] = w->dep.v[i];
    }
}

/* A local is read: what it holds is used here, and decides the branch whose condition this is. */
static void local_read(Walk *w, u32 sym, u8 test)
{
    u32 at = map_get(&w->locals, map_key(w->func, sym));
    if (at == NONE) return;
    LocalValue lv = w->local_values.v[at];
    for (u32 i = 0; i < lv.n; i++) {
        Access *a = &w->f->accesses.v[lv.from[i]];
        vec_push(w->scratch, &w->dep, lv.from[i]);
        if (w->head_cond == NONE || a->cond != NONE) continue;
        a->cond = w->head_cond;
        a->test = test ? test : TEST_COMPARE;
    }
}

/* ---- receivers ---- */

static Path path_of_name(Walk *w, u32 n)
{
    return path_name(w, sym_of(w, n));
}

static bool is_builtin(Walk *w, u32 n, const char *name)
{
    if (!ast_is(&w->t, n, NODE_identifier) || !str_is(ast_text(&w->t, n), name)) return false;
    Path p = path_of_name(w, n);
    return p.root == ROOT_GLOBAL && !bind_bits(w, 0, p.name);
}

/* type(self), super(): calls that name an object we know. */
static bool known_call(Walk *w, u32 n, Path *out)
{
    u32 fn = ast_field(&w->t, n, FIELD_function);
    u32 arg = ast_first(&w->t, ast_field(&w->t, n, FIELD_arguments));
    if (is_builtin(w, fn, "super")) {
        *out = (Path){.root = ROOT_SUPER, .func = w->f->funcs.v[w->func].self_func, .name = SYM_EMPTY};
        return w->f->funcs.v[w->func].self_class != NONE;
    }
    if (is_builtin(w, fn, "type") && ast_is(&w->t, arg, NODE_identifier) && ast_after(&w->t, arg) == NONE) {
        Path p = path_of_name(w, arg);
        if (p.root != ROOT_SELF) return false;
        p.root = ROOT_CLS;
        *out = p;
        return true;
    }
    return false;
}

static bool string_literal(Walk *w, u32 n, Str *out)
{
    if (!ast_is(&w->t, n, NODE_string)) return false;
    u32 start = ast_first(&w->t, n), content = start == NONE ? NONE : ast_after(&w->t, start);
    if (!ast_is(&w->t, content, NODE_string_content) || !ast_is(&w->t, ast_after(&w->t, content), NODE_string_end))
        return false;
    *out = ast_text(&w->t, content);
    return true;
}

static Path object_of_attribute(Walk *w, u32 n)
{
    Path p = walk_object(w, ast_field(&w->t, n, FIELD_object));
    u32 attr = ast_field(&w->t, n, FIELD_attribute);
    Str name = attr == NONE ? S("") : ast_text(&w->t, attr);
    if (str_is(name, "__class__") && p.root == ROOT_SELF && p.nattr == 0) {
        p.root = ROOT_CLS;
        return p;
    }
    if (p.root == ROOT_UNKNOWN) return p;
    return path_attr(p, intern(w->a, &w->f->syms, name));
}

/* globals()["x"] is the global x; x.__dict__["a"] is x.a. False: an ordinary subscript. */
static bool namespace_item(Walk *w, u32 n, Path *out)
{
    u32 value = ast_field(&w->t, n, FIELD_value), key = ast_field(&w->t, n, FIELD_subscript);
    Str name;
    if (!ast_is(&w->t, value, NODE_call) || !string_literal(w, key, &name)) return false;
    if (!is_builtin(w, ast_field(&w->t, value, FIELD_function), "globals")) return false;
    *out = (Path){.root = ROOT_GLOBAL, .name = intern(w->a, &w->f->syms, name)};
    return true;
}

static void walk_keys(Walk *w, u32 n)
{
    for (u32 c = w->t.v[n].child; c != NONE; c = w->t.v[c].next)
        if (w->t.v[c].field == FIELD_subscript) walk_expr(w, c, use_load);
}

static Path object_of_subscript(Walk *w, u32 n)
{
    Path p;
    if (namespace_item(w, n, &p)) return p;
    p = walk_object(w, ast_field(&w->t, n, FIELD_value));
    walk_keys(w, n);
    u32 id = access_add(w, p, (Use){.op = OP_ITEM_LOAD}, n);
    if (id != NONE) w->f->accesses.v[id].key = key_symbol(w, ast_field(&w->t, n, FIELD_subscript));
    return p.root == ROOT_UNKNOWN ? p : path_attr(p, SYM_ITEM);
}

Path walk_object(Walk *w, u32 n)
{
    Path p = {.root = ROOT_UNKNOWN};
    if (n == NONE) return p;
    if (++w->depth > MAX_DEPTH) {
        w->depth--;
        return p;
    }
    switch (w->t.v[n].kind) {
    case NODE_identifier:
        p = path_of_name(w, n);
        if (p.root == ROOT_LOCAL) local_read(w, p.name, TEST_NO);
        break;
    case NODE_attribute: p = object_of_attribute(w, n); break;
    case NODE_subscript: p = object_of_subscript(w, n); break;
    case NODE_parenthesized_expression: p = walk_object(w, ast_first(&w->t, n)); break;
    case NODE_call:
        if (known_call(w, n, &p)) break;
        p = (Path){.root = ROOT_CALL, .func = walk_call(w, n), .name = SYM_EMPTY};
        break;
    default: walk_expr(w, n, use_load);
    }
    w->depth--;
    return p;
}

/* ---- calls ---- */

/* Builtins and library functions that read a whole container in C (ops.tsv, memory-model.md 2.1). */
static bool reads_whole(Str name)
{
    static const char *const readers[] = {
        "list",         "tuple",     "set",      "frozenset",   "dict",         "sorted",      "sum",
        "min",          "max",       "any",      "all",         "len",          "iter",        "next",
        "enumerate",    "zip",       "map",      "filter",      "reversed",     "deque",       "Counter",
        "OrderedDict",  "repr",      "str",      "dumps",       "dump",         "deepcopy",    "copy",
        "fromkeys",     "join",      "heappush", "heappop",     "heapify",      "heappushpop", "heapreplace",
        "nlargest",     "nsmallest", "insort",   "insort_left", "insort_right", "bisect",      "bisect_left",
        "bisect_right", "shuffle",   "chain",    "reduce",      "fsum",         "isinstance",  "bool",
        "vars",         "update",    "extend",   "partial"};
    for (u32 i = 0; i < COUNT_OF(readers); i++)
        if (str_is(name, readers[i])) return true;
    return false;
}

static u32 arg_add(Walk *w, u32 n, u32 keyword, bool star)
{
    Arg arg = {
        .keyword = keyword, .star = star, .value = NONE, .text = SYM_EMPTY, .span = {w->t.v[n].start, w->t.v[n].end}};
    bool empty;
    value_of(w, n, &arg.kind, &arg.value, &empty);
    if (arg.kind == VAL_STRING || arg.kind == VAL_NUMBER || arg.kind == VAL_BOOL || arg.kind == VAL_NONE)
        arg.text = key_symbol(w, n);
    vec_push(w->scratch, &w->args, arg);
    return w->args.n - 1;
}

/* Thread(target=f, args=(a, b)): the elements are arguments too, with the keywords "args[0]", "args[1]", … */
static void args_of_thread(Walk *w, u32 tuple)
{
    if (!ast_is(&w->t, tuple, NODE_tuple) && !ast_is(&w->t, tuple, NODE_list)) return;
    u32 i = 0;
    for (u32 c = ast_first(&w->t, tuple); c != NONE; c = ast_after(&w->t, c)) {
        Str name = str_fmt(w->scratch, "args[%u]", i++);
        arg_add(w, c, intern(w->a, &w->f->syms, name), false);
    }
}

static void walk_args(Walk *w, u32 list, Use use)
{
    if (list == NONE) return;
    if (w->t.v[list].kind == NODE_generator_expression) {
        walk_expr(w, list, use);
        arg_add(w, list, SYM_EMPTY, false);
        return;
    }
    for (u32 c = ast_first(&w->t, list); c != NONE; c = ast_after(&w->t, c)) {
        u8 k = w->t.v[c].kind;
        u32 keyword = SYM_EMPTY, value = c;
        if (k == NODE_keyword_argument) {
            keyword = sym_of(w, ast_field(&w->t, c, FIELD_name));
            value = ast_field(&w->t, c, FIELD_value);
        } else if (k == NODE_list_splat || k == NODE_dictionary_splat) {
            value = ast_first(&w->t, c);
        }
        if (value == NONE) continue;
        Use u = k == NODE_list_splat || k == NODE_dictionary_splat
                    ? (Use){.op = OP_CREAD, .method = intern(w->a, &w->f->syms, S("*"))}
                    : use;
        walk_expr(w, value, u);
        arg_add(w, value, keyword, k == NODE_list_splat || k == NODE_dictionary_splat);
        if (str_is(sym_str(w->f, keyword), "args")) args_of_thread(w, value);
    }
}

/* hasattr(o, "x"), getattr(o, "x", default), setattr(o, "x", v), delattr: the attribute o.x. */
static bool attribute_call(Walk *w, u32 fn, u32 list, u32 node)
{
    u8 op = is_builtin(w, fn, "hasattr")   ? OP_HASATTR
            : is_builtin(w, fn, "getattr") ? OP_HASATTR
            : is_builtin(w, fn, "setattr") ? OP_STORE
            : is_builtin(w, fn, "delattr") ? OP_DEL
                                           : OP_COUNT;
    u32 object = ast_first(&w->t, list), name = object == NONE ? NONE : ast_after(&w->t, object);
    if (op == OP_COUNT || name == NONE) return false;
    Str text;
    if (!string_literal(w, name, &text)) {
        if (op != OP_HASATTR) w->f->dynamic++;
        return false;
    }
    Path p = walk_object(w, object);
    u32 dep = w->dep.n;
    for (u32 c = ast_after(&w->t, name); c != NONE; c = ast_after(&w->t, c)) walk_expr(w, c, use_load);
    if (p.root == ROOT_UNKNOWN) return true;
    u32 id = access_add(w, path_attr(p, intern(w->a, &w->f->syms, text)), (Use){.op = op}, node);
    if (id != NONE && op == OP_HASATTR && ast_after(&w->t, name) != NONE)
        w->f->accesses.v[id].key = key_symbol(w, ast_after(&w->t, name));
    for (u32 i = dep; id != NONE && op == OP_STORE && i < w->dep.n; i++)
        if (w->dep.v[i] != id) vec_push(w->a, &w->f->flows, (Flow){w->dep.v[i], id});
    return true;
}

/* An item put into a container gives the container's elements a definition: x.append(v). */
static void element_def(Walk *w, Path p, Str method, u32 args_from)
{
    if (!str_is(method, "append") && !str_is(method, "add") && !str_is(method, "appendleft") &&
        !str_is(method, "put"))
        return;
    if (w->args.n != args_from + 1 || p.root == ROOT_UNKNOWN) return;
    const Arg *arg = &w->args.v[args_from];
    if (arg->kind != VAL_PATH && arg->kind != VAL_CALL && arg->kind != VAL_LAMBDA) return;
    vec_push(w->a, &w->f->defs,
             (Def){.path = path_id(w, path_attr(p, SYM_ITEM)),
                   .kind = arg->kind,
                   .value = arg->value,
                   .func = w->func,
                   .block = w->block,
                   .annotation = NONE,
                   .span = arg->span,
                   .stmt = w->stmt});
}

static void walk_method_call(Walk *w, u32 n, u32 fn, u32 list, u32 args_from, Path *callee)
{
    Path object = walk_object(w, ast_field(&w->t, fn, FIELD_object));
    u32 attr = ast_field(&w->t, fn, FIELD_attribute);
    Str name = attr == NONE ? S("") : ast_text(&w->t, attr);
    u32 sym = intern(w->a, &w->f->syms, name);
    u32 id = NONE;
    /* The receiver is read before the arguments are computed, but the operation comes after them. */
    Use arg_use = reads_whole(name) ? (Use){.op = OP_CREAD, .method = sym} : (Use){.op = OP_ARG};
    bool awaited = w->awaiting;
    w->awaiting = false;
    walk_args(w, list, arg_use);
    if (object.root != ROOT_UNKNOWN) id = access_add(w, object, (Use){.op = OP_METHOD, .method = sym}, n);
    if (id != NONE) {
        w->f->accesses.v[id].awaited = awaited;
        w->f->accesses.v[id].nargs = (u8)MIN(w->args.n - args_from, 255u);
        u32 first = ast_first(&w->t, list);
        w->f->accesses.v[id].key =
            first == NONE || w->t.v[list].kind == NODE_generator_expression ? SYM_EMPTY : key_symbol(w, first);
    }
    element_def(w, object, name, args_from);
    *callee = object.root == ROOT_UNKNOWN ? object : path_attr(object, sym);
}

static void walk_function_call(Walk *w, u32 n, u32 fn, u32 list, Path *callee)
{
    w->awaiting = false;
    if (ast_is(&w->t, fn, NODE_identifier)) {
        Str name = ast_text(&w->t, fn);
        *callee = path_of_name(w, fn);
        if (callee->root == ROOT_LOCAL) local_read(w, callee->name, TEST_NO);
        access_add(w, *callee, use_load, fn);
        if (is_builtin(w, fn, "exec") || is_builtin(w, fn, "eval")) w->f->dynamic++;
        if (attribute_call(w, fn, list, n)) return;
        walk_args(w, list, reads_whole(name) ? (Use){.op = OP_CREAD, .method = sym_of(w, fn)} : (Use){.op = OP_ARG});
        return;
    }
    *callee = walk_object(w, fn);
    walk_args(w, list, (Use){.op = OP_ARG});
}

u32 walk_call(Walk *w, u32 n)
{
    u32 fn = ast_field(&w->t, n, FIELD_function), list = ast_field(&w->t, n, FIELD_arguments);
    Path callee = {.root = ROOT_UNKNOWN};
    bool awaited = w->awaiting;
    u32 args_from = w->args.n;
    if (ast_is(&w->t, fn, NODE_attribute))
        walk_method_call(w, n, fn, list, args_from, &callee);
    else
        walk_function_call(w, n, fn, list, &callee);
    Call c = {.callee = path_id(w, callee),
              .func = w->func,
              .block = w->block,
              .args = w->f->args.n,
              .nargs = w->args.n - args_from,
              .target = NONE,
              .stmt = w->stmt,
              .awaited = awaited,
              .decorates = NONE,
              .span = {w->t.v[n].start, w->t.v[n].end}};
    for (u32 i = args_from; i < w->args.n; i++) vec_push(w->a, &w->f->args, w->args.v[i]);
    w->args.n = args_from;
    source_position(w->src, c.span.start, &c.line, &c.column);
    vec_push(w->a, &w->f->calls, c);
    map_put(w->scratch, &w->node_call, n, w->f->calls.n - 1);
    return w->f->calls.n - 1;
}

/* ---- the value of an expression ---- */

static bool pure_path(Walk *w, u32 n, Path *out)
{
    const Node *x = &w->t.v[n];
    if (x->kind == NODE_identifier) {
        *out = path_of_name(w, n);
        return true;
    }
    if (x->kind == NODE_call) {
        u32 call = map_get(&w->node_call, n);
        if (call == NONE) return known_call(w, n, out);
        *out = (Path){.root = ROOT_CALL, .func = call, .name = SYM_EMPTY};
        return true;
    }
    u32 inner = ast_field(&w->t, n, x->kind == NODE_attribute ? FIELD_object : FIELD_value);
    if ((x->kind != NODE_attribute && x->kind != NODE_subscript) || inner == NONE || !pure_path(w, inner, out))
        return false;
    u32 attr = ast_field(&w->t, n, FIELD_attribute);
    if (x->kind == NODE_attribute && attr == NONE) return false;
    *out = path_attr(*out, x->kind == NODE_subscript ? SYM_ITEM : sym_of(w, attr));
    return true;
}

void value_of(Walk *w, u32 n, u8 *kind, u32 *value, bool *empty)
{
    static const u8 literal[NODE_COUNT] = {[NODE_none] = VAL_NONE,
                                           [NODE_true] = VAL_BOOL,
                                           [NODE_false] = VAL_BOOL,
                                           [NODE_integer] = VAL_NUMBER,
                                           [NODE_float] = VAL_NUMBER,
                                           [NODE_unary_operator] = VAL_OTHER,
                                           [NODE_string] = VAL_STRING,
                                           [NODE_concatenated_string] = VAL_STRING,
                                           [NODE_list] = VAL_LIST,
                                           [NODE_list_comprehension] = VAL_LIST,
                                           [NODE_dictionary] = VAL_DICT,
                                           [NODE_dictionary_comprehension] = VAL_DICT,
                                           [NODE_set] = VAL_SET,
                                           [NODE_set_comprehension] = VAL_SET,
                                           [NODE_tuple] = VAL_TUPLE,
                                           [NODE_expression_list] = VAL_TUPLE,
                                           [NODE_generator_expression] = VAL_GENERATOR};
    *kind = VAL_OTHER;
    *value = NONE;
    *empty = false;
    if (n == NONE) return;
    while ((w->t.v[n].kind == NODE_parenthesized_expression || w->t.v[n].kind == NODE_await) &&
           ast_first(&w->t, n) != NONE)
        n = ast_first(&w->t, n);
    if (w->t.v[n].kind == NODE_named_expression) n = ast_field(&w->t, n, FIELD_value);
    /* x or make(): what is made when there is none yet */
    if (ast_is(&w->t, n, NODE_boolean_operator)) n = ast_field(&w->t, n, FIELD_right);
    if (n == NONE) return;
    u8 k = w->t.v[n].kind;
    Path p;
    if (literal[k]) {
        *kind = literal[k];
        *empty = ast_first(&w->t, n) == NONE;
    } else if (k == NODE_lambda) {
        *kind = VAL_LAMBDA;
        *value = map_get(&w->node_func, n);
    } else if (k == NODE_call) {
        u32 call = map_get(&w->node_call, n);
        if (call != NONE) {
            *kind = VAL_CALL;
            *value = call;
        } else if (known_call(w, n, &p)) {
            *kind = VAL_PATH;
            *value = path_id(w, p);
        }
    } else if (pure_path(w, n, &p) && p.root != ROOT_UNKNOWN) {
        *kind = VAL_PATH;
        *value = path_id(w, p);
    }
}

/* ---- conditions ---- */

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

/* k in d, k not in d */
static bool walk_contains(Walk *w, u32 n, bool negated)
{
    u32 opn = comparison_operator(w, n), left = ast_first(&w->t, n),
        right = left == NONE ? NONE : ast_after(&w->t, left);
    if (opn == NONE || right == NONE || ast_after(&w->t, right) != NONE) return false;
    Str op = ast_text(&w->t, opn);
    bool in = str_is(op, "in"), not_in = str_starts(op, S("not"));
    if (!in && !not_in) return false;
    walk_expr(w, left, use_load);
    Path p = walk_object(w, right);
    u8 test = in != negated ? TEST_IN : TEST_NOT_IN;
    Str attr;
    u32 last = p.nattr ? p.attr[p.nattr - 1] : SYM_EMPTY;
    if (p.nattr && string_literal(w, left, &attr) && str_is(sym_str(w->f, last), "__dict__")) {
        p.attr[p.nattr - 1] = intern(w->a, &w->f->syms, attr);
        access_add(w, p, (Use){.op = OP_HASATTR, .test = w->head_cond != NONE ? test : TEST_NO}, n);
        return true;
    }
    u32 id = access_add(w, p, (Use){.op = OP_CONTAINS, .test = w->head_cond != NONE ? test : TEST_NO}, n);
    if (id != NONE) w->f->accesses.v[id].key = key_symbol(w, left);
    return true;
}

/* x is None, x is not None, x == None; any other comparison is TEST_COMPARE. */
static void walk_comparison(Walk *w, u32 n, bool negated)
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

/* A condition inside an expression: a if c else b, a and b, a or b. Inside another condition it adds no branch of its
 * own: the outer one decides. */
static void walk_branch_expr(Walk *w, u32 n)
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
    if (ternary) {
        w->block = w->f->conds.v[cond].then_block = block_add(w, BLOCK_THEN, cond, first);
        walk_expr(w, first, use_load);
        w->block = block;
    }
    if (rest != NONE) {
        u32 b = block_add(w, ternary || is_or ? BLOCK_ELSE : BLOCK_THEN, cond, rest);
        if (ternary || is_or)
            w->f->conds.v[cond].else_block = b;
        else
            w->f->conds.v[cond].then_block = b;
        w->block = b;
        walk_expr(w, rest, use_load);
    }
    w->block = block;
    w->head_cond = outer;
}

/* ---- the rest ---- */

static void walk_comprehension(Walk *w, u32 n)
{
    u32 block = w->block, body = ast_field(&w->t, n, FIELD_body);
    for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c)) {
        u8 k = w->t.v[c].kind;
        if (k == NODE_for_in_clause) {
            u32 right = ast_field(&w->t, c, FIELD_right), left = ast_field(&w->t, c, FIELD_left), dep = w->dep.n;
            walk_expr(w, right, (Use){.op = OP_ITER});
            w->block = block_add(w, BLOCK_COMPREHENSION, NONE, n);
            u8 kind;
            u32 value;
            bool empty;
            value_of(w, right, &kind, &value, &empty);
            if (left != NONE)
                walk_assign_target(w, left, NONE, dep, kind == VAL_PATH ? VAL_ITER_OF : VAL_OTHER, value);
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
        return;
    }
    p = walk_object(w, n);
    if (x->kind == NODE_attribute) {
        access_add(w, p, use, n);
    } else if (x->kind == NODE_subscript && (use.op == OP_ITER || use.op == OP_CREAD)) {
        access_add(w, p, use, n);
    } else if (use.test && w->dep.n > from) {
        /* the test is made on what a subscript or a call gave */
        Access *a = &w->f->accesses.v[w->dep.v[w->dep.n - 1]];
        if (a->span.end == x->end && a->cond == w->head_cond) a->test = use.test;
    } else if ((use.op == OP_ITER || use.op == OP_CREAD) && p.root == ROOT_CALL) {
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
    case NODE_identifier:
    case NODE_attribute:
    case NODE_subscript:
    case NODE_call: walk_value(w, n, use); break;
    case NODE_parenthesized_expression: walk_expr(w, ast_first(&w->t, n), use); break;
    case NODE_await: walk_await(w, n); break;
    case NODE_named_expression: walk_named(w, n, use); break;
    case NODE_lambda: walk_lambda(w, n); break;
    case NODE_boolean_operator:
    case NODE_conditional_expression: walk_branch_expr(w, n); break;
    case NODE_not_operator: walk_expr(w, ast_field(&w->t, n, FIELD_argument), use); break;
    case NODE_comparison_operator: walk_comparison(w, n, false); break;
    case NODE_list_comprehension:
    case NODE_set_comprehension:
    case NODE_dictionary_comprehension:
    case NODE_generator_expression: walk_comprehension(w, n); break;
    case NODE_list_splat:
    case NODE_dictionary_splat:
        walk_expr(w, ast_first(&w->t, n), (Use){.op = OP_CREAD, .method = intern(w->a, &w->f->syms, S("*"))});
        break;
    case NODE_yield:
        w->f->funcs.v[w->func].is_generator = true;
        suspend_add(w, n, true);
        for (u32 c = ast_first(&w->t, n); c != NONE; c = ast_after(&w->t, c)) walk_expr(w, c, (Use){.op = OP_RETURN});
        break;
    default: walk_children(w, n);
    }
    w->depth--;
}
