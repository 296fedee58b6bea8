/* Commits as mail, one NNNN-subject.patch each, as `git format-patch` writes them, for `git am`.
 *
 * Mail knows only ASCII headers and short lines that end in \n: other headers become RFC 2047 words, and a body with
 * carriage returns (files with CRLF), very long lines or lines that look like the start of a mail is sent as
 * quoted-printable, which `git am` turns back to the byte. */
#include "emit/commit.h"

#include <dirent.h>
#include <errno.h>
#include <time.h>

enum { HEADER = 76, BODY_LINE = 900, SUBJECT_NAME = 52 };

/* ---- headers ------------------------------------------------------------------------------------------- */

static bool plain(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((u8)s.p[i] >= 0x7f || (u8)s.p[i] < ' ') return false;
    return true;
}

/* Text of a header that is not ASCII, as encoded words of at most 75 characters. */
static void words_put(Buf *out, Str s)
{
    size_t n = 0;
    buf_c(out, "=?UTF-8?q?");
    for (size_t i = 0; i < s.n; i++) {
        u8 c = (u8)s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (n > 48 && (c & 0xc0) != 0x80) { /* not inside a character */
            buf_c(out, "?=\n =?UTF-8?q?");
            n = 0;
        }
        if (letter)
            buf_char(out, (char)c);
        else
            buf_fmt(out, "=%02X", c);
        n += letter ? 1 : 3;
    }
    buf_c(out, "?=");
}

static void subject_put(Buf *out, Str subject, u32 number, u32 count)
{
    Buf tag = {0};
    int width = snprintf(NULL, 0, "%u", count);
    buf_fmt(&tag, "Subject: [PATCH %0*u/%u] ", width, number, count);
    size_t column = tag.n;
    buf_str(out, buf_view(&tag));
    buf_free(&tag);
    if (!plain(subject)) {
        words_put(out, subject);
    } else {
        for (bool first = true; subject.n; first = false) {
            Str word = str_cut(subject, ' ', &subject);
            bool fold = !first && column + 1 + word.n > HEADER;
            if (!first) buf_c(out, fold ? "\n " : " ");
            buf_str(out, word);
            column = (fold ? 0 : column) + 1 + word.n;
        }
    }
    buf_char(out, '\n');
}

static void from_put(Buf *out, const git_signature *who)
{
    Str name = str_from(who->name);
    bool special = false;
    for (size_t i = 0; i < name.n; i++) special |= strchr("()<>[]:;@\\,.\"", name.p[i]) != NULL;
    buf_c(out, "From: ");
    if (!plain(name)) {
        words_put(out, name);
    } else if (special) {
        buf_char(out, '"');
        for (size_t i = 0; i < name.n; i++) buf_fmt(out, "%s%c", strchr("\"\\", name.p[i]) ? "\\" : "", name.p[i]);
        buf_char(out, '"');
    } else {
        buf_str(out, name);
    }
    buf_fmt(out, " <%s>\n", who->email);
}

static void date_put(Buf *out, git_time when)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;
    time_t local = (time_t)(when.time + when.offset * 60);
    int off = when.offset < 0 ? -when.offset : when.offset;
    gmtime_r(&local, &tm);
    buf_fmt(out, "Date: %s, %d %s %d %02d:%02d:%02d %c%02d%02d\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
            tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, when.offset < 0 ? '-' : '+', off / 60, off % 60);
}

/* ---- body ---------------------------------------------------------------------------------------------- */

static bool body_encoded(Str body)
{
    for (Str line; body.n;) {
        size_t n = str_find(body, '\n');
        line = str_slice(body, 0, n);
        body = str_slice(body, n + 1, body.n);
        if (n > BODY_LINE || str_starts(line, S("From ")) || str_find(line, '\r') < line.n) return true;
    }
    return false;
}

static void quoted_put(Buf *out, Str body)
{
    size_t column = 0;
    for (size_t i = 0; i < body.n; i++) {
        u8 c = (u8)body.p[i];
        bool ends = i + 1 == body.n || body.p[i + 1] == '\n';
        if (c == '\n') {
            buf_char(out, '\n');
            column = 0;
            continue;
        }
        if (column > 70) {
            buf_c(out, "=\n");
            column = 0;
        }
        bool from = column == 0 && c == 'F';
        bool literal = c != '=' && c < 0x7f && (c > ' ' || (c == ' ' && !ends)) && !from;
        if (literal)
            buf_char(out, (char)c);
        else
            buf_fmt(out, "=%02X", c);
        column += literal ? 1 : 3;
    }
}

/* ---- one patch ----------------------------------------------------------------------------------------- */

static bool diff_text(Commit *c, git_commit *commit, Buf *body)
{
    git_commit *parent = NULL;
    git_tree *old = NULL, *new = NULL;
    git_diff *diff = NULL;
    git_diff_stats *stats = NULL;
    git_buf text = {0}, stat = {0};
    git_diff_options opt;
    git_diff_options_init(&opt, GIT_DIFF_OPTIONS_VERSION);
    opt.flags = GIT_DIFF_FORCE_TEXT | GIT_DIFF_INDENT_HEURISTIC;
    opt.id_abbrev = 12;
    bool ok = git_commit_parent(&parent, commit, 0) == 0 && git_commit_tree(&old, parent) == 0 &&
              git_commit_tree(&new, commit) == 0 && git_diff_tree_to_tree(&diff, c->repo, old, new, &opt) == 0 &&
              git_diff_to_buf(&text, diff, GIT_DIFF_FORMAT_PATCH) == 0 && git_diff_get_stats(&stats, diff) == 0 &&
              git_diff_stats_to_buf(&stat, stats, GIT_DIFF_STATS_FULL, 72) == 0;
    if (ok) {
        buf_bytes(body, stat.ptr, stat.size);
        buf_char(body, '\n');
        buf_bytes(body, text.ptr, text.size);
    } else {
        commit_fail(c, "cannot make the patch");
    }
    git_buf_dispose(&text);
    git_buf_dispose(&stat);
    git_diff_stats_free(stats);
    git_diff_free(diff);
    git_tree_free(new);
    git_tree_free(old);
    git_commit_free(parent);
    return ok;
}

static bool patch_text(Commit *c, u32 i, git_commit *commit, Buf *out)
{
    char hex[GIT_OID_HEXSZ + 1];
    Buf body = {0};
    Str rest, subject = str_cut(str_from(git_commit_message(commit)), '\n', &rest);
    if (str_starts(rest, S("\n"))) rest = str_slice(rest, 1, rest.n);
    buf_str(&body, rest);
    buf_c(&body, "---\n");
    bool ok = diff_text(c, commit, &body);
    buf_c(&body, "-- \nungil " UNGIL_VERSION "\n\n");
    bool encoded = body_encoded(buf_view(&body));
    buf_fmt(out, "From %s Mon Sep 17 00:00:00 2001\n", git_oid_tostr(hex, sizeof hex, &c->made.v[i].id));
    from_put(out, c->author);
    date_put(out, c->author->when);
    subject_put(out, subject, i + 1, c->made.n);
    buf_fmt(out, "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: %s\n\n",
            encoded ? "quoted-printable" : "8bit");
    if (encoded)
        quoted_put(out, buf_view(&body));
    else
        buf_str(out, buf_view(&body));
    buf_free(&body);
    return ok;
}

static Str patch_name(Commit *c, u32 i, Str subject)
{
    Buf name = {0};
    buf_fmt(&name, "%04u-", i + 1);
    size_t start = name.n;
    for (size_t k = 0; k < subject.n && name.n < start + SUBJECT_NAME; k++) {
        char x = subject.p[k];
        bool keep =
            (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') || x == '.' || x == '_';
        if (keep && !(x == '.' && name.p[name.n - 1] == '.'))
            buf_char(&name, x);
        else if (name.p[name.n - 1] != '-')
            buf_char(&name, '-');
    }
    while (name.n > start && strchr("-.", name.p[name.n - 1])) name.n--;
    buf_c(&name, ".patch");
    Str text = str_dup(c->a, buf_view(&name));
    buf_free(&name);
    return text;
}

/* Patches of an earlier run would be applied with ours: `git am DIR/0*`. */
static bool directory_ready(Commit *c, const char *dir)
{
    if (!os_make_dirs(dir, c->e)) return false;
    DIR *d = opendir(dir);
    if (!d) return err_set(c->e, "cannot read %s: %s", dir, strerror(errno));
    bool free = true;
    for (struct dirent *x; free && (x = readdir(d));) free = !str_ends(str_from(x->d_name), S(".patch"));
    closedir(d);
    return free || err_set(c->e, "%s holds patches already; empty it or choose another directory", dir);
}

bool patches_write(Commit *c, Buf *out)
{
    const char *dir = str_c(c->a, c->r->options->patches);
    bool ok = !c->made.n || directory_ready(c, dir);
    for (u32 i = 0; ok && i < c->made.n; i++) {
        git_commit *commit = NULL;
        Buf text = {0};
        ok =
            git_commit_lookup(&commit, c->repo, &c->made.v[i].id) == 0 || commit_fail(c, "cannot read a commit back");
        ok = ok && patch_text(c, i, commit, &text);
        Str path = {0};
        if (ok) path = str_fmt(c->a, "%s/%s", dir, patch_name(c, i, str_from(git_commit_summary(commit))).p);
        ok = ok && os_replace_file(path.p, buf_view(&text), c->e);
        if (ok) buf_fmt(out, "%s\n", path.p);
        buf_free(&text);
        git_commit_free(commit);
    }
    return ok;
}
