/* The room of one tree. tree-sitter asks for memory in very many small pieces and gives most of them back when the
 * tree goes; here they come from blocks that belong to the tree and go with it. */
#ifndef UNGIL_HEAP_H
#define UNGIL_HEAP_H

#include "base/base.h"

/* Makes tree-sitter ask here. Before the first heap is entered; more than once does no harm. */
void heap_install(void);

/* Everything that tree-sitter asks for in this thread until heap_leave comes from a new heap. Not nested. */
void heap_enter(void);

/* Ends that and returns the heap: what it gave out stays valid, in any thread, until heap_free. Nothing of it may be
 * freed or grown by tree-sitter any more (no ts_tree_delete). NULL: memory is malloc's after all, see heap.c. */
struct Heap *heap_leave(void);

/* Gives all of it back. NULL is nothing. */
void heap_free(struct Heap *h);

#endif
