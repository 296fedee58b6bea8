/* Short names for the sizes that plain data uses, and the one way in which our own bugs end the program. */
#ifndef UNGIL_TYPES_H
#define UNGIL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

/* "No such id": every id in the program is an index into some array, and this is never one. */
#define NONE UINT32_MAX

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* A broken invariant of ours: says where and aborts. Never used for bad input. */
#define BUG(...)                                                                                                     \
    do {                                                                                                             \
        fprintf(stderr, "ungil: internal error at %s:%d: ", __FILE__, __LINE__);                                     \
        fprintf(stderr, __VA_ARGS__);                                                                                \
        fputc('\n', stderr);                                                                                         \
        abort();                                                                                                     \
    } while (0)
#define CHECK(cond)                                                                                                  \
    do {                                                                                                             \
        if (!(cond)) BUG("%s", #cond);                                                                               \
    } while (0)

#endif
