/* plan and report with --base: what was found at a commit, beside what is found now.
 *
 * The tree of the commit is read from git's object store and analysed with the options of the run. Findings are the
 * same when their fingerprints are, as often as they occur: one that moved to another module counts as gone and new.
 * Where the commit and HEAD have grown apart, the commit that they have in common counts, as for review. */
#include "app/app.h"

/* How often each fingerprint occurs among the findings that count. */
static void fingerprints_count(Arena *a, const RaceVec *races, Map *out)
{
    for (u32 i = 0; i < races->n; i++) {
        if (races->v[i].suppressed) continue;
        u32 *n = map_at(a, out, races->v[i].fingerprint & ~(1ull << 63)); /* UINT64_MAX cannot be a key */
        *n = *n == NONE ? 1 : *n + 1;
    }
}

/* Takes one away; false when there is none. */
static bool fingerprint_take(Arena *a, Map *m, u64 fingerprint)
{
    u32 *n = map_at(a, m, fingerprint & ~(1ull << 63));
    if (*n == NONE || *n == 0) return false;
    --*n;
    return true;
}

static void sides_count(const RaceVec *old, const RaceVec *now, Burndown *b)
{
    Arena scratch = {0};
    Map then_has = {0}, now_has = {0};
    fingerprints_count(&scratch, old, &then_has);
    fingerprints_count(&scratch, now, &now_has);
    for (u32 i = 0; i < old->n; i++) {
        if (old->v[i].suppressed) continue;
        bool gone = !fingerprint_take(&scratch, &now_has, old->v[i].fingerprint);
        BurndownRow *row = &b->rules[old->v[i].rule];
        row->then++, b->then++;
        row->gone += gone, b->gone += gone;
    }
    for (u32 i = 0; i < now->n; i++) {
        if (now->v[i].suppressed) continue;
        bool fresh = !fingerprint_take(&scratch, &then_has, now->v[i].fingerprint);
        BurndownRow *row = &b->rules[now->v[i].rule];
        row->now++, b->now++;
        row->fresh += fresh, b->fresh += fresh;
    }
    arena_free(&scratch);
}

bool burndown_find(Arena *a, const Options *o, const Baseline *known, const RaceVec *now, Burndown *out, Err *e)
{
    Options *at = arena_new(a, Options, 1);
    Revisions revisions = {0};
    NoteVec notes = {0}; /* are about files as they no longer are */
    Facts **facts;
    RaceVec all = {0}, old = {0};
    *at = *o;
    at->isolated = true; /* the configuration is today's, on both sides */
    if (!read_revisions(a, at, &revisions, &notes, e)) return false;
    if (!str_eq(at->root, o->root))
        return err_set(e, "--base compares with the whole tree of a commit; the root must be the top of the "
                          "repository, %.*s", STR_ARG(at->root));
    if (!facts_all(a, at, &revisions.before, &facts, &notes, e)) return false;
    Program *program = program_link(a, at, facts, revisions.before.n);
    races_all(a, program, &all);
    baseline_mark(known, &all);
    races_wanted(a, program, &all, &old);
    out->rev = o->base_rev;
    sides_count(&old, now, out);
    return true;
}
