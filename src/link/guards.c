/* The guard table: for each place the lock that most of its accesses hold; and the evidence that the place is shared.
 *
 * Accesses that cannot race do not count: import time, the making of the object itself, objects that a function made
 * for itself. */
#include "link/link.h"

enum { LOCKS_SEEN = 16, SUBCLASS_DEPTH = 6 };

/* self.__class__(…), cls(…) */
static bool of_own_class(const Facts *f, const Call *c)
{
    const Path *x = &f->paths.v[c->callee];
    if (x->root == ROOT_CLS) return !x->nattr;
    return x->root == ROOT_SELF && x->nattr == 1 && str_is(sym_str(f, x->attr[0]), "__class__");
}

/* stages = [Stage(f) for f in fns]; stages[-1].outbox = Queue(): the function has made all that the local holds, and
 * no thread has them yet. */
static bool owned_element(const Program *p, u32 file, const Access *a, const Path *x)
{
    const LinkState *s = p->state;
    const Facts *f = p->facts[file];
    if (x->root != ROOT_LOCAL || x->nattr != 2 || x->attr[0] != SYM_ITEM || x->func != a->func) return false;
    const Def *d = local_def(p, file, x->func, x->name);
    if (!d || (d->kind != VAL_LIST && d->kind != VAL_DICT)) return false;
    u32 start = p->funcs[gfunc_of(p, file, a->func)].first_start;
    if (start != NONE && a->span.end > start) return false;
    u32 at = map_get(&s->elem_defs, local_key(file, x->func, x->name) + 1);
    for (u32 k = at; k != NONE; k = s->defrefs.v[k].next) {
        const Def *made = &f->defs.v[s->defrefs.v[k].def];
        if (made->kind != VAL_CALL || path_entity(p, file, f->calls.v[made->value].callee).kind != ENT_CLASS)
            return false;
    }
    return at != NONE;
}

/* Does the call give an object that nobody else has? What a function gives may be known to others. */
static bool makes_object(const Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    Ent e = path_entity(p, file, f->calls.v[call].callee);
    Str name = e.kind == ENT_FUNC ? sym_str(p->facts[func_gid(p, e.id).file], program_func(p, e.id)->name) : S("");
    return e.kind == ENT_CLASS || of_own_class(f, &f->calls.v[call]) || str_is(name, "__new__") ||
           str_is(name, "copy") || str_is(name, "clone");
}

/* x = C(); x.n += 1: the function's own object, unless inner functions see it. */
static bool owned(const Program *p, u32 file, const Access *a, const Path *x)
{
    if (x->root == ROOT_CALL) return x->nattr == 1 && makes_object(p, file, x->func);
    if (owned_element(p, file, a, x)) return true;
    if (x->root != ROOT_LOCAL || !x->nattr || x->func != a->func) return false;
    const LinkState *s = p->state;
    u32 at = map_get(&s->local_defs, local_key(file, x->func, x->name));
    if (at == NONE) return false;
    for (; at != NONE; at = s->defrefs.v[at].next) {
        const Def *d = &p->facts[file]->defs.v[s->defrefs.v[at].def];
        if (d->kind != VAL_CALL || !makes_object(p, file, d->value)) return false;
    }
    return true;
}

/* Does the call on the local start the object's thread (1), or may it wait for its end (2)? */
static u8 starts_or_ends(const Program *p, u32 file, const Call *c, const Path *local)
{
    static const char *const ends[] = {"join",   "stop", "close",     "shutdown", "wait",
                                       "result", "quit", "terminate", "cancel",   "disconnect"};
    const Facts *f = p->facts[file];
    const Path *q = &f->paths.v[c->callee];
    if (q->root != ROOT_LOCAL || q->name != local->name || q->func != local->func || !q->nattr) return 0;
    u32 last = q->attr[q->nattr - 1];
    if (last == SYM_ITEM) return 0;
    if (str_has_any(sym_str(f, last), ends, COUNT_OF(ends))) return 2;
    if (q->nattr != 1) return 0;
    Ent e = path_entity(p, file, c->callee);
    if (e.kind == ENT_FUNC) return p->funcs[e.id].first_start != NONE;
    return str_is(sym_str(f, last), "start") && thread_named(p, file, q);
}

/* w = Worker(); w.start(); w.n += 1: does the thread of the function's own object run there? */
static bool own_started(const Program *p, u32 file, const Access *a, const Path *x)
{
    const Facts *f = p->facts[file];
    const LinkState *s = p->state;
    if (x->root != ROOT_LOCAL || is_test_path(f->source->path)) return false;
    u32 from = NONE, bound = 0; /* after which call it runs; where the local was last bound */
    for (u32 at = map_get(&s->local_defs, local_key(file, x->func, x->name)); at != NONE;
         at = s->defrefs.v[at].next) {
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        Ent e = d->kind == VAL_CALL ? path_entity(p, file, f->calls.v[d->value].callee) : (Ent){.kind = ENT_NONE};
        if (e.kind != ENT_CLASS) return false;
        if (!s->classes[e.id].makes_threads && !class_is_thread(p, e.id)) return false;
        if (f->calls.v[d->value].span.end > a->span.start || d->span.start < bound) continue;
        u32 init = method_by_name(p, e.id, "__init__");
        bound = d->span.start;
        from = init != NONE && p->funcs[init].first_start != NONE ? f->calls.v[d->value].span.end : NONE;
    }
    const Func *fn = &f->funcs.v[a->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls && f->calls.v[i].span.start < a->span.start; i++) {
        const Call *c = &f->calls.v[i];
        u8 does = c->span.start < bound || c->span.end > a->span.start ? 0 : starts_or_ends(p, file, c, x);
        if (does) from = does == 1 ? c->span.end : NONE;
    }
    return from != NONE;
}

bool access_of_started(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Access *a = &p->facts[g.file]->accesses.v[g.id];
    const Path *x = &p->facts[g.file]->paths.v[a->path];
    return owned(p, g.file, a, x) && own_started(p, g.file, a, x);
}

/* Objects that threads make for themselves: every one stays with the thread, or is made by code that runs in a
 * thread, and kept in a local; or by any code in a local that does not leave it. */
static bool made_by_threads(const Program *p, const Place *x)
{
    if (x->kind != PLACE_INSTANCE || x->owner == NONE) return false;
    const ClassInfo *c = &p->state->classes[x->owner];
    if (c->fresh) return true;
    if (objects_stay(p, x->owner)) return true;
    if (c->subs.n || c->singleton || c->any_lock || c->shown || c->handed_to_many || c->hooked) return false;
    return (c->made_elsewhere && !c->kept) || (c->made_inside && !c->leaves && !c->makes_threads);
}

/* Entries of a table, and a number that is counted up: who asks for another key, or another number, changes them, now
 * or later. What is made once is made while modules are imported. */
static bool changed_when_asked(const Program *p, const Place *x, u8 op)
{
    u8 kind = x->type.kind;
    if (type_is_container(kind)) return kind != TYPE_LIST && kind != TYPE_DEQUE && op != OP_STORE && op != OP_DEL;
    for (u32 i = 0; kind == TYPE_NUMBER && i < x->n; i++)
        if (program_access(p, p->place_access.v[x->first + i])->op == OP_AUG) return true;
    return false;
}

/* def __init__(self, pool): self.pool = pool; self.pool.size += 1: a number of an object that is there already, and
 * counts those that are made. */
static bool counts_in_owner(const Program *p, u32 file, const Access *a, const Path *x)
{
    const Func *fn = &p->facts[file]->funcs.v[a->func];
    if (a->op != OP_AUG || x->root != ROOT_SELF || x->nattr < 2 || fn->self_class == NONE) return false;
    return attr_given(p, gclass_of(p, file, fn->self_class), gsym(p, file, x->attr[0]));
}

Alone access_alone(const Program *p, u32 gaccess)
{
    GId g = access_gid(p, gaccess);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, g.file, a->func)];
    u32 place = p->access_place[gaccess];
    const Path *x = &f->paths.v[a->path];
    if (a->in_nested_def) return ALONE_DEFINITION;
    bool class_body = f->blocks.v[a->block].kind == BLOCK_CLASS;
    if (class_body && place != NONE && p->places.v[place].kind == PLACE_CLASS_ATTR) return ALONE_DEFINITION;
    bool later = fi->asked && !fi->decorates_once && !fi->hands_back && place != NONE;
    if (fi->import_time && !(later && changed_when_asked(p, &p->places.v[place], a->op))) return ALONE_IMPORT;
    if (place != NONE && made_by_threads(p, &p->places.v[place]) && p->options->assume != ASSUME_ALWAYS)
        return ALONE_THREAD_OBJECT;
    if (a->func == 0 && !in_main_block(f, a->block) && !p->concurrent) return ALONE_IMPORT;
    if (a->func == 0 && class_body) return ALONE_IMPORT;
    bool early = fi->first_start == NONE || before_threads(p, gaccess); /* nothing started here runs yet */
    if (a->func == 0 && early && !in_main_block(f, a->block)) return ALONE_IMPORT;
    for (u32 depth = 0; fi->construct && x->root == ROOT_CALL && depth < 4; depth++) /* self.items.values() */
        x = &f->paths.v[f->calls.v[x->func].callee];
    bool instance = place != NONE && p->places.v[place].kind == PLACE_INSTANCE;
    if (instance && fi->construct && (x->root == ROOT_SELF || x->root == ROOT_CLS) &&
        !counts_in_owner(p, g.file, a, x))
        return ALONE_CONSTRUCT;
    if (instance && param_made_here(p, g.file, x)) return ALONE_CONSTRUCT;
    if (instance && fi->construct && x->root != ROOT_SELF && x->root != ROOT_GLOBAL) {
        const Func *fn = &f->funcs.v[a->func];
        if (fn->cls != NONE && str_is(sym_str(f, fn->name), "__new__")) return ALONE_CONSTRUCT;
    }
    /* the function that owns a captured variable, before it has given the inner function away */
    if (place != NONE && p->places.v[place].kind == PLACE_CLOSURE &&
        gfunc_of(p, g.file, a->func) == p->places.v[place].owner && early)
        return ALONE_CAPTURE;
    x = &f->paths.v[a->path];
    return owned(p, g.file, a, x) && !(instance && own_started(p, g.file, a, x)) ? ALONE_OWN : ALONE_NOT;
}

bool access_counts(const Program *p, u32 gaccess)
{
    return access_alone(p, gaccess) == ALONE_NOT;
}

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

static bool lock_of_one_state(const Program *p, u32 place)
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

static bool name_says_shared(Str s)
{
    static const char *const words[] = {"pool",    "cache",   "registry", "session",   "client", "manager", "store",
                                        "storage", "backend", "tracker",  "collector", "hub",    "loader",  "lru"};
    return str_has_any(s, words, COUNT_OF(words));
}

/* import thread: its name in Python 2. */
static bool imports_thread(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++)
        if (!f->imports.v[i].level && str_is(sym_str(f, f->imports.v[i].module), "thread")) return true;
    return false;
}

/* Are processes all that the file takes of concurrent.futures? */
static bool only_processes(const Program *p, u32 file)
{
    const Intern *names = &p->facts[file]->syms;
    bool threads = intern_find(names, S("ThreadPoolExecutor")) != NONE;
    return !threads && intern_find(names, S("ProcessPoolExecutor")) != NONE;
}

/* Does the file import what starts threads? */
static bool imports_threads(const Program *p, u32 file)
{
    bool futures = file_imports(p, file, "concurrent.futures") && !only_processes(p, file);
    return uses_threads(p, file) || futures || file_imports(p, file, "_thread") || imports_thread(p, file);
}

/* Does a thread start in the file, or run a function of it? */
static bool has_root(const Program *p, u32 file)
{
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        bool starts = r->call != NONE && r->file == file;
        if (starts || (r->func != NONE && func_gid(p, r->func).file == file)) return true;
    }
    return false;
}

bool lone_script(const Program *p, u32 file)
{
    return is_script(p, file) && !imports_threads(p, file) && !has_root(p, file);
}

/* A global or class attribute that is made at import time, outside of tests, and holds an object of a class of ours.
 * What a script makes has one thread, unless some are in sight there. */
bool kept_for_all(const Program *p, const Place *x)
{
    if ((x->kind != PLACE_GLOBAL && x->kind != PLACE_CLASS_ATTR) || x->type.kind != TYPE_CLASS || x->file == NONE ||
        x->def == NONE)
        return false;
    if (lone_script(p, x->file)) return false;
    const Facts *f = p->facts[x->def_file];
    const Def *d = &f->defs.v[x->def];
    u32 bits = 0;
    if (in_main_block(f, d->block) && !is_script(p, x->def_file)) return false; /* a module shows what it can do */
    if (x->kind == PLACE_CLASS_ATTR) class_attr_owner(p, x->owner, x->name, &bits);
    if (d->augmented || bits & ATTR_FIELD) return false; /* it is only declared, or each object has its own */
    if (x->kind == PLACE_GLOBAL) return !kept_by_process(p, x);
    return d->func == 0;
}

/* A count of ClassInfo, over the class and its subclasses. A class of which one instance happens to be a constant of
 * some module, beside those that are made elsewhere, is no singleton. */
static u32 counted(const Program *p, u32 cls, size_t count)
{
    return class_family_count(p, cls, count, SUBCLASS_DEPTH);
}

/* Globals and class attributes that hold an object of the class or of a class derived from it. */
u32 class_kept_globally(const Program *p, u32 gclass)
{
    return counted(p, gclass, offsetof(ClassInfo, kept_globally));
}

/* Are there a few instances that a module keeps from its import on, and hardly any others? What the class's own
 * functions make, from_file() or copy(), says nothing of the instance that has a name. Of many, each is a constant.
 */
static bool few_with_names(const Program *p, u32 cls)
{
    enum { FEW = 8 };
    u32 kept = counted(p, cls, offsetof(ClassInfo, kept_globally)),
        made = counted(p, cls, offsetof(ClassInfo, made_elsewhere));
    bool named = p->state->classes[cls].named;
    for (u32 i = 0; i < p->state->classes[cls].subs.n; i++)
        named |= p->state->classes[p->state->classes[cls].subs.v[i]].named;
    return named && kept <= FEW && kept + counted(p, cls, offsetof(ClassInfo, made_by_own)) >= made;
}

/* A thread, an executor, or an object of a class of threads: whoever has the object beside it may be another one. */
bool place_holds_thread(const Program *p, const Place *x)
{
    static const char *const bases[] = {"threading.Thread", "threading.Timer", "threading._Timer"};
    if (x->type.kind == TYPE_THREAD || x->type.kind == TYPE_EXECUTOR) return true;
    return x->type.kind == TYPE_CLASS && class_derives_any(p, x->type.id, bases, COUNT_OF(bases));
}

/* self.jobs = queue.Queue(), which is for threads that hand things to each other; a process has queues of its own. */
static bool holds_queue(const Program *p, const Place *x)
{
    return x->kind == PLACE_INSTANCE && x->type.kind == TYPE_QUEUE && x->file != NONE &&
           (file_imports(p, x->file, "queue") || file_imports(p, x->file, "Queue"));
}

/* Classes that have locks, make threads, hold queues, are kept in globals, or wrap functions. */
static void class_evidence(Program *p)
{
    LinkState *s = p->state;
    for (u32 i = 0; i < s->nclasses; i++) {
        s->classes[i].hints = class_hints(p, i);
        s->classes[i].decorator |= !s->classes[i].made_elsewhere && wraps_function(p, i);
    }
    for (u32 i = 0; i < p->places.n; i++) {
        const Place *x = &p->places.v[i];
        if (x->owner != NONE && (x->kind == PLACE_INSTANCE || x->kind == PLACE_CLASS_ATTR)) {
            if (type_is_lock(x->type.kind)) s->classes[x->owner].any_lock = true;
            if (x->kind == PLACE_INSTANCE && type_is_lock(x->type.kind) && !lock_of_one_state(p, i))
                s->classes[x->owner].has_lock = true;
            if (place_holds_thread(p, x)) s->classes[x->owner].makes_threads = true;
            if (holds_queue(p, x)) s->classes[x->owner].hints |= EV_CLASS_LOCKS;
        }
        if (kept_for_all(p, x)) s->classes[x->type.id].kept_globally++;
    }
    singles_find(p);
    for (u32 i = 0; i < s->nclasses; i++) {
        u32 kept = counted(p, i, offsetof(ClassInfo, kept_globally));
        s->classes[i].singleton |= kept && kept >= counted(p, i, offsetof(ClassInfo, made_elsewhere));
    }
    named_count(p);
    for (u32 i = 0; i < s->nclasses; i++) s->classes[i].singleton |= few_with_names(p, i);
    for (u32 i = 0; i < p->locks.n; i++) {
        u32 place = p->locks.v[i].place;
        if (place == NONE || p->locks.v[i].maybe) continue;
        const Place *x = &p->places.v[place];
        if (x->kind == PLACE_INSTANCE && x->owner != NONE && !lock_of_one_state(p, place))
            s->classes[x->owner].has_lock = true;
    }
    given_find(p);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 1; i < f->funcs.n; i++) {
            const Func *fn = &f->funcs.v[i];
            for (u32 k = fn->decorators; k < fn->decorators + fn->ndecorators; k++) {
                Ent e = path_entity(p, file, f->decorators.v[k]);
                if (e.kind == ENT_CLASS) s->classes[e.id].decorator = true;
            }
            Str name = sym_str(f, fn->name);
            if (fn->cls != NONE && (str_is(name, "__get__") || str_is(name, "__set_name__")))
                s->classes[gclass_of(p, file, fn->cls)].decorator = true;
        }
    }
}

/* Does the name stand in the text as a value, and not as a part of another one, an attribute or what is called? */
static bool word_at(Str text, Str word)
{
    for (size_t i = 0; i + word.n <= text.n; i++) {
        if (memcmp(text.p + i, word.p, word.n) != 0) continue;
        char before = i ? text.p[i - 1] : ' ', after = i + word.n < text.n ? text.p[i + word.n] : ' ';
        if (!is_word_char(before) && before != '.' && !is_word_char(after) && after != '(') return true;
    }
    return false;
}

/* Does an inner function that uses the variable outlive the call: is it returned, stored or passed on? */
static bool closure_escapes(const Program *p, const Place *x)
{
    GId g = func_gid(p, x->owner);
    const Facts *f = p->facts[g.file];
    for (u32 i = 0; i < x->n; i++) {
        GId ga = access_gid(p, p->place_access.v[x->first + i]);
        if (ga.file != g.file) continue;
        u32 inner = f->accesses.v[ga.id].func;
        while (inner && f->funcs.v[inner].parent != g.id) inner = f->funcs.v[inner].parent;
        if (!inner || f->funcs.v[inner].is_lambda) continue;
        Str name = sym_str(f, f->funcs.v[inner].name);
        for (u32 k = map_get(&p->state->local_defs, local_key(g.file, g.id, SYM_EMPTY)); k != NONE;
             k = p->state->defrefs.v[k].next) {
            const Def *d = &f->defs.v[p->state->defrefs.v[k].def];
            if (word_at(str_slice(f->source->text, d->span.start, d->span.end), name)) return true;
        }
    }
    return false;
}

bool takes_anything(const Facts *f, const Func *fn)
{
    bool star = false, star2 = false;
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++) {
        star |= f->params.v[i].star;
        star2 |= f->params.v[i].star2;
    }
    return star && star2;
}

/* Does an inner function of the owner call what the owner, or a function around it, was given, or take any arguments:
 * is it a wrapper? The wrapper of a function is called by all who call the function. Other inner functions are mostly
 * given to one. */
static bool closure_wraps(const Program *p, const Place *x)
{
    GId g = func_gid(p, x->owner);
    const Facts *f = p->facts[g.file];
    for (u32 i = 1; i < f->funcs.n; i++)
        if (f->funcs.v[i].parent == g.id && takes_anything(f, &f->funcs.v[i])) return true;
    for (u32 i = 0; i < f->calls.n; i++) {
        const Path *callee = &f->paths.v[f->calls.v[i].callee];
        u32 inner = f->calls.v[i].func, outer = g.id;
        if (callee->root != ROOT_PARAM || callee->nattr || inner == g.id) continue;
        while (inner && inner != g.id) inner = f->funcs.v[inner].parent;
        while (outer && outer != callee->func) outer = f->funcs.v[outer].parent;
        if (inner && outer) return true;
    }
    return false;
}

/* Of a decorator factory, what the wrapper two functions further in captures: it lives on with the wrapper. */
static bool wraps_from_factory(const Program *p, const Place *x)
{
    GId g = func_gid(p, x->owner);
    const Facts *f = p->facts[g.file];
    for (u32 i = 0; i < x->n; i++) {
        GId ga = access_gid(p, p->place_access.v[x->first + i]);
        if (ga.file != g.file) continue;
        u32 inner = f->accesses.v[ga.id].func, between = f->funcs.v[inner].parent;
        if (inner == g.id || !between || between == g.id || f->funcs.v[between].parent != g.id) continue;
        if (takes_anything(f, &f->funcs.v[inner]) && !f->funcs.v[inner].is_async) return true;
    }
    return false;
}

/* Does the lock stand beside the state: in its class or one that it derives from, or in its module? */
static bool beside(const Program *p, const Place *lock, const Place *x)
{
    bool attribute = x->kind == PLACE_INSTANCE || x->kind == PLACE_CLASS_ATTR;
    if (!attribute || lock->owner == NONE || lock->kind == PLACE_CLOSURE) return lock->file == x->file && !attribute;
    return class_is_a(p, x->owner, lock->owner) || class_is_a(p, lock->owner, x->owner);
}

/* Is the lock there for the state? It is when it is held at half of the accesses, or stands beside it and is held at
 * one of five. Below that, code that holds the lock for its own sake comes by: held at 2 of 104. */
static bool guarded_on_purpose(const Program *p, const Place *x)
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

/* What the class of an object says of all its attributes. */
static u32 object_evidence(const Program *p, u32 gclass)
{
    const ClassInfo *c = &p->state->classes[gclass];
    u32 ev = c->hints, file;
    if (c->has_lock || c->makes_threads) ev |= EV_CLASS_LOCKS;
    if (c->singleton) ev |= EV_SINGLETON;
    if (c->handed) ev |= EV_HANDED;
    if (c->same) ev |= EV_SAME;
    if (c->part) ev |= EV_PART;
    if (c->found) ev |= EV_FOUND;
    if (c->decorator) ev |= EV_DECORATOR;
    const Class *k = program_class(p, gclass, &file);
    if (name_says_shared(sym_str(p->facts[file], k->name))) ev |= EV_NAME;
    if (imports_threads(p, file)) ev |= EV_FILE;
    if (class_derives(p, gclass, "type") || class_derives(p, gclass, "abc.ABCMeta"))
        ev |= EV_MODULE; /* its objects are classes */
    return ev;
}

/* Does a thread in sight come to the state? */
static bool thread_comes(const Program *p, const Place *x)
{
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        if (access_counts(p, ga) && p->funcs[access_func(p, ga)].threads && roots_coming(p, ga)) return true;
    }
    return false;
}

/* `of_class`: the evidence of each class, once it was asked for; NONE before. */
static u32 place_evidence(const Program *p, const Place *x, u32 *of_class)
{
    u32 ev = 0;
    if (x->guard != NONE && !p->locks.v[x->guard].maybe) ev |= guarded_on_purpose(p, x) ? EV_GUARDED : EV_TOUCHED;
    if (x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR || x->kind == PLACE_DEFAULT) ev |= EV_MODULE;
    if (x->kind == PLACE_INSTANCE && x->owner != NONE) {
        if (of_class[x->owner] == NONE) of_class[x->owner] = object_evidence(p, x->owner);
        ev |= of_class[x->owner];
        if (x->type.kind == TYPE_CACHE && p->library) ev |= EV_NAME; /* kept for its users */
        if (p->state->classes[x->owner].hooked && thread_comes(p, x)) ev |= EV_CLASS_LOCKS;
        if (!(ev & EV_SINGLETON) && changed_on_global(p, x)) ev |= EV_SINGLETON;
    }
    bool lives_on = x->kind == PLACE_CLOSURE && x->owner != NONE && closure_escapes(p, x);
    bool wraps = lives_on && wraps_from_factory(p, x);
    if (lives_on && (wraps || !p->funcs[x->owner].decorates_once))
        ev |= wraps || closure_wraps(p, x) ? EV_DECORATOR : uses_threads(p, x->file) ? EV_FILE : EV_TOUCHED;
    if (p->options->assume == ASSUME_ALWAYS) ev |= EV_ALWAYS;
    return ev;
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
    named_reach(p);
    u32 *of_class = xmalloc((p->state->nclasses + 1) * sizeof *of_class);
    memset(of_class, 0xff, (p->state->nclasses + 1) * sizeof *of_class);
    for (u32 i = 0; i < p->places.n; i++)
        if (p->places.v[i].n) p->places.v[i].evidence = place_evidence(p, &p->places.v[i], of_class);
    free(of_class);
    declarations_apply(p);
}
