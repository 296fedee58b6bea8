/* What a program puts into a dict: can an entry be None, or false?
 *
 *   d.get(key) is None         says that there is no entry, if no entry is None
 *   not d.get(key)             the same, if none is empty, zero or otherwise false
 *
 * Every store in sight must be of what is visibly neither: what is written down, what a class or a builtin makes,
 * what a function of the program returns on all its ways. A parameter, or what a library gives, may be anything. A
 * container is not None, but may be empty some day. */
#include "fixes/fixes.h"

typedef struct Ask {
    Plan *pl;
    u32 file, func;
    bool truth; /* never false, either */
} Ask;

static bool surely(const Ask *x, u32 n, u32 depth);

static bool all_surely(const Ask *x, u32 n, u32 depth)
{
    const Ast *t = site_ast(x->pl, x->file);
    for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
        if (!surely(x, c, depth)) return false;
    return true;
}

/* What the local holds at the node: the last thing it was bound to before, in a block around. */
static bool name_surely(const Ask *x, u32 n, u32 depth)
{
    const Facts *f = x->pl->p->facts[x->file];
    const Ast *t = site_ast(x->pl, x->file);
    Str name = ast_text(t, n);
    const Def *last = NULL, *any = NULL;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *p = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (!p || p->nattr || !str_eq(sym_str(f, p->name), name)) continue;
        if (p->root == ROOT_GLOBAL && (d->kind == VAL_FUNC || d->kind == VAL_CLASS)) any = d;
        if (p->root != ROOT_LOCAL || p->func != x->func || d->span.start >= t->v[n].start) continue;
        if (!last || d->span.start > last->span.start) last = d;
    }
    if (!last) return any;
    u32 set = ast_assignment(t, last->span), stmt = set == NONE ? NONE : ast_statement(t, set);
    if (stmt == NONE || last->augmented || !ast_is(t, ast_field(t, set, FIELD_left), NODE_identifier)) return false;
    u32 block = t->v[stmt].parent;
    if (!ast_inside(t, n, block)) return false; /* it may have been passed by */
    u32 value = ast_field(t, set, FIELD_right);
    while (ast_is(t, value, NODE_assignment)) value = ast_field(t, value, FIELD_right);
    return value != NONE && surely(x, value, depth - 1);
}

/* Does every way out of the function return such a value? */
static bool returns_surely(const Ask *x, u32 gfunc, u32 depth)
{
    GId g = func_gid(x->pl->p, gfunc);
    const Facts *f = x->pl->p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    if (fn->is_generator || fn->is_async || fn->ndecorators) return false;
    if (fn->block == NONE || !f->blocks.v[fn->block].exits) return false;
    Ask inner = {.pl = x->pl, .file = g.file, .func = g.id, .truth = x->truth};
    const Ast *t = site_ast(x->pl, g.file);
    for (u32 n = ast_at(t, fn->body); n < t->n && t->v[n].start < fn->span.end; n++) {
        if (t->v[n].kind != NODE_return_statement) continue;
        u32 owner = t->v[n].parent, value = ast_first(t, n);
        while (owner && t->v[owner].kind != NODE_function_definition) owner = t->v[owner].parent;
        if (t->v[owner].start < fn->span.start || t->v[owner].end > fn->span.end) continue;
        if (value == NONE || !surely(&inner, value, depth - 1)) return false;
    }
    return true;
}

/* An object of the program's class. */
static bool object_surely(const Ask *x, u32 gclass)
{
    const Program *p = x->pl->p;
    if (class_method_called(p, gclass, S("__new__")) != NONE) return false;
    if (!x->truth) return true;
    return class_baseless(p, gclass) && class_method_called(p, gclass, S("__len__")) == NONE &&
           class_method_called(p, gclass, S("__bool__")) == NONE;
}

static bool call_surely(const Ask *x, u32 n, u32 depth)
{
    const Program *p = x->pl->p;
    const Ast *t = site_ast(x->pl, x->file);
    const Facts *f = p->facts[x->file];
    const Call *c = call_at(f, ast_span(t, n));
    if (!c) return false;
    Type made = path_type(p, x->file, c->callee);
    if (made.kind == TYPE_CLASS_OBJECT) return object_surely(x, made.id);
    u32 targets[4], found = call_targets(p, x->file, (u32)(c - f->calls.v), targets, COUNT_OF(targets));
    if (found == COUNT_OF(targets)) return false;
    for (u32 i = 0; i < found; i++)
        if (!returns_surely(x, targets[i], depth)) return false;
    if (found) return true;
    Str full = path_external(p, x->file, c->callee);
    if (known_function(full, AS_TRUE) || known_builtin(full, AS_TRUE)) return true;
    if (x->truth) return false;
    u32 fn = ast_field(t, n, FIELD_function);
    if (ast_is(t, fn, NODE_identifier) && known_builtin(ast_text(t, fn), AS_GIVES))
        return !name_bound(f, ast_text(t, fn), S(""));
    if (full.n) { /* what is written with a capital is a class */
        size_t dot = str_rfind(full, '.');
        Str last = dot < full.n ? str_slice(full, dot + 1, full.n) : full;
        return (last.n && last.p[0] >= 'A' && last.p[0] <= 'Z') || known_function(full, AS_GIVES);
    }
    return ast_is(t, fn, NODE_attribute) && known_method(ast_text(t, ast_field(t, fn, FIELD_attribute)), AS_GIVES);
}

static bool surely(const Ask *x, u32 n, u32 depth)
{
    const Ast *t = site_ast(x->pl, x->file);
    if (n == NONE || !depth) return false;
    u32 a, b;
    switch (t->v[n].kind) {
    case NODE_integer:
    case NODE_float: return !x->truth || str_trim(ast_text(t, n)).p[0] != '0';
    case NODE_string:
        for (a = t->v[n].child; x->truth && a != NONE; a = t->v[a].next)
            if (t->v[a].kind == NODE_string_content) return true;
        return !x->truth;
    case NODE_true:
    case NODE_lambda:
    case NODE_generator_expression: return true;
    case NODE_tuple: return !x->truth || ast_first(t, n) != NONE;
    case NODE_false:
    case NODE_list:
    case NODE_dictionary:
    case NODE_set:
    case NODE_list_comprehension:
    case NODE_dictionary_comprehension:
    case NODE_set_comprehension:
    case NODE_binary_operator:
    case NODE_comparison_operator:
    case NODE_not_operator:
    case NODE_unary_operator:
    case NODE_concatenated_string: return !x->truth;
    case NODE_parenthesized_expression: return all_surely(x, n, depth);
    case NODE_boolean_operator:
        a = ast_first(t, n);
        b = ast_after(t, a);
        return surely(x, b, depth) && (ast_token(t, n, "or") || surely(x, a, depth));
    case NODE_conditional_expression:
        a = ast_first(t, n);
        b = ast_after(t, ast_after(t, a));
        return surely(x, a, depth) && surely(x, b, depth);
    case NODE_identifier: return name_surely(x, n, depth);
    case NODE_call: return call_surely(x, n, depth);
    default: return false;
    }
}

/* ---- all that is stored ---- */

static bool display_surely(const Ask *x, u32 n)
{
    const Ast *t = site_ast(x->pl, x->file);
    for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
        if (!ast_is(t, c, NODE_pair) || !surely(x, ast_field(t, c, FIELD_value), 6)) return false;
    return true;
}

/* The dict itself: {}, {"a": 1}, dict(), defaultdict(list). */
static bool dict_surely(const Ask *x, const Access *a)
{
    const Ast *t = site_ast(x->pl, x->file);
    u32 set = ast_assignment(t, a->span), value = set == NONE ? NONE : ast_field(t, set, FIELD_right);
    while (ast_is(t, value, NODE_assignment)) value = ast_field(t, value, FIELD_right);
    if (ast_is(t, value, NODE_dictionary)) return display_surely(x, value);
    if (!ast_is(t, value, NODE_call)) return false;
    u32 arg = ast_first(t, ast_field(t, value, FIELD_arguments));
    if (arg == NONE) return true;
    const Facts *f = x->pl->p->facts[x->file];
    const Call *c = call_at(f, ast_span(t, value));
    bool makes = c && str_is(path_external(x->pl->p, x->file, c->callee), "collections.defaultdict");
    if (!makes || x->truth || ast_after(t, arg) != NONE) return false;
    const Arg *factory = &f->args.v[c->args];
    Str full = factory->kind == VAL_PATH ? path_external(x->pl->p, x->file, factory->value) : S("");
    return known_builtin(ast_text(t, arg), AS_GIVES) || known_function(full, AS_GIVES);
}

/* d[key] = value, alone or with other targets. */
static bool item_surely(const Ask *x, const Access *a)
{
    const Ast *t = site_ast(x->pl, x->file);
    u32 n = ast_at(t, a->span), set = n == NONE ? NONE : t->v[n].parent;
    if (!ast_is(t, n, NODE_subscript) || !ast_is(t, set, NODE_assignment) || ast_field(t, set, FIELD_left) != n)
        return false;
    u32 value = ast_field(t, set, FIELD_right);
    while (ast_is(t, value, NODE_assignment)) value = ast_field(t, value, FIELD_right);
    return surely(x, value, 6);
}

static bool method_surely(const Ask *x, u32 g, const Access *a)
{
    const Ast *t = site_ast(x->pl, x->file);
    if (!(access_effect(x->pl->p, g) & EFFECT_GROW)) return true; /* pop, clear */
    Str name = sym_str(x->pl->p->facts[x->file], a->method);
    u32 call = ast_at(t, a->span);
    if (!ast_is(t, call, NODE_call)) return false;
    u32 first = ast_first(t, ast_field(t, call, FIELD_arguments)), next = first == NONE ? NONE : ast_after(t, first);
    if (str_is(name, "setdefault")) return next != NONE && ast_after(t, next) == NONE && surely(x, next, 6);
    if (str_is(name, "update")) return ast_is(t, first, NODE_dictionary) && next == NONE && display_surely(x, first);
    return str_is(name, "move_to_end");
}

bool entries_surely(Plan *pl, u32 place, bool truth)
{
    const Place *p = &pl->p->places.v[place];
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        GId id = access_gid(pl->p, g);
        const Access *a = program_access(pl->p, g);
        Ask x = {.pl = pl, .file = id.file, .func = a->func, .truth = truth};
        if (a->op == OP_ARG) { /* who gets the dict may fill it */
            const Facts *f = pl->p->facts[id.file];
            const Func *fn = &f->funcs.v[a->func];
            u32 targets[1];
            for (u32 c = fn->calls; c < fn->calls + fn->ncalls; c++)
                if (span_within(a->span, f->calls.v[c].span) && call_targets(pl->p, id.file, c, targets, 1))
                    return false;
            continue;
        }
        if (!access_writes(pl->p, g) || a->op == OP_DEL || a->op == OP_ITEM_DEL) continue;
        bool ok = a->op == OP_STORE        ? dict_surely(&x, a)
                  : a->op == OP_ITEM_STORE ? item_surely(&x, a)
                  : a->op == OP_METHOD     ? method_surely(&x, g, a)
                                           : a->op == OP_ITEM_AUG && !truth;
        if (!ok) return false;
    }
    return true;
}

/* Does the display hold a None: {"a": None}? */
static bool none_shown(const Ast *t, u32 n)
{
    for (u32 c = ast_first(t, n); ast_is(t, n, NODE_dictionary) && c != NONE; c = ast_after(t, c))
        if (ast_is(t, c, NODE_pair) && ast_is(t, ast_field(t, c, FIELD_value), NODE_none)) return true;
    return false;
}

bool entries_none(Plan *pl, u32 place)
{
    const Place *p = &pl->p->places.v[place];
    for (u32 i = p->first; i < p->first + p->n; i++) {
        GId id = access_gid(pl->p, pl->p->place_access.v[i]);
        const Facts *f = pl->p->facts[id.file];
        const Access *a = &f->accesses.v[id.id];
        const Def *d = a->value == NONE ? NULL : &f->defs.v[a->value];
        if (!d || (a->op != OP_STORE && a->op != OP_ITEM_STORE)) continue;
        if (a->op == OP_ITEM_STORE && d->kind == VAL_NONE) return true;
        const Ast *t = site_ast(pl, id.file);
        u32 set = a->op == OP_STORE && d->kind == VAL_DICT ? ast_assignment(t, a->span) : NONE;
        if (set != NONE && none_shown(t, ast_field(t, set, FIELD_right))) return true;
    }
    return false;
}
