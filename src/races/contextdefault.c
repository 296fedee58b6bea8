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

/* What is done with the variables of a file. */
typedef struct Use {
    u32 func; /* where what get() gives is first changed, in a function that runs after the imports; NONE */
    Span at;
    bool set; /* somebody in the program, outside of tests, sets the variable, or one of its name */
} Use;

typedef struct Uses {
    Arena a;
    Map index; /* the variable, a symbol of the file → index in v */
    Vec(Use) v;
} Uses;

static Use *use_of(Uses *u, u32 var)
{
    u32 *at = map_at(&u->a, &u->index, var);
    if (*at == NONE) {
        *at = u->v.n;
        vec_push(&u->a, &u->v, (Use){.func = NONE});
    }
    return &u->v.v[*at];
}

/* v.set(…), module.v.set(…) */
static void sets_find(Uses *u, const Program *p, u32 file)
{
    for (u32 k = 0; k < p->nfiles; k++) {
        const Facts *x = p->facts[k];
        if (is_test_path(x->source->path)) continue;
        for (u32 i = 0; i < x->calls.n; i++) {
            const Path *q = &x->paths.v[x->calls.v[i].callee];
            if (!q->nattr || !str_is(path_last(x, q), "set")) continue;
            u32 var = intern_find(&p->facts[file]->syms, sym_str(x, q->nattr > 1 ? q->attr[q->nattr - 2] : q->name));
            if (var != NONE) use_of(u, var)->set = true;
        }
    }
}

/* The variable whose v.get() the root of the path is, at once or by a name; NONE. */
static u32 got_from(const Program *p, u32 file, const Path *q)
{
    const Facts *x = p->facts[file];
    u32 call = q->root == ROOT_CALL ? q->func : NONE;
    if (q->root == ROOT_LOCAL) {
        const Def *d = local_def(p, file, q->func, q->name);
        if (d && d->kind == VAL_CALL) call = d->value;
    }
    if (call == NONE) return NONE;
    const Path *get = &x->paths.v[x->calls.v[call].callee];
    bool gets = get->root == ROOT_GLOBAL && get->nattr == 1 && !x->calls.v[call].nargs &&
                str_is(sym_str(x, get->attr[0]), "get");
    return gets ? get->name : NONE;
}

static void change_add(Uses *u, const Program *p, u32 file, const Path *q, u32 func, Span at)
{
    u32 var = got_from(p, file, q);
    Use *use = var == NONE ? NULL : use_of(u, var);
    if (use && (use->func == NONE || at.start < use->at.start)) use->func = func, use->at = at;
}

static void changes_find(Uses *u, const Program *p, u32 file)
{
    static const char *const methods[] = {"pop", "update", "clear", "remove", "discard", "popleft", "popitem"};
    const Facts *x = p->facts[file];
    for (u32 i = 0; i < x->defs.n; i++) { /* v.get()[k] = …, and what append() puts there */
        const Def *d = &x->defs.v[i];
        const Path *q = d->path == NONE || d->is_return ? NULL : &x->paths.v[d->path];
        if (q && d->func && q->nattr == 1 && q->attr[0] == SYM_ITEM) change_add(u, p, file, q, d->func, d->span);
    }
    for (u32 i = 0; i < x->calls.n; i++) {
        const Call *c = &x->calls.v[i];
        const Path *q = &x->paths.v[c->callee];
        if (c->func && q->nattr == 1 && str_among(sym_str(x, q->attr[0]), methods, COUNT_OF(methods)))
            change_add(u, p, file, q, c->func, c->span);
    }
}

void race_context_default(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    Uses uses = {0};
    if (intern_find(&x->syms, S("ContextVar")) == NONE) return;
    changes_find(&uses, p, file);
    if (uses.v.n) sets_find(&uses, p, file);
    for (u32 i = 0; i < x->defs.n && uses.v.n; i++) {
        u32 var = made_with_container(p, file, &x->defs.v[i]);
        u32 known = var == NONE ? NONE : map_get(&uses.index, var);
        const Use *use = known == NONE ? NULL : &uses.v.v[known];
        if (!use || use->set || use->func == NONE) continue;
        const FuncInfo *fi = &p->funcs[gfunc_of(p, file, use->func)];
        if (fi->import_time || (!fi->threads && !fi->api) || is_test_path(x->source->path)) continue;
        Call change = {.func = use->func, .span = use->at};
        if (fi->entry_locks || lock_around(p, file, &change) != NONE) continue;
        Race *r = race_at(f, UG403, file, use->func, use->at, sym_str(x, var), CONF_MEDIUM);
        race_message(f, r,
                     "the default of %.*s is one object for all threads and contexts, and this changes it for all; "
                     "each has to set one of its own",
                     STR_ARG(sym_str(x, var)));
    }
    arena_free(&uses.a);
}
