/* The values of link/: the facts of all files joined into one program. Part of pipeline.h, which includes it. */
#ifndef UNGIL_PROGRAM_H
#define UNGIL_PROGRAM_H

#include "base/base.h"

/* Global ids: functions, classes, calls and accesses of all files are numbered through; file and local id come
 * back with gfunc_file() and friends. */
typedef struct GId {
    u32 file, id;
} GId;

typedef enum PlaceKind { PLACE_GLOBAL, PLACE_CLASS_ATTR, PLACE_INSTANCE, PLACE_CLOSURE, PLACE_DEFAULT } PlaceKind;
extern const char *const place_kind_name[PLACE_DEFAULT + 1];

/* What kind of object a place holds, as far as its assignments and annotations tell. */
typedef enum TypeKind {
    TYPE_UNKNOWN,
    TYPE_NONE,
    TYPE_NUMBER,
    TYPE_STRING,
    TYPE_LIST,
    TYPE_DICT,
    TYPE_SET,
    TYPE_TUPLE,
    TYPE_DEQUE,
    TYPE_ORDERED_DICT,
    TYPE_DEFAULT_DICT,
    TYPE_COUNTER,
    TYPE_CACHE, /* of cachetools */
    TYPE_WEAK_DICT,
    TYPE_WEAK_SET,
    TYPE_BYTEARRAY,
    TYPE_ARRAY,
    TYPE_QUEUE,
    TYPE_GENERATOR,
    TYPE_ITERATOR,
    TYPE_COUNT_ITER,
    TYPE_LOCK,
    TYPE_RLOCK,
    TYPE_CONDITION,
    TYPE_SEMAPHORE,
    TYPE_EVENT,
    TYPE_LOCAL,
    TYPE_CONTEXTVAR,
    TYPE_THREAD,
    TYPE_EXECUTOR,
    TYPE_RWLOCK,
    TYPE_ASYNC_LOCK,
    TYPE_PROCESS,
    TYPE_MP_SAFE,
    TYPE_MODULE,
    TYPE_CLASS /* an instance of a project class */,
    TYPE_CLASS_OBJECT,
    TYPE_FUNC,
    TYPE_EXTERNAL,
    TYPE_KINDS
} TypeKind;
extern const char *const type_name[TYPE_KINDS];

typedef struct Type {
    u8 kind;
    u32 id; /* TYPE_CLASS/CLASS_OBJECT: global class · TYPE_FUNC: global func · TYPE_MODULE: file · TYPE_EXTERNAL:
               global symbol */
} Type;

typedef enum Evidence {                     /* why we believe that a place is shared; a set of bits */
                        EV_ROOTS = 1,       /* reached from two thread roots, or from one that runs more than once */
                        EV_MODULE = 2,      /* module- or class-level state of a library */
                        EV_GUARDED = 4,     /* guarded by a lock elsewhere */
                        EV_CLASS_LOCKS = 8, /* its class makes locks, threads or executors */
                        EV_SINGLETON = 16,  /* its object is stored in a global or class attribute */
                        EV_NAME = 32,       /* named like a pool, cache, registry, session, client, manager */
                        EV_DECORATOR = 64,  /* captured by a decorator's wrapper */
                        EV_ALWAYS = 128,    /* --assume-threads always */
                        EV_FILE = 256,      /* the file of its class imports threading, concurrent.futures or queue */
                        EV_PURPOSE = 512,   /* its class is a pool or lock, or speaks of threads */
                        EV_TOUCHED = 1024,  /* a hint that says little: some few of its accesses happen to hold
                                               a lock; an inner function that wraps nothing outlives its call */
                        EV_HANDED = 2048,   /* its object is handed to threads when they are started */
                        EV_PART = 4096,     /* its object is made for an attribute of a shared object */
                        EV_ONE = 8192,      /* its class is named Singleton: what it makes, it makes once */
                        EV_SAME = 16384,    /* threads that run beside each other are started with one object of it */
                        EV_FOUND = 32768,   /* its objects are put where any thread can find them */
                        EV_STARTER = 65536  /* whoever gave its object to a thread goes on to use it */
} Evidence;

/* Signs that the object of an instance attribute stays with one thread; a set of bits. */
typedef enum Sign {
    SIGN_LOOP = 1,    /* its class has coroutines */
    SIGN_WINDOW = 2,  /* it is a widget */
    SIGN_FLOW = 4,    /* it is named after one step of work: a cursor, a request, a builder */
    SIGN_INSIDE = 8,  /* most objects of its class are made for a local and do not leave the call */
    SIGN_FINAL = 16,  /* the contrary: its class has __del__, which any thread may run */
    SIGN_CALLER = 32, /* its class says that it does not lock and its users must */
    SIGN_BOTH = 64    /* with SIGN_LOOP: some classes derived from its class belong to a loop, some do not */
} Sign;

typedef struct Place {
    u8 kind;            /* PlaceKind */
    u8 signs;           /* Sign bits */
    Type type;          /* of what it holds */
    bool is_lock;       /* it holds a lock: never reported as data */
    bool thread_local_; /* threading.local, ContextVar, or an attribute of one */
    bool confined;      /* one thread's: declared `# ungil: thread-confined`, or it stays in its call */
    bool in_call;       /* a captured variable of which no function that uses it outlives the call */
    bool public_;       /* name without a leading underscore */
    bool opaque;        /* an object of a library, not a container: see opaque.c */
    bool to_thread;     /* handed_find: a thread of another class keeps the container that it holds */
    bool inner;         /* a local variable that no function but its own touches */
    u32 file;           /* where it is defined; NONE for state of the standard library (sys.modules) */
    u32 owner;          /* global class (attributes), global func (closure, default) or NONE */
    u32 name;           /* global symbol */
    Str display;        /* "app.stats.counter", "app.pool.Pool._items" */
    u32 def_file, def;  /* the defining Def (first assignment), NONE when unknown */
    u32 first, n;       /* range in Program.place_access: global access ids, in file and text order */
    u32 evidence;       /* Evidence bits */
    u32 guard;          /* LockId that guards most accesses outside construction, NONE */
    u32 guarded, total; /* guarded n of m counted accesses */
    u32 declared_guard; /* LockId of a guarded-by comment, NONE */
    u32 of;             /* it stands for the containers that this place holds; NONE */
    u32 sibling;        /* the next attribute of objects of the same class, see class_places; NONE */
} Place;

typedef struct Lock {
    u32 place; /* the place that holds it, NONE for unknown expressions */
    u8 kind;   /* TYPE_LOCK, TYPE_RLOCK, … ; TYPE_UNKNOWN for something named like a lock */
    bool reentrant;
    bool maybe;  /* only its name says that it is a lock */
    bool keyed;  /* one of a collection, locks[key]: the place holds the collection */
    bool passed; /* some function ends with it taken, or gives back what another one took: who holds it is not told by
                    any one function. Managers (__enter__) and what is called like them (lock, unlock) do not count */
    Str display; /* "app.stats._lock" */
    u32 func;    /* lock local to a function: that function, else NONE */
    bool hoped;  /* every caller in sight holds `real`, but others may call: then `maybe` is set, too */
    u32 real;
} Lock;

/* Who calls a function as a thread of its own. Root 0 is the main program, root 1 "any caller" of a library. */
enum { ROOT_MAIN = 0, ROOT_API = 1 };
typedef enum RunsInMain { MAIN_NOT, MAIN_EXIT, MAIN_SIGNAL } RunsInMain;
typedef struct Root {
    u32 func;         /* global func that runs in it; NONE for ROOT_API */
    bool many;        /* more than one such thread may run at once */
    bool own;         /* each such thread has an object of its own (a Thread subclass, a request handler) */
    bool once;        /* a pool runs it, which it is handed to once (onestart.c) */
    const char *loop; /* the package whose client calls it, in the one thread of its loop; NULL */
    bool chain;       /* an object's next thread is started by the one before it (chain.c) */
    u8 main;          /* RunsInMain: the main thread runs it, it is no thread of its own */
    u64 lane;         /* the executor of one worker that runs it, 0: none */
    bool awaited;   /* a coroutine hands it to an executor and waits for it there, and no other one has its object */
    bool beside;    /* it was, but several such coroutines run beside each other with one object (tasks.c) */
    bool runs_loop; /* an event loop runs in it, as far as names tell */
    Str display;    /* "Thread(target=worker) at app/main.py:40" */
    u32 file, call; /* where it is started; NONE */
    Span span;      /* where its threads run in the function that starts them, to NONE when it does not wait */
    u32 self;       /* the one class whose objects run it, where that is below the class of the method; NONE */
} Root;

/* Is it what an event loop runs that was handed to it from another thread, call_soon_threadsafe(f)? */
bool root_is_loop(const Root *r);

enum { FUNC_ROOTS = 6 };
typedef struct FuncInfo {
    u32 roots[FUNC_ROOTS]; /* roots that reach it, first ones */
    u8 nroots;             /* how many are in roots[] */
    u8 alone;              /* bit i: roots[i] comes only with an object as self that it has made for itself */
    u8 beside;             /* bit i: beside the thread of roots[i] its starter or another such thread runs it */
    u8 others;             /* bit i: another such thread does, of another object (beside.c) */
    u8 calls;              /* bit i: another such thread does that another call of the starter started (percall.c) */
    u8 maybe;              /* bit i: the same, as far as users call the starter again */
    bool threads;          /* one of the roots is a thread of its own */
    bool many;             /* reached by a root that runs more than once, or by more than fit */
    bool main;             /* reached from the main program */
    bool api;              /* callable by users of a library, from any thread */
    bool main_alone;       /* as far as one sees, only the main thread runs it but for threads in sight: two such
                              functions do not run beside each other */
    bool construct;        /* runs only while its object is being made (__init__ and its private helpers) */
    bool import_time;      /* runs only while modules are imported */
    u32 start_until;       /* byte up to which its code runs only while the application starts; 0 (startup.c) */
    bool asked;            /* likewise as far as one sees; but its name is public, and it gives something to who calls
                              it: users of the library call it later; or such a function calls it */
    bool hands_back;       /* it returns the function or class that it is given: a decorator that registers */
    bool decorates_once;   /* a decorator factory: what it returns runs once for each definition, while modules are
                              imported */
    bool event_loop;       /* coroutine or only called from coroutines */
    bool later;            /* a loop calls it that it was handed to: loopcalls.c */
    bool served;           /* and again and again with one object; coroutines, before the last one has ended */
    bool process;          /* worker processes begin with it, and nobody else calls it: processes.c */
    u32 entry_locks;       /* lockset that every caller holds (caller-holds-the-lock helpers) */
    bool again;            /* called again and again, with the same object: an earlier call's threads may run */
    u32 first_start, last_join; /* byte offsets: before/after them no thread started here runs; NONE */
    u32 spawns; /* the outermost loop, a block, each round of which starts a thread and waits for none; NONE */
} FuncInfo;

/* A set of lock ids, interned; id 0 is the empty set. */
typedef struct LockSet {
    u32 n;
    u32 *ids; /* sorted */
} LockSet;

typedef struct CallEdge {
    u32 caller, callee; /* global funcs */
    u32 file, call;     /* the call */
    u32 at;             /* of what syntax calls: the byte where that stands; 0 */
    bool weak;          /* by method name only, or further */
    bool further;       /* of a class that the receiver may be of, beside the first that is known */
    bool guess;         /* to one of the methods that a part of a name leads to (dispatch.c): which, is not known */
    bool param;         /* the caller calls a parameter of its own: threads come by who passes it (callbacks.c) */
    bool kept;          /* the caller takes the function out of where it is kept for later (stored.c) */
    bool passed;        /* the caller passes the function to one that calls its parameter */
} CallEdge;

typedef struct Program {
    Arena *arena;
    const Options *options;
    Facts **facts;
    u32 nfiles;
    Intern syms; /* global symbols: module names, place names */
    u32 *func_base, *class_base, *access_base, *call_base, *section_base; /* nfiles + 1 entries each */
    Vec(Place) places;
    Vec(u32) place_access;
    u32 *access_place; /* global access → place or NONE */
    u32 *access_locks; /* global access → lockset id, entry locks included */
    FuncInfo *funcs;   /* global func → … */
    Vec(Root) roots;
    Vec(Lock) locks;
    u32 *section_lock; /* global section → lock or NONE */
    Vec(LockSet) locksets;
    Vec(CallEdge) edges;      /* sorted by caller */
    u32 *edge_first;          /* global func → first edge; nfuncs + 1 entries */
    bool concurrent;          /* some thread root is visible */
    bool library;             /* looks like a library rather than a program */
    bool one_loop;            /* a program of windows, or of a reactor: window.c */
    bool *vendored;           /* by file: is it a copy of a package that others maintain? (vendored.c) */
    bool *tests, *examples;   /* by file: is_test_path(), is_example_path() of its path (vendored.c) */
    bool *root_used;          /* of the configuration's roots, then of extend_roots: does it name anything? */
    u32 unseen[UNSEEN_COUNT]; /* what could not be followed, in all files */
    struct LinkState *state;  /* private to link/ */
} Program;

/* Links the facts of all files into one program. Pure; the result lives in the arena. `facts` must be in the
 * order of the source list. */
Program *program_link(Arena *a, const Options *o, Facts **facts, u32 n);
/* A note for each root of the options that names nothing in the files that were read. */
void roots_unused(Arena *a, const Program *p, NoteVec *notes);
/* A note for each `# guarded-by` comment that names no lock in sight, or stands at no definition. */
void declarations_unmet(Arena *a, const Program *p, NoteVec *notes);
/* Where a file stands in the import graph: how long the longest chain of imports from it is (0: it imports nothing of
 * the program), and the cycle it is in, by its first file and how many files it has (1: none). */
typedef struct FileLevel {
    u32 level, cycle, size;
} FileLevel;
/* By file (levels.c). */
FileLevel *files_levels(Arena *a, const Program *p);
/* The global id of a file's function; NONE has none. */
static inline u32 gfunc_of(const Program *p, u32 file, u32 func)
{
    return func == NONE ? NONE : p->func_base[file] + func;
}
GId func_gid(const Program *p, u32 gfunc);
GId access_gid(const Program *p, u32 gaccess);
const Access *program_access(const Program *p, u32 gaccess);
/* The file and the function, a global func, that an access stands in. */
u32 access_file(const Program *p, u32 gaccess);
u32 access_func(const Program *p, u32 gaccess);
const Func *program_func(const Program *p, u32 gfunc);
/* "app.stats.Counter.add", for messages. */
Str func_display(Arena *a, const Program *p, u32 gfunc);
/* Does the path look like one of tests? */
bool is_test_path(Str path);
/* Does it stand in a folder of examples? */
bool is_example_path(Str path);
/* Do threads come to both accesses that one object has started on itself, of which the state's object is a part, or a
 * part of a part? */
bool part_of_one_starter(const Program *p, u32 ga, u32 gb);
/* Is every object of the class, tests and scripts aside, made for an attribute of self? */
bool class_only_parts(const Program *p, u32 gclass);
/* Are objects of the class data, a dataclass or a row of a table, and none of them made for an attribute of self? */
bool class_is_record(const Program *p, u32 gclass);
/* Does the class start threads, or have some, and no lock for anything? */
bool class_only_threads(const Program *p, u32 gclass);
/* Has it no lock, and no threads but those that its coroutines wait for? */
bool class_only_tasks(const Program *p, u32 gclass);
/* Does the block stand under `if __name__ == "__main__":`? */
bool in_main_block(const Facts *f, u32 block);
/* How many calls in the program make objects of this class. */
u32 class_made_at(const Program *p, u32 gclass);
/* How many globals and class attributes hold an object of the class. */
u32 class_kept_at(const Program *p, u32 gclass);
/* How many calls are there of functions that make an object of the class and return it, each time another one? */
u32 class_given_out(const Program *p, u32 gclass);
/* Does the function return what it has by the name, and nothing of it? */
bool func_returns(const Program *p, u32 file, u32 func, u32 path);
/* Does the class statement stand in a function, each call of which makes a class of its own? */
bool class_of_call(const Program *p, u32 gclass);
/* Does the starter of such threads wait for them, before it returns? */
bool root_waited(const Program *p, const Root *r);
/* Does the access walk an iterator that a function made, iter(d), six.iteritems(d), or that an __iter__ of ours hands
 * out? A list of it is made item by item, whatever the container is. */
bool access_of_iterator(const Program *p, u32 ga);
/* Is what is read the container itself, which a function of ours hands out by its one return? */
bool access_of_whole(const Program *p, u32 ga);
/* The method of this name that an object of the class has: a global func, NONE. */
u32 class_method_called(const Program *p, u32 gclass, Str name);
/* Is it derived from threading.Thread? */
bool class_is_thread(const Program *p, u32 gclass);
/* Is it a multiprocessing.Process, whose run() works on a copy of the object? */
bool class_is_process(const Program *p, u32 gclass);
/* Is it a thread, an executor, or an object of a class of threads that stands there? */
bool place_holds_thread(const Program *p, const Place *x);
/* Is it the class `base`, or derived from it? Both are global classes. */
bool class_is_a(const Program *p, u32 gclass, u32 base);
/* The attributes that objects of the class have of it, not of its bases: the first place of a chain that
 * Place.sibling goes on with; NONE ends it. */
u32 class_places(const Program *p, u32 gclass);
/* Is all that its objects have in the class itself: no base class but object? */
bool class_baseless(const Program *p, u32 gclass);
/* Is the class in sight with all that it is derived from, so that its objects have no methods but those? */
bool class_seen_whole(const Program *p, u32 gclass);
/* Why two accesses do not run at the same time in two threads. */
typedef enum Apart {
    APART_NOT,        /* they may */
    APART_FIRST,      /* the first does not count (access_alone) */
    APART_SECOND,     /* nor does the second */
    APART_LOOP,       /* both run in an event loop */
    APART_OBJECT,     /* each thread has an object of its own */
    APART_ORDER,      /* before the first start or after the last join */
    APART_EVENT,      /* one waits for an event that the other's thread sets afterwards */
    APART_ONE_THREAD, /* one thread, of which there is one, runs both */
    APART_NO_THREAD   /* no two threads reach them */
} Apart;
Apart may_run_apart(const Program *p, u32 ga, u32 gb);
/* May the two accesses run at the same time, in two threads, as far as roots and ordering tell? */
bool may_run_together(const Program *p, u32 ga, u32 gb);
/* The same by the visible threads alone: unknown callers of a library do not count. */
bool threads_run_together(const Program *p, u32 ga, u32 gb);
/* May they run together only because users call what starts the one thread in sight again? */
bool threads_started_again(const Program *p, u32 ga, u32 gb);
/* Does the function of the first access start a thread that comes to the second one? */
bool starts_thread_of(const Program *p, u32 gstarter, u32 gaccess);
/* Which roots of the access's function come to it, as bits over FuncInfo.roots: of self.x not those that come there
 * only while they make self, or with a self that they have made and keep in a local: an object of their own. */
u32 roots_coming(const Program *p, u32 gaccess);

/* Is it about something of self, self.d, or about what a method of that hands out, self.d.items()? */
bool access_of_self(const Facts *f, const Access *a);

/* Does this access count for sharing: not import time, not construction of its own object, not an object of its own?
 */
bool access_counts(const Program *p, u32 gaccess);
/* Is the attribute one of an object that, as far as callers in sight tell, nobody else has yet (link/filled.c)? */
bool access_fills(const Program *p, u32 gaccess);
/* Is it a coroutine that does it, or a method of a class whose code an event loop runs, without a thread in sight? */
bool access_in_loop(const Program *p, u32 gaccess);
/* Why nobody else can have the state at an access. */
typedef enum Alone {
    ALONE_NOT,
    ALONE_DEFINITION,    /* a default value or decorator */
    ALONE_IMPORT,        /* import time, or before any thread */
    ALONE_THREAD_OBJECT, /* an object that its thread made for itself */
    ALONE_CONSTRUCT,     /* the object is being made */
    ALONE_CAPTURE,       /* the variable's own function, before the inner function is given away */
    ALONE_OWN            /* an object that this function made and keeps in a local */
} Alone;
Alone access_alone(const Program *p, u32 gaccess);
/* Why a path names no piece of state, as a sentence. */
Str path_why_nothing(Arena *a, const Program *p, u32 file, u32 path);
bool lockset_has(const Program *p, u32 set, u32 lock);
/* Is the lock in the set, be it only as far as the callers in sight hold it? */
bool lockset_hopes(const Program *p, u32 set, u32 lock);
/* Does the function make the lock itself, as __init__ does and what starts over in a forked child? Then the lock is
 * not there before, or others hold one that nobody uses any more. `always`: whenever it runs, not only when there is
 * none. */
bool func_makes_lock(const Program *p, u32 file, u32 func, u32 lock, bool always);
/* A lock that is held at the access but guards nothing there: each object has its own, and the state is one for all.
 * NONE. It is not in the access's lockset. */
u32 lock_of_each(const Program *p, u32 gaccess);
/* Some lock that is in both sets, or NONE. */
u32 lockset_common(const Program *p, u32 a, u32 b);
/* Is it a container whose methods and walks are known: list to WeakSet, without tuple, which never changes? */
bool type_is_container(u8 kind);
/* The same, bytearray, array and queue too. */
bool type_holds_items(u8 kind);
bool type_is_lock(u8 kind);
/* Type of what a path names, seen from its file; TYPE_UNKNOWN when nothing tells. */
Type path_type(const Program *p, u32 file, u32 path);
/* Type of what a call gives. */
Type call_type(const Program *p, u32 file, u32 call);
/* The place a path names, or NONE. */
u32 path_place(const Program *p, u32 file, u32 path);
/* Is the place the number of a multiprocessing.Value, which other processes change, too, and which has a lock for
 * that (holders.c)? */
bool place_of_processes(const Program *p, u32 place);
/* Full dotted name of an external function or class that a path names ("threading.Thread"), or empty. */
Str path_external(const Program *p, u32 file, u32 path);
/* Functions that a call may run (global ids), written to out, at most max; returns how many. */
u32 call_targets(const Program *p, u32 file, u32 call, u32 *out, u32 max);
/* The same, and the methods of further classes whose objects are put where the receiver is: what the call may run, as
 * far as it is known. */
u32 call_candidates(const Program *p, u32 file, u32 call, u32 *out, u32 max);
/* The same for what a value, a ValueKind and its value as in Arg, may run when it is called later. */
u32 value_funcs(const Program *p, u32 file, u8 kind, u32 value, u32 *out, u32 max);
/* Is the call a method of an object of unknown type? */
bool call_unknown(const Program *p, u32 file, u32 call);
/* The one thing that the local of the function is bound to, or NULL: bound to nothing, or to several things. */
const Def *local_def(const Program *p, u32 file, u32 func, u32 sym);
/* Does the call give the identity of the thread that runs here, get_ident() or current_thread()? */
bool call_asks_thread(const Program *p, u32 file, u32 call);
/* Does the function itself make such a call? */
bool func_asks_thread(const Program *p, u32 file, u32 func);
/* Does the Def replace a function, a class, or an attribute of a module that was not read? */
bool def_patches(const Program *p, u32 file, u32 def);
/* Does the star import lead to a module that was not read? */
bool star_unknown(const Program *p, u32 file, const Import *im);
/* The methods of this name that the self seen by a function may have: of its class and of classes derived from it. */
u32 self_methods(const Program *p, u32 file, u32 func, const char *name, u32 *out, u32 max);
void places_dump(Buf *out, const Program *p);

#endif
