/* What operations do, as far as the rules ask: the memory model of docs/memory-model.md in two small tables.
 *
 * Sources: Doc/library/threadsafety.rst (3.14) and the measurements in docs/memory-model.md. */
#include "races/races.h"

static const struct {
    const char *name;
    u8 effect;
} methods[] = {
    {"append", EFFECT_WRITE | EFFECT_GROW},
    {"appendleft", EFFECT_WRITE | EFFECT_GROW},
    {"add", EFFECT_WRITE | EFFECT_GROW},
    {"extend", EFFECT_WRITE | EFFECT_GROW},
    {"extendleft", EFFECT_WRITE | EFFECT_GROW},
    {"insert", EFFECT_WRITE | EFFECT_GROW | EFFECT_SHIFT},
    {"update", EFFECT_WRITE | EFFECT_GROW},
    {"setdefault", EFFECT_WRITE | EFFECT_GROW},
    {"pop", EFFECT_WRITE | EFFECT_SHRINK | EFFECT_RAISES},
    {"popleft", EFFECT_WRITE | EFFECT_SHRINK | EFFECT_RAISES},
    {"popitem", EFFECT_WRITE | EFFECT_SHRINK | EFFECT_RAISES},
    {"remove", EFFECT_WRITE | EFFECT_SHRINK | EFFECT_RAISES | EFFECT_SHIFT},
    {"discard", EFFECT_WRITE | EFFECT_SHRINK},
    {"clear", EFFECT_WRITE | EFFECT_SHRINK},
    {"sort", EFFECT_WRITE | EFFECT_SHIFT}, /* and the list is empty for readers meanwhile */
    {"reverse", EFFECT_WRITE | EFFECT_SHIFT},
    {"rotate", EFFECT_WRITE},
    {"move_to_end", EFFECT_WRITE | EFFECT_RAISES},
    {"difference_update", EFFECT_WRITE | EFFECT_SHRINK},
    {"intersection_update", EFFECT_WRITE | EFFECT_SHRINK},
    {"symmetric_difference_update", EFFECT_WRITE | EFFECT_GROW},
    {"subtract", EFFECT_WRITE},
    {"get", EFFECT_READ},
    {"items", EFFECT_READ},
    {"keys", EFFECT_READ},
    {"values", EFFECT_READ},
    {"copy", EFFECT_READ},
    {"count", EFFECT_READ},
    {"index", EFFECT_READ | EFFECT_RAISES},
    {"issubset", EFFECT_READ},
    {"has_key", EFFECT_READ},
    {"iteritems", EFFECT_READ},
    {"iterkeys", EFFECT_READ},
    {"itervalues", EFFECT_READ},
    {"put", EFFECT_WRITE | EFFECT_GROW},
    {"put_nowait", EFFECT_WRITE | EFFECT_GROW},
    {"get_nowait", EFFECT_WRITE | EFFECT_SHRINK | EFFECT_RAISES},
    {"empty", EFFECT_READ},
    {"qsize", EFFECT_READ},
    {"full", EFFECT_READ},
};

bool is_data(const Place *x)
{
    switch (x->type.kind) {
    case TYPE_LOCK:
    case TYPE_RLOCK:
    case TYPE_CONDITION:
    case TYPE_SEMAPHORE:
    case TYPE_RWLOCK:
    case TYPE_ASYNC_LOCK:
    case TYPE_EVENT:
    case TYPE_LOCAL:
    case TYPE_CONTEXTVAR:
    case TYPE_MODULE:
    case TYPE_MP_SAFE: return false;
    default: return !x->thread_local_ && !x->confined && !x->is_lock;
    }
}

/* May the place hold a container? Unknown types may. */
static bool may_hold(u8 type)
{
    return type == TYPE_UNKNOWN || type == TYPE_NONE || type_holds_items(type);
}

static u32 method_effect(u8 type, Str name)
{
    if (type == TYPE_QUEUE && str_is(name, "get")) return EFFECT_WRITE | EFFECT_SHRINK;
    for (u32 i = 0; i < COUNT_OF(methods); i++)
        if (str_is(name, methods[i].name)) return methods[i].effect;
    return EFFECT_READ;
}

bool method_known(const Place *x, Str name)
{
    u8 type = x->type.kind;
    if (!may_hold(type) || x->opaque) return false;
    for (u32 i = 0; i < COUNT_OF(methods); i++)
        if (str_is(name, methods[i].name)) return true;
    return type == TYPE_QUEUE && str_is(name, "get");
}

u32 access_effect(const Program *p, u32 gaccess)
{
    GId g = access_gid(p, gaccess);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    u32 place = p->access_place[gaccess];
    u8 type = place == NONE ? TYPE_UNKNOWN : p->places.v[place].type.kind;
    switch (a->op) {
    case OP_STORE: return EFFECT_WRITE | EFFECT_REBIND;
    case OP_DEL: return EFFECT_WRITE | EFFECT_REBIND | EFFECT_SHRINK;
    case OP_AUG: return EFFECT_WRITE | EFFECT_REBIND | EFFECT_READ;
    case OP_ITEM_STORE:
        return may_hold(type) || type == TYPE_EXTERNAL || type == TYPE_CLASS ? EFFECT_WRITE | EFFECT_GROW
                                                                             : EFFECT_READ;
    case OP_ITEM_DEL:
        return EFFECT_WRITE | EFFECT_SHRINK | EFFECT_RAISES | (str_is(sym_str(f, a->key), ":") ? 0 : EFFECT_SHIFT);
    case OP_ITEM_AUG: return EFFECT_WRITE | EFFECT_READ;
    case OP_ITEM_LOAD: return EFFECT_READ | EFFECT_RAISES;
    case OP_METHOD: {
        if (!may_hold(type) || (place != NONE && p->places.v[place].opaque)) return EFFECT_READ;
        u32 e = method_effect(type, sym_str(f, a->method));
        if (a->nargs && type == TYPE_QUEUE && str_is(sym_str(f, a->method), "get"))
            e |= EFFECT_RAISES; /* get(block=False), get(timeout=1) */
        if (a->nargs == 1 && str_is(sym_str(f, a->method), "pop") && !str_is(sym_str(f, a->key), "-1"))
            e |= EFFECT_SHIFT;                                                              /* pop(0) */
        if (a->nargs > 1 && str_is(sym_str(f, a->method), "pop")) e &= ~(u32)EFFECT_RAISES; /* pop(k, default) */
        return e;
    }
    default: return EFFECT_READ;
    }
}

/* Readers that take their snapshot in one step. */
bool reader_is_safe(u8 type, Str reader, bool view)
{
    static const char *const harmless[] = {"len", "isinstance", "bool", "next",    "iter",   "repr", "str",
                                           "id",  "copy",       "vars", "partial", "bisect", "type", "callable"};
    static const char *const dict_whole[] = {"list",     "sorted",  "set",  "frozenset", "dict",
                                             "fromkeys", "Counter", "copy", "update",    "OrderedDict",
                                             "[*]",      "{*}",     "{**}"};
    static const char *const dict_view[] = {"list", "sorted", "[*]"};
    static const char *const other_whole[] = {"dict", "update", "{**}"};
    static const char *const set_whole[] = {"list", "set",    "frozenset", "sorted", "[*]",
                                            "{*}",  "update", "fromkeys",  "copy"};
    bool shown = str_is(reader, "repr") || str_is(reader, "str"); /* item by item, with their own repr() */
    if (shown && (type == TYPE_DEQUE || type == TYPE_ORDERED_DICT)) return false;
    if (str_among(reader, harmless, COUNT_OF(harmless))) return true;
    switch (type) {
    case TYPE_LIST:
    case TYPE_TUPLE:
    case TYPE_STRING:
    case TYPE_NUMBER: return !str_is(reader, "dumps");
    case TYPE_DICT:
        return view ? str_among(reader, dict_view, COUNT_OF(dict_view))
                    : str_among(reader, dict_whole, COUNT_OF(dict_whole));
    case TYPE_DEFAULT_DICT:
    case TYPE_COUNTER:
        return view ? str_among(reader, dict_view, COUNT_OF(dict_view))
                    : str_among(reader, other_whole, COUNT_OF(other_whole));
    case TYPE_SET: return str_among(reader, set_whole, COUNT_OF(set_whole));
    case TYPE_DEQUE:
    case TYPE_ORDERED_DICT:
    case TYPE_CACHE:
    case TYPE_WEAK_DICT:
    case TYPE_WEAK_SET:
    case TYPE_QUEUE: return false; /* the deque inside: q.queue */
    default:
        return str_among(reader, set_whole, COUNT_OF(set_whole)) ||
               str_among(reader, dict_whole, COUNT_OF(dict_whole));
    }
}
