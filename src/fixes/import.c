/* How a file names a library's object: `threading.Lock`, `Lock`, `th.Lock`, or an import that must be
 * added.
 *
 * Only imports that are plain statements of the module count: one inside a function, a try or an if may
 * not have run. When the module's own name is taken for something else in the file (a variable called
 * queue), the new import gets an alias with an underscore. */
#include "fixes/fixes.h"

bool name_used(const Facts *f, Str name)
{
    Str rest = f->source->text;
    for (size_t at; (at = str_search(rest, name)) < rest.n; rest = str_slice(rest, at + name.n, rest.n)) {
        bool before = rest.p + at > f->source->text.p && is_word_char(rest.p[at - 1]);
        bool after = at + name.n < rest.n && is_word_char(rest.p[at + name.n]);
        if (!before && !after) return true;
    }
    return false;
}

bool name_bound(const Facts *f, Str name, Str module)
{
    u32 sym = intern_find(&f->syms, name);
    if (sym == NONE) return false;
    for (u32 i = 0; i < f->defs.n; i++) {
        if (f->defs.v[i].path == NONE) continue;
        const Path *p = &f->paths.v[f->defs.v[i].path];
        if (p->nattr == 0 && p->name == sym && p->root != ROOT_UNKNOWN) return true;
    }
    for (u32 i = 0; i < f->params.n; i++)
        if (f->params.v[i].name == sym) return true;
    for (u32 i = 0; i < f->funcs.n; i++)
        if (f->funcs.v[i].name == sym && f->funcs.v[i].cls == NONE) return true;
    for (u32 i = 0; i < f->classes.n; i++)
        if (f->classes.v[i].name == sym) return true;
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *m = &f->imports.v[i];
        if (m->local == sym && !str_eq(sym_str(f, m->module), module)) return true;
    }
    return false;
}

bool import_at_top(const Ast *t, const Import *m)
{
    Span span = m->span;
    for (u32 c = t->v[0].child; c != NONE; c = t->v[c].next)
        if (t->v[c].start <= span.start && span.end <= t->v[c].end) {
            u8 k = t->v[c].kind;
            return k == NODE_import_statement || k == NODE_import_from_statement;
        }
    return false;
}

static bool found(Arena *a, const Facts *f, const Ast *t, Str module, Str name, ImportRef *out)
{
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *m = &f->imports.v[i];
        if (m->level || m->star || m->typing || m->func != 0 || !str_eq(sym_str(f, m->module), module)) continue;
        bool whole = m->name == SYM_EMPTY, this_name = !whole && str_eq(sym_str(f, m->name), name);
        if ((!whole && !this_name) || !import_at_top(t, m)) continue;
        Str local = sym_str(f, m->local);
        if (whole && str_contains(module, S(".")) && !str_eq(local, module)) continue; /* import a.b binds a */
        if (name_bound(f, local, module)) continue;
        out->text = whole && name.n ? str_fmt(a, "%.*s.%.*s", STR_ARG(local), STR_ARG(name)) : local;
        out->have = true;
        out->end = m->span.end;
        return true;
    }
    return false;
}

/* Does the file import other names from the module, and may this one be among them? */
static bool names_others(const Facts *f, const Ast *t, Str module, Str name)
{
    for (u32 i = 0; name.n && i < f->imports.n; i++) {
        const Import *m = &f->imports.v[i];
        if (m->level || m->star || m->typing || m->func != 0 || m->name == SYM_EMPTY) continue;
        if (str_eq(sym_str(f, m->module), module) && import_at_top(t, m))
            return !name_bound(f, name, module) && !name_used(f, name);
    }
    return false;
}

/* from threading import Lock as _Lock, Thread as _Thread: do all names that the file has from the module begin so? */
static bool names_hidden(const Facts *f, Str module)
{
    u32 hidden = 0;
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *m = &f->imports.v[i];
        if (m->level || m->func != 0 || !str_eq(sym_str(f, m->module), module)) continue;
        if (m->star || !str_starts(sym_str(f, m->local), S("_"))) return false;
        hidden++;
    }
    return hidden > 0;
}

ImportRef import_ref(Arena *a, const Facts *f, const Ast *t, Str module, Str name, bool from_style)
{
    ImportRef r = {.module = module};
    if (found(a, f, t, module, name, &r)) return r;
    from_style = from_style || names_others(f, t, module, name);
    Str bound = from_style ? name : module;
    bool taken = name_bound(f, bound, module) || (from_style && name_used(f, bound));
    taken |= from_style && names_hidden(f, module) && !name_used(f, str_fmt(a, "_%.*s", STR_ARG(bound)));
    Str local = taken ? str_fmt(a, "_%.*s", STR_ARG(bound)) : bound;
    Str as = taken ? str_fmt(a, " as %.*s", STR_ARG(local)) : S("");
    if (from_style) {
        r.text = local;
        r.statement = str_fmt(a, "from %.*s import %.*s%.*s", STR_ARG(module), STR_ARG(name), STR_ARG(as));
    } else {
        r.text = name.n ? str_fmt(a, "%.*s.%.*s", STR_ARG(local), STR_ARG(name)) : local;
        r.statement = str_fmt(a, "import %.*s%.*s", STR_ARG(module), STR_ARG(as));
    }
    return r;
}
