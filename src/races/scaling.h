/* What the rules on scaling, UG601 to UG603, ask in common (scaling.c). They are advice, and report only what is
 * plain: a finding that costs its reader a minute must be worth one. */
#ifndef UNGIL_RACES_SCALING_H
#define UNGIL_RACES_SCALING_H

#include "races/races.h"

/* The path of what the method is called on, an id of the file; NONE for what is no method call. Its type. */
u32 call_receiver(const Facts *x, const Call *c);
u8 receiver_type(const Program *p, u32 file, const Call *c);
/* Does the call cost about as little as taking a lock: len(x), rows.append(x), text.split()? A method whose receiver
 * may be a queue, a file or an object of the program does not. */
bool call_is_cheap(const Program *p, u32 file, u32 call);
/* Is the lock of the section one thing that keeps all others out: no semaphore, no lock of many under keys, none that
 * only sounds like one, none of this call? */
bool section_excludes(const Program *p, u32 file, u32 section);
/* Is what the section takes the own lock of an object that each such thread has for itself? */
bool lock_of_thread(const Program *p, u32 file, u32 section, const Root *r);
/* Is it a thread in sight of which several run at once, no loop, and none whose starter waits for each? */
bool root_runs_many(const Root *r);
/* Is the file one of tests or examples, which share and wait on purpose, or a copy of what others maintain? */
bool scaling_skips(const Program *p, u32 file);

#endif
