/* May what runs under a new lock come back, in the same thread, to code that takes it?
 *
 * Then the lock must be an RLock: a Lock would wait for itself. It need not be where everything that runs is known:
 * operations on the builtin numbers, strings and containers, functions of modules that call nothing of the program,
 * and functions of the program of which the same is true, so far as the calls go. Whatever else is called may be
 * anybody's code, which knows the program and calls it: what stands in a variable, methods of objects of unknown type
 * and of base classes that were not read, what formats, compares or walks such objects, properties of theirs, modules
 * that are imported.
 *
 * A key that a library is given is such an object, too: to find it in a dict or a set runs its __hash__ and its
 * __eq__, which may use the library again: where neither type nor name says that it is a text or a number. In a
 * program of which all callers are known, keys are what they look like.
 *
 * Not counted: arithmetic, the truth of an object, and finalizers, which reach.c marks; for one lock of all objects
 * of a class lock.c takes these for likely enough. */
#include "fixes/fixes.h"

enum { FUNCTIONS_MAX = 60 };

typedef struct Back {
    Plan *pl;
    u32 mark;
    u32 left; /* functions still to be looked at */
} Back;

/* Where something stands. */
typedef struct Site {
    u32 file, func;
    const Facts *f;
    const Ast *t;
} Site;

static bool span_comes_back(Back *b, u32 file, u32 func, Span span);

/* ---- what is known of a value ---- */

static bool is_scalar(Type t)
{
    return t.kind == TYPE_NUMBER || t.kind == TYPE_STRING;
}

static bool is_container(Type t)
{
    return (t.kind >= TYPE_STRING && t.kind <= TYPE_COUNTER) || t.kind == TYPE_BYTEARRAY || t.kind == TYPE_ARRAY ||
           t.kind == TYPE_COUNT_ITER || t.kind == TYPE_WEAK_DICT || t.kind == TYPE_WEAK_SET || t.kind == TYPE_CACHE;
}

static bool finds_by_key(Type t)
{
    return t.kind == TYPE_DICT || t.kind == TYPE_SET || t.kind == TYPE_ORDERED_DICT || t.kind == TYPE_DEFAULT_DICT ||
           t.kind == TYPE_COUNTER || t.kind == TYPE_WEAK_DICT || t.kind == TYPE_WEAK_SET || t.kind == TYPE_CACHE;
}

/* Objects whose own methods call nothing of the program, whatever they are given. */
static bool is_quiet(Type t)
{
    return t.kind >= TYPE_QUEUE && t.kind <= TYPE_MP_SAFE && t.kind != TYPE_GENERATOR && t.kind != TYPE_ITERATOR;
}

/* Does the library's function, or open, call nothing of the program, nor what it gives, unless it is given code? */
static bool quiet_library(Str full)
{
    return known_module(full, AS_QUIET) || str_is(full, "open");
}

static Type name_type(const Plan *pl, const Site *s, Str name)
{
    u32 sym = intern_find(&s->f->syms, name);
    for (u32 func = s->func; sym != NONE; func = s->f->funcs.v[func].parent) {
        Type t = func ? local_type(pl->p, s->file, func, sym) : (Type){.kind = TYPE_UNKNOWN};
        if (t.kind != TYPE_UNKNOWN || func == 0) return t;
    }
    return (Type){.kind = TYPE_UNKNOWN};
}

/* Is the path written like the name, or attributes of a name, of the node? */
static bool written_so(const Site *s, const Path *p, u32 n)
{
    if (p->truncated) return false;
    for (u32 i = p->nattr; i > 0; i--) {
        if (!ast_is(s->t, n, NODE_attribute) ||
            !str_eq(ast_text(s->t, ast_field(s->t, n, FIELD_attribute)), sym_str(s->f, p->attr[i - 1])))
            return false;
        n = ast_field(s->t, n, FIELD_object);
    }
    return ast_is(s->t, n, NODE_identifier) && str_eq(ast_text(s->t, n), sym_str(s->f, p->name));
}

/* Of a name or attribute that facts know an access of. */
static Type read_type(const Plan *pl, const Site *s, u32 n)
{
    const Func *fn = &s->f->funcs.v[s->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &s->f->accesses.v[i];
        if (!written_so(s, &s->f->paths.v[a->path], n)) continue;
        Type t = path_type(pl->p, s->file, a->path);
        if (t.kind != TYPE_UNKNOWN) return t;
    }
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &s->f->accesses.v[i];
        if (a->span.start != s->t->v[n].start || a->span.end != s->t->v[n].end || a->op == OP_METHOD) continue;
        if (a->op >= OP_ITEM_LOAD && a->op <= OP_ITEM_AUG) continue;
        Type t = path_type(pl->p, s->file, a->path);
        if (t.kind != TYPE_UNKNOWN) return t;
    }
    if (s->t->v[n].kind != NODE_identifier) return (Type){.kind = TYPE_UNKNOWN};
    return name_type(pl, s, ast_text(s->t, n));
}

static u32 call_id(const Site *s, u32 n)
{
    const Call *c = call_at(s->f, ast_span(s->t, n));
    return c ? (u32)(c - s->f->calls.v) : NONE;
}

/* "…".format(x), "…".join(parts): the method of a string that is written there. */
static bool method_of_text(const Site *s, u32 call)
{
    u32 fn = ast_field(s->t, call, FIELD_function),
        object = ast_is(s->t, fn, NODE_attribute) ? ast_field(s->t, fn, FIELD_object) : NONE;
    return ast_is(s->t, object, NODE_string) || ast_is(s->t, object, NODE_concatenated_string);
}

static Type node_type(const Plan *pl, const Site *s, u32 n, u32 depth)
{
    Type unknown = {.kind = TYPE_UNKNOWN}, number = {.kind = TYPE_NUMBER}, text = {.kind = TYPE_STRING};
    if (n == NONE || !depth) return unknown;
    switch (s->t->v[n].kind) {
    case NODE_integer:
    case NODE_float:
    case NODE_true:
    case NODE_false:
    case NODE_none:
    case NODE_not_operator:
    case NODE_comparison_operator: return number;
    case NODE_string:
    case NODE_concatenated_string: return text;
    case NODE_list:
    case NODE_list_comprehension: return (Type){.kind = TYPE_LIST};
    case NODE_dictionary:
    case NODE_dictionary_comprehension: return (Type){.kind = TYPE_DICT};
    case NODE_set:
    case NODE_set_comprehension: return (Type){.kind = TYPE_SET};
    case NODE_tuple:
    case NODE_expression_list: return (Type){.kind = TYPE_TUPLE};
    case NODE_parenthesized_expression:
    case NODE_unary_operator: return node_type(pl, s, ast_first(s->t, n), depth - 1);
    case NODE_binary_operator: {
        Type l = node_type(pl, s, ast_field(s->t, n, FIELD_left), depth - 1);
        Type r = node_type(pl, s, ast_field(s->t, n, FIELD_right), depth - 1);
        if (l.kind == TYPE_STRING && ast_token(s->t, n, "%")) return text;
        return l.kind == r.kind ? l : unknown;
    }
    case NODE_identifier:
    case NODE_attribute: return read_type(pl, s, n);
    case NODE_call: {
        if (method_of_text(s, n)) return text;
        u32 call = call_id(s, n);
        return call == NONE ? unknown : call_type(pl->p, s->file, call);
    }
    default: return unknown;
    }
}

static bool scalar(const Plan *pl, const Site *s, u32 n)
{
    return is_scalar(node_type(pl, s, n, 4));
}

static u32 arg_node(const Site *s, const Arg *a)
{
    u32 n = ast_at(s->t, a->span);
    if (ast_is(s->t, n, NODE_keyword_argument)) n = ast_field(s->t, n, FIELD_value);
    return n;
}

static bool args_scalar(const Plan *pl, const Site *s, const Call *c)
{
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &s->f->args.v[i];
        bool plain = a->kind == VAL_NONE || a->kind == VAL_BOOL || a->kind == VAL_NUMBER || a->kind == VAL_STRING;
        if (a->star || (!plain && !scalar(pl, s, arg_node(s, a)))) return false;
    }
    return true;
}

/* Does the name say nothing of what it stands for? A name, a path, an id is a text or a number. */
static bool named_for_anything(Str name)
{
    static const char *const names[] = {"k",       "item",  "items", "obj",  "object", "value",  "val",   "v",
                                        "element", "elem",  "x",     "arg",  "args",   "member", "entry", "hashable",
                                        "o",       "thing", "other", "node", "e",      "keyed",  "kwargs"};
    static const char *const ends[] = {"key", "_item", "_obj", "_object", "_value", "_args"};
    for (u32 i = 0; i < COUNT_OF(ends); i++)
        if (str_ends(name, str_from(ends[i]))) return true;
    return str_among(name, names, COUNT_OF(names));
}

/* Is the expression a key, or does it hold one, whose __hash__ and __eq__ may be code of whoever calls the function?
 */
static bool key_given(const Plan *pl, const Site *s, u32 n, u32 depth)
{
    if (n == NONE || !depth || !pl->p->funcs[gfunc_of(pl->p, s->file, s->func)].api) return false;
    if (ast_is(s->t, n, NODE_tuple) || ast_is(s->t, n, NODE_expression_list) ||
        ast_is(s->t, n, NODE_parenthesized_expression)) {
        for (u32 c = ast_first(s->t, n); c != NONE; c = ast_after(s->t, c))
            if (key_given(pl, s, c, depth - 1)) return true;
        return false;
    }
    Type t = node_type(pl, s, n, 4);
    if (t.kind == TYPE_CLASS)
        return method_by_name(pl->p, t.id, "__eq__") != NONE || method_by_name(pl->p, t.id, "__hash__") != NONE;
    return ast_is(s->t, n, NODE_identifier) && named_for_anything(ast_text(s->t, n)) &&
           (t.kind == TYPE_UNKNOWN || t.kind == TYPE_NONE);
}

static bool walk_known(const Plan *pl, const Site *s, u32 n, u32 depth);

static bool args_walked(const Plan *pl, const Site *s, const Call *c, u32 depth)
{
    for (u32 i = c->args; i < c->args + c->nargs; i++)
        if (s->f->args.v[i].star || !walk_known(pl, s, arg_node(s, &s->f->args.v[i]), depth)) return false;
    return true;
}

/* Does a walk over the expression run nothing but what is known: a builtin container, a view or an iterator of one,
 * a generator of the program, which is looked at where it is called? */
static bool walk_known(const Plan *pl, const Site *s, u32 n, u32 depth)
{
    Type t = node_type(pl, s, n, 4);
    if (is_container(t) || is_scalar(t) || ast_is(s->t, n, NODE_generator_expression)) return true;
    if (ast_is(s->t, n, NODE_parenthesized_expression))
        return depth && walk_known(pl, s, ast_first(s->t, n), depth - 1);
    if (!ast_is(s->t, n, NODE_call) || !depth) return false;
    u32 call = call_id(s, n);
    if (call == NONE) return false;
    const Call *c = &s->f->calls.v[call];
    Str full = path_external(pl->p, s->file, c->callee);
    if (str_is(full, "range")) return true;
    if (known_builtin(full, AS_LAZY) && !known_builtin(full, AS_CALLS)) return args_walked(pl, s, c, depth - 1);
    const Path *p = &s->f->paths.v[c->callee];
    if (p->nattr && !p->truncated && known_method(path_last(s->f, p), AS_VIEW))
        return is_container(ent_type(pl->p, path_resolve(pl->p, s->file, p, p->nattr - 1u)));
    u32 targets[8], k = call_candidates(pl->p, s->file, call, targets, COUNT_OF(targets));
    for (u32 i = 0; i < k; i++)
        if (!program_func(pl->p, targets[i])->is_generator) return false;
    return k > 0;
}

/* ---- calls that lead to no function of the program ---- */

static bool builtin_comes_back(const Plan *pl, const Site *s, const Call *c, Str name)
{
    static const char *const errors[] = {"Error", "Exception", "Warning", "Iteration", "Exit", "Interrupt"};
    if (known_builtin(name, AS_QUIET)) return false;
    for (u32 i = 0; i < COUNT_OF(errors); i++)
        if (str_ends(name, str_from(errors[i]))) return false;
    if (known_builtin(name, AS_WALKS)) return !args_walked(pl, s, c, 3);
    if (str_is(name, "next")) {
        if (!c->nargs) return false;
        Type t = node_type(pl, s, arg_node(s, &s->f->args.v[c->args]), 4);
        return t.kind != TYPE_COUNT_ITER && !walk_known(pl, s, arg_node(s, &s->f->args.v[c->args]), 3);
    }
    return !args_scalar(pl, s, c);
}

/* What a method of a builtin container or a string does with its arguments. */
static bool container_comes_back(const Plan *pl, const Site *s, const Call *c, Type t, Str method)
{
    static const char *const by_key[] = {"get", "pop", "setdefault", "add", "discard", "remove", "move_to_end"};
    if (str_is(method, "sort") && t.kind == TYPE_LIST) return true;
    if (finds_by_key(t) && c->nargs && str_among(method, by_key, COUNT_OF(by_key)) &&
        key_given(pl, s, arg_node(s, &s->f->args.v[c->args]), 4))
        return true;
    bool compares = known_method(method, AS_COMPARES) && !(str_is(method, "remove") && finds_by_key(t));
    if (compares) return !args_scalar(pl, s, c);
    return known_method(method, AS_WALKS) && !args_walked(pl, s, c, 3);
}

/* Are the bases of the class, as far as they were not read, builtins or such that run nothing of their own? */
static bool bases_known(const Plan *pl, u32 gclass, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    for (u32 i = c->bases; i < c->bases + c->nbases; i++) {
        Type t = path_type(pl->p, id.file, f->bases.v[i]);
        if (t.kind == TYPE_CLASS_OBJECT) {
            if (!depth || !bases_known(pl, t.id, depth - 1)) return false;
            continue;
        }
        Str full = path_external(pl->p, id.file, f->bases.v[i]);
        bool builtin = full.n && str_find(full, '.') == full.n;
        if (!builtin && !known_module(full, AS_BASE) && !str_ends(full, S("Error")) &&
            !str_ends(full, S("Exception")))
            return false;
    }
    return true;
}

/* log.info("%s", job) formats what it is given. */
static bool logs(const Plan *pl, const Site *s, const Call *c, Str name)
{
    return known_method(name, AS_LOG) && !args_scalar(pl, s, c);
}

/* re.sub(pattern, f, text): is the second argument, which is called if it can be, not a text for certain? */
static bool second_called(const Plan *pl, const Site *s, const Call *c)
{
    return c->nargs > 1 && !scalar(pl, s, arg_node(s, &s->f->args.v[c->args + 1]));
}

/* Is the path something of what a quiet module's function gave, however many calls on:
 * hashlib.sha256(x).hexdigest()? */
static bool of_quiet_library(const Plan *pl, const Site *s, const Path *p, u32 depth)
{
    if (p->root != ROOT_CALL || !depth) return false;
    u32 callee = s->f->calls.v[p->func].callee;
    Str full = path_external(pl->p, s->file, callee);
    return full.n ? quiet_library(full) : of_quiet_library(pl, s, &s->f->paths.v[callee], depth - 1);
}

static bool method_comes_back(const Plan *pl, const Site *s, const Call *c, u32 node)
{
    const Program *p = pl->p;
    const Path *x = &s->f->paths.v[c->callee];
    if (method_of_text(s, node))
        return container_comes_back(
            pl, s, c, (Type){.kind = TYPE_STRING},
            ast_text(s->t, ast_field(s->t, ast_field(s->t, node, FIELD_function), FIELD_attribute)));
    if (!x->nattr || x->truncated) return true;
    Type t = x->root == ROOT_CALL && x->nattr == 1 ? call_type(p, s->file, x->func)
                                                   : ent_type(p, path_resolve(p, s->file, x, x->nattr - 1u));
    Str method = path_last(s->f, x);
    if (is_quiet(t)) return false;
    if (t.kind == TYPE_UNKNOWN && known_method(method, AS_TEXT)) return false;
    if (t.kind == TYPE_UNKNOWN && of_quiet_library(pl, s, x, 8)) return logs(pl, s, c, method);
    if (is_container(t) || is_scalar(t)) return container_comes_back(pl, s, c, t, method);
    if (t.kind != TYPE_EXTERNAL || !quiet_library(p->syms.strs[t.id])) return true;
    return logs(pl, s, c, method);
}

/* A call of which no function of the program is known that it runs. */
static bool other_comes_back(const Plan *pl, const Site *s, const Call *c)
{
    const Program *p = pl->p;
    const Path *x = &s->f->paths.v[c->callee];
    u32 node = ast_at(s->t, c->span);
    for (u32 i = c->args; i < c->args + c->nargs; i++)
        if (s->f->args.v[i].kind == VAL_LAMBDA || s->f->args.v[i].kind == VAL_FUNC) return true;
    if (runs_any_code(pl, s->file, c)) return true;
    Str full = path_external(p, s->file, c->callee);
    if (full.n) {
        if (str_find(full, '.') == full.n) return builtin_comes_back(pl, s, c, full);
        if (!quiet_library(full)) return true;
        if (known_function(full, AS_WALKS)) return !args_walked(pl, s, c, 3);
        if (known_function(full, AS_CALLS) && !known_function(full, AS_LAZY)) return second_called(pl, s, c);
        return logs(pl, s, c, str_last(full, '.'));
    }
    if (x->root == ROOT_SUPER)
        return !s->f->funcs.v[s->func].cls || s->f->funcs.v[s->func].self_class == NONE ||
               !bases_known(pl, gclass_of(p, s->file, s->f->funcs.v[s->func].self_class), 8);
    Ent e = path_entity(p, s->file, c->callee);
    if (e.kind == ENT_CLASS) return !bases_known(pl, e.id, 8);
    if (x->nattr == 0 && x->root == ROOT_GLOBAL && e.kind == ENT_NONE) /* a builtin */
        return builtin_comes_back(pl, s, c, sym_str(s->f, x->name));
    return method_comes_back(pl, s, c, node);
}

/* Is what the call runs, although some of it is known, not all of it: a variable, a parameter, cls, a class whose
 * constructor was not read? */
static bool partly_known(const Plan *pl, const Site *s, const Call *c)
{
    Ent e = path_entity(pl->p, s->file, c->callee);
    if (e.kind == ENT_CLASS) {
        const Path *x = &s->f->paths.v[c->callee];
        return (x->root == ROOT_CLS && !x->nattr) || !bases_known(pl, e.id, 8);
    }
    return e.kind != ENT_FUNC;
}

static bool function_comes_back(Back *b, u32 g)
{
    Plan *pl = b->pl;
    if (pl->mark[g] == b->mark) return true;
    if (pl->seen[g] == pl->epoch) return false;
    if (!b->left) return true;
    b->left--;
    pl->seen[g] = pl->epoch;
    GId id = func_gid(pl->p, g);
    return span_comes_back(b, id.file, id.id, pl->p->facts[id.file]->funcs.v[id.id].body);
}

static bool calls_come_back(Back *b, const Site *s, Span span)
{
    const Func *fn = &s->f->funcs.v[s->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &s->f->calls.v[i];
        if (c->span.start < span.start || c->span.end > span.end) continue;
        Site here = {s->file, s->func, s->f, site_ast(b->pl, s->file)}; /* other files may have been read since */
        u32 targets[16], n = call_candidates(b->pl->p, s->file, i, targets, COUNT_OF(targets));
        if (n == 0 ? other_comes_back(b->pl, &here, c) : partly_known(b->pl, &here, c)) return true;
        for (u32 k = 0; k < n; k++)
            if (function_comes_back(b, targets[k])) return true;
    }
    u32 g = gfunc_of(b->pl->p, s->file, s->func);
    for (u32 i = b->pl->p->edge_first[g]; i < b->pl->p->edge_first[g + 1]; i++) /* properties, with, wrappers */
        if (b->pl->p->edges.v[i].call == NONE && function_comes_back(b, b->pl->p->edges.v[i].callee)) return true;
    return false;
}

/* ---- what syntax runs ---- */

/* Attributes and items of objects of which nothing is known: a property, a __getitem__. */
static bool accesses_come_back(const Plan *pl, const Site *s, Span span)
{
    const Program *p = pl->p;
    const Func *fn = &s->f->funcs.v[s->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &s->f->accesses.v[i];
        if (a->span.start < span.start || a->span.end > span.end) continue;
        const Path *x = &s->f->paths.v[a->path];
        if (receiver_unknown(p, s->file, x)) return true;
        bool item = a->op == OP_ITEM_LOAD || a->op == OP_ITEM_STORE || a->op == OP_ITEM_DEL || a->op == OP_ITEM_AUG;
        if (!item) continue;
        Type t = path_type(p, s->file, a->path);
        if (t.kind == TYPE_UNKNOWN || t.kind == TYPE_NONE) return true;
    }
    return false;
}

static bool compare_comes_back(const Plan *pl, const Site *s, u32 n)
{
    u32 left = ast_first(s->t, n), right = left == NONE ? NONE : ast_after(s->t, left);
    if (right == NONE) return false;
    if (ast_token(s->t, n, "in") || ast_token(s->t, n, "not in")) {
        if (scalar(pl, s, left)) return false;
        u32 keys = ast_is(s->t, right, NODE_call) ? ast_field(s->t, right, FIELD_function) : NONE;
        if (ast_is(s->t, keys, NODE_attribute) &&
            str_is(ast_text(s->t, ast_field(s->t, keys, FIELD_attribute)), "keys"))
            right = ast_field(s->t, keys, FIELD_object);
        Type t = node_type(pl, s, right, 4);
        if (finds_by_key(t)) return key_given(pl, s, left, 4);
        if (t.kind == TYPE_STRING) return false;
        if (!ast_is(s->t, right, NODE_tuple) && !ast_is(s->t, right, NODE_list) && !ast_is(s->t, right, NODE_set))
            return true;
        for (u32 c = ast_first(s->t, right); c != NONE; c = ast_after(s->t, c))
            if (!scalar(pl, s, c)) return true;
        return false;
    }
    if (ast_token(s->t, n, "is") || ast_token(s->t, n, "is not")) return false;
    for (u32 c = left; c != NONE; c = ast_after(s->t, c))
        if (scalar(pl, s, c)) return false;
    return true;
}

/* "…" % x: what is put in. */
static bool format_comes_back(const Plan *pl, const Site *s, u32 n)
{
    u32 right = ast_field(s->t, n, FIELD_right);
    if (!ast_token(s->t, n, "%") || node_type(pl, s, ast_field(s->t, n, FIELD_left), 4).kind != TYPE_STRING)
        return false;
    if (!ast_is(s->t, right, NODE_tuple)) return !scalar(pl, s, right);
    for (u32 c = ast_first(s->t, right); c != NONE; c = ast_after(s->t, c))
        if (!scalar(pl, s, c)) return true;
    return false;
}

static bool manager_comes_back(const Plan *pl, const Site *s, u32 n)
{
    u32 value = ast_field(s->t, n, FIELD_value);
    if (ast_is(s->t, value, NODE_as_pattern)) value = ast_first(s->t, value);
    const Func *fn = &s->f->funcs.v[s->func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
        if (s->f->sections.v[i].stmt <= s->t->v[n].start && s->t->v[n].end <= s->f->sections.v[i].span.end &&
            pl->p->section_lock[pl->p->section_base[s->file] + i] != NONE)
            return false;
    Type t = node_type(pl, s, value, 4);
    return t.kind != TYPE_CLASS && t.kind != TYPE_EXTERNAL && !is_quiet(t);
}

static bool node_comes_back(const Plan *pl, const Site *s, u32 n)
{
    switch (s->t->v[n].kind) {
    case NODE_import_statement:
    case NODE_import_from_statement: return true;
    case NODE_interpolation: return !scalar(pl, s, ast_first(s->t, n));
    case NODE_binary_operator: return format_comes_back(pl, s, n);
    case NODE_comparison_operator: return compare_comes_back(pl, s, n);
    case NODE_subscript:
        return finds_by_key(node_type(pl, s, ast_field(s->t, n, FIELD_value), 4)) &&
               key_given(pl, s, ast_field(s->t, n, FIELD_subscript), 4);
    case NODE_for_statement:
    case NODE_for_in_clause: return !walk_known(pl, s, ast_field(s->t, n, FIELD_right), 3);
    case NODE_with_item: return manager_comes_back(pl, s, n);
    default: return false;
    }
}

/* Nodes are in the order of their beginnings: those inside a span that is part of a long block need no walk over the
 * block. Definitions inside it run later. */
static bool syntax_comes_back(const Plan *pl, const Site *s, Span span)
{
    const Node *v = s->t->v;
    for (u32 n = ast_from(s->t, span.start); n < s->t->n && v[n].start < span.end;) {
        u8 k = v[n].kind;
        bool inside = v[n].end <= span.end && v[n].end > span.start;
        bool later = k == NODE_function_definition || k == NODE_lambda || k == NODE_class_definition;
        if (inside && !later && node_comes_back(pl, s, n)) return true;
        n = inside && later ? ast_from(s->t, v[n].end) : n + 1;
    }
    return false;
}

static bool span_comes_back(Back *b, u32 file, u32 func, Span span)
{
    Site s = {.file = file, .func = func, .f = b->pl->p->facts[file], .t = site_ast(b->pl, file)};
    return accesses_come_back(b->pl, &s, span) || syntax_comes_back(b->pl, &s, span) || calls_come_back(b, &s, span);
}

bool comes_back_maybe(Plan *pl, u32 file, u32 func, Span span, u32 mark)
{
    Back b = {.pl = pl, .mark = mark, .left = FUNCTIONS_MAX};
    pl->epoch++;
    return span_comes_back(&b, file, func, span);
}
