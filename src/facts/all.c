/* Facts of all sources at once: a worker thread parses each file, reads it, and frees its tree as soon as the
 * facts are out; what the files had to say about themselves is put together in the order of the files. */
#include "pipeline.h"

#include <malloc.h>

typedef struct FactsJob {
    const SourceList *sources;
    Facts **facts;
    Arena *arenas; /* one for each file */
} FactsJob;

static void file_facts(void *ctx, u32 item, u32 worker)
{
    const FactsJob *job = ctx;
    (void)worker;
    Tree *tree = tree_parse(job->sources->v[item]);
    Facts *f = facts_collect(&job->arenas[item], job->sources->v[item], tree);
    if (tree_too_slow(tree))
        vec_push(&job->arenas[item], &f->notes,
                 (Note){f->source->path, 0, "too-slow",
                        S("the file was left out: it holds so many syntax errors that parsing it takes too long; "
                          "correct or --exclude it")});
    job->facts[item] = f;
    tree_free(tree);
}

Facts **facts_all(Arena *a, const Options *o, const SourceList *sources, NoteVec *notes)
{
    FactsJob job = {sources, arena_new(a, Facts *, sources->n), arena_new(a, Arena, sources->n)};
    pool_run(o->jobs ? o->jobs : os_cpus(), sources->n, file_facts, &job);
    malloc_trim(0); /* the trees are gone; glibc would keep their room for each thread */
    for (u32 i = 0; i < sources->n; i++) {
        arena_adopt(a, &job.arenas[i]);
        for (u32 k = 0; k < job.facts[i]->notes.n; k++) vec_push(a, notes, job.facts[i]->notes.v[k]);
    }
    return job.facts;
}
