/* The configuration file: `[tool.ungil]` of the nearest pyproject.toml that has it, or ungil.toml, at or above the
 * directory of the PATHs. Its keys are the options of the same names, plus the tables per-file-ignores, rules and
 * roots. What the command line gives is left alone. A key that is not known or has the wrong type is an error that
 * names its line. */
#include "conf/conf.h"

#include <unistd.h>

enum { CONFIG_MAX = 4 << 20 };

typedef struct Config {
    Arena *a;
    Options *o;
    const bool *given;
    Str file, dir;
    Err *e;
    bool foreign; /* not a file of this machine: see config_apply_text */
} Config;

static bool fail_at(const Config *c, const Toml *t, const char *what)
{
    return err_set(c->e, "%.*s:%u: %s", STR_ARG(c->file), t->line, what);
}

static bool wrong_type(const Config *c, const Toml *t, const char *wanted)
{
    return err_set(c->e, "%.*s:%u: %.*s must be %s", STR_ARG(c->file), t->line, STR_ARG(t->key), wanted);
}

/* Patterns are relative to the file; the search compares with paths relative to the root. */
static Str glob_rebase(const Config *c, Str glob)
{
    Str root = c->o->root;
    bool plain = str_find(str_slice(glob, 0, glob.n ? glob.n - 1 : 0), '/') >= glob.n - (glob.n > 0);
    bool below = c->dir.n > root.n && str_starts(c->dir, root) && c->dir.p[root.n] == '/';
    if (plain || !below) return glob;
    return str_fmt(c->a, "%.*s/%.*s", STR_ARG(str_slice(c->dir, root.n + 1, c->dir.n)), STR_ARG(glob));
}

static bool codes_read(const Config *c, const Toml *t, StrVec *out)
{
    if (t->kind != TOML_ARRAY) return wrong_type(c, t, "an array of rules");
    for (u32 i = 0; i < t->items.n; i++) {
        const Toml *item = t->items.v[i];
        Err why = {0};
        if (item->kind != TOML_STRING) return wrong_type(c, t, "an array of rules");
        if (!code_check(item->text, &why)) return fail_at(c, item, why.msg);
        vec_push(c->a, out, item->text);
    }
    return true;
}

static bool path_ignores_read(const Config *c, const Toml *t)
{
    if (t->kind != TOML_TABLE) return wrong_type(c, t, "a table of globs and rules");
    for (u32 i = 0; i < t->items.n; i++) {
        PathIgnore *p = vec_add(c->a, &c->o->path_ignores);
        Err why = {0};
        if (!glob_check(t->items.v[i]->key, &why)) return fail_at(c, t->items.v[i], why.msg);
        p->glob = glob_rebase(c, t->items.v[i]->key);
        if (!codes_read(c, t->items.v[i], &p->codes)) return false;
    }
    return true;
}

static bool on_command_line(const Config *c, const char *name)
{
    for (u32 i = 0; i < option_count; i++)
        if (c->given[i] && strcmp(option_table[i].name, name) == 0) return true;
    return false;
}

static bool rules_read(const Config *c, const Toml *t)
{
    if (t->kind != TOML_TABLE) return wrong_type(c, t, "a table of rules: [tool.ungil.rules.UG101]");
    for (u32 i = 0; i < t->items.n; i++) {
        RuleSetting *r = vec_add(c->a, &c->o->rule_settings);
        if (!rule_setting_read(t->items.v[i], c->file, r, c->e)) return false;
        if (on_command_line(c, "min-confidence")) r->min_confidence = -1;
    }
    return true;
}

static bool roots_read(const Config *c, const Toml *t)
{
    if (t->kind != TOML_ARRAY) return wrong_type(c, t, "an array of tables: [[tool.ungil.roots]]");
    for (u32 i = 0; i < t->items.n; i++)
        if (!root_row_read(c->a, t->items.v[i], c->file, vec_add(c->a, &c->o->roots), c->e)) return false;
    return true;
}

static bool list_read(const Config *c, const OptRow *row, const Toml *t)
{
    StrVec *list = (StrVec *)((char *)c->o + row->offset);
    if (row->kind == OPT_CODES) return codes_read(c, t, list);
    if (t->kind != TOML_ARRAY) return wrong_type(c, t, "an array of strings");
    bool globs = strcmp(row->arg, "GLOBS") == 0;
    for (u32 i = 0; i < t->items.n; i++) {
        if (t->items.v[i]->kind != TOML_STRING) return wrong_type(c, t, "an array of strings");
        Str s = t->items.v[i]->text;
        Err why = {0};
        if (globs && !glob_check(s, &why)) return fail_at(c, t->items.v[i], why.msg);
        vec_push(c->a, list, globs ? glob_rebase(c, s) : s);
    }
    return true;
}

static bool value_read(const Config *c, const OptRow *row, const Toml *t)
{
    Err why = {0};
    Str text = t->text;
    switch (row->kind) {
    case OPT_LIST:
    case OPT_CODES: return list_read(c, row, t);
    case OPT_FLAG:
        if (t->kind != TOML_BOOL) return wrong_type(c, t, "true or false");
        break;
    case OPT_COUNT:
        if (t->kind != TOML_INTEGER) return wrong_type(c, t, "a whole number");
        text = str_fmt(c->a, "%lld", (long long)t->number);
        break;
    default:
        if (t->kind != TOML_STRING) return wrong_type(c, t, "a string");
    }
    return option_set(c->a, row, c->o, text, c->dir, &why) || fail_at(c, t, why.msg);
}

static bool key_unknown(const Config *c, const Toml *t)
{
    const char *names[OPT_MAX];
    u32 n = 0;
    for (u32 i = 0; i < option_count; i++)
        if (option_table[i].config) names[n++] = option_table[i].name;
    names[n++] = "per-file-ignores";
    names[n++] = "roots";
    names[n++] = "rules";
    const char *near = near_word(t->key, names, n);
    return err_set(c->e, "%.*s:%u: unknown key '%.*s'%s%s%s", STR_ARG(c->file), t->line, STR_ARG(t->key),
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bool key_read(const Config *c, const Toml *t)
{
    if (str_is(t->key, "per-file-ignores")) return path_ignores_read(c, t);
    if (str_is(t->key, "roots")) return roots_read(c, t);
    if (str_is(t->key, "rules")) return rules_read(c, t);
    for (u32 i = 0; i < option_count; i++) {
        const OptRow *row = &option_table[i];
        if (!row->config || !str_is(t->key, row->name)) continue;
        if (c->foreign && (row->kind == OPT_PATH || row->kind == OPT_COUNT)) return true;
        return c->given[i] || value_read(c, row, t);
    }
    return key_unknown(c, t);
}

/* Applies the text of a file. *found tells whether it speaks of us. */
static bool text_apply(const Config *c, Str text, bool required, bool *found)
{
    u32 line = 1;
    Err why = {0};
    bool pyproject = str_ends(c->file, S("pyproject.toml"));
    if (pyproject && !required && !str_contains(text, S("ungil"))) return true;
    const Toml *doc = toml_parse(c->a, text, &line, &why);
    if (!doc) return err_set(c->e, "%.*s:%u: %s", STR_ARG(c->file), line, why.msg);
    const Toml *table = toml_get(doc, "tool.ungil");
    if (!table && pyproject) return true;
    if (!table) table = doc;
    *found = true;
    if (table->kind != TOML_TABLE) return wrong_type(c, table, "a table");
    for (u32 i = 0; i < table->items.n; i++)
        if (!key_read(c, table->items.v[i])) return false;
    return true;
}

static bool file_apply(const Config *c, bool required, bool *found)
{
    Str text;
    return os_read_file(c->a, c->file.p, CONFIG_MAX, &text, c->e) && text_apply(c, text, required, found);
}

bool config_apply_text(Arena *a, Options *o, Str name, Str text, bool *found, Err *e)
{
    Config c = {a, o, o->given, name, o->root, e, true};
    return text_apply(&c, text, false, found);
}

bool config_apply(Arena *a, Options *o, const bool *given, Str start, Err *e)
{
    static const char *const names[] = {"ungil.toml", "pyproject.toml"};
    Config c = {a, o, given, o->config, {0}, e, false};
    bool found = false;
    if (o->isolated) return true;
    if (o->config.n) {
        c.dir = str_slice(o->config, 0, str_rfind(o->config, '/'));
        return file_apply(&c, true, &found);
    }
    for (c.dir = start; !found;) {
        for (u32 i = 0; i < COUNT_OF(names) && !found; i++) {
            c.file = str_fmt(a, "%.*s/%s", STR_ARG(c.dir), names[i]);
            if (access(c.file.p, F_OK) == 0 && !file_apply(&c, false, &found)) return false;
        }
        if (c.dir.n <= 1) break;
        size_t slash = str_rfind(c.dir, '/');
        c.dir = str_slice(c.dir, 0, slash ? slash : 1);
    }
    if (found) o->config = c.file;
    return true;
}
