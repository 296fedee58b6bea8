/* What the thread roots reach: a walk along the call edges from each of them.
 *
 * A base class calls methods that its subclasses override; which one runs is told by the object. So the walk carries
 * the class of self along: self.m() and super().m() stay with the object, and where an override of one class runs,
 * self is of that class from there on. Without it, one start() of a base class reaches whatever some other subclass
 * starts. A coroutine that is called by a plain function only becomes an object; some loop runs it, which is this
 * thread only when the object is given to it right here.
 *
 * What a function hands to the loop that runs it is called by that loop, in the same thread (loopcalls.c).
 *
 * Not followed: coroutines kept in a local before they are run. */
#include "link/link.h"

typedef struct Step {
    u32 func;
    u32 self;   /* class of self, when it is known to be below the class of the function; NONE */
    bool alone; /* nobody else has self: this very thread makes it, or has made it for itself */
} Step;

/* Locals that were asked whether what they hold is the call's own (own_local), by local_key: one answer for each. */
typedef struct Locals {
    Arena a;
    Map own;
    bool *runs_loop; /* by global func */
} Locals;

typedef struct Walk {
    Program *p;
    Locals *locals;
    Arena scratch;
    Map seen; /* (func, self) */
    Map lone; /* the same, seen with a self that nobody else has */
    Vec(Step) stack;
} Walk;

/* The roots that come with objects of others are kept first; one that comes with its own makes place for them. */
static void info_add(const Program *p, FuncInfo *fi, u32 root, bool alone)
{
    const Root *r = &p->roots.v[root];
    u32 i = 0;
    while (i < fi->nroots && fi->roots[i] != root) i++;
    fi->many |= r->many || i == FUNC_ROOTS;
    fi->threads |= !r->main;
    for (u32 k = 0; i == FUNC_ROOTS && !alone && k < FUNC_ROOTS; k++)
        if (fi->alone & 1u << k) i = k;
    if (i == FUNC_ROOTS) return;
    bool known = i < fi->nroots && fi->roots[i] == root;
    u32 bit = 1u << i;
    fi->alone = (u8)(alone && (!known || fi->alone & bit) ? fi->alone | bit : fi->alone & ~bit);
    fi->roots[i] = root;
    fi->nroots = (u8)MAX(fi->nroots, i + 1);
}

bool is_example_path(Str path)
{
    static const char *const folders[] = {"example", "examples", "sample", "samples", "demo", "demos", "docs"};
    for (Str rest = path; rest.n;) {
        Str part = str_cut(rest, '/', &rest);
        if (rest.n && str_starts(part, S("examples_"))) return true; /* examples_old */
        for (u32 i = 0; rest.n && i < COUNT_OF(folders); i++)
            if (str_is(part, folders[i])) return true;
    }
    return false;
}

/* Tests and examples drive the library from threads of their own; that says nothing about who else does. */
bool from_tests(const Program *p, u32 file, u32 callee)
{
    u32 to = func_gid(p, callee).file;
    return (p->tests[file] && !p->tests[to]) || (p->examples[file] && !p->examples[to]);
}

/* A call resolved by the method's name alone is believed within one file only; chains of such guesses reach
 * everything. */
static bool far_guess(const Program *p, const CallEdge *e)
{
    return e->weak && func_gid(p, e->callee).file != e->file;
}

static bool call_named(const Facts *f, u32 call, const char *const *names, u32 n)
{
    Str name = call_last(f, &f->calls.v[call]);
    for (u32 i = 0; i < n; i++)
        if (str_is(name, names[i])) return true;
    return false;
}

/* Does the function run a loop itself? */
static bool runs_loop(const Facts *f, u32 func)
{
    static const char *const loops[] = {"run_forever", "run_until_complete", "run", "run_sync"};
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (call_named(f, i, loops, COUNT_OF(loops))) return true;
    return false;
}

enum { WRAPPED = 4 };

/* Is the result of the call an argument of one that runs coroutines in this thread? A task is run by its loop: by
 * this thread, if the function runs one or passes the task on to who does. */
static bool runs_here(const Facts *f, u32 call, u32 depth)
{
    static const char *const runners[] = {"run", "run_until_complete", "run_sync"};
    static const char *const makers[] = {"wait_for", "create_task", "ensure_future", "gather", "start_soon"};
    for (u32 i = 0; i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            if (f->args.v[k].kind != VAL_CALL || f->args.v[k].value != call) continue;
            if (call_named(f, i, runners, COUNT_OF(runners))) return true;
            if (!depth || !call_named(f, i, makers, COUNT_OF(makers))) continue;
            if (runs_loop(f, c->func) || runs_here(f, i, depth - 1)) return true;
        }
    }
    return false;
}

static bool only_made(const Program *p, const CallEdge *e)
{
    GId to = func_gid(p, e->callee), from = func_gid(p, e->caller);
    if (!is_coroutine(p, to.file, to.id) || is_coroutine(p, from.file, from.id)) return false;
    return e->call == NONE || !runs_here(p->facts[e->file], e->call, WRAPPED);
}

/* Class of the object, or the class itself, on which a method is called; NONE when unknown. */
static u32 receiver_class(const Program *p, u32 file, const Path *x)
{
    Ent e = path_resolve(p, file, x, x->nattr ? x->nattr - 1u : 0);
    if (e.kind == ENT_CLASS || (e.kind == ENT_INSTANCE && x->nattr)) return e.id;
    if (!x->nattr || (e.kind != ENT_PLACE && e.kind != ENT_LOCAL)) return NONE;
    Type t = ent_type(p, e);
    return t.kind == TYPE_CLASS || t.kind == TYPE_CLASS_OBJECT ? t.id : NONE;
}

static u32 self_class(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    u32 cls = p->facts[g.file]->funcs.v[g.id].self_class;
    return cls == NONE ? NONE : gclass_of(p, g.file, cls);
}

/* Is it self.m() or super().m() of a method m, or the call of a function inside the method? */
typedef enum SelfCall { SELF_NOT, SELF_METHOD, SELF_SUPER, SELF_INNER } SelfCall;
static SelfCall self_call(const Program *p, const CallEdge *e)
{
    GId g = func_gid(p, e->callee);
    const Facts *f = p->facts[e->file];
    const Func *to = &p->facts[g.file]->funcs.v[g.id];
    const Path *x = &f->paths.v[f->calls.v[e->call].callee];
    if (to->cls == NONE) return g.file == e->file && to->parent ? SELF_INNER : SELF_NOT;
    if (e->weak || x->nattr != 1 || x->attr[0] == SYM_ITEM) return SELF_NOT;
    if (!str_eq(sym_str(f, x->attr[0]), sym_str(p->facts[g.file], to->name))) return SELF_NOT;
    return x->root == ROOT_SUPER ? SELF_SUPER : x->root == ROOT_SELF || x->root == ROOT_CLS ? SELF_METHOD : SELF_NOT;
}

/* What self is after the call, when it is `self` before it. False when no such object takes this edge. */
static bool self_after(const Program *p, const CallEdge *e, u32 self, u32 *after)
{
    u32 owner = self_class(p, e->callee);
    *after = NONE;
    if (owner == NONE || e->call == NONE) return true;
    const Facts *f = p->facts[e->file];
    const Path *x = &f->paths.v[f->calls.v[e->call].callee];
    SelfCall kind = self_call(p, e);
    u32 known = kind == SELF_NOT ? receiver_class(p, e->file, x) : self != NONE ? self : self_class(p, e->caller);
    if (known == NONE || class_is_a(p, owner, known)) return true;
    if (!class_is_a(p, known, owner)) return kind == SELF_NOT || kind == SELF_INNER || self == NONE;
    if (kind == SELF_METHOD && class_method(p, known, gsym(p, e->file, x->attr[0]), false) != e->callee) return false;
    *after = known;
    return true;
}

static bool seen(const Map *m, u32 func, u32 self)
{
    return map_get(m, map_key(func, NONE)) != NONE || map_get(m, map_key(func, self)) != NONE;
}

static void visit(Walk *w, u32 root, Step to)
{
    if (seen(&w->seen, to.func, to.self) || (to.alone && seen(&w->lone, to.func, to.self))) return;
    map_put(&w->scratch, to.alone ? &w->lone : &w->seen, map_key(to.func, to.self), 1);
    info_add(w->p, &w->p->funcs[to.func], root, to.alone);
    vec_push(&w->scratch, &w->stack, to);
}

/* Does a class keep its new objects to themselves: does __init__ not give self to anybody? */
static bool made_quietly(const Program *p, u32 cls)
{
    u32 init = method_by_name(p, cls, "__init__");
    if (init == NONE) return true;
    GId g = func_gid(p, init);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    return !fn->nparams || !local_escapes(p, g.file, g.id, f->params.v[fn->params].name, ESCAPE_DEPTH);
}

/* job = Job(): does the local only ever hold what this call makes, and does that neither leave it nor make itself
 * known? */
static bool holds_own(const Program *p, u32 file, const Path *x)
{
    const LinkState *s = p->state;
    const Facts *f = p->facts[file];
    u32 at = map_get(&s->local_defs, local_key(file, x->func, x->name));
    if (at == NONE) return false;
    for (; at != NONE; at = s->defrefs.v[at].next) {
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        Ent made = d->kind == VAL_CALL ? path_entity(p, file, f->calls.v[d->value].callee) : (Ent){0};
        if (made.kind != ENT_CLASS || !made_quietly(p, made.id)) return false;
    }
    return !local_escapes(p, file, x->func, x->name, ESCAPE_DEPTH);
}

/* job.run(): is it a method of such an object? */
static bool own_local(const Program *p, Locals *known, const CallEdge *e)
{
    const Facts *f = p->facts[e->file];
    const Call *c = &f->calls.v[e->call];
    const Path *x = &f->paths.v[c->callee];
    if (x->root != ROOT_LOCAL || x->nattr != 1 || x->attr[0] == SYM_ITEM || x->func != c->func) return false;
    u64 key = local_key(e->file, x->func, x->name);
    u32 own = map_get(&known->own, key);
    if (own == NONE) map_put(&known->a, &known->own, key, own = holds_own(p, e->file, x));
    return own;
}

/* Does who takes this edge have the object that the callee has as self for itself alone: does the call make it, or
 * did an earlier one whose object calls its own methods, or is it in a local that does not leave the caller? */
static bool has_alone(const Walk *w, const CallEdge *e, bool alone)
{
    const Program *p = w->p;
    if (e->call == NONE || e->weak) return false;
    SelfCall kind = self_call(p, e);
    if (kind != SELF_NOT) return alone && kind != SELF_INNER;
    return p->funcs[e->callee].construct || own_local(p, w->locals, e);
}

/* submit(fetch) of a coroutine function: the thread would only make the coroutine. Who takes it nevertheless gives it
 * to a loop. */
static bool given_to_loop(const Program *p, const Root *r)
{
    GId g = func_gid(p, r->func);
    if (r->call == NONE || !is_coroutine(p, g.file, g.id)) return false;
    const Facts *f = p->facts[r->file];
    const Call *c = &f->calls.v[r->call];
    Str name = sym_str(p->facts[g.file], p->facts[g.file]->funcs.v[g.id].name);
    for (u32 k = c->args; k < c->args + c->nargs; k++) {
        const Path *x = f->args.v[k].kind == VAL_PATH ? &f->paths.v[f->args.v[k].value] : NULL;
        if (x && str_eq(path_last(f, x), name)) return true;
    }
    return false;
}

enum { BASES = 4 }; /* so far up */

/* Is the path a method of self, which whoever gets it has self by? */
static bool bound_to_self(const Program *p, u32 file, u8 kind, u32 value)
{
    if (kind != VAL_PATH) return false;
    const Path *x = &p->facts[file]->paths.v[value];
    return x->root == ROOT_SELF && x->nattr == 1 && path_entity(p, file, value).kind == ENT_FUNC;
}

/* Does no method of the class, or of a base of it, give self or a bound method of self to anybody? */
static bool keeps_to_itself(const Program *p, u32 cls, u32 depth)
{
    GId k = class_gid(p, cls);
    const Facts *f = p->facts[k.file];
    for (u32 i = 1; i < f->funcs.n; i++) {
        const Func *fn = &f->funcs.v[i];
        if (fn->cls != k.id || fn->is_static || fn->is_classmethod || !fn->nparams) continue;
        if (local_escapes(p, k.file, i, f->params.v[fn->params].name, ESCAPE_DEPTH)) return false;
        for (u32 c = fn->calls; c < fn->calls + fn->ncalls; c++)
            for (u32 a = f->calls.v[c].args; a < f->calls.v[c].args + f->calls.v[c].nargs; a++)
                if (bound_to_self(p, k.file, f->args.v[a].kind, f->args.v[a].value)) return false;
    }
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (f->funcs.v[d->func].cls == k.id && bound_to_self(p, k.file, d->kind, d->value)) return false;
    }
    const ClassInfo *ci = &p->state->classes[cls];
    for (u32 i = 0; i < ci->bases.n; i++)
        if (!depth || !keeps_to_itself(p, ci->bases.v[i], depth - 1)) return false;
    return true;
}

/* worker = Worker(); Thread(target=worker.run).start(): is the local bound to what it holds only once in the
 * function, right before, and not used but for its attributes? */
static bool local_for_start(const Program *p, u32 file, const Call *start, const Path *x)
{
    const LinkState *s = p->state;
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[start->func];
    u32 at = map_get(&s->local_defs, local_key(file, x->func, x->name)), uses = 0;
    if (at == NONE || s->defrefs.v[at].next != NONE || x->func != start->func || !start->func) return false;
    const Def *d = &f->defs.v[s->defrefs.v[at].def];
    Ent made = d->kind == VAL_CALL ? path_entity(p, file, f->calls.v[d->value].callee) : (Ent){0};
    bool each = d->block == start->block || !f->blocks.v[start->block].repeats;
    if (made.kind != ENT_CLASS || !each || d->span.start > start->span.start || !made_quietly(p, made.id))
        return false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        const Path *y = &f->paths.v[a->path];
        if (y->root != x->root || y->name != x->name || y->func != x->func || a->op == OP_STORE) continue;
        if (!y->nattr) return false;
        uses += a->op == OP_ARG || a->op == OP_RETURN;
    }
    return uses == 1 && keeps_to_itself(p, made.id, BASES);
}

/* Thread(target=Worker().run): does each thread of the root come with an object that is made for it and that nobody
 * else has? */
static bool starts_alone(const Program *p, const Root *r)
{
    if (r->call == NONE || r->own || r->chain) return false;
    const Facts *f = p->facts[r->file];
    const Call *c = &f->calls.v[r->call];
    const Func *fn = program_func(p, r->func);
    Str name = sym_str(p->facts[func_gid(p, r->func).file], fn->name);
    for (u32 k = c->args; k < c->args + c->nargs && fn->cls != NONE; k++) {
        const Path *x = f->args.v[k].kind == VAL_PATH ? &f->paths.v[f->args.v[k].value] : NULL;
        if (!x || x->nattr != 1 || !str_eq(sym_str(f, x->attr[0]), name)) continue;
        if (x->root == ROOT_LOCAL) return local_for_start(p, r->file, c, x);
        if (x->root != ROOT_CALL) return false;
        Ent made = path_entity(p, r->file, f->calls.v[x->func].callee);
        return made.kind == ENT_CLASS && made_quietly(p, made.id) && keeps_to_itself(p, made.id, BASES);
    }
    return false;
}

/* Is the thread that comes to the function the one of a loop, which calls what the function hands to it? */
static bool in_loop(const Walk *w, u32 gfunc)
{
    const Program *p = w->p;
    GId g = func_gid(p, gfunc);
    return is_coroutine(p, g.file, g.id) || p->funcs[gfunc].later || w->locals->runs_loop[gfunc];
}

static void visit_later(Walk *w, u32 root, u32 gfunc)
{
    const LinkState *s = w->p->state;
    u32 i = map_get(&s->later_first, gfunc);
    for (bool ours = i != NONE && in_loop(w, gfunc); ours && i != NONE; i = s->later.v[i].next)
        if (!from_tests(w->p, s->later.v[i].file, s->later.v[i].callee))
            visit(w, root, (Step){s->later.v[i].callee, NONE, false});
}

/* Does the function run the loop of a toolkit itself? */
static bool runs_windows(const Program *p, u32 gfunc)
{
    static const char *const loops[] = {"mainloop", "MainLoop", "main_loop", "exec", "exec_", "run"};
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (call_named(f, i, loops, COUNT_OF(loops))) return true;
    return false;
}

/* Toolkits want their windows made in the thread that runs their loop (tkinter: Python library reference, "Threading
 * model"; wx: "Multithreading Overview"; Qt: "Thread Basics"). Calls by which another thread seems to make one,
 * MainFrame.get(), find it made, or only show that something went wrong. */
static bool opens_window(const Program *p, u32 root, const CallEdge *e)
{
    enum { BASE_STEPS = 4 };
    GId g = func_gid(p, e->callee);
    const Func *to = &p->facts[g.file]->funcs.v[g.id];
    if (e->call == NONE || to->cls == NONE || !str_is(sym_str(p->facts[g.file], to->name), "__init__")) return false;
    if (self_call(p, e) != SELF_NOT || !class_draws(p, gclass_of(p, g.file, to->cls), BASE_STEPS)) return false;
    return !runs_windows(p, e->caller) && !runs_windows(p, e->callee) && !runs_windows(p, p->roots.v[root].func);
}

static void walk_from(Program *p, u32 root, Locals *locals)
{
    Walk w = {.p = p, .locals = locals};
    const Root *r = &p->roots.v[root];
    if (given_to_loop(p, r)) return;
    if (r->file == NONE || !from_tests(p, r->file, r->func))
        visit(&w, root, (Step){r->func, r->self, starts_alone(p, r)});
    while (w.stack.n) {
        Step at = w.stack.v[--w.stack.n];
        for (u32 i = p->edge_first[at.func]; i < p->edge_first[at.func + 1]; i++) {
            const CallEdge *e = &p->edges.v[i];
            u32 self;
            if (e->param || from_tests(p, e->file, e->callee) || far_guess(p, e) || only_made(p, e)) continue;
            if (!self_after(p, e, at.self, &self) || (!r->main && opens_window(p, root, e))) continue;
            visit(&w, root, (Step){e->callee, self, has_alone(&w, e, at.alone)});
        }
        visit_later(&w, root, at.func);
        p->roots.v[root].runs_loop |= locals->runs_loop[at.func];
    }
    arena_free(&w.scratch);
}

/* Threads first, so that of what does not fit it is not they that are left out. */
void roots_walk(Program *p)
{
    Locals locals = {0};
    locals.runs_loop = arena_new(&locals.a, bool, p->state->nfuncs + 1);
    for (u32 i = 0; i < p->state->nfuncs; i++) {
        GId g = func_gid(p, i);
        locals.runs_loop[i] = runs_loop(p->facts[g.file], g.id);
    }
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++)
        if (p->roots.v[i].func != NONE && !p->roots.v[i].main) walk_from(p, i, &locals);
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++)
        if (p->roots.v[i].func != NONE && p->roots.v[i].main) walk_from(p, i, &locals);
    arena_free(&locals.a);
}
