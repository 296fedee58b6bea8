/* Functions that are passed to a function which calls its parameter: retry(do), with_lock(self._flush).
 *
 * The one who passes the function is the one in whose thread it runs, so reachability follows an edge from there. The
 * edge from the function that calls its parameter leads to everything that anybody passes; it is right about locks
 * (what is held around the call in the helper is held) and wrong about threads, and is marked for that
 * (CallEdge.param). Only calls that stand in the helper itself count: a decorator's wrapper calls later. */
#include "link/link.h"

enum { PASSED = 8 };

/* Does the function itself call this parameter? */
static bool calls_param(const Facts *f, const Func *fn, u32 func, u32 name)
{
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *x = &f->paths.v[f->calls.v[i].callee];
        if (x->root == ROOT_PARAM && !x->nattr && x->func == func && x->name == name) return true;
    }
    return false;
}

u32 param_of_arg(const Program *p, GId callee, u32 file, const Call *c, u32 arg)
{
    const Facts *f = p->facts[file], *tf = p->facts[callee.file];
    const Func *fn = &tf->funcs.v[callee.id];
    u32 at = fn->cls != NONE && !fn->is_static ? 1 : 0;
    for (u32 i = 0; i < arg; i++) {
        if (f->args.v[c->args + i].star) return NONE;
        at += f->args.v[c->args + i].keyword == SYM_EMPTY;
    }
    const Arg *a = &f->args.v[c->args + arg];
    if (a->star) return NONE;
    if (a->keyword == SYM_EMPTY) return at < fn->nparams ? at : NONE;
    for (u32 k = 0; k < fn->nparams; k++)
        if (str_eq(sym_str(tf, tf->params.v[fn->params + k].name), sym_str(f, a->keyword))) return k;
    return NONE;
}

/* Whoever makes the call passes the function, and has it run. */
static void edge_passed(Program *p, u32 file, const Call *c, u32 gpassed)
{
    vec_push(
        p->arena, &p->edges,
        (CallEdge){
            .caller = gfunc_of(p, file, c->func), .callee = gpassed, .file = file, .call = NONE, .passed = true});
}

void library_callbacks(Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *x = &f->paths.v[c->callee];
    bool sorts = path_is_attr(x) && str_is(path_last(f, x), "sort");
    if (!c->nargs || (x->nattr > 1 && !sorts)) return;
    Str full = path_external(p, file, c->callee);
    if (!sorts && !known_builtin(full, AS_CALLS) && !known_function(full, AS_CALLS)) return;
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *arg = &f->args.v[i];
        if (arg->kind != VAL_PATH && arg->kind != VAL_LAMBDA) continue;
        u32 out[PASSED], n = value_funcs(p, file, arg->kind, arg->value, out, PASSED);
        for (u32 k = 0; k < n; k++) edge_passed(p, file, c, out[k]);
    }
}

void callback_edges(Program *p, u32 file, u32 call, u32 gcallee)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    GId callee = func_gid(p, gcallee);
    const Facts *tf = p->facts[callee.file];
    const Func *fn = &tf->funcs.v[callee.id];
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *arg = &f->args.v[c->args + i];
        if (arg->kind != VAL_PATH && arg->kind != VAL_LAMBDA && arg->kind != VAL_CALL) continue;
        u32 at = param_of_arg(p, callee, file, c, i);
        if (at == NONE || !calls_param(tf, fn, callee.id, tf->params.v[fn->params + at].name)) continue;
        u32 out[PASSED], n = value_funcs(p, file, arg->kind, arg->value, out, PASSED);
        for (u32 k = 0; k < n; k++) edge_passed(p, file, c, out[k]);
    }
}
