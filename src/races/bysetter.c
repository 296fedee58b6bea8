/* UG101 about a value that is set for the time of a block by a function that sets it:
 *
 *   def set_current(graph):                 @contextmanager
 *       global current                      def use(graph):
 *       current = graph                         old = get_current()
 *                                               set_current(graph)
 *                                               try: yield
 *                                               finally: set_current(old)
 *
 * likewise __enter__ and __exit__ of one class, and a function that sets it back in a finally. All threads see the
 * value meanwhile, and of two such blocks at once, one restores the other's. What the functions set themselves is
 * save.c's and onentry.c's.
 *
 * Needs the accesses of one place and the call edges. A setter stores its parameter and asks nothing, or fills a dict
 * of settings by update(), and then gets at the end what a call gave before; both ends of the block call it. Not
 * seen: one end that calls it and one that stores itself. Only state that is one for all: globals, class attributes,
 * and attributes of an object that a global holds. A lock within the setter is no help. */
#include "races/races.h"

enum { CALLERS = 100, SETTERS = 8 }; /* as many are looked at */

/* One end of a block: the function that sets the value, and where. */
typedef struct End {
    u32 gfunc, block;
    u32 call; /* in the function's file */
    Span span;
} End;

/* Is it a function whose own block stores its parameter in the place, whatever is there? */
static bool is_setter(const Finder *f, u32 ga)
{
    const Program *p = f->p;
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    const Def *d = a->op == OP_STORE && a->func ? stored_def(p, ga) : NULL;
    if (!d || d->kind != VAL_PATH || d->augmented || fn->is_generator || fn->is_async) return false;
    const Path *v = &x->paths.v[d->value];
    bool given = v->root == ROOT_PARAM && !v->nattr && v->func == a->func;
    return given && x->blocks.v[past_with(x, a->block)].parent == NONE && !p->funcs[access_func(p, ga)].construct;
}

/* settings.update(given), in a function that is given what it goes by: does it set some of the settings for all? */
static bool fills_settings(const Finder *f, u32 ga)
{
    const Program *p = f->p;
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    if (a->op != OP_METHOD || a->nargs != 1 || !str_is(access_method(p, ga), "update") || !a->func) return false;
    if (p->places.v[f->place].type.kind != TYPE_DICT || fn->is_generator || fn->is_async) return false;
    return fn->nparams > (fn->cls != NONE && !fn->is_static ? 1u : 0u) &&
           x->blocks.v[past_with(x, a->block)].parent == NONE && !p->funcs[access_func(p, ga)].construct;
}

static const Func *func_of(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    return &p->facts[g.file]->funcs.v[g.id];
}

static bool named(const Program *p, u32 gfunc, const char *name)
{
    return str_is(sym_str(p->facts[func_gid(p, gfunc).file], func_of(p, gfunc)->name), name);
}

/* Are the two ends those of one block: with a yield of a context manager between them, in __enter__ and __exit__, or
 * the second one in a finally? */
static bool of_one_block(const Program *p, const End *a, const End *b)
{
    GId g = func_gid(p, a->gfunc), h = func_gid(p, b->gfunc);
    const Facts *x = p->facts[g.file];
    if (g.file != h.file) return false;
    if (g.id != h.id)
        return x->funcs.v[g.id].cls != NONE && x->funcs.v[g.id].cls == x->funcs.v[h.id].cls &&
               named(p, a->gfunc, "__enter__") && named(p, b->gfunc, "__exit__");
    if (a->span.end > b->span.start) return false;
    const Func *fn = &x->funcs.v[g.id];
    if (fn->is_generator && !yields_once(p, x, fn)) return false;
    return changed_back_surely(p, x, g.id, (Moment){a->span.end, a->block}, (Moment){b->span.start, b->block});
}

/* saved = get_settings() … set_settings(**saved): is the second end given what a call before the first one gave? */
static bool gets_back(const Program *p, const End *set, const End *back)
{
    GId g = func_gid(p, set->gfunc), h = func_gid(p, back->gfunc);
    const Facts *x = p->facts[g.file];
    const Call *c = &p->facts[h.file]->calls.v[back->call];
    if (g.file != h.file || c->nargs != 1) return false;
    Span at = x->args.v[c->args].span;
    while (at.start < at.end && x->source->text.p[at.start] == '*') at.start++;
    Str name = str_slice(x->source->text, at.start, at.end);
    for (u32 i = 0; i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        if (d->func == g.id && d->kind == VAL_CALL && !d->is_return && d->span.end <= set->span.start &&
            str_eq(str_slice(x->source->text, d->span.start, d->span.end), name))
            return true;
    }
    return false;
}

/* Does the function take a lock around both ends? */
static bool held_over(const Program *p, const End *a, const End *b)
{
    GId g = func_gid(p, a->gfunc);
    if (a->gfunc != b->gfunc) return false;
    return p->funcs[a->gfunc].entry_locks || spots_in_section(p, g.file, g.id, a->span.start, b->span.start, NULL);
}

/* The calls of the setter, CALLERS at most. */
static u32 ends_of(const Finder *f, u32 setter, End out[CALLERS])
{
    const Program *p = f->p;
    u32 n = 0;
    for (u32 i = f->called_first[setter]; i < f->called_first[setter + 1] && n < CALLERS; i++) {
        const CallEdge *e = &p->edges.v[f->called[i]];
        if (e->weak || e->call == NONE || !func_gid(p, e->caller).id || e->caller == setter) continue;
        const Call *c = &p->facts[e->file]->calls.v[e->call];
        if (func_gid(p, e->caller).file == e->file && func_gid(p, e->caller).id == c->func)
            out[n++] = (End){e->caller, c->block, e->call, c->span};
    }
    return n;
}

/* The first pair of ends that belong to one block; false when there is none. */
static bool block_among(const Finder *f, const End *ends, u32 n, bool settings, u32 *first, u32 *second)
{
    for (*first = 0; *first < n; (*first)++) {
        const FuncInfo *fi = &f->p->funcs[ends[*first].gfunc];
        if (fi->import_time || (!fi->nroots && !fi->api)) continue;
        for (*second = 0; *second < n; (*second)++)
            if (*first != *second && of_one_block(f->p, &ends[*first], &ends[*second]) &&
                (!settings || gets_back(f->p, &ends[*first], &ends[*second])) &&
                !held_over(f->p, &ends[*first], &ends[*second]))
                return true;
    }
    return false;
}

static void report(Finder *f, u32 store, const End *set, const End *back, Conflict c)
{
    const Program *p = f->p;
    GId g = func_gid(p, set->gfunc);
    u32 column, back_line;
    source_position(p->facts[g.file]->source, back->span.start, &back_line, &column);
    Race *r = race_add_at(f, UG101, store, c, g.file, g.id, set->span);
    r->by_shape = true;
    r->by_hand = "a context variable or a thread-local attribute is right, not a lock";
    race_message(f, r,
                 "%.*s is set here for the time of the block, by %.*s, and set back on line %u; other threads see "
                 "the value meanwhile, and of two such blocks at once, one restores the other's",
                 STR_ARG(short_state(p, f->place)), STR_ARG(func_display(f->a, p, access_func(p, store))), back_line);
}

static bool one_for_all(const Place *x)
{
    if (x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR) return x->file != NONE;
    return x->kind == PLACE_INSTANCE && x->evidence & EV_SINGLETON;
}

void race_by_setter(Finder *f)
{
    const Program *p = f->p;
    if (!one_for_all(&p->places.v[f->place])) return;
    End ends[CALLERS];
    for (u32 i = 0, seen = 0; i < f->nacc && seen < SETTERS; i++) {
        u32 store = f->acc[i], first, second;
        bool settings = fills_settings(f, store);
        if (!settings && !is_setter(f, store)) continue;
        seen++;
        u32 n = ends_of(f, access_func(p, store), ends);
        if (!n || !block_among(f, ends, n, settings, &first, &second)) continue;
        Conflict c = conflict_find(f, store, EFFECT_WRITE | EFFECT_READ, true);
        if (c.witness == NONE && !may_run_together(p, store, store)) continue;
        if (c.witness == NONE) c = (Conflict){store, CONF_MEDIUM, false}; /* a lock in the setter */
        report(f, store, &ends[first], &ends[second], c);
        return;
    }
}
