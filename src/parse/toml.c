/* TOML text to a tree of plain values, by tree-sitter's grammar for TOML.
 *
 * Tables, arrays of tables, dotted keys and inline tables all become the same thing: a Toml of kind TOML_TABLE
 * whose items have keys. Every value keeps its line, so that whoever reads a configuration can name it.
 * Dates stay text. What TOML forbids beyond its grammar (a key given twice) is an error; that a table may not be
 * opened twice is not checked. */
#include "pipeline.h"

#include <errno.h>
#include <tree_sitter/api.h>

const TSLanguage *tree_sitter_toml(void);

enum { DEPTH_MAX = 64, SMALL_TABLE = 32 };

typedef struct Reader {
    Arena *a;
    Map index; /* table and key → item, of tables that have more than SMALL_TABLE items */
    Str text;
    u32 *line;
    Err *e;
} Reader;

static const char *kind_of(TSNode n)
{
    return ts_node_type(n);
}

static bool is(TSNode n, const char *kind)
{
    return strcmp(kind_of(n), kind) == 0;
}

static Str text_of(const Reader *r, TSNode n)
{
    return str_slice(r->text, ts_node_start_byte(n), ts_node_end_byte(n));
}

static u32 line_of(TSNode n)
{
    return ts_node_start_point(n).row + 1;
}

static bool fail(Reader *r, TSNode at, const char *what, Str subject)
{
    *r->line = line_of(at);
    return err_set(r->e, what, STR_ARG(subject));
}

/* ---- strings ------------------------------------------------------------------------------------------- */

static void utf8_put(Buf *b, u32 c)
{
    if (c < 0x80) {
        buf_char(b, (char)c);
    } else if (c < 0x800) {
        buf_char(b, (char)(0xc0 | c >> 6));
        buf_char(b, (char)(0x80 | (c & 63)));
    } else {
        if (c < 0x10000) {
            buf_char(b, (char)(0xe0 | c >> 12));
        } else {
            buf_char(b, (char)(0xf0 | (c >> 18 & 7)));
            buf_char(b, (char)(0x80 | (c >> 12 & 63)));
        }
        buf_char(b, (char)(0x80 | (c >> 6 & 63)));
        buf_char(b, (char)(0x80 | (c & 63)));
    }
}

/* The escape at s[i] (a backslash); gives the index behind it. */
static size_t escape_put(Buf *b, Str s, size_t i)
{
    static const char from[] = "btnfre\"\\", to[] = "\b\t\n\f\r\033\"\\";
    char c = i + 1 < s.n ? s.p[i + 1] : '\\';
    const char *simple = strchr(from, c);
    if (c && simple) {
        buf_char(b, to[simple - from]);
        return i + 2;
    }
    if (c == 'u' || c == 'U') {
        size_t digits = c == 'u' ? 4 : 8;
        u32 value = 0;
        for (size_t k = i + 2; k < MIN(i + 2 + digits, s.n); k++) {
            char d = s.p[k];
            value = value << 4 | (u32)(d <= '9' ? d - '0' : (d | 32) - 'a' + 10);
        }
        utf8_put(b, value);
        return i + 2 + digits;
    }
    /* A backslash at the end of a line eats the white space that follows. */
    for (i++; i < s.n && strchr(" \t\r\n", s.p[i]);) i++;
    return i;
}

static Str string_decode(Reader *r, Str s)
{
    char quote = s.n ? s.p[0] : 0;
    bool multi = s.n >= 6 && s.p[1] == quote && s.p[2] == quote;
    s = str_slice(s, multi ? 3 : 1, s.n - (multi ? 3 : 1));
    if (multi && str_starts(s, S("\r\n")))
        s = str_slice(s, 2, s.n);
    else if (multi && str_starts(s, S("\n")))
        s = str_slice(s, 1, s.n);
    if (quote == '\'' || str_find(s, '\\') == s.n) return str_dup(r->a, s);
    Buf b = {0};
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] == '\\')
            i = escape_put(&b, s, i);
        else
            buf_char(&b, s.p[i++]);
    }
    Str out = str_dup(r->a, buf_view(&b));
    buf_free(&b);
    return out;
}

/* ---- values -------------------------------------------------------------------------------------------- */

static u64 item_key(const Toml *table, Str key)
{
    return hash_mix((u64)(uintptr_t)table, str_hash(key)) >> 1;
}

/* Puts item i of the table into the index, unless another one with the same hash is there. */
static void item_index(Reader *r, const Toml *table, u32 i)
{
    u32 *at = map_at(r->a, &r->index, item_key(table, table->items.v[i]->key));
    if (*at == NONE) *at = i;
}

static Toml *item_add(Reader *r, Toml *parent, Str key, u8 kind, TSNode at)
{
    Toml *t = arena_new(r->a, Toml, 1);
    *t = (Toml){.kind = kind, .key = key, .line = line_of(at)};
    vec_push(r->a, &parent->items, t);
    u32 n = parent->items.n;
    if (!key.p || n <= SMALL_TABLE) return t; /* items of arrays have no keys */
    for (u32 i = n == SMALL_TABLE + 1 ? 0 : n - 1; i < n; i++) item_index(r, parent, i);
    return t;
}

static Toml *item_find(const Toml *table, Str key)
{
    for (u32 i = 0; i < table->items.n; i++)
        if (str_eq(table->items.v[i]->key, key)) return table->items.v[i];
    return NULL;
}

/* The same while the document is read, when a table may have a hundred thousand keys. */
static Toml *item_known(const Reader *r, const Toml *table, Str key)
{
    if (table->items.n <= SMALL_TABLE) return item_find(table, key);
    u32 i = map_get(&r->index, item_key(table, key));
    if (i == NONE) return NULL;
    return str_eq(table->items.v[i]->key, key) ? table->items.v[i] : item_find(table, key);
}

static Str key_text(Reader *r, TSNode key)
{
    Str s = text_of(r, key);
    return is(key, "quoted_key") ? string_decode(r, s) : s;
}

/* The table that `key` names below `table`, made when missing; the last part is left to the caller unless it is
 * a table header. For an array of tables the newest element is meant. */
static Toml *table_at(Reader *r, Toml *table, Str key, TSNode at)
{
    Toml *t = item_known(r, table, key);
    if (!t) return item_add(r, table, key, TOML_TABLE, at);
    if (t->kind == TOML_ARRAY && t->items.n && t->items.v[t->items.n - 1]->kind == TOML_TABLE)
        return t->items.v[t->items.n - 1];
    if (t->kind == TOML_TABLE) return t;
    fail(r, at, "the key %.*s is used as a table and as a value", key);
    return NULL;
}

/* Walks all parts of a (dotted) key but the last, which is given back in *last. */
static Toml *key_walk(Reader *r, Toml *table, TSNode key, Str *last, u32 depth)
{
    if (depth > DEPTH_MAX) {
        fail(r, key, "a key has too many parts%.*s", S(""));
        return NULL;
    }
    if (!is(key, "dotted_key")) {
        *last = key_text(r, key);
        return table;
    }
    for (u32 i = 0, n = ts_node_named_child_count(key); i < n && table; i++) {
        TSNode part = ts_node_named_child(key, i);
        Str name;
        table = key_walk(r, table, part, &name, depth + 1);
        if (!table) return NULL;
        if (i + 1 == n)
            *last = name;
        else
            table = table_at(r, table, name, part);
    }
    return table;
}

static bool value_read(Reader *r, Toml *into, TSNode n, u32 depth);

static bool pair_read(Reader *r, Toml *table, TSNode pair, u32 depth)
{
    Str name = {0};
    TSNode key = ts_node_named_child(pair, 0), value = ts_node_named_child(pair, 1);
    table = key_walk(r, table, key, &name, 0);
    if (!table) return false;
    if (item_known(r, table, name)) return fail(r, pair, "the key %.*s is given twice", name);
    return value_read(r, item_add(r, table, name, TOML_STRING, pair), value, depth);
}

/* 1_000, 0xff, 0o17, 0b1; what does not fit into 64 bits is an error, as TOML wants it. */
static bool integer_read(Reader *r, Toml *into, TSNode n, Str text)
{
    char *digits = arena_new(r->a, char, text.n + 1);
    size_t used = 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '_') digits[used++] = text.p[i];
    int base = str_starts(text, S("0x")) ? 16 : str_starts(text, S("0o")) ? 8 : str_starts(text, S("0b")) ? 2 : 10;
    errno = 0;
    into->kind = TOML_INTEGER;
    into->number = strtoll(base == 10 ? digits : digits + 2, NULL, base);
    return errno != ERANGE || fail(r, n, "the number %.*s does not fit into 64 bits", text);
}

static bool value_read(Reader *r, Toml *into, TSNode n, u32 depth)
{
    if (depth > DEPTH_MAX) return fail(r, n, "values are nested too deeply%.*s", S(""));
    Str s = text_of(r, n);
    into->text = s;
    if (is(n, "string")) {
        into->text = string_decode(r, s);
    } else if (is(n, "integer")) {
        return integer_read(r, into, n, s);
    } else if (is(n, "boolean")) {
        into->kind = TOML_BOOL;
        into->number = str_is(s, "true");
    } else if (is(n, "float")) {
        into->kind = TOML_FLOAT;
    } else if (is(n, "array") || is(n, "inline_table")) {
        bool array = is(n, "array");
        into->kind = array ? TOML_ARRAY : TOML_TABLE;
        for (u32 i = 0, count = ts_node_named_child_count(n); i < count; i++) {
            TSNode child = ts_node_named_child(n, i);
            if (ts_node_is_extra(child)) continue;
            if (array ? !value_read(r, item_add(r, into, (Str){0}, TOML_STRING, child), child, depth + 1)
                      : !pair_read(r, into, child, depth + 1))
                return false;
        }
    } else {
        into->kind = TOML_DATE;
    }
    return true;
}

/* ---- the document -------------------------------------------------------------------------------------- */

static bool section_read(Reader *r, Toml *root, TSNode section)
{
    Toml *table = root;
    Str name = {0};
    TSNode key = {0};
    for (u32 i = 0, n = ts_node_named_child_count(section); i < n; i++) {
        TSNode child = ts_node_named_child(section, i);
        if (ts_node_is_extra(child)) continue;
        if (is(child, "pair")) {
            if (!pair_read(r, table, child, 0)) return false;
            continue;
        }
        key = child;
        table = key_walk(r, root, key, &name, 0);
        if (!table) return false;
        if (is(section, "table")) {
            table = table_at(r, table, name, key);
        } else {
            Toml *list = item_known(r, table, name);
            if (!list) list = item_add(r, table, name, TOML_ARRAY, key);
            if (list->kind != TOML_ARRAY) return fail(r, key, "the key %.*s is used as a table and as a value", name);
            table = item_add(r, list, (Str){0}, TOML_TABLE, key);
        }
        if (!table) return false;
    }
    return true;
}

static TSNode first_error(TSNode n)
{
    for (;;) {
        TSNode next = n;
        for (u32 i = 0, count = ts_node_child_count(n); i < count; i++) {
            TSNode child = ts_node_child(n, i);
            if (ts_node_is_error(child) || ts_node_is_missing(child)) return child;
            if (ts_node_has_error(child)) {
                next = child;
                break;
            }
        }
        if (ts_node_eq(next, n)) return n;
        n = next;
    }
}

static bool document_read(Reader *r, Toml *root, TSNode doc)
{
    if (ts_node_has_error(doc)) return fail(r, first_error(doc), "this is not valid TOML%.*s", S(""));
    for (u32 i = 0, n = ts_node_named_child_count(doc); i < n; i++) {
        TSNode child = ts_node_named_child(doc, i);
        if (ts_node_is_extra(child)) continue;
        if (is(child, "pair") ? !pair_read(r, root, child, 0) : !section_read(r, root, child)) return false;
    }
    return true;
}

const Toml *toml_parse(Arena *a, Str text, u32 *line, Err *e)
{
    if (text.n > UINT32_MAX / 2) {
        *line = 1;
        err_set(e, "the file is too large");
        return NULL;
    }
    TSParser *p = ts_parser_new();
    if (!ts_parser_set_language(p, tree_sitter_toml()))
        BUG("the TOML grammar's ABI does not fit the tree-sitter core");
    TSTree *tree = ts_parser_parse_string(p, NULL, text.p ? text.p : "", (u32)text.n);
    Toml *root = arena_new(a, Toml, 1);
    root->kind = TOML_TABLE;
    root->line = 1;
    Reader r = {.a = a, .text = text, .line = line, .e = e};
    bool ok = document_read(&r, root, ts_tree_root_node(tree));
    ts_tree_delete(tree);
    ts_parser_delete(p);
    return ok ? root : NULL;
}

const Toml *toml_get(const Toml *t, const char *dotted)
{
    Str rest = str_from(dotted);
    while (t && rest.n) {
        if (t->kind != TOML_TABLE) return NULL;
        t = item_find(t, str_cut(rest, '.', &rest));
    }
    return t;
}
