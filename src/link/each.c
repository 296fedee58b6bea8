/* Locks of which there are several: an object's lock does not guard what all objects of its class share, nor what
 * another object of the class has; and one of many locks does not guard what there is but one of.
 *
 *   class Job:
 *       done = 0
 *       def __init__(self): self._lock = threading.Lock()
 *       def run(self):
 *           with self._lock: Job.done += 1        two Jobs hold two locks
 *       def give(self, other):
 *           with self._lock: other.steps += 1     and other's own methods hold that of other
 *
 *   def add(key):
 *       with locks[key]: total += 1               two keys hold two locks; counts[key] += 1 is right
 *
 * Globals under an object's lock are as bad. Such a lock is taken out of the locksets of those accesses, and
 * LinkState.each_lock remembers it. Where one object is kept for all, or only one is made in sight, its lock is one
 * for all, too. Of another object's fields only updates in place are looked at, where the object's own methods take
 * its lock: what is merged from, compared with or linked to another object is mostly at rest. Of what is kept by keys
 * nothing is: which key goes with which lock is not followed.
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

/* A question about an access and one of its function's sections that hold the lock there. */
typedef bool (*Wrong)(const Program *p, u32 gaccess, const Section *s);

/* Is the answer yes for all sections that hold the lock at the access, and are they all that hold it? */
static bool all_wrong(const Program *p, u32 g, u32 lock, Wrong wrong)
{
    u32 file = access_file(p, g);
    const Facts *f = p->facts[file];
    const Access *a = program_access(p, g);
    const Func *fn = &f->funcs.v[a->func];
    u32 n = 0;
    if (lockset_has(p, p->funcs[access_func(p, g)].entry_locks, lock)) return false;
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        bool holds = p->section_lock[p->section_base[file] + i] == lock && span_within(a->span, s->span);
        if (holds && !wrong(p, g, s)) return false;
        n += holds;
    }
    return n;
}

static bool same_path(const Path *a, const Path *b, u32 nattr)
{
    bool same = a->root == b->root && a->func == b->func && a->name == b->name && a->nattr >= nattr;
    for (u32 i = 0; same && i < nattr; i++) same = a->attr[i] == b->attr[i];
    return same && b->nattr >= nattr;
}

/* Does the function bind the name, as a parameter other than self or as a local? */
static bool binds(const Facts *f, u32 func, Str name)
{
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->cls != NONE && !fn->is_static; i < fn->nparams; i++)
        if (str_eq(sym_str(f, f->params.v[fn->params + i].name), name)) return true;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *x = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (x && d->func == func && x->root == ROOT_LOCAL && !x->nattr && str_eq(sym_str(f, x->name), name))
            return true;
    }
    return false;
}

/* locks[i], locks[hash(name) % 8]: does the key that chooses the section's lock come from what the function is given
 * or works on, so that another call takes another lock? */
static bool key_varies(const Facts *f, const Section *s)
{
    const Func *fn = &f->funcs.v[s->func];
    const Path *q = &f->paths.v[s->path];
    Str key = S("");
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        const Path *x = &f->paths.v[a->path];
        if (a->op == OP_ITEM_LOAD && a->span.start < s->span.start && x->nattr + 1u == q->nattr &&
            same_path(x, q, x->nattr))
            key = sym_str(f, a->key);
    }
    for (size_t i = 0, to; i < key.n; i = to) {
        to = i + 1;
        if (!is_word_char(key.p[i])) continue;
        while (to < key.n && is_word_char(key.p[to])) to++;
        if ((!i || key.p[i - 1] != '.') && binds(f, s->func, str_slice(key, i, to))) return true;
    }
    return false;
}

/* with locks[key]: total += 1: is it one of many locks, and the state one for all keys? */
static bool one_of_many(const Program *p, u32 g, const Section *s)
{
    const Facts *f = p->facts[access_file(p, g)];
    const Access *a = program_access(p, g);
    const Path *x = &f->paths.v[a->path], *q = &f->paths.v[s->path];
    const Place *place = &p->places.v[p->access_place[g]];
    bool whole = a->op == OP_LOAD || a->op == OP_STORE || a->op == OP_AUG || a->op == OP_TRUTH || a->op == OP_ITER ||
                 a->op == OP_CREAD;
    if (!whole || place->of != NONE || !path_is_item(q)) return false;
    for (u32 i = 0; i < x->nattr; i++)
        if (x->attr[i] == SYM_ITEM) return false;
    bool beside = x->root == ROOT_SELF && q->root == ROOT_SELF && x->nattr == 1 && q->nattr == 2;
    bool global = place->kind == PLACE_GLOBAL || place->kind == PLACE_CLASS_ATTR;
    return (global || (place->kind == PLACE_INSTANCE && beside)) && key_varies(f, s);
}

/* with self._lock: other.steps += 1 */
static bool of_another(const Program *p, u32 g, const Section *s)
{
    const Facts *f = p->facts[access_file(p, g)];
    const Access *a = program_access(p, g);
    const Path *x = &f->paths.v[a->path], *q = &f->paths.v[s->path];
    bool named = (x->root == ROOT_PARAM || x->root == ROOT_LOCAL) && x->nattr == 1 && x->func == a->func;
    return named && q->root == ROOT_SELF && q->nattr == 1 && (a->op == OP_AUG || a->op == OP_ITEM_AUG);
}

/* Is self.x used under the object's own lock? */
static bool own_methods_lock(const Program *p, const Place *x, u32 lock)
{
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        const Path *q = &p->facts[access_file(p, ga)]->paths.v[program_access(p, ga)->path];
        if (q->root == ROOT_SELF && q->nattr == 1 && lockset_has(p, p->access_locks[ga], lock) &&
            access_counts(p, ga))
            return true;
    }
    return false;
}

/* Does the lock, held at the access, guard nothing there? */
static bool guards_nothing(const Program *p, const bool *of_each, u32 g, u32 lock)
{
    const Place *x = &p->places.v[p->access_place[g]];
    const Lock *l = &p->locks.v[lock];
    if (l->keyed) return all_wrong(p, g, lock, one_of_many);
    if (x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR) return of_each && of_each[lock];
    if (x->kind != PLACE_INSTANCE || x->owner == NONE || l->maybe || l->place == NONE) return false;
    const Place *held = &p->places.v[l->place];
    if (held->kind != PLACE_INSTANCE || held->owner == NONE || !all_wrong(p, g, lock, of_another)) return false;
    if (!class_is_a(p, x->owner, held->owner) && !class_is_a(p, held->owner, x->owner)) return false;
    return made_for_each(p, l->place) && class_made_at(p, held->owner) != 1 && own_methods_lock(p, x, lock);
}

void each_find(Program *p)
{
    bool *of_each = locks_of_each(p);
    for (u32 g = 0; g < p->state->naccesses; g++) {
        const LockSet *set = &p->locksets.v[p->access_locks[g]];
        if (!set->n || p->access_place[g] == NONE) continue;
        for (u32 i = set->n; i-- > 0;) {
            u32 lock = set->ids[i];
            if (!guards_nothing(p, of_each, g, lock)) continue;
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
