/* Sets of lock ids, each kept once: equal sets have equal ids, and 0 is the empty set. A set holds at most 32 locks;
 * further ones are left out, which may cost a finding its silence. */
#include "link/link.h"

u32 lockset_intern(Program *p, const u32 *ids, u32 n)
{
    LinkState *s = p->state;
    u64 h = n;
    for (u32 i = 0; i < n; i++) h = hash_mix(h, ids[i]);
    u32 *first = map_at(s->a, &s->locksets, h & ~(1ull << 63));
    for (u32 i = *first; i != NONE; i = s->lockset_next.v[i])
        if (p->locksets.v[i].n == n && memcmp(p->locksets.v[i].ids, ids, n * sizeof *ids) == 0) return i;
    u32 *copy = arena_new(p->arena, u32, n);
    if (n) memcpy(copy, ids, n * sizeof *ids);
    vec_push(p->arena, &p->locksets, (LockSet){n, copy});
    vec_push(s->a, &s->lockset_next, *first);
    *first = p->locksets.n - 1;
    return *first;
}

u32 lockset_add(Program *p, u32 set, u32 lock)
{
    const LockSet *x = &p->locksets.v[set];
    u32 ids[32], n = 0;
    if (lockset_has(p, set, lock) || x->n + 1 > COUNT_OF(ids)) return set;
    while (n < x->n && x->ids[n] < lock) ids[n] = x->ids[n], n++;
    ids[n] = lock;
    for (u32 i = n; i < x->n; i++) ids[i + 1] = x->ids[i];
    return lockset_intern(p, ids, x->n + 1);
}

u32 lockset_without(Program *p, u32 set, u32 lock)
{
    u32 ids[32], n = 0;
    const LockSet *x = &p->locksets.v[set];
    for (u32 i = 0; i < x->n; i++)
        if (x->ids[i] != lock) ids[n++] = x->ids[i];
    return lockset_intern(p, ids, n);
}

u32 lockset_union(Program *p, u32 a, u32 b)
{
    for (u32 i = 0; i < p->locksets.v[b].n; i++) a = lockset_add(p, a, p->locksets.v[b].ids[i]);
    return a;
}

u32 lockset_both(Program *p, u32 a, u32 b)
{
    if (a == LOCKSET_TOP) return b;
    if (b == LOCKSET_TOP) return a;
    u32 ids[32], n = 0;
    const LockSet *x = &p->locksets.v[a];
    for (u32 i = 0; i < x->n && n < COUNT_OF(ids); i++)
        if (lockset_has(p, b, x->ids[i])) ids[n++] = x->ids[i];
    return lockset_intern(p, ids, n);
}

bool lockset_has(const Program *p, u32 set, u32 lock)
{
    const LockSet *x = &p->locksets.v[set];
    for (u32 i = 0; i < x->n; i++)
        if (x->ids[i] == lock) return true;
    return false;
}

bool lockset_hopes(const Program *p, u32 set, u32 lock)
{
    const LockSet *x = &p->locksets.v[set];
    for (u32 i = 0; i < x->n; i++) {
        const Lock *l = &p->locks.v[x->ids[i]];
        if (x->ids[i] == lock || (l->hoped && l->real == lock)) return true;
    }
    return false;
}

bool func_makes_lock(const Program *p, u32 file, u32 func, u32 lock, bool always)
{
    u32 place = p->locks.v[lock].place;
    if (place == NONE || func == 0) return false;
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        if (a->op != OP_STORE || p->access_place[p->access_base[file] + i] != place) continue;
        if (!always || a->block == fn->block) return true;
    }
    return false;
}

u32 lockset_common(const Program *p, u32 a, u32 b)
{
    const LockSet *x = &p->locksets.v[a];
    for (u32 i = 0; i < x->n; i++)
        if (lockset_has(p, b, x->ids[i]) && p->locks.v[x->ids[i]].func == NONE) return x->ids[i];
    return NONE;
}
