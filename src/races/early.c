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
 * Needs the accesses of one place, the flag. The finding names no place to the fixes: the cure is another order of
 * the statements. */
#include "races/races.h"

/* Does the access store True? */
static bool raises_flag(const Program *p, u32 ga)
{
    const Def *d = stored_def(p, ga);
    const Access *a = program_access(p, ga);
    Str text = p->facts[access_file(p, ga)]->source->text;
    return a->op == OP_STORE && d && d->kind == VAL_BOOL &&
           str_starts(str_slice(text, a->span.end, text.n), S(" = True"));
}

/* The critical section that holds both the test and the act, and that ends before its function does; NULL. */
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
        if (section_holds(s, t->span.start) && section_holds(s, a->span.start) && s->span.end < fn->body.end)
            return s;
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
    if (y->kind != x->kind || y->file != x->file || y->owner != x->owner) return false;
    const Def *d = stored_def(p, ga);
    return access_effect(p, ga) & (EFFECT_REBIND | EFFECT_GROW) && (!d || d->kind != VAL_NONE);
}

/* The first access of the function from this offset on that makes a part of the state; NONE. */
static u32 part_made(const Finder *f, u32 gfunc, u32 from)
{
    const Program *p = f->p;
    GId g = func_gid(p, gfunc);
    const Func *fn = program_func(p, gfunc);
    for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
        u32 ga = p->access_base[g.file] + k;
        if (program_access(p, ga)->span.start >= from && changes_part(f, ga)) return ga;
    }
    return NONE;
}

/* The same, or in a function of the object that is called from there on. */
static u32 work_after(const Finder *f, u32 gfunc, u32 from)
{
    const Program *p = f->p;
    u32 made = part_made(f, gfunc, from);
    for (u32 e = p->edge_first[gfunc]; made == NONE && e < p->edge_first[gfunc + 1]; e++) {
        const CallEdge *edge = &p->edges.v[e];
        const Call *c = edge_call(p, edge);
        if (c && c->span.start >= from && !edge->weak && edge->callee != gfunc && calls_own_object(f, edge))
            made = part_made(f, edge->callee, 0);
    }
    return made;
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
        if (a->test || failure_caught(p, ga)) return NONE;
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
        if (!c || in->weak || in->caller == gfunc || p->tests[in->file] || !calls_own_object(f, in)) continue;
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

/* A test that leaves the function when it finds the flag set. */
static u32 leaving_test(const Finder *f, u32 act)
{
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *t = program_access(f->p, f->acc[i]);
        if (t->op == OP_TRUTH && t->test && f->acc[i] < act && test_leaves(f->p, f->acc[i], act)) return f->acc[i];
    }
    return NONE;
}

static void report(Finder *f, u32 act)
{
    const Program *p = f->p;
    u32 test = leaving_test(f, act);
    const Section *s = test == NONE ? NULL : claim_section(p, test, act);
    if (!s) return;
    u32 gfunc = access_func(p, act), made = work_after(f, gfunc, s->span.end);
    u32 use = made == NONE ? NONE : relied_on(f, gfunc, p->access_place[made]);
    if (use == NONE || !may_run_together(p, made, use)) return;
    Conflict c = {use, CONF_MEDIUM, threads_reach(p, made) && threads_reach(p, use)};
    Race *r = race_add(f, UG103, act, c);
    r->act = act;
    r->by_shape = r->in_parts = true;
    r->by_hand = "the flag has to be set after the work, with the lock held until then";
    race_site(r, test);
    race_site(r, made);
    race_message(f, r,
                 "%.*s is set before the work that it stands for: who finds it set on line %u goes on, and uses %.*s "
                 "on line %u of %.*s, while line %u may not have made it yet; set it last, with the lock held until "
                 "then",
                 STR_ARG(short_state(p, f->place)), program_access(p, test)->line,
                 STR_ARG(short_state(p, p->access_place[made])), program_access(p, use)->line,
                 STR_ARG(p->facts[access_file(p, use)]->source->path), program_access(p, made)->line);
}

void race_early(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    bool kind = x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR || x->kind == PLACE_INSTANCE;
    if (!kind || x->file == NONE || x->of != NONE) return;
    for (u32 i = 0; i < f->nacc; i++)
        if (!f->claimed[f->acc[i]] && access_counts(f->p, f->acc[i]) && program_access(f->p, f->acc[i])->func &&
            raises_flag(f->p, f->acc[i]))
            report(f, f->acc[i]);
}
