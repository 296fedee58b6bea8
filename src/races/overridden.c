/* Steps of a base class that a class derived from it guards by overriding its methods:
 *
 *   class Broker:                                 class SharedBroker(Broker):
 *       def subscribe(self, f):                       def subscribe(self, f):
 *           self._subscribers.append(f)                   with self._lock:
 *                                                             super().subscribe(f)
 *
 * An object of the derived class comes to the method of the base class by the override alone, and so with the lock. A
 * step of the derived class under that lock does not meet the one without it, which is of other objects.
 *
 * Needs the call edges. Not seen: overrides whose lock is taken further up. */
#include "races/races.h"

/* The class whose method the access stands in, where it is one of self; a global class, NONE. */
static u32 class_of_self(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    u32 cls = x->funcs.v[a->func].self_class;
    return access_of_self(x, a) && cls != NONE ? p->class_base[g.file] + cls : NONE;
}

/* Does the call hold one of the locks that are held at the access? */
static bool call_holds(const Program *p, const CallEdge *e, u32 ga)
{
    if (lockset_common(p, p->funcs[e->caller].entry_locks, p->access_locks[ga]) != NONE) return true;
    const Facts *x = p->facts[e->file];
    const Call *c = &x->calls.v[e->call];
    const Func *fn = &x->funcs.v[c->func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Span *held = &x->sections.v[i].span;
        u32 lock = p->section_lock[p->section_base[e->file] + i];
        if (lock != NONE && held->start <= c->span.start && c->span.end <= held->end &&
            lockset_has(p, p->access_locks[ga], lock))
            return true;
    }
    return false;
}

bool guarded_by_override(const Finder *f, u32 ga, u32 gb)
{
    const Program *p = f->p;
    u32 derived = class_of_self(p, ga), base = class_of_self(p, gb), method = access_func(p, gb), through = 0;
    if (!p->access_locks[ga] || derived == NONE || base == NONE || derived == base || !class_is_a(p, derived, base))
        return false;
    GId g = func_gid(p, method);
    const Facts *x = p->facts[g.file];
    if (x->funcs.v[g.id].cls == NONE) return false;
    u32 own = class_method_called(p, derived, sym_str(x, x->funcs.v[g.id].name));
    if (own == NONE || own == method) return false;
    for (u32 i = f->called_first[method]; i < f->called_first[method + 1]; i++) {
        const CallEdge *e = &p->edges.v[f->called[i]];
        GId caller = func_gid(p, e->caller);
        u32 cls = p->facts[caller.file]->funcs.v[caller.id].self_class;
        if (e->weak || e->call == NONE || cls == NONE) continue; /* obj[key] goes to the overriding method */
        cls = p->class_base[caller.file] + cls;
        if (cls == base || (!class_is_a(p, derived, cls) && !class_is_a(p, cls, derived))) continue;
        if (!call_holds(p, e, ga)) return false;
        through++;
    }
    return through != 0;
}
