/* What the files about `ungil review` share: review.c (what is printed), review_json.c (the document that posting
 * works from), environment.c (CI systems). Private to emit/. */
#ifndef UNGIL_EMIT_REVIEW_H
#define UNGIL_EMIT_REVIEW_H

#include "emit/emit.h"
#include "emit/json.h"

/* "adds 1 racy site, fixes 2; app._x is now guarded by app._lock in 7 of 8 places", without HTML or Markdown. */
Str review_summary(Arena *a, const Results *r, const Review *v);
/* A change of the guard table as a sentence; empty when it is none that a reader would care about. */
Str guard_sentence(Arena *a, const Results *r, const Review *v, const GuardChange *g);
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
/* The whole fix of a finding as one range of lines, when there is one and one hunk of the diff holds it. */
Suggestion suggestion_make(Arena *a, const Results *r, const Review *v, const Race *race);

#endif
