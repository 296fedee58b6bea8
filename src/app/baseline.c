/* The baseline: findings that are known, so that only new ones count. `ungil baseline` writes it; the other commands
 * read it with --baseline.
 *
 * An entry is a finding's fingerprint, which holds no line numbers, with what a reader of the file wants to see:
 * rule, path, enclosing function, state, message. The file is JSON with one entry a line, sorted by path, rule, state
 * and fingerprint, so that a change of one finding is a change of one line. Only the fingerprint is compared; an
 * entry is *stale* when a finding with it could have been made in this run, and was not: its file was read without
 * syntax errors or is gone, and the run looks for races under the same assumptions as the one that wrote the file.
 * Findings are looked for before --select, --min-confidence and the like narrow them, so these make no entry stale.
 *
 * What it does not handle: two findings with the same fingerprint in two versions of the code may be different ones.
 */
#include "app/app.h"

#include <jansson.h>
#include <unistd.h>

enum { BASELINE_MAX = 64 << 20, BASELINE_VERSION = 1 };

/* ---- reading ------------------------------------------------------------------------------------------- */

static bool broken(const Baseline *b, u32 line, const char *what, Err *e)
{
    err_set(e, "%.*s:%u: %s; repair the file, or delete it and run `ungil baseline` again", STR_ARG(b->shown), line,
            what);
    return false;
}

/* Where the fingerprint stands in the text; the whole first line when it is written with escapes. */
static Span entry_span(const Source *s, Str fingerprint)
{
    Arena scratch = {0};
    size_t at = str_search(s->text, str_fmt(&scratch, "\"%.*s\"", STR_ARG(fingerprint)));
    Span span = {0, s->nlines > 1 ? s->line_start[1] - 1 : (u32)s->text.n};
    if (at < s->text.n) span = (Span){(u32)at + 1, (u32)(at + 1 + fingerprint.n)};
    arena_free(&scratch);
    return span;
}

static Str text_of(Arena *a, const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_string(v)) return (Str){0};
    return str_dup(a, (Str){json_string_value(v), json_string_length(v)});
}

static bool hex_read(Str s, u64 *out)
{
    *out = 0;
    if (s.n != 16) return false;
    for (size_t i = 0; i < s.n; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, s.p[i]);
        if (!at || !*at) return false;
        *out = *out << 4 | (u64)(at - digits);
    }
    return true;
}

static Str text_dump(Arena *a, const json_t *o)
{
    char *text = json_dumps(o, 0);
    CHECK(text);
    Str s = str_dup(a, str_from(text));
    free(text);
    return s;
}

static bool entry_read(Arena *a, Baseline *b, const json_t *o, Err *e)
{
    u64 fingerprint;
    BaselineEntry x = {.path = text_of(a, o, "path"), .rule = text_of(a, o, "rule")};
    Str hex = text_of(a, o, "fingerprint");
    if (!x.path.n || !x.rule.n || !hex.n)
        return broken(b, 1, "an entry is no object with the strings fingerprint, rule and path", e);
    x.span = entry_span(&b->source, hex);
    source_position(&b->source, x.span.start, &x.line, &x.column);
    if (!hex_read(hex, &fingerprint)) return broken(b, x.line, "a fingerprint is not 16 hexadecimal digits", e);
    x.text = text_dump(a, o);
    x.fingerprint = fingerprint;
    x.state = text_of(a, o, "state");
    u32 *at = map_at(a, &b->index, fingerprint >> 1);
    if (*at == NONE) *at = b->entries.n;
    vec_push(a, &b->entries, x);
    return true;
}

static bool document_read(Arena *a, Baseline *b, const json_t *doc, Err *e)
{
    const json_t *version = json_object_get(doc, "version"), *entries = json_object_get(doc, "entries");
    const json_t *options = json_object_get(doc, "options");
    if (!json_is_integer(version) || !json_is_array(entries))
        return broken(b, 1, "this is no baseline: it has no version and no entries", e);
    if (json_integer_value(version) != BASELINE_VERSION)
        return broken(b, 1, "this baseline is from another version of ungil", e);
    b->assume = text_of(a, options, "assume-threads");
    b->model = text_of(a, options, "model");
    for (size_t i = 0; i < json_array_size(entries); i++)
        if (!entry_read(a, b, json_array_get(entries, i), e)) return false;
    return true;
}

/* Path of the file as findings show it: relative to the root when it is inside. */
static Str path_shown(Arena *a, const Options *o, Str path)
{
    if (str_starts(path, o->root) && path.n > o->root.n && path.p[o->root.n] == '/')
        path = str_slice(path, o->root.n + 1, path.n);
    return str_dup(a, path);
}

static bool baseline_read(Arena *a, const Options *o, Str path, Baseline *b, Err *e)
{
    NoteVec notes = {0};
    Str text;
    *b = (Baseline){.path = str_dup(a, path), .shown = path_shown(a, o, path)};
    if (access(b->path.p, F_OK) < 0)
        return err_set(e, "there is no baseline %.*s; `ungil baseline` writes one", STR_ARG(b->shown));
    if (!os_read_file(a, b->path.p, BASELINE_MAX, &text, e)) return false;
    b->source = (Source){.path = b->shown, .text = text};
    if (!source_index(a, &b->source, &notes)) return broken(b, 1, "it is no text in UTF-8", e);
    json_error_t why;
    json_t *doc = json_loadb(text.p, text.n, 0, &why);
    if (!doc) return broken(b, why.line > 0 ? (u32)why.line : 1, str_fmt(a, "not JSON: %s", why.text).p, e);
    bool ok = document_read(a, b, doc, e);
    json_decref(doc);
    return ok;
}

bool baseline_open(Arena *a, const Options *o, const Baseline **out, Err *e)
{
    *out = NULL;
    if (!o->baseline.n || o->command == CMD_BASELINE) return true;
    Baseline *b = arena_new(a, Baseline, 1);
    *out = b;
    return baseline_read(a, o, o->baseline, b, e);
}

/* ---- comparing ----------------------------------------------------------------------------------------- */

void baseline_mark(const Baseline *b, RaceVec *all)
{
    for (u32 i = 0; b && i < all->n; i++) {
        Race *r = &all->v[i];
        if (map_get(&b->index, r->fingerprint >> 1) == NONE) continue;
        r->known = !r->suppressed;
        r->suppressed = true;
    }
}

/* Would this run have found it? */
static bool judged(const Program *p, const SourceList *sources, const BaselineEntry *x)
{
    Arena scratch = {0};
    u32 file = source_find(sources, x->path);
    bool gone = access(str_fmt(&scratch, "%.*s/%.*s", STR_ARG(p->options->root), STR_ARG(x->path)).p, F_OK) < 0;
    arena_free(&scratch);
    if (file == NONE) return gone;
    return p->facts[file]->errors.n == 0;
}

static bool same_assumptions(const Baseline *b, const Options *o)
{
    return (!b->assume.n || str_is(b->assume, assume_name[o->assume])) &&
           (!b->model.n || str_is(b->model, model_name[o->model]));
}

/* Marks in stale[] the entries that none of the findings has. */
static u32 stale_find(Arena *a, const Baseline *b, const Program *p, const SourceList *sources, const RaceVec *all,
                      bool *stale)
{
    Map found = {0};
    u32 n = 0;
    for (u32 i = 0; i < all->n; i++) map_put(a, &found, all->v[i].fingerprint >> 1, 1);
    for (u32 i = 0; i < b->entries.n; i++) {
        const BaselineEntry *x = &b->entries.v[i];
        stale[i] = map_get(&found, x->fingerprint >> 1) == NONE && judged(p, sources, x);
        n += stale[i];
    }
    return n;
}

void baseline_stale(Arena *a, const Baseline *b, const Program *p, const SourceList *sources, const RaceVec *all,
                    RaceVec *out)
{
    if (!b || !same_assumptions(b, p->options)) return;
    bool *stale = arena_new(a, bool, b->entries.n);
    stale_find(a, b, p, sources, all, stale);
    for (u32 i = 0; i < b->entries.n; i++) {
        const BaselineEntry *x = &b->entries.v[i];
        if (!stale[i]) continue;
        Race r = {.rule = UG903,
                  .impact = IMPACT_ADVICE,
                  .severity = (u8)rule_table[UG903].severity,
                  .confidence = CONF_HIGH,
                  .file = sources->n,
                  .place = NONE,
                  .span = x->span,
                  .line = x->line,
                  .column = x->column,
                  .end_line = x->line,
                  .end_column = x->column + (x->span.end - x->span.start),
                  .test = NONE,
                  .act = NONE,
                  .lock = NONE,
                  .call = NONE,
                  .fix = NONE,
                  .state = x->state,
                  .fingerprint = hash_mix(x->fingerprint, str_hash(S("UG903")))};
        r.message = str_fmt(a, "%.*s about %.*s in %.*s is found no more; `ungil baseline` takes the entry out",
                            STR_ARG(x->rule), STR_ARG(x->state.n ? x->state : S("this")), STR_ARG(x->path));
        if (race_wanted(p->options, b->shown, &r)) vec_push(a, out, r);
    }
}

/* ---- writing ------------------------------------------------------------------------------------------- */

typedef struct Row {
    u64 hash; /* the fingerprint */
    Str path, rule, state, text;
} Row;
typedef Vec(Row) RowVec;

static int row_cmp(const void *a, const void *b)
{
    const Row *x = a, *y = b;
    int c = str_cmp(x->path, y->path);
    if (!c) c = str_cmp(x->rule, y->rule);
    if (!c) c = str_cmp(x->state, y->state);
    return c ? c : x->hash < y->hash ? -1 : x->hash > y->hash;
}

static json_t *text_json(Str s)
{
    json_t *v = json_stringn(s.p ? s.p : "", s.n);
    return v ? v : json_string("?"); /* a file's name that is not UTF-8 */
}

/* The message without its line numbers, which would change with every edit above. */
static Str message_lineless(Arena *a, Str message)
{
    Buf b = {0};
    for (size_t i = 0; i < message.n; i++) {
        Str rest = str_slice(message, i, message.n);
        size_t n = 0;
        if (str_starts(rest, S(" on line ")) || str_starts(rest, S(" at line "))) n = 9;
        size_t digits = n;
        while (n && n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9') n++;
        if (n > digits)
            i += n - 1;
        else
            buf_char(&b, rest.p[0]);
    }
    Str s = str_dup(a, buf_view(&b));
    buf_free(&b);
    return s;
}

static void race_row(Arena *a, RowVec *rows, const Program *p, const Race *r)
{
    Row row = {r->fingerprint, p->facts[r->file]->source->path, str_from(rule_table[r->rule].code), r->state, {0}};
    json_t *o = json_object();
    json_object_set_new(o, "fingerprint", text_json(str_fmt(a, "%016llx", (unsigned long long)r->fingerprint)));
    json_object_set_new(o, "rule", text_json(row.rule));
    json_object_set_new(o, "path", text_json(row.path));
    json_object_set_new(o, "in", text_json(func_display(a, p, gfunc_of(p, r->file, r->func))));
    json_object_set_new(o, "state", text_json(row.state));
    json_object_set_new(o, "message", text_json(message_lineless(a, r->message)));
    row.text = text_dump(a, o);
    json_decref(o);
    vec_push(a, rows, row);
}

static void baseline_text(Buf *out, const Options *o, RowVec *rows)
{
    if (rows->n) qsort(rows->v, rows->n, sizeof *rows->v, row_cmp);
    buf_fmt(out, "{\n  \"version\": %d,\n  \"tool\": \"ungil\",\n", BASELINE_VERSION);
    buf_fmt(out, "  \"options\": {\"assume-threads\": \"%s\", \"model\": \"%s\"},\n  \"entries\": [",
            assume_name[o->assume], model_name[o->model]);
    for (u32 i = 0; i < rows->n; i++) {
        buf_c(out, i ? ",\n    " : "\n    ");
        buf_str(out, rows->v[i].text);
    }
    buf_c(out, rows->n ? "\n  ]\n}\n" : "]\n}\n");
}

/* Entries of an older baseline that are not replaced and not known to be gone. */
static u32 rows_kept(Arena *a, RowVec *rows, const Baseline *old, const Program *p, const SourceList *sources,
                     const RaceVec *all, const RaceVec *wanted)
{
    Map now = {0};
    u32 n = 0;
    bool *stale = arena_new(a, bool, old->entries.n);
    stale_find(a, old, p, sources, all, stale);
    for (u32 i = 0; i < wanted->n; i++) map_put(a, &now, wanted->v[i].fingerprint >> 1, 1); /* also in the source */
    for (u32 i = 0; i < old->entries.n; i++) {
        const BaselineEntry *x = &old->entries.v[i];
        u32 *at = map_at(a, &now, x->fingerprint >> 1); /* an entry that stands there twice is kept once */
        if (stale[i] || *at != NONE) continue;
        *at = 1;
        Row row = {x->fingerprint, x->path, x->rule, x->state, x->text};
        vec_push(a, rows, row);
        n++;
    }
    return n;
}

static void said(const Options *o, Str shown, u32 n, u32 kept, u32 gone)
{
    if (o->verbosity < 0) return;
    fprintf(stderr, "ungil: %u finding%s recorded in %.*s", n, n == 1 ? "" : "s", STR_ARG(shown));
    if (kept) fprintf(stderr, ", %u older one%s kept", kept, kept == 1 ? "" : "s");
    if (gone) fprintf(stderr, ", %u gone", gone);
    fprintf(stderr, "; `ungil check --baseline %.*s` counts only others\n", STR_ARG(shown));
}

/* How many entries of the old baseline are in none of the rows. */
static u32 rows_gone(Arena *a, const RowVec *rows, const Baseline *old)
{
    Map now = {0};
    u32 n = 0;
    for (u32 i = 0; i < rows->n; i++) map_put(a, &now, rows->v[i].hash >> 1, 1);
    for (u32 i = 0; i < old->entries.n; i++) n += map_get(&now, old->entries.v[i].fingerprint >> 1) == NONE;
    return n;
}

int baseline_write(Arena *a, const Options *o, const Program *p, const SourceList *sources, const RaceVec *all,
                   Err *e)
{
    RowVec rows = {0};
    RaceVec wanted = {0};
    Baseline old = {0};
    Buf out = {0};
    Str path = o->output.n ? o->output : o->baseline;
    if (!path.n) path = str_fmt(a, "%.*s/ungil-baseline.json", STR_ARG(o->root));
    path = str_dup(a, path);
    if (access(path.p, F_OK) == 0 && !baseline_read(a, o, path, &old, e)) return 2;
    races_wanted(a, p, all, &wanted);
    for (u32 i = 0; i < wanted.n; i++)
        if (!wanted.v[i].suppressed) race_row(a, &rows, p, &wanted.v[i]);
    u32 n = rows.n, kept = rows_kept(a, &rows, &old, p, sources, all, &wanted);
    baseline_text(&out, o, &rows);
    bool ok = os_replace_file(path.p, buf_view(&out), e);
    if (ok) said(o, path_shown(a, o, path), n, kept, rows_gone(a, &rows, &old));
    buf_free(&out);
    return ok ? 0 : 2;
}
