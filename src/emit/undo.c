/* `ungil undo`: reads the journal, finds the fixes that the fingerprints name, has them taken back (takeback.c), and
 * writes all files or none. */
#include "emit/undo.h"

#include <git2.h>

Str text_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_string(v) ? (Str){json_string_value(v), json_string_length(v)} : S("");
}

/* ---- reading -------------------------------------------------------------------------------------------- */

static void undo_mark(Undo *u, Str fingerprint, Str run)
{
    for (u32 i = u->records.n; i-- > 0;) {
        Record *r = &u->records.v[i];
        if (r->undone || !str_eq(r->fingerprint, fingerprint) || !str_eq(r->run, run)) continue;
        r->undone = true;
        return;
    }
}

/* Lines that cannot be read, such as the half of one that a crash left, are passed over. */
static bool journal_read(Undo *u)
{
    Str text, line;
    Err missing = {0};
    if (!u->j.dir.n) return err_set(u->e, "there is no git repository and no cache, and so no journal of fixes");
    if (!os_read_file(u->a, journal_list_path(u->a, &u->j), UINT32_MAX, &text, &missing)) return true;
    while (str_line(&text, &line)) {
        json_t *o = json_loadb(line.p, line.n, 0, NULL);
        if (!json_is_object(o) || json_integer_value(json_object_get(o, "version")) != 1) continue;
        if (json_object_get(o, "undo")) {
            undo_mark(u, text_of(o, "undo"), text_of(o, "of"));
            continue;
        }
        Record r = {.line = o, .fingerprint = text_of(o, "fingerprint"), .run = text_of(o, "run")};
        Str rule = text_of(o, "rule"), state = text_of(o, "state");
        r.shown = str_fmt(u->a, "%.*s %.*s", STR_ARG(rule), STR_ARG(state));
        vec_push(u->a, &u->records, r);
    }
    return true;
}

static bool record_named(const Record *r, Str word)
{
    const json_t *findings = json_object_get(r->line, "findings");
    for (size_t i = 0; i < json_array_size(findings); i++)
        if (str_starts(text_of(json_array_get(findings, i), "fingerprint"), word)) return true;
    return str_starts(r->fingerprint, word);
}

/* The fix with this fingerprint, or a beginning of it that no other one has: the latest that is not taken back. */
static Record *record_find(Undo *u, Str word)
{
    Record *found = NULL, *gone = NULL;
    for (u32 i = 0; i < u->records.n; i++) {
        Record *r = &u->records.v[i];
        if (word.n < 4 || !record_named(r, word)) continue;
        if (r->undone) {
            gone = r;
            continue;
        }
        if (found && !str_eq(found->fingerprint, r->fingerprint)) {
            err_set(u->e, "several fixes have a fingerprint that begins with '%.*s'; `ungil undo` lists them",
                    STR_ARG(word));
            return NULL;
        }
        found = r;
    }
    if (!found && gone) err_set(u->e, "the fix %.*s has been taken back already", STR_ARG(word));
    if (!found && !gone)
        err_set(u->e, "the journal has no fix with the fingerprint '%.*s'; `ungil undo` lists those it has",
                STR_ARG(word));
    return found;
}

/* ---- writing -------------------------------------------------------------------------------------------- */

static bool files_write(Undo *u)
{
    Vec(Replacement) v = {0};
    u32 failed;
    for (u32 i = 0; i < u->files.n; i++) {
        const Back *b = &u->files.v[i];
        if (!str_eq(b->now, b->before))
            vec_push(u->a, &v, (Replacement){.path = b->path, .abs = b->abs, .before = b->before, .after = b->now});
    }
    return files_replace(v.v, v.n, &failed, u->e);
}

/* ---- the command ------------------------------------------------------------------------------------------ */

static void journal_list(Undo *u)
{
    u32 n = 0;
    for (u32 i = u->records.n; i-- > 0;) {
        const Record *r = &u->records.v[i];
        Str time = text_of(r->line, "time"), transform = text_of(r->line, "transform");
        Str path = text_of(json_array_get(json_object_get(r->line, "files"), 0), "path");
        if (r->undone) continue;
        n++;
        buf_fmt(&u->out, "%.*s  %.*s  %.*s  %.*s  %.*s\n", STR_ARG(r->fingerprint), STR_ARG(time), STR_ARG(transform),
                STR_ARG(path), STR_ARG(r->shown));
    }
    if (!n) buf_c(&u->out, "no fix is written down here that could be taken back\n");
}

static bool named_back(Undo *u)
{
    Vec(u32) todo = {0};
    for (u32 i = 0; i < u->o->args.n; i++) {
        Record *r = record_find(u, u->o->args.v[i]);
        if (!r) return false;
        bool twice = false; /* two findings of one fix */
        for (u32 k = 0; k < todo.n; k++) twice |= &u->records.v[todo.v[k]] == r;
        if (!twice) vec_push(u->a, &todo, (u32)(r - u->records.v));
    }
    /* Those that share lines with others of the same command come after them. */
    u32 left = todo.n;
    for (u32 turn = 0; left && turn < todo.n + 1; turn++)
        for (u32 i = 0; i < todo.n; i++) {
            Record *r = &u->records.v[todo.v[i]];
            if (r->undone) continue;
            *u->e = (Err){0};
            if (record_back(u, r))
                left--;
            else if (todo.n == 1 || turn == todo.n)
                return false;
        }
    return !left;
}

int emit_undo(Arena *a, const Options *o, Err *e)
{
    Undo u = {.a = a, .o = o, .e = e};
    bool ok;
    git_start();
    journal_find(a, o, &u.j);
    ok = journal_read(&u);
    if (ok && !o->args.n) {
        journal_list(&u);
    } else if (ok) {
        ok = named_back(&u) && support_back(&u, "lock") && support_back(&u, "import") && files_write(&u) &&
             journal_append(a, &u.j, buf_view(&u.lines), e);
    }
    git_libgit2_shutdown();
    Buf shown = {0};
    buf_shown(&shown, buf_view(&u.out));
    ok = ok && emit_text(o, buf_view(&shown), e);
    buf_free(&shown);
    buf_free(&u.lines);
    buf_free(&u.out);
    return !ok ? 2 : o->args.n && !o->exit_zero;
}
