/* UG102 about what a function has made sure of and then reads once more, while others take it away:
 *
 *   self._fill()                       if self._table is None:            def clear(self):
 *   return self._table[key]                self._table = load()               self._table = None
 *                                      return len(self._table)
 *
 * When clear() comes between the two steps, the second one finds None and raises. What is tested and used in the
 * branch of the test itself is check.c's.
 *
 * Needs the accesses of one place, the call edges, and which accesses set the place to None (check.c). Made sure of
 * is what a test for None or nothing leads to be stored: in the function itself, or in a method of the same object or
 * a function of the module that it calls, there or one call deeper. The use stands in the block of that step or
 * within it, and raises for None. What is closed or set up is a matter of who uses what is closed. */
#include "races/races.h"

enum {
    FINDINGS = 2, /* of one place */
    USES = 100,   /* of one place that are looked at */
    HELPERS = 40, /* calls before a use that are looked into */
    LOOKED = 100, /* accesses of the place in a function that is called */
    EDGES = 200   /* calls of a function that are looked through for one in a branch */
};

/* Does it fail for None: x[k], x.get(k), k in x, len(x), for … in x? Not a return: of 14 such findings in 259
 * programs one was true, as the rest is reset by tests and at the end. */
static bool needs_it(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    switch (a->op) {
    case OP_ITEM_LOAD:
    case OP_ITEM_STORE:
    case OP_ITEM_AUG:
    case OP_METHOD:
    case OP_CONTAINS:
    case OP_ITER: return true;
    case OP_CREAD: {
        static const char *const readers[] = {"len", "list", "dict", "set", "tuple", "sorted", "iter", "next"};
        return str_among(access_method(p, ga), readers, COUNT_OF(readers));
    }
    default: return false;
    }
}

static bool stores_something(const Program *p, u32 ga)
{
    const Def *d = program_access(p, ga)->op == OP_STORE ? stored_def(p, ga) : NULL;
    return d && d->kind != VAL_NONE;
}

/* Does the function store something, whatever it finds? */
static bool always_stores(const Finder *f, u32 gfunc)
{
    u32 end, first = accesses_in(f, gfunc, &end);
    for (u32 i = first; i < end && i - first < LOOKED; i++) {
        const Facts *x = f->p->facts[access_file(f->p, f->acc[i])];
        const Access *a = program_access(f->p, f->acc[i]);
        if (stores_something(f->p, f->acc[i]) && x->blocks.v[past_with(x, a->block)].parent == NONE) return true;
    }
    return false;
}

/* Is a call in the block, or in one within it, one of a function of ours that stores it? */
static bool calls_storer(const Finder *f, u32 gfunc, u32 block)
{
    const Program *p = f->p;
    const Facts *x = p->facts[func_gid(p, gfunc).file];
    u32 first = p->edge_first[gfunc];
    for (u32 e = first; e < p->edge_first[gfunc + 1] && e - first < EDGES; e++) {
        const CallEdge *edge = &p->edges.v[e];
        if (edge->weak || edge->call == NONE || !calls_own_object(f, edge)) continue;
        if (block_within(x, x->calls.v[edge->call].block, block) && always_stores(f, edge->callee)) return true;
    }
    return false;
}

/* Does the test lead to something being stored where there is nothing? */
static bool test_fills(const Finder *f, u32 gfunc, u32 i, u32 end)
{
    const Program *p = f->p;
    const Access *t = program_access(p, f->acc[i]);
    if ((t->op != OP_TRUTH && t->op != OP_HASATTR) || t->cond == NONE) return false;
    if (t->test != TEST_NONE && t->test != TEST_FALSE && t->op != OP_HASATTR) return false;
    const Facts *x = p->facts[access_file(p, f->acc[i])];
    const Cond *c = &x->conds.v[t->cond];
    if (c->loop || c->then_block == NONE || x->blocks.v[c->then_block].exits) return false;
    for (u32 k = i + 1; k < end && k - i < STEPS_AHEAD && program_access(p, f->acc[k])->span.start < c->span.end; k++)
        if (stores_something(p, f->acc[k]) && block_within(x, program_access(p, f->acc[k])->block, c->then_block))
            return true;
    return calls_storer(f, gfunc, c->then_block);
}

/* Does the function, when it has run, leave something there? */
static bool ensures(const Finder *f, u32 gfunc)
{
    u32 end, first = accesses_in(f, gfunc, &end);
    for (u32 i = first; i < end && i - first < LOOKED; i++)
        if (test_fills(f, gfunc, i, end)) return true;
    return false;
}

/* The test before access u, in its function, after which it is there: where that test ends, NONE. `from` is the first
 * access of the function. */
static u32 tested_before(const Finder *f, u32 gfunc, u32 from, u32 u)
{
    const Program *p = f->p;
    const Facts *x = p->facts[access_file(p, f->acc[u])];
    const Access *use = program_access(p, f->acc[u]);
    for (u32 i = u; i-- > from && u - i < STEPS_AHEAD;) {
        const Access *t = program_access(p, f->acc[i]);
        if (t->cond == NONE || x->conds.v[t->cond].span.end > use->span.start) continue;
        if (block_within(x, use->block, x->conds.v[t->cond].block) && test_fills(f, gfunc, i, u)) return f->acc[i];
    }
    return NONE;
}

/* The last call before access u of a function that sees to it, NONE. */
static const Call *seen_to_before(const Finder *f, u32 gfunc, u32 u)
{
    const Program *p = f->p;
    const Facts *x = p->facts[access_file(p, f->acc[u])];
    const Access *use = program_access(p, f->acc[u]);
    const Call *last = NULL;
    u32 asked[HELPERS], n = 0;
    for (u32 e = p->edge_first[gfunc]; e < p->edge_first[gfunc + 1] && n < COUNT_OF(asked); e++) {
        const CallEdge *edge = &p->edges.v[e];
        if (edge->weak || edge->call == NONE || edge->callee == gfunc || !calls_own_object(f, edge)) continue;
        const Call *c = &x->calls.v[edge->call];
        if (c->awaited || c->span.end > use->stmt || !block_within(x, use->block, c->block)) continue;
        asked[n++] = edge->callee;
        if ((!last || c->span.start > last->span.start) && ensures(f, edge->callee)) last = c;
    }
    return last;
}

static bool ends(Str name)
{
    return name_ends(name, ENDS_USE);
}

/* initialize(), open(): nobody uses it yet. */
static bool begins(Str name)
{
    static const char *const words[] = {"init",  "start", "open",   "connect", "setup",
                                        "setUp", "new",   "create", "prepare"};
    return str_has_any(name, words, COUNT_OF(words));
}

/* close(), or self.pool.terminate(); self.pool = None: who uses what is closed gets an exception either way. */
static bool ends_or_begins(const Finder *f, u32 reset)
{
    u32 gfunc = access_func(f->p, reset), end;
    Str name = sym_str(f->p->facts[access_file(f->p, reset)], program_func(f->p, gfunc)->name);
    if (ends(name) || begins(name)) return true;
    u32 first = accesses_in(f, gfunc, &end);
    for (u32 i = first; i < end && i - first < LOOKED && f->acc[i] < reset; i++)
        if (ends(access_method(f->p, f->acc[i]))) return true;
    return false;
}

/* The best reset that may come in between: in another function than the use's. */
static Conflict taken_away(const Finder *f, u32 ga)
{
    Conflict best = {NONE, CONF_LOW, false};
    for (u32 i = 0; i < f->nresets; i++) {
        u32 r = f->resets[i];
        if (access_func(f->p, r) == access_func(f->p, ga)) continue;
        Conflict c = conflict_of(f, ga, r);
        if (c.witness == NONE || ends_or_begins(f, r)) continue;
        if (best.witness == NONE || c.confidence > best.confidence) best = c;
    }
    return best;
}

static bool report(Finder *f, u32 u, u32 line, u32 test)
{
    const Program *p = f->p;
    u32 ga = f->acc[u];
    Conflict c = taken_away(f, ga);
    if (c.witness == NONE) return false;
    if (c.confidence > CONF_MEDIUM) c.confidence = CONF_MEDIUM;
    Race *r = race_add(f, UG102, ga, c);
    r->test = test;
    r->act = ga;
    r->by_shape = true;
    r->by_hand = "what was made sure of has to be taken into a local, and the local be used";
    race_message(f, r,
                 "line %u sees to it that %.*s is there, and it is used here; line %u of %.*s may set it to None in "
                 "between, and this raises",
                 line, STR_ARG(short_state(p, f->place)), program_access(p, c.witness)->line,
                 STR_ARG(p->facts[access_file(p, c.witness)]->source->path));
    return true;
}

void race_ensured(Finder *f)
{
    const Program *p = f->p;
    u8 kind = p->places.v[f->place].kind;
    if (!f->nresets || kind == PLACE_CLOSURE || kind == PLACE_DEFAULT) return;
    for (u32 i = 0, found = 0, uses = 0; i < f->nacc && found < FINDINGS && uses < USES;) {
        u32 gfunc = access_func(p, f->acc[i]), end, from = accesses_in(f, gfunc, &end);
        end = MAX(end, i + 1);
        for (bool done = false; i < end; i++) {
            u32 ga = f->acc[i], line = 0;
            if (done || f->claimed[ga] || !needs_it(p, ga) || !access_counts(p, ga)) continue;
            if (failure_caught(p, ga) || uses++ >= USES) continue;
            u32 test = tested_before(f, gfunc, from, i);
            const Call *call = test == NONE ? seen_to_before(f, gfunc, i) : NULL;
            if (test == NONE && !call) continue;
            line = test == NONE ? call->line : program_access(p, test)->line;
            done = report(f, i, line, test);
            found += done;
        }
    }
}
