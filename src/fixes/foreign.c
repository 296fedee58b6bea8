/* Code of others that would run while a lock is held: what the program was given to call.
 *
 * A parameter that is called, a callback in an attribute or in a registry, what getattr() finds by a computed name, a
 * method by whose name somebody is told of something, the next item of an iterator that came from outside. Nobody
 * knows what such code does: it may wait for a thread that needs the lock, or take a lock under which others come for
 * this one. Not meant are methods of unknown objects that are used like containers, files or loggers, and the making
 * of objects of classes. */
#include "fixes/fixes.h"

static bool contains_any(Str s, const char *const *words, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (str_contains(s, str_from(words[i]))) return true;
    return false;
}

bool named_for_code(Str name)
{
    static const char *const words[] = {"callback", "handler", "listener", "observer", "hook", "subscriber"};
    return contains_any(name, words, COUNT_OF(words));
}

/* add_listener() and the like only keep what they are given. */
static bool tells(Str name)
{
    static const char *const verbs[] = {"emit", "notify", "trigger", "dispatch", "broadcast"};
    static const char *const keeps[] = {"add",        "remove", "set_", "get_", "register",
                                        "unregister", "attach", "has_", "is_"};
    if (str_starts_any(name, keeps, COUNT_OF(keeps))) return false;
    if (named_for_code(name) || contains_any(name, verbs, COUNT_OF(verbs))) return true;
    return str_starts(name, S("on_")) || str_starts(name, S("_on_"));
}

/* Is it the result of getattr(), or of a look-up in a container: getattr(o, name)(), handlers.get(name)()? */
static bool looked_up(const Plan *pl, u32 file, u32 call)
{
    static const char *const takes[] = {"get", "pop", "popleft", "popitem", "setdefault"};
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[f->calls.v[call].callee];
    Str name = path_last(f, p);
    if (!p->nattr) return p->root == ROOT_GLOBAL && (str_is(name, "getattr") || str_is(name, "next"));
    if (!str_among(name, takes, COUNT_OF(takes)) || p->truncated) return false;
    Type t = ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u));
    return t.kind != TYPE_QUEUE && t.kind != TYPE_EXTERNAL && t.kind != TYPE_CLASS;
}

/* May the local be bound to something that was given from outside, or is kept for later? */
static bool local_given(const Plan *pl, u32 file, const Path *p)
{
    const Facts *f = pl->p->facts[file];
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *to = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (!to || to->root != ROOT_LOCAL || to->nattr || to->name != p->name || to->func != p->func) continue;
        if (d->kind == VAL_ITER_OF) return true;
        if (d->kind == VAL_OTHER && d->item_of != NONE) return true; /* for name, f in self.callbacks.items() */
        if (d->kind == VAL_PATH) {
            const Path *from = &f->paths.v[d->value];
            if (from->nattr ? from->attr[from->nattr - 1] == SYM_ITEM : from->root == ROOT_PARAM) return true;
        }
        if (d->kind != VAL_CALL) continue;
        u32 target;
        if (looked_up(pl, file, d->value) || call_targets(pl->p, file, d->value, &target, 1)) return true;
    }
    return false;
}

/* Is what the place holds given by a caller, be it after it was None, and not a method of something else,
 * self._send = sock.send? */
static bool place_given(Plan *pl, u32 place)
{
    u32 from, to;
    bool given = false;
    place_defs(pl, place, &from, &to);
    for (u32 i = from; i < to; i++) {
        const Facts *f = pl->p->facts[pl->defs.v[i].file];
        const Def *d = &f->defs.v[pl->defs.v[i].id];
        const Path *p = d->kind == VAL_PATH ? &f->paths.v[d->value] : NULL;
        if (d->kind == VAL_NONE) continue;
        if (p ? p->nattr || p->root != ROOT_PARAM : d->kind != VAL_OTHER) return false;
        given = true;
    }
    return given || from < to;
}

/* Is it given by whoever makes the object, in a library whose users are not known? Whatever some are seen to pass,
 * others may pass anything. */
static bool anybody_gives(Plan *pl, u32 place)
{
    u32 from, to;
    if (!place_given(pl, place)) return false;
    place_defs(pl, place, &from, &to);
    for (u32 i = from; i < to; i++) {
        u32 file = pl->defs.v[i].file;
        const Facts *f = pl->p->facts[file];
        const Def *d = &f->defs.v[pl->defs.v[i].id];
        const FuncInfo *fi =
            d->kind == VAL_PATH ? &pl->p->funcs[gfunc_of(pl->p, file, f->paths.v[d->value].func)] : NULL;
        if (fi && fi->api) return true;
    }
    return false;
}

/* Is it an argument with a default that is code, made a parameter to have it at hand: def f(x, type=type)? */
static bool bound_by_default(const Facts *f, const Path *p)
{
    const Func *fn = &f->funcs.v[p->func];
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++)
        if (f->params.v[i].name == p->name) return f->params.v[i].has_default && f->params.v[i].def_kind == VAL_PATH;
    return false;
}

/* A class, or what a library made to be called. */
static bool makes_objects(Type t)
{
    return t.kind == TYPE_CLASS_OBJECT || t.kind == TYPE_EXTERNAL;
}

static bool named_for_class(Str name)
{
    return str_ends(name, S("class")) || str_ends(name, S("cls")) || str_ends(name, S("Class")) ||
           str_ends(name, S("_type"));
}

/* next(stream), of what is not known to be an iterator of ours. */
static bool next_of_given(const Plan *pl, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    if (p->nattr || p->root != ROOT_GLOBAL || !str_is(sym_str(f, p->name), "next") || !c->nargs) return false;
    const Arg *a = &f->args.v[c->args];
    if (a->kind != VAL_PATH) return false;
    Type t = path_type(pl->p, file, a->value);
    return t.kind == TYPE_UNKNOWN || t.kind == TYPE_NONE;
}

bool foreign_call(Plan *pl, u32 file, u32 call, bool below)
{
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *p = &f->paths.v[c->callee];
    u32 target;
    Str name = path_last(f, p);
    if (p->truncated || p->root == ROOT_SUPER || str_starts(name, S("__"))) return false;
    if (next_of_given(pl, file, c)) return true;
    Ent e = path_entity(pl->p, file, c->callee);
    bool held = e.kind == ENT_PLACE && p->nattr == 1 && p->root != ROOT_GLOBAL; /* self.accepts(x), event.filter(x) */
    if (held && !below && anybody_gives(pl, e.id) && !named_for_class(name)) return true;
    if (call_targets(pl->p, file, call, &target, 1) || path_external(pl->p, file, c->callee).n) return false;
    if (makes_objects(path_type(pl->p, file, c->callee)) || named_for_class(name)) return false;
    if (path_is_item(p)) return true;       /* handlers[name]() */
    if (!p->nattr && p->root == ROOT_PARAM) /* what a wrapper has captured is what was decorated */
        return !bound_by_default(f, p) && !(below && p->func != c->func);
    if (!p->nattr && p->root == ROOT_CALL) return looked_up(pl, file, p->func);
    if (!p->nattr) return p->root == ROOT_LOCAL && local_given(pl, file, p);
    if (held) return place_given(pl, e.id);
    return tells(name) && call_unknown(pl->p, file, call);
}

Str callee_text(Plan *pl, u32 file, u32 call)
{
    enum { TEXT_MAX = 50 };
    const Ast *t = site_ast(pl, file);
    const Call *c = &pl->p->facts[file]->calls.v[call];
    u32 n = ast_at(t, c->span), fn = ast_is(t, n, NODE_call) ? ast_field(t, n, FIELD_function) : NONE;
    Str text = fn == NONE ? S("") : ast_text(t, fn);
    if (!text.n || text.n > TEXT_MAX || str_find(text, '\n') != text.n) return S("a function");
    return str_fmt(pl->a, "%.*s()", STR_ARG(text));
}
