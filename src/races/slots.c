/* Slots of threads: threads are started in a loop over range() or enumerate(), each is given its number, and uses the
 * entry of a shared list that has it alone:
 *
 *   def work(i): counts[i] += 1                       for i in range(n): Thread(target=work, args=(i,)).start()
 *
 * or an entry that was made for it in the same round, found[name] = None; Thread(target=work, args=(name,)).start().
 *
 * Needs the roots. Believed only where one loop starts all such threads, and no main program calls the function; what
 * unknown callers of a public function pass is taken to be such a number as well. Not seen: numbers that are
 * computed, slots in the attributes of objects that the threads are given. */
#include "races/races.h"

/* The parameter of the function that the key is, by its position; NONE. One that is bound again is no slot. */
static u32 key_param(const Facts *f, const Access *a)
{
    const Func *fn = &f->funcs.v[a->func];
    Str key = sym_str(f, a->key);
    u32 found = NONE;
    for (u32 i = 0; i < fn->nparams; i++)
        if (str_eq(sym_str(f, f->params.v[fn->params + i].name), key)) found = i;
    for (u32 i = 0; i < f->defs.n && found != NONE; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE || d->func != a->func || f->paths.v[d->path].nattr) continue;
        if (str_eq(sym_str(f, f->paths.v[d->path].name), key)) return NONE;
    }
    return found != NONE && fn->self_func != NONE && fn->cls != NONE ? found - 1 : found;
}

/* Does `for NAME in range(` or `for NAME, … in enumerate(` bind what the Def binds? */
static bool counts_up(const Facts *f, const Def *d)
{
    Str rest = str_trim(str_slice(f->source->text, d->span.end, MIN(d->span.end + 80u, (u32)f->source->text.n)));
    if (str_starts(rest, S("in range("))) return true;
    size_t at = str_search(rest, S("in enumerate("));
    return at < str_find(rest, '\n') && (at == 0 || rest.p[0] == ',') && at < rest.n;
}

/* Is the argument the number of the one loop that the call stands in? */
static bool is_number(const Facts *f, const Call *call, const Arg *arg)
{
    u32 loops = 0, bound = 0;
    bool counted = false;
    if (arg->kind != VAL_PATH || f->paths.v[arg->value].nattr) return false;
    for (u32 b = call->block; b != NONE; b = f->blocks.v[b].parent)
        loops += block_is_loop(&f->blocks.v[b]);
    Str name = sym_str(f, f->paths.v[arg->value].name);
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE || d->func != call->func || f->paths.v[d->path].nattr) continue;
        if (!str_eq(sym_str(f, f->paths.v[d->path].name), name)) continue;
        bound++;
        counted = counts_up(f, d);
    }
    return loops == 1 && bound == 1 && counted;
}

/* The argument of Thread(args=(…)) or submit(f, …) for the parameter. */
static const Arg *argument_for(const Facts *f, const Call *call, u32 param)
{
    const Path *callee = &f->paths.v[call->callee];
    bool submits = callee->nattr && str_is(path_last(f, callee), "submit");
    char want[16];
    snprintf(want, sizeof want, "args[%u]", param);
    for (u32 i = 0; i < call->nargs; i++) {
        const Arg *arg = &f->args.v[call->args + i];
        if (str_is(sym_str(f, arg->keyword), want)) return arg;
        if (submits && arg->keyword == SYM_EMPTY && i == param + 1) return arg;
    }
    return NULL;
}

/* The one thread start that leads to the function, where nothing else in sight does; NULL. */
static const Root *one_start(const Program *p, u32 gfunc)
{
    const FuncInfo *fi = &p->funcs[gfunc];
    if (fi->main || fi->nroots != 1) return NULL;
    const Root *r = &p->roots.v[fi->roots[0]];
    return r->func == gfunc && r->call != NONE ? r : NULL;
}

bool preset_key(const Program *p, const Place *x, const u32 *acc, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    const Root *r = a->op == OP_ITEM_STORE && a->key != SYM_EMPTY ? one_start(p, access_func(p, ga)) : NULL;
    u32 param = r ? key_param(f, a) : NONE;
    if (param == NONE) return false;
    const Facts *from = p->facts[r->file];
    const Call *start = &from->calls.v[r->call];
    const Arg *arg = argument_for(from, start, param);
    if (!arg) return false;
    Str key = str_slice(from->source->text, arg->span.start, arg->span.end);
    for (u32 i = 0; i < x->n; i++) {
        const Access *set = program_access(p, acc[i]);
        if (access_file(p, acc[i]) != r->file || set->func != start->func || set->op != OP_ITEM_STORE) continue;
        if (str_eq(sym_str(from, set->key), key) && set->span.end <= start->span.start &&
            block_within(from, start->block, set->block))
            return true;
    }
    return false;
}

bool own_slot(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    u32 gfunc = access_func(p, ga), starts = 0;
    if ((a->op != OP_ITEM_AUG && a->op != OP_ITEM_STORE) || a->key == SYM_EMPTY || p->funcs[gfunc].main) return false;
    u32 param = key_param(f, a);
    for (u32 i = ROOT_API + 1; i < p->roots.n && param != NONE; i++) {
        const Root *r = &p->roots.v[i];
        if (r->func != gfunc) continue;
        if (r->call == NONE || starts++) return false;
        const Call *call = &p->facts[r->file]->calls.v[r->call];
        const Arg *arg = argument_for(p->facts[r->file], call, param);
        if (!arg || !is_number(p->facts[r->file], call, arg)) return false;
    }
    return starts == 1 && param != NONE && p->funcs[gfunc].nroots == 1;
}
