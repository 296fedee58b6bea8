/* Hash tables in an arena, open addressing, no deletion. Both are zero-initialised.
 *
 *   Map     u64 key → u32 value. Keys are often two ids packed by map_key.
 *   Intern  string → small dense id, and back. */
#ifndef UNGIL_MAP_H
#define UNGIL_MAP_H

#include "str.h"

typedef struct MapSlot {
    u64 key; /* + 1, 0 = free; so the key UINT64_MAX cannot be stored */
    u32 value;
} MapSlot;
typedef struct Map {
    MapSlot *slots;
    u32 n, cap;
} Map;

static inline u64 map_key(u32 hi, u32 lo)
{
    return (u64)hi << 32 | lo;
}
/* Makes room for n keys, so that putting them does not copy the table again and again. */
void map_reserve(Arena *a, Map *m, u32 n);
/* The value, or NONE. */
u32 map_get(const Map *m, u64 key);
/* Sets key to value, replacing an older one. */
void map_put(Arena *a, Map *m, u64 key, u32 value);
/* Address of the value; a new key starts with NONE. Valid until the next put. */
u32 *map_at(Arena *a, Map *m, u64 key);

typedef struct Intern {
    Str *strs; /* id → string; the bytes belong to the arena given to intern() */
    u32 *hash; /* id → the low half of its hash: most comparisons end here, and a string is hashed once */
    u32 n, room;
    u32 *slots; /* id + 1, 0 = free */
    u32 cap;
} Intern;

/* The id of s, made when new (the bytes are copied). */
u32 intern(Arena *a, Intern *t, Str s);
/* The same for a string whose hash is known from another table. */
u32 intern_hashed(Arena *a, Intern *t, Str s, u32 hash);
/* The id of s, or NONE. */
u32 intern_find(const Intern *t, Str s);
/* A table with the same ids that can grow on its own; the bytes of the strings are shared. */
Intern intern_copy(Arena *a, const Intern *t);

#endif
