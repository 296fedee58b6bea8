/* Objects that are shared because of who has them: parts of shared objects, and objects that wrappers capture.
 *
 * A part is made for an attribute of another object, `self.waiters = Waiters()`, or for a container there,
 * `self.buckets = [Bucket(n) for n in sizes]`, by every call outside of tests that makes one, or as the default of a
 * field, `waiters: Waiters = field(default_factory=Waiters)`. Threads that share the whole reach the part through it;
 * so what shows that the whole is shared (a lock, a global that holds it, several threads that run one method of it,
 * a table where any thread finds it) shows it of the part, too. That it starts threads, or is handed to one, does
 * not: its parts are often that thread's; unless methods of the whole that its users call go to the part as well as
 * those that its thread runs. Parts of parts count, a few steps deep.
 *
 * def wrapper(*args, **kwargs): return self.run(func, *args, **kwargs) has one self, or one local of the function
 * around it, for all calls of the function that it stands for, whichever thread calls it.
 *
 * Needs class_evidence (guards.c). Not seen: parts that a function elsewhere makes and hands over. */
#include "link/link.h"

enum { PART_ROUNDS = 3 };

static bool whole_is_shared(const ClassInfo *c)
{
    return c->has_lock || c->singleton || c->part || c->handed_to_many || c->found;
}

/* The class of self where the call's result is assigned to an attribute of it, or NONE. */
static u32 whole_of(const Program *p, u32 file, const Call *c)
{
    const Facts *f = p->facts[file];
    if (c->target == NONE) return NONE;
    const Path *q = &f->paths.v[c->target];
    u32 cls = f->funcs.v[c->func].self_class;
    bool item = q->nattr == 2 && q->attr[1] == SYM_ITEM; /* self.buckets = [Bucket(n) for n in sizes] */
    return q->root == ROOT_SELF && (q->nattr == 1 || item) && cls != NONE ? gclass_of(p, file, cls) : NONE;
}

/* By class: a method of an object that starts threads calls it, in its thread (BY_THREAD), for its users (BY_USER).
 */
enum { BY_THREAD = 1, BY_USER = 2 };

static u8 *used_by_wholes(const Program *p)
{
    u8 *used = xmalloc(p->state->nclasses + 1);
    memset(used, 0, p->state->nclasses + 1);
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->weak || e->call == NONE) continue;
        GId from = func_gid(p, e->caller), to = func_gid(p, e->callee);
        u32 around = p->facts[from.file]->funcs.v[from.id].self_class, cls = p->facts[to.file]->funcs.v[to.id].cls;
        if (around == NONE || cls == NONE || p->tests[from.file]) continue;
        const FuncInfo *fi = &p->funcs[e->caller];
        const Facts *f = p->facts[e->file];
        const Path *q = &f->paths.v[f->calls.v[e->call].callee];
        if (q->root != ROOT_SELF || q->nattr != 2 || fi->construct) continue;
        if (!p->state->classes[gclass_of(p, from.file, around)].makes_threads) continue;
        used[gclass_of(p, to.file, cls)] |= fi->threads ? BY_THREAD : fi->api ? BY_USER : 0;
    }
    return used;
}

/* field(default_factory=Waiters), attr.ib(factory=Waiters): the class, which each object of the class around gets one
 * of; NONE. */
static u32 class_of_field(const Program *p, u32 file, const Call *c, u32 *whole)
{
    const Facts *f = p->facts[file];
    if (c->func || c->target == NONE) return NONE;
    if (f->paths.v[c->target].root != ROOT_CLASS) return NONE;
    Ent at = path_entity(p, file, c->target);
    if (at.kind != ENT_PLACE) return NONE;
    *whole = p->places.v[at.id].owner;
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        Str key = sym_str(f, f->args.v[i].keyword);
        if (f->args.v[i].kind != VAL_PATH || (!str_is(key, "default_factory") && !str_is(key, "factory"))) continue;
        Ent e = path_entity(p, file, f->args.v[i].value);
        if (e.kind == ENT_CLASS) return e.id;
    }
    return NONE;
}

/* One round: a class all of whose objects are made for attributes of shared ones becomes a part. */
static bool parts_once(Program *p, u8 *state, const u8 *used)
{
    enum { MADE = 1, ELSEWHERE = 2 };
    LinkState *s = p->state;
    bool any = false;
    memset(state, 0, s->nclasses);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (p->tests[file] || is_script(p, file)) continue;
        for (u32 i = 0; i < f->calls.n; i++) {
            Ent e = path_entity(p, file, f->calls.v[i].callee);
            u32 whole = NONE, made = e.kind == ENT_CLASS ? e.id : class_of_field(p, file, &f->calls.v[i], &whole);
            if (made == NONE) continue;
            if (e.kind == ENT_CLASS) whole = whole_of(p, file, &f->calls.v[i]);
            const ClassInfo *w = whole != NONE && whole != made ? &s->classes[whole] : NULL;
            bool both = w && w->makes_threads && used[made] == (BY_THREAD | BY_USER);
            state[made] |= both || (w && whole_is_shared(w)) ? MADE : ELSEWHERE;
        }
    }
    for (u32 i = 0; i < s->nclasses; i++) {
        if (state[i] != MADE || s->classes[i].part) continue;
        s->classes[i].part = any = true;
    }
    return any;
}

static void parts_find(Program *p)
{
    u8 *state = xmalloc(p->state->nclasses + 1), *used = used_by_wholes(p);
    for (u32 i = 0; i < PART_ROUNDS; i++)
        if (!parts_once(p, state, used)) break;
    free(used);
    free(state);
}

/* Does the inner function call, or pass on, what a function around it was given? */
static bool uses_outer_param(const Facts *f, const Func *fn, u32 func)
{
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *callee = &f->paths.v[c->callee];
        if (callee->root == ROOT_PARAM && !callee->nattr && callee->func != func) return true;
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            const Arg *a = &f->args.v[k];
            if (a->kind != VAL_PATH || a->star) continue;
            const Path *q = &f->paths.v[a->value];
            if (q->root == ROOT_PARAM && !q->nattr && q->func != func) return true;
        }
    }
    return false;
}

/* The class of the object that the one definition of a captured local makes, or NONE. */
static u32 captured_class(const Program *p, u32 file, const Path *q)
{
    const Facts *f = p->facts[file];
    const Def *d = local_def(p, file, q->func, q->name);
    if (!d || d->kind != VAL_CALL) return NONE;
    Ent e = path_entity(p, file, f->calls.v[d->value].callee);
    return e.kind == ENT_CLASS ? e.id : NONE;
}

static void captured(Program *p, u32 file, u32 func, u32 path)
{
    const Facts *f = p->facts[file];
    const Path *q = &f->paths.v[path];
    u32 cls = NONE;
    if (!q->nattr || q->func == func) return;
    if (q->root == ROOT_SELF && f->funcs.v[func].self_class != NONE)
        cls = gclass_of(p, file, f->funcs.v[func].self_class);
    if (q->root == ROOT_LOCAL) cls = captured_class(p, file, q);
    if (cls != NONE) p->state->classes[cls].decorator = true;
}

/* def wrapper(*args): return self.run(func, *args): takes less than anything, and hands it on, with the function, to
 * the object. */
static bool hands_on(const Facts *f, const Func *fn, u32 func)
{
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *callee = &f->paths.v[c->callee];
        bool star = false, outer = false;
        if (callee->root != ROOT_SELF || callee->nattr != 1 || callee->func == func) continue;
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            const Arg *a = &f->args.v[k];
            const Path *q = a->kind == VAL_PATH ? &f->paths.v[a->value] : NULL;
            star |= a->star;
            outer |= q && !a->star && q->root == ROOT_PARAM && !q->nattr && q->func != func;
        }
        if (star && outer) return true;
    }
    return false;
}

static void wrappers_find(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (p->tests[file]) continue;
        for (u32 i = 1; i < f->funcs.n; i++) {
            const Func *fn = &f->funcs.v[i];
            if (!fn->parent || fn->is_async || !uses_outer_param(f, fn, i)) continue;
            if (!takes_anything(f, fn) && !hands_on(f, fn, i)) continue;
            for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++)
                captured(p, file, i, f->accesses.v[k].path);
            for (u32 k = fn->calls; k < fn->calls + fn->ncalls; k++) captured(p, file, i, f->calls.v[k].callee);
        }
    }
}

void parts_of_found(Program *p)
{
    bool found = false;
    for (u32 i = 0; i < p->state->nclasses && !found; i++) found = p->state->classes[i].found;
    if (found) parts_find(p);
}

void kept_find(Program *p)
{
    wrappers_find(p);
    parts_find(p);
}
