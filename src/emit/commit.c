/* `ungil commit`: the fixes as commits, or as patches for `git am`.
 *
 * Order of work, so that nothing half-done stays: check everything (safe.c); decide what each commit holds
 * (groups.c); make blobs, trees and commits, which nobody sees yet (objects.c); publish them (publish.c, patches.c).
 * Commit k holds the edits of the groups 0..k together, made anew and certified, so that every state in between is a
 * whole program. What a further round of analysis finds to fix (app/rounds.c) is committed on top. With --patches the
 * objects stay in memory. Hooks are not run and commits are not signed. */
#include "emit/commit.h"
#include "emit/journal.h"

#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>

/* New objects go to memory and are gone at the end: patches need no repository to live in. */
static bool objects_in_memory(Commit *c)
{
    git_odb *odb = NULL;
    git_odb_backend *memory = NULL;
    bool ok = git_repository_odb(&odb, c->repo) == 0 && git_mempack_new(&memory) == 0 &&
              git_odb_add_backend(odb, memory, 999) == 0;
    git_odb_free(odb);
    return ok || commit_fail(c, "cannot prepare the patches");
}

static bool commit_all(Commit *c, Buf *out)
{
    const Options *o = c->r->options;
    if (!commit_safe(c) || (o->patches.n && !objects_in_memory(c))) return false;
    for (u32 i = 0; i < (groups_one(o) ? 1 : c->all->rounds.n); i++) {
        c->r = c->all->rounds.v[i];
        c->file_fixes = arena_new(c->a, IdVec, c->r->sources->n);
        if (!groups_make(c)) return false;
        for (u32 k = 0; k < c->groups.n; k++)
            if (!group_commit(c, k)) return false;
    }
    c->r = c->all;
    if (o->blame_revs && c->made.n && !revisions_commit(c)) return false;
    return o->patches.n ? patches_write(c, out) : commits_publish(c);
}

static bool repo_open(Commit *c)
{
    Str root = c->r->options->root;
    int status = git_repository_open_ext(&c->repo, str_c(c->a, root), 0, NULL);
    const char *foreign = repository_foreign(c->a, status, root);
    if (foreign) return err_set(c->e, "%s", foreign);
    if (status == GIT_ENOTFOUND)
        return err_set(c->e, "%.*s is not in a git repository; `ungil fix` changes files without one", STR_ARG(root));
    if (status < 0) return commit_fail(c, str_fmt(c->a, "cannot open the repository of %.*s", STR_ARG(root)).p);
    c->prefix = repo_prefix(c->a, root);
    return true;
}

static void done_put(const Commit *c, Buf *out)
{
    const Options *o = c->r->options;
    Counts n = results_count(c->r);
    if (o->verbosity < 0) return;
    u32 fixed = n.fixable + c->r->later.n;
    buf_fmt(out, "%u %s%s for %u finding%s in %u file%s", c->made.n, o->patches.n ? "patch" : "commit",
            c->made.n == 1 ? ""
            : o->patches.n ? "es"
                           : "s",
            fixed, fixed == 1 ? "" : "s", c->r->changes->n, c->r->changes->n == 1 ? "" : "s");
    if (o->branch.n && c->made.n)
        buf_fmt(out, " on the new branch %.*s; the work tree is as it was", STR_ARG(o->branch));
    buf_char(out, '\n');
    left_put(out, c->r);
}

int emit_commit(const Results *r, Err *e)
{
    Commit c = {.a = r->arena, .r = r, .all = r, .e = e};
    Buf out = {0};
    git_start();
    bool ok = repo_open(&c) && (!r->changes->n ? repository_safe(&c) : commit_all(&c, &out));
    if (ok && c.made.n) commit_remarks(&c);
    if (ok && c.made.n && !c.bare && !r->options->patches.n) journal_write(r->arena, &(Written){.all = r});
    git_signature_free(c.author);
    git_signature_free(c.committer);
    git_tree_free(c.base);
    git_index_free(c.index);
    git_repository_free(c.repo);
    git_libgit2_shutdown();
    if (ok) done_put(&c, &out);
    ok = ok && emit_text(r->options, buf_view(&out), e);
    buf_free(&out);
    return !ok ? 2 : exit_status(r, r->changes->n > 0 || results_count(r).serious > 0);
}
