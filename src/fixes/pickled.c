/* Which classes' objects the program pickles or copies deeply: a lock among their attributes would stop that.
 *
 * Looks at the calls of pickle.dumps, copy.deepcopy and the like in all files, tests too. Where the argument's class
 * is known, it and its bases are meant; where it is not known, any class may be. Built-in containers and plain values
 * are taken for what they are; what they contain is not looked at. */
#include "fixes/fixes.h"

static const char *const pickles[] = {"pickle.dumps",     "pickle.dump",       "copy.deepcopy", "dill.dumps",
                                      "dill.dump",        "cloudpickle.dumps", "marshal.dumps", "joblib.dump",
                                      "cloudpickle.dump", "pickle.Pickler.dump"};

static void class_mark(Plan *pl, u32 gclass, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    pl->pickled[gclass] = true;
    for (u32 b = c->bases; depth && b < c->bases + c->nbases; b++) {
        Type t = path_type(pl->p, id.file, f->bases.v[b]);
        if (t.kind == TYPE_CLASS_OBJECT && !pl->pickled[t.id]) class_mark(pl, t.id, depth - 1);
    }
}

static void call_look(Plan *pl, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    Str name = path_external(pl->p, file, c->callee);
    bool found = false;
    for (u32 i = 0; i < COUNT_OF(pickles) && name.n && !found; i++) found = str_is(name, pickles[i]);
    if (!found || !c->nargs) return;
    const Arg *a = &f->args.v[c->args];
    Type t = a->kind == VAL_PATH ? path_type(pl->p, file, a->value) : (Type){0};
    if (a->kind == VAL_CALL) { /* pickle.dumps(Job(1)) */
        Type made = path_type(pl->p, file, f->calls.v[a->value].callee);
        if (made.kind == TYPE_CLASS_OBJECT) t = (Type){.kind = TYPE_CLASS, .id = made.id};
    }
    if (t.kind == TYPE_CLASS)
        class_mark(pl, t.id, 8);
    else if (t.kind == TYPE_UNKNOWN && (a->kind == VAL_PATH || a->kind == VAL_CALL) && !pl->pickled_where.n)
        pl->pickled_where = str_fmt(pl->a, "%.*s:%u", STR_ARG(site_source(pl, file)->path), c->line);
}

static void pickled_find(Plan *pl)
{
    pl->pickled = arena_new(pl->a, bool, pl->p->class_base[pl->p->nfiles] + 1);
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        bool imports = false;
        for (u32 i = 0; i < f->imports.n && !imports; i++) {
            Str rest, top = str_cut(sym_str(f, f->imports.v[i].module), '.', &rest);
            for (u32 k = 0; k < COUNT_OF(pickles) && !imports; k++)
                imports = str_eq(top, str_cut(str_from(pickles[k]), '.', &rest));
        }
        for (u32 i = 0; imports && i < f->calls.n; i++) call_look(pl, file, &f->calls.v[i]);
    }
}

Str pickled_obstacle(Plan *pl, u32 gclass)
{
    if (!pl->pickled) pickled_find(pl);
    if (pl->pickled[gclass]) return S("its objects are pickled or copied, which an object with a lock cannot be");
    if (!pl->pickled_where.n) return S("");
    return str_fmt(pl->a, "%.*s pickles or copies objects of a class not known here, and an object with a lock "
                          "cannot be",
                   STR_ARG(pl->pickled_where));
}
