/* What changes only while a program is set up: tables that functions called register() or the like, and decorators,
 * fill. Plug-ins do that while they are imported, before there are threads.
 *
 * Needs the accesses of one place and the call edges. A function that registers by its name counts as one that runs
 * later when a context manager calls it, or one that has looked the place up. */
#include "races/races.h"

/* register, _unregister_all, define, enable, patch, configure_logging: what a program does while it is set up. */
static bool sets_up(Str name)
{
    static const char *const verbs[] = {"register", "unregister", "deregister", "enable",    "disable", "patch",
                                        "unpatch",  "install",    "uninstall",  "configure", "define"};
    return str_first_word(name, verbs, COUNT_OF(verbs));
}

/* Does the function itself do something with the place? */
static bool uses_place(const Finder *f, u32 gfunc)
{
    for (u32 i = 0; i < f->nacc; i++) {
        if (access_func(f->p, f->acc[i]) == gfunc) return true;
    }
    return false;
}

bool called_again(const Finder *f, u32 gfunc)
{
    const Program *p = f->p;
    for (u32 i = f->called_first[gfunc]; i < f->called_first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[f->called[i]];
        if (e->weak || e->caller == gfunc || p->funcs[e->caller].import_time) continue;
        GId c = func_gid(p, e->caller);
        if (!c.id) continue; /* a module body */
        const Facts *cf = p->facts[c.file];
        const Func *fn = &cf->funcs.v[c.id];
        if (is_test_path(cf->source->path) || sets_up(sym_str(cf, fn->name))) continue;
        if ((fn->is_generator && yields_once(p, cf, fn)) || uses_place(f, e->caller)) return true;
    }
    return false;
}

/* Does the function register what it is given, itself or by a lambda that it hands on? A wrapper in a decorator runs
 * with each call. */
static bool decorates(const Program *p, u32 file, u32 func, u32 inside, const Func *own)
{
    return p->funcs[gfunc_of(p, file, func)].hands_back && (!inside || (inside == 1 && own->is_lambda));
}

/* Does the function, or one around it, say that it registers; or is it a decorator that does? What a decorator
 * factory returns runs when it decorates, too; the wrapper in that runs with each call. A context manager that
 * disables something does so again and again, for the time of a block. */
static bool registers(const Finder *finder, u32 ga)
{
    enum { AT_ONCE = 1 }; /* functions inside of a factory that run when it decorates */
    const Program *p = finder->p;
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Func *own = &f->funcs.v[f->accesses.v[g.id].func];
    if (own->is_generator && yields_once(p, f, own)) return false;
    u32 inside = 0;
    for (u32 fn = f->accesses.v[g.id].func; fn; fn = f->funcs.v[fn].parent, inside++)
        if ((inside <= AT_ONCE && p->funcs[gfunc_of(p, g.file, fn)].decorates_once) ||
            ((sets_up(sym_str(f, f->funcs.v[fn].name)) || decorates(p, g.file, fn, inside, own)) &&
             !called_again(finder, gfunc_of(p, g.file, fn))))
            return true;
    return false;
}

/* n = len(numbers) + 1; numbers[cls] = n; return n: register() by its name, but two callers get one number. So they
 * do when it returns what it has counted up. */
static bool hands_out_numbers(const Finder *finder, u32 ga)
{
    const Program *p = finder->p;
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    if (a->op == OP_AUG) return func_returns(p, g.file, a->func, a->path);
    const Def *d = a->op == OP_ITEM_STORE && a->value != NONE ? &f->defs.v[a->value] : NULL;
    if (!d || d->kind != VAL_PATH || f->paths.v[d->value].root != ROOT_LOCAL) return false;
    if (!func_returns(p, g.file, a->func, d->value)) return false;
    for (u32 i = 0; i < f->flows.n; i++) {
        u32 from = p->access_base[g.file] + f->flows.v[i].from;
        if (f->flows.v[i].to == g.id && p->access_place[from] == finder->place &&
            str_is(access_method(p, from), "len"))
            return true;
    }
    return false;
}

bool only_set_up(const Finder *f)
{
    bool any = false;
    for (u32 i = 0; i < f->nacc; i++) {
        if (!(f->effect[i] & (EFFECT_GROW | EFFECT_SHRINK | EFFECT_REBIND)) || !access_counts(f->p, f->acc[i]))
            continue;
        if (!registers(f, f->acc[i]) || hands_out_numbers(f, f->acc[i])) return false;
        any = true;
    }
    return any;
}
