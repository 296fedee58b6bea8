/* Finds, reads and indexes the sources: the first stage as a whole. Files are read in parallel, each worker into an
 * arena of its own; order and notes do not depend on the number of workers. */
#include "read/read.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- module names -------------------------------------------------------------------------------------- */

static bool has_init(Arena *a, Str dir)
{
    return access(str_fmt(a, "%.*s/__init__.py", STR_ARG(dir)).p, F_OK) == 0;
}

static bool has_pxd(Arena *a, Str abs)
{
    return access(str_fmt(a, "%.*s.pxd", STR_ARG(str_slice(abs, 0, str_rfind(abs, '.')))).p, F_OK) == 0;
}

static Str dotted(Arena *a, Str path)
{
    char *p = str_c(a, path);
    for (size_t i = 0; i < path.n; i++)
        if (p[i] == '/') p[i] = '.';
    return (Str){p, path.n};
}

/* In a package, the name starts at its outermost directory with an __init__.py: package_depth directories up. A
 * file outside of any package is known by its path from the root, as a namespace package would be. */
Str module_name(Arena *a, Str path, u32 package_depth)
{
    Str stem = path;
    if (str_ends(stem, S(".pyw")))
        stem.n -= 4;
    else if (str_ends(stem, S(".py")))
        stem.n -= 3;
    size_t from = stem.n;
    for (u32 i = 0; i <= package_depth && from > 0; i++) {
        size_t slash = str_rfind(str_slice(stem, 0, from), '/');
        from = slash < from ? slash : 0;
    }
    if (package_depth) {
        stem = str_slice(stem, from ? from + 1 : 0, stem.n);
        if (str_ends(stem, S("/__init__"))) stem.n -= 9;
    } else if (str_starts(stem, S("src/")) || str_starts(stem, S("lib/"))) {
        stem = str_slice(stem, 4, stem.n);
    }
    return dotted(a, stem);
}

static void module_set(Arena *a, Source *s)
{
    Arena scratch = {0};
    Str dir = str_slice(s->abs, 0, str_rfind(s->abs, '/'));
    u32 depth = 0;
    for (; dir.n && has_init(&scratch, dir); depth++) dir = str_slice(dir, 0, str_rfind(dir, '/'));
    s->in_package = depth > 0;
    s->has_pxd = has_pxd(&scratch, s->abs);
    /* A root that is itself inside a package: names start above it. */
    bool above = dir.n && s->abs.n - dir.n - 1 > s->path.n;
    Str full = above ? str_slice(s->abs, dir.n + 1, s->abs.n) : s->path;
    s->module = module_name(a, full, depth);
    arena_free(&scratch);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

typedef struct Job {
    const FoundVec *found;
    Source **sources; /* one slot for each file; NULL where it was left out */
    NoteVec *notes;   /* the same */
    Arena *arenas;    /* one for each worker */
} Job;

static void file_read(void *ctx, u32 item, u32 worker)
{
    const Job *job = ctx;
    Arena *a = &job->arenas[worker];
    const Found *f = &job->found->v[item];
    NoteVec *notes = &job->notes[item];
    struct stat st;
    Err why = {0};
    Source *s = arena_new(a, Source, 1);
    s->path = f->path;
    s->abs = f->abs;
    if (stat(f->abs.p, &st) == 0 && st.st_size > SOURCE_MAX) {
        note_add(a, notes, f->path, "too-large", "the file was left out: %lld bytes, more than the limit of %d",
                 (long long)st.st_size, SOURCE_MAX);
        return;
    }
    if (!os_read_file(a, f->abs.p, SOURCE_MAX, &s->text, &why)) {
        note_add(a, notes, f->path, "unreadable", "the file was left out: %s; make it readable or --exclude it",
                 why.msg);
        return;
    }
    module_set(a, s);
    if (source_index(a, s, notes)) job->sources[item] = s;
}

bool read_sources(Arena *a, const Options *o, SourceList *out, NoteVec *notes, Err *e)
{
    FoundVec found = {0};
    if (!files_find(a, o, NULL, &found, notes, e)) return false;
    u32 workers = o->jobs ? o->jobs : os_cpus();
    Job job = {&found, arena_new(a, Source *, found.n), arena_new(a, NoteVec, found.n), arena_new(a, Arena, workers)};
    pool_run(workers, found.n, file_read, &job);
    for (u32 i = 0; i < workers; i++) arena_adopt(a, &job.arenas[i]);
    *out = (SourceList){job.sources, 0};
    for (u32 i = 0; i < found.n; i++) {
        for (u32 k = 0; k < job.notes[i].n; k++) vec_push(a, notes, job.notes[i].v[k]);
        if (!job.sources[i]) continue;
        job.sources[i]->id = out->n;
        out->v[out->n++] = job.sources[i];
    }
    return true;
}
