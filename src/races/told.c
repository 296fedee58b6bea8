/* UG101 about an object that all share, which is told what it is to work on and then set to work:
 *
 *   CHECK = Range(0, 10)                          class Range:
 *                                                     def bind(self, field):
 *   def clean(field, value):                              self.field = field
 *       CHECK.bind(field)
 *       return CHECK(value)                           def __call__(self, value): … self.field …
 *
 * Of two threads in clean() at once one works with what the other has told. The second call has to be given what the
 * first one left, or each caller needs an object of its own.
 *
 * Needs the accesses of one place, an attribute that is set to parameters only, and the calls of the methods that do
 * so: the caller must call a method of the same object next, by the same name, which reads the attribute. What
 * prepares an object for good, open() and start(), is followed by uses as well, and says so by its name. */
#include "races/races.h"

/* self.field = field, with a parameter as it came. */
static bool keeps_param(const Program *p, u32 ga)
{
    const Def *d = stored_def(p, ga);
    const Access *a = program_access(p, ga);
    const Facts *x = p->facts[access_file(p, ga)];
    if (a->op != OP_STORE || !d || d->kind != VAL_PATH || a->block != x->funcs.v[a->func].block) return false;
    const Path *q = &x->paths.v[d->value], *to = &x->paths.v[a->path];
    return q->root == ROOT_PARAM && !q->nattr && q->func == a->func && to->root == ROOT_SELF && to->nattr == 1;
}

/* Is it set to nothing else but None, and in no more than one method? */
static bool only_told(const Finder *f, u32 store)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        const Def *d = stored_def(f->p, ga);
        if (!(f->effect[i] & EFFECT_WRITE) || ga == store || !access_counts(f->p, ga)) continue;
        if (program_access(f->p, ga)->op != OP_STORE || !d || d->kind != VAL_NONE) return false;
    }
    return true;
}

static bool prepares(Str name)
{
    static const char *const words[] = {"init",      "start",    "open",   "connect", "setup",  "load",
                                        "configure", "register", "add",    "refresh", "create", "enter",
                                        "build",     "install",  "attach", "update"};
    return str_has_any(name, words, COUNT_OF(words));
}

/* CHECK.bind and CHECK.run, or CHECK itself: are both of one object, by the same name? `told` is the callee of the
 * first call. */
static bool same_object(const Facts *x, u32 told, u32 used, u32 func)
{
    const Path *a = &x->paths.v[told], *b = &x->paths.v[used];
    bool known = a->root == ROOT_GLOBAL || (a->root == ROOT_SELF && a->nattr > 1);
    if (!known || !a->nattr || a->root != b->root || a->name != b->name || a->truncated || b->truncated) return false;
    if (a->root == ROOT_SELF && (a->func != func || b->func != func)) return false;
    u32 n = a->nattr - 1u;
    return (b->nattr == n || b->nattr == n + 1u) && !memcmp(a->attr, b->attr, n * sizeof *a->attr);
}

/* The access by which the function reads the place, without a test whether it is set; NONE. */
static u32 read_in(const Finder *f, u32 gfunc)
{
    for (u32 i = 0; i < f->nacc; i++)
        if (access_func(f->p, f->acc[i]) == gfunc && !(f->effect[i] & EFFECT_WRITE)) return f->acc[i];
    return NONE;
}

/* What the function that made the call calls next on the object, and which reads the place: the read, NONE. */
static u32 used_next(const Finder *f, const CallEdge *told)
{
    const Program *p = f->p;
    const Facts *x = p->facts[told->file];
    const Call *c = &x->calls.v[told->call];
    for (u32 e = p->edge_first[told->caller]; e < p->edge_first[told->caller + 1]; e++) {
        const CallEdge *next = &p->edges.v[e];
        const Call *d = edge_call(p, next);
        if (!d || next->callee == told->callee || d->span.start < c->span.end) continue;
        if (!block_within(x, d->block, c->block) || !same_object(x, c->callee, d->callee, c->func)) continue;
        if (spots_in_section(p, told->file, c->func, c->span.start, d->span.start, NULL)) continue;
        const Facts *nx = p->facts[func_gid(p, next->callee).file];
        u32 read = prepares(sym_str(nx, program_func(p, next->callee)->name)) ? NONE : read_in(f, next->callee);
        if (read != NONE) return read;
    }
    return NONE;
}

/* The call that tells, by a function that other threads may run; NULL. */
static const CallEdge *telling(const Finder *f, u32 store, u32 *read)
{
    const Program *p = f->p;
    u32 gfunc = access_func(p, store);
    for (u32 i = f->called_first[gfunc]; i < f->called_first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[f->called[i]];
        const FuncInfo *fi = &p->funcs[e->caller];
        if (!edge_call(p, e) || p->tests[e->file] || fi->import_time || (!fi->api && !fi->nroots)) continue;
        *read = used_next(f, e);
        if (*read != NONE) return e;
    }
    return NULL;
}

void race_told(Finder *f)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    if (x->kind != PLACE_INSTANCE || x->is_lock || x->of != NONE) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 store = f->acc[i], read = NONE;
        if (f->claimed[store] || !keeps_param(p, store) || !access_counts(p, store) || !only_told(f, store)) continue;
        const Facts *fx = p->facts[access_file(p, store)];
        if (prepares(sym_str(fx, fx->funcs.v[program_access(p, store)->func].name))) continue;
        const CallEdge *e = telling(f, store, &read);
        Conflict c = e ? conflict_of(f, store, read) : (Conflict){.witness = NONE};
        if (c.witness == NONE || conflict_of(f, store, store).witness == NONE) continue;
        Race *r = race_of_call(f, store, read, c);
        const Facts *cx = p->facts[e->file];
        r->by_shape = cx->paths.v[cx->calls.v[e->call].callee].root == ROOT_GLOBAL; /* one object for all who call */
        race_message(
            f, r,
            "%.*s is set here for the caller on line %u of %.*s, whose next call reads it on line %u; of two "
            "callers at once, one works with what the other has set",
            STR_ARG(short_state(p, f->place)), p->facts[e->file]->calls.v[e->call].line,
            STR_ARG(p->facts[e->file]->source->path), program_access(p, read)->line);
        return;
    }
}
