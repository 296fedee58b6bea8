/* What a call waits for: another thread, or what takes long: the network, a process, a device, the clock.
 *
 * Told by what the receiver is where that is known, by the name of a method where it is not, by what is handed over
 * and by a timeout that is passed. What is known of names stands in know/calls.def. Functions of the program that are
 * called are not looked into; waits.c does that. */
#include "fixes/fixes.h"

/* Is it the constructor's only way to say that put() may wait: a size? */
static bool unbounded(Plan *pl, u32 file, const Path *p)
{
    Ent e = path_resolve(pl->p, file, p, p->nattr - 1u);
    if (e.kind != ENT_PLACE || pl->p->places.v[e.id].def == NONE) return false;
    const Facts *f = pl->p->facts[pl->p->places.v[e.id].def_file];
    const Def *d = &f->defs.v[pl->p->places.v[e.id].def];
    return d->kind == VAL_CALL && f->calls.v[d->value].nargs == 0;
}

bool call_told_not(const Facts *f, const Call *c, const char *keyword, u32 position)
{
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *a = &f->args.v[c->args + i];
        Str key = sym_str(f, a->keyword), text = str_slice(f->source->text, a->span.start, a->span.end);
        bool asked = a->keyword == SYM_EMPTY ? i == position : str_is(key, keyword);
        if (asked && a->kind == VAL_BOOL && str_ends(text, S("False"))) return true;
    }
    return false;
}

/* acquire(False), acquire(blocking=False), get(block=False), put(x, False): an answer at once. */
static bool told_not_to(const Facts *f, const Call *c, u32 position)
{
    return call_told_not(f, c, "block", position) || call_told_not(f, c, "blocking", position);
}

/* Is it known which functions of the program the call runs? Then these are looked at, and its name tells nothing. */
static bool leads_on(Plan *pl, u32 file, u32 call)
{
    u32 target;
    return call_targets(pl->p, file, call, &target, 1) && !call_unknown(pl->p, file, call);
}

/* signal.connect(handler): a function is handed over, no connection made. */
bool hands_over(const Plan *pl, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &f->args.v[i];
        if (a->kind == VAL_FUNC || a->kind == VAL_LAMBDA) return true;
        if (a->kind == VAL_PATH && path_type(pl->p, file, a->value).kind == TYPE_FUNC) return true;
    }
    return false;
}

/* wait_for_reply(), WaitForSingleObject(handle, INFINITE): not in sight, and named so; not where it may take no time.
 */
static bool named_for_waiting(Plan *pl, u32 file, u32 call)
{
    static const char *const starts[] = {"wait_for", "wait_un", "wait_on_", "waitFor", "waitUn", "WaitFor", "WaitUn"};
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    const Arg *last = c->nargs ? &f->args.v[c->args + c->nargs - 1u] : NULL;
    Str name = call_last(f, c);
    bool waits = false;
    while (name.n && name.p[0] == '_') name = str_slice(name, 1, name.n);
    for (u32 i = 0; i < COUNT_OF(starts); i++) waits |= str_starts(name, str_from(starts[i]));
    if (last && str_is(str_slice(f->source->text, last->span.start, last->span.end), "0")) return false;
    return waits && !leads_on(pl, file, call);
}

/* pool.map(f, items), pool.shutdown(): all that was handed out is waited for; told by shutdown(wait=False) not to. */
static bool waits_for_pool(Plan *pl, u32 file, const Call *c)
{
    static const char *const names[] = {"map", "starmap", "apply", "join"};
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    if (p->truncated || ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u)).kind != TYPE_EXECUTOR)
        return false;
    Str name = path_last(f, p);
    if (str_is(name, "shutdown")) return !call_told_not(f, c, "wait", 0);
    if (str_is(name, "map") && c->stmt == c->span.start) return false; /* an executor's gives an iterator */
    return str_among(name, names, COUNT_OF(names)) || str_is(name, "imap") || str_is(name, "imap_unordered");
}

/* map(Thread.join, threads), iter(self.jobs.get, None): a method that waits is handed over and called there. */
static bool handed_wait(Plan *pl, u32 file, const Call *c)
{
    static const char *const names[] = {"join", "wait", "result"};
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    Str name = sym_str(f, p->name);
    if (p->nattr || p->root != ROOT_GLOBAL || !c->nargs) return false;
    const Arg *a = &f->args.v[c->args];
    if (a->kind != VAL_PATH || !(known_builtin(name, AS_CALLS) || (str_is(name, "iter") && c->nargs == 2)))
        return false;
    const Path *x = &f->paths.v[a->value];
    if (!path_is_attr(x) || x->truncated) return false;
    u8 kind = ent_type(pl->p, path_resolve(pl->p, file, x, x->nattr - 1u)).kind;
    if (str_is(path_last(f, x), "get")) return kind == TYPE_QUEUE;
    return str_among(path_last(f, x), names, COUNT_OF(names)) && kind != TYPE_STRING;
}

/* "x".join(parts), os.path.join(a, b), {}.get and log.exception("…") wait for nobody. */
bool call_waits(Plan *pl, u32 file, u32 call)
{
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *p = &f->paths.v[c->callee];
    Str name = call_last(f, c);
    Str full = path_external(pl->p, file, c->callee);
    if (named_for_waiting(pl, file, call) || known_function(full, AS_WAITS)) return true;
    if (p->nattr == 0) return handed_wait(pl, file, c);
    if (waits_for_pool(pl, file, c)) return true;
    if (str_is(name, "get") || str_is(name, "put")) { /* a queue's wait, unless told not to */
        bool put = str_is(name, "put");
        if (ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u)).kind != TYPE_QUEUE) return false;
        return !told_not_to(f, c, put) && !(put && unbounded(pl, file, p));
    }
    bool bare_join = str_is(name, "join") && c->nargs == 0; /* of a thread, or of what stands for some */
    if (!known_method(name, AS_WAITS) || (!bare_join && leads_on(pl, file, call))) return false;
    if (str_is(name, "acquire") && told_not_to(f, c, 0)) return false;
    if (str_is(name, "join")) { /* a thread's join takes nothing or a timeout; a string's takes what is joined */
        const Arg *first = &f->args.v[c->args];
        if (c->nargs == 0 || (p->root != ROOT_UNKNOWN && (first->keyword != SYM_EMPTY || first->kind == VAL_NUMBER)))
            return true;
        Type t = ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u));
        return t.kind == TYPE_THREAD || (t.kind == TYPE_CLASS && class_is_thread(pl->p, t.id));
    }
    if (str_is(name, "exception") && c->nargs) { /* a future's takes a timeout, a logger's what is logged */
        const Arg *first = &f->args.v[c->args];
        if (first->keyword == SYM_EMPTY && first->kind != VAL_NUMBER && first->kind != VAL_NONE) return false;
    }
    return p->root != ROOT_UNKNOWN && (full.n == 0 || str_starts(full, S("asyncio.")));
}

Type section_type(const Plan *pl, u32 file, const Section *s)
{
    if (s->call != NONE) return call_type(pl->p, file, s->call);
    return s->path != NONE ? path_type(pl->p, file, s->path) : (Type){0};
}

/* Making an object of such a module costs little; what it then does is what takes long. */
static bool makes_object(Str full)
{
    Str last = str_last(full, '.');
    return last.n && last.p[0] >= 'A' && last.p[0] <= 'Z';
}

static bool slow_library(Str full)
{
    return known_module(full, AS_SLOW) || known_function(full, AS_SLOW);
}

/* A pool of threads or processes that is shut down waits for its work. */
static bool ends_pool(const Plan *pl, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    if (!p->nattr || p->truncated) return false;
    Str name = path_last(f, p);
    Str of = sym_str(f, p->nattr > 1 ? p->attr[p->nattr - 2] : p->name);
    if (!str_is(name, "terminate") && !str_is(name, "shutdown")) return false;
    u8 kind = ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u)).kind;
    return kind == TYPE_EXECUTOR || str_ends(of, S("pool")) || str_ends(of, S("executor"));
}

/* self.port.get(), self.port.get(timeout=1): no container's get, which wants a key. */
static bool gets_next(const Facts *f, const Call *c)
{
    for (u32 i = c->args; i < c->args + c->nargs; i++)
        if (f->args.v[i].keyword == SYM_EMPTY || f->args.v[i].star) return false;
    return !told_not_to(f, c, 0);
}

/* A local that holds what open() gave, of whatever object: with path.open() as f. */
static bool opened_here(const Plan *pl, u32 file, const Path *p)
{
    const Facts *f = pl->p->facts[file];
    const Def *d = p->root == ROOT_LOCAL && p->nattr == 1 ? local_def(pl->p, file, p->func, p->name) : NULL;
    if (!d || (d->kind != VAL_CALL && d->kind != VAL_ENTER_OF)) return false;
    const Path *from = &f->paths.v[d->kind == VAL_CALL ? f->calls.v[d->value].callee : d->value];
    if (d->kind == VAL_ENTER_OF && from->root == ROOT_CALL && !from->nattr)
        from = &f->paths.v[f->calls.v[from->func].callee];
    Str name = path_last(f, from);
    return str_is(name, "open");
}

/* self.port.read(1), dev.wait_event(), self.selector.select(): a method by whose name a device, a pipe or a peer is
 * waited for, of an object that is none of those which never do: a container, a text, a file that was opened. */
static bool reads_device(Plan *pl, u32 file, u32 call)
{
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *p = &f->paths.v[c->callee];
    if (!path_is_attr(p) || p->truncated || p->root == ROOT_UNKNOWN) return false;
    Str name = call_last(f, c);
    Type t = p->root == ROOT_CALL && p->nattr == 1 ? call_type(pl->p, file, p->func) /* open(path).read() */
                                                   : ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u));
    Str of = t.kind == TYPE_EXTERNAL ? pl->p->syms.strs[t.id] : S("");
    if (str_is(name, "select") || str_is(name, "poll"))
        return str_starts(of, S("select.")) || str_starts(of, S("selectors."));
    bool next = str_is(name, "get") && gets_next(f, c) && (!of.n || known_module(of, AS_SLOW)); /* no StringVar's */
    if (!next && !known_method(name, AS_DEVICE)) return false;
    if (leads_on(pl, file, call) || path_external(pl->p, file, c->callee).n || opened_here(pl, file, p)) return false;
    if (of.n) return !str_is(of, "open") && (!known_module(of, AS_QUIET) || known_module(of, AS_SLOW));
    return t.kind == TYPE_UNKNOWN || t.kind == TYPE_NONE || t.kind == TYPE_CLASS;
}

/* self.http.request(url, timeout=30): who is told how long it may take waits for something, unless it is a class,
 * which is told for later, or what it does is in sight. */
static bool given_time(Plan *pl, u32 file, u32 call)
{
    static const char *const names[] = {"timeout", "timeout_ms", "timeout_seconds", "request_timeout"};
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    Str name = call_last(f, c);
    bool quick =
        known_method(name, AS_PLAIN) || path_external(pl->p, file, c->callee).n || !f->paths.v[c->callee].nattr;
    if (quick || (name.n && name.p[0] >= 'A' && name.p[0] <= 'Z') || told_not_to(f, c, NONE)) return false;
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &f->args.v[i];
        if (a->kind == VAL_NONE || !str_among(sym_str(f, a->keyword), names, COUNT_OF(names))) continue;
        Str text = str_slice(f->source->text, a->span.start, a->span.end);
        if (a->kind == VAL_NUMBER && (str_ends(text, S("=0")) || str_is(text, "0"))) continue;
        return !leads_on(pl, file, call) && path_type(pl->p, file, c->callee).kind != TYPE_CLASS_OBJECT;
    }
    return false;
}

/* server.shutdown(): of what is not known, it waits for what the server does; a socket's is told how. */
static bool shuts_down(Plan *pl, u32 file, u32 call)
{
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *p = &f->paths.v[c->callee];
    if (!path_is_attr(p) || p->truncated || c->nargs || !str_is(path_last(f, p), "shutdown")) return false;
    u8 kind = ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u)).kind;
    return (kind == TYPE_UNKNOWN || kind == TYPE_NONE) && !leads_on(pl, file, call) &&
           !path_external(pl->p, file, c->callee).n;
}

bool call_slow(Plan *pl, u32 file, u32 call)
{
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *p = &f->paths.v[c->callee];
    if (p->nattr && !p->truncated) { /* a method of an object that a library of the network made */
        Type t = ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u));
        if (t.kind == TYPE_EXTERNAL && slow_library(pl->p->syms.strs[t.id])) return true;
    }
    if (ends_pool(pl, file, c) || shuts_down(pl, file, call) || reads_device(pl, file, call) ||
        given_time(pl, file, call))
        return true;
    Str name = call_last(f, c);
    if (!p->nattr && (known_builtin(name, AS_SLOW) || known_method(name, AS_SLOW | AS_BY_NAME))) return true;
    if (p->nattr && known_method(name, AS_SLOW))
        return !leads_on(pl, file, call) && !(str_is(name, "connect") && hands_over(pl, file, c));
    Str full = path_external(pl->p, file, c->callee);
    bool quick = known_module(full, AS_QUICK) || known_function(full, AS_QUICK);
    return !quick && slow_library(full) && !makes_object(full);
}

bool call_sleeps(const Facts *f, const Call *c)
{
    return str_is(call_last(f, c), "sleep");
}
