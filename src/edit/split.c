/* Statements that share their line: `a; b`, and a suite on the line of its header, `if x: y += 1`.
 *
 * Where one of them is to stand on a line of its own, the blanks and the semicolon before it become a line break and
 * the indentation of its block. The first statement of a suite on its header's line must then move, too; statements
 * that nothing asks for stay where they are. Lines inside of a statement that moves keep their bytes: they stand in
 * brackets, after a backslash or in a string, where Python does not look at the indentation. */
#include "edit/edit.h"

/* The unit that fits the block: tabs among tabs. */
Str indent_unit(const Draft *d, Str indent)
{
    bool tabs = indent.n && indent.p[indent.n - 1] == '\t';
    Str unit = d->s->indent.n ? d->s->indent : S("    ");
    if (tabs && unit.p[0] != '\t') return S("\t");
    if (indent.n && !tabs && unit.p[0] == '\t') return S("    ");
    return unit;
}

/* The indentation of the statement's block, also when the block has no line of its own yet. */
Str block_indent(const Draft *d, u32 stmt)
{
    const Ast *t = &d->ast;
    u32 block = t->v[stmt].parent, first = ast_first(t, block);
    if (block == 0) return S("");
    Str indent = line_indent(d->s, line_of(d->s, t->v[first].start));
    bool own = stands_first(d->s, t->v[first].start);
    if (!own) indent = line_indent(d->s, line_of(d->s, t->v[t->v[block].parent].start));
    while (indent.n && indent.p[0] == '\f') indent = str_slice(indent, 1, indent.n);
    return own ? indent : str_fmt(d->a, "%.*s%.*s", STR_ARG(indent), STR_ARG(indent_unit(d, indent)));
}

u32 break_before(Draft *d, u32 stmt, u32 fix)
{
    u32 first = ast_first(&d->ast, d->ast.v[stmt].parent);
    if (stmt != first) break_before(d, first, fix); /* a suite cannot go on below its header's line */
    Span gap;
    if (stands_first(d->s, d->ast.v[stmt].start) || !gap_before(d->s, &d->ast, stmt, &gap)) return NONE;
    for (u32 i = 0; i < d->breaks.n; i++)
        if (d->breaks.v[i].next == stmt) return i;
    vec_push(d->a, &d->breaks, (Break){.gap = gap, .next = stmt, .fix = fix});
    return d->breaks.n - 1;
}

void breaks_place(Draft *d, const WrapVec *wraps)
{
    for (u32 i = 0; i < d->breaks.n; i++) {
        const Break *b = &d->breaks.v[i];
        u32 at = d->ast.v[b->next].start, depth = 0;
        Str indent = block_indent(d, b->next), unit = indent_unit(d, indent);
        Str nl = newline_text(d->s, line_of(d->s, at));
        Buf text = {0};
        if (b->line.n) buf_fmt(&text, "%.*s%.*s%.*s", STR_ARG(nl), STR_ARG(indent), STR_ARG(b->line));
        for (u32 k = 0; k < wraps->n; k++) { /* outer ones first */
            Span w = wraps->v[k].span;
            if (w.start > at || w.end <= at) continue;
            if (w.start == at) {
                buf_fmt(&text, "%.*s%.*s", STR_ARG(nl), STR_ARG(indent));
                for (u32 x = 0; x < depth; x++) buf_str(&text, unit);
                buf_fmt(&text, "with %.*s:", STR_ARG(wraps->v[k].lock));
            }
            depth++;
        }
        buf_fmt(&text, "%.*s%.*s", STR_ARG(nl), STR_ARG(indent));
        for (u32 x = 0; x < depth; x++) buf_str(&text, unit);
        piece_add(d, b->gap, str_dup(d->a, buf_view(&text)), PIECE_BREAK, b->fix);
        buf_free(&text);
    }
}
