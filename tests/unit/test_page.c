/* Transform pages: parsing, errors by line, and whether the pages of this repository are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixes/fixes.h"

static const char good[] =
    "---\nid: sample\nrules: UG101, lazy-init\nsafety: unsafe\nneeds: no-suspend-inside\n"
    "certificate: replace\n---\n# Title\n\nProse.\n\n## Finds\n\n```query\n"
    "(assignment left: (_) @place) @all\n```\n\n## Rewrites\n\n```edits\n# a comment\n"
    "need-import queue\nwrap @place to @all in \"with {lock}:\"\nreplace @all by \"a\\n\\\"b\\\"\"\n"
    "insert before @all \"x\"\ndelete @place\n```\n\n## Example\n\n```python\na = 1\n```\n\n"
    "```python\na = 2\n```\n\n## Leaves alone\n\n```python\nb = 1\n```\n";

static void test_page_parse(void **state)
{
    Arena a = {0};
    Err e = {0};
    Page *p = page_parse(&a, S("p.md"), str_from(good), &e);
    if (!p) fail_msg("%s", e.msg);
    assert_true(str_is(p->id, "sample") && str_is(p->title, "Title"));
    assert_int_equal(p->rule_ids.n, 2);
    assert_int_equal(p->rule_ids.v[1], UG103);
    assert_int_equal(p->safety_class, FIX_UNSAFE);
    assert_int_equal(p->judgements.n, 1);
    assert_int_equal(p->steps.n, 5);
    assert_int_equal(p->steps.v[1].line, 23);
    assert_true(str_is(p->steps.v[1].to, "all"));
    assert_true(str_is(p->steps.v[2].text, "a\n\"b\""));
    assert_true(p->steps.v[3].before);
    assert_int_equal(p->examples.n, 2);
    assert_true(str_is(p->examples.v[0].before, "a = 1\n") && str_is(p->examples.v[0].after, "a = 2\n"));
    assert_null(p->examples.v[1].after.p);
    assert_true(page_check(p, &e));
    arena_free(&a);
}

/* The good page with one part replaced must be refused with this message. */
static void refused(const char *from, const char *to, const char *message)
{
    Arena a = {0};
    Err e = {0};
    const char *at = strstr(good, from);
    assert_non_null(at);
    Str text = str_fmt(&a, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    Page *p = page_parse(&a, S("p.md"), text, &e);
    if (p && page_check(p, &e)) fail_msg("accepted with %s", to);
    if (!strstr(e.msg, message)) fail_msg("\"%s\" lacks \"%s\"", e.msg, message);
    arena_free(&a);
}

static void test_page_errors(void **state)
{
    refused("---\nid", "id", "p.md:1: a page starts with");
    refused("id: sample\n", "", "lacks id");
    refused("UG101", "UG999", "p.md:3: there is no rule UG999");
    refused("safety: unsafe", "safety: sure", "p.md:4: safety is one of");
    refused("no-suspend-inside", "no-surprise", "p.md:5: there is no judgement no-surprise");
    refused("needs", "nedds", "p.md:5: there is no key nedds");
    refused("certificate: replace", "plan: nothing", "p.md:6: there is no planner nothing");
    refused("certificate: replace\n", "", "this verb needs");
    refused("# Title", "Title", "no # heading");
    refused("(assignment left", "(assignment lift", "p.md:15: the Python grammar has no field");
    refused("@place) @all", "@plaice) @all", "needs a capture @place");
    refused("delete @place", "delete @plaice", "p.md:26: the query has no capture @plaice");
    refused("need-import queue", "need-imports queue", "p.md:22: there is no verb need-imports");
    refused("in \"with {lock}:\"", "in \"with {lock}\"", "p.md:23: expected wrap");
    refused("insert before", "insert", "p.md:25: expected insert");
    refused("b = 1\n```\n", "b = 1\n", "is never closed");
    refused("```python\na = 2\n```\n", "", "has no `after`");
}

static void test_page_all_are_right(void **state)
{
    Arena a = {0};
    Err e = {0};
    PageList pages;
    if (!pages_load(&a, S(""), &pages, &e)) fail_msg("%s", e.msg);
    assert_true(pages.n >= 10);
    for (u32 i = 0; i < pages.n; i++) {
        const Page *p = pages.v[i];
        if (!page_check(p, &e)) fail_msg("%s", e.msg);
        if (!str_eq(str_slice(p->file, 0, p->file.n - 3), p->id)) fail_msg("%.*s has another id", STR_ARG(p->file));
        if (p->safety_class != FIX_MANUAL && p->examples.n < 2) fail_msg("%.*s lacks examples", STR_ARG(p->file));
    }
    arena_free(&a);
}

static void test_page_examples(void **state)
{
    Arena a = {0};
    Err e = {0};
    PageList pages;
    Buf out = {0};
    u32 passed = 0;
    if (!pages_load(&a, S(""), &pages, &e)) fail_msg("%s", e.msg);
    u32 failed = pages_test(&out, &pages, &passed);
    if (failed) fail_msg("%u of %u examples fail\n%.*s", failed, failed + passed, STR_ARG(buf_view(&out)));
    buf_free(&out);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_parse),
        cmocka_unit_test(test_page_errors),
        cmocka_unit_test(test_page_all_are_right),
        cmocka_unit_test(test_page_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
