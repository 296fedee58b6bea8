/* A folder of small files, found by key: what was computed once from a text and need not be computed again. */
#ifndef UNGIL_CACHE_H
#define UNGIL_CACHE_H

#include "pipeline.h"

typedef struct Cache {
    Str dir; /* empty: there is no cache, nothing is found and nothing kept */
} Cache;

/* The cache that the options ask for: none with --no-cache; --cache-dir DIR; else ungil in $XDG_CACHE_HOME or
 * ~/.cache. Makes the folder. A default one that cannot be made is no cache; one that was asked for fails with
 * a sentence. */
bool cache_open(Arena *a, const Options *o, Cache *out, Err *e);

/* The entry of this key, in the arena. False when there is none that can be read. */
bool cache_get(const Cache *c, Arena *a, u64 key, Str *out);

/* Keeps an entry, whole or not at all; a full disk is nobody's error. From any thread. */
void cache_put(const Cache *c, u64 key, Str bytes);

/* Once a day: removes entries that were not asked for in 30 days. */
void cache_sweep(const Cache *c);

#endif
