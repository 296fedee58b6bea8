/* `ungil diff`: the fixes as one unified diff, by libgit2. Paths are relative to the top of the repository, so that
 * `git apply` takes it there; outside of git they are relative to the root. */
#include "emit/emit.h"

#include <git2.h>
#include <sys/stat.h>

Str repo_prefix(Arena *a, Str root)
{
    git_repository *repo = NULL;
    Str prefix = {0};
    git_start();
    if (git_repository_open_ext(&repo, str_c(a, root), 0, NULL) == 0 && git_repository_workdir(repo)) {
        Str top = str_from(git_repository_workdir(repo)); /* ends in '/' */
        if (str_starts(root, top)) prefix = str_fmt(a, "%.*s/", STR_ARG(str_slice(root, top.n, root.n)));
    }
    git_repository_free(repo);
    git_libgit2_shutdown();
    return prefix;
}

/* libgit2 takes every buffer for a plain file; the header gets the true mode of an executable one. */
static void mode_correct(Arena *a, Buf *out, const Source *s, Str patch)
{
    struct stat st;
    bool exec = s->executable || (s->abs.n && stat(str_c(a, s->abs), &st) == 0 && (st.st_mode & S_IXUSR));
    size_t at = exec ? str_search(patch, S(" 100644\n")) : patch.n;
    buf_str(out, str_slice(patch, 0, at));
    if (at < patch.n) buf_c(out, " 100755\n");
    buf_str(out, str_slice(patch, at + 8, patch.n));
}

bool diff_put(Arena *a, Buf *out, const Source *s, Str prefix, Str from, Str to, Err *e)
{
    git_diff_options opt;
    git_patch *patch = NULL;
    git_buf text = {0};
    git_diff_options_init(&opt, GIT_DIFF_OPTIONS_VERSION);
    opt.flags = GIT_DIFF_FORCE_TEXT | GIT_DIFF_INDENT_HEURISTIC;
    opt.id_abbrev = 12;
    const char *path = str_fmt(a, "%.*s%.*s", STR_ARG(prefix), STR_ARG(s->path)).p;
    git_start();
    bool ok = git_patch_from_buffers(&patch, from.p, from.n, path, to.p, to.n, path, &opt) == 0 &&
              git_patch_to_buf(&text, patch) == 0;
    if (ok)
        mode_correct(a, out, s, (Str){text.ptr, text.size});
    else
        err_set(e, "cannot make the diff of %.*s: %s", STR_ARG(s->path),
                git_error_last() ? git_error_last()->message : "libgit2 failed");
    git_buf_dispose(&text);
    git_patch_free(patch);
    git_libgit2_shutdown();
    return ok;
}

bool diff_measure(const Change *c, DiffSize *size, Err *e)
{
    git_diff_options opt;
    git_patch *patch = NULL;
    size_t context, added = 0, removed = 0;
    git_diff_options_init(&opt, GIT_DIFF_OPTIONS_VERSION);
    opt.flags = GIT_DIFF_FORCE_TEXT | GIT_DIFF_INDENT_HEURISTIC;
    Str from = c->before->text, to = c->after;
    git_start();
    bool ok = git_patch_from_buffers(&patch, from.p, from.n, NULL, to.p, to.n, NULL, &opt) == 0 &&
              git_patch_line_stats(&context, &added, &removed, patch) == 0;
    if (!ok) err_set(e, "cannot make the diff of %.*s", STR_ARG(c->before->path));
    if (ok) {
        size->files++;
        size->hunks += (u32)git_patch_num_hunks(patch);
        size->added += (u32)added;
        size->removed += (u32)removed;
    }
    git_patch_free(patch);
    git_libgit2_shutdown();
    return ok;
}

static void color_diff(Buf *out, Str text)
{
    for (Str line; text.n;) {
        size_t n = str_find(text, '\n');
        line = str_slice(text, 0, n);
        text = str_slice(text, n + 1, text.n);
        bool head = str_starts(line, S("+++ ")) || str_starts(line, S("--- ")) || str_starts(line, S("diff "));
        Color c = head                        ? COLOR_BOLD
                  : str_starts(line, S("@@")) ? COLOR_CYAN
                  : str_starts(line, S("+"))  ? COLOR_GREEN
                  : str_starts(line, S("-"))  ? COLOR_RED
                                              : COLOR_NONE;
        color_put(out, true, c, line);
        buf_char(out, '\n');
    }
}

int emit_diff(const Results *r, Err *e)
{
    Buf out = {0}, colored = {0};
    git_start(); /* once for all files: the first one is slow */
    Str prefix = repo_prefix(r->arena, r->options->root);
    for (u32 i = 0; i < r->changes->n; i++) {
        const Change *c = &r->changes->v[i];
        if (!diff_put(r->arena, &out, c->before, prefix, c->before->text, c->after, e)) {
            buf_free(&out);
            return 2;
        }
    }
    bool changed = out.n > 0;
    if (r->options->colored) color_diff(&colored, buf_view(&out));
    bool ok = emit_text(r->options, buf_view(r->options->colored ? &colored : &out), e);
    buf_free(&out);
    buf_free(&colored);
    if (!ok) return 2;
    if (r->options->verbosity >= 0) {
        Counts c = results_count(r);
        Buf left = {0};
        left_put(&left, r);
        fprintf(stderr, "ungil: %u of %u findings fixed by this diff, %u file%s changed\n%.*s",
                c.fixable + r->later.n, MAX(c.findings, c.fixable + r->later.n), r->changes->n,
                r->changes->n == 1 ? "" : "s", (int)left.n, left.p ? left.p : "");
        buf_free(&left);
    }
    return exit_status(r, changed);
}
