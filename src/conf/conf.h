/* conf/: what the user asked for. One table of options drives the command line, the configuration file and the
 * help text. Private to this folder. */
#ifndef UNGIL_CONF_H
#define UNGIL_CONF_H

#include "pipeline.h"

typedef enum OptKind {
    OPT_FLAG,  /* bool; --no-NAME where the row says so */
    OPT_WORD,  /* one of words[]; stored as an int, first + index */
    OPT_COUNT, /* u32 */
    OPT_TEXT,  /* Str */
    OPT_PATH,  /* Str, made absolute */
    OPT_LIST,  /* StrVec; on the command line separated by commas and repeatable */
    OPT_CODES, /* the same, of rules */
    OPT_QUIET,
    OPT_LOUD,
    OPT_HELP,
    OPT_VERSION
} OptKind;

typedef struct OptRow {
    const char *name;
    char letter; /* 0: no short form */
    u8 kind;
    bool config; /* also a key of the configuration */
    size_t offset;
    const char *const *words;
    int first;
    u32 commands; /* bit set of Command */
    const char *arg, *help;
} OptRow;

typedef struct CommandRow {
    const char *name, *args, *help;
} CommandRow;

/* What `ungil --help` promises; lists and directories have theirs in src/serve. */
#define SERVE_DEFAULTS                                                                                               \
    {                                                                                                                \
        .listen = S("127.0.0.1:8472"), .workers = 1, .queue = 1000, .body = 2048, .request_time = 15,                \
        .job_time = 900, .retry_time = 30, .stop_time = 30, .repository_limit = 2048, .cache_limit = 9999            \
    }

enum { OPT_MAX = 96 };
extern const OptRow option_table[];
extern const u32 option_count;
extern const CommandRow command_table[CMD_COUNT];

/* Stores one value given as text. `base` is the directory that paths are relative to. */
bool option_set(Arena *a, const OptRow *row, Options *o, Str value, Str base, Err *e);
/* Checks one element of an OPT_CODES list. */
bool code_check(Str code, Err *e);
/* Is it a pattern that can be meant? */
bool glob_check(Str glob, Err *e);
/* The word among n that is closest to s, or NULL when none is near. */
const char *near_word(Str s, const char *const *words, u32 n);

/* help.c: does the command print text and nothing else, so that it takes no --format? */
bool only_text(Command c);

/* rulerows.c: one table of [tool.ungil.rules]; its key selects the rules. */
bool rule_setting_read(const Toml *t, Str file, RuleSetting *out, Err *e);

/* Applies the configuration file to every option not marked in `given`. */
bool config_apply(Arena *a, Options *o, const bool *given, Str start, Err *e);

/* Reads one table of [[tool.ungil.roots]]. */
bool root_row_read(Arena *a, const Toml *table, Str file, RootRow *r, Err *e);

/* Directory that holds all of o->args, absolute; the current directory without any. */
bool args_common_dir(Arena *a, const Options *o, Str *out, Err *e);
/* Decides o->root (see docs/usage.md) when it is not given. */
bool root_find(Arena *a, Options *o, Str start, Err *e);
/* Absolute form of a path, without . and .. and double slashes; symbolic links are left alone. */
Str path_absolute(Arena *a, Str base, Str path);
Str current_dir(Arena *a);

#endif
