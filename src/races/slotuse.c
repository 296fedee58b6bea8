/* UG103 about values that are made on first use and kept in the object under a name that is computed:
 *
 *   def __get__(self, obj, owner):                 def lazy(func):
 *       if not hasattr(obj, self.slot):                slot = "_" + func.__name__
 *           setattr(obj, self.slot, self.f(obj))       @property
 *       return getattr(obj, self.slot)                 def get(self): if not hasattr(self, slot): setattr(…)
 *
 * also with getattr(obj, self.slot, None), and with a handler for AttributeError. Such a descriptor serves all
 * attributes that are made with it, whoever shares the objects; that is why it counts where a first use of one
 * attribute would not. What is asked for by such names elsewhere is mostly a matter of setting up (check.c).
 *
 * Needs the calls of one function. Left alone: what takes a lock, and what is not made by a call of what the
 * descriptor or the property was given. Descriptors that do not ask are in firstuse.c. */
#include "races/races.h"

/* The parameter of the function that is the object, a symbol; SYM_EMPTY: it is no descriptor and no property. */
static u32 object_param(const Facts *x, const Func *fn)
{
    if (fn->cls != NONE && str_is(sym_str(x, fn->name), "__get__"))
        return fn->nparams < 2 ? SYM_EMPTY : x->params.v[fn->params + 1].name;
    return fn->is_property && fn->cls == NONE && fn->parent && fn->nparams ? x->params.v[fn->params].name : SYM_EMPTY;
}

static bool is_object(const Facts *x, const Arg *a, u32 func, u32 object)
{
    const Path *q = a->kind == VAL_PATH ? &x->paths.v[a->value] : NULL;
    return q && q->root == ROOT_PARAM && q->func == func && q->name == object && !q->nattr;
}

static Str arg_text(const Facts *x, const Call *c, u32 n)
{
    Span s = x->args.v[c->args + n].span;
    return str_slice(x->source->text, s.start, s.end);
}

/* setattr(obj, name, …), getattr(obj, name, …), hasattr(obj, name), with a name that is computed? */
static bool by_name(const Program *p, u32 file, const Call *c, u32 object, const char *builtin)
{
    const Facts *x = p->facts[file];
    if (c->nargs < 2 || !is_object(x, &x->args.v[c->args], c->func, object)) return false;
    return x->args.v[c->args + 1].kind != VAL_STRING && str_is(path_external(p, file, c->callee), builtin);
}

/* Does the function call what the descriptor, or the function around the property, was given? Not its own methods. */
static bool calls_given(const Program *p, u32 file, u32 func)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Path *q = &x->paths.v[x->calls.v[i].callee];
        bool captured = q->root == ROOT_PARAM && q->func != func && !q->nattr;
        u32 method;
        bool own = q->root == ROOT_SELF && q->nattr == 1 && !call_targets(p, file, i, &method, 1);
        if (!x->calls.v[i].awaited && (captured || own)) return true;
    }
    return false;
}

/* The branch whose condition has the call in it; or, where a local keeps what the call gave, asks for that: NONE. */
static u32 branch_of(const Facts *x, const Call *c)
{
    const Path *kept = c->target == NONE ? NULL : &x->paths.v[c->target];
    for (u32 i = 0; i < x->conds.n; i++) {
        const Cond *k = &x->conds.v[i];
        if (k->func != c->func || k->is_try || k->loop) continue;
        if (k->head.start <= c->span.start && c->span.end <= k->head.end) return i;
        if (!kept || kept->nattr || k->head.start < c->span.end) continue;
        Str head = str_slice(x->source->text, k->head.start, k->head.end), name = sym_str(x, kept->name);
        if (str_starts(head, S("not "))) head = str_trim(str_slice(head, 4, head.n));
        Str rest = str_slice(head, name.n < head.n ? name.n : head.n, head.n);
        if (str_starts(head, name) && (!rest.n || str_starts(rest, S(" is ")))) return i;
    }
    return NONE;
}

/* Does the call that asks for the name decide whether the other one sets it? */
static bool asks_for(const Facts *x, const Call *ask, const Call *set)
{
    Access t = {
        .func = ask->func, .block = ask->block, .cond = branch_of(x, ask), .test = TEST_FALSE, .span = ask->span};
    Access a = {.func = set->func, .block = set->block, .cond = NONE, .span = set->span};
    return ask->span.end <= set->span.start && str_eq(arg_text(x, ask, 1), arg_text(x, set, 1)) && decides(x, &t, &a);
}

void race_slot_use(Finder *f, u32 file, u32 func)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[func];
    u32 object = object_param(x, fn), set = NONE;
    if (object == SYM_EMPTY || fn->is_async || fn->nsections || p->funcs[gfunc_of(p, file, func)].entry_locks) return;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls && set == NONE; i++)
        if (x->calls.v[i].nargs == 3 && by_name(p, file, &x->calls.v[i], object, "setattr")) set = i;
    if (set == NONE || !calls_given(p, file, func)) return;
    const Call *s = &x->calls.v[set];
    bool asked = false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls && !asked; i++) {
        const Call *c = &x->calls.v[i];
        bool asks = by_name(p, file, c, object, "hasattr") || by_name(p, file, c, object, "getattr");
        asked = asks && asks_for(x, c, s);
    }
    if (!asked) return;
    bool low = is_test_path(x->source->path) || p->vendored[file] || p->one_loop;
    Race *r = race_at(f, UG103, file, func, s->span, func_display(f->a, p, gfunc_of(p, file, func)),
                      low ? CONF_LOW : CONF_MEDIUM);
    r->impact = IMPACT_DUPLICATE;
    r->by_hand = "the lock of the object or of the descriptor has to be held over a second look and the call";
    race_message(
        f, r,
        "the value is made on first use and kept in the object as %.*s; two threads may both make it, and the "
        "second one replaces the first",
        STR_ARG(arg_text(x, s, 1)));
}
