/* What the files about `ungil review` share: review.c (what is printed), review_json.c (the document that posting
 * works from), environment.c (CI systems). Private to emit/. */
#ifndef UNGIL_EMIT_REVIEW_H
#define UNGIL_EMIT_REVIEW_H

#include "emit/emit.h"
#include "emit/json.h"

/* "adds 1 racy site, fixes 2; app._x is now guarded by app._lock in 7 of 8 places", without HTML or Markdown. */
Str review_summary(Arena *a, const Results *r, const Review *v);
/* The document of `review --format json`: findings that are new, and the object "review". */
json_t *review_json(const Results *r, const Review *v);

/* Makes --fix-branch. */
bool sidebranch_make(const Results *r, const Review *v, Err *e);

/* Lines first..last of a file, to be replaced by text (without the newline of the last one). */
typedef struct Suggestion {
    bool made;
    Str path, text;
    u32 first, last;
} Suggestion;

#endif
