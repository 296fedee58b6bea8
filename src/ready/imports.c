/* The import statements of the project that bring in a package which turns the GIL on.
 *
 * The facts of the project's Python files have every import; its module is compared with the names that the package
 * is imported by. Relative imports and imports for annotations alone are left out. */
#include "ready/ready.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static bool turns_on(const PackageVerdict *v)
{
    bool none = v->row && (v->row->status == COMPAT_NONE || v->row->status == COMPAT_NIGHTLY);
    return strcmp(v->gil.answer, "on") == 0 || (none && strcmp(v->gil.answer, "off") != 0);
}

/* Is the module one of the names, or inside of one? */
static bool module_among(Str module, Str names)
{
    while (names.n) {
        Str name = str_trim(str_cut(names, ',', &names));
        if (!name.n || !str_starts(module, name)) continue;
        if (module.n == name.n || module.p[name.n] == '.') return true;
    }
    return false;
}

/* The first part of a dotted name. */
static Str top_of(Str module)
{
    return str_slice(module, 0, str_find(module, '.'));
}

/* Which names matter, by their first part: most imports are told apart by one look. */
static void tops_add(Arena *a, Intern *tops, Str names)
{
    while (names.n) intern(a, tops, top_of(str_trim(str_cut(names, ',', &names))));
}

/* What is looked for. */
typedef struct Search {
    Arena *a;
    Intern tops;
    Vec(PackageVerdict *) wanted; /* of what turns the GIL on */
} Search;

static void import_match(Search *x, const Facts *f, const Import *i, Str module)
{
    u32 line, column;
    source_position(f->source, i->span.start, &line, &column);
    for (u32 k = 0; k < x->wanted.n; k++) {
        PackageVerdict *v = x->wanted.v[k];
        if (!module_among(module, v->imports)) continue;
        ImportLine l = {.line = line, .module = str_dup(x->a, module), .path = f->source->path};
        vec_push(x->a, &v->lines, l);
    }
}

static void file_search(Search *x, const Facts *f)
{
    Arena scratch = {0};
    for (u32 k = 0; k < f->imports.n; k++) {
        const Import *i = &f->imports.v[k];
        if (i->level || i->typing) continue;
        Str module = sym_str(f, i->module), name = sym_str(f, i->name);
        if (intern_find(&x->tops, top_of(module)) == NONE) continue;
        if (name.n) module = str_dot(&scratch, module, name); /* from google import protobuf */
        import_match(x, f, i, module);
    }
    arena_free(&scratch);
}

/* Is it a directory of installed packages, or a virtual environment with some? */
static bool holds_installed(const char *dir)
{
    char real[PATH_MAX];
    Arena scratch = {0};
    if (!realpath(dir, real)) return true;
    bool venv = access(str_fmt(&scratch, "%s/pyvenv.cfg", real).p, F_OK) == 0;
    arena_free(&scratch);
    return venv || strstr(real, "/site-packages") || strstr(real, "/dist-packages");
}

/* The directories among the PATHs that may hold the project's own code; the current one when there are no PATHs. */
static void code_dirs(Gather *g, Options *o)
{
    StrVec given = g->o->args;
    if (!given.n) vec_push(g->a, &given, S("."));
    o->args = (StrVec){0};
    for (u32 i = 0; i < given.n; i++) {
        Str arg = given.v[i];
        struct stat st;
        const char *dir = str_c(g->a, arg);
        if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode) && !holds_installed(dir)) vec_push(g->a, &o->args, arg);
    }
}

void imports_find(Gather *g, PackageVerdict *verdicts)
{
    Options o = *g->o;
    Search x = {.a = g->a};
    SourceList sources = {0};
    NoteVec ignored = {0}; /* `ungil check` tells what it cannot read */
    Facts **facts;
    Err e = {0};
    for (u32 i = 0; i < g->deps.n; i++) {
        if (!turns_on(&verdicts[i])) continue;
        tops_add(g->a, &x.tops, verdicts[i].imports);
        vec_push(g->a, &x.wanted, &verdicts[i]);
    }
    code_dirs(g, &o);
    if (!x.tops.n || !o.args.n) return;
    if (!read_sources(g->a, &o, &sources, &ignored, &e) || !facts_all(g->a, &o, &sources, &facts, &ignored, &e))
        return;
    for (u32 i = 0; i < sources.n; i++) file_search(&x, facts[i]);
}
