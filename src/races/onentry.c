/* UG101 about what __enter__ puts somewhere for the block, and __exit__ takes from there:
 *
 *   a global or class attribute is set, and set back       of two blocks at once one restores the other's value
 *   such a one, or an attribute of a manager that is
 *   entered again and again, is set, and read               of two entries at once one reads the other's
 *   a stack is pushed, and popped                          of two blocks at once one takes, or sees, the other's item
 *
 * A manager is entered again and again when a global holds it, or when it decorates by contextlib.ContextDecorator,
 * whose wrapper enters the one object that decorates unless _recreate_cm makes another (Python library, contextlib).
 * Managers that wrap by a function of their own are in entered.c.
 *
 * Needs the accesses of one place. Not seen: what is put there through helpers of the two methods. */
#include "races/races.h"

enum { CLASSES = 12 };

typedef struct Pair {
    u32 enter, leave; /* accesses in __enter__ and __exit__ of one class; NONE: there is no such pair */
} Pair;

/* The class whose method of this name has the access, or NONE. */
static u32 class_within(const Program *p, u32 ga, const char *name)
{
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[x->accesses.v[g.id].func];
    return str_is(sym_str(x, fn->name), name) ? fn->cls : NONE;
}

static bool has_method(const Program *p, u32 ga, const char *name)
{
    u32 found[CLASSES];
    GId g = access_gid(p, ga);
    return self_methods(p, g.file, p->facts[g.file]->accesses.v[g.id].func, name, found, CLASSES) > 0;
}

/* May two threads enter with one and the same state of the place? */
static bool entered_by_many(const Finder *f, u32 enter)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR) return true;
    if (x->kind != PLACE_INSTANCE) return false;
    if (x->evidence & EV_SINGLETON) return true;
    return x->evidence & EV_DECORATOR && !has_method(f->p, enter, "__call__") &&
           !has_method(f->p, enter, "__get__") && !has_method(f->p, enter, "_recreate_cm");
}

/* The value is of this one entry: a call gave it, or it was passed. */
static bool own_value(const Program *p, u32 store)
{
    const Def *d = stored_def(p, store);
    return d && (d->kind == VAL_CALL || d->kind == VAL_OTHER) && !d->empty;
}

static bool is_set(const Finder *f, u32 i)
{
    return program_access(f->p, f->acc[i])->op == OP_STORE;
}

static bool is_own(const Finder *f, u32 i)
{
    return is_set(f, i) && own_value(f->p, f->acc[i]);
}

static bool is_read(const Finder *f, u32 i)
{
    return !(f->effect[i] & EFFECT_WRITE);
}

static bool is_push(const Finder *f, u32 i)
{
    return str_is(access_method(f->p, f->acc[i]), "append");
}

static bool is_pop(const Finder *f, u32 i)
{
    return pops_last(f->p, f->acc[i]);
}

static Pair find_pair(const Finder *f, bool (*enters)(const Finder *, u32), bool (*leaves)(const Finder *, u32))
{
    const Program *p = f->p;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i], cls = class_within(p, ga, "__enter__");
        if (cls == NONE || f->claimed[ga] || !enters(f, i) || !entered_by_many(f, ga)) continue;
        for (u32 k = 0; k < f->nacc; k++)
            if (access_gid(p, f->acc[k]).file == access_gid(p, ga).file && leaves(f, k) &&
                class_within(p, f->acc[k], "__exit__") == cls)
                return (Pair){ga, f->acc[k]};
    }
    return (Pair){NONE, NONE};
}

/* Adds the finding that the two make, unless one lock is held from the one to the other; NULL. No lock within either
 * method would help: the two are one step of what goes wrong. */
static Race *report(Finder *f, Pair pair)
{
    if (pair.enter == NONE) return NULL;
    Conflict c = conflict_find(f, pair.enter, EFFECT_WRITE, true);
    if (c.witness == NONE) return NULL;
    Race *r = race_add(f, UG101, pair.enter, c);
    r->test = pair.enter;
    r->act = pair.leave;
    race_site(r, pair.leave);
    f->claimed[pair.leave] = 1;
    return r;
}

void race_on_entry(Finder *f)
{
    const Program *p = f->p;
    u8 kind = p->places.v[f->place].kind;
    Str state = short_state(p, f->place);
    Pair pair = find_pair(f, is_push, is_pop);
    Race *r = report(f, pair);
    if (r) {
        race_message(f, r,
                     "what is put on %.*s here for a while is taken off on line %u; of two threads that do so at "
                     "once, one takes off, or sees on top, what the other put there",
                     STR_ARG(state), program_access(p, pair.leave)->line);
        return;
    }
    bool own = kind == PLACE_INSTANCE;
    pair = own ? find_pair(f, is_own, is_read) : find_pair(f, is_set, is_set);
    if (!own && pair.enter == NONE) {
        pair = find_pair(f, is_own, is_read);
        own = pair.enter != NONE;
    }
    r = report(f, pair);
    if (!r) return;
    r->per_call = own;
    if (own) r->by_hand = "it belongs to one block, so a new manager for each, or a thread-local attribute, is right";
    const char *what = own ? "%.*s is set here for this one block, and read on line %u when the block ends; all "
                             "threads that enter share it, and of two at once, one reads the other's"
                           : "%.*s is set here and set back on line %u when the block ends; of two such blocks at "
                             "once, one restores the other's value";
    race_message(f, r, what, STR_ARG(state), program_access(p, pair.leave)->line);
}
