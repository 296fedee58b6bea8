/* UG101: one object entered by all threads. A decorator object whose wrapper says `with self:` has one self for all
 * calls of what it decorates; what __enter__ keeps there for __exit__ is overwritten by whoever comes next.
 *
 * Needs the sections of one file and the call edges: an inner function whose context expression is the self it
 * captured, and a store to an attribute of self, or a push on a stack there, in what __enter__ runs, in the class or
 * one derived from it. A fresh object for each call (with self._recreate(): …) is no such thing. Wrappers of the
 * standard library are in onentry.c. */
#include "races/races.h"

enum { DEPTH = 3, CLASSES = 12 };

/* self.starts.append(now()), where __exit__ takes the last one off again. */
static bool pushes(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    u32 place = p->access_place[ga], cls = x->funcs.v[x->accesses.v[g.id].func].cls;
    if (place == NONE || cls == NONE || p->places.v[place].type.kind != TYPE_LIST ||
        !str_is(access_method(p, ga), "append"))
        return false;
    for (u32 i = 0; i < p->places.v[place].n; i++) {
        u32 gb = p->place_access.v[p->places.v[place].first + i];
        if (access_gid(p, gb).file != g.file) continue;
        const Func *fn = &x->funcs.v[program_access(p, gb)->func];
        if (fn->cls == cls && pops_last(p, gb) && str_is(sym_str(x, fn->name), "__exit__")) return true;
    }
    return false;
}

/* The access that stores an attribute of self in this function or in methods of the object that it calls, or NONE. */
static u32 keeps(const Finder *f, u32 gfunc, u32 depth)
{
    const Program *p = f->p;
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        u32 ga = p->access_base[g.file] + i, place = p->access_place[ga];
        bool stores = a->op == OP_STORE || a->op == OP_AUG || pushes(p, ga);
        if (stores && place != NONE && p->places.v[place].kind == PLACE_INSTANCE && is_data(&p->places.v[place]) &&
            x->paths.v[a->path].root == ROOT_SELF && !p->access_locks[ga])
            return ga;
    }
    for (u32 e = p->edge_first[gfunc]; depth && e < p->edge_first[gfunc + 1]; e++) {
        const CallEdge *c = &p->edges.v[e];
        if (c->weak || c->call == NONE || c->file != g.file) continue;
        const Path *q = &x->paths.v[x->calls.v[c->call].callee];
        if (q->root != ROOT_SELF || q->nattr != 1) continue;
        u32 found = keeps(f, c->callee, depth - 1);
        if (found != NONE) return found;
    }
    return NONE;
}

static void report(Finder *f, u32 file, const Section *s, u32 kept)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    u32 end = s->stmt;
    while (end < x->source->text.n && x->source->text.p[end] != '\n' && x->source->text.p[end] != '\r') end++;
    const Place *place = &p->places.v[p->access_place[kept]];
    GId g = access_gid(p, kept);
    Race *r = race_at(f, UG101, file, s->func, (Span){s->stmt, end}, place->display, CONF_MEDIUM);
    r->sites[0] = kept;
    r->nsites = 1;
    race_message(
        f, r,
        "all calls of this inner function enter one and the same object, and %.*s:%u keeps %.*s in it; of two "
        "threads at once, one loses its own",
        STR_ARG(p->facts[g.file]->source->path), program_access(p, kept)->line, STR_ARG(p->syms.strs[place->name]));
}

static void entered_by_all(Finder *f, u32 file, const Section *s)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Path *q = &x->paths.v[s->path];
    const Func *fn = &x->funcs.v[s->func];
    if (s->kind != SECTION_WITH || s->call != NONE || q->root != ROOT_SELF || q->nattr || q->func == s->func ||
        !fn->parent)
        return;
    u32 enter[CLASSES], seen[CLASSES], n = self_methods(p, file, s->func, "__enter__", enter, CLASSES);
    for (u32 i = 0; i < n; i++) {
        u32 kept = keeps(f, enter[i], DEPTH), k = 0;
        seen[i] = kept == NONE ? NONE : p->access_place[kept];
        while (k < i && seen[k] != seen[i]) k++;
        if (kept != NONE && k == i) report(f, file, s, kept);
    }
}

void race_entered(Finder *f, u32 file)
{
    for (u32 i = 0; i < f->p->facts[file]->sections.n; i++)
        if (f->p->facts[file]->sections.v[i].path != NONE) entered_by_all(f, file, &f->p->facts[file]->sections.v[i]);
}
