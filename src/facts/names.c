/* Which scope binds which name (Python language reference, "Resolution of names").
 *
 * One pass over the flat tree numbers functions and classes and notes every binding; a second one finds names that
 * inner functions use of outer ones. Targets of comprehensions count as names of the function around them.
 * Not handled: exec, import *, names deleted and read again. */
#include "facts/walk.h"

typedef struct Scan {
    Walk *w;
    u32 *cls; /* ast node → class whose body it stands in directly, NONE */
} Scan;

u32 sym_of(Walk *w, u32 node)
{
    return intern(w->a, &w->f->syms, ast_text(&w->t, node));
}

u32 bind_bits(const Walk *w, u32 scope, u32 sym)
{
    u32 bits = map_get(&w->bind, map_key(scope, sym));
    return bits == NONE ? 0 : bits;
}

static void bind(Scan *s, u32 node, u32 sym, u32 bits)
{
    u32 cls = s->cls[node];
    u32 scope = cls == NONE ? s->w->node_owner[node] : cls | CLASS_SCOPE;
    u32 *at = map_at(s->w->scratch, &s->w->bind, map_key(scope, sym));
    *at = (*at == NONE ? 0 : *at) | bits;
}

/* Names in an assignment target: identifiers outside attributes, subscripts and calls. */
static void bind_target(Scan *s, u32 n, u32 bits)
{
    const Node *x = &s->w->t.v[n];
    if (x->kind == NODE_identifier) {
        bind(s, n, sym_of(s->w, n), bits);
    } else if (x->kind == NODE_pattern_list || x->kind == NODE_tuple_pattern || x->kind == NODE_list_pattern ||
               x->kind == NODE_list_splat_pattern || x->kind == NODE_expression_list || x->kind == NODE_tuple ||
               x->kind == NODE_list || x->kind == NODE_parenthesized_expression ||
               x->kind == NODE_as_pattern_target || x->kind == NODE_list_splat) {
        for (u32 c = ast_first(&s->w->t, n); c != NONE; c = ast_after(&s->w->t, c)) bind_target(s, c, bits);
    }
}

static void bind_import(Scan *s, u32 n)
{
    Ast *t = &s->w->t;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next) {
        if (t->v[c].field != FIELD_name) continue;
        u32 name = t->v[c].kind == NODE_aliased_import ? ast_field(t, c, FIELD_alias) : ast_first(t, c);
        if (name == NONE) name = c;
        bind(s, n, sym_of(s->w, name), BIND_IMPORT);
    }
}

/* Names captured by a match pattern: a dotted_name of one part that is not "_". */
static void bind_pattern(Scan *s, u32 n)
{
    Ast *t = &s->w->t;
    if (t->v[n].kind == NODE_dotted_name && ast_after(t, ast_first(t, n)) == NONE && !str_is(ast_text(t, n), "_") &&
        t->v[t->v[n].parent].kind != NODE_class_pattern)
        bind(s, n, sym_of(s->w, n), BIND_ASSIGN);
}

static u32 param_name(const Ast *t, u32 p)
{
    for (u32 c = p; c != NONE; c = ast_first(t, c)) {
        if (t->v[c].kind == NODE_identifier) return c;
        u32 name = ast_field(t, c, FIELD_name);
        if (name != NONE && t->v[name].kind == NODE_identifier) return name;
    }
    return NONE;
}

static void scan_params(Walk *w, u32 func, u32 params)
{
    Ast *t = &w->t;
    Func *f = &w->f->funcs.v[func];
    f->params = w->f->params.n;
    for (u32 p = ast_first(t, params); p != NONE; p = ast_after(t, p)) {
        u32 name = param_name(t, p);
        if (name == NONE) continue;
        u32 sym = sym_of(w, name);
        Str text = ast_text(t, p);
        vec_push(w->a, &w->f->params,
                 (Param){.name = sym,
                         .annotation = NONE,
                         .def_value = NONE,
                         .span = {t->v[p].start, t->v[p].end},
                         .star = str_starts(text, S("*")) && !str_starts(text, S("**")),
                         .star2 = str_starts(text, S("**")),
                         .has_default =
                             t->v[p].kind == NODE_default_parameter || t->v[p].kind == NODE_typed_default_parameter});
        map_put(w->scratch, &w->bind, map_key(func, sym), BIND_PARAM);
    }
    f->nparams = w->f->params.n - f->params;
}

static u32 func_add(Scan *s, u32 n)
{
    Walk *w = s->w;
    const Node *x = &w->t.v[n];
    bool lambda = x->kind == NODE_lambda;
    u32 name = lambda ? NONE : ast_field(&w->t, n, FIELD_name), id = w->f->funcs.n;
    u32 parent = w->node_owner[n],
        sym = lambda ? intern(w->a, &w->f->syms, S("<lambda>")) : sym_of(w, name == NONE ? n : name);
    u32 line, column;
    source_position(w->src, x->start, &line, &column);
    u32 body = ast_field(&w->t, n, FIELD_body);
    vec_push(w->a, &w->f->funcs,
             (Func){.name = sym,
                    .cls = s->cls[n],
                    .parent = parent,
                    .self_class = NONE,
                    .self_func = NONE,
                    .is_lambda = lambda,
                    .is_async = !lambda && ast_token(&w->t, n, "async"),
                    .block = NONE,
                    .returns = NONE,
                    .span = {x->start, x->end},
                    .line = line,
                    .body = body == NONE ? (Span){x->end, x->end} : (Span){w->t.v[body].start, w->t.v[body].end}});
    map_put(w->scratch, &w->node_func, n, id);
    if (!lambda && name != NONE) bind(s, n, sym, BIND_DEF);
    u32 params = ast_field(&w->t, n, FIELD_parameters);
    if (params != NONE) scan_params(w, id, params);
    return id;
}

static void class_add(Scan *s, u32 n)
{
    Walk *w = s->w;
    const Node *x = &w->t.v[n];
    u32 name = ast_field(&w->t, n, FIELD_name), line, column;
    if (name == NONE) name = n;
    source_position(w->src, x->start, &line, &column);
    u32 body = ast_field(&w->t, n, FIELD_body);
    vec_push(w->a, &w->f->classes,
             (Class){.name = sym_of(w, name),
                     .func = w->node_owner[n],
                     .outer = s->cls[n],
                     .metaclass = NONE,
                     .block = NONE,
                     .line = line,
                     .span = {x->start, x->end},
                     .body = body == NONE ? (Span){x->end, x->end} : (Span){w->t.v[body].start, w->t.v[body].end}});
    map_put(w->scratch, &w->node_class, n, w->f->classes.n - 1);
    bind(s, n, sym_of(w, name), BIND_CLASS);
}

/* The function and class body that node n belongs to, from those of its parent. */
static void own(Scan *s, u32 n)
{
    const Node *x = &s->w->t.v[n];
    if (x->parent == NONE) {
        s->w->node_owner[n] = 0;
        s->cls[n] = NONE;
        return;
    }
    u8 pk = s->w->t.v[x->parent].kind;
    bool inner = x->field == FIELD_body || x->field == FIELD_parameters;
    s->w->node_owner[n] = s->w->node_owner[x->parent];
    s->cls[n] = s->cls[x->parent];
    if ((pk == NODE_function_definition || pk == NODE_lambda) && inner) {
        s->w->node_owner[n] = map_get(&s->w->node_func, x->parent);
        s->cls[n] = NONE;
    } else if (pk == NODE_class_definition && x->field == FIELD_body) {
        s->cls[n] = map_get(&s->w->node_class, x->parent);
    }
}

static void scan_node(Scan *s, u32 n)
{
    Ast *t = &s->w->t;
    switch (t->v[n].kind) {
    case NODE_assignment:
    case NODE_augmented_assignment:
    case NODE_for_statement: {
        u32 left = ast_field(t, n, FIELD_left);
        if (left != NONE) bind_target(s, left, BIND_ASSIGN);
        break;
    }
    case NODE_for_in_clause: {
        u32 left = ast_field(t, n, FIELD_left);
        if (left != NONE) bind_target(s, left, BIND_COMPREHENSION);
        break;
    }
    case NODE_as_pattern_target: bind_target(s, n, BIND_ASSIGN); break;
    case NODE_named_expression: {
        u32 name = ast_field(t, n, FIELD_name);
        if (name != NONE) bind_target(s, name, BIND_ASSIGN);
        break;
    }
    case NODE_delete_statement:
        for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c)) bind_target(s, c, BIND_ASSIGN);
        break;
    case NODE_import_statement:
    case NODE_import_from_statement:
    case NODE_future_import_statement: bind_import(s, n); break;
    case NODE_global_statement:
    case NODE_nonlocal_statement:
        for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
            bind(s, c, sym_of(s->w, c), t->v[n].kind == NODE_global_statement ? BIND_GLOBAL : BIND_NONLOCAL);
        break;
    case NODE_case_pattern: {
        u32 c = ast_first(t, n);
        if (c != NONE) bind_pattern(s, c);
        break;
    }
    case NODE_splat_pattern:
        for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c)) bind_target(s, c, BIND_ASSIGN);
        break;
    default: break;
    }
}

/* Marks the outer binding of a name that function `func` uses but does not bind. */
static void mark_captured(Walk *w, u32 func, u32 sym)
{
    u32 bits = bind_bits(w, func, sym);
    if ((bits & (BIND_LOCAL | BIND_PARAM) && !(bits & BIND_NONLOCAL)) || bits & BIND_GLOBAL) return;
    for (u32 f = w->f->funcs.v[func].parent; f != 0; f = w->f->funcs.v[f].parent) {
        u32 outer = bind_bits(w, f, sym);
        if (outer & BIND_GLOBAL) return;
        if (!(outer & (BIND_LOCAL | BIND_PARAM)) || outer & BIND_NONLOCAL) continue;
        map_put(w->scratch, &w->bind, map_key(f, sym), outer | BIND_CAPTURED);
        return;
    }
}

static void scan_captures(Walk *w)
{
    for (u32 n = 0; n < w->t.n; n++) {
        const Node *x = &w->t.v[n];
        if (x->kind != NODE_identifier || x->field == FIELD_attribute || w->node_owner[n] == 0) continue;
        u32 sym = intern_find(&w->f->syms, ast_text(&w->t, n));
        if (sym != NONE) mark_captured(w, w->node_owner[n], sym);
    }
}

/* Which class's self a function sees: its own when it is a method, else that of the function around it. */
static void scan_selves(Walk *w)
{
    for (u32 i = 1; i < w->f->funcs.n; i++) {
        Func *f = &w->f->funcs.v[i];
        if (f->cls != NONE && !f->is_lambda) {
            f->self_class = f->cls;
            f->self_func = i;
        } else if (f->parent) {
            f->self_class = w->f->funcs.v[f->parent].self_class;
            f->self_func = w->f->funcs.v[f->parent].self_func;
        }
    }
}

void names_scan(Walk *w)
{
    Scan s = {w, arena_new(w->scratch, u32, w->t.n)};
    w->node_owner = arena_new(w->scratch, u32, w->t.n);
    vec_push(w->a, &w->f->funcs,
             (Func){.name = SYM_EMPTY,
                    .cls = NONE,
                    .self_class = NONE,
                    .self_func = NONE,
                    .block = NONE,
                    .returns = NONE,
                    .span = {0, (u32)w->src->text.n},
                    .body = {0, (u32)w->src->text.n},
                    .line = 1});
    for (u32 n = 0; n < w->t.n; n++) { /* pre-order: a parent is known before its children ask for it */
        own(&s, n);
        u8 k = w->t.v[n].kind;
        if (k == NODE_function_definition || k == NODE_lambda) func_add(&s, n);
        if (k == NODE_class_definition) class_add(&s, n);
    }
    for (u32 n = 0; n < w->t.n; n++)
        if (w->t.v[n].named) scan_node(&s, n);
    scan_captures(w);
    scan_selves(w);
}
