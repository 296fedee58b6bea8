#include "emit/post.h"
int post_review(const Results *r, const Review *v, Err *e)
{
    err_set(e, "--post is not available in this version");
    return 2;
}
int emit_review_from(Arena *a, const Options *o, Err *e)
{
    err_set(e, "--post is not available in this version");
    return 2;
}
