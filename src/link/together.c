/* May two accesses run at the same time, in two threads? From the roots that come to each, whether one of them runs
 * more than once at a time, what is ordered by starts, joins and events, and whose object it is (objects.c). */
#include "link/objects.h"

/* Before the first start or after the last join of the threads that its function starts; if it waits for none and is
 * called again, those of the call before may still run. */
static bool outside_threads(const Program *p, u32 ga)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    if (fi->first_start == NONE || (fi->again && fi->last_join == NONE)) return false;
    if (fi->last_join != NONE && program_access(p, ga)->span.start >= fi->last_join) return true;
    return before_threads(p, ga);
}

/* Does a library's "any thread" reach this access of this place? Instance state only with evidence that its object is
 * shared (races/ weighs it). */
static bool api_reaches(const Program *p, const FuncInfo *fi, u32 place)
{
    if (!fi->api) return false;
    if (p->options->assume == ASSUME_ALWAYS) return true;
    const Place *x = place == NONE ? NULL : &p->places.v[place];
    if (!x) return true;
    return x->evidence & (EV_MODULE | EV_GUARDED | EV_CLASS_LOCKS | EV_SINGLETON | EV_NAME | EV_DECORATOR |
                          EV_ALWAYS | EV_FILE | EV_PURPOSE | EV_TOUCHED | EV_PART | EV_FOUND | EV_STARTER);
}

/* Does a root reach it that runs beside the main program: a thread, or a signal that interrupts it? */
static bool beside_main(const Program *p, const FuncInfo *fi)
{
    bool any = fi->threads;
    for (u32 i = 0; i < fi->nroots; i++) any |= p->roots.v[fi->roots[i]].main != MAIN_EXIT;
    return any;
}

/* Is the executor one, for all that come to the place? That of an object is for what the object has; a local one, be
 * it of a function around the call, is made anew by each thread that runs the function, as its variables are. */
static bool one_lane(const Program *p, const Root *r, const Place *x)
{
    if (r->call == NONE) return r->own; /* the handlers of a server that has no threads */
    const Call *c = &p->facts[r->file]->calls.v[r->call];
    const Path *q = &p->facts[r->file]->paths.v[c->callee];
    if (q->root == ROOT_SELF) return x && x->kind == PLACE_INSTANCE;
    u32 owner = gfunc_of(p, r->file, q->root == ROOT_LOCAL ? q->func : c->func);
    const FuncInfo *fi = &p->funcs[owner];
    bool variable = x && x->kind == PLACE_CLOSURE && x->owner == owner;
    return q->root == ROOT_GLOBAL || variable || (!fi->many && !fi->threads);
}

/* A client of paho-mqtt calls all its callbacks from the thread of its network loop, one after the other (Eclipse
 * paho.mqtt.python, "Network loop"), and so do pika's and kafka-python's. Those that one file sets are taken to be of
 * one client; programs have one event loop beside their threads. An executor of one worker is such a thread, too. */
static bool one_loop(const Program *p, const Root *a, const Root *b, const Place *x)
{
    if (a->lane && a->lane == b->lane) return one_lane(p, a, x);
    if (!a->loop || !b->loop) return false;
    return a->loop == event_loop_root ? b->loop == event_loop_root
                                      : a->file == b->file && strcmp(a->loop, b->loop) == 0;
}

/* A thread that runs its coroutines, asyncio.run(self.serve()), and what is handed to an event loop: where one is
 * handed, that is the loop. Two threads that run coroutines have a loop each. */
static bool handed_to_loop(const Program *p, const FuncInfo *fa, const Root *a, const FuncInfo *fb, const Root *b)
{
    bool in_a = a->loop == event_loop_root, in_b = b->loop == event_loop_root;
    const Root *handed = in_a ? a : b;
    if (handed->call == NONE) return false;
    const Facts *f = p->facts[handed->file]; /* a coroutine hands it to the loop that runs the coroutine itself */
    if (p->funcs[gfunc_of(p, handed->file, f->calls.v[handed->call].func)].event_loop) return false;
    return (in_a && fb->event_loop) || (in_b && fa->event_loop);
}

/* self.thread = Thread(target=self.send), and elsewhere self.thread = Thread(target=self.send_all): one attribute of
 * one object holds one thread, and whoever makes the next has done with the last. In one function two of them may
 * run, unless a branch chooses. */
static bool one_keeper(const Program *p, const Root *r, const Root *other)
{
    if (r->call == NONE || other->call == NONE || r->call == other->call || r->file != other->file) return false;
    const Facts *f = p->facts[r->file];
    const Call *a = &f->calls.v[r->call], *b = &f->calls.v[other->call];
    if (r->many || other->many || a->target == NONE || b->target == NONE) return false;
    const Path *x = &f->paths.v[a->target], *y = &f->paths.v[b->target];
    if (x->root != ROOT_SELF || y->root != ROOT_SELF || x->nattr != 1 || y->nattr != 1 || x->attr[0] != y->attr[0])
        return false;
    if (f->funcs.v[a->func].self_class != f->funcs.v[b->func].self_class) return false;
    return a->func != b->func || !(block_within(f, a->block, b->block) || block_within(f, b->block, a->block));
}

u32 roots_coming(const Program *p, u32 gaccess)
{
    GId g = access_gid(p, gaccess);
    const Access *a = &p->facts[g.file]->accesses.v[g.id];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, g.file, a->func)];
    u32 place = p->access_place[gaccess], all = (1u << fi->nroots) - 1;
    if (!fi->alone || place == NONE || p->places.v[place].kind != PLACE_INSTANCE) return all;
    if (p->options->assume == ASSUME_ALWAYS) return all;
    return access_of_self_alone(p, g.file, a, p->places.v[place].owner) ? all & ~(u32)fi->alone : all;
}

/* Does the function start one of the threads that come to the other one? Then it runs beside it, whoever calls it. */
static bool starts_one(const Program *p, const FuncInfo *fi, u32 coming, u32 file, u32 func)
{
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        bool thread = coming & 1u << i && r->call != NONE && !r->main && !r->loop && !r->awaited;
        if (thread && r->file == file && p->facts[file]->calls.v[r->call].func == func) return true;
    }
    return false;
}

bool starts_thread_of(const Program *p, u32 gstarter, u32 gaccess)
{
    GId g = access_gid(p, gstarter);
    u32 func = program_access(p, gstarter)->func;
    return starts_one(p, &p->funcs[access_func(p, gaccess)], roots_coming(p, gaccess), g.file, func);
}

/* Thread(target=self.send, args=(m,)), started by each call of one function: do the threads of two calls meet in the
 * state? In what is the module's or a class's; in what a variable around the starter holds, not one of its own; in
 * the object whose method starts them, and its parts. What they are given is mostly each one's. */
static bool calls_meet(const Program *p, const Root *r, u32 place, u32 file, const Access *a)
{
    enum { SHARED = EV_SINGLETON | EV_PART | EV_FOUND | EV_DECORATOR | EV_ALWAYS };
    const Place *x = place == NONE ? NULL : &p->places.v[place];
    if (!x) return false;
    if (x->kind == PLACE_CLOSURE) {
        u32 starter = r->call == NONE ? NONE : gfunc_of(p, r->file, p->facts[r->file]->calls.v[r->call].func);
        return starter != NONE && starter != x->owner && func_stands_in(p, starter, x->owner);
    }
    if (x->kind != PLACE_INSTANCE || place_of_starter(p, r, x) || x->evidence & SHARED) return true;
    GId g = func_gid(p, r->func);
    u32 cls = p->facts[g.file]->funcs.v[g.id].self_class, in = p->facts[file]->funcs.v[a->func].self_class;
    if (cls == NONE || in == NONE || !access_of_self_alone(p, file, a, x->owner)) return false;
    return !classes_unrelated(p, gclass_of(p, g.file, cls), gclass_of(p, file, in));
}

/* Which callers that are not in sight count: none, those that start a thread of ours, all. */
typedef enum Unknown { UNKNOWN_NONE, UNKNOWN_ALL, UNKNOWN_STARTERS } Unknown;

/* One of the two accesses that are asked about, and what is known of it. */
typedef struct Side {
    u32 ga;
    GId g;
    const Access *a;
    u32 func; /* global func */
    const FuncInfo *fi;
    u32 roots;  /* those that come to it: roots_coming */
    bool out;   /* none of the other one's threads runs: not yet, or no longer */
    bool ended; /* the other one's threads are waited for before it */
    bool api;   /* callers that are not in sight come to it */
} Side;

typedef struct Pair {
    const Program *p;
    Unknown unknown;
    u32 place;
    const Place *x; /* NULL without a place */
    Side a, b;
    bool same, object; /* found on the way: one thread runs both; each thread has an object of its own */
} Pair;

static Side side_of(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Access *a = &p->facts[g.file]->accesses.v[g.id];
    u32 func = gfunc_of(p, g.file, a->func);
    return (Side){.ga = ga, .g = g, .a = a, .func = func, .fi = &p->funcs[func]};
}

/* What takes longer to find out; after the questions that need none of it. */
static void side_look(const Pair *x, Side *s, const Side *other)
{
    Ended over = ended_beside(x->p, s->ga, other->ga);
    s->roots = roots_coming(x->p, s->ga);
    s->out = over == ENDED_YES || (over == ENDED_UNKNOWN && outside_threads(x->p, s->ga));
}

/* A variable that an inner function captures: before that is given away, or one for each thread. */
static Apart captured_apart(const Pair *x)
{
    const FuncInfo *owner = &x->p->funcs[x->x->owner];
    if ((x->a.out && x->a.fi == owner) || (x->b.out && x->b.fi == owner)) return APART_ORDER;
    bool both = x->a.roots && x->b.roots;
    bool own = (x->a.roots || x->b.roots) && variable_own_to_threads(x->p, x->x, x->a.func, both) &&
               variable_own_to_threads(x->p, x->x, x->b.func, both);
    return own ? APART_OBJECT : APART_NOT;
}

/* May threads of two roots run the two at once? */
static bool two_roots_meet(Pair *x, const Root *r, const Root *other)
{
    const Program *p = x->p;
    bool by_self = access_of_self(p->facts[x->a.g.file], x->a.a) && access_of_self(p->facts[x->b.g.file], x->b.a);
    if (root_owns_object(p, r, x->place) &&
        (r->func == other->func || (by_self && roots_own_objects(p, r, other, x->place)))) {
        x->object = true;
        return false;
    }
    bool one =
        one_loop(p, r, other, x->x) || one_keeper(p, r, other) || handed_to_loop(p, x->a.fi, r, x->b.fi, other);
    x->same |= one;
    return !one;
}

/* May two threads of one root, the i-th of the one access and the k-th of the other? */
static bool one_root_meets(Pair *x, const Root *r, u32 i, u32 k)
{
    const Program *p = x->p;
    const FuncInfo *fa = x->a.fi, *fb = x->b.fi;
    bool beside = fa->beside & 1u << i || fb->beside & 1u << k;
    beside |= fa->others & 1u << i && !place_of_starter(p, r, x->x) && !part_of_starter(p, r, x->x);
    u8 calls = fa->calls | (x->unknown ? fa->maybe : 0);
    beside |= calls & 1u << i && calls_meet(p, r, x->place, x->a.g.file, x->a.a);
    x->same = true;
    if ((r->many || beside) && !root_owns_object(p, r, x->place)) return true;
    x->object |= r->many;
    return false;
}

static bool roots_meet(Pair *x)
{
    const FuncInfo *fa = x->a.fi, *fb = x->b.fi;
    for (u32 i = 0; i < fa->nroots; i++) {
        for (u32 k = 0; k < fb->nroots && x->a.roots & 1u << i; k++) {
            if (!(x->b.roots & 1u << k)) continue;
            const Root *r = &x->p->roots.v[fa->roots[i]], *other = &x->p->roots.v[fb->roots[k]];
            if (r->main && other->main) /* the same thread, with no other code in between */
                x->same = true;
            else if (r == other ? one_root_meets(x, r, i, k) : two_roots_meet(x, r, other))
                return true;
        }
    }
    return false;
}

/* Does `a` run in a thread while whoever has started it, or the main program, is at `b`, which no thread comes to? */
static bool starter_meets(const Pair *x, const Side *a, const Side *b, bool captured)
{
    if (b->out || b->roots || b->ended) return false;
    return (captured && starts_one(x->p, a->fi, a->roots, b->g.file, b->a->func)) ||
           (a->roots && beside_main(x->p, a->fi) && b->fi->main);
}

/* Is `a` done by callers that are not in sight while a thread is at `b`? */
static bool callers_meet(const Pair *x, const Side *a, const Side *b)
{
    return a->api && b->roots && !a->ended && !order_by_caller(x->p, a->ga, b->ga);
}

static Apart accesses_apart(const Program *p, u32 ga, u32 gb, Unknown unknown)
{
    if (!access_counts(p, ga)) return APART_FIRST;
    if (!access_counts(p, gb)) return APART_SECOND;
    Pair x = {.p = p, .unknown = unknown, .place = p->access_place[ga], .a = side_of(p, ga), .b = side_of(p, gb)};
    x.x = x.place == NONE ? NULL : &p->places.v[x.place];
    if (x.x && x.x->kind == PLACE_INSTANCE && accesses_of_siblings(p, x.x->owner, x.a.g, x.a.a, x.b.g, x.b.a))
        return APART_OBJECT;
    if (accesses_of_started(p, ga, gb, x.x)) return APART_OBJECT;
    if (event_orders(p, ga, gb) || event_orders(p, gb, ga)) return APART_EVENT;
    Side *a = &x.a, *b = &x.b;
    side_look(&x, a, b);
    side_look(&x, b, a);
    x.object = (a->fi->nroots && !a->roots) || (b->fi->nroots && !b->roots);
    bool captured = x.x && x.x->kind == PLACE_CLOSURE && !(x.x->evidence & (EV_DECORATOR | EV_ALWAYS));
    Apart own = captured ? captured_apart(&x) : APART_NOT;
    if (own != APART_NOT) return own;
    if (a->fi->event_loop && b->fi->event_loop && !(a->roots && b->roots))
        return APART_LOOP; /* one loop; several when threads run them */
    if (roots_meet(&x)) return APART_NOT;
    a->ended = b->roots && stopped_before(p, ga, gb);
    b->ended = a->roots && stopped_before(p, gb, ga);
    if (starter_meets(&x, a, b, captured) || starter_meets(&x, b, a, captured)) return APART_NOT;
    a->api = unknown == UNKNOWN_ALL && api_reaches(p, a->fi, x.place);
    b->api = unknown == UNKNOWN_ALL && api_reaches(p, b->fi, x.place);
    bool alone = a->fi->main_alone && b->fi->main_alone; /* whoever calls them, it is the main thread */
    if ((a->api && b->api && !alone) || callers_meet(&x, a, b) || callers_meet(&x, b, a)) return APART_NOT;
    if (a->ended || b->ended || (a->api && b->roots) || (b->api && a->roots)) return APART_ORDER;
    if (x.object) return APART_OBJECT;
    bool main_a = b->roots && a->fi->main, main_b = a->roots && b->fi->main;
    if ((main_b && b->out) || (main_a && a->out)) return APART_ORDER;
    return x.same || alone || main_a || main_b ? APART_ONE_THREAD : APART_NO_THREAD;
}

Apart may_run_apart(const Program *p, u32 ga, u32 gb)
{
    return accesses_apart(p, ga, gb, UNKNOWN_ALL);
}

bool may_run_together(const Program *p, u32 ga, u32 gb)
{
    return accesses_apart(p, ga, gb, UNKNOWN_ALL) == APART_NOT;
}

bool threads_run_together(const Program *p, u32 ga, u32 gb)
{
    return accesses_apart(p, ga, gb, UNKNOWN_NONE) == APART_NOT;
}

bool threads_started_again(const Program *p, u32 ga, u32 gb)
{
    return accesses_apart(p, ga, gb, UNKNOWN_STARTERS) == APART_NOT &&
           accesses_apart(p, ga, gb, UNKNOWN_NONE) != APART_NOT;
}
