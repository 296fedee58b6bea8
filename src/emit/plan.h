/* The migration plan: what `ungil plan` and `ungil report` share. Private to emit/. */
#ifndef UNGIL_EMIT_PLAN_H
#define UNGIL_EMIT_PLAN_H

#include "emit/emit.h"

/* In the order in which they should be done. */
typedef enum PlanPhase { PHASE_SAFE, PHASE_DECIDE, PHASE_HAND, PHASE_ADVICE, PHASES } PlanPhase;
typedef struct PhaseRow {
    const char *key, *title, *what;
} PhaseRow;
extern const PhaseRow phase_table[PHASES];

/* One line to tick off: the safe fixes of a file; a lock or a rewrite to look at; what is left in a file. */
typedef struct PlanStep {
    u8 phase;
    u32 file;      /* that it belongs to */
    IdVec fixes;   /* in FixList; none in the last two phases */
    IdVec races;   /* findings that it removes or is about */
    DiffSize size; /* of the diff of these fixes alone */
    Str files;     /* that it changes, separated by ", " */
    Str owners;    /* of these files; empty when there is no CODEOWNERS or nobody owns them */
    Str command;   /* that does it; empty in the last two phases */
} PlanStep;
typedef Vec(PlanStep) StepVec;

typedef struct MigrationPlan {
    StepVec steps;     /* in their order */
    FileLevel *levels; /* by file */
    u32 first[PHASES + 1];
    u32 findings[PHASES];
    bool has_owners;
} MigrationPlan;

/* Makes the plan of results whose fixes, safe and unsafe, are proved. */
bool plan_make(Arena *a, const Results *r, MigrationPlan *out, Err *e);
/* What a step does, in words: "Guard app.stats.counter and 2 more with app.stats._lock". */
Str step_title(Arena *a, const Results *r, const PlanStep *s);
/* Why a finding is not fixed. */
Str race_left(const Results *r, const Race *race);
/* Threads in sight: the display names of roots, each once, sorted. */
void roots_named(Arena *a, const Program *p, StrVec *out);

/* "12 findings, 3 fewer than at v1.0" */
Str plan_badge(Arena *a, const Results *r);

#endif
