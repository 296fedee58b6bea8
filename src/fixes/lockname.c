/* What a new lock is called: after the state it guards, or `_lock` where several places share it; a name that neither
 * the class, its bases and derived classes nor the file has. */
#include "fixes/fixes.h"

/* Bases: those that the program has. */
static bool name_in_bases(Plan *pl, u32 gclass, Str name, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    if (intern_find(&f->syms, name) != NONE) return true;
    for (u32 b = c->bases; b < c->bases + c->nbases && depth; b++) {
        Type t = path_type(pl->p, id.file, f->bases.v[b]);
        if (t.kind == TYPE_CLASS_OBJECT && name_in_bases(pl, t.id, name, depth - 1)) return true;
    }
    return false;
}

/* Derived classes, and what else these have for bases. */
static bool name_in_derived(Plan *pl, u32 gclass, Str name, u32 depth)
{
    derived_index(pl);
    for (u32 i = pl->derived_first[gclass]; i < pl->derived_first[gclass + 1]; i++) {
        if (name_in_bases(pl, pl->derived[i], name, 8)) return true;
        if (depth && name_in_derived(pl, pl->derived[i], name, depth - 1)) return true;
    }
    return false;
}

static bool is_attribute(const LockPlan *l)
{
    return l->kind == PLACE_INSTANCE || l->kind == PLACE_CLASS_ATTR;
}

/* Is a class derived from both? */
static bool joined(Plan *pl, u32 gclass, u32 other, u32 depth)
{
    derived_index(pl);
    for (u32 i = pl->derived_first[gclass]; i < pl->derived_first[gclass + 1]; i++)
        if (class_is_a(pl->p, pl->derived[i], other) || (depth && joined(pl, pl->derived[i], other, depth - 1)))
            return true;
    return false;
}

/* Are there objects that have both? The lock of one class would take the place of the other's of the same name. */
static bool same_objects(Plan *pl, const LockPlan *a, const LockPlan *b)
{
    return class_is_a(pl->p, a->owner, b->owner) || joined(pl, a->owner, b->owner, 8);
}

static bool name_taken(Plan *pl, const LockPlan *l, Str name)
{
    bool attribute = is_attribute(l);
    for (u32 i = 0; i < pl->out->locks.n; i++) {
        const LockPlan *o = &pl->out->locks.v[i];
        if (o->existing || !str_eq(o->name, name)) continue;
        if (attribute && is_attribute(o) && same_objects(pl, l, o)) return true;
        bool same = o->kind == l->kind && (l->kind == PLACE_GLOBAL || o->owner == l->owner);
        if (o->file == l->file && same) return true;
    }
    if (!attribute) return name_used(pl->p->facts[l->file], name);
    return name_in_bases(pl, l->owner, name, 8) || name_in_derived(pl, l->owner, name, 8);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

Str state_word(Str state)
{
    state = str_slice(state, 0, str_find(state, '['));
    state = str_slice(state, 0, str_find(state, '('));
    if (str_starts(state, S("<"))) state = str_slice(state, 1, str_find(state, '>'));
    size_t dot = str_rfind(state, '.');
    if (dot != state.n) state = str_slice(state, dot + 1, state.n);
    bool magic = str_starts(state, S("__")) && str_ends(state, S("__")) && state.n > 4;
    if (magic) state = str_slice(state, 0, state.n - 2);
    while (state.n > 1 && state.p[0] == '_') state = str_slice(state, 1, state.n);
    return state;
}

/* counter → counter, __cache → cache, MAX_SEEN → max_seen */
static Str core_name(Plan *pl, Str state)
{
    state = state_word(state);
    while (state.n > 1 && state.p[state.n - 1] == '_') state = str_slice(state, 0, state.n - 1);
    bool small = false;
    for (size_t i = 0; i < state.n; i++) small |= state.p[i] >= 'a' && state.p[i] <= 'z';
    char *to = arena_new(pl->a, char, state.n + 1);
    for (size_t i = 0; i < state.n; i++) to[i] = small ? state.p[i] : lower(state.p[i]);
    return (Str){to, state.n};
}

/* lock, file_locks, mutex, but not clock: a lock for the making of a lock is no _lock_lock. */
static bool names_lock(Str core)
{
    size_t under = str_rfind(core, '_');
    Str last = under == core.n ? core : str_slice(core, under + 1, core.n);
    return str_is(last, "lock") || str_is(last, "locks") || str_is(last, "rlock") || str_is(last, "mutex");
}

Str lock_new_name(Plan *pl, const LockPlan *l, Str state, bool several)
{
    Str core = core_name(pl, state);
    if (several && l->kind != PLACE_GLOBAL && !name_taken(pl, l, S("_lock"))) return S("_lock");
    const char *under = l->kind == PLACE_CLOSURE ? "" : "_";
    bool of_lock = names_lock(core);
    Str tries[] = {str_fmt(pl->a, "%s%.*s_%s", under, STR_ARG(core), of_lock ? "guard" : "lock"),
                   str_fmt(pl->a, "%s%.*s_state_lock", under, STR_ARG(core)),
                   str_fmt(pl->a, "%s%.*s_access_lock", under, STR_ARG(core))};
    for (u32 i = 0; i < COUNT_OF(tries); i++)
        if (!name_taken(pl, l, tries[i])) return tries[i];
    for (u32 i = 2;; i++) {
        Str name = str_fmt(pl->a, "%s%.*s_lock%u", under, STR_ARG(core), i);
        if (!name_taken(pl, l, name)) return name;
    }
}
