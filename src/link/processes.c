/* Functions that only worker processes run: the initializer of a pool of processes, the target of a process. What
 * they keep in globals is there once for each process, and one thread works in it. Not what code in sight calls or a
 * thread runs as well.
 *
 * Needs what names stand for; fills FuncInfo.process (Python library reference, "concurrent.futures",
 * ProcessPoolExecutor; "multiprocessing", Process and Pool). */
#include "link/link.h"

enum { HANDED = 8 };

/* Pool, ctx.Process: which argument names the function that the processes run; NULL for what makes no processes. */
static const char *runs_argument(const Program *p, u32 file, const Call *c, u32 *position)
{
    const Facts *f = p->facts[file];
    Str ext = path_external(p, file, c->callee), name = call_last(f, c);
    if (str_ends(ext, S(".ThreadPool")) || str_starts(ext, S("multiprocessing.dummy"))) return NULL;
    bool pool = str_is(name, "Pool"), one = str_is(name, "Process");
    *position = pool || one;
    if (str_is(name, "ProcessPoolExecutor")) {
        *position = 2;
        return "initializer";
    }
    if (!(pool || one) || !file_imports(p, file, "multiprocessing")) return NULL;
    return pool ? "initializer" : "target";
}

void processes_find(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            const Call *c = &f->calls.v[i];
            u32 position, out[HANDED];
            const char *keyword = runs_argument(p, file, c, &position);
            for (u32 k = c->args; keyword && k < c->args + c->nargs; k++) {
                const Arg *a = &f->args.v[k];
                Str name = sym_str(f, a->keyword);
                if (name.n ? !str_is(name, keyword) : k - c->args != position) continue;
                u32 n = value_funcs(p, file, a->kind, a->value, out, HANDED);
                for (u32 j = 0; j < n; j++) p->funcs[out[j]].process = true;
            }
        }
    }
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->call != NONE && !e->weak && !e->passed) p->funcs[e->callee].process = false;
    }
}

bool kept_by_process(const Program *p, const Place *x)
{
    bool stored = false;
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        const Access *a = program_access(p, ga);
        if (a->op != OP_STORE || a->func == 0) continue;
        const FuncInfo *fi = &p->funcs[access_func(p, ga)];
        if (!fi->process || fi->nroots) return false;
        stored = true;
    }
    return stored;
}
