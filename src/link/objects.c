/* Whose object is it? Threads that each have an object of their own, or make a variable of their own, do not meet in
 * what that holds; nor do methods of classes of which no object is both. Told by roots, classes and where things are
 * made; what attributes of other objects hold is not followed. */
#include "link/objects.h"

bool root_owns_object(const Program *p, const Root *r, u32 place)
{
    if ((!r->own && !r->chain) || place == NONE || r->func == NONE) return false;
    const Place *x = &p->places.v[place];
    if (x->kind != PLACE_INSTANCE) return false;
    GId g = func_gid(p, r->func);
    const Func *fn = &p->facts[g.file]->funcs.v[g.id];
    u32 cls = fn->cls == NONE && r->chain ? fn->self_class : fn->cls;
    if (cls == NONE) return false;
    u32 rc = gclass_of(p, g.file, cls);
    if (class_is_a(p, rc, x->owner) || class_is_a(p, x->owner, rc)) return true;
    return class_part_of(p, x->owner, r->self == NONE ? rc : r->self);
}

bool func_stands_in(const Program *p, u32 inner, u32 outer)
{
    GId g = func_gid(p, inner), o = func_gid(p, outer);
    if (g.file != o.file) return false;
    u32 fn = g.id;
    while (fn && fn != o.id) fn = p->facts[g.file]->funcs.v[fn].parent;
    return fn == o.id;
}

/* Is the thread started by a call in the function, which may give it the function's variables? */
static bool started_in(const Program *p, const Root *r, u32 gfunc)
{
    if (r->call == NONE) return false;
    return func_stands_in(p, gfunc_of(p, r->file, p->facts[r->file]->calls.v[r->call].func), gfunc);
}

/* Is the argument the captured variable itself, in its own function? */
static bool hands_variable(const Facts *f, const Arg *a, u32 func, u32 sym)
{
    const Path *q = a->kind == VAL_PATH ? &f->paths.v[a->value] : NULL;
    return q && q->root == ROOT_LOCAL && q->func == func && q->name == sym && !q->nattr;
}

/* for part in parts: counts = {}; Thread(target=work, args=(part, counts)): does the start give each thread another
 * object by the variable's name, and nobody else? */
static bool given_anew(const Program *p, const Root *r, const Place *x)
{
    GId g = func_gid(p, x->owner);
    const Facts *f = p->facts[g.file];
    u32 sym = intern_find(&f->syms, p->syms.strs[x->name]);
    if (r->call == NONE || r->file != g.file || sym == NONE || f->calls.v[r->call].func != g.id) return false;
    bool anew = false;
    for (u32 i = f->funcs.v[g.id].calls; i < f->funcs.v[g.id].calls + f->funcs.v[g.id].ncalls; i++) {
        const Call *c = &f->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            if (!hands_variable(f, &f->args.v[k], g.id, sym)) continue;
            if (i != r->call || !bound_in_round(p, g.file, &f->paths.v[f->args.v[k].value], c->block)) return false;
            anew = true;
        }
    }
    return anew;
}

/* def make(self, seen): return Crawler(seen): does the function make objects of the class, or one derived from it, of
 * what it is given? */
static bool makes_of_given(const Program *p, u32 gfunc, u32 gclass)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            const Path *q = f->args.v[k].kind == VAL_PATH ? &f->paths.v[f->args.v[k].value] : NULL;
            if (!q || q->root != ROOT_PARAM || q->nattr) continue;
            Ent e = path_entity(p, g.file, c->callee);
            if (e.kind == ENT_CLASS && class_is_a(p, e.id, gclass)) return true;
        }
    }
    return false;
}

/* The same of the function that the call names, or those that override it. */
static bool made_by_callee(const Program *p, u32 file, const Call *c, u32 gclass)
{
    enum { METHODS = 8 };
    const Facts *f = p->facts[file];
    const Path *q = &f->paths.v[c->callee];
    Ent e = path_entity(p, file, c->callee);
    if (e.kind == ENT_FUNC && makes_of_given(p, e.id, gclass)) return true;
    if (q->root != ROOT_SELF || q->nattr != 1) return false;
    u32 out[METHODS], n = self_methods(p, file, c->func, str_c(p->arena, path_last(f, q)), out, METHODS);
    for (u32 i = 0; i < n; i++)
        if (makes_of_given(p, out[i], gclass)) return true;
    return false;
}

/* Crawler(seen, results): does the variable's function make objects of the root's class of threads, and give them
 * what the variable holds? Not another one to each: a variable that is bound anew in the loop that makes them. */
static bool given_when_made(const Program *p, const Root *r, const Place *x)
{
    GId g = func_gid(p, x->owner), run = r->func == NONE ? (GId){NONE, NONE} : func_gid(p, r->func);
    u32 cls = run.file == NONE ? NONE : p->facts[run.file]->funcs.v[run.id].self_class;
    const Facts *f = p->facts[g.file];
    u32 sym = intern_find(&f->syms, p->syms.strs[x->name]);
    if (r->call != NONE || !r->own || cls == NONE || sym == NONE) return false;
    const Func *fn = &f->funcs.v[g.id];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            if (!hands_variable(f, &f->args.v[k], g.id, sym)) continue;
            Ent e = path_entity(p, g.file, c->callee);
            u32 gclass = gclass_of(p, run.file, cls);
            bool made = e.kind == ENT_CLASS ? class_is_a(p, e.id, gclass) : made_by_callee(p, g.file, c, gclass);
            if (!made) continue;
            if (!bound_in_round(p, g.file, &f->paths.v[f->args.v[k].value], c->block)) return true;
        }
    }
    return false;
}

bool variable_own_to_threads(const Program *p, const Place *x, u32 gfunc, bool threads)
{
    const FuncInfo *owner = &p->funcs[x->owner], *fi = &p->funcs[gfunc];
    bool handed = !func_stands_in(p, gfunc, x->owner);
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        bool comes = owner->nroots == FUNC_ROOTS;
        for (u32 k = 0; k < owner->nroots; k++) comes |= owner->roots[k] == fi->roots[i];
        if (handed && !comes && threads && given_anew(p, r, x)) continue;
        bool inner = r->func != NONE && func_stands_in(p, r->func, x->owner);
        if (handed && !comes && !inner && !started_in(p, r, x->owner) && !given_when_made(p, r, x)) continue;
        if (!comes || (r->func != NONE && r->func != x->owner && func_stands_in(p, r->func, x->owner))) return false;
    }
    return true;
}

bool access_of_self(const Facts *f, const Access *a)
{
    const Path *path = &f->paths.v[a->path];
    bool view = path->root == ROOT_CALL && !path->nattr; /* self.d.items() */
    return (view ? &f->paths.v[f->calls.v[path->func].callee] : path)->root == ROOT_SELF;
}

enum { SUBCLASSES = 6 }; /* steps down in search of a class that derives from two */

static bool common_subclass(const Program *p, u32 a, u32 b, u32 depth)
{
    const ClassInfo *ci = &p->state->classes[a];
    for (u32 i = 0; i < ci->subs.n && depth; i++)
        if (class_is_a(p, ci->subs.v[i], b) || common_subclass(p, ci->subs.v[i], b, depth - 1)) return true;
    return false;
}

bool classes_unrelated(const Program *p, u32 a, u32 b)
{
    return !class_is_a(p, a, b) && !class_is_a(p, b, a) && !common_subclass(p, a, b, SUBCLASSES);
}

/* Is it self whose attribute this is, and not that of an object which self has, self.client.stats? */
static bool of_self(const Program *p, u32 cls, u32 owner)
{
    return owner == NONE || class_is_a(p, cls, owner) || class_is_a(p, owner, cls);
}

bool accesses_of_siblings(const Program *p, u32 owner, GId a, const Access *xa, GId b, const Access *xb)
{
    const Facts *fa = p->facts[a.file], *fb = p->facts[b.file];
    u32 ca = fa->funcs.v[xa->func].self_class, cb = fb->funcs.v[xb->func].self_class;
    if (!access_of_self(fa, xa) || !access_of_self(fb, xb)) return false;
    if (ca == NONE || cb == NONE) return false;
    ca = gclass_of(p, a.file, ca);
    cb = gclass_of(p, b.file, cb);
    return of_self(p, ca, owner) && of_self(p, cb, owner) && classes_unrelated(p, ca, cb);
}

bool roots_own_objects(const Program *p, const Root *r, const Root *other, u32 place)
{
    if (!r->own || !other->own || !root_owns_object(p, other, place)) return false;
    GId ga = func_gid(p, r->func), gb = func_gid(p, other->func);
    u32 ca = gclass_of(p, ga.file, p->facts[ga.file]->funcs.v[ga.id].cls);
    u32 cb = gclass_of(p, gb.file, p->facts[gb.file]->funcs.v[gb.id].cls);
    return classes_unrelated(p, ca, cb);
}

bool place_of_starter(const Program *p, const Root *r, const Place *x)
{
    if (!x || (x->kind != PLACE_INSTANCE && x->kind != PLACE_CLOSURE)) return false;
    if (x->kind == PLACE_CLOSURE) return true;
    GId g = func_gid(p, r->func);
    u32 cls = p->facts[g.file]->funcs.v[g.id].self_class;
    if (cls == NONE) return false;
    cls = gclass_of(p, g.file, cls);
    return class_is_a(p, cls, x->owner) || class_is_a(p, x->owner, cls);
}

/* self.stats = Stats(): does each object make what this attribute of it holds, wherever it is bound? */
static bool makes_part(const Program *p, u32 file, const Path *x)
{
    const LinkState *s = p->state;
    Ent e = x->nattr ? path_resolve(p, file, x, 1) : (Ent){.kind = ENT_NONE};
    u32 at = e.kind == ENT_PLACE ? map_get(&s->place_defs, e.id) : NONE;
    if (at == NONE) return false;
    for (; at != NONE; at = s->defrefs.v[at].next) {
        u32 in = s->defrefs.v[at].file;
        const Def *d = &p->facts[in]->defs.v[s->defrefs.v[at].def];
        if (d->kind == VAL_NONE) continue;
        if (d->kind != VAL_CALL || path_entity(p, in, p->facts[in]->calls.v[d->value].callee).kind != ENT_CLASS)
            return false;
    }
    return true;
}

bool access_of_self_alone(const Program *p, u32 file, const Access *a, u32 owner)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[a->path];
    u32 cls = f->funcs.v[a->func].self_class;
    if (!access_of_self(f, a)) return false;
    if (x->root == ROOT_CALL) x = &f->paths.v[f->calls.v[x->func].callee]; /* self.d.items() */
    return cls == NONE || of_self(p, gclass_of(p, file, cls), owner) || makes_part(p, file, x);
}

/* Is it what an object does in a thread of its own: self.n in run(), or in what Thread(target=self.poll) runs? */
static bool runs_object(const Program *p, u32 gaccess, const Place *x)
{
    const Access *a = program_access(p, gaccess);
    const FuncInfo *fi = &p->funcs[access_func(p, gaccess)];
    u32 coming = roots_coming(p, gaccess);
    if (!access_of_self(p->facts[access_file(p, gaccess)], a)) return false;
    for (u32 i = 0; i < fi->nroots; i++)
        if (coming & 1u << i && place_of_starter(p, &p->roots.v[fi->roots[i]], x)) return true;
    return false;
}

bool accesses_of_started(const Program *p, u32 ga, u32 gb, const Place *x)
{
    if (!x || x->kind != PLACE_INSTANCE) return false;
    bool a = access_of_started(p, ga), b = access_of_started(p, gb);
    return (a && (b || !runs_object(p, gb, x))) || (b && !runs_object(p, ga, x));
}
