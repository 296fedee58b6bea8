/* Planner "publish": a value that is cheap to make is made outside of any lock and entered by setdefault.
 *
 *   value = cache.get(key)               value = cache.get(key)
 *   if value is None:               →    if value is None:
 *       value = Value(key)                   value = Value(key)
 *       cache[key] = value                   value = cache.setdefault(key, value)
 *   return value                         return value
 *
 * Two threads may both make one, but all get the one that was entered first. Only on an exact dict, and only where
 * making it twice harms nobody: what is called between the test and the store is known, changes nothing that is
 * shared, takes no lock and reaches no library beyond functions known for that (know/calls.def). Or where a lock
 * would be held while something slow is done, or another lock taken: there twice is what happens today, and less
 * harm. */
#include "fixes/fixes.h"

static bool call_harmless(Plan *pl, u32 file, u32 call, u32 place, u32 depth)
{
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *p = &f->paths.v[c->callee];
    u32 targets[4], n = call_targets(pl->p, file, call, targets, COUNT_OF(targets));
    for (u32 i = 0; i < n; i++) {
        GId g = func_gid(pl->p, targets[i]);
        const Func *fn = &pl->p->facts[g.file]->funcs.v[g.id];
        if (!depth || n == COUNT_OF(targets) || fn->is_generator || fn->is_async ||
            !span_harmless(pl, g.file, g.id, fn->span, place, depth - 1))
            return false;
    }
    if (n) return true;
    Str external = path_external(pl->p, file, c->callee);
    if (external.n && p->nattr == 0 && known_builtin(external, AS_PURE)) return true; /* a builtin */
    if (external.n) return known_function(external, AS_PURE);
    if (p->nattr) return known_method(path_last(f, p), AS_PURE);
    if (path_type(pl->p, file, c->callee).kind == TYPE_CLASS_OBJECT) return true; /* a class without __init__ */
    return p->root == ROOT_GLOBAL && known_builtin(sym_str(f, p->name), AS_PURE);
}

bool span_harmless(Plan *pl, u32 file, u32 func, Span span, u32 place, u32 depth)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    bool construct = pl->p->funcs[gfunc_of(pl->p, file, func)].construct;
    if (fn->nsections) return false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 g = pl->p->access_base[file] + i, at = pl->p->access_place[g];
        if (f->accesses.v[i].span.start < span.start || f->accesses.v[i].span.end > span.end) continue;
        if (at == NONE || at == place || !access_writes(pl->p, g)) continue;
        if (!(construct && pl->p->places.v[at].kind == PLACE_INSTANCE)) return false;
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start >= span.start && c->span.end <= span.end && !call_harmless(pl, file, i, place, depth))
            return false;
    }
    return true;
}

/* D[K] = V or NAME = D[K] = V as an expression statement: the parts. */
typedef struct Store {
    u32 stmt, target, value;
    Str name; /* the local that holds the value too; empty */
} Store;

static bool store_read(const Ast *t, u32 stmt, Str dict, Store *s)
{
    u32 n = ast_is(t, stmt, NODE_expression_statement) ? ast_first(t, stmt) : NONE;
    *s = (Store){.stmt = stmt, .target = NONE, .value = NONE};
    for (u32 depth = 0; ast_is(t, n, NODE_assignment); depth++) {
        u32 left = ast_field(t, n, FIELD_left);
        if (depth > 1 || ast_field(t, n, FIELD_type) != NONE) return false;
        if (ast_is(t, left, NODE_identifier) && !s->name.n)
            s->name = ast_text(t, left);
        else if (ast_is(t, left, NODE_subscript) && s->target == NONE)
            s->target = left;
        else
            return false;
        s->value = n = ast_field(t, n, FIELD_right);
    }
    if (s->target == NONE || s->value == NONE) return false;
    if (!str_eq(ast_text(t, ast_field(t, s->target, FIELD_value)), dict)) return false;
    if (!s->name.n && ast_is(t, s->value, NODE_identifier)) s->name = ast_text(t, s->value);
    return true;
}

/* The text of the container at the left of the access: d of d[k]. */
static Str dict_text(const Ast *t, u32 n)
{
    return ast_is(t, n, NODE_subscript) ? ast_text(t, ast_field(t, n, FIELD_value)) : S("");
}

static bool local_variable(const Facts *f, u32 func, Str name)
{
    for (u32 i = 0; i < f->defs.n; i++) {
        const Path *p = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
        if (p && p->root == ROOT_LOCAL && p->func == func && !p->nattr && str_eq(sym_str(f, p->name), name))
            return true;
    }
    return false;
}

/* Is what comes after the store only about the value that all share? A store that stands for a claim, after which
 * somebody sets to work, is another matter. */
static bool shared_after(const Ast *t, const Store *s)
{
    u32 next = ast_after(t, s->stmt), block = t->v[s->stmt].parent;
    if (next != NONE)
        return s->name.n && ast_is(t, next, NODE_return_statement) && ast_after(t, next) == NONE &&
               ast_first(t, next) != NONE && str_eq(ast_text(t, ast_first(t, next)), s->name);
    return s->name.n || (ast_first(t, block) == s->stmt && ast_is(t, t->v[block].parent, NODE_if_statement));
}

/* What is slow, or takes a lock, is better made twice, as it is today, than under a lock. */
static bool too_slow(Plan *pl, const Work *w, const Race *r, const Region *region)
{
    Str why;
    return r->rule == UG104 && no_blocking(pl, w, region, NULL, &why) != VERDICT_OK && makes_only(pl, region);
}

/* setdefault leaves an entry alone that is there: only where the store, too, finds none. */
static bool sure_missing(Plan *pl, Work *w, u32 file, u32 func, const Store *s, Str dict)
{
    const Ast *t = site_ast(pl, file);
    u32 key = ast_field(t, s->target, FIELD_subscript);
    w->tried = S("the key, or the dict, may be another each time it is asked for");
    if (!expr_steady(pl, file, key) || !expr_steady(pl, file, ast_field(t, s->target, FIELD_value))) return false;
    w->tried = S("the store may replace an entry that is there");
    u8 missing = entry_missing(pl, w->place, file, func, s->stmt, dict, ast_text(t, key));
    if (missing == MISSING_UNKNOWN) return false;
    w->tried = missing == MISSING_NONE ? S("an entry may be None, and setdefault would leave it")
                                       : S("an entry may be empty or zero, and setdefault would leave it");
    return missing == MISSING_SURE || entries_surely(pl, w->place, missing == MISSING_FALSE);
}

/* numbers[key] = len(numbers) + 1: one step for the entry does not keep two keys from getting one number. */
static bool numbered(const Plan *pl, const Work *w, GId act)
{
    const Program *p = pl->p;
    const Facts *f = p->facts[act.file];
    for (u32 i = 0; i < f->flows.n; i++) {
        u32 from = p->access_base[act.file] + f->flows.v[i].from;
        if (f->flows.v[i].to == act.id && p->access_place[from] == w->place && str_is(access_method(p, from), "len"))
            return true;
    }
    return false;
}

static bool publish(Plan *pl, Work *w, const Race *r, Fix *draft)
{
    w->tried = S("the value is not cheap and harmless to make twice, or is not entered by a plain assignment");
    if (r->test == NONE || r->act == NONE) return false;
    GId g = access_gid(pl->p, r->act);
    const Access *test = program_access(pl->p, r->test), *act = program_access(pl->p, r->act);
    if (act->op != OP_ITEM_STORE || test->func != act->func || access_gid(pl->p, r->test).file != g.file)
        return false;
    if (test->op != OP_CONTAINS && test->op != OP_METHOD && test->op != OP_ITEM_LOAD) return false;
    bool of_value = test->test == TEST_COMPARE || (test->op == OP_ITEM_LOAD && test->test != TEST_NO);
    if (of_value) return false; /* setdefault asks only whether there is an entry */
    const Ast *t = site_ast(pl, g.file);
    const Facts *f = pl->p->facts[g.file];
    Str dict = dict_text(t, ast_at(t, act->span));
    Store s;
    if (!dict.n || !store_read(t, ast_statement(t, ast_at(t, act->span)), dict, &s)) return false;
    if (s.name.n && !local_variable(f, act->func, s.name)) return false;
    if (!shared_after(t, &s)) return false;
    w->tried = S("the value follows from how many entries there are, and two keys may get the same");
    if (numbered(pl, w, g)) return false;
    Region region;
    Span span = {t->v[s.stmt].start, t->v[s.stmt].end};
    if (!region_make(pl, g.file, act->func, test->span, span, &region, &w->tried)) return false;
    static const char *const asks[] = {"no-error-nearby", "no-suspend-inside", "exact-dict"};
    for (u32 i = 0; i < COUNT_OF(asks); i++)
        if (judgement_find(str_from(asks[i]))->judge(pl, w, &region, NULL, &w->tried) != VERDICT_OK) return false;
    region.access = r->act;
    if (!span_harmless(pl, g.file, act->func, region.span, w->place, 4) && !too_slow(pl, w, r, &region)) return false;
    u32 key = ast_field(t, s.target, FIELD_subscript);
    if (ast_is(t, key, NODE_slice) || ast_after(t, key) != NONE) return false;
    if (!sure_missing(pl, w, g.file, act->func, &s, dict)) return false;
    Str call = str_fmt(pl->a, "%.*s.setdefault(%.*s, %.*s)", STR_ARG(dict), STR_ARG(ast_text(t, key)),
                       STR_ARG(ast_text(t, s.value)));
    if (s.name.n) call = str_fmt(pl->a, "%.*s = %.*s", STR_ARG(s.name), STR_ARG(call));
    intent_add(pl, draft, INTENT_REPLACE, g.file, span, call, NONE);
    return true;
}

bool plan_publish(Plan *pl, Work *w, const Page *page)
{
    Fix draft = {0};
    if (w->place == NONE) return false;
    for (u32 i = 0; i < w->races.n; i++)
        if (!publish(pl, w, &pl->races->v[w->races.v[i]], &draft)) return false;
    fix_take(fix_add(pl, page, w), &draft);
    w->done = true;
    return true;
}
