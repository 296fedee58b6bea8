/* edit/: from intents to the new text of files.
 *
 *   apply.c    edits_make: gathers intents by file, sorts the pieces, checks for overlaps, builds the text
 *   lines.c    lines of a source: their indentation, their newline, the pieces that add whole lines
 *   imports.c  where a new import goes       declare.c  where a new lock is defined
 *   homes.c    slots, __post_init__, __getstate__: what a class needs to hold one
 *   split.c    statements that share their line
 *   wrap.c     `with LOCK:` round statements: merging, indentation
 *   certificate.c  taking away what was inserted gives back the original
 *   words.c    the certificate that a page states of its own
 *   verify.c   edits_verify: parse, certificate, races gone and none new, idempotent
 *   blame.c    the fixes without which a cycle of locks is not there
 *   lesson.c   steps that a fix must guard as well; prove.h: what these share
 *   retext.c   texts_prove: the same for a text that a person made */
#ifndef UNGIL_EDIT_H
#define UNGIL_EDIT_H

#include "fixes/fixes.h"
#include "parse/asts.h"
#include "pipeline.h"

/* What an edit puts in; also the order of insertions at one and the same byte. */
typedef enum PieceKind {
    PIECE_IMPORT,
    PIECE_LOCK,
    PIECE_INSERT,
    PIECE_WITH,
    PIECE_INDENT,
    PIECE_BREAK,
    PIECE_REPLACE
} PieceKind;

typedef struct Piece {
    Span span;
    Str text;
    u32 fix;
    u8 kind;
    u32 depth; /* PIECE_WITH: how many inserted with statements stand around it */
} Piece;
typedef Vec(Piece) PieceVec;

/* `with LOCK:` round statements. */
typedef struct Wrap {
    Span span;
    Str lock;
    u32 fix;
} Wrap;
typedef Vec(Wrap) WrapVec;

/* A statement that gets a line of its own; see split.c. */
typedef struct Break {
    Span gap;  /* what stands before it on the line */
    u32 next;  /* the statement, a node */
    u32 fix;
    Str line;  /* a line more before it: the definition of a lock */
} Break;

/* One file while its edits are being made. */
typedef struct Draft {
    Arena *a;
    const Program *p;
    FixList *fixes; /* only to mark a fix whose edits cannot be made */
    const Facts *f;
    const Source *s;
    Ast ast;
    u32 file;
    PieceVec pieces;
    Vec(Break) breaks;
    Vec(Intent) imports; /* merged as a set */
    WrapVec keeps;       /* lines that are not indented for a wrap of that lock */
    u32 *locks, nlocks;  /* defined in this file so far */
    bool *in_string;     /* by line: starts inside a string; made by wrap.c */
} Draft;

/* A Change with what each edit is, for the certificate. */
typedef struct Made {
    Change change;
    PieceVec pieces; /* as the change's edits */
    u64 fixes;       /* hash of the fixes in it */
} Made;
typedef Vec(Made) MadeVec;

u32 line_of(const Source *s, u32 offset);
u32 line_start(const Source *s, u32 line); /* after a byte order mark */
u32 line_end(const Source *s, u32 line);   /* before its newline */
Str line_indent(const Source *s, u32 line);
bool line_blank(const Source *s, u32 line);
bool line_comment(const Source *s, u32 line); /* nothing but a comment */
Str newline_text(const Source *s, u32 line);
/* A new line of its own after line `line` (from 0), or before it. */
void piece_after(Draft *d, u32 line, Str text, PieceKind kind, u32 fix);
void piece_before(Draft *d, u32 line, Str text, PieceKind kind, u32 fix);
void piece_add(Draft *d, Span span, Str text, PieceKind kind, u32 fix);

void import_need(Draft *d, const Intent *in, u32 fix);
void imports_place(Draft *d);
/* The last line of a statement and of others that share it. */
u32 last_line(const Draft *d, u32 n);
/* The statement that makes the lock: "self._n_lock = threading.Lock()". type: "threading.Lock". */
Str lock_making(const Draft *d, const LockPlan *l, Str self, Str type);
/* What else a class needs so that its objects can have the lock; false with a reason. making and type: see
 * lock_making. */
bool slot_write(Draft *d, const LockPlan *l, u32 fix, Str *why);
bool post_init_write(Draft *d, const LockPlan *l, Str making, u32 fix, Str *why);
bool state_write(Draft *d, const LockPlan *l, Str type, u32 fix, Str *why);
/* Defines the lock in this file. False with a reason when there is no place for it. */
bool lock_declare(Draft *d, u32 lock, u32 fix, Str *why);
void wraps_place(Draft *d, WrapVec *wraps);
Str indent_unit(const Draft *d, Str indent);
Str block_indent(const Draft *d, u32 stmt);
/* Gives the statement a line of its own; its index in d->breaks, NONE when it has one already. */
u32 break_before(Draft *d, u32 stmt, u32 fix);
/* All breaks to pieces, with the `with` lines that begin there. */
void breaks_place(Draft *d, const WrapVec *wraps);

/* The same fixes, for edits_draft to mark. */
FixList fixes_copy(Arena *a, const FixList *fixes);
/* edits_make with the kinds of the pieces kept. Fixes whose edits overlap others' are marked declined. What out holds
 * from an earlier call with the same fixes is taken over where nothing changed. */
void edits_draft(Arena *a, const Program *p, FixList *fixes, const Wanted *w, MadeVec *out);
/* Does taking the inserted pieces away give the old file back? The trees are those of the old and the new file. False
 * with a reason and the fix to blame (or NONE). */
bool certificate_holds(Arena *a, const Made *m, const Ast *before, const Ast *after, Str *why, u32 *fix);
/* What a proof asks of findings, of the program before the edits and of the one after them (verify.c): is the rule
 * one about locks, which a new lock can break? Is it the same piece of state? */
bool rule_about_locks(u8 rule);
bool same_state(const Program *before, u32 place, const Program *after, u32 now);
/* Does the fix add and drop no other words than its page states? False with a reason. */
bool page_certificate(Arena *a, const Program *p, const PageList *pages, const MadeVec *made, const FixList *fixes,
                      u32 fix, Str *why);

#endif
