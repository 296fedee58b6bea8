/* Whose attribute is it when the type of the object is unknown? The attribute's name may tell:
 *
 *   o.__name within a class body  is mangled with the name of that class, so it is that class's, whatever o is
 *   o._name                       is that of the one class of the program that sets self._name, if the access stands
 *                                 in its file or its folder: private names are used beside their class
 *   self of an inner function     of a class body, which is a decorator there, is an object of that class
 *   o.start_time_by_pid           likewise, where a public name is long and of several words, and nothing else in a
 *                                 class of the program has it
 *   o._name                       that is only set by f._name = self, in methods of one class, and not to anything
 *                                 else, is an object of that class: how a wrapper is tied to its decorator
 *   def f(host): host.failures    in the file of the class Host, whose objects have that, is an object of it
 *
 * Only attributes that hold something, no methods: a guessed method would lead to code that is never called. */
#include "link/link.h"

enum { SEVERAL = NONE - 1, SHORTEST = 4, TELLING = 15 };

static bool private_name(Str s)
{
    return s.n >= SHORTEST && s.p[0] == '_' && s.p[1] != '_';
}

/* A name that hardly two authors choose: long, of several words. */
static bool telling_name(Str s)
{
    if (s.n < TELLING || s.p[0] == '_') return false;
    for (size_t i = 1; i + 1 < s.n; i++)
        if (s.p[i] == '_') return true;
    return false;
}

/* Names that Python itself gives to attributes of functions and objects. */
static bool of_python(Str s)
{
    static const char *const names[] = {"__self__",  "__class__", "__func__", "__wrapped__", "__dict__",
                                        "__cause__", "__name__",  "__doc__",  "__context__"};
    return str_among(s, names, COUNT_OF(names));
}

/* f._name = self, or f._name = something else. */
static void held_index(Program *p, u32 file, const Def *d, const Path *x)
{
    const Facts *f = p->facts[file];
    Str name = x->nattr ? path_last(f, x) : S("");
    if (name.n < SHORTEST || name.p[0] != '_' || of_python(name)) return;
    const Path *v = d->kind == VAL_PATH ? &f->paths.v[d->value] : NULL;
    bool local = x->root == ROOT_LOCAL || x->root == ROOT_PARAM;
    u32 cls = local && x->nattr == 1 && v && v->root == ROOT_SELF && !v->nattr ? root_class(p, file, v) : SEVERAL;
    if (cls == NONE) cls = SEVERAL;
    u32 *at = map_at(p->state->a, &p->state->held_class, gsym(p, file, x->attr[x->nattr - 1]));
    *at = *at == NONE || *at == cls ? cls : SEVERAL;
}

static void owner_add(Program *p, u32 gs, u32 owner)
{
    u32 *at = map_at(p->state->a, &p->state->private_owner, gs);
    *at = *at == NONE || *at == owner ? owner : SEVERAL;
}

/* Public names are also those of methods, of what stands in a class body, and of what o.name = … gives to objects
 * that are not self: functions, modules. What o.name += 1 adds to, somebody else gave. */
static void public_names(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 1; i < f->funcs.n; i++)
        if (f->funcs.v[i].cls != NONE && telling_name(sym_str(f, f->funcs.v[i].name)))
            owner_add(p, gsym(p, file, f->funcs.v[i].name), SEVERAL);
    for (u32 i = 0; i < f->defs.n; i++) {
        const Path *x = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
        if (!x) continue;
        if (x->root == ROOT_CLASS && telling_name(sym_str(f, x->name))) owner_add(p, gsym(p, file, x->name), SEVERAL);
        if (f->defs.v[i].augmented) continue; /* o.name += 1: it is there already */
        if (path_is_attr(x) && !(x->root == ROOT_SELF && x->nattr == 1) && telling_name(path_last(f, x)))
            owner_add(p, gsym(p, file, x->attr[x->nattr - 1]), SEVERAL);
    }
}

/* Where types are known: after params_link. */
void owners_index(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        public_names(p, file);
        for (u32 i = 0; i < f->defs.n; i++) {
            if (f->defs.v[i].path == NONE) continue;
            const Path *x = &f->paths.v[f->defs.v[i].path];
            held_index(p, file, &f->defs.v[i], x);
            Str name = x->root == ROOT_SELF && x->nattr == 1 ? sym_str(f, x->attr[0]) : S("");
            if (!private_name(name) && !telling_name(name)) continue;
            u32 cls = root_class(p, file, x), gs = gsym(p, file, x->attr[0]), bits;
            u32 owner = cls == NONE ? NONE : class_attr_owner(p, cls, gs, &bits);
            if (owner != NONE) owner_add(p, gs, owner);
        }
    }
}

u32 class_around(const Program *p, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    for (; func; func = f->funcs.v[func].parent)
        if (f->funcs.v[func].cls != NONE) return gclass_of(p, file, f->funcs.v[func].cls);
    return NONE;
}

static bool same_folder(const Program *p, u32 file, u32 gclass)
{
    u32 home;
    program_class(p, gclass, &home);
    return str_eq(str_folder(p->facts[file]->source->path), str_folder(p->facts[home]->source->path));
}

u32 held_by_name(const Program *p, u32 file, u32 attr)
{
    u32 cls = map_get(&p->state->held_class, gsym(p, file, attr));
    return cls == NONE || cls == SEVERAL || !same_folder(p, file, cls) ? NONE : cls;
}

/* Is the name that of the class, written as names of variables are: http_client of HTTPClient? */
static bool named_after(Str name, Str cls)
{
    size_t k = 0;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '_') continue;
        if (k == cls.n || (cls.p[k] | 0x20) != (name.p[i] | 0x20)) return false;
        k++;
    }
    return k && k == cls.n;
}

/* def report(self, host): host.failures += 1, in the file of the class Host, whose objects have that. */
static u32 class_of_argument(const Program *p, u32 file, const Path *x, u32 gs)
{
    const Facts *f = p->facts[file];
    u32 bits;
    if (x->root != ROOT_PARAM || x->nattr != 1) return NONE;
    u32 own = class_around(p, file, x->func); /* merge(self, scope): another Scope, and what it has is not self's */
    for (u32 i = 0; i < f->classes.n; i++) {
        u32 cls = gclass_of(p, file, i);
        if (cls == own) continue;
        if (named_after(sym_str(f, x->name), sym_str(f, f->classes.v[i].name)) &&
            class_attr_owner(p, cls, gs, &bits) != NONE && class_method(p, cls, gs, false) == NONE)
            return cls;
    }
    return NONE;
}

u32 owner_by_name(const Program *p, u32 file, const Path *x, u32 attr)
{
    Str name = sym_str(p->facts[file], attr);
    u32 gs = gsym(p, file, attr), bits;
    if (str_starts(name, S("__")) && !str_ends(name, S("__"))) {
        bool scoped = x->root == ROOT_LOCAL || x->root == ROOT_PARAM;
        u32 cls = scoped ? class_around(p, file, x->func) : NONE;
        return cls == NONE || class_attr_owner(p, cls, gs, &bits) == NONE ? NONE : cls;
    }
    u32 named = class_of_argument(p, file, x, gs);
    if (named != NONE) return named;
    if (!private_name(name) && !telling_name(name)) return NONE;
    u32 owner = map_get(&p->state->private_owner, gs);
    return owner == NONE || owner == SEVERAL || !same_folder(p, file, owner) ? NONE : owner;
}
