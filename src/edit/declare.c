/* Where a new lock is defined: beside the state it guards.
 *
 * Module level: after the statement that first assigns the state, when that is a plain statement of the
 * module, else after the imports. Class level: beside the class attribute, else below the fields with which the class
 * body begins, or first in it.
 * Instance: in __init__ after the statement that assigns the state, or first when something that might use
 * the lock already runs before it. Closure: in the enclosing function, beside the variable. The lock
 * exists before anything can use it and is never made lazily. */
#include "edit/edit.h"

/* Where new lines go: after a line, or before one. */
typedef struct Spot {
    u32 line;
    bool before;
    u8 blank_after; /* empty lines between the lock and what follows */
    bool blank_before;
    bool split; /* before the statement of the break `at`, which gets a line of its own */
    u32 at;
    Str indent;
} Spot;

/* Does the suite whose first statement this is begin on the line of its header? A suite without statements has no
 * line of its own either: damaged code. */
static bool one_line(const Draft *d, u32 def, u32 body)
{
    if (body == NONE) return true;
    return line_of(d->s, d->ast.v[def].start) == line_of(d->s, d->ast.v[body].start) ||
           line_indent(d->s, line_of(d->s, d->ast.v[body].start)).n !=
               d->ast.v[body].start - line_start(d->s, line_of(d->s, d->ast.v[body].start));
}

static bool is_docstring(const Ast *t, u32 n)
{
    return ast_is(t, n, NODE_expression_statement) && ast_is(t, ast_first(t, n), NODE_string);
}

u32 last_line(const Draft *d, u32 n)
{
    u32 line = line_of(d->s, d->ast.v[n].end - 1);
    for (u32 next = ast_after(&d->ast, n); next != NONE && line_of(d->s, d->ast.v[next].start) == line;
         next = ast_after(&d->ast, next))
        line = line_of(d->s, d->ast.v[next].end - 1);
    return line;
}

static bool is_slots(const Ast *t, u32 n)
{
    if (!ast_is(t, n, NODE_expression_statement) || !ast_is(t, ast_first(t, n), NODE_assignment)) return false;
    u32 left = ast_field(t, ast_first(t, n), FIELD_left);
    return ast_is(t, left, NODE_identifier) && str_is(ast_text(t, left), "__slots__");
}

/* First in a body that begins on the line of its header. */
static bool first_on_line(Draft *d, u32 n, u32 fix, Spot *out, Str *why)
{
    const Ast *t = &d->ast;
    u32 next = is_docstring(t, n) ? ast_after(t, n) : n;
    Span gap;
    if (stands_first(d->s, t->v[n].start) || !gap_before(d->s, t, n, &gap)) {
        *why = S("its body cannot be split into lines");
        return false;
    }
    break_before(d, n, fix);
    if (next == NONE) { /* nothing but a docstring */
        *out = (Spot){.line = last_line(d, n), .indent = block_indent(d, n)};
        return true;
    }
    *out = (Spot){.line = line_of(d->s, t->v[n].start), .split = true, .at = break_before(d, next, fix)};
    return true;
}

/* A field of a class: `limit = 3`, `name: str`, or what documents one. */
static bool is_field(const Ast *t, u32 n)
{
    u32 c = ast_is(t, n, NODE_expression_statement) ? ast_first(t, n) : NONE;
    return ast_is(t, c, NODE_assignment) || ast_is(t, c, NODE_string) || ast_is(t, c, NODE_type);
}

/* Below the fields with which the body of a class begins, when methods follow: right below where they stand close
 * together, else after an empty line. False where the body begins otherwise. */
static bool below_fields(const Draft *d, u32 def, Spot *out)
{
    const Ast *t = &d->ast;
    u32 n = ast_first(t, ast_field(t, def, FIELD_body)), last = NONE;
    if (n == NONE || one_line(d, def, n)) return false;
    if (is_docstring(t, n)) n = ast_after(t, n);
    u32 first = n;
    for (; n != NONE && is_field(t, n) && !is_slots(t, n); n = ast_after(t, n)) last = n;
    if (last == NONE || (n != NONE && !ast_is_definition(t, n))) return false;
    *out = (Spot){.line = last_line(d, last), .indent = line_indent(d->s, line_of(d->s, t->v[first].start))};
    out->blank_before = line_of(d->s, t->v[last].start) != out->line;
    for (u32 line = line_of(d->s, t->v[first].start); line < out->line; line++)
        out->blank_before |= line_blank(d->s, line) || line_comment(d->s, line);
    out->blank_after = n != NONE && !line_blank(d->s, out->line + 1);
    return true;
}

static bool is_import(const Ast *t, u32 n)
{
    return ast_is(t, n, NODE_import_statement) || ast_is(t, n, NODE_import_from_statement);
}

/* First in a body, after the docstring. */
static bool first_in_body(Draft *d, u32 def, u32 fix, Spot *out, Str *why)
{
    const Ast *t = &d->ast;
    u32 body = ast_field(t, def, FIELD_body), n = ast_first(t, body);
    if (n == NONE) {
        *why = S("it has no body");
        return false;
    }
    if (one_line(d, def, n)) return first_on_line(d, n, fix, out, why);
    out->indent = line_indent(d->s, line_of(d->s, t->v[n].start));
    bool in_class = ast_is(t, def, NODE_class_definition), doc = is_docstring(t, n);
    u32 next = doc ? ast_after(t, n) : n, behind = next;
    while (!in_class && is_import(t, behind) && ast_after(t, behind) != NONE) behind = ast_after(t, behind);
    if (behind != next) { /* below the imports of the function, which may be what gives the lock */
        n = next = behind;
        doc = false;
    }
    if (in_class && is_slots(t, next)) { /* __slots__ stays first */
        n = next;
        next = ast_after(t, n);
        doc = true;
    }
    out->blank_after = in_class && ast_is_definition(t, next);
    out->line = doc ? last_line(d, n) : line_of(d->s, t->v[n].start);
    out->before = !doc;
    if (!doc) { /* comments above the first statement belong to it */
        u32 head = line_of(d->s, t->v[def].start);
        while (out->line > head + 1 && line_comment(d->s, out->line - 1)) out->line--;
    } else if (in_class && next != NONE && line_blank(d->s, out->line + 1)) {
        out->blank_before = true; /* the docstring keeps the empty line after it */
        out->blank_after = false;
    }
    return true;
}

static const Def *state_def(const Draft *d, const Place *place)
{
    return place->def != NONE && place->def_file == d->file ? &d->f->defs.v[place->def] : NULL;
}

static u32 statement_at(const Draft *d, const Def *def)
{
    return ast_statement(&d->ast, ast_at(&d->ast, def->span));
}

/* After the statement, and after a string that stands right below it: that documents the variable. */
static void beside(Draft *d, u32 n, Spot *out)
{
    if (is_docstring(&d->ast, ast_after(&d->ast, n))) n = ast_after(&d->ast, n);
    out->indent = line_indent(d->s, line_of(d->s, d->ast.v[n].start));
    out->line = last_line(d, n);
    out->before = false;
}

/* After the last statement of the module's first block of imports, its docstring and __future__ included. */
static void after_imports(Draft *d, Spot *out)
{
    const Ast *t = &d->ast;
    u32 last = NONE;
    bool imports = false;
    for (u32 n = ast_first(t, 0); n != NONE; n = ast_after(t, n)) {
        u8 k = t->v[n].kind;
        bool import =
            k == NODE_import_statement || k == NODE_import_from_statement || k == NODE_future_import_statement;
        if (import || (last == NONE && is_docstring(t, n)))
            last = n;
        else if (imports || ast_is_definition(t, n))
            break;
        imports |= import;
    }
    u32 first = ast_first(t, 0);
    *out = (Spot){.line = first == NONE ? 0 : line_of(d->s, t->v[last == NONE ? first : last].start),
                  .before = last == NONE,
                  .blank_after = last != NONE                  ? 0
                                 : ast_is_definition(t, first) ? 2
                                                               : 1,
                  .blank_before = last != NONE,
                  .indent = S("")};
    if (last != NONE) out->line = last_line(d, last);
}

static const Func *own_func(const Draft *d, u32 gfunc)
{
    return &d->f->funcs.v[gfunc - d->p->func_base[d->file]];
}

static bool in_module(const Ast *t, u32 n)
{
    return n != NONE && t->v[n].parent == 0;
}

static bool spot_global(Draft *d, const LockPlan *l, const ImportRef *lock_type, Spot *out, Str *why)
{
    const Place *place = &d->p->places.v[l->place];
    const Def *def = state_def(d, place);
    u32 n = def ? statement_at(d, def) : NONE;
    if (place->kind == PLACE_DEFAULT && place->owner != NONE) { /* before the function whose default it is */
        n = ast_definition(&d->ast, own_func(d, place->owner)->span);
        while (n != NONE && !in_module(&d->ast, n)) n = d->ast.v[n].parent;
        if (n == NONE) {
            *why = S("its function is not found");
            return false;
        }
        *out = (Spot){.line = line_of(d->s, d->ast.v[n].start), .before = true, .blank_after = 2, .indent = S("")};
        while (out->line > 0 && line_comment(d->s, out->line - 1)) out->line--; /* they belong to the function */
        return true;
    }
    bool late_import = lock_type->have && n != NONE && lock_type->end > d->ast.v[n].end;
    if (in_module(&d->ast, n) && !ast_is_definition(&d->ast, n) && !late_import) {
        beside(d, n, out);
        return true;
    }
    after_imports(d, out);
    if (lock_type->have && line_of(d->s, lock_type->end - 1) > out->line) {
        out->line = line_of(d->s, lock_type->end - 1);
        out->blank_before = true;
    }
    return true;
}

/* `_lock` is for several fields, and stands below those that follow right behind the first. */
static u32 last_field(const Draft *d, const LockPlan *l, u32 n)
{
    const Ast *t = &d->ast;
    if (!str_is(l->name, "_lock")) return n;
    for (u32 next = ast_after(t, n); next != NONE && is_field(t, next); next = ast_after(t, n)) {
        if (line_of(d->s, t->v[next].start) != last_line(d, n) + 1) break;
        n = next;
    }
    return n;
}

static bool spot_class(Draft *d, const LockPlan *l, u32 fix, Spot *out, Str *why)
{
    GId id = {d->file, l->owner - d->p->class_base[d->file]};
    u32 cls = ast_definition(&d->ast, d->f->classes.v[id.id].span);
    if (cls == NONE) {
        *why = S("its class is not found");
        return false;
    }
    const Def *def = state_def(d, &d->p->places.v[l->place]);
    u32 n = def ? statement_at(d, def) : NONE, body = ast_field(&d->ast, cls, FIELD_body);
    if (n != NONE && d->ast.v[n].parent == body && !ast_is_definition(&d->ast, n) &&
        !one_line(d, cls, ast_first(&d->ast, body))) {
        beside(d, last_field(d, l, n), out);
        return true;
    }
    return below_fields(d, cls, out) || first_in_body(d, cls, fix, out, why);
}

/* Does anything run in the function before this byte that may use the object? */
static bool calls_before(const Draft *d, const Func *f, u32 offset)
{
    for (u32 i = f->calls; i < f->calls + f->ncalls; i++) {
        const Call *c = &d->f->calls.v[i];
        if (c->span.start >= offset) continue;
        u8 root = d->f->paths.v[c->callee].root;
        if (root == ROOT_SELF || root == ROOT_SUPER || root == ROOT_CLS) return true;
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            const Arg *a = &d->f->args.v[k];
            if (a->kind == VAL_PATH && d->f->paths.v[a->value].root == ROOT_SELF) return true;
        }
    }
    return false;
}

/* The method that makes the lock; NULL when there is none. */
static const Func *maker_of(const Draft *d, const LockPlan *l)
{
    const char *name = l->home & HOME_POST_INIT ? "__post_init__" : "__init__";
    for (u32 i = 0; i < d->f->funcs.n; i++) {
        const Func *f = &d->f->funcs.v[i];
        if (f->cls == l->owner - d->p->class_base[d->file] && str_is(sym_str(d->f, f->name), name)) return f;
    }
    return NULL;
}

/* The plain statement of __init__ that assigns the state first. */
static u32 init_statement(const Draft *d, const Func *init, u32 body, Str state)
{
    u32 best = NONE;
    for (u32 i = 0; i < d->f->defs.n; i++) {
        const Def *def = &d->f->defs.v[i];
        if (def->path == NONE || def->span.start < init->span.start || def->span.end > init->span.end) continue;
        const Path *p = &d->f->paths.v[def->path];
        if (p->root != ROOT_SELF || p->nattr != 1 || !str_eq(sym_str(d->f, p->attr[0]), state)) continue;
        u32 n = statement_at(d, def);
        if (n != NONE && d->ast.v[n].parent == body && (best == NONE || n < best)) best = n;
    }
    return best;
}

static bool spot_instance(Draft *d, const LockPlan *l, u32 fix, Spot *out, Str *why)
{
    const Func *init = maker_of(d, l);
    u32 def = init ? ast_definition(&d->ast, init->span) : NONE;
    if (def == NONE) {
        *why = S("its class has no __init__");
        return false;
    }
    u32 body = ast_field(&d->ast, def, FIELD_body);
    Str state = d->p->syms.strs[d->p->places.v[l->place].name];
    u32 n = init_statement(d, init, body, state);
    bool one = one_line(d, def, ast_first(&d->ast, body));
    if (n != NONE && !one && !l->home && !calls_before(d, init, d->ast.v[n].start)) {
        beside(d, n, out);
        return true;
    }
    return first_in_body(d, def, fix, out, why);
}

static bool spot_closure(Draft *d, const LockPlan *l, u32 fix, Spot *out, Str *why)
{
    const Func *f = own_func(d, l->owner);
    u32 def = ast_definition(&d->ast, f->span);
    if (def == NONE) {
        *why = S("its function is not found");
        return false;
    }
    const Def *state = state_def(d, &d->p->places.v[l->place]);
    u32 n = state ? statement_at(d, state) : NONE;
    if (n != NONE && d->ast.v[n].parent == ast_field(&d->ast, def, FIELD_body) && !ast_is_definition(&d->ast, n)) {
        beside(d, n, out);
        return true;
    }
    return first_in_body(d, def, fix, out, why);
}

static Str first_parameter(const Draft *d, const LockPlan *l)
{
    const Func *init = maker_of(d, l);
    return init && init->nparams ? sym_str(d->f, d->f->params.v[init->params].name) : S("self");
}

/* Does a lock go in after this line already? Then the next one needs no empty line before it. */
static bool follows_lock(const Draft *d, u32 line)
{
    for (u32 i = 0; i < d->pieces.n; i++)
        if (d->pieces.v[i].kind == PIECE_LOCK && line + 1 < d->s->nlines &&
            d->pieces.v[i].span.start == d->s->line_start[line + 1])
            return true;
    return false;
}

/* The lock is taken around each fork, so that the child finds it free and what it guards whole. os: as the file
 * names the module. Windows has no such function. */
static Str fork_hook(Draft *d, const LockPlan *l, Str os, u32 line)
{
    static const char *const hooks[] = {"before", "after_in_parent", "after_in_child"};
    Str nl = newline_text(d->s, line), unit = indent_unit(d, S(""));
    Str text = str_fmt(d->a, "%.*sif hasattr(%.*s, \"register_at_fork\"):%.*s%.*s%.*s.register_at_fork(", STR_ARG(nl),
                       STR_ARG(os), STR_ARG(nl), STR_ARG(unit), STR_ARG(os));
    for (u32 i = 0; i < COUNT_OF(hooks); i++)
        text = str_fmt(d->a, "%.*s%.*s%.*s%.*s%s=%.*s.%s,", STR_ARG(text), STR_ARG(nl), STR_ARG(unit), STR_ARG(unit),
                       hooks[i], STR_ARG(l->name), i ? "release" : "acquire");
    return str_fmt(d->a, "%.*s%.*s%.*s)", STR_ARG(text), STR_ARG(nl), STR_ARG(unit));
}

/* Does the function that makes the lock import what makes it, but only below? Then the name has no value above. */
static bool imported_below(const Draft *d, const LockPlan *l, const Spot *spot, Str type)
{
    const Func *f = l->kind == PLACE_INSTANCE  ? maker_of(d, l)
                    : l->kind == PLACE_CLOSURE ? own_func(d, l->owner)
                                               : NULL;
    Str rest, root = str_cut(type, '.', &rest);
    for (u32 i = 0; f && i < d->f->imports.n; i++) {
        const Import *im = &d->f->imports.v[i];
        if (&d->f->funcs.v[im->func] != f || !str_eq(sym_str(d->f, im->local), root)) continue;
        if (line_of(d->s, im->span.start) + spot->before > spot->line) return true;
    }
    return false;
}

bool lock_declare(Draft *d, u32 lock, u32 fix, Str *why)
{
    const LockPlan *l = &d->fixes->locks.v[lock];
    ImportRef type = import_ref(d->a, d->f, &d->ast, S("threading"), l->reentrant ? S("RLock") : S("Lock"), false);
    ImportRef os = {0}, last = type;
    if (l->fork_hook) os = import_ref(d->a, d->f, &d->ast, S("os"), S(""), false);
    if (os.have && (!last.have || os.end > last.end)) last = os;
    Spot spot = {0};
    bool method = l->kind == PLACE_INSTANCE && (l->home & HOME_POST_INIT) && !maker_of(d, l);
    bool ok = method                        ? true
              : l->kind == PLACE_INSTANCE   ? spot_instance(d, l, fix, &spot, why)
              : l->kind == PLACE_CLASS_ATTR ? spot_class(d, l, fix, &spot, why)
              : l->kind == PLACE_CLOSURE    ? spot_closure(d, l, fix, &spot, why)
                                            : spot_global(d, l, &last, &spot, why);
    if (ok && !method && imported_below(d, l, &spot, type.text)) {
        *why = S("the function that would make the lock imports threading itself, below");
        return false;
    }
    if (!ok) return false;
    Str making = lock_making(d, l, l->kind == PLACE_INSTANCE ? first_parameter(d, l) : S(""), type.text);
    if (method && !post_init_write(d, l, making, fix, why)) return false;
    if ((l->home & HOME_SLOTS) && !slot_write(d, l, fix, why)) return false;
    if ((l->home & HOME_STATE) && !state_write(d, l, type.text, fix, why)) return false;
    if (!type.have) import_need(d, &(Intent){.kind = INTENT_NEED_IMPORT, .text = type.statement}, fix);
    if (method) return true;
    Str nl = newline_text(d->s, spot.line);
    if (l->fork_hook) {
        if (!os.have) import_need(d, &(Intent){.kind = INTENT_NEED_IMPORT, .text = os.statement}, fix);
        making = str_fmt(d->a, "%.*s%.*s", STR_ARG(making), STR_ARG(fork_hook(d, l, os.text, spot.line)));
    }
    if (spot.blank_before && follows_lock(d, spot.line)) spot.blank_before = false;
    Str text =
        str_fmt(d->a, "%.*s%.*s%.*s%.*s%.*s", STR_ARG(spot.blank_before ? nl : S("")), STR_ARG(spot.indent),
                STR_ARG(making), STR_ARG(spot.blank_after ? nl : S("")), STR_ARG(spot.blank_after > 1 ? nl : S("")));
    if (spot.split)
        d->breaks.v[spot.at].line = text;
    else if (spot.before)
        piece_before(d, spot.line, text, PIECE_LOCK, fix);
    else
        piece_after(d, spot.line, text, PIECE_LOCK, fix);
    return true;
}
