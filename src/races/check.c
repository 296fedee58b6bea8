/* UG102, UG103, UG104, UG201, UG203: a test and the act that it decides, with a gap between them.
 *
 * For each act the nearest test before it that decides it is taken: with double-checked locking that is the inner
 * one, under the lock. What kind of finding it is follows from what is tested, what is done and what the place holds.
 */
#include "races/races.h"

enum { TESTS_BACK = 300 }; /* accesses of one place in one function that are looked through for its test */

/* Methods whose answer is a test; taking an item out (pop, queue.get) is an act. */
static bool asking_method(const Program *p, u32 ga, Str m)
{
    u32 place = p->access_place[ga];
    if (str_is(m, "get")) return place == NONE || p->places.v[place].type.kind != TYPE_QUEUE;
    return str_is(m, "empty") || str_is(m, "full") || str_is(m, "qsize") || str_is(m, "has_key") ||
           str_is(m, "__contains__") || str_is(m, "count") || str_is(m, "is_set") || str_is(m, "exists");
}

/* getattr(o, name): what is asked of such attributes, and made on first use, is mostly a matter of setting up. Of 20
 * such findings in 259 programs one was true. */
static bool by_computed_name(const Access *a)
{
    return a->op == OP_ITEM_LOAD && a->method != SYM_ITEM;
}

bool check_tests(const Program *p, u32 ga)
{
    static const char *const readers[] = {"len", "bool", "isinstance", "type", "callable"};
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    bool asks = a->op == OP_TRUTH || a->op == OP_LOAD || a->op == OP_CONTAINS || a->op == OP_ITEM_LOAD ||
                a->op == OP_HASATTR || a->op == OP_CREAD;
    if (a->op == OP_CREAD) asks = str_among(sym_str(f, a->method), readers, COUNT_OF(readers));
    if (a->op == OP_METHOD) asks = asking_method(p, ga, sym_str(f, a->method));
    if (by_computed_name(a)) return false;
    if (asks && a->test && a->cond != NONE) return true;
    if (a->op != OP_ITEM_LOAD && a->op != OP_LOAD && a->op != OP_RETURN && a->op != OP_METHOD && a->op != OP_ARG)
        return false;
    for (u32 b = a->block; b != NONE; b = f->blocks.v[b].parent)
        if (f->blocks.v[b].kind == BLOCK_TRY) return true;
    return false;
}

static bool check_acts(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    u32 e = access_effect(p, ga);
    if (a->op == OP_METHOD && (e & EFFECT_WRITE) &&
        !(e & EFFECT_RAISES)) { /* right whatever the test found: discard, setdefault, pop(k, None) */
        Str m = sym_str(p->facts[access_gid(p, ga).file], a->method);
        if (str_is(m, "discard") || str_is(m, "setdefault") || str_is(m, "pop") || str_is(m, "put") ||
            str_is(m, "clear"))
            return false;
    }
    if (by_computed_name(a)) return false;
    return (e & EFFECT_WRITE) || (e & EFFECT_RAISES) || a->op == OP_RETURN || a->op == OP_METHOD;
}

/* Uses the object that the binding has: calls it, or gives it to the caller. */
static bool uses_object(const Access *a)
{
    return a->op == OP_METHOD || a->op == OP_RETURN;
}

/* Does the function return None on another way out, so that its callers know of it? */
static bool may_return_none(const Program *p, u32 ga)
{
    const Facts *f = p->facts[access_gid(p, ga).file];
    u32 func = program_access(p, ga)->func;
    if (!f->blocks.v[f->funcs.v[func].block].exits) return true;
    for (u32 i = 0; i < f->defs.n; i++)
        if (f->defs.v[i].is_return && f->defs.v[i].func == func && f->defs.v[i].kind == VAL_NONE) return true;
    return false;
}

Str access_method(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    return a->op == OP_METHOD || a->op == OP_CREAD ? sym_str(f, a->method) : S("");
}

/* if not self.timer.is_alive(): self.timer = Timer(…), if self.token.expired(): self.token = fetch(): the object is
 * asked whether another one shall take its place. What containers, numbers and texts answer is of what they hold. */
static bool asked_to_go(const Program *p, u32 test, u32 act)
{
    const Access *t = program_access(p, test), *a = program_access(p, act);
    u8 type = p->places.v[p->access_place[act]].type.kind;
    if (t->op != OP_METHOD || t->awaited || a->op != OP_STORE || t->cond == NONE) return false;
    if (t->test != TEST_TRUE && t->test != TEST_FALSE) return false;
    const Def *d = stored_def(p, act);
    bool object = type == TYPE_UNKNOWN || type == TYPE_EXTERNAL || type == TYPE_CLASS || type == TYPE_THREAD;
    return object && d && d->kind == VAL_CALL && !asking_method(p, test, access_method(p, test));
}

static bool pops(const Program *p, u32 ga)
{
    Str m = access_method(p, ga);
    return str_is(m, "pop") || str_is(m, "popleft") || str_is(m, "popitem") || str_is(m, "get_nowait") ||
           (str_is(m, "get") && p->places.v[p->access_place[ga]].type.kind == TYPE_QUEUE);
}

static bool puts_back(const Program *p, u32 ga)
{
    Str m = access_method(p, ga);
    return str_is(m, "append") || str_is(m, "appendleft") || str_is(m, "insert") || str_is(m, "put") ||
           str_is(m, "put_nowait");
}

/* A test of one key says nothing about another. */
static bool other_key(const Finder *f, u32 test, u32 act)
{
    const Access *t = program_access(f->p, test), *a = program_access(f->p, act);
    bool keyed = t->op == OP_CONTAINS || t->op == OP_METHOD || t->op == OP_ITEM_LOAD;
    bool item = a->op == OP_ITEM_STORE || a->op == OP_ITEM_LOAD || a->op == OP_ITEM_DEL;
    return keyed && item && t->key != SYM_EMPTY && !same_key(f->p, test, act);
}

/* if last[key] == value: return; last[key] = value: the entry is there, and nothing is missed. */
static bool item_compared(const Access *test)
{
    return test->op == OP_ITEM_LOAD && test->test == TEST_COMPARE;
}

/* if key not in table or table[key].expired(): table[key] = fetch(key): the same condition asks first whether there
 * is an entry at all, and one is made where there is none. That test, for the second one; NONE. */
static u32 test_for_entry(const Finder *f, u32 at, u32 test, u32 act)
{
    const Access *t = program_access(f->p, test), *a = program_access(f->p, act);
    const Def *d = stored_def(f->p, act);
    if (!item_compared(t) || a->op != OP_ITEM_STORE || !d || d->kind != VAL_CALL) return NONE;
    for (u32 i = at; i-- > 0 && access_gid(f->p, f->acc[i]).file == access_gid(f->p, test).file;) {
        const Access *b = program_access(f->p, f->acc[i]);
        if (b->func != t->func) break;
        if (b->op == OP_CONTAINS && b->cond == t->cond && b->test && same_key(f->p, f->acc[i], act) &&
            test_decides(f->p, f->acc[i], act))
            return f->acc[i];
    }
    return NONE;
}

/* The last test before the act, in the same function, that decides it. `at` is the act's index. */
static u32 test_before(const Finder *f, u32 at, bool (*decides_it)(const Program *, u32, u32))
{
    u32 act = f->acc[at], func = program_access(f->p, act)->func, file = access_gid(f->p, act).file;
    for (u32 i = at, seen = 0; i-- > 0 && seen < TESTS_BACK; seen++) {
        u32 t = f->acc[i];
        if (access_gid(f->p, t).file != file || program_access(f->p, t)->func != func) break;
        if (program_access(f->p, t)->op == OP_ITEM_LOAD && pops(f->p, act))
            continue;                                        /* a look at q[0] says nothing of what pop finds */
        if (pops(f->p, t) && puts_back(f->p, act)) continue; /* what was taken goes back: no test of the rest */
        bool asks = check_tests(f->p, t) || asked_to_go(f->p, t, act);
        if (asks && decides_it(f->p, t, act) && !other_key(f, t, act) && !other_object(f->p, t, act)) {
            u32 entry = test_for_entry(f, i, t, act);
            return entry != NONE ? entry : t;
        }
    }
    return NONE;
}

u32 check_nearest_test(const Finder *f, u32 at)
{
    u32 near = test_before(f, at, test_decides);
    return near != NONE ? near : test_before(f, at, test_leaves);
}

/* while q / if len(q) / if not q.empty() */
static bool emptiness(const Program *p, u32 test)
{
    const Access *t = program_access(p, test);
    Str m = access_method(p, test);
    return t->op == OP_TRUTH || str_is(m, "len") || str_is(m, "empty") || str_is(m, "qsize") || str_is(m, "bool");
}

/* q.popleft(), del q[0] */
static bool takes_one(const Program *p, u32 act)
{
    GId g = access_gid(p, act);
    const Access *a = program_access(p, act);
    Str key = sym_str(p->facts[g.file], a->key);
    return pops(p, act) || (a->op == OP_ITEM_DEL && (str_is(key, "0") || str_is(key, "-1")));
}

/* while len(q) > limit: q.popleft(): the test leaves room, and nobody finds it empty. */
static bool far_from_empty(const Program *p, u32 test, u32 act)
{
    const Access *t = program_access(p, test);
    const Facts *f = p->facts[access_gid(p, test).file];
    if (!takes_one(p, act) || t->test != TEST_COMPARE || !str_is(access_method(p, test), "len") || t->cond == NONE)
        return false;
    Str rest = str_trim(str_slice(f->source->text, t->span.end, f->conds.v[t->cond].head.end));
    while (rest.n && (rest.p[0] == ')' || rest.p[0] == ' ')) rest = str_slice(rest, 1, rest.n);
    if (!str_starts(rest, S(">"))) return false;
    rest = str_trim(str_slice(rest, str_starts(rest, S(">=")) ? 2 : 1, rest.n));
    return rest.n && !(rest.p[0] == '0' || (rest.p[0] == '1' && rest.n == 1));
}

/* `if x in registry: raise` is a courtesy, not the protection of an invariant; unless who found nothing registers. */
static bool only_raises(const Finder *finder, u32 test)
{
    const Program *p = finder->p;
    GId g = access_gid(p, test);
    const Facts *f = p->facts[g.file];
    const Access *t = &f->accesses.v[g.id];
    if (t->cond == NONE) return false;
    const Cond *c = &f->conds.v[t->cond];
    if (c->then_block == NONE || !f->blocks.v[c->then_block].exits) return false;
    Str body = str_trim(
        str_slice(f->source->text, f->blocks.v[c->then_block].span.start, f->blocks.v[c->then_block].span.end));
    return str_starts(body, S("raise")) && !called_again(finder, gfunc_of(p, g.file, t->func));
}

/* Is the read item or method call only dangerous when somebody takes away what was tested? */
static u32 effects_against(const Program *p, u32 test, u32 act)
{
    u32 e = access_effect(p, act);
    const Access *t = program_access(p, test), *a = program_access(p, act);
    if (!(e & EFFECT_WRITE)) {
        if (uses_object(a) && t->op == OP_TRUTH) return EFFECT_REBIND;
        return EFFECT_SHRINK | EFFECT_REBIND;
    }
    if (pops(p, act) && p->places.v[p->access_place[act]].type.kind == TYPE_QUEUE)
        return EFFECT_SHRINK; /* a new queue comes before its threads are started */
    if (pops(p, act) || a->op == OP_ITEM_DEL) return EFFECT_SHRINK | EFFECT_REBIND;
    return EFFECT_WRITE;
}

/* Does the access set the binding to None, or delete it? */
static bool resets(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    if (a->op == OP_DEL) return true;
    const Def *d = a->op == OP_STORE ? stored_def(p, ga) : NULL;
    return d && d->kind == VAL_NONE;
}

/* Collects the accesses that set the place to None, or delete it, as many as there is room for. */
static void resets_collect(Finder *f)
{
    f->nresets = 0;
    for (u32 i = 0; i < f->nacc && f->nresets < COUNT_OF(f->resets); i++)
        if (resets(f->p, f->acc[i]) && access_counts(f->p, f->acc[i])) f->resets[f->nresets++] = f->acc[i];
}

/* The best witness of a use of the binding: who sets it to None (or deletes it) meanwhile, rather than who sets it to
 * something else. No witness where nobody does. */
static Conflict reset_elsewhere(const Finder *f, u32 act)
{
    Conflict best = {NONE, CONF_LOW, false};
    for (u32 i = 0; i < f->nresets; i++) {
        Conflict c = conflict_of(f, act, f->resets[i]);
        if (c.witness != NONE && (best.witness == NONE || c.confidence > best.confidence)) best = c;
    }
    return best;
}

/* if self.table is not None: self.table[key] += 1: what is in the table was not asked. */
static bool asks_binding(const Program *p, u32 test, u32 act)
{
    const Access *t = program_access(p, test), *a = program_access(p, act);
    bool within = a->op == OP_ITEM_STORE || a->op == OP_ITEM_AUG || a->op == OP_ITEM_DEL || a->op == OP_METHOD;
    return (t->op == OP_LOAD || t->op == OP_TRUTH) && within && t->test == TEST_NOT_NONE;
}

RuleId check_rule(const Finder *f, u32 test, u32 act)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    const Access *t = program_access(p, test), *a = program_access(p, act);
    if (a->op == OP_ITEM_DEL && emptiness(p, test) && x->type.kind == TYPE_LIST) return UG201;
    if (pops(p, act) && emptiness(p, test)) {
        if (x->type.kind == TYPE_LIST) return UG201;
        if (x->type.kind == TYPE_UNKNOWN && str_is(access_method(p, act), "pop")) return UG201;
        return UG203;
    }
    if (a->op == OP_ITEM_LOAD && emptiness(p, test) && (x->type.kind == TYPE_LIST || x->type.kind == TYPE_DEQUE))
        return x->type.kind == TYPE_LIST ? UG201 : UG203;
    if (item_compared(t) || asks_binding(p, test, act)) return UG102;
    if (a->op == OP_ITEM_STORE || str_is(access_method(p, act), "setdefault")) {
        bool missing = t->test == TEST_NOT_IN || t->test == TEST_NONE || t->test == TEST_FALSE ||
                       t->op == OP_ITEM_LOAD || t->op == OP_RETURN || t->test == TEST_IN ||
                       t->test == TEST_NOT_NONE || t->op == OP_METHOD;
        const Def *d = stored_def(p, act);
        bool fresh =
            d && d->empty &&
            (d->kind == VAL_LIST || d->kind == VAL_DICT || d->kind == VAL_SET); /* what others put in it is lost */
        return missing && !fresh && !claims_key(p, act) ? UG104 : UG102;
    }
    if (asked_to_go(p, test, act)) return UG103;
    if (a->op == OP_STORE) {
        u8 found = test_for_act(p, test, act);
        const Def *d = stored_def(p, act);
        bool flag = d && d->kind == VAL_BOOL;
        bool missing = found == TEST_NONE || found == TEST_FALSE || t->op == OP_HASATTR || !found ||
                       ((flag || a->func != t->func) && (found == TEST_TRUE || found == TEST_NOT_NONE));
        bool clears = d && d->kind == VAL_NONE;
        if (missing && !clears) return UG103;
    }
    return UG102;
}

static void describe(Finder *f, Race *r, u32 test, u32 act)
{
    const Program *p = f->p;
    Str s = short_state(p, f->place);
    const Access *t = program_access(p, test);
    const Def *d = stored_def(p, act);
    switch (r->rule) {
    case UG103:
        if (d && d->kind == VAL_BOOL)
            race_message(f, r,
                         "%.*s is tested on line %u and %s here; two threads may both find it %s and both go on",
                         STR_ARG(s), t->line, test_for_act(p, test, act) == TEST_TRUE ? "cleared" : "set",
                         test_for_act(p, test, act) == TEST_TRUE ? "set" : "unset");
        else if (asked_to_go(p, test, act))
            race_message(f, r,
                         "%.*s is asked on line %u and made anew here; two threads may both make it, and the second "
                         "object replaces the first",
                         STR_ARG(s), t->line);
        else if (uses_up(p, test, act))
            race_message(f, r,
                         "%.*s is made on first use of what is gone afterwards; two threads may both find it unset "
                         "(tested on line %u), and the second one has nothing to make it of",
                         STR_ARG(s), t->line);
        else
            race_message(f, r,
                         "%.*s is made on first use; two threads may both make it (tested on line %u), and the "
                         "second object replaces the first",
                         STR_ARG(s), t->line);
        break;
    case UG104:
        race_message(f, r,
                     "%.*s is looked up on line %u and filled here; two threads may both miss and both compute the "
                     "entry, one replacing the other's",
                     STR_ARG(s), t->line);
        break;
    case UG201:
    case UG203:
        race_message(f, r,
                     "%.*s is tested on line %u and an item taken here; another thread may take the last item in "
                     "between, and this %s",
                     STR_ARG(s), t->line,
                     str_is(access_method(p, act), "get") && !program_access(p, act)->nargs ? "waits for the next one"
                                                                                            : "raises");
        break;
    default:
        if (item_compared(t) && program_access(p, act)->op == OP_ITEM_STORE)
            race_message(f, r,
                         "an item of %.*s is compared on line %u and set anew here; threads that come between go by "
                         "the same old value",
                         STR_ARG(s), t->line);
        else if (access_effect(p, act) & EFFECT_WRITE && !asks_binding(p, test, act))
            race_message(f, r, "%.*s is tested on line %u and changed here; another thread may change it in between",
                         STR_ARG(s), t->line);
        else
            race_message(f, r, "%.*s is tested on line %u and used here; another thread may take it away in between",
                         STR_ARG(s), t->line);
    }
}

/* if self.new: / with lock: new, self.new = self.new, set(): what the test saw does not matter under the lock. */
static bool read_again(const Finder *f, u32 test, u32 act)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        u8 op = program_access(f->p, ga)->op;
        if (ga > test && ga < act &&
            (op == OP_LOAD || op == OP_TRUTH || op == OP_RETURN || op == OP_ITER || op == OP_METHOD ||
             (op == OP_ITEM_LOAD && same_key(f->p, test, ga))) &&
            one_section(f->p, ga, act, NULL))
            return true;
    }
    return false;
}

/* Reasons why nobody minds what comes between the test and the act, whoever does it. */
static bool gap_harmless(const Finder *f, u32 test, u32 act)
{
    const Program *p = f->p;
    if (own_thread_test(p, test)) return true;
    if (asks_binding(p, test, act) && reset_elsewhere(f, act).witness == NONE) return true;
    if (check_harmless(p, test, act) || far_from_empty(p, test, act)) return true;
    if (!asked_to_go(p, test, act) && check_overwrites(f, test, act)) return true;
    return access_effect(p, act) & EFFECT_RAISES && failure_caught(p, act) &&
           program_access(p, act)->op != OP_ITEM_STORE;
}

/* Who may come between the two; held: they are in one section. */
static Conflict conflict_between(Finder *f, u32 test, u32 act, bool held)
{
    const Program *p = f->p;
    u32 effects = effects_against(p, test, act);
    Conflict c = conflict_find(f, act, effects, true);
    if (c.witness == NONE) c = conflict_find(f, test, effects, true); /* the act is locked: the gap before the lock */
    if (c.witness != NONE || held || !(access_effect(p, act) & EFFECT_WRITE)) return c;
    bool halves = lockset_common(p, p->access_locks[test], p->access_locks[act]) != NONE; /* not in one piece */
    return halves && may_run_together(p, act, act) ? (Conflict){act, CONF_MEDIUM, false} : c;
}

/* Does the act, which only uses what the test has found, come to grief when that is gone? *c: who takes it away. */
static bool use_harmed(const Finder *f, u32 test, u32 act, Conflict *c)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    const Access *t = program_access(p, test), *a = program_access(p, act);
    if (x->file == NONE) return false; /* modules and variables of the environment rarely go away */
    if (uses_object(a)) {
        bool binding = t->op == OP_TRUTH || t->op == OP_HASATTR;
        if (!binding || t->test == TEST_COMPARE || failure_caught(p, act)) return false;
        if (x->kind == PLACE_GLOBAL && !(x->evidence & EV_GUARDED)) return false;
        *c = reset_elsewhere(f, act);
        if (c->witness == NONE || (a->op == OP_RETURN && may_return_none(p, act))) return false;
        return c->confidence != CONF_MEDIUM || x->evidence & (EV_GUARDED | EV_CLASS_LOCKS);
    }
    u32 other = access_effect(p, c->witness);
    return a->op != OP_ITEM_LOAD || !(other & EFFECT_REBIND) || other & EFFECT_SHRINK;
}

/* The lock that guards the place, when the act holds it and the test does not; NONE. */
static u32 guard_of_act(const Finder *f, u32 test, u32 act)
{
    const Program *p = f->p;
    u32 guard = p->places.v[f->place].guard;
    bool gap = guard != NONE && !p->locks.v[guard].maybe && lockset_has(p, p->access_locks[act], guard) &&
               !lockset_has(p, p->access_locks[test], guard);
    return gap ? guard : NONE;
}

static void gap_before_lock_report(Finder *f, u32 test, u32 act, u32 guard, Conflict c)
{
    const Program *p = f->p;
    if (read_again(f, test, act)) return;
    c.witness = act;
    Race *r = race_add(f, UG108, test, c);
    r->test = test;
    r->act = act;
    r->lock = guard;
    race_site(r, act);
    f->claimed[act] = 1;
    race_message(f, r,
                 "%.*s is tested here without %.*s, and %s on line %u with it; another thread may change it "
                 "in between",
                 STR_ARG(short_state(p, f->place)), STR_ARG(p->locks.v[guard].display),
                 access_effect(p, act) & EFFECT_WRITE ? "changed" : "used", program_access(p, act)->line);
}

/* A test that only ends in an exception is one of how the program is used; a size that is compared is rarely one that
 * decides. */
static bool little_meant(const Finder *f, const Race *r, Conflict c)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    const Access *t = program_access(p, r->test), *a = program_access(p, r->act);
    const Def *d = stored_def(p, r->act);
    bool publishes =
        d && d->kind == VAL_PATH && p->facts[r->file]->paths.v[d->value].root == ROOT_SELF; /* C.instance = self */
    bool takes = d && d->kind == VAL_NONE;                  /* if x is None: raise; y, x = x, None */
    bool updates = a->op == OP_AUG || a->op == OP_ITEM_AUG; /* if n >= limit: raise; n += 1: lost all the same */
    u32 guard = x->guard;
    bool slip = guard != NONE && !p->locks.v[guard].maybe && access_effect(p, r->act) & EFFECT_WRITE &&
                !lockset_has(p, p->access_locks[r->act], guard); /* who locks for the test elsewhere relies on it */
    if ((only_raises(f, r->test) && !publishes && !takes && !updates && !slip) ||
        check_copy_grown(f, r->test, r->act))
        return true;
    if (r->rule != UG102 || c.roots || updates || t->test != TEST_COMPARE || pops(p, r->act)) return false;
    if (x->kind != PLACE_INSTANCE || x->evidence & (EV_GUARDED | EV_SINGLETON | EV_DECORATOR)) return false;
    return !(str_is(access_method(p, r->test), "len") && threads_reach(p, r->act)); /* if len(q) == 0: if not q */
}

/* if n is None: raise; n += 1: what the test asks has nothing to do with the update, which is update.c's. */
static bool asks_else(const Finder *f, u32 test, u32 act)
{
    u8 op = program_access(f->p, act)->op;
    bool update = op == OP_AUG || op == OP_ITEM_AUG;
    return update && program_access(f->p, test)->test != TEST_COMPARE && only_raises(f, test);
}

static void gap_report(Finder *f, u32 test, u32 act)
{
    const Program *p = f->p;
    bool maybe = false, held = one_section(p, test, act, &maybe);
    if (held && !maybe && lockset_common(p, p->access_locks[test], p->access_locks[act]) != NONE)
        return; /* if the other side lacks the lock, that is where it is reported */
    if (gap_harmless(f, test, act) || asks_else(f, test, act)) return;
    Conflict c = conflict_between(f, test, act, held);
    if (c.witness == NONE) return;
    if (!(access_effect(p, act) & EFFECT_WRITE) && !use_harmed(f, test, act, &c)) return;
    if (maybe) c.confidence = CONF_LOW;
    u32 guard = guard_of_act(f, test, act);
    if (guard != NONE) {
        gap_before_lock_report(f, test, act, guard, c);
        return;
    }
    RuleId rule = check_rule(f, test, act);
    if (rule == UG103 && made_by_import(f, act)) return;
    Race *r = race_add(f, rule, act, c);
    r->test = test;
    r->act = act;
    race_site(r, test);
    f->claimed[act] = f->claimed[test] = 1;
    const Def *d = stored_def(p, act);
    if (rule == UG104 && d && (d->kind == VAL_CALL || d->kind == VAL_OTHER)) r->impact = IMPACT_DUPLICATE;
    if (little_meant(f, r, c)) r->confidence = CONF_LOW;
    if (rule == UG103 && program_access(p, act)->op == OP_STORE && access_func(p, test) == access_func(p, act) &&
        (race_in_parts(f, r) || race_flag_first(f, r)))
        return;
    describe(f, r, test, act);
}

/* Get-or-create first, then other changes, then uses: the first kind says most about what is wrong. */
static u32 act_rank(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    if (a->op == OP_ITEM_STORE || a->op == OP_STORE) return 0;
    return access_effect(p, ga) & EFFECT_WRITE ? 1 : 2;
}

/* One finding of a kind for one function and place: further gaps become further sites. */
static Race *reported_already(const Finder *f, u32 act)
{
    GId g = access_gid(f->p, act);
    u32 func = f->p->facts[g.file]->accesses.v[g.id].func;
    for (u32 i = f->out->n; i-- > 0 && f->out->v[i].place == f->place;) {
        Race *r = &f->out->v[i];
        if (r->file == g.file && r->func == func && r->act != NONE && r->test != r->act) return r;
    }
    return NULL;
}

void race_check(Finder *f)
{
    resets_collect(f);
    for (u32 rank = 0; rank < 3; rank++) {
        for (u32 i = 0; i < f->nacc; i++) {
            u32 act = f->acc[i];
            if (f->claimed[act] || !check_acts(f->p, act) || act_rank(f->p, act) != rank) continue;
            u32 test = check_nearest_test(f, i);
            if (test == NONE) continue;
            Race *r = reported_already(f, act);
            if (r) {
                if (rank < 2 && !one_section(f->p, test, act, NULL)) race_site(r, act);
                f->claimed[act] = rank < 2;
            } else {
                gap_report(f, test, act);
            }
        }
    }
}

/* What two locks, events or thread-locals in the place of one lead to. */
static const char *apart_by(const Place *x)
{
    switch (x->type.kind) {
    case TYPE_EVENT:
        return "the event %.*s is made on first use; two threads may each make one, and who waits for the "
               "one that is replaced waits in vain";
    case TYPE_LOCAL:
        return "the thread-local %.*s is made on first use; two threads may each make one, and what a "
               "thread has put into the one that is replaced is lost";
    default: return "the lock %.*s is made on first use; two threads may each make one, and then exclude nobody";
    }
}

/* A lock made on first use: two threads may each make one, and neither excludes the other. Likewise an event, and a
 * thread-local of an object. */
void race_lazy_lock(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 act = f->acc[i];
        if (program_access(f->p, act)->op != OP_STORE) continue;
        const Def *d = stored_def(f->p, act);
        u32 test = check_nearest_test(f, i);
        if (test == NONE || !d || d->kind != VAL_CALL || one_section(f->p, test, act, NULL)) continue;
        if (made_by_import(f, act)) continue;
        Conflict c = conflict_find(f, act, EFFECT_WRITE, true);
        if (c.witness == NONE) continue;
        Race *r = race_add(f, UG103, act, c);
        r->test = test;
        r->act = act;
        race_site(r, test);
        race_message(f, r, apart_by(&f->p->places.v[f->place]), STR_ARG(short_state(f->p, f->place)));
    }
}
