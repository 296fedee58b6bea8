/* Findings as workflow commands of GitHub Actions, which become annotations. GitHub shows the first ten errors and
 * warnings of a step, so the gravest come first. */
#include "emit/emit.h"

/* Escapes what would end the command early; property values need more of it than the message. What a log cannot show
 * becomes U+FFFD. */
static void escaped(Buf *out, Str s, bool property)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        size_t n = shown_length(s, i);
        if (!n)
            buf_c(out, NO_CHARACTER);
        else if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
            buf_fmt(out, "%%%02X", (u8)c);
        else
            buf_bytes(out, s.p + i, n);
        if (n) i += n - 1;
    }
}

static void command_put(Buf *out, const Results *r, Str prefix, const Race *race)
{
    static const char *const words[] = {"notice", "warning", "error"};
    const RuleInfo *rule = &rule_table[race->rule];
    buf_fmt(out, "::%s file=", words[race->severity]);
    escaped(out, prefix, true);
    escaped(out, file_source(r, race->file)->path, true);
    buf_fmt(out, ",line=%u", race->line);
    /* GitHub refuses columns of a range over several lines. */
    if (race->line == race->end_line)
        buf_fmt(out, ",endLine=%u,col=%u,endColumn=%u", race->end_line, race->column, race->end_column);
    else
        buf_fmt(out, ",endLine=%u", race->end_line);
    buf_fmt(out, ",title=%s %s::", rule->code, rule->name);
    escaped(out, race->message, false);
    buf_char(out, '\n');
}

void github_write(Buf *out, const Results *r)
{
    Str prefix = repo_prefix(r->arena, r->options->root);
    for (int severity = SEV_ERROR; severity >= SEV_NOTE; severity--)
        for (u32 i = 0; i < r->races->n; i++) {
            const Race *race = &r->races->v[i];
            if (!race->suppressed && race->severity == severity) command_put(out, r, prefix, race);
        }
}
