/* Call edges without a call: with obj enters and leaves, a property calls its getter or its setter, obj[k], k in obj,
 * len(obj), next(obj), str(obj), an f-string and a loop over obj call the methods that the data model (Python
 * reference, section 3.3) names for them. Whoever calls a decorated function calls the wrapper that its decorator put
 * in its place: an edge from the function to the wrapper leads there, too. It says nothing about locks, which the
 * wrapper holds and not its caller.
 *
 * Needs the types of receivers. Not followed: arithmetic, comparison, conversion to numbers; such methods seldom hold
 * state. Nor is text that is made elsewhere, by print() or logging. */
#include "link/link.h"

static void edge_at(Program *p, u32 file, u32 func, u32 callee, u32 at)
{
    edge_add(p, gfunc_of(p, file, func), callee, file, NONE)->at = at;
}

static void edge_to(Program *p, u32 file, u32 func, u32 cls, const char *name, u32 at)
{
    u32 m = method_by_name(p, cls, name);
    if (m != NONE) edge_at(p, file, func, m, at);
}

static void managers(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->sections.n; i++) {
        const Section *s = &f->sections.v[i];
        Type t = s->call != NONE ? call_type(p, file, s->call) : path_type(p, file, s->path);
        if (t.kind != TYPE_CLASS) continue;
        edge_to(p, file, s->func, t.id, "__enter__", s->stmt);
        edge_to(p, file, s->func, t.id, "__exit__", s->stmt);
    }
}

/* The method that the operation calls on an object of a class of the program, or NULL. */
static const char *method_for(const Facts *f, const Access *a)
{
    switch (a->op) {
    case OP_ITEM_LOAD: return "__getitem__";
    case OP_ITEM_AUG:
    case OP_ITEM_STORE: return "__setitem__";
    case OP_ITEM_DEL: return "__delitem__";
    case OP_CONTAINS: return "__contains__";
    case OP_ITER: return "__iter__";
    case OP_CREAD:
        if (str_is(sym_str(f, a->method), "next")) return "__next__";
        if (str_is(sym_str(f, a->method), "len")) return "__len__";
        return str_is(sym_str(f, a->method), "list") ? "__iter__" : NULL;
    default: return NULL;
    }
}

/* str(obj), repr(obj), f"{obj}", f"{obj!r}": the first of these methods that the class has. */
static void text_of(Program *p, u32 file, const Access *a)
{
    const Facts *f = p->facts[file];
    Str text = f->source->text, reader = a->op == OP_CREAD ? sym_str(f, a->method) : S("");
    bool braces = a->op == OP_LOAD && a->span.start && text.p[a->span.start - 1] == '{' && a->span.end < text.n &&
                  (text.p[a->span.end] == '}' || text.p[a->span.end] == ':' || text.p[a->span.end] == '!');
    if (!braces && !str_is(reader, "str") && !str_is(reader, "repr")) return;
    Type t = path_type(p, file, a->path);
    if (t.kind != TYPE_CLASS) return;
    static const char *const methods[] = {"__format__", "__str__", "__repr__"};
    bool repr = str_is(reader, "repr") || (braces && text.p[a->span.end] == '!');
    for (u32 i = repr ? 2 : braces ? 0 : 1; i < COUNT_OF(methods); i++) {
        if (method_by_name(p, t.id, methods[i]) == NONE) continue;
        edge_to(p, file, a->func, t.id, methods[i], a->span.start);
        return;
    }
}

static void operations(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->accesses.n; i++) {
        const Access *a = &f->accesses.v[i];
        text_of(p, file, a);
        const char *name = method_for(f, a);
        Type t = name ? path_type(p, file, a->path) : (Type){.kind = TYPE_UNKNOWN};
        if (t.kind != TYPE_CLASS) continue;
        edge_to(p, file, a->func, t.id, name, a->span.start);
        if (a->op == OP_ITEM_AUG) edge_to(p, file, a->func, t.id, "__getitem__", a->span.start);
        if (a->op == OP_ITEM_LOAD || a->op == OP_ITEM_AUG)
            edge_to(p, file, a->func, t.id, "__missing__", a->span.start);
        if (a->op == OP_ITER) edge_to(p, file, a->func, t.id, "__next__", a->span.start);
    }
}

/* "x" in self.__dict__ is no use of a property x; it counts as hasattr(self, "x") beside the question itself. */
static bool asks_dict(const Facts *f, u32 access)
{
    const Access *a = &f->accesses.v[access], *b = a + 1;
    return a->op == OP_HASATTR && access + 1 < f->accesses.n && b->op == OP_CONTAINS &&
           a->span.start == b->span.start && a->span.end == b->span.end;
}

static void properties(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->accesses.n; i++) {
        const Access *a = &f->accesses.v[i];
        const Path *x = &f->paths.v[a->path];
        if (!x->nattr || (x->root != ROOT_SELF && x->root != ROOT_LOCAL && x->root != ROOT_GLOBAL)) continue;
        Ent e = path_entity(p, file, a->path);
        if (e.kind != ENT_FUNC || asks_dict(f, i)) continue;
        GId g = func_gid(p, e.id);
        u32 attr = x->attr[x->nattr - 1];
        bool named = e.recv != NONE && attr != SYM_ITEM;
        u32 setter = named ? class_setter(p, e.recv, gsym(p, file, attr)) : NONE;
        if (setter != NONE && (a->op == OP_STORE || a->op == OP_AUG))
            edge_at(p, file, a->func, setter, a->span.start);
        const Func *getter = &p->facts[g.file]->funcs.v[g.id];
        bool made = named && !str_eq(sym_str(p->facts[g.file], getter->name), sym_str(f, attr)); /* property(get_x) */
        if (a->op != OP_STORE && (setter != NONE || getter->is_property || made))
            edge_at(p, file, a->func, e.id, a->span.start);
    }
}

/* Does anything but the __getattr__ give objects of the class the attribute? */
static bool given_elsewhere(Program *p, u32 cls, u32 gs, u32 getter)
{
    const LinkState *s = p->state;
    if (class_method(p, cls, gs, false) != NONE) return true;
    Ent e = ent_attr(p, (Ent){ENT_INSTANCE, cls, NONE, NONE}, gs);
    if (e.kind != ENT_PLACE) return e.kind != ENT_NONE;
    for (u32 at = map_get(&s->place_defs, e.id); at != NONE; at = s->defrefs.v[at].next) {
        const DefRef *d = &s->defrefs.v[at];
        if (gfunc_of(p, d->file, p->facts[d->file]->defs.v[d->def].func) != getter) return true;
    }
    return false;
}

/* o.x, o.x(), where nothing in sight gives objects of the class an x: its __getattr__ does. */
static void missing_attribute(Program *p, u32 file, const Access *a, u32 nattr, u32 attr)
{
    const Facts *f = p->facts[file];
    if (attr == SYM_ITEM || str_starts(sym_str(f, attr), S("__"))) return;
    Type t = ent_type(p, path_resolve(p, file, &f->paths.v[a->path], nattr));
    u32 getter = t.kind == TYPE_CLASS ? method_by_name(p, t.id, "__getattr__") : NONE;
    if (getter != NONE && !given_elsewhere(p, t.id, gsym(p, file, attr), getter))
        edge_at(p, file, a->func, getter, a->span.start);
}

static void missing_attributes(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->accesses.n; i++) {
        const Access *a = &f->accesses.v[i];
        const Path *x = &f->paths.v[a->path];
        bool binds = a->op == OP_STORE || a->op == OP_DEL || a->op == OP_HASATTR;
        if (binds || (x->root != ROOT_GLOBAL && x->root != ROOT_LOCAL && x->root != ROOT_PARAM)) continue;
        if (x->nattr) missing_attribute(p, file, a, x->nattr - 1u, x->attr[x->nattr - 1]);
        if (a->op == OP_METHOD) missing_attribute(p, file, a, x->nattr, a->method);
    }
}

/* Is the function made by the decorator `d` of its file, or by what this factory makes, and does it call what it
 * wraps? */
static bool wraps_for(const Facts *f, u32 w, u32 d)
{
    const Func *fn = &f->funcs.v[w];
    u32 maker = fn->parent;
    if (!maker || (maker != d && f->funcs.v[maker].parent != d)) return false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *x = &f->paths.v[f->calls.v[i].callee];
        if (x->root == ROOT_PARAM && !x->nattr && x->func == maker) return true;
    }
    return false;
}

static void wrapper_edge(Program *p, u32 file, u32 func, u32 wrapper)
{
    edge_add(p, gfunc_of(p, file, func), wrapper, file, NONE)->passed = true;
}

static void wrappers(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 func = 1; func < f->funcs.n; func++) {
        const Func *fn = &f->funcs.v[func];
        for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++) {
            Ent e = path_entity(p, file, f->decorators.v[i]);
            u32 call = e.kind == ENT_CLASS ? method_by_name(p, e.id, "__call__") : NONE;
            if (call != NONE) wrapper_edge(p, file, func, call);
            if (e.kind != ENT_FUNC) continue;
            GId d = func_gid(p, e.id);
            const Facts *df = p->facts[d.file];
            for (u32 w = d.id + 1; w < df->funcs.n; w++)
                if (wraps_for(df, w, d.id)) wrapper_edge(p, file, func, gfunc_of(p, d.file, w));
        }
    }
}

void implicit_edges(Program *p, u32 file)
{
    wrappers(p, file);
    managers(p, file);
    operations(p, file);
    properties(p, file);
    if (intern_find(&p->syms, S("__getattr__")) != NONE) missing_attributes(p, file);
}
