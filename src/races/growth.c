/* UG202: a shared container that several threads change, each by one call. CPython's list, dict, set and deque have a
 * lock of their own, so that nothing is lost; who does not want to rely on that takes a lock, or a deque.
 *
 * Under --model cpython, when it is asked for, lists that grow; under --model strict every change of a list, a dict
 * or a set by a call, an item or an operator in place, and those of a deque but for the appends and pops at its ends,
 * which are documented to be safe (Python library reference, "deque objects"). Reads in one step are left alone under
 * both: the lock is for who changes. So is the store of a name or attribute, which no implementation tears. */
#include "races/races.h"

static bool documented(Str method)
{
    static const char *const ends[] = {"append", "appendleft", "pop", "popleft"};
    return str_among(method, ends, COUNT_OF(ends));
}

/* Does the access change the container in a step that only CPython makes one? */
static bool relies_on_lock(const Finder *f, u32 i, bool strict)
{
    const Program *p = f->p;
    u8 type = p->places.v[f->place].type.kind;
    const Access *a = program_access(p, f->acc[i]);
    if (!strict) return type == TYPE_LIST && a->op == OP_METHOD && access_effect(p, f->acc[i]) & EFFECT_GROW;
    bool changes = a->op == OP_AUG || a->op == OP_ITEM_STORE || a->op == OP_ITEM_DEL ||
                   (a->op == OP_METHOD && access_effect(p, f->acc[i]) & EFFECT_WRITE);
    switch (type) {
    case TYPE_LIST:
    case TYPE_DICT:
    case TYPE_SET:
    case TYPE_DEFAULT_DICT:
    case TYPE_COUNTER: return changes;
    case TYPE_DEQUE: return changes && !documented(access_method(p, f->acc[i]));
    default: return false;
    }
}

static const char *kind_name(u8 type)
{
    switch (type) {
    case TYPE_LIST: return "list";
    case TYPE_SET: return "set";
    case TYPE_DEQUE: return "deque";
    default: return "dict";
    }
}

void race_growth(Finder *f)
{
    const Options *o = f->p->options;
    bool strict = o->model == MODEL_STRICT;
    if (!strict && !(o->select.n && rule_selected(UG202, o->select.v, o->select.n))) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (f->claimed[ga] || !relies_on_lock(f, i, strict)) continue;
        Conflict c = conflict_find(f, ga, EFFECT_WRITE, true);
        if (c.witness == NONE) continue;
        Race *r = race_add(f, UG202, ga, c);
        if (strict) r->severity = SEV_WARNING;
        u8 type = f->p->places.v[f->place].type.kind;
        bool replaces = type == TYPE_LIST && program_access(f->p, ga)->op == OP_ITEM_STORE;
        bool grows = access_effect(f->p, ga) & EFFECT_GROW && !replaces;
        race_message(f, r,
                     "%.*s %s several threads; that is safe in CPython because of the %s's own lock, and nowhere "
                     "promised",
                     STR_ARG(short_state(f->p, f->place)), grows ? "grows from" : "is changed by", kind_name(type));
    }
}
