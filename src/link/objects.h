/* What together.c asks of objects.c: whether two accesses are of one object. */
#ifndef UNGIL_LINK_OBJECTS_H
#define UNGIL_LINK_OBJECTS_H

#include "link/link.h"

/* The place's object belongs to one thread of this root: self of a Thread subclass, of a request handler, of a task
 * that starts itself again, or a part that such an object makes for itself. */
bool root_owns_object(const Program *p, const Root *r, u32 place);
/* Does the function stand in the other one? */
bool func_stands_in(const Program *p, u32 inner, u32 outer);
/* Do all threads that come here have made the captured variable themselves, by a call of its function? A thread that
 * runs an inner function, or does not come to the outer one, has that of somebody else; unless the variable was
 * handed on as an argument: then what it has is another object. `threads`: both sides of the race run in threads. */
bool variable_own_to_threads(const Program *p, const Place *x, u32 gfunc, bool threads);
/* Is no object of both classes: neither derives from the other, and no class from both? */
bool classes_unrelated(const Program *p, u32 a, u32 b);
/* Is self in one method never the self of the other? So it is in two classes that share a base and no subclass, as a
 * client for threads and one for coroutines. */
bool accesses_of_siblings(const Program *p, u32 owner, GId a, const Access *xa, GId b, const Access *xb);
/* Two starts of one function run in different threads, but with one object each when it is its own; so do the
 * run() methods of two subclasses, where both come by self: Reader.run and Writer.run use self.lines of their base
 * class, and no object is both. */
bool roots_own_objects(const Program *p, const Root *r, const Root *other, u32 place);
/* Thread(target=self.run): is it state of the object whose method the thread runs, and which each such thread has for
 * itself? */
bool place_of_starter(const Program *p, const Root *r, const Place *x);
/* Is it state of the function's own self, or of a part that self has made, and not of an object that self was given:
 * self.stats.n of Job(stats)? */
bool access_of_self_alone(const Program *p, u32 file, const Access *a, u32 owner);
/* w = Worker(); w.start(); w.n += 1 is beside the worker's own thread, and nobody else. */
bool accesses_of_started(const Program *p, u32 ga, u32 gb, const Place *x);

#endif
