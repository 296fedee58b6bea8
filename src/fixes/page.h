/* Transform pages as values, their planners, and how a file names what an edit imports. Part of fixes.h, which
 * includes it. */
#ifndef UNGIL_FIXES_PAGE_H
#define UNGIL_FIXES_PAGE_H

#include "parse/ast.h"
#include "pipeline.h"

/* ---- pages --------------------------------------------------------------------------------------------- */

typedef enum Verb {
    VERB_NEED_IMPORT,
    VERB_NEED_LOCK,
    VERB_WRAP,
    VERB_REPLACE,
    VERB_INSERT,
    VERB_DELETE,
    VERB_DECORATE,
    VERB_DECLARE
} Verb;

/* One line of an edit script. */
typedef struct Step {
    u8 verb;
    bool before; /* insert before rather than after */
    u32 line;    /* in the page */
    Str at, to;  /* capture names; to is empty when there is one only */
    Str text;    /* template, escapes resolved, or the dotted name of an import */
} Step;
typedef Vec(Step) StepVec;

/* Fenced code of a page. after.p is NULL when nothing may change. */
typedef struct Example {
    u32 line;
    Str before, after;
} Example;

struct Plan;
struct Work;
struct Judgement;

/* A planner written in C, for what a script cannot say. */
typedef struct Planner {
    const char *name;
    const char *line;
    bool locks; /* plans locks: tried after the pages that need none */
    bool hands; /* also for findings that say why no lock is a cure (Race.by_hand) */
    bool (*run)(struct Plan *pl, struct Work *w, const Page *page);
} Planner;
extern const Planner planner_table[];
const Planner *planner_find(Str name);

struct Page {
    Str file; /* for messages: "guard-update.md" */
    Str text;
    Str id, title, rules, safety, needs, plan;
    u8 safety_class;
    bool strict;    /* only under --model strict */
    bool preferred; /* only where --prefer names it */
    bool replaces;  /* certificate: replace; else tokens */
    bool states;    /* it says which words the rewrite adds and drops: lists with commas, see edit/words.c */
    Str adds, drops;
    Vec(u8) rule_ids;
    Vec(const struct Judgement *) judgements;
    const Planner *planner;
    Str find; /* the query; empty when a planner finds the sites */
    u32 find_line;
    StepVec steps;
    Vec(Example) examples;
};

/* transforms/, compiled into the program. */
extern const EmbeddedPage embedded_pages[];
extern const u32 embedded_page_count;

/* Parses a page. On error returns NULL with "file:line: sentence" in e. The query is compiled only by
 * page_check. */
Page *page_parse(Arena *a, Str file, Str text, Err *e);
/* What page_parse leaves out because it takes time: does the query compile, do the captures exist? */
bool page_check(const Page *p, Err *e);
bool page_handles(const Page *p, u8 rule);
/* Needs it a lock? Pages that need none are tried first. */
bool page_locks(const Page *p);
const Page *page_find(const PageList *pages, Str id);
/* Reads an edit script whose first line is line `line` of the page. */
bool script_parse(Arena *a, Str file, u32 line, Str text, StepVec *out, Err *e);

/* ---- naming imported things ---------------------------------------------------------------------------- */

/* How a file names "threading.Lock" or "collections.deque". */
typedef struct ImportRef {
    Str text;      /* "threading.Lock", "Lock", "th.Lock" */
    bool have;     /* the file imports it already, at top level */
    u32 end;       /* have: where that statement ends */
    Str statement; /* not have: what to insert, "import threading" */
    Str module;
} ImportRef;
/* from_style: where nothing is there yet, write `from MODULE import NAME` rather than `import MODULE`. */
ImportRef import_ref(Arena *a, const Facts *f, const Ast *t, Str module, Str name, bool from_style);
/* Is it a statement of the module body itself, which has run when functions do? */
bool import_at_top(const Ast *t, const Import *m);
/* Is the name bound anywhere in the file, or does the word occur in it at all? */
bool name_used(const Facts *f, Str name);
/* Does something other than an import of the module bind the name? */
bool name_bound(const Facts *f, Str name, Str module);

#endif
