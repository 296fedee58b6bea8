/* Two commits, read from git's object store: the sources of both trees and the diff between them. Nothing is
 * checked out, so that a bare repository will do, and no filter or hook of the repository is run.
 *
 * What a pull request changes is what happened between the merge base and its head: commits that the base got
 * meanwhile are not its doing. So `before` is the tree of the merge base. A file that is the same on both sides,
 * by the id of its blob, is read once.
 *
 * Not handled: text that checkout would convert (working-tree-encoding), and files named without .py. */
#include "read/revisions.h"

#include <limits.h>

/* ---- errors and repositories --------------------------------------------------------------------------- */

bool git_fail(Err *e, const char *what)
{
    const git_error *g = git_error_last();
    return err_set(e, "%s: %s", what, g && g->message ? g->message : "libgit2 failed");
}

static bool repo_open(RevReader *x, Options *o)
{
    char *start = o->root.n ? str_c(x->a, o->root) : ".";
    int status = git_repository_open_ext(&x->repo, start, 0, NULL);
    char real[PATH_MAX];
    const char *foreign = repository_foreign(x->a, status, str_from(realpath(start, real) ? real : start));
    if (foreign) return err_set(x->e, "%s", foreign);
    if (status < 0)
        return err_set(x->e, "%s is not in a git repository; --base compares with a commit of one",
                       o->root.n ? start : "the current directory");
    const char *top = git_repository_workdir(x->repo);
    Str dir = str_from(top ? top : git_repository_path(x->repo));
    while (dir.n > 1 && dir.p[dir.n - 1] == '/') dir.n--;
    o->root = str_dup(x->a, dir);
    return true;
}

static const char *shallow_advice(RevReader *x)
{
    return git_repository_is_shallow(x->repo)
               ? "; this clone is shallow: fetch the whole history (actions/checkout: fetch-depth: 0; GitLab CI: "
                 "GIT_DEPTH: 0; by hand: git fetch --unshallow)"
               : "";
}

/* ---- revisions ----------------------------------------------------------------------------------------- */

/* The commit that a revision names. In CI the branch is often there only as that of the remote. */
static bool commit_find(RevReader *x, const char *option, Str rev, git_commit **out)
{
    Str specs[] = {str_dup(x->a, rev), str_fmt(x->a, "refs/remotes/origin/%.*s", STR_ARG(rev))};
    for (u32 i = 0; i < COUNT_OF(specs); i++) {
        git_object *found = NULL;
        if (git_revparse_single(&found, x->repo, specs[i].p) < 0) continue;
        int status = git_object_peel((git_object **)out, found, GIT_OBJECT_COMMIT);
        git_object_free(found);
        if (status == 0) return true;
        return err_set(x->e, "%s %.*s is no commit", option, STR_ARG(rev));
    }
    return err_set(x->e, "%s %.*s: there is no such commit, branch or tag here%s; git fetch it first", option,
                   STR_ARG(rev), shallow_advice(x));
}

static Str oid_text(Arena *a, const git_oid *id)
{
    char text[GIT_OID_HEXSZ + 1];
    return str_dup(a, str_from(git_oid_tostr(text, sizeof text, id)));
}

static bool commits_find(RevReader *x, const Options *o)
{
    git_oid id;
    Str head = o->head_rev.n ? o->head_rev : S("HEAD");
    if (!o->base_rev.n) return err_set(x->e, "review needs --base REV: what the change is to be merged into");
    if (!commit_find(x, "--base", o->base_rev, &x->base) || !commit_find(x, "--head", head, &x->head)) return false;
    int status = git_merge_base(&id, x->repo, git_commit_id(x->base), git_commit_id(x->head));
    if (status < 0)
        return err_set(x->e, "--base %.*s and --head %.*s have no common ancestor%s", STR_ARG(o->base_rev),
                       STR_ARG(head), shallow_advice(x));
    if (git_commit_lookup(&x->fork, x->repo, &id) < 0) return git_fail(x->e, "cannot read the merge base");
    x->out->base = oid_text(x->a, git_commit_id(x->base));
    x->out->head = oid_text(x->a, git_commit_id(x->head));
    x->out->merge_base = oid_text(x->a, &id);
    if (git_commit_tree(&x->old_tree, x->fork) < 0 || git_commit_tree(&x->new_tree, x->head) < 0)
        return err_set(x->e, "a tree is missing from the object store%s", shallow_advice(x));
    return true;
}

/* ---- configuration ------------------------------------------------------------------------------------- */

/* The configuration file at the top of head's tree, unless the command line named one. */
static bool config_read(RevReader *x, Options *o)
{
    static const char *const names[] = {"ungil.toml", "pyproject.toml"};
    bool found = o->isolated || o->config.n > 0;
    for (u32 i = 0; i < COUNT_OF(names) && !found; i++) {
        Str text;
        const git_tree_entry *entry = git_tree_entry_byname(x->new_tree, names[i]);
        if (!entry || git_tree_entry_type(entry) != GIT_OBJECT_BLOB) continue;
        if (!blob_text(x, git_tree_entry_id(entry), &text)) return err_set(x->e, "cannot read %s of head", names[i]);
        Str name = str_fmt(x->a, "%.*s:%s", (int)MIN(x->out->head.n, (size_t)12), x->out->head.p, names[i]);
        if (!config_apply_text(x->a, o, name, text, &found, x->e)) return false;
    }
    return true;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static bool all_read(RevReader *x, Options *o)
{
    return repo_open(x, o) && commits_find(x, o) && config_read(x, o) && diff_read(x) && trees_read(x, o);
}

bool read_revisions(Arena *a, Options *o, Revisions *out, NoteVec *notes, Err *e)
{
    RevReader x = {.a = a, .out = out, .notes = notes, .e = e};
    git_start();
    bool ok = all_read(&x, o);
    git_tree_free(x.old_tree);
    git_tree_free(x.new_tree);
    git_commit_free(x.base);
    git_commit_free(x.head);
    git_commit_free(x.fork);
    git_repository_free(x.repo);
    git_libgit2_shutdown();
    return ok;
}

bool repo_is_bare(Arena *a, const Options *o)
{
    git_repository *repo = NULL;
    git_start();
    bool bare = git_repository_open_ext(&repo, o->root.n ? str_c(a, o->root) : ".", 0, NULL) == 0 &&
                git_repository_is_bare(repo) && git_repository_head_unborn(repo) == 0;
    git_repository_free(repo);
    git_libgit2_shutdown();
    return bare;
}

bool read_head(Arena *a, Options *o, SourceList *out, NoteVec *notes, Err *e)
{
    Revisions r = {0};
    o->base_rev = o->head_rev = S("HEAD"); /* no change at all */
    if (!read_revisions(a, o, &r, notes, e)) return false;
    *out = r.after;
    return true;
}
