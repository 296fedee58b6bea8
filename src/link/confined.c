/* Signs that an object stays with one thread although its class looks shared: by its class.
 *
 * Variables of inner functions that are only called inside of the call are confined for certain. For objects there
 * are signs: objects of an event loop (loops.c), widgets of a window (their toolkits run all code in
 * the thread of the windows), and objects of one flow of work, known by the noun that ends their class's name: a
 * cursor, a request, a transaction is handed from step to step and not used by two threads at once (DB-API
 * threadsafety levels 1 and 2 for cursors, WSGI for requests); and what the class says of itself: that it is not
 * thread-safe, that its users lock. They are signs, not proofs: a visible thread or a lock
 * in use says more, and races/ weighs them. */
#include "link/link.h"

/* QDialog, QtWidgets.QTreeView, project.qt.QtWidgets.QFrame: classes of a toolkit by the names that all its bindings
 * have, when it comes by a module of the project. */
static bool named_widget(Str base)
{
    static const char *const kinds[] = {"Widget", "Dialog", "Window", "View", "Frame",    "Label", "Button",
                                        "Edit",   "Box",    "Menu",   "Item", "Delegate", "Model", "Page"};
    Str name = str_last(base, '.');
    if (str_search(base, S("QtWidgets.")) < base.n) return true;
    if (name.n < 3 || name.p[0] != 'Q' || name.p[1] < 'A' || name.p[1] > 'Z') return false;
    for (u32 i = 0; i < COUNT_OF(kinds); i++)
        if (str_ends(name, str_from(kinds[i]))) return true;
    return false;
}

bool class_is_widget(const Program *p, u32 cls)
{
    const ClassInfo *ci = &p->state->classes[cls];
    for (u32 i = 0; i < ci->ext_bases.n; i++) {
        Str base = p->syms.strs[ci->ext_bases.v[i]];
        if (str_search(base, S("Thread")) < base.n || str_search(base, S("Runnable")) < base.n) continue;
        if (known_module(base, AS_WINDOWS) || named_widget(base)) return true;
    }
    return false;
}

bool class_draws(const Program *p, u32 cls, u32 depth)
{
    static const char *const drawing[] = {"tkinter.", "Tkinter.", "wx.", "kivy.uix.", "gi.repository.Gtk."};
    const ClassInfo *ci = &p->state->classes[cls];
    for (u32 i = 0; i < ci->ext_bases.n; i++) {
        Str base = p->syms.strs[ci->ext_bases.v[i]];
        if (named_widget(base) || str_starts_any(base, drawing, COUNT_OF(drawing))) return true;
    }
    for (u32 i = 0; i < ci->bases.n && depth; i++)
        if (class_draws(p, ci->bases.v[i], depth - 1)) return true;
    return false;
}

static bool of_one_flow(Str name)
{
    static const char *const kinds[] = {"Base", "Mixin", "Impl"}; /* CursorBase, RequestMixin */
    for (u32 i = 0; i < COUNT_OF(kinds); i++)
        if (str_ends(name, str_from(kinds[i]))) name = str_slice(name, 0, name.n - strlen(kinds[i]));
    static const char *const nouns[] = {"Cursor",  "Request", "Response", "Transaction", "Builder",
                                        "Visitor", "Parser",  "Lexer",    "Iterator",    "Message"};
    for (u32 i = 0; i < COUNT_OF(nouns); i++)
        if (str_ends(name, str_from(nouns[i]))) return true;
    return false;
}

enum { DERIVED = 6 }; /* steps down to classes that derive from one */

/* How many objects of the class, and of those derived from it, stay inside the call that makes them, and how many
 * leave it. False where something says that threads meet in one. */
static bool made_where(const Program *p, u32 cls, u32 depth, u32 *inside, u32 *leaves)
{
    const ClassInfo *c = &p->state->classes[cls];
    if (c->has_lock || c->makes_threads || c->hooked || c->singleton || c->decorator) return false;
    *inside += c->made_inside;
    *leaves += c->leaves;
    for (u32 i = 0; i < c->subs.n && depth; i++)
        if (!made_where(p, c->subs.v[i], depth - 1, inside, leaves)) return false;
    return true;
}

/* Four of five stay inside the call that makes them (escape.c). */
static bool mostly_inside(const Program *p, u32 cls)
{
    const ClassInfo *c = &p->state->classes[cls];
    u32 inside = 0, leaves = 0;
    /* who takes it out of the queue has it alone */
    if (c->queued && c->queued == c->made_elsewhere && !c->kept_globally)
        return !c->has_lock && !c->makes_threads && !c->singleton && !c->decorator;
    return made_where(p, cls, DERIVED, &inside, &leaves) && inside && inside >= 4 * leaves;
}

static bool has_finalizer(const Program *p, u32 cls)
{
    u32 del = intern_find(&p->syms, S("__del__"));
    return del != NONE && class_method(p, cls, del, false) != NONE;
}

static u8 signs(const Program *p, u32 cls)
{
    u32 file;
    const Class *c = program_class(p, cls, &file);
    bool loop = p->state->of_loop[cls] || greenlet_code(p, file);
    bool flow = of_one_flow(sym_str(p->facts[file], c->name)) || class_derives(p, cls, "logging.LogRecord");
    return (u8)((loop ? SIGN_LOOP : 0) | (class_is_widget(p, cls) ? SIGN_WINDOW : 0) |
                (mostly_inside(p, cls) ? SIGN_INSIDE : 0) | (has_finalizer(p, cls) ? SIGN_FINAL : 0) |
                (flow ? SIGN_FLOW : 0) | (c->leaves_locking ? SIGN_CALLER : 0));
}

/* Do all classes derived from it belong to a loop? Of a base with a subclass for threads and one for coroutines, as a
 * client's, the one says nothing about objects of the other. */
static bool all_in_loop(const u8 *sign, const ClassInfo *base)
{
    for (u32 i = 0; i < base->subs.n; i++)
        if (!(sign[base->subs.v[i]] & SIGN_LOOP)) return false;
    return true;
}

/* Bases lend their signs to the classes below them, and subclasses' coroutines speak for the state of the base. */
static void spread(const Program *p, u8 *sign)
{
    enum { lent = SIGN_LOOP | SIGN_WINDOW | SIGN_FLOW | SIGN_CALLER, both = SIGN_LOOP | SIGN_BOTH };
    for (u32 round = 0; round < 4; round++) {
        for (u32 i = 0; i < p->state->nclasses; i++) {
            const ClassInfo *ci = &p->state->classes[i];
            for (u32 k = 0; k < ci->bases.n; k++) {
                u8 base = sign[ci->bases.v[k]];
                sign[i] |= base & (base & SIGN_BOTH ? lent & ~SIGN_LOOP : lent);
                if (!(sign[i] & SIGN_LOOP) || (base & both) == SIGN_LOOP) continue;
                sign[ci->bases.v[k]] |= all_in_loop(sign, &p->state->classes[ci->bases.v[k]]) ? SIGN_LOOP : both;
            }
        }
    }
    for (u32 i = 0; i < p->state->nclasses; i++)
        if (sign[i] & SIGN_BOTH && all_in_loop(sign, &p->state->classes[i])) sign[i] &= (u8)~SIGN_BOTH;
}

/* Classes whose code a loop runs: they have coroutines or use a loop themselves, and no thread lock or
 * thread of their own says that other threads come there as well. */
static void loop_classes(const Program *p, const u8 *sign)
{
    for (u32 i = 0; i < p->state->nclasses; i++) {
        ClassInfo *c = &p->state->classes[i];
        u32 file;
        program_class(p, i, &file);
        c->loop = sign[i] & SIGN_LOOP && !c->has_lock && !c->makes_threads && !uses_threads(p, file);
    }
}

static bool starts_a_thread(const Program *p, u32 gfunc)
{
    const FuncInfo *fi = &p->funcs[gfunc];
    for (u32 i = 0; i < fi->nroots; i++)
        if (p->roots.v[fi->roots[i]].func == gfunc) return true;
    return false;
}

/* Are all inner functions that use the variable called inside the call only? */
static bool stays_in_call(const Program *p, const Place *x)
{
    GId owner = func_gid(p, x->owner);
    const Facts *f = p->facts[owner.file];
    u32 inner = NONE;
    for (u32 i = 0; i < x->n; i++) {
        GId g = access_gid(p, p->place_access.v[x->first + i]);
        if (g.file != owner.file) return false;
        u32 fn = f->accesses.v[g.id].func;
        while (fn && fn != owner.id && f->funcs.v[fn].parent != owner.id) fn = f->funcs.v[fn].parent;
        if (fn == owner.id || fn == inner) continue;
        const Func *in = &f->funcs.v[fn];
        if (!fn || in->is_lambda || in->ndecorators || in->is_async ||
            starts_a_thread(p, gfunc_of(p, owner.file, fn)) ||
            local_escapes(p, owner.file, owner.id, in->name, ESCAPE_DEPTH))
            return false;
        inner = fn;
    }
    return inner != NONE;
}

/* State that the loop's methods for other threads use. */
static bool from_other_threads(const Program *p, const Place *x)
{
    static const char *const names[] = {"add_callback", "add_callback_from_signal", "call_soon_threadsafe"};
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        const Facts *f = p->facts[access_gid(p, ga).file];
        Str name = sym_str(f, f->funcs.v[program_access(p, ga)->func].name);
        if (str_among(name, names, COUNT_OF(names))) return true;
    }
    return false;
}

void confined_find(Program *p)
{
    u8 *sign = xmalloc(p->state->nclasses + 1);
    for (u32 i = 0; i < p->state->nclasses; i++) sign[i] = signs(p, i);
    loop_classes(p, sign);
    spread(p, sign);
    for (u32 i = 0; i < p->places.n; i++) {
        Place *x = &p->places.v[i];
        if (x->kind == PLACE_INSTANCE && x->owner != NONE) x->signs = sign[x->owner];
        if (x->signs & (SIGN_FLOW | SIGN_INSIDE) && x->evidence & EV_SINGLETON && changed_on_global(p, x))
            x->signs &= (u8) ~(SIGN_FLOW | SIGN_INSIDE); /* PARSER = Parser(): it says what it is, and has a name */
        if (x->signs & SIGN_LOOP && from_other_threads(p, x)) x->signs &= (u8)~SIGN_LOOP;
        if (x->kind == PLACE_CLOSURE && x->n && p->options->assume != ASSUME_ALWAYS && stays_in_call(p, x))
            x->confined = x->in_call = true;
    }
    free(sign);
}
