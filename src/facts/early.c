/* real_print = print, above the module's own def print: the name is still the builtin there, and what calls
 * real_print() does not come back to print().
 *
 * Needs the definitions of the whole file. Not seen: names of star imports, and bindings in functions by `global`. */
#include "facts/walk.h"

/* Symbol → where the module's body first binds the name. */
static void first_bindings(const Walk *w, Map *first)
{
    const Facts *f = w->f;
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *im = &f->imports.v[i];
        if (im->func != 0) continue;
        u32 *at = map_at(w->scratch, first, im->local);
        if (*at == NONE || im->span.start < *at) *at = im->span.start;
    }
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->func != 0 || d->path == NONE) continue;
        const Path *x = &f->paths.v[d->path];
        if (x->root != ROOT_GLOBAL || x->nattr) continue;
        u32 *at = map_at(w->scratch, first, x->name);
        if (*at == NONE || d->stmt < *at) *at = d->stmt;
    }
}

void builtins_kept(Walk *w)
{
    Facts *f = w->f;
    Map first = {0};
    first_bindings(w, &first);
    for (u32 i = 0; i < f->defs.n; i++) {
        Def *d = &f->defs.v[i];
        if (d->func != 0 || d->kind != VAL_PATH) continue;
        const Path *x = &f->paths.v[d->value];
        u32 bound = x->root == ROOT_GLOBAL ? map_get(&first, x->name) : NONE;
        if (bound == NONE || bound <= d->stmt) continue;
        d->kind = VAL_OTHER;
        d->value = NONE;
    }
}
