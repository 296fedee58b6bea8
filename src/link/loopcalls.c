/* Functions that an event loop calls: what coroutines and set-up code hand to it.
 *
 *   await asyncio.start_server(handle, host, port)     loop.call_later(1, self.ping)
 *   app.router.add_get("/", handle)                    loop.create_server(lambda: Session(), host, port)
 *   @bot.command() / async def skip(ctx)               class Session(asyncio.Protocol): def data_received
 *
 * They are no threads: one loop calls them one after the other, in the thread of whoever registers them, who runs the
 * loop or is run by it (asyncio, "Developing with asyncio"). So each of them is reached by what reaches the function
 * that registers it, and by nothing else; but not then and there: no lock, no order of calls and no construction
 * holds for it. Once registered it is called again and again.
 *
 * A coroutine function that is given to code that we do not see can only be meant for a loop, whatever the library:
 * web.get("/", handle), subscribe("x", cb=handle). Plain functions need the table, whose rows are from the references
 * of asyncio ("Event Loop", "Streams", "Transports and Protocols"), tornado and websockets. What other threads hand
 * to a loop, call_soon_threadsafe(f), is a root (know/threads.def).
 *
 * Needs edges and roots; fills LinkState.later and FuncInfo.served. Not followed: coroutines that are stored. */
#include "link/link.h"

enum { TARGETS = 8 };

/* How often a loop calls what it was handed: once for each time; again and again, each time for an object of its own
 * perhaps; again and again with one object. */
typedef enum Often { ONCE, AGAIN, SERVED } Often;

typedef struct LoopCall {
    const char *name;
    u32 position;
    const char *keyword;
    Often often;
} LoopCall;

static const LoopCall functions[] = {
    {"asyncio.start_server", 0, "client_connected_cb", SERVED},
    {"asyncio.start_unix_server", 0, "client_connected_cb", SERVED},
    {"asyncio.streams.start_server", 0, "client_connected_cb", SERVED},
    {"websockets.serve", 0, "ws_handler", SERVED},
    {"tornado.ioloop.PeriodicCallback", 0, "callback", SERVED},
};

static const LoopCall methods[] = {
    {"call_soon", 0, "callback", ONCE},
    {"call_later", 1, "callback", ONCE},
    {"call_at", 1, "callback", ONCE},
    {"add_reader", 1, "callback", SERVED},
    {"add_writer", 1, "callback", SERVED},
    {"add_signal_handler", 1, "callback", SERVED},
    {"create_server", 0, "protocol_factory", SERVED},
    {"create_unix_server", 0, "protocol_factory", SERVED},
    {"create_connection", 0, "protocol_factory", ONCE},
    {"create_unix_connection", 0, "protocol_factory", ONCE},
    {"create_datagram_endpoint", 0, "protocol_factory", ONCE},
    {"subprocess_exec", 0, "protocol_factory", ONCE},
    {"connect_read_pipe", 0, "protocol_factory", ONCE},
};

/* Classes of libraries whose methods a loop calls. */
static const char *const bases[] = {"asyncio.BaseProtocol",       "asyncio.Protocol",
                                    "asyncio.BufferedProtocol",   "asyncio.DatagramProtocol",
                                    "asyncio.SubprocessProtocol", "asyncio.protocols.Protocol",
                                    "tornado.web.RequestHandler", "tornado.websocket.WebSocketHandler"};

static const char *const hooks[] = {"connection_made",
                                    "connection_lost",
                                    "data_received",
                                    "eof_received",
                                    "datagram_received",
                                    "error_received",
                                    "pause_writing",
                                    "resume_writing",
                                    "buffer_updated",
                                    "get_buffer",
                                    "pipe_data_received",
                                    "process_exited",
                                    "pipe_connection_lost",
                                    "get",
                                    "post",
                                    "put",
                                    "delete",
                                    "patch",
                                    "prepare",
                                    "on_finish",
                                    "open",
                                    "on_message",
                                    "on_close"};

/* Bases of the standard library that call no method of a subclass from a loop. */
static const char *const plain_bases[] = {"object",     "abc.",         "typing.",      "enum.",
                                          "threading.", "collections.", "Exception",    "dict",
                                          "list",       "contextlib.",  "dataclasses.", "pydantic.",
                                          "unittest.",  "logging.",     "str",          "typing_extensions."};

static const Arg *arg_of(const Facts *f, const Call *c, const LoopCall *row)
{
    u32 at = 0;
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &f->args.v[i];
        if (a->keyword == SYM_EMPTY && !a->star && at++ == row->position) return a;
        if (a->keyword != SYM_EMPTY && str_is(sym_str(f, a->keyword), row->keyword)) return a;
    }
    return NULL;
}

static void later_add(Program *p, u32 caller, u32 callee, u32 file, Often often)
{
    LinkState *s = p->state;
    u32 *first = map_at(s->a, &s->later_first, caller);
    vec_push(s->a, &s->later, (LaterEdge){.callee = callee, .file = file, .next = *first});
    *first = s->later.n - 1;
    p->funcs[callee].later = true;
    p->funcs[callee].again |= often != ONCE;
    p->funcs[callee].served |= often == SERVED;
}

static void given(Program *p, u32 file, const Call *c, const Arg *a, bool coroutines, Often often)
{
    if (a->star || (a->kind != VAL_PATH && a->kind != VAL_LAMBDA && a->kind != VAL_CALL)) return;
    u32 out[TARGETS], n = value_funcs(p, file, a->kind, a->value, out, TARGETS);
    for (u32 i = 0; i < n; i++) {
        GId g = func_gid(p, out[i]);
        if (p->facts[g.file]->funcs.v[g.id].is_property || (coroutines && !is_coroutine(p, g.file, g.id))) continue;
        later_add(p, gfunc_of(p, file, c->func), out[i], file, often);
    }
}

static bool imports_asyncio(const Program *p, u32 file)
{
    return file_imports(p, file, "asyncio") || file_imports(p, file, "tornado") || file_imports(p, file, "uvloop");
}

static const LoopCall *row_of(const Program *p, u32 file, const Call *c)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[c->callee];
    Str ext = path_external(p, file, c->callee);
    for (u32 i = 0; ext.n && i < COUNT_OF(functions); i++)
        if (str_is(ext, functions[i].name)) return &functions[i];
    Str name = path_is_attr(x) ? path_last(f, x) : S("");
    for (u32 i = 0; name.n && i < COUNT_OF(methods); i++)
        if (str_is(name, methods[i].name)) return imports_asyncio(p, file) ? &methods[i] : NULL;
    return NULL;
}

/* What runs a coroutine function once: asyncio's own and its like. */
static bool runs_once(const Facts *f, const Path *x)
{
    static const char *const names[] = {"run", "run_until_complete", "run_sync", "start_soon", "spawn", "partial"};
    return str_among(path_last(f, x), names, COUNT_OF(names));
}

static void of_call(Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    u32 out[1];
    if (!c->nargs || call_targets(p, file, call, out, 1)) return;
    const LoopCall *row = row_of(p, file, c);
    const Arg *a = row ? arg_of(f, c, row) : NULL;
    bool once = runs_once(f, &f->paths.v[c->callee]);
    if (a) given(p, file, c, a, false, row->often);
    for (u32 i = c->args; i < c->args + c->nargs; i++)
        if (&f->args.v[i] != a) given(p, file, c, &f->args.v[i], true, once ? ONCE : SERVED);
}

/* @bot.command(), @client.event, @app.get("/"): a decorator of a library that takes a coroutine function. */
static bool decorated_for_loop(const Program *p, u32 file, const Func *fn)
{
    static const char *const others[] = {"contextlib.", "functools.",   "abc.",        "typing.",
                                         "pytest",      "staticmethod", "classmethod", "property",
                                         "types.",      "asyncio.",     "unittest.",   "mock"};
    const Facts *f = p->facts[file];
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++) {
        const Path *x = &f->paths.v[f->decorators.v[i]];
        Ent e = path_entity(p, file, f->decorators.v[i]);
        Str ext = path_external(p, file, f->decorators.v[i]);
        if (x->root == ROOT_UNKNOWN || e.kind == ENT_FUNC || e.kind == ENT_CLASS) return false;
        if (str_starts_any(ext, others, COUNT_OF(others))) return false;
        if (!x->nattr && !ext.n) return false;
    }
    return fn->ndecorators;
}

static bool derives_from_library(const Program *p, u32 gclass)
{
    const ClassInfo *ci = &p->state->classes[gclass];
    for (u32 i = 0; i < ci->ext_bases.n; i++)
        if (!str_starts_any(p->syms.strs[ci->ext_bases.v[i]], plain_bases, COUNT_OF(plain_bases))) return true;
    return false;
}

static bool hook_of_loop(const Program *p, u32 gclass, Str name)
{
    return str_among(name, hooks, COUNT_OF(hooks)) && class_derives_any(p, gclass, bases, COUNT_OF(bases));
}

/* The functions that make an object of the class, or name it in a call, register its methods; else its module does.
 */
static void methods_of_class(Program *p, u32 gclass, u32 gfunc, u32 file)
{
    bool any = false;
    for (u32 i = 0; i < p->facts[file]->calls.n; i++) {
        Ent e = path_entity(p, file, p->facts[file]->calls.v[i].callee);
        if (e.kind != ENT_CLASS || e.id != gclass) continue;
        later_add(p, gfunc_of(p, file, p->facts[file]->calls.v[i].func), gfunc, file, AGAIN);
        any = true;
    }
    if (!any) later_add(p, gfunc_of(p, file, 0), gfunc, file, AGAIN);
}

static void of_func(Program *p, u32 file, u32 func, const bool *called)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    u32 gfunc = gfunc_of(p, file, func), cls = fn->cls == NONE ? NONE : gclass_of(p, file, fn->cls);
    Str name = sym_str(f, fn->name);
    if (fn->is_async && decorated_for_loop(p, file, fn)) {
        later_add(p, gfunc_of(p, file, fn->parent), gfunc, file, SERVED);
    } else if (cls != NONE && !called[gfunc] && !fn->is_static &&
               (hook_of_loop(p, cls, name) ||
                (fn->is_async && !str_starts(name, S("_")) && derives_from_library(p, cls)))) {
        methods_of_class(p, cls, gfunc, file);
    }
}

static bool defines_coroutines(const Program *p, u32 file)
{
    for (u32 i = 1; i < p->facts[file]->funcs.n; i++)
        if (is_coroutine(p, file, i)) return true;
    return false;
}

/* May code of the file hand something to a loop: one of its coroutines, or one of a module that it imports? */
static bool speaks_of_loops(const Program *p, u32 file, const bool *defines)
{
    const Facts *f = p->facts[file];
    if (defines[file] || imports_asyncio(p, file)) return true;
    for (u32 i = 0; i < f->imports.n; i++) {
        u32 from = import_file(p, file, &f->imports.v[i]);
        Ent e = from == NONE ? (Ent){.kind = ENT_NONE} : import_target(p, file, &f->imports.v[i], 0);
        if (from != NONE && (defines[from] || (e.kind == ENT_MODULE && defines[e.id]))) return true;
    }
    return false;
}

void loop_calls_find(Program *p)
{
    Arena scratch = {0};
    bool *defines = arena_new(&scratch, bool, p->nfiles + 1);
    for (u32 file = 0; file < p->nfiles; file++) defines[file] = defines_coroutines(p, file);
    bool *called = arena_new(&scratch, bool, p->state->nfuncs + 1);
    for (u32 i = 0; i < p->edges.n; i++) called[p->edges.v[i].callee] |= !p->edges.v[i].weak;
    Map starts = {0};
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++)
        if (p->roots.v[i].call != NONE)
            map_put(&scratch, &starts, map_key(p->roots.v[i].file, p->roots.v[i].call), 1);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        bool speaks = speaks_of_loops(p, file, defines);
        for (u32 i = 0; i < f->calls.n && speaks; i++)
            if (map_get(&starts, map_key(file, i)) == NONE) of_call(p, file, i);
        for (u32 i = 1; i < f->funcs.n; i++) of_func(p, file, i, called);
    }
    arena_free(&scratch);
}

/* self.process(line), parse(line): does the coroutine run with the object of the one that calls it, or without one?
 */
static bool with_own_object(const Program *p, const CallEdge *e)
{
    GId to = func_gid(p, e->callee);
    if (e->weak || e->call == NONE) return false;
    const Path *x = &p->facts[e->file]->paths.v[p->facts[e->file]->calls.v[e->call].callee];
    return p->facts[to.file]->funcs.v[to.id].cls == NONE || (x->root == ROOT_SELF && x->nattr == 1);
}

void loop_calls_together(Program *p)
{
    enum { ROUNDS = 3 };
    tasks_find(p);
    for (u32 round = 0; round < ROUNDS; round++)
        for (u32 i = 0; i < p->edges.n; i++) {
            const CallEdge *e = &p->edges.v[i];
            if (p->funcs[e->caller].served && p->funcs[e->callee].event_loop && with_own_object(p, e))
                p->funcs[e->callee].served = true;
        }
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        Root *r = &p->roots.v[i];
        if (!r->awaited || r->call == NONE) continue;
        const Facts *f = p->facts[r->file];
        const Call *c = &f->calls.v[r->call];
        if (!p->funcs[gfunc_of(p, r->file, c->func)].served || held_one_at_a_time(p, r->file, r->call)) continue;
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            const Path *x = f->args.v[k].kind == VAL_PATH ? &f->paths.v[f->args.v[k].value] : NULL;
            if (!x || !x->nattr || (x->root != ROOT_SELF && x->root != ROOT_GLOBAL)) continue;
            r->awaited = false;
            r->beside = true;
        }
    }
}
