/* Whose attribute is it when the type of the object is unknown? The attribute's name may tell:
 *
 *   o.__name within a class body  is mangled with the name of that class, so it is that class's, whatever o is
 *   o._name                       is that of the one class of the program that sets self._name, if the access stands
 *                                 in its file or its folder: private names are used beside their class
 *   self of an inner function     of a class body, which is a decorator there, is an object of that class
 *
 * Only attributes that hold something, no methods: a guessed method would lead to code that is never called. */
#include "link/link.h"

enum { SEVERAL = NONE - 1, SHORTEST = 4 };

static bool private_name(Str s)
{
    return s.n >= SHORTEST && s.p[0] == '_' && s.p[1] != '_';
}

/* Where types are known: after params_link. */
void owners_index(Program *p)
{
    LinkState *s = p->state;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->defs.n; i++) {
            if (f->defs.v[i].path == NONE) continue;
            const Path *x = &f->paths.v[f->defs.v[i].path];
            if (x->root != ROOT_SELF || x->nattr != 1 || !private_name(sym_str(f, x->attr[0]))) continue;
            u32 cls = root_class(p, file, x), gs = gsym(p, file, x->attr[0]), bits;
            u32 owner = cls == NONE ? NONE : class_attr_owner(p, cls, gs, &bits);
            if (owner == NONE) continue;
            u32 *at = map_at(s->a, &s->private_owner, gs);
            *at = *at == NONE || *at == owner ? owner : SEVERAL;
        }
    }
}

static Str folder(Str path)
{
    size_t at = str_rfind(path, '/');
    return at == path.n ? S("") : str_slice(path, 0, at);
}

u32 class_around(const Program *p, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    for (; func; func = f->funcs.v[func].parent)
        if (f->funcs.v[func].cls != NONE) return gclass_of(p, file, f->funcs.v[func].cls);
    return NONE;
}

u32 owner_by_name(const Program *p, u32 file, const Path *x, u32 attr)
{
    Str name = sym_str(p->facts[file], attr);
    u32 gs = gsym(p, file, attr), bits;
    if (str_starts(name, S("__")) && !str_ends(name, S("__"))) {
        bool scoped = x->root == ROOT_LOCAL || x->root == ROOT_PARAM;
        u32 cls = scoped ? class_around(p, file, x->func) : NONE;
        return cls == NONE || class_attr_owner(p, cls, gs, &bits) == NONE ? NONE : cls;
    }
    if (!private_name(name)) return NONE;
    u32 owner = map_get(&p->state->private_owner, gs), home;
    if (owner == NONE || owner == SEVERAL) return NONE;
    program_class(p, owner, &home);
    Str here = p->facts[file]->source->path, there = p->facts[home]->source->path;
    return str_eq(folder(here), folder(there)) ? owner : NONE;
}
