/* Taking a `with` statement back whose body was edited since, by its structure.
 *
 *   with self._n_lock:            self.n += 2      # it was += 1 when the fix was written
 *       self.n += 2          →
 *
 * The line of the `with` must stand in the text exactly once, with the indentation it was written with; it goes, and
 * what is under it moves out by the indentation that the fix had added. Texts with a string over several lines in
 * there are left alone, since its blanks might be its own. */
#include "emit/undo.h"

static size_t blanks(Str line)
{
    size_t n = 0;
    while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t')) n++;
    return n;
}

/* The line without blanks and line ends after it. */
static Str ended(Str line)
{
    while (line.n && strchr(" \t\r\n\f", line.p[line.n - 1])) line.n--;
    return line;
}

static bool is_blank(Str line)
{
    return ended(line).n == 0;
}

/* The first line of the text that is `with NAME:`, and the blanks that the line after it has more. */
static bool with_line(Str text, Str *with, Str *unit)
{
    Str rest = text, line;
    while (str_line(&rest, &line)) {
        Str code = str_trim(line);
        if (!str_starts(code, S("with ")) || !str_ends(code, S(":"))) continue;
        Str next;
        if (!str_line(&rest, &next) || blanks(next) <= blanks(line)) return false;
        *with = ended(line);
        *unit = str_slice(next, blanks(line), blanks(next));
        return true;
    }
    return false;
}

static bool has_long_string(Str line)
{
    return str_contains(line, S("\"\"\"")) || str_contains(line, S("'''"));
}

bool section_unwrap(Arena *a, Str wrapped, Str *now)
{
    Str with, unit, rest = *now, line;
    size_t found = 0;
    if (!with_line(wrapped, &with, &unit)) return false;
    while (str_line(&rest, &line)) found += str_eq(ended(line), with);
    if (found != 1) return false;
    Buf out = {0};
    bool inside = false, fine = true;
    rest = *now;
    while (fine && rest.n) {
        Str before = rest;
        str_line(&rest, &line);
        Str whole = str_slice(before, 0, before.n - rest.n); /* with its line end */
        if (str_eq(ended(line), with)) {
            inside = true;
            continue;
        }
        inside = inside && (is_blank(line) || blanks(line) > blanks(with));
        if (inside && !is_blank(line)) {
            Str from = str_slice(whole, blanks(with), whole.n);
            fine = str_starts(from, unit) && !has_long_string(line);
            buf_str(&out, str_slice(whole, 0, blanks(with)));
            buf_str(&out, fine ? str_slice(from, unit.n, from.n) : S(""));
        } else {
            buf_str(&out, whole);
        }
    }
    if (fine) *now = str_dup(a, buf_view(&out));
    buf_free(&out);
    return fine;
}

Str with_written(Str wrapped)
{
    Str with, unit;
    return with_line(wrapped, &with, &unit) ? str_trim(with) : S("");
}
