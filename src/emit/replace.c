/* Files of the user replaced all or none: whatever belongs together, a fix in two files or a commit, is never half
 * written.
 *
 * Everything that can be known to fail is tried while nothing has changed: may each file be written, is there room
 * for the new text beside it, is it still what was analysed? Only then the new files are renamed over the old ones,
 * and should one of these fail in spite of that, the former text is put back into those that came before it. Signals
 * that end the program wait until then. A crash of the machine in between is the one thing that may leave some files
 * new and some old. */
#include "emit/emit.h"

#include <sys/stat.h>
#include <unistd.h>

bool file_unchanged(const Replacement *r, Err *e)
{
    Arena scratch = {0};
    Str now;
    if (!r->before.p) {
        if (access(r->abs, F_OK) != 0) return true;
        return err_set(e, "%.*s has come into being meanwhile; it is left as it is, run ungil again",
                       STR_ARG(r->path));
    }
    bool ok = os_read_file(&scratch, r->abs, UINT32_MAX, &now, e);
    if (ok && !str_eq(now, r->before))
        ok = err_set(e, "%.*s changed while it was analysed; it is left as it is, run ungil again", STR_ARG(r->path));
    arena_free(&scratch);
    return ok;
}

bool file_writable(const Replacement *r, Err *e)
{
    struct stat st;
    if (!r->before.p) return true;
    /* A file that nobody may write is meant to stay, even if renaming over it (or being root) would get past that. */
    bool locked = stat(r->abs, &st) == 0 && !(st.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH));
    if (locked || access(r->abs, W_OK) < 0)
        return err_set(e, "%.*s is read-only; it is left as it is", STR_ARG(r->path));
    return true;
}

/* Is the file what we wrote? Somebody may have saved it in this moment. */
static bool still_ours(const Replacement *r)
{
    Err gone = {0};
    Replacement written = *r;
    written.before = r->after;
    return file_unchanged(&written, &gone);
}

void files_put_back(const Replacement *v, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        Err why = {0};
        const Replacement *r = &v[i];
        if (!still_ours(r)) continue;
        if (r->before.p ? os_replace_file(r->abs, r->before, &why) : unlink(r->abs) == 0) continue;
        err_say("%.*s is changed, and its former text could not be put back%s%s", STR_ARG(r->path),
                why.set ? ": " : "", why.set ? why.msg : "");
    }
}

void signals_hold(sigset_t *before)
{
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigaddset(&ending, SIGQUIT);
    sigprocmask(SIG_BLOCK, &ending, before);
}

void signals_let(const sigset_t *before)
{
    sigprocmask(SIG_SETMASK, before, NULL);
}

static bool files_place(const Replacement *v, OsStaged *staged, u32 n, u32 *failed, Err *e)
{
    for (*failed = 0; *failed < n; ++*failed)
        if (!file_unchanged(&v[*failed], e)) return false;
    for (*failed = 0; *failed < n; ++*failed) {
        if (os_staged_place(&staged[*failed], e)) continue;
        files_put_back(v, *failed);
        return false;
    }
    return true;
}

bool files_replace(const Replacement *v, u32 n, u32 *failed, Err *e)
{
    Arena scratch = {0};
    OsStaged *staged = arena_new(&scratch, OsStaged, n + 1);
    sigset_t before;
    bool ok = true;
    for (*failed = 0; *failed < n; ++*failed)
        if (!file_unchanged(&v[*failed], e) || !file_writable(&v[*failed], e)) return false;
    signals_hold(&before);
    for (*failed = 0; ok && *failed < n; *failed += ok)
        ok = os_stage_file(&scratch, v[*failed].abs, v[*failed].after, &staged[*failed], e);
    ok = ok && files_place(v, staged, n, failed, e);
    for (u32 i = 0; i < n; i++) os_staged_drop(&staged[i]);
    signals_let(&before);
    arena_free(&scratch);
    return ok;
}
