/* What each function is: library code that any thread may call, code of the import, of
 * construction, of an event loop. */
#include "link/link.h"

/* tests, old_tests, contract-test: a directory test_plus may as well be what is shipped. */
static bool holds_tests(Str dir)
{
    Str last = str_last(str_last(dir, '-'), '_');
    static const char *const words[] = {"test", "tests", "testing", "testdata", "atest", "utest"};
    return str_among(last, words, COUNT_OF(words));
}

bool is_test_path(Str path)
{
    Str rest = path, name = str_last(path, '/');
    while (rest.n) {
        Str part = str_cut(rest, '/', &rest);
        if (rest.n && (holds_tests(part) || str_is(part, "unittests") || str_is(part, "benchmarks"))) return true;
    }
    return str_starts(name, S("test_")) || str_is(name, "conftest.py") || str_ends(name, S("_test.py")) ||
           str_ends(name, S("_tests.py")) || str_is(name, "test.py") || str_is(name, "tests.py");
}

bool is_script(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    if (p->state->installed && p->state->installed[file]) return false;
    for (u32 i = ROOT_API + 1; i < p->roots.n && !f->source->in_package; i++) { /* its module body starts threads */
        const Root *r = &p->roots.v[i];
        if (r->file == file && r->call != NONE && f->calls.v[r->call].func == 0) return true;
    }
    Str path = f->source->path, rest = path;
    if (p->tests[file]) return true;
    while (rest.n) {
        Str part = str_cut(rest, '/', &rest);
        if (rest.n &&
            (str_is(part, "docs") || str_is(part, "doc") || str_is(part, "examples") || str_is(part, "bin") ||
             str_is(part, "scripts") || (str_is(part, "tools") && !f->source->in_package)))
            return true;
    }
    if (str_is(path, "setup.py") || str_ends(path, S("/setup.py"))) return true;
    return !f->source->in_package && (f->has_main_guard || f->runs_calls);
}

/* Does the file use threading for more than locks? A lock alone, which one of our fixes may have put there, shows no
 * thread. */
static bool threads_used(const Facts *f)
{
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *m = &f->imports.v[i];
        if (str_starts(sym_str(f, m->module), S("concurrent")) &&
            intern_find(&f->syms, S("ThreadPoolExecutor")) != NONE)
            return true;
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

void threads_used_find(Program *p)
{
    LinkState *s = p->state;
    s->uses_threads = arena_new(s->a, bool, p->nfiles + 1);
    for (u32 i = 0; i < p->nfiles; i++) s->uses_threads[i] = threads_used(p->facts[i]);
}

bool uses_threads(const Program *p, u32 file)
{
    return p->state->uses_threads[file];
}

bool class_is_process(const Program *p, u32 gclass)
{
    return class_derives_known(p, gclass, AS_PROCESS);
}

static bool named(const Program *p, u32 file, const Func *fn, const char *const *names, u32 n)
{
    Str name = sym_str(p->facts[file], fn->name);
    for (u32 i = 0; i < n; i++)
        if (str_is(name, names[i])) return true;
    return false;
}

/* signal.signal() raises elsewhere than in the main thread (Python library reference, "signal"). */
static bool main_thread_only(const Program *p, u32 file, const Func *fn)
{
    const Facts *f = p->facts[file];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        bool caught = false;
        for (u32 b = f->calls.v[i].block; b != NONE; b = f->blocks.v[b].parent)
            caught |= f->blocks.v[b].kind == BLOCK_TRY;
        if (!caught && str_is(path_external(p, file, f->calls.v[i].callee), "signal.signal")) return true;
    }
    return false;
}

enum { WIDGET_BASES = 6 };

/* Is it a method of a widget? All code of a widget but what runs in threads in sight runs in the thread of the
 * windows, whatever else the file does: toolkits forbid the rest (Qt, "Thread Basics"; tkinter: Python library
 * reference, "Threading model"). Inner functions may be made for a thread, and wait for it by a signal. */
static bool of_widget(const Program *p, u32 file, const Func *fn)
{
    return fn->cls != NONE && class_draws(p, gclass_of(p, file, fn->cls), WIDGET_BASES);
}

/* A command of Django's: its handle() is what the main thread runs. */
static bool named_command(const Program *p, u32 gclass)
{
    const ClassInfo *c = &p->state->classes[gclass];
    for (u32 i = 0; i < c->ext_bases.n; i++)
        if (str_ends(p->syms.strs[c->ext_bases.v[i]], S("BaseCommand"))) return true;
    return false;
}

/* `callable`: code of a library, of no script, window or greenlet. */
static void func_basics(Program *p, u32 file, u32 func, bool callable)
{
    static const char *const making[] = {
        "__init__",     "__new__",    "__post_init__",       "__setstate__",   "__del__",  "__set_name__",
        "__getstate__", "__reduce__", "__attrs_post_init__", "__getnewargs__", "__copy__", "__deepcopy__"};
    static const char *const defining[] = {"__init_subclass__", "__set_name__", "__class_getitem__", "__prepare__"};
    const Func *fn = &p->facts[file]->funcs.v[func];
    FuncInfo *fi = &p->funcs[gfunc_of(p, file, func)];
    fi->first_start = fi->last_join = fi->spawns = NONE;
    fi->event_loop = is_coroutine(p, file, func);
    fi->construct = fn->cls != NONE && named(p, file, fn, making, COUNT_OF(making));
    if (fn->cls != NONE && str_is(sym_str(p->facts[file], fn->name), "_init")) /* called by the queue's __init__ */
        fi->construct |= class_is_queue(p, gclass_of(p, file, fn->cls));
    fi->import_time = fn->cls != NONE && named(p, file, fn, defining, COUNT_OF(defining));
    if (fn->cls != NONE && class_derives(p, gclass_of(p, file, fn->cls), "type")) {
        static const char *const meta[] = {"__new__", "__init__"};
        fi->import_time |= named(p, file, fn, meta, COUNT_OF(meta));
    }
    fi->main = p->state->of_program[file] && fn->cls != NONE && str_is(sym_str(p->facts[file], fn->name), "handle") &&
               named_command(p, gclass_of(p, file, fn->cls));
    fi->main_alone = p->options->assume != ASSUME_ALWAYS && of_widget(p, file, fn);
    if (p->options->assume == ASSUME_ALWAYS)
        fi->api = func != 0;
    else if (p->options->assume == ASSUME_AUTO)
        fi->api = func != 0 && callable && !main_thread_only(p, file, fn);
}

enum { MAIN_ROUNDS = 6 };

Callers callers_index(const Program *p, Arena *a)
{
    u32 nf = p->state->nfuncs;
    Callers c = {arena_new(a, u32, nf + 2), arena_new(a, u32, p->edges.n)};
    for (u32 i = 0; i < p->edges.n; i++) c.first[p->edges.v[i].callee + 1]++;
    for (u32 i = 0; i < nf; i++) c.first[i + 1] += c.first[i];
    u32 *at = arena_new(a, u32, nf + 1);
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

/* Does this call run while modules are imported, before any thread? Not when the module's own body has started one by
 * then, or starts one by the call: a script that ends with main(). */
static bool import_time_edge(const Program *p, const CallEdge *e)
{
    GId g = func_gid(p, e->caller);
    const Facts *f = p->facts[g.file];
    if (g.id != 0) return p->funcs[e->caller].import_time;
    if (p->funcs[e->callee].api && is_script(p, g.file)) return false; /* an example is one user of many */
    if (e->call == NONE) return true;
    const Call *c = &f->calls.v[e->call];
    u32 lead = p->state->lead[e->caller];
    return !in_main_block(f, c->block) && (lead == NONE || c->span.end <= lead);
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

static bool underscored(Str s)
{
    return s.n && s.p[0] == '_' && !str_ends(s, S("__"));
}

static bool private_name(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    return underscored(sym_str(p->facts[g.file], p->facts[g.file]->funcs.v[g.id].name));
}

/* A method of a Thread subclass, or of what each such thread makes for itself: what its run() calls, it calls for
 * itself. */
static bool of_thread(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    u32 cls = p->facts[g.file]->funcs.v[g.id].cls;
    if (cls == NONE) return false;
    cls = gclass_of(p, g.file, cls);
    return class_is_thread(p, cls) || class_part_of_threads(p, cls);
}

/* Is it self.m in Thread(target=self.m), or a function of the module? Methods of other objects are there for more. */
static bool own_target(const Program *p, const Root *r)
{
    GId g = func_gid(p, r->func);
    if (p->facts[g.file]->funcs.v[g.id].cls == NONE) return true;
    const Facts *f = p->facts[r->file];
    const Call *c = &f->calls.v[r->call];
    Str name = sym_str(p->facts[g.file], program_func(p, r->func)->name);
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Path *x = f->args.v[i].kind == VAL_PATH ? &f->paths.v[f->args.v[i].value] : NULL;
        if (x && x->root == ROOT_SELF && x->nattr == 1 && str_eq(sym_str(f, x->attr[0]), name)) return true;
    }
    return false;
}

/* class Loop(Thread); Loop(target=f) */
static bool makes_thread(const Program *p, const Root *r)
{
    if (r->call == NONE) return false;
    Ent e = path_entity(p, r->file, p->facts[r->file]->calls.v[r->call].callee);
    return e.kind == ENT_CLASS && class_is_thread(p, e.id);
}

/* Is the function run by Thread(target=…), a subclass of it or start_new_thread, or once by a pool, and called by
 * nobody else but, in its place, what makes the object? Users start such a thread; they do not call it from others.
 */
static bool only_started(const Program *p, const Callers *c, const Root *r)
{
    Str ext = r->call == NONE ? S("") : path_external(p, r->file, p->facts[r->file]->calls.v[r->call].callee);
    if (!str_is(ext, "threading.Thread") && !str_is(ext, "thread.start_new_thread") &&
        !str_is(ext, "_thread.start_new_thread") && !r->once && !makes_thread(p, r))
        return false;
    if (!own_target(p, r)) return false;
    for (u32 i = c->first[r->func]; i < c->first[r->func + 1]; i++) {
        const CallEdge *e = &p->edges.v[c->edge[i]];
        if (!construct_edge(p, e) && e->caller != r->func && !from_tests(p, e->file, e->callee)) return false;
    }
    return true;
}

static bool has_callers(const Program *p, const Callers *c, u32 gfunc)
{
    for (u32 i = c->first[gfunc]; i < c->first[gfunc + 1]; i++)
        if (p->edges.v[c->edge[i]].caller != gfunc) return true;
    return false;
}

/* Does code that is no test call it? */
static bool called_by_program(const Program *p, const Callers *c, u32 gfunc)
{
    for (u32 i = c->first[gfunc]; i < c->first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[c->edge[i]];
        if (e->caller != gfunc && !e->weak && !p->tests[e->file] && !p->examples[e->file]) return true;
    }
    return false;
}

/* Private helpers, methods of a thread, and what no package offers, are not for users to call where a thread in sight
 * runs them and only functions call them that users do not. They call each other in circles; so all of them are taken
 * for such first, and then what users' functions lead to is not. */
static void private_helpers(Program *p, const Callers *c)
{
    Arena scratch = {0};
    u32 n = 0, *stack = arena_new(&scratch, u32, p->state->nfuncs + 1);
    Offer offer = offer_find(p, &scratch);
    u8 *helper = arena_new(&scratch, u8, p->state->nfuncs + 1);
    for (u32 fn = 0; fn < p->state->nfuncs; fn++) {
        helper[fn] = p->funcs[fn].api && p->funcs[fn].nroots &&
                     (((private_name(p, fn) || of_thread(p, fn)) && has_callers(p, c, fn)) ||
                      (called_by_program(p, c, fn) && !offered(p, &offer, fn)));
        if (helper[fn])
            p->funcs[fn].api = false;
        else if (p->funcs[fn].api)
            stack[n++] = fn;
    }
    while (n) {
        u32 fn = stack[--n];
        for (u32 i = p->edge_first[fn]; i < p->edge_first[fn + 1]; i++) {
            u32 to = p->edges.v[i].callee;
            if (!helper[to] || p->funcs[to].api) continue;
            p->funcs[to].api = true;
            stack[n++] = to;
        }
    }
    arena_free(&scratch);
}

/* A private function that a thread runs, and one that is only started, are not for users to call; nor are their
 * helpers. */
static void private_roots(Program *p, const Callers *c)
{
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        if (r->func == NONE) continue;
        GId g = func_gid(p, r->func);
        bool nested = p->facts[g.file]->funcs.v[g.id].parent != 0;
        if ((private_name(p, r->func) || r->own || nested || only_started(p, c, r)) &&
            p->options->assume != ASSUME_ALWAYS)
            p->funcs[r->func].api = false;
    }
    private_helpers(p, c);
}

/* if __name__ == "__main__": main(), which runs once, and what only that calls in its file: by no edge from elsewhere
 * but from tests. */
static bool only_by_main(const Program *p, const Callers *c, const u8 *by_main, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    u32 n = 0;
    for (u32 i = c->first[gfunc]; i < c->first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[c->edge[i]];
        if (e->caller == gfunc || from_tests(p, e->file, gfunc)) continue;
        bool guard = func_gid(p, e->caller).id == 0 && e->call != NONE &&
                     in_main_block(p->facts[e->file], p->facts[e->file]->calls.v[e->call].block);
        if (e->file != g.file || e->weak || e->passed || !(guard || by_main[e->caller])) return false;
        n++;
    }
    return n > 0;
}

/* What a module does when it is run is not for users of the package to call, unless the package offers it. */
static void main_of_modules(Program *p, const Callers *c)
{
    Arena scratch = {0};
    u8 *by_main = arena_new(&scratch, u8, p->state->nfuncs + 1);
    Offer offer = offer_find(p, &scratch);
    for (u32 round = 0, changed = 1; round < MAIN_ROUNDS && changed; round++) {
        changed = 0;
        for (u32 fn = 0; fn < p->state->nfuncs; fn++) {
            if (!p->funcs[fn].api || !p->facts[func_gid(p, fn).file]->has_main_guard) continue;
            GId g = func_gid(p, fn);
            bool main = str_is(sym_str(p->facts[g.file], program_func(p, fn)->name), "main"); /* also in __all__ */
            if (!only_by_main(p, c, by_main, fn) || (!main && offered(p, &offer, fn))) continue;
            by_main[fn] = changed = 1;
            p->funcs[fn].api = false;
        }
    }
    arena_free(&scratch);
}

/* self.__init__(…) in another method makes the object anew while others have it. */
static void made_anew(Program *p)
{
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->call == NONE || e->weak || !p->funcs[e->callee].construct || p->funcs[e->caller].construct) continue;
        const Facts *f = p->facts[e->file];
        const Path *x = &f->paths.v[f->calls.v[e->call].callee];
        if (x->root == ROOT_SELF && x->nattr == 1 && str_is(sym_str(f, x->attr[0]), "__init__"))
            p->funcs[e->callee].construct = false;
    }
}

static void runs_alone(Program *p, u32 file, const Arg *a)
{
    Type t = a->kind == VAL_PATH ? path_type(p, file, a->value) : (Type){0};
    if (t.kind == TYPE_FUNC) p->funcs[t.id].import_time = true;
    if (a->kind == VAL_LAMBDA || a->kind == VAL_FUNC) p->funcs[gfunc_of(p, file, a->value)].import_time = true;
}

/* Is it called as what is run in a new child, by whatever the program has for that? */
static bool named_after_fork(Str name)
{
    static const char *const words[] = {"after_fork", "post_fork", "postfork", "after_in_child", "handle_fork"};
    if (str_starts(name, S("test"))) return false;
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (str_contains(name, str_from(words[i]))) return true;
    return false;
}

/* What os.register_at_fork and multiprocessing.util.register_after_fork run in a new child runs before that has a
 * thread of its own; the parent's are not there (Python library reference, "os.register_at_fork"). */
static void after_fork(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 1; i < f->funcs.n; i++)
            if (named_after_fork(sym_str(f, f->funcs.v[i].name))) p->funcs[gfunc_of(p, file, i)].import_time = true;
        u32 os = intern_find(&f->syms, S("after_in_child")), own = intern_find(&f->syms, S("register_after_fork"));
        if (os == NONE && own == NONE) continue;
        for (u32 i = 0; i < f->calls.n; i++) {
            const Call *c = &f->calls.v[i];
            const Path *x = &f->paths.v[c->callee];
            u32 name = x->nattr ? x->attr[x->nattr - 1] : x->name;
            if (own != NONE && name == own && c->nargs == 2) runs_alone(p, file, &f->args.v[c->args + 1]);
            for (u32 k = c->args; os != NONE && k < c->args + c->nargs; k++)
                if (f->args.v[k].keyword == os) runs_alone(p, file, &f->args.v[k]);
        }
    }
}

/* What is handed to an event loop runs in its thread, where nobody else calls it. */
static void handed_to_loops(Program *p, const Callers *c)
{
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        if (r->loop != event_loop_root || r->func == NONE) continue;
        if (!has_callers(p, c, r->func) || all_callers(p, c, r->func, loop_edge)) p->funcs[r->func].event_loop = true;
    }
    for (u32 fn = 0; fn < p->state->nfuncs; fn++) {
        FuncInfo *fi = &p->funcs[fn];
        if (!fi->later) continue;
        if (!has_callers(p, c, fn) || all_callers(p, c, fn, loop_edge)) fi->event_loop = true;
    }
}

/* Does the function return a value? */
static bool gives(const Program *p, GId g)
{
    const LinkState *s = p->state;
    for (u32 at = map_get(&s->local_defs, local_key(g.file, g.id, SYM_EMPTY)); at != NONE; at = s->defrefs.v[at].next)
        if (p->facts[g.file]->defs.v[s->defrefs.v[at].def].kind != VAL_NONE) return true;
    return false;
}

/* METRE = unit("m"): that its own tree calls a public function only while modules are imported does not say that
 * nobody else calls it, when it is there to ask for something: it returns a value, or makes an object. */
static bool public_to_ask(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    if (!p->funcs[gfunc].api || fn->parent || underscored(sym_str(f, fn->name))) return false;
    for (u32 c = fn->cls; c != NONE; c = f->classes.v[c].outer)
        if (underscored(sym_str(f, f->classes.v[c].name))) return false;
    return p->funcs[gfunc].construct || gives(p, g);
}

/* Marks what runs only while modules are imported. */
static void import_only(Program *p, const Callers *c)
{
    enum { ROUNDS = 4 };
    u8 *sure = xmalloc(p->state->nfuncs + 1); /* also when public functions have callers that nobody sees */
    for (u32 round = 0, changed = 1; round < ROUNDS && changed; round++) {
        changed = 0;
        for (u32 fn = 0; fn < p->state->nfuncs; fn++) {
            FuncInfo *fi = &p->funcs[fn];
            if (func_gid(p, fn).id == 0 || fi->later || fi->import_time || fi->nroots || public_to_ask(p, fn))
                continue;
            changed |= fi->import_time = all_callers(p, c, fn, import_time_edge);
        }
    }
    for (u32 fn = 0; fn < p->state->nfuncs; fn++) sure[fn] = p->funcs[fn].import_time;
    for (u32 round = 0, changed = 1; round < ROUNDS && changed; round++) {
        changed = 0;
        for (u32 fn = 0; fn < p->state->nfuncs; fn++) {
            FuncInfo *fi = &p->funcs[fn];
            if (func_gid(p, fn).id == 0 || fi->later || fi->import_time || fi->nroots) continue;
            changed |= fi->import_time = all_callers(p, c, fn, import_time_edge);
            fi->asked = fi->import_time && !sure[fn];
        }
    }
    free(sure);
}

static void propagate(Program *p)
{
    Arena scratch = {0};
    Callers c = callers_index(p, &scratch);
    handed_to_loops(p, &c);
    private_roots(p, &c);
    if (p->options->assume != ASSUME_ALWAYS) main_of_modules(p, &c);
    after_fork(p);
    made_anew(p);
    for (u32 round = 0, changed = 1; round < 4 && changed; round++) {
        changed = 0;
        for (u32 fn = 0; fn < p->state->nfuncs; fn++) {
            FuncInfo *fi = &p->funcs[fn];
            if (func_gid(p, fn).id == 0) continue;
            /* what is called later does not run then and there, by those who register it */
            if (!fi->later && !fi->construct && private_name(p, fn))
                changed |= fi->construct = all_callers(p, &c, fn, construct_edge);
            if (!fi->event_loop && !fi->nroots) changed |= fi->event_loop = all_callers(p, &c, fn, loop_edge);
        }
    }
    import_only(p, &c);
    loop_calls_together(p);
    arena_free(&scratch);
}

static void reach_main(Program *p, u32 *stack)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        u32 n = 0, fn = p->func_base[file];
        p->funcs[fn].main = true;
        for (u32 i = 0; i < p->facts[file]->funcs.n; i++) /* the body, and callbacks of windows */
            if (p->funcs[fn + i].main) stack[n++] = fn + i;
        while (n) {
            fn = stack[--n];
            u32 at = func_gid(p, fn).file;
            bool tries = p->tests[at] || p->examples[at];
            for (u32 e = p->edge_first[fn]; e < p->edge_first[fn + 1]; e++) {
                u32 to = p->edges.v[e].callee;
                if (p->edges.v[e].param || p->funcs[to].main || (tries && from_tests(p, at, to))) continue;
                stack[n++] = to;
                p->funcs[to].main = true;
            }
            const LinkState *s = p->state;
            for (u32 l = map_get(&s->later_first, fn); l != NONE; l = s->later.v[l].next) {
                u32 to = s->later.v[l].callee;
                if (p->funcs[to].main || (tries && from_tests(p, at, to))) continue;
                stack[n++] = to;
                p->funcs[to].main = true;
            }
        }
    }
}

void roots_reach(Program *p)
{
    p->funcs = arena_new(p->arena, FuncInfo, p->state->nfuncs);
    program_modules_find(p);
    for (u32 file = 0; file < p->nfiles; file++) {
        bool callable = (!is_script(p, file) || locks_for_unseen(p, file)) && !p->state->of_program[file] &&
                        !window_code(p, file) && !greenlet_code(p, file);
        for (u32 i = 0; i < p->facts[file]->funcs.n; i++) func_basics(p, file, i, callable);
    }
    for (u32 file = 0; file < p->nfiles; file++) window_callbacks(p, file);
    loop_calls_find(p);
    processes_find(p);
    wholes_find(p);
    roots_walk(p);
    u32 *stack = xmalloc((p->state->nfuncs + p->edges.n + p->state->later.n + 1) * sizeof *stack);
    reach_main(p, stack);
    free(stack);
    starts_find(p);
    propagate(p);
    for (u32 i = 0; i < p->state->nfuncs; i++) p->library |= p->funcs[i].api;
    loop_program_find(p);
}
