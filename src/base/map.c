/* Hash tables: linear probing, at most half full. */
#include "map.h"

static u32 key_slot(const u64 *keys, u32 cap, u64 stored)
{
    u64 h = hash_mix(0x2545f4914f6cdd1du, stored);
    u32 i = (u32)(h >> 20) & (cap - 1);
    while (keys[i] && keys[i] != stored) i = (i + 1) & (cap - 1);
    return i;
}

u32 map_get(const Map *m, u64 key)
{
    if (!m->cap) return NONE;
    u32 i = key_slot(m->keys, m->cap, key + 1);
    return m->keys[i] ? m->values[i] : NONE;
}

static void map_grow(Arena *a, Map *m)
{
    u32 cap = m->cap ? m->cap * 2 : 16;
    u64 *keys = arena_new(a, u64, cap);
    u32 *values = arena_new(a, u32, cap);
    for (u32 i = 0; i < m->cap; i++) {
        if (!m->keys[i]) continue;
        u32 j = key_slot(keys, cap, m->keys[i]);
        keys[j] = m->keys[i];
        values[j] = m->values[i];
    }
    m->keys = keys;
    m->values = values;
    m->cap = cap;
}

u32 *map_at(Arena *a, Map *m, u64 key)
{
    CHECK(key != UINT64_MAX);
    if (m->n * 2 >= m->cap) map_grow(a, m);
    u32 i = key_slot(m->keys, m->cap, key + 1);
    if (!m->keys[i]) {
        m->keys[i] = key + 1;
        m->values[i] = NONE;
        m->n++;
    }
    return &m->values[i];
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
