/* `ungil fix`: the changes written to the work tree, each fix as a whole.
 *
 * Files that one fix, one lock or one edit changes belong together, and so do those that share a file with them: half
 * of them would be a program that takes a lock which nobody made. Where one of them is no longer what was analysed,
 * or cannot be written, all of them are left as they are and named; the others are written. With --interactive each
 * fix is asked about first (ask.c), and only the accepted ones are made. */
#include "emit/journal.h"

/* ---- what belongs together ----------------------------------------------------------------------------- */

/* Sets of files; a file is its own parent until it is joined. */
static u32 set_of(u32 *parent, u32 file)
{
    while (parent[file] != file) file = parent[file] = parent[parent[file]];
    return file;
}

static void sets_join(u32 *parent, u32 x, u32 y)
{
    parent[set_of(parent, x)] = set_of(parent, y);
}

static bool changes_file(const ChangeVec *changes, u32 file)
{
    for (u32 i = 0; i < changes->n; i++)
        if (changes->v[i].file == file) return true;
    return false;
}

/* Joins the files of a fix with each other, with those of other fixes that use the same lock, and with the one that
 * the lock is made in, which an earlier round may have changed. */
static void fix_join(const Results *r, u32 fix, const ChangeVec *changes, u32 *of_lock, u32 *parent)
{
    const Fix *f = &r->fixes->fixes.v[fix];
    u32 first = f->intents.v[0].file;
    for (u32 i = 1; i < f->intents.n; i++) sets_join(parent, first, f->intents.v[i].file);
    if (f->lock == NONE) return;
    if (of_lock[f->lock] != NONE) sets_join(parent, first, of_lock[f->lock]);
    of_lock[f->lock] = first;
    u32 home = r->fixes->locks.v[f->lock].file;
    if (changes_file(changes, home)) sets_join(parent, first, home);
}

static void round_join(Arena *a, const Results *r, const Asked *asked, const ChangeVec *changes, u32 *parent)
{
    u32 *of_lock = arena_new(a, u32, r->fixes->locks.n + 1);
    for (u32 i = 0; i < r->fixes->locks.n; i++) of_lock[i] = NONE;
    for (u32 i = 0; !asked && i < r->fixes->fixes.n; i++)
        if (fix_writes(r, &r->fixes->fixes.v[i])) fix_join(r, i, changes, of_lock, parent);
    for (u32 i = 0; asked && i < asked->accepted.n; i++) fix_join(r, asked->accepted.v[i], changes, of_lock, parent);
    for (u32 i = 0; asked && i < asked->edited.n; i++) {
        const Edited *x = &asked->edited.v[i];
        fix_join(r, x->fix, changes, of_lock, parent);
        sets_join(parent, r->fixes->fixes.v[x->fix].intents.v[0].file, x->file);
    }
}

/* By file: the set that it belongs to. `asked` is NULL without --interactive. */
static u32 *sets_find(const Results *r, const Asked *asked, const ChangeVec *changes)
{
    u32 n = r->sources->n, *parent = arena_new(r->arena, u32, n + 1);
    for (u32 i = 0; i < n; i++) parent[i] = i;
    if (!r->rounds.n) round_join(r->arena, r, asked, changes, parent);
    for (u32 i = 0; i < r->rounds.n; i++) round_join(r->arena, r->rounds.v[i], asked, changes, parent);
    for (u32 i = 0; i < n; i++) parent[i] = set_of(parent, i);
    return parent;
}

/* Writes the files of one set, or adds them to failed and says why. */
static void set_write(const Results *r, const ChangeVec *set, ChangeVec *failed)
{
    Arena scratch = {0};
    Vec(Replacement) v = {0};
    Err why = {0};
    u32 at;
    for (u32 i = 0; i < set->n; i++) {
        const Source *s = file_source(r, set->v[i].file);
        vec_push(&scratch, &v,
                 (Replacement){.path = s->path, .abs = s->abs.p, .before = s->text, .after = set->v[i].after});
    }
    if (!files_replace(v.v, v.n, &at, &why)) {
        err_say("%s", why.msg);
        for (u32 i = 0; i < set->n; i++) {
            vec_push(r->arena, failed, set->v[i]);
            if (i != at)
                err_say("%.*s is left as it is, too: its fixes belong together with those of %.*s",
                        STR_ARG(v.v[i].path), STR_ARG(v.v[at].path));
        }
    }
    arena_free(&scratch);
}

static void changes_write(const Results *r, const Asked *asked, const ChangeVec *changes, ChangeVec *failed)
{
    const u32 *sets = sets_find(r, asked, changes);
    bool *done = arena_new(r->arena, bool, changes->n + 1);
    for (u32 i = 0; i < changes->n; i++) {
        ChangeVec set = {0};
        for (u32 k = i; k < changes->n; k++) {
            if (done[k] || sets[changes->v[k].file] != sets[changes->v[i].file]) continue;
            done[k] = true;
            vec_push(r->arena, &set, changes->v[k]);
        }
        if (set.n) set_write(r, &set, failed);
    }
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
        buf_c(out, "left: ");
        safe_put(out, file_source(r, race->file)->path);
        buf_fmt(out, ":%u: %s ", race->line, rule_table[race->rule].code);
        safe_put(out, race->state);
        buf_c(out, ": ");
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
    changes_write(r, o->interactive ? &asked : NULL, &changes, &failed);
    u32 written = changes.n - failed.n;
    if (written)
        journal_write(r->arena, &(Written){.all = r, .failed = &failed, .asked = o->interactive ? &asked : NULL});
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
