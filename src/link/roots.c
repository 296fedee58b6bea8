/* Thread roots: the functions that run in threads of their own.
 *
 * Root 0 is the main program, root 1 is "any caller": in a library every function may be called from any thread. The
 * table of ways to start a thread is know/threads.def. */
#include "link/link.h"

enum { TARGETS = 8 };

typedef struct CallArgRow {
    const char *callee;
    u32 position;
    const char *keyword;
    bool many;
    const char *label;
} CallArgRow;
typedef struct MethodArgRow {
    const char *method;
    u8 type;
    u32 position;
    bool many;
    const char *label;
} MethodArgRow;
typedef struct BaseRow {
    const char *base, *method;
    bool many, own;
    const char *label;
} BaseRow;
typedef struct DecoratorRow {
    const char *name, *receivers;
    bool many;
    const char *label;
} DecoratorRow;

/* The table is read four times; each time one kind of row has a meaning. */
#define ROOT_METHOD_ARG(...)
#define ROOT_BASE(...)
#define ROOT_DECORATOR(...)
#define ROOT_CALL_ARG(callee, position, keyword, many, label) {callee, position, keyword, many, label},
static const CallArgRow call_rows[] = {
#include "know/threads.def"
};
#undef ROOT_CALL_ARG
#define ROOT_CALL_ARG(...)
#undef ROOT_METHOD_ARG
#define ROOT_METHOD_ARG(method, type, position, many, label) {method, type, position, many, label},
static const MethodArgRow method_rows[] = {
#include "know/threads.def"
};
#undef ROOT_METHOD_ARG
#define ROOT_METHOD_ARG(...)
#undef ROOT_BASE
#define ROOT_BASE(base, method, many, own, label) {base, method, many, own, label},
static const BaseRow base_rows[] = {
#include "know/threads.def"
};
#undef ROOT_BASE
#define ROOT_BASE(...)
#undef ROOT_DECORATOR
#define ROOT_DECORATOR(name, receivers, many, label) {name, receivers, many, label},
static const DecoratorRow decorator_rows[] = {
#include "know/threads.def"
};
#undef ROOT_DECORATOR

/* label with the function's name in place of %s, and where it is. */
static Str root_display(Program *p, const char *label, Str name, u32 file, u32 line)
{
    Str l = str_from(label), head = str_slice(l, 0, str_search(l, S("%s"))), tail = str_slice(l, head.n + 2, l.n);
    return str_fmt(p->arena, "%.*s%.*s%.*s at %.*s:%u", STR_ARG(head), STR_ARG(name), STR_ARG(tail),
                   STR_ARG(p->facts[file]->source->path), line);
}

static void root_add(Program *p, u32 gfunc, bool many, bool own, Str display, u32 file, u32 call)
{
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        Root *r = &p->roots.v[i];
        if (r->func == gfunc && r->file == file && r->call == call) {
            r->many |= many;
            return;
        }
    }
    vec_push(p->arena, &p->roots,
             (Root){.func = gfunc, .many = many, .own = own, .display = display, .file = file, .call = call});
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

static Str short_name(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    if (fn->cls == NONE) return sym_str(f, fn->name);
    return str_fmt(p->arena, "%.*s.%.*s", STR_ARG(sym_str(f, f->classes.v[fn->cls].name)),
                   STR_ARG(sym_str(f, fn->name)));
}

static void roots_of_arg(Program *p, u32 file, const Call *c, u32 call, const Arg *arg, bool many, const char *label)
{
    if (!arg) return;
    u32 out[TARGETS], n = value_funcs(p, file, arg->kind, arg->value, out, TARGETS);
    if (!n && arg->kind == VAL_PATH && receiver_unknown(p, file, &p->facts[file]->paths.v[arg->value]))
        n = weak_targets(p, file, &p->facts[file]->paths.v[arg->value], out, TARGETS);
    many |= p->facts[file]->blocks.v[c->block].repeats;
    for (u32 i = 0; i < n; i++)
        root_add(p, out[i], many, false, root_display(p, label, short_name(p, out[i]), file, c->line), file, call);
}

bool file_imports(const Program *p, u32 file, const char *package)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++)
        if (str_starts(sym_str(f, f->imports.v[i].module), str_from(package))) return true;
    return false;
}

/* Does the receiver of submit/map/… run functions in threads? */
static bool receiver_threads(const Program *p, u32 file, const Path *x)
{
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    Type t = ent_type(p, e);
    if (t.kind == TYPE_EXECUTOR) return true;
    if (t.kind == TYPE_CLASS)
        return class_derives(p, t.id, "concurrent.futures.ThreadPoolExecutor") ||
               class_derives(p, t.id, "multiprocessing.pool.ThreadPool");
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
    if (call == NONE) return false;
    const Path *c = &f->paths.v[f->calls.v[call].callee];
    return c->nattr && str_is(sym_str(f, c->attr[c->nattr - 1]), "submit");
}

/* Methods whose names others use too count only where the library is imported. */
static bool method_row_fits(const Program *p, u32 file, const MethodArgRow *r, const Call *c, const Path *x)
{
    if (r->type == TYPE_EXECUTOR) return receiver_threads(p, file, x);
    if (str_is(str_from(r->method), "add_done_callback")) return from_submit(p, file, x);
    static const char *const needs[][2] = {{"basic_consume", "pika"},
                                           {"message_callback_add", "paho"},
                                           {"add_job", "apscheduler"},
                                           {"callInThread", "twisted"}};
    for (u32 i = 0; i < COUNT_OF(needs); i++)
        if (str_is(str_from(r->method), needs[i][0])) return file_imports(p, file, needs[i][1]);
    const Arg *executor = find_arg(p->facts[file], c, 0, NULL);
    if (str_is(str_from(r->method), "run_in_executor") && executor && executor->kind == VAL_PATH)
        return path_type(p, file, executor->value).kind != TYPE_PROCESS;
    return true;
}

/* An executor with one worker runs one function at a time. */
static bool one_worker(const Program *p, u32 file, const Path *x)
{
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    const LinkState *s = p->state;
    u32 at = NONE;
    if (e.kind == ENT_PLACE) at = map_get(&s->place_defs, e.id);
    if (e.kind == ENT_LOCAL) {
        GId g = func_gid(p, e.id);
        at = map_get(&s->local_defs, local_key(g.file, g.id, e.sym));
    }
    if (at == NONE) return false;
    const Facts *f = p->facts[s->defrefs.v[at].file];
    const Def *d = &f->defs.v[s->defrefs.v[at].def];
    if (d->kind != VAL_CALL) return false;
    const Arg *arg = find_arg(f, &f->calls.v[d->value], 0, "max_workers");
    return arg && arg->kind == VAL_NUMBER && str_is(sym_str(f, arg->text), "1");
}

static void roots_of_call(Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *x = &f->paths.v[c->callee];
    Str ext = path_external(p, file, c->callee);
    for (u32 i = 0; ext.n && i < COUNT_OF(call_rows); i++) {
        const CallArgRow *r = &call_rows[i];
        if (str_is(ext, r->callee))
            roots_of_arg(p, file, c, call, find_arg(f, c, r->position, r->keyword), r->many, r->label);
    }
    if (!x->nattr || x->attr[x->nattr - 1] == SYM_ITEM) {
        /* class C(Thread); C(target=f) */
        Ent e = path_entity(p, file, c->callee);
        if (e.kind == ENT_CLASS && class_derives(p, e.id, "threading.Thread"))
            roots_of_arg(p, file, c, call, find_arg(f, c, 1, "target"), false, "Thread(target=%s)");
        return;
    }
    Str method = sym_str(f, x->attr[x->nattr - 1]);
    for (u32 i = 0; i < COUNT_OF(method_rows); i++) {
        const MethodArgRow *r = &method_rows[i];
        if (!str_is(method, r->method) || !method_row_fits(p, file, r, c, x)) continue;
        bool many = r->many && !(r->type == TYPE_EXECUTOR && one_worker(p, file, x));
        roots_of_arg(p, file, c, call, find_arg(f, c, r->position, NULL), many, r->label);
    }
}

static bool method_fits(Str name, const char *pattern)
{
    Str pat = str_from(pattern);
    if (str_ends(pat, S("*"))) return str_starts(name, str_slice(pat, 0, pat.n - 1));
    return str_eq(name, pat);
}

/* A server that serves one request after the other: one is made somewhere, and nothing speaks of a threading one. */
static bool serial_server(const Program *p)
{
    static const char *const threading[] = {"ThreadingHTTPServer",       "ThreadingMixIn",
                                            "ThreadingTCPServer",        "ThreadingUDPServer",
                                            "ThreadingUnixStreamServer", "ThreadingWSGIServer"};
    static const char *const serial[] = {"HTTPServer", "TCPServer", "UDPServer", "UnixStreamServer"};
    bool any = false;
    for (u32 i = 0; i < p->nfiles; i++) {
        for (u32 k = 0; k < COUNT_OF(threading); k++)
            if (intern_find(&p->facts[i]->syms, str_from(threading[k])) != NONE) return false;
        for (u32 k = 0; k < COUNT_OF(serial); k++)
            any |= intern_find(&p->facts[i]->syms, str_from(serial[k])) != NONE;
    }
    return any;
}

static void roots_of_class(Program *p, u32 gclass, bool serial)
{
    LinkState *s = p->state;
    u32 file;
    const Class *c = program_class(p, gclass, &file);
    const Facts *f = p->facts[file];
    ClassInfo *ci = &s->classes[gclass];
    if (!ci->ext_bases.n && !ci->bases.n) return;
    for (u32 i = 0; i < COUNT_OF(base_rows); i++) {
        const BaseRow *r = &base_rows[i];
        if (!class_derives(p, gclass, r->base)) continue;
        bool thread = !r->many && r->own;
        if (r->own && r->many) ci->fresh = true;
        for (u32 k = 1; k < f->funcs.n; k++) {
            const Func *fn = &f->funcs.v[k];
            if (gclass_of(p, file, fn->cls) != gclass || fn->is_lambda ||
                !method_fits(sym_str(f, fn->name), r->method))
                continue;
            bool many = (r->many && !(str_contains(str_from(r->label), S("request handler")) && serial)) ||
                        (thread && ci->made_at != 1);
            root_add(p, gfunc_of(p, file, k), many, r->own,
                     root_display(p, r->label, sym_str(f, c->name), file, fn->line), file, NONE);
        }
    }
}

static bool has_word(const char *words, Str w)
{
    Str rest = str_from(words);
    while (rest.n)
        if (str_eq(str_cut(rest, ' ', &rest), w)) return true;
    return false;
}

static void roots_of_decorators(Program *p, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++) {
        const Path *x = &f->paths.v[f->decorators.v[i]];
        if (x->root == ROOT_UNKNOWN || fn->is_async) continue;
        Str name = sym_str(f, x->nattr ? x->attr[x->nattr - 1] : x->name);
        Str receiver = x->nattr > 1 ? sym_str(f, x->attr[x->nattr - 2]) : x->nattr ? sym_str(f, x->name) : S("");
        for (u32 k = 0; k < COUNT_OF(decorator_rows); k++) {
            const DecoratorRow *r = &decorator_rows[k];
            if (!str_is(name, r->name)) continue;
            if (r->receivers[0] && !has_word(r->receivers, receiver)) continue;
            root_add(p, gfunc_of(p, file, func), r->many, false,
                     root_display(p, r->label, sym_str(f, fn->name), file, fn->line), file, NONE);
            break;
        }
    }
}

/* How often, and whether in a loop, objects of each class are made. */
static void count_constructions(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            Ent e = path_entity(p, file, f->calls.v[i].callee);
            if (e.kind == ENT_CLASS)
                p->state->classes[e.id].made_at += f->blocks.v[f->calls.v[i].block].repeats ? 2 : 1;
        }
    }
}

void roots_find(Program *p)
{
    vec_push(p->arena, &p->roots, (Root){.func = NONE, .display = S("the main thread"), .file = NONE, .call = NONE});
    vec_push(p->arena, &p->roots,
             (Root){.func = NONE,
                    .many = true,
                    .display = S("any thread of a program that uses this code"),
                    .file = NONE,
                    .call = NONE});
    count_constructions(p);
    for (u32 file = 0; file < p->nfiles; file++) {
        for (u32 i = 0; i < p->facts[file]->calls.n; i++) roots_of_call(p, file, i);
        for (u32 i = 1; i < p->facts[file]->funcs.n; i++)
            if (p->facts[file]->funcs.v[i].ndecorators) roots_of_decorators(p, file, i);
    }
    bool serial = serial_server(p);
    for (u32 c = 0; c < p->state->nclasses; c++) roots_of_class(p, c, serial);
    p->concurrent = p->roots.n > ROOT_API + 1;
}
