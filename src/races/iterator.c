/* UG107: one iterator advanced by several threads. A generator raises or crashes, most itertools objects crash or
 * repeat (docs/memory-model.md); itertools.count with next() is safe. */
#include "races/races.h"

bool place_is_file(const Program *p, const Place *x)
{
    return x->type.kind == TYPE_EXTERNAL && x->type.id != NONE && str_is(p->syms.strs[x->type.id], "open");
}

/* Readers and methods that take items out of the iterator. What only wraps it, zip(it, …), takes them later. */
static bool takes_items(Str name)
{
    static const char *const takers[] = {"next",   "__next__", "send", "list",   "tuple",  "set",      "frozenset",
                                         "sorted", "sum",      "any",  "all",    "max",    "min",      "dict",
                                         "deque",  "Counter",  "join", "extend", "update", "fromkeys", "islice",
                                         "[*]",    "{*}",      "*",    "reduce"};
    return str_among(name, takers, COUNT_OF(takers));
}

/* Nothing says what it is, or an object of a class that cannot be advanced: an object that somebody hands in. */
static bool given(const Program *p, const Place *x)
{
    if (x->type.kind == TYPE_CLASS) return class_method_called(p, x->type.id, S("__next__")) == NONE;
    return x->type.kind == TYPE_UNKNOWN;
}

/* next(self.source) by threads in sight: only an iterator is taken that way, and hardly any may be by two at once. */
static bool advanced_by_threads(const Finder *f, u32 ga, Str reader, const Conflict *c)
{
    return str_is(reader, "next") && program_access(f->p, ga)->op == OP_CREAD && c->roots &&
           threads_visible(f->p, ga, c->witness);
}

void race_iterator(Finder *f)
{
    const Place *place = &f->p->places.v[f->place];
    u8 t = place->type.kind;
    bool file = place_is_file(f->p, place), some = !file && given(f->p, place);
    if (t != TYPE_GENERATOR && t != TYPE_ITERATOR && !file && !some) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        GId g = access_gid(f->p, ga);
        const Facts *x = f->p->facts[g.file];
        const Access *a = &x->accesses.v[g.id];
        Str m = a->op == OP_CREAD || a->op == OP_METHOD ? sym_str(x, a->method) : S("");
        bool advances = a->op == OP_ITER || takes_items(m);
        if (!advances || f->claimed[ga] || (file && a->op != OP_ITER)) continue;
        Conflict c = conflict_find(f, ga, EFFECT_READ, true);
        if (c.witness == NONE || (some && !advanced_by_threads(f, ga, m, &c))) continue;
        if (some) c.confidence = MIN(c.confidence, CONF_MEDIUM);
        Race *r = race_add(f, UG107, ga, c);
        race_message(f, r,
                     "%.*s is one %s that several threads advance; items are repeated or lost, and the interpreter "
                     "may raise or crash",
                     STR_ARG(short_state(f->p, f->place)),
                     t == TYPE_GENERATOR ? "generator"
                     : file              ? "file"
                                         : "iterator");
    }
}
