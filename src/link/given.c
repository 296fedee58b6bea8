/* Objects that threads have from whoever starts them: as arguments, as what their function captures, as the object
 * whose method they run.
 *
 * A thread that somebody else starts has the object, too, when it comes to an overridden method, or calls back what
 * an attribute holds; that says something of the state that it comes to there (ClassInfo.hooked).
 *
 * An object that one thread is given may be its own; what all threads of a loop are given, or two that are started
 * one after the other, they share (ClassInfo.same).
 *
 * Needs roots, types and call edges; fills handed, handed_to_many, same, starter, hooked, tasks and
 * makes_threads of each ClassInfo. */
#include "link/link.h"

enum { BASES_UP = 6 };

/* Is the local made once, above the loop that starts the threads, and not anew for each? */
static bool made_before(const Program *p, u32 file, const Path *x)
{
    const LinkState *s = p->state;
    u32 at = map_get(&s->local_defs, local_key(file, x->func, x->name));
    if (at == NONE || s->defrefs.v[at].next != NONE) return false;
    const Def *d = &p->facts[file]->defs.v[s->defrefs.v[at].def];
    return d->kind == VAL_CALL && !p->facts[file]->blocks.v[d->block].repeats;
}

/* for _ in range(4): Thread(target=work, args=(jobs,)): do all threads that the call starts get one object by this
 * name? What the starter was given itself it may hand to one of them each, and POOL.submit(work, self) is what each
 * of many objects may do once; self.pool.submit(work, self) is done by one, as often as there is work. */
static bool one_for_all(const Program *p, const Root *r, const Path *x)
{
    const Facts *f = p->facts[r->file];
    const Call *c = &f->calls.v[r->call];
    bool repeats = f->blocks.v[c->block].repeats;
    if (!r->many) return false;
    if (x->root == ROOT_GLOBAL) return true;
    if (x->root == ROOT_SELF) return repeats || x->nattr || f->paths.v[c->callee].root == ROOT_SELF;
    if (!repeats || x->nattr) return false;
    return x->root == ROOT_PARAM || (x->root == ROOT_LOCAL && made_before(p, r->file, x));
}

/* A thread's function that is defined where the thread is started has what it captures from there. */
static void captured_by(const Program *p, const Root *r, u32 starter)
{
    GId g = r->func == NONE ? (GId){NONE, NONE} : func_gid(p, r->func);
    if (g.file != r->file || !starter || p->facts[g.file]->funcs.v[g.id].parent != starter) return;
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        Path x = f->paths.v[f->calls.v[i].callee];
        if (x.root != ROOT_LOCAL || x.func != starter || x.nattr != 1) continue;
        x.nattr = 0;
        Type t = ent_type(p, path_resolve(p, g.file, &x, 0));
        if (t.kind != TYPE_CLASS) continue;
        p->state->classes[t.id].handed = true;
        p->state->classes[t.id].same |= one_for_all(p, r, &x);
    }
}

bool name_ends_thread(Str name)
{
    return name_ends(name, ENDS_THREAD);
}

/* Does the call end what the local stands for, or wait for its end? */
static bool ends(const Facts *f, const Call *c, u32 name)
{
    const Path *x = &f->paths.v[c->callee];
    for (u32 i = c->args; i < c->args + c->nargs; i++) { /* wait_all(thread) */
        const Path *given = f->args.v[i].kind == VAL_PATH ? &f->paths.v[f->args.v[i].value] : NULL;
        if (given && given->root == ROOT_LOCAL && given->name == name && !given->nattr) return true;
    }
    if (x->root != ROOT_LOCAL || x->name != name || !x->nattr) return false;
    return name_ends_thread(path_last(f, x)) || str_is(path_last(f, x), "is_alive");
}

/* Thread(target=fill, args=(store,)).start(); store.dump(): does the function go on to use the object that the call
 * gave to a thread, before it waits for that? */
static bool goes_on(const Program *p, u32 file, const Call *given, const Path *object)
{
    const Facts *f = p->facts[file];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, file, given->func)];
    const Func *fn = &f->funcs.v[given->func];
    const Path *thread = given->target == NONE ? NULL : &f->paths.v[given->target];
    if (object->root != ROOT_LOCAL || object->nattr || p->tests[file] || !made_before(p, file, object)) return false;
    u32 end = fi->last_join;
    for (u32 i = fn->calls; thread && !thread->nattr && i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.start >= given->span.end && ends(f, c, thread->name)) end = MIN(end, c->span.start);
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        const Path *x = &f->paths.v[c->callee];
        if (c->span.start < given->span.end || c->span.start >= end || ends(f, c, object->name)) continue;
        if (x->root == ROOT_LOCAL && x->name == object->name && x->nattr == 1 &&
            path_entity(p, file, c->callee).kind == ENT_FUNC)
            return true;
    }
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        const Path *x = &f->paths.v[a->path];
        if (a->span.start < given->span.end || a->span.start >= end || a->op == OP_STORE) continue;
        if (x->root == ROOT_LOCAL && x->name == object->name && x->nattr == 1) return true;
    }
    return false;
}

/* pool.submit(work, frontier), Thread(target=work, args=(frontier,)): the threads have the starter's object.
 * `before`: by file and path → the call that handed it to a thread; Thread(target=fill, args=(q,)) and Thread(target=
 * drain, args=(q,)) have one. */
static void handed_to(const Program *p, const Root *r, Map *before)
{
    if (r->call == NONE) return;
    const Facts *f = p->facts[r->file];
    const Call *c = &f->calls.v[r->call];
    captured_by(p, r, c->func);
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &f->args.v[i];
        Type t = a->kind == VAL_PATH && !a->star ? path_type(p, r->file, a->value) : (Type){.kind = TYPE_UNKNOWN};
        if (t.kind != TYPE_CLASS) continue;
        u32 *other = map_at(p->state->a, before, map_key(r->file, a->value));
        p->state->classes[t.id].handed = true;
        p->state->classes[t.id].starter |= goes_on(p, r->file, c, &f->paths.v[a->value]);
        p->state->classes[t.id].same |=
            one_for_all(p, r, &f->paths.v[a->value]) || (*other != NONE && *other != r->call);
        *other = r->call;
    }
}

/* Does a thread that objects of the class start come to a method of the other class? */
static bool thread_comes(const Program *p, u32 starter, u32 gclass)
{
    u32 file;
    const Class *k = program_class(p, gclass, &file);
    const Facts *f = p->facts[file];
    for (u32 i = 1; i < f->funcs.n; i++) {
        if (f->funcs.v[i].cls == NONE || &f->classes.v[f->funcs.v[i].cls] != k) continue;
        const FuncInfo *fi = &p->funcs[gfunc_of(p, file, i)];
        for (u32 n = 0; n < fi->nroots; n++) {
            const Root *r = &p->roots.v[fi->roots[n]];
            GId g = r->func == NONE || r->main || root_is_loop(r) ? (GId){NONE, NONE} : func_gid(p, r->func);
            u32 own = g.file == NONE ? NONE : p->facts[g.file]->funcs.v[g.id].self_class;
            if (own != NONE && class_is_a(p, starter, gclass_of(p, g.file, own))) return true;
        }
    }
    return false;
}

/* filler = Filler(store); filler.start(); store.dump(), where the thread of a Filler comes to its store. */
static void starters(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            const Call *c = &f->calls.v[i];
            Ent e = c->func && c->nargs ? path_entity(p, file, c->callee) : (Ent){.kind = ENT_NONE};
            if (e.kind != ENT_CLASS || !p->state->classes[e.id].makes_threads) continue;
            for (u32 k = c->args; k < c->args + c->nargs; k++) {
                const Arg *a = &f->args.v[k];
                Type t =
                    a->kind == VAL_PATH && !a->star ? path_type(p, file, a->value) : (Type){.kind = TYPE_UNKNOWN};
                if (t.kind == TYPE_CLASS && goes_on(p, file, c, &f->paths.v[a->value]) && thread_comes(p, e.id, t.id))
                    p->state->classes[t.id].starter = true;
            }
        }
    }
}

/* def counter(flight, names): flight.book(name), where a thread runs counter(): it was given the flight. */
static void by_parameter(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    for (u32 i = p->edge_first[gfunc]; i < p->edge_first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->call == NONE) continue;
        const Path *x = &f->paths.v[f->calls.v[e->call].callee];
        GId to = func_gid(p, e->callee);
        u32 cls = p->facts[to.file]->funcs.v[to.id].cls;
        if (x->root == ROOT_PARAM && x->nattr == 1 && x->func == g.id && cls != NONE)
            p->state->classes[gclass_of(p, to.file, cls)].handed = true;
    }
}

/* self.on_item(x): is it a call of what an attribute of the thread's own object holds, where the thread of the root
 * runs a method of that? What others hold, they may have from anybody. */
static bool of_attribute(const Program *p, const CallEdge *e, const Root *r)
{
    if (e->weak || e->call == NONE || e->passed || e->param || r->func == NONE) return false;
    const Facts *f = p->facts[e->file];
    const Call *c = &f->calls.v[e->call];
    const Path *x = &f->paths.v[c->callee];
    if (x->root != ROOT_SELF || x->nattr != 1 || path_entity(p, e->file, c->callee).kind != ENT_PLACE) return false;
    GId g = func_gid(p, r->func);
    u32 own = p->facts[g.file]->funcs.v[g.id].self_class, cls = f->funcs.v[c->func].self_class;
    return own != NONE && cls != NONE && gclass_of(p, g.file, own) == gclass_of(p, e->file, cls);
}

/* bus.subscribe(self.tick), reader.on_item = self.tick: the thread that calls what it finds there has the object. */
static void called_back(const Program *p, const CallEdge *e)
{
    const FuncInfo *fi = &p->funcs[e->caller];
    bool thread = false, attribute = false;
    if (!fi->nroots || program_func(p, e->callee)->self_class == NONE) return;
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        if (r->main || root_is_loop(r) || (r->own && r->call != NONE)) continue; /* no signal's or object's end */
        thread |= e->kept;
        attribute |= !e->kept && of_attribute(p, e, r);
    }
    if (!thread && !attribute) return;
    GId g = func_gid(p, e->callee);
    const Func *fn = &p->facts[g.file]->funcs.v[g.id];
    ClassInfo *c = &p->state->classes[gclass_of(p, g.file, fn->self_class)];
    c->handed |= thread;
    c->makes_threads |= thread;
    c->hooked |= attribute;
}

/* def _run(self): self.on_item(x), in a base class that runs it in a thread: that thread has the object of the
 * derived class whose on_item it is, whichever file starts it. */
static void overridden(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Func *fn = &p->facts[g.file]->funcs.v[g.id];
    const FuncInfo *fi = &p->funcs[gfunc];
    if (fn->cls == NONE || fn->is_static || fn->is_classmethod || fi->construct || !fi->nroots) return;
    u32 cls = gclass_of(p, g.file, fn->cls);
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        if (r->func == NONE || r->func == gfunc || r->main || root_is_loop(r) || r->awaited) continue;
        if (fi->alone & 1u << i || (r->own && r->call != NONE)) continue;
        GId b = func_gid(p, r->func);
        u32 base = p->facts[b.file]->funcs.v[b.id].self_class;
        base = base == NONE ? NONE : gclass_of(p, b.file, base);
        if (base == NONE || base == cls || !class_is_a(p, cls, base)) continue;
        if (p->state->classes[base].fresh || p->state->classes[cls].fresh) continue; /* of one request */
        p->state->classes[cls].hooked = true;
    }
}

/* An object of a class is one of its bases, too: a few steps up. */
static void handed_bases(Program *p)
{
    LinkState *s = p->state;
    for (u32 round = 0; round < BASES_UP; round++)
        for (u32 i = 0; i < s->nclasses; i++)
            for (u32 k = 0; s->classes[i].handed && k < s->classes[i].bases.n; k++) {
                s->classes[s->classes[i].bases.v[k]].handed = true;
                s->classes[s->classes[i].bases.v[k]].same |= s->classes[i].same;
            }
}

/* The server that starts a thread for each request: all of them have it, as self.server (Python library reference,
 * socketserver, "Asynchronous Mixins"). */
static void servers(Program *p)
{
    static const char *const bases[] = {"socketserver.ThreadingMixIn",     "SocketServer.ThreadingMixIn",
                                        "socketserver.ThreadingTCPServer", "SocketServer.ThreadingTCPServer",
                                        "socketserver.ThreadingUDPServer", "SocketServer.ThreadingUDPServer",
                                        "http.server.ThreadingHTTPServer", "socketserver.ThreadingUnixStreamServer"};
    for (u32 i = 0; i < p->state->nclasses; i++)
        for (u32 k = 0; k < COUNT_OF(bases); k++) {
            if (!class_derives(p, i, bases[k])) continue;
            ClassInfo *c = &p->state->classes[i];
            c->makes_threads = c->handed = c->handed_to_many = true;
        }
}

void given_find(Program *p)
{
    LinkState *s = p->state;
    Map before = {0};
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) { /* a bound method runs in a thread: its object is shared */
        const Root *r = &p->roots.v[i];
        if (r->func == NONE || (r->own && r->call != NONE) || str_starts(r->display, S("signal handler"))) continue;
        if (root_is_loop(r) || r->awaited) continue; /* written for the loop, as is what a coroutine waits for */
        handed_to(p, r, &before);
        by_parameter(p, r->func);
        GId g = func_gid(p, r->func);
        const Func *fn = &p->facts[g.file]->funcs.v[g.id];
        if (fn->self_class == NONE) continue;
        s->classes[gclass_of(p, g.file, fn->self_class)].makes_threads |= !r->beside;
        s->classes[gclass_of(p, g.file, fn->self_class)].tasks |= r->beside;
        s->classes[gclass_of(p, g.file, fn->self_class)].handed |= r->call != NONE;
        s->classes[gclass_of(p, g.file, fn->self_class)].handed_to_many |= r->call != NONE && r->many && !r->own;
    }
    for (u32 i = 0; i < s->nclasses; i++) {
        ClassInfo *c = &s->classes[i];
        c->tasks &= !c->makes_threads;
        c->makes_threads |= c->tasks;
    }
    servers(p);
    starters(p);
    for (u32 i = 0; i < s->nfuncs; i++) overridden(p, i);
    for (u32 i = 0; i < p->edges.n; i++) called_back(p, &p->edges.v[i]);
    handed_bases(p);
}
