/* Definitions and imports. A function's body is walked later (Walk.queue); a class body runs where it stands. */
#include "facts/copied.h"

static const Use use_load = {.op = OP_LOAD};

static void decorator_add(Walk *w, u32 n, u32 decorates)
{
    u32 value = ast_first(&w->t, n), calls = w->f->calls.n;
    if (value == NONE) return;
    bool in_def = w->in_def;
    w->in_def = true;
    walk_expr(w, value, use_load);
    w->in_def = in_def;
    u8 kind;
    u32 v, path = path_id(w, (Path){.root = ROOT_UNKNOWN});
    bool empty;
    value_of(w, value, &kind, &v, &empty);
    if (kind == VAL_PATH) path = v;
    if (kind == VAL_CALL && v >= calls) {
        path = w->f->calls.v[v].callee;
        w->f->calls.v[v].is_decorator = true;
        w->f->calls.v[v].decorates = decorates;
    }
    vec_push(w->a, &w->f->decorators, path);
}

static bool path_ends(const Walk *w, u32 path, const char *name)
{
    const Path *p = &w->f->paths.v[path];
    return str_is(path_last(w->f, p), name);
}

static void func_decorators(Walk *w, u32 func)
{
    Func *f = &w->f->funcs.v[func];
    for (u32 i = f->decorators; i < f->decorators + f->ndecorators; i++) {
        u32 d = w->f->decorators.v[i];
        f->is_overload |= path_ends(w, d, "overload");
        f->is_static |= path_ends(w, d, "staticmethod");
        f->is_classmethod |= path_ends(w, d, "classmethod");
        f->is_property |= path_ends(w, d, "property") || path_ends(w, d, "cached_property") ||
                          path_ends(w, d, "setter") || path_ends(w, d, "getter") || path_ends(w, d, "deleter") ||
                          path_ends(w, d, "lazyproperty") || path_ends(w, d, "reify");
    }
    Str name = sym_str(w->f, f->name);
    if (str_is(name, "__new__") || str_is(name, "__init_subclass__") || str_is(name, "__class_getitem__"))
        f->is_classmethod = true;
}

/* Defaults and annotations of the parameters: they run in the scope around the function. */
static void walk_params(Walk *w, u32 func, u32 params)
{
    u32 i = w->f->funcs.v[func].params;
    bool in_def = w->in_def;
    w->in_def = true;
    for (u32 p = ast_first(&w->t, params); p != NONE; p = ast_after(&w->t, p)) {
        if (i >= w->f->funcs.v[func].params + w->f->funcs.v[func].nparams ||
            w->t.v[p].start != w->f->params.v[i].span.start)
            continue;
        u32 value = ast_field(&w->t, p, FIELD_value), type = ast_field(&w->t, p, FIELD_type);
        if (value != NONE) {
            walk_expr(w, value, use_load);
            Param *x = &w->f->params.v[i];
            value_of(w, value, &x->def_kind, &x->def_value, &x->empty);
        }
        w->f->params.v[i].annotation = annotation_path(w, type);
        Path x = {.root = ROOT_PARAM, .func = func, .name = w->f->params.v[i].name};
        if (type != NONE && !w->f->params.v[i].star && !w->f->params.v[i].star2) items_annotated(w, x, p, type);
        i++;
    }
    w->in_def = in_def;
}

void walk_function_def(Walk *w, u32 n, u32 decorated)
{
    u32 func = map_get(&w->node_func, n);
    if (func == NONE) return;
    u32 first = w->f->decorators.n;
    for (u32 c = decorated == NONE ? NONE : ast_first(&w->t, decorated); c != NONE; c = ast_after(&w->t, c))
        if (w->t.v[c].kind == NODE_decorator) decorator_add(w, c, func);
    w->f->funcs.v[func].decorators = first;
    w->f->funcs.v[func].ndecorators = w->f->decorators.n - first;
    func_decorators(w, func);
    u32 params = ast_field(&w->t, n, FIELD_parameters), name = ast_field(&w->t, n, FIELD_name);
    if (params != NONE) walk_params(w, func, params);
    w->f->funcs.v[func].returns = annotation_path(w, ast_field(&w->t, n, FIELD_return_type));
    if (name != NONE) def_add(w, path_name(w, sym_of(w, name)), name, VAL_FUNC, func, false, NONE, false);
    vec_push(w->scratch, &w->queue, (Pending){n, func});
}

/* Meta("Name", (Base,), {}), with_metaclass(Meta, Base): what the call makes has a metaclass, and bases. False for
 * any other call. */
static bool made_by_metaclass(Walk *w, u32 cls, u32 node, u32 call)
{
    const Call *c = &w->f->calls.v[call];
    const Path *callee = &w->f->paths.v[c->callee];
    const Arg *args = &w->f->args.v[c->args];
    Str name = path_last(w->f, callee);
    if (str_is(name, "with_metaclass") && c->nargs && args[0].kind == VAL_PATH) {
        w->f->classes.v[cls].metaclass = args[0].value;
        for (u32 i = 1; i < c->nargs; i++)
            if (args[i].kind == VAL_PATH && !args[i].star) vec_push(w->a, &w->f->bases, args[i].value);
        return true;
    }
    if (c->nargs != 3 || args[1].kind != VAL_TUPLE || (args[0].kind != VAL_STRING && args[0].kind != VAL_CALL))
        return false;
    w->f->classes.v[cls].metaclass = c->callee;
    u32 list = ast_first(&w->t, ast_field(&w->t, node, FIELD_arguments));
    u32 tuple = list == NONE ? NONE : ast_after(&w->t, list);
    for (u32 b = tuple == NONE ? NONE : ast_first(&w->t, tuple); b != NONE; b = ast_after(&w->t, b)) {
        u8 kind;
        u32 v;
        bool empty;
        value_of(w, b, &kind, &v, &empty);
        if (kind == VAL_PATH) vec_push(w->a, &w->f->bases, v);
    }
    return true;
}

static void class_bases(Walk *w, u32 cls, u32 list)
{
    u32 first = w->f->bases.n;
    for (u32 c = ast_first(&w->t, list); c != NONE; c = ast_after(&w->t, c)) {
        bool keyword = w->t.v[c].kind == NODE_keyword_argument;
        u32 value = keyword ? ast_field(&w->t, c, FIELD_value) : c;
        walk_expr(w, value, use_load);
        u8 kind;
        u32 v;
        bool empty;
        value_of(w, value, &kind, &v, &empty);
        u32 path = kind == VAL_PATH ? v : kind == VAL_CALL ? w->f->calls.v[v].callee : NONE;
        if (path == NONE || (kind == VAL_CALL && !keyword && made_by_metaclass(w, cls, c, v))) continue;
        const Path *p = &w->f->paths.v[path];
        if (path_is_item(p)) { /* Generic[T], Base[int] */
            Path q = *p;
            q.nattr--;
            path = path_id(w, q);
        }
        if (!keyword)
            vec_push(w->a, &w->f->bases, path);
        else if (str_is(ast_text(&w->t, ast_field(&w->t, c, FIELD_name)), "metaclass"))
            w->f->classes.v[cls].metaclass = path;
    }
    w->f->classes.v[cls].bases = first;
    w->f->classes.v[cls].nbases = w->f->bases.n - first;
}

void walk_class_def(Walk *w, u32 n, u32 decorated)
{
    u32 cls = map_get(&w->node_class, n), name = ast_field(&w->t, n, FIELD_name);
    if (cls == NONE) return;
    u32 first = w->f->decorators.n;
    for (u32 c = decorated == NONE ? NONE : ast_first(&w->t, decorated); c != NONE; c = ast_after(&w->t, c))
        if (w->t.v[c].kind == NODE_decorator) decorator_add(w, c, NONE);
    w->f->classes.v[cls].decorators = first;
    w->f->classes.v[cls].ndecorators = w->f->decorators.n - first;
    w->f->classes.v[cls].bases = w->f->bases.n;
    u32 list = ast_field(&w->t, n, FIELD_superclasses);
    if (list != NONE) class_bases(w, cls, list);
    if (name != NONE) def_add(w, path_name(w, sym_of(w, name)), name, VAL_CLASS, cls, false, NONE, false);
    u32 outer = w->cls;
    w->cls = cls;
    u32 block = walk_block(w, BLOCK_CLASS, NONE, ast_field(&w->t, n, FIELD_body));
    w->f->classes.v[cls].block = block;
    w->cls = outer;
    u32 slots = intern_find(&w->f->syms, S("__slots__"));
    w->f->classes.v[cls].has_slots = slots != NONE && bind_bits(w, cls | CLASS_SCOPE, slots);
}

void walk_decorated(Walk *w, u32 n)
{
    u32 def = ast_field(&w->t, n, FIELD_definition);
    if (ast_is(&w->t, def, NODE_class_definition))
        walk_class_def(w, def, n);
    else if (def != NONE)
        walk_function_def(w, def, n);
}

static void import_add(Walk *w, u32 n, Str local, Str module, Str name, u8 level, bool star)
{
    Intern *syms = &w->f->syms;
    vec_push(w->a, &w->f->imports,
             (Import){.local = intern(w->a, syms, local),
                      .module = intern(w->a, syms, module),
                      .name = intern(w->a, syms, name),
                      .level = level,
                      .star = star,
                      .typing = w->f->blocks.v[w->block].typing,
                      .func = w->func,
                      .span = {w->t.v[n].start, w->t.v[n].end}});
}

void walk_import(Walk *w, u32 n)
{
    for (u32 c = w->t.v[n].child; c != NONE; c = w->t.v[c].next) {
        if (w->t.v[c].field != FIELD_name) continue;
        if (w->t.v[c].kind == NODE_aliased_import) {
            import_add(w, n, ast_text(&w->t, ast_field(&w->t, c, FIELD_alias)),
                       ast_text(&w->t, ast_field(&w->t, c, FIELD_name)), S(""), 0, false);
        } else { /* import a.b.c binds a */
            Str rest, whole = ast_text(&w->t, c);
            import_add(w, n, str_cut(whole, '.', &rest), whole, S(""), 0, false);
        }
    }
}

void walk_import_from(Walk *w, u32 n)
{
    u32 from = ast_field(&w->t, n, FIELD_module_name);
    Str module = from == NONE ? S("") : ast_text(&w->t, from);
    u8 level = 0;
    while (module.n && (module.p[0] == '.' || module.p[0] == ' ')) {
        level = (u8)(level + (module.p[0] == '.'));
        module = str_slice(module, 1, module.n);
    }
    for (u32 c = w->t.v[n].child; c != NONE; c = w->t.v[c].next) {
        if (w->t.v[c].kind == NODE_wildcard_import) import_add(w, n, S(""), module, S(""), level, true);
        if (w->t.v[c].field != FIELD_name) continue;
        bool as = w->t.v[c].kind == NODE_aliased_import;
        Str name = ast_text(&w->t, as ? ast_field(&w->t, c, FIELD_name) : c);
        import_add(w, n, as ? ast_text(&w->t, ast_field(&w->t, c, FIELD_alias)) : name, module, name, level, false);
    }
}
