/* Qt's way to a thread without a run(): an object is moved to a thread, and its slots run there.
 *
 *   worker = Worker()
 *   worker.moveToThread(thread)
 *   thread.started.connect(worker.run)
 *   button.clicked.connect(worker.stop)
 *
 * A method of a class of which an object is moved, and which something connects to a signal, is a root (Qt,
 * "QObject::moveToThread", "Threads and QObjects"). All slots of one object run in its one thread, so that the roots
 * of a class share a lane.
 *
 * Not followed: slots connected by a decorator's name (on_button_clicked), connections of Qt.DirectConnection, which
 * run in the thread that emits. */
#include "link/roots.h"

enum { MOVED = 64, SLOTS = 4 };

static bool calls_method(const Facts *f, const Call *c, const char *name)
{
    const Path *x = &f->paths.v[c->callee];
    u32 last = x->nattr ? x->attr[x->nattr - 1] : SYM_ITEM;
    return last != SYM_ITEM && c->nargs && str_is(sym_str(f, last), name);
}

/* The classes whose objects are moved to a thread, MOVED at most. */
static u32 moved_classes(const Program *p, u32 *out)
{
    u32 n = 0;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (intern_find(&f->syms, S("moveToThread")) == NONE) continue;
        for (u32 i = 0; i < f->calls.n && n < MOVED; i++) {
            const Path *x = &f->paths.v[f->calls.v[i].callee];
            if (!calls_method(f, &f->calls.v[i], "moveToThread")) continue;
            Type t = ent_type(p, path_resolve(p, file, x, x->nattr - 1u));
            if (t.kind == TYPE_CLASS) out[n++] = t.id;
        }
    }
    return n;
}

void roots_moved(Program *p)
{
    u32 moved[MOVED], n = moved_classes(p, moved);
    for (u32 file = 0; n && file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            const Call *c = &f->calls.v[i];
            const Arg *a = &f->args.v[c->args];
            u32 slots[SLOTS];
            if (!calls_method(f, c, "connect") || a->kind != VAL_PATH) continue;
            u32 count = value_funcs(p, file, a->kind, a->value, slots, SLOTS);
            for (u32 k = 0; k < count; k++) {
                GId g = func_gid(p, slots[k]);
                u32 cls = p->facts[g.file]->funcs.v[g.id].cls, at = 0;
                if (cls == NONE) continue;
                cls = gclass_of(p, g.file, cls);
                while (at < n && !class_is_a(p, moved[at], cls)) at++;
                if (at == n) continue;
                u32 first = p->roots.n;
                root_add(p, slots[k], false, false,
                         root_display(p, "slot %s of a thread", short_name(p, slots[k]), file, c->line), file, i);
                for (u32 r = first; r < p->roots.n; r++) p->roots.v[r].lane = 1ull << 62 | moved[at];
            }
        }
    }
}
