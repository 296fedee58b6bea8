/* From regions to intents: what is wrapped, joined, copied or left out once the lock of a place is chosen.
 *
 * Each region is judged. A race that cannot be guarded declines the whole work, for a lock on some of its accesses
 * excludes nobody; another write that cannot be guarded makes the fix unsafe. */
#include "fixes/fixes.h"

static bool guarded_already(const Plan *pl, const Region *r, const LockPlan *l)
{
    return l->existing && lockset_has(pl->p, pl->p->access_locks[r->access], l->lock) &&
           (r->test == NONE || lockset_has(pl->p, pl->p->access_locks[r->test], l->lock));
}

/* Test and act each hold a lock, but not in one piece: something may still come between. */
static bool has_gap(const Plan *pl, const Region *r)
{
    return r->race && r->test != NONE && !one_section(pl->p, r->test, r->access, NULL);
}

bool region_guarded(const Plan *pl, const Region *r, const LockPlan *l)
{
    return !has_gap(pl, r) && guarded_already(pl, r, l);
}

static Str where(Plan *pl, const Region *r)
{
    const Access *a = program_access(pl->p, r->access);
    return str_fmt(pl->a, "%.*s:%u", STR_ARG(site_source(pl, r->file)->path), a->line);
}

/* A lock that is made in each call and held around the region: it should move, not get a second one
 * inside. */
static u32 lock_per_call(const Plan *pl, const Region *r)
{
    const LockSet *held = &pl->p->locksets.v[pl->p->access_locks[r->access]];
    u32 here = gfunc_of(pl->p, r->file, r->func);
    for (u32 i = 0; i < held->n; i++)
        if (pl->p->locks.v[held->ids[i]].func == here) return held->ids[i];
    return NONE;
}

/* What speaks against the region whatever the page: reasons to decline, or to be careful. */
static Verdict held_locks(Plan *pl, const Region *r, const LockPlan *l, Str *why)
{
    const LockSet *held = &pl->p->locksets.v[pl->p->access_locks[r->access]];
    if (!l->existing || held->n == 0 || lockset_has(pl->p, pl->p->access_locks[r->access], l->lock))
        return VERDICT_OK;
    bool itself = true; /* every caller in sight holds it: taken again, or not needed */
    for (u32 i = 0; i < held->n; i++)
        itself &= pl->p->locks.v[held->ids[i]].hoped && pl->p->locks.v[held->ids[i]].real == l->lock;
    if (itself || (pl->allowed && lock_quiet(pl, l->lock))) return VERDICT_OK;
    *why = str_fmt(pl->a, "it is under %.*s already, and %.*s would be taken inside it",
                   STR_ARG(pl->p->locks.v[held->ids[0]].display), STR_ARG(l->display));
    return VERDICT_UNSAFE;
}

/* Does the region run where a new lock is made, before it is there? */
static bool before_lock(const Plan *pl, const Region *r, const LockPlan *l)
{
    if (l->existing || l->file != r->file) return false;
    const Facts *f = pl->p->facts[r->file];
    const Place *p = &pl->p->places.v[l->place];
    const Func *fn = &f->funcs.v[r->func];
    bool init = l->kind == PLACE_INSTANCE && fn->cls != NONE && pl->p->class_base[r->file] + fn->cls == l->owner &&
                str_is(sym_str(f, fn->name), "__init__");
    bool owner = l->kind == PLACE_CLOSURE && gfunc_of(pl->p, r->file, r->func) == l->owner;
    if (!init && !owner && r->func != 0) return false;
    return p->def == NONE || p->def_file != r->file || r->span.start <= f->defs.v[p->def].span.end;
}

/* Is a walk inside statements that are guarded as a whole, by any work of the group? */
static bool walk_inside(const Plan *pl, const Region *r)
{
    for (u32 w = 0; r->copy.n && w < pl->ngroup; w++)
        for (u32 i = 0; i < pl->group[w]->regions.n; i++) {
            const Region *o = &pl->group[w]->regions.v[i];
            if (!o->copy.n && !o->problem.n && o->file == r->file && o->span.start <= r->span.start &&
                r->span.end <= o->span.end)
                return true;
        }
    return false;
}

/* The intents that put the region under the lock, once all is judged. */
static bool region_write(Plan *pl, const Work *w, const Region *r, u32 lock, bool joins, Fix *f, Str *why)
{
    const LockPlan *l = &pl->out->locks.v[lock];
    u32 local = lock_per_call(pl, r);
    if (local != NONE) return section_relock(pl, r, local, f, why);
    if (joins && sections_join(pl, w, r, l, f, why)) return true;
    if (joins && (!l->reentrant || section_directly(pl, r))) return false;
    if (joins && !r->copy.n && takes_directly(pl, r->file, r->func, r->span, l->lock) &&
        !sections_absorb(pl, r, l->lock, f, why))
        return false;
    if (r->copy.n)
        snapshot_write(pl, f, r, lock);
    else if (r->chain)
        chain_write(pl, f, r, lock);
    else if (r->claim)
        claim_write(pl, f, r, lock);
    else if (r->sum)
        sum_write(pl, f, r, lock);
    else if (r->ahead)
        ahead_write(pl, f, r, lock);
    else if (r->again.n)
        outside_write(pl, f, r, lock);
    else if (r->back || !readback_write(pl, f, r, lock)) {
        if (r->back) later_write(pl, f, r);
        Span span = l->existing ? sections_beside(pl, r, f) : r->span;
        intent_add(pl, f, INTENT_WRAP, r->file, span, r->lock, lock);
    }
    return true;
}

/* The object has a lock, and it was not taken since the region runs code of others: nor is a new one good for sure.
 */
static Verdict others_judge(Plan *pl, const Work *w, const Region *r, const LockPlan *l, Str *why)
{
    if (!w->runs_others || l->existing || !reach_open(pl, r->file, r->func, r->span)) return VERDICT_OK;
    u32 line, column;
    source_position(site_source(pl, r->file), r->span.start, &line, &column);
    *why = str_fmt(pl->a,
                   "what runs from line %u on is code of others in part, and other threads wait for the lock "
                   "meanwhile",
                   line);
    return VERDICT_UNSAFE;
}

/* Does the region call a method that is named like those that wait for a thread, a process or a peer? */
static bool waits_by_name(const Plan *pl, const Region *r)
{
    static const char *const names[] = {"terminate", "shutdown", "wait",    "result",  "stop",
                                        "sendall",   "recv",     "connect", "request", "communicate"};
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *p = &f->paths.v[f->calls.v[i].callee];
        if (p->nattr && span_within(f->calls.v[i].span, r->span) &&
            str_among(path_last(f, p), names, COUNT_OF(names)))
            return true;
    }
    return false;
}

/* Is it the lock of the work's own state: what a finding, a comment or most accesses name? */
static bool own_guard(const Plan *pl, const Work *w, u32 lock)
{
    const Place *p = &pl->p->places.v[w->place];
    return race_lock(pl, w) == lock || p->declared_guard == lock || p->guard == lock;
}

/* A lock that is one for all objects, of state that each has its own of: what runs under it for one object runs
 * beside none of the others, so that code which waits, or comes to another of them, may wait for ever. One that the
 * class has for other fields is no better than a new one; it may be one that another fix of the same run has made. */
static Verdict one_for_all(Plan *pl, const Work *w, const Region *r, const LockPlan *l, Str *why)
{
    bool each = pl->p->places.v[w->place].kind == PLACE_INSTANCE;
    bool theirs = l->existing && (l->kind != PLACE_CLASS_ATTR || own_guard(pl, w, l->lock));
    if (theirs || l->kind == PLACE_INSTANCE || !each) return VERDICT_OK;
    if (r->copy.n || (!waits_by_name(pl, r) && reach_all_known(pl, r->file, r->func, r->span))) return VERDICT_OK;
    *why = str_fmt(pl->a,
                   "%.*s %s one lock for all objects, and held while %.*s runs what may wait, or is not known: "
                   "the others wait, too, and it may come to another of them",
                   STR_ARG(l->name), l->existing ? "is" : "would be", STR_ARG(where(pl, r)));
    return VERDICT_UNSAFE;
}

/* What speaks against the region under the lock. */
static Verdict region_judge(Plan *pl, const Work *w, const Region *r, const LockPlan *l, bool joins, Str *why)
{
    LockPlan asked = *l;
    asked.reentrant |= joins; /* its sections become one, so that it is taken once */
    Str held = S(""), other = S(""), all = S("");
    Verdict under = held_locks(pl, r, l, &held), v = judge_region(pl, w->page, w, r, &asked, &other);
    if (under == VERDICT_OK) under = others_judge(pl, w, r, l, &held);
    if (v == VERDICT_OK) v = one_for_all(pl, w, r, l, &all);
    *why = v == VERDICT_DECLINE || !held.n ? (all.n ? all : other) : held;
    return MAX(v, under);
}

/* A region that had better not run under the lock as a whole: its value is made before, and the lock taken to publish
 * it; or what follows the change runs after the lock is released. */
static Verdict outside_judge(Plan *pl, Work *w, Region *r, const LockPlan *l, Verdict v, Str *why)
{
    Region small = {0};
    Str no = S("");
    if (lock_per_call(pl, r) != NONE) return v;
    if (!outside_region(pl, w, r, &small) && !claim_region(pl, w, r, &small) && !ahead_region(pl, w, r, &small))
        return v;
    Verdict now = region_judge(pl, w, &small, l, false, &no);
    if (now >= v) return v;
    alternative_add(
        pl, w, small.claim ? S("the lock held to the end of the branch") : S("the lock held while the value is made"),
        *why);
    *r = small;
    *why = no;
    return now;
}

/* A write that no finding is about, of something that takes long to make: that is made before the lock is taken. */
static Verdict ahead_judge(Plan *pl, const Work *w, Region *r, const LockPlan *l, Verdict v, Str *why)
{
    Region small = {0};
    Str no = S("");
    if (lock_per_call(pl, r) != NONE || !ahead_region(pl, w, r, &small)) return v;
    Verdict now = region_judge(pl, w, &small, l, false, &no);
    if (now >= v) return v;
    *r = small;
    *why = no;
    return now;
}

/* Has the proof of an earlier plan found that the region must be guarded as a whole? */
static bool taught(const Plan *pl, const Work *w, const Region *r)
{
    for (u32 i = 0; pl->lessons && i < pl->lessons->n; i++) {
        Lesson l = pl->lessons->v[i];
        if (l.place == w->place && access_gid(pl->p, l.test).file == r->file &&
            span_within(program_access(pl->p, l.test)->span, r->span) &&
            span_within(program_access(pl->p, l.act)->span, r->span))
            return true;
    }
    return false;
}

/* Are steps of one of the work's findings in the region, rather than what they race with? */
static bool own_steps(const Plan *pl, const Work *w, const Region *r)
{
    if (taught(pl, w, r)) return true;
    for (u32 i = 0; i < w->races.n; i++) {
        const Race *x = &pl->races->v[w->races.v[i]];
        u32 steps[] = {x->nsites ? x->sites[0] : NONE, x->test, x->act};
        for (u32 k = 0; k < COUNT_OF(steps); k++) {
            if (steps[k] == NONE || access_gid(pl->p, steps[k]).file != r->file) continue;
            Span s = program_access(pl->p, steps[k])->span;
            if (r->span.start <= s.start && s.end <= r->span.end) return true;
        }
    }
    return false;
}

/* A write that no finding is about, from its test on: where that had better not run under the lock as a whole, the
 * write alone does. It excludes the steps of the findings as before, and the test is left as it was. */
static Verdict write_judge(Plan *pl, Work *w, Region *r, const LockPlan *l, Verdict v, Str *why)
{
    Span at = program_access(pl->p, r->access)->span;
    Region small = {0};
    Str no = S("");
    if (r->test == NONE || r->copy.n || r->taken || own_steps(pl, w, r) || lock_per_call(pl, r) != NONE) return v;
    if (!region_split(pl, r->file, r->func, at, at, &small, &no)) return v;
    if (small.span.end - small.span.start >= r->span.end - r->span.start) return v;
    small.access = r->access;
    small.test = NONE;
    small.race = r->race;
    small.back = r->back;
    small.loose = r->loose;
    Verdict now = region_judge(pl, w, &small, l, false, &no);
    if (now >= v) return v;
    *r = small;
    *why = no;
    return now;
}

/* Is the second step of each finding only a read? */
static bool only_asks(const Plan *pl, const Work *w)
{
    for (u32 i = 0; i < w->races.n; i++) {
        u32 act = pl->races->v[w->races.v[i]].act;
        if (act == NONE || access_writes(pl->p, act)) return false;
    }
    return true;
}

/* Does a region of the group stand in the statement? */
static bool in_group(const Plan *pl, u32 file, Span s)
{
    for (u32 w = 0; w < pl->ngroup; w++)
        for (u32 i = 0; i < pl->group[w]->regions.n; i++) {
            const Region *o = &pl->group[w]->regions.v[i];
            if (o->file == file && o->span.start < s.end && s.start < o->span.end) return true;
        }
    return false;
}

/* Is it an assignment, of nothing that is called, to a field that the lock guards elsewhere? */
static bool stores_guarded(Plan *pl, const Region *r, u32 stmt, u32 lock)
{
    const Facts *f = pl->p->facts[r->file];
    const Ast *t = site_ast(pl, r->file);
    const Func *fn = &f->funcs.v[r->func];
    Span s = {t->v[stmt].start, t->v[stmt].end};
    bool found = false;
    if (!ast_is(t, stmt, NODE_expression_statement) || !ast_is(t, ast_first(t, stmt), NODE_assignment)) return false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (s.start <= f->calls.v[i].span.start && f->calls.v[i].span.end <= s.end) return false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 g = pl->p->access_base[r->file] + i, place = pl->p->access_place[g];
        if (f->accesses.v[i].span.start < s.start || f->accesses.v[i].span.end > s.end) continue;
        if (place == NONE || !access_writes(pl->p, g)) continue;
        if (pl->p->places.v[place].guard != lock) return false;
        found = true;
    }
    return found && !in_group(pl, r->file, s);
}

/* self._data = {}; self._first = None; self._last = None: what is stored right after the region and guarded by the
 * same lock elsewhere belongs to it. */
static void extend_to_fields(Plan *pl, Region *r, const LockPlan *l)
{
    const Ast *t = site_ast(pl, r->file);
    if (!l->existing || r->copy.n || r->taken) return;
    for (u32 n; (n = ast_after(t, r->last)) != NONE && stores_guarded(pl, r, n, l->lock);) {
        Region more;
        Str why;
        Span span = {t->v[n].start, t->v[n].end};
        if (!region_split(pl, r->file, r->func, span, span, &more, &why) || more.first != n || more.last != n) return;
        r->last = n;
        r->span.end = span.end;
    }
}

/* Up to which statement is the thread started that the region stores, right after it: self.t = Thread(…);
 * self.t.daemon = True; self.t.start()? NONE. */
static u32 started_below(Plan *pl, const Region *r)
{
    static const char *const steps[] = {"daemon", "name", "setDaemon(", "setName("};
    const Ast *t = site_ast(pl, r->file);
    u32 a = ast_is(t, r->last, NODE_expression_statement) ? ast_first(t, r->last) : NONE;
    if (!ast_is(t, a, NODE_assignment)) return NONE;
    u32 right = ast_field(t, a, FIELD_right);
    const Call *c = ast_is(t, right, NODE_call) ? call_at(pl->p->facts[r->file], ast_span(t, right)) : NULL;
    Type made = c ? call_type(pl->p, r->file, (u32)(c - pl->p->facts[r->file]->calls.v)) : (Type){0};
    if (made.kind != TYPE_THREAD && (made.kind != TYPE_CLASS || !class_is_thread(pl->p, made.id))) return NONE;
    Str stored = str_fmt(pl->a, "%.*s.", STR_ARG(ast_text(t, ast_field(t, a, FIELD_left))));
    for (u32 n = ast_after(t, r->last); n != NONE && str_starts(ast_text(t, n), stored); n = ast_after(t, n)) {
        Str step = str_slice(ast_text(t, n), stored.n, ast_text(t, n).n);
        if (str_is(step, "start()")) return n;
        bool plain = false;
        for (u32 i = 0; i < COUNT_OF(steps); i++) plain |= str_starts(step, str_from(steps[i]));
        if (!plain) return NONE;
    }
    return NONE;
}

/* Whoever finds the thread under the lock shall find it started, where that does no harm. */
static void extend_to_start(Plan *pl, const Work *w, Region *r, const LockPlan *l)
{
    if (r->copy.n || r->taken || r->first != r->last) return;
    u32 n = started_below(pl, r);
    const Ast *t = site_ast(pl, r->file);
    if (n == NONE || in_group(pl, r->file, ast_span(t, n))) return;
    Region more = *r, split;
    Str why;
    if (!region_split(pl, r->file, r->func, ast_span(t, r->first), ast_span(t, n), &split, &why)) return;
    more.last = n;
    more.span.end = split.span.end;
    if (split.first == more.first && split.last == more.last &&
        region_judge(pl, w, &more, l, false, &why) == VERDICT_OK)
        *r = more;
}

/* Of a long if statement the one branch that is about the state, where that may run under the lock. */
static void branch_take(Plan *pl, const Work *w, Region *r, const LockPlan *l)
{
    Region small;
    Str no = S("");
    if (lock_per_call(pl, r) == NONE && chain_region(pl, w, r, &small) &&
        region_judge(pl, w, &small, l, false, &no) == VERDICT_OK)
        *r = small;
}

/* # append is atomic, # no lock is needed: whoever wrote that has thought of it, and does not want one. In the region
 * or right above it. */
static bool told_against(Plan *pl, const Region *r)
{
    static const char *const words[] = {"is atomic",       "are atomic",         "no lock is need", "n't need a lock",
                                        "not need a lock", "no need for a lock", "needs no lock",   "no lock needed",
                                        "no locking need", "lock-free",          "lockless"};
    const Source *s = site_source(pl, r->file);
    u32 at = line_before(s, r->span.start);
    for (u32 up = at; up && comment_above(s, up); up = at) at = line_before(s, up - 1);
    Str text = str_slice(s->text, at, r->span.end);
    while (text.n) {
        Str line = str_cut(text, '\n', &text);
        size_t hash = str_find(line, '#');
        for (u32 i = 0; hash < line.n && i < COUNT_OF(words); i++)
            if (str_contains(str_slice(line, hash, line.n), str_from(words[i]))) return true;
    }
    return false;
}

/* Judges one region; a race that cannot be guarded declines the work, another write makes the fix unsafe. */
static bool region_plan(Plan *pl, Work *w, Region *r, u32 lock, Fix *f)
{
    const LockPlan *l = &pl->out->locks.v[lock];
    Str why = r->problem;
    if (!why.n && before_lock(pl, r, l)) {
        if (!r->race) { /* the state is being made here */
            r->skip = true;
            return true;
        }
        why = S("it runs before a lock can be made beside the state");
    }
    if (!why.n && walk_inside(pl, r)) {
        r->skip = true;
        return true;
    }
    if (!why.n && r->copy.n && !r->name.n &&
        judgement_find(S("no-error-nearby"))->judge(pl, w, r, l, &why) == VERDICT_OK) {
        snapshot_write(pl, f, r, lock);
        return true;
    }
    if (!why.n && r->taken && judgement_find(S("no-error-nearby"))->judge(pl, w, r, l, &why) == VERDICT_OK &&
        take_region_write(pl, w, f, r, &why))
        return true;
    if (!why.n && region_guarded(pl, r, l)) {
        r->skip = true;
        return true;
    }
    bool joins = !why.n && l->existing && takes_directly(pl, r->file, r->func, r->span, l->lock);
    if (joins && only_asks(pl, w) && (later_join(pl, f, r) || readback_join(pl, f, r))) return true;
    if (!why.n && !joins) {
        extend_to_fields(pl, r, l);
        extend_to_start(pl, w, r, l);
    }
    if (!why.n && !joins) branch_take(pl, w, r, l);
    Verdict v = why.n ? VERDICT_DECLINE : region_judge(pl, w, r, l, joins, &why);
    bool whole = joins && !l->reentrant;
    if (v != VERDICT_OK && r->race && !whole) v = outside_judge(pl, w, r, l, v, &why);
    if (v != VERDICT_OK && !whole) v = write_judge(pl, w, r, l, v, &why);
    if (v != VERDICT_OK && !r->race && !whole) v = ahead_judge(pl, w, r, l, v, &why);
    if (v == VERDICT_OK && !r->copy.n && told_against(pl, r)) {
        v = VERDICT_UNSAFE;
        why = S("a comment there says that it needs no lock");
    }
    if (v == VERDICT_OK && r->loose.n) {
        v = VERDICT_UNSAFE;
        why = r->loose;
    }
    if (v == VERDICT_UNSAFE) fix_caution(f, FIX_UNSAFE, why);
    if (v != VERDICT_DECLINE && !lock_expression(pl, lock, w, r, f, &why)) v = VERDICT_DECLINE;
    if (v != VERDICT_DECLINE && !region_write(pl, w, r, lock, joins, f, &why)) v = VERDICT_DECLINE;
    if (v == VERDICT_DECLINE && r->race) {
        w->problem = str_fmt(pl->a, "%.*s: %.*s", STR_ARG(where(pl, r)), STR_ARG(why));
        return false;
    }
    if (v == VERDICT_DECLINE) {
        r->skip = true;
        fix_caution(
            f, FIX_UNSAFE,
            str_fmt(pl->a, "%.*s changes it too and is not guarded: %.*s", STR_ARG(where(pl, r)), STR_ARG(why)));
        return true;
    }
    return true;
}

void work_plan(Plan *pl, Work *w, u32 lock)
{
    Fix *f = fix_add(pl, w->page, w);
    f->lock = lock;
    for (u32 i = 0; i < w->regions.n && !w->problem.n; i++) region_plan(pl, w, &w->regions.v[i], lock, f);
    if (!w->problem.n && !f->intents.n) w->problem = S("every write is guarded by this lock already");
    const LockPlan *l = &pl->out->locks.v[lock];
    if (w->problem.n) {
        f->declined = true;
        f->reason = w->problem;
        f->intents.n = 0;
        f->lock = NONE;
        return;
    }
    w->lock = lock;
    w->guarded = true;
    if (l->promoted) promotion_write(pl, f, l->lock);
    if (!l->existing) intent_add(pl, f, INTENT_NEED_LOCK, l->file, (Span){0}, S(""), lock);
}
