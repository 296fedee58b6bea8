/* Starts of which there is one thread at a time, although the way to start it, or where it stands, is for many:
 *
 *   def startService(self):                         while True:
 *       reactor.callInThread(self.write_forever)        t = Thread(target=job.run)
 *                                                       t.start()
 *   def write_forever(self):                            t.join()
 *       while reactor.running: …
 *
 * What is handed to a pool mostly belongs to a request, and there are many of these; not so where a program or a
 * service is set up, and where the function goes on until the program ends: that is a thread like those of Thread(…),
 * of which one start makes one. beside.c looks whether the starter is called again. A thread that is waited for in
 * the round of the loop that starts it is over before the next one. */
#include "link/roots.h"

/* Is the function one of a module, or a method of a class of which one object is seen to be made at most, as of a
 * service that its framework makes? */
static bool of_one(const Program *p, u32 file, u32 func)
{
    enum { DERIVED = 4 };
    u32 cls = p->facts[file]->funcs.v[func].self_class;
    return cls == NONE || class_family_count(p, gclass_of(p, file, cls), offsetof(ClassInfo, made_at), DERIVED) <= 1;
}

/* Is it by its name what sets up a program, a service or an object? */
static bool sets_up(const Facts *f, u32 func)
{
    return !func || known_method(sym_str(f, f->funcs.v[func].name), AS_SETUP);
}

/* while True, while self.running, while not stop.is_set(): does the loop go on until it is told to end? */
static bool endless(Str test)
{
    static const char *const words[] = {"running",  "stop",   "stopped", "stopping", "exit",
                                        "shutdown", "closed", "quit",    "closing",  "terminated"};
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (str_has_word(test, words[i])) return true;
    return str_is(test, "True") || str_is(test, "1");
}

/* Is such a loop a step of the function itself? */
static bool goes_on(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    for (u32 i = f->funcs.v[g.id].block; i < f->blocks.n; i++) {
        const Block *b = &f->blocks.v[i];
        if (b->func != g.id || b->kind != BLOCK_LOOP || b->cond == NONE || f->blocks.v[b->parent].repeats) continue;
        Span head = f->conds.v[b->cond].head;
        Str before = str_trim(str_slice(f->source->text, f->conds.v[b->cond].span.start, head.start));
        Str test = str_trim(str_slice(f->source->text, head.start, head.end));
        if (str_is(before, "while") && endless(test)) return true;
    }
    return false;
}

bool started_once(const Program *p, const RootRow *row, u32 file, const Call *c, u32 gfunc)
{
    const Facts *f = p->facts[file];
    Str way = str_from(row->name);
    if (!known_method(way, AS_HANDS) && !known_function(way, AS_HANDS)) return false;
    if (f->blocks.v[c->block].repeats || !of_one(p, file, c->func)) return false;
    u32 before = row->position == NONE ? 0 : row->position; /* the executor of run_in_executor */
    return sets_up(f, c->func) || (c->nargs == before + 1 && goes_on(p, gfunc));
}

/* Is it t.join() of what the call's result is bound to, waiting as long as it takes? */
static bool joins(const Facts *f, const Call *join, const Path *thread)
{
    const Path *x = &f->paths.v[join->callee];
    if (join->nargs || x->root != thread->root || x->func != thread->func || x->name != thread->name) return false;
    if (x->nattr != thread->nattr + 1u || !str_is(sym_str(f, x->attr[thread->nattr]), "join")) return false;
    return !memcmp(x->attr, thread->attr, thread->nattr * sizeof x->attr[0]);
}

bool joined_in_round(const Facts *f, const Call *made)
{
    const Path *thread = made->target == NONE ? NULL : &f->paths.v[made->target];
    const Func *fn = &f->funcs.v[made->func];
    for (u32 i = fn->calls; thread && thread->nattr < PATH_ATTRS && i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start < made->span.end || !joins(f, c, thread)) continue;
        if (block_within(f, made->block, c->block) && block_loop(f, made->block) == block_loop(f, c->block))
            return true;
    }
    return false;
}
