/* Facts of all sources at once: a worker thread parses each file, reads it, and frees its tree as soon as the
 * facts are out; what the files had to say about themselves is put together in the order of the files. */
#include "facts/store.h"
#include "read/cache.h"

#include <malloc.h>

typedef struct FactsJob {
    const SourceList *sources;
    const u32 *order; /* the largest files first, so that no thread is left alone with one at the end */
    Facts **facts;
    Arena *arenas; /* one for each worker */
    Cache cache;
} FactsJob;

/* From the cache, or NULL. */
static Facts *known_facts(const FactsJob *job, Arena *a, const Source *s)
{
    Arena scratch = {0};
    Str bytes;
    Facts *f = cache_get(&job->cache, &scratch, facts_key(s), &bytes) ? facts_unpack(a, s, bytes) : NULL;
    arena_free(&scratch);
    return f;
}

static void facts_keep(const FactsJob *job, const Facts *f)
{
    if (!job->cache.dir.n) return;
    Buf packed = {0};
    facts_pack(&packed, f);
    cache_put(&job->cache, facts_key(f->source), buf_view(&packed));
    buf_free(&packed);
}

static Facts *new_facts(Arena *a, const Source *s)
{
    Tree *tree = tree_parse(s);
    Facts *f = facts_collect(a, s, tree);
    if (tree_too_slow(tree))
        vec_push(a, &f->notes,
                 (Note){s->path, 0, "too-slow",
                        S("the file was left out: it holds so many syntax errors that parsing it takes too long; "
                          "correct or --exclude it")});
    tree_free(tree);
    return f;
}

static void file_facts(void *ctx, u32 item, u32 worker)
{
    const FactsJob *job = ctx;
    u32 file = job->order[item];
    const Source *s = job->sources->v[file];
    Arena *a = &job->arenas[worker];
    job->facts[file] = known_facts(job, a, s);
    if (job->facts[file]) return;
    job->facts[file] = new_facts(a, s);
    facts_keep(job, job->facts[file]);
}

typedef struct Sized {
    size_t bytes;
    u32 file;
} Sized;

static int by_size(const void *x, const void *y)
{
    const Sized *a = x, *b = y;
    if (a->bytes != b->bytes) return a->bytes > b->bytes ? -1 : 1;
    return a->file < b->file ? -1 : 1;
}

static u32 *largest_first(Arena *a, const SourceList *sources)
{
    u32 *order = arena_new(a, u32, sources->n);
    Sized *all = xmalloc(sources->n * sizeof *all);
    for (u32 i = 0; i < sources->n; i++) all[i] = (Sized){sources->v[i]->text.n, i};
    if (sources->n) qsort(all, sources->n, sizeof *all, by_size);
    for (u32 i = 0; i < sources->n; i++) order[i] = all[i].file;
    free(all);
    return order;
}

bool facts_all(Arena *a, const Options *o, const SourceList *sources, Facts ***out, NoteVec *notes, Err *e)
{
    u32 workers = o->jobs ? o->jobs : os_cpus();
    FactsJob job = {.sources = sources, .order = largest_first(a, sources)};
    job.facts = arena_new(a, Facts *, sources->n);
    job.arenas = arena_new(a, Arena, workers);
    if (!cache_open(a, o, &job.cache, e)) return false;
    pool_run(workers, sources->n, file_facts, &job);
    malloc_trim(0); /* the trees are gone; glibc would keep their room for each thread */
    for (u32 i = 0; i < workers; i++) arena_adopt(a, &job.arenas[i]);
    for (u32 i = 0; i < sources->n; i++)
        for (u32 k = 0; k < job.facts[i]->notes.n; k++) vec_push(a, notes, job.facts[i]->notes.v[k]);
    cache_sweep(&job.cache);
    *out = job.facts;
    return true;
}
