/* Values of which it does not matter who made them, or how often.
 *
 * value_plain: what is written down, a literal, a display of literals, an empty container: the same wherever and
 * whenever it is made. value_given: what a function computes from its parameters, if those are hashable, is a number,
 * a string or a tuple of such, so that nobody can tell it from its equal. */
#include "fixes/fixes.h"

const Call *call_at(const Facts *f, Span span)
{
    for (u32 i = 0; i < f->calls.n; i++)
        if (f->calls.v[i].span.start == span.start && f->calls.v[i].span.end == span.end) return &f->calls.v[i];
    return NULL;
}

static bool empty_container(Plan *pl, u32 file, u32 n)
{
    static const char *const builtin[] = {"list", "dict", "set", "tuple", "frozenset", "bytearray", "object"};
    const Ast *t = site_ast(pl, file);
    const Facts *f = pl->p->facts[file];
    if (ast_first(t, ast_field(t, n, FIELD_arguments)) != NONE) return false;
    const Call *c = call_at(f, (Span){t->v[n].start, t->v[n].end});
    if (!c) return false;
    Str full = path_external(pl->p, file, c->callee), name = ast_text(t, ast_field(t, n, FIELD_function));
    if (str_is(full, "collections.deque") || str_is(full, "collections.OrderedDict") ||
        str_is(full, "collections.Counter"))
        return true;
    for (u32 i = 0; i < COUNT_OF(builtin); i++)
        if (str_is(name, builtin[i])) return !name_bound(f, name, S(""));
    return false;
}

bool value_plain(Plan *pl, u32 file, u32 n)
{
    const Ast *t = site_ast(pl, file);
    switch (t->v[n].kind) {
    case NODE_call: return empty_container(pl, file, n);
    case NODE_integer:
    case NODE_float:
    case NODE_none:
    case NODE_true:
    case NODE_false: return true;
    case NODE_string: /* no f-string */
        for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
            if (t->v[c].kind == NODE_interpolation) return false;
        return true;
    case NODE_list:
    case NODE_tuple:
    case NODE_set:
    case NODE_dictionary:
    case NODE_pair:
    case NODE_unary_operator:
    case NODE_parenthesized_expression:
        for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
            if (!value_plain(pl, file, c)) return false;
        return true;
    default: return false;
    }
}

/* ---- given by a function ---- */

typedef struct Given {
    const Facts *f;
    const Ast *t;
    u32 func;
} Given;

static bool is_value(Given *x, u32 n, u32 depth);

static bool children_are(Given *x, u32 n, u32 depth)
{
    for (u32 c = ast_first(x->t, n); c != NONE; c = ast_after(x->t, c))
        if (!is_value(x, c, depth)) return false;
    return true;
}

/* A parameter that is part of the key, or a local that is only bound to values. */
static bool name_is(Given *x, Str name, u32 depth)
{
    const Func *fn = &x->f->funcs.v[x->func];
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++)
        if (str_eq(sym_str(x->f, x->f->params.v[i].name), name)) return true;
    bool found = false;
    for (u32 i = 0; i < x->f->defs.n && depth; i++) {
        const Def *d = &x->f->defs.v[i];
        const Path *p = d->path == NONE ? NULL : &x->f->paths.v[d->path];
        if (!p || d->func != x->func || p->nattr || !str_eq(sym_str(x->f, p->name), name)) continue;
        u32 a = ast_assignment(x->t, d->span), right = a == NONE ? NONE : ast_field(x->t, a, FIELD_right);
        if (d->augmented || right == NONE || !ast_is(x->t, ast_field(x->t, a, FIELD_left), NODE_identifier) ||
            !is_value(x, right, depth - 1))
            return false;
        found = true;
    }
    return found;
}

static bool call_is(Given *x, u32 n)
{
    u32 fn = ast_field(x->t, n, FIELD_function);
    if (ast_is(x->t, fn, NODE_attribute)) {
        Str method = ast_text(x->t, ast_field(x->t, fn, FIELD_attribute));
        return known_method(method, AS_VALUE);
    }
    return ast_is(x->t, fn, NODE_identifier) && known_builtin(ast_text(x->t, fn), AS_VALUE) &&
           !name_bound(x->f, ast_text(x->t, fn), S(""));
}

static bool is_value(Given *x, u32 n, u32 depth)
{
    switch (x->t->v[n].kind) {
    case NODE_integer:
    case NODE_float:
    case NODE_true:
    case NODE_false:
    case NODE_string:
    case NODE_concatenated_string:
    case NODE_not_operator: return true;
    case NODE_identifier: return name_is(x, ast_text(x->t, n), depth);
    case NODE_call: return call_is(x, n);
    case NODE_tuple:
    case NODE_binary_operator:
    case NODE_boolean_operator:
    case NODE_comparison_operator:
    case NODE_unary_operator:
    case NODE_conditional_expression:
    case NODE_parenthesized_expression: return depth && children_are(x, n, depth - 1);
    default: return false;
    }
}

bool value_given(Plan *pl, u32 file, u32 func, u32 n)
{
    Given x = {.f = pl->p->facts[file], .t = site_ast(pl, file), .func = func};
    return is_value(&x, n, 3);
}
