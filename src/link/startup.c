/* What an application does while it starts: functions that are called by nobody but module bodies, main functions and
 * each other, before the first thread or server is started. What they fill, requests only read.
 *
 * reach.c knows this of functions that give nothing back, where every call in sight stands at the top of a module. In
 * the tree of an application more can be said: tests are no part of it, nobody else calls what is public, and init()
 * may call what fills tables, and then what starts a thread. A tree is one where a module or a function of it makes
 * the application that a web framework serves, outside of tests and examples; one with examples of its own use is a
 * library all the same, whose users call what it calls for itself. What is called in this way, be it later, has the
 * main thread alone.
 *
 * What is handed on as a value, what may be a method of some object whose class is not known, and what a library may
 * call are left alone. */
#include "link/link.h"

enum { STARTUP_ROUNDS = 12, STARTUP_BASES = 6 };

/* A call of a method of an object that is not known. */
typedef struct Named {
    u32 file, call, next;
} Named;

typedef struct Startup {
    Program *p;
    Callers callers;
    u32 *lead;   /* by function: where its first call stands that may lead to a thread or a server; NONE */
    u8 *starts;  /* by function: do only such callers call it? */
    bool timed;  /* and before the first thread: else, whenever */
    u8 *taken;   /* by function: is it handed on as a value? */
    u8 *edged;   /* by call: is it known what it calls? */
    Map unknown; /* by global symbol: the first of `named` */
    Vec(Named) named;
} Startup;

/* ---- is the tree an application? ---- */

/* From the frameworks' documentation: what makes, or hands to a server, the one application of a process. */
static const char *const makers[] = {"flask.Flask",
                                     "quart.Quart",
                                     "fastapi.FastAPI",
                                     "fastapi.applications.FastAPI",
                                     "starlette.applications.Starlette",
                                     "sanic.Sanic",
                                     "bottle.Bottle",
                                     "falcon.App",
                                     "falcon.API",
                                     "aiohttp.web.Application",
                                     "tornado.web.Application",
                                     "django.core.wsgi.get_wsgi_application",
                                     "django.core.asgi.get_asgi_application"};

static bool makes_application(const Program *p, u32 file, const Call *c)
{
    Ent e = path_entity(p, file, c->callee);
    if (e.kind == ENT_CLASS) return class_derives_any(p, e.id, makers, COUNT_OF(makers));
    return str_among(path_external(p, file, c->callee), makers, COUNT_OF(makers));
}

/* Examples of how to use what the tree offers. What the documentation of a program holds shows how to extend it. */
static bool shows_use(Str path)
{
    static const char *const folders[] = {"example", "examples", "sample", "samples", "demo", "demos"};
    for (Str rest = path; rest.n;) {
        Str part = str_cut(rest, '/', &rest);
        if (str_is(part, "docs") || str_is(part, "doc")) return false;
        if (rest.n && str_among(part, folders, COUNT_OF(folders))) return true;
    }
    return false;
}

static bool is_application(const Program *p)
{
    bool made = false;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (shows_use(f->source->path) && !p->tests[file] && !p->vendored[file]) return false;
        if (made || p->tests[file] || p->examples[file] || p->vendored[file]) continue;
        for (u32 i = 0; i < f->calls.n && !made; i++) {
            const Func *fn = &f->funcs.v[f->calls.v[i].func];
            made = fn->cls == NONE && !fn->parent && makes_application(p, file, &f->calls.v[i]);
        }
    }
    return made;
}

/* ---- what is called where ---- */

/* Does the call, of nothing of ours, set a server, a loop or a scheduler going? */
static bool sets_going(const Program *p, u32 file, const Call *c)
{
    static const char *const names[] = {"start",       "run",           "serve",      "serve_forever",
                                        "run_forever", "start_polling", "loop_start", "run_app",
                                        "run_server",  "run_simple",    "listen",     "execute_from_command_line"};
    const Facts *f = p->facts[file];
    return str_among(call_last(f, c), names, COUNT_OF(names)) &&
           !str_starts(path_external(p, file, c->callee), S("subprocess."));
}

static void edges_index(Startup *s, Arena *scratch)
{
    Program *p = s->p;
    s->edged = arena_new(scratch, u8, p->call_base[p->nfiles] + 1);
    for (u32 i = 0; i < p->edges.n; i++)
        if (p->edges.v[i].call != NONE) s->edged[p->call_base[p->edges.v[i].file] + p->edges.v[i].call] = 1;
}

static void leads_index(Startup *s, Arena *scratch)
{
    Program *p = s->p;
    u32 *lead = s->lead = arena_new(scratch, u32, p->state->nfuncs + 1);
    for (u32 i = 0; i < p->state->nfuncs; i++) lead[i] = p->funcs[i].first_start;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            u32 *at = &lead[gfunc_of(p, file, f->calls.v[i].func)];
            if (!s->edged[p->call_base[file] + i] && sets_going(p, file, &f->calls.v[i]))
                *at = MIN(*at, f->calls.v[i].span.start);
        }
    }
    for (u32 round = 0, changed = 1; round < STARTUP_ROUNDS && changed; round++) {
        changed = 0;
        for (u32 i = 0; i < p->edges.n; i++) {
            const CallEdge *e = &p->edges.v[i];
            if (lead[e->callee] == NONE) continue;
            u32 at = e->call == NONE ? e->at : p->facts[e->file]->calls.v[e->call].span.start;
            if (at >= lead[e->caller]) continue;
            lead[e->caller] = at;
            changed = 1;
        }
    }
}

static void take(Startup *s, u32 file, u8 kind, u32 value)
{
    Type t = kind == VAL_PATH ? path_type(s->p, file, value) : (Type){0};
    if (t.kind == TYPE_FUNC) s->taken[t.id] = 1;
}

static void values_index(Startup *s, Arena *scratch)
{
    Program *p = s->p;
    s->taken = arena_new(scratch, u8, p->state->nfuncs + 1);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (p->tests[file] || p->examples[file]) continue;
        for (u32 i = 0; i < f->args.n; i++) take(s, file, f->args.v[i].kind, f->args.v[i].value);
        for (u32 i = 0; i < f->defs.n; i++) take(s, file, f->defs.v[i].kind, f->defs.v[i].value);
        for (u32 i = 0; i < f->calls.n; i++) {
            const Path *x = &f->paths.v[f->calls.v[i].callee];
            if (s->edged[p->call_base[file] + i] || !receiver_unknown(p, file, x)) continue;
            u32 *first = map_at(scratch, &s->unknown, gsym(p, file, x->attr[x->nattr - 1]));
            vec_push(scratch, &s->named, (Named){file, i, *first});
            *first = s->named.n - 1;
        }
    }
}

/* ---- who calls it ---- */

/* while True: step(): is it what the program does all the time, and no beginning? */
static bool in_while(const Facts *f, u32 block)
{
    for (; block != NONE; block = f->blocks.v[block].parent)
        if (f->blocks.v[block].kind == BLOCK_LOOP && f->blocks.v[block].cond != NONE) return true;
    return false;
}

/* Does the function go round without an end? */
static bool goes_on(const Facts *f, u32 func)
{
    for (u32 i = 0; i < f->blocks.n; i++) {
        const Block *b = &f->blocks.v[i];
        if (b->func != func || b->kind != BLOCK_LOOP || b->cond == NONE) continue;
        Span head = f->conds.v[b->cond].head;
        if (str_contains(str_slice(f->source->text, head.start, head.end), S("True"))) return true;
    }
    return false;
}

/* Does the call stand before all that starts threads, or is it itself the first that leads there? In a loop it is
 * made again after that. */
static bool call_in_time(const Startup *s, u32 file, u32 call)
{
    const Facts *f = s->p->facts[file];
    const Call *c = &f->calls.v[call];
    u32 lead = s->lead[gfunc_of(s->p, file, c->func)];
    if (!s->timed) return true;
    if (in_while(f, c->block)) return false;
    if (lead == NONE) return true;
    return (c->span.end <= lead || c->span.start == lead) && !f->blocks.v[c->block].repeats;
}

static bool in_time(const Startup *s, const CallEdge *e)
{
    u32 lead = s->timed ? s->lead[e->caller] : NONE;
    return e->call == NONE ? lead == NONE || (e->at && e->at < lead) : call_in_time(s, e->file, e->call);
}

static bool named_in_time(const Startup *s, const Named *n)
{
    u32 func = s->p->facts[n->file]->calls.v[n->call].func;
    return (!func || s->starts[gfunc_of(s->p, n->file, func)]) && call_in_time(s, n->file, n->call);
}

/* module = importlib.import_module(name); module.load(app): is this function of a module called by its name, where
 * the program starts and finds modules by theirs, and nowhere else? */
static bool loaded_by_name(const Startup *s, u32 file, const Func *fn)
{
    static const char *const finders[] = {"import_module", "__import__",  "load_module",
                                          "exec_module",   "find_module", "module_from_spec"};
    const Program *p = s->p;
    bool found = false;
    for (u32 i = map_get(&s->unknown, gsym(p, file, fn->name)); i != NONE && fn->cls == NONE;
         i = s->named.v[i].next) {
        const Named *n = &s->named.v[i];
        const Facts *f = p->facts[n->file];
        u32 func = f->calls.v[n->call].func;
        if (!named_in_time(s, n)) return false;
        for (u32 k = f->funcs.v[func].calls; k < f->funcs.v[func].calls + f->funcs.v[func].ncalls; k++)
            found |= str_among(call_last(f, &f->calls.v[k]), finders, COUNT_OF(finders));
    }
    return found;
}

/* What begins the life of a part of the program, and is called for that where one sees, is not called again:
 * plugin.init() is about other objects. */
static bool begins_part(Str name)
{
    static const char *const begins[] = {"init", "initialize", "initialise", "setup",     "configure",
                                         "run",  "start",      "startup",    "bootstrap", "prepare"};
    return str_among(name, begins, COUNT_OF(begins));
}

/* Do only module bodies and what starts the program call it; and somebody, tests aside, unless `begins`? */
static bool only_started(const Startup *s, u32 gfunc, bool begins)
{
    const Program *p = s->p;
    GId g = func_gid(p, gfunc);
    bool again = !begins_part(sym_str(p->facts[g.file], program_func(p, gfunc)->name));
    u32 n = 0;
    for (u32 i = s->callers.first[gfunc]; i < s->callers.first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[s->callers.edge[i]];
        if (e->caller == gfunc || from_tests(p, e->file, gfunc) || (e->weak && !again)) continue;
        if (e->param || e->kept || e->passed || !in_time(s, e)) return false;
        if (func_gid(p, e->caller).id != 0 && !s->starts[e->caller]) return false;
        n += !e->weak;
    }
    return n > 0 || begins || loaded_by_name(s, g.file, program_func(p, gfunc));
}

/* create_app(), main(), what a command line calls, and what Django calls when it is ready: with no caller in sight.
 */
static bool begins_program(const Program *p, u32 file, const Func *fn)
{
    static const char *const names[] = {"create_app", "make_app",           "get_app",
                                        "build_app",  "create_application", "main"};
    static const char *const commands[] = {"command", "group"};
    const Facts *f = p->facts[file];
    Str name = sym_str(f, fn->name);
    if (p->tests[file] || p->examples[file]) return false;
    if (fn->cls != NONE)
        return str_is(name, "ready") && class_derives(p, gclass_of(p, file, fn->cls), "django.apps.AppConfig");
    if (str_among(name, names, COUNT_OF(names)) && !fn->ndecorators) return true;
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++)
        if (str_among(path_last(f, &f->paths.v[f->decorators.v[i]]), commands, COUNT_OF(commands))) return true;
    return false;
}

/* A method that a library may call: of a class derived from one of a library; or from more than that many others. */
static bool of_library(const Program *p, u32 gclass, u32 depth)
{
    static const char *const harmless[] = {"object", "abc.ABC", "typing.Generic", "typing.Protocol"};
    const ClassInfo *c = &p->state->classes[gclass];
    for (u32 i = 0; i < c->ext_bases.n; i++)
        if (!str_among(p->syms.strs[c->ext_bases.v[i]], harmless, COUNT_OF(harmless))) return true;
    for (u32 i = 0; i < c->bases.n; i++)
        if (!depth || of_library(p, c->bases.v[i], depth - 1)) return true;
    return false;
}

/* May some object whose class is not known, and whose method of this name is called elsewhere, be one of the class?
 */
static bool called_by_name(const Startup *s, u32 file, const Func *fn)
{
    if (begins_part(sym_str(s->p->facts[file], fn->name))) return false;
    for (u32 i = map_get(&s->unknown, gsym(s->p, file, fn->name)); i != NONE; i = s->named.v[i].next)
        if (!named_in_time(s, &s->named.v[i])) return true;
    return false;
}

static bool plainly_called(const Startup *s, u32 file, const Func *fn)
{
    static const char *const harmless[] = {"staticmethod", "classmethod"};
    const Program *p = s->p;
    const Facts *f = p->facts[file];
    Str name = sym_str(f, fn->name);
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++)
        if (!str_among(path_last(f, &f->paths.v[f->decorators.v[i]]), harmless, COUNT_OF(harmless))) return false;
    if (str_starts(name, S("__")) && !str_is(name, "__init__")) return false;
    if (fn->cls == NONE) return true;
    return !called_by_name(s, file, fn) && !of_library(p, gclass_of(p, file, fn->cls), STARTUP_BASES);
}

static bool may_start(const Startup *s, u32 gfunc)
{
    const Program *p = s->p;
    GId g = func_gid(p, gfunc);
    const Func *fn = &p->facts[g.file]->funcs.v[g.id];
    const FuncInfo *fi = &p->funcs[gfunc];
    if (!g.id || fn->parent || fn->is_lambda || fn->is_async || fn->is_generator || fn->is_property) return false;
    if (fi->nroots || fi->later || fi->event_loop || s->taken[gfunc]) return false;
    bool begins = begins_program(p, g.file, fn);
    return (begins || plainly_called(s, g.file, fn)) && only_started(s, gfunc, begins);
}

/* Fills starts. */
static void spread(Startup *s)
{
    const Program *p = s->p;
    memset(s->starts, 0, p->state->nfuncs);
    for (u32 round = 0, changed = 1; round < STARTUP_ROUNDS && changed; round++) {
        changed = 0;
        for (u32 fn = 0; fn < p->state->nfuncs; fn++)
            if (!s->starts[fn] && may_start(s, fn)) s->starts[fn] = changed = 1;
    }
}

void startup_find(Program *p)
{
    if (p->options->assume == ASSUME_ALWAYS || !is_application(p)) return;
    Arena scratch = {0};
    Startup s = {
        .p = p, .callers = callers_index(p, &scratch), .starts = arena_new(&scratch, u8, p->state->nfuncs + 1)};
    edges_index(&s, &scratch);
    leads_index(&s, &scratch);
    values_index(&s, &scratch);
    spread(&s);
    for (u32 fn = 0; fn < p->state->nfuncs; fn++) p->funcs[fn].main_alone |= s.starts[fn];
    s.timed = true;
    spread(&s);
    for (u32 fn = 0; fn < p->state->nfuncs; fn++) {
        if (!s.starts[fn]) continue;
        GId g = func_gid(p, fn);
        p->funcs[fn].start_until = s.lead[fn];
        if (s.lead[fn] != NONE || goes_on(p->facts[g.file], g.id)) continue;
        p->funcs[fn].import_time = true;
        p->funcs[fn].asked = false;
    }
    arena_free(&scratch);
}
