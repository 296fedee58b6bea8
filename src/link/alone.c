/* Accesses that cannot race do not count: import time, the making of the object itself, objects that a function made
 * for itself, and those that a thread has made and still has to itself. */
#include "link/link.h"

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
    const Facts *f = p->facts[file];
    const Path *q = &f->paths.v[c->callee];
    if (q->root != ROOT_LOCAL || q->name != local->name || q->func != local->func || !q->nattr) return 0;
    u32 last = q->attr[q->nattr - 1];
    if (last == SYM_ITEM) return 0;
    if (name_ends_thread(sym_str(f, last))) return 2;
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
    if (x->root != ROOT_LOCAL || p->tests[file]) return false;
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

/* store = Store(); Thread(target=fill, args=(store,)).start(); store.n += 1: has the function given its object to
 * somebody, where threads are given objects of the class, started one, and not waited for the end of anything since?
 */
static bool own_given(const Program *p, u32 file, const Access *a, const Path *x)
{
    enum { CALLS = 1000 }; /* of a function that is looked through */
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[a->func];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, file, a->func)];
    if (x->root != ROOT_LOCAL || p->tests[file] || fn->ncalls > CALLS || fi->first_start == NONE ||
        a->span.start < fi->first_start)
        return false;
    if (fi->last_join != NONE && a->span.start >= fi->last_join) return false;
    Type t = local_type(p, file, x->func, x->name);
    if (t.kind != TYPE_CLASS || !(p->state->classes[t.id].handed || p->state->classes[t.id].starter)) return false;
    bool given = false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *q = &f->paths.v[c->callee];
        if (c->span.end > a->span.start) continue;
        if (q->nattr && name_ends_thread(sym_str(f, q->attr[q->nattr - 1]))) return false;
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            const Path *arg = f->args.v[k].kind == VAL_PATH ? &f->paths.v[f->args.v[k].value] : NULL;
            given |= arg && arg->root == ROOT_LOCAL && arg->name == x->name && !arg->nattr;
        }
    }
    return given;
}

/* LinkState.answers: the answers of this file, each plus 1, side by side in a byte. */
enum { ALONE_MASK = 15, STARTED_SHIFT = 4 };

void answers_keep(Program *p)
{
    p->state->answers = arena_new(p->state->a, u8, p->state->naccesses + 1);
}

bool access_of_started(const Program *p, u32 ga)
{
    u8 *known = p->state->answers ? &p->state->answers[ga] : NULL;
    if (known && *known >> STARTED_SHIFT) return *known >> STARTED_SHIFT == 2;
    GId g = access_gid(p, ga);
    const Access *a = &p->facts[g.file]->accesses.v[g.id];
    const Path *x = &p->facts[g.file]->paths.v[a->path];
    bool started = owned(p, g.file, a, x) && own_started(p, g.file, a, x);
    if (known) *known |= (u8)((started + 1) << STARTED_SHIFT);
    return started;
}

/* Objects that threads make for themselves: every one stays with the thread, or is made by code that runs in a
 * thread, and kept in a local; or by any code in a local that does not leave it. */
static bool made_by_threads(const Program *p, const Place *x)
{
    if (x->kind != PLACE_INSTANCE || x->owner == NONE) return false;
    const ClassInfo *c = &p->state->classes[x->owner];
    if (c->fresh) return true;
    if (objects_stay(p, x->owner)) return true;
    if (c->subs.n || c->singleton || c->any_lock || c->shown || c->handed_to_many || c->hooked || c->same)
        return false;
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

static Alone alone_find(const Program *p, u32 gaccess)
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
    if (a->span.end <= fi->start_until && !f->blocks.v[a->block].repeats) return ALONE_IMPORT;
    if (place != NONE && p->options->assume != ASSUME_ALWAYS && made_by_threads(p, &p->places.v[place]) &&
        !p->places.v[place].to_thread)
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
    /* doc = Document(); for row in doc.rows(): of the doc's rows */
    if (instance && x->root == ROOT_CALL && !x->nattr) x = &f->paths.v[f->calls.v[x->func].callee];
    bool gone = instance && (own_started(p, g.file, a, x) || own_given(p, g.file, a, x));
    if (owned(p, g.file, a, x) && !gone) return ALONE_OWN;
    bool far = instance && f->paths.v[a->path].nattr > 1; /* not self.x, whose class is known to be one or not */
    bool local = far && p->options->assume != ASSUME_ALWAYS && through_thread_local(p, g.file, a->path);
    return local ? ALONE_THREAD_OBJECT : ALONE_NOT;
}

Alone access_alone(const Program *p, u32 gaccess)
{
    u8 *known = p->state->answers ? &p->state->answers[gaccess] : NULL;
    if (known && *known & ALONE_MASK) return (Alone)((*known & ALONE_MASK) - 1);
    Alone alone = alone_find(p, gaccess);
    if (known) *known |= (u8)(alone + 1);
    return alone;
}

bool access_counts(const Program *p, u32 gaccess)
{
    return access_alone(p, gaccess) == ALONE_NOT;
}
