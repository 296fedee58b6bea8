/* Threads that the one who starts them waits for at once: t = Thread(target=f); t.start(); t.join(), or
 * pool.submit(f).result().
 *
 * f runs while its starter stands still, so for everybody else it runs in the starter's thread: no root, but a call.
 * Needs join() without a timeout as the very next statement, or result() of what submit() gave; anything in between
 * is work that runs beside f. */
#include "link/link.h"

static bool is_named(const Facts *f, const Path *x, const char *name)
{
    return path_is_attr(x) && str_is(path_last(f, x), name);
}

/* Is it a call of this method on what the path names? */
static bool method_on(const Facts *f, const Call *c, const Path *on, const char *name)
{
    const Path *x = &f->paths.v[c->callee];
    if (!is_named(f, x, name) || x->root != on->root || x->func != on->func || x->name != on->name ||
        x->nattr != on->nattr + 1)
        return false;
    return memcmp(x->attr, on->attr, on->nattr * sizeof on->attr[0]) == 0;
}

static bool next_statement(const Facts *f, const Call *first, const Call *second)
{
    Str between = str_slice(f->source->text, first->span.end, second->span.start);
    return !str_trim(between).n;
}

bool waited_for(const Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    const Call *made = &f->calls.v[call];
    const Func *fn = &f->funcs.v[made->func];
    u32 end = fn->calls + fn->ncalls;
    if (f->blocks.v[made->block].repeats) return false;
    if (is_named(f, &f->paths.v[made->callee], "submit")) {
        for (u32 i = fn->calls; i < end; i++) {
            const Path *x = &f->paths.v[f->calls.v[i].callee];
            if (x->root == ROOT_CALL && x->func == call && x->nattr == 1 && is_named(f, x, "result"))
                return !f->calls.v[i].nargs;
        }
        return false;
    }
    if (made->target == NONE || f->paths.v[made->target].root != ROOT_LOCAL) return false;
    const Path *thread = &f->paths.v[made->target];
    const Call *started = NULL;
    for (u32 i = fn->calls; i < end; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start < made->span.end) continue;
        if (started) return method_on(f, c, thread, "join") && !c->nargs && next_statement(f, started, c);
        if (method_on(f, c, thread, "start"))
            started = c;
        else if (is_named(f, &f->paths.v[c->callee], "start"))
            return false;
    }
    return false;
}
