/* What a Source knows about its bytes: lines, newline style, indentation, encoding, and the position arithmetic
 * that everything else uses.
 *
 * The bytes are never changed or converted. Text that is not UTF-8 is not analysed, whatever its coding cookie
 * says; a cookie of another encoding does no harm while the bytes are plain ASCII. Lone carriage returns count as
 * line ends, as in Python, but a file made of them is left out: the grammar takes them for blanks. */
#include "read/read.h"

/* ---- lines --------------------------------------------------------------------------------------------- */

/* Offset behind the newline that ends the line starting at `from`, or n + 1 when none does. */
static size_t line_end(Str t, size_t from, bool has_cr)
{
    if (!has_cr) {
        const char *nl = memchr(t.p + from, '\n', t.n - from);
        return nl ? (size_t)(nl - t.p) + 1 : t.n + 1;
    }
    for (size_t i = from; i < t.n; i++) {
        if (t.p[i] == '\n') return i + 1;
        if (t.p[i] == '\r') return i + 1 + (i + 1 < t.n && t.p[i + 1] == '\n');
    }
    return t.n + 1;
}

static void lines_index(Arena *a, Source *s)
{
    Str t = s->text;
    bool has_cr = t.n && memchr(t.p, '\r', t.n);
    u32 count[3] = {0}, n = 1;
    for (size_t at = line_end(t, 0, has_cr); at <= t.n; at = line_end(t, at, has_cr)) n++;
    s->line_start = arena_new(a, u32, n);
    s->nlines = 1;
    for (size_t at = line_end(t, 0, has_cr); at <= t.n; at = line_end(t, at, has_cr)) {
        bool cr = at >= 2 && t.p[at - 2] == '\r';
        count[t.p[at - 1] == '\r' ? NL_CR : cr ? NL_CRLF : NL_LF]++;
        s->line_start[s->nlines++] = (u32)at;
    }
    s->newline = NL_LF;
    if (count[NL_CRLF] > count[NL_LF]) s->newline = NL_CRLF;
    if (count[NL_CR] > count[NL_LF] && count[NL_CR] > count[NL_CRLF]) s->newline = NL_CR;
}

Str source_line(const Source *s, u32 line)
{
    if (line == 0 || line > s->nlines) return S("");
    size_t end = line < s->nlines ? s->line_start[line] : s->text.n;
    Str t = str_slice(s->text, s->line_start[line - 1], end);
    while (t.n && (t.p[t.n - 1] == '\n' || t.p[t.n - 1] == '\r')) t.n--;
    return t;
}

/* Every so many bytes the code points before them are noted, so that a column costs a short count at most. */
enum { POINTS_STEP = 1024 };

static u32 points_between(Str t, u32 from, u32 to)
{
    u32 n = 0;
    for (u32 i = from; i < to; i++) n += ((u8)t.p[i] & 0xc0) != 0x80;
    return n;
}

static void points_index(Arena *a, Source *s)
{
    u32 n = (u32)(s->text.n / POINTS_STEP) + 1;
    s->points = arena_new(a, u32, n);
    for (u32 i = 1; i < n; i++)
        s->points[i] = s->points[i - 1] + points_between(s->text, (i - 1) * POINTS_STEP, i * POINTS_STEP);
}

/* Code points from the start of the text. */
static u32 points_before(const Source *s, u32 offset)
{
    u32 at = offset / POINTS_STEP;
    return s->points[at] + points_between(s->text, at * POINTS_STEP, offset);
}

void source_position(const Source *s, u32 offset, u32 *line, u32 *column)
{
    u32 low = 0, high = s->nlines;
    while (high - low > 1) {
        u32 mid = low + (high - low) / 2;
        if (s->line_start[mid] <= offset)
            low = mid;
        else
            high = mid;
    }
    *line = low + 1;
    source_position_near(s, offset, line, column);
}

void source_position_near(const Source *s, u32 offset, u32 *line, u32 *column)
{
    enum { NEARBY = 8 }; /* lines */
    u32 low = *line - 1, n = 0;
    offset = MIN(offset, (u32)s->text.n);
    while (low + 1 < s->nlines && s->line_start[low + 1] <= offset && n++ < NEARBY) low++;
    if (n > NEARBY || s->line_start[low] > offset) {
        source_position(s, offset, line, column);
        return;
    }
    u32 from = MIN(s->line_start[low] + (low == 0 && s->bom ? 3 : 0), offset);
    bool near = !s->points || offset - from < 2 * POINTS_STEP;
    *line = low + 1;
    *column = 1 + (near ? points_between(s->text, from, offset) : points_before(s, offset) - points_before(s, from));
}

/* ---- indentation --------------------------------------------------------------------------------------- */

static Str leading_blanks(Str line)
{
    size_t n = 0;
    while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t')) n++;
    return str_slice(line, 0, n);
}

static bool opens_block(Str line)
{
    line = str_trim(line);
    return line.n && line.p[line.n - 1] == ':' && line.p[0] != '#';
}

/* The commonest step of indentation behind a line that ends in a colon; the smaller one of two equally common. */
static Str indent_unit(const Source *s)
{
    static const char spaces[] = "        ";
    u32 votes[9] = {0}; /* votes[0]: a tab */
    Str before = {0}, outer = {0};
    for (u32 i = 1; i <= s->nlines; i++) {
        Str line = source_line(s, i), blanks = leading_blanks(line);
        if (blanks.n == line.n) continue;
        if (opens_block(before) && blanks.n > outer.n && str_starts(blanks, outer)) {
            Str step = str_slice(blanks, outer.n, blanks.n);
            bool tab = step.p[0] == '\t';
            if (tab ? step.n == 1 : step.n <= 8 && str_find(step, '\t') == step.n) votes[tab ? 0 : step.n]++;
        }
        before = line;
        outer = blanks;
    }
    u32 best = 4;
    for (u32 k = 0; k < COUNT_OF(votes); k++)
        if (votes[k] > votes[best] || (votes[k] && votes[k] == votes[best] && k < best)) best = k;
    return best ? (Str){spaces, best} : S("\t");
}

/* ---- encoding ------------------------------------------------------------------------------------------ */

/* Offset of the first byte that is not UTF-8, or the length. */
static size_t utf8_check(Str t)
{
    size_t i = 0;
    while (i < t.n) {
        u64 word = 0;
        if (t.n - i >= 8) memcpy(&word, t.p + i, 8);
        if (t.n - i >= 8 && !(word & 0x8080808080808080u)) {
            i += 8;
            continue;
        }
        size_t n = utf8_length(t, i);
        if (!n) return i;
        i += n;
    }
    return t.n;
}

/* The encoding that a PEP 263 comment in one of the first two lines declares; empty when none does. */
static Str coding_cookie(const Source *s)
{
    for (u32 i = 1; i <= MIN(2u, s->nlines); i++) {
        Str line = str_trim(source_line(s, i));
        if (i == 1 && s->bom) line = str_trim(str_slice(line, 3, line.n));
        if (line.n && line.p[0] != '#') break;
        size_t at = str_search(line, S("coding"));
        for (; at < line.n; at += 6 + str_search(str_slice(line, at + 6, line.n), S("coding"))) {
            Str rest = str_slice(line, at + 6, line.n);
            if (!rest.n || (rest.p[0] != ':' && rest.p[0] != '=')) continue;
            rest = str_trim(str_slice(rest, 1, rest.n));
            size_t n = 0;
            while (n < rest.n && (strchr("-_.", rest.p[n]) || (rest.p[n] >= '0' && rest.p[n] <= '9') ||
                                  ((rest.p[n] | 32) >= 'a' && (rest.p[n] | 32) <= 'z')))
                n++;
            if (n) return str_slice(rest, 0, n);
        }
    }
    return (Str){0};
}

static bool cookie_starts(Str cookie, const char *const *prefixes, u32 n)
{
    char low[32] = {0};
    for (size_t i = 0; i < MIN(cookie.n, sizeof low - 1); i++) {
        char c = cookie.p[i];
        low[i] = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c == '_' ? '-' : c);
    }
    for (u32 i = 0; i < n; i++)
        if (str_starts(str_from(low), str_from(prefixes[i]))) return true;
    return false;
}

/* Encodings in which ASCII bytes do not mean ASCII characters. */
static const char *const not_ascii[] = {"utf-16", "utf16",  "utf-32", "utf32", "utf-7", "utf7",  "cp037", "cp500",
                                        "cp1026", "cp1140", "cp273",  "cp424", "cp875", "rot13", "rot-13"};
/* How the names of the others begin that Python comes with. */
static const char *const known[] = {"utf", "u8",    "ascii", "us-ascii", "646",     "latin",      "l1",    "l2",
                                    "iso", "8859",  "cp",    "windows",  "koi8",    "mac",        "gb",    "big5",
                                    "euc", "shift", "sjis",  "s-jis",    "ujis",    "hz",         "johab", "kz",
                                    "pt",  "tis",   "hp",    "roman8",   "unicode", "raw-unicode"};

static bool encoding_check(Arena *a, const Source *s, NoteVec *notes)
{
    Str cookie = coding_cookie(s);
    size_t bad = utf8_check(s->text);
    u32 line, column;
    source_position(s, (u32)bad, &line, &column);
    if (cookie.n && !cookie_starts(cookie, known, COUNT_OF(known)) &&
        !cookie_starts(cookie, not_ascii, COUNT_OF(not_ascii))) {
        note_add(a, notes, s->path, "unknown-encoding",
                 "the file was left out: it declares the encoding %.*s, which Python does not know", STR_ARG(cookie));
    } else if (cookie.n && (bad < s->text.n || cookie_starts(cookie, not_ascii, COUNT_OF(not_ascii)))) {
        note_add(a, notes, s->path, "not-utf8",
                 "the file was left out: it declares the encoding %.*s and is not UTF-8; convert it to UTF-8",
                 STR_ARG(cookie));
    } else if (bad < s->text.n) {
        note_add(a, notes, s->path, "not-utf8",
                 "the file was left out: line %u holds the byte 0x%02x, which is not UTF-8, and it declares "
                 "no encoding; "
                 "Python refuses it too",
                 line, (u8)s->text.p[bad]);
        notes->v[notes->n - 1].line = line;
    } else {
        return true;
    }
    return false;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

bool source_index(Arena *a, Source *s, NoteVec *notes)
{
    Str t = s->text;
    if (t.n > SOURCE_MAX) {
        note_add(a, notes, s->path, "too-large", "the file was left out: %zu bytes, more than the limit of %d", t.n,
                 SOURCE_MAX);
        return false;
    }
    if (!t.p) s->text.p = "";
    if (t.n && memchr(t.p, 0, t.n)) {
        note_add(a, notes, s->path, "binary", "the file was left out: it holds NUL bytes, so it is no Python source");
        return false;
    }
    s->bom = str_starts(t, S("\xef\xbb\xbf"));
    lines_index(a, s);
    points_index(a, s);
    if (s->newline == NL_CR) {
        note_add(a, notes, s->path, "cr-newlines",
                 "the file was left out: its lines end in a lone carriage return, which the grammar does not "
                 "know; convert it");
        return false;
    }
    if (!encoding_check(a, s, notes)) return false;
    s->indent = indent_unit(s);
    s->hash = str_hash(t);
    if (!s->module.n) s->module = module_name(a, s->path, 0);
    return true;
}

u32 source_find(const SourceList *list, Str path)
{
    u32 low = 0, high = list->n;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        int c = str_cmp(list->v[mid]->path, path);
        if (c == 0) return mid;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NONE;
}
