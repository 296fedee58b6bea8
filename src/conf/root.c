/* Which directory the run is about, from the PATHs and what lies above them.
 *
 * The root is --root; else the top of the git work tree that holds all PATHs; else the nearest directory at or above
 * them with a project file; else the directory above the package that they are in; else their own directory. A
 * package that is named as a whole is the root itself, unless it lies below the current directory: paths then read as
 * one who stands there would write them. Otherwise the current directory plays no part: it may hold a hundred
 * unrelated projects. */
#include "conf/conf.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

Str current_dir(Arena *a)
{
    char buf[PATH_MAX];
    return str_dup(a, getcwd(buf, sizeof buf) ? str_from(buf) : S("/"));
}

Str path_absolute(Arena *a, Str base, Str path)
{
    if (!path.n) return path;
    Str full = path.p[0] == '/' ? path : str_fmt(a, "%.*s/%.*s", STR_ARG(base), STR_ARG(path));
    char *out = arena_new(a, char, full.n + 2);
    size_t n = 0;
    while (full.n) {
        Str part = str_cut(full, '/', &full);
        if (!part.n || str_is(part, ".")) continue;
        if (str_is(part, "..")) {
            while (n && out[--n] != '/') continue;
            continue;
        }
        out[n++] = '/';
        memcpy(out + n, part.p, part.n);
        n += part.n;
    }
    if (!n) out[n++] = '/';
    out[n] = 0;
    return (Str){out, n};
}

/* What stands at the top of a project. */
static const char *const repository[] = {".git", NULL};
static const char *const project[] = {"pyproject.toml", "setup.py", "setup.cfg", "ungil.toml", NULL};

static bool exists_in(Arena *a, Str dir, const char *name)
{
    return access(str_fmt(a, "%.*s/%s", STR_ARG(dir), name).p, F_OK) == 0;
}

static bool has_any(Arena *a, Str dir, const char *const *names)
{
    for (u32 i = 0; names[i]; i++)
        if (exists_in(a, dir, names[i])) return true;
    return false;
}

bool dir_is_project(Arena *a, Str dir)
{
    return has_any(a, dir, repository) || has_any(a, dir, project);
}

static Str dir_parent(Str dir)
{
    size_t at = str_rfind(dir, '/');
    return at ? str_slice(dir, 0, at) : S("/");
}

static bool dir_holds(Str dir, Str path)
{
    if (str_is(dir, "/")) return true;
    return str_starts(path, dir) && (path.n == dir.n || path.p[dir.n] == '/');
}

/* The nearest directory at or above `dir` with an entry of one of the names; empty when there is none. */
static Str find_above(Arena *a, Str dir, const char *const *names)
{
    for (;; dir = dir_parent(dir)) {
        if (has_any(a, dir, names)) return dir;
        if (str_is(dir, "/")) return (Str){0};
    }
}

/* The directory that holds the outermost package with `dir` in it; `dir` itself when it is no package. */
static Str package_parent(Arena *a, Str dir)
{
    while (!str_is(dir, "/") && exists_in(a, dir, "__init__.py")) dir = dir_parent(dir);
    return dir;
}

/* Takes ":DIGITS" off the end. */
static bool number_cut(Str *s, u32 *number)
{
    u64 n = 0;
    size_t colon = str_rfind(*s, ':');
    if (colon == 0 || colon + 1 >= s->n) return false;
    for (size_t i = colon + 1; i < s->n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9') return false;
        n = MIN(n * 10 + (u64)(s->p[i] - '0'), (u64)NONE);
    }
    *number = (u32)n;
    *s = str_slice(*s, 0, colon);
    return true;
}

bool file_line_split(Str word, Str *file, u32 *line)
{
    u32 column;
    *file = word;
    if (!number_cut(file, line)) return false;
    /* FILE:LINE:COLUMN is what other tools print, and what people paste. */
    column = *line;
    if (!number_cut(file, line)) *line = column;
    return true;
}

/* The directory of a PATH: itself or the one that it is in. */
static bool arg_dir(Arena *a, const Options *o, Str arg, Str *out, Err *e)
{
    struct stat st;
    u32 line;
    if (o->command == CMD_EXPLAIN && !file_line_split(arg, &arg, &line)) {
        *out = current_dir(a);
        return true;
    }
    Str path = path_absolute(a, current_dir(a), arg);
    if (stat(path.p, &st) < 0) return err_set(e, "%.*s does not exist or cannot be reached", STR_ARG(arg));
    *out = S_ISDIR(st.st_mode) ? path : dir_parent(path);
    return true;
}

bool args_common_dir(Arena *a, const Options *o, Str *out, Err *e)
{
    *out = current_dir(a);
    if (o->command == CMD_RULES || o->command == CMD_TRANSFORMS || o->command == CMD_UNDO) return true;
    for (u32 i = 0; i < o->args.n; i++) {
        Str dir;
        if (!arg_dir(a, o, o->args.v[i], &dir, e)) return false;
        if (i == 0) *out = dir;
        while (!dir_holds(*out, dir)) *out = dir_parent(*out);
    }
    return true;
}

/* The root where neither a repository nor a project file tells. */
static Str loose_root(Arena *a, Str start)
{
    Str parent = package_parent(a, start), here = current_dir(a);
    bool whole = str_eq(parent, dir_parent(start)), below = dir_holds(here, start) && !str_eq(here, start);
    return whole && !below ? start : parent;
}

enum { PROJECT_MAX = 1 << 20 };

/* Do the project files at the root say how to build or install it? */
static bool packaged(Arena *a, Str root)
{
    static const char *const tables[] = {"project", "build-system", "tool.poetry"};
    if (exists_in(a, root, "setup.py") || exists_in(a, root, "setup.cfg")) return true;
    Str text;
    Err e = {0};
    if (!os_read_file(a, str_fmt(a, "%.*s/pyproject.toml", STR_ARG(root)).p, PROJECT_MAX, &text, &e))
        return false;
    u32 line;
    const Toml *doc = toml_parse(a, text, &line, &e);
    for (u32 i = 0; doc && i < COUNT_OF(tables); i++)
        if (toml_get(doc, tables[i])) return true;
    return false;
}

bool root_find(Arena *a, Options *o, Str start, Err *e)
{
    struct stat st;
    if (o->root.n) {
        Str root = str_dup(a, o->root);
        if (stat(root.p, &st) < 0 || !S_ISDIR(st.st_mode)) return err_set(e, "--root %s is not a directory", root.p);
    } else {
        o->root = find_above(a, start, repository);
        if (!o->root.n) o->root = find_above(a, start, project);
        o->loose = !o->root.n;
        if (o->loose) o->root = loose_root(a, start);
    }
    char real[PATH_MAX];
    o->root = str_dup(a, o->root);
    if (!realpath(o->root.p, real)) return err_set(e, "the root %s cannot be reached", o->root.p);
    o->root = str_dup(a, str_from(real));
    o->packaged = packaged(a, o->root);
    return true;
}
