/* Call edges: who may call whom, and what callers pass for parameters.
 *
 * Followed: functions, methods (with overriding ones in subclasses), constructors (with a metaclass's __call__),
 * objects with __call__, decorators' wrappers, partial, callbacks passed as arguments, what syntax calls
 * (implicit.c).
 * A method call on a receiver of unknown type goes to the methods of that name when at most three classes have one
 * and the name is not a common one.
 */
#include "link/link.h"

enum { WEAK_MAX = 3, TARGETS = 16, DEFS_SEEN = 12 };

CallEdge *edge_add(Program *p, u32 caller, u32 callee, u32 file, u32 call)
{
    CallEdge *e = vec_add(p->arena, &p->edges);
    *e = (CallEdge){.caller = caller, .callee = callee, .file = file, .call = call};
    return e;
}

static u32 push_target(u32 *out, u32 n, u32 max, u32 gfunc)
{
    for (u32 i = 0; i < n; i++)
        if (out[i] == gfunc) return n;
    if (n < max) out[n++] = gfunc;
    return n;
}

u32 class_method_called(const Program *p, u32 gclass, Str name)
{
    u32 gs = intern_find(&p->syms, name);
    return gs == NONE ? NONE : class_method(p, gclass, gs, false);
}

u32 method_by_name(const Program *p, u32 cls, const char *name)
{
    return class_method_called(p, cls, str_from(name));
}

/* The methods that override m in subclasses of cls. */
static u32 overrides(const Program *p, u32 cls, u32 gs, u32 *out, u32 n, u32 max, u32 depth)
{
    const ClassInfo *ci = &p->state->classes[cls];
    for (u32 i = 0; i < ci->subs.n && depth < 8; i++) {
        u32 m = map_get(&p->state->classes[ci->subs.v[i]].methods, gs);
        if (m != NONE) n = push_target(out, n, max, m);
        n = overrides(p, ci->subs.v[i], gs, out, n, max, depth + 1);
    }
    return n;
}

u32 self_methods(const Program *p, u32 file, u32 func, const char *name, u32 *out, u32 max)
{
    u32 cls = p->facts[file]->funcs.v[func].self_class, gs = intern_find(&p->syms, str_from(name)), n = 0;
    if (cls == NONE || gs == NONE) return 0;
    u32 m = class_method(p, gclass_of(p, file, cls), gs, false);
    if (m != NONE) n = push_target(out, n, max, m);
    return overrides(p, gclass_of(p, file, cls), gs, out, n, max, 0);
}

/* The __call__ of a metaclass in the program, of the class or of one it derives from; or NONE. */
static u32 metaclass_call(const Program *p, u32 cls, u32 depth)
{
    GId g = class_gid(p, cls);
    u32 path = p->facts[g.file]->classes.v[g.id].metaclass;
    Ent e = path == NONE ? (Ent){.kind = ENT_NONE} : path_entity(p, g.file, path);
    if (e.kind == ENT_CLASS) return method_by_name(p, e.id, "__call__");
    const ClassInfo *ci = &p->state->classes[cls];
    for (u32 i = 0; i < ci->bases.n && depth < 8; i++) {
        u32 m = metaclass_call(p, ci->bases.v[i], depth + 1);
        if (m != NONE) return m;
    }
    return NONE;
}

static u32 construct_targets(const Program *p, u32 cls, u32 *out, u32 n, u32 max)
{
    static const char *const names[] = {"__init__", "__new__", "__post_init__"};
    for (u32 i = 0; i < COUNT_OF(names); i++) {
        u32 m = method_by_name(p, cls, names[i]);
        if (m != NONE) n = push_target(out, n, max, m);
    }
    u32 m = metaclass_call(p, cls, 0);
    return m == NONE ? n : push_target(out, n, max, m);
}

/* partial(f, …), wraps(f), context.run: does the call make a function of its first argument? */
static bool wraps_first(const Program *p, u32 file, u32 call)
{
    const Call *c = &p->facts[file]->calls.v[call];
    Str ext = path_external(p, file, c->callee);
    bool partial = str_is(ext, "functools.partial") || str_is(ext, "partial");
    return c->nargs && (partial || str_is(ext, "functools.wraps") || str_ends(ext, S(".copy_context.run")));
}

/* for f in (read, write): Thread(target=f); handle = self.on_a if … else handle = self.on_b: each of them;
 * work = partial(f, x): what is in it. */
static u32 choices(const Program *p, u32 file, Ent e, u32 *out, u32 max)
{
    const LinkState *s = p->state;
    u32 n = 0, at = e.kind == ENT_PLACE ? map_get(&s->place_defs, e.id)
                                        : map_get(&s->local_defs, local_key(file, func_gid(p, e.id).id, e.sym));
    for (; at != NONE; at = s->defrefs.v[at].next) {
        const DefRef *r = &s->defrefs.v[at];
        const Def *d = &p->facts[r->file]->defs.v[r->def];
        bool named = d->kind == VAL_ONE_OF || d->kind == VAL_PATH;
        Ent of = named ? path_entity(p, r->file, d->value) : (Ent){.kind = ENT_NONE};
        if (of.kind == ENT_FUNC) n = push_target(out, n, max, of.id);
        if (d->kind != VAL_CALL || !wraps_first(p, r->file, d->value)) continue;
        u32 first = p->facts[r->file]->calls.v[d->value].args;
        Ent in = p->facts[r->file]->args.v[first].kind == VAL_PATH
                     ? path_entity(p, r->file, p->facts[r->file]->args.v[first].value)
                     : (Ent){.kind = ENT_NONE};
        if (in.kind == ENT_FUNC) n = push_target(out, n, max, in.id);
    }
    return n;
}

/* super().m and C.m are one method, whatever subclasses override; cls.m is not. */
static bool names_one_method(const Program *p, u32 file, const Path *x)
{
    if (x->root == ROOT_SUPER) return x->nattr == 1;
    return x->root != ROOT_CLS && path_resolve(p, file, x, x->nattr - 1u).kind == ENT_CLASS;
}

/* Functions that a value may be: a name, a bound method, a lambda, partial(f, …). */
u32 value_funcs(const Program *p, u32 file, u8 kind, u32 value, u32 *out, u32 max)
{
    const Facts *f = p->facts[file];
    u32 n = 0;
    if (value == NONE) return 0;
    if (kind == VAL_LAMBDA || kind == VAL_FUNC) return push_target(out, 0, max, gfunc_of(p, file, value));
    if (kind == VAL_CALL) {
        const Call *c = &f->calls.v[value];
        if (wraps_first(p, file, value))
            return value_funcs(p, file, f->args.v[c->args].kind, f->args.v[c->args].value, out, max);
        Type t = call_type(p, file, value);
        if (t.kind == TYPE_FUNC) n = push_target(out, n, max, t.id);
        if (t.kind == TYPE_CLASS) {
            u32 m = method_by_name(p, t.id, "__call__");
            if (m != NONE) n = push_target(out, n, max, m);
        }
        return n;
    }
    if (kind != VAL_PATH) return 0;
    Ent e = path_entity(p, file, value);
    if (e.kind == ENT_FUNC) {
        n = push_target(out, n, max, e.id);
        const Path *x = &f->paths.v[value];
        if (e.recv != NONE && x->nattr && !names_one_method(p, file, x))
            n = overrides(p, e.recv, gsym(p, file, x->attr[x->nattr - 1]), out, n, max, 0);
        return n;
    }
    if (e.kind == ENT_CLASS) return construct_targets(p, e.id, out, n, max);
    if (e.kind == ENT_PLACE || e.kind == ENT_LOCAL) {
        n = choices(p, file, e, out, max);
        Type t = ent_type(p, e);
        if (t.kind == TYPE_FUNC) n = push_target(out, n, max, t.id);
        if (t.kind == TYPE_CLASS) {
            u32 m = method_by_name(p, t.id, "__call__");
            if (m != NONE) n = push_target(out, n, max, m);
        }
    }
    return n;
}

/* A callable parameter: what callers pass for it. */
static u32 param_funcs(const Program *p, u32 file, const Path *x, u32 *out, u32 n, u32 max)
{
    LinkState *s = p->state;
    const Func *fn = &p->facts[file]->funcs.v[x->func];
    if (!s->params) return n;
    for (u32 i = 0; i < fn->nparams; i++) {
        if (p->facts[file]->params.v[fn->params + i].name != x->name) continue;
        const ParamInfo *pi = &s->params[s->param_base[file] + fn->params + i];
        for (u32 k = 0; k < pi->n; k++) {
            u32 some[TARGETS], m = 0;
            if (pi->from[k].kind == VAL_PATH || pi->from[k].kind == VAL_LAMBDA || pi->from[k].kind == VAL_CALL)
                m = value_funcs(p, pi->from[k].file, pi->from[k].kind, pi->from[k].value, some, TARGETS);
            for (u32 j = 0; j < m; j++) n = push_target(out, n, max, some[j]);
        }
    }
    return n;
}

static bool common_name(Str s)
{
    static const char *const names[] = {
        "get",      "set",     "add",     "pop",     "put",    "run",    "start",   "stop",    "close",      "open",
        "read",     "write",   "append",  "update",  "items",  "keys",   "values",  "copy",    "clear",      "join",
        "split",    "send",    "recv",    "format",  "encode", "decode", "remove",  "insert",  "extend",     "index",
        "count",    "sort",    "strip",   "replace", "wait",   "flush",  "next",    "info",    "debug",      "error",
        "warning",  "acquire", "release", "submit",  "map",    "result", "connect", "execute", "call",       "match",
        "search",   "group",   "find",    "load",    "dump",   "save",   "delete",  "reset",   "setdefault", "cancel",
        "register", "setup",   "name",    "exists"};
    return s.n < 4 || str_among(s, names, COUNT_OF(names));
}

u32 weak_targets(const Program *p, u32 file, const Path *x, u32 *out, u32 max)
{
    u32 gs = gsym(p, file, x->attr[x->nattr - 1]), n = 0;
    if (common_name(p->syms.strs[gs])) return 0;
    for (u32 i = map_get(&p->state->method_names, gs); i != NONE; i = p->state->method_list.v[i].next) {
        if (n == WEAK_MAX) return 0;
        n = push_target(out, n, max, p->state->method_list.v[i].def);
    }
    return n;
}

u32 call_targets(const Program *p, u32 file, u32 call, u32 *out, u32 max)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[f->calls.v[call].callee];
    u32 n = value_funcs(p, file, VAL_PATH, f->calls.v[call].callee, out, max);
    if (!n && x->root == ROOT_PARAM && !x->nattr) n = param_funcs(p, file, x, out, n, max);
    return n;
}

/* The first thing that is put into what the path holds but for its last attribute: into an attribute or a local, or
 * into the container that it is an item of. */
static u32 first_put(const Program *p, u32 file, const Path *x)
{
    const LinkState *s = p->state;
    bool item = x->nattr > 1 && x->attr[x->nattr - 2] == SYM_ITEM;
    Ent e = path_resolve(p, file, x, x->nattr - (item ? 2u : 1u));
    if (e.kind != ENT_PLACE && e.kind != ENT_LOCAL) return NONE;
    u64 key = e.kind == ENT_PLACE ? e.id : local_key(file, func_gid(p, e.id).id, e.sym);
    if (item) return map_get(&s->elem_defs, e.kind == ENT_PLACE ? key : key + 1);
    return map_get(e.kind == ENT_PLACE ? &s->place_defs : &s->local_defs, key);
}

/* Methods of objects of further classes that are put where the receiver is: of self.worker.start(), where
 * self.worker = Thread(…) stands in one function and self.worker = Worker(…) in another. */
static u32 further_methods(const Program *p, u32 file, const Path *x, u32 *out, u32 n, u32 max)
{
    const LinkState *s = p->state;
    if (!path_is_attr(x) || x->truncated) return n;
    u32 gs = gsym(p, file, x->attr[x->nattr - 1]);
    if (map_get(&s->method_names, gs) == NONE) return n;
    u32 at = first_put(p, file, x);
    for (u32 i = 0; at != NONE && i < DEFS_SEEN; i++, at = s->defrefs.v[at].next) {
        const DefRef *r = &s->defrefs.v[at];
        Type t = def_type(p, r->file, &p->facts[r->file]->defs.v[r->def]);
        u32 m = t.kind == TYPE_CLASS ? class_method(p, t.id, gs, false) : NONE;
        if (m != NONE) n = push_target(out, n, max, m);
    }
    return n;
}

u32 call_candidates(const Program *p, u32 file, u32 call, u32 *out, u32 max)
{
    u32 n = call_targets(p, file, call, out, max);
    return further_methods(p, file, &p->facts[file]->paths.v[p->facts[file]->calls.v[call].callee], out, n, max);
}

/* Is the receiver of a method call unknown (and not a module, builtin or library object)? */
bool receiver_unknown(const Program *p, u32 file, const Path *x)
{
    if (!path_is_attr(x) || x->truncated) return false;
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    if (e.kind == ENT_EXTERNAL || e.kind == ENT_MODULE || e.kind == ENT_CLASS || e.kind == ENT_INSTANCE) return false;
    Type t = x->root == ROOT_CALL && x->nattr == 1 ? call_type(p, file, x->func) : ent_type(p, e);
    return t.kind == TYPE_UNKNOWN || t.kind == TYPE_NONE;
}

/* Does the name say so, where it is not known what it stands for: self.__ident_func__(), get_thread_id()? */
static bool named_for_thread(Str name)
{
    static const char *const ident[] = {"ident"}, *const of[] = {"get", "func"};
    static const char *const thread[] = {"thread"}, *const id[] = {"id", "ident"};
    return (str_has_any(name, ident, COUNT_OF(ident)) && str_has_any(name, of, COUNT_OF(of))) ||
           (str_has_any(name, thread, COUNT_OF(thread)) && str_has_any(name, id, COUNT_OF(id)));
}

bool call_asks_thread(const Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    if (known_function(path_external(p, file, c->callee), AS_THREAD)) return true;
    Str name = call_last(f, c);
    u32 out[1];
    return !c->nargs && named_for_thread(name) && !call_targets(p, file, call, out, 1);
}

bool func_asks_thread(const Program *p, u32 file, u32 func)
{
    const Func *fn = &p->facts[file]->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (call_asks_thread(p, file, i)) return true;
    return false;
}

bool call_unknown(const Program *p, u32 file, u32 call)
{
    u32 out[1];
    return !call_targets(p, file, call, out, 1) &&
           receiver_unknown(p, file, &p->facts[file]->paths.v[p->facts[file]->calls.v[call].callee]);
}

static void call_edges(Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    u32 out[TARGETS], n = call_targets(p, file, call, out, TARGETS), caller = gfunc_of(p, file, c->func);
    const Path *x = &f->paths.v[c->callee];
    bool param = x->root == ROOT_PARAM && !x->nattr && x->func == c->func;
    for (u32 i = 0; i < n; i++) {
        edge_add(p, caller, out[i], file, call)->param = param;
        if (!param) callback_edges(p, file, call, out[i]);
        stored_passed(p, file, call, out[i]);
    }
    u32 further = further_methods(p, file, x, out, n, TARGETS);
    for (u32 i = n; i < further; i++) {
        CallEdge *e = edge_add(p, caller, out[i], file, call);
        e->weak = e->further = true;
    }
    if (n) return;
    library_callbacks(p, file, call);
    stored_called(p, file, call);
    if (!receiver_unknown(p, file, x)) return;
    p->unseen[UNSEEN_RECEIVER]++;
    n = weak_targets(p, file, x, out, TARGETS);
    for (u32 i = 0; i < n; i++) edge_add(p, caller, out[i], file, call)->weak = true;
}

void methods_index(Program *p)
{
    LinkState *s = p->state;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 1; i < f->funcs.n; i++) {
            if (f->funcs.v[i].cls == NONE || f->funcs.v[i].is_lambda) continue;
            u32 *at = map_at(s->a, &s->method_names, gsym(p, file, f->funcs.v[i].name));
            vec_push(s->a, &s->method_list, (DefRef){file, gfunc_of(p, file, i), *at});
            *at = s->method_list.n - 1;
        }
    }
}

/* Of two edges of one caller. */
static int edge_cmp(const void *a, const void *b)
{
    const CallEdge *x = a, *y = b;
    if (x->callee != y->callee) return x->callee < y->callee ? -1 : 1;
    return x->call < y->call ? -1 : x->call > y->call;
}

void calls_index(Program *p)
{
    u32 nf = p->state->nfuncs, n = p->edges.n;
    if (!p->edge_first) p->edge_first = arena_new(p->arena, u32, nf + 1);
    if (!n) return;
    CallEdge *by_caller = xmalloc(n * sizeof *by_caller);
    u32 *next = xmalloc(((size_t)nf + 1) * sizeof *next);
    memset(next, 0, ((size_t)nf + 1) * sizeof *next);
    for (u32 i = 0; i < n; i++) next[p->edges.v[i].caller]++;
    for (u32 g = 0, at = 0; g <= nf; g++) {
        u32 of_this = next[g];
        p->edge_first[g] = next[g] = at;
        at += of_this;
    }
    for (u32 i = 0; i < n; i++) by_caller[next[p->edges.v[i].caller]++] = p->edges.v[i];
    for (u32 g = 0; g < nf; g++) {
        u32 of_this = p->edge_first[g + 1] - p->edge_first[g];
        if (of_this > 1) qsort(by_caller + p->edge_first[g], of_this, sizeof *by_caller, edge_cmp);
    }
    memcpy(p->edges.v, by_caller, n * sizeof *by_caller);
    free(by_caller);
    free(next);
}

void calls_link(Program *p)
{
    stored_index(p);
    for (u32 file = 0; file < p->nfiles; file++) {
        for (u32 i = 0; i < p->facts[file]->calls.n; i++) call_edges(p, file, i);
        implicit_edges(p, file);
        dispatch_edges(p, file);
    }
    stored_edges(p);
    calls_index(p);
}

/* Where there is no room, what the program passes takes the place of what its tests do. */
static void param_from(const Program *p, ParamInfo *pi, u32 file, const Arg *arg)
{
    for (u32 i = 0; i < pi->n; i++)
        if (pi->from[i].file == file && pi->from[i].kind == arg->kind && pi->from[i].value == arg->value) return;
    u32 at = pi->n;
    if (at == PARAM_SOURCES) {
        pi->more = true;
        while (at && !p->tests[pi->from[at - 1].file]) at--;
        if (!at-- || p->tests[file]) {
            pi->more_own |= !p->tests[file];
            return;
        }
    } else {
        pi->n++;
    }
    pi->from[at].file = file;
    pi->from[at].kind = arg->kind;
    pi->from[at].value = arg->value;
}

/* *args and **options hold what is left over, packed anew for each call: no argument itself. */
static bool takes_rest(const Param *q)
{
    return q->star || q->star2;
}

static u32 param_named(const Facts *f, const Func *fn, Str name)
{
    u32 at = NONE;
    for (u32 k = 0; k < fn->nparams; k++)
        if (str_eq(sym_str(f, f->params.v[fn->params + k].name), name)) at = k;
    return at;
}

/* Gives target's parameters the arguments of a call. `first` is the position of the first argument that counts;
 * thread_args: they come in the tuple of args=. */
static void params_bind(Program *p, u32 gfunc, u32 file, const Call *c, u32 first, bool thread_args)
{
    GId g = func_gid(p, gfunc);
    const Facts *tf = p->facts[g.file], *f = p->facts[file];
    const Func *fn = &tf->funcs.v[g.id];
    u32 skip = fn->cls != NONE && !fn->is_static ? 1 : 0, pos = 0;
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *arg = &f->args.v[c->args + i];
        u32 at = NONE;
        Str kw = sym_str(f, arg->keyword);
        if (arg->star) return;
        if (arg->keyword == SYM_EMPTY) {
            if (!thread_args && pos >= first) at = pos - first + skip;
            pos++;
        } else if (thread_args && str_starts(kw, S("args["))) {
            Str key = str_slice(kw, 5, kw.n - 1);
            bool number = key.n == 1 && key.p[0] >= '0' && key.p[0] <= '9';
            at = number ? (u32)(key.p[0] - '0') + skip : param_named(tf, fn, key);
        } else if (!thread_args) {
            at = param_named(tf, fn, kw);
        }
        if (at != NONE && at < fn->nparams && !takes_rest(&tf->params.v[fn->params + at]))
            param_from(p, &p->state->params[p->state->param_base[g.file] + fn->params + at], file, arg);
    }
}

/* Calls that hand their other arguments to a function which they are given: where that stands; packed: as args= or
 * its like (facts/threadargs.c), else they follow it. */
typedef struct Hander {
    const char *name;
    u8 at;
    bool packed, bare;
} Hander;
static const Hander handers[] = {{"submit", 0, false, false},
                                 {"partial", 0, false, true},
                                 {"to_thread", 0, false, true},
                                 {"run_sync", 0, false, true},
                                 {"run_in_threadpool", 0, false, true},
                                 {"run_in_executor", 1, false, false},
                                 {"deferToThread", 0, false, true},
                                 {"callInThread", 0, false, false},
                                 {"call_soon_threadsafe", 0, false, false},
                                 {"start_background_task", 0, false, false},
                                 {"apply_async", 0, true, false},
                                 {"apply", 0, true, false},
                                 {"starmap", 0, true, false},
                                 {"starmap_async", 0, true, false},
                                 {"start_new_thread", 0, true, true},
                                 {"Timer", 1, true, true},
                                 {"Thread", 1, true, true}};

/* Is argument k of the call the function that is handed the others? */
static const Hander *hander_of(const Facts *f, const Call *c, u32 k)
{
    static const Hander keyword = {"", 0, true, true};
    Str kw = sym_str(f, f->args.v[c->args + k].keyword);
    if (str_is(kw, "target") || str_is(kw, "function")) return &keyword;
    if (kw.n || k > 1) return NULL;
    const Path *x = &f->paths.v[c->callee];
    Str name = path_last(f, x);
    for (u32 i = 0; i < COUNT_OF(handers); i++)
        if (handers[i].at == k && (x->nattr || handers[i].bare) && str_is(name, handers[i].name)) return &handers[i];
    return NULL;
}

/* pool.map(work, repeat(stats), names): each call is given what is repeated. */
static void repeated_bind(Program *p, u32 gfunc, u32 file, const Call *c)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[file];
    const Func *fn = program_func(p, gfunc);
    u32 skip = fn->cls != NONE && !fn->is_static ? 1 : 0;
    for (u32 i = 1; i < c->nargs && f->args.v[c->args + i].keyword == SYM_EMPTY; i++) {
        const Arg *arg = &f->args.v[c->args + i];
        const Call *made = arg->kind == VAL_CALL && !arg->star ? &f->calls.v[arg->value] : NULL;
        u32 at = i - 1 + skip;
        if (!made || !made->nargs || at >= fn->nparams) continue;
        if (!str_is(path_external(p, file, made->callee), "itertools.repeat")) continue;
        if (!takes_rest(&p->facts[g.file]->params.v[fn->params + at]))
            param_from(p, &p->state->params[p->state->param_base[g.file] + fn->params + at], file,
                       &f->args.v[made->args]);
    }
}

/* lambda s=stats: work(s), def work(s=stats) in a function: what the parameter is where nobody passes another. */
static void defaults_bind(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 1; i < f->funcs.n; i++) {
        const Func *fn = &f->funcs.v[i];
        for (u32 k = fn->params; (fn->is_lambda || fn->parent) && k < fn->params + fn->nparams; k++) {
            Arg arg = {.kind = f->params.v[k].def_kind, .value = f->params.v[k].def_value};
            if (f->params.v[k].has_default && arg.kind == VAL_PATH)
                param_from(p, &p->state->params[p->state->param_base[file] + k], file, &arg);
        }
    }
}

/* What callers pass. Done before the edges, with direct calls and partial() only; thread starts pass their args=. */
void params_link(Program *p)
{
    LinkState *s = p->state;
    s->param_base = arena_new(s->a, u32, p->nfiles + 1);
    for (u32 i = 0; i < p->nfiles; i++) s->param_base[i + 1] = s->param_base[i] + p->facts[i]->params.n;
    ParamInfo *params = arena_new(s->a, ParamInfo, s->param_base[p->nfiles]);
    s->params = params;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            const Call *c = &f->calls.v[i];
            u32 out[TARGETS], n = value_funcs(p, file, VAL_PATH, c->callee, out, TARGETS);
            for (u32 k = 0; k < n; k++) params_bind(p, out[k], file, c, 0, false);
            for (u32 k = 0; k < c->nargs; k++) {
                const Arg *arg = &f->args.v[c->args + k];
                const Hander *h = hander_of(f, c, k);
                bool maps = !k && str_is(call_last(f, c), "map");
                if (!h && !maps) continue;
                n = value_funcs(p, file, arg->kind, arg->value, out, TARGETS);
                for (u32 j = 0; j < n; j++) {
                    if (h) params_bind(p, out[j], file, c, h->at + 1u, h->packed);
                    if (maps) repeated_bind(p, out[j], file, c);
                }
            }
        }
        defaults_bind(p, file);
    }
}
