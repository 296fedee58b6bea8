/* Planner "snapshot", and copies for the planner "guard": what is walked is copied first.
 *
 *   for k, v in d.items():     →     for k, v in list(d.items()):
 *
 * Which copies happen in one step differs by type (docs/memory-model.md). On an exact dict, set or list, list() of
 * the container or of a view does, on a defaultdict or Counter only list() of a view. Those need no lock. A deque or
 * an OrderedDict has none; there the copy, and the copy only, is made under the lock that the writers take:
 *
 *   for job in self._jobs:     →     with self._jobs_lock:
 *                                        jobs = list(self._jobs)
 *                                    for job in jobs:
 *
 * Of an object whose class derives from such a container only the container's own methods do: not those that the
 * class, or one derived from it, defines, which may walk the object itself.
 *
 * The copy stands on a line of its own before the statement, so it must not depend on what the statement binds, nor
 * be made where the statement might not have looked at the container at all; there the whole statement is guarded. */
#include "fixes/fixes.h"

/* Readers that keep the container's type in what they make: they want a copy, not a list. */
static bool wants_type(Str reader)
{
    static const char *const names[] = {"dumps", "dump",        "deepcopy",    "pformat", "pprint",  "update",
                                        "dict",  "OrderedDict", "defaultdict", "Counter", "ChainMap"};
    return str_among(reader, names, COUNT_OF(names));
}

static bool primary(const Ast *t, u32 n)
{
    return ast_is(t, n, NODE_identifier) || ast_is(t, n, NODE_attribute) || ast_is(t, n, NODE_subscript) ||
           ast_is(t, n, NODE_call);
}

/* self.d or (): a copy of the whole is one of self.d. */
static bool either(const Ast *t, u32 n)
{
    return ast_is(t, n, NODE_boolean_operator);
}

/* repr(q), f"{q}", q * 2: is what the reader makes told by the type of what it reads? */
static bool tells_type(const Plan *pl, u32 file, const Access *a)
{
    Str reader = sym_str(pl->p->facts[file], a->method);
    return a->op == OP_LOAD || (a->op == OP_CREAD && (str_is(reader, "repr") || str_is(reader, "str")));
}

/* The node with exactly this span that stands for the container or its view; NONE. */
static u32 walked_node(const Ast *t, Span span)
{
    u32 n = ast_at(t, span);
    if (t->v[n].start != span.start || t->v[n].end != span.end || !(primary(t, n) || either(t, n))) return NONE;
    if (t->source->text.p[span.start] == '*') return NONE; /* [*self.q]: the star is part of the node */
    for (u32 up = t->v[n].parent; up != NONE; up = t->v[up].parent) {
        if (t->v[up].kind == NODE_string) return NONE;
        if (ast_is_statement(t, up)) break;
    }
    u32 up = t->v[n].parent; /* async for: an iterator of another kind */
    bool async =
        (ast_is(t, up, NODE_for_statement) || ast_is(t, up, NODE_for_in_clause)) && ast_token(t, up, "async");
    return async ? NONE : n;
}

/* Does the class, a base of it or a class derived from it that is part of the program define the method? */
static bool defines(const Program *p, u32 gclass, u32 name, u32 depth)
{
    if (class_method(p, gclass, name, false) != NONE) return true;
    const ClassInfo *ci = &p->state->classes[gclass];
    for (u32 i = 0; depth && i < ci->subs.n; i++)
        if (defines(p, ci->subs.v[i], name, depth - 1)) return true;
    return false;
}

/* self.keys() of a class of the program that derives from a container: is the method its own? Place: its <items>. */
static bool own_method(const Plan *pl, const Work *w, Str name)
{
    enum { DERIVED_DEEP = 8 };
    u32 gs = items_of_object(pl, w) ? intern_find(&pl->p->syms, name) : NONE;
    u32 owner = w->place == NONE ? NONE : pl->p->places.v[w->place].owner;
    return gs != NONE && owner != NONE && defines(pl->p, owner, gs, DERIVED_DEEP);
}

/* The method that gives the view: keys, items. */
static Str view_name(const Plan *pl, u32 file, const Access *a)
{
    const Facts *f = pl->p->facts[file];
    const Path *of = &f->paths.v[f->calls.v[f->paths.v[a->path].func].callee];
    return of->nattr ? path_last(f, of) : S("");
}

/* A copy of the container, made in one step without a lock; empty when its type has none. */
static Str one_step_copy(Plan *pl, const Work *w, u32 gaccess, Str text)
{
    GId g = access_gid(pl->p, gaccess);
    const Access *a = program_access(pl->p, gaccess);
    const Place *p = &pl->p->places.v[pl->p->access_place[gaccess]];
    Str reader = a->op == OP_CREAD ? sym_str(pl->p->facts[g.file], a->method) : S("");
    bool view = access_is_view(pl->p, gaccess), typed = wants_type(reader);
    if (name_bound(pl->p->facts[g.file], S("list"), S(""))) return S("");
    if (own_method(pl, w, view ? view_name(pl, g.file, a) : typed ? S("copy") : S("__iter__"))) return S("");
    if (!view && !typed && own_method(pl, w, S("keys"))) return S("");
    bool keys = p->type.kind == TYPE_DICT && view && str_ends(text, S(".keys()"));
    if (keys && str_is(reader, "set")) return str_slice(text, 0, text.n - 7); /* set(d) is one step itself */
    Str list = str_fmt(pl->a, "list(%.*s)", STR_ARG(text)), copy = str_fmt(pl->a, "%.*s.copy()", STR_ARG(text));
    Str keys_of;
    switch (p->type.kind) {
    case TYPE_DICT:
    case TYPE_SET: return typed && !view ? copy : list;
    case TYPE_LIST: return a->op == OP_ITER ? list : S("");
    case TYPE_DEFAULT_DICT:
    case TYPE_COUNTER:
        if (view) return str_is(view_name(pl, g.file, a), "elements") ? S("") : list; /* an iterator over one */
        keys_of = str_fmt(pl->a, "%.*s.keys()", STR_ARG(text));
        if (str_is(reader, "list")) return keys_of; /* list(d.keys()) in place of list(d) */
        return typed ? copy : str_fmt(pl->a, "list(%.*s)", STR_ARG(keys_of));
    case TYPE_UNKNOWN:
    case TYPE_NONE: return typed || str_is(text, "self") ? S("") : list;
    default: return S("");
    }
}

/* Do the changes have a lock, or do they get one? Then copies of a list are made under it, too. A third site is a
 * removal by the loop itself, which two threads must not both make. */
static bool has_lock(const Plan *pl, const Work *w)
{
    if (pl->p->places.v[w->place].guard != NONE) return true;
    for (u32 i = 0; i < w->races.n; i++) {
        const Race *r = &pl->races->v[w->races.v[i]];
        if (r->rule != UG106 || r->nsites > 2) return true;
    }
    return false;
}

/* ---- a copy on a line of its own ---- */

static bool binds(const Ast *t, u32 n, Str name)
{
    if (t->v[n].kind == NODE_identifier && str_eq(ast_text(t, n), name)) return true;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (binds(t, c, name)) return true;
    return false;
}

/* Does the expression run once, whenever the statement does, with names that are known before it? */
static bool runs_once(const Ast *t, u32 n, u32 stmt)
{
    u32 left = n;
    while (ast_first(t, left) != NONE) left = ast_first(t, left);
    Str root = ast_text(t, left);
    for (u32 from = n, up = t->v[n].parent; from != stmt; from = up, up = t->v[up].parent) {
        switch (t->v[up].kind) {
        case NODE_lambda:
        case NODE_boolean_operator:
        case NODE_conditional_expression:
        case NODE_elif_clause:
        case NODE_while_statement:
        case NODE_assert_statement:
        case NODE_decorated_definition:
        case NODE_function_definition:
        case NODE_class_definition: return false;
        case NODE_list_comprehension:
        case NODE_set_comprehension:
        case NODE_dictionary_comprehension:
        case NODE_generator_expression:
            for (u32 c = ast_first(t, up); c != NONE; c = ast_after(t, c))
                if (t->v[c].kind == NODE_for_in_clause && binds(t, ast_field(t, c, FIELD_left), root)) return false;
            break;
        default: break;
        }
    }
    return true;
}

/* x.copy(): of what is copied in many steps, a list would be another thing. */
static bool copy_method(const Ast *t, u32 n)
{
    u32 fn = ast_is(t, n, NODE_call) ? ast_field(t, n, FIELD_function) : NONE;
    if (!ast_is(t, fn, NODE_attribute)) return false;
    return str_is(ast_text(t, ast_field(t, fn, FIELD_attribute)), "copy");
}

/* list(x), sorted(x), tuple(x) around the container, or x.copy() itself: a copy already. */
static u32 copying_call(const Ast *t, u32 n)
{
    u32 args = t->v[n].parent, call = args == NONE ? NONE : t->v[args].parent;
    u32 own = copy_method(t, n) ? n : NONE;
    if (!ast_is(t, args, NODE_argument_list) || !ast_is(t, call, NODE_call)) return own;
    u32 fn = ast_field(t, call, FIELD_function);
    bool copies = ast_is(t, fn, NODE_identifier) && known_builtin(ast_text(t, fn), AS_COPIES);
    return copies && ast_first(t, args) == n && ast_after(t, n) == NONE ? call : own;
}

/* Is the copy all that the statement makes: x = list(q), return list(q)? Then it is guarded as it stands. */
static bool is_whole(const Ast *t, u32 call, u32 stmt)
{
    u32 up = t->v[call].parent;
    if (ast_is(t, stmt, NODE_return_statement)) return up == stmt;
    return ast_is(t, up, NODE_assignment) && t->v[up].parent == stmt;
}

enum { CHANGE_DEPTH = 4 };

/* Does the function change the state, or what it calls, so many functions down? */
static bool changes_place(const Plan *pl, u32 gfunc, u32 place, u32 depth)
{
    GId id = func_gid(pl->p, gfunc);
    const Func *fn = &pl->p->facts[id.file]->funcs.v[id.id];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 g = pl->p->access_base[id.file] + i;
        if (pl->p->access_place[g] == place && access_writes(pl->p, g)) return true;
    }
    for (u32 i = pl->p->edge_first[gfunc]; depth && i < pl->p->edge_first[gfunc + 1]; i++)
        if (changes_place(pl, pl->p->edges.v[i].callee, place, depth - 1)) return true;
    return false;
}

/* clear(), map(self._take, …): does the call, or a function that is handed to it, change the state? */
static bool call_changes(const Plan *pl, u32 file, u32 call, u32 place)
{
    const Facts *f = pl->p->facts[file];
    const Call *c = &f->calls.v[call];
    u32 targets[8], n = call_candidates(pl->p, file, call, targets, COUNT_OF(targets));
    bool changes = false;
    for (u32 i = 0; i < n; i++) changes |= changes_place(pl, targets[i], place, CHANGE_DEPTH);
    for (u32 i = c->args; i < c->args + c->nargs && !changes; i++) {
        n = value_funcs(pl->p, file, f->args.v[i].kind, f->args.v[i].value, targets, COUNT_OF(targets));
        for (u32 k = 0; k < n; k++) changes |= changes_place(pl, targets[k], place, CHANGE_DEPTH);
    }
    return changes;
}

/* What stands there of the walk: the outermost comprehension or generator around it in the statement, or itself. */
static u32 walking_node(const Ast *t, u32 n, u32 stmt)
{
    u32 found = n;
    for (u32 up = n; up != stmt && up != NONE; up = t->v[up].parent) {
        u8 k = t->v[up].kind;
        if (k == NODE_list_comprehension || k == NODE_set_comprehension || k == NODE_dictionary_comprehension ||
            k == NODE_generator_expression)
            found = up;
    }
    return found;
}

/* clear() + sum(self._times): is the state changed in the statement before it is walked? A copy on a line before
 * would have what is no longer there. */
static bool changed_first(Plan *pl, const Work *w, u32 file, u32 func, u32 n, u32 stmt)
{
    const Ast *t = site_ast(pl, file);
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    u32 from = t->v[stmt].start, to = t->v[walking_node(t, n, stmt)].start;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        Span s = f->calls.v[i].span;
        if (s.start >= from && s.end <= to && call_changes(pl, file, i, w->place)) return true;
    }
    return false;
}

/* A copy under a lock on a line before the statement. False when the statement must be guarded as a whole. */
static bool copy_before(Plan *pl, const Work *w, u32 file, u32 func, u32 n, Region *r)
{
    const Ast *t = site_ast(pl, file);
    u32 call = copying_call(t, n), stmt = ast_statement(t, n);
    Str text = ast_text(t, n), state = pl->p->syms.strs[pl->p->places.v[w->place].name];
    bool typed = program_access(pl->p, r->access)->op == OP_CREAD &&
                 wants_type(sym_str(pl->p->facts[file], program_access(pl->p, r->access)->method));
    if (call != NONE && is_whole(t, call, stmt)) return false;
    if (name_bound(pl->p->facts[file], S("list"), S("")) || !runs_once(t, n, stmt)) return false;
    Region line;
    Str why;
    Span span = {t->v[stmt].start, t->v[stmt].end};
    if (!region_make(pl, file, func, span, span, &line, &why) || line.first != stmt || line.last != stmt)
        return false;
    if (changed_first(pl, w, file, func, n, stmt)) return false;
    if (!local_name(pl, file, func, state, text, "copy", &r->name)) return false;
    r->copy = call != NONE ? ast_text(t, call)
              : typed      ? str_fmt(pl->a, "%.*s.copy()", STR_ARG(text))
                           : str_fmt(pl->a, "list(%.*s)", STR_ARG(text));
    if (call != NONE) n = call;
    r->first = r->last = n;
    r->span = (Span){t->v[n].start, t->v[n].end};
    r->at = span.start;
    return true;
}

/* with lock: return (x for x in items): the copy stands under the lock, as the rest does. */
static bool holds_guard(const Plan *pl, const Work *w, u32 gaccess)
{
    u32 guard = pl->p->places.v[w->place].guard;
    return guard != NONE && lockset_has(pl->p, pl->p->access_locks[gaccess], guard);
}

/* return self._d.keys(): whoever gets a list has no view, which knows set operations. *promised: it is said that it
 * is one. */
static bool gives_view(Plan *pl, const Region *r, bool *promised)
{
    const Ast *t = site_ast(pl, r->file);
    *promised = false;
    if (!ast_is(t, t->v[r->first].parent, NODE_return_statement)) return false;
    u32 def = t->v[r->first].parent;
    while (def != NONE && !ast_is(t, def, NODE_function_definition)) def = t->v[def].parent;
    u32 type = def == NONE ? NONE : ast_field(t, def, FIELD_return_type);
    if (type != NONE) {
        static const char *const views[] = {"View", "AbstractSet", "dict_keys", "dict_items", "dict_values"};
        for (u32 i = 0; i < COUNT_OF(views); i++) *promised |= str_contains(ast_text(t, type), str_from(views[i]));
        return *promised;
    }
    Str text = ast_text(t, r->first);
    if (pl->p->access_locks[r->access]) return false; /* a copy was meant */
    return str_ends(text, S(".keys()")) || str_ends(text, S(".items()"));
}

bool snapshot_region(Plan *pl, Work *w, u32 gaccess, Region *r)
{
    GId g = access_gid(pl->p, gaccess);
    const Access *a = program_access(pl->p, gaccess);
    u8 type = pl->p->places.v[w->place].type.kind;
    if (!access_walks(pl->p, gaccess) || type == TYPE_GENERATOR || type == TYPE_ITERATOR) return false;
    const Ast *t = site_ast(pl, g.file);
    u32 n = walked_node(t, a->span);
    if (n == NONE || tells_type(pl, g.file, a)) return false;
    *r = (Region){.file = g.file,
                  .func = a->func,
                  .first = n,
                  .last = n,
                  .span = a->span,
                  .access = gaccess,
                  .test = NONE,
                  .race = true};
    /* list(six.iteritems(d)) copies an iterator, which other threads may come between */
    bool helper = ast_is(t, n, NODE_call) && ast_first(t, ast_field(t, n, FIELD_arguments)) != NONE;
    bool contract = pl->p->places.v[w->place].declared_guard != NONE; /* a comment says that reads count, too */
    bool locked = helper || contract || access_of_iterator(pl->p, gaccess) || copy_method(t, n) ||
                  (type == TYPE_LIST && has_lock(pl, w) && !holds_guard(pl, w, gaccess));
    r->copy = locked ? S("") : one_step_copy(pl, w, gaccess, ast_text(t, n));
    if (either(t, n) && !str_starts(r->copy, S("list("))) return false;
    if (either(t, n) && str_ends(r->copy, S(".keys())"))) return false;
    bool promised;
    gives_view(pl, r, &promised);
    if (promised) r->problem = S("what the function gives is said to be a view; whoever walks it should copy it");
    return r->copy.n || copy_before(pl, w, g.file, a->func, n, r);
}

/* Is nothing called between the two places but builtins that ask, so that the state is still what was copied? */
static bool quiet_between(const Ast *t, u32 n, u32 from, u32 to)
{
    static const char *const asking[] = {"len", "sum", "min", "max", "float", "int", "round", "sorted", "abs"};
    bool call = ast_is(t, n, NODE_call) && t->v[n].start >= from && t->v[n].end <= to;
    if (call && !str_among(ast_text(t, ast_field(t, n, FIELD_function)), asking, COUNT_OF(asking))) return false;
    for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
        if (!quiet_between(t, c, from, to)) return false;
    return true;
}

/* sum(take(x) for x in self._times) / len(self._times): does what is done with the items change the state before its
 * length is asked for? */
static bool changed_meanwhile(const Plan *pl, const Region *r, Span stmt, Span length)
{
    const Facts *f = pl->p->facts[r->file];
    const Func *fn = &f->funcs.v[r->func];
    u32 place = pl->p->access_place[r->access], end = MAX(r->span.end, length.end);
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        Span s = f->calls.v[i].span;
        if (!span_within(s, stmt) || s.start >= end || (span_within(r->span, s) && span_within(length, s))) continue;
        if (call_changes(pl, r->file, i, place)) return true;
    }
    return false;
}

/* sum(self._times) / len(self._times): the length that is asked for in the same statement is the copy's. Not in the
 * body of a loop, which may change the state itself. */
static void lengths_write(Plan *pl, Fix *f, const Region *r, u32 stmt, u32 n, Str state)
{
    const Ast *t = site_ast(pl, r->file);
    u32 args = ast_is(t, n, NODE_call) ? ast_field(t, n, FIELD_arguments) : NONE;
    u32 arg = args == NONE ? NONE : ast_first(t, args);
    bool one =
        arg != NONE && ast_after(t, arg) == NONE && str_is(ast_text(t, ast_field(t, n, FIELD_function)), "len");
    bool outside = t->v[n].end <= r->span.start || t->v[n].start >= r->span.end;
    bool after = t->v[n].start >= r->span.end;
    if (one && outside && str_eq(ast_text(t, arg), state) &&
        quiet_between(t, stmt, after ? r->span.end : t->v[n].end, after ? t->v[n].start : r->span.start) &&
        !changed_meanwhile(pl, r, ast_span(t, stmt), ast_span(t, n)))
        intent_add(pl, f, INTENT_REPLACE, r->file, ast_span(t, arg), r->name, NONE);
    for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
        if (!ast_is(t, c, NODE_block) && !ast_is(t, c, NODE_lambda)) lengths_write(pl, f, r, stmt, c, state);
}

void snapshot_write(Plan *pl, Fix *f, const Region *r, u32 lock)
{
    if (!r->name.n) {
        intent_add(pl, f, INTENT_REPLACE, r->file, r->span, r->copy, NONE);
        return;
    }
    const Source *s = site_source(pl, r->file);
    u32 line, column;
    source_position(s, r->at, &line, &column);
    u32 at = line == 1 && s->bom ? 3 : s->line_start[line - 1];
    Str indent = str_slice(s->text, at, r->at);
    Str text = str_fmt(pl->a, "with %.*s:\n    %.*s = %.*s", STR_ARG(r->lock), STR_ARG(r->name), STR_ARG(r->copy));
    text = str_fmt(pl->a, "%.*s%.*s", STR_ARG(indent), STR_ARG(text_indent(pl, r->file, r->at, text)));
    intent_add(pl, f, INTENT_INSERT, r->file, (Span){at, at}, text, lock);
    intent_add(pl, f, INTENT_REPLACE, r->file, r->span, r->name, NONE);
    const Ast *t = site_ast(pl, r->file);
    u32 n = ast_at(t, r->span), args = ast_is(t, n, NODE_call) ? ast_field(t, n, FIELD_arguments) : NONE;
    if (args != NONE && ast_first(t, args) == NONE) {
        static const char *const whole[] = {"keys", "values", "items"}; /* as long as the state, unlike elements() */
        u32 fn = ast_field(t, n, FIELD_function), attr = ast_field(t, fn, FIELD_attribute);
        bool same = attr != NONE && str_among(ast_text(t, attr), whole, COUNT_OF(whole));
        n = same ? ast_field(t, fn, FIELD_object) : NONE;
    }
    if (n == NONE) return;
    u32 stmt = n;
    while (t->v[stmt].start > r->at && t->v[stmt].parent != NONE) stmt = t->v[stmt].parent;
    if (n != NONE && t->v[stmt].start == r->at) lengths_write(pl, f, r, stmt, stmt, ast_text(t, n));
}

bool plan_snapshot(Plan *pl, Work *w, const Page *page)
{
    if (w->place == NONE) return false;
    Fix draft = {0};
    bool view = false;
    for (u32 i = 0; i < w->races.n; i++) {
        const Race *race = &pl->races->v[w->races.v[i]];
        Region r;
        w->tried = S("what is walked has no copy that is made in one step");
        if (race->test != NONE || !race->nsites || !snapshot_region(pl, w, race->sites[0], &r) || r.name.n)
            return false;
        if (judgement_find(S("no-error-nearby"))->judge(pl, w, &r, NULL, &w->tried) != VERDICT_OK) return false;
        bool promised;
        view |= gives_view(pl, &r, &promised);
        w->tried = r.problem;
        if (promised) return false;
        snapshot_write(pl, &draft, &r, NONE);
    }
    Fix *f = fix_add(pl, page, w);
    fix_take(f, &draft);
    if (view)
        fix_caution(f, FIX_UNSAFE, S("the function gives a list where it gave a view, which knows set operations"));
    w->done = true;
    return true;
}
