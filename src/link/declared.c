/* What comments at the definition of state, or where `x: int` declares it, say of it: `# guarded-by: NAME`,
 * `# ungil: thread-confined`, `# ungil: single-threaded` (docs/usage.md). NAME is looked up as Python would where the
 * comment stands: a lock of the same object or class, bases included, else of the function, else what the name is in
 * the module, an import too; it may be dotted, and `self` and `cls` are the object and the class. */
#include "link/link.h"
#include "link/locks.h"

static const Ent unnamed = {ENT_NONE, NONE, NONE, NONE};

/* Is the name an attribute that the class, a base, or a class that a mixin is mixed into really has? */
static bool class_has(const Program *p, u32 gclass, u32 gs)
{
    u32 bits;
    return class_attr_owner(p, gclass, gs, &bits) != NONE || class_completed_by(p, gclass, gs, false) != NONE;
}

/* One attribute further, as ent_attr, but nothing is made up for a name that no class has. */
static Ent attr_there(const Program *p, Ent e, u32 gs)
{
    if (e.kind == ENT_PLACE) {
        Type t = ent_type(p, e);
        if (t.kind == TYPE_CLASS) e = (Ent){ENT_INSTANCE, t.id, NONE, NONE};
    }
    if ((e.kind == ENT_INSTANCE || e.kind == ENT_CLASS) && !class_has(p, e.id, gs)) return unnamed;
    return ent_attr(p, e, gs);
}

/* The state of that name of the function around a closure variable, or of one around that. */
static Ent local_named(const Program *p, u32 gfunc, u32 gs)
{
    GId g = func_gid(p, gfunc);
    for (u32 func = g.id; func; func = p->facts[g.file]->funcs.v[func].parent)
        for (u32 l = 0; l < p->places.n; l++) {
            const Place *y = &p->places.v[l];
            if (y->kind == PLACE_CLOSURE && y->name == gs && y->owner == gfunc_of(p, g.file, func))
                return (Ent){ENT_PLACE, l, NONE, NONE};
        }
    return unnamed;
}

/* What the first part of the name is for the place x. */
static Ent first_named(const Program *p, const Place *x, Str name)
{
    bool of_class = (x->kind == PLACE_INSTANCE || x->kind == PLACE_CLASS_ATTR) && x->owner != NONE;
    if (of_class && str_is(name, "self")) return (Ent){ENT_INSTANCE, x->owner, NONE, NONE};
    if (of_class && str_is(name, "cls")) return (Ent){ENT_CLASS, x->owner, NONE, NONE};
    u32 gs = intern_find(&p->syms, name), def_file = x->def_file;
    Ent e = unnamed;
    if (gs == NONE) return e;
    if (of_class)
        e = attr_there(p, (Ent){ENT_INSTANCE, x->owner, NONE, NONE}, gs);
    else if (x->kind == PLACE_CLOSURE && x->owner != NONE)
        e = local_named(p, x->owner, gs);
    if (e.kind == ENT_NONE) e = module_lookup(p, def_file, gs, 0);
    if (e.kind == ENT_NONE && module_find(p, name) != NONE) e = (Ent){ENT_MODULE, module_find(p, name), NONE, NONE};
    return e;
}

/* The lock that the comment at a definition of the place, in that file, names; NONE. */
static u32 lock_named(Program *p, const Place *at, u32 file, Str want)
{
    Place x = *at; /* looking names up can make places */
    x.def_file = file;
    Ent e = first_named(p, &x, str_cut(want, '.', &want));
    while (want.n && e.kind != ENT_NONE) {
        u32 gs = intern_find(&p->syms, str_cut(want, '.', &want));
        e = gs == NONE ? unnamed : attr_there(p, e, gs);
    }
    if (e.kind != ENT_PLACE || e.id == NONE) return NONE;
    Type t = place_type(p, e.id);
    if (type_is_lock(t.kind)) return lock_at(p, e.id);
    bool by_name = t.kind == TYPE_UNKNOWN || t.kind == TYPE_CLASS || t.kind == TYPE_NONE;
    if (!by_name || !sounds_like_lock(p->syms.strs[p->places.v[e.id].name])) return NONE;
    return lock_of_place(p, e.id, TYPE_UNKNOWN, true);
}

/* x: int, without a value: a field of a dataclass, or a name that is assigned elsewhere. */
static bool only_declares(const Facts *f, const Def *d)
{
    Str rest = str_slice(f->source->text, d->span.end, f->source->text.n);
    return d->augmented && d->kind == VAL_OTHER && str_starts(str_trim(str_slice(rest, 0, MIN(rest.n, 4))), S(":"));
}

/* A definition of a place at which a comment may stand: the first that assigns it, or one that declares it. */
typedef struct Spot {
    u32 file, line; /* NONE: there is no further one */
    u32 next;       /* in the chain of the place's definitions */
} Spot;

static Spot spot_at(const Program *p, u32 file, u32 def, u32 next)
{
    u32 line, column;
    source_position(p->facts[file]->source, p->facts[file]->defs.v[def].span.start, &line, &column);
    return (Spot){file, line, next};
}

static Spot spot_next(const Program *p, u32 at)
{
    const LinkState *s = p->state;
    for (; at != NONE; at = s->defrefs.v[at].next) {
        const DefRef *d = &s->defrefs.v[at];
        const Facts *f = p->facts[d->file];
        if (f->comments.n && only_declares(f, &f->defs.v[d->def]))
            return spot_at(p, d->file, d->def, s->defrefs.v[at].next);
    }
    return (Spot){NONE, NONE, NONE};
}

static Spot spot_first(const Program *p, u32 place)
{
    const Place *x = &p->places.v[place];
    u32 chain = map_get(&p->state->place_defs, place);
    if (x->def == NONE || !p->facts[x->def_file]->comments.n) return spot_next(p, chain);
    return spot_at(p, x->def_file, x->def, chain);
}

void declarations_apply(Program *p)
{
    for (u32 i = 0; i < p->places.n; i++)
        for (Spot at = spot_first(p, i); at.file != NONE; at = spot_next(p, at.next)) {
            const Facts *f = p->facts[at.file];
            for (u32 k = 0; k < f->comments.n; k++) {
                const Comment *c = &f->comments.v[k];
                if (at.line < c->first_line || at.line > c->last_line) continue;
                if (c->kind == COMMENT_THREAD_CONFINED || c->kind == COMMENT_SINGLE_THREADED)
                    p->places.v[i].confined = true;
                if (c->kind != COMMENT_GUARDED_BY || p->places.v[i].declared_guard != NONE) continue;
                u32 lock = lock_named(p, &p->places.v[i], at.file, sym_str(f, c->codes));
                p->places.v[i].declared_guard = lock;
            }
        }
}

enum { STANDS = 1, MET = 2 }; /* at a definition of state; at one that it gave a lock to */

/* What became of the comments of each file, by the comment's index; NULL for files without any. */
static u8 **comments_met(Arena *a, const Program *p)
{
    u8 **met = arena_new(a, u8 *, p->nfiles);
    for (u32 i = 0; i < p->nfiles; i++)
        if (p->facts[i]->comments.n) met[i] = arena_new(a, u8, p->facts[i]->comments.n);
    for (u32 i = 0; i < p->places.n; i++)
        for (Spot at = spot_first(p, i); at.file != NONE; at = spot_next(p, at.next)) {
            const Facts *f = p->facts[at.file];
            for (u32 k = 0; k < f->comments.n; k++)
                if (at.line >= f->comments.v[k].first_line && at.line <= f->comments.v[k].last_line)
                    met[at.file][k] |= p->places.v[i].declared_guard != NONE ? STANDS | MET : STANDS;
        }
    return met;
}

static Str why_unmet(Arena *a, const Facts *f, const Comment *c, bool stands)
{
    Str name = sym_str(f, c->codes);
    if (!stands)
        return S("'# guarded-by' has no effect: it stands at no definition of state; write it on the line that first "
                 "assigns it");
    if (!name.n) return S("'# guarded-by:' has no effect: it names no lock");
    return str_fmt(a,
                   "'# guarded-by: %.*s' has no effect: no lock of that name is known in the class, its bases or the "
                   "module",
                   STR_ARG(name));
}

void declarations_unmet(Arena *a, const Program *p, NoteVec *notes)
{
    u8 **met = comments_met(a, p);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 k = 0; k < f->comments.n; k++) {
            const Comment *c = &f->comments.v[k];
            if (c->kind != COMMENT_GUARDED_BY || met[file][k] & MET) continue;
            vec_push(a, notes,
                     (Note){.path = f->source->path,
                            .line = c->first_line,
                            .code = "guarded-by-unknown",
                            .message = why_unmet(a, f, c, met[file][k] & STANDS)});
        }
    }
}
