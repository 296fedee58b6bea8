/* Places: one per piece of state, whoever names it, and the accesses of each. */
#include "link/link.h"

u64 local_key(u32 file, u32 func, u32 sym)
{
    u64 h = hash_mix(0x51ed270b, map_key(file, func));
    return (hash_mix(h, sym) & ~(1ull << 63)) & ~1ull;
}

const Def *local_def(const Program *p, u32 file, u32 func, u32 sym)
{
    const LinkState *s = p->state;
    u32 at = map_get(&s->local_defs, local_key(file, func, sym));
    return at == NONE || s->defrefs.v[at].next != NONE ? NULL : &p->facts[file]->defs.v[s->defrefs.v[at].def];
}

static Str place_display(Program *p, const Place *x)
{
    Str name = p->syms.strs[x->name];
    if (x->file == NONE) return name;
    Str module = p->facts[x->file]->source->module;
    switch (x->kind) {
    case PLACE_GLOBAL: return str_dot(p->arena, module, name);
    case PLACE_CLASS_ATTR:
    case PLACE_INSTANCE: {
        Str c = class_display(p->arena, p, x->owner);
        return str_dot(p->arena, c, name);
    }
    default: {
        Str f = func_display(p->arena, p, x->owner);
        return str_dot(p->arena, f, name);
    }
    }
}

static void place_chain(Program *p, u32 place)
{
    Place *x = &p->places.v[place];
    if (x->kind != PLACE_INSTANCE || x->owner == NONE) return;
    u32 *first = &p->state->classes[x->owner].first_place;
    x->sibling = *first ? *first - 1 : NONE;
    *first = place + 1;
}

void places_chain(Program *p)
{
    for (u32 i = 0; i < p->places.n; i++) place_chain(p, i);
    p->state->chained = true;
}

u32 place_of(const Program *cp, u8 kind, u32 file, u32 owner, u32 gs)
{
    Program *p = (Program *)(uintptr_t)cp; /* places are made when they are first named */
    LinkState *s = p->state;
    u64 key = hash_mix(hash_mix(kind + 77u, map_key(file, owner)), gs) & ~(1ull << 63);
    u32 *at = map_at(s->a, &s->places, key);
    if (*at != NONE) return *at;
    *at = p->places.n;
    Str name = p->syms.strs[gs];
    vec_push(p->arena, &p->places,
             (Place){.kind = kind,
                     .file = file,
                     .owner = owner,
                     .name = gs,
                     .public_ = !(name.n && name.p[0] == '_'),
                     .def_file = NONE,
                     .def = NONE,
                     .guard = NONE,
                     .declared_guard = NONE,
                     .of = NONE,
                     .sibling = NONE,
                     .type = {TYPE_UNKNOWN, NONE}});
    if (s->chained) place_chain(p, *at);
    return *at;
}

u32 class_places(const Program *p, u32 gclass)
{
    u32 first = p->state->classes[gclass].first_place;
    return first ? first - 1 : NONE;
}

static void chain_add(Program *p, Map *m, u64 key, u32 file, u32 def)
{
    LinkState *s = p->state;
    vec_push(s->a, &s->defrefs, (DefRef){file, def, NONE});
    u32 id = s->defrefs.n - 1, *at = map_at(s->a, m, key);
    if (*at == NONE) {
        *at = id;
        return;
    }
    u32 last = *at;
    for (u32 n = 0; s->defrefs.v[last].next != NONE && n < 64; n++) last = s->defrefs.v[last].next;
    if (s->defrefs.v[last].next == NONE) s->defrefs.v[last].next = id;
}

static void local_imports(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *im = &f->imports.v[i];
        if (!im->func) continue;
        u32 *at = map_at(p->state->a, &p->state->local_imports, local_key(file, im->func, im->local));
        if (*at == NONE) *at = i;
    }
}

/* Definitions and imports of locals and what functions return; needs nothing but the facts. */
void locals_index(Program *p)
{
    LinkState *s = p->state;
    u32 defs = 0;
    for (u32 file = 0; file < p->nfiles; file++) defs += p->facts[file]->defs.n;
    vec_reserve(s->a, &s->defrefs, defs);
    map_reserve(s->a, &s->local_defs, defs / 2);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        local_imports(p, file);
        for (u32 i = 0; i < f->defs.n; i++) {
            const Def *d = &f->defs.v[i];
            if (d->is_return) {
                chain_add(p, &p->state->local_defs, local_key(file, d->func, SYM_EMPTY), file, i);
                continue;
            }
            const Path *x = &f->paths.v[d->path];
            if (x->root != ROOT_LOCAL && x->root != ROOT_PARAM) continue;
            if (!x->nattr)
                chain_add(p, &p->state->local_defs, local_key(file, x->func, x->name), file, i);
            else if (x->nattr == 1 && x->attr[0] == SYM_ITEM)
                chain_add(p, &p->state->elem_defs, local_key(file, x->func, x->name) + 1, file, i);
        }
    }
}

static void place_def(Program *p, u32 file, u32 def, const Path *x, bool element)
{
    Ent e = path_resolve(p, file, x, element ? x->nattr - 1u : x->nattr);
    if (e.kind != ENT_PLACE) return;
    if (element) {
        chain_add(p, &p->state->elem_defs, e.id, file, def);
        return;
    }
    chain_add(p, &p->state->place_defs, e.id, file, def);
    Place *pl = &p->places.v[e.id];
    bool better_def = pl->def == NONE || (pl->def_file == file && p->facts[file]->defs.v[def].func == 0 &&
                                          p->facts[pl->def_file]->defs.v[pl->def].func != 0);
    if (better_def && !p->facts[file]->defs.v[def].augmented) {
        pl->def_file = file;
        pl->def = def;
    }
}

/* Two passes: first the names that need no types (self.x, module globals), then paths through objects (app.db.pool).
 */
void places_index(Program *p)
{
    for (u32 pass = 0; pass < 2; pass++) {
        for (u32 file = 0; file < p->nfiles; file++) {
            const Facts *f = p->facts[file];
            for (u32 i = 0; i < f->defs.n; i++) {
                const Def *d = &f->defs.v[i];
                if (d->path == NONE || d->kind == VAL_FUNC || d->kind == VAL_CLASS) continue;
                const Path *x = &f->paths.v[d->path];
                bool element = path_is_item(x) && !x->truncated;
                u32 attrs = x->nattr - (element ? 1u : 0u);
                bool simple = (x->root == ROOT_GLOBAL || x->root == ROOT_CLASS)
                                  ? attrs == 0
                                  : (x->root == ROOT_SELF || x->root == ROOT_CLS) && attrs == 1;
                if (simple != (pass == 0) || (attrs == 0 && (x->root == ROOT_LOCAL || x->root == ROOT_PARAM)))
                    continue;
                place_def(p, file, i, x, element);
            }
        }
    }
}

/* A local that inner functions use, or that is handed to others: a place of its own. */
u32 closure_place(Program *p, u32 file, const Path *x)
{
    return place_of(p, PLACE_CLOSURE, file, gfunc_of(p, file, x->func), gsym(p, file, x->name));
}

/* def __get__(self, obj, …): obj.__dict__ is that of an object which many threads may read the attribute of. */
static u32 descriptor_dict(Program *p, u32 file, const Path *x)
{
    const Facts *f = p->facts[file];
    if (x->root != ROOT_PARAM || x->nattr != 1 || !str_is(sym_str(f, x->attr[0]), "__dict__")) return NONE;
    const Func *fn = &f->funcs.v[x->func];
    if (fn->cls == NONE || !str_is(sym_str(f, fn->name), "__get__") || fn->nparams < 2 ||
        f->params.v[fn->params + 1].name != x->name)
        return NONE;
    return place_of(p, PLACE_INSTANCE, file, gclass_of(p, file, fn->cls),
                    intern(p->arena, &p->syms, S("obj.__dict__")));
}

/* State of the standard library that threads share whoever writes it: by what it is known. */
static u32 library_place(Program *p, u32 gs)
{
    static const char *const known[] = {"sys.modules",
                                        "sys.path_importer_cache",
                                        "threading._active",
                                        "logging.root.manager.loggerDict",
                                        "logging.Logger.manager.loggerDict",
                                        "warnings.filters",
                                        "os.environ"};
    for (u32 i = 0; i < COUNT_OF(known); i++)
        if (str_is(p->syms.strs[gs], known[i])) return place_of(p, PLACE_GLOBAL, NONE, NONE, gs);
    return NONE;
}

static u8 container_base(const Program *p, u32 cls)
{
    static const struct {
        const char *base;
        u8 kind;
    } bases[] = {{"dict", TYPE_DEFAULT_DICT},
                 {"list", TYPE_LIST},
                 {"set", TYPE_SET},
                 {"collections.OrderedDict", TYPE_ORDERED_DICT},
                 {"collections.deque", TYPE_DEQUE},
                 {"collections.defaultdict", TYPE_DEFAULT_DICT},
                 {"collections.UserDict", TYPE_DEFAULT_DICT},
                 {"collections.Counter", TYPE_COUNTER}};
    for (u32 i = 0; i < COUNT_OF(bases); i++)
        if (class_derives(p, cls, bases[i].base)) return bases[i].kind;
    return TYPE_UNKNOWN;
}

/* What an object of a class that is a container itself holds: self[k], len(self). */
static u32 contents_place(Program *p, u32 cls)
{
    if (container_base(p, cls) == TYPE_UNKNOWN) return NONE;
    u32 file;
    program_class(p, cls, &file);
    return place_of(p, PLACE_INSTANCE, file, cls, intern(p->arena, &p->syms, S("<items>")));
}

/* self.count += 1, where count is a property that can be set and hands out self._count: what the class does to it is
 * done to that, unless the setter takes a lock. An update in place is two calls, and whoever makes it, and a lock
 * that each of them takes for itself, does not make it one. */
static u32 set_property_place(Program *p, u32 file, const Access *a, const Path *x, Ent e)
{
    bool own = x->root == ROOT_SELF && x->nattr == 1;
    u32 attr = x->nattr && (own || a->op == OP_AUG) && e.recv != NONE ? x->attr[x->nattr - 1] : SYM_ITEM;
    u32 setter = attr == SYM_ITEM ? NONE : class_setter(p, e.recv, gsym(p, file, attr));
    if (setter == NONE) return NONE;
    GId g = func_gid(p, setter);
    bool locks = p->facts[g.file]->funcs.v[g.id].nsections && a->op != OP_AUG;
    return locks ? NONE : handed_out(p, e.id, false);
}

/* f.cache = {} in the function whose parameter or local f is: the definition of the container, as an index of its
 * file's; NONE. */
static u32 container_given(const Program *p, u32 file, const Path *x)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *q = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (!q || q->root != x->root || q->func != x->func || q->name != x->name || q->nattr != 1 ||
            q->attr[0] != x->attr[0] || d->func != x->func)
            continue;
        if (d->kind == VAL_DICT || d->kind == VAL_LIST || d->kind == VAL_SET) return i;
        if (d->kind == VAL_CALL && type_is_container(call_type(p, file, d->value).kind)) return i;
    }
    return NONE;
}

/* An attribute of a captured object of no class of ours: wrapper.calls, f._cache of a decorated function. It is one
 * for all calls of the inner functions. */
static u32 captured_attr(Program *p, u32 file, const Path *x, const Access *a)
{
    const Facts *f = p->facts[file];
    if (x->nattr != 1 || x->attr[0] == SYM_ITEM || (x->root != ROOT_LOCAL && x->root != ROOT_PARAM) ||
        x->func == a->func)
        return NONE;
    Type t = local_type(p, file, x->func, x->name);
    Ent e = path_resolve(p, file, x, 0);
    if (t.kind != TYPE_UNKNOWN && t.kind != TYPE_FUNC && t.kind != TYPE_EXTERNAL && e.kind != ENT_FUNC) return NONE;
    bool binding = a->op == OP_STORE || a->op == OP_DEL || a->op == OP_AUG || a->op == OP_TRUTH || a->op == OP_LOAD ||
                   a->op == OP_HASATTR || a->op == OP_RETURN || a->op == OP_ARG;
    if (!binding && container_given(p, file, x) == NONE) return NONE;
    Str name = str_dot(p->arena, sym_str(f, x->name), sym_str(f, x->attr[0]));
    return place_of(p, PLACE_CLOSURE, file, gfunc_of(p, file, x->func), intern(p->arena, &p->syms, name));
}

/* q.queue, the container inside a queue: walking it is walking what put() and get() change. */
static u32 inside_queue(Program *p, u32 file, const Path *x)
{
    if (!x->nattr || !str_is(path_last(p->facts[file], x), "queue")) return NONE;
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    return e.kind == ENT_PLACE && place_type(p, e.id).kind == TYPE_QUEUE ? e.id : NONE;
}

/* self.process.stdin.write(…): what is done to the pipes of a subprocess.Popen is done to the process. */
static u32 piped_process(Program *p, u32 file, const Access *a, const Path *x)
{
    const Facts *f = p->facts[file];
    if (a->op != OP_METHOD || !x->nattr || x->truncated) return NONE;
    Str pipe = path_last(f, x);
    if (!str_is(pipe, "stdin") && !str_is(pipe, "stdout")) return NONE;
    Ent e = path_resolve(p, file, x, x->nattr - 1u);
    if (e.kind != ENT_PLACE) return NONE;
    Type t = place_type(p, e.id);
    return t.kind == TYPE_EXTERNAL && t.id != NONE && str_is(p->syms.strs[t.id], "subprocess.Popen") ? e.id : NONE;
}

static u32 access_place_of(Program *p, u32 file, const Access *a)
{
    const Path *x = &p->facts[file]->paths.v[a->path];
    Path seen;
    if (a->op == OP_ITER || a->op == OP_CREAD) {
        u32 walked = walked_place(p, file, x, a->op);
        if (walked != NONE) return walked;
        if (view_of(p, file, x, &seen) || (a->op == OP_ITER && iterated_of(p, file, x, &seen))) x = &seen;
    }
    if (x->truncated || x->root == ROOT_UNKNOWN) return NONE;
    u32 described = descriptor_dict(p, file, x), item = NONE;
    if (described != NONE) return described;
    if ((item = element_asked(p, file, a, x)) != NONE) return item;
    if ((item = result_place(p, file, a, x)) != NONE) return item;
    Ent e = path_resolve(p, file, x, x->nattr);
    if (e.kind == ENT_PLACE) return handed_place(p, e.id, a->op);
    if (e.kind == ENT_EXTERNAL) return library_place(p, e.id);
    bool whole = a->op == OP_ITER || a->op == OP_CREAD || a->op == OP_CONTAINS || a->op == OP_METHOD ||
                 a->op == OP_ITEM_LOAD || a->op == OP_ITEM_STORE || a->op == OP_ITEM_DEL;
    if (e.kind == ENT_FUNC && whole) return handed_out(p, e.id, false);
    u32 set = e.kind == ENT_FUNC ? set_property_place(p, file, a, x, e) : NONE;
    if (set != NONE) return set;
    if (e.kind == ENT_INSTANCE && !x->nattr && x->root == ROOT_SELF) {
        u32 own = own_operation(p, e.id, a->op);
        return own != NONE ? own : contents_place(p, e.id);
    }
    if (x->root == ROOT_SUPER && !x->nattr && a->op != OP_METHOD && e.kind == ENT_INSTANCE)
        return defines_operation(p, e.id, a->op, true) ? NONE : contents_place(p, e.id);
    if (path_is_item(x)) return element_place(p, file, a, x);
    u32 queue = a->op == OP_ITER || a->op == OP_CREAD ? inside_queue(p, file, x) : NONE;
    if (queue != NONE) return queue;
    u32 process = piped_process(p, file, a, x);
    if (process != NONE) return process;
    if (x->nattr) return captured_attr(p, file, x, a);
    if (e.kind != ENT_LOCAL) return NONE;
    if (x->root == ROOT_LOCAL) return closure_place(p, file, x);
    u32 q = param_place(p, file, x);
    if (q != NONE) return q;
    if (gfunc_of(p, file, a->func) != gfunc_of(p, file, x->func)) return closure_place(p, file, x);
    q = default_place(p, file, x, a);
    return q != NONE ? q : closure_place(p, file, x);
}

/* The type of "f.cache", an attribute of a captured object, where its function gives it a container. */
static bool captured_type(Program *p, u32 place, GId g)
{
    const Facts *f = p->facts[g.file];
    Str text = p->syms.strs[p->places.v[place].name];
    size_t dot = str_find(text, '.');
    if (dot == text.n) return false;
    u32 name = intern_find(&f->syms, str_slice(text, 0, dot));
    u32 attr = intern_find(&f->syms, str_slice(text, dot + 1, text.n));
    Path x = {.root = ROOT_PARAM, .nattr = 1, .func = g.id, .name = name, .attr = {attr}};
    if (name == NONE || attr == NONE) return false;
    u32 def = container_given(p, g.file, &x);
    if (def == NONE) {
        x.root = ROOT_LOCAL;
        def = container_given(p, g.file, &x);
    }
    if (def == NONE) return false;
    const Def *d = &f->defs.v[def];
    Type t = d->kind == VAL_CALL ? call_type(p, g.file, d->value) : (Type){TYPE_UNKNOWN, NONE};
    if (d->kind == VAL_DICT) t.kind = TYPE_DICT;
    if (d->kind == VAL_LIST) t.kind = TYPE_LIST;
    if (d->kind == VAL_SET) t.kind = TYPE_SET;
    Place *to = &p->places.v[place]; /* asking for types names further places: the list grows */
    to->type = t;
    to->def_file = g.file;
    to->def = def;
    return true;
}

static void closure_type(Program *p, u32 place)
{
    Place *x = &p->places.v[place];
    if (x->kind == PLACE_DEFAULT) {
        GId g = func_gid(p, x->owner);
        const Facts *f = p->facts[g.file];
        for (u32 i = 0; i < f->funcs.v[g.id].nparams; i++) {
            const Param *q = &f->params.v[f->funcs.v[g.id].params + i];
            if (gsym(p, g.file, q->name) == x->name) p->places.v[place].type.kind = default_kind(p, g.file, q);
        }
        return;
    }
    GId g = func_gid(p, x->owner);
    if (captured_type(p, place, g)) return;
    u32 sym = intern_find(&p->facts[g.file]->syms, p->syms.strs[x->name]);
    if (sym == NONE) return;
    Type t = local_type(p, g.file, g.id, sym);
    x = &p->places.v[place]; /* the list may have moved */
    x->type = t;
    u32 first = map_get(&p->state->local_defs, local_key(g.file, g.id, sym));
    if (first != NONE) {
        x->def_file = g.file;
        x->def = p->state->defrefs.v[first].def;
    }
}

static void set_type(Program *p, u32 place)
{
    const Place *x = &p->places.v[place];
    Type t = {TYPE_DICT, NONE};
    if (x->of != NONE) return; /* known since it was made */
    if (x->kind == PLACE_CLOSURE || x->kind == PLACE_DEFAULT) {
        closure_type(p, place);
        return;
    }
    if (x->file != NONE) t = place_type(p, place);
    if (x->kind == PLACE_INSTANCE && str_is(p->syms.strs[x->name], "<items>")) t.kind = container_base(p, x->owner);
    p->places.v[place].type = t;
}

/* Gives every access its place and every place its accesses. */
void places_access(Program *p)
{
    p->access_place = arena_new(p->arena, u32, p->state->naccesses);
    for (u32 file = 0; file < p->nfiles; file++)
        for (u32 i = 0; i < p->facts[file]->accesses.n; i++)
            p->access_place[p->access_base[file] + i] = access_place_of(p, file, &p->facts[file]->accesses.v[i]);
    elements_settle(p);
    for (u32 i = 0; i < p->places.n; i++) set_type(p, i); /* asking for types names further places: the list grows */
    u32 *count = arena_new(p->arena, u32, p->places.n + 1);
    for (u32 i = 0; i < p->state->naccesses; i++)
        if (p->access_place[i] != NONE) count[p->access_place[i]]++;
    u32 total = 0;
    for (u32 i = 0; i < p->places.n; i++) {
        p->places.v[i].first = total;
        total += count[i];
    }
    p->place_access.v = arena_new(p->arena, u32, total);
    p->place_access.n = p->place_access.cap = total;
    for (u32 i = 0; i < p->places.n; i++) p->places.v[i].inner = p->places.v[i].kind == PLACE_CLOSURE;
    for (u32 file = 0, i = 0; file < p->nfiles; file++)
        for (u32 k = 0; k < p->facts[file]->accesses.n; k++, i++) {
            if (p->access_place[i] == NONE) continue;
            Place *x = &p->places.v[p->access_place[i]];
            p->place_access.v[x->first + x->n++] = i;
            x->inner &= x->owner == gfunc_of(p, file, p->facts[file]->accesses.v[k].func);
        }
    for (u32 i = 0; i < p->places.n; i++) {
        Place *x = &p->places.v[i];
        if (x->n) x->display = place_display(p, x);
        x->is_lock = type_is_lock(x->type.kind) || x->type.kind == TYPE_ASYNC_LOCK;
        x->thread_local_ = x->type.kind == TYPE_LOCAL || x->type.kind == TYPE_CONTEXTVAR ||
                           (x->type.kind == TYPE_CLASS && p->state->classes[x->type.id].thread_local_);
    }
}

u32 entity_defs(const Program *p, Ent e)
{
    if (e.kind == ENT_PLACE) return map_get(&p->state->place_defs, e.id);
    if (e.kind != ENT_LOCAL) return NONE;
    GId g = func_gid(p, e.id);
    return map_get(&p->state->local_defs, local_key(g.file, g.id, e.sym));
}
