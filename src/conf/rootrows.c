/* [[tool.ungil.roots]]: further ways in which functions come to run in threads, a table each. One key says how
 * (call, method, base, decorator, attribute, function), the others what else is to be known. */
#include "conf/conf.h"

typedef struct HowRow {
    const char *key;
    u8 how;
} HowRow;
static const HowRow how_table[] = {
    {"call", ROOT_BY_CALL},           {"method", ROOT_BY_METHOD},       {"base", ROOT_BY_BASE},
    {"decorator", ROOT_BY_DECORATOR}, {"attribute", ROOT_BY_ATTRIBUTE}, {"function", ROOT_BY_FUNCTION},
};

static bool fail(Str file, const Toml *t, Err *e, const char *what)
{
    return err_set(e, "%.*s:%u: %s", STR_ARG(file), t->line, what);
}

static const Toml *item(const Toml *table, const char *key)
{
    for (u32 i = 0; i < table->items.n; i++)
        if (str_is(table->items.v[i]->key, key)) return table->items.v[i];
    return NULL;
}

/* "spawn" of "app.pool.spawn". */
static const char *label_of(Arena *a, u8 how, Str name, const char *method, const Toml *thread)
{
    Str last = str_last(name, '.');
    if (thread) return str_dup(a, thread->text).p;
    switch (how) {
    case ROOT_BY_BASE: return str_fmt(a, "%%s.%s", method).p;
    case ROOT_BY_DECORATOR: return str_fmt(a, "@%.*s %%s", STR_ARG(last)).p;
    case ROOT_BY_ATTRIBUTE: return str_fmt(a, "%.*s = %%s", STR_ARG(last)).p;
    case ROOT_BY_FUNCTION: return "%s";
    default: return str_fmt(a, "%.*s(%%s)", STR_ARG(last)).p;
    }
}

/* The key that says how; a base has a `method`, too. */
static bool how_find(const Toml *table, Str file, RootRow *r, const Toml **name, Err *e)
{
    u32 n = 0;
    for (u32 i = 0; i < COUNT_OF(how_table); i++) {
        const Toml *t = item(table, how_table[i].key);
        if (!t || (how_table[i].how == ROOT_BY_METHOD && item(table, "base"))) continue;
        r->how = how_table[i].how;
        *name = t;
        n++;
    }
    if (n == 1) return true;
    return fail(file, table, e,
                n ? "roots: only one of call, method, base, decorator, attribute, function may stand in one table"
                  : "roots: one of call, method, base, decorator, attribute, function is needed");
}

static bool key_check(const Toml *t, Str file, Err *e)
{
    static const char *const keys[] = {"call",     "method",   "base", "decorator", "attribute",
                                       "function", "argument", "many", "thread"};
    if (str_among(t->key, keys, COUNT_OF(keys))) return true;
    const char *near = near_word(t->key, keys, COUNT_OF(keys));
    return err_set(e, "%.*s:%u: roots: unknown key '%.*s'%s%s%s", STR_ARG(file), t->line, STR_ARG(t->key),
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bool value_check(const Toml *t, Str file, RootRow *r, Arena *a, Err *e)
{
    if (str_is(t->key, "many")) {
        if (t->kind != TOML_BOOL) return fail(file, t, e, "roots: many must be true or false");
        r->many = t->number != 0;
        return true;
    }
    if (str_is(t->key, "argument")) {
        if (t->kind == TOML_STRING) {
            r->keyword = str_dup(a, t->text).p;
            r->position = 99;
            return true;
        }
        if (t->kind != TOML_INTEGER || t->number < 0 || t->number > 50)
            return fail(file, t, e, "roots: argument must be a position from 0 to 50, or the name of a keyword");
        r->position = (u32)t->number;
        return true;
    }
    if (t->kind != TOML_STRING || !t->text.n)
        return err_set(e, "%.*s:%u: roots: %.*s must be a string", STR_ARG(file), t->line, STR_ARG(t->key));
    return true;
}

/* A label is made with the function's name in place of %s; any other % is an error. */
static bool label_check(const Toml *t, Str file, Err *e)
{
    for (size_t i = 0; t && i < t->text.n; i++)
        if (t->text.p[i] == '%' && !str_starts(str_slice(t->text, i, t->text.n), S("%s")))
            return fail(file, t, e, "roots: thread may hold %s for the function's name, and no other %");
    return true;
}

bool root_row_read(Arena *a, const Toml *table, Str file, RootRow *r, Err *e)
{
    const Toml *name = NULL, *thread, *method;
    *r = (RootRow){.many = true, .type = TYPE_KINDS};
    if (table->kind != TOML_TABLE)
        return fail(file, table, e, "roots must be an array of tables: [[tool.ungil.roots]]");
    for (u32 i = 0; i < table->items.n; i++) {
        const Toml *t = table->items.v[i];
        if (!key_check(t, file, e) || !value_check(t, file, r, a, e)) return false;
    }
    if (!how_find(table, file, r, &name, e)) return false;
    thread = item(table, "thread");
    method = item(table, "method");
    if (!label_check(thread, file, e)) return false;
    if (r->how == ROOT_BY_BASE && !method)
        return fail(file, table, e, "roots: a base needs the method that runs, such as method = \"run\"");
    r->name = str_dup(a, name->text).p;
    r->method = r->how == ROOT_BY_BASE ? str_dup(a, method->text).p : NULL;
    r->label = label_of(a, r->how, name->text, r->method, thread);
    return true;
}
