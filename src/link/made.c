/* Counts for each class which calls make its objects, and for whom: for a global or class attribute, for a local that
 * stays inside of the call, for an attribute of self, for a queue. Calls of tests do not count, and those of scripts
 * only where they say that the object is one of several.
 *
 * Needs what names stand for and which roots reach the functions; fills ClassInfo (link.h). */
#include "link/link.h"

/* Is what the call makes stored in a global or class attribute? */
static bool for_all(const Program *p, u32 file, const Call *c)
{
    if (c->target == NONE) return false;
    Ent e = path_entity(p, file, c->target);
    return e.kind == ENT_PLACE &&
           (p->places.v[e.id].kind == PLACE_GLOBAL || p->places.v[e.id].kind == PLACE_CLASS_ATTR);
}

/* Is the call of the file one whose object a module-level name keeps in another way? */
static bool *named_calls(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    bool *out = xmalloc(f->calls.n + 1);
    memset(out, 0, f->calls.n + 1);
    for (u32 i = 0; i < f->defs.n; i++) {
        u32 call = named_made(p, file, &f->defs.v[i]);
        if (call != NONE) out[call] = true;
    }
    return out;
}

/* Does the class itself make the object: cls(…) in a classmethod, M() in copy() or __add__()? */
static bool by_own(const Program *p, u32 file, const Call *c, u32 gclass)
{
    u32 around = class_around(p, file, c->func);
    return around != NONE && class_is_a(p, around, gclass);
}

/* By call of the file: is its result given to a queue, and to nobody else? */
static bool *queued_calls(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    if (intern_find(&f->syms, S("put")) == NONE && intern_find(&f->syms, S("put_nowait")) == NONE) return NULL;
    bool *out = xmalloc(f->calls.n + 1);
    memset(out, 0, f->calls.n + 1);
    for (u32 i = 0; i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        const Path *x = &f->paths.v[c->callee];
        Str name = path_is_attr(x) ? path_last(f, x) : S("");
        if (!c->nargs || (!str_is(name, "put") && !str_is(name, "put_nowait"))) continue;
        if (f->args.v[c->args].kind == VAL_CALL) out[f->args.v[c->args].value] = true;
    }
    return out;
}

/* Once(job).run(): by call of the file, is its result asked for a method at once, and for nothing else? What the
 * method gives is not the object again, as that of a builder is. */
static bool *asked_calls(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    bool *out = xmalloc(f->calls.n + 1);
    memset(out, 0, f->calls.n + 1);
    for (u32 i = 0; i < f->calls.n; i++) {
        const Path *x = &f->paths.v[f->calls.v[i].callee];
        if (x->root != ROOT_CALL || x->nattr != 1 || x->attr[0] == SYM_ITEM || x->truncated) continue;
        Ent e = path_entity(p, file, f->calls.v[x->func].callee);
        if (e.kind != ENT_CLASS) continue;
        Type given = call_type(p, file, i);
        out[x->func] = given.kind != TYPE_CLASS || !class_is_a(p, e.id, given.id);
    }
    return out;
}

/* def load(path): model = Model(path); …; return model: how often is a function called that makes an object for who
 * calls? 0 when the call's object is for something else. */
static u32 given_out(const Program *p, const u32 *callers, u32 file, const Call *c)
{
    const Path *target = c->target == NONE ? NULL : &p->facts[file]->paths.v[c->target];
    if (!target || target->root != ROOT_LOCAL || target->nattr) return 0;
    if (!func_returns(p, file, c->func, c->target)) return 0;
    return callers[gfunc_of(p, file, c->func)];
}

/* By global function: the calls in sight that lead to it, outside of tests. */
static u32 *count_callers(const Program *p)
{
    u32 *callers = xmalloc((p->state->nfuncs + 1) * sizeof *callers);
    memset(callers, 0, (p->state->nfuncs + 1) * sizeof *callers);
    for (u32 i = 0; i < p->edges.n; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (!e->weak && !p->tests[e->file]) callers[e->callee]++;
    }
    return callers;
}

/* One call, of no test, that makes an object of the class; `asked`: for a method call at once; `named`: for a name of
 * the module. */
static void construction(const Program *p, u32 file, u32 call, bool script, bool asked, bool named, u32 gclass)
{
    ClassInfo *cls = &p->state->classes[gclass];
    const Facts *f = p->facts[file];
    const Call *c = &f->calls.v[call];
    const Path *target = c->target == NONE ? NULL : &f->paths.v[c->target];
    bool local = !target || (target->root == ROOT_LOCAL && !target->nattr);
    cls->kept |= !local || !p->funcs[gfunc_of(p, file, c->func)].nroots;
    named |= for_all(p, file, c);
    cls->made_elsewhere += !named;
    cls->made_by_own += !named && by_own(p, file, c, gclass);
    cls->made_again |= f->blocks.v[c->block].repeats && !named;
    if (script) return;
    bool held = target && local && target->func == c->func;
    bool stays =
        !cls->method_kept && (asked || (held && !local_escapes(p, file, c->func, target->name, ESCAPE_DEPTH)));
    cls->made_inside += stays;
    cls->leaves += !stays;
    cls->made_for_attr += target && target->root == ROOT_SELF;
}

void constructions_count(Program *p)
{
    u32 *callers = count_callers(p);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        bool test = p->tests[file], script = is_script(p, file);
        bool *queued = queued_calls(p, file), *asked = asked_calls(p, file), *named = named_calls(p, file);
        for (u32 i = 0; i < f->calls.n && !test; i++) {
            Ent e = path_entity(p, file, f->calls.v[i].callee);
            if (e.kind != ENT_CLASS) continue;
            construction(p, file, i, script, asked[i] && !named[i], named[i], e.id);
            p->state->classes[e.id].given_out += given_out(p, callers, file, &f->calls.v[i]);
            p->state->classes[e.id].queued += queued && queued[i];
        }
        for (u32 i = 0; i < f->calls.n; i++) {
            u32 c = registered_class(p, file, i);
            if (c != NONE) p->state->classes[c].singleton = true;
        }
        free(queued);
        free(asked);
        free(named);
    }
    free(callers);
}
