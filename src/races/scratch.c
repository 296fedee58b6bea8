/* UG101 about state that is used like a local variable: set for this call, then read again further down,
 *
 *   self.started = clock()
 *   result = f(*args)
 *   return result, clock() - self.started
 *
 * so that of two calls at once one reads what the other has set. Also a global that keeps the last value between
 * calls, and is read again after it was set.
 *
 * Needs the accesses of one place. The findings name no place to the fixes: a lock would have to be held all the way,
 * around whatever is called there, where a local variable does. Only values that a call made are meant, and only what
 * is read on the way from the store, in the same function; returning it, or calling its methods, is not: a newer one
 * does as well, mostly, and an object is set up that way. Not seen: what other functions read. */
#include "races/races.h"

/* Is the stored value computed by a call? */
static bool computed(const Program *p, u32 store)
{
    const Def *d = stored_def(p, store);
    return d && d->kind == VAL_CALL && !d->empty;
}

/* connect, _start_worker, __enter__: what is set there is meant to stay. */
static bool sets_up(Str name)
{
    static const char *const words[] = {"init",  "start", "open",  "connect", "setup",  "set",   "load",
                                        "reset", "reload", "refresh", "update", "create", "enter", "build"};
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (str_has_word(name, words[i])) return true;
    return false;
}

/* The read that follows the store on the same way, or NONE. */
static u32 read_after(const Finder *f, u32 i)
{
    u32 ga = f->acc[i];
    GId g = access_gid(f->p, ga);
    const Facts *x = f->p->facts[g.file];
    const Access *store = &x->accesses.v[g.id];
    for (u32 k = i + 1; k < f->nacc && access_gid(f->p, f->acc[k]).file == g.file; k++) {
        const Access *a = program_access(f->p, f->acc[k]);
        if (a->func != store->func || a->op == OP_STORE || a->op == OP_DEL) return NONE;
        if (a->stmt == store->stmt || !block_within(x, a->block, store->block)) continue;
        if (a->op == OP_LOAD || a->op == OP_ARG || a->op == OP_CREAD || a->op == OP_ITEM_LOAD) return f->acc[k];
    }
    return NONE;
}

void race_scratch(Finder *f)
{
    const Place *place = &f->p->places.v[f->place];
    if (place->kind == PLACE_CLOSURE || place->kind == PLACE_DEFAULT || place->is_lock) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 store = f->acc[i];
        GId g = access_gid(f->p, store);
        const Facts *x = f->p->facts[g.file];
        const Access *a = program_access(f->p, store);
        if (f->claimed[store] || a->op != OP_STORE || !computed(f->p, store)) continue;
        if (sets_up(sym_str(x, x->funcs.v[a->func].name))) continue;
        u32 read = read_after(f, i);
        if (read == NONE || f->claimed[read] || one_section(f->p, store, read, NULL)) continue;
        Conflict c = conflict_of(f, store, store);
        if (c.witness == NONE || conflict_of(f, read, store).witness == NONE) continue;
        Race *r = race_add(f, UG101, store, c);
        r->per_call = true;
        r->test = store;
        r->act = read;
        race_site(r, read);
        race_message(f, r,
                     "%.*s is set here for this call and read again on line %u; of two calls at once, one reads what "
                     "the other has set",
                     STR_ARG(short_state(f->p, f->place)), program_access(f->p, read)->line);
    }
}
