/* Whose objects users of the program may pickle or copy deeply, though nothing in the given files does: a lock among
 * their attributes would stop that.
 *
 * Users are there where the project says how it is packaged, and have classes of a module that is no script, test,
 * example or copy of somebody else's package, under a public name: their own at the top of a module whose name is
 * public as well, or one by which such a module imports them.
 *
 * They can pickle and copy an object today if all of its attributes, as far as __init__ gives them, are in sight and
 * plain: numbers, texts, containers, functions and classes by name, other objects of this kind, and what is passed in
 * and only kept, compared and counted with, or may be left out. A thread, a lock, a socket, a file, a generator, a
 * lambda, a weak reference stops pickle already, whenever it gets there; and what is passed in and asked for
 * attributes and methods, or comes from a call that is not known, is for some service of the process, as is an object
 * that is to be started or closed, or is called a Pool, a Client, a Manager. Nobody copies these, and they get no
 * hooks that say how.
 *
 * The same is asked where the program pickles or copies something of which the class is not known. */
#include "fixes/fixes.h"

/* How an object, a value may be pickled, and copied deeply. */
typedef enum Could { COULD = 1, COULD_MAYBE, COULD_NOT } Could;
enum { COPY_DEPTH = 6 };

static Could class_could(Plan *pl, u32 gclass, u32 depth);

/* ---- names and types ---- */

static bool begins_with(Str name, const char *const *names, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (str_starts(name, str_from(names[i]))) return true;
    return false;
}

/* What a call of the library's function of this name gives. */
static Could library_could(Str name)
{
    static const char *const plain[] = {"abs",  "bool",   "bytes",  "float", "frozenset", "hash",     "id",  "int",
                                        "len",  "list",   "max",    "min",   "range",     "repr",     "str", "round",
                                        "type", "object", "sorted", "sum",   "tuple",     "os.getpid"};
    static const char *const plain_modules[] = {
        "copy.",          "collections.", "datetime.",         "decimal.",
        "fractions.",     "math.",        "operator.",         "os.path.",
        "pathlib.",       "platform.",    "statistics.",       "string.",
        "time.",          "uuid.",        "os.getcwd",         "os.getenv",
        "os.environ.get", "os.cpu_count", "re.compile",        "functools.partial",
        "types.Simple",   "logging.get",  "socket.gethostname"};
    static const char *const bound[] = {
        "_thread",    "asyncio.", "concurrent.",  "contextvars.", "ctypes.",   "ftplib.",        "hashlib.",
        "http.",      "inspect.", "io.open",      "mmap.",        "multiproc", "gzip.",          "queue.",
        "sched.",     "select",   "signal.",      "smtplib.",     "socket.",   "sqlite3.",       "ssl.",
        "subprocess", "sys.std",  "tempfile.",    "threading",    "types.",    "urllib.request", "weakref.",
        "zipfile.",   "tarfile.", "socketserver."};
    if (str_among(name, plain, COUNT_OF(plain))) return COULD;
    if (begins_with(name, plain_modules, COUNT_OF(plain_modules))) return COULD;
    return str_is(name, "open") || begins_with(name, bound, COUNT_OF(bound)) ? COULD_NOT : COULD_MAYBE;
}

static Could type_could(Plan *pl, Type t, u32 depth)
{
    switch (t.kind) {
    case TYPE_NONE:
    case TYPE_NUMBER:
    case TYPE_STRING:
    case TYPE_LIST:
    case TYPE_DICT:
    case TYPE_SET:
    case TYPE_TUPLE:
    case TYPE_DEQUE:
    case TYPE_ORDERED_DICT:
    case TYPE_DEFAULT_DICT:
    case TYPE_COUNTER:
    case TYPE_CACHE:
    case TYPE_BYTEARRAY:
    case TYPE_ARRAY:
    case TYPE_CLASS_OBJECT: return COULD;
    case TYPE_UNKNOWN:
    case TYPE_ITERATOR: /* many could be until Python 3.14 */
    case TYPE_COUNT_ITER: return COULD_MAYBE;
    case TYPE_CLASS: return class_could(pl, t.id, depth);
    case TYPE_EXTERNAL: return library_could(pl->p->syms.strs[t.id]);
    case TYPE_FUNC:
        return program_func(pl->p, t.id)->is_lambda || program_func(pl->p, t.id)->parent ? COULD_NOT : COULD;
    default: return COULD_NOT; /* locks, threads, queues, weak ones, modules */
    }
}

/* ---- what is passed in ---- */

/* Does the class ask what its objects have by this name for attributes, or call it? Methods of texts and containers
 * do not count. */
static bool asked(const Facts *f, u32 cls, Str name)
{
    u32 sym = intern_find(&f->syms, name);
    for (u32 i = 0; i < f->paths.n; i++) {
        const Path *p = &f->paths.v[i];
        if (p->root != ROOT_SELF || !p->nattr || p->attr[0] != sym || f->funcs.v[p->func].self_class != cls) continue;
        if (p->nattr > 1 && p->attr[1] != SYM_ITEM && !known_method(sym_str(f, p->attr[1]), AS_PLAIN)) return true;
    }
    for (u32 i = 0; i < f->calls.n; i++) {
        const Path *p = &f->paths.v[f->calls.v[i].callee];
        if (p->root == ROOT_SELF && p->nattr == 1 && p->attr[0] == sym && f->funcs.v[p->func].self_class == cls)
            return true;
    }
    return false;
}

/* Only names of plain types in an annotation: Optional[dict[str, int]]. */
static bool annotation_plain(Str text)
{
    static const char *const names[] = {
        "int",  "str",      "float",   "bool",     "bytes",  "None",  "Optional", "Union",     "list",
        "List", "dict",     "Dict",    "set",      "Set",    "tuple", "Tuple",    "frozenset", "FrozenSet",
        "Path", "Sequence", "Mapping", "Iterable", "typing", "t",     "datetime", "timedelta"};
    for (size_t i = 0; i < text.n;) {
        size_t end = i;
        while (end < text.n && (is_word_char(text.p[end]))) end++;
        if (end == i) {
            i++;
            continue;
        }
        if (!str_among(str_slice(text, i, end), names, COUNT_OF(names))) return false;
        i = end;
    }
    return text.n > 0;
}

static Str annotation_text(Plan *pl, u32 file, const Param *x)
{
    Str text = str_slice(site_source(pl, file)->text, x->span.start, x->span.end);
    size_t colon = str_find(text, ':'), equals = str_find(text, '=');
    return colon == text.n ? S("") : str_trim(str_slice(text, colon + 1, MAX(equals, colon + 1)));
}

typedef struct Attr {
    u32 file, cls; /* of the class that has it */
    Str name;
} Attr;

static Could path_could(Plan *pl, u32 file, u32 func, const Path *p, const Attr *at, u32 depth);

static Could param_could(Plan *pl, u32 file, const Param *x, const Attr *at, u32 depth)
{
    const Facts *f = pl->p->facts[file];
    if (x->star || x->star2) return COULD;
    if (x->has_default) {
        if (x->def_kind == VAL_PATH) return path_could(pl, file, 0, &f->paths.v[x->def_value], at, depth);
        if (x->def_kind == VAL_LAMBDA) return COULD_NOT;
        return x->def_kind <= VAL_TUPLE && x->def_kind != VAL_OTHER ? COULD : COULD_MAYBE;
    }
    Str text = annotation_text(pl, file, x);
    if (text.n) {
        if (annotation_plain(text)) return COULD;
        Type t = x->annotation == NONE ? (Type){0} : path_type(pl->p, file, x->annotation);
        return t.kind == TYPE_CLASS_OBJECT ? class_could(pl, t.id, depth) : COULD_MAYBE;
    }
    return asked(pl->p->facts[at->file], at->cls, at->name) ? COULD_MAYBE : COULD;
}

/* ---- values ---- */

static Could entity_could(Plan *pl, Ent e, u32 depth)
{
    switch (e.kind) {
    case ENT_CLASS: return COULD;
    case ENT_MODULE: return COULD_NOT;
    case ENT_FUNC: return type_could(pl, (Type){.kind = TYPE_FUNC, .id = e.id}, depth);
    case ENT_EXTERNAL: return str_starts(pl->p->syms.strs[e.id], S("sys.std")) ? COULD_NOT : COULD; /* by its name */
    case ENT_INSTANCE: return class_could(pl, e.id, depth);
    case ENT_NONE: return COULD_MAYBE;
    default: return type_could(pl, ent_type(pl->p, e), depth);
    }
}

static Could path_could(Plan *pl, u32 file, u32 func, const Path *p, const Attr *at, u32 depth)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->params; func && !p->nattr && i < fn->params + fn->nparams; i++)
        if (f->params.v[i].name == p->name && p->root != ROOT_GLOBAL && p->root != ROOT_SELF) {
            Could by_type = type_could(pl, ent_type(pl->p, path_resolve(pl->p, file, p, 0)), depth);
            return by_type == COULD_MAYBE ? param_could(pl, file, &f->params.v[i], at, depth) : by_type;
        }
    if (p->root == ROOT_SELF && !p->nattr) return COULD; /* the object itself */
    return entity_could(pl, path_resolve(pl->p, file, p, p->nattr), depth);
}

static Could call_could(Plan *pl, u32 file, const Call *c, u32 depth)
{
    const Facts *f = pl->p->facts[file];
    const Path *callee = &f->paths.v[c->callee];
    for (u32 i = c->args; i < c->args + c->nargs; i++) /* defaultdict(lambda: 0) */
        if (f->args.v[i].kind == VAL_LAMBDA &&
            str_is(path_external(pl->p, file, c->callee), "collections.defaultdict"))
            return COULD_NOT;
    Could could = type_could(pl, call_type(pl->p, file, (u32)(c - f->calls.v)), depth);
    if (could != COULD_MAYBE) return could;
    Str name = path_external(pl->p, file, c->callee);
    if (name.n) return library_could(name);
    return callee->nattr && !callee->truncated && known_method(path_last(f, callee), AS_PLAIN) ? COULD : COULD_MAYBE;
}

static Could expr_could(Plan *pl, u32 file, u32 func, u32 n, const Attr *at, u32 depth)
{
    const Ast *t = site_ast(pl, file);
    const Facts *f = pl->p->facts[file];
    Could worst = COULD;
    Path p;
    switch (t->v[n].kind) {
    case NODE_integer:
    case NODE_float:
    case NODE_string:
    case NODE_concatenated_string:
    case NODE_true:
    case NODE_false:
    case NODE_none:
    case NODE_comparison_operator:
    case NODE_not_operator:
    case NODE_binary_operator:
    case NODE_unary_operator:
    case NODE_list_comprehension:
    case NODE_set_comprehension:
    case NODE_dictionary_comprehension:
    case NODE_list_splat:
    case NODE_dictionary_splat: return COULD;
    case NODE_lambda:
    case NODE_generator_expression:
    case NODE_yield: return COULD_NOT;
    case NODE_identifier:
    case NODE_attribute: return ast_path(t, f, func, n, &p) ? path_could(pl, file, func, &p, at, depth) : COULD_MAYBE;
    case NODE_call: {
        const Call *c = call_at(f, (Span){t->v[n].start, t->v[n].end});
        return c ? call_could(pl, file, c, depth) : COULD_MAYBE;
    }
    case NODE_list:
    case NODE_tuple:
    case NODE_set:
    case NODE_dictionary:
    case NODE_pair:
    case NODE_expression_list:
    case NODE_parenthesized_expression:
    case NODE_boolean_operator:
    case NODE_conditional_expression:
        for (u32 c = ast_first(t, n), i = 0; c != NONE; c = ast_after(t, c), i++)
            if (!(i == 1 && t->v[n].kind == NODE_conditional_expression) && !ast_is(t, c, NODE_comment)) {
                Could one = expr_could(pl, file, func, c, at, depth);
                worst = MAX(worst, one);
            }
        return worst;
    default: return COULD_MAYBE;
    }
}

static Could def_could(Plan *pl, u32 file, const Def *d, const Attr *at, u32 depth)
{
    if (d->augmented) return COULD;
    const Ast *t = site_ast(pl, file);
    u32 a = ast_assignment(t, d->span), right = a == NONE ? NONE : ast_field(t, a, FIELD_right);
    if (right != NONE && ast_is(t, right, NODE_assignment)) right = NONE; /* a = b = … */
    Could by_type = type_could(pl, def_type(pl->p, file, d), depth);
    if (right == NONE) return by_type;
    Could by_text = expr_could(pl, file, d->func, right, at, depth);
    return by_text == COULD_MAYBE ? by_type : by_text;
}

/* ---- attributes and classes ---- */

/* Is it named after functions that others give, to be called? */
static bool holds_callbacks(Str name)
{
    static const char *const words[] = {"callback", "listener", "subscri", "observer", "handler", "watcher", "hook"};
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (str_contains(name, str_from(words[i]))) return true;
    return false;
}

static Could place_could(Plan *pl, u32 place, u32 depth)
{
    const Place *x = &pl->p->places.v[place];
    const LinkState *s = pl->p->state;
    GId id = class_gid(pl->p, x->owner);
    Attr at = {.file = id.file, .cls = id.id, .name = pl->p->syms.strs[x->name]};
    if (x->is_lock || x->thread_local_) return COULD_NOT;
    Could worst = type_holds_items(x->type.kind) && holds_callbacks(at.name) ? COULD_MAYBE : COULD;
    Type held = element_type(pl->p, x->file, (Ent){.kind = ENT_PLACE, .id = place});
    bool given = held.kind == TYPE_FUNC || held.kind == TYPE_MODULE; /* others may give something else */
    if (!given && type_could(pl, held, depth) == COULD_NOT) return COULD_NOT;
    for (u32 i = map_get(&s->place_defs, place); i != NONE; i = s->defrefs.v[i].next) {
        u32 file = s->defrefs.v[i].file;
        const Def *d = &pl->p->facts[file]->defs.v[s->defrefs.v[i].def];
        if (pl->p->tests[file]) continue;
        bool making = d->func == 0 || pl->p->funcs[gfunc_of(pl->p, file, d->func)].construct;
        Could one = def_could(pl, file, d, &at, depth);
        bool function = d->kind == VAL_LAMBDA || d->kind == VAL_FUNC || def_type(pl->p, file, d).kind == TYPE_FUNC;
        if (!making && function) continue; /* not from the beginning */
        if (making || one == COULD_NOT || d->kind == VAL_CALL) worst = MAX(worst, one);
    }
    return worst;
}

/* Is it called after what there is for the process that it runs in, and of which nobody wants a second one? */
static bool named_service(Str name)
{
    static const char *const ends[] = {"Backend", "Broker",     "Channel",    "Client",    "Connection", "Consumer",
                                       "Daemon",  "Dispatcher", "Driver",     "Executor",  "Handler",    "Listener",
                                       "Loop",    "Manager",    "Monitor",    "Poller",    "Pool",       "Producer",
                                       "Proxy",   "Publisher",  "Scheduler",  "Selector",  "Semaphore",  "Server",
                                       "Service", "Socket",     "Subscriber", "Transport", "Watcher",    "Worker"};
    for (u32 i = 0; i < COUNT_OF(ends); i++)
        if (str_ends(name, str_from(ends[i]))) return true;
    return false;
}

/* Has it one of the methods of what is started, closed, taken down, or the name of such a thing? */
static bool is_service(const Plan *pl, u32 gclass)
{
    u32 file;
    const Class *c = program_class(pl->p, gclass, &file);
    if (named_service(sym_str(pl->p->facts[file], c->name))) return true;
    static const char *const names[] = {"close", "connect",   "disconnect", "shutdown", "start",
                                        "stop",  "terminate", "fileno",     "__del__"};
    for (u32 i = 0; i < COUNT_OF(names); i++)
        if (class_own_method(pl->p, gclass, names[i]) != NONE) return true;
    return false;
}

static bool base_among(const Facts *f, u32 path, const char *const *names, u32 n)
{
    const Path *p = &f->paths.v[path];
    u32 last = p->nattr;
    while (last && p->attr[last - 1] == SYM_ITEM) last--; /* Generic[K, V] */
    return !p->truncated && str_among(sym_str(f, last ? p->attr[last - 1] : p->name), names, n);
}

bool base_plain(const Facts *f, u32 path)
{
    static const char *const names[] = {
        "object",   "ABC",      "Generic",        "Protocol",  "Hashable",   "Sized",    "Container",
        "Iterable", "Iterator", "Collection",     "Callable",  "Reversible", "Sequence", "MutableSequence",
        "Mapping",  "Set",      "MutableMapping", "MutableSet"};
    return base_among(f, path, names, COUNT_OF(names));
}

/* Containers of Python, and classes derived from them, can be pickled. */
static bool base_container(const Facts *f, u32 path)
{
    static const char *const names[] = {"dict",        "list",  "set",      "tuple",
                                        "OrderedDict", "deque", "UserDict", "UserList"};
    return base_among(f, path, names, COUNT_OF(names));
}

/* Do its methods make weak references? They are kept somewhere in its objects. */
static bool holds_weakly(const Plan *pl, u32 gclass)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    for (u32 i = 0; i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        if (f->funcs.v[c->func].self_class != id.id) continue;
        if (str_starts(path_external(pl->p, id.file, c->callee), S("weakref."))) return true;
    }
    return false;
}

static Could bases_could(Plan *pl, u32 gclass, u32 depth)
{
    GId id = class_gid(pl->p, gclass);
    const Facts *f = pl->p->facts[id.file];
    const Class *c = &f->classes.v[id.id];
    Could worst = COULD;
    for (u32 b = c->bases; b < c->bases + c->nbases; b++) {
        Type t = path_type(pl->p, id.file, f->bases.v[b]);
        Could one = t.kind == TYPE_CLASS_OBJECT                                        ? class_could(pl, t.id, depth)
                    : base_plain(f, f->bases.v[b]) || base_container(f, f->bases.v[b]) ? COULD
                                                                                       : COULD_MAYBE;
        worst = MAX(worst, one);
    }
    return worst;
}

static const char *const hooks[] = {"__reduce_ex__", "__reduce__", "__getstate__"};

static bool has_hooks(const Plan *pl, u32 gclass)
{
    for (u32 i = 0; i < COUNT_OF(hooks); i++)
        if (class_own_method(pl->p, gclass, hooks[i]) != NONE) return true;
    return false;
}

bool class_refuses_copies(Plan *pl, u32 gclass)
{
    for (u32 i = 0; i < COUNT_OF(hooks); i++) {
        u32 g = class_own_method(pl->p, gclass, hooks[i]);
        if (g == NONE) continue;
        const Ast *t = site_ast(pl, func_gid(pl->p, g).file);
        u32 def = ast_definition(t, program_func(pl->p, g)->span);
        u32 first = def == NONE ? NONE : ast_first(t, ast_field(t, def, FIELD_body));
        if (ast_is(t, first, NODE_expression_statement) && ast_is(t, ast_first(t, first), NODE_string))
            first = ast_after(t, first);
        if (ast_is(t, first, NODE_raise_statement)) return true;
    }
    return false;
}

static Could attributes_could(Plan *pl, u32 gclass, u32 depth)
{
    Could worst = COULD;
    for (u32 i = class_places(pl->p, gclass); i != NONE && worst != COULD_NOT; i = pl->p->places.v[i].sibling) {
        if (pl->p->places.v[i].of != NONE) continue;
        Could one = place_could(pl, i, depth);
        worst = MAX(worst, one);
    }
    return worst;
}

static Could class_could(Plan *pl, u32 gclass, u32 depth)
{
    if (!pl->copyable) pl->copyable = arena_new(pl->a, u8, pl->p->class_base[pl->p->nfiles] + 1);
    if (pl->copyable[gclass]) return pl->copyable[gclass];
    if (!depth) return COULD_MAYBE;
    pl->copyable[gclass] = COULD; /* while it is looked at: what it holds may hold it */
    u32 file;
    const Class *c = program_class(pl->p, gclass, &file);
    Could worst = class_refuses_copies(pl, gclass) || holds_weakly(pl, gclass) ? COULD_NOT
                  : c->func || is_service(pl, gclass)                          ? COULD_MAYBE
                                                                               : COULD;
    if (!has_hooks(pl, gclass)) {
        Could bases = bases_could(pl, gclass, depth - 1), own = attributes_could(pl, gclass, depth - 1);
        worst = MAX(worst, MAX(bases, own));
    }
    return pl->copyable[gclass] = (u8)worst;
}

/* ---- users ---- */

/* Has the module a name that begins with an underscore, or stands it in a package with such a name? */
static bool private_module(const Facts *f)
{
    for (Str rest = f->source->module; rest.n;) {
        Str part = str_cut(rest, '.', &rest);
        if (str_starts(part, S("_")) && !str_is(part, "__init__")) return true;
    }
    return false;
}

static bool for_users(const Plan *pl, u32 file)
{
    Str path = pl->p->facts[file]->source->path;
    return !is_test_path(path) && !is_example_path(path) && !pl->p->vendored[file];
}

/* Does a public module import the class under a public name? */
static bool shown_elsewhere(const Plan *pl, u32 gclass)
{
    GId id = class_gid(pl->p, gclass);
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        if (private_module(f) || !for_users(pl, file)) continue;
        for (u32 i = 0; i < f->imports.n; i++) {
            const Import *im = &f->imports.v[i];
            if (im->func || (!im->star && str_starts(sym_str(f, im->local), S("_")))) continue;
            if (im->star && import_file(pl->p, file, im) == id.file) return true;
            Ent e = im->star || im->name == SYM_EMPTY ? (Ent){0} : import_target(pl->p, file, im, 0);
            if (e.kind == ENT_CLASS && e.id == gclass) return true;
        }
    }
    return false;
}

/* Are its objects only parts of others that nobody copies? A container is of use to everybody. */
static bool part_of_service(Plan *pl, u32 gclass)
{
    if (!class_only_parts(pl->p, gclass) || !class_baseless(pl->p, gclass)) return false;
    for (u32 i = 0; i < pl->p->places.n; i++) {
        const Place *x = &pl->p->places.v[i];
        bool held = x->kind == PLACE_INSTANCE && x->type.kind == TYPE_CLASS && x->type.id == gclass;
        if (held && x->owner != NONE && class_could(pl, x->owner, COPY_DEPTH) == COULD) return false;
    }
    return true;
}

Users anybody_copies(Plan *pl, u32 gclass)
{
    u32 file;
    const Class *c = program_class(pl->p, gclass, &file);
    Could could = class_could(pl, gclass, COPY_DEPTH);
    if (could == COULD_NOT || named_service(sym_str(pl->p->facts[file], c->name)) || part_of_service(pl, gclass))
        return USERS_DO_NOT;
    return could == COULD ? USERS_MAY : USERS_PERHAPS;
}

Users users_copy(Plan *pl, u32 gclass)
{
    u32 file;
    const Class *c = program_class(pl->p, gclass, &file);
    const Facts *f = pl->p->facts[file];
    if (!pl->p->options->packaged || !for_users(pl, file) || c->func || c->outer != NONE) return USERS_DO_NOT;
    if (str_starts(sym_str(f, c->name), S("_"))) return USERS_DO_NOT;
    u32 init = class_own_method(pl->p, gclass, "__init__");
    if (init != NONE && !pl->p->funcs[init].api) return USERS_DO_NOT; /* of a script, a program, a window */
    if (private_module(f) && !shown_elsewhere(pl, gclass)) return USERS_DO_NOT;
    return anybody_copies(pl, gclass);
}
