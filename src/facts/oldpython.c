/* Tests of the Python version, whose answer is known: what is analysed will run under a free-threaded Python, and
 * there is none before 3.13. `if sys.version_info < (3, 8):` and `if six.PY2:` lead to code that never runs there. */
#include "facts/walk.h"

enum { MAJOR = 3, MINOR = 13 }; /* the oldest Python with a free-threaded build that is supported */

/* Takes a number off the front; false without one, and for one that no version has. */
static bool take_number(Str *s, u32 *number)
{
    enum { LARGE = 1000 };
    *s = str_trim(*s);
    size_t i = 0;
    for (*number = 0; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
        *number = *number * 10 + (u32)(s->p[i] - '0');
        if (*number >= LARGE) return false;
    }
    *s = str_trim(str_slice(*s, i, s->n));
    return i > 0;
}

typedef struct Version {
    u32 major, minor;
    bool exact; /* no more than these two are named */
} Version;

/* (3,), (3, 8), (3, 8, 1): the numbers of a tuple. */
static bool take_tuple(Str s, Version *v)
{
    *v = (Version){.exact = true};
    if (!str_starts(s, S("(")) || str_find(s, ')') != s.n - 1) return false;
    s = str_slice(s, 1, s.n - 1);
    if (!take_number(&s, &v->major)) return false;
    if (str_starts(s, S(","))) s = str_trim(str_slice(s, 1, s.n));
    if (!s.n) return true;
    if (!take_number(&s, &v->minor)) return false;
    v->exact = !str_starts(s, S(",")) || s.n == 1;
    return v->exact || str_starts(s, S(","));
}

/* Is the version at or below the oldest, so that each Python that counts is at least it; or below, so that each is
 * newer? */
static bool reached(Version v, bool newer)
{
    if (v.major != MAJOR) return v.major < MAJOR;
    if (!newer && v.minor == MINOR) return v.exact;
    return v.minor < MINOR;
}

/* sys.version_info OPERATOR (3, 8) */
static Holds compared(Str op, Version v)
{
    if (str_is(op, "<")) return reached(v, false) ? HOLDS_NEVER : HOLDS_MAYBE;
    if (str_is(op, ">=")) return reached(v, false) ? HOLDS_ALWAYS : HOLDS_MAYBE;
    if (str_is(op, "<=") || str_is(op, "==")) return reached(v, true) ? HOLDS_NEVER : HOLDS_MAYBE;
    return reached(v, true) ? HOLDS_ALWAYS : HOLDS_MAYBE; /* > and != */
}

/* sys.version_info[0] OPERATOR 3 */
static Holds major_compared(Str op, u32 n)
{
    bool yes = str_is(op, "<")    ? MAJOR < n
               : str_is(op, "<=") ? MAJOR <= n
               : str_is(op, ">")  ? MAJOR > n
               : str_is(op, ">=") ? MAJOR >= n
               : str_is(op, "==") ? MAJOR == n
                                  : MAJOR != n;
    return yes ? HOLDS_ALWAYS : HOLDS_NEVER;
}

/* Takes a comparison's operator off the front; empty without one. */
static Str take_operator(Str *s)
{
    static const char *const operators[] = {"<=", ">=", "==", "!=", "<", ">"};
    for (u32 i = 0; i < COUNT_OF(operators); i++) {
        Str op = str_from(operators[i]);
        if (!str_starts(*s, op)) continue;
        *s = str_trim(str_slice(*s, op.n, s->n));
        return op;
    }
    return S("");
}

static Holds by_version_info(Str s)
{
    static const char *const majors[] = {"[0]", ".major"};
    bool major = false;
    for (u32 i = 0; i < COUNT_OF(majors) && !major; i++) {
        Str word = str_from(majors[i]);
        major = str_starts(s, word);
        if (major) s = str_slice(s, word.n, s.n);
    }
    if (!major && str_starts(s, S("[:2]"))) s = str_slice(s, 4, s.n);
    s = str_trim(s);
    Str op = take_operator(&s);
    u32 n;
    Version v;
    if (!op.n) return HOLDS_MAYBE;
    if (major) return take_number(&s, &n) && !s.n ? major_compared(op, n) : HOLDS_MAYBE;
    return take_tuple(s, &v) ? compared(op, v) : HOLDS_MAYBE;
}

/* The other answer. */
static Holds turned(Holds a)
{
    return a == HOLDS_ALWAYS ? HOLDS_NEVER : a == HOLDS_NEVER ? HOLDS_ALWAYS : HOLDS_MAYBE;
}

Holds version_test(Str head)
{
    head = str_trim(head);
    if (str_starts(head, S("not "))) return turned(version_test(str_slice(head, 4, head.n)));
    if (str_starts(head, S("sys."))) head = str_slice(head, 4, head.n);
    Str info = S("version_info");
    if (str_starts(head, info)) return by_version_info(str_slice(head, info.n, head.n));
    for (size_t i = 0; i < head.n; i++)
        if (!is_word_char(head.p[i]) && head.p[i] != '.') return HOLDS_MAYBE;
    Str name = str_last(head, '.');
    if (str_is(name, "PY2")) return HOLDS_NEVER;
    return str_is(name, "PY3") ? HOLDS_ALWAYS : HOLDS_MAYBE;
}
