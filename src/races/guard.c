/* UG108: the place is guarded by a lock elsewhere, and changed here without it. UG307: against a guarded-by comment.
 *
 * Also turns what the other rules found about a guarded place into UG108: the cure is the lock that is there. Plain
 * loads are atomic and stay silent; a lone store of a constant is reported only where nearly all writes are guarded.
 */
#include "races/races.h"

typedef struct Tally {
    u32 writes, guarded_writes, guarded;
    bool updates; /* a guarded access is a read-modify-write: a store in between is lost */
    bool decided; /* a guarded test decides a guarded write: a store in between makes the test wrong */
} Tally;

/* with lock: if not x: x = … */
static bool decided_under(const Finder *f, u32 i, u32 lock)
{
    const Access *act = program_access(f->p, f->acc[i]);
    for (u32 k = i; k-- > 0;) {
        u32 t = f->acc[k];
        if (program_access(f->p, t)->func != act->func) return false;
        if (check_tests(f->p, t) && lockset_has(f->p, f->p->access_locks[t], lock) &&
            test_decides(f->p, t, f->acc[i]) && one_section(f->p, t, f->acc[i], NULL))
            return true;
    }
    return false;
}

bool func_remakes_lock(const Program *p, u32 ga, u32 lock)
{
    return func_makes_lock(p, access_gid(p, ga).file, program_access(p, ga)->func, lock, true);
}

static Tally tally(const Finder *f, u32 lock)
{
    Tally t = {0, 0, 0, false, false};
    for (u32 i = 0; i < f->nacc; i++) {
        if (!access_counts(f->p, f->acc[i])) continue;
        bool held = lockset_has(f->p, f->p->access_locks[f->acc[i]], lock),
             w = access_effect(f->p, f->acc[i]) & EFFECT_WRITE;
        t.writes += w;
        t.guarded_writes += w && held;
        t.guarded += held;
        u8 op = program_access(f->p, f->acc[i])->op;
        t.updates |= held && (op == OP_AUG || op == OP_ITEM_AUG);
        t.decided |= held && op == OP_STORE && decided_under(f, i, lock);
    }
    return t;
}

/* What was found about a place with a guard becomes a finding about that guard. */
static void relabel(Finder *f, u32 first, u32 lock)
{
    for (u32 i = first; i < f->out->n; i++) {
        Race *r = &f->out->v[i];
        if (r->place != f->place || r->rule == UG106 || r->rule == UG107 || r->lock != NONE) continue;
        if (r->rule != UG101 && r->rule != UG102 && r->rule != UG103 && r->rule != UG104) continue;
        bool unguarded = !lockset_has(f->p, f->p->access_locks[r->sites[0]], lock);
        if (!unguarded || func_remakes_lock(f->p, r->sites[0], lock)) continue;
        r->rule = UG108;
        r->severity = SEV_ERROR;
        r->lock = lock;
        Str guard = f->p->locks.v[lock].display;
        Str tail = str_last(guard, '.');
        r->message = str_fmt(f->a, "%.*s; elsewhere %.*s guards it", STR_ARG(r->message), STR_ARG(tail));
        r->fingerprint = hash_mix(r->fingerprint, 108);
    }
}

static bool constant_store(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    if (a->op != OP_STORE || a->value == NONE) return false;
    u8 k = f->defs.v[a->value].kind;
    return k == VAL_NONE || k == VAL_BOOL || k == VAL_NUMBER || k == VAL_STRING || k == VAL_PATH;
}

/* Does an access under the lock need that nobody adds an item meanwhile? Taking items out does not, nor looking one
 * up, nor a test that only decides whether one is taken out. */
static bool minds_growth(const Finder *f, u32 i, u32 lock)
{
    const Program *p = f->p;
    u32 ga = f->acc[i];
    const Access *a = program_access(p, ga);
    switch (a->op) {
    case OP_ITEM_DEL:
    case OP_ITEM_LOAD: return false;
    case OP_ITEM_STORE: return decided_under(f, i, lock);
    case OP_METHOD: {
        Str m = sym_str(p->facts[access_gid(p, ga).file], a->method);
        return !(f->effect[i] & EFFECT_SHRINK || str_is(m, "get")) || str_is(m, "clear");
    }
    case OP_CONTAINS:
    case OP_TRUTH:
        for (u32 k = i + 1; k < f->nacc && program_access(p, f->acc[k])->func == a->func; k++)
            if (access_gid(p, f->acc[k]).file == access_gid(p, ga).file && test_decides(p, ga, f->acc[k]) &&
                f->effect[k] & EFFECT_SHRINK && one_section(p, ga, f->acc[k], NULL))
                return false;
        return true;
    default: return true;
    }
}

/* d[k] = v without the lock, under which others only take items out: a dict has a lock of its own for that. */
static bool adds_alone(const Finder *f, u32 ga, u32 lock)
{
    const Program *p = f->p;
    u8 type = p->places.v[f->place].type.kind;
    if (p->options->model == MODEL_STRICT || program_access(p, ga)->op != OP_ITEM_STORE || type != TYPE_DICT)
        return false;
    for (u32 i = 0; i < f->nacc; i++)
        if (lockset_has(p, p->access_locks[f->acc[i]], lock) && access_counts(p, f->acc[i]) &&
            minds_growth(f, i, lock))
            return false;
    return true;
}

/* Does a thread that is started in sight come here? */
static bool in_thread(const Program *p, u32 ga)
{
    return p->funcs[access_func(p, ga)].threads;
}

/* Queues have a lock of their own; nothing else has put(). */
static bool queued(const Finder *f, u32 ga)
{
    GId g = access_gid(f->p, ga);
    const Access *a = program_access(f->p, ga);
    if (a->op != OP_METHOD) return false;
    Str name = sym_str(f->p->facts[g.file], a->method);
    return f->p->places.v[f->place].type.kind == TYPE_QUEUE || str_is(name, "put") || str_is(name, "put_nowait");
}

static void odd_writes(Finder *f, u32 lock, Tally t)
{
    const Program *p = f->p;
    bool usual = t.guarded_writes >= 2, few = t.guarded_writes == 1 && t.decided;
    if ((!usual && !few) || t.guarded_writes * 2 < t.writes) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (f->claimed[ga] || !(access_effect(p, ga) & EFFECT_WRITE) || lockset_has(p, p->access_locks[ga], lock))
            continue;
        const Access *a = program_access(p, ga);
        if (!usual && !in_thread(p, ga)) continue;
        if (queued(f, ga) || func_remakes_lock(p, ga, lock)) continue;
        bool lone = a->op == OP_STORE || a->op == OP_METHOD || a->op == OP_ITEM_STORE || a->op == OP_DEL;
        Conflict c = conflict_find(f, ga, EFFECT_WRITE, false);
        if (c.witness == NONE) continue;
        if (constant_store(p, ga) && !t.updates && !(t.decided && in_thread(p, ga)))
            c.confidence = CONF_LOW;
        else if (adds_alone(f, ga, lock))
            c.confidence = CONF_LOW;
        else if (lone && c.confidence > CONF_MEDIUM)
            c.confidence = CONF_MEDIUM;
        Race *r = race_add(f, UG108, ga, c);
        r->lock = lock;
        race_message(f, r, "%.*s is changed here without %.*s, which %u of its %u writes hold",
                     STR_ARG(short_state(p, f->place)), STR_ARG(p->locks.v[lock].display), t.guarded_writes,
                     t.writes);
    }
}

static void declared(Finder *f, u32 lock)
{
    const Program *p = f->p;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (f->claimed[ga] || lockset_has(p, p->access_locks[ga], lock) || !access_counts(p, ga)) continue;
        const FuncInfo *fi = &p->funcs[access_func(p, ga)];
        if (fi->construct && p->places.v[f->place].kind == PLACE_INSTANCE) continue;
        Confidence sure = left_to_callers(f, ga, lock) ? CONF_LOW : CONF_HIGH;
        Race *r = race_add(f, UG307, ga, (Conflict){ga, sure, false});
        r->nwhy = 0;
        r->lock = lock;
        race_message(f, r, "%.*s is declared as guarded by %.*s and used here without it",
                     STR_ARG(short_state(p, f->place)), STR_ARG(p->locks.v[lock].display));
    }
}

void race_declared(Finder *f)
{
    u32 lock = f->p->places.v[f->place].declared_guard;
    if (lock != NONE) declared(f, lock);
}

void race_guard(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->guard == NONE || f->p->locks.v[x->guard].maybe) return;
    Tally t = tally(f, x->guard);
    u32 first = 0;
    for (u32 i = f->out->n; i-- > 0 && f->out->v[i].place == f->place;) first = i;
    if (f->out->n && t.guarded_writes) relabel(f, first, x->guard);
    odd_writes(f, x->guard, t);
}
