/* Thread roots: the functions that run in threads of their own, and everything they reach.
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

static bool name_has(Str s, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= s.n; i++) {
        size_t j = 0;
        while (word[j] && (s.p[i + j] | 32) == word[j]) j++;
        if (!word[j]) return true;
    }
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
    if (x->root == ROOT_CALL || !(name_has(name, "executor") || name_has(name, "pool") || name_has(name, "threads")))
        return false;
    if (name_has(name, "process") || file_imports(p, file, "multiprocessing")) return false;
    return file_imports(p, file, "concurrent") || file_imports(p, file, "threading") || name_has(name, "thread") ||
           name_has(name, "executor");
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

/* ---- what the roots reach ---- */

bool is_test_path(Str path)
{
    Str rest = path, name = str_slice(path, str_rfind(path, '/') == path.n ? 0 : str_rfind(path, '/') + 1, path.n);
    while (rest.n) {
        Str part = str_cut(rest, '/', &rest);
        if (rest.n &&
            (str_is(part, "tests") || str_is(part, "test") || str_is(part, "testing") || str_is(part, "benchmarks")))
            return true;
    }
    return str_starts(name, S("test_")) || str_is(name, "conftest.py") || str_ends(name, S("_test.py"));
}

/* Is this file something that is run, or that only tests or builds the library? */
static bool is_script(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = ROOT_API + 1; i < p->roots.n && !f->source->in_package; i++) { /* its module body starts threads */
        const Root *r = &p->roots.v[i];
        if (r->file == file && r->call != NONE && f->calls.v[r->call].func == 0) return true;
    }
    Str path = f->source->path, rest = path;
    if (is_test_path(path)) return true;
    while (rest.n) {
        Str part = str_cut(rest, '/', &rest);
        if (rest.n && (str_is(part, "docs") || str_is(part, "doc") || str_is(part, "examples") ||
                       str_is(part, "scripts") || str_is(part, "tools")))
            return true;
    }
    if (str_is(path, "setup.py") || str_ends(path, S("/setup.py"))) return true;
    return !f->source->in_package && (f->has_main_guard || f->runs_calls);
}

static bool info_add(FuncInfo *fi, u32 root, bool many)
{
    bool changed = false;
    u32 i = 0;
    while (i < fi->nroots && fi->roots[i] != root) i++;
    if (i == fi->nroots) {
        if (fi->nroots < FUNC_ROOTS) {
            fi->roots[fi->nroots++] = root;
            changed = true;
        } else if (!fi->many) {
            fi->many = true;
            changed = true;
        }
    }
    if (many && !fi->many) {
        fi->many = true;
        changed = true;
    }
    return changed;
}

/* Tests drive the library from threads of their own; that says nothing about who else does. */
static bool leaves_tests(const Program *p, const CallEdge *e)
{
    return is_test_path(p->facts[e->file]->source->path) &&
           !is_test_path(p->facts[func_gid(p, e->callee).file]->source->path);
}

/* A call resolved by the method's name alone is believed within one file only; chains of such guesses reach
 * everything. */
static bool far_guess(const Program *p, const CallEdge *e)
{
    return e->weak && func_gid(p, e->callee).file != e->file;
}

static void reach(Program *p, u32 root, u32 *stack)
{
    u32 n = 0;
    const Root *r = &p->roots.v[root];
    if (info_add(&p->funcs[r->func], root, r->many)) stack[n++] = r->func;
    while (n) {
        u32 fn = stack[--n];
        for (u32 e = p->edge_first[fn]; e < p->edge_first[fn + 1]; e++) {
            u32 to = p->edges.v[e].callee;
            if (leaves_tests(p, &p->edges.v[e]) || far_guess(p, &p->edges.v[e])) continue;
            if (info_add(&p->funcs[to], root, r->many)) stack[n++] = to;
        }
    }
}

/* Does the file use threading for more than locks? A lock alone, which one of our fixes may have put there, shows no
 * thread. */
bool uses_threads(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *m = &f->imports.v[i];
        if (!str_starts(sym_str(f, m->module), S("threading"))) continue;
        Str name = sym_str(f, m->name);
        if (name.n && !str_is(name, "Lock") && !str_is(name, "RLock")) return true;
        for (u32 k = 0; !name.n && k < f->paths.n; k++) {
            const Path *x = &f->paths.v[k];
            if (x->root != ROOT_GLOBAL || x->name != m->local || !x->nattr) continue;
            Str attr = sym_str(f, x->attr[0]);
            if (!str_is(attr, "Lock") && !str_is(attr, "RLock")) return true;
        }
    }
    return false;
}

/* Code of windows runs in the thread of the windows; without threading it stays there. */
static bool window_code(const Program *p, u32 file)
{
    static const char *const toolkits[] = {"tkinter", "Tkinter", "PyQt", "PySide", "wx", "gi.repository.Gtk"};
    for (u32 i = 0; i < COUNT_OF(toolkits); i++)
        if (file_imports(p, file, toolkits[i])) return !uses_threads(p, file);
    return false;
}

static bool named(const Program *p, u32 file, const Func *fn, const char *const *names, u32 n)
{
    Str name = sym_str(p->facts[file], fn->name);
    for (u32 i = 0; i < n; i++)
        if (str_is(name, names[i])) return true;
    return false;
}

static void func_basics(Program *p, u32 file, u32 func)
{
    static const char *const making[] = {
        "__init__",     "__new__",    "__post_init__",       "__setstate__",   "__del__",  "__set_name__",
        "__getstate__", "__reduce__", "__attrs_post_init__", "__getnewargs__", "__copy__", "__deepcopy__"};
    static const char *const defining[] = {"__init_subclass__", "__set_name__", "__class_getitem__", "__prepare__"};
    const Func *fn = &p->facts[file]->funcs.v[func];
    FuncInfo *fi = &p->funcs[gfunc_of(p, file, func)];
    fi->first_start = fi->last_join = NONE;
    fi->event_loop = fn->is_async;
    fi->construct = fn->cls != NONE && named(p, file, fn, making, COUNT_OF(making));
    fi->import_time = fn->cls != NONE && named(p, file, fn, defining, COUNT_OF(defining));
    if (fn->cls != NONE && class_derives(p, gclass_of(p, file, fn->cls), "type")) {
        static const char *const meta[] = {"__new__", "__init__"};
        fi->import_time |= named(p, file, fn, meta, COUNT_OF(meta));
    }
    if (p->options->assume == ASSUME_ALWAYS)
        fi->api = func != 0;
    else if (p->options->assume == ASSUME_AUTO)
        fi->api = func != 0 && !is_script(p, file) && !window_code(p, file);
}

/* Callers of each function: the edges once more, sorted by callee. */
typedef struct Callers {
    u32 *first; /* nfuncs + 1 */
    u32 *edge;
} Callers;

static Callers callers_index(Program *p, Arena *scratch)
{
    u32 nf = p->state->nfuncs;
    Callers c = {arena_new(scratch, u32, nf + 2), arena_new(scratch, u32, p->edges.n)};
    for (u32 i = 0; i < p->edges.n; i++) c.first[p->edges.v[i].callee + 1]++;
    for (u32 i = 0; i < nf; i++) c.first[i + 1] += c.first[i];
    u32 *at = arena_new(scratch, u32, nf + 1);
    for (u32 i = 0; i < p->edges.n; i++) {
        u32 to = p->edges.v[i].callee;
        c.edge[c.first[to] + at[to]++] = i;
    }
    return c;
}

bool in_main_block(const Facts *f, u32 block)
{
    for (; block != NONE; block = f->blocks.v[block].parent)
        if (f->blocks.v[block].kind == BLOCK_MAIN) return true;
    return false;
}

/* Does this call run while modules are imported, before any thread? */
static bool import_time_edge(const Program *p, const CallEdge *e)
{
    GId g = func_gid(p, e->caller);
    const Facts *f = p->facts[g.file];
    if (g.id != 0) return p->funcs[e->caller].import_time;
    return e->call == NONE || !in_main_block(f, f->calls.v[e->call].block);
}

/* Does every caller (at least one) have the property? */
typedef bool (*EdgeTest)(const Program *p, const CallEdge *e);

static bool all_callers(const Program *p, const Callers *c, u32 gfunc, EdgeTest test)
{
    u32 n = 0;
    for (u32 i = c->first[gfunc]; i < c->first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[c->edge[i]];
        if (e->caller == gfunc) continue;
        if (!test(p, e)) return false;
        n++;
    }
    return n > 0;
}

static bool construct_edge(const Program *p, const CallEdge *e)
{
    if (!p->funcs[e->caller].construct) return false;
    GId a = func_gid(p, e->caller), b = func_gid(p, e->callee);
    u32 ca = p->facts[a.file]->funcs.v[a.id].cls, cb = p->facts[b.file]->funcs.v[b.id].cls;
    return ca != NONE && cb != NONE && class_is_a(p, gclass_of(p, a.file, ca), gclass_of(p, b.file, cb));
}

static bool loop_edge(const Program *p, const CallEdge *e)
{
    return p->funcs[e->caller].event_loop;
}

static bool private_name(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    Str s = sym_str(p->facts[g.file], p->facts[g.file]->funcs.v[g.id].name);
    return s.n && s.p[0] == '_' && !str_ends(s, S("__"));
}

static bool not_api_edge(const Program *p, const CallEdge *e)
{
    return !p->funcs[e->caller].api;
}

/* A private function that a thread runs, and private helpers that only such functions call, are not for users to
 * call. */
static void private_roots(Program *p, const Callers *c)
{
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        if (r->func == NONE) continue;
        GId g = func_gid(p, r->func);
        bool nested = p->facts[g.file]->funcs.v[g.id].parent != 0;
        if ((private_name(p, r->func) || r->own || nested) && p->options->assume != ASSUME_ALWAYS)
            p->funcs[r->func].api = false;
    }
    for (u32 round = 0; round < 4; round++)
        for (u32 fn = 0; fn < p->state->nfuncs; fn++)
            if (p->funcs[fn].api && p->funcs[fn].nroots && private_name(p, fn) && all_callers(p, c, fn, not_api_edge))
                p->funcs[fn].api = false;
}

static void propagate(Program *p)
{
    Arena scratch = {0};
    Callers c = callers_index(p, &scratch);
    private_roots(p, &c);
    for (u32 round = 0; round < 4; round++) {
        for (u32 fn = 0; fn < p->state->nfuncs; fn++) {
            FuncInfo *fi = &p->funcs[fn];
            if (func_gid(p, fn).id == 0) continue;
            if (!fi->import_time && !fi->nroots) fi->import_time = all_callers(p, &c, fn, import_time_edge);
            if (!fi->construct && private_name(p, fn)) fi->construct = all_callers(p, &c, fn, construct_edge);
            if (!fi->event_loop && !fi->nroots) fi->event_loop = all_callers(p, &c, fn, loop_edge);
        }
    }
    arena_free(&scratch);
}

static void reach_main(Program *p, u32 *stack)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        u32 n = 0, fn = p->func_base[file];
        if (!p->funcs[fn].main) stack[n++] = fn;
        p->funcs[fn].main = true;
        while (n) {
            fn = stack[--n];
            for (u32 e = p->edge_first[fn]; e < p->edge_first[fn + 1]; e++) {
                u32 to = p->edges.v[e].callee;
                if (!p->funcs[to].main) stack[n++] = to;
                p->funcs[to].main = true;
            }
        }
    }
}

void roots_reach(Program *p)
{
    p->funcs = arena_new(p->arena, FuncInfo, p->state->nfuncs);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->funcs.n; i++) func_basics(p, file, i);
    u32 *stack = xmalloc((p->state->nfuncs + p->edges.n + 1) * sizeof *stack);
    for (u32 r = ROOT_API + 1; r < p->roots.n; r++)
        if (p->roots.v[r].func != NONE) reach(p, r, stack);
    reach_main(p, stack);
    free(stack);
    propagate(p);
    for (u32 i = 0; i < p->state->nfuncs; i++) p->library |= p->funcs[i].api;
}
