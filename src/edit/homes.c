/* What a class needs, beside the statement that makes the lock, so that its objects can have one: see fixes/home.c.
 *
 * A name more in __slots__; a __post_init__ for a dataclass; __getstate__ and __setstate__, which keep the lock out
 * of pickles and copies and make a new one, or lines that do so in those that the class has. All of it is only put
 * in; nothing that is there changes. */
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

/* Has a method of this name been put in after the line already? Then only its lines are added to. */
static bool method_there(const Draft *d, u32 line, Str head)
{
    u32 at = line + 1 < d->s->nlines ? d->s->line_start[line + 1] : (u32)d->s->text.n;
    for (u32 i = 0; i < d->pieces.n; i++) {
        const Piece *x = &d->pieces.v[i];
        if (x->kind == PIECE_LOCK && x->span.start == at && str_contains(x->text, head)) return true;
    }
    return false;
}

bool post_init_write(Draft *d, const LockPlan *l, Str making, u32 fix, Str *why)
{
    const Ast *t = &d->ast;
    u32 node = class_node(d, l), last = NONE;
    *why = S("its class has no fields before its methods");
    if (node == NONE) return false;
    u32 n = ast_first(t, ast_field(t, node, FIELD_body));
    for (; n != NONE && !ast_is_definition(t, n); n = ast_after(t, n)) last = n;
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

/* A line that follows a statement of a hook. */
static void line_follow(Draft *d, u32 stmt, Str text, u32 fix)
{
    piece_after(d, last_line(d, stmt), str_fmt(d->a, "%.*s%.*s", STR_ARG(block_indent(d, stmt)), STR_ARG(text)),
                PIECE_LOCK, fix);
}

/* The lock in the __setstate__ that is there: after its docstring, or before the first statement and its comments. */
static void setstate_extend(Draft *d, const StateHooks *h, Str making, u32 fix)
{
    u32 top = ast_first(&d->ast, d->ast.v[h->first].parent);
    if (h->stored || top != h->first) {
        line_follow(d, h->stored ? h->first : top, making, fix);
        return;
    }
    u32 line = line_of(d->s, d->ast.v[h->first].start);
    while (line_comment(d->s, line - 1)) line--;
    piece_before(d, line, str_fmt(d->a, "%.*s%.*s", STR_ARG(block_indent(d, h->first)), STR_ARG(making)), PIECE_LOCK,
                 fix);
}

/* The hooks that are not there. */
static Str hooks_text(const Draft *d, const StateHooks *h, Str lock, Str making)
{
    Str get = str_fmt(d->a,
                      "\ndef __getstate__(self):\n    state = self.__dict__.copy()\n"
                      "    state.pop(\"%.*s\", None)\n    return state",
                      STR_ARG(lock));
    Str set = str_fmt(d->a, "\ndef __setstate__(self, state):\n    self.__dict__.update(state)\n    %.*s",
                      STR_ARG(making));
    if (h->get != NONE) return set;
    return h->set != NONE ? get : str_fmt(d->a, "%.*s\n%.*s", STR_ARG(get), STR_ARG(set));
}

/* Puts them after the other one, or last in the class. False where another lock brings them: its lines are among
 * what this one would put in. */
static bool hooks_write(Draft *d, const StateHooks *h, u32 last, Str lock, Str making, u32 fix, Str *why)
{
    u32 line = last_line(d, last);
    *why = S("another one brings the __getstate__ that it needs; the next round does it");
    if (method_there(d, line, S("def __getstate__(")) || method_there(d, line, S("def __setstate__("))) return false;
    piece_after(d, line, indented(d, last, hooks_text(d, h, lock, making)), PIECE_LOCK, fix);
    return true;
}

bool state_write(Draft *d, const LockPlan *l, Str type, u32 fix, Str *why)
{
    const Ast *t = &d->ast;
    u32 node = class_node(d, l), last = NONE;
    StateHooks h;
    *why = S("its class is not found");
    if (node == NONE) return false;
    for (u32 n = ast_first(t, ast_field(t, node, FIELD_body)); n != NONE; n = ast_after(t, n)) last = n;
    if (last == NONE) return false;
    *why = S("its __getstate__ and __setstate__ cannot be extended");
    if (!state_hooks(d->a, d->f, t, node, &h)) return false;
    Str making = lock_making(d, l, S("self"), type);
    if (h.get != NONE || h.set != NONE) last = h.get != NONE ? h.get : h.set;
    if ((h.get == NONE || h.set == NONE) && !hooks_write(d, &h, last, l->name, making, fix, why)) return false;
    if (h.copy != NONE)
        line_follow(d, h.copy, str_fmt(d->a, "%.*s.pop(\"%.*s\", None)", STR_ARG(h.copied), STR_ARG(l->name)), fix);
    if (h.set != NONE) setstate_extend(d, &h, lock_making(d, l, h.self, type), fix);
    return true;
}
