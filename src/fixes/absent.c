/* May a lock that is there be None: a parameter that can be left out, an attribute that is None at first or again?
 *
 *   def cached(cache, lock=None):        the caller who gives no lock has said that there is one thread
 *       if lock is None: …
 *
 * A `with` over such a name raises where nobody gave a lock, so no fix takes it. */
#include "fixes/fixes.h"

static bool left_out(const Facts *f, u32 func, u32 sym)
{
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++) {
        const Param *x = &f->params.v[i];
        if (x->name == sym) return x->has_default && x->def_kind == VAL_NONE;
    }
    return false;
}

/* Is a lock bound to the parameter in the function, in case there was none? */
static bool bound_again(const Facts *f, u32 func, u32 sym)
{
    for (u32 i = 0; i < f->defs.n; i++) {
        const Path *p = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
        bool local = p && (p->root == ROOT_PARAM || p->root == ROOT_LOCAL) && p->func == func;
        if (local && p->nattr == 0 && p->name == sym && f->defs.v[i].kind != VAL_NONE) return true;
    }
    return false;
}

static bool none_stored(const Facts *f, const Access *a)
{
    if (a->op != OP_STORE || a->value == NONE) return false;
    const Def *d = &f->defs.v[a->value];
    if (d->kind == VAL_NONE) return true;
    if (d->kind != VAL_PATH || d->value == NONE) return false;
    const Path *p = &f->paths.v[d->value];
    return p->root == ROOT_PARAM && p->nattr == 0 && left_out(f, p->func, p->name) &&
           !bound_again(f, p->func, p->name);
}

bool lock_absent(const Plan *pl, u32 lock)
{
    const Lock *l = &pl->p->locks.v[lock];
    if (l->place == NONE) return false;
    const Place *p = &pl->p->places.v[l->place];
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        if (none_stored(pl->p->facts[access_gid(pl->p, g).file], program_access(pl->p, g))) return true;
    }
    if (p->kind != PLACE_CLOSURE || p->owner == NONE) return false;
    GId g = func_gid(pl->p, p->owner);
    const Facts *f = pl->p->facts[g.file];
    u32 sym = intern_find(&f->syms, pl->p->syms.strs[p->name]);
    return sym != NONE && left_out(f, g.id, sym) && !bound_again(f, g.id, sym);
}
