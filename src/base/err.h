/* What the outside world did wrong, as a sentence. A function that can fail for such reasons takes an Err *,
 * leaves it alone on success, and on failure fills it and returns false (or -1, or NULL). */
#ifndef UNGIL_ERR_H
#define UNGIL_ERR_H

#include "types.h"

typedef struct Err {
    bool set;
    char msg[1024];
} Err;

/* Fills e unless an earlier error is there already (the first cause wins). Returns false. */
bool err_set(Err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says something on standard error, "ungil: ..." in a line of its own, for when the run goes on. */
void err_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
