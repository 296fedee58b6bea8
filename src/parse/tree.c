/* Trees and node helpers: the only place that makes a parser.
 *
 * The tables of node kinds and fields map the grammar's numbers to ours once, at first use, so that the rest of
 * the program compares small enums and never strings. */
#include "parse/parse.h"

#include <pthread.h>

const TSLanguage *tree_sitter_python(void);

static struct Names {
    u8 kind[1024]; /* grammar symbol → NodeKind */
    TSFieldId field[FIELD_COUNT];
    u8 field_of[256]; /* grammar field → FieldName */
} names;
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

const TSLanguage *python_language(void)
{
    return tree_sitter_python();
}

#define NODE(name) #name,
static const char *const kind_text[] = {
    "",
#include "parse/node_kinds.def"
};
#undef NODE
#define FIELD(name) #name,
static const char *const field_text[] = {
#include "parse/field_names.def"
};
#undef FIELD

static void names_fill(void)
{
    const TSLanguage *lang = python_language();
    u32 n = ts_language_symbol_count(lang);
    CHECK(n <= COUNT_OF(names.kind) && NODE_COUNT <= 256);
    for (u32 s = 0; s < n; s++) {
        if (ts_language_symbol_type(lang, (TSSymbol)s) != TSSymbolTypeRegular) continue;
        const char *text = ts_language_symbol_name(lang, (TSSymbol)s);
        for (u32 k = 1; k < NODE_COUNT; k++)
            if (strcmp(text, kind_text[k]) == 0) names.kind[s] = (u8)k;
    }
    memset(names.field_of, FIELD_COUNT, sizeof names.field_of);
    for (u32 f = 0; f < FIELD_COUNT; f++) {
        names.field[f] = ts_language_field_id_for_name(lang, field_text[f], (u32)strlen(field_text[f]));
        CHECK(names.field[f] < COUNT_OF(names.field_of));
        names.field_of[names.field[f]] = (u8)f;
    }
}

Tree *tree_parse(const Source *s)
{
    pthread_once(&names_once, names_fill);
    TSParser *p = ts_parser_new();
    if (!ts_parser_set_language(p, python_language()))
        BUG("the Python grammar's ABI does not fit the tree-sitter core");
    Tree *t = xmalloc(sizeof *t);
    t->source = s;
    t->ts = ts_parser_parse_string(p, NULL, s->text.p, (u32)s->text.n);
    ts_parser_delete(p);
    if (!t->ts) BUG("the parser gave no tree for %.*s", STR_ARG(s->path));
    return t;
}

void tree_free(Tree *t)
{
    if (!t) return;
    ts_tree_delete(t->ts);
    free(t);
}

TSNode tree_root(const Tree *t)
{
    return ts_tree_root_node(t->ts);
}

NodeKind node_kind(TSNode n)
{
    if (!ts_node_is_named(n)) return NODE_other;
    TSSymbol s = ts_node_symbol(n);
    return s < COUNT_OF(names.kind) ? (NodeKind)names.kind[s] : NODE_other;
}

TSNode node_field(TSNode n, FieldName f)
{
    return ts_node_child_by_field_id(n, names.field[f]);
}

FieldName field_from_id(TSFieldId id)
{
    return id < COUNT_OF(names.field_of) ? (FieldName)names.field_of[id] : FIELD_COUNT;
}

bool node_is_statement(TSNode n)
{
    TSNode parent = ts_node_parent(n);
    if (!node_ok(parent) || !ts_node_is_named(n) || ts_node_is_extra(n)) return false;
    NodeKind k = node_kind(parent);
    return k == NODE_module || k == NODE_block;
}

TSNode node_statement(TSNode n)
{
    while (node_ok(n) && !node_is_statement(n)) n = ts_node_parent(n);
    return n;
}

TSNode tree_node_at(const Tree *t, Span s)
{
    return ts_node_named_descendant_for_byte_range(tree_root(t), s.start, s.end);
}
