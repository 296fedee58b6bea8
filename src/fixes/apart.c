/* Findings of one place, each with a form of its own that needs no lock.
 *
 *   if name in seen:                        seen.discard(name)
 *       seen.remove(name)
 *   …                                 →     …
 *   if name not in seen:                    seen.add(name)
 *       seen.add(name)
 *
 * One page has to take care of all findings of a place where it guards with a lock, for a lock on some excludes
 * nobody. What is one step of its own excludes nobody and need not: each finding may be cured by another page. Only
 * pages that rewrite the statements of the finding and nothing else, and only when all findings have one and none
 * names a lock. */
#include "fixes/fixes.h"

/* Does the page rewrite the two steps of a finding and nothing else of the place? */
static bool page_local(const Page *page)
{
    static const char *const planners[] = {"snapshot", "publish", "take-entry", "read-once"};
    if (page_locks(page) || page->safety_class != FIX_SAFE) return false;
    if (!page->planner) return page->find.n > 0;
    return str_among(str_from(page->planner->name), planners, COUNT_OF(planners));
}

/* Takes back the fixes from this one on. */
static void fixes_forget(Plan *pl, u32 from)
{
    if (from == pl->out->fixes.n) return;
    memset(pl->out->fixes.v + from, 0, (pl->out->fixes.n - from) * sizeof *pl->out->fixes.v);
    pl->out->fixes.n = from;
}

static bool race_alone(Plan *pl, u32 race, Work *w)
{
    *w = (Work){.place = pl->races->v[race].place};
    vec_push(pl->a, &w->races, race);
    for (u32 i = 0; i < pl->pages->n; i++) {
        const Page *page = pl->pages->v[i];
        u32 before = pl->out->fixes.n;
        if (!page_local(page) || !page_fits(pl, page, w)) continue;
        if (!page_run(pl, w, page)) continue;
        const Fix *f = &pl->out->fixes.v[pl->out->fixes.n - 1];
        if (pl->out->fixes.n == before + 1 && f->safety == FIX_SAFE && !f->declined && f->lock == NONE) return true;
        fixes_forget(pl, before);
    }
    return false;
}

bool races_apart(Plan *pl, Work *w)
{
    u32 before = pl->out->fixes.n;
    if (w->races.n < 2 || w->place == NONE || race_lock(pl, w) != NONE) return false;
    for (u32 i = 0; i < w->races.n; i++) {
        Work alone;
        if (race_alone(pl, w->races.v[i], &alone)) continue;
        fixes_forget(pl, before);
        return false;
    }
    w->done = true;
    return true;
}
