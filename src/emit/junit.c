/* Findings as a JUnit report, for CI systems that show nothing else. It follows the schema of Jenkins' xUnit plugin,
 * which is stricter than what the others read.
 *
 * A file with findings is a suite, a finding a failed test; advice and suppressed findings, which do not make a run
 * fail, are skipped ones, and so is what could not be analysed. One test that passes says that the run took place,
 * because a report without a test counts as an error. */
#include "emit/emit.h"

/* Text and attributes alike; what XML 1.0 cannot hold, and what is not UTF-8, becomes U+FFFD. */
static void xml_put(Buf *out, Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        u8 c = (u8)s.p[i];
        size_t n = shown_length(s, i);
        bool beyond =
            c == 0xef && i + 2 < s.n && (u8)s.p[i + 1] == 0xbf && (u8)s.p[i + 2] >= 0xbe; /* U+FFFE, U+FFFF */
        if (c == '&')
            buf_c(out, "&amp;");
        else if (c == '<')
            buf_c(out, "&lt;");
        else if (c == '>')
            buf_c(out, "&gt;");
        else if (c == '"')
            buf_c(out, "&quot;");
        else if (c == '\n' || c == '\t' || c == '\r')
            buf_fmt(out, "&#%u;", c);
        else if (beyond || !n)
            buf_c(out, NO_CHARACTER);
        else
            buf_bytes(out, s.p + i, n);
        if (n) i += n - 1;
    }
}

static void case_open(Buf *out, Str class, Str name)
{
    buf_c(out, "    <testcase classname=\"");
    xml_put(out, class);
    buf_c(out, "\" name=\"");
    xml_put(out, name);
    buf_c(out, "\" time=\"0\">\n");
}

static void site_put(Buf *text, const Results *r, u32 gaccess)
{
    const Access *x = program_access(r->program, gaccess);
    const LockSet *set = access_lockset(r, gaccess);
    buf_fmt(text, "  %.*s:%u:%u: %s, ", STR_ARG(file_source(r, access_gid(r->program, gaccess).file)->path), x->line,
            x->column, access_word(x));
    buf_c(text, set->n ? "holding " : "no lock held");
    for (u32 i = 0; i < set->n; i++)
        buf_fmt(text, "%s%.*s", i ? ", " : "", STR_ARG(r->program->locks.v[set->ids[i]].display));
    buf_char(text, '\n');
}

static void race_put(Buf *out, const Results *r, const Race *race)
{
    const RuleInfo *rule = &rule_table[race->rule];
    const Source *s = file_source(r, race->file);
    Buf text = {0};
    buf_fmt(&text, "%s %s (line %u, column %u)", rule->code, rule->name, race->line, race->column);
    case_open(out, s->module.n ? s->module : s->path, buf_view(&text));
    buf_free(&text);
    const char *tag = race->suppressed || race->severity == SEV_NOTE ? "skipped" : "failure";
    buf_fmt(out, "      <%s type=\"%s\" message=\"", tag, rule->code);
    if (race->known)
        buf_c(out, "listed in the baseline");
    else if (race->suppressed)
        buf_c(out, race->suppress_reason.n ? "suppressed: " : "suppressed");
    else if (race->severity == SEV_NOTE)
        buf_c(out, "advice: ");
    xml_put(out, race->suppressed ? race->suppress_reason : race->message);
    buf_c(out, "\">");
    buf_fmt(&text, "%.*s:%u:%u: %.*s\n", STR_ARG(s->path), race->line, race->column, STR_ARG(race->message));
    for (u32 i = 0; i < race->nsites; i++)
        if (!i || !same_site(r, race->sites[0], race->sites[i])) site_put(&text, r, race->sites[i]);
    xml_put(out, buf_view(&text));
    buf_free(&text);
    buf_fmt(out, "</%s>\n    </testcase>\n", tag);
}

/* The findings of one file, which stand together; returns the index after the last one. */
static u32 suite_put(Buf *out, const Results *r, Str prefix, u32 from)
{
    u32 end = from, failures = 0, skipped = 0;
    const RaceVec *all = r->races;
    for (; end < all->n && all->v[end].file == all->v[from].file; end++) {
        bool failed = !all->v[end].suppressed && all->v[end].severity != SEV_NOTE;
        failures += failed;
        skipped += !failed;
    }
    Str path = str_fmt(r->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(file_source(r, all->v[from].file)->path));
    buf_c(out, "  <testsuite name=\"");
    xml_put(out, path);
    buf_c(out, "\" file=\"");
    xml_put(out, path);
    buf_fmt(out, "\" tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\" time=\"0\">\n", end - from, failures,
            skipped);
    for (u32 i = from; i < end; i++) race_put(out, r, &all->v[i]);
    buf_c(out, "  </testsuite>\n");
    return end;
}

/* That the run took place, and what it left out. */
static void run_put(Buf *out, const Results *r, const Counts *c)
{
    Buf text = {0};
    buf_fmt(out,
            "  <testsuite name=\"ungil\" tests=\"%u\" failures=\"0\" errors=\"0\" skipped=\"%u\" time=\"%.3f\">\n",
            r->notes->n + 1, r->notes->n, r->seconds < 900 ? r->seconds : 900.0);
    buf_fmt(&text, "analysed %u files, %llu lines", r->sources->n, (unsigned long long)c->lines);
    case_open(out, S("ungil"), buf_view(&text));
    buf_c(out, "    </testcase>\n");
    buf_free(&text);
    for (u32 i = 0; i < r->notes->n; i++) {
        const Note *n = &r->notes->v[i];
        buf_fmt(&text, "%.*s", STR_ARG(n->path));
        if (n->line) buf_fmt(&text, ":%u", n->line);
        case_open(out, str_fmt(r->arena, "ungil.%s", n->code), n->path.n ? buf_view(&text) : S("the run"));
        buf_free(&text);
        buf_fmt(out, "      <skipped type=\"%s\" message=\"", n->code);
        xml_put(out, n->message);
        buf_c(out, "\"></skipped>\n    </testcase>\n");
    }
    buf_c(out, "  </testsuite>\n");
}

void junit_write(Buf *out, const Results *r)
{
    Counts c = results_count(r);
    Str prefix = repo_prefix(r->arena, r->options->root);
    buf_fmt(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites name=\"ungil\" tests=\"%u\" failures=\"%u\" errors=\"0\" time=\"%.3f\">\n",
            r->races->n + r->notes->n + 1, c.serious, r->seconds < 900 ? r->seconds : 900.0);
    run_put(out, r, &c);
    for (u32 i = 0; i < r->races->n;) i = suite_put(out, r, prefix, i);
    buf_c(out, "</testsuites>\n");
}
