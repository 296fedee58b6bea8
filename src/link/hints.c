/* Hints that a class is made to be shared: from its name, its methods, its bases, what it says about itself, and
 * where its objects are put.
 *
 * A pool or a lock without sharing would be pointless; a module object, or one in sys.meta_path, is known to the
 * whole process. Words count where authors speak to readers ("any thread may call this"), so one that says it is not
 * for threads gives no hint. Not read: documentation outside of the class. */
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

/* Does the text say that several threads come here? */
static bool speaks_of_threads(Str text)
{
    static const char *const said[] = {"any thread",      "other thread",   "another thread",    "multiple thread",
                                       "several threads", "many threads",   "all threads",       "different thread",
                                       "between threads", "across threads", "concurrent access", "thread-safe",
                                       "thread safe",     "threadsafe",     "by threads",        "background thread"};
    static const char *const denied[] = {"not thread",     "non-thread", "n't thread",  "not concurrent",
                                         "n't concurrent", "no locking", "external lock"};
    bool found = false;
    if (!names_threads(text)) return false;
    for (u32 i = 0; i < COUNT_OF(denied); i++)
        if (str_has_word(text, denied[i])) return false;
    for (u32 i = 0; i < COUNT_OF(said) && !found; i++) found = str_has_word(text, said[i]);
    return found;
}

/* The text from the class line to its first method: where the class speaks of itself. */
static Str class_preface(const Facts *f, const Class *k, u32 cls)
{
    u32 end = k->body.end;
    for (u32 i = 1; i < f->funcs.n; i++)
        if (f->funcs.v[i].cls == cls) end = MIN(end, f->funcs.v[i].span.start);
    return str_slice(f->source->text, k->span.start, end);
}

bool class_leaves_locking(const Program *p, u32 gclass)
{
    static const char *const said[] = {"external lock",   "no locking",       "not thread-safe", "not thread safe",
                                       "not threadsafe",  "n't thread-safe",  "n't thread safe", "n't threadsafe",
                                       "not synchronized", "be synchronized externally"};
    u32 file;
    const Class *k = program_class(p, gclass, &file);
    Str text = class_preface(p->facts[file], k, class_gid(p, gclass).id);
    for (u32 i = 0; i < COUNT_OF(said); i++)
        if (str_has_word(text, said[i])) return true;
    return false;
}

u32 class_hints(const Program *p, u32 gclass)
{
    u32 file, hints = 0;
    const Class *k = program_class(p, gclass, &file);
    const Facts *f = p->facts[file];
    if (is_pool(sym_str(f, k->name)) || is_lock_class(p, gclass)) hints |= EV_NAME | EV_PURPOSE;
    if (f->names_threads && speaks_of_threads(str_slice(f->source->text, k->body.start, k->body.end)))
        hints |= EV_PURPOSE;
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
