/* Hints that a class is made to be shared: from its name, its methods, its bases, what it says about itself, and
 * where its objects are put.
 *
 * A pool or a lock without sharing would be pointless; a module object, or one in sys.meta_path, is known to the
 * whole process. What the class says is read from its text by facts/says.c. */
#include "link/link.h"

/* A connection pool, a thread pool: what the last word of the name says the object is. */
static bool is_pool(Str name)
{
    return str_ends(name, S("Pool")) || str_is(name, "pool");
}

static bool has_method(const Program *p, u32 gclass, const char *name)
{
    u32 gs = intern_find(&p->syms, str_from(name));
    return gs != NONE && map_get(&p->state->classes[gclass].methods, gs) != NONE;
}

/* Locks, semaphores, limiters of the project's own. */
static bool is_lock_class(const Program *p, u32 gclass)
{
    return has_method(p, gclass, "acquire") && has_method(p, gclass, "release");
}

/* Futures, results, servers: one thread waits for what another one does. */
static bool is_waited_for(const Program *p, u32 gclass)
{
    u32 gs = intern_find(&p->syms, S("wait"));
    u32 gfunc = gs == NONE ? NONE : map_get(&p->state->classes[gclass].methods, gs);
    return gfunc != NONE && !program_func(p, gfunc)->is_async;
}

u32 class_hints(const Program *p, u32 gclass)
{
    u32 file, hints = 0;
    const Class *k = program_class(p, gclass, &file);
    const Facts *f = p->facts[file];
    if (is_pool(sym_str(f, k->name)) || is_lock_class(p, gclass) || is_waited_for(p, gclass))
        hints |= EV_NAME | EV_PURPOSE;
    if (k->says_shared) hints |= EV_PURPOSE;
    if (class_derives(p, gclass, "types.ModuleType")) hints |= EV_SINGLETON; /* kept in sys.modules */
    return hints;
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
