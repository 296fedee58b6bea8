/* Loops that start a thread in each round and do not wait for it:
 *
 *   while True:
 *       conn, _ = server.accept()
 *       accepted += 1
 *       Thread(target=serve, args=(conn,)).start()
 *
 * What stands before the start runs beside the threads of earlier rounds, and so does the walk that the loop itself
 * is. Before all threads is only what stands before the loop, and what belongs to one round: an object that a local
 * holds which is bound anew in each.
 *
 * A round waits when a join, a result or the like stands in it after the start, on each way on which that stands; and
 * there is one round only when the start is followed by a way out of the loop. */
#include "link/link.h"

/* `if t.is_alive():`, `if t is not None:`: is there a thread? */
static bool asks_for_thread(const Facts *f, const Block *b)
{
    Span head = b->cond == NONE ? (Span){0, 0} : f->conds.v[b->cond].head;
    Str test = str_slice(f->source->text, head.start, head.end);
    return b->kind == BLOCK_THEN && (str_contains(test, S("alive")) || str_ends(test, S("is not None")));
}

/* Does each way through the loop that comes by the start come by the other call, too? */
static bool on_its_way(const Facts *f, u32 block, u32 start, u32 loop)
{
    for (u32 b = block; b != loop && b != NONE; b = f->blocks.v[b].parent) {
        u8 k = f->blocks.v[b].kind;
        bool branch = k == BLOCK_THEN || k == BLOCK_ELSE || k == BLOCK_EXCEPT || k == BLOCK_CASE;
        if (branch && !block_within(f, start, b) && !asks_for_thread(f, &f->blocks.v[b])) return false;
    }
    return true;
}

/* t.join(), future.result(), as_completed(futures), self.wait_for_workers(): may the call wait for threads? Not
 * ", ".join(words), nor event.wait(5). */
static bool may_wait(const Program *p, u32 file, const Call *c)
{
    static const char *const names[] = {"result", "exception", "as_completed", "gather", "shutdown"};
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[c->callee];
    if (path_is_item(x)) return false;
    Str name = path_last(f, x);
    if (str_among(name, names, COUNT_OF(names))) return true;
    bool bare = !c->nargs || f->args.v[c->args].keyword != SYM_EMPTY;
    if (str_is(name, "join")) return bare || thread_named(p, file, x);
    if (str_is(name, "wait")) return bare || str_starts(path_external(p, file, c->callee), S("concurrent."));
    return str_has_word(name, "join") || str_has_word(name, "wait");
}

/* Is the start the last thing that the loop does? */
static bool leaves(const Facts *f, u32 block, u32 loop)
{
    bool own = true; /* no other loop is left by `break` */
    for (u32 b = block; b != loop && b != NONE; b = f->blocks.v[b].parent) {
        const Block *x = &f->blocks.v[b];
        own &= x->kind != BLOCK_LOOP;
        if (!x->exits) continue;
        Str last = str_trim(str_slice(f->source->text, x->span.start, x->span.end));
        for (Str line = last; line.n;) last = str_cut(line, '\n', &line);
        last = str_trim(last);
        if (str_starts(last, S("break")) ? own : !str_starts(last, S("continue"))) return true;
    }
    return false;
}

/* Is the thread that the call starts waited for in each round of the loop? */
static bool waits_each_round(const Program *p, u32 file, const Call *start, u32 loop)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[start->func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) { /* with ThreadPoolExecutor() as pool: */
        const Section *s = &f->sections.v[i];
        Span in = f->blocks.v[loop].span;
        if (s->call == NONE || s->span.start < in.start || s->span.end > in.end) continue;
        if (start->span.start < s->span.start || start->span.end > s->span.end) continue;
        if (call_type(p, file, s->call).kind == TYPE_EXECUTOR) return true;
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start < start->span.end || !block_within(f, c->block, loop)) continue;
        if (may_wait(p, file, c) && on_its_way(f, c->block, start->block, loop)) return true;
    }
    return false;
}

/* pool.map(f, jobs) is mostly walked where it stands, and some pools' waits. */
static bool maps(const Facts *f, const Call *c)
{
    static const char *const names[] = {"map", "imap", "imap_unordered", "starmap", "apply", "run_sync", "to_thread"};
    return c->awaited || str_among(call_last(f, c), names, COUNT_OF(names));
}

u32 spawning_loop(const Program *p, u32 file, const Call *start)
{
    const Facts *f = p->facts[file];
    u32 out = NONE;
    if (!f->blocks.v[start->block].repeats || maps(f, start)) return NONE;
    for (u32 b = start->block; b != NONE; b = f->blocks.v[b].parent) {
        if (!block_is_loop(&f->blocks.v[b])) continue;
        if (!leaves(f, start->block, b) && !waits_each_round(p, file, start, b)) out = b;
    }
    return out;
}

/* Is the local bound in the loop, or by a loop? */
static bool of_round(const Program *p, u32 file, const Path *x, u32 loop)
{
    const Facts *f = p->facts[file];
    for (u32 depth = 0; x->root == ROOT_CALL && depth < PATH_ATTRS; depth++) /* job.items.values() */
        x = &f->paths.v[f->calls.v[x->func].callee];
    if (x->root != ROOT_LOCAL) return false;
    u32 at = map_get(&p->state->local_defs, local_key(file, x->func, x->name));
    for (; at != NONE; at = p->state->defrefs.v[at].next) {
        const Def *d = &f->defs.v[p->state->defrefs.v[at].def];
        if (block_within(f, d->block, loop) || d->kind == VAL_ITER_OF || d->kind == VAL_ONE_OF) return true;
    }
    return false;
}

bool bound_in_round(const Program *p, u32 file, const Path *x, u32 block)
{
    const Facts *f = p->facts[file];
    u32 b = block;
    while (b != NONE && !block_is_loop(&f->blocks.v[b])) b = f->blocks.v[b].parent;
    return b != NONE && of_round(p, file, x, b); /* what an outer loop binds is one for all rounds of this one */
}

/* Is the access the walk that the loop is? */
static bool walks_loop(const Facts *f, const Access *a, u32 loop)
{
    Span body = f->blocks.v[loop].span;
    if (a->op != OP_ITER || a->block != f->blocks.v[loop].parent || a->span.end > body.start) return false;
    Str between = str_trim(str_slice(f->source->text, a->span.end, body.start));
    while (between.n && (between.p[0] == ')' || between.p[0] == ':'))
        between = str_trim(str_slice(between, 1, between.n));
    return !between.n || between.p[0] == '#';
}

bool before_threads(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, g.file, a->func)];
    if (fi->first_start == NONE || a->span.end > fi->first_start) return false;
    if (fi->spawns == NONE) return true;
    if (walks_loop(f, a, fi->spawns)) return false;
    if (a->span.start < f->blocks.v[fi->spawns].span.start) return true;
    u32 place = p->access_place[ga];
    u8 kind = place == NONE ? PLACE_INSTANCE : p->places.v[place].kind;
    return (kind == PLACE_INSTANCE || kind == PLACE_CLOSURE) && of_round(p, g.file, &f->paths.v[a->path], fi->spawns);
}
