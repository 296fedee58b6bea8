/* UG102, UG103, UG104 where test and act stand in different functions: if not self.ready(): self.load().
 *
 * Needs the accesses of one place and the call edges. One of the steps, or both, is a call of a function that tests
 * or changes the place itself; one call deep. Only calls whose target is known count, for attributes of an object
 * only those on the same object: self.load(), or `if not server.running: server.start()` where the test names it in
 * the same way and the object is not the function's own. A callee that tests again before it changes is
 * double-checked and is looked at by itself. Loops over a state (while not done: step()) are no tests, and flags are
 * left alone, unless they say that something has been made, or filled in a module. A lookup by one method and a store
 * by another one, table.get(k) and table.add(k, x), counts on an object that is kept for all: who stores next to a
 * lookup of its own class knows about it. Steps that each hold the lock are gap.c's. */
#include "races/races.h"

enum {
    FINDINGS = 2, /* of one place */
    ASKED = 500   /* accesses, or calls, of a function that is looked through for properties and functions that ask */
};

const Call *edge_call(const Program *p, const CallEdge *e)
{
    return e->call == NONE || e->weak ? NULL : &p->facts[e->file]->calls.v[e->call];
}

bool test_decides_call(const Finder *f, u32 test, u32 callee)
{
    const Program *p = f->p;
    const Facts *x = p->facts[access_file(p, test)];
    u32 gfunc = access_func(p, test);
    for (u32 e = p->edge_first[gfunc]; e < p->edge_first[gfunc + 1]; e++) {
        const Call *c = p->edges.v[e].callee == callee ? edge_call(p, &p->edges.v[e]) : NULL;
        if (!c || !calls_own_object(f, &p->edges.v[e])) continue;
        Access at = {.func = c->func, .block = c->block, .cond = NONE, .span = c->span};
        if (decides(x, program_access(p, test), &at)) return true;
    }
    return false;
}

/* Does the function stand in the other one, be it in a function of that? */
static bool stands_in(const Program *p, u32 inner, u32 outer)
{
    GId g = func_gid(p, inner), o = func_gid(p, outer);
    u32 fn = g.id;
    while (g.file == o.file && fn && fn != o.id) fn = p->facts[g.file]->funcs.v[fn].parent;
    return g.file == o.file && fn == o.id;
}

/* Is the method called on the object whose attribute the place is, or one inner function by another one of the call
 * whose variable it is? */
bool calls_own_object(const Finder *f, const CallEdge *e)
{
    const Facts *x = f->p->facts[e->file];
    const Path *q = &x->paths.v[x->calls.v[e->call].callee];
    u8 kind = f->p->places.v[f->place].kind;
    u32 owner = f->p->places.v[f->place].owner;
    if (kind == PLACE_CLOSURE)
        return q->root == ROOT_LOCAL && !q->nattr && e->caller != owner && stands_in(f->p, e->caller, owner) &&
               stands_in(f->p, e->callee, owner);
    if (kind == PLACE_DEFAULT) return false;
    if (kind != PLACE_INSTANCE) return true;
    return (q->root == ROOT_SELF || q->root == ROOT_SUPER) && q->nattr == 1;
}

/* server.running, server.start(): do both name an attribute of one object, which is in a module or an attribute of
 * self? */
bool of_one_object(const Facts *x, u32 path, u32 callee)
{
    const Path *a = &x->paths.v[path], *b = &x->paths.v[callee];
    bool kept = b->root == ROOT_GLOBAL || (b->root == ROOT_SELF && b->nattr > 1);
    return kept && b->nattr && a->root == b->root && a->name == b->name && a->nattr == b->nattr && !a->truncated &&
           !memcmp(a->attr, b->attr, (b->nattr - 1u) * sizeof *a->attr);
}

u32 accesses_in(const Finder *f, u32 gfunc, u32 *end)
{
    GId g = func_gid(f->p, gfunc);
    const Func *fn = &f->p->facts[g.file]->funcs.v[g.id];
    u32 from = f->p->access_base[g.file] + fn->accesses, to = from + fn->naccesses, lo = 0, hi = f->nacc;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (f->acc[mid] < from)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (*end = lo; *end < f->nacc && f->acc[*end] < to; (*end)++) continue;
    return lo;
}

/* self.items.append(x): who comes second adds another one. */
static bool adds_item(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    u8 type = p->places.v[p->access_place[ga]].type.kind;
    return a->op == OP_METHOD && (type == TYPE_LIST || type == TYPE_DEQUE) && access_effect(p, ga) & EFFECT_GROW;
}

/* Is something made and stored here, whatever else the function finds? Flags and resets matter less: who comes second
 * stores the same. */
static bool makes_here(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    if (adds_item(p, ga)) return true;
    if ((a->op != OP_STORE && a->op != OP_ITEM_STORE) || a->value == NONE) return false;
    u8 k = f->defs.v[a->value].kind;
    return k != VAL_NONE && k != VAL_BOOL && k != VAL_NUMBER && k != VAL_STRING;
}

/* And without a further condition? */
static bool makes(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    return makes_here(p, ga) && f->blocks.v[past_with(f, f->accesses.v[g.id].block)].parent == NONE;
}

/* for row in read(): table[row.key] = row, and no condition around it: is the container filled item by item? Who
 * comes in between finds some of it. */
static bool fills(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    u32 block = f->accesses.v[g.id].block;
    bool loop = false;
    if (!type_is_container(p->places.v[p->access_place[ga]].type.kind) || !(access_effect(p, ga) & EFFECT_GROW))
        return false;
    while (f->blocks.v[block].kind == BLOCK_WITH || f->blocks.v[block].kind == BLOCK_LOOP) {
        loop |= f->blocks.v[block].kind == BLOCK_LOOP;
        block = f->blocks.v[block].parent;
    }
    return loop && f->blocks.v[block].parent == NONE;
}

/* if not table, if len(table) == 0: is it asked whether anything is there at all? */
static bool asks_whether_empty(const Program *p, const GapStep *test)
{
    u8 op = program_access(p, test->access)->op;
    return op == OP_TRUTH || (op == OP_CREAD && str_is(access_method(p, test->access), "len"));
}

/* self.running = True, del self.items[key]: steps that matter between two critical sections (gap.c). */
static bool in_gap(const Program *p, u32 ga)
{
    const Def *d = program_access(p, ga)->op == OP_STORE ? stored_def(p, ga) : NULL;
    return p->access_locks[ga] && ((d && d->kind == VAL_BOOL) || gap_raises(p, ga));
}

/* And without a further condition? */
static bool in_gap_always(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    return in_gap(p, ga) && f->blocks.v[past_with(f, f->accesses.v[g.id].block)].parent == NONE;
}

/* self.running = True after self.thread = Thread(…), or a flag of the module that is set beside filling another state
 * of it: the flag says that something was made, which two would make twice. */
static bool says_made(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    const Func *fn = &f->funcs.v[a->func];
    const Def *d = a->op == OP_STORE ? stored_def(p, ga) : NULL;
    if (!d || d->kind != VAL_BOOL || a->block != fn->block) return false;
    if (!str_starts(str_slice(f->source->text, a->span.end, f->source->text.n), S(" = True"))) return false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *b = &f->accesses.v[i];
        const Def *made = b->op == OP_STORE ? stored_def(p, p->access_base[g.file] + i) : NULL;
        u32 place = p->access_place[p->access_base[g.file] + i];
        if (place == NONE || place == p->access_place[ga]) continue;
        u8 kind = p->places.v[place].kind;
        if (kind == PLACE_GLOBAL && p->places.v[place].file == g.file &&
            access_effect(p, p->access_base[g.file] + i) & (EFFECT_GROW | EFFECT_REBIND))
            return p->places.v[p->access_place[ga]].kind == PLACE_GLOBAL;
        if (made && made->kind == VAL_CALL && b->block == fn->block && kind == PLACE_INSTANCE &&
            f->paths.v[b->path].root == ROOT_SELF)
            return true;
    }
    return false;
}

/* if x is None: self.load(), or if x: return, and then self.load(). */
static bool leads_to(const Facts *x, const Access *t, const Access *act)
{
    const Cond *c = &x->conds.v[t->cond];
    u32 b = act->block;
    if (c->loop) return false;
    while (b != c->then_block && b != c->else_block && b != c->block && x->blocks.v[b].kind == BLOCK_WITH)
        b = x->blocks.v[b].parent;
    if (b == c->then_block || b == c->else_block) return true;
    if (c->then_block == NONE || b != c->block || !x->blocks.v[c->then_block].exits) return false;
    Str body = str_slice(x->source->text, x->blocks.v[c->then_block].span.start, x->blocks.v[c->then_block].span.end);
    return str_starts(str_trim(body), S("return"));
}

/* assert "_x" not in self.__dict__: who comes second stops here, or changes it again; no way around it. */
static bool asserted(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    const Facts *f = p->facts[access_gid(p, ga).file];
    return str_starts(str_slice(f->source->text, a->stmt, a->span.start), S("assert "));
}

/* The access by which the function changes the place, unless it asks again before. */
static u32 changes(const Finder *f, u32 gfunc)
{
    u32 end, act = NONE;
    for (u32 i = accesses_in(f, gfunc, &end); i < end; i++) {
        u32 ga = f->acc[i];
        if (check_tests(f->p, ga) && act == NONE && !asserted(f->p, ga)) return NONE;
        if (act == NONE && !f->claimed[ga] &&
            (makes(f->p, ga) || says_made(f->p, ga) || in_gap_always(f->p, ga) || fills(f->p, ga)))
            act = ga;
    }
    return act;
}

/* The access whose value the function returns, when it does nothing else with the place. */
u32 answers(const Finder *f, u32 gfunc)
{
    u32 end, answer = NONE;
    for (u32 i = accesses_in(f, gfunc, &end); i < end; i++) {
        GId g = access_gid(f->p, f->acc[i]);
        const Access *a = program_access(f->p, f->acc[i]);
        if (f->effect[i] & EFFECT_WRITE) return NONE;
        Str text = str_slice(f->p->facts[g.file]->source->text, a->stmt, a->span.end);
        bool looks = a->op == OP_METHOD && str_is(access_method(f->p, f->acc[i]), "get"); /* d.get(key) */
        bool plain = a->op == OP_RETURN || a->op == OP_TRUTH || a->op == OP_LOAD || a->op == OP_CONTAINS || looks;
        if (plain && str_starts(text, S("return "))) answer = f->acc[i];
    }
    return answer;
}

/* try: self._table / except AttributeError: self._fill(): the condition that stands for the handler; NONE. */
static u32 missed_by(const Facts *x, const Access *t, const Access *act)
{
    const Block *b = &x->blocks.v[act->block];
    bool reads = t->op == OP_LOAD || t->op == OP_RETURN;
    return reads && b->kind == BLOCK_EXCEPT && str_contains(sym_str(x, b->catches), S("AttributeError")) &&
                   decides(x, t, act)
               ? b->cond
               : NONE;
}

/* The test of the place in the caller, nearest before the call, that decides whether the call is made; on the object
 * that the path `callee` is called on, NONE for any. */
static bool test_before(const Finder *f, u32 gfunc, const Access *act, u32 callee, GapStep *test)
{
    u32 end, at = NONE, cond = NONE;
    GId g = func_gid(f->p, gfunc);
    const Facts *x = f->p->facts[g.file];
    for (u32 i = accesses_in(f, gfunc, &end); i < end; i++) {
        const Access *t = program_access(f->p, f->acc[i]);
        if (t->span.start >= act->span.start) break;
        if (callee != NONE && !of_one_object(x, t->path, callee)) continue;
        if (f->effect[i] & EFFECT_WRITE) at = NONE; /* changed since: that is what the call goes with */
        if (!check_tests(f->p, f->acc[i])) continue;
        u32 by = t->cond == NONE ? missed_by(x, t, act) : leads_to(x, t, act) ? t->cond : NONE;
        if (by == NONE) continue;
        at = i;
        cond = by;
    }
    if (at == NONE) return false;
    *test = (GapStep){f->acc[at], g.file, NONE, *program_access(f->p, f->acc[at])};
    test->at.cond = cond;
    return true;
}

/* if not self.ready: is the access of the property that the edge calls, on that object, and decides the act? */
static bool asked_by_property(const Finder *f, const Facts *x, const CallEdge *e, const Access *a, const Access *act,
                              u32 callee)
{
    const Path *q = &x->paths.v[a->path];
    GId g = func_gid(f->p, e->callee);
    const Facts *y = f->p->facts[g.file];
    if (a->span.start != e->at || a->span.end > act->span.start || !a->test || a->cond == NONE || !q->nattr)
        return false;
    if (!y->funcs.v[g.id].is_property || !str_eq(path_last(x, q), sym_str(y, y->funcs.v[g.id].name))) return false;
    bool own = q->root == ROOT_SELF && q->nattr == 1;
    return (callee == NONE ? own : of_one_object(x, a->path, callee)) && leads_to(x, a, act);
}

/* What a condition asks of a value: `x`, `not x`, `x is None`, `x is not None`; TEST_NO for anything else. */
static u8 asked_of(Str head, Str value)
{
    head = str_trim(head);
    bool no = str_starts(head, S("not "));
    if (no) head = str_trim(str_slice(head, 4, head.n));
    if (!str_starts(head, value)) return TEST_NO;
    Str rest = str_trim(str_slice(head, value.n, head.n));
    if (!rest.n) return no ? TEST_FALSE : TEST_TRUE;
    if (no) return TEST_NO;
    return str_is(rest, "is None") ? TEST_NONE : str_is(rest, "is not None") ? TEST_NOT_NONE : TEST_NO;
}

/* if not ready(): …, item = find(key); if item is None: …: the condition that the answer of a function of a module
 * decides, next after the call; such a call is no access of anything. */
static bool answer_tested(const Facts *x, const Call *c, Access *at)
{
    const Path *to = c->target == NONE ? NULL : &x->paths.v[c->target];
    bool local = to && to->root == ROOT_LOCAL && !to->nattr;
    if (x->paths.v[c->callee].root != ROOT_GLOBAL || (to && !local)) return false;
    Str text = x->source->text;
    Str value = local ? sym_str(x, to->name) : str_slice(text, c->span.start, c->span.end);
    for (u32 i = 0; i < x->conds.n; i++) {
        const Cond *d = &x->conds.v[i];
        if (d->func != c->func || d->is_try || d->is_expr || d->block != c->block) continue;
        if (local ? d->head.start < c->span.end : !span_within(c->span, d->head)) continue;
        u8 test = asked_of(str_slice(text, d->head.start, d->head.end), value);
        if (test == TEST_NO) return false;
        *at = (Access){.func = c->func,
                       .block = c->block,
                       .cond = i,
                       .test = test,
                       .stmt = c->stmt,
                       .span = c->span,
                       .line = c->line};
        return true;
    }
    return false;
}

/* if not self.ready(), and where ready is a property, if not self.ready: what asks, with the condition that its
 * answer decides; on the object that the path `callee` is called on, NONE for the object itself. */
static bool asked_before(const Finder *f, u32 gfunc, const Access *act, u32 callee, GapStep *test)
{
    const Program *p = f->p;
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    bool found = false;
    for (u32 e = p->edge_first[gfunc]; e < p->edge_first[gfunc + 1]; e++) {
        const Call *c = edge_call(p, &p->edges.v[e]);
        bool syntax = p->edges.v[e].call == NONE && p->edges.v[e].at && !p->edges.v[e].weak;
        if ((!c && !syntax) || p->edges.v[e].file != g.file || (c && c->span.end > act->span.start)) continue;
        if (!c && fn->naccesses > ASKED) continue;
        if (!c) {
            u32 answer = NONE;
            for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
                const Access *a = &x->accesses.v[i];
                if (!asked_by_property(f, x, &p->edges.v[e], a, act, callee)) continue;
                if (answer == NONE && (answer = answers(f, p->edges.v[e].callee)) == NONE) break;
                *test = (GapStep){answer, g.file, NONE, *a};
                found = true;
            }
            continue;
        }
        if (callee == NONE ? !calls_own_object(f, &p->edges.v[e]) : !of_one_object(x, c->callee, callee)) continue;
        u32 answer = answers(f, p->edges.v[e].callee);
        if (answer == NONE) continue;
        Access at;
        if (fn->ncalls <= ASKED && answer_tested(x, c, &at) && leads_to(x, &at, act)) {
            *test = (GapStep){answer, g.file, p->edges.v[e].call, at};
            found = true;
            continue;
        }
        for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
            const Access *a = &x->accesses.v[i];
            if (a->span.end != c->span.end || a->op != OP_METHOD || !a->test || a->cond == NONE ||
                !leads_to(x, a, act))
                continue;
            *test = (GapStep){answer, g.file, p->edges.v[e].call, *a};
            found = true;
        }
    }
    return found;
}

static void say(Finder *f, Race *r, const GapStep *test, const GapStep *act)
{
    const Program *p = f->p;
    Str s = short_state(p, f->place);
    GId g = access_gid(p, act->access);
    const Access *a = program_access(p, act->access);
    if (fills(p, act->access)) {
        race_message(f, r,
                     "%.*s is tested here, and filled item by item on line %u of %.*s, which line %u leads to; a "
                     "thread that comes in between finds some of it, or fills it as well",
                     STR_ARG(s), a->line, STR_ARG(p->facts[g.file]->source->path), act->at.line);
        return;
    }
    race_message(
        f, r,
        "%.*s is tested here, and changed on line %u of %.*s, which line %u leads to; another thread may come "
        "between, and both go on",
        STR_ARG(s), a->line, STR_ARG(p->facts[g.file]->source->path), act->at.line);
    (void)test;
}

/* Each step takes the lock, and both together do not. */
static void say_gap(Finder *f, RuleId rule, const GapStep *test, const GapStep *act)
{
    const Program *p = f->p;
    u32 lock = lockset_common(p, p->access_locks[test->access], p->access_locks[act->access]);
    Conflict c = {act->access, CONF_MEDIUM, false};
    Race *r = race_add_at(f, rule, act->access, c, act->file, act->at.func, act->at.span);
    r->test = test->access;
    r->act = act->access;
    r->by_hand = "each step takes the lock by itself; one piece of code that holds it has to do both";
    race_site(r, test->access);
    race_message(f, r,
                 "%.*s is tested on line %u and changed here; each step takes %.*s, and gives it back in between, so "
                 "that two threads may both go on",
                 STR_ARG(short_state(p, f->place)), test->at.line, STR_ARG(p->locks.v[lock].display));
}

/* if table.get(key) is None: table.add(key, make()): two methods of an object that is kept for all, or two functions
 * for state of their module. */
static bool looked_up(const Program *p, const GapStep *test, const GapStep *act)
{
    const Place *x = &p->places.v[p->access_place[act->access]];
    return test->call != NONE && act->call != NONE && program_access(p, test->access)->op == OP_METHOD &&
           (x->evidence & EV_SINGLETON || x->kind == PLACE_GLOBAL);
}

/* if self.find(key) is None: self.items[key] = make(): what is asked by a method is stored here, under the same key.
 */
static bool looked_up_here(const Program *p, const GapStep *test, const GapStep *act)
{
    const Access *a = program_access(p, act->access);
    bool missing = test->at.test == TEST_NONE || test->at.test == TEST_FALSE || test->at.test == TEST_NOT_NONE ||
                   test->at.test == TEST_TRUE;
    return act->call == NONE && a->op == OP_ITEM_STORE && missing && a->key != SYM_EMPTY && test->at.key == a->key;
}

/* What counts where the steps do not both hold the lock: the act makes something, no lock is taken on the way to it,
 * and the test is no lookup, which who stores knows about. */
static bool in_plain_sight(const Program *p, const GapStep *test, const GapStep *act)
{
    const Facts *x = p->facts[act->file], *f = p->facts[access_gid(p, act->access).file];
    const Cond *c = &x->conds.v[test->at.cond];
    u32 b = act->at.block, own = program_access(p, act->access)->block;
    bool filled = act->call != NONE && fills(p, act->access) && asks_whether_empty(p, test);
    if (!makes_here(p, act->access) && !says_made(p, act->access) && !filled) return false;
    bool lookup = test->call != NONE && program_access(p, test->access)->op == OP_METHOD;
    if (lookup && !looked_up(p, test, act) && !looked_up_here(p, test, act)) return false;
    return (b == c->then_block || b == c->else_block || b == c->block) &&
           (act->call == NONE || f->blocks.v[own].parent == NONE || filled);
}

/* Reports the two steps, unless a caller holds a lock for both, or the value does not matter. */
static bool judge(Finder *f, const GapStep *test, const GapStep *act)
{
    const Program *p = f->p;
    bool maybe = false;
    RuleId gap;
    if (f->claimed[test->access]) return false;
    if (spots_in_section(p, test->file, test->at.func, test->at.span.start, act->at.span.start, &maybe)) return false;
    if (check_harmless(p, test->access, act->access)) return false;
    if (gap_harms(f, test, act, &gap)) {
        say_gap(f, gap, test, act);
        return true;
    }
    if (!in_plain_sight(p, test, act)) return false;
    Conflict c = conflict_find(f, act->access, EFFECT_WRITE, true);
    if (c.witness == NONE) { /* the act is locked, the test is not */
        if (p->locksets.v[p->access_locks[test->access]].n || !may_run_together(p, act->access, act->access))
            return false;
        c = conflict_find(f, test->access, EFFECT_WRITE, true);
        if (c.witness == NONE) return false;
    }
    RuleId rule = check_rule(f, test->access, act->access);
    bool calls = looked_up(p, test, act) || looked_up_here(p, test, act);
    Race *r = calls ? race_add_at(f, rule, test->access, c, act->file, act->at.func, act->at.span)
                    : race_add(f, rule, test->access, c);
    u32 strong = EV_GUARDED | EV_SINGLETON | EV_MODULE, pool = EV_NAME | EV_PURPOSE;
    u32 evidence = p->places.v[f->place].evidence;
    if (test->at.test == TEST_COMPARE && !c.roots && !(evidence & strong) && (evidence & pool) != pool)
        r->confidence = CONF_LOW;
    if (program_access(p, test->access)->op == OP_ITEM_LOAD && program_access(p, act->access)->op == OP_STORE)
        r->confidence = CONF_LOW; /* what stood in one entry, and another container in its place */
    r->test = test->access;
    r->act = act->access;
    race_site(r, act->access);
    if (calls)
        race_message(f, r,
                     "what %.*s has is asked for on line %u and added here; two threads may both miss it, and one "
                     "replaces what the other has added",
                     STR_ARG(short_state(p, f->place)), test->at.line);
    else
        say(f, r, test, act);
    return true;
}

/* if not self.items: self.load() / self.items[0]: does the caller go on with what it thinks is there? Else the two
 * may as well both add an item. */
static bool relies_on_it(const Finder *f, u32 gfunc, const Call *c)
{
    const Facts *x = f->p->facts[func_gid(f->p, gfunc).file];
    u32 end, i = accesses_in(f, gfunc, &end);
    if (x->blocks.v[c->block].exits) return false;
    while (i < end && program_access(f->p, f->acc[i])->span.start < c->span.end) i++;
    return i < end;
}

/* The function `g` changes the place by `act`; who calls it after a test? */
static u32 called_after_test(Finder *f, u32 gfunc, u32 act)
{
    const Program *p = f->p;
    u32 found = 0;
    for (u32 i = f->called_first[gfunc]; i < f->called_first[gfunc + 1] && found < FINDINGS; i++) {
        const CallEdge *e = &p->edges.v[f->called[i]];
        const Call *c = edge_call(p, e);
        if (!c || e->caller == gfunc || c->is_decorator || c->func == 0) continue;
        bool own = calls_own_object(f, e);
        if (!own && f->p->places.v[f->place].kind != PLACE_INSTANCE) continue;
        GapStep done = {
            act,
            e->file,
            e->call,
            {.func = c->func, .block = c->block, .cond = NONE, .stmt = c->stmt, .span = c->span, .line = c->line}};
        GapStep test;
        bool found_test = test_before(f, e->caller, &done.at, own ? NONE : c->callee, &test);
        if (!found_test && !asked_before(f, e->caller, &done.at, own ? NONE : c->callee, &test)) continue;
        if ((adds_item(p, act) || fills(p, act)) && !relies_on_it(f, e->caller, c)) continue;
        found += judge(f, &test, &done);
    }
    return found;
}

/* The caller itself changes the place, after it has asked a function of ours. */
static void asks_then_changes(Finder *f, u32 i)
{
    u32 act = f->acc[i];
    const Access *a = program_access(f->p, act);
    GapStep done = {act, access_gid(f->p, act).file, NONE, *a}, test;
    if (asked_before(f, access_func(f->p, act), a, NONE, &test)) judge(f, &test, &done);
}

void race_helper(Finder *f)
{
    u32 found = 0;
    for (u32 i = 0; i < f->nacc && found < FINDINGS;) {
        u32 gfunc = access_func(f->p, f->acc[i]), end;
        accesses_in(f, gfunc, &end);
        CHECK(end > i);
        u32 act = changes(f, gfunc);
        if (act != NONE && !f->p->funcs[gfunc].import_time) found += called_after_test(f, gfunc, act);
        for (; i < end; i++)
            if (!f->claimed[f->acc[i]] && (makes_here(f->p, f->acc[i]) || in_gap(f->p, f->acc[i])))
                asks_then_changes(f, i);
    }
}
