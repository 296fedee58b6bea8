/* Planner "guard": every write of a place under one lock.
 *
 * A lock on one side of a race protects nothing, so the unit is the place. For each race the region runs
 * from the statement that reads or tests to the one that acts; every other write of the place that can run
 * at the same time as the race becomes a region of its own, since a lone store beside a guarded update can
 * be lost. Plain reads stay as they are, unless the race says that it harms them. Places whose regions overlap, or
 * that change in the same statements, get one lock.
 *
 * plan_guard only collects regions (regions.c makes them); guard_finish (group.c) chooses locks when the regions of
 * all places are known. */
#include "fixes/regions.h"

bool access_writes(const Program *p, u32 gaccess)
{
    return access_effect(p, gaccess) & EFFECT_WRITE;
}

static bool in_construction(const Plan *pl, const Work *w, u32 gaccess)
{
    const Access *a = program_access(pl->p, gaccess);
    const FuncInfo *f = &pl->p->funcs[access_func(pl->p, gaccess)];
    if (a->func == 0 || f->import_time || a->in_nested_def) return true;
    if (access_alone(pl->p, gaccess) == ALONE_OWN) return true; /* of an object that nobody else has yet */
    return f->construct && pl->p->places.v[w->place].kind == PLACE_INSTANCE;
}

static const FuncInfo *func_of_access(const Plan *pl, u32 gaccess)
{
    return &pl->p->funcs[access_func(pl->p, gaccess)];
}

static bool runs_with_race(const Plan *pl, const Work *w, u32 gaccess)
{
    for (u32 i = 0; i < w->races.n; i++) {
        const Race *r = &pl->races->v[w->races.v[i]];
        for (u32 k = 0; k < r->nsites; k++)
            if (r->sites[k] == gaccess || may_run_together(pl->p, gaccess, r->sites[k])) return true;
    }
    return false;
}

/* May the access run beside the race once a lock shows that objects of the class are shared? Until then a method that
 * only callers of the library reach does not count (link/program.c). */
static bool runs_once_guarded(const Plan *pl, const Work *w, u32 gaccess)
{
    const FuncInfo *fi = func_of_access(pl, gaccess);
    if (pl->p->places.v[w->place].kind != PLACE_INSTANCE || !fi->api || !access_counts(pl->p, gaccess)) return false;
    for (u32 i = 0; i < w->races.n; i++) {
        const Race *r = &pl->races->v[w->races.v[i]];
        for (u32 k = 0; k < r->nsites; k++) {
            const FuncInfo *other = func_of_access(pl, r->sites[k]);
            if ((other->nroots || other->api) && !(other->event_loop && fi->event_loop)) return true;
        }
    }
    return false;
}

/* What only walks the container walks a copy. */
static bool walk_add(Plan *pl, Work *w, u32 site, bool race)
{
    Region r;
    if (!snapshot_region(pl, w, site, &r)) return false;
    r.race = race;
    if (region_find(pl, w, r.file, r.func, r.span) == NONE) vec_push(pl->a, &w->regions, r);
    return true;
}

/* What only asks for an entry and uses it takes the entry once; is it so taken already? */
static bool take_add(Plan *pl, Work *w, const Race *race)
{
    Region r;
    if (!take_region(pl, w, race, &r)) return false;
    for (u32 i = 0; i < w->regions.n; i++)
        if (w->regions.v[i].taken && w->regions.v[i].file == r.file && w->regions.v[i].first == r.first) return true;
    vec_push(pl->a, &w->regions, r);
    return true;
}

/* Fields that belong together: one region over both stores, and one wherever both are read. */
static void torn_regions(Plan *pl, Work *w, const Race *r)
{
    u32 sibling = r->sites[2], other = pl->p->access_place[sibling];
    const Place *p = &pl->p->places.v[w->place];
    region_add(pl, w, sibling, r->sites[0], true);
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        GId id = access_gid(pl->p, g);
        const Access *a = program_access(pl->p, g);
        const Func *fn = &pl->p->facts[id.file]->funcs.v[a->func];
        bool both = false;
        for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++)
            both |= pl->p->facts[id.file]->accesses.v[k].stmt == a->stmt &&
                    pl->p->access_place[pl->p->access_base[id.file] + k] == other;
        if (both && !access_writes(pl->p, g) && !in_construction(pl, w, g)) region_add(pl, w, g, g, true);
    }
}

static void reader_regions(Plan *pl, Work *w)
{
    const Place *p = &pl->p->places.v[w->place];
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        if (!access_writes(pl->p, g) && !in_construction(pl, w, g) && runs_with_race(pl, w, g))
            region_add(pl, w, g, g, false);
    }
}

static void race_regions(Plan *pl, Work *w, const Race *r)
{
    if (r->rule == UG105 && r->nsites >= 3) {
        torn_regions(pl, w, r);
        return;
    }
    if (r->test != NONE && r->act != NONE && !take_add(pl, w, r)) region_add(pl, w, r->test, r->act, true);
    if (r->readers) reader_regions(pl, w);
    for (u32 i = 0; i < r->nsites; i++) {
        u32 site = r->sites[i];
        bool odd = i == 0 && r->test == NONE; /* the reported one, even when it reads */
        if (pl->p->access_place[site] != w->place || (!odd && !access_writes(pl->p, site)) ||
            in_construction(pl, w, site))
            continue;
        if (odd && !access_writes(pl->p, site) && walk_add(pl, w, site, true)) continue;
        region_add(pl, w, write_source(pl, w, site), site, true);
    }
}

/* __del__, weakref callbacks and signal handlers run in the middle of anything, in any thread, whatever the call
 * edges say: a lock that they do not take excludes them not, and the finding is cured with them or not at all. */
static bool interrupts(const Plan *pl, const Work *w, u32 gaccess)
{
    GId id = access_gid(pl->p, gaccess);
    Region r = {.file = id.file, .func = program_access(pl->p, gaccess)->func, .access = gaccess};
    return pl->finalizer[gfunc_of(pl->p, r.file, r.func)] == FINAL_DIRECT && !final_own(pl, w, &r);
}

static void other_writes(Plan *pl, Work *w)
{
    const Place *p = &pl->p->places.v[w->place];
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        bool first = p->kind == PLACE_CLOSURE && access_func(pl->p, g) == p->owner;
        if (first || !access_writes(pl->p, g) || in_construction(pl, w, g)) continue;
        bool final = interrupts(pl, w, g);
        if (!final && !runs_with_race(pl, w, g) && !runs_once_guarded(pl, w, g)) continue;
        region_add(pl, w, write_source(pl, w, g), g, final);
    }
}

/* entries = groups[key]; groups[key] = entries + new: an entry is read and replaced, and what others put into the
 * entry meanwhile goes with the old one. Changes of the containers that this one holds belong under the lock, too. */
static void entry_writes(Plan *pl, Work *w)
{
    bool replaced = false;
    for (u32 i = 0; i < w->regions.n; i++) {
        const Region *r = &w->regions.v[i];
        replaced |= r->race && r->test != NONE && program_access(pl->p, r->test)->op == OP_ITEM_LOAD &&
                    program_access(pl->p, r->access)->op == OP_ITEM_STORE;
    }
    for (u32 k = 0; replaced && k < pl->p->places.n; k++) {
        const Place *q = &pl->p->places.v[k];
        if (q->of != w->place) continue;
        for (u32 i = q->first; i < q->first + q->n; i++) {
            u32 g = pl->p->place_access.v[i];
            if (access_writes(pl->p, g) && !in_construction(pl, w, g)) region_add(pl, w, g, g, false);
        }
    }
}

/* Does a region change how many items there are? */
static bool size_changes(const Plan *pl, const Work *w)
{
    for (u32 i = 0; i < w->regions.n; i++)
        if (access_effect(pl->p, w->regions.v[i].access) & (EFFECT_GROW | EFFECT_SHRINK)) return true;
    return false;
}

/* Walks that no finding is about, since a list only skips items, or nobody believed that two threads get there:
 * beside changes under a lock, they would be the access without it. They walk a copy. */
static void other_walks(Plan *pl, Work *w)
{
    const Place *p = &pl->p->places.v[w->place];
    if (!size_changes(pl, w)) return;
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        if (access_writes(pl->p, g) || !access_walks(pl->p, g) || in_construction(pl, w, g)) continue;
        if (program_access(pl->p, g)->op != OP_ITER && p->type.kind == TYPE_LIST) continue; /* one step */
        if (pl->p->access_locks[g] == 0 && (runs_with_race(pl, w, g) || runs_once_guarded(pl, w, g)))
            walk_add(pl, w, g, false);
    }
}

/* Findings that are not believed enough to be reported, by place. Where a lock comes in, it is taken there
 * too. */
static void doubtful_find(Plan *pl)
{
    if (pl->doubtful_next) return;
    Options o = *pl->p->options;
    o.min_confidence = CONF_LOW;
    o.select.n = o.ignore.n = o.rule_settings.n = 0;
    pl->doubtful_next = arena_new(pl->a, u32, pl->all->n + 1);
    for (u32 i = 0; i < pl->all->n; i++) {
        const Race *r = &pl->all->v[i];
        if (r->place == NONE || r->per_call || (r->suppressed && !r->known)) continue;
        if (!race_wanted(&o, pl->p->facts[r->file]->source->path, r)) continue;
        u32 *first = map_at(pl->a, &pl->doubtful_first, r->place);
        pl->doubtful_next[i] = *first;
        *first = i;
    }
}

static bool two_steps(u8 rule)
{
    return rule == UG101 || rule == UG102 || rule == UG103 || rule == UG104 || rule == UG108 || rule == UG201 ||
           rule == UG203;
}

static void doubtful_regions(Plan *pl, Work *w)
{
    doubtful_find(pl);
    for (u32 i = map_get(&pl->doubtful_first, w->place); i != NONE; i = pl->doubtful_next[i]) {
        const Race *r = &pl->all->v[i];
        if (two_steps(r->rule) && r->test != NONE && r->act != NONE && !in_construction(pl, w, r->act))
            region_add(pl, w, r->test, r->act, false);
    }
}

/* ---- fields that change together ---- */

/* Is the place an attribute of the same object that no work of the group guards? */
static bool left_alone(const Plan *pl, const Work *w, u32 place)
{
    const Place *p = &pl->p->places.v[w->place], *q = &pl->p->places.v[place];
    if (q->kind != PLACE_INSTANCE || q->owner != p->owner) return false;
    for (u32 i = 0; i < pl->works.n; i++)
        if (pl->works.v[i].place == place && pl->works.v[i].group == w->group) return false;
    return true;
}

/* Does the function read the other place in the same statement, change nothing there, and read no other attribute of
 * the object? With one that is not guarded, what is read would not belong together under the lock either. */
static bool reads_both(const Plan *pl, const Work *w, u32 gaccess, u32 other)
{
    GId id = access_gid(pl->p, gaccess);
    const Facts *f = pl->p->facts[id.file];
    const Access *a = &f->accesses.v[id.id];
    const Func *fn = &f->funcs.v[a->func];
    bool both = false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 g = pl->p->access_base[id.file] + i, place = pl->p->access_place[g];
        if (f->accesses.v[i].stmt != a->stmt || place == NONE) continue;
        if (access_writes(pl->p, g) || left_alone(pl, w, place)) return false;
        both |= place == other;
    }
    return both;
}

/* A statement of its own that calls nothing but builtins: the lock is held for the reads alone. */
static bool only_reads(Plan *pl, const Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    Str why;
    if (r->first != r->last) return false;
    if (!ast_is(t, r->first, NODE_return_statement) && !ast_is(t, r->first, NODE_expression_statement)) return false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *p = &f->paths.v[f->calls.v[i].callee];
        if (!span_within(f->calls.v[i].span, r->span)) continue;
        u8 kind = path_resolve(pl->p, r->file, p, p->nattr).kind;
        if (p->nattr || p->root != ROOT_GLOBAL || (kind != ENT_NONE && kind != ENT_EXTERNAL)) return false;
        if (!reads_at_once(sym_str(f, p->name))) return false;
    }
    if (reach_from(pl, r->file, r->func, r->span, ++pl->marks) != REACH_NO) return false;
    return judgement_find(S("no-suspend-inside"))->judge(pl, NULL, r, NULL, &why) == VERDICT_OK;
}

/* self.x += dx; self.y += dy under one lock, and return self.x, self.y elsewhere: who reads both in one statement is
 * meant to see what belongs together. */
void pair_readers(Plan *pl, Work *w, const Work *other)
{
    const Place *p = &pl->p->places.v[w->place];
    regions_start(pl);
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        GId id = access_gid(pl->p, g);
        Span span = program_access(pl->p, g)->span;
        Region r;
        Str why;
        if (access_writes(pl->p, g) || pl->p->access_locks[g] || in_construction(pl, w, g)) continue;
        if (!reads_both(pl, w, g, other->place)) continue;
        if (!runs_with_race(pl, w, g) && !runs_once_guarded(pl, w, g)) continue;
        if (!region_split(pl, id.file, program_access(pl->p, g)->func, span, span, &r, &why)) continue;
        if (has_region(w, id.file, span) || has_region(other, id.file, span)) continue;
        if (only_reads(pl, &r)) region_add(pl, w, g, g, false);
    }
}

/* What the proof of an earlier plan has found to need the lock as well. */
static void lesson_regions(Plan *pl, Work *w)
{
    for (u32 i = 0; pl->lessons && i < pl->lessons->n; i++) {
        Lesson l = pl->lessons->v[i];
        if (l.place != w->place || in_construction(pl, w, l.act)) continue;
        bool walks = l.test == l.act && !access_writes(pl->p, l.act) && access_walks(pl->p, l.act);
        if (!walks || !walk_add(pl, w, l.act, true)) region_add(pl, w, l.test, l.act, true);
    }
}

bool plan_guard(Plan *pl, Work *w, const Page *page)
{
    if (w->place == NONE) return false;
    w->page = page;
    w->regions.n = 0;
    regions_start(pl);
    for (u32 i = 0; i < w->races.n; i++) race_regions(pl, w, &pl->races->v[w->races.v[i]]);
    lesson_regions(pl, w);
    doubtful_regions(pl, w);
    other_writes(pl, w);
    entry_writes(pl, w);
    other_walks(pl, w);
    return true;
}
