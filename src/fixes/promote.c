/* A lock that the program has and that must be taken twice: threading.Lock() becomes threading.RLock().
 *
 * Nothing but that makes room for a region whose caller holds the lock already, or which calls what takes it, or
 * where that may be, since code of others runs under the lock: a Lock would wait for itself there
 * (docs/memory-model.md). What runs twice under the RLock ran inside the same critical section before, so nobody sees
 * more of its half-done work than until now. Only where the lock is plain in every use: made once, by a call without
 * arguments; taken by `with`, or by acquire() in a function that also releases it, since only the thread that took an
 * RLock may release it; never handed on, never asked whether it is taken. Nor by acquire(blocking=False), or with a
 * timeout: who may give up there learns that somebody is inside, himself included, and an RLock would let him in.
 *
 * Planner "reentrant" does the same for a section that takes its own lock again (UG305). */
#include "fixes/fixes.h"

/* Is a region of the group run by, or does it lead to, code that holds the lock? */
static bool comes_twice(Plan *pl, Work **works, u32 n, const LockPlan *plan)
{
    u32 lock = plan->lock;
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            if (r->problem.n || takes_directly(pl, r->file, r->func, r->span, lock)) continue;
            if (region_guarded(pl, r, plan)) continue;
            if (reach_holding(pl, gfunc_of(pl->p, r->file, r->func), lock, false)) return true;
            if (reach_from(pl, r->file, r->func, r->span, mark_takers(pl, lock)) == REACH_YES) return true;
        }
    return false;
}

/* Does the function call this method of the lock's place? */
static bool calls_method(const Plan *pl, u32 file, u32 func, u32 place, const char *method)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        if (a->op == OP_METHOD && str_is(sym_str(f, a->method), method) &&
            pl->p->access_place[pl->p->access_base[file] + i] == place)
            return true;
    }
    return false;
}

static bool plain_use(Plan *pl, u32 gaccess, u32 place)
{
    GId g = access_gid(pl->p, gaccess);
    const Facts *f = pl->p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    if (a->op == OP_METHOD) {
        Str method = sym_str(f, a->method);
        if (str_is(method, "acquire")) return !a->nargs && calls_method(pl, g.file, a->func, place, "release");
        return str_is(method, "release") && calls_method(pl, g.file, a->func, place, "acquire");
    }
    const Ast *t = site_ast(pl, g.file);
    u32 n = ast_at(t, a->span);
    return t->v[n].start == a->span.start && t->v[n].end == a->span.end && ast_is(t, t->v[n].parent, NODE_with_item);
}

/* Is an attribute of that name used on an object that nobody knows? */
static bool used_elsewhere(const Plan *pl, Str name)
{
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        u32 sym = intern_find(&f->syms, name);
        for (u32 i = 0; sym != NONE && i < f->accesses.n; i++) {
            const Path *p = &f->paths.v[f->accesses.v[i].path];
            if (p->nattr && p->attr[p->nattr - 1] == sym && pl->p->access_place[pl->p->access_base[file] + i] == NONE)
                return true;
        }
    }
    return false;
}

/* Fills *file and *maker with the `threading.Lock` of the one call that makes the lock. */
static bool maker_find(Plan *pl, const Place *p, u32 *file, Span *maker)
{
    if (p->def == NONE) return false;
    *file = p->def_file;
    const Facts *f = pl->p->facts[*file];
    const Def *d = &f->defs.v[p->def];
    if (d->kind != VAL_CALL || f->calls.v[d->value].nargs) return false;
    const Call *c = &f->calls.v[d->value];
    if (!str_is(path_external(pl->p, *file, c->callee), "threading.Lock")) return false;
    const Ast *t = site_ast(pl, *file);
    u32 n = ast_at(t, c->span), fn = ast_is(t, n, NODE_call) ? ast_field(t, n, FIELD_function) : NONE;
    if (fn == NONE || t->v[n].start != c->span.start || t->v[n].end != c->span.end) return false;
    *maker = (Span){t->v[fn].start, t->v[fn].end};
    return true;
}

static bool promotable(Plan *pl, u32 lock)
{
    const Lock *l = &pl->p->locks.v[lock];
    if (l->kind != TYPE_LOCK || l->reentrant || l->place == NONE || l->func != NONE || l->hoped) return false;
    const Place *p = &pl->p->places.v[l->place];
    u32 file, stores = 0;
    Span maker;
    if (!maker_find(pl, p, &file, &maker)) return false;
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        bool store = program_access(pl->p, g)->op == OP_STORE;
        stores += store;
        if (stores > 1 || (!store && !plain_use(pl, g, l->place))) return false;
    }
    return stores == 1 && !used_elsewhere(pl, pl->p->syms.strs[p->name]);
}

bool lock_promote(Plan *pl, u32 plan, Work **works, u32 n, bool may)
{
    u32 lock = pl->out->locks.v[plan].lock;
    if (pl->out->locks.v[plan].reentrant || !promotable(pl, lock)) return false;
    bool sure = comes_twice(pl, works, n, &pl->out->locks.v[plan]);
    if (!sure && !may) return false;
    LockPlan *l = &pl->out->locks.v[plan];
    l->promoted = l->reentrant = true;
    l->plainly = l->reason;
    l->reason = str_fmt(pl->a, "%.*s; it becomes an RLock, since %s", STR_ARG(l->reason),
                        sure ? "code that holds it already leads there"
                             : "code that is not known here may lead from one of its sections to another");
    return true;
}

void promotion_settle(Plan *pl, u32 plan)
{
    LockPlan *l = &pl->out->locks.v[plan];
    if (!l->promoted) return;
    for (u32 i = 0; i < pl->out->fixes.n; i++)
        if (pl->out->fixes.v[i].lock == plan && !pl->out->fixes.v[i].declined) return;
    l->promoted = l->reentrant = false;
    l->reason = l->plainly;
}

void promotion_write(Plan *pl, Fix *f, u32 lock)
{
    u32 file;
    Span maker;
    if (!maker_find(pl, &pl->p->places.v[pl->p->locks.v[lock].place], &file, &maker)) BUG("no lock is made");
    Str old = str_slice(site_source(pl, file)->text, maker.start, maker.end);
    bool from = str_find(old, '.') == old.n;
    ImportRef type = import_ref(pl->a, pl->p->facts[file], site_ast(pl, file), S("threading"), S("RLock"), from);
    if (!type.have) intent_add(pl, f, INTENT_NEED_IMPORT, file, (Span){0}, type.statement, NONE);
    intent_add(pl, f, INTENT_REPLACE, file, maker, type.text, NONE);
}

bool plan_reentrant(Plan *pl, Work *w, const Page *page)
{
    u32 lock = pl->races->v[w->races.v[0]].lock;
    if (lock == NONE || !promotable(pl, lock)) {
        w->tried = S("the lock is not made once by a plain threading.Lock(), or used in a way that an RLock does not "
                     "allow, such as release() in another function");
        return false;
    }
    Fix *f = fix_add(pl, page, w);
    promotion_write(pl, f, lock);
    fix_caution(f, FIX_UNSAFE, S("what runs inside sees the state while the section around it is not finished"));
    w->done = true;
    return true;
}
