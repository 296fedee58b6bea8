/* Accessors: functions and methods of the file whose return names state, `def table(): return _rows`, and
 * `def _table(self): return self._items`. What a caller does to their result is done to that state, as if the caller
 * had named it.
 *
 * Needs all Defs and calls of the file. Known is who is called by a name of the module, by self, by cls or by the
 * name of a class; accessors of other files are seen through when files are linked, as far as they hand out
 * containers of a module. No accessors: what has decorators, or several returns that differ, and what takes a lock,
 * for it may be the reference that the lock is for, and who asks for it has it in one piece. */
#include "facts/accessor.h"

enum { SEVERAL = NONE - 1 };

static void put_once(Walk *w, Map *m, u64 key, u32 value)
{
    u32 *at = map_at(w->scratch, m, key);
    *at = *at == NONE ? value : SEVERAL;
}

/* May callers use what the path names as their own name for it? */
static bool names_state(const Walk *w, const Path *x)
{
    if (x->truncated) return false;
    for (u32 i = 0; i < x->nattr; i++)
        if (x->attr[i] == SYM_ITEM) return false;
    if (x->root == ROOT_GLOBAL) return bind_bits(w, 0, x->name) & (BIND_ASSIGN | BIND_GLOBAL);
    return (x->root == ROOT_SELF || x->root == ROOT_CLS) && x->nattr;
}

static bool plain_function(const Func *fn)
{
    bool plain = !fn->is_async && !fn->is_generator && !fn->is_property && !fn->is_lambda && !fn->is_overload;
    return plain && !fn->nsections && (!fn->ndecorators || fn->is_static || fn->is_classmethod);
}

Accessors accessors_find(Walk *w)
{
    const Facts *f = w->f;
    Accessors out = {.path = arena_new(w->scratch, u32, f->funcs.n)};
    for (u32 i = 0; i < f->funcs.n; i++) out.path[i] = NONE;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (!d->is_return || d->kind == VAL_NONE) continue;
        bool names = d->kind == VAL_PATH && names_state(w, &f->paths.v[d->value]);
        u32 *at = &out.path[d->func];
        *at = names && (*at == NONE || *at == d->value) ? d->value : SEVERAL;
    }
    for (u32 i = 1; i < f->funcs.n; i++) {
        if (out.path[i] == SEVERAL || !plain_function(&f->funcs.v[i])) out.path[i] = NONE;
        out.any |= out.path[i] != NONE;
    }
    if (!out.any) return out;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *x = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (!x || x->root != ROOT_GLOBAL || x->nattr) continue;
        put_once(w, &out.funcs, x->name, d->kind == VAL_FUNC ? d->value : SEVERAL);
        put_once(w, &out.classes, x->name, d->kind == VAL_CLASS ? d->value : SEVERAL);
    }
    for (u32 i = 1; i < f->funcs.n; i++)
        if (f->funcs.v[i].cls != NONE) put_once(w, &out.methods, map_key(f->funcs.v[i].cls, f->funcs.v[i].name), i);
    return out;
}

/* The class whose method the path calls by its last attribute, NONE. */
static u32 receiver_class(const Walk *w, const Accessors *known, const Path *x)
{
    if (x->nattr != 1) return NONE;
    if (x->root == ROOT_SELF || x->root == ROOT_CLS) return w->f->funcs.v[x->func].cls;
    return x->root == ROOT_GLOBAL ? map_get(&known->classes, x->name) : NONE;
}

bool accessor_path(Walk *w, const Accessors *known, u32 call, Path *out)
{
    const Facts *f = w->f;
    if (!known->any || call == NONE) return false;
    Path x = f->paths.v[f->calls.v[call].callee];
    u32 cls = receiver_class(w, known, &x), func = NONE;
    if (x.root == ROOT_GLOBAL && !x.nattr) func = map_get(&known->funcs, x.name);
    if (cls != NONE && cls != SEVERAL) func = map_get(&known->methods, map_key(cls, x.attr[0]));
    if (func == NONE || func == SEVERAL || known->path[func] == NONE) return false;
    *out = f->paths.v[known->path[func]];
    if (out->root == ROOT_GLOBAL) return true;
    if (x.root != ROOT_SELF && !f->funcs.v[func].is_classmethod) return false; /* Table.rows(table) */
    const Path attrs = *out;
    *out = x;
    out->nattr = 0;
    for (u32 i = 0; i < attrs.nattr; i++) *out = path_attr(*out, attrs.attr[i]);
    return true;
}
