/* Files, directories and the machine. Paths are NUL-terminated C strings here. */
#ifndef UNGIL_OS_H
#define UNGIL_OS_H

#include "err.h"
#include "str.h"

/* Reads a whole regular file into the arena (NUL after the last byte, not counted). Fails with a sentence that
 * names the file: missing, unreadable, a directory, over max bytes. */
bool os_read_file(Arena *a, const char *path, size_t max, Str *out, Err *e);

/* Replaces (or makes) a file in one step: writes a temporary file beside it, flushes it to disk, gives it the
 * old file's mode, renames it over the old one. A symbolic link is followed, so the link stays one. On failure
 * the old file is untouched and the temporary one is gone. A device or a pipe is written to and stays what it is. */
bool os_replace_file(const char *path, Str bytes, Err *e);

/* The same in two steps, for files that are replaced all or none: what can fail for want of room or permission fails
 * in the first one, while everything is as it was. `path` and `bytes` must outlive the record. */
typedef struct OsStaged {
    const char *path, *real;
    char *temp; /* the new file, beside the old one; NULL: nothing is staged (any more) */
    Str bytes;
} OsStaged;
bool os_stage_file(Arena *a, const char *path, Str bytes, OsStaged *out, Err *e);
/* Puts it in its place. On failure the old file is untouched and the temporary one is gone. */
bool os_staged_place(OsStaged *s, Err *e);
void os_staged_drop(OsStaged *s);

/* Makes a directory and its parents. Succeeds when it is there already. */
bool os_make_dirs(const char *path, Err *e);

/* Number of processors this process may use, at least 1. */
u32 os_cpus(void);

/* Seconds from an arbitrary start, monotonic. */
double os_seconds(void);

/* Largest resident set of this process so far, in bytes. */
u64 os_peak_memory(void);

#endif
