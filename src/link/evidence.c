/* The evidence that a place is shared: what its class says, what its file imports, who keeps its objects, and whether
 * the inner functions that use a variable outlive the call. */
#include "link/evidence.h"

enum { SUBCLASS_DEPTH = 6 };

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

void class_evidence(Program *p)
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

/* What the class of an object says of all its attributes. */
static u32 object_evidence(const Program *p, u32 gclass)
{
    const ClassInfo *c = &p->state->classes[gclass];
    u32 ev = c->hints, file;
    if (c->has_lock || c->makes_threads) ev |= EV_CLASS_LOCKS;
    if (c->singleton) ev |= EV_SINGLETON;
    if (c->handed) ev |= EV_HANDED;
    if (c->same) ev |= EV_SAME;
    if (c->starter) ev |= EV_STARTER;
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

/* self.get = get: the class of whose objects an __init__ keeps a function that uses the variable, which lives as long
 * as the object does; NONE. */
static u32 kept_by_object(const Program *p, const Place *x)
{
    GId g = func_gid(p, x->owner);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    if (fn->cls == NONE || !str_is(sym_str(f, fn->name), "__init__")) return NONE;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *to = d->func == g.id && d->path != NONE && d->kind == VAL_PATH ? &f->paths.v[d->path] : NULL;
        if (!to || to->root != ROOT_SELF || to->nattr != 1) continue;
        const Path *kept = &f->paths.v[d->value];
        for (u32 k = 0; k < x->n && kept->root == ROOT_LOCAL && !kept->nattr; k++) {
            const Func *user = program_func(p, access_func(p, p->place_access.v[x->first + k]));
            if (user->parent == g.id && user->name == kept->name) return gclass_of(p, g.file, fn->cls);
        }
    }
    return NONE;
}

u32 place_evidence(const Program *p, const Place *x, u32 *of_class)
{
    u32 ev = 0;
    if (x->guard != NONE && !p->locks.v[x->guard].maybe) ev |= guarded_on_purpose(p, x) ? EV_GUARDED : EV_TOUCHED;
    if (x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR || x->kind == PLACE_DEFAULT) ev |= EV_MODULE;
    if (x->kind == PLACE_INSTANCE && x->owner != NONE) {
        if (of_class[x->owner] == NONE) of_class[x->owner] = object_evidence(p, x->owner);
        ev |= of_class[x->owner];
        if (x->to_thread) ev |= EV_HANDED | EV_STARTER;
        if (x->type.kind == TYPE_CACHE && p->library) ev |= EV_NAME; /* kept for its users */
        if (p->state->classes[x->owner].hooked && thread_comes(p, x)) ev |= EV_CLASS_LOCKS;
        if (!(ev & EV_SINGLETON) && changed_on_global(p, x)) ev |= EV_SINGLETON;
    }
    bool lives_on = x->kind == PLACE_CLOSURE && x->owner != NONE && closure_escapes(p, x);
    bool wraps = lives_on && wraps_from_factory(p, x);
    if (lives_on && (wraps || !p->funcs[x->owner].decorates_once))
        ev |= wraps || closure_wraps(p, x) ? EV_DECORATOR : uses_threads(p, x->file) ? EV_FILE : EV_TOUCHED;
    u32 object = x->kind == PLACE_CLOSURE && x->owner != NONE ? kept_by_object(p, x) : NONE;
    if (object != NONE) {
        if (of_class[object] == NONE) of_class[object] = object_evidence(p, object);
        ev |= of_class[object] & (EV_CLASS_LOCKS | EV_SINGLETON | EV_NAME | EV_PURPOSE | EV_PART | EV_FOUND);
    }
    if (p->options->assume == ASSUME_ALWAYS) ev |= EV_ALWAYS;
    return ev;
}
