/* Flat trees of files that several stages look at once more after the facts are out: planning for the regions of its
 * fixes, drafting for the places of its edits, the certificate for the comparison with the new file. Each file is
 * parsed by who comes first, and kept for the others while all of them hold no more than ASTS_BYTES of text (trees
 * take some ten times as much). What is not kept, the others parse again.
 *
 * Nothing here locks: asts_keep belongs to one thread, and asts_get to any while nobody keeps. */
#ifndef UNGIL_ASTS_H
#define UNGIL_ASTS_H

#include "parse/ast.h"

enum { ASTS_BYTES = 8 << 20 };

typedef struct Asts {
    Arena a;
    Ast *v; /* by file; a file that is not kept has no source */
    u32 n;
    size_t bytes; /* of text */
} Asts;

/* Room for the trees of n files; the Asts itself and its table live in the arena. */
Asts *asts_new(Arena *a, u32 n);
/* The tree of the source, which is file number `file`; NULL when it is not kept. k may be NULL. */
const Ast *asts_get(const Asts *k, u32 file, const Source *s);
/* Keeps the tree, whose memory the arena `from` holds, and empties that. False when there is no room for it, or no k:
 * then nothing changes. */
bool asts_keep(Asts *k, u32 file, const Ast *t, Arena *from);
/* Forgets all trees. k may be NULL. */
void asts_drop(Asts *k);

#endif
