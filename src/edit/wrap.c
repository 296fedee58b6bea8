/* `with LOCK:` or `try:` round statements: one inserted line, and one unit of indentation before each line of the
 * statements.
 *
 * A line that begins inside a string over several lines gets none, since its blanks belong to the string;
 * every other line, comments and continuation lines too, moves as one with its statement. Blank lines stay
 * blank. Wraps of the same lock that overlap, or that follow each other with nothing but comments or a few plain
 * assignments between, become one. Sections of the same lock that are there already keep their lines where they are
 * when a wrap takes them in; their headers are deleted by others (fixes/merge.c). Statements that share their line
 * with others are given lines of their own (split.c). */
#include "edit/edit.h"

static void mark_strings(Draft *d)
{
    if (d->in_string) return;
    d->in_string = arena_new(d->a, bool, d->s->nlines + 1);
    for (u32 n = 0; n < d->ast.n; n++) {
        if (d->ast.v[n].kind != NODE_string) continue;
        for (u32 line = line_of(d->s, d->ast.v[n].start) + 1;
             line < d->s->nlines && d->s->line_start[line] < d->ast.v[n].end; line++)
            d->in_string[line] = true;
    }
}

static int by_start(const void *x, const void *y)
{
    const Wrap *a = x, *b = y;
    if (a->span.start != b->span.start) return a->span.start < b->span.start ? -1 : 1;
    if (a->span.end != b->span.end) return a->span.end > b->span.end ? -1 : 1;
    return a->fix < b->fix ? -1 : a->fix > b->fix;
}

/* The first and the last statement of the run; siblings. */
static void run_of(const Draft *d, Span s, u32 *first, u32 *last)
{
    const Ast *t = &d->ast;
    *first = ast_statement(t, ast_at(t, (Span){s.start, s.start + 1}));
    *last = ast_statement(t, ast_at(t, (Span){s.end - 1, s.end}));
    while (*first != NONE && *last != NONE && t->v[*last].parent != t->v[*first].parent)
        *last = ast_statement(t, t->v[*last].parent);
    if (*last == NONE) *last = *first;
}

/* An expression that runs no code and asks nothing of a container: names, attributes, constants. */
static bool is_plain(const Ast *t, u32 n)
{
    switch (t->v[n].kind) {
    case NODE_identifier:
    case NODE_integer:
    case NODE_float:
    case NODE_true:
    case NODE_false:
    case NODE_none: return true;
    case NODE_attribute: return is_plain(t, ast_field(t, n, FIELD_object));
    case NODE_unary_operator: return is_plain(t, ast_field(t, n, FIELD_argument));
    case NODE_string:
    case NODE_list:
    case NODE_dictionary:
    case NODE_tuple: return ast_first(t, n) == NONE || t->v[n].kind == NODE_string;
    default: return false;
    }
}

/* `self.last = now`: it costs nothing to do it under a lock. */
static bool plain_assignment(const Ast *t, u32 stmt)
{
    if (!ast_is(t, stmt, NODE_expression_statement)) return false;
    u32 n = ast_first(t, stmt);
    if (!ast_is(t, n, NODE_assignment) || ast_after(t, n) != NONE) return false;
    u32 left = ast_field(t, n, FIELD_left), right = ast_field(t, n, FIELD_right);
    return left != NONE && right != NONE && is_plain(t, left) && is_plain(t, right);
}

enum { PLAIN_BETWEEN = 2 };

/* Do the statements of b follow those of a in the same block, with nothing or little between? */
static bool adjacent(const Draft *d, Span a, Span b)
{
    u32 first, last, next, end;
    run_of(d, a, &first, &last);
    run_of(d, b, &next, &end);
    if (last == NONE || next == NONE || d->ast.v[last].parent != d->ast.v[next].parent) return false;
    u32 n = ast_after(&d->ast, last);
    for (u32 i = 0; i < PLAIN_BETWEEN && n != NONE && n != next && plain_assignment(&d->ast, n); i++)
        n = ast_after(&d->ast, n);
    return n != NONE && n == next;
}

/* Where the first statement begins that something adjacent to the span could end in. */
static u32 reach_back(const Draft *d, Span s)
{
    const Ast *t = &d->ast;
    u32 stmt = ast_statement(t, ast_at(t, (Span){s.start, s.start + 1})), start = s.start;
    for (u32 i = 0; i <= PLAIN_BETWEEN && stmt != NONE; i++) {
        stmt = ast_before(t, stmt);
        if (stmt != NONE) start = t->v[stmt].start;
    }
    return start;
}

/* ends[i]: the last byte that one of the wraps up to i comes to, so that who looks back knows when to stop. */
static void wraps_merge(Draft *d, WrapVec *wraps, u32 *ends)
{
    qsort(wraps->v, wraps->n, sizeof *wraps->v, by_start);
    u32 n = 0;
    for (u32 i = 0; i < wraps->n; i++) {
        Wrap w = wraps->v[i];
        u32 k = n, from = reach_back(d, w.span);
        while (k > 0) {
            Wrap *o = &wraps->v[k - 1];
            bool same = w.lock.n && str_eq(o->lock, w.lock); /* asked first: to look for neighbours is a search */
            if (same && (w.span.start < o->span.end || adjacent(d, o->span, w.span))) break;
            k = ends[k - 1] > from ? k - 1 : 0;
        }
        if (k > 0)
            wraps->v[k - 1].span.end = MAX(wraps->v[k - 1].span.end, w.span.end);
        else
            wraps->v[n++] = w;
        for (u32 m = k > 0 ? k - 1 : n - 1; m < n; m++) ends[m] = MAX(m > 0 ? ends[m - 1] : 0, wraps->v[m].span.end);
    }
    wraps->n = n;
}

/* Comments after the statements that stand deeper than they do belong to their last block. */
static u32 trailing_comments(const Draft *d, u32 last, Str indent)
{
    for (u32 line = last + 1; line < d->s->nlines; line++) {
        if (line_blank(d->s, line)) continue;
        if (!line_comment(d->s, line) || line_indent(d->s, line).n <= indent.n) break;
        last = line;
    }
    return last;
}

/* How many of the others are around it; of equal ones, the first is around the second. */
static u32 depth_of(const WrapVec *wraps, const u32 *ends, u32 i)
{
    Span s = wraps->v[i].span;
    u32 depth = 0;
    for (u32 k = i; k-- > 0 && ends[k] >= s.end;) depth += wraps->v[k].span.end >= s.end;
    for (u32 k = i + 1; k < wraps->n && wraps->v[k].span.start == s.start; k++) depth += wraps->v[k].span.end > s.end;
    return depth;
}

static size_t common_prefix(Str a, Str b)
{
    size_t n = 0;
    while (n < a.n && n < b.n && a.p[n] == b.p[n]) n++;
    return n;
}

/* Does a section of the same lock that becomes part of the wrap hold the line at its depth already? */
static bool line_kept(const Draft *d, const Wrap *w, u32 line)
{
    u32 at = line_start(d->s, line);
    for (u32 i = 0; i < d->keeps.n; i++) {
        const Wrap *k = &d->keeps.v[i];
        if (k->span.start <= at && at < k->span.end && str_eq(k->lock, w->lock)) return true;
    }
    return false;
}

static void wrap_place(Draft *d, const Wrap *w, u32 depth)
{
    u32 stmt, end;
    run_of(d, w->span, &stmt, &end);
    CHECK(stmt != NONE && end != NONE);
    u32 first = line_of(d->s, w->span.start), last = line_of(d->s, w->span.end - 1), next = ast_after(&d->ast, end);
    bool own = stands_first(d->s, w->span.start);
    Str unit = indent_unit(d, block_indent(d, stmt));
    break_before(d, stmt, w->fix);
    if (next == NONE || break_before(d, next, w->fix) == NONE)
        last = trailing_comments(d, last, own ? line_indent(d->s, first) : block_indent(d, stmt));
    if (own) {
        Buf head = {0};
        Str indent = line_indent(d->s, first);
        while (indent.n && indent.p[0] == '\f')
            indent = str_slice(indent, 1, indent.n); /* a form feed stays on its line */
        buf_str(&head, indent);
        for (u32 i = 0; i < depth; i++) buf_str(&head, unit);
        buf_fmt(&head, "%s%.*s:", w->lock.n ? "with " : "try", STR_ARG(w->lock));
        piece_before(d, first, str_dup(d->a, buf_view(&head)), PIECE_WITH, w->fix);
        d->pieces.v[d->pieces.n - 1].depth = depth;
        buf_free(&head);
    }
    Str indent = own ? line_indent(d->s, first) : block_indent(d, stmt);
    for (u32 line = first + !own; line <= last; line++) {
        if (d->in_string[line] || line_blank(d->s, line) || line_kept(d, w, line)) continue;
        u32 at = line_start(d->s, line) + (u32)common_prefix(line_indent(d->s, line), indent);
        piece_add(d, (Span){at, at}, unit, PIECE_INDENT, w->fix);
    }
}

void wraps_place(Draft *d, WrapVec *wraps)
{
    if (!wraps->n) {
        breaks_place(d, wraps);
        return;
    }
    mark_strings(d);
    u32 *ends = arena_new(d->a, u32, wraps->n);
    wraps_merge(d, wraps, ends);
    for (u32 i = 0; i < wraps->n; i++) wrap_place(d, &wraps->v[i], depth_of(wraps, ends, i));
    breaks_place(d, wraps);
}
