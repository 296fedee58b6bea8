/* A cache in two variables: what was asked for last, and what came of it.
 *
 *   if name != self._name:                 with self._lock:
 *       self._name = name                      if name != self._name:
 *       self._table = load(name)     →             self._name = name
 *   return self._table                             self._table = load(name)
 *                                              return self._table
 *
 * Returned after the lock is given back it may be the table of another name; and were only one of the two stored
 * under the lock, the other would be found beside a name that it is not of. So the region goes on over the statements
 * right behind it that store either of them, or read one and call nothing. Which ones: a place that is compared and
 * then set to what it was compared with, a parameter or a local, and places of the same owner that the function
 * stores as well. */
#include "fixes/fixes.h"

enum { VALUES_MAX = 4, STATEMENTS_MAX = 6 };

/* The key and the values that belong to it. */
typedef struct Paired {
    u32 key, values[VALUES_MAX], n;
} Paired;

static bool compared(const Plan *pl, const Region *r, u32 first, u32 place)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = first; i < fn->accesses + fn->naccesses && f->accesses.v[i].span.start < r->span.end; i++)
        if (f->accesses.v[i].test == TEST_COMPARE && span_within(f->accesses.v[i].span, r->span) &&
            pl->p->access_place[pl->p->access_base[r->file] + i] == place)
            return true;
    return false;
}

/* Where the region's accesses begin among those of its function. */
static u32 region_first(const Facts *f, const Region *r)
{
    const Func *fn = &f->funcs.v[r->func];
    u32 i = fn->accesses;
    while (i < fn->accesses + fn->naccesses && f->accesses.v[i].span.start < r->span.start) i++;
    return i;
}

/* self._name = name: is a parameter or a local stored? */
static bool stores_local(const Plan *pl, const Facts *f, u32 gaccess)
{
    const Def *d = stored_def(pl->p, gaccess);
    const Path *p = d && d->kind == VAL_PATH ? &f->paths.v[d->value] : NULL;
    return p && !p->nattr && (p->root == ROOT_LOCAL || p->root == ROOT_PARAM);
}

static bool beside(const Place *x, const Place *y)
{
    return y->kind == x->kind && y->owner == x->owner && y->file == x->file;
}

static bool paired_find(const Plan *pl, const Work *w, const Region *r, Paired *out)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    u32 base = pl->p->access_base[r->file];
    const Place *x = &pl->p->places.v[w->place];
    u32 first = region_first(f, r);
    *out = (Paired){.key = NONE};
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 place = pl->p->access_place[base + i];
        if (f->accesses.v[i].op != OP_STORE || place == NONE || !beside(x, &pl->p->places.v[place])) continue;
        if (place != out->key && compared(pl, r, first, place) && stores_local(pl, f, base + i)) {
            if (out->key != NONE) return false;
            out->key = place;
        }
    }
    for (u32 i = fn->accesses; out->key != NONE && i < fn->accesses + fn->naccesses; i++) {
        u32 place = pl->p->access_place[base + i], k = 0;
        if (f->accesses.v[i].op != OP_STORE || place == NONE || place == out->key) continue;
        if (!beside(x, &pl->p->places.v[place])) continue;
        while (k < out->n && out->values[k] != place) k++;
        if (k == out->n && k < VALUES_MAX) out->values[out->n++] = place;
    }
    bool own = w->place == out->key;
    for (u32 k = 0; k < out->n; k++) own |= w->place == out->values[k];
    return out->n && own;
}

static bool of_pair(const Paired *x, u32 place)
{
    bool found = place == x->key;
    for (u32 k = 0; k < x->n; k++) found |= place == x->values[k];
    return found;
}

/* Does the statement store one of them, or read one and call nothing? */
static bool goes_on(Plan *pl, const Region *r, const Paired *x, u32 stmt)
{
    const Ast *t = site_ast(pl, r->file);
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    Span s = ast_span(t, stmt);
    bool assigns = ast_is(t, stmt, NODE_expression_statement) && ast_is(t, ast_first(t, stmt), NODE_assignment);
    bool reads = false, stores = false, calls = false;
    if (!assigns && !ast_is(t, stmt, NODE_return_statement)) return false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 g = pl->p->access_base[r->file] + i, place = pl->p->access_place[g];
        if (!span_within(f->accesses.v[i].span, s) || place == NONE) continue;
        if (f->accesses.v[i].op == OP_STORE) {
            if (!of_pair(x, place)) return false;
            stores = true;
        } else {
            reads |= of_pair(x, place);
        }
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) calls |= span_within(f->calls.v[i].span, s);
    return stores || (reads && !calls);
}

void paired_extend(Plan *pl, const Work *w, Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    Paired x;
    if (r->test == NONE || r->func == 0 || !paired_find(pl, w, r, &x)) return;
    u32 last = r->last, n = ast_after(t, last);
    for (u32 k = 0; n != NONE && k < STATEMENTS_MAX && goes_on(pl, r, &x, n); n = ast_after(t, n), k++) last = n;
    Region more;
    Str why;
    if (last == r->last || !region_split(pl, r->file, r->func, ast_span(t, r->first), ast_span(t, last), &more, &why))
        return;
    if (more.first != r->first || more.last != last) return;
    if (judgement_find(S("no-suspend-inside"))->judge(pl, w, &more, NULL, &why) != VERDICT_OK) return;
    r->last = last;
    r->span = more.span;
}
