/* Shared by the files of facts/: the state of one walk over one file's syntax tree.
 *
 *   names.c   which scope binds which name; numbers functions and classes
 *   accessor.c  functions that hand out state
 *   path.c    expressions to Paths; replaces locals that stand for another path
 *   access.c  records accesses; which values a local holds
 *   object.c  receivers: the path an expression names; the kind of value it gives
 *   expr.c    expressions: what they read and pass on
 *   call.c    calls and their arguments
 *   threadargs.c  arguments that are handed on in a tuple
 *   test.c    conditions: which branch an access decides
 *   stmt.c    statements: blocks, branches, loops
 *   oldpython.c  tests of the Python version whose answer is known
 *   copied.c  copies of containers, and what annotations say of items
 *   bind.c    assignments and deletions
 *   section.c critical sections
 *   define.c  functions, classes, imports
 *   comment.c comments that speak to us
 *   early.c   names that the module binds only later
 *   says.c    what classes say of threads
 *   facts.c   runs them in this order
 *   dump.c    the text form */
#ifndef UNGIL_FACTS_WALK_H
#define UNGIL_FACTS_WALK_H

#include "parse/ast.h"
#include "pipeline.h"

/* How a scope binds a name; a set of bits. */
enum {
    BIND_ASSIGN = 1,
    BIND_PARAM = 2,
    BIND_GLOBAL = 4,
    BIND_NONLOCAL = 8,
    BIND_IMPORT = 16,
    BIND_DEF = 32,
    BIND_CLASS = 64,
    BIND_CAPTURED = 128 /* an inner function uses it */,
    BIND_COMPREHENSION = 256,
    BIND_LOCAL = BIND_ASSIGN | BIND_IMPORT | BIND_DEF | BIND_CLASS | BIND_COMPREHENSION
};
/* Scopes are functions; class bodies are scopes of their own, told apart by this bit. */
enum { CLASS_SCOPE = 1u << 31 };

/* What the expression being walked is used for. */
typedef struct Use {
    u8 op;      /* Op to record for a plain name or attribute */
    u8 test;    /* TestKind, when it decides a branch */
    u32 method; /* OP_CREAD: who reads it */
} Use;

/* The accesses whose value a local holds at this point of the walk. */
enum { LOCAL_FROM = 4 };
typedef struct LocalValue {
    u8 n;
    u32 from[LOCAL_FROM];
} LocalValue;

typedef struct Pending { /* a function body still to be walked */
    u32 node, func;
} Pending;

/* for x in (a, b): what the name stands for in the loop's body. */
typedef struct Choice {
    u32 name, func;
    u32 list; /* the tuple or list, a node */
} Choice;

typedef struct Walk {
    Arena *a; /* for the result */
    Arena *scratch;
    const Source *src;
    Ast t;
    Facts *f;
    Map bind;                  /* (scope, symbol) → BIND_ bits */
    Map node_func, node_class; /* ast node → id */
    u32 *node_owner;           /* ast node → function whose code it is */
    Map path_ids;              /* hash of a path → first path id with it */
    Vec(u32) path_next;
    Map locals;     /* (func, symbol) → index in local_values */
    Map attributes; /* (func, path of an attribute of self) → index in local_values */
    Vec(LocalValue) local_values;
    Vec(Pending) queue;
    Vec(Arg) args;       /* of the calls being walked; a finished call's go to the facts in one piece */
    Map node_call;       /* ast node → call id, once it has been walked */
    Vec(u32) dep;        /* accesses that the expression being walked has read */
    Vec(Choice) choices; /* of the loops being walked */
    /* where the walk is */
    u32 func, cls /* class whose body this is, NONE */, block, stmt, depth;
    u32 line;      /* of what was recorded last: what comes next is near */
    u32 head_cond; /* the branch whose condition is being walked, NONE */
    bool in_def;   /* inside a default value or decorator */
    bool awaiting; /* the call being walked is awaited */
    bool too_deep; /* the note about it has been made */
} Walk;

/* names.c */
void names_scan(Walk *w);
u32 bind_bits(const Walk *w, u32 scope, u32 sym);
u32 sym_of(Walk *w, u32 node);

/* path.c */
u32 path_id(Walk *w, Path p);
Path path_name(Walk *w, u32 sym);
Path path_attr(Path p, u32 sym);
void aliases_resolve(Walk *w);
/* Is it done to a local's own binding, and so nothing that is done to what the local stands for? */
bool op_of_binding(u8 op);

enum { MAX_DEPTH = 2500 }; /* of nested expressions; deeper ones are noted and left out */

/* called.c */
void calls_of_attributes(Walk *w);
void operations_of_bases(Walk *w);
void calls_of_bound_methods(Walk *w);

/* early.c: definitions by a name that the module binds only further down tell nothing. */
void builtins_kept(Walk *w);

/* access.c */
/* Records an access of the path and returns its id; NONE when it concerns nobody but the function itself. */
u32 access_add(Walk *w, Path p, Use use, u32 node);
/* A local now holds what the accesses in w->dep from dep_from on have read. */
void local_set(Walk *w, u32 sym, u32 dep_from);
/* A local is read; `test` is how its value decides the branch being walked (TEST_NO: not). */
void local_read(Walk *w, u32 sym, u8 test);
/* self.found = table.get(key); if self.found is None: the call is tested, as it is by way of a local. `path` is the
 * attribute's; the values it gets are w->dep[dep_from..dep_to). */
void attribute_set(Walk *w, u32 path, u32 dep_from, u32 dep_to);
void attribute_tested(Walk *w, u32 path, u8 test);
enum { KEY_MAX = 100 }; /* bytes of a key expression that are kept to compare it with others */
/* The symbol of a key expression's text; SYM_EMPTY when it is long. */
u32 key_symbol(Walk *w, u32 n);

/* object.c */
/* Walks an expression as the object of something: records what its parts do, and gives the path that names it. */
Path walk_object(Walk *w, u32 n);
Path path_of_name(Walk *w, u32 n);
/* Does it name an attribute: x.a, getattr(self, "a"), self.__dict__["a"]? */
bool names_attribute(Walk *w, u32 n);
/* Is the node the name of this builtin, bound to nothing else here? */
bool is_builtin(Walk *w, u32 n, const char *name);
bool string_literal(Walk *w, u32 n, Str *out);
/* The value that an expression gives, after it has been walked: sets kind and value as in Def. */
void value_of(Walk *w, u32 n, u8 *kind, u32 *value, bool *empty);

/* call.c */
/* Walks a call, records it and returns its id. */
u32 walk_call(Walk *w, u32 n);
/* An argument of the call that is being walked: the value at the node; returns its index in w->args. */
u32 arg_add(Walk *w, u32 n, u32 keyword, bool star);

/* threadargs.c */
/* The arguments of a call of fn that come packed, in args= and the like, once the call's own are there. */
void packed_args(Walk *w, u32 fn, u32 list);

/* test.c */
/* Walks the condition of branch `cond`. */
void walk_test(Walk *w, u32 n, u32 cond);
void walk_comparison(Walk *w, u32 n, bool negated);
/* a if c else b, a and b, a or b */
void walk_branch_expr(Walk *w, u32 n, Use use);

/* expr.c */
void walk_expr(Walk *w, u32 n, Use use);
/* The function may be suspended at this node. */
void suspend_add(Walk *w, u32 n, bool is_yield);

/* oldpython.c */
typedef enum Holds { HOLDS_MAYBE, HOLDS_NEVER, HOLDS_ALWAYS } Holds;
/* What the text of a condition says of the Python that runs it, if it asks for the version and nothing else. */
Holds version_test(Str head);

/* stmt.c */
void walk_function(Walk *w, Pending p);
u32 block_add(Walk *w, BlockKind kind, u32 cond, u32 node);
/* A suite in a block of its own; returns the block, NONE when there is no suite. */
u32 walk_block(Walk *w, BlockKind kind, u32 cond, u32 body);
u32 cond_add(Walk *w, u32 node, u32 head);

/* bind.c */
/* for left in right: binds the names to what they stand for, as far as right tells; dep_from as below. */
void walk_loop_target(Walk *w, u32 left, u32 right, u32 dep_from);
/* Binds the target to a value of this kind (as in Def) that the accesses in w->dep from dep_from on have computed. */
void walk_assign_target(Walk *w, u32 target, u32 value_node, u32 dep_from, u8 kind, u32 value);
/* A Def for each name in the tuple or list that a loop over it binds the target to. */
void loop_choices(Walk *w, u32 target, u32 list);
/* The name is walked or copied: so is each that it is chosen from. */
void choices_read(Walk *w, Path name, Use use, u32 n);
void walk_assignment(Walk *w, u32 n);
void walk_augmented(Walk *w, u32 n);
void walk_delete(Walk *w, u32 n);
void def_add(Walk *w, Path p, u32 target, u8 kind, u32 value, bool empty, u32 annotation, bool augmented);
/* Tells a call the path that the Def just made gives its result to. */
void call_target(Walk *w, u32 target, u8 kind, u32 value);
/* The path of an annotation's class, through Optional and the like; NONE. */
u32 annotation_path(Walk *w, u32 type);

/* section.c */
void walk_with(Walk *w, u32 n);
/* Adds the sections between acquire and release among the accesses from this one on; first_section: the first of this
 * function. */
void acquire_sections(Walk *w, u32 first_access, u32 first_section);
/* The same for calls from this one on that are named like a pair. */
void wrapper_sections(Walk *w, u32 first_call);
/* Sections of locks that an ExitStack enters, in calls from first_call on. */
void stack_sections(Walk *w, u32 first_call);
void locker_sections(Walk *w, u32 first_call);

/* define.c */
void walk_function_def(Walk *w, u32 n, u32 decorated);
void walk_class_def(Walk *w, u32 n, u32 decorated);
void walk_decorated(Walk *w, u32 n);
void walk_import(Walk *w, u32 n);
void walk_import_from(Walk *w, u32 n);

/* comment.c */
void comments_collect(Walk *w);

/* says.c: tells each class what its text says of threads; once functions and classes are known. */
void says_collect(Walk *w);

#endif
