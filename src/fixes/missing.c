/* Is it sure, where an entry is stored, that there is none yet, as far as one thread sees?
 *
 *   if key not in d:                     value = d.get(key)               try:
 *       d[key] = …                       if value is None:                    return d[key]
 *                                            d[key] = …                   except KeyError:
 *   if key in d: return d[key]                                                d[key] = …
 *   d[key] = …
 *
 * Only then is setdefault the same as the store. The branches around the store and the ifs before it that leave are
 * asked what they say of the entry. `if key not in d or old:` says nothing: what is old is replaced. A test of what
 * get() gave says it only where no entry is None, or false (entries.c). */
#include "fixes/fixes.h"

typedef struct Asked {
    Plan *pl;
    u32 file, func;
    Str dict, key;
    u32 from; /* where the first step stands that says something */
} Asked;

static Str bare_text(const Ast *t, u32 n)
{
    while (ast_is(t, n, NODE_parenthesized_expression)) n = ast_first(t, n);
    return n == NONE ? S("") : ast_text(t, n);
}

/* D.get(K), D.get(K, None) */
static bool is_get(const Ast *t, const Asked *x, u32 n)
{
    u32 fn = ast_is(t, n, NODE_call) ? ast_field(t, n, FIELD_function) : NONE;
    if (!ast_is(t, fn, NODE_attribute) || !str_is(ast_text(t, ast_field(t, fn, FIELD_attribute)), "get"))
        return false;
    u32 key = ast_first(t, ast_field(t, n, FIELD_arguments)), other = key == NONE ? NONE : ast_after(t, key);
    if (key == NONE || (other != NONE && (!ast_is(t, other, NODE_none) || ast_after(t, other) != NONE))) return false;
    return str_eq(ast_text(t, ast_field(t, fn, FIELD_object)), x->dict) && str_eq(bare_text(t, key), x->key);
}

/* The last binding of a local before a node; NULL. */
static const Def *bound_before(const Asked *x, Str name, u32 at)
{
    const Facts *f = x->pl->p->facts[x->file];
    const Def *last = NULL;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *p = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (!p || p->nattr || p->root != ROOT_LOCAL || p->func != x->func || d->span.start >= at) continue;
        if (str_eq(sym_str(f, p->name), name) && (!last || d->span.start > last->span.start)) last = d;
    }
    return last;
}

/* Is it what the dict has under the key: D.get(K), (v := D.get(K)), or a local that was bound to it just so? */
static bool looked_up(Asked *x, u32 n)
{
    const Ast *t = site_ast(x->pl, x->file);
    while (ast_is(t, n, NODE_parenthesized_expression)) n = ast_first(t, n);
    if (ast_is(t, n, NODE_named_expression)) n = ast_field(t, n, FIELD_value);
    if (!ast_is(t, n, NODE_identifier)) return is_get(t, x, n);
    const Def *d = bound_before(x, ast_text(t, n), t->v[n].start);
    u32 set = d ? ast_assignment(t, d->span) : NONE, stmt = set == NONE ? NONE : ast_statement(t, set);
    if (stmt == NONE || !ast_is(t, ast_field(t, set, FIELD_left), NODE_identifier) || ast_first(t, stmt) != set ||
        !ast_inside(t, n, t->v[stmt].parent) || !is_get(t, x, ast_field(t, set, FIELD_right)))
        return false;
    x->from = MIN(x->from, t->v[stmt].start);
    return true;
}

/* What an expression says of the entry where it is true, or false. */
static u8 says(Asked *x, u32 n, bool truth)
{
    const Ast *t = site_ast(x->pl, x->file);
    if (n == NONE) return MISSING_UNKNOWN;
    u8 k = t->v[n].kind;
    if (k == NODE_parenthesized_expression) return says(x, ast_first(t, n), truth);
    if (k == NODE_not_operator) return says(x, ast_field(t, n, FIELD_argument), !truth);
    if (k == NODE_boolean_operator) {
        u32 left = ast_first(t, n);
        u8 a = says(x, left, truth), b = says(x, ast_after(t, left), truth);
        return ast_token(t, n, "and") == truth ? MIN(a, b) : MAX(a, b);
    }
    if (k != NODE_comparison_operator) return !truth && looked_up(x, n) ? MISSING_FALSE : MISSING_UNKNOWN;
    u32 left = ast_first(t, n), right = left == NONE ? NONE : ast_after(t, left);
    if (right == NONE || ast_after(t, right) != NONE) return MISSING_UNKNOWN;
    if (ast_token(t, n, truth ? "not in" : "in")) {
        Str dict = ast_text(t, right);
        if (str_ends(dict, S(".keys()"))) dict = str_slice(dict, 0, dict.n - 7);
        bool same = str_eq(dict, x->dict) && str_eq(bare_text(t, left), x->key);
        return same ? MISSING_SURE : MISSING_UNKNOWN;
    }
    bool none = ast_token(t, n, truth ? "is" : "is not") && ast_is(t, right, NODE_none);
    return none && looked_up(x, left) ? MISSING_NONE : MISSING_UNKNOWN;
}

/* Does nothing below raise a KeyError but the lookup D[K] itself? */
static bool only_lookup(const Asked *x, u32 n, bool *found)
{
    const Ast *t = site_ast(x->pl, x->file);
    u8 k = t->v[n].kind;
    if (k == NODE_subscript && str_eq(ast_text(t, ast_field(t, n, FIELD_value)), x->dict) &&
        str_eq(bare_text(t, ast_field(t, n, FIELD_subscript)), x->key)) {
        *found = true;
        return true;
    }
    if (k == NODE_subscript || k == NODE_call || k == NODE_delete_statement || k == NODE_raise_statement ||
        k == NODE_for_statement || k == NODE_with_statement || k == NODE_await || k == NODE_yield)
        return false;
    for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
        if (!only_lookup(x, c, found)) return false;
    return true;
}

/* except KeyError: of a try that only looks the entry up. */
static bool not_found(const Asked *x, u32 clause)
{
    const Ast *t = site_ast(x->pl, x->file);
    u32 error = ast_first(t, clause), try = t->v[clause].parent;
    if (ast_is(t, error, NODE_as_pattern)) error = ast_first(t, error);
    if (!ast_is(t, error, NODE_identifier) || !str_is(ast_text(t, error), "KeyError")) return false;
    bool found = false;
    return ast_is(t, try, NODE_try_statement) && only_lookup(x, ast_field(t, try, FIELD_body), &found) && found;
}

/* Is a name of the key or the dict bound anew, or the dict changed, from the first step to the store? */
static bool changed(const Asked *x, u32 place, u32 store)
{
    const Ast *t = site_ast(x->pl, x->file);
    const Facts *f = x->pl->p->facts[x->file];
    const Func *fn = &f->funcs.v[x->func];
    Span span = {x->from, t->v[store].start};
    for (u32 i = 0; i < f->defs.n; i++) {
        const Path *p = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
        if (!p || !span_within(f->defs.v[i].span, span)) continue;
        Str name = path_last(f, p);
        bool named = p->nattr ? str_contains(x->key, name) || str_contains(x->dict, name)
                              : str_has_name(x->key, name) || str_has_name(x->dict, name);
        if (named) return true;
    }
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 g = x->pl->p->access_base[x->file] + i;
        if (x->pl->p->access_place[g] == place && access_writes(x->pl->p, g) &&
            span_within(f->accesses.v[i].span, span))
            return true;
    }
    u32 mark = mark_changers(x->pl, place);
    x->pl->mark[gfunc_of(x->pl->p, x->file, x->func)] = 0; /* it enters another key when it calls itself */
    return reach_from(x->pl, x->file, x->func, span, mark) == REACH_YES;
}

/* The best that the steps around and before a statement say. */
static u8 said(Asked *x, u32 store)
{
    const Ast *t = site_ast(x->pl, x->file);
    u8 best = MISSING_UNKNOWN;
    for (u32 n = store, up = t->v[n].parent; up != NONE; n = up, up = t->v[up].parent) {
        u8 k = t->v[up].kind, before = best;
        if (k == NODE_function_definition || k == NODE_class_definition || k == NODE_lambda) break;
        bool then = ast_field(t, up, FIELD_consequence) == n || ast_field(t, up, FIELD_body) == n;
        if (k == NODE_if_statement || k == NODE_elif_clause || k == NODE_while_statement)
            best = MIN(best, says(x, ast_field(t, up, FIELD_condition), then));
        if (k == NODE_except_clause && not_found(x, up)) best = MISSING_SURE;
        if (best < before) x->from = MIN(x->from, t->v[up].start);
        if (k != NODE_block && k != NODE_module) continue;
        for (u32 s = ast_first(t, up); s != NONE && s != n; s = ast_after(t, s)) {
            if (!ast_is(t, s, NODE_if_statement) || ast_field(t, s, FIELD_alternative) != NONE) continue;
            if (!ast_block_leaves(t, ast_field(t, s, FIELD_consequence))) continue;
            before = best;
            best = MIN(best, says(x, ast_field(t, s, FIELD_condition), false));
            if (best < before) x->from = MIN(x->from, t->v[s].start);
        }
    }
    return best;
}

u8 entry_missing(Plan *pl, u32 place, u32 file, u32 func, u32 store, Str dict, Str key)
{
    Asked x = {.pl = pl, .file = file, .func = func, .dict = dict, .key = key};
    x.from = site_ast(pl, file)->v[store].start;
    u8 best = said(&x, store);
    return best == MISSING_UNKNOWN || changed(&x, place, store) ? MISSING_UNKNOWN : best;
}
