/* Which classes' objects the program pickles or copies deeply: a lock among their attributes would stop that. And
 * whose attributes it walks as a whole, by vars() or __dict__, to compare or print or write them: it would see the
 * lock.
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
    for (u32 i = 0; depth && i < pl->p->places.n; i++) { /* what its attributes hold goes along */
        const Place *held = &pl->p->places.v[i];
        if (held->kind == PLACE_INSTANCE && held->owner == gclass && held->type.kind == TYPE_CLASS &&
            !pl->pickled[held->type.id])
            class_mark(pl, held->type.id, depth - 1);
    }
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

/* Does the file write objects out? */
static bool writes_out(const Facts *f)
{
    static const char *const writers[] = {"json",   "simplejson", "ujson",      "orjson", "yaml",
                                          "msgpack", "toml",       "jsonpickle", "tomli_w"};
    for (u32 i = 0; i < f->imports.n; i++) {
        Str rest, top = str_cut(sym_str(f, f->imports.v[i].module), '.', &rest);
        if (str_among(top, writers, COUNT_OF(writers))) return true;
    }
    return false;
}

/* Who walks the attributes of a class's objects: its own hooks for pickle, or somebody else. */
enum { WALKED = 1, WALKED_BY_HOOKS = 2 };

static bool in_hook(const Facts *f, const Path *p)
{
    if (p->root != ROOT_SELF) return false; /* the func of others may be a call */
    Str name = sym_str(f, f->funcs.v[p->func].name);
    return str_is(name, "__getstate__") || str_is(name, "__setstate__");
}

/* o.__dict__ and vars(o), but for single attributes by name. */
static void walk_look(Plan *pl, u32 file, const Access *a)
{
    static const char *const single[] = {"get", "pop", "setdefault", "update"};
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[a->path];
    bool dict = p->nattr && str_is(sym_str(f, p->attr[p->nattr - 1]), "__dict__");
    bool vars = a->op == OP_CREAD && str_is(sym_str(f, a->method), "vars");
    if (!vars && (!dict || a->op == OP_ITEM_LOAD || a->op == OP_ITEM_STORE || a->op == OP_ITEM_DEL ||
                  a->op == OP_CONTAINS || a->op == OP_HASATTR))
        return;
    for (u32 i = 0; dict && a->op == OP_METHOD && i < COUNT_OF(single); i++)
        if (str_is(sym_str(f, a->method), single[i])) return;
    u32 cls = NONE;
    if (p->root == ROOT_SELF && p->nattr == (dict ? 1 : 0)) {
        u32 c = f->funcs.v[p->func].cls;
        cls = c == NONE ? NONE : pl->p->class_base[file] + c;
    } else {
        Ent e = path_resolve(pl->p, file, p, p->nattr - (dict ? 1u : 0u));
        Type t = ent_type(pl->p, e);
        if (t.kind == TYPE_CLASS) cls = t.id;
        if (t.kind != TYPE_CLASS && t.kind != TYPE_UNKNOWN) return;
    }
    if (cls != NONE)
        pl->walked[cls] |= in_hook(f, p) ? WALKED_BY_HOOKS : WALKED;
    else if (writes_out(f) && !pl->walked_where.n)
        pl->walked_where = str_fmt(pl->a, "%.*s:%u", STR_ARG(site_source(pl, file)->path), a->line);
}

static void walked_find(Plan *pl)
{
    pl->walked = arena_new(pl->a, u8, pl->p->class_base[pl->p->nfiles] + 1);
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        if (intern_find(&f->syms, S("__dict__")) == NONE && intern_find(&f->syms, S("vars")) == NONE) continue;
        for (u32 i = 0; i < f->accesses.n; i++) walk_look(pl, file, &f->accesses.v[i]);
    }
}

static bool walked_in_bases(Plan *pl, u32 gclass, u8 by, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    if (pl->walked[gclass] & by) return true;
    for (u32 b = c->bases; depth && b < c->bases + c->nbases; b++) {
        Type t = path_type(pl->p, id.file, f->bases.v[b]);
        if (t.kind == TYPE_CLASS_OBJECT && walked_in_bases(pl, t.id, by, depth - 1)) return true;
    }
    return false;
}

Str walked_obstacle(Plan *pl, u32 gclass, bool hooks)
{
    if (!pl->walked) walked_find(pl);
    if (walked_in_bases(pl, gclass, hooks ? WALKED : WALKED | WALKED_BY_HOOKS, 8))
        return S("something goes through all attributes of its objects");
    if (!pl->walked_where.n) return S("");
    return str_fmt(pl->a, "%.*s goes through all attributes of objects of a class not known here",
                   STR_ARG(pl->walked_where));
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
