/* Versions and version specifiers of Python packages (PEP 440, now the packaging specification "Version specifiers"),
 * and names of packages (PEP 503). Pure functions of their text; nothing is allocated. */
#ifndef UNGIL_READY_VERSION_H
#define UNGIL_READY_VERSION_H

#include "pipeline.h"

/* A version taken apart. The parts are slices of the text it was read from, which must outlive it. Numbers stay
 * text, since a date with a time or a hostile version has more digits than any integer. */
typedef struct Version {
    Str epoch, release; /* "1" of 1!2.0 (empty: 0); "2.0" */
    char pre;           /* 'a', 'b', 'c' for rc; 0: no pre-release */
    bool has_post, has_dev;
    Str pre_n, post, dev; /* their numbers; empty: 0 */
    Str local;            /* "cpu.1" of +cpu-1, without the plus sign */
} Version;

/* Reads every spelling that PEP 440 (appendix B) takes for a version, white space around it aside. False when it is
 * none; *v is undefined then. */
bool version_read(Str text, Version *v);
/* <0, 0, >0 as a comes before, is the same as, or comes after b (PEP 440, "Summary of permitted suffixes and relative
 * ordering"). */
int version_cmp(const Version *a, const Version *b);

/* Does the version satisfy the specifier: clauses separated by commas, ">=1.2,!=1.5.*"? An empty specifier takes
 * everything. Pre-releases count like others. False, too, when a clause cannot be read; see spec_valid. */
bool spec_matches(Str spec, Str version);
/* Can every clause be read? */
bool spec_valid(Str spec);

/* How a specifier lies to a version, say the first one that supports something. */
typedef enum SpecSide {
    SPEC_FROM,   /* it takes this version or later ones, and none before it */
    SPEC_OLDER,  /* its lower bound lies before it */
    SPEC_OPEN,   /* it has no lower bound */
    SPEC_BELOW,  /* every version that it takes comes before it */
    SPEC_UNKNOWN /* it cannot be read */
} SpecSide;
SpecSide spec_side(Str spec, const Version *first);
/* The one version that the specifier takes: that of ==1.2 or ===1.2. Empty when it takes several. */
Str spec_exact(Str spec);

/* The name in its normal form: lower case, runs of - _ . become one dash (PEP 503). */
Str name_normal(Arena *a, Str name);
/* Length of the name at the start of s (PEP 508: letters, digits, and - _ . in between); 0 when there is none. */
size_t name_length(Str s);

#endif
