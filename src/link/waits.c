/* What waits for threads, and from where on they have ended:
 *
 *   t.join()                                  its end
 *   for t in threads: t.join()                the end of the loop, unless it is left early or takes a part of them
 *   for f in futures: f.result()              likewise
 *   futures.wait(fs), pool.close(); pool.join(), executor.shutdown(), work.join() of a queue, job.get() of
 * map_async() list(executor.map(f, rows)), for r in executor.map(f, rows): …, ThreadPool.map(), which waits by itself
 *   await asyncio.to_thread(f), also in a gather(), in the one coroutine that the program runs
 *
 * No such ends: a join() or wait() that gives up after a time, shutdown(wait=False), wait() for the first of them.
 * Sources: Python library reference, "Thread Objects", "Executor Objects", "Module Functions" of concurrent.futures,
 * "multiprocessing.pool", "queue.Queue.join". */
#include "link/link.h"

static bool type_is_thread(const Program *p, Type t)
{
    return t.kind == TYPE_THREAD || (t.kind == TYPE_CLASS && class_is_thread(p, t.id));
}

/* threads.pop(): the call of a container's method that gives one of its threads. */
static bool popped_thread(const Program *p, u32 file, const Call *c)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[c->callee];
    if (!path_is_attr(x)) return false;
    Str name = path_last(f, x);
    if (!str_is(name, "pop") && !str_is(name, "popleft")) return false;
    return type_is_thread(p, element_type(p, file, path_resolve(p, file, x, x->nattr - 1u)));
}

static Type receiver_type(const Program *p, u32 file, const Path *x)
{
    bool made = x->root == ROOT_CALL && x->nattr == 1; /* Thread(…).start() */
    if (x->nattr > 1 && x->attr[x->nattr - 2] == SYM_ITEM)
        return element_type(p, file, path_resolve(p, file, x, x->nattr - 2u)); /* t.start() for t in threads */
    return made ? call_type(p, file, x->func) : ent_type(p, path_resolve(p, file, x, x->nattr - 1u));
}

bool thread_named(const Program *p, u32 file, const Path *x)
{
    bool made = x->root == ROOT_CALL && x->nattr == 1; /* threads.pop().join() */
    if (made && popped_thread(p, file, &p->facts[file]->calls.v[x->func])) return true;
    return type_is_thread(p, receiver_type(p, file, x));
}

static Str last_name(const Facts *f, const Path *x)
{
    if (!x->nattr) return x->root == ROOT_GLOBAL ? sym_str(f, x->name) : S("");
    return x->attr[x->nattr - 1] == SYM_ITEM ? S("") : path_last(f, x);
}

static Str arg_text(const Facts *f, const Arg *a)
{
    return str_slice(f->source->text, a->span.start, a->span.end);
}

static Str arg_name(const Facts *f, const Arg *a)
{
    return sym_str(f, a->keyword);
}

/* Does the call say that it gives up after a time: join(5), wait(fs, timeout=t)? */
static bool gives_up(const Facts *f, const Call *c, u32 position)
{
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *a = &f->args.v[c->args + i];
        bool timeout = a->keyword == SYM_EMPTY ? i == position : str_is(arg_name(f, a), "timeout");
        if (timeout && a->kind != VAL_NONE) return true;
    }
    return false;
}

/* shutdown(wait=False) */
static bool leaves_running(const Facts *f, const Call *c)
{
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *a = &f->args.v[c->args + i];
        bool wait = a->keyword == SYM_EMPTY ? !i : str_is(arg_name(f, a), "wait");
        if (wait && str_is(arg_text(f, a), "False")) return true;
    }
    return false;
}

/* wait(fs, return_when=FIRST_COMPLETED) */
static bool waits_for_one(const Facts *f, const Call *c)
{
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *a = &f->args.v[c->args + i];
        bool when = a->keyword == SYM_EMPTY ? i == 2 : str_is(arg_name(f, a), "return_when");
        if (when && !str_contains(arg_text(f, a), S("ALL_COMPLETED"))) return true;
    }
    return false;
}

/* for t in threads[:2]: — does the loop go over a part of what there is? */
static bool over_part(const Facts *f, const Block *loop)
{
    u32 end = loop->span.start, start = end;
    const Str text = f->source->text;
    while (start && text.p[start - 1] != '\n') start--;
    Str head = str_trim(str_slice(text, start, end));
    for (u32 at = start; !head.n && at > 1;) { /* the body stands on the next line */
        u32 line = at - 1;
        while (line && text.p[line - 1] != '\n') line--;
        head = str_trim(str_slice(text, line, at - 1));
        at = line;
    }
    if (!str_starts(head, S("for "))) return false;
    size_t open = str_search(head, S("["));
    if (!str_ends(head, S("]:")) || open == head.n) return false;
    return str_contains(str_slice(head, open, head.n - 2), S(":"));
}

/* Where the loop has done its body for all that it goes over; NONE when it may leave before. */
static u32 whole_loop(const Facts *f, u32 loop)
{
    const Block *b = &f->blocks.v[loop];
    if (b->kind == BLOCK_COMPREHENSION) return b->span.end;
    Str body = str_slice(f->source->text, b->span.start, b->span.end);
    if (b->exits || str_contains(body, S("break")) || over_part(f, b)) return NONE;
    return b->span.end;
}

/* A wait for what a loop goes over has waited for all at the end of the loop. What the loop itself starts, it waits
 * for at once. */
static u32 at_loop_end(const Facts *f, const Call *c)
{
    u32 loop = block_loop(f, c->block);
    if (loop == NONE) return c->span.end;
    const Path *x = &f->paths.v[c->callee];
    const Func *fn = &f->funcs.v[c->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) { /* t = Thread(…); t.start(); t.join() */
        const Call *o = &f->calls.v[i];
        if (o->span.end <= c->span.start && block_within(f, o->block, loop) &&
            str_is(last_name(f, &f->paths.v[o->callee]), "start"))
            return c->span.end;
    }
    bool each = x->root == ROOT_CALL || (x->nattr > 1 && x->attr[x->nattr - 2] == SYM_ITEM) || x->nattr == 1;
    return each ? whole_loop(f, loop) : c->span.end;
}

/* for r in pool.map(f, rows): or list(pool.map(f, rows)): where all has been taken that the call gives. */
static u32 taken_at(const Facts *f, const Call *c)
{
    static const char *const eager[] = {"list(", "tuple(", "sum(", "set(", "dict(", "sorted(", "max(", "min("};
    Str before = str_slice(f->source->text, 0, c->span.start);
    for (u32 i = 0; i < COUNT_OF(eager); i++)
        if (str_ends(before, str_from(eager[i]))) return c->span.end;
    if (!str_ends(str_trim(before), S(" in"))) return NONE;
    for (u32 b = 0; b < f->blocks.n; b++) {
        const Block *x = &f->blocks.v[b];
        if (x->func != c->func) continue;
        if (x->kind == BLOCK_COMPREHENSION && span_within(c->span, x->span)) return x->span.end;
        if (x->kind != BLOCK_LOOP || x->span.start < c->span.end) continue;
        Str between = str_trim(str_slice(f->source->text, c->span.end, x->span.start));
        if (str_is(between, ":")) return whole_loop(f, b);
    }
    return NONE;
}

/* ThreadPool(4), Pool(4) of multiprocessing.dummy: is it what holds the pool? Its map() waits, that of an executor
 * does not. */
static bool is_pool(const Program *p, u32 file, const Path *x)
{
    const LinkState *s = p->state;
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    for (u32 at = entity_defs(p, e); at != NONE; at = s->defrefs.v[at].next) {
        const Facts *f = p->facts[s->defrefs.v[at].file];
        const Def *d = &f->defs.v[s->defrefs.v[at].def];
        if (d->kind != VAL_CALL && d->kind != VAL_ENTER_OF) continue;
        u32 callee = d->kind == VAL_CALL ? f->calls.v[d->value].callee : d->value;
        if (str_starts(path_external(p, s->defrefs.v[at].file, callee), S("multiprocessing."))) return true;
    }
    return x->root == ROOT_CALL &&
           str_starts(path_external(p, file, p->facts[file]->calls.v[x->func].callee), S("multiprocessing."));
}

/* Calls of an executor or a pool, or of what it gave: job = pool.map_async(f, rows); job.get() */
static u32 pool_wait(const Program *p, u32 file, const Call *c, const Path *x, Str name)
{
    static const char *const maps[] = {"map", "imap", "imap_unordered", "starmap"};
    static const char *const later[] = {"map_async", "starmap_async", "apply_async", "submit"};
    const Facts *f = p->facts[file];
    if (str_among(name, maps, COUNT_OF(maps))) {
        if (receiver_type(p, file, x).kind != TYPE_EXECUTOR) return NONE;
        bool waits = str_is(name, "starmap") || (str_is(name, "map") && is_pool(p, file, x));
        return waits ? c->span.end : taken_at(f, c);
    }
    if (c->nargs || (!str_is(name, "get") && !str_is(name, "wait") && !str_is(name, "result"))) return NONE;
    if (str_is(name, "result") && block_loop(f, c->block) != NONE) return at_loop_end(f, c);
    const Func *fn = &f->funcs.v[c->func];
    u32 submitted = 0, end = NONE;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *o = &f->calls.v[i];
        if (!str_among(last_name(f, &f->paths.v[o->callee]), later, COUNT_OF(later))) continue;
        submitted++;
        if (o->target == NONE || o->span.end > c->span.start || x->nattr != f->paths.v[o->target].nattr + 1) continue;
        const Path *t = &f->paths.v[o->target];
        if (t->root == x->root && t->func == x->func && t->name == x->name && t->nattr <= 1 &&
            (!t->nattr || t->attr[0] == x->attr[0]) && (!t->nattr || t->attr[0] != SYM_ITEM))
            end = c->span.end;
    }
    return submitted == 1 ? end : NONE; /* of several it waits for one */
}

/* The one coroutine of the program that is run by what is none. */
static bool main_coroutine(const Program *p, u32 gfunc)
{
    u32 callers = 0;
    const FuncInfo *fi = &p->funcs[gfunc];
    if (fi->nroots || fi->api || fi->again) return false;
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->callee != gfunc) continue;
        if (e->weak || e->call == NONE || p->funcs[e->caller].nroots || program_func(p, e->caller)->is_async ||
            p->facts[e->file]->blocks.v[p->facts[e->file]->calls.v[e->call].block].repeats)
            return false;
        callers++;
    }
    return callers == 1;
}

/* await to_thread(f), await gather(*(to_thread(f, x) for x in xs)) */
static u32 awaited_end(const Program *p, u32 file, u32 call, bool starts)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    const Func *fn = &f->funcs.v[c->func];
    if (!starts || !fn->is_async) return NONE;
    u32 end = str_ends(str_trim(str_slice(f->source->text, 0, c->span.start)), S("await")) ? c->span.end : NONE;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls && end == NONE; i++) {
        const Call *o = &f->calls.v[i];
        if (o->awaited && i != call && span_within(c->span, o->span) &&
            str_is(last_name(f, &f->paths.v[o->callee]), "gather"))
            end = o->span.end;
    }
    return end != NONE && main_coroutine(p, gfunc_of(p, file, c->func)) ? end : NONE;
}

u32 wait_end(const Program *p, u32 file, u32 call, bool starts)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *x = &f->paths.v[c->callee];
    Str name = last_name(f, x);
    if (!name.n) return NONE;
    if (starts && f->funcs.v[c->func].is_async) return awaited_end(p, file, call, starts);
    if (str_is(name, "wait") && x->nattr <= 2 &&
        str_starts(path_external(p, file, c->callee), S("concurrent.futures")))
        return gives_up(f, c, 1) || waits_for_one(f, c) ? NONE : c->span.end;
    if (!x->nattr) return NONE;
    if (str_is(name, "join")) {
        if (gives_up(f, c, 0)) return NONE;
        if (!thread_named(p, file, x)) { /* texts and paths are joined with something */
            u8 kind = receiver_type(p, file, x).kind;
            if (c->nargs || (kind != TYPE_UNKNOWN && kind != TYPE_EXECUTOR && kind != TYPE_QUEUE)) return NONE;
        }
        return at_loop_end(f, c);
    }
    if (str_is(name, "shutdown")) return leaves_running(f, c) ? NONE : c->span.end;
    return pool_wait(p, file, c, x, name);
}
