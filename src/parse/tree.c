/* Trees and node helpers: the only place that makes a parser.
 *
 * The tables of node kinds and fields map the grammar's numbers to ours once, at first use, so that the rest of
 * the program compares small enums and never strings. */
#include "parse/heap.h"
#include "parse/parse.h"

#include <pthread.h>
#include <time.h>

const TSLanguage *tree_sitter_python(void);

static struct Names {
    u8 kind[1024]; /* grammar symbol → NodeKind */
    bool named[1024];
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
        names.named[s] = ts_language_symbol_type(lang, (TSSymbol)s) == TSSymbolTypeRegular;
        if (!names.named[s]) continue;
        const char *text = ts_language_symbol_name(lang, (TSSymbol)s);
        for (u32 k = 1; k < NODE_COUNT; k++)
            if (strcmp(text, kind_text[k]) == 0) names.kind[s] = (u8)k;
    }
    memset(names.field_of, FIELD_COUNT, sizeof names.field_of);
    for (u32 f = 0; f < FIELD_COUNT; f++) {
        TSFieldId id = ts_language_field_id_for_name(lang, field_text[f], (u32)strlen(field_text[f]));
        CHECK(id < COUNT_OF(names.field_of));
        names.field_of[id] = (u8)f;
    }
}

/* Ordinary text of the largest size takes a tenth of this. Counted for the thread, so that a busy machine does not
 * change what is found. */
enum { PARSE_SECONDS = 20, CLOCK_STEP = 512 };

typedef struct Parsing {
    u32 calls;
    int64_t end; /* ns of the thread's time; 0 before the clock was first asked, which most files never do */
} Parsing;

static int64_t thread_time(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool time_is_up(TSParseState *state)
{
    Parsing *p = state->payload;
    if (++p->calls % CLOCK_STEP) return false;
    int64_t now = thread_time();
    if (!p->end) p->end = now + PARSE_SECONDS * INT64_C(1000000000);
    return now > p->end;
}

static const char *text_from(void *payload, uint32_t offset, TSPoint position, uint32_t *n)
{
    const Str *text = payload;
    (void)position;
    *n = offset < text->n ? (uint32_t)text->n - offset : 0;
    return *n ? text->p + offset : "";
}

Tree *tree_parse(const Source *s)
{
    pthread_once(&names_once, names_fill);
    heap_install();
    heap_enter();
    TSParser *p = ts_parser_new();
    if (!ts_parser_set_language(p, python_language()))
        BUG("the Python grammar's ABI does not fit the tree-sitter core");
    Tree *t = xmalloc(sizeof *t);
    *t = (Tree){.source = s};
    Str text = s->text;
    Parsing parsing = {0};
    t->ts = ts_parser_parse_with_options(p, NULL, (TSInput){&text, text_from, TSInputEncodingUTF8, NULL},
                                         (TSParseOptions){&parsing, time_is_up});
    t->too_slow = !t->ts;
    if (t->too_slow) {
        ts_parser_reset(p);
        t->ts = ts_parser_parse_string(p, NULL, "", 0);
    }
    ts_parser_delete(p);
    t->heap = heap_leave();
    if (!t->ts) BUG("the parser gave no tree for %.*s", STR_ARG(s->path));
    return t;
}

void tree_free(Tree *t)
{
    if (!t) return;
    if (t->heap)
        heap_free(t->heap);
    else
        ts_tree_delete(t->ts);
    free(t);
}

bool tree_too_slow(const Tree *t)
{
    return t->too_slow;
}

bool tree_damaged(const Tree *t)
{
    return ts_node_has_error(tree_root(t));
}

TSNode tree_root(const Tree *t)
{
    return ts_tree_root_node(t->ts);
}

NodeKind symbol_kind(TSSymbol s, bool *named)
{
    /* beyond the table are the symbols of errors */
    *named = s >= COUNT_OF(names.kind) || names.named[s];
    return s < COUNT_OF(names.kind) ? (NodeKind)names.kind[s] : NODE_other;
}

FieldName field_from_id(TSFieldId id)
{
    return id < COUNT_OF(names.field_of) ? (FieldName)names.field_of[id] : FIELD_COUNT;
}
