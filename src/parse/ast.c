/* Flattens a tree with one cursor pass. */
#include "parse/ast.h"

typedef Vec(Node) NodeVec;

/* Which children of a kind may stand in a field (node-types.json of the grammar; tests/suite_grammar.py compares).
 * Asking the cursor costs a search in the production and among the siblings, which is too much for every node, and
 * far too much in a list of millions. The case clauses of a block are left out: nobody asks for their field. */
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

static u8 field_of(TSTreeCursor *c, u8 parent, bool named)
{
    if (!(fields_of[parent] & (named ? FIELDS_NAMED : FIELDS_TOKENS))) return (u8)FIELD_COUNT;
    TSFieldId id = ts_tree_cursor_current_field_id(c);
    return id ? (u8)field_from_id(id) : (u8)FIELD_COUNT;
}

static u32 node_add(Arena *a, NodeVec *v, TSTreeCursor *c, u32 parent)
{
    TSNode n = ts_tree_cursor_current_node(c);
    bool named;
    u8 kind = (u8)symbol_kind(ts_node_symbol(n), &named);
    vec_push(a, v,
             (Node){.kind = kind,
                    .field = parent == NONE ? (u8)FIELD_COUNT : field_of(c, v->v[parent].kind, named),
                    .named = named,
                    .error = ts_node_is_error(n) || ts_node_is_missing(n),
                    .start = ts_node_start_byte(n),
                    .end = ts_node_end_byte(n),
                    .parent = parent,
                    .child = NONE,
                    .next = NONE});
    return v->n - 1;
}

Ast ast_build(Arena *a, const Tree *t)
{
    NodeVec v = {0};
    /* About one node for every three bytes; room for that many up front avoids most of the copying. */
    v.cap = (u32)MIN(t->source->text.n / 3 + 64, (size_t)UINT32_MAX / 2);
    v.v = arena_new(a, Node, v.cap);
    TSTreeCursor c = ts_tree_cursor_new(tree_root(t));
    u32 at = node_add(a, &v, &c, NONE);
    for (;;) {
        if (ts_tree_cursor_goto_first_child(&c)) {
            u32 child = node_add(a, &v, &c, at);
            v.v[at].child = child;
            at = child;
            continue;
        }
        while (at != NONE && !ts_tree_cursor_goto_next_sibling(&c)) {
            at = v.v[at].parent;
            if (at == NONE || !ts_tree_cursor_goto_parent(&c)) {
                at = NONE;
                break;
            }
        }
        if (at == NONE) break;
        u32 sibling = node_add(a, &v, &c, v.v[at].parent);
        v.v[at].next = sibling;
        at = sibling;
    }
    ts_tree_cursor_delete(&c);
    return (Ast){t->source, v.v, v.n};
}

Ast ast_parse(Arena *a, const Source *s)
{
    Tree *tree = tree_parse(s);
    Ast t = ast_build(a, tree);
    tree_free(tree);
    return t;
}

u32 ast_field(const Ast *t, u32 n, FieldName f)
{
    if (n == NONE) return NONE;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (t->v[c].field == f && t->v[c].kind != NODE_comment) return c;
    return NONE;
}

static u32 skip_extras(const Ast *t, u32 c)
{
    while (c != NONE && (!t->v[c].named || t->v[c].kind == NODE_comment || t->v[c].kind == NODE_line_continuation))
        c = t->v[c].next;
    return c;
}

u32 ast_first(const Ast *t, u32 n)
{
    return n == NONE ? NONE : skip_extras(t, t->v[n].child);
}

u32 ast_after(const Ast *t, u32 n)
{
    return skip_extras(t, t->v[n].next);
}

bool ast_token(const Ast *t, u32 n, const char *text)
{
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (!t->v[c].named && str_is(ast_text(t, c), text)) return true;
    return false;
}
