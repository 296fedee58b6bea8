/* The directory of bare repositories, one for each repository that was reviewed: NAME.git, with NAME.lock beside it.
 * Used by children only; what keeps them apart are the locks, which a child holds until it ends, the review included.
 *
 * libgit2 never packs anew, so a repository gathers one pack for each fetch; one with many is thrown away and fetched
 * whole again. So are those that were not used for the longest time when all together are too large. A cache may
 * always be thrown away. */
#include "serve/serve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PACKS_MAX = 60,   /* of a repository, before it is fetched anew */
    PATH_ROOM = 4096, /* bytes of a path; a longer one is not opened */
    NAME_ROOM = 512
};

/* The bytes below a directory; with `remove_it` it and everything in it goes. Links are not followed. */
static u64 tree_walk(int parent, const char *name, bool remove_it)
{
    u64 bytes = 0;
    struct stat st;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        if (fd >= 0) close(fd);
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(d));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) continue;
        if (S_ISDIR(st.st_mode)) {
            bytes += tree_walk(fd, entry->d_name, remove_it);
        } else {
            bytes += (u64)st.st_size;
            if (remove_it) unlinkat(fd, entry->d_name, 0);
        }
    }
    closedir(d);
    if (remove_it) unlinkat(parent, name, AT_REMOVEDIR);
    return bytes;
}

static u32 packs_count(const char *dir)
{
    char path[PATH_ROOM];
    u32 n = 0;
    snprintf(path, sizeof path, "%s/objects/pack", dir);
    DIR *d = opendir(path);
    for (struct dirent *entry; d && (entry = readdir(d));) n += str_ends(str_from(entry->d_name), S(".pack"));
    if (d) closedir(d);
    return n;
}

/* Takes the lock beside a repository; -1 when it is held elsewhere and `wait` is false. */
static int lock_take(int cache, const char *name, bool wait)
{
    char file[NAME_ROOM];
    snprintf(file, sizeof file, "%s.lock", name);
    int fd = openat(cache, file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
        if (errno == EINTR) continue;
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- making room --------------------------------------------------------------------------------------- */

typedef struct Entry {
    Str name;
    i64 used; /* when, by the time of its lock */
    u64 bytes;
} Entry;
typedef Vec(Entry) EntryVec;

static int entry_order(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    return x->used != y->used ? (x->used > y->used ? 1 : -1) : str_cmp(x->name, y->name);
}

static void room_make(Arena *a, int cache, const char *own, u64 limit)
{
    EntryVec all = {0};
    u64 total = 0;
    int fd = dup(cache);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; d && (entry = readdir(d));) {
        Str name = str_from(entry->d_name);
        struct stat st;
        if (!str_ends(name, S(".git"))) continue;
        Str stem = str_dup(a, str_slice(name, 0, name.n - 4));
        Entry e = {stem, 0, tree_walk(cache, entry->d_name, false)};
        if (fstatat(cache, str_fmt(a, "%s.lock", stem.p).p, &st, 0) == 0) e.used = st.st_mtime;
        total += e.bytes;
        vec_push(a, &all, e);
    }
    if (d) closedir(d);
    if (all.n) qsort(all.v, all.n, sizeof *all.v, entry_order);
    for (u32 i = 0; i < all.n && total > limit; i++) {
        const Entry *e = &all.v[i];
        int lock = str_is(e->name, own) ? -1 : lock_take(cache, e->name.p, false);
        if (lock < 0) continue; /* in use */
        tree_walk(cache, str_fmt(a, "%s.git", e->name.p).p, true);
        total -= e->bytes;
        close(lock);
    }
}

bool cache_enter(Arena *a, const char *cache, const char *name, u64 limit, bool anew, Str *dir, Err *e)
{
    if (!os_make_dirs(cache, e)) return false;
    int fd = open(cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int lock = fd >= 0 ? lock_take(fd, name, true) : -1;
    if (lock < 0) {
        err_set(e, "cannot lock %s/%s.lock: %s", cache, name, strerror(errno));
        if (fd >= 0) close(fd);
        return false;
    }
    fcntl(lock, F_SETFD, 0); /* held by what this process becomes, too */
    futimens(lock, NULL);
    *dir = str_fmt(a, "%s/%s.git", cache, name);
    if (anew || packs_count(dir->p) > PACKS_MAX) tree_walk(fd, str_fmt(a, "%s.git", name).p, true);
    if (limit) room_make(a, fd, name, limit);
    close(fd);
    return true;
}
