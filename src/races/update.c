/* UG101: a read-modify-write without a lock. x += 1, d[k] += 1, x = f(x), n = self.n … self.n = n + 1, swaps.
 *
 * Needs the accesses of one place; pairs each update with a write that may run at the same time without a common
 * lock. A read outside the critical section that computes what is written inside it counts too. Not handled:
 * in-place operators of user classes. */
#include "races/races.h"

/* d = {**d, k: v}, d = dict(d): a changed copy is bound. */
static bool copies(Str reader)
{
    static const char *const names[] = {"{**}", "[*]", "{*}", "filter"};
    return known_builtin(reader, AS_COPIES) || str_among(reader, names, COUNT_OF(names));
}

/* best = max(best, v) */
static bool largest(Str reader)
{
    return str_is(reader, "max") || str_is(reader, "min");
}

/* s = s.union(t): another set is bound. */
static bool new_set(Str method)
{
    return str_is(method, "union") || str_is(method, "difference") || str_is(method, "intersection") ||
           str_is(method, "symmetric_difference");
}

/* pair = (pair[0] + 1, pair[1]): a new one is made of the items of the old one. */
static bool rebuilds(const Program *p, u32 store)
{
    const Def *d = stored_def(p, store);
    return d && (d->kind == VAL_TUPLE || d->kind == VAL_LIST || d->kind == VAL_DICT);
}

/* l[:] = …: the list stays, and all its items are others. */
static bool stores_all(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    return a->op == OP_ITEM_STORE && str_is(sym_str(p->facts[access_file(p, ga)], a->key), ":");
}

/* l[-10:], l[a:b]: several items, as they are now. */
static bool takes_slice(const Facts *f, const Access *a)
{
    Str key = sym_str(f, a->key);
    for (size_t i = 0; i < key.n; i++)
        if (key.p[i] == '"' || key.p[i] == '\'' || key.p[i] == '(' || key.p[i] == '[' || key.p[i] == '{')
            return false;
    return str_find(key, ':') < key.n;
}

/* new = table.copy(), new = rows[:], new = copy.copy(table): a copy that a local holds. */
static bool copies_to_local(const Facts *f, const Access *a)
{
    if (a->local == SYM_EMPTY) return false;
    if (a->op == OP_ITEM_LOAD) return str_is(sym_str(f, a->key), ":");
    return (a->op == OP_METHOD || a->op == OP_CREAD) && str_is(sym_str(f, a->method), "copy");
}

/* Does the function change what its local holds, between the two accesses? What was copied by [:] goes by the name of
 * an item. */
static bool changed_between(const Facts *f, const Access *from, const Access *to)
{
    const Func *fn = &f->funcs.v[from->func];
    const Path *of = &f->paths.v[from->path];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        const Path *x = &f->paths.v[a->path];
        bool item = x->nattr == of->nattr + 1 && x->attr[x->nattr - 1] == SYM_ITEM && x->name == of->name;
        bool local = x->root == ROOT_LOCAL && !x->nattr && x->name == from->local;
        bool changes = a->op == OP_METHOD || a->op == OP_ITEM_STORE || a->op == OP_ITEM_DEL || a->op == OP_ITEM_AUG ||
                       a->op == OP_AUG;
        bool between = a->span.start > from->span.end && a->span.end <= to->span.start;
        if (changes && (item || local) && between) return true;
    }
    return false;
}

static bool reads_value(const Program *p, u32 from, u32 to)
{
    GId gf = access_gid(p, from), gt = access_gid(p, to);
    const Facts *f = p->facts[gf.file];
    const Access *a = &f->accesses.v[gf.id], *b = &f->accesses.v[gt.id];
    bool binding = b->op == OP_STORE || stores_all(p, to);
    if (b->op == OP_STORE && copies_to_local(f, a)) return changed_between(f, a, b);
    switch (a->op) {
    case OP_LOAD:
    case OP_TRUTH:
    case OP_HASATTR: /* getattr(o, "n") */
    case OP_ARG: return binding;
    case OP_ITER: return binding; /* items = [x for x in items if …] */
    case OP_ITEM_LOAD:            /* log = log[-100:] */
        if (binding) return takes_slice(f, a) || (b->op == OP_STORE && rebuilds(p, to));
        return b->op == OP_ITEM_STORE && same_key(p, from, to);
    case OP_CREAD:
        return binding ? largest(sym_str(f, a->method)) || copies(sym_str(f, a->method))
                       : b->op == OP_ITEM_STORE && str_is(sym_str(f, a->method), "len");
    case OP_METHOD:
        if (binding) return new_set(sym_str(f, a->method));
        return b->op == OP_ITEM_STORE &&
               (str_is(sym_str(f, a->method), "get") || str_is(sym_str(f, a->method), "pop")) &&
               same_key(p, from, to);
    default: return false;
    }
}

u32 flows_to(const Facts *f, u32 access)
{
    u32 lo = 0, hi = f->flows.n; /* flows come in the order of their ends */
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (f->flows.v[mid].to < access)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The read whose value the store writes back changed, or NONE. A read that a branch between decides is
 * check-then-act. */
static u32 read_of(const Program *p, u32 store)
{
    GId g = access_gid(p, store);
    const Facts *f = p->facts[g.file];
    for (u32 i = flows_to(f, g.id); i < f->flows.n && f->flows.v[i].to == g.id; i++) {
        u32 from = p->access_base[g.file] + f->flows.v[i].from;
        const Access *a = &f->accesses.v[f->flows.v[i].from];
        if (a->cond != NONE && f->conds.v[a->cond].is_expr && test_decides(p, from, store)) continue;
        if (reads_value(p, from, store)) return from;
    }
    return NONE;
}

/* l += […], s |= {…}, d |= {…}: the container changes in one step, and the same object is stored again. */
static bool changes_in_place(u8 type)
{
    return type == TYPE_LIST || type == TYPE_SET || type == TYPE_DICT || type == TYPE_DEFAULT_DICT ||
           type == TYPE_DEQUE;
}

static u32 times_bound(const Facts *f, u32 path)
{
    u32 n = 0;
    for (u32 i = 0; i < f->defs.n; i++) n += f->defs.v[i].path == path;
    return n;
}

/* new.x = old.x: the value as it was read. Of one object that would change nothing, so there are two, or the name
 * stands for another object now. Not so when the place is set between: then an old value is put back. */
static bool carried_over(const Finder *f, u32 i, u32 read)
{
    GId g = access_gid(f->p, f->acc[i]);
    const Facts *x = f->p->facts[g.file];
    const Access *store = &x->accesses.v[g.id], *from = program_access(f->p, read);
    if (from->op == OP_CREAD || from->op == OP_METHOD || copies_to_local(x, from)) return false;
    if (store->op != OP_STORE || store->value == NONE || x->defs.v[store->value].kind != VAL_PATH) return false;
    u32 value = x->defs.v[store->value].value;
    const Path *v = &x->paths.v[value];
    bool held = v->root == ROOT_LOCAL && !v->nattr && v->name == from->local && times_bound(x, value) == 1;
    if (value != store->path && !held) return false;
    for (u32 k = i; k-- > 0 && access_gid(f->p, f->acc[k]).file == g.file;) {
        const Access *a = program_access(f->p, f->acc[k]);
        if (a->func == store->func && a->span.start > from->span.start && f->effect[k] & EFFECT_REBIND) return false;
    }
    return true;
}

/* self.x = self.x + "…" of text or an object kept by one owner is rarely a race; numbers and containers are. */
static bool is_update(const Finder *f, u32 i, u32 *read)
{
    const Program *p = f->p;
    u32 ga = f->acc[i];
    const Access *a = program_access(p, ga);
    *read = ga;
    if (a->op == OP_AUG && changes_in_place(p->places.v[p->access_place[ga]].type.kind)) return false;
    if (own_key(p, ga)) return false;
    if (a->op == OP_AUG || a->op == OP_ITEM_AUG) return true;
    if (a->op != OP_STORE && a->op != OP_ITEM_STORE) return false;
    *read = read_of(p, ga);
    return *read != NONE && !other_object(p, *read, ga) && !carried_over(f, i, *read);
}

static void describe(Finder *f, Race *r, u32 ga, u32 read)
{
    const Access *a = program_access(f->p, ga);
    Str s = short_state(f->p, f->place);
    bool item = (a->op == OP_ITEM_AUG || a->op == OP_ITEM_STORE) && !stores_all(f->p, ga);
    if (read != ga && program_access(f->p, read)->line != a->line)
        race_message(f, r,
                     "%.*s is read on line %u and written back here; an update by another thread in between is lost",
                     STR_ARG(s), program_access(f->p, read)->line);
    else
        race_message(f, r,
                     "%s %.*s is read, changed and written back in separate steps; updates by other threads in "
                     "between are lost",
                     item ? "an item of" : "", STR_ARG(s));
    if (r->message.n && r->message.p[0] == ' ') r->message = str_slice(r->message, 1, r->message.n);
}

/* Copy, change, publish: right while there is one writer. */
static bool copied(const Program *p, u32 read)
{
    const Access *a = program_access(p, read);
    const Facts *f = p->facts[access_gid(p, read).file];
    return copies_to_local(f, a) || (a->op == OP_CREAD && copies(sym_str(f, a->method)));
}

bool speaks_of_threads(const Finder *f, u32 ga, u32 gb)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    if (threads_reach(p, ga) || threads_reach(p, gb) || x->evidence & EV_GUARDED) return true;
    const Facts *facts = p->facts[access_file(p, ga)];
    for (u32 i = 0; i < facts->imports.n; i++)
        if (str_is(sym_str(facts, facts->imports.v[i].module), "threading")) return true;
    return false;
}

/* Does another write of the place hold its lock, which this one does not? */
static bool others_lock(const Finder *f, u32 store)
{
    const Program *p = f->p;
    u32 guard = p->places.v[f->place].guard;
    if (guard == NONE || p->locks.v[guard].maybe || lockset_has(p, p->access_locks[store], guard)) return false;
    for (u32 i = 0; i < f->nacc; i++)
        if (f->effect[i] & EFFECT_WRITE && access_counts(p, f->acc[i]) &&
            lockset_has(p, p->access_locks[f->acc[i]], guard))
            return true;
    return false;
}

/* Are there two writers, as far as threads in sight, a module that speaks of threads, or a lock of the others tell?
 */
static bool two_writers(const Finder *f, u32 store, Conflict c)
{
    const Place *x = &f->p->places.v[f->place];
    return c.roots || others_lock(f, store) ||
           (x->kind != PLACE_INSTANCE && x->file != NONE && speaks_of_threads(f, store, c.witness));
}

/* int(x), float(x), bool(x), str(x): the call in it, else the call itself. */
static const Call *without_conversion(const Facts *f, const Call *c)
{
    static const char *const kinds[] = {"int", "float", "bool", "str"};
    const Path *callee = &f->paths.v[c->callee];
    if (c->nargs != 1 || callee->nattr || f->args.v[c->args].kind != VAL_CALL) return c;
    return str_among(sym_str(f, callee->name), kinds, COUNT_OF(kinds)) ? &f->calls.v[f->args.v[c->args].value] : c;
}

/* self.rate = data.get("rate", self.rate), self.rate = int(data.get("rate", self.rate)) */
static bool default_of_call(const Facts *f, const Access *store)
{
    if (f->defs.v[store->value].kind != VAL_CALL) return false;
    const Call *c = without_conversion(f, &f->calls.v[f->defs.v[store->value].value]);
    const Path *callee = &f->paths.v[c->callee];
    if (c->nargs != 2 || !callee->nattr) return false;
    Str name = path_last(f, callee);
    const Arg *last = &f->args.v[c->args + 1];
    return (str_is(name, "get") || str_is(name, "pop")) && last->kind == VAL_PATH && last->value == store->path;
}

/* self.name = self.name or other, x = x if c else y, x = y if c else x: between the sign of equality and the name, or
 * after it, there is nothing but the operator. */
static bool branch_of(const Facts *f, const Access *store, const Access *read)
{
    if (read->stmt != store->stmt || read->path != store->path || read->span.start < store->span.end) return false;
    Str text = f->source->text, before = str_trim(str_slice(text, store->span.end, read->span.start));
    Str line = str_slice(text, read->span.end, text.n);
    Str after = str_trim(str_slice(line, 0, str_find(line, '\n')));
    bool as_it_is = read->op == OP_HASATTR && !after.n; /* self.n = getattr(self, "n", 0) */
    if (str_is(before, "=")) return str_starts(after, S("or ")) || str_starts(after, S("if ")) || as_it_is;
    bool other = str_starts(before, S("=")) && str_ends(before, S(" else"));
    return other && (!after.n || after.p[0] == '#') && str_find(before, '(') == before.n;
}

/* The old value stays where there is no new one. What is lost is another thread's store of the same moment, which any
 * store would replace. */
static bool kept(const Program *p, u32 store, u32 read)
{
    const Access *a = program_access(p, store);
    const Facts *f = p->facts[access_gid(p, store).file];
    if (a->op != OP_STORE || a->value == NONE) return false;
    return default_of_call(f, a) || (read != store && branch_of(f, a, program_access(p, read)));
}

/* cls._one = cls._one or cls(): made on first use, in the words of one statement. */
static bool makes_missing(const Program *p, u32 store, u32 read)
{
    const Access *a = program_access(p, store), *b = program_access(p, read);
    const Facts *f = p->facts[access_gid(p, store).file];
    if (a->op != OP_STORE || read == store || !branch_of(f, a, b)) return false;
    Str line = str_slice(f->source->text, b->span.end, f->source->text.n);
    Str made = str_trim(str_slice(line, 0, str_find(line, '\n')));
    if (!str_starts(made, S("or "))) return false;
    made = str_trim(str_slice(made, 3, made.n));
    size_t n = 0;
    while (n < made.n && (is_word_char(made.p[n]) || made.p[n] == '.')) n++;
    return n && n < made.n && made.p[n] == '(' && str_find(made, ')') > n;
}

/* o.count += 1: does the attribute that is updated have another name than the state, whose property it is? */
static bool by_property(const Finder *f, u32 ga)
{
    const Facts *x = f->p->facts[access_file(f->p, ga)];
    const Place *place = &f->p->places.v[f->place];
    const Access *a = program_access(f->p, ga);
    const Path *q = &x->paths.v[a->path];
    if (a->op != OP_AUG || !q->nattr || place->kind != PLACE_INSTANCE) return false;
    return !str_eq(path_last(x, q), f->p->syms.strs[place->name]);
}

void race_update(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i], read;
        if (f->claimed[ga] || !is_update(f, i, &read)) continue;
        u32 guard = f->p->places.v[f->place].guard;
        bool held = guard != NONE && !f->p->locks.v[guard].maybe &&
                    lockset_has(f->p, f->p->access_locks[ga], guard) &&
                    lockset_has(f->p, f->p->access_locks[read], guard);
        if (held && (read == ga || one_section(f->p, read, ga, NULL)))
            continue; /* the side without the lock is reported */
        bool maybe = false;
        if (read != ga && one_section(f->p, read, ga, &maybe) && !maybe &&
            lockset_common(f->p, f->p->access_locks[read], f->p->access_locks[ga]) != NONE) {
            Conflict c = conflict_find(f, ga, EFFECT_WRITE, true);
            if (c.witness == NONE) continue;
        }
        Conflict c = conflict_find(f, read, EFFECT_WRITE, true);
        if (read != ga && c.witness == NONE) {
            /* each half under the lock, but not in one piece */
            if (lockset_common(f->p, f->p->access_locks[read], f->p->access_locks[ga]) == NONE ||
                one_section(f->p, read, ga, NULL))
                continue;
            c = (Conflict){ga, CONF_MEDIUM, false};
            if (!may_run_together(f->p, ga, ga)) continue;
        }
        if (c.witness == NONE || (copied(f->p, read) && !two_writers(f, ga, c))) continue;
        if (own_slot(f->p, ga) && access_func(f->p, c.witness) == access_func(f->p, ga)) continue;
        if (c.witness == read && read != ga) c.witness = ga;
        bool makes = makes_missing(f->p, ga, read);
        Race *r = race_add(f, makes ? UG103 : UG101, ga, c);
        r->test = read;
        r->act = ga;
        if (kept(f->p, ga, read) && !makes) r->confidence = CONF_LOW;
        if (by_property(f, ga)) r->impact = IMPACT_WORSE; /* between its calls any thread may run, GIL or not */
        if (read != ga) race_site(r, read);
        if (makes) {
            f->claimed[ga] = f->claimed[read] = 1;
            race_message(f, r,
                         "%.*s is made on first use; two threads may both make it, and the second object replaces "
                         "the first",
                         STR_ARG(short_state(f->p, f->place)));
            continue;
        }
        describe(f, r, ga, read);
    }
}

/* table.setdefault(x, …) adds an entry in one step to what was meant to be kept; settings.setdefault("a", 1) fills in
 * what the caller left out. */
static bool keeps_entry(const Program *p, u32 ga)
{
    Str key = sym_str(p->facts[access_gid(p, ga).file], program_access(p, ga)->key);
    return str_is(access_method(p, ga), "setdefault") && key.n && key.p[0] != '"' && key.p[0] != '\'';
}

/* def f(x, seen={}): the one default is changed by every call that does not pass its own. */
void race_default(Finder *f)
{
    if (f->p->places.v[f->place].kind != PLACE_DEFAULT) return;
    for (u32 i = 0; i < f->nacc; i++)
        if (f->claimed[f->acc[i]]) return; /* a cache or counter: it was meant to be kept */
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        u8 op = program_access(f->p, ga)->op;
        if (f->claimed[ga] || !(f->effect[i] & EFFECT_WRITE) || op == OP_STORE || op == OP_DEL || op == OP_AUG)
            continue;
        if (own_key(f->p, ga) || keeps_entry(f->p, ga)) continue;
        Conflict c = conflict_find(f, ga, EFFECT_WRITE, true);
        if (c.witness == NONE) continue;
        Race *r = race_add(f, UG101, ga, c);
        r->per_call = true;
        r->by_hand = "None as the default, and a new object in each call, is right here, not a lock";
        race_message(f, r,
                     "the default value of %.*s is one object for all calls, and is changed here; calls in other "
                     "threads see and change the same object",
                     STR_ARG(short_state(f->p, f->place)));
        return;
    }
}

/* Is there a call of sleep() or wait() in the block? */
static bool sleeps(const Facts *x, u32 func, u32 block)
{
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        Str name = call_last(x, c);
        if ((str_is(name, "sleep") || str_is(name, "wait")) && block_within(x, c->block, block)) return true;
    }
    return false;
}

/* since = now() - last; if since < pause: sleep(pause - since); last = now(): the test paces the store, whichever way
 * it goes. Variables of an enclosing call and items (last[0]) only where the branch sleeps. The read, or NONE. */
static u32 paced_by(const Finder *f, u32 i)
{
    u8 place = f->p->places.v[f->place].kind;
    GId g = access_gid(f->p, f->acc[i]);
    const Facts *x = f->p->facts[g.file];
    const Access *store = &x->accesses.v[g.id];
    bool item = store->op == OP_ITEM_STORE, must_sleep = item || place == PLACE_CLOSURE || place == PLACE_DEFAULT;
    if (!item && (store->op != OP_STORE || store->value == NONE)) return NONE;
    u8 kind = item ? VAL_OTHER : x->defs.v[store->value].kind;
    if (kind != VAL_CALL && kind != VAL_OTHER && kind != VAL_PATH) return NONE;
    for (u32 k = i; k-- > 0;) {
        const Access *a = program_access(f->p, f->acc[k]);
        if (access_gid(f->p, f->acc[k]).file != g.file || a->func != store->func || (f->effect[k] & EFFECT_WRITE))
            return NONE;
        bool reads = item ? a->op == OP_ITEM_LOAD && same_key(f->p, f->acc[k], f->acc[i])
                          : a->op == OP_LOAD || a->op == OP_TRUTH;
        if (!reads || a->test != TEST_COMPARE || a->cond == NONE) continue;
        const Cond *c = &x->conds.v[a->cond];
        bool after = !c->loop && !c->is_expr && c->block == store->block && c->span.end <= store->span.start &&
                     c->then_block != NONE && !x->blocks.v[c->then_block].exits;
        if (after && (!must_sleep || sleeps(x, a->func, c->then_block))) return f->acc[k];
    }
    return NONE;
}

void race_paced(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 store = f->acc[i], read = f->claimed[store] ? NONE : paced_by(f, i);
        if (read == NONE || one_section(f->p, read, store, NULL)) continue;
        Conflict c = conflict_find(f, store, EFFECT_WRITE, true);
        if (c.witness == NONE) continue;
        Race *r = race_add(f, UG102, store, c);
        r->test = read;
        r->act = store;
        race_site(r, read);
        race_message(
            f, r, "%.*s is compared on line %u and set anew here; threads that come between go by the same old value",
            STR_ARG(short_state(f->p, f->place)), program_access(f->p, read)->line);
    }
}
