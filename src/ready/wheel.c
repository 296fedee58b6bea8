/* Wheel tags: which wheels a free-threaded interpreter takes.
 *
 * A free-threaded CPython 3.N takes cp3N-cp3Nt, cp3M-abi3t for M <= N (from 3.15 on), cp3N-none and py3-none. abi3
 * alone is for interpreters with a GIL only (packaging.tags, cpython_tags). A debug build has a d behind the t,
 * cp314td. */
#include "ready/wheel.h"

/* Takes the part behind the last dash off *s. */
static Str last_field(Str *s)
{
    size_t dash = str_rfind(*s, '-');
    if (dash >= s->n) return (Str){0};
    Str field = str_slice(*s, dash + 1, s->n);
    *s = str_slice(*s, 0, dash);
    return field;
}

bool wheel_tags_read(Str tag, WheelTags *t)
{
    tag = str_trim(tag);
    t->platform = last_field(&tag);
    t->abi = last_field(&tag);
    t->python = tag;
    return t->platform.n && t->abi.n && t->python.n && str_find(tag, '-') == tag.n;
}

bool wheel_name_read(Str file, WheelName *w)
{
    if (!str_ends(file, S(".whl"))) return false;
    file = str_slice(file, 0, file.n - 4);
    w->tags.platform = last_field(&file);
    w->tags.abi = last_field(&file);
    w->tags.python = last_field(&file);
    Str version = last_field(&file);
    size_t dash = str_find(file, '-');
    /* Three fields before the tags: the last one is a build tag, which begins with a digit, as the version does. */
    if (dash < file.n && version.n && version.p[0] >= '0' && version.p[0] <= '9') {
        Str rest = file, before = last_field(&rest);
        if (before.n && before.p[0] >= '0' && before.p[0] <= '9') version = before, file = rest;
    }
    w->name = file;
    w->version = version;
    return w->name.n && w->version.n && w->tags.platform.n && w->tags.abi.n && w->tags.python.n;
}

/* "cp314…" or "py3…": the minor version behind the prefix, and in *rest what follows. -1 when it does not begin so.
 */
static int minor_of(Str tag, Str prefix, Str *rest)
{
    int minor = 0;
    size_t i = prefix.n;
    *rest = (Str){0};
    if (!str_starts(tag, prefix)) return -1;
    for (; i < tag.n && i < prefix.n + 3 && tag.p[i] >= '0' && tag.p[i] <= '9'; i++)
        minor = minor * 10 + (tag.p[i] - '0');
    *rest = str_slice(tag, i, tag.n);
    return i > prefix.n ? minor : -1;
}

/* cp314t, cp314td: the minor version of a free-threaded ABI; -1 for others. */
static int free_threaded_abi(Str abi)
{
    Str rest;
    int minor = minor_of(abi, S("cp3"), &rest);
    return str_is(rest, "t") || str_is(rest, "td") ? minor : -1;
}

/* Does one of the interpreter tags name CPython 3.`minor` itself, or with `older` an older one? */
static bool python_takes(Str set, int minor, bool older)
{
    while (set.n) {
        Str rest, one = str_cut(set, '.', &set);
        int m = minor_of(one, S("cp3"), &rest);
        if (m >= 0 && !rest.n && (m == minor || (older && m < minor))) return true;
    }
    return false;
}

static WheelFit none_fit(const WheelTags *t, int minor)
{
    if (python_takes(t->python, minor, false)) return str_is(t->platform, "any") ? FIT_PURE : FIT_BINARY;
    for (Str set = t->python; set.n;) {
        Str rest, one = str_cut(set, '.', &set);
        int m = minor_of(one, S("py3"), &rest);
        if (str_is(one, "py3") || (m >= 0 && m <= minor)) return str_is(t->platform, "any") ? FIT_PURE : FIT_BINARY;
    }
    return FIT_NONE;
}

WheelFit wheel_fit(const WheelTags *t, int minor)
{
    enum { FIRST_STABLE = 15 }; /* PEP 803 */
    WheelFit best = FIT_NONE;
    for (Str set = t->abi; set.n;) {
        Str abi = str_cut(set, '.', &set);
        WheelFit fit = FIT_NONE;
        if (str_is(abi, "none"))
            fit = none_fit(t, minor);
        else if (str_is(abi, "abi3t") && minor >= FIRST_STABLE && python_takes(t->python, minor, true))
            fit = FIT_STABLE;
        else if (free_threaded_abi(abi) == minor && python_takes(t->python, minor, false))
            fit = FIT_EXACT;
        best = MAX(best, fit);
    }
    return best;
}

bool wheel_free_threaded(const WheelTags *t)
{
    for (Str set = t->abi; set.n;) {
        Str abi = str_cut(set, '.', &set);
        if (str_is(abi, "abi3t") || free_threaded_abi(abi) >= 0) return true;
    }
    return false;
}

bool wheel_extends(const WheelTags *t)
{
    return !str_is(t->abi, "none");
}
