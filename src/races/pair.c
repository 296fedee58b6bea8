/* Pairs of accesses: conflict, control, common critical section; and how sure we are that threads share the place. */
#include "races/races.h"

enum {
    WITNESSES = 400
}; /* as many candidates are looked at; state with more writers than that has a witness among them */

static bool maybe_locked(const Program *p, u32 ga)
{
    const LockSet *s = &p->locksets.v[p->access_locks[ga]];
    for (u32 i = 0; i < s->n; i++)
        if (p->locks.v[s->ids[i]].maybe && !p->locks.v[s->ids[i]].hoped) return true;
    return false;
}

/* Do both hold one lock, if what is hoped for is counted? */
static bool hoped_common(const Program *p, u32 ga, u32 gb)
{
    const LockSet *a = &p->locksets.v[p->access_locks[ga]], *b = &p->locksets.v[p->access_locks[gb]];
    for (u32 i = 0; i < a->n; i++) {
        const Lock *x = &p->locks.v[a->ids[i]];
        for (u32 k = 0; k < b->n; k++) {
            const Lock *y = &p->locks.v[b->ids[k]];
            if ((x->hoped || y->hoped) && (x->hoped ? x->real : a->ids[i]) == (y->hoped ? y->real : b->ids[k]))
                return true;
        }
    }
    return false;
}

static Str folder(const Program *p, u32 file)
{
    return str_folder(p->facts[file]->source->path);
}

bool root_near(const Program *p, const Root *r, u32 file)
{
    return r->file == file || (r->file != NONE && folder(p, file).n && str_eq(folder(p, r->file), folder(p, file)));
}

bool near_root(const Program *p, u32 ga, u32 file)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    u32 coming = roots_coming(p, ga);
    for (u32 i = 0; i < fi->nroots; i++)
        if (coming & 1u << i && root_near(p, &p->roots.v[fi->roots[i]], file)) return true;
    return false;
}

/* Visible roots are the best evidence; then a lock elsewhere; then where the state lives. */
static u8 confidence_of(const Finder *f, u32 ga, u32 gb, bool roots)
{
    const Place *x = &f->p->places.v[f->place];
    u32 object = EV_GUARDED | EV_CLASS_LOCKS | EV_SINGLETON | EV_DECORATOR | EV_ALWAYS;
    if (roots && x->kind == PLACE_INSTANCE &&
        !(x->evidence & object)) /* threads reach its code; whether one object, we do not see */
        return near_root(f->p, ga, x->file) ? class_made_at(f->p, x->owner) ? CONF_HIGH : CONF_MEDIUM
               : x->evidence & (EV_FILE | EV_NAME | EV_PURPOSE | EV_HANDED) || part_of_one_starter(f->p, ga, gb)
                   ? CONF_MEDIUM
                   : CONF_LOW;
    if (roots)
        return x->file == NONE || near_root(f->p, ga, x->file) || near_root(f->p, gb, x->file) ? CONF_HIGH
                                                                                               : CONF_MEDIUM;
    if (x->evidence & (EV_GUARDED | EV_ALWAYS)) return CONF_MEDIUM;
    if (x->evidence & EV_MODULE) return CONF_MEDIUM;
    if (x->evidence & (EV_CLASS_LOCKS | EV_SINGLETON | EV_DECORATOR | EV_NAME | EV_FILE | EV_PURPOSE | EV_PART |
                       EV_FOUND | EV_STARTER))
        return CONF_MEDIUM;
    return CONF_LOW;
}

/* A callback of an object's end or of a signal: no thread that was started to do something meanwhile. */
static bool called_back(const Root *r)
{
    return r->own && r->call != NONE;
}

bool threads_reach(const Program *p, u32 ga)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    u32 coming = roots_coming(p, ga);
    for (u32 i = 0; i < fi->nroots; i++)
        if (coming & 1u << i && !called_back(&p->roots.v[fi->roots[i]])) return true;
    return false;
}

/* Does the main program itself, not only some unknown caller, reach the access? */
static bool main_side(const Program *p, u32 ga)
{
    return p->funcs[access_func(p, ga)].main;
}

/* Are the threads that run both sides in sight? One thread on both sides, with nothing but unknown callers beside it,
 * is no evidence. */
bool threads_visible(const Program *p, u32 ga, u32 gb)
{
    bool a = threads_reach(p, ga), b = threads_reach(p, gb);
    if ((a && main_side(p, gb)) || (b && main_side(p, ga))) return true;
    if ((a && starts_thread_of(p, gb, ga)) || (b && starts_thread_of(p, ga, gb))) return true;
    return a && b && threads_run_together(p, ga, gb);
}

/* A closure variable is shared only when a function other than its owner uses it in another thread. */
static bool closure_private(const Finder *f, u32 a, u32 b)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->kind != PLACE_CLOSURE) return false;
    return access_func(f->p, a) == x->owner && access_func(f->p, b) == x->owner;
}

/* The text of a key that is written out as one plain string, without its quotes; empty for others. */
static Str written_key(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    bool item = a->op == OP_ITEM_LOAD || a->op == OP_ITEM_STORE || a->op == OP_ITEM_AUG || a->op == OP_ITEM_DEL;
    Str key = item ? sym_str(p->facts[access_gid(p, ga).file], a->key) : S("");
    if (key.n < 3 || (key.p[0] != '"' && key.p[0] != '\'') || key.p[key.n - 1] != key.p[0]) return S("");
    Str text = str_slice(key, 1, key.n - 1);
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == key.p[0] || text.p[i] == '\\') return S("");
    return text;
}

/* d["seen"] and d["done"]: entries of a dict that do not meet. */
static bool two_entries(const Program *p, u32 ga, u32 gb)
{
    Str a = written_key(p, ga), b = written_key(p, gb);
    return a.n && b.n && !str_eq(a, b);
}

/* What a test does to the program's objects, it does in a process of its own. */
static bool only_by_test(const Program *p, u32 ga, u32 gb)
{
    return p->tests[access_gid(p, gb).file] && !p->tests[access_gid(p, ga).file];
}

Conflict conflict_of(const Finder *f, u32 ga, u32 gb)
{
    const Program *p = f->p;
    if (!may_run_together(p, ga, gb) || two_entries(p, ga, gb) || only_by_test(p, ga, gb) ||
        lockset_common(p, p->access_locks[ga], p->access_locks[gb]) != NONE)
        return (Conflict){NONE, CONF_LOW, false};
    if (passed_under(p, ga, p->access_locks[gb]) || passed_under(p, gb, p->access_locks[ga]))
        return (Conflict){NONE, CONF_LOW, false};
    if (guarded_by_override(f, ga, gb) || guarded_by_override(f, gb, ga)) return (Conflict){NONE, CONF_LOW, false};
    bool roots = threads_reach(p, ga) && threads_reach(p, gb);
    u8 c = confidence_of(f, ga, gb, threads_visible(p, ga, gb));
    bool locks = p->locksets.v[p->access_locks[ga]].n; /* who holds nothing is not kept out by what the other holds */
    if (maybe_locked(p, ga) || (locks && maybe_locked(p, gb)) || hoped_common(p, ga, gb)) c = CONF_LOW;
    if (access_fills(p, ga) || access_fills(p, gb)) c = CONF_LOW;
    return (Conflict){gb, c, roots};
}

Conflict conflict_find(const Finder *f, u32 ga, u32 effects, bool self)
{
    Conflict best = {NONE, CONF_LOW, false};
    u32 score = 0, looked = 0;
    for (u32 i = 0; i < f->nacc && looked < WITNESSES; i++) {
        u32 gb = f->acc[i];
        if ((gb == ga && !self) || !(f->effect[i] & effects) || closure_private(f, ga, gb)) continue;
        looked++;
        Conflict c = conflict_of(f, ga, gb);
        if (c.witness == NONE) continue;
        u32 s = 1 + c.confidence * 4u + (gb != ga ? 2 : 0) + (c.roots ? 1 : 0);
        if (s <= score) continue;
        score = s;
        best = c;
    }
    return best;
}

/* Is the name bound to the object itself somewhere, me = self? */
static bool stands_for_self(const Facts *x, const Path *name)
{
    for (u32 i = 0; i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        if (d->kind != VAL_PATH || d->path == NONE || x->paths.v[d->value].root != ROOT_SELF) continue;
        const Path *to = &x->paths.v[d->path], *of = &x->paths.v[d->value];
        if (to->root == name->root && to->func == name->func && to->name == name->name && !to->nattr && !of->nattr)
            return true;
    }
    return false;
}

static bool local_name(const Path *x)
{
    return x->root == ROOT_LOCAL || x->root == ROOT_PARAM;
}

/* Is the local bound between the two offsets, so that it names another object at the second one? */
static bool bound_between(const Facts *x, const Path *local, u32 func, u32 from, u32 to)
{
    for (u32 i = 0; i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        if (d->path == NONE || d->func != func || d->span.start < from || d->span.start > to) continue;
        const Path *q = &x->paths.v[d->path];
        if (q->root == local->root && q->name == local->name && !q->nattr) return true;
    }
    return false;
}

bool other_object(const Program *p, u32 ga, u32 gb)
{
    u32 file = access_gid(p, ga).file, place = p->access_place[ga];
    if (place == NONE || access_gid(p, gb).file != file) return false;
    const Facts *x = p->facts[file];
    const Path *a = &x->paths.v[program_access(p, ga)->path], *b = &x->paths.v[program_access(p, gb)->path];
    u8 kind = p->places.v[place].kind;
    if (a->nattr != 1 || b->nattr != 1 || (kind != PLACE_INSTANCE && kind != PLACE_CLASS_ATTR)) return false;
    if (a->root == ROOT_GLOBAL && b->root == ROOT_SELF) return program_access(p, gb)->op == OP_STORE;
    if (kind == PLACE_CLASS_ATTR) return false;
    if (local_name(a) && local_name(b)) {
        const Access *first = program_access(p, ga), *second = program_access(p, gb);
        if (a->name != b->name) return true;
        return first->func == second->func && bound_between(x, a, first->func, first->span.end, second->span.start);
    }
    if (a->root == ROOT_SELF && local_name(b)) return !stands_for_self(x, b);
    return b->root == ROOT_SELF && local_name(a) && !stands_for_self(x, a);
}

bool same_key(const Program *p, u32 a, u32 b)
{
    GId ga = access_gid(p, a), gb = access_gid(p, b);
    u32 ka = p->facts[ga.file]->accesses.v[ga.id].key, kb = p->facts[gb.file]->accesses.v[gb.id].key;
    if (ka == SYM_EMPTY || kb == SYM_EMPTY) return true;
    return ga.file == gb.file && ka == kb;
}

/* A handler for KeyError, AttributeError, IndexError … around the test, with the act in it. */
static bool handler_decides(const Facts *f, const Access *t, const Access *a)
{
    for (u32 b = a->block; b != NONE; b = f->blocks.v[b].parent) {
        const Block *x = &f->blocks.v[b];
        if (x->kind != BLOCK_EXCEPT || x->cond == NONE) continue;
        u32 body = f->conds.v[x->cond].then_block;
        if (body == NONE || !block_within(f, t->block, body)) continue;
        Str c = sym_str(f, x->catches);
        return !c.n || str_contains(c, S("KeyError")) || str_contains(c, S("AttributeError")) ||
               str_contains(c, S("IndexError")) || str_contains(c, S("LookupError")) ||
               str_contains(c, S("NameError"));
    }
    return false;
}

/* try: return d[k] / except KeyError: pass / d[k] = …: what follows runs because the test failed. */
static bool failed_before(const Facts *f, const Access *t, const Access *a)
{
    for (u32 b = t->block; b != NONE; b = f->blocks.v[b].parent) {
        const Block *x = &f->blocks.v[b];
        if (x->kind != BLOCK_TRY || x->cond == NONE || !x->exits) continue;
        const Cond *c = &f->conds.v[x->cond];
        if (a->span.start < c->span.end || !block_within(f, a->block, c->block) || c->else_block == NONE) continue;
        Str k = sym_str(f, f->blocks.v[c->else_block].catches);
        if (!f->blocks.v[c->else_block].exits &&
            (!k.n || str_contains(k, S("KeyError")) || str_contains(k, S("AttributeError")) ||
             str_contains(k, S("LookupError"))))
            return true;
    }
    return false;
}

/* Does a branch of the statement leave what is around it? */
static bool leaves(const Facts *f, const Cond *c)
{
    bool exits = (c->then_block != NONE && f->blocks.v[c->then_block].exits) ||
                 (c->else_block != NONE && f->blocks.v[c->else_block].exits);
    return exits && !c->loop;
}

/* q[-1] if q else None: the text of the act stands before that of its test. */
static bool ternary(const Facts *f, const Access *t, const Access *a)
{
    const Cond *c = t->cond == NONE || !t->test ? NULL : &f->conds.v[t->cond];
    return c && c->is_expr && c->then_block != NONE && block_within(f, a->block, c->then_block);
}

bool decides(const Facts *f, const Access *t, const Access *a)
{
    if (t->func != a->func) return false;
    if (t->span.start > a->span.start) return ternary(f, t, a);
    if (handler_decides(f, t, a) || failed_before(f, t, a)) return true;
    if (t->cond == NONE || !t->test) return false;
    const Cond *c = &f->conds.v[t->cond];
    if (a->cond == t->cond && a->span.start > t->span.start && a->span.start >= c->head.start &&
        a->span.end <= c->head.end)
        return true;
    if (c->then_block != NONE && block_within(f, a->block, c->then_block)) return true;
    if (c->else_block != NONE && block_within(f, a->block, c->else_block)) return true;
    return a->span.start >= c->span.end && block_within(f, a->block, c->block) && leaves(f, c);
}

bool test_decides(const Program *p, u32 test, u32 act)
{
    GId gt = access_gid(p, test), ga = access_gid(p, act);
    const Facts *f = p->facts[gt.file];
    return gt.file == ga.file && decides(f, &f->accesses.v[gt.id], &f->accesses.v[ga.id]);
}

/* After a loop it may be another round's test that has left. What is only read that far away needs no test. */
bool test_leaves(const Program *p, u32 test, u32 act)
{
    if (access_gid(p, test).file != access_gid(p, act).file) return false;
    const Facts *f = p->facts[access_gid(p, test).file];
    const Access *t = program_access(p, test), *a = program_access(p, act);
    bool acts = a->op == OP_STORE || a->op == OP_ITEM_STORE || a->op == OP_ITEM_DEL || a->op == OP_METHOD;
    if (!acts || t->func != a->func || t->cond == NONE || !t->test || !leaves(f, &f->conds.v[t->cond])) return false;
    u32 end = f->conds.v[t->cond].span.end, b = f->conds.v[t->cond].block;
    for (;;) {
        if (a->span.start < end) return false;
        if (block_within(f, a->block, b)) return true;
        const Block *x = &f->blocks.v[b];
        bool passed = x->kind == BLOCK_WITH || x->kind == BLOCK_THEN || x->kind == BLOCK_ELSE || x->kind == BLOCK_TRY;
        if (!passed || x->parent == NONE || (x->exits && x->kind != BLOCK_TRY)) return false;
        if (x->cond != NONE && f->conds.v[x->cond].loop) return false;
        end = x->cond != NONE ? f->conds.v[x->cond].span.end : x->span.end;
        b = x->parent;
    }
}

bool spots_in_section(const Program *p, u32 file, u32 func, u32 first, u32 second, bool *maybe)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &f->sections.v[i];
        u32 lock = p->section_lock[p->section_base[file] + i];
        if (lock == NONE || p->locks.v[lock].func != NONE) continue;
        if (!section_holds(s, first) || !section_holds(s, second)) continue;
        if (maybe) *maybe = p->locks.v[lock].maybe;
        return true;
    }
    u32 entry = p->funcs[gfunc_of(p, file, func)].entry_locks;
    if (!p->locksets.v[entry].n) return false;
    bool sure = false;
    for (u32 i = 0; i < p->locksets.v[entry].n; i++) sure |= !p->locks.v[p->locksets.v[entry].ids[i]].maybe;
    if (maybe) *maybe = !sure;
    return true;
}

bool one_section(const Program *p, u32 first, u32 second, bool *maybe)
{
    const Access *a = program_access(p, first), *b = program_access(p, second);
    return spots_in_section(p, access_gid(p, first).file, a->func, a->span.start, b->span.start, maybe);
}

/* Is the access inside of contextlib.suppress, or of a try with a handler for one of the n errors, or, if `bare`, for
 * all? */
static bool caught(const Program *p, u32 ga, const char *const *words, u32 n, bool bare)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    const Func *fn = &f->funcs.v[a->func];
    for (u32 b = a->block; b != NONE; b = f->blocks.v[b].parent) {
        if (f->blocks.v[b].kind == BLOCK_WITH) { /* contextlib.suppress */
            for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
                if (f->sections.v[i].span.end == f->blocks.v[b].span.end &&
                    str_contains(path_text(p->arena, f, f->sections.v[i].path), S("suppress")))
                    return true;
        }
        if (f->blocks.v[b].kind != BLOCK_TRY || f->blocks.v[b].cond == NONE) continue;
        for (u32 h = 0; h < f->blocks.n; h++) {
            const Block *x = &f->blocks.v[h];
            if (x->kind != BLOCK_EXCEPT || x->cond != f->blocks.v[b].cond) continue;
            Str c = sym_str(f, x->catches);
            if (!c.n && bare) return true;
            for (u32 i = 0; i < n; i++)
                if (str_contains(c, str_from(words[i]))) return true;
        }
    }
    return false;
}

bool failure_caught(const Program *p, u32 ga)
{
    static const char *const words[] = {"KeyError",  "IndexError",     "LookupError", "Empty",       "Full",
                                        "Exception", "AttributeError", "ValueError",  "RuntimeError"};
    return caught(p, ga, words, COUNT_OF(words), true);
}

bool any_error_caught(const Program *p, u32 ga)
{
    static const char *const words[] = {"RuntimeError", "Exception"};
    return caught(p, ga, words, COUNT_OF(words), true);
}

bool broken_walk_caught(const Program *p, u32 ga)
{
    static const char *const words[] = {"RuntimeError"};
    return caught(p, ga, words, COUNT_OF(words), false);
}
