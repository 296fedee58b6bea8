/* What must be made once only, whoever comes second. Of most things that are made on first use the second one takes
 * the first one's place, and nothing is lost: of 40 of those, read as maintainers would at high confidence, 2 were
 * true. Two locks exclude nobody; two threads both do the work, each with what only one was to have, and nobody waits
 * for the first.
 *
 * A thread that start() makes is another matter: that it is called once is what its user sees to. */
#include "races/races.h"

bool must_be_one(const Place *x)
{
    return x->is_lock || (x->type.kind >= TYPE_LOCK && x->type.kind <= TYPE_EVENT) || x->type.kind == TYPE_RWLOCK;
}

/* start, start_thread, run, open_connection, __enter__, onConnected, mainLoop: what a user calls once, or an event
 * does. */
static bool begins(Str name)
{
    static const char *const verbs[] = {"start", "run",  "open",   "connect", "begin", "launch", "spawn", "setup",
                                        "init",  "main", "listen", "serve",   "enter", "resume", "loop",  "on"};
    return str_first_word(name, verbs, COUNT_OF(verbs));
}

/* start_if_needed, ensure_started, maybe_connect: what many call, each to be sure of it. */
static bool makes_sure(Str name)
{
    static const char *const words[] = {"_if_", "ensure", "maybe", "needed", "necessary", "once"};
    return str_has_any(name, words, COUNT_OF(words));
}

/* self.running = True; Thread(target=self.run).start(), both because of the test: two would start it twice. */
static bool flag_of_start(const Program *p, u32 act, const Def *d)
{
    GId g = access_gid(p, act);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    if (d->kind != VAL_BOOL || p->funcs[access_func(p, act)].first_start == NONE) return false;
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        const Call *c = r->call == NONE || r->file != g.file ? NULL : &f->calls.v[r->call];
        if (c && c->func == a->func && c->block == a->block) return true;
    }
    return false;
}

bool starts_in_passing(const Program *p, const Race *r, const Place *x)
{
    if (r->rule != UG103 || r->act == NONE) return false;
    bool thread = x->type.kind == TYPE_THREAD || x->type.kind == TYPE_EXECUTOR;
    const Def *d = stored_def(p, r->act);
    const Facts *f = p->facts[access_gid(p, r->act).file];
    Str name = sym_str(f, f->funcs.v[program_access(p, r->act)->func].name);
    if (!d || (begins(name) && !makes_sure(name))) return false;
    return thread ? d->kind == VAL_CALL : flag_of_start(p, r->act, d);
}

/* Is it a statement of the module's body, in no branch? */
static bool runs_on_import(const Program *p, const CallEdge *e)
{
    const Facts *f = p->facts[e->file];
    return e->call != NONE && f->calls.v[e->call].func == 0 && f->calls.v[e->call].block == f->funcs.v[0].block;
}

bool made_by_import(const Finder *f, u32 act)
{
    const Place *x = &f->p->places.v[f->place];
    u32 maker = access_func(f->p, act);
    bool called = false;
    if (x->kind != PLACE_GLOBAL && x->kind != PLACE_CLASS_ATTR) return false;
    for (u32 i = f->called_first[maker]; i < f->called_first[maker + 1] && !called; i++) {
        const CallEdge *e = &f->p->edges.v[f->called[i]];
        called = !e->weak && e->file == x->file && runs_on_import(f->p, e);
    }
    for (u32 i = 0; i < f->nacc && called; i++) {
        u8 op = program_access(f->p, f->acc[i])->op;
        u32 func = access_func(f->p, f->acc[i]);
        bool body = func_gid(f->p, func).id == 0;
        if ((op == OP_STORE || op == OP_DEL) && func != maker && !body) return false;
    }
    return called;
}

/* Is the place bound while its module is imported, by the module's body, the class's, or a function that it calls? */
static bool bound_by_import(const Finder *f, const Place *x)
{
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = f->p->place_access.v[i];
        if (program_access(f->p, ga)->op != OP_STORE) continue;
        u32 maker = access_func(f->p, ga);
        if (func_gid(f->p, maker).id == 0) return true;
        for (u32 k = f->called_first[maker]; k < f->called_first[maker + 1]; k++) {
            const CallEdge *e = &f->p->edges.v[f->called[k]];
            if (!e->weak && runs_on_import(f->p, e)) return true;
        }
    }
    return false;
}

bool takes_early_locks(const Finder *f, const Race *r, const Place *x)
{
    if (r->rule != UG103 || r->act == NONE) return false;
    u32 cls = x->kind == PLACE_CLASS_ATTR ? x->owner : NONE;
    if (stores_object(f->p, r->act)) {
        u32 file = access_file(f->p, r->act);
        cls = path_type(f->p, file, f->p->facts[file]->calls.v[stored_def(f->p, r->act)->value].callee).id;
    }
    if (cls == NONE) return false;
    u32 takes = class_method_called(f->p, cls, S("acquire"));
    if (takes == NONE) takes = class_method_called(f->p, cls, S("__enter__"));
    for (u32 i = 0; i < f->p->places.n && takes != NONE; i++) {
        const Place *lock = &f->p->places.v[i];
        if (lock->kind == PLACE_CLASS_ATTR && lock->owner == cls && i != f->place && must_be_one(lock) &&
            bound_by_import(f, lock))
            return true;
    }
    return false;
}

/* Does a statement after the act, in its block, delete the state, or set it to None? */
static bool goes_after(const Program *p, u32 file, const Access *act, u32 k)
{
    const Facts *f = p->facts[file];
    const Access *a = &f->accesses.v[k];
    u8 root = f->paths.v[a->path].root;
    if (a->stmt <= act->stmt || a->block != act->block || a->path == act->path) return false;
    if (root != ROOT_GLOBAL && root != ROOT_SELF && root != ROOT_CLS) return false;
    const Def *d = a->op == OP_STORE ? stored_def(p, p->access_base[file] + k) : NULL;
    return a->op == OP_DEL || (d && d->kind == VAL_NONE);
}

bool uses_up(const Program *p, u32 test, u32 act)
{
    GId g = access_gid(p, act);
    const Facts *f = p->facts[g.file];
    const Access *made = &f->accesses.v[g.id], *t = program_access(p, test);
    const Func *fn = &f->funcs.v[made->func];
    if (made->op != OP_STORE || !made->func) return false;
    for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
        if (!goes_after(p, g.file, made, k)) continue;
        for (u32 i = fn->accesses; i < k; i++) {
            const Access *a = &f->accesses.v[i];
            bool before = a->span.start > t->span.end && a->stmt <= made->stmt;
            before &= block_within(f, a->block, made->block);
            if (before && a->path == f->accesses.v[k].path && a->op != OP_STORE && a->op != OP_DEL && !a->test)
                return true;
        }
    }
    return false;
}
