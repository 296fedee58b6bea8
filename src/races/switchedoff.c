/* Code that a constant switches off: `if Symbol.debug_lookup: Symbol.debug_indent += 1`, where the program binds
 * debug_lookup once, to False, and nothing else in sight changes it. Whoever looks for an error turns it on by hand,
 * in one thread. */
#include "races/races.h"

/* setattr(self, name, value), self.__dict__.update(options): may the file set what it does not name? */
static bool sets_computed(const Facts *f)
{
    for (u32 i = 0; i < f->unseen.n; i++)
        if (f->unseen.v[i].kind == UNSEEN_STORE) return true;
    return false;
}

/* debug_lookup = False, and no other binding. */
static bool constant_false(const Program *p, u32 place)
{
    const Place *x = &p->places.v[place];
    const Facts *f = x->def == NONE ? NULL : p->facts[x->def_file];
    const Def *d = f ? &f->defs.v[x->def] : NULL;
    if (!d || d->func || sets_computed(f)) return false; /* not of a module or a class body */
    Str rest = str_trim(str_slice(f->source->text, d->span.end, f->source->text.n));
    if (d->kind != VAL_BOOL || !str_starts(rest, S("=")) || d->augmented) return false;
    if (!str_starts(str_trim(str_slice(rest, 1, rest.n)), S("False"))) return false;
    for (u32 i = x->first; i < x->first + x->n; i++) {
        GId g = access_gid(p, p->place_access.v[i]);
        const Access *a = &p->facts[g.file]->accesses.v[g.id];
        if (access_effect(p, p->place_access.v[i]) & EFFECT_WRITE && a->value != x->def) return false;
    }
    return true;
}

/* The blocks of a file that such a constant chooses. */
static bool *switched_off(const Program *p, Arena *a, u32 file)
{
    const Facts *f = p->facts[file];
    bool *off = arena_new(a, bool, f->blocks.n + 1);
    Map known = {0}; /* place → is it such a constant? */
    for (u32 i = 0; i < f->accesses.n; i++) {
        const Access *x = &f->accesses.v[i];
        u32 place = p->access_place[p->access_base[file] + i];
        if (x->op != OP_TRUTH || x->test != TEST_TRUE || x->cond == NONE || place == NONE) continue;
        const Cond *c = &f->conds.v[x->cond];
        bool whole = c->head.start == x->span.start && c->head.end == x->span.end;
        if (!whole || c->then_block == NONE) continue;
        u32 *constant = map_at(a, &known, place);
        if (*constant == NONE) *constant = constant_false(p, place);
        off[c->then_block] |= *constant == true;
    }
    return off;
}

bool race_switched_off(const Program *p, Arena *a, bool **known, const Race *r)
{
    if (r->sites[0] == NONE || !r->nsites) return false;
    GId g = access_gid(p, r->sites[0]);
    if (!known[g.file]) known[g.file] = switched_off(p, a, g.file);
    const Facts *f = p->facts[g.file];
    for (u32 b = f->accesses.v[g.id].block; b != NONE; b = f->blocks.v[b].parent)
        if (known[g.file][b]) return true;
    return false;
}
