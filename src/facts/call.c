/* Calls: the receiver's operation, the arguments, builtins that touch attributes by name. */
#include "facts/walk.h"

static const Use use_load = {.op = OP_LOAD};

u32 arg_add(Walk *w, u32 n, u32 keyword, bool star)
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

/* dict(queue=q), counts.update(hits=n): what comes by name becomes a value as it is. */
static bool names_are_keys(Walk *w, Use use)
{
    static const char *const makers[] = {"dict", "OrderedDict", "Counter", "update"};
    Str name = use.op == OP_CREAD ? sym_str(w->f, use.method) : S("");
    return str_among(name, makers, COUNT_OF(makers));
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
                    ? (Use){.op = OP_CREAD,
                            .method = intern(w->a, &w->f->syms, k == NODE_list_splat ? S("*") : S("{**}"))}
                : keyword != SYM_EMPTY && names_are_keys(w, use) ? (Use){.op = OP_ARG}
                                                                 : use;
        walk_expr(w, value, u);
        arg_add(w, value, keyword, k == NODE_list_splat || k == NODE_dictionary_splat);
    }
}

/* Something at this node cannot be followed. */
static void unseen_add(Walk *w, UnseenKind kind, u32 n)
{
    u32 line, column;
    source_position(w->src, w->t.v[n].start, &line, &column);
    vec_push(w->a, &w->f->unseen, (Unseen){(u8)kind, line});
}

static bool first_is_string(Walk *w, u32 list)
{
    Str text;
    u32 first = ast_first(&w->t, list);
    return first != NONE && string_literal(w, first, &text);
}

/* importlib.import_module(name); o.__dict__.update(…), globals().update(…), vars(o).update(…): any name. */
static void method_unseen(Walk *w, u32 n, u32 receiver, Str method, u32 list)
{
    if (str_is(method, "import_module") && !first_is_string(w, list)) unseen_add(w, UNSEEN_IMPORT, n);
    if (!str_is(method, "update") && !str_is(method, "setdefault") && !str_is(method, "__setitem__")) return;
    Str text = ast_text(&w->t, receiver);
    bool names = str_ends(text, S(".__dict__")) || str_is(text, "globals()") ||
                 (str_starts(text, S("vars(")) && ast_is(&w->t, receiver, NODE_call));
    if (names && !(str_is(method, "setdefault") && first_is_string(w, list))) unseen_add(w, UNSEEN_STORE, n);
}

/* object.__setattr__, past what the class makes of an assignment: how frozen dataclasses set up their objects. */
static bool sets_attribute(Walk *w, u32 fn)
{
    if (!ast_is(&w->t, fn, NODE_attribute) || !str_is(ast_text(&w->t, fn), "object.__setattr__")) return false;
    return is_builtin(w, ast_field(&w->t, fn, FIELD_object), "object");
}

/* What setattr stores is a definition of the attribute, as an assignment would be. */
static void setattr_def(Walk *w, u32 access, u32 name)
{
    u8 kind;
    u32 value, node = ast_after(&w->t, name);
    bool empty;
    value_of(w, node, &kind, &value, &empty);
    if (node == NONE || ast_is(&w->t, node, NODE_list_splat)) return;
    w->f->accesses.v[access].value = w->f->defs.n;
    def_add(w, w->f->paths.v[w->f->accesses.v[access].path], name, kind, value, empty, NONE, false);
}

/* hasattr(o, "x"), getattr(o, "x", default), setattr(o, "x", v), delattr, object.__setattr__: the attribute o.x. */
static bool attribute_call(Walk *w, u32 fn, u32 list, u32 node)
{
    u8 op = is_builtin(w, fn, "hasattr")   ? OP_HASATTR
            : is_builtin(w, fn, "getattr") ? OP_HASATTR
            : is_builtin(w, fn, "setattr") ? OP_STORE
            : is_builtin(w, fn, "delattr") ? OP_DEL
            : sets_attribute(w, fn)        ? OP_STORE
                                           : OP_COUNT;
    u32 object = ast_first(&w->t, list), name = object == NONE ? NONE : ast_after(&w->t, object);
    if (op == OP_COUNT || name == NONE) return false;
    Str text;
    if (!string_literal(w, name, &text)) {
        if (ast_is(&w->t, fn, NODE_identifier)) unseen_add(w, op == OP_HASATTR ? UNSEEN_LOAD : UNSEEN_STORE, node);
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
    if (id != NONE && op == OP_STORE) setattr_def(w, id, name);
    return true;
}

static void element_add(Walk *w, Path p, u8 kind, u32 value, Span span)
{
    vec_push(w->a, &w->f->defs,
             (Def){.path = path_id(w, path_attr(p, SYM_ITEM)),
                   .kind = kind,
                   .value = value,
                   .func = w->func,
                   .block = w->block,
                   .annotation = NONE,
                   .item_of = NONE,
                   .span = span,
                   .stmt = w->stmt});
}

static bool may_be_function(u8 kind)
{
    return kind == VAL_PATH || kind == VAL_CALL || kind == VAL_LAMBDA;
}

/* An item put into a container gives the container's elements a definition: x.append(v); the parts of a pair that is
 * put there are elements of its elements: q.put((f, args)). */
static void element_def(Walk *w, Path p, Str method, u32 args_from, u32 list)
{
    bool second = str_is(method, "setdefault") || str_is(method, "insert"); /* after the key, the index */
    if (!second && !str_is(method, "append") && !str_is(method, "add") && !str_is(method, "appendleft") &&
        !str_is(method, "put"))
        return;
    if (w->args.n != args_from + 1 + second || p.root == ROOT_UNKNOWN) return;
    const Arg *arg = &w->args.v[args_from + second];
    if (may_be_function(arg->kind)) element_add(w, p, arg->kind, arg->value, arg->span);
    u32 tuple = arg->kind == VAL_TUPLE && !second ? ast_first(&w->t, list) : NONE;
    if (tuple == NONE || w->t.v[tuple].kind != NODE_tuple) return;
    for (u32 c = ast_first(&w->t, tuple); c != NONE; c = ast_after(&w->t, c)) {
        u8 kind;
        u32 value;
        bool empty;
        value_of(w, c, &kind, &value, &empty);
        if (kind != VAL_PATH && kind != VAL_LAMBDA) continue;
        element_add(w, path_attr(p, SYM_ITEM), kind, value, (Span){w->t.v[c].start, w->t.v[c].end});
    }
}

static void walk_method_call(Walk *w, u32 n, u32 fn, u32 list, u32 args_from, Path *callee)
{
    Path object = walk_object(w, ast_field(&w->t, fn, FIELD_object));
    u32 attr = ast_field(&w->t, fn, FIELD_attribute);
    Str name = attr == NONE ? S("") : ast_text(&w->t, attr);
    u32 sym = intern(w->a, &w->f->syms, name);
    u32 id = NONE;
    /* The receiver is read before the arguments are computed, but the operation comes after them. */
    bool reads = known_method(name, AS_READS);
    Use arg_use = reads ? (Use){.op = OP_CREAD, .method = sym} : (Use){.op = OP_ARG};
    bool awaited = w->awaiting;
    w->awaiting = false;
    if (!sets_attribute(w, fn) || !attribute_call(w, fn, list, n)) walk_args(w, list, arg_use);
    method_unseen(w, n, ast_field(&w->t, fn, FIELD_object), name, list);
    if (object.root != ROOT_UNKNOWN) id = access_add(w, object, (Use){.op = OP_METHOD, .method = sym}, n);
    if (id != NONE) {
        w->f->accesses.v[id].awaited = awaited;
        w->f->accesses.v[id].nargs = (u8)MIN(w->args.n - args_from, 255u);
        u32 first = ast_first(&w->t, list);
        w->f->accesses.v[id].key =
            first == NONE || w->t.v[list].kind == NODE_generator_expression ? SYM_EMPTY : key_symbol(w, first);
    }
    element_def(w, object, name, args_from, list);
    *callee = object.root == ROOT_UNKNOWN ? object : path_attr(object, sym);
}

/* What a builtin does with an attribute whose name is computed; OP_COUNT: it is none of these. */
static u8 computed_op(Walk *w, u32 fn)
{
    return is_builtin(w, fn, "setattr")   ? OP_ITEM_STORE
           : is_builtin(w, fn, "delattr") ? OP_ITEM_DEL
           : is_builtin(w, fn, "getattr") ? OP_ITEM_LOAD
                                          : OP_COUNT;
}

/* setattr(o, name, v), getattr(o, name): what becomes of the dict of attributes, whatever the name; the builtin is
 * the access's method. What the arguments have read, w->dep from dep_from on, computes what is stored, where that is
 * a sum or the like; what is stored in place of a value that is asked first is mostly set up. */
static void computed_attribute(Walk *w, u32 fn, u32 list, u32 node, u32 dep_from)
{
    u8 op = computed_op(w, fn);
    u32 object = ast_first(&w->t, list), name = object == NONE ? NONE : ast_after(&w->t, object), path;
    u8 kind;
    bool empty;
    if (op == OP_COUNT || name == NONE) return;
    value_of(w, object, &kind, &path, &empty);
    if (kind != VAL_PATH) return;
    Path dict = path_attr(w->f->paths.v[path], intern(w->a, &w->f->syms, S("__dict__")));
    u32 dep_to = w->dep.n, id = access_add(w, dict, (Use){.op = op, .method = sym_of(w, fn)}, node);
    if (id == NONE) return;
    w->f->accesses.v[id].key = key_symbol(w, name);
    u32 value = op == OP_ITEM_STORE ? ast_after(&w->t, name) : NONE;
    bool computed = value != NONE && w->t.v[value].kind == NODE_binary_operator;
    for (u32 i = dep_from; computed && i < dep_to; i++)
        vec_push(w->a, &w->f->flows, (Flow){w->dep.v[i], id});
}

/* Does the function look at what kind of object it is given, and at nothing that is in it? */
static bool asks_kind(Walk *w, u32 fn)
{
    return is_builtin(w, fn, "type") || is_builtin(w, fn, "isinstance") || is_builtin(w, fn, "callable");
}

static void walk_function_call(Walk *w, u32 n, u32 fn, u32 list, Path *callee)
{
    u32 dep = w->dep.n;
    w->awaiting = false;
    if (ast_is(&w->t, fn, NODE_identifier)) {
        Str name = ast_text(&w->t, fn);
        *callee = path_of_name(w, fn);
        if (callee->root == ROOT_LOCAL) local_read(w, callee->name, TEST_NO);
        access_add(w, *callee, use_load, fn);
        if (is_builtin(w, fn, "exec") || is_builtin(w, fn, "eval")) unseen_add(w, UNSEEN_EXEC, n);
        if (is_builtin(w, fn, "__import__") && !first_is_string(w, list)) unseen_add(w, UNSEEN_IMPORT, n);
        if (attribute_call(w, fn, list, n)) return;
        bool reads = known_method(name, AS_READS);
        walk_args(w, list, reads ? (Use){.op = OP_CREAD, .method = sym_of(w, fn)} : (Use){.op = OP_ARG});
        computed_attribute(w, fn, list, n, dep);
        if (asks_kind(w, fn)) w->dep.n = dep; /* self.items = type(self.items)(): of the old ones nothing is left */
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
    packed_args(w, fn, list);
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
    c.line = w->line;
    source_position_near(w->src, c.span.start, &c.line, &c.column);
    vec_push(w->a, &w->f->calls, c);
    map_put(w->scratch, &w->node_call, n, w->f->calls.n - 1);
    return w->f->calls.n - 1;
}
