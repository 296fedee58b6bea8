/* Posting of a review. Private to emit/. */
#ifndef UNGIL_EMIT_POST_H
#define UNGIL_EMIT_POST_H

#include "emit/review.h"

int post_review(const Results *r, const Review *v, Err *e);

#endif
