/* Flattens a tree with one cursor pass. */
#include "parse/ast.h"

typedef Vec(Node) NodeVec;

/* Kinds whose children stand in no field (that we ask for). Asking the cursor costs a search among the siblings,
 * which is too much in a list of millions. */
static bool has_fields(u8 kind)
{
    switch (kind) {
    case NODE_list:
    case NODE_tuple:
    case NODE_set:
    case NODE_dictionary:
    case NODE_argument_list:
    case NODE_expression_list:
    case NODE_module:
    case NODE_block:
    case NODE_string:
    case NODE_concatenated_string:
    case NODE_parameters:
    case NODE_pattern_list:
    case NODE_dotted_name: return false;
    default: return true;
    }
}

static u8 field_of(TSTreeCursor *c)
{
    TSFieldId id = ts_tree_cursor_current_field_id(c);
    return id ? (u8)field_from_id(id) : (u8)FIELD_COUNT;
}

static u32 node_add(Arena *a, NodeVec *v, TSTreeCursor *c, u32 parent)
{
    TSNode n = ts_tree_cursor_current_node(c);
    vec_push(a, v,
             (Node){.kind = (u8)node_kind(n),
                    .field = parent != NONE && has_fields(v->v[parent].kind) ? field_of(c) : (u8)FIELD_COUNT,
                    .named = ts_node_is_named(n),
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
