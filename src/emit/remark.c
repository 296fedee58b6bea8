/* From the document of `review --format json` to Remarks.
 *
 * Posting always goes through the document, also in one run, so that there is one way only. A document that comes
 * from another job (--from) may be anybody's: every field is checked, lengths are bounded, where to post is never
 * taken from it, and its suggestions are shown as text to read, not as something to click on. */
#include "emit/post.h"

enum { REMARKS_MAX = 2000, TEXT_MAX = 2000, PATCH_MAX = 200000, LIST_MAX = 8 };

/* ---- fields -------------------------------------------------------------------------------------------- */

static Str text_of(Arena *a, const json_t *o, const char *key, size_t max)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_string(v)) return (Str){0};
    Str s = {json_string_value(v), json_string_length(v)};
    size_t n = MIN(s.n, max);
    while (n < s.n && n && ((u8)s.p[n] & 0xc0) == 0x80) n--;
    char *out = str_c(a, str_slice(s, 0, n));
    for (size_t i = 0; i < n; i++)
        if ((u8)out[i] < ' ' && out[i] != '\n' && out[i] != '\t') out[i] = ' ';
    return (Str){out, n};
}

static Str line_of(Arena *a, const json_t *o, const char *key)
{
    Str s = text_of(a, o, key, TEXT_MAX);
    char *out = str_c(a, s);
    for (size_t i = 0; i < s.n; i++)
        if (out[i] == '\n') out[i] = ' ';
    return (Str){out, s.n};
}

/* A text that is of no use when it is cut: empty when it is too long. */
static Str whole_of(Arena *a, const json_t *o, const char *key)
{
    bool fits = json_string_length(json_object_get(o, key)) <= PATCH_MAX;
    return fits ? text_of(a, o, key, PATCH_MAX) : (Str){0};
}

/* Relative, without . and .. parts. */
static bool path_is_plain(Str path)
{
    if (!path.n || path.p[0] == '/' || str_find(path, '\\') < path.n) return false;
    while (path.n) {
        Str part = str_cut(path, '/', &path);
        if (!part.n || str_is(part, ".") || str_is(part, "..")) return false;
    }
    return true;
}

static void list_of(Arena *a, const json_t *list, StrVec *out)
{
    size_t i;
    const json_t *v;
    json_array_foreach(list, i, v)
    {
        json_t *one = json_pack("{s:O}", "text", v);
        Str s = line_of(a, one, "text");
        bool old = !s.n || out->n >= LIST_MAX;
        for (u32 k = 0; k < out->n; k++) old |= str_eq(out->v[k], s);
        if (!old) vec_push(a, out, s);
        json_decref(one);
    }
}

/* ---- anchors ------------------------------------------------------------------------------------------- */

/* Follows a hunk to the lines wanted; the first one's in the old file is 0 where it was added. */
static bool hunk_anchor(const json_t *h, Str marks, u32 first, u32 last, Anchor *x)
{
    u32 from = json_line(h, "old_start"), to = json_line(h, "new_start");
    u32 seen = 0;
    for (size_t i = 0; i < marks.n; i++) {
        if (marks.p[i] != '-' && to == first) x->old_first = marks.p[i] == ' ' ? from : 0, seen |= 1;
        if (marks.p[i] != '-' && to == last) seen |= 2;
        from += marks.p[i] != '+';
        to += marks.p[i] != '-';
    }
    return seen == 3;
}

/* The anchor of lines first..last of a file; not set when no hunk of the document's diff holds them. */
static Anchor anchor_find(Arena *a, const json_t *diff, Str path, u32 first, u32 last)
{
    size_t i, k;
    const json_t *file, *hunk;
    Anchor x = {.path = path, .first = first, .last = last};
    if (!first || last < first) return x;
    json_array_foreach(diff, i, file)
    {
        if (!str_eq(line_of(a, file, "path"), path)) continue;
        x.old_path = line_of(a, file, "old_path");
        if (!path_is_plain(x.old_path)) x.old_path = path;
        json_array_foreach(json_object_get(file, "hunks"), k, hunk)
        {
            Str marks = text_of(a, hunk, "marks", PATCH_MAX);
            if (hunk_anchor(hunk, marks, first, last, &x)) {
                x.set = true;
                return x;
            }
        }
    }
    return x;
}

/* Where the remark stands: on its own line, else on the changed line that brought it about. */
static void remark_place(Poster *p, Remark *m, const json_t *finding, const json_t *added, const json_t *diff)
{
    const json_t *s = json_object_get(added, "suggestion"), *cause = json_object_get(added, "cause");
    Str path = line_of(p->a, s, "path");
    u32 first = json_line(s, "start_line"), last = json_line(s, "end_line"), end = json_line(finding, "end_line");
    m->cause = line_of(p->a, cause, "what");
    if (json_is_object(s) && p->trusted && p->service->suggest && path_is_plain(path))
        m->anchor = anchor_find(p->a, diff, path, first, last);
    m->suggested = m->anchor.set;
    if (m->suggested) m->suggestion = whole_of(p->a, s, "text");
    bool near = m->suggested && str_eq(path, m->path) && m->line >= first && m->line <= last;
    if (m->suggested && !near) m->suggested = false; /* a fix elsewhere is shown as a patch beside the finding */
    if (!m->suggested) m->anchor = anchor_find(p->a, diff, m->path, m->line, MAX(end, m->line));
    if (!m->anchor.set) m->anchor = anchor_find(p->a, diff, m->path, m->line, m->line);
    if (m->anchor.set || !json_is_object(cause)) return;
    path = line_of(p->a, cause, "path");
    first = json_line(cause, "line");
    if (path_is_plain(path)) m->anchor = anchor_find(p->a, diff, path, first, first);
}

/* ---- one remark ---------------------------------------------------------------------------------------- */

static u32 remark_find(const Poster *p, Str fingerprint)
{
    for (u32 i = 0; i < p->remarks.n; i++)
        if (str_eq(p->remarks.v[i].fingerprint, fingerprint)) return i;
    return NONE;
}

static bool remark_read(Poster *p, const json_t *finding, const json_t *added, const json_t *diff)
{
    Arena *a = p->a;
    const json_t *fix = json_object_get(finding, "fix"), *site;
    size_t i;
    Remark m = {.rule = line_of(a, finding, "rule"),
                .fingerprint = line_of(a, finding, "fingerprint"),
                .severity = line_of(a, finding, "severity"),
                .confidence = line_of(a, finding, "confidence"),
                .path = line_of(a, finding, "path"),
                .message = line_of(a, finding, "message"),
                .state = line_of(a, finding, "state"),
                .line = json_line(finding, "line"),
                .transform = line_of(a, fix, "transform"),
                .safety = line_of(a, fix, "safety"),
                .reason = line_of(a, fix, "reason"),
                .patch = whole_of(a, added, "patch"),
                .thread = NONE};
    RuleId rule = rule_find(m.rule);
    if (rule == RULE_COUNT || !str_is_hex(m.fingerprint, 16) || !path_is_plain(m.path) || !m.line || !m.message.n)
        return err_set(p->e, "the document holds a finding that ungil cannot have written (rule %.*s in %.*s)",
                       STR_ARG(str_slice(m.rule, 0, 40)), STR_ARG(str_slice(m.path, 0, 200)));
    if (!str_eq(line_of(a, added, "fingerprint"), m.fingerprint))
        return err_set(p->e, "the document's findings and its review.added do not belong together");
    if (json_is_true(json_object_get(finding, "suppressed")) || remark_find(p, m.fingerprint) != NONE) return true;
    m.name = str_from(rule_table[rule].name);
    m.rule = str_from(rule_table[rule].code);
    m.fixed_with = remark_find(p, line_of(a, added, "fixed_with"));
    json_array_foreach(json_object_get(finding, "sites"), i, site)
    {
        list_of(a, json_object_get(site, "roots"), &m.roots);
    }
    list_of(a, json_object_get(finding, "why"), &m.why);
    remark_place(p, &m, finding, added, diff);
    p->serious |= !str_is(m.severity, "note");
    vec_push(a, &p->remarks, m);
    return true;
}

bool remarks_read(Poster *p, const json_t *doc)
{
    size_t i;
    const json_t *finding, *path, *review = json_object_get(doc, "review"),
                                  *findings = json_object_get(doc, "findings");
    const json_t *added = json_object_get(review, "added"), *diff = json_object_get(review, "diff");
    p->head = line_of(p->a, review, "head");
    p->base = line_of(p->a, review, "base");
    p->summary = line_of(p->a, review, "summary");
    if (!str_is_hex(p->head, 40) || !json_is_array(findings) || !json_is_array(added) || !json_is_array(diff))
        return err_set(p->e, "this is no result of `ungil review --format json`: the object \"review\" is missing or "
                             "incomplete");
    if (json_array_size(findings) > REMARKS_MAX || json_array_size(findings) != json_array_size(added))
        return err_set(p->e,
                       "the document holds %zu findings and %zu entries of review.added; at most %d, of equal "
                       "number, are taken",
                       json_array_size(findings), json_array_size(added), REMARKS_MAX);
    json_array_foreach(json_object_get(review, "unseen"), i, path)
    {
        if (json_is_string(path)) vec_push(p->a, &p->unseen, str_dup(p->a, str_from(json_string_value(path))));
    }
    json_array_foreach(findings, i, finding)
    {
        if (!remark_read(p, finding, json_array_get(added, i), diff)) return false;
    }
    return true;
}
