/* Makes the commits visible, in an order that can be taken back: files, then the branch, then the index. With
 * --branch only the new branch is made. */
#include "emit/commit.h"

/* Puts back the first n files as they were. */
static void files_restore(const Commit *c, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        Err undo = {0};
        const Touched *t = &c->touched.v[i];
        if (!t->before.p)
            remove(t->abs);
        else if (!os_replace_file(t->abs, t->before, &undo))
            fprintf(stderr, "ungil: %s\n", undo.msg);
    }
}

static bool files_write(Commit *c)
{
    for (u32 i = 0; i < c->touched.n; i++) {
        const Touched *t = &c->touched.v[i];
        bool ok = (!t->source || file_unchanged(t->source, c->e)) && os_replace_file(t->abs, t->after, c->e);
        if (ok) continue;
        files_restore(c, i);
        return false;
    }
    return true;
}

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

static bool index_update(Commit *c)
{
    bool ok = git_index_read(c->index, 0) == 0;
    for (u32 i = 0; ok && i < c->touched.n; i++) ok = git_index_add_bypath(c->index, c->touched.v[i].path.p) == 0;
    ok = ok && git_index_write(c->index) == 0;
    return ok || commit_fail(c, "the commits are made, but git's index could not be updated (run: git reset)");
}

bool commits_publish(Commit *c)
{
    if (!c->made.n) return true;
    if (c->r->options->branch.n) return branch_make(c);
    if (!files_write(c)) return false;
    if (!head_move(c)) {
        files_restore(c, c->touched.n);
        return false;
    }
    return index_update(c);
}
