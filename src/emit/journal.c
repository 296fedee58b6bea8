/* Where the journal lies, its lines appended, and the texts that it is about compared and merged. */
#include "emit/journal.h"

#include "read/cache.h"

#include <fcntl.h>
#include <git2.h>
#include <time.h>
#include <unistd.h>

static Str with_slash(Arena *a, Str dir)
{
    return str_ends(dir, S("/")) ? str_dup(a, dir) : str_fmt(a, "%.*s/", STR_ARG(dir));
}

void journal_find(Arena *a, const Options *o, Journal *out)
{
    git_repository *repo = NULL;
    Cache cache = {0};
    Err ignored = {0};
    *out = (Journal){.top = with_slash(a, o->root)};
    git_start();
    if (git_repository_open_ext(&repo, str_c(a, o->root), 0, NULL) == 0 && git_repository_workdir(repo)) {
        out->dir = str_fmt(a, "%sungil", git_repository_path(repo));
        out->prefix = repo_prefix(a, o->root);
        out->top = with_slash(a, str_from(git_repository_workdir(repo)));
    } else if (cache_open(a, o, &cache, &ignored) && cache.dir.n) {
        out->dir = str_fmt(a, "%.*s/journal/%016llx", STR_ARG(cache.dir), (unsigned long long)str_hash(o->root));
    }
    git_repository_free(repo);
    git_libgit2_shutdown();
}

const char *journal_list_path(Arena *a, const Journal *j)
{
    return str_c(a, str_fmt(a, "%.*s/journal.jsonl", STR_ARG(j->dir)));
}

const char *journal_text_path(Arena *a, const Journal *j, Str hash)
{
    return str_c(a, str_fmt(a, "%.*s/texts/%.*s", STR_ARG(j->dir), STR_ARG(hash)));
}

bool journal_append(Arena *a, const Journal *j, Str lines, Err *e)
{
    if (!os_make_dirs(str_c(a, j->dir), e)) return false;
    const char *path = journal_list_path(a, j);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && write(fd, lines.p, lines.n) == (ssize_t)lines.n;
    if (fd >= 0) ok = close(fd) == 0 && ok;
    return ok || err_set(e, "cannot write %s", path);
}

Str journal_time(Arena *a)
{
    char text[32];
    struct tm at;
    time_t now = time(NULL);
    gmtime_r(&now, &at);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &at);
    return str_dup(a, str_from(text));
}

/* ---- texts ---------------------------------------------------------------------------------------------- */

u32 word_count(Str text, Str word)
{
    u32 n = 0;
    for (size_t at = 0; word.n && at + word.n <= text.n;) {
        size_t found = at + str_search(str_slice(text, at, text.n), word), end = found + word.n;
        if (end > text.n) break;
        bool begins = found == 0 || !is_word_char(text.p[found - 1]);
        bool whole = begins && (end == text.n || !is_word_char(text.p[end]));
        n += whole;
        at = whole ? end : found + 1;
    }
    return n;
}

bool texts_merge(Arena *a, Str base, Str ours, Str theirs, Str *out)
{
    git_merge_file_result merged = {0};
    git_merge_file_input b = {.version = GIT_MERGE_FILE_INPUT_VERSION}, o = b, t = b;
    b.ptr = base.p, b.size = base.n;
    o.ptr = ours.p, o.size = ours.n;
    t.ptr = theirs.p, t.size = theirs.n;
    git_start();
    bool ok = git_merge_file(&merged, &b, &o, &t, NULL) == 0 && merged.automergeable;
    if (ok) *out = str_dup(a, (Str){(char *)merged.ptr, merged.len});
    git_merge_file_result_free(&merged);
    git_libgit2_shutdown();
    return ok;
}
