/* The command line: `ungil COMMAND [options] [PATH...]`, checked, completed from the configuration file and with
 * the root decided. The work is driven by option_table; getopt_long only splits the arguments. */
#include "conf/conf.h"

#include <getopt.h>
#include <unistd.h>

enum { LONG_BASE = 256 }; /* getopt's value of option_table[i] is LONG_BASE + i, of its --no- form OPT_MAX more */

/* ---- words that are nearly right ----------------------------------------------------------------------- */

static u32 distance(Str a, Str b)
{
    u32 row[64];
    if (a.n >= COUNT_OF(row) || b.n >= COUNT_OF(row)) return NONE;
    for (u32 j = 0; j <= b.n; j++) row[j] = j;
    for (u32 i = 1; i <= a.n; i++) {
        u32 corner = row[0];
        row[0] = i;
        for (u32 j = 1; j <= b.n; j++) {
            u32 up = row[j], change = corner + (a.p[i - 1] != b.p[j - 1]);
            row[j] = MIN(MIN(up, row[j - 1]) + 1, change);
            corner = up;
        }
    }
    return row[b.n];
}

const char *near_word(Str s, const char *const *words, u32 n)
{
    const char *best = NULL;
    u32 least = MAX(2u, (u32)s.n / 3) + 1;
    for (u32 i = 0; i < n; i++) {
        u32 d = words[i] ? distance(s, str_from(words[i])) : NONE;
        if (words[i] && s.n >= 3 && str_starts(str_from(words[i]), s)) d = 0;
        if (d < least) {
            least = d;
            best = words[i];
        }
    }
    return best;
}

static bool fail_near(Err *e, const char *what, Str s, const char *const *words, u32 n)
{
    const char *near = near_word(s, words, n);
    if (near) return err_set(e, "%s '%.*s'; did you mean '%s'?", what, STR_ARG(s), near);
    return err_set(e, "%s '%.*s'; run `ungil --help`", what, STR_ARG(s));
}

/* ---- values -------------------------------------------------------------------------------------------- */

bool code_check(Str code, Err *e)
{
    const char *names[RULE_COUNT * 2];
    if (str_is(code, "ALL")) return true;
    for (u32 r = 0; r < RULE_COUNT; r++) {
        if (rule_selected((RuleId)r, &code, 1)) return true;
        names[2 * r] = rule_table[r].code;
        names[2 * r + 1] = rule_table[r].name;
    }
    const char *near = near_word(code, names, COUNT_OF(names));
    if (near) return err_set(e, "there is no rule '%.*s'; did you mean '%s'?", STR_ARG(code), near);
    return err_set(e, "there is no rule '%.*s'; `ungil rules` lists them", STR_ARG(code));
}

static bool word_set(const OptRow *row, int *slot, Str value, Err *e)
{
    u32 n = 0;
    for (; row->words[n]; n++) {
        if (!str_is(value, row->words[n])) continue;
        *slot = row->first + (int)n;
        return true;
    }
    Buf all = {0};
    for (u32 i = 0; i < n; i++) buf_fmt(&all, "%s%s", i ? ", " : "", row->words[i]);
    err_set(e, "%s cannot be '%.*s'; it is one of %s", row->name, STR_ARG(value), all.p);
    buf_free(&all);
    return false;
}

/* Lists of which none means all, or more than any value would: what an empty variable of a script gives is an error
 * then. Elsewhere, as in --ignore '', none is what it says, and takes the place of the configuration's list. */
static bool none_is_more(const OptRow *row)
{
    static const char *const names[] = {"only",   "select",   "include",     "extend-unsafe-fixes",
                                        "import", "services", "repositories"};
    return str_among(str_from(row->name), names, COUNT_OF(names));
}

static bool list_add(Arena *a, const OptRow *row, StrVec *list, Str value, Err *e)
{
    u32 before = list->n;
    do {
        Str one = str_trim(str_cut(value, ',', &value));
        if (!one.n) continue;
        if (row->kind == OPT_CODES && !code_check(one, e)) return false;
        if (strcmp(row->arg, "GLOBS") == 0 && !glob_check(one, e)) return false;
        vec_push(a, list, str_dup(a, one));
    } while (value.n);
    if (list->n == before && none_is_more(row)) return err_set(e, "%s needs a value", row->name);
    return true;
}

bool option_set(Arena *a, const OptRow *row, Options *o, Str value, Str base, Err *e)
{
    void *slot = (char *)o + row->offset;
    switch (row->kind) {
    case OPT_FLAG: *(bool *)slot = !str_is(value, "false"); return true;
    case OPT_WORD: return word_set(row, slot, value, e);
    case OPT_TEXT: *(Str *)slot = str_dup(a, value); break;
    case OPT_PATH: *(Str *)slot = path_absolute(a, base, value); break;
    case OPT_LIST:
    case OPT_CODES: return list_add(a, row, slot, value, e);
    case OPT_COUNT: {
        u32 n = 0;
        for (size_t i = 0; i < value.n; i++) {
            bool digit = value.p[i] >= '0' && value.p[i] <= '9';
            if (digit) n = n * 10 + (u32)(value.p[i] - '0');
            if (!digit || n > 9999)
                return err_set(e, "%s must be a number from 0 to 9999, not '%.*s'", row->name, STR_ARG(value));
        }
        *(u32 *)slot = n;
        break;
    }
    default: break;
    }
    if (!value.n) return err_set(e, "%s needs a value", row->name);
    return true;
}

/* ---- getopt -------------------------------------------------------------------------------------------- */

typedef struct Spec {
    struct option longs[2 * OPT_MAX + 1];
    char names[OPT_MAX][32]; /* of the --no- forms */
    char letters[3 * OPT_MAX];
} Spec;

static bool row_negatable(const OptRow *row)
{
    return row->kind == OPT_FLAG && row->config;
}

static void spec_make(Spec *s, Command c)
{
    u32 n = 0, l = 0;
    if (c == CMD_BENCH) s->letters[l++] = '+'; /* what follows the script is the script's */
    s->letters[l++] = ':';
    for (u32 i = 0; i < option_count; i++) {
        const OptRow *row = &option_table[i];
        if (!(row->commands & 1u << c)) continue;
        bool arg = row->arg != NULL;
        s->longs[n++] = (struct option){row->name, arg ? required_argument : no_argument, NULL, LONG_BASE + (int)i};
        if (row_negatable(row)) {
            snprintf(s->names[i], sizeof s->names[i], "no-%s", row->name);
            s->longs[n++] = (struct option){s->names[i], no_argument, NULL, LONG_BASE + OPT_MAX + (int)i};
        }
        if (!row->letter) continue;
        s->letters[l++] = row->letter;
        if (arg) s->letters[l++] = ':';
    }
}

static bool option_unknown(const Spec *s, Command c, const char *arg, Err *e)
{
    const char *names[2 * OPT_MAX];
    u32 n = 0;
    for (; s->longs[n].name; n++) names[n] = s->longs[n].name;
    Str rest, name = str_from(arg);
    while (str_starts(name, S("-"))) name = str_slice(name, 1, name.n);
    name = str_cut(name, '=', &rest);
    const char *near = str_starts(str_from(arg), S("--")) ? near_word(name, names, n) : NULL;
    if (near) return err_set(e, "unknown option '%s'; did you mean '--%s'?", arg, near);
    return err_set(e, "unknown option '%s'; `ungil %s --help` lists the options", arg, command_table[c].name);
}

static const OptRow *row_of(int got, u32 *index)
{
    for (u32 i = 0; i < option_count; i++) {
        int value = LONG_BASE + (int)i;
        if (got != value && got != value + OPT_MAX && got != option_table[i].letter) continue;
        *index = i;
        return &option_table[i];
    }
    BUG("getopt returned %d", got);
}

/* One option that getopt found. */
static bool option_take(Arena *a, Options *o, int got, bool *given, Str base, Err *e)
{
    u32 i = 0;
    const OptRow *row = row_of(got, &i);
    given[i] = true;
    switch (row->kind) {
    case OPT_QUIET: o->verbosity = -1; return true;
    case OPT_LOUD: o->verbosity = 1; return true;
    case OPT_HELP:
        vec_push(a, &o->args, str_from(command_table[o->command].name));
        o->command = CMD_HELP;
        return true;
    case OPT_VERSION: o->command = CMD_VERSION; return true;
    default: break;
    }
    bool no = got >= LONG_BASE + OPT_MAX;
    Err why = {0};
    if (option_set(a, row, o, row->arg ? str_from(optarg) : no ? S("false") : S("true"), base, &why)) return true;
    return err_set(e, "%s%s", str_starts(str_from(why.msg), str_from(row->name)) ? "--" : "", why.msg);
}

static bool arguments_parse(Arena *a, int argc, char **argv, Options *o, bool *given, Err *e)
{
    Spec s = {0};
    Command c = o->command;
    Str base = current_dir(a);
    spec_make(&s, c);
    optind = 0; /* getopt keeps its state in globals; this makes it start anew */
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, s.letters, s.longs, NULL)) != -1;) {
        if (got == '?') {
            char letter[] = {'-', (char)optopt, 0};
            bool is_letter = optopt > 0 && optopt < LONG_BASE;
            return option_unknown(&s, c, is_letter ? letter : argv[optind - 1], e);
        }
        if (got == ':') return err_set(e, "option '%s' needs a value", argv[optind - 1]);
        if (!option_take(a, o, got, given, base, e)) return false;
        if (o->command >= CMD_HELP && c < CMD_HELP) return true; /* --help, --version */
    }
    for (int i = optind; i < argc; i++) vec_push(a, &o->args, str_from(argv[i]));
    return true;
}

/* ---- the command --------------------------------------------------------------------------------------- */

bool command_named(Str word, Command *c)
{
    for (u32 i = 0; i < CMD_COUNT; i++) {
        if (!str_is(word, command_table[i].name)) continue;
        *c = (Command)i;
        return true;
    }
    if (str_is(word, "--help") || str_is(word, "-h"))
        *c = CMD_HELP;
    else if (str_is(word, "--version") || str_is(word, "-V"))
        *c = CMD_VERSION;
    else
        return false;
    return true;
}

static bool command_parse(int argc, char **argv, Options *o, Err *e)
{
    const char *names[CMD_COUNT];
    for (u32 i = 0; i < CMD_COUNT; i++) names[i] = command_table[i].name;
    if (argc < 2) return err_set(e, "no command given; try `ungil check`, or `ungil --help`");
    if (command_named(str_from(argv[1]), &o->command)) return true;
    if (argv[1][0] == '-') return err_set(e, "the command comes first: ungil check %s", argv[1]);
    if (access(argv[1], F_OK) == 0)
        return err_set(e, "'%s' is no command; to analyse it: ungil check %s", argv[1], argv[1]);
    return fail_near(e, "unknown command", str_from(argv[1]), names, CMD_COUNT);
}

static bool review_check(const Options *o, Err *e)
{
    const PostOptions *p = &o->post;
    if (o->dump) return err_set(e, "`ungil review` reads two trees; --dump is for the other commands");
    if (p->from.n && !p->service) return err_set(e, "--from FILE needs --post github, gitlab or gitea");
    if (p->from.n && (o->base_rev.n || o->head_rev.n))
        return err_set(e, "--from FILE posts what is in FILE; it takes no --base and no --head");
    if (p->from.n && p->fix_branch.n)
        return err_set(e, "--fix-branch needs the repository and its analysis; it takes no --from");
    if (p->dry_run && !p->service) return err_set(e, "--dry-run prints what --post would post; it needs --post");
    for (size_t i = 0; i < p->pull_request.n; i++)
        if (p->pull_request.p[i] < '0' || p->pull_request.p[i] > '9' || p->pull_request.n > 10)
            return err_set(e, "--pr must be a number, not '%.*s'", STR_ARG(p->pull_request));
    return true;
}

static bool bench_check(const Options *o, Err *e)
{
    if (!o->args.n) return err_set(e, "`ungil bench` needs a script: ungil bench SCRIPT [ARGS...]");
    if (!o->bench.runs || o->bench.runs > 1000) return err_set(e, "--runs must be a number from 1 to 1000");
    return true;
}

static bool plan_check(const Options *o, Err *e)
{
    bool plan = o->command == CMD_PLAN;
    if (plan && o->format != FMT_TEXT && o->format != FMT_MARKDOWN && o->format != FMT_JSON)
        return err_set(e, "`ungil plan` knows the formats markdown (default) and json");
    if (!plan && o->format != FMT_TEXT && o->format != FMT_HTML)
        return err_set(e, "`ungil report` writes one format, html");
    if (o->base_rev.n && o->args.n)
        return err_set(e, "--base compares whole trees; it takes no PATH, but got '%.*s'", STR_ARG(o->args.v[0]));
    return true;
}

static bool arguments_check(const Options *o, Err *e)
{
    static const char *const none[] = {"rules", "transforms", "version", "review", "serve"};
    const char *name = command_table[o->command].name;
    for (u32 i = 0; i < COUNT_OF(none); i++)
        if (o->args.n && strcmp(name, none[i]) == 0)
            return err_set(e, "`ungil %s` takes no arguments, but got '%.*s'", name, STR_ARG(o->args.v[0]));
    if (o->command == CMD_EXPLAIN && o->args.n != 1)
        return err_set(e, "`ungil explain` takes one argument: a rule, a transform, or FILE:LINE");
    if (o->command == CMD_BENCH && !bench_check(o, e)) return false;
    if ((o->command == CMD_PLAN || o->command == CMD_REPORT) && !plan_check(o, e)) return false;
    for (u32 i = 0; i < (o->command == CMD_BENCH ? 1 : o->args.n); i++)
        if (!o->args.v[i].n) return err_set(e, "a PATH is empty");
    Str file;
    u32 line;
    if (o->command == CMD_EXPLAIN && str_find(o->args.v[0], ':') < o->args.v[0].n &&
        !file_line_split(o->args.v[0], &file, &line))
        return err_set(e, "'%.*s' is not FILE:LINE: behind the colon stands the number of a line",
                       STR_ARG(o->args.v[0]));
    if (o->command == CMD_DOCTOR && o->args.n > 1)
        return err_set(e, "`ungil doctor` takes one argument, the interpreter; modules are named with --import");
    bool two = o->command == CMD_RULES || o->command == CMD_TRANSFORMS || o->command == CMD_GUARDS ||
               o->command == CMD_DOCTOR || o->command == CMD_BENCH;
    if (o->command == CMD_REVIEW && !review_check(o, e)) return false;
    if (o->format != FMT_TEXT && o->dump) return err_set(e, "--dump prints text; it takes no --format");
    if (o->format != FMT_TEXT && only_text(o->command))
        return err_set(e, "`ungil %s` prints text; it takes no --format", name);
    if (two && o->format != FMT_TEXT && o->format != FMT_JSON)
        return err_set(e, "`ungil %s` knows the formats text and json", name);
    return true;
}

static void colors_decide(Options *o)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    bool plain = (no && *no) || (term && strcmp(term, "dumb") == 0) || o->output.n;
    o->colored = o->color == COLOR_ALWAYS || (o->color == COLOR_AUTO && !plain && isatty(STDOUT_FILENO));
}

bool options_parse(Arena *a, int argc, char **argv, Options *o, Err *e)
{
    bool *given = arena_new(a, bool, OPT_MAX);
    *o = (Options){.min_confidence = CONF_MEDIUM,
                   .target = 14,
                   .given = given,
                   .post.max_comments = 30,
                   .time_limit = 60,
                   .serve = SERVE_DEFAULTS,
                   .bench = {.runs = 5}};
    if (!command_parse(argc, argv, o, e)) return false;
    if (o->command == CMD_BENCH) o->time_limit = 300;
    if (!arguments_parse(a, argc - 1, argv + 1, o, given, e)) return false;
    colors_decide(o);
    if (o->command == CMD_HELP || o->command == CMD_VERSION) return o->command == CMD_HELP || arguments_check(o, e);
    if (!arguments_check(o, e)) return false;
    /* These have no project, and so no configuration file. */
    if (o->command == CMD_SERVE || o->command == CMD_DOCTOR || o->command == CMD_BENCH) return true;
    Str start;
    if (o->command == CMD_REVIEW) return !o->config.n || config_apply(a, o, given, S(""), e); /* else that of head */
    if (!args_common_dir(a, o, &start, e) || !root_find(a, o, start, e) || !config_apply(a, o, given, start, e))
        return false;
    return true;
}
