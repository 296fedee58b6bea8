/* The locks of owners: a class that does not lock, whose objects are parts of objects of several other classes, each
 * of which uses its part under a lock of its own.
 *
 *   class Loop:       with self._condition: self._queue.enqueue(item)
 *   class Trampoline: with self._lock: self._queue.enqueue(item)
 *
 * No lock is common to all calls of enqueue(), and still each queue is used under one lock only. Its methods hold a
 * lock that is called the owner's. As with other public methods this is as far as the callers in sight tell.
 *
 * Needs the edges, sections, and the locks at entry of the callers. Not seen: parts of parts, parts that leave. */
#include "link/locks.h"

/* One owner and its part: what is held at all calls of the part's methods. */
typedef struct Use {
    u32 part, owner, attr; /* global classes, symbol of the program */
    u32 held;
    bool all; /* nothing is known yet: held is everything */
} Use;

/* The call of a method on self.part, by an owner of it; NULL. */
static const Path *part_path(const Program *p, const CallEdge *e)
{
    if (e->call == NONE) return NULL;
    const Facts *f = p->facts[e->file];
    const Call *c = &f->calls.v[e->call];
    const Path *x = &f->paths.v[c->callee];
    return x->root == ROOT_SELF && x->nattr == 2 && f->funcs.v[c->func].self_class != NONE ? x : NULL;
}

static u32 part_of_edge(const Program *p, const CallEdge *e)
{
    GId g = func_gid(p, e->callee);
    u32 cls = p->facts[g.file]->funcs.v[g.id].cls;
    return cls == NONE ? NONE : gclass_of(p, g.file, cls);
}

/* Does the edge count: a known call that stands in no test, after the objects are made, from outside of the class? */
static bool counts(const Program *p, const CallEdge *e, u32 part)
{
    const FuncInfo *caller = &p->funcs[e->caller];
    GId c = func_gid(p, e->caller);
    u32 own = p->facts[c.file]->funcs.v[c.id].self_class;
    if (e->weak || p->tests[e->file] || caller->construct || caller->import_time) return false;
    return own == NONE || gclass_of(p, c.file, own) != part;
}

/* Owners and their parts, in the order of the calls, and where each is found. */
typedef struct Uses {
    Vec(Use) all;
    Map at;
} Uses;

static Use *use_of(Arena *a, Uses *uses, u32 part, u32 owner, u32 attr)
{
    u64 key = hash_mix(map_key(part, owner), attr) & ~(1ull << 63);
    u32 *at = map_at(a, &uses->at, key);
    if (*at == NONE) {
        *at = uses->all.n;
        vec_push(a, &uses->all, (Use){.part = part, .owner = owner, .attr = attr, .all = true});
    }
    return &uses->all.v[*at];
}

/* Is one of the locks the owner's own? */
static bool own_lock(const Program *p, const Use *u)
{
    const LockSet *held = &p->locksets.v[u->held];
    for (u32 i = 0; i < held->n && !u->all; i++) {
        const Lock *l = &p->locks.v[held->ids[i]];
        const Place *x = l->place == NONE ? NULL : &p->places.v[l->place];
        if (x && x->kind == PLACE_INSTANCE && x->owner != NONE &&
            (class_is_a(p, u->owner, x->owner) || class_is_a(p, x->owner, u->owner)))
            return true;
    }
    return false;
}

/* By class: is its object used under a lock of each of its owners, of which there are several? */
static bool *locked_by_owners(const Program *p, Arena *a, const Uses *uses)
{
    u32 n = p->state->nclasses;
    u32 *owners = arena_new(a, u32, n + 1);
    bool *locked = arena_new(a, bool, n + 1), *bare = arena_new(a, bool, n + 1);
    for (u32 i = 0; i < uses->all.n; i++) {
        const Use *u = &uses->all.v[i];
        owners[u->part]++;
        bare[u->part] |= !own_lock(p, u);
    }
    for (u32 c = 0; c < n; c++) locked[c] = owners[c] > 1 && !bare[c];
    return locked;
}

static u32 owners_lock(Program *p, u32 part)
{
    return lock_intern(p, map_key(5, part),
                       (Lock){.place = NONE,
                              .kind = TYPE_UNKNOWN,
                              .reentrant = true,
                              .maybe = true,
                              .display = S("the lock of its owner (held by every caller in sight)"),
                              .func = NONE});
}

void part_locks(Program *p)
{
    Arena scratch = {0};
    Uses uses = {0};
    u32 nfuncs = p->state->nfuncs;
    bool *called = arena_new(&scratch, bool, nfuncs + 1), *open = arena_new(&scratch, bool, nfuncs + 1);
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        u32 part = part_of_edge(p, e);
        if (part == NONE || !counts(p, e, part)) continue;
        const Path *x = part_path(p, e);
        called[e->callee] = true;
        if (!x) {
            open[e->callee] |= e->call != NONE; /* what syntax calls reads: while self.queue: */
            continue;
        }
        const Facts *f = p->facts[e->file];
        const Call *c = &f->calls.v[e->call];
        u32 owner = gclass_of(p, e->file, f->funcs.v[c->func].self_class);
        Use *u = use_of(&scratch, &uses, part, owner, intern(p->arena, &p->syms, sym_str(f, x->attr[0])));
        u32 held = lockset_union(p, held_at(p, e->file, c->func, c->span.start), p->funcs[e->caller].entry_locks);
        u->held = u->all ? held : lockset_both(p, u->held, held);
        u->all = false;
    }
    const bool *parts = locked_by_owners(p, &scratch, &uses);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 1; i < p->facts[file]->funcs.n; i++) {
            u32 g = gfunc_of(p, file, i), cls = p->facts[file]->funcs.v[i].cls;
            if (cls == NONE || !called[g] || open[g] || !parts[gclass_of(p, file, cls)]) continue;
            p->funcs[g].entry_locks =
                lockset_add(p, p->funcs[g].entry_locks, owners_lock(p, gclass_of(p, file, cls)));
        }
    arena_free(&scratch);
}
