/* Every place in the program's texts where a name is a piece of state, or may be: for transforms that change what the
 * state is, and must know of all that is done with it.
 *
 * Accesses (facts) are what the races need; what merely looks at a value is not among them: `q + [1]`, f"{q}",
 * {"q": q}. So the syntax trees are gone through here. A name is the state's where its scope says so; an attribute
 * where its receiver is the state's class or module, or is not known. What reaches the state without its name, or by
 * a text that holds it, is a reason to give up: getattr(o, "n"), globals()["q"], vars(o), pickle. */
#include "fixes/fixes.h"

typedef struct Finding {
    Plan *pl;
    const Place *place;
    u32 id;
    Str name;
    UseVec *out;
    Str why;
} Finding;

/* ---- scopes ---- */

/* Is the name a parameter or a variable of this very function? Variables of comprehensions are their own. */
static bool own_variable(const Facts *f, const Ast *t, u32 func, u32 sym)
{
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++)
        if (f->params.v[i].name == sym) return true;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Path *p = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
        if (!p || p->root != ROOT_LOCAL || p->func != func || p->name != sym || p->nattr) continue;
        u32 n = ast_at(t, f->defs.v[i].span);
        while (n && !ast_is_statement(t, n) && t->v[n].kind != NODE_for_in_clause) n = t->v[n].parent;
        if (t->v[n].kind != NODE_for_in_clause) return true;
    }
    return false;
}

static bool class_variable(const Facts *f, u32 cls, u32 sym)
{
    for (u32 i = 0; i < f->defs.n; i++) {
        const Path *p = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
        if (p && p->root == ROOT_CLASS && p->func == cls && p->name == sym && !p->nattr) return true;
    }
    return false;
}

/* The function (0: the module) whose variable the name at a node is; *cls the class in whose body it stands and is
 * bound, else NONE. */
static u32 scope_of(const Facts *f, const Ast *t, u32 n, u32 sym, u32 *cls)
{
    *cls = NONE;
    bool inner = true; /* no function lies between: a class's names are seen in its body only */
    for (u32 up = t->v[n].parent; up != NONE; up = t->v[up].parent) {
        u8 k = t->v[up].kind;
        Span span = ast_span(t, up);
        if (k == NODE_class_definition && inner) {
            for (u32 i = 0; i < f->classes.n; i++)
                if (f->classes.v[i].span.end == span.end && span_within(f->classes.v[i].body, span) &&
                    class_variable(f, i, sym)) {
                    *cls = i;
                    return 0;
                }
        }
        if (k != NODE_function_definition && k != NODE_lambda) continue;
        u32 body = ast_field(t, up, FIELD_body);
        if (body == NONE || t->v[n].start < t->v[body].start) continue; /* a default, a decorator, an annotation */
        inner = false;
        for (u32 i = 1; i < f->funcs.n; i++)
            if (f->funcs.v[i].span.end == span.end && span_within(f->funcs.v[i].body, span) &&
                span_within(ast_span(t, body), f->funcs.v[i].span) && own_variable(f, t, i, sym))
                return i;
    }
    return 0;
}

/* ---- names ---- */

/* Is the identifier only a word there: a keyword, an attribute's name, part of an import, a parameter? */
static bool only_word(const Ast *t, u32 n)
{
    u32 up = t->v[n].parent;
    switch (t->v[up].kind) {
    case NODE_attribute: return t->v[n].field == FIELD_attribute;
    case NODE_keyword_argument:
    case NODE_function_definition:
    case NODE_class_definition:
    case NODE_default_parameter: return t->v[n].field == FIELD_name;
    case NODE_dotted_name:
    case NODE_parameters:
    case NODE_lambda_parameters:
    case NODE_global_statement:
    case NODE_nonlocal_statement: return true;
    default: return false;
    }
}

/* Is what a file imports from the module of the place, as far as its name tells? */
static bool from_module(const Finding *x, const Facts *f, const Import *m)
{
    Str mine = x->pl->p->facts[x->place->file]->source->module, module = sym_str(f, m->module);
    return m->level || str_ends(mine, module) || str_ends(module, mine);
}

/* Does the module-level name of this file stand for the place? */
static bool global_here(const Finding *x, u32 file, u32 sym)
{
    const Facts *f = x->pl->p->facts[file];
    if (x->place->kind == PLACE_GLOBAL && file == x->place->file) return true;
    for (u32 i = 0; i < f->imports.n && x->place->kind == PLACE_GLOBAL; i++) /* from m import * */
        if (f->imports.v[i].star && from_module(x, f, &f->imports.v[i])) return true;
    for (u32 i = 0; i < f->paths.n; i++) {
        const Path *p = &f->paths.v[i];
        if (p->root == ROOT_GLOBAL && !p->nattr && p->name == sym && path_place(x->pl->p, file, i) == x->id)
            return true;
    }
    return false;
}

static void use_add(Finding *x, u32 file, u32 node)
{
    vec_push(x->pl->a, x->out, (Use){file, node});
}

static void name_look(Finding *x, u32 file, u32 n, u32 sym, bool global)
{
    const Program *p = x->pl->p;
    const Facts *f = p->facts[file];
    const Ast *t = site_ast(x->pl, file);
    if (only_word(t, n)) return;
    u32 cls, func = scope_of(f, t, n, sym, &cls);
    u8 kind = x->place->kind;
    bool ours;
    if (cls != NONE)
        ours = (kind == PLACE_CLASS_ATTR || kind == PLACE_INSTANCE) &&
               class_is_a(p, p->class_base[file] + cls, x->place->owner);
    else if (func)
        ours = kind == PLACE_CLOSURE && gfunc_of(p, file, func) == x->place->owner;
    else
        ours = kind == PLACE_GLOBAL && global;
    if (ours) use_add(x, file, n);
}

/* ---- attributes ---- */

/* The place of what is named by an attribute, as the accesses that begin with it have it. NONE: not known. */
static u32 attribute_place(const Finding *x, u32 file, u32 n, u32 sym)
{
    const Program *p = x->pl->p;
    const Facts *f = p->facts[file];
    const Ast *t = site_ast(x->pl, file);
    u32 place = NONE;
    for (u32 i = 0; i < f->accesses.n; i++) {
        const Access *a = &f->accesses.v[i];
        const Path *q = &f->paths.v[a->path];
        if (a->span.start != t->v[n].start || a->span.end < t->v[n].end) continue;
        if (!q->nattr || q->attr[q->nattr - 1] != sym) continue;
        u32 here = p->access_place[p->access_base[file] + i];
        if (here == x->id) return here;
        if (here != NONE) place = here;
    }
    for (u32 i = 0; i < f->defs.n && place == NONE; i++)
        if (f->defs.v[i].path != NONE && f->defs.v[i].span.start == t->v[n].start &&
            f->defs.v[i].span.end == t->v[n].end)
            place = path_place(p, file, f->defs.v[i].path);
    return place;
}

static void attribute_look(Finding *x, u32 file, u32 n, u32 sym)
{
    const Ast *t = site_ast(x->pl, file);
    u8 kind = x->place->kind, receiver = t->v[ast_field(t, n, FIELD_object)].kind;
    u32 place = attribute_place(x, file, n, sym);
    if (place != NONE && place != x->id) return;
    if (place == NONE && (kind == PLACE_CLOSURE || kind == PLACE_DEFAULT)) return;
    /* a module is had by its name, or from import_module(…), sys.modules[…] */
    if (place == NONE && kind == PLACE_GLOBAL && receiver != NODE_call && receiver != NODE_subscript) return;
    use_add(x, file, n);
}

/* ---- texts ---- */

/* Is a text that holds the name made a name again: getattr(o, "q"), globals()["q"], vars(o)["q"], eval("q + 1")? */
static bool reflected(const Ast *t, u32 n, Str name)
{
    static const char *const by_name[] = {"getattr",      "setattr",    "delattr", "hasattr",          "attrgetter",
                                          "methodcaller", "patch",      "object",  "__getattribute__", "__setattr__",
                                          "get",          "setdefault", "pop"};
    static const char *const runs[] = {"eval", "exec", "compile"};
    Str text = ast_text(t, n);
    size_t from = 0;
    while (from < text.n && text.p[from] != '"' && text.p[from] != '\'') from++;
    Str bare = text.n >= from + 2 ? str_slice(text, from + 1, text.n - 1) : S("");
    u32 up = t->v[n].parent;
    if (ast_is(t, up, NODE_subscript)) {
        Str of = ast_text(t, ast_field(t, up, FIELD_value));
        bool names = str_starts(of, S("globals(")) || str_starts(of, S("vars(")) || str_starts(of, S("locals(")) ||
                     str_ends(of, S("__dict__"));
        return names && str_eq(bare, name);
    }
    while (ast_is(t, up, NODE_list) || ast_is(t, up, NODE_tuple)) up = t->v[up].parent;
    if (ast_is(t, up, NODE_assignment) || ast_is(t, up, NODE_augmented_assignment)) /* for everybody to take */
        return str_is(ast_text(t, ast_field(t, up, FIELD_left)), "__all__") && str_eq(bare, name);
    if (!ast_is(t, up, NODE_argument_list)) return false;
    u32 fn = ast_field(t, t->v[up].parent, FIELD_function);
    if (fn == NONE) return false;
    Str called = ast_text(t, ast_is(t, fn, NODE_attribute) ? ast_field(t, fn, FIELD_attribute) : fn);
    if (str_among(called, runs, COUNT_OF(runs))) return str_contains(text, name);
    if (str_is(called, "get") || str_is(called, "setdefault") || str_is(called, "pop")) {
        Str of = ast_is(t, fn, NODE_attribute) ? ast_text(t, ast_field(t, fn, FIELD_object)) : S("");
        if (!str_ends(of, S("__dict__")) && !str_starts(of, S("vars(")) && !str_starts(of, S("globals(")))
            return false;
    }
    if (str_is(called, "attrgetter") || str_is(called, "patch")) return str_contains(text, name);
    return str_among(called, by_name, COUNT_OF(by_name)) && str_eq(bare, name);
}

/* from m import q as z: under another name it is not followed. */
static bool imported_otherwise(const Finding *x, u32 file, u32 sym)
{
    const Facts *f = x->pl->p->facts[file];
    for (u32 i = 0; i < f->imports.n && x->place->kind == PLACE_GLOBAL; i++) {
        const Import *m = &f->imports.v[i];
        if (m->star || m->name != sym || (m->local == sym && !m->func)) continue;
        if (from_module(x, f, m)) return true;
    }
    return false;
}

static bool file_look(Finding *x, u32 file)
{
    const Facts *f = x->pl->p->facts[file];
    if (!str_contains(f->source->text, x->name)) return true;
    const Ast *t = site_ast(x->pl, file);
    u32 sym = intern_find(&f->syms, x->name);
    bool global = sym != NONE && global_here(x, file, sym);
    x->why = S("it is imported under another name, or inside of a function");
    if (sym != NONE && imported_otherwise(x, file, sym)) return false;
    for (u32 n = 0; n < t->n; n++) {
        u8 k = t->v[n].kind;
        if (k == NODE_string && reflected(t, n, x->name)) {
            u32 line, column;
            source_position(f->source, t->v[n].start, &line, &column);
            x->why = str_fmt(x->pl->a, "line %u of %.*s names it in a text, and more may be done with it there", line,
                             STR_ARG(f->source->path));
            return false;
        }
        if (sym == NONE) continue;
        if (k == NODE_identifier && str_eq(ast_text(t, n), x->name)) name_look(x, file, n, sym, global);
        if (k == NODE_attribute && str_eq(ast_text(t, ast_field(t, n, FIELD_attribute)), x->name))
            attribute_look(x, file, n, sym);
    }
    return true;
}

/* ---- the whole object ---- */

/* Does a computed name ask objects of the class, or, in its file, of an unknown one: getattr(self, name)? */
static bool asked_by_computed(const Finding *x)
{
    const Program *p = x->pl->p;
    u32 owner = x->place->owner;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->accesses.n; i++) {
            const Access *a = &f->accesses.v[i];
            const Path *q = &f->paths.v[a->path];
            if (a->op != OP_ITEM_LOAD || a->method == SYM_ITEM || !q->nattr) continue;
            u32 cls = NONE;
            bool known = true;
            if ((q->root == ROOT_SELF || q->root == ROOT_CLS) && q->nattr == 1) {
                u32 c = f->funcs.v[q->func].cls;
                cls = c == NONE ? NONE : p->class_base[file] + c;
            } else {
                Type t = ent_type(p, path_resolve(p, file, q, q->nattr - 1u));
                if (t.kind == TYPE_CLASS) cls = t.id;
                known = t.kind != TYPE_UNKNOWN;
            }
            if (cls != NONE && (class_is_a(p, cls, owner) || class_is_a(p, owner, cls))) return true;
            if (!known && file == class_gid(p, owner).file) return true;
        }
    }
    return false;
}

/* The object whose attributes a node asks for as a whole, o.__dict__, vars(o), asdict(o); NONE. One of them by a
 * text, vars(o)["q"], is found by that. */
static u32 walked_object(const Ast *t, u32 n)
{
    u32 object = NONE;
    if (ast_is(t, n, NODE_attribute) && str_is(ast_text(t, ast_field(t, n, FIELD_attribute)), "__dict__"))
        object = ast_field(t, n, FIELD_object);
    if (ast_is(t, n, NODE_call)) {
        u32 fn = ast_field(t, n, FIELD_function);
        Str name = ast_text(t, ast_is(t, fn, NODE_attribute) ? ast_field(t, fn, FIELD_attribute) : fn);
        if (str_is(name, "vars") || str_is(name, "asdict") || str_is(name, "astuple"))
            object = ast_first(t, ast_field(t, n, FIELD_arguments));
    }
    if (object == NONE) return NONE;
    u32 up = t->v[n].parent;
    if (ast_is(t, up, NODE_subscript) && t->v[n].field == FIELD_value &&
        ast_is(t, ast_field(t, up, FIELD_subscript), NODE_string))
        return NONE;
    u32 call = t->v[up].parent, key = ast_is(t, call, NODE_call) ? ast_field(t, call, FIELD_arguments) : NONE;
    bool single = ast_is(t, up, NODE_attribute) && key != NONE && ast_is(t, ast_first(t, key), NODE_string);
    return single ? NONE : object;
}

/* Is the object at a node, self aside, one of the class, or of one that it or its heirs derive from? What other names
 * stand for is not asked. */
static bool may_be_owner(const Finding *x, u32 file, u32 object)
{
    const Program *p = x->pl->p;
    const Facts *f = p->facts[file];
    const Ast *t = site_ast(x->pl, file);
    Str name = ast_text(t, object);
    if (!str_is(name, "self") && !str_is(name, "cls")) return true;
    u32 cls = NONE;
    for (u32 i = 1; i < f->funcs.n; i++)
        if (span_within(ast_span(t, object), f->funcs.v[i].span)) cls = f->funcs.v[i].self_class;
    if (cls == NONE) return true;
    cls += p->class_base[file];
    return class_is_a(p, cls, x->place->owner) || class_is_a(p, x->place->owner, cls);
}

static bool walked_anywhere(const Finding *x)
{
    for (u32 file = 0; file < x->pl->p->nfiles; file++) {
        Str text = x->pl->p->facts[file]->source->text;
        if (!str_contains(text, S("__dict__")) && !str_contains(text, S("vars(")) &&
            !str_contains(text, S("asdict(")) && !str_contains(text, S("astuple(")))
            continue;
        const Ast *t = site_ast(x->pl, file);
        for (u32 n = 0; n < t->n; n++) {
            u32 object = t->v[n].named ? walked_object(t, n) : NONE;
            if (object != NONE && may_be_owner(x, file, object)) return true;
        }
    }
    return false;
}

static bool object_look(Finding *x)
{
    if (x->place->kind != PLACE_INSTANCE && x->place->kind != PLACE_CLASS_ATTR) return true;
    x->why = S("something goes through all attributes of its objects, or pickles or copies them");
    if (walked_anywhere(x) || pickled_obstacle(x->pl, x->place->owner).n) return false;
    x->why = S("attributes of its objects are asked for by computed names");
    return !asked_by_computed(x);
}

bool uses_known(Plan *pl, u32 place, UseVec *out, Str *why)
{
    Finding x = {.pl = pl, .id = place, .out = out};
    x.place = &pl->p->places.v[place];
    x.name = pl->p->syms.strs[x.place->name];
    bool ok = x.place->kind != PLACE_DEFAULT && x.place->file != NONE;
    x.why = S("not all that is done with it can be seen");
    if (ok && x.place->public_ && pl->p->library && x.place->kind != PLACE_CLOSURE) {
        x.why = S("its name is public, and users of the library may do with it what they like");
        ok = false;
    }
    ok = ok && object_look(&x);
    for (u32 file = 0; file < pl->p->nfiles && ok; file++) ok = file_look(&x, file);
    if (!ok) *why = x.why;
    return ok;
}
