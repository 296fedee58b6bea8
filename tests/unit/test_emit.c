/* emit/: frames, diffs and GitHub's line hash; what needs a whole program is tested on the command line. */
#include "unit.h"

#include "emit/emit.h"
#include "emit/owners.h"

static Arena arena;

static Source *source_of(Str text)
{
    NoteVec notes = {0};
    Source *s = arena_new(&arena, Source, 1);
    s->path = S("a b.py");
    s->text = text;
    assert_true(source_index(&arena, s, &notes));
    return s;
}

static void assert_frame(Str text, u32 start, u32 end, const char *want)
{
    Buf out = {0};
    frame_put(&out, false, source_of(text), (Span){start, end}, COLOR_RED);
    assert_string_equal(out.p, want);
    buf_free(&out);
}

static void frames(void **state)
{
    assert_frame(S("x = 1\ny += 1\n"), 6, 12, "  2 | y += 1\n    | ^^^^^^\n");
    assert_frame(S("\tx\n"), 1, 2, "  1 |     x\n    |     ^\n");
    assert_frame(S("\xe6\x97\xa5\xe6\x9c\xac; y\n"), 8, 9, "  1 | \xe6\x97\xa5\xe6\x9c\xac; y\n    |       ^\n");
    assert_frame(S("a\033[31m\n"), 0, 1, "  1 | a\xc2\xb7[31m\n    | ^\n");
    assert_frame(S("f(\n  x)\n"), 0, 7, "  1 | f(\n    | ^^\n");
    assert_frame(S("x"), 1, 1, "  1 | x\n    |  ^\n");
}

static void long_lines_are_cut(void **state)
{
    Buf line = {0}, out = {0};
    buf_fill(&line, 'a', 5000);
    buf_c(&line, "TARGET");
    buf_fill(&line, 'b', 5000);
    frame_put(&out, false, source_of(buf_view(&line)), (Span){5000, 5006}, COLOR_NONE);
    assert_true(out.n < 400);
    assert_non_null(strstr(out.p, "aTARGETb"));
    assert_non_null(strstr(out.p, " ^^^^^^\n"));
    buf_free(&line);
    buf_free(&out);
}

/* Values that GitHub's own action computes for these texts. */
static void line_hash_vectors(void **state)
{
    assert_str(line_hashes(&arena, S(""))[0], "c129715d7a2bc9a3:1");
    Buf text = {0};
    for (u32 i = 0; i < 10; i++) buf_c(&text, "Lorem ipsum dolor sit amet.\n");
    assert_str(line_hashes(&arena, buf_view(&text))[0], "a7f2ff13bc495cf2:1");
    assert_str(line_hashes(&arena, buf_view(&text))[1], "a7f2ff13bc495cf2:2");
    buf_free(&text);
    assert_str(line_hashes(&arena, S("counter = 0\n\ndef bump():\n    global counter\n    counter += 1\n"))[4],
               "c53ed1e85db0c22e:1");
}

static void diffs(void **state)
{
    Buf out = {0};
    Err e = {0};
    Source *s = source_of(S("a\r\nb"));
    assert_true(diff_put(&arena, &out, s, S("sub/"), s->text, S("a\r\nx\r\nb"), &e));
    assert_non_null(strstr(out.p, "diff --git a/sub/a b.py b/sub/a b.py\n"));
    assert_non_null(strstr(out.p, "@@ -1,2 +1,3 @@\n a\r\n+x\r\n b\n\\ No newline at end of file\n"));
    buf_free(&out);
    assert_true(diff_put(&arena, &out, s, S(""), s->text, s->text, &e));
    assert_int_equal(out.n, 0);
    buf_free(&out);
}

static int cleanup(void **state)
{
    arena_free(&arena);
    return 0;
}

/* GitHub: the examples of its documentation. */
static void code_owners(void **state)
{
    (void)state;
    Owners o = {0};
    owners_parse(&arena, S("CODEOWNERS"),
                 S("# a comment\n* @all\n*.js   @js @more #inline\r\n/build/logs/ @logs\ndocs/* docs@example.org\n"
                   "apps/ @apps\n/scripts/ @scripts\n**/deep @deep\n/apps/github\nwith\\ space.py @space\n\n"),
                 &o);
    assert_str(owners_of(&arena, &o, S("x.py")), "@all");
    assert_str(owners_of(&arena, &o, S("a/b/x.js")), "@js @more");
    assert_str(owners_of(&arena, &o, S("build/logs/a/b.py")), "@logs");
    assert_str(owners_of(&arena, &o, S("a/build/logs/b.py")), "@all");
    assert_str(owners_of(&arena, &o, S("docs/a.py")), "docs@example.org");
    assert_str(owners_of(&arena, &o, S("docs/build/a.py")), "@all");
    assert_str(owners_of(&arena, &o, S("a/apps/b/c.py")), "@apps");
    assert_str(owners_of(&arena, &o, S("a/scripts/b.py")), "@all");
    assert_str(owners_of(&arena, &o, S("a/deep/b.py")), "@deep");
    assert_str(owners_of(&arena, &o, S("deep/b.py")), "@deep");
    assert_str(owners_of(&arena, &o, S("apps/github/x.py")), "");
    assert_str(owners_of(&arena, &o, S("a/with space.py")), "@space");
}

static void code_owners_gitlab(void **state)
{
    (void)state;
    Owners o = {0};
    owners_parse(
        &arena, S(".gitlab/CODEOWNERS"),
        S("* @top\n[Docs] @writers\ndocs/\nREADME.py @readme\n^[Code][3]\nsrc/*.py @code\n!src/made.py\n[docs]\n"
          "/last.py @top @last\n"),
        &o);
    assert_str(owners_of(&arena, &o, S("x.py")), "@top");
    assert_str(owners_of(&arena, &o, S("a/docs/b/c.py")), "@top @writers");
    assert_str(owners_of(&arena, &o, S("a/README.py")), "@top @readme");
    assert_str(owners_of(&arena, &o, S("lib/src/x.py")), "@top @code");
    assert_str(owners_of(&arena, &o, S("lib/src/deep/x.py")), "@top");
    assert_str(owners_of(&arena, &o, S("src/made.py")), "@top");
    assert_str(owners_of(&arena, &o, S("last.py")), "@top @last");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames), cmocka_unit_test(long_lines_are_cut), cmocka_unit_test(line_hash_vectors),
        cmocka_unit_test(diffs),  cmocka_unit_test(code_owners),        cmocka_unit_test(code_owners_gitlab),
    };
    return cmocka_run_group_tests(tests, NULL, cleanup);
}
