/* Runs the examples of pages: each `before` goes through the whole pipeline in memory and must come out as
 * its `after`; what a page leaves alone must come out unchanged. All pages take part, so that an example
 * also shows that its own page is the one chosen. */
#include "fixes/fixes.h"

static Options example_options(const Page *page)
{
    return (Options){.command = CMD_DIFF,
                     .model = page->strict ? MODEL_STRICT : MODEL_CPYTHON,
                     .target = 14,
                     .root = S("."),
                     .unsafe_fixes = true,
                     .min_confidence = CONF_MEDIUM,
                     .jobs = 1};
}

/* The example as a program of one file after its fixes; *log says what was planned. */
static Str example_fix(Arena *a, const PageList *pages, const Page *page, Str before, Buf *log)
{
    Options *o = arena_new(a, Options, 1);
    *o = example_options(page);
    if (page->preferred) vec_push(a, &o->prefer, page->id);
    NoteVec notes = {0};
    Source *s = arena_new(a, Source, 1);
    *s = (Source){.path = S("example.py"), .text = str_dup(a, before)};
    if (!source_index(a, s, &notes)) return S("");
    Tree *t = tree_parse(s);
    Facts *facts = facts_collect(a, s, t);
    tree_free(t);
    Program *p = program_link(a, o, &facts, 1);
    RaceVec all = {0}, races = {0};
    races_all(a, p, &all);
    races_wanted(a, p, &all, &races);
    FixList fixes;
    fixes_plan(a, p, pages, &all, &races, &fixes);
    ChangeVec changes = {0};
    edits_verify(a, p, pages, &all, &races, &fixes, &(Wanted){.unsafe = true}, &changes);
    races_dump(log, p, &races);
    fixes_dump(log, p, &fixes);
    return changes.n ? changes.v[0].after : before;
}

static void indented(Buf *out, Str text)
{
    for (Str line; str_line(&text, &line);) buf_fmt(out, "    %.*s\n", STR_ARG(line));
}

static bool example_test(Buf *out, const PageList *pages, const Page *page, const Example *x)
{
    Arena a = {0};
    Buf log = {0};
    Str want = x->after.p ? x->after : x->before;
    Str got = example_fix(&a, pages, page, x->before, &log);
    bool ok = str_eq(got, want);
    if (ok) {
        buf_fmt(out, "ok %.*s:%u\n", STR_ARG(page->file), x->line);
    } else {
        buf_fmt(out, "FAIL %.*s:%u: the example comes out as\n", STR_ARG(page->file), x->line);
        indented(out, got);
        indented(out, buf_view(&log));
    }
    buf_free(&log);
    arena_free(&a);
    return ok;
}

u32 pages_test(Buf *out, const PageList *pages, u32 *passed)
{
    u32 failed = 0;
    *passed = 0;
    for (u32 i = 0; i < pages->n; i++)
        for (u32 k = 0; k < pages->v[i]->examples.n; k++) {
            if (example_test(out, pages, pages->v[i], &pages->v[i]->examples.v[k]))
                ++*passed;
            else
                failed++;
        }
    return failed;
}
