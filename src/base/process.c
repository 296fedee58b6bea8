/* Another program, by fork and exec: its streams are read in one poll() loop that ends when the program does, whether
 * or not something that it left behind still holds the pipes. wait4 tells what it took.
 *
 * Not handled: a program that leaves its process group (setsid) outlives the limit of time. The largest resident set
 * that Linux gives is at least ours at the time of the fork. */
#include "process.h"

#include "buf.h"
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* TICK: how often we look whether it has ended where the kernel has no pidfd_open, in milliseconds. HIGH: where pipes
 * are moved to before they are put in their places, beyond those. */
enum { CHUNK = 1 << 16, TICK = 5, HIGH = 16 };

typedef struct Child {
    pid_t pid;
    int fds[PROCESS_STREAMS]; /* our ends; -1 when closed */
    int ended;                /* a descriptor that can be read when it has ended; -1 */
    Buf text[PROCESS_STREAMS];
} Child;

/* ---- in the new process -------------------------------------------------------------------------------- */

static void environment_set(const char *const *set)
{
    for (; set && *set; set++) {
        char name[256];
        const char *equals = strchr(*set, '=');
        if (!equals) {
            unsetenv(*set);
            continue;
        }
        size_t n = MIN((size_t)(equals - *set), sizeof name - 1);
        memcpy(name, *set, n);
        name[n] = 0;
        setenv(name, equals + 1, 1);
    }
}

/* Becomes the program. `failure` gets errno when it cannot. */
static _Noreturn void child_exec(const ProcessOrder *o, pid_t parent, const int *theirs, int failure)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), high[PROCESS_STREAMS];
    bool ok = getppid() == parent && null >= 0; /* else we died before this could be asked for */
    for (u32 i = 0; i < PROCESS_STREAMS; i++) high[i] = theirs[i] < 0 ? -1 : fcntl(theirs[i], F_DUPFD_CLOEXEC, HIGH);
    failure = fcntl(failure, F_DUPFD_CLOEXEC, HIGH);
    null = fcntl(null, F_DUPFD_CLOEXEC, HIGH);
    ok = ok && dup2(null, STDIN_FILENO) >= 0 && dup2(high[PROCESS_OUT], STDOUT_FILENO) >= 0 &&
         dup2(high[PROCESS_ERR], STDERR_FILENO) >= 0;
    if (o->side) ok = ok && dup2(high[PROCESS_SIDE], PROCESS_SIDE_FD) >= 0;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    environment_set(o->set);
    if (ok && (!o->dir || chdir(o->dir) == 0)) execvp(o->argv[0], (char *const *)(uintptr_t)o->argv);
    int error = errno;
    if (write(failure, &error, sizeof error) < 0) _exit(126);
    _exit(127);
}

/* ---- in ours ------------------------------------------------------------------------------------------- */

static void fd_close(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Starts it, with our ends of its pipes in c. */
static bool child_start(const ProcessOrder *o, Child *c, Err *e)
{
    int theirs[PROCESS_STREAMS] = {-1, -1, -1}, failure[2] = {-1, -1}, error = 0;
    pid_t parent = getpid();
    bool ok = pipe2(failure, O_CLOEXEC) == 0;
    for (u32 i = 0; ok && i < PROCESS_STREAMS; i++) {
        int both[2];
        if (i == PROCESS_SIDE && !o->side) continue;
        ok = pipe2(both, O_CLOEXEC) == 0;
        if (!ok) break;
        c->fds[i] = both[0];
        theirs[i] = both[1];
        fcntl(both[0], F_SETFL, O_NONBLOCK);
    }
    c->pid = ok ? fork() : -1;
    if (c->pid == 0) child_exec(o, parent, theirs, failure[1]);
    error = errno;
    for (u32 i = 0; i < PROCESS_STREAMS; i++) fd_close(&theirs[i]);
    fd_close(&failure[1]);
    ok = c->pid > 0;
    if (ok) {
        setpgid(c->pid, c->pid); /* whoever comes first */
        ssize_t n;
        while ((n = read(failure[0], &error, sizeof error)) < 0 && errno == EINTR) {}
        ok = n <= 0;
        if (!ok) waitpid(c->pid, NULL, 0);
    }
    fd_close(&failure[0]);
    if (!ok) err_set(e, "cannot run %s: %s", o->argv[0], strerror(error));
    return ok;
}

/* Takes what is there; closes our end when there will be no more. */
static void stream_take(const ProcessOrder *o, Child *c, u32 i, ProcessEnd *end)
{
    char chunk[CHUNK];
    ssize_t n = read(c->fds[i], chunk, sizeof chunk);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        fd_close(&c->fds[i]);
        return;
    }
    size_t room = o->keep > c->text[i].n ? o->keep - c->text[i].n : 0;
    buf_bytes(&c->text[i], chunk, MIN(room, (size_t)n));
    end->bytes[i] += (u64)n;
}

/* Reads its streams until it has ended. */
static void child_follow(const ProcessOrder *o, Child *c, double start, ProcessEnd *end)
{
    for (siginfo_t info;;) {
        struct pollfd fds[PROCESS_STREAMS + 1];
        for (u32 i = 0; i < PROCESS_STREAMS; i++) fds[i] = (struct pollfd){.fd = c->fds[i], .events = POLLIN};
        fds[PROCESS_STREAMS] = (struct pollfd){.fd = c->ended, .events = POLLIN};
        double left = o->seconds > 0 ? start + o->seconds - os_seconds() : 1;
        if (left <= 0) {
            end->timed_out = true;
            break;
        }
        int wait = c->ended < 0 ? TICK : (int)(MIN(left, 60) * 1000) + 1;
        poll(fds, PROCESS_STREAMS + 1, wait);
        info.si_pid = 0;
        if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == c->pid) break;
        for (u32 i = 0; i < PROCESS_STREAMS; i++)
            if (c->fds[i] >= 0 && fds[i].revents) stream_take(o, c, i, end);
    }
    end->wall = os_seconds() - start;
}

/* What stands in the pipes once all are dead. Whoever left the group may go on writing: no more than a pipe holds. */
static void child_drain(const ProcessOrder *o, Child *c, ProcessEnd *end)
{
    enum { ROUNDS = 32 }; /* of CHUNK each: the largest pipe an ordinary user can have is 1 MiB */
    for (u32 i = 0; i < PROCESS_STREAMS; i++) {
        u64 before = end->bytes[i] - 1;
        for (u32 round = 0; round < ROUNDS && c->fds[i] >= 0 && end->bytes[i] != before; round++) {
            before = end->bytes[i];
            stream_take(o, c, i, end);
        }
        fd_close(&c->fds[i]);
    }
}

static double time_seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

bool process_run(Arena *a, const ProcessOrder *o, ProcessEnd *end, Err *e)
{
    Child c = {.fds = {-1, -1, -1}, .ended = -1};
    struct rusage took = {0};
    int how = 0;
    *end = (ProcessEnd){0};
    double start = os_seconds();
    bool ok = child_start(o, &c, e);
    if (ok) {
        c.ended = (int)syscall(SYS_pidfd_open, c.pid, 0);
        child_follow(o, &c, start, end);
        kill(-c.pid, SIGKILL); /* the program or what it left; its id is kept until it is waited for */
        while (wait4(c.pid, &how, 0, &took) < 0 && errno == EINTR) {}
        child_drain(o, &c, end);
    }
    for (u32 i = 0; i < PROCESS_STREAMS; i++) {
        fd_close(&c.fds[i]);
        end->text[i] = str_dup(a, buf_view(&c.text[i]));
        buf_free(&c.text[i]);
    }
    fd_close(&c.ended);
    end->status = ok && WIFEXITED(how) ? WEXITSTATUS(how) : -1;
    end->signal = ok && WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    end->user = time_seconds(took.ru_utime);
    end->system = time_seconds(took.ru_stime);
    end->peak = (u64)took.ru_maxrss << 10;
    return ok;
}

const char *process_find(Arena *a, const char *name)
{
    if (strchr(name, '/')) return access(name, X_OK) == 0 ? name : NULL;
    Str rest = str_from(getenv("PATH"));
    while (rest.n) {
        Str dir = str_cut(rest, ':', &rest);
        const char *path = str_fmt(a, "%.*s/%s", STR_ARG(dir.n ? dir : S(".")), name).p;
        if (access(path, X_OK) == 0) return path;
    }
    return NULL;
}

Str process_ending(Arena *a, const ProcessOrder *o, const ProcessEnd *end)
{
    if (end->timed_out) return str_fmt(a, "no end within %g second%s", o->seconds, o->seconds == 1 ? "" : "s");
    if (end->signal) return str_fmt(a, "signal %d (%s)", end->signal, strsignal(end->signal));
    return str_fmt(a, "exit status %d", end->status);
}
