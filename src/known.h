/* What is known of Python whatever a program says: what its functions, methods and modules do, its keywords, and what
 * words in names say. Part of pipeline.h, which includes it. */
#ifndef UNGIL_KNOWN_H
#define UNGIL_KNOWN_H

#include "base/base.h"

/* ---- what programs call (know/calls.def) ---------------------------------------------------------------- */

typedef enum CalledKind { CALLED_BUILTIN, CALLED_METHOD, CALLED_FUNCTION, CALLED_MODULE } CalledKind;

/* What is known of what has a name. A value that has others in it says that they hold as well. */
enum {
    /* what it does to others */
    AS_QUIET = 1 << 0,    /* runs no code of the program, unless it is given some */
    AS_WALKS = 1 << 1,    /* walks what it is given */
    AS_LAZY = 1 << 2,     /* gives an iterator, and does its work when that is walked */
    AS_COMPARES = 1 << 3, /* compares or formats what it is given */
    AS_CALLS = 1 << 4,    /* calls a function that it is given, before it returns or when its result is walked */
    AS_LOADS = 1 << 5,    /* imports modules or runs text, so that anybody's code may run */
    AS_POOL = 1 << 6,     /* hands work to a pool of threads or processes, and goes on */
    AS_WAITS = 1 << 7,    /* waits for another thread, which may need a lock */
    AS_SLOW = 1 << 8,     /* waits for the network, a process or the clock */
    AS_QUICK = 1 << 9,    /* does not, though its module is slow */
    AS_BY_NAME = 1 << 10, /* a method's name that says the same of a plain function */
    AS_BASE = 1 << 11,    /* its classes run nothing of their own when an object of one derived from them is made */
    AS_WINDOWS = 1 << 12, /* is for programs with windows, whose code one loop runs */
    AS_LOG = 1 << 13,     /* writes to a log */
    AS_CHEAP = 1 << 14,   /* reads or makes something small */
    AS_STEP = 1 << 15,    /* does, on a container */
    /* what it gives */
    AS_GIVES = 1 << 16,                       /* never None */
    AS_TRUE = 1 << 17 | AS_GIVES,             /* nothing that is false, either */
    AS_PURE = 1 << 18,                        /* something made of what it reads, so that twice harms nobody */
    AS_VALUE = 1 << 19 | AS_PURE | AS_GIVES,  /* a number, a text or a tuple of such: of equal ones an equal one */
    AS_SAME = 1 << 20,                        /* the same when it is asked again a moment later */
    AS_COPIES = 1 << 21,                      /* a container with the items, or the keys, of the one it is given */
    AS_VIEW = 1 << 22,                        /* a view of a container, or an iterator over it */
    AS_KEYS = 1 << 23 | AS_VIEW,              /* a view that shows the keys */
    AS_THREAD = 1 << 24 | AS_SAME | AS_CHEAP, /* the thread that asks */
    /* whose method it is, when its name is all that is known */
    AS_PLAIN = 1 << 25,                                           /* of strings and containers, rarely of others */
    AS_TEXT = 1 << 26 | AS_PLAIN | AS_PURE | AS_GIVES | AS_CHEAP, /* of strings, hardly ever of others */
    AS_CONTAINER = 1 << 27 | AS_PLAIN,                            /* of containers, hardly ever of others */
    AS_DEVICE = 1 << 28, /* of what may wait for a device, a pipe or a peer, when it is no file that was opened */
    /* whatever has the name, a function, a class or a method */
    AS_READS = 1 << 29,               /* reads all of a container that it is given, in C */
    AS_KEEPS = 1ull << 31 | AS_READS, /* and keeps all items, or something that is made of them */
    AS_HANDS = 1ull << 32,            /* hands a function to a pool or a loop, which runs it once */
    AS_SETUP = 1ull << 33,            /* sets up a program, a service or an object */
    AS_PROCESS = 1ull << 35,          /* makes a process, which runs a function or the object's run() */
    /* what a module is for */
    AS_CLONES = 1ull << 34 /* copies whole objects, or makes bytes of them */
};

typedef struct CalledRow {
    const char *name;
    u64 as;
    CalledKind kind;
} CalledRow;
extern const CalledRow called_table[]; /* by kind, then by name */
extern const u32 called_count;
/* Is all of that known of the builtin, of methods of that name, of the function with that dotted name? False where
 * nothing is. */
bool known_builtin(Str name, u64 as);
bool known_method(Str name, u64 as);
bool known_function(Str dotted, u64 as);
/* Of the module that has the dotted name, or that it is in? */
bool known_module(Str dotted, u64 as);

/* ---- words (know/words.def) ----------------------------------------------------------------------------- */

/* Is it a keyword of Python, and no value as None is? */
bool python_keyword(Str word);
/* What a word in a function's name may say of the function. */
enum {
    SAYS_ONCE = 1,      /* it begins or ends something, and so runs once for each object */
    SAYS_OFTEN_ONCE = 2 /* the same, unless it is handed something else each time */
};
/* Does a word of the name begin with a stem that says one of these: "start" of start_polling, onStart, _restart? */
bool name_says(Str name, u32 what);
/* What functions end, or wait for the end of, by a word anywhere in their names. */
enum {
    ENDS_THREAD = 1, /* the thread that they are called on, or given */
    ENDS_USE = 2,    /* the use of an object: who asks it for more comes too late */
    ENDS_WORK = 4,   /* the gathering of work: what is added later is lost either way */
    ENDS_OBJECT = 8, /* an object, which others may find ended */
    ENDS_COUNT = 16  /* the time that is counted for */
};
bool name_ends(Str name, u32 what);

#endif
