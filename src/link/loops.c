/* Code of event loops: coroutines, and classes written for a loop.
 *
 * A loop runs one step of one coroutine or callback at a time, in one thread. Before `async def`, generators were
 * coroutines by their decorator. A class is written for a loop when it has coroutines, is a loop itself, or asks for
 * the loop that runs, or stands in a file that uses Twisted's reactor: its objects are made and used in that loop's
 * thread, as the libraries demand (asyncio, "Developing with asyncio", "Concurrency and Multithreading": almost all
 * asyncio objects are not thread safe; tornado.ioloop: only add_callback may be called from another thread; Twisted,
 * "Using Threads in Twisted"; zmqstream.ZMQStream: one loop's). */
#include "link/link.h"

/* Sources: the references of asyncio ("Generator-based Coroutines", until 3.10), types.coroutine, tornado.gen,
 * twisted.internet.defer, trollius. */
static const char *const decorators[] = {
    "asyncio.coroutine",  "asyncio.coroutines.coroutine",           "types.coroutine",   "tornado.gen.coroutine",
    "tornado.gen.engine", "twisted.internet.defer.inlineCallbacks", "trollius.coroutine"};

/* Calls of these give the loop that runs here, or what belongs to it. */
static const char *const askers[] = {"asyncio.get_event_loop",
                                     "asyncio.get_running_loop",
                                     "asyncio.create_task",
                                     "asyncio.ensure_future",
                                     "asyncio.Future",
                                     "asyncio.Event",
                                     "asyncio.Lock",
                                     "asyncio.Queue",
                                     "asyncio.Condition",
                                     "asyncio.Semaphore",
                                     "tornado.ioloop.IOLoop.current",
                                     "tornado.concurrent.Future",
                                     "tornado.concurrent.TracebackFuture",
                                     "tornado.locks.Event"};

/* Callbacks of the loop: only its own thread may ask for them. The methods for other threads (call_soon_threadsafe,
 * tornado's add_callback) are not among them. */
static const char *const asking[] = {"add_reader", "remove_reader", "add_writer",  "add_handler", "update_handler",
                                     "call_later", "call_at",       "add_timeout", "on_recv"};

static const char *const crossing[] = {"call_soon_threadsafe", "run_coroutine_threadsafe", "callFromThread",
                                       "deferToThread", "callInThread"};

/* Is the name one of these, of a library or of the program itself? */
static bool is_one_of(const Program *p, u32 file, u32 path, const char *const *names, u32 n)
{
    Ent e = path_entity(p, file, path);
    if (e.kind == ENT_EXTERNAL) return str_among(p->syms.strs[e.id], names, n);
    if (e.kind != ENT_FUNC && e.kind != ENT_CLASS) return false;
    GId g = e.kind == ENT_FUNC ? func_gid(p, e.id) : class_gid(p, e.id);
    Str module = p->facts[g.file]->source->module; /* full names begin with it; hardly any module is a library's */
    for (u32 i = 0; i < n; i++) {
        if (strncmp(names[i], module.p, module.n)) continue;
        Str name = str_from(names[i]);
        if (e.kind == ENT_FUNC ? func_named(p, e.id, name) : class_named(p, e.id, name)) return true;
    }
    return false;
}

bool is_coroutine(const Program *p, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    if (fn->is_async) return true;
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++)
        if (is_one_of(p, file, f->decorators.v[i], decorators, COUNT_OF(decorators))) return true;
    return false;
}

/* A class that runs callbacks and watches files itself. */
static bool is_loop(const Program *p, u32 gclass)
{
    static const char *const watching[] = {"add_reader", "add_handler"};
    static const char *const later[] = {"call_later", "add_timeout"};
    const ClassInfo *c = &p->state->classes[gclass];
    bool watches = false, runs = false;
    for (u32 i = 0; i < COUNT_OF(watching); i++) {
        u32 a = intern_find(&p->syms, str_from(watching[i])), b = intern_find(&p->syms, str_from(later[i]));
        watches |= a != NONE && map_get(&c->methods, a) != NONE;
        runs |= b != NONE && map_get(&c->methods, b) != NONE;
    }
    return watches && runs;
}

/* What the method's calls say of its class: that it asks for a loop, or that other threads cross to one. */
typedef enum Says { SAYS_NOTHING, SAYS_ASKS, SAYS_CROSSES } Says;

/* scheduler.call_later(…): a scheduler of the program's own, which may have threads as well. */
static bool of_scheduler(const Facts *f, const Path *x)
{
    Str name = sym_str(f, x->nattr > 1 ? x->attr[x->nattr - 2] : x->name);
    return str_has_word(name, "scheduler");
}

static Says method_says(const Program *p, u32 file, const Func *fn)
{
    const Facts *f = p->facts[file];
    Says says = SAYS_NOTHING;
    for (u32 k = fn->calls; k < fn->calls + fn->ncalls; k++) {
        const Path *x = &f->paths.v[f->calls.v[k].callee];
        Str name = path_last(f, x);
        if (str_among(name, crossing, COUNT_OF(crossing))) return SAYS_CROSSES;
        if ((x->nattr && str_among(name, asking, COUNT_OF(asking)) && !of_scheduler(f, x)) ||
            is_one_of(p, file, f->calls.v[k].callee, askers, COUNT_OF(askers)))
            says = SAYS_ASKS;
    }
    return says;
}

/* The first of its functions that is a coroutine, or whose calls cross to a loop, decides. */
static void classes_of_file(Program *p, u32 file, Arena *scratch)
{
    const Facts *f = p->facts[file];
    bool *of = p->state->of_loop + p->class_base[file], *decided = arena_new(scratch, bool, f->classes.n);
    bool twisted = f->classes.n && file_imports(p, file, "twisted.internet");
    for (u32 c = 0; c < f->classes.n; c++) of[c] = twisted || is_loop(p, gclass_of(p, file, c));
    for (u32 i = 1; i < f->funcs.n; i++) {
        const Func *fn = &f->funcs.v[i];
        if (fn->cls != NONE && !decided[fn->cls] && is_coroutine(p, file, i)) of[fn->cls] = decided[fn->cls] = true;
        if (fn->self_class == NONE || decided[fn->self_class]) continue;
        Says says = method_says(p, file, fn);
        if (says != SAYS_NOTHING) of[fn->self_class] = says == SAYS_ASKS;
        decided[fn->self_class] = says == SAYS_CROSSES;
    }
}

void loop_classes_find(Program *p)
{
    Arena scratch = {0};
    p->state->of_loop = arena_new(p->state->a, bool, p->state->nclasses + 1);
    for (u32 file = 0; file < p->nfiles; file++) classes_of_file(p, file, &scratch);
    arena_free(&scratch);
}
