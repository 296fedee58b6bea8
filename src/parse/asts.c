/* A table of trees by file, and one arena for all of them. */
#include "parse/asts.h"

Asts *asts_new(Arena *a, u32 n)
{
    Asts *k = arena_new(a, Asts, 1);
    k->v = arena_new(a, Ast, n + 1);
    k->n = n;
    return k;
}

const Ast *asts_get(const Asts *k, u32 file, const Source *s)
{
    return k && file < k->n && k->v[file].source == s ? &k->v[file] : NULL;
}

bool asts_keep(Asts *k, u32 file, const Ast *t, Arena *from)
{
    if (!k || file >= k->n || k->v[file].source || k->bytes + t->source->text.n > ASTS_BYTES) return false;
    k->v[file] = *t;
    k->bytes += t->source->text.n;
    arena_adopt(&k->a, from);
    return true;
}

void asts_drop(Asts *k)
{
    if (!k) return;
    memset(k->v, 0, k->n * sizeof *k->v);
    k->bytes = 0;
    arena_free(&k->a);
}
