/* Thread roots: the functions that run in threads of their own.
 *
 * Root 0 is the main program, root 1 is "any caller": in a library every function may be called from any thread. The
 * table of ways to start a thread is know/threads.def. */
#include "link/link.h"

enum { TARGETS = 8 };

#define ROOT_CALL_ARG(name_, position_, keyword_, many_, label_)                                                     \
    {.how = ROOT_BY_CALL, .name = name_, .position = position_, .keyword = keyword_, .many = many_, .label = label_},
#define ROOT_CALLBACK(name_, position_, keyword_, many_, label_)                                                     \
    {.how = ROOT_BY_CALL,                                                                                            \
     .name = name_,                                                                                                  \
     .position = position_,                                                                                          \
     .keyword = keyword_,                                                                                            \
     .many = many_,                                                                                                  \
     .own = true,                                                                                                    \
     .label = label_},
#define ROOT_METHOD_ARG(name_, type_, position_, keyword_, package_, many_, label_)                                  \
    {.how = ROOT_BY_METHOD,                                                                                          \
     .name = name_,                                                                                                  \
     .type = type_,                                                                                                  \
     .position = position_,                                                                                          \
     .keyword = keyword_,                                                                                            \
     .package = package_,                                                                                            \
     .many = many_,                                                                                                  \
     .label = label_},
#define ROOT_BASE(name_, method_, many_, own_, label_)                                                               \
    {.how = ROOT_BY_BASE, .name = name_, .method = method_, .many = many_, .own = own_, .label = label_},
#define ROOT_DECORATOR(name_, receivers_, many_, label_)                                                             \
    {.how = ROOT_BY_DECORATOR, .name = name_, .receivers = receivers_, .many = many_, .label = label_},
#define ROOT_ATTRIBUTE(name_, package_, many_, label_)                                                               \
    {.how = ROOT_BY_ATTRIBUTE, .name = name_, .package = package_, .many = many_, .label = label_},
static const RootRow known_rows[] = {
#include "know/threads.def"
};

/* The rows of the table, then those of the configuration; NULL at the end. */
static const RootRow *row_at(const Program *p, u32 i)
{
    if (i < COUNT_OF(known_rows)) return &known_rows[i];
    i -= COUNT_OF(known_rows);
    return i < p->options->roots.n ? &p->options->roots.v[i] : NULL;
}

/* label with the function's name in place of %s, and where it is. */
static Str root_display(Program *p, const char *label, Str name, u32 file, u32 line)
{
    Str l = str_from(label), head = str_slice(l, 0, str_search(l, S("%s"))), tail = str_slice(l, head.n + 2, l.n);
    if (head.n == l.n) name = S("");
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

static void roots_of_arg(Program *p, u32 file, const Call *c, u32 call, const Arg *arg, bool many, bool own,
                         const char *label)
{
    if (!arg) return;
    u32 out[TARGETS], n = value_funcs(p, file, arg->kind, arg->value, out, TARGETS);
    if (!n && arg->kind == VAL_PATH && receiver_unknown(p, file, &p->facts[file]->paths.v[arg->value]))
        n = weak_targets(p, file, &p->facts[file]->paths.v[arg->value], out, TARGETS);
    many |= p->facts[file]->blocks.v[c->block].repeats;
    for (u32 i = 0; i < n; i++)
        root_add(p, out[i], many, own, root_display(p, label, short_name(p, out[i]), file, c->line), file, call);
}

bool file_imports(const Program *p, u32 file, const char *package)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++)
        if (str_starts(sym_str(f, f->imports.v[i].module), str_from(package))) return true;
    return false;
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

static bool method_fits(Str name, const char *pattern)
{
    Str pat = str_from(pattern);
    if (str_ends(pat, S("*"))) return str_starts(name, str_slice(pat, 0, pat.n - 1));
    return str_eq(name, pat);
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

/* Does the call name the row's function or class, of a library or of the program? */
static bool callee_is(const Program *p, u32 file, const Call *c, Str ext, const char *name)
{
    if (ext.n) return str_is(ext, name);
    Arena scratch = {0};
    Ent e = path_entity(p, file, c->callee);
    Str own = e.kind == ENT_FUNC    ? func_display(&scratch, p, e.id)
              : e.kind == ENT_CLASS ? class_display(&scratch, p, e.id)
                                    : S("");
    bool same = str_is(own, name);
    arena_free(&scratch);
    return same;
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

/* gevent and eventlet, once they have replaced threading, run "threads" one at a time, in one thread. */
static bool green_threads(const Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            if (f->calls.v[i].func != 0) continue;
            Str ext = path_external(p, file, f->calls.v[i].callee);
            if (str_is(ext, "gevent.monkey.patch_all") || str_is(ext, "gevent.monkey.patch_thread") ||
                str_is(ext, "eventlet.monkey_patch"))
                return true;
        }
    }
    return false;
}

static bool call_row_fits(const Program *p, u32 file, const RootRow *r)
{
    return !str_starts(str_from(r->name), S("joblib.")) || joblib_threads(p, file);
}

static void roots_of_call(Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *x = &f->paths.v[c->callee];
    Str ext = path_external(p, file, c->callee);
    u32 first = ext.n ? 0 : COUNT_OF(known_rows); /* rows of the table name libraries only */
    const RootRow *r;
    for (u32 i = first; (r = row_at(p, i)); i++)
        if (r->how == ROOT_BY_CALL && callee_is(p, file, c, ext, r->name) && call_row_fits(p, file, r))
            roots_of_arg(p, file, c, call, find_arg(f, c, r->position, r->keyword), r->many, r->own, r->label);
    if (!x->nattr || x->attr[x->nattr - 1] == SYM_ITEM) {
        /* class C(Thread); C(target=f) */
        Ent e = path_entity(p, file, c->callee);
        if (e.kind == ENT_CLASS && class_derives(p, e.id, "threading.Thread"))
            roots_of_arg(p, file, c, call, find_arg(f, c, 1, "target"), false, false, "Thread(target=%s)");
        return;
    }
    Str method = sym_str(f, x->attr[x->nattr - 1]);
    for (u32 i = 0; (r = row_at(p, i)); i++) {
        if (r->how != ROOT_BY_METHOD || !str_is(method, r->name) || !method_row_fits(p, file, r, c, x)) continue;
        bool many = r->many && !(r->type == TYPE_EXECUTOR && one_worker(p, file, x));
        roots_of_arg(p, file, c, call, find_arg(f, c, r->position, r->keyword), many, false, r->label);
    }
}

/* client.on_message = f */
static void roots_of_def(Program *p, u32 file, u32 def)
{
    const Facts *f = p->facts[file];
    const Def *d = &f->defs.v[def];
    if (d->path == NONE || (d->kind != VAL_PATH && d->kind != VAL_FUNC && d->kind != VAL_LAMBDA)) return;
    const Path *x = &f->paths.v[d->path];
    if (!x->nattr || x->attr[x->nattr - 1] == SYM_ITEM || x->root == ROOT_CLASS) return;
    Str attr = sym_str(f, x->attr[x->nattr - 1]);
    const RootRow *r;
    for (u32 i = 0; (r = row_at(p, i)); i++) {
        if (r->how != ROOT_BY_ATTRIBUTE || !method_fits(attr, r->name)) continue;
        if (r->package && r->package[0] && !imports_one(p, file, r->package)) continue;
        u32 out[TARGETS], n = value_funcs(p, file, d->kind, d->value, out, TARGETS), line, column;
        source_position(f->source, d->span.start, &line, &column);
        for (u32 k = 0; k < n; k++)
            root_add(p, out[k], r->many, false, root_display(p, r->label, short_name(p, out[k]), file, line), file,
                     NONE);
    }
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

/* The base of a row: a dotted name, of a library or of the program; "*Suffix" for any base with such a name;
 * "package:" for any class in a file that imports the package. */
static bool base_fits(const Program *p, u32 file, u32 gclass, const char *name)
{
    Str base = str_from(name);
    const ClassInfo *ci = &p->state->classes[gclass];
    if (str_ends(base, S(":"))) {
        char package[64];
        snprintf(package, sizeof package, "%.*s", STR_ARG(str_slice(base, 0, base.n - 1)));
        return file_imports(p, file, package);
    }
    if (base.p[0] != '*') {
        for (u32 i = 0; i < ci->bases.n; i++) {
            Arena scratch = {0};
            bool same = str_eq(class_display(&scratch, p, ci->bases.v[i]), base);
            arena_free(&scratch);
            if (same) return true;
        }
        return class_derives(p, gclass, name);
    }
    for (u32 i = 0; i < ci->ext_bases.n; i++)
        if (str_ends(p->syms.strs[ci->ext_bases.v[i]], str_slice(base, 1, base.n))) return true;
    for (u32 i = 0; i < ci->bases.n; i++) {
        u32 at;
        const Class *c = program_class(p, ci->bases.v[i], &at);
        if (str_ends(sym_str(p->facts[at], c->name), str_slice(base, 1, base.n))) return true;
    }
    return false;
}

static void roots_of_class(Program *p, u32 gclass, bool serial)
{
    LinkState *s = p->state;
    u32 file;
    const Class *c = program_class(p, gclass, &file);
    const Facts *f = p->facts[file];
    ClassInfo *ci = &s->classes[gclass];
    const RootRow *r;
    for (u32 i = 0; (r = row_at(p, i)); i++) {
        if (r->how != ROOT_BY_BASE || !base_fits(p, file, gclass, r->name)) continue;
        bool thread = !r->many && r->own;
        if (r->own && r->many) ci->fresh = true;
        for (u32 k = 1; k < f->funcs.n; k++) {
            const Func *fn = &f->funcs.v[k];
            if (gclass_of(p, file, fn->cls) != gclass || fn->is_lambda || fn->is_async ||
                !method_fits(sym_str(f, fn->name), r->method))
                continue;
            if (str_is(str_from(r->method), "*") && str_starts(sym_str(f, fn->name), S("_"))) continue;
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

static bool decorator_is(const Program *p, u32 file, u32 path, Str ext, const char *name)
{
    if (ext.n) return str_is(ext, name);
    Arena scratch = {0};
    Ent e = path_entity(p, file, path);
    bool same = e.kind == ENT_FUNC && str_is(func_display(&scratch, p, e.id), name);
    arena_free(&scratch);
    return same;
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
        Str ext = path_external(p, file, f->decorators.v[i]);
        const RootRow *r;
        for (u32 k = 0; (r = row_at(p, k)); k++) {
            if (r->how != ROOT_BY_DECORATOR) continue;
            bool dotted = str_find(str_from(r->name), '.') < strlen(r->name);
            if (dotted ? !decorator_is(p, file, f->decorators.v[i], ext, r->name) : !str_is(name, r->name)) continue;
            if (r->receivers && r->receivers[0] && !has_word(r->receivers, receiver)) continue;
            root_add(p, gfunc_of(p, file, func), r->many, false,
                     root_display(p, r->label, sym_str(f, fn->name), file, fn->line), file, NONE);
            break;
        }
    }
}

/* Functions that --extend-roots and the configuration name. */
static void roots_named(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 1; i < f->funcs.n && (p->options->roots.n || p->options->extend_roots.n); i++) {
            Arena scratch = {0};
            u32 g = gfunc_of(p, file, i);
            Str name = func_display(&scratch, p, g);
            for (u32 k = 0; k < p->options->extend_roots.n; k++)
                if (str_eq(name, p->options->extend_roots.v[k]))
                    root_add(p, g, true, false,
                             root_display(p, "%s, by --extend-roots,", name, file, f->funcs.v[i].line), file, NONE);
            for (u32 k = 0; k < p->options->roots.n; k++) {
                const RootRow *r = &p->options->roots.v[k];
                if (r->how == ROOT_BY_FUNCTION && str_is(name, r->name))
                    root_add(p, g, r->many, false, root_display(p, r->label, name, file, f->funcs.v[i].line), file,
                             NONE);
            }
            arena_free(&scratch);
        }
    }
}

/* Takes out the threads that gevent or eventlet have replaced. */
static void roots_green(Program *p)
{
    u32 n = ROOT_API + 1;
    for (u32 i = n; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        Str ext = r->call == NONE ? S("") : path_external(p, r->file, p->facts[r->file]->calls.v[r->call].callee);
        bool green = str_starts(ext, S("threading.")) || str_starts(ext, S("thread.")) ||
                     str_starts(ext, S("_thread.")) || str_contains(r->display, S("(Thread subclass)")) ||
                     str_contains(r->display, S("Thread(target="));
        if (!green) p->roots.v[n++] = p->roots.v[i];
    }
    p->roots.n = n;
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
        for (u32 i = 0; i < p->facts[file]->defs.n; i++) roots_of_def(p, file, i);
    }
    roots_named(p);
    bool serial = serial_server(p);
    for (u32 c = 0; c < p->state->nclasses; c++) roots_of_class(p, c, serial);
    if (green_threads(p)) roots_green(p);
    p->concurrent = p->roots.n > ROOT_API + 1;
}
