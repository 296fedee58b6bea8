/* What the rules on scaling ask in common. */
#include "races/scaling.h"

u32 call_receiver(const Facts *x, const Call *c)
{
    const Func *fn = &x->funcs.v[c->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        if (a->op == OP_METHOD && a->span.start == c->span.start && a->span.end == c->span.end) return a->path;
    }
    return NONE;
}

u8 receiver_type(const Program *p, u32 file, const Call *c)
{
    u32 path = call_receiver(p->facts[file], c);
    return path == NONE ? TYPE_UNKNOWN : path_type(p, file, path).kind;
}

bool call_is_cheap(const Program *p, u32 file, u32 call)
{
    const Facts *x = p->facts[file];
    const Call *c = &x->calls.v[call];
    const Path *q = &x->paths.v[c->callee];
    Str name = call_last(x, c);
    u32 target;
    if (call_targets(p, file, call, &target, 1)) return false;
    if (known_function(path_external(p, file, c->callee), AS_CHEAP)) return true;
    if (!q->nattr) return q->root == ROOT_GLOBAL && known_builtin(name, AS_CHEAP);
    u8 type = receiver_type(p, file, c);
    if (known_method(name, AS_CHEAP)) /* of strings and containers, so far as is known */
        return type == TYPE_UNKNOWN || type_is_container(type) || type == TYPE_STRING;
    return known_method(name, AS_STEP) && type_is_container(type);
}

bool section_excludes(const Program *p, u32 file, u32 section)
{
    const Section *s = &p->facts[file]->sections.v[section];
    u32 lock = p->section_lock[p->section_base[file] + section];
    if (lock == NONE || s->maybe || s->tries || s->entered || s->kind == SECTION_ASYNC_WITH) return false;
    const Lock *l = &p->locks.v[lock];
    return !l->maybe && !l->keyed && l->place != NONE && l->func == NONE &&
           (l->kind == TYPE_LOCK || l->kind == TYPE_RLOCK);
}

/* The class of self in a function, global; NONE. */
static u32 self_class(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Func *fn = &p->facts[g.file]->funcs.v[g.id];
    return fn->self_class == NONE ? NONE : p->class_base[g.file] + fn->self_class;
}

/* Thread(target=self.work), pool.map(counter.add, …) with one counter: have all such threads one object? */
static bool one_object(const Program *p, const Root *r)
{
    if (r->call == NONE || r->own) return false;
    const Facts *x = p->facts[r->file];
    const Call *c = &x->calls.v[r->call];
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &x->args.v[i];
        if (a->kind != VAL_PATH) continue;
        const Path *q = &x->paths.v[a->value];
        if (q->nattr != 1) continue;
        if (q->root == ROOT_SELF || q->root == ROOT_GLOBAL) return true;
        if (q->root != ROOT_LOCAL) continue;
        const Def *d = local_def(p, r->file, q->func, q->name);
        if (d && d->kind == VAL_CALL && !x->blocks.v[d->block].repeats) return true;
    }
    return false;
}

bool lock_of_thread(const Program *p, u32 file, u32 section, const Root *r)
{
    const Facts *x = p->facts[file];
    const Section *s = &x->sections.v[section];
    const Place *at = &p->places.v[p->locks.v[p->section_lock[p->section_base[file] + section]].place];
    if (at->kind != PLACE_INSTANCE) return false;
    if (x->paths.v[s->path].root == ROOT_GLOBAL || x->paths.v[s->path].root == ROOT_CLS) return false;
    u32 mine = self_class(p, r->func);
    if (mine == NONE || at->owner == NONE) return true;
    bool same = class_is_a(p, mine, at->owner) || class_is_a(p, at->owner, mine);
    return same ? !one_object(p, r) : x->paths.v[s->path].nattr < 2;
}

bool root_runs_many(const Root *r)
{
    return r->many && r->func != NONE && r->main == MAIN_NOT && !r->loop && !r->chain && !r->lane && !r->awaited &&
           !root_is_loop(r);
}

bool scaling_skips(const Program *p, u32 file)
{
    Str path = p->facts[file]->source->path;
    return is_test_path(path) || is_example_path(path) || p->vendored[file];
}
