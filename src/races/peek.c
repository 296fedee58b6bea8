/* Two steps that each are one, on one container, with nothing tested between: x = q[0] … q.popleft() takes another
 * item than it looked at, and so do some = q[:n]; del q[:n] (UG201, UG203); q.append(x); i = len(q) - 1, i = len(q);
 * q.append(x) and d[len(d)] = x give two threads the same number (UG101); i = q.index(x); del q[i] takes what has
 * come to that place meanwhile (UG102).
 *
 * Needs the accesses of one place, in text order. Both steps stand in one block of one function, and the second one
 * always follows the first. Sources: the operations that tests/operations lists; docs/memory-model.md. Not handled:
 * an index that is computed from another one. */
#include "races/races.h"

static Str method_name(const Finder *f, u32 i)
{
    return sym_str(f->p->facts[access_gid(f->p, f->acc[i]).file], program_access(f->p, f->acc[i])->method);
}

static Str key_text(const Finder *f, u32 i)
{
    return sym_str(f->p->facts[access_gid(f->p, f->acc[i]).file], program_access(f->p, f->acc[i])->key);
}

/* Does access i take away the item of this end: "0" the first, "-1" the last? */
static bool takes(const Finder *f, u32 i, Str end)
{
    const Access *a = program_access(f->p, f->acc[i]);
    if (a->op == OP_ITEM_DEL) return str_eq(key_text(f, i), end);
    if (a->op != OP_METHOD) return false;
    if (str_is(method_name(f, i), "popleft")) return str_is(end, "0");
    if (!str_is(method_name(f, i), "pop")) return false;
    return a->nargs ? str_eq(key_text(f, i), end) : str_is(end, "-1");
}

/* Do both stand in one block of one function, the second soon after the first? */
static bool follows(const Finder *f, u32 first, u32 second)
{
    if (second - first > STEPS_AHEAD) return false;
    GId g = access_gid(f->p, f->acc[first]), h = access_gid(f->p, f->acc[second]);
    const Access *a = program_access(f->p, f->acc[first]), *b = program_access(f->p, f->acc[second]);
    return g.file == h.file && a->func == b->func && a->block == b->block && b->span.start >= a->span.end;
}

static Race *pair_add(Finder *f, RuleId rule, u32 first, u32 second, u32 effects)
{
    u32 ga = f->acc[second];
    if (f->claimed[ga] || one_section(f->p, f->acc[first], ga, NULL)) return NULL;
    Conflict c = conflict_find(f, ga, effects, true);
    if (c.witness == NONE) return NULL;
    const Place *x = &f->p->places.v[f->place];
    bool kept =
        x->evidence & EV_GUARDED || (rule == UG101 && (x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR));
    if (!c.roots && !kept) c.confidence = CONF_LOW; /* one owner is the rule where no two threads are seen */
    Race *r = race_add(f, rule, ga, c);
    r->test = f->acc[first];
    r->act = ga;
    race_site(r, f->acc[first]);
    return r;
}

/* q[:n] and then del q[:n]: ":n" */
static bool first_ones(Str key)
{
    return (str_starts(key, S(":")) && key.n > 1) || (str_starts(key, S("0:")) && key.n > 2);
}

static void look_and_take(Finder *f, u32 i)
{
    Str end = key_text(f, i);
    const Place *x = &f->p->places.v[f->place];
    u8 type = x->type.kind;
    bool several = first_ones(end) && (type == TYPE_LIST || type == TYPE_BYTEARRAY);
    if (!str_is(end, "0") && !str_is(end, "-1") && !several) return;
    if (type != TYPE_LIST && type != TYPE_DEQUE && !several) return;
    for (u32 k = i + 1; k < f->nacc && follows(f, i, k); k++) {
        if (!takes(f, k, end)) continue;
        Race *r = pair_add(f, type == TYPE_LIST ? UG201 : UG203, i, k, EFFECT_SHRINK);
        if (r && several && !(x->evidence & EV_GUARDED) && !threads_visible(f->p, r->sites[0], r->sites[1]))
            r->confidence = CONF_LOW; /* a buffer is mostly that of who reads from it */
        if (r && several)
            race_message(f, r,
                         "line %u reads the first of %.*s and they are taken away here; another thread may do so in "
                         "between, so that some are used twice and some never",
                         program_access(f->p, f->acc[i])->line, STR_ARG(short_state(f->p, f->place)));
        else if (r)
            race_message(f, r,
                         "line %u looks at an item of %.*s and the next one to be taken is taken here; another "
                         "thread may take the first in between, so that one is used twice and one never",
                         program_access(f->p, f->acc[i])->line, STR_ARG(short_state(f->p, f->place)));
        return;
    }
}

static bool counts(const Finder *f, u32 i)
{
    return program_access(f->p, f->acc[i])->op == OP_CREAD && str_is(method_name(f, i), "len");
}

/* q.append(x); i = len(q) - 1 */
static void append_and_count(Finder *f, u32 i)
{
    for (u32 k = i + 1; k < f->nacc && follows(f, i, k); k++) {
        if (!counts(f, k)) continue;
        const Access *a = program_access(f->p, f->acc[k]);
        Str text = f->p->facts[access_gid(f->p, f->acc[k]).file]->source->text;
        u32 at = a->span.end;
        while (at < text.n && (text.p[at] == ' ' || text.p[at] == ')')) at++;
        Str rest = str_trim(str_slice(text, at, MIN(at + 4u, text.n)));
        if (!str_starts(rest, S("- 1")) && !str_starts(rest, S("-1"))) return;
        Race *r = pair_add(f, UG101, i, k, EFFECT_GROW | EFFECT_SHRINK);
        if (r)
            race_message(f, r,
                         "the length of %.*s is taken for the index of what line %u appended; another thread may "
                         "have appended since, and both get the same one",
                         STR_ARG(short_state(f->p, f->place)), program_access(f->p, f->acc[i])->line);
        return;
    }
}

/* i = len(q); q.append(x); return i */
static void count_and_append(Finder *f, u32 i)
{
    const Access *a = program_access(f->p, f->acc[i]);
    const Facts *x = f->p->facts[access_gid(f->p, f->acc[i]).file];
    if (a->local == SYM_EMPTY) return;
    for (u32 k = i + 1; k < f->nacc && follows(f, i, k); k++) {
        const Access *b = program_access(f->p, f->acc[k]);
        if (b->op != OP_METHOD || !str_is(method_name(f, k), "append")) continue;
        Str rest = str_slice(x->source->text, b->span.start, x->blocks.v[b->block].span.end);
        if (!str_has_name(rest, sym_str(x, a->local))) return;
        Race *r = pair_add(f, UG101, i, k, EFFECT_GROW | EFFECT_SHRINK);
        if (r)
            race_message(f, r,
                         "the length of %.*s on line %u is taken for the place of what is appended here; two threads "
                         "may read the same length, and both get the same one",
                         STR_ARG(short_state(f->p, f->place)), a->line);
        return;
    }
}

/* Does access k change the item at the place that the name stands for, or put one there? */
static bool changes_at(const Finder *f, u32 k, Str name)
{
    const Access *a = program_access(f->p, f->acc[k]);
    if (!str_eq(key_text(f, k), name)) return false;
    if (a->op == OP_ITEM_DEL || a->op == OP_ITEM_STORE || a->op == OP_ITEM_AUG) return true;
    return a->op == OP_METHOD && (str_is(method_name(f, k), "pop") || str_is(method_name(f, k), "insert"));
}

/* i = q.index(x); del q[i] */
static void find_and_change(Finder *f, u32 i)
{
    const Access *a = program_access(f->p, f->acc[i]);
    const Facts *x = f->p->facts[access_gid(f->p, f->acc[i]).file];
    u8 type = f->p->places.v[f->place].type.kind;
    if (a->local == SYM_EMPTY || (type != TYPE_LIST && type != TYPE_DEQUE)) return;
    for (u32 k = i + 1; k < f->nacc && follows(f, i, k); k++) {
        u32 ga = f->acc[k];
        if (!changes_at(f, k, sym_str(x, a->local))) continue;
        if (f->claimed[ga] || one_section(f->p, f->acc[i], ga, NULL)) return;
        Conflict c = conflict_find(f, ga, EFFECT_GROW | EFFECT_SHRINK, true);
        if (c.witness == NONE) return;
        Race *r = race_add(f, UG102, ga, c);
        r->test = f->acc[i];
        r->act = ga;
        race_site(r, f->acc[i]);
        race_message(f, r,
                     "line %u looks for an item of %.*s and this changes what is at its place; another thread may "
                     "put in or take out items in between, and another item is there",
                     a->line, STR_ARG(short_state(f->p, f->place)));
        return;
    }
}

/* d[len(d)] = x */
static void count_as_key(Finder *f, u32 i)
{
    const Access *a = program_access(f->p, f->acc[i]);
    for (u32 k = i; k-- > 0;) {
        const Access *b = program_access(f->p, f->acc[k]);
        bool before = b->span.end < a->span.start;
        if (before || access_gid(f->p, f->acc[k]).file != access_gid(f->p, f->acc[i]).file) return;
        if (!counts(f, k) || b->span.start < a->span.start || b->span.end > a->span.end) continue;
        Race *r = pair_add(f, UG101, k, i, EFFECT_GROW | EFFECT_SHRINK);
        if (r)
            race_message(f, r,
                         "the length of %.*s is the key of a new entry; two threads may read the same length, and "
                         "one entry replaces the other",
                         STR_ARG(short_state(f->p, f->place)));
        return;
    }
}

void race_peek(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        if (a->op == OP_ITEM_LOAD) look_and_take(f, i);
        if (a->op == OP_METHOD && str_is(method_name(f, i), "append")) append_and_count(f, i);
        if (a->op == OP_ITEM_STORE) count_as_key(f, i);
    }
}

/* The same through a name. After the rules about stacks, which say more of what is appended and taken back. */
void race_kept_place(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        if (program_access(f->p, f->acc[i])->op == OP_METHOD && str_is(method_name(f, i), "index"))
            find_and_change(f, i);
        if (counts(f, i)) count_and_append(f, i);
    }
}
