/* Writing the journal: one line for each fix that was written.
 *
 * A line holds what the fix put into each file as swaps: a span of the text as it was written, the span that stood
 * there without the fix, and the text of the latter. They come from the lines that differ when the file's edits are
 * made again without the fix (`take`), and without every fix that shares its lock (`last`, for when the others have
 * been taken back before). Imports and definitions of locks are swaps of their own with the name that they bind
 * (`support`): whether they may go is seen from the uses that the name still has. */
#include "emit/journal.h"

#include "emit/json.h"

#include <git2.h>
#include <time.h>
#include <unistd.h>

/* ---- swaps: what differs, by lines ---------------------------------------------------------------------- */

typedef struct Lines {
    Str from, to;
    json_t *swaps;
} Lines;

/* Where line n (from 0) of a text starts; its end behind the last one. */
static size_t line_offset(Str text, int n)
{
    size_t at = 0;
    for (; n > 0 && at < text.n; n--) at = at + str_find(str_slice(text, at, text.n), '\n') + 1;
    return MIN(at, text.n);
}

static json_t *swap_json(Span written, Span before, Str text)
{
    return json_pack("{s:[i,i], s:[i,i], s:o}", "written", (int)written.start, (int)written.end, "before",
                     (int)before.start, (int)before.end, "text", json_str(text));
}

static int hunk_take(const git_diff_delta *delta, const git_diff_hunk *h, void *payload)
{
    Lines *x = payload;
    (void)delta;
    int from = h->old_lines ? h->old_start - 1 : h->old_start, to = h->new_lines ? h->new_start - 1 : h->new_start;
    Span written = {(u32)line_offset(x->from, from), (u32)line_offset(x->from, from + h->old_lines)};
    Span before = {(u32)line_offset(x->to, to), (u32)line_offset(x->to, to + h->new_lines)};
    json_array_append_new(x->swaps, swap_json(written, before, str_slice(x->to, before.start, before.end)));
    return 0;
}

/* The swaps that make `to` of `from`. */
static json_t *swaps_json(Str from, Str to)
{
    Lines x = {from, to, json_array()};
    git_diff_options opt;
    git_diff_options_init(&opt, GIT_DIFF_OPTIONS_VERSION);
    opt.flags = GIT_DIFF_FORCE_TEXT;
    opt.context_lines = opt.interhunk_lines = 0;
    git_start();
    git_diff_buffers(from.p, from.n, NULL, to.p, to.n, NULL, &opt, NULL, NULL, hunk_take, NULL, &x);
    git_libgit2_shutdown();
    return x.swaps;
}

/* ---- one round ------------------------------------------------------------------------------------------ */

typedef struct Round {
    Arena *a; /* for one fix */
    const Journal *j;
    const Written *w;
    const Results *r;
    const ChangeVec *changes; /* what the round made */
    Wanted wanted;
    Buf *out;
    bool *kept; /* by change: its text lies in texts/ */
    Str run;    /* names this run of ungil */
    Err *e;
} Round;

static bool has_file(const ChangeVec *changes, u32 file)
{
    for (u32 i = 0; changes && i < changes->n; i++)
        if (changes->v[i].file == file) return true;
    return false;
}

/* The file's text without the one fix, or without all that share its lock; imports and locks stay. */
static Str text_without(const Round *x, u32 fix, bool all, u32 file)
{
    const FixList *from = x->r->fixes;
    FixList fixes = *from;
    fixes.fixes.v = arena_new(x->a, Fix, from->fixes.n + 1);
    for (u32 i = 0; i < from->fixes.n; i++) {
        const Fix *f = &from->fixes.v[i];
        bool out = i == fix || (all && f->lock != NONE && f->lock == from->fixes.v[fix].lock);
        Fix *to = &fixes.fixes.v[i];
        *to = *f;
        memset(&to->intents, 0, sizeof to->intents);
        for (u32 k = 0; k < f->intents.n; k++) {
            const Intent *in = &f->intents.v[k];
            bool support = in->kind == INTENT_NEED_LOCK || in->kind == INTENT_NEED_IMPORT;
            if (in->file == file && (!out || support)) vec_push(x->a, &to->intents, *in);
        }
    }
    ChangeVec made = {0};
    edits_make(x->a, x->r->program, &fixes, &x->wanted, &made);
    for (u32 i = 0; i < made.n; i++)
        if (made.v[i].file == file) return made.v[i].after;
    return file_source(x->r, file)->text;
}

/* The name that an import statement binds. */
static Str import_name(Str statement)
{
    Str text = str_trim(statement);
    size_t as = str_search(text, S(" as ")), at = str_search(text, S("import "));
    if (as < text.n) return str_trim(str_slice(text, as + 4, text.n));
    if (at >= text.n) return S("");
    Str rest, name = str_trim(str_slice(text, at + 7, text.n));
    return at == 0 ? str_cut(name, '.', &rest) : name;
}

static json_t *support_json(const Round *x, const Change *c)
{
    json_t *all = json_array();
    size_t shift = 0; /* of the text as written against the one before; wraps around for deletions */
    for (u32 i = 0; i < c->edits.n; i++) {
        const Edit *edit = &c->edits.v[i];
        size_t at = edit->span.start + shift;
        shift += edit->text.n - (edit->span.end - edit->span.start);
        if (edit->part == EDIT_CODE) continue;
        bool lock = edit->part == EDIT_LOCK;
        u32 plan = lock ? x->r->fixes->fixes.v[edit->fix].lock : NONE;
        if (lock && plan == NONE) continue;
        Str name = lock ? x->r->fixes->locks.v[plan].name : import_name(edit->text);
        json_t *o = swap_json((Span){(u32)at, (u32)(at + edit->text.n)}, edit->span,
                              str_slice(c->before->text, edit->span.start, edit->span.end));
        json_put(o, "kind", json_string(lock ? "lock" : "import"));
        json_put(o, "name", json_str(name));
        json_put(o, "global", json_boolean(lock && x->r->fixes->locks.v[plan].kind == PLACE_GLOBAL));
        json_put(o, "uses", json_integer(word_count(c->before->text, name)));
        json_array_append_new(all, o);
    }
    return all;
}

/* Keeps the text under its hash. */
static bool text_keep(const Round *x, u32 change, Str *hash)
{
    Str text = x->changes->v[change].after;
    *hash = str_fmt(x->a, "%016llx", (unsigned long long)str_hash(text));
    if (x->kept[change]) return true;
    Str dir = str_fmt(x->a, "%.*s/texts", STR_ARG(x->j->dir));
    if (!os_make_dirs(str_c(x->a, dir), x->e)) return false;
    x->kept[change] = true;
    return os_replace_file(journal_text_path(x->a, x->j, *hash), text, x->e);
}

static json_t *file_json(const Round *x, Str path, Str hash)
{
    json_t *o = json_object();
    json_put(o, "path", json_str(str_fmt(x->a, "%.*s%.*s", STR_ARG(x->j->prefix), STR_ARG(path))));
    json_put(o, "text", json_str(hash));
    return o;
}

/* What the fix did to each of its files; empty when none of them was written. */
static bool files_json(const Round *x, u32 fix, bool shared, json_t *files)
{
    for (u32 i = 0; i < x->changes->n; i++) {
        const Change *c = &x->changes->v[i];
        Str hash;
        if (!fix_uses(&x->r->fixes->fixes.v[fix], c->file) || has_file(x->w->failed, c->file)) continue;
        if (!text_keep(x, i, &hash)) return false;
        json_t *o = file_json(x, c->before->path, hash);
        json_put(o, "take", swaps_json(c->after, text_without(x, fix, false, c->file)));
        if (shared) json_put(o, "last", swaps_json(c->after, text_without(x, fix, true, c->file)));
        json_put(o, "support", support_json(x, c));
        json_array_append_new(files, o);
    }
    return true;
}

/* Other fixes of the round with the same lock, by their first finding. */
static json_t *shares_json(const Round *x, u32 fix)
{
    json_t *all = json_array();
    const FixList *fixes = x->r->fixes;
    u32 lock = fixes->fixes.v[fix].lock;
    for (u32 i = 0; lock != NONE && i < fixes->fixes.n; i++)
        if (i != fix && fixes->fixes.v[i].lock == lock && fix_wanted(fixes, i, &x->wanted))
            json_array_append_new(all, json_str(fingerprint_text(x->a, fixes->fixes.v[i].fingerprint)));
    return all;
}

static json_t *record_json(const Round *x, u32 fix)
{
    const Fix *f = &x->r->fixes->fixes.v[fix];
    const RaceVec *races = x->r->races;
    json_t *o = json_object(), *findings = json_array();
    const Race *first = &races->v[f->races.v[0]];
    json_put(o, "version", json_integer(1));
    json_put(o, "time", json_str(journal_time(x->a)));
    json_put(o, "run", json_str(x->run));
    json_put(o, "command", json_string(x->r->options->command == CMD_COMMIT ? "commit" : "fix"));
    if (x->r->options->branch.n) json_put(o, "branch", json_str(x->r->options->branch));
    json_put(o, "fingerprint", json_str(fingerprint_text(x->a, f->fingerprint)));
    json_put(o, "rule", json_string(rule_table[first->rule].code));
    json_put(o, "transform", json_str(f->transform));
    json_put(o, "safety", json_string(safety_name[f->safety]));
    json_put(o, "state", json_str(first->state));
    for (u32 i = 0; i < f->races.n; i++) {
        const Race *race = &races->v[f->races.v[i]];
        Str path = file_source(x->r, race->file)->path;
        json_t *one = json_object();
        json_put(one, "fingerprint", json_str(fingerprint_text(x->a, race->fingerprint)));
        json_put(one, "rule", json_string(rule_table[race->rule].code));
        json_put(one, "path", json_str(str_fmt(x->a, "%.*s%.*s", STR_ARG(x->j->prefix), STR_ARG(path))));
        json_put(one, "line", json_integer(race->line));
        json_array_append_new(findings, one);
    }
    json_put(o, "findings", findings);
    return o;
}

static bool fix_write(const Round *x, u32 fix)
{
    json_t *o = record_json(x, fix), *shares = shares_json(x, fix), *files = json_array();
    bool ok = files_json(x, fix, json_array_size(shares) > 0, files), any = json_array_size(files) > 0;
    json_put(o, "shares", shares);
    json_put(o, "files", files);
    if (ok && any)
        json_text(x->out, o, JSON_COMPACT);
    else
        json_decref(o);
    return ok;
}

static bool round_write(Round *x)
{
    bool ok = true;
    x->kept = arena_new(x->a, bool, x->changes->n + 1);
    for (u32 i = 0; ok && i < x->r->fixes->fixes.n; i++) {
        if (!fix_wanted(x->r->fixes, i, &x->wanted)) continue;
        Arena scratch = {0}, *a = x->a;
        x->a = &scratch;
        ok = fix_write(x, i);
        x->a = a;
        arena_free(&scratch);
    }
    return ok;
}

/* An edited fix: what a person made of it is one change. */
static bool edited_write(Round *x, const Edited *e)
{
    ChangeVec one = {0};
    vec_push(x->a, &one, (Change){.before = file_source(x->r, e->file), .file = e->file, .after = e->after});
    Round y = *x;
    Str hash;
    y.changes = &one;
    y.kept = arena_new(x->a, bool, 1);
    if (has_file(x->w->failed, e->file)) return true;
    if (!text_keep(&y, 0, &hash)) return false;
    json_t *o = record_json(&y, e->fix), *files = json_array(), *file = file_json(&y, one.v[0].before->path, hash);
    json_put(file, "take", swaps_json(e->after, e->before));
    json_put(file, "support", json_array());
    json_array_append_new(files, file);
    json_put(o, "edited", json_true());
    json_put(o, "shares", json_array());
    json_put(o, "files", files);
    json_text(x->out, o, JSON_COMPACT);
    return true;
}

static bool rounds_write(Round *x)
{
    const Written *w = x->w;
    if (!w->asked) {
        for (u32 i = 0; i < w->all->rounds.n; i++) {
            x->r = w->all->rounds.v[i];
            x->changes = x->r->changes;
            if (!round_write(x)) return false;
        }
        return true;
    }
    x->changes = &w->asked->made;
    x->wanted.only = w->asked->accepted.v;
    x->wanted.nonly = w->asked->accepted.n;
    if (x->wanted.nonly && !round_write(x)) return false;
    for (u32 i = 0; i < w->asked->edited.n; i++)
        if (!edited_write(x, &w->asked->edited.v[i])) return false;
    return true;
}

void journal_write(Arena *a, const Written *w)
{
    Journal j;
    Err e = {0};
    Buf out = {0};
    journal_find(a, w->all->options, &j);
    if (!j.dir.n) return;
    Round x = {.a = a, .j = &j, .w = w, .r = w->all, .out = &out, .e = &e};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    u64 moment = hash_mix((u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec, (u64)getpid());
    x.run = fingerprint_text(a, moment);
    x.wanted.unsafe = w->all->options->unsafe_fixes;
    bool ok = rounds_write(&x) && (!out.n || journal_append(a, &j, buf_view(&out), &e));
    if (!ok)
        fprintf(stderr, "ungil: the fixes are written, but `ungil undo` will not know them: %s\n", e.msg);
    buf_free(&out);
}
