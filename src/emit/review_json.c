/* The document of `review --format json`. It holds all that posting needs: findings, complete fixes as patches or
 * suggestions, and which lines of the files concerned the diff shows. So posting may happen in another job, which
 * has neither the reviewed code nor any need to read it. */
#include "emit/review.h"

/* ---- suggestions --------------------------------------------------------------------------------------- */

enum { SUGGESTION_LINES = 50 };

static size_t line_at(Str text, size_t from)
{
    size_t n = str_find(str_slice(text, from, text.n), '\n');
    return MIN(from + n + 1, text.n);
}

/* Bytes that two texts have in common at their starts, in whole lines. */
static size_t common_start(Str x, Str y)
{
    size_t at = 0;
    while (at < x.n && at < y.n) {
        size_t to = line_at(x, at);
        if (line_at(y, at) != to || memcmp(x.p + at, y.p + at, to - at) != 0) break;
        at = to;
    }
    return at;
}

static size_t line_before(Str text, size_t end)
{
    while (end > 0) {
        end--;
        if (end > 0 && text.p[end - 1] == '\n') break;
    }
    return end;
}

/* The same at their ends, behind `start`. */
static size_t common_end(Str x, Str y, size_t start)
{
    size_t n = 0;
    while (x.n - n > start && y.n - n > start) {
        size_t from = line_before(x, x.n - n), from_y = line_before(y, y.n - n);
        size_t length = x.n - n - from;
        if (from < start || from_y < start || y.n - n - from_y != length) break;
        if (memcmp(x.p + from, y.p + from_y, length) != 0) break;
        n += length;
    }
    return n;
}

static u32 lines_in(Str text, size_t to)
{
    u32 n = 0;
    for (size_t i = 0; i < to; i++) n += text.p[i] == '\n';
    return n;
}

/* The text with the lines of the suggestion replaced: what clicking on it makes. */
static Str suggestion_apply(Arena *a, const Source *s, const Suggestion *x)
{
    size_t from = s->line_start[x->first - 1], to = x->last < s->nlines ? s->line_start[x->last] : s->text.n;
    bool newline = to > from && s->text.p[to - 1] == '\n';
    return str_fmt(a, "%.*s%.*s%s%.*s", STR_ARG(str_slice(s->text, 0, from)), STR_ARG(x->text), newline ? "\n" : "",
                   STR_ARG(str_slice(s->text, to, s->text.n)));
}

/* The whole fix of a finding as one range of lines, when there is one and one hunk of the diff holds it. */
static Suggestion suggestion_make(Arena *a, const Results *r, const Review *v, const Race *race)
{
    ChangeVec changes = {0};
    const Fix *f = race_fix(r, race);
    Suggestion none = {0}, x = {0};
    if (!f || !fix_writes(r, f) || f->safety != FIX_SAFE) return none;
    fix_changes(a, r, race->fix, &changes);
    if (changes.n != 1 || changes.v[0].before->newline != NL_LF) return none;
    const Source *s = changes.v[0].before;
    Str before = s->text, after = changes.v[0].after;
    size_t start = common_start(before, after), end = common_end(before, after, start);
    if (start + end == before.n && start == before.n)
        return none; /* behind the last line: there is none to replace */
    if (start + end == before.n) end = before.n - line_at(before, start); /* an insertion takes the next line along */
    x.first = lines_in(before, start) + 1;
    x.last = x.first + lines_in(str_slice(before, start, before.n - end), before.n - end - start);
    if (before.n - end > start && before.p[before.n - end - 1] == '\n') x.last--;
    x.text = str_slice(after, start, after.n - end);
    if (x.text.n && x.text.p[x.text.n - 1] == '\n') x.text.n--;
    x.path = s->path;
    bool small = x.last >= x.first && x.last - x.first < SUGGESTION_LINES && str_find(x.text, '\r') == x.text.n;
    if (!small || !hunk_holding(file_diff(v->revisions, s->path), x.first, x.last)) return none;
    x.made = str_eq(suggestion_apply(a, s, &x), after);
    return x.made ? x : none;
}

static json_t *suggestion_json(const Suggestion *x)
{
    if (!x->made) return json_null();
    json_t *o = json_object();
    json_put(o, "path", json_str(x->path));
    json_put(o, "start_line", json_integer(x->first));
    json_put(o, "end_line", json_integer(x->last));
    json_put(o, "text", json_str(x->text));
    return o;
}

/* ---- added --------------------------------------------------------------------------------------------- */

static json_t *patch_json(Arena *a, const Results *r, const Race *race)
{
    ChangeVec changes = {0};
    Buf out = {0};
    Err e = {0};
    const Fix *f = race_fix(r, race);
    if (!f || !fix_writes(r, f)) return json_null();
    fix_changes(a, r, race->fix, &changes);
    for (u32 i = 0; i < changes.n; i++) {
        const Change *c = &changes.v[i];
        if (!diff_put(a, &out, c->before, S(""), c->before->text, c->after, &e)) break;
    }
    json_t *text = e.set || !out.n ? json_null() : json_str(buf_view(&out));
    buf_free(&out);
    return text;
}

static json_t *cause_json(const Results *r, const Addition *x)
{
    static const char *const words[] = {"finding", "site", "thread"};
    if (x->file == NONE) return json_null();
    json_t *o = json_object();
    json_put(o, "what", json_string(words[x->cause]));
    json_put(o, "path", json_str(file_source(r, x->file)->path));
    json_put(o, "line", json_integer(x->line));
    json_put(o, "end_line", json_integer(x->end_line));
    return o;
}

/* The first of the new findings that has the same fix: it shows it for all of them. */
static u32 fix_shown_at(const Results *r, u32 i)
{
    for (u32 k = 0; k < i; k++)
        if (r->races->v[i].fix != NONE && r->races->v[k].fix == r->races->v[i].fix) return k;
    return i;
}

static json_t *addition_json(const Results *r, const Review *v, u32 i)
{
    Arena scratch = {0};
    const Race *race = &r->races->v[i];
    const Addition *x = &v->comparison->added.v[i];
    json_t *o = json_object();
    u32 shown = fix_shown_at(r, i);
    Suggestion s = {0};
    if (shown == i) s = suggestion_make(&scratch, r, v, race);
    json_put(o, "fingerprint", json_str(fingerprint_text(r->arena, race->fingerprint)));
    json_put(o, "in_changed_lines", json_boolean(x->in_changed));
    json_put(o, "cause", cause_json(r, x));
    json_put(o, "suggestion", suggestion_json(&s));
    json_put(o, "patch", shown == i ? patch_json(&scratch, r, race) : json_null());
    json_put(o, "fixed_with",
             shown == i ? json_null() : json_str(fingerprint_text(r->arena, r->races->v[shown].fingerprint)));
    arena_free(&scratch);
    return o;
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

static json_t *brief_json(Arena *a, const SourceList *sources, const Race *race)
{
    json_t *o = json_object();
    json_put(o, "rule", json_string(rule_table[race->rule].code));
    json_put(o, "path", json_str(sources->v[race->file]->path));
    json_put(o, "line", json_integer(race->line));
    json_put(o, "state", json_str(race->state));
    json_put(o, "message", json_str(race->message));
    json_put(o, "fingerprint", json_str(fingerprint_text(a, race->fingerprint)));
    return o;
}

static json_t *worsening_json(const Results *r, const Review *v, const Worsening *w)
{
    json_t *o = brief_json(r->arena, r->sources, &v->now->v[w->after]);
    json_put(o, "how", json_str(w->how));
    return o;
}

static json_t *guard_json(const Program *p, u32 place)
{
    if (place == NONE) return json_null();
    const Place *x = &p->places.v[place];
    json_t *o = json_object();
    json_put(o, "lock", json_str(p->locks.v[x->guard].display));
    json_put(o, "guarded", json_integer(x->guarded));
    json_put(o, "total", json_integer(x->total));
    return o;
}

static json_t *guard_change_json(const Results *r, const Review *v, const GuardChange *g)
{
    const Place *x = g->after != NONE ? &r->program->places.v[g->after] : &v->before->places.v[g->before];
    json_t *o = json_object();
    json_put(o, "place", json_str(x->display));
    json_put(o, "before", guard_json(v->before, g->before));
    json_put(o, "after", guard_json(r->program, g->after));
    return o;
}

static json_t *diff_json(const FileDiff *f)
{
    json_t *o = json_object(), *hunks = json_array();
    for (u32 i = 0; i < f->hunks.n; i++) {
        const Hunk *h = &f->hunks.v[i];
        json_t *x = json_object();
        json_put(x, "old_start", json_integer(h->old_start));
        json_put(x, "old_lines", json_integer(h->old_lines));
        json_put(x, "new_start", json_integer(h->new_start));
        json_put(x, "new_lines", json_integer(h->new_lines));
        json_put(x, "marks", json_str(h->marks));
        json_array_append_new(hunks, x);
    }
    json_put(o, "path", json_str(f->path));
    json_put(o, "old_path", json_str(f->old_path));
    json_put(o, "hunks", hunks);
    return o;
}

/* The diffs of files that a comment could stand in. */
static json_t *diffs_json(const Results *r, const Review *v)
{
    json_t *all = json_array();
    for (u32 i = 0; i < v->revisions->files.n; i++) {
        const FileDiff *f = &v->revisions->files.v[i];
        bool wanted = false;
        for (u32 k = 0; k < r->races->n; k++) {
            u32 cause = v->comparison->added.v[k].file;
            wanted |= str_eq(f->path, file_source(r, r->races->v[k].file)->path);
            wanted |= cause != NONE && str_eq(f->path, file_source(r, cause)->path);
        }
        if (wanted) json_array_append_new(all, diff_json(f));
    }
    return all;
}

static json_t *unseen_json(const Comparison *c)
{
    json_t *all = json_array();
    for (u32 i = 0; i < c->unseen.n; i++) json_array_append_new(all, json_str(c->unseen.v[i]));
    return all;
}

json_t *review_json(const Results *r, const Review *v)
{
    const Comparison *c = v->comparison;
    json_t *doc = results_json(r), *o = json_object();
    json_t *added = json_array(), *fixed = json_array(), *worsened = json_array(), *guards = json_array();
    for (u32 i = 0; i < c->added.n; i++) json_array_append_new(added, addition_json(r, v, i));
    for (u32 i = 0; i < c->fixed.n; i++)
        json_array_append_new(fixed, brief_json(r->arena, &v->revisions->before, &v->old->v[c->fixed.v[i]]));
    for (u32 i = 0; i < c->worsened.n; i++) json_array_append_new(worsened, worsening_json(r, v, &c->worsened.v[i]));
    for (u32 i = 0; i < c->guards.n; i++) json_array_append_new(guards, guard_change_json(r, v, &c->guards.v[i]));
    json_put(o, "base", json_str(v->revisions->base));
    json_put(o, "merge_base", json_str(v->revisions->merge_base));
    json_put(o, "head", json_str(v->revisions->head));
    json_put(o, "summary", json_str(review_summary(r->arena, r, v)));
    json_put(o, "added", added);
    json_put(o, "fixed", fixed);
    json_put(o, "worsened", worsened);
    json_put(o, "guards", guards);
    json_put(o, "diff", diffs_json(r, v));
    json_put(o, "unseen", unseen_json(c));
    json_put(doc, "review", o);
    return doc;
}
