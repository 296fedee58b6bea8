/* In which order files can be migrated: leaves of the import graph first. Edges are imports of modules of the program
 * at the top of a file; those in functions and those for type checkers only are left out, since they are there to
 * avoid cycles. A file's level is the length of the longest chain of imports from it; files of a cycle share one.
 *
 * Cycles are Tarjan's strongly connected components, with a stack of our own: a chain of imports may be long. */
#include "link/link.h"

typedef struct Walk {
    const Program *p;
    Arena *scratch;
    u32 *edges, *edge_first;       /* by file: the files it imports */
    u32 *seen, *low, *next, *open; /* order of discovery, from 1; lowest that is reachable; next edge; open files */
    bool *is_open;
    u32 *path;                     /* files from the first to the one at hand */
    u32 npath, nopen, counter;
    FileLevel *out;
} Walk;

static void edges_find(Walk *w)
{
    Vec(u32) edges = {0};
    const Program *p = w->p;
    for (u32 i = 0; i < p->nfiles; i++) {
        const Facts *f = p->facts[i];
        w->edge_first[i] = edges.n;
        for (u32 k = 0; k < f->imports.n; k++) {
            const Import *im = &f->imports.v[k];
            if (im->func || im->typing) continue;
            Ent target = im->star ? (Ent){.kind = ENT_NONE} : import_target(p, i, im, 0);
            u32 to[] = {import_file(p, i, im), target.kind == ENT_MODULE ? target.id : NONE};
            for (u32 t = 0; t < COUNT_OF(to); t++)
                if (to[t] < p->nfiles && to[t] != i) vec_push(w->scratch, &edges, to[t]);
        }
    }
    w->edge_first[p->nfiles] = edges.n;
    w->edges = edges.v;
}

static void file_open(Walk *w, u32 file)
{
    w->seen[file] = w->low[file] = ++w->counter;
    w->next[file] = w->edge_first[file];
    w->open[w->nopen++] = file;
    w->is_open[file] = true;
    w->path[w->npath++] = file;
}

/* All that are open from the file on are one cycle, or the file alone. */
static void cycle_close(Walk *w, u32 file)
{
    u32 from = w->nopen, first = file, level = 0;
    do {
        u32 one = w->open[--from];
        first = MIN(first, one);
        for (u32 k = w->edge_first[one]; k < w->edge_first[one + 1]; k++)
            if (!w->is_open[w->edges[k]]) level = MAX(level, w->out[w->edges[k]].level + 1);
    } while (w->open[from] != file);
    for (u32 i = from; i < w->nopen; i++) {
        w->out[w->open[i]] = (FileLevel){level, first, w->nopen - from};
        w->is_open[w->open[i]] = false;
    }
    w->nopen = from;
}

static void walk_from(Walk *w, u32 start)
{
    file_open(w, start);
    while (w->npath) {
        u32 file = w->path[w->npath - 1];
        if (w->next[file] == w->edge_first[file + 1]) {
            if (w->low[file] == w->seen[file]) cycle_close(w, file);
            w->npath--;
            if (w->npath) w->low[w->path[w->npath - 1]] = MIN(w->low[w->path[w->npath - 1]], w->low[file]);
            continue;
        }
        u32 to = w->edges[w->next[file]++];
        if (!w->seen[to])
            file_open(w, to);
        else if (w->is_open[to])
            w->low[file] = MIN(w->low[file], w->seen[to]);
    }
}

FileLevel *files_levels(Arena *a, const Program *p)
{
    Arena scratch = {0};
    u32 n = p->nfiles;
    Walk w = {.p = p, .scratch = &scratch, .out = arena_new(a, FileLevel, n + 1)};
    u32 **all[] = {&w.edge_first, &w.seen, &w.low, &w.next, &w.open, &w.path};
    for (u32 i = 0; i < COUNT_OF(all); i++) *all[i] = arena_new(&scratch, u32, n + 1);
    w.is_open = arena_new(&scratch, bool, n + 1);
    edges_find(&w);
    for (u32 i = 0; i < n; i++)
        if (!w.seen[i]) walk_from(&w, i);
    arena_free(&scratch);
    return w.out;
}
