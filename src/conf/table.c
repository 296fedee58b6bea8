/* The tables behind the command line: commands, options, and the words that options take. */
#include "conf/conf.h"

static const char *const format_words[] = {"text", "concise", "json", "jsonl", "sarif", "rdjson", "github", "gitlab", "html", NULL};
static const char *const dump_words[] = {"facts", "places", "races", "plan", "edits", NULL};
static const char *const confidence_words[] = {"low", "medium", "high", NULL};
static const char *const assume_words[] = {"auto", "always", "never", NULL};
static const char *const model_words[] = {"cpython", "strict", NULL};
static const char *const target_words[] = {"3.13", "3.14", "3.15", NULL};
static const char *const color_words[] = {"auto", "always", "never", NULL};

const CommandRow command_table[CMD_COUNT] = {
    [CMD_CHECK] = {"check", "[PATH...]", "report state that threads share without the right lock", true},
    [CMD_DIFF] = {"diff", "[PATH...]", "print all fixes as one unified diff; writes nothing", true},
    [CMD_FIX] = {"fix", "[PATH...]", "apply the fixes to the files", true},
    [CMD_COMMIT] = {"commit", "[PATH...]", "apply the fixes as git commits, one for each decision", true},
    [CMD_REVIEW] = {"review", "--base REV", "report what a pull request adds", false},
    [CMD_EXPLAIN] = {"explain", "RULE|TRANSFORM|FILE:LINE", "explain a rule, a transform, or what was found on a line and why", true},
    [CMD_RULES] = {"rules", "", "list the rules", true},
    [CMD_TRANSFORMS] = {"transforms", "", "list the transforms that fixes are made of", true},
    [CMD_GUARDS] = {"guards", "[PATH...]", "print which lock guards which state, and how consistently", true},
    [CMD_DEPS] = {"deps", "[PATH...]", "are the dependencies ready for free-threaded Python?", false},
    [CMD_DOCTOR] = {"doctor", "[PYTHON]", "is this interpreter free-threaded, and is its GIL off?", false},
    [CMD_BENCH] = {"bench", "SCRIPT", "run a script with and without the GIL and compare", false},
    [CMD_PLAN] = {"plan", "[PATH...]", "write a migration plan", false},
    [CMD_REPORT] = {"report", "[PATH...]", "write a report as one HTML page", false},
    [CMD_BASELINE] = {"baseline", "[PATH...]", "record today's findings so that only new ones count", false},
    [CMD_HELP] = {"help", "[COMMAND]", "show this text, or that of a command", true},
    [CMD_VERSION] = {"version", "", "print the version", true},
};

#define BIT(c) (1u << (c))
#define ALL_COMMANDS UINT32_MAX
#define WRITERS (BIT(CMD_DIFF) | BIT(CMD_FIX) | BIT(CMD_COMMIT))
#define ANALYSING (BIT(CMD_CHECK) | WRITERS | BIT(CMD_EXPLAIN) | BIT(CMD_GUARDS) | BIT(CMD_REVIEW) | BIT(CMD_PLAN) | BIT(CMD_REPORT) | BIT(CMD_BASELINE))
#define LISTS (BIT(CMD_RULES) | BIT(CMD_TRANSFORMS))
#define AT(field) offsetof(Options, field)

const OptRow option_table[] = {
    /* name, letter, kind, config, offset, words, first, commands, arg, help */
    {"select", 0, OPT_CODES, true, AT(select), NULL, 0, ANALYSING, "CODES", "only these rules; UG1 selects a group, ALL everything, names work too"},
    {"ignore", 0, OPT_CODES, true, AT(ignore), NULL, 0, ANALYSING, "CODES", "not these rules"},
    {"min-confidence", 0, OPT_WORD, true, AT(min_confidence), confidence_words, 0, ANALYSING, "LEVEL", "report findings at least this certain: low, medium (default), high"},
    {"assume-threads", 0, OPT_WORD, true, AT(assume), assume_words, 0, ANALYSING, "WHEN", "auto (default): where the program shows threads, and global state of libraries; always: every public function may run in several threads; never"},
    {"model", 0, OPT_WORD, true, AT(model), model_words, 0, ANALYSING, "MODEL", "cpython (default): operations that CPython makes atomic are no races; strict: rely on no such guarantee"},
    {"target", 0, OPT_WORD, true, AT(target), target_words, 13, ANALYSING, "VERSION", "Python version to be ready for: 3.13, 3.14 (default), 3.15"},
    {"extend-roots", 0, OPT_LIST, true, AT(extend_roots), NULL, 0, ANALYSING, "NAMES", "functions that run in several threads, as package.module.function"},
    {"unsafe-fixes", 0, OPT_FLAG, true, AT(unsafe_fixes), NULL, 0, ANALYSING, NULL, "also make fixes that a person must look at (--no-unsafe-fixes: not)"},
    {"transforms", 0, OPT_PATH, true, AT(transforms_dir), NULL, 0, ANALYSING | LISTS, "DIR", "load further transform pages from DIR"},
    {"baseline", 0, OPT_PATH, true, AT(baseline), NULL, 0, ANALYSING, "FILE", "findings recorded in FILE do not count (not available in this version)"},
    {"exclude", 0, OPT_LIST, true, AT(exclude), NULL, 0, ANALYSING, "GLOBS", "leave out files and directories that match"},
    {"include", 0, OPT_LIST, true, AT(include), NULL, 0, ANALYSING, "GLOBS", "only files that match"},
    {"no-gitignore", 0, OPT_FLAG, false, AT(no_gitignore), NULL, 0, ANALYSING, NULL, "analyse files that git ignores too"},
    {"root", 0, OPT_PATH, false, AT(root), NULL, 0, ANALYSING, "DIR", "paths and module names are relative to DIR (default: the top of the git work tree, or where pyproject.toml is)"},
    {"config", 0, OPT_PATH, false, AT(config), NULL, 0, ANALYSING | LISTS, "FILE", "read the configuration from FILE"},
    {"isolated", 0, OPT_FLAG, false, AT(isolated), NULL, 0, ANALYSING | LISTS, NULL, "read no configuration file"},
    {"interactive", 'i', OPT_FLAG, false, AT(interactive), NULL, 0, BIT(CMD_FIX), NULL, "ask before each fix"},
    {"branch", 0, OPT_TEXT, false, AT(branch), NULL, 0, BIT(CMD_COMMIT), "NAME", "commit on a new branch NAME"},
    {"allow-dirty", 0, OPT_FLAG, false, AT(allow_dirty), NULL, 0, BIT(CMD_COMMIT), NULL, "change files that have uncommitted changes too; these become part of the commit"},
    {"signoff", 's', OPT_FLAG, false, AT(signoff), NULL, 0, BIT(CMD_COMMIT), NULL, "add a Signed-off-by trailer"},
    {"format", 0, OPT_WORD, false, AT(format), format_words, 0, ANALYSING | LISTS, "FORMAT", "text (default), concise, json, jsonl, sarif, rdjson, github, gitlab, html"},
    {"output", 'o', OPT_PATH, false, AT(output), NULL, 0, ANALYSING | LISTS, "FILE", "write the result to FILE instead of standard output"},
    {"statistics", 0, OPT_FLAG, false, AT(statistics), NULL, 0, ANALYSING, NULL, "count the findings of each rule"},
    {"exit-zero", 0, OPT_FLAG, false, AT(exit_zero), NULL, 0, ANALYSING, NULL, "exit with 0 even when there are findings (errors still give 2)"},
    {"jobs", 'j', OPT_COUNT, true, AT(jobs), NULL, 0, ANALYSING, "N", "work on N files at a time (default: one for each processor)"},
    {"no-cache", 0, OPT_FLAG, false, AT(no_cache), NULL, 0, ANALYSING, NULL, "neither read nor write the cache"},
    {"cache-dir", 0, OPT_PATH, true, AT(cache_dir), NULL, 0, ANALYSING, "DIR", "where the cache is"},
    {"dump", 0, OPT_WORD, false, AT(dump), dump_words, 1, ANALYSING, "STAGE", "print what a stage made and stop: facts, places, races, plan, edits"},
    {"color", 0, OPT_WORD, false, AT(color), color_words, 0, ALL_COMMANDS, "WHEN", "auto (default), always, never"},
    {"quiet", 'q', OPT_QUIET, false, 0, NULL, 0, ALL_COMMANDS, NULL, "one line for each finding, nothing else"},
    {"verbose", 'v', OPT_LOUD, false, 0, NULL, 0, ALL_COMMANDS, NULL, "say more"},
    {"help", 'h', OPT_HELP, false, 0, NULL, 0, ALL_COMMANDS, NULL, "show this text"},
    {"version", 'V', OPT_VERSION, false, 0, NULL, 0, ALL_COMMANDS, NULL, "print the version"},
};
const u32 option_count = COUNT_OF(option_table);
