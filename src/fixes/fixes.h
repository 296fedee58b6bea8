/* fixes/: from races to intents.
 *
 *   page.c     a transform page (transforms/NAME.md) from its text   script.c   its edit script, read and run
 *   example.c  a page's examples, run as tests     import.c   how a file names a library's object
 *   sites.c    files parsed again, regions         judge.c    named judgements: may this be edited?
 *   pickled.c, copyable.c   whose objects are pickled, or may be   classes.c  safety classes and --only
 *   state.c    hooks that say how, and what can be put into them
 *   lock.c     which lock, its name                express.c  how a region names the lock
 *   home.c     where a new lock lives              alternatives.c  what else a fix might have been
 *   foreign.c  code that was given from outside
 *   waits.c    what a region waits for             lockorder.c  may its lock be taken there?
 *   awaited.c  does the lock's holder wait for who comes?   slots.c  are __slots__ walked?
 *   forks.c    does the program fork?             promote.c  a Lock that becomes an RLock
 *   reach.c    what a region may call              guard.c    planner: every write of a place under one lock
 *   comeback.c may what runs under a lock take it again?   others.c   code of others below it
 *   cover.c    what becomes of its regions         group.c    which places share a lock
 *   queue.c    planner: poll                       plan.c     fixes_plan: which page for which place
 *   deque.c    planner: a list becomes a deque     uses.c     all that is done with a piece of state
 *   once.c     planner: read once, then test and use      snapshot.c   planner: copy what is walked
 *   fold.c     copies that a lock makes needless          readback.c   what is asked after an update, under its lock
 *   discipline.c   planners about locks: acquire/release to with, a lock made on first use made at once, …
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
 *   take.c     planner: an entry is taken once, then tested and used
 *   localsum.c planner: an update in a loop, summed up and added once
 *   ownvalue.c planner: what a call has set for itself is used from a local
 *   missing.c  is there no entry yet?              entries.c  can one be None, or false?
 *   steady.c   what may be evaluated once instead of twice
 *   apart.c    findings of one place, each cured by a page of its own
 *   plain.c    values that are the same whoever makes them
 *   dump.c     the text dump */
#ifndef UNGIL_FIXES_H
#define UNGIL_FIXES_H

#include "link/link.h"
#include "parse/asts.h"
#include "pipeline.h"
#include "races/races.h"

/* ---- pages --------------------------------------------------------------------------------------------- */

typedef enum Verb {
    VERB_NEED_IMPORT,
    VERB_NEED_LOCK,
    VERB_WRAP,
    VERB_REPLACE,
    VERB_INSERT,
    VERB_DELETE,
    VERB_DECORATE,
    VERB_DECLARE
} Verb;

/* One line of an edit script. */
typedef struct Step {
    u8 verb;
    bool before; /* insert before rather than after */
    u32 line;    /* in the page */
    Str at, to;  /* capture names; to is empty when there is one only */
    Str text;    /* template, escapes resolved, or the dotted name of an import */
} Step;
typedef Vec(Step) StepVec;

/* Fenced code of a page. after.p is NULL when nothing may change. */
typedef struct Example {
    u32 line;
    Str before, after;
} Example;

struct Plan;
struct Work;
struct Judgement;

/* A planner written in C, for what a script cannot say. */
typedef struct Planner {
    const char *name;
    const char *line;
    bool locks; /* plans locks: tried after the pages that need none */
    bool hands; /* also for findings that say why no lock is a cure (Race.by_hand) */
    bool (*run)(struct Plan *pl, struct Work *w, const Page *page);
} Planner;
extern const Planner planner_table[];
const Planner *planner_find(Str name);

struct Page {
    Str file; /* for messages: "guard-update.md" */
    Str text;
    Str id, title, rules, safety, needs, plan;
    u8 safety_class;
    bool strict;    /* only under --model strict */
    bool preferred; /* only where --prefer names it */
    bool replaces;  /* certificate: replace; else tokens */
    bool states;    /* it says which words the rewrite adds and drops: lists with commas, see edit/words.c */
    Str adds, drops;
    Vec(u8) rule_ids;
    Vec(const struct Judgement *) judgements;
    const Planner *planner;
    Str find; /* the query; empty when a planner finds the sites */
    u32 find_line;
    StepVec steps;
    Vec(Example) examples;
};

/* transforms/, compiled into the program. */
extern const EmbeddedPage embedded_pages[];
extern const u32 embedded_page_count;

/* Parses a page. On error returns NULL with "file:line: sentence" in e. The query is compiled only by
 * page_check. */
Page *page_parse(Arena *a, Str file, Str text, Err *e);
/* What page_parse leaves out because it takes time: does the query compile, do the captures exist? */
bool page_check(const Page *p, Err *e);
bool page_handles(const Page *p, u8 rule);
/* Needs it a lock? Pages that need none are tried first. */
bool page_locks(const Page *p);
const Page *page_find(const PageList *pages, Str id);
/* Reads an edit script whose first line is line `line` of the page. */
bool script_parse(Arena *a, Str file, u32 line, Str text, StepVec *out, Err *e);

/* ---- naming imported things
 * ------------------------------------------------------------------------------ */

/* How a file names "threading.Lock" or "collections.deque". */
typedef struct ImportRef {
    Str text;      /* "threading.Lock", "Lock", "th.Lock" */
    bool have;     /* the file imports it already, at top level */
    u32 end;       /* have: where that statement ends */
    Str statement; /* not have: what to insert, "import threading" */
    Str module;
} ImportRef;
/* from_style: where nothing is there yet, write `from MODULE import NAME` rather than `import MODULE`. */
ImportRef import_ref(Arena *a, const Facts *f, const Ast *t, Str module, Str name, bool from_style);
/* Is it a statement of the module body itself, which has run when functions do? */
bool import_at_top(const Ast *t, const Import *m);
/* Is the name bound anywhere in the file, or does the word occur in it at all? */
bool name_used(const Facts *f, Str name);
/* Does something other than an import of the module bind the name? */
bool name_bound(const Facts *f, Str name, Str module);

/* ---- sites
 * ----------------------------------------------------------------------------------------------- */

/* A run of whole statements in one block, on lines of its own, that is to run under a lock. */
typedef struct Region {
    u32 file, func;    /* file; function (local id) it stands in */
    u32 first, last;   /* nodes: sibling statements */
    Span span;         /* from the first statement to the end of the last */
    u32 access;        /* global access whose object the lock belongs to */
    u32 test;          /* global access that a loop around it tests; NONE */
    bool race;         /* a race stands here; else another write of the same place */
    bool skip;         /* guarded already, or left out */
    Str lock;          /* the lock as it is written there */
    Str problem;       /* why it cannot be guarded */
    Str copy;          /* a walk: the copy that is walked instead */
    Str name;          /* what holds the copy, made under the lock before the statement; empty: in place, no lock */
    u32 at;            /* where that statement starts */
    u32 claim;         /* last statement that changes the state, under the lock with its test (claim.c); 0: none */
    const Race *taken; /* an entry that is tested and used is taken once, without a lock (take.c); NULL */
    u32 sum;           /* the loop whose sum is added once, after it (localsum.c); 0: none. span: what is added to */
    u32 ahead;         /* the operand of an update, a node, made before the lock is taken (ahead.c); 0: none */
    bool back;         /* what is read further down is taken into a local under the lock (readback.c) */
    Str loose;         /* why that cannot be, though what is read there is meant to be this value */
    Str again;         /* the value is made before the lock, and this asked once more under it (outside.c) */
} Region;
typedef Vec(Region) RegionVec;

/* What is fixed together: the races of one place, or one race that is about no place. */
typedef struct Work {
    u32 place; /* NONE */
    Vec(u32) races;
    const Page *page; /* the page that guards it with a lock; NULL until chosen */
    RegionVec regions;
    u32 lock; /* of its fix, an index in FixList.locks; only when `guarded` */
    bool guarded;
    u32 group;               /* works with the same group share a lock */
    Str problem;             /* why it is declined; empty while all is well */
    bool runs_others;        /* code of others runs in its regions, so that the object's lock was not chosen */
    Str tried;               /* why a page that needs no lock did not apply */
    Vec(Alternative) others; /* what was weighed and not taken */
    bool done;
} Work;

/* A parsed file; the ones used last are kept. Node ids stay the same when a file is parsed again. */
typedef struct SiteFile {
    Arena a;
    Tree *tree;
    Ast ast;
    u32 used;
} SiteFile;
/* So many files are kept parsed, and more while all of them hold no more than so many bytes; the trees take some
 * thirty times as much. Whoever holds a tree may ask for a few others. */
enum { SITE_FILES = 64, SITE_BYTES = 8 << 20, SITE_AHEAD = 16 };

typedef Vec(u32) SymVec;

/* A lock that is held while code of others runs (reach.c). */
typedef struct OpenLock {
    bool known;
    Str where;    /* one such section; empty: none */
    SymVec names; /* of the methods that are called on objects not known, global symbols */
} OpenLock;

typedef struct Plan {
    Arena *a;
    const Program *p;
    const PageList *pages;
    RaceVec *races;
    FixList *out;
    SiteFile **files; /* by file, NULL when not parsed now */
    bool *concerned;  /* by file: it has a finding */
    u32 nparsed, tick;
    size_t parsed;   /* bytes of source */
    Query **queries; /* by page, compiled when first asked for */
    Vec(Work) works;
    const RaceVec *all; /* findings of any confidence: a lock guards them all */
    Map doubtful_first; /* place → index of its first one in all; made when a lock is planned */
    u32 *doubtful_next;
    u32 nfuncs;
    u32 *mark, marks; /* by global function: the last question that asked about it, see reach.c */
    u32 *seen, epoch;
    u32 *file_seen;                  /* by file, see import_circular; NULL until asked for */
    u32 *caller_first, *caller_edge; /* edges by callee */
    u32 *taker_first, *taker;        /* functions that take a lock, by lock */
    u8 *finalizer;                   /* FINAL_… */
    bool *foreign; /* by global function: it runs so about other objects than the one that is being finalized */
    u32 *derived_first, *derived; /* global classes by direct base; NULL until asked for */
    u32 *attr_first, *attrs;      /* places that are attributes of self, by global class; NULL until asked for */
    bool *pickled;                /* global classes whose objects are pickled or copied; NULL until asked for */
    u8 *copyable;                 /* global classes: how their objects could be (copyable.c); NULL until asked for */
    u8 hooks;                     /* does the program hook into imports? 1 no, 2 yes; 0 until asked for */
    u32 depth_of;                 /* the place that depth.c was asked about last, plus 1 */
    bool depth;                   /* and its answer: the place counts how deep something is */
    u8 own_threading;             /* has it a module of its own that is called threading? Likewise */
    Vec(u32) guarded;             /* places that have a guard; empty until asked for */
    Vec(GId) defs;                /* of all places, ordered by them; empty until asked for */
    u32 *defs_first;              /* by place: the first one of defs */
    u32 defs_places;              /* so many places have one */
    u8 *around_fork;              /* by global function: it runs around each fork, FINAL_…; NULL until asked for */
    Str forks;                    /* where the program forks, or minds forks; empty */
    bool forks_known, forkers_known;
    Vec(u32) forkers; /* global functions that fork, once forkers_known */
    bool *bare;       /* classes with objects that are made without __init__; NULL until asked for */
    u8 *walked;       /* those whose objects' attributes are walked as a whole: WALKED_… */
    Str walked_where; /* where that is done to objects of unknown classes, to write them out; empty */
    bool *slots_used; /* by global class: the names in its __slots__ are walked (slots.c); NULL until asked for */
    Str slots_where;
    struct LockOrder *order;  /* of the program's locks; NULL until asked for */
    u8 *quiet;                /* locks: 1 nobody holds it for long, 2 somebody does; NULL until asked for */
    OpenLock *open;           /* by lock; NULL until asked for */
    struct Awaited *awaited;  /* by lock: who waits while it is held; likewise (awaited.c) */
    const LessonVec *lessons; /* NULL: none */
    Map region_last;          /* global func → the last region there of the work that is given regions now, */
    Vec(u32) region_before;   /* and by region the one before it there; see guard.c */
    u32 *wanted;              /* by work: the lock that its group wants, NONE; see group.c */
    Work **group;             /* the works that are planned with one lock now */
    u32 ngroup;
    bool allowed;      /* does the order of all locks allow theirs? */
    Str pickled_where; /* where objects of unknown classes are; empty: nowhere */
    bool copying;      /* what is looked at is only copied, see pickled.c */
    bool pickled_sure; /* some of them outside of tests, and not only to have a copy */
} Plan;

const Ast *site_ast(Plan *pl, u32 file);
const Source *site_source(const Plan *pl, u32 file);
/* Planning is over: gives the trees to out->asts as far as they are kept, and frees the rest. */
void sites_end(Plan *pl);
/* The page's query; NULL when it is wrong, which page_check tells. */
const Query *page_query(Plan *pl, const Page *page);
void queries_free(Plan *pl);
/* The smallest named node that contains the span. */
u32 ast_at(const Ast *t, Span s);
/* Is it a statement of a suite? The innermost statement around a node; NONE outside any. */
bool ast_is_statement(const Ast *t, u32 n);
u32 ast_statement(const Ast *t, u32 n);
/* The function or class definition with exactly this span; NONE. */
u32 ast_definition(const Ast *t, Span span);
bool ast_inside(const Ast *t, u32 n, u32 outer);
/* The assignment TARGET = VALUE around a target; NONE. */
u32 ast_assignment(const Ast *t, Span target);
/* Names and attributes, a chain from a plain name on, as a path seen from the function; false for all else. */
bool ast_path(const Ast *t, const Facts *f, u32 func, u32 n, Path *out);
/* The call with exactly this span; NULL. */
const Call *call_at(const Facts *f, Span span);
/* A value that is the same whenever and wherever it is made: a literal, a display of such, an empty container. */
bool value_plain(Plan *pl, u32 file, u32 n);
/* What the expression of a function gives is a number, a string or a tuple of such, if its parameters are hashable.
 */
bool value_given(Plan *pl, u32 file, u32 func, u32 n);
/* Gives the expression the same, and does nothing else, however often it is evaluated (steady.c)? */
bool expr_steady(Plan *pl, u32 file, u32 n);
/* Is all that the program stores in the dict visibly not None, as far as is in sight; with `truth` not false either
 * (entries.c)? */
bool entries_surely(Plan *pl, u32 place, bool truth);
/* Is a None stored in the dict, or written in its display, for everybody to see? */
bool entries_none(Plan *pl, u32 place);
/* Has the dict no entry where a statement stores one, for the thread that runs it (missing.c)? For sure; if no entry
 * is None; if none is false; or that is not known. */
enum { MISSING_SURE, MISSING_NONE, MISSING_FALSE, MISSING_UNKNOWN };
u8 entry_missing(Plan *pl, u32 place, u32 file, u32 func, u32 store, Str dict, Str key);
/* Where a name in the program's texts is a piece of state, or may be: an identifier or an attribute. */
typedef struct Use {
    u32 file, node;
} Use;
typedef Vec(Use) UseVec;
/* All such places (uses.c). False with a reason where the state is also had without its name, or by others. */
bool uses_known(Plan *pl, u32 place, UseVec *out, Str *why);
/* All findings of the work as polls, whose intents go into the fix; `deque`: of a list that becomes one (queue.c). */
bool polls_plan(Plan *pl, Work *w, Fix *fix, bool deque);
/* readback.c: does the statement have its lines, the line's end and a comment aside, for itself? */
bool own_lines(const Source *s, Span stmt);
/* Widens the region of an update of a counter of depth over the tests beside it (depth.c). */
void depth_extend(Plan *pl, const Work *w, Region *r);
/* ahead.c: the update alone, its operand made before. False where that is not the same, or not so written. */
bool ahead_region(Plan *pl, const Work *w, const Region *r, Region *out);
void ahead_write(Plan *pl, Fix *f, const Region *r, u32 lock);
/* lift.c: where all branches of an if take the group's lock, it is taken around the if. */
void regions_lift(Plan *pl, Work **works, u32 n);
/* The smallest run of whole statements on whole lines of one block that holds both spans. False with a
 * reason. */
bool region_make(Plan *pl, u32 file, u32 func, Span a, Span b, Region *out, Str *why);
/* The same for a region that is only wrapped: statements that share their line with others are split off. */
bool region_split(Plan *pl, u32 file, u32 func, Span a, Span b, Region *out, Str *why);
/* Only blanks before it on its line, and no backslash at the end of the line above? */
bool stands_first(const Source *s, u32 at);
/* What stands between a statement and the one before it on the line, or the colon of its header. False when that is
 * more than blanks and semicolons. */
bool gap_before(const Source *s, const Ast *t, u32 stmt, Span *out);
/* First line of the page's query match whose @place covers the span; captures by name. */
typedef struct Capture {
    Str name;
    Span span;
} Capture;
typedef Vec(Capture) CaptureVec;
bool site_match(Plan *pl, const Query *q, u32 file, Span span, CaptureVec *out);

/* ---- judgements
 * ------------------------------------------------------------------------------------------ */

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
/* Is a function among the call's arguments (waits.c)? */
bool hands_over(const Plan *pl, u32 file, const Call *c);
/* Does the call wait for another thread (waits.c)? */
bool call_waits(Plan *pl, u32 file, u32 call);
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

/* ---- locks and calls
 * ------------------------------------------------------------------------------------- */

/* The lock that a finding of the work names; NONE. */
u32 race_lock(const Plan *pl, const Work *w);
/* Chooses a lock for works that share one: an index in FixList.locks, or NONE with a reason. */
u32 lock_choose(Plan *pl, Work **works, u32 n, Str *why);
/* Once the sections of the lock of this plan are what they will be: a new lock is reentrant only where one of them
 * may come back to it. */
void lock_settle(Plan *pl, u32 plan, Work **works, u32 n);
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
/* Makes an existing Lock (an index in FixList.locks) an RLock, where the works' regions need that, or may, and
 * nothing speaks against it. */
bool lock_promote(Plan *pl, u32 plan, Work **works, u32 n, bool may);
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

/* ---- what a lock makes needless (fold.c) ---- */

/* Drops copies of what is walked in a critical section of the same place; their findings go to the fix with the lock.
 * Once all fixes are planned. */
void fixes_fold(Plan *pl);

/* ---- what else it might have been (alternatives.c) ---- */

/* Remembers what was weighed for the place and not taken, once. */
void alternative_add(Plan *pl, Work *w, Str what, Str why);
/* Gives the fixes their prices and alternatives. */
void alternatives_give(Plan *pl);

/* ---- running
 * --------------------------------------------------------------------------------------------- */

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
