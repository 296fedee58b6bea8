/* `ungil deps`: from the PATHs to a report about dependencies. */
#include "ready/ready.h"
#include "read/read.h"

static int source_cmp(const void *a, const void *b)
{
    return str_cmp((*(Source *const *)a)->path, (*(Source *const *)b)->path);
}

/* Puts the sources into the order of their paths, as findings are, and gives the dependencies the new ids. */
static void sources_sort(Gather *g)
{
    u32 n = g->sources.n, *now = arena_new(g->a, u32, n);
    if (n) qsort(g->sources.v, n, sizeof *g->sources.v, source_cmp);
    for (u32 i = 0; i < n; i++) now[g->sources.v[i]->id] = i;
    for (u32 i = 0; i < n; i++) g->sources.v[i]->id = i;
    for (u32 i = 0; i < g->deps.n; i++) {
        Dep *d = &g->deps.v[i];
        d->file = now[d->file];
        for (u32 k = 0; k < d->extensions.n; k++) d->extensions.v[k].file = now[d->extensions.v[k].file];
    }
}

static int dep_cmp(const void *a, const void *b)
{
    const Dep *x = a, *y = b;
    int c = str_cmp(x->name, y->name);
    if (c) return c;
    if (x->file != y->file) return x->file < y->file ? -1 : 1;
    return x->span.start < y->span.start ? -1 : x->span.start > y->span.start;
}

/* A line of a constraints file asks for nothing: it stays only for what is required elsewhere. */
static void constraints_drop(Gather *g)
{
    Arena scratch = {0};
    Intern required = {0};
    u32 n = 0;
    for (u32 i = 0; i < g->deps.n; i++)
        if (g->deps.v[i].kind != DEP_CONSTRAINT) intern(&scratch, &required, g->deps.v[i].name);
    for (u32 i = 0; i < g->deps.n; i++)
        if (intern_find(&required, g->deps.v[i].name) != NONE) g->deps.v[n++] = g->deps.v[i];
    g->deps.n = n;
    arena_free(&scratch);
}

bool gather_paths(Gather *g, Err *e)
{
    FoundVec found = {0};
    if (!files_find(g->a, g->o, ready_file, &found, g->notes, e)) return false;
    for (u32 i = 0; i < found.n; i++) gather_file(g, found.v[i].abs);
    constraints_read(g);
    sources_sort(g);
    constraints_drop(g);
    if (g->deps.n) qsort(g->deps.v, g->deps.n, sizeof *g->deps.v, dep_cmp);
    return true;
}

/* A program of these files without any code in it: what filters and outputs ask of one. */
static Program *program_bare(Gather *g)
{
    Program *p = arena_new(g->a, Program, 1);
    *p = (Program){.arena = g->a, .options = g->o, .nfiles = g->sources.n};
    p->facts = arena_new(g->a, Facts *, g->sources.n);
    for (u32 i = 0; i < g->sources.n; i++) {
        p->facts[i] = arena_new(g->a, Facts, 1);
        p->facts[i]->source = g->sources.v[i];
    }
    return p;
}

int deps_run(Arena *a, const Options *o, Err *e)
{
    double start = os_seconds();
    NoteVec notes = {0};
    RaceVec all = {0}, wanted = {0};
    CompatTable table = {0};
    Gather g = {.a = a, .o = o, .notes = &notes};
    if (!gather_paths(&g, e)) return 2;
    compat_load(a, &table);
    PackageVerdict *verdicts = arena_new(a, PackageVerdict, g.deps.n);
    deps_judge(&g, &table, verdicts, &all);
    imports_find(&g, verdicts);
    findings_suppress(&g, &all);
    Program *p = program_bare(&g);
    races_wanted(a, p, &all, &wanted);
    SourceList sources = {g.sources.v, g.sources.n};
    Results r = {.arena = a,
                 .options = o,
                 .sources = &sources,
                 .program = p,
                 .races = &wanted,
                 .notes = &notes,
                 .seconds = os_seconds() - start};
    return deps_report(&g, verdicts, &r, e);
}
