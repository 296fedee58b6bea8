/* Questions to a flat tree; flatten.c makes one. */
#include "parse/ast.h"

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

bool ast_plain_name(const Ast *t, u32 n)
{
    while (ast_is(t, n, NODE_attribute)) n = ast_field(t, n, FIELD_object);
    return ast_is(t, n, NODE_identifier);
}

u32 ast_first(const Ast *t, u32 n)
{
    return n == NONE ? NONE : skip_extras(t, t->v[n].child);
}

u32 ast_after(const Ast *t, u32 n)
{
    return skip_extras(t, t->v[n].next);
}

u32 ast_before(const Ast *t, u32 n)
{
    u32 up = t->v[n].parent;
    while (up != NONE && n != t->v[up].child) {
        for (n--; t->v[n].parent != up;) n = t->v[n].parent; /* out of the subtree of the sibling before */
        if (skip_extras(t, n) == n) return n;
    }
    return NONE;
}

bool ast_token(const Ast *t, u32 n, const char *text)
{
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (!t->v[c].named && str_is(ast_text(t, c), text)) return true;
    return false;
}

bool ast_block_leaves(const Ast *t, u32 block)
{
    u32 last = NONE;
    for (u32 c = ast_first(t, block); c != NONE; c = ast_after(t, c)) last = c;
    return ast_is(t, last, NODE_return_statement) || ast_is(t, last, NODE_raise_statement) ||
           ast_is(t, last, NODE_continue_statement) || ast_is(t, last, NODE_break_statement);
}
