/* Environment markers: could `python_version < "3.13" and extra == "x"` hold under the target?
 *
 * A descent over or, and, parentheses and comparisons, with three values: yes, no, maybe. Only variables that a
 * free-threaded CPython 3.N fixes have a value; a comparison with any other one may hold. What cannot be read may
 * hold, too: a requirement is rather listed once too often than left out. */
#include "ready/requirement.h"
#include "ready/version.h"

typedef enum Holds { HOLDS_NO, HOLDS_MAYBE, HOLDS_YES } Holds;
typedef struct Reader {
    Str rest;
    int minor;
    u32 depth;
} Reader;
enum { DEPTH_MAX = 32 };

static void blanks_skip(Reader *r)
{
    r->rest = str_trim(r->rest);
}

static bool take(Reader *r, Str word)
{
    blanks_skip(r);
    if (!str_starts(r->rest, word)) return false;
    bool letters = is_word_char(word.p[0]);
    if (letters && word.n < r->rest.n && is_word_char(r->rest.p[word.n])) return false;
    r->rest = str_slice(r->rest, word.n, r->rest.n);
    return true;
}

/* A quoted text or the name of a variable. */
static bool operand(Reader *r, Str *s, bool *quoted)
{
    blanks_skip(r);
    char c = r->rest.n ? r->rest.p[0] : 0;
    *quoted = c == '"' || c == '\'';
    if (*quoted) {
        Str body = str_slice(r->rest, 1, r->rest.n);
        size_t end = str_find(body, c);
        if (end == body.n) return false;
        *s = str_slice(body, 0, end);
        r->rest = str_slice(body, end + 1, body.n);
        return true;
    }
    size_t n = 0;
    while (n < r->rest.n && (is_word_char(r->rest.p[n]) || r->rest.p[n] == '.')) n++;
    *s = str_slice(r->rest, 0, n);
    r->rest = str_slice(r->rest, n, r->rest.n);
    return n > 0;
}

static bool op_take(Reader *r, Str *op)
{
    static const char *const ops[] = {"===", "==", "!=", "<=", ">=", "~=", "<", ">", "in"};
    if (take(r, S("not"))) {
        *op = S("not in");
        return take(r, S("in"));
    }
    for (u32 i = 0; i < COUNT_OF(ops); i++) {
        *op = str_from(ops[i]);
        if (take(r, *op)) return true;
    }
    return false;
}

/* `name op value`, with the operator turned round when the value stood first. */
static Holds compare(const Reader *r, Str name, Str op, Str value, bool turned)
{
    Arena scratch = {0};
    Holds holds = HOLDS_MAYBE;
    bool full = str_is(name, "python_full_version") || str_is(name, "implementation_version");
    if (str_is(name, "platform_python_implementation") || str_is(name, "implementation_name")) {
        bool same = str_is(value, str_is(name, "implementation_name") ? "cpython" : "CPython");
        if (str_is(op, "==")) holds = same ? HOLDS_YES : HOLDS_NO;
        if (str_is(op, "!=")) holds = same ? HOLDS_NO : HOLDS_YES;
    } else if (str_is(name, "python_version") || full) {
        static const char *const from[] = {"<", ">", "<=", ">="}, *const to[] = {">", "<", ">=", "<="};
        for (u32 i = 0; turned && i < COUNT_OF(from); i++)
            if (str_is(op, from[i])) op = str_from(to[i]), turned = false;
        Str spec = str_fmt(&scratch, "%.*s%.*s", STR_ARG(op), STR_ARG(value));
        /* Which 3.N.x it is, is not known: both ends of the series must say the same. */
        Str first = str_fmt(&scratch, full ? "3.%d.0" : "3.%d", r->minor);
        Str last = full ? str_fmt(&scratch, "3.%d.99", r->minor) : first;
        if (spec_valid(spec) && op.n < 4) {
            bool one = spec_matches(spec, first), other = spec_matches(spec, last);
            Str series = str_fmt(&scratch, "3.%d.", r->minor);
            bool within = full && str_starts(value, series) && (str_is(op, "==") || str_is(op, "!="));
            holds = one != other || within ? HOLDS_MAYBE : one ? HOLDS_YES : HOLDS_NO;
        }
    }
    arena_free(&scratch);
    return holds;
}

static bool any_read(Reader *r, Holds *out);

static bool atom_read(Reader *r, Holds *out)
{
    Str left, op, right;
    bool left_quoted, right_quoted;
    if (take(r, S("("))) {
        if (++r->depth > DEPTH_MAX || !any_read(r, out)) return false;
        r->depth--;
        return take(r, S(")"));
    }
    if (!operand(r, &left, &left_quoted) || !op_take(r, &op) || !operand(r, &right, &right_quoted)) return false;
    *out = HOLDS_MAYBE;
    if (left_quoted != right_quoted)
        *out = left_quoted ? compare(r, right, op, left, true) : compare(r, left, op, right, false);
    return true;
}

static bool all_read(Reader *r, Holds *out)
{
    Holds one;
    if (!atom_read(r, out)) return false;
    while (take(r, S("and"))) {
        if (!atom_read(r, &one)) return false;
        *out = MIN(*out, one);
    }
    return true;
}

static bool any_read(Reader *r, Holds *out)
{
    Holds one;
    if (!all_read(r, out)) return false;
    while (take(r, S("or"))) {
        if (!all_read(r, &one)) return false;
        *out = MAX(*out, one);
    }
    return true;
}

bool marker_may_hold(Str marker, int minor)
{
    Reader r = {marker, minor, 0};
    Holds holds;
    if (!any_read(&r, &holds)) return true;
    blanks_skip(&r);
    return r.rest.n > 0 || holds != HOLDS_NO;
}
