/* Are the names in a class's __slots__ walked, for repr(), a copy or a comparison of what an object has?
 *
 *   def asdict(self):
 *       return {name: getattr(self, name) for name in self.__slots__}
 *
 * The name of a lock among them would be taken for data. Any use of the attribute but in the class body counts, and
 * its name as an argument, getattr(cls, "__slots__", ()): in a method for its class and those derived from it, on an
 * object of a class not known for all classes. */
#include "fixes/fixes.h"

static void use_note(Plan *pl, u32 file, u32 func, Type of, u32 line)
{
    const Facts *f = pl->p->facts[file];
    u32 cls = of.kind == TYPE_CLASS || of.kind == TYPE_CLASS_OBJECT ? of.id : NONE;
    if (cls == NONE && f->funcs.v[func].self_class != NONE) cls = gclass_of(pl->p, file, f->funcs.v[func].self_class);
    if (cls != NONE)
        pl->slots_used[cls] = true;
    else if (!pl->slots_where.n)
        pl->slots_where = str_fmt(pl->a, "%.*s:%u", STR_ARG(f->source->path), line);
}

static void file_look(Plan *pl, u32 file)
{
    const Facts *f = pl->p->facts[file];
    u32 slots = intern_find(&f->syms, S("__slots__"));
    for (u32 i = 0; slots != NONE && i < f->accesses.n; i++) {
        const Access *a = &f->accesses.v[i];
        const Path *p = &f->paths.v[a->path];
        if (!p->nattr || p->attr[p->nattr - 1] != slots || a->op == OP_STORE || a->op == OP_CONTAINS) continue;
        use_note(pl, file, a->func, ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u)), a->line);
    }
    for (u32 i = 0; slots != NONE && i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++)
            if (f->args.v[k].text == slots) use_note(pl, file, c->func, (Type){0}, c->line);
    }
}

static bool used_in_bases(const Plan *pl, u32 gclass, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    if (pl->slots_used[gclass]) return true;
    for (u32 b = c->bases; depth && b < c->bases + c->nbases; b++) {
        Type t = path_type(pl->p, id.file, f->bases.v[b]);
        if (t.kind == TYPE_CLASS_OBJECT && used_in_bases(pl, t.id, depth - 1)) return true;
    }
    return false;
}

static bool used_in_derived(Plan *pl, u32 gclass, u32 depth)
{
    derived_index(pl);
    for (u32 i = pl->derived_first[gclass]; i < pl->derived_first[gclass + 1]; i++)
        if (pl->slots_used[pl->derived[i]] || (depth && used_in_derived(pl, pl->derived[i], depth - 1))) return true;
    return false;
}

Str slots_obstacle(Plan *pl, u32 gclass)
{
    if (!pl->slots_used) {
        pl->slots_used = arena_new(pl->a, bool, pl->p->class_base[pl->p->nfiles] + 1);
        for (u32 file = 0; file < pl->p->nfiles; file++) file_look(pl, file);
    }
    if (used_in_bases(pl, gclass, 8) || used_in_derived(pl, gclass, 8))
        return S("the names in its __slots__ are walked");
    if (!pl->slots_where.n) return S("");
    return str_fmt(pl->a, "%.*s walks the __slots__ of a class not known here", STR_ARG(pl->slots_where));
}
