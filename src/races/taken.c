/* UG201 and UG203 where what decides about a take is no test of the container by its own name:
 *
 *   while now - q[0] > period: q.popleft()   the next item is looked at, and may be another one by then, or none
 *   pool = free[host]                        a container that another one holds, tested by the local
 *   if pool: return pool.pop()
 *
 * Needs the accesses of one place, and for the last form those of the place that holds it. Test and take stand in one
 * function, which holds no lock over both. peek.c has the same steps without a test between them. A look in a
 * property or a method that the test calls is asked.c's. */
#include "races/races.h"

enum { BACK = 200 }; /* accesses before a take that are looked at */

static bool takes_end(const Program *p, u32 ga)
{
    Str m = access_method(p, ga);
    return program_access(p, ga)->op == OP_METHOD &&
           (str_is(m, "pop") || str_is(m, "popleft") || str_is(m, "popitem"));
}

/* q[0], q[-1] */
static bool looks_at_end(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    Str key = sym_str(p->facts[access_file(p, ga)], a->key);
    return a->op == OP_ITEM_LOAD && (str_is(key, "0") || str_is(key, "-1"));
}

/* The look at an item that decides about the take, access i of the place. */
static u32 look_before(const Finder *f, u32 i)
{
    const Program *p = f->p;
    u32 act = f->acc[i];
    for (u32 k = i, n = 0; k-- > 0 && n < BACK && access_func(p, f->acc[k]) == access_func(p, act); n++)
        if (looks_at_end(p, f->acc[k]) && test_decides(p, f->acc[k], act))
            return failure_caught(p, f->acc[k]) ? NONE : f->acc[k]; /* else it copes with what others take */
    return NONE;
}

/* pool = free[host], free.get(host), of the place that holds this one: the last read before the take, where it
 * decides about that. */
static u32 item_tested(const Finder *f, u32 act)
{
    const Program *p = f->p;
    u32 holder = p->places.v[f->place].of, found = NONE;
    if (holder == NONE) return NONE;
    GId g = access_gid(p, act);
    const Func *fn = program_func(p, access_func(p, act));
    for (u32 i = g.id, n = 0; i-- > fn->accesses && n < BACK && found == NONE; n++) {
        u32 ga = p->access_base[g.file] + i;
        if (p->access_place[ga] != holder) continue;
        u8 op = program_access(p, ga)->op;
        Str m = access_method(p, ga);
        if (op == OP_ITEM_LOAD || (op == OP_METHOD && (str_is(m, "get") || str_is(m, "setdefault")))) found = ga;
    }
    if (found == NONE || program_access(p, found)->local == SYM_EMPTY) return NONE;
    return test_decides(p, found, act) || test_leaves(p, found, act) ? found : NONE;
}

void race_taken(Finder *f)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    u8 type = x->type.kind;
    if (type != TYPE_LIST && type != TYPE_DEQUE && type != TYPE_SET && type != TYPE_DICT) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 act = f->acc[i];
        if (f->claimed[act] || !access_counts(p, act) || !takes_end(p, act) || failure_caught(p, act)) continue;
        u32 look = type == TYPE_LIST || type == TYPE_DEQUE ? look_before(f, i) : NONE;
        u32 test = look == NONE ? item_tested(f, act) : look;
        if (test == NONE || one_section(p, test, act, NULL)) continue;
        Conflict c = conflict_find(f, act, EFFECT_SHRINK, true);
        if (c.witness == NONE) continue;
        c.confidence = MIN(c.confidence, CONF_MEDIUM);
        Race *r = race_add(f, type == TYPE_LIST ? UG201 : UG203, act, c);
        r->test = test;
        r->act = act;
        race_site(r, test);
        Str state = short_state(p, f->place);
        u32 line = program_access(p, test)->line;
        if (look != NONE)
            race_message(
                f, r,
                "%.*s is looked at on line %u, and for what is there an item is taken here; another thread may "
                "take it in between, so that this takes another one, or raises",
                STR_ARG(state), line);
        else
            race_message(
                f, r,
                "%.*s is read and tested on line %u and an item taken here; another thread may take the last "
                "item in between, and this raises",
                STR_ARG(state), line);
    }
}
