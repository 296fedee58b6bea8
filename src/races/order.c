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
    u32 from, to; /* NONE: one of each pair */
} Gather;

enum { CALL_DEPTH = 3, EDGES_MAX = 20000 };

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

/* Is `to` held already when the step is made? Else fills in the other locks that are held then. */
static bool held_already(const Program *p, LockStep *e)
{
    const Facts *x = p->facts[e->file];
    const Func *fn = &x->funcs.v[e->func];
    const LockSet *entry = &p->locksets.v[p->funcs[p->func_base[e->file] + e->func].entry_locks];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &x->sections.v[i];
        u32 lock = p->section_lock[p->section_base[e->file] + i];
        if (e->at < s->span.start || e->at >= s->span.end || s->maybe) continue;
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

static void step_add(Gather *g, LockStep e)
{
    LockSteps *v = g->v;
    bool all = g->from != NONE;
    if (e.from == e.to || v->n >= EDGES_MAX || (all && (e.from != g->from || e.to != g->to))) return;
    if (held_already(g->p, &e)) return;
    for (u32 i = 0; i < v->n; i++)
        if (all ? v->v[i].file == e.file && v->v[i].at == e.at && v->v[i].taken_file == e.taken_file &&
                      v->v[i].taken.start == e.taken.start
                : v->v[i].from == e.from && v->v[i].to == e.to) {
            gates_both(&v->v[i], &e);
            return;
        }
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
        step_add(w, proto);
    }
    for (u32 i = p->edge_first[gfunc]; depth && i < p->edge_first[gfunc + 1]; i++)
        if (!p->edges.v[i].weak) taken_in(w, p->edges.v[i].callee, proto, depth - 1);
}

/* Locks taken by calls in the section. */
static void calls_of(Gather *w, u32 file, const Section *s, LockStep e)
{
    const Program *p = w->p;
    u32 caller = p->func_base[file] + s->func;
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
            step_add(w, e);
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

/* The shortest way back from `to` to `from`, by breadth; fills via[] with edge ids, returns how many, 0 when none. */
static u32 way_back(const LockSteps *v, u32 from, u32 to, u32 *via, u32 max, u32 depth)
{
    for (u32 i = 0; i < v->n; i++) {
        if (v->v[i].from != to) continue;
        if (v->v[i].to == from) {
            via[0] = i;
            return 1;
        }
        if (depth > 1 && max > 1 && v->v[i].to != to) {
            u32 n = way_back(v, from, v->v[i].to, via + 1, max - 1, depth - 1);
            if (n) {
                via[0] = i;
                return n + 1;
            }
        }
    }
    return 0;
}

/* Is one lock held at each step of the cycle, so that no two threads are in it at once? */
static bool gated(const LockSteps *v, u32 first, const u32 *via, u32 n)
{
    LockStep all = v->v[first];
    for (u32 k = 0; k < n; k++) gates_both(&all, &v->v[via[k]]);
    return all.ngates > 0;
}

void race_lock_order(Finder *f)
{
    LockSteps v = {0};
    Arena scratch = {0};
    Gather w = {.p = f->p, .a = &scratch, .v = &v, .from = NONE, .to = NONE};
    for (u32 file = 0; file < f->p->nfiles; file++)
        if (f->p->facts[file]->sections.n) edges_of(&w, file);
    for (u32 i = 0; i < v.n; i++) {
        u32 via[3], n = way_back(&v, v.v[i].from, v.v[i].to, via, COUNT_OF(via), 3);
        if (!n) continue;
        bool first = true; /* each cycle once, at its first edge */
        for (u32 k = 0; k < n; k++) first &= via[k] > i;
        if (!first || gated(&v, i, via, n)) continue;
        const LockStep *e = &v.v[i];
        const Facts *x = f->p->facts[e->file];
        u32 end = e->at;
        while (end < x->source->text.n && x->source->text.p[end] != '\n' && x->source->text.p[end] != '\r') end++;
        Race *r =
            race_at(f, UG303, e->file, e->func, (Span){e->at, end}, f->p->locks.v[e->from].display, CONF_MEDIUM);
        r->lock = e->to;
        r->order[r->norder++] = e->from;
        for (u32 k = 0; k < n; k++) r->order[r->norder++] = v.v[via[k]].from;
        race_message(f, r,
                     "%.*s is held when %.*s is taken; elsewhere it is the other way round, and two threads can wait "
                     "for each other for ever",
                     STR_ARG(f->p->locks.v[e->from].display), STR_ARG(f->p->locks.v[e->to].display));
        Str t = edge_text(f, e);
        race_why(f, r, "%.*s", STR_ARG(t));
        for (u32 k = 0; k < n; k++) {
            t = edge_text(f, &v.v[via[k]]);
            race_why(f, r, "%.*s", STR_ARG(t));
        }
    }
    arena_free(&scratch);
}
