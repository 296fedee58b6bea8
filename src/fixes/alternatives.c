/* What else a fix might have been, why it is not, and what it costs.
 *
 * While a place is planned, each page that was tried and each lock that was weighed leaves a sentence with the work
 * (alternative_add). At the end the fix gets them, its price, and the cures that a person could write but a transform
 * does not. Prices are docs/memory-model.md's measurements: one thread, 3.13 without the GIL, nanoseconds. */
#include "fixes/fixes.h"

/* The price of what a page writes; of those that take a lock see lock_price. */
static const struct {
    const char *page, *price;
} prices[] = {
    {"count-ids", "52 ns for a number, against 72 ns for the racy update; no lock"},
    {"own-stack", "about 100 ns for an attribute of a thread-local object; no lock"},
    {"thread-local-defaults", "about 100 ns for an attribute of a thread-local object; no lock"},
    {"cache-to-functools", "46 ns for a hit, against 39 ns for get() of a dict"},
    {"setdefault", "one step of a dict, about 40 ns; the value is made even when it is there"},
    {"pop-default", "one step of a dict, about 40 ns"},
    {"discard", "one step of a set, about 40 ns"},
    {"add-item", "one step of a set, about 40 ns; no test before it"},
    {"share-entry", "one step of a dict more, about 40 ns; two threads may both make the value"},
    {"snapshot", "a copy of the container for each walk; no lock"},
    {"list-to-deque", "70 ns for append and popleft, against 79 ns for append and pop of a list"},
    {"queue-poll", "nothing while there are items; an exception at the end"},
    {"read-once", "nothing"},
    {"acquire-to-with", "about 30 ns more than acquire() and release()"},
    {"eager-lock", "nothing"},
};

void alternative_add(Plan *pl, Work *w, Str what, Str why)
{
    for (u32 i = 0; i < w->others.n; i++)
        if (str_eq(w->others.v[i].what, what)) return;
    vec_push(pl->a, &w->others, (Alternative){what, why});
}

static Str lock_price(Plan *pl, const LockPlan *l, const Fix *f)
{
    bool attribute = l->kind == PLACE_INSTANCE || l->kind == PLACE_CLASS_ATTR;
    const char *ns = l->reentrant ? "about 150" : attribute ? "about 140" : "about 120";
    u32 wraps = 0;
    for (u32 i = 0; i < f->intents.n; i++) {
        u8 kind = f->intents.v[i].kind;
        wraps += (kind == INTENT_WRAP && f->intents.v[i].text.n) || /* none for a `try` */
                 (kind == INTENT_INSERT && f->intents.v[i].lock != NONE);
    }
    return str_fmt(pl->a,
                   "%s ns each time that nobody else holds the lock (%u critical section%s); threads that come "
                   "together wait for each other",
                   ns, wraps, wraps == 1 ? "" : "s");
}

static Str price_of(Plan *pl, const Fix *f)
{
    if (f->lock != NONE) return lock_price(pl, &pl->out->locks.v[f->lock], f);
    for (u32 i = 0; i < COUNT_OF(prices); i++)
        if (str_is(f->transform, prices[i].page)) return str_from(prices[i].price);
    return S("");
}

/* Cures that maintainers write by hand: named so that they can be weighed against the guard. */
static void by_hand(Plan *pl, Work *w, const Fix *f)
{
    for (u32 i = 0; f->lock != NONE && i < f->races.n; i++) {
        const Race *r = &pl->races->v[f->races.v[i]];
        if (r->rule == UG103 || r->rule == UG104)
            alternative_add(pl, w, S("a test before the lock, and the same once more under it"),
                            S("a hit would cost no lock; it puts the test into the text twice, which a guard never "
                              "does"));
        if (r->rule != UG101 || !r->nsites) continue;
        GId g = access_gid(pl->p, r->sites[0]);
        const Facts *x = pl->p->facts[g.file];
        if (!str_is(f->transform, "local-sum") && block_in_loop(x, x->accesses.v[g.id].block))
            alternative_add(pl, w,
                            S("local-sum: a sum of its own in each thread, added under the lock after the loop"),
                            S("it is several times cheaper (about 45 against 220 ns an update), but others see the "
                              "total later, which only a person can judge: --prefer local-sum"));
    }
}

void alternatives_give(Plan *pl)
{
    for (u32 i = 0; i < pl->works.n; i++) {
        Work *w = &pl->works.v[i];
        u32 at = w->races.n ? pl->races->v[w->races.v[0]].fix : NONE;
        if (at == NONE) continue;
        Fix *f = &pl->out->fixes.v[at];
        if (!f->declined) {
            f->price = price_of(pl, f);
            by_hand(pl, w, f);
        }
        for (u32 k = 0; k < w->others.n; k++) vec_push(pl->a, &f->others, w->others.v[k]);
    }
}
