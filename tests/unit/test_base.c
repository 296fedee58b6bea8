/* base/: strings, globs, buffers, tables, arrays, arenas and the one-step replacement of files. */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static void str_cutting(void **state)
{
    Str rest, line, s = S("a.b.c");
    assert_str(str_cut(s, '.', &rest), "a");
    assert_str(rest, "b.c");
    assert_int_equal(str_rfind(s, '.'), 3);
    assert_str(str_slice(s, 2, 99), "b.c");
    assert_str(str_trim(S(" \t x\r\n")), "x");
    assert_int_equal(str_search(s, S("c")), 4);
    assert_int_equal(str_search(s, S("x")), 5);
    rest = S("one\r\ntwo\n\nend");
    const char *want[] = {"one", "two", "", "end"};
    for (u32 i = 0; i < 4; i++) {
        assert_true(str_line(&rest, &line));
        assert_str(line, want[i]);
    }
    assert_false(str_line(&rest, &line));
    assert_true(str_cmp(S("a"), S("ab")) < 0 && str_cmp(S("b"), S("ab")) > 0 && str_cmp(S("a"), S("a")) == 0);
}

static void str_words(void **state)
{
    static const char *const words[] = {"open", "set"};
    assert_true(str_among(S("open"), words, 2) && !str_among(S("opens"), words, 2) && !str_among(S(""), words, 2));
    assert_true(str_has_any(S("doReset"), words, 2) && !str_has_any(S("close"), words, 2));
    assert_true(str_has_any(S("OPEN"), words, 2) && !str_has_any(S("se ope"), words, 2));
    assert_true(!str_has_any(S(""), words, 2));
    assert_true(str_starts_any(S("opening"), words, 2) && !str_starts_any(S("reopen"), words, 2));
    assert_true(str_first_word(S("_open_all"), words, 2) && str_first_word(S("openAll"), words, 2));
    assert_true(str_first_word(S("set"), words, 2) && !str_first_word(S("setup"), words, 2));
    assert_false(str_first_word(S("__"), words, 2) || str_first_word(S(""), words, 2));
    assert_true(str_has_name(S("a and b"), S("and")) && !str_has_name(S("a.band"), S("and")));
    assert_true(str_has_name(S("x.b + b"), S("b")) && !str_has_name(S("x.b"), S("b")));
    (void)state;
}

static void str_hash_is_stable(void **state)
{
    /* Fingerprints and cache keys are stored: the values must never change. */
    assert_true(str_hash(S("app.stats.counter")) == str_hash(str_slice(S("xapp.stats.counter"), 1, 18)));
    assert_true(str_hash(S("12345678")) != str_hash(S("12345679")));
    assert_true(str_hash(S("")) != str_hash(S("\0")));
}

static void names(void **state)
{
    Str text = S("a = b.a + aa(a)\n\"a\"");
    assert_true(str_has_name(text, S("a")));
    assert_int_equal(str_name_count(text, S("a")), 3);
    assert_int_equal(str_name_count(text, S("aa")), 1);
    assert_int_equal(str_name_count(text, S("c")), 0);
    assert_int_equal(str_name_count(text, S("")), 0);
    assert_false(str_has_name(S("x.a aa \xd0\xb0\x61"), S("a")));
}

static void glob(void **state)
{
    assert_true(glob_match(S("*.py"), S("a.py")));
    assert_false(glob_match(S("*.py"), S("a/b.py")));
    assert_true(glob_match(S("**/*.py"), S("a/b/c.py")));
    assert_true(glob_match(S("**/c.py"), S("c.py")));
    assert_true(glob_match(S("a/**"), S("a/b/c")));
    assert_false(glob_match(S("a/**"), S("b/a/c")));
    assert_true(glob_match(S("[!a-c]?"), S("xy")));
    assert_false(glob_match(S("[!a-c]?"), S("by")));
    assert_true(glob_closed(S("[!a-c]?[]a][[]")));
    assert_false(glob_closed(S("a[bc")));
    assert_false(glob_closed(S("[]")));
    assert_true(glob_match(S("["), S("[")));
    assert_false(glob_match(S("a?b"), S("a/b")));
    assert_false(glob_match(S("a[/]b"), S("a/b")));
    assert_true(glob_match(S("**/a*b/**/c*.py"), S("x/acb/ab/y/cd/c.py")));
    assert_false(glob_match(S("**/a*b/*/c*.py"), S("x/ab/ab/y/z/c.py")));
    assert_true(glob_match(S("a**c"), S("a/b/c")));
    assert_true(glob_match(S("a*"), S("a")));
    assert_false(glob_match(S("a*/"), S("a")));
}

/* A pattern may be a stranger's: time must not double with each star. */
static void glob_of_many_stars(void **state)
{
    char path[201], pattern[202];
    memset(path, 'a', 200);
    for (u32 i = 0; i < 200; i++) pattern[i] = i % 2 ? 'a' : '*';
    pattern[200] = 'b';
    Str p = {pattern, 201}, s = {path, 200};
    assert_false(glob_match(p, s));
    path[199] = 'b';
    assert_true(glob_match(p, s));
    for (u32 i = 0; i < 200; i++) pattern[i] = i % 4 == 3 ? 'a' : i % 4 == 2 ? '/' : '*';
    for (u32 i = 1; i < 200; i += 2) path[i] = '/';
    assert_false(glob_match(p, s));
}

static void buffer(void **state)
{
    Buf b = {0};
    buf_fmt(&b, "%s-%d", "x", 5);
    buf_char(&b, '.');
    buf_fill(&b, '=', 3);
    buf_str(&b, S("end"));
    assert_string_equal(b.p, "x-5.===end");
    for (u32 i = 0; i < 1000; i++) buf_fmt(&b, "%04u", i);
    assert_int_equal(b.n, 10 + 4000);
    assert_true(str_ends(buf_view(&b), S("0999")));
    buf_free(&b);
    assert_null(b.p);
}

static void map(void **state)
{
    Arena a = {0};
    Map m = {0};
    assert_int_equal(map_get(&m, 7), NONE);
    for (u32 i = 0; i < 5000; i++) map_put(&a, &m, map_key(i, ~i), i);
    for (u32 i = 0; i < 5000; i++) assert_int_equal(map_get(&m, map_key(i, ~i)), i);
    map_put(&a, &m, map_key(3, ~3u), 9);
    assert_int_equal(map_get(&m, map_key(3, ~3u)), 9);
    assert_int_equal(m.n, 5000);
    assert_int_equal(*map_at(&a, &m, 0), NONE);
    arena_free(&a);
}

static void interning(void **state)
{
    Arena a = {0};
    Intern t = {0};
    char text[16];
    for (u32 i = 0; i < 3000; i++) {
        snprintf(text, sizeof text, "name%u", i);
        assert_int_equal(intern(&a, &t, str_from(text)), i);
    }
    assert_int_equal(intern(&a, &t, S("name77")), 77);
    assert_str(t.strs[2999], "name2999");
    assert_int_equal(intern_find(&t, S("nobody")), NONE);
    arena_free(&a);
}

static void vectors(void **state)
{
    Arena a = {0};
    Vec(u32) v = {0};
    for (u32 i = 0; i < 1000; i++) vec_push(&a, &v, i * 3);
    *vec_add(&a, &v) += 1;
    assert_int_equal(v.n, 1001);
    assert_int_equal(v.v[999], 2997);
    assert_int_equal(v.v[1000], 1);
    arena_free(&a);
}

/* A first request that is larger than a block, and is not zeroed, is given back like the others. */
static void arena_large(void **state)
{
    Arena a = {0};
    enum { LARGE = 3 << 20 };
    char *room = arena_room(&a, 1, 16, LARGE), *zero = arena_alloc(&a, 1, 16, LARGE);
    memset(room, 'x', LARGE);
    for (u32 i = 0; i < LARGE; i += 4096) assert_int_equal(zero[i], 0);
    arena_free(&a);
    assert_null(a.head);
}

static void arena_adoption(void **state)
{
    Arena a = {0}, b = {0}, empty = {0};
    Str one = str_dup(&a, S("one")), two = str_dup(&b, S("two"));
    memset(arena_new(&b, char, 100000), 'x', 100000);
    arena_adopt(&a, &b);
    arena_adopt(&a, &empty);
    assert_null(b.head);
    assert_str(one, "one");
    assert_str(two, "two");
    assert_str(str_dup(&a, S("three")), "three");
    arena_adopt(&empty, &a);
    assert_str(two, "two");
    arena_free(&empty);
}

static void counting(void *ctx, u32 item, u32 worker)
{
    u32 *done = ctx;
    (void)worker;
    done[item] += item;
}

static void pool(void **state)
{
    u32 done[500] = {0};
    pool_run(7, 500, counting, done);
    pool_run(1, 500, counting, done);
    pool_run(3, 0, counting, done);
    for (u32 i = 0; i < 500; i++) assert_int_equal(done[i], 2 * i);
}

static void replacing_a_file(void **state)
{
    Arena a = {0};
    Err e = {0};
    Str text;
    struct stat st;
    char *dir = temp_dir(&a), *file = str_c(&a, str_fmt(&a, "%s/f", dir));
    char *link_path = str_c(&a, str_fmt(&a, "%s/link", dir));
    assert_true(os_replace_file(file, S("one"), &e));
    assert_int_equal(chmod(file, 0750), 0);
    assert_int_equal(symlink("f", link_path), 0);
    assert_true(os_replace_file(link_path, S("two\r\n"), &e));
    assert_true(os_read_file(&a, file, 100, &text, &e));
    assert_str(text, "two\r\n");
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(lstat(link_path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_false(os_read_file(&a, file, 3, &text, &e));
    assert_non_null(strstr(e.msg, file));
    e = (Err){0};
    assert_false(os_replace_file(str_c(&a, str_fmt(&a, "%s/no/f", dir)), S("x"), &e));
    assert_true(e.set);
    temp_dir_remove(dir);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(str_cutting),
        cmocka_unit_test(str_words),
        cmocka_unit_test(str_hash_is_stable),
        cmocka_unit_test(glob),
        cmocka_unit_test(names),
        cmocka_unit_test(glob_of_many_stars),
        cmocka_unit_test(buffer),
        cmocka_unit_test(map),
        cmocka_unit_test(interning),
        cmocka_unit_test(vectors),
        cmocka_unit_test(arena_adoption),
        cmocka_unit_test(arena_large),
        cmocka_unit_test(pool),
        cmocka_unit_test(replacing_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
