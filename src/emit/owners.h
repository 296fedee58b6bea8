/* CODEOWNERS files of GitHub and GitLab. Private to emit/. */
#ifndef UNGIL_EMIT_OWNERS_H
#define UNGIL_EMIT_OWNERS_H

#include "base/base.h"

typedef struct OwnerRule {
    Str pattern, owners; /* as written; owners separated by one blank, empty when nobody owns it */
    u32 section;         /* GitLab: owners of several sections add up; 0 before the first header */
    bool exclude;        /* GitLab: !pattern, nobody owns it in this section */
} OwnerRule;
typedef struct Owners {
    Vec(OwnerRule) rules;
    u32 nsections;
    bool gitlab; /* sections were seen, or the file lies in .gitlab/: patterns match at any depth */
} Owners;

/* Reads the text of a CODEOWNERS file; `path` is where it was found. */
void owners_parse(Arena *a, Str path, Str text, Owners *out);
/* Owners of a file (path from the top of the repository), separated by blanks; empty when nobody owns it. */
Str owners_of(Arena *a, const Owners *o, Str path);

/* Where the file may be, in the order in which it is looked for. */
extern const char *const owners_paths[];

#endif
