/* Hash tables: linear probing, at most half full. */
#include "map.h"

static MapSlot *key_slot(const MapSlot *slots, u32 cap, u64 stored)
{
    u64 h = hash_mix(0x2545f4914f6cdd1du, stored);
    u32 i = (u32)(h >> 20) & (cap - 1);
    while (slots[i].key && slots[i].key != stored) i = (i + 1) & (cap - 1);
    return (MapSlot *)&slots[i];
}

u32 map_get(const Map *m, u64 key)
{
    if (!m->cap) return NONE;
    const MapSlot *x = key_slot(m->slots, m->cap, key + 1);
    return x->key ? x->value : NONE;
}

static void map_grow(Arena *a, Map *m, u32 cap)
{
    MapSlot *slots = arena_new(a, MapSlot, cap);
    for (u32 i = 0; i < m->cap; i++)
        if (m->slots[i].key) *key_slot(slots, cap, m->slots[i].key) = m->slots[i];
    m->slots = slots;
    m->cap = cap;
}

void map_reserve(Arena *a, Map *m, u32 n)
{
    u32 cap = 16;
    while (cap / 2 < n) cap *= 2;
    if (cap > m->cap) map_grow(a, m, cap);
}

u32 *map_at(Arena *a, Map *m, u64 key)
{
    CHECK(key != UINT64_MAX);
    if (m->n * 2 >= m->cap) map_grow(a, m, m->cap ? m->cap * 2 : 16);
    MapSlot *x = key_slot(m->slots, m->cap, key + 1);
    if (!x->key) {
        *x = (MapSlot){key + 1, NONE};
        m->n++;
    }
    return &x->value;
}

void map_put(Arena *a, Map *m, u64 key, u32 value)
{
    *map_at(a, m, key) = value;
}

/* Where the string is, or would be. */
static u32 str_slot(const Intern *t, Str s, u32 hash)
{
    u32 i = hash & (t->cap - 1), id;
    while ((id = t->slots[i]) && (t->hash[id - 1] != hash || !str_eq(t->strs[id - 1], s))) i = (i + 1) & (t->cap - 1);
    return i;
}

u32 intern_find(const Intern *t, Str s)
{
    return t->cap ? t->slots[str_slot(t, s, (u32)str_hash(s))] - 1 : NONE;
}

static void intern_grow(Arena *a, Intern *t)
{
    u32 cap = t->cap ? t->cap * 2 : 64, *slots = arena_new(a, u32, cap), *hash = arena_new(a, u32, cap / 2);
    Str *strs = arena_new(a, Str, cap / 2);
    if (t->n) memcpy(strs, t->strs, t->n * sizeof *strs);
    if (t->n) memcpy(hash, t->hash, t->n * sizeof *hash);
    for (u32 id = 0; id < t->n; id++) { /* all differ: the first free slot is right */
        u32 i = hash[id] & (cap - 1);
        while (slots[i]) i = (i + 1) & (cap - 1);
        slots[i] = id + 1;
    }
    *t = (Intern){strs, hash, t->n, cap / 2, slots, cap};
}

u32 intern_hashed(Arena *a, Intern *t, Str s, u32 hash)
{
    if (t->n >= t->room) intern_grow(a, t);
    u32 i = str_slot(t, s, hash);
    if (!t->slots[i]) {
        t->hash[t->n] = hash;
        t->strs[t->n++] = str_dup(a, s);
        t->slots[i] = t->n;
    }
    return t->slots[i] - 1;
}

u32 intern(Arena *a, Intern *t, Str s)
{
    return intern_hashed(a, t, s, (u32)str_hash(s));
}

Intern intern_copy(Arena *a, const Intern *t)
{
    Intern c = *t;
    c.strs = arena_new(a, Str, t->room);
    c.hash = arena_new(a, u32, t->room);
    c.slots = arena_new(a, u32, t->cap);
    if (t->n) memcpy(c.strs, t->strs, t->n * sizeof *c.strs);
    if (t->n) memcpy(c.hash, t->hash, t->n * sizeof *c.hash);
    if (t->cap) memcpy(c.slots, t->slots, t->cap * sizeof *c.slots);
    return c;
}
