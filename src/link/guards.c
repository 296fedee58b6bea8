/* The guard table: for each place the lock that most of its accesses hold. Accesses that cannot race do not count
 * (alone.c); then the evidence that the place is shared is gathered (evidence.c). */
#include "link/evidence.h"

enum { LOCKS_SEEN = 16 };

bool op_changes(u8 op)
{
    return op == OP_STORE || op == OP_DEL || op == OP_AUG || op == OP_ITEM_STORE || op == OP_ITEM_DEL ||
           op == OP_ITEM_AUG || op == OP_METHOD;
}

static Str bare_name(Str s)
{
    while (s.n && s.p[0] == '_') s = str_slice(s, 1, s.n);
    while (s.n && s.p[s.n - 1] == '_') s = str_slice(s, 0, s.n - 1);
    return s;
}

/* Is the place bound to anything else once it is made, or is it a number, a text or a container? The lock of what
 * only stays there, conn_lock for a connection, is a lock of the object's. */
static bool state_changes(const Program *p, const Place *x)
{
    bool plain = x->type.kind > TYPE_NONE && x->type.kind <= TYPE_COUNT_ITER;
    if (plain) return true;
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        const Access *a = program_access(p, ga);
        if (op_changes(a->op) && a->op != OP_METHOD && access_counts(p, ga)) return true;
    }
    return false;
}

/* The place whose name the lock has, `hits` or `_hits` for `_hits_lock` beside it; NONE. Such a lock is for that
 * state only. It says nothing about other state, so that one fix does not make the next finding believable. */
static u32 state_named(const Program *p, const Place *lock)
{
    static const char *const tails[] = {"_state_lock", "_access_lock", "_lock"};
    Str name = bare_name(p->syms.strs[lock->name]), core = S("");
    for (u32 i = 0; i < COUNT_OF(tails) && !core.n; i++)
        if (str_ends(name, str_from(tails[i]))) core = str_slice(name, 0, name.n - strlen(tails[i]));
    if (!core.n) return NONE;
    for (u32 i = 0; i < p->places.n; i++) {
        const Place *x = &p->places.v[i];
        bool attribute = x->kind == PLACE_INSTANCE || x->kind == PLACE_CLASS_ATTR;
        bool beside = attribute ? x->owner == lock->owner : x->kind == lock->kind && x->file == lock->file;
        if (!beside || x->is_lock) continue;
        Str state = bare_name(p->syms.strs[x->name]);
        if (state.n != core.n) continue;
        size_t k = 0; /* MAX_SEEN has the lock _max_seen_lock */
        while (k < core.n &&
               (state.p[k] == core.p[k] || (state.p[k] >= 'A' && state.p[k] <= 'Z' && state.p[k] + 32 == core.p[k])))
            k++;
        if (k == core.n) return state_changes(p, x) ? i : NONE;
    }
    return NONE;
}

static void locks_of_one_state(Program *p)
{
    LinkState *s = p->state;
    s->lock_state = arena_new(p->arena, u32, p->places.n + 1);
    for (u32 i = 0; i < p->places.n; i++) s->lock_state[i] = NONE;
    for (u32 i = 0; i < p->places.n; i++)
        if (type_is_lock(p->places.v[i].type.kind)) s->lock_state[i] = state_named(p, &p->places.v[i]);
    for (u32 i = 0; i < p->locks.n; i++) {
        u32 place = p->locks.v[i].place;
        if (place != NONE && s->lock_state[place] == NONE) s->lock_state[place] = state_named(p, &p->places.v[place]);
    }
}

bool lock_of_one_state(const Program *p, u32 place)
{
    return p->state->lock_state[place] != NONE;
}

/* Is the lock named for another place than this one? */
static bool lock_of_other_state(const Program *p, u32 lock, u32 place)
{
    u32 at = p->locks.v[lock].place, state = at == NONE ? NONE : p->state->lock_state[at];
    return state != NONE && state != place;
}

static void guard_of(Program *p, u32 id)
{
    Place *x = &p->places.v[id];
    u32 lock[LOCKS_SEEN], held[LOCKS_SEEN], writes_held[LOCKS_SEEN], n = 0;
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        if (!access_counts(p, ga)) continue;
        const Access *a = program_access(p, ga);
        x->total++;
        const LockSet *ls = &p->locksets.v[p->access_locks[ga]];
        for (u32 k = 0; k < ls->n; k++) {
            if (p->locks.v[ls->ids[k]].func != NONE || p->locks.v[ls->ids[k]].place == id) continue;
            u32 j = 0, one = p->locks.v[ls->ids[k]].hoped ? p->locks.v[ls->ids[k]].real : ls->ids[k];
            while (j < n && lock[j] != one) j++;
            if (j == LOCKS_SEEN) continue;
            if (j == n) {
                lock[n] = one;
                held[n] = writes_held[n] = 0;
                n++;
            }
            held[j]++;
            writes_held[j] += op_changes(a->op);
        }
    }
    u32 best = NONE;
    for (u32 j = 0; j < n; j++) {
        /* the state only happens to be used there, too */
        if (2 * held[j] <= x->total && lock_of_other_state(p, lock[j], id)) continue;
        if (best == NONE || held[j] > held[best] || (held[j] == held[best] && writes_held[j] > writes_held[best]))
            best = j;
    }
    if (best != NONE) {
        x->guard = lock[best];
        x->guarded = held[best];
    }
}

/* Does the lock stand beside the state: in its class or one that it derives from, or in its module? */
static bool beside(const Program *p, const Place *lock, const Place *x)
{
    bool attribute = x->kind == PLACE_INSTANCE || x->kind == PLACE_CLASS_ATTR;
    if (!attribute || lock->owner == NONE || lock->kind == PLACE_CLOSURE) return lock->file == x->file && !attribute;
    return class_is_a(p, x->owner, lock->owner) || class_is_a(p, lock->owner, x->owner);
}

bool guarded_on_purpose(const Program *p, const Place *x)
{
    enum { OF_ALL = 2, OF_FIVE = 5 };
    u32 lock = p->locks.v[x->guard].place;
    if (x->guarded * OF_ALL >= x->total) return true;
    return lock != NONE && x->guarded * OF_FIVE >= x->total && beside(p, &p->places.v[lock], x);
}

/* A lock in the class body guards what the class keeps for all its objects; that each of them is shared it says only
 * where it guards theirs. */
static void body_locks(Program *p)
{
    for (u32 i = 0; i < p->places.n; i++) {
        const Place *x = &p->places.v[i];
        if (x->kind != PLACE_INSTANCE || x->owner == NONE || x->guard == NONE) continue;
        const Lock *l = &p->locks.v[x->guard];
        if (l->place == NONE || l->maybe || p->places.v[l->place].kind != PLACE_CLASS_ATTR) continue;
        if (p->places.v[l->place].owner == x->owner && !lock_of_one_state(p, l->place))
            p->state->classes[x->owner].has_lock = true;
    }
}

/* @factory(…): the function that factory() returns is called at once; only what that returns lives on. */
static void decorator_factories(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            if (!f->calls.v[i].is_decorator) continue;
            Ent e = path_entity(p, file, f->calls.v[i].callee);
            if (e.kind == ENT_FUNC) p->funcs[e.id].decorates_once = true;
        }
    }
}

/* return f, where f is a parameter whose name says that it is a function or a class. */
static bool returns_function(const Facts *f, const Def *d)
{
    static const char *const names[] = {"f", "fn", "func", "function", "cls", "klass", "handler", "callback"};
    const Path *q = d->kind == VAL_PATH ? &f->paths.v[d->value] : NULL;
    return q && q->root == ROOT_PARAM && !q->nattr && str_among(sym_str(f, q->name), names, COUNT_OF(names));
}

/* def before_request(self, f): self.before.append(f); return f. All that it returns is what it was given. */
static void handing_back(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->defs.n; i++)
            if (f->defs.v[i].is_return && returns_function(f, &f->defs.v[i]))
                p->funcs[gfunc_of(p, file, f->defs.v[i].func)].hands_back = true;
        for (u32 i = 0; i < f->defs.n; i++)
            if (f->defs.v[i].is_return && !returns_function(f, &f->defs.v[i]))
                p->funcs[gfunc_of(p, file, f->defs.v[i].func)].hands_back = false;
    }
}

void guards_find(Program *p)
{
    decorator_factories(p);
    handing_back(p);
    constructions_count(p);
    stays_find(p);
    locks_of_one_state(p);
    class_evidence(p);
    each_find(p);
    for (u32 i = 0; i < p->places.n; i++)
        if (p->places.v[i].n && !p->places.v[i].is_lock && p->places.v[i].file != NONE) guard_of(p, i);
    body_locks(p);
    kept_find(p);
    found_find(p);
    parts_of_found(p);
    named_reach(p);
    u32 *of_class = xmalloc((p->state->nclasses + 1) * sizeof *of_class);
    memset(of_class, 0xff, (p->state->nclasses + 1) * sizeof *of_class);
    for (u32 i = 0; i < p->places.n; i++)
        if (p->places.v[i].n) p->places.v[i].evidence = place_evidence(p, &p->places.v[i], of_class);
    free(of_class);
    declarations_apply(p);
}
