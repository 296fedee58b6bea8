/* UG101: a number that is drawn in two steps, each of which takes the lock.
 *
 *   self.serial.increment()              with the lock in each of the two methods
 *   number = self.serial.value()         two threads may both advance it first, and then get the same number
 *
 * So does a method that advances it, and a read beside the call: self._advance(); message.serial = self.serial.
 *
 * Needs the accesses of one place and the call edges. The call that advances must be a statement of its own, and the
 * next statement must ask, on the same object; what the function that asks does beside that is of no concern. Where
 * the update holds no lock, the update itself is reported (update.c). */
#include "races/races.h"

/* Is the call all that its statement says? */
static bool alone(const Facts *x, const Call *c)
{
    Str rest = str_slice(x->source->text, c->span.end, x->source->text.n);
    rest = str_trim(str_slice(rest, 0, str_find(rest, '\n')));
    return c->stmt == c->span.start && c->target == NONE && (!rest.n || rest.p[0] == '#');
}

/* A read of the place that hands on what it finds. */
static bool reads(const Access *a)
{
    return a->op == OP_LOAD || a->op == OP_ARG || a->op == OP_RETURN || a->op == OP_CREAD;
}

/* The calls of functions that answer for the place: ids of edges, which are in the order of who calls. */
typedef Vec(u32) Asks;

static int by_id(const void *a, const void *b)
{
    u32 x = *(const u32 *)a, y = *(const u32 *)b;
    return x < y ? -1 : x > y;
}

static void asks_find(const Finder *f, Asks *asks)
{
    u32 last = NONE;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 g = access_func(f->p, f->acc[i]);
        if (g == last) continue;
        last = g;
        if (answers(f, g) == NONE) continue;
        for (u32 k = f->called_first[g]; k < f->called_first[g + 1]; k++) vec_push(f->scratch, asks, f->called[k]);
    }
    if (asks->n) qsort(asks->v, asks->n, sizeof *asks->v, by_id);
}

/* The first of them that is this edge or one after it. */
static u32 asks_from(const Asks *asks, u32 edge)
{
    u32 low = 0, high = asks->n;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (asks->v[mid] < edge)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The read in the statement after the call, in the caller itself or in a method that it asks; NONE. *spot is where
 * the caller asks. */
static u32 asked_after(const Finder *f, const Asks *asks, const CallEdge *e, const Call *c, Span *spot)
{
    const Program *p = f->p;
    const Facts *x = p->facts[e->file];
    Str text = x->source->text;
    bool own = calls_own_object(f, e);
    u32 end, first = accesses_in(f, e->caller, &end);
    for (u32 i = first; i < end; i++) {
        const Access *a = program_access(p, f->acc[i]);
        if (!reads(a) || a->span.start < c->span.end) continue;
        if (!(own ? x->paths.v[a->path].root == ROOT_SELF : of_one_object(x, a->path, c->callee))) continue;
        if (a->block != c->block || !follows_at_once(text, c->stmt, a->stmt)) continue;
        *spot = a->span;
        return f->acc[i];
    }
    u32 asked = asks_from(asks, p->edge_first[e->caller]);
    for (; asked < asks->n && asks->v[asked] < p->edge_first[e->caller + 1]; asked++) {
        const CallEdge *to = &p->edges.v[asks->v[asked]];
        if (to->weak || to->call == NONE || to->file != e->file || to->callee == e->callee) continue;
        const Call *ask = &x->calls.v[to->call];
        if (ask->block != c->block || ask->span.start < c->span.end || alone(x, ask)) continue;
        if (own ? !calls_own_object(f, to) : !of_one_object(x, ask->callee, c->callee)) continue;
        u32 answer = follows_at_once(text, c->stmt, ask->stmt) ? answers(f, to->callee) : NONE;
        if (answer == NONE || program_access(p, answer)->op == OP_CONTAINS) continue;
        *spot = ask->span;
        return answer;
    }
    return NONE;
}

/* Who calls the function that advances the number, and then asks for it? */
static bool drawn_by(Finder *f, const Asks *asks, u32 update, const CallEdge *e)
{
    const Program *p = f->p;
    const Call *c = e->call == NONE || e->weak ? NULL : &p->facts[e->file]->calls.v[e->call];
    Span spot;
    if (!c || !c->func || c->is_decorator || !alone(p->facts[e->file], c)) return false;
    if (p->tests[e->file]) return false;
    u32 read = asked_after(f, asks, e, c, &spot);
    bool maybe = false;
    if (read == NONE || spots_in_section(p, e->file, c->func, c->span.start, spot.start, &maybe)) return false;
    if (!may_run_together(p, update, update) || !may_run_together(p, read, update)) return false;
    Conflict found = {update, CONF_MEDIUM, false};
    Race *r = race_add_at(f, UG101, read, found, e->file, c->func, spot);
    r->test = update;
    r->act = read;
    r->by_hand = "one method has to advance the number and return it, under the lock";
    race_site(r, update);
    race_message(f, r,
                 "%.*s is advanced by the call before, and asked for here; the lock is given back in between, so "
                 "that two threads may get the same number",
                 STR_ARG(short_state(p, f->place)));
    return true;
}

void race_drawn(Finder *f)
{
    u32 guard = f->p->places.v[f->place].guard;
    if (guard == NONE || f->p->locks.v[guard].maybe) return;
    Asks asks = {0};
    asks_find(f, &asks);
    for (u32 i = 0; i < f->nacc; i++) {
        u32 update = f->acc[i], gfunc = access_func(f->p, update);
        if (program_access(f->p, update)->op != OP_AUG || !access_counts(f->p, update)) continue;
        if (!lockset_has(f->p, f->p->access_locks[update], guard)) continue;
        for (u32 k = f->called_first[gfunc]; k < f->called_first[gfunc + 1]; k++)
            if (drawn_by(f, &asks, update, &f->p->edges.v[f->called[k]])) return;
    }
}
