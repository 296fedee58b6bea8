/* Which lock guards a set of places, whether it must be reentrant, and where it lives.
 *
 * Order of choice: the lock that is held at most accesses already; a lock that guards other fields of the
 * same object, unless it is called after one of them; a new one beside the state (home.c). It is an RLock when what
 * it guards can come back to itself, and where that is not known (comeback.c). */
#include "fixes/fixes.h"

static const Place *work_place(const Plan *pl, const Work *w)
{
    return &pl->p->places.v[w->place];
}

static Str place_name(const Plan *pl, const Place *p)
{
    return pl->p->syms.strs[p->name];
}

/* ---- existing locks ---- */

/* May the lock be used in a plain with statement? A table of locks may not. */
static bool lock_usable(const Lock *l)
{
    if (l->keyed) return false;
    return l->kind == TYPE_LOCK || l->kind == TYPE_RLOCK || l->kind == TYPE_CONDITION ||
           (l->kind == TYPE_UNKNOWN && l->maybe);
}

u32 race_lock(const Plan *pl, const Work *w)
{
    for (u32 i = 0; i < w->races.n; i++)
        if (pl->races->v[w->races.v[i]].lock != NONE && pl->races->v[w->races.v[i]].rule != UG301)
            return pl->races->v[w->races.v[i]].lock;
    return NONE;
}

static bool same_owner(const Place *a, const Place *b)
{
    return a->owner == b->owner && a->owner != NONE && a->kind <= PLACE_INSTANCE && b->kind <= PLACE_INSTANCE;
}

/* The places that have a guard are few. */
static void guarded_list(Plan *pl)
{
    if (pl->guarded.cap) return;
    for (u32 i = 0; i < pl->p->places.n; i++)
        if (pl->p->places.v[i].guard != NONE) vec_push(pl->a, &pl->guarded, i);
}

/* Does the lock guard two places at least? */
static bool guards_several(Plan *pl, u32 lock)
{
    u32 n = 0;
    guarded_list(pl);
    for (u32 i = 0; i < pl->guarded.n && n < 2; i++) n += pl->p->places.v[pl->guarded.v[i]].guard == lock;
    return n >= 2;
}

/* Is the lock held at an access of the place? */
static bool held_at(const Plan *pl, const Place *p, u32 lock)
{
    for (u32 i = p->first; i < p->first + p->n; i++)
        if (lockset_has(pl->p, pl->p->access_locks[pl->p->place_access.v[i]], lock)) return true;
    return false;
}

/* Does a region of the work run code of others? A lock that is there for other things is none to be held then. */
static bool runs_others(Plan *pl, const Work *w)
{
    for (u32 i = 0; i < w->regions.n; i++) {
        const Region *r = &w->regions.v[i];
        if (r->problem.n || r->skip || r->copy.n || r->taken) continue;
        if (reach_open(pl, r->file, r->func, r->span)) return true;
    }
    return false;
}

bool lock_stranger(Plan *pl, const Work *w, u32 plan)
{
    const LockPlan *l = &pl->out->locks.v[plan];
    if (!l->existing || race_lock(pl, w) == l->lock || work_place(pl, w)->declared_guard == l->lock) return false;
    return !held_at(pl, work_place(pl, w), l->lock) && runs_others(pl, w);
}

static bool all_run_others(Plan *pl, Work **works, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (!runs_others(pl, works[i])) return false;
    return true;
}

/* What a lock's name says that it is for: users, of _users_lock and lock_users; empty. */
static Str lock_subject(Str name)
{
    static const char *const ends[] = {"_lock", "_rlock", "_mutex", "_guard", "_cond", "_condition"};
    for (u32 i = 0; i < COUNT_OF(ends); i++)
        if (str_ends(name, str_from(ends[i]))) return str_slice(name, 0, name.n - strlen(ends[i]));
    return str_starts(name, S("lock_")) ? str_slice(name, 5, name.n) : S("");
}

/* _users_lock, which guards users, or with them what is called after them: its name says what it is for, and that it
 * is for nothing else. */
static bool named_for_another(Plan *pl, u32 lock, const Place *p)
{
    Str subject = lock_subject(state_word(place_name(pl, &pl->p->places.v[pl->p->locks.v[lock].place])));
    if (!subject.n) return false;
    Str stem = str_ends(subject, S("s")) ? str_slice(subject, 0, subject.n - 1) : subject;
    if (str_starts(state_word(place_name(pl, p)), stem)) return false;
    for (u32 i = 0; i < pl->guarded.n; i++) {
        const Place *q = &pl->p->places.v[pl->guarded.v[i]];
        if (q->guard == lock && str_eq(state_word(place_name(pl, q)), subject)) return true;
    }
    return false;
}

/* The lock of the same object that guards most of its other fields. One of the class that guards what the class has
 * is not for what each object has, a condition for one thing is not for others, and one that somebody holds while he
 * waits or sends would make whoever only counts wait, too. Where code of others would run under it, only one that is
 * held somewhere for the state. */
static u32 sibling_lock(Plan *pl, Work **works, u32 n)
{
    const Place *p = work_place(pl, works[0]);
    u32 best = NONE, most = 0;
    bool others = all_run_others(pl, works, n);
    guarded_list(pl);
    for (u32 i = 0; i < pl->guarded.n; i++) {
        const Place *q = &pl->p->places.v[pl->guarded.v[i]];
        if (!same_owner(p, q) || q->guarded <= most) continue;
        const Lock *l = &pl->p->locks.v[q->guard];
        if (l->place == NONE || !lock_usable(l) || !same_owner(&pl->p->places.v[l->place], p)) continue;
        u8 kind = pl->p->places.v[l->place].kind;
        if (p->kind == PLACE_CLASS_ATTR && kind == PLACE_INSTANCE) continue;
        if (p->kind == PLACE_INSTANCE && kind == PLACE_CLASS_ATTR && q->kind == PLACE_CLASS_ATTR) continue;
        if (l->kind == TYPE_CONDITION && !guards_several(pl, q->guard)) continue;
        if (!lock_quiet(pl, q->guard)) continue;
        if (named_for_another(pl, q->guard, p) && !held_at(pl, p, q->guard)) continue;
        if (others && !held_at(pl, p, q->guard)) {
            for (u32 k = 0; k < n; k++) works[k]->runs_others = true;
            continue;
        }
        best = q->guard;
        most = q->guarded;
    }
    return best;
}

static u32 lock_add(Plan *pl, LockPlan l)
{
    vec_push(pl->a, &pl->out->locks, l);
    return pl->out->locks.n - 1;
}

/* Can whoever holds the lock take it again, whatever the program's users make of it? A lock that is given, to
 * __init__ or by set_lock(), may be a plain one, and so may be what only sounds like a lock. */
static bool stays_reentrant(const Plan *pl, const Lock *l)
{
    if (!l->reentrant || l->place == NONE || l->kind == TYPE_UNKNOWN) return false;
    const LinkState *s = pl->p->state;
    for (u32 at = map_get(&s->place_defs, l->place); at != NONE; at = s->defrefs.v[at].next) {
        const Facts *f = pl->p->facts[s->defrefs.v[at].file];
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        if (d->kind == VAL_PATH && f->paths.v[d->value].root == ROOT_PARAM) return false;
    }
    return true;
}

static u32 existing_plan(Plan *pl, const Work *w, u32 lock, Str reason)
{
    for (u32 i = 0; i < pl->out->locks.n; i++)
        if (pl->out->locks.v[i].existing && pl->out->locks.v[i].lock == lock) return i;
    const Lock *l = &pl->p->locks.v[lock];
    LockPlan plan = {.existing = true,
                     .reentrant = stays_reentrant(pl, l),
                     .lock = lock,
                     .display = l->display,
                     .reason = reason,
                     .place = w->place,
                     .owner = NONE,
                     .kind = PLACE_GLOBAL,
                     .name = l->display};
    if (l->place != NONE) {
        const Place *lp = &pl->p->places.v[l->place];
        plan.kind = lp->kind;
        plan.file = lp->file;
        plan.owner = lp->owner;
        plan.name = place_name(pl, lp);
    }
    return lock_add(pl, plan);
}

/* Does the region stand in a method that Python calls for attributes of the object? Any use of one inside may call it
 * again. */
static bool serves_attributes(const Plan *pl, const Region *r)
{
    static const char *const names[] = {"__getattr__", "__getattribute__", "__setattr__", "__delattr__"};
    const Facts *f = pl->p->facts[r->file];
    return str_among(sym_str(f, f->funcs.v[r->func].name), names, COUNT_OF(names));
}

/* The works, and those that were planned with the same existing lock before; *n becomes their number. */
static Work **works_under(Plan *pl, Work **works, u32 *n, u32 plan)
{
    Work **all = arena_new(pl->a, Work *, *n + pl->works.n + 1);
    memcpy(all, works, *n * sizeof *works);
    for (u32 i = 0; i < pl->works.n; i++)
        if (pl->works.v[i].guarded && pl->works.v[i].lock == plan) all[(*n)++] = &pl->works.v[i];
    return all;
}

/* Marks the functions with a guarded region of the group. */
static u32 mark_regions(Plan *pl, Work **works, u32 n)
{
    u32 mark = ++pl->marks;
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            if (!r->skip && !r->problem.n) pl->mark[gfunc_of(pl->p, r->file, r->func)] = mark;
        }
    return mark;
}

/* May a guarded region come back to one of the same group? */
static Reach comes_back(Plan *pl, Work **works, u32 n)
{
    u32 mark = mark_regions(pl, works, n);
    Reach worst = REACH_NO;
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            if (r->skip || r->problem.n) continue;
            Reach reach = reach_from(pl, r->file, r->func, r->span, mark);
            if (reach == REACH_NO && reach_open(pl, r->file, r->func, r->span)) reach = REACH_UNKNOWN;
            worst = MAX(worst, reach);
        }
    return worst;
}

/* The same, and anything that is not known to call nothing back counts as well. */
static bool comes_back_unknown(Plan *pl, Work **works, u32 n)
{
    u32 mark = mark_regions(pl, works, n);
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            if (!r->skip && !r->problem.n && comes_back_maybe(pl, r->file, r->func, r->span, mark)) return true;
        }
    return false;
}

/* One lock for all objects of a class, in its body or in the module, and state that holds more than a number:
 * whatever takes an object's entry, be it the hash of a key or a finalizer of what is dropped, may well use another
 * object of the class. */
static bool shared_by_objects(const Plan *pl, const Work *w, const LockPlan *l)
{
    const Place *p = work_place(pl, w);
    return (l->kind == PLACE_CLASS_ATTR || l->kind == PLACE_GLOBAL) && p->kind == PLACE_INSTANCE &&
           p->type.kind != TYPE_NUMBER && p->type.kind != TYPE_STRING;
}

static bool needs_rlock(Plan *pl, Work **works, u32 n, const LockPlan *l)
{
    for (u32 i = 0; i < n; i++)
        if (shared_by_objects(pl, works[i], l)) return true;
    for (u32 i = 0; i < n; i++)
        if (str_is(place_name(pl, work_place(pl, works[i])), "<items>")) return true; /* __missing__ */
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            if (!r->problem.n && pl->finalizer[gfunc_of(pl->p, r->file, r->func)] && !final_own(pl, works[i], r))
                return true;
            if (!r->skip && !r->problem.n && serves_attributes(pl, r)) return true;
        }
    return comes_back(pl, works, n) != REACH_NO || comes_back_unknown(pl, works, n);
}

/* ---- a new lock ---- */

/* Gets the class, or has it, other locks as well? Then `_lock` says nothing. */
static bool has_others(const Plan *pl, Work **works, const LockPlan *l)
{
    for (u32 i = 0; i < pl->out->locks.n; i++) {
        const LockPlan *o = &pl->out->locks.v[i];
        if (o->owner == l->owner && (o->kind == PLACE_INSTANCE || o->kind == PLACE_CLASS_ATTR)) return true;
    }
    for (u32 i = 0; i < pl->works.n; i++) {
        const Work *w = &pl->works.v[i];
        if (!w->page || w->group == works[0]->group || w->place == NONE) continue;
        const Place *p = work_place(pl, w);
        if (p->owner == l->owner && (p->kind == PLACE_INSTANCE || p->kind == PLACE_CLASS_ATTR)) return true;
    }
    for (u32 i = 0; i < pl->p->locks.n; i++) {
        if (pl->p->locks.v[i].place == NONE) continue;
        const Place *p = &pl->p->places.v[pl->p->locks.v[i].place];
        if (p->owner == l->owner && (p->kind == PLACE_INSTANCE || p->kind == PLACE_CLASS_ATTR)) return true;
    }
    return false;
}

static Str scope_display(Plan *pl, const Place *p, const LockPlan *l)
{
    Str name = l->name, module = l->kind == PLACE_GLOBAL ? pl->p->facts[l->file]->source->module : S("");
    bool own_scope = p->kind != PLACE_GLOBAL || str_contains(pl->p->syms.strs[p->name], S(".")); /* f.calls */
    if (module.n && own_scope) return str_fmt(pl->a, "%.*s.%.*s", STR_ARG(module), STR_ARG(name));
    Str state = str_slice(p->display, 0, str_find(p->display, '['));
    size_t dot = str_rfind(state, '.');
    return dot == state.n ? name : str_fmt(pl->a, "%.*s.%.*s", (int)dot, state.p, STR_ARG(name));
}

/* Has the program a module of its own called threading, which any import of it would find first? */
static bool own_threading(Plan *pl)
{
    if (!pl->own_threading) {
        pl->own_threading = 1;
        for (u32 i = 0; i < pl->p->nfiles; i++)
            if (str_is(pl->p->facts[i]->source->module, "threading") && !name_used(pl->p->facts[i], S("RLock")))
                pl->own_threading = 2;
    }
    return pl->own_threading == 2;
}

/* A function's container that objects of a class have by its name: their methods do not see a variable of the
 * function. Where one module holds all that must take the lock, it is the module's. */
static void beside_users(Plan *pl, Work **works, u32 n, LockPlan *l)
{
    u32 file = NONE;
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            if (encloses(pl, l->owner, r) || (file != NONE && file != r->file)) return;
            file = r->file;
        }
    if (file == NONE) return;
    l->kind = PLACE_GLOBAL;
    l->file = file;
    l->reason = S("one lock in the module, because others have what the function's variable holds");
}

static u32 new_lock(Plan *pl, Work **works, u32 n, Str *why)
{
    if (own_threading(pl)) {
        *why = S("the program has a module of its own that is called threading, and locks cannot be imported");
        return NONE;
    }
    const Place *p = work_place(pl, works[0]);
    LockPlan l = {.lock = NONE, .place = works[0]->place, .reason = S("no lock guards this state yet")};
    if (!lock_home(pl, p, &l, why)) return NONE;
    if (l.kind == PLACE_CLOSURE) beside_users(pl, works, n, &l);
    while (pl->p->places.v[l.place].of != NONE) l.place = pl->p->places.v[l.place].of; /* beside the container */
    Str state = place_name(pl, p);
    if (p->kind == PLACE_DEFAULT && p->owner != NONE) {
        GId f = func_gid(pl->p, p->owner);
        state = str_fmt(pl->a, "%.*s_%.*s",
                        STR_ARG(sym_str(pl->p->facts[f.file], program_func(pl->p, p->owner)->name)), STR_ARG(state));
    }
    bool of_class = l.kind == PLACE_INSTANCE || l.kind == PLACE_CLASS_ATTR;
    l.name = lock_new_name(pl, &l, state, n > 1 && !(of_class && has_others(pl, works, &l)));
    l.display = scope_display(pl, p, &l);
    l.reentrant = needs_rlock(pl, works, n, &l);
    if (n > 1) l.reason = str_fmt(pl->a, "%.*s; one lock for state that changes together", STR_ARG(l.reason));
    forks_mind(pl, works, n, &l);
    return lock_add(pl, l);
}

/* ---- choosing ---- */

/* Is a lock that guards some of the accesses the state's lock: one that writers take, or most of all? */
static bool guards_really(const Plan *pl, const Place *p)
{
    if (p->guarded * 2 >= p->total) return true;
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        if (access_writes(pl->p, g) && lockset_has(pl->p, pl->p->access_locks[g], p->guard)) return true;
    }
    return false;
}

/* Can every region that must be guarded name the lock and take it? */
static bool lock_fits(Plan *pl, Work **works, u32 n, u32 plan, Str *why)
{
    const LockPlan l = pl->out->locks.v[plan];
    if (!lock_usable(&pl->p->locks.v[l.lock])) {
        *why = str_fmt(pl->a, "%.*s guards it, but is no plain lock that a with statement could take",
                       STR_ARG(l.display));
        return false;
    }
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            Region r = works[i]->regions.v[k];
            Fix draft = {0};
            if (!r.race || r.problem.n) continue;
            if (!lock_expression(pl, plan, works[i], &r, &draft, why)) return false;
            if (takes_directly(pl, r.file, r.func, r.span, l.lock)) continue; /* its sections may become one */
            if (judgement_find(S("lock-not-held"))->judge(pl, works[i], &r, &l, why) == VERDICT_DECLINE) return false;
            if (holder_waits(pl, works[i], &r, &l, why) != VERDICT_OK) return false;
        }
    if (l.reentrant) return true;
    works = works_under(pl, works, &n, plan);
    if (comes_back(pl, works, n) != REACH_YES) return true;
    *why = str_fmt(pl->a, "one of its critical sections would lead to another, and %.*s cannot be taken twice",
                   STR_ARG(l.display));
    return false;
}

/* May a region be entered by whoever holds the lock already? Not where it runs code of others itself: an RLock is no
 * cure where that waits for another thread. */
static bool may_come_twice(Plan *pl, Work **works, u32 n, u32 plan)
{
    const LockPlan l = pl->out->locks.v[plan];
    bool may = false;
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            Str why;
            if (r->problem.n || r->copy.n || r->taken || takes_directly(pl, r->file, r->func, r->span, l.lock))
                continue;
            if (region_guarded(pl, r, &l)) continue; /* nothing is taken there */
            if (judgement_find(S("lock-not-held"))->judge(pl, works[i], r, &l, &why) == VERDICT_OK) continue;
            if (runs_unknown(pl, r)) return false;
            may = true;
        }
    return may;
}

/* The same, and where that makes it fit, or fit for sure, the lock becomes an RLock. */
static bool lock_fits_taken(Plan *pl, Work **works, u32 n, u32 plan, Str *why)
{
    bool fits = lock_fits(pl, works, n, plan, why);
    bool may = fits && !pl->out->locks.v[plan].reentrant && may_come_twice(pl, works, n, plan);
    if ((!fits || may) && lock_promote(pl, plan, works, n, may)) fits = lock_fits(pl, works, n, plan, why);
    return fits;
}

/* The same of a lock that guards other fields. One that is held over code of others, which might come back, is not
 * made an RLock for a state that has nothing to do with it: that code may take long, too. */
static bool sibling_fits(Plan *pl, Work **works, u32 n, u32 plan, Str *why)
{
    if (!pl->out->locks.v[plan].reentrant && lock_fits(pl, works, n, plan, why) &&
        may_come_twice(pl, works, n, plan)) {
        *why = str_fmt(pl->a, "code of others runs while %.*s is held; it may take long, or come back",
                       STR_ARG(pl->out->locks.v[plan].display));
        return false;
    }
    return lock_fits_taken(pl, works, n, plan, why);
}

/* The first lock among those that the group's findings, comments or accesses name. */
static u32 named_lock(const Plan *pl, Work **works, u32 n, const char **reason, bool *must)
{
    *must = true;
    *reason = "the finding names it";
    for (u32 i = 0; i < n; i++)
        if (race_lock(pl, works[i]) != NONE) return race_lock(pl, works[i]);
    *reason = "a guarded-by comment names it";
    for (u32 i = 0; i < n; i++)
        if (work_place(pl, works[i])->declared_guard != NONE) return work_place(pl, works[i])->declared_guard;
    *must = false;
    *reason = "it is held at most other accesses of the state";
    for (u32 i = 0; i < n; i++) {
        const Place *p = work_place(pl, works[i]);
        if (p->guard == NONE || pl->p->locks.v[p->guard].func != NONE || !guards_really(pl, p)) continue;
        *must = pl->p->locks.v[p->guard].keyed; /* which one of them, the state does not tell */
        return p->guard;
    }
    return NONE;
}

/* What was weighed in place of the lock that the works get. */
static void weighed(Plan *pl, Work **works, u32 n, Str what, Str why)
{
    for (u32 i = 0; i < n; i++) alternative_add(pl, works[i], what, why);
}

/* The new lock, told apart from what it might have been. */
static u32 new_weighed(Plan *pl, Work **works, u32 n, Str *why)
{
    u32 plan = new_lock(pl, works, n, why);
    if (plan == NONE) return plan;
    const LockPlan *l = &pl->out->locks.v[plan];
    if (l->kind == PLACE_CLASS_ATTR && work_place(pl, works[0])->kind == PLACE_INSTANCE)
        weighed(pl, works, n, S("a lock for each object, made in __init__"), l->reason);
    return plan;
}

void lock_settle(Plan *pl, u32 plan, Work **works, u32 n)
{
    LockPlan *l = &pl->out->locks.v[plan];
    if (l->existing) return;
    l->reentrant = l->reentrant && needs_rlock(pl, works, n, l);
    if (l->reentrant)
        weighed(pl, works, n, S("a Lock in place of the RLock"),
                S("what runs under it may come back to it, or that is not known; a Lock would then wait for itself"));
    else
        weighed(pl, works, n, S("an RLock in place of the Lock"),
                S("nothing that runs under it comes back to it, and an RLock takes a third longer (152 against 118 "
                  "ns)"));
}

u32 lock_choose(Plan *pl, Work **works, u32 n, Str *why)
{
    const char *reason;
    bool must;
    Str no = S("");
    u32 lock = named_lock(pl, works, n, &reason, &must);
    if (lock != NONE) {
        if (lock_absent(pl, lock)) {
            *why = str_fmt(pl->a, "%.*s guards it, and may be None", STR_ARG(pl->p->locks.v[lock].display));
            return NONE;
        }
        u32 plan = existing_plan(pl, works[0], lock, str_from(reason));
        bool fits = lock_fits_taken(pl, works, n, plan, &no);
        if (fits || (must && lock_usable(&pl->p->locks.v[lock]))) {
            weighed(pl, works, n, S("a new lock"), S("two locks for one piece of state exclude nobody"));
            return plan;
        }
        if (must) {
            *why = no;
            return NONE;
        }
        weighed(pl, works, n, pl->p->locks.v[lock].display, no);
    }
    u32 sibling = sibling_lock(pl, works, n);
    if (sibling != NONE && sibling != lock && !lock_absent(pl, sibling)) {
        u32 plan = existing_plan(pl, works[0], sibling, S("it guards other fields of the same object"));
        bool fits = sibling_fits(pl, works, n, plan, &no);
        if (fits) {
            weighed(pl, works, n, S("a new lock"), S("one lock for the fields of an object keeps them in step"));
            return plan;
        }
        weighed(pl, works, n, pl->p->locks.v[sibling].display, no);
    }
    return new_weighed(pl, works, n, why);
}
