/* conf/: the command line, the configuration file, the root; and the TOML reader behind them. */
#include "unit.h"

static Arena arena;

/* Parses "ungil" and the words of a line, in the directory. */
static bool parse(const char *dir, const char *line, Options *o, Err *e)
{
    char *argv[32] = {(char *)(uintptr_t) "ungil"};
    int argc = 1;
    Str rest = str_from(line);
    assert_int_equal(chdir(dir), 0);
    while (rest.n) argv[argc++] = str_c(&arena, str_cut(rest, ' ', &rest));
    *e = (Err){0};
    return options_parse(&arena, argc, argv, o, e);
}

static void assert_refused(const char *dir, const char *line, const char *word)
{
    Options o;
    Err e;
    assert_false(parse(dir, line, &o, &e));
    if (!strstr(e.msg, word)) fail_msg("`%s`: \"%s\" does not say %s", line, e.msg, word);
}

static void command_line(void **state)
{
    char *dir = temp_dir(&arena);
    Options o;
    Err e;
    assert_true(parse(dir, "check", &o, &e));
    assert_int_equal(o.command, CMD_CHECK);
    assert_int_equal(o.min_confidence, CONF_MEDIUM);
    assert_str(o.root, dir);
    assert_true(
        parse(dir, "check --select UG1,lazy-init --select=UG203 -j 3 --format json --target 3.15 -q", &o, &e));
    assert_int_equal(o.select.n, 3);
    assert_str(o.select.v[1], "lazy-init");
    assert_int_equal(o.jobs, 3);
    assert_int_equal(o.format, FMT_JSON);
    assert_int_equal(o.target, 15);
    assert_int_equal(o.verbosity, -1);
    assert_true(parse(dir, "diff --dump=plan", &o, &e));
    assert_int_equal(o.dump, DUMP_PLAN);
    assert_true(parse(dir, "check --help", &o, &e));
    assert_int_equal(o.command, CMD_HELP);
    assert_str(o.args.v[0], "check");
    temp_dir_remove(dir);
}

static void command_line_errors(void **state)
{
    char *dir = temp_dir(&arena);
    assert_refused(dir, "chekc", "did you mean 'check'");
    assert_refused(dir, "check --selct UG1", "did you mean '--select'");
    assert_refused(dir, "check --format xml", "text, concise, json");
    assert_refused(dir, "check --select UG7", "UG7");
    assert_refused(dir, "check --jobs many", "number");
    assert_refused(dir, "check --jobs 10000", "from 0 to 9999");
    assert_refused(dir, "check --jobs 99999", "from 0 to 9999");
    assert_refused(dir, "check --jobs", "needs a value");
    assert_refused(dir, "fix --branch x", "--branch");
    assert_refused(dir, "check nothing.py", "nothing.py");
    assert_refused(dir, "diff --format json", "takes no --format");
    assert_refused(dir, "check --format json --dump=plan", "takes no --format");
    assert_refused(dir, "explain nothing.py:3x", "not FILE:LINE");
    assert_refused(dir, "deps --base main", "--base");
    assert_refused(dir, "--select UG1", "command comes first");
    temp_dir_remove(dir);
}

static void configuration(void **state)
{
    char *dir = temp_dir(&arena), *sub = str_c(&arena, str_fmt(&arena, "%s/sub", dir));
    Options o;
    Err e;
    temp_file(&arena, dir, "sub/a.py", S(""));
    temp_file(&arena, dir, "pyproject.toml",
              S("[tool.ungil]\nselect = [\"UG1\"]\nmin-confidence = 'low'\nunsafe-fixes = true\njobs = 0x2\n"
                "baseline-is-not-here = 1 # line 6\n"));
    assert_refused(dir, "check", "pyproject.toml:6: unknown key 'baseline-is-not-here'");
    temp_file(&arena, dir, "pyproject.toml",
              S("[tool.ungil]\nselect = [\"UG1\"]\nmin-confidence = 'low'\nunsafe-fixes = true\njobs = 2\n"
                "[tool.ungil.per-file-ignores]\n\"tests/**\" = [\"UG1\", \"UG203\"]\n"));
    assert_true(parse(sub, "check --min-confidence high", &o, &e));
    assert_str(o.root, dir);
    assert_int_equal(o.min_confidence, CONF_HIGH);
    assert_true(o.unsafe_fixes);
    assert_int_equal(o.jobs, 2);
    assert_str(o.select.v[0], "UG1");
    assert_true(path_ignores_rule(&o, S("tests/unit/x.py"), UG101));
    assert_false(path_ignores_rule(&o, S("app/x.py"), UG101));
    assert_true(parse(sub, "check --no-unsafe-fixes", &o, &e));
    assert_false(o.unsafe_fixes);
    assert_true(parse(sub, "check --isolated", &o, &e));
    assert_int_equal(o.select.n, 0);
    temp_file(&arena, dir, "pyproject.toml", S("\n[tool.ungil]\nselect = \"UG1\"\n"));
    assert_refused(dir, "check", "pyproject.toml:3: select must be an array");
    temp_file(&arena, dir, "pyproject.toml", S("[tool.ungil\n"));
    assert_refused(dir, "check", "pyproject.toml:1: this is not valid TOML");
    temp_file(&arena, dir, "ungil.toml", S("exclude = [\"gen/*\", \"x.py\"]\n"));
    assert_true(parse(dir, "check", &o, &e));
    assert_int_equal(o.exclude.n, 2);
    temp_dir_remove(dir);
}

static void globs(void **state)
{
    Str list[] = {S("build"), S("docs/*.py"), S("**/gen/")};
    StrVec v = {list, COUNT_OF(list), COUNT_OF(list)};
    assert_true(globs_match(&v, S("build/a.py")));
    assert_true(globs_match(&v, S("x/build/a.py")));
    assert_true(globs_match(&v, S("docs/conf.py")));
    assert_true(globs_match(&v, S("a/gen/b.py")));
    assert_false(globs_match(&v, S("x/docs/conf.py")));
    assert_false(globs_match(&v, S("builds/a.py")));
}

static void toml_integers(void **state)
{
    static const struct {
        const char *text;
        int64_t number;
    } rows[] = {{"10", 10},
                {"1_0", 10},
                {"-1_000", -1000},
                {"+9", 9},
                {"0", 0},
                {"0x1_F", 31},
                {"0o17", 15},
                {"0b1_01", 5},
                {"0xbee", 3054},
                {"0b0", 0},
                {"9223372036854775807", INT64_MAX}};
    u32 line = 0;
    for (u32 i = 0; i < COUNT_OF(rows); i++) {
        Err e = {0};
        const Toml *t = toml_parse(&arena, str_fmt(&arena, "n = %s\n", rows[i].text), &line, &e);
        assert_non_null(t);
        assert_int_equal(toml_get(t, "n")->kind, TOML_INTEGER);
        assert_true(toml_get(t, "n")->number == rows[i].number);
    }
    Err e = {0};
    assert_null(toml_parse(&arena, S("\nn = 9223372036854775808\n"), &line, &e));
    assert_int_equal(line, 2);
    assert_non_null(strstr(e.msg, "64 bits"));
}

static void toml(void **state)
{
    u32 line = 0;
    Err e = {0};
    const Toml *t =
        toml_parse(&arena,
                   S("a.b = 'x'\n[t.\"q r\"]\nn = -5 # c\ns = \"\\u00e9\\t\"\nm = \"\"\"\nl\\\n  r\"\"\"\n"
                     "[[p]]\nname = 'one'\n[[p]]\nname = 'two'\nl = [1, [2.5, {k = true}],\n 1979-05-27]\n"),
                   &line, &e);
    assert_non_null(t);
    assert_str(toml_get(t, "a.b")->text, "x");
    assert_int_equal(toml_get(t, "t.q r.n")->number, -5);
    assert_str(toml_get(t, "t.q r.s")->text, "\xc3\xa9\t");
    assert_str(toml_get(t, "t.q r.m")->text, "lr");
    const Toml *p = toml_get(t, "p");
    assert_int_equal(p->items.n, 2);
    assert_str(toml_get(p->items.v[1], "name")->text, "two");
    const Toml *l = toml_get(p->items.v[1], "l");
    assert_int_equal(l->items.n, 3);
    assert_int_equal(toml_get(l->items.v[1]->items.v[1], "k")->number, 1);
    assert_int_equal(l->items.v[2]->kind, TOML_DATE);
    assert_null(toml_get(t, "a.b.c"));
    assert_null(toml_parse(&arena, S("x = 1\nx = 2\n"), &line, &e));
    assert_int_equal(line, 2);
    assert_non_null(strstr(e.msg, "given twice"));
    Buf many = {0}; /* tables of many keys have an index */
    for (u32 i = 0; i < 500; i++) buf_fmt(&many, "key%u = %u\n", i, i);
    t = toml_parse(&arena, buf_view(&many), &line, &e);
    assert_int_equal(toml_get(t, "key499")->number, 499);
    buf_c(&many, "key7 = 1\n");
    e = (Err){0};
    assert_null(toml_parse(&arena, buf_view(&many), &line, &e));
    assert_int_equal(line, 501);
    many.n = 0;
    buf_char(&many, 'a');
    for (u32 i = 0; i < 500000; i++) buf_c(&many, ".a");
    buf_c(&many, " = 1\n");
    e = (Err){0};
    assert_null(toml_parse(&arena, buf_view(&many), &line, &e));
    assert_non_null(strstr(e.msg, "too many parts"));
    buf_free(&many);
    e = (Err){0};
    assert_null(toml_parse(&arena, S("x = 1\n\ny = = 2\n"), &line, &e));
    assert_int_equal(line, 3);
}

static int cleanup(void **state)
{
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line),  cmocka_unit_test(command_line_errors),
        cmocka_unit_test(configuration), cmocka_unit_test(globs),
        cmocka_unit_test(toml),          cmocka_unit_test(toml_integers),
    };
    return cmocka_run_group_tests(tests, NULL, cleanup);
}
