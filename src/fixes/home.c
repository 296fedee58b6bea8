/* Where a new lock lives, and what has to be said there so that it does no harm.
 *
 * docs/memory-model.md lists what a lock among an object's attributes breaks, and what is right instead:
 *
 *   module state                     beside it in the module
 *   attribute of a class             in the class body
 *   attribute of an object           in __init__
 *     __slots__                      in __init__, and its name among the slots, unless these are walked (slots.c)
 *     dataclass                      in __post_init__, never a field, which eq, repr and asdict would see
 *     frozen dataclass, __setattr__  by object.__setattr__
 *     pickled or copied              in __init__, kept out of the state by __getstate__ and made anew by
 *                                    __setstate__, which are added, or extended (state.c); in sight (pickled.c), or
 *                                    by users of a library (copyable.c)
 *     NamedTuple, Enum and the like  in the module, also where a base of the program is one
 *     compiled with a .pxd file      in the module
 *   variable of a function           beside it; in the module, where methods have what it holds (lock.c)
 *
 * Hooks of a base or of a derived class, which know nothing of a lock, are a sign that objects are pickled.
 *
 * Where one of these would not be right for sure, the lock goes into the class body: one for all objects, which is
 * coarser, but always there and never part of an object's state. */
#include "fixes/fixes.h"

static const char *const closed_bases[] = {
    "NamedTuple", "Enum",      "IntEnum",     "StrEnum",        "ReprEnum",          "Flag",
    "IntFlag",    "Choices",   "TextChoices", "IntegerChoices", "TypedDict",         "Protocol",
    "Struct",     "Structure", "Union",       "BigEndianUnion", "LittleEndianUnion", "BigEndianStructure",
    "SQLModel",   "BaseModel", "RootModel",   "GenericModel",   "BaseSettings",      "LittleEndianStructure"};
enum { STATE_HOOKS = 2, COPY_HOOKS = 6 }; /* so many, which come first, can be extended, may refuse copies */
enum { RELATIVE_HOOKS = 8 };              /* and speak of an object's state in a class derived from another */
static const char *const hooks[] = {"__getstate__",   "__setstate__",      "__reduce__", "__reduce_ex__",
                                    "__getnewargs__", "__getnewargs_ex__", "__copy__",   "__deepcopy__",
                                    "__getattr__",    "__new__",           "__slots__",  "__getattribute__"};

/* ---- signs ---- */

/* A method of the class that does not expect a lock among the attributes; from: the first name that counts. */
static Str method_obstacle(Plan *pl, const Facts *f, u32 cls, u32 from)
{
    for (u32 i = 0; i < f->funcs.n; i++) {
        Str name = sym_str(f, f->funcs.v[i].name);
        if (f->funcs.v[i].cls == cls && str_among(name, hooks + from, COUNT_OF(hooks) - from))
            return str_fmt(pl->a, "the class defines %.*s", STR_ARG(name));
    }
    return S("");
}

Str import_obstacle(Plan *pl, u32 file)
{
    const Facts *f = pl->p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++) {
        Str rest, top = str_cut(sym_str(f, f->imports.v[i].module), '.', &rest);
        bool sends = str_is(top, "multiprocessing") && !str_is(rest, "dummy");
        if (sends || (known_module(top, AS_CLONES) && !str_is(top, "copy"))) /* a shallow copy shares a lock */
            return str_fmt(pl->a, "its module uses %.*s, and an object with a lock cannot be pickled or copied",
                           STR_ARG(top));
    }
    return S("");
}

static u32 own_method(const Facts *f, u32 cls, const char *name)
{
    for (u32 i = 0; i < f->funcs.n; i++)
        if (f->funcs.v[i].cls == cls && str_is(sym_str(f, f->funcs.v[i].name), name)) return i;
    return NONE;
}

/* Does the method call the one of this name of a base class? */
static bool calls_super(const Facts *f, u32 method, const char *name)
{
    const Func *fn = &f->funcs.v[method];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *p = &f->paths.v[f->calls.v[i].callee];
        if (p->nattr && str_is(path_last(f, p), name)) return true;
    }
    return false;
}

/* Base and derived class of every pair in the program, as global ids. */
typedef struct Pair {
    u32 base, derived;
} Pair;
typedef Vec(Pair) PairVec;

static void pairs_collect(Plan *pl, PairVec *out)
{
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        for (u32 c = 0; c < f->classes.n; c++)
            for (u32 b = f->classes.v[c].bases; b < f->classes.v[c].bases + f->classes.v[c].nbases; b++) {
                Type t = path_type(pl->p, file, f->bases.v[b]);
                if (t.kind == TYPE_CLASS_OBJECT) vec_push(pl->a, out, (Pair){t.id, pl->p->class_base[file] + c});
            }
    }
}

void derived_index(Plan *pl)
{
    if (pl->derived) return;
    PairVec pairs = {0};
    u32 n = pl->p->class_base[pl->p->nfiles];
    pairs_collect(pl, &pairs);
    pl->derived_first = arena_new(pl->a, u32, n + 2);
    pl->derived = arena_new(pl->a, u32, pairs.n + 1);
    for (u32 i = 0; i < pairs.n; i++) pl->derived_first[pairs.v[i].base + 2]++;
    for (u32 c = 0; c < n; c++) pl->derived_first[c + 2] += pl->derived_first[c + 1];
    for (u32 i = 0; i < pairs.n; i++) pl->derived[pl->derived_first[pairs.v[i].base + 1]++] = pairs.v[i].derived;
}

/* A subclass whose __init__ does not call its base's would be without the lock. */
static Str subclass_obstacle(Plan *pl, u32 gclass, u32 depth)
{
    static const char *const makers[] = {"__init__", "__post_init__"};
    derived_index(pl);
    for (u32 i = pl->derived_first[gclass]; i < pl->derived_first[gclass + 1]; i++) {
        GId id = class_gid(pl->p, pl->derived[i]);
        const Facts *f = pl->p->facts[id.file];
        for (u32 k = 0; k < COUNT_OF(makers); k++) {
            u32 maker = own_method(f, id.id, makers[k]);
            if (maker != NONE && !calls_super(f, maker, makers[k]))
                return str_fmt(pl->a, "the subclass %.*s does not call super().%s()",
                               STR_ARG(sym_str(f, f->classes.v[id.id].name)), makers[k]);
        }
        Str why = depth ? subclass_obstacle(pl, pl->derived[i], depth - 1) : S("");
        if (why.n) return why;
    }
    return S("");
}

/* The class that a path names: Job, cls, self.__class__; NONE. */
static u32 class_meant(const Plan *pl, u32 file, u32 path)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[path];
    Type t = path_type(pl->p, file, path);
    if (t.kind == TYPE_CLASS_OBJECT) return t.id;
    bool own = p->root == ROOT_SELF && p->nattr == 1 && str_is(sym_str(f, p->attr[0]), "__class__");
    return own || (p->root == ROOT_CLS && !p->nattr) ? root_class(pl->p, file, p) : NONE;
}

/* Objects that cls.__new__(cls) gives, outside of __new__: what __init__ makes, they have not. */
static void bare_find(Plan *pl)
{
    pl->bare = arena_new(pl->a, bool, pl->p->class_base[pl->p->nfiles] + 1);
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        u32 sym = intern_find(&f->syms, S("__new__"));
        for (u32 i = 0; sym != NONE && i < f->calls.n; i++) {
            const Call *c = &f->calls.v[i];
            const Path *p = &f->paths.v[c->callee];
            if (!p->nattr || p->attr[p->nattr - 1] != sym || f->funcs.v[c->func].name == sym || !c->nargs) continue;
            u32 cls = f->args.v[c->args].kind == VAL_PATH ? class_meant(pl, file, f->args.v[c->args].value) : NONE;
            if (cls != NONE) pl->bare[cls] = true;
        }
    }
}

static Str bare_obstacle(Plan *pl, u32 gclass)
{
    if (!pl->bare) bare_find(pl);
    for (u32 c = 0; c < pl->p->class_base[pl->p->nfiles]; c++)
        if (pl->bare[c] && (class_is_a(pl->p, c, gclass) || class_is_a(pl->p, gclass, c)))
            return S("some of its objects are made without __init__");
    return S("");
}

/* Is the method defined by a base class that the program has, or may it be by one that it has not? */
static bool in_bases(Plan *pl, u32 gclass, const char *method, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    for (u32 b = c->bases; b < c->bases + c->nbases; b++) {
        Type t = path_type(pl->p, id.file, f->bases.v[b]);
        if (str_is(path_text(pl->a, f, f->bases.v[b]), "object")) continue;
        if (t.kind != TYPE_CLASS_OBJECT || !depth) return true;
        GId base = class_gid(pl->p, t.id);
        if (own_method(pl->p->facts[base.file], base.id, method) != NONE) return true;
        if (in_bases(pl, t.id, method, depth - 1)) return true;
    }
    return false;
}

/* ---- the class ---- */

typedef struct Home {
    Plan *pl;
    u32 gclass, file, cls;
    const Facts *f;
    const Ast *t;
    u32 node; /* the class definition */
    u8 how;   /* LockHome bits */
} Home;

/* NAME=True among a decorator's arguments; *odd: something that cannot be read. */
static bool says(const Ast *t, u32 decorator, const char *name, bool *odd)
{
    u32 call = ast_first(t, decorator);
    u32 list = ast_is(t, call, NODE_call) ? ast_field(t, call, FIELD_arguments) : NONE;
    for (u32 c = list == NONE ? NONE : ast_first(t, list); c != NONE; c = ast_after(t, c)) {
        if (!ast_is(t, c, NODE_keyword_argument)) {
            *odd = true;
            continue;
        }
        if (!str_is(ast_text(t, ast_field(t, c, FIELD_name)), name)) continue;
        u32 value = ast_field(t, c, FIELD_value);
        *odd |= !ast_is(t, value, NODE_true) && !ast_is(t, value, NODE_false);
        return ast_is(t, value, NODE_true);
    }
    return false;
}

/* A plain dataclass gets the lock in __post_init__. */
static Str dataclass_home(Home *h)
{
    static const Str odd_one = S("the class is a dataclass of a kind of its own");
    u32 up = h->t->v[h->node].parent, decorator = NONE;
    bool odd = false;
    for (u32 c = ast_is(h->t, up, NODE_decorated_definition) ? ast_first(h->t, up) : NONE; c != NONE;
         c = ast_after(h->t, c))
        if (ast_is(h->t, c, NODE_decorator) && str_contains(ast_text(h->t, c), S("dataclass"))) decorator = c;
    if (decorator == NONE) return odd_one;
    if (says(h->t, decorator, "frozen", &odd)) h->how |= HOME_SETATTR;
    if (says(h->t, decorator, "slots", &odd)) return S("the class is a dataclass with slots");
    if (odd || str_contains(ast_text(h->t, decorator), S("init="))) return odd_one;
    if (own_method(h->f, h->cls, "__init__") != NONE) return S("");
    h->how |= HOME_POST_INIT;
    if (own_method(h->f, h->cls, "__post_init__") == NONE && in_bases(h->pl, h->gclass, "__post_init__", 8))
        return S("a base class may have a __post_init__ of its own");
    return S("");
}

static Str decorators_home(Home *h)
{
    const Class *c = &h->f->classes.v[h->cls];
    for (u32 d = c->decorators; d < c->decorators + c->ndecorators; d++) {
        Str text = path_text(h->pl->a, h->f, h->f->decorators.v[d]);
        if (str_is(path_external(h->pl->p, h->file, h->f->decorators.v[d]), "dataclasses.dataclass"))
            return dataclass_home(h);
        if (str_contains(text, S("dataclass")) || str_starts(text, S("attr"))) return S("the class is a dataclass");
    }
    return S("");
}

u32 ast_slots(const Ast *t, u32 class_node)
{
    u32 last = NONE;
    for (u32 n = ast_first(t, ast_field(t, class_node, FIELD_body)); n != NONE; n = ast_after(t, n)) {
        u32 a = ast_is(t, n, NODE_expression_statement) ? ast_first(t, n) : NONE;
        u32 left = ast_is(t, a, NODE_assignment) ? ast_field(t, a, FIELD_left) : NONE;
        if (left == NONE || !str_is(ast_text(t, left), "__slots__")) continue;
        u32 value = ast_field(t, a, FIELD_right);
        bool list = ast_is(t, value, NODE_tuple) || ast_is(t, value, NODE_list);
        if (!list || last != NONE || ast_field(t, a, FIELD_type) != NONE) return NONE;
        for (u32 c = ast_first(t, value); c != NONE; c = ast_after(t, c)) {
            if (!ast_is(t, c, NODE_string)) return NONE;
            last = c;
        }
    }
    return last;
}

/* __slots__ = ("a", "b"), to which a name more can be added. */
static Str slots_home(Home *h)
{
    if (!h->f->classes.v[h->cls].has_slots) return S("");
    h->how |= HOME_SLOTS;
    return ast_slots(h->t, h->node) == NONE ? S("the class has __slots__") : slots_obstacle(h->pl, h->gclass);
}

/* Can hooks of the class itself say how its objects are pickled, as far as this base or derived class of it goes? */
static bool relative_plain(const Home *h, u32 gclass)
{
    GId id = class_gid(h->pl->p, gclass);
    const Facts *f = h->pl->p->facts[id.file];
    for (u32 i = 0; i < COUNT_OF(hooks); i++)
        if (own_method(f, id.id, hooks[i]) != NONE) return false;
    for (u32 i = 0; i < h->pl->out->locks.n; i++) {
        const LockPlan *l = &h->pl->out->locks.v[i];
        if (!l->existing && l->kind == PLACE_INSTANCE && l->owner == gclass && l->home & HOME_STATE) return false;
    }
    return !f->classes.v[id.id].has_slots;
}

/* A base that fills its objects by methods, before they have their state. */
static bool filled_base(const Home *h, const Facts *f, u32 path)
{
    static const char *const names[] = {"__setitem__", "append", "extend"};
    const Path *p = &f->paths.v[path];
    if (p->nattr || p->root != ROOT_GLOBAL) return false;
    Str name = sym_str(f, p->name);
    if (!str_is(name, "dict") && !str_is(name, "list")) return false;
    for (u32 i = 0; i < COUNT_OF(names); i++)
        if (class_own_method(h->pl->p, h->gclass, names[i]) != NONE) return false;
    return true;
}

static bool bases_allow(const Home *h, u32 gclass, u32 depth)
{
    GId id = class_gid(h->pl->p, gclass);
    const Facts *f = h->pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    for (u32 b = c->bases; b < c->bases + c->nbases; b++) {
        Type t = path_type(h->pl->p, id.file, f->bases.v[b]);
        if (t.kind != TYPE_CLASS_OBJECT) {
            if (!base_plain(f, f->bases.v[b]) && !filled_base(h, f, f->bases.v[b])) return false;
        } else if (t.id != h->gclass && (!depth || !relative_plain(h, t.id) || !bases_allow(h, t.id, depth - 1)))
            return false;
    }
    return true;
}

static bool derived_allow(const Home *h, u32 gclass, u32 depth)
{
    derived_index(h->pl);
    for (u32 i = h->pl->derived_first[gclass]; i < h->pl->derived_first[gclass + 1]; i++) {
        u32 d = h->pl->derived[i];
        if (!depth || !relative_plain(h, d) || !bases_allow(h, d, 8) || !derived_allow(h, d, depth - 1)) return false;
    }
    return true;
}

/* Has no base and no subclass hooks of its own, or state that those of the class would not see? */
static bool hooks_decide(const Home *h)
{
    return bases_allow(h, h->gclass, 8) && derived_allow(h, h->gclass, 8);
}

/* The class says itself what is pickled: its hooks are extended. */
static Str hooks_home(Home *h)
{
    StateHooks s;
    bool kind = state_hooks(h->pl->a, h->f, h->t, h->node, &s) && !h->how && hooks_decide(h);
    if (!kind) return method_obstacle(h->pl, h->f, h->cls, 0);
    h->how |= HOME_STATE;
    return method_obstacle(h->pl, h->f, h->cls, STATE_HOOKS);
}

/* Why objects of the class are pickled or copied, in sight or by users, or may be; empty. *plain: hooks are right for
 * them. What is pickled somewhere and not known may be any object that could be, but not one for a service of the
 * process, unless it stands in the program itself that something is pickled; a shallow copy shares the lock, which
 * does no harm. */
static Str copied(Home *h, bool *plain)
{
    Str why = pickled_obstacle(h->pl, h->gclass);
    *plain = why.n > 0;
    if (why.n && h->pl->pickled[h->gclass]) return why;
    Users who = anybody_copies(h->pl, h->gclass);
    if (who == USERS_DO_NOT) return S("");
    if (who == USERS_PERHAPS && why.n) why = h->pl->pickled_sure ? why : S("");
    if (!why.n) why = import_obstacle(h->pl, h->file);
    *plain = true;
    if (why.n || users_copy(h->pl, h->gclass) != USERS_MAY) return why;
    return S("users of the library may pickle or copy its objects, and one with a lock cannot be");
}

/* Objects that are pickled or copied: hooks keep the lock out, where no other class has a say. */
static Str state_home(Home *h)
{
    bool plain;
    if (class_refuses_copies(h->pl, h->gclass)) return method_obstacle(h->pl, h->f, h->cls, COPY_HOOKS);
    if (own_method(h->f, h->cls, "__getstate__") != NONE || own_method(h->f, h->cls, "__setstate__") != NONE)
        return hooks_home(h);
    Str why = method_obstacle(h->pl, h->f, h->cls, 0);
    if (why.n) return why;
    why = copied(h, &plain);
    if (!why.n || !plain || !hooks_decide(h) || (h->how & HOME_SLOTS)) return why;
    h->how |= HOME_STATE;
    return S("");
}

/* The hook by which a class says how its objects are pickled or copied, but for one that refuses; empty. */
static Str own_hook(Plan *pl, u32 gclass)
{
    GId id = class_gid(pl->p, gclass);
    if (class_refuses_copies(pl, gclass)) return S("");
    for (u32 i = 0; i < RELATIVE_HOOKS; i++)
        if (own_method(pl->p->facts[id.file], id.id, hooks[i]) != NONE) return str_from(hooks[i]);
    return S("");
}

static Str hook_obstacle(Plan *pl, u32 gclass)
{
    GId id = class_gid(pl->p, gclass);
    Str hook = own_hook(pl, gclass);
    if (!hook.n) return hook;
    const Facts *f = pl->p->facts[id.file];
    return str_fmt(pl->a, "%.*s has a %.*s of its own, which knows nothing of a lock",
                   STR_ARG(sym_str(f, f->classes.v[id.id].name)), STR_ARG(hook));
}

/* A base that the class has its hooks from. */
static Str base_obstacle(Plan *pl, u32 gclass, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    for (u32 b = c->bases; b < c->bases + c->nbases; b++) {
        Type t = path_type(pl->p, id.file, f->bases.v[b]);
        if (t.kind != TYPE_CLASS_OBJECT || t.id == gclass) continue;
        Str why = hook_obstacle(pl, t.id);
        if (!why.n && depth) why = base_obstacle(pl, t.id, depth - 1);
        if (why.n) return why;
    }
    return S("");
}

/* A class derived from it whose hooks say what its objects are made of: these are pickled or copied, and the
 * lock would go into the state, or be missing after it. */
static Str derived_obstacle(Plan *pl, u32 gclass, u32 depth)
{
    derived_index(pl);
    for (u32 i = pl->derived_first[gclass]; i < pl->derived_first[gclass + 1]; i++) {
        Str why = hook_obstacle(pl, pl->derived[i]);
        if (!why.n && depth) why = derived_obstacle(pl, pl->derived[i], depth - 1);
        if (why.n) return why;
    }
    return S("");
}

static bool one_line_class(const Home *h)
{
    u32 body = ast_first(h->t, ast_field(h->t, h->node, FIELD_body));
    return body == NONE || !stands_first(h->t->source, h->t->v[body].start);
}

/* Why the lock cannot be an attribute of each object; empty when it can, h->how says how. */
static Str class_obstacle(Home *h)
{
    Str why = decorators_home(h);
    if (!why.n) why = slots_home(h);
    if (!why.n && own_method(h->f, h->cls, "__setattr__") != NONE) h->how |= HOME_SETATTR;
    if (!why.n) why = state_home(h);
    if (!why.n && !(h->how & HOME_STATE)) why = base_obstacle(h->pl, h->gclass, 8);
    if (!why.n && !(h->how & HOME_STATE)) why = derived_obstacle(h->pl, h->gclass, 8);
    if (!why.n) why = walked_obstacle(h->pl, h->gclass, (h->how & HOME_STATE) != 0);
    bool init = own_method(h->f, h->cls, "__init__") != NONE || (h->how & HOME_POST_INIT);
    if (!why.n && !init) return S("the class has no __init__ of its own");
    if (!why.n && h->how && one_line_class(h)) return S("its body stands on one line");
    if (!why.n) why = bare_obstacle(h->pl, h->gclass);
    return why.n ? why : subclass_obstacle(h->pl, h->gclass, 8);
}

/* The base that takes no attributes, or makes something else of what stands in a class body (a member, a default that
 * is copied for each object); bases of bases count, and each by the name that its library gives it. Empty. */
static Str closed_base(Plan *pl, u32 gclass, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    for (u32 b = c->bases; b < c->bases + c->nbases; b++) {
        Type t = path_type(pl->p, id.file, f->bases.v[b]);
        if (t.kind == TYPE_CLASS_OBJECT) {
            Str inner = depth ? closed_base(pl, t.id, depth - 1) : S("");
            if (inner.n) return inner;
            continue;
        }
        Str rest, dotted = path_external(pl->p, id.file, f->bases.v[b]);
        Str name = path_last(f, &f->paths.v[f->bases.v[b]]);
        for (Str part = dotted; part.n; part = rest) name = str_cut(part, '.', &rest);
        if (str_among(name, closed_bases, COUNT_OF(closed_bases))) return name;
    }
    return S("");
}

/* ---- the choice ---- */

bool lock_home(Plan *pl, const Place *p, LockPlan *l, Str *why)
{
    if (p->file == NONE) {
        *why = str_fmt(pl->a, "%.*s belongs to another library, which would have to take the same lock",
                       STR_ARG(p->display));
        return false;
    }
    l->file = p->file;
    l->owner = p->owner;
    l->kind = p->kind == PLACE_DEFAULT ? PLACE_GLOBAL : p->kind;
    if (p->kind != PLACE_INSTANCE && p->kind != PLACE_CLASS_ATTR) return true;
    GId id = class_gid(pl->p, p->owner);
    l->file = id.file;
    if (pl->p->facts[id.file]->source->has_pxd) {
        l->kind = PLACE_GLOBAL;
        l->reason =
            S("one lock in the module, because its .pxd file says which attributes the objects have once it is "
              "compiled");
        return true;
    }
    Str closed = closed_base(pl, p->owner, 8);
    if (closed.n) {
        l->kind = PLACE_GLOBAL;
        l->reason =
            str_fmt(pl->a, "one lock in the module, because a %.*s takes no attributes of its own", STR_ARG(closed));
        return true;
    }
    if (p->kind == PLACE_CLASS_ATTR) return true;
    Home h = {.pl = pl, .gclass = p->owner, .file = id.file, .cls = id.id, .f = pl->p->facts[id.file]};
    h.t = site_ast(pl, id.file);
    h.node = ast_definition(h.t, h.f->classes.v[id.id].span);
    Str obstacle = h.node == NONE ? S("its class is not found") : class_obstacle(&h);
    if (!obstacle.n) {
        l->home = h.how;
        if (h.how & HOME_STATE)
            l->reason = str_fmt(pl->a, "%.*s; pickles and copies of its object leave it out", STR_ARG(l->reason));
        else if (users_copy(pl, p->owner) == USERS_PERHAPS)
            l->reason =
                str_fmt(pl->a, "%.*s; an object that has it cannot be pickled or copied deeply", STR_ARG(l->reason));
        return true;
    }
    l->kind = PLACE_CLASS_ATTR;
    l->reason = str_fmt(pl->a, "one lock for all instances, in the class body, because %.*s", STR_ARG(obstacle));
    return true;
}
