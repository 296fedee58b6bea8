/* Another program, run to its end: no shell, a limit of time, what it wrote, what it took. Linux and POSIX.
 *
 * The program leads a process group of its own, which is killed as a whole when the time is over and when the program
 * itself has ended; it dies when we do. Its standard input is empty. */
#ifndef UNGIL_PROCESS_H
#define UNGIL_PROCESS_H

#include "err.h"
#include "str.h"

/* The file descriptor of the third stream, for those who ask for it (ProcessOrder.side). */
enum { PROCESS_SIDE_FD = 3 };

typedef struct ProcessOrder {
    const char *const *argv; /* ends in NULL; argv[0] is looked for on PATH unless it has a '/' */
    const char *const *set;  /* "NAME=value" to set, "NAME" to take out of our environment; ends in NULL; or NULL */
    const char *dir;         /* where it runs; NULL: where we are */
    double seconds;          /* the limit of time; 0: none */
    size_t keep;             /* bytes that are kept of each stream; what is beyond is read and counted only */
    bool side;               /* give it a pipe as PROCESS_SIDE_FD, too */
} ProcessOrder;

typedef enum ProcessStream { PROCESS_OUT, PROCESS_ERR, PROCESS_SIDE, PROCESS_STREAMS } ProcessStream;

typedef struct ProcessEnd {
    Str text[PROCESS_STREAMS]; /* in the arena, NUL-terminated */
    u64 bytes[PROCESS_STREAMS]; /* written in all */
    bool timed_out;
    int status;                /* exit status; of a program that a signal ended -1 */
    int signal;                /* that ended it, 0 */
    double wall, user, system; /* seconds; user and system with those children that it waited for */
    u64 peak;                  /* largest resident set in bytes, of it or of the largest such child */
} ProcessEnd;

/* Runs it and waits. False, with a sentence, when it cannot be started; how it ended is no error. Nobody else may be
 * waiting for children of ours. */
bool process_run(Arena *a, const ProcessOrder *o, ProcessEnd *end, Err *e);

/* Where PATH has a program of this name that may be executed, as an absolute or relative path in the arena; NULL. A
 * name with a '/' is a path already. */
const char *process_find(Arena *a, const char *name);

/* How it ended, for a sentence: "exit status 1", "signal 11 (Segmentation fault)", "no end within 5 seconds". */
Str process_ending(Arena *a, const ProcessOrder *o, const ProcessEnd *end);

#endif
