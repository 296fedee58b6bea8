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

static inline bool span_within(Span in, Span out)
{
    return out.start <= in.start && in.end <= out.end;
}

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
extern const EmbeddedPage data_files[]; /* src/know/compat.tsv, src/ready/probe.py */
extern const u32 data_file_count;
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

/* ---- know: what is known of Python (src/know) --------------------------------------------------------- */

#include "known.h"

/* ---- conf: options and configuration (src/conf) -------------------------------------------------------- */

#include "options.h"

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
    bool has_pxd;    /* beside a .pxd file of its name: compiled by Cython, with the attributes declared there */
    Str module;      /* dotted module name, e.g. "app.stats"; packages without ".__init__" */
    u64 hash;        /* of the text */
} Source;

typedef struct SourceList {
    Source **v;
    u32 n;
} SourceList;

/* The source with this path, by its index in a list that is sorted by path; NONE. */
u32 source_find(const SourceList *list, Str path);
/* Finds the Python files under the paths (git-aware: ignored files are left out unless asked for; without a
 * repository, common junk directories are), reads and indexes them in parallel. A file that cannot be analysed
 * becomes a Note. Fails only when a PATH given by the user does not exist or lies outside the root. */
bool read_sources(Arena *a, const Options *o, SourceList *out, NoteVec *notes, Err *e);
/* Starts libgit2, once for each git_libgit2_shutdown, so that it opens every kind of repository that we can read. */
void git_start(void);
/* When libgit2 would not open the repository of a directory because it belongs to another user: a sentence that says
 * so, and what to do. NULL for any other status. */
const char *repository_foreign(Arena *a, int status, Str dir);
/* Makes a Source from bytes in memory: line index, newline style, indent unit, module name from the path.
 * False, with a note, when the text cannot be analysed (NUL bytes, not UTF-8, …). */
bool source_index(Arena *a, Source *s, NoteVec *notes);
/* Line (from 1) and column (from 1, in code points) of a byte offset. */
void source_position(const Source *s, u32 offset, u32 *line, u32 *column);
/* The same when *line is that of an offset nearby: quicker where positions are asked for in their order. */
void source_position_near(const Source *s, u32 offset, u32 *line, u32 *column);
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
/* Are there places in it that the grammar does not know? */
bool tree_damaged(const Tree *t);
void tree_free(Tree *t);

/* ---- facts: Tree to Facts (src/facts) ------------------------------------------------------------------ */

#include "facts.h"

/* ---- link: Facts to Program (src/link) ----------------------------------------------------------------- */

#include "program.h"

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
    bool per_call; /* of data of one call, kept on a shared object or in a default value: no lock is a cure */
    bool by_shape; /* what is written so, a callback, an object made by halves, is written for threads */
    bool in_parts; /* what is tested is bound before another part of the state, which is used on the strength of it */
    const char *by_hand; /* why no fix is tried, a clause; NULL */
    const char *low_why; /* what speaks against it, a clause, where that made its confidence low; NULL */
    bool readers;        /* reads that are one step each are harmed as well: they want the lock, too */
    u32 test, act;       /* global accesses of a two-step pattern, NONE */
    u32 lock;            /* the lock that should be held (UG108, UG307), NONE */
    u32 order[4];        /* UG303: the locks of the cycle, each taken while the one before it is held */
    u8 norder;
    u32 call;  /* global call for rules about calls (UG401, …), NONE */
    Str state; /* display name of the place, or what the rule is about */
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

enum { STEP_GATES = 4 };
/* One way in which a lock comes to be taken while another one is held: in the section itself, or in a function
 * that is called there. */
typedef struct LockStep {
    u32 from, to;   /* locks */
    u32 file, func; /* of the section that holds `from` */
    u32 held;       /* where the statement starts that takes `from` */
    u32 at;         /* the call, or the statement that takes `to`, in that section */
    u32 taken_file;
    Span taken;                    /* the section of `to` with the statement that takes it */
    u32 gates[STEP_GATES], ngates; /* other locks that are held at every step of this pair */
} LockStep;
/* All steps from one lock to another, in the arena. */
void lock_steps(Arena *a, const Program *p, u32 from, u32 to, LockStep **out, u32 *n);

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
    INTENT_WRAP,        /* put "with LOCK:" round the statements in span; "try:" where the text is empty */
    INTENT_REPLACE,     /* span becomes text */
    INTENT_INSERT,      /* text goes in at span.start, a whole line of its own */
    INTENT_DELETE,      /* span goes */
    INTENT_KEEP         /* the lines of the span stay where they are when `with TEXT:` is put round them */
} IntentKind;
typedef struct Intent {
    u8 kind;
    u32 file;
    Span span;
    Str text;
    u32 lock; /* index in FixList.locks */
} Intent;

/* How a lock that is an attribute of each object is made, besides `self.lock = Lock()` in __init__. */
typedef enum LockHome {
    HOME_POST_INIT = 1, /* in __post_init__ of a dataclass */
    HOME_SETATTR = 2,   /* by object.__setattr__ */
    HOME_SLOTS = 4,     /* and named in __slots__ */
    HOME_STATE = 8      /* and kept out of what __getstate__ gives */
} LockHome;

/* A lock that fixes use: one that exists already, or a new one and where it will be defined. */
typedef struct LockPlan {
    bool existing;
    bool reentrant;
    bool promoted;  /* an existing Lock that becomes an RLock */
    bool fork_hook; /* a new lock that os.register_at_fork takes around each fork */
    u8 home;        /* LockHome bits, of a new lock */
    u8 kind;        /* PlaceKind: PLACE_GLOBAL, PLACE_CLASS_ATTR, PLACE_INSTANCE, PLACE_CLOSURE */
    u32 file;       /* where it is defined */
    u32 owner;      /* class or function, as in Place */
    Str name;       /* "_stats_lock" */
    Str display;    /* "app.stats._stats_lock" */
    Str reason;     /* why this one */
    Str plainly;    /* the same, before it was promoted */
    u32 place;      /* the first place it guards */
    u32 lock;       /* LockId of an existing one, NONE */
} LockPlan;

/* Something else that was weighed for a fix. */
typedef struct Alternative {
    Str what, why; /* why: why it was not taken */
} Alternative;

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
    Str price;       /* what it costs when it runs; empty when that is not known */
    Vec(Alternative) others;
} Fix;
typedef struct FixList {
    Vec(Fix) fixes;
    Vec(LockPlan) locks;
    struct Asts *asts; /* files that planning has parsed, kept for edits_verify (parse/asts.h); NULL */
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
/* Is each of the names that of a page? */
bool pages_named(const PageList *pages, const StrVec *names, Err *e);
Str page_id(const Page *p);
Str page_title(const Page *p);
Str page_text(const Page *p);
Str page_rules(const Page *p);
Str page_safety(const Page *p);
/* Runs every page's own examples (before → after, leaves alone); prints a line for each. Number of failures. */
u32 pages_test(Buf *out, const PageList *pages, u32 *passed);

/* Plans one fix per place (and lock) for the given races; sets Race.fix. Declined fixes are in the list too. `all`
 * holds what races_all found, from which a lock learns of doubtful findings that it should cover, too. */
void fixes_plan(Arena *a, const Program *p, const PageList *pages, const RaceVec *all, RaceVec *races, FixList *out);
/* Declines every fix but those of the findings that --only names. False when there is no such finding. */
bool fixes_only(const Options *o, const RaceVec *races, FixList *fixes, Err *e);
/* A step of a place that its fix must guard as well, since it is found once the fix is there: from the access `test`
 * to `act`, which may be the same. */
typedef struct Lesson {
    u32 place, test, act;
} Lesson;
typedef Vec(Lesson) LessonVec;
/* fixes_plan with such steps in mind. */
void fixes_replan(Arena *a, const Program *p, const PageList *pages, const RaceVec *all, RaceVec *races,
                  const LessonVec *lessons, FixList *out);
void fixes_dump(Buf *out, const Program *p, const FixList *fixes);

/* ---- edit: Fix to Change (src/edit) -------------------------------------------------------------------- */

typedef enum EditPart { EDIT_CODE, EDIT_IMPORT, EDIT_LOCK } EditPart;
typedef struct Edit {
    Span span; /* in the source before */
    Str text;
    u32 fix; /* the Fix it serves (the first, when several share it) */
    u8 part; /* EditPart: an import, the definition of a lock, or anything else */
} Edit;
typedef struct Change {
    const Source *before;
    u32 file;
    Str after;
    Vec(Edit) edits; /* sorted, not overlapping */
} Change;
typedef Vec(Change) ChangeVec;
/* The file as the change leaves it; NULL, with a note, when that cannot be analysed. */
Source *source_changed(Arena *a, const Change *c, NoteVec *notes);

/* Which fixes to write: safe ones, unsafe ones too, or only those with these ids. */
typedef struct Wanted {
    bool unsafe;
    const u32 *only; /* fix ids, NULL: all */
    u32 nonly;
} Wanted;
bool fix_wanted(const FixList *fixes, u32 fix, const Wanted *w);
/* Does the fix change this file? */
bool fix_uses(const Fix *f, u32 file);

/* Turns the wanted fixes' intents into edits, one Change per file, sorted by path. */
void edits_make(Arena *a, const Program *p, const FixList *fixes, const Wanted *w, ChangeVec *out);
/* The same, for changes that were proved as part of larger ones: each file must parse and pass the certificate
 * again. On false, *why says what does not. */
bool edits_certify(Arena *a, const Program *p, const FixList *fixes, const Wanted *w, ChangeVec *out, Str *why);
/* Proves the changes: parse, certificate, races gone and none new, idempotent. A fix that leaves a step of its state
 * unguarded which is found then is planned again with it, unless only some fixes are wanted; all fixes are new then.
 * A fix that fails is marked (declined + defect, with the reason) and the changes are made again without it. `all`
 * and `races` are those that the fixes were planned for. */
void edits_verify(Arena *a, const Program *p, const PageList *pages, const RaceVec *all, RaceVec *races,
                  FixList *fixes, const Wanted *w, ChangeVec *changes);
/* The same for what a person made of one fix; `out` gets a sentence for each thing that is not as it should be. False
 * when a text is no Python. */
bool texts_prove(Arena *a, const Program *p, const RaceVec *races, const Fix *f, const ChangeVec *changes,
                 StrVec *out);
void edits_dump(Buf *out, const ChangeVec *changes);

/* ---- emit: results to the outside world (src/emit) ------------------------------------------------------ */

/* What was found at an earlier commit, beside what is found now: findings that count. */
typedef struct BurndownRow {
    u32 then, now, gone, fresh;
} BurndownRow;
typedef struct Burndown {
    Str rev; /* as the user named the commit */
    u32 then, now, gone, fresh;
    BurndownRow rules[RULE_COUNT];
} Burndown;

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
    const Burndown *burndown; /* plan and report with --base; NULL */
    const Source *baseline;   /* the baseline's text, for UG903: file `sources->n` of those findings; NULL */
} Results;

/* Writes text to standard output, or to the file of -o when o is given and has one. */
bool emit_text(const Options *o, Str text, Err *e);
/* Findings in the chosen format. Returns the exit status. */
int emit_findings(const Results *r, Err *e);
/* The guard table, as text or JSON. */
int emit_guards(const Options *o, const Program *p, Err *e);
/* The migration plan, as Markdown or JSON. */
int emit_plan(const Results *r, Err *e);
/* All of it as one HTML page: standing, plan, guards, threads, findings with their edits. Returns the exit status. */
int emit_report(const Results *r, Err *e);
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
/* Takes back the fixes with the fingerprints that the arguments name, or lists those of the journal. */
int emit_undo(Arena *a, const Options *o, Err *e);
/* The fixes as commits or patches, one for each decision or what --per says. */
int emit_commit(const Results *r, Err *e);

/* ---- ready: dependencies and interpreters (src/ready) --------------------------------------------------- */

/* deps: is what a project declares, locks or has installed ready for free-threaded Python? Gives the exit status. */
int deps_run(Arena *a, const Options *o, Err *e);
/* doctor: what kind of interpreter is this, is its GIL off, and what turned it on? Gives the exit status. */
int doctor_run(Arena *a, const Options *o, Err *e);

/* ---- serve: pull requests from webhooks to reviews (src/serve) ------------------------------------------ */

/* Runs the bot until SIGTERM or SIGINT. Returns the exit status. */
int serve_run(Arena *a, const Options *o, Err *e);

#endif
