/* UG402: a setting of the whole process changed for a while. UG403: a thread-local attribute set in one thread only.
 */
#include "races/races.h"

static const struct {
    const char *name, *what;
    u8 conf; /* without a visible thread */
} settings[] = {
    {"warnings.catch_warnings", "the list of warning filters", CONF_MEDIUM},
    {"os.chdir", "the working directory", CONF_LOW},
    {"contextlib.chdir", "the working directory", CONF_LOW},
    {"os.umask", "the file mode mask", CONF_LOW},
    {"os.putenv", "the environment", CONF_LOW},
    {"locale.setlocale", "the locale", CONF_LOW},
    {"contextlib.redirect_stdout", "sys.stdout", CONF_LOW},
    {"contextlib.redirect_stderr", "sys.stderr", CONF_LOW},
    {"sys.setrecursionlimit", "the recursion limit", CONF_LOW},
    {"socket.setdefaulttimeout", "the default timeout of sockets", CONF_LOW},
    {"time.tzset", "the time zone", CONF_LOW},
};

static bool said_in(const Finder *f, RuleId rule, u32 file, u32 func, Str state)
{
    for (u32 i = f->out->n; i-- > 0 && f->out->v[i].file == file;)
        if (f->out->v[i].rule == rule && f->out->v[i].func == func && str_eq(f->out->v[i].state, state)) return true;
    return false;
}

/* A limit that is a little higher for a while harms nobody. */
static bool harmless_setting(Str name)
{
    return str_is(name, "sys.setrecursionlimit");
}

/* A function that forks or leaves the session makes a process anew: what it sets there, it sets before there are
 * threads. */
bool makes_process(const Program *p, u32 file, u32 func)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        Str ext = path_external(p, file, x->calls.v[i].callee);
        if (str_is(ext, "os.fork") || str_is(ext, "os.setsid") || str_is(ext, "os.forkpty")) return true;
    }
    return false;
}

/* Who goes to another folder for a while knows what that means, and says so by the name of the function. */
static bool is_chdir(Str name)
{
    return str_is(name, "os.chdir") || str_is(name, "contextlib.chdir");
}

/* The calls that set the setting back. */
static bool sets_back(Str ext, Str name)
{
    return str_eq(ext, name) || (str_is(name, "os.putenv") && str_is(ext, "os.unsetenv"));
}

/* try: … finally: os.chdir(old): it is changed for a while, in full view. */
static bool back_in_finally(const Program *p, u32 file, u32 func, Str name)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        if (!sets_back(path_external(p, file, x->calls.v[i].callee), name)) continue;
        for (u32 b = x->calls.v[i].block; b != NONE; b = x->blocks.v[b].parent)
            if (x->blocks.v[b].kind == BLOCK_FINALLY) return true;
    }
    return false;
}

/* class Build: __enter__ goes to the folder of the build, and __exit__ back. Whoever makes a manager that is about
 * nothing else, and is named so, knows what that means. */
static bool chdir_on_entry(const Program *p, u32 file, u32 func)
{
    static const char *const words[] = {"dir", "cwd", "cd", "path", "folder", "pushd"};
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    if (fn->cls == NONE || !str_is(sym_str(x, fn->name), "__enter__")) return false;
    if (str_has_any(sym_str(x, x->classes.v[fn->cls].name), words, COUNT_OF(words))) return false;
    for (u32 i = 0; i < x->calls.n; i++)
        if (x->funcs.v[x->calls.v[i].func].cls == fn->cls &&
            str_is(sym_str(x, x->funcs.v[x->calls.v[i].func].name), "__exit__") &&
            is_chdir(path_external(p, file, x->calls.v[i].callee)))
            return true;
    return false;
}

/* The text of the first argument of a call. */
static Str first_arg(const Facts *x, const Call *c)
{
    const Arg *a = c->nargs ? &x->args.v[c->args] : NULL;
    return a ? str_slice(x->source->text, a->span.start, a->span.end) : S("");
}

/* Do all calls in the program give it the same number or text? Then nobody takes it from anybody. */
static bool always_same(const Program *p, u32 file, const Call *c, Str name)
{
    Str value = first_arg(p->facts[file], c);
    u8 kind = c->nargs == 1 ? p->facts[file]->args.v[c->args].kind : VAL_OTHER;
    if (kind != VAL_NUMBER && kind != VAL_STRING) return false;
    Str last = str_last(name, '.');
    for (u32 k = 0; k < p->nfiles; k++) {
        const Facts *x = p->facts[k];
        if (intern_find(&x->syms, last) == NONE || is_test_path(x->source->path)) continue;
        for (u32 i = 0; i < x->calls.n; i++)
            if (str_eq(path_external(p, k, x->calls.v[i].callee), name) &&
                !str_eq(first_arg(x, &x->calls.v[i]), value))
                return false;
    }
    return true;
}

/* Is the former value kept, to be set back: by another call of the function, or by the context manager that it is? */
static bool set_back(const Program *p, u32 file, u32 call, Str name)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[x->calls.v[call].func];
    if (str_is(name, "warnings.catch_warnings") || str_starts(name, S("contextlib."))) return true;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (i != call && sets_back(path_external(p, file, x->calls.v[i].callee), name) &&
            !str_eq(first_arg(x, &x->calls.v[i]), first_arg(x, &x->calls.v[call])))
            return true;
    return false;
}

/* os.umask(0), and no word of what it was: all who come here want the same one. */
static bool same_mask(const Program *p, u32 file, u32 call, Str name)
{
    return str_is(name, "os.umask") && !set_back(p, file, call, name);
}

/* Only the main thread may set a handler of signals (Python library reference, "signal"). */
static bool in_main_thread(const Program *p, u32 file, u32 func)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (str_is(path_external(p, file, x->calls.v[i].callee), "signal.signal")) return true;
    return false;
}

const Root *thread_of(const Program *p, u32 gfunc)
{
    const FuncInfo *fi = &p->funcs[gfunc];
    const Root *found = NULL;
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        if (r->main || root_is_loop(r)) continue;
        if (!found || root_near(p, r, func_gid(p, gfunc).file)) found = r;
    }
    return found;
}

u32 lock_around(const Program *p, u32 file, const Call *c)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[c->func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        u32 lock = p->section_lock[p->section_base[file] + i];
        if (!x->sections.v[i].maybe && lock != NONE && span_within(c->span, x->sections.v[i].span)) return lock;
    }
    return NONE;
}

/* Who goes to a folder, or sets the mask, in a thread of which there is one does it where the program starts, or for
 * a server's one loop; several such threads take the setting from each other. */
static bool by_one_thread(const FuncInfo *fi, Str name)
{
    return !fi->many && (is_chdir(name) || str_is(name, "os.umask"));
}

/* if os.getcwd().startswith(folder): os.chdir(parent): out of a folder that is to go, for good. */
static bool asks_folder(const Program *p, u32 file, u32 func)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (str_starts(path_external(p, file, x->calls.v[i].callee), S("os.getcwd"))) return true;
    return false;
}

/* A time that all sockets get, the size of stacks: one value for all, which is no state of a block's. */
static bool takes_value(Str name)
{
    return str_is(name, "socket.setdefaulttimeout") || str_is(name, "sys.setrecursionlimit");
}

bool func_says_unsafe(const Program *p, u32 file, u32 func)
{
    const Facts *x = p->facts[file];
    Str body = str_trim(str_slice(x->source->text, x->funcs.v[func].body.start, x->funcs.v[func].body.end));
    if (!str_starts(body, S("\"\"\""))) return false;
    Str text = str_slice(body, 3, body.n);
    return leaves_locking(str_slice(text, 0, str_search(text, S("\"\"\""))));
}

static void process_settings(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    for (u32 i = 0; i < x->calls.n; i++) {
        const Call *c = &x->calls.v[i];
        const FuncInfo *fi = &p->funcs[gfunc_of(p, file, c->func)];
        if (c->func == 0 || fi->import_time || (!fi->nroots && !fi->api)) continue;
        Str ext = path_external(p, file, c->callee);
        for (u32 k = 0; ext.n && k < COUNT_OF(settings); k++) {
            if (!str_is(ext, settings[k].name)) continue;
            if (said_in(f, UG402, file, c->func, ext)) break; /* once for a function: set, and set back */
            if (makes_process(p, file, c->func) || (takes_value(ext) && always_same(p, file, c, ext))) break;
            bool catch = str_is(ext, "warnings.catch_warnings");
            if (catch && p->options->target >= 14) break; /* context-aware there (docs/memory-model.md) */
            u8 conf = settings[k].conf;
            bool others = is_test_path(x->source->path) || p->vendored[file];
            bool back = !is_chdir(ext) ? back_in_finally(p, file, c->func, ext) : chdir_on_entry(p, file, c->func);
            if (!others && back) conf = CONF_MEDIUM;
            bool mild = same_mask(p, file, i, ext) || harmless_setting(ext) || by_one_thread(fi, ext);
            const Root *thread = thread_of(p, gfunc_of(p, file, c->func));
            mild |= !thread || !root_near(p, thread, file) || in_main_thread(p, file, c->func);
            bool asked = !is_chdir(ext) || asks_folder(p, file, c->func);
            mild |=
                (asked && !set_back(p, file, i, ext)) || func_says_unsafe(p, file, c->func); /* once, at the start */
            if (fi->threads) conf = mild ? CONF_MEDIUM : CONF_HIGH;
            /* with LOCALE_LOCK: … locale.setlocale(…): those who take the lock wait for each other, and whoever wrote
             * that knows what the others see */
            bool locked = lock_around(p, file, c) != NONE;
            if (locked || is_test_path(x->source->path)) conf = CONF_LOW; /* a test has the process to itself */
            Race *r = race_at(f, UG402, file, c->func, c->span, ext, conf);
            r->call = p->call_base[file] + i;
            if (thread) race_why(f, r, "reached from %.*s", STR_ARG(thread->display));
            bool restores = !locked && set_back(p, file, i, ext);
            race_message(f, r, "%.*s changes %s of the whole process; all other threads see the change%s%s",
                         STR_ARG(ext), settings[k].what,
                         restores ? ", and two of these at once restore the wrong value" : "",
                         catch ? " (cured in free-threaded 3.14)" : "");
        }
    }
}

/* loc = threading.local(); loc.cache = {} at module level, and loc.cache read in functions without a default. */
static void local_set_once(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    u32 local = intern_find(&x->syms, S("local"));
    for (u32 i = 0; local != NONE && i < x->accesses.n; i++) {
        const Access *a = &x->accesses.v[i];
        const Path *q = &x->paths.v[a->path];
        bool once = a->func == 0 || (p->funcs[gfunc_of(p, file, a->func)].construct && q->root == ROOT_SELF);
        if (a->op != OP_STORE || !q->nattr || !once || x->blocks.v[a->block].kind == BLOCK_CLASS) continue;
        u32 holder = NONE;
        for (u32 k = 0; k < x->paths.n && holder == NONE; k++) {
            const Path *h = &x->paths.v[k];
            if (h->root != q->root || h->nattr + 1 != q->nattr || h->name != q->name) continue;
            if (h->root != ROOT_SELF && h->func != q->func) continue;
            bool same = true;
            for (u32 j = 0; j < h->nattr; j++) same &= h->attr[j] == q->attr[j];
            if (same) holder = k;
        }
        if (holder == NONE || path_type(p, file, holder).kind != TYPE_LOCAL) continue;
        u32 reader = NONE;
        bool guarded = false;
        for (u32 k = 0; k < x->accesses.n; k++) {
            const Access *b = &x->accesses.v[k];
            const Path *y = &x->paths.v[b->path];
            bool same = y->root == q->root && y->nattr == q->nattr && y->name == q->name &&
                        y->attr[y->nattr - 1] == q->attr[q->nattr - 1] && (q->nattr < 2 || y->attr[0] == q->attr[0]);
            if (!same || b->func == 0 || b->func == a->func) continue;
            if (b->op == OP_HASATTR || b->op == OP_STORE || failure_caught(p, p->access_base[file] + k))
                guarded = true;
            else if (reader == NONE)
                reader = k;
        }
        if (reader == NONE || guarded) continue;
        Race *r = race_at(f, UG403, file, a->func, a->span, path_text(f->a, x, a->path), CONF_HIGH);
        r->sites[0] = p->access_base[file] + i;
        r->sites[1] = p->access_base[file] + reader;
        r->nsites = 2;
        race_message(f, r,
                     "this sets the attribute in the current thread only; in any other thread the use on line %u "
                     "raises AttributeError",
                     x->accesses.v[reader].line);
    }
}

/* self.data = threading.local() in __init__, and self.data = {} in a method: from then on all threads share it. None
 * takes it away, and is not shared. */
static void local_replaced(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    for (u32 i = 0; i < x->accesses.n; i++) {
        const Access *a = &x->accesses.v[i];
        const FuncInfo *fi = &p->funcs[gfunc_of(p, file, a->func)];
        u32 place = p->access_place[p->access_base[file] + i];
        if (a->op != OP_STORE || place == NONE || a->value == NONE || p->places.v[place].type.kind != TYPE_LOCAL ||
            a->func == 0 || fi->construct || fi->import_time)
            continue;
        u8 k = x->defs.v[a->value].kind;
        if (k != VAL_DICT && k != VAL_LIST && k != VAL_SET && k != VAL_NUMBER && k != VAL_STRING) continue;
        Race *r = race_at(f, UG403, file, a->func, a->span, p->places.v[place].display, CONF_HIGH);
        r->sites[0] = p->access_base[file] + i;
        r->nsites = 1;
        race_message(f, r,
                     "%.*s holds a thread-local object, and this replaces it by an ordinary one that all threads "
                     "share; set an attribute of it instead",
                     STR_ARG(path_text(f->a, x, a->path)));
    }
}

/* Does the file make the code, code = FuncCode(names), of a class of its own that is no code of a function? */
static bool own_code(const Program *p, u32 file, const Access *store)
{
    const Facts *x = p->facts[file];
    const Def *d = store->value == NONE ? NULL : &x->defs.v[store->value];
    if (!d) return false;
    if (d->kind == VAL_CALL) return call_type(p, file, d->value).kind == TYPE_CLASS;
    return d->kind == VAL_PATH && path_type(p, file, d->value).kind == TYPE_CLASS;
}

/* f.__code__ = …, and then f.__globals__ and f.__dict__: who calls f in between runs the new code with the old rest.
 */
static void code_replaced(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    u32 code = intern_find(&x->syms, S("__code__"));
    for (u32 i = 0; code != NONE && i < x->accesses.n; i++) {
        const Access *a = &x->accesses.v[i];
        const Path *q = &x->paths.v[a->path];
        const FuncInfo *fi = &p->funcs[gfunc_of(p, file, a->func)];
        bool swaps = a->op == OP_STORE && q->nattr && q->attr[q->nattr - 1] == code && q->root == ROOT_PARAM;
        if (!swaps || own_code(p, file, a) || fi->import_time || p->access_locks[p->access_base[file] + i] ||
            (!fi->nroots && !fi->api))
            continue;
        Race *r = race_at(f, UG105, file, a->func, a->span, path_text(f->a, x, a->path), CONF_MEDIUM);
        r->sites[0] = p->access_base[file] + i;
        r->nsites = 1;
        race_message(f, r,
                     "the code of a function is replaced while other threads may call it; with anything else that "
                     "changes along with it, they see the one without the other");
    }
}

void race_settings(Finder *f, u32 file)
{
    local_replaced(f, file);
    code_replaced(f, file);
    process_settings(f, file);
    local_set_once(f, file);
}
