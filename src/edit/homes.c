/* What a class needs, beside the statement that makes the lock, so that its objects can have one: see fixes/home.c.
 *
 * A name more in __slots__; a __post_init__ for a dataclass; __getstate__ and __setstate__, which keep the lock out
 * of pickles and copies and make a new one. All of it is only put in; nothing that is there changes. */
#include "edit/edit.h"

Str lock_making(const Draft *d, const LockPlan *l, Str self, Str type)
{
    Str dot = self.n ? S(".") : S("");
    if (!(l->home & HOME_SETATTR))
        return str_fmt(d->a, "%.*s%.*s%.*s = %.*s()", STR_ARG(self), STR_ARG(dot), STR_ARG(l->name), STR_ARG(type));
    return str_fmt(d->a, "object.__setattr__(%.*s, \"%.*s\", %.*s())", STR_ARG(self), STR_ARG(l->name),
                   STR_ARG(type));
}

static u32 class_node(const Draft *d, const LockPlan *l)
{
    return ast_definition(&d->ast, d->f->classes.v[l->owner - d->p->class_base[d->file]].span);
}

/* Lines of a text, each with the indentation of the class's statements; four spaces more are a unit more. */
static Str indented(const Draft *d, u32 stmt, Str text)
{
    u32 line = line_of(d->s, d->ast.v[stmt].start);
    Str indent = line_indent(d->s, line), unit = indent_unit(d, indent), nl = newline_text(d->s, line), rest;
    Buf b = {0};
    for (bool first = true; str_line(&text, &rest); first = false) {
        if (!first) buf_str(&b, nl);
        if (rest.n) buf_str(&b, indent);
        for (; str_starts(rest, S("    ")); rest = str_slice(rest, 4, rest.n)) buf_str(&b, unit);
        buf_str(&b, rest);
    }
    Str out = str_dup(d->a, buf_view(&b));
    buf_free(&b);
    return out;
}

bool slot_write(Draft *d, const LockPlan *l, u32 fix, Str *why)
{
    const Ast *t = &d->ast;
    u32 node = class_node(d, l), last = node == NONE ? NONE : ast_slots(t, node);
    *why = S("its __slots__ are not a tuple or list of strings");
    if (last == NONE) return false;
    Str quote = str_slice(ast_text(t, last), 0, 1);
    Str name = str_fmt(d->a, "%.*s%.*s%.*s", STR_ARG(quote), STR_ARG(l->name), STR_ARG(quote));
    u32 at = t->v[last].end, line = line_of(d->s, at), comma = NONE;
    for (u32 c = t->v[last].next; c != NONE && comma == NONE; c = t->v[c].next)
        if (t->v[c].end == t->v[c].start + 1 && d->s->text.p[t->v[c].start] == ',') comma = c;
    u32 close = line_of(d->s, t->v[t->v[last].parent].end - 1);
    if (comma != NONE && close > line && stands_first(d->s, t->v[last].start)) { /* one on each line */
        piece_after(d, line, str_fmt(d->a, "%.*s%.*s,", STR_ARG(line_indent(d->s, line)), STR_ARG(name)), PIECE_LOCK,
                    fix);
        return true;
    }
    piece_add(d, (Span){at, at}, str_fmt(d->a, ", %.*s", STR_ARG(name)), PIECE_LOCK, fix);
    return true;
}

static bool is_definition(const Ast *t, u32 n)
{
    return ast_is(t, n, NODE_function_definition) || ast_is(t, n, NODE_class_definition) ||
           ast_is(t, n, NODE_decorated_definition);
}

/* Has a method of this name been put in after the line already? Then only its lines are added to. */
static bool method_there(const Draft *d, u32 line, Str head)
{
    for (u32 i = 0; i < d->pieces.n; i++)
        if (d->pieces.v[i].kind == PIECE_LOCK && line + 1 < d->s->nlines &&
            d->pieces.v[i].span.start == d->s->line_start[line + 1] && str_contains(d->pieces.v[i].text, head))
            return true;
    return false;
}

bool post_init_write(Draft *d, const LockPlan *l, Str making, u32 fix, Str *why)
{
    const Ast *t = &d->ast;
    u32 node = class_node(d, l), last = NONE;
    *why = S("its class has no fields before its methods");
    if (node == NONE) return false;
    u32 n = ast_first(t, ast_field(t, node, FIELD_body));
    for (; n != NONE && !is_definition(t, n); n = ast_after(t, n)) last = n;
    if (last == NONE) return false;
    u32 line = last_line(d, last);
    bool there = method_there(d, line, S("def __post_init__(self):"));
    bool close = line + 1 < d->s->nlines && !line_blank(d->s, line + 1); /* a method follows at once */
    *why = S("the methods of its class stand too close");
    if (there && close) return false;
    Str text = there ? str_fmt(d->a, "    %.*s", STR_ARG(making))
                     : str_fmt(d->a, "\ndef __post_init__(self):\n    %.*s%s", STR_ARG(making), close ? "\n\n" : "");
    piece_after(d, line, indented(d, last, text), PIECE_LOCK, fix);
    return true;
}

bool state_write(Draft *d, const LockPlan *l, Str making, u32 fix, Str *why)
{
    const Ast *t = &d->ast;
    u32 node = class_node(d, l), last = NONE;
    *why = S("its class is not found");
    if (node == NONE) return false;
    for (u32 n = ast_first(t, ast_field(t, node, FIELD_body)); n != NONE; n = ast_after(t, n)) last = n;
    if (last == NONE) return false;
    Str self = S("self"), first;
    if (!str_eq(str_cut(making, '.', &first), self)) {
        *why = S("its methods do not call their object self");
        return false;
    }
    Str text = str_fmt(d->a,
                       "\ndef __getstate__(self):\n    state = self.__dict__.copy()\n"
                       "    state.pop(\"%.*s\", None)\n    return state\n"
                       "\ndef __setstate__(self, state):\n    self.__dict__.update(state)\n    %.*s",
                       STR_ARG(l->name), STR_ARG(making));
    piece_after(d, last_line(d, last), indented(d, last, text), PIECE_LOCK, fix);
    return true;
}
