/* A flat copy of the syntax tree: an array of small nodes in pre-order, cheap to walk and to index. The facts stage
 * works on this; tree-sitter's own nodes cost a search for every sibling. */
#ifndef UNGIL_AST_H
#define UNGIL_AST_H

#include "parse/parse.h"

typedef struct Node {
    u8 kind;  /* NodeKind; NODE_other for tokens */
    u8 field; /* FieldName in its parent, FIELD_COUNT when none */
    bool named;
    bool error; /* an ERROR or missing node */
    u32 start, end;
    u32 parent, child, next; /* node ids: parent, first child, next sibling; NONE */
} Node;

typedef struct Ast {
    const Source *source;
    Node *v; /* v[0] is the module */
    u32 n;
} Ast;

/* Copies the tree into the arena. */
Ast ast_build(Arena *a, const Tree *t);
/* Parses the source for the copy alone. */
Ast ast_parse(Arena *a, const Source *s);

static inline Str ast_text(const Ast *t, u32 n)
{
    return (Str){t->source->text.p + t->v[n].start, t->v[n].end - t->v[n].start};
}
static inline bool ast_is(const Ast *t, u32 n, NodeKind k)
{
    return n != NONE && t->v[n].kind == k;
}
/* Is it the statement that defines a function or class, with its decorators? */
static inline bool ast_is_definition(const Ast *t, u32 n)
{
    return ast_is(t, n, NODE_function_definition) || ast_is(t, n, NODE_class_definition) ||
           ast_is(t, n, NODE_decorated_definition);
}
static inline Span ast_span(const Ast *t, u32 n)
{
    return (Span){t->v[n].start, t->v[n].end};
}
/* Is it a name, or attributes of a name: x, self.x.y? */
bool ast_plain_name(const Ast *t, u32 n);
/* The first child in a field, NONE when there is none. */
u32 ast_field(const Ast *t, u32 n, FieldName f);
/* The first named child that is no comment, and the next such sibling; NONE at the end. */
u32 ast_first(const Ast *t, u32 n);
u32 ast_after(const Ast *t, u32 n);
/* The named sibling before it; NONE for the first. */
u32 ast_before(const Ast *t, u32 n);
/* Does the last statement of the block leave it: return, raise, continue, break? */
bool ast_block_leaves(const Ast *t, u32 block);
/* Has it a token child with this text ("async", "not", "*")? */
bool ast_token(const Ast *t, u32 n, const char *text);

#endif
