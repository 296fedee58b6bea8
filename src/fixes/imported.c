/* The judgement no-import-inside: may a module be imported while the lock is held?
 *
 * Python holds a lock of its own for each module while its body runs. A thread that imports under our lock may wait
 * for a body that another thread runs, and if that body comes to our lock, both wait for ever. So it is asked whether
 * it can: the bodies of the module, of its packages and of all that they import are followed to the functions whose
 * regions or sections take the lock. The body of a library's module calls nothing of the program, unless the program
 * hooks into imports. What is only known by a computed name may be anything. Import statements in the functions that
 * the region calls count like its own; what they import by a computed name, waits.c finds. */
#include "fixes/fixes.h"

static bool hooks_imports(Plan *pl)
{
    static const char *const names[] = {"meta_path", "path_hooks", "when_imported", "register_post_import_hook",
                                        "import_hook"};
    if (pl->hooks) return pl->hooks == 2;
    pl->hooks = 1;
    for (u32 i = 0; i < pl->p->nfiles; i++)
        for (u32 k = 0; k < COUNT_OF(names); k++)
            if (intern_find(&pl->p->facts[i]->syms, str_from(names[k])) != NONE) pl->hooks = 2;
    return pl->hooks == 2;
}

/* The functions that take the lock, now or with the fixes of its group. They are marked when a module is found that
 * may lead to one of them: for most regions there is none. */
typedef struct LockUsers {
    Plan *pl;
    const LockPlan *lock;
    u32 mark; /* 0: not yet */
    u32 left; /* functions still to be looked at */
} LockUsers;

static void mark_users(LockUsers *u)
{
    Plan *pl = u->pl;
    if (u->mark) return;
    u->mark = u->lock && u->lock->existing ? mark_takers(pl, u->lock->lock) : ++pl->marks;
    for (u32 i = 0; i < pl->ngroup; i++)
        for (u32 k = 0; k < pl->group[i]->regions.n; k++) {
            const Region *r = &pl->group[i]->regions.v[k];
            pl->mark[gfunc_of(pl->p, r->file, r->func)] = u->mark;
        }
}

static bool import_reaches(LockUsers *u, u32 file, const Import *m);

/* May the body of the module, or one that it imports, come to a marked function? */
static bool body_reaches(LockUsers *u, u32 file)
{
    Plan *pl = u->pl;
    if (file == NONE || pl->file_seen[file] == pl->epoch) return false;
    pl->file_seen[file] = pl->epoch;
    mark_users(u);
    if (reach_function(pl, gfunc_of(pl->p, file, 0), u->mark, &u->left)) return true;
    const Facts *f = pl->p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++)
        if (f->imports.v[i].func == 0 && !f->imports.v[i].typing && import_reaches(u, file, &f->imports.v[i]))
            return true;
    return false;
}

/* The module, what is imported from it if that is one, and the packages that they are in. */
static bool import_reaches(LockUsers *u, u32 file, const Import *m)
{
    const Plan *pl = u->pl;
    u32 from = import_file(pl->p, file, m);
    Ent e = import_target(pl->p, file, m, 0);
    u32 also = e.kind == ENT_MODULE ? e.id : NONE;
    if (body_reaches(u, from) || body_reaches(u, also)) return true;
    if (from == NONE) from = also;
    Str name = from == NONE ? S("") : pl->p->facts[from]->source->module;
    for (size_t dot; (dot = str_rfind(name, '.')) != name.n;) {
        name = str_slice(name, 0, dot);
        if (body_reaches(u, module_find(pl->p, name))) return true;
    }
    return false;
}

/* The first import in the region that may lead to the lock; NULL. */
static const Import *bad_import(Plan *pl, const Region *r, const LockPlan *lock)
{
    const Facts *f = pl->p->facts[r->file];
    if (!pl->file_seen) pl->file_seen = arena_new(pl->a, u32, pl->p->nfiles + 1);
    LockUsers u = {.pl = pl, .lock = lock, .left = reach_start(pl)};
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *m = &f->imports.v[i];
        if (m->span.start < r->span.start || m->span.end > r->span.end) continue;
        if (hooks_imports(pl) || import_reaches(&u, r->file, m)) return m;
    }
    return NULL;
}

enum { BELOW_MAX = 200 };

/* An import statement further down, in a function that g is or calls for certain, that may lead to the lock; NONE, or
 * the function. */
static u32 import_below(LockUsers *u, u32 g, u32 *seen, u32 *nseen)
{
    Plan *pl = u->pl;
    for (u32 i = 0; i < *nseen; i++)
        if (seen[i] == g) return NONE;
    if (*nseen == BELOW_MAX) return NONE;
    seen[(*nseen)++] = g;
    GId id = func_gid(pl->p, g);
    const Facts *f = pl->p->facts[id.file];
    for (u32 i = 0; i < f->imports.n; i++)
        if (f->imports.v[i].func == id.id && id.id &&
            (hooks_imports(pl) || import_reaches(u, id.file, &f->imports.v[i])))
            return g;
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1]; i++) {
        if (pl->p->edges.v[i].weak) continue;
        u32 found = import_below(u, pl->p->edges.v[i].callee, seen, nseen);
        if (found != NONE) return found;
    }
    return NONE;
}

static Verdict imports_below(Plan *pl, const Region *r, const LockPlan *lock, Str *why)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    u32 *seen = arena_new(pl->a, u32, BELOW_MAX), nseen = 0;
    LockUsers u = {.pl = pl, .lock = lock, .left = reach_start(pl)};
    for (u32 k = fn->calls; k < fn->calls + fn->ncalls; k++) {
        const Call *c = &f->calls.v[k];
        if (c->span.start < r->span.start || c->span.end > r->span.end) continue;
        u32 targets[8], n = call_candidates(pl->p, r->file, k, targets, COUNT_OF(targets));
        for (u32 i = 0; i < n; i++) {
            u32 g = import_below(&u, targets[i], seen, &nseen);
            if (g == NONE) continue;
            *why = str_fmt(pl->a,
                           "line %u leads to %.*s() while the lock is held, which imports a module, and the module's "
                           "body may need the same lock",
                           c->line, STR_ARG(func_display(pl->a, pl->p, g)));
            return VERDICT_UNSAFE;
        }
    }
    return VERDICT_OK;
}

Verdict no_import(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 k = fn->calls; k < fn->calls + fn->ncalls; k++) {
        const Call *c = &f->calls.v[k];
        if (c->span.start < r->span.start || c->span.end > r->span.end || !runs_any_code(pl, r->file, c)) continue;
        *why = str_fmt(pl->a,
                       "line %u may run code of other modules while the lock is held, and that may need the "
                       "same lock",
                       c->line);
        return VERDICT_UNSAFE;
    }
    const Import *m = bad_import(pl, r, lock);
    if (!m) return imports_below(pl, r, lock, why);
    u32 line, column;
    source_position(site_source(pl, r->file), m->span.start, &line, &column);
    *why = str_fmt(
        pl->a, "line %u imports a module while the lock is held, and the module's body may need the same lock", line);
    return VERDICT_UNSAFE;
}
