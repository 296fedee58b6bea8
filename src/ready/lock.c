/* Lock files: uv.lock, poetry.lock (files in the package or in [metadata.files]), pdm.lock, pylock.toml (PEP 751),
 * Pipfile.lock.
 *
 * The first four are TOML and alike: an array of tables, one for each package, with the names of its wheels under one
 * key or another. Pipfile.lock is JSON and names no files, only hashes.
 *
 * Not read: what a package depends on, and for which extras or groups it is there. */
#include "ready/ready.h"
#include "ready/requirement.h"
#include "ready/version.h"
#include "ready/wheel.h"

#include <jansson.h>

/* ---- the TOML locks -------------------------------------------------------------------------------------- */

/* Where a key holds a string; empty otherwise. */
static Str text_at(const Toml *t, const char *key)
{
    const Toml *v = toml_get(t, key);
    return v && v->kind == TOML_STRING ? v->text : (Str){0};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The file that a URL or path names: the last part, without query and fragment, percent signs decoded. */
static Str file_of(Arena *a, Str url)
{
    url = str_slice(url, 0, MIN(str_find(url, '?'), str_find(url, '#')));
    Str last = str_last(url, '/');
    char *out = arena_new(a, char, last.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < last.n; i++) {
        int hi = i + 2 < last.n ? hex_digit(last.p[i + 1]) : -1, lo = i + 2 < last.n ? hex_digit(last.p[i + 2]) : -1;
        bool escaped = last.p[i] == '%' && hi >= 0 && lo >= 0;
        out[n++] = escaped ? (char)(hi * 16 + lo) : last.p[i];
        if (escaped) i += 2;
    }
    return (Str){out, n};
}

static void file_add(Gather *g, Dep *d, const Toml *t)
{
    static const char *const keys[] = {"file", "filename", "name", "url", "path"};
    Str name = t->kind == TOML_STRING ? t->text : (Str){0};
    for (u32 i = 0; i < COUNT_OF(keys) && !name.n; i++) name = file_of(g->a, text_at(t, keys[i]));
    if (str_ends(name, S(".whl")))
        vec_push(g->a, &d->wheels, name);
    else if (str_ends(name, S(".tar.gz")) || str_ends(name, S(".zip")) || str_ends(name, S(".tar.bz2")))
        d->sdist = true;
}

static void files_add(Gather *g, Dep *d, const Toml *list)
{
    for (u32 i = 0; list && list->kind == TOML_ARRAY && i < list->items.n; i++) file_add(g, d, list->items.v[i]);
}

/* Does none of the markers under this key hold under the target? A string, or with uv and pdm a list of alternatives.
 */
static bool not_for_target(const Gather *g, const Toml *package)
{
    static const char *const keys[] = {"marker", "markers", "resolution-markers"};
    for (u32 k = 0; k < COUNT_OF(keys); k++) {
        const Toml *m = toml_get(package, keys[k]);
        if (m && m->kind == TOML_STRING && !marker_may_hold(m->text, g->o->target)) return true;
        bool any = !m || m->kind != TOML_ARRAY || !m->items.n;
        for (u32 i = 0; !any && i < m->items.n; i++)
            any = m->items.v[i]->kind != TOML_STRING || marker_may_hold(m->items.v[i]->text, g->o->target);
        if (!any) return true;
    }
    return false;
}

/* Is it the project itself, or a member of its workspace? uv: source = { editable = "." }, { virtual = "." }. */
static bool is_own(const Toml *package)
{
    return toml_get(package, "source.editable") || toml_get(package, "source.virtual");
}

/* Does it come from somewhere else than an index of packages? */
static bool from_elsewhere(const Toml *package)
{
    static const char *const keys[] = {
        "source.git", "source.url", "source.directory", "source.path", "vcs", "directory", "archive", "git", "path"};
    for (u32 i = 0; i < COUNT_OF(keys); i++)
        if (toml_get(package, keys[i])) return true;
    Str type = text_at(package, "source.type"); /* Poetry: git, url, file, directory; legacy is an index */
    return type.n && !str_is(type, "legacy") && !str_is(type, "pypi");
}

/* A TOML lock that is being read. */
typedef struct LockFile {
    const Source *source;
    const Toml *older; /* the table [metadata.files] of an old poetry.lock, with its keys in `index`; NULL */
    Intern index;
    bool elsewhere; /* it is for other versions of Python than the target, and so lists other wheels */
} LockFile;

static void package_read(Gather *g, const LockFile *l, const Toml *p)
{
    const Source *s = l->source;
    const Toml *name = toml_get(p, "name");
    if (!name || name->kind != TOML_STRING || !name_length(name->text)) {
        gather_note(g, s, p->line, "lock", "the package was left out: it has no name");
        return;
    }
    if (is_own(p) || not_for_target(g, p)) return;
    Dep *d = dep_add(g, DEP_LOCKED, s, name->line, name->text);
    d->version = text_at(p, "version");
    d->other_source = from_elsewhere(p);
    if (l->elsewhere) return;
    files_add(g, d, toml_get(p, "wheels"));
    files_add(g, d, toml_get(p, "files"));
    if (toml_get(p, "sdist")) d->sdist = true;
    u32 id = l->older ? intern_find(&l->index, d->name) : NONE;
    if (id != NONE) files_add(g, d, l->older->items.v[id]);
}

static void older_files(Gather *g, LockFile *l, const Toml *doc)
{
    const Toml *t = toml_get(doc, "metadata.files");
    if (!t || t->kind != TOML_TABLE) return;
    l->older = t;
    for (u32 i = 0; l->older && i < t->items.n; i++)
        if (intern(g->a, &l->index, name_normal(g->a, t->items.v[i]->key)) != i)
            l->older = NULL; /* two keys for one package: no tool writes that */
}

/* uv and pylock list only wheels that fit requires-python. */
static void python_check(Gather *g, LockFile *l, const Toml *doc)
{
    const Toml *t = toml_get(doc, "requires-python");
    if (!t || t->kind != TOML_STRING || !spec_valid(t->text)) return;
    l->elsewhere = !spec_matches(t->text, str_fmt(g->a, "3.%d.99", g->o->target));
    if (l->elsewhere)
        gather_note(g, l->source, t->line, "lock", "this lock is for Python %.*s, so its wheels say nothing of 3.%d",
                    (int)MIN(t->text.n, (size_t)80), t->text.p, g->o->target);
}

void lock_read(Gather *g, const Source *s)
{
    Err e = {0};
    u32 line = 1;
    LockFile l = {.source = s};
    const Toml *doc = toml_parse(g->a, s->text, &line, &e);
    if (!doc) {
        gather_note(g, s, line, "lock", "the file was left out: %s; make it anew with the tool that wrote it", e.msg);
        return;
    }
    const Toml *list = toml_get(doc, "package");
    if (!list) list = toml_get(doc, "packages");
    if (!list || list->kind != TOML_ARRAY) {
        gather_note(g, s, 1, "lock", "no package is locked here");
        return;
    }
    older_files(g, &l, doc);
    python_check(g, &l, doc);
    for (u32 i = 0; i < list->items.n; i++)
        if (list->items.v[i]->kind == TOML_TABLE) package_read(g, &l, list->items.v[i]);
}

/* ---- Pipfile.lock ------------------------------------------------------------------------------------------ */

/* The line of the next "key" behind *at, which moves behind it: jansson keeps the order of keys, but not where they
 * stood. */
static u32 key_line(Arena *scratch, const Source *s, const char *key, size_t *at)
{
    u32 line = 1, column;
    Str quoted = str_fmt(scratch, "\"%s\"", key), rest = str_slice(s->text, *at, s->text.n);
    size_t found = str_search(rest, quoted);
    if (found == rest.n) return line;
    source_position(s, (u32)(*at + found), &line, &column);
    *at += found + quoted.n;
    return line;
}

static void pipfile_section(Gather *g, const Source *s, json_t *section, const char *name, size_t *at)
{
    Arena scratch = {0};
    const char *key;
    json_t *value;
    if (json_is_object(section)) key_line(&scratch, s, name, at);
    json_object_foreach(section, key, value)
    {
        size_t before = *at;
        u32 line = key_line(&scratch, s, key, at);
        if (*at == before) *at = s->text.n; /* written with escapes: search no further, here and for what follows */
        const char *version = json_string_value(json_object_get(value, "version"));
        const char *marker = json_string_value(json_object_get(value, "markers"));
        if (!name_length(str_from(key)) || (marker && !marker_may_hold(str_from(marker), g->o->target))) continue;
        Dep *d = dep_add(g, DEP_LOCKED, s, line, str_from(key));
        d->version = version ? str_dup(g->a, spec_exact(str_from(version))) : (Str){0};
        d->other_source = !version;
    }
    arena_free(&scratch);
}

void pipfile_lock_read(Gather *g, const Source *s)
{
    json_error_t why;
    size_t at = 0;
    json_t *doc = json_loadb(s->text.p, s->text.n, 0, &why);
    if (!doc) {
        u32 line = why.line > 0 ? (u32)why.line : 1;
        gather_note(g, s, line, "lock", "the file was left out: not JSON: %s; make it anew with pipenv lock",
                    why.text);
        return;
    }
    pipfile_section(g, s, json_object_get(doc, "default"), "default", &at);
    pipfile_section(g, s, json_object_get(doc, "develop"), "develop", &at);
    json_decref(doc);
}
