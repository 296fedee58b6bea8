/* Paths: how the source names objects, and the locals that merely stand for one.
 *
 * A local that is assigned once, from a path, is an alias: what is done to it is done to the object behind the path.
 * Not an alias: a local whose path is assigned anew later in the same function (items = self.items; self.items = []),
 * since then the local keeps the old object for itself. The result of an accessor (accessor.c) stands for what that
 * hands out, in a local or not. */
#include "facts/accessor.h"

static bool path_same(const Path *a, const Path *b)
{
    if (a->root != b->root || a->nattr != b->nattr || a->func != b->func || a->name != b->name) return false;
    for (u32 i = 0; i < a->nattr; i++)
        if (a->attr[i] != b->attr[i]) return false;
    return a->truncated == b->truncated;
}

static u64 path_hash(const Path *p)
{
    u64 h = hash_mix(p->root | (u64)p->nattr << 8 | (u64)p->truncated << 16, map_key(p->func, p->name));
    for (u32 i = 0; i < p->nattr; i++) h = hash_mix(h, p->attr[i]);
    return h & ~(1ull << 63);
}

u32 path_id(Walk *w, Path p)
{
    u32 *first = map_at(w->scratch, &w->path_ids, path_hash(&p));
    for (u32 i = *first; i != NONE; i = w->path_next.v[i])
        if (path_same(&w->f->paths.v[i], &p)) return i;
    vec_push(w->a, &w->f->paths, p);
    vec_push(w->scratch, &w->path_next, *first);
    *first = w->f->paths.n - 1;
    return *first;
}

Path path_attr(Path p, u32 sym)
{
    if (p.nattr == PATH_ATTRS)
        p.truncated = true;
    else
        p.attr[p.nattr++] = sym;
    return p;
}

/* The first parameter of a method is its object or its class. */
static u8 param_root(const Walk *w, u32 func, u32 sym)
{
    const Func *f = &w->f->funcs.v[func];
    if (f->cls == NONE || f->is_static || f->is_lambda || !f->nparams) return ROOT_PARAM;
    const Param *first = &w->f->params.v[f->params];
    if (first->name != sym || first->star || first->star2) return ROOT_PARAM;
    return f->is_classmethod ? ROOT_CLS : ROOT_SELF;
}

Path path_name(Walk *w, u32 sym)
{
    if (w->cls != NONE && bind_bits(w, w->cls | CLASS_SCOPE, sym) & ~(u32)BIND_GLOBAL)
        return (Path){.root = ROOT_CLASS, .func = w->cls, .name = sym};
    for (u32 f = w->func; f != 0; f = w->f->funcs.v[f].parent) {
        u32 bits = bind_bits(w, f, sym);
        if (bits & BIND_GLOBAL) break;
        if (bits & BIND_NONLOCAL) continue;
        if (bits & BIND_PARAM) {
            u8 root = param_root(w, f, sym);
            /* A method that assigns its own self (self = …) no longer names its object. */
            if (root != ROOT_PARAM && bits & BIND_ASSIGN) root = ROOT_PARAM;
            return (Path){.root = root, .func = f, .name = sym};
        }
        if (bits & BIND_LOCAL) return (Path){.root = ROOT_LOCAL, .func = f, .name = sym};
    }
    u32 bits = bind_bits(w, 0, sym);
    if (bits == BIND_COMPREHENSION) return (Path){.root = ROOT_LOCAL, .func = 0, .name = sym};
    return (Path){.root = ROOT_GLOBAL, .name = sym};
}

/* The one Def that makes a local an alias, or NONE. */
typedef struct Alias {
    Map def; /* (func, name) → def id; NONE - 1 when there are several */
    Accessors accessors;
} Alias;

enum { SEVERAL = NONE - 1 };

/* The path that the Def makes its local stand for. */
static bool stands_for(Walk *w, const Alias *al, const Def *d, Path *out)
{
    if (d->kind == VAL_CALL) return accessor_path(w, &al->accessors, d->value, out);
    if (d->kind != VAL_PATH && d->kind != VAL_ITER_OF) return false;
    *out = w->f->paths.v[d->value];
    return true;
}

static void alias_count(Walk *w, Alias *al)
{
    Path seen;
    for (u32 i = 0; i < w->f->defs.n; i++) {
        const Def *d = &w->f->defs.v[i];
        if (d->path == NONE) continue;
        const Path *p = &w->f->paths.v[d->path];
        if (p->root != ROOT_LOCAL || p->nattr) continue;
        u32 *at = map_at(w->scratch, &al->def, map_key(p->func, p->name));
        bool usable = !d->augmented && stands_for(w, al, d, &seen);
        /* for t in threads: … twice: both times the same alias */
        bool again = *at != NONE && *at != SEVERAL && usable && w->f->defs.v[*at].kind == d->kind &&
                     w->f->defs.v[*at].value == d->value;
        if (!again) *at = *at == NONE && usable ? i : SEVERAL;
    }
}

static bool stored_later(const Walk *w, const Def *d, u32 path)
{
    const Func *f = &w->f->funcs.v[d->func];
    for (u32 i = f->accesses; i < f->accesses + f->naccesses; i++) {
        const Access *a = &w->f->accesses.v[i];
        if (a->path == path && (a->op == OP_STORE || a->op == OP_DEL) && a->span.start > d->span.start) return true;
    }
    return false;
}

static Path alias_of(Walk *w, Alias *al, Path p, u32 depth)
{
    if (depth == 0) return p;
    Path q;
    if (p.root == ROOT_CALL && accessor_path(w, &al->accessors, p.func, &q)) {
        for (u32 i = 0; i < p.nattr; i++) q = path_attr(q, p.attr[i]);
        return q;
    }
    if (p.root != ROOT_LOCAL) return p;
    u32 id = map_get(&al->def, map_key(p.func, p.name));
    if (id == NONE || id == SEVERAL) return p;
    const Def *d = &w->f->defs.v[id];
    if (d->func != p.func || !stands_for(w, al, d, &q) || stored_later(w, d, path_id(w, q))) return p;
    q = alias_of(w, al, q, depth - 1);
    if (q.root == ROOT_UNKNOWN || (q.root == ROOT_LOCAL && q.func == p.func && q.name == p.name)) return p;
    if (d->kind == VAL_ITER_OF) q = path_attr(q, SYM_ITEM);
    for (u32 i = 0; i < p.nattr; i++) q = path_attr(q, p.attr[i]);
    return q;
}

bool op_of_binding(u8 op)
{
    return op == OP_LOAD || op == OP_STORE || op == OP_DEL || op == OP_AUG || op == OP_TRUTH || op == OP_ARG ||
           op == OP_RETURN;
}

void aliases_resolve(Walk *w)
{
    Alias al = {.accessors = accessors_find(w)};
    alias_count(w, &al);
    u32 n = w->f->paths.n;
    u32 *to = arena_new(w->scratch, u32, n);
    for (u32 i = 0; i < n; i++) to[i] = path_id(w, alias_of(w, &al, w->f->paths.v[i], 4));
    for (u32 i = 0; i < w->f->accesses.n; i++) {
        Access *a = &w->f->accesses.v[i];
        const Path *p = &w->f->paths.v[a->path];
        if (to[a->path] != a->path && !(p->nattr == 0 && op_of_binding(a->op))) a->path = to[a->path];
    }
    for (u32 i = 0; i < w->f->calls.n; i++) w->f->calls.v[i].callee = to[w->f->calls.v[i].callee];
    for (u32 i = 0; i < w->f->sections.n; i++)
        if (w->f->sections.v[i].path != NONE) w->f->sections.v[i].path = to[w->f->sections.v[i].path];
    for (u32 i = 0; i < w->f->args.n; i++)
        if (w->f->args.v[i].kind == VAL_PATH) w->f->args.v[i].value = to[w->f->args.v[i].value];
    for (u32 i = 0; i < w->f->defs.n; i++) {
        Def *d = &w->f->defs.v[i];
        if (d->kind == VAL_PATH || d->kind == VAL_ITER_OF || d->kind == VAL_ENTER_OF || d->kind == VAL_ONE_OF)
            d->value = to[d->value];
        if (d->item_of != NONE) d->item_of = to[d->item_of];
        if (d->path != NONE && w->f->paths.v[d->path].nattr) d->path = to[d->path];
    }
}
