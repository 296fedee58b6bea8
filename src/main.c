/* ungil: from the command line to an exit status. run() is the whole pipeline, one call a stage; what else is here
 * answers the commands that analyse nothing. */
#include "pipeline.h"

#include <jansson.h>
#include <malloc.h>
#include <signal.h>

/* ---- the stages that work file by file ----------------------------------------------------------------- */

typedef struct FactsJob {
    const SourceList *sources;
    Facts **facts;
    Arena *arenas; /* one for each file */
} FactsJob;

static void file_facts(void *ctx, u32 item, u32 worker)
{
    const FactsJob *job = ctx;
    (void)worker;
    Tree *tree = tree_parse(job->sources->v[item]);
    Facts *f = facts_collect(&job->arenas[item], job->sources->v[item], tree);
    if (tree_too_slow(tree))
        vec_push(&job->arenas[item], &f->notes,
                 (Note){f->source->path, 0, "too-slow",
                        S("the file was left out: it holds so many syntax errors that parsing it takes too long; "
                          "correct or --exclude it")});
    job->facts[item] = f;
    tree_free(tree);
}

static Facts **facts_all(Arena *a, const Options *o, const SourceList *sources, NoteVec *notes)
{
    FactsJob job = {sources, arena_new(a, Facts *, sources->n), arena_new(a, Arena, sources->n)};
    pool_run(o->jobs ? o->jobs : os_cpus(), sources->n, file_facts, &job);
    malloc_trim(0); /* the trees are gone; glibc would keep their room for each thread */
    for (u32 i = 0; i < sources->n; i++) {
        arena_adopt(a, &job.arenas[i]);
        for (u32 k = 0; k < job.facts[i]->notes.n; k++) vec_push(a, notes, job.facts[i]->notes.v[k]);
    }
    return job.facts;
}

/* ---- the pipeline -------------------------------------------------------------------------------------- */

/* Prints one stage's dump (--dump) and ends the run. */
static int dump_out(const Options *o, Buf *out, Err *e)
{
    return emit_text(o, buf_view(out), e) ? 0 : 2;
}

static int explain_line(Results *r, Err *e);

static int run(Arena *a, const Options *o, Err *e)
{
    double start = os_seconds();
    SourceList sources = {0};
    PageList pages = {0};
    NoteVec notes = {0};
    RaceVec races = {0};
    FixList fixes = {0};
    ChangeVec changes = {0};
    Buf dump = {0};
    Wanted wanted = {.unsafe = o->unsafe_fixes};

    if (!pages_load(a, o->transforms_dir, &pages, e) || !read_sources(a, o, &sources, &notes, e)) return 2;
    Facts **facts = facts_all(a, o, &sources, &notes);
    for (u32 i = 0; o->dump == DUMP_FACTS && i < sources.n; i++) facts_dump(&dump, facts[i]);
    if (o->dump == DUMP_FACTS) return dump_out(o, &dump, e);

    Program *program = program_link(a, o, facts, sources.n);
    if (o->dump == DUMP_PLACES) return places_dump(&dump, program), dump_out(o, &dump, e);
    if (o->command == CMD_GUARDS) return emit_guards(o, program, e);

    races_find(a, program, &races);
    if (o->dump == DUMP_RACES) return races_dump(&dump, program, &races), dump_out(o, &dump, e);

    fixes_plan(a, program, &pages, &races, &fixes);
    if (o->dump == DUMP_PLAN) return fixes_dump(&dump, program, &fixes), dump_out(o, &dump, e);

    edits_verify(a, program, &pages, &races, &fixes, &wanted, &changes);
    if (o->dump == DUMP_EDITS) return edits_dump(&dump, &changes), dump_out(o, &dump, e);

    Results r = {a, o, &sources, program, &pages, &races, &fixes, &changes, &notes, os_seconds() - start};
    switch (o->command) {
    case CMD_EXPLAIN: return explain_line(&r, e);
    case CMD_DIFF: return emit_diff(&r, e);
    case CMD_FIX: return emit_fix(&r, e);
    case CMD_COMMIT: return emit_commit(&r, e);
    default: return emit_findings(&r, e);
    }
}

/* ---- commands that need no analysis, or little --------------------------------------------------------- */

static void json_out(Buf *out, json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2));
    CHECK(text);
    buf_fmt(out, "%s\n", text);
    free(text);
    json_decref(value);
}

static int rules_list(const Options *o, Err *e)
{
    Buf out = {0};
    json_t *all = json_array();
    for (u32 i = 0; i < RULE_COUNT; i++) {
        const RuleInfo *r = &rule_table[i];
        bool here = rule_page((RuleId)i).n > 0;
        if (o->format == FMT_TEXT)
            buf_fmt(&out, "%s  %-34s %-8s %s%s\n", r->code, r->name, severity_name[r->severity], r->line,
                    here ? "" : " (not in this version)");
        else
            json_array_append_new(all,
                                  json_pack("{s:s, s:s, s:s, s:s, s:b}", "code", r->code, "name", r->name, "severity",
                                            severity_name[r->severity], "summary", r->line, "available", here));
    }
    if (o->format == FMT_JSON)
        json_out(&out, all);
    else
        json_decref(all);
    return emit_text(o, buf_view(&out), e) ? 0 : 2;
}

static int transforms_list(Arena *a, const Options *o, Err *e)
{
    Buf out = {0};
    PageList pages = {0};
    if (!pages_load(a, o->transforms_dir, &pages, e)) return 2;
    json_t *all = json_array();
    for (u32 i = 0; i < pages.n; i++) {
        const Page *p = pages.v[i];
        Str id = page_id(p), rules = page_rules(p), safety = page_safety(p), title = page_title(p);
        if (o->format == FMT_TEXT)
            buf_fmt(&out, "%-24.*s %-14.*s %-7.*s %.*s\n", STR_ARG(id), STR_ARG(rules), STR_ARG(safety),
                    STR_ARG(title));
        else
            json_array_append_new(all, json_pack("{s:s%, s:s%, s:s%, s:s%}", "id", id.p, id.n, "rules", rules.p,
                                                 rules.n, "safety", safety.p, safety.n, "title", title.p, title.n));
    }
    if (o->format == FMT_JSON)
        json_out(&out, all);
    else
        json_decref(all);
    return emit_text(o, buf_view(&out), e) ? 0 : 2;
}

/* transforms --test: a line for each example, then the count. */
static int transforms_test(Arena *a, const Options *o, Err *e)
{
    Buf out = {0};
    PageList pages = {0};
    if (!pages_load(a, o->transforms_dir, &pages, e)) return 2;
    u32 passed, failed = pages_test(&out, &pages, &passed);
    buf_fmt(&out, "%u examples hold, %u fail\n", passed, failed);
    return emit_text(o, buf_view(&out), e) ? failed > 0 : 2;
}

static void rule_describe(Buf *out, RuleId rule, const PageList *pages)
{
    const RuleInfo *r = &rule_table[rule];
    Str page = rule_page(rule);
    if (page.n)
        buf_str(out, page);
    else
        buf_fmt(out, "# %s %s\n\n%s (%s). Not in this version.\n", r->code, r->name, r->line,
                severity_name[r->severity]);
    if (page.n) buf_fmt(out, "\nSeverity: %s.\n", severity_name[r->severity]);
    for (u32 i = 0; i < pages->n; i++) {
        if (!str_contains(page_rules(pages->v[i]), str_from(r->code))) continue;
        Str id = page_id(pages->v[i]), title = page_title(pages->v[i]);
        buf_fmt(out, "\nFixed by %.*s: %.*s. `ungil explain %.*s` shows it.\n", STR_ARG(id), STR_ARG(title),
                STR_ARG(id));
    }
}

/* explain RULE and explain TRANSFORM; -1 when the word is neither. */
static int explain_word(Arena *a, const Options *o, Err *e)
{
    Buf out = {0};
    PageList pages = {0};
    Str word = o->args.v[0];
    if (!pages_load(a, o->transforms_dir, &pages, e)) return 2;
    RuleId rule = rule_find(word);
    if (rule != RULE_COUNT) rule_describe(&out, rule, &pages);
    for (u32 i = 0; i < pages.n; i++) { /* some words name a rule and a transform */
        if (!str_eq(page_id(pages.v[i]), word)) continue;
        if (out.n) buf_char(&out, '\n');
        buf_str(&out, page_text(pages.v[i]));
    }
    if (out.n) return emit_text(o, buf_view(&out), e) ? 0 : 2;
    if (str_find(word, ':') < word.n) return -1;
    err_set(e, "'%.*s' is no rule, no transform and no FILE:LINE; see `ungil rules` and `ungil transforms`",
            STR_ARG(word));
    return 2;
}

/* The source that a FILE names, seen from the current directory. */
static u32 source_named(const Results *r, Str file)
{
    char *real = realpath(str_c(r->arena, file), NULL);
    u32 found = NONE;
    for (u32 i = 0; real && i < r->sources->n; i++)
        if (str_is(r->sources->v[i]->abs, real)) found = i;
    free(real);
    return found;
}

static int explain_line(Results *r, Err *e)
{
    Str file;
    u32 line;
    CHECK(file_line_split(r->options->args.v[0], &file, &line));
    u32 at = source_named(r, file);
    if (at == NONE) {
        for (u32 i = 0; i < r->notes->n; i++)
            if (r->notes->v[i].path.n && str_ends(file, r->notes->v[i].path))
                err_set(e, "%.*s: %.*s", STR_ARG(r->notes->v[i].path), STR_ARG(r->notes->v[i].message));
        err_set(e, "%.*s is not among the files that are analysed", STR_ARG(file));
        return 2;
    }
    if (line == 0 || line > r->sources->v[at]->nlines) {
        err_set(e, "%.*s has %u lines; there is no line %u", STR_ARG(file), r->sources->v[at]->nlines, line);
        return 2;
    }
    Buf out = {0};
    races_explain(&out, r->program, r->races, at, line);
    return emit_text(r->options, buf_view(&out), e) ? 0 : 2;
}

static int help_out(const Options *o, Err *e)
{
    Buf out = {0};
    Command c = CMD_HELP;
    if (o->args.n && !command_named(o->args.v[0], &c)) {
        err_set(e, "there is no command '%.*s'; run `ungil --help`", STR_ARG(o->args.v[0]));
        return 2;
    }
    options_help(&out, c);
    return emit_text(NULL, buf_view(&out), e) ? 0 : 2;
}

static int command_run(Arena *a, const Options *o, Err *e)
{
    switch (o->command) {
    case CMD_HELP: return help_out(o, e);
    case CMD_VERSION: return emit_text(NULL, S("ungil " UNGIL_VERSION "\n"), e) ? 0 : 2;
    case CMD_RULES: return rules_list(o, e);
    case CMD_TRANSFORMS: return o->test ? transforms_test(a, o, e) : transforms_list(a, o, e);
    case CMD_EXPLAIN: {
        int status = explain_word(a, o, e);
        return status >= 0 ? status : run(a, o, e);
    }
    default: return run(a, o, e);
    }
}

int main(int argc, char **argv)
{
    Arena a = {0};
    Options o;
    Err e = {0};
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error like any other */
    int status = options_parse(&a, argc, argv, &o, &e) ? command_run(&a, &o, &e) : 2;
    if (e.set) fprintf(stderr, "ungil: %s\n", e.msg);
    arena_free(&a);
    return status;
}
