/* `ungil serve`: settings, one loop over sockets, children and signals, and the way out. docs/serve.md is for those
 * who run it. */
#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_WAIT = 3, FILES_WANTED = 4096 };

/* ---- settings ------------------------------------------------------------------------------------------ */

/* The first directory that systemd names in a variable. */
static const char *systemd_dir(Arena *a, const char *variable)
{
    Str rest, dir = str_cut(str_from(getenv(variable)), ':', &rest);
    return dir.n ? str_c(a, dir) : NULL;
}

static bool number_check(const char *name, u32 n, u32 least, u32 most, Err *e)
{
    if (n >= least && n <= most) return true;
    return err_set(e, "--%s must be a number from %u to %u", name, least, most);
}

static bool settings_check(const ServeOptions *o, Err *e)
{
    return number_check("workers", o->workers, 0, WORKERS_MAX, e) && number_check("queue", o->queue, 1, 9999, e) &&
           number_check("max-body", o->body, 1, 9999, e) &&
           number_check("request-time", o->request_time, 1, 9999, e) &&
           number_check("job-time", o->job_time, 1, 9999, e);
}

static bool settings_make(Arena *a, Server *s, Err *e)
{
    const Options *o = s->o;
    s->state = o->serve.state.n ? str_c(a, o->serve.state) : systemd_dir(a, "STATE_DIRECTORY");
    s->cache = o->cache_dir.n ? str_c(a, o->cache_dir) : systemd_dir(a, "CACHE_DIRECTORY");
    s->self = o->serve.reviewer.n ? str_c(a, o->serve.reviewer) : "/proc/self/exe";
    s->pid = getpid();
    if (!s->state) return err_set(e, "--state DIR is needed: the directory where the queue is kept");
    if (strlen(s->state) > 2048) return err_set(e, "the path of --state is too long");
    if (!s->cache) s->cache = str_fmt(a, "%s/cache", s->state).p;
    if (access(s->self, X_OK) < 0) return err_set(e, "--reviewer: cannot run %s: %s", s->self, strerror(errno));
    return settings_check(&o->serve, e) && sites_parse(a, &o->serve.services, s->sites, e) &&
           secrets_load(o, &s->secrets, e);
}

/* One server for a state directory. The children of one that was killed hold its lock until they are gone, which is
 * at once. */
static bool state_lock(Arena *a, Server *s, Err *e)
{
    const char *path = str_fmt(a, "%s/lock", s->state).p;
    if (!os_make_dirs(s->state, e)) return false;
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0) return err_set(e, "cannot open %s: %s", path, strerror(errno));
    for (u32 i = 0; i < LOCK_WAIT * 10; i++) {
        if (flock(s->lock, LOCK_EX | LOCK_NB) == 0) return true;
        usleep(100000);
    }
    return err_set(e, "%s is held: another server uses this directory, or a review that one left is still running",
                   path);
}

static void files_allow(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur >= FILES_WANTED) return;
    r.rlim_cur = MIN(r.rlim_max, (rlim_t)FILES_WANTED);
    setrlimit(RLIMIT_NOFILE, &r);
}

static void services_say(const Server *s)
{
    char token[512];
    for (u32 i = 0; i < SERVICE_COUNT; i++) {
        if (!s->sites[i].web) continue;
        bool has = token_load(s->o, (Service)i, token, sizeof token);
        log_line(s->o, has ? LOG_INFO : LOG_WARN, "service=%s path=/%s web=%s api=%s token=%s", service_kinds[i].name,
                 service_kinds[i].name, s->sites[i].web, s->sites[i].api, has ? "yes" : "no");
    }
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

static int signals_open(Err *e)
{
    static const int all[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    sigset_t set;
    sigemptyset(&set);
    for (u32 i = 0; i < COUNT_OF(all); i++) sigaddset(&set, all[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a write error like any other */
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) err_set(e, "cannot watch signals: %s", strerror(errno));
    return fd;
}

static void secrets_reload(Server *s)
{
    Err e = {0};
    if (secrets_load(s->o, &s->secrets, &e))
        log_line(s->o, LOG_INFO, "secrets read again");
    else
        log_line(s->o, LOG_WARN, "secrets not read again: %s", e.msg);
}

/* Until when running reviews may go on, after a signal that ends the server. */
static void signals_read(Server *s, int fd, double *end)
{
    struct signalfd_siginfo got;
    while (read(fd, &got, sizeof got) == sizeof got) {
        if (got.ssi_signo == SIGHUP) secrets_reload(s);
        if (got.ssi_signo != SIGTERM && got.ssi_signo != SIGINT) continue;
        double now = os_seconds();
        *end = s->stopping ? now : now + s->o->serve.stop_time; /* the second signal waits for nothing */
        if (!s->stopping) http_stop_listening(s->http);
        s->stopping = true;
        log_line(s->o, LOG_INFO, "stopping running=%u queue=%u", s->running, s->queue.n);
    }
}

static void wait_for_something(Server *s, int signals)
{
    struct pollfd fds[2 + WORKERS_MAX] = {{http_fd(s->http), POLLIN, 0}, {signals, POLLIN, 0}};
    Run *runs[WORKERS_MAX];
    u32 n = 2;
    for (u32 i = 0; i < WORKERS_MAX; i++) {
        if (!s->runs[i].pid || s->runs[i].out_ended) continue;
        runs[n - 2] = &s->runs[i];
        fds[n++] = (struct pollfd){s->runs[i].out, POLLIN, 0};
    }
    int wait = http_wait(s->http);
    if (poll(fds, n, wait < 0 || wait > 1000 ? 1000 : wait) < 0) return;
    for (u32 i = 2; i < n; i++)
        if (fds[i].revents) work_read(s, runs[i - 2]);
}

/* What the disk must have before senders are told so. */
static void settle(Server *s, double now, double *flushed)
{
    Err e = {0};
    bool ok = queue_flush(&s->queue, &e);
    if (!ok) log_line(s->o, LOG_WARN, "%s", e.msg);
    if (!ok) s->unwritable = true;
    http_settle(s->http, ok);
    if (now < *flushed + 1) return;
    seen_flush(&s->seen);
    *flushed = now;
}

static void loop(Server *s, int signals)
{
    double end = 0, flushed = 0;
    for (;;) {
        double now = os_seconds();
        work_start(s, unix_now());
        wait_for_something(s, signals);
        http_run(s->http);
        settle(s, now, &flushed);
        signals_read(s, signals, &end);
        work_reap(s);
        work_limits(s, now);
        if (!s->stopping) continue;
        bool answered = http_connections(s->http) == 0 || now > end;
        if (now > end || (s->running == 0 && answered)) return;
    }
}

int serve_run(Arena *a, const Options *o, Err *e)
{
    Server *s = arena_new(a, Server, 1);
    *s = (Server){.o = o, .metrics.started = unix_now()};
    umask(077);
    files_allow();
    if (!settings_make(a, s, e) || !state_lock(a, s, e) ||
        !queue_open(a, &s->queue, s->state, o->serve.queue, unix_now() + o->serve.retry_time, e) ||
        !seen_open(a, &s->seen, s->state, e))
        return 2;
    int signals = signals_open(e);
    if (signals < 0) return 2;
    services_say(s);
    s->http = http_start(s, e);
    if (!s->http) return 2;
    loop(s, signals);
    work_stop(s);
    http_end(s->http);
    seen_flush(&s->seen);
    log_line(o, LOG_INFO, "stopped queue=%u", s->queue.n);
    return 0;
}
