/* Judgements of regions, and locks: which one, where it lives, how it is named, what may come back to it. Part of
 * fixes.h, which includes it. */
#ifndef UNGIL_FIXES_LOCKS_H
#define UNGIL_FIXES_LOCKS_H

#include "fixes/plan.h"

/* ---- judgements ---------------------------------------------------------------------------------------- */

typedef enum Verdict { VERDICT_OK, VERDICT_UNSAFE, VERDICT_DECLINE } Verdict;
typedef struct Judgement {
    const char *name;
    const char *line;
    Verdict (*judge)(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why);
} Judgement;
extern const Judgement judgement_table[];
extern const u32 judgement_count;
const Judgement *judgement_find(Str name);
/* Is the state what an object holds whose class derives from a container, self[key]? */
bool items_of_object(const Plan *pl, const Work *w);
/* The judgement no-blocking-inside (waits.c). */
Verdict no_blocking(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why);
/* Is a function among the call's arguments (slow.c)? */
bool hands_over(const Plan *pl, u32 file, const Call *c);
/* Does the call wait for another thread (slow.c)? */
bool call_waits(Plan *pl, u32 file, u32 call);
/* Does it take long: does it wait for the network, a process, a device or the clock (slow.c)? */
bool call_slow(Plan *pl, u32 file, u32 call);
/* Is it a sleep? */
bool call_sleeps(const Facts *f, const Call *c);
/* Is False passed by this keyword, or at this position: shutdown(wait=False)? */
bool call_told_not(const Facts *f, const Call *c, const char *keyword, u32 position);
/* Type of the object that a with statement enters. */
Type section_type(const Plan *pl, u32 file, const Section *s);
/* The judgement holder-not-waiting (awaited.c). */
Verdict holder_waits(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why);
/* Does the call run code that was given to the program: a parameter, a callback, an iterator from outside
 * (foreign.c)? below: further down than the region itself. */
bool foreign_call(Plan *pl, u32 file, u32 call, bool below);
/* Does the name say that there is code of others: error_callback, _hooks? */
bool named_for_code(Str name);
/* What the call calls, as it is written. */
Str callee_text(Plan *pl, u32 file, u32 call);
/* What is assigned to a place: from … to - 1 in pl->defs. */
void place_defs(Plan *pl, u32 place, u32 *from, u32 *to);
/* The judgement no-import-inside (imported.c). */
Verdict no_import(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why);
/* Is the lock released soon wherever it is held: no call there waits or is slow, as far as calls are certain? */
bool lock_quiet(Plan *pl, u32 lock);
/* Finds out whether the lock of pl->group, which has this plan, may be taken where its regions are without a cycle
 * among locks (lockorder.c). */
void order_ask(Plan *pl, u32 plan);
/* All of the page's judgements and those that every lock needs; the worst verdict and its reason. */
Verdict judge_region(Plan *pl, const Page *page, const Work *w, const Region *r, const LockPlan *lock, Str *why);

/* ---- locks and calls ----------------------------------------------------------------------------------- */

/* The lock that a finding of the work names; NONE. */
u32 race_lock(const Plan *pl, const Work *w);
/* Chooses a lock for works that share one: an index in FixList.locks, or NONE with a reason. */
u32 lock_choose(Plan *pl, Work **works, u32 n, Str *why);
/* Once the sections of the lock of this plan are what they will be: a new lock is reentrant only where one of them
 * may come back to it. */
void lock_settle(Plan *pl, u32 plan, Work **works, u32 n);
/* A name for the new lock of this plan, of the state or, where several places share it, of none (lockname.c). */
Str lock_new_name(Plan *pl, const LockPlan *l, Str state, bool several);
/* Where the new lock for a place lives: its file, owner, kind and home. False with a reason. */
bool lock_home(Plan *pl, const Place *p, LockPlan *l, Str *why);
/* The last name of a class's __slots__, when they are a tuple or list of strings to which one can be added; NONE. Why
 * none can be added that is no data; empty (slots.c). */
u32 ast_slots(const Ast *t, u32 class_node);
Str slots_obstacle(Plan *pl, u32 gclass);
/* The hooks by which a class says how its objects are pickled and copied; nodes, NONE: it has none. */
typedef struct StateHooks {
    u32 get, set;
    u32 copy;    /* statement of `get` that copies the object's __dict__; NONE: it names what it returns */
    Str copied;  /* the variable with the copy */
    u32 first;   /* statement of `set`: the lock is made before it */
    bool stored; /* or after it, since it puts the whole state into __dict__ */
    Str self;    /* first parameter of `set` */
} StateHooks;
/* Fills *out for a class definition. False when they are not such that a lock can be left out and made anew
 * (state.c); a hook that the class has not can be added. Texts live as long as the arena and the source. */
bool state_hooks(Arena *a, const Facts *f, const Ast *t, u32 class_node, StateHooks *out);
/* The judgement not-around-fork (forks.c). */
Verdict not_around_fork(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why);
/* Sees to a new lock for these works that lives as long as the program, where that forks: l->fork_hook and reason. */
void forks_mind(Plan *pl, Work **works, u32 n, LockPlan *l);
/* Are all sections of the works such that they end by themselves: no other lock is taken, nothing called that waits
 * or that is not known (judge.c)? */
bool works_end_soon(Plan *pl, Work **works, u32 n);
/* Fills derived_first and derived. */
void derived_index(Plan *pl);
/* Why an object of a class in this file should get no attribute that cannot be pickled or copied; empty. */
Str import_obstacle(Plan *pl, u32 file);
/* Is the lock (an index in FixList.locks) there for other things than the work's state, while a region of the work
 * runs code of others? */
bool lock_stranger(Plan *pl, const Work *w, u32 plan);
/* May the lock that the program has be None (absent.c)? */
bool lock_absent(const Plan *pl, u32 lock);
/* Is the region run under the lock as it is, in one piece, so that nothing is taken there? */
bool region_guarded(const Plan *pl, const Region *r, const LockPlan *l);
/* Makes an existing Lock (an index in FixList.locks) an RLock, where the works' regions need that, or may, and
 * nothing speaks against it. */
bool lock_promote(Plan *pl, u32 plan, Work **works, u32 n, bool may);
/* Leaves it the Lock that it is when no fix has come of that. */
void promotion_settle(Plan *pl, u32 plan);
/* The change of the line that makes the lock of a plan that lock_promote has changed. */
void promotion_write(Plan *pl, Fix *f, u32 lock);
/* Writes the lock as the region names it ("self._n_lock") to r->lock; an import it needs becomes an intent
 * of the fix. False with a reason. */
bool lock_expression(Plan *pl, u32 lock, const Work *w, Region *r, Fix *fix, Str *why);
/* Is the region inside the function, so that it sees its variables? */
bool encloses(const Plan *pl, u32 gfunc, const Region *r);

/* May the function run in __del__, a weakref callback or a signal handler, and so in the middle of anything
 * else? FINAL_DIRECT: it is one, or is called by one; FINAL_REACHED: by a longer way. */
enum { FINAL_NO, FINAL_REACHED, FINAL_DIRECT };
/* Is the region in a finalizer only about the object that is being finalized, and the state its own? Nobody else has
 * the object any more, so nobody holds its lock. */
bool final_own(const Plan *pl, const Work *w, const Region *r);
/* Prepares the tables for the questions below. */
void reach_init(Plan *pl);
/* A mark of its own for the functions that take any lock themselves; for those that take this one. */
u32 mark_lockers(Plan *pl);
u32 mark_takers(Plan *pl, u32 lock);
/* A mark for the functions that change the place (ahead.c). */
u32 mark_changers(Plan *pl, u32 place);
typedef enum Reach { REACH_NO, REACH_UNKNOWN, REACH_YES } Reach;
/* May code in this span of a function call, directly or not, a function marked `mark`, or code nobody here
 * knows? */
Reach reach_from(Plan *pl, u32 file, u32 func, Span span, u32 mark);
/* May what runs in this span come to a function marked `mark`, or is there anything in it, or further down, of which
 * that is not known (comeback.c)? */
bool comes_back_maybe(Plan *pl, u32 file, u32 func, Span span, u32 mark);
/* Is all that this span of a function calls known, and all that is called there, down to libraries? */
bool reach_all_known(Plan *pl, u32 file, u32 func, Span span);
/* The same for one function at a time: start gives how many functions may be looked at, and forgets which were. What
 * its calls may do that is not known does not count. */
u32 reach_start(Plan *pl);
bool reach_function(Plan *pl, u32 g, u32 mark, u32 *left);
/* How many functions are looked at to know what runs, at most. */
enum { KNOWN_LIMIT = 100 };
/* Is it of a type whose methods call nothing of the program back? */
bool type_is_plain(Type t);
/* Does what the edge stands for, a call or what syntax calls, stand in this span of the caller? */
bool edge_within(const Program *p, const CallEdge *e, Span span);
/* Does the path start at the result of a library's function, `depth` calls on at most:
 * Path(x).read_text().split()? */
bool path_from_library(const Plan *pl, u32 file, const Path *p, u32 depth);
/* others.c: may code in this span of a function, directly or further down, call what somebody has passed in or
 * stored: code of anybody, which may come back to any function that can be called from outside? */
bool reach_open(Plan *pl, u32 file, u32 func, Span span);
/* Does a region call what is not known, near or far? */
bool runs_unknown(Plan *pl, const Region *r);
/* Where a section of the lock does, and the function is one that such code may come to: users of the program can call
 * it, or a method of that name leads to it; empty. */
Str lock_open(Plan *pl, u32 lock, u32 gfunc);
/* Does the call import a module or run text, and so code of anybody? */
bool runs_any_code(const Plan *pl, u32 file, const Call *c);
/* Does the function itself take the lock inside this span? */
bool takes_directly(const Plan *pl, u32 file, u32 func, Span span, u32 lock);
/* May a caller of the function, near or far, hold the lock while calling? weak: count calls by method name
 * too. */
bool reach_holding(Plan *pl, u32 gfunc, u32 lock, bool weak);

/* super().__call__(…), type.__call__(cls, …): what a metaclass makes runs the __init__ of its class. */
bool call_makes_object(const Facts *f, const Path *callee);

#endif
