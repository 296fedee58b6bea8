/* Named judgements: each answers one question about a region that is to run under a lock, or about a
 * rewrite. A page lists those it needs; the first ones of the table are asked for every fix or every lock. */
#include "fixes/fixes.h"

static Str line_text_of(Plan *pl, u32 file, u32 offset)
{
    u32 line, column;
    source_position(site_source(pl, file), offset, &line, &column);
    return str_fmt(pl->a, "line %u", line);
}

/* The first node of one of the kinds in the run of statements, nested functions left out; NONE. */
static u32 find_kind(const Ast *t, u32 n, const u8 *kinds, u32 nkinds)
{
    u8 k = t->v[n].kind;
    if (k == NODE_function_definition || k == NODE_lambda || k == NODE_class_definition) return NONE;
    for (u32 i = 0; i < nkinds; i++)
        if (k == kinds[i]) return n;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next) {
        u32 f = find_kind(t, c, kinds, nkinds);
        if (f != NONE) return f;
    }
    return NONE;
}

static u32 find_in_region(Plan *pl, const Region *r, const u8 *kinds, u32 nkinds)
{
    const Ast *t = site_ast(pl, r->file);
    for (u32 n = r->first; n != NONE; n = ast_after(t, n)) {
        u32 f = find_kind(t, n, kinds, nkinds);
        if (f != NONE) return f;
        if (n == r->last) break;
    }
    return NONE;
}

static bool has_async(const Ast *t, u32 n)
{
    u8 k = t->v[n].kind;
    if (k == NODE_function_definition || k == NODE_lambda) return false;
    if ((k == NODE_for_statement || k == NODE_with_statement || k == NODE_for_in_clause) && ast_token(t, n, "async"))
        return true;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (has_async(t, c)) return true;
    return false;
}

static Verdict no_suspend(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    static const u8 kinds[] = {NODE_await, NODE_yield};
    const Ast *t = site_ast(pl, r->file);
    u32 n = find_in_region(pl, r, kinds, COUNT_OF(kinds));
    bool async = false;
    for (u32 c = r->first; c != NONE && !async; c = c == r->last ? NONE : ast_after(t, c)) async = has_async(t, c);
    if (n == NONE && !async) return VERDICT_OK;
    *why = str_fmt(pl->a,
                   "%.*s suspends the function between the steps, and a thread lock "
                   "must not be held there",
                   STR_ARG(line_text_of(pl, r->file, t->v[n == NONE ? r->first : n].start)));
    return VERDICT_DECLINE;
}

static Verdict no_error(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    bool bad = fn->has_error;
    for (u32 i = 0; i < f->errors.n; i++) {
        Span e = f->errors.v[i], s = r->func ? fn->span : r->span;
        bad |= e.start <= s.end && s.start <= e.end;
    }
    if (!bad) return VERDICT_OK;
    *why = str_fmt(pl->a, "the code around %.*s was not understood, so nothing there is edited",
                   STR_ARG(line_text_of(pl, r->file, r->span.start)));
    return VERDICT_DECLINE;
}

static Verdict no_spinning(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    const Ast *t = site_ast(pl, r->file);
    if (!ast_is(t, r->first, NODE_while_statement) || r->test == NONE) return VERDICT_OK;
    const Access *test = program_access(pl->p, r->test);
    u32 cond = ast_field(t, r->first, FIELD_condition);
    if (cond == NONE || test->span.start < t->v[cond].start || test->span.end > t->v[cond].end) return VERDICT_OK;
    *why = str_fmt(pl->a, "the loop in %.*s would hold the lock in every turn until its condition changes",
                   STR_ARG(line_text_of(pl, r->file, r->span.start)));
    return VERDICT_UNSAFE;
}

bool final_own(const Plan *pl, const Work *w, const Region *r)
{
    u32 g = gfunc_of(pl->p, r->file, r->func);
    if (!pl->finalizer[g] || pl->foreign[g] || w->place == NONE) return false;
    const Access *a = program_access(pl->p, r->access);
    const Path *p = &pl->p->facts[r->file]->paths.v[a->path];
    return pl->p->places.v[w->place].kind == PLACE_INSTANCE && p->root == ROOT_SELF && p->nattr == 1;
}

/* Whoever waits for a lock with such sections, in whatever thread, gets it, since its holder waits for nobody: a
 * finalizer, or a fork. */
bool works_end_soon(Plan *pl, Work **works, u32 n)
{
    u32 mark = mark_lockers(pl);
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < works[i]->regions.n; k++) {
            const Region *r = &works[i]->regions.v[k];
            Str why;
            if (r->problem.n || r->skip) continue;
            const Func *fn = &pl->p->facts[r->file]->funcs.v[r->func];
            for (u32 s = fn->sections; s < fn->sections + fn->nsections; s++) {
                Span span = pl->p->facts[r->file]->sections.v[s].span;
                if (span.start < r->span.end && r->span.start < span.end) return false;
            }
            if (reach_from(pl, r->file, r->func, r->span, mark) != REACH_NO) return false;
            if (reach_open(pl, r->file, r->func, r->span)) return false;
            if (no_blocking(pl, works[i], r, NULL, &why) != VERDICT_OK) return false;
        }
    return n > 0;
}

static Verdict not_finalizer(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    u8 final = pl->finalizer[gfunc_of(pl->p, r->file, r->func)];
    bool twice = !lock || lock->reentrant; /* then the same thread may come in again, as it could before */
    if (final == FINAL_NO || (final == FINAL_REACHED && twice)) return VERDICT_OK;
    if (lock && !lock->existing && lock->kind == PLACE_INSTANCE && final_own(pl, w, r)) return VERDICT_OK;
    *why =
        str_fmt(pl->a,
                "the code in %.*s may run in __del__, a weakref callback or a signal handler, which "
                "can interrupt the holder of the lock%s",
                STR_ARG(line_text_of(pl, r->file, r->span.start)),
                final == FINAL_DIRECT ? "; let it put what it has to say into a queue.SimpleQueue, which is made for "
                                        "that, and change the state elsewhere"
                                      : "");
    return final == FINAL_DIRECT ? VERDICT_DECLINE : VERDICT_UNSAFE;
}

/* May code that is run while the lock is held lead to the region: a method that is known by its name only, or code of
 * others, which calls what it can? A function that takes the lock already may not be called so anyway. */
static bool held_around(Plan *pl, const Region *r, const LockPlan *lock, Str *why)
{
    u32 g = gfunc_of(pl->p, r->file, r->func);
    if (takes_directly(pl, r->file, r->func, program_func(pl->p, g)->span, lock->lock)) return false;
    Str where = line_text_of(pl, r->file, r->span.start), open;
    if (reach_holding(pl, g, lock->lock, true)) {
        *why = str_fmt(pl->a, "a caller of the code in %.*s may hold %.*s already, which cannot be taken twice",
                       STR_ARG(where), STR_ARG(lock->display));
        return true;
    }
    open = lock_open(pl, lock->lock, g);
    if (!open.n) return false;
    *why =
        str_fmt(pl->a,
                "%.*s is held in %.*s while code of others is called; were that to come to %.*s, it would wait for "
                "ever",
                STR_ARG(lock->display), STR_ARG(open), STR_ARG(where));
    return true;
}

bool runs_unknown(Plan *pl, const Region *r)
{
    if (reach_open(pl, r->file, r->func, r->span)) return true;
    return reach_from(pl, r->file, r->func, r->span, ++pl->marks) == REACH_UNKNOWN;
}

/* with self._lock: other.steps += 1: is the lock of one object held where that of another one would be taken? */
static bool other_objects_lock(const Plan *pl, const Region *r, u32 lock)
{
    if (r->access == NONE || lock_of_each(pl->p, r->access) != lock) return false;
    u32 place = pl->p->access_place[r->access];
    return place != NONE && pl->p->places.v[place].kind == PLACE_INSTANCE;
}

/* if not lock.acquire(blocking=False): skipped += 1: does the region run because the lock could not be had? */
static bool has_given_up(const Plan *pl, const Region *r, u32 lock)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
        if (pl->p->section_lock[pl->p->section_base[r->file] + i] == lock &&
            span_within(r->span, f->sections.v[i].hole))
            return true;
    return false;
}

/* A lock that cannot be taken twice must not be held by a caller, nor taken by what the region calls. */
static Verdict lock_not_held(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    if (!lock || !lock->existing) return VERDICT_OK;
    u32 g = gfunc_of(pl->p, r->file, r->func);
    Str where = line_text_of(pl, r->file, r->span.start);
    if (func_makes_lock(pl->p, r->file, r->func, lock->lock, false)) {
        *why = str_fmt(pl->a, "the function around %.*s makes %.*s itself", STR_ARG(where), STR_ARG(lock->display));
        return VERDICT_DECLINE;
    }
    if (has_given_up(pl, r, lock->lock)) {
        *why = str_fmt(pl->a,
                       "the code in %.*s runs because %.*s could not be had at once; to wait for it there may be to "
                       "wait for oneself",
                       STR_ARG(where), STR_ARG(lock->display));
        return VERDICT_DECLINE;
    }
    if (other_objects_lock(pl, r, lock->lock)) {
        *why = str_fmt(pl->a,
                       "%.*s of self is held in %.*s, and that of the other object would be taken under it; two "
                       "threads that go from one object to the other and back would wait for ever: take both in one "
                       "order, of their id() say, or one after the other",
                       STR_ARG(lock->display), STR_ARG(where));
        return VERDICT_DECLINE;
    }
    if (lock->reentrant) return VERDICT_OK;
    if (pl->p->locks.v[lock->lock].passed) {
        *why = str_fmt(pl->a,
                       "%.*s is taken in one function and given back in another, and whoever calls the code in %.*s "
                       "in between holds it already",
                       STR_ARG(lock->display), STR_ARG(where));
        return VERDICT_DECLINE;
    }
    if (reach_holding(pl, g, lock->lock, false)) {
        *why = str_fmt(pl->a, "a caller of the code in %.*s already holds %.*s, which cannot be taken twice",
                       STR_ARG(where), STR_ARG(lock->display));
        return VERDICT_DECLINE;
    }
    if (takes_directly(pl, r->file, r->func, r->span, lock->lock)) {
        *why = str_fmt(pl->a,
                       "%.*s is taken between the steps already; the two critical "
                       "sections must become one",
                       STR_ARG(lock->display));
        return VERDICT_DECLINE;
    }
    Reach reach = reach_from(pl, r->file, r->func, r->span, mark_takers(pl, lock->lock));
    if (reach == REACH_NO && held_around(pl, r, lock, why)) return VERDICT_UNSAFE;
    if (reach == REACH_NO && reach_open(pl, r->file, r->func, r->span)) reach = REACH_UNKNOWN;
    if (reach == REACH_NO) return VERDICT_OK;
    if (reach == REACH_UNKNOWN) {
        *why =
            str_fmt(pl->a,
                    "what %.*s calls is not known; were it to take %.*s, which cannot be taken twice, it would wait "
                    "for ever",
                    STR_ARG(where), STR_ARG(lock->display));
        return VERDICT_UNSAFE;
    }
    *why = str_fmt(pl->a, "what %.*s calls takes %.*s itself, which cannot be taken twice", STR_ARG(where),
                   STR_ARG(lock->display));
    return VERDICT_DECLINE;
}

/* The other half of the race stays open when one write cannot be guarded. */
static Verdict every_write(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    for (u32 i = 0; i < w->regions.n; i++) {
        const Region *o = &w->regions.v[i];
        if (!o->problem.n) continue;
        *why = str_fmt(pl->a, "%.*s in %.*s changes it too and cannot be guarded: %.*s",
                       STR_ARG(line_text_of(pl, o->file, o->span.start)), STR_ARG(site_source(pl, o->file)->path),
                       STR_ARG(o->problem));
        return VERDICT_UNSAFE;
    }
    return VERDICT_OK;
}

/* So many lines of code may stand under a lock, and so many where all that is called there is known. */
enum { SHORT_REGION = 30, KNOWN_REGION = 80 };

/* Lines that hold more than a comment. */
static u32 code_lines(const Source *s, u32 first, u32 last)
{
    u32 n = 0;
    for (u32 i = first; i <= last; i++) {
        Str line = str_trim(source_line(s, i));
        n += line.n && line.p[0] != '#';
    }
    return n;
}

static bool calls_known(Plan *pl, const Region *r)
{
    return reach_from(pl, r->file, r->func, r->span, ++pl->marks) == REACH_NO;
}

static Verdict short_region(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    u32 first, last, column;
    source_position(site_source(pl, r->file), r->span.start, &first, &column);
    source_position(site_source(pl, r->file), r->span.end, &last, &column);
    u32 lines = code_lines(site_source(pl, r->file), first, last);
    if (lines <= SHORT_REGION || (lines <= KNOWN_REGION && calls_known(pl, r))) return VERDICT_OK;
    *why = str_fmt(pl->a, "the lock would be held over %u lines, from line %u to %u", last - first + 1, first, last);
    return VERDICT_UNSAFE;
}

bool items_of_object(const Plan *pl, const Work *w)
{
    if (w->place == NONE) return false;
    const Place *x = &pl->p->places.v[w->place];
    return x->kind == PLACE_INSTANCE && str_is(pl->p->syms.strs[x->name], "<items>");
}

static Verdict exact_type(Plan *pl, const Work *w, bool fits, const char *kind, Str *why)
{
    if (fits && items_of_object(pl, w)) {
        *why =
            str_fmt(pl->a,
                    "%.*s are those of an object whose class derives from %s: its own methods, or those of a class "
                    "derived from it, are called for some uses and not for others",
                    STR_ARG(pl->p->places.v[w->place].display), kind);
        return VERDICT_DECLINE;
    }
    if (fits) return VERDICT_OK;
    *why = w->place == NONE ? S("its type is not known")
                            : str_fmt(pl->a, "%.*s is not known to be a plain %s",
                                      STR_ARG(pl->p->places.v[w->place].display), kind);
    return VERDICT_DECLINE;
}

/* setdefault and pop of a subclass, or of a weak dictionary, may be Python code in several steps. */
static Verdict exact_dict(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    u8 k = w->place == NONE ? TYPE_UNKNOWN : pl->p->places.v[w->place].type.kind;
    return exact_type(pl, w, k == TYPE_DICT || k == TYPE_DEFAULT_DICT, "dict", why);
}

static Verdict exact_set(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    u8 k = w->place == NONE ? TYPE_UNKNOWN : pl->p->places.v[w->place].type.kind;
    return exact_type(pl, w, k == TYPE_SET, "set", why);
}

static Verdict whole_lines(Plan *pl, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    return VERDICT_OK; /* region_make gives no other regions */
}

const Judgement judgement_table[] = {
    {"no-error-nearby", "the function around has no syntax error", no_error},
    {"no-suspend-inside", "no await and no yield between the steps", no_suspend},
    {"lock-not-held",
     "the function does not make the lock itself; no caller holds it, nothing inside takes it, and no code of others "
     "that runs while it is held may come there, unless it is reentrant",
     lock_not_held},
    {"not-in-finalizer",
     "the code does not run in __del__, a weakref callback or a signal handler, unless it is about the dying object "
     "alone",
     not_finalizer},
    {"not-around-fork",
     "the code does not run around a fork, by os.register_at_fork or multiprocessing.util.register_after_fork",
     not_around_fork},
    {"holder-not-waiting",
     "nobody who holds the lock waits, as far down as calls are certain, for a thread that comes there: for its end, "
     "the result of its work, or what it signals",
     holder_waits},
    {"every-write-known", "every other write of the state can be guarded too", every_write},
    {"no-blocking-inside",
     "nothing inside waits for another thread, or is known to be slow (unless it makes the value that the others "
     "need, under a lock of its own), or takes another lock in an order of its own or one that is held for long, or "
     "runs code that was given from outside or modules of a computed name, as far down as calls are certain",
     no_blocking},
    {"no-import-inside", "nothing is imported inside, or by what is called there, that may lead to the lock",
     no_import},
    {"no-spinning-inside", "no loop inside waits for the state to change", no_spinning},
    {"short-region",
     "the lock is held for no more than 30 lines of code, or 80 where all that is called there is known",
     short_region},
    {"exact-dict", "the state is a plain dict", exact_dict},
    {"exact-set", "the state is a plain set", exact_set},
    {"whole-lines", "the statements stand on lines of their own", whole_lines},
};
const u32 judgement_count = COUNT_OF(judgement_table);
enum { ALWAYS = 1, FOR_LOCKS = 6 }; /* the first one is asked for every fix, the first six for every lock */

const Judgement *judgement_find(Str name)
{
    for (u32 i = 0; i < judgement_count; i++)
        if (str_is(name, judgement_table[i].name)) return &judgement_table[i];
    return NULL;
}

static void judge_one(Plan *pl, const Judgement *j, const Work *w, const Region *r, const LockPlan *lock,
                      Verdict *worst, Str *why)
{
    Str reason = S("");
    Verdict v = j->judge(pl, w, r, lock, &reason);
    if (v <= *worst) return;
    *worst = v;
    *why = reason;
}

Verdict judge_region(Plan *pl, const Page *page, const Work *w, const Region *r, const LockPlan *lock, Str *why)
{
    Verdict worst = VERDICT_OK;
    for (u32 i = 0; i < (page_locks(page) ? FOR_LOCKS : ALWAYS); i++)
        judge_one(pl, &judgement_table[i], w, r, lock, &worst, why);
    for (u32 i = 0; i < page->judgements.n && worst != VERDICT_DECLINE; i++)
        judge_one(pl, page->judgements.v[i], w, r, lock, &worst, why);
    return worst;
}
