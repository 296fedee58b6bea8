/* Fixes that are taken back: what undo.c (the journal read, the command) and takeback.c (the texts) share. */
#ifndef UNGIL_EMIT_UNDO_H
#define UNGIL_EMIT_UNDO_H

#include "emit/journal.h"
#include "emit/json.h"

/* A fix of the journal. */
typedef struct Record {
    const json_t *line;
    Str fingerprint, run;
    Str shown; /* how messages call it */
    bool undone;
} Record;

/* A file while fixes are taken back from it. */
typedef struct Back {
    Str path;
    const char *abs;
    Str before, now;
} Back;

/* A file that has another path now. */
typedef struct Moved {
    Str from, to;
} Moved;

typedef struct Undo {
    Arena *a;
    const Options *o;
    Journal j;
    Vec(Record) records; /* oldest first */
    Vec(Back) files;
    SourceList root; /* all files, once they are asked for */
    bool root_read;
    Vec(Moved) moved;
    Buf lines; /* for the journal */
    Buf out;   /* for the user */
    Err *e;
} Undo;

/* A string of a JSON object; empty when there is none. */
Str text_of(const json_t *o, const char *key);
/* Fills u->root once. */
bool root_read(Undo *u);
/* The path that a file of the journal has now, whose text was `written` (moved.c); its own where none is found. */
Str path_now(Undo *u, Str path, Str written);
/* Takes the `with` line of what a fix wrote out of a text in which its body was edited since (unwrap.c). False when
 * it cannot be told what belongs to it; the text then stays as it is. */
bool section_unwrap(Arena *a, Str wrapped, Str *now);
/* The `with` line in what a fix wrote; empty. */
Str with_written(Str wrapped);
/* Takes the lines of a fix back from all of its files in u->files, and marks it. On false, which says why, nothing
 * has changed. */
bool record_back(Undo *u, Record *r);
/* Takes back the imports (kind "import") or locks ("lock") of fixes that are gone and that nothing uses any more. */
bool support_back(Undo *u, const char *kind);

#endif
