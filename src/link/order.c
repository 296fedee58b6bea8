/* Order by start and join: in the function that starts threads, what stands before the first start and after the last
 * join does not run at the same time as they do. Functions that are called only before the first start count as
 * running before any thread. */
#include "link/link.h"

static bool is_thread(const Program *p, u32 file, const Path *x)
{
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    Type t = ent_type(p, e);
    if (x->nattr > 1 && x->attr[x->nattr - 2] == SYM_ITEM) { /* t.start() for t in threads */
        Ent base = path_resolve(p, file, x, x->nattr - 2u);
        t = element_type(p, file, base);
    }
    return t.kind == TYPE_THREAD || (t.kind == TYPE_CLASS && class_derives(p, t.id, "threading.Thread"));
}

/* Calls that start a thread by themselves: submit, to_thread and their like, not Thread(…). */
static Map starting_calls(const Program *p, Arena *scratch)
{
    Map m = {0};
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        if (r->call == NONE) continue;
        Str ext = path_external(p, r->file, p->facts[r->file]->calls.v[r->call].callee);
        if (!str_starts(ext, S("threading."))) map_put(scratch, &m, map_key(r->file, r->call), i);
    }
    return m;
}

static void order_func(Program *p, const Map *starting, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    FuncInfo *fi = &p->funcs[gfunc_of(p, file, func)];
    u32 last_start = 0;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *x = &f->paths.v[c->callee];
        Str name = x->nattr && x->attr[x->nattr - 1] != SYM_ITEM ? sym_str(f, x->attr[x->nattr - 1]) : S("");
        bool start = (str_is(name, "start") && is_thread(p, file, x)) || map_get(starting, map_key(file, i)) != NONE;
        if (start) {
            fi->first_start = MIN(fi->first_start, c->span.start);
            last_start = MAX(last_start, c->span.end);
        } else if (str_is(name, "join") && is_thread(p, file, x)) {
            fi->last_join = fi->last_join == NONE ? c->span.end : MAX(fi->last_join, c->span.end);
        } else if (str_is(name, "shutdown")) {
            fi->last_join = fi->last_join == NONE ? c->span.end : MAX(fi->last_join, c->span.end);
        }
    }
    /* with ThreadPoolExecutor() as pool: … waits at its end */
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        if (s->call == NONE || call_type(p, file, s->call).kind != TYPE_EXECUTOR || last_start > s->span.end)
            continue;
        if (fi->first_start != NONE && fi->first_start >= s->span.start && fi->first_start < s->span.end)
            fi->last_join = fi->last_join == NONE ? s->span.end : MAX(fi->last_join, s->span.end);
    }
    if (fi->last_join != NONE && fi->last_join < last_start) fi->last_join = NONE;
}

/* Functions called only from main-program code that stands before the first start. */
static void before_start(Program *p)
{
    for (u32 round = 0; round < 3; round++) {
        u32 e = 0;
        u8 *seen = xmalloc(p->state->nfuncs); /* 0 no caller, 1 all before a start, 2 not */
        memset(seen, 0, p->state->nfuncs);
        for (; e < p->edges.n; e++) {
            const CallEdge *x = &p->edges.v[e];
            const FuncInfo *caller = &p->funcs[x->caller];
            const Facts *f = p->facts[x->file];
            bool before = caller->import_time || (x->call != NONE && caller->first_start != NONE &&
                                                  f->calls.v[x->call].span.end <= caller->first_start);
            if (seen[x->callee] != 2) seen[x->callee] = before ? 1 : 2;
        }
        for (u32 i = 0; i < p->state->nfuncs; i++)
            if (seen[i] == 1 && !p->funcs[i].nroots && !p->funcs[i].api) p->funcs[i].import_time = true;
        free(seen);
    }
}

void order_find(Program *p)
{
    Arena scratch = {0};
    Map starting = starting_calls(p, &scratch);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->funcs.n; i++) order_func(p, &starting, file, i);
    arena_free(&scratch);
    before_start(p);
}
