/* The hooks of a class that says itself how its objects are pickled and copied, where they are of a kind that can
 * be extended by a lock: left out of the state, and made anew with it.
 *
 *   def __getstate__(self):
 *       state = self.__dict__.copy()   or dict(self.__dict__), {**self.__dict__}: the lock goes out right after it,
 *       …                              so that what follows sees what it saw
 *       return state                   or without __dict__: {"n": self.n} and (self.n,) have no lock
 *
 *   def __setstate__(self, state):     the lock is made first, so that whatever is called here has it,
 *       self.__dict__ = state          or after this as the first statement
 *
 * As pickle and copy call __setstate__ only with a state that is not None (and protocols 0 and 1 only with one that
 * is true: the library reference, "Pickling Class Instances"), all that is returned must be such a copy, or a
 * dictionary or tuple with something in it. The object itself must not get away in __getstate__, since whoever has
 * it may ask for its __dict__. Everything else is refused. */
#include "fixes/fixes.h"

/* A hook while it is read. */
typedef struct Hook {
    Arena *a;
    const Facts *f;
    const Ast *t;
    u32 def;
    Str self, state; /* its parameters */
} Hook;

static u32 own_class(const Ast *t, u32 n)
{
    for (n = t->v[n].parent; n != NONE && n != 0; n = t->v[n].parent)
        if (t->v[n].kind == NODE_class_definition) return n;
    return NONE;
}

/* The method of this name; false when it is there in another way than as one plain definition in the class body. */
static bool hook_find(const Ast *t, u32 cls, const char *name, u32 *out)
{
    u32 body = ast_field(t, cls, FIELD_body);
    *out = NONE;
    for (u32 n = cls + 1; n < t->n && t->v[n].start < t->v[cls].end; n++) {
        if (t->v[n].kind != NODE_function_definition || own_class(t, n) != cls) continue;
        if (!str_is(ast_text(t, ast_field(t, n, FIELD_name)), name)) continue;
        if (t->v[n].parent != body || *out != NONE || ast_token(t, n, "async")) return false;
        *out = n;
    }
    return true;
}

/* Reads so many parameters without defaults. */
static bool parameters_read(Hook *h, u32 want)
{
    u32 list = ast_field(h->t, h->def, FIELD_parameters), n = 0;
    for (u32 c = ast_first(h->t, list); c != NONE; c = ast_after(h->t, c), n++) {
        u32 name = ast_is(h->t, c, NODE_typed_parameter) ? ast_first(h->t, c) : c;
        if (!ast_is(h->t, name, NODE_identifier) || n == want) return false;
        if (n == 0) h->self = ast_text(h->t, name);
        if (n == 1) h->state = ast_text(h->t, name);
    }
    return n == want;
}

/* Does the statement stand on lines of its own? */
static bool lines_for_itself(const Ast *t, u32 stmt)
{
    const Source *s = t->source;
    Str rest = str_trim(str_slice(s->text, t->v[stmt].end, line_after(s, t->v[stmt].end)));
    return stands_first(s, t->v[stmt].start) && (!rest.n || rest.p[0] == '#');
}

/* The variable that the statement gives a copy of the object's __dict__; empty. */
static Str copy_variable(const Hook *h, u32 stmt)
{
    const Ast *t = h->t;
    u32 a = ast_is(t, stmt, NODE_expression_statement) ? ast_first(t, stmt) : NONE;
    u32 left = ast_is(t, a, NODE_assignment) ? ast_field(t, a, FIELD_left) : NONE;
    u32 right = left == NONE ? NONE : ast_field(t, a, FIELD_right);
    if (right == NONE || !ast_is(t, left, NODE_identifier) || str_eq(ast_text(t, left), h->self)) return S("");
    Str value = ast_text(t, right), self = h->self;
    bool copied = str_eq(value, str_fmt(h->a, "%.*s.__dict__.copy()", STR_ARG(self))) ||
                  str_eq(value, str_fmt(h->a, "{**%.*s.__dict__}", STR_ARG(self))) ||
                  (str_eq(value, str_fmt(h->a, "dict(%.*s.__dict__)", STR_ARG(self))) &&
                   !name_bound(h->f, S("dict"), S("builtins")));
    return copied ? ast_text(t, left) : S("");
}

static bool is_dict(const Ast *t, u32 n)
{
    return ast_is(t, n, NODE_attribute) && str_is(ast_text(t, ast_field(t, n, FIELD_attribute)), "__dict__");
}

/* What makes a function another thing than statements that run once, from the first to the last. */
static bool unusual(const Ast *t, u32 n)
{
    static const u8 kinds[] = {NODE_function_definition, NODE_class_definition,  NODE_lambda,
                               NODE_yield,               NODE_global_statement, NODE_nonlocal_statement};
    static const char *const words[] = {"vars", "super", "locals", "eval", "exec"};
    for (u32 i = 0; i < COUNT_OF(kinds); i++)
        if (t->v[n].kind == kinds[i]) return true;
    return t->v[n].error || (t->v[n].kind == NODE_identifier && t->v[n].field != FIELD_attribute &&
                             str_among(ast_text(t, n), words, COUNT_OF(words)));
}

/* Is the copy only read or changed where its name stands here, and never another thing? */
static bool copy_kept(const Ast *t, u32 n)
{
    const Node *up = &t->v[t->v[n].parent];
    switch (up->kind) {
    case NODE_attribute: return t->v[n].field == FIELD_object;
    case NODE_subscript: return t->v[n].field == FIELD_value;
    case NODE_for_statement: return t->v[n].field == FIELD_right;
    case NODE_for_in_clause: return t->v[n].field == FIELD_right;
    case NODE_return_statement:
    case NODE_argument_list:
    case NODE_tuple:
    case NODE_comparison_operator: return true;
    default: return false;
    }
}

/* May the value be returned? *plain: a __setstate__ that updates __dict__ would take it, too. */
static bool state_value(const Ast *t, u32 value, Str copied, bool *plain)
{
    if (ast_is(t, value, NODE_identifier)) return copied.n && str_eq(ast_text(t, value), copied);
    if (ast_is(t, value, NODE_dictionary)) return ast_is(t, ast_first(t, value), NODE_pair);
    *plain = false;
    bool tuple = ast_is(t, value, NODE_tuple) || ast_is(t, value, NODE_expression_list);
    u32 first = tuple ? ast_first(t, value) : NONE;
    return first != NONE && t->v[first].kind != NODE_list_splat;
}

/* Names in __getstate__: __dict__ is for the one copy, the object is for its attributes. */
static bool name_kept(const Hook *h, const StateHooks *s, u32 n)
{
    const Ast *t = h->t;
    u8 up = t->v[t->v[n].parent].kind;
    bool copying = s->copy != NONE && t->v[n].start >= t->v[s->copy].start && t->v[n].end <= t->v[s->copy].end;
    if (copying) return true;
    if (t->v[n].kind != NODE_identifier || t->v[n].field == FIELD_attribute) return !is_dict(t, n);
    if (str_eq(ast_text(t, n), h->self))
        return up == NODE_attribute || up == NODE_parameters || up == NODE_typed_parameter;
    return !s->copied.n || !str_eq(ast_text(t, n), s->copied) || copy_kept(t, n);
}

/* Can the lock be kept out of what __getstate__ returns? */
static bool getstate_read(Hook *h, StateHooks *out, bool *plain)
{
    const Ast *t = h->t;
    u32 last = NONE;
    if (!parameters_read(h, 1)) return false;
    for (u32 n = ast_first(t, ast_field(t, h->def, FIELD_body)); n != NONE; n = ast_after(t, last = n)) {
        Str name = copy_variable(h, n);
        if (!name.n) continue;
        if (out->copied.n || !lines_for_itself(t, n)) return false;
        out->copy = n;
        out->copied = name;
    }
    if (!ast_is(t, last, NODE_return_statement)) return false;
    for (u32 n = h->def + 1; n < t->n && t->v[n].start < t->v[h->def].end; n++) {
        if (unusual(t, n) || !name_kept(h, out, n)) return false;
        if (ast_is(t, n, NODE_return_statement) && !state_value(t, ast_first(t, n), out->copied, plain)) return false;
    }
    return true;
}

/* Can the lock be made in __setstate__? */
static bool setstate_read(Hook *h, StateHooks *out)
{
    const Ast *t = h->t;
    if (!parameters_read(h, 2)) return false;
    u32 first = ast_first(t, ast_field(t, h->def, FIELD_body));
    if (ast_is(t, first, NODE_expression_statement) && ast_is(t, ast_first(t, first), NODE_string))
        first = ast_after(t, first);
    if (first == NONE || !lines_for_itself(t, first)) return false;
    Str text = ast_text(t, first), dict = str_fmt(h->a, "%.*s.__dict__", STR_ARG(h->self));
    out->stored = str_eq(text, str_fmt(h->a, "%.*s = %.*s", STR_ARG(dict), STR_ARG(h->state))) ||
                  str_eq(text, str_fmt(h->a, "%.*s.update(%.*s)", STR_ARG(dict), STR_ARG(h->state)));
    out->first = first;
    out->self = h->self;
    for (u32 n = h->def + 1; n < t->n && t->v[n].start < t->v[h->def].end; n++) {
        u32 up = t->v[n].parent;
        if (unusual(t, n)) return false;
        if (!is_dict(t, n) || (out->stored && t->v[n].start < t->v[first].end)) continue;
        bool item = ast_is(t, up, NODE_subscript) && t->v[n].field == FIELD_value;
        u32 method = ast_is(t, up, NODE_attribute) ? ast_field(t, up, FIELD_attribute) : NONE;
        if (!item && !(method != NONE && str_is(ast_text(t, method), "update"))) return false;
    }
    return true;
}

bool state_hooks(Arena *a, const Facts *f, const Ast *t, u32 class_node, StateHooks *out)
{
    bool plain = true;
    *out = (StateHooks){.get = NONE, .set = NONE, .copy = NONE, .first = NONE};
    if (!hook_find(t, class_node, "__getstate__", &out->get) || !hook_find(t, class_node, "__setstate__", &out->set))
        return false;
    Hook get = {.a = a, .f = f, .t = t, .def = out->get}, set = {.a = a, .f = f, .t = t, .def = out->set};
    if (out->get != NONE && !getstate_read(&get, out, &plain)) return false;
    if (out->set != NONE && !setstate_read(&set, out)) return false;
    return out->set != NONE || plain;
}
