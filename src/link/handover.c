/* Order by an Event: what a thread does before it sets an event is over when another one has waited for it.
 *
 *     def _load(self):                    def lookup(self):
 *         self.table[k] = v                   self.ready.wait()
 *         self.ready.set()                    for k in self.table: …
 *
 * Needs an event that nobody clears, that one function alone sets, outside of loops and run once by one thread, and a
 * wait() without a timeout, or one whose failure is tested and leaves, in the same block as what follows or in one
 * around it (Python library reference, "Event Objects"). Both steps must stand in the functions that set and wait.
 * Not followed: Conditions, Barriers, events that are passed on. */
#include "link/link.h"

typedef struct Signal {
    u32 place; /* of the event */
    u32 gfunc;
    u32 from, to; /* the call */
    u32 block;
    bool set;
} Signal;

struct Handover {
    Vec(Signal) calls;
    u32 *of_func; /* global func → its first in calls + 1, which are in the order of functions; 0 */
};

/* if not ready.wait(5): return — does the statement of the call leave when the event was not set in time? */
static bool gives_up(const Facts *f, const Call *c)
{
    Str before = str_trim(str_slice(f->source->text, c->stmt, c->span.start));
    if (!str_is(before, "if not")) return false;
    for (u32 i = 0; i < f->conds.n; i++) {
        const Cond *k = &f->conds.v[i];
        if (k->func != c->func || k->block != c->block || k->then_block == NONE || k->loop || k->is_try) continue;
        const Block *then = &f->blocks.v[k->then_block];
        if (then->span.start < c->span.end || then->span.start > c->span.end + 200) continue;
        Str between = str_trim(str_slice(f->source->text, c->span.end, then->span.start));
        if (str_is(between, ":")) return then->exits;
    }
    return false;
}

/* Is the call one of set() or wait() of an event that a place holds? `clears`: or of clear(), which takes the order
 * away. */
static bool signal_of(const Program *p, u32 file, u32 call, Signal *out, bool *clears)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *x = &f->paths.v[c->callee];
    if (!path_is_attr(x)) return false;
    Str name = path_last(f, x);
    *clears = str_is(name, "clear");
    bool set = str_is(name, "set"), wait = str_is(name, "wait");
    if (!set && !wait && !*clears) return false;
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    if (e.kind != ENT_PLACE || ent_type(p, e).kind != TYPE_EVENT) return false;
    if (wait && c->nargs && !gives_up(f, c)) return false;
    *out = (Signal){e.id, gfunc_of(p, file, c->func), c->span.start, c->span.end, c->block, set};
    return true;
}

/* Does the set() come once, at the end of what one thread does? */
static bool comes_once(const Program *p, const Signal *s)
{
    const FuncInfo *fi = &p->funcs[s->gfunc];
    return !p->facts[func_gid(p, s->gfunc).file]->blocks.v[s->block].repeats && !fi->many && !fi->again &&
           !fi->api && fi->nroots <= 1;
}

void handovers_find(Program *p)
{
    Handover *h = arena_new(p->arena, Handover, 1);
    bool *bad = arena_new(p->arena, bool, p->places.n + 1);
    u32 *setter = arena_new(p->arena, u32, p->places.n + 1); /* place of an event → who sets it, a global func + 1 */
    h->of_func = arena_new(p->arena, u32, p->state->nfuncs + 1);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (intern_find(&f->syms, S("wait")) == NONE && intern_find(&f->syms, S("set")) == NONE &&
            intern_find(&f->syms, S("clear")) == NONE)
            continue;
        for (u32 func = 0; func < f->funcs.n; func++) {
            const Func *fn = &f->funcs.v[func];
            for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
                Signal s;
                bool clears;
                if (!signal_of(p, file, i, &s, &clears)) continue;
                if (clears || (s.set && (!comes_once(p, &s) || (setter[s.place] && setter[s.place] != s.gfunc + 1))))
                    bad[s.place] = true;
                if (s.set) setter[s.place] = s.gfunc + 1;
                if (clears) continue;
                if (!h->of_func[s.gfunc]) h->of_func[s.gfunc] = h->calls.n + 1;
                vec_push(p->arena, &h->calls, s);
            }
        }
    }
    u32 n = 0;
    for (u32 i = 0; i < h->calls.n; i++) n += !bad[h->calls.v[i].place] && h->calls.v[i].set;
    if (!n) return;
    for (u32 i = 0; i < h->calls.n; i++)
        if (bad[h->calls.v[i].place] || !setter[h->calls.v[i].place]) h->calls.v[i].place = NONE;
    p->state->handover = h;
}

/* Do all set() of the event in the function stand after the access? */
static bool before_set(const Handover *h, u32 place, u32 gfunc, const Access *a)
{
    bool any = false;
    for (u32 i = h->of_func[gfunc]; i && i <= h->calls.n && h->calls.v[i - 1].gfunc == gfunc; i++) {
        const Signal *s = &h->calls.v[i - 1];
        if (!s->set || s->place != place) continue;
        if (s->from < a->span.end) return false;
        any = true;
    }
    return any;
}

bool event_orders(const Program *p, u32 ga, u32 gb)
{
    const Handover *h = p->state->handover;
    if (!h) return false;
    u32 fa = access_func(p, ga), fb = access_func(p, gb);
    if (fa == fb || !h->of_func[fa] || !h->of_func[fb]) return false;
    const Access *a = program_access(p, ga), *b = program_access(p, gb);
    const Facts *f = p->facts[access_gid(p, gb).file];
    for (u32 i = h->of_func[fb]; i <= h->calls.n && h->calls.v[i - 1].gfunc == fb; i++) {
        const Signal *w = &h->calls.v[i - 1];
        if (w->set || w->place == NONE || w->to > b->span.start || !block_within(f, b->block, w->block)) continue;
        if (before_set(h, w->place, fa, a)) return true;
    }
    return false;
}
