/* What may be evaluated once where it was evaluated twice, or a step earlier or later, and nobody notices.
 *
 *   if key in d:                                 if next_key() in d:
 *       del d[key]    →  d.pop(key, None)            del d[next_key()]    two keys, and each call counts
 *
 * Names, literals, and what operators make of them are. Attributes are where no property can stand behind them, and
 * items where no __getitem__ of the program can. Of calls only a few builtins are; await, yield and := never. */
#include "fixes/fixes.h"

/* Is there a function of this name in the program? `decorated`: only with decorators, as a property has them. */
static bool function_named(const Plan *pl, Str name, bool decorated)
{
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        u32 sym = intern_find(&f->syms, name);
        for (u32 i = 1; sym != NONE && i < f->funcs.n; i++) {
            const Func *fn = &f->funcs.v[i];
            if (fn->name == sym && fn->cls != NONE && (!decorated || fn->ndecorators)) return true;
        }
    }
    return false;
}

/* NAME = property(…), or another call, in the body of a class: it may be a descriptor. */
static bool made_in_class(const Plan *pl, Str name)
{
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        u32 sym = intern_find(&f->syms, name);
        for (u32 i = 0; sym != NONE && i < f->defs.n; i++) {
            const Def *d = &f->defs.v[i];
            const Path *p = d->path == NONE ? NULL : &f->paths.v[d->path];
            if (!p || p->root != ROOT_CLASS || p->nattr || p->name != sym || d->kind != VAL_CALL) continue;
            Str full = path_external(pl->p, file, f->calls.v[d->value].callee);
            bool list = str_is(full, "list") || str_is(full, "dict") || str_is(full, "set");
            if (!list) return true;
        }
    }
    return false;
}

/* Is the attribute set anywhere? Then nobody's __getattr__ is asked for it. */
static bool set_somewhere(const Plan *pl, Str name)
{
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        u32 sym = intern_find(&f->syms, name);
        for (u32 i = 0; sym != NONE && i < f->defs.n; i++) {
            const Path *p = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
            if (p && p->nattr && p->attr[p->nattr - 1] == sym) return true;
        }
    }
    return false;
}

static bool attribute_steady(const Plan *pl, Str name)
{
    if (function_named(pl, name, true) || made_in_class(pl, name)) return false;
    if (function_named(pl, S("__getattribute__"), false)) return false;
    return set_somewhere(pl, name) || !function_named(pl, S("__getattr__"), false);
}

static bool children_steady(Plan *pl, u32 file, u32 n)
{
    const Ast *t = site_ast(pl, file);
    for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
        if (!expr_steady(pl, file, c)) return false;
    return true;
}

static bool call_steady(Plan *pl, u32 file, u32 n)
{
    const Ast *t = site_ast(pl, file);
    u32 fn = ast_field(t, n, FIELD_function), args = ast_field(t, n, FIELD_arguments);
    const Call *c = call_at(pl->p->facts[file], ast_span(t, n));
    if (!ast_is(t, args, NODE_argument_list) || !children_steady(pl, file, args)) return false;
    if (c && known_function(path_external(pl->p, file, c->callee), AS_SAME)) return true;
    return ast_is(t, fn, NODE_identifier) && known_builtin(ast_text(t, fn), AS_SAME) &&
           !name_bound(pl->p->facts[file], ast_text(t, fn), S(""));
}

bool expr_steady(Plan *pl, u32 file, u32 n)
{
    const Ast *t = site_ast(pl, file);
    if (n == NONE || t->v[n].error) return false;
    switch (t->v[n].kind) {
    case NODE_identifier:
    case NODE_integer:
    case NODE_float:
    case NODE_true:
    case NODE_false:
    case NODE_none:
    case NODE_ellipsis: return true;
    case NODE_string:
        for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
            if (t->v[c].kind == NODE_interpolation && !expr_steady(pl, file, ast_first(t, c))) return false;
        return true;
    case NODE_attribute:
        return ast_plain_name(t, n) && expr_steady(pl, file, ast_field(t, n, FIELD_object)) &&
               attribute_steady(pl, ast_text(t, ast_field(t, n, FIELD_attribute)));
    case NODE_subscript: return children_steady(pl, file, n) && !function_named(pl, S("__getitem__"), false);
    case NODE_concatenated_string:
    case NODE_tuple:
    case NODE_parenthesized_expression:
    case NODE_unary_operator:
    case NODE_not_operator:
    case NODE_binary_operator:
    case NODE_boolean_operator:
    case NODE_comparison_operator:
    case NODE_conditional_expression: return children_steady(pl, file, n);
    case NODE_call: return call_steady(pl, file, n);
    default: return false;
    }
}
