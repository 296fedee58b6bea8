/* `ungil review`: the program before a change and after it, analysed side by side, and what differs between them.
 *
 * A file that the change leaves alone is parsed once: both programs have its facts. Linking and looking for races
 * are about whole programs and are done for each, at the same time. Fixes are planned and proved for the program
 * after the change; only those of its new findings are shown. */
#include "app/app.h"

/* ---- facts of both sides ------------------------------------------------------------------------------- */

/* The facts of the sources before: those of the other side where the file is the same. */
static bool facts_before(Arena *a, const Options *o, const Revisions *r, Facts **after, Facts ***out, Err *e)
{
    const SourceList *all = &r->before;
    SourceList own = {arena_new(a, Source *, all->n + 1), 0};
    NoteVec notes = {0}; /* are about files as they no longer are */
    Facts **facts = arena_new(a, Facts *, all->n + 1);
    for (u32 i = 0; i < all->n; i++)
        if (r->same[i] == NONE) own.v[own.n++] = all->v[i];
    Facts **parsed;
    if (!facts_all(a, o, &own, &parsed, &notes, e)) return false;
    for (u32 i = 0, k = 0; i < all->n; i++) {
        if (r->same[i] == NONE) {
            facts[i] = parsed[k++];
            continue;
        }
        facts[i] = arena_new(a, Facts, 1);
        *facts[i] = *after[r->same[i]];
        facts[i]->source = all->v[i];
    }
    *out = facts;
    return true;
}

/* ---- both programs ------------------------------------------------------------------------------------- */

typedef struct Side {
    Arena arena;
    const Options *o;
    Facts **facts;
    u32 n;
    Program *program;
    RaceVec all, races;
} Side;

static void side_analyse(void *ctx, u32 item, u32 worker)
{
    Side *side = (Side *)ctx + item;
    (void)worker;
    side->program = program_link(&side->arena, side->o, side->facts, side->n);
    races_all(&side->arena, side->program, &side->all);
    races_wanted(&side->arena, side->program, &side->all, &side->races);
}

/* ---- the new findings alone ---------------------------------------------------------------------------- */

static bool race_added(const Comparison *c, u32 race)
{
    for (u32 i = 0; i < c->added.n; i++)
        if (c->added.v[i].race == race) return true;
    return false;
}

/* The findings that were added, and the changes of the fixes of these. */
static void additions_take(Arena *a, const Options *o, const Program *p, const Comparison *c, const RaceVec *all,
                           const FixList *fixes, RaceVec *races, ChangeVec *changes)
{
    Vec(u32) only = {0};
    for (u32 i = 0; i < all->n; i++) {
        const Race *r = &all->v[i];
        if (!race_added(c, i)) continue;
        vec_push(a, races, *r);
        if (r->fix != NONE) vec_push(a, &only, r->fix);
    }
    Wanted w = {.unsafe = o->unsafe_fixes, .only = only.v, .nonly = only.n};
    if (only.n) edits_make(a, p, fixes, &w, changes);
}

/* ---- the command --------------------------------------------------------------------------------------- */

int review_run(Arena *a, Options *o, Err *e)
{
    double start = os_seconds();
    Revisions revisions = {0};
    Comparison comparison = {0};
    PageList pages = {0};
    NoteVec notes = {0};
    FixList fixes = {0};
    RaceVec added = {0};
    ChangeVec changes = {0};
    Wanted wanted = {.unsafe = o->unsafe_fixes};
    Side sides[2] = {{.o = o}, {.o = o}}, *old = &sides[0], *now = &sides[1];

    if (!review_defaults(a, o, e)) return 2;
    if (o->post.from.n) return emit_review_from(a, o, e);
    if (!read_revisions(a, o, &revisions, &notes, e) || !pages_load(a, o->transforms_dir, &pages, e)) return 2;
    if (!pages_named(&pages, &o->prefer, e)) return 2;
    now->n = revisions.after.n;
    old->n = revisions.before.n;
    if (!facts_all(a, o, &revisions.after, &now->facts, &notes, e)) return 2;
    if (!facts_before(a, o, &revisions, now->facts, &old->facts, e)) return 2;
    pool_run(o->jobs ? o->jobs : os_cpus(), COUNT_OF(sides), side_analyse, sides);
    for (u32 i = 0; i < COUNT_OF(sides); i++) arena_adopt(a, &sides[i].arena);
    races_compare(a, &revisions, old->program, &old->races, now->program, &now->races, &notes,
                  &comparison);

    if (comparison.added.n) {
        fixes_plan(a, now->program, &pages, &now->all, &now->races, &fixes);
        edits_verify(a, now->program, &pages, &now->all, &now->races, &fixes, &wanted, &changes);
        changes = (ChangeVec){0};
        additions_take(a, o, now->program, &comparison, &now->races, &fixes, &added, &changes);
    }
    Results r = {.arena = a,
                 .options = o,
                 .sources = &revisions.after,
                 .program = now->program,
                 .pages = &pages,
                 .races = &added,
                 .fixes = &fixes,
                 .changes = &changes,
                 .notes = &notes,
                 .seconds = os_seconds() - start};
    Review v = {&revisions, &comparison, old->program, &old->races, &now->races};
    return emit_review(&r, &v, e);
}
