/* What the linker knows while it joins files: what paths name, what is known of classes and parameters, the tables
 * of the passes. Part of link.h, which includes it. */
#ifndef UNGIL_LINK_STATE_H
#define UNGIL_LINK_STATE_H

#include "pipeline.h"

/* What a path names. */
typedef enum EntKind {
    ENT_NONE,
    ENT_MODULE,
    ENT_CLASS,
    ENT_FUNC,
    ENT_PLACE,
    ENT_INSTANCE,
    ENT_EXTERNAL,
    ENT_LOCAL
} EntKind;
typedef struct Ent {
    u8 kind;
    u32 id; /* file · global class · global func · place · global class · global symbol of the dotted name · func
               (local) */
    u32 sym;  /* ENT_LOCAL: local symbol; ENT_FUNC: NONE */
    u32 recv; /* ENT_FUNC: class of the object it is bound to, NONE */
} Ent;

enum {
    ATTR_BODY = 1,
    ATTR_SELF = 2,
    ATTR_CLS = 4,
    ATTR_FIELD = 8, /* what the class body gives is a default or a description: each object has its own */
    ATTR_PLAIN = 16 /* it gives a number, a text, a tuple or None */
};

typedef struct ClassInfo {
    Map attrs;          /* global symbol → ATTR_ bits */
    Map methods;        /* global symbol → global func */
    Map setters;        /* global symbol of a property that can be set → global func */
    Map nested;         /* global symbol → global class */
    Vec(u32) bases;     /* global classes */
    Vec(u32) ext_bases; /* global symbols of dotted names we have no source of */
    Vec(u32) subs;      /* direct subclasses */
    const u32 *order;   /* where attributes are looked for: the class and its bases, see mro() */
    u32 norder;
    bool resolved;
    bool makes_threads;      /* creates threads, timers or executors */
    bool tasks;              /* all of these are threads that coroutines of one object wait for (tasks.c) */
    bool hooked;             /* a thread that somebody else starts runs a method of its objects: given.c */
    bool has_lock;           /* has an attribute that is a lock */
    bool any_lock;           /* likewise, be it a lock for one field only */
    bool singleton;          /* an instance is kept in a global or class attribute, and most instances are */
    u32 kept_globally;       /* globals and class attributes that hold an instance */
    bool named;              /* one of them from the import on: named.c */
    u32 made_inside, leaves; /* calls outside of tests and scripts that make one: for a local that stays inside
                                the call, or for something else */
    u32 made_for_attr;       /* of leaves: for an attribute of self */
    u32 queued;              /* of these calls, those that hand the new object to a queue: q.put(Job(n)) */
    u32 made_elsewhere;      /* calls outside of tests that construct one for something else */
    u32 made_by_own;         /* of these, those of the class's own functions: cls(…) in a classmethod, a copy */
    u32 stays;               /* of these, those whose object stays with the thread that makes it: stays.c */
    bool some_stay;          /* it, or a class derived from it, has such objects */
    bool in_with;            /* one of them is made for a with statement */
    bool shown;              /* its methods put self where all find it: stays.c */
    bool made_again;         /* one of them stands in a loop */
    u32 served, nserved;     /* the roots of its methods that a server calls: first + 1, 0 without; see rootcalls.c */
    bool method_kept;        /* a method of its objects is kept for later, and with it the object: stored.c */
    bool handed;             /* an object is an argument of a thread, or a thread runs its method */
    bool handed_to_many;     /* several threads run a method of one object */
    bool same;               /* threads that run beside each other are started with one object */
    bool starter;            /* a function gives an object to a thread and goes on to use it */
    bool fresh;              /* every thread or request has instances of its own */
    bool decorator;          /* its objects wrap functions: used as decorators, or descriptors */
    bool part;               /* all its objects are made for attributes of shared ones: kept.c */
    bool found;              /* its objects are put where any thread finds them: found.c */
    bool loop;               /* its own methods run in an event loop, and nothing shows other threads there */
    bool thread_local_;      /* subclass of threading.local */
    u32 hints;               /* Evidence bits of hints.c */
    bool called_at_once;     /* Response(app)(environ): one of its objects is called as soon as it is made */
    u32 first_place;         /* see class_places: its id + 1; 0 without one */
    u32 made_at;             /* how many calls construct it */
    u32 given_out;           /* calls of functions that make one and return it */
    Vec(u32) wholes;         /* classes for an attribute of whose objects they are made; NONE: for something else */
    bool kept; /* some call that makes one stores it where others may find it, or runs outside of any thread */
} ClassInfo;

enum { PARAM_SOURCES = 4 };
typedef struct ParamInfo { /* what callers pass for a parameter */
    u8 n;
    bool more;     /* more callers than fit, or one that we could not follow */
    bool more_own; /* some of those are no tests */
    struct {
        u32 file;
        u8 kind; /* ValueKind: VAL_PATH, VAL_CALL, VAL_LAMBDA */
        u32 value;
    } from[PARAM_SOURCES];
} ParamInfo;

typedef struct DefRef {
    u32 file, def, next;
} DefRef;

enum { PATH_MEMO = 2 };

/* A row of the ways to start a thread, by its name. */
typedef struct RowName {
    Str name;
    const RootRow *row;
} RowName;

/* A function of `file` hands `callee` to an event loop, which calls it later (loopcalls.c). */
typedef struct LaterEdge {
    u32 callee, file, next; /* the next one of the same function; NONE */
} LaterEdge;

typedef struct LinkState {
    Arena *a;
    u32 *func_step, *class_step, *access_step; /* see gids_index */
    Vec(RowName) rows[ROOT_BY_COUNT];          /* for each way to be a root its rows, in their order */
    Map row_names[ROOT_BY_COUNT];              /* half of a name's hash → 1 when a row has it */
    u32 *lock_state;  /* by place: a lock's the place that it is named for, NONE; made by guards.c */
    u32 **gsym;       /* [file][local symbol] → global symbol, NONE until asked for */
    u32 **root_ents;  /* [file][local symbol] → index in ents + 1: what a module-level name is; 0 until asked for */
    Map modules;      /* global symbol of the dotted name → file */
    Map module_tails; /* global symbol of a part of a module's dotted name → 1, see siblings.c */
    Map module_names; /* (file, global symbol) → index in entries, see modules.c */
    Vec(Ent) entries;
    Map import_ents;    /* (file, import) → index in ents: where it leads */
    Map dotted_ents;    /* (global symbol of a dotted name, attribute) → index in ents */
    Map name_ents;      /* (file, global symbol) → index in ents: what the module's name is */
    Map module_ents;    /* (file, attribute) → index in ents */
    Map class_ents;     /* (class and how it is asked, attribute) → index in ents; see class_attr */
    bool classes_known; /* which class has which attribute */
    Vec(Ent) ents;
    ClassInfo *classes;
    u32 nclasses, nfuncs, naccesses;
    Map places;        /* hash of kind, file, owner, name → place */
    Map place_defs;    /* place → first DefRef */
    Map local_defs;    /* hash of (file, func, symbol) → first DefRef */
    Map local_imports; /* the same → the first import of a function that binds the name */
    Map func_attrs;    /* (global func, global symbol of an attribute) → place, see funcattrs.c */
    Map later_first;   /* global func → the first of `later` that it hands to a loop */
    Vec(LaterEdge) later;
    Map handed;    /* place → the place whose container it holds, see handed.c */
    Map completed; /* (class, method or not, global symbol) → class_completed_by's answer */
    Map elem_defs; /* place → first DefRef of its elements; locals: local_key + 1 */
    Vec(DefRef) defrefs;
    Vec(u8) place_state; /* 0 type not asked for, 1 being computed, 2 known */
    Map local_types;     /* hash of (file, func, symbol) → index in types */
    Map element_types;   /* as elem_defs → index in types */
    Map return_types;    /* global func → index in types */
    Vec(Type) types;
    Map locksets; /* hash → first lockset id */
    Vec(u32) lockset_next;
    Map lock_given;        /* place of a dataclass's field → the lock that all objects are given, see locks.c */
    Map each_lock;         /* global access → a lock that is held there and guards nothing, see each.c */
    Map lock_of;           /* place → lock; other keys: see locks.h */
    struct Stored *stored; /* functions that are kept for later, see stored.c; calls_link makes it */
    ParamInfo *params;     /* by global param */
    u32 *param_base;
    bool *uses_threads; /* by file: does it use threading for more than locks? */
    bool *of_program;   /* by file: see ofprogram.c */
    bool *of_loop;      /* by global class: is it written for an event loop: has it coroutines, is it a loop, or
                           do its methods ask for one? */
    bool *on_global;    /* by global func: called on an object that a module-level name holds; see named.c */
    bool *installed;    /* by file: a single module that is installed for others to import; NULL before */
    struct Handover *handover; /* see handover.c; NULL without one */
    struct Endings *ended;     /* see ended.c */
    struct Stopped *stopped;   /* see stopped.c; NULL where nothing is waited for */
    u32 depth;                 /* of type inference */
    u32 *path_base;            /* by file: its first path among all; set when types are final (see paths_settle) */
    u32 *path_ents;            /* by path and attributes left out (0..PATH_MEMO - 1) → index in ents + 1;
                                  NONE for nothing */
    u8 *answers; /* by global access: what alone.c found, asked again and again once all is linked; NULL before */
    u32 *lead;   /* by global func: where its first call stands that leads to a thread's start, NONE; see order.c */
    bool *filled_self, *filled_param; /* filled.c, by global func and param; NULL when it gave up */
    bool chained;                     /* places_chain has run */
    bool at_once_known;               /* ClassInfo.called_at_once is filled */
    Map given_attrs;    /* global symbol of an attribute that the program gives to what a module-level name holds */
    Map held_class;    /* global symbol of a private attribute → the class whose objects it holds; see owner.c */
    Map private_owner; /* global symbol of a private attribute → the class that sets it; see owner.c */
    Map method_names;  /* global symbol → first in method_list */
    Vec(DefRef) method_list; /* file unused, def = global func */
} LinkState;

#endif
