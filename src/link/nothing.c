/* Why a path names no piece of state: what `ungil explain` says of an access that is not followed. */
#include "link/link.h"

static Str root_name(Arena *a, const Facts *f, const Path *x)
{
    if (x->root == ROOT_CALL && x->func < f->calls.n)
        return str_fmt(a, "what %.*s() returns", STR_ARG(path_text(a, f, f->calls.v[x->func].callee)));
    if (x->root == ROOT_SUPER) return S("super()");
    return sym_str(f, x->name);
}

/* The path's first attributes, as text. */
static Str prefix_text(Arena *a, const Facts *f, const Path *x, u32 nattr)
{
    Str s = root_name(a, f, x);
    for (u32 i = 0; i < nattr; i++)
        s = x->attr[i] == SYM_ITEM ? str_fmt(a, "%.*s[…]", STR_ARG(s))
                                   : str_fmt(a, "%.*s.%.*s", STR_ARG(s), STR_ARG(sym_str(f, x->attr[i])));
    return s;
}

static const char *root_hint(const Path *x, u32 nattr)
{
    if (nattr) return "no assignment, annotation or constructor tells it";
    switch (x->root) {
    case ROOT_PARAM: return "it is a parameter without an annotation, and the calls that we see do not tell it";
    case ROOT_LOCAL: return "what is assigned to it does not tell it";
    case ROOT_CALL: return "the function's returns and annotations do not tell it, or its source was not read";
    default: return "nothing tells it";
    }
}

Str path_why_nothing(Arena *a, const Program *p, u32 file, u32 path)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[path];
    if (x->truncated) return S("not analysed: it has more attributes than are followed");
    if (x->root == ROOT_UNKNOWN)
        return S("not analysed: the object is the result of an expression that is not followed");
    if ((x->root == ROOT_LOCAL || x->root == ROOT_PARAM) && !x->nattr)
        return str_fmt(a, "not shared: %.*s is a local name, which no other thread sees",
                       STR_ARG(sym_str(f, x->name)));
    Ent e = path_resolve(p, file, x, x->nattr);
    Str text = prefix_text(a, f, x, x->nattr);
    switch (e.kind) {
    case ENT_FUNC: return str_fmt(a, "no state: %.*s is a function", STR_ARG(text));
    case ENT_CLASS: return str_fmt(a, "no state: %.*s is a class", STR_ARG(text));
    case ENT_MODULE: return str_fmt(a, "no state: %.*s is a module", STR_ARG(text));
    case ENT_INSTANCE:
        return str_fmt(a, "no state: %.*s is an object of %.*s; what its methods do is judged there", STR_ARG(text),
                       STR_ARG(class_display(a, p, e.id)));
    case ENT_EXTERNAL:
        return str_fmt(a, "not analysed: %.*s belongs to code that was not read, whose own locking is its own affair",
                       STR_ARG(p->syms.strs[e.id]));
    default: break;
    }
    for (u32 n = 0; n < x->nattr; n++) { /* the first step that leads nowhere */
        if (path_resolve(p, file, x, n + 1).kind != ENT_NONE) continue;
        Ent owner = path_resolve(p, file, x, n);
        Str of = prefix_text(a, f, x, n);
        Type t = ent_type(p, owner);
        if (t.kind == TYPE_UNKNOWN || t.kind == TYPE_NONE)
            return str_fmt(a, "not analysed: the type of %.*s is unknown: %s", STR_ARG(of), root_hint(x, n));
        if (t.kind == TYPE_EXTERNAL)
            return str_fmt(a, "not analysed: %.*s is an object of %.*s, whose code was not read", STR_ARG(of),
                           STR_ARG(p->syms.strs[t.id]));
        if (x->attr[n] == SYM_ITEM)
            return str_fmt(a, "not analysed: the type of what %.*s holds is unknown", STR_ARG(of));
        return str_fmt(a, "no state: %.*s is a %s, whose attributes are no state of this program", STR_ARG(of),
                       type_name[t.kind]);
    }
    return str_fmt(a, "not shared: %.*s is a local value, which no other thread sees", STR_ARG(text));
}
