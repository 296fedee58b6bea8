/* The table of what programs call: its order, on which the look-up relies, and the look-up itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline.h"

static void test_order(void **state)
{
    for (u32 i = 1; i < called_count; i++) {
        const CalledRow *a = &called_table[i - 1], *b = &called_table[i];
        if (a->kind > b->kind || (a->kind == b->kind && str_cmp(str_from(a->name), str_from(b->name)) >= 0))
            fail_msg("know/calls.def: \"%s\" stands behind \"%s\"", b->name, a->name);
    }
}

static void test_every_row_is_found(void **state)
{
    bool (*const known[])(Str, u64) = {known_builtin, known_method, known_function};
    for (u32 i = 0; i < called_count; i++) {
        const CalledRow *r = &called_table[i];
        assert_int_not_equal(r->as, 0);
        if (r->kind != CALLED_MODULE) assert_true(known[r->kind](str_from(r->name), r->as));
    }
}

static void test_kinds_apart(void **state)
{
    assert_true(known_builtin(S("format"), AS_VALUE) && known_method(S("format"), AS_COMPARES));
    assert_false(known_builtin(S("format"), AS_COMPARES));
    assert_false(known_method(S(""), AS_PLAIN) || known_method(S("zzz"), AS_PLAIN) || known_builtin(S("A"), AS_PURE));
    assert_true(known_method(S("split"), AS_TEXT) && known_method(S("split"), AS_PLAIN | AS_CHEAP));
    assert_false(known_method(S("split"), AS_VALUE)); /* a list */
    assert_false(known_method(S("append"), AS_TEXT)); /* part of it only */
}

static void test_modules(void **state)
{
    assert_true(known_module(S("os.path.join"), AS_QUIET));
    assert_true(known_module(S("requests.utils.quote"), AS_QUICK) &&
                known_module(S("requests.utils.quote"), AS_SLOW));
    assert_false(known_module(S("requests.get"), AS_QUICK));
    assert_true(known_module(S("wx"), AS_WINDOWS) && known_module(S("gi.repository.Gtk.Box"), AS_WINDOWS));
    assert_false(known_module(S("osprey.dive"), AS_QUIET) || known_module(S("gi"), AS_WINDOWS));
    assert_false(known_module(S(""), AS_QUIET) || known_module(S("."), AS_QUIET));
    assert_false(known_function(S("socket.socket.connect"), AS_QUICK)); /* of the name alone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_every_row_is_found),
        cmocka_unit_test(test_kinds_apart),
        cmocka_unit_test(test_modules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
