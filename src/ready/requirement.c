/* Requirements as text: name, extras, specifier or URL; and the constraints of Poetry. */
#include "ready/requirement.h"
#include "ready/version.h"

/* Takes [extras] off the start of *s. False when the bracket is not closed. */
static bool extras_skip(Str *s)
{
    *s = str_trim(*s);
    if (!str_starts(*s, S("["))) return true;
    size_t end = str_find(*s, ']');
    if (end == s->n) return false;
    *s = str_trim(str_slice(*s, end + 1, s->n));
    return true;
}

bool requirement_read(Str text, Requirement *r, Err *e)
{
    *r = (Requirement){0};
    Str rest = str_trim(text);
    size_t n = name_length(rest);
    if (!n) return err_set(e, "a requirement begins with the name of a package");
    r->name = str_slice(rest, 0, n);
    rest = str_slice(rest, n, rest.n);
    if (!extras_skip(&rest)) return err_set(e, "the extras of %.*s have no closing bracket", STR_ARG(r->name));
    if (str_starts(rest, S("@"))) {
        rest = str_trim(str_slice(rest, 1, rest.n));
        size_t end = str_search(rest, S(" ;")); /* a URL may hold semicolons */
        r->url = str_trim(str_slice(rest, 0, end));
        r->marker = str_trim(str_slice(rest, end + 2, rest.n));
        return r->url.n || err_set(e, "behind the @ of %.*s stands no address", STR_ARG(r->name));
    }
    r->spec = str_trim(str_cut(rest, ';', &r->marker));
    r->marker = str_trim(r->marker);
    if (str_starts(r->spec, S("(")) && str_ends(r->spec, S(")"))) r->spec = str_slice(r->spec, 1, r->spec.n - 1);
    if (!spec_valid(r->spec))
        return err_set(e, "'%.*s' is no version specifier (PEP 440)", (int)MIN(r->spec.n, (size_t)80), r->spec.p);
    return true;
}

/* ---- Poetry -------------------------------------------------------------------------------------------- */

/* The release with the part `keep` (from 0) raised by one and nothing behind it: the end of ^ and ~. */
static Str release_above(Arena *a, const Version *v, u32 keep)
{
    Buf b = {0};
    Str rest = v->release;
    for (u32 i = 0; i <= keep; i++) {
        Str part = str_cut(rest, '.', &rest);
        unsigned long long n = strtoull(str_c(a, part), NULL, 10);
        buf_fmt(&b, "%s%llu", i ? "." : "", n + (i == keep));
    }
    Str s = str_dup(a, buf_view(&b));
    buf_free(&b);
    return s;
}

/* Which part ^ raises: the first that is not zero, else the last. */
static u32 caret_part(const Version *v)
{
    u32 i = 0;
    for (Str rest = v->release; rest.n; i++) {
        Str part = str_cut(rest, '.', &rest);
        for (size_t k = 0; k < part.n; k++)
            if (part.p[k] != '0') return i;
        if (!rest.n) return i;
    }
    return i;
}

static bool clause_put(Arena *a, Buf *out, Str one)
{
    Version v;
    if (str_is(one, "*")) return true;
    if (out->n) buf_char(out, ',');
    bool caret = str_starts(one, S("^")), tilde = str_starts(one, S("~")) && !str_starts(one, S("~="));
    if (caret || tilde) {
        Str text = str_trim(str_slice(one, 1, one.n));
        if (!version_read(text, &v)) return false;
        u32 part = caret ? caret_part(&v) : str_find(v.release, '.') < v.release.n;
        Str end = release_above(a, &v, part);
        buf_fmt(out, ">=%.*s,<%.*s", STR_ARG(text), STR_ARG(end));
        return true;
    }
    bool bare = one.n && ((one.p[0] >= '0' && one.p[0] <= '9') || one.p[0] == 'v');
    buf_fmt(out, "%s%.*s", bare ? "==" : "", STR_ARG(one));
    return true;
}

bool poetry_spec(Arena *a, Str constraint, Str *spec)
{
    Buf out = {0};
    bool ok = !str_contains(constraint, S("|"));
    for (Str rest = constraint; ok && rest.n;) {
        Str one = str_trim(str_cut(rest, ',', &rest));
        ok = one.n && clause_put(a, &out, one);
    }
    *spec = str_dup(a, buf_view(&out));
    buf_free(&out);
    return ok && spec_valid(*spec);
}
