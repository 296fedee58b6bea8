/* parse/: the only user of ts_parser_*. Gives trees, small helpers over nodes of the Python grammar, and queries
 * with predicates. Included by parse/, facts/, fixes/ and edit/ only; no TSNode leaves those folders. */
#ifndef UNGIL_PARSE_H
#define UNGIL_PARSE_H

#include "pipeline.h"

#include <tree_sitter/api.h>

struct Tree {
    TSTree *ts;
    struct Heap *heap; /* all of ts; NULL: ts is to be deleted */
    const Source *source;
    bool too_slow;
};

/* Node kinds that we ask for, looked up once: comparing symbols is cheaper than comparing names.
 * NODE(x) is the kind named x in the grammar; see node_kinds.def for the list. */
#define NODE(name) NODE_##name,
typedef enum NodeKind {
    NODE_other, /* any kind that is not in the list */
#include "parse/node_kinds.def"
    NODE_COUNT
} NodeKind;
#undef NODE

#define FIELD(name) FIELD_##name,
typedef enum FieldName {
#include "parse/field_names.def"
    FIELD_COUNT
} FieldName;
#undef FIELD

const TSLanguage *python_language(void);

TSNode tree_root(const Tree *t);
/* The kind of a node with the symbol, and whether such nodes are named; to be asked once a tree was parsed. */
NodeKind symbol_kind(TSSymbol s, bool *named);
/* The field with the grammar's number id, FIELD_COUNT when it is none of ours. */
FieldName field_from_id(TSFieldId id);
static inline Span node_span(TSNode n)
{
    return (Span){ts_node_start_byte(n), ts_node_end_byte(n)};
}
static inline Str node_text(const Source *s, TSNode n)
{
    Span x = node_span(n);
    return (Str){s->text.p + x.start, x.end - x.start};
}

/* A compiled tree-sitter query with its predicates (#eq? #not-eq? #any-of? #match? #not-match?; #match? takes a
 * PCRE2 pattern). */
typedef struct Query Query;

enum { QUERY_CAPTURES = 12 };
typedef struct Match {
    u32 pattern;
    u32 n;
    u32 capture[QUERY_CAPTURES]; /* capture ids, see query_capture_name */
    TSNode node[QUERY_CAPTURES];
} Match;

/* Compiles. On error returns NULL and says what is wrong and at which byte of the text (*at). */
Query *query_compile(Arena *a, Str text, u32 *at, Err *e);
void query_free(Query *q);
Str query_capture_name(const Query *q, u32 id);
u32 query_capture_count(const Query *q);
/* Calls fn for every match inside root that touches the span, in order; stops when fn returns false. */
void query_run(const Query *q, const Source *s, TSNode root, Span within, bool (*fn)(void *ctx, const Match *m),
               void *ctx);

#endif
