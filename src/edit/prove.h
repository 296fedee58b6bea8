/* What the parts of the proof share: verify.c and blame.c. */
#ifndef UNGIL_EDIT_PROVE_H
#define UNGIL_EDIT_PROVE_H

#include "edit/edit.h"

typedef struct Proof {
    Arena *a;
    const Program *p;
    const PageList *pages;
    const RaceVec *races;
    FixList *fixes;
    const Wanted *w;
    MadeVec made;
    Str *proved; /* by file: the new text that was proved last, and its facts */
    Facts **proved_facts;
    bool failed; /* some fix was dropped: once more */
} Proof;

/* Declines a fix as a defect of ours, and has everything proved again. */
void proof_drop(Proof *v, u32 fix, Str why);
/* The name of the lock that a fix takes; empty. */
Str fix_lock_name(const Proof *v, const Fix *f);
/* Drops the fixes without which a cycle of locks (UG303, with its order) is not there. False, and nothing is dropped,
 * when no edge of it is made by fixes alone. */
bool blame_cycle(Proof *v, const Program *after, const Race *r, Str why);

#endif
