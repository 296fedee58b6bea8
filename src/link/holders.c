/* What objects of the standard library hold for those who have them: the number of a multiprocessing.Value or of a
 * ctypes.c_long, in its attribute "value", and the names of a types.SimpleNamespace.
 *
 *   _state = SimpleNamespace(hits=0)          _total = multiprocessing.Value("i", 0)
 *   _state.hits += 1                          _total.value += 1      and not under _total.get_lock()
 *
 * Such an attribute is a place beside the one that holds the object, named "_state.hits". Needs the type of that one.
 * Not seen: objects that go through locals and arguments, or stand in containers. */
#include "link/link.h"

static bool holds(const Program *p, Type t, Str attr)
{
    if (t.kind == TYPE_MP_SAFE) return str_is(attr, "value");
    if (t.kind != TYPE_EXTERNAL || t.id == NONE) return false;
    Str name = p->syms.strs[t.id];
    if (str_is(name, "types.SimpleNamespace")) return !str_starts(attr, S("__"));
    return str_starts(name, S("ctypes.c_")) && str_is(attr, "value");
}

Ent holder_attr(const Program *p, u32 place, Type t, u32 gs)
{
    Str attr = p->syms.strs[gs];
    if (!holds(p, t, attr)) return (Ent){ENT_NONE, NONE, NONE, NONE};
    Place x = p->places.v[place];
    Str name = str_dot(p->state->a, p->syms.strs[x.name], attr);
    u32 sym = intern(p->arena, (Intern *)(uintptr_t)&p->syms, name);
    return (Ent){ENT_PLACE, place_of(p, x.kind, x.file, x.owner, sym), NONE, NONE};
}

bool place_of_processes(const Program *p, u32 place)
{
    const Place *x = &p->places.v[place];
    Str name = p->syms.strs[x->name];
    if (!str_ends(name, S(".value"))) return false;
    u32 sym = intern_find(&p->syms, str_slice(name, 0, name.n - sizeof ".value" + 1));
    return sym != NONE && place_type(p, place_of(p, x->kind, x->file, x->owner, sym)).kind == TYPE_MP_SAFE;
}
