/* Queries: compiles a tree-sitter query and evaluates its predicates.
 *
 * tree-sitter hands predicates over unevaluated, as steps of captures and strings. They are turned into a
 * small table once, at compile time, with PCRE2 patterns compiled; a match counts when every predicate of
 * its pattern holds. A predicate about a capture that the match does not have (an optional node) holds;
 * one about a quantified capture must hold for each of its nodes. */
#include "parse/parse.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

typedef enum PredicateKind { PRED_EQ, PRED_NOT_EQ, PRED_ANY_OF, PRED_MATCH, PRED_NOT_MATCH } PredicateKind;

static const struct PredicateInfo {
    const char *name;
    u32 min, max; /* arguments after the capture */
} predicate_table[] = {
    [PRED_EQ] = {"eq?", 1, 1},
    [PRED_NOT_EQ] = {"not-eq?", 1, 1},
    [PRED_ANY_OF] = {"any-of?", 1, UINT32_MAX},
    [PRED_MATCH] = {"match?", 1, 1},
    [PRED_NOT_MATCH] = {"not-match?", 1, 1},
};

typedef struct Predicate {
    u8 kind;
    u32 pattern;
    u32 capture;
    u32 other; /* the capture it is compared with; NONE: texts */
    Vec(Str) texts;
    pcre2_code *code;
} Predicate;

struct Query {
    TSQuery *ts;
    Vec(Predicate) predicates; /* by pattern */
};

static const char *error_text(TSQueryError kind)
{
    switch (kind) {
    case TSQueryErrorSyntax: return "the query is not well-formed here";
    case TSQueryErrorNodeType: return "the Python grammar has no node of this kind";
    case TSQueryErrorField: return "the Python grammar has no field of this name";
    case TSQueryErrorCapture: return "this capture is not defined by the pattern";
    case TSQueryErrorStructure: return "the grammar never builds a tree of this shape";
    default: return "the query does not fit the grammar";
    }
}

static Str query_string(const TSQuery *q, u32 id)
{
    uint32_t n = 0;
    const char *p = ts_query_string_value_for_id(q, id, &n);
    return (Str){p, n};
}

static bool pattern_compile(Predicate *p, Err *e)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    Str text = p->texts.v[0];
    p->code = pcre2_compile((PCRE2_SPTR)text.p, text.n, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &code, &at, NULL);
    if (p->code) return true;
    PCRE2_UCHAR message[160];
    pcre2_get_error_message(code, message, sizeof message);
    return err_set(e, "the pattern \"%.*s\" is wrong at character %zu: %s", STR_ARG(text), at + 1, (char *)message);
}

/* One predicate from its steps: the name, a capture, then captures or strings. */
static bool predicate_read(Arena *a, Query *q, u32 pattern, const TSQueryPredicateStep *step, u32 n, Err *e)
{
    Str name = step[0].type == TSQueryPredicateStepTypeString ? query_string(q->ts, step[0].value_id) : S("");
    u32 kind = 0;
    while (kind < COUNT_OF(predicate_table) && !str_is(name, predicate_table[kind].name)) kind++;
    if (kind == COUNT_OF(predicate_table))
        return err_set(e, "there is no predicate #%.*s; known are #eq? #not-eq? #any-of? #match? #not-match?",
                       STR_ARG(name));
    const struct PredicateInfo *info = &predicate_table[kind];
    if (n < 2 || step[1].type != TSQueryPredicateStepTypeCapture)
        return err_set(e, "#%s needs a capture first", info->name);
    if (n - 2 < info->min || n - 2 > info->max)
        return err_set(e, "#%s got %u arguments after the capture", info->name, n - 2);
    Predicate p = {.kind = (u8)kind, .pattern = pattern, .capture = step[1].value_id, .other = NONE};
    for (u32 i = 2; i < n; i++) {
        bool capture = step[i].type == TSQueryPredicateStepTypeCapture;
        if (capture && kind != PRED_EQ && kind != PRED_NOT_EQ)
            return err_set(e, "#%s takes strings after the capture", info->name);
        if (capture)
            p.other = step[i].value_id;
        else
            vec_push(a, &p.texts, query_string(q->ts, step[i].value_id));
    }
    if ((kind == PRED_MATCH || kind == PRED_NOT_MATCH) && !pattern_compile(&p, e)) return false;
    vec_push(a, &q->predicates, p);
    return true;
}

static bool predicates_read(Arena *a, Query *q, u32 *at, Err *e)
{
    for (u32 pattern = 0; pattern < ts_query_pattern_count(q->ts); pattern++) {
        uint32_t n = 0;
        const TSQueryPredicateStep *step = ts_query_predicates_for_pattern(q->ts, pattern, &n);
        for (u32 i = 0, from = 0; i < n; i++) {
            if (step[i].type != TSQueryPredicateStepTypeDone) continue;
            if (!predicate_read(a, q, pattern, step + from, i - from, e)) {
                *at = ts_query_start_byte_for_pattern(q->ts, pattern);
                return false;
            }
            from = i + 1;
        }
    }
    return true;
}

Query *query_compile(Arena *a, Str text, u32 *at, Err *e)
{
    TSQueryError kind = TSQueryErrorNone;
    uint32_t where = 0;
    *at = 0;
    TSQuery *ts = ts_query_new(python_language(), text.p, (u32)text.n, &where, &kind);
    if (!ts) {
        *at = where;
        err_set(e, "%s", error_text(kind));
        return NULL;
    }
    Query *q = arena_new(a, Query, 1);
    q->ts = ts;
    if (predicates_read(a, q, at, e)) return q;
    query_free(q);
    return NULL;
}

void query_free(Query *q)
{
    if (!q) return;
    for (u32 i = 0; i < q->predicates.n; i++) pcre2_code_free(q->predicates.v[i].code);
    ts_query_delete(q->ts);
    q->ts = NULL;
    q->predicates.n = 0;
}

Str query_capture_name(const Query *q, u32 id)
{
    uint32_t n = 0;
    const char *p = ts_query_capture_name_for_id(q->ts, id, &n);
    return (Str){p, n};
}

u32 query_capture_count(const Query *q)
{
    return ts_query_capture_count(q->ts);
}

static bool pattern_matches(const pcre2_code *code, Str text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (!data) BUG("out of memory");
    int n = pcre2_match(code, (PCRE2_SPTR)text.p, text.n, 0, 0, data, NULL);
    pcre2_match_data_free(data);
    return n >= 0;
}

static bool any_text(const Predicate *p, Str text)
{
    for (u32 i = 0; i < p->texts.n; i++)
        if (str_eq(p->texts.v[i], text)) return true;
    return false;
}

/* Is the text the same as that of some node captured as `capture`? */
static bool any_capture(const Match *m, const Source *s, u32 capture, Str text)
{
    bool seen = false;
    for (u32 i = 0; i < m->n; i++) {
        if (m->capture[i] != capture) continue;
        if (str_eq(node_text(s, m->node[i]), text)) return true;
        seen = true;
    }
    return !seen;
}

static bool predicate_holds(const Predicate *p, const Match *m, const Source *s, Str text)
{
    switch (p->kind) {
    case PRED_EQ: return p->other != NONE ? any_capture(m, s, p->other, text) : any_text(p, text);
    case PRED_NOT_EQ: return !(p->other != NONE ? any_capture(m, s, p->other, text) : any_text(p, text));
    case PRED_ANY_OF: return any_text(p, text);
    case PRED_MATCH: return pattern_matches(p->code, text);
    default: return !pattern_matches(p->code, text);
    }
}

static bool match_holds(const Query *q, const Match *m, const Source *s)
{
    for (u32 i = 0; i < q->predicates.n; i++) {
        const Predicate *p = &q->predicates.v[i];
        if (p->pattern != m->pattern) continue;
        for (u32 c = 0; c < m->n; c++)
            if (m->capture[c] == p->capture && !predicate_holds(p, m, s, node_text(s, m->node[c]))) return false;
    }
    return true;
}

void query_run(const Query *q, const Source *s, TSNode root, Span within, bool (*fn)(void *ctx, const Match *m),
               void *ctx)
{
    TSQueryCursor *cursor = ts_query_cursor_new();
    ts_query_cursor_set_byte_range(cursor, within.start, within.end);
    ts_query_cursor_exec(cursor, q->ts, root);
    TSQueryMatch ts;
    while (ts_query_cursor_next_match(cursor, &ts)) {
        Match m = {.pattern = ts.pattern_index};
        for (u32 i = 0; i < ts.capture_count && m.n < QUERY_CAPTURES; i++) {
            m.capture[m.n] = ts.captures[i].index;
            m.node[m.n++] = ts.captures[i].node;
        }
        if (match_holds(q, &m, s) && !fn(ctx, &m)) break;
    }
    ts_query_cursor_delete(cursor);
}
