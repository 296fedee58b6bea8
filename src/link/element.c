/* Containers in containers: what self.groups[key] holds is state of its own, changed and walked by itself. One place
 * stands for the containers that one container holds; which key leads to which is not told apart, except that a key
 * that is written out (config["paths"]) names a field of a record, which is left alone.
 *
 * Needs to know that containers are held: by an assignment of an item (groups[key] = set()), by what makes a missing
 * one (defaultdict(set)), by what is done to the item (membership tests, items stored and deleted), or by what stands
 * in for a missing one: groups.get(key, []), groups.setdefault(key, set()). groups.get(key) is an item as well, which
 * does not tell that it is a container. */
#include "link/link.h"

enum { BACK = 12 }; /* accesses that are looked through for the one that reads the item */

/* for box in d.values(), for key, box in d.items(): every item comes in turn, and there is no key. */
static bool walks_values(const Facts *f, const Access *b, const Path *x, const Path *base)
{
    if (b->op != OP_ITER && b->op != OP_CREAD) return false;
    if (x->root != ROOT_CALL || x->nattr) return false;
    Path d = f->paths.v[f->calls.v[x->func].callee];
    if (!d.nattr || d.truncated || d.nattr != base->nattr + 1) return false;
    Str view = sym_str(f, d.attr[--d.nattr]);
    if (!str_ends(view, S("values")) && !str_ends(view, S("items"))) return false;
    return d.root == base->root && d.func == base->func && d.name == base->name &&
           memcmp(d.attr, base->attr, base->nattr * sizeof *base->attr) == 0;
}

/* Is the key of the subscript that is read before the access `at` of the function written out? True also when it is
 * not found. */
static bool constant_key(const Facts *f, u32 at, u32 func, const Path *base)
{
    for (u32 n = 0; at && n < BACK; n++) {
        const Access *b = &f->accesses.v[--at];
        if (b->func != func) return true;
        const Path *x = &f->paths.v[b->path];
        if (walks_values(f, b, x, base)) return false;
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

/* lambda: [], lambda: defaultdict(set): what it gives, where that is a container of its own. */
static Type made_by(const Program *p, u32 file, u32 lambda)
{
    u32 at = map_get(&p->state->local_defs, local_key(file, lambda, SYM_EMPTY));
    return at == NONE ? (Type){TYPE_UNKNOWN, NONE}
                      : def_type(p, file, &p->facts[file]->defs.v[p->state->defrefs.v[at].def]);
}

/* What defaultdict(set) makes for a missing key, where that is the one value of the place; unknown otherwise. */
static Type made_for_missing(const Program *p, u32 place)
{
    const LinkState *s = p->state;
    Type t = {TYPE_UNKNOWN, NONE};
    u32 at = map_get(&s->place_defs, place);
    if (at == NONE || s->defrefs.v[at].next != NONE) return t;
    u32 file = s->defrefs.v[at].file;
    const Facts *f = p->facts[file];
    const Def *d = &f->defs.v[s->defrefs.v[at].def];
    const Call *c = d->kind == VAL_CALL ? &f->calls.v[d->value] : NULL;
    if (!c || !c->nargs || !str_is(path_external(p, file, c->callee), "collections.defaultdict")) return t;
    const Arg *made = &f->args.v[c->args];
    if (made->kind == VAL_PATH) return external_type(p, path_external(p, file, made->value));
    return made->kind == VAL_LAMBDA ? made_by(p, file, made->value) : t;
}

/* stats.setdefault(host, {}).setdefault(name, []): what `base` names is itself held by a container. */
static Ent held_by_another(Program *p, u32 file, const Path *base)
{
    Access whole = {.op = OP_METHOD};
    u32 place = element_asked(p, file, &whole, base);
    return place == NONE ? (Ent){.kind = ENT_NONE} : (Ent){.kind = ENT_PLACE, .id = place};
}

/* The place of the containers that the place behind `base` holds, of type `hint` when nothing else tells; or NONE. */
static u32 place_in(Program *p, u32 file, const Path *base, Type hint)
{
    Ent e = path_resolve(p, file, base, base->nattr);
    bool inner = e.kind != ENT_PLACE && !base->nattr;
    if (inner) e = held_by_another(p, file, base);
    if (e.kind != ENT_PLACE) return NONE;
    Type t = element_type(p, file, e), outer = inner ? p->places.v[e.id].type : place_type(p, e.id);
    if (t.kind == TYPE_UNKNOWN) t = made_for_missing(p, e.id);
    if (t.kind == TYPE_UNKNOWN) t = hint;
    if (t.kind != TYPE_UNKNOWN && !type_is_container(t.kind)) return NONE;
    if (outer.kind != TYPE_UNKNOWN && !type_is_container(outer.kind)) return NONE;
    const Place *c = &p->places.v[e.id];
    if (c->file == NONE || c->kind == PLACE_DEFAULT || c->kind == PLACE_CLOSURE) return NONE;
    u32 name = intern(p->arena, &p->syms, str_fmt(p->arena, "%.*s[...]", STR_ARG(p->syms.strs[c->name])));
    u32 place = place_of(p, c->kind, c->file, c->owner, name);
    Place *y = &p->places.v[place];
    y->of = e.id;
    if (y->type.kind == TYPE_UNKNOWN) y->type = t;
    return place;
}

bool access_of_contents(const Access *a)
{
    return a->op == OP_METHOD || a->op == OP_CREAD || a->op == OP_ITER || a->op == OP_ITEM_LOAD ||
           a->op == OP_TRUTH || container_use(a);
}

u32 element_place(Program *p, u32 file, const Access *a, const Path *x)
{
    if (!path_is_item(x) || x->truncated || !access_of_contents(a)) return NONE;
    Path base = *x;
    base.nattr--;
    const Facts *f = p->facts[file];
    if (constant_key(f, (u32)(a - f->accesses.v), a->func, &base)) return NONE;
    return place_in(p, file, &base, (Type){TYPE_UNKNOWN, NONE});
}

/* What groups.get(key, []) gives for a missing key: the type of an empty container; unknown for None and (), which
 * leave it open; a tuple, which no item is, for anything else. */
static Type stand_in(const Program *p, u32 file, const Call *c)
{
    const Arg *a = &p->facts[file]->args.v[c->args + 1];
    Type t = {TYPE_TUPLE, NONE};
    if (c->nargs == 1 || a->kind == VAL_NONE || a->kind == VAL_TUPLE) t.kind = TYPE_UNKNOWN;
    if (c->nargs == 1) return t;
    if (a->kind == VAL_LIST) t.kind = TYPE_LIST;
    if (a->kind == VAL_DICT) t.kind = TYPE_DICT;
    if (a->kind == VAL_CALL && !p->facts[file]->calls.v[a->value].nargs) t = call_type(p, file, a->value);
    return t;
}

u32 element_asked(Program *p, u32 file, const Access *a, const Path *x)
{
    const Facts *f = p->facts[file];
    u32 call = access_of_contents(a) ? path_result_of(p, file, x) : NONE;
    if (call == NONE) return NONE;
    const Call *c = &f->calls.v[call];
    Path base = f->paths.v[c->callee];
    if (!c->nargs || c->nargs > 2 || !base.nattr || base.truncated || f->args.v[c->args].text != SYM_EMPTY)
        return NONE;
    Str name = path_last(f, &base);
    if (!str_is(name, "get") && !str_is(name, "setdefault")) return NONE;
    Type t = stand_in(p, file, c);
    base.nattr--;
    bool open = t.kind == TYPE_UNKNOWN && (a->op == OP_ITER || container_use(a));
    return type_is_container(t.kind) || open ? place_in(p, file, &base, t) : NONE;
}

/* return self.groups[key], return self.groups.get(key, []): whoever walks the result walks the inner container. */
u32 element_returned(Program *p, u32 file, const Def *d)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[d->func];
    Access walk = {.op = OP_ITER};
    if (d->kind == VAL_CALL) return element_asked(p, file, &walk, &(Path){.root = ROOT_CALL, .func = d->value});
    if (d->kind != VAL_PATH) return NONE;
    Path base = f->paths.v[d->value];
    if (base.root == ROOT_LOCAL && !base.nattr) return element_asked(p, file, &walk, &base);
    if (!path_is_item(&base) || base.truncated) return NONE;
    base.nattr--;
    for (u32 i = fn->accesses + fn->naccesses; i > fn->accesses; i--)
        if (f->accesses.v[i - 1].stmt == d->stmt)
            return constant_key(f, i, d->func, &base) ? NONE : place_in(p, file, &base, (Type){0});
    return NONE;
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
