/* Classes whose objects are data: dataclasses and their like, and rows of tables. Whoever makes or loads one has it
 * for itself, unless something shows that others get it: what a module or an object keeps is found by evidence.c and
 * kept.c, and a class of which one object is made for an attribute is none of these here. */
#include "link/link.h"

enum { BASES = 6 };

/* class Book(db.Model), class Book(Base), where Base = declarative_base(): each query makes the row anew (Django,
 * "Making queries"; SQLAlchemy, "Session Basics"). */
static bool named_row(const Program *p, u32 file, u32 path)
{
    static const char *const bases[] = {"Model", "DeclarativeBase", "Document", "declarative_base"};
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[path];
    Str name = x->nattr ? path_last(f, x) : x->root == ROOT_GLOBAL ? sym_str(f, x->name) : S("");
    if (str_among(name, bases, COUNT_OF(bases))) return true;
    Ent e = path_entity(p, file, path);
    u32 at = e.kind == ENT_PLACE ? map_get(&p->state->place_defs, e.id) : NONE;
    if (at == NONE) return false;
    const DefRef *r = &p->state->defrefs.v[at];
    const Facts *of = p->facts[r->file];
    const Def *d = &of->defs.v[r->def];
    return d->kind == VAL_CALL && str_among(call_last(of, &of->calls.v[d->value]), bases, COUNT_OF(bases));
}

static bool writes(const Facts *f, const Access *a)
{
    static const char *const methods[] = {"append", "appendleft", "add",    "insert",  "extend",
                                          "update", "setdefault", "pop",    "popleft", "clear",
                                          "remove", "discard",    "popitem"};
    switch (a->op) {
    case OP_STORE:
    case OP_AUG:
    case OP_DEL:
    case OP_ITEM_STORE:
    case OP_ITEM_AUG:
    case OP_ITEM_DEL: return true;
    case OP_METHOD: return str_among(sym_str(f, a->method), methods, COUNT_OF(methods));
    default: return false;
    }
}

/* Do methods of the class change what its objects hold, once these are made? Then it is more than data: a registry
 * that happens to be written as a dataclass. */
static bool changes_itself(const Program *p, GId cls)
{
    static const char *const making[] = {"__init__", "__post_init__", "__new__", "__setstate__"};
    const Facts *f = p->facts[cls.file];
    for (u32 i = 1; i < f->funcs.n; i++) {
        const Func *fn = &f->funcs.v[i];
        if (fn->cls != cls.id || str_among(sym_str(f, fn->name), making, COUNT_OF(making))) continue;
        for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
            const Path *x = &f->paths.v[f->accesses.v[k].path];
            if (x->root == ROOT_SELF && x->nattr && writes(f, &f->accesses.v[k])) return true;
        }
    }
    return false;
}

static bool is_record(const Program *p, u32 gclass, u32 depth)
{
    GId g = class_gid(p, gclass);
    const Class *c = &p->facts[g.file]->classes.v[g.id];
    const ClassInfo *k = &p->state->classes[gclass];
    if (changes_itself(p, g)) return false;
    if (class_makes_fields(p, g.file, g.id)) return true;
    for (u32 i = c->bases; i < c->bases + c->nbases; i++)
        if (named_row(p, g.file, p->facts[g.file]->bases.v[i])) return true;
    for (u32 i = 0; i < k->bases.n && depth; i++)
        if (is_record(p, k->bases.v[i], depth - 1)) return true;
    return false;
}

bool class_is_record(const Program *p, u32 gclass)
{
    return gclass != NONE && is_record(p, gclass, BASES) &&
           !class_family_count(p, gclass, offsetof(ClassInfo, made_for_attr), BASES);
}
