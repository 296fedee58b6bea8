/* Findings in which the other thread is only imagined. "Any thread of a program that uses this code" stands for
 * users whom we do not see; how far it is to be believed depends on what else is known. Of state of modules it is,
 * since all who use the module have it; of objects only where something shows that two users have the same one. Here
 * is where that is too little, by what was read (tests/readings.md): such findings become low.
 *
 * Needs the places' evidence, the roots and the call edges. A walk of a shared object is left alone, since it raises
 * where others go by an old value, and so is what a lock guards elsewhere: whoever wrote that thought of two threads.
 */
#include "races/races.h"

static bool step(RuleId rule)
{
    return rule == UG101 || rule == UG102 || rule == UG103 || rule == UG104;
}

/* Does code in sight that no thread runs call the function? */
static bool called_beside(const Finder *f, u32 gfunc)
{
    const Program *p = f->p;
    for (u32 i = f->called_first[gfunc]; i < f->called_first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[f->called[i]];
        const FuncInfo *caller = &p->funcs[e->caller];
        if (!e->weak && !caller->threads && !caller->construct && !p->tests[e->file]) return true;
    }
    return false;
}

/* The same thread in sight runs both sides, one at a time, and beside it are unknown callers only: of an object that
 * was given to one thread nothing shows that anybody else goes on using it. Of 230 such findings in 149 repositories
 * two were races that were fixed; of ten that were read none was worth a change. */
static bool one_thread_in_sight(const Finder *f, const Race *r, const Place *x)
{
    const Program *p = f->p;
    if (!step(r->rule) || r->nsites < 2 || x->evidence & (EV_SINGLETON | EV_MODULE | EV_NAME)) return false;
    return threads_reach(p, r->sites[0]) && threads_reach(p, r->sites[1]) &&
           !threads_visible(p, r->sites[0], r->sites[1]) && !threads_started_again(p, r->sites[0], r->sites[1]) &&
           !called_beside(f, access_func(p, r->sites[0])) && !called_beside(f, access_func(p, r->sites[1]));
}

/* Does the thread of an event loop come to the access, and no other thread in sight? */
static bool loop_only(const Program *p, u32 ga)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    for (u32 i = 0; i < fi->nroots; i++)
        if (!root_is_loop(&p->roots.v[fi->roots[i]])) return false;
    return fi->nroots > 0;
}

/* What is handed to an event loop is code of that loop, as the unknown callers of it mostly are. */
static bool beside_loop(const Program *p, const Race *r)
{
    u32 a = r->sites[0], b = r->nsites < 2 ? a : r->sites[1];
    if (loop_only(p, a) && loop_only(p, b)) return true; /* of one loop, as far as can be seen */
    return (loop_only(p, a) || loop_only(p, b)) && !threads_visible(p, a, b);
}

/* Is a method of the object's class the thread that comes to the access, Thread(target=self.watch), and runs no event
 * loop itself? With `loops`, be it that it does. */
static bool of_own_thread(const Program *p, u32 ga, u32 owner, bool loops)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    u32 coming = roots_coming(p, ga);
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        if (!(coming & 1u << i) || r->func == NONE || r->main || root_is_loop(r) || r->awaited) continue;
        GId g = func_gid(p, r->func);
        u32 cls = p->facts[g.file]->funcs.v[g.id].self_class;
        if (cls == NONE || (r->runs_loop && !loops)) continue;
        cls += p->class_base[g.file];
        if (class_is_a(p, cls, owner) || class_is_a(p, owner, cls)) return true;
    }
    return false;
}

/* Is it code of a loop, and of no thread that we see: whoever runs the loop is another one than that? */
static bool of_some_loop(const Program *p, u32 ga)
{
    return p->funcs[access_func(p, ga)].event_loop && !threads_reach(p, ga);
}

bool race_own_thread(const Finder *f, const Race *r, const Place *x)
{
    const Program *p = f->p;
    u32 a = r->sites[0], b = r->nsites < 2 ? a : r->sites[1];
    if (x->kind != PLACE_INSTANCE || x->owner == NONE) return false;
    if (of_some_loop(p, b) && of_own_thread(p, a, x->owner, false)) return true;
    if (of_some_loop(p, a) && of_own_thread(p, b, x->owner, false)) return true;
    if (!threads_visible(p, a, b)) return false;
    return of_own_thread(p, a, x->owner, true) || of_own_thread(p, b, x->owner, true);
}

/* Whose threads come to the access, as far as they are in sight: only those that a coroutine waits for? */
static bool awaited_only(const Program *p, u32 ga)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    for (u32 i = 0; i < fi->nroots; i++)
        if (!p->roots.v[fi->roots[i]].awaited) return false;
    return true;
}

/* await to_thread(parser.finish): the coroutine stands still while another thread has its object, so that two threads
 * have it only when two coroutines do. Of 24 such findings none was a race that was fixed. */
static bool of_one_coroutine(const Program *p, const Race *r, const Place *x)
{
    u32 a = r->sites[0], b = r->nsites < 2 ? a : r->sites[1];
    u32 shared = EV_SINGLETON | EV_MODULE | EV_NAME | EV_PURPOSE | EV_PART;
    if (x->evidence & (class_only_tasks(p, x->owner) ? shared : shared | EV_CLASS_LOCKS)) return false;
    return (threads_reach(p, a) || threads_reach(p, b)) && awaited_only(p, a) && awaited_only(p, b);
}

static bool no_thread_in_sight(const Program *p, const Race *r)
{
    return !threads_reach(p, r->sites[0]) && (r->nsites < 2 || !threads_reach(p, r->sites[1]));
}

/* Does the main program in sight come to one of the sides, on its own way? */
static bool main_comes(const Program *p, const Race *r)
{
    for (u32 i = 0; i < MIN(r->nsites, 2u); i++)
        if (p->funcs[access_func(p, r->sites[i])].main) return true;
    return false;
}

/* State that a coroutine uses is the event loop's, and so are the plain functions beside it that nobody is seen to
 * call from a thread; not where some objects are a loop's and others are not. Of 77 such findings in 240 repositories
 * none was a race that was fixed. */
static bool of_loops(Finder *f, const Place *x)
{
    if (x->signs & SIGN_BOTH) return false;
    if (f->loops_at == f->place) return f->loops;
    f->loops_at = f->place;
    f->loops = false;
    for (u32 i = 0; i < f->nacc && !f->loops; i++)
        f->loops = access_counts(f->p, f->acc[i]) && f->p->funcs[access_func(f->p, f->acc[i])].event_loop;
    return f->loops;
}

/* An object whose class has a lock or a thread for something else, and no thread in sight that comes to the state:
 * tests and changes are low, and so are updates that the main program is seen to do, also of an object that a global
 * holds. Of 20 such findings that were read none was true. What an object that a global holds is tested for and then
 * changed stays: of 148 such findings in the trees of all rows two were races that were fixed and are found by
 * nothing else. */
static bool kept_or_locking(const Program *p, const Race *r, const Place *x)
{
    if (place_holds_thread(p, x) || must_be_one(x)) return false;
    if (x->evidence & (EV_NAME | EV_PURPOSE | EV_ONE)) return false;
    bool used = r->act == NONE || !(access_effect(p, r->act) & EFFECT_WRITE); /* tested and used: it can raise */
    bool update = r->rule == UG101 || (r->rule == UG102 && r->act != NONE && program_access(p, r->act)->op == OP_AUG);
    if (r->rule == UG102 && !update) return !used && !(x->evidence & EV_SINGLETON);
    return update && main_comes(p, r); /* a test before an update makes it no better */
}

/* Does any thread in sight come to the state? */
static bool untouched(const Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++)
        if (access_counts(f->p, f->acc[i]) && threads_reach(f->p, f->acc[i])) return false;
    return true;
}

/* The class has threads for something, and no lock; none of them comes to this state, which is there for whoever has
 * the object. Not so where the class says that threads share its objects, and for the thread that it keeps. Of 40
 * such findings in the trees of the rows none was a race that was fixed. */
static bool beside_its_threads(const Finder *f, const Race *r, const Place *x)
{
    bool taken = r->rule == UG201 || r->rule == UG203;
    if ((!step(r->rule) && !taken) || x->owner == NONE || place_holds_thread(f->p, x)) return false;
    if (x->evidence & (EV_SINGLETON | EV_PURPOSE) || (r->rule == UG103 && x->signs & SIGN_FINAL)) return false;
    return class_only_threads(f->p, x->owner) && untouched(f);
}

bool race_imagined(Finder *f, const Race *r, const Place *x)
{
    const Program *p = f->p;
    if (x->evidence & (EV_GUARDED | EV_DECORATOR) || r->by_shape) return false;
    if (no_thread_in_sight(p, r) && x->file != NONE && of_loops(f, x))
        return true; /* not of sys.modules, which all use */
    if (x->kind != PLACE_INSTANCE) return false;
    if (of_one_coroutine(p, r, x)) return true;
    if (beside_loop(p, r)) return true;
    if (!no_thread_in_sight(p, r)) return one_thread_in_sight(f, r, x);
    return kept_or_locking(p, r, x) || beside_its_threads(f, r, x);
}
