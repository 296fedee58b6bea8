/* UG106 for the dict that has the attributes of an object:
 *
 *   def __getstate__(self):                                       @property
 *       return {k: v for k, v in self.__dict__.items()}           def size(self):
 *                                                                     if "size" not in self.__dict__: ...
 *                                                                     self._size = measure(self)
 *
 * An attribute that __init__ sets is there already, and storing it changes no size; one that is made later adds an
 * entry, and a walk at the same time raises RuntimeError (docs/memory-model.md, module-namespace). Stores with a
 * computed name, and what names the dict itself, are accesses of its place and left to iterate.c; here the stores of
 * the attributes that have places of their own are looked at. */
#include "races/races.h"

static u32 class_of_self(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    u32 cls = f->funcs.v[f->accesses.v[g.id].func].self_class;
    return cls == NONE ? NONE : p->class_base[g.file] + cls;
}

/* Do some objects of one class belong to the other, too? */
static bool share_objects(const Program *p, u32 a, u32 b)
{
    return a != NONE && b != NONE && (class_is_a(p, a, b) || class_is_a(p, b, a));
}

/* Does nothing set the attribute while its object is made? */
static bool comes_later(const Program *p, const Place *x)
{
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = p->place_access.v[i];
        if (program_access(p, ga)->op == OP_STORE && p->funcs[access_func(p, ga)].construct) return false;
    }
    return true;
}

/* The conflict of a walk with a store that adds an attribute; witness NONE. */
static Conflict with_addition(const Finder *f, u32 walk)
{
    const Program *p = f->p;
    u32 cls = class_of_self(p, walk);
    for (u32 i = 0; i < p->places.n; i++) {
        const Place *x = &p->places.v[i];
        if (!x->n || x->kind != PLACE_INSTANCE || x->thread_local_) continue;
        if (!share_objects(p, x->owner, cls) || !comes_later(p, x)) continue;
        for (u32 k = x->first; k < x->first + x->n; k++) {
            u32 ga = p->place_access.v[k];
            if (program_access(p, ga)->op != OP_STORE || !access_counts(p, ga)) continue;
            Conflict c = conflict_of(f, walk, ga);
            if (c.witness != NONE) return c;
        }
    }
    return (Conflict){NONE, CONF_LOW, false};
}

void race_attributes(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->kind != PLACE_INSTANCE || !str_is(f->p->syms.strs[x->name], "__dict__")) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (f->claimed[ga] || !access_walks(f->p, ga) || broken_walk_caught(f->p, ga)) continue;
        Conflict c = with_addition(f, ga);
        if (c.witness == NONE) continue;
        const Access *w = program_access(f->p, c.witness);
        GId g = access_gid(f->p, c.witness);
        const Path *attr = &f->p->facts[g.file]->paths.v[w->path];
        Race *r = race_add(f, UG106, ga, c);
        race_message(f, r,
                     "the attributes of the object are walked here while %.*s:%u adds %.*s, which __init__ does not "
                     "set, in another thread; this then raises RuntimeError",
                     STR_ARG(f->p->facts[g.file]->source->path), w->line,
                     STR_ARG(attr->nattr ? path_last(f->p->facts[g.file], attr) : S("one")));
    }
}
