/* Copies of containers have the items of what they copy: who walks list(self.jobs) has the same jobs in hand as who
 * walks self.jobs. And annotations say what is in a container: list[Job], dict[str, Job].
 *
 * Works on the syntax tree alone. Not followed: copies that are made of several containers, a + b, and those that
 * other functions make; annotations in quotes. */
#include "facts/copied.h"

enum { COPIES = 3 }; /* of copies: sorted(list(x)) */

u32 numbered_of(Walk *w, u32 n)
{
    u32 fn = ast_is(&w->t, n, NODE_call) ? ast_field(&w->t, n, FIELD_function) : NONE;
    if (fn == NONE || !is_builtin(w, fn, "enumerate")) return NONE;
    return ast_first(&w->t, ast_field(&w->t, n, FIELD_arguments));
}

/* [v for v in x if …]: x. */
static u32 chosen_of(Walk *w, u32 n)
{
    u32 body = ast_field(&w->t, n, FIELD_body), clause = body == NONE ? NONE : ast_after(&w->t, body);
    if (!ast_is(&w->t, clause, NODE_for_in_clause) || w->t.v[body].kind != NODE_identifier) return n;
    u32 left = ast_field(&w->t, clause, FIELD_left), right = ast_field(&w->t, clause, FIELD_right);
    for (u32 c = ast_after(&w->t, clause); c != NONE; c = ast_after(&w->t, c))
        if (w->t.v[c].kind == NODE_for_in_clause) return n;
    bool same = ast_is(&w->t, left, NODE_identifier) && str_eq(ast_text(&w->t, left), ast_text(&w->t, body));
    return same && right != NONE ? right : n;
}

/* x.copy(), list(x), filter(f, x): x. */
static u32 copied_by_call(Walk *w, u32 n)
{
    static const char *const copies[] = {"list", "tuple", "sorted", "reversed", "set", "frozenset", "iter"};
    u32 fn = ast_field(&w->t, n, FIELD_function), list = ast_field(&w->t, n, FIELD_arguments);
    if (fn == NONE || list == NONE) return n;
    u32 first = w->t.v[list].kind == NODE_generator_expression ? list : ast_first(&w->t, list);
    if (w->t.v[fn].kind == NODE_attribute) {
        u32 name = ast_field(&w->t, fn, FIELD_attribute), of = ast_field(&w->t, fn, FIELD_object);
        return first == NONE && name != NONE && of != NONE && str_is(ast_text(&w->t, name), "copy") ? of : n;
    }
    if (w->t.v[fn].kind != NODE_identifier || first == NONE) return n;
    bool filter = is_builtin(w, fn, "filter"), copy = filter;
    for (u32 i = 0; i < COUNT_OF(copies) && !copy; i++) copy = is_builtin(w, fn, copies[i]);
    u32 of = filter ? ast_after(&w->t, first) : first;
    return copy && of != NONE && w->t.v[of].kind != NODE_list_splat ? of : n;
}

/* x[:], x[-3:]: x. */
static u32 sliced(Walk *w, u32 n)
{
    u32 key = ast_field(&w->t, n, FIELD_subscript), of = ast_field(&w->t, n, FIELD_value);
    return ast_is(&w->t, key, NODE_slice) && of != NONE ? of : n;
}

u32 copied_of(Walk *w, u32 n)
{
    for (u32 i = 0; i < COPIES && n != NONE; i++) {
        u32 of = n;
        switch (w->t.v[n].kind) {
        case NODE_call: of = copied_by_call(w, n); break;
        case NODE_subscript: of = sliced(w, n); break;
        case NODE_parenthesized_expression: of = ast_first(&w->t, n); break;
        case NODE_list_comprehension:
        case NODE_generator_expression:
        case NODE_set_comprehension: of = chosen_of(w, n); break;
        default: break;
        }
        if (of == n || of == NONE) break;
        n = of;
    }
    return n;
}

/* The number of the argument of the container's annotation that says what its items are; 0: it is no container's. */
static u32 items_argument(Str name)
{
    static const char *const one[] = {
        "list",     "List",     "set",        "Set",       "deque",     "Deque",           "Sequence",
        "Iterable", "Iterator", "Collection", "frozenset", "FrozenSet", "MutableSequence", "MutableSet"};
    static const char *const two[] = {"dict",        "Dict",    "defaultdict",    "DefaultDict",
                                      "OrderedDict", "Mapping", "MutableMapping", "WeakValueDictionary"};
    name = str_last(name, '.');
    return str_among(name, one, COUNT_OF(one)) ? 1 : str_among(name, two, COUNT_OF(two)) ? 2 : 0;
}

static u32 unwrapped(const Walk *w, u32 n)
{
    return ast_is(&w->t, n, NODE_type) ? ast_first(&w->t, n) : n;
}

/* The node of the annotation that says what the items are, or NONE. */
static u32 items_type(Walk *w, u32 type)
{
    static const char *const through[] = {"Optional", "ClassVar", "Final", "Annotated"};
    u32 n = unwrapped(w, type);
    for (u32 i = 0; i < COPIES && n != NONE; i++) {
        u8 k = w->t.v[n].kind;
        if (k == NODE_union_type || k == NODE_binary_operator) {
            n = unwrapped(w, ast_first(&w->t, n));
            continue;
        }
        if (k != NODE_generic_type && k != NODE_subscript) return NONE;
        u32 name = ast_first(&w->t, n), arg = name == NONE ? NONE : ast_after(&w->t, name);
        if (ast_is(&w->t, arg, NODE_type_parameter)) arg = ast_first(&w->t, arg);
        if (arg == NONE) return NONE;
        u32 place = items_argument(ast_text(&w->t, name));
        if (place) return place == 1 ? arg : ast_after(&w->t, arg);
        if (!str_among(str_last(ast_text(&w->t, name), '.'), through, COUNT_OF(through))) return NONE;
        n = unwrapped(w, arg);
    }
    return NONE;
}

void items_annotated(Walk *w, Path x, u32 target, u32 type)
{
    u32 items = type == NONE || x.root == ROOT_UNKNOWN ? NONE : items_type(w, type);
    u32 annotation = items == NONE ? NONE : annotation_path(w, items);
    if (annotation == NONE) return;
    def_add(w, path_attr(x, SYM_ITEM), target, VAL_OTHER, NONE, false, annotation, true);
}
