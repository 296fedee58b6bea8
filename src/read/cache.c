/* Entries lie in 256 folders by the first byte of their key, so that no folder gets long. Written beside their
 * place and renamed, without waiting for the disk: what a crash leaves is found out by the reader's checksum.
 * An entry that is used gets a new time of change at most once a day; cache_sweep goes by it. */
#include "read/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 24 * 60 * 60, KEEP_DAYS = 30, ENTRY_BYTES = 256 << 20, PATH_ROOM = 4096 };

/* A text file of the CACHEDIR.TAG convention: backup programs leave the folder out. */
static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
                          "# Facts about Python files, kept by ungil. May be deleted at any time.\n";

static Str default_dir(Arena *a)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (base && base[0] == '/') return str_fmt(a, "%s/ungil", base);
    if (home && home[0] == '/') return str_fmt(a, "%s/.cache/ungil", home);
    return S("");
}

static void tag_put(Arena *a, Str dir)
{
    const char *path = str_c(a, str_fmt(a, "%.*s/CACHEDIR.TAG", STR_ARG(dir)));
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return; /* it is there already */
    if (write(fd, tag, sizeof tag - 1) < 0) unlink(path);
    close(fd);
}

bool cache_open(Arena *a, const Options *o, Cache *out, Err *e)
{
    *out = (Cache){.dir = S("")};
    if (o->no_cache) return true;
    Str dir = o->cache_dir.n ? o->cache_dir : default_dir(a);
    Err ignored = {0};
    if (!dir.n || dir.n > PATH_ROOM / 2) return true;
    if (!os_make_dirs(str_c(a, dir), o->cache_dir.n ? e : &ignored)) return !o->cache_dir.n;
    tag_put(a, dir);
    out->dir = dir;
    return true;
}

static void entry_path(const Cache *c, u64 key, char path[PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%.*s/%02x/%014llx", STR_ARG(c->dir), (unsigned)(key >> 56),
             (unsigned long long)(key & 0xffffffffffffff));
}

bool cache_get(const Cache *c, Arena *a, u64 key, Str *out)
{
    if (!c->dir.n) return false;
    char path[PATH_ROOM];
    entry_path(c, key, path);
    Err e = {0};
    struct stat st;
    if (!os_read_file(a, path, ENTRY_BYTES, out, &e)) return false;
    if (stat(path, &st) == 0 && st.st_mtime + DAY < time(NULL)) utimensat(AT_FDCWD, path, NULL, 0);
    return true;
}

void cache_put(const Cache *c, u64 key, Str bytes)
{
    static atomic_uint number;
    if (!c->dir.n || bytes.n > ENTRY_BYTES) return;
    char path[PATH_ROOM], temp[PATH_ROOM];
    entry_path(c, key, path);
    size_t folder = c->dir.n + 3;
    snprintf(temp, sizeof temp, "%.*s", (int)folder, path);
    mkdir(temp, 0777);
    snprintf(temp, sizeof temp, "%.*s/new-%ld-%u", (int)folder, path, (long)getpid(), atomic_fetch_add(&number, 1));
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return;
    size_t done = 0;
    while (done < bytes.n) {
        ssize_t n = write(fd, bytes.p + done, bytes.n - done);
        if (n <= 0) break;
        done += (size_t)n;
    }
    if (close(fd) < 0 || done < bytes.n || rename(temp, path) < 0) unlink(temp);
}

static void folder_sweep(int at, time_t before)
{
    DIR *d = fdopendir(at);
    if (!d) {
        close(at);
        return;
    }
    for (struct dirent *x; (x = readdir(d));) {
        struct stat st;
        if (fstatat(at, x->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_mtime < before)
            unlinkat(at, x->d_name, 0);
    }
    closedir(d);
}

void cache_sweep(const Cache *c)
{
    if (!c->dir.n) return;
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%.*s/swept", STR_ARG(c->dir));
    struct stat st;
    time_t now = time(NULL);
    if (stat(path, &st) == 0 && st.st_mtime + DAY > now) return;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return;
    futimens(fd, NULL);
    close(fd);
    for (unsigned i = 0; i < 256; i++) {
        snprintf(path, sizeof path, "%.*s/%02x", STR_ARG(c->dir), i);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) folder_sweep(fd, now - KEEP_DAYS * DAY);
    }
}
