/* The regions of one place: from two accesses to the statements that must be under one lock. A region is widened over
 * what is read right before an update and right after it, over the tests that the step depends on, and over a field
 * that is changed with the state; one that contains another one is enough for both. */
#include "fixes/regions.h"

/* The work's regions by the function that they stand in: each one's predecessor there. */
static void regions_index(Plan *pl, const Work *w)
{
    for (u32 i = pl->region_before.n; i < w->regions.n; i++) {
        const Region *r = &w->regions.v[i];
        u32 *last = map_at(pl->a, &pl->region_last, gfunc_of(pl->p, r->file, r->func));
        vec_push(pl->a, &pl->region_before, *last);
        *last = i;
    }
}

void regions_start(Plan *pl)
{
    pl->region_last = (Map){0};
    pl->region_before.n = 0;
}

u32 region_find(Plan *pl, const Work *w, u32 file, u32 func, Span s)
{
    u32 found = NONE;
    CHECK(func < pl->p->facts[file]->funcs.n);
    regions_index(pl, w);
    for (;; func = pl->p->facts[file]->funcs.v[func].parent) {
        u32 i = map_get(&pl->region_last, gfunc_of(pl->p, file, func));
        for (; i != NONE; i = pl->region_before.v[i])
            if (span_within(s, w->regions.v[i].span)) found = MIN(found, i);
        if (func == 0) return found;
    }
}

bool has_region(const Work *w, u32 file, Span s)
{
    for (u32 i = 0; i < w->regions.n; i++)
        if (w->regions.v[i].file == file && span_within(s, w->regions.v[i].span)) return true;
    return false;
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

bool reads_at_once(Str builtin)
{
    return known_builtin(builtin, AS_PURE) && !known_builtin(builtin, AS_LAZY);
}

/* return Stamp(now, counter), return str(counter): is all that the span calls a library's class or a builtin that
 * makes a value? */
static bool makes_values(Plan *pl, u32 file, u32 func, Span span)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *p = &f->paths.v[f->calls.v[i].callee];
        if (!span_within(f->calls.v[i].span, span)) continue;
        Str name = path_last(f, p);
        bool is_class =
            path_external(pl->p, file, f->calls.v[i].callee).n && name.n && name.p[0] >= 'A' && name.p[0] <= 'Z';
        u8 kind = path_resolve(pl->p, file, p, 0).kind;
        bool own = kind == ENT_FUNC || kind == ENT_CLASS || kind == ENT_PLACE;
        bool builtin = !p->nattr && p->root == ROOT_GLOBAL && !own && reads_at_once(name);
        if (!is_class && !builtin) return false;
    }
    return true;
}

/* id = Id(self.next, kind): does the statement keep something that is made of the state, by classes of the program
 * alone?
 */
static bool keeps_made(Plan *pl, const Region *r, u32 stmt)
{
    const Ast *t = site_ast(pl, r->file);
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    if (!ast_is(t, stmt, NODE_expression_statement) || !ast_is(t, ast_first(t, stmt), NODE_assignment)) return false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *p = &f->paths.v[f->calls.v[i].callee];
        bool within = span_within(f->calls.v[i].span, ast_span(t, stmt));
        if (within && path_resolve(pl->p, r->file, p, p->nattr).kind != ENT_CLASS) return false;
    }
    return true;
}

/* counter += 1; return counter: what is read right after the update is meant to be the value it gave. */
static void extend_to_reads(Plan *pl, const Work *w, Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    u32 next = ast_after(t, r->last);
    if (next == NONE) return;
    u8 k = t->v[next].kind;
    Span span = {t->v[next].start, t->v[next].end};
    bool simple = k == NODE_return_statement
                      ? makes_values(pl, r->file, r->func, span)
                      : (k == NODE_expression_statement && !calls_within(pl->p->facts[r->file], r->func, span)) ||
                            keeps_made(pl, r, next);
    Region more;
    Str why;
    if (!simple || !reads_within(pl, w, r->file, r->func, span)) return;
    if (!region_split(pl, r->file, r->func, span, span, &more, &why) || more.first != next || more.last != next)
        return;
    if (judgement_find(S("no-suspend-inside"))->judge(pl, w, &more, NULL, &why) != VERDICT_OK) return;
    r->last = next;
    r->span.end = span.end;
}

/* Do the calls in the span only make an object of a class, or run code that is known? The state is a number then, of
 * which each is meant to be given to one only. */
static bool gives_number(Plan *pl, const Work *w, const Region *r, Span span)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    u8 type = pl->p->places.v[w->place].type.kind;
    if (type != TYPE_NUMBER && type != TYPE_UNKNOWN) return false;
    bool classes = true;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *p = &f->paths.v[f->calls.v[i].callee];
        if (!span_within(f->calls.v[i].span, span)) continue;
        classes &= path_resolve(pl->p, r->file, p, p->nattr).kind == ENT_CLASS;
    }
    return classes || reach_all_known(pl, r->file, r->func, span);
}

/* port = next_port; next_port += 1, assert left > 0; left -= 1: what is read right before the update is meant to be
 * the value that it changes. */
static void extend_from_reads(Plan *pl, const Work *w, Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    u32 before = ast_before(t, r->first);
    bool assigns = ast_is(t, before, NODE_expression_statement) && ast_is(t, ast_first(t, before), NODE_assignment);
    if (!assigns && !ast_is(t, before, NODE_assert_statement)) return;
    Span span = {t->v[before].start, t->v[before].end};
    Region more;
    Str why;
    if (!reads_within(pl, w, r->file, r->func, span)) return;
    bool calls = calls_within(pl->p->facts[r->file], r->func, span); /* id = Id(self.next), f"{next}".encode() */
    if (calls && !gives_number(pl, w, r, span)) return;
    if (!region_make(pl, r->file, r->func, span, span, &more, &why) || more.first != before || more.last != before)
        return;
    r->first = before;
    r->span.start = span.start;
}

/* Is the place stored in the span, with `stores`, or read there? */
static bool span_touches(const Plan *pl, const Region *r, u32 place, Span s, bool stores)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 g = pl->p->access_base[r->file] + i;
        if (span_within(f->accesses.v[i].span, s) && pl->p->access_place[g] == place &&
            (stores ? f->accesses.v[i].op == OP_STORE : !access_writes(pl->p, g)))
            return true;
    }
    return false;
}

/* The field beside the work's place that the statement, an assignment that calls nothing, stores; NONE. */
static u32 stored_beside(Plan *pl, const Work *w, const Region *r, u32 stmt)
{
    const Ast *t = site_ast(pl, r->file);
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    const Place *x = &pl->p->places.v[w->place];
    if (!ast_is(t, stmt, NODE_expression_statement) || !ast_is(t, ast_first(t, stmt), NODE_assignment)) return NONE;
    if (calls_within(f, r->func, ast_span(t, stmt))) return NONE;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 place = pl->p->access_place[pl->p->access_base[r->file] + i];
        if (f->accesses.v[i].op != OP_STORE || !span_within(f->accesses.v[i].span, ast_span(t, stmt))) continue;
        if (place == NONE || place == w->place) return NONE;
        const Place *y = &pl->p->places.v[place];
        return y->kind == x->kind && y->owner == x->owner && y->file == x->file ? place : NONE;
    }
    return NONE;
}

/* self.tokens += (now - self.last) * rate; self.last = now: a field that the update reads and the next statement
 * stores has been used up by it, and so has one that is read and stored right before it. */
static void extend_to_inputs(Plan *pl, const Work *w, Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    Region more;
    Str why;
    u32 first = r->first, last = r->last, n = ast_after(t, last);
    u32 field = n == NONE ? NONE : stored_beside(pl, w, r, n);
    if (field != NONE && span_touches(pl, r, field, r->span, false)) last = n;
    n = ast_before(t, first);
    field = n == NONE ? NONE : stored_beside(pl, w, r, n);
    u32 read = field == NONE ? NONE : ast_before(t, n);
    if (read != NONE && ast_is(t, read, NODE_expression_statement) &&
        !calls_within(pl->p->facts[r->file], r->func, ast_span(t, read)) &&
        span_touches(pl, r, field, ast_span(t, read), false) && !span_touches(pl, r, field, ast_span(t, read), true))
        first = read;
    if (first == r->first && last == r->last) return;
    if (!region_split(pl, r->file, r->func, ast_span(t, first), ast_span(t, last), &more, &why)) return;
    if (more.first != first || more.last != last) return;
    r->first = first;
    r->last = last;
    r->span = more.span;
}

/* if key in self.next: self.next[key] += 1, else: self.next[key] = 1: is an entry counted up in the region? */
static bool counts_within(const Plan *pl, const Work *w, const Region *r)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++)
        if (f->accesses.v[i].op == OP_ITEM_AUG && span_within(f->accesses.v[i].span, r->span) &&
            pl->p->access_place[pl->p->access_base[r->file] + i] == w->place)
            return true;
    return false;
}

static bool is_update(const Access *a, const Access *b)
{
    return b->op == OP_AUG || b->op == OP_ITEM_AUG || (a != b && a->test == TEST_NO);
}

static bool in_block(const Facts *f, u32 inner, u32 block)
{
    return block != NONE && block_within(f, inner, block);
}

static bool exits(const Facts *f, u32 block)
{
    return block != NONE && f->blocks.v[block].exits;
}

/* The earliest test of the place that this write of it depends on: it stands in its branch, or after a branch that
 * leaves. `from` if there is none. */
static u32 test_source(const Plan *pl, u32 place, u32 gaccess, u32 from)
{
    GId g = access_gid(pl->p, gaccess);
    const Facts *f = pl->p->facts[g.file];
    const Func *fn = &f->funcs.v[f->accesses.v[g.id].func];
    u32 block = f->accesses.v[g.id].block;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        u32 test = pl->p->access_base[g.file] + i;
        if (a->cond == NONE || f->conds.v[a->cond].loop || pl->p->access_place[test] != place) continue;
        const Cond *c = &f->conds.v[a->cond];
        bool inside = in_block(f, block, c->then_block) || in_block(f, block, c->else_block);
        bool after = block_within(f, block, c->block) && c->span.end <= f->accesses.v[g.id].span.start &&
                     (exits(f, c->then_block) || exits(f, c->else_block)); /* if x: return */
        if ((inside || after) && a->span.start < program_access(pl->p, from)->span.start) from = test;
    }
    return from;
}

/* if key not in self.map: last[2] = self.map[key] = …: the region is about what last holds, and changes the map, too,
 * which has been tested. Half of that step under the lock would cure nothing: it begins at the test. */
static void extend_to_tests(Plan *pl, const Work *w, Region *r)
{
    const Place *x = &pl->p->places.v[w->place];
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    Span first = r->span;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 g = pl->p->access_base[r->file] + i, place = pl->p->access_place[g];
        if (place == NONE || place == w->place || !span_within(f->accesses.v[i].span, r->span)) continue;
        const Place *y = &pl->p->places.v[place];
        if (y->kind != x->kind || y->owner != x->owner || y->file != x->file || !access_writes(pl->p, g)) continue;
        u32 test = test_source(pl, place, g, g);
        if (program_access(pl->p, test)->span.start < first.start) first = program_access(pl->p, test)->span;
    }
    Region more;
    Span last = {site_ast(pl, r->file)->v[r->last].start, r->span.end};
    Str why;
    if (first.start == r->span.start) return;
    if (!region_split(pl, r->file, r->func, first, last, &more, &why)) return;
    if (judgement_find(S("no-suspend-inside"))->judge(pl, w, &more, NULL, &why) != VERDICT_OK) return;
    r->first = more.first;
    r->last = more.last;
    r->span = more.span;
}

void region_add(Plan *pl, Work *w, u32 from, u32 to, bool race)
{
    GId g = access_gid(pl->p, to);
    const Access *a = program_access(pl->p, from), *b = program_access(pl->p, to);
    u32 have = region_find(pl, w, g.file, b->func, b->span);
    bool near = have != NONE && access_gid(pl->p, from).file == g.file;
    bool both = from == to || (near && region_find(pl, w, g.file, a->func, a->span) == have);
    if (have != NONE && both) {
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
    if (!why.n && is_update(a, b)) {
        if (from == to) depth_extend(pl, w, &r);
        Span update = r.span;
        u32 last = r.last;
        r.access = to;
        extend_to_reads(pl, w, &r);
        later_find(pl, &r, update, last);
        if (from == to || a->stmt == b->stmt) extend_from_reads(pl, w, &r);
        if (!r.back) extend_to_inputs(pl, w, &r);
    }
    if (!why.n && from != to && !is_update(a, b) && counts_within(pl, w, &r)) {
        r.access = to;
        extend_to_reads(pl, w, &r);
    }
    if (!why.n && from == to && b->op == OP_STORE) extend_from_reads(pl, w, &r); /* old = self.x; self.x = b"" */
    if (!why.n) extend_to_tests(pl, w, &r);
    if (!why.n && from == to) parallel_extend(pl, w, &r);
    r.access = to;
    r.test = from == to ? NONE : from;
    r.race = race;
    r.problem = why;
    if (!why.n && race) claim_extend(pl, w, &r);
    if (!why.n) paired_extend(pl, w, &r);
    vec_push(pl->a, &w->regions, r);
}

/* The earliest access of the same place in the function whose value flows into this write; the write
 * itself if none. */
static u32 flow_source(Plan *pl, const Work *w, u32 gaccess)
{
    GId g = access_gid(pl->p, gaccess);
    const Facts *f = pl->p->facts[g.file];
    u32 best = gaccess;
    for (u32 i = flows_to(f, g.id); i < f->flows.n && f->flows.v[i].to == g.id; i++) {
        u32 from = pl->p->access_base[g.file] + f->flows.v[i].from;
        if (pl->p->access_place[from] != w->place) continue;
        if (program_access(pl->p, from)->span.start < program_access(pl->p, best)->span.start) best = from;
    }
    return best;
}

u32 write_source(Plan *pl, const Work *w, u32 gaccess)
{
    return test_source(pl, w->place, gaccess, flow_source(pl, w, gaccess));
}
