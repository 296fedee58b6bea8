/* `ungil report`: one HTML page that needs nothing else, to be handed around: where the project stands, the plan,
 * what guards what, the threads in sight, each finding with the diff of its fix, and what was not analysed. It holds
 * no date and no time: the same program gives the same page. Works without scripts; what is long is folded. */
#include "emit/html.h"
#include "emit/plan.h"

enum {
    OPEN = 20,  /* so many findings or fewer are shown unfolded */
    EDITS = 200 /* of so many findings of one file the edit is shown; each takes a diff of the whole file */
};

static const char more_style[] =
    "nav li{display:inline;margin-right:1.2em}nav ul{padding:0}summary{cursor:pointer}summary h3,summary "
    "h2{display:inline}li.step{list-style:none}ins{color:#116329;text-decoration:none}del{color:#b00020;"
    "text-decoration:none}@media(prefers-color-scheme:dark){ins{color:#7ee787}del{color:#ff8a80}}@media "
    "print{nav{display:none}body{max-width:none}pre{white-space:pre-wrap}}";

/* The line of a diff; marked when it is added or taken away. */
static void diff_line(Buf *out, Str line)
{
    bool added = line.n && line.p[0] == '+', gone = line.n && line.p[0] == '-';
    if (added || gone) buf_c(out, added ? "<ins>" : "<del>");
    html_text(out, line);
    if (added || gone) buf_c(out, added ? "</ins>" : "</del>");
    buf_char(out, '\n');
}

/* The diff that the finding's fix alone makes; nothing when it has none. */
static bool fix_diff(Buf *out, const Results *r, const Race *race, Err *e)
{
    const Fix *f = race_fix(r, race);
    if (!f || f->declined || f->safety == FIX_MANUAL) return true;
    Arena scratch = {0};
    ChangeVec changes = {0};
    Buf diff = {0};
    bool ok = true;
    fix_changes(&scratch, r, race->fix, &changes);
    for (u32 i = 0; ok && i < changes.n; i++) {
        const Change *c = &changes.v[i];
        ok = diff_put(&scratch, &diff, c->before, S(""), c->before->text, c->after, e);
    }
    Str text = buf_view(&diff);
    if (ok && text.n) buf_c(out, "<details><summary>the edit</summary><pre>");
    for (size_t at = 0; ok && at < text.n;) {
        Str rest = str_slice(text, at, text.n), line = str_slice(rest, 0, str_find(rest, '\n'));
        diff_line(out, line);
        at += line.n + 1;
    }
    if (ok && text.n) buf_c(out, "</pre></details>\n");
    buf_free(&diff);
    arena_free(&scratch);
    return ok;
}

static bool findings_put(Buf *out, const Results *r, Err *e)
{
    Counts c = results_count(r);
    u32 last = NONE, edits = 0;
    buf_c(out, "<h2 id=\"findings\">Findings</h2>\n");
    if (!c.findings) buf_c(out, "<p>None.</p>\n");
    for (u32 i = 0; i < r->races->n; i++) {
        const Race *race = &r->races->v[i];
        if (race->suppressed) continue;
        if (race->file != last) {
            edits = 0;
            buf_fmt(out, "%s<details%s><summary><h3>", last == NONE ? "" : "</details>\n",
                    c.findings <= OPEN ? " open" : "");
            html_text(out, file_source(r, race->file)->path);
            buf_c(out, "</h3></summary>\n");
        }
        last = race->file;
        html_finding(out, r, race);
        if (edits++ < EDITS && !fix_diff(out, r, race, e)) return false;
        if (edits == EDITS + 1)
            buf_c(out, "<p>Edits of further findings in this file: <code>ungil diff --only FINGERPRINT</code></p>\n");
    }
    if (last != NONE) buf_c(out, "</details>\n");
    return true;
}

static void step_put(Buf *out, const Results *r, const PlanStep *s)
{
    buf_c(out, "<li class=\"step\">&#9744; <code>");
    html_text(out, s->files);
    buf_c(out, "</code>: ");
    html_text(out, step_title(r->arena, r, s));
    if (s->owners.n) {
        buf_c(out, "; owned by ");
        html_text(out, s->owners);
    }
    if (s->command.n) {
        buf_c(out, "<br><code>");
        html_text(out, s->command);
        buf_c(out, "</code>");
    }
    buf_c(out, "</li>\n");
}

static void plan_put(Buf *out, const Results *r, const MigrationPlan *p)
{
    buf_c(out, "<h2 id=\"plan\">Plan</h2>\n");
    if (!p->steps.n) buf_c(out, "<p>Nothing to do.</p>\n");
    for (u32 phase = 0; phase < PHASES; phase++) {
        if (p->first[phase] == p->first[phase + 1]) continue;
        u32 n = p->findings[phase];
        buf_fmt(out, "<h3>%s: %u finding%s</h3>\n<p>%s</p>\n<ul>\n", phase_table[phase].title, n, n == 1 ? "" : "s",
                phase_table[phase].what);
        for (u32 i = p->first[phase]; i < p->first[phase + 1]; i++) step_put(out, r, &p->steps.v[i]);
        buf_c(out, "</ul>\n");
    }
}

static void threads_put(Buf *out, const Results *r)
{
    StrVec names = {0};
    roots_named(r->arena, r->program, &names);
    buf_c(out, "<h2 id=\"threads\">Threads in sight</h2>\n");
    buf_c(out, names.n ? "<ul>\n" : "<p>None.</p>\n");
    for (u32 i = 0; i < names.n; i++) {
        buf_c(out, "<li><code>");
        html_text(out, names.v[i]);
        buf_c(out, "</code></li>\n");
    }
    if (names.n) buf_c(out, "</ul>\n");
}

static void burndown_put(Buf *out, const Burndown *b)
{
    if (!b) return;
    buf_c(out, "<h2 id=\"since\">Since <code>");
    html_text(out, b->rev);
    buf_c(out, "</code></h2>\n<table><tr><th>rule</th><th>then</th><th>now</th><th>gone</th><th>new</th></tr>\n");
    for (u32 i = 0; i < RULE_COUNT; i++) {
        const BurndownRow *x = &b->rules[i];
        if (!x->then && !x->now) continue;
        buf_fmt(out, "<tr><td>%s %s</td><td>%u</td><td>%u</td><td>%u</td><td>%u</td></tr>\n", rule_table[i].code,
                rule_table[i].name, x->then, x->now, x->gone, x->fresh);
    }
    buf_fmt(out, "<tr><td>all</td><td>%u</td><td>%u</td><td>%u</td><td>%u</td></tr>\n</table>\n", b->then, b->now,
            b->gone, b->fresh);
}

static void head_put(Buf *out, const Results *r)
{
    Counts c = results_count(r);
    buf_fmt(out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>ungil: report</title>\n"
            "<meta name=\"viewport\" content=\"width=device-width\"><style>%s%s</style></head><body>\n<h1>",
            html_style, more_style);
    html_text(out, plan_badge(r->arena, r));
    buf_fmt(out, "</h1>\n<p>%u files, %llu lines; %u fixable with <code>ungil fix</code>.</p>\n", r->sources->n,
            (unsigned long long)c.lines, c.fixable);
    buf_fmt(out, "<nav><ul>%s<li><a href=\"#plan\">Plan</a></li><li><a href=\"#guards\">Guards</a></li>",
            r->burndown ? "<li><a href=\"#since\">Since</a></li>" : "");
    buf_c(out, "<li><a href=\"#threads\">Threads</a></li><li><a href=\"#findings\">Findings</a></li></ul></nav>\n");
    if (c.findings) html_rules(out, r);
    burndown_put(out, r->burndown);
}

int emit_report(const Results *r, Err *e)
{
    MigrationPlan plan;
    Buf out = {0};
    if (!plan_make(r->arena, r, &plan, e)) return 2;
    head_put(&out, r);
    plan_put(&out, r, &plan);
    buf_c(&out, "<details open><summary><h2 id=\"guards\">What guards what</h2></summary>\n");
    guards_html(&out, r->program);
    buf_c(&out, "</details>\n");
    threads_put(&out, r);
    bool ok = findings_put(&out, r, e);
    html_notes(&out, r);
    buf_fmt(&out, "<p><small>ungil %s</small></p>\n</body></html>\n", UNGIL_VERSION);
    ok = ok && emit_text(r->options, buf_view(&out), e);
    buf_free(&out);
    return ok ? exit_status(r, results_count(r).serious > 0) : 2;
}
