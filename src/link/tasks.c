/* Coroutines of one object that run beside each other:
 *
 *   await asyncio.gather(*(self.fetch(url) for url in urls))
 *   for url in urls: group.create_task(self.fetch(url))
 *
 * The loop runs their steps one at a time; but what each of them hands to a thread and waits for, await
 * to_thread(self.parse, page), runs beside what the others hand over, with the same object. So it is for a coroutine
 * that is called in rounds, or by what is called again and again, where each round makes a task of it or only keeps
 * it, and does not wait for it; and for two calls of one coroutine in one gather(). A lock of the loop that is held
 * while it waits lets one through at a time; a semaphore of more than one does not.
 *
 * Needs edges, FuncInfo.again and served; fills served. Not seen: coroutines that are handed on before they become
 * tasks. */
#include "link/link.h"

/* create_task(self.fetch(url)): the call that takes what the coroutine function gives as an argument, or NULL. */
static const Call *taker(const Facts *f, u32 call)
{
    const Func *fn = &f->funcs.v[f->calls.v[call].func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++)
            if (f->args.v[k].kind == VAL_CALL && f->args.v[k].value == call) return c;
    }
    return NULL;
}

/* task = create_task(…); …; await task: does the round wait for the task that the call makes? */
static bool waits_for(const Facts *f, const Call *c)
{
    const Path *x = c->target == NONE ? NULL : &f->paths.v[c->target];
    if (!x || x->nattr || x->root != ROOT_LOCAL) return false;
    u32 b = c->block;
    while (b != NONE && f->blocks.v[b].kind != BLOCK_LOOP) b = f->blocks.v[b].parent;
    if (b == NONE) return false;
    Str name = sym_str(f, x->name), rest = str_slice(f->source->text, c->span.end, f->blocks.v[b].span.end);
    for (;;) {
        size_t at = str_search(rest, S("await "));
        if (at == rest.n) return false;
        rest = str_slice(rest, at + 6, rest.n);
        Str line = str_slice(rest, 0, str_find(rest, '\n'));
        if (str_has_name(line, name)) return true;
    }
}

static bool same_path(const Path *a, const Path *b)
{
    if (a->root != b->root || a->func != b->func || a->name != b->name || a->nattr != b->nattr) return false;
    for (u32 i = 0; i < a->nattr; i++)
        if (a->attr[i] != b->attr[i]) return false;
    return true;
}

/* gather(self.a(x), self.a(y)): does the call take another coroutine of the same function and object? */
static bool twice(const Facts *f, const Call *taker, u32 call)
{
    const Path *x = &f->paths.v[f->calls.v[call].callee];
    for (u32 k = taker->args; k < taker->args + taker->nargs; k++) {
        const Arg *a = &f->args.v[k];
        if (a->kind == VAL_CALL && a->value != call && same_path(x, &f->paths.v[f->calls.v[a->value].callee]))
            return true;
    }
    return false;
}

static bool in_comprehension(const Facts *f, u32 block)
{
    for (u32 b = block; b != NONE && f->blocks.v[b].kind != BLOCK_LOOP; b = f->blocks.v[b].parent)
        if (f->blocks.v[b].kind == BLOCK_COMPREHENSION) return true;
    return false;
}

/* Is it called with one object, or without any, in all rounds? */
static bool same_object(const Program *p, const CallEdge *e)
{
    const Facts *f = p->facts[e->file];
    const Call *c = &f->calls.v[e->call];
    const Path *x = &f->paths.v[c->callee];
    if (program_func(p, e->callee)->cls == NONE) return true;
    for (u32 i = 0; i < x->nattr; i++)
        if (x->attr[i] == SYM_ITEM) return false;
    if (!x->nattr || x->root == ROOT_CALL) return false;
    if (x->root == ROOT_SELF) return x->nattr == 1;
    return x->root == ROOT_GLOBAL || !bound_in_round(p, e->file, x, c->block);
}

/* Does the edge lead to a coroutine of which several then run beside each other? */
static bool beside(const Program *p, const CallEdge *e)
{
    static const char *const makers[] = {"create_task", "ensure_future", "append", "add", "start_soon", "spawn"};
    if (e->weak || e->call == NONE || !program_func(p, e->callee)->is_async) return false;
    const Facts *f = p->facts[e->file];
    const Call *c = &f->calls.v[e->call];
    if (c->awaited || !same_object(p, e)) return false;
    if (in_comprehension(f, c->block)) return true;
    const Call *to = taker(f, e->call);
    if (!to) return false;
    Str name = call_last(f, to);
    if (str_is(name, "gather")) return twice(f, to, e->call);
    if (to->awaited || !str_among(name, makers, COUNT_OF(makers))) return false;
    const FuncInfo *caller = &p->funcs[e->caller];
    bool rounds = f->blocks.v[to->block].repeats && !waits_for(f, to);
    return rounds || caller->again || caller->served;
}

void tasks_find(Program *p)
{
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (!p->funcs[e->callee].served && !p->tests[e->file] && beside(p, e)) p->funcs[e->callee].served = true;
    }
}

/* asyncio.Lock(), asyncio.Semaphore(1), or what is called a lock and is not known. */
static bool lets_one_through(const Program *p, u32 file, u32 path)
{
    const LinkState *s = p->state;
    const Facts *f = p->facts[file];
    Ent e = path_entity(p, file, path);
    for (u32 at = entity_defs(p, e); at != NONE; at = s->defrefs.v[at].next) {
        u32 in = s->defrefs.v[at].file;
        const Def *d = &p->facts[in]->defs.v[s->defrefs.v[at].def];
        if (d->kind != VAL_CALL) continue;
        const Call *c = &p->facts[in]->calls.v[d->value];
        if (!str_ends(path_external(p, in, c->callee), S("Semaphore"))) return true;
        bool one = !c->nargs || str_is(sym_str(p->facts[in], p->facts[in]->args.v[c->args].text), "1");
        return one;
    }
    const Path *x = &f->paths.v[path];
    return !str_has_word(path_last(f, x), "sem");
}

bool held_one_at_a_time(const Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    const Func *fn = &f->funcs.v[c->func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        if (s->kind != SECTION_ASYNC_WITH || s->call != NONE || !section_holds(s, c->span.start)) continue;
        if (lets_one_through(p, file, s->path)) return true;
    }
    return false;
}
