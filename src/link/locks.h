/* Shared by locks.c, sections.c and entry.c. */
#ifndef UNGIL_LOCKS_H
#define UNGIL_LOCKS_H

#include "link/link.h"

/* locks.c */
/* The lock with this key, made as `lock` when there is none yet. Keys: map_key(1, place), (2, class) of a queue,
 * (3, 3) a lock that the caller holds, (4, lock) as hoped, (5, class) of the owners of its objects; a hash of the
 * text for what no place holds. */
u32 lock_intern(Program *p, u64 key, Lock lock);
u32 lock_of_place(Program *p, u32 place, u8 kind, bool maybe);
/* The lock that only its text in this file names; one that `func` makes for itself, or NONE. */
u32 lock_by_text(Program *p, u32 file, u32 path, u32 func, bool maybe);
/* The lock as far as the callers in sight hold it. */
u32 lock_hoped(Program *p, u32 lock);
/* The last name of a path that is not an item's; "" when it has none. */
Str last_name(const Facts *f, const Path *x);
/* The set of locks whose sections in this function span the offset. Needs Program.section_lock. */
u32 held_at(Program *p, u32 file, u32 func, u32 offset);

/* sections.c */
enum { SECTION_DEPTH = 3 }; /* how many functions and classes deep a lock is looked for */
/* The lock that a section takes, NONE when it takes none. */
u32 section_lock_of(Program *p, u32 file, u32 section, u32 depth);
/* The lock that the path, which names e in func, is; NONE. */
u32 lock_of_ent(Program *p, u32 file, u32 path, Ent e, u32 func, u32 depth);

/* entry.c: both fill FuncInfo.entry_locks. They need Program.section_lock; decorators come last. */
void entry_locks(Program *p);
/* partlocks.c: the locks under which owners of several classes use a part, each its own. After entry_locks. */
void part_locks(Program *p);
void decorator_locks(Program *p);

#endif
