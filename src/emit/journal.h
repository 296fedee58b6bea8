/* The journal of what was written, and taking single fixes back. Private to emit/.
 *
 * It lies in ungil/ inside the git directory, or, outside of git, in the cache, by the root: never among the user's
 * files. `journal.jsonl` has one JSON object a line and is only ever appended to: a fix that was written, or one that
 * was taken back. `texts/HASH` are the files as they were after a round of fixes, which a three-way merge needs. All
 * of it may be deleted; what is gone can no longer be taken back. docs/usage.md describes the lines. */
#ifndef UNGIL_EMIT_JOURNAL_H
#define UNGIL_EMIT_JOURNAL_H

#include "emit/emit.h"

/* Where the journal is, and where its paths start. */
typedef struct Journal {
    Str dir;    /* empty: there is none, for want of a repository and of a cache */
    Str top;    /* the top of the work tree, or the root; ends in '/' */
    Str prefix; /* of the root's files below top: empty, or ends in '/' */
} Journal;
void journal_find(Arena *a, const Options *o, Journal *out);
/* Paths of the list and of a kept text, for the system. */
const char *journal_list_path(Arena *a, const Journal *j);
const char *journal_text_path(Arena *a, const Journal *j, Str hash);
/* Appends whole lines, making the directory when it is not there. */
bool journal_append(Arena *a, const Journal *j, Str lines, Err *e);
/* The time now, as the journal writes it: 2026-01-31T12:00:00Z. */
Str journal_time(Arena *a);

/* How often a word stands in a text, in comments and strings too. */
u32 word_count(Str text, Str word);
/* What leads from base to theirs, done to ours, by libgit2. False when both sides change the same lines. */
bool texts_merge(Arena *a, Str base, Str ours, Str theirs, Str *out);

/* What a person made of a fix in the editor. */
typedef struct Edited {
    u32 fix, file;
    Str text;          /* as it came back */
    Str before, after; /* the file that is written, without it and with it */
} Edited;
typedef Vec(Edited) EditedVec;

/* The answers to `fix --interactive`. */
typedef struct Asked {
    IdVec accepted;
    ChangeVec made; /* by the accepted ones alone */
    EditedVec edited;
    IdVec proved; /* of the edited ones: the finding is gone */
} Asked;
/* Asks about each fix; `changes` is what the accepted and the edited ones make together. */
bool fixes_ask(Arena *a, const Results *r, Asked *out, ChangeVec *changes, Err *e);

/* What `fix` or `commit` wrote. */
typedef struct Written {
    const Results *all;      /* with its rounds */
    const ChangeVec *failed; /* files that could not be written; NULL: none */
    const Asked *asked;      /* of --interactive; NULL: all that the rounds make */
} Written;
/* Adds each fix to the journal. What goes wrong is said on standard error; the fixes stay. */
void journal_write(Arena *a, const Written *w);

#endif
