/* UG603: threads that can run only one after the other, since each holds one lock for all that it does.
 *
 *   def work(job):
 *       with lock:
 *           results[job] = compute(job)
 *
 *   with ThreadPoolExecutor() as pool:
 *       pool.map(work, jobs)
 *
 * Nothing is wrong, but threads are no gain with or without the GIL. Reported when every call and loop of what the
 * thread runs stands in sections of one lock, there is work in them, and nothing in them lets go of the lock. */
#include "races/scaling.h"

enum { DEEP = 3 };

/* Thread(target=f), pool.submit(f): threads that are there to share work. Handlers of a server come one by one. */
static bool shares_work(const Program *p, const Root *r)
{
    static const char *const names[] = {"Thread", "run_in_executor", "to_thread", "start_new_thread"};
    if (r->call == NONE || scaling_skips(p, r->file)) return false;
    Str name = call_last(p->facts[r->file], &p->facts[r->file]->calls.v[r->call]);
    return known_method(name, AS_POOL) || str_among(name, names, COUNT_OF(names));
}

/* Calls that are no work wherever they stand: taking the next job, telling the log, asking for the time. */
static bool no_work(const Program *p, u32 file, u32 call)
{
    static const char *const names[] = {"task_done", "print", "sleep", "is_set", "acquire", "release"};
    const Facts *x = p->facts[file];
    const Call *c = &x->calls.v[call];
    const Path *q = &x->paths.v[c->callee];
    Str name = call_last(x, c);
    Str full = path_external(p, file, c->callee);
    if (call_is_cheap(p, file, call) || str_among(name, names, COUNT_OF(names)) || str_starts(full, S("time.")))
        return true;
    if (known_method(name, AS_LOG) && (!full.n || str_starts(full, S("logging.")))) return true; /* not math.log */
    if (!q->nattr || !(str_is(name, "get") || str_is(name, "get_nowait") || str_is(name, "put"))) return false;
    return receiver_type(p, file, c) == TYPE_QUEUE;
}

/* Does the lock get free while the section is not over: cond.wait(), lock.release(), a yield? */
static bool lets_go(const Facts *x, const Section *s)
{
    const Func *fn = &x->funcs.v[s->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (a->op != OP_METHOD || !span_within(a->span, s->span)) continue;
        Str m = sym_str(x, a->method);
        if (str_starts(m, S("wait")) || (str_is(m, "release") && a->path == s->path && s->kind == SECTION_WITH))
            return true;
    }
    for (u32 i = 0; i < x->suspends.n; i++)
        if (x->suspends.v[i].func == s->func && x->suspends.v[i].offset >= s->span.start &&
            x->suspends.v[i].offset < s->span.end)
            return true;
    return false;
}

/* Does the span stand in a section of the function that takes this lock? */
static bool held_at(const Program *p, u32 file, u32 func, u32 lock, Span span)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
        if (p->section_lock[p->section_base[file] + i] == lock && span_within(span, x->sections.v[i].span))
            return true;
    return false;
}

/* Is there a section within the span? Then what is around it counts as the way to it. */
static bool has_section(const Program *p, u32 file, u32 func, u32 lock, Span span)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
        if (p->section_lock[p->section_base[file] + i] == lock && span_within(x->sections.v[i].span, span))
            return true;
    return false;
}

/* Does all work of the function stand in sections of the lock, and is there some? */
static bool all_held(const Program *p, u32 file, u32 func, u32 lock)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    bool work = false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        if (no_work(p, file, i)) continue;
        bool held = held_at(p, file, func, lock, x->calls.v[i].span);
        if (!held && !x->calls.v[i].in_with) return false;
        work |= held;
    }
    for (u32 i = fn->block; i < x->blocks.n; i++) {
        const Block *b = &x->blocks.v[i];
        if (b->func != func || !block_is_loop(b)) continue;
        bool held = held_at(p, file, func, lock, b->span);
        if (!held && !has_section(p, file, func, lock, b->span)) return false;
        work |= held;
    }
    return work;
}

/* The one function that this one calls, when it does nothing else; NONE. */
static u32 leads_only_to(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    u32 only = NONE, out[2];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        if (no_work(p, g.file, i)) continue;
        if (only != NONE || x->blocks.v[x->calls.v[i].block].repeats || call_targets(p, g.file, i, out, 2) != 1 ||
            call_unknown(p, g.file, i))
            return NONE;
        only = out[0];
    }
    for (u32 i = fn->block; i < x->blocks.n; i++)
        if (x->blocks.v[i].func == g.id && block_is_loop(&x->blocks.v[i])) return NONE;
    return only;
}

/* The section in which all work of the function is done; NONE. */
static u32 whole_section(const Program *p, const Root *r, u32 file, u32 func)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    u32 not_all = NONE; /* the lock that was asked about last */
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        u32 lock = p->section_lock[p->section_base[file] + i];
        if (lock == not_all || !section_excludes(p, file, i) || lock_of_thread(p, file, i, r)) continue;
        bool lasting = all_held(p, file, func, lock);
        for (u32 k = fn->sections; lasting && k < fn->sections + fn->nsections; k++)
            if (p->section_lock[p->section_base[file] + k] == lock) lasting = !lets_go(x, &x->sections.v[k]);
        if (lasting) return i;
        not_all = lock;
    }
    return NONE;
}

void race_serial(Finder *f)
{
    const Program *p = f->p;
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        if (!root_runs_many(r) || !shares_work(p, r)) continue;
        u32 at = r->func, section = NONE;
        for (u32 k = 0; k < DEEP && at != NONE; k++) {
            GId g = func_gid(p, at);
            section = whole_section(p, r, g.file, g.id);
            if (section != NONE) break;
            at = leads_only_to(p, at);
        }
        if (section == NONE) continue;
        GId g = func_gid(p, at);
        if (scaling_skips(p, g.file)) continue;
        const Section *s = &p->facts[g.file]->sections.v[section];
        bool again = false;
        for (u32 k = 0; k < f->out->n; k++)
            again |= f->out->v[k].rule == UG603 && f->out->v[k].file == g.file && f->out->v[k].span.start == s->stmt;
        if (again) continue;
        Race *found =
            race_at_section(f, UG603, g.file, s, p->section_lock[p->section_base[g.file] + section], CONF_MEDIUM);
        race_why(f, found, "reached from %.*s, which may run more than once at a time", STR_ARG(r->display));
        race_message(
            f, found,
            "each of these threads holds this lock for all of its work, so that they run one after the other; "
            "hold it only where the shared state is used, or do without the threads");
    }
}
