/* One requirement as text (PEP 508, now the packaging specification "Dependency specifiers"). */
#ifndef UNGIL_READY_REQUIREMENT_H
#define UNGIL_READY_REQUIREMENT_H

#include "pipeline.h"

/* Slices of the text it was read from, but for `spec`. */
typedef struct Requirement {
    Str name;   /* as written */
    Str spec;   /* ">=1.2,<2"; empty: any version */
    Str url;    /* of NAME @ URL; empty */
    Str marker; /* behind the semicolon; empty */
} Requirement;

/* Reads NAME [EXTRAS] SPECIFIER ; MARKER or NAME @ URL ; MARKER. False with a sentence in e when it is neither. */
bool requirement_read(Str text, Requirement *r, Err *e);

/* A constraint of Poetry ("^1.2", "~1.2", "1.2.*", ">=1,<2", "*", "1.2") as a PEP 440 specifier, in the arena. False
 * for what has no such form: alternatives (||), or a version that cannot be read. Source: Poetry's documentation,
 * "Dependency specification". */
bool poetry_spec(Arena *a, Str constraint, Str *spec);

/* Could the environment marker hold under CPython 3.`minor`? Only what depends on the version and the implementation
 * of Python is decided; platforms, extras and what cannot be read may hold. */
bool marker_may_hold(Str marker, int minor);

#endif
