/* Containers in containers: what self.groups[key] holds is state of its own, changed and walked by itself. One place
 * stands for the containers that one container holds; which key leads to which is not told apart, except that a key
 * that is written out (config["paths"]) names a field of a record, which is left alone.
 *
 * Needs to know that containers are held: by an assignment of an item (groups[key] = set()), or by what is done to
 * the item: membership tests, items stored and deleted. */
#include "link/link.h"

enum { BACK = 12 }; /* accesses that are looked through for the one that reads the item */

static bool is_container(u8 kind)
{
    return kind >= TYPE_LIST && kind <= TYPE_WEAK_SET && kind != TYPE_TUPLE;
}

/* Is the key of the subscript that the access goes through written out? True also when it is not found. */
static bool constant_key(const Facts *f, const Access *a, const Path *base)
{
    u32 at = (u32)(a - f->accesses.v);
    for (u32 n = 0; at && n < BACK; n++) {
        const Access *b = &f->accesses.v[--at];
        if (b->func != a->func) return true;
        const Path *x = &f->paths.v[b->path];
        if (b->op != OP_ITEM_LOAD || x->root != base->root || x->func != base->func || x->name != base->name ||
            x->nattr != base->nattr || memcmp(x->attr, base->attr, base->nattr * sizeof *x->attr) != 0)
            continue;
        Str key = sym_str(f, b->key);
        char c = key.n ? key.p[0] : '"';
        return c == '"' || c == '\'' || c == ':' || c == '-' || (c >= '0' && c <= '9');
    }
    return true;
}

static bool container_use(const Access *a)
{
    return a->op == OP_CONTAINS || a->op == OP_ITEM_STORE || a->op == OP_ITEM_DEL || a->op == OP_ITEM_AUG;
}

u32 element_place(Program *p, u32 file, const Access *a, const Path *x)
{
    if (!x->nattr || x->attr[x->nattr - 1] != SYM_ITEM || x->truncated) return NONE;
    if (a->op != OP_METHOD && a->op != OP_CREAD && a->op != OP_ITER && a->op != OP_ITEM_LOAD && !container_use(a))
        return NONE;
    Path base = *x;
    base.nattr--;
    Ent e = path_resolve(p, file, &base, base.nattr);
    if (e.kind != ENT_PLACE || constant_key(p->facts[file], a, &base)) return NONE;
    Type t = element_type(p, file, e), outer = place_type(p, e.id);
    if (t.kind != TYPE_UNKNOWN && !is_container(t.kind)) return NONE;
    if (outer.kind != TYPE_UNKNOWN && !is_container(outer.kind)) return NONE;
    const Place *c = &p->places.v[e.id];
    if (c->file == NONE || c->kind == PLACE_DEFAULT || c->kind == PLACE_CLOSURE) return NONE;
    u32 name = intern(p->arena, &p->syms, str_fmt(p->arena, "%.*s[...]", STR_ARG(p->syms.strs[c->name])));
    u32 place = place_of(p, c->kind, c->file, c->owner, name);
    Place *y = &p->places.v[place];
    y->of = e.id;
    y->type = t;
    return place;
}

/* Of unknown type, and nothing shows a container: no place after all. */
void elements_settle(Program *p)
{
    bool *shown = arena_new(p->state->a, bool, p->places.n + 1);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->accesses.n; i++) {
            u32 place = p->access_place[p->access_base[file] + i];
            if (place != NONE && container_use(&p->facts[file]->accesses.v[i])) shown[place] = true;
        }
    for (u32 i = 0; i < p->state->naccesses; i++) {
        u32 place = p->access_place[i];
        if (place == NONE || p->places.v[place].of == NONE) continue;
        if (p->places.v[place].type.kind == TYPE_UNKNOWN && !shown[place]) p->access_place[i] = NONE;
    }
}
