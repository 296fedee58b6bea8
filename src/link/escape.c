/* Does what a local names leave the call? An object that a function makes, uses and drops is seen by no other thread,
 * whatever its class; nor are the variables of inner functions that are only called where they are defined.
 *
 * The text of the function is searched for the name. Uses of its attributes and items stay inside, as do calls,
 * tests, and what is passed to a function of ours that keeps it inside, too; functions that we cannot see, or not
 * so deep, are judged by their names. Everything else (stored, returned, put in a container, used by an inner
 * function, a bound method as a value) counts as leaving. Comments and strings are passed over; what an f-string
 * formats stays. */
#include "link/link.h"

enum { LONGEST = 20000, DEFS_MAX = 20000 }; /* what is longer is not searched */

static bool word_char(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* The end of the comment or string that begins at `at`; `at` itself where none does. */
static size_t text_end(Str text, size_t at)
{
    char quote = text.p[at];
    if (quote == '#') return at + str_find(str_slice(text, at, text.n), '\n');
    if (quote != '"' && quote != '\'') return at;
    size_t n = at + 2 < text.n && text.p[at + 1] == quote && text.p[at + 2] == quote ? 3 : 1;
    for (size_t i = at + n; i < text.n; i++) {
        if (text.p[i] == '\\') {
            i++;
            continue;
        }
        if (text.p[i] != quote || (n == 3 && (i + 2 >= text.n || text.p[i + 1] != quote || text.p[i + 2] != quote)))
            continue;
        return i + n;
    }
    return text.n;
}

/* Where the word next stands in the code from offset `at` on, or text.n; `at` must not be within a string. Attributes
 * of that name are other words. */
static size_t next_word(Str text, Str word, size_t at)
{
    for (; at + word.n <= text.n; at++) {
        size_t end = text_end(text, at);
        if (end != at) {
            at = end - 1;
            continue;
        }
        if (text.p[at] != word.p[0] || memcmp(text.p + at, word.p, word.n) != 0) continue;
        char before = at ? text.p[at - 1] : ' ', after = at + word.n < text.n ? text.p[at + word.n] : ' ';
        if (!word_char(before) && before != '.' && !word_char(after)) return at;
    }
    return text.n;
}

/* The inner function whose body holds the offset, or NONE. */
static u32 inner_at(const Facts *f, u32 func, u32 offset)
{
    for (u32 i = func + 1; i < f->funcs.n; i++)
        if (f->funcs.v[i].parent == func && offset >= f->funcs.v[i].body.start && offset < f->funcs.v[i].body.end)
            return i;
    return NONE;
}

/* if m, not m, with m, in m, del m: the word before says that the object is asked or used here. */
static bool used_here(Str text, size_t at, size_t end)
{
    static const char *const words[] = {"if", "elif", "while", "not", "with", "in", "del", "assert"};
    while (end < text.n && text.p[end] == ' ') end++;
    if (end + 3 < text.n && memcmp(text.p + end, "is ", 3) == 0) return true;
    size_t to = at;
    while (to && text.p[to - 1] == ' ') to--;
    for (u32 i = 0; i < COUNT_OF(words); i++) {
        size_t n = strlen(words[i]);
        if (to >= n && to < at && memcmp(text.p + to - n, words[i], n) == 0 &&
            (to == n || !word_char(text.p[to - n - 1])))
            return true;
    }
    return false;
}

/* job = …, for job in …: is the name bound here? Of kept.append(job) there is a definition, too, but of what kept
 * holds. */
static bool is_target(const Facts *f, u32 func, u32 offset)
{
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        bool item = d->path != NONE && f->paths.v[d->path].nattr;
        if (d->func == func && !d->is_return && !item && d->span.start == offset) return true;
    }
    return false;
}

/* Names of functions that keep, hand on or run what they are given, in words that they begin with. */
static bool keeps_for_later(Str callee)
{
    static const char *const words[] = {
        "append", "add",   "put",   "insert", "extend", "push",  "set",   "store", "save",     "register", "submit",
        "queue",  "start", "spawn", "run",    "apply",  "map",   "imap",  "call",  "schedule", "partial",  "starmap",
        "bind",   "defer", "create", "attach", "enqueue", "subscribe", "connect"};
    while (callee.n && callee.p[0] == '_') callee = str_slice(callee, 1, callee.n);
    if (!callee.n || (callee.p[0] >= 'A' && callee.p[0] <= 'Z')) return true; /* a class */
    return str_starts_any(callee, words, COUNT_OF(words));
}

bool call_keeps_argument(const Program *p, u32 file, u32 call, u32 arg, u32 depth)
{
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    Ent e = path_entity(p, file, c->callee);
    const Path *x = &f->paths.v[c->callee];
    if (e.kind == ENT_CLASS) return false;
    if (e.kind != ENT_FUNC || depth == 0) {
        bool named = x->root == ROOT_GLOBAL || x->root == ROOT_SELF || x->nattr;
        return named && !keeps_for_later(path_last(f, x));
    }
    GId g = func_gid(p, e.id);
    const Facts *tf = p->facts[g.file];
    const Func *fn = &tf->funcs.v[g.id];
    Str keyword = sym_str(f, f->args.v[arg].keyword);
    u32 at = arg - c->args + (fn->cls != NONE && !fn->is_static ? 1 : 0);
    for (u32 i = 0; i < fn->nparams && keyword.n; i++)
        if (str_eq(sym_str(tf, tf->params.v[fn->params + i].name), keyword)) at = i;
    for (u32 i = c->args; i <= arg; i++)
        if (f->args.v[i].star) return false;
    bool star = at >= fn->nparams || tf->params.v[fn->params + at].star || tf->params.v[fn->params + at].star2;
    if (star) return !keeps_for_later(sym_str(tf, fn->name));
    if (fn->is_generator || fn->is_async) return false;
    return !local_escapes(p, g.file, g.id, tf->params.v[fn->params + at].name, depth - 1);
}

/* The name stands as an argument of its own. */
static bool argument_kept(const Program *p, u32 file, u32 func, u32 offset, u32 depth)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            const Arg *a = &f->args.v[k];
            if (a->kind != VAL_PATH || a->span.start != offset || f->paths.v[a->value].nattr) continue;
            return !str_starts(sym_str(f, a->keyword), S("args[")) && call_keeps_argument(p, file, i, k, depth);
        }
    }
    return false;
}

/* A bound method or another attribute that is passed on: target=job.run. */
static bool attribute_passed(const Program *p, u32 file, u32 func, u32 sym)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        for (u32 k = f->calls.v[i].args; k < f->calls.v[i].args + f->calls.v[i].nargs; k++) {
            const Arg *a = &f->args.v[k];
            if (a->kind != VAL_PATH) continue;
            const Path *x = &f->paths.v[a->value];
            if (x->nattr && x->func == func && x->name == sym && (x->root == ROOT_LOCAL || x->root == ROOT_PARAM) &&
                path_entity(p, file, a->value).kind == ENT_FUNC)
                return true;
        }
    return false;
}

bool local_escapes(const Program *p, u32 file, u32 func, u32 sym, u32 depth)
{
    return local_escapes_before(p, file, func, sym, depth, p->facts[file]->funcs.v[func].body.end);
}

bool local_escapes_before(const Program *p, u32 file, u32 func, u32 sym, u32 depth, u32 before)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    Str word = sym_str(f, sym), text = str_slice(f->source->text, 0, MIN(before, fn->body.end));
    if (!func || !word.n || fn->body.end - fn->body.start > LONGEST || f->defs.n > DEFS_MAX) return true;
    if (attribute_passed(p, file, func, sym)) return true;
    for (size_t at = next_word(text, word, fn->body.start); at < text.n; at = next_word(text, word, at + word.n)) {
        char after = at + word.n < text.n ? text.p[at + word.n] : ' ';
        u32 inner = inner_at(f, func, (u32)at);
        if (inner != NONE && f->funcs.v[inner].name != sym) return true;
        if (after == '.' || after == '[' || after == '(' || is_target(f, func, (u32)at) ||
            used_here(text, at, at + word.n))
            continue;
        if (!argument_kept(p, file, func, (u32)at, depth)) return true;
    }
    return false;
}
