/* Whose part an object is: the classes in whose methods all objects of a class are made, for an attribute of self.
 *
 *   class Reader(Thread):                          class Pool:
 *       def __init__(self): self.pool = Pool()         def __init__(self): self.count = 0
 *       def run(self): self.pool.add()                 def add(self): self.count += 1
 *
 * Two Readers have two pools: however many of these threads there are, each counts in its own. Parts of parts count,
 * a few steps deep, and so do objects that a function makes and returns, by what its callers do with them; what a
 * local holds that does not leave the call is nobody else's either. Calls of tests and examples do not count.
 *
 * Needs the call edges and the classes; fills ClassInfo.wholes. Not seen: a part that the whole hands to another. */
#include "link/link.h"

enum { DEPTH = 3 };

/* An object of the class is made for a whole, or (NONE) for whoever gets it; so is one of each class that it derives
 * from. */
static void made_for(Program *p, u32 gclass, u32 whole, u32 depth)
{
    ClassInfo *c = &p->state->classes[gclass];
    bool known = false;
    for (u32 i = 0; i < c->wholes.n; i++) known |= c->wholes.v[i] == whole;
    if (!known) vec_push(p->arena, &c->wholes, whole);
    for (u32 i = 0; i < c->bases.n && depth; i++) made_for(p, c->bases.v[i], whole, depth - 1);
}

static bool related(const Program *p, u32 a, u32 b)
{
    return class_is_a(p, a, b) || class_is_a(p, b, a);
}

/* What the call gives: is it for a local that stays inside, so that it counts for nobody? Else the class of self for
 * whose attribute it is, or NONE. */
static bool stays_inside(const Program *p, u32 file, const Call *c, u32 gclass, u32 *whole)
{
    const Facts *f = p->facts[file];
    const Path *x = c->target == NONE ? NULL : &f->paths.v[c->target];
    u32 cls = f->funcs.v[c->func].self_class;
    *whole = NONE;
    if (x && x->root == ROOT_SELF && x->nattr && cls != NONE) {
        *whole = gclass_of(p, file, cls);
        if (related(p, *whole, gclass)) *whole = NONE;
    }
    bool local = x && x->root == ROOT_LOCAL && !x->nattr && x->func == c->func;
    return local && !local_escapes(p, file, c->func, x->name, ESCAPE_DEPTH);
}

/* return Pool(n); pool = Pool(n) … return pool */
static bool given_back(const Program *p, u32 file, u32 call)
{
    const LinkState *s = p->state;
    const Call *c = &p->facts[file]->calls.v[call];
    if (c->target != NONE) return c->func && func_returns(p, file, c->func, c->target);
    for (u32 at = map_get(&s->local_defs, local_key(file, c->func, SYM_EMPTY)); at != NONE;
         at = s->defrefs.v[at].next) {
        const Def *d = &p->facts[file]->defs.v[s->defrefs.v[at].def];
        if (d->kind == VAL_CALL && d->value == call) return true;
    }
    return false;
}

static bool aside(const Program *p, u32 file)
{
    return p->tests[file] || p->examples[file];
}

/* The function gives its callers an object of the class: whose is it then? */
static void made_for_callers(Program *p, const Callers *callers, u32 gfunc, u32 gclass)
{
    u32 n = 0;
    for (u32 i = callers->first[gfunc]; i < callers->first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[callers->edge[i]];
        if (aside(p, e->file)) continue;
        u32 whole = NONE;
        n++;
        bool plain = e->call != NONE && !e->weak && !e->passed;
        if (plain && stays_inside(p, e->file, &p->facts[e->file]->calls.v[e->call], gclass, &whole)) continue;
        made_for(p, gclass, whole, DEPTH);
    }
    if (!n) made_for(p, gclass, NONE, DEPTH);
}

void wholes_find(Program *p)
{
    Arena scratch = {0};
    Callers callers = callers_index(p, &scratch);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n && !aside(p, file); i++) {
            Ent e = path_entity(p, file, f->calls.v[i].callee);
            u32 whole;
            if (e.kind != ENT_CLASS || stays_inside(p, file, &f->calls.v[i], e.id, &whole)) continue;
            if (whole == NONE && given_back(p, file, i))
                made_for_callers(p, &callers, gfunc_of(p, file, f->calls.v[i].func), e.id);
            else
                made_for(p, e.id, whole, DEPTH);
        }
    }
    arena_free(&scratch);
}

static bool part_of(const Program *p, u32 gclass, u32 whole, u32 depth)
{
    const ClassInfo *c = &p->state->classes[gclass];
    bool any = false;
    for (u32 i = 0; i < c->wholes.n; i++) {
        u32 w = c->wholes.v[i];
        if (w == NONE) return false;
        bool here = related(p, w, whole) || (depth && part_of(p, w, whole, depth - 1));
        if (!here && !class_is_thread(p, w)) return false;
        any |= here;
    }
    return any;
}

static bool of_threads(const Program *p, u32 gclass, u32 depth)
{
    const ClassInfo *c = &p->state->classes[gclass];
    for (u32 i = 0; i < c->wholes.n; i++) {
        u32 w = c->wholes.v[i];
        if (w == NONE || !(class_is_thread(p, w) || (depth && of_threads(p, w, depth - 1)))) return false;
    }
    return c->wholes.n;
}

bool class_part_of_threads(const Program *p, u32 gclass)
{
    return of_threads(p, gclass, DEPTH);
}

bool class_part_of(const Program *p, u32 gclass, u32 whole)
{
    return gclass != NONE && part_of(p, gclass, whole, DEPTH);
}

bool part_of_starter(const Program *p, const Root *r, const Place *x)
{
    if (!x || x->kind != PLACE_INSTANCE) return false;
    GId g = func_gid(p, r->func);
    u32 cls = p->facts[g.file]->funcs.v[g.id].self_class;
    return cls != NONE && class_part_of(p, x->owner, gclass_of(p, g.file, cls));
}

/* Has each object of the class `whole` one of this class, of which all are made for some attribute? */
static bool has_part(const Program *p, u32 whole, u32 gclass, u32 depth)
{
    const ClassInfo *c = &p->state->classes[gclass];
    bool any = false;
    for (u32 i = 0; i < c->wholes.n; i++) {
        u32 w = c->wholes.v[i];
        if (w == NONE) return false;
        any |= related(p, w, whole) || (depth && has_part(p, whole, w, depth - 1));
    }
    return any;
}

/* Is a thread that comes to the access one that a whole of the object has started on itself? Its class, NONE. */
static u32 starter_of(const Program *p, u32 ga, const Place *x)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    u32 coming = roots_coming(p, ga);
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        if (!(coming & 1u << i) || r->func == NONE || r->own || r->main) continue;
        GId g = func_gid(p, r->func);
        u32 cls = p->facts[g.file]->funcs.v[g.id].self_class;
        if (cls != NONE && has_part(p, gclass_of(p, g.file, cls), x->owner, DEPTH)) return gclass_of(p, g.file, cls);
    }
    return NONE;
}

bool part_of_one_starter(const Program *p, u32 ga, u32 gb)
{
    u32 place = p->access_place[ga];
    const Place *x = place == NONE ? NULL : &p->places.v[place];
    u32 a = x && x->kind == PLACE_INSTANCE ? starter_of(p, ga, x) : NONE;
    return a != NONE && starter_of(p, gb, x) == a;
}
