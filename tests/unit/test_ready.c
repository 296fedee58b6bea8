/* ready/: versions and specifiers (PEP 440), markers, names of wheels, Poetry's ranges; the table of packages. */
#include "unit.h"

#include "ready/ready.h"
#include "ready/requirement.h"
#include "ready/version.h"
#include "ready/wheel.h"

static Arena arena;

static int cmp(const char *a, const char *b)
{
    Version x, y;
    if (!version_read(str_from(a), &x) || !version_read(str_from(b), &y))
        fail_msg("'%s' or '%s' is no version", a, b);
    int c = version_cmp(&x, &y);
    return (c > 0) - (c < 0);
}

/* Each comes before the next one: PEP 440, "Summary of permitted suffixes and relative ordering", and more. */
static void order(void **state)
{
    static const char *const rising[] = {"0.0.1.dev1",
                                         "0.0.1",
                                         "1.dev0",
                                         "1.0.dev456",
                                         "1.0a1.dev2",
                                         "1.0a1",
                                         "1.0a2",
                                         "1.0a12",
                                         "1.0b1.dev456",
                                         "1.0b2",
                                         "1.0b2.post345.dev456",
                                         "1.0b2.post345",
                                         "1.0rc1.dev456",
                                         "1.0rc1",
                                         "1.0",
                                         "1.0+abc.5",
                                         "1.0+abc.7",
                                         "1.0+5",
                                         "1.0.post456.dev34",
                                         "1.0.post456",
                                         "1.1.dev1",
                                         "1.9",
                                         "1.10",
                                         "1.10.1",
                                         "2",
                                         "2026.1",
                                         "2026.99999999999999999999999999",
                                         "1!0.1",
                                         "2!0"};
    for (u32 i = 0; i < COUNT_OF(rising); i++)
        for (u32 k = 0; k < COUNT_OF(rising); k++)
            if (cmp(rising[i], rising[k]) != (i > k) - (i < k)) fail_msg("%s against %s", rising[i], rising[k]);
}

static void spellings(void **state)
{
    static const char *const same[][2] = {{"1.0", "1"},
                                          {"1.0.0", "1"},
                                          {"v1.2", "1.2"},
                                          {" 1.2\n", "1.2"},
                                          {"1.2A1", "1.2a1"},
                                          {"1.2.alpha-1", "1.2a1"},
                                          {"1.2-beta_2", "1.2b2"},
                                          {"1.2c3", "1.2rc3"},
                                          {"1.2pre3", "1.2rc3"},
                                          {"1.2-preview.3", "1.2rc3"},
                                          {"1.2a", "1.2a0"},
                                          {"1.2-1", "1.2.post1"},
                                          {"1.2.rev4", "1.2.post4"},
                                          {"1.2-r4", "1.2.post4"},
                                          {"1.2post", "1.2.post0"},
                                          {"1.2.dev", "1.2.dev0"},
                                          {"1.2-DEV3", "1.2.dev3"},
                                          {"1.02", "1.2"},
                                          {"0!1.0", "1.0"},
                                          {"1.0+Ubuntu-1", "1.0+ubuntu.1"}};
    static const char *const bad[] = {"",         "a",     "1.", ".1", "1..2",  "1.0x",        "1.0+",
                                      "1.0+a..b", "1.0+é", "1!", "!1", "1.0 1", "french toast"};
    Version v;
    for (u32 i = 0; i < COUNT_OF(same); i++)
        if (cmp(same[i][0], same[i][1])) fail_msg("'%s' is not '%s'", same[i][0], same[i][1]);
    for (u32 i = 0; i < COUNT_OF(bad); i++)
        if (version_read(str_from(bad[i]), &v)) fail_msg("'%s' was taken for a version", bad[i]);
}

/* The sections of PEP 440 on each operator. */
static void specifiers(void **state)
{
    static const struct {
        const char *spec, *yes, *no; /* versions, separated by blanks */
    } rows[] = {{"", "1 2.0rc1", ""},
                {"==1.1", "1.1 1.1.0 1.1+local", "1.1.post1 1.1a1 1.1.1"},
                {"==1.1.post1", "1.1.post1", "1.1"},
                {"==1.1.*", "1.1 1.1.post1 1.1a1 1.1.9", "1.10 1.2 1 1!1.1"},
                {"==1.1+local", "1.1+local", "1.1 1.1+other"},
                {"==1!1.0", "1!1", "1.0"},
                {"!=1.1", "1.1.post1 1.2", "1.1 1.1.0"},
                {"!=1.1.*", "1.2 1.0", "1.1 1.1.5"},
                {"~=2.2", "2.2 2.3 2.99.1 2.2.post3", "2.1 3.0 2.2rc1"},
                {"~=1.4.5", "1.4.5 1.4.99", "1.4.4 1.5"},
                {"~=2.2.post3", "2.2.post3 2.9", "2.2 3"},
                {"~=1.4.5a4", "1.4.5a4 1.4.5 1.4.6", "1.4.5a3 1.5"},
                {">=1.9", "1.9 1.10 2", "1.8 1.9rc1 1.9.dev1"},
                {"<=1.9", "1.9 1.8 1.9+x 1.9rc1", "1.10 1.9.post1"},
                {">1.7", "1.7.1 1.8", "1.7 1.7.0.post1 1.7+local"},
                {">1.7.post2", "1.7.1 1.7.0.post3", "1.7.0 1.7.post2"},
                {"<1.7", "1.6 1.6.post1", "1.7 1.7rc1 1.7.dev1"},
                {"<1.7rc2", "1.7rc1 1.7.dev1", "1.7rc2 1.7"},
                {"===1.0", "1.0", "1.0.0 1"},
                {"===Any Old", "any old", "1"},
                {" >= 1.2 , < 2 , != 1.5.* ", "1.2 1.4 1.6", "1.1 2 1.5 1.5.3"},
                {">=1,", "1", "0.9"}};
    for (u32 i = 0; i < COUNT_OF(rows); i++) {
        Str spec = str_from(rows[i].spec), yes = str_from(rows[i].yes), no = str_from(rows[i].no);
        if (!spec_valid(spec)) fail_msg("'%s' is not read", rows[i].spec);
        if (strcmp(rows[i].spec, "===Any Old") == 0) {
            assert_true(spec_matches(spec, yes));
            continue;
        }
        while (yes.n) {
            Str v = str_cut(yes, ' ', &yes);
            if (!spec_matches(spec, v)) fail_msg("%s does not take %.*s", rows[i].spec, STR_ARG(v));
        }
        while (no.n) {
            Str v = str_cut(no, ' ', &no);
            if (spec_matches(spec, v)) fail_msg("%s takes %.*s", rows[i].spec, STR_ARG(v));
        }
    }
    static const char *const bad[] = {"1.0", "=1", ">=x", "~=1", ">=1.*", "~=1.2.*", "==", ">1 <2", "=== ", "^1"};
    for (u32 i = 0; i < COUNT_OF(bad); i++)
        if (spec_valid(str_from(bad[i]))) fail_msg("'%s' was taken for a specifier", bad[i]);
}

static void sides(void **state)
{
    static const struct {
        const char *spec;
        SpecSide side;
    } rows[] = {{">=2.1", SPEC_FROM},   {">=2.2,<3", SPEC_FROM}, {">2.1", SPEC_FROM},     {"~=2.2", SPEC_FROM},
                {"==2.*", SPEC_OLDER},  {">=1.9", SPEC_OLDER},   {"~=2.0", SPEC_OLDER},   {">=1,!=1.5", SPEC_OLDER},
                {"", SPEC_OPEN},        {"<3", SPEC_OPEN},       {"!=1.0", SPEC_OPEN},    {"<2", SPEC_BELOW},
                {"<2.1", SPEC_BELOW},   {"<=2.1", SPEC_OPEN},    {"<=2.0.9", SPEC_BELOW}, {"==1.26.4", SPEC_BELOW},
                {"==1.*", SPEC_BELOW},  {"~=1.26", SPEC_BELOW},  {"~=2.0.1", SPEC_BELOW}, {"===2.1", SPEC_FROM},
                {"===1.0", SPEC_BELOW}, {"junk", SPEC_UNKNOWN},  {"<2.1rc1", SPEC_BELOW}};
    Version first;
    assert_true(version_read(S("2.1.0"), &first));
    for (u32 i = 0; i < COUNT_OF(rows); i++) {
        SpecSide side = spec_side(str_from(rows[i].spec), &first);
        if (side != rows[i].side) fail_msg("'%s' gives %d, not %d", rows[i].spec, side, rows[i].side);
    }
    assert_str(spec_exact(S(">=1,==1.2")), "1.2");
    assert_str(spec_exact(S("===1.2")), "1.2");
    assert_str(spec_exact(S("==1.2.*")), "");
    assert_str(spec_exact(S(">=1.2")), "");
}

static void names(void **state)
{
    assert_str(name_normal(&arena, S("Zope.Interface__x")), "zope-interface-x");
    assert_str(name_normal(&arena, S("A-_.b")), "a-b");
    assert_int_equal(name_length(S("numpy>=1")), 5);
    assert_int_equal(name_length(S("a-b.c_d [x]")), 7);
    assert_int_equal(name_length(S("a-")), 1);
    assert_int_equal(name_length(S("-a")), 0);
    assert_int_equal(name_length(S("\xc3\xa9")), 0);
}

/* ---- wheels ------------------------------------------------------------------------------------------------ */

static void wheel_names(void **state)
{
    WheelName w;
    assert_true(wheel_name_read(
        S("zope.interface-5.4-1build-cp314.cp315-cp314t.cp315t-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"), &w));
    assert_str(w.name, "zope.interface");
    assert_str(w.version, "5.4");
    assert_str(w.tags.abi, "cp314t.cp315t");
    assert_true(wheel_name_read(S("old-name-1.0-py3-none-any.whl"), &w));
    assert_str(w.name, "old-name");
    assert_str(w.version, "1.0");
    assert_true(wheel_name_read(S("foo-2.0-3-py3-none-any.whl"), &w));
    assert_str(w.name, "foo");
    assert_str(w.version, "2.0");
    assert_false(wheel_name_read(S("foo-1.0.tar.gz"), &w));
    assert_false(wheel_name_read(S("foo-py3-none-any.whl"), &w));
    assert_false(wheel_name_read(S(".whl"), &w));
}

static void wheel_fits(void **state)
{
    static const struct {
        const char *tag;
        WheelFit at13, at14, at15;
        bool free_threaded;
    } rows[] = {{"cp313-cp313t-linux_x86_64", FIT_EXACT, FIT_NONE, FIT_NONE, true},
                {"cp314-cp314t-win_amd64", FIT_NONE, FIT_EXACT, FIT_NONE, true},
                {"cp314-cp314td-linux_x86_64", FIT_NONE, FIT_EXACT, FIT_NONE, true},
                {"cp314-cp314-linux_x86_64", FIT_NONE, FIT_NONE, FIT_NONE, false},
                {"cp313.cp314-cp313t.cp314t-linux_x86_64", FIT_EXACT, FIT_EXACT, FIT_NONE, true},
                {"cp39-abi3-linux_x86_64", FIT_NONE, FIT_NONE, FIT_NONE, false},
                {"cp315-abi3t-linux_x86_64", FIT_NONE, FIT_NONE, FIT_STABLE, true},
                {"cp315-abi3.abi3t-linux_x86_64", FIT_NONE, FIT_NONE, FIT_STABLE, true},
                {"cp316-abi3.abi3t-linux_x86_64", FIT_NONE, FIT_NONE, FIT_NONE, true},
                {"py3-none-any", FIT_PURE, FIT_PURE, FIT_PURE, false},
                {"py2.py3-none-any", FIT_PURE, FIT_PURE, FIT_PURE, false},
                {"py2-none-any", FIT_NONE, FIT_NONE, FIT_NONE, false},
                {"py3-none-manylinux2014_x86_64", FIT_BINARY, FIT_BINARY, FIT_BINARY, false},
                {"cp314-none-win_amd64", FIT_NONE, FIT_BINARY, FIT_NONE, false},
                {"py314-none-any", FIT_NONE, FIT_PURE, FIT_PURE, false},
                {"cp3140-cp3140t-x", FIT_NONE, FIT_NONE, FIT_NONE, true},
                {"cp314x-cp314tx-x", FIT_NONE, FIT_NONE, FIT_NONE, false}};
    for (u32 i = 0; i < COUNT_OF(rows); i++) {
        WheelTags t;
        assert_true(wheel_tags_read(str_from(rows[i].tag), &t));
        bool same = wheel_fit(&t, 13) == rows[i].at13 && wheel_fit(&t, 14) == rows[i].at14 &&
                    wheel_fit(&t, 15) == rows[i].at15 && wheel_free_threaded(&t) == rows[i].free_threaded;
        if (!same)
            fail_msg("%s: %d %d %d %d", rows[i].tag, wheel_fit(&t, 13), wheel_fit(&t, 14), wheel_fit(&t, 15),
                     wheel_free_threaded(&t));
    }
}

/* ---- requirements -----------------------------------------------------------------------------------------------
 */

static void requirements(void **state)
{
    Requirement r;
    Err e = {0};
    assert_true(requirement_read(S("Foo.Bar [a, b] >=1.0 , <2 ; python_version < '3.9'"), &r, &e));
    assert_str(r.name, "Foo.Bar");
    assert_str(r.spec, ">=1.0 , <2");
    assert_str(r.marker, "python_version < '3.9'");
    assert_true(requirement_read(S("foo(>=1.0)"), &r, &e));
    assert_str(r.spec, ">=1.0");
    assert_true(requirement_read(S("foo @ git+https://x/y;z.git ; extra == 'b'"), &r, &e));
    assert_str(r.url, "git+https://x/y;z.git");
    assert_str(r.marker, "extra == 'b'");
    static const char *const bad[] = {"", ">=1", "foo[a", "foo @", "foo bar", "foo =1"};
    for (u32 i = 0; i < COUNT_OF(bad); i++) {
        e = (Err){0};
        if (requirement_read(str_from(bad[i]), &r, &e) || !e.set) fail_msg("'%s' was taken", bad[i]);
    }
}

static void poetry(void **state)
{
    static const char *const rows[][2] = {
        {"^1.2.3", ">=1.2.3,<2"}, {"^0.2.3", ">=0.2.3,<0.3"}, {"^0.0.3", ">=0.0.3,<0.0.4"},
        {"^0.0", ">=0.0,<0.1"},   {"^1", ">=1,<2"},           {"~1.2.3", ">=1.2.3,<1.3"},
        {"~1.2", ">=1.2,<1.3"},   {"~1", ">=1,<2"},           {"*", ""},
        {"1.2", "==1.2"},         {"1.2.*", "==1.2.*"},       {">=1,<2", ">=1,<2"},
        {"~=1.2", "~=1.2"}};
    Str spec;
    for (u32 i = 0; i < COUNT_OF(rows); i++) {
        assert_true(poetry_spec(&arena, str_from(rows[i][0]), &spec));
        assert_str(spec, rows[i][1]);
    }
    assert_false(poetry_spec(&arena, S("^1 || ^2"), &spec));
    assert_false(poetry_spec(&arena, S("^x"), &spec));
}

static void markers(void **state)
{
    static const struct {
        const char *marker;
        bool at14;
    } rows[] = {{"python_version < '3.13'", false},
                {"python_version >= '3.13'", true},
                {"'3.13' <= python_version", true},
                {"'3.15' <= python_version", false},
                {"python_version == '3.14'", true},
                {"python_version ~= '3.9'", true},
                {"python_full_version < '3.14.0'", false},
                {"python_full_version < '3.14.5'", true},
                {"python_full_version == '3.14.2'", true},
                {"python_full_version == '3.15.2'", false},
                {"python_full_version >= '3.15'", false},
                {"sys_platform == 'win32'", true},
                {"sys_platform == 'win32' and python_version < '3.9'", false},
                {"sys_platform == 'win32' or python_version < '3.9'", true},
                {"python_version < '3.9' or python_version > '3.20'", false},
                {"(python_version < '3.9' or extra == 'x') and implementation_name == 'cpython'", true},
                {"platform_python_implementation == 'PyPy'", false},
                {"platform_python_implementation != 'PyPy'", true},
                {"python_version not in '2.7'", true},
                {"nonsense", true},
                {"((((", true},
                {"python_version < '3.9' garbage", true}};
    for (u32 i = 0; i < COUNT_OF(rows); i++)
        if (marker_may_hold(str_from(rows[i].marker), 14) != rows[i].at14) fail_msg("%s", rows[i].marker);
}

/* ---- the table --------------------------------------------------------------------------------------------------
 */

static bool is_date(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (i == 4 || i == 7 ? s.p[i] != '-' : s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n == 10;
}

/* Each row says what the head of compat.tsv promises, and the rows are sorted. */
static void table(void **state)
{
    CompatTable t = {0};
    Version v;
    compat_load(&arena, &t);
    assert_true(t.rows.n > 800);
    for (u32 i = 0; i < t.rows.n; i++) {
        const Compat *r = &t.rows.v[i];
        bool good = str_eq(name_normal(&arena, r->package), r->package) &&
                    (r->imports.n || str_starts(r->package, S("types-"))) && r->source.n && is_date(r->as_of) &&
                    str_starts(r->notes, S("ev=")) && (!r->first.n || version_read(r->first, &v)) &&
                    (!r->gil_on.n || str_is(r->gil_on, "*") || spec_valid(r->gil_on)) &&
                    (r->status != COMPAT_FULL || r->first.n);
        if (!good) fail_msg("the row of %.*s is wrong", STR_ARG(r->package));
        if (i && str_cmp(t.rows.v[i - 1].package, r->package) >= 0)
            fail_msg("%.*s is out of order", STR_ARG(r->package));
    }
    assert_non_null(compat_find(&t, S("numpy")));
    assert_null(compat_find(&t, S("no-such-package")));
}

static int cleanup(void **state)
{
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order),      cmocka_unit_test(spellings),    cmocka_unit_test(specifiers),
        cmocka_unit_test(sides),      cmocka_unit_test(names),        cmocka_unit_test(wheel_names),
        cmocka_unit_test(wheel_fits), cmocka_unit_test(requirements), cmocka_unit_test(poetry),
        cmocka_unit_test(markers),    cmocka_unit_test(table),
    };
    return cmocka_run_group_tests(tests, NULL, cleanup);
}
