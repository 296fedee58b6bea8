/* Source lines with an underline, for people: tabs and wide characters keep the marks in place, long lines are cut
 * to a window round the marks, and control characters cannot reach the terminal. */
#include "emit/emit.h"

enum { TAB = 4, WINDOW = 100, LEAD = 30 };

void color_put(Buf *out, bool on, Color c, Str text)
{
    static const char *const codes[] = {"",         "\033[1;31m", "\033[1;33m", "\033[1;34m",
                                        "\033[36m", "\033[32m",   "\033[1m"};
    if (on && c != COLOR_NONE) buf_c(out, codes[c]);
    buf_str(out, text);
    if (on && c != COLOR_NONE) buf_c(out, "\033[0m");
}

/* The code point at s[i], and how many bytes it takes. What is not UTF-8, which only the name of a file can be,
 * counts as one byte and U+FFFD. */
static u32 decode(Str s, size_t i, size_t *n)
{
    u8 b = (u8)s.p[i];
    size_t want = utf8_length(s, i);
    *n = MAX(want, (size_t)1);
    if (want < 2) return want ? b : 0xfffd;
    u32 c = b & (0x7fu >> want);
    for (size_t k = 1; k < want; k++) c = c << 6 | ((u8)s.p[i + k] & 63);
    return c;
}

static u32 width_of(u32 c)
{
    static const u32 wide[][2] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
                                  {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
                                  {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    static const u32 none[][2] = {{0x300, 0x36f},   {0x200b, 0x200f}, {0x202a, 0x202e},
                                  {0x2060, 0x2064}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
    for (u32 i = 0; i < COUNT_OF(none); i++)
        if (c >= none[i][0] && c <= none[i][1]) return 0;
    for (u32 i = 0; i < COUNT_OF(wide); i++)
        if (c >= wide[i][0] && c <= wide[i][1]) return 2;
    return 1;
}

static bool is_control(u32 c)
{
    /* Also the marks that reorder text: they can make a line look like another one. */
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Appends one character as it is shown; returns its columns. */
static u32 char_put(Buf *out, Str s, size_t *i)
{
    size_t n;
    u32 c = decode(s, *i, &n);
    const char *at = s.p + *i;
    *i += n;
    if (c == '\t') {
        buf_fill(out, ' ', TAB);
        return TAB;
    }
    if (is_control(c)) {
        buf_c(out, "\xc2\xb7"); /* a middle dot */
        return 1;
    }
    if (c == 0xfffd)
        buf_c(out, NO_CHARACTER);
    else
        buf_bytes(out, at, n);
    return width_of(c);
}

void safe_put(Buf *out, Str text)
{
    for (size_t i = 0; i < text.n;) char_put(out, text, &i);
}

/* First byte to show of a long line, so that the mark at `start` is in sight. */
static size_t window_start(Str line, size_t start)
{
    if (line.n <= WINDOW || start <= WINDOW - LEAD) return 0;
    size_t from = start - LEAD;
    while (from < start && ((u8)line.p[from] & 0xc0) == 0x80) from++;
    return from;
}

void frame_put(Buf *out, bool colored, const Source *s, Span span, Color c)
{
    u32 number, column;
    source_position(s, span.start, &number, &column);
    Str line = source_line(s, number);
    size_t line_at = s->line_start[number - 1];
    size_t start = MIN(span.start - line_at, line.n), end = MAX(MIN(span.end - line_at, line.n), start);
    size_t from = window_start(line, start);
    Buf marks = {0};
    u32 columns = 0;
    if (number == 1 && s->bom && from == 0) from = 3;

    char gutter[16];
    int wide = snprintf(gutter, sizeof gutter, "%u", number);
    buf_fmt(out, "  ");
    color_put(out, colored, COLOR_BLUE, (Str){gutter, (size_t)wide});
    color_put(out, colored, COLOR_BLUE, S(" | "));
    if (from > 3) buf_c(out, "..."), buf_fill(&marks, ' ', 3);
    for (size_t i = from; i < line.n;) {
        size_t at = i;
        if (columns >= WINDOW) {
            buf_c(out, "...");
            break;
        }
        u32 w = char_put(out, line, &i);
        columns += w;
        if (at < end) buf_fill(&marks, at >= start ? '^' : ' ', w);
    }
    buf_char(out, '\n');
    if (start == end) buf_char(&marks, '^');
    buf_fill(out, ' ', (size_t)wide + 2);
    color_put(out, colored, COLOR_BLUE, S(" | "));
    Str m = buf_view(&marks);
    size_t blank = 0;
    while (blank < m.n && m.p[blank] == ' ') blank++;
    buf_fill(out, ' ', blank);
    color_put(out, colored, c, str_slice(m, blank, m.n));
    buf_char(out, '\n');
    buf_free(&marks);
}
