/* `with LOCK:` round statements: one inserted line, and one unit of indentation before each line of the
 * statements.
 *
 * A line that begins inside a string over several lines gets none, since its blanks belong to the string;
 * every other line, comments and continuation lines too, moves as one with its statement. Blank lines stay
 * blank. Wraps of the same lock that overlap, or that follow each other with nothing but comments between,
 * become one. */
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

/* Do the statements of b follow those of a in the same block, with nothing but blank lines and comments
 * between? */
static bool adjacent(const Draft *d, Span a, Span b)
{
    u32 from = line_of(d->s, a.end - 1), to = line_of(d->s, b.start);
    if (to <= from || !str_eq(line_indent(d->s, line_of(d->s, a.start)), line_indent(d->s, to))) return false;
    for (u32 line = from + 1; line < to; line++)
        if (!line_blank(d->s, line) && !line_comment(d->s, line)) return false;
    return true;
}

static void wraps_merge(Draft *d, WrapVec *wraps)
{
    qsort(wraps->v, wraps->n, sizeof *wraps->v, by_start);
    u32 n = 0;
    for (u32 i = 0; i < wraps->n; i++) {
        Wrap w = wraps->v[i];
        u32 k = n;
        while (k > 0) {
            Wrap *o = &wraps->v[k - 1];
            if (str_eq(o->lock, w.lock) && (w.span.start < o->span.end || adjacent(d, o->span, w.span))) break;
            k--;
        }
        if (k > 0)
            wraps->v[k - 1].span.end = MAX(wraps->v[k - 1].span.end, w.span.end);
        else
            wraps->v[n++] = w;
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

static u32 depth_of(const WrapVec *wraps, u32 i)
{
    u32 depth = 0;
    for (u32 k = 0; k < wraps->n; k++) {
        Span o = wraps->v[k].span, s = wraps->v[i].span;
        depth += k != i && o.start <= s.start && s.end <= o.end && (o.start != s.start || o.end != s.end || k < i);
    }
    return depth;
}

static size_t common_prefix(Str a, Str b)
{
    size_t n = 0;
    while (n < a.n && n < b.n && a.p[n] == b.p[n]) n++;
    return n;
}

/* The unit that fits the block: tabs among tabs. */
static Str indent_unit(const Draft *d, Str indent)
{
    bool tabs = indent.n && indent.p[indent.n - 1] == '\t';
    Str unit = d->s->indent.n ? d->s->indent : S("    ");
    if (tabs && unit.p[0] != '\t') return S("\t");
    if (indent.n && !tabs && unit.p[0] == '\t') return S("    ");
    return unit;
}

static void wrap_place(Draft *d, const Wrap *w, u32 depth)
{
    u32 first = line_of(d->s, w->span.start), last = line_of(d->s, w->span.end - 1);
    Str indent = line_indent(d->s, first), unit = indent_unit(d, indent);
    last = trailing_comments(d, last, indent);
    Buf head = {0};
    while (indent.n && indent.p[0] == '\f')
        indent = str_slice(indent, 1, indent.n); /* a form feed stays on its line */
    buf_str(&head, indent);
    for (u32 i = 0; i < depth; i++) buf_str(&head, unit);
    buf_fmt(&head, "with %.*s:", STR_ARG(w->lock));
    piece_before(d, first, str_dup(d->a, buf_view(&head)), PIECE_WITH, w->fix);
    d->pieces.v[d->pieces.n - 1].depth = depth;
    buf_free(&head);
    indent = line_indent(d->s, first);
    for (u32 line = first; line <= last; line++) {
        if (d->in_string[line] || line_blank(d->s, line)) continue;
        u32 at = line_start(d->s, line) + (u32)common_prefix(line_indent(d->s, line), indent);
        piece_add(d, (Span){at, at}, unit, PIECE_INDENT, w->fix);
    }
}

void wraps_place(Draft *d, WrapVec *wraps)
{
    if (!wraps->n) return;
    mark_strings(d);
    wraps_merge(d, wraps);
    for (u32 i = 0; i < wraps->n; i++) wrap_place(d, &wraps->v[i], depth_of(wraps, i));
}
