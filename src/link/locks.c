/* Locks: what stands for the object that is taken, and which locks are held at each access.
 *
 * A lock is the place that holds it, seen through aliases, parameters that always get the same one, and
 * Condition(lock). Something that only sounds like a lock is a lock with `maybe` set: enough to keep quiet, not
 * enough to accuse. Which lock a critical section takes is sections.c; which locks a function's callers hold is
 * entry.c. */
#include "link/locks.h"

u32 lock_intern(Program *p, u64 key, Lock lock)
{
    u32 *at = map_at(p->state->a, &p->state->lock_of, key);
    if (*at == NONE) {
        *at = p->locks.n;
        vec_push(p->arena, &p->locks, lock);
    }
    return map_get(&p->state->lock_of, key);
}

/* A field of a dataclass that holds a lock, and what the calls that make objects of the class give it. */
typedef struct Given {
    u32 field, cls, lock; /* places and a global class; lock NONE when they do not agree */
    u32 calls;
} Given;
typedef Vec(Given) GivenVec;

static void field_given(Program *p, Arena *a, GivenVec *all, u32 file, u32 cls, const Arg *arg)
{
    if (arg->kind != VAL_PATH || arg->star || !sounds_like_lock(sym_str(p->facts[file], arg->keyword))) return;
    Ent field = ent_attr(p, (Ent){ENT_INSTANCE, cls, NONE, NONE}, gsym(p, file, arg->keyword));
    Ent lock = path_entity(p, file, arg->value);
    if (field.kind != ENT_PLACE || lock.kind != ENT_PLACE || lock.id == field.id) return;
    Given *g = NULL;
    for (u32 i = 0; i < all->n && !g; i++)
        if (all->v[i].field == field.id && all->v[i].cls == cls) g = &all->v[i];
    if (!g) {
        vec_push(a, all, (Given){field.id, cls, lock.id, 0});
        g = &all->v[all->n - 1];
    }
    if (g->lock != lock.id) g->lock = NONE;
    g->calls++;
}

/* Task(…, _lock=self._lock) of a dataclass: fills LinkState.lock_given where every call outside of tests that makes
 * an object of the class passes the same lock. */
static void fields_given(Program *p)
{
    Arena scratch = {0};
    GivenVec all = {0};
    u32 *made = arena_new(&scratch, u32, p->state->nclasses + 1);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (p->tests[file]) continue;
        for (u32 i = 0; i < f->calls.n; i++) {
            Ent e = path_entity(p, file, f->calls.v[i].callee);
            if (e.kind != ENT_CLASS) continue;
            made[e.id]++;
            for (u32 k = 0; k < f->calls.v[i].nargs; k++)
                field_given(p, &scratch, &all, file, e.id, &f->args.v[f->calls.v[i].args + k]);
        }
    }
    for (u32 i = 0; i < all.n; i++)
        if (all.v[i].lock != NONE && all.v[i].calls == made[all.v[i].cls])
            map_put(p->state->a, &p->state->lock_given, all.v[i].field, all.v[i].lock);
    arena_free(&scratch);
}

/* The place that every caller gives for the parameter, or NONE. */
static u32 given_by_all(const Program *p, u32 file, const Path *x)
{
    const LinkState *s = p->state;
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[x->func];
    u32 one = NONE;
    for (u32 i = 0; i < fn->nparams && x->root == ROOT_PARAM; i++) {
        if (f->params.v[fn->params + i].name != x->name) continue;
        const ParamInfo *pi = &s->params[s->param_base[file] + fn->params + i];
        for (u32 k = 0; k < pi->n; k++) {
            Ent q = pi->from[k].kind == VAL_PATH ? path_entity(p, pi->from[k].file, pi->from[k].value)
                                                 : (Ent){ENT_NONE, NONE, NONE, NONE};
            if (q.kind != ENT_PLACE || pi->more || (one != NONE && one != q.id)) return NONE;
            one = q.id;
        }
    }
    return one;
}

/* The place that is bound here once more, as itself or as the lock of a Condition; NONE. */
static u32 bound_again(Program *p, u32 file, const Def *d)
{
    const Facts *f = p->facts[file];
    u32 from = d->kind == VAL_PATH ? d->value : NONE;
    if (d->kind == VAL_CALL) {
        const Call *c = &f->calls.v[d->value];
        if (call_type(p, file, d->value).kind == TYPE_CONDITION && c->nargs == 1 &&
            f->args.v[c->args].kind == VAL_PATH)
            from = f->args.v[c->args].value;
    }
    if (from == NONE) return NONE;
    Ent e = path_entity(p, file, from);
    if (e.kind == ENT_PLACE) return e.id;
    return e.kind == ENT_LOCAL ? given_by_all(p, file, &f->paths.v[from]) : NONE;
}

/* self._lock = lock (always the same one passed in), Condition(self._lock), wherever it is bound: the place whose
 * object it really is. */
u32 place_origin(Program *p, u32 place, u32 depth)
{
    const LinkState *s = p->state;
    u32 given = map_get(&s->lock_given, place), from = NONE;
    if (given != NONE && depth) return place_origin(p, given, depth - 1);
    if (depth == 0) return place;
    for (u32 at = map_get(&s->place_defs, place); at != NONE; at = s->defrefs.v[at].next) {
        u32 file = s->defrefs.v[at].file;
        u32 q = bound_again(p, file, &p->facts[file]->defs.v[s->defrefs.v[at].def]);
        if (q == NONE || q == place || (from != NONE && q != from)) return place;
        from = q;
    }
    return from == NONE ? place : place_origin(p, from, depth - 1);
}

u32 lock_of_place(Program *p, u32 place, u8 kind, bool maybe)
{
    place = place_origin(p, place, 4);
    const Place *x = &p->places.v[place];
    u8 k = type_is_lock(x->type.kind) ? x->type.kind : kind;
    Str display = x->display;
    if (!display.n) display = str_dot(p->arena, p->facts[x->file]->source->module, p->syms.strs[x->name]);
    return lock_intern(p, map_key(1, place),
                       (Lock){.place = place,
                              .kind = k,
                              .reentrant = k == TYPE_RLOCK || k == TYPE_CONDITION || k == TYPE_UNKNOWN,
                              .maybe = maybe,
                              .display = display,
                              .func = NONE});
}

u32 lock_at(Program *p, u32 place)
{
    return lock_of_place(p, place, TYPE_LOCK, false);
}

/* The lock as far as the callers in sight hold it. */
u32 lock_hoped(Program *p, u32 lock)
{
    Lock l = p->locks.v[lock];
    if (l.hoped) return lock;
    l.hoped = l.maybe = true;
    l.real = lock;
    l.display = str_fmt(p->arena, "%.*s (held by every caller in sight)", STR_ARG(l.display));
    return lock_intern(p, map_key(4, lock), l);
}

u32 lock_by_text(Program *p, u32 file, u32 path, u32 func, bool maybe)
{
    Str text = path_text(p->arena, p->facts[file], path);
    u64 key = hash_mix(hash_mix(str_hash(text), file), 99);
    if (func != NONE) key = hash_mix(key, func); /* with Lock(): in two functions: two of them */
    key &= ~(1ull << 63);
    return lock_intern(
        p, key,
        (Lock){
            .place = NONE, .kind = TYPE_UNKNOWN, .reentrant = true, .maybe = maybe, .display = text, .func = func});
}

Str last_name(const Facts *f, const Path *x)
{
    for (u32 i = x->nattr; i-- > 0;)
        if (x->attr[i] != SYM_ITEM) return sym_str(f, x->attr[i]);
    return x->root == ROOT_CALL ? S("") : sym_str(f, x->name);
}

u32 held_at(Program *p, u32 file, u32 func, u32 offset)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    u32 set = 0;
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        u32 lock = p->section_lock[p->section_base[file] + i];
        if (lock != NONE && section_holds(s, offset)) set = lockset_add(p, set, lock);
    }
    return set;
}

static bool is_local(const Facts *f, u32 path, u32 func, u32 name)
{
    const Path *x = &f->paths.v[path];
    return x->root == ROOT_LOCAL && x->func == func && x->name == name;
}

/* Does the function do more with its local lock than take it, so that others may have it: pass it, store it, return
 * or yield it, bind it again, take it in a function inside? */
static bool lock_leaves(const Program *p, u32 file, u32 func, u32 name)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    const Def *made = local_def(p, file, func, name);
    if (!made || made->kind != VAL_CALL || f->calls.v[made->value].nargs) return true;
    for (u32 i = 0; i < f->args.n; i++)
        if (f->args.v[i].kind == VAL_PATH && is_local(f, f->args.v[i].value, func, name)) return true;
    for (u32 i = 0; i < f->defs.n; i++)
        if (f->defs.v[i].kind == VAL_PATH && is_local(f, f->defs.v[i].value, func, name)) return true;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++)
        if (f->accesses.v[i].op == OP_RETURN && is_local(f, f->accesses.v[i].path, func, name)) return true;
    for (u32 i = 0; i < f->sections.n; i++)
        if (f->sections.v[i].func != func && is_local(f, f->sections.v[i].path, func, name)) return true;
    return false;
}

/* @contextmanager def guard(): lock = Lock(); with lock: yield: of the section that takes it, another one each time,
 * which keeps nobody out. */
static bool made_by_manager(const Program *p, u32 file, const Section *s, u32 lock)
{
    const Lock *l = &p->locks.v[lock];
    if (l->func == NONE || l->func == gfunc_of(p, file, s->func) || l->place == NONE || s->call == NONE) return false;
    GId g = func_gid(p, l->func);
    const Place *q = &p->places.v[l->place];
    if (q->kind != PLACE_CLOSURE || q->owner != l->func || !p->facts[g.file]->funcs.v[g.id].is_generator)
        return false;
    u32 name = intern_find(&p->facts[g.file]->syms, p->syms.strs[q->name]);
    return name != NONE && !lock_leaves(p, g.file, g.id, name);
}

/* def start(): lock = Lock(); def work(): with lock: …; and with lock: … in start() itself: what a function inside
 * takes, too, is no lock of one function; the threads that the call starts share it, as they share what is beside
 * it. */
static void taken_inside(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->sections.n; i++) {
            u32 *lock = &p->section_lock[p->section_base[file] + i];
            const Section *s = &p->facts[file]->sections.v[i];
            if (*lock == NONE) continue;
            if (made_by_manager(p, file, s, *lock))
                *lock = NONE;
            else if (p->locks.v[*lock].func != gfunc_of(p, file, s->func))
                p->locks.v[*lock].func = NONE;
        }
}

/* A function that takes the lock for a with statement, or gives it back, or that is called like one that does nothing
 * else: its callers know, and the section that it begins or ends is one of theirs. */
static bool of_manager(const Facts *f, const Func *fn)
{
    static const char *const words[] = {"acquire", "Acquire", "release", "Release", "lock", "Lock", "enter", "exit"};
    Str name = sym_str(f, fn->name);
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (str_contains(name, str_from(words[i]))) return true;
    return fn->is_generator;
}

/* The lock of the name, whose receiver is not known: any of that name. */
static void passed_by_name(Program *p, Str name)
{
    for (u32 l = 0; l < p->locks.n && name.n; l++)
        if (p->locks.v[l].place != NONE && str_eq(p->syms.strs[p->places.v[p->locks.v[l].place].name], name))
            p->locks.v[l].passed = true;
}

/* get() returns with the lock taken, and put() gives it back. */
static void locks_passed(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->sections.n; i++) {
            const Section *s = &f->sections.v[i];
            u32 lock = p->section_lock[p->section_base[file] + i];
            if (!s->entered || of_manager(f, &f->funcs.v[s->func])) continue;
            if (lock == NONE && path_type(p, file, s->path).kind != TYPE_UNKNOWN) continue; /* no lock */
            if (lock == NONE || p->locks.v[lock].place == NONE)
                passed_by_name(p, last_name(f, &f->paths.v[s->path]));
            else
                p->locks.v[lock].passed = true;
        }
    }
}

void locks_link(Program *p)
{
    lockset_intern(p, NULL, 0); /* id 0 is the empty set */
    fields_given(p);
    u32 total = p->section_base[p->nfiles];
    p->section_lock = arena_new(p->arena, u32, total);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->sections.n; i++)
            p->section_lock[p->section_base[file] + i] = section_lock_of(p, file, i, SECTION_DEPTH);
    taken_inside(p);
    locks_passed(p);
    decorator_locks(p);
    entry_locks(p);
    part_locks(p);
    p->access_locks = arena_new(p->arena, u32, p->state->naccesses);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->accesses.n; i++) {
            const Access *a = &f->accesses.v[i];
            u32 set = f->funcs.v[a->func].nsections ? held_at(p, file, a->func, a->span.start) : 0;
            p->access_locks[p->access_base[file] + i] =
                lockset_union(p, set, p->funcs[gfunc_of(p, file, a->func)].entry_locks);
        }
    }
}
