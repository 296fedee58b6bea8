/* Classes that keep their own objects: one for all, or one for each set of arguments.
 *
 *   class Once(type):                          the __call__ of a metaclass stores what type.__call__ makes
 *       def __call__(cls, *args): cls._instances[cls] = super().__call__(*args)
 *   def __new__(cls): cls._one = super().__new__(cls)
 *   @classmethod
 *   def default(cls): cls._default = cls()     also from outside, Client._default = Client()
 *   ARCHIVES[path] = Archive(path)             by its key, in a table of the module
 *   @lru_cache
 *   def archive(path): return Archive(path)    likewise, in a table of functools
 *
 * Who asks for the object gets the one that is there, whichever thread asks. With a metaclass or a __new__ nobody
 * gets any other, nor do those who ask for one of a class derived from it. What a classmethod keeps is one of many
 * when others make objects of the class, too (made_elsewhere, guards.c).
 *
 * Needs types and call edges. Not seen: __metaclass__ of Python 2. */
#include "link/link.h"

enum { DEPTH = 6 };

/* Is the item stored by its key? cls.instances.append(x) keeps account of all objects, each of which has its user. */
static bool by_key(const Facts *f, u32 def)
{
    const Func *fn = &f->funcs.v[f->defs.v[def].func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++)
        if (f->accesses.v[i].op == OP_ITEM_STORE && f->accesses.v[i].value == def) return true;
    return false;
}

/* cls._one = …, cls._instances[key] = …, Client._one = …, by the class's own functions. */
static bool kept_on_class(const Program *p, u32 file, u32 def, u8 own)
{
    const Def *d = &p->facts[file]->defs.v[def];
    const Path *x = &p->facts[file]->paths.v[d->path];
    u32 nattr = x->nattr;
    while (nattr && x->attr[nattr - 1] == SYM_ITEM) nattr--;
    if (nattr != 1 || x->truncated || d->augmented) return false;
    if (nattr != x->nattr && !by_key(p->facts[file], def)) return false;
    if (x->root == own) return true;
    Ent e = path_resolve(p, file, x, 0);
    return x->root == ROOT_GLOBAL && e.kind == ENT_CLASS;
}

/* super().__new__(cls), object.__new__(cls), type.__call__(cls, …) */
static bool makes_bare(const Facts *f, const Call *c, Str method)
{
    const Path *x = &f->paths.v[c->callee];
    if (!x->nattr || !str_eq(path_last(f, x), method)) return false;
    Str root = sym_str(f, x->name);
    return x->nattr == 1 && (x->root == ROOT_SUPER || x->root == ROOT_CALL || str_is(root, "object") ||
                             str_is(root, "type"));
}

/* Does the function store on its class what `method` of the base makes: at once, or by way of a local? */
static bool keeps_made(const Program *p, u32 file, u32 func, Str method, u8 own)
{
    const Facts *f = p->facts[file];
    if (func_asks_thread(p, file, func)) return false; /* each thread has objects of its own */
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->func != func || d->path == NONE || !kept_on_class(p, file, i, own)) continue;
        if (d->kind == VAL_CALL && makes_bare(f, &f->calls.v[d->value], method)) return true;
        if (d->kind != VAL_PATH || f->paths.v[d->value].root != ROOT_LOCAL || f->paths.v[d->value].nattr) continue;
        u32 at = map_get(&p->state->local_defs, local_key(file, func, f->paths.v[d->value].name));
        for (; at != NONE; at = p->state->defrefs.v[at].next) {
            const Def *made = &f->defs.v[p->state->defrefs.v[at].def];
            if (made->kind == VAL_CALL && makes_bare(f, &f->calls.v[made->value], method)) return true;
        }
    }
    return false;
}

static void single(const Program *p, u32 gclass, u32 depth)
{
    ClassInfo *c = &p->state->classes[gclass];
    c->singleton = true;
    for (u32 i = 0; i < c->subs.n && depth; i++) single(p, c->subs.v[i], depth - 1);
}

static void by_making(const Program *p, u32 gclass)
{
    u32 file;
    const Class *k = program_class(p, gclass, &file);
    u32 made = class_own_method(p, gclass, "__new__");
    if (p->tests[file]) return;
    if (made != NONE && keeps_made(p, func_gid(p, made).file, func_gid(p, made).id, S("__new__"), ROOT_CLS))
        single(p, gclass, DEPTH);
    if (k->metaclass == NONE) return;
    Ent meta = path_entity(p, file, k->metaclass);
    u32 call = meta.kind == ENT_CLASS ? class_own_method(p, meta.id, "__call__") : NONE;
    if (call != NONE && keeps_made(p, func_gid(p, call).file, func_gid(p, call).id, S("__call__"), ROOT_SELF))
        single(p, gclass, DEPTH);
}

/* Objects of derived classes that only the base's classmethod makes. */
static void made_by_base(const Program *p, u32 gclass, u32 depth)
{
    const ClassInfo *c = &p->state->classes[gclass];
    for (u32 i = 0; i < c->subs.n && depth; i++) {
        ClassInfo *sub = &p->state->classes[c->subs.v[i]];
        sub->singleton |= !sub->made_elsewhere;
        made_by_base(p, c->subs.v[i], depth - 1);
    }
}

/* ARCHIVES[path] = Archive(path): by its key, in a table of the module. */
static bool kept_in_table(const Program *p, u32 file, u32 def)
{
    const Def *d = &p->facts[file]->defs.v[def];
    Path x = p->facts[file]->paths.v[d->path];
    if (x.root != ROOT_GLOBAL || x.nattr != 1 || x.attr[0] != SYM_ITEM || x.truncated || d->augmented) return false;
    x.nattr = 0;
    Ent e = path_resolve(p, file, &x, 0);
    return e.kind == ENT_PLACE && p->places.v[e.id].kind == PLACE_GLOBAL && by_key(p->facts[file], def) &&
           !under_own_key(p, file, d);
}

/* cls._default = cls(), Client._default = Client(): an object of the class, kept on a class. */
static void by_storing(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    if (p->tests[file] || is_script(p, file)) return;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->kind != VAL_CALL || d->path == NONE || !d->func) continue;
        if (!kept_on_class(p, file, i, ROOT_CLS) && !kept_in_table(p, file, i)) continue;
        Type t = call_type(p, file, d->value);
        const Path *callee = &f->paths.v[f->calls.v[d->value].callee];
        if (t.kind != TYPE_CLASS) continue;
        p->state->classes[t.id].kept_globally++;
        if (callee->root == ROOT_CLS && !callee->nattr) made_by_base(p, t.id, DEPTH);
    }
}

/* @lru_cache def archive(path): return Archive(path) */
static void by_memo(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    if (p->tests[file] || is_script(p, file)) return;
    for (u32 i = 1; i < f->funcs.n; i++) {
        const Func *fn = &f->funcs.v[i];
        if (!fn->ndecorators || fn->parent || !is_memoised(p, file, fn)) continue;
        const Def *d = one_return(p, (GId){file, i});
        const Path *x = d && d->kind == VAL_PATH ? &f->paths.v[d->value] : NULL;
        if (x && x->root == ROOT_LOCAL && !x->nattr) d = local_def(p, file, i, x->name);
        Ent e =
            d && d->kind == VAL_CALL ? path_entity(p, file, f->calls.v[d->value].callee) : (Ent){.kind = ENT_NONE};
        if (e.kind == ENT_CLASS) p->state->classes[e.id].kept_globally++;
    }
}

void singles_find(Program *p)
{
    for (u32 i = 0; i < p->state->nclasses; i++) by_making(p, i);
    for (u32 file = 0; file < p->nfiles; file++) {
        by_storing(p, file);
        by_memo(p, file);
    }
}
