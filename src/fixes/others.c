/* Code of others below a region or a section: calls of what whoever uses the program has passed in or stored.
 *
 * A lock that is there already, and that some section holds over such code, may be taken again by that code in the
 * same thread; so it is not taken anew where the code can come to (lock.c, cover.c). Follows certain calls down,
 * KNOWN_LIMIT functions at most. foreign.c asks a narrower question about new locks: is something called that was
 * plainly given, so that other threads wait for nobody knows what? comeback.c asks a wider one: is there anything
 * that is not known? */
#include "fixes/fixes.h"

/* A method of containers, queues, events, files, times and locks, or one of what is named like a log. */
static bool quiet_method(const Facts *f, const Path *p)
{
    Str name = path_last(f, p), of = sym_str(f, p->nattr > 1 ? p->attr[p->nattr - 2] : p->name);
    if (known_method(name, AS_PLAIN) || known_method(name, AS_QUIET)) return true;
    bool log = str_contains(of, S("log")) || str_contains(of, S("LOG"));
    return log && known_method(name, AS_LOG);
}

/* self._append = self._queue.append, Lock = threading.RLock: does the place hold a method of a container, or a
 * function of the library? */
static bool holds_plain(const Plan *pl, Ent e)
{
    const Place *place = e.kind == ENT_PLACE ? &pl->p->places.v[e.id] : NULL;
    if (!place || place->def == NONE) return false;
    const Facts *f = pl->p->facts[place->def_file];
    const Def *d = &f->defs.v[place->def];
    const Path *p = d->kind == VAL_PATH ? &f->paths.v[d->value] : NULL;
    if (p && path_external(pl->p, place->def_file, d->value).n) return true;
    return p && p->nattr && type_is_plain(ent_type(pl->p, path_resolve(pl->p, place->def_file, p, p->nattr - 1u)));
}

/* Does the call run code that whoever uses the program has passed in or stored: a parameter, what an attribute or a
 * container holds, a method of an object of a class not known? */
static bool open_call(Plan *pl, u32 file, u32 call)
{
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *p = &f->paths.v[c->callee];
    u32 target, n = call_targets(pl->p, file, call, &target, 1);
    if (p->root == ROOT_PARAM && !p->nattr)
        return path_type(pl->p, file, c->callee).kind != TYPE_CLASS_OBJECT &&
               (!n || pl->p->funcs[gfunc_of(pl->p, file, c->func)].api);
    if (n || p->truncated || p->root == ROOT_SUPER || p->root == ROOT_UNKNOWN) return false;
    if (path_external(pl->p, file, c->callee).n || path_from_library(pl, file, p, 8)) return false;
    Ent e = path_resolve(pl->p, file, p, p->nattr);
    Type t = ent_type(pl->p, e);
    if (t.kind == TYPE_CLASS_OBJECT || t.kind == TYPE_EXTERNAL || t.kind == TYPE_FUNC || holds_plain(pl, e))
        return false;
    if (!p->nattr) return e.kind == ENT_PLACE || p->root == ROOT_LOCAL;
    if (p->attr[p->nattr - 1] == SYM_ITEM || e.kind == ENT_PLACE) return true;
    return receiver_unknown(pl->p, file, p) && !quiet_method(f, p);
}

/* A search for such calls: for the first one, or for the names of all methods that are called so. */
typedef struct Open {
    u32 left;      /* functions still to be looked at */
    SymVec *names; /* NULL: the first one will do */
    bool found;
} Open;

static void open_span(Plan *pl, Open *o, u32 file, u32 func, Span span);

static void open_below(Plan *pl, Open *o, u32 g)
{
    if (pl->seen[g] == pl->epoch || !o->left) return;
    o->left--;
    pl->seen[g] = pl->epoch;
    GId id = func_gid(pl->p, g);
    open_span(pl, o, id.file, id.id, program_func(pl->p, g)->span);
}

static void open_span(Plan *pl, Open *o, u32 file, u32 func, Span span)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    u32 g = gfunc_of(pl->p, file, func);
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls && !(o->found && !o->names); i++) {
        if (!span_within(f->calls.v[i].span, span) || !open_call(pl, file, i)) continue;
        const Path *p = &f->paths.v[f->calls.v[i].callee];
        bool method = path_is_attr(p);
        u32 name = method ? intern_find(&pl->p->syms, path_last(f, p)) : NONE;
        o->found = true;
        if (o->names && name != NONE) vec_push(pl->a, o->names, name);
    }
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1] && !(o->found && !o->names); i++) {
        const CallEdge *e = &pl->p->edges.v[i];
        if (e->file != file || !edge_within(pl->p, e, span)) continue;
        open_below(pl, o, e->callee);
    }
}

bool reach_open(Plan *pl, u32 file, u32 func, Span span)
{
    Open o = {.left = KNOWN_LIMIT};
    pl->epoch++;
    open_span(pl, &o, file, func, span);
    return o.found;
}

static void lock_open_find(Plan *pl, u32 lock, OpenLock *out)
{
    for (u32 i = pl->taker_first[lock]; i < pl->taker_first[lock + 1]; i++) {
        GId id = func_gid(pl->p, pl->taker[i]);
        const Facts *f = pl->p->facts[id.file];
        const Func *fn = &f->funcs.v[id.id];
        for (u32 s = fn->sections; s < fn->sections + fn->nsections; s++) {
            if (pl->p->section_lock[pl->p->section_base[id.file] + s] != lock) continue;
            Open o = {.left = KNOWN_LIMIT, .names = &out->names};
            pl->epoch++;
            open_span(pl, &o, id.file, id.id, f->sections.v[s].span);
            if (!o.found || out->where.n) continue;
            u32 line, column;
            source_position(f->source, f->sections.v[s].stmt, &line, &column);
            out->where = str_fmt(pl->a, "%.*s:%u", STR_ARG(f->source->path), line);
        }
    }
}

/* Does a method of the program lead to the function that has a name of those that are called on objects not known? */
static bool named_leads(Plan *pl, const SymVec *names, u32 g)
{
    const LinkState *s = pl->p->state;
    u32 left = reach_start(pl);
    pl->mark[g] = ++pl->marks;
    for (u32 i = 0; i < names->n; i++)
        for (u32 m = map_get(&s->method_names, names->v[i]); m != NONE; m = s->method_list.v[m].next)
            if (reach_function(pl, s->method_list.v[m].def, pl->marks, &left) && left) return true;
    return false;
}

Str lock_open(Plan *pl, u32 lock, u32 gfunc)
{
    if (!pl->open) pl->open = arena_new(pl->a, OpenLock, pl->p->locks.n + 1);
    OpenLock *o = &pl->open[lock];
    if (!o->known) lock_open_find(pl, lock, o);
    o->known = true;
    return o->where.n && (pl->p->funcs[gfunc].api || named_leads(pl, &o->names, gfunc)) ? o->where : S("");
}
