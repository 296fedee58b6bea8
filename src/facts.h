/* The values of facts/: everything that later stages know of one file. Part of pipeline.h, which includes it.
 * They are small, independent of other files, and all ids count within the file. Function 0 is the module body; class
 * bodies count as part of the function they stand in. */
#ifndef UNGIL_FACTS_H
#define UNGIL_FACTS_H

#include "base/base.h"

/* A path is how the source names an object: a root name followed by attributes. Subscripts are the attribute
 * "[]" (symbol SYM_ITEM). Local names that stand for another path (x = self.cache) are replaced by it. */
typedef enum RootKind {
    ROOT_UNKNOWN, /* an expression we do not follow */
    ROOT_GLOBAL,  /* module-level name, or a name that nothing here binds */
    ROOT_LOCAL,   /* local variable of function `func` (not a parameter) */
    ROOT_PARAM,   /* parameter of function `func` */
    ROOT_SELF,    /* first parameter of method `func` */
    ROOT_CLS,     /* first parameter of classmethod `func`, or type(self), self.__class__ in it */
    ROOT_CLASS,   /* name bound in the body of class `func` (a class id), used in that body */
    ROOT_CALL,    /* the result of call `func` (a call id) */
    ROOT_SUPER    /* super() in method `func` */
} RootKind;

enum { PATH_ATTRS = 4, SYM_ITEM = 0, SYM_EMPTY = 1 }; /* symbols 0 and 1 are always "[]" and "" */

typedef struct Path {
    u8 root;
    u8 nattr;
    bool truncated; /* it had more attributes than fit */
    u32 func;       /* see RootKind */
    u32 name;       /* symbol of the root name */
    u32 attr[PATH_ATTRS];
} Path;

typedef enum Op {
    OP_LOAD,       /* the binding is read */
    OP_STORE,      /* the binding is written */
    OP_DEL,        /* the binding is deleted */
    OP_AUG,        /* x += … */
    OP_ITEM_LOAD,  /* x[k] */
    OP_ITEM_STORE, /* x[k] = … */
    OP_ITEM_DEL,   /* del x[k] */
    OP_ITEM_AUG,   /* x[k] += … */
    OP_METHOD,     /* x.name(…), name in `method`; the path is that of x */
    OP_CREAD,      /* passed whole to a C-level reader: list(x), sorted(x), len(x) … name in `method` */
    OP_CONTAINS,   /* k in x, k not in x */
    OP_ITER,       /* for … in x, comprehension over x */
    OP_TRUTH,      /* if x, not x, x is None, x == …: the binding's value decides a branch */
    OP_HASATTR,    /* hasattr(o, "name"), getattr(o, "name", default), "name" in o.__dict__; path includes name */
    OP_ARG,        /* passed to a call */
    OP_RETURN,     /* returned or yielded */
    OP_COUNT
} Op;
extern const char *const op_name[OP_COUNT];

typedef enum TestKind {
    TEST_NO,
    TEST_TRUE,
    TEST_FALSE,
    TEST_NONE,
    TEST_NOT_NONE,
    TEST_IN,
    TEST_NOT_IN,
    TEST_COMPARE
} TestKind;

typedef struct Access {
    u32 path;           /* path id, aliases resolved */
    u8 op;              /* Op */
    u8 test;            /* TestKind: how it decides branch `cond` */
    bool in_nested_def; /* inside a default value or decorator: runs at definition time */
    u8 nargs;           /* OP_METHOD: number of arguments, at most 255 */
    bool awaited;       /* the method call is awaited: x.get() is a coroutine, not a thread operation */
    u32 method;         /* symbol: method name (OP_METHOD), reader (OP_CREAD), or the builtin that uses an attribute
                           by a computed name: getattr(o, name) is an OP_ITEM_LOAD of o.__dict__; else SYM_ITEM */
    u32 key;            /* symbol of the key expression's text for item and contains operations, else SYM_EMPTY */
    u32 func;           /* function it runs in */
    u32 block;
    u32 stmt;         /* byte offset where its statement starts */
    u32 cond;         /* the branch its value decides, directly or through a local; NONE */
    u32 value;        /* for stores: the Def that tells what is stored; NONE */
    u32 local;        /* symbol of the local that holds its value afterwards; SYM_EMPTY */
    Span span;        /* of the expression (x, x[k], x.name(…)) */
    u32 line, column; /* from 1; columns in code points */
    u32 end_line, end_column;
} Access;

/* The value read at `from` decides or computes the value written at `to` (same function, same path). */
typedef struct Flow {
    u32 from, to; /* access ids */
} Flow;

typedef enum BlockKind {
    BLOCK_FUNC,
    BLOCK_CLASS,
    BLOCK_THEN,
    BLOCK_ELSE,
    BLOCK_LOOP,
    BLOCK_TRY,
    BLOCK_EXCEPT,
    BLOCK_FINALLY,
    BLOCK_WITH,
    BLOCK_CASE,
    BLOCK_COMPREHENSION,
    BLOCK_MAIN /* if __name__ == "__main__": */
} BlockKind;
extern const char *const block_name[];

typedef struct Block {
    u8 kind;
    bool exits;   /* control never runs off its end: return, raise, continue, break */
    bool repeats; /* this block or one around it, within the function, runs many times */
    bool typing;  /* under `if TYPE_CHECKING` */
    bool dead;    /* no Python with a free-threaded build runs it: nothing else is known of what stands in it */
    u32 parent;   /* block id; NONE for a function's own block */
    u32 func;
    u32 cond;    /* the Cond that chooses this block; NONE */
    u32 catches; /* BLOCK_EXCEPT: symbol of the exception text, SYM_EMPTY for a bare except */
    Span span;
} Block;

/* A place where control may go two ways: if, while, conditional expression, and/or, assert, try/except. */
typedef struct Cond {
    bool loop, is_try, is_expr;
    u32 func;
    u32 block;                  /* the block the statement stands in */
    u32 then_block, else_block; /* NONE when there is none; for try: the body and the first handler */
    Span span;                  /* the whole statement or expression */
    Span head;                  /* the condition alone */
} Cond;

typedef enum ValueKind {
    VAL_OTHER,
    VAL_NONE,
    VAL_BOOL,
    VAL_NUMBER,
    VAL_STRING,
    VAL_LIST,
    VAL_DICT,
    VAL_SET,
    VAL_TUPLE,
    VAL_GENERATOR,
    VAL_LAMBDA,
    VAL_PATH,
    VAL_CALL,
    VAL_FUNC,
    VAL_CLASS,
    VAL_ITER_OF /* for x in PATH */,
    VAL_ENTER_OF /* with PATH as x */,
    VAL_ONE_OF /* for x in (PATH, …): a Def for each, beside the loop's own; says something of functions only */
} ValueKind;

/* One binding of a name or attribute: x = value, def x, for x in …, with … as x, x: T, return value. */
typedef struct Def {
    u32 path; /* what is bound; NONE for a return */
    u8 kind;  /* ValueKind */
    bool is_return;
    bool augmented;
    bool empty; /* an empty container literal */
    u32 func, block;
    u32 value; /* VAL_PATH/ITER_OF/ENTER_OF: path id · VAL_CALL: call id · VAL_FUNC/LAMBDA: func · VAL_CLASS: class */
    u32 annotation; /* path id of a simple annotation, NONE */
    u32 item_of;    /* for x in list(PATH), for x in f(), x, y = PATH: path id of what x is drawn from, NONE */
    Span span;      /* of the target */
    u32 stmt;
} Def;

typedef struct Arg {
    u32 keyword; /* symbol, SYM_EMPTY when positional */
    u8 kind;     /* ValueKind */
    bool star;
    u32 value; /* as in Def */
    u32 text;  /* symbol of a short string or number literal, SYM_EMPTY */
    Span span;
} Arg;

typedef struct Call {
    u32 callee; /* path id */
    u32 func, block;
    u32 args, nargs; /* range in Facts.args */
    u32 target;      /* path id that the result is assigned to, NONE */
    u32 stmt;
    bool awaited, in_with, is_decorator;
    u32 decorates; /* is_decorator: the function it decorates */
    Span span;
    u32 line, column;
} Call;

/* A stretch of one function that runs inside a with statement, between acquire and release, or between two calls
 * whose names say that they take and release something (link finds out whether that is a lock). */
typedef enum SectionKind { SECTION_WITH, SECTION_ACQUIRE, SECTION_ASYNC_WITH, SECTION_CALLS } SectionKind;
typedef struct Section {
    u8 kind;
    bool finally; /* acquire: released in a finally */
    bool maybe;   /* acquire with timeout or blocking=False, and its result is not tested */
    bool ignored; /* acquire(False), and what it says is not even kept: whether it is held, nobody knows */
    bool tries;   /* acquire with an argument that may make it give up, rather than wait for ever */
    bool entered; /* only released here, or only taken here (__enter__, __exit__): held from the start, or to the end
                   */
    u32 func;
    u32 path;  /* the context expression, or what .acquire is called on; for a call its callee path */
    u32 call;  /* the call when the context expression is one: with self.lock.read(): */
    Span span; /* where it is held */
    Span hole; /* where in it it is not: what runs when acquire() has given up; empty */
    u32 stmt;  /* start of the statement that takes it */
} Section;

/* Is it held at the offset of its function? */
static inline bool section_holds(const Section *s, u32 offset)
{
    bool gave_up = offset >= s->hole.start && offset < s->hole.end;
    return offset >= s->span.start && offset < s->span.end && !gave_up && !s->ignored;
}

/* Where a function may be suspended: await, yield, async for, async with. */
typedef struct Suspend {
    u32 func, offset;
    bool is_yield;
} Suspend;

typedef struct Func {
    u32 name;       /* symbol; "<lambda>" for lambdas, "" for the module body */
    u32 cls;        /* class whose body it stands in, NONE */
    u32 parent;     /* enclosing function (0 = module) */
    u32 self_class; /* class of the ROOT_SELF it sees (also for functions nested in methods), NONE */
    u32 self_func;  /* the method that owns that self */
    bool is_async, is_generator, is_lambda, is_static, is_classmethod, is_property, has_error, is_overload;
    u32 params, nparams;         /* range in Facts.params */
    u32 decorators, ndecorators; /* range in Facts.decorators: path ids */
    u32 block;                   /* its own block; NONE when nothing of it was read (a branch for another Python) */
    u32 returns;                 /* path id of the return annotation, NONE */
    u32 accesses, naccesses;     /* ranges in Facts.accesses, .calls, .sections: what this function itself does */
    u32 calls, ncalls;
    u32 sections, nsections;
    Span span, body;
    u32 line;
} Func;

typedef struct Param {
    u32 name;
    u32 annotation; /* path id or NONE */
    u8 def_kind;    /* ValueKind of the default; VAL_OTHER with has_default */
    bool has_default, star, star2, empty;
    u32 def_value;
    Span span;
} Param;

typedef struct Class {
    u32 name;
    u32 func;                    /* function its statement stands in (0 = module) */
    u32 outer;                   /* class it stands in, NONE */
    u32 bases, nbases;           /* range in Facts.bases: path ids */
    u32 decorators, ndecorators; /* range in Facts.decorators */
    u32 metaclass;               /* path id or NONE */
    bool has_slots;
    bool says_shared;    /* its text says that several threads use its objects (says.c) */
    bool leaves_locking; /* it says of itself that it is not thread-safe, and that its users must lock */
    Span span, body;
    u32 block; /* of its body; NONE when nothing of it was read */
    u32 line;
} Class;

typedef struct Import {
    u32 local;  /* symbol it binds; SYM_EMPTY for * */
    u32 module; /* symbol of the dotted module text ("" for `from . import x`) */
    u32 name;   /* symbol imported from it; SYM_EMPTY for `import module` */
    u8 level;   /* leading dots */
    bool star, typing;
    u32 func;  /* function the statement stands in (0 = module) */
    Span span; /* the statement */
} Import;

/* A comment that speaks to us. */
typedef enum CommentKind {
    COMMENT_IGNORE,
    COMMENT_FILE_IGNORE,
    COMMENT_NOQA,
    COMMENT_GUARDED_BY,
    COMMENT_THREAD_CONFINED,
    COMMENT_SINGLE_THREADED
} CommentKind;
typedef struct Comment {
    u8 kind;
    bool own_line; /* nothing else on its line: it speaks of the next statement */
    u32 line;
    u32 codes;                 /* symbol: the text in the brackets, or the lock's name */
    u32 reason;                /* symbol */
    u32 first_line, last_line; /* lines of the statement it covers */
    Span span;
} Comment;

typedef struct Facts {
    const Source *source;
    Intern syms;
    Vec(Path) paths;
    Vec(Func) funcs;
    Vec(Class) classes;
    Vec(Param) params;
    Vec(u32) decorators, bases;
    Vec(Block) blocks;
    Vec(Cond) conds;
    Vec(Access) accesses; /* grouped by function, then in the order of evaluation as far as the text tells */
    Vec(Flow) flows;      /* sorted by their ends */
    Vec(Def) defs;
    Vec(Call) calls;
    Vec(Arg) args;
    Vec(Section) sections;
    Vec(Suspend) suspends;
    Vec(Import) imports;
    Vec(Comment) comments;
    Vec(Span) errors;    /* syntax error nodes */
    bool has_main_guard; /* if __name__ == "__main__" */
    bool python2;        /* it has statements that Python 3 does not: print "x" */
    bool runs_calls;     /* its module body is there to be run: it calls its own functions */
    Vec(Unseen) unseen;  /* uses that cannot be followed */
    NoteVec notes;
} Facts;

/* Collects the facts of one parsed file. The result lives in the arena and keeps no pointer into the tree. */
Facts *facts_collect(Arena *out, const Source *s, const Tree *tree);
struct Ast;
/* The same from a flat copy of the tree (parse/ast.h). */
Facts *facts_of_ast(Arena *out, const struct Ast *t);
/* Does a comment or docstring say that what it speaks of is not thread-safe, or that its users must lock? */
bool leaves_locking(Str text);

/* Collects the facts of all sources, on o->jobs threads: from the cache when the same text was seen before,
 * else by parsing. *out has one Facts for each source, in their order, owned by a; what the files had to say
 * about themselves is added to notes. Fails only when the cache folder that was asked for cannot be made. */
bool facts_all(Arena *a, const Options *o, const SourceList *sources, Facts ***out, NoteVec *notes, Err *e);
/* Path as text ("self._cache", "os.environ"), for dumps and messages. */
Str path_text(Arena *a, const Facts *f, u32 path);
Str sym_str(const Facts *f, u32 sym);
/* Does the path end with an attribute, app.stats.hits? With what is taken out of a container, jobs[0]? */
static inline bool path_is_attr(const Path *x)
{
    return x->nattr && x->attr[x->nattr - 1] != SYM_ITEM;
}
static inline bool path_is_item(const Path *x)
{
    return x->nattr && x->attr[x->nattr - 1] == SYM_ITEM;
}
/* The last name of a path: "hits" of app.stats.hits, "app" of app alone, "[]" of jobs[0]. */
Str path_last(const Facts *f, const Path *x);
/* The name that a call calls something by: "start" of Thread(target=f).start(). */
Str call_last(const Facts *f, const Call *c);
/* Do statements of the block itself run again and again: a loop, a comprehension? */
static inline bool block_is_loop(const Block *b)
{
    return b->kind == BLOCK_LOOP || b->kind == BLOCK_COMPREHENSION;
}
/* The innermost loop or comprehension that is the block, or that the block stands in; NONE. */
u32 block_loop(const Facts *f, u32 block);
/* Does it stand in a loop that is a statement? */
bool block_in_loop(const Facts *f, u32 block);
/* Is block `inner` the block `outer` or inside it? */
bool block_within(const Facts *f, u32 inner, u32 outer);
void facts_dump(Buf *out, const Facts *f);

#endif
