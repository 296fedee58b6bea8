/* UG602: worker processes for what threads do as well once there is no GIL, without start-up and pickling.
 *
 *   with ProcessPoolExecutor() as pool:
 *       sizes = list(pool.map(measure, pages))
 *
 * Reported when what the processes run, as far as it can be followed, changes nothing but what it has made itself,
 * and nothing speaks for processes: no initializer, no limit of tasks, no start method of choice, nobody who kills
 * them, nothing that belongs to a process. Calls of libraries are taken to be harmless; whether an extension is ready
 * for free-threaded Python says `ungil deps`. */
#include "races/scaling.h"

enum { HANDED = 4, FOLLOWED = 2000 };

/* Who says one of these wants processes. */
static const char *const wants_processes[] = {"initializer",         "initargs",   "maxtasksperchild",
                                              "max_tasks_per_child", "mp_context", "context"};
static const char *const kills[] = {"terminate", "kill", "exitcode", "pid"};
/* What belongs to a process, so that threads cannot each have their own (Python library reference, "os", "signal",
 * "random", "logging"). */
static const char *const of_process[] = {"os._exit",
                                         "os.abort",
                                         "os.kill",
                                         "os.chdir",
                                         "os.fchdir",
                                         "os.umask",
                                         "os.nice",
                                         "os.setuid",
                                         "os.setgid",
                                         "os.getpid",
                                         "os.getppid",
                                         "os.fork",
                                         "os.setsid",
                                         "os.setpgrp",
                                         "os.putenv",
                                         "os.unsetenv",
                                         "os.sched_setaffinity",
                                         "os.dup2",
                                         "os.chroot",
                                         "random.seed",
                                         "numpy.random.seed",
                                         "sys.exit",
                                         "sys.setrecursionlimit",
                                         "locale.setlocale",
                                         "logging.basicConfig",
                                         "time.tzset",
                                         "multiprocessing.current_process",
                                         "torch.set_num_threads",
                                         "torch.manual_seed",
                                         "os.execv",
                                         "os.execvp",
                                         "socket.setdefaulttimeout",
                                         "warnings.catch_warnings",
                                         "warnings.simplefilter",
                                         "contextlib.redirect_stdout",
                                         "contextlib.redirect_stderr",
                                         "contextlib.chdir",
                                         "exec",
                                         "eval"};
static const char *const modules_of_process[] = {
    "signal.",      "resource.", "logging.config.", "faulthandler.",    "cProfile.", "gc.",
    "tracemalloc.", "prctl.",    "setproctitle.",   "multiprocessing.", "psutil."};

/* ---- the processes ---- */

/* The call that makes the pool, by what its name or attribute is bound to; NONE. */
static u32 maker_of(const Program *p, u32 file, u32 path, u32 *in_file)
{
    const Facts *x = p->facts[file];
    const Path *q = &x->paths.v[path];
    const Def *d = NULL;
    *in_file = file;
    if (q->root == ROOT_CALL && !q->nattr) return q->func;
    if (q->root == ROOT_LOCAL && !q->nattr) {
        d = local_def(p, file, q->func, q->name);
    } else {
        u32 place = path_place(p, file, path);
        if (place == NONE || p->places.v[place].def == NONE) return NONE;
        *in_file = p->places.v[place].def_file;
        d = &p->facts[*in_file]->defs.v[p->places.v[place].def];
    }
    if (!d) return NONE;
    if (d->kind == VAL_CALL) return d->value;
    if (d->kind != VAL_ENTER_OF) return NONE;
    const Path *entered = &p->facts[*in_file]->paths.v[d->value];
    return entered->root == ROOT_CALL && !entered->nattr ? entered->func : NONE;
}

/* Does the call that makes the pool or process ask for something that threads do not have? */
static bool asks_for_processes(const Program *p, u32 file, u32 call)
{
    const Facts *x = p->facts[file];
    const Call *c = &x->calls.v[call];
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &x->args.v[i];
        if (a->star || (a->keyword == SYM_EMPTY && i > c->args)) return true;
        if (str_among(sym_str(x, a->keyword), wants_processes, COUNT_OF(wants_processes))) return true;
    }
    Str made = path_external(p, file, c->callee);
    return !str_starts(made, S("concurrent.futures.")) && !str_is(made, "multiprocessing.Pool") &&
           !str_is(made, "multiprocessing.pool.Pool") && !known_function(made, AS_PROCESS);
}

/* Does the file kill single processes, or ask how they ended? (terminate() of a pool often stands for close().) */
static bool kills_some(const Program *p, u32 file)
{
    const Facts *x = p->facts[file];
    for (u32 i = 0; i < x->accesses.n; i++) {
        const Access *a = &x->accesses.v[i];
        const Path *q = &x->paths.v[a->path];
        Str last = a->op == OP_METHOD ? sym_str(x, a->method) : q->nattr ? path_last(x, q) : S("");
        if (!str_among(last, kills, COUNT_OF(kills))) continue;
        u32 in_file, maker = a->op == OP_METHOD ? maker_of(p, file, a->path, &in_file) : NONE;
        if (maker == NONE || !str_ends(call_last(p->facts[in_file], &p->facts[in_file]->calls.v[maker]), S("Pool")))
            return true;
    }
    return false;
}

/* ---- what they run ---- */

typedef struct Reach {
    u32 n, funcs[FOLLOWED];
} Reach;

/* Fills in all functions that this one leads to; false when they are too many. */
static bool reach_fill(const Program *p, u32 gfunc, Reach *all)
{
    Map seen = {0};
    Arena room = {0};
    bool fits = true;
    all->n = 0;
    all->funcs[all->n++] = gfunc;
    *map_at(&room, &seen, gfunc) = 0;
    for (u32 i = 0; fits && i < all->n; i++)
        for (u32 k = p->edge_first[all->funcs[i]]; fits && k < p->edge_first[all->funcs[i] + 1]; k++) {
            u32 *at = map_at(&room, &seen, p->edges.v[k].callee);
            if (*at != NONE) continue;
            *at = 0;
            if (all->n == FOLLOWED)
                fits = false;
            else
                all->funcs[all->n++] = p->edges.v[k].callee;
        }
    arena_free(&room);
    return fits;
}

static u32 class_of(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    u32 c = p->facts[g.file]->funcs.v[g.id].self_class;
    return c == NONE ? NONE : p->class_base[g.file] + c;
}

/* Does the work make objects of the method's class? Then self may well be one of them. */
static bool makes_self(const Program *p, const Reach *all, u32 gfunc)
{
    u32 mine = class_of(p, gfunc);
    for (u32 i = 1; mine != NONE && i < all->n; i++) {
        u32 c = p->funcs[all->funcs[i]].construct ? class_of(p, all->funcs[i]) : NONE;
        if (c != NONE && (class_is_a(p, mine, c) || class_is_a(p, c, mine))) return true;
    }
    return false;
}

/* Does the function change what others see: globals, its arguments (in a process, copies that stay there), an object
 * that the work was given? */
static bool changes_outside(const Program *p, const Reach *all, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        u32 ga = p->access_base[g.file] + i, place = p->access_place[ga];
        if (!(access_effect(p, ga) & (EFFECT_WRITE | EFFECT_GROW)) || a->in_nested_def) continue;
        const Path *q = &x->paths.v[a->path];
        bool binds = (a->op == OP_STORE || a->op == OP_AUG) && !q->nattr;
        if (q->root == ROOT_CLS || (q->root == ROOT_PARAM && !binds)) return true;
        if ((q->root == ROOT_SELF || q->root == ROOT_SUPER) && !p->funcs[gfunc].construct &&
            !makes_self(p, all, gfunc))
            return true;
        if (place == NONE) continue;
        const Place *at = &p->places.v[place];
        if (at->kind != PLACE_INSTANCE && !at->inner && !at->in_call) return true;
    }
    return false;
}

/* Does the function call what belongs to its process? */
static bool needs_process(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        Str full = path_external(p, g.file, x->calls.v[i].callee);
        if (str_among(full, of_process, COUNT_OF(of_process)) ||
            str_starts_any(full, modules_of_process, COUNT_OF(modules_of_process)))
            return true;
    }
    return false;
}

/* Does nothing that the function leads to change what is not its own? */
static bool keeps_to_itself(Finder *f, u32 gfunc)
{
    Arena room = {0};
    Reach *all = arena_new(&room, Reach, 1);
    bool own = reach_fill(f->p, gfunc, all);
    for (u32 i = 0; own && i < all->n; i++)
        own = !changes_outside(f->p, all, all->funcs[i]) && !needs_process(f->p, all->funcs[i]);
    arena_free(&room);
    return own;
}

/* ---- the rule ---- */

static void report(Finder *f, u32 file, const Call *c, u32 gfunc)
{
    Str work = func_display(f->a, f->p, gfunc);
    Race *r = race_at(f, UG602, file, c->func, c->span, work, CONF_MEDIUM);
    race_why(f, r, "nothing was found that it changes outside itself, and nothing that needs a process of its own");
    race_message(
        f, r,
        "%.*s runs in worker processes, which start slowly and get copies of their arguments; without the GIL "
        "threads do the same (ThreadPoolExecutor), as far as this code goes",
        STR_ARG(work));
}

static const Arg *argument(const Facts *x, const Call *c, u32 position, const char *keyword)
{
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &x->args.v[i];
        if (a->keyword == SYM_EMPTY ? i - c->args == position && !a->star : str_is(sym_str(x, a->keyword), keyword))
            return a;
    }
    return NULL;
}

/* The argument that says what processes run, when the call hands it to some; NULL. */
static const Arg *handed(const Program *p, u32 file, u32 call)
{
    const Facts *x = p->facts[file];
    const Call *c = &x->calls.v[call];
    const Path *q = &x->paths.v[c->callee];
    Str full = path_external(p, file, c->callee);
    if (known_function(full, AS_PROCESS)) {
        bool many = x->blocks.v[c->block].repeats || x->blocks.v[c->block].kind == BLOCK_COMPREHENSION;
        return many && !asks_for_processes(p, file, call) && !kills_some(p, file) ? argument(x, c, 1, "target")
                                                                                  : NULL;
    }
    Str name = call_last(x, c);
    if (!q->nattr || !(known_method(name, AS_POOL) || str_is(name, "apply"))) return NULL;
    u32 on = call_receiver(x, c), in_file;
    if (on == NONE || path_type(p, file, on).kind != TYPE_PROCESS) return NULL;
    u32 maker = maker_of(p, file, on, &in_file);
    return maker != NONE && !asks_for_processes(p, in_file, maker) ? argument(x, c, 0, "func") : NULL;
}

void race_workers(Finder *f, u32 file)
{
    const Facts *x = f->p->facts[file];
    if (scaling_skips(f->p, file)) return;
    for (u32 i = 0; i < x->calls.n; i++) {
        u32 out[HANDED];
        const Arg *a = handed(f->p, file, i);
        u32 n = a ? value_funcs(f->p, file, a->kind, a->value, out, HANDED) : 0;
        if (n == 1 && keeps_to_itself(f, out[0])) report(f, file, &x->calls.v[i], out[0]);
    }
}
