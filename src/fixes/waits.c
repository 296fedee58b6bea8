/* What a region waits for: other threads, the network, other locks.
 *
 * A call that waits for a thread is refused while a lock is held, since that thread may need it. What is slow makes
 * the fix unsafe, unless the value that is made is what everybody else waits for; so does code of others (foreign.c).
 * Another lock that is taken further down is no objection when the order of all locks allows it (lockorder.c) and
 * nobody holds that lock for long. Calls are followed as far down as they are certain. */
#include "fixes/fixes.h"

/* ---- what a called function does further down ---- */

typedef struct Below {
    Plan *pl;
    const LockPlan *lock;
    u32 left;     /* functions still to be looked at for this region */
    u32 epoch;    /* of pl->seen */
    bool locks;   /* other locks count, too */
    bool foreign; /* code that was given from outside, too */
    bool patient; /* what is merely slow does not */
    Str what;     /* what was found, as the end of a sentence */
} Below;

enum { BELOW_LIMIT = 400 };

/* A lock other than ours that the function takes, by `with` or by an acquire that it leaves to others to release. */
static bool takes_lock(Below *b, u32 file, const Func *fn)
{
    const Program *p = b->pl->p;
    const Facts *f = p->facts[file];
    u32 ours = b->lock ? b->lock->lock : NONE;
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        u32 lock = p->section_lock[p->section_base[file] + i];
        if (lock == NONE || lock == ours || p->locks.v[lock].func != NONE) continue;
        if (b->pl->allowed && lock_quiet(b->pl, lock)) continue;
        b->what = str_fmt(b->pl->a, "takes %.*s", STR_ARG(p->locks.v[lock].display));
        return true;
    }
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        if (a->op != OP_METHOD || !str_is(sym_str(f, a->method), "acquire")) continue;
        Type t = path_type(p, file, a->path);
        if (!type_is_lock(t.kind)) continue;
        b->what = str_fmt(b->pl->a, "takes %.*s", STR_ARG(path_text(b->pl->a, f, a->path)));
        return true;
    }
    return false;
}

/* with ThreadPoolExecutor() as pool: the end of the block waits for all that was handed to the pool. with limit: of a
 * semaphore, whoever has it gives it back when its work is done. Within span; what it does, or nothing. */
static Str waits_in_with(const Plan *pl, u32 file, u32 func, Span span)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        if (s->kind != SECTION_WITH || !span_within(s->span, span)) continue;
        u8 kind = section_type(pl, file, s).kind;
        if (kind == TYPE_EXECUTOR) return S("ends a pool of threads");
        if (kind == TYPE_SEMAPHORE && pl->p->section_lock[pl->p->section_base[file] + i] == NONE)
            return S("waits for a semaphore");
    }
    return S("");
}

static bool bad_below(Below *b, u32 g);

/* A method of an object of unknown type: does each one of that name in the program wait, be slow, or take a lock? */
static bool bad_whichever(Below *b, u32 file, u32 call)
{
    const Facts *f = b->pl->p->facts[file];
    u32 targets[8], n = 0, bad = 0;
    if (!call_unknown(b->pl->p, file, call)) return false;
    u32 all = weak_targets(b->pl->p, file, &f->paths.v[f->calls.v[call].callee], targets, COUNT_OF(targets));
    for (u32 i = 0; i < all; i++) {
        if (program_func(b->pl->p, targets[i])->is_async) continue; /* it would only be made */
        n++;
        bad += bad_below(b, targets[i]);
    }
    return n && bad == n;
}

/* Does the function, or one that it calls for certain, wait, do something slow, or take another lock? */
static bool bad_below(Below *b, u32 g)
{
    Plan *pl = b->pl;
    if (pl->seen[g] == b->epoch || b->left == 0) return false;
    b->left--;
    pl->seen[g] = b->epoch;
    GId id = func_gid(pl->p, g);
    const Facts *f = pl->p->facts[id.file];
    const Func *fn = &f->funcs.v[id.id];
    if (b->locks && takes_lock(b, id.file, fn)) return true;
    b->what = waits_in_with(pl, id.file, id.id, fn->span);
    if (b->what.n) return true;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        bool late = call_slow(pl, id.file, i) && !(b->patient && !call_sleeps(f, &f->calls.v[i]));
        if (!late && !call_waits(pl, id.file, i)) continue;
        b->what = str_fmt(pl->a, "calls %.*s()", STR_ARG(call_last(f, &f->calls.v[i])));
        return true;
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls && b->foreign; i++) {
        if (runs_any_code(pl, id.file, &f->calls.v[i])) {
            b->what = str_fmt(pl->a, "calls %.*s, which may run code of other modules",
                              STR_ARG(callee_text(pl, id.file, i)));
            return true;
        }
        if (!foreign_call(pl, id.file, i, true)) continue;
        b->what = str_fmt(pl->a, "calls %.*s, which is not known", STR_ARG(callee_text(pl, id.file, i)));
        return true;
    }
    for (u32 i = pl->p->edge_first[g]; i < pl->p->edge_first[g + 1]; i++) {
        const CallEdge *e = &pl->p->edges.v[i];
        if ((!e->weak || e->further) && bad_below(b, e->callee)) return true;
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (bad_whichever(b, id.file, i)) return true;
    return false;
}

/* Is the region there to make a value that is not there yet, under a lock that is there for nothing else? Whoever
 * comes meanwhile needs it, and would have to wait for it or make it, too. */
static bool makes_value(Plan *pl, const Work *w, const Region *r, const LockPlan *lock)
{
    if (lock && (lock->existing || pl->ngroup > 1)) return false;
    for (u32 i = 0; i < w->races.n; i++)
        if (pl->races->v[w->races.v[i]].rule != UG103) return false;
    GId g = access_gid(pl->p, r->access);
    const Facts *f = pl->p->facts[g.file];
    const Access *act = &f->accesses.v[g.id];
    return r->test != NONE && makes_something(f, act);
}

static Verdict below_call(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, u32 call, Str *why)
{
    u32 targets[8], n = call_candidates(pl->p, r->file, call, targets, COUNT_OF(targets));
    const Facts *f = pl->p->facts[r->file];
    const Call *c = &f->calls.v[call];
    Below b = {.pl = pl, .lock = lock, .left = BELOW_LIMIT, .locks = true, .foreign = true, .what = S("")};
    b.patient = makes_value(pl, w, r, lock);
    b.epoch = ++pl->epoch;
    bool whichever = !n && bad_whichever(&b, r->file, call);
    for (u32 k = 0; k < n + whichever; k++) {
        if (!whichever && !bad_below(&b, targets[k])) continue;
        *why = str_fmt(pl->a,
                       "line %u calls %.*s() while the lock is held, and that %.*s; other threads wait that long, "
                       "or for each other",
                       c->line, STR_ARG(call_last(f, c)), STR_ARG(b.what));
        return VERDICT_UNSAFE;
    }
    return VERDICT_OK;
}

/* self.mode = x, self.mode, obj[key], where that runs a function of the program: a setter, a getter, a special
 * method. */
static Verdict below_syntax(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    const Program *p = pl->p;
    u32 g = gfunc_of(p, r->file, r->func);
    Below b = {.pl = pl, .lock = lock, .left = BELOW_LIMIT, .locks = true, .foreign = true, .what = S("")};
    b.patient = makes_value(pl, w, r, lock);
    b.epoch = ++pl->epoch;
    for (u32 i = p->edge_first[g]; i < p->edge_first[g + 1]; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->weak || e->call != NONE || !edge_within(p, e, r->span) || !bad_below(&b, e->callee)) continue;
        u32 line, column;
        source_position(site_source(pl, r->file), e->at, &line, &column);
        GId id = func_gid(p, e->callee);
        Str name = sym_str(p->facts[id.file], p->facts[id.file]->funcs.v[id.id].name);
        *why = str_fmt(pl->a,
                       "line %u runs %.*s(), a property or a special method, while the lock is held, and that %.*s; "
                       "other threads wait that long, or for each other",
                       line, STR_ARG(name), STR_ARG(b.what));
        return VERDICT_UNSAFE;
    }
    return VERDICT_OK;
}

/* Does the path name the place, or something in what it holds? place NONE: any place that holds data. */
static bool names_state(const Plan *pl, u32 file, const Path *p, u32 nattr, u32 place)
{
    for (u32 n = nattr;; n--) {
        Ent e = path_resolve(pl->p, file, p, n);
        if (e.kind == ENT_PLACE && (place == NONE || e.id == place)) return true;
        if (!n || p->attr[n - 1] != SYM_ITEM) return false;
    }
}

/* callback = self.jobs.get(key); for callback in self.jobs; callback, args = self.jobs.pop(): is what a local gets
 * here out of the place? */
static bool taken_from(const Plan *pl, u32 file, const Def *d, u32 place)
{
    const Facts *f = pl->p->facts[file];
    u32 from = d->item_of != NONE                              ? d->item_of
               : d->kind == VAL_CALL                           ? f->calls.v[d->value].callee
               : d->kind == VAL_PATH || d->kind == VAL_ITER_OF ? d->value
                                                               : NONE;
    if (from == NONE) return false;
    const Path *p = &f->paths.v[from];
    if (p->truncated) return false;
    if (p->root == ROOT_CALL && p->func < f->calls.n) /* for callback in list(self.jobs) */
        p = &f->paths.v[f->calls.v[p->func].callee];
    if (names_state(pl, file, p, p->nattr, place)) return true;
    return p->nattr && names_state(pl, file, p, p->nattr - 1u, place);
}

/* Is what is called a local that was taken out of the place? */
static bool calls_taken(const Plan *pl, u32 file, const Call *c, u32 place)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    if (p->root != ROOT_LOCAL || p->truncated) return false;
    for (u32 i = 0; i < p->nattr; i++)
        if (p->attr[i] != SYM_ITEM) return false;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *x = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (x && x->root == ROOT_LOCAL && !x->nattr && x->name == p->name && x->func == p->func &&
            taken_from(pl, file, d, place))
            return true;
    }
    return false;
}

/* Is what the state holds itself called, self.job() or self.jobs[key](), or job = self.jobs.pop(key) and then job()?
 * Then the lock would be held while anybody's code runs. */
static bool calls_state(const Plan *pl, const Work *w, u32 file, const Call *c)
{
    const Path *p = &pl->p->facts[file]->paths.v[c->callee];
    if (p->truncated) return false;
    return names_state(pl, file, p, p->nattr, w->place) || calls_taken(pl, file, c, w->place);
}

/* Is the call there to tell somebody of the change: a statement of its own after it, that calls what was passed in,
 * what a local has out of a container, or what an attribute holds whose name says so? Then the lock would be held
 * while anybody's code runs. */
static bool tells_somebody(Plan *pl, const Region *r, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    const Ast *t = site_ast(pl, file);
    u32 n = ast_at(t, c->span), up = n == 0 ? NONE : t->v[n].parent;
    if (!ast_is(t, n, NODE_call) || !ast_is(t, up, NODE_expression_statement)) return false;
    if (c->span.start < program_access(pl->p, r->access)->span.end) return false; /* what the change waits for */
    if (path_type(pl->p, file, c->callee).kind == TYPE_FUNC) return false;
    if (p->root == ROOT_PARAM && !p->nattr) return path_type(pl->p, file, c->callee).kind != TYPE_CLASS_OBJECT;
    if (calls_taken(pl, file, c, NONE)) return true;
    Str name = call_last(f, c);
    return p->nattr && named_for_code(name) && path_resolve(pl->p, file, p, p->nattr).kind == ENT_PLACE;
}

/* Is it a parameter, of this function or of one around it, and no class? Whatever one caller is seen to pass, others
 * may pass anything. */
static bool given_code(const Plan *pl, u32 file, u32 path)
{
    const Path *p = &pl->p->facts[file]->paths.v[path];
    return p->root == ROOT_PARAM && !p->nattr && path_type(pl->p, file, path).kind != TYPE_CLASS_OBJECT;
}

/* Does the region store in its state what was made there, and no mere flag? Whoever comes meanwhile needs it. */
static bool stores_value(const Plan *pl, const Work *w, const Region *r)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        if (pl->p->access_place[pl->p->access_base[r->file] + i] != w->place || a->span.start < r->span.start ||
            a->span.end > r->span.end)
            continue;
        if (a->op == OP_ITEM_STORE ? a->value == NONE || f->defs.v[a->value].kind != VAL_BOOL : makes_something(f, a))
            return true;
    }
    return false;
}

/* Does one of the functions that the call runs call a parameter of its own, while the call hands over one of ours? */
static bool hands_on(const Plan *pl, u32 file, u32 call)
{
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    bool given = false;
    for (u32 i = c->args; i < c->args + c->nargs && !given; i++)
        given = f->args.v[i].kind == VAL_PATH && given_code(pl, file, f->args.v[i].value);
    u32 targets[8], n = given ? call_targets(pl->p, file, call, targets, COUNT_OF(targets)) : 0;
    for (u32 k = 0; k < n; k++) {
        GId g = func_gid(pl->p, targets[k]);
        const Facts *to = pl->p->facts[g.file];
        const Func *fn = &to->funcs.v[g.id];
        for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
            if (given_code(pl, g.file, to->calls.v[i].callee)) return true;
    }
    return false;
}

/* Is code of whoever called the function run, for anything but the value that the region is there to make, or what is
 * to be done once? */
static bool runs_given(Plan *pl, const Work *w, const Region *r, u32 file, u32 call)
{
    const Call *c = &pl->p->facts[file]->calls.v[call];
    if (!given_code(pl, file, c->callee) && !hands_on(pl, file, call)) return false;
    const Ast *t = site_ast(pl, file);
    u32 n = ast_at(t, c->span), up = n == 0 ? NONE : t->v[n].parent;
    if (ast_is(t, up, NODE_expression_statement)) return c->span.start > program_access(pl->p, r->access)->span.end;
    return !stores_value(pl, w, r);
}

/* Is it next() of the iterator that the fix is about? One thread at a time is what that asks for. */
static bool is_next(const Plan *pl, const Work *w, const Facts *f, const Call *c)
{
    return w->races.n && pl->races->v[w->races.v[0]].rule == UG107 && str_is(call_last(f, c), "next");
}

/* super().__call__(…), type.__call__(cls, …), or a call of a local function that does it: an object of whatever class
 * has this one for its metaclass is made. */
static bool makes_any_object(Plan *pl, const Region *r, u32 call)
{
    const Facts *f = pl->p->facts[r->file];
    if (call_makes_object(f, &f->paths.v[f->calls.v[call].callee])) return true;
    u32 target;
    if (!call_targets(pl->p, r->file, call, &target, 1)) return false;
    GId id = func_gid(pl->p, target);
    if (id.file != r->file || f->funcs.v[id.id].parent != r->func) return false;
    const Func *fn = &f->funcs.v[id.id];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (call_makes_object(f, &f->paths.v[f->calls.v[i].callee])) return true;
    return false;
}

/* Is it the one object of its class that is made, which everybody waits for: instances[cls]? */
static bool one_of_class(const Plan *pl, const Region *r)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    u32 key = program_access(pl->p, r->access)->key;
    return key == SYM_EMPTY || (fn->nparams && f->params.v[fn->params].name == key);
}

/* Whatever else the region is for: a call that waits for a thread is refused, one that is slow or takes another lock
 * makes the fix unsafe. */
Verdict no_blocking(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    Verdict worst = VERDICT_OK;
    Str with = waits_in_with(pl, r->file, r->func, r->span);
    if (with.n) {
        *why = str_fmt(pl->a,
                       "a with statement %.*s while the lock would be held; whoever it waits for may need that lock",
                       STR_ARG(with));
        return VERDICT_DECLINE;
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start < r->span.start || c->span.end > r->span.end) continue;
        Str name = call_last(f, c);
        if (call_waits(pl, r->file, i)) {
            *why = str_fmt(pl->a,
                           "line %u calls %.*s() while the lock would be held; whoever "
                           "it waits for may need that lock",
                           c->line, STR_ARG(name));
            return VERDICT_DECLINE;
        }
        if (worst != VERDICT_OK) continue;
        if (calls_state(pl, w, r->file, c)) {
            *why = str_fmt(pl->a,
                           "line %u calls what the state holds while the lock is held, which may be code of anybody",
                           c->line);
            worst = VERDICT_UNSAFE;
        } else if (tells_somebody(pl, r, r->file, c) || runs_given(pl, w, r, r->file, i)) {
            *why =
                str_fmt(pl->a, "line %u calls %.*s() while the lock is held, which is code of whoever passed it in",
                        c->line, STR_ARG(name));
            worst = VERDICT_UNSAFE;
        } else if (foreign_call(pl, r->file, i, false) && !is_next(pl, w, f, c)) {
            *why = str_fmt(pl->a, "line %u calls %.*s, which is not known, while the lock is held", c->line,
                           STR_ARG(callee_text(pl, r->file, i)));
            worst = VERDICT_UNSAFE;
        } else if (!one_of_class(pl, r) && makes_any_object(pl, r, i)) {
            *why = str_fmt(pl->a,
                           "line %u makes objects of any class with this metaclass while the lock is held, and their "
                           "__init__ may wait",
                           c->line);
            worst = VERDICT_UNSAFE;
        } else if (call_slow(pl, r->file, i) && (call_sleeps(f, c) || !makes_value(pl, w, r, lock))) {
            *why = str_fmt(pl->a,
                           "line %u calls %.*s() while the lock is held, so other "
                           "threads wait that long",
                           c->line, STR_ARG(name));
            worst = VERDICT_UNSAFE;
        } else {
            worst = below_call(pl, w, r, lock, i, why);
        }
    }
    return worst == VERDICT_OK ? below_syntax(pl, w, r, lock, why) : worst;
}

bool lock_quiet(Plan *pl, u32 lock)
{
    if (!pl->quiet) pl->quiet = arena_new(pl->a, u8, pl->p->locks.n + 1);
    if (pl->quiet[lock]) return pl->quiet[lock] == 1;
    pl->quiet[lock] = 1; /* while it is being found out */
    Below b = {.pl = pl, .left = BELOW_LIMIT, .what = S("")};
    b.epoch = ++pl->epoch;
    for (u32 i = pl->taker_first[lock]; i < pl->taker_first[lock + 1]; i++) {
        GId id = func_gid(pl->p, pl->taker[i]);
        const Facts *f = pl->p->facts[id.file];
        const Func *fn = &f->funcs.v[id.id];
        for (u32 s = fn->sections; s < fn->sections + fn->nsections; s++) {
            Span span = f->sections.v[s].span;
            if (pl->p->section_lock[pl->p->section_base[id.file] + s] != lock) continue;
            for (u32 k = fn->calls; k < fn->calls + fn->ncalls; k++) {
                const Call *c = &f->calls.v[k];
                if (c->span.start < span.start || c->span.end > span.end) continue;
                bool bad = call_waits(pl, id.file, k) || call_slow(pl, id.file, k);
                u32 targets[8], n = call_candidates(pl->p, id.file, k, targets, COUNT_OF(targets));
                for (u32 t = 0; t < n && !bad; t++) bad = bad_below(&b, targets[t]);
                if (!bad) continue;
                pl->quiet[lock] = 2;
                return false;
            }
            u32 g = pl->taker[i];
            for (u32 k = pl->p->edge_first[g]; k < pl->p->edge_first[g + 1]; k++) {
                const CallEdge *e = &pl->p->edges.v[k];
                if (e->weak || e->call != NONE || !edge_within(pl->p, e, span) || !bad_below(&b, e->callee)) continue;
                pl->quiet[lock] = 2;
                return false;
            }
        }
    }
    return true;
}
