/* Further rounds of `diff` and `fix`, so that a second run has nothing to do.
 *
 * A fix can make room for another: a lock is now held where one could not be named, or a lock in a class makes its
 * other state believable. So the changed program is analysed again in memory, and its fixes are made and proved as
 * the first ones were, until there are none. The changes of all rounds are put together: each from the text on disk
 * to the last one. `commit` keeps the rounds and makes commits of each. */
#include "app/app.h"

enum { ROUNDS = 5 };

static Change *change_of(ChangeVec *changes, u32 file)
{
    for (u32 i = 0; i < changes->n; i++)
        if (changes->v[i].file == file) return &changes->v[i];
    return NULL;
}

/* What changed in a further round, added to what changed before. */
static void changes_join(Arena *a, const SourceList *sources, ChangeVec *changes, const ChangeVec *more)
{
    for (u32 i = 0; i < more->n; i++) {
        Change *c = change_of(changes, more->v[i].file);
        if (!c) {
            c = vec_add(a, changes);
            *c = more->v[i];
            c->before = sources->v[c->file];
        }
        c->after = str_dup(a, more->v[i].after);
    }
}

static int by_path(const void *x, const void *y)
{
    return str_cmp(((const Change *)x)->before->path, ((const Change *)y)->before->path);
}

/* One more round on the program as it is changed so far; false when it cannot be read back. */
static bool round_more(Arena *a, const Results *r, Facts **facts, const Baseline *known, const ChangeVec *changes,
                       Results *out)
{
    SourceList *sources = arena_new(a, SourceList, 1);
    *sources = (SourceList){arena_new(a, Source *, r->sources->n + 1), r->sources->n};
    memcpy(sources->v, r->sources->v, r->sources->n * sizeof *sources->v);
    Facts **now = arena_new(a, Facts *, r->sources->n + 1);
    memcpy(now, facts, r->sources->n * sizeof *now);
    NoteVec notes = {0};
    for (u32 i = 0; i < changes->n; i++) {
        Source *s = source_changed(a, &changes->v[i], &notes);
        if (!s) return false;
        Tree *t = tree_parse(s);
        now[changes->v[i].file] = facts_collect(a, s, t);
        tree_free(t);
        sources->v[changes->v[i].file] = s;
    }
    *out = *r;
    out->sources = sources;
    RaceVec all = {0}, *races = arena_new(a, RaceVec, 1);
    ChangeVec *more = arena_new(a, ChangeVec, 1);
    Wanted wanted = {.unsafe = r->options->unsafe_fixes};
    out->arena = a;
    out->program = program_link(a, r->options, now, sources->n);
    out->races = races;
    out->fixes = arena_new(a, FixList, 1);
    out->changes = more;
    races_all(a, out->program, &all);
    baseline_mark(known, &all);
    races_wanted(a, out->program, &all, races);
    fixes_plan(a, out->program, r->pages, &all, races, out->fixes);
    edits_verify(a, out->program, r->pages, &all, races, out->fixes, &wanted, more);
    return true;
}

static void later_add(Arena *a, Results *r, const Results *more)
{
    Wanted wanted = {.unsafe = r->options->unsafe_fixes};
    for (u32 i = 0; i < more->races->n; i++) {
        const Race *race = &more->races->v[i];
        if (!race->suppressed && race->fix != NONE && fix_wanted(more->fixes, race->fix, &wanted))
            vec_push(a, &r->later, race->fingerprint);
    }
}

void rounds_run(Arena *a, Facts **facts, const Baseline *known, Results *r)
{
    bool keep = r->options->command == CMD_COMMIT || r->options->command == CMD_FIX; /* it goes into the journal */
    ChangeVec *changes = arena_new(a, ChangeVec, 1);
    for (u32 i = 0; i < r->changes->n; i++) vec_push(a, changes, r->changes->v[i]);
    if (keep) {
        Results *first = arena_new(a, Results, 1);
        *first = *r;
        vec_push(a, &r->rounds, first);
    }
    for (u32 round = 1; changes->n && !r->options->only.n && round < ROUNDS; round++) {
        Arena scratch = {0}, *room = keep ? a : &scratch;
        Results *more = arena_new(room, Results, 1);
        if (!round_more(room, r, facts, known, changes, more) || !more->changes->n) {
            arena_free(&scratch);
            break;
        }
        changes_join(a, r->sources, changes, more->changes);
        later_add(a, r, more);
        if (keep) vec_push(a, &r->rounds, more);
        arena_free(&scratch);
    }
    if (changes->n) qsort(changes->v, changes->n, sizeof *changes->v, by_path);
    r->changes = changes;
}
