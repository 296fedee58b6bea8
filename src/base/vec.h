/* Growing arrays in an arena. Declare with Vec(T), e.g. typedef Vec(Access) AccessVec; zero is empty.
 * The old room stays in the arena when an array grows (at most as much again as the final array). */
#ifndef UNGIL_VEC_H
#define UNGIL_VEC_H

#include "arena.h"

#include <string.h>

#define Vec(T)                                                                                                       \
    struct {                                                                                                         \
        T *v;                                                                                                        \
        u32 n, cap;                                                                                                  \
    }

/* Appends a zeroed element and gives its address (valid until the next append). */
#define vec_add(arena, vec)                                                                                          \
    ((vec)->n == (vec)->cap                                                                                          \
         ? (void)((vec)->v = vec_grow((arena), (vec)->v, (vec)->n, &(vec)->cap, sizeof *(vec)->v))                   \
         : (void)0,                                                                                                  \
     &(vec)->v[(vec)->n++])
#define vec_push(arena, vec, ...) ((void)(*vec_add((arena), (vec)) = (__VA_ARGS__)))

/* Makes room for n elements in all. */
#define vec_reserve(arena, vec, want)                                                                                \
    ((want) > (vec)->cap                                                                                             \
         ? (void)((vec)->v = vec_room((arena), (vec)->v, (vec)->n, (want), &(vec)->cap, sizeof *(vec)->v))           \
         : (void)0)

static inline void *vec_room(Arena *a, void *old, u32 n, u32 want, u32 *cap, size_t size)
{
    char *v = arena_room(a, size, 16, want);
    if (n) memcpy(v, old, n * size);
    memset(v + n * size, 0, (want - n) * size);
    *cap = want;
    return v;
}

static inline void *vec_grow(Arena *a, void *old, u32 n, u32 *cap, size_t size)
{
    u32 want = *cap ? *cap * 2 : 8;
    CHECK(want > n);
    return vec_room(a, old, n, want, cap, size);
}

#endif
