/* The values of conf/: what the command line and the configuration ask for. Part of pipeline.h, which includes it. */
#ifndef UNGIL_OPTIONS_H
#define UNGIL_OPTIONS_H

#include "base/base.h"

typedef enum Command {
    CMD_CHECK,
    CMD_DIFF,
    CMD_FIX,
    CMD_COMMIT,
    CMD_UNDO,
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

/* [tool.ungil.rules.CODE]: of the rules that the code selects. What is -1 is left as it is. */
typedef struct RuleSetting {
    Str code;
    int severity;       /* Severity */
    int min_confidence; /* Confidence */
} RuleSetting;

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

/* Options of `ungil bench` alone. */
typedef struct BenchOptions {
    Str gil, free_threaded; /* interpreters, as paths or names on PATH; empty: looked for */
    u32 runs;               /* of each interpreter */
} BenchOptions;

/* A way in which functions come to run in threads: a row of know/threads.def, or of [[tool.ungil.roots]]. */
typedef enum RootHow {
    ROOT_BY_CALL,      /* name(…, f, …) */
    ROOT_BY_METHOD,    /* anything.name(…, f, …) */
    ROOT_BY_BASE,      /* class C(name): `method` runs */
    ROOT_BY_DECORATOR, /* @name */
    ROOT_BY_ATTRIBUTE, /* anything.name = f */
    ROOT_BY_FUNCTION,  /* the function of this name runs */
    ROOT_BY_COUNT
} RootHow;
typedef struct RootRow {
    u8 how;
    u8 type;   /* by method: TypeKind of the receiver; 0 or TYPE_KINDS: any */
    bool many; /* more than one such thread may run the function at once */
    bool own;  /* by base: every thread has an object of its own */
    bool loop; /* the thread of an event loop runs it, which runs already */
    const char *name, *keyword;
    const char *method; /* by base; by method: of the object that is passed; NULL: what is passed is called itself */
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
    StrVec prefer;                   /* transforms that are tried before others */
    StrVec only;                     /* fingerprints: no other findings are fixed */
    Vec(PathIgnore) path_ignores;
    Vec(RuleSetting) rule_settings;
    Vec(RootRow) roots;
    Format format;
    Str output; /* -o FILE, empty: stdout */
    bool unsafe_fixes, exit_zero, no_gitignore, isolated, no_cache, statistics, allow_dirty, interactive;
    bool signoff, test, owners, blame_revs, step_summary;
    Per per;       /* what one commit holds */
    bool loose;    /* no --root, no repository, no project file: the root is only where the PATHs are */
    bool packaged; /* the root says how it is built or installed: others may import it */
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
    StrVec imports; /* doctor: modules to import */
    u32 time_limit; /* of a program that is run, in seconds */
    BenchOptions bench;
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
/* Does the directory look like the top of a project, by what stands in it? */
bool dir_is_project(Arena *a, Str dir);
/* FILE:LINE or FILE:LINE:COLUMN in its parts; false when the word is neither. */
bool file_line_split(Str word, Str *file, u32 *line);
/* The command of this name. */
bool command_named(Str word, Command *c);
/* The text of `ungil --help` or `ungil COMMAND --help`. */
void options_help(Buf *out, Command c);

#endif
