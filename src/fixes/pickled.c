/* Which classes' objects the program pickles, copies deeply or sends to other processes: a lock among their
 * attributes would stop that. And whose attributes it walks as a whole, by vars() or __dict__, to compare or print or
 * write them: it would see the lock.
 *
 * Looks at the calls of pickle.dumps, copy.deepcopy and the like in all files, tests too, at what is stored in a
 * shelf, and at what processes are given. Where the class of what goes in is known, it, its bases and the classes
 * derived from it are meant, and what their attributes and containers hold; where it is not known, any class may be.
 * So it is where pickle itself, or a function of it, is handed on to somebody who will call it. A class whose objects
 * have an attribute that could not be pickled anyway is meant only where it is known. */
#include "fixes/fixes.h"

static const char *const pickles[] = {"pickle.dumps",     "pickle.dump",        "copy.deepcopy", "dill.dumps",
                                      "dill.dump",        "cloudpickle.dumps",  "marshal.dumps", "joblib.dump",
                                      "cloudpickle.dump", "pickle.Pickler.dump"};
static const char *const modules[] = {"pickle", "dill", "cloudpickle", "joblib"};
static const char *const makers[] = {"shelve.open",
                                     "pickle.Pickler",
                                     "multiprocessing.Queue",
                                     "multiprocessing.Pool",
                                     "multiprocessing.JoinableQueue",
                                     "multiprocessing.SimpleQueue",
                                     "multiprocessing.pool.Pool",
                                     "concurrent.futures.ProcessPoolExecutor"};

/* copying: to have a copy, most often of a template or of a table of parameters. */
static void unknown_mark(Plan *pl, u32 file, u32 line)
{
    pl->pickled_sure |= !pl->copying && !pl->p->tests[file];
    if (!pl->pickled_where.n)
        pl->pickled_where = str_fmt(pl->a, "%.*s:%u", STR_ARG(site_source(pl, file)->path), line);
}

static void class_mark(Plan *pl, u32 gclass, u32 depth);

static void type_mark(Plan *pl, Type t, u32 depth)
{
    if (t.kind == TYPE_CLASS && !pl->pickled[t.id]) class_mark(pl, t.id, depth);
}

static void class_mark(Plan *pl, u32 gclass, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    pl->pickled[gclass] = true;
    u32 next;
    for (u32 i = class_places(pl->p, gclass); depth && i != NONE; i = next) { /* what it holds goes along */
        Place held = pl->p->places.v[i]; /* asking for types may move the places */
        next = held.sibling;
        type_mark(pl, held.type, depth - 1);
        type_mark(pl, element_type(pl->p, held.file, (Ent){.kind = ENT_PLACE, .id = i}), depth - 1);
    }
    for (u32 b = c->bases; depth && b < c->bases + c->nbases; b++) {
        Type t = path_type(pl->p, id.file, f->bases.v[b]);
        if (t.kind == TYPE_CLASS_OBJECT && !pl->pickled[t.id]) class_mark(pl, t.id, depth - 1);
    }
}

/* The class and those derived from it: where one is meant, an object of another may come. */
static void family_mark(Plan *pl, u32 gclass, u32 depth)
{
    derived_index(pl);
    if (!pl->pickled[gclass]) class_mark(pl, gclass, 8);
    for (u32 i = pl->derived_first[gclass]; depth && i < pl->derived_first[gclass + 1]; i++)
        family_mark(pl, pl->derived[i], depth - 1);
}

/* ---- what goes in ---- */

static bool holds_others(u8 kind)
{
    return kind == TYPE_LIST || kind == TYPE_DICT || kind == TYPE_SET || kind == TYPE_TUPLE || kind == TYPE_DEQUE ||
           kind == TYPE_ORDERED_DICT || kind == TYPE_DEFAULT_DICT;
}

/* What a name stands for goes in, and what it holds. */
static void entity_look(Plan *pl, u32 file, Ent e, u32 line)
{
    if (e.kind == ENT_CLASS || e.kind == ENT_MODULE || e.kind == ENT_EXTERNAL) return; /* by name */
    if (e.kind == ENT_FUNC) { /* a bound method brings its object */
        if (e.recv != NONE) family_mark(pl, e.recv, 8);
        return;
    }
    Type t = ent_type(pl->p, e);
    if (e.kind == ENT_INSTANCE) t = (Type){.kind = TYPE_CLASS, .id = e.id};
    if (holds_others(t.kind)) t = element_type(pl->p, file, e);
    if (t.kind == TYPE_CLASS) family_mark(pl, t.id, 8);
    if (t.kind == TYPE_UNKNOWN) unknown_mark(pl, file, line);
}

static void result_look(Plan *pl, u32 file, u32 call, u32 line)
{
    Type t = call_type(pl->p, file, call);
    Type made = path_type(pl->p, file, pl->p->facts[file]->calls.v[call].callee);
    if (made.kind == TYPE_CLASS_OBJECT) /* pickle.dumps(Job(1)) */
        class_mark(pl, made.id, 8);
    else if (t.kind == TYPE_CLASS)
        family_mark(pl, t.id, 8);
    else if (t.kind == TYPE_UNKNOWN || holds_others(t.kind))
        unknown_mark(pl, file, line);
}

/* Is the name bound in the function, or a parameter of it? */
static bool is_local(const Facts *f, u32 func, u32 sym)
{
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++)
        if (f->params.v[i].name == sym) return true;
    for (u32 i = 0; func && i < f->defs.n; i++) {
        const Path *x = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
        if (x && x->root == ROOT_LOCAL && x->func == func && x->name == sym) return true;
    }
    return false;
}

bool ast_path(const Ast *t, const Facts *f, u32 func, u32 n, Path *out)
{
    if (ast_is(t, n, NODE_attribute)) {
        if (!ast_path(t, f, func, ast_field(t, n, FIELD_object), out) || out->nattr == PATH_ATTRS) return false;
        u32 sym = intern_find(&f->syms, ast_text(t, ast_field(t, n, FIELD_attribute)));
        if (sym == NONE) return false;
        out->attr[out->nattr++] = sym;
        return true;
    }
    u32 sym = ast_is(t, n, NODE_identifier) ? intern_find(&f->syms, ast_text(t, n)) : NONE;
    if (sym == NONE) return false;
    const Func *fn = &f->funcs.v[func];
    *out = (Path){.root = ROOT_GLOBAL, .name = sym};
    if (!is_local(f, func, sym)) return true;
    bool first = fn->nparams && f->params.v[fn->params].name == sym;
    out->root = first && fn->cls != NONE && !fn->is_static ? ROOT_SELF : ROOT_LOCAL;
    out->func = func;
    return true;
}

/* A display, a comprehension, an expression: the names and calls in it. */
static void names_look(Plan *pl, u32 file, u32 func, const Ast *t, u32 n, u32 line)
{
    const Facts *f = pl->p->facts[file];
    u8 k = t->v[n].kind;
    if (k == NODE_call) {
        Span s = {t->v[n].start, t->v[n].end};
        const Call *c = call_at(f, s);
        if (c) result_look(pl, file, (u32)(c - f->calls.v), line);
        return;
    }
    if (k == NODE_string || k == NODE_lambda || k == NODE_comparison_operator || k == NODE_not_operator) return;
    if (k == NODE_identifier || k == NODE_attribute) {
        Path x;
        if (!ast_path(t, f, func, n, &x))
            unknown_mark(pl, file, line);
        else
            entity_look(pl, file, path_resolve(pl->p, file, &x, x.nattr), line);
        return;
    }
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (!(k == NODE_pair && t->v[c].field == FIELD_key)) names_look(pl, file, func, t, c, line);
}

static void value_look(Plan *pl, u32 file, u32 func, u8 kind, u32 value, Span span, u32 line)
{
    if (kind == VAL_PATH)
        entity_look(pl, file, path_entity(pl->p, file, value), line);
    else if (kind == VAL_CALL)
        result_look(pl, file, value, line);
    else if (kind == VAL_LIST || kind == VAL_DICT || kind == VAL_SET || kind == VAL_TUPLE || kind == VAL_OTHER)
        names_look(pl, file, func, site_ast(pl, file), ast_at(site_ast(pl, file), span), line);
}

static void arguments_look(Plan *pl, u32 file, const Call *c, u32 n)
{
    const Facts *f = pl->p->facts[file];
    for (u32 i = c->args; i < c->args + MIN(n, c->nargs); i++)
        if (!str_contains(sym_str(f, f->args.v[i].keyword), S("callback")))
            value_look(pl, file, c->func, f->args.v[i].kind, f->args.v[i].value, f->args.v[i].span, c->line);
}

/* ---- who pickles ---- */

/* The library's function that has made what the first attributes of the path name; empty. */
static Str made_by(const Plan *pl, u32 file, const Path *p, u32 nattr)
{
    const Facts *f = pl->p->facts[file];
    Ent e = path_resolve(pl->p, file, p, nattr);
    if (e.kind == ENT_PLACE) {
        const Place *place = &pl->p->places.v[e.id];
        const Def *d = place->def == NONE ? NULL : &pl->p->facts[place->def_file]->defs.v[place->def];
        if (!d || d->kind != VAL_CALL) return S("");
        return path_external(pl->p, place->def_file, pl->p->facts[place->def_file]->calls.v[d->value].callee);
    }
    for (u32 i = 0; e.kind == ENT_LOCAL && !nattr && i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        const Path *x = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (!x || x->root != p->root || x->nattr || x->name != p->name || x->func != p->func) continue;
        if (d->kind == VAL_CALL) return path_external(pl->p, file, f->calls.v[d->value].callee);
        const Path *from = d->kind == VAL_ENTER_OF ? &f->paths.v[d->value] : NULL; /* with shelve.open(p) as s */
        if (from && from->root == ROOT_CALL && !from->nattr)
            return path_external(pl->p, file, f->calls.v[from->func].callee);
    }
    return S("");
}

static bool by_maker(const Plan *pl, u32 file, const Path *p, u32 nattr)
{
    Str name = made_by(pl, file, p, nattr);
    return name.n && str_among(name, makers, COUNT_OF(makers));
}

/* pool.map(f, jobs), executor.submit(f, job), queue.put(job), pickler.dump(job) */
static bool sends(const Plan *pl, u32 file, const Path *p)
{
    static const char *const names[] = {
        "submit",    "map", "imap",       "imap_unordered", "starmap",       "apply",      "apply_async",
        "map_async", "put", "put_nowait", "dump",           "starmap_async", "setdefault", "update"};
    if (!p->nattr || p->truncated || !str_among(path_last(pl->p->facts[file], p), names, COUNT_OF(names)))
        return false;
    if (ent_type(pl->p, path_resolve(pl->p, file, p, p->nattr - 1u)).kind == TYPE_PROCESS) return true;
    return by_maker(pl, file, p, p->nattr - 1u);
}

/* multiprocessing.Process(…), get_context("spawn").Process(…) */
static bool process_made(const Plan *pl, u32 file, const Path *p)
{
    const Facts *f = pl->p->facts[file];
    Str name = path_last(f, p);
    if (!str_is(name, "Process") || intern_find(&f->syms, S("multiprocessing.dummy")) != NONE) return false;
    Ent e = path_resolve(pl->p, file, p, p->nattr);
    return e.kind != ENT_CLASS && e.kind != ENT_FUNC;
}

static void call_look(Plan *pl, u32 file, const Call *c)
{
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[c->callee];
    Str name = path_external(pl->p, file, c->callee);
    pl->copying = str_is(name, "copy.deepcopy");
    if (name.n && str_among(name, pickles, COUNT_OF(pickles)))
        arguments_look(pl, file, c, 1);
    else if (process_made(pl, file, p) || sends(pl, file, p))
        arguments_look(pl, file, c, c->nargs);
    else if (p->root == ROOT_CALL && !p->nattr &&
             str_starts(path_external(pl->p, file, f->calls.v[p->func].callee), S("joblib."))) /* delayed(f)(job) */
        arguments_look(pl, file, c, c->nargs);
    pl->copying = false;
    for (u32 i = c->args; i < c->args + c->nargs; i++) { /* Stage(pickle), encode=pickle.dumps */
        Str handed = f->args.v[i].kind == VAL_PATH ? path_external(pl->p, file, f->args.v[i].value) : S("");
        if (handed.n &&
            (str_among(handed, modules, COUNT_OF(modules)) || str_among(handed, pickles, COUNT_OF(pickles))))
            unknown_mark(pl, file, c->line);
    }
}

/* shelf[key] = job; encode = pickle.dumps */
static void def_look(Plan *pl, u32 file, const Def *d)
{
    const Facts *f = pl->p->facts[file];
    const Path *x = d->path == NONE ? NULL : &f->paths.v[d->path];
    u32 line, column;
    source_position(site_source(pl, file), d->span.start, &line, &column);
    if (x && path_is_item(x) && by_maker(pl, file, x, x->nattr - 1u)) {
        const Ast *t = site_ast(pl, file);
        u32 a = ast_assignment(t, d->span), right = a == NONE ? NONE : ast_field(t, a, FIELD_right);
        Span s = right == NONE ? d->span : (Span){t->v[right].start, t->v[right].end};
        value_look(pl, file, d->func, d->kind, d->value, s, line);
    }
    Str handed = d->kind == VAL_PATH ? path_external(pl->p, file, d->value) : S("");
    if (handed.n && (str_among(handed, modules, COUNT_OF(modules)) || str_among(handed, pickles, COUNT_OF(pickles))))
        unknown_mark(pl, file, line);
}

/* Does the file write objects out? */
static bool writes_out(const Facts *f)
{
    static const char *const writers[] = {"json",    "simplejson", "ujson",      "orjson", "yaml",
                                          "msgpack", "toml",       "jsonpickle", "tomli_w"};
    for (u32 i = 0; i < f->imports.n; i++) {
        Str rest, top = str_cut(sym_str(f, f->imports.v[i].module), '.', &rest);
        if (str_among(top, writers, COUNT_OF(writers))) return true;
    }
    return false;
}

/* Who walks the attributes of a class's objects: its own hooks for pickle, or somebody else. */
enum { WALKED = 1, WALKED_BY_HOOKS = 2 };

static bool in_hook(const Facts *f, const Path *p)
{
    if (p->root != ROOT_SELF) return false; /* the func of others may be a call */
    Str name = sym_str(f, f->funcs.v[p->func].name);
    return str_is(name, "__getstate__") || str_is(name, "__setstate__");
}

/* o.__dict__ and vars(o), but for single attributes by name. */
static void walk_look(Plan *pl, u32 file, const Access *a)
{
    static const char *const single[] = {"get", "pop", "setdefault", "update"};
    const Facts *f = pl->p->facts[file];
    const Path *p = &f->paths.v[a->path];
    bool dict = p->nattr && str_is(path_last(f, p), "__dict__");
    bool vars = a->op == OP_CREAD && str_is(sym_str(f, a->method), "vars");
    if (!vars && (!dict || a->op == OP_ITEM_LOAD || a->op == OP_ITEM_STORE || a->op == OP_ITEM_DEL ||
                  a->op == OP_CONTAINS || a->op == OP_HASATTR))
        return;
    for (u32 i = 0; dict && a->op == OP_METHOD && i < COUNT_OF(single); i++)
        if (str_is(sym_str(f, a->method), single[i])) return;
    u32 cls = NONE;
    if (p->root == ROOT_SELF && p->nattr == (dict ? 1 : 0)) {
        u32 c = f->funcs.v[p->func].cls;
        cls = c == NONE ? NONE : pl->p->class_base[file] + c;
    } else {
        Ent e = path_resolve(pl->p, file, p, p->nattr - (dict ? 1u : 0u));
        Type t = ent_type(pl->p, e);
        if (t.kind == TYPE_CLASS) cls = t.id;
        if (t.kind != TYPE_CLASS && t.kind != TYPE_UNKNOWN) return;
    }
    if (cls != NONE)
        pl->walked[cls] |= in_hook(f, p) ? WALKED_BY_HOOKS : WALKED;
    else if (writes_out(f) && !pl->walked_where.n)
        pl->walked_where = str_fmt(pl->a, "%.*s:%u", STR_ARG(site_source(pl, file)->path), a->line);
}

static void walked_find(Plan *pl)
{
    pl->walked = arena_new(pl->a, u8, pl->p->class_base[pl->p->nfiles] + 1);
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        if (intern_find(&f->syms, S("__dict__")) == NONE && intern_find(&f->syms, S("vars")) == NONE) continue;
        for (u32 i = 0; i < f->accesses.n; i++) walk_look(pl, file, &f->accesses.v[i]);
    }
}

static bool walked_in_bases(Plan *pl, u32 gclass, u8 by, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    if (pl->walked[gclass] & by) return true;
    for (u32 b = c->bases; depth && b < c->bases + c->nbases; b++) {
        Type t = path_type(pl->p, id.file, f->bases.v[b]);
        if (t.kind == TYPE_CLASS_OBJECT && walked_in_bases(pl, t.id, by, depth - 1)) return true;
    }
    return false;
}

/* Does the file import what pickles, or starts processes? */
static bool imports_any(const Facts *f)
{
    static const char *const processes[] = {"concurrent", "multiprocessing", "multiprocess"};
    for (u32 i = 0; i < f->imports.n; i++) {
        Str rest, top = str_cut(sym_str(f, f->imports.v[i].module), '.', &rest);
        if (known_module(top, AS_CLONES) || str_is(top, "marshal")) return true;
        if (str_among(top, processes, COUNT_OF(processes))) return true;
    }
    return false;
}

static void pickled_find(Plan *pl)
{
    pl->pickled = arena_new(pl->a, bool, pl->p->class_base[pl->p->nfiles] + 1);
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        if (!imports_any(f)) continue;
        for (u32 i = 0; i < f->calls.n; i++) call_look(pl, file, &f->calls.v[i]);
        for (u32 i = 0; i < f->defs.n; i++) def_look(pl, file, &f->defs.v[i]);
        for (u32 i = 0; i < f->classes.n; i++) { /* where a process begins anew, its object is sent to it */
            u32 c = gclass_of(pl->p, file, i);
            if (!pl->pickled[c] && class_is_process(pl->p, c)) class_mark(pl, c, 8);
        }
    }
}

/* Can a value of the type be neither pickled nor copied? */
static bool bound_type(u8 k)
{
    return type_is_lock(k) || k == TYPE_QUEUE || k == TYPE_THREAD || k == TYPE_EXECUTOR || k == TYPE_EVENT ||
           k == TYPE_SEMAPHORE || k == TYPE_GENERATOR || k == TYPE_LOCAL;
}

/* Has the class, or a base, an attribute that can be neither pickled nor copied? */
static bool never_pickled(const Plan *pl, u32 gclass)
{
    for (u32 i = 0; i < pl->p->places.n; i++) {
        const Place *held = &pl->p->places.v[i];
        if (held->kind != PLACE_INSTANCE || held->owner == NONE || !class_is_a(pl->p, gclass, held->owner)) continue;
        if (bound_type(held->type.kind)) return true;
    }
    return false;
}

/* Has it, or a base, such an attribute from the beginning, and always? Then what was seen to be pickled is another
 * thing. */
static bool always_bound(const Plan *pl, u32 gclass)
{
    const LinkState *s = pl->p->state;
    for (u32 i = 0; i < pl->p->places.n; i++) {
        const Place *held = &pl->p->places.v[i];
        if (held->kind != PLACE_INSTANCE || held->owner == NONE || !bound_type(held->type.kind)) continue;
        if (!class_is_a(pl->p, gclass, held->owner)) continue;
        bool made = false, other = false;
        for (u32 at = map_get(&s->place_defs, i); at != NONE; at = s->defrefs.v[at].next) {
            const Def *d = &pl->p->facts[s->defrefs.v[at].file]->defs.v[s->defrefs.v[at].def];
            const Facts *f = pl->p->facts[s->defrefs.v[at].file];
            bool call = d->kind == VAL_CALL; /* one of multiprocessing goes along to a process */
            call = call && !str_starts(path_external(pl->p, s->defrefs.v[at].file, f->calls.v[d->value].callee),
                                       S("multiprocessing."));
            made |= call;
            other |= !call;
        }
        if (made && !other) return true;
    }
    return false;
}

Str walked_obstacle(Plan *pl, u32 gclass, bool hooks)
{
    if (!pl->walked) walked_find(pl);
    if (walked_in_bases(pl, gclass, hooks ? WALKED : WALKED | WALKED_BY_HOOKS, 8))
        return S("something goes through all attributes of its objects");
    /* whoever goes through the attributes of any object finds a lock or the like in it as it is */
    if (!pl->walked_where.n || always_bound(pl, gclass)) return S("");
    return str_fmt(pl->a, "%.*s goes through all attributes of objects of a class not known here",
                   STR_ARG(pl->walked_where));
}

Str pickled_obstacle(Plan *pl, u32 gclass)
{
    if (!pl->pickled) pickled_find(pl);
    if (pl->pickled[gclass] && !always_bound(pl, gclass))
        return S("its objects are pickled or copied, which an object with a lock cannot be");
    if (pl->pickled[gclass] || !pl->pickled_where.n || never_pickled(pl, gclass)) return S("");
    return str_fmt(pl->a,
                   "%.*s pickles or copies objects of a class not known here, and an object with a lock "
                   "cannot be",
                   STR_ARG(pl->pickled_where));
}
