/* Does the program fork? A child that is forked while another thread holds a lock finds it held for ever, since the
 * thread that would release it is not there (docs/memory-model.md). That is so with every lock; a new one of the
 * module in a program that forks is taken around each fork, by os.register_at_fork (its documentation), so that the
 * child finds it free and what it guards whole. That waits for nobody only where the lock is held for steps that end
 * by themselves; elsewhere the reason of its place says what a person must do. Forks that nothing in sight gets to,
 * those of examples, and those by which a process becomes a daemon do not count; a program that has something done
 * around each fork is one that somebody forks. What is done there gets no lock: in the child one that was held stays
 * held, and before the fork one that is given back protects nothing until it. */
#include "fixes/fixes.h"

/* Is the argument what os.register_at_fork, by whatever name it is called, or
 * multiprocessing.util.register_after_fork runs around each fork? */
static bool fork_handler(const Plan *pl, u32 file, const Call *c, u32 arg)
{
    const Facts *f = pl->p->facts[file];
    const Arg *a = &f->args.v[c->args + arg];
    Str key = sym_str(f, a->keyword);
    if (str_is(key, "after_in_child") || str_is(key, "after_in_parent")) return true;
    if (str_is(key, "before")) return str_is(path_external(pl->p, file, c->callee), "os.register_at_fork");
    Str name = call_last(f, c);
    return arg == 1 && c->nargs == 2 && str_is(name, "register_after_fork");
}

static bool minds_forks(const Plan *pl, u32 file, const Call *c)
{
    for (u32 i = 0; i < c->nargs; i++)
        if (fork_handler(pl, file, c, i)) return true;
    return false;
}

static void around_reach(Plan *pl, u32 g, u8 how)
{
    if (pl->around_fork[g]) return;
    pl->around_fork[g] = how;
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1]; i++)
        if (!pl->p->edges.v[i].weak) around_reach(pl, pl->p->edges.v[i].callee, FINAL_REACHED);
}

/* Is it os.getpid(), or a local that has what that gave? */
static bool gives_pid(const Plan *pl, u32 file, u32 func, Str text)
{
    const Facts *f = pl->p->facts[file];
    u32 sym = intern_find(&f->syms, text);
    const Def *d = sym == NONE ? NULL : local_def(pl->p, file, func, sym);
    if (str_is(text, "os.getpid()") || str_is(text, "getpid()")) return true;
    return d && d->kind == VAL_CALL && str_is(path_external(pl->p, file, f->calls.v[d->value].callee), "os.getpid");
}

/* if self._pid != os.getpid(): the branch that runs in a child that has been forked; NONE. */
static u32 child_block(const Plan *pl, u32 file, const Cond *c)
{
    Str head = str_slice(pl->p->facts[file]->source->text, c->head.start, c->head.end), left, right;
    static const char *const unequal[] = {" != ", " is not "}, *const equal[] = {" == ", " is "};
    for (u32 i = 0; i < 2 * COUNT_OF(equal); i++) {
        bool other = i < COUNT_OF(unequal);
        Str word = str_from(other ? unequal[i] : equal[i - COUNT_OF(unequal)]);
        size_t at = str_search(head, word);
        if (at == head.n) continue;
        left = str_trim(str_slice(head, 0, at));
        right = str_trim(str_slice(head, at + word.n, head.n));
        if (!gives_pid(pl, file, c->func, left) && !gives_pid(pl, file, c->func, right)) return NONE;
        return other ? c->then_block : c->else_block;
    }
    return NONE;
}

/* for manager in self.managers: manager.start(): of an object that is not known any method of that name may be meant.
 */
static void child_calls(Plan *pl, u32 file, u32 call)
{
    const LinkState *s = pl->p->state;
    const Facts *f = pl->p->facts[file];
    u32 targets[8], n = call_candidates(pl->p, file, call, targets, COUNT_OF(targets));
    for (u32 k = 0; k < n; k++) around_reach(pl, targets[k], FINAL_REACHED);
    if (n || !call_unknown(pl->p, file, call)) return;
    u32 name = intern_find(&pl->p->syms, call_last(f, &f->calls.v[call]));
    for (u32 at = name == NONE ? NONE : map_get(&s->method_names, name); at != NONE; at = s->method_list.v[at].next)
        around_reach(pl, s->method_list.v[at].def, FINAL_REACHED);
}

/* What is called in such branches. */
static void children_find(Plan *pl, u32 file)
{
    const Facts *f = pl->p->facts[file];
    if (intern_find(&f->syms, S("getpid")) == NONE) return;
    for (u32 k = 0; k < f->conds.n; k++) {
        u32 block = f->conds.v[k].loop || f->conds.v[k].is_try ? NONE : child_block(pl, file, &f->conds.v[k]);
        if (block == NONE) continue;
        const Func *fn = &f->funcs.v[f->conds.v[k].func];
        for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
            if (block_within(f, f->calls.v[i].block, block)) child_calls(pl, file, i);
        }
    }
}

/* Marks what runs around a fork: the functions that are registered first, then what they call, and what is called
 * where the process is found to be another one. */
static void around_find(Plan *pl)
{
    Vec(u32) handlers = {0};
    pl->around_fork = arena_new(pl->a, u8, pl->nfuncs + 1);
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        bool named = intern_find(&f->syms, S("after_in_child")) != NONE ||
                     intern_find(&f->syms, S("after_in_parent")) != NONE ||
                     intern_find(&f->syms, S("register_at_fork")) != NONE ||
                     intern_find(&f->syms, S("register_after_fork")) != NONE;
        for (u32 i = 0; named && i < f->calls.n; i++)
            for (u32 k = 0; k < f->calls.v[i].nargs; k++) {
                if (!fork_handler(pl, file, &f->calls.v[i], k)) continue;
                const Arg *a = &f->args.v[f->calls.v[i].args + k];
                Type t = a->kind == VAL_PATH ? path_type(pl->p, file, a->value) : (Type){0};
                if (t.kind == TYPE_FUNC) vec_push(pl->a, &handlers, t.id);
                if (a->kind == VAL_LAMBDA || a->kind == VAL_FUNC)
                    vec_push(pl->a, &handlers, gfunc_of(pl->p, file, a->value));
            }
    }
    for (u32 i = 0; i < handlers.n; i++) around_reach(pl, handlers.v[i], FINAL_REACHED);
    for (u32 file = 0; file < pl->p->nfiles; file++) children_find(pl, file);
    for (u32 i = 0; i < handlers.n; i++) pl->around_fork[handlers.v[i]] = FINAL_DIRECT;
}

/* Is the process asked for in the region, or stands it in the branch of another process? */
static bool in_child(const Plan *pl, const Region *r)
{
    const Facts *f = pl->p->facts[r->file];
    u32 act = r->access == NONE ? NONE : program_access(pl->p, r->access)->block;
    if (intern_find(&f->syms, S("getpid")) == NONE) return false;
    for (u32 k = 0; k < f->conds.n; k++) {
        const Cond *c = &f->conds.v[k];
        u32 block = c->func != r->func || c->loop || c->is_try ? NONE : child_block(pl, r->file, c);
        if (block != NONE && (span_within(c->head, r->span) || (act != NONE && block_within(f, act, block))))
            return true;
    }
    return false;
}

Verdict not_around_fork(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    if (!pl->around_fork) around_find(pl);
    u8 how = pl->around_fork[gfunc_of(pl->p, r->file, r->func)];
    if (how == FINAL_NO && in_child(pl, r)) how = FINAL_REACHED;
    if (how == FINAL_NO) return VERDICT_OK;
    u32 line, column;
    source_position(site_source(pl, r->file), r->span.start, &line, &column);
    *why =
        str_fmt(pl->a,
                "the code in line %u %s around a fork: in the child a lock that another thread held stays held for "
                "ever, and one that is given back before the fork protects nothing until it",
                line, how == FINAL_DIRECT ? "runs" : "may run");
    return how == FINAL_DIRECT ? VERDICT_DECLINE : VERDICT_UNSAFE;
}

static bool asks_for_fork(const Facts *f, const Call *c, Str name)
{
    if (!str_is(name, "multiprocessing.get_context") && !str_is(name, "multiprocessing.set_start_method"))
        return false;
    return c->nargs && str_contains(sym_str(f, f->args.v[c->args].text), S("fork"));
}

/* Processes are forked by default up to 3.13; from 3.14 on a server of its own forks them (its documentation). */
static bool is_fork(const Plan *pl, u32 file, const Call *c)
{
    static const char *const forks[] = {"os.fork", "os.forkpty", "pty.fork"};
    static const char *const pools[] = {"multiprocessing.Pool", "concurrent.futures.ProcessPoolExecutor"};
    const Facts *f = pl->p->facts[file];
    Str name = path_external(pl->p, file, c->callee);
    if (!name.n) return false;
    if (str_among(name, forks, COUNT_OF(forks))) return true;
    bool makes = known_function(name, AS_PROCESS) || str_among(name, pools, COUNT_OF(pools));
    if (makes) return pl->p->options->target < 14;
    return asks_for_fork(f, c, name);
}

/* A process that makes itself a daemon forks before its threads start, which would not come along. */
static bool leaves_session(const Plan *pl, u32 file, u32 func)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (str_is(path_external(pl->p, file, f->calls.v[i].callee), "os.setsid")) return true;
    return false;
}

/* Does something in sight get to the function? */
static bool reached(const Plan *pl, u32 file, u32 func)
{
    const FuncInfo *fi = &pl->p->funcs[gfunc_of(pl->p, file, func)];
    return func == 0 || fi->main || fi->nroots || fi->api || fi->import_time;
}

/* Files beside the program. */
static bool shown_only(Str path)
{
    return is_test_path(path) || is_example_path(path) || str_starts(path, S("benchmarks/")) ||
           str_contains(path, S("/benchmarks/"));
}

/* Functions that fork, marked for reach_from. */
static u32 mark_forkers(Plan *pl)
{
    u32 mark = ++pl->marks;
    for (u32 file = 0; file < pl->p->nfiles && !pl->forkers_known; file++) {
        const Facts *f = pl->p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++)
            if (is_fork(pl, file, &f->calls.v[i]))
                vec_push(pl->a, &pl->forkers, gfunc_of(pl->p, file, f->calls.v[i].func));
    }
    pl->forkers_known = true;
    for (u32 i = 0; i < pl->forkers.n; i++) pl->mark[pl->forkers.v[i]] = mark;
    return mark;
}

/* Does a section fork itself? It would then wait for its own lock. */
static bool section_forks(Plan *pl, const Region *r, u32 mark)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (r->span.start <= c->span.start && c->span.end <= r->span.end && is_fork(pl, r->file, c)) return true;
    }
    return reach_from(pl, r->file, r->func, r->span, mark) != REACH_NO;
}

/* May a new lock of the module for these works be taken around each fork? */
static bool hook_fits(Plan *pl, Work **works, u32 n, bool reentrant)
{
    if (!works_end_soon(pl, works, n)) return false;
    u32 mark = mark_forkers(pl);
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            if (r->problem.n || r->skip) continue;
            if (pl->finalizer[gfunc_of(pl->p, r->file, r->func)]) return false;
            if (!reentrant && section_forks(pl, r, mark)) return false;
        }
    return true;
}

/* Where the program forks; empty. */
static Str forks_where(Plan *pl)
{
    for (u32 file = 0; !pl->forks_known && file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        bool imports = false;
        for (u32 i = 0; i < f->imports.n; i++) {
            Str rest, top = str_cut(sym_str(f, f->imports.v[i].module), '.', &rest);
            imports |= str_is(top, "os") || str_is(top, "pty") || str_is(top, "multiprocessing") ||
                       str_is(top, "concurrent");
        }
        if (!imports || shown_only(f->source->path)) continue;
        for (u32 i = 0; i < f->calls.n && !pl->forks.n; i++) {
            const Call *c = &f->calls.v[i];
            bool forks = is_fork(pl, file, c) && !leaves_session(pl, file, c->func);
            if ((forks || minds_forks(pl, file, c)) && reached(pl, file, c->func))
                pl->forks = str_fmt(pl->a, "%.*s:%u %s", STR_ARG(f->source->path), c->line,
                                    forks ? "forks" : "is there for forks");
        }
        if (pl->forks.n) break;
    }
    pl->forks_known = true;
    return pl->forks;
}

void forks_mind(Plan *pl, Work **works, u32 n, LockPlan *l)
{
    Str forks = l->kind == PLACE_GLOBAL || l->kind == PLACE_CLASS_ATTR ? forks_where(pl) : S("");
    if (!forks.n) return;
    l->fork_hook = l->kind == PLACE_GLOBAL && hook_fits(pl, works, n, l->reentrant);
    const char *what = l->fork_hook ? "os.register_at_fork takes it meanwhile, so that the child finds it free"
                                    : "a child that is forked while another thread holds it would wait for ever: "
                                      "renew it there by os.register_at_fork";
    l->reason = str_fmt(pl->a, "%.*s; %.*s, and %s", STR_ARG(l->reason), STR_ARG(forks), what);
}
