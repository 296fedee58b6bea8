/* UG101 about state that is used like a local variable: set for this call, then read again further down,
 *
 *   self.started = clock()
 *   result = f(*args)
 *   return result, clock() - self.started
 *
 * so that of two calls at once one reads what the other has set. Also a global that keeps the last value between
 * calls, and is read again after it was set. And state used like an argument: set here, read by the methods that are
 * called next and by nobody else.
 *
 * And an attribute of an object that serves all requests, a middleware say, that keeps what one request brought; or a
 * global in its place. Read again is that by a function in the entry, too, and by the method that it calls then.
 *
 * And an attribute of a class, or of an object that a module holds, used as a letter box: set from outside, a call of
 * who has the class or object, and read.
 *
 * Needs the accesses of one place, and for arguments the calls of the methods that read. The findings name no place
 * to the fixes: a lock would have to be held all the way, around whatever is called there, where a local variable
 * does. Only values that a call made are meant, and only what is read on the way from the store; returning it, or
 * calling its methods, is not: a newer one does as well, mostly, and an object is set up that way. A number that was
 * drawn from a counter must be the one that is returned. */
#include "races/races.h"

enum { READERS = 12, DEPTH = 5, ACCESSES = 100 }; /* state that is used more than that is no argument */

/* self.client = Client(self.token), Manager.get_instance(): nothing that the call brought goes into it, so what
 * another call sets is as good. Without arguments it may be a buffer for this call; a global is set anew for each
 * request. */
static bool as_good(const Facts *x, const Call *c)
{
    Str name = path_last(x, &x->paths.v[c->callee]);
    if (str_is(name, "getInstance") || str_is(name, "get_instance") || str_is(name, "instance")) return !c->nargs;
    if (!name.n || name.p[0] < 'A' || name.p[0] > 'Z') return false; /* no class */
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &x->args.v[i];
        const Path *q = a->kind == VAL_PATH ? &x->paths.v[a->value] : NULL;
        bool kept = q && (q->root == ROOT_GLOBAL || (q->root == ROOT_SELF && q->nattr));
        if (!kept && a->kind != VAL_STRING && a->kind != VAL_NUMBER) return false;
    }
    return c->nargs;
}

/* Is the stored value computed by a call, for this call? */
static bool computed(const Program *p, u32 store)
{
    const Def *d = stored_def(p, store);
    const Facts *x = p->facts[access_gid(p, store).file];
    bool kept = p->access_place[store] != NONE && p->places.v[p->access_place[store]].kind == PLACE_INSTANCE;
    return d && d->kind == VAL_CALL && !d->empty && !(kept && as_good(x, &x->calls.v[d->value]));
}

/* Does the call get the class or object that the path's attribute is set on, or is it a method of it? */
static bool call_comes_to(const Facts *x, const Call *c, u32 path)
{
    const Path *q = &x->paths.v[path];
    for (u32 n = c->args; n < c->args + c->nargs; n++) {
        const Path *given = x->args.v[n].kind == VAL_PATH ? &x->paths.v[x->args.v[n].value] : NULL;
        if (given && given->root == q->root && given->name == q->name && !given->nattr) return true;
    }
    return of_one_object(x, path, c->callee);
}

/* Box.item = item, from outside the class, or parser.out = [], from outside of the object that a module holds, and
 * somebody is called who has it before it is read again: the read; NONE. */
static u32 left_outside(const Finder *f, u32 i)
{
    GId g = access_gid(f->p, f->acc[i]);
    const Facts *x = f->p->facts[g.file];
    const Access *store = &x->accesses.v[g.id];
    const Path *q = &x->paths.v[store->path];
    const Func *fn = &x->funcs.v[store->func];
    const Def *d = stored_def(f->p, f->acc[i]);
    u8 kind = f->p->places.v[f->place].kind;
    bool value = d && (d->kind == VAL_CALL || (d->kind == VAL_PATH && x->paths.v[d->value].root == ROOT_LOCAL));
    if (kind == PLACE_INSTANCE)
        value |=
            d && (stores_empty(f->p, f->acc[i]) ||
                  (d->kind == VAL_PATH && x->paths.v[d->value].root == ROOT_PARAM && !x->paths.v[d->value].nattr));
    bool outside = (kind == PLACE_CLASS_ATTR || kind == PLACE_INSTANCE) && q->root == ROOT_GLOBAL && q->nattr == 1;
    if (!value || !outside || i + 1 == f->nacc) return NONE;
    u32 next = f->acc[i + 1];
    const Access *read = program_access(f->p, next);
    if (access_gid(f->p, next).file != g.file || read->func != store->func || f->effect[i + 1] & EFFECT_WRITE ||
        !block_within(x, read->block, store->block))
        return NONE;
    for (u32 k = fn->calls; k < fn->calls + fn->ncalls; k++) {
        const Call *c = &x->calls.v[k];
        if (c->span.start >= store->span.end && c->span.end <= read->span.start && call_comes_to(x, c, store->path))
            return next;
    }
    return NONE;
}

/* connect, _start_worker, __enter__: what is set there is meant to stay. */
static bool sets_up(Str name)
{
    static const char *const words[] = {"init",  "start",  "open",    "connect", "setup",  "set",   "load",
                                        "reset", "reload", "refresh", "update",  "create", "enter", "build"};
    return str_has_any(name, words, COUNT_OF(words));
}

/* self.last = next(self.numbers), of an itertools.count: a number that nobody else is to have. */
static bool draws_number(const Program *p, u32 store)
{
    GId g = access_gid(p, store);
    const Facts *x = p->facts[g.file];
    const Access *s = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[s->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 place = p->access_place[p->access_base[g.file] + i];
        if (x->accesses.v[i].stmt == s->stmt && place != NONE && p->places.v[place].type.kind == TYPE_COUNT_ITER)
            return true;
    }
    return false;
}

/* The read that follows the store on the same way, or NONE. */
static u32 read_after(const Finder *f, u32 i)
{
    u32 ga = f->acc[i];
    GId g = access_gid(f->p, ga);
    const Facts *x = f->p->facts[g.file];
    const Access *store = &x->accesses.v[g.id];
    for (u32 k = i + 1; k < f->nacc && access_gid(f->p, f->acc[k]).file == g.file; k++) {
        const Access *a = program_access(f->p, f->acc[k]);
        if (a->func != store->func || a->op == OP_STORE || a->op == OP_DEL) return NONE;
        if (a->stmt == store->stmt || !block_within(x, a->block, store->block)) continue;
        if (access_logged(f->p, f->acc[k])) continue;
        if (a->op == OP_LOAD || a->op == OP_ARG || a->op == OP_CREAD || a->op == OP_ITEM_LOAD) return f->acc[k];
        if (a->op == OP_RETURN && draws_number(f->p, ga)) return f->acc[k];
    }
    return NONE;
}

/* Where the place is set at the top of the function, as an offset of its text; NONE when it is not. */
static u32 set_in(const Finder *f, u32 gfunc)
{
    GId g = func_gid(f->p, gfunc);
    const Facts *x = f->p->facts[g.file];
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        if (access_func(f->p, f->acc[i]) == gfunc && a->op == OP_STORE && a->block == x->funcs.v[g.id].block)
            return a->span.start;
    }
    return NONE;
}

/* Do all calls of the function, but for those of tests, come from methods of the object that set the place before? */
static bool called_after_set(const Finder *f, u32 gfunc, u32 depth)
{
    const Program *p = f->p;
    u32 from = f->called_first[gfunc], to = f->called_first[gfunc + 1];
    if (!depth || p->funcs[gfunc].threads) return false;
    u32 called = 0;
    for (u32 i = from; i < to; i++) {
        const CallEdge *e = &p->edges.v[f->called[i]];
        if (p->tests[func_gid(p, e->caller).file]) continue;
        if (e->call == NONE || e->weak) return false;
        const Facts *x = p->facts[e->file];
        const Call *c = &x->calls.v[e->call];
        const Path *q = &x->paths.v[c->callee];
        if (q->root != ROOT_SELF && q->root != ROOT_SUPER && q->root != ROOT_GLOBAL) return false;
        if (e->caller == gfunc) continue;
        called++;
        u32 at = set_in(f, e->caller);
        if (at != NONE ? c->span.start < at : !called_after_set(f, e->caller, depth - 1)) return false;
    }
    return called > 0;
}

/* self.document = document, of an object that is shared: what one caller hands in. */
static bool handed_in(const Finder *f, u32 store)
{
    u32 strong = EV_SINGLETON | EV_MODULE | EV_DECORATOR | EV_GUARDED;
    const Def *d = stored_def(f->p, store);
    if (!d || d->kind != VAL_PATH || !(f->p->places.v[f->place].evidence & strong)) return false;
    const Path *q = &f->p->facts[access_gid(f->p, store).file]->paths.v[d->value];
    return q->root == ROOT_PARAM && !q->nattr && q->func == program_access(f->p, store)->func;
}

/* The read, in another function, by which the place serves as an argument; NONE when it is more than that. */
static u32 argument_read(const Finder *f, u32 store)
{
    u32 seen[READERS], n = 0, read = NONE;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i], gfunc = access_func(f->p, ga), k = 0;
        if (f->effect[i] & EFFECT_WRITE) {
            const Def *d = stored_def(f->p, ga);
            bool given = computed(f->p, ga) || handed_in(f, ga);
            bool plain = d && (d->kind == VAL_NONE || given) && program_access(f->p, ga)->op == OP_STORE;
            if (!plain) return NONE; /* it stays, and changes step by step */
            continue;
        }
        if (set_in(f, gfunc) != NONE) continue;
        while (k < n && seen[k] != gfunc) k++;
        if (k == READERS || (k == n && !called_after_set(f, gfunc, DEPTH))) return NONE;
        if (k == n) seen[n++] = gfunc;
        if (read == NONE && conflict_of(f, ga, store).witness != NONE) read = ga;
    }
    return read;
}

Race *race_of_call(Finder *f, u32 set, u32 act, Conflict c)
{
    Race *r = race_add(f, UG101, set, c);
    r->per_call = true;
    r->by_hand = "it belongs to one call, so a local variable that is passed on is right, not a lock";
    r->test = set;
    r->act = act;
    race_site(r, act);
    return r;
}

/* @name.setter: to set it is all that the call is for. */
static bool is_setter(const Facts *x, u32 func)
{
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++) {
        const Path *q = &x->paths.v[x->decorators.v[i]];
        if (q->nattr && str_is(path_last(x, q), "setter")) return true;
    }
    return false;
}

static void as_argument(Finder *f)
{
    for (u32 i = 0; i < f->nacc && f->nacc <= ACCESSES; i++) {
        u32 store = f->acc[i];
        const Access *a = program_access(f->p, store);
        const Facts *x = f->p->facts[access_gid(f->p, store).file];
        if (f->claimed[store] || a->op != OP_STORE || !access_counts(f->p, store)) continue;
        if (!computed(f->p, store) && !handed_in(f, store)) continue;
        if (sets_up(sym_str(x, x->funcs.v[a->func].name)) || a->block != x->funcs.v[a->func].block) continue;
        Conflict c = conflict_of(f, store, store);
        u32 read = c.witness == NONE ? NONE : argument_read(f, store);
        if (read == NONE) return;
        Race *r = race_of_call(f, store, read, c);
        race_message(f, r,
                     "%.*s is set here for what this call calls, and read on line %u of %.*s; of two calls at once, "
                     "one reads what the other has set",
                     STR_ARG(short_state(f->p, f->place)), program_access(f->p, read)->line,
                     STR_ARG(f->p->facts[access_gid(f->p, read).file]->source->path));
        return;
    }
}

/* ---- the object that serves all requests ---- */

/* Is the function the entry of an object that many threads share: a middleware's __call__, a responder, a servicer's
 * method? */
static bool serves_all(const Program *p, u32 gfunc)
{
    const FuncInfo *fi = &p->funcs[gfunc];
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        if (r->func == gfunc && r->many && !r->own && r->call == NONE && fi->roots[i] > ROOT_API) return true;
    }
    return false;
}

/* Is the stored value made of what the request brought: a parameter, or what a call gave for one? */
static bool of_request(const Program *p, u32 store)
{
    const Facts *x = p->facts[access_gid(p, store).file];
    const Access *a = program_access(p, store);
    const Def *d = stored_def(p, store);
    if (!d || (d->kind != VAL_PATH && d->kind != VAL_CALL)) return false;
    const Path *q = d->kind == VAL_PATH ? &x->paths.v[d->value] : &x->paths.v[x->calls.v[d->value].callee];
    if (q->root == ROOT_PARAM && q->func == a->func) return true;
    if (d->kind == VAL_PATH) return false;
    const Call *c = &x->calls.v[d->value];
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Path *given = x->args.v[i].kind == VAL_PATH ? &x->paths.v[x->args.v[i].value] : NULL;
        if (given && given->root == ROOT_PARAM && given->func == a->func) return true;
    }
    return false;
}

/* def start(status): … of the function itself, which is called later, or a method that it alone calls, after the
 * store, on its own object? */
static bool part_of_entry(const Finder *f, u32 other, u32 store)
{
    const Program *p = f->p;
    GId g = func_gid(p, other), h = access_gid(p, store);
    const Access *a = program_access(p, store);
    if (g.file == h.file && p->facts[g.file]->funcs.v[g.id].parent == a->func) return true;
    u32 from = f->called_first[other], to = f->called_first[other + 1];
    for (u32 i = from; i < to; i++) {
        const CallEdge *e = &p->edges.v[f->called[i]];
        const Call *c = edge_call(p, e);
        if (!c || e->caller != access_func(p, store) || c->span.start < a->span.end) return false;
        const Path *q = &p->facts[e->file]->paths.v[c->callee];
        if (q->root != ROOT_SELF || q->nattr != 1) return false;
    }
    return from < to;
}

/* The read of what the store has left, further down, in a part of the entry or in another entry; NONE. */
static u32 read_by_entry(const Finder *f, u32 i)
{
    const Program *p = f->p;
    u32 func = access_func(p, f->acc[i]), read = NONE;
    for (u32 k = 0; k < f->nacc; k++) {
        u32 ga = f->acc[k], other = access_func(p, ga);
        u8 op = program_access(p, ga)->op;
        if (op == OP_STORE || op == OP_DEL || f->claimed[ga] || (other == func && k < i)) continue;
        bool part = other != func && part_of_entry(f, other, f->acc[i]);
        if (other != func && !part && !serves_all(p, other)) continue;
        /* whoever is given the inner function calls it in the thread of the entry */
        if (!part && conflict_of(f, ga, f->acc[i]).witness == NONE) continue;
        if (other == func) return ga;
        if (read == NONE) read = ga;
    }
    return read;
}

/* global session; session = Session(), whatever was there: each request gets its own in the one name of the module.
 */
static bool anew_each_time(const Finder *f, u32 store)
{
    GId g = access_gid(f->p, store);
    const Facts *x = f->p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    return f->p->places.v[f->place].kind == PLACE_GLOBAL && computed(f->p, store) &&
           a->block == x->funcs.v[a->func].block;
}

/* process_request() keeps what the request brought, for process_response(): requests of other threads come between.
 */
static void kept_for_request(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 store = f->acc[i];
        const Access *a = program_access(f->p, store);
        if (f->claimed[store] || a->op != OP_STORE || !access_counts(f->p, store)) continue;
        if (!serves_all(f->p, access_func(f->p, store)) || !(of_request(f->p, store) || anew_each_time(f, store)))
            continue;
        Conflict c = conflict_of(f, store, store);
        u32 read = c.witness == NONE ? NONE : read_by_entry(f, i);
        if (read == NONE) continue;
        Race *r = race_of_call(f, store, read, c);
        r->by_shape = true;
        race_message(f, r,
                     "%.*s is set here for one request and used on line %u; %s, and of two at once one uses what the "
                     "other has set",
                     STR_ARG(short_state(f->p, f->place)), program_access(f->p, read)->line,
                     f->p->places.v[f->place].kind == PLACE_GLOBAL ? "all requests have it"
                                                                   : "the object serves all requests");
        return;
    }
}

void race_scratch(Finder *f)
{
    const Place *place = &f->p->places.v[f->place];
    u32 before = f->out->n;
    if (place->kind == PLACE_CLOSURE || place->kind == PLACE_DEFAULT || place->is_lock) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 store = f->acc[i];
        GId g = access_gid(f->p, store);
        const Facts *x = f->p->facts[g.file];
        const Access *a = program_access(f->p, store);
        u32 left = a->op == OP_STORE && !f->claimed[store] ? left_outside(f, i) : NONE;
        if (f->claimed[store] || a->op != OP_STORE || (left == NONE && !computed(f->p, store))) continue;
        if (sets_up(sym_str(x, x->funcs.v[a->func].name)) || is_setter(x, a->func)) continue;
        u32 read = left != NONE ? left : read_after(f, i);
        if (read == NONE || f->claimed[read] || one_section(f->p, store, read, NULL)) continue;
        Conflict c = conflict_of(f, store, store);
        if (c.witness == NONE || conflict_of(f, read, store).witness == NONE) continue;
        Race *r = race_of_call(f, store, read, c);
        if (left != NONE) r->per_call = false; /* what is given the class may set it: a local is no cure */
        race_message(f, r,
                     "%.*s is set here for this call and read again on line %u; of two calls at once, one reads what "
                     "the other has set",
                     STR_ARG(short_state(f->p, f->place)), program_access(f->p, read)->line);
    }
    if (f->out->n == before) as_argument(f);
    if (f->out->n == before && (place->kind == PLACE_INSTANCE || place->kind == PLACE_GLOBAL)) kept_for_request(f);
}
