/* What a project declares: pyproject.toml ([project], [dependency-groups], [build-system], and the tables of Poetry,
 * PDM and uv), setup.cfg, and of setup.py the lists that are written out. */
#include "ready/ready.h"
#include "ready/requirement.h"
#include "ready/version.h"

/* ---- pyproject.toml ----------------------------------------------------------------------------------------- */

/* A value of a type that no tool accepts: what it was to say is not known, which is told. */
static void type_note(Gather *g, const Source *s, const Toml *t, Str key, const char *wanted)
{
    gather_note(g, s, t->line, "project", "%.*s was left out: it must be %s", STR_ARG(key), wanted);
}

/* The strings of an array, each a requirement; tables (include-group) are left out. `own` is the project's name. */
static void list_read(Gather *g, const Source *s, const Toml *list, Str key, Str own)
{
    if (list && list->kind != TOML_ARRAY) type_note(g, s, list, key, "an array of requirements");
    for (u32 i = 0; list && list->kind == TOML_ARRAY && i < list->items.n; i++) {
        const Toml *t = list->items.v[i];
        if (t->kind != TOML_STRING && t->kind != TOML_TABLE) type_note(g, s, t, key, "an array of strings");
        if (t->kind != TOML_STRING) continue;
        Str name = str_slice(t->text, 0, name_length(t->text));
        if (own.n && str_eq(name_normal(g->a, name), own)) continue; /* all = ["project[this,that]"] */
        requirement_add(g, DEP_DECLARED, s, t->line, t->text);
    }
}

/* The array of that name in the file, where it has one. */
static void list_named(Gather *g, const Source *s, const Toml *doc, const char *key, Str own)
{
    list_read(g, s, toml_get(doc, key), str_from(key), own);
}

/* A table of such arrays: extras, groups. */
static void lists_named(Gather *g, const Source *s, const Toml *doc, const char *key, Str own)
{
    const Toml *table = toml_get(doc, key);
    if (table && table->kind != TOML_TABLE) type_note(g, s, table, str_from(key), "a table of arrays");
    for (u32 i = 0; table && table->kind == TOML_TABLE && i < table->items.n; i++) {
        const Toml *t = table->items.v[i];
        list_read(g, s, t, str_fmt(g->a, "%s.%.*s", key, STR_ARG(t->key)), own);
    }
}

static void poetry_one(Gather *g, const Source *s, const Toml *key, const Toml *t)
{
    if (t->kind != TOML_STRING && t->kind != TOML_TABLE) {
        type_note(g, s, t, key->key, "a range or a table");
        return;
    }
    const Toml *version = t->kind == TOML_TABLE ? toml_get(t, "version") : t;
    const Toml *marker = toml_get(t, "markers"), *python = toml_get(t, "python");
    Str spec = {0}, series = {0};
    if (marker && marker->kind == TOML_STRING && !marker_may_hold(marker->text, g->o->target)) return;
    if (python && python->kind == TOML_STRING && poetry_spec(g->a, python->text, &series) &&
        !spec_matches(series, str_fmt(g->a, "3.%d", g->o->target)))
        return;
    if (version && version->kind == TOML_STRING && !poetry_spec(g->a, version->text, &spec)) {
        gather_note(g, s, t->line, "requirement",
                    "the requirement of %.*s was left out: '%.*s' is no range that can be read", STR_ARG(key->key),
                    (int)MIN(version->text.n, (size_t)80), version->text.p);
        return;
    }
    Dep *d = dep_add(g, DEP_DECLARED, s, t->line, key->key);
    d->spec = spec;
    d->version = str_dup(g->a, spec_exact(spec));
    d->other_source = toml_get(t, "git") || toml_get(t, "url") || toml_get(t, "path");
}

/* [tool.poetry.dependencies]: name = "range", a table, or an array of tables. */
static void poetry_read(Gather *g, const Source *s, const Toml *table)
{
    if (table && table->kind != TOML_TABLE)
        type_note(g, s, table, table->key.n ? table->key : S("dependencies"), "a table of ranges");
    for (u32 i = 0; table && table->kind == TOML_TABLE && i < table->items.n; i++) {
        const Toml *t = table->items.v[i];
        if (str_is(t->key, "python") || !name_length(t->key)) continue;
        if (t->kind != TOML_ARRAY) poetry_one(g, s, t, t);
        for (u32 k = 0; t->kind == TOML_ARRAY && k < t->items.n; k++) poetry_one(g, s, t, t->items.v[k]);
    }
}

static bool list_has(const Toml *list, const char *word)
{
    for (u32 i = 0; list && list->kind == TOML_ARRAY && i < list->items.n; i++)
        if (list->items.v[i]->kind == TOML_STRING && str_is(list->items.v[i]->text, word)) return true;
    return false;
}

void pyproject_read(Gather *g, const Source *s)
{
    Err e = {0};
    u32 line = 1;
    const Toml *doc = toml_parse(g->a, s->text, &line, &e);
    if (!doc) {
        gather_note(g, s, line, "project", "the file was left out: %s", e.msg);
        return;
    }
    const Toml *name = toml_get(doc, "project.name"), *dynamic = toml_get(doc, "project.dynamic");
    const Toml *groups = toml_get(doc, "tool.poetry.group");
    Str own = name && name->kind == TOML_STRING ? name_normal(g->a, name->text) : (Str){0};
    list_named(g, s, doc, "project.dependencies", own);
    lists_named(g, s, doc, "project.optional-dependencies", own);
    lists_named(g, s, doc, "dependency-groups", own);
    list_named(g, s, doc, "build-system.requires", own);
    lists_named(g, s, doc, "tool.pdm.dev-dependencies", own);
    list_named(g, s, doc, "tool.uv.dev-dependencies", own);
    poetry_read(g, s, toml_get(doc, "tool.poetry.dependencies"));
    poetry_read(g, s, toml_get(doc, "tool.poetry.dev-dependencies"));
    for (u32 i = 0; groups && groups->kind == TOML_TABLE && i < groups->items.n; i++)
        poetry_read(g, s, toml_get(groups->items.v[i], "dependencies"));
    if (list_has(dynamic, "dependencies"))
        gather_note(g, s, dynamic->line, "dynamic",
                    "the build backend computes the dependencies; only other files tell them");
}

/* ---- setup.cfg --------------------------------------------------------------------------------------------------
 */

static bool is_requires(Str section, Str key)
{
    if (str_is(section, "options.extras_require")) return true;
    bool list = str_is(key, "install_requires") || str_is(key, "setup_requires") || str_is(key, "tests_require");
    return str_is(section, "options") && list;
}

/* A value or one line of it: requirements separated by semicolons would clash with markers, so a line is one. */
static void value_read(Gather *g, const Source *s, u32 line, Str value)
{
    if (!value.n || value.p[0] == '#') return;
    if (str_starts(value, S("file:")))
        gather_note(g, s, line, "dynamic",
                    "the dependencies stand in another file, which counts when it is among the PATHs");
    else
        requirement_add(g, DEP_DECLARED, s, line, value);
}

void setup_cfg_read(Gather *g, const Source *s)
{
    Str section = {0}, key = {0};
    for (u32 line = 1; line <= s->nlines; line++) {
        Str text = source_line(s, line), bare = str_trim(text);
        if (!bare.n || bare.p[0] == '#' || bare.p[0] == ';') continue;
        if (text.p[0] == '[') {
            section = str_slice(bare, 1, str_find(bare, ']'));
            key = (Str){0};
            continue;
        }
        bool goes_on = text.p[0] == ' ' || text.p[0] == '\t';
        if (!goes_on) {
            size_t end = MIN(str_find(bare, '='), str_find(bare, ':'));
            key = str_trim(str_slice(bare, 0, end));
            bare = str_trim(str_slice(bare, end + 1, bare.n));
        }
        if (is_requires(section, key)) value_read(g, s, line, bare);
    }
}

/* ---- setup.py ----------------------------------------------------------------------------------------------------
 */

/* Behind blanks, newlines and comments. */
static size_t blanks_end(Str s, size_t i)
{
    for (; i < s.n; i++) {
        if (s.p[i] == '#')
            while (i < s.n && s.p[i] != '\n') i++;
        else if (!strchr(" \t\r\n", s.p[i]))
            break;
    }
    return i;
}

/* The plain string at s[i], "…" or '…' without prefix and backslash; its end is given back, i when there is none. */
static size_t string_end(Str s, size_t i)
{
    if (i >= s.n || (s.p[i] != '"' && s.p[i] != '\'')) return i;
    for (size_t k = i + 1; k < s.n; k++) {
        if (s.p[k] == '\\' || s.p[k] == '\n') return i;
        if (s.p[k] == s.p[i]) return k + 1;
    }
    return i;
}

/* The list of plain strings at s[at], behind its bracket. False when anything else is in it. */
static bool literal_list(Gather *g, const Source *s, size_t i, bool add)
{
    Str t = s->text;
    for (;;) {
        i = blanks_end(t, i);
        if (i < t.n && (t.p[i] == ']' || t.p[i] == ')')) return true;
        size_t end = string_end(t, i);
        if (end == i) return false;
        u32 line, column;
        source_position(s, (u32)i, &line, &column);
        if (add) requirement_add(g, DEP_DECLARED, s, line, str_slice(t, i + 1, end - 1));
        i = blanks_end(t, end);
        if (i < t.n && t.p[i] == ',')
            i++;
        else if (i >= t.n || (t.p[i] != ']' && t.p[i] != ')'))
            return false;
    }
}

void setup_py_read(Gather *g, const Source *s)
{
    static const char *const keys[] = {"install_requires", "setup_requires", "tests_require", "extras_require"};
    Str t = s->text;
    for (u32 k = 0; k < COUNT_OF(keys); k++) {
        Str key = str_from(keys[k]);
        for (size_t at = 0, found; (found = str_search(str_slice(t, at, t.n), key)) < t.n - at;) {
            u32 line, column;
            at += found + key.n;
            size_t i = blanks_end(t, at);
            if (found && is_word_char(t.p[at - key.n - 1])) continue;
            if (i >= t.n || t.p[i] != '=' || (i + 1 < t.n && t.p[i + 1] == '=')) continue;
            i = blanks_end(t, i + 1);
            bool list = i < t.n && t.p[i] == '[';
            if (list && literal_list(g, s, i + 1, false) && literal_list(g, s, i + 1, true)) continue;
            source_position(s, (u32)(at - key.n), &line, &column);
            gather_note(g, s, line, "dynamic",
                        "%s is no list of plain strings and was not read; setup.py is never run", keys[k]);
        }
    }
}
