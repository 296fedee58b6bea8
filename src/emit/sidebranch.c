/* `ungil review --fix-branch NAME`: the fixes of the new findings as commits on a branch on top of the reviewed one.
 *
 * Only objects and one reference are made: no work tree is needed, none is touched, and nothing is pushed. A branch
 * of this name is replaced when all that it has on top of an ancestor of head was made here, told by the trailer of
 * the commits; any other is left alone. */
#include "emit/commit.h"
#include "emit/review.h"

enum { DEPTH_MAX = 500 };

/* The plan as if there were only the fixes of new findings: the others count as declined. */
static FixList *fixes_new(Arena *a, const Results *r)
{
    FixList *out = arena_new(a, FixList, 1);
    *out = (FixList){.locks = r->fixes->locks};
    for (u32 i = 0; i < r->fixes->fixes.n; i++) {
        Fix f = r->fixes->fixes.v[i];
        bool wanted = false;
        for (u32 k = 0; k < r->races->n; k++) wanted |= r->races->v[k].fix == i;
        f.declined |= !wanted;
        vec_push(a, &out->fixes, f);
    }
    return out;
}

static bool head_read(Commit *c, const Review *v)
{
    git_commit *head = NULL;
    bool ok = git_oid_fromstr(&c->head, str_c(c->a, v->revisions->head)) == 0 &&
              git_commit_lookup(&head, c->repo, &c->head) == 0 && git_commit_tree(&c->base, head) == 0;
    if (ok) c->tree = *git_tree_id(c->base);
    git_commit_free(head);
    return ok || commit_fail(c, "cannot read the reviewed commit");
}

static void touched_make(Commit *c)
{
    for (u32 i = 0; i < c->r->changes->n; i++) {
        const Change *change = &c->r->changes->v[i];
        const Source *s = change->before;
        vec_push(c->a, &c->touched,
                 (Touched){.source = s,
                           .path = s->path,
                           .before = s->text,
                           .after = change->after,
                           .filemode = s->executable ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB});
    }
}

/* Were the commits from `tip` down all made here, to one that head has too? */
static bool branch_ours(const Commit *c, const git_oid *tip)
{
    git_oid at = *tip;
    for (u32 i = 0; i < DEPTH_MAX; i++) {
        git_commit *commit = NULL;
        bool base = git_oid_equal(&at, &c->head) || git_graph_descendant_of(c->repo, &c->head, &at) == 1;
        if (base) return i > 0;
        if (git_commit_lookup(&commit, c->repo, &at) < 0) return false;
        const char *message = git_commit_message(commit);
        bool ours = message && strstr(message, "\nUngil-Fingerprint: ") && git_commit_parentcount(commit) == 1;
        if (ours) at = *git_commit_parent_id(commit, 0);
        git_commit_free(commit);
        if (!ours) return false;
    }
    return false;
}

static bool branch_free(Commit *c, Str name)
{
    int valid = 0;
    git_oid tip;
    if (git_branch_name_is_valid(&valid, name.p) < 0 || !valid)
        return err_set(c->e, "'%s' is no valid branch name", name.p);
    if (git_reference_name_to_id(&tip, c->repo, str_fmt(c->a, "refs/heads/%s", name.p).p) < 0) return true;
    git_reference *head = NULL;
    bool out = git_repository_head(&head, c->repo) == 0 && !git_repository_is_bare(c->repo) &&
               str_is(name, git_reference_shorthand(head));
    git_reference_free(head);
    if (out) return err_set(c->e, "the branch %s is checked out; choose another name for --fix-branch", name.p);
    return branch_ours(c, &tip) ||
           err_set(c->e, "the branch %s exists and holds commits that are not fixes of ungil; choose another name",
                   name.p);
}

static bool branch_set(Commit *c, Str name)
{
    git_reference *ref = NULL;
    Str full = str_fmt(c->a, "refs/heads/%s", name.p);
    bool ok = git_reference_create(&ref, c->repo, full.p, &c->made.v[c->made.n - 1].id, 1, "ungil review") == 0;
    git_reference_free(ref);
    return ok || commit_fail(c, "cannot set the branch");
}

static bool commits_make(Commit *c, const Review *v)
{
    Str name = str_dup(c->a, c->r->options->post.fix_branch);
    if (!head_read(c, v) || !branch_free(c, name) || !commit_author(c) || !groups_make(c)) return false;
    touched_make(c);
    c->file_fixes = arena_new(c->a, IdVec, c->r->sources->n);
    for (u32 i = 0; i < c->groups.n; i++)
        if (!group_commit(c, i)) return false;
    return !c->made.n || branch_set(c, name);
}

bool sidebranch_make(const Results *r, const Review *v, Err *e)
{
    Results whole = *r; /* a fix's findings are counted among all of now */
    whole.fixes = fixes_new(r->arena, r);
    whole.races = v->now;
    Commit c = {.a = r->arena, .r = &whole, .all = &whole, .e = e};
    if (!r->changes->n) {
        fprintf(stderr, "ungil: there is no fix to commit on %.*s\n", STR_ARG(r->options->post.fix_branch));
        return true;
    }
    git_start();
    bool ok = git_repository_open_ext(&c.repo, str_c(c.a, r->options->root), 0, NULL) == 0 ||
              commit_fail(&c, "cannot open the repository");
    ok = ok && commits_make(&c, v);
    git_signature_free(c.author);
    git_signature_free(c.committer);
    git_tree_free(c.base);
    git_repository_free(c.repo);
    git_libgit2_shutdown();
    if (ok)
        fprintf(stderr, "ungil: %u commit%s on the branch %.*s; git push takes it along\n", c.made.n,
                c.made.n == 1 ? "" : "s", STR_ARG(r->options->post.fix_branch));
    return ok;
}
