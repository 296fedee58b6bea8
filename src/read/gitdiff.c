/* The diff between two trees, as the hosting services show it: git's defaults (three lines of context, indent
 * heuristic) and renames found by likeness. It tells which lines are the change's own and which may carry a
 * comment. */
#include "read/revisions.h"

enum { CONTEXT = 3 };

static void hunk_read(RevReader *x, git_patch *patch, size_t i, FileDiff *f)
{
    const git_diff_hunk *h;
    const git_diff_line *l;
    size_t lines;
    Buf marks = {0};
    if (git_patch_get_hunk(&h, &lines, patch, i) < 0) return;
    for (size_t k = 0; k < lines; k++) {
        if (git_patch_get_line_in_hunk(&l, patch, i, k) < 0) continue;
        bool line = l->origin == GIT_DIFF_LINE_CONTEXT || l->origin == GIT_DIFF_LINE_ADDITION ||
                    l->origin == GIT_DIFF_LINE_DELETION; /* the others say that a newline is missing */
        if (line) buf_char(&marks, l->origin);
    }
    vec_push(x->a, &f->hunks,
             (Hunk){(u32)h->old_start, (u32)h->old_lines, (u32)h->new_start, (u32)h->new_lines,
                    str_dup(x->a, buf_view(&marks))});
    buf_free(&marks);
}

static bool patch_read(RevReader *x, git_diff *diff, size_t i)
{
    git_patch *patch = NULL;
    const git_diff_delta *d = git_diff_get_delta(diff, i);
    FileDiff *f = vec_add(x->a, &x->out->files);
    *f = (FileDiff){.old_path = str_dup(x->a, str_from(d->old_file.path)),
                    .path = str_dup(x->a, str_from(d->new_file.path)),
                    .added = d->status == GIT_DELTA_ADDED,
                    .deleted = d->status == GIT_DELTA_DELETED};
    if (git_patch_from_diff(&patch, diff, i) < 0) return git_fail(x->e, "cannot make the diff of a file");
    for (size_t h = 0; h < (patch ? git_patch_num_hunks(patch) : 0); h++) hunk_read(x, patch, h, f);
    git_patch_free(patch);
    return true;
}

static int file_cmp(const void *x, const void *y)
{
    return str_cmp(((const FileDiff *)x)->path, ((const FileDiff *)y)->path);
}

bool diff_read(RevReader *x)
{
    git_diff_options opt;
    git_diff_find_options find;
    git_diff *diff = NULL;
    git_diff_options_init(&opt, GIT_DIFF_OPTIONS_VERSION);
    git_diff_find_options_init(&find, GIT_DIFF_FIND_OPTIONS_VERSION);
    char *python[] = {"*.py", "*.pyw"};
    opt.pathspec = (git_strarray){python, COUNT_OF(python)};
    opt.context_lines = CONTEXT;
    opt.flags = GIT_DIFF_INDENT_HEURISTIC | GIT_DIFF_SKIP_BINARY_CHECK;
    find.flags = GIT_DIFF_FIND_RENAMES;
    find.rename_limit = 1000;
    bool ok = git_diff_tree_to_tree(&diff, x->repo, x->old_tree, x->new_tree, &opt) == 0 &&
              git_diff_find_similar(diff, &find) == 0;
    if (!ok) git_fail(x->e, "cannot compare the two trees");
    for (size_t i = 0; ok && i < git_diff_num_deltas(diff); i++) ok = patch_read(x, diff, i);
    git_diff_free(diff);
    Revisions *r = x->out;
    if (r->files.n) qsort(r->files.v, r->files.n, sizeof *r->files.v, file_cmp);
    return ok;
}

/* ---- questions ----------------------------------------------------------------------------------------- */

const FileDiff *file_diff(const Revisions *r, Str path)
{
    FileDiff key = {.path = path};
    return r->files.n ? bsearch(&key, r->files.v, r->files.n, sizeof key, file_cmp) : NULL;
}

bool lines_added(const FileDiff *f, u32 first, u32 last)
{
    for (u32 i = 0; f && i < f->hunks.n; i++) {
        const Hunk *h = &f->hunks.v[i];
        u32 line = h->new_start;
        for (size_t k = 0; k < h->marks.n; k++) {
            if (h->marks.p[k] == '+' && line >= first && line <= last) return true;
            line += h->marks.p[k] != '-';
        }
    }
    return false;
}

const Hunk *hunk_holding(const FileDiff *f, u32 first, u32 last)
{
    for (u32 i = 0; f && i < f->hunks.n; i++) {
        const Hunk *h = &f->hunks.v[i];
        if (first >= h->new_start && last < h->new_start + h->new_lines) return h;
    }
    return NULL;
}
