/* What a job's process does: it confines itself, brings the pull request into the cache, and becomes the reviewer.
 * From a job to exec, or to an exit status that says which step failed.
 *
 * It is in a process group of its own, so that it can be killed with all that it started; it dies when the server
 * does, so that no two processes review the same pull request after a restart; and it is the first that the kernel
 * takes when memory is short. The reviewer gets its token through the environment, which has nothing else in it that
 * it does not need, and runs in the bare repository. */
#include "serve/serve.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
    LOCK_FD = 3,    /* of the server's lock, the one file beside standard input and output that the child keeps */
    ASIDE_FD = 16,  /* where files are kept while the low numbers are given out anew */
    TOKEN_MAX = 512 /* bytes */
};

static void confine(const Server *s, int out)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != s->pid) _exit(EXIT_FETCH_FAILED); /* it died before this could be asked for */

    int lock = fcntl(s->lock, F_DUPFD, ASIDE_FD), null = open("/dev/null", O_RDONLY);
    out = fcntl(out, F_DUPFD, ASIDE_FD);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    dup2(lock, LOCK_FD);
    if (close_range(LOCK_FD + 1, ~0u, 0) < 0) _exit(EXIT_FETCH_FAILED);

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (oom >= 0) {
        if (write(oom, "1000", 4) < 0) (void)0; /* not allowed here: no harm */
        close(oom);
    }
}

/* A name for a repository that is one path component: '/' becomes '%', which no full name has. */
static const char *cache_name(Arena *a, const Job *j)
{
    char *name = str_c(a, str_fmt(a, "%s%%%s", service_kinds[j->service].name, j->repository));
    for (char *p = name; *p; p++)
        if (*p == '/') *p = '%';
    return name;
}

static FetchResult fetch(Arena *a, const Server *s, const Job *j, const char *token, Str *dir, FetchedRefs *refs,
                         Err *e)
{
    const ServiceKind *kind = &service_kinds[j->service];
    const Site *site = &s->sites[j->service];
    char head[64];
    snprintf(head, sizeof head, kind->head_ref, j->number);
    u64 limit = (u64)s->o->serve.cache_limit << 20;
    if (!cache_enter(a, s->cache, cache_name(a, j), limit, j->attempts == ANEW_TRIES, dir, e)) return FETCH_RETRY;
    fetch_sweep(dir->p);
    FetchOrder order = {
        .dir = dir->p,
        .url = str_fmt(a, "%s/%s.git", site->web, j->repository).p,
        .origin = str_fmt(a, "%s/", site->web).p,
        .user = kind->git_user,
        .token = *token ? token : NULL,
        .refs = {[FETCH_BASE] = str_fmt(a, "refs/heads/%s", j->base).p, [FETCH_HEAD] = head},
        .expect = j->head,
        .max_bytes = (u64)s->o->serve.repository_limit << 20,
    };
    return repo_fetch(a, &order, refs, e);
}

/* The variables that reach the reviewer: none of the server's secrets but the one token. */
static char **environment_make(Arena *a, Service s, const char *token)
{
    static const char *const kept[] = {
        "PATH",     "HOME",          "LANG",         "LC_ALL",       "TZ",
        "TMPDIR",   "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy",   "https_proxy",
        "no_proxy", "HTTPS_PROXY",   "NO_PROXY",     "ASAN_OPTIONS", "UBSAN_OPTIONS",
    };
    char **env = arena_new(a, char *, COUNT_OF(kept) + 2);
    u32 n = 0;
    for (u32 i = 0; i < COUNT_OF(kept); i++) {
        const char *value = getenv(kept[i]);
        if (value) env[n++] = str_c(a, str_fmt(a, "%s=%s", kept[i], value));
    }
    if (*token) env[n++] = str_c(a, str_fmt(a, "%s=%s", service_kinds[s].token_variable, token));
    return env;
}

_Noreturn void child_run(const Server *s, const Job *j, int out)
{
    Arena a = {0};
    Err e = {0};
    Str dir;
    FetchedRefs refs = {0};
    char token[TOKEN_MAX];
    const ServiceKind *kind = &service_kinds[j->service];
    confine(s, out);
    token_load(s->o, (Service)j->service, token, sizeof token);
    FetchResult result = fetch(&a, s, j, token, &dir, &refs, &e);
    if (result != FETCH_OK) {
        fprintf(stderr, "ungil: %s\n", e.msg);
        _exit(result == FETCH_RETRY ? EXIT_FETCH_FAILED : EXIT_FETCH_REFUSED);
    }
    /* The ref is behind the webhook, or another push has replaced the commit already; time tells. */
    if (!refs.has_expected && j->attempts < STALE_TRIES) _exit(EXIT_STALE);

    const char *argv[] = {"ungil",
                          "review",
                          "--base",
                          refs.ids[FETCH_BASE].p,
                          "--head",
                          refs.ids[FETCH_HEAD].p,
                          "--post",
                          kind->name,
                          "--repository",
                          j->repository,
                          "--pr",
                          str_fmt(&a, "%u", j->number).p,
                          "--api-url",
                          s->sites[j->service].api,
                          "--cache-dir",
                          str_fmt(&a, "%s/facts", s->cache).p,
                          NULL};
    if (chdir(dir.p) == 0)
        execve(s->self, (char *const *)(uintptr_t)argv, environment_make(&a, (Service)j->service, token));
    fprintf(stderr, "ungil: cannot run %s in %s: %m\n", s->self, dir.p);
    _exit(EXIT_FETCH_REFUSED);
}
