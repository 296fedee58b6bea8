/* UG101 about values that are put somewhere for a while and taken back, in six forms:
 *
 *   a context manager function sets it, yields, sets it back    of two blocks at once one restores the other's value
 *   stack.append(x), the block, stack.pop()                     of two blocks at once one takes the other's value
 *   queue = self.queue; self.queue = []                         what another thread adds in between is lost
 *   for job in self.queue: …; self.queue.clear()                likewise, what it adds after the walk
 *   for job in self.queue: left.append(job); self.queue = left  likewise
 *   for name in options: setattr(self, name, …)                 the first form, for names known at run time only
 *
 * Needs the accesses of one place, and for the last form the calls of a file. __enter__ and __exit__ are in
 * onentry.c. Not seen: what is saved through helpers, ExitStack callbacks. */
#include "races/races.h"

static const Func *func_of(const Program *p, u32 ga, const Facts **f)
{
    GId g = access_gid(p, ga);
    *f = p->facts[g.file];
    return &(*f)->funcs.v[(*f)->accesses.v[g.id].func];
}

bool yields_once(const Program *p, const Facts *f, const Func *fn)
{
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++)
        if (str_ends(path_text(p->arena, f, f->decorators.v[i]), S("contextmanager"))) return true;
    return false;
}

bool yields_between(const Facts *f, u32 func, u32 from, u32 to)
{
    for (u32 i = 0; i < f->suspends.n; i++)
        if (f->suspends.v[i].func == func && f->suspends.v[i].is_yield && f->suspends.v[i].offset > from &&
            f->suspends.v[i].offset < to)
            return true;
    return false;
}

static void around_yield(Finder *f, u32 i)
{
    u32 set = f->acc[i];
    const Facts *x;
    const Func *fn = func_of(f->p, set, &x);
    const Access *a = program_access(f->p, set);
    u8 kind = f->p->places.v[f->place].kind;
    if (kind == PLACE_CLOSURE || kind == PLACE_DEFAULT || !fn->is_generator || !yields_once(f->p, x, fn)) return;
    if (stores_own_thread(f->p, set)) return;
    for (u32 k = i + 1; k < f->nacc && k - i <= STEPS_AHEAD; k++) {
        u32 back = f->acc[k];
        const Access *b = program_access(f->p, back);
        if (access_gid(f->p, back).file != access_gid(f->p, set).file || b->func != a->func) return;
        if (b->op != OP_STORE || !yields_between(x, a->func, a->span.start, b->span.start)) continue;
        Conflict c = conflict_find(f, set, EFFECT_WRITE, true);
        if (c.witness == NONE) return;
        Race *r = race_add(f, UG101, set, c);
        /* what is set for a while is meant for all who use the object: its name is hint enough */
        if (f->p->places.v[f->place].evidence & EV_NAME && !is_test_path(x->source->path))
            r->confidence = c.confidence;
        r->test = set;
        r->act = back;
        race_site(r, back);
        f->claimed[back] = 1;
        race_message(
            f, r,
            "%.*s is set here for the time of the block, and set back on line %u; other threads see the value "
            "meanwhile, and of two such blocks at once, one restores the other's",
            STR_ARG(short_state(f->p, f->place)), b->line);
        return;
    }
}

bool in_finally(const Facts *f, u32 block)
{
    for (; block != NONE; block = f->blocks.v[block].parent)
        if (f->blocks.v[block].kind == BLOCK_FINALLY) return true;
    return false;
}

bool pops_last(const Program *p, u32 ga)
{
    const Facts *x = p->facts[access_gid(p, ga).file];
    const Access *a = program_access(p, ga);
    return a->op == OP_METHOD && str_is(sym_str(x, a->method), "pop") &&
           (!a->nargs || str_is(sym_str(x, a->key), "-1"));
}

bool changed_back_surely(const Program *p, const Facts *f, u32 func, Moment change, Moment back)
{
    const Func *fn = &f->funcs.v[func];
    if (fn->is_generator && yields_once(p, f, fn)) return yields_between(f, func, change.offset, back.offset);
    return in_finally(f, back.block) && !in_finally(f, change.block);
}

/* stack.append(x), then in the same function, after a yield or in a finally, stack.pop(). */
static void pushed(Finder *f, u32 i)
{
    u32 push = f->acc[i];
    const Facts *x;
    func_of(f->p, push, &x);
    const Access *a = program_access(f->p, push);
    u8 kind = f->p->places.v[f->place].kind;
    if (kind == PLACE_CLOSURE || kind == PLACE_DEFAULT || a->op != OP_METHOD ||
        !str_is(sym_str(x, a->method), "append"))
        return;
    for (u32 k = i + 1; k < f->nacc && k - i <= STEPS_AHEAD; k++) {
        u32 pop = f->acc[k];
        const Access *b = program_access(f->p, pop);
        if (access_gid(f->p, pop).file != access_gid(f->p, push).file || b->func != a->func) return;
        if (!pops_last(f->p, pop)) continue;
        if (!yields_between(x, a->func, a->span.start, b->span.start) && !in_finally(x, b->block)) return;
        if (one_section(f->p, push, pop, NULL)) return;
        Conflict c = conflict_find(f, push, EFFECT_WRITE, true);
        if (c.witness == NONE) return;
        Race *r = race_add(f, UG101, push, c);
        r->test = push;
        r->act = pop;
        race_site(r, pop);
        f->claimed[pop] = 1;
        race_message(f, r,
                     "what is put on %.*s here for a while is taken off on line %u; of two threads that do so at "
                     "once, one takes off, or sees on top, what the other put there",
                     STR_ARG(short_state(f->p, f->place)), b->line);
        return;
    }
}

bool stores_empty(const Program *p, u32 ga)
{
    static const char *const kinds[] = {"list", "dict", "set", "deque", "Counter", "OrderedDict", "defaultdict"};
    const Facts *f = p->facts[access_gid(p, ga).file];
    const Def *d = stored_def(p, ga);
    if (!d || d->augmented) return false;
    if (d->kind == VAL_LIST || d->kind == VAL_DICT || d->kind == VAL_SET) return d->empty;
    if (d->kind != VAL_CALL) return false;
    const Call *call = &f->calls.v[d->value];
    Str name = call_last(f, call);
    return str_among(name, kinds, COUNT_OF(kinds)) && call->nargs == (str_is(name, "defaultdict") ? 1 : 0);
}

/* The load that keeps the old container in a local, right before this store in the same block. */
static u32 kept_before(const Finder *f, u32 i)
{
    const Access *store = program_access(f->p, f->acc[i]);
    for (u32 k = i; k-- > 0;) {
        const Access *a = program_access(f->p, f->acc[k]);
        if (access_gid(f->p, f->acc[k]).file != access_gid(f->p, f->acc[i]).file || a->func != store->func)
            return NONE;
        if (a->op == OP_LOAD && a->local != SYM_EMPTY && a->block == store->block) return f->acc[k];
        if (f->effect[k] & EFFECT_WRITE) return NONE;
    }
    return NONE;
}

/* Who puts something in, by a step that may run at the same time as `end`: a new item, or more in an old one. */
static Conflict adder(const Finder *f, u32 end)
{
    Conflict c = conflict_find(f, end, EFFECT_GROW, false);
    for (u32 i = 0; i < f->nacc && c.witness == NONE; i++)
        if (program_access(f->p, f->acc[i])->op == OP_ITEM_AUG) c = conflict_of(f, end, f->acc[i]);
    if (c.witness != NONE && (access_effect(f->p, c.witness) & EFFECT_REBIND)) c.witness = NONE;
    return c;
}

static void swapped_out(Finder *f, u32 i)
{
    const Facts *x;
    u32 store = f->acc[i];
    func_of(f->p, store, &x);
    if (!stores_empty(f->p, store)) return;
    u32 load = kept_before(f, i);
    if (load == NONE || one_section(f->p, load, store, NULL)) return;
    Conflict c = adder(f, store);
    if (c.witness == NONE) return;
    Race *r = race_add(f, UG101, store, c);
    r->test = load;
    r->act = store;
    race_site(r, load);
    GId w = access_gid(f->p, c.witness);
    race_message(
        f, r,
        "%.*s is taken on line %u and replaced by an empty one here; what line %u of %.*s adds to the old one "
        "after it was read is lost",
        STR_ARG(short_state(f->p, f->place)), program_access(f->p, load)->line, program_access(f->p, c.witness)->line,
        STR_ARG(f->p->facts[w.file]->source->path));
}

/* f(*q), [*q, x], {**d}: all of it goes there. */
static bool unpacks(Str reader)
{
    return str_is(reader, "*") || str_is(reader, "[*]") || str_is(reader, "{*}") || str_is(reader, "{**}");
}

/* Reads the whole container: a loop, a copy, q[:]. Or what stands for it, where all of it goes then: the last item
 * of a list, which is all that is wanted, and a call that is given the container to send it somewhere. */
static bool reads_all(const Finder *f, u32 ga)
{
    const Facts *x = f->p->facts[access_gid(f->p, ga).file];
    const Access *a = program_access(f->p, ga);
    u8 type = f->p->places.v[f->place].type.kind;
    Str key = sym_str(x, a->key);
    switch (a->op) {
    case OP_ITER: return true;
    case OP_ARG: return type == TYPE_LIST || type == TYPE_DICT || type == TYPE_SET || type == TYPE_DEQUE;
    case OP_ITEM_LOAD: return str_is(key, ":") || (str_is(key, "-1") && (type == TYPE_LIST || type == TYPE_DEQUE));
    case OP_CREAD: return known_method(sym_str(x, a->method), AS_KEEPS) || unpacks(sym_str(x, a->method));
    case OP_METHOD: return str_is(sym_str(x, a->method), "copy") && !a->nargs;
    default: return false;
    }
}

/* q.clear(), q = [], del q[:] */
static bool empties(const Program *p, u32 ga)
{
    const Facts *x = p->facts[access_gid(p, ga).file];
    const Access *a = program_access(p, ga);
    if (a->op == OP_METHOD) return str_is(sym_str(x, a->method), "clear") && !a->nargs;
    if (a->op == OP_ITEM_DEL) return str_is(sym_str(x, a->key), ":");
    return a->op == OP_STORE && stores_empty(p, ga);
}

/* The read of the whole that comes before access i, which empties the container, in the same block. */
static u32 read_before(const Finder *f, u32 i)
{
    const Access *end = program_access(f->p, f->acc[i]);
    const Facts *x;
    func_of(f->p, f->acc[i], &x);
    for (u32 k = i; k-- > 0;) {
        const Access *a = program_access(f->p, f->acc[k]);
        if (access_gid(f->p, f->acc[k]).file != access_gid(f->p, f->acc[i]).file || a->func != end->func) return NONE;
        if (f->effect[k] & EFFECT_WRITE) return NONE;
        if (a->stmt == end->stmt || !block_within(x, a->block, end->block)) continue;
        if (reads_all(f, f->acc[k])) return f->acc[k];
    }
    return NONE;
}

/* The local that a store binds: left, or list(left), sorted(left, …); SYM_EMPTY. */
static u32 local_stored(const Facts *x, const Access *store)
{
    const Def *d = store->op == OP_STORE && store->value != NONE ? &x->defs.v[store->value] : NULL;
    if (!d || d->augmented) return SYM_EMPTY;
    u32 path = d->kind == VAL_PATH ? d->value : NONE;
    if (d->kind == VAL_CALL) {
        const Call *c = &x->calls.v[d->value];
        bool one = c->nargs && !x->paths.v[c->callee].nattr && x->args.v[c->args].kind == VAL_PATH;
        path = one ? x->args.v[c->args].value : NONE;
    }
    const Path *q = path == NONE ? NULL : &x->paths.v[path];
    return q && q->root == ROOT_LOCAL && !q->nattr ? q->name : SYM_EMPTY;
}

/* Is it the body of the loop whose head ends with the walk? */
static bool loop_of_walk(const Facts *x, const Access *walk, u32 block)
{
    const Block *b = &x->blocks.v[block];
    if (b->kind != BLOCK_LOOP || b->parent != walk->block || b->span.start < walk->span.end) return false;
    Str head = str_trim(str_slice(x->source->text, walk->span.end, b->span.start));
    while (head.n && (head.p[0] == ')' || head.p[0] == '(' || head.p[0] == ':'))
        head = str_trim(str_slice(head, 1, head.n));
    return !head.n || head.p[0] == '#';
}

/* for job in self.jobs: if job.alive: left.append(job): does the loop fill the local? */
static bool fills_local(const Facts *x, const Access *walk, const Access *store, u32 local)
{
    const Func *fn = &x->funcs.v[walk->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        const Path *q = &x->paths.v[c->callee];
        if (c->span.start < walk->span.end || c->span.end > store->span.start) continue;
        if (q->root != ROOT_LOCAL || q->name != local || q->nattr != 1) continue;
        Str m = path_last(x, q);
        if (!str_is(m, "append") && !str_is(m, "add")) continue;
        for (u32 b = c->block; b != NONE && b != walk->block; b = x->blocks.v[b].parent)
            if (loop_of_walk(x, walk, b)) return true;
    }
    return false;
}

/* for job in self.jobs: if job.alive: left.append(job), and then access i, self.jobs = left: the walk, NONE. */
static u32 rebuilt_from(const Finder *f, u32 i)
{
    const Facts *x;
    func_of(f->p, f->acc[i], &x);
    const Access *store = program_access(f->p, f->acc[i]);
    u32 local = local_stored(x, store);
    for (u32 k = i; local != SYM_EMPTY && k-- > 0 && i - k <= STEPS_AHEAD;) {
        const Access *a = program_access(f->p, f->acc[k]);
        if (access_gid(f->p, f->acc[k]).file != access_gid(f->p, f->acc[i]).file || a->func != store->func) break;
        if (f->effect[k] & EFFECT_REBIND) break;
        if (a->op == OP_ITER && block_within(x, store->block, a->block) && fills_local(x, a, store, local))
            return f->acc[k];
    }
    return NONE;
}

u32 taken_whole_before(const Finder *f, u32 i)
{
    u32 walk = rebuilt_from(f, i);
    if (walk != NONE) return walk;
    if (!empties(f->p, f->acc[i])) return NONE;
    u32 kept = program_access(f->p, f->acc[i])->op == OP_STORE ? kept_before(f, i) : NONE;
    return kept != NONE ? kept : read_before(f, i);
}

bool winds_up(const Facts *x, const Func *fn)
{
    Str name = sym_str(x, fn->name);
    return name_ends(name, ENDS_WORK) || str_is(name, "__exit__") || str_is(name, "__del__");
}

static void rebuilt(Finder *f, u32 i)
{
    u32 end = f->acc[i], walk = rebuilt_from(f, i);
    if (f->claimed[end] || walk == NONE || one_section(f->p, walk, end, NULL)) return;
    Conflict c = adder(f, end);
    if (c.witness == NONE) return;
    const Place *x = &f->p->places.v[f->place];
    bool kept = x->kind != PLACE_INSTANCE || x->evidence & EV_GUARDED;
    if (!kept && !threads_visible(f->p, end, c.witness)) c.confidence = CONF_LOW; /* one thread looks after it */
    Race *r = race_add(f, UG101, end, c);
    r->test = walk;
    r->act = end;
    race_site(r, walk);
    f->claimed[walk] = 1; /* a copy for the walk would not be enough */
    GId w = access_gid(f->p, c.witness);
    race_message(f, r,
                 "%.*s is walked on line %u and what is left of it is bound here; what line %u of %.*s adds in "
                 "between is lost",
                 STR_ARG(short_state(f->p, f->place)), program_access(f->p, walk)->line,
                 program_access(f->p, c.witness)->line, STR_ARG(f->p->facts[w.file]->source->path));
}

static void drained(Finder *f, u32 i)
{
    const Facts *x;
    u32 end = f->acc[i];
    const Func *fn = func_of(f->p, end, &x);
    if (f->claimed[end] || !empties(f->p, end)) return;
    u32 read = read_before(f, i);
    if (read == NONE || one_section(f->p, read, end, NULL)) return;
    Conflict c = adder(f, end);
    if (c.witness == NONE) return;
    Race *r = race_add(f, UG101, end, c);
    if (winds_up(x, fn)) r->confidence = CONF_LOW;
    r->test = read;
    r->act = end;
    race_site(r, read);
    GId w = access_gid(f->p, c.witness);
    race_message(f, r,
                 "%.*s is read to its end on line %u and emptied here; what line %u of %.*s adds in between is lost",
                 STR_ARG(short_state(f->p, f->place)), program_access(f->p, read)->line,
                 program_access(f->p, c.witness)->line, STR_ARG(f->p->facts[w.file]->source->path));
}

/* setattr(self, name, …), for cls in classes: setattr(cls, name, …), where the name is only known when it runs. What
 * the function is given may be its caller's own, and what a library has may be each thread's. */
static bool sets_by_name(const Program *p, u32 file, const Call *c)
{
    const Facts *x = p->facts[file];
    const Arg *a = &x->args.v[c->args];
    if (c->nargs != 3 || a[0].kind != VAL_PATH || a[1].kind == VAL_STRING) return false;
    const Path *q = &x->paths.v[a[0].value];
    bool object = q->root == ROOT_SELF && !q->nattr;
    bool drawn = path_is_item(q); /* for cls in classes: */
    return (object || drawn) && str_is(path_external(p, file, c->callee), "setattr");
}

/* with settings(strict=False): each option is set on the object by its name, and set back after the block. */
static void options_around_yield(Finder *f, u32 file, u32 func)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    u32 set = NONE;
    if (!fn->is_generator || fn->is_async || fn->nsections || !yields_once(p, x, fn)) return;
    const FuncInfo *fi = &p->funcs[gfunc_of(p, file, func)];
    if (fi->entry_locks || (!fi->nroots && !fi->api)) return;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        if (!sets_by_name(p, file, c)) continue;
        if (set == NONE) set = i;
        if (!yields_between(x, func, x->calls.v[set].span.start, c->span.start)) continue;
        Confidence conf = is_test_path(x->source->path) || p->vendored[file] ? CONF_LOW : CONF_MEDIUM;
        Span object = x->args.v[x->calls.v[set].args].span;
        Race *r =
            race_at(f, UG101, file, func, x->calls.v[set].span, func_display(f->a, p, gfunc_of(p, file, func)), conf);
        r->by_hand = "a copy of the object for the block, or a context variable, is right, not a lock";
        race_message(f, r,
                     "attributes of %.*s are set here for the time of the block, and set back on line %u; "
                     "other threads see them meanwhile, and of two such blocks at once, one restores the other's",
                     STR_ARG(str_slice(x->source->text, object.start, object.end)), c->line);
        return;
    }
}

void race_options(Finder *f, u32 file)
{
    const Facts *x = f->p->facts[file];
    if (intern_find(&x->syms, S("setattr")) == NONE) return;
    for (u32 i = 1; i < x->funcs.n; i++) options_around_yield(f, file, i);
}

void race_saved(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        rebuilt(f, i);
        drained(f, i);
        if (!f->claimed[ga]) pushed(f, i);
        if (f->claimed[ga] || program_access(f->p, ga)->op != OP_STORE) continue;
        around_yield(f, i);
        if (!f->claimed[ga]) swapped_out(f, i);
    }
}
