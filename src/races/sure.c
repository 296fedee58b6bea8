/* Which findings are high: those on which we would bet. Of what is right by the rules and still harmless in its
 * program most shows by its shape, so high is a list of shapes. Each of them was true nine times of ten, or close to
 * it, in what was read (tests/readings.md); the rest is medium at best. */
#include "races/races.h"

/* Is an object of the class kept for all, in one of a few places? Of a class with many such objects each has users of
 * its own; so has what is made for whoever asks, though one of those who ask keeps it for all. */
static bool kept_for_all(const Program *p, const Place *x)
{
    enum { FEW = 3 };
    if (x->evidence & EV_DECORATOR) return true;
    u32 kept = class_kept_at(p, x->owner);
    return x->evidence & EV_SINGLETON && kept <= FEW && (!kept || class_given_out(p, x->owner) <= kept);
}

/* Threads run both sides; that they meet in one object is seen where an object of the class is kept for all, where
 * threads are started with one, or where one starts threads, or locks, and is given to them. An object that one
 * thread is given may be that thread's own. */
static bool one_object(const Program *p, const Place *x)
{
    if (x->kind == PLACE_CLASS_ATTR) return !class_of_call(p, x->owner);
    if (x->kind != PLACE_INSTANCE) return true;
    if (kept_for_all(p, x) || x->evidence & EV_SAME) return true;
    return x->evidence & EV_HANDED && x->evidence & EV_CLASS_LOCKS;
}

/* An argument of threads, which are not the class's own: every one of them has it. */
static bool given_away(const Place *x)
{
    return x->kind == PLACE_INSTANCE && x->evidence & EV_HANDED && !(x->evidence & EV_CLASS_LOCKS);
}

/* Threads that the class starts run its methods on both sides; what they do there is mostly each one's part of the
 * work. A lock that guards the state elsewhere says more. Of 70 others one was a race that was fixed. */
static bool own_threads(const Place *x)
{
    bool guarded = x->evidence & EV_GUARDED && 2 * x->guarded >= x->total;
    if (x->kind != PLACE_INSTANCE || x->evidence & (EV_SINGLETON | EV_DECORATOR)) return false;
    return !guarded && !given_away(x);
}

/* `if __name__ == "__main__":` in a module of a package shows how the file is used; what it starts, others need
 * not start. */
static bool for_show(const Program *p, const Root *r)
{
    if (r->call == NONE || r->file == NONE) return false;
    const Facts *x = p->facts[r->file];
    bool imported = x->source->in_package && !str_is(str_last(x->source->path, '/'), "__main__.py");
    return imported && !x->calls.v[r->call].func && in_main_block(x, x->calls.v[r->call].block);
}

/* logging.Filter.filter runs in any thread that logs: whichever that is. */
static bool any_that_logs(const Root *r)
{
    return str_starts(r->display, S("logging "));
}

/* Does a thread reach it that is no mere show? `stays`: one that nobody waits for where it is started, so that it
 * runs beside all that the program does later. */
static bool reached(const Finder *f, const Race *r, u32 site, bool stays)
{
    const Program *p = f->p;
    if (r->sites[site] == NONE || !threads_reach(p, r->sites[site])) return false;
    const FuncInfo *fi = &p->funcs[access_func(p, r->sites[site])];
    u32 coming = roots_coming(p, r->sites[site]);
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *root = &p->roots.v[fi->roots[i]];
        bool waited = stays && root_waited(p, root);
        if (coming & 1u << i && !for_show(p, root) && !any_that_logs(root) && !waited) return true;
    }
    return false;
}

static bool visible(const Finder *f, const Race *r, u32 site)
{
    return reached(f, r, site, false);
}

/* What the thread is given, without being the object whose method it runs, may be its own: submit(work, task). */
static bool own_argument(const Program *p, const Root *root, const Place *x)
{
    u32 shared = EV_SINGLETON | EV_DECORATOR | EV_SAME;
    if (x->kind != PLACE_INSTANCE || !(x->evidence & EV_HANDED) || x->evidence & shared) return false;
    GId g = func_gid(p, root->func);
    u32 cls = p->facts[g.file]->funcs.v[g.id].self_class;
    return cls == NONE || !class_is_a(p, p->class_base[g.file] + cls, x->owner);
}

/* Does a thread count for high? Not what the main thread runs as it ends or for a signal. */
static bool thread_counts(const Program *p, const Root *root)
{
    return !root->main && !for_show(p, root) && !any_that_logs(root);
}

/* Are two threads in sight that come to the two sites with one object? */
static bool two_threads(const Finder *f, const Race *r, const Place *x)
{
    const Program *p = f->p;
    const FuncInfo *a = &p->funcs[access_func(p, r->sites[0])], *b = &p->funcs[access_func(p, r->sites[1])];
    u32 coming_a = roots_coming(p, r->sites[0]), coming_b = roots_coming(p, r->sites[1]);
    if (a->nroots == FUNC_ROOTS || b->nroots == FUNC_ROOTS) return true; /* there may be more */
    for (u32 i = 0; i < a->nroots; i++)
        for (u32 k = 0; k < b->nroots; k++) {
            const Root *one = &p->roots.v[a->roots[i]], *other = &p->roots.v[b->roots[k]];
            if (!(coming_a & 1u << i) || !(coming_b & 1u << k)) continue;
            if (!thread_counts(p, one) || !thread_counts(p, other)) continue;
            if (one->func == other->func && own_argument(p, one, x)) continue;
            if (one != other || one->many) return true;
        }
    return false;
}

/* The lock that all who call the function in sight hold, outside of tests; NONE. */
static u32 calling_lock(const Finder *f, u32 func)
{
    enum { CALLERS = 32 };
    const Program *p = f->p;
    u32 first = f->called_first[func], end = f->called_first[func + 1], all = NONE;
    for (u32 i = first; i < end; i++) {
        const CallEdge *e = &p->edges.v[f->called[i]];
        if (e->weak || p->tests[e->file]) continue;
        if (e->call == NONE || i - first == CALLERS) return NONE;
        u32 lock = lock_around(p, e->file, &p->facts[e->file]->calls.v[e->call]);
        if (lock == NONE || (all != NONE && all != lock)) return NONE;
        all = lock;
    }
    return all;
}

/* with lock: refresh(), and nobody else in sight calls it: are both sites under such a lock? */
static bool calls_guarded(const Finder *f, const Race *r)
{
    u32 lock = calling_lock(f, access_func(f->p, r->sites[0]));
    return lock != NONE && r->nsites > 1 && calling_lock(f, access_func(f->p, r->sites[1])) == lock;
}

/* d[k] = d.get(k, 0) + 1: does the line end in a number that is added or taken off? */
static bool adds_number(Str text, size_t at)
{
    size_t end = at;
    while (end < text.n && text.p[end] != '\n' && text.p[end] != '\r') end++;
    size_t i = end;
    while (i > at && text.p[i - 1] >= '0' && text.p[i - 1] <= '9') i--;
    if (i == end) return false;
    while (i > at && text.p[i - 1] == ' ') i--;
    return i > at && (text.p[i - 1] == '+' || text.p[i - 1] == '-');
}

/* labels[block] += offset: an item of what is no dict or list in sight, an array say, by a key that is no constant.
 * Each thread may have entries of its own. */
static bool own_part(const Facts *f, const Access *a, const Place *x)
{
    if (a->op != OP_ITEM_AUG || type_holds_items(x->type.kind)) return false;
    Str key = sym_str(f, a->key);
    return !key.n || (key.p[0] != '"' && key.p[0] != '\'' && !(key.p[0] >= '0' && key.p[0] <= '9'));
}

/* Does the function end what the object does, by the first word of its name? It comes when the others are done, or
 * soon will be, and once: debatable more often than true in what was read. */
static bool at_the_end(const Program *p, u32 ga)
{
    static const char *const words[] = {"stop",     "quit",  "shutdown", "terminate",  "exit",   "teardown",
                                        "finalize", "close", "cleanup",  "deregister", "destroy"};
    const Func *fn = program_func(p, access_func(p, ga));
    return str_first_word(sym_str(p->facts[access_file(p, ga)], fn->name), words, COUNT_OF(words));
}

/* n += 1, d[k] += 1: what is lost is counted. `x = not x`, `x = f(x)`, a sort and a list that is emptied are as often
 * meant so. */
static bool counts(const Program *p, const Race *r, const Place *x)
{
    const Access *a = program_access(p, r->sites[0]);
    if (own_part(p->facts[r->file], a, x)) return false;
    if (a->op == OP_AUG || a->op == OP_ITEM_AUG) return true;
    bool store = a->op == OP_STORE || a->op == OP_ITEM_STORE;
    return store && adds_number(p->facts[r->file]->source->text, a->span.end);
}

/* Does a thread of which several run at once come to the access? */
static bool of_many(const Program *p, u32 ga)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    u32 coming = roots_coming(p, ga);
    for (u32 i = 0; i < fi->nroots; i++)
        if (coming & 1u << i && fi->roots[i] > ROOT_API && p->roots.v[fi->roots[i]].many) return true;
    return false;
}

static bool adds(const Access *a)
{
    return a->op == OP_AUG || a->op == OP_ITEM_AUG;
}

/* A count that is bound to a fresh value by threads, quota = ask(server), or an entry of a dict that is emptied now
 * and then: what is lost is lost until then. */
static bool set_anew(const Finder *f, const Access *update)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i], file = access_file(f->p, ga);
        const Access *a = program_access(f->p, ga);
        if (!access_counts(f->p, ga)) continue;
        if (update->op == OP_ITEM_AUG && a->op == OP_METHOD && str_is(access_method(f->p, ga), "clear")) return true;
        if (update->op != OP_AUG || a->op != OP_STORE || !threads_reach(f->p, ga)) continue;
        const Def *d = stored_def(f->p, ga);
        const Facts *x = f->p->facts[file];
        u32 flow = flows_to(x, ga - f->p->access_base[file]);
        bool own = flow < x->flows.n && x->flows.v[flow].to == ga - f->p->access_base[file];
        if (d && d->kind == VAL_CALL && !own) return true;
    }
    return false;
}

/* Does the access stand in a call that writes to a log, or prints? */
static bool in_log_call(const Program *p, u32 ga, bool print)
{
    const Facts *x = p->facts[access_file(p, ga)];
    const Access *a = program_access(p, ga);
    const Func *fn = &x->funcs.v[a->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        const Path *q = &x->paths.v[c->callee];
        if (!span_within(a->span, c->span)) continue;
        if (q->nattr && known_method(path_last(x, q), AS_LOG)) return true;
        if (print && !q->nattr && q->root == ROOT_GLOBAL && str_is(sym_str(x, q->name), "print")) return true;
    }
    return false;
}

bool access_told(const Program *p, u32 ga)
{
    return in_log_call(p, ga, true);
}

bool access_logged(const Program *p, u32 ga)
{
    return in_log_call(p, ga, false);
}

static bool logged_only(const Finder *f)
{
    bool told = false;
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        if (adds(a) || a->op == OP_STORE || a->op == OP_ITEM_STORE || a->op == OP_DEL) continue;
        if (!in_log_call(f->p, f->acc[i], false)) return false;
        told = true;
    }
    return told;
}

/* Is what is counted told to a log, and nobody else? All findings of the place ask it. */
static bool only_logged(Finder *f)
{
    if (f->told_of != f->place) f->told = logged_only(f);
    f->told_of = f->place;
    return f->told;
}

/* A count whose loss nobody may notice: a line of statistics, stats["bytes"] += n; what only goes to a log; what one
 * thread of an object adds to and another sets anew. Of 15 such findings of high confidence that were read none was
 * held to be a race that must be mended; of six others three were (tests/readings.md). */
static bool mild_count(Finder *f, const Race *r, const Place *x)
{
    const Program *p = f->p;
    const Access *a = program_access(p, r->sites[0]), *b = program_access(p, r->sites[1]);
    Str key = sym_str(p->facts[r->file], a->key);
    if (a->op == OP_ITEM_AUG && key.n && (key.p[0] == '"' || key.p[0] == '\'')) return true;
    if (only_logged(f) || set_anew(f, a)) return true;
    return x->kind == PLACE_INSTANCE && !(adds(a) && adds(b) && of_many(p, r->sites[0]));
}

/* One line, and threads of which there is one each: ways to start the same server, mostly. */
static bool one_line(const Program *p, const Race *r)
{
    return r->sites[0] == r->sites[1] && !of_many(p, r->sites[0]);
}

/* A context manager or a function sets it and sets it back for the time of a block (save.c). */
static bool saved(const Program *p, const Race *r)
{
    return !r->per_call && r->test != NONE && r->act != NONE && program_access(p, r->test)->op == OP_STORE;
}

/* The same threads run both sides, one at a time each: two ways to start the same work, for an object of its own. */
static bool two_starts(const Program *p, const Race *r, const Place *x)
{
    if (x->kind != PLACE_INSTANCE || x->evidence & (EV_SINGLETON | EV_DECORATOR)) return false;
    const FuncInfo *fa = &p->funcs[access_func(p, r->sites[0])], *fb = &p->funcs[access_func(p, r->sites[1])];
    if (fa->many || fb->many || fa->nroots != fb->nroots) return false;
    for (u32 i = 0; i < fa->nroots; i++)
        if (fa->roots[i] != fb->roots[i]) return false;
    return fa->nroots;
}

/* Are all entries stored under keys that are written out, record["name"] = …? They come once, and then are there. */
static bool fixed_keys(const Finder *f)
{
    bool some = false;
    for (u32 i = 0; i < f->nacc; i++) {
        if (!(f->effect[i] & EFFECT_GROW) || !access_counts(f->p, f->acc[i])) continue;
        const Access *a = program_access(f->p, f->acc[i]);
        Str key = sym_str(f->p->facts[access_file(f->p, f->acc[i])], a->key);
        if (a->op != OP_ITEM_STORE || !key.n || (key.p[0] != '"' && key.p[0] != '\'')) return false;
        some = true;
    }
    return some;
}

/* Does the function bind the place anew before `end`? */
static bool binds_before(const Finder *f, u32 gfunc, u32 end)
{
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        if (a->op == OP_STORE && access_func(f->p, f->acc[i]) == gfunc && a->span.start < end) return true;
    }
    return false;
}

/* self.parts = {}; self.fill(): is what the access changes bound just before, there or by whoever calls its function?
 * Then others walk the former one, but for a moment. */
static bool filled_anew(const Finder *f, u32 ga)
{
    u32 gfunc = access_func(f->p, ga), callers = 0;
    if (binds_before(f, gfunc, program_access(f->p, ga)->span.start)) return true;
    for (u32 i = f->called_first[gfunc]; i < f->called_first[gfunc + 1]; i++) {
        const CallEdge *e = &f->p->edges.v[f->called[i]];
        if (e->weak) continue;
        if (e->call == NONE || !binds_before(f, e->caller, f->p->facts[e->file]->calls.v[e->call].span.start))
            return false;
        callers++;
    }
    return callers > 0;
}

/* Is it the function that a thread begins with? */
static bool begins_thread(const Program *p, u32 gfunc)
{
    const FuncInfo *fi = &p->funcs[gfunc];
    for (u32 i = 0; i < fi->nroots; i++)
        if (p->roots.v[fi->roots[i]].func == gfunc && !p->roots.v[fi->roots[i]].main) return true;
    return false;
}

/* def run(self): while …: … finally: self.pools.clear(): what a thread does when its work is done, or before it
 * begins with it. The others are done as well then, or have not begun. */
static bool at_the_edge(const Program *p, u32 ga, bool start)
{
    const Facts *x = p->facts[access_file(p, ga)];
    const Access *a = program_access(p, ga);
    if (!begins_thread(p, access_func(p, ga)) || x->blocks.v[a->block].repeats) return false;
    if (!start) {
        for (u32 b = a->block; b != NONE; b = x->blocks.v[b].parent)
            if (x->blocks.v[b].kind == BLOCK_FINALLY) return true;
        return false;
    }
    for (u32 b = 0; b < x->blocks.n; b++) /* while True: the work */
        if (x->blocks.v[b].func == a->func && x->blocks.v[b].kind == BLOCK_LOOP && x->blocks.v[b].cond != NONE &&
            x->blocks.v[b].span.start > a->span.end && !x->blocks.v[x->blocks.v[b].parent].repeats)
            return true;
    return false;
}

/* def __init__(self): for name in dir(self): setattr(self, name, locked(lock, getattr(self, name))): the constructor
 * puts something round the methods that are marked by a decorator, which mostly takes a lock. */
static bool wrapped_by_class(const Program *p, u32 ga)
{
    GId g = func_gid(p, access_func(p, ga));
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    if (fn->cls == NONE || !fn->ndecorators) return false;
    for (u32 i = 0; i < x->calls.n; i++) {
        const Call *c = &x->calls.v[i];
        const Func *in = &x->funcs.v[c->func];
        const Path *q = &x->paths.v[c->callee];
        if (in->cls != fn->cls || !str_is(sym_str(x, in->name), "__init__") || q->nattr) continue;
        if (!str_is(sym_str(x, q->name), "setattr") || c->nargs != 3 || !x->blocks.v[c->block].repeats) continue;
        const Arg *to = &x->args.v[c->args], *what = &x->args.v[c->args + 2];
        if (to->kind == VAL_PATH && x->paths.v[to->value].root == ROOT_SELF && what->kind == VAL_CALL) return true;
    }
    return false;
}

/* Written for Python 2: has a file of twenty below the race's top folder, or the race's own, statements that no
 * Python 3 runs? Its threads have a GIL. One such file among many is somebody's sample. */
static bool for_python2(const Program *p, u32 file)
{
    enum { ONE_OF = 20 };
    Str path = p->facts[file]->source->path;
    Str top = str_slice(path, 0, str_find(path, '/') + 1);
    u32 old = 0, all = 0;
    for (u32 i = 0; i < p->nfiles && str_find(path, '/') < path.n; i++) {
        if (!str_starts(p->facts[i]->source->path, top)) continue;
        all++;
        old += p->facts[i]->python2;
    }
    return p->facts[file]->python2 || old * ONE_OF > all;
}

/* setattr(self, field, value): most of what is set by a name that comes from elsewhere is there already. */
static bool set_by_name(const Program *p, u32 ga)
{
    return str_is(sym_str(p->facts[access_file(p, ga)], program_access(p, ga)->method), "setattr");
}

/* A walk: the thread that changes the container is in sight, and whoever walks is another one. State of modules is
 * much filled by a program while it starts, so there both must be threads. */
static bool sure_walk(const Finder *f, const Race *r, const Place *x)
{
    if (x->file == NONE || fixed_keys(f) || any_error_caught(f->p, r->sites[0])) return false;
    if (r->sites[1] != NONE && (at_the_end(f->p, r->sites[1]) || filled_anew(f, r->sites[1]))) return false;
    if (r->sites[1] != NONE && set_by_name(f->p, r->sites[1])) return false;
    if (at_the_edge(f->p, r->sites[0], true) || (r->sites[1] != NONE && at_the_edge(f->p, r->sites[1], false)))
        return false;
    if (x->kind != PLACE_INSTANCE) return visible(f, r, 0) && visible(f, r, 1);
    return visible(f, r, 1) && (visible(f, r, 0) || reached(f, r, 1, true)) && !two_starts(f->p, r, x);
}

static bool sure_update(Finder *f, const Race *r, const Place *x)
{
    if (x->kind == PLACE_DEFAULT) return false; /* as often as not one that is meant to remember */
    if (x->file == NONE) return false;          /* os.environ["PATH"] += … */
    if (!threads_run_together(f->p, r->sites[0], r->sites[1])) return false; /* one thread, and users of a library */
    if (!visible(f, r, 0) || !visible(f, r, 1) || !two_threads(f, r, x)) return false;
    return !own_threads(x) &&
           ((counts(f->p, r, x) && !mild_count(f, r, x) && count_matters(f, r) && !one_line(f->p, r)) ||
            saved(f->p, r));
}

/* An item is taken when there is one: what takes the last one in between runs in a thread in sight, too. */
static bool sure_take(const Finder *f, const Race *r, const Place *x)
{
    if (r->act == NONE || program_access(f->p, r->act)->op != OP_METHOD || own_threads(x)) return false;
    return visible(f, r, 0) && visible(f, r, 1) && two_threads(f, r, x);
}

bool race_sure(Finder *f, const Race *r, const Place *x)
{
    if (r->impact == IMPACT_DUPLICATE || x->of != NONE || !one_object(f->p, x) || calls_guarded(f, r)) return false;
    if (r->sites[0] != NONE && at_the_end(f->p, r->sites[0])) return false;
    if (for_python2(f->p, r->file)) return false;
    for (u32 i = 0; i < r->nsites && i < 2; i++)
        if (r->sites[i] != NONE && wrapped_by_class(f->p, r->sites[i])) return false;
    switch (r->rule) {
    case UG101: return sure_update(f, r, x);
    case UG103: return must_be_one(x) && !own_threads(x);
    case UG106: return sure_walk(f, r, x);
    case UG108: return sure_update(f, r, x) && counts(f->p, r, x) && !mild_count(f, r, x);
    case UG203:
    case UG201: return sure_take(f, r, x);
    case UG307: return true;
    default: return false;
    }
}
