/* UG601: a lock is taken in every turn of a loop that does little else, by several threads at once.
 *
 *   for word in words:
 *       with lock:
 *           counts[word] += 1
 *
 * A lock that nobody else wants costs 0.12 to 0.15 microseconds; two threads that both do nothing but take it are no
 * faster than one (docs/memory-model.md). Each thread can sum up for itself and add once under the lock. What
 * stands beside the section in the loop, or in it, must be as cheap as the lock: a call of any size outweighs it. */
#include "races/scaling.h"

enum { FEW_TURNS = 100 };

/* The innermost loop of the function around what the section does; NONE. */
static u32 loop_around(const Facts *x, const Section *s)
{
    const Func *fn = &x->funcs.v[s->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (!span_within(a->span, s->span)) continue;
        for (u32 b = a->block; b != NONE; b = x->blocks.v[b].parent)
            if (x->blocks.v[b].kind == BLOCK_LOOP && x->blocks.v[b].span.start <= s->stmt) return b;
        return NONE;
    }
    return NONE;
}

/* What stands before the body: `for x in xs`, `while head`. Empty when the walk is of nothing that we follow. */
static Span head_of(const Facts *x, u32 loop)
{
    const Block *b = &x->blocks.v[loop];
    const Func *fn = &x->funcs.v[b->func];
    Span head = b->cond == NONE ? (Span){0, 0} : x->conds.v[b->cond].span;
    for (u32 i = fn->accesses; b->cond == NONE && i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (a->op == OP_ITER && a->block == b->parent && a->span.end <= b->span.start) head.start = a->stmt;
    }
    head.end = head.start ? b->span.start : 0;
    return head;
}

/* Does anything in the span cost more than the lock, or wait? */
static bool outweighs(const Program *p, u32 file, u32 func, Span span)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        if (!span_within(c->span, span) || call_is_cheap(p, file, i)) continue;
        Str name = call_last(x, c);
        if (!str_is(name, "acquire") && !str_is(name, "release")) return true;
    }
    for (u32 i = 0; i < x->suspends.n; i++)
        if (x->suspends.v[i].func == func && x->suspends.v[i].offset >= span.start &&
            x->suspends.v[i].offset < span.end)
            return true;
    return false;
}

/* Is there another loop in the body? Its turns outweigh the lock. */
static bool loops_inside(const Facts *x, u32 loop)
{
    for (u32 i = loop + 1; i < x->blocks.n; i++) {
        const Block *b = &x->blocks.v[i];
        if (block_is_loop(b) && b->func == x->blocks.v[loop].func && span_within(b->span, x->blocks.v[loop].span))
            return true;
    }
    return false;
}

/* for _ in range(3), for name in ("a", "b"): few turns, whoever runs it. */
static bool few_turns(Str head)
{
    size_t in = str_search(head, S(" in ")), range = str_search(head, S("range("));
    if (in >= head.n) return false;
    Str walked = str_trim(str_slice(head, in + 4, head.n));
    if (walked.n && (walked.p[0] == '(' || walked.p[0] == '[' || walked.p[0] == '{')) return true;
    if (range >= head.n) return false;
    Str n = str_slice(head, range + 6, head.n);
    u32 value = 0, digits = 0;
    for (; digits < n.n && n.p[digits] >= '0' && n.p[digits] <= '9' && value < FEW_TURNS; digits++)
        value = value * 10 + (u32)(n.p[digits] - '0');
    return digits && digits < n.n && n.p[digits] == ')' && value < FEW_TURNS;
}

/* Does the section change anything that others see? */
static bool changes_state(const Program *p, u32 file, const Section *s)
{
    const Func *fn = &p->facts[file]->funcs.v[s->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 ga = p->access_base[file] + i;
        if (!span_within(p->facts[file]->accesses.v[i].span, s->span)) continue;
        if (p->access_place[ga] != NONE && access_effect(p, ga) & (EFFECT_WRITE | EFFECT_GROW)) return true;
    }
    return false;
}

/* A thread in sight that runs the function beside others of its kind, which want the same lock; NULL. */
static const Root *wanted_by(const Program *p, u32 file, u32 section)
{
    const FuncInfo *fi = &p->funcs[gfunc_of(p, file, p->facts[file]->sections.v[section].func)];
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        if (fi->roots[i] > ROOT_API && root_runs_many(r) && !(fi->alone & 1u << i) &&
            !lock_of_thread(p, file, section, r))
            return r;
    }
    return NULL;
}

void race_hot_lock(Finder *f, u32 file)
{
    const Facts *x = f->p->facts[file];
    if (scaling_skips(f->p, file)) return;
    for (u32 i = 0; i < x->sections.n; i++) {
        const Section *s = &x->sections.v[i];
        if (!section_excludes(f->p, file, i)) continue;
        const Root *r = wanted_by(f->p, file, i);
        u32 loop = r ? loop_around(x, s) : NONE;
        Span head = loop == NONE ? (Span){0, 0} : head_of(x, loop);
        if (!head.end || outweighs(f->p, file, s->func, (Span){head.start, x->blocks.v[loop].span.end})) continue;
        if (loops_inside(x, loop) || !changes_state(f->p, file, s)) continue;
        if (few_turns(str_slice(x->source->text, head.start, head.end))) continue;
        Race *found =
            race_at_section(f, UG601, file, s, f->p->section_lock[f->p->section_base[file] + i], CONF_MEDIUM);
        u32 line, column;
        source_position(x->source, head.start, &line, &column);
        race_why(f, found, "reached from %.*s, which may run more than once at a time", STR_ARG(r->display));
        race_message(f, found,
                     "every turn of the loop on line %u takes this lock for one small step, and the threads wait for "
                     "each other: sum up in a local and take the lock once, after the loop",
                     line);
    }
}
