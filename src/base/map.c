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

static void map_grow(Arena *a, Map *m)
{
    u32 cap = m->cap ? m->cap * 2 : 16;
    MapSlot *slots = arena_new(a, MapSlot, cap);
    for (u32 i = 0; i < m->cap; i++)
        if (m->slots[i].key) *key_slot(slots, cap, m->slots[i].key) = m->slots[i];
    m->slots = slots;
    m->cap = cap;
}

u32 *map_at(Arena *a, Map *m, u64 key)
{
    CHECK(key != UINT64_MAX);
    if (m->n * 2 >= m->cap) map_grow(a, m);
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

static u32 str_slot(const Intern *t, const u32 *slots, u32 cap, Str s)
{
    u32 i = (u32)str_hash(s) & (cap - 1);
    while (slots[i] && !str_eq(t->strs[slots[i] - 1], s)) i = (i + 1) & (cap - 1);
    return i;
}

u32 intern_find(const Intern *t, Str s)
{
    if (!t->cap) return NONE;
    u32 i = str_slot(t, t->slots, t->cap, s);
    return t->slots[i] ? t->slots[i] - 1 : NONE;
}

static void intern_grow(Arena *a, Intern *t)
{
    u32 cap = t->cap ? t->cap * 2 : 64;
    u32 *slots = arena_new(a, u32, cap);
    Str *strs = arena_new(a, Str, cap / 2);
    for (u32 id = 0; id < t->n; id++) {
        strs[id] = t->strs[id];
        slots[str_slot(t, slots, cap, strs[id])] = id + 1;
    }
    t->slots = slots;
    t->strs = strs;
    t->room = cap / 2;
    t->cap = cap;
}

u32 intern(Arena *a, Intern *t, Str s)
{
    if (t->n >= t->room) intern_grow(a, t);
    u32 i = str_slot(t, t->slots, t->cap, s);
    if (!t->slots[i]) {
        t->strs[t->n++] = str_dup(a, s);
        t->slots[i] = t->n;
    }
    return t->slots[i] - 1;
}
