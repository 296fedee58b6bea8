/* Make outside, publish inside: for a value whose making must not run under a lock.
 *
 *   if self._conn is None:                        if self._conn is None:
 *       self._conn = connect(self.url)     →          conn = connect(self.url)
 *                                                     with self._conn_lock:
 *                                                         if self._conn is None:
 *                                                             self._conn = conn
 *
 * The same for an entry of a dictionary. The lock is held for the second test and the store alone, so nothing waits
 * under it, no other lock is taken inside, and no code of others runs. Two threads may still both make the value, as
 * they could before; but all go on with the one that was published first. Only where that is all the harm there was:
 * the store is the last statement of its branch, the steps before it change no other shared state, and no thread or
 * process is started by them, which there would then be twice; nor is a function handed to somebody who keeps it.
 */
#include "fixes/fixes.h"

/* ---- what is tested ---- */

/* X of `X is None`, `not X`, `K not in X`; negated: of `X is not None`, `X`, `K in X`. NONE for other tests. */
static u32 tested_state(const Ast *t, u32 cond, bool negated)
{
    if (ast_is(t, cond, NODE_parenthesized_expression)) cond = ast_first(t, cond);
    if (ast_is(t, cond, NODE_not_operator)) return negated ? NONE : ast_field(t, cond, FIELD_argument);
    if (ast_is(t, cond, NODE_identifier) || ast_is(t, cond, NODE_attribute)) return negated ? cond : NONE;
    if (!ast_is(t, cond, NODE_comparison_operator)) return NONE;
    u32 left = ast_first(t, cond), right = left == NONE ? NONE : ast_after(t, left);
    if (right == NONE || ast_after(t, right) != NONE) return NONE;
    bool none = ast_is(t, right, NODE_none);
    if (none && ast_token(t, cond, negated ? "is not" : "is")) return left;
    return NONE;
}

/* What the store asks once more: the test that stands there, or its opposite after an early return. */
static Str second_test(Plan *pl, const Ast *t, u32 cond, u32 state, bool negated)
{
    if (!negated) return ast_text(t, ast_is(t, cond, NODE_parenthesized_expression) ? ast_first(t, cond) : cond);
    Str x = ast_text(t, state);
    bool none = state != cond && !ast_is(t, cond, NODE_parenthesized_expression);
    return none ? str_fmt(pl->a, "%.*s is None", STR_ARG(x)) : str_fmt(pl->a, "not %.*s", STR_ARG(x));
}

/* Does the condition ask whether the stored entry is there: `K not in D` of D[K], negated `K in D`? K is a name or a
 * literal. */
static bool asks_entry(const Ast *t, u32 cond, u32 target, bool negated)
{
    if (!ast_is(t, cond, NODE_comparison_operator) || !ast_token(t, cond, negated ? "in" : "not in")) return false;
    u32 key = ast_first(t, cond), dict = key == NONE ? NONE : ast_after(t, key), again;
    again = ast_field(t, target, FIELD_subscript);
    if (dict == NONE || ast_after(t, dict) != NONE || again == NONE || ast_after(t, again) != NONE) return false;
    bool simple = ast_is(t, key, NODE_identifier) || ast_is(t, key, NODE_string) || ast_is(t, key, NODE_integer);
    return simple && str_eq(ast_text(t, key), ast_text(t, again)) &&
           str_eq(ast_text(t, dict), ast_text(t, ast_field(t, target, FIELD_value)));
}

/* The same for the store's target, whatever it is; *test: what is asked once more. */
static bool asks_target(Plan *pl, const Ast *t, u32 cond, u32 target, bool negated, Str *test)
{
    if (ast_is(t, target, NODE_subscript)) {
        *test = str_fmt(pl->a, "%.*s not in %.*s", STR_ARG(ast_text(t, ast_field(t, target, FIELD_subscript))),
                        STR_ARG(ast_text(t, ast_field(t, target, FIELD_value))));
        return asks_entry(t, cond, target, negated);
    }
    u32 x = tested_state(t, cond, negated);
    if (x == NONE || !str_eq(ast_text(t, x), ast_text(t, target))) return false;
    *test = second_test(pl, t, cond, x, negated);
    return true;
}

static bool leaves(const Ast *t, u32 block)
{
    u32 only = ast_first(t, block);
    return only != NONE && ast_after(t, only) == NONE && ast_is(t, only, NODE_return_statement);
}

/* The if statement's body ends with the store, or it returns at once and the store ends the run after it. */
static bool test_read(Plan *pl, const Ast *t, const Region *r, u32 store, u32 target, Str *test)
{
    if (!ast_is(t, r->first, NODE_if_statement) || ast_field(t, r->first, FIELD_alternative) != NONE) return false;
    u32 body = ast_field(t, r->first, FIELD_consequence), cond = ast_field(t, r->first, FIELD_condition);
    bool inside = t->v[store].parent == body, negated = !inside;
    if (inside ? ast_after(t, store) != NONE || r->last != r->first
               : t->v[store].parent != t->v[r->first].parent || !leaves(t, body) || r->last != store)
        return false;
    return asks_target(pl, t, cond, target, negated, test);
}

/* Is the key bound anew between the test and the store? */
static bool key_rebound(const Plan *pl, const Ast *t, const Region *r, u32 target)
{
    u32 key = ast_field(t, target, FIELD_subscript);
    const Facts *f = pl->p->facts[r->file];
    if (!ast_is(t, target, NODE_subscript) || !ast_is(t, key, NODE_identifier)) return false;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE || d->span.start < r->span.start || d->span.end > r->span.end) continue;
        const Path *p = &f->paths.v[d->path];
        if (p->nattr == 0 && str_eq(sym_str(f, p->name), ast_text(t, key))) return true;
    }
    return false;
}

/* ---- what stands before the store ---- */

static bool starts_process(Plan *pl, u32 file, const Call *c)
{
    Str full = path_external(pl->p, file, c->callee);
    return str_is(full, "subprocess.Popen") || str_starts(full, S("multiprocessing.")) || str_is(full, "os.fork");
}

/* worker.start(), where it is a thread of a class of the program: the thread is made elsewhere, or by its class. */
static bool starts_thread(const Plan *pl, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    if (!path_is_attr(p) || p->truncated || !str_is(path_last(f, p), "start")) return false;
    Type t = ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u));
    return t.kind == TYPE_THREAD || t.kind == TYPE_PROCESS || (t.kind == TYPE_CLASS && class_is_thread(pl->p, t.id));
}

/* Is a thread or a process started by a call in this span of the function, or by what it calls, `depth` functions
 * down? Further away it is something that belongs to nobody's value, such as a logger's thread. */
static bool starts_something(Plan *pl, u32 gfunc, Span span, u32 depth)
{
    GId id = func_gid(pl->p, gfunc);
    const Facts *f = pl->p->facts[id.file];
    const Func *fn = &f->funcs.v[id.id];
    for (u32 i = 0; i < pl->p->roots.n; i++) {
        const Root *root = &pl->p->roots.v[i];
        if (root->file != id.file || root->call == NONE || root->func == NONE) continue;
        const Call *c = &f->calls.v[root->call];
        if (c->func == id.id && span_within(c->span, span)) return true;
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        if (!span_within(f->calls.v[i].span, span)) continue;
        const Call *c = &f->calls.v[i];
        if (starts_process(pl, id.file, c) || starts_thread(pl, id.file, c)) return true;
        u32 targets[8], n = call_candidates(pl->p, id.file, i, targets, COUNT_OF(targets));
        for (u32 k = 0; k < n; k++) {
            if (!depth || pl->seen[targets[k]] == pl->epoch) continue;
            pl->seen[targets[k]] = pl->epoch;
            if (starts_something(pl, targets[k], program_func(pl->p, targets[k])->span, depth - 1)) return true;
        }
    }
    return false;
}

/* Is anything else that is shared changed in the region? */
static bool changes_more(const Plan *pl, const Region *r)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 g = pl->p->access_base[r->file] + i;
        if (g == r->access || !span_within(f->accesses.v[i].span, r->span)) continue;
        if (pl->p->access_place[g] != NONE && access_writes(pl->p, g)) return true;
    }
    return false;
}

/* Is what is stored made there: a call or an expression, no mere flag? */
bool makes_something(const Facts *f, const Access *act)
{
    if (act->op != OP_STORE || act->value == NONE) return false;
    u8 kind = f->defs.v[act->value].kind;
    return kind == VAL_CALL || kind == VAL_PATH || kind == VAL_OTHER;
}

/* ---- the rewrite ---- */

static bool only_lazy(const Plan *pl, const Work *w, const Region *r)
{
    bool one = false;
    for (u32 i = 0; i < w->races.n; i++) {
        const Race *race = &pl->races->v[w->races.v[i]];
        if (race->act != r->access) continue;
        if (race->rule != UG103 && race->rule != UG104) return false;
        one = true;
    }
    return one;
}

/* Is a function of the program handed to a method of what is not known, or does its name say that it keeps or starts
 * what it is given: loop.call_soon(self._run), bus.subscribe(key)? Then it is done twice, and one is in the way. */
static bool leaves_something(Plan *pl, const Region *r)
{
    static const char *const names[] = {"call_soon", "call_later", "call_at",     "call_soon_threadsafe",
                                        "submit",    "spawn",      "create_task", "schedule",
                                        "subscribe", "register"};
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *p = &f->paths.v[c->callee];
        u32 target;
        if (!span_within(c->span, r->span) || !p->nattr || path_external(pl->p, r->file, c->callee).n) continue;
        if (path_type(pl->p, r->file, c->callee).kind == TYPE_CLASS_OBJECT) continue;
        if (call_targets(pl->p, r->file, i, &target, 1) && !call_unknown(pl->p, r->file, i)) continue;
        if (hands_over(pl, r->file, c) || str_among(path_last(f, p), names, COUNT_OF(names))) return true;
    }
    return false;
}

enum { STARTS_DEPTH = 3 };

bool makes_only(Plan *pl, const Region *r)
{
    if (changes_more(pl, r) || leaves_something(pl, r)) return false;
    pl->epoch++;
    return !starts_something(pl, gfunc_of(pl->p, r->file, r->func), r->span, STARTS_DEPTH);
}

bool outside_region(Plan *pl, const Work *w, const Region *r, Region *out)
{
    if (r->test == NONE || r->copy.n || r->problem.n || !only_lazy(pl, w, r)) return false;
    GId g = access_gid(pl->p, r->access);
    const Facts *f = pl->p->facts[g.file];
    const Access *act = &f->accesses.v[g.id];
    if (act->op != OP_ITEM_STORE && !makes_something(f, act)) return false;
    const Ast *t = site_ast(pl, r->file);
    u32 assign = ast_assignment(t, act->span), stmt = ast_statement(t, assign == NONE ? 0 : assign);
    if (assign == NONE || t->v[assign].parent != stmt || ast_field(t, assign, FIELD_type) != NONE) return false;
    u32 right = ast_field(t, assign, FIELD_right);
    bool call = ast_is(t, right, NODE_call) || ast_is(t, right, NODE_await);
    if (ast_is(t, right, NODE_assignment) || (act->op == OP_ITEM_STORE && !call)) return false;
    u32 target = ast_field(t, assign, FIELD_left);
    if (t->v[target].start != act->span.start || t->v[target].end != act->span.end) return false;
    if (!test_read(pl, t, r, stmt, target, &out->again) || key_rebound(pl, t, r, target)) return false;
    Str why, written = ast_text(t, target);
    Span span = {t->v[stmt].start, t->v[stmt].end};
    Region line;
    if (!region_make(pl, r->file, r->func, span, span, &line, &why) || line.first != stmt || line.last != stmt)
        return false;
    if (line_after(f->source, span.end) == f->source->text.n && !str_ends(f->source->text, S("\n"))) return false;
    Str state = pl->p->syms.strs[pl->p->places.v[w->place].name], again = out->again;
    if (!makes_only(pl, r)) return false;
    /* what makes the value is not under the lock, and so not judged */
    *out = (Region){.file = r->file,
                    .func = r->func,
                    .first = target,
                    .last = target,
                    .span = act->span,
                    .access = r->access,
                    .test = r->test,
                    .race = true,
                    .at = span.start,
                    .again = again};
    if (act->op == OP_ITEM_STORE) state = S("value");
    return local_name(pl, r->file, r->func, state, written, "made", &out->name);
}

void outside_write(Plan *pl, Fix *f, const Region *r, u32 lock)
{
    const Source *s = site_source(pl, r->file);
    const Ast *t = site_ast(pl, r->file);
    Str written = str_slice(s->text, r->span.start, r->span.end);
    intent_add(pl, f, INTENT_REPLACE, r->file, r->span, r->name, NONE);
    u32 at = line_after(s, t->v[ast_statement(t, r->first)].end);
    Str indent = str_slice(s->text, line_before(s, r->at), r->at);
    Str text = str_fmt(pl->a, "with %.*s:\n    if %.*s:\n        %.*s = %.*s", STR_ARG(r->lock), STR_ARG(r->again),
                       STR_ARG(written), STR_ARG(r->name));
    text = str_fmt(pl->a, "%.*s%.*s", STR_ARG(indent), STR_ARG(text_indent(pl, r->file, r->at, text)));
    intent_add(pl, f, INTENT_INSERT, r->file, (Span){at, at}, text, lock);
}
