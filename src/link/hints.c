/* Hints that a class is made to be shared: from its name, its methods, its bases, what it says about itself, and
 * where its objects are put.
 *
 * A pool, a lock or a queue without sharing would be pointless; a module object, or one in sys.meta_path, is known to
 * the whole process. What the class says is read from its text by facts/says.c. */
#include "link/link.h"

/* A connection pool, a thread pool: what the last word of the name says the object is. */
static bool is_pool(Str name)
{
    return str_ends(name, S("Pool")) || str_is(name, "pool");
}

/* Singleton, SingletonProvider: what it hands out on first use is one and the same for all, as it promises. */
static bool is_singleton(Str name)
{
    return str_has_word(name, "singleton");
}

/* Locks, semaphores, limiters of the project's own. */
static bool is_lock_class(const Program *p, u32 gclass)
{
    return class_own_method(p, gclass, "acquire") != NONE && class_own_method(p, gclass, "release") != NONE;
}

/* Futures, results, servers: one thread waits for what another one does. */
static bool is_waited_for(const Program *p, u32 gclass)
{
    u32 gfunc = class_own_method(p, gclass, "wait");
    return gfunc != NONE && !program_func(p, gfunc)->is_async;
}

/* def emit(self, record): a handler of some logging, which is called by whoever logs. */
static bool takes_records(const Program *p, u32 gclass)
{
    u32 gfunc = class_own_method(p, gclass, "emit");
    if (gfunc == NONE) return false;
    const Func *fn = program_func(p, gfunc);
    const Facts *f = p->facts[func_gid(p, gfunc).file];
    return fn->nparams == 2 && !fn->is_async && str_is(sym_str(f, f->params.v[fn->params + 1].name), "record");
}

/* self._loop.call_soon_threadsafe(self._show): a method that hands work to a loop of another thread, and so runs in
 * one of its own. */
static bool hands_to_loop(const Program *p, u32 file, u32 cls)
{
    static const char *const names[] = {"call_soon_threadsafe", "run_coroutine_threadsafe", "callFromThread",
                                        "add_callback_threadsafe"};
    const Facts *f = p->facts[file];
    for (u32 n = 0; n < COUNT_OF(names); n++) {
        u32 sym = intern_find(&f->syms, str_from(names[n]));
        for (u32 i = 0; sym != NONE && i < f->calls.n; i++) {
            const Call *c = &f->calls.v[i];
            const Path *x = &f->paths.v[c->callee];
            u32 last = x->nattr ? x->attr[x->nattr - 1] : x->name;
            const Func *fn = &f->funcs.v[c->func];
            if (last == sym && fn->self_class == cls && !fn->is_async) return true;
        }
    }
    return false;
}

u32 class_hints(const Program *p, u32 gclass)
{
    u32 file, hints = 0;
    const Class *k = program_class(p, gclass, &file);
    const Facts *f = p->facts[file];
    if (is_pool(sym_str(f, k->name)) || is_lock_class(p, gclass) || is_waited_for(p, gclass))
        hints |= EV_NAME | EV_PURPOSE;
    if (is_singleton(sym_str(f, k->name))) hints |= EV_NAME | EV_PURPOSE | EV_ONE;
    if (takes_records(p, gclass)) hints |= EV_NAME | EV_PURPOSE;
    if (k->says_shared) hints |= EV_PURPOSE;
    if (hands_to_loop(p, file, class_gid(p, gclass).id)) hints |= EV_CLASS_LOCKS;
    if (class_derives(p, gclass, "types.ModuleType")) hints |= EV_SINGLETON; /* kept in sys.modules */
    return hints;
}

/* The attribute (a symbol of the file) that __init__ binds to the first thing it is given; SYM_ITEM. */
static u32 keeps_first(const Facts *f, const Func *init)
{
    if (init->nparams < 2) return SYM_ITEM;
    u32 first = f->params.v[init->params + 1].name;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE || d->kind != VAL_PATH || &f->funcs.v[d->func] != init) continue;
        const Path *to = &f->paths.v[d->path], *of = &f->paths.v[d->value];
        if (to->root == ROOT_SELF && to->nattr == 1 && of->root == ROOT_PARAM && !of->nattr && of->name == first)
            return to->attr[0];
    }
    return SYM_ITEM;
}

bool wraps_function(const Program *p, u32 gclass)
{
    u32 init = class_own_method(p, gclass, "__init__"), call = class_own_method(p, gclass, "__call__");
    if (init == NONE || call == NONE) return false;
    GId g = func_gid(p, call);
    if (func_gid(p, init).file != g.file) return false;
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    u32 attr = keeps_first(f, program_func(p, init));
    bool any = false;
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++) any |= f->params.v[i].star;
    if (!any || attr == SYM_ITEM) return false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *x = &f->paths.v[f->calls.v[i].callee];
        if (x->root == ROOT_SELF && x->nattr == 1 && x->attr[0] == attr) return true;
    }
    return false;
}

/* sys.meta_path.insert(0, Finder()), atexit.register(Writer()) …: the class whose object is registered, or NONE. */
u32 registered_class(const Program *p, u32 file, u32 call)
{
    static const char *const registries[] = {"sys.meta_path.append", "sys.meta_path.insert", "sys.path_hooks.append",
                                             "sys.path_hooks.insert"};
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    Str ext = path_external(p, file, c->callee);
    bool known = false;
    for (u32 i = 0; i < COUNT_OF(registries) && ext.n; i++) known |= str_is(ext, registries[i]);
    if (!known || !c->nargs) return NONE;
    const Arg *arg = &f->args.v[c->args + c->nargs - 1];
    Type t = {TYPE_UNKNOWN, NONE};
    if (arg->kind == VAL_CALL) t = call_type(p, file, arg->value);
    if (arg->kind == VAL_PATH) t = path_type(p, file, arg->value);
    return t.kind == TYPE_CLASS ? t.id : NONE;
}
