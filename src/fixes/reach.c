/* What a region may call, and who may hold a lock when a function is entered.
 *
 * Walks the program's call edges. Functions are marked by their caller with a number (a group of regions,
 * a lock), so that one array serves all questions. Calls that resolve to nothing are unknown when they may
 * be user code: a parameter, an attribute, a method of an object of unknown type. Properties and special methods that
 * syntax calls are followed, those of operators, f-strings and library functions for the objects that stand there by
 * their name. Finalizers that run inside a region are not. */
#include "fixes/fixes.h"

bool edge_within(const Program *p, const CallEdge *e, Span span)
{
    if (e->call != NONE) return span_within(p->facts[e->file]->calls.v[e->call].span, span);
    return e->at && span.start <= e->at && e->at < span.end; /* 0: a decorator's wrapper */
}

static void takers_index(Plan *pl)
{
    const Program *p = pl->p;
    u32 nsections = p->nfiles ? p->section_base[p->nfiles] : 0;
    pl->taker_first = arena_new(pl->a, u32, p->locks.n + 2);
    pl->taker = arena_new(pl->a, u32, nsections + 1);
    for (u32 i = 0; i < nsections; i++)
        if (p->section_lock[i] != NONE) pl->taker_first[p->section_lock[i] + 2]++;
    for (u32 l = 0; l < p->locks.n; l++) pl->taker_first[l + 2] += pl->taker_first[l + 1];
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->sections.n; i++) {
            u32 lock = p->section_lock[p->section_base[file] + i];
            if (lock != NONE)
                pl->taker[pl->taker_first[lock + 1]++] = gfunc_of(p, file, p->facts[file]->sections.v[i].func);
        }
}

/* ---- code that interrupts others ---- */

static void finalizer_reach(Plan *pl, u32 g)
{
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1]; i++) {
        u32 callee = pl->p->edges.v[i].callee;
        if (pl->p->edges.v[i].weak || pl->finalizer[callee]) continue;
        pl->finalizer[callee] = FINAL_REACHED;
        finalizer_reach(pl, callee);
    }
}

static void finalizer_mark(Plan *pl, u32 g)
{
    pl->finalizer[g] = FINAL_DIRECT;
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1]; i++) {
        if (pl->p->edges.v[i].weak) continue;
        u32 callee = pl->p->edges.v[i].callee;
        bool known = pl->finalizer[callee];
        pl->finalizer[callee] = FINAL_DIRECT;
        if (!known) finalizer_reach(pl, callee);
    }
}

/* Is it self.method() or super().method(), and so about the very object that the caller is about? */
static bool own_call(const Plan *pl, const CallEdge *e)
{
    if (e->call == NONE) return false;
    const Facts *f = pl->p->facts[e->file];
    const Path *p = &f->paths.v[f->calls.v[e->call].callee];
    return p->nattr == 1 && !p->truncated && (p->root == ROOT_SELF || p->root == ROOT_SUPER);
}

/* The function may run in the middle of anything else, about an object that others hold. */
static void foreign_reach(Plan *pl, u32 g)
{
    if (pl->foreign[g]) return;
    pl->foreign[g] = true;
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1]; i++)
        if (!pl->p->edges.v[i].weak) foreign_reach(pl, pl->p->edges.v[i].callee);
}

/* The function is about the object that is being finalized: what it calls on the same object is, too. */
static void own_reach(Plan *pl, u32 g)
{
    if (pl->seen[g] == pl->epoch) return;
    pl->seen[g] = pl->epoch;
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1]; i++) {
        const CallEdge *e = &pl->p->edges.v[i];
        if (e->weak) continue;
        if (own_call(pl, e))
            own_reach(pl, e->callee);
        else
            foreign_reach(pl, e->callee);
    }
}

/* Functions registered with signal.signal, weakref.ref or weakref.finalize. */
static void registered_mark(Plan *pl, u32 file)
{
    const Facts *f = pl->p->facts[file];
    if (intern_find(&f->syms, S("signal")) == NONE && intern_find(&f->syms, S("weakref")) == NONE) return;
    for (u32 i = 0; i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        Str name = path_external(pl->p, file, c->callee);
        if (!str_is(name, "signal.signal") && !str_is(name, "weakref.finalize") && !str_is(name, "weakref.ref"))
            continue;
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            if (f->args.v[k].kind != VAL_PATH) continue;
            Type t = path_type(pl->p, file, f->args.v[k].value);
            if (t.kind != TYPE_FUNC) continue;
            finalizer_mark(pl, t.id);
            foreign_reach(pl, t.id);
        }
    }
}

static void finalizers_find(Plan *pl)
{
    pl->finalizer = arena_new(pl->a, u8, pl->nfuncs + 1);
    pl->foreign = arena_new(pl->a, bool, pl->nfuncs + 1);
    pl->epoch++;
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        registered_mark(pl, file);
        u32 del = intern_find(&f->syms, S("__del__"));
        for (u32 i = 0; del != NONE && i < f->funcs.n; i++)
            if (f->funcs.v[i].name == del) {
                finalizer_mark(pl, gfunc_of(pl->p, file, i));
                own_reach(pl, gfunc_of(pl->p, file, i));
            }
    }
}

void reach_init(Plan *pl)
{
    pl->nfuncs = pl->p->nfiles ? pl->p->func_base[pl->p->nfiles] : 0;
    pl->mark = arena_new(pl->a, u32, pl->nfuncs + 1);
    pl->seen = arena_new(pl->a, u32, pl->nfuncs + 1);
    Callers c = callers_index(pl->p, pl->a);
    pl->caller_first = c.first;
    pl->caller_edge = c.edge;
    takers_index(pl);
    finalizers_find(pl);
}

u32 mark_lockers(Plan *pl)
{
    pl->marks++;
    for (u32 g = 0; g < pl->nfuncs; g++)
        if (program_func(pl->p, g)->nsections) pl->mark[g] = pl->marks;
    return pl->marks;
}

u32 mark_takers(Plan *pl, u32 lock)
{
    pl->marks++;
    for (u32 i = pl->taker_first[lock]; i < pl->taker_first[lock + 1]; i++) pl->mark[pl->taker[i]] = pl->marks;
    return pl->marks;
}

/* ---- downwards ---- */

/* Functions looked at for one question; beyond, anything may be reached. */
enum { REACH_LIMIT = 5000 };

static Reach reaches(Plan *pl, u32 g, u32 mark, u32 *left)
{
    if (pl->mark[g] == mark) return REACH_YES;
    if (pl->seen[g] == pl->epoch) return REACH_NO;
    if (*left == 0) return REACH_UNKNOWN;
    --*left;
    pl->seen[g] = pl->epoch;
    Reach worst = REACH_NO;
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1] && worst != REACH_YES; i++) {
        Reach r = reaches(pl, pl->p->edges.v[i].callee, mark, left);
        worst = MAX(worst, r);
    }
    return worst;
}

bool reach_function(Plan *pl, u32 g, u32 mark, u32 *left)
{
    return reaches(pl, g, mark, left) != REACH_NO;
}

u32 reach_start(Plan *pl)
{
    pl->epoch++;
    return REACH_LIMIT;
}

/* Does a call hand over code of the program: a function, a lambda, a method? */
static bool passes_code(const Facts *f, const Call *c)
{
    for (u32 i = c->args; i < c->args + c->nargs; i++)
        if (f->args.v[i].kind == VAL_LAMBDA || f->args.v[i].kind == VAL_FUNC) return true;
    return false;
}

bool type_is_plain(Type t)
{
    return t.kind != TYPE_UNKNOWN && t.kind != TYPE_NONE && t.kind != TYPE_CLASS && t.kind != TYPE_CLASS_OBJECT &&
           t.kind != TYPE_FUNC;
}

bool path_from_library(const Plan *pl, u32 file, const Path *p, u32 depth)
{
    const Facts *f = pl->p->facts[file];
    if (p->root != ROOT_CALL || !depth) return false;
    u32 callee = f->calls.v[p->func].callee;
    return path_external(pl->p, file, callee).n || path_from_library(pl, file, &f->paths.v[callee], depth - 1);
}

/* The method's name, also where its object is an expression that is not followed: "…".format(x). */
static Str method_name(Plan *pl, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    if (p->nattr) return path_last(f, p);
    const Ast *t = site_ast(pl, file);
    u32 call = ast_at(t, c->span), fn = ast_is(t, call, NODE_call) ? ast_field(t, call, FIELD_function) : NONE;
    return ast_is(t, fn, NODE_attribute) ? ast_text(t, ast_field(t, fn, FIELD_attribute)) : S("");
}

/* Importing a module, or running text, runs code of anybody: import hooks, the module's body. */
bool runs_any_code(const Plan *pl, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    Str full = path_external(pl->p, file, c->callee);
    if (known_module(full, AS_LOADS)) return true;
    if (p->nattr && str_is(path_last(f, p), "load")) { /* of an entry point */
        Str of = sym_str(f, p->nattr > 1 ? p->attr[p->nattr - 2] : p->name);
        if (str_is(of, "ep") || str_contains(of, S("entry_point")) || str_is(of, "entrypoint")) return true;
    }
    return p->nattr == 0 && p->root == ROOT_GLOBAL && known_builtin(sym_str(f, p->name), AS_LOADS);
}

bool call_makes_object(const Facts *f, const Path *p)
{
    if (p->nattr != 1 || !str_is(sym_str(f, p->attr[0]), "__call__")) return false;
    return p->root == ROOT_SUPER || (p->root == ROOT_GLOBAL && str_is(sym_str(f, p->name), "type"));
}

static bool unknown_call(Plan *pl, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    if (passes_code(f, c)) return true;
    if (runs_any_code(pl, file, c)) return true;
    if (call_makes_object(f, p)) return true;
    if (path_external(pl->p, file, c->callee).n) return false;
    if (p->root == ROOT_SUPER) return false; /* of a base that is not part of the program */
    if (path_from_library(pl, file, p, 8)) return false;
    if (p->nattr == 0 && p->root != ROOT_UNKNOWN) return p->root != ROOT_GLOBAL;     /* global: a builtin */
    if (path_is_item(p) && !p->truncated) return true; /* for f in listeners: f() */
    if (p->nattr && !p->truncated && type_is_plain(ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u))))
        return false;
    Str name = method_name(pl, file, c);
    return !known_method(name, AS_PLAIN); /* on an object of unknown type it is taken for one of those */
}

/* ---- what syntax calls ---- */

/* What operators, conditions, f-strings and functions of the library may call on an object. */
static const char *const special[] = {
    "__str__",   "__repr__",   "__format__", "__len__",  "__iter__", "__next__",     "__bool__",    "__hash__",
    "__eq__",    "__ne__",     "__lt__",     "__gt__",   "__le__",   "__ge__",       "__int__",     "__float__",
    "__index__", "__add__",    "__radd__",   "__sub__",  "__rsub__", "__mul__",      "__rmul__",    "__and__",
    "__or__",    "__xor__",    "__iadd__",   "__isub__", "__neg__",  "__abs__",      "__truediv__", "__floordiv__",
    "__mod__",   "__lshift__", "__rshift__", "__ior__",  "__iand__", "__contains__", "__getitem__", "__bytes__"};

static Reach special_reaches(Plan *pl, Type t, u32 mark, u32 *left)
{
    Reach worst = REACH_NO;
    for (u32 i = 0; t.kind == TYPE_CLASS && i < COUNT_OF(special) && worst != REACH_YES; i++) {
        u32 m = method_by_name(pl->p, t.id, special[i]);
        Reach r = m == NONE ? REACH_NO : reaches(pl, m, mark, left);
        worst = MAX(worst, r);
    }
    return worst;
}

/* The objects that are handed to a function of the library: str(self), log.info("%s", job). */
static Reach arguments_reach(Plan *pl, u32 file, const Call *c, u32 mark, u32 *left)
{
    const Facts *f = pl->p->facts[file];
    Reach worst = REACH_NO;
    for (u32 i = c->args; i < c->args + c->nargs && worst != REACH_YES; i++) {
        if (f->args.v[i].kind != VAL_PATH) continue;
        Reach r = special_reaches(pl, path_type(pl->p, file, f->args.v[i].value), mark, left);
        worst = MAX(worst, r);
    }
    return worst;
}

/* Does an operator, an f-string or a condition work on what stands here? */
static bool is_operand(const Ast *t, u32 n)
{
    u8 up = t->v[t->v[n].parent].kind;
    return up == NODE_binary_operator || up == NODE_comparison_operator || up == NODE_boolean_operator ||
           up == NODE_not_operator || up == NODE_unary_operator || up == NODE_interpolation ||
           up == NODE_augmented_assignment || up == NODE_if_statement || up == NODE_while_statement ||
           up == NODE_conditional_expression;
}

/* What a name or an attribute stands for, where that is known. */
static Type operand_type(Plan *pl, u32 file, u32 func, const Ast *t, u32 n)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    if (ast_is(t, n, NODE_identifier)) {
        bool self = fn->cls != NONE && !fn->is_static && fn->nparams &&
                    str_eq(sym_str(f, f->params.v[fn->params].name), ast_text(t, n));
        if (self) return (Type){.kind = TYPE_CLASS, .id = gclass_of(pl->p, file, fn->cls)};
        u32 sym = intern_find(&f->syms, ast_text(t, n));
        return sym == NONE ? (Type){0} : local_type(pl->p, file, func, sym);
    }
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        if (a->span.start == t->v[n].start && a->span.end == t->v[n].end) return path_type(pl->p, file, a->path);
    }
    return (Type){0};
}

static Reach operands_reach(Plan *pl, u32 file, u32 func, Span span, u32 mark, u32 *left)
{
    const Ast *t = site_ast(pl, file);
    Reach worst = REACH_NO;
    for (u32 n = ast_at(t, (Span){span.start, span.start}); n < t->n && t->v[n].start < span.end; n++) {
        if (t->v[n].start < span.start || worst == REACH_YES || !is_operand(t, n)) continue;
        if (!ast_is(t, n, NODE_identifier) && !ast_is(t, n, NODE_attribute)) continue;
        Reach r = special_reaches(pl, operand_type(pl, file, func, t, n), mark, left);
        worst = MAX(worst, r);
    }
    return worst;
}

/* Properties, with statements, subscripts, loops and operators in the span. */
static Reach syntax_reaches(Plan *pl, u32 file, u32 func, Span span, u32 mark, u32 *left)
{
    u32 g = gfunc_of(pl->p, file, func);
    Reach worst = operands_reach(pl, file, func, span, mark, left);
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1] && worst != REACH_YES; i++) {
        const CallEdge *e = &pl->p->edges.v[i];
        if (e->call != NONE || !edge_within(pl->p, e, span)) continue;
        Reach r = reaches(pl, e->callee, mark, left);
        worst = MAX(worst, r);
    }
    return worst;
}

Reach reach_from(Plan *pl, u32 file, u32 func, Span span, u32 mark)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    u32 left = REACH_LIMIT;
    pl->epoch++;
    Reach worst = syntax_reaches(pl, file, func, span, mark, &left);
    if (worst == REACH_YES) return worst;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start < span.start || c->span.end > span.end) continue;
        u32 targets[16], n = call_candidates(pl->p, file, i, targets, COUNT_OF(targets));
        for (u32 k = 0; k < n; k++) {
            Reach r = reaches(pl, targets[k], mark, &left);
            if (r == REACH_YES) return r;
            worst = MAX(worst, r);
        }
        if (n) continue;
        Reach r = arguments_reach(pl, file, c, mark, &left);
        if (r == REACH_YES) return r;
        worst = MAX(worst, r);
        if (unknown_call(pl, file, c)) worst = REACH_UNKNOWN;
    }
    return worst;
}

static bool all_known(Plan *pl, u32 file, u32 func, Span span, u32 *left)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start < span.start || c->span.end > span.end) continue;
        u32 targets[16], n = call_candidates(pl->p, file, i, targets, COUNT_OF(targets));
        if (n == 0 ? unknown_call(pl, file, c) : call_unknown(pl->p, file, i)) return false;
        for (u32 k = 0; k < n; k++) {
            if (pl->seen[targets[k]] == pl->epoch) continue;
            pl->seen[targets[k]] = pl->epoch;
            GId g = func_gid(pl->p, targets[k]);
            if (!*left || !all_known(pl, g.file, g.id, program_func(pl->p, targets[k])->span, left)) return false;
            --*left;
        }
    }
    return true;
}

bool reach_all_known(Plan *pl, u32 file, u32 func, Span span)
{
    u32 left = KNOWN_LIMIT;
    pl->epoch++;
    return all_known(pl, file, func, span, &left);
}

bool takes_directly(const Plan *pl, u32 file, u32 func, Span span, u32 lock)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
        if (pl->p->section_lock[pl->p->section_base[file] + i] == lock && span.start <= f->sections.v[i].stmt &&
            f->sections.v[i].stmt < span.end)
            return true;
    return false;
}

/* ---- upwards ---- */

static bool in_section(const Program *p, const CallEdge *e, u32 lock)
{
    const Facts *f = p->facts[e->file];
    const Func *fn = program_func(p, e->caller);
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
        if (p->section_lock[p->section_base[e->file] + i] == lock && edge_within(p, e, f->sections.v[i].span))
            return true;
    return false;
}

static bool holding(Plan *pl, u32 g, u32 lock, bool weak)
{
    if (pl->seen[g] == pl->epoch) return false;
    pl->seen[g] = pl->epoch;
    for (u32 i = pl->caller_first[g]; i < pl->caller_first[g + 1]; i++) {
        const CallEdge *e = &pl->p->edges.v[pl->caller_edge[i]];
        if (e->weak && !weak) continue;
        bool entered = lockset_has(pl->p, pl->p->funcs[e->caller].entry_locks, lock);
        if (entered || in_section(pl->p, e, lock) || holding(pl, e->caller, lock, weak)) return true;
    }
    return false;
}

bool reach_holding(Plan *pl, u32 gfunc, u32 lock, bool weak)
{
    pl->epoch++;
    return holding(pl, gfunc, lock, weak);
}
