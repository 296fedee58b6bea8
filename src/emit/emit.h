/* emit/: results to the outside world, one file per output. Private to this folder. */
#ifndef UNGIL_EMIT_H
#define UNGIL_EMIT_H

#include "pipeline.h"

#include <signal.h>

typedef Vec(u32) IdVec;

/* One output format. */
typedef struct Writer {
    void (*write)(Buf *out, const Results *r);
    bool summary; /* summary and notes follow on the same stream */
} Writer;
extern const Writer writer_table[FMT_COUNT];

/* The notes, a line each. */
void notes_put(Buf *out, const Results *r);

void text_write(Buf *out, const Results *r);
void concise_write(Buf *out, const Results *r);
void json_write(Buf *out, const Results *r);
void jsonl_write(Buf *out, const Results *r);
void sarif_write(Buf *out, const Results *r);
void rdjson_write(Buf *out, const Results *r);
void github_write(Buf *out, const Results *r);
void gitlab_write(Buf *out, const Results *r);
void junit_write(Buf *out, const Results *r);
void markdown_write(Buf *out, const Results *r);
void html_write(Buf *out, const Results *r);

/* Appends the Markdown page to the summary of a GitHub Actions step (GITHUB_STEP_SUMMARY). */
bool step_summary_append(const Results *r, Err *e);

/* ---- Markdown (markdown.c) ---- */

/* Plain text: nothing in it is markup, and it stays in its cell. */
void markdown_plain(Buf *out, Str s);
/* A code span: more backticks than the text has in a row. In a table a bar must be escaped even there. */
void markdown_code(Buf *out, Str s, bool table);

/* ---- looking at results (view.c) ---- */

typedef struct Counts {
    u32 findings, high, medium, low; /* what is shown, suppressed ones left out */
    u32 known;                       /* listed in the baseline */
    u32 serious;                     /* those that make the exit status 1 */
    u32 files;                       /* with findings */
    u32 fixable;                     /* by `ungil fix` with the options given */
    u32 unsafe;                      /* further ones with --unsafe-fixes */
    u64 lines, bytes;                /* analysed */
} Counts;
Counts results_count(const Results *r);
/* How often each kind of thing could not be seen, files left out included. */
void results_unseen(const Results *r, u32 out[UNSEEN_COUNT]);
/* The fix of a finding, or NULL. */
const Fix *race_fix(const Results *r, const Race *race);
/* Will `fix` with the options given write it? */
bool fix_writes(const Results *r, const Fix *f);
const Source *file_source(const Results *r, u32 file);
/* "read", "write", "update", "test", "iterate", "call". */
const char *access_word(const Access *x);
const LockSet *access_lockset(const Results *r, u32 gaccess);
/* Who runs an access: names of thread roots, of the library's callers and of the main program. Returns how many. */
enum { SITE_ROOTS = FUNC_ROOTS + 2 };
u32 site_roots(const Results *r, u32 gaccess, Str out[SITE_ROOTS]);
/* Are two accesses the same place in the text? */
bool same_site(const Results *r, u32 g1, u32 g2);
/* Exit status of a command that found `findings` or made `changes`. */
int exit_status(const Results *r, bool something);
/* What no commit may tear apart: a lock with everything that it guards, or one fix that needs no lock (groups.c). */
typedef struct Decision {
    IdVec fixes; /* in FixList */
} Decision;
typedef Vec(Decision) DecisionVec;
/* The decisions of all fixes that the options, or else --unsafe-fixes, would write. */
void decisions_make(Arena *a, const Results *r, bool unsafe, DecisionVec *out);
/* The file that a decision belongs to: where its lock is defined, or else that of its first edit. */
u32 decision_file(const Results *r, const Decision *d);
/* The edits of one fix alone, complete with its imports and lock definitions. */
void fix_changes(Arena *a, const Results *r, u32 fix, ChangeVec *out);

/* "hash:count" for each line of a text, as GitHub computes primaryLocationLineHash (linehash.c). */
Str *line_hashes(Arena *a, Str text);

/* ---- source frames (frame.c) ---- */

typedef enum Color { COLOR_NONE, COLOR_RED, COLOR_YELLOW, COLOR_BLUE, COLOR_CYAN, COLOR_GREEN, COLOR_BOLD } Color;
void color_put(Buf *out, bool on, Color c, Str text);
/* The line of a source with line number and underline, two or three rows. */
void frame_put(Buf *out, bool colored, const Source *s, Span span, Color c);
/* Text of one line for a terminal: control characters, ends of lines too, and what is not UTF-8 made visible. */
void safe_put(Buf *out, Str text);

/* ---- git and files ---- */

/* Path of a file of ours inside its repository: prefix + path. Empty prefix when the root is the top, or outside git.
 */
Str repo_prefix(Arena *a, Str root);
/* Appends the unified diff of one change; `from` and `to` are the texts. */
bool diff_put(Arena *a, Buf *out, const Source *s, Str prefix, Str from, Str to, Err *e);
/* How large the diff between two texts is, with three lines of context. */
typedef struct DiffSize {
    u32 files, hunks, added, removed; /* added, removed: lines */
} DiffSize;
/* Adds the size of one change to it. */
bool diff_measure(const Change *c, DiffSize *size, Err *e);
/* A file of the user and the text that is to take the place of what it holds (replace.c). */
typedef struct Replacement {
    Str path; /* as messages call it */
    const char *abs;
    Str before, after; /* before.p is NULL when there is no such file yet */
} Replacement;
/* Does the file still hold what was analysed? */
bool file_unchanged(const Replacement *r, Err *e);
/* May it be written? */
bool file_writable(const Replacement *r, Err *e);
/* Replaces all n files, or none: then v[*failed] is the one that stands in the way, and *e says why. */
bool files_replace(const Replacement *v, u32 n, u32 *failed, Err *e);
/* Takes back what files_replace did, for when something that belongs to it fails later. */
void files_put_back(const Replacement *v, u32 n);
/* What would end the program waits from here, so that nothing stays half-done; until signals_let. */
void signals_hold(sigset_t *before);
void signals_let(const sigset_t *before);
/* The lines that tell what was not fixed and why. */
void left_put(Buf *out, const Results *r);

#endif
