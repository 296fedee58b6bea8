/* UG108: items that go from one container to another under a lock, and are looked for in both without it.
 *
 *   with self._lock:                                  def __len__(self):
 *       self._busy.append(self._idle.pop())               return len(self._idle) + len(self._busy)
 *
 * Each question is one step, but between them an item may have gone from the one that is asked second to the one that
 * was asked first, or the other way round: it is found nowhere, or twice. Needs the guards of places. The lock says
 * that the two belong together and that threads come; the move must stand in one critical section. What a loop asks
 * until others have done their work is left alone: it asks again, and under the lock they could not. */
#include "races/races.h"

enum { MOVES = 64 }; /* as many steps under the lock are looked at */

/* len(x), k in x, or if x: does the access ask what is there? */
static bool asks(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    bool counts = a->op == OP_CREAD && str_is(access_method(p, ga), "len");
    return (counts || a->op == OP_CONTAINS || a->op == OP_TRUTH) && access_counts(p, ga);
}

/* while len(self._idle) + len(self._busy): wait() */
static bool waits_for_it(const Program *p, u32 ga)
{
    Str text = p->facts[access_file(p, ga)]->source->text;
    Str stmt = str_slice(text, program_access(p, ga)->stmt, text.n);
    return str_starts(stmt, S("while")) && stmt.n > 5 && !is_word_char(stmt.p[5]);
}

static bool only_told(const Program *p, u32 ga)
{
    return access_shown(p, ga) || access_told(p, ga);
}

/* The guard of the place, if it is a container and the lock is known. */
static u32 guard_of(const Program *p, u32 place)
{
    const Place *x = &p->places.v[place];
    if (x->guard == NONE || p->locks.v[x->guard].maybe || !type_is_container(x->type.kind)) return NONE;
    return x->guard;
}

/* The access by which the function that `from` stands in moves an item on to the other place, or NONE. */
static u32 moved_on(const Program *p, u32 from, u32 place, u32 lock, u32 effect)
{
    GId g = access_gid(p, from);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[x->accesses.v[g.id].func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 ga = p->access_base[g.file] + i;
        if (p->access_place[ga] == place && access_effect(p, ga) & effect &&
            lockset_has(p, p->access_locks[ga], lock) && one_section(p, from, ga, NULL))
            return ga;
    }
    return NONE;
}

/* Where an item goes from the one place to the other under the lock: the access of f->place; NONE. */
static u32 move_between(const Finder *f, u32 other, u32 lock)
{
    const Program *p = f->p;
    for (u32 i = 0, looked = 0; i < f->nacc && looked < MOVES; i++) {
        bool gives = f->effect[i] & EFFECT_SHRINK, takes = f->effect[i] & EFFECT_GROW;
        if (!gives && !takes) continue;
        if (!lockset_has(p, p->access_locks[f->acc[i]], lock) || !access_counts(p, f->acc[i])) continue;
        looked++;
        if ((gives && moved_on(p, f->acc[i], other, lock, EFFECT_GROW) != NONE) ||
            (takes && moved_on(p, f->acc[i], other, lock, EFFECT_SHRINK) != NONE))
            return f->acc[i];
    }
    return NONE;
}

/* A question to another container of the same lock, in the same statement, after this one; NONE. */
static u32 asked_next(const Finder *f, u32 ga, u32 lock)
{
    const Program *p = f->p;
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    for (u32 i = g.id + 1; i < fn->accesses + fn->naccesses && x->accesses.v[i].stmt == a->stmt; i++) {
        u32 gb = p->access_base[g.file] + i, place = p->access_place[gb];
        if (place == NONE || place == f->place || x->accesses.v[i].op != a->op || f->claimed[gb]) continue;
        if (guard_of(p, place) == lock && asks(p, gb) && !lockset_has(p, p->access_locks[gb], lock)) return gb;
    }
    return NONE;
}

void race_moved(Finder *f)
{
    const Program *p = f->p;
    u32 lock = guard_of(p, f->place), other = NONE, move = NONE;
    for (u32 i = 0; lock != NONE && i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (f->claimed[ga] || lockset_has(p, p->access_locks[ga], lock) || !asks(p, ga) || only_told(p, ga) ||
            waits_for_it(p, ga))
            continue;
        u32 next = asked_next(f, ga, lock);
        if (next == NONE) continue;
        if (p->access_place[next] != other) move = move_between(f, p->access_place[next], lock);
        other = p->access_place[next];
        Conflict c = move == NONE ? (Conflict){.witness = NONE} : conflict_of(f, ga, move);
        if (c.witness == NONE) continue;
        Race *r = race_add(f, UG108, ga, c);
        r->lock = lock;
        race_site(r, next);
        f->claimed[ga] = f->claimed[next] = 1;
        race_message(
            f, r,
            "%.*s and %.*s are asked one after the other without %.*s, under which line %u of %.*s moves items "
            "between them; one may be missed in both, or found in both",
            STR_ARG(short_state(p, f->place)), STR_ARG(short_state(p, p->access_place[next])),
            STR_ARG(p->locks.v[lock].display), program_access(p, move)->line,
            STR_ARG(p->facts[access_file(p, move)]->source->path));
    }
}
