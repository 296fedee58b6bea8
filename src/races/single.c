/* UG101 for a single call that is not one step: l.sort(), counter.update(), anything that changes an OrderedDict,
 * or a cache of cachetools, heapq.heappush(h, x), bisect.insort(l, x), random.shuffle(l).
 *
 * Needs the accesses of one place; the tables say which calls, what becomes of the others, and from which version of
 * Python on the interpreter does it in one step. Sources: docs/memory-model.md, and the issues named in its list of
 * crashes. A change that a lock guards elsewhere is left to UG108. Without two visible threads only what crashes is
 * worth a finding: the rest is fine in objects of one owner, and sharing is then a guess. */
#include "races/races.h"

typedef struct Single {
    u8 type;            /* of the container; TYPE_UNKNOWN: any that may be one */
    const char *method; /* NULL: every change */
    u8 cured;           /* minor version; 0: in none */
    bool crashes;       /* the interpreter may crash or hang */
    const char *harm;   /* what becomes of it, after "…; " */
} Single;

static const Single methods[] = {
    {TYPE_LIST, "sort", 0, false, "other threads see an empty list while it is sorted, and what they append is lost"},
    {TYPE_COUNTER, "update", 0, false, "it counts item by item, and counts of other threads are lost"},
    {TYPE_COUNTER, "subtract", 0, false, "it counts item by item, and counts of other threads are lost"},
    {TYPE_ORDERED_DICT, NULL, 15, true, "an OrderedDict has no lock of its own: entries are lost, Python may crash"},
    {TYPE_CACHE, NULL, 0, true, "a cache of cachetools has no lock of its own, and making room may raise KeyError"},
    {TYPE_BYTEARRAY, NULL, 15, true, "a bytearray has no lock of its own: bytes are lost, Python may hang"},
    {TYPE_ARRAY, NULL, 14, true, "an array has no lock of its own: items are lost, Python may hang"},
};

/* Objects of the library that are no containers, by what made them. */
static const struct {
    const char *name;
    Single call;
} objects[] = {
    {"io.BytesIO",
     {TYPE_EXTERNAL, "write", 14, true, "a BytesIO has no lock of its own: bytes are lost, Python may crash"}},
    {"csv.writer",
     {TYPE_EXTERNAL, "writerow", 15, true, "a csv.writer has no lock of its own, and Python may crash"}},
    {"csv.writer",
     {TYPE_EXTERNAL, "writerows", 15, true, "a csv.writer has no lock of its own, and Python may crash"}},
    {"random.Random",
     {TYPE_EXTERNAL, "gauss", 0, false, "two threads may get the same number, as not from normalvariate()"}},
};

/* Functions that change their first argument. */
static const struct {
    const char *name;
    u8 cured;
    const char *harm;
} functions[] = {
    {"heapq.heappush", 14, "it moves items one by one, and items of other threads are lost"},
    {"heapq.heappop", 14, "it moves items one by one, and items of other threads are lost"},
    {"heapq.heapreplace", 14, "it moves items one by one, and items of other threads are lost"},
    {"heapq.heappushpop", 14, "it moves items one by one, and items of other threads are lost"},
    {"heapq.heapify", 14, "it moves items one by one, and items of other threads are lost"},
    {"bisect.insort", 0, "the place found for the item is wrong when another thread inserts first"},
    {"bisect.insort_left", 0, "the place found for the item is wrong when another thread inserts first"},
    {"bisect.insort_right", 0, "the place found for the item is wrong when another thread inserts first"},
    {"random.shuffle", 0, "it swaps items one by one, and another thread's changes are lost"},
};

/* Most functions make few calls, which are looked through; a table of all calls would cost more than it saves. */
enum { CALLS_FEW = 64 };

static bool begins_at(const Facts *x, const Call *c, u32 start)
{
    return c->nargs && !x->args.v[c->args].star && x->args.v[c->args].span.start == start;
}

static u32 call_with_first(const Finder *f, u32 file, u32 func, u32 start)
{
    const Facts *x = f->p->facts[file];
    const Func *fn = &x->funcs.v[func];
    if (fn->ncalls > CALLS_FEW) return map_get(&f->first_args, map_key(file, start));
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (begins_at(x, &x->calls.v[i], start)) return i;
    return NONE;
}

void arguments_index(Finder *f)
{
    for (u32 file = 0; file < f->p->nfiles; file++) {
        const Facts *x = f->p->facts[file];
        for (u32 fn = 0; fn < x->funcs.n; fn++) {
            u32 first = x->funcs.v[fn].calls, end = first + x->funcs.v[fn].ncalls;
            for (u32 i = first; i < end && end - first > CALLS_FEW; i++) {
                const Call *c = &x->calls.v[i];
                if (!c->nargs || x->args.v[c->args].star) continue;
                u32 *at = map_at(f->scratch, &f->first_args, map_key(file, x->args.v[c->args].span.start));
                if (*at == NONE) *at = i;
            }
        }
    }
}

Str first_argument_of(const Finder *f, u32 ga)
{
    GId g = access_gid(f->p, ga);
    const Facts *x = f->p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    if (a->op != OP_ARG && a->op != OP_CREAD) return S("");
    u32 call = call_with_first(f, g.file, a->func, a->span.start);
    if (call == NONE) return S("");
    const Call *c = &x->calls.v[call];
    bool same = c->func == a->func && x->args.v[c->args].span.end == a->span.end;
    return same ? path_external(f->p, g.file, c->callee) : S("");
}

static u32 function_of(const Finder *f, u32 ga)
{
    Str name = first_argument_of(f, ga);
    for (u32 i = 0; name.n && i < COUNT_OF(functions); i++)
        if (str_is(name, functions[i].name)) return i;
    return NONE;
}

u32 argument_effect(const Finder *f, u32 ga)
{
    return function_of(f, ga) == NONE ? EFFECT_NONE : EFFECT_WRITE;
}

static const Single *call_of_object(const Program *p, const Place *x, Str method)
{
    for (u32 i = 0; x->type.id != NONE && i < COUNT_OF(objects); i++)
        if (str_is(method, objects[i].call.method) && str_is(p->syms.strs[x->type.id], objects[i].name))
            return &objects[i].call;
    return NULL;
}

static const Single *method_of(const Finder *f, u32 i)
{
    const Place *x = &f->p->places.v[f->place];
    GId g = access_gid(f->p, f->acc[i]);
    const Access *a = program_access(f->p, f->acc[i]);
    Str name = a->op == OP_METHOD ? sym_str(f->p->facts[g.file], a->method) : S("");
    if (x->type.kind == TYPE_EXTERNAL) return call_of_object(f->p, x, name);
    for (u32 k = 0; k < COUNT_OF(methods); k++) {
        const Single *m = &methods[k];
        if (m->type != x->type.kind || (m->method && !str_is(name, m->method))) continue;
        if (m->method || ((f->effect[i] & EFFECT_WRITE) && !(f->effect[i] & EFFECT_REBIND))) return m;
    }
    return NULL;
}

/* Readers are harmed by a sort, by an OrderedDict and by a cache; every use of an object that is no container is a
 * read. */
static bool harms_readers(const Single *m)
{
    return m && (m->type == TYPE_LIST || m->type == TYPE_ORDERED_DICT || m->type == TYPE_CACHE ||
                 m->type == TYPE_EXTERNAL);
}

static Conflict single_conflict(const Finder *f, u32 ga, const Single *m)
{
    return conflict_find(f, ga, harms_readers(m) ? EFFECT_WRITE | EFFECT_READ : EFFECT_WRITE, true);
}

/* Is it more than a guess that other threads have the object? */
static bool kept_for_all(const Place *x)
{
    return x->kind != PLACE_INSTANCE || x->evidence & (EV_SINGLETON | EV_DECORATOR | EV_ALWAYS);
}

/* random.gauss() of the module is that of one generator for all threads, which keeps every second number for the next
 * call (Python library reference, "random.gauss"). */
void race_module_gauss(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    if (intern_find(&x->syms, S("gauss")) == NONE || is_test_path(x->source->path)) return;
    for (u32 i = 0; i < x->calls.n; i++) {
        const Call *c = &x->calls.v[i];
        if (!str_is(path_external(p, file, c->callee), "random.gauss") || call_is_held(p, file, c)) continue;
        if (!threads_meet(p, gfunc_of(p, file, c->func))) continue;
        Race *r = race_at(f, UG101, file, c->func, c->span, S("random.gauss"), CONF_MEDIUM);
        r->impact = IMPACT_NEW;
        r->by_hand = "random.normalvariate() does the same safely, or each thread has a Random() of its own";
        race_message(f, r,
                     "random.gauss() keeps a number for the next call in the generator that all threads share; two "
                     "threads may get the same number, as not from random.normalvariate()");
    }
}

void race_single(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    int target = f->p->options->target;
    if (x->guard != NONE) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i], fn = f->claimed[ga] ? NONE : function_of(f, ga);
        const Single *m = f->claimed[ga] || fn != NONE ? NULL : method_of(f, i);
        if (!m && fn == NONE) continue;
        u8 cured = m ? m->cured : functions[fn].cured;
        if (cured && target >= cured) continue;
        Conflict c = single_conflict(f, ga, m);
        if (c.witness == NONE) continue;
        if (!c.roots && !(m && m->crashes && kept_for_all(x))) c.confidence = CONF_LOW;
        Race *r = race_add(f, UG101, ga, c);
        r->impact = IMPACT_NEW;
        r->readers = harms_readers(m);
        race_message(f, r, "%.*s is changed here by a call that takes more than one step; %s%s",
                     STR_ARG(short_state(f->p, f->place)), m ? m->harm : functions[fn].harm,
                     cured ? " (cured in a later version of Python)" : "");
    }
}
