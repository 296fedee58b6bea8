/* Starters that are called again: functions that start one thread in each call and do not wait for it.
 *
 *   @app.route("/mail")              class Sender:
 *   def mail():                          def send(self, message):
 *       Thread(target=post).start()          Thread(target=self._post, args=(message,)).start()
 *
 * On the left each request starts a thread, so that there are as many as there are requests: whatever runs many times
 * at once, and comes to the start by calls that no test keeps it from, starts many (FuncInfo.calls; `others` where
 * each has an object of its own). On the right users call send() as often as there is something to send, which is
 * likely and not certain (FuncInfo.maybe): a public function that nobody in sight calls, or that such functions call,
 * whose name does not say that it begins something (start, run, serve, connect, …: once for each object), whose
 * thread is not kept as the one of its object or module, and whose start no test keeps from happening twice.
 *
 * A test does so when it asks for state that changes, `if self._thread is None`, `if self.busy: return`, or calls a
 * method of the object; one of an argument or of an option that is set in the constructor does not.
 *
 * Needs roots, edges, and what order.c and beside.c fill. Not seen: threads of libraries, starts by another name than
 * those that this function itself makes. */
#include "link/link.h"

enum { CALLERS_UP = 2, CALLERS = 8 };

/* By root: how several of its threads come to run at once. */
typedef enum Several { ONE, MAYBE, MANY, MANY_OTHERS } Several;

typedef struct PerCall {
    Program *p;
    Callers callers;
    bool *often; /* by global func: does a root that runs many times at once come to it, past no such test? */
} PerCall;

/* ---- tests that let a thread be started only once ---- */

/* Does anything but the making of its object or module bind what the path names; or is it a container? */
static bool changes(const Program *p, u32 file, u32 path)
{
    const LinkState *s = p->state;
    Ent e = path_entity(p, file, path);
    if (e.kind != ENT_PLACE) return false;
    if (type_holds_items(ent_type(p, e).kind)) return true;
    for (u32 at = map_get(&s->place_defs, e.id); at != NONE; at = s->defrefs.v[at].next) {
        u32 in = s->defrefs.v[at].file, func = p->facts[in]->defs.v[s->defrefs.v[at].def].func;
        if (func && !p->funcs[gfunc_of(p, in, func)].construct) return true;
    }
    return false;
}

/* self.is_busy(), thread.is_alive(), lock.acquire(False): a call that may tell whether there is a thread already. */
static bool asks(const Program *p, u32 file, const Call *c)
{
    static const char *const words[] = {"alive", "acquire", "locked", "is_set", "running", "started", "cache"};
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[c->callee];
    Str name = path_last(f, x);
    if (str_has_any(name, words, COUNT_OF(words))) return true;
    return x->root == ROOT_SELF && x->nattr == 1 && path_entity(p, file, c->callee).kind == ENT_FUNC;
}

static bool once_test(const Program *p, u32 file, const Cond *cond)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[cond->func];
    if (cond->is_try || cond->loop) return false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++)
        if (span_within(f->accesses.v[i].span, cond->head) && changes(p, file, f->accesses.v[i].path)) return true;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (span_within(f->calls.v[i].span, cond->head) && asks(p, file, &f->calls.v[i])) return true;
    return false;
}

/* Does such a test stand around the call, or leave the function before it? */
static bool guarded(const Program *p, u32 file, const Call *c)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->conds.n; i++) {
        const Cond *x = &f->conds.v[i];
        if (x->func != c->func || x->span.start > c->span.start) continue;
        bool around = (x->then_block != NONE && block_within(f, c->block, x->then_block)) ||
                      (x->else_block != NONE && block_within(f, c->block, x->else_block));
        bool leaves = (x->then_block != NONE && f->blocks.v[x->then_block].exits) ||
                      (x->else_block != NONE && f->blocks.v[x->else_block].exits);
        if ((around || (leaves && x->span.end <= c->span.start)) && once_test(p, file, x)) return true;
    }
    return false;
}

/* @lru_cache, @run_once: a decorator that lets the function run once for each argument, or only once. */
static bool runs_once(const Program *p, u32 gfunc)
{
    static const char *const words[] = {"cache", "once", "memo", "singleton"};
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++) {
        const Path *x = &f->paths.v[f->decorators.v[i]];
        Str name = path_last(f, x);
        if (str_has_any(name, words, COUNT_OF(words))) return true;
    }
    return false;
}

/* Is it a call that runs the callee here and now, whenever its function runs? */
static bool follows(const Program *p, const CallEdge *e)
{
    if (e->weak || e->passed || e->param || e->kept || e->call == NONE) return false;
    if (from_tests(p, e->file, e->callee) || runs_once(p, e->callee)) return false;
    return !guarded(p, e->file, &p->facts[e->file]->calls.v[e->call]);
}

/* ---- what runs many times at once ---- */

static bool often_root(const Program *p, const Root *r)
{
    if (!r->many || r->func == NONE || r->main || r->loop || r->lane || r->awaited || r->chain) return false;
    if (r->own && r->call != NONE) return false; /* the end of an object */
    return r->file == NONE || !from_tests(p, r->file, r->func);
}

static void often_find(PerCall *x, Arena *scratch)
{
    const Program *p = x->p;
    u32 n = 0, *stack = arena_new(scratch, u32, p->state->nfuncs + 1);
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        if (!often_root(p, &p->roots.v[i]) || x->often[p->roots.v[i].func]) continue;
        x->often[p->roots.v[i].func] = true;
        stack[n++] = p->roots.v[i].func;
    }
    while (n) {
        u32 at = stack[--n];
        for (u32 i = p->edge_first[at]; i < p->edge_first[at + 1]; i++) {
            const CallEdge *e = &p->edges.v[i];
            if (x->often[e->callee] || !p->funcs[e->callee].nroots || !follows(p, e)) continue;
            x->often[e->callee] = true;
            stack[n++] = e->callee;
        }
    }
}

/* Job(name).begin(); job = Job(name); job.begin(): does the caller make the object that the method is called on? */
static bool made_by_caller(const Program *p, const CallEdge *e)
{
    const LinkState *s = p->state;
    const Facts *f = p->facts[e->file];
    const Path *x = &f->paths.v[f->calls.v[e->call].callee];
    if (x->nattr != 1 || (x->root != ROOT_CALL && x->root != ROOT_LOCAL)) return false;
    if (x->root == ROOT_CALL) return path_entity(p, e->file, f->calls.v[x->func].callee).kind == ENT_CLASS;
    u32 at = map_get(&s->local_defs, local_key(e->file, x->func, x->name));
    for (u32 i = at; i != NONE; i = s->defrefs.v[i].next) {
        const Def *d = &f->defs.v[s->defrefs.v[i].def];
        if (d->kind != VAL_CALL || path_entity(p, e->file, f->calls.v[d->value].callee).kind != ENT_CLASS)
            return false;
    }
    return at != NONE;
}

/* Do all who come often to the method have made its object for that, be it by way of another method of it? */
static bool made_for_call(const PerCall *x, u32 gfunc, u32 up)
{
    const Program *p = x->p;
    bool any = false;
    for (u32 i = x->callers.first[gfunc]; i < x->callers.first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[x->callers.edge[i]];
        if (e->caller == gfunc || e->call == NONE || !x->often[e->caller]) continue;
        const Path *q = &p->facts[e->file]->paths.v[p->facts[e->file]->calls.v[e->call].callee];
        bool by_self = q->root == ROOT_SELF && q->nattr == 1 && up;
        if (!(by_self ? made_for_call(x, e->caller, up - 1) : made_by_caller(p, e))) return false;
        any = true;
    }
    return any;
}

/* Does each of those that come often have an object of its own as self of the starter? */
static bool own_objects(const PerCall *x, u32 gfunc, u32 cls)
{
    const Program *p = x->p;
    const FuncInfo *fi = &p->funcs[gfunc];
    if (fi->construct || made_for_call(x, gfunc, CALLERS_UP)) return true;
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        if (!often_root(p, r) || fi->alone & 1u << i) continue;
        GId g = func_gid(p, r->func);
        u32 of = p->facts[g.file]->funcs.v[g.id].self_class;
        bool same = r->own && of != NONE && class_is_a(p, gclass_of(p, g.file, of), cls);
        if (!same) return false;
    }
    return true;
}

/* ---- what users call again and again ---- */

/* Is a parameter of the starter among what the call is given, or in a tuple or a list there? */
static bool hands_parameter(const Facts *f, const Call *c)
{
    const Func *fn = &f->funcs.v[c->func];
    for (u32 k = c->args; k < c->args + c->nargs; k++) {
        Str text = str_slice(f->source->text, f->args.v[k].span.start, f->args.v[k].span.end);
        for (u32 i = fn->params; i < fn->params + fn->nparams; i++) {
            Str name = sym_str(f, f->params.v[i].name);
            if (!str_is(name, "self") && !str_is(name, "cls") && str_has_name(text, name)) return true;
        }
    }
    return false;
}

/* A class of a library is above it, whose code may call the method, once or again. */
static bool for_framework(const Program *p, u32 gclass)
{
    const ClassInfo *ci = &p->state->classes[gclass];
    for (u32 i = 0; i < ci->ext_bases.n; i++) {
        Str base = p->syms.strs[ci->ext_bases.v[i]];
        if (!str_is(base, "object") && !str_starts(base, S("abc.")) && !str_starts(base, S("typing."))) return true;
    }
    return false;
}

static bool hidden(Str name)
{
    return name.n && name.p[0] == '_';
}

/* May users call the function again and again? `handed`: its thread gets what it was given. */
static bool called_by_users(const PerCall *x, u32 gfunc, bool handed, u32 up)
{
    const Program *p = x->p;
    const FuncInfo *fi = &p->funcs[gfunc];
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    Str name = sym_str(f, fn->name);
    if (fi->import_time || fi->construct || fi->event_loop || fi->nroots || fn->is_lambda || fn->parent) return false;
    if (!fi->api || p->tests[g.file] || p->examples[g.file] || p->vendored[g.file]) return false;
    if (fn->cls != NONE && (hidden(sym_str(f, f->classes.v[fn->cls].name)) ||
                            (!handed && for_framework(p, gclass_of(p, g.file, fn->cls)))))
        return false;
    u32 first = x->callers.first[gfunc], end = x->callers.first[gfunc + 1], called = 0;
    for (u32 i = first; i < end && i - first < CALLERS; i++) {
        const CallEdge *e = &p->edges.v[x->callers.edge[i]];
        if (e->caller == gfunc || p->tests[e->file] || p->examples[e->file]) continue;
        called++;
        if (up && follows(p, e) && !made_by_caller(p, e) && called_by_users(x, e->caller, handed, up - 1))
            return true;
    }
    u32 once = handed ? SAYS_ONCE : SAYS_ONCE | SAYS_OFTEN_ONCE;
    return !called && !hidden(name) && !name_says(name, once) && !runs_once(p, gfunc);
}

/* ---- roots ---- */

/* Is it a thread by its own class or function, and no callback of a library? */
static bool makes_thread(const Program *p, u32 file, const Call *c)
{
    Str ext = path_external(p, file, c->callee);
    if (str_is(ext, "threading.Thread") || str_is(ext, "threading.Timer")) return true;
    if (str_is(ext, "_thread.start_new_thread") || str_is(ext, "thread.start_new_thread")) return true;
    Ent e = path_entity(p, file, c->callee);
    return e.kind == ENT_CLASS && class_is_thread(p, e.id);
}

/* How often the call starts a thread whose function, of the root, is run by others that it started as well. */
static Several started_by(const PerCall *x, const Root *r, u32 file, const Call *c)
{
    const Program *p = x->p;
    const Facts *f = p->facts[file];
    u32 starter = gfunc_of(p, file, c->func), cls = f->funcs.v[c->func].self_class;
    const FuncInfo *fi = &p->funcs[starter];
    if (!c->func || !makes_thread(p, file, c) || from_tests(p, file, r->func) || guarded(p, file, c)) return ONE;
    if (x->often[starter] && fi->nroots)
        return cls != NONE && own_objects(x, starter, gclass_of(p, file, cls)) ? MANY_OTHERS : MANY;
    bool kept = c->target != NONE && (f->paths.v[c->target].nattr || f->paths.v[c->target].root == ROOT_GLOBAL);
    if (kept || fi->last_join != NONE || r->chain) return ONE;
    return called_by_users(x, starter, hands_parameter(f, c), CALLERS_UP) ? MAYBE : ONE;
}

/* class Job(Thread): the calls that make one. Its objects are made with what they work on, which is theirs. */
static void of_thread_classes(const PerCall *x, u8 *several)
{
    const Program *p = x->p;
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        if (!r->own || r->call != NONE || r->func == NONE || r->many || r->main || r->loop || r->lane) continue;
        GId g = func_gid(p, r->func);
        u32 cls = p->facts[g.file]->funcs.v[g.id].cls;
        if (cls == NONE || !class_is_thread(p, gclass_of(p, g.file, cls))) continue;
        cls = r->self == NONE ? gclass_of(p, g.file, cls) : r->self;
        Str name = sym_str(p->facts[class_gid(p, cls).file],
                           p->facts[class_gid(p, cls).file]->classes.v[class_gid(p, cls).id].name);
        for (u32 file = 0; file < p->nfiles; file++) {
            const Facts *f = p->facts[file];
            if (p->tests[file] || intern_find(&f->syms, name) == NONE) continue;
            for (u32 k = 0; k < f->calls.n; k++) {
                Ent e = path_entity(p, file, f->calls.v[k].callee);
                if (e.kind != ENT_CLASS || e.id != cls) continue;
                several[i] = MAX(several[i], (u8)started_by(x, r, file, &f->calls.v[k]));
            }
        }
    }
}

void percall_find(Program *p)
{
    Arena scratch = {0};
    PerCall x = {.p = p, .often = arena_new(&scratch, bool, p->state->nfuncs + 1)};
    u8 *several = arena_new(&scratch, u8, p->roots.n + 1);
    x.callers = callers_index(p, &scratch);
    often_find(&x, &scratch);
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        if (r->call == NONE || r->func == NONE || r->main || r->loop || r->awaited || r->many || r->lane) continue;
        several[i] = (u8)started_by(&x, r, r->file, &p->facts[r->file]->calls.v[r->call]);
    }
    of_thread_classes(&x, several);
    for (u32 i = 0; i < p->state->nfuncs; i++)
        for (u32 k = 0; k < p->funcs[i].nroots; k++) {
            u8 how = several[p->funcs[i].roots[k]], bit = (u8)(1u << k);
            if (how == MAYBE) p->funcs[i].maybe |= bit;
            if (how == MANY) p->funcs[i].calls |= bit;
            if (how == MANY_OTHERS) p->funcs[i].others |= bit;
        }
    arena_free(&scratch);
}
