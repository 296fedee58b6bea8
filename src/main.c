/* ungil: from the command line to an exit status. run() is the whole pipeline, one call a stage; src/app/ answers the
 * commands that analyse nothing or more than one tree. */
#include "app/app.h"
#include "parse/asts.h"

#include <malloc.h>
#include <signal.h>

/* Prints one stage's dump (--dump) and ends the run. */
static int dump_out(const Options *o, Buf *out, Err *e)
{
    return emit_text(o, buf_view(out), e) ? 0 : 2;
}

/* -v: how long a stage took. */
static void stage_done(const Options *o, const char *stage, double *since)
{
    double now = os_seconds();
    if (o->verbosity > 0) fprintf(stderr, "ungil: %-6s %8.3f s\n", stage, now - *since);
    *since = now;
}

/* Does an edit leave the program, or a judgement of one? What only names the fix that is planned needs no proof,
 * which costs as much again as the analysis. */
static bool edits_leave(const Options *o)
{
    bool names = o->format == FMT_TEXT || o->format == FMT_CONCISE || o->format == FMT_GITHUB;
    return o->command != CMD_CHECK || !names || o->dump == DUMP_EDITS;
}

/* Is a fix named at all? `check -q` tells the findings, a line each, and no fix of them. */
static bool fixes_named(const Options *o)
{
    bool lines = o->format == FMT_TEXT || o->format == FMT_CONCISE;
    return o->command != CMD_CHECK || o->verbosity >= 0 || !lines || o->only.n || o->dump;
}

/* The files of the run. A commit in a repository without files takes them, and its configuration, from HEAD's tree;
 * *o is then what holds there. */
static bool sources_take(Arena *a, const Options **o, SourceList *out, NoteVec *notes, Err *e)
{
    bool elsewhere = (*o)->branch.n || (*o)->patches.n;
    if ((*o)->command != CMD_COMMIT || !elsewhere || !repo_is_bare(a, *o)) return read_sources(a, *o, out, notes, e);
    Options *head = arena_new(a, Options, 1);
    *head = **o;
    *o = head;
    return read_head(a, head, out, notes, e);
}

/* Shows or writes what was found. Gives the exit status. */
static int results_out(const Results *r, Err *e)
{
    switch (r->options->command) {
    case CMD_DIFF: return emit_diff(r, e);
    case CMD_FIX: return emit_fix(r, e);
    case CMD_COMMIT: return emit_commit(r, e);
    case CMD_PLAN: return emit_plan(r, e);
    case CMD_REPORT: return emit_report(r, e);
    default: return emit_findings(r, e);
    }
}

static int run(Arena *a, const Options *o, Err *e)
{
    double start = os_seconds(), since = start;
    SourceList sources = {0};
    Facts **facts;
    PageList pages = {0};
    NoteVec notes = {0};
    RaceVec all = {0}, races = {0};
    const Baseline *known = NULL;
    FixList fixes = {0};
    ChangeVec changes = {0};
    Buf dump = {0};
    bool plans = o->command == CMD_PLAN || o->command == CMD_REPORT; /* what could be done, whatever it takes */
    Burndown burndown = {0};
    Wanted wanted = {.unsafe = o->unsafe_fixes || plans};

    if (!pages_load(a, o->transforms_dir, &pages, e) || !pages_named(&pages, &o->prefer, e)) return 2;
    if (!baseline_open(a, o, &known, e)) return 2;
    if (!sources_take(a, &o, &sources, &notes, e)) return 2;
    stage_done(o, "read", &since);
    if (!facts_all(a, o, &sources, &facts, &notes, e)) return 2;
    stage_done(o, "facts", &since);
    for (u32 i = 0; o->dump == DUMP_FACTS && i < sources.n; i++) facts_dump(&dump, facts[i]);
    if (o->dump == DUMP_FACTS) return dump_out(o, &dump, e);

    Program *program = program_link(a, o, facts, sources.n);
    roots_unused(a, program, &notes);
    declarations_unmet(a, program, &notes);
    stage_done(o, "link", &since);
    if (o->dump == DUMP_PLACES) return places_dump(&dump, program), dump_out(o, &dump, e);
    if (o->command == CMD_GUARDS) return emit_guards(o, program, e);

    races_all(a, program, &all);
    if (o->command == CMD_BASELINE) return baseline_write(a, o, program, &sources, &all, e);
    baseline_mark(known, &all);
    races_wanted(a, program, &all, &races);
    stage_done(o, "races", &since);
    if (o->dump == DUMP_RACES) return races_dump(&dump, program, &races), dump_out(o, &dump, e);

    if (fixes_named(o)) fixes_plan(a, program, &pages, &all, &races, &fixes);
    if (!fixes_only(o, &races, &fixes, e)) return 2;
    stage_done(o, "plan", &since);
    if (o->dump == DUMP_PLAN) return fixes_dump(&dump, program, &fixes), dump_out(o, &dump, e);

    if (edits_leave(o))
        edits_verify(a, program, &pages, &all, &races, &fixes, &wanted, &changes);
    else
        asts_drop(fixes.asts);
    stage_done(o, "edit", &since);
    if (o->dump == DUMP_EDITS) return edits_dump(&dump, &changes), dump_out(o, &dump, e);

    if (o->command == CMD_EXPLAIN) return explain_line(a, program, &sources, &notes, &all, &races, &fixes, e);
    baseline_stale(a, known, program, &sources, &all, &races);
    Results r = {.arena = a,
                 .options = o,
                 .sources = &sources,
                 .program = program,
                 .pages = &pages,
                 .races = &races,
                 .fixes = &fixes,
                 .changes = &changes,
                 .notes = &notes,
                 .seconds = os_seconds() - start,
                 .burndown = o->base_rev.n ? &burndown : NULL,
                 .baseline = known ? &known->source : NULL};
    if (r.burndown && !burndown_find(a, o, known, &races, &burndown, e)) return 2;
    bool writes = o->command == CMD_DIFF || o->command == CMD_COMMIT || (o->command == CMD_FIX && !o->interactive);
    if (writes) rounds_run(a, facts, known, &r);
    return results_out(&r, e);
}

static int command_run(Arena *a, Options *o, Err *e)
{
    switch (o->command) {
    case CMD_HELP: return help_out(o, e);
    case CMD_VERSION: return emit_text(NULL, S("ungil " UNGIL_VERSION "\n"), e) ? 0 : 2;
    case CMD_RULES: return rules_list(o, e);
    case CMD_TRANSFORMS: return o->test ? transforms_test(a, o, e) : transforms_list(a, o, e);
    case CMD_REVIEW: return review_run(a, o, e);
    case CMD_UNDO: return emit_undo(a, o, e);
    case CMD_DEPS: return deps_run(a, o, e);
    case CMD_DOCTOR: return doctor_run(a, o, e);
    case CMD_BENCH: return bench_run(a, o, e);
    case CMD_SERVE: return serve_run(a, o, e);
    case CMD_EXPLAIN: {
        int status = explain_word(a, o, e);
        return status >= 0 ? status : run(a, o, e);
    }
    default: return run(a, o, e);
    }
}

/* Blocks of arenas come and go with each file. What the kernel takes back it gives out again page by page, each
 * cleared anew, which costs more than the work that is done in them. */
static void memory_keep(void)
{
    enum { KEEP = 256 << 20, ALONE = 32 << 20 }; /* the most that glibc takes for the latter */
    mallopt(M_TRIM_THRESHOLD, KEEP);
    mallopt(M_MMAP_THRESHOLD, ALONE);
}

int main(int argc, char **argv)
{
    Arena a = {0};
    Options o;
    Err e = {0};
    memory_keep();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error like any other */
    int status = options_parse(&a, argc, argv, &o, &e) ? command_run(&a, &o, &e) : 2;
    if (e.set) fprintf(stderr, "ungil: %s\n", e.msg);
    return status; /* the system takes all memory back at once */
}
