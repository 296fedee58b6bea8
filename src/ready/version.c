/* PEP 440 versions: reading every permitted spelling, ordering, and the specifier clauses.
 *
 * The order is that of the PEP: epoch, release without trailing zeros, then .devN < aN < bN < rcN < final < .postN,
 * with the development release of each before it; a local label comes after the same version without one. What a
 * specifier means is taken from the PEP's section of the operator's name, which is cited at each. */
#include "ready/version.h"

#include <ctype.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return isalnum((unsigned char)c) && (unsigned char)c < 0x80;
}

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == '.';
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static char at(Str s, size_t i)
{
    return i < s.n ? (char)tolower((unsigned char)s.p[i]) : 0;
}

static size_t digits_at(Str s, size_t i)
{
    size_t n = 0;
    while (is_digit(at(s, i + n))) n++;
    return n;
}

/* One of the words at s[i], in any case; its index and, in *n, its length. Longer words come first in the list. */
static int word_at(Str s, size_t i, const char *const *words, int count, size_t *n)
{
    for (int w = 0; w < count; w++) {
        size_t k = 0;
        while (words[w][k] && at(s, i + k) == words[w][k]) k++;
        if (words[w][k]) continue;
        *n = k;
        return w;
    }
    return -1;
}

/* A suffix [sep] word [sep] [number] at s[*i]: moves *i behind it. The index of the word, or -1 when there is none.
 */
static int suffix_read(Str s, size_t *i, const char *const *words, int count, Str *number)
{
    size_t n = 0, from = *i + is_separator(at(s, *i));
    int w = word_at(s, from, words, count, &n);
    if (w < 0) return -1;
    from += n;
    size_t number_at = from + is_separator(at(s, from));
    n = digits_at(s, number_at);
    *number = str_slice(s, number_at, number_at + n);
    *i = n ? number_at + n : from;
    return w;
}

static bool release_read(Str s, size_t *i, Version *v)
{
    size_t n = digits_at(s, *i), from = *i;
    if (n && at(s, *i + n) == '!') {
        v->epoch = str_slice(s, *i, *i + n);
        from = *i + n + 1;
        n = digits_at(s, from);
    }
    if (!n) return false;
    size_t to = from + n;
    while (at(s, to) == '.' && (n = digits_at(s, to + 1))) to += 1 + n;
    v->release = str_slice(s, from, to);
    *i = to;
    return true;
}

static bool local_read(Str s, size_t *i, Version *v)
{
    if (at(s, *i) != '+') return true;
    size_t from = *i + 1, to = from;
    bool part = false;
    for (; to < s.n; to++) {
        if (is_alnum(s.p[to]))
            part = true;
        else if (is_separator(s.p[to]) && part)
            part = false;
        else
            return false;
    }
    v->local = str_slice(s, from, to);
    *i = to;
    return part;
}

bool version_read(Str text, Version *v)
{
    static const char *const pre[] = {"preview", "alpha", "beta", "pre", "rc", "a", "b", "c"};
    static const char letter[] = {'c', 'a', 'b', 'c', 'c', 'a', 'b', 'c'};
    static const char *const post[] = {"post", "rev", "r"}, *const dev[] = {"dev"};
    Str s = str_trim(text);
    size_t i = at(s, 0) == 'v', n;
    *v = (Version){0};
    if (!release_read(s, &i, v)) return false;
    int w = suffix_read(s, &i, pre, (int)COUNT_OF(pre), &v->pre_n);
    if (w >= 0) v->pre = letter[w];
    if (at(s, i) == '-' && (n = digits_at(s, i + 1))) { /* 1.0-1 is 1.0.post1 */
        v->has_post = true;
        v->post = str_slice(s, i + 1, i + 1 + n);
        i += 1 + n;
    } else {
        v->has_post = suffix_read(s, &i, post, (int)COUNT_OF(post), &v->post) >= 0;
    }
    v->has_dev = suffix_read(s, &i, dev, 1, &v->dev) >= 0;
    return local_read(s, &i, v) && i == s.n;
}

/* ---- order --------------------------------------------------------------------------------------------- */

static int number_cmp(Str a, Str b)
{
    while (a.n && a.p[0] == '0') a = str_slice(a, 1, a.n);
    while (b.n && b.p[0] == '0') b = str_slice(b, 1, b.n);
    if (a.n != b.n) return a.n < b.n ? -1 : 1;
    return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

/* Missing parts count as 0, so that trailing zeros play no part. */
static int release_cmp(Str a, Str b)
{
    while (a.n || b.n) {
        int c = number_cmp(str_cut(a, '.', &a), str_cut(b, '.', &b));
        if (c) return c;
    }
    return 0;
}

/* Where a version without pre-release stands among those with one: behind them, but 1.0.dev1 before 1.0a1. */
static int pre_rank(const Version *v)
{
    if (v->pre) return v->pre;
    return v->has_dev && !v->has_post ? 0 : 127;
}

static bool all_digits(Str s)
{
    size_t n = digits_at(s, 0);
    return n == s.n;
}

static Str local_part(Str *rest)
{
    size_t n = 0;
    while (n < rest->n && !is_separator(rest->p[n])) n++;
    Str part = str_slice(*rest, 0, n);
    *rest = str_slice(*rest, n + 1, rest->n);
    return part;
}

static int word_cmp(Str a, Str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++)
        if (at(a, i) != at(b, i)) return at(a, i) < at(b, i) ? -1 : 1;
    return (a.n > b.n) - (a.n < b.n);
}

/* Part by part; numbers come after words, and a longer label after its beginning ("Local version identifiers"). */
static int local_cmp(Str a, Str b)
{
    while (a.n && b.n) {
        Str x = local_part(&a), y = local_part(&b);
        bool dx = all_digits(x), dy = all_digits(y);
        int c = dx != dy ? (dx ? 1 : -1) : dx ? number_cmp(x, y) : word_cmp(x, y);
        if (c) return c;
    }
    return (a.n > 0) - (b.n > 0);
}

static int public_cmp(const Version *a, const Version *b)
{
    int c = number_cmp(a->epoch, b->epoch);
    if (!c) c = release_cmp(a->release, b->release);
    if (!c) c = pre_rank(a) - pre_rank(b);
    if (!c && a->pre) c = number_cmp(a->pre_n, b->pre_n);
    if (!c) c = a->has_post - b->has_post;
    if (!c && a->has_post) c = number_cmp(a->post, b->post);
    if (!c) c = b->has_dev - a->has_dev;
    if (!c && a->has_dev) c = number_cmp(a->dev, b->dev);
    return c;
}

int version_cmp(const Version *a, const Version *b)
{
    int c = public_cmp(a, b);
    return c ? c : local_cmp(a->local, b->local);
}

/* Is it a pre-release or a development release? */
static bool version_early(const Version *v)
{
    return v->pre || v->has_dev;
}

/* ---- specifiers ---------------------------------------------------------------------------------------- */

typedef enum SpecOp {
    SPECOP_ANY,
    SPECOP_EQ,
    SPECOP_NE,
    SPECOP_LE,
    SPECOP_GE,
    SPECOP_LT,
    SPECOP_GT,
    SPECOP_COMPATIBLE,
    SPECOP_SAME_TEXT
} SpecOp;
typedef struct Clause {
    SpecOp op;
    bool prefix; /* ends in .* */
    Str text;    /* what stands behind the operator */
    Version v;
} Clause;

static SpecOp op_read(Str *s)
{
    static const struct {
        const char *text;
        SpecOp op;
    } ops[] = {{"===", SPECOP_SAME_TEXT}, {"==", SPECOP_EQ},         {"!=", SPECOP_NE}, {"<=", SPECOP_LE},
               {">=", SPECOP_GE},         {"~=", SPECOP_COMPATIBLE}, {"<", SPECOP_LT},  {">", SPECOP_GT}};
    for (u32 i = 0; i < COUNT_OF(ops); i++) {
        Str op = str_from(ops[i].text);
        if (!str_starts(*s, op)) continue;
        *s = str_trim(str_slice(*s, op.n, s->n));
        return ops[i].op;
    }
    return SPECOP_ANY;
}

/* The next clause of the list. False at its end; *ok is cleared when the clause cannot be read. */
static bool clause_next(Str *rest, Clause *c, bool *ok)
{
    Str one = {0};
    while (rest->n && !one.n) one = str_trim(str_cut(*rest, ',', rest));
    if (!one.n) return false;
    *c = (Clause){.op = op_read(&one), .text = one};
    if (c->op == SPECOP_SAME_TEXT) return *ok &= one.n > 0, true;
    c->prefix = str_ends(one, S(".*"));
    if (c->prefix) one = str_slice(one, 0, one.n - 2);
    bool may_prefix = c->op == SPECOP_EQ || c->op == SPECOP_NE;
    *ok &= c->op != SPECOP_ANY && version_read(one, &c->v) && (!c->prefix || may_prefix);
    if (c->op == SPECOP_COMPATIBLE) *ok &= str_find(c->v.release, '.') < c->v.release.n; /* ~=1 is not permitted */
    return true;
}

bool spec_valid(Str spec)
{
    bool ok = true;
    for (Clause c; clause_next(&spec, &c, &ok);)
        if (!ok) return false;
    return ok;
}

static Version without_local(Version v)
{
    v.local = (Str){0};
    return v;
}

/* "Version matching" with a trailing .*: the release begins so. Behind a pre- or post-release nothing more may come.
 */
static bool prefix_matches(const Version *prefix, const Version *v)
{
    if (number_cmp(prefix->epoch, v->epoch)) return false;
    if (prefix->pre || prefix->has_post) {
        Version x = without_local(*v);
        x.has_dev = false;
        return version_cmp(prefix, &x) == 0;
    }
    for (Str want = prefix->release, have = v->release; want.n;)
        if (number_cmp(str_cut(want, '.', &want), str_cut(have, '.', &have))) return false;
    return true;
}

/* ~=2.2.1 asks for 2.2.*: the release without its last part. */
static Version compatible_prefix(const Version *v)
{
    return (Version){.epoch = v->epoch, .release = str_slice(v->release, 0, str_rfind(v->release, '.'))};
}

static bool same_release(const Version *a, const Version *b)
{
    return number_cmp(a->epoch, b->epoch) == 0 && release_cmp(a->release, b->release) == 0;
}

static bool equal_matches(const Clause *c, const Version *v)
{
    if (c->prefix) return prefix_matches(&c->v, v);
    Version x = c->v.local.n ? *v : without_local(*v);
    return version_cmp(&x, &c->v) == 0;
}

static bool clause_matches(const Clause *c, const Version *v, Str text)
{
    Version x = without_local(*v), prefix;
    switch (c->op) {
    case SPECOP_SAME_TEXT: return word_cmp(c->text, str_trim(text)) == 0;
    case SPECOP_EQ: return equal_matches(c, v);
    case SPECOP_NE: return !equal_matches(c, v);
    case SPECOP_LE: return version_cmp(&x, &c->v) <= 0;
    case SPECOP_GE: return version_cmp(&x, &c->v) >= 0;
    case SPECOP_LT: /* "Exclusive ordered comparison": <1.7 does not take 1.7rc1 */
        return version_cmp(v, &c->v) < 0 && (version_early(&c->v) || !version_early(v) || !same_release(v, &c->v));
    case SPECOP_GT: /* and >1.7 takes neither 1.7.post1 nor 1.7+local */
        if (version_cmp(v, &c->v) <= 0) return false;
        return !same_release(v, &c->v) || ((c->v.has_post || !v->has_post) && !v->local.n);
    case SPECOP_COMPATIBLE:
        prefix = compatible_prefix(&c->v);
        return version_cmp(&x, &c->v) >= 0 && prefix_matches(&prefix, v);
    default: return false;
    }
}

bool spec_matches(Str spec, Str version)
{
    Version v;
    bool ok = true, readable = version_read(version, &v);
    for (Clause c; clause_next(&spec, &c, &ok);) {
        if (!ok || (!readable && c.op != SPECOP_SAME_TEXT) || !clause_matches(&c, &v, version)) return false;
    }
    return true;
}

/* Does every version that the clause takes come before `first`? */
static bool clause_below(const Clause *c, const Version *first)
{
    Version prefix = c->op == SPECOP_COMPATIBLE ? compatible_prefix(&c->v) : c->v;
    int order = version_cmp(&c->v, first);
    switch (c->op) {
    case SPECOP_LT: return order <= 0;
    case SPECOP_LE: return order < 0;
    case SPECOP_EQ: return order < 0 && (!c->prefix || !prefix_matches(&prefix, first));
    case SPECOP_COMPATIBLE: return order < 0 && !prefix_matches(&prefix, first);
    default: return false;
    }
}

static bool clause_bounds(const Clause *c)
{
    return c->op == SPECOP_GE || c->op == SPECOP_GT || c->op == SPECOP_COMPATIBLE || c->op == SPECOP_EQ;
}

SpecSide spec_side(Str spec, const Version *first)
{
    bool ok = true, bound = false, from = false;
    for (Clause c; clause_next(&spec, &c, &ok);) {
        if (!ok) return SPEC_UNKNOWN;
        if (c.op == SPECOP_SAME_TEXT && !version_read(c.text, &c.v)) return SPEC_UNKNOWN;
        if (c.op == SPECOP_SAME_TEXT) c.op = SPECOP_EQ;
        if (clause_below(&c, first)) return SPEC_BELOW;
        bound |= clause_bounds(&c);
        from |= clause_bounds(&c) && version_cmp(&c.v, first) >= 0;
    }
    return from ? SPEC_FROM : bound ? SPEC_OLDER : SPEC_OPEN;
}

Str spec_exact(Str spec)
{
    bool ok = true;
    Str found = {0};
    for (Clause c; clause_next(&spec, &c, &ok) && ok;)
        if (c.op == SPECOP_SAME_TEXT || (c.op == SPECOP_EQ && !c.prefix)) found = c.text;
    return found;
}

/* ---- names --------------------------------------------------------------------------------------------- */

Str name_normal(Arena *a, Str name)
{
    char *out = arena_new(a, char, name.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        if (!is_separator(name.p[i]))
            out[n++] = at(name, i);
        else if (!n || out[n - 1] != '-')
            out[n++] = '-';
    }
    return (Str){out, n};
}

size_t name_length(Str s)
{
    size_t n = 0;
    if (!s.n || !is_alnum(s.p[0])) return 0;
    while (n < s.n && (is_alnum(s.p[n]) || is_separator(s.p[n]))) n++;
    while (!is_alnum(s.p[n - 1])) n--;
    return n;
}
