/* Code that the loop of a window or a reactor runs: in the main thread, one callback after the other.
 *
 * Tk, wxPython and GTK call event handlers and timers from the thread that runs their main loop (tkinter: Python
 * library reference, "Threading model"; wx.App.MainLoop; GLib main loop), and engines for games from the one that
 * draws (pyglet.app.run, arcade.run, Panda3D's ShowBase.run, the loop around pygame.event.get). What is handed to
 * them is no entry for any thread of a program, although its class starts threads. A function that is a thread root
 * as well stays one.
 * Not handled: plain functions as slots of Qt, which run in the thread that emits; handlers made elsewhere.
 *
 * Where one file of eight imports a toolkit, the program is one with windows, and what no thread in sight reaches is
 * run by its loop. So it is with Twisted, whose reactor calls everything but what deferToThread was given ("Using
 * Threads in Twisted"). Of some forty findings in such programs without a thread in sight, read as their maintainers
 * would, none was true. */
#include "link/link.h"

/* Does the module open windows? What plays sounds alone needs none. */
static bool of_windows(Str module)
{
    bool sounds = str_is(module, "pygame.mixer") || str_is(module, "pyglet.media");
    return known_module(module, AS_WINDOWS) && !sounds;
}

static bool imports_toolkit(const Facts *f)
{
    for (u32 i = 0; i < f->imports.n; i++) {
        Str module = sym_str(f, f->imports.v[i].module);
        if (of_windows(module) || str_starts(module, S("curses"))) return true;
    }
    return false;
}

bool window_code(const Program *p, u32 file)
{
    return imports_toolkit(p->facts[file]) && !uses_threads(p, file);
}

/* Methods that keep a callback for the loop, and keywords that name one. */
static const struct {
    const char *package, *name;
    bool keyword;
} keepers[] = {
    {"tkinter", "after", false},
    {"tkinter", "after_idle", false},
    {"tkinter", "bind", false},
    {"tkinter", "bind_all", false},
    {"tkinter", "bind_class", false},
    {"tkinter", "tag_bind", false},
    {"tkinter", "protocol", false},
    {"tkinter", "trace", false},
    {"tkinter", "trace_add", false},
    {"tkinter", "add_command", false},
    {"tkinter", "command", true},
    {"tkinter", "postcommand", true},
    {"tkinter", "validatecommand", true},
    {"wx", "Bind", false},
    {"wx", "CallAfter", false},
    {"wx", "CallLater", false},
    {"gi.repository", "connect", false},
    {"gi.repository", "idle_add", false},
    {"gi.repository", "timeout_add", false},
    {"gi.repository", "timeout_add_seconds", false},
};

static bool keeps(const Program *p, u32 file, const Call *c, const Arg *arg)
{
    const Facts *f = p->facts[file];
    const Path *callee = &f->paths.v[c->callee];
    Str method = callee->nattr ? path_last(f, callee) : S("");
    for (u32 i = 0; i < COUNT_OF(keepers); i++) {
        Str name = keepers[i].keyword ? sym_str(f, arg->keyword) : method;
        if (!str_is(name, keepers[i].name)) continue;
        bool tk = str_is(str_from(keepers[i].package), "tkinter"); /* Tkinter in Python 2 */
        if (file_imports(p, file, keepers[i].package) || (tk && file_imports(p, file, "Tkinter"))) return true;
    }
    return false;
}

/* timer.timeout.connect(self.show): the slot of a widget runs in the thread of the windows, whoever emits (Qt,
 * "Signals and Slots Across Threads"). */
static void widget_slots(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    u32 connect = intern_find(&f->syms, S("connect"));
    for (u32 i = 0; connect != NONE && i < f->calls.n; i++) {
        const Path *x = &f->paths.v[f->calls.v[i].callee];
        const Arg *a = &f->args.v[f->calls.v[i].args];
        if (!x->nattr || x->attr[x->nattr - 1] != connect || !f->calls.v[i].nargs || a->kind != VAL_PATH) continue;
        u32 to[4], n = value_funcs(p, file, a->kind, a->value, to, COUNT_OF(to));
        for (u32 t = 0; t < n; t++) {
            GId g = func_gid(p, to[t]);
            u32 cls = p->facts[g.file]->funcs.v[g.id].cls;
            if (cls == NONE || !class_is_widget(p, gclass_of(p, g.file, cls))) continue;
            p->funcs[to[t]].api = false;
            p->funcs[to[t]].main = true;
        }
    }
}

void window_callbacks(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    if (p->options->assume == ASSUME_ALWAYS) return; /* who asks for every function gets these, too */
    widget_slots(p, file);
    bool any = imports_toolkit(f);
    for (u32 i = 0; any && i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        for (u32 k = c->args; k < c->args + c->nargs; k++) {
            if (!keeps(p, file, c, &f->args.v[k])) continue;
            u32 to[4], n = value_funcs(p, file, f->args.v[k].kind, f->args.v[k].value, to, COUNT_OF(to));
            for (u32 t = 0; t < n; t++) {
                p->funcs[to[t]].api = false;
                p->funcs[to[t]].main = true;
                p->funcs[to[t]].again = true;
            }
        }
    }
}

static bool of_loop_package(Str module)
{
    return of_windows(module) || str_is(module, "twisted") || str_starts(module, S("twisted."));
}

/* The modules that every binding of Qt has, by whatever name the binding goes: from project.qt import QtWidgets. */
static bool names_qt(Str name)
{
    static const char *const modules[] = {"QtCore", "QtGui", "QtWidgets"};
    return str_among(name, modules, COUNT_OF(modules));
}

static bool is_wrapper(const Program *p, u32 file, const Import *im, const Intern *wrappers)
{
    u32 from = im->level ? import_file(p, file, im) : NONE;
    Str module = from == NONE ? sym_str(p->facts[file], im->module) : p->facts[from]->source->module;
    return intern_find(wrappers, module) != NONE;
}

static bool import_of_loop(const Program *p, u32 file, const Import *im, const Intern *wrappers)
{
    const Facts *f = p->facts[file];
    Str module = sym_str(f, im->module);
    if (of_loop_package(module) || names_qt(sym_str(f, im->name)) || names_qt(str_last(module, '.'))) return true;
    return is_wrapper(p, file, im, wrappers);
}

static bool imports_loop(const Program *p, u32 file, const Intern *wrappers)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++)
        if (import_of_loop(p, file, &f->imports.v[i], wrappers)) return true;
    return false;
}

/* Does it hand on all the names of a toolkit, from PyQt6.QtWidgets import *? */
static bool hands_on(const Program *p, u32 file, const Intern *wrappers)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *im = &f->imports.v[i];
        if (im->star && import_of_loop(p, file, im, wrappers)) return true;
    }
    return false;
}

/* Modules that do nothing but import a toolkit, whichever is there, and those that hand on all of its names: names
 * for it. One may wrap another. */
static void wrappers_find(const Program *p, Arena *a, Intern *wrappers)
{
    enum { STEPS = 3 };
    Intern none = {0};
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (f->funcs.n == 1 && !f->classes.n && imports_loop(p, file, &none)) intern(a, wrappers, f->source->module);
    }
    for (u32 step = 0; step < STEPS; step++)
        for (u32 file = 0; file < p->nfiles; file++)
            if (hands_on(p, file, wrappers)) intern(a, wrappers, p->facts[file]->source->module);
}

void loop_program_find(Program *p)
{
    enum { ONE_OF = 8 };
    u32 files = 0, with = 0;
    Arena scratch = {0};
    Intern wrappers = {0};
    wrappers_find(p, &scratch, &wrappers);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (is_script(p, file) || p->vendored[file] || !f->imports.n) continue;
        files++;
        with += imports_loop(p, file, &wrappers);
    }
    p->one_loop = with && with * ONE_OF >= files;
    arena_free(&scratch);
}
