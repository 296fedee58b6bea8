/* `ungil commit`: one commit for each decision. A decision is a lock with everything it guards, or a single fix that
 * needs no lock. Commit k holds the edits of the decisions 0..k together, so that every state in between is whole.
 *
 * Order of work, so that nothing half-done stays: check everything; make blobs, trees and commits, which nobody sees
 * yet; write the files (undone when one fails); move the branch; update the index entries of these files. Other
 * files' index entries are not touched. Hooks are not run and commits are not signed. */
#include "emit/commit.h"

#include <sys/stat.h>

typedef Vec(u32) IdVec;
typedef struct Decision {
    IdVec fixes;
} Decision;

typedef struct Commit {
    Arena *a;
    const Results *r;
    git_repository *repo;
    git_signature *author, *committer;
    Str prefix; /* of our paths inside the repository */
    Vec(Decision) decisions;
    IdVec *file_fixes; /* by file: the fixes of the decisions made so far that touch it */
    git_oid head, tip; /* commit before, commit after */
    git_oid tree;      /* of the tip */
    u32 made;
    Err *e;
} Commit;

static bool git_fail(Commit *c, const char *what)
{
    const git_error *g = git_error_last();
    return err_set(c->e, "%s: %s", what, g && g->message ? g->message : "libgit2 failed");
}

static Str repo_path(Commit *c, const Source *s)
{
    return str_fmt(c->a, "%.*s%.*s", STR_ARG(c->prefix), STR_ARG(s->path));
}

/* ---- checks -------------------------------------------------------------------------------------------- */

static bool state_check(Commit *c)
{
    static const char *const names[] = {"",
                                        "a merge",
                                        "a revert",
                                        "a revert",
                                        "a cherry-pick",
                                        "a cherry-pick",
                                        "a bisection",
                                        "a rebase",
                                        "a rebase",
                                        "a rebase",
                                        "a mailbox being applied",
                                        "a mailbox being applied"};
    int state = git_repository_state(c->repo);
    if (git_repository_is_bare(c->repo)) return err_set(c->e, "the repository is bare: it has no files to change");
    if (state != GIT_REPOSITORY_STATE_NONE && (u32)state < COUNT_OF(names))
        return err_set(c->e, "%s is in progress; finish or abort it first", names[state]);
    if (git_repository_head_unborn(c->repo) == 1)
        return err_set(c->e, "the branch has no commit yet; commit the files as they are first");
    if (git_reference_name_to_id(&c->head, c->repo, "HEAD") < 0) return git_fail(c, "cannot read HEAD");
    return true;
}

static bool branch_check(Commit *c)
{
    git_reference *ref = NULL;
    int valid = 0;
    if (!c->r->options->branch.n) return true;
    char *name = str_c(c->a, c->r->options->branch);
    if (git_branch_name_is_valid(&valid, name) < 0 || !valid)
        return err_set(c->e, "'%s' is no valid branch name", name);
    if (git_branch_lookup(&ref, c->repo, name, GIT_BRANCH_LOCAL) == 0) {
        git_reference_free(ref);
        return err_set(c->e,
                       "the branch %s exists already; choose another name, or check it out and run without --branch",
                       name);
    }
    return true;
}

static bool author_check(Commit *c)
{
    if (git_signature_default(&c->author, c->repo) < 0)
        return err_set(
            c->e, "git does not know who you are; run: git config user.name NAME && git config user.email ADDRESS");
    if (git_signature_dup(&c->committer, c->author) < 0) return git_fail(c, "cannot make the signature");
    return true;
}

static const char *status_words(unsigned status)
{
    if (status & GIT_STATUS_WT_NEW) return "is not in git";
    if (status & GIT_STATUS_IGNORED) return "is ignored by git";
    if (status & (GIT_STATUS_INDEX_NEW | GIT_STATUS_INDEX_MODIFIED | GIT_STATUS_INDEX_RENAMED))
        return "has staged changes";
    if (status & GIT_STATUS_CONFLICTED) return "has conflicts";
    return "has uncommitted changes";
}

static bool file_check(Commit *c, const Source *s)
{
    unsigned status = 0;
    Str path = repo_path(c, s);
    if (!file_unchanged(s, c->e) || !file_writable(s, c->e)) return false;
    if (git_status_file(&status, c->repo, path.p) < 0)
        return git_fail(c, str_fmt(c->a, "cannot ask git about %s", path.p).p);
    if (status & GIT_STATUS_CONFLICTED) return err_set(c->e, "%s has conflicts; resolve them first", path.p);
    if (status == GIT_STATUS_CURRENT || c->r->options->allow_dirty) return true;
    return err_set(c->e, "%s %s; commit or stash that first, or use --allow-dirty to make it part of the commit",
                   path.p, status_words(status));
}

static bool checks_pass(Commit *c)
{
    if (!state_check(c) || !branch_check(c) || !author_check(c)) return false;
    for (u32 i = 0; i < c->r->changes->n; i++)
        if (!file_check(c, c->r->changes->v[i].before)) return false;
    return true;
}

/* ---- decisions ----------------------------------------------------------------------------------------- */

static void decisions_make(Commit *c)
{
    const FixList *fixes = c->r->fixes;
    u32 *of_lock = arena_new(c->a, u32, fixes->locks.n);
    for (u32 i = 0; i < fixes->locks.n; i++) of_lock[i] = NONE;
    for (u32 i = 0; i < fixes->fixes.n; i++) {
        const Fix *f = &fixes->fixes.v[i];
        if (!fix_writes(c->r, f)) continue;
        u32 at = f->lock != NONE ? of_lock[f->lock] : NONE;
        if (at == NONE) {
            at = c->decisions.n;
            vec_add(c->a, &c->decisions);
            if (f->lock != NONE) of_lock[f->lock] = at;
        }
        vec_push(c->a, &c->decisions.v[at].fixes, i);
    }
}

/* ---- objects ------------------------------------------------------------------------------------------- */

/* A blob of the text as git would store it: line ends and other filters of the path applied. */
static bool blob_make(Commit *c, const char *path, Str text, git_oid *out)
{
    git_filter_list *filters = NULL;
    git_buf stored = {0};
    bool ok = git_filter_list_load(&filters, c->repo, NULL, path, GIT_FILTER_TO_ODB, GIT_FILTER_ALLOW_UNSAFE) == 0;
    ok = ok && git_filter_list_apply_to_buffer(&stored, filters, text.p, text.n) == 0;
    ok = ok && git_blob_create_from_buffer(out, c->repo, stored.ptr, stored.size) == 0;
    if (!ok) git_fail(c, "cannot store a file in the repository");
    git_buf_dispose(&stored);
    git_filter_list_free(filters);
    return ok;
}

static bool entry_put(Commit *c, git_index *index, const Change *change)
{
    struct stat st;
    Str path = repo_path(c, change->before);
    const git_index_entry *old = git_index_get_bypath(index, path.p, 0);
    git_index_entry entry = {.path = path.p, .mode = GIT_FILEMODE_BLOB};
    if (old)
        entry.mode = old->mode;
    else if (stat(change->before->abs.p, &st) == 0 && (st.st_mode & S_IXUSR))
        entry.mode = GIT_FILEMODE_BLOB_EXECUTABLE;
    if (!blob_make(c, path.p, change->after, &entry.id)) return false;
    return git_index_add(index, &entry) == 0 || git_fail(c, "cannot add a file to the tree");
}

static bool commit_make(Commit *c, const git_oid *tree_id, Str message)
{
    git_tree *tree = NULL;
    git_commit *parent = NULL;
    bool ok = git_tree_lookup(&tree, c->repo, tree_id) == 0 && git_commit_lookup(&parent, c->repo, &c->tip) == 0;
    const git_commit *parents[] = {parent};
    ok = ok &&
         git_commit_create(&c->tip, c->repo, NULL, c->author, c->committer, NULL, message.p, tree, 1, parents) == 0;
    if (!ok) git_fail(c, "cannot make the commit");
    git_commit_free(parent);
    git_tree_free(tree);
    return ok;
}

/* Puts the files that a decision touches into the index, as they are with it and all decisions before it. Only the
 * fixes of those files are made anew: the edits of one file do not depend on fixes elsewhere. */
static bool decision_put(Commit *c, git_index *index, const Decision *d)
{
    Arena scratch = {0};
    ChangeVec own = {0}, all = {0};
    IdVec only = {0};
    Map seen = {0}, touched = {0};
    Wanted w = {.unsafe = c->r->options->unsafe_fixes, .only = d->fixes.v, .nonly = d->fixes.n};
    edits_make(&scratch, c->r->program, c->r->fixes, &w, &own);
    for (u32 i = 0; i < own.n; i++) {
        IdVec *here = &c->file_fixes[own.v[i].file];
        map_put(&scratch, &touched, own.v[i].file, 1);
        for (u32 k = 0; k < d->fixes.n; k++) vec_push(c->a, here, d->fixes.v[k]);
        for (u32 k = 0; k < here->n; k++) {
            if (map_get(&seen, here->v[k]) != NONE) continue;
            map_put(&scratch, &seen, here->v[k], 1);
            vec_push(&scratch, &only, here->v[k]);
        }
    }
    w.only = only.v;
    w.nonly = only.n;
    if (only.n) edits_make(&scratch, c->r->program, c->r->fixes, &w, &all);
    bool ok = true;
    for (u32 i = 0; ok && i < all.n; i++)
        if (map_get(&touched, all.v[i].file) != NONE) ok = entry_put(c, index, &all.v[i]);
    arena_free(&scratch);
    return ok;
}

/* Decision i: its files, its tree, its commit. The last one leaves exactly what will be written to the files. */
static bool decision_commit(Commit *c, git_index *index, u32 i)
{
    git_oid tree;
    const Decision *d = &c->decisions.v[i];
    const ChangeVec *all = c->r->changes;
    bool ok = decision_put(c, index, d);
    for (u32 k = 0; ok && k < all->n && i + 1 == c->decisions.n; k++) ok = entry_put(c, index, &all->v[k]);
    if (!ok) return false;
    if (git_index_write_tree_to(&tree, index, c->repo) < 0) return git_fail(c, "cannot write the tree");
    if (git_oid_equal(&tree, &c->tree)) return true;
    c->tree = tree;
    c->made++;
    return commit_make(c, &tree, commit_message(c->a, c->r, d->fixes.v, d->fixes.n, c->author));
}

static bool commits_make(Commit *c)
{
    git_commit *head = NULL;
    git_tree *head_tree = NULL;
    git_index *index = NULL;
    c->tip = c->head;
    c->file_fixes = arena_new(c->a, IdVec, c->r->sources->n);
    bool ok = git_commit_lookup(&head, c->repo, &c->head) == 0 && git_commit_tree(&head_tree, head) == 0 &&
              git_index_new(&index) == 0 && git_index_read_tree(index, head_tree) == 0;
    if (ok)
        c->tree = *git_tree_id(head_tree);
    else
        git_fail(c, "cannot read HEAD's commit");
    for (u32 i = 0; ok && i < c->decisions.n; i++) ok = decision_commit(c, index, i);
    git_index_free(index);
    git_tree_free(head_tree);
    git_commit_free(head);
    return ok;
}

/* ---- publishing ---------------------------------------------------------------------------------------- */

static bool files_write(Commit *c)
{
    const ChangeVec *changes = c->r->changes;
    for (u32 i = 0; i < changes->n; i++) {
        const Source *s = changes->v[i].before;
        if (file_unchanged(s, c->e) && os_replace_file(s->abs.p, changes->v[i].after, c->e)) continue;
        for (u32 k = 0; k < i; k++) {
            Err undo = {0};
            const Source *back = changes->v[k].before;
            if (!os_replace_file(back->abs.p, back->text, &undo)) fprintf(stderr, "ungil: %s\n", undo.msg);
        }
        return false;
    }
    return true;
}

static void files_restore(Commit *c)
{
    for (u32 i = 0; i < c->r->changes->n; i++) {
        Err undo = {0};
        const Source *back = c->r->changes->v[i].before;
        if (!os_replace_file(back->abs.p, back->text, &undo)) fprintf(stderr, "ungil: %s\n", undo.msg);
    }
}

/* Moves the branch (or makes the new one, or moves a detached HEAD) to the tip. */
static bool head_move(Commit *c)
{
    git_reference *head = NULL, *moved = NULL;
    const char *name = c->r->options->branch.n ? str_c(c->a, c->r->options->branch) : NULL;
    bool ok;
    if (name) {
        Str full = str_fmt(c->a, "refs/heads/%s", name);
        ok = git_reference_create(&moved, c->repo, full.p, &c->tip, 0, "ungil commit: new branch") == 0 &&
             git_repository_set_head(c->repo, full.p) == 0;
    } else if (git_repository_head_detached(c->repo) == 1) {
        ok = git_repository_set_head_detached(c->repo, &c->tip) == 0;
    } else {
        /* Only if nobody moved the branch meanwhile. */
        ok = git_repository_head(&head, c->repo) == 0 &&
             git_reference_create_matching(&moved, c->repo, git_reference_name(head), &c->tip, 1, &c->head,
                                           "ungil commit") == 0;
    }
    if (!ok) git_fail(c, "cannot move the branch");
    git_reference_free(moved);
    git_reference_free(head);
    return ok;
}

static bool index_update(Commit *c)
{
    git_index *index = NULL;
    bool ok = git_repository_index(&index, c->repo) == 0;
    for (u32 i = 0; ok && i < c->r->changes->n; i++)
        ok = git_index_add_bypath(index, repo_path(c, c->r->changes->v[i].before).p) == 0;
    ok = ok && git_index_write(index) == 0;
    if (!ok) git_fail(c, "the commits are made, but git's index could not be updated (run: git reset)");
    git_index_free(index);
    return ok;
}

static bool commit_all(Commit *c)
{
    if (!checks_pass(c)) return false;
    decisions_make(c);
    if (!commits_make(c) || !files_write(c)) return false;
    if (!head_move(c)) {
        files_restore(c);
        return false;
    }
    return index_update(c);
}

static bool repo_open(Commit *c)
{
    Str root = c->r->options->root;
    if (git_repository_open_ext(&c->repo, str_c(c->a, root), 0, NULL) < 0)
        return err_set(c->e, "%.*s is not in a git repository; `ungil fix` changes files without one", STR_ARG(root));
    c->prefix = repo_prefix(c->a, root);
    return true;
}

int emit_commit(const Results *r, Err *e)
{
    Commit c = {.a = r->arena, .r = r, .e = e};
    Counts counts = results_count(r);
    git_libgit2_init();
    bool ok = repo_open(&c) && (!r->changes->n ? state_check(&c) : commit_all(&c));
    git_signature_free(c.author);
    git_signature_free(c.committer);
    git_repository_free(c.repo);
    git_libgit2_shutdown();
    if (!ok) return 2;
    Buf out = {0};
    if (r->options->verbosity >= 0)
        buf_fmt(&out, "%u commit%s for %u finding%s in %u file%s\n", c.made, c.made == 1 ? "" : "s", counts.fixable,
                counts.fixable == 1 ? "" : "s", r->changes->n, r->changes->n == 1 ? "" : "s");
    if (r->options->verbosity >= 0) left_put(&out, r);
    ok = emit_text(r->options, buf_view(&out), e);
    buf_free(&out);
    return !ok ? 2 : exit_status(r, r->changes->n > 0 || counts.serious > 0);
}
