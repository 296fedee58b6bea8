/* Which files speak of dependencies, and the small steps that all readers of such files share. */
#include "ready/ready.h"
#include "read/read.h"
#include "ready/requirement.h"
#include "ready/version.h"

#include <stdarg.h>

typedef enum FileKind {
    FILE_OTHER,
    FILE_LOCK,
    FILE_PIPFILE_LOCK,
    FILE_REQUIREMENTS,
    FILE_CONSTRAINTS,
    FILE_PYPROJECT,
    FILE_SETUP_CFG,
    FILE_SETUP_PY,
    FILE_METADATA
} FileKind;

/* Below a directory of installed packages only their METADATA speaks for them: what else lies there is theirs. */
static bool among_installed(Str dir)
{
    return str_contains(dir, S("/site-packages")) || str_contains(dir, S("/dist-packages"));
}

static FileKind kind_of(Str dir, Str name)
{
    static const struct {
        const char *name;
        FileKind kind;
    } names[] = {
        {"uv.lock", FILE_LOCK},        {"poetry.lock", FILE_LOCK},          {"pdm.lock", FILE_LOCK},
        {"pylock.toml", FILE_LOCK},    {"Pipfile.lock", FILE_PIPFILE_LOCK}, {"pyproject.toml", FILE_PYPROJECT},
        {"setup.cfg", FILE_SETUP_CFG}, {"setup.py", FILE_SETUP_PY}};
    if (str_is(name, "METADATA")) return str_ends(dir, S(".dist-info")) ? FILE_METADATA : FILE_OTHER;
    if (among_installed(dir)) return FILE_OTHER;
    for (u32 i = 0; i < COUNT_OF(names); i++)
        if (str_is(name, names[i].name)) return names[i].kind;
    if (str_starts(name, S("pylock.")) && str_ends(name, S(".toml"))) return FILE_LOCK; /* PEP 751 */
    if (!str_ends(name, S(".txt")) && !str_ends(name, S(".in"))) return FILE_OTHER;
    if (str_has_word(name, "constraints")) return FILE_CONSTRAINTS;
    bool named = str_has_word(name, "requirements") || str_is(str_last(dir, '/'), "requirements");
    return named ? FILE_REQUIREMENTS : FILE_OTHER;
}

bool ready_file(Str dir, Str name)
{
    return kind_of(dir, name) != FILE_OTHER;
}

/* What a file is that was named on the command line and whose own name does not tell. */
static FileKind kind_guess(const Source *s)
{
    Str name = s->path;
    if (str_ends(name, S(".lock"))) return FILE_LOCK;
    if (str_ends(name, S(".toml"))) return str_contains(s->text, S("lock-version")) ? FILE_LOCK : FILE_PYPROJECT;
    return str_ends(name, S(".txt")) || str_ends(name, S(".in")) ? FILE_REQUIREMENTS : FILE_OTHER;
}

void gather_note(Gather *g, const Source *s, u32 line, const char *code, const char *fmt, ...)
{
    char msg[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    Note n = {.path = s->path, .line = line, .code = code, .message = str_dup(g->a, str_from(msg))};
    vec_push(g->a, g->notes, n);
}

/* The path as output shows it: relative to the root where it lies inside. */
static Str path_shown(const Gather *g, Str abs)
{
    Str root = g->o->root;
    bool inside = abs.n > root.n && str_starts(abs, root) && abs.p[root.n] == '/';
    return inside ? str_slice(abs, root.n + 1, abs.n) : abs;
}

Source *gather_source(Gather *g, Str abs, bool *fresh)
{
    Err e = {0};
    u32 id = intern(g->a, &g->paths, abs);
    *fresh = id == g->ids.n;
    if (!*fresh) return g->ids.v[id] == NONE ? NULL : g->sources.v[g->ids.v[id]];
    vec_push(g->a, &g->ids, NONE);
    Source *s = arena_new(g->a, Source, 1);
    *s = (Source){
        .id = g->sources.n, .abs = g->paths.strs[id], .path = path_shown(g, g->paths.strs[id]), .module = S("-")};
    if (!os_read_file(g->a, str_c(g->a, abs), READY_FILE_MAX, &s->text, &e)) {
        gather_note(g, s, 0, "unreadable", "the file was left out: %s", e.msg);
        return NULL;
    }
    if (memchr(s->text.p, 0, s->text.n)) {
        gather_note(g, s, 0, "binary", "the file was left out: it holds NUL bytes; save it as UTF-8");
        return NULL;
    }
    if (!source_index(g->a, s, g->notes)) return NULL;
    g->ids.v[id] = s->id;
    vec_push(g->a, &g->sources, s);
    return s;
}

void gather_file(Gather *g, Str abs)
{
    bool fresh;
    Source *s = gather_source(g, abs, &fresh);
    if (!s || !fresh) return;
    FileKind kind = kind_of(str_folder(s->abs), str_last(s->abs, '/'));
    switch (kind == FILE_OTHER ? kind_guess(s) : kind) {
    case FILE_LOCK: lock_read(g, s); break;
    case FILE_PIPFILE_LOCK: pipfile_lock_read(g, s); break;
    case FILE_REQUIREMENTS: requirements_read(g, s, DEP_DECLARED); break;
    case FILE_CONSTRAINTS: requirements_read(g, s, DEP_CONSTRAINT); break;
    case FILE_PYPROJECT: pyproject_read(g, s); break;
    case FILE_SETUP_CFG: setup_cfg_read(g, s); break;
    case FILE_SETUP_PY: setup_py_read(g, s); break;
    case FILE_METADATA: installed_read(g, s); break;
    default:
        gather_note(g, s, 0, "not-dependencies",
                    "the file was left out: by its name it is no lock, requirements or project file");
    }
}

/* ---- dependencies ---------------------------------------------------------------------------------------- */

/* The name where it stands on the line, else the line without its indentation. */
static Span span_on_line(const Source *s, u32 line, Str name)
{
    enum { LONG = 4096 }; /* thousands of names may stand on one line */
    Str text = str_slice(source_line(s, line), 0, LONG);
    u32 from = s->line_start[line - 1];
    size_t at = str_search(text, name);
    if (at < text.n) return (Span){from + (u32)at, from + (u32)(at + name.n)};
    Str bare = str_trim(text);
    if (!bare.n) return (Span){from, from};
    return (Span){from + (u32)(bare.p - text.p), from + (u32)(bare.p - text.p + (ptrdiff_t)bare.n)};
}

Dep *dep_add(Gather *g, DepKind kind, const Source *s, u32 line, Str name)
{
    Dep *d = vec_add(g->a, &g->deps);
    *d = (Dep){.kind = (u8)kind, .name = name_normal(g->a, name), .shown = str_dup(g->a, name), .file = s->id};
    d->line = MIN(MAX(line, 1u), s->nlines);
    d->span = span_on_line(s, d->line, name);
    return d;
}

void requirement_add(Gather *g, DepKind kind, const Source *s, u32 line, Str text)
{
    Requirement r;
    Err e = {0};
    if (!requirement_read(text, &r, &e)) {
        gather_note(g, s, line, "requirement", "the requirement was left out: %s", e.msg);
        return;
    }
    if (r.marker.n && !marker_may_hold(r.marker, g->o->target)) return; /* not under the target */
    Dep *d = dep_add(g, kind, s, line, r.name);
    d->spec = str_dup(g->a, r.spec);
    d->version = str_dup(g->a, spec_exact(r.spec));
    d->other_source = r.url.n > 0;
}
