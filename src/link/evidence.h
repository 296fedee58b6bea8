/* What guards.c and evidence.c ask of each other: which lock guards a place, and whether it is shared. */
#ifndef UNGIL_LINK_EVIDENCE_H
#define UNGIL_LINK_EVIDENCE_H

#include "link/link.h"

/* guards.c */
/* Is the lock in the place there for one other place only, by its name? */
bool lock_of_one_state(const Program *p, u32 place);
/* Is the lock there for the state? It is when it is held at half of the accesses, or stands beside it and is held at
 * one of five. Below that, code that holds the lock for its own sake comes by: held at 2 of 104. */
bool guarded_on_purpose(const Program *p, const Place *x);
/* evidence.c */
/* Classes that have locks, make threads, hold queues, are kept in globals, or wrap functions. */
void class_evidence(Program *p);
/* `of_class`: the evidence of each class, once it was asked for; NONE before. */
u32 place_evidence(const Program *p, const Place *x, u32 *of_class);

#endif
