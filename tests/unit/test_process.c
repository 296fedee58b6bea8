/* base/process: other programs with a limit of time, their streams and how they end. */
#include "unit.h"

static ProcessEnd sh(Arena *a, const char *script, double seconds, size_t keep, bool side)
{
    Err e = {0};
    ProcessEnd end;
    const char *argv[] = {"sh", "-c", script, NULL};
    static const char *const set[] = {"GREETING=hello", "HOME", NULL};
    ProcessOrder o = {.argv = argv, .set = set, .seconds = seconds, .keep = keep, .side = side};
    assert_true(process_run(a, &o, &end, &e));
    return end;
}

static void streams(void **state)
{
    Arena a = {0};
    ProcessEnd end = sh(&a, "read x; echo $GREETING$x$HOME; echo bad >&2; echo more >&3; exit 3", 20, 100, true);
    assert_str(end.text[PROCESS_OUT], "hello\n");
    assert_str(end.text[PROCESS_ERR], "bad\n");
    assert_str(end.text[PROCESS_SIDE], "more\n");
    assert_int_equal(end.status, 3);
    assert_true(!end.timed_out && !end.signal && end.peak > 0 && end.wall > 0);
    ProcessOrder o = {.seconds = 20};
    assert_str(process_ending(&a, &o, &end), "exit status 3");
    arena_free(&a);
}

static void large_output(void **state)
{
    Arena a = {0};
    ProcessEnd end = sh(&a, "head -c 3000000 /dev/zero; head -c 70000 /dev/zero >&2", 20, 1000, false);
    assert_int_equal(end.text[PROCESS_OUT].n, 1000);
    assert_int_equal(end.bytes[PROCESS_OUT], 3000000);
    assert_int_equal(end.bytes[PROCESS_ERR], 70000);
    end = sh(&a, "head -c 60000 /dev/zero", 20, SIZE_MAX, false);
    assert_int_equal(end.text[PROCESS_OUT].n, 60000);
    arena_free(&a);
}

static void time_limit(void **state)
{
    Arena a = {0};
    double start = os_seconds();
    ProcessEnd end = sh(&a, "sleep 30 & echo before; sleep 30", 0.3, 100, false);
    assert_true(end.timed_out && os_seconds() - start < 20);
    assert_str(end.text[PROCESS_OUT], "before\n");
    ProcessOrder o = {.seconds = 0.3};
    assert_str(process_ending(&a, &o, &end), "no end within 0.3 seconds");
    arena_free(&a);
}

/* What the program leaves behind, with its pipes open, is not waited for. */
static void left_behind(void **state)
{
    Arena a = {0};
    double start = os_seconds();
    ProcessEnd end = sh(&a, "sleep 30 & echo done", 25, 100, false);
    assert_true(!end.timed_out && os_seconds() - start < 20);
    assert_str(end.text[PROCESS_OUT], "done\n");
    assert_int_equal(end.status, 0);
    arena_free(&a);
}

static void signals_and_failures(void **state)
{
    Arena a = {0};
    Err e = {0};
    ProcessEnd end = sh(&a, "kill -SEGV $$", 20, 100, false);
    ProcessOrder o = {0};
    assert_int_equal(end.signal, 11);
    assert_int_equal(end.status, -1);
    assert_true(str_starts(process_ending(&a, &o, &end), S("signal 11 (")));
    const char *argv[] = {"no-such-program-here", NULL};
    o.argv = argv;
    assert_false(process_run(&a, &o, &end, &e));
    assert_non_null(strstr(e.msg, "cannot run no-such-program-here: No such file"));
    const char *there[] = {"true", NULL};
    o = (ProcessOrder){.argv = there, .dir = "no-such-directory"};
    e = (Err){0};
    assert_false(process_run(&a, &o, &end, &e));
    assert_null(process_find(&a, "no-such-program-here"));
    assert_non_null(process_find(&a, "sh"));
    assert_null(process_find(&a, "./no/such"));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams),     cmocka_unit_test(large_output),         cmocka_unit_test(time_limit),
        cmocka_unit_test(left_behind), cmocka_unit_test(signals_and_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
