/* Findings as GitHub's Markdown: a table of all, then one folded paragraph each with the accesses, the locks and what
 * `ungil fix` would do. For summaries of CI runs and for issues. In a step of GitHub Actions places link to the
 * commit's file.
 *
 * A step's summary holds at most a mebibyte; what would go beyond is counted instead. */
#include "emit/emit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUMMARY_MAX = 1 << 20, SUMMARY_MARGIN = 1 << 12 };

/* ---- text ---------------------------------------------------------------------------------------------- */

/* Characters that have no meaning in Markdown, but must not end a line or be what cannot be shown. Returns their
 * bytes. */
static size_t character_put(Buf *out, Str s, size_t i)
{
    size_t n = shown_length(s, i);
    if (!n)
        buf_c(out, NO_CHARACTER);
    else if ((u8)s.p[i] < ' ')
        buf_char(out, ' ');
    else
        buf_bytes(out, s.p + i, n);
    return n ? n : 1;
}

void markdown_plain(Buf *out, Str s)
{
    for (size_t i = 0; i < s.n;) {
        char c = s.p[i];
        if (c == '<' || c == '&' || c == '@') { /* a decorator is nobody to be told */
            buf_c(out, c == '<' ? "&lt;" : c == '&' ? "&amp;" : "&#64;");
            i++;
            continue;
        }
        if (c && strchr("\\`*_[]|#~>!", c)) buf_char(out, '\\');
        i += character_put(out, s, i);
    }
}

void markdown_code(Buf *out, Str s, bool table)
{
    u32 most = 0, row = 0;
    for (size_t i = 0; i < s.n; i++) {
        row = s.p[i] == '`' ? row + 1 : 0;
        most = MAX(most, row);
    }
    bool pad = s.n && (s.p[0] == '`' || s.p[s.n - 1] == '`');
    buf_fill(out, '`', most + 1);
    if (pad) buf_char(out, ' ');
    for (size_t i = 0; i < s.n; i += character_put(out, s, i))
        if (s.p[i] == '|' && table) buf_char(out, '\\');
    if (pad) buf_char(out, ' ');
    buf_fill(out, '`', most + 1);
}

/* The web address of the files of this commit, "…/blob/SHA/"; empty outside of GitHub Actions. */
static Str files_address(Arena *a)
{
    const char *server = getenv("GITHUB_SERVER_URL"), *name = getenv("GITHUB_REPOSITORY"),
               *sha = getenv("GITHUB_SHA");
    if (!server || !name || !sha || !*server || !*name || !*sha) return (Str){0};
    return str_fmt(a, "%s/%s/blob/%s/", server, name, sha);
}

typedef struct Markdown {
    const Results *r;
    Str prefix, files;
} Markdown;

static void place_put(Buf *out, const Markdown *m, const Source *s, u32 line, bool table)
{
    if (m->files.n) buf_char(out, '[');
    Str text = str_fmt(m->r->arena, "%.*s:%u", STR_ARG(s->path), line);
    markdown_code(out, text, table);
    if (!m->files.n) return;
    buf_fmt(out, "](%.*s", STR_ARG(m->files));
    Str path = str_fmt(m->r->arena, "%.*s%.*s", STR_ARG(m->prefix), STR_ARG(s->path));
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~/", c);
        if (kept && c)
            buf_char(out, c);
        else
            buf_fmt(out, "%%%02X", (u8)c);
    }
    buf_fmt(out, "#L%u)", line);
}

/* ---- one finding --------------------------------------------------------------------------------------- */

static void fix_put(Buf *out, const Markdown *m, const Race *race, bool brief)
{
    const Fix *f = race_fix(m->r, race);
    if (!f || f->declined || f->safety == FIX_MANUAL) {
        buf_c(out, brief ? "by hand" : "No automatic fix");
        if (!brief && f && f->reason.n) buf_c(out, ": "), markdown_plain(out, f->reason);
        if (!brief) buf_char(out, '.');
        return;
    }
    const char *unsafe = f->safety == FIX_UNSAFE ? " --unsafe-fixes" : "";
    buf_fmt(out, brief ? "`ungil fix%s`" : "Fixed by `ungil fix%s`", unsafe);
    if (brief) return;
    buf_fmt(out, " (%.*s", STR_ARG(f->transform));
    if (f->lock != NONE) {
        buf_c(out, ", lock ");
        markdown_code(out, m->r->fixes->locks.v[f->lock].display, false);
    }
    buf_char(out, ')');
    if (f->reason.n) buf_c(out, ": "), markdown_plain(out, f->reason);
    buf_char(out, '.');
}

static void row_put(Buf *out, const Markdown *m, const Race *race)
{
    const RuleInfo *rule = &rule_table[race->rule];
    buf_c(out, "| ");
    place_put(out, m, file_source(m->r, race->file), race->line, true);
    buf_fmt(out, " | %s %s | %s | ", rule->code, rule->name, confidence_name[race->confidence]);
    markdown_plain(out, race->message);
    buf_c(out, " | ");
    fix_put(out, m, race, true);
    buf_c(out, " |\n");
}

static void site_put(Buf *out, const Markdown *m, u32 gaccess)
{
    Str roots[SITE_ROOTS];
    const Access *x = program_access(m->r->program, gaccess);
    const LockSet *set = access_lockset(m->r, gaccess);
    u32 n = site_roots(m->r, gaccess, roots);
    buf_c(out, "- ");
    place_put(out, m, file_source(m->r, access_gid(m->r->program, gaccess).file), x->line, false);
    buf_fmt(out, ": %s, %s", access_word(x), set->n ? "holding " : "no lock held");
    for (u32 i = 0; i < set->n; i++) {
        if (i) buf_c(out, ", ");
        markdown_code(out, m->r->program->locks.v[set->ids[i]].display, false);
    }
    for (u32 i = 0; i < n; i++) {
        buf_c(out, i ? ", " : "; run by ");
        markdown_plain(out, roots[i]);
    }
    buf_char(out, '\n');
}

static void details_put(Buf *out, const Markdown *m, const Race *race)
{
    buf_fmt(out, "\n<details><summary>%s ", rule_table[race->rule].code);
    markdown_plain(out, str_fmt(m->r->arena, "%.*s:%u", STR_ARG(file_source(m->r, race->file)->path), race->line));
    buf_c(out, "</summary>\n\n");
    markdown_plain(out, race->message);
    buf_c(out, "\n\n");
    for (u32 i = 0; i < race->nsites; i++)
        if (!i || !same_site(m->r, race->sites[0], race->sites[i])) site_put(out, m, race->sites[i]);
    for (u32 i = 0; i < race->nwhy; i++)
        buf_c(out, "- why: "), markdown_plain(out, race->why[i]), buf_char(out, '\n');
    buf_char(out, '\n');
    fix_put(out, m, race, false);
    buf_c(out, "\n\n</details>\n");
}

/* ---- the page ------------------------------------------------------------------------------------------ */

static void heading_put(Buf *out, const Results *r, const Counts *c)
{
    if (!c->findings) {
        buf_fmt(out, "### ungil: nothing to report in %u file%s\n", r->sources->n, r->sources->n == 1 ? "" : "s");
        return;
    }
    buf_fmt(out, "### ungil: %u finding%s in %u file%s\n\n%u high, %u medium, %u low; %u fixable with `ungil fix`",
            c->findings, c->findings == 1 ? "" : "s", c->files, c->files == 1 ? "" : "s", c->high, c->medium, c->low,
            c->fixable);
    if (c->unsafe) buf_fmt(out, ", %u more with `--unsafe-fixes`", c->unsafe);
    buf_c(out, ".\n\n| place | rule | confidence | finding | fix |\n|---|---|---|---|---|\n");
}

static void notes_table(Buf *out, const Results *r)
{
    if (!r->notes->n) return;
    buf_fmt(out, "\n<details><summary>%u note%s about what was not analysed</summary>\n\n", r->notes->n,
            r->notes->n == 1 ? "" : "s");
    for (u32 i = 0; i < r->notes->n; i++) {
        const Note *n = &r->notes->v[i];
        buf_c(out, "- ");
        if (n->path.n) markdown_code(out, n->path, false), buf_c(out, ": ");
        markdown_plain(out, n->message);
        buf_char(out, '\n');
    }
    buf_c(out, "\n</details>\n");
}

/* The page in at most `room` bytes: first the details go, then rows. */
static void page_put(Buf *out, const Results *r, size_t room)
{
    Markdown m = {r, repo_prefix(r->arena, r->options->root), files_address(r->arena)};
    Counts c = results_count(r);
    Buf part = {0};
    u32 rows = 0, cut = 0;
    heading_put(out, r, &c);
    for (u32 i = 0; i < r->races->n; i++) {
        if (r->races->v[i].suppressed) continue;
        row_put(&part, &m, &r->races->v[i]);
        if (!cut && out->n + part.n < room)
            buf_str(out, buf_view(&part)), rows++;
        else
            cut++;
        part.n = 0;
    }
    if (cut) buf_fmt(out, "\n%u more findings do not fit here.\n", cut);
    for (u32 i = 0, done = 0; i < r->races->n && done < rows; i++) {
        if (r->races->v[i].suppressed) continue;
        details_put(&part, &m, &r->races->v[i]);
        if (out->n + part.n < room) buf_str(out, buf_view(&part));
        part.n = 0;
        done++;
    }
    notes_table(&part, r);
    if (out->n + part.n < room) buf_str(out, buf_view(&part));
    buf_free(&part);
}

void markdown_write(Buf *out, const Results *r)
{
    page_put(out, r, SIZE_MAX);
}

bool step_summary_append(const Results *r, Err *e)
{
    struct stat st;
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    if (!path || !*path)
        return err_set(e, "--step-summary appends to the file that GITHUB_STEP_SUMMARY names, and it is not set; use "
                          "--format markdown outside of GitHub Actions");
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && fstat(fd, &st) == 0;
    Buf page = {0};
    if (ok) {
        size_t used = (size_t)st.st_size + SUMMARY_MARGIN;
        page_put(&page, r, used < SUMMARY_MAX ? SUMMARY_MAX - used : 0);
        buf_char(&page, '\n');
        for (size_t at = 0; ok && at < page.n;) {
            ssize_t n = write(fd, page.p + at, page.n - at);
            if (n < 0 && errno == EINTR) continue;
            ok = n > 0;
            at += ok ? (size_t)n : 0;
        }
    }
    if (!ok) err_set(e, "cannot write the step's summary %s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    buf_free(&page);
    return ok;
}
