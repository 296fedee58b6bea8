/* Lines of a source, and pieces that add whole lines to it. Lines count from 0 here. */
#include "edit/edit.h"

u32 line_of(const Source *s, u32 offset)
{
    u32 lo = 0, hi = s->nlines;
    while (lo + 1 < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (s->line_start[mid] <= offset)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

u32 line_start(const Source *s, u32 line)
{
    return line == 0 && s->bom ? 3 : s->line_start[line];
}

static u32 next_start(const Source *s, u32 line)
{
    return line + 1 < s->nlines ? s->line_start[line + 1] : (u32)s->text.n;
}

u32 line_end(const Source *s, u32 line)
{
    u32 start = line_start(s, line), end = next_start(s, line);
    if (end > start && s->text.p[end - 1] == '\n') end--;
    if (end > start && s->text.p[end - 1] == '\r') end--;
    return end;
}

static Str line_text(const Source *s, u32 line)
{
    u32 start = line_start(s, line);
    return (Str){s->text.p + start, line_end(s, line) - start};
}

Str line_indent(const Source *s, u32 line)
{
    Str t = line_text(s, line);
    size_t n = 0;
    while (n < t.n && (t.p[n] == ' ' || t.p[n] == '\t' || t.p[n] == '\f')) n++;
    return str_slice(t, 0, n);
}

bool line_blank(const Source *s, u32 line)
{
    return str_trim(line_text(s, line)).n == 0;
}

bool line_comment(const Source *s, u32 line)
{
    return str_starts(str_trim(line_text(s, line)), S("#"));
}

Str newline_text(const Source *s, u32 line)
{
    u32 end = line_end(s, line), next = next_start(s, line);
    if (next > end) return (Str){s->text.p + end, next - end};
    return s->newline == NL_CRLF ? S("\r\n") : s->newline == NL_CR ? S("\r") : S("\n");
}

void piece_add(Draft *d, Span span, Str text, PieceKind kind, u32 fix)
{
    vec_push(d->a, &d->pieces, (Piece){.span = span, .text = text, .fix = fix, .kind = (u8)kind});
}

void piece_after(Draft *d, u32 line, Str text, PieceKind kind, u32 fix)
{
    u32 at = next_start(d->s, line);
    Str nl = newline_text(d->s, line);
    bool open = at == line_end(d->s, line); /* the last line, without a newline */
    text = open ? str_fmt(d->a, "%.*s%.*s", STR_ARG(nl), STR_ARG(text))
                : str_fmt(d->a, "%.*s%.*s", STR_ARG(text), STR_ARG(nl));
    piece_add(d, (Span){at, at}, text, kind, fix);
}

void piece_before(Draft *d, u32 line, Str text, PieceKind kind, u32 fix)
{
    u32 at = line_start(d->s, line);
    piece_add(d, (Span){at, at}, str_fmt(d->a, "%.*s%.*s", STR_ARG(text), STR_ARG(newline_text(d->s, line))), kind,
              fix);
}
