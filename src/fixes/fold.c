/* Copies that a lock makes needless: the walk stands in a critical section that the place gets anyway.
 *
 *   with self._lock:                                          with self._lock:
 *       if len(self._data) >= self.size:                          if len(self._data) >= self.size:
 *           oldest = min(list(self._data), key=…)      →              oldest = min(self._data, key=…)
 *
 * Walks are planned apart from what needs a lock, so that they have a fix of their own when the lock is declined. If
 * it is not, and safe, the walk becomes one of its findings. */
#include "fixes/fixes.h"

static bool wraps(const Fix *lock, u32 file, Span span)
{
    for (u32 i = 0; i < lock->intents.n; i++) {
        const Intent *t = &lock->intents.v[i];
        bool with = t->kind == INTENT_WRAP && t->text.n;
        if (with && t->file == file && t->span.start <= span.start && span.end <= t->span.end)
            return true;
    }
    return false;
}

/* The fix whose lock is held where a copy of the place is made; NULL. */
static Fix *around(Plan *pl, u32 place, const Intent *copy)
{
    for (u32 i = 0; copy->kind == INTENT_REPLACE && i < pl->out->fixes.n; i++) {
        Fix *f = &pl->out->fixes.v[i];
        if (f->place == place && !f->declined && f->safety == FIX_SAFE && wraps(f, copy->file, copy->span)) return f;
    }
    return NULL;
}

/* The planner has made one edit for each finding, in their order. */
static void fold(Plan *pl, Fix *f)
{
    u32 n = 0;
    for (u32 k = 0; k < f->races.n; k++) {
        Fix *lock = around(pl, f->place, &f->intents.v[k]);
        if (lock) {
            vec_push(pl->a, &lock->races, f->races.v[k]);
            continue;
        }
        f->intents.v[n] = f->intents.v[k];
        f->races.v[n++] = f->races.v[k];
    }
    f->intents.n = f->races.n = n;
    if (n) f->fingerprint = pl->races->v[f->races.v[0]].fingerprint;
}

void fixes_fold(Plan *pl)
{
    for (u32 i = 0; i < pl->out->fixes.n; i++) {
        Fix *f = &pl->out->fixes.v[i];
        if (str_is(f->transform, "snapshot") && !f->declined && f->place != NONE && f->intents.n == f->races.n)
            fold(pl, f);
    }
    u32 n = 0;
    for (u32 i = 0; i < pl->out->fixes.n; i++)
        if (pl->out->fixes.v[i].races.n) pl->out->fixes.v[n++] = pl->out->fixes.v[i];
    pl->out->fixes.n = n;
}
