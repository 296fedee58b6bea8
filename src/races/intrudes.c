/* UG108: one step without the lock, which comes between the steps that others take under it:
 *
 *   with self._lock:                      with self._lock:                 with self._lock:
 *       jobs = self.jobs                      if key in self.table:            if self.sock is not None:
 *       self.jobs = []                            return self.table[key]           self.sock.send(data)
 *
 *   self.jobs.append(job)                 self.table.pop(key, None)        self.sock = None
 *
 * The step itself is one in CPython, so that the rules about single functions find nothing wrong with it; and the
 * section is right as long as all take its lock. What is added meanwhile goes to the container that was taken, which
 * whoever took it may be done with; what is taken away was found a moment ago.
 *
 * Needs the accesses of one place that has a guard. Which steps belong together is told by save.c and check.c. Not
 * seen: sections whose steps stand in several functions. */
#include "races/races.h"

enum { INTRUDERS = 64 }; /* as many writes without the lock are looked at */

typedef struct Pair {
    u32 first, second; /* the accesses that belong together, both under the lock */
    u32 effects;       /* what must not come between */
    bool reset;        /* only what unsets the binding */
} Pair;

static bool holds(const Program *p, u32 ga, u32 lock)
{
    return lockset_has(p, p->access_locks[ga], lock);
}

/* x = None, del x */
static bool unsets(const Program *p, u32 ga)
{
    const Def *d = program_access(p, ga)->op == OP_STORE ? stored_def(p, ga) : NULL;
    return program_access(p, ga)->op == OP_DEL || (d && d->kind == VAL_NONE);
}

/* if current_thread() is self.thread: the owner of the section steps in between on purpose, since it is not there. */
static bool asks_for_thread(const Program *p, u32 ga)
{
    const Facts *x = p->facts[access_file(p, ga)];
    for (u32 b = program_access(p, ga)->block; b != NONE; b = x->blocks.v[b].parent) {
        if (x->blocks.v[b].cond == NONE) continue;
        Span head = x->conds.v[x->blocks.v[b].cond].head;
        Str test = str_slice(x->source->text, head.start, head.end);
        if (str_contains(test, S("urrent_thread()")) || str_contains(test, S("urrentThread()")) ||
            str_contains(test, S("get_ident()")))
            return true;
    }
    return false;
}

/* sock = self.sock; if sock is not None: sock.send(data): the binding has been read once, the text names a local. */
static bool read_before(const Finder *f, u32 ga)
{
    const Facts *x = f->p->facts[access_file(f->p, ga)];
    const Access *a = program_access(f->p, ga);
    return !str_starts(str_slice(x->source->text, a->span.start, a->span.end), path_text(f->a, x, a->path));
}

/* The section that ends with access i, as far as something may come between its steps that does harm. */
static bool pair_ends(const Finder *f, u32 i, u32 lock, Pair *out)
{
    const Program *p = f->p;
    u32 second = f->acc[i], first = taken_whole_before(f, i);
    const Access *a = program_access(p, second);
    u32 effect = f->effect[i];
    *out = (Pair){first, second, EFFECT_GROW, false};
    if (first == NONE) {
        bool raises = effect & EFFECT_RAISES, uses = a->op == OP_METHOD && !(effect & EFFECT_WRITE);
        if ((!raises && !uses) || failure_caught(p, second)) return false;
        first = check_nearest_test(f, i);
        if (first == NONE || check_harmless(p, first, second)) return false;
        if (!raises && read_before(f, second)) return false;
        u8 op = program_access(p, first)->op;
        bool binding = op == OP_TRUTH || op == OP_LOAD || op == OP_HASATTR;
        if (!raises && (!binding || program_access(p, first)->test == TEST_COMPARE)) return false;
        *out = (Pair){first, second, raises ? EFFECT_SHRINK : EFFECT_REBIND, !raises};
    }
    return holds(p, first, lock) && one_section(p, first, second, NULL);
}

/* Does the write without the lock do what the steps under it do not bear? */
static bool intrudes(const Finder *f, u32 i, const Pair *pair)
{
    u32 ga = f->acc[i];
    if (pair->reset) return unsets(f->p, ga);
    if (pair->effects == EFFECT_GROW)
        return program_access(f->p, ga)->op == OP_ITEM_AUG ||
               (f->effect[i] & EFFECT_GROW && !(f->effect[i] & EFFECT_REBIND));
    return f->effect[i] & pair->effects;
}

static void intruder_report(Finder *f, u32 ga, const Pair *pair, u32 lock, Conflict c)
{
    const Program *p = f->p;
    const Facts *x = p->facts[access_file(p, ga)];
    if (c.confidence > CONF_MEDIUM) c.confidence = CONF_MEDIUM;
    if (winds_up(x, program_func(p, access_func(p, ga))) && !threads_visible(p, ga, pair->second))
        c.confidence = CONF_LOW;
    Race *r = race_add(f, UG108, ga, c);
    r->lock = lock;
    f->claimed[ga] = 1;
    Str state = short_state(p, f->place), guard = p->locks.v[lock].display;
    Str path = p->facts[access_file(p, pair->second)]->source->path;
    u32 first = program_access(p, pair->first)->line, second = program_access(p, pair->second)->line;
    if (pair->effects == EFFECT_GROW)
        race_message(f, r,
                     "%.*s is added to here without %.*s, under which what is in it is taken, and it is emptied or "
                     "bound anew (lines %u and %u of %.*s); what is added in between is lost",
                     STR_ARG(state), STR_ARG(guard), first, second, STR_ARG(path));
    else
        race_message(f, r,
                     "%.*s is %s here without %.*s, under which it is tested on line %u and used on line %u of %.*s; "
                     "what the test has found may be gone",
                     STR_ARG(state), pair->reset ? "unset" : "taken from", STR_ARG(guard), first, second,
                     STR_ARG(path));
}

void race_intrudes(Finder *f)
{
    const Program *p = f->p;
    u32 lock = p->places.v[f->place].guard, outside[INTRUDERS], n = 0;
    if (lock == NONE || p->locks.v[lock].maybe) return;
    for (u32 i = 0; i < f->nacc && n < INTRUDERS; i++) {
        u32 ga = f->acc[i];
        bool writes = f->effect[i] & (EFFECT_WRITE | EFFECT_GROW | EFFECT_SHRINK);
        if (writes && !f->claimed[ga] && access_counts(p, ga) && !holds(p, ga, lock) && !asks_for_thread(p, ga))
            outside[n++] = i;
    }
    for (u32 i = 0; i < f->nacc && n; i++) {
        Pair pair;
        if (!holds(p, f->acc[i], lock) || !access_counts(p, f->acc[i]) || !pair_ends(f, i, lock, &pair)) continue;
        for (u32 k = 0; k < n; k++) {
            u32 ga = f->acc[outside[k]];
            if (f->claimed[ga] || !intrudes(f, outside[k], &pair) || func_remakes_lock(p, ga, lock)) continue;
            Conflict c = conflict_of(f, ga, pair.second);
            if (c.witness != NONE) intruder_report(f, ga, &pair, lock, c);
        }
    }
}
