/* Objects that module-level names hold, and what is reached by way of them.
 *
 * STATS = Stats() is not the only way to keep an object for all: a literal or a comprehension may hold it, a bound
 * method, what a method of it returns; or a defaultdict makes one for each key.
 *
 *   LANES = [Lane(1), Lane(2)]          log = Journal().write          hit = partial(Meter().add, 1)
 *   CLIENT = Client().configured()      meters = defaultdict(Meter)
 *
 * Whoever calls LANES[0].enter() or log("x") meets the others there. And where a function calls a method of what a
 * name holds, the state that the method changes is shared, however many objects of the class there are for others:
 * def get(url): return SESSION.get(url) beside classes and callers that make a Session of their own.
 *
 * Needs types, call edges and what kind of code each function is. Not seen: objects that locals stand for in between,
 * and names that a function binds. */
#include "link/link.h"

/* Does the module-level name, or a container that one holds, keep what the definition gives? */
static bool by_name(const Program *p, u32 file, const Def *d)
{
    if (d->func || d->is_return || d->augmented || d->path == NONE) return false;
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[d->path];
    bool item = x->nattr == 1 && x->attr[0] == SYM_ITEM;
    if (x->root != ROOT_GLOBAL || x->truncated || (x->nattr && !item)) return false;
    return !p->tests[file] && !in_main_block(f, d->block);
}

/* Journal().write: the call of the path's root; NONE. */
static u32 bound_to(const Facts *f, u32 path)
{
    const Path *x = &f->paths.v[path];
    return x->root == ROOT_CALL && x->nattr == 1 && x->attr[0] != SYM_ITEM && !x->truncated ? x->func : NONE;
}

/* partial(Meter().add, 1): the call that makes the object; NONE. */
static u32 bound_by_partial(const Program *p, u32 file, const Call *c)
{
    const Facts *f = p->facts[file];
    if (!c->nargs || f->args.v[c->args].kind != VAL_PATH || f->args.v[c->args].star) return NONE;
    if (!str_is(path_external(p, file, c->callee), "functools.partial")) return NONE;
    return bound_to(f, f->args.v[c->args].value);
}

u32 named_made(const Program *p, u32 file, const Def *d)
{
    const Facts *f = p->facts[file];
    if (!by_name(p, file, d)) return NONE;
    if (d->kind == VAL_PATH) return bound_to(f, d->value);
    if (d->kind != VAL_CALL) return NONE;
    const Call *c = &f->calls.v[d->value];
    u32 made = bound_by_partial(p, file, c);
    if (made == NONE) made = bound_to(f, c->callee); /* Client().configured(), which returns self */
    if (made != NONE) return made;
    return f->paths.v[d->path].nattr ? d->value : NONE;
}

/* meters = defaultdict(Meter): its class; NONE. */
static u32 made_by_key(const Program *p, u32 file, const Def *d)
{
    const Facts *f = p->facts[file];
    if (d->kind != VAL_CALL || !by_name(p, file, d)) return NONE;
    const Call *c = &f->calls.v[d->value];
    if (!c->nargs || f->args.v[c->args].kind != VAL_PATH || f->args.v[c->args].star) return NONE;
    if (!str_is(path_external(p, file, c->callee), "collections.defaultdict")) return NONE;
    Ent e = path_entity(p, file, f->args.v[c->args].value);
    return e.kind == ENT_CLASS ? e.id : NONE;
}

/* The class of which the definition keeps an object for all, otherwise than as the value of the name; NONE. */
static u32 class_kept(const Program *p, u32 file, const Def *d)
{
    u32 made = named_made(p, file, d), cls = made_by_key(p, file, d);
    if (made == NONE) return cls;
    Type t = call_type(p, file, made);
    Ent e = path_entity(p, file, d->path);
    bool itself = e.kind == ENT_PLACE && p->places.v[e.id].type.kind == TYPE_CLASS; /* it is counted as that */
    return t.kind == TYPE_CLASS && !itself ? t.id : NONE;
}

/* Does the module's or class's body itself put the object there, and is it no descriptor, which stands for what
 * others hold? worker = None, set by an initializer, is for who sets it. */
static bool bound_at_import(const Program *p, const Place *x)
{
    if (!kept_for_all(p, x)) return false;
    const Def *d = &p->facts[x->def_file]->defs.v[x->def];
    return !d->func && d->kind != VAL_NONE && method_by_name(p, x->type.id, "__get__") == NONE;
}

void named_count(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (lone_script(p, file)) continue;
        for (u32 i = 0; i < f->defs.n; i++) {
            u32 cls = class_kept(p, file, &f->defs.v[i]);
            if (cls == NONE) continue;
            p->state->classes[cls].kept_globally++;
            p->state->classes[cls].named = true;
        }
    }
    for (u32 i = 0; i < p->places.n; i++)
        if (bound_at_import(p, &p->places.v[i])) p->state->classes[p->places.v[i].type.id].named = true;
}

/* Is what the path stands for without its last attribute a name of a module, or of a class, that holds an object for
 * all? self.name of a class's body is mostly a field that a library fills for each object. */
static bool on_named(const Program *p, u32 file, const Path *x)
{
    if (!x->nattr || x->truncated || x->root == ROOT_SELF) return false;
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    return e.kind == ENT_PLACE && bound_at_import(p, &p->places.v[e.id]);
}

/* Does the function run while the program does, by whoever calls it? */
static bool in_use(const Program *p, u32 gfunc)
{
    const FuncInfo *fi = &p->funcs[gfunc];
    GId g = func_gid(p, gfunc);
    return g.id && !p->tests[g.file] && !fi->import_time && !fi->construct && (fi->api || fi->nroots);
}

void named_reach(Program *p)
{
    LinkState *s = p->state;
    s->on_global = arena_new(p->arena, bool, s->nfuncs + 1);
    u32 n = 0, *stack = xmalloc((s->nfuncs + 1) * sizeof *stack);
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->weak || e->passed || e->call == NONE || s->on_global[e->callee] || !in_use(p, e->caller)) continue;
        const Facts *f = p->facts[e->file];
        if (!on_named(p, e->file, &f->paths.v[f->calls.v[e->call].callee])) continue;
        if (program_func(p, e->callee)->cls == NONE) continue;
        s->on_global[e->callee] = true;
        stack[n++] = e->callee;
    }
    while (n) {
        u32 fn = stack[--n];
        for (u32 i = p->edge_first[fn]; i < p->edge_first[fn + 1]; i++) {
            const CallEdge *e = &p->edges.v[i];
            if (e->weak || e->passed || e->call == NONE || s->on_global[e->callee]) continue;
            const Facts *f = p->facts[e->file];
            const Path *x = &f->paths.v[f->calls.v[e->call].callee];
            if (x->root != ROOT_SELF || x->nattr != 1 || program_func(p, e->callee)->cls == NONE) continue;
            s->on_global[e->callee] = true;
            stack[n++] = e->callee;
        }
    }
    free(stack);
}

bool changed_on_global(const Program *p, const Place *x)
{
    if (x->kind != PLACE_INSTANCE || x->owner == NONE || !class_kept_globally(p, x->owner)) return false;
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        GId g = access_gid(p, ga);
        const Access *a = program_access(p, ga);
        const Path *q = &p->facts[g.file]->paths.v[a->path];
        u32 gfunc = gfunc_of(p, g.file, a->func);
        bool own = q->root == ROOT_SELF && q->nattr == 1 && p->state->on_global[gfunc];
        if (!op_changes(a->op)) continue;
        if ((own || (in_use(p, gfunc) && on_named(p, g.file, q))) && access_counts(p, ga)) return true;
    }
    return false;
}
