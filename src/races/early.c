/* UG103 about a flag that says that work is done before it is:
 *
 *   def _ensure_loaded(self):
 *       with self._lock:
 *           if self._loaded:
 *               return                        # another thread leaves here, and goes on
 *           self._loaded = True
 *       self._rules = read_rules()            # without the rules
 *
 * The lock sees to it that the work is done once, not that it is done when somebody relies on it. A flag that is set
 * last, while the lock is still held, says the truth. Who only wants the work not to be done twice, as close() does,
 * loses nothing: it takes a function that calls this one and then uses what the work makes.
 *
 * Who tests the flag without the lock is no better off when the lock is held until the work is done:
 *
 *   if not _done:                  def _read():
 *       _read()                        with _lock:
 *   return _types.get(name)                if not _done:
 *                                              _done = True
 *                                              _types.update(read())
 *
 * Nor is he without any lock: of two that call at once, the second finds the flag set.
 *
 * Needs the accesses of one place, the flag. The finding names no place to the fixes: the cure is another order of
 * the statements. */
#include "races/races.h"

/* Does the access store True, in a function that begins something? What is closed is closed at once for all. */
static bool raises_flag(const Program *p, u32 ga)
{
    const Def *d = stored_def(p, ga);
    const Access *a = program_access(p, ga);
    const Facts *x = p->facts[access_file(p, ga)];
    return a->op == OP_STORE && d && d->kind == VAL_BOOL && !winds_up(x, &x->funcs.v[a->func]) &&
           str_starts(str_slice(x->source->text, a->span.end, x->source->text.n), S(" = True"));
}

/* The critical section that holds both the test and the act; NULL. */
static const Section *claim_section(const Program *p, u32 test, u32 act)
{
    u32 file = access_file(p, act);
    const Facts *x = p->facts[file];
    const Access *t = program_access(p, test), *a = program_access(p, act);
    const Func *fn = &x->funcs.v[a->func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &x->sections.v[i];
        u32 lock = p->section_lock[p->section_base[file] + i];
        if (lock == NONE || p->locks.v[lock].maybe || p->locks.v[lock].func != NONE) continue;
        if (section_holds(s, t->span.start) && section_holds(s, a->span.start)) return s;
    }
    return NULL;
}

/* Is the other place state of the same object, class or module as the flag, which the access changes? */
static bool changes_part(const Finder *f, u32 ga)
{
    const Program *p = f->p;
    u32 place = p->access_place[ga];
    if (place == NONE || place == f->place) return false;
    const Place *x = &p->places.v[f->place], *y = &p->places.v[place];
    bool inherited = x->kind == PLACE_INSTANCE && y->kind == PLACE_INSTANCE && class_is_a(p, x->owner, y->owner);
    if (!inherited && (y->kind != x->kind || y->file != x->file || y->owner != x->owner)) return false;
    const Def *d = stored_def(p, ga);
    return access_effect(p, ga) & (EFFECT_REBIND | EFFECT_GROW) && (!d || d->kind != VAL_NONE);
}

/* Does the function read the place from this offset on? The access, NONE. Where it asks first whether the part is
 * there, or copes with its absence, it relies on nothing. */
static u32 part_used(const Program *p, u32 place, u32 gfunc, u32 from)
{
    const Place *y = &p->places.v[place];
    u32 use = NONE;
    for (u32 i = y->first; i < y->first + y->n; i++) {
        u32 ga = p->place_access.v[i];
        const Access *a = program_access(p, ga);
        if (access_func(p, ga) != gfunc || a->span.start < from) continue;
        if ((a->test && (a->op == OP_TRUTH || a->op == OP_HASATTR)) || failure_caught(p, ga)) return NONE;
        if (a->op != OP_STORE && a->op != OP_DEL && use == NONE) use = ga;
    }
    return use;
}

/* Who calls the function and then uses the part, itself or in a function of the object that it calls next: the
 * access, NONE. */
static u32 relied_on(const Finder *f, u32 gfunc, u32 place)
{
    const Program *p = f->p;
    for (u32 i = f->called_first[gfunc]; i < f->called_first[gfunc + 1]; i++) {
        const CallEdge *in = &p->edges.v[f->called[i]];
        const Call *c = edge_call(p, in);
        if (!c || in->caller == gfunc || p->tests[in->file] || !calls_own_object(f, in)) continue;
        u32 use = part_used(p, place, in->caller, c->span.end);
        for (u32 e = p->edge_first[in->caller]; use == NONE && e < p->edge_first[in->caller + 1]; e++) {
            const CallEdge *next = &p->edges.v[e];
            const Call *d = edge_call(p, next);
            if (d && d->span.start >= c->span.end && !next->weak && next->callee != gfunc &&
                calls_own_object(f, next))
                use = part_used(p, place, next->callee, 0);
        }
        if (use != NONE) return use;
    }
    return NONE;
}

/* What is made, and who relies on it. */
typedef struct Work {
    u32 made, use; /* accesses of one place; NONE */
} Work;

/* The first part of the state that the function makes from one offset to another, and that a caller of `ensures`
 * relies on. */
static Work part_made(const Finder *f, u32 gfunc, u32 ensures, u32 from, u32 to)
{
    const Program *p = f->p;
    GId g = func_gid(p, gfunc);
    const Func *fn = program_func(p, gfunc);
    for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
        u32 ga = p->access_base[g.file] + k, at = program_access(p, ga)->span.start;
        if (at < from || at >= to || !changes_part(f, ga)) continue;
        u32 use = relied_on(f, ensures, p->access_place[ga]);
        if (use != NONE) return (Work){ga, use};
    }
    return (Work){NONE, NONE};
}

/* The same, or in a function of the object that is called there. */
static Work work_between(const Finder *f, u32 gfunc, u32 from, u32 to)
{
    const Program *p = f->p;
    Work w = part_made(f, gfunc, gfunc, from, to);
    for (u32 e = p->edge_first[gfunc]; w.made == NONE && e < p->edge_first[gfunc + 1]; e++) {
        const CallEdge *edge = &p->edges.v[e];
        const Call *c = edge_call(p, edge);
        if (c && c->span.start >= from && c->span.start < to && edge->callee != gfunc && calls_own_object(f, edge))
            w = part_made(f, edge->callee, gfunc, 0, UINT32_MAX);
    }
    return w;
}

/* The test in the same function that sees to it that the work is done once: it decides about the act, or leaves when
 * it finds the flag set; NONE. */
static u32 own_test(const Finder *f, u32 act)
{
    for (u32 i = 0; i < f->nacc && f->acc[i] < act; i++) {
        u32 test = f->acc[i];
        const Access *t = program_access(f->p, test);
        if (t->op != OP_TRUTH || !t->test || access_func(f->p, test) != access_func(f->p, act)) continue;
        if (test_decides(f->p, test, act) || test_leaves(f->p, test, act)) return test;
    }
    return NONE;
}

static void report(Finder *f, u32 act, u32 test, Work w)
{
    const Program *p = f->p;
    Conflict c = {w.use, CONF_MEDIUM, threads_reach(p, w.made) && threads_reach(p, w.use)};
    Race *r = race_add(f, UG103, act, c);
    r->act = act;
    r->by_shape = r->in_parts = true;
    r->by_hand = "the flag has to be set after the work, with the lock held until then";
    race_site(r, test);
    race_site(r, w.made);
    race_message(f, r,
                 "%.*s is set before the work that it stands for: who finds it set on line %u goes on, and uses %.*s "
                 "on line %u of %.*s, while line %u may not have made it yet; set it last, with the lock held until "
                 "then",
                 STR_ARG(short_state(p, f->place)), program_access(p, test)->line,
                 STR_ARG(short_state(p, p->access_place[w.made])), program_access(p, w.use)->line,
                 STR_ARG(p->facts[access_file(p, w.use)]->source->path), program_access(p, w.made)->line);
}

/* The work comes after the section: who finds the flag set under the lock returns. */
static bool work_outside(Finder *f, u32 act, u32 test, const Section *s)
{
    const Program *p = f->p;
    if (!test_leaves(p, test, act)) return false;
    Work w = work_between(f, access_func(p, act), s->span.end, UINT32_MAX);
    if (w.made == NONE || !may_run_together(p, w.made, w.use)) return false;
    report(f, act, test, w);
    return true;
}

/* The work is done in the section, and a function that asks for the flag without the lock, to call this one when it
 * is not set, goes on to use what is made. */
static void work_inside(Finder *f, u32 act, const Section *s)
{
    const Program *p = f->p;
    u32 gfunc = access_func(p, act);
    Work w = work_between(f, gfunc, program_access(p, act)->span.end, s->span.end);
    for (u32 i = 0; w.made != NONE && i < f->nacc; i++) {
        u32 test = f->acc[i];
        const Access *t = program_access(p, test);
        if (t->op != OP_TRUTH || !t->test || access_func(p, test) == gfunc || p->tests[access_file(p, test)])
            continue;
        if (!test_decides_call(f, test, gfunc) || conflict_of(f, act, test).witness == NONE) continue;
        report(f, act, test, w);
        return;
    }
}

static void too_early_message(Finder *f, Race *r, Work w)
{
    const Program *p = f->p;
    race_message(f, r,
                 "%.*s, which line %u tests, is set before the work that it stands for: a second thread goes on, and "
                 "uses %.*s on line %u of %.*s, while line %u may not have made it yet",
                 STR_ARG(short_state(p, f->place)), program_access(p, r->test)->line,
                 STR_ARG(short_state(p, p->access_place[w.made])), program_access(p, w.use)->line,
                 STR_ARG(p->facts[access_file(p, w.use)]->source->path), program_access(p, w.made)->line);
}

bool race_flag_first(Finder *f, Race *r)
{
    const Program *p = f->p;
    if (!raises_flag(p, r->act) || access_func(p, r->test) != access_func(p, r->act)) return false;
    Work w = work_between(f, access_func(p, r->act), program_access(p, r->act)->span.end, UINT32_MAX);
    if (w.made == NONE) return false;
    r->by_shape = r->in_parts = true;
    too_early_message(f, r, w);
    return true;
}

/* No lock and no test of its own: who asks for the flag calls the function where it is not set. */
static void by_askers(Finder *f, u32 act)
{
    const Program *p = f->p;
    u32 gfunc = access_func(p, act);
    for (u32 i = 0; i < f->nacc; i++) {
        u32 test = f->acc[i];
        const Access *t = program_access(p, test);
        if (t->op != OP_TRUTH || !t->test || access_func(p, test) == gfunc || p->tests[access_file(p, test)])
            continue;
        if (f->claimed[test] || !test_decides_call(f, test, gfunc)) continue;
        Conflict c = conflict_of(f, act, test);
        Work w = c.witness == NONE ? (Work){NONE, NONE}
                                   : work_between(f, gfunc, program_access(p, act)->span.end, UINT32_MAX);
        if (w.made == NONE) continue;
        c.confidence = MIN(c.confidence, CONF_MEDIUM);
        Race *r = race_add(f, UG103, act, c);
        r->act = act;
        r->test = test;
        r->by_shape = r->in_parts = true;
        r->by_hand = "the flag has to be set after the work, and one lock held from the test to then";
        race_site(r, w.made);
        too_early_message(f, r, w);
        return;
    }
}

void race_early(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    bool kind = x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR || x->kind == PLACE_INSTANCE;
    if (!kind || x->file == NONE || x->of != NONE) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 act = f->acc[i];
        if (f->claimed[act] || !access_counts(f->p, act) || !program_access(f->p, act)->func ||
            !raises_flag(f->p, act))
            continue;
        u32 test = own_test(f, act);
        const Section *s = test == NONE ? NULL : claim_section(f->p, test, act);
        if (test == NONE) by_askers(f, act);
        if (s && !work_outside(f, act, test, s)) work_inside(f, act, s);
    }
}
