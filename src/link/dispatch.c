/* Call edges by a part of a name: getattr(self, f"do_{command}"), getattr(self.shell, "do_" + command, None) lead to
 * every method of the object's class, and of classes derived from it, whose name begins so. The name may be kept in a
 * local first. Whoever asks for a method like that calls it, then and there as a rule. Which of them is not known, so
 * that no order of locks is told from such an edge.
 *
 * Not seen: names that begin with what is not written down, those that are made elsewhere, and what comes after the
 * first MOST edges of a file. */
#include "link/link.h"

enum { SHORTEST = 3, FAMILY = 6, MOST = 1 << 16 }; /* of what a name begins with, in bytes; levels of subclasses */

/* What the text of an expression that makes a name begins with: do_ of f"do_{x}", "do_" + x, "do_%s" % x and
 * "do_{}".format(x). Empty where that is not known, or is the whole name. */
static Str made_name(Str text)
{
    text = str_trim(text);
    bool f = text.n && (text.p[0] == 'f' || text.p[0] == 'F');
    if (f) text = str_slice(text, 1, text.n);
    if (text.n < 2 || (text.p[0] != '"' && text.p[0] != '\'')) return S("");
    Str rest = str_slice(text, 1, text.n);
    size_t n = 0;
    while (n < rest.n && is_word_char(rest.p[n])) n++;
    Str name = str_slice(rest, 0, n), after = str_slice(rest, n, rest.n);
    if (!after.n || name.n < SHORTEST) return S("");
    if (f) return after.p[0] == '{' ? name : S("");
    if (after.p[0] == '%' || str_starts(after, S("{}"))) return name;
    bool ends = after.p[0] == text.p[0];
    after = str_trim(str_slice(after, 1, after.n));
    return ends && after.n && after.p[0] == '+' ? name : S("");
}

/* name = f"do_{command}": the text that is assigned to a local, to the end of its line. */
static Str assigned_text(const Facts *f, const Def *d)
{
    Str rest = str_trim(str_slice(f->source->text, d->span.end, d->span.end + 200)), line;
    if (!rest.n || rest.p[0] != '=') return S("");
    rest = str_slice(rest, 1, rest.n);
    return str_line(&rest, &line) ? line : S("");
}

static void class_edges(Program *p, u32 file, const Call *c, u32 cls, Str name, u32 depth)
{
    const ClassInfo *k = &p->state->classes[cls];
    GId g = class_gid(p, cls);
    const Facts *f = p->facts[g.file];
    for (u32 i = 1; i < f->funcs.n; i++)
        if (f->funcs.v[i].cls == g.id && !f->funcs.v[i].is_lambda &&
            str_starts(sym_str(f, f->funcs.v[i].name), name)) {
            CallEdge *e = edge_add(p, gfunc_of(p, file, c->func), gfunc_of(p, g.file, i), file, NONE);
            e->at = c->span.start;
            e->guess = true;
        }
    for (u32 i = 0; i < k->subs.n && depth; i++) class_edges(p, file, c, k->subs.v[i], name, depth - 1);
}

/* In the class, what derives from it, and its bases. */
static void family_edges(Program *p, u32 file, const Call *c, u32 cls, Str name)
{
    u32 up[FAMILY], n = 0;
    for (u32 at = cls; n < FAMILY; at = p->state->classes[at].bases.v[0]) {
        up[n++] = at;
        if (!p->state->classes[at].bases.n) break;
    }
    class_edges(p, file, c, cls, name, FAMILY);
    for (u32 i = 1; i < n; i++) class_edges(p, file, c, up[i], name, 0);
}

static void local_edges(Program *p, u32 file, const Call *c, const Path *x, u32 cls)
{
    const Facts *f = p->facts[file];
    u32 at = map_get(&p->state->local_defs, local_key(file, x->func, x->name));
    for (; at != NONE; at = p->state->defrefs.v[at].next) {
        Str name = made_name(assigned_text(f, &f->defs.v[p->state->defrefs.v[at].def]));
        if (name.n) family_edges(p, file, c, cls, name);
    }
}

void dispatch_edges(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    u32 getattr = intern_find(&f->syms, S("getattr")), before = p->edges.n;
    for (u32 i = 0; i < f->calls.n && getattr != NONE && p->edges.n - before < MOST; i++) {
        const Call *c = &f->calls.v[i];
        const Path *x = &f->paths.v[c->callee];
        if (x->root != ROOT_GLOBAL || x->nattr || x->name != getattr || c->nargs < 2) continue;
        const Arg *object = &f->args.v[c->args], *name = object + 1;
        if (object->kind != VAL_PATH || object->star || name->star || name->keyword != SYM_EMPTY) continue;
        const Path *self = &f->paths.v[object->value];
        bool own = self->root == ROOT_SELF && !self->nattr;
        Type t = own ? (Type){0} : path_type(p, file, object->value);
        u32 cls = own ? root_class(p, file, self) : t.kind == TYPE_CLASS ? t.id : NONE;
        if (cls == NONE) continue;
        const Path *local = name->kind == VAL_PATH ? &f->paths.v[name->value] : NULL;
        Str made = local ? S("") : made_name(str_slice(f->source->text, name->span.start, name->span.end));
        if (made.n) family_edges(p, file, c, cls, made);
        if (local && local->root == ROOT_LOCAL && !local->nattr) local_edges(p, file, c, local, cls);
    }
}
