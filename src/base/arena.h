/* Memory by lifetime: an arena hands out zeroed memory and gives all of it back at once.
 *
 * There is no free for a single object. A function that needs room for its own work takes an arena of its
 * own (arena_free at the end); what outlives the call goes into the caller's arena. Running out of memory
 * ends the program with a message: no caller could do better.
 *
 * Building with -DARENA_MALLOC gives each object its own malloc, so that sanitizers see its bounds. */
#ifndef UNGIL_ARENA_H
#define UNGIL_ARENA_H

#include "types.h"

typedef struct ArenaBlock ArenaBlock;

/* Zero-initialise ({0}) to make an empty one. */
typedef struct Arena {
    ArenaBlock *head; /* newest block first */
    char *at, *end;   /* free room in the newest block */
    size_t total;     /* bytes taken from the system, for statistics */
} Arena;

/* Returns n*size zeroed bytes at the given alignment (a power of two, at most 16). n == 0 gives a valid
 * pointer to nothing. Aborts when n*size overflows. */
void *arena_alloc(Arena *a, size_t size, size_t align, size_t n);
/* The same without zeroing: for what is written at once. */
void *arena_room(Arena *a, size_t size, size_t align, size_t n);

/* Gives back everything; the arena is empty and can be used again. */
void arena_free(Arena *a);

/* Moves everything that `from` holds into `into`; `from` is empty afterwards. For memory that worker threads
 * filled, each its own arena, and that is to live as long as the run. */
void arena_adopt(Arena *into, Arena *from);

#define arena_new(a, T, n) ((T *)arena_alloc((a), sizeof(T), _Alignof(T), (n)))

/* malloc/realloc that end the program with a message when memory is out. */
void *xmalloc(size_t n);
void *xrealloc(void *old, size_t n);

#endif
