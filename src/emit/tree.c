/* `ungil fix`: the changes written to the work tree, each file in one step. A file that is no longer what was
 * analysed, or that cannot be written, is left as it is and named; the others are written. With --interactive each
 * fix is asked about first (ask.c), and only the accepted ones are made. */
#include "emit/journal.h"

#include <sys/stat.h>
#include <unistd.h>

bool file_unchanged(const Source *s, Err *e)
{
    Arena scratch = {0};
    Str now;
    bool ok = os_read_file(&scratch, s->abs.p, UINT32_MAX, &now, e);
    if (ok && !str_eq(now, s->text))
        ok = err_set(e, "%.*s changed while it was analysed; it is left as it is, run ungil again", STR_ARG(s->path));
    arena_free(&scratch);
    return ok;
}

bool file_writable(const Source *s, Err *e)
{
    struct stat st;
    /* A file that nobody may write is meant to stay, even if renaming over it (or being root) would get past that. */
    bool locked = stat(s->abs.p, &st) == 0 && !(st.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH));
    if (locked || access(s->abs.p, W_OK) < 0)
        return err_set(e, "%.*s is read-only; it is left as it is", STR_ARG(s->path));
    return true;
}

static bool change_write(const Change *c, Err *e)
{
    return file_unchanged(c->before, e) && file_writable(c->before, e) &&
           os_replace_file(c->before->abs.p, c->after, e);
}

/* ---- what is left -------------------------------------------------------------------------------------- */

static bool fixed_later(const Results *r, const Race *race)
{
    for (u32 i = 0; i < r->later.n; i++)
        if (r->later.v[i] == race->fingerprint) return true;
    return false;
}

/* Does the run deal with this finding? With --only, with those it names. */
static bool asked_for(const Results *r, const Race *race)
{
    const StrVec *only = &r->options->only;
    char hex[17];
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)race->fingerprint);
    for (u32 i = 0; i < only->n; i++)
        if (str_is(only->v[i], hex)) return true;
    return !only->n;
}

void left_put(Buf *out, const Results *r)
{
    for (u32 i = 0; i < r->races->n; i++) {
        const Race *race = &r->races->v[i];
        const Fix *f = race_fix(r, race);
        if (race->suppressed || fix_writes(r, f) || fixed_later(r, race) || !asked_for(r, race)) continue;
        buf_fmt(out, "left: %.*s:%u: %s %.*s: ", STR_ARG(file_source(r, race->file)->path), race->line,
                rule_table[race->rule].code, STR_ARG(race->state));
        if (!f)
            buf_c(out, "no transform fixes this");
        else if (!f->declined && f->safety == FIX_UNSAFE)
            buf_fmt(out, "needs --unsafe-fixes: %.*s", STR_ARG(f->reason));
        else
            safe_put(out, f->reason);
        buf_char(out, '\n');
    }
}

static u32 fixed_count(const Results *r, const IdVec *only)
{
    u32 n = 0;
    for (u32 i = 0; i < r->races->n; i++) {
        const Race *race = &r->races->v[i];
        bool in = !only && !race->suppressed && fix_writes(r, race_fix(r, race));
        for (u32 k = 0; only && k < only->n; k++) in |= !race->suppressed && race->fix == only->v[k];
        n += in;
    }
    return n;
}

int emit_fix(const Results *r, Err *e)
{
    const Options *o = r->options;
    ChangeVec changes = *r->changes, failed = {0};
    Asked asked = {0};
    if (o->interactive) {
        changes = (ChangeVec){0};
        if (!fixes_ask(r->arena, r, &asked, &changes, e)) return 2;
    }
    for (u32 i = 0; i < changes.n; i++) {
        Err why = {0};
        if (change_write(&changes.v[i], &why)) continue;
        vec_push(r->arena, &failed, changes.v[i]);
        fprintf(stderr, "ungil: %s\n", why.msg);
    }
    u32 written = changes.n - failed.n;
    if (written)
        journal_write(r->arena,
                      &(Written){.all = r, .failed = &failed, .asked = o->interactive ? &asked : NULL});
    Counts c = results_count(r);
    for (u32 i = 0; i < asked.proved.n; i++) vec_push(r->arena, &asked.accepted, asked.proved.v[i]);
    u32 fixed = fixed_count(r, o->interactive ? &asked.accepted : NULL) + r->later.n;
    Buf out = {0};
    if (o->verbosity >= 0 && !failed.n)
        buf_fmt(&out, "fixed %u finding%s in %u file%s\n", fixed, fixed == 1 ? "" : "s", written,
                written == 1 ? "" : "s");
    else if (failed.n)
        buf_fmt(&out, "wrote %u of %u files; the findings in the others are not fixed\n", written, changes.n);
    if (o->verbosity >= 0) left_put(&out, r);
    bool ok = emit_text(o, buf_view(&out), e);
    buf_free(&out);
    return failed.n || !ok ? 2 : exit_status(r, changes.n > 0 || c.serious > 0);
}
