/* Findings in the chosen format, with the summary, the notes and the exit status. */
#include "emit/emit.h"

#include <errno.h>
#include <unistd.h>

const Writer writer_table[FMT_COUNT] = {
    [FMT_TEXT] = {text_write, true},          [FMT_CONCISE] = {concise_write, true},
    [FMT_JSON] = {json_write, false},         [FMT_JSONL] = {jsonl_write, false},
    [FMT_SARIF] = {sarif_write, false},       [FMT_RDJSON] = {rdjson_write, false},
    [FMT_GITHUB] = {github_write, false},     [FMT_GITLAB] = {gitlab_write, false},
    [FMT_HTML] = {html_write, false},         [FMT_JUNIT] = {junit_write, false},
    [FMT_MARKDOWN] = {markdown_write, false},
};

bool emit_text(const Options *o, Str text, Err *e)
{
    if (o && o->output.n) return os_replace_file(o->output.p, text, e);
    while (text.n) {
        ssize_t n = write(STDOUT_FILENO, text.p, text.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EPIPE) return true; /* the reader has seen enough */
        if (n < 0) return err_set(e, "cannot write the result: %s", strerror(errno));
        text = str_slice(text, (size_t)n, text.n);
    }
    return true;
}

static const char *plural(u32 n)
{
    return n == 1 ? "" : "s";
}

void notes_put(Buf *out, const Results *r)
{
    for (u32 i = 0; i < r->notes->n; i++) {
        const Note *n = &r->notes->v[i];
        buf_c(out, "note: ");
        if (n->path.n) {
            safe_put(out, n->path);
            if (n->line) buf_fmt(out, ":%u", n->line);
            buf_c(out, ": ");
        }
        safe_put(out, n->message);
        buf_char(out, '\n');
    }
}

static void statistics_put(Buf *out, const Results *r)
{
    u32 count[RULE_COUNT] = {0};
    for (u32 i = 0; i < r->races->n; i++)
        if (!r->races->v[i].suppressed) count[r->races->v[i].rule]++;
    for (u32 i = 0; i < RULE_COUNT; i++)
        if (count[i]) buf_fmt(out, "%6u  %s %s\n", count[i], rule_table[i].code, rule_table[i].name);
}

static void counts_put(Buf *out, const Results *r, const Counts *c)
{
    if (!c->findings) return;
    buf_fmt(out, "%u finding%s (%u high, %u medium", c->findings, plural(c->findings), c->high, c->medium);
    if (c->low) buf_fmt(out, ", %u low", c->low);
    buf_fmt(out, ") in %u file%s; %u fixable with ungil fix", c->files, plural(c->files), c->fixable);
    if (c->unsafe) buf_fmt(out, " (%u more with --unsafe-fixes)", c->unsafe);
    if (c->fixable) buf_fmt(out, ", which proves each first"); /* this output has no edits, and so no proof */
    if (c->known) buf_fmt(out, "; %u in the baseline", c->known);
    if (r->notes->n) buf_fmt(out, "; %u note%s", r->notes->n, plural(r->notes->n));
    buf_char(out, '\n');
}

/* What silence does not cover, in one line. */
static void unseen_put(Buf *out, const Results *r)
{
    u32 count[UNSEEN_COUNT], n = 0;
    results_unseen(r, count);
    for (u32 k = 0; k < UNSEEN_COUNT; k++)
        if (count[k]) buf_fmt(out, "%s%s (%u)", n++ ? ", " : "not followed: ", unseen_table[k].what, count[k]);
    if (n) buf_char(out, '\n');
}

/* Nothing found: one line on stderr, and where the notes go. */
static void silence_put(const Results *r, const Counts *c)
{
    fprintf(stderr, "ungil: nothing to report in %u file%s", r->sources->n, plural(r->sources->n));
    if (c->known) fprintf(stderr, "; %u in the baseline", c->known);
    if (r->notes->n) fprintf(stderr, "; %u note%s", r->notes->n, plural(r->notes->n));
    fprintf(stderr, r->sources->n ? "\n" : " (no Python files found)\n");
    Buf unseen = {0};
    unseen_put(&unseen, r);
    if (unseen.n) fprintf(stderr, "ungil: %s", unseen.p);
    buf_free(&unseen);
    if (r->options->verbosity > 0)
        fprintf(stderr, "ungil: %llu lines in %.2f seconds\n", (unsigned long long)c->lines, r->seconds);
}

int emit_findings(const Results *r, Err *e)
{
    const Options *o = r->options;
    const Writer *w = &writer_table[o->format];
    Counts c = results_count(r);
    Buf out = {0};
    w->write(&out, r);
    if (w->summary && o->statistics) statistics_put(&out, r);
    if (w->summary && o->verbosity >= 0) {
        notes_put(&out, r);
        counts_put(&out, r, &c);
        if (c.findings) unseen_put(&out, r);
    }
    bool ok = emit_text(o, buf_view(&out), e);
    buf_free(&out);
    if (!ok || (o->step_summary && !step_summary_append(r, e))) return 2;
    if (!c.findings && w->summary && o->verbosity >= 0) silence_put(r, &c);
    return exit_status(r, c.serious > 0);
}
