/* Linked into every unit test: `make test T=word` runs only the tests whose names contain the word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

__attribute__((constructor)) static void filter_from_environment(void)
{
    static char pattern[256];
    const char *word = getenv("T");

    if (word && *word) {
        snprintf(pattern, sizeof pattern, "*%s*", word);
        cmocka_set_test_filter(pattern);
    }
}
