/* From a path to the thing it names: module, class, function, place, object of a class, or something external. */
#include "link/link.h"

static const Ent nothing = {ENT_NONE, NONE, NONE, NONE};

u32 root_class(const Program *p, u32 file, const Path *x)
{
    if (x->root != ROOT_SELF && x->root != ROOT_CLS && x->root != ROOT_SUPER) return NONE;
    if (x->func == NONE) return NONE;
    return gclass_of(p, file, p->facts[file]->funcs.v[x->func].cls);
}

static Ent class_attr_find(const Program *p, u32 cls, u32 gs, bool on_instance, bool skip_self)
{
    LinkState *s = p->state;
    u32 m = class_method(p, cls, gs, skip_self);
    u32 bits, owner = class_attr_owner(p, cls, gs, &bits);
    if (m == NONE && owner == NONE && on_instance) {
        m = skip_self ? NONE : class_completed_by(p, cls, gs, true);
        u32 other = m == NONE ? class_completed_by(p, cls, gs, false) : NONE;
        if (other != NONE) owner = class_attr_owner(p, other, gs, &bits);
    }
    if (m != NONE && !(owner != NONE && bits & ATTR_SELF)) return (Ent){ENT_FUNC, m, NONE, cls};
    u32 nested = map_get(&s->classes[cls].nested, gs);
    if (nested != NONE) return (Ent){ENT_CLASS, nested, NONE, NONE};
    if (s->classes[cls].thread_local_) return nothing;
    if (owner == NONE) {
        /* never assigned where we can see it: an attribute of the object all the same (a base we have no source of)
         */
        if (s->classes[cls].ext_bases.n == 0 && !on_instance) return nothing;
        owner = cls;
    }
    u32 ofile;
    program_class(p, owner, &ofile);
    bool shared = bits & ATTR_CLS || (bits & ATTR_BODY && !(bits & (ATTR_SELF | ATTR_FIELD)));
    bool plain = bits == (ATTR_BODY | ATTR_FIELD | ATTR_PLAIN); /* C.limit is o.limit: nobody assigns it */
    bool of_class = shared || !(on_instance || plain);
    return (Ent){ENT_PLACE, place_of(p, of_class ? PLACE_CLASS_ATTR : PLACE_INSTANCE, ofile, owner, gs), NONE, NONE};
}

/* Found once: the same attribute of self is asked for in method after method, and each time its class and all bases
 * would be searched. */
static Ent class_attr(const Program *p, u32 cls, u32 gs, bool on_instance, bool skip_self)
{
    LinkState *s = p->state;
    if (!s->classes_known) return class_attr_find(p, cls, gs, on_instance, skip_self);
    u64 key = map_key(cls << 2 | (on_instance ? 2u : 0) | skip_self, gs);
    u32 at = map_get(&s->class_ents, key);
    if (at != NONE) return s->ents.v[at];
    Ent e = class_attr_find(p, cls, gs, on_instance, skip_self);
    vec_push(s->a, &s->ents, e);
    map_put(s->a, &s->class_ents, key, s->ents.n - 1);
    return e;
}

/* A name of a module, or a module below it. */
static Ent module_attr(const Program *p, u32 file, u32 gs)
{
    Ent r = module_lookup(p, file, gs, 0);
    if (r.kind != ENT_NONE) return r;
    Str m = p->facts[file]->source->module;
    u32 sub = module_find(p, str_dot(p->arena, m, p->syms.strs[gs]));
    return sub == NONE ? nothing : (Ent){ENT_MODULE, sub, NONE, NONE};
}

static Ent dotted_attr(const Program *p, u32 dotted_sym, u32 gs)
{
    Str dotted = str_dot(p->arena, p->syms.strs[dotted_sym], p->syms.strs[gs]);
    u32 file = module_find(p, dotted);
    return file != NONE ? (Ent){ENT_MODULE, file, NONE, NONE} : ent_external(p, dotted);
}

/* Each answer is found once: the dotted names made on the way would pile up otherwise. */
static Ent attr_once(const Program *p, Map *known, u32 id, u32 gs, Ent (*find)(const Program *, u32, u32))
{
    LinkState *s = p->state;
    u32 at = map_get(known, map_key(id, gs));
    if (at != NONE) return s->ents.v[at];
    Ent e = find(p, id, gs);
    vec_push(s->a, &s->ents, e);
    map_put(s->a, known, map_key(id, gs), s->ents.n - 1);
    return e;
}

Ent ent_attr(const Program *p, Ent e, u32 gs)
{
    if (gs == SYM_ITEM) return nothing;
    switch (e.kind) {
    case ENT_MODULE: return attr_once(p, &p->state->module_ents, e.id, gs, module_attr);
    case ENT_CLASS: return class_attr(p, e.id, gs, false, false);
    case ENT_INSTANCE: return class_attr(p, e.id, gs, true, e.sym == 1);
    case ENT_EXTERNAL: return attr_once(p, &p->state->dotted_ents, e.id, gs, dotted_attr);
    case ENT_PLACE:
    case ENT_LOCAL: {
        Type t = ent_type(p, e);
        if (t.kind == TYPE_CLASS) return ent_attr(p, (Ent){ENT_INSTANCE, t.id, NONE, NONE}, gs);
        if (t.kind == TYPE_CLASS_OBJECT) return ent_attr(p, (Ent){ENT_CLASS, t.id, NONE, NONE}, gs);
        if (t.kind == TYPE_MODULE) return ent_attr(p, (Ent){ENT_MODULE, t.id, NONE, NONE}, gs);
        return e.kind == ENT_PLACE ? holder_attr(p, e.id, t, gs) : nothing;
    }
    case ENT_FUNC: {
        /* a property stands for what it returns */
        GId g = func_gid(p, e.id);
        const Func *f = &p->facts[g.file]->funcs.v[g.id];
        if (!f->is_property) return func_attr(p, e.id, gs);
        Type t = ent_type(p, e);
        return t.kind == TYPE_CLASS ? ent_attr(p, (Ent){ENT_INSTANCE, t.id, NONE, NONE}, gs) : nothing;
    }
    default: return nothing;
    }
}

/* A local that is a function, class or import of its own function. */
static Ent local_entity(const Program *p, u32 file, const Path *x)
{
    const Facts *f = p->facts[file];
    u32 at = map_get(&p->state->local_defs, local_key(file, x->func, x->name));
    for (; at != NONE; at = p->state->defrefs.v[at].next) {
        const Def *d = &f->defs.v[p->state->defrefs.v[at].def];
        if (d->kind == VAL_FUNC) return (Ent){ENT_FUNC, gfunc_of(p, file, d->value), NONE, NONE};
        if (d->kind == VAL_CLASS) return (Ent){ENT_CLASS, gclass_of(p, file, d->value), NONE, NONE};
    }
    u32 import = map_get(&p->state->local_imports, local_key(file, x->func, x->name));
    if (import != NONE) return import_target(p, file, &f->imports.v[import], 0);
    return (Ent){ENT_LOCAL, gfunc_of(p, file, x->func), x->name, NONE};
}

/* What a module-level name, or one that nothing binds, is: a builtin in the end. Names are asked for far more often
 * than there are any, and each answer takes two or three searches. */
static Ent global_entity(const Program *p, u32 file, u32 sym)
{
    LinkState *s = p->state;
    u32 *at = &s->root_ents[file][sym];
    if (*at) return s->ents.v[*at - 1];
    Ent e = module_lookup(p, file, gsym(p, file, sym), 0);
    if (e.kind == ENT_NONE) e = ent_external(p, sym_str(p->facts[file], sym));
    vec_push(s->a, &s->ents, e);
    *at = s->ents.n;
    return e;
}

static Ent root_entity(const Program *p, u32 file, const Path *x)
{
    switch (x->root) {
    case ROOT_GLOBAL: return global_entity(p, file, x->name);
    case ROOT_SELF: {
        u32 c = root_class(p, file, x);
        return c == NONE ? nothing : (Ent){ENT_INSTANCE, c, NONE, NONE};
    }
    case ROOT_CLS: {
        u32 c = root_class(p, file, x);
        return c == NONE ? nothing : (Ent){ENT_CLASS, c, NONE, NONE};
    }
    case ROOT_SUPER: {
        u32 c = root_class(p, file, x);
        return c == NONE ? nothing : (Ent){ENT_INSTANCE, c, 1, NONE};
    }
    case ROOT_CLASS: /* what the body gives to a field, the objects have */
        return class_attr(p, gclass_of(p, file, x->func), gsym(p, file, x->name), true, false);
    case ROOT_LOCAL: return local_entity(p, file, x);
    case ROOT_PARAM: return (Ent){ENT_LOCAL, gfunc_of(p, file, x->func), x->name, NONE};
    case ROOT_CALL: {
        Type t = call_type(p, file, x->func);
        if (t.kind == TYPE_CLASS) return (Ent){ENT_INSTANCE, t.id, NONE, NONE};
        if (t.kind == TYPE_MODULE) return (Ent){ENT_MODULE, t.id, NONE, NONE};
        return nothing;
    }
    default: return nothing;
    }
}

/* An attribute of an object of unknown type, or of some function. */
static Ent attr_by_name(const Program *p, u32 file, const Path *x, Ent e, u32 attr)
{
    u8 type = e.kind == ENT_PLACE || e.kind == ENT_LOCAL ? ent_type(p, e).kind : TYPE_NONE;
    if (type != TYPE_UNKNOWN && type != TYPE_FUNC) return nothing;
    u32 owner = type == TYPE_UNKNOWN ? owner_by_name(p, file, x, attr) : NONE;
    if (owner != NONE) return class_attr(p, owner, gsym(p, file, attr), true, false);
    u32 held = held_by_name(p, file, attr);
    return held == NONE ? nothing : (Ent){ENT_INSTANCE, held, NONE, NONE};
}

static Ent resolve(const Program *p, u32 file, const Path *x, u32 nattr)
{
    Ent e = root_entity(p, file, x);
    for (u32 i = 0; i < nattr && e.kind != ENT_NONE; i++) {
        if (x->attr[i] != SYM_ITEM) {
            Ent known = ent_attr(p, e, gsym(p, file, x->attr[i]));
            e = known.kind != ENT_NONE ? known : attr_by_name(p, file, x, e, x->attr[i]);
            continue;
        }
        Type t = element_type(p, file, e);
        e = t.kind == TYPE_CLASS          ? (Ent){ENT_INSTANCE, t.id, NONE, NONE}
            : t.kind == TYPE_CLASS_OBJECT ? (Ent){ENT_CLASS, t.id, NONE, NONE}
                                          : nothing;
        u32 next = t.kind == TYPE_UNKNOWN && i + 1 < nattr ? x->attr[i + 1] : SYM_ITEM;
        u32 owner = next == SYM_ITEM ? NONE : owner_by_name(p, file, x, next);
        if (owner == NONE) continue;
        e = class_attr(p, owner, gsym(p, file, next), true, false); /* for o in objects: o._name */
        i++;
    }
    return e;
}

/* Where the answer is kept; NULL when it is not: paths made up by others, types still open. */
static u32 *path_slot(const Program *p, u32 file, const Path *x, u32 nattr)
{
    LinkState *s = p->state;
    if (!s->path_ents || s->depth) return NULL;
    const Facts *f = p->facts[file];
    if (x < f->paths.v || x >= f->paths.v + f->paths.n || x->nattr - nattr >= PATH_MEMO) return NULL;
    return &s->path_ents[(s->path_base[file] + (u32)(x - f->paths.v)) * PATH_MEMO + (x->nattr - nattr)];
}

Ent path_resolve(const Program *p, u32 file, const Path *x, u32 nattr)
{
    if (x->truncated && nattr == x->nattr) return nothing;
    u32 *slot = path_slot(p, file, x, nattr);
    if (slot && *slot == NONE) return nothing;
    if (slot && *slot) return p->state->ents.v[*slot - 1];
    Ent e = resolve(p, file, x, nattr);
    if (!slot) return e;
    if (e.kind == ENT_NONE) { /* so are most of those that are asked for */
        *slot = NONE;
        return nothing;
    }
    vec_push(p->state->a, &p->state->ents, e);
    *slot = p->state->ents.n;
    return e;
}

static u32 count_paths(const Facts *f)
{
    return f->paths.n;
}

void paths_settle(Program *p)
{
    LinkState *s = p->state;
    s->path_base = files_base(s->a, p->facts, p->nfiles, count_paths);
    s->path_ents = arena_new(s->a, u32, (size_t)s->path_base[p->nfiles] * PATH_MEMO + 1);
}

void callees_settle(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->calls.n; i++) path_entity(p, file, p->facts[file]->calls.v[i].callee);
}

Ent path_entity(const Program *p, u32 file, u32 path)
{
    if (path == NONE) return nothing;
    const Path *x = &p->facts[file]->paths.v[path];
    return path_resolve(p, file, x, x->nattr);
}

Str path_external(const Program *p, u32 file, u32 path)
{
    Ent e = path_entity(p, file, path);
    return e.kind == ENT_EXTERNAL ? p->syms.strs[e.id] : S("");
}

u32 path_place(const Program *p, u32 file, u32 path)
{
    Ent e = path_entity(p, file, path);
    return e.kind == ENT_PLACE ? e.id : NONE;
}
