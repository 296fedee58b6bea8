/* UG306: a wait of a Condition that does not ask again what it has waited for. wait() returns when somebody notifies,
 * which another thread may have used up by then, and when its time is out (Python library reference, "Condition
 * Objects": the while loop around it is necessary).
 *
 *   with cond:                     while running:              if not paused:   # asked before the lock is taken
 *       if not items:                  with cond:                  work()
 *           cond.wait()                    if paused:          else:
 *       return items.pop()                     cond.wait()         with cond: cond.wait()
 *                                      receive()
 *
 * Needs the facts of one file, and who calls a function that does nothing but wait. */
#include "races/races.h"

/* A function that waits and does nothing else, called in loops only: they ask the condition. */
static bool callers_loop(const Finder *f, u32 file, u32 func)
{
    const Facts *x = f->p->facts[file];
    u32 gfunc = gfunc_of(f->p, file, func), n = 0;
    if (x->funcs.v[func].ncalls != 1) return false;
    for (u32 i = f->called_first[gfunc]; i < f->called_first[gfunc + 1]; i++, n++) {
        const CallEdge *e = &f->p->edges.v[f->called[i]];
        if (e->call == NONE || !block_in_loop(f->p->facts[e->file], f->p->facts[e->file]->calls.v[e->call].block))
            return false;
    }
    return n > 0;
}

/* The innermost `with` of the condition around the wait. */
static const Section *section_of_wait(const Facts *x, const Access *wait)
{
    const Func *fn = &x->funcs.v[wait->func];
    const Section *in = NULL;
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &x->sections.v[i];
        bool around = s->kind == SECTION_WITH && s->path == wait->path && s->span.start < wait->span.start &&
                      s->span.end >= wait->span.end;
        if (around && (!in || s->span.start > in->span.start)) in = s;
    }
    return in;
}

/* if not self.paused: work() / else: with cond: cond.wait(): nothing is asked once the condition is taken, and what
 * was asked before may have changed, and been announced, in between. The line of the test, or 0. A wait with a
 * timeout sees it later; `while True` asks nothing. */
static u32 tested_outside(const Facts *x, const Access *wait)
{
    const Section *s = section_of_wait(x, wait);
    u32 b = wait->block, line = 0, column;
    if (!s || wait->nargs || wait->cond != NONE) return 0;
    for (u32 i = 0; i < x->conds.n; i++)
        if (x->conds.v[i].func == wait->func && !x->conds.v[i].is_try && x->conds.v[i].span.start > s->span.start &&
            x->conds.v[i].span.start < wait->span.start)
            return 0;
    for (; b != NONE && !line; b = x->blocks.v[b].parent) {
        const Block *y = &x->blocks.v[b];
        if (y->span.start >= s->span.start || y->cond == NONE || x->conds.v[y->cond].is_try) continue;
        Str head = str_slice(x->source->text, x->conds.v[y->cond].head.start, x->conds.v[y->cond].head.end);
        if (str_is(head, "True") || str_is(head, "1")) continue;
        source_position(x->source, x->conds.v[y->cond].head.start, &line, &column);
    }
    return line;
}

/* The `if` that the wait stands in, below the section; NULL. */
static const Cond *if_around(const Facts *x, const Access *wait, const Section *s)
{
    const Block *b = &x->blocks.v[wait->block];
    const Cond *c = b->kind == BLOCK_THEN && b->cond != NONE ? &x->conds.v[b->cond] : NULL;
    return c && !c->is_try && !c->loop && c->head.start > s->span.start ? c : NULL;
}

/* while running:            the loop is another one: it does not ask again what the wait was for before it goes on
 *     with cond:
 *         if paused: cond.wait()
 *     receive()
 *
 * A wait with a timeout looks in now and then, and means to go on. */
static bool goes_on_unasked(const Facts *x, const Access *wait)
{
    const Section *s = section_of_wait(x, wait);
    const Cond *c = s && !wait->nargs ? if_around(x, wait, s) : NULL;
    u32 loop = wait->block;
    while (loop != NONE && x->blocks.v[loop].kind != BLOCK_LOOP) loop = x->blocks.v[loop].parent;
    if (!c || loop == NONE || x->blocks.v[loop].span.start > s->span.start || x->blocks.v[wait->block].exits)
        return false;
    const Func *fn = &x->funcs.v[wait->func];
    bool on = false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (a->span.start < wait->span.end || !block_within(x, a->block, loop)) continue;
        if (a->test || a->cond != NONE) return false; /* asked again, perhaps */
        on = true;
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls && !on; i++)
        on = x->calls.v[i].span.start > s->span.end && block_within(x, x->calls.v[i].block, loop);
    return on;
}

void race_condition(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    for (u32 i = 0; i < x->accesses.n; i++) {
        const Access *a = &x->accesses.v[i];
        if (a->op != OP_METHOD || !str_is(sym_str(x, a->method), "wait") || a->awaited) continue;
        u32 place = p->access_place[p->access_base[file] + i];
        Type t = place != NONE ? p->places.v[place].type : path_type(p, file, a->path);
        if (t.kind != TYPE_CONDITION) continue;
        u32 outside = block_in_loop(x, a->block) ? tested_outside(x, a) : 0;
        if (outside) {
            Race *r = race_at(f, UG306, file, a->func, a->span, path_text(f->a, x, a->path), CONF_MEDIUM);
            race_message(f, r,
                         "what this waits for is asked on line %u, before the condition is taken; a notify() in "
                         "between is lost, and wait() waits for the next one",
                         outside);
            continue;
        }
        bool asks_again = block_in_loop(x, a->block) && !goes_on_unasked(x, a);
        if (asks_again || a->cond != NONE || callers_loop(f, file, a->func)) continue;
        Race *r = race_at(f, UG306, file, a->func, a->span, path_text(f->a, x, a->path), CONF_MEDIUM);
        race_message(f, r,
                     "wait() can return without its condition being true (another thread was faster, or it timed "
                     "out); test the condition in a while loop, or use wait_for()");
    }
}
