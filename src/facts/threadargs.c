/* Arguments that come packed, for a function that somebody else calls with them:
 *
 *   Thread(target=f, args=(a, b), kwargs={"c": d})      pool.apply_async(f, (a,), {"c": d})
 *   job = (a, b); Timer(5, f, job)                      pool.starmap(f, [(a, n) for n in names])
 *
 * Each is an argument of the call, too, with the keyword "args[0]", "args[1]", … or "args[c]". What a local stands
 * for is followed to the display that it was last given in the statements before; `Thread(**options)` likewise. */
#include "facts/walk.h"

enum { STATEMENTS = 2000, NOWHERE = 1000000 };

/* Where the tuple stands among the positional arguments; the dict comes next. each: it is a list of tuples. */
typedef struct Packer {
    const char *name;
    u8 at;
    bool each;
} Packer;
static const Packer packers[] = {{"start_new_thread", 1, false}, {"Timer", 2, false}, {"Thread", 3, false},
                                 {"apply_async", 1, false},      {"apply", 1, false}, {"starmap", 1, true},
                                 {"starmap_async", 1, true}};

/* The value that a statement before, in the same block, gives the name last; NONE. */
static u32 bound_before(const Walk *w, u32 n, Str name, u32 *left)
{
    u32 up = w->t.v[n].parent, found = NONE;
    for (u32 c = ast_first(&w->t, up); c != NONE && c != n && *left; c = ast_after(&w->t, c), --*left) {
        u32 a = ast_is(&w->t, c, NODE_expression_statement) ? ast_first(&w->t, c) : NONE;
        if (!ast_is(&w->t, a, NODE_assignment)) continue;
        u32 target = ast_field(&w->t, a, FIELD_left);
        if (ast_is(&w->t, target, NODE_identifier) && str_eq(ast_text(&w->t, target), name))
            found = ast_field(&w->t, a, FIELD_right);
    }
    return found;
}

/* What is written for the value: the node itself, or what its name was given. */
static u32 written(const Walk *w, u32 n)
{
    u32 left = STATEMENTS, found = NONE;
    if (!ast_is(&w->t, n, NODE_identifier)) return n;
    for (u32 at = n; at != NONE && at && found == NONE && left; at = w->t.v[at].parent) {
        u8 k = w->t.v[at].kind;
        if (k == NODE_function_definition || k == NODE_lambda || k == NODE_class_definition) return NONE;
        found = bound_before(w, at, ast_text(&w->t, n), &left);
    }
    return found;
}

static void packed_add(Walk *w, u32 value, Str name)
{
    arg_add(w, value, intern(w->a, &w->f->syms, str_fmt(w->scratch, "args[%.*s]", STR_ARG(name))), false);
}

static void unpack_tuple(Walk *w, u32 tuple)
{
    if (!ast_is(&w->t, tuple, NODE_tuple) && !ast_is(&w->t, tuple, NODE_list)) return;
    u32 i = 0;
    for (u32 c = ast_first(&w->t, tuple); c != NONE; c = ast_after(&w->t, c)) {
        if (ast_is(&w->t, c, NODE_list_splat)) return;
        packed_add(w, c, str_fmt(w->scratch, "%u", i++));
    }
}

/* [(a, 1), (a, 2)], ((a, n) for n in names): the first of the tuples. */
static void unpack_each(Walk *w, u32 list)
{
    bool made = ast_is(&w->t, list, NODE_list_comprehension) || ast_is(&w->t, list, NODE_generator_expression);
    if (made) unpack_tuple(w, ast_field(&w->t, list, FIELD_body));
    if (ast_is(&w->t, list, NODE_list) || ast_is(&w->t, list, NODE_tuple)) unpack_tuple(w, ast_first(&w->t, list));
}

/* The value of {"name": value} or dict(name=value), by the part of it that stands here; NONE. */
static u32 entry(Walk *w, u32 n, Str *name)
{
    if (ast_is(&w->t, n, NODE_keyword_argument)) {
        u32 key = ast_field(&w->t, n, FIELD_name);
        if (key == NONE) return NONE;
        *name = ast_text(&w->t, key);
        return ast_field(&w->t, n, FIELD_value);
    }
    if (!ast_is(&w->t, n, NODE_pair) || ast_field(&w->t, n, FIELD_key) == NONE) return NONE;
    if (!string_literal(w, ast_field(&w->t, n, FIELD_key), name)) return NONE;
    return ast_field(&w->t, n, FIELD_value);
}

/* The first of the entries of a dict that is written here; NONE. */
static u32 first_entry(Walk *w, u32 dict)
{
    if (ast_is(&w->t, dict, NODE_dictionary)) return ast_first(&w->t, dict);
    u32 fn = ast_is(&w->t, dict, NODE_call) ? ast_field(&w->t, dict, FIELD_function) : NONE;
    return fn != NONE && is_builtin(w, fn, "dict") ? ast_first(&w->t, ast_field(&w->t, dict, FIELD_arguments)) : NONE;
}

static void unpack_dict(Walk *w, u32 dict)
{
    if (dict == NONE) return;
    Str name;
    for (u32 c = first_entry(w, dict); c != NONE; c = ast_after(&w->t, c)) {
        u32 value = entry(w, c, &name);
        if (value != NONE) packed_add(w, value, name);
    }
}

/* Thread(**options): what options = dict(target=f, args=(a,)) says. */
static void unpack_options(Walk *w, u32 dict)
{
    Str name;
    bool starts = false;
    for (u32 c = first_entry(w, dict); c != NONE; c = ast_after(&w->t, c))
        starts |= entry(w, c, &name) != NONE && str_is(name, "target");
    for (u32 c = starts ? first_entry(w, dict) : NONE; c != NONE; c = ast_after(&w->t, c)) {
        u32 value = entry(w, c, &name);
        if (value == NONE) continue;
        arg_add(w, value, intern(w->a, &w->f->syms, name), false);
        if (str_is(name, "args")) unpack_tuple(w, value);
        if (str_is(name, "kwargs")) unpack_dict(w, value);
    }
}

static const Packer *packer_of(const Walk *w, u32 fn)
{
    u32 last = ast_is(&w->t, fn, NODE_attribute) ? ast_field(&w->t, fn, FIELD_attribute) : fn;
    Str name = ast_is(&w->t, last, NODE_identifier) ? ast_text(&w->t, last) : S("");
    for (u32 i = 0; i < COUNT_OF(packers); i++)
        if (str_is(name, packers[i].name)) return &packers[i];
    return NULL;
}

void packed_args(Walk *w, u32 fn, u32 list)
{
    if (list == NONE || ast_is(&w->t, list, NODE_generator_expression)) return;
    const Packer *p = packer_of(w, fn);
    u32 at = p ? p->at : NOWHERE, pos = 0;
    for (u32 c = ast_first(&w->t, list); c != NONE; c = ast_after(&w->t, c)) {
        u8 k = w->t.v[c].kind;
        if (k == NODE_keyword_argument) {
            Str name = S("");
            u32 value = entry(w, c, &name);
            if (value == NONE) continue;
            if (str_is(name, "args")) unpack_tuple(w, written(w, value));
            if (str_is(name, "kwargs") || str_is(name, "kwds")) unpack_dict(w, written(w, value));
        } else if (k == NODE_dictionary_splat) {
            u32 dict = ast_first(&w->t, c) == NONE ? NONE : written(w, ast_first(&w->t, c));
            if (dict != NONE) unpack_options(w, dict);
        } else if (k == NODE_list_splat) {
            at = NOWHERE;
        } else if (pos++ == at && p) {
            u32 value = written(w, c);
            if (p->each)
                unpack_each(w, value);
            else
                unpack_tuple(w, value);
        } else if (p && !p->each && pos == at + 2u) {
            unpack_dict(w, written(w, c));
        }
    }
}
