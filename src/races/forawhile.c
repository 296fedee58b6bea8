/* UG402 about settings of libraries that a function changes for the time of what it does, and changes back:
 *
 *   state = random.getstate()        saved = dict(os.environ)        gc.disable()
 *   random.seed(number)              os.environ.update(extra)        try: load()
 *   try: work()                      try: work()                     finally: gc.enable()
 *   finally: random.setstate(state)  finally: os.environ.clear(); os.environ.update(saved)
 *
 * All threads have the setting meanwhile, and of two that do so at once, the second saves what the first has set.
 *
 * Needs the calls of a file, the accesses of sys.path and its like, and the text of assignments, which tells what a
 * name was saved from. The setting is changed back in a finally, after the yield of a context manager, or in the
 * __exit__ of one that changes it in __enter__; anywhere in the function when threads in sight run it. Settings that
 * each thread or context has for itself are left alone (sys.settrace, decimal, numpy's since 2.2). Attributes of
 * modules that are replaced are in replaced.c, entries of os.environ in entries.c. Not seen: what helpers save. */
#include "races/races.h"

/* Containers of the whole process, by whose copy they are set back. */
static const struct {
    const char *name, *what;
} containers[] = {
    {"os.environ", "the environment"},
    {"sys.path", "the path on which modules are found"},
    {"sys.meta_path", "the list of finders of modules"},
    {"sys.path_hooks", "the list of finders of modules"},
    {"warnings.filters", "the list of warning filters"},
    {"matplotlib.rcParams", "the settings of matplotlib"},
    {"matplotlib.pyplot.rcParams", "the settings of matplotlib"},
};

/* What each thread or context has for itself, what only the main thread may do, what belongs to a terminal or window,
 * and what settings.c knows. */
static const char *const no_setting[] = {
    "sys.settrace",
    "sys.setprofile",
    "sys.setrecursionlimit",
    "sys.set_",
    "threading.",
    "decimal.",
    "asyncio.",
    "ctypes.",
    "greenlet.",
    "signal.",
    "termios.",
    "contextvars.",
    "numpy.set",
    "torch.set_grad",
    "torch.cuda.",
    "locale.",
    "socket.",
    "os.",
    "multiprocessing.",
    "curses.",
    "readline.",
    "win32",
    "pygame.",
    "fcntl.",
};

static const char *const mutators[] = {"update", "clear",  "pop",    "insert",
                                       "append", "extend", "remove", "setdefault"};

/* A setting that is changed back. */
typedef struct Back {
    u32 func, block;
    Span span;
    u32 enter;        /* the function that changed it: this one, or __enter__ */
    Str state;        /* "random", "os.environ" */
    Str what;         /* "random", "the environment" */
    const char *ends; /* what becomes of two at once */
    bool mild;        /* and that harms little */
} Back;

static Str text_of(const Facts *x, Span s)
{
    return str_slice(x->source->text, s.start, s.end);
}

/* "random" of "random.seed" */
static Str module_of(Str ext)
{
    Str last = str_last(ext, '.');
    return last.n < ext.n ? str_slice(ext, 0, ext.n - last.n - 1) : S("");
}

/* What the function assigned to the name, a local or self.x, before the byte: the rest of that line; empty. */
static Str assigned(const Facts *x, u32 func, Str name, u32 before, u32 *at)
{
    Str value = S("");
    for (u32 i = 0; i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        if (d->func != func || d->path == NONE || d->is_return || d->span.start >= before ||
            !str_eq(text_of(x, d->span), name))
            continue;
        Str rest = str_slice(x->source->text, d->span.end, x->source->text.n), line;
        if (!str_line(&rest, &line)) continue;
        line = str_trim(line);
        if (!str_starts(line, S("="))) continue;
        value = str_trim(str_slice(line, 1, line.n));
        *at = d->span.end;
    }
    return value;
}

/* The function that changed what this one changes back. */
static u32 enter_of(const Facts *x, u32 func)
{
    const Func *fn = &x->funcs.v[func];
    if (fn->cls == NONE || !str_is(sym_str(x, fn->name), "__exit__")) return func;
    for (u32 i = 0; i < x->funcs.n; i++)
        if (x->funcs.v[i].cls == fn->cls && str_is(sym_str(x, x->funcs.v[i].name), "__enter__")) return i;
    return func;
}

/* Does the text copy the container: dict(E), E.copy(), E[:]? */
static bool copies(Str value, Str container)
{
    size_t at = str_search(value, container);
    if (at >= value.n) return false;
    Str before = str_slice(value, 0, at), after = str_slice(value, at + container.n, value.n);
    bool wrapped = str_is(before, "dict(") || str_is(before, "list(") || str_is(before, "{**") ||
                   str_is(before, "[*") || str_ends(before, S("copy("));
    bool closed = after.n && (after.p[0] == ')' || after.p[0] == '}' || after.p[0] == ']');
    return (wrapped && closed) || (!before.n && (str_starts(after, S(".copy()")) || str_starts(after, S("[:]"))));
}

static bool changes_container(const Program *p, u32 file, const Access *a, Str container)
{
    if (a->op != OP_ITEM_STORE && a->op != OP_ITEM_DEL && a->op != OP_STORE && a->op != OP_METHOD) return false;
    Str method = sym_str(p->facts[file], a->method);
    bool changes = a->op != OP_METHOD;
    for (u32 i = 0; i < COUNT_OF(mutators) && !changes; i++) changes = str_is(method, mutators[i]);
    return changes && str_eq(path_external(p, file, a->path), container);
}

/* Does the call set something of the module: random.seed, gc.disable, warnings.simplefilter? */
static bool changes_module(Str ext, Str module, Str back)
{
    static const char *const words[] = {"set", "seed", "manual_seed", "disable", "use"};
    if (!str_eq(module_of(ext), module)) return false;
    Str last = str_last(ext, '.');
    return str_eq(ext, back) || str_starts_any(last, words, COUNT_OF(words));
}

/* The first call of `func` between the bytes that changes what is changed back, NONE. */
static u32 change_by_call(const Program *p, u32 file, u32 func, u32 from, u32 to, Str module, Str back)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        if (c->span.start < from || c->span.start >= to) continue;
        if (changes_module(path_external(p, file, c->callee), module, back)) return i;
    }
    return NONE;
}

/* The same as an access of the container. */
static u32 change_by_access(const Program *p, u32 file, u32 func, u32 from, u32 to, Str container)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (a->span.start >= from && a->span.start < to && changes_container(p, file, a, container)) return i;
    }
    return NONE;
}

/* The call of `func` between the bytes that sets another level of the logger, NONE. */
static u32 other_level(const Facts *x, u32 func, u32 from, u32 to, Str logger)
{
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        Str text = text_of(x, c->span);
        if (c->span.start > from && c->span.start < to && str_starts(text, logger) &&
            str_starts(str_slice(text, logger.n, text.n), S(".setLevel")))
            return i;
    }
    return NONE;
}

/* Is it changed back whatever happens in between? */
static bool for_a_while(const Program *p, u32 file, const Back *b, Span change, u32 block)
{
    if (b->enter != b->func) return true;
    Moment at = {change.start, block}, back = {b->span.start, b->block};
    return changed_back_surely(p, p->facts[file], b->func, at, back);
}

static void report(Finder *f, u32 file, const Back *b, Span change, u32 block, u32 call)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    u32 gfunc = gfunc_of(p, file, b->enter), line, column;
    const FuncInfo *fi = &p->funcs[gfunc];
    const Root *thread = thread_of(p, gfunc);
    bool several = thread && root_near(p, thread, file) && (fi->many || fi->nroots > 1);
    if (fi->import_time || (!thread && !fi->api) || makes_process(p, file, b->enter)) return;
    if (!several && !for_a_while(p, file, b, change, block)) return;
    Call at = {.func = b->enter, .span = change};
    if (fi->entry_locks || lock_around(p, file, &at) != NONE) return;
    bool low = is_test_path(x->source->path) || p->vendored[file] || func_says_unsafe(p, file, b->enter) ||
               (b->mild && !several);
    Race *r = race_at(f, UG402, file, b->enter, change, b->state, low ? CONF_LOW : CONF_MEDIUM);
    if (call != NONE) r->call = p->call_base[file] + call;
    if (thread) race_why(f, r, "reached from %.*s", STR_ARG(thread->display));
    source_position(x->source, b->span.start, &line, &column);
    race_message(f, r,
                 "this changes %.*s until line %u, for the whole process; all other threads get the change "
                 "meanwhile, and of two of these at once, %s",
                 STR_ARG(b->what), line, b->ends);
}

#define PUTS_BACK "one puts back what the other has set"
#define ENDS_IT "the first to end ends it for the other, too"

static bool is_random(Str setter)
{
    return str_is(setter, "setstate") || str_contains(setter, S("_state"));
}

/* random.setstate(state), csv.field_size_limit(old): with the value that the function got from the module before. */
static bool back_by_setter(const Program *p, u32 file, const Call *c, Str ext, Back *b, u32 *from)
{
    const Facts *x = p->facts[file];
    const Path *q = &x->paths.v[c->callee];
    Str last = str_last(ext, '.'), module = module_of(ext);
    bool sets = str_starts(last, S("set")) || str_ends(last, S("_limit"));
    if (!sets || c->nargs != 1 || q->root != ROOT_GLOBAL || !module.n) return false;
    if (str_starts_any(ext, no_setting, COUNT_OF(no_setting))) return false;
    Str name = text_of(x, x->args.v[c->args].span);
    while (name.n && name.p[0] == '*') name = str_slice(name, 1, name.n);
    Str value = assigned(x, b->enter, name, b->enter == b->func ? c->span.start : NONE, from);
    /* the getter's name is that of the setter, in the same words: get_state() and set_state(state) */
    Str callee = text_of(x, c->span);
    Str prefix = str_slice(callee, 0, str_search(callee, last));
    if (!str_starts(value, prefix)) return false;
    Str rest = str_slice(value, prefix.n, value.n);
    *from += (u32)value.n; /* past the getter */
    bool got = str_starts(last, S("set")) && str_starts(rest, S("get")) &&
               str_starts(str_slice(rest, 3, rest.n), str_slice(last, 3, last.n));
    Str what = str_fmt(p->arena, "the %s of %.*s", is_random(last) ? "state" : "settings", STR_ARG(module));
    *b = (Back){b->func, c->block, c->span, b->enter, module, what, PUTS_BACK, false};
    return got || str_starts(rest, last);
}

/* gc.enable(), logging.disable(logging.NOTSET) */
static bool back_by_switch(const Facts *x, Str ext, const Call *c, Back *b)
{
    /* a collection in between spoils a measurement, and nothing else */
    static const char *const words[] = {"time", "bench", "measure", "profile"};
    bool measures = str_has_any(sym_str(x, x->funcs.v[c->func].name), words, COUNT_OF(words));
    bool gc = str_is(ext, "gc.enable");
    if (!gc && !str_is(ext, "logging.disable")) return false;
    *b =
        (Back){b->func, c->block,      c->span, b->enter, module_of(ext), gc ? S("garbage collection") : S("logging"),
               ENDS_IT, gc && measures};
    return true;
}

static u32 container_of(Str name)
{
    for (u32 i = 0; i < COUNT_OF(containers); i++)
        if (str_is(name, containers[i].name)) return i;
    return NONE;
}

/* os.environ.update(saved), sys.path[:] = saved, sys.path = saved: with a copy that the function has made before. */
static bool back_by_copy(const Program *p, u32 file, const Access *a, Back *b, u32 *from)
{
    const Facts *x = p->facts[file];
    bool update = a->op == OP_METHOD && str_is(sym_str(x, a->method), "update");
    bool slice = a->op == OP_ITEM_STORE && str_is(sym_str(x, a->key), ":");
    const Path *q = &x->paths.v[a->path];
    if (q->root != ROOT_GLOBAL || (!update && !slice && (a->op != OP_STORE || !q->nattr))) return false;
    u32 i = container_of(path_external(p, file, a->path));
    if (i == NONE) return false;
    Str text = text_of(x, a->span), name;
    if (update) {
        name = sym_str(x, a->key);
    } else {
        Str rest = str_slice(x->source->text, a->span.end, x->source->text.n), line;
        if (!str_line(&rest, &line)) return false;
        line = str_trim(line);
        name = str_starts(line, S("=")) ? str_trim(str_slice(line, 1, line.n)) : S("");
    }
    Str value = assigned(x, b->enter, name, b->enter == b->func ? a->span.start : NONE, from);
    Str container = str_slice(text, 0, update ? str_search(text, S(".update")) : str_search(text, S("[")));
    *b = (Back){b->func,   a->block, a->span, b->enter, str_from(containers[i].name), str_from(containers[i].what),
                PUTS_BACK, false};
    return copies(value, container);
}

/* logger.setLevel(old), with what its level was. */
static bool back_by_level(const Facts *x, const Call *c, Back *b, u32 *from)
{
    const Path *q = &x->paths.v[c->callee];
    if (!q->nattr || c->nargs != 1 || !str_is(path_last(x, q), "setLevel")) return false;
    Str text = text_of(x, c->span), logger = str_slice(text, 0, str_search(text, S(".setLevel")));
    Str name = text_of(x, x->args.v[c->args].span);
    Str value = assigned(x, b->enter, name, b->enter == b->func ? c->span.start : NONE, from);
    if (!str_starts(value, logger)) return false;
    Str rest = str_slice(value, logger.n, value.n);
    bool log = str_contains(logger, S("log")) || str_contains(logger, S("LOG")) || str_contains(logger, S("Log"));
    *b = (Back){b->func, c->block, c->span, b->enter, logger, S("the level of a logger"), PUTS_BACK, true};
    return log && (str_is(rest, ".level") || str_starts(rest, S(".getEffectiveLevel()")));
}

/* By the last name alone, which is quick. */
static bool may_set_back(const Facts *x, const Call *c)
{
    Str last = call_last(x, c);
    return str_starts(last, S("set")) || str_ends(last, S("_limit")) || str_is(last, "enable") ||
           str_is(last, "disable") || str_is(last, "remove") || str_is(last, "pop") || str_is(last, "stop");
}

/* patcher.stop(), of what mock.patch() gave. The call of patcher.start(), NONE. */
static u32 back_by_patcher(const Program *p, u32 file, const Call *c, Back *b)
{
    const Facts *x = p->facts[file];
    if (!str_is(call_last(x, c), "stop")) return NONE;
    Str text = text_of(x, c->span), name = str_slice(text, 0, str_search(text, S(".stop()")));
    u32 from = 0;
    Str value = assigned(x, b->enter, name, b->enter == b->func ? c->span.start : NONE, &from);
    if (name.n == text.n || !str_contains(value, S("patch"))) return NONE;
    *b = (Back){b->func, c->block, c->span, b->enter, name, S("what is patched here"), PUTS_BACK, false};
    const Func *fn = &x->funcs.v[b->enter];
    bool patches = false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *made = &x->calls.v[i];
        if (made->span.start < from || made->span.start > from + 3) continue;
        Str ext = path_external(p, file, made->callee);
        patches |= str_starts(ext, S("unittest.mock.patch")) || str_starts(ext, S("mock.patch"));
    }
    for (u32 i = fn->calls; patches && i < fn->calls + fn->ncalls; i++) {
        Str call = text_of(x, x->calls.v[i].span);
        if (str_starts(call, name) && str_is(str_slice(call, name.n, call.n), ".start()")) return i;
    }
    return NONE;
}

static void back_of_call(Finder *f, u32 file, u32 call, u32 enter)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Call *c = &x->calls.v[call];
    if (!may_set_back(x, c)) return;
    Str ext = path_external(p, file, c->callee);
    Back b = {.func = c->func, .enter = enter};
    u32 from = 0, change = NONE, to = enter == c->func ? c->span.start : NONE;
    if (ext.n && (back_by_setter(p, file, c, ext, &b, &from) || back_by_switch(x, ext, c, &b))) {
        Str back = str_is(ext, "gc.enable") ? S("") : ext;
        change = change_by_call(p, file, enter, from, to, module_of(ext), back);
    } else if (back_by_level(x, c, &b, &from)) {
        change = other_level(x, enter, from, to, b.state);
    } else if (str_is(ext, "sys.path.remove") || str_is(ext, "sys.path.pop")) {
        bool first = str_is(ext, "sys.path.pop"); /* remove() takes away its own */
        b = (Back){b.func,
                   c->block,
                   c->span,
                   enter,
                   S("sys.path"),
                   S("the path on which modules are found"),
                   first ? "one takes the other's entry away" : ENDS_IT,
                   !first};
        change = change_by_call(p, file, enter, from, to, S("sys.path"), S("sys.path.insert"));
    }
    if (change == NONE) change = back_by_patcher(p, file, c, &b);
    if (change != NONE) report(f, file, &b, x->calls.v[change].span, x->calls.v[change].block, change);
}

static void back_of_access(Finder *f, u32 file, u32 access, u32 enter)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Access *a = &x->accesses.v[access];
    Back b = {.func = a->func, .enter = enter};
    u32 from = 0, to = enter == a->func ? a->span.start : NONE;
    if (!back_by_copy(p, file, a, &b, &from)) return;
    u32 change = change_by_access(p, file, enter, from, to, b.state);
    if (change != NONE) {
        report(f, file, &b, x->accesses.v[change].span, x->accesses.v[change].block, NONE);
    } else if (str_is(b.state, "warnings.filters")) {
        change = change_by_call(p, file, enter, from, to, S("warnings"), S("warnings.simplefilter"));
        if (change != NONE) report(f, file, &b, x->calls.v[change].span, x->calls.v[change].block, change);
    }
}

void race_for_a_while(Finder *f, u32 file)
{
    const Facts *x = f->p->facts[file];
    for (u32 func = 1; func < x->funcs.n; func++) {
        const Func *fn = &x->funcs.v[func];
        u32 before = f->out->n, enter = enter_of(x, func);
        for (u32 i = fn->calls; i < fn->calls + fn->ncalls && f->out->n == before; i++)
            back_of_call(f, file, i, enter);
        for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses && f->out->n == before; i++)
            back_of_access(f, file, i, enter);
    }
}
