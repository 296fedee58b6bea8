/* Thread roots by what is given away: the argument of Thread(), of submit(), a callback that is stored. */
#include "link/roots.h"

enum { TARGETS = 8 };
const char event_loop_root[] = "asyncio";

bool root_is_loop(const Root *r)
{
    return r->loop == event_loop_root;
}

static const Arg *find_arg(const Facts *f, const Call *c, u32 position, const char *keyword)
{
    u32 pos = 0;
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *arg = &f->args.v[c->args + i];
        if (arg->keyword == SYM_EMPTY && !arg->star && pos++ == position) return arg;
        if (keyword && str_is(sym_str(f, arg->keyword), keyword)) return arg;
    }
    return NULL;
}

/* run_coroutine_threadsafe(self.send(x), loop): the coroutine that the call makes. */
static u32 coroutine_made(const Program *p, u32 file, u32 call, u32 *out)
{
    u32 n = call_targets(p, file, call, out, TARGETS), k = 0;
    for (u32 i = 0; i < n; i++) {
        GId g = func_gid(p, out[i]);
        if (is_coroutine(p, g.file, g.id)) out[k++] = out[i];
    }
    return k;
}

/* await loop.run_in_executor(None, parse, text): the coroutine stands still meanwhile. */
static bool awaited(const Facts *f, const Call *c)
{
    Str before = str_trim(str_slice(f->source->text, 0, c->span.start));
    return f->funcs.v[c->func].is_async && str_ends(before, S("await"));
}

/* to_thread(self.chunks): the call of a generator function makes the generator, and whoever takes from it runs the
 * body. A decorator may do that. */
static u32 without_generators(const Program *p, u32 *funcs, u32 n)
{
    u32 k = 0;
    for (u32 i = 0; i < n; i++) {
        const Func *fn = program_func(p, funcs[i]);
        if (!fn->is_generator || fn->is_async || fn->ndecorators) funcs[k++] = funcs[i];
    }
    return k;
}

static void roots_of_arg(Program *p, u32 file, const Call *c, u32 call, const Arg *arg, bool many, bool own,
                         const char *label)
{
    if (!arg) return;
    u32 out[TARGETS], n = value_funcs(p, file, arg->kind, arg->value, out, TARGETS);
    if (arg->kind == VAL_CALL && !n) n = coroutine_made(p, file, arg->value, out);
    if (!n && arg->kind == VAL_PATH) n = stored_funcs(p, file, arg->value, out, TARGETS);
    if (!n && arg->kind == VAL_PATH && receiver_unknown(p, file, &p->facts[file]->paths.v[arg->value]))
        n = weak_targets(p, file, &p->facts[file]->paths.v[arg->value], out, TARGETS);
    n = without_generators(p, out, n);
    if (n && waited_for(p, file, call)) {
        for (u32 i = 0; i < n; i++)
            vec_push(p->arena, &p->edges,
                     (CallEdge){.caller = gfunc_of(p, file, c->func), .callee = out[i], .file = file, .call = NONE});
        calls_index(p);
        return;
    }
    for (u32 i = 0; i < n; i++) {
        u32 had = p->roots.n;
        root_add(p, out[i], many, own, root_display(p, label, short_name(p, out[i]), file, c->line), file, call);
        if (p->roots.n > had) p->roots.v[had].awaited = awaited(p->facts[file], c);
    }
}

/* Does the file import one of these packages (separated by blanks)? */
static bool imports_one(const Program *p, u32 file, const char *packages)
{
    char name[64];
    for (Str rest = str_from(packages); rest.n;) {
        Str one = str_cut(rest, ' ', &rest);
        snprintf(name, sizeof name, "%.*s", STR_ARG(one));
        if (one.n && file_imports(p, file, name)) return true;
    }
    return false;
}

static Str class_name(const Program *p, u32 gclass)
{
    u32 file;
    const Class *c = program_class(p, gclass, &file);
    return sym_str(p->facts[file], c->name);
}

static bool pool_name(Str name, bool of_threads)
{
    return (str_ends(name, S("Executor")) || str_ends(name, S("Pool"))) &&
           (!of_threads || str_contains(name, S("Thread")));
}

/* ThreadPoolExecutor, WorkerThreadPool: an executor of the program's own that says what it runs in; and what a
 * function is given as an executor, when there is one of threads beside the one that it is seen to get. */
static bool own_executor(const Program *p, u32 gclass, bool given)
{
    const ClassInfo *c = &p->state->classes[gclass];
    Str name = class_name(p, gclass);
    if (pool_name(name, true)) return true;
    if (!given || !pool_name(name, false)) return false;
    for (u32 i = 0; i < c->subs.n; i++)
        if (pool_name(class_name(p, c->subs.v[i]), true)) return true;
    for (u32 i = 0; i < c->bases.n; i++) {
        const ClassInfo *base = &p->state->classes[c->bases.v[i]];
        for (u32 k = 0; k < base->subs.n; k++)
            if (pool_name(class_name(p, base->subs.v[k]), true)) return true;
    }
    return false;
}

/* Does the receiver of submit/map/… run functions in threads? */
static bool receiver_threads(const Program *p, u32 file, const Path *x)
{
    bool made = x->root == ROOT_CALL && x->nattr == 1; /* ThreadPool(4).map(f, jobs) */
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    Type t = made ? call_type(p, file, x->func) : ent_type(p, e);
    if (t.kind == TYPE_EXECUTOR) return true;
    if (t.kind == TYPE_CLASS)
        return class_derives(p, t.id, "concurrent.futures.ThreadPoolExecutor") ||
               class_derives(p, t.id, "multiprocessing.pool.ThreadPool") ||
               own_executor(p, t.id, x->root == ROOT_PARAM && x->nattr == 1);
    if (t.kind != TYPE_UNKNOWN && t.kind != TYPE_NONE) return false;
    Str name = sym_str(p->facts[file], x->nattr > 1 ? x->attr[x->nattr - 2] : x->name);
    if (x->root == ROOT_CALL ||
        !(str_has_word(name, "executor") || str_has_word(name, "pool") || str_has_word(name, "threads")))
        return false;
    if (str_has_word(name, "process") || file_imports(p, file, "multiprocessing")) return false;
    return file_imports(p, file, "concurrent") || file_imports(p, file, "threading") ||
           str_has_word(name, "thread") || str_has_word(name, "executor");
}

/* Is the receiver the future that submit() gave? A future of asyncio calls back in its loop. */
static bool from_submit(const Program *p, u32 file, const Path *x)
{
    const Facts *f = p->facts[file];
    u32 call = NONE;
    if (x->root == ROOT_CALL && x->nattr == 1) call = x->func;
    if (x->root == ROOT_LOCAL && x->nattr == 1) {
        u32 at = map_get(&p->state->local_defs, local_key(file, x->func, x->name));
        if (at != NONE && f->defs.v[p->state->defrefs.v[at].def].kind == VAL_CALL)
            call = f->defs.v[p->state->defrefs.v[at].def].value;
    }
    if (file_imports(p, file, "grpc") && !file_imports(p, file, "grpc.aio")) return true; /* its channel's threads */
    if (call == NONE) /* for future in futures: */
        return file_imports(p, file, "concurrent") && !file_imports(p, file, "asyncio");
    const Path *c = &f->paths.v[f->calls.v[call].callee];
    return c->nattr && str_is(path_last(f, c), "submit");
}

/* Methods whose names others use too count only where the library is imported. */
static bool method_row_fits(const Program *p, u32 file, const RootRow *r, const Call *c, const Path *x)
{
    if (r->type == TYPE_EXECUTOR) return receiver_threads(p, file, x);
    if (str_is(str_from(r->name), "add_done_callback")) return from_submit(p, file, x);
    if (r->package && r->package[0] && !imports_one(p, file, r->package)) return false;
    const Arg *executor = find_arg(p->facts[file], c, 0, NULL);
    if (str_is(str_from(r->name), "run_in_executor") && executor && executor->kind == VAL_PATH)
        return path_type(p, file, executor->value).kind != TYPE_PROCESS;
    return true;
}

/* An executor with one worker runs one function at a time, whoever hands it over (Python library reference,
 * "ThreadPoolExecutor"). Which executor that is, where it is one; or 0. */
static u64 one_worker(const Program *p, Ent e)
{
    const LinkState *s = p->state;
    u32 at = NONE;
    u64 lane = e.id + 1ull;
    if (e.kind == ENT_PLACE) at = map_get(&s->place_defs, e.id);
    if (e.kind == ENT_LOCAL) {
        GId g = func_gid(p, e.id);
        lane = 1ull << 63 | local_key(g.file, g.id, e.sym);
        at = map_get(&s->local_defs, local_key(g.file, g.id, e.sym));
        if (at != NONE && s->defrefs.v[at].next != NONE) return 0; /* a second one may be beside it */
    }
    if (at == NONE) return 0;
    for (; at != NONE; at = s->defrefs.v[at].next) {
        const Facts *f = p->facts[s->defrefs.v[at].file];
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        if (d->kind == VAL_NONE) continue;
        const Arg *arg = d->kind == VAL_CALL ? find_arg(f, &f->calls.v[d->value], 0, "max_workers") : NULL;
        if (!arg || arg->kind != VAL_NUMBER || !str_is(sym_str(f, arg->text), "1")) return 0;
    }
    return lane;
}

/* Does the call name the row's function or class, of a library or of the program? */
static bool callee_is(const Program *p, u32 file, const Call *c, Str ext, Str name)
{
    if (ext.n) return str_eq(ext, name);
    Ent e = path_entity(p, file, c->callee);
    return e.kind == ENT_FUNC ? func_named(p, e.id, name) : e.kind == ENT_CLASS && class_named(p, e.id, name);
}

/* Does some Parallel() of the file ask for threads? joblib's default is processes. */
static bool joblib_threads(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        Str ext = path_external(p, file, c->callee);
        if (!str_starts(ext, S("joblib.")) || str_is(ext, "joblib.delayed")) continue;
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            Str text = sym_str(f, f->args.v[k].text);
            if (str_contains(text, S("thread")) || str_contains(text, S("sharedmem"))) return true;
        }
    }
    return false;
}

static bool call_row_fits(const Program *p, u32 file, const RootRow *r)
{
    return !str_starts(str_from(r->name), S("joblib.")) || joblib_threads(p, file);
}

/* register_instance(Service()): the public methods of the object's class. */
static void roots_of_object(Program *p, u32 file, const Call *c, u32 call, const Arg *arg, const RootRow *r,
                            bool many)
{
    Type t = {.kind = TYPE_UNKNOWN};
    if (arg && arg->kind == VAL_PATH) t = path_type(p, file, arg->value);
    if (arg && arg->kind == VAL_CALL) t = call_type(p, file, arg->value);
    if (t.kind != TYPE_CLASS) return;
    ClassInfo *ci = &p->state->classes[t.id];
    for (u32 i = 0; ci->served && i < ci->nserved; i++) p->roots.v[ci->served - 1 + i].many |= many;
    if (ci->served) return;
    ci->served = p->roots.n + 1;
    u32 at;
    const Class *cls = program_class(p, t.id, &at);
    const Facts *f = p->facts[at];
    for (u32 i = 1; i < f->funcs.n; i++) {
        const Func *fn = &f->funcs.v[i];
        if (gclass_of(p, at, fn->cls) != t.id || fn->is_lambda || fn->is_async) continue;
        if (str_starts(sym_str(f, fn->name), S("_"))) continue;
        root_add(p, gfunc_of(p, at, i), many, false, root_display(p, r->label, sym_str(f, cls->name), file, c->line),
                 file, call);
    }
    ci->nserved = p->roots.n + 1 - ci->served;
}

static bool mixes_threads(const Program *p, Type t)
{
    return (t.kind == TYPE_CLASS || t.kind == TYPE_CLASS_OBJECT) &&
           (class_derives(p, t.id, "socketserver.ThreadingMixIn") ||
            class_derives(p, t.id, "SocketServer.ThreadingMixIn"));
}

/* server.register_function(f), make_server(…, app, server_class=Server): may the server handle several requests at
 * once? */
static bool server_threads(const Program *p, u32 file, const Call *c)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[c->callee];
    if (x->nattr && mixes_threads(p, ent_type(p, path_resolve(p, file, x, x->nattr - 1u)))) return true;
    const Arg *arg = find_arg(f, c, NONE, "server_class");
    return arg && arg->kind == VAL_PATH && mixes_threads(p, path_type(p, file, arg->value));
}

/* A client of that package calls what was added from here on, one after the other; the thread of an event loop runs
 * what others hand it. */
static void one_client(Program *p, const RootRow *r, u32 first)
{
    for (u32 i = first; r->loop && i < p->roots.n; i++) {
        p->roots.v[i].loop = event_loop_root;
        p->roots.v[i].many = false; /* it takes them one after the other, however often they are handed to it */
    }
    if (r->many || !r->package || !r->package[0]) return;
    for (u32 i = first; i < p->roots.n; i++)
        if (!p->roots.v[i].many) p->roots.v[i].loop = r->package; /* not where a loop makes client after client */
}

/* What was added from here on, by a way that is for many, and is started once all the same. */
static void few_started(Program *p, const RootRow *r, u32 file, const Call *c, u32 first)
{
    for (u32 i = first; r->many && i < p->roots.n; i++)
        if (started_once(p, r, file, c, p->roots.v[i].func)) {
            p->roots.v[i].many = false;
            p->roots.v[i].once = true;
        }
}

/* class C(Thread): the argument of C(…) that is Thread's target. An __init__ of its own says which it is by name; one
 * that takes anything passes on what it gets. What else it is given, it may run where it likes. */
static const Arg *subclass_target(const Program *p, u32 gclass, const Facts *f, const Call *c)
{
    u32 gs = intern_find(&p->syms, S("__init__")), init = gs == NONE ? NONE : class_method(p, gclass, gs, false);
    if (init == NONE) return find_arg(f, c, 1, "target");
    GId g = func_gid(p, init);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    for (u32 i = 1; i < fn->nparams; i++) {
        const Param *param = &x->params.v[fn->params + i];
        if (param->star) return i == 1 ? find_arg(f, c, 1, "target") : find_arg(f, c, NONE, "target");
        if (str_is(sym_str(x, param->name), "target")) return find_arg(f, c, i - 1, "target");
    }
    return find_arg(f, c, NONE, "target");
}

/* The executor of executor.submit(f), loop.run_in_executor(executor, f); nothing for other calls. */
static Ent executor_of(const Program *p, u32 file, const Call *c, const RootRow *r)
{
    const Path *x = &p->facts[file]->paths.v[c->callee];
    if (r->type == TYPE_EXECUTOR) return path_resolve(p, file, x, x->nattr - 1u);
    const Arg *first = NULL;
    if (str_is(str_from(r->name), "run_in_executor")) first = find_arg(p->facts[file], c, 0, "executor");
    return first && first->kind == VAL_PATH ? path_entity(p, file, first->value) : (Ent){.kind = ENT_NONE};
}

void roots_of_call(Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    bool repeats = f->blocks.v[c->block].repeats && !joined_in_round(f, c);
    const Path *x = &f->paths.v[c->callee];
    Str ext = path_external(p, file, c->callee);
    const LinkState *s = p->state;
    bool may = ext.n ? root_row_named(p, ROOT_BY_CALL, ext) : p->options->roots.n > 0;
    for (u32 i = 0; may && i < s->rows[ROOT_BY_CALL].n; i++) {
        const RowName *row = &s->rows[ROOT_BY_CALL].v[i];
        const RootRow *r = row->row;
        if (!ext.n && !root_row_own(p, r)) continue; /* rows of the table name libraries only */
        if (!callee_is(p, file, c, ext, row->name) || !call_row_fits(p, file, r)) continue;
        root_row_used(p, r);
        u32 first = p->roots.n;
        roots_of_arg(p, file, c, call, find_arg(f, c, r->position, r->keyword),
                     r->many || repeats || server_threads(p, file, c), r->own, r->label);
        one_client(p, r, first);
        few_started(p, r, file, c, first);
    }
    if (!path_is_attr(x)) {
        /* class C(Thread); C(target=f) */
        Ent e = path_entity(p, file, c->callee);
        if (e.kind == ENT_CLASS && class_is_thread(p, e.id))
            roots_of_arg(p, file, c, call, subclass_target(p, e.id, f, c), repeats, false, "Thread(target=%s)");
        return;
    }
    Str method = path_last(f, x);
    may = root_row_named(p, ROOT_BY_METHOD, method);
    for (u32 i = 0; may && i < s->rows[ROOT_BY_METHOD].n; i++) {
        const RootRow *r = s->rows[ROOT_BY_METHOD].v[i].row;
        if (!str_eq(method, s->rows[ROOT_BY_METHOD].v[i].name) || !method_row_fits(p, file, r, c, x)) continue;
        root_row_used(p, r);
        bool many = r->many || (repeats && !r->method);
        u64 lane = one_worker(p, executor_of(p, file, c, r));
        many = (many && !lane) || server_threads(p, file, c);
        u32 first = p->roots.n;
        const Arg *arg = find_arg(f, c, r->position, r->keyword);
        if (r->method)
            roots_of_object(p, file, c, call, arg, r, many);
        else
            roots_of_arg(p, file, c, call, arg, many, false, r->label);
        one_client(p, r, first);
        few_started(p, r, file, c, first);
        for (u32 k = first; k < p->roots.n; k++) p->roots.v[k].lane = many ? 0 : lane;
    }
}

/* client.on_message = f */
void roots_of_def(Program *p, u32 file, u32 def)
{
    const Facts *f = p->facts[file];
    const Def *d = &f->defs.v[def];
    if (d->path == NONE || (d->kind != VAL_PATH && d->kind != VAL_FUNC && d->kind != VAL_LAMBDA)) return;
    const Path *x = &f->paths.v[d->path];
    if (!path_is_attr(x) || x->root == ROOT_CLASS) return;
    Str attr = path_last(f, x);
    const LinkState *s = p->state;
    for (u32 i = 0; i < s->rows[ROOT_BY_ATTRIBUTE].n; i++) {
        const RootRow *r = s->rows[ROOT_BY_ATTRIBUTE].v[i].row;
        if (!method_fits(attr, r->name)) continue;
        if (r->package && r->package[0] && !imports_one(p, file, r->package)) continue;
        root_row_used(p, r);
        u32 out[TARGETS], n = value_funcs(p, file, d->kind, d->value, out, TARGETS), line, column, first = p->roots.n;
        source_position(f->source, d->span.start, &line, &column);
        for (u32 k = 0; k < n; k++)
            root_add(p, out[k], r->many, false, root_display(p, r->label, short_name(p, out[k]), file, line), file,
                     NONE);
        one_client(p, r, first);
    }
}
