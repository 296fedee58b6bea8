/* The tables behind the command line: commands, options, and the words that options take. */
#include "conf/conf.h"

static const char *const format_words[] = {"text",   "concise", "json",  "jsonl",    "sarif", "rdjson",
                                           "github", "gitlab",  "junit", "markdown", "html",  NULL};
static const char *const per_words[] = {"decision", "rule", "file", "all", NULL};
static const char *const dump_words[] = {"facts", "places", "races", "plan", "edits", NULL};
static const char *const confidence_words[] = {"low", "medium", "high", NULL};
const char *const assume_name[] = {"auto", "always", "never", NULL};
const char *const model_name[] = {"cpython", "strict", NULL};
static const char *const target_words[] = {"3.13", "3.14", "3.15", NULL};
static const char *const post_words[] = {"github", "gitlab", "gitea", NULL};
static const char *const color_words[] = {"auto", "always", "never", NULL};

const CommandRow command_table[CMD_COUNT] = {
#include "conf/commands.def"
};

#define BIT(c) (1u << (c))
#define ALL_COMMANDS UINT32_MAX
#define WRITERS (BIT(CMD_DIFF) | BIT(CMD_FIX) | BIT(CMD_COMMIT))
#define ANALYSING                                                                                                    \
    (BIT(CMD_CHECK) | WRITERS | BIT(CMD_EXPLAIN) | BIT(CMD_GUARDS) | BIT(CMD_REVIEW) | BIT(CMD_PLAN) |               \
     BIT(CMD_REPORT) | BIT(CMD_BASELINE))
#define FINDING (ANALYSING | BIT(CMD_DEPS)) /* findings in all formats, by the same filters */
#define LISTS (BIT(CMD_RULES) | BIT(CMD_TRANSFORMS))
#define AT(field) offsetof(Options, field)

const OptRow option_table[] = {
#include "conf/options.def"
};
const u32 option_count = COUNT_OF(option_table);
_Static_assert(COUNT_OF(option_table) <= OPT_MAX, "OPT_MAX is too small");
