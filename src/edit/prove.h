/* What the parts of the proof share: verify.c, blame.c, lesson.c. */
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
    LessonVec lessons;
    bool teach;   /* may what is learned be planned anew? */
    bool learned; /* a lesson was added */
} Proof;

/* Declines a fix as a defect of ours, and has everything proved again. */
void proof_drop(Proof *v, u32 fix, Str why);
/* The name of the lock that a fix takes; empty. */
Str fix_lock_name(const Proof *v, const Fix *f);
/* Drops the fixes without which a cycle of locks (UG303, with its order) is not there. False, and nothing is
 * dropped, when no edge of it is made by fixes alone. */
bool blame_cycle(Proof *v, const Program *after, const Race *r, Str why);
/* Remembers the steps of a new finding about the place (of the program before), so that its fix guards them too.
 * False when they are known already, or are none of the program before. */
bool lesson_learn(Proof *v, const Program *after, const Race *r, u32 place);
/* The file's text before and after; NULL when it is not changed. */
const Made *made_of(const Proof *v, u32 file);
/* The offset in the text before of one in the text after; where text was put in, the place where it was. *fix is that
 * of the text put in, or NONE. */
u32 offset_before(const Made *m, u32 after, u32 *fix);

#endif
