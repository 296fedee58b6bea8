/* What git ignores: the rules (gitignore.c) of the repository that a directory lies in, found through libgit2. A path
 * that the index knows is never ignored, as in git itself. A nested repository is walked with the outer one's rules.
 */
#include "read/read.h"

#include <git2.h>
#include <unistd.h>

struct Ignores {
    git_repository *repo;
    git_index *index;
    IgnoreRules *rules;
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

const char *repository_foreign(Arena *a, int status, Str dir)
{
    /* Where nothing is set, some versions of libgit2 give the error of the look-up in place of their own. */
    const git_error *g = git_error_last();
    bool unset =
        status == GIT_ENOTFOUND && g && g->message && str_contains(str_from(g->message), S("safe.directory"));
    if (status != GIT_EOWNER && !unset) return NULL;
    Str top = dir;
    while (top.n > 1 && access(str_fmt(a, "%.*s/.git", STR_ARG(top)).p, F_OK) != 0)
        top = str_slice(top, 0, MAX(str_rfind(top, '/'), (size_t)1));
    if (top.n <= 1) top = dir; /* a bare one */
    return str_fmt(
               a,
               "the repository %.*s belongs to another user, so git does not trust it; if you do, run: git config "
               "--global --add safe.directory %.*s",
               STR_ARG(top), STR_ARG(top))
        .p;
}

/* The file of core.excludesFile; where it is not set, git takes ignore in its folder of the user's configuration. */
static const char *global_file(Arena *a, git_config *config)
{
    git_buf set = {0};
    const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
    if (config && git_config_get_path(&set, config, "core.excludesfile") == 0) {
        const char *file = str_c(a, (Str){set.ptr, set.size});
        git_buf_dispose(&set);
        return file;
    }
    if (xdg && *xdg) return str_fmt(a, "%s/git/ignore", xdg).p;
    return home && *home ? str_fmt(a, "%s/.config/git/ignore", home).p : NULL;
}

static IgnoreRules *rules_open(Arena *a, git_repository *repo, Str workdir)
{
    git_config *config = NULL;
    int fold = 0;
    if (git_repository_config_snapshot(&config, repo) == 0) git_config_get_bool(&fold, config, "core.ignorecase");
    const char *info = str_fmt(a, "%sinfo/exclude", git_repository_commondir(repo)).p;
    IgnoreRules *rules = ignore_rules_make(a, workdir, info, global_file(a, config), fold != 0);
    git_config_free(config);
    return rules;
}

Ignores *ignores_open(Arena *a, const char *dir, const char **foreign)
{
    git_start();
    git_repository *repo = NULL;
    git_index *index = NULL;
    int status = git_repository_open_ext(&repo, dir, 0, NULL);
    *foreign = repository_foreign(a, status, str_from(dir));
    if (status < 0 || git_repository_is_bare(repo)) {
        git_repository_free(repo);
        git_libgit2_shutdown();
        return NULL;
    }
    if (git_repository_index(&index, repo) < 0) index = NULL;
    Ignores *g = arena_new(a, Ignores, 1);
    Str workdir = str_dup(a, str_from(git_repository_workdir(repo)));
    *g = (Ignores){repo, index, rules_open(a, repo, workdir), workdir};
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
    if (!str_starts(str_from(abs), g->workdir)) return false;
    const char *path = abs + g->workdir.n;
    return ignore_rules_say(g->rules, str_from(path), dir) && !is_tracked(g, path, dir);
}

void ignores_close(Ignores *g)
{
    if (!g) return;
    git_index_free(g->index);
    git_repository_free(g->repo);
    git_libgit2_shutdown();
}
