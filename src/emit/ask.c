/* `ungil fix --interactive`: each fix is shown as a diff and asked about; answers come from standard input, so a
 * script can give them too.
 *
 * A fix that is edited is the text of its file that comes back from the editor. It is joined with the other accepted
 * fixes by a three-way merge, from the text that was analysed; where the two meet in the same lines, nothing is
 * written. What a person has edited is proved before: it parses, and the finding is gone. If not, that is said, and
 * asked about again. */
#include "emit/journal.h"

#include <git2.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct Asking {
    Arena *a;
    const Results *r;
    Asked *out;
    bool rules[RULE_COUNT]; /* accept all that follow */
    bool all;
    Err *e;
} Asking;

/* One of the letters; q when there is no more input. */
static char ask(const char *question, const char *letters)
{
    char line[64];
    for (;;) {
        fprintf(stderr, "%s: ", question);
        fflush(stderr);
        if (!fgets(line, sizeof line, stdin)) return 'q';
        for (int c = 0; !strchr(line, '\n') && c != '\n' && c != EOF;) c = getchar(); /* the rest is no answer */
        if (line[0] && strchr(letters, line[0])) return line[0];
    }
}

static bool fix_show(const Asking *k, u32 fix, const ChangeVec *changes, Str prefix)
{
    Buf out = {0};
    const Fix *f = &k->r->fixes->fixes.v[fix];
    for (u32 i = 0; i < f->races.n; i++) {
        const Race *race = &k->r->races->v[f->races.v[i]];
        safe_put(&out, file_source(k->r, race->file)->path);
        buf_fmt(&out, ":%u:%u: %s ", race->line, race->column, rule_table[race->rule].code);
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
        ok =
            diff_put(k->a, &out, changes->v[i].before, prefix, changes->v[i].before->text, changes->v[i].after, k->e);
    Buf shown = {0};
    buf_shown(&shown, buf_view(&out));
    fwrite(shown.p, 1, shown.n, stderr);
    buf_free(&shown);
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
    Buf command = {0};
    buf_fmt(&command, "%s '", editor());
    for (const char *at = path; *at; at++) buf_c(&command, *at == '\'' ? "'\\''" : (const char[]){*at, 0});
    buf_c(&command, "'");
    int status = system(str_c(k->a, buf_view(&command)));
    buf_free(&command);
    if (status != 0)
        ok = err_set(k->e, "the editor '%s' failed; nothing is written", editor());
    else
        ok = os_read_file(k->a, path, UINT32_MAX, out, k->e);
    unlink(path);
    return ok;
}

static bool line_has(const Intern *lines, Str line)
{
    line = str_trim(line);
    return !line.n || intern_find(lines, line) != NONE;
}

/* Has less than half of the lines come back? An editor that was killed, or told to save another file, leaves such
 * texts behind, and they may well parse. */
static bool mostly_gone(Arena *a, Str before, Str after)
{
    Intern lines = {0};
    Str line;
    u32 all = 0, kept = 0;
    while (str_line(&after, &line)) intern(a, &lines, str_trim(line));
    while (str_line(&before, &line)) {
        if (!str_trim(line).n) continue;
        all++;
        kept += line_has(&lines, line);
    }
    return kept * 2 < all;
}

/* An empty text gives the edit up, as with `git add -p`. */
static bool edit_given_up(const ChangeVec *texts)
{
    for (u32 i = 0; i < texts->n; i++) {
        if (str_trim(texts->v[i].after).n) continue;
        err_say("the edited text of %.*s is empty; this fix is not applied", STR_ARG(texts->v[i].before->path));
        return true;
    }
    return false;
}

/* Proves the edited texts; where something is not as it should be, tells it and asks: y, n, e or q. */
static char edited_ask(Asking *k, u32 fix, const ChangeVec *texts)
{
    Arena scratch = {0};
    StrVec wrong = {0};
    const Fix *f = &k->r->fixes->fixes.v[fix];
    bool python = texts_prove(&scratch, k->r->program, k->r->races, f, texts, &wrong);
    for (u32 i = 0; python && i < texts->n; i++) {
        const Change *c = &texts->v[i];
        if (mostly_gone(&scratch, c->before->text, c->after))
            vec_push(&scratch, &wrong,
                     str_fmt(&scratch, "%.*s: more than half of its lines are gone", STR_ARG(c->before->path)));
    }
    Buf out = {0};
    for (u32 i = 0; i < wrong.n; i++) {
        safe_put(&out, wrong.v[i]);
        buf_char(&out, '\n');
    }
    if (out.n) fwrite(out.p, 1, out.n, stderr);
    char answer = 'y';
    if (!python)
        answer = ask("The edited text is no Python. [e]dit again, [n]o fix here, [q]uit", "enq");
    else if (wrong.n)
        answer = ask("Apply the edited text all the same? [y]es, [n]o, [e]dit again, [q]uit", "yneq");
    else
        vec_push(k->a, &k->out->proved, fix);
    buf_free(&out);
    arena_free(&scratch);
    return answer;
}

/* Has the fix edited until it is proved, taken as it is, or given up; *answer is what was said last. */
static bool fix_edit(Asking *k, u32 fix, const ChangeVec *changes, char *answer)
{
    ChangeVec texts = {0};
    for (u32 i = 0; i < changes->n; i++) vec_push(k->a, &texts, changes->v[i]);
    do {
        bool same = true;
        for (u32 i = 0; i < texts.n; i++) {
            Str text = texts.v[i].after;
            if (!text_edit(k, text, &texts.v[i].after)) return false;
            same = same && str_eq(texts.v[i].after, changes->v[i].after);
        }
        *answer = same ? 'y' : edit_given_up(&texts) ? 'n' : edited_ask(k, fix, &texts);
        if (same) { /* as it was proposed */
            vec_push(k->a, &k->out->accepted, fix);
            return true;
        }
    } while (*answer == 'e');
    for (u32 i = 0; *answer == 'y' && i < texts.n; i++)
        vec_push(k->a, &k->out->edited, (Edited){.fix = fix, .file = texts.v[i].file, .text = texts.v[i].after});
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

/* Joins the accepted fixes with the edited ones. */
static bool edited_join(Asking *k, ChangeVec *changes)
{
    for (u32 i = 0; i < k->out->edited.n; i++) {
        Edited *x = &k->out->edited.v[i];
        Change *c = change_at(k, changes, x->file);
        x->before = c->after;
        if (!texts_merge(k->a, c->before->text, c->after, x->text, &c->after))
            return err_set(k->e,
                           "the edited fix in %.*s meets another one in the same lines; nothing is written, apply "
                           "them in two runs",
                           STR_ARG(c->before->path));
        x->after = c->after;
    }
    return true;
}

/* ---- all questions ------------------------------------------------------------------------------------- */

static bool asks(const Asking *k, const Fix *f)
{
    return !k->all && !k->rules[k->r->races->v[f->races.v[0]].rule];
}

bool fixes_ask(Arena *a, const Results *r, Asked *out, ChangeVec *changes, Err *e)
{
    static const char question[] =
        "Apply this fix? [y]es, [n]o, [e]dit, all of this [r]ule, [a]ll that follow, [q]uit";
    Asking k = {.a = a, .r = r, .out = out, .e = e};
    IdVec *accepted = &out->accepted;
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
            answer = ask(question, "yneraq");
            if (answer == 'e') {
                if (!fix_edit(&k, i, &own, &answer)) return false;
                continue;
            }
        }
        if (answer == 'r') k.rules[r->races->v[f->races.v[0]].rule] = true;
        if (answer == 'a') k.all = true;
        if (answer == 'y' || answer == 'r' || answer == 'a') vec_push(a, accepted, i);
    }
    Wanted w = {.unsafe = r->options->unsafe_fixes, .only = accepted->v, .nonly = accepted->n};
    if (accepted->n) edits_make(a, r->program, r->fixes, &w, changes);
    for (u32 i = 0; i < changes->n; i++) vec_push(a, &out->made, changes->v[i]);
    return edited_join(&k, changes);
}
