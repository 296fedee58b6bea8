/* The steps of a migration plan, from findings and proved fixes.
 *
 * A step is never less than a decision (a lock with everything it guards), so that no state is half guarded in
 * between. Decisions whose fixes are all safe are put together by file; any other decision is a step of its own. What
 * no fix removes is put together by file. Within a phase files come in the order of the import graph, leaves first.
 * The sizes are those of the diffs that the edit stage makes of each step alone. */
#include "emit/plan.h"

#include "emit/owners.h"

const PhaseRow phase_table[PHASES] = {
    [PHASE_SAFE] = {"safe", "Safe fixes", "proved, and nothing to decide: apply, run the tests, commit"},
    [PHASE_DECIDE] = {"decide", "Fixes to look at", "a fix is there, and a person must say that it is right here"},
    [PHASE_HAND] = {"by-hand", "By hand", "no fix is offered; the reason stands with each"},
    [PHASE_ADVICE] = {"advice", "Advice", "no bug on CPython"},
};

/* ---- steps --------------------------------------------------------------------------------------------- */

static bool all_safe(const Results *r, const Decision *d)
{
    for (u32 i = 0; i < d->fixes.n; i++)
        if (r->fixes->fixes.v[d->fixes.v[i]].safety != FIX_SAFE) return false;
    return true;
}

/* The step of a phase for a file, made when there is none. `of_file` maps files to steps. */
static PlanStep *step_of(Arena *a, StepVec *steps, Map *of_file, PlanPhase phase, u32 file)
{
    u32 *at = map_at(a, of_file, map_key(phase, file));
    if (*at == NONE) {
        *at = steps->n;
        *vec_add(a, steps) = (PlanStep){.phase = (u8)phase, .file = file};
    }
    return &steps->v[*at];
}

static void fixes_put(Arena *a, const Results *r, StepVec *steps, Map *of_file, u32 *step_of_fix)
{
    DecisionVec decisions = {0};
    decisions_make(a, r, true, &decisions);
    for (u32 i = 0; i < decisions.n; i++) {
        const Decision *d = &decisions.v[i];
        u32 file = decision_file(r, d);
        PlanStep *s;
        if (all_safe(r, d)) {
            s = step_of(a, steps, of_file, PHASE_SAFE, file);
        } else {
            s = vec_add(a, steps);
            *s = (PlanStep){.phase = PHASE_DECIDE, .file = file};
        }
        for (u32 k = 0; k < d->fixes.n; k++) {
            vec_push(a, &s->fixes, d->fixes.v[k]);
            step_of_fix[d->fixes.v[k]] = (u32)(s - steps->v);
        }
    }
}

static void races_put(Arena *a, const Results *r, MigrationPlan *p, Map *of_file, const u32 *step_of_fix)
{
    for (u32 i = 0; i < r->races->n; i++) {
        const Race *race = &r->races->v[i];
        if (race->suppressed) continue;
        u32 step = race_fix(r, race) ? step_of_fix[race->fix] : NONE;
        PlanPhase left = race->severity == SEV_NOTE ? PHASE_ADVICE : PHASE_HAND;
        PlanStep *s = step != NONE ? &p->steps.v[step] : step_of(a, &p->steps, of_file, left, race->file);
        vec_push(a, &s->races, i);
        p->findings[s->phase]++;
    }
}

/* ---- what a step costs, and who has a say -------------------------------------------------------------- */

/* CODEOWNERS of the work tree, at the top of the repository. */
static bool owners_read(Arena *a, const Results *r, Str prefix, Owners *out)
{
    Str root = r->options->root, top = str_slice(root, 0, root.n - MIN(root.n, prefix.n));
    for (u32 i = 0; owners_paths[i]; i++) {
        Err ignored = {0};
        Str text;
        if (!os_read_file(a, str_fmt(a, "%.*s/%s", STR_ARG(top), owners_paths[i]).p, 4 << 20, &text, &ignored))
            continue;
        owners_parse(a, str_from(owners_paths[i]), text, out);
        return true;
    }
    return false;
}

typedef struct Names {
    Intern seen;
    Buf text;
} Names;

static void name_add(Arena *a, Names *n, Str name, const char *between)
{
    if (!name.n || intern_find(&n->seen, name) != NONE) return;
    intern(a, &n->seen, name);
    buf_fmt(&n->text, "%s%.*s", n->text.n ? between : "", STR_ARG(name));
}

static Str names_end(Arena *a, Names *n)
{
    Str all = str_dup(a, buf_view(&n->text));
    buf_free(&n->text);
    return all;
}

static void file_add(Arena *a, Names *files, Names *owners, const Owners *o, Str prefix, Str path)
{
    name_add(a, files, path, ", ");
    if (!o) return;
    Str rest = owners_of(a, o, str_fmt(a, "%.*s%.*s", STR_ARG(prefix), STR_ARG(path)));
    while (rest.n) name_add(a, owners, str_cut(rest, ' ', &rest), " ");
}

/* One fingerprint for each fix: `--only` takes all of what it is for. */
static Str command_make(Arena *a, const Results *r, const PlanStep *s)
{
    Buf b = {0};
    buf_fmt(&b, "ungil fix%s --only ", s->phase == PHASE_DECIDE ? " --unsafe-fixes" : "");
    for (u32 i = 0; i < s->fixes.n; i++)
        buf_fmt(&b, "%s%016llx", i ? "," : "", (unsigned long long)r->fixes->fixes.v[s->fixes.v[i]].fingerprint);
    Str command = str_dup(a, buf_view(&b));
    buf_free(&b);
    return command;
}

static bool step_complete(Arena *a, const Results *r, PlanStep *s, const Owners *o, Str prefix, Err *e)
{
    Arena scratch = {0};
    Names files = {0}, owners = {0};
    ChangeVec changes = {0};
    Wanted w = {.unsafe = true, .only = s->fixes.v, .nonly = s->fixes.n};
    bool ok = true;
    if (s->fixes.n) edits_make(&scratch, r->program, r->fixes, &w, &changes);
    for (u32 i = 0; ok && i < changes.n; i++) {
        ok = diff_measure(&changes.v[i], &s->size, e);
        file_add(&scratch, &files, &owners, o, prefix, changes.v[i].before->path);
    }
    if (!s->fixes.n) file_add(&scratch, &files, &owners, o, prefix, file_source(r, s->file)->path);
    s->files = names_end(a, &files);
    s->owners = names_end(a, &owners);
    if (s->fixes.n) s->command = command_make(a, r, s);
    arena_free(&scratch);
    return ok;
}

/* ---- order --------------------------------------------------------------------------------------------- */

typedef struct StepKey {
    u32 phase, level, cycle, file, first, at;
} StepKey;

static int by_key(const void *x, const void *y)
{
    const u32 *a = x, *b = y;
    for (size_t i = 0; i < sizeof(StepKey) / sizeof(u32); i++)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

static void steps_sort(Arena *a, const Results *r, MigrationPlan *p)
{
    StepVec sorted = {0};
    StepKey *keys = arena_new(a, StepKey, p->steps.n + 1);
    for (u32 i = 0; i < p->steps.n; i++) {
        const PlanStep *s = &p->steps.v[i];
        FileLevel l = s->file < r->program->nfiles ? p->levels[s->file] : (FileLevel){UINT32_MAX, 0, 1};
        keys[i] = (StepKey){s->phase, l.level, l.cycle, s->file, s->races.n ? s->races.v[0] : NONE, i};
    }
    if (p->steps.n) qsort(keys, p->steps.n, sizeof *keys, by_key);
    for (u32 i = 0; i < p->steps.n; i++) vec_push(a, &sorted, p->steps.v[keys[i].at]);
    p->steps = sorted;
    for (u32 k = 0, i = 0; k <= PHASES; k++) {
        while (i < sorted.n && sorted.v[i].phase < k) i++;
        p->first[k] = i;
    }
}

bool plan_make(Arena *a, const Results *r, MigrationPlan *out, Err *e)
{
    Map of_file = {0};
    Owners owners = {0};
    Str prefix = repo_prefix(a, r->options->root);
    u32 *step_of_fix = arena_new(a, u32, r->fixes->fixes.n + 1);
    for (u32 i = 0; i < r->fixes->fixes.n; i++) step_of_fix[i] = NONE;
    *out = (MigrationPlan){.levels = files_levels(a, r->program), .has_owners = owners_read(a, r, prefix, &owners)};
    fixes_put(a, r, &out->steps, &of_file, step_of_fix);
    races_put(a, r, out, &of_file, step_of_fix);
    git_start(); /* once for all diffs: the first one is slow */
    for (u32 i = 0; i < out->steps.n; i++)
        if (!step_complete(a, r, &out->steps.v[i], out->has_owners ? &owners : NULL, prefix, e)) return false;
    steps_sort(a, r, out);
    return true;
}

/* ---- words --------------------------------------------------------------------------------------------- */

Str step_title(Arena *a, const Results *r, const PlanStep *s)
{
    u32 n = s->races.n;
    const char *plural = n == 1 ? "" : "s";
    if (s->phase == PHASE_SAFE) return str_fmt(a, "%u finding%s", n, plural);
    if (s->phase != PHASE_DECIDE) return str_fmt(a, "%u finding%s left", n, plural);
    const Fix *f = &r->fixes->fixes.v[s->fixes.v[0]];
    Str state = n ? r->races->v[s->races.v[0]].state : f->transform;
    Str more = s->fixes.n > 1 ? str_fmt(a, " and %u more", s->fixes.n - 1) : S("");
    if (f->lock == NONE) return str_fmt(a, "Apply %.*s to %.*s", STR_ARG(f->transform), STR_ARG(state));
    const LockPlan *l = &r->fixes->locks.v[f->lock];
    return str_fmt(a, "Guard %.*s%.*s with %s %.*s", STR_ARG(state), STR_ARG(more),
                   l->existing ? "the existing" : "a new", STR_ARG(l->display));
}

Str race_left(const Results *r, const Race *race)
{
    const Fix *f = race_fix(r, race);
    if (f && f->reason.n) return f->reason;
    return race->by_hand ? str_from(race->by_hand) : S("no transform fixes this");
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const Str *)x, *(const Str *)y);
}

void roots_named(Arena *a, const Program *p, StrVec *out)
{
    Intern seen = {0};
    for (u32 i = 0; i < p->roots.n; i++) {
        Str name = p->roots.v[i].display;
        if (p->roots.v[i].call == NONE || !name.n || intern_find(&seen, name) != NONE) continue;
        intern(a, &seen, name);
        vec_push(a, out, name);
    }
    if (out->n) qsort(out->v, out->n, sizeof *out->v, by_text);
}

Str plan_badge(Arena *a, const Results *r)
{
    Counts c = results_count(r);
    const Burndown *b = r->burndown;
    Str now = str_fmt(a, "%u finding%s", c.findings, c.findings == 1 ? "" : "s");
    if (!b) return now;
    if (b->now == b->then) return str_fmt(a, "%.*s, as many as at %.*s", STR_ARG(now), STR_ARG(b->rev));
    bool fewer = b->now < b->then;
    return str_fmt(a, "%.*s, %u %s than at %.*s", STR_ARG(now), fewer ? b->then - b->now : b->now - b->then,
                   fewer ? "fewer" : "more", STR_ARG(b->rev));
}
