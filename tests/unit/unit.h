/* What the unit tests of base, conf and read share. */
#ifndef UNGIL_TESTS_UNIT_H
#define UNGIL_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#define assert_str(got, want) assert_str_at((got), (want), __FILE__, __LINE__)

static inline void assert_str_at(Str got, const char *want, const char *file, int line)
{
    if (str_is(got, want)) return;
    print_error("%s:%d: \"%.*s\" is not \"%s\"\n", file, line, STR_ARG(got), want);
    fail();
}

/* A new directory for a test, without symbolic links in its path. */
static inline char *temp_dir(Arena *a)
{
    char name[] = "/tmp/ungil-unit-XXXXXX";
    assert_non_null(mkdtemp(name));
    char *real = realpath(name, NULL);
    char *dir = str_c(a, str_from(real));
    free(real);
    return dir;
}

static inline int temp_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void temp_dir_remove(const char *dir)
{
    nftw(dir, temp_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes dir/name, making the directories in between. */
static inline void temp_file(Arena *a, const char *dir, const char *name, Str text)
{
    Err e = {0};
    char *path = str_c(a, str_fmt(a, "%s/%s", dir, name));
    char *slash = strrchr(path, '/');
    *slash = 0;
    assert_true(os_make_dirs(path, &e));
    *slash = '/';
    assert_true(os_replace_file(path, text, &e));
}

#endif
