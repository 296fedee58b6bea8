/* Planner "memo": a dictionary that only remembers what a function gave becomes functools.cache.
 *
 *   _areas = {}
 *
 *   def area(n):                         @functools.cache
 *       if n not in _areas:        →     def area(n):
 *           _areas[n] = n * n                return n * n
 *       return _areas[n]
 *
 * functools.cache calls the function once more when two threads miss at the same time, and each then has a result
 * of its own (docs/memory-model.md). So the function must be harmless to run twice, and what it gives must be a
 * value that nobody can tell from its equal: a number, a string, a tuple of such. The arguments are hashable, since
 * they were keys; together they must be the key, in their order, and nothing else may touch the dictionary. A
 * function that calls itself is left alone: through functools.cache it reaches the limit of recursion earlier. */
#include "fixes/fixes.h"

typedef struct Memo {
    Plan *pl;
    Work *w;
    const Facts *f;
    const Ast *t;
    u32 file, func, def;
    Str cache, key; /* as written; the key without its parentheses */
    u32 key_stmt;   /* key = (a, b), a statement of its own; NONE */
    Fix draft;
} Memo;

static bool fails(Memo *x, const char *why)
{
    x->w->tried = str_from(why);
    return false;
}

/* ---- the shape ---- */

static Str bare(Str s)
{
    return s.n > 2 && s.p[0] == '(' && s.p[s.n - 1] == ')' ? str_trim(str_slice(s, 1, s.n - 1)) : s;
}

/* CACHE[KEY] */
static bool is_entry(const Memo *x, u32 n)
{
    if (!ast_is(x->t, n, NODE_subscript)) return false;
    u32 value = ast_field(x->t, n, FIELD_value), key = ast_field(x->t, n, FIELD_subscript);
    if (key == NONE || !str_eq(ast_text(x->t, value), x->cache)) return false;
    Str all = str_slice(x->t->source->text, x->t->v[key].start, x->t->v[n].end - 1);
    return str_eq(bare(str_trim(all)), x->key);
}

/* KEY in CACHE, or KEY not in CACHE */
static bool is_test(const Memo *x, u32 n, const char *op)
{
    if (!ast_is(x->t, n, NODE_comparison_operator) || !ast_token(x->t, n, op)) return false;
    u32 key = ast_first(x->t, n), cache = ast_after(x->t, key);
    return cache != NONE && ast_after(x->t, cache) == NONE && str_eq(bare(ast_text(x->t, key)), x->key) &&
           str_eq(ast_text(x->t, cache), x->cache);
}

/* Is the name used in the function otherwise than to ask for the entry, to read it and to enter it? */
static bool used_otherwise(const Memo *x, u32 n, Str name)
{
    if (n == x->key_stmt || is_entry(x, n) || is_test(x, n, "in") || is_test(x, n, "not in")) return false;
    if (ast_is(x->t, n, NODE_identifier) && str_eq(ast_text(x->t, n), name)) return true;
    for (u32 c = x->t->v[n].child; c != NONE; c = x->t->v[c].next)
        if (used_otherwise(x, c, name)) return true;
    return false;
}

/* return VALUE: VALUE; NONE. */
static u32 returned(const Memo *x, u32 stmt)
{
    return ast_is(x->t, stmt, NODE_return_statement) ? ast_first(x->t, stmt) : NONE;
}

/* CACHE[KEY] = VALUE: VALUE; NONE. */
static u32 entered(const Memo *x, u32 stmt)
{
    u32 n = ast_is(x->t, stmt, NODE_expression_statement) ? ast_first(x->t, stmt) : NONE;
    if (!ast_is(x->t, n, NODE_assignment) || !is_entry(x, ast_field(x->t, n, FIELD_left))) return NONE;
    u32 value = ast_field(x->t, n, FIELD_right);
    return ast_is(x->t, value, NODE_assignment) || ast_is(x->t, value, NODE_yield) ? NONE : value;
}

static bool given(Memo *x, u32 value)
{
    return value_given(x->pl, x->file, x->func, value) ||
           fails(x, "what it remembers is not known to be a plain value");
}

static bool has_comment(const Memo *x, Span span)
{
    for (u32 n = 0; n < x->t->n && x->t->v[n].start < span.end; n++)
        if (x->t->v[n].kind == NODE_comment && x->t->v[n].start >= span.start) return true;
    return false;
}

/* All from the start of one statement to the end of another becomes "return VALUE". */
static bool return_instead(Memo *x, u32 first, u32 last, u32 value)
{
    Span span = {x->t->v[first].start, x->t->v[last].end};
    if (has_comment(x, span)) return fails(x, "a comment would be lost");
    Str text = str_fmt(x->pl->a, "return %.*s", STR_ARG(ast_text(x->t, value)));
    if (str_find(text, '\n') != text.n) return fails(x, "the value is written over several lines");
    intent_add(x->pl, &x->draft, INTENT_REPLACE, x->file, span, text, NONE);
    return true;
}

/* CACHE[KEY] = VALUE and return CACHE[KEY] or VALUE, last in the function. */
static bool tail_rewrite(Memo *x, u32 store, u32 from)
{
    u32 value = entered(x, store), end = ast_after(x->t, store), back = end == NONE ? NONE : returned(x, end);
    if (value == NONE || back == NONE || ast_after(x->t, end) != NONE) return fails(x, "it does more than remember");
    if (!given(x, value)) return false;
    bool same = str_eq(ast_text(x->t, value), ast_text(x->t, back)) && ast_is(x->t, value, NODE_identifier);
    if (!same && !is_entry(x, back)) return fails(x, "it returns something else than what it remembers");
    return return_instead(x, from, end, value);
}

/* Takes a statement out, and the empty lines after it when it is followed by others of its block. */
static void lines_delete(Memo *x, u32 stmt, bool blank_after)
{
    const Source *s = x->t->source;
    Span lines = {line_before(s, x->t->v[stmt].start), line_after(s, x->t->v[stmt].end)};
    while (blank_after && lines.end < s->text.n) {
        u32 next = line_after(s, lines.end);
        if (str_trim(str_slice(s->text, lines.end, next)).n) break;
        lines.end = next;
    }
    while (!blank_after && lines.start) {
        u32 above = line_before(s, lines.start - 1);
        if (str_trim(str_slice(s->text, above, lines.start)).n) break;
        lines.start = above;
    }
    intent_add(x->pl, &x->draft, INTENT_DELETE, x->file, lines, S(""), NONE);
}

static bool stands_alone(Memo *x, u32 func, u32 stmt)
{
    Region r;
    Span span = {x->t->v[stmt].start, x->t->v[stmt].end};
    if (!region_make(x->pl, x->file, func, span, span, &r, &x->w->tried)) return false;
    if (r.first != stmt || r.last != stmt) return fails(x, "a statement shares its line with others");
    const Source *s = x->t->source;
    if (has_comment(x, (Span){line_before(s, span.start), line_after(s, span.end)}))
        return fails(x, "a comment would be lost");
    return true;
}

/* try: return CACHE[KEY]  except KeyError: CACHE[KEY] = VALUE; return CACHE[KEY] */
static bool try_rewrite(Memo *x, u32 look)
{
    const Ast *t = x->t;
    u32 body = ast_first(t, ast_field(t, look, FIELD_body));
    u32 handler = ast_after(t, ast_field(t, look, FIELD_body));
    u32 hit = ast_after(t, body) == NONE ? returned(x, body) : NONE;
    if (hit == NONE || !is_entry(x, hit) || !ast_is(t, handler, NODE_except_clause) ||
        ast_after(t, handler) != NONE || ast_after(t, look) != NONE)
        return fails(x, "it does more than remember");
    u32 what = ast_first(t, handler), block = ast_after(t, what);
    if (!ast_is(t, what, NODE_identifier) || !str_is(ast_text(t, what), "KeyError") || block == NONE ||
        ast_after(t, block) != NONE)
        return fails(x, "it does more than remember");
    return tail_rewrite(x, ast_first(t, block), look);
}

/* The statements of the function from the look-up on. */
static bool body_rewrite(Memo *x, u32 look)
{
    const Ast *t = x->t;
    if (ast_is(t, look, NODE_try_statement)) return try_rewrite(x, look);
    if (!ast_is(t, look, NODE_if_statement) || ast_field(t, look, FIELD_alternative) != NONE)
        return fails(x, "it does more than remember");
    u32 cond = ast_field(t, look, FIELD_condition), then = ast_first(t, ast_field(t, look, FIELD_consequence));
    u32 next = ast_after(t, look);
    if (then == NONE || next == NONE || ast_after(t, then) != NONE) return fails(x, "it does more than remember");
    if (is_test(x, cond, "not in")) {
        u32 value = entered(x, then), back = returned(x, next);
        if (value == NONE || back == NONE || !is_entry(x, back) || ast_after(t, next) != NONE)
            return fails(x, "it does more than remember");
        if (!given(x, value)) return false;
        return return_instead(x, look, next, value);
    }
    u32 hit = is_test(x, cond, "in") ? returned(x, then) : NONE;
    if (hit == NONE || !is_entry(x, hit)) return fails(x, "it does more than remember");
    if (!stands_alone(x, x->func, look)) return false;
    lines_delete(x, look, true);
    for (u32 n = next; n != NONE; n = ast_after(t, n))
        if (entered(x, n) != NONE) return tail_rewrite(x, n, n);
    return fails(x, "it does more than remember");
}

/* ---- the function ---- */

/* The text of all parameters, in order, as a key would be written; false when one has a default or a star. */
static bool parameters_text(Memo *x, Str *out)
{
    const Func *fn = &x->f->funcs.v[x->func];
    Buf b = {0};
    bool plain = fn->nparams > 0;
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++) {
        const Param *p = &x->f->params.v[i];
        plain &= !p->has_default && !p->star && !p->star2;
        buf_fmt(&b, "%s%.*s", i > fn->params ? ", " : "", STR_ARG(sym_str(x->f, p->name)));
    }
    *out = str_dup(x->pl->a, buf_view(&b));
    buf_free(&b);
    return plain;
}

/* Is a parameter bound anew in the function? */
static bool parameter_bound(const Memo *x)
{
    for (u32 i = 0; i < x->f->defs.n; i++) {
        const Def *d = &x->f->defs.v[i];
        const Path *p = d->path == NONE ? NULL : &x->f->paths.v[d->path];
        if (p && d->func == x->func && !p->nattr && p->root == ROOT_PARAM) return true;
    }
    return false;
}

/* Finds where the function looks the key up; what comes before is only a docstring, and key = (a, b). */
static u32 look_up(Memo *x, u32 body)
{
    const Ast *t = x->t;
    u32 n = ast_first(t, body);
    if (ast_is(t, n, NODE_expression_statement) && ast_is(t, ast_first(t, n), NODE_string)) n = ast_after(t, n);
    u32 a = ast_is(t, n, NODE_expression_statement) ? ast_first(t, n) : NONE;
    if (!ast_is(t, a, NODE_assignment) || !ast_is(t, ast_field(t, a, FIELD_left), NODE_identifier)) return n;
    u32 value = ast_field(t, a, FIELD_right);
    if (value == NONE || ast_field(t, a, FIELD_type) != NONE || !str_eq(bare(ast_text(t, value)), x->key)) return n;
    x->key = ast_text(t, ast_field(t, a, FIELD_left));
    x->key_stmt = n;
    return ast_after(t, n);
}

/* Does another file that knows the module use such a name? */
static bool named_elsewhere(const Program *p, u32 file, Str name)
{
    for (u32 other = 0; other < p->nfiles; other++) {
        const Facts *f = p->facts[other];
        if (other == file || intern_find(&f->syms, name) == NONE) continue;
        for (u32 i = 0; i < f->imports.n; i++) {
            Ent e = import_target(p, other, &f->imports.v[i], 0);
            bool module = e.kind == ENT_MODULE && e.id == file;
            if (module || import_file(p, other, &f->imports.v[i]) == file) return true;
        }
    }
    return false;
}

/* Every use of the place is in one function of the module, but for the statement that makes it: one test at most,
 * one store, and reading the entry. */
static bool used_once(Memo *x)
{
    const Program *p = x->pl->p;
    const Place *place = &p->places.v[x->w->place];
    u32 tests = 0, stores = 0;
    bool made = false;
    x->func = 0;
    for (u32 i = place->first; i < place->first + place->n; i++) {
        GId g = access_gid(p, p->place_access.v[i]);
        const Access *a = program_access(p, p->place_access.v[i]);
        if (g.file != place->def_file) return false;
        if (a->func == 0 && a->op == OP_STORE && !made) {
            made = true;
            continue;
        }
        if (a->func == 0 || (x->func && a->func != x->func)) return false;
        x->func = a->func;
        tests += a->op == OP_CONTAINS;
        stores += a->op == OP_ITEM_STORE;
        if (a->op != OP_CONTAINS && a->op != OP_ITEM_STORE && a->op != OP_ITEM_LOAD) return false;
    }
    if (!x->func || tests > 1 || stores != 1) return false;
    return !named_elsewhere(p, place->def_file, p->syms.strs[place->name]);
}

/* NAME = {} or dict(), a statement of the module. */
static u32 made_at(Memo *x)
{
    const Place *place = &x->pl->p->places.v[x->w->place];
    u32 a = ast_assignment(x->t, x->f->defs.v[place->def].span), stmt = a == NONE ? NONE : ast_statement(x->t, a);
    if (stmt == NONE || x->t->v[stmt].parent != 0) return NONE;
    u32 left = ast_field(x->t, a, FIELD_left), value = ast_field(x->t, a, FIELD_right);
    if (!ast_is(x->t, left, NODE_identifier) || value == NONE) return NONE;
    x->cache = ast_text(x->t, left);
    return str_is(ast_text(x->t, value), "{}") || str_is(ast_text(x->t, value), "dict()") ? stmt : NONE;
}

static bool function_fits(Memo *x)
{
    const Func *fn = &x->f->funcs.v[x->func];
    if (fn->cls != NONE || fn->parent || fn->is_async || fn->is_generator || fn->is_lambda || fn->ndecorators)
        return fails(x, "it is not filled by a plain function of the module");
    x->def = ast_definition(x->t, fn->span);
    if (x->def == NONE || x->t->v[x->def].parent != 0) return fails(x, "its function is not found");
    if (!parameters_text(x, &x->key) || parameter_bound(x)) return fails(x, "the key is not made of all arguments");
    if (!span_harmless(x->pl, x->file, x->func, fn->span, x->w->place, 4))
        return fails(x, "it is not known that the function may run twice");
    return true;
}

/* "@functools.cache" on the line before the function, and its import. */
static void decorate(Memo *x)
{
    const Source *s = x->t->source;
    ImportRef lru = import_ref(x->pl->a, x->f, x->t, S("functools"), S("lru_cache"), false);
    ImportRef ref = import_ref(x->pl->a, x->f, x->t, S("functools"), S("cache"), false);
    u32 at = line_before(s, x->t->v[x->def].start);
    bool named = lru.have && !str_contains(lru.text, S(".")); /* from functools import lru_cache */
    Str text = named ? str_fmt(x->pl->a, "@%.*s(maxsize=None)", STR_ARG(lru.text))
                     : str_fmt(x->pl->a, "@%.*s", STR_ARG(ref.text));
    if (!named && !ref.have)
        intent_add(x->pl, &x->draft, INTENT_NEED_IMPORT, x->file, (Span){0}, ref.statement, NONE);
    intent_add(x->pl, &x->draft, INTENT_INSERT, x->file, (Span){at, at}, text, NONE);
}

/* Is the name anywhere in the file but in the function and where it is made? */
static bool mentioned_outside(const Memo *x, u32 made)
{
    for (u32 n = 0; n < x->t->n; n++)
        if (x->t->v[n].kind == NODE_identifier && !ast_inside(x->t, n, x->def) && !ast_inside(x->t, n, made) &&
            str_eq(ast_text(x->t, n), x->cache))
            return true;
    return false;
}

bool plan_memo(Plan *pl, Work *w, const Page *page)
{
    Memo x = {.pl = pl, .w = w, .key_stmt = NONE};
    w->tried = S("the cache is used in more than one function, or others may use it");
    const Place *place = w->place == NONE ? NULL : &pl->p->places.v[w->place];
    if (!place || place->kind != PLACE_GLOBAL || place->type.kind != TYPE_DICT || place->def == NONE ||
        (place->public_ && pl->p->library) || !used_once(&x))
        return false;
    x.file = place->def_file;
    x.f = pl->p->facts[x.file];
    x.t = site_ast(pl, x.file);
    u32 made = made_at(&x);
    if (made == NONE) return fails(&x, "it is not made empty by a statement of the module");
    if (!function_fits(&x)) return false;
    u32 look = look_up(&x, ast_field(x.t, x.def, FIELD_body));
    if (look == NONE || !body_rewrite(&x, look) || !stands_alone(&x, 0, made)) return false;
    if (mentioned_outside(&x, made) || used_otherwise(&x, x.def, x.cache) ||
        (x.key_stmt != NONE && used_otherwise(&x, x.def, x.key)))
        return fails(&x, "the cache or its key is used for something else, too");
    if (comment_above(x.t->source, x.t->v[made].start))
        return fails(&x, "a comment about the cache would be left behind");
    if (x.key_stmt != NONE) {
        if (!stands_alone(&x, x.func, x.key_stmt)) return false;
        lines_delete(&x, x.key_stmt, true);
    }
    Region region;
    Span span = {x.t->v[look].start, x.t->v[look].end};
    if (!region_make(pl, x.file, x.func, span, span, &region, &w->tried)) return false;
    if (judgement_find(S("no-error-nearby"))->judge(pl, w, &region, NULL, &w->tried) != VERDICT_OK) return false;
    lines_delete(&x, made, false);
    decorate(&x);
    fix_take(fix_add(pl, page, w), &x.draft);
    w->done = true;
    return true;
}
