/* A number that others add to, and that is set anew by a step of its own:
 *
 *   n = self.hits                      what is counted between the two is lost (UG101)
 *   self.hits = 0
 *
 *   with self._lock: self.hits += 1    elsewhere
 *   self.hits = 0                      an update under way writes the old number back (UG108)
 *
 * A store is one step, but an update is two; so the store needs the lock that the update holds, and the read that
 * goes before it as well, or the same number is reported twice. Where the update holds no lock, it is reported
 * (update.c), and of stores only those that a read comes before.
 *
 * Needs the accesses of one place. Not seen: reads in another function than the store; n, self.hits = self.hits, 0 is
 * in update.c, containers in save.c. */
#include "races/races.h"

/* self.hits = 0, self.text = "" */
static bool sets_anew(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    const Def *d = a->op == OP_STORE && a->func ? stored_def(p, ga) : NULL;
    return d && !d->augmented && (d->kind == VAL_NUMBER || d->kind == VAL_STRING);
}

/* Does the access read the value to do something with it, rather than to ask what to do? */
static bool hands_on(const Access *a)
{
    if (a->op == OP_LOAD) return a->local != SYM_EMPTY || a->test == TEST_NO;
    return a->op == OP_ARG || a->op == OP_RETURN;
}

/* sleep(self.failures): it only says how long to wait. */
static bool only_waits(const Facts *x, const Access *a)
{
    const Func *fn = &x->funcs.v[a->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        Str name = call_last(x, &x->calls.v[i]);
        if (span_within(a->span, x->calls.v[i].span) && (str_is(name, "sleep") || str_is(name, "wait"))) return true;
    }
    return false;
}

/* The first read of the value that access i replaces, in the same function; NONE. */
static u32 read_out(const Finder *f, u32 i)
{
    GId g = access_gid(f->p, f->acc[i]);
    const Facts *x = f->p->facts[g.file];
    const Access *store = &x->accesses.v[g.id];
    u32 found = NONE;
    for (u32 k = i; k-- > 0 && i - k <= STEPS_AHEAD;) {
        const Access *a = program_access(f->p, f->acc[k]);
        if (access_gid(f->p, f->acc[k]).file != g.file || a->func != store->func) break;
        if (!(f->effect[k] & EFFECT_WRITE) && (a->path != store->path || !hands_on(a))) continue; /* most of them */
        bool around = block_within(x, store->block, a->block), inside = block_within(x, a->block, store->block);
        if (f->effect[k] & EFFECT_WRITE && (around || inside)) break;
        if (a->path != store->path || a->stmt == store->stmt || (!around && !inside) || !hands_on(a)) continue;
        if (loop_between(x, a->block, store->block) || loop_between(x, store->block, a->block)) continue;
        if (!only_waits(x, a)) found = f->acc[k];
    }
    return found;
}

/* What adds to the number, may run at the same time as the store without a common lock, and holds `lock` unless that
 * is NONE. */
static Conflict adder(const Finder *f, u32 store, u32 lock)
{
    Conflict c = {.witness = NONE};
    for (u32 i = 0; i < f->nacc && c.witness == NONE; i++) {
        u32 ga = f->acc[i];
        if (program_access(f->p, ga)->op != OP_AUG || !access_counts(f->p, ga)) continue;
        if (lock == NONE || lockset_has(f->p, f->p->access_locks[ga], lock)) c = conflict_of(f, store, ga);
    }
    if (c.confidence > CONF_MEDIUM) c.confidence = CONF_MEDIUM;
    return c;
}

/* What comes too late for the end is lost either way, and so is what was counted before a start. */
static bool starts_or_ends(const Program *p, u32 ga)
{
    static const char *const starts[] = {"start", "init", "setup", "open", "connect", "begin"};
    const Facts *x = p->facts[access_gid(p, ga).file];
    Str name = sym_str(x, x->funcs.v[program_access(p, ga)->func].name);
    return name_ends(name, ENDS_COUNT) || str_has_any(name, starts, COUNT_OF(starts));
}

static void taken_and_reset(Finder *f, u32 store, u32 read)
{
    if (one_section(f->p, read, store, NULL)) return;
    Conflict c = adder(f, store, NONE);
    if (c.witness == NONE) c = adder(f, read, NONE); /* only the store holds the lock */
    if (c.witness == NONE) return;
    if (access_told(f->p, read) || starts_or_ends(f->p, store)) c.confidence = CONF_LOW;
    Race *r = race_add(f, UG101, store, c);
    r->test = read;
    r->act = store;
    race_site(r, read);
    race_message(
        f, r,
        "%.*s is read on line %u and set anew here; what line %u of %.*s adds in between is lost, or what was "
        "read is counted again",
        STR_ARG(short_state(f->p, f->place)), program_access(f->p, read)->line, program_access(f->p, c.witness)->line,
        STR_ARG(f->p->facts[access_gid(f->p, c.witness).file]->source->path));
}

static void reset_outside(Finder *f, u32 store, u32 guard)
{
    Conflict c = adder(f, store, guard);
    if (c.witness == NONE) return;
    if (starts_or_ends(f->p, store)) c.confidence = CONF_LOW;
    Race *r = race_add(f, UG108, store, c);
    r->lock = guard;
    race_message(f, r,
                 "%.*s is set here without %.*s, under which line %u of %.*s adds to it: an update under way writes "
                 "the old number back",
                 STR_ARG(short_state(f->p, f->place)), STR_ARG(f->p->locks.v[guard].display),
                 program_access(f->p, c.witness)->line,
                 STR_ARG(f->p->facts[access_gid(f->p, c.witness).file]->source->path));
}

void race_taken_reset(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 store = f->acc[i];
        if (f->claimed[store] || !access_counts(f->p, store) || !sets_anew(f->p, store)) continue;
        u32 read = read_out(f, i);
        if (read != NONE) taken_and_reset(f, store, read);
    }
}

void race_reset(Finder *f)
{
    u32 guard = f->p->places.v[f->place].guard;
    if (guard == NONE || f->p->locks.v[guard].maybe) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 store = f->acc[i];
        if (f->claimed[store] || !access_counts(f->p, store) || !sets_anew(f->p, store)) continue;
        if (!lockset_has(f->p, f->p->access_locks[store], guard)) reset_outside(f, store, guard);
    }
}
