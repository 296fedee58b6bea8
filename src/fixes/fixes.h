/* fixes/: from races to intents.
 *
 *   page.c     a transform page (transforms/NAME.md) from its text   script.c   its edit script, read and run
 *   example.c  a page's examples, run as tests     import.c   how a file names a library's object
 *   sites.c    files parsed again, regions         judge.c    named judgements: may this be edited?
 *   pickled.c, copyable.c   whose objects are pickled, or may be   classes.c  safety classes and --only
 *   state.c    hooks that say how, and what can be put into them
 *   lock.c     which lock; lockname.c its name     express.c  how a region names the lock
 *   home.c     where a new lock lives              alternatives.c  what else a fix might have been
 *   foreign.c  code that was given from outside
 *   waits.c    what a region waits for; slow.c   what a call does   lockorder.c  may its lock be taken there?
 *   awaited.c  does the lock's holder wait for who comes?   slots.c  are __slots__ walked?
 *   forks.c    does the program fork?             promote.c  a Lock that becomes an RLock
 *   reach.c    what a region may call              guard.c    planner: every write of a place under one lock
 *   comeback.c may what runs under a lock take it again?   others.c   code of others below it
 *   regions.c  its regions: which statements       cover.c    what becomes of them
 *   group.c    which places share a lock
 *   queue.c    planner: poll                       plan.c     fixes_plan: which page for which place
 *   deque.c    planner: a list becomes a deque     uses.c     all that is done with a piece of state
 *   once.c     planner: read once, then test and use      snapshot.c   planner: copy what is walked
 *   fold.c     copies that a lock makes needless          readback.c   what is asked after an update, under its lock
 *   discipline.c   planners about locks: acquire/release to with, a lock made on first use made at once, …
 *   parallel.c   containers that grow and shrink together  paired.c  a key and what came of it
 *   merge.c    critical sections that are joined, or given another lock
 *   counter.c  planner: numbers by itertools.count  publish.c      planner: make outside, enter by setdefault
 *   depth.c      a counter of depth, with its test
 *   ahead.c      the operand of an update, made before the lock is taken
 *   lift.c       one section around an if for one in each branch
 *   ownstack.c   planner: a stack for each thread
 *   perthread.c  planner: defaults of a threading.local in every thread
 *   memo.c     planner: a dictionary of results becomes functools.cache
 *   files.c    planner: files and folders made or removed in one step
 *   claim.c    test and change under the lock, the rest of the branch after it
 *   chain.c    one branch of a long if statement, its test repeated
 *   take.c     planner: an entry is taken once, then tested and used
 *   localsum.c planner: an update in a loop, summed up and added once
 *   ownvalue.c planner: what a call has set for itself is used from a local
 *   missing.c  is there no entry yet?              entries.c  can one be None, or false?
 *   steady.c   what may be evaluated once instead of twice
 *   apart.c    findings of one place, each cured by a page of its own
 *   plain.c    values that are the same whoever makes them
 *   dump.c     the text dump
 *
 * page.h, plan.h and locks.h hold what this header includes for all of them. */
#ifndef UNGIL_FIXES_H
#define UNGIL_FIXES_H

#include "fixes/locks.h"
#include "fixes/page.h"
#include "fixes/plan.h"

/* ---- what a lock makes needless (fold.c) ---- */

/* Drops copies of what is walked in a critical section of the same place; their findings go to the fix with the lock.
 * Once all fixes are planned. */
void fixes_fold(Plan *pl);

/* ---- what else it might have been (alternatives.c) ---- */

/* Remembers what was weighed for the place and not taken, once. */
void alternative_add(Plan *pl, Work *w, Str what, Str why);
/* Gives the fixes their prices and alternatives. */
void alternatives_give(Plan *pl);

/* ---- running ------------------------------------------------------------------------------------------- */

bool script_run(Plan *pl, Work *w, const Page *page);
/* Does the page handle all findings of the work, under the model of the run? */
bool page_fits(const Plan *pl, const Page *page, const Work *w);
/* Makes the page's fix, or takes the work in for a lock. False: it does not apply. */
bool page_run(Plan *pl, Work *w, const Page *page);
/* A fix for each finding of the place, none of which needs a lock. False, and none is made, where one has none. */
bool races_apart(Plan *pl, Work *w);
/* Replaces {name} by captures and imports, and gives later lines the indentation of the line at `at`. */
Fix *fix_add(Plan *pl, const Page *page, Work *w);
void intent_add(Plan *pl, Fix *f, IntentKind kind, u32 file, Span span, Str text, u32 lock);
void fix_caution(Fix *f, u8 safety, Str reason);
/* Has this access the place's value changed? Stores, updates, deletions, methods that change a container. */
bool access_writes(const Program *p, u32 gaccess);
/* Lines of text for a template: its first line as it is, later ones indented as the line of byte `at`. */
Str text_indent(Plan *pl, u32 file, u32 at, Str text);

/* What the name of a place says in one word, as a part of the text: __cache → cache, wrapper.calls → calls,
 * groups[...] → groups, <items> → items, __name__ → name. */
Str state_word(Str state);
/* A name for a local that the function does not use, after the state's: self._conn → conn, conn → conn_SUFFIX. */
bool local_name(Plan *pl, u32 file, u32 func, Str state, Str text, const char *suffix, Str *out);
/* Where the line of a byte starts, and where the next one does. */
u32 line_before(const Source *s, u32 at);
u32 line_after(const Source *s, u32 at);
/* Does the line above hold nothing but a comment, which speaks of what stands at this byte? */
bool comment_above(const Source *s, u32 at);
/* May what stands here run twice: it changes nothing that is shared but the place itself, takes no lock, and calls
 * only what does not either, `depth` functions down. */
bool span_harmless(Plan *pl, u32 file, u32 func, Span span, u32 place, u32 depth);
/* Takes a statement out, with its lines; the only one of a suite leaves a pass. False with a reason. */
bool statement_delete(Plan *pl, Fix *fix, u32 file, u32 func, u32 n, Str *why);
/* Moves the intents of a draft. */
void fix_take(Fix *to, const Fix *from);
/* The region of an access that walks a container: a copy in its place, or one made under the lock before the
 * statement. False when neither can be. */
bool snapshot_region(Plan *pl, Work *w, u32 gaccess, Region *r);
void snapshot_write(Plan *pl, Fix *f, const Region *r, u32 lock);

/* An entry that is tested and used, to be taken once by get(): the statements concerned, in *out. False when it
 * cannot be. */
bool take_region(Plan *pl, const Work *w, const Race *r, Region *out);
bool take_region_write(Plan *pl, Work *w, Fix *f, const Region *r, Str *why);

/* outside.c: does the region change no other shared state, and start no thread or process, so that doing it twice is
 * all the harm there is? r->access: what it changes. */
bool makes_only(Plan *pl, const Region *r);
/* The part of the region that stores the value it has made, to be guarded in its place; what makes the value then
 * runs before the lock is taken. False where that cures less, or something else. */
bool outside_region(Plan *pl, const Work *w, const Region *r, Region *out);
void outside_write(Plan *pl, Fix *f, const Region *r, u32 lock);
/* The beginning of a branch that changes the state, to be guarded with its test, and the rest left outside. */
bool claim_region(Plan *pl, const Work *w, const Region *r, Region *out);
/* The branch of a long if statement that is to run under the lock, its test repeated there (chain.c). */
bool chain_region(Plan *pl, const Work *w, const Region *r, Region *out);
void chain_write(Plan *pl, Fix *f, const Region *r, u32 lock);
/* Extends the region of one step with a container to the same steps with containers that go along with it. */
void parallel_extend(Plan *pl, const Work *w, Region *r);
/* Widens a region over the key of a cache in two variables and the value beside it (paired.c). */
void paired_extend(Plan *pl, const Work *w, Region *r);
/* Widens a region that sets a flag, behind an early return, over the work that others rely on once it is set. */
void claim_extend(Plan *pl, const Work *w, Region *r);
void claim_write(Plan *pl, Fix *f, const Region *r, u32 lock);
/* Guards a region of one update and reads the new value under the lock, for the if statement behind it (readback.c).
 * False, and nothing is written, where the region is of another shape. */
bool readback_write(Plan *pl, Fix *f, const Region *r, u32 lock);
/* The same where the update ends a critical section, which is the region's first statement. */
bool readback_join(Plan *pl, Fix *f, const Region *r);
/* Is the update's value asked for behind the region? Sets r->back where it can be taken under the lock; the region
 * then ends with the update again. Else it reaches to where it is asked for, or r->loose says why not. */
void later_find(Plan *pl, Region *r, Span update, u32 last);
void later_write(Plan *pl, Fix *f, const Region *r);
/* The same for an update in a section of its own, and the read that a finding is about; false: not so. */
bool later_join(Plan *pl, Fix *f, const Region *r);
/* Is what the access stores made there: a call or an expression, no mere flag? */
bool makes_something(const Facts *f, const Access *act);

/* The region holds the lock in sections side by side: they become one. r->lock says how the lock is written. Not
 * where what stands between them waits, is slow, or is code of others. */
bool sections_join(Plan *pl, const Work *w, const Region *r, const LockPlan *l, Fix *fix, Str *why);
/* Sections of the lock further inside the region go into the one that is put round it; false where they cannot, and
 * nothing is written. Those right before and behind it do, too, where they can: the span of all. */
bool sections_absorb(Plan *pl, const Region *r, u32 lock, Fix *fix, Str *why);
Span sections_beside(Plan *pl, const Region *r, Fix *fix);
/* Is one of the region's own statements such a section? Where they cannot become one, an RLock taken once more around
 * them would say nothing but that its author released it between them for a reason. */
bool section_directly(Plan *pl, const Region *r);
/* The region stands under a lock that its function makes: its sections take r->lock instead. */
bool section_relock(Plan *pl, const Region *r, u32 local, Fix *fix, Str *why);

bool plan_snapshot(Plan *pl, Work *w, const Page *page);
bool plan_count(Plan *pl, Work *w, const Page *page);
bool plan_publish(Plan *pl, Work *w, const Page *page);
bool plan_with(Plan *pl, Work *w, const Page *page);
bool plan_swap(Plan *pl, Work *w, const Page *page);
bool plan_eager(Plan *pl, Work *w, const Page *page);
bool plan_reentrant(Plan *pl, Work *w, const Page *page);
bool plan_files(Plan *pl, Work *w, const Page *page);
bool plan_memo(Plan *pl, Work *w, const Page *page);
bool plan_perthread(Plan *pl, Work *w, const Page *page);
/* A free name of the file for the class of what object ("_stack", "self._local") becomes: _Stack, _Local. False when
 * there is none. */
bool perthread_class_name(Plan *pl, u32 file, Str object, Str *out);
/* Adds to the draft the class, derived from base, with the lines of body in its __init__, before the statement.
 * Returns the byte where it goes in. */
u32 perthread_class(Plan *pl, u32 file, u32 stmt, Str name, Str base, Str body, Fix *draft);
/* ownstack.c */
bool plan_own_stack(Plan *pl, Work *w, const Page *page);
/* The place that holds the thread-local object of a UG403 finding; NONE. */
u32 perthread_holder(const Program *p, const Race *r);
/* Why an object of the class may take no lock: it is pickled or copied somewhere; or something goes through its
 * __dict__; empty. hooks: its own __getstate__ and __setstate__ are known to leave the lock alone. */
Str pickled_obstacle(Plan *pl, u32 gclass);
/* May users, whose code is not in sight, copy objects of the class? Perhaps: if that can be done (copyable.c). */
typedef enum Users { USERS_DO_NOT, USERS_PERHAPS, USERS_MAY } Users;
Users users_copy(Plan *pl, u32 gclass);
/* The same of code that is not known, be it in the program or elsewhere. */
Users anybody_copies(Plan *pl, u32 gclass);
/* Does a hook of it nothing but raise, so that nobody copies its objects? Is the base, a path, one of Python's
 * without state and hooks for it: object, Generic, Mapping? */
bool class_refuses_copies(Plan *pl, u32 gclass);
bool base_plain(const Facts *f, u32 path);
Str walked_obstacle(Plan *pl, u32 gclass, bool hooks);
/* Raises or lowers safety as extend-safe-fixes and extend-unsafe-fixes say. */
void fixes_classify(const Options *o, const RaceVec *races, FixList *fixes);
bool plan_guard(Plan *pl, Work *w, const Page *page);
/* Adds to the work the statements that read its place and the other work's, with which it changes. */
void pair_readers(Plan *pl, Work *w, const Work *other);
/* Chooses the locks and makes the fixes of all works that planner guard has collected regions for. */
void guard_finish(Plan *pl);
/* The work's fix under this lock (an index in FixList.locks), or its refusal. */
void work_plan(Plan *pl, Work *w, u32 lock);
bool plan_poll(Plan *pl, Work *w, const Page *page);
bool plan_take(Plan *pl, Work *w, const Page *page);
bool plan_once(Plan *pl, Work *w, const Page *page);
bool plan_deque(Plan *pl, Work *w, const Page *page);
/* localsum.c */
bool plan_sum(Plan *pl, Work *w, const Page *page);
void sum_write(Plan *pl, Fix *f, const Region *r, u32 lock);
/* ownvalue.c */
bool plan_own_value(Plan *pl, Work *w, const Page *page);

#endif
