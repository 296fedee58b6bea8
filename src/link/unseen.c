/* Counts what the analysis cannot follow: what the facts have noted (exec, computed names), and what only the whole
 * program shows: functions and foreign attributes that are replaced, star imports of modules that were not read.
 * Method calls on objects of unknown type are counted where calls are followed (calls.c), files that were left out by
 * whoever prints the sum. */
#include "link/link.h"

bool def_patches(const Program *p, u32 file, u32 def)
{
    const Facts *f = p->facts[file];
    const Def *d = &f->defs.v[def];
    if (d->path == NONE || d->kind == VAL_FUNC || d->kind == VAL_CLASS) return false;
    const Path *x = &f->paths.v[d->path];
    if (!path_is_attr(x) || x->truncated) return false;
    if (x->root == ROOT_SELF || x->root == ROOT_UNKNOWN || x->root == ROOT_CALL) return false;
    Ent owner = path_resolve(p, file, x, x->nattr - 1u);
    if (owner.kind == ENT_EXTERNAL) return x->root == ROOT_GLOBAL || x->root == ROOT_LOCAL;
    if (owner.kind != ENT_MODULE && owner.kind != ENT_CLASS) return false;
    Ent e = path_resolve(p, file, x, x->nattr);
    return e.kind == ENT_FUNC || e.kind == ENT_CLASS;
}

void unseen_count(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->unseen.n; i++) p->unseen[f->unseen.v[i].kind]++;
        for (u32 i = 0; i < f->defs.n; i++) p->unseen[UNSEEN_PATCH] += def_patches(p, file, i);
        for (u32 i = 0; i < f->imports.n; i++) p->unseen[UNSEEN_STAR] += star_unknown(p, file, &f->imports.v[i]);
        for (u32 i = 0; i < f->funcs.n; i++) p->unseen[UNSEEN_ERROR] += f->funcs.v[i].has_error;
    }
}
