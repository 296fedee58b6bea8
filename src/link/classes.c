/* Classes across files: bases, methods, who owns an attribute.
 *
 * Method resolution is depth first, left to right, each class once: the same as Python's C3 order for all but
 * deliberately tangled diamonds. */
#include "link/link.h"

enum { MRO_MAX = 48 };

u32 gclass_of(const Program *p, u32 file, u32 cls)
{
    return cls == NONE ? NONE : p->class_base[file] + cls;
}

enum { GID_STEP = 16 };

/* For every GID_STEP-th id the file that it is of, from which others are few steps away. */
static u32 *gid_steps(Arena *a, const u32 *base, u32 nfiles)
{
    u32 n = base[nfiles] / GID_STEP + 1, *step = arena_new(a, u32, n);
    for (u32 file = 0, i = 0; i < n; i++) {
        while (file + 1 < nfiles && base[file + 1] <= i * GID_STEP) file++;
        step[i] = file;
    }
    return step;
}

void gids_index(Program *p)
{
    LinkState *s = p->state;
    s->func_step = gid_steps(s->a, p->func_base, p->nfiles);
    s->class_step = gid_steps(s->a, p->class_base, p->nfiles);
    s->access_step = gid_steps(s->a, p->access_base, p->nfiles);
}

/* The file whose range holds a global id. */
static GId gid_find(const u32 *base, const u32 *step, u32 nfiles, u32 id)
{
    u32 file = step[id / GID_STEP];
    while (file + 1 < nfiles && base[file + 1] <= id) file++;
    return (GId){file, id - base[file]};
}

GId func_gid(const Program *p, u32 gfunc)
{
    return gid_find(p->func_base, p->state->func_step, p->nfiles, gfunc);
}
GId access_gid(const Program *p, u32 gaccess)
{
    return gid_find(p->access_base, p->state->access_step, p->nfiles, gaccess);
}
GId class_gid(const Program *p, u32 gclass)
{
    return gid_find(p->class_base, p->state->class_step, p->nfiles, gclass);
}

const Class *program_class(const Program *p, u32 gclass, u32 *file)
{
    GId g = class_gid(p, gclass);
    if (file) *file = g.file;
    return &p->facts[g.file]->classes.v[g.id];
}

Str class_display(Arena *a, const Program *p, u32 gclass)
{
    u32 file;
    const Class *c = program_class(p, gclass, &file);
    const Facts *f = p->facts[file];
    Str name = sym_str(f, c->name);
    for (u32 o = c->outer; o != NONE; o = f->classes.v[o].outer)
        name = str_dot(a, sym_str(f, f->classes.v[o].name), name);
    return str_dot(a, f->source->module, name);
}

/* Is the name the last part of the dotted one? Most are not, and their full names need not be made. */
static bool last_part(Str dotted, Str name)
{
    return str_ends(dotted, name) && (dotted.n == name.n || dotted.p[dotted.n - name.n - 1] == '.');
}

bool class_named(const Program *p, u32 gclass, Str dotted)
{
    u32 file;
    const Class *c = program_class(p, gclass, &file);
    if (!last_part(dotted, sym_str(p->facts[file], c->name))) return false;
    Arena scratch = {0};
    bool same = str_eq(class_display(&scratch, p, gclass), dotted);
    arena_free(&scratch);
    return same;
}

bool func_named(const Program *p, u32 gfunc, Str dotted)
{
    GId g = func_gid(p, gfunc);
    if (g.id && !last_part(dotted, sym_str(p->facts[g.file], p->facts[g.file]->funcs.v[g.id].name))) return false;
    Arena scratch = {0};
    bool same = str_eq(func_display(&scratch, p, gfunc), dotted);
    arena_free(&scratch);
    return same;
}

/* The classes in which an attribute is looked for, in this order, at most MRO_MAX. */
static u32 mro_find(const Program *p, u32 gclass, u32 out[MRO_MAX])
{
    u32 n = 0, stack[MRO_MAX], depth = 0;
    stack[depth++] = gclass;
    while (depth && n < MRO_MAX) {
        u32 c = stack[--depth];
        bool seen = false;
        for (u32 i = 0; i < n; i++) seen |= out[i] == c;
        if (seen) continue;
        out[n++] = c;
        const ClassInfo *ci = &p->state->classes[c];
        for (u32 i = ci->bases.n; i-- > 0;)
            if (depth < MRO_MAX) stack[depth++] = ci->bases.v[i];
    }
    return n;
}

/* The same; once all bases are known, each class keeps its own. `room` is for what is asked before. */
static const u32 *mro(const Program *p, u32 gclass, u32 room[MRO_MAX], u32 *n)
{
    const ClassInfo *own = &p->state->classes[gclass];
    *n = own->order ? own->norder : mro_find(p, gclass, room);
    return own->order ? own->order : room;
}

u32 class_method(const Program *p, u32 gclass, u32 gs, bool skip_self)
{
    u32 room[MRO_MAX], n;
    const u32 *order = mro(p, gclass, room, &n);
    for (u32 i = skip_self ? 1 : 0; i < n; i++) {
        u32 m = map_get(&p->state->classes[order[i]].methods, gs);
        if (m != NONE) return m;
    }
    return NONE;
}

u32 class_own_method(const Program *p, u32 gclass, const char *name)
{
    u32 gs = intern_find(&p->syms, str_from(name));
    return gs == NONE ? NONE : map_get(&p->state->classes[gclass].methods, gs);
}

u32 class_setter(const Program *p, u32 gclass, u32 gs)
{
    u32 room[MRO_MAX], n;
    const u32 *order = mro(p, gclass, room, &n);
    for (u32 i = 0; i < n; i++) {
        u32 m = map_get(&p->state->classes[order[i]].setters, gs);
        if (m != NONE || map_get(&p->state->classes[order[i]].methods, gs) != NONE) return m;
    }
    return NONE;
}

u32 class_attr_owner(const Program *p, u32 gclass, u32 gs, u32 *bits)
{
    u32 room[MRO_MAX], n, owner = NONE;
    const u32 *order = mro(p, gclass, room, &n);
    *bits = 0;
    if (n && str_is(p->syms.strs[gs], "__dict__")) return order[n - 1]; /* one for all that the classes set */
    for (u32 i = 0; i < n; i++) {
        u32 b = map_get(&p->state->classes[order[i]].attrs, gs);
        if (b == NONE) continue;
        *bits |= b;
        owner = order[i];
    }
    return owner;
}

enum { FAMILY_MAX = 64, DIVIDED = NONE - 1 };

static u32 own_or_inherited(const Program *p, u32 gclass, u32 gs, bool method)
{
    u32 bits;
    return method ? class_method(p, gclass, gs, false) : class_attr_owner(p, gclass, gs, &bits);
}

static u32 in_family(const Program *p, u32 gclass, u32 gs, bool method)
{
    u32 family[FAMILY_MAX], n = 0, found = NONE;
    family[n++] = gclass;
    for (u32 at = 0; at < n; at++) {
        const ClassInfo *ci = &p->state->classes[family[at]];
        for (u32 i = 0; i < ci->subs.n; i++) {
            u32 x = own_or_inherited(p, ci->subs.v[i], gs, method);
            if ((x != NONE && found != NONE && x != found) || n == FAMILY_MAX) return NONE;
            if (x != NONE) found = x;
            family[n++] = ci->subs.v[i];
        }
    }
    return found;
}

u32 class_completed_by(const Program *p, u32 gclass, u32 gs, bool method)
{
    LinkState *s = p->state;
    if (!s->classes[gclass].subs.n) return NONE;
    u32 *at = map_at(s->a, &s->completed, map_key(gclass * 2 + method, gs));
    if (*at == NONE) {
        u32 x = in_family(p, gclass, gs, method);
        *at = x == NONE ? DIVIDED : x;
    }
    return *at == DIVIDED ? NONE : *at;
}

bool class_is_a(const Program *p, u32 gclass, u32 base)
{
    u32 room[MRO_MAX], n;
    const u32 *order = mro(p, gclass, room, &n);
    for (u32 i = 0; i < n; i++)
        if (order[i] == base) return true;
    return false;
}

Str toolkit_name(Str dotted)
{
    size_t at = str_search(dotted, S("QtCore."));
    return at < dotted.n && (!at || dotted.p[at - 1] == '.') ? str_slice(dotted, at, dotted.n) : dotted;
}

bool class_derives(const Program *p, u32 gclass, const char *external)
{
    bool toolkit = str_starts(str_from(external), S("QtCore."));
    u32 room[MRO_MAX], n;
    const u32 *order = mro(p, gclass, room, &n);
    for (u32 i = 0; i < n; i++) {
        const ClassInfo *c = &p->state->classes[order[i]];
        for (u32 j = 0; j < c->ext_bases.n; j++) {
            Str base = p->syms.strs[c->ext_bases.v[j]];
            if (str_is(toolkit ? toolkit_name(base) : base, external)) return true;
        }
    }
    return false;
}

bool class_derives_any(const Program *p, u32 gclass, const char *const *external, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (class_derives(p, gclass, external[i])) return true;
    return false;
}

bool class_derives_known(const Program *p, u32 gclass, u64 as)
{
    u32 room[MRO_MAX], n;
    const u32 *order = mro(p, gclass, room, &n);
    for (u32 i = 0; i < n; i++) {
        const ClassInfo *c = &p->state->classes[order[i]];
        for (u32 j = 0; j < c->ext_bases.n; j++)
            if (known_function(p->syms.strs[c->ext_bases.v[j]], as)) return true;
    }
    return false;
}

bool class_is_thread(const Program *p, u32 gclass)
{
    return class_derives(p, gclass, "threading.Thread");
}

static void class_members(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    LinkState *s = p->state;
    for (u32 i = 1; i < f->funcs.n; i++) {
        const Func *x = &f->funcs.v[i];
        if (x->cls == NONE || x->is_lambda) continue;
        /* a property's setter shares its name; the first definition (the getter) stays */
        u32 *at = map_at(s->a, &s->classes[p->class_base[file] + x->cls].methods, gsym(p, file, x->name));
        bool read = x->block != NONE; /* not one for another Python, beside the one for this */
        bool first = *at == NONE || program_func(p, *at)->block == NONE;
        if (*at == NONE || (read && (first || !x->is_property))) *at = gfunc_of(p, file, i);
    }
    for (u32 i = 0; i < f->classes.n; i++)
        if (f->classes.v[i].outer != NONE) {
            u32 *at = map_at(s->a, &s->classes[p->class_base[file] + f->classes.v[i].outer].nested,
                             gsym(p, file, f->classes.v[i].name));
            if (*at == NONE || f->classes.v[i].block != NONE) *at = p->class_base[file] + i;
        }
}

static void class_bases_link(Program *p, u32 file, u32 cls)
{
    const Facts *f = p->facts[file];
    LinkState *s = p->state;
    const Class *c = &f->classes.v[cls];
    ClassInfo *ci = &s->classes[p->class_base[file] + cls];
    for (u32 i = c->bases; i < c->bases + c->nbases; i++) {
        Ent e = path_entity(p, file, f->bases.v[i]);
        if (e.kind == ENT_CLASS && e.id != p->class_base[file] + cls) {
            vec_push(s->a, &ci->bases, e.id);
            vec_push(s->a, &s->classes[e.id].subs, p->class_base[file] + cls);
        } else if (e.kind == ENT_EXTERNAL) {
            vec_push(s->a, &ci->ext_bases, e.id);
        } else if (e.kind == ENT_NONE) {
            Str text = path_text(s->a, f, f->bases.v[i]);
            vec_push(s->a, &ci->ext_bases, intern(s->a, &p->syms, text));
        }
    }
}

void classes_index(Program *p)
{
    LinkState *s = p->state;
    for (u32 i = 0; i < p->nfiles; i++) class_members(p, i);
    for (u32 i = 0; i < p->nfiles; i++) properties_index(p, i);
    for (u32 i = 0; i < p->nfiles; i++)
        for (u32 c = 0; c < p->facts[i]->classes.n; c++) class_bases_link(p, i, c);
    for (u32 c = 0; c < s->nclasses; c++) {
        u32 order[MRO_MAX], n = mro_find(p, c, order);
        s->classes[c].order = memcpy(arena_new(s->a, u32, n), order, n * sizeof *order);
        s->classes[c].norder = n;
    }
    for (u32 c = 0; c < s->nclasses; c++) {
        s->classes[c].resolved = true;
        s->classes[c].thread_local_ = class_derives(p, c, "threading.local") || class_derives(p, c, "_thread._local");
    }
}

static void attr_mark(Program *p, u32 gclass, u32 gs, u32 bits)
{
    u32 *at = map_at(p->state->a, &p->state->classes[gclass].attrs, gs);
    *at = (*at == NONE ? 0 : *at) | bits;
}

bool class_makes_fields(const Program *p, u32 file, u32 cls)
{
    static const char *const decorators[] = {"dataclass", "dataclasses", "attrs",  "attr",
                                             "define",    "frozen",      "mutable"};
    static const char *const bases[] = {"NamedTuple", "TypedDict", "BaseModel", "Struct", "Protocol", "SQLModel"};
    const Facts *f = p->facts[file];
    const Class *c = &f->classes.v[cls];
    for (u32 i = c->decorators; i < c->decorators + c->ndecorators; i++) {
        const Path *x = &f->paths.v[f->decorators.v[i]];
        const Path *y = x->root == ROOT_CALL && !x->nattr ? &f->paths.v[f->calls.v[x->func].callee] : x;
        for (u32 k = 0; k < COUNT_OF(decorators); k++)
            if (str_is(sym_str(f, y->name), decorators[k]) || (y->nattr && str_is(path_last(f, y), decorators[k])))
                return true;
    }
    u32 room[MRO_MAX], n;
    const u32 *order = mro(p, gclass_of(p, file, cls), room, &n);
    for (u32 i = 0; i < n; i++) {
        const ClassInfo *ci = &p->state->classes[order[i]];
        for (u32 j = 0; j < ci->ext_bases.n; j++)
            for (u32 k = 0; k < COUNT_OF(bases); k++)
                if (str_ends(p->syms.strs[ci->ext_bases.v[j]], str_from(bases[k]))) return true;
    }
    return false;
}

/* A descriptor: what it is set to belongs to the object. */
static bool describes(const Program *p, u32 cls)
{
    u32 set = intern_find(&p->syms, S("__set__"));
    return set != NONE && class_method(p, cls, set, false) != NONE;
}

static bool is_plain(const Def *d)
{
    return d->kind == VAL_NONE || d->kind == VAL_NUMBER || d->kind == VAL_STRING || d->kind == VAL_BOOL ||
           d->kind == VAL_TUPLE;
}

/* db.Column(…), where db may be an object of the program's; Dict() of traitlets, models.ForeignKey(…) of Django: what
 * these packages make in a class body describes what each object has (their guides: SQLAlchemy "Declarative Mapping",
 * traitlets "Defining Trait Types", Django "Models", peewee "Models and Fields", mongoengine "Defining documents").
 */
static bool describes_column(const Facts *f, u32 callee, Str ext)
{
    static const char *const names[] = {"Column",          "relationship",    "mapped_column", "backref",
                                        "column_property", "hybrid_property", "ForeignKey",    "association_proxy"};
    static const char *const packages[] = {"traitlets.", "traits.api.",  "django.db.models.",
                                           "peewee.",    "mongoengine.", "wtforms.",
                                           "param.",     "odoo.fields."};
    const Path *x = &f->paths.v[callee];
    return str_starts_any(ext, packages, COUNT_OF(packages)) ||
           (x->nattr && str_among(path_last(f, x), names, COUNT_OF(names)));
}

/* A value in a class body that objects do not share: numbers, strings, tuples and None, which o.x = … hides; a name
 * that is only annotated; the fields of a dataclass and its like; and what describes a column or field of each
 * object, which is known by code that assigns through an object. */
static bool is_field(const Program *p, u32 file, const Def *d, bool fields, bool assigned)
{
    const Facts *f = p->facts[file];
    if (is_plain(d)) return true;
    enum { HINT = 24 }; /* ": typing.ClassVar" fits */
    Str hint = str_slice(f->source->text, d->span.end, d->span.end + HINT);
    bool declared = d->augmented && (d->annotation != NONE || str_starts(str_trim(hint), S(":")));
    if (declared && !str_contains(hint, S("ClassVar"))) return true;
    if (fields && d->annotation != NONE && !str_contains(hint, S("ClassVar"))) return true;
    if (d->kind != VAL_CALL) return false;
    u32 call = d->value; /* Unicode("").tag(config=True): what Unicode is tells */
    while (f->paths.v[f->calls.v[call].callee].root == ROOT_CALL && f->paths.v[f->calls.v[call].callee].func < call)
        call = f->paths.v[f->calls.v[call].callee].func;
    Ent e = path_entity(p, file, f->calls.v[call].callee);
    if (e.kind == ENT_CLASS) return describes(p, e.id);
    Str ext = e.kind == ENT_EXTERNAL ? p->syms.strs[e.id] : S("");
    if (describes_column(f, f->calls.v[call].callee, ext)) return true;
    static const char *const makers[] = {".ib",      ".attrib",      "field",         "Field",   "Column",
                                         "relation", "relationship", "mapped_column", "Property"};
    for (u32 i = 0; i < COUNT_OF(makers); i++)
        if (str_ends(ext, str_from(makers[i]))) return true;
    return assigned && ext.n && external_type(p, ext).kind == TYPE_UNKNOWN && !sounds_like_lock(ext);
}

/* C.x = …, module.C.x = …: the class whose attribute the path names; NONE. */
static u32 class_named_by(const Program *p, u32 file, const Path *x)
{
    if ((x->root != ROOT_GLOBAL && x->root != ROOT_LOCAL) || !path_is_attr(x) || x->truncated) return NONE;
    u32 i = 0;
    Ent e = path_resolve(p, file, x, 0);
    while (i + 1 < x->nattr && e.kind == ENT_MODULE) e = path_resolve(p, file, x, ++i);
    return e.kind == ENT_CLASS && i + 1 == x->nattr ? e.id : NONE;
}

/* Names of attributes that are assigned through an object: o.name = …, o not self and no class. */
static void assigned_names(Program *p, Arena *scratch, Map *names)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->defs.n; i++) {
            if (f->defs.v[i].path == NONE) continue;
            const Path *x = &f->paths.v[f->defs.v[i].path];
            if (!path_is_attr(x) || x->truncated) continue;
            if (x->nattr == 1 && (x->root == ROOT_SELF || x->root == ROOT_CLS)) continue;
            if (x->root == ROOT_GLOBAL && class_named_by(p, file, x) != NONE) continue;
            map_put(scratch, names, gsym(p, file, x->attr[x->nattr - 1]), 1);
        }
    }
}

static void body_attr(Program *p, const Map *assigned, u32 file, const Def *d, const bool *fields)
{
    const Path *x = &p->facts[file]->paths.v[d->path];
    u32 gs = gsym(p, file, x->name);
    bool field = is_field(p, file, d, fields[x->func], map_get(assigned, gs) != NONE);
    u32 bits = ATTR_BODY | (field ? ATTR_FIELD : 0) | (is_plain(d) ? ATTR_PLAIN : 0);
    attr_mark(p, gclass_of(p, file, x->func), gs, bits);
}

/* setattr(self._local, name, value), where the class has _local = threading.local(). */
static bool sets_in_local(const Program *p, u32 file, const Call *c, u32 cls)
{
    const Facts *f = p->facts[file];
    const Path *x = c->nargs && f->args.v[c->args].kind == VAL_PATH ? &f->paths.v[f->args.v[c->args].value] : NULL;
    if (!x || x->root != ROOT_SELF || x->nattr != 1 || !str_is(path_external(p, file, c->callee), "setattr"))
        return false;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *to = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (to && to->root == ROOT_CLASS && to->func == cls && to->name == x->attr[0] && d->kind == VAL_CALL)
            return str_is(path_external(p, file, f->calls.v[d->value].callee), "threading.local");
    }
    return false;
}

/* Classes whose __setattr__ keeps all attributes in a threading.local, or asks which thread it is that sets them:
 * their objects have others in each thread. */
static void local_setters(Program *p)
{
    ClassInfo *classes = p->state->classes;
    bool any = false;
    for (u32 c = 0; c < p->state->nclasses; c++) {
        u32 method = class_own_method(p, c, "__setattr__");
        if (method == NONE) continue;
        GId g = func_gid(p, method);
        const Func *fn = &p->facts[g.file]->funcs.v[g.id];
        for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
            const Facts *f = p->facts[g.file];
            bool own = sets_in_local(p, g.file, &f->calls.v[i], fn->cls) ||
                       str_is(call_last(f, &f->calls.v[i]), "get_ident");
            any |= classes[c].thread_local_ |= own;
        }
    }
    for (u32 c = 0; any && c < p->state->nclasses; c++)
        for (u32 i = 0; i < classes[c].norder; i++)
            classes[c].thread_local_ |= classes[classes[c].order[i]].thread_local_;
}

/* Who assigns which attribute, and how: self.x = …, cls.x = …, C.x = …, or in the class body. */
void classes_attrs(Program *p)
{
    Arena scratch = {0};
    Map assigned = {0};
    assigned_names(p, &scratch, &assigned);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        bool *fields = arena_new(&scratch, bool, f->classes.n + 1);
        for (u32 c = 0; c < f->classes.n; c++) fields[c] = class_makes_fields(p, file, c);
        for (u32 i = 0; i < f->defs.n; i++) {
            const Def *d = &f->defs.v[i];
            if (d->path == NONE) continue;
            const Path *x = &f->paths.v[d->path];
            if (x->root == ROOT_CLASS && !x->nattr && d->kind != VAL_FUNC && d->kind != VAL_CLASS) {
                body_attr(p, &assigned, file, d, fields);
            } else if (x->nattr == 1 && x->attr[0] != SYM_ITEM && (x->root == ROOT_SELF || x->root == ROOT_CLS)) {
                u32 cls = root_class(p, file, x);
                if (cls != NONE && class_setter(p, cls, gsym(p, file, x->attr[0])) == NONE)
                    attr_mark(p, cls, gsym(p, file, x->attr[0]), x->root == ROOT_SELF ? ATTR_SELF : ATTR_CLS);
            } else {
                u32 cls = class_named_by(p, file, x);
                if (cls != NONE) attr_mark(p, cls, gsym(p, file, x->attr[x->nattr - 1]), ATTR_CLS);
            }
        }
    }
    local_setters(p);
    arena_free(&scratch);
}

u32 class_family_count(const Program *p, u32 gclass, size_t count, u32 depth)
{
    const ClassInfo *c = &p->state->classes[gclass];
    u32 n = *(const u32 *)(const void *)((const char *)c + count);
    for (u32 i = 0; i < c->subs.n && depth; i++) n += class_family_count(p, c->subs.v[i], count, depth - 1);
    return n;
}
