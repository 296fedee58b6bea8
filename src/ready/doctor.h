/* `ungil doctor`: what an interpreter says of itself. Private to doctor.c, ask.c and diagnosis.c. */
#ifndef UNGIL_READY_DOCTOR_H
#define UNGIL_READY_DOCTOR_H

#include "pipeline.h"

/* The answer to one question to an interpreter. */
typedef struct Answer {
    bool answered;
    Str problem; /* why not: a clause */
    Str version, implementation, executable, abiflags;
    int minor;  /* 14 of 3.14; 0 of Python 2 */
    bool build; /* Py_GIL_DISABLED == 1: it can run without the GIL */
    bool gil;   /* it is on */
    int flag;   /* sys.flags.gil, what -X gil or PYTHON_GIL asked for: 0, 1; -1 neither, or not known */
    StrVec extensions, directories; /* foreign modules loaded at the start; where packages are installed */
} Answer;

/* What became of `import NAME` in a process of its own, without PYTHON_GIL. */
typedef struct ImportTrial {
    Str name;
    bool answered;
    Str problem;        /* why not, or the exception */
    bool before, after; /* is the GIL on? */
    Str culprit;        /* the module that Python's warning names */
} ImportTrial;

/* How PYTHON is asked. */
typedef struct Question {
    const char *python;
    u32 seconds;
    bool unset;   /* without PYTHON_GIL */
    bool no_site; /* with -S: no site-packages, no .pth files */
} Question;
/* Asks the interpreter what it is. False with e set only when it cannot be started. */
bool interpreter_ask(Arena *a, const Question *q, Answer *out, Err *e);
/* The same for an import, which runs the module's code. */
bool import_try(Arena *a, const Question *q, Str name, ImportTrial *out, Err *e);

/* What is installed beside the interpreter, by its files. */
typedef struct Installed {
    u32 packages, with_extensions, declared, unknown;
    StrVec accused; /* "NAME (FILE)" of extensions that do not declare themselves */
} Installed;

typedef struct Diagnosis {
    const char *python;
    const char *variable; /* PYTHON_GIL of the environment; NULL */
    Answer here;          /* as it runs here */
    Answer plain;         /* without PYTHON_GIL; the same where that is not set */
    Str cause;            /* what turned the GIL on, a clause; empty */
    Installed installed;
    Vec(ImportTrial) imports;
} Diagnosis;

/* Is all well: free-threaded, the GIL off, and still off after each import? */
bool diagnosis_well(const Diagnosis *d);
void diagnosis_text(Arena *a, Buf *out, const Options *o, const Diagnosis *d);
void diagnosis_json(Arena *a, Buf *out, const Diagnosis *d);

#endif
