/* Flattens a tree in one walk over tree-sitter's own subtrees.
 *
 * This is the one file that looks behind tree-sitter's API. Its cursor does the same walk, but knows for each step
 * the row, the column, the number of descendants and the way back, none of which the copy needs. The layout of a
 * subtree comes from the headers that the core is compiled with (package-lock.json pins them), and
 * tests/unit/test_flatten.c compares the copy with a walk of the cursor, node by node.
 *
 * What the subtrees say (lib/src/tree_cursor.c does it likewise): nodes that the grammar hides stand for their
 * children; the production of a node may give a child another symbol, an alias, which also makes it visible, and a
 * field. Extras, like comments, are not numbered among the children of a production. The field of a hidden node is
 * that of its children which have none of their own. Only a position needs to be carried along: a node's padding,
 * the blanks before it, is also counted for its first child. */
#include "parse/ast.h"

#include <src/language.h>
#include <src/tree.h>

typedef Vec(Node) NodeVec;

/* Which children of a kind may stand in a field (node-types.json of the grammar; tests/suite_grammar.py compares).
 * A field is found by a search in the production, which is too much for every node, and far too much in a list of
 * millions. The case clauses of a block are left out: nobody asks for their field. */
enum { FIELDS_NAMED = 1, FIELDS_TOKENS = 2 };
static const u8 fields_of[NODE_COUNT] = {[NODE_aliased_import] = FIELDS_NAMED,
                                         [NODE_as_pattern] = FIELDS_NAMED,
                                         [NODE_assignment] = FIELDS_NAMED,
                                         [NODE_attribute] = FIELDS_NAMED,
                                         [NODE_augmented_assignment] = FIELDS_NAMED | FIELDS_TOKENS,
                                         [NODE_binary_operator] = FIELDS_NAMED | FIELDS_TOKENS,
                                         [NODE_boolean_operator] = FIELDS_NAMED | FIELDS_TOKENS,
                                         [NODE_call] = FIELDS_NAMED,
                                         [NODE_case_clause] = FIELDS_NAMED,
                                         [NODE_class_definition] = FIELDS_NAMED,
                                         [NODE_comparison_operator] = FIELDS_TOKENS,
                                         [NODE_decorated_definition] = FIELDS_NAMED,
                                         [NODE_default_parameter] = FIELDS_NAMED,
                                         [NODE_dict_pattern] = FIELDS_NAMED | FIELDS_TOKENS,
                                         [NODE_dictionary_comprehension] = FIELDS_NAMED,
                                         [NODE_elif_clause] = FIELDS_NAMED,
                                         [NODE_else_clause] = FIELDS_NAMED,
                                         [NODE_except_clause] = FIELDS_NAMED,
                                         [NODE_exec_statement] = FIELDS_NAMED,
                                         [NODE_for_in_clause] = FIELDS_NAMED | FIELDS_TOKENS,
                                         [NODE_for_statement] = FIELDS_NAMED,
                                         [NODE_format_expression] = FIELDS_NAMED,
                                         [NODE_function_definition] = FIELDS_NAMED,
                                         [NODE_future_import_statement] = FIELDS_NAMED,
                                         [NODE_generator_expression] = FIELDS_NAMED,
                                         [NODE_if_statement] = FIELDS_NAMED,
                                         [NODE_import_from_statement] = FIELDS_NAMED,
                                         [NODE_import_statement] = FIELDS_NAMED,
                                         [NODE_interpolation] = FIELDS_NAMED,
                                         [NODE_keyword_argument] = FIELDS_NAMED,
                                         [NODE_lambda] = FIELDS_NAMED,
                                         [NODE_list_comprehension] = FIELDS_NAMED,
                                         [NODE_match_statement] = FIELDS_NAMED,
                                         [NODE_named_expression] = FIELDS_NAMED,
                                         [NODE_not_operator] = FIELDS_NAMED,
                                         [NODE_pair] = FIELDS_NAMED,
                                         [NODE_print_statement] = FIELDS_NAMED,
                                         [NODE_raise_statement] = FIELDS_NAMED,
                                         [NODE_set_comprehension] = FIELDS_NAMED,
                                         [NODE_subscript] = FIELDS_NAMED,
                                         [NODE_try_statement] = FIELDS_NAMED,
                                         [NODE_type_alias_statement] = FIELDS_NAMED,
                                         [NODE_typed_default_parameter] = FIELDS_NAMED,
                                         [NODE_typed_parameter] = FIELDS_NAMED,
                                         [NODE_unary_operator] = FIELDS_NAMED | FIELDS_TOKENS,
                                         [NODE_while_statement] = FIELDS_NAMED,
                                         [NODE_with_item] = FIELDS_NAMED,
                                         [NODE_with_statement] = FIELDS_NAMED};

/* The children of a subtree that are still to be visited. */
typedef struct Level {
    const Subtree *next, *end;
    const TSSymbol *aliases;               /* by number in the production; NULL */
    const TSFieldMapEntry *fields, *fields_end;
    u32 number;                            /* of the next child in the production */
    u32 at;                                /* where the next child's padding begins */
    bool first;                            /* its padding has been counted */
    u32 node, last;                        /* the visible node whose children these are, its last one so far; NONE */
    u8 field;                              /* of the hidden node whose children these are; FIELD_COUNT */
} Level;

typedef struct Flatten {
    Arena *a;
    NodeVec out;
    const TSLanguage *lang;
    Level *levels;
    u32 n, cap;
} Flatten;

/* Most of the walk is waiting for subtrees, which lie where the parser made them: the next few are loaded early, with
 * the last of their children, which lie before them. What is asked of a subtree hardly ever fits into one line. */
enum { AHEAD = 8 };

static void prefetch(const Subtree *s, const Subtree *end)
{
    if (s >= end || s->data.is_inline) return;
    __builtin_prefetch((const Subtree *)s->ptr - 1);
    __builtin_prefetch(&s->ptr->visible_child_count);
}

static u32 node_add(Flatten *w, Subtree s, TSSymbol alias, u32 start, u8 field, u32 parent)
{
    TSSymbol symbol = ts_language_public_symbol(w->lang, alias ? alias : ts_subtree_symbol(s));
    bool named;
    u8 kind = (u8)symbol_kind(symbol, &named);
    vec_push(w->a, &w->out,
             (Node){.kind = kind,
                    .field = field,
                    .named = named,
                    .error = symbol == ts_builtin_sym_error || ts_subtree_missing(s),
                    .start = start,
                    .end = start + ts_subtree_size(s).bytes,
                    .parent = parent,
                    .child = NONE,
                    .next = NONE});
    return w->out.n - 1;
}

/* Goes on with the children of s, which begin where it does. */
static void level_push(Flatten *w, Subtree s, u32 start, u32 node, u32 last, u8 field)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 64;
        w->levels = xrealloc(w->levels, w->cap * sizeof *w->levels);
    }
    const Subtree *children = ts_subtree_children(s);
    Level *l = &w->levels[w->n++];
    *l = (Level){.next = children,
                 .end = children + s.ptr->child_count,
                 .aliases = ts_language_alias_sequence(w->lang, s.ptr->production_id),
                 .at = start,
                 .first = true,
                 .node = node,
                 .last = last,
                 .field = field};
    ts_language_field_map(w->lang, s.ptr->production_id, &l->fields, &l->fields_end);
    for (u32 i = 0; i < AHEAD; i++) prefetch(children + i, l->end);
}

/* The field that the production gives to its child of this number, else that of the hidden node around. */
static u8 field_at(const Level *l, u32 number)
{
    for (const TSFieldMapEntry *f = l->fields; f < l->fields_end; f++)
        if (!f->inherited && f->child_index == number) return (u8)field_from_id(f->field_id);
    return l->field;
}

/* The next child of the innermost level. */
static void child_visit(Flatten *w)
{
    Level *l = &w->levels[w->n - 1];
    Subtree s = *l->next++;
    prefetch(l->next + AHEAD - 1, l->end);
    u32 start = l->first ? l->at : l->at + ts_subtree_padding(s).bytes, number = l->number;
    bool extra = ts_subtree_extra(s);
    TSSymbol alias = extra || !l->aliases ? 0 : l->aliases[number];
    l->number += !extra;
    l->first = false;
    l->at = start + ts_subtree_size(s).bytes;
    bool visible = ts_subtree_visible(s) || alias;
    if (!visible && !ts_subtree_visible_child_count(s)) return;

    u8 wanted = fields_of[w->out.v[l->node].kind];
    u8 field = wanted && !extra ? field_at(l, number) : (u8)FIELD_COUNT;
    if (!visible) {
        level_push(w, s, start, l->node, l->last, field);
        return;
    }
    u32 parent = l->node, n = node_add(w, s, alias, start, field, parent);
    Node *x = &w->out.v[n];
    if (!(wanted & (x->named ? FIELDS_NAMED : FIELDS_TOKENS))) x->field = (u8)FIELD_COUNT;
    *(l->last == NONE ? &w->out.v[parent].child : &w->out.v[l->last].next) = n;
    l->last = n;
    if (ts_subtree_child_count(s)) level_push(w, s, start, n, NONE, (u8)FIELD_COUNT);
}

/* The innermost level is done; one of a hidden node has gone on with the children of the node around. */
static void level_pop(Flatten *w)
{
    const Level *l = &w->levels[--w->n];
    if (w->n && w->levels[w->n - 1].node == l->node) w->levels[w->n - 1].last = l->last;
}

Ast ast_build(Arena *a, const Tree *t)
{
    Flatten w = {.a = a, .lang = python_language()};
    Subtree root = t->ts->root;
    /* About one node for every three bytes; room for that many up front avoids most of the copying. */
    w.out.cap = (u32)MIN(t->source->text.n / 3 + 64, (size_t)UINT32_MAX / 2);
    w.out.v = arena_room(a, sizeof(Node), _Alignof(Node), w.out.cap);
    u32 start = ts_subtree_padding(root).bytes;
    node_add(&w, root, 0, start, (u8)FIELD_COUNT, NONE);
    if (ts_subtree_child_count(root)) level_push(&w, root, start, 0, NONE, (u8)FIELD_COUNT);
    while (w.n) {
        if (w.levels[w.n - 1].next < w.levels[w.n - 1].end)
            child_visit(&w);
        else
            level_pop(&w);
    }
    free(w.levels);
    return (Ast){t->source, w.out.v, w.out.n};
}
