/* What a package offers to its users: what its __init__.py imports or holds, and what __all__ names.
 *
 * Other public names of its modules can be imported as well, and sometimes are; so this is asked only of functions
 * that something in the package calls. A module that stands alone offers all that it has. What a decorator may have
 * made known, or a library's class calls, is offered, too. */
#include "link/link.h"

enum { BASES = 4 };

/* Does the module's __all__ name it? */
static bool in_all(const Facts *f, Str name)
{
    if (intern_find(&f->syms, S("__all__")) == NONE) return false;
    Str text = f->source->text;
    size_t at = str_search(text, S("__all__"));
    if (at == text.n) return false;
    Str list = str_slice(text, at, text.n);
    return str_has_name(str_slice(list, 0, MIN(str_find(list, ']'), str_find(list, ')'))), name);
}

/* @expose, @app.command(): is it decorated by what may make it known to others? */
static bool registered(const Facts *f, u32 first, u32 n)
{
    static const char *const harmless[] = {"staticmethod",    "classmethod",    "property",       "setter",
                                           "deleter",         "dataclass",      "lru_cache",      "cache",
                                           "cached_property", "contextmanager", "abstractmethod", "wraps",
                                           "override",        "final",          "total_ordering", "overload"};
    for (u32 i = first; i < first + n; i++) {
        const Path *x = &f->paths.v[f->decorators.v[i]];
        if (!str_among(path_last(f, x), harmless, COUNT_OF(harmless))) return true;
    }
    return false;
}

/* Does the class, or one that it derives from, derive from a class of a library, which may call what it overrides? */
static bool of_library(const Program *p, u32 gclass, u32 depth)
{
    const ClassInfo *c = &p->state->classes[gclass];
    for (u32 i = 0; i < c->ext_bases.n; i++)
        if (!str_is(p->syms.strs[c->ext_bases.v[i]], "object")) return true;
    for (u32 i = 0; i < c->bases.n; i++)
        if (!depth || of_library(p, c->bases.v[i], depth - 1)) return true;
    return false;
}

Offer offer_find(const Program *p, Arena *a)
{
    Offer o = {.whole = arena_new(a, bool, p->nfiles + 1)};
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (!str_is(str_last(f->source->path, '/'), "__init__.py")) continue;
        for (u32 i = 0; i < f->imports.n; i++) {
            const Import *im = &f->imports.v[i];
            u32 of = im->star ? import_file(p, file, im) : NONE;
            if (of != NONE) o.whole[of] = true;
            if (!im->star && im->name != SYM_EMPTY) *map_at(a, &o.names, gsym(p, file, im->name)) = 1;
        }
    }
    return o;
}

bool offered(const Program *p, const Offer *o, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Source *s = f->source;
    if (!s->in_package || str_is(str_last(s->path, '/'), "__init__.py")) return true;
    const Func *fn = &f->funcs.v[g.id];
    u32 cls = fn->cls;
    if (registered(f, fn->decorators, fn->ndecorators)) return true;
    if (cls != NONE && registered(f, f->classes.v[cls].decorators, f->classes.v[cls].ndecorators)) return true;
    if (cls != NONE && of_library(p, gclass_of(p, g.file, cls), BASES)) return true;
    while (cls != NONE && f->classes.v[cls].outer != NONE) cls = f->classes.v[cls].outer;
    u32 name = cls == NONE ? fn->name : f->classes.v[cls].name;
    return o->whole[g.file] || map_get(&o->names, gsym(p, g.file, name)) != NONE || in_all(f, sym_str(f, name));
}
