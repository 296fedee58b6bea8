/* Places that hold an object which some call gave that we cannot follow, and which nobody uses like a container.
 *
 * add(), remove(), update(), clear() … are names of many classes: meter.create_counter(…).add(1) counts in a library
 * that is made for threads, bar.update(5) draws. For such a place these names say nothing about a container. It needs
 * types and the accesses of each place. Any subscript, walk, `in`, len() or method that only containers have is taken
 * as proof that it is one; so is any value but None and the results of such calls. */
#include "link/link.h"

/* Names that, besides containers, objects of all kinds have. */
static bool says_little(Str method)
{
    static const char *const names[] = {"add",   "remove", "update", "insert", "clear",    "put",  "sort",
                                        "count", "index",  "copy",   "get",    "subtract", "full", "empty"};
    return str_among(method, names, COUNT_OF(names));
}

/* None, or what a call gave whose function and type are unknown. */
static bool unknown_call(const Program *p, const DefRef *r, bool *call)
{
    const Def *d = &p->facts[r->file]->defs.v[r->def];
    if (d->kind == VAL_NONE && !d->augmented) return d->annotation == NONE;
    if (d->kind != VAL_CALL || d->augmented || d->annotation != NONE) return false;
    const Facts *f = p->facts[r->file];
    const Path *x = &f->paths.v[f->calls.v[d->value].callee];
    u32 out[1];
    if (!path_is_attr(x) || says_little(path_last(f, x)) || known_method(path_last(f, x), AS_CONTAINER))
        return false; /* a plain name may be anything; d.get(k) gives what the container holds */
    *call = true;
    return call_type(p, r->file, d->value).kind == TYPE_UNKNOWN && !call_targets(p, r->file, d->value, out, 1);
}

static bool used_as_container(const Program *p, const Place *x)
{
    for (u32 i = 0; i < x->n; i++) {
        GId g = access_gid(p, p->place_access.v[x->first + i]);
        const Access *a = &p->facts[g.file]->accesses.v[g.id];
        switch (a->op) {
        case OP_ITEM_LOAD:
        case OP_ITEM_STORE:
        case OP_ITEM_DEL:
        case OP_ITEM_AUG:
        case OP_CREAD:
        case OP_CONTAINS:
        case OP_ITER: return true;
        case OP_METHOD:
            if (known_method(sym_str(p->facts[g.file], a->method), AS_CONTAINER)) return true;
            break;
        default: break;
        }
    }
    return false;
}

void opaque_find(Program *p)
{
    for (u32 id = 0; id < p->places.n; id++) {
        Place *x = &p->places.v[id];
        if (!x->n || (x->type.kind != TYPE_UNKNOWN && x->type.kind != TYPE_NONE)) continue;
        bool call = false, all = true;
        u32 n = 0;
        for (u32 i = map_get(&p->state->place_defs, id); i != NONE && all && n < 12;
             i = p->state->defrefs.v[i].next, n++)
            all = unknown_call(p, &p->state->defrefs.v[i], &call);
        x->opaque = all && call && map_get(&p->state->elem_defs, id) == NONE && !used_as_container(p, x);
    }
}
