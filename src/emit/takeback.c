/* Taking back what the journal says a fix did, whatever has happened to the files since.
 *
 * The lines that the fix changed are put back by a three-way merge, from the text as it was written to the same
 * without the fix, into the text as it is now. Fixes of the same run that were taken back before are left out on both
 * sides first. What several fixes share stays until the last of them goes: lines under a common lock because each
 * fix alone leaves them (`last` is used for the last one), imports and locks because their names are still in use.
 * */
#include "emit/undo.h"

/* ---- texts as they were ---------------------------------------------------------------------------------- */

typedef struct Swap {
    Span written;
    Str text;
} Swap;
typedef Vec(Swap) SwapVec;

static void swap_add(Undo *u, SwapVec *to, const json_t *swap, size_t room)
{
    const json_t *w = json_object_get(swap, "written");
    json_int_t start = json_integer_value(json_array_get(w, 0)), end = json_integer_value(json_array_get(w, 1));
    if (start < 0 || end < start || (size_t)end > room) return;
    vec_push(u->a, to, (Swap){{(u32)start, (u32)end}, text_of(swap, "text")});
}

static void swaps_add(Undo *u, SwapVec *to, const json_t *swaps, size_t room)
{
    for (size_t i = 0; i < json_array_size(swaps); i++) swap_add(u, to, json_array_get(swaps, i), room);
}

static int by_start(const void *x, const void *y)
{
    const Swap *a = x, *b = y;
    if (a->written.start != b->written.start) return a->written.start < b->written.start ? -1 : 1;
    return a->written.end > b->written.end ? -1 : a->written.end < b->written.end; /* the longer one first */
}

/* The text with the swaps made; of those that overlap, the first and longest. */
static Str swaps_apply(Undo *u, Str text, SwapVec *v)
{
    Buf out = {0};
    size_t at = 0;
    if (v->n) qsort(v->v, v->n, sizeof *v->v, by_start);
    for (u32 i = 0; i < v->n; i++) {
        const Swap *s = &v->v[i];
        bool same = i && s->written.start == v->v[i - 1].written.start && s->written.end == v->v[i - 1].written.end;
        if (s->written.start < at || same) continue;
        buf_str(&out, str_slice(text, at, s->written.start));
        buf_str(&out, s->text);
        at = s->written.end;
    }
    buf_str(&out, str_slice(text, at, text.n));
    Str made = str_dup(u->a, buf_view(&out));
    buf_free(&out);
    return made;
}

/* What the record says about the file with this path, as it was after this round; NULL. */
static const json_t *record_file(const Record *r, Str path, Str hash)
{
    const json_t *files = json_object_get(r->line, "files");
    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *f = json_array_get(files, i);
        if (str_eq(text_of(f, "path"), path) && str_eq(text_of(f, "text"), hash)) return f;
    }
    return NULL;
}

/* Is every fix with which it shares its lock taken back? */
static bool is_last(const Undo *u, const Record *r)
{
    const json_t *shares = json_object_get(r->line, "shares");
    for (size_t i = 0; i < json_array_size(shares); i++) {
        const json_t *v = json_array_get(shares, i);
        Str other = {json_string_value(v), json_string_length(v)};
        for (u32 k = 0; k < u->records.n; k++)
            if (!u->records.v[k].undone && &u->records.v[k] != r && str_eq(u->records.v[k].run, r->run) &&
                str_eq(u->records.v[k].fingerprint, other))
                return false;
    }
    return json_array_size(shares) > 0;
}

/* The lines that went when the record was taken back, or go now. */
static void taken_add(Undo *u, const Record *r, const json_t *file, SwapVec *to, size_t room)
{
    const json_t *last = json_object_get(file, "last");
    swaps_add(u, to, last && is_last(u, r) ? last : json_object_get(file, "take"), room);
}

/* The same of all fixes of the run that were taken back before. */
static void undone_add(Undo *u, Str run, const json_t *file, SwapVec *to, size_t room)
{
    for (u32 i = 0; i < u->records.n; i++) {
        const Record *r = &u->records.v[i];
        bool asked = r->undone && str_eq(r->run, run);
        const json_t *f = asked ? record_file(r, text_of(file, "path"), text_of(file, "text")) : NULL;
        if (f) taken_add(u, r, f, to, room);
    }
}

/* ---- line ends ------------------------------------------------------------------------------------------ */

/* 1: all lines end in CR LF; 0: none does; -1: mixed. */
static int crlf(Str text)
{
    u32 with = 0, without = 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\n') (i && text.p[i - 1] == '\r') ? with++ : without++;
    return with && without ? -1 : with > 0;
}

static Str crlf_set(Undo *u, Str text, bool on)
{
    Buf out = {0};
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n') continue;
        if (text.p[i] == '\n' && on) buf_char(&out, '\r');
        buf_char(&out, text.p[i]);
    }
    Str made = str_dup(u->a, buf_view(&out));
    buf_free(&out);
    return made;
}

/* A merge into a file whose line ends may have been converted since. */
static bool merge_into(Undo *u, Str base, Str theirs, Str *now)
{
    int old = crlf(base), new = crlf(*now);
    if (old >= 0 && new >= 0 && old != new) {
        base = crlf_set(u, base, new);
        theirs = crlf_set(u, theirs, new);
    }
    return texts_merge(u->a, base, *now, theirs, now);
}

/* ---- taking back ------------------------------------------------------------------------------------------ */

static Back *file_back(Undo *u, Str path)
{
    for (u32 i = 0; i < u->files.n; i++)
        if (str_eq(u->files.v[i].path, path)) return &u->files.v[i];
    Back b = {.path = path, .abs = str_c(u->a, str_fmt(u->a, "%.*s%.*s", STR_ARG(u->j.top), STR_ARG(path)))};
    if (!os_read_file(u->a, b.abs, UINT32_MAX, &b.before, u->e)) return NULL;
    b.now = b.before;
    vec_push(u->a, &u->files, b);
    return &u->files.v[u->files.n - 1];
}

static bool parses(Undo *u, Str path, Str text)
{
    Source *s = arena_new(u->a, Source, 1);
    NoteVec notes = {0};
    *s = (Source){.path = path, .text = text};
    if (!source_index(u->a, s, &notes)) return false;
    Tree *t = tree_parse(s);
    bool fine = !tree_damaged(t);
    tree_free(t);
    return fine;
}

static bool written_text(Undo *u, const json_t *file, Str *out)
{
    Err missing = {0};
    Str hash = text_of(file, "text");
    return os_read_file(u->a, journal_text_path(u->a, &u->j, hash), UINT32_MAX, out, &missing) ||
           err_set(u->e, "the text of %.*s as it was written is no longer in the journal",
                   STR_ARG(text_of(file, "path")));
}

/* Where the lines were edited since: each stretch for itself, by its structure where the merge fails. */
static bool pieces_back(Undo *u, Str written, const SwapVec *before, const SwapVec *mine, Str *now, Str *stuck)
{
    SwapVec v = {0};
    for (u32 i = 0; i < before->n; i++) vec_push(u->a, &v, before->v[i]);
    Str base = swaps_apply(u, written, &v);
    for (u32 i = 0; i < mine->n; i++) {
        v.n = before->n;
        vec_push(u->a, &v, mine->v[i]);
        Str theirs = swaps_apply(u, written, &v), wrapped;
        wrapped = str_slice(written, mine->v[i].written.start, mine->v[i].written.end);
        *stuck = with_written(wrapped);
        if (!merge_into(u, base, theirs, now) && !section_unwrap(u->a, wrapped, now)) return false;
    }
    return true;
}

static bool stuck_error(Undo *u, const Record *r, Str path, Str stuck)
{
    if (!stuck.n)
        return err_set(u->e, "%.*s has been changed in the lines of this fix (%.*s); nothing is taken back",
                       STR_ARG(path), STR_ARG(r->shown));
    return err_set(u->e,
                   "%.*s has been changed in the lines of this fix (%.*s); nothing is taken back. By hand: take out "
                   "the line `%.*s` and one step of indentation under it",
                   STR_ARG(path), STR_ARG(r->shown), STR_ARG(stuck));
}

/* Puts the lines back. *changed tells whether anything was there to be put back. */
static bool lines_back(Undo *u, const Record *r, const json_t *file, bool *changed)
{
    Str path = text_of(file, "path"), written, base, theirs;
    if (!written_text(u, file, &written)) return false;
    path = path_now(u, path, written);
    Back *b = file_back(u, path);
    if (!b) return false;
    SwapVec before = {0}, after = {0}, mine = {0};
    undone_add(u, r->run, file, &before, written.n);
    for (u32 i = 0; i < before.n; i++) vec_push(u->a, &after, before.v[i]);
    taken_add(u, r, file, &after, written.n);
    taken_add(u, r, file, &mine, written.n);
    base = swaps_apply(u, written, &before);
    theirs = swaps_apply(u, written, &after);
    Str now = b->now, stuck = S("");
    if (!merge_into(u, base, theirs, &now)) {
        now = b->now; /* a failed merge leaves nothing behind */
        if (!pieces_back(u, written, &before, &mine, &now, &stuck)) return stuck_error(u, r, path, stuck);
    }
    if (str_eq(now, b->now)) return true;
    if (parses(u, path, b->now) && !parses(u, path, now))
        return err_set(u->e, "without this fix (%.*s), %.*s would no longer be Python; nothing is taken back",
                       STR_ARG(r->shown), STR_ARG(path));
    *changed = true;
    b->now = now;
    return true;
}

/* Does another Python file of the root have the name? What cannot be read may. */
static bool named_elsewhere(Undo *u, Str path, Str name)
{
    if (!root_read(u)) return true;
    for (u32 i = 0; i < u->root.n; i++) {
        Str other = str_fmt(u->a, "%.*s%.*s", STR_ARG(u->j.prefix), STR_ARG(u->root.v[i]->path));
        Str text = u->root.v[i]->text;
        for (u32 k = 0; k < u->files.n; k++)
            if (str_eq(u->files.v[k].path, other)) text = u->files.v[k].now;
        if (!str_eq(other, path) && word_count(text, name)) return true;
    }
    return false;
}

/* What was put in between lines that have changed since is found by its own text, if that stands there once. */
static bool line_back(Undo *u, Str written, const json_t *support, Str *now)
{
    SwapVec one = {0};
    swap_add(u, &one, support, written.n);
    if (!one.n || one.v[0].text.n) return false;
    Str line = str_slice(written, one.v[0].written.start, one.v[0].written.end);
    if (crlf(*now) >= 0) line = crlf_set(u, line, crlf(*now));
    size_t at = NONE;
    for (size_t i = 0; i + line.n <= now->n; i++) {
        if ((i && now->p[i - 1] != '\n') || !str_eq(str_slice(*now, i, i + line.n), line)) continue;
        if (at != NONE) return false;
        at = i;
    }
    if (at == NONE || !str_ends(line, S("\n"))) return false;
    *now = str_fmt(u->a, "%.*s%.*s", (int)at, now->p, (int)(now->n - at - line.n), now->p + at + line.n);
    return true;
}

/* An import or a lock that fixes taken back had put in goes when no code uses its name any more. */
static bool one_support_back(Undo *u, Str run, const json_t *file, const json_t *support)
{
    Str path = text_of(file, "path"), written, name = text_of(support, "name");
    path = path_now(u, path, S(""));
    Back *b = file_back(u, path);
    if (!b || !written_text(u, file, &written)) return false;
    SwapVec before = {0}, after = {0};
    undone_add(u, run, file, &before, written.n);
    for (u32 i = 0; i < before.n; i++) vec_push(u->a, &after, before.v[i]);
    swap_add(u, &after, support, written.n);
    Str now = b->now, base = swaps_apply(u, written, &before), theirs = swaps_apply(u, written, &after);
    if (!merge_into(u, base, theirs, &now) && !line_back(u, written, support, &now)) return true;
    if (str_eq(now, b->now)) return true; /* it is not ours any more */
    u32 uses = (u32)json_integer_value(json_object_get(support, "uses"));
    bool global = json_is_true(json_object_get(support, "global"));
    if (word_count(now, name) > uses || (global && named_elsewhere(u, path, name))) return true;
    if (parses(u, path, b->now) && !parses(u, path, now)) return true;
    b->now = now;
    return true;
}

/* Locks first: their definitions use the imports. */
bool support_back(Undo *u, const char *kind)
{
    for (u32 i = 0; i < u->records.n; i++) {
        const json_t *files = json_object_get(u->records.v[i].line, "files");
        for (size_t k = 0; u->records.v[i].undone && k < json_array_size(files); k++) {
            const json_t *file = json_array_get(files, k), *all = json_object_get(file, "support");
            Str path = path_now(u, text_of(file, "path"), S(""));
            bool touched = false;
            for (u32 f = 0; f < u->files.n; f++) touched |= str_eq(u->files.v[f].path, path);
            for (size_t s = 0; touched && s < json_array_size(all); s++) {
                const json_t *one = json_array_get(all, s);
                if (!str_is(text_of(one, "kind"), kind)) continue;
                if (!one_support_back(u, u->records.v[i].run, file, one)) return false;
            }
        }
    }
    return true;
}

/* Takes the lines back from all files of the record, or from none. */
static bool record_lines(Undo *u, const Record *r, bool *changed)
{
    const json_t *files = json_object_get(r->line, "files");
    u32 n = u->files.n;
    Str *now = arena_new(u->a, Str, n + 1);
    for (u32 i = 0; i < n; i++) now[i] = u->files.v[i].now;
    for (size_t i = 0; i < json_array_size(files); i++) {
        if (lines_back(u, r, json_array_get(files, i), changed)) continue;
        for (u32 k = 0; k < u->files.n; k++) u->files.v[k].now = k < n ? now[k] : u->files.v[k].before;
        return false;
    }
    return true;
}

bool record_back(Undo *u, Record *r)
{
    bool changed = false;
    if (!record_lines(u, r, &changed)) return false;
    if (!changed && json_array_size(json_object_get(r->line, "shares")) && !is_last(u, r))
        return err_set(u->e,
                       "all lines of this fix (%.*s) serve other fixes with the same lock, too; name those as well",
                       STR_ARG(r->shown));
    if (!changed)
        return err_set(u->e, "what this fix (%.*s) wrote is not there any more; nothing is taken back",
                       STR_ARG(r->shown));
    r->undone = true;
    json_t *o = json_pack("{s:i, s:o, s:o, s:o}", "version", 1, "time", json_str(journal_time(u->a)), "undo",
                          json_str(r->fingerprint), "of", json_str(r->run));
    json_text(&u->lines, o, JSON_COMPACT);
    Str transform = text_of(r->line, "transform");
    buf_fmt(&u->out, "took back %.*s: %.*s\n", STR_ARG(transform), STR_ARG(r->shown));
    return true;
}
