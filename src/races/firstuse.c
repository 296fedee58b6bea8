/* UG103 and UG104 by their shape: first uses that the interpreter tests, and locks of objects that have no name here.
 *
 *   def __get__(self, obj, owner):                    if not hasattr(obj, "_lock"):
 *       value = obj.__dict__[self.name] = self.func(obj)    obj._lock = threading.Lock()
 *
 *   def __missing__(self, key):                       @functools.cached_property
 *       value = self[key] = make(key)                 def queues(self): return {}
 *
 * A descriptor without __set__ is asked until the object has an entry of the name, so the first use is tested by the
 * interpreter (docs.python.org/3/howto/descriptor.html, "Invocation from an instance"), and two threads may both come
 * here. So they may to what dict.__getitem__ calls for want of a key. And a lock says of itself that threads share
 * what it is kept in, whatever the type of that. functools.cached_property has had no lock since Python 3.12: what
 * two threads compute at once is computed twice, which mostly does no harm; but a lock, a queue, or a container that
 * is there to be filled is one of two, and who has the other one is alone with it.
 *
 * Needs the accesses and calls of one function. Left alone: descriptors that look again or hold a lock, entries that
 * are the same whoever makes them, and locks that have a place, which the rules about places look at. */
#include "races/races.h"

/* Is this the argument of __get__ that stands for the object? */
static bool is_object(const Facts *x, const Func *fn, u32 path, u32 nattr)
{
    const Path *q = &x->paths.v[path];
    return q->root == ROOT_PARAM && q->nattr == nattr && q->name == x->params.v[fn->params + 1].name;
}

/* self.func(obj) */
static bool computes(const Facts *x, const Func *fn, const Call *c)
{
    const Path *callee = &x->paths.v[c->callee];
    if (callee->root != ROOT_SELF || callee->nattr != 1 || c->nargs != 1 || c->awaited) return false;
    const Arg *a = &x->args.v[c->args];
    return a->kind == VAL_PATH && !a->star && is_object(x, fn, a->value, 0);
}

/* setattr(obj, name, value) */
static bool sets(const Program *p, u32 file, const Func *fn, const Call *c)
{
    const Facts *x = p->facts[file];
    if (c->nargs != 3 || x->args.v[c->args].kind != VAL_PATH) return false;
    return str_is(path_external(p, file, c->callee), "setattr") && is_object(x, fn, x->args.v[c->args].value, 0);
}

/* obj.__dict__[…] = …, the first of them; NONE. Where the function asks as well, it is no matter of shape: *asks. */
static u32 stores(const Program *p, u32 file, const Func *fn, bool *asks)
{
    const Facts *x = p->facts[file];
    u32 store = NONE;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (!is_object(x, fn, a->path, 1)) continue;
        bool dict = str_is(sym_str(x, x->paths.v[a->path].attr[0]), "__dict__");
        if (dict && a->op == OP_ITEM_STORE && store == NONE)
            store = p->access_base[file] + i;
        else if (dict && a->op != OP_ITEM_STORE)
            *asks = true;
    }
    return store;
}

static void descriptor(Finder *f, u32 file, u32 func)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    if (fn->cls == NONE || fn->nparams < 2 || fn->nsections || !str_is(sym_str(x, fn->name), "__get__")) return;
    if (p->funcs[gfunc_of(p, file, func)].entry_locks) return;
    bool asks = false, computed = false;
    u32 store = stores(p, file, fn, &asks);
    Span at = {0};
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        Str name = path_external(p, file, c->callee);
        computed |= computes(x, fn, c);
        asks |= str_is(name, "getattr") || str_is(name, "hasattr");
        if (sets(p, file, fn, c)) at = c->span;
    }
    if (store != NONE) at = program_access(p, store)->span;
    if (asks || !computed || !at.end) return;
    bool always = p->options->assume == ASSUME_ALWAYS; /* of nine such findings none was more than made twice */
    Confidence c = always ? CONF_MEDIUM : CONF_LOW;
    Race *r = race_at(f, UG103, file, func, at, func_display(f->a, p, gfunc_of(p, file, func)), c);
    r->impact = IMPACT_DUPLICATE;
    r->by_hand = "the lock of the object or of the descriptor has to be held over a second look and the call";
    race_message(f, r,
                 "the value is made on first use and kept in the object; two threads may both make it, and the "
                 "second one replaces the first");
}

/* The test before the store that asks for the same attribute, NONE. */
static u32 asked_for(const Program *p, u32 file, const Func *fn, u32 store)
{
    const Facts *x = p->facts[file];
    for (u32 i = store; i-- > fn->accesses;) {
        const Access *t = &x->accesses.v[i];
        u32 ga = p->access_base[file] + i, act = p->access_base[file] + store;
        bool missing = t->test == TEST_NONE || t->test == TEST_FALSE || t->op == OP_HASATTR;
        if (t->path == x->accesses.v[store].path && t->cond != NONE && missing && test_decides(p, ga, act)) return ga;
    }
    return NONE;
}

static bool makes_lock(const Program *p, u32 file, const Def *d)
{
    return d && d->kind == VAL_CALL && type_is_lock(call_type(p, file, d->value).kind);
}

static void lock_of_object(Finder *f, u32 file, u32 access)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Access *a = &x->accesses.v[access];
    const Path *q = &x->paths.v[a->path];
    u32 ga = p->access_base[file] + access;
    if (a->op != OP_STORE || p->access_place[ga] != NONE || q->root != ROOT_PARAM || q->nattr != 1) return;
    if (!makes_lock(p, file, stored_def(p, ga))) return;
    u32 test = asked_for(p, file, &x->funcs.v[a->func], access);
    if (test == NONE || p->locksets.v[p->access_locks[ga]].n) return;
    Confidence c = is_test_path(x->source->path) ? CONF_LOW : CONF_MEDIUM;
    Str name = sym_str(x, q->attr[0]);
    Race *r = race_at(f, UG103, file, a->func, a->span, name, c);
    r->by_hand = "a lock for each object is made where the object is made, or under one lock of the module";
    race_message(f, r,
                 "the lock %.*s is made on first use (tested on line %u); two threads may each make one, and then "
                 "exclude nobody",
                 STR_ARG(name), program_access(p, test)->line);
}

/* Is the decorator one that keeps what the method returns in the object, without a lock? */
static bool keeps_first(const Program *p, u32 file, u32 decorator)
{
    static const char *const names[] = {"functools.cached_property", "django.utils.functional.cached_property",
                                        "cached_property.cached_property", "werkzeug.utils.cached_property",
                                        "funcy.cached_property"};
    return str_among(path_external(p, file, decorator), names, COUNT_OF(names));
}

/* What the function returns is there to be used as the one that all have: a lock, a queue, an empty container. */
static bool returns_the_one(const Program *p, u32 file, u32 func, bool *lock)
{
    static const char *const made[] = {"queue.Queue",
                                       "queue.LifoQueue",
                                       "queue.PriorityQueue",
                                       "queue.SimpleQueue",
                                       "threading.Event",
                                       "threading.local",
                                       "collections.deque",
                                       "collections.defaultdict",
                                       "collections.OrderedDict",
                                       "collections.Counter",
                                       "weakref.WeakKeyDictionary",
                                       "weakref.WeakValueDictionary",
                                       "weakref.WeakSet",
                                       "dict",
                                       "list",
                                       "set"};
    const Facts *x = p->facts[file];
    for (u32 i = 0; i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        if (!d->is_return || d->func != func) continue;
        *lock |= makes_lock(p, file, d);
        bool container = d->kind == VAL_LIST || d->kind == VAL_DICT || d->kind == VAL_SET;
        if (*lock || (container && d->empty)) return true;
        if (d->kind != VAL_CALL) return false;
        const Call *c = &x->calls.v[d->value];
        bool filled = c->nargs && !str_is(path_external(p, file, c->callee), "collections.defaultdict");
        return !filled && str_among(path_external(p, file, c->callee), made, COUNT_OF(made));
    }
    return false;
}

/* Does anything show that threads have one object of the class: a global that holds it, its locks, threads that were
 * given it? */
static bool class_shared(const Program *p, u32 gclass)
{
    u32 shown = EV_SINGLETON | EV_GUARDED | EV_CLASS_LOCKS | EV_DECORATOR | EV_SAME | EV_PURPOSE | EV_ALWAYS;
    if (class_kept_at(p, gclass)) return true;
    for (u32 i = class_places(p, gclass); i != NONE; i = p->places.v[i].sibling)
        if (p->places.v[i].evidence & shown) return true;
    return false;
}

/* def __getattr__(self, name): value = make(name); setattr(self, name, value), or self.__dict__[name] = value. Python
 * calls it until the object has the attribute. */
static void missing_attribute(Finder *f, u32 file, u32 func)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    u32 g = gfunc_of(p, file, func), store = NONE;
    if (fn->cls == NONE || fn->nsections || p->funcs[g].entry_locks) return;
    if (!str_is(sym_str(x, fn->name), "__getattr__")) return;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses && store == NONE; i++) {
        const Access *a = &x->accesses.v[i];
        const Path *q = &x->paths.v[a->path];
        bool dict = q->root == ROOT_SELF && q->nattr == 1 && str_is(sym_str(x, q->attr[0]), "__dict__");
        if (dict && a->op == OP_ITEM_STORE) store = i;
    }
    if (store == NONE || !fn->ncalls) return;
    bool shared = threads_meet(p, g) && class_shared(p, p->class_base[file] + fn->cls);
    Confidence c = shared && !is_test_path(x->source->path) ? CONF_MEDIUM : CONF_LOW;
    Race *r = race_at(f, UG103, file, func, x->accesses.v[store].span, func_display(f->a, p, g), c);
    r->impact = IMPACT_DUPLICATE;
    r->by_hand = "a lock of the class has to be held over a second look into __dict__ and the making";
    race_message(f, r,
                 "an attribute is made on first use and kept in the object; two threads may both make it, and the "
                 "second one replaces the first");
}

/* @cached_property: two threads may both find that the object has no such entry yet. */
static void kept_property(Finder *f, u32 file, u32 func)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    u32 g = gfunc_of(p, file, func);
    bool keeps = false, lock = false;
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++)
        keeps |= keeps_first(p, file, x->decorators.v[i]);
    if (!keeps || fn->cls == NONE || fn->is_async || fn->nsections || p->funcs[g].entry_locks) return;
    if (!returns_the_one(p, file, func, &lock)) return;
    bool meet = threads_meet(p, g), shared = class_shared(p, p->class_base[file] + fn->cls);
    bool low = is_test_path(x->source->path) || !shared || !(meet || lock);
    Race *r = race_at(f, UG103, file, func, fn->span, func_display(f->a, p, g), low ? CONF_LOW : CONF_MEDIUM);
    r->impact = IMPACT_WORSE;
    r->by_hand = "made in __init__, it is there before any thread asks for it";
    race_message(
        f, r,
        "%.*s is made on first use and kept without a lock, as cached_property has none since Python 3.12; two "
        "threads may each get one of their own, and %s",
        STR_ARG(sym_str(x, fn->name)),
        lock ? "then exclude nobody" : "what is put into the one that is replaced is lost");
}

/* Is this in __missing__ of a dict, under its key, and another object each time? */
static bool fills_missing(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    const Path *q = &x->paths.v[a->path];
    const Def *d = a->op == OP_ITEM_STORE ? stored_def(p, ga) : NULL;
    bool made = d && (d->kind == VAL_CALL || d->kind == VAL_LIST || d->kind == VAL_DICT || d->kind == VAL_SET);
    if (!made || q->root != ROOT_SELF || q->nattr || fn->nparams < 2) return false;
    return str_is(sym_str(x, fn->name), "__missing__") &&
           str_eq(sym_str(x, a->key), sym_str(x, x->params.v[fn->params + 1].name));
}

void race_missing(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (f->claimed[ga] || !fills_missing(f->p, ga)) continue;
        Conflict c = conflict_find(f, ga, EFFECT_WRITE, true);
        if (c.witness == NONE) continue;
        u32 evidence = f->p->places.v[f->place].evidence;
        Race *r = race_add(f, UG104, ga, c);
        r->act = ga;
        if (!c.roots && !(evidence & (EV_SINGLETON | EV_GUARDED | EV_CLASS_LOCKS))) r->confidence = CONF_LOW;
        r->by_hand = "a lock is no cure before the key is looked up once more under it, and only then computed";
        race_message(f, r,
                     "%.*s is filled here for want of the key; two threads may both miss and both compute the entry, "
                     "one replacing the other's",
                     STR_ARG(short_state(f->p, f->place)));
    }
}

void race_first_use(Finder *f, u32 file)
{
    const Facts *x = f->p->facts[file];
    if (intern_find(&x->syms, S("__get__")) != NONE)
        for (u32 i = 1; i < x->funcs.n; i++) descriptor(f, file, i);
    if (intern_find(&x->syms, S("__getattr__")) != NONE)
        for (u32 i = 1; i < x->funcs.n; i++) missing_attribute(f, file, i);
    if (intern_find(&x->syms, S("cached_property")) != NONE)
        for (u32 i = 1; i < x->funcs.n; i++) kept_property(f, file, i);
    if (intern_find(&x->syms, S("setattr")) != NONE)
        for (u32 i = 1; i < x->funcs.n; i++) race_slot_use(f, file, i);
    for (u32 i = 0; i < x->accesses.n; i++) lock_of_object(f, file, i);
}
