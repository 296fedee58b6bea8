/* Arena allocation: blocks that double up to 1 MiB, linked, freed together. */
#include "arena.h"

#include <string.h>

struct ArenaBlock {
    ArenaBlock *next;
    size_t pad; /* keeps the payload 16-byte aligned */
};

enum { FIRST_BLOCK = 16 << 10, LAST_BLOCK = 1 << 20 };

static _Noreturn void no_memory(size_t n)
{
    fprintf(stderr, "ungil: out of memory (%zu bytes wanted)\n", n);
    exit(2);
}

void *xmalloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p) no_memory(n);
    return p;
}

void *xrealloc(void *old, size_t n)
{
    void *p = realloc(old, n ? n : 1);
    if (!p) no_memory(n);
    return p;
}

/* A block for one large request, behind the newest one, whose room stays in use. The system's fresh pages are zero:
 * the part of a table that nobody touches costs nothing. */
static void *block_alone(Arena *a, size_t want, bool zero)
{
    ArenaBlock *b = zero ? calloc(1, sizeof *b + want) : malloc(sizeof *b + want);
    if (!b) no_memory(sizeof *b + want);
    a->total += sizeof *b + want;
    if (a->head) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = NULL;
        a->head = b;
        a->at = a->end = (char *)(b + 1) + want;
    }
    return b + 1;
}

#ifndef ARENA_MALLOC
static void block_add(Arena *a, size_t room)
{
    ArenaBlock *b = xmalloc(sizeof *b + room);
    b->next = a->head;
    a->head = b;
    a->at = (char *)(b + 1);
    a->end = a->at + room;
    a->total += sizeof *b + room;
}
#endif

static inline void *take(Arena *a, size_t size, size_t align, size_t n, bool zero)
{
    if (n && size > (SIZE_MAX >> 1) / n) BUG("arena request overflows: %zu * %zu", size, n);
    size_t want = size * n;
#ifdef ARENA_MALLOC
    (void)align;
    return block_alone(a, want, zero);
#else
    size_t gap = a->at ? -(uintptr_t)a->at & (align - 1) : 0;
    if (!a->at || (size_t)(a->end - a->at) < gap || (size_t)(a->end - a->at) - gap < want) {
        size_t room = MIN(MAX(a->total, (size_t)FIRST_BLOCK), (size_t)LAST_BLOCK);
        if (want > room) return block_alone(a, want, zero);
        block_add(a, room);
        gap = 0;
    }
    char *p = a->at + gap;
    a->at = p + want;
    return zero ? memset(p, 0, want) : p;
#endif
}

void *arena_alloc(Arena *a, size_t size, size_t align, size_t n)
{
    return take(a, size, align, n, true);
}

void *arena_room(Arena *a, size_t size, size_t align, size_t n)
{
    return take(a, size, align, n, false);
}

void arena_free(Arena *a)
{
    for (ArenaBlock *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (Arena){0};
}

void arena_adopt(Arena *into, Arena *from)
{
    if (!from->head) return;
    ArenaBlock *last = from->head;
    while (last->next) last = last->next;
    if (into->head) {
        /* Behind the newest block, whose room stays in use. */
        last->next = into->head->next;
        into->head->next = from->head;
        into->total += from->total;
    } else {
        *into = *from;
    }
    *from = (Arena){0};
}
