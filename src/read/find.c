/* Which files: walks the PATHs, asks git what it ignores, and leaves out what no one wants analysed.
 *
 * A file that is named outright is always taken (unless --exclude matches it). Directories are entered in no
 * particular order and the result is sorted by the bytes of its paths. A symbolic link to a file inside the root
 * stands for that file, which is analysed once; links to directories are not followed, so loops cannot happen. */
#include "read/read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Walk {
    Arena *a;
    const Options *o;
    Str root; /* without symbolic links, as is every path below */
    Ignores *ignores;
    FoundVec *out;
    NoteVec *notes;
    bool (*takes)(Str dir, Str name); /* other files than Python's, which are taken when they are named, too; NULL */
    bool in_venv;                     /* the PATH is a virtual environment, or inside one */
    bool flat;                        /* leave out directories below the PATH */
    bool one;                         /* leave out other projects below the PATH */
} Walk;

void note_add(Arena *a, NoteVec *notes, Str path, const char *code, const char *fmt, ...)
{
    char msg[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    vec_push(a, notes, (Note){.path = path, .code = code, .message = str_dup(a, str_from(msg))});
}

/* ---- names --------------------------------------------------------------------------------------------- */

static bool is_python(Str name)
{
    return str_ends(name, S(".py")) || str_ends(name, S(".pyw"));
}

/* Is it a file that the walk is after? */
static bool is_taken(const Walk *w, Str dir, Str name)
{
    return w->takes ? w->takes(dir, name) : is_python(name);
}

static bool is_junk_dir(Str name)
{
    static const char *const names[] = {"__pycache__",  ".tox",        ".nox",          ".venv",      "venv",
                                        "node_modules", "build",       "dist",          ".eggs",      ".hg",
                                        ".svn",         ".mypy_cache", ".pytest_cache", ".ruff_cache"};
    return str_among(name, names, COUNT_OF(names));
}

static bool has_shebang(const char *path)
{
    char line[128] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    ssize_t n = read(fd, line, sizeof line - 1);
    close(fd);
    if (n < 3 || line[0] != '#' || line[1] != '!') return false;
    char *end = strchr(line, '\n');
    if (end) *end = 0;
    return strstr(line, "python") != NULL;
}

/* ---- the walk ------------------------------------------------------------------------------------------ */

static Str path_below(const Walk *w, Str abs)
{
    if (str_is(w->root, "/")) return str_slice(abs, 1, abs.n);
    return str_slice(abs, w->root.n + 1, abs.n);
}

static bool in_root(const Walk *w, Str abs)
{
    if (str_is(w->root, "/")) return true;
    return str_starts(abs, w->root) && (abs.n == w->root.n || abs.p[w->root.n] == '/');
}

static bool wanted(const Walk *w, Str path)
{
    if (globs_match(&w->o->exclude, path)) return false;
    return !w->o->include.n || globs_match(&w->o->include, path);
}

static void file_add(Walk *w, Str abs)
{
    Str path = path_below(w, abs);
    if (wanted(w, path)) vec_push(w->a, w->out, (Found){.abs = abs, .path = path});
}

static bool dir_skipped(const Walk *w, Str abs, Str name)
{
    if (str_is(name, ".git") || str_is(name, "__pycache__")) return true;
    if (globs_match(&w->o->exclude, path_below(w, abs))) return true;
    if (w->flat || (w->one && dir_is_project(w->a, abs))) return true;
    if (w->ignores) {
        if (!w->o->no_gitignore && ignores_path(w->ignores, abs.p, true)) return true;
    } else if (!w->in_venv && is_junk_dir(name)) {
        return true;
    }
    return !w->in_venv && access(str_fmt(w->a, "%s/pyvenv.cfg", abs.p).p, F_OK) == 0;
}

/* The file that a symbolic link leads to; empty when it is no file, and with a note when it is out of reach. */
static Str link_target(Walk *w, Str abs)
{
    struct stat st;
    char real[PATH_MAX];
    bool there = stat(abs.p, &st) == 0 && realpath(abs.p, real);
    if (there && S_ISREG(st.st_mode) && in_root(w, str_from(real))) return str_dup(w->a, str_from(real));
    if (!there || S_ISREG(st.st_mode))
        note_add(w->a, w->notes, path_below(w, abs), "link", "the symbolic link was not followed: %s",
                 there ? "it leads out of the root" : strerror(errno));
    return (Str){0};
}

static void dir_walk(Walk *w, Str dir);

static void entry_visit(Walk *w, Str dir, const struct dirent *d)
{
    struct stat st;
    Str name = str_from(d->d_name);
    bool root = str_is(dir, "/");
    bool maybe_dir = d->d_type == DT_DIR || d->d_type == DT_UNKNOWN;
    if (str_is(name, ".") || str_is(name, "..") || (!maybe_dir && !is_taken(w, dir, name))) return;
    Str abs = str_fmt(w->a, "%.*s/%s", root ? 0 : (int)dir.n, dir.p, d->d_name);
    if (lstat(abs.p, &st) < 0) {
        if (errno != ENOENT && is_taken(w, dir, name)) /* else it went away meanwhile */
            note_add(w->a, w->notes, path_below(w, abs), "unreadable",
                     "the file was left out: %s; check the permissions of its directory", strerror(errno));
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        if (!dir_skipped(w, abs, name)) dir_walk(w, abs);
        return;
    }
    if (!is_taken(w, dir, name) || (!S_ISLNK(st.st_mode) && !S_ISREG(st.st_mode))) return;
    if (S_ISLNK(st.st_mode)) abs = link_target(w, abs);
    if (!abs.n) return;
    if (w->ignores && !w->o->no_gitignore && ignores_path(w->ignores, abs.p, false)) return;
    file_add(w, abs);
}

static void dir_walk(Walk *w, Str dir)
{
    DIR *d = opendir(dir.p);
    if (!d) {
        int why = errno;
        Str path = dir.n > w->root.n ? path_below(w, dir) : S(".");
        note_add(w->a, w->notes, str_dup(w->a, path), "unreadable",
                 "the directory was left out: %s; check its permissions", strerror(why));
        return;
    }
    for (struct dirent *entry; (entry = readdir(d));) entry_visit(w, dir, entry);
    closedir(d);
}

/* ---- the PATHs ----------------------------------------------------------------------------------------- */

static bool venv_holds(Arena *a, Str path)
{
    for (; path.n > 1; path = str_slice(path, 0, str_rfind(path, '/'))) {
        if (access(str_fmt(a, "%.*s/pyvenv.cfg", STR_ARG(path)).p, F_OK) == 0) return true;
        if (str_rfind(path, '/') == 0) break;
    }
    return false;
}

static bool arg_find(Walk *w, Str arg, Err *e)
{
    struct stat st;
    char real[PATH_MAX];
    if (!realpath(str_c(w->a, arg), real)) return err_set(e, "%.*s: %s", STR_ARG(arg), strerror(errno));
    Str abs = str_dup(w->a, str_from(real));
    if (!in_root(w, abs))
        return err_set(e, "%.*s lies outside the root %.*s; name another one with --root", STR_ARG(arg),
                       STR_ARG(w->root));
    if (stat(abs.p, &st) < 0) return err_set(e, "%.*s: %s", STR_ARG(arg), strerror(errno));
    /* What was asked for outright is no matter of a note. */
    bool dir = S_ISDIR(st.st_mode), asked = dir || wanted(w, path_below(w, abs));
    if (asked && access(abs.p, dir ? R_OK | X_OK : R_OK) < 0)
        return err_set(e, "cannot read %.*s: %s", STR_ARG(arg), strerror(errno));
    if (dir) {
        w->in_venv = venv_holds(w->a, abs);
        const char *foreign;
        w->ignores = ignores_open(w->a, abs.p, &foreign);
        if (foreign && !w->o->no_gitignore)
            note_add(w->a, w->notes, S(""), "foreign-repository", "what git ignores is analysed, too: %s", foreign);
        /* What lies in an ignored directory is analysed when that directory is named. */
        if (w->ignores && ignores_path(w->ignores, abs.p, true)) {
            ignores_close(w->ignores);
            w->ignores = NULL;
        }
        dir_walk(w, abs);
        ignores_close(w->ignores);
        w->ignores = NULL;
        return true;
    }
    if (!S_ISREG(st.st_mode)) return err_set(e, "%.*s is neither a file nor a directory", STR_ARG(arg));
    if (w->takes || is_python(abs) || has_shebang(abs.p))
        file_add(w, abs);
    else
        note_add(w->a, w->notes, path_below(w, abs), "not-python",
                 "the file was left out: its name does not end in .py and "
                 "it does not start with #! and python");
    return true;
}

/* What explain is asked about is no PATH. It looks at the whole root, as check does; but where nothing says that the
 * root is one project, only at the package of the file, or at the files beside it. */
static bool explain_find(Walk *w, Err *e)
{
    Str file;
    u32 line;
    char real[PATH_MAX];
    CHECK(file_line_split(w->o->args.v[0], &file, &line));
    if (!w->o->loose) return arg_find(w, w->o->root, e);
    if (!realpath(str_c(w->a, file), real)) return err_set(e, "%.*s: %s", STR_ARG(file), strerror(errno));
    Str abs = str_dup(w->a, str_from(real));
    if (!in_root(w, abs)) return arg_find(w, file, e); /* a symbolic link; says what is wrong */
    Str below = path_below(w, abs);
    size_t slash = str_find(below, '/');
    w->flat = slash == below.n;
    w->one = true;
    if (w->flat) return arg_find(w, w->o->root, e);
    return arg_find(w, str_slice(abs, 0, abs.n - below.n + slash), e);
}

static int found_cmp(const void *x, const void *y)
{
    return str_cmp(((const Found *)x)->path, ((const Found *)y)->path);
}

bool files_find(Arena *a, const Options *o, bool (*takes)(Str dir, Str name), FoundVec *out, NoteVec *notes, Err *e)
{
    char real[PATH_MAX];
    if (!realpath(o->root.p, real)) return err_set(e, "%s: %s", o->root.p, strerror(errno));
    Walk w = {.a = a, .o = o, .root = str_dup(a, str_from(real)), .out = out, .notes = notes, .takes = takes};
    if (o->command == CMD_EXPLAIN) {
        if (!explain_find(&w, e)) return false;
    } else if (!o->args.n) {
        if (!arg_find(&w, S("."), e)) return false;
    }
    for (u32 i = 0; o->command != CMD_EXPLAIN && i < o->args.n; i++)
        if (!arg_find(&w, o->args.v[i], e)) return false;
    if (out->n) qsort(out->v, out->n, sizeof *out->v, found_cmp);
    u32 kept = 0;
    for (u32 i = 0; i < out->n; i++)
        if (!kept || !str_eq(out->v[kept - 1].path, out->v[i].path)) out->v[kept++] = out->v[i];
    out->n = kept;
    return true;
}
