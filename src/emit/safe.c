/* What stands in the way of commits, found before anything is made: the state of the repository, the author, and for
 * each file to be changed whether HEAD, the index and the work tree agree on it. They are compared as git stores
 * them, not by time stamps, so that assume-unchanged and the like hide nothing. */
#include "emit/commit.h"

#include <sys/stat.h>
#include <unistd.h>

bool commit_fail(Commit *c, const char *what)
{
    const git_error *g = git_error_last();
    return err_set(c->e, "%s: %s", what, g && g->message ? g->message : "libgit2 failed");
}

/* ---- the repository ------------------------------------------------------------------------------------ */

static bool index_open(Commit *c)
{
    if (git_repository_index(&c->index, c->repo) == 0 && git_index_read(c->index, 0) == 0) return true;
    const git_error *g = git_error_last();
    Str said = str_from(g && g->message ? g->message : "");
    if (str_contains(said, S("mandatory extension")))
        return err_set(c->e,
                       "git's index has a form that ungil cannot write (sparse or split); run: git sparse-checkout "
                       "reapply --no-sparse-index, or git update-index --no-split-index");
    return commit_fail(c, "cannot read git's index");
}

bool repository_safe(Commit *c)
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
    git_commit *head = NULL;
    c->bare = git_repository_is_bare(c->repo) == 1;
    if (c->bare && !c->r->options->branch.n && !c->r->options->patches.n)
        return err_set(c->e, "the repository is bare: it has no files to change; commit with --branch NAME, or write "
                             "--patches DIR");
    if (state != GIT_REPOSITORY_STATE_NONE && (u32)state < COUNT_OF(names))
        return err_set(c->e, "%s is in progress; finish or abort it first", names[state]);
    if (git_repository_head_unborn(c->repo) == 1)
        return err_set(c->e, "the branch has no commit yet; commit the files as they are first");
    bool ok = git_reference_name_to_id(&c->head, c->repo, "HEAD") == 0 &&
              git_commit_lookup(&head, c->repo, &c->head) == 0 && git_commit_tree(&c->base, head) == 0;
    git_commit_free(head);
    if (!ok) return commit_fail(c, "cannot read HEAD");
    c->tree = *git_tree_id(c->base);
    return c->bare || index_open(c);
}

static bool branch_check(Commit *c)
{
    git_reference *ref = NULL;
    int valid = 0;
    const Options *o = c->r->options;
    if (o->patches.n && o->branch.n)
        return err_set(c->e, "--patches writes files instead of commits; it does not go with --branch");
    if (o->patches.n && o->blame_revs)
        return err_set(c->e, "--blame-ignore-revs names commits, and patches are none yet; leave out one of the two");
    if (!o->branch.n) return true;
    char *name = str_c(c->a, o->branch);
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

/* ---- who ----------------------------------------------------------------------------------------------- */

/* As git does: the environment, author.name or committer.name, user.name. */
static Str who(Commit *c, git_config *config, const char *role, const char *part)
{
    char name[32];
    git_buf value = {0};
    snprintf(name, sizeof name, "GIT_%s_%s", role, part);
    for (char *p = name; *p; p++) *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
    const char *env = getenv(name);
    if (env && *env) return str_dup(c->a, str_from(env));
    snprintf(name, sizeof name, "%s.%s", role, part);
    if (git_config_get_string_buf(&value, config, name) < 0) {
        snprintf(name, sizeof name, "user.%s", part);
        if (git_config_get_string_buf(&value, config, name) < 0) return (Str){0};
    }
    Str text = str_dup(c->a, (Str){value.ptr, value.size});
    git_buf_dispose(&value);
    return text;
}

bool commit_author(Commit *c)
{
    git_config *config = NULL;
    if (git_repository_config_snapshot(&config, c->repo) < 0)
        return commit_fail(c, "cannot read git's configuration");
    Str name = who(c, config, "author", "name"), email = who(c, config, "author", "email");
    Str name2 = who(c, config, "committer", "name"), email2 = who(c, config, "committer", "email");
    git_config_free(config);
    if (!name.n || !email.n || !name2.n || !email2.n)
        return err_set(
            c->e, "git does not know who you are; run: git config user.name NAME && git config user.email ADDRESS");
    if (git_signature_now(&c->author, name.p, email.p) < 0 || git_signature_now(&c->committer, name2.p, email2.p) < 0)
        return commit_fail(c, "cannot make the signature");
    return true;
}

/* ---- files --------------------------------------------------------------------------------------------- */

/* The directory of another repository, such as a submodule, that holds the path; empty for a file of this one. */
static Str other_repository(Commit *c, Str path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] != '/') continue;
        Str dir = str_slice(path, 0, i);
        Str mark = str_fmt(c->a, "%s%.*s/.git", git_repository_workdir(c->repo), STR_ARG(dir));
        if (access(mark.p, F_OK) == 0) return dir;
    }
    return (Str){0};
}

/* Attributes that change what git stores in a way that only git itself, or a program of the user's, can follow. */
static bool attributes_check(Commit *c, Str path)
{
    const char *filter = NULL, *encoding = NULL;
    git_config *config = NULL;
    git_buf value = {0};
    git_attr_get(&filter, c->repo, GIT_ATTR_CHECK_FILE_THEN_INDEX, path.p, "filter");
    git_attr_get(&encoding, c->repo, GIT_ATTR_CHECK_FILE_THEN_INDEX, path.p, "working-tree-encoding");
    if (git_attr_value(encoding) == GIT_ATTR_VALUE_STRING)
        return err_set(c->e,
                       "%s has the attribute working-tree-encoding=%s, which ungil cannot convert; use ungil fix "
                       "and commit with git",
                       path.p, encoding);
    if (git_attr_value(filter) != GIT_ATTR_VALUE_STRING) return true;
    bool runs = git_repository_config_snapshot(&config, c->repo) == 0 &&
                (git_config_get_string_buf(&value, config, str_fmt(c->a, "filter.%s.clean", filter).p) == 0 ||
                 git_config_get_string_buf(&value, config, str_fmt(c->a, "filter.%s.process", filter).p) == 0);
    git_buf_dispose(&value);
    git_config_free(config);
    return !runs || err_set(c->e,
                            "%s goes through the filter '%s', a program that ungil does not run; use ungil fix and "
                            "commit with git",
                            path.p, filter);
}

static const char *unknown_words(Commit *c, Str path)
{
    unsigned status = 0;
    if (git_index_get_bypath(c->index, path.p, 0)) return "has staged changes";
    git_status_file(&status, c->repo, path.p);
    return status & GIT_STATUS_IGNORED ? "is ignored by git" : "is not in git";
}

/* Why the file is not as in HEAD, NULL when it is. `mode` is HEAD's. */
static const char *dirty_words(Commit *c, Str path, Str text, git_filemode_t *mode)
{
    git_tree_entry *entry = NULL;
    git_buf stored = {0};
    git_oid now, raw;
    if (git_tree_entry_bypath(&entry, c->base, path.p) < 0) return unknown_words(c, path);
    git_oid head = *git_tree_entry_id(entry);
    *mode = git_tree_entry_filemode(entry);
    git_tree_entry_free(entry);
    const git_index_entry *in_index = git_index_get_bypath(c->index, path.p, 0);
    if (!in_index || !git_oid_equal(&in_index->id, &head) || in_index->mode != *mode) return "has staged changes";
    bool ok = stored_text(c, path, text, &stored) &&
              git_odb_hash(&now, stored.ptr, stored.size, GIT_OBJECT_BLOB) == 0 &&
              git_odb_hash(&raw, text.n ? text.p : "", text.n, GIT_OBJECT_BLOB) == 0;
    git_buf_dispose(&stored);
    if (!ok) return "cannot be compared with HEAD";
    if (git_oid_equal(&now, &head)) return NULL;
    return git_oid_equal(&raw, &head) ? "would be stored with other line ends (git add --renormalize does that)"
                                      : "has uncommitted changes";
}

static bool conflicted(Commit *c, Str path)
{
    const git_index_entry *base, *ours, *theirs;
    return git_index_conflict_get(&base, &ours, &theirs, c->index, path.p) == 0;
}

static bool touched_check(Commit *c, Touched *t)
{
    struct stat st;
    Str other = other_repository(c, t->path);
    if (other.n)
        return err_set(c->e,
                       "%s lies in another repository, %.*s (a submodule?); run ungil commit there, and leave it "
                       "out here with --exclude",
                       t->path.p, STR_ARG(other));
    if (conflicted(c, t->path)) return err_set(c->e, "%s has conflicts; resolve them first", t->path.p);
    t->filemode = stat(t->abs, &st) == 0 && (st.st_mode & S_IXUSR) ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
    const char *words = dirty_words(c, t->path, t->before, &t->filemode);
    if (t->filemode != GIT_FILEMODE_BLOB && t->filemode != GIT_FILEMODE_BLOB_EXECUTABLE)
        return err_set(c->e, "%s is a symbolic link in git but a file here; it is left as it is", t->path.p);
    if (!attributes_check(c, t->path)) return false;
    if (!words || c->r->options->allow_dirty) return true;
    return err_set(c->e, "%s %s; commit or stash that first, or use --allow-dirty to make it part of the commit",
                   t->path.p, words);
}

/* .git-blame-ignore-revs at the top; it need not be there. */
static bool revisions_check(Commit *c)
{
    Touched t = {.path = S(".git-blame-ignore-revs"), .filemode = GIT_FILEMODE_BLOB};
    git_tree_entry *entry = NULL;
    t.abs = str_fmt(c->a, "%s%s", git_repository_workdir(c->repo), t.path.p).p;
    bool here = access(t.abs, F_OK) == 0;
    bool known = git_tree_entry_bypath(&entry, c->base, t.path.p) == 0;
    git_tree_entry_free(entry);
    if (known && !here) return err_set(c->e, "%s is in HEAD but not in the work tree; check it out first", t.path.p);
    if (here && (!os_read_file(c->a, t.abs, 1u << 26, &t.before, c->e) || !touched_check(c, &t))) return false;
    t.after = t.before;
    vec_push(c->a, &c->touched, t);
    return true;
}

/* A file of a bare repository: nothing but HEAD can be touched. */
static bool bare_check(Commit *c, Touched *t)
{
    git_tree_entry *entry = NULL;
    if (git_tree_entry_bypath(&entry, c->base, t->path.p) < 0) return commit_fail(c, "cannot read HEAD's tree");
    t->filemode = git_tree_entry_filemode(entry);
    git_tree_entry_free(entry);
    return true;
}

/* The same for .git-blame-ignore-revs, whose text is HEAD's. */
static bool bare_revisions(Commit *c)
{
    Touched t = {.path = S(".git-blame-ignore-revs"), .filemode = GIT_FILEMODE_BLOB};
    git_tree_entry *entry = NULL;
    git_blob *blob = NULL;
    bool ok = true;
    if (git_tree_entry_bypath(&entry, c->base, t.path.p) == 0) {
        ok = git_blob_lookup(&blob, c->repo, git_tree_entry_id(entry)) == 0 ||
             commit_fail(c, "cannot read a file of HEAD");
        if (ok) t.before = str_dup(c->a, (Str){git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob)});
    }
    git_blob_free(blob);
    git_tree_entry_free(entry);
    t.after = t.before;
    vec_push(c->a, &c->touched, t);
    return ok;
}

Replacement touched_file(const Touched *t)
{
    return (Replacement){.path = t->path, .abs = t->abs, .before = t->before, .after = t->after};
}

bool commit_safe(Commit *c)
{
    if (!repository_safe(c) || !branch_check(c) || !commit_author(c)) return false;
    bool writes = !c->r->options->branch.n && !c->r->options->patches.n;
    if (writes && !index_unlocked(c)) return false;
    for (u32 i = 0; i < c->r->changes->n; i++) {
        const Change *change = &c->r->changes->v[i];
        Touched t = {.source = change->before, .abs = change->before->abs.p, .before = change->before->text};
        t.after = change->after;
        t.path = str_fmt(c->a, "%.*s%.*s", STR_ARG(c->prefix), STR_ARG(t.source->path));
        if (c->bare) {
            if (!bare_check(c, &t)) return false;
            vec_push(c->a, &c->touched, t);
            continue;
        }
        Replacement file = touched_file(&t);
        if (!file_unchanged(&file, c->e) || (writes && !file_writable(&file, c->e)) || !touched_check(c, &t))
            return false;
        vec_push(c->a, &c->touched, t);
    }
    if (!c->r->options->blame_revs) return true;
    return c->bare ? bare_revisions(c) : revisions_check(c);
}

/* ---- remarks ------------------------------------------------------------------------------------------- */

static void sparse_remark(const Commit *c)
{
    u32 n = 0;
    for (size_t i = 0; c->index && i < git_index_entrycount(c->index); i++) {
        const git_index_entry *entry = git_index_get_byindex(c->index, i);
        n += (entry->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) && str_ends(str_from(entry->path), S(".py"));
    }
    if (n)
        fprintf(stderr,
                "ungil: sparse checkout: %u Python file%s not checked out and so neither analysed nor changed\n", n,
                n == 1 ? " is" : "s are");
}

void commit_remarks(const Commit *c)
{
    git_config *config = NULL;
    int sign = 0;
    const Options *o = c->r->options;
    if (git_repository_config_snapshot(&config, c->repo) == 0) git_config_get_bool(&sign, config, "commit.gpgsign");
    git_config_free(config);
    if (sign && !o->patches.n) {
        char hex[GIT_OID_HEXSZ + 1];
        fprintf(
            stderr,
            "ungil: commit.gpgSign is set, but ungil does not sign; to sign these commits: git rebase --force-rebase "
            "--gpg-sign %.12s%s%.*s\n",
            git_oid_tostr(hex, sizeof hex, &c->head), o->branch.n ? " " : "", STR_ARG(o->branch));
        if (o->blame_revs)
            fprintf(stderr, "ungil: that changes the commits' names; put the new ones into .git-blame-ignore-revs\n");
    }
    sparse_remark(c);
}
