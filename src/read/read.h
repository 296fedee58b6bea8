/* read/: from paths to Sources. Finding files and indexing their bytes are kept apart, so that the bytes may come
 * from elsewhere than the work tree. Private to this folder and to ready/, which looks for other files. */
#ifndef UNGIL_READ_H
#define UNGIL_READ_H

#include "pipeline.h"

enum { SOURCE_MAX = 32 << 20 }; /* larger files are noted and left out */

/* One file to read: absolute path, and path relative to the root. */
typedef struct Found {
    Str abs, path;
} Found;
typedef Vec(Found) FoundVec;

/* The files under o->args, sorted by path, each once: the Python files, or with `takes` those that it accepts by
 * directory and name, and every file that is itself one of o->args. */
bool files_find(Arena *a, const Options *o, bool (*takes)(Str dir, Str name), FoundVec *out, NoteVec *notes, Err *e);

/* git's ignore rules by themselves (gitignore.c). */
typedef struct IgnoreRules IgnoreRules;
/* For the work tree `top`, which ends in '/'; `info` and `global` are the files .git/info/exclude and
 * core.excludesFile, which need not be there (global: NULL). fold: as core.ignoreCase says. */
IgnoreRules *ignore_rules_make(Arena *a, Str top, const char *info, const char *global, bool fold);
/* Do they ignore the path, which is relative to top and has no '/' at its end? */
bool ignore_rules_say(IgnoreRules *g, Str path, bool dir);

/* What git ignores, asked of the repository that a directory lies in. */
typedef struct Ignores Ignores;
/* NULL when the directory is in no work tree; or when it belongs to somebody else: then *foreign says so, else it is
 * NULL. */
Ignores *ignores_open(Arena *a, const char *dir, const char **foreign);
bool ignores_path(const Ignores *g, const char *abs, bool dir);
void ignores_close(Ignores *g);

/* Dotted module name of a path relative to the root. */
Str module_name(Arena *a, Str path, u32 package_depth);

/* Appends a note; the message is formatted into the arena. */
void note_add(Arena *a, NoteVec *notes, Str path, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
