/* Findings as one HTML page that needs nothing else: a table of rules, then every finding with its source, its
 * sites and its fix. */
#include "emit/html.h"

/* U+202A to U+202E and U+2066 to U+2069, which reorder what follows: the code they would hide is what is reviewed. */
static unsigned bidi_control(Str s)
{
    if (s.n < 3 || (u8)s.p[0] != 0xe2) return 0;
    u8 b = (u8)s.p[1], c = (u8)s.p[2];
    bool control = (b == 0x80 && c >= 0xaa && c <= 0xae) || (b == 0x81 && c >= 0xa6 && c <= 0xa9);
    return control ? 0x2000u | (b & 0x3fu) << 6 | (c & 0x3fu) : 0;
}

void html_text(Buf *out, Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned control = bidi_control(str_slice(s, i, s.n));
        if (control) {
            buf_fmt(out, "[U+%04X]", control);
            i += 2;
            continue;
        }
        size_t n = shown_length(s, i);
        if (!n) {
            buf_c(out, NO_CHARACTER);
            continue;
        }
        switch (s.p[i]) {
        case '<': buf_c(out, "&lt;"); break;
        case '>': buf_c(out, "&gt;"); break;
        case '&': buf_c(out, "&amp;"); break;
        case '"': buf_c(out, "&quot;"); break;
        default: buf_bytes(out, s.p + i, n), i += n - 1;
        }
    }
}

const char html_style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 "
    "1em;color:#222;background:#fff}"
    "pre{background:#f4f4f2;padding:.6em 1em;overflow-x:auto}mark{background:#ffd7d0}td,th{padding:.1em "
    ".8em;text-align:left}"
    ".error{color:#b00020}.warning{color:#8a5a00}.note{color:#1d5a8a}section{border-top:1px solid "
    "#ddd;margin-top:1.5em}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}pre{background:#262626}mark{"
    "background:#6b2a20;"
    "color:#fff}.error{color:#ff8a80}.warning{color:#ffcc66}.note{color:#8ac6ff}}";

static void source_put(Buf *out, const Source *s, Span span)
{
    enum { AROUND = 2 };
    u32 line, column, end_line;
    source_position(s, span.start, &line, &column);
    source_position(s, span.end, &end_line, &column);
    end_line = MIN(end_line, line + 8);
    buf_c(out, "<pre>");
    for (u32 i = line > AROUND ? line - AROUND : 1; i <= MIN(end_line + AROUND, s->nlines); i++) {
        Str text = str_slice(source_line(s, i), 0, 400);
        u32 from = s->line_start[i - 1], start = MIN(MAX(span.start, from) - from, (u32)text.n);
        u32 end = span.end > from ? MIN(span.end - from, (u32)text.n) : 0;
        buf_fmt(out, "%5u  ", i);
        html_text(out, str_slice(text, 0, MIN(start, MAX(end, start))));
        if (end > start) {
            buf_c(out, "<mark>");
            html_text(out, str_slice(text, start, end));
            buf_c(out, "</mark>");
        }
        html_text(out, str_slice(text, MAX(start, end), text.n));
        buf_char(out, '\n');
    }
    buf_c(out, "</pre>");
}

static void site_put(Buf *out, const Results *r, u32 gaccess)
{
    const Access *x = program_access(r->program, gaccess);
    Str roots[SITE_ROOTS];
    u32 n = site_roots(r, gaccess, roots);
    const LockSet *set = access_lockset(r, gaccess);
    buf_c(out, "<li><code>");
    html_text(out, file_source(r, access_gid(r->program, gaccess).file)->path);
    buf_fmt(out, ":%u:%u</code> %s; locks: ", x->line, x->column, access_word(x));
    if (!set->n) buf_c(out, "none");
    for (u32 i = 0; i < set->n; i++) {
        if (i) buf_c(out, ", ");
        html_text(out, r->program->locks.v[set->ids[i]].display);
    }
    for (u32 i = 0; i < n; i++) {
        buf_c(out, i ? ", " : "; threads: ");
        html_text(out, roots[i]);
    }
    buf_c(out, "</li>\n");
}

void html_finding(Buf *out, const Results *r, const Race *race)
{
    const RuleInfo *rule = &rule_table[race->rule];
    const Fix *f = race_fix(r, race);
    buf_fmt(out, "<section id=\"f%016llx\"><h3><span class=\"%s\">%s %s</span> ",
            (unsigned long long)race->fingerprint, severity_name[race->severity], rule->code, rule->name);
    html_text(out, file_source(r, race->file)->path);
    buf_fmt(out, ":%u</h3>\n<p>", race->line);
    html_text(out, race->message);
    buf_fmt(out, " (confidence: %s)</p>\n", confidence_name[race->confidence]);
    source_put(out, file_source(r, race->file), race->span);
    buf_c(out, "\n<ul>");
    for (u32 i = 0; i < race->nsites; i++)
        if (!i || !same_site(r, race->sites[0], race->sites[i])) site_put(out, r, race->sites[i]);
    for (u32 i = 0; i < race->nwhy; i++) {
        buf_c(out, "<li>");
        html_text(out, race->why[i]);
        buf_c(out, "</li>\n");
    }
    buf_c(out, "</ul>\n");
    if (f) {
        buf_c(out, "<p>Fix: ");
        html_text(out, f->transform);
        buf_fmt(out, " (%s) ", f->declined ? "declined" : safety_name[f->safety]);
        html_text(out, f->reason);
        buf_c(out, "</p>\n");
    }
    buf_c(out, "</section>\n");
}

void html_rules(Buf *out, const Results *r)
{
    u32 count[RULE_COUNT] = {0};
    for (u32 i = 0; i < r->races->n; i++) count[r->races->v[i].rule] += !r->races->v[i].suppressed;
    buf_c(out, "<table><tr><th>findings</th><th>rule</th><th></th></tr>\n");
    for (u32 i = 0; i < RULE_COUNT; i++)
        if (count[i])
            buf_fmt(out, "<tr><td>%u</td><td class=\"%s\">%s %s</td><td>%s</td></tr>\n", count[i],
                    severity_name[rule_table[i].severity], rule_table[i].code, rule_table[i].name,
                    rule_table[i].line);
    buf_c(out, "</table>\n");
}

void html_notes(Buf *out, const Results *r)
{
    if (r->notes->n) buf_c(out, "<section><h3>Not analysed</h3><ul>\n");
    for (u32 i = 0; i < r->notes->n; i++) {
        buf_c(out, "<li><code>");
        html_text(out, r->notes->v[i].path);
        buf_c(out, "</code> ");
        html_text(out, r->notes->v[i].message);
        buf_c(out, "</li>\n");
    }
    if (r->notes->n) buf_c(out, "</ul></section>\n");
}

void html_write(Buf *out, const Results *r)
{
    Counts c = results_count(r);
    buf_fmt(out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>ungil: %u findings</title>\n"
            "<meta name=\"viewport\" content=\"width=device-width\"><style>%s</style></head><body>\n"
            "<h1>%u findings</h1>\n<p>%u files, %llu lines; %u fixable with <code>ungil fix</code>.</p>\n",
            c.findings, html_style, c.findings, r->sources->n, (unsigned long long)c.lines, c.fixable);
    if (c.findings) html_rules(out, r);
    for (u32 i = 0; i < r->races->n; i++)
        if (!r->races->v[i].suppressed) html_finding(out, r, &r->races->v[i]);
    html_notes(out, r);
    buf_fmt(out, "<p><small>ungil %s</small></p>\n</body></html>\n", UNGIL_VERSION);
}
