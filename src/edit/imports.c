/* Imports as a set: each is written once per file, where the module's own order wants it.
 *
 * The first block of import statements of the module is cut into groups at blank lines. A library import
 * goes into the first group that has one, at its sorted place when the group is sorted, else after the
 * last of its kind. Without such a group it gets one of its own: before the first other group, after the
 * docstring and __future__ imports, or at the top below the leading comments. Never inside try or if. A name more
 * from a module of which the block imports some goes into that statement. */
#include "edit/edit.h"

static const char *const stdlib[] = {"abc",
                                     "aifc",
                                     "antigravity",
                                     "argparse",
                                     "array",
                                     "ast",
                                     "asynchat",
                                     "asyncio",
                                     "asyncore",
                                     "atexit",
                                     "audioop",
                                     "base64",
                                     "bdb",
                                     "binascii",
                                     "bisect",
                                     "builtins",
                                     "bz2",
                                     "cProfile",
                                     "calendar",
                                     "cgi",
                                     "cgitb",
                                     "chunk",
                                     "cmath",
                                     "cmd",
                                     "code",
                                     "codecs",
                                     "codeop",
                                     "collections",
                                     "colorsys",
                                     "compileall",
                                     "concurrent",
                                     "configparser",
                                     "contextlib",
                                     "contextvars",
                                     "copy",
                                     "copyreg",
                                     "crypt",
                                     "csv",
                                     "ctypes",
                                     "curses",
                                     "dataclasses",
                                     "datetime",
                                     "dbm",
                                     "decimal",
                                     "difflib",
                                     "dis",
                                     "distutils",
                                     "doctest",
                                     "email",
                                     "encodings",
                                     "ensurepip",
                                     "enum",
                                     "errno",
                                     "faulthandler",
                                     "fcntl",
                                     "filecmp",
                                     "fileinput",
                                     "fnmatch",
                                     "fractions",
                                     "ftplib",
                                     "functools",
                                     "gc",
                                     "genericpath",
                                     "getopt",
                                     "getpass",
                                     "gettext",
                                     "glob",
                                     "graphlib",
                                     "grp",
                                     "gzip",
                                     "hashlib",
                                     "heapq",
                                     "hmac",
                                     "html",
                                     "http",
                                     "idlelib",
                                     "imaplib",
                                     "imghdr",
                                     "imp",
                                     "importlib",
                                     "inspect",
                                     "io",
                                     "ipaddress",
                                     "itertools",
                                     "json",
                                     "keyword",
                                     "lib2to3",
                                     "linecache",
                                     "locale",
                                     "logging",
                                     "lzma",
                                     "mailbox",
                                     "mailcap",
                                     "marshal",
                                     "math",
                                     "mimetypes",
                                     "mmap",
                                     "modulefinder",
                                     "msilib",
                                     "msvcrt",
                                     "multiprocessing",
                                     "netrc",
                                     "nis",
                                     "nntplib",
                                     "nt",
                                     "ntpath",
                                     "nturl2path",
                                     "numbers",
                                     "opcode",
                                     "operator",
                                     "optparse",
                                     "os",
                                     "ossaudiodev",
                                     "pathlib",
                                     "pdb",
                                     "pickle",
                                     "pickletools",
                                     "pipes",
                                     "pkgutil",
                                     "platform",
                                     "plistlib",
                                     "poplib",
                                     "posix",
                                     "posixpath",
                                     "pprint",
                                     "profile",
                                     "pstats",
                                     "pty",
                                     "pwd",
                                     "py_compile",
                                     "pyclbr",
                                     "pydoc",
                                     "pydoc_data",
                                     "pyexpat",
                                     "queue",
                                     "quopri",
                                     "random",
                                     "re",
                                     "readline",
                                     "reprlib",
                                     "resource",
                                     "rlcompleter",
                                     "runpy",
                                     "sched",
                                     "secrets",
                                     "select",
                                     "selectors",
                                     "shelve",
                                     "shlex",
                                     "shutil",
                                     "signal",
                                     "site",
                                     "smtpd",
                                     "smtplib",
                                     "sndhdr",
                                     "socket",
                                     "socketserver",
                                     "spwd",
                                     "sqlite3",
                                     "sre_compile",
                                     "sre_constants",
                                     "sre_parse",
                                     "ssl",
                                     "stat",
                                     "statistics",
                                     "string",
                                     "stringprep",
                                     "struct",
                                     "subprocess",
                                     "sunau",
                                     "symtable",
                                     "sys",
                                     "sysconfig",
                                     "syslog",
                                     "tabnanny",
                                     "tarfile",
                                     "telnetlib",
                                     "tempfile",
                                     "termios",
                                     "textwrap",
                                     "this",
                                     "threading",
                                     "time",
                                     "timeit",
                                     "tkinter",
                                     "token",
                                     "tokenize",
                                     "tomllib",
                                     "trace",
                                     "traceback",
                                     "tracemalloc",
                                     "tty",
                                     "turtle",
                                     "turtledemo",
                                     "types",
                                     "typing",
                                     "unicodedata",
                                     "unittest",
                                     "urllib",
                                     "uu",
                                     "uuid",
                                     "venv",
                                     "warnings",
                                     "wave",
                                     "weakref",
                                     "webbrowser",
                                     "winreg",
                                     "winsound",
                                     "wsgiref",
                                     "xdrlib",
                                     "xml",
                                     "xmlrpc",
                                     "zipapp",
                                     "zipfile",
                                     "zipimport",
                                     "zlib",
                                     "zoneinfo"};

static bool is_stdlib(Str module)
{
    Str rest, top = str_cut(module, '.', &rest);
    return str_among(top, stdlib, COUNT_OF(stdlib));
}

typedef struct Stmt {
    u32 first, last; /* lines */
    bool from;
    Str module; /* of its first name */
    u32 group;
} Stmt;
typedef Vec(Stmt) StmtVec;

/* What is known of the top of the module. */
typedef struct Top {
    StmtVec stmts; /* the first block of imports, __future__ left out */
    u32 groups;
    u32 after;       /* line of the docstring's or the last __future__ import's end; NONE */
    u32 first;       /* line of the first statement; NONE in an empty module */
    bool definition; /* that statement defines a function or a class */
} Top;

static Str first_module(const Ast *t, u32 n)
{
    u32 name = t->v[n].kind == NODE_import_from_statement ? ast_field(t, n, FIELD_module_name) : ast_first(t, n);
    if (ast_is(t, name, NODE_aliased_import)) name = ast_field(t, name, FIELD_name);
    return name == NONE ? S("") : ast_text(t, name);
}

static bool docstring(const Ast *t, u32 n)
{
    u32 c = ast_first(t, n);
    return t->v[n].kind == NODE_expression_statement &&
           (ast_is(t, c, NODE_string) || ast_is(t, c, NODE_concatenated_string));
}

static void top_add(Draft *d, Top *top, u32 n)
{
    const Node *x = &d->ast.v[n];
    Stmt s = {line_of(d->s, x->start), line_of(d->s, x->end ? x->end - 1 : 0), x->kind == NODE_import_from_statement,
              first_module(&d->ast, n), 0};
    if (top->stmts.n) {
        const Stmt *before = &top->stmts.v[top->stmts.n - 1];
        s.group = before->group;
        for (u32 line = before->last + 1; line < s.first; line++)
            if (line_blank(d->s, line)) s.group = before->group + 1;
    }
    top->groups = s.group + 1;
    vec_push(d->a, &top->stmts, s);
}

/* Assignments such as __all__ may stand before the imports; a compound statement ends the search. From: the first
 * line that counts. */
static Top top_read(Draft *d, u32 from)
{
    Top top = {.after = NONE, .first = NONE};
    const Ast *t = &d->ast;
    for (u32 n = ast_first(t, 0); n != NONE; n = ast_after(t, n)) {
        u8 k = t->v[n].kind;
        if (line_of(d->s, t->v[n].start) < from) continue;
        if (k == NODE_import_statement || k == NODE_import_from_statement) {
            top_add(d, &top, n);
        } else if (top.stmts.n) {
            break;
        } else if (k == NODE_future_import_statement || (n == ast_first(t, 0) && docstring(t, n))) {
            top.after = line_of(d->s, t->v[n].end - 1);
        } else {
            if (top.first == NONE) {
                top.first = line_of(d->s, t->v[n].start);
                top.definition = ast_is_definition(t, n);
            }
            if (k != NODE_expression_statement) break;
        }
    }
    return top;
}

/* Sorted as isort does: plain imports first, or all by module name? */
static bool sorted_group(const Top *top, u32 group, bool from, bool mixed)
{
    const Stmt *before = NULL;
    for (u32 i = 0; i < top->stmts.n; i++) {
        const Stmt *s = &top->stmts.v[i];
        if (s->group != group || (!mixed && s->from != from)) continue;
        if (before && str_cmp(before->module, s->module) > 0) return false;
        before = s;
    }
    return true;
}

static bool plain_first(const Top *top, u32 group)
{
    bool seen_from = false;
    for (u32 i = 0; i < top->stmts.n; i++) {
        if (top->stmts.v[i].group != group) continue;
        if (top->stmts.v[i].from)
            seen_from = true;
        else if (seen_from)
            return false;
    }
    return true;
}

/* Puts the import into a group of library imports. */
static void place_in_group(Draft *d, const Top *top, u32 group, bool from, Str module, Str text, u32 fix)
{
    bool mixed = !plain_first(top, group) && sorted_group(top, group, from, true);
    bool sorted = mixed || sorted_group(top, group, from, false);
    const Stmt *before = NULL, *after = NULL; /* neighbours: before the new one, after it */
    for (u32 i = 0; i < top->stmts.n; i++) {
        const Stmt *s = &top->stmts.v[i];
        if (s->group != group) continue;
        bool same = mixed || s->from == from;
        bool earlier = same ? !sorted || str_cmp(s->module, module) <= 0 : !s->from;
        if (earlier)
            before = s;
        else if (!after)
            after = s;
    }
    if (before)
        piece_after(d, before->last, text, PIECE_IMPORT, fix);
    else
        piece_before(d, after->first, text, PIECE_IMPORT, fix);
}

static u32 library_group(const Top *top)
{
    for (u32 i = 0; i < top->stmts.n; i++)
        if (is_stdlib(top->stmts.v[i].module)) return top->stmts.v[i].group;
    return NONE;
}

/* Does a comment in the first column begin or end a part of the file that another program cuts out:
 * ###{standalone … ###}, # [START x] … # [END x], # BEGIN … # END? */
static bool section_mark(const Draft *d, u32 line, bool begins)
{
    static const char *const opening[] = {"{", "[START", "[start", "BEGIN", "--8<-- [start", "{{{"};
    static const char *const closing[] = {"}", "[END", "[end", "END", "--8<-- [end", "}}}"};
    Str text = source_line(d->s, line + 1);
    if (!str_starts(text, S("#"))) return false;
    while (text.n && (text.p[0] == '#' || text.p[0] == ' ')) text = str_slice(text, 1, text.n);
    for (u32 i = 0; i < COUNT_OF(opening); i++)
        if (str_starts(text, str_from(begins ? opening[i] : closing[i]))) return true;
    return false;
}

/* The line before which a first import goes in a module without any: above comments that belong to the
 * statement. */
static u32 above_comments(const Draft *d, u32 line)
{
    u32 at = line;
    while (at > 0 && line_comment(d->s, at - 1) && !section_mark(d, at - 1, true)) at--;
    return at == 0 ? line : at; /* comments from line 1 on are the file's header */
}

/* A blank line on either side, and none taken from the two that stand before a definition. */
static void place_alone(Draft *d, const Top *top, Str text, u32 fix)
{
    Str nl = newline_text(d->s, 0);
    Str above = str_fmt(d->a, "%.*s%.*s", STR_ARG(nl), STR_ARG(text));
    Str below = str_fmt(d->a, "%.*s%.*s", STR_ARG(text), STR_ARG(nl));
    if (top->stmts.n) {
        u32 at = above_comments(d, top->stmts.v[0].first); /* a heading stays with its imports */
        piece_before(d, at, below, PIECE_IMPORT, fix);
    } else if (top->after != NONE) {
        bool blank = top->after + 1 >= d->s->nlines || line_blank(d->s, top->after + 1);
        Str both = str_fmt(d->a, "%.*s%.*s", STR_ARG(above), STR_ARG(nl));
        piece_after(d, top->after, blank ? above : both, PIECE_IMPORT, fix);
    } else {
        u32 at = top->first == NONE ? 0 : above_comments(d, top->first);
        if (at > 1 && line_blank(d->s, at - 1) && line_blank(d->s, at - 2)) at--;
        bool header = at > 0 && line_comment(d->s, at - 1);
        bool far = top->definition && (at == 0 || header);
        piece_before(
            d, at,
            str_fmt(d->a, "%.*s%.*s%.*s", STR_ARG(header ? nl : S("")), STR_ARG(below), STR_ARG(far ? nl : S(""))),
            PIECE_IMPORT, fix);
    }
}

/* The line of the mark of the innermost such part that the first edit stands in; NONE. */
static u32 section_of_edits(const Draft *d)
{
    enum { DEPTH = 8 };
    u32 first = NONE, open[DEPTH], n = 0;
    for (u32 i = 0; i < d->pieces.n; i++) first = MIN(first, d->pieces.v[i].span.start);
    for (u32 line = 0; first != NONE && line < line_of(d->s, first); line++) {
        if (section_mark(d, line, true) && n < DEPTH) open[n++] = line;
        if (section_mark(d, line, false) && n) n--;
    }
    return n ? open[n - 1] : NONE;
}

/* The imports beside which new ones go: those of the part that is cut out, where it has some of its own, since it is
 * to be whole by itself; else those of the module. */
static Top top_find(Draft *d)
{
    u32 mark = section_of_edits(d);
    if (mark != NONE) {
        Top own = top_read(d, mark + 1);
        if (own.stmts.n) return own;
    }
    return top_read(d, 0);
}

/* "import a.b as c" → "a.b", "from a import b" → "a" */
static Str statement_module(Str statement, bool *from)
{
    *from = str_starts(statement, S("from "));
    Str rest = str_slice(statement, *from ? 5 : 7, statement.n), tail;
    return str_cut(rest, ' ', &tail);
}

void import_need(Draft *d, const Intent *in, u32 fix)
{
    for (u32 i = 0; i < d->imports.n; i++)
        if (str_eq(d->imports.v[i].text, in->text)) return;
    Intent need = *in;
    need.lock = fix;
    vec_push(d->a, &d->imports, need);
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(((const Intent *)x)->text, ((const Intent *)y)->text);
}

/* ---- a name more in a statement that is there ---- */

enum { LINE_SHORT = 79, LINE_LONG = 119 };

/* So long may a line become: as long as the longest of the file. */
static u32 line_limit(const Draft *d)
{
    u32 most = LINE_SHORT;
    for (u32 line = 0; line < d->s->nlines; line++) most = MAX(most, line_end(d->s, line) - line_start(d->s, line));
    return MIN(most, LINE_LONG);
}

typedef Vec(u32) NodeVec;

/* The names that the statement imports, as nodes; false where it imports all. */
static bool imported_names(Draft *d, u32 stmt, NodeVec *out)
{
    const Ast *t = &d->ast;
    for (u32 c = t->v[stmt].child; c != NONE; c = t->v[c].next) {
        if (ast_is(t, c, NODE_wildcard_import)) return false;
        if (t->v[c].field == FIELD_name) vec_push(d->a, out, c);
    }
    return out->n > 0;
}

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int order_folded(Str a, Str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++)
        if (folded(a.p[i]) != folded(b.p[i])) return folded(a.p[i]) < folded(b.p[i]) ? -1 : 1;
    return a.n < b.n ? -1 : a.n > b.n;
}

/* The name behind which a new one goes by the order of those that are there; NONE: before all. */
static u32 name_before(const Draft *d, const NodeVec *names, Str name)
{
    for (u32 k = 0; k < 2; k++) {
        int (*order)(Str, Str) = k ? order_folded : str_cmp;
        bool sorted = true;
        u32 before = NONE;
        for (u32 i = 0; i < names->n; i++) {
            Str one = ast_text(&d->ast, names->v[i]);
            if (i) sorted &= order(ast_text(&d->ast, names->v[i - 1]), one) <= 0;
            if (order(one, name) <= 0) before = names->v[i];
        }
        if (sorted) return before;
    }
    return names->v[names->n - 1];
}

/* from m import a, c → from m import a, b, c; in parentheses a line of its own where each name has one. */
static bool name_join(Draft *d, u32 stmt, Str name, u32 fix)
{
    const Ast *t = &d->ast;
    NodeVec names = {0};
    if (!imported_names(d, stmt, &names)) return false;
    u32 before = name_before(d, &names, name), at = before == NONE ? t->v[names.v[0]].start : t->v[before].end;
    u32 line = line_of(d->s, at);
    bool alone = t->v[names.v[0]].start >= line_end(d->s, line_of(d->s, t->v[stmt].start));
    for (u32 i = 1; alone && i < names.n; i++)
        alone = line_of(d->s, t->v[names.v[i]].start) > line_of(d->s, t->v[names.v[i - 1]].start);
    if (alone) {
        Str text = str_fmt(d->a, "%.*s%.*s,", STR_ARG(line_indent(d->s, line)), STR_ARG(name));
        if (before != NONE && (at >= d->s->text.n || d->s->text.p[at] != ',')) return false;
        if (before == NONE)
            piece_before(d, line, text, PIECE_IMPORT, fix);
        else
            piece_after(d, line, text, PIECE_IMPORT, fix);
        return true;
    }
    if (line_end(d->s, line) - line_start(d->s, line) + name.n + 2 > line_limit(d)) return false;
    Str text = before == NONE ? str_fmt(d->a, "%.*s, ", STR_ARG(name)) : str_fmt(d->a, ", %.*s", STR_ARG(name));
    piece_add(d, (Span){at, at}, text, PIECE_IMPORT, fix);
    return true;
}

/* A statement of the first block that imports names from the module; span: that statement, where it is known. */
static bool import_join(Draft *d, const Top *top, const Intent *in, Str module)
{
    const Ast *t = &d->ast;
    size_t at = str_search(in->text, S(" import "));
    if (!top->stmts.n || at >= in->text.n) return false;
    u32 last = top->stmts.v[top->stmts.n - 1].last;
    for (u32 n = ast_first(t, 0); n != NONE; n = ast_after(t, n)) {
        if (!ast_is(t, n, NODE_import_from_statement) || line_of(d->s, t->v[n].start) > last) continue;
        if (!str_eq(ast_text(t, ast_field(t, n, FIELD_module_name)), module)) continue;
        if (name_join(d, n, str_slice(in->text, at + 8, in->text.n), in->lock)) return true;
    }
    return false;
}

void imports_place(Draft *d)
{
    if (!d->imports.n) return;
    qsort(d->imports.v, d->imports.n, sizeof *d->imports.v, by_text);
    Top top = top_find(d);
    u32 group = library_group(&top);
    Buf alone = {0};
    u32 alone_fix = 0;
    for (u32 i = 0; i < d->imports.n; i++) {
        const Intent *in = &d->imports.v[i];
        bool from;
        Str module = statement_module(in->text, &from);
        if (from && import_join(d, &top, in, module)) continue;
        if (in->span.end) { /* beside an import of the same module */
            piece_after(d, line_of(d->s, in->span.end - 1), in->text, PIECE_IMPORT, in->lock);
        } else if (group != NONE) {
            place_in_group(d, &top, group, from, module, in->text, in->lock);
        } else {
            if (alone.n)
                buf_str(&alone, newline_text(d->s, 0));
            else
                alone_fix = in->lock;
            buf_str(&alone, in->text);
        }
    }
    if (alone.n) place_alone(d, &top, str_dup(d->a, buf_view(&alone)), alone_fix);
    buf_free(&alone);
}
