/* Receivers and values: the path that an expression names, and the kind of value it gives.
 *
 * walk_object records what the inner parts do and leaves the whole to its caller. */
#include "facts/walk.h"

static const Use use_load = {.op = OP_LOAD};

Path path_of_name(Walk *w, u32 n)
{
    return path_name(w, sym_of(w, n));
}

bool is_builtin(Walk *w, u32 n, const char *name)
{
    if (!ast_is(&w->t, n, NODE_identifier) || !str_is(ast_text(&w->t, n), name)) return false;
    Path p = path_of_name(w, n);
    return p.root == ROOT_GLOBAL && !bind_bits(w, 0, p.name);
}

/* vars(o), globals(): the dict that has the attributes of an object, the globals of the module. */
static bool namespace_call(Walk *w, u32 fn, u32 arg, Path *out)
{
    u32 dict = intern(w->a, &w->f->syms, S("__dict__"));
    if (arg == NONE && is_builtin(w, fn, "globals")) {
        *out = (Path){.root = ROOT_GLOBAL, .name = dict};
        return true;
    }
    if (!ast_is(&w->t, arg, NODE_identifier) || ast_after(&w->t, arg) != NONE || !is_builtin(w, fn, "vars"))
        return false;
    *out = path_attr(path_of_name(w, arg), dict);
    return out->root != ROOT_UNKNOWN;
}

/* getattr(self, "cache"), without a default: the attribute itself. */
static bool attribute_named(Walk *w, u32 n, Path *out)
{
    u32 object = ast_first(&w->t, ast_field(&w->t, n, FIELD_arguments));
    u32 name = ast_is(&w->t, object, NODE_identifier) ? ast_after(&w->t, object) : NONE;
    Str text;
    if (name == NONE || ast_after(&w->t, name) != NONE || !string_literal(w, name, &text)) return false;
    if (!is_builtin(w, ast_field(&w->t, n, FIELD_function), "getattr")) return false;
    Path p = path_of_name(w, object);
    if (p.root != ROOT_SELF && p.root != ROOT_CLS) return false;
    *out = path_attr(p, intern(w->a, &w->f->syms, text));
    return true;
}

/* type(self), super(): calls that name an object we know. */
static bool known_call(Walk *w, u32 n, Path *out)
{
    u32 fn = ast_field(&w->t, n, FIELD_function);
    u32 arg = ast_first(&w->t, ast_field(&w->t, n, FIELD_arguments));
    if (namespace_call(w, fn, arg, out) || attribute_named(w, n, out)) return true;
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

bool string_literal(Walk *w, u32 n, Str *out)
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

/* self.__dict__["a"] is self.a, past what the class makes of an assignment; where the class has an a of its own, a
 * property say, the entry is another thing. */
static bool own_entry(Walk *w, u32 value, u32 key, Path *out)
{
    u32 object = ast_is(&w->t, value, NODE_attribute) ? ast_field(&w->t, value, FIELD_object) : NONE;
    Str name;
    if (!ast_is(&w->t, object, NODE_identifier) || !string_literal(w, key, &name)) return false;
    if (!str_is(ast_text(&w->t, ast_field(&w->t, value, FIELD_attribute)), "__dict__")) return false;
    Path p = path_of_name(w, object);
    u32 sym = intern(w->a, &w->f->syms, name);
    if (p.root != ROOT_SELF || bind_bits(w, w->f->funcs.v[p.func].cls | CLASS_SCOPE, sym)) return false;
    *out = path_attr(p, sym);
    return true;
}

/* globals()["x"] is the global x. False: an ordinary subscript. */
static bool namespace_item(Walk *w, u32 n, Path *out)
{
    u32 value = ast_field(&w->t, n, FIELD_value), key = ast_field(&w->t, n, FIELD_subscript);
    Str name;
    if (own_entry(w, value, key, out)) return true;
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
    case NODE_list_splat: /* [*self.q]: the grammar has the star at the name, and the attribute around both */
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

bool names_attribute(Walk *w, u32 n)
{
    Path p;
    switch (w->t.v[n].kind) {
    case NODE_attribute: return true;
    case NODE_subscript:
        return own_entry(w, ast_field(&w->t, n, FIELD_value), ast_field(&w->t, n, FIELD_subscript), &p);
    case NODE_call: return attribute_named(w, n, &p);
    default: return false;
    }
}

static bool pure_path(Walk *w, u32 n, Path *out)
{
    const Node *x = &w->t.v[n];
    if (x->kind == NODE_subscript &&
        own_entry(w, ast_field(&w->t, n, FIELD_value), ast_field(&w->t, n, FIELD_subscript), out))
        return true;
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
    if (ast_is(&w->t, ast_field(&w->t, n, FIELD_subscript), NODE_slice)) return false; /* x[:] is no item of x */
    u32 attr = ast_field(&w->t, n, FIELD_attribute);
    if (x->kind == NODE_attribute && attr == NONE) return false;
    *out = path_attr(*out, x->kind == NODE_subscript ? SYM_ITEM : sym_of(w, attr));
    return true;
}

static const char *const lock_words[] = {"lock", "condition", "semaphore", "event"};

/* How much the node tells of the kind of object that it makes: a class that is called or a constructor of containers
 * most, then a container that is written out. Of a lock that is made on a condition nothing is said: it may not be
 * there. */
static u32 tells_kind(const Walk *w, u32 n)
{
    static const char *const makers[] = {"dict", "list", "set", "deque", "defaultdict", "bytearray"};
    switch (w->t.v[n].kind) {
    case NODE_list:
    case NODE_list_comprehension:
    case NODE_dictionary:
    case NODE_dictionary_comprehension:
    case NODE_set:
    case NODE_set_comprehension: return 1;
    case NODE_call: {
        Str name = str_last(ast_text(&w->t, ast_field(&w->t, n, FIELD_function)), '.');
        bool class = name.n && name.p[0] >= 'A' && name.p[0] <= 'Z';
        return str_has_any(name, lock_words, COUNT_OF(lock_words))  ? 0
               : class || str_among(name, makers, COUNT_OF(makers)) ? 2
                                                                    : 0;
    }
    default: return 0;
    }
}

/* {} if given is None else given, Pool() if size else None: the branch that tells what kind of object there is; NONE.
 */
static u32 made_in_branch(const Walk *w, u32 n)
{
    u32 first = ast_first(&w->t, n), head = first == NONE ? NONE : ast_after(&w->t, first);
    u32 second = head == NONE ? NONE : ast_after(&w->t, head);
    if (second == NONE) return NONE;
    u32 a = tells_kind(w, first), b = tells_kind(w, second);
    return !a && !b ? NONE : a >= b ? first : second;
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
    bool branch = ast_is(&w->t, n, NODE_conditional_expression);
    if (branch) n = made_in_branch(w, n);
    if (n == NONE) return;
    /* x or make(): what is made when there is none yet */
    if (ast_is(&w->t, n, NODE_boolean_operator)) n = ast_field(&w->t, n, FIELD_right);
    if (n == NONE) return;
    u8 k = w->t.v[n].kind;
    Path p;
    if (literal[k]) {
        *kind = literal[k];
        *empty = !branch && ast_first(&w->t, n) == NONE;
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
