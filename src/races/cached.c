/* UG104 for what cachetools keeps: @cached(cache) and @cachedmethod(lambda self: self.cache) without a lock.
 *
 * The decorator looks the key up, calls the function and stores what it returned, as steps of its own; with `lock=`
 * it takes that lock around the look-up and around the store. Its caches are documented as not thread-safe: even a
 * look-up changes the order of an LRUCache, and two stores that make room at the same time raise KeyError.
 * (cachetools, "Memoizing decorators"; a plain dict in its place only computes twice.)
 *
 * Needs types and the evidence of places. A method's cache counts where something shows that its object is shared. */
#include "races/races.h"

enum { CACHE, KEY, LOCK }; /* the order of the parameters */

static bool takes_lock(const Facts *f, const Call *c)
{
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *a = &f->args.v[c->args + i];
        if (a->star || (a->keyword == SYM_EMPTY ? i >= LOCK : str_is(sym_str(f, a->keyword), "lock"))) return true;
    }
    return false;
}

static const Arg *cache_arg(const Facts *f, const Call *c)
{
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *a = &f->args.v[c->args + i];
        if (a->keyword == SYM_EMPTY ? i == CACHE : str_is(sym_str(f, a->keyword), "cache")) return a;
    }
    return NULL;
}

/* @cached(TTLCache(10, 60)), @cached(_cache) */
static bool is_cache(const Program *p, u32 file, const Arg *a)
{
    const Facts *f = p->facts[file];
    if (a->kind == VAL_PATH) return path_type(p, file, a->value).kind == TYPE_CACHE;
    if (a->kind != VAL_CALL) return false;
    Str ext = path_external(p, file, f->calls.v[a->value].callee);
    return str_starts(ext, S("cachetools.")) && str_ends(ext, S("Cache"));
}

/* lambda self: self.cache: the place of the attribute in the class of the method, or NONE. */
static u32 lambda_place(const Program *p, u32 file, u32 cls, const Arg *a)
{
    const Facts *f = p->facts[file];
    if (a->kind != VAL_LAMBDA || cls == NONE) return NONE;
    const Func *fn = &f->funcs.v[a->value];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Path *x = &f->paths.v[f->accesses.v[i].path];
        if (x->root != ROOT_PARAM || x->nattr != 1) continue;
        Str name = sym_str(f, x->attr[0]);
        u32 k = class_places(p, p->class_base[file] + cls);
        while (k != NONE && !str_eq(p->syms.strs[p->places.v[k].name], name)) k = p->places.v[k].sibling;
        if (k != NONE) return k;
    }
    return NONE;
}

static bool shown_shared(const Place *x)
{
    u32 kept = EV_MODULE | EV_SINGLETON | EV_DECORATOR | EV_PART | EV_HANDED;
    return x->evidence & (kept | EV_GUARDED | EV_CLASS_LOCKS | EV_PURPOSE);
}

static void report(Finder *f, u32 file, const Call *c, bool method, Str state, Confidence conf)
{
    Race *r = race_at(f, UG104, file, c->decorates, c->span, state, conf);
    r->impact = IMPACT_WORSE;
    race_why(f, r, method ? "cachetools says that a cache which several threads use needs a lock"
                          : "the cache belongs to the function, and is shared by all threads that call it");
    race_message(f, r,
                 "cachetools.%s keeps what this returns without a lock; two threads may both compute it, and making "
                 "room for an entry while another thread does raises KeyError: pass lock=",
                 method ? "cachedmethod" : "cached");
}

void race_cached(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    if (is_test_path(x->source->path)) return;
    for (u32 i = 0; i < x->calls.n; i++) {
        const Call *c = &x->calls.v[i];
        if (!c->is_decorator || c->decorates == NONE || x->funcs.v[c->decorates].is_async) continue;
        Str ext = path_external(p, file, c->callee);
        bool method = str_is(ext, "cachetools.cachedmethod");
        if ((!method && !str_is(ext, "cachetools.cached")) || takes_lock(x, c)) continue;
        const Arg *a = cache_arg(x, c);
        Str name = sym_str(x, x->funcs.v[c->decorates].name);
        if (!a) continue;
        if (!method && is_cache(p, file, a)) report(f, file, c, method, name, CONF_MEDIUM);
        u32 place = method ? lambda_place(p, file, x->funcs.v[c->decorates].cls, a) : NONE;
        if (place != NONE && p->places.v[place].type.kind == TYPE_CACHE)
            report(f, file, c, method, p->places.v[place].display,
                   shown_shared(&p->places.v[place]) ? CONF_MEDIUM : CONF_LOW);
    }
}
