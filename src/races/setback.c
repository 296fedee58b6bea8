/* UG101 about a value that a function puts somewhere for the time of what it calls, and takes away again:
 *
 *   self._request = request
 *   try:
 *       return self.handler()
 *   finally:
 *       self._request = None
 *
 * so that of two calls at once one sees the other's value, or None. Context managers that do so are in save.c; what
 * is set back to the value that was there before is an update (update.c).
 *
 * Needs the accesses of one place. The value is taken away by a later statement of the same block, or in a finally,
 * by None or del; something is called in between; and another function reads it, or the same one on its way in. The
 * findings name no place to the fixes: a lock would have to be held around whatever is called, where an argument
 * does. Flags are left alone: whoever sets them wants all to see them. */
#include "races/races.h"

/* x = None, del x */
static bool takes_away(const Program *p, u32 ga)
{
    const Def *d = stored_def(p, ga);
    return program_access(p, ga)->op == OP_DEL || (d && d->kind == VAL_NONE);
}

/* Does a return in between leave the value there? Then it is taken away on one way out only: it was meant to stay. */
static bool may_stay(const Facts *x, const Access *set, const Access *back)
{
    for (u32 b = 0; b < x->blocks.n; b++) {
        const Block *y = &x->blocks.v[b];
        if (y->func != set->func || !y->exits || y->kind == BLOCK_FUNC || y->span.start <= set->stmt ||
            y->span.end > back->stmt)
            continue;
        if (str_contains(str_slice(x->source->text, y->span.start, y->span.end), S("return"))) return true;
    }
    return false;
}

/* The access that ends what access i set, NONE. */
static u32 set_back_by(const Finder *f, u32 i)
{
    const Access *set = program_access(f->p, f->acc[i]);
    u32 file = access_gid(f->p, f->acc[i]).file;
    const Facts *x = f->p->facts[file];
    for (u32 k = i + 1; k < f->nacc && access_gid(f->p, f->acc[k]).file == file; k++) {
        const Access *a = program_access(f->p, f->acc[k]);
        if (a->func != set->func) return NONE;
        if (a->op != OP_STORE && a->op != OP_DEL) continue;
        bool sure = (a->block == set->block && !may_stay(x, set, a)) ||
                    (in_finally(x, a->block) && !in_finally(x, set->block));
        return sure && a->stmt != set->stmt && takes_away(f->p, f->acc[k]) ? k : NONE;
    }
    return NONE;
}

static bool calls_between(const Facts *x, const Access *set, const Access *back)
{
    const Func *fn = &x->funcs.v[set->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (x->calls.v[i].stmt > set->stmt && x->calls.v[i].span.end < back->span.start) return true;
    return false;
}

/* A read of the place that may see what another call set: in another function, or on the way to access i. */
static u32 seen_by(const Finder *f, u32 i)
{
    const Access *set = program_access(f->p, f->acc[i]);
    u32 file = access_gid(f->p, f->acc[i]).file;
    for (u32 k = 0; k < f->nacc; k++) {
        const Access *a = program_access(f->p, f->acc[k]);
        bool same = access_gid(f->p, f->acc[k]).file == file && a->func == set->func;
        if (f->effect[k] & EFFECT_WRITE || (same && (k > i || a->op == OP_LOAD))) continue;
        if (conflict_of(f, f->acc[k], f->acc[i]).witness != NONE) return f->acc[k];
    }
    return NONE;
}

static bool is_value(const Def *d)
{
    return d && !d->augmented && d->kind != VAL_NONE && d->kind != VAL_BOOL && d->kind != VAL_FUNC &&
           d->kind != VAL_LAMBDA;
}

/* A name of its own, not a variable that inner functions share: f._current. */
static bool may_be_lent(const Program *p, const Place *x)
{
    Str name = p->syms.strs[x->name];
    return x->kind != PLACE_DEFAULT && !x->is_lock && (x->kind != PLACE_CLOSURE || str_find(name, '.') != name.n);
}

void race_set_back(Finder *f)
{
    if (!may_be_lent(f->p, &f->p->places.v[f->place])) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 set = f->acc[i];
        const Access *a = program_access(f->p, set);
        if (f->claimed[set] || a->op != OP_STORE || a->func == 0 || !is_value(stored_def(f->p, set))) continue;
        u32 k = set_back_by(f, i);
        if (k == NONE || f->claimed[f->acc[k]] || one_section(f->p, set, f->acc[k], NULL)) continue;
        const Access *back = program_access(f->p, f->acc[k]);
        if (!calls_between(f->p->facts[access_gid(f->p, set).file], a, back)) continue;
        Conflict c = conflict_of(f, set, set);
        u32 seen = c.witness == NONE ? NONE : seen_by(f, i);
        if (seen == NONE) continue;
        Race *r = race_of_call(f, set, f->acc[k], c);
        race_site(r, seen);
        f->claimed[f->acc[k]] = 1;
        race_message(f, r,
                     "%.*s is set here for what is called next, and set back on line %u; of two calls at once, line "
                     "%u of %.*s sees the other's value, or none",
                     STR_ARG(short_state(f->p, f->place)), back->line, program_access(f->p, seen)->line,
                     STR_ARG(f->p->facts[access_gid(f->p, seen).file]->source->path));
    }
}
