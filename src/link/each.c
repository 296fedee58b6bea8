/* Locks of which there are several: an object's lock does not guard what all objects of its class share.
 *
 *   class Job:
 *       done = 0
 *       def __init__(self): self._lock = threading.Lock()
 *       def run(self):
 *           with self._lock: Job.done += 1        two Jobs hold two locks
 *
 * Globals under such a lock are as bad. It is taken out of the locksets of those accesses, and LinkState.each_lock
 * remembers it. Where one object is kept for all, or only one is made in sight, its lock is one for all, too.
 *
 * Needs the evidence of the classes (guards.c). */
#include "link/link.h"

enum { DEPTH = 4 };

/* Objects of the class and of those that derive from it that are in sight outside of tests; NONE: one for all. */
static u32 objects(const Program *p, u32 gclass, u32 depth)
{
    const ClassInfo *c = &p->state->classes[gclass];
    if (c->singleton || c->part || c->kept_globally) return NONE;
    u32 n = c->made_elsewhere + c->made_again;
    for (u32 i = 0; i < c->subs.n && depth; i++) {
        u32 more = objects(p, c->subs.v[i], depth - 1);
        if (more == NONE) return NONE;
        n += more;
    }
    return n;
}

/* Does each object make the lock for itself: is it nowhere one that was handed in? */
static bool made_for_each(const Program *p, u32 place)
{
    const LinkState *s = p->state;
    u32 at = map_get(&s->place_defs, place);
    if (at == NONE) return false;
    for (; at != NONE; at = s->defrefs.v[at].next) {
        u32 file = s->defrefs.v[at].file;
        const Def *d = &p->facts[file]->defs.v[s->defrefs.v[at].def];
        if (d->kind != VAL_CALL || !type_is_lock(call_type(p, file, d->value).kind)) return false;
        if (p->facts[file]->calls.v[d->value].nargs) return false;
    }
    return true;
}

static bool several(const Program *p, u32 place)
{
    const Place *x = &p->places.v[place];
    if (x->kind != PLACE_INSTANCE || x->owner == NONE || !made_for_each(p, place)) return false;
    u32 n = objects(p, x->owner, DEPTH);
    return n != NONE && n != 1;
}

/* By lock: has each object of a class its own? NULL when none is of that kind. */
static bool *locks_of_each(const Program *p)
{
    bool *out = xmalloc(p->locks.n + 1), any = false;
    for (u32 i = 0; i < p->locks.n; i++) {
        const Lock *l = &p->locks.v[i];
        out[i] = l->place != NONE && l->func == NONE && !l->keyed && several(p, l->place);
        any |= out[i];
    }
    if (any) return out;
    free(out);
    return NULL;
}

void each_find(Program *p)
{
    bool *of_each = locks_of_each(p);
    for (u32 g = 0; of_each && g < p->state->naccesses; g++) {
        const LockSet *set = &p->locksets.v[p->access_locks[g]];
        const Place *x = p->access_place[g] == NONE ? NULL : &p->places.v[p->access_place[g]];
        if (!set->n || !x || (x->kind != PLACE_GLOBAL && x->kind != PLACE_CLASS_ATTR)) continue;
        for (u32 i = set->n; i-- > 0;) {
            u32 lock = set->ids[i];
            if (!of_each[lock]) continue;
            p->access_locks[g] = lockset_without(p, p->access_locks[g], lock);
            map_put(p->state->a, &p->state->each_lock, g, lock);
        }
    }
    free(of_each);
}

u32 lock_of_each(const Program *p, u32 gaccess)
{
    return map_get(&p->state->each_lock, gaccess);
}
