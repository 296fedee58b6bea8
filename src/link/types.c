/* Types: what kind of object a place, a local or a call's result is, from assignments, annotations, constructors and
 * returns. One kind per place: the first that is known, containers and locks before None. Depth is bounded; a name
 * whose type depends on itself has none. */
#include "link/link.h"

enum { MAX_DEPTH = 24 };

static const Type unknown = {TYPE_UNKNOWN, NONE};

const char *const type_name[TYPE_KINDS] = {"unknown",
                                           "None",
                                           "number",
                                           "string",
                                           "list",
                                           "dict",
                                           "set",
                                           "tuple",
                                           "deque",
                                           "OrderedDict",
                                           "defaultdict",
                                           "Counter",
                                           "cachetools cache",
                                           "weak dict",
                                           "WeakSet",
                                           "bytearray",
                                           "array",
                                           "queue",
                                           "generator",
                                           "iterator",
                                           "itertools.count",
                                           "Lock",
                                           "RLock",
                                           "Condition",
                                           "Semaphore",
                                           "Event",
                                           "thread-local",
                                           "ContextVar",
                                           "Thread",
                                           "executor",
                                           "reader-writer lock",
                                           "asyncio lock",
                                           "process",
                                           "multiprocessing object",
                                           "module",
                                           "object",
                                           "class",
                                           "function",
                                           "external"};

static const struct {
    const char *name;
    u8 kind;
} library_types[] = {
#define TYPE(name, kind) {name, kind},
#include "know/types.def"
#undef TYPE
};

bool type_is_lock(u8 kind)
{
    return kind == TYPE_LOCK || kind == TYPE_RLOCK || kind == TYPE_CONDITION || kind == TYPE_SEMAPHORE ||
           kind == TYPE_RWLOCK;
}

bool type_is_container(u8 kind)
{
    return kind >= TYPE_LIST && kind <= TYPE_WEAK_SET && kind != TYPE_TUPLE;
}

bool type_holds_items(u8 kind)
{
    return type_is_container(kind) || kind == TYPE_BYTEARRAY || kind == TYPE_ARRAY || kind == TYPE_QUEUE;
}

bool sounds_like_lock(Str name)
{
    if (str_has_word(name, "unlock") || str_has_word(name, "block") || str_has_word(name, "clock") ||
        str_has_word(name, "locked") || str_has_word(name, "flock")) {
        if (!str_has_word(name, "_lock") && !str_has_word(name, "rlock")) return false;
    }
    static const char *const words[] = {"lock",      "mutex",     "semaphore", "critical", "synchron",
                                        "exclusive", "condition", "_cond",     "_sem",     "_cv"};
    if (str_has_any(name, words, COUNT_OF(words))) return true;
    return str_is(name, "cond") || str_is(name, "sem") || str_is(name, "mtx") || str_is(name, "cv");
}

Type external_type(const Program *p, Str dotted)
{
    dotted = toolkit_name(dotted);
    for (u32 i = 0; i < COUNT_OF(library_types); i++) {
        if (!dotted.n || dotted.p[0] != library_types[i].name[0] || !str_is(dotted, library_types[i].name)) continue;
        u8 kind = library_types[i].kind;
        return (Type){kind, kind == TYPE_EXTERNAL ? intern(p->arena, (Intern *)(uintptr_t)&p->syms, dotted) : NONE};
    }
    return unknown;
}

static Type annotation_type(const Program *p, u32 file, u32 path)
{
    Ent e = path_entity(p, file, path);
    if (e.kind == ENT_CLASS) return (Type){TYPE_CLASS, e.id};
    if (e.kind != ENT_EXTERNAL) return unknown;
    Str name = p->syms.strs[e.id];
    static const struct {
        const char *name;
        u8 kind;
    } words[] = {{"typing.Dict", TYPE_DICT},
                 {"typing.List", TYPE_LIST},
                 {"typing.Set", TYPE_SET},
                 {"typing.Deque", TYPE_DEQUE},
                 {"typing.DefaultDict", TYPE_DEFAULT_DICT},
                 {"typing.OrderedDict", TYPE_ORDERED_DICT},
                 {"typing.Counter", TYPE_COUNTER},
                 {"Dict", TYPE_DICT},
                 {"List", TYPE_LIST},
                 {"Set", TYPE_SET}};
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (str_is(name, words[i].name)) return (Type){words[i].kind, NONE};
    return external_type(p, name);
}

static Type path_value_type(const Program *p, u32 file, u32 path)
{
    return ent_type(p, path_entity(p, file, path));
}

static Type def_value_type(const Program *p, u32 file, const Def *d)
{
    const Facts *f = p->facts[file];
    switch (d->kind) {
    case VAL_NONE: return (Type){TYPE_NONE, NONE};
    case VAL_BOOL:
    case VAL_NUMBER: return (Type){TYPE_NUMBER, NONE};
    case VAL_STRING: return (Type){TYPE_STRING, NONE};
    case VAL_LIST: return (Type){TYPE_LIST, NONE};
    case VAL_DICT: return (Type){TYPE_DICT, NONE};
    case VAL_SET: return (Type){TYPE_SET, NONE};
    case VAL_TUPLE: return (Type){TYPE_TUPLE, NONE};
    case VAL_GENERATOR: return (Type){TYPE_GENERATOR, NONE};
    case VAL_LAMBDA:
    case VAL_FUNC: return (Type){TYPE_FUNC, gfunc_of(p, file, d->value)};
    case VAL_CLASS: return (Type){TYPE_CLASS_OBJECT, gclass_of(p, file, d->value)};
    case VAL_CALL: return call_type(p, file, d->value);
    case VAL_PATH: return path_value_type(p, file, d->value);
    case VAL_ENTER_OF: return path_value_type(p, file, d->value);
    case VAL_ITER_OF: return element_type(p, file, path_entity(p, file, d->value));
    default: (void)f; return unknown;
    }
}

Type def_type(const Program *p, u32 file, const Def *d)
{
    LinkState *s = p->state;
    if (s->depth > MAX_DEPTH) return unknown;
    s->depth++;
    Type t = unknown;
    if (!(d->augmented && d->annotation == NONE)) t = def_value_type(p, file, d);
    if (d->annotation != NONE && (t.kind == TYPE_UNKNOWN || t.kind == TYPE_NONE || t.kind == TYPE_EXTERNAL)) {
        Type by = annotation_type(p, file, d->annotation);
        if (by.kind != TYPE_UNKNOWN) t = by;
    }
    s->depth--;
    return t;
}

/* Of two candidates the more telling one; the first wins between equals. */
static Type better(Type a, Type b)
{
    if (a.kind == TYPE_UNKNOWN) return b;
    if (a.kind == TYPE_NONE && b.kind != TYPE_UNKNOWN) return b;
    bool plain = a.kind == TYPE_NUMBER || a.kind == TYPE_STRING || a.kind == TYPE_TUPLE; /* what never changes */
    if ((a.kind == TYPE_EXTERNAL || plain) && (b.kind == TYPE_CLASS || type_holds_items(b.kind))) return b;
    return a;
}

/* Types found once are kept; while one is being found it is unknown, so that what depends on itself has no type.
 * True: *at has the answer or will have it; false: find it and store it there. */
static bool remembered(const Program *p, Map *m, u64 key, u32 *at)
{
    LinkState *s = p->state;
    u32 *slot = map_at(s->a, m, key);
    if (*slot != NONE) {
        *at = *slot;
        return true;
    }
    vec_push(s->a, &s->types, unknown);
    *at = *slot = s->types.n - 1;
    return false;
}

/* An object of a class that the tests have made for themselves: it says nothing of what else is passed, or put there.
 */
static bool stands_in(const Program *p, u32 file, Type t)
{
    return t.kind == TYPE_CLASS && file != NONE && p->tests[class_gid(p, t.id).file] && !p->tests[file];
}

/* home: the file whose state it is; NONE for locals. */
static Type chain_type(const Program *p, u32 first, u32 home)
{
    Type t = unknown;
    u32 n = 0;
    for (u32 i = first; i != NONE && n < 12; i = p->state->defrefs.v[i].next, n++) {
        const DefRef *r = &p->state->defrefs.v[i];
        Type d = def_type(p, r->file, &p->facts[r->file]->defs.v[r->def]);
        if (!stands_in(p, home, d)) t = better(t, d);
    }
    return t;
}

Type place_type(const Program *p, u32 place)
{
    LinkState *s = p->state;
    while (s->place_state.n < p->places.n) vec_push(s->a, &s->place_state, 0);
    if (s->place_state.v[place] == 2) return p->places.v[place].type;
    if (s->place_state.v[place] == 1) return unknown;
    s->place_state.v[place] = 1;
    Type t = chain_type(p, map_get(&s->place_defs, place), p->places.v[place].file);
    if (str_is(p->syms.strs[p->places.v[place].name], "__dict__")) t = (Type){TYPE_DICT, NONE};
    bool server = t.kind == TYPE_UNKNOWN && p->places.v[place].kind == PLACE_INSTANCE &&
                  str_is(p->syms.strs[p->places.v[place].name], "server");
    u32 cls = server ? server_of(p, p->places.v[place].owner) : NONE;
    if (cls != NONE) t = (Type){TYPE_CLASS, cls};
    p->places.v[place].type = t;
    s->place_state.v[place] = 2;
    return t;
}

/* The type of the k-th argument that callers pass. */
static Type passed_type(const Program *p, const ParamInfo *pi, u32 k)
{
    u32 file = pi->from[k].file, value = pi->from[k].value;
    switch (pi->from[k].kind) {
    case VAL_PATH: return path_value_type(p, file, value);
    case VAL_CALL: return call_type(p, file, value);
    default: return unknown;
    }
}

static Type param_type(const Program *p, u32 file, const Func *fn, u32 sym)
{
    const Facts *f = p->facts[file];
    LinkState *s = p->state;
    for (u32 i = 0; i < fn->nparams; i++) {
        const Param *x = &f->params.v[fn->params + i];
        if (x->name != sym || x->star || x->star2) continue;
        Type t = x->annotation == NONE ? unknown : annotation_type(p, file, x->annotation);
        u32 around = i == 0 && fn->cls == NONE && str_is(sym_str(f, sym), "self")
                         ? class_around(p, file, (u32)(fn - f->funcs.v))
                         : NONE;
        if (around != NONE) return (Type){TYPE_CLASS, around};
        if (t.kind != TYPE_UNKNOWN || !s->params || s->depth > MAX_DEPTH) return t;
        const ParamInfo *pi = &s->params[s->param_base[file] + fn->params + i];
        s->depth++;
        for (u32 k = 0; k < pi->n; k++) {
            Type passed = passed_type(p, pi, k);
            if (!stands_in(p, file, passed)) t = better(t, passed);
        }
        s->depth--;
        return t;
    }
    return unknown;
}

Type local_type(const Program *p, u32 file, u32 func, u32 sym)
{
    LinkState *s = p->state;
    u32 at;
    if (s->depth > MAX_DEPTH) return unknown;
    if (remembered(p, &s->local_types, local_key(file, func, sym), &at)) return s->types.v[at];
    s->depth++;
    Type t = chain_type(p, map_get(&s->local_defs, local_key(file, func, sym)), NONE);
    if (t.kind == TYPE_UNKNOWN || t.kind == TYPE_NONE)
        t = better(t, param_type(p, file, &p->facts[file]->funcs.v[func], sym));
    s->depth--;
    return s->types.v[at] = t;
}

/* self.jobs = jobs: what is in it is what is in the container that it was given. */
static Type items_of_origin(const Program *p, u32 place)
{
    Type t = unknown;
    u32 n = 0;
    for (u32 i = map_get(&p->state->place_defs, place); i != NONE && n < 4; i = p->state->defrefs.v[i].next, n++) {
        const DefRef *r = &p->state->defrefs.v[i];
        const Def *d = &p->facts[r->file]->defs.v[r->def];
        if (d->kind == VAL_PATH) t = better(t, element_type(p, r->file, path_entity(p, r->file, d->value)));
    }
    return t;
}

Type element_type(const Program *p, u32 file, Ent e)
{
    LinkState *s = p->state;
    if (s->depth > MAX_DEPTH || (e.kind != ENT_PLACE && e.kind != ENT_LOCAL)) return unknown;
    u64 key = e.kind == ENT_PLACE ? e.id : local_key(file, func_gid(p, e.id).id, e.sym) + 1;
    u32 at;
    if (remembered(p, &s->element_types, key, &at)) return s->types.v[at];
    s->depth++;
    Type t = chain_type(p, map_get(&s->elem_defs, key), e.kind == ENT_PLACE ? p->places.v[e.id].file : NONE);
    if (t.kind == TYPE_UNKNOWN && e.kind == ENT_PLACE) t = items_of_origin(p, e.id);
    s->depth--;
    return s->types.v[at] = t;
}

/* @property, @staticmethod and @classmethod leave what a generator function gives as it is; of others nobody knows:
 * some give a generator that has a lock. */
static bool plain_decorators(const Program *p, GId g)
{
    static const char *const plain[] = {"property", "staticmethod", "classmethod"};
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++) {
        const Path *x = &f->paths.v[f->decorators.v[i]];
        if (x->nattr || !str_among(sym_str(f, x->name), plain, COUNT_OF(plain))) return false;
    }
    return true;
}

static Type return_type_find(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    LinkState *s = p->state;
    if (fn->is_generator) return fn->ndecorators && !plain_decorators(p, g) ? unknown : (Type){TYPE_GENERATOR, NONE};
    if (fn->returns != NONE) {
        Type t = annotation_type(p, g.file, fn->returns);
        if (t.kind != TYPE_UNKNOWN) return t;
    }
    Type t = unknown;
    for (u32 i = map_get(&s->local_defs, local_key(g.file, g.id, SYM_EMPTY)); i != NONE && t.kind == TYPE_UNKNOWN;
         i = s->defrefs.v[i].next)
        t = better(t, def_type(p, g.file, &f->defs.v[s->defrefs.v[i].def]));
    return t;
}

/* What a function of ours returns. */
static Type return_type(const Program *p, u32 gfunc)
{
    LinkState *s = p->state;
    u32 at;
    if (s->depth > MAX_DEPTH) return unknown;
    if (remembered(p, &s->return_types, gfunc, &at)) return s->types.v[at];
    s->depth++;
    Type t = return_type_find(p, gfunc);
    s->depth--;
    return s->types.v[at] = t;
}

Type ent_type(const Program *p, Ent e)
{
    switch (e.kind) {
    case ENT_PLACE: return place_type(p, e.id);
    case ENT_INSTANCE: return (Type){TYPE_CLASS, e.id};
    case ENT_CLASS: return (Type){TYPE_CLASS_OBJECT, e.id};
    case ENT_MODULE: return (Type){TYPE_MODULE, e.id};
    case ENT_LOCAL: {
        GId g = func_gid(p, e.id);
        return local_type(p, g.file, g.id, e.sym);
    }
    case ENT_FUNC: {
        GId g = func_gid(p, e.id);
        return p->facts[g.file]->funcs.v[g.id].is_property ? return_type(p, e.id) : (Type){TYPE_FUNC, e.id};
    }
    case ENT_EXTERNAL: return unknown;
    default: return unknown;
    }
}

/* Container = OrderedDict in a class or module: what self.Container() makes, when the library's class is its only
 * value. */
static Type library_class(const Program *p, u32 place)
{
    u32 first = map_get(&p->state->place_defs, place);
    if (first == NONE || p->state->defrefs.v[first].next != NONE) return unknown;
    const DefRef *r = &p->state->defrefs.v[first];
    const Def *d = &p->facts[r->file]->defs.v[r->def];
    Ent e = d->kind == VAL_PATH ? path_entity(p, r->file, d->value) : (Ent){ENT_NONE, NONE, NONE, NONE};
    return e.kind == ENT_EXTERNAL ? external_type(p, p->syms.strs[e.id]) : unknown;
}

/* The class of all that is put into a container, as far as it is known of each item; unknown where they differ, as
 * the values of a record do. */
static Type items_of_one_class(const Program *p, u32 file, Ent e)
{
    const LinkState *s = p->state;
    u64 key = e.kind == ENT_PLACE ? e.id : local_key(file, func_gid(p, e.id).id, e.sym) + 1;
    Type all = unknown;
    for (u32 i = map_get(&s->elem_defs, key); i != NONE; i = s->defrefs.v[i].next) {
        const DefRef *r = &s->defrefs.v[i];
        Type t = def_type(p, r->file, &p->facts[r->file]->defs.v[r->def]);
        if (t.kind == TYPE_NONE) continue;
        if (t.kind != TYPE_CLASS || (all.kind == TYPE_CLASS && all.id != t.id)) return unknown;
        all = t;
    }
    return all;
}

/* self.jobs.get(key), self.jobs.setdefault(key, Job()): an item of the container. */
static Type item_given(const Program *p, u32 file, u32 callee)
{
    const Path *x = &p->facts[file]->paths.v[callee];
    if (!x->nattr || x->truncated) return unknown;
    Str name = path_last(p->facts[file], x);
    if (!str_is(name, "get") && !str_is(name, "setdefault")) return unknown;
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    return type_is_container(ent_type(p, e).kind) ? items_of_one_class(p, file, e) : unknown;
}

/* deque.copy(), dict.pop and the like are not followed; views of containers are seen through in races/. */
Type call_type(const Program *p, u32 file, u32 call)
{
    const Facts *f = p->facts[file];
    LinkState *s = p->state;
    if (s->depth > MAX_DEPTH) return unknown;
    s->depth++;
    Ent e = path_entity(p, file, f->calls.v[call].callee);
    Type t = unknown;
    if (e.kind == ENT_CLASS) t = (Type){TYPE_CLASS, e.id};
    if (e.kind == ENT_NONE) t = item_given(p, file, f->calls.v[call].callee);
    if (e.kind == ENT_FUNC) {
        GId g = func_gid(p, e.id);
        const Func *fn = &p->facts[g.file]->funcs.v[g.id];
        t = fn->is_async ? unknown : return_type(p, e.id);
    }
    if (e.kind == ENT_EXTERNAL) {
        Str dotted = p->syms.strs[e.id], last = str_last(dotted, '.');
        t = external_type(p, dotted);
        if (t.kind == TYPE_UNKNOWN && last.n && last.p[0] >= 'A' && last.p[0] <= 'Z') t = (Type){TYPE_EXTERNAL, e.id};
    }
    if (e.kind == ENT_PLACE || e.kind == ENT_LOCAL) {
        Type c = ent_type(p, e);
        if (c.kind == TYPE_CLASS_OBJECT) t = (Type){TYPE_CLASS, c.id};
        if (c.kind == TYPE_UNKNOWN && e.kind == ENT_PLACE) t = library_class(p, e.id);
    }
    s->depth--;
    return t;
}

Type path_type(const Program *p, u32 file, u32 path)
{
    return path_value_type(p, file, path);
}
