/* Children: starting jobs, reading what they print, ending them, and what the end means for the queue.
 *
 * A job that failed for a reason that may pass is tried again, later each time; after the last try it is kept in
 * failed/. What a child prints is shown only when it failed: its last lines, with the token blotted out should it be
 * there. */
#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 5, STALE_WAIT = 5 };

/* ---- starting ------------------------------------------------------------------------------------------ */

static Run *run_free(Server *s)
{
    for (u32 i = 0; i < s->o->serve.workers; i++)
        if (!s->runs[i].pid) return &s->runs[i];
    return NULL;
}

static bool run_start(Server *s, Run *r, Job *j)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return false;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    pid_t pid = fork();
    if (pid == 0) child_run(s, j, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return false;
    }
    setpgid(pid, pid); /* the child does so, too; whoever is first */
    double now = os_seconds();
    *r = (Run){.pid = pid, .job = j, .out = ends[0], .started = now, .deadline = now + s->o->serve.job_time};
    s->running++;
    log_line(s->o, LOG_INFO, "start service=%s repository=%s number=%u head=%s attempt=%u pid=%d",
             service_kinds[j->service].name, j->repository, j->number, j->head, j->attempts + 1, (int)pid);
    return true;
}

void work_start(Server *s, i64 now)
{
    Run *r;
    Job *j;
    while (!s->stopping && (r = run_free(s)) && (j = queue_next(&s->queue, now))) {
        queue_start(&s->queue, j);
        if (run_start(s, r, j)) continue;
        log_line(s->o, LOG_WARN, "cannot start a process: %s", strerror(errno));
        queue_put_back(&s->queue, j);
        j->not_before = now + 10;
    }
}

/* ---- what a child prints ------------------------------------------------------------------------------- */

static void tail_add(Run *r, const char *text, size_t n)
{
    size_t room = sizeof r->tail;
    if (n >= room) {
        text += n - room;
        n = room;
        r->ntail = 0;
    }
    if (r->ntail + n > room) {
        size_t drop = r->ntail + n - room;
        memmove(r->tail, r->tail + drop, r->ntail - drop);
        r->ntail -= (u32)drop;
    }
    memcpy(r->tail + r->ntail, text, n);
    r->ntail += (u32)n;
}

void work_read(Server *s, Run *r)
{
    char text[4096];
    (void)s;
    for (u32 i = 0; i < 16; i++) { /* a child that prints without end must not keep the server */
        ssize_t n = read(r->out, text, sizeof text);
        if (n == 0) r->out_ended = true;
        if (n <= 0) return;
        tail_add(r, text, (size_t)n);
    }
}

/* The last lines, on one line, without the token. */
static const char *tail_text(Arena *a, const Server *s, const Run *r)
{
    char token[512];
    Str text = str_trim((Str){r->tail, r->ntail});
    if (text.n > 600) text = str_slice(text, text.n - 600, text.n);
    char *c = str_c(a, text);
    for (size_t i = 0; i < text.n; i++)
        if (!c[i]) c[i] = ' ';
    if (token_load(s->o, (Service)r->job->service, token, sizeof token))
        for (char *at = c; (at = strstr(at, token)); at++) memset(at, '*', strlen(token));
    return c;
}

/* ---- ending -------------------------------------------------------------------------------------------- */

static Ended end_of(const Run *r, int status)
{
    if (r->stopped) return ENDED_PUT_BACK;
    if (r->timed_out) return ENDED_TIMEOUT;
    if (WIFSIGNALED(status)) return ENDED_CRASHED;
    switch (WEXITSTATUS(status)) {
    case 0:
    case 1: return ENDED_DONE; /* 1: there are findings */
    case EXIT_FETCH_FAILED: return ENDED_FETCH_FAILED;
    case EXIT_FETCH_REFUSED: return ENDED_FETCH_REFUSED;
    case EXIT_STALE: return ENDED_STALE;
    default: return ENDED_FAILED;
    }
}

static i64 retry_wait(const Server *s, const Job *j, Ended end)
{
    i64 wait = s->o->serve.retry_time;
    for (u32 i = 0; i < j->attempts; i++) wait *= 4;
    return end == ENDED_STALE ? MIN(wait, STALE_WAIT) : wait;
}

static void run_end(Server *s, Run *r, int status)
{
    Arena a = {0};
    Job *j = r->job;
    kill(-r->pid, SIGKILL); /* what it may have left */
    work_read(s, r);
    close(r->out);
    Ended end = end_of(r, status);
    double seconds = os_seconds() - r->started;
    bool good = end == ENDED_DONE || end == ENDED_PUT_BACK || end == ENDED_STALE;
    const char *said = good ? "" : tail_text(&a, s, r);
    metrics_job(&s->metrics, end, seconds);
    log_line(s->o, good ? LOG_INFO : LOG_WARN, "end service=%s repository=%s number=%u result=%s seconds=%.1f%s%s",
             service_kinds[j->service].name, j->repository, j->number, ended_name[end], seconds,
             *said ? " said: " : "", said);
    if (end == ENDED_DONE) {
        queue_done(&s->queue, j);
    } else if (end == ENDED_PUT_BACK) {
        queue_put_back(&s->queue, j);
    } else if (end == ENDED_FETCH_REFUSED || j->attempts + 1 >= TRIES) {
        s->metrics.given_up++;
        log_line(s->o, LOG_WARN, "given up service=%s repository=%s number=%u", service_kinds[j->service].name,
                 j->repository, j->number);
        queue_fail(&s->queue, j);
    } else {
        queue_retry(&s->queue, j, unix_now() + retry_wait(s, j, end));
    }
    r->pid = 0;
    s->running--;
    arena_free(&a);
}

void work_reap(Server *s)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) /* as process 1 of a container it inherits others' */
        for (u32 i = 0; i < WORKERS_MAX; i++)
            if (s->runs[i].pid == pid) run_end(s, &s->runs[i], status);
}

void work_limits(Server *s, double now)
{
    for (u32 i = 0; i < WORKERS_MAX; i++) {
        Run *r = &s->runs[i];
        if (!r->pid || r->timed_out || now < r->deadline) continue;
        r->timed_out = true;
        kill(-r->pid, SIGKILL);
    }
}

void work_stop(Server *s)
{
    for (u32 i = 0; i < WORKERS_MAX; i++) {
        int status = 0;
        Run *r = &s->runs[i];
        if (!r->pid) continue;
        r->stopped = true;
        kill(-r->pid, SIGKILL);
        while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR) continue;
        run_end(s, r, status);
    }
}
