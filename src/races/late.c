/* UG102: somebody who comes too late and is told too early that there is still time.
 *
 *   def add_callback(self, fn):            def set_result(self, result):
 *       if self.done:                          self.done = True
 *           fn(self.result)                    for fn in self.callbacks:
 *       else:                                      fn(result)
 *           self.callbacks.append(fn)
 *
 * Between the test and the append the other thread may say that it is done and go through the list: nobody calls the
 * function then. Both sides have to hold one lock over their two steps.
 *
 * Needs the accesses of the place that keeps what is handed in, and the call edges: another function of the class
 * first sets what was tested and then reads the place, itself or in a method that it calls. The function must use
 * what it is handed at once in the other branch: that is what tells a callback from any other value. The test may be
 * a method that only returns what it finds (self.done()). No fix is tried: one lock has to go over both sides. */
#include "races/races.h"

/* Another attribute of the same class that the access of self is about, or NONE. */
static u32 field_of(const Finder *f, u32 ga)
{
    const Program *p = f->p;
    u32 place = p->access_place[ga];
    const Path *q = &p->facts[access_file(p, ga)]->paths.v[program_access(p, ga)->path];
    if (place == NONE || place == f->place || q->root != ROOT_SELF || q->nattr != 1) return NONE;
    const Place *x = &p->places.v[place];
    return x->kind == PLACE_INSTANCE && x->owner == p->places.v[f->place].owner && !x->is_lock ? place : NONE;
}

/* return self._event.is_set(): the attribute that a method of few words asks, NONE. */
static u32 field_asked(const Finder *f, u32 gfunc)
{
    enum { FEW = 3 };
    GId g = func_gid(f->p, gfunc);
    const Func *fn = &f->p->facts[g.file]->funcs.v[g.id];
    u32 field = NONE;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 ga = f->p->access_base[g.file] + i, place = field_of(f, ga);
        if (access_effect(f->p, ga) & EFFECT_WRITE) return NONE;
        if (place != NONE) field = place;
    }
    return fn->naccesses <= FEW && !fn->is_async ? field : NONE;
}

/* What the test is about: an attribute, or what a method called here asks. */
static u32 tested_field(const Finder *f, u32 gfunc, u32 test)
{
    const Program *p = f->p;
    u32 field = field_of(f, test);
    const Access *t = program_access(p, test);
    if (field != NONE || t->op != OP_METHOD) return field;
    for (u32 i = p->edge_first[gfunc]; i < p->edge_first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->weak || e->call == NONE || e->file != access_file(p, test)) continue;
        const Call *c = &p->facts[e->file]->calls.v[e->call];
        const Path *q = &p->facts[e->file]->paths.v[c->callee];
        if (c->span.end == t->span.end && q->root == ROOT_SELF && q->nattr == 1) return field_asked(f, e->callee);
    }
    return NONE;
}

/* The parameter of this function that the call calls, or passes on if that is enough; SYM_EMPTY. */
static u32 param_used(const Facts *x, const Call *c, bool passed)
{
    const Path *q = &x->paths.v[c->callee];
    if (q->root == ROOT_PARAM && !q->nattr && q->func == c->func) return q->name;
    if (!passed) return SYM_EMPTY;
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Path *a = x->args.v[i].kind == VAL_PATH ? &x->paths.v[x->args.v[i].value] : NULL;
        if (a && !x->args.v[i].star && a->root == ROOT_PARAM && !a->nattr && a->func == c->func) return a->name;
    }
    return SYM_EMPTY;
}

/* Is what the act keeps used at once where the test comes out the other way? Of what is not added to others, many a
 * setter passes on the same value: it has to be called. */
static bool used_otherwise(const Facts *x, const Access *t, const Access *act)
{
    const Cond *c = &x->conds.v[t->cond];
    const Func *fn = &x->funcs.v[t->func];
    if (c->loop || c->then_block == NONE) return false;
    bool in_then = block_within(x, act->block, c->then_block);
    Str kept = str_slice(x->source->text, act->span.start, act->span.end);
    bool stores = act->op == OP_STORE || act->op == OP_ITEM_STORE;
    if (stores) {
        u32 end = act->stmt;
        while (end < x->source->text.n && x->source->text.p[end] != '\n') end++;
        kept = str_slice(x->source->text, act->span.end, end);
    }
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *call = &x->calls.v[i];
        u32 name = param_used(x, call, !stores);
        bool in_other = in_then ? c->else_block != NONE && block_within(x, call->block, c->else_block)
                                : block_within(x, call->block, c->then_block);
        if (name != SYM_EMPTY && in_other && str_has_name(kept, sym_str(x, name))) return true;
    }
    return false;
}

/* The test in the act's function that decides whether what is handed in is kept; *field is what it asks. */
static u32 test_of(const Finder *f, u32 act, u32 *field)
{
    const Program *p = f->p;
    u32 file = access_file(p, act);
    const Facts *x = p->facts[file];
    const Access *a = program_access(p, act);
    const Func *fn = &x->funcs.v[a->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *t = &x->accesses.v[i];
        u32 ga = p->access_base[file] + i;
        if (!t->test || t->cond == NONE || !decides(x, t, a) || !used_otherwise(x, t, a)) continue;
        *field = tested_field(f, gfunc_of(p, file, a->func), ga);
        if (*field != NONE) return ga;
    }
    return NONE;
}

/* x.done = True, x.event.set() */
static bool says_done(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    const Def *d = a->op == OP_STORE ? stored_def(p, ga) : NULL;
    if (a->op == OP_STORE) return !d || d->kind != VAL_NONE;
    bool event = p->places.v[p->access_place[ga]].type.kind == TYPE_EVENT;
    return event && a->op == OP_METHOD && str_is(sym_str(p->facts[access_file(p, ga)], a->method), "set");
}

/* A read of the finder's place in this function after the offset, or in a method of self that it calls then. */
static u32 read_after(const Finder *f, u32 gfunc, u32 offset, bool deep)
{
    const Program *p = f->p;
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(p, f->acc[i]);
        bool reads = !(f->effect[i] & EFFECT_GROW) && a->op != OP_STORE && a->op != OP_DEL;
        bool later = access_file(p, f->acc[i]) == g.file && a->func == g.id && a->span.start > offset;
        if (later && reads) return f->acc[i];
    }
    for (u32 i = p->edge_first[gfunc]; deep && i < p->edge_first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->weak || e->call == NONE || e->file != g.file || e->callee == gfunc) continue;
        const Call *c = &x->calls.v[e->call];
        const Path *q = &x->paths.v[c->callee];
        u32 found = q->root == ROOT_SELF && q->nattr == 1 && c->span.start > offset
                        ? read_after(f, e->callee, 0, false)
                        : NONE;
        if (found != NONE) return found;
    }
    return NONE;
}

/* Who sets the field and then goes through the place: *set, and the read of the place. */
static u32 finished_by(const Finder *f, u32 field, u32 act, u32 *set)
{
    const Program *p = f->p;
    const Place *y = &p->places.v[field];
    for (u32 i = y->first; i < y->first + y->n; i++) {
        u32 ga = p->place_access.v[i], file = access_file(p, ga);
        const Access *a = program_access(p, ga);
        u32 gfunc = gfunc_of(p, file, a->func);
        bool here = file == access_file(p, act) && a->func == program_access(p, act)->func;
        if (here || p->funcs[gfunc].construct || !says_done(p, ga)) continue;
        u32 read = read_after(f, gfunc, a->span.end, true);
        if (read == NONE || lockset_common(p, p->access_locks[ga], p->access_locks[act]) != NONE) continue;
        *set = ga;
        return read;
    }
    return NONE;
}

static void too_late(Finder *f, u32 i)
{
    const Program *p = f->p;
    u32 act = f->acc[i], field = NONE, set = NONE, test = test_of(f, act, &field);
    if (test == NONE || one_section(p, test, act, NULL)) return;
    u32 read = finished_by(f, field, act, &set);
    Conflict c = read == NONE ? (Conflict){NONE, CONF_LOW, false} : conflict_of(f, act, read);
    if (c.witness == NONE) return;
    if (c.confidence > CONF_MEDIUM) c.confidence = CONF_MEDIUM;
    const Access *done = program_access(p, set);
    Race *r = race_add(f, UG102, act, c);
    r->act = act;
    r->by_shape = true;
    r->by_hand = "one lock has to be held over both steps here, and over both steps of the other side";
    race_message(f, r,
                 "%.*s is tested on line %u, and what is handed in is kept here; line %u of %.*s may come between, "
                 "and has gone through %.*s when it is added: nobody calls it",
                 STR_ARG(short_state(p, field)), program_access(p, test)->line, done->line,
                 STR_ARG(p->facts[access_file(p, set)]->source->path), STR_ARG(short_state(p, f->place)));
}

void race_late(Finder *f)
{
    if (f->p->places.v[f->place].kind != PLACE_INSTANCE) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        const Access *a = program_access(f->p, ga);
        const Def *d = a->op == OP_STORE ? stored_def(f->p, ga) : NULL;
        bool keeps = d && (d->kind == VAL_PATH || d->kind == VAL_TUPLE);
        if (a->op == OP_METHOD || a->op == OP_ITEM_STORE) keeps = (f->effect[i] & EFFECT_GROW) != 0;
        if (keeps && !f->claimed[ga] && a->func && access_counts(f->p, ga)) too_late(f, i);
    }
}
