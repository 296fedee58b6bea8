/* Makes the commits visible, in an order that can be taken back: git's index is locked and the next one is written
 * beside it, the files are replaced, the branch is moved, and then the next index takes the place of the old one.
 * Until the branch has moved everything can be undone. With --branch only the new branch is made. */
#include "emit/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/sys/repository.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the index ----------------------------------------------------------------------------------------- */

/* git's index while it is ours. libgit2 takes the lock only when it writes, and by then the branch would have moved;
 * so the lock is taken as git does, by making index.lock, and libgit2 writes to a copy. */
typedef struct NextIndex {
    const char *path, *lock, *copy;
    git_index *index;
} NextIndex;

static bool index_busy(Commit *c)
{
    return err_set(
        c->e,
        "another git process seems to be at work here: %s.lock exists; nothing is changed. Wait for it, or, "
        "if there is none, remove that file",
        git_index_path(c->index));
}

bool index_unlocked(Commit *c)
{
    return access(str_fmt(c->a, "%s.lock", git_index_path(c->index)).p, F_OK) != 0 || index_busy(c);
}

static bool index_lock(Commit *c, NextIndex *n)
{
    n->path = git_index_path(c->index);
    n->copy = str_fmt(c->a, "%s.ungil", n->path).p;
    const char *lock = str_fmt(c->a, "%s.lock", n->path).p;
    int fd = open(lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) return index_busy(c);
    if (fd < 0) return err_set(c->e, "cannot lock git's index: %s: %s; nothing is changed", lock, strerror(errno));
    n->lock = lock;
    return close(fd) == 0;
}

/* The copy keeps the time of the index: by it git knows which entries may have changed in the same moment. */
static bool index_copy(Commit *c, const NextIndex *n)
{
    Arena scratch = {0};
    Str bytes;
    struct stat st;
    bool ok = stat(n->path, &st) == 0 || err_set(c->e, "cannot read %s: %s", n->path, strerror(errno));
    ok = ok && os_read_file(&scratch, n->path, UINT32_MAX, &bytes, c->e) && os_replace_file(n->copy, bytes, c->e);
    arena_free(&scratch);
    struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {0}};
    if (ok) times[1] = st.st_mtim;
    return ok && (utimensat(AT_FDCWD, n->copy, times, 0) == 0 ||
                  err_set(c->e, "cannot write %s: %s", n->copy, strerror(errno)));
}

/* The entries of the files as they are in the work tree now, in the copy. */
static bool index_next(Commit *c, NextIndex *n)
{
    if (!index_copy(c, n)) return false;
    bool ok = git_index_open(&n->index, n->copy) == 0 && git_repository_set_index(c->repo, n->index) == 0 &&
              git_index_set_caps(n->index, GIT_INDEX_CAPABILITY_FROM_OWNER) == 0;
    for (u32 i = 0; ok && i < c->touched.n; i++) ok = git_index_add_bypath(n->index, c->touched.v[i].path.p) == 0;
    ok = ok && git_index_write(n->index) == 0;
    return ok || commit_fail(c, "cannot write git's next index; nothing is changed");
}

/* The one step that comes after the commits are there. */
static bool index_place(Commit *c, const NextIndex *n)
{
    if (rename(n->copy, n->path) == 0) return true;
    Buf paths = {0};
    int why = errno;
    for (u32 i = 0; i < c->touched.n; i++) buf_fmt(&paths, " '%.*s'", STR_ARG(c->touched.v[i].path));
    err_set(c->e, "the commits are made, but git's index could not be replaced: %s: %s; run: git add --%.*s", n->path,
            strerror(why), (int)paths.n, paths.p);
    buf_free(&paths);
    return false;
}

static void index_unlock(const NextIndex *n)
{
    git_index_free(n->index);
    if (!n->lock) return;
    unlink(n->copy); /* there only when something failed */
    unlink(n->lock);
}

/* ---- branches ------------------------------------------------------------------------------------------ */

static const git_oid *tip(const Commit *c)
{
    return &c->made.v[c->made.n - 1].id;
}

static bool branch_make(Commit *c)
{
    git_reference *made = NULL;
    Str full = str_fmt(c->a, "refs/heads/%.*s", STR_ARG(c->r->options->branch));
    bool ok = git_reference_create(&made, c->repo, full.p, tip(c), 0, "ungil commit: new branch") == 0;
    git_reference_free(made);
    return ok || commit_fail(c, "cannot make the branch");
}

/* Moves the current branch, or a detached HEAD, to the last commit. */
static bool head_move(Commit *c)
{
    git_reference *head = NULL, *moved = NULL;
    bool ok;
    if (git_repository_head_detached(c->repo) == 1)
        ok = git_repository_set_head_detached(c->repo, tip(c)) == 0;
    else /* only if nobody moved the branch meanwhile */
        ok = git_repository_head(&head, c->repo) == 0 &&
             git_reference_create_matching(&moved, c->repo, git_reference_name(head), tip(c), 1, &c->head,
                                           "ungil commit") == 0;
    git_reference_free(moved);
    git_reference_free(head);
    return ok || commit_fail(c, "cannot move the branch");
}

/* Files, branch and index, under the lock of the index. */
static bool all_publish(Commit *c, NextIndex *n)
{
    u32 failed;
    Vec(Replacement) v = {0};
    for (u32 i = 0; i < c->touched.n; i++) vec_push(c->a, &v, touched_file(&c->touched.v[i]));
    if (!index_lock(c, n) || !files_replace(v.v, v.n, &failed, c->e)) return false;
    if (index_next(c, n) && head_move(c)) return index_place(c, n);
    files_put_back(v.v, v.n);
    return false;
}

bool commits_publish(Commit *c)
{
    if (!c->made.n) return true;
    if (c->r->options->branch.n) return branch_make(c);
    NextIndex next = {0};
    sigset_t before;
    signals_hold(&before);
    bool ok = all_publish(c, &next);
    index_unlock(&next);
    signals_let(&before);
    return ok;
}
