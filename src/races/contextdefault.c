/* UG403 about context variables whose default is a container:
 *
 *   _stack = ContextVar("stack", default=[])
 *   _stack.get().append(x)
 *
 * The default is one object for all contexts and threads that never set the variable; what was meant to be each
 * one's own is shared by all.
 *
 * Needs the definitions and calls of the file that makes the variable. Nobody in the program may set it: where
 * somebody does, the default is for those who only look. Not seen: what leaves by other functions. */
#include "races/races.h"

static bool is_container(const Facts *x, const Arg *a)
{
    static const char *const makers[] = {"list", "dict", "set", "defaultdict", "deque"};
    if (a->kind == VAL_LIST || a->kind == VAL_DICT || a->kind == VAL_SET) return true;
    if (a->kind != VAL_CALL) return false;
    return str_among(call_last(x, &x->calls.v[a->value]), makers, COUNT_OF(makers));
}

/* v = ContextVar("v", default=[]) of the module: its name, a symbol; NONE. */
static u32 made_with_container(const Program *p, u32 file, const Def *d)
{
    const Facts *x = p->facts[file];
    if (d->func || d->kind != VAL_CALL || d->path == NONE || d->is_return) return NONE;
    const Path *to = &x->paths.v[d->path];
    const Call *c = &x->calls.v[d->value];
    if (to->root != ROOT_GLOBAL || to->nattr || !str_is(path_external(p, file, c->callee), "contextvars.ContextVar"))
        return NONE;
    for (u32 i = c->args; i < c->args + c->nargs; i++)
        if (str_is(sym_str(x, x->args.v[i].keyword), "default") && is_container(x, &x->args.v[i])) return to->name;
    return NONE;
}

/* Does the path name the method of the variable? */
static bool is_method(const Facts *x, const Path *q, Str var, const char *method)
{
    if (!q->nattr || !str_is(path_last(x, q), method)) return false;
    return str_eq(sym_str(x, q->nattr > 1 ? q->attr[q->nattr - 2] : q->name), var);
}

static bool is_set(const Program *p, Str var)
{
    for (u32 k = 0; k < p->nfiles; k++) {
        const Facts *x = p->facts[k];
        if (intern_find(&x->syms, var) == NONE || is_test_path(x->source->path)) continue;
        for (u32 i = 0; i < x->calls.n; i++)
            if (is_method(x, &x->paths.v[x->calls.v[i].callee], var, "set")) return true;
    }
    return false;
}

/* Is the root of the path what v.get() gives, at once or by a name? */
static bool is_got(const Program *p, u32 file, const Path *q, u32 var)
{
    const Facts *x = p->facts[file];
    u32 call = q->root == ROOT_CALL ? q->func : NONE;
    if (q->root == ROOT_LOCAL) {
        const Def *d = local_def(p, file, q->func, q->name);
        if (d && d->kind == VAL_CALL) call = d->value;
    }
    if (call == NONE) return false;
    const Path *get = &x->paths.v[x->calls.v[call].callee];
    return get->root == ROOT_GLOBAL && get->name == var && get->nattr == 1 && !x->calls.v[call].nargs &&
           str_is(sym_str(x, get->attr[0]), "get");
}

/* The first change of what v.get() gives, in a function that runs after the imports. */
static bool first_change(const Program *p, u32 file, u32 var, u32 *func, Span *at)
{
    static const char *const methods[] = {"pop", "update", "clear", "remove", "discard", "popleft", "popitem"};
    const Facts *x = p->facts[file];
    *func = NONE;
    for (u32 i = 0; i < x->defs.n; i++) { /* v.get()[k] = …, and what append() puts there */
        const Def *d = &x->defs.v[i];
        const Path *q = d->path == NONE || d->is_return ? NULL : &x->paths.v[d->path];
        if (!q || !d->func || q->nattr != 1 || q->attr[0] != SYM_ITEM || !is_got(p, file, q, var)) continue;
        if (*func == NONE || d->span.start < at->start) *func = d->func, *at = d->span;
    }
    for (u32 i = 0; i < x->calls.n; i++) {
        const Call *c = &x->calls.v[i];
        const Path *q = &x->paths.v[c->callee];
        if (!c->func || q->nattr != 1 || !str_among(sym_str(x, q->attr[0]), methods, COUNT_OF(methods))) continue;
        if (is_got(p, file, q, var) && (*func == NONE || c->span.start < at->start)) *func = c->func, *at = c->span;
    }
    return *func != NONE;
}

void race_context_default(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    u32 func;
    Span at = {0};
    if (intern_find(&x->syms, S("ContextVar")) == NONE) return;
    for (u32 i = 0; i < x->defs.n; i++) {
        u32 var = made_with_container(p, file, &x->defs.v[i]);
        if (var == NONE || is_set(p, sym_str(x, var)) || !first_change(p, file, var, &func, &at)) continue;
        const FuncInfo *fi = &p->funcs[gfunc_of(p, file, func)];
        if (fi->import_time || (!fi->threads && !fi->api) || is_test_path(x->source->path)) continue;
        Call change = {.func = func, .span = at};
        if (fi->entry_locks || lock_around(p, file, &change) != NONE) continue;
        Race *r = race_at(f, UG403, file, func, at, sym_str(x, var), CONF_MEDIUM);
        race_message(f, r,
                     "the default of %.*s is one object for all threads and contexts, and this changes it for all; "
                     "each has to set one of its own",
                     STR_ARG(sym_str(x, var)));
    }
}
