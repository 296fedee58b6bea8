/* The queue: one job for each pull request that waits or is being reviewed, a file each in STATE/queue. The table in
 * memory is a copy of the directory.
 *
 * A file's name is the job's number, in the order of arrival, and a version: what changes is never written over, a
 * new version is written beside the old one, which goes when the new one is on the disk. A file that a crash cut is
 * no JSON, and the version before it counts. queue_flush brings all that was written since the last time to the disk
 * together, and only then are deliveries answered: a thousand that come at once do not wait for a thousand flushes.
 *
 * So whenever the server dies, what it had accepted is there at the next start, and a job that was running is run
 * again, which posts nothing twice since a review looks at what was said before.
 *
 * A push to a pull request that waits replaces the head in its job and leaves its place in the line. A push while the
 * job runs makes it wait again when it has ended. Jobs of one repository never run at the same time. */
#include "serve/serve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

enum { FAILED_MAX = 500, JOB_FILE_MAX = 1 << 16, FLUSH_SINGLY = 4, NAME_ROOM = 64 };

/* ---- files --------------------------------------------------------------------------------------------- */

static const char *job_name(char room[NAME_ROOM], u64 id, u32 version)
{
    snprintf(room, NAME_ROOM, "%020llu-%010u.json", (unsigned long long)id, version);
    return room;
}

static void version_remove(const Queue *q, const Job *j, u32 version)
{
    char name[NAME_ROOM];
    if (version) unlinkat(q->dir, job_name(name, j->id, version), 0);
}

/* Writes the next version of a job; it is safe after queue_flush. */
static bool job_write(Queue *q, Job *j, Err *e)
{
    char name[NAME_ROOM];
    u32 version = j->version + 1;
    json_t *o =
        json_pack("{s:i, s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:b}", "version", 1, "service",
                  service_kinds[j->service].name, "repository", j->repository, "number", (json_int_t)j->number,
                  "head", j->head, "base", j->base, "received", (json_int_t)j->received, "not_before",
                  (json_int_t)j->not_before, "attempts", (json_int_t)j->attempts, "running", (int)j->running);
    CHECK(o);
    char *text = json_dumps(o, JSON_COMPACT);
    CHECK(text);
    int fd = openat(q->dir, job_name(name, j->id, version), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t n = strlen(text);
    bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;
    if (fd >= 0 && close(fd) < 0) ok = false;
    if (!ok) {
        err_set(e, "cannot write %s/%s: %s", q->path, name, strerror(errno));
        unlinkat(q->dir, name, 0);
    } else {
        if (j->version != j->safe) version_remove(q, j, j->version);
        j->version = version;
    }
    free(text);
    json_decref(o);
    return ok;
}

static void job_remove(Queue *q, Job *j)
{
    version_remove(q, j, j->safe); /* first: should the other stay after a crash, it is the newer one */
    if (j->version != j->safe) version_remove(q, j, j->version);
    *j = (Job){0};
    q->n--;
}

static bool version_flush(const Queue *q, const Job *j)
{
    char name[NAME_ROOM];
    int fd = openat(q->dir, job_name(name, j->id, j->version), O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return ok;
}

bool queue_flush(Queue *q, Err *e)
{
    u32 n = 0;
    bool ok = true;
    for (u32 i = 0; i < q->room; i++) n += q->jobs[i].used && q->jobs[i].version != q->jobs[i].safe;
    if (!n) return true;
    if (n > FLUSH_SINGLY) {
        ok = syncfs(q->dir) == 0;
    } else {
        for (u32 i = 0; i < q->room; i++)
            if (q->jobs[i].used && q->jobs[i].version != q->jobs[i].safe) ok = version_flush(q, &q->jobs[i]) && ok;
        ok = fsync(q->dir) == 0 && ok;
    }
    if (!ok) return err_set(e, "cannot flush %s: %s", q->path, strerror(errno));
    for (u32 i = 0; i < q->room; i++) {
        Job *j = &q->jobs[i];
        if (!j->used || j->version == j->safe) continue;
        version_remove(q, j, j->safe);
        j->safe = j->version;
    }
    return true;
}

static bool text_copy(char *room, size_t size, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    if (!n || n >= size) return false;
    memcpy(room, text, n + 1);
    return true;
}

/* A job file back to a job, which may start at `again` when its review was cut off. The bytes are ours, but a disk
 * may have damaged them. */
static bool job_read(const char *path, i64 again, Job *out)
{
    Arena a = {0};
    Err e = {0};
    Str text;
    json_int_t version = 0, number = 0, received = 0, not_before = 0, attempts = 0;
    int was_running = 0; /* a review was under way when the server ended */
    const char *service = NULL, *repository = NULL, *head = NULL, *base = NULL;
    json_t *j = os_read_file(&a, path, JOB_FILE_MAX, &text, &e) ? json_loadb(text.p, text.n, 0, NULL) : NULL;
    bool ok = j && json_unpack(j, "{s:I, s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:I, s?b}", "version", &version,
                               "service", &service, "repository", &repository, "number", &number, "head", &head,
                               "base", &base, "received", &received, "not_before", &not_before, "attempts", &attempts,
                               "running", &was_running) == 0;
    *out = (Job){.used = true,
                 .number = (u32)number,
                 .received = received,
                 .not_before = was_running ? again : not_before,
                 .attempts = (u32)attempts,
                 .service = SERVICE_COUNT};
    for (u32 s = 0; ok && s < SERVICE_COUNT; s++)
        if (strcmp(service, service_kinds[s].name) == 0) out->service = (u8)s;
    ok = ok && version == 1 && out->service < SERVICE_COUNT && number > 0 && number <= INT32_MAX &&
         text_copy(out->repository, sizeof out->repository, repository) &&
         text_copy(out->head, sizeof out->head, head) && text_copy(out->base, sizeof out->base, base);
    json_decref(j);
    arena_free(&a);
    return ok;
}

/* STATE/failed, for a person to look at; the name keeps the order. */
static void file_to_failed(const Queue *q, const char *name)
{
    char from[4096], to[4096];
    snprintf(from, sizeof from, "%s/%s", q->path, name);
    snprintf(to, sizeof to, "%s/../failed/%s", q->path, name);
    if (rename(from, to) < 0) unlink(from);
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static int name_order(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

/* Names in a directory that end in ".json", sorted. */
static bool names_list(Arena *a, const char *path, StrVec *out, Err *e)
{
    DIR *d = opendir(path);
    if (!d) return err_set(e, "cannot read %s: %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(d));) {
        Str name = str_from(entry->d_name);
        if (str_ends(name, S(".json"))) vec_push(a, out, str_dup(a, name));
    }
    closedir(d);
    if (out->n) qsort(out->v, out->n, sizeof *out->v, name_order);
    return true;
}

static void failed_prune(Arena *a, const char *path)
{
    StrVec names = {0};
    Err ignored = {0};
    if (!names_list(a, path, &names, &ignored)) return;
    for (u32 i = 0; i + FAILED_MAX < names.n; i++) unlink(str_fmt(a, "%s/%.*s", path, STR_ARG(names.v[i])).p);
}

/* One file of the directory, the newest version of a job first; older ones go. */
static void name_take(Arena *a, Queue *q, Str name, i64 again)
{
    char room[NAME_ROOM];
    Job j;
    Str rest, number = str_cut(name, '-', &rest);
    u64 id = strtoull(number.p, NULL, 10);
    u32 version = (u32)strtoul(rest.n ? rest.p : "", NULL, 10);
    q->next_id = MAX(q->next_id, id + 1);
    if (q->n && q->jobs[q->n - 1].id == id) {
        unlinkat(q->dir, name.p, 0);
    } else if (!str_is(name, job_name(room, id, version)) ||
               !job_read(str_fmt(a, "%s/%s", q->path, name.p).p, again, &j)) {
        file_to_failed(q, name.p);
    } else {
        j.id = id;
        j.version = j.safe = version;
        q->jobs[q->n++] = j;
    }
}

bool queue_open(Arena *a, Queue *q, const char *state, u32 limit, i64 again, Err *e)
{
    StrVec names = {0};
    const char *failed = str_fmt(a, "%s/failed", state).p;
    *q = (Queue){.limit = limit, .next_id = 1};
    snprintf(q->path, sizeof q->path, "%s/queue", state);
    if (!os_make_dirs(q->path, e) || !os_make_dirs(failed, e) || !names_list(a, q->path, &names, e)) return false;
    failed_prune(a, failed);
    q->dir = open(q->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (q->dir < 0) return err_set(e, "cannot open %s: %s", q->path, strerror(errno));
    q->room = MAX(limit, names.n); /* a limit that was lowered loses nothing */
    q->jobs = arena_new(a, Job, q->room);
    for (u32 i = names.n; i-- > 0;) name_take(a, q, names.v[i], again);
    return true;
}

/* ---- putting ------------------------------------------------------------------------------------------- */

static Job *job_of(const Queue *q, Service s, const Hook *h)
{
    for (u32 i = 0; i < q->room; i++) {
        Job *j = &q->jobs[i];
        if (j->used && j->service == s && j->number == h->number && str_is(h->repository, j->repository)) return j;
    }
    return NULL;
}

static void job_fill(Job *j, const Hook *h)
{
    snprintf(j->repository, sizeof j->repository, "%.*s", STR_ARG(h->repository));
    snprintf(j->head, sizeof j->head, "%.*s", STR_ARG(h->head));
    snprintf(j->base, sizeof j->base, "%.*s", STR_ARG(h->base));
    j->number = h->number;
    j->attempts = 0;
    j->not_before = 0;
    j->closed = false;
}

QueuePut queue_put(Queue *q, Service s, const Hook *h, i64 now, Err *e)
{
    Job *j = job_of(q, s, h);
    if (j) {
        Job changed = *j;
        job_fill(&changed, h);
        changed.again = j->running;
        if (!job_write(q, &changed, e)) return QUEUE_ERROR;
        *j = changed;
        return QUEUE_MERGED;
    }
    if (q->n >= q->limit) return QUEUE_FULL;
    j = q->jobs;
    while (j->used) j++;
    Job fresh = {.id = q->next_id, .service = (u8)s, .received = now, .used = true};
    job_fill(&fresh, h);
    if (!job_write(q, &fresh, e)) return QUEUE_ERROR;
    q->next_id++;
    q->n++;
    *j = fresh;
    return QUEUE_NEW;
}

bool queue_drop(Queue *q, Service s, const Hook *h)
{
    Job *j = job_of(q, s, h);
    if (!j) return false;
    if (j->running)
        j->closed = true;
    else
        job_remove(q, j);
    return true;
}

/* ---- taking -------------------------------------------------------------------------------------------- */

static bool repository_runs(const Queue *q, const Job *job)
{
    for (u32 i = 0; i < q->room; i++) {
        const Job *j = &q->jobs[i];
        if (j->used && j->running && j->service == job->service && strcmp(j->repository, job->repository) == 0)
            return true;
    }
    return false;
}

Job *queue_next(Queue *q, i64 now)
{
    Job *best = NULL;
    for (u32 i = 0; i < q->room; i++) {
        Job *j = &q->jobs[i];
        if (!j->used || j->running || j->not_before > now || (best && best->id < j->id)) continue;
        if (!repository_runs(q, j)) best = j;
    }
    return best;
}

void queue_start(Queue *q, Job *j)
{
    Err ignored = {0};
    j->running = true;
    job_write(q, j, &ignored); /* when it cannot be written, a kill in the middle only leads to a start too early */
}

/* A running job that is not to be forgotten waits again. */
static bool job_again(Job *j)
{
    bool again = j->again && !j->closed;
    j->running = j->again = false;
    return again;
}

void queue_done(Queue *q, Job *j)
{
    if (!job_again(j)) job_remove(q, j);
}

void queue_retry(Queue *q, Job *j, i64 at)
{
    Err ignored = {0};
    bool closed = j->closed;
    if (job_again(j)) return;
    if (closed) {
        job_remove(q, j);
        return;
    }
    j->attempts++;
    j->not_before = at;
    job_write(q, j, &ignored); /* when it cannot be written it is only tried again too early */
}

void queue_fail(Queue *q, Job *j)
{
    char name[NAME_ROOM];
    if (job_again(j)) return;
    file_to_failed(q, job_name(name, j->id, j->version));
    job_remove(q, j);
}

void queue_put_back(Queue *q, Job *j)
{
    bool closed = j->closed;
    if (!job_again(j) && closed) job_remove(q, j);
}
