/* Queries: matches, predicates, and what is said of a query that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parse/parse.h"

static Str first_capture[16];
static u32 matches;

static bool collect(void *ctx, const Match *m)
{
    const Source *s = ctx;
    if (matches < COUNT_OF(first_capture)) first_capture[matches] = m->n ? node_text(s, m->node[0]) : S("");
    matches++;
    return true;
}

static void run(const char *query, const char *python)
{
    Arena a = {0};
    Err e = {0};
    u32 at = 0;
    Source s = {.path = S("t.py"), .text = str_from(python)};
    Query *q = query_compile(&a, str_from(query), &at, &e);
    if (!q) fail_msg("%s at %u", e.msg, at);
    Tree *t = tree_parse(&s);
    matches = 0;
    query_run(q, &s, tree_root(t), (Span){0, (u32)s.text.n}, collect, &s);
    tree_free(t);
    query_free(q);
    arena_free(&a);
}

static void wrong(const char *query, const char *part, u32 where)
{
    Arena a = {0};
    Err e = {0};
    u32 at = 0;
    Query *q = query_compile(&a, str_from(query), &at, &e);
    assert_null(q);
    if (!strstr(e.msg, part)) fail_msg("\"%s\" lacks \"%s\"", e.msg, part);
    assert_int_equal(at, where);
    arena_free(&a);
}

static void test_query_matches(void **state)
{
    run("(augmented_assignment left: (identifier) @place) @update", "a += 1\nb = 2\nc -= 3\n");
    assert_int_equal(matches, 2);
    assert_true(str_is(first_capture[1], "c -= 3"));
}

static void test_query_predicates(void **state)
{
    const char *python = "a += 1\nb += b\n_c += a\n";
    run("((augmented_assignment left: (_) @x) (#eq? @x \"a\"))", python);
    assert_int_equal(matches, 1);
    run("((augmented_assignment left: (_) @x right: (_) @y) (#eq? @x @y))", python);
    assert_int_equal(matches, 1);
    assert_true(str_is(first_capture[0], "b"));
    run("((augmented_assignment left: (_) @x right: (_) @y) (#not-eq? @x @y))", python);
    assert_int_equal(matches, 2);
    run("((augmented_assignment left: (_) @x) (#any-of? @x \"a\" \"_c\" \"zz\"))", python);
    assert_int_equal(matches, 2);
    run("((augmented_assignment left: (_) @x) (#match? @x \"^_(?=c)\"))", python);
    assert_int_equal(matches, 1);
    run("((augmented_assignment left: (_) @x) (#not-match? @x \"^_\"))", python);
    assert_int_equal(matches, 2);
}

static void test_query_predicates_of_one_pattern(void **state)
{
    run("((identifier) @x (#eq? @x \"a\")) ((integer) @n)", "a = 1\nb = 2\n");
    assert_int_equal(matches, 3);
}

static void test_query_errors(void **state)
{
    wrong("(augmented_assignment lhs: (_))", "no field", 22);
    wrong("(assignmint)", "no node", 1);
    wrong("((identifier) @x (#same? @x \"a\"))", "no predicate #same?", 0);
    wrong("(none) ((identifier) @x (#match? @x \"(\"))", "pattern \"(\" is wrong", 7);
    wrong("((identifier) @x (#any-of? @x @x))", "takes strings", 0);
    wrong("(identifier", "not well-formed", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_matches),
        cmocka_unit_test(test_query_predicates),
        cmocka_unit_test(test_query_predicates_of_one_pattern),
        cmocka_unit_test(test_query_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
