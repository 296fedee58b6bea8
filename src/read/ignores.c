/* git's ignore rules through libgit2. A path that the index knows is never ignored, as in git itself.
 *
 * libgit2 reads .gitignore, .git/info/exclude and core.excludesFile. A nested repository is walked with the outer
 * one's rules. */
#include "read/read.h"

#include <git2.h>

struct Ignores {
    git_repository *repo;
    git_index *index;
    Str workdir; /* ends in '/' */
};

void git_start(void)
{
    /* Repositories that a sparse checkout or a partial clone made say so in extensions.*; these two ask nothing of
     * one who reads trees and writes objects. */
    const char *extensions[] = {"worktreeconfig", "partialclone"};
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, COUNT_OF(extensions));
}

Ignores *ignores_open(Arena *a, const char *dir)
{
    git_start();
    git_repository *repo = NULL;
    git_index *index = NULL;
    if (git_repository_open_ext(&repo, dir, 0, NULL) < 0 || git_repository_is_bare(repo)) {
        git_repository_free(repo);
        git_libgit2_shutdown();
        return NULL;
    }
    if (git_repository_index(&index, repo) < 0) index = NULL;
    Ignores *g = arena_new(a, Ignores, 1);
    *g = (Ignores){repo, index, str_dup(a, str_from(git_repository_workdir(repo)))};
    return g;
}

/* Does the index hold the file, or anything below the directory? */
static bool is_tracked(const Ignores *g, const char *path, bool dir)
{
    size_t at;
    if (!g->index) return false;
    if (!dir) return git_index_find(&at, g->index, path) == 0;
    Buf prefix = {0};
    buf_fmt(&prefix, "%s/", path);
    bool found = git_index_find_prefix(&at, g->index, prefix.p) == 0;
    buf_free(&prefix);
    return found;
}

bool ignores_path(const Ignores *g, const char *abs, bool dir)
{
    int ignored = 0;
    if (!str_starts(str_from(abs), g->workdir)) return false;
    const char *path = abs + g->workdir.n;
    Buf b = {0};
    buf_fmt(&b, "%s%s", path, dir ? "/" : "");
    bool yes = *path && git_ignore_path_is_ignored(&ignored, g->repo, b.p) == 0 && ignored;
    buf_free(&b);
    return yes && !is_tracked(g, path, dir);
}

void ignores_close(Ignores *g)
{
    if (!g) return;
    git_index_free(g->index);
    git_repository_free(g->repo);
    git_libgit2_shutdown();
}
