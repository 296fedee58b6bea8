/* ready/: is what a project depends on ready for free-threaded Python? Declarations, locks and installed packages are
 * read to Deps; the table know/compat.tsv, wheel names and the extension files themselves say what is known of each.
 * Nothing is run or imported, and nothing is fetched. Private to this folder, but for what pipeline.h declares.
 *
 *   files_find → read → Deps → judge → Races (UG501, UG502) → report */
#ifndef UNGIL_READY_H
#define UNGIL_READY_H

#include "pipeline.h"

/* ---- the table (compat.c) ------------------------------------------------------------------------------ */

typedef enum CompatStatus { COMPAT_FULL, COMPAT_PARTIAL, COMPAT_NONE, COMPAT_NIGHTLY, COMPAT_PURE } CompatStatus;
/* One row; the head of the file tells what the columns mean. Slices of the embedded text. */
typedef struct Compat {
    Str package, imports, first, gil_on, notes, source, as_of;
    u8 status; /* CompatStatus */
} Compat;
typedef struct CompatTable {
    Intern names; /* id = index in rows */
    Vec(Compat) rows;
} CompatTable;
/* An embedded file by its name. */
Str data_file_text(const char *name);
/* Reads the embedded table. A row that is wrong is a bug of ours and ends the program. */
void compat_load(Arena *a, CompatTable *t);
/* The row of a package, by its normal name; NULL. */
const Compat *compat_find(const CompatTable *t, Str package);

/* ---- extension files (elf.c) --------------------------------------------------------------------------- */

typedef enum Declared {
    DECLARED_UNKNOWN, /* cannot tell */
    DECLARED_YES,     /* it says that it runs without the GIL */
    DECLARED_NO,      /* it has a table of slots that does not say so */
    DECLARED_NOTHING  /* it is no extension module */
} Declared;
/* What an extension file says of the GIL, read from its bytes (64-bit little-endian ELF). *why gets a clause for the
 * reader. Never fails: damaged files are DECLARED_UNKNOWN. */
Declared extension_declares(Arena *scratch, Str bytes, const char **why);

/* ---- dependencies -------------------------------------------------------------------------------------- */

typedef enum DepKind {
    DEP_DECLARED,   /* a requirement: pyproject.toml, setup.cfg, setup.py, requirements files */
    DEP_CONSTRAINT, /* a line of a constraints file */
    DEP_LOCKED,     /* a lock file */
    DEP_INSTALLED   /* a *.dist-info directory */
} DepKind;

typedef struct Extension {
    Str path;    /* as RECORD names it */
    u8 declared; /* Declared */
    bool stable; /* .abi3.so */
    const char *why;
    u32 file, line; /* the row of RECORD, from 1 */
} Extension;

typedef struct Dep {
    u8 kind;     /* DepKind */
    Str name;    /* in its normal form */
    Str shown;   /* as written */
    Str version; /* the one version; empty when there are several or none is told */
    Str spec;    /* PEP 440; empty: any */
    u32 file;    /* id of the source that says so */
    u32 line;
    Span span;
    bool other_source;   /* from git, a URL or a directory: the index and the table say nothing about it */
    StrVec wheels;       /* file names that the lock lists */
    bool sdist;          /* and a source distribution */
    StrVec tags;         /* of an installed package: lines of WHEEL */
    Str classifier;      /* "3 - Stable" of its METADATA; "yes" for the bare one; empty */
    u32 classifier_line; /* its line, from 1 */
    int python;          /* minor version that lib/python3.Nt says, where it is a free-threaded one; 0 */
    Vec(Extension) extensions;
    StrVec imports; /* what it installs to be imported, by RECORD */
    bool covered;   /* a lock file in its directory names the package */
} Dep;
typedef Vec(Dep) DepVec;

/* What is gathered while files are read. */
/* A file that -c names. */
typedef struct Constraints {
    const Source *by; /* the file that names it, and where */
    u32 line;
    Str name;
} Constraints;

typedef struct Gather {
    Arena *a;
    const Options *o;
    Vec(Source *) sources; /* in the order in which they were read */
    Intern paths;          /* absolute paths of files that were read or tried: id = index in ids */
    Vec(u32) ids;          /* their sources, NONE */
    DepVec deps;
    NoteVec *notes;
    u32 depth; /* of files that include each other */
    Vec(Constraints) constraints; /* read last: what is required as well is no mere constraint */
} Gather;

enum { READY_FILE_MAX = 32 << 20 }; /* larger files are noted and left out */

/* ---- reading (gather.c, lock.c, requirements.c, project.c, installed.c) --------------------------------- */

/* Finds and reads the files under the options' PATHs. Dependencies are sorted by name and place, sources by path. */
bool gather_paths(Gather *g, Err *e);
/* Reads one file, by the kind that its name tells, and what it includes. */
void gather_file(Gather *g, Str abs);
/* Is it a file that gather_file reads when it comes across one? */
bool ready_file(Str dir, Str name);
/* The source of an absolute path, read once; NULL, with a note, when it cannot be read. *fresh tells whether this
 * call read it. */
Source *gather_source(Gather *g, Str abs, bool *fresh);
/* A note about a line of a source; line 0: all of it. */
void gather_note(Gather *g, const Source *s, u32 line, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* A new dependency at a line, its span the name on it; `name` as written. */
Dep *dep_add(Gather *g, DepKind kind, const Source *s, u32 line, Str name);
/* One requirement (PEP 508) of a file; a note when it cannot be read. */
void requirement_add(Gather *g, DepKind kind, const Source *s, u32 line, Str text);

void lock_read(Gather *g, const Source *s);         /* uv.lock, poetry.lock, pdm.lock, pylock.toml */
void pipfile_lock_read(Gather *g, const Source *s); /* Pipfile.lock */
void requirements_read(Gather *g, const Source *s, DepKind kind);
/* Reads the files that -c has named so far and nobody else has read. */
void constraints_read(Gather *g);
void pyproject_read(Gather *g, const Source *s);
void setup_cfg_read(Gather *g, const Source *s);
void setup_py_read(Gather *g, const Source *s);
/* `s` is the METADATA of a *.dist-info directory. */
void installed_read(Gather *g, const Source *s);

/* ---- judging (judge.c, imports.c) ------------------------------------------------------------------------ */

/* One of the three questions about a package: the answer in a word, why, and where that is written. */
typedef struct Fact {
    const char *answer;
    Str reason, evidence;
} Fact;
typedef struct ImportLine {
    Str path;
    u32 line;
    Str module;
} ImportLine;
typedef struct PackageVerdict {
    Fact installs;     /* yes, pure, source, no, unknown */
    Fact gil;          /* off, on, unknown */
    Fact safe;         /* supported, unknown */
    const Compat *row; /* NULL */
    Str imports;       /* names, separated by commas */
    Vec(ImportLine) lines;
} PackageVerdict;

/* Judges each dependency: verdicts[i] is that of deps.v[i]; findings are appended to `out`, sorted by place. */
void deps_judge(Gather *g, const CompatTable *t, PackageVerdict *verdicts, RaceVec *out);
/* Adds to the verdicts of what turns the GIL on the lines of the project that import it. */
void imports_find(Gather *g, PackageVerdict *verdicts);

/* The first extension of an installed package that turns the GIL on, or that its Python must not load; NULL. */
const Extension *extension_accused(const Dep *d);
/* Marks the findings that a comment on their line, or alone on the line above, silences. */
void findings_suppress(const Gather *g, RaceVec *all);

/* ---- report.c -------------------------------------------------------------------------------------------- */

/* Writes table, findings and notes in the chosen format. Returns the exit status. */
int deps_report(Gather *g, const PackageVerdict *verdicts, const Results *r, Err *e);

#endif
