/* How a region names a lock.
 *
 * A lock that is an attribute of the same object as the state is named as the state is: self.n →
 * self._n_lock, app.stats.counter → app.stats._counter_lock. A lock of a module is named as it is or
 * imported beside the state. Any other existing lock is named as a critical section of the same class or
 * module names it. The name must mean the same object during the whole region, and must not run code. */
#include "fixes/fixes.h"

/* Names and attributes only; type(self) too. */
static bool pure_object(const Ast *t, u32 n)
{
    if (ast_is(t, n, NODE_identifier)) return true;
    if (ast_is(t, n, NODE_attribute)) return pure_object(t, ast_field(t, n, FIELD_object));
    if (!ast_is(t, n, NODE_call)) return false;
    u32 fn = ast_field(t, n, FIELD_function);
    return ast_is(t, fn, NODE_identifier) && str_is(ast_text(t, fn), "type");
}

/* The attribute node X.state at or below the left edge of the access's expression; NONE when a plain name
 * stands there. */
static u32 state_attribute(const Ast *t, u32 n, Str state)
{
    while (n != NONE) {
        switch (t->v[n].kind) {
        case NODE_attribute: {
            u32 name = ast_field(t, n, FIELD_attribute);
            if (name != NONE && str_eq(ast_text(t, name), state)) return n;
            n = ast_field(t, n, FIELD_object);
            break;
        }
        case NODE_call: n = ast_field(t, n, FIELD_function); break;
        case NODE_subscript: n = ast_field(t, n, FIELD_value); break;
        default: return NONE;
        }
    }
    return NONE;
}

static Str root_text(const Facts *f, const Path *p)
{
    switch (p->root) {
    case ROOT_GLOBAL:
    case ROOT_LOCAL:
    case ROOT_PARAM:
    case ROOT_SELF:
    case ROOT_CLS: return sym_str(f, p->name);
    default: return S("");
    }
}

/* What stands before ".state" in a path, as text; empty when it cannot be written. *bare: nothing stands
 * before it. */
static Str path_prefix(Plan *pl, const Facts *f, const Path *p, Str state, bool *bare)
{
    *bare = p->nattr == 0 || !str_eq(path_last(f, p), state);
    Buf b = {0};
    buf_str(&b, root_text(f, p));
    for (u32 i = 0; b.n && i < p->nattr; i++) {
        if (str_eq(sym_str(f, p->attr[i]), state)) {
            *bare = false;
            break;
        }
        if (p->attr[i] == SYM_ITEM)
            b.n = 0;
        else
            buf_fmt(&b, ".%.*s", STR_ARG(sym_str(f, p->attr[i])));
    }
    Str out = b.n ? str_dup(pl->a, buf_view(&b)) : S("");
    buf_free(&b);
    if (p->nattr == 0 && str_eq(sym_str(f, p->name), state)) *bare = true;
    return out;
}

/* The name by which code reaches the state: of the container, for what it holds. */
static Str state_name(const Plan *pl, const Place *place)
{
    while (place->of != NONE) place = &pl->p->places.v[place->of];
    return pl->p->syms.strs[place->name];
}

/* o.count += 1: the name of the property that stands for the state; empty when the state is named itself. */
static Str property_name(const Plan *pl, u32 file, const Access *a)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[a->path];
    bool bound = a->op == OP_AUG || a->op == OP_STORE || a->op == OP_LOAD;
    if (!bound || !p->nattr || path_entity(pl->p, file, a->path).kind != ENT_FUNC) return S("");
    return path_last(f, p);
}

/* How the access reaches the object that has the state: "self", "app.stats". Empty with a reason. */
static Str owner_text(Plan *pl, const Work *w, const Region *r, Str *root, bool *bare, Str *why)
{
    const Place *place = &pl->p->places.v[w->place];
    const Facts *f = pl->p->facts[r->file];
    const Ast *t = site_ast(pl, r->file);
    const Access *a = program_access(pl->p, r->access);
    Str state = property_name(pl, r->file, a);
    if (!state.n) state = state_name(pl, place);
    u32 attr = state_attribute(t, ast_at(t, a->span), state);
    u32 object = attr == NONE ? NONE : ast_field(t, attr, FIELD_object);
    *bare = false;
    if (object != NONE && pure_object(t, object)) {
        u32 leftmost = object;
        while (ast_is(t, leftmost, NODE_attribute)) leftmost = ast_field(t, leftmost, FIELD_object);
        *root = ast_text(t, leftmost);
        return ast_text(t, object);
    }
    const Path *p = &f->paths.v[a->path];
    Str text = path_prefix(pl, f, p, state, bare);
    *root = root_text(f, p);
    if (p->root == ROOT_SUPER && p->nattr == 0 && f->funcs.v[p->func].nparams) { /* super().__setitem__(key, x) */
        *bare = false;
        return *root = sym_str(f, f->params.v[f->funcs.v[p->func].params].name);
    }
    if (p->root == ROOT_SELF && p->nattr == 0) { /* self[key]: the object itself, or what it does to its state */
        *bare = false;
        return *root;
    }
    if (!text.n) *why = S("the object that has the state cannot be named there without running code twice");
    return text;
}

/* Is the variable bound anew inside the region? Then the lock would be that of another object. */
static bool rebound(const Plan *pl, const Region *r, Str root)
{
    const Facts *f = pl->p->facts[r->file];
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE || d->span.start < r->span.start || d->span.end > r->span.end) continue;
        const Path *p = &f->paths.v[d->path];
        if (p->nattr == 0 && p->root != ROOT_UNKNOWN && str_eq(sym_str(f, p->name), root)) return true;
    }
    return false;
}

/* A critical section of the same class (or module) that takes the lock, as text. */
static Str section_text(Plan *pl, const Region *r, u32 lock)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *here = &f->funcs.v[r->func];
    for (u32 i = 0; i < f->sections.n; i++) {
        const Section *s = &f->sections.v[i];
        if (pl->p->section_lock[pl->p->section_base[r->file] + i] != lock || s->path == NONE) continue;
        const Path *p = &f->paths.v[s->path];
        if (s->call != NONE && s->kind != SECTION_ACQUIRE) continue;
        bool global = p->root == ROOT_GLOBAL;
        bool mine =
            p->root == ROOT_SELF && here->self_class != NONE && f->funcs.v[s->func].self_class == here->self_class;
        bool local = (p->root == ROOT_LOCAL || p->root == ROOT_PARAM) && s->func == r->func;
        if (!global && !mine && !local) continue;
        bool item = false;
        for (u32 k = 0; k < p->nattr; k++) item |= p->attr[k] == SYM_ITEM;
        if (!item) return path_text(pl->a, f, s->path);
    }
    return S("");
}

/* MODULE of `from MODULE import lock` in a file, in the manner of an import that the file has: as many dots, or what
 * the file calls the folders above. */
static Str module_text(Plan *pl, u32 file, const Import *like, u32 wanted)
{
    static const char dots[] = "................";
    const Source *s = site_source(pl, file);
    Str module = pl->p->facts[wanted]->source->module, written = sym_str(pl->p->facts[file], like->module);
    u32 from = import_file(pl->p, file, like), level = MIN(like->level, (u32)sizeof dots - 1);
    Str base = s->module;
    if (from == wanted) return str_fmt(pl->a, "%.*s%.*s", (int)level, dots, STR_ARG(written));
    for (u32 i = str_ends(s->path, S("__init__.py")); i < level; i++) {
        size_t dot = str_rfind(base, '.');
        base = str_slice(base, 0, dot < base.n ? dot : 0);
    }
    if (level && base.n && str_starts(module, base) && (module.n == base.n || module.p[base.n] == '.')) {
        Str rest = str_slice(module, MIN(base.n + 1, module.n), module.n);
        return str_fmt(pl->a, "%.*s%.*s", (int)level, dots, STR_ARG(rest));
    }
    Str full = from == NONE ? S("") : pl->p->facts[from]->source->module; /* src.pkg, written pkg */
    if (!level && written.n && str_ends(full, written)) {
        Str above = str_slice(full, 0, full.n - written.n);
        if (str_starts(module, above)) return str_slice(module, above.n, module.n);
    }
    return module;
}

/* The state came by `from MODULE import state`, of the module where the lock will be: the lock comes the same way. */
static bool import_beside(Plan *pl, const LockPlan *l, const Region *r, Str root, Fix *fix, Str *out)
{
    const Facts *f = pl->p->facts[r->file];
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *m = &f->imports.v[i];
        if (m->name == SYM_EMPTY || m->typing || !str_eq(sym_str(f, m->local), root) || m->func != 0) continue;
        if (name_used(f, l->name) || import_file(pl->p, r->file, m) != l->file) return false;
        Str text =
            str_fmt(pl->a, "from %.*s import %.*s", STR_ARG(module_text(pl, r->file, m, l->file)), STR_ARG(l->name));
        intent_add(pl, fix, INTENT_NEED_IMPORT, r->file, m->span, text, NONE);
        *out = l->name;
        return true;
    }
    return false;
}

/* ---- a lock of another module ---- */

static bool imports_toward(Plan *pl, u32 file, u32 wanted)
{
    if (file == wanted) return true;
    if (pl->file_seen[file] == pl->epoch) return false;
    pl->file_seen[file] = pl->epoch;
    const Facts *f = pl->p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++) {
        if (f->imports.v[i].func != 0 || f->imports.v[i].typing) continue;
        u32 to = import_file(pl->p, file, &f->imports.v[i]);
        if (to != NONE && imports_toward(pl, to, wanted)) return true;
        Ent e = import_target(pl->p, file, &f->imports.v[i], 0); /* from package import module */
        if (e.kind == ENT_MODULE && imports_toward(pl, e.id, wanted)) return true;
    }
    return false;
}

/* Would importing `from` at the top of `file` lead back to it? */
static bool import_circular(Plan *pl, u32 file, u32 from)
{
    if (!pl->file_seen) pl->file_seen = arena_new(pl->a, u32, pl->p->nfiles + 1);
    pl->epoch++;
    return imports_toward(pl, from, file);
}

/* A module-level lock of another file: by an import that is there, by one more name beside an import of the same
 * module, or by an import of its own where that does not run in a circle. */
static bool import_global(Plan *pl, const LockPlan *l, const Region *r, Fix *fix, Str *out, Str *why)
{
    const Facts *f = pl->p->facts[r->file];
    const Import *beside = NULL, *project = NULL; /* of the same module, of the same program */
    u32 place = l->existing ? pl->p->locks.v[l->lock].place : NONE;
    Str module = pl->p->facts[l->file]->source->module;
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *m = &f->imports.v[i];
        if (m->typing || !import_at_top(site_ast(pl, r->file), m)) continue;
        if (m->star && import_file(pl->p, r->file, m) == l->file) beside = m;
        if (m->star) continue;
        Ent e = import_target(pl->p, r->file, m, 0);
        *out = sym_str(f, m->local);
        if (e.kind == ENT_PLACE && place != NONE && e.id == place) return true;
        if (e.kind == ENT_MODULE && e.id == l->file) {
            *out = str_fmt(pl->a, "%.*s.%.*s", STR_ARG(*out), STR_ARG(l->name));
            return true;
        }
        u32 from = import_file(pl->p, r->file, m);
        if (m->name != SYM_EMPTY && from == l->file) beside = m;
        if (from != NONE || e.kind == ENT_MODULE) project = m;
    }
    *out = l->name;
    if (name_used(f, l->name) || !module.n) {
        *why = str_fmt(pl->a, "%.*s cannot be imported there without a clash of names", STR_ARG(l->display));
        return false;
    }
    if (!beside && import_circular(pl, r->file, l->file)) {
        *why =
            str_fmt(pl->a, "%.*s cannot be imported there, since its module imports this one", STR_ARG(l->display));
        return false;
    }
    if (!beside) beside = project;
    Str from = beside ? module_text(pl, r->file, beside, l->file) : module;
    Str text = str_fmt(pl->a, "from %.*s import %.*s", STR_ARG(from), STR_ARG(l->name));
    intent_add(pl, fix, INTENT_NEED_IMPORT, r->file, beside ? beside->span : (Span){0}, text, NONE);
    return true;
}

bool encloses(const Plan *pl, u32 gfunc, const Region *r)
{
    if (gfunc == NONE || func_gid(pl->p, gfunc).file != r->file) return false;
    u32 owner = func_gid(pl->p, gfunc).id, f = r->func;
    while (f != owner && f != 0) f = pl->p->facts[r->file]->funcs.v[f].parent;
    return f == owner;
}

/* Is the object a parameter without a type of a function that anybody may call? Objects of other classes, which have
 * the state but not the lock, may come in. */
static bool anybodys_object(const Plan *pl, const Region *r, Str root)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    if (!pl->p->funcs[gfunc_of(pl->p, r->file, r->func)].api || str_is(root, "self")) return false;
    for (u32 i = fn->cls == NONE ? 0 : 1; i < fn->nparams; i++) {
        const Param *x = &f->params.v[fn->params + i];
        if (str_eq(sym_str(f, x->name), root)) return x->annotation == NONE;
    }
    return false;
}

/* Is what the annotation names sure to have what objects of the class have? */
static bool annotated_other(const Plan *pl, u32 file, u32 annotation, u32 owner)
{
    Type t = path_type(pl->p, file, annotation);
    if (t.kind == TYPE_CLASS_OBJECT) return !class_is_a(pl->p, t.id, owner);
    return path_external(pl->p, file, annotation).n > 0;
}

/* Does a caller in sight pass something that is not known to be an object of the class? */
static bool passed_other(const Plan *pl, u32 file, u32 param, u32 owner)
{
    const LinkState *s = pl->p->state;
    const ParamInfo *pi = &s->params[s->param_base[file] + param];
    for (u32 i = 0; i < pi->n; i++) {
        Type t = {0};
        if (pi->from[i].kind == VAL_PATH) t = path_type(pl->p, pi->from[i].file, pi->from[i].value);
        if (pi->from[i].kind == VAL_CALL) t = call_type(pl->p, pi->from[i].file, pi->from[i].value);
        if (pi->from[i].kind != VAL_NONE && (t.kind != TYPE_CLASS || !class_is_a(pl->p, t.id, owner))) return true;
    }
    return false;
}

/* The parameter of this name of the region's function, as an index in its file; NONE. */
static u32 param_named(const Plan *pl, const Region *r, Str name)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++)
        if (str_eq(sym_str(f, f->params.v[i].name), name)) return i;
    return NONE;
}

enum { BOUND_DEEP = 2 };
typedef enum Mistaken { MISTAKEN_NOT, MISTAKEN_PERHAPS, MISTAKEN_SURE } Mistaken;

static Mistaken bound_other(const Plan *pl, Ent e, u32 owner, u32 depth);

/* May the value that is bound be no object of the class? */
static Mistaken value_other(const Plan *pl, u32 file, const Def *d, u32 owner, u32 depth)
{
    if (d->kind == VAL_NONE) return MISTAKEN_NOT;
    if (d->kind == VAL_PATH && depth) return bound_other(pl, path_entity(pl->p, file, d->value), owner, depth - 1);
    Type t = {0};
    if (d->kind == VAL_CALL) t = call_type(pl->p, file, d->value);
    if (t.kind == TYPE_CLASS) return class_is_a(pl->p, t.id, owner) ? MISTAKEN_NOT : MISTAKEN_SURE;
    return MISTAKEN_PERHAPS;
}

/* self.cache = Cache() here, self.cache = Overlay(self.cache) there: is an object of another class bound to it? */
static Mistaken bound_other(const Plan *pl, Ent e, u32 owner, u32 depth)
{
    const LinkState *s = pl->p->state;
    Mistaken found = MISTAKEN_NOT;
    u32 at = NONE;
    if (e.kind == ENT_PLACE) at = map_get(&s->place_defs, e.id);
    if (e.kind == ENT_LOCAL) {
        GId g = func_gid(pl->p, e.id);
        at = map_get(&s->local_defs, local_key(g.file, g.id, e.sym));
        const Facts *f = pl->p->facts[g.file];
        const Func *fn = &f->funcs.v[g.id];
        for (u32 i = fn->params; i < fn->params + fn->nparams; i++)
            if (f->params.v[i].name == e.sym) found = MISTAKEN_PERHAPS; /* whatever is passed */
    }
    for (; at != NONE; at = s->defrefs.v[at].next) {
        const DefRef *d = &s->defrefs.v[at];
        found = MAX(found, value_other(pl, d->file, &pl->p->facts[d->file]->defs.v[d->def], owner, depth));
    }
    return found;
}

/* Where the state's name stands in the path: how many attributes come before it; all when it is none of them. */
static u32 state_at(const Facts *f, const Path *p, Str state)
{
    u32 n = 0;
    while (n < p->nattr && !str_eq(sym_str(f, p->attr[n]), state)) n++;
    return n;
}

/* def reset(raw: Base): raw.pos = 0, where a class derived from Base makes the lock: may the object whose state the
 * region changes be one of another class, which has no lock? *sure: its type says so. The state alone may have told
 * what class it is of. */
static bool mistaken_object(const Plan *pl, const Region *r, Str state, Str root, u32 owner, bool *sure)
{
    const Facts *f = pl->p->facts[r->file];
    const Path *p = &f->paths.v[program_access(pl->p, r->access)->path];
    u32 n = state_at(f, p, state);
    *sure = true;
    if (n == p->nattr || (n == 0 && (p->root == ROOT_SELF || p->root == ROOT_CLS))) return false;
    u32 param = n == 0 && p->root == ROOT_PARAM && p->func == r->func ? param_named(pl, r, root) : NONE;
    if (param != NONE && f->params.v[param].annotation != NONE)
        return annotated_other(pl, r->file, f->params.v[param].annotation, owner);
    Ent e = path_resolve(pl->p, r->file, p, n);
    if (e.kind == ENT_PLACE || (e.kind == ENT_LOCAL && param == NONE)) {
        Mistaken other = bound_other(pl, e, owner, BOUND_DEEP);
        *sure = other != MISTAKEN_PERHAPS;
        if (other) return true;
    }
    Type t = ent_type(pl->p, e);
    if ((t.kind == TYPE_CLASS || t.kind == TYPE_CLASS_OBJECT) && !class_is_a(pl->p, t.id, owner)) return true;
    if ((t.kind == TYPE_CLASS || t.kind == TYPE_CLASS_OBJECT) && param == NONE) return false;
    if (t.kind == TYPE_EXTERNAL) return true;
    *sure = false;
    return param != NONE && passed_other(pl, r->file, param, owner);
}

static bool names_class(Str name)
{
    return str_contains(name, S("cls")) || str_contains(name, S("class")) || str_contains(name, S("Class")) ||
           str_contains(name, S("klass")) || str_contains(name, S("clazz"));
}

/* isclass(x), issubclass(x, …), isinstance(x, type): the function asks whether it was given a class. */
static bool asked_for_class(const Plan *pl, const Region *r, Str root)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        Str name = call_last(f, c);
        bool kind = str_is(name, "isinstance") && c->nargs > 1 && f->args.v[c->args + 1].kind == VAL_PATH &&
                    str_is(sym_str(f, f->paths.v[f->args.v[c->args + 1].value].name), "type");
        if (!c->nargs || !(kind || str_is(name, "isclass") || str_is(name, "issubclass"))) continue;
        const Arg *a = &f->args.v[c->args];
        if (a->kind == VAL_PATH && !f->paths.v[a->value].nattr && str_eq(sym_str(f, f->paths.v[a->value].name), root))
            return true;
    }
    return false;
}

/* Is the object a class, or may it be one? It has no lock that its objects get when they are made, and a class that
 * was given has none at all that another class has. */
static bool class_receiver(const Plan *pl, const LockPlan *l, const Region *r, Str state, Str root)
{
    const Facts *f = pl->p->facts[r->file];
    const Path *p = &f->paths.v[program_access(pl->p, r->access)->path];
    u32 n = state_at(f, p, state);
    if (n == p->nattr) n = 0; /* setattr(x, …): the object itself */
    bool given = n == 0 && p->root == ROOT_PARAM, of_objects = l->kind == PLACE_INSTANCE;
    Ent e = path_resolve(pl->p, r->file, p, n);
    bool known = e.kind == ENT_CLASS && class_is_a(pl->p, e.id, l->owner);
    bool named = names_class(root) && e.kind != ENT_INSTANCE;
    if (given && !known && (named || asked_for_class(pl, r, root))) return true;
    return of_objects && ((n == 0 && p->root == ROOT_CLS) || e.kind == ENT_CLASS);
}

/* __getattr__ is asked for the lock, too, as long as the object has none; __setattr__ stores what comes before it. */
static bool before_lock(const Plan *pl, const LockPlan *l, const Region *r)
{
    static const char *const names[] = {"__getattr__", "__getattribute__", "__setattr__", "__new__"};
    const Facts *f = pl->p->facts[r->file];
    return l->existing && l->kind == PLACE_INSTANCE &&
           str_among(sym_str(f, f->funcs.v[r->func].name), names, COUNT_OF(names));
}

/* pkg.counts, where pkg/__init__.py has counts from another module: the lock is not there. */
static bool handed_on(const Plan *pl, const LockPlan *l, const Region *r, Str state)
{
    const Facts *f = pl->p->facts[r->file];
    const Path *p = &f->paths.v[program_access(pl->p, r->access)->path];
    u32 n = state_at(f, p, state);
    if (n == p->nattr) return false;
    Ent e = path_resolve(pl->p, r->file, p, n);
    return e.kind == ENT_MODULE && e.id != l->file;
}

/* How a region comes to name a lock. */
typedef struct Naming {
    const LockPlan *l;
    const Work *w;
    Region *r;
    Fix *fix;
    Str root;        /* the object that the lock's name begins with; empty for a plain name */
    Str *text, *why; /* the name, or why it has none */
} Naming;

static bool cannot(Naming *x, Str why)
{
    *x->why = why;
    return false;
}

static bool by_import(Plan *pl, const Naming *x)
{
    return import_global(pl, x->l, x->r, x->fix, x->text, x->why);
}

/* The lock stands where the state does, so that what the state is reached by leads to it. */
static bool express_beside(Plan *pl, Naming *x)
{
    const LockPlan *l = x->l;
    const Place *place = &pl->p->places.v[x->w->place];
    bool attribute = place->kind == PLACE_INSTANCE || place->kind == PLACE_CLASS_ATTR, bare, sure = false;
    Str object = owner_text(pl, x->w, x->r, &x->root, &bare, x->why), state = state_name(pl, place);
    if (!object.n) return !attribute && by_import(pl, x); /* rows()[key]: by whatever name */
    if (attribute && class_receiver(pl, l, x->r, state, x->root))
        return cannot(x, str_fmt(pl->a, "%.*s is a class, or may be one, and need not have %.*s", STR_ARG(object),
                                 STR_ARG(l->name)));
    if (before_lock(pl, l, x->r))
        return cannot(x, str_fmt(pl->a, "%.*s may not have %.*s yet when Python calls the method", STR_ARG(object),
                                 STR_ARG(l->name)));
    if (bare && attribute) /* a class body, or a name that is not followed */
        return cannot(x, S("the object that has the state has no name there"));
    if (bare && import_beside(pl, l, x->r, object, x->fix, x->text)) return true;
    if (bare || (!attribute && handed_on(pl, l, x->r, state))) {
        x->root = S("");
        return by_import(pl, x);
    }
    *x->text = str_fmt(pl->a, "%.*s.%.*s", STR_ARG(object), STR_ARG(l->name));
    bool other = attribute && mistaken_object(pl, x->r, state, x->root, l->owner, &sure);
    if (other && sure)
        return cannot(x, str_fmt(pl->a, "%.*s may be an object of another class by its type, which has no %.*s",
                                 STR_ARG(object), STR_ARG(l->name)));
    if (other || (attribute && anybodys_object(pl, x->r, x->root)))
        fix_caution(x->fix, FIX_UNSAFE,
                    str_fmt(pl->a, "%.*s may be an object of another class, which has no %.*s", STR_ARG(object),
                            STR_ARG(l->name)));
    return true;
}

/* A lock that is there, and not beside the state: as a section of it names it, or imported. */
static bool express_existing(Plan *pl, Naming *x)
{
    const LockPlan *l = x->l;
    Str rest;
    *x->text = l->existing ? section_text(pl, x->r, l->lock) : S("");
    if (!x->text->n && l->existing && l->kind == PLACE_GLOBAL && pl->p->locks.v[l->lock].place != NONE &&
        l->file != NONE && l->file != x->r->file)
        return by_import(pl, x);
    x->root = str_cut(*x->text, '.', &rest);
    return x->text->n || cannot(x, str_fmt(pl->a, "%.*s cannot be named there", STR_ARG(l->display)));
}

static bool express(Plan *pl, Naming *x)
{
    const LockPlan *l = x->l;
    const Place *place = &pl->p->places.v[x->w->place];
    bool attribute = place->kind == PLACE_INSTANCE || place->kind == PLACE_CLASS_ATTR;
    bool named = !l->existing || pl->p->locks.v[l->lock].place != NONE;
    bool around = l->kind == PLACE_CLOSURE && encloses(pl, l->owner, x->r);
    if (around || (l->kind == PLACE_GLOBAL && l->file == x->r->file && named)) {
        *x->text = l->name;
        return true;
    }
    if (l->kind == PLACE_CLOSURE && !l->existing)
        return cannot(x, str_fmt(pl->a, "%.*s is a variable of another function", STR_ARG(l->name)));
    if (attribute && l->kind == PLACE_GLOBAL && !l->existing) /* one in the module for what the objects have */
        return by_import(pl, x);
    bool beside = attribute ? l->owner == place->owner : l->kind == PLACE_GLOBAL && l->file == place->file;
    return beside && named ? express_beside(pl, x) : express_existing(pl, x);
}

bool lock_expression(Plan *pl, u32 lock, const Work *w, Region *r, Fix *fix, Str *why)
{
    Naming x = {.l = &pl->out->locks.v[lock], .w = w, .r = r, .fix = fix, .text = &r->lock, .why = why};
    if (!express(pl, &x)) return false;
    if (x.root.n && rebound(pl, r, x.root))
        return cannot(&x, str_fmt(pl->a, "%.*s is assigned between the steps, so the lock would be another object's",
                                  STR_ARG(x.root)));
    return true;
}
