/* Reading two commits (revisions.c), their trees (gittree.c) and the diff between them (gitdiff.c). Only read/
 * includes this. */
#ifndef UNGIL_READ_REVISIONS_H
#define UNGIL_READ_REVISIONS_H

#include "read/read.h"

#include <git2.h>

typedef struct RevReader {
    Arena *a;
    git_repository *repo;
    git_commit *base, *head, *fork; /* fork: the merge base */
    git_tree *old_tree, *new_tree;  /* of fork and head */
    Revisions *out;
    NoteVec *notes;
    Err *e;
} RevReader;

/* Fills e from libgit2's last error. Returns false. */
bool git_fail(Err *e, const char *what);
/* The bytes of a blob, in the arena. */
bool blob_text(RevReader *x, const git_oid *id, Str *out);
/* Fills out->files. */
bool diff_read(RevReader *x);
/* Fills out->before, after, same and renamed. */
bool trees_read(RevReader *x, const Options *o);

#endif
