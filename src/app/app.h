/* app/: the commands beside the pipeline. Each returns an exit status; 2 with e set. */
#ifndef UNGIL_APP_H
#define UNGIL_APP_H

#include "pipeline.h"

/* Lists the rules, as text or JSON by the options' format. */
int rules_list(const Options *o, Err *e);

/* Lists the transforms, built in or of --transforms DIR. */
int transforms_list(Arena *a, const Options *o, Err *e);

/* transforms --test: a line for each example of the pages, then the count; 1 when one fails. */
int transforms_test(Arena *a, const Options *o, Err *e);

/* explain RULE and explain TRANSFORM; -1 when the word is neither. */
int explain_word(Arena *a, const Options *o, Err *e);

/* explain FILE:LINE, of a program whose races are found and whose fixes are proved; `all` holds the races that the
 * options leave out, too. */
int explain_line(Arena *a, const Program *p, const SourceList *sources, const NoteVec *notes, const RaceVec *all,
                 const RaceVec *races, const FixList *fixes, Err *e);

/* review: what a change adds, cures and worsens; posts it when asked to. Completes the options from the environment
 * of the CI system and from the configuration in the reviewed commit. */
int review_run(Arena *a, Options *o, Err *e);

/* bench SCRIPT [ARGS...]: the script under two interpreters; 1 when results differ or the GIL came back. */
int bench_run(Arena *a, const Options *o, Err *e);

/* help [COMMAND]. */
int help_out(const Options *o, Err *e);

/* ---- baseline.c ---------------------------------------------------------------------------------------- */

typedef struct BaselineEntry {
    u64 fingerprint;
    Str rule, path, state, text; /* text: the entry as JSON */
    Span span;                   /* of the fingerprint in the file */
    u32 line, column;
} BaselineEntry;

typedef struct Baseline {
    Str path, shown;   /* absolute; as messages name it */
    Source source;     /* its text, with lines */
    Str assume, model; /* under which it was written; empty: not said */
    Vec(BaselineEntry) entries;
    Map index; /* half a fingerprint → its first entry */
} Baseline;

/* Reads the baseline of --baseline; NULL without one. False when it is missing or broken. */
bool baseline_open(Arena *a, const Options *o, const Baseline **out, Err *e);

/* Marks the findings that it lists as known, and so as suppressed. b may be NULL here and below. */
void baseline_mark(const Baseline *b, RaceVec *all);

/* Appends a UG903 for each entry that none of all findings has, in the file `sources->n` (see Results.baseline). */
void baseline_stale(Arena *a, const Baseline *b, const Program *p, const SourceList *sources, const RaceVec *all,
                    RaceVec *out);

/* `ungil baseline`: writes those of all findings that are wanted, and keeps older entries that this run cannot
 * judge. */
int baseline_write(Arena *a, const Options *o, const Program *p, const SourceList *sources, const RaceVec *all,
                   Err *e);

/* ---- burndown.c ---------------------------------------------------------------------------------------- */

/* plan and report with --base: analyses the tree of that commit as well, and counts what went and what came. `now`
 * are the findings of this run that are wanted. */
bool burndown_find(Arena *a, const Options *o, const Baseline *known, const RaceVec *now, Burndown *out, Err *e);

/* ---- rounds.c ------------------------------------------------------------------------------------------ */

/* Adds to r->changes what further runs would change, and to r->later the findings that this fixes; for `commit` also
 * to r->rounds every round. */
void rounds_run(Arena *a, Facts **facts, const Baseline *known, Results *r);

#endif
