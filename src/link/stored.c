/* Functions that are kept for later, and who calls them then:
 *
 *   self.callback = f                  kept in an attribute or global, and called by its name
 *   self.listeners.append(f)           kept in a container, by key or not: whoever walks it or takes an item out
 *   self.handlers[name] = f            calls any of them
 *   bus.subscribe(self.tick)           where subscribe() keeps its parameter in either way; also as a decorator
 *
 * All that one place holds counts as one: which key leads to which function is not told apart, nor is the object
 * whose attribute it is. So a place that holds more than KEPT functions says nothing of any, as the table of commands
 * of a program does, nor does one whose objects are made at more than OBJECTS places, as signals are.
 *
 * A pair that is kept, q.put((f, args)), is looked into. Needs the types of parameters. Not followed: what a kept
 * function is passed on to. */
#include "link/link.h"

enum {
    KEPT = 24,    /* functions of one place */
    OBJECTS = 2,  /* places where objects of one class are made */
    FOUND = 4,    /* functions that one value may be */
    STEPS = 4,    /* from an attribute back to the one that its object comes from */
    INNER = 8,    /* inner functions of a decorator that are looked at */
    BINDINGS = 8, /* assignments of a local that are looked at */
};

/* Some function, and the next one that the same place holds. */
typedef struct KeptFunc {
    u32 func, next;
} KeptFunc;
/* A call of something that is kept. */
typedef struct KeptCall {
    u32 file, call, place;
} KeptCall;

struct Stored {
    Map first;  /* place → its first KeptFunc */
    Map params; /* global param → the place that keeps what is passed */
    bool *takes; /* by global func: has it such a parameter? */
    u32 *made;   /* by global class: calls outside of tests that make an object that is one */
    Vec(KeptFunc) kept;
    Vec(KeptCall) calls;
};

static bool named_among(const Facts *f, const Path *x, const char *const *names, u32 n)
{
    return path_is_attr(x) && str_among(path_last(f, x), names, n);
}

/* x.get(key), x.setdefault(key, []), x.pop(): gives something out of x. */
static bool gives_item(const Facts *f, const Path *x)
{
    static const char *const names[] = {"get", "setdefault", "pop", "popleft", "get_nowait", "copy", "values"};
    return named_among(f, x, names, COUNT_OF(names));
}

/* The place that holds the value, itself or in a container; NONE. */
static u32 holder(Program *p, u32 file, Path x)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < 2 && x.root == ROOT_CALL && !x.truncated; i++) { /* d.setdefault(k, []).append */
        while (path_is_item(&x)) x.nattr--;
        const Path *of = &f->paths.v[f->calls.v[x.func].callee];
        if (x.nattr || !gives_item(f, of)) return NONE;
        x = *of;
        x.nattr--;
    }
    while (path_is_item(&x)) x.nattr--;
    if (x.truncated || x.root == ROOT_UNKNOWN) return NONE;
    Ent e = path_resolve(p, file, &x, x.nattr);
    return e.kind == ENT_PLACE ? place_origin(p, e.id, STEPS) : NONE;
}

static void keep(Program *p, u32 place, u32 gfunc)
{
    struct Stored *s = p->state->stored;
    u32 *first = map_at(p->state->a, &s->first, place), n = 0;
    for (u32 i = *first; i != NONE; i = s->kept.v[i].next, n++)
        if (s->kept.v[i].func == gfunc) return;
    if (n > KEPT) return; /* one too many says so */
    vec_push(p->state->a, &s->kept, (KeptFunc){gfunc, *first});
    *first = s->kept.n - 1;
}

/* A function of the program, a bound method, a lambda, a partial(): not a class, whose objects are made. */
static u32 functions(const Program *p, u32 file, u8 kind, u32 value, u32 *out)
{
    if (kind == VAL_PATH) {
        Ent e = path_entity(p, file, value);
        if (e.kind != ENT_FUNC) return 0;
        GId g = func_gid(p, e.id);
        if (p->facts[g.file]->funcs.v[g.id].is_property) return 0;
    } else if (kind != VAL_LAMBDA && kind != VAL_CALL) {
        return 0;
    }
    return value_funcs(p, file, kind, value, out, FOUND);
}

/* The parameter of `func` that the path is, as a global param; NONE. */
static u32 own_param(const Program *p, u32 file, u32 func, const Path *x)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    if (x->root != ROOT_PARAM || x->nattr || x->func != func) return NONE;
    for (u32 i = 0; i < fn->nparams; i++)
        if (f->params.v[fn->params + i].name == x->name) return p->state->param_base[file] + fn->params + i;
    return NONE;
}

/* The value comes to the place: a function is kept there, or what a parameter is given. */
static void comes_to(Program *p, u32 file, u32 func, u8 kind, u32 value, u32 place)
{
    struct Stored *s = p->state->stored;
    u32 param = kind == VAL_PATH ? own_param(p, file, func, &p->facts[file]->paths.v[value]) : NONE;
    u32 out[FOUND], n = 0;
    if (param == NONE) n = functions(p, file, kind, value, out);
    for (u32 i = 0; i < n; i++) keep(p, place, out[i]);
    if (param == NONE) return;
    map_put(p->state->a, &s->params, param, place);
    s->takes[gfunc_of(p, file, func)] = true;
}

/* self.callback = f, self.handlers[name] = f, self.listeners.append(f) */
static void kept_by(Program *p, u32 file, const Def *d)
{
    if (d->path == NONE || d->is_return || d->augmented) return;
    if (d->kind != VAL_PATH && d->kind != VAL_LAMBDA && d->kind != VAL_CALL) return;
    const Path *x = &p->facts[file]->paths.v[d->path];
    if (!x->nattr && x->root != ROOT_GLOBAL) return;
    u32 place = holder(p, file, *x);
    bool item = path_is_item(x);
    if (place == NONE || (item && place_type(p, place).kind == TYPE_CLASS)) return; /* its method keeps it, or not */
    comes_to(p, file, d->func, d->kind, d->value, place);
}

static void count_objects(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    if (p->tests[file]) return;
    for (u32 i = 0; i < f->calls.n; i++) {
        Ent e = path_entity(p, file, f->calls.v[i].callee);
        if (e.kind != ENT_CLASS) continue;
        const ClassInfo *c = &p->state->classes[e.id];
        for (u32 k = 0; k < c->norder; k++) p->state->stored->made[c->order[k]]++;
    }
}

void stored_index(Program *p)
{
    p->state->stored = arena_new(p->state->a, struct Stored, 1);
    p->state->stored->takes = arena_new(p->state->a, bool, p->state->nfuncs + 1);
    p->state->stored->made = arena_new(p->state->a, u32, p->state->nclasses + 1);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        count_objects(p, file);
        for (u32 i = 0; i < f->defs.n; i++) kept_by(p, file, &f->defs.v[i]);
    }
}

void stored_passed(Program *p, u32 file, u32 call, u32 gcallee)
{
    struct Stored *s = p->state->stored;
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    if (!s->takes[gcallee]) return;
    GId callee = func_gid(p, gcallee);
    const Func *fn = &p->facts[callee.file]->funcs.v[callee.id];
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *arg = &f->args.v[c->args + i];
        u32 at = param_of_arg(p, callee, file, c, i);
        u32 place = at == NONE ? NONE : map_get(&s->params, p->state->param_base[callee.file] + fn->params + at);
        u32 out[FOUND], n = place == NONE ? 0 : functions(p, file, arg->kind, arg->value, out);
        for (u32 k = 0; k < n; k++) keep(p, place, out[k]);
    }
}

/* What a decorator of the program is given: by @register the function itself, by @on("tick") the function that on()
 * defines, whose parameter it becomes. */
static void decorated(Program *p, u32 file, u32 func)
{
    struct Stored *s = p->state->stored;
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++) {
        Ent e = path_entity(p, file, f->decorators.v[i]);
        if (e.kind != ENT_FUNC) continue;
        GId g = func_gid(p, e.id);
        const Facts *d = p->facts[g.file];
        u32 last = MIN(g.id + INNER, d->funcs.n - 1);
        for (u32 k = g.id; k <= last && (k == g.id || d->funcs.v[k].parent == g.id); k++) {
            const Func *by = &d->funcs.v[k];
            u32 skip = by->cls != NONE && !by->is_static;
            if (!s->takes[gfunc_of(p, g.file, k)] || by->nparams <= skip) continue;
            u32 place = map_get(&s->params, p->state->param_base[g.file] + by->params + skip);
            if (place != NONE) keep(p, place, gfunc_of(p, file, func));
        }
    }
}

/* The place that holds what the local is: the variable of a loop over it, or an item that was taken out. */
static u32 local_from(Program *p, u32 file, const Path *x)
{
    const LinkState *s = p->state;
    const Facts *f = p->facts[file];
    u32 at = map_get(&s->local_defs, local_key(file, x->func, x->name));
    for (u32 n = 0; at != NONE && n < BINDINGS; at = s->defrefs.v[at].next, n++) {
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        u32 place = NONE;
        if (d->kind == VAL_ITER_OF || d->kind == VAL_PATH) place = holder(p, file, f->paths.v[d->value]);
        if (d->item_of != NONE) place = holder(p, file, f->paths.v[d->item_of]);
        if (d->kind == VAL_CALL) place = holder(p, file, (Path){.root = ROOT_CALL, .func = d->value});
        if (place != NONE) return place;
    }
    return NONE;
}

static u32 place_of_value(Program *p, u32 file, const Path *x)
{
    return x->root == ROOT_LOCAL && !x->nattr ? local_from(p, file, x) : holder(p, file, *x);
}

void stored_called(Program *p, u32 file, u32 call)
{
    u32 place = place_of_value(p, file, &p->facts[file]->paths.v[p->facts[file]->calls.v[call].callee]);
    if (place != NONE) vec_push(p->state->a, &p->state->stored->calls, (KeptCall){file, call, place});
}

static u32 kept_in(const Program *p, u32 place, u32 *out)
{
    const struct Stored *s = p->state->stored;
    const Place *x = &p->places.v[place];
    u32 n = 0;
    if (x->kind == PLACE_INSTANCE && x->owner != NONE && s->made[x->owner] > OBJECTS) return 0;
    for (u32 i = map_get(&s->first, place); i != NONE; i = s->kept.v[i].next) {
        if (n == KEPT) return 0;
        out[n++] = s->kept.v[i].func;
    }
    return n;
}

void stored_edges(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 1; i < p->facts[file]->funcs.n; i++)
            if (p->facts[file]->funcs.v[i].ndecorators) decorated(p, file, i);
    for (u32 i = 0; i < p->state->stored->calls.n; i++) {
        const KeptCall *c = &p->state->stored->calls.v[i];
        u32 out[KEPT], n = kept_in(p, c->place, out);
        u32 caller = gfunc_of(p, c->file, p->facts[c->file]->calls.v[c->call].func);
        for (u32 k = 0; k < n; k++) {
            edge_add(p, caller, out[k], c->file, c->call)->kept = true;
            GId g = func_gid(p, out[k]);
            u32 self = p->facts[g.file]->funcs.v[g.id].self_class;
            if (self != NONE) p->state->classes[gclass_of(p, g.file, self)].method_kept = true;
        }
    }
}

u32 stored_funcs(Program *p, u32 file, u32 path, u32 *out, u32 max)
{
    u32 all[KEPT], place = place_of_value(p, file, &p->facts[file]->paths.v[path]);
    u32 n = place == NONE ? 0 : kept_in(p, place, all);
    if (n > max) return 0;
    memcpy(out, all, n * sizeof *out);
    return n;
}
