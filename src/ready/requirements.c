/* requirements.txt as pip reads it ("Requirements File Format" in its documentation): one requirement a line, joined
 * by backslashes; comments; -r and -c, which include other files; per-requirement options such as --hash; other
 * options, which say nothing about dependencies. The path or address of a wheel is a requirement, too. */
#include "ready/ready.h"
#include "ready/wheel.h"

#include <limits.h>
#include <stdlib.h>

enum {
    INCLUDE_DEPTH = 50, /* files that include each other */
    NAME_SHOWN = 200    /* bytes of a name in a note */
};

/* Without the comment: a # at the start or behind white space. */
static Str comment_cut(Str line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] == '#' && (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))
            return str_slice(line, 0, i);
    return line;
}

/* The next logical line, in `out`; *number is the line on which it begins. As in pip, a line that is
 * all comment ends it, and a comment reaches to the end of what is joined. */
static bool logical_line(Str *rest, u32 *at, Buf *out, u32 *number)
{
    Str line;
    out->n = 0;
    *number = *at + 1;
    bool any = false;
    while (str_line(rest, &line)) {
        ++*at;
        any = true;
        bool joins = str_ends(line, S("\\"));
        line = joins ? str_slice(line, 0, line.n - 1) : line;
        if (str_starts(str_trim(line), S("#"))) joins = false;
        buf_str(out, line);
        if (!joins) break;
        buf_char(out, ' ');
    }
    return any;
}

/* The value of an option at the start of the line: "-r file", "-rfile", "--requirement=file". */
static bool option_value(Str line, Str letter, Str word, Str *value)
{
    if (str_starts(line, word)) {
        Str rest = str_slice(line, word.n, line.n);
        if (rest.n && rest.p[0] != ' ' && rest.p[0] != '=' && rest.p[0] != '\t') return false;
        *value = str_trim(str_slice(rest, 1, rest.n));
        return true;
    }
    if (!str_starts(line, letter) || str_starts(line, S("--"))) return false;
    *value = str_trim(str_slice(line, letter.n, line.n));
    return true;
}

static void file_include(Gather *g, const Source *s, u32 line, Str name, DepKind kind)
{
    char real[PATH_MAX];
    size_t slash = str_rfind(s->abs, '/');
    bool fresh, address = str_contains(name, S("://"));
    Str path = str_starts(name, S("/")) ? name : str_fmt(g->a, "%.*s/%.*s", (int)slash, s->abs.p, STR_ARG(name));
    if (address || !realpath(str_c(g->a, path), real)) {
        gather_note(g, s, line, "include", "%.*s was not read: %s", (int)MIN(name.n, (size_t)NAME_SHOWN), name.p,
                    address ? "nothing is fetched; name a local file" : "there is no such file");
        return;
    }
    Str root = g->o->root, abs = str_from(real);
    if (!str_is(root, "/") && !(str_starts(abs, root) && abs.n > root.n && abs.p[root.n] == '/')) {
        gather_note(g, s, line, "include",
                    "%.*s was not read: it lies outside the root; name another one with --root",
                    (int)MIN(name.n, (size_t)NAME_SHOWN), name.p);
        return;
    }
    if (g->depth == INCLUDE_DEPTH) {
        gather_note(g, s, line, "include", "more than %d files include each other; what follows was not read",
                    INCLUDE_DEPTH);
        return;
    }
    const Source *other = gather_source(g, abs, &fresh);
    g->depth++;
    if (other && fresh) requirements_read(g, other, kind);
    g->depth--;
}

/* A wheel by path or address: its name tells package and version. */
static bool wheel_add(Gather *g, DepKind kind, const Source *s, u32 line, Str text)
{
    WheelName w;
    Str file = str_last(str_slice(text, 0, MIN(str_find(text, '#'), str_find(text, ' '))), '/');
    if (!wheel_name_read(file, &w)) return false;
    Dep *d = dep_add(g, kind, s, line, w.name);
    d->version = str_dup(g->a, w.version);
    vec_push(g->a, &d->wheels, str_dup(g->a, file));
    return true;
}

static void line_read(Gather *g, const Source *s, u32 number, Str line, DepKind kind)
{
    Str value;
    if (option_value(line, S("-r"), S("--requirement"), &value))
        file_include(g, s, number, value, kind);
    else if (option_value(line, S("-c"), S("--constraint"), &value))
        vec_push(g->a, &g->constraints, (Constraints){s, number, value});
    if (str_starts(line, S("-"))) return;
    line = str_trim(str_slice(line, 0, MIN(str_search(line, S(" --")), str_search(line, S("\t--")))));
    if (wheel_add(g, kind, s, number, line)) return;
    /* The path of a project or archive: . ./x ../x /x x/y, or an address; no name is known. */
    Str head = str_slice(line, 0, str_find(line, ' '));
    bool named = str_contains(line, S("@"));
    if (!named && (str_starts(head, S(".")) || str_contains(head, S("/")) || str_contains(head, S("://")))) return;
    requirement_add(g, kind, s, number, line);
}

void requirements_read(Gather *g, const Source *s, DepKind kind)
{
    Buf line = {0};
    Str rest = str_slice(s->text, s->bom ? 3 : 0, s->text.n);
    u32 at = 0, number;
    while (logical_line(&rest, &at, &line, &number)) {
        Str text = str_trim(comment_cut(buf_view(&line)));
        if (text.n) line_read(g, s, number, str_dup(g->a, text), kind);
    }
    buf_free(&line);
}

void constraints_read(Gather *g)
{
    for (u32 i = 0; i < g->constraints.n; i++) { /* it grows: one may name another */
        Constraints c = g->constraints.v[i];
        file_include(g, c.by, c.line, c.name, DEP_CONSTRAINT);
    }
}
