/* `ungil fix --interactive`: each fix is shown as a diff and asked about; answers come from standard input, so a
 * script can give them too.
 *
 * A fix that is edited is the text of its file that comes back from the editor. It is joined with the other accepted
 * fixes by a three-way merge, from the text that was analysed; where the two meet in the same lines, nothing is
 * written. What a person has edited is not proved. */
#include "emit/emit.h"

#include <git2.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct Edited {
    u32 file;
    Str text;
} Edited;

typedef struct Asking {
    Arena *a;
    const Results *r;
    IdVec *accepted;
    Vec(Edited) edited;
    bool rules[RULE_COUNT]; /* accept all that follow */
    bool all;
    Err *e;
} Asking;

static char ask(void)
{
    char line[64];
    for (;;) {
        fprintf(stderr, "Apply this fix? [y]es, [n]o, [e]dit, all of this [r]ule, [a]ll that follow, [q]uit: ");
        fflush(stderr);
        if (!fgets(line, sizeof line, stdin)) return 'q';
        if (line[0] && strchr("yneraq", line[0])) return line[0];
    }
}

static bool fix_show(const Asking *k, u32 fix, const ChangeVec *changes, Str prefix)
{
    Buf out = {0};
    const Fix *f = &k->r->fixes->fixes.v[fix];
    for (u32 i = 0; i < f->races.n; i++) {
        const Race *race = &k->r->races->v[f->races.v[i]];
        buf_fmt(&out, "%.*s:%u:%u: %s ", STR_ARG(file_source(k->r, race->file)->path), race->line, race->column,
                rule_table[race->rule].code);
        safe_put(&out, race->message);
        buf_char(&out, '\n');
    }
    if (f->safety == FIX_UNSAFE) {
        buf_c(&out, "unsafe: ");
        safe_put(&out, f->reason);
        buf_char(&out, '\n');
    }
    bool ok = true;
    for (u32 i = 0; ok && i < changes->n; i++)
        ok = diff_put(k->a, &out, changes->v[i].before, prefix, changes->v[i].before->text, changes->v[i].after,
                      k->e);
    fwrite(out.p, 1, out.n, stderr);
    buf_free(&out);
    return ok;
}

/* ---- editing ------------------------------------------------------------------------------------------- */

static const char *editor(void)
{
    const char *name = getenv("VISUAL");
    if (!name || !*name) name = getenv("EDITOR");
    return name && *name ? name : "vi";
}

/* Opens the text in the editor; what comes back. */
static bool text_edit(Asking *k, Str text, Str *out)
{
    const char *temp = getenv("TMPDIR");
    char *path = (char *)(uintptr_t)str_fmt(k->a, "%s/ungil-edit-XXXXXX.py", temp && *temp ? temp : "/tmp").p;
    int fd = mkstemps(path, 3);
    if (fd < 0) return err_set(k->e, "cannot make a temporary file for the editor");
    bool ok = true;
    for (size_t done = 0; ok && done < text.n;) {
        ssize_t n = write(fd, text.p + done, text.n - done);
        ok = n > 0;
        done += ok ? (size_t)n : 0;
    }
    ok = close(fd) == 0 && ok;
    if (!ok) {
        unlink(path);
        return err_set(k->e, "cannot write a temporary file for the editor");
    }
    Str command = str_fmt(k->a, "%s '%s'", editor(), path);
    int status = system(command.p);
    if (status != 0)
        ok = err_set(k->e, "the editor '%s' failed; nothing is written", editor());
    else
        ok = os_read_file(k->a, path, UINT32_MAX, out, k->e);
    unlink(path);
    return ok;
}

static bool fix_edit(Asking *k, u32 fix, const ChangeVec *changes)
{
    bool same = true;
    for (u32 i = 0; i < changes->n; i++) {
        Edited x = {.file = changes->v[i].file};
        if (!text_edit(k, changes->v[i].after, &x.text)) return false;
        same = same && str_eq(x.text, changes->v[i].after);
        vec_push(k->a, &k->edited, x);
    }
    if (same) { /* as it was proposed */
        k->edited.n -= changes->n;
        vec_push(k->a, k->accepted, fix);
    }
    return true;
}

static Change *change_at(Asking *k, ChangeVec *changes, u32 file)
{
    for (u32 i = 0; i < changes->n; i++)
        if (changes->v[i].file == file) return &changes->v[i];
    const Source *s = file_source(k->r, file);
    vec_push(k->a, changes, (Change){.before = s, .file = file, .after = s->text});
    return &changes->v[changes->n - 1];
}

static bool text_merge(Asking *k, const Source *base, Str ours, Str theirs, Str *out)
{
    git_merge_file_result merged = {0};
    git_merge_file_input b = {.version = GIT_MERGE_FILE_INPUT_VERSION}, o = b, t = b;
    b.ptr = base->text.p, b.size = base->text.n;
    o.ptr = ours.p, o.size = ours.n;
    t.ptr = theirs.p, t.size = theirs.n;
    bool ok = git_merge_file(&merged, &b, &o, &t, NULL) == 0 && merged.automergeable;
    if (ok)
        *out = str_dup(k->a, (Str){(char *)merged.ptr, merged.len});
    else
        err_set(k->e,
                "the edited fix in %.*s meets another one in the same lines; nothing is written, apply them in two "
                "runs",
                STR_ARG(base->path));
    git_merge_file_result_free(&merged);
    return ok;
}

/* ---- all questions ------------------------------------------------------------------------------------- */

static bool asks(const Asking *k, const Fix *f)
{
    return !k->all && !k->rules[k->r->races->v[f->races.v[0]].rule];
}

bool fixes_ask(Arena *a, const Results *r, IdVec *accepted, ChangeVec *changes, Err *e)
{
    Asking k = {.a = a, .r = r, .accepted = accepted, .e = e};
    git_libgit2_init();
    Str prefix = repo_prefix(a, r->options->root);
    char answer = 0;
    for (u32 i = 0; i < r->fixes->fixes.n && answer != 'q'; i++) {
        const Fix *f = &r->fixes->fixes.v[i];
        if (!fix_writes(r, f)) continue;
        answer = 'y';
        if (asks(&k, f)) {
            ChangeVec own = {0};
            fix_changes(a, r, i, &own);
            if (!fix_show(&k, i, &own, prefix)) return false;
            answer = ask();
            if (answer == 'e' && !fix_edit(&k, i, &own)) return false;
        }
        if (answer == 'r') k.rules[r->races->v[f->races.v[0]].rule] = true;
        if (answer == 'a') k.all = true;
        if (answer == 'y' || answer == 'r' || answer == 'a') vec_push(a, accepted, i);
    }
    Wanted w = {.unsafe = r->options->unsafe_fixes, .only = accepted->v, .nonly = accepted->n};
    if (accepted->n) edits_make(a, r->program, r->fixes, &w, changes);
    for (u32 i = 0; i < k.edited.n; i++) {
        Change *c = change_at(&k, changes, k.edited.v[i].file);
        if (!text_merge(&k, c->before, c->after, k.edited.v[i].text, &c->after)) return false;
    }
    return true;
}
