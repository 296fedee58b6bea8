/* What planning works with: regions, the work for a place, the plan of the run, and the sites in parsed files. Part
 * of fixes.h, which includes it. */
#ifndef UNGIL_FIXES_PLAN_H
#define UNGIL_FIXES_PLAN_H

#include "fixes/page.h"
#include "link/link.h"
#include "parse/asts.h"
#include "races/races.h"

/* ---- sites --------------------------------------------------------------------------------------------- */

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
    u32 chain;         /* the condition of a branch, which is asked again under the lock (chain.c); 0: none */
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
    bool *ahead;      /* by file: it has a finding, and was not parsed yet */
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
    Vec(u32) region_before;   /* and by region the one before it there; see regions.c */
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
/* The first node that begins at the offset or after it; the number of nodes when none does. */
u32 ast_from(const Ast *t, u32 offset);
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

#endif
