/* UG102 about keys that were copied from a dict, and are used when another thread may have taken them out:
 *
 *   for key in list(cache):                        stale = [k for k, v in cache.items() if v < now]
 *       if cache[key] < now: …                     for key in stale: del cache[key]
 *
 * The copy keeps the walk from failing; the look-up or the removal that follows raises KeyError in the thread that
 * comes second.
 *
 * Needs the accesses of one place. Only where threads are in sight, or where there is a sign that the dict is shared;
 * what catches the error, takes an entry out with a default, or holds one lock from the copy on is right. Not seen:
 * copies that another function makes, keys in tuples. */
#include "races/races.h"

enum {
    BODY = 256,    /* accesses of the function in which the copy is looked for */
    FINDINGS = 64  /* of one place: more say nothing new */
};

static bool has_keys(u8 type)
{
    return type == TYPE_DICT || type == TYPE_ORDERED_DICT || type == TYPE_DEFAULT_DICT || type == TYPE_COUNTER;
}

/* d[k], del d[k], d.pop(k): raises when the key is gone. A look into a defaultdict or a Counter does not. */
static bool needs_key(const Place *x, const Access *a, u8 effect)
{
    bool looks = a->op == OP_ITEM_LOAD && (x->type.kind == TYPE_DICT || x->type.kind == TYPE_ORDERED_DICT);
    bool takes = a->op == OP_ITEM_DEL || (a->op == OP_METHOD && a->nargs == 1 && effect & EFFECT_SHRINK);
    return a->key != SYM_EMPTY && (looks || (takes && effect & EFFECT_RAISES));
}

/* The local variable that the access is of; SYM_EMPTY. */
static u32 local_of(const Facts *x, const Access *a)
{
    const Path *q = &x->paths.v[a->path];
    return q->root == ROOT_LOCAL && !q->nattr ? q->name : SYM_EMPTY;
}

/* Does the statement begin with NAME = ? */
static bool binds(const Facts *x, const Access *a, u32 name)
{
    Str rest = str_slice(x->source->text, a->stmt, x->source->text.n), n = sym_str(x, name);
    if (!str_starts(rest, n)) return false;
    rest = str_trim(str_slice(rest, n.n, MIN(rest.n, n.n + 8)));
    return rest.n > 1 && rest.p[0] == '=' && rest.p[1] != '=';
}

/* The access by which the keys were copied that the use has one of; NONE. The way back is from the key to the loop
 * that it is the variable of, and from there, where that walks a local list, to what the list was made of: a copy, a
 * comprehension, or a loop that appends to it. */
static u32 copy_of(const Finder *f, u32 ga)
{
    GId g = access_gid(f->p, ga);
    const Facts *x = f->p->facts[g.file];
    const Access *use = &x->accesses.v[g.id];
    u32 first = x->funcs.v[use->func].accesses, key = use->key, list = SYM_EMPTY;
    bool gathered = false;
    for (u32 k = g.id; k-- > first && g.id - k < BODY;) {
        const Access *a = &x->accesses.v[k];
        u32 at = f->p->access_base[g.file] + k;
        bool here = f->p->access_place[at] == f->place;
        if (list != SYM_EMPTY) {
            bool made = (a->local == list && copies_keys(x, a)) ||
                        (binds(x, a, list) && (walks_keys(x, a) || copies_keys(x, a)));
            if (here && made) return at;
            if (a->op != OP_METHOD || local_of(x, a) != list || !str_is(sym_str(x, a->method), "append")) continue;
            key = a->key;
            list = SYM_EMPTY;
            gathered = true;
        } else if (a->local == key) {
            if (here) return copies_keys(x, a) || (gathered && walks_keys(x, a)) ? at : NONE;
            if (a->op == OP_ITER && x->paths.v[a->path].root == ROOT_CALL) continue; /* of list(d), next */
            list = a->op == OP_ITER || copies_keys(x, a) ? local_of(x, a) : SYM_EMPTY;
            if (list == SYM_EMPTY) return NONE;
        }
    }
    return NONE;
}

/* Is it more than a guess that other threads have the dict? */
static bool signs(const Place *x)
{
    return x->evidence & (EV_GUARDED | EV_CLASS_LOCKS | EV_SINGLETON | EV_DECORATOR | EV_HANDED | EV_ALWAYS);
}

void race_copied_keys(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    if (!has_keys(x->type.kind) || x->kind == PLACE_CLOSURE) return;
    for (u32 i = 0, found = 0; i < f->nacc && found < FINDINGS; i++) {
        u32 use = f->acc[i];
        if (f->claimed[use] || !needs_key(x, program_access(f->p, use), f->effect[i])) continue;
        u32 copy = copy_of(f, use);
        if (copy == NONE || failure_caught(f->p, use) || one_section(f->p, copy, use, NULL)) continue;
        Conflict c = conflict_find(f, use, EFFECT_SHRINK, true);
        if (c.witness == NONE || access_effect(f->p, c.witness) & EFFECT_REBIND) continue;
        if (!c.roots && !signs(x)) c.confidence = CONF_LOW;
        found++;
        Race *r = race_add(f, UG102, use, c);
        r->test = copy;
        r->act = use;
        race_site(r, copy);
        GId w = access_gid(f->p, c.witness);
        race_message(f, r,
                     "the keys of %.*s were copied on line %u; line %u of %.*s may take this one out before it is "
                     "used here, which then raises KeyError",
                     STR_ARG(short_state(f->p, f->place)), program_access(f->p, copy)->line,
                     program_access(f->p, c.witness)->line, STR_ARG(f->p->facts[w.file]->source->path));
    }
}
