/* UG101 about an entry of a dict that all threads share, put there for a while and taken away again; UG402 where it
 * is one of the whole process:
 *
 *   def __enter__(self): sys.modules["old"] = stub        os.environ["TZ"] = zone
 *   def __exit__(self, *exc): del sys.modules["old"]      try: work()
 *                                                         finally: del os.environ["TZ"]
 *
 * Others see it meanwhile, and of two blocks at once the first to end takes it from the second, which then finds
 * nothing to take away, or puts back what the first had set.
 *
 * Needs the accesses of one place, a global or class attribute. Only keys that are the same for all who come here: a
 * literal, or a name in capitals; of os.environ, which all read, also what a local names. Also a context manager
 * function, before and after its yield. */
#include "races/races.h"

static const Func *func_of(const Program *p, u32 ga)
{
    return program_func(p, access_func(p, ga));
}

static bool is_name(Str key)
{
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i], small = c | 0x20;
        if (!(small >= 'a' && small <= 'z') && c != '_' && (!i || c < '0' || c > '9')) return false;
    }
    return key.n;
}

/* The key, when it is the same for all callers, or any name does; else an empty string. */
static Str fixed_key(const Program *p, u32 ga, bool any_name)
{
    Str key = sym_str(p->facts[access_gid(p, ga).file], program_access(p, ga)->key);
    bool fixed = key.n && (key.p[0] == '"' || key.p[0] == '\'' || (key.p[0] >= 'A' && key.p[0] <= 'Z'));
    return fixed || (any_name && is_name(key)) ? key : S("");
}

/* Does the access take the entry away, or put another one in its place? */
static bool ends_entry(const Program *p, u32 ga, Str key)
{
    const Facts *x = p->facts[access_gid(p, ga).file];
    const Access *a = program_access(p, ga);
    bool ends = a->op == OP_ITEM_DEL || a->op == OP_ITEM_STORE || str_is(access_method(p, ga), "pop");
    return ends && str_eq(sym_str(x, a->key), key);
}

/* Is `end` where the time ends for which `set` is there? */
static bool for_a_while(const Program *p, u32 set, u32 end)
{
    GId g = access_gid(p, set);
    const Facts *x = p->facts[g.file];
    const Access *a = program_access(p, set), *b = program_access(p, end);
    const Func *fn = func_of(p, set);
    if (access_gid(p, end).file != g.file) return false;
    if (a->func != b->func)
        return fn->cls != NONE && str_is(sym_str(x, fn->name), "__enter__") && func_of(p, end)->cls == fn->cls &&
               str_is(sym_str(x, func_of(p, end)->name), "__exit__");
    if (b->span.start < a->span.end) return false;
    return changed_back_surely(p, x, a->func, (Moment){a->span.start, a->block}, (Moment){b->span.start, b->block});
}

/* One of the process is a setting like others (settings.c), and a lock of ours is no cure. */
static Race *add(Finder *f, u32 set, Conflict c)
{
    const Place *x = &f->p->places.v[f->place];
    GId g = access_gid(f->p, set);
    const Facts *facts = f->p->facts[g.file];
    const Access *a = &facts->accesses.v[g.id];
    if (x->file != NONE) return race_add(f, UG101, set, c);
    bool low = is_test_path(facts->source->path) || f->p->vendored[g.file];
    Confidence conf = low ? CONF_LOW : threads_reach(f->p, set) ? CONF_HIGH : CONF_MEDIUM;
    Race *r = race_at(f, UG402, g.file, a->func, a->span, x->display, conf);
    r->sites[0] = r->sites[1] = set;
    r->nsites = 2;
    f->claimed[set] = 1;
    return r;
}

void race_entries(Finder *f)
{
    const Program *p = f->p;
    u8 kind = p->places.v[f->place].kind;
    bool environ = place_is_environ(p, &p->places.v[f->place]);
    if (kind != PLACE_GLOBAL && kind != PLACE_CLASS_ATTR) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 set = f->acc[i], end = NONE;
        bool puts = program_access(p, set)->op == OP_ITEM_STORE && !f->claimed[set];
        Str key = puts ? fixed_key(p, set, environ) : S("");
        if (!key.n || !access_counts(p, set)) continue;
        for (u32 k = i + 1; k < f->nacc && k - i <= STEPS_AHEAD && end == NONE; k++)
            if (ends_entry(p, f->acc[k], key) && for_a_while(p, set, f->acc[k])) end = f->acc[k];
        if (end == NONE || one_section(p, set, end, NULL)) continue;
        Conflict c = conflict_of(f, set, set);
        if (c.witness == NONE) continue;
        Race *r = add(f, set, c);
        r->by_hand = "what the entry is for is better passed along than put where all find it";
        r->test = set;
        r->act = end;
        race_site(r, end);
        f->claimed[end] = 1;
        race_message(f, r,
                     "%.*s of %.*s is put there for a while, until line %u; other threads see it meanwhile, and of "
                     "two at once, the first to end takes it from the other",
                     STR_ARG(key), STR_ARG(short_state(p, f->place)), program_access(p, end)->line);
    }
}
