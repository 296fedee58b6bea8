/* Files and the machine, by POSIX calls. */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool os_read_file(Arena *a, const char *path, size_t max, Str *out, Err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return err_set(e, "cannot read %s: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(e, "cannot read %s: not a regular file", path);
    }
    if ((u64)st.st_size > max) {
        close(fd);
        return err_set(e, "cannot read %s: larger than %zu bytes", path, max);
    }
    size_t room = (size_t)st.st_size, n = 0;
    char *p = arena_new(a, char, room + 1);
    while (n < room) {
        ssize_t got = read(fd, p + n, room - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            err_set(e, "cannot read %s: %s", path, strerror(errno));
            close(fd);
            return false;
        }
        if (got == 0) break;
        n += (size_t)got;
    }
    close(fd);
    *out = (Str){p, n};
    return true;
}

static bool write_all(int fd, Str bytes)
{
    while (bytes.n) {
        ssize_t put = write(fd, bytes.p, bytes.n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        bytes.p += put;
        bytes.n -= (size_t)put;
    }
    return true;
}

/* A device, a pipe: it takes the bytes and stays what it is. */
static bool write_through(const char *path, Str bytes, Err *e)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write_all(fd, bytes);
    int saved = errno;
    if (fd >= 0 && close(fd) < 0 && ok) {
        saved = errno;
        ok = false;
    }
    return ok || err_set(e, "cannot write %s: %s", path, strerror(saved));
}

/* The bytes on disk, with the mode and, as far as one may, the owner of the file that they are to replace. */
static bool temp_fill(int fd, Str bytes, const struct stat *old)
{
    bool ok = write_all(fd, bytes);
    if (ok && old) {
        ok = fchmod(fd, old->st_mode & 07777) == 0;
        /* Keeping the owner needs privileges; without them the file becomes ours, as with any editor. */
        if (ok && (old->st_uid != geteuid() || old->st_gid != getegid()) && fchown(fd, old->st_uid, old->st_gid) < 0)
            ok = true;
    } else if (ok) {
        mode_t mask = umask(0);
        umask(mask);
        ok = fchmod(fd, 0666 & ~mask) == 0;
    }
    return ok && fsync(fd) == 0;
}

bool os_stage_file(Arena *a, const char *path, Str bytes, OsStaged *out, Err *e)
{
    char real[PATH_MAX], temp[PATH_MAX + 32];
    *out = (OsStaged){.path = path, .bytes = bytes};
    if (!realpath(path, real)) {
        if (errno != ENOENT || strlen(path) >= sizeof real)
            return err_set(e, "cannot write %s: %s", path, strerror(errno));
        memcpy(real, path, strlen(path) + 1);
    }
    out->real = str_c(a, str_from(real));
    struct stat st;
    bool old = stat(real, &st) == 0;
    if (old && access(real, W_OK) < 0) return err_set(e, "cannot write %s: %s", path, strerror(errno));
    if (old && !S_ISREG(st.st_mode)) return true; /* written through, when its turn comes */
    snprintf(temp, sizeof temp, "%s.ungil-XXXXXX", real);
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) return err_set(e, "cannot write beside %s: %s", path, strerror(errno));
    bool ok = temp_fill(fd, bytes, old ? &st : NULL);
    int saved = errno;
    if (close(fd) < 0 && ok) {
        saved = errno;
        ok = false;
    }
    if (!ok) {
        unlink(temp);
        return err_set(e, "cannot write %s: %s", path, strerror(saved));
    }
    out->temp = str_c(a, str_from(temp));
    return true;
}

bool os_staged_place(OsStaged *s, Err *e)
{
    if (!s->temp) return write_through(s->real, s->bytes, e);
    if (rename(s->temp, s->real) < 0) {
        err_set(e, "cannot write %s: %s", s->path, strerror(errno));
        os_staged_drop(s);
        return false;
    }
    s->temp = NULL;
    return true;
}

void os_staged_drop(OsStaged *s)
{
    if (s->temp) unlink(s->temp);
    s->temp = NULL;
}

bool os_replace_file(const char *path, Str bytes, Err *e)
{
    Arena scratch = {0};
    OsStaged s;
    bool ok = os_stage_file(&scratch, path, bytes, &s, e) && os_staged_place(&s, e);
    arena_free(&scratch);
    return ok;
}

bool os_make_dirs(const char *path, Err *e)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof part) return err_set(e, "cannot make directory %s: the path is too long", path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != 0) continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0777) == 0) continue;
        struct stat st;
        int why = errno;
        bool other = why == EEXIST && stat(part, &st) == 0 && !S_ISDIR(st.st_mode);
        if (other) why = ENOTDIR;
        if (why != EEXIST || other) return err_set(e, "cannot make directory %s: %s", part, strerror(why));
    }
    return true;
}

u32 os_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return (u32)MAX(CPU_COUNT(&set), 1);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (u32)n : 1;
}

double os_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

u64 os_peak_memory(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u64)u.ru_maxrss << 10;
}
