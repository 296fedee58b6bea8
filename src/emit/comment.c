/* The texts that a review posts. Each comment ends in a line that readers do not see, which names its finding, so
 * that a later run knows it again.
 *
 * Whatever comes from the code is escaped: it cannot call people, close issues, or end a block early. */
#include "emit/post.h"

enum { ROOTS_SHOWN = 3, WHY_SHOWN = 2, HASH_SHOWN = 10 };

#define NOTE_MARKER "<!-- ungil:summary v1 -->"
#define GONE_MARKER "<!-- ungil:gone v1 -->"
#define FINDING_MARKER "<!-- ungil:finding v1 "

/* ---- escaping ------------------------------------------------------------------------------------------ */

/* Would the character, with what follows, make a mention, a reference or a link? */
static bool calls(Str text, size_t i)
{
    char c = text.p[i];
    Str rest = str_slice(text, i, text.n);
    bool www = i >= 2 && (text.p[i - 1] | 32) == 'w' && (text.p[i - 2] | 32) == 'w';
    if (c == '@') return rest.n > 1 && rest.p[1] != ' ';
    if (c == '#' || c == '!') return rest.n > 1 && rest.p[1] >= '0' && rest.p[1] <= '9';
    return str_starts(rest, S("://")) || (www && (str_starts(rest, S("w.")) || str_starts(rest, S("W."))));
}

/* Appends text so that Markdown shows it as it is and nobody is called by it. */
static void escaped_put(Buf *out, Str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\n' || c == '\r') {
            buf_char(out, ' ');
        } else if (c == '<') {
            buf_c(out, "&lt;");
        } else if (c == '&') {
            buf_c(out, "&amp;");
        } else {
            if (strchr("\\`*_[]>|~$", c)) buf_char(out, '\\');
            buf_char(out, c);
            if (calls(text, i)) buf_c(out, "\xe2\x80\x8b"); /* a space of no width */
        }
    }
}

static u32 longest_run(Str text, char c)
{
    u32 best = 0, run = 0;
    for (size_t i = 0; i < text.n; i++) {
        run = text.p[i] == c ? run + 1 : 0;
        best = MAX(best, run);
    }
    return best;
}

/* Code between backquotes, more of them than it holds. */
static void code_put(Buf *out, Str text)
{
    u32 n = longest_run(text, '`') + 1;
    bool pad = n > 1 || !text.n;
    buf_fill(out, '`', n);
    if (pad) buf_char(out, ' ');
    for (size_t i = 0; i < text.n; i++) buf_char(out, text.p[i] == '\n' ? ' ' : text.p[i]);
    if (pad) buf_char(out, ' ');
    buf_fill(out, '`', n);
}

/* A fenced block; the text gets a newline at its end. */
static void block_put(Buf *out, const char *info, Str text)
{
    u32 n = MAX(longest_run(text, '`') + 1, 3u);
    buf_fill(out, '`', n);
    buf_fmt(out, "%s\n%.*s", info, STR_ARG(text));
    if (text.n && text.p[text.n - 1] != '\n') buf_char(out, '\n');
    buf_fill(out, '`', n);
    buf_char(out, '\n');
}

/* ---- markers ------------------------------------------------------------------------------------------- */

static Str marker_make(Arena *a, const Remark *m)
{
    return str_fmt(a, FINDING_MARKER "%.*s %.*s -->", STR_ARG(m->rule), STR_ARG(m->fingerprint));
}

/* Takes the last line off. */
static Str last_line(Str *text)
{
    *text = str_trim(*text);
    size_t at = str_rfind(*text, '\n');
    Str line = str_trim(at < text->n ? str_slice(*text, at + 1, text->n) : *text);
    *text = at < text->n ? str_slice(*text, 0, at) : (Str){0};
    return line;
}

bool marker_read(Str body, Thread *t)
{
    Str rest = body, line = last_line(&rest);
    t->body = body;
    t->gone = str_is(line, GONE_MARKER);
    if (t->gone) line = last_line(&rest);
    if (!str_starts(line, S(FINDING_MARKER)) || !str_ends(line, S(" -->"))) return false;
    line = str_slice(line, sizeof FINDING_MARKER - 1, line.n - 4);
    size_t blank = str_rfind(line, ' ');
    t->fingerprint = blank < line.n ? str_slice(line, blank + 1, line.n) : (Str){0};
    return t->fingerprint.n == 16;
}

bool note_marked(Str body)
{
    return str_is(last_line(&body), NOTE_MARKER);
}

/* ---- comments ------------------------------------------------------------------------------------------ */

static void place_put(Buf *out, const Remark *m)
{
    Buf b = {0};
    buf_fmt(&b, "%.*s:%u", STR_ARG(m->path), m->line);
    code_put(out, buf_view(&b));
    buf_free(&b);
}

static void cause_put(Buf *out, const Remark *m)
{
    bool here = str_eq(m->anchor.path, m->path) && m->line >= m->anchor.first && m->line <= m->anchor.last;
    if (here || !m->anchor.set) return;
    buf_c(out, str_is(m->cause, "thread") ? "A thread that is started here makes " : "What is done here makes ");
    place_put(out, m);
    buf_c(out, " racy.\n\n");
}

static void head_put(Buf *out, const Remark *m)
{
    cause_put(out, m);
    buf_fmt(out, "**%.*s %.*s**: ", STR_ARG(m->rule), STR_ARG(m->name));
    escaped_put(out, m->message);
    buf_c(out, m->message.p[m->message.n - 1] == '.' ? "\n" : ".\n");
}

/* "reached from Thread(target=f), which may run more than once at a time": the threads are named already. */
static bool names_root(Str why)
{
    return str_starts(why, S("reached from "));
}

static void roots_put(Buf *out, const Remark *m)
{
    bool many = false;
    for (u32 i = 0; i < m->why.n; i++)
        many |= names_root(m->why.v[i]) && str_contains(m->why.v[i], S("more than once at a time"));
    buf_c(out, "\n- Run by ");
    for (u32 i = 0; i < MIN(m->roots.n, (u32)ROOTS_SHOWN); i++) {
        if (i) buf_c(out, ", ");
        bool code = str_find(m->roots.v[i], '(') < m->roots.v[i].n; /* "Thread(target=f) at a.py:5", "any thread" */
        if (code)
            code_put(out, m->roots.v[i]);
        else
            escaped_put(out, m->roots.v[i]);
        if (i == 0 && many) buf_c(out, " (more than once at a time)");
    }
    if (m->roots.n > ROOTS_SHOWN) buf_fmt(out, " and %u more", m->roots.n - ROOTS_SHOWN);
}

static void evidence_put(Buf *out, const Remark *m)
{
    u32 shown = 0;
    if (m->roots.n) roots_put(out, m);
    for (u32 i = 0; i < m->why.n && shown < WHY_SHOWN; i++) {
        if (m->roots.n && names_root(m->why.v[i])) continue;
        buf_c(out, "\n- ");
        escaped_put(out, m->why.v[i]);
        shown++;
    }
    if (m->roots.n || shown) buf_char(out, '\n');
}

/* Does the thread stand exactly where the suggestion would have to? */
static bool thread_fits(const Remark *m, const Thread *t)
{
    return !t || (t->first == m->anchor.first && (!t->last || t->last == m->anchor.last) &&
                  str_eq(t->path, m->anchor.path)); /* GitLab names the first line only */
}

static void suggestion_put(Buf *out, const Poster *p, const Remark *m)
{
    char info[48] = "suggestion";
    buf_c(out, "\nThis takes care of it:\n\n");
    if (p->service->suggest == SUGGEST_OFFSET)
        snprintf(info, sizeof info, "suggestion:-0+%u", m->anchor.last - m->anchor.first);
    block_put(out, info, m->suggestion);
}

static void no_fix_put(Buf *out, const Remark *m)
{
    if (!m->transform.n) return;
    if (str_is(m->safety, "unsafe"))
        buf_c(out, "\n`ungil fix --unsafe-fixes` has a fix that a person must look at");
    else
        buf_c(out, "\nThere is no fix to show");
    if (m->reason.n) {
        buf_c(out, ": ");
        escaped_put(out, m->reason);
    }
    buf_c(out, ".\n");
}

static void fix_put(Buf *out, const Poster *p, const Remark *m, const Thread *there)
{
    if (m->fixed_with != NONE) {
        buf_c(out, "\nThe fix shown at ");
        place_put(out, &p->remarks.v[m->fixed_with]);
        buf_c(out, " takes care of this one too.\n");
    } else if (m->suggested && p->service->suggest && m->suggestion.n < p->service->body_max / 2 &&
               thread_fits(m, there)) {
        suggestion_put(out, p, m);
    } else if (m->patch.n && m->patch.n < p->service->body_max / 2) {
        buf_c(out, "\nThe complete fix");
        if (str_is(m->safety, "unsafe") && m->reason.n) {
            buf_c(out, ", to be looked at (");
            escaped_put(out, m->reason);
            buf_char(out, ')');
        }
        buf_c(out, ", for `git apply`:\n\n");
        block_put(out, "diff", m->patch);
    } else if (m->patch.n) {
        buf_c(out, "\nThe fix is too long to be shown here; `ungil diff` prints it.\n");
    } else {
        no_fix_put(out, m);
    }
}

static Str taken(Arena *a, Buf *b)
{
    Str s = str_dup(a, buf_view(b));
    buf_free(b);
    return s;
}

Str remark_body(Poster *p, const Remark *m, const Thread *there)
{
    Buf out = {0};
    head_put(&out, m);
    evidence_put(&out, m);
    fix_put(&out, p, m, there);
    buf_fmt(&out, "\n%.*s", STR_ARG(marker_make(p->a, m)));
    return taken(p->a, &out);
}

Str gone_body(Poster *p, const Thread *t)
{
    Buf out = {0};
    buf_fmt(&out, "**No longer found** in %.*s.\n\n%.*s\n" GONE_MARKER, (int)MIN(p->head.n, (size_t)HASH_SHOWN),
            p->head.p, STR_ARG(str_trim(t->body)));
    return taken(p->a, &out);
}

/* ---- the summary --------------------------------------------------------------------------------------- */

Str review_body(Poster *p)
{
    Buf out = {0};
    buf_c(&out, "This change ");
    escaped_put(&out, p->summary);
    buf_c(&out, ".");
    return taken(p->a, &out);
}

Str note_body(Poster *p, const u32 *listed, u32 n)
{
    Buf out = {0};
    u32 shown = 0;
    buf_c(&out, "**ungil**: this change ");
    escaped_put(&out, p->summary);
    buf_fmt(&out, " (%.*s).\n", (int)MIN(p->head.n, (size_t)HASH_SHOWN), p->head.p);
    if (n)
        buf_c(&out,
              "\nWithout a comment of their own, since their lines are not in the diff or there are too many:\n\n");
    for (; shown < n && out.n < p->service->body_max / 2; shown++) {
        const Remark *m = &p->remarks.v[listed[shown]];
        buf_c(&out, "- ");
        place_put(&out, m);
        buf_fmt(&out, " %.*s: ", STR_ARG(m->rule));
        escaped_put(&out, m->message);
        buf_char(&out, '\n');
    }
    if (shown < n) buf_fmt(&out, "- and %u more; `ungil review` prints them all\n", n - shown);
    buf_c(&out, "\n" NOTE_MARKER);
    return taken(p->a, &out);
}
