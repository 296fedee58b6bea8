/* Joins the facts of all files into one program: the order of the passes, and small queries over the result. */
#include "link/link.h"

u32 *files_base(Arena *a, Facts **facts, u32 n, u32 (*count)(const Facts *))
{
    u32 *base = arena_new(a, u32, n + 1);
    for (u32 i = 0; i < n; i++) base[i + 1] = base[i] + count(facts[i]);
    return base;
}

static u32 count_funcs(const Facts *f)
{
    return f->funcs.n;
}
static u32 count_classes(const Facts *f)
{
    return f->classes.n;
}
static u32 count_accesses(const Facts *f)
{
    return f->accesses.n;
}
static u32 count_calls(const Facts *f)
{
    return f->calls.n;
}
static u32 count_sections(const Facts *f)
{
    return f->sections.n;
}

Program *program_link(Arena *a, const Options *o, Facts **facts, u32 n)
{
    Program *p = arena_new(a, Program, 1);
    LinkState *s = arena_new(a, LinkState, 1);
    *p = (Program){.arena = a, .options = o, .facts = facts, .nfiles = n, .state = s};
    s->a = a;
    CHECK(intern(a, &p->syms, S("[]")) == SYM_ITEM && intern(a, &p->syms, S("")) == SYM_EMPTY);
    p->func_base = files_base(a, facts, n, count_funcs);
    p->class_base = files_base(a, facts, n, count_classes);
    p->access_base = files_base(a, facts, n, count_accesses);
    p->call_base = files_base(a, facts, n, count_calls);
    p->section_base = files_base(a, facts, n, count_sections);
    s->nfuncs = p->func_base[n];
    s->nclasses = p->class_base[n];
    s->naccesses = p->access_base[n];
    s->classes = arena_new(a, ClassInfo, s->nclasses);
    gids_index(p);
    vendored_find(p);

    modules_index(p);
    locals_index(p);
    classes_index(p);
    classes_attrs(p);
    func_attrs_index(p);
    places_index(p);
    params_link(p);
    /* parameters have types now: what was asked before may have been answered too early */
    s->local_types = s->element_types = s->return_types = (Map){0};
    s->types.n = 0;
    if (s->place_state.n) memset(s->place_state.v, 0, s->place_state.n);
    owners_index(p);
    methods_index(p);
    halves_link(p);
    locks_link(p);
    guards_find(p);
    confined_find(p);
    filled_find(p);
    handovers_find(p);
    stopped_find(p);
    ended_find(p);
    return p;
}

const Access *program_access(const Program *p, u32 gaccess)
{
    GId g = access_gid(p, gaccess);
    return &p->facts[g.file]->accesses.v[g.id];
}

u32 access_file(const Program *p, u32 gaccess)
{
    return access_gid(p, gaccess).file;
}

u32 access_func(const Program *p, u32 gaccess)
{
    GId g = access_gid(p, gaccess);
    return gfunc_of(p, g.file, p->facts[g.file]->accesses.v[g.id].func);
}

const Func *program_func(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    return &p->facts[g.file]->funcs.v[g.id];
}

Str func_display(Arena *a, const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    Str out = S("");
    for (u32 i = g.id; i;) {
        const Func *fn = &f->funcs.v[i];
        out = out.n ? str_dot(a, sym_str(f, fn->name), out) : sym_str(f, fn->name);
        for (u32 c = fn->cls; c != NONE; c = f->classes.v[c].outer)
            out = str_dot(a, sym_str(f, f->classes.v[c].name), out);
        i = fn->parent;
    }
    Str m = f->source->module;
    return out.n ? str_dot(a, m, out) : m;
}

u32 class_made_at(const Program *p, u32 gclass)
{
    return gclass == NONE ? 0 : p->state->classes[gclass].made_at;
}

u32 class_kept_at(const Program *p, u32 gclass)
{
    return gclass == NONE ? 0 : p->state->classes[gclass].kept_globally;
}

u32 class_given_out(const Program *p, u32 gclass)
{
    return gclass == NONE ? 0 : p->state->classes[gclass].given_out;
}

bool func_returns(const Program *p, u32 file, u32 func, u32 path)
{
    const LinkState *s = p->state;
    for (u32 at = map_get(&s->local_defs, local_key(file, func, SYM_EMPTY)); at != NONE; at = s->defrefs.v[at].next) {
        const Def *d = &p->facts[file]->defs.v[s->defrefs.v[at].def];
        if (d->kind == VAL_PATH && d->value == path) return true;
    }
    return false;
}

bool class_of_call(const Program *p, u32 gclass)
{
    u32 file;
    return gclass != NONE && program_class(p, gclass, &file)->func != 0;
}

bool root_waited(const Program *p, const Root *r)
{
    if (r->call == NONE) return false;
    const Call *c = &p->facts[r->file]->calls.v[r->call];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, r->file, c->func)];
    return c->func && fi->last_join != NONE && fi->last_join > c->span.start;
}

bool class_only_parts(const Program *p, u32 gclass)
{
    const ClassInfo *c = &p->state->classes[gclass];
    return c->made_for_attr && c->made_for_attr == c->leaves + c->made_inside;
}

bool class_baseless(const Program *p, u32 gclass)
{
    const ClassInfo *k = &p->state->classes[gclass];
    for (u32 i = 0; i < k->ext_bases.n; i++)
        if (!str_is(p->syms.strs[k->ext_bases.v[i]], "object")) return false;
    return !k->bases.n;
}

static bool seen_whole(const Program *p, u32 gclass, u32 depth)
{
    static const char *const empty[] = {"object", "typing.Generic", "typing.Protocol", "abc.ABC"};
    const ClassInfo *k = &p->state->classes[gclass];
    for (u32 i = 0; i < k->ext_bases.n; i++)
        if (!str_among(p->syms.strs[k->ext_bases.v[i]], empty, COUNT_OF(empty))) return false;
    for (u32 i = 0; i < k->bases.n; i++)
        if (!depth || !seen_whole(p, k->bases.v[i], depth - 1)) return false;
    return true;
}

bool class_seen_whole(const Program *p, u32 gclass)
{
    enum { DEPTH = 8 };
    return seen_whole(p, gclass, DEPTH);
}

bool class_only_threads(const Program *p, u32 gclass)
{
    const ClassInfo *c = &p->state->classes[gclass];
    return c->makes_threads && !c->any_lock;
}

bool class_only_tasks(const Program *p, u32 gclass)
{
    const ClassInfo *c = &p->state->classes[gclass];
    return c->tasks && !c->has_lock;
}

bool access_in_loop(const Program *p, u32 gaccess)
{
    GId g = access_gid(p, gaccess);
    const Func *fn = &p->facts[g.file]->funcs.v[program_access(p, gaccess)->func];
    if (p->funcs[access_func(p, gaccess)].event_loop) return true;
    return fn->self_class != NONE && p->state->classes[gclass_of(p, g.file, fn->self_class)].loop;
}

/* Before the first start or after the last join of the threads that its function starts; if it waits for none and is
 * called again, those of the call before may still run. */
static bool outside_threads(const Program *p, u32 ga)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    if (fi->first_start == NONE || (fi->again && fi->last_join == NONE)) return false;
    if (fi->last_join != NONE && program_access(p, ga)->span.start >= fi->last_join) return true;
    return before_threads(p, ga);
}

/* The place's object belongs to one thread of this root: self of a Thread subclass, of a request handler, of a task
 * that starts itself again, or a part that such an object makes for itself. */
static bool own_object(const Program *p, const Root *r, u32 place)
{
    if ((!r->own && !r->chain) || place == NONE || r->func == NONE) return false;
    const Place *x = &p->places.v[place];
    if (x->kind != PLACE_INSTANCE) return false;
    GId g = func_gid(p, r->func);
    const Func *fn = &p->facts[g.file]->funcs.v[g.id];
    u32 cls = fn->cls == NONE && r->chain ? fn->self_class : fn->cls;
    if (cls == NONE) return false;
    u32 rc = gclass_of(p, g.file, cls);
    if (class_is_a(p, rc, x->owner) || class_is_a(p, x->owner, rc)) return true;
    return class_part_of(p, x->owner, r->self == NONE ? rc : r->self);
}

/* Does the function stand in the other one? */
static bool stands_in(const Program *p, u32 inner, u32 outer)
{
    GId g = func_gid(p, inner), o = func_gid(p, outer);
    if (g.file != o.file) return false;
    u32 fn = g.id;
    while (fn && fn != o.id) fn = p->facts[g.file]->funcs.v[fn].parent;
    return fn == o.id;
}

/* Is the thread started by a call in the function, which may give it the function's variables? */
static bool started_in(const Program *p, const Root *r, u32 gfunc)
{
    if (r->call == NONE) return false;
    return stands_in(p, gfunc_of(p, r->file, p->facts[r->file]->calls.v[r->call].func), gfunc);
}

/* Is the argument the captured variable itself, in its own function? */
static bool hands_variable(const Facts *f, const Arg *a, u32 func, u32 sym)
{
    const Path *q = a->kind == VAL_PATH ? &f->paths.v[a->value] : NULL;
    return q && q->root == ROOT_LOCAL && q->func == func && q->name == sym && !q->nattr;
}

/* for part in parts: counts = {}; Thread(target=work, args=(part, counts)): does the start give each thread another
 * object by the variable's name, and nobody else? */
static bool given_anew(const Program *p, const Root *r, const Place *x)
{
    GId g = func_gid(p, x->owner);
    const Facts *f = p->facts[g.file];
    u32 sym = intern_find(&f->syms, p->syms.strs[x->name]);
    if (r->call == NONE || r->file != g.file || sym == NONE || f->calls.v[r->call].func != g.id) return false;
    bool anew = false;
    for (u32 i = f->funcs.v[g.id].calls; i < f->funcs.v[g.id].calls + f->funcs.v[g.id].ncalls; i++) {
        const Call *c = &f->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            if (!hands_variable(f, &f->args.v[k], g.id, sym)) continue;
            if (i != r->call || !bound_in_round(p, g.file, &f->paths.v[f->args.v[k].value], c->block)) return false;
            anew = true;
        }
    }
    return anew;
}

/* Crawler(seen, results): does the variable's function make objects of the root's class of threads, and give them
 * what the variable holds? Not another one to each: a variable that is bound anew in the loop that makes them. */
static bool given_when_made(const Program *p, const Root *r, const Place *x)
{
    GId g = func_gid(p, x->owner), run = r->func == NONE ? (GId){NONE, NONE} : func_gid(p, r->func);
    u32 cls = run.file == NONE ? NONE : p->facts[run.file]->funcs.v[run.id].self_class;
    const Facts *f = p->facts[g.file];
    u32 sym = intern_find(&f->syms, p->syms.strs[x->name]);
    if (r->call != NONE || !r->own || cls == NONE || sym == NONE) return false;
    const Func *fn = &f->funcs.v[g.id];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            if (!hands_variable(f, &f->args.v[k], g.id, sym)) continue;
            Ent e = path_entity(p, g.file, c->callee);
            if (e.kind != ENT_CLASS || !class_is_a(p, e.id, gclass_of(p, run.file, cls))) continue;
            if (!bound_in_round(p, g.file, &f->paths.v[f->args.v[k].value], c->block)) return true;
        }
    }
    return false;
}

/* Do all threads that come here have made the captured variable themselves, by a call of its function? A thread that
 * runs an inner function, or does not come to the outer one, has that of somebody else; unless the variable was
 * handed on as an argument: then what it has is another object. `threads`: both sides of the race run in threads. */
static bool own_variable(const Program *p, const Place *x, u32 gfunc, bool threads)
{
    const FuncInfo *owner = &p->funcs[x->owner], *fi = &p->funcs[gfunc];
    bool handed = !stands_in(p, gfunc, x->owner);
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        bool comes = owner->nroots == FUNC_ROOTS;
        for (u32 k = 0; k < owner->nroots; k++) comes |= owner->roots[k] == fi->roots[i];
        if (handed && !comes && threads && given_anew(p, r, x)) continue;
        bool inner = r->func != NONE && stands_in(p, r->func, x->owner);
        if (handed && !comes && !inner && !started_in(p, r, x->owner) && !given_when_made(p, r, x)) continue;
        if (!comes || (r->func != NONE && r->func != x->owner && stands_in(p, r->func, x->owner))) return false;
    }
    return true;
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
                          EV_ALWAYS | EV_FILE | EV_PURPOSE | EV_TOUCHED | EV_PART | EV_FOUND);
}

bool access_of_self(const Facts *f, const Access *a)
{
    const Path *path = &f->paths.v[a->path];
    bool view = path->root == ROOT_CALL && !path->nattr; /* self.d.items() */
    return (view ? &f->paths.v[f->calls.v[path->func].callee] : path)->root == ROOT_SELF;
}

enum { SUBCLASSES = 6 }; /* steps down in search of a class that derives from two */

static bool common_subclass(const Program *p, u32 a, u32 b, u32 depth)
{
    const ClassInfo *ci = &p->state->classes[a];
    for (u32 i = 0; i < ci->subs.n && depth; i++)
        if (class_is_a(p, ci->subs.v[i], b) || common_subclass(p, ci->subs.v[i], b, depth - 1)) return true;
    return false;
}

/* Is no object of both classes: neither derives from the other, and no class from both? */
static bool unrelated(const Program *p, u32 a, u32 b)
{
    return !class_is_a(p, a, b) && !class_is_a(p, b, a) && !common_subclass(p, a, b, SUBCLASSES);
}

/* Is it self whose attribute this is, and not that of an object which self has, self.client.stats? */
static bool of_self(const Program *p, u32 cls, u32 owner)
{
    return owner == NONE || class_is_a(p, cls, owner) || class_is_a(p, owner, cls);
}

/* Is self in one method never the self of the other? So it is in two classes that share a base and no subclass, as a
 * client for threads and one for coroutines. */
static bool sibling_objects(const Program *p, u32 owner, GId a, const Access *xa, GId b, const Access *xb)
{
    const Facts *fa = p->facts[a.file], *fb = p->facts[b.file];
    u32 ca = fa->funcs.v[xa->func].self_class, cb = fb->funcs.v[xb->func].self_class;
    if (!access_of_self(fa, xa) || !access_of_self(fb, xb)) return false;
    if (ca == NONE || cb == NONE) return false;
    ca = gclass_of(p, a.file, ca);
    cb = gclass_of(p, b.file, cb);
    return of_self(p, ca, owner) && of_self(p, cb, owner) && unrelated(p, ca, cb);
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

/* Two starts of one function run in different threads, but with one object each when it is its own; so do the
 * run() methods of two subclasses, where both come by self: Reader.run and Writer.run use self.lines of their base
 * class, and no object is both. */
static bool two_own(const Program *p, const Root *r, const Root *other, u32 place)
{
    if (!r->own || !other->own || !own_object(p, other, place)) return false;
    GId ga = func_gid(p, r->func), gb = func_gid(p, other->func);
    u32 ca = gclass_of(p, ga.file, p->facts[ga.file]->funcs.v[ga.id].cls);
    u32 cb = gclass_of(p, gb.file, p->facts[gb.file]->funcs.v[gb.id].cls);
    return unrelated(p, ca, cb);
}

/* Thread(target=self.run): is it state of the object whose method the thread runs, and which each such thread has for
 * itself? */
static bool of_starter(const Program *p, const Root *r, const Place *x)
{
    if (!x || (x->kind != PLACE_INSTANCE && x->kind != PLACE_CLOSURE)) return false;
    if (x->kind == PLACE_CLOSURE) return true;
    GId g = func_gid(p, r->func);
    u32 cls = p->facts[g.file]->funcs.v[g.id].self_class;
    if (cls == NONE) return false;
    cls = gclass_of(p, g.file, cls);
    return class_is_a(p, cls, x->owner) || class_is_a(p, x->owner, cls);
}

/* self.stats = Stats(): does each object make what this attribute of it holds, wherever it is bound? */
static bool makes_part(const Program *p, u32 file, const Path *x)
{
    const LinkState *s = p->state;
    Ent e = x->nattr ? path_resolve(p, file, x, 1) : (Ent){.kind = ENT_NONE};
    u32 at = e.kind == ENT_PLACE ? map_get(&s->place_defs, e.id) : NONE;
    if (at == NONE) return false;
    for (; at != NONE; at = s->defrefs.v[at].next) {
        u32 in = s->defrefs.v[at].file;
        const Def *d = &p->facts[in]->defs.v[s->defrefs.v[at].def];
        if (d->kind == VAL_NONE) continue;
        if (d->kind != VAL_CALL || path_entity(p, in, p->facts[in]->calls.v[d->value].callee).kind != ENT_CLASS)
            return false;
    }
    return true;
}

/* Is it state of the function's own self, or of a part that self has made, and not of an object that self was given:
 * self.stats.n of Job(stats)? */
static bool of_self_alone(const Program *p, u32 file, const Access *a, u32 owner)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[a->path];
    u32 cls = f->funcs.v[a->func].self_class;
    if (!access_of_self(f, a)) return false;
    if (x->root == ROOT_CALL) x = &f->paths.v[f->calls.v[x->func].callee]; /* self.d.items() */
    return cls == NONE || of_self(p, gclass_of(p, file, cls), owner) || makes_part(p, file, x);
}

/* Is it what an object does in a thread of its own: self.n in run(), or in what Thread(target=self.poll) runs? */
static bool runs_object(const Program *p, u32 gaccess, const Place *x)
{
    const Access *a = program_access(p, gaccess);
    const FuncInfo *fi = &p->funcs[access_func(p, gaccess)];
    u32 coming = roots_coming(p, gaccess);
    if (!access_of_self(p->facts[access_file(p, gaccess)], a)) return false;
    for (u32 i = 0; i < fi->nroots; i++)
        if (coming & 1u << i && of_starter(p, &p->roots.v[fi->roots[i]], x)) return true;
    return false;
}

/* w = Worker(); w.start(); w.n += 1 is beside the worker's own thread, and nobody else. */
static bool of_other_object(const Program *p, u32 ga, u32 gb, const Place *x)
{
    if (!x || x->kind != PLACE_INSTANCE) return false;
    bool a = access_of_started(p, ga), b = access_of_started(p, gb);
    return (a && (b || !runs_object(p, gb, x))) || (b && !runs_object(p, ga, x));
}

u32 roots_coming(const Program *p, u32 gaccess)
{
    GId g = access_gid(p, gaccess);
    const Access *a = &p->facts[g.file]->accesses.v[g.id];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, g.file, a->func)];
    u32 place = p->access_place[gaccess], all = (1u << fi->nroots) - 1;
    if (!fi->alone || place == NONE || p->places.v[place].kind != PLACE_INSTANCE) return all;
    if (p->options->assume == ASSUME_ALWAYS) return all;
    return of_self_alone(p, g.file, a, p->places.v[place].owner) ? all & ~(u32)fi->alone : all;
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
        return starter != NONE && starter != x->owner && stands_in(p, starter, x->owner);
    }
    if (x->kind != PLACE_INSTANCE || of_starter(p, r, x) || x->evidence & SHARED) return true;
    GId g = func_gid(p, r->func);
    u32 cls = p->facts[g.file]->funcs.v[g.id].self_class, in = p->facts[file]->funcs.v[a->func].self_class;
    if (cls == NONE || in == NONE || !of_self_alone(p, file, a, x->owner)) return false;
    return !unrelated(p, gclass_of(p, g.file, cls), gclass_of(p, file, in));
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
    bool own = (x->a.roots || x->b.roots) && own_variable(x->p, x->x, x->a.func, both) &&
               own_variable(x->p, x->x, x->b.func, both);
    return own ? APART_OBJECT : APART_NOT;
}

/* May threads of two roots run the two at once? */
static bool two_roots_meet(Pair *x, const Root *r, const Root *other)
{
    const Program *p = x->p;
    bool by_self = access_of_self(p->facts[x->a.g.file], x->a.a) && access_of_self(p->facts[x->b.g.file], x->b.a);
    if (own_object(p, r, x->place) && (r->func == other->func || (by_self && two_own(p, r, other, x->place)))) {
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
    beside |= fa->others & 1u << i && !of_starter(p, r, x->x) && !part_of_starter(p, r, x->x);
    u8 calls = fa->calls | (x->unknown ? fa->maybe : 0);
    beside |= calls & 1u << i && calls_meet(p, r, x->place, x->a.g.file, x->a.a);
    x->same = true;
    if ((r->many || beside) && !own_object(p, r, x->place)) return true;
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

static Apart apart(const Program *p, u32 ga, u32 gb, Unknown unknown)
{
    if (!access_counts(p, ga)) return APART_FIRST;
    if (!access_counts(p, gb)) return APART_SECOND;
    Pair x = {.p = p, .unknown = unknown, .place = p->access_place[ga], .a = side_of(p, ga), .b = side_of(p, gb)};
    x.x = x.place == NONE ? NULL : &p->places.v[x.place];
    if (x.x && x.x->kind == PLACE_INSTANCE && sibling_objects(p, x.x->owner, x.a.g, x.a.a, x.b.g, x.b.a))
        return APART_OBJECT;
    if (of_other_object(p, ga, gb, x.x)) return APART_OBJECT;
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
    if ((a->api && b->api) || callers_meet(&x, a, b) || callers_meet(&x, b, a)) return APART_NOT;
    if (a->ended || b->ended || (a->api && b->roots) || (b->api && a->roots)) return APART_ORDER;
    if (x.object) return APART_OBJECT;
    bool main_a = b->roots && a->fi->main, main_b = a->roots && b->fi->main;
    if ((main_b && b->out) || (main_a && a->out)) return APART_ORDER;
    return x.same || main_a || main_b ? APART_ONE_THREAD : APART_NO_THREAD;
}

Apart may_run_apart(const Program *p, u32 ga, u32 gb)
{
    return apart(p, ga, gb, UNKNOWN_ALL);
}

bool may_run_together(const Program *p, u32 ga, u32 gb)
{
    return apart(p, ga, gb, UNKNOWN_ALL) == APART_NOT;
}

bool threads_run_together(const Program *p, u32 ga, u32 gb)
{
    return apart(p, ga, gb, UNKNOWN_NONE) == APART_NOT;
}

bool threads_started_again(const Program *p, u32 ga, u32 gb)
{
    return apart(p, ga, gb, UNKNOWN_STARTERS) == APART_NOT && apart(p, ga, gb, UNKNOWN_NONE) != APART_NOT;
}
