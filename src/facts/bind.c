/* Bindings: assignments of every shape, what they bind and what flows into it; deletions.
 *
 * Every target gets a Def; stores that others may see get an access, with a flow from what the right side read. */
#include "facts/copied.h"

static const Use use_load = {.op = OP_LOAD};

void def_add(Walk *w, Path p, u32 target, u8 kind, u32 value, bool empty, u32 annotation, bool augmented)
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

u32 annotation_path(Walk *w, u32 type)
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
    u32 pairs_of; /* for … in d.items(): the path of d, whose items the second name stands for; NONE */
    u32 item_of;  /* as in Def */
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
    w->f->defs.v[w->f->defs.n - 1].item_of = t->item_of;
}

static void assign_attribute(Walk *w, u32 n, const Target *t)
{
    Path p = walk_object(w, n);
    if (p.root == ROOT_UNKNOWN) return;
    u32 id = access_add(w, p, (Use){.op = OP_STORE}, n);
    flows_add(w, t->dep_from, t->dep_to, id);
    if (id != NONE) w->f->accesses.v[id].value = w->f->defs.n;
    if (p.root == ROOT_SELF && p.nattr == 1) attribute_set(w, path_id(w, p), t->dep_from, t->dep_to);
    def_add(w, p, n, t->kind, t->value, t->empty, t->annotation, false);
}

/* The path of a subscript's container; globals()["x"] = v is a store of the global itself. */
static void assign_item(Walk *w, u32 n, const Target *t)
{
    u32 before = w->f->accesses.n;
    Path p = walk_object(w, n);
    if (p.root == ROOT_UNKNOWN) return;
    bool item = path_is_item(&p);
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

/* f, args = q.get(), for name, f in pairs: what each of the names is a part of. */
static u32 drawn_from(Walk *w, const Target *t)
{
    if (t->kind == VAL_CALL) return path_id(w, (Path){.root = ROOT_CALL, .func = t->value});
    return t->kind == VAL_PATH || t->kind == VAL_ITER_OF ? t->value : t->item_of;
}

/* a, b = x, y: each target gets its own value where the shapes agree. All targets depend on all values. */
static void assign_pattern(Walk *w, u32 n, const Target *t)
{
    u32 v = t->value_node;
    if (v != NONE && w->t.v[v].kind != NODE_expression_list && w->t.v[v].kind != NODE_tuple) v = NONE;
    u32 value = v == NONE ? NONE : ast_first(&w->t, v), first = ast_first(&w->t, n);
    for (u32 c = first; c != NONE; c = ast_after(&w->t, c)) {
        bool second = t->pairs_of != NONE && c == ast_after(&w->t, first) && ast_after(&w->t, c) == NONE;
        Target one = *t;
        one.kind = second ? VAL_ITER_OF : VAL_OTHER;
        one.value = second ? t->pairs_of : NONE;
        one.empty = false;
        one.value_node = value;
        one.pairs_of = NONE;
        one.item_of = v == NONE ? drawn_from(w, t) : NONE;
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
    Target t = {dep_from, w->dep.n, kind, value, empty, NONE, value_node, NONE, NONE};
    assign_to(w, target, &t);
    w->dep.n = MAX(w->dep.n, t.dep_to);
}

void walk_loop_target(Walk *w, u32 left, u32 right, u32 dep_from)
{
    Target t = {dep_from, w->dep.n, VAL_OTHER, NONE, false, NONE, NONE, NONE, NONE};
    u8 kind;
    u32 value, numbered = numbered_of(w, right), base;
    bool empty;
    if (left == NONE) return;
    value_of(w, copied_of(w, numbered != NONE ? numbered : right), &kind, &value, &empty);
    if (kind == VAL_PATH && numbered != NONE)
        t.pairs_of = value;
    else if (kind == VAL_PATH)
        t.kind = VAL_ITER_OF, t.value = value;
    const Path *x = kind == VAL_CALL && numbered == NONE ? &w->f->paths.v[w->f->calls.v[value].callee] : NULL;
    if (x && x->nattr && !x->truncated && !w->f->calls.v[value].nargs) {
        Str view = path_last(w->f, x);
        Path d = *x;
        d.nattr--;
        base = path_id(w, d);
        if (str_is(view, "values") || str_is(view, "itervalues")) t.kind = VAL_ITER_OF, t.value = base;
        if (str_is(view, "items") || str_is(view, "iteritems")) t.pairs_of = base;
    } else if (x) {
        t.item_of = path_id(w, (Path){.root = ROOT_CALL, .func = value});
    }
    assign_to(w, left, &t);
    w->dep.n = MAX(w->dep.n, t.dep_to);
}

/* The call whose result an assignment keeps: x = f(), x = [f() for …], x = f().g(). */
void call_target(Walk *w, u32 target, u8 kind, u32 value)
{
    if (kind != VAL_CALL || w->t.v[target].kind == NODE_pattern_list || w->t.v[target].kind == NODE_tuple_pattern)
        return;
    const Def *d = w->f->defs.n ? &w->f->defs.v[w->f->defs.n - 1] : NULL;
    if (d && d->span.start == w->t.v[target].start) w->f->calls.v[value].target = d->path;
}

/* What an entry of a display of a dict holds, where all of them hold the same kind of thing that is made there,
 * empty:
 * {"in": [], "out": []}, {"in": set(), "out": set()}. A table, and no record whose fields differ. NONE otherwise. */
static u32 entry_made(const Walk *w, u32 dict)
{
    u32 made = NONE;
    for (u32 pair = ast_first(&w->t, dict); pair != NONE; pair = ast_after(&w->t, pair)) {
        if (w->t.v[pair].kind == NODE_comment) continue;
        u32 value = w->t.v[pair].kind == NODE_pair ? ast_field(&w->t, pair, FIELD_value) : NONE;
        if (value == NONE) return NONE;
        u8 k = w->t.v[value].kind;
        bool empty = (k == NODE_list || k == NODE_dictionary) && ast_first(&w->t, value) == NONE;
        if (!empty && k != NODE_call) return NONE;
        if (made != NONE && !str_eq(ast_text(&w->t, made), ast_text(&w->t, value))) return NONE;
        if (made == NONE) made = value;
    }
    return made;
}

/* The node that makes an element of what `right` makes; NONE: the elements are of many kinds or no display. */
static u32 element_made(const Walk *w, u32 right)
{
    u32 pair;
    switch (w->t.v[right].kind) {
    case NODE_list:
    case NODE_tuple:
    case NODE_set: return ast_first(&w->t, right);
    case NODE_list_comprehension: return ast_field(&w->t, right, FIELD_body);
    case NODE_dictionary: return entry_made(w, right);
    case NODE_dictionary_comprehension:
        pair = ast_field(&w->t, right, FIELD_body);
        return pair == NONE ? NONE : ast_field(&w->t, pair, FIELD_value);
    default: return NONE;
    }
}

/* ds = list(self.ds), ds = list(d.values()): the items of ds are those of what it copies. */
static void items_of_copy(Walk *w, Path copy, u32 target, u32 of)
{
    u8 kind;
    u32 value;
    bool empty;
    value_of(w, of, &kind, &value, &empty);
    const Path *x = kind == VAL_CALL ? &w->f->paths.v[w->f->calls.v[value].callee] : NULL;
    if (x && x->nattr && !x->truncated && !w->f->calls.v[value].nargs) {
        Str view = path_last(w->f, x);
        Path d = *x;
        d.nattr--;
        if (str_is(view, "values") || str_is(view, "itervalues")) kind = VAL_PATH, value = path_id(w, d);
    }
    if (kind == VAL_PATH) def_add(w, path_attr(copy, SYM_ITEM), target, VAL_ITER_OF, value, false, NONE, false);
}

/* x = [f(), …], x = [f() for …] or x = {k: f() for …}: the elements of x come from that call. In x = {k: [] for …}
 * and x = [{} for …] they are containers that are filled later; those of [[1, 2], [3, 4]] are data. */
static void element_defs(Walk *w, u32 target, u32 right)
{
    u8 k = w->t.v[right].kind;
    u32 item = element_made(w, right), of = copied_of(w, right);
    const Def *d = w->f->defs.n ? &w->f->defs.v[w->f->defs.n - 1] : NULL;
    if (!d || d->span.start != w->t.v[target].start || d->path == NONE) return;
    u8 kind;
    u32 value;
    bool empty;
    if (of != right) {
        items_of_copy(w, w->f->paths.v[d->path], target, of);
        return;
    }
    if (item == NONE) return;
    value_of(w, item, &kind, &value, &empty);
    bool filled_later = empty && k != NODE_list && k != NODE_tuple && (kind == VAL_LIST || kind == VAL_DICT);
    bool dict = k == NODE_dictionary || k == NODE_dictionary_comprehension;
    if (kind != VAL_CALL && !filled_later && (dict || (kind != VAL_PATH && kind != VAL_LAMBDA))) return;
    Path p = path_attr(w->f->paths.v[d->path], SYM_ITEM);
    if (kind == VAL_CALL) w->f->calls.v[value].target = path_id(w, p);
    def_add(w, p, target, kind, value, empty, NONE, false);
}

/* a, *b = q: the items are taken one after the other, unlike those of [*q]. */
static bool takes_rest(const Walk *w, u32 left)
{
    u8 k = w->t.v[left].kind;
    if (k != NODE_pattern_list && k != NODE_tuple_pattern && k != NODE_list_pattern) return false;
    for (u32 c = ast_first(&w->t, left); c != NONE; c = ast_after(&w->t, c))
        if (ast_is(&w->t, c, NODE_list_splat_pattern)) return true;
    return false;
}

static Use rest_use(Walk *w)
{
    return (Use){.op = OP_CREAD, .method = intern(w->a, &w->f->syms, S("*="))};
}

void walk_assignment(Walk *w, u32 n)
{
    u32 left = ast_field(&w->t, n, FIELD_left), right = ast_field(&w->t, n, FIELD_right),
        type = ast_field(&w->t, n, FIELD_type);
    if (left == NONE) return;
    u32 dep = w->dep.n, value_node = right;
    if (right != NONE && w->t.v[right].kind == NODE_assignment) {
        walk_assignment(w, right); /* a = b = v: the inner one first, then a gets v too */
        while (ast_is(&w->t, value_node, NODE_assignment)) value_node = ast_field(&w->t, value_node, FIELD_right);
    } else if (right != NONE) {
        walk_expr(w, right, takes_rest(w, left) ? rest_use(w) : use_load);
    }
    u8 kind = VAL_OTHER;
    u32 value = NONE;
    bool empty = false;
    if (value_node != NONE) value_of(w, value_node, &kind, &value, &empty);
    u32 annotation = annotation_path(w, type);
    if (right == NONE) { /* x: T declares, assigns nothing */
        if (w->t.v[left].kind == NODE_identifier) {
            Path p = path_name(w, sym_of(w, left));
            def_add(w, p, left, VAL_OTHER, NONE, false, annotation, true);
            items_annotated(w, p, left, type);
        }
        return;
    }
    Target t = {dep, w->dep.n, kind, value, empty, annotation, value_node, NONE, NONE};
    assign_to(w, left, &t);
    call_target(w, left, kind, value);
    element_defs(w, left, value_node == NONE ? right : value_node);
    if (annotation != NONE && w->f->defs.v[w->f->defs.n - 1].path != NONE) {
        u8 whole;
        value_of(w, left, &whole, &value, &empty);
        if (whole == VAL_PATH) items_annotated(w, w->f->paths.v[value], left, type);
    }
}

void walk_augmented(Walk *w, u32 n)
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

void walk_delete(Walk *w, u32 n)
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
