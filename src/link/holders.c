/* What objects of libraries hold for those who have them: the number of a multiprocessing.Value or of a
 * ctypes.c_long, in its attribute "value", the names of a types.SimpleNamespace, and what the program itself gives to
 * an object that a module has.
 *
 *   _state = SimpleNamespace(hits=0)          _total = multiprocessing.Value("i", 0)
 *   _state.hits += 1                          _total.value += 1      and not under _total.get_lock()
 *
 *   app = Flask(__name__)
 *   app.hits = 0                              app.hits += 1
 *
 * Such an attribute is a place beside the one that holds the object, named "_state.hits". Needs the type of that one.
 * Not seen: objects that go through locals and arguments, or stand in containers. */
#include "link/link.h"

void holders_index(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->defs.n; i++) {
            const Def *d = &f->defs.v[i];
            const Path *x = d->path == NONE || d->is_return ? NULL : &f->paths.v[d->path];
            if (x && x->root == ROOT_GLOBAL && x->nattr == 1 && x->attr[0] != SYM_ITEM)
                map_put(p->state->a, &p->state->given_attrs, gsym(p, file, x->attr[0]), 1);
        }
    }
}

static bool holds(const Program *p, const Place *x, Type t, u32 gs)
{
    Str attr = p->syms.strs[gs];
    if (t.kind == TYPE_MP_SAFE) return str_is(attr, "value");
    if (t.kind != TYPE_EXTERNAL || t.id == NONE) return false;
    Str name = p->syms.strs[t.id];
    if (str_is(name, "types.SimpleNamespace")) return !str_starts(attr, S("__"));
    if (str_starts(name, S("ctypes.c_"))) return str_is(attr, "value");
    return x->kind == PLACE_GLOBAL && map_get(&p->state->given_attrs, gs) != NONE;
}

Ent holder_attr(const Program *p, u32 place, Type t, u32 gs)
{
    Str attr = p->syms.strs[gs];
    Place x = p->places.v[place];
    if (!holds(p, &x, t, gs)) return (Ent){ENT_NONE, NONE, NONE, NONE};
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
