/* Planner "guard": every write of a place under one lock.
 *
 * A lock on one side of a race protects nothing, so the unit is the place. For each race the region runs
 * from the statement that reads or tests to the one that acts; every other write of the place that can run
 * at the same time as the race becomes a region of its own, since a lone store beside a guarded update can
 * be lost. Plain reads stay as they are. Places whose regions overlap, or that change in the same
 * statements, get one lock.
 *
 * plan_guard only collects regions; guard_finish chooses locks when the regions of all places are known. */
#include "fixes/fixes.h"

bool access_writes(const Program *p, u32 gaccess)
{
    return access_effect(p, gaccess) & EFFECT_WRITE;
}

/* ---- regions of one place ---- */

static u32 find_region(const Work *w, u32 file, Span s)
{
    for (u32 i = 0; i < w->regions.n; i++) {
        const Region *r = &w->regions.v[i];
        if (r->file == file && r->span.start <= s.start && s.end <= r->span.end) return i;
    }
    return NONE;
}

static bool reads_within(const Plan *pl, const Work *w, u32 file, u32 func, Span span)
{
    const Func *fn = &pl->p->facts[file]->funcs.v[func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &pl->p->facts[file]->accesses.v[i];
        if (span.start <= a->span.start && a->span.end <= span.end &&
            pl->p->access_place[pl->p->access_base[file] + i] == w->place)
            return true;
    }
    return false;
}

static bool calls_within(const Facts *f, u32 func, Span span)
{
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (span.start <= f->calls.v[i].span.start && f->calls.v[i].span.end <= span.end) return true;
    return false;
}

/* counter += 1; return counter: what is read right after the update is meant to be the value it gave. */
static void extend_to_reads(Plan *pl, const Work *w, Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    u32 next = ast_after(t, r->last);
    if (next == NONE) return;
    u8 k = t->v[next].kind;
    Span span = {t->v[next].start, t->v[next].end};
    bool simple = (k == NODE_return_statement || k == NODE_expression_statement) &&
                  !calls_within(pl->p->facts[r->file], r->func, span);
    Region more;
    Str why;
    if (!simple || !reads_within(pl, w, r->file, r->func, span)) return;
    if (!region_split(pl, r->file, r->func, span, span, &more, &why) || more.first != next || more.last != next)
        return;
    if (judgement_find(S("no-suspend-inside"))->judge(pl, w, &more, NULL, &why) != VERDICT_OK) return;
    r->last = next;
    r->span.end = span.end;
}

static bool is_update(const Access *a, const Access *b)
{
    return b->op == OP_AUG || b->op == OP_ITEM_AUG || (a != b && a->test == TEST_NO);
}

/* The region for two accesses of one function (or one access twice). */
static void region_add(Plan *pl, Work *w, u32 from, u32 to, bool race)
{
    GId g = access_gid(pl->p, to);
    const Access *a = program_access(pl->p, from), *b = program_access(pl->p, to);
    u32 have = find_region(w, g.file, b->span);
    if (have != NONE && (from == to || find_region(w, g.file, a->span) == have)) {
        w->regions.v[have].race |= race;
        return;
    }
    Region r = {.file = g.file, .func = b->func, .span = b->span};
    Str why = S("");
    if (a->func != b->func || access_gid(pl->p, from).file != g.file)
        why = S("its two steps stand in different functions");
    else
        region_split(pl, g.file, b->func, a->span, b->span, &r, &why);
    u8 type = pl->p->places.v[w->place].type.kind;
    if (b->op == OP_ITER && (type == TYPE_GENERATOR || type == TYPE_ITERATOR))
        why = S("a loop advances the iterator, and would hold the lock in every turn; take each item by next() under "
                "the lock");
    if (!why.n && is_update(a, b)) extend_to_reads(pl, w, &r);
    r.access = to;
    r.test = from == to ? NONE : from;
    r.race = race;
    r.problem = why;
    vec_push(pl->a, &w->regions, r);
}

/* The earliest access of the same place in the function whose value flows into this write; the write
 * itself if none. */
static u32 flow_source(Plan *pl, const Work *w, u32 gaccess)
{
    GId g = access_gid(pl->p, gaccess);
    const Facts *f = pl->p->facts[g.file];
    u32 best = gaccess;
    for (u32 i = 0; i < f->flows.n; i++) {
        if (f->flows.v[i].to != g.id) continue;
        u32 from = pl->p->access_base[g.file] + f->flows.v[i].from;
        if (pl->p->access_place[from] != w->place) continue;
        if (program_access(pl->p, from)->span.start < program_access(pl->p, best)->span.start) best = from;
    }
    return best;
}

static bool in_block(const Facts *f, u32 inner, u32 block)
{
    return block != NONE && block_within(f, inner, block);
}

static bool exits(const Facts *f, u32 block)
{
    return block != NONE && f->blocks.v[block].exits;
}

/* The earliest test of the same place that this write depends on: it stands in its branch, or after a
 * branch that leaves. `from` if there is none. */
static u32 test_source(Plan *pl, const Work *w, u32 gaccess, u32 from)
{
    GId g = access_gid(pl->p, gaccess);
    const Facts *f = pl->p->facts[g.file];
    const Func *fn = &f->funcs.v[f->accesses.v[g.id].func];
    u32 block = f->accesses.v[g.id].block;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        u32 test = pl->p->access_base[g.file] + i;
        if (a->cond == NONE || f->conds.v[a->cond].loop || pl->p->access_place[test] != w->place) continue;
        const Cond *c = &f->conds.v[a->cond];
        bool inside = in_block(f, block, c->then_block) || in_block(f, block, c->else_block);
        bool after = block_within(f, block, c->block) && c->span.end <= f->accesses.v[g.id].span.start &&
                     (exits(f, c->then_block) || exits(f, c->else_block)); /* if x: return */
        if ((inside || after) && a->span.start < program_access(pl->p, from)->span.start) from = test;
    }
    return from;
}

/* Where the step that leads to this write begins. */
static u32 write_source(Plan *pl, const Work *w, u32 gaccess)
{
    return test_source(pl, w, gaccess, flow_source(pl, w, gaccess));
}

static bool in_construction(const Plan *pl, const Work *w, u32 gaccess)
{
    GId g = access_gid(pl->p, gaccess);
    const Access *a = program_access(pl->p, gaccess);
    const FuncInfo *f = &pl->p->funcs[gfunc_of(pl->p, g.file, a->func)];
    if (a->func == 0 || f->import_time || a->in_nested_def) return true;
    return f->construct && pl->p->places.v[w->place].kind == PLACE_INSTANCE;
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

/* What only walks the container walks a copy. */
static bool walk_add(Plan *pl, Work *w, u32 site)
{
    Region r;
    if (!snapshot_region(pl, w, site, &r)) return false;
    if (find_region(w, r.file, r.span) == NONE) vec_push(pl->a, &w->regions, r);
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

static void race_regions(Plan *pl, Work *w, const Race *r)
{
    if (r->rule == UG105 && r->nsites >= 3) {
        torn_regions(pl, w, r);
        return;
    }
    if (r->test != NONE && r->act != NONE) region_add(pl, w, r->test, r->act, true);
    for (u32 i = 0; i < r->nsites; i++) {
        u32 site = r->sites[i];
        bool odd = i == 0 && r->test == NONE; /* the reported one, even when it reads */
        if (pl->p->access_place[site] != w->place || (!odd && !access_writes(pl->p, site)) ||
            in_construction(pl, w, site))
            continue;
        if (odd && !access_writes(pl->p, site) && walk_add(pl, w, site)) continue;
        region_add(pl, w, write_source(pl, w, site), site, true);
    }
}

static void other_writes(Plan *pl, Work *w)
{
    const Place *p = &pl->p->places.v[w->place];
    for (u32 i = p->first; i < p->first + p->n; i++) {
        u32 g = pl->p->place_access.v[i];
        GId id = access_gid(pl->p, g);
        bool first = p->kind == PLACE_CLOSURE && gfunc_of(pl->p, id.file, program_access(pl->p, g)->func) == p->owner;
        if (first || !access_writes(pl->p, g) || in_construction(pl, w, g) || !runs_with_race(pl, w, g)) continue;
        region_add(pl, w, write_source(pl, w, g), g, false);
    }
}

/* Findings that are not believed enough to be reported, by place. Where a lock comes in, it is taken there
 * too. */
static void doubtful_find(Plan *pl)
{
    if (pl->doubtful_next) return;
    Options *o = arena_new(pl->a, Options, 1);
    Program *p = arena_new(pl->a, Program, 1);
    *o = *pl->p->options;
    o->min_confidence = CONF_LOW;
    o->select.n = o->ignore.n = 0;
    *p = *pl->p;
    p->options = o;
    races_find(pl->a, p, &pl->doubtful);
    pl->doubtful_next = arena_new(pl->a, u32, pl->doubtful.n + 1);
    for (u32 i = 0; i < pl->doubtful.n; i++) {
        if (pl->doubtful.v[i].place == NONE || pl->doubtful.v[i].suppressed) continue;
        u32 *first = map_at(pl->a, &pl->doubtful_first, pl->doubtful.v[i].place);
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
        const Race *r = &pl->doubtful.v[i];
        if (two_steps(r->rule) && r->test != NONE && r->act != NONE && !in_construction(pl, w, r->act))
            region_add(pl, w, r->test, r->act, false);
    }
}

bool plan_guard(Plan *pl, Work *w, const Page *page)
{
    if (w->place == NONE) return false;
    w->page = page;
    w->regions.n = 0;
    for (u32 i = 0; i < w->races.n; i++) race_regions(pl, w, &pl->races->v[w->races.v[i]]);
    doubtful_regions(pl, w);
    other_writes(pl, w);
    return true;
}

/* ---- places that belong together ---- */

static u32 group_root(const Plan *pl, u32 i)
{
    while (pl->works.v[i].group != i) i = pl->works.v[i].group;
    return i;
}

/* Do the regions overlap, or stand one right after the other in one block? */
static bool regions_meet(Plan *pl, const Region *x, const Region *y)
{
    if (x->problem.n || y->problem.n || x->copy.n || y->copy.n || x->file != y->file || x->func != y->func)
        return false;
    if (x->span.start < y->span.end && y->span.start < x->span.end) return true;
    const Ast *t = site_ast(pl, x->file);
    return ast_after(t, x->last) == y->first || ast_after(t, y->last) == x->first;
}

/* Different locks that exist already stay different. */
static bool locks_differ(const Plan *pl, const Work *a, const Work *b)
{
    u32 x = pl->p->places.v[a->place].guard, y = pl->p->places.v[b->place].guard;
    return x != NONE && y != NONE && x != y;
}

static bool works_overlap(const Work *a, const Work *b)
{
    for (u32 i = 0; i < a->regions.n; i++)
        for (u32 k = 0; k < b->regions.n; k++) {
            const Region *x = &a->regions.v[i], *y = &b->regions.v[k];
            if (x->file == y->file && x->span.start < y->span.end && y->span.start < x->span.end) return true;
        }
    return false;
}

/* State that changes in the same or in neighbouring statements. */
static bool together(Plan *pl, const Work *a, const Work *b)
{
    if (locks_differ(pl, a, b)) return false;
    for (u32 i = 0; i < a->regions.n; i++)
        for (u32 k = 0; k < b->regions.n; k++)
            if (regions_meet(pl, &a->regions.v[i], &b->regions.v[k])) return true;
    return false;
}

static void works_group(Plan *pl)
{
    for (u32 i = 0; i < pl->works.n; i++) pl->works.v[i].group = i;
    for (u32 i = 0; i < pl->works.n; i++) {
        const Work *a = &pl->works.v[i];
        if (!a->page || a->done) continue;
        for (u32 k = i + 1; k < pl->works.n; k++) {
            const Work *b = &pl->works.v[k];
            if (!b->page || b->done || group_root(pl, i) == group_root(pl, k) || !together(pl, a, b)) continue;
            pl->works.v[MAX(group_root(pl, i), group_root(pl, k))].group = MIN(group_root(pl, i), group_root(pl, k));
        }
    }
}

/* ---- from regions to intents ---- */

static bool guarded_already(const Plan *pl, const Region *r, const LockPlan *l)
{
    return l->existing && lockset_has(pl->p, pl->p->access_locks[r->access], l->lock) &&
           (r->test == NONE || lockset_has(pl->p, pl->p->access_locks[r->test], l->lock));
}

static Str where(Plan *pl, const Region *r)
{
    const Access *a = program_access(pl->p, r->access);
    return str_fmt(pl->a, "%.*s:%u", STR_ARG(site_source(pl, r->file)->path), a->line);
}

/* A lock that is made in each call and held around the region: it should move, not get a second one
 * inside. */
static u32 lock_per_call(const Plan *pl, const Region *r)
{
    const LockSet *held = &pl->p->locksets.v[pl->p->access_locks[r->access]];
    u32 here = gfunc_of(pl->p, r->file, r->func);
    for (u32 i = 0; i < held->n; i++)
        if (pl->p->locks.v[held->ids[i]].func == here) return held->ids[i];
    return NONE;
}

/* What speaks against the region whatever the page: reasons to decline, or to be careful. */
static Verdict held_locks(Plan *pl, const Region *r, const LockPlan *l, Str *why)
{
    const LockSet *held = &pl->p->locksets.v[pl->p->access_locks[r->access]];
    if (!l->existing || held->n == 0 || lockset_has(pl->p, pl->p->access_locks[r->access], l->lock))
        return VERDICT_OK;
    *why = str_fmt(pl->a, "it is under %.*s already, and %.*s would be taken inside it",
                   STR_ARG(pl->p->locks.v[held->ids[0]].display), STR_ARG(l->display));
    return VERDICT_UNSAFE;
}

/* Does the region run where a new lock is made, before it is there? */
static bool before_lock(const Plan *pl, const Region *r, const LockPlan *l)
{
    if (l->existing || l->file != r->file) return false;
    const Facts *f = pl->p->facts[r->file];
    const Place *p = &pl->p->places.v[l->place];
    const Func *fn = &f->funcs.v[r->func];
    bool init = l->kind == PLACE_INSTANCE && fn->cls != NONE && pl->p->class_base[r->file] + fn->cls == l->owner &&
                str_is(sym_str(f, fn->name), "__init__");
    bool owner = l->kind == PLACE_CLOSURE && gfunc_of(pl->p, r->file, r->func) == l->owner;
    if (!init && !owner && r->func != 0) return false;
    return p->def == NONE || p->def_file != r->file || r->span.start <= f->defs.v[p->def].span.end;
}

/* Is a walk inside statements that are guarded as a whole? */
static bool walk_inside(const Work *w, const Region *r)
{
    for (u32 i = 0; r->copy.n && i < w->regions.n; i++) {
        const Region *o = &w->regions.v[i];
        if (!o->copy.n && !o->problem.n && o->file == r->file && o->span.start <= r->span.start &&
            r->span.end <= o->span.end)
            return true;
    }
    return false;
}

/* The intents that put the region under the lock, once all is judged. */
static bool region_write(Plan *pl, const Region *r, const LockPlan *l, u32 lock, bool joins, Fix *f, Str *why)
{
    u32 local = lock_per_call(pl, r);
    if (local != NONE) return section_relock(pl, r, local, f, why);
    if (joins) return sections_join(pl, r, l, f, why);
    if (r->copy.n)
        snapshot_write(pl, f, r, lock);
    else
        intent_add(pl, f, INTENT_WRAP, r->file, r->span, r->lock, lock);
    return true;
}

/* Judges one region; a race that cannot be guarded declines the work, another write makes the fix unsafe. */
static bool region_plan(Plan *pl, Work *w, Region *r, u32 lock, Fix *f)
{
    const LockPlan *l = &pl->out->locks.v[lock];
    Str why = r->problem;
    if (!why.n && before_lock(pl, r, l)) {
        if (!r->race) { /* the state is being made here */
            r->skip = true;
            return true;
        }
        why = S("it runs before a lock can be made beside the state");
    }
    if (!why.n && walk_inside(w, r)) {
        r->skip = true;
        return true;
    }
    if (!why.n && r->copy.n && !r->name.n &&
        judgement_find(S("no-error-nearby"))->judge(pl, w, r, l, &why) == VERDICT_OK) {
        snapshot_write(pl, f, r, lock);
        return true;
    }
    bool gap = r->race && r->test != NONE; /* each step may hold the lock, and something still come between */
    if (!why.n && !gap && guarded_already(pl, r, l)) {
        r->skip = true;
        return true;
    }
    bool joins = !why.n && l->existing && !l->reentrant && takes_directly(pl, r->file, r->func, r->span, l->lock);
    LockPlan asked = *l;
    asked.reentrant |= joins; /* its sections become one, so that it is taken once */
    Verdict v = why.n ? VERDICT_DECLINE : held_locks(pl, r, l, &why);
    if (v == VERDICT_UNSAFE) fix_caution(f, FIX_UNSAFE, why);
    if (v != VERDICT_DECLINE) v = judge_region(pl, w->page, w, r, &asked, &why);
    if (v == VERDICT_UNSAFE) fix_caution(f, FIX_UNSAFE, why);
    if (v != VERDICT_DECLINE && !lock_expression(pl, lock, w, r, f, &why)) v = VERDICT_DECLINE;
    if (v != VERDICT_DECLINE && !region_write(pl, r, l, lock, joins, f, &why)) v = VERDICT_DECLINE;
    if (v == VERDICT_DECLINE && r->race) {
        w->problem = str_fmt(pl->a, "%.*s: %.*s", STR_ARG(where(pl, r)), STR_ARG(why));
        return false;
    }
    if (v == VERDICT_DECLINE) {
        r->skip = true;
        fix_caution(
            f, FIX_UNSAFE,
            str_fmt(pl->a, "%.*s changes it too and is not guarded: %.*s", STR_ARG(where(pl, r)), STR_ARG(why)));
        return true;
    }
    return true;
}

static void work_plan(Plan *pl, Work *w, u32 lock)
{
    Fix *f = fix_add(pl, w->page, w);
    f->lock = lock;
    for (u32 i = 0; i < w->regions.n && !w->problem.n; i++) region_plan(pl, w, &w->regions.v[i], lock, f);
    if (!w->problem.n && !f->intents.n) w->problem = S("every write is guarded by this lock already");
    const LockPlan *l = &pl->out->locks.v[lock];
    if (w->problem.n) {
        f->declined = true;
        f->reason = w->problem;
        f->intents.n = 0;
        f->lock = NONE;
        return;
    }
    if (!l->existing) intent_add(pl, f, INTENT_NEED_LOCK, l->file, (Span){0}, S(""), lock);
}

/* Does a region of the group reach code that takes this lock, without holding it already? */
static bool takes_inside(Plan *pl, Work **works, u32 n, u32 lock)
{
    u32 mark = mark_takers(pl, lock);
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            if (r->problem.n || lockset_has(pl->p, pl->p->access_locks[r->access], lock)) continue;
            if (takes_directly(pl, r->file, r->func, r->span, lock)) return true;
            if (reach_from(pl, r->file, r->func, r->span, mark) == REACH_YES) return true;
        }
    return false;
}

/* A lock held around one region and taken inside another would be taken before and after the new one. */
static Str order_problem(Plan *pl, Work **works, u32 n)
{
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const LockSet *held = &pl->p->locksets.v[pl->p->access_locks[works[i]->regions.v[k].access]];
            for (u32 h = 0; h < held->n; h++)
                if (takes_inside(pl, works, n, held->ids[h]))
                    return str_fmt(pl->a, "a new lock and %.*s would be taken in both orders",
                                   STR_ARG(pl->p->locks.v[held->ids[h]].display));
        }
    return S("");
}

static void group_decline(Plan *pl, Work *w, Str why)
{
    w->problem = why;
    Fix *f = fix_add(pl, w->page, w);
    f->declined = true;
    f->reason = why;
}

/* Can every race of the work name the lock? */
static bool lock_nameable(Plan *pl, Work *w, u32 lock)
{
    for (u32 i = 0; i < w->regions.n; i++) {
        Region r = w->regions.v[i];
        Fix nothing = {0};
        Str why;
        if (r.race && !r.problem.n && !lock_expression(pl, lock, w, &r, &nothing, &why)) return false;
    }
    return true;
}

static bool overlaps_any(const Work *w, Work **works, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (works_overlap(w, works[i])) return true;
    return false;
}

/* Moves the works that cannot name the lock to the end, unless their regions overlap those of the others: they get a
 * lock of their own. Returns how many stay. */
static u32 group_split(Plan *pl, Work **works, u32 n, u32 lock)
{
    u32 stay = 0;
    for (u32 i = 0; i < n; i++) {
        Work *w = works[i];
        if (!lock_nameable(pl, w, lock)) continue;
        for (u32 k = i; k > stay; k--) works[k] = works[k - 1];
        works[stay++] = w;
    }
    for (u32 i = stay; i < n && stay; i++)
        if (overlaps_any(works[i], works, stay)) {
            Work *w = works[i];
            works[i] = works[stay];
            works[stay++] = w;
        }
    return stay ? stay : n;
}

/* One lock for all; those that cannot use it, although they only stand beside the others, are planned by
 * themselves. */
static void group_plan(Plan *pl, Work **works, u32 n)
{
    Str why = S("");
    u32 lock = lock_choose(pl, works, n, &why), stay = n;
    if (lock != NONE) stay = group_split(pl, works, n, lock);
    if (lock != NONE && !pl->out->locks.v[lock].existing) why = order_problem(pl, works, stay);
    for (u32 i = 0; i < stay; i++) {
        works[i]->done = true;
        if (why.n)
            group_decline(pl, works[i], why);
        else
            work_plan(pl, works[i], lock);
    }
    if (stay < n) group_plan(pl, works + stay, n - stay);
}

void guard_finish(Plan *pl)
{
    works_group(pl);
    Work **group = arena_new(pl->a, Work *, pl->works.n + 1);
    for (u32 i = 0; i < pl->works.n; i++) {
        if (!pl->works.v[i].page || pl->works.v[i].done) continue;
        u32 n = 0;
        for (u32 k = i; k < pl->works.n; k++)
            if (pl->works.v[k].page && !pl->works.v[k].done && group_root(pl, k) == group_root(pl, i))
                group[n++] = &pl->works.v[k];
        group_plan(pl, group, n);
    }
}
