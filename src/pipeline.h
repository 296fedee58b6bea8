/* The whole program on one page: the values that flow between the stages, and every stage's public functions,
 * in stage order (docs/design.md).
 *
 *   read ─Source→ parse ─Tree→ facts ─Facts→ link ─Program→ races ─Race→ fixes ─Fix→ edit ─Change→ emit
 *
 * Values are plain data: ids are u32 indices (NONE = no such thing), text positions are byte offsets into
 * Source.text, and nothing points back to an earlier stage's private data. Only read and emit touch the
 * outside world. */
#ifndef UNGIL_PIPELINE_H
#define UNGIL_PIPELINE_H

#include "base/base.h"

#define UNGIL_VERSION "0.1.0"

typedef struct Span {
    u32 start, end; /* bytes, end exclusive */
} Span;

/* ---- rules (know/rules.def) --------------------------------------------------------------------------- */

typedef enum Severity { SEV_NOTE, SEV_WARNING, SEV_ERROR } Severity;
typedef enum Confidence { CONF_LOW, CONF_MEDIUM, CONF_HIGH } Confidence;
/* What the removal of the GIL changes; docs/memory-model.md says how it is known. */
typedef enum Impact { IMPACT_NEW, IMPACT_WORSE, IMPACT_DUPLICATE, IMPACT_CONTRACT, IMPACT_ADVICE } Impact;

#define RULE(code, name, severity, line) code,
typedef enum RuleId {
#include "know/rules.def"
    RULE_COUNT
} RuleId;
#undef RULE

typedef struct RuleInfo {
    const char *code, *name;
    Severity severity;
    const char *line;
} RuleInfo;

extern const RuleInfo rule_table[RULE_COUNT];
extern const char *const severity_name[], *const confidence_name[], *const impact_name[];
/* The rule with this code ("UG101") or name ("unguarded-update"), or RULE_COUNT. */
RuleId rule_find(Str code);
/* Is the rule among these codes? "UG1" selects the group, "ALL" everything; names work too. */
bool rule_selected(RuleId rule, const Str *codes, u32 n);

/* Documents compiled into the program; src/tool/embed.c writes the tables. */
typedef struct EmbeddedPage {
    const char *name, *text;
    u32 len;
} EmbeddedPage;
extern const EmbeddedPage rule_pages[]; /* docs/rules/ */
extern const u32 rule_page_count;
/* The page about a rule; empty for a rule that this version does not look for. */
Str rule_page(RuleId rule);

/* ---- notes: what was not analysed, and why ------------------------------------------------------------- */

typedef struct Note {
    Str path;         /* empty: about the run */
    u32 line;         /* 0: about the whole file */
    const char *code; /* stable word: "syntax-error", "not-utf8", "unreadable", … */
    Str message;      /* a sentence that says what was skipped and what to do */
} Note;
typedef Vec(Note) NoteVec;

/* What no analysis without running the code can see (know/unseen.def): counted, so that silence is not taken for more
 * than it is. */
#define UNSEEN(id, key, what, why) id,
typedef enum UnseenKind {
#include "know/unseen.def"
    UNSEEN_COUNT
} UnseenKind;
#undef UNSEEN
typedef struct UnseenRow {
    const char *key, *what, *why;
} UnseenRow;
extern const UnseenRow unseen_table[UNSEEN_COUNT];
/* One such place in a file. */
typedef struct Unseen {
    u8 kind;
    u32 line;
} Unseen;

/* ---- conf: options and configuration (src/conf) -------------------------------------------------------- */

typedef enum Command {
    CMD_CHECK,
    CMD_DIFF,
    CMD_FIX,
    CMD_COMMIT,
    CMD_REVIEW,
    CMD_SERVE,
    CMD_EXPLAIN,
    CMD_RULES,
    CMD_TRANSFORMS,
    CMD_GUARDS,
    CMD_DEPS,
    CMD_DOCTOR,
    CMD_BENCH,
    CMD_PLAN,
    CMD_REPORT,
    CMD_BASELINE,
    CMD_HELP,
    CMD_VERSION,
    CMD_COUNT
} Command;
typedef enum Format {
    FMT_TEXT,
    FMT_CONCISE,
    FMT_JSON,
    FMT_JSONL,
    FMT_SARIF,
    FMT_RDJSON,
    FMT_GITHUB,
    FMT_GITLAB,
    FMT_JUNIT,
    FMT_MARKDOWN,
    FMT_HTML,
    FMT_COUNT
} Format;
/* What one commit holds; by default a decision, with --owners all of the same owners. */
typedef enum Per { PER_DEFAULT, PER_DECISION, PER_RULE, PER_FILE, PER_ALL } Per;
typedef enum Dump { DUMP_NONE, DUMP_FACTS, DUMP_PLACES, DUMP_RACES, DUMP_PLAN, DUMP_EDITS, DUMP_COUNT } Dump;
typedef enum Assume { ASSUME_AUTO, ASSUME_ALWAYS, ASSUME_NEVER } Assume;
typedef enum Model { MODEL_CPYTHON, MODEL_STRICT } Model;
extern const char *const assume_name[], *const model_name[];
typedef enum ColorMode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } ColorMode;
typedef Vec(Str) StrVec;
/* [tool.ungil.per-file-ignores]: a glob and the codes that are silent in files it matches. */
typedef struct PathIgnore {
    Str glob;
    StrVec codes;
} PathIgnore;

/* `review --post`: where the comments go. What is empty is taken from the environment of the CI system. */
typedef enum PostService { POST_NONE, POST_GITHUB, POST_GITLAB, POST_GITEA } PostService;
typedef struct PostOptions {
    int service;      /* PostService */
    Str api_url;      /* "https://api.github.com" */
    Str repository;   /* owner/name; GitLab: path or number of the project */
    Str pull_request; /* its number */
    Str head_label;   /* owner:branch of its head, to look the number up */
    Str token_file;
    Str from;       /* a file written by review --format json, untrusted */
    Str fix_branch; /* push the fixes there */
    u32 max_comments;
    bool dry_run;
} PostOptions;

/* Options of `ungil serve` alone. */
typedef struct ServeOptions {
    Str listen, state, secrets, reviewer;
    StrVec services, repositories;
    u32 workers, queue, body, request_time, job_time, retry_time, stop_time; /* body in KiB, times in seconds */
    u32 repository_limit, cache_limit;                                       /* MiB */
} ServeOptions;

/* A way in which functions come to run in threads: a row of know/threads.def, or of [[tool.ungil.roots]]. */
typedef enum RootHow {
    ROOT_BY_CALL,      /* name(…, f, …) */
    ROOT_BY_METHOD,    /* anything.name(…, f, …) */
    ROOT_BY_BASE,      /* class C(name): `method` runs */
    ROOT_BY_DECORATOR, /* @name */
    ROOT_BY_ATTRIBUTE, /* anything.name = f */
    ROOT_BY_FUNCTION   /* the function of this name runs */
} RootHow;
typedef struct RootRow {
    u8 how;
    u8 type;   /* by method: TypeKind of the receiver; 0 or TYPE_KINDS: any */
    bool many; /* more than one such thread may run the function at once */
    bool own;  /* by base: every thread has an object of its own */
    const char *name, *keyword, *method;
    const char *package, *receivers; /* which file must import one of them; words on which a decorator is called */
    u32 position;                    /* of the argument, without keywords, from 0 */
    const char *label;               /* how messages call the thread; %s: the function */
} RootRow;

typedef struct Options {
    Command command;
    StrVec args; /* PATHs, or what explain/doctor/bench are asked about */
    Str root;    /* absolute directory; paths in output are relative to it */
    StrVec select, ignore, exclude, include, extend_roots;
    StrVec safe_rules, unsafe_rules; /* whose fixes the user takes for safe, or wants to look at */
    StrVec only;                     /* fingerprints: no other findings are fixed */
    Vec(PathIgnore) path_ignores;
    Vec(RootRow) roots;
    Format format;
    Str output; /* -o FILE, empty: stdout */
    bool unsafe_fixes, exit_zero, no_gitignore, isolated, no_cache, statistics, allow_dirty, interactive;
    bool signoff, test, owners, blame_revs, step_summary;
    Per per;       /* what one commit holds */
    bool loose;    /* no --root, no repository, no project file: the root is only where the PATHs are */
    int verbosity; /* -q: -1, -v: 1 */
    Confidence min_confidence;
    Assume assume;
    Model model;
    int target; /* minor version: 13, 14, 15 */
    Str config, transforms_dir, baseline, cache_dir, branch, base_rev, head_rev, patches;
    u32 jobs; /* 0: one per processor */
    Dump dump;
    ColorMode color;
    bool colored;      /* decided from color, the terminal and NO_COLOR */
    const bool *given; /* by row of the option table: set on the command line */
    PostOptions post;  /* review --post */
    ServeOptions serve;
} Options;

/* A TOML value (parse/toml.c). Arrays and tables have items; the items of a table have keys. */
typedef enum TomlKind {
    TOML_TABLE,
    TOML_ARRAY,
    TOML_STRING,
    TOML_INTEGER,
    TOML_FLOAT,
    TOML_BOOL,
    TOML_DATE
} TomlKind;
typedef struct Toml {
    u8 kind;
    Str key;
    u32 line;
    Str text;       /* strings: decoded; others: as written */
    int64_t number; /* integers; booleans as 0 and 1 */
    Vec(struct Toml *) items;
} Toml;
/* The document as a table, in the arena. On an error returns NULL with a sentence and its line. */
const Toml *toml_parse(Arena *a, Str text, u32 *line, Err *e);
/* The value under a dotted path of keys, or NULL. */
const Toml *toml_get(const Toml *t, const char *dotted);

/* Fills o from the command line and the configuration file. Everything it keeps lives in the arena. On a usage
 * or configuration error returns false with a sentence (and file:line) in e; the caller exits with 2. */
bool options_parse(Arena *a, int argc, char **argv, Options *o, Err *e);
/* Applies a configuration file that is not in the file system: `name` tells messages what it is ("HEAD:ungil.toml"),
 * and globs in it are relative to the root. Its keys that name files or directories of this machine, or how much of
 * it to use, are not followed: the text may be anybody's. *found tells whether it speaks of us. */
bool config_apply_text(Arena *a, Options *o, Str name, Str text, bool *found, Err *e);
/* Does the path match any of the globs? A glob without '/' is compared with every part of the path, one with '/'
 * with the whole path and with its leading directories. */
bool globs_match(const StrVec *globs, Str path);
/* Is the rule silent in this file, by per-file-ignores? */
bool path_ignores_rule(const Options *o, Str path, RuleId rule);
/* FILE:LINE or FILE:LINE:COLUMN in its parts; false when the word is neither. */
bool file_line_split(Str word, Str *file, u32 *line);
/* The command of this name. */
bool command_named(Str name, Command *c);
/* The text of `ungil --help` or `ungil COMMAND --help`. */
void options_help(Buf *out, Command c);

/* ---- read: files to Sources (src/read) ----------------------------------------------------------------- */

typedef enum Newline { NL_LF, NL_CRLF, NL_CR } Newline;

typedef struct Source {
    u32 id;          /* index in the source list, sorted by path */
    Str path;        /* relative to the root, '/' separated */
    Str abs;         /* where to write it back; empty when it came from a git tree */
    Str text;        /* the bytes of the file, exactly; NUL after the last one, not counted */
    u32 *line_start; /* line_start[i] = offset of line i (from 0); nlines entries */
    u32 nlines;
    u32 *points;     /* points[i] = code points before offset i * 1024: columns in very long lines */
    Newline newline; /* of most lines */
    Str indent;      /* one unit of indentation of this file: "    ", "\t", … */
    bool bom;
    bool in_package; /* its directory has an __init__.py */
    bool executable; /* in a git tree */
    Str module;      /* dotted module name, e.g. "app.stats"; packages without ".__init__" */
    u64 hash;        /* of the text */
} Source;

typedef struct SourceList {
    Source **v;
    u32 n;
} SourceList;

/* Finds the Python files under the paths (git-aware: ignored files are left out unless asked for; without a
 * repository, common junk directories are), reads and indexes them in parallel. A file that cannot be analysed
 * becomes a Note. Fails only when a PATH given by the user does not exist or lies outside the root. */
bool read_sources(Arena *a, const Options *o, SourceList *out, NoteVec *notes, Err *e);
/* Starts libgit2, once for each git_libgit2_shutdown, so that it opens every kind of repository that we can read. */
void git_start(void);
/* Makes a Source from bytes in memory: line index, newline style, indent unit, module name from the path.
 * False, with a note, when the text cannot be analysed (NUL bytes, not UTF-8, …). */
bool source_index(Arena *a, Source *s, NoteVec *notes);
/* Line (from 1) and column (from 1, in code points) of a byte offset. */
void source_position(const Source *s, u32 offset, u32 *line, u32 *column);
/* The text of line `line` (from 1), without its newline. */
Str source_line(const Source *s, u32 line);

/* A stretch of a diff. marks has one character for each line: ' ' in both files, '-' only in the old one, '+' only
 * in the new one. */
typedef struct Hunk {
    u32 old_start, old_lines, new_start, new_lines;
    Str marks;
} Hunk;
typedef struct FileDiff {
    Str old_path, path; /* the same unless renamed; of a deleted or new file too */
    bool added, deleted;
    Vec(Hunk) hunks;
} FileDiff;

/* Two commits and what lies between them. `before` is the tree of their merge base, `after` that of head: what a pull
 * request changes is what happened since it left its base. */
typedef struct Revisions {
    Str base, merge_base, head; /* full ids, in hexadecimal */
    SourceList before, after;
    u32 *same;           /* by file of before: the file of after with the same bytes and module name, NONE */
    u32 *renamed;        /* by file of before: the file of after that it became; NONE when it is gone */
    Vec(FileDiff) files; /* that differ, of any kind, sorted by path */
} Revisions;

/* Reads the Python files of both trees from git's object store; the repository (which may be bare) is found from
 * o->root or the current directory. Takes the configuration from the tree of head unless one was given, and sets
 * o->root to the top of the repository. Fails with a sentence when a revision does not exist or there is no merge
 * base. */
bool read_revisions(Arena *a, Options *o, Revisions *out, NoteVec *notes, Err *e);
/* Is the root a bare repository, or in one? */
bool repo_is_bare(Arena *a, const Options *o);
/* The Python files of HEAD's tree, for a repository without a work tree; configuration and root as above. */
bool read_head(Arena *a, Options *o, SourceList *out, NoteVec *notes, Err *e);
/* The diff of a file of head, by its path; NULL when it did not change. */
const FileDiff *file_diff(const Revisions *r, Str path);
/* Are any of the lines first..last of the new file added by the diff? f may be NULL. */
bool lines_added(const FileDiff *f, u32 first, u32 last);
/* The hunk that holds all of the lines first..last of the new file, context included; NULL. */
const Hunk *hunk_holding(const FileDiff *f, u32 first, u32 last);

/* One fetch of a pull request into a bare repository, for the bot. */
enum { FETCH_BASE, FETCH_HEAD, FETCH_REFS };
typedef struct FetchOrder {
    const char *dir;              /* the bare repository; made when it is not there */
    const char *url, *origin;     /* what to fetch; the start of addresses that may see the token, with a final '/' */
    const char *user, *token;     /* token NULL: without credentials */
    const char *refs[FETCH_REFS]; /* full names of the base's and the head's ref over there, "refs/heads/main" */
    const char *expect;           /* a commit that ought to be there afterwards; NULL */
    u64 max_bytes;                /* of one transfer; 0: any number */
} FetchOrder;
typedef struct FetchedRefs {
    Str ids[FETCH_REFS]; /* the commits that the refs stand for now */
    bool has_expected;   /* is the expected commit in the repository? */
} FetchedRefs;
/* FETCH_RETRY: the network or the other side failed and may not fail the next time. */
typedef enum FetchResult { FETCH_OK, FETCH_RETRY, FETCH_REFUSED } FetchResult;
FetchResult repo_fetch(Arena *a, const FetchOrder *o, FetchedRefs *out, Err *e);
/* Removes what a fetch that was killed left in the bare repository. Nobody else may be using it. */
void fetch_sweep(const char *dir);

/* ---- parse: Source to Tree (src/parse; the node API is in parse/parse.h) -------------------------------- */

typedef struct Tree Tree;
/* Parses one source. Never fails: damaged code gives a tree with error nodes, and text that takes too long (see
 * tree_too_slow) an empty one. Free with tree_free. */
Tree *tree_parse(const Source *s);
/* Was the parser stopped, and the tree left empty? It takes a time that grows with the square of some damaged texts.
 */
bool tree_too_slow(const Tree *t);
void tree_free(Tree *t);

/* ---- facts: Tree to Facts (src/facts) ------------------------------------------------------------------ */

/* Everything that later stages know of one file. Small, independent of other files, and all ids count within
 * the file. Function 0 is the module body; class bodies count as part of the function they stand in. */

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
    u32 method;         /* symbol: method name (OP_METHOD) or reader (OP_CREAD) */
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
    VAL_ENTER_OF /* with PATH as x */
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
    bool entered; /* only released here, or only taken here (__enter__, __exit__): held from the start, or to the end
                   */
    u32 func;
    u32 path;  /* the context expression, or what .acquire is called on; for a call its callee path */
    u32 call;  /* the call when the context expression is one: with self.lock.read(): */
    Span span; /* where it is held */
    u32 stmt;  /* start of the statement that takes it */
} Section;

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
    u32 block;                   /* its own block */
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
    Span span, body;
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
    bool runs_calls;     /* its module body calls its own functions */
    Vec(Unseen) unseen;  /* uses that cannot be followed */
    NoteVec notes;
} Facts;

/* Collects the facts of one parsed file. The result lives in the arena and keeps no pointer into the tree. */
Facts *facts_collect(Arena *a, const Source *s, const Tree *t);

/* Collects the facts of all sources, on o->jobs threads: from the cache when the same text was seen before,
 * else by parsing. *out has one Facts for each source, in their order, owned by a; what the files had to say
 * about themselves is added to notes. Fails only when the cache folder that was asked for cannot be made. */
bool facts_all(Arena *a, const Options *o, const SourceList *sources, Facts ***out, NoteVec *notes, Err *e);
/* Path as text ("self._cache", "os.environ"), for dumps and messages. */
Str path_text(Arena *a, const Facts *f, u32 path);
Str sym_str(const Facts *f, u32 sym);
/* Is block `inner` the block `outer` or inside it? */
bool block_within(const Facts *f, u32 inner, u32 outer);
void facts_dump(Buf *out, const Facts *f);

/* ---- link: Facts to Program (src/link) ----------------------------------------------------------------- */

/* Global ids: functions, classes, calls and accesses of all files are numbered through; file and local id come
 * back with gfunc_file() and friends. */
typedef struct GId {
    u32 file, id;
} GId;

typedef enum PlaceKind { PLACE_GLOBAL, PLACE_CLASS_ATTR, PLACE_INSTANCE, PLACE_CLOSURE, PLACE_DEFAULT } PlaceKind;

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
                        EV_PURPOSE = 512    /* its class is a pool or lock, or speaks of threads */
} Evidence;

/* Signs that the object of an instance attribute stays with one thread; a set of bits. */
typedef enum Sign {
    SIGN_LOOP = 1,   /* its class has coroutines */
    SIGN_WINDOW = 2, /* it is a widget */
    SIGN_FLOW = 4,   /* it is named after one step of work: a cursor, a request, a builder */
    SIGN_INSIDE = 8, /* most objects of its class are made for a local and do not leave the call */
    SIGN_FINAL = 16  /* the contrary: its class has __del__, which any thread may run */
} Sign;

typedef struct Place {
    u8 kind;            /* PlaceKind */
    u8 signs;           /* Sign bits */
    Type type;          /* of what it holds */
    bool is_lock;       /* it holds a lock: never reported as data */
    bool thread_local_; /* threading.local, ContextVar, or an attribute of one */
    bool confined;      /* declared `# ungil: thread-confined` */
    bool public_;       /* name without a leading underscore */
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
} Place;

typedef struct Lock {
    u32 place; /* the place that holds it, NONE for unknown expressions */
    u8 kind;   /* TYPE_LOCK, TYPE_RLOCK, … ; TYPE_UNKNOWN for something named like a lock */
    bool reentrant;
    bool maybe;  /* only its name says that it is a lock */
    Str display; /* "app.stats._lock" */
    u32 func;    /* lock local to a function: that function, else NONE */
    bool hoped;  /* every caller in sight holds `real`, but others may call: then `maybe` is set, too */
    u32 real;
} Lock;

/* Who calls a function as a thread of its own. Root 0 is the main program, root 1 "any caller" of a library. */
enum { ROOT_MAIN = 0, ROOT_API = 1 };
typedef struct Root {
    u32 func;       /* global func that runs in it; NONE for ROOT_API */
    bool many;      /* more than one such thread may run at once */
    bool own;       /* each such thread has an object of its own (a Thread subclass, a request handler) */
    Str display;    /* "Thread(target=worker) at app/main.py:40" */
    u32 file, call; /* where it is started; NONE */
} Root;

enum { FUNC_ROOTS = 6 };
typedef struct FuncInfo {
    u32 roots[FUNC_ROOTS]; /* roots that reach it, first ones */
    u8 nroots;             /* how many are in roots[] */
    bool many;             /* reached by a root that runs more than once, or by more than fit */
    bool main;             /* reached from the main program */
    bool api;              /* callable by users of a library, from any thread */
    bool construct;        /* runs only while its object is being made (__init__ and its private helpers) */
    bool import_time;      /* runs only while modules are imported */
    bool decorates_once;   /* a decorator factory: what it returns runs once for each definition, while modules are
                              imported */
    bool event_loop;       /* coroutine or only called from coroutines */
    u32 entry_locks;       /* lockset that every caller holds (caller-holds-the-lock helpers) */
    u32 first_start, last_join; /* byte offsets: before/after them no thread started here runs; NONE */
} FuncInfo;

/* A set of lock ids, interned; id 0 is the empty set. */
typedef struct LockSet {
    u32 n;
    u32 *ids; /* sorted */
} LockSet;

typedef struct CallEdge {
    u32 caller, callee; /* global funcs */
    u32 file, call;     /* the call */
    bool weak;          /* by method name only */
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
    u32 unseen[UNSEEN_COUNT]; /* what could not be followed, in all files */
    struct LinkState *state;  /* private to link/ */
} Program;

/* Links the facts of all files into one program. Pure; the result lives in the arena. `facts` must be in the
 * order of the source list. */
Program *program_link(Arena *a, const Options *o, Facts **facts, u32 n);
GId func_gid(const Program *p, u32 gfunc);
GId access_gid(const Program *p, u32 gaccess);
const Access *program_access(const Program *p, u32 gaccess);
const Func *program_func(const Program *p, u32 gfunc);
/* "app.stats.Counter.add", for messages. */
Str func_display(Arena *a, const Program *p, u32 gfunc);
/* Does the path look like one of tests? */
bool is_test_path(Str path);
/* How many calls in the program make objects of this class. */
u32 class_made_at(const Program *p, u32 gclass);
/* Why two accesses do not run at the same time in two threads. */
typedef enum Apart {
    APART_NOT,        /* they may */
    APART_FIRST,      /* the first does not count (access_alone) */
    APART_SECOND,     /* nor does the second */
    APART_LOOP,       /* both run in an event loop */
    APART_OBJECT,     /* each thread has an object of its own */
    APART_ORDER,      /* before the first start or after the last join */
    APART_ONE_THREAD, /* one thread, of which there is one, runs both */
    APART_NO_THREAD   /* no two threads reach them */
} Apart;
Apart may_run_apart(const Program *p, u32 gaccess1, u32 gaccess2);
/* May the two accesses run at the same time, in two threads, as far as roots and ordering tell? */
bool may_run_together(const Program *p, u32 gaccess1, u32 gaccess2);
/* Does this access count for sharing: not import time, not construction of its own object, not an object of its own?
 */
bool access_counts(const Program *p, u32 gaccess);
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
/* Some lock that is in both sets, or NONE. */
u32 lockset_common(const Program *p, u32 set1, u32 set2);
/* Type of what a path names, seen from its file; TYPE_UNKNOWN when nothing tells. */
Type path_type(const Program *p, u32 file, u32 path);
/* The place a path names, or NONE. */
u32 path_place(const Program *p, u32 file, u32 path);
/* Full dotted name of an external function or class that a path names ("threading.Thread"), or empty. */
Str path_external(const Program *p, u32 file, u32 path);
/* Functions that a call may run (global ids), written to out, at most max; returns how many. */
u32 call_targets(const Program *p, u32 file, u32 call, u32 *out, u32 max);
/* Is the call a method of an object of unknown type? */
bool call_unknown(const Program *p, u32 file, u32 call);
/* Does the Def replace a function, a class, or an attribute of a module that was not read? */
bool def_patches(const Program *p, u32 file, u32 def);
/* Does the star import lead to a module that was not read? */
bool star_unknown(const Program *p, u32 file, const Import *im);
/* The methods of this name that the self seen by a function may have: of its class and of classes derived from it. */
u32 self_methods(const Program *p, u32 file, u32 func, const char *name, u32 *out, u32 max);
void places_dump(Buf *out, const Program *p);
void guards_dump(Buf *out, const Program *p);

/* ---- races: Program to Race (src/races) ---------------------------------------------------------------- */

enum { RACE_WHY = 6, RACE_SITES = 12 };
typedef struct Race {
    u8 rule; /* RuleId */
    u8 impact, severity, confidence;
    bool suppressed; /* by a comment, or because it is known */
    bool known;      /* the baseline lists it */
    u32 file;        /* where it is reported: the file of site 0 */
    u32 func;        /* function in that file */
    u32 place;       /* NONE for rules that are not about one place */
    Span span;       /* what is underlined */
    u32 line, column, end_line, end_column;
    /* The accesses that take part, global ids: site 0 is the reported one, site 1 the witness that conflicts with it
     * (the same one when it conflicts with itself in another thread), then further ones of the same pattern. */
    u32 sites[RACE_SITES];
    u8 nsites;
    u32 test, act; /* global accesses of a two-step pattern, NONE */
    u32 lock;      /* the lock that should be held (UG108, UG307), NONE */
    u32 call;      /* global call for rules about calls (UG401, …), NONE */
    Str state;     /* display name of the place, or what the rule is about */
    Str message;
    Str why[RACE_WHY]; /* reasons why we believe it, one sentence each */
    u8 nwhy;
    Str suppress_reason;
    u64 fingerprint; /* of rule, module, function, state and pattern; no line numbers */
    u32 fix;         /* Fix id, NONE; filled in by fixes_plan */
} Race;
typedef Vec(Race) RaceVec;

/* Finds everything that the rules describe, sorted by path and position, whatever the options ask for. Suppressed
 * findings are kept and marked. */
void races_all(Arena *a, const Program *p, RaceVec *out);
/* Does a user with these options want to see it: its confidence, --select and --ignore, per-file-ignores? */
bool race_wanted(const Options *o, Str path, const Race *r);
/* Those of `all` that are wanted. */
void races_wanted(Arena *a, const Program *p, const RaceVec *all, RaceVec *out);
/* races_all and races_wanted in one. */
void races_find(Arena *a, const Program *p, RaceVec *out);
void races_dump(Buf *out, const Program *p, const RaceVec *races);

/* What a change does to findings and guards: the two programs, before and after it, side by side. */
typedef struct Worsening {
    u32 before, after; /* races of either side */
    Str how;           /* "confidence medium before, high now" */
} Worsening;
typedef struct GuardChange {
    u32 before, after; /* places of either side; NONE when there was, or is, no guard */
} GuardChange;
typedef struct Addition {
    u32 race;        /* of after */
    bool in_changed; /* on lines that the change adds or edits */
    /* Where the change brought it about: the finding itself, else another access of it, else the start of one of its
     * threads, whichever stands in changed lines. file is NONE when nothing of it does. */
    u32 file, line, end_line;
    u8 cause; /* Cause */
} Addition;
typedef enum Cause { CAUSE_SELF, CAUSE_SITE, CAUSE_ROOT, CAUSE_NONE } Cause;
typedef struct Comparison {
    Vec(Addition) added;
    Vec(u32) fixed; /* races of before */
    Vec(Worsening) worsened;
    Vec(GuardChange) guards;
    StrVec unseen; /* files that could not be read after the change, or no longer as a whole */
} Comparison;
/* Findings are matched by their fingerprints, then by what they say under the names that renamed files have now, then
 * by rule, state and text, so that code that was merely moved is not new. Suppressed findings are not listed, and a
 * finding of an unseen file is not called fixed: nobody knows. `notes` are those of after. */
void races_compare(Arena *a, const Revisions *r, const Program *before, const RaceVec *old, const Program *after,
                   const RaceVec *now, const NoteVec *notes, Comparison *out);
/* Everything that led to a finding or to silence on a line: accesses, places, roots, locks, judgements. `all` holds
 * the findings that the options leave out, too. */
void races_explain(Buf *out, const Program *p, const RaceVec *all, u32 file, u32 line);

/* ---- fixes: Race to Fix (src/fixes) -------------------------------------------------------------------- */

typedef enum Safety { FIX_SAFE, FIX_UNSAFE, FIX_MANUAL } Safety;
extern const char *const safety_name[];

typedef enum IntentKind {
    INTENT_NEED_IMPORT, /* text: "threading" or "collections.deque" */
    INTENT_NEED_LOCK,   /* define lock `lock` */
    INTENT_WRAP,        /* put "with LOCK:" round the statements in span */
    INTENT_REPLACE,     /* span becomes text */
    INTENT_INSERT,      /* text goes in at span.start, a whole line of its own */
    INTENT_DELETE       /* span goes */
} IntentKind;
typedef struct Intent {
    u8 kind;
    u32 file;
    Span span;
    Str text;
    u32 lock; /* index in FixList.locks */
} Intent;

/* A lock that fixes use: one that exists already, or a new one and where it will be defined. */
typedef struct LockPlan {
    bool existing;
    bool reentrant;
    u8 kind;     /* PlaceKind: PLACE_GLOBAL, PLACE_CLASS_ATTR, PLACE_INSTANCE, PLACE_CLOSURE */
    u32 file;    /* where it is defined */
    u32 owner;   /* class or function, as in Place */
    Str name;    /* "_stats_lock" */
    Str display; /* "app.stats._stats_lock" */
    Str reason;  /* why this one */
    u32 place;   /* the first place it guards */
    u32 lock;    /* LockId of an existing one, NONE */
} LockPlan;

typedef struct Fix {
    Str transform; /* page id, "guard-update" */
    u32 place;
    u32 lock; /* index in FixList.locks, NONE */
    u8 safety;
    Str reason; /* why it is unsafe or manual, or why it was declined; empty for a safe fix */
    bool declined;
    bool defect; /* dropped by verification: a defect of ours */
    Vec(Intent) intents;
    Vec(u32) races;  /* indices in the RaceVec */
    u64 fingerprint; /* of the first race */
} Fix;
typedef struct FixList {
    Vec(Fix) fixes;
    Vec(LockPlan) locks;
} FixList;

/* One transform page (transforms/NAME.md), parsed; its parts are private to fixes/. */
typedef struct Page Page;
typedef struct PageList {
    Page **v;
    u32 n;
} PageList;
/* The built-in pages, and those of a directory when given. A page that is wrong fails with file:line and a sentence.
 */
bool pages_load(Arena *a, Str dir, PageList *out, Err *e);
Str page_id(const Page *p);
Str page_title(const Page *p);
Str page_text(const Page *p);
Str page_rules(const Page *p);
Str page_safety(const Page *p);
/* Runs every page's own examples (before → after, leaves alone); prints a line for each. Number of failures. */
u32 pages_test(Buf *out, const PageList *pages, u32 *passed);

/* Plans one fix per place (and lock) for the given races; sets Race.fix. Declined fixes are in the list too. */
void fixes_plan(Arena *a, const Program *p, const PageList *pages, RaceVec *races, FixList *out);
/* Declines every fix but those of the findings that --only names. False when there is no such finding. */
bool fixes_only(const Options *o, const RaceVec *races, FixList *fixes, Err *e);
void fixes_dump(Buf *out, const Program *p, const FixList *fixes);

/* ---- edit: Fix to Change (src/edit) -------------------------------------------------------------------- */

typedef struct Edit {
    Span span; /* in the source before */
    Str text;
    u32 fix; /* the Fix it serves (the first, when several share it) */
} Edit;
typedef struct Change {
    const Source *before;
    u32 file;
    Str after;
    Vec(Edit) edits; /* sorted, not overlapping */
} Change;
typedef Vec(Change) ChangeVec;

/* Which fixes to write: safe ones, unsafe ones too, or only those with these ids. */
typedef struct Wanted {
    bool unsafe;
    const u32 *only; /* fix ids, NULL: all */
    u32 nonly;
} Wanted;
bool fix_wanted(const FixList *fixes, u32 fix, const Wanted *w);

/* Turns the wanted fixes' intents into edits, one Change per file, sorted by path. */
void edits_make(Arena *a, const Program *p, const FixList *fixes, const Wanted *w, ChangeVec *out);
/* The same, for changes that were proved as part of larger ones: each file must parse and pass the certificate
 * again. On false, *why says what does not. */
bool edits_certify(Arena *a, const Program *p, const FixList *fixes, const Wanted *w, ChangeVec *out, Str *why);
/* Proves the changes: parse, certificate, races gone and none new, idempotent. A fix that fails is marked
 * (declined + defect, with the reason) and the changes are made again without it. */
void edits_verify(Arena *a, const Program *p, const PageList *pages, const RaceVec *races, FixList *fixes,
                  const Wanted *w, ChangeVec *changes);
void edits_dump(Buf *out, const ChangeVec *changes);

/* ---- emit: results to the outside world (src/emit) ------------------------------------------------------ */

typedef struct Results {
    Arena *arena;
    const Options *options;
    const SourceList *sources;
    const Program *program;
    const PageList *pages;
    const RaceVec *races;
    FixList *fixes;               /* NULL when fixes were not planned */
    const ChangeVec *changes;     /* with every wanted fix in; NULL when not made */
    Vec(u64) later;               /* fingerprints of findings that further rounds fix; see app/rounds.c */
    Vec(struct Results *) rounds; /* for `commit`: each round with its own program, fixes and changes */
    const NoteVec *notes;
    double seconds;
    const Source *baseline; /* the baseline's text, for UG903: file `sources->n` of those findings; NULL */
} Results;

/* Writes text to standard output, or to the file of -o when o is given and has one. */
bool emit_text(const Options *o, Str text, Err *e);
/* Findings in the chosen format. Returns the exit status. */
int emit_findings(const Results *r, Err *e);
/* The guard table, as text or JSON. */
int emit_guards(const Options *o, const Program *p, Err *e);
/* One unified diff on stdout. */
int emit_diff(const Results *r, Err *e);
/* Writes the changed files, each atomically; a file that changed since it was read is refused. */
int emit_fix(const Results *r, Err *e);
/* What a change adds (r holds the new findings only), cures and worsens, in the chosen format; or posts it. */
typedef struct Review {
    const Revisions *revisions;
    const Comparison *comparison;
    const Program *before;
    const RaceVec *old; /* findings before the change */
    const RaceVec *now; /* and after it, all of them */
} Review;
/* Fills what the options leave open from the environment of the CI system: the two revisions, and with --post where
 * to post. A value that is wrong is an error; one that is missing is complained about by who needs it. */
bool review_defaults(Arena *a, Options *o, Err *e);
int emit_review(const Results *r, const Review *v, Err *e);
/* Posts what `review --format json` wrote to o->post.from. */
int emit_review_from(Arena *a, const Options *o, Err *e);
/* Is it an http:// address of this very machine? Elsewhere http:// shows the token to everybody on the way. */
bool url_is_loopback(Str url);
/* The fixes as commits or patches, one for each decision or what --per says. */
int emit_commit(const Results *r, Err *e);

/* ---- serve: pull requests from webhooks to reviews (src/serve) ------------------------------------------ */

/* Runs the bot until SIGTERM or SIGINT. Returns the exit status. */
int serve_run(Arena *a, const Options *o, Err *e);

#endif
