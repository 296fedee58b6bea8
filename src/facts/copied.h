/* What the items of a container are, where a copy or an annotation says it (copied.c). */
#ifndef UNGIL_FACTS_COPIED_H
#define UNGIL_FACTS_COPIED_H

#include "facts/walk.h"

/* The expression whose items the expression has: x for list(x), sorted(x), x[:], x.copy(), [v for v in x if …],
 * filter(f, x); itself where it is no such copy. */
u32 copied_of(Walk *w, u32 n);
/* x for enumerate(x), NONE for anything else. */
u32 numbered_of(Walk *w, u32 n);
/* x: list[T], x: dict[str, T]: a Def for the items of x, at the node `target`, where `type` says what they are. */
void items_annotated(Walk *w, Path x, u32 target, u32 type);

#endif
