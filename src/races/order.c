/* UG303: two locks taken in opposite orders.
 *
 * An edge L1 → L2 stands for "L2 is taken while L1 is held", directly or by a function called there (up to a few
 * calls deep). A cycle of two or more edges can deadlock. Instance locks of one class count as one lock, so an order
 * between two objects of one class is not seen. */
#include "races/races.h"

typedef struct LockEdge {
    u32 from, to;
    u32 file, offset, func;
    u32 via; /* the function called, NONE when taken right here */
} LockEdge;
typedef Vec(LockEdge) LockEdges;

enum { CALL_DEPTH = 3, EDGES_MAX = 20000 };

static bool usable(const Program *p, u32 lock)
{
    return lock != NONE && !p->locks.v[lock].maybe && p->locks.v[lock].func == NONE && p->locks.v[lock].place != NONE;
}

static void edge_add(Arena *a, LockEdges *v, LockEdge e)
{
    if (e.from == e.to || v->n >= EDGES_MAX) return;
    for (u32 i = 0; i < v->n; i++)
        if (v->v[i].from == e.from && v->v[i].to == e.to) return;
    vec_push(a, v, e);
}

/* Every lock that the function takes, itself or by what it calls. */
static void taken_in(const Program *p, Arena *a, LockEdges *v, u32 gfunc, LockEdge proto, u32 depth)
{
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        u32 lock = p->section_lock[p->section_base[g.file] + i];
        if (!usable(p, lock) || x->sections.v[i].maybe) continue;
        proto.to = lock;
        edge_add(a, v, proto);
    }
    for (u32 i = p->edge_first[gfunc]; depth && i < p->edge_first[gfunc + 1]; i++)
        if (!p->edges.v[i].weak) taken_in(p, a, v, p->edges.v[i].callee, proto, depth - 1);
}

static void edges_of(const Program *p, Arena *a, LockEdges *v, u32 file)
{
    const Facts *x = p->facts[file];
    for (u32 i = 0; i < x->sections.n; i++) {
        const Section *s = &x->sections.v[i];
        u32 lock = p->section_lock[p->section_base[file] + i];
        if (!usable(p, lock)) continue;
        LockEdge e = {lock, NONE, file, s->stmt, s->func, NONE};
        for (u32 k = 0; k < x->sections.n; k++) {
            const Section *y = &x->sections.v[k];
            u32 inner = p->section_lock[p->section_base[file] + k];
            if (y->func != s->func || y->span.start <= s->span.start || y->span.start >= s->span.end ||
                !usable(p, inner) || y->maybe)
                continue;
            e.to = inner;
            e.offset = y->stmt;
            edge_add(a, v, e);
        }
        u32 caller = p->func_base[file] + s->func;
        for (u32 k = p->edge_first[caller]; k < p->edge_first[caller + 1]; k++) {
            const CallEdge *c = &p->edges.v[k];
            if (c->weak || c->call == NONE || c->file != file) continue;
            const Call *call = &x->calls.v[c->call];
            if (call->span.start < s->span.start || call->span.start >= s->span.end) continue;
            e.offset = call->span.start;
            e.via = c->callee;
            taken_in(p, a, v, c->callee, e, CALL_DEPTH);
            e.via = NONE;
        }
    }
}

static Str edge_text(Finder *f, const LockEdge *e)
{
    u32 line, column;
    const Source *s = f->p->facts[e->file]->source;
    source_position(s, e->offset, &line, &column);
    return str_fmt(f->a, "%.*s then %.*s at %.*s:%u", STR_ARG(f->p->locks.v[e->from].display),
                   STR_ARG(f->p->locks.v[e->to].display), STR_ARG(s->path), line);
}

/* The shortest way back from `to` to `from`, by breadth; fills via[] with edge ids, returns how many, 0 when none. */
static u32 way_back(const LockEdges *v, u32 from, u32 to, u32 *via, u32 max, u32 depth)
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

void race_lock_order(Finder *f)
{
    LockEdges v = {0};
    Arena scratch = {0};
    for (u32 file = 0; file < f->p->nfiles; file++)
        if (f->p->facts[file]->sections.n) edges_of(f->p, &scratch, &v, file);
    for (u32 i = 0; i < v.n; i++) {
        u32 via[3], n = way_back(&v, v.v[i].from, v.v[i].to, via, COUNT_OF(via), 3);
        if (!n) continue;
        bool first = true; /* each cycle once, at its first edge */
        for (u32 k = 0; k < n; k++) first &= via[k] > i;
        if (!first) continue;
        const LockEdge *e = &v.v[i];
        const Facts *x = f->p->facts[e->file];
        u32 end = e->offset;
        while (end < x->source->text.n && x->source->text.p[end] != '\n' && x->source->text.p[end] != '\r') end++;
        Race *r =
            race_at(f, UG303, e->file, e->func, (Span){e->offset, end}, f->p->locks.v[e->from].display, CONF_MEDIUM);
        r->lock = e->to;
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
