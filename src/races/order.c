/* UG303: two locks taken in opposite orders.
 *
 * An edge L1 → L2 stands for "L2 is taken while L1 is held", directly or by a function called there (up to a few
 * calls deep). A cycle of two or more edges can deadlock, unless all its steps are made under one further lock, a
 * gate. What is held already is not waited for when it is taken once more. Instance locks of one class count as one
 * lock, so an order between two objects of one class is not seen. */
#include "races/races.h"

typedef Vec(LockStep) LockSteps;

/* What is gathered: one edge of each pair of locks, or all that leads from one lock to one other. */
typedef struct Gather {
    const Program *p;
    Arena *a;
    LockSteps *v;
    Map pair;     /* the edge from one lock to another, where one of each pair is kept */
    u32 from, to; /* NONE: one of each pair */
} Gather;

/* One cycle as it is looked for: the edge that it begins with, and the ways back to the lock it leads from. */
typedef struct Cycle {
    const LockSteps *v;
    const Map *pair;
    u32 *leaving, *next; /* lock → the edges that leave it, in order, those that were done with left out */
    u32 edge;
    u32 via[3], n; /* the edges back */
    u32 tries;     /* how many more edges may be looked at */
} Cycle;

/* TRIES_MAX ends the search for cycles of three and four in programs that take hundreds of locks in each other;
 * cycles of two are always found. */
enum { CALL_DEPTH = 3, EDGES_MAX = 20000, TRIES_MAX = 50 * 1000 * 1000 };

static bool usable(const Program *p, u32 lock)
{
    return lock != NONE && !p->locks.v[lock].maybe && p->locks.v[lock].func == NONE && p->locks.v[lock].place != NONE;
}

static void gate_add(LockStep *e, u32 lock)
{
    if (lock == NONE || lock == e->from || lock == e->to || e->ngates == STEP_GATES) return;
    for (u32 i = 0; i < e->ngates; i++)
        if (e->gates[i] == lock) return;
    e->gates[e->ngates++] = lock;
}

/* Is `to` held already when the step is made, at the offset `at`? Else fills in the other locks that are held then.
 */
static bool held_already(const Program *p, LockStep *e, u32 at)
{
    const Facts *x = p->facts[e->file];
    const Func *fn = &x->funcs.v[e->func];
    const LockSet *entry = &p->locksets.v[p->funcs[gfunc_of(p, e->file, e->func)].entry_locks];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &x->sections.v[i];
        u32 lock = p->section_lock[p->section_base[e->file] + i];
        if (at < s->span.start || at >= s->span.end || s->maybe) continue;
        if (lock == e->to) return true;
        gate_add(e, lock);
    }
    for (u32 i = 0; i < entry->n; i++) {
        if (entry->ids[i] == e->to) return true;
        gate_add(e, entry->ids[i]);
    }
    return false;
}

/* Keeps the gates that the step has as well. */
static void gates_both(LockStep *known, const LockStep *e)
{
    u32 n = 0;
    for (u32 i = 0; i < known->ngates; i++)
        for (u32 k = 0; k < e->ngates; k++)
            if (e->gates[k] == known->gates[i]) {
                known->gates[n++] = known->gates[i];
                break;
            }
    known->ngates = n;
}

static LockStep *step_known(const Gather *g, const LockStep *e)
{
    LockSteps *v = g->v;
    if (g->from == NONE) {
        u32 known = map_get(&g->pair, map_key(e->from, e->to));
        return known == NONE ? NULL : &v->v[known];
    }
    for (u32 i = 0; i < v->n; i++)
        if (v->v[i].file == e->file && v->v[i].at == e->at && v->v[i].taken_file == e->taken_file &&
            v->v[i].taken.start == e->taken.start)
            return &v->v[i];
    return NULL;
}

static void step_add(Gather *g, LockStep e, u32 at)
{
    LockSteps *v = g->v;
    if (e.from == e.to || v->n >= EDGES_MAX || (g->from != NONE && (e.from != g->from || e.to != g->to))) return;
    if (held_already(g->p, &e, at)) return;
    LockStep *known = step_known(g, &e);
    if (known) {
        gates_both(known, &e);
        return;
    }
    if (g->from == NONE) map_put(g->a, &g->pair, map_key(e.from, e.to), v->n);
    vec_push(g->a, v, e);
}

/* Every lock that the function takes, itself or by what it calls. */
static void taken_in(Gather *w, u32 gfunc, LockStep proto, u32 depth)
{
    const Program *p = w->p;
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        u32 lock = p->section_lock[p->section_base[g.file] + i];
        if (!usable(p, lock) || x->sections.v[i].maybe || x->sections.v[i].tries) continue;
        proto.to = lock;
        proto.taken_file = g.file;
        proto.taken = (Span){x->sections.v[i].stmt, x->sections.v[i].span.end};
        step_add(w, proto, proto.at);
    }
    for (u32 i = p->edge_first[gfunc]; depth && i < p->edge_first[gfunc + 1]; i++)
        if (!p->edges.v[i].weak && !p->edges.v[i].guess) taken_in(w, p->edges.v[i].callee, proto, depth - 1);
}

/* Locks taken by calls in the section. */
static void calls_of(Gather *w, u32 file, const Section *s, LockStep e)
{
    const Program *p = w->p;
    u32 caller = gfunc_of(p, file, s->func);
    for (u32 k = p->edge_first[caller]; k < p->edge_first[caller + 1]; k++) {
        const CallEdge *c = &p->edges.v[k];
        if (c->weak || c->call == NONE || c->file != file) continue;
        const Call *call = &p->facts[file]->calls.v[c->call];
        if (call->span.start < s->span.start || call->span.start >= s->span.end) continue;
        e.at = call->span.start;
        taken_in(w, c->callee, e, CALL_DEPTH);
    }
}

static void edges_of(Gather *w, u32 file)
{
    const Program *p = w->p;
    const Facts *x = p->facts[file];
    for (u32 i = 0; i < x->sections.n; i++) {
        const Section *s = &x->sections.v[i];
        u32 lock = p->section_lock[p->section_base[file] + i];
        if (!usable(p, lock) || (w->from != NONE && lock != w->from)) continue;
        LockStep e = {.from = lock, .to = NONE, .file = file, .at = s->stmt, .held = s->stmt, .func = s->func};
        const Func *fn = &x->funcs.v[s->func];
        for (u32 k = fn->sections; k < fn->sections + fn->nsections; k++) {
            const Section *y = &x->sections.v[k];
            u32 inner = p->section_lock[p->section_base[file] + k];
            if (y->span.start <= s->span.start || y->span.start >= s->span.end || !usable(p, inner) || y->maybe ||
                y->tries)
                continue;
            e.to = inner;
            e.at = y->stmt;
            e.taken_file = file;
            e.taken = (Span){y->stmt, y->span.end};
            step_add(w, e, y->span.start - 1); /* behind what the same with statement takes before it */
        }
        calls_of(w, file, s, e);
    }
}

void lock_steps(Arena *a, const Program *p, u32 from, u32 to, LockStep **out, u32 *n)
{
    LockSteps v = {0};
    Gather w = {.p = p, .a = a, .v = &v, .from = from, .to = to};
    for (u32 file = 0; file < p->nfiles; file++)
        if (p->facts[file]->sections.n) edges_of(&w, file);
    *out = v.v;
    *n = v.n;
}

static Str edge_text(Finder *f, const LockStep *e)
{
    u32 line, column;
    const Source *s = f->p->facts[e->file]->source;
    source_position(s, e->at, &line, &column);
    return str_fmt(f->a, "%.*s then %.*s at %.*s:%u", STR_ARG(f->p->locks.v[e->from].display),
                   STR_ARG(f->p->locks.v[e->to].display), STR_ARG(s->path), line);
}

/* Is one lock held at each step of the cycle, so that no two threads are in it at once? */
static bool gated(const Cycle *c)
{
    LockStep all = c->v->v[c->edge];
    for (u32 k = 0; k < c->n; k++) gates_both(&all, &c->v->v[c->via[k]]);
    return all.ngates > 0;
}

/* Can the cycle be closed by a way of `n` more edges from the lock `at`? All of them come after its first edge, so
 * that each cycle is seen once. */
static bool way_back(Cycle *c, u32 at, u32 n)
{
    u32 home = c->v->v[c->edge].from;
    if (n == 1) {
        u32 last = map_get(c->pair, map_key(at, home));
        if (last == NONE || last < c->edge) return false;
        c->via[c->n++] = last;
        if (!gated(c)) return true;
        c->n--;
        return false;
    }
    for (u32 i = c->leaving[at]; i != NONE && c->tries; i = c->next[i]) {
        c->tries--;
        if (c->v->v[i].to == home) continue; /* a shorter one */
        c->via[c->n++] = i;
        if (way_back(c, c->v->v[i].to, n - 1)) return true;
        c->n--;
    }
    return false;
}

static void report_cycle(Finder *f, const Cycle *c)
{
    const LockStep *e = &c->v->v[c->edge];
    const Facts *x = f->p->facts[e->file];
    u32 end = e->at;
    while (end < x->source->text.n && x->source->text.p[end] != '\n' && x->source->text.p[end] != '\r') end++;
    Race *r = race_at(f, UG303, e->file, e->func, (Span){e->at, end}, f->p->locks.v[e->from].display, CONF_MEDIUM);
    r->lock = e->to;
    r->order[r->norder++] = e->from;
    for (u32 k = 0; k < c->n; k++) r->order[r->norder++] = c->v->v[c->via[k]].from;
    race_message(f, r,
                 "%.*s is held when %.*s is taken; elsewhere it is the other way round, and two threads can wait "
                 "for each other for ever",
                 STR_ARG(f->p->locks.v[e->from].display), STR_ARG(f->p->locks.v[e->to].display));
    Str t = edge_text(f, e);
    race_why(f, r, "%.*s", STR_ARG(t));
    for (u32 k = 0; k < c->n; k++) {
        t = edge_text(f, &c->v->v[c->via[k]]);
        race_why(f, r, "%.*s", STR_ARG(t));
    }
}

/* Of the cycles that begin with an edge the shortest one is reported. */
void race_lock_order(Finder *f)
{
    LockSteps v = {0};
    Arena scratch = {0};
    Gather w = {.p = f->p, .a = &scratch, .v = &v, .from = NONE, .to = NONE};
    for (u32 file = 0; file < f->p->nfiles; file++)
        if (f->p->facts[file]->sections.n) edges_of(&w, file);
    Cycle c = {.v = &v, .pair = &w.pair, .tries = TRIES_MAX};
    c.leaving = arena_new(&scratch, u32, f->p->locks.n + 1);
    c.next = arena_new(&scratch, u32, v.n + 1);
    for (u32 i = 0; i < f->p->locks.n; i++) c.leaving[i] = NONE;
    for (u32 i = v.n; i-- > 0;) {
        c.next[i] = c.leaving[v.v[i].from];
        c.leaving[v.v[i].from] = i;
    }
    for (c.edge = 0; c.edge < v.n; c.edge++) {
        c.leaving[v.v[c.edge].from] = c.next[c.edge];
        bool found = false;
        for (u32 n = 1; n <= COUNT_OF(c.via) && !found; n++) {
            c.n = 0;
            found = way_back(&c, v.v[c.edge].to, n);
        }
        if (found) report_cycle(f, &c);
    }
    arena_free(&scratch);
}
