/* UG102 about a request whose answer comes through one slot, which another thread fills:
 *
 *   self.arrived.clear()                     self.answer = None
 *   self.port.write(question)                self.port.write(question)
 *   self.arrived.wait()                      while self.answer is None: sleep(0.1)
 *   return self.answer                       return self.answer
 *
 * or through one queue that is named for answers, self.port.write(question); return self.answers.get(). Of two calls
 * at once, each clears what the other waits for, and one takes the answer to the other's question. Needs the accesses
 * of one place, the slot, and those of the function that asks. Something must be sent in between, by the name of what
 * is called; another function fills the slot and sets the event, or a thread in sight does. Left alone: slots that
 * have a key for each request, and what is started, not asked. Not seen: the steps in several functions; conditions,
 * where the answer is waited for under the lock. */
#include "races/races.h"

enum { FILLERS = 64 }; /* accesses of the slot that are looked at */

/* What a function does, in the order of the text: offsets, NONE when it does not. */
typedef struct Asking {
    u32 reset, waited; /* where it is emptied; where the wait ends */
    u32 event;         /* the place of the event that is waited for, NONE */
} Asking;

static bool empties_slot(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    const Def *d = a->op == OP_STORE ? stored_def(p, ga) : NULL;
    if (d) return d->kind == VAL_NONE || stores_empty(p, ga);
    return a->op == OP_METHOD && !a->nargs && str_is(access_method(p, ga), "clear");
}

/* answer, answer[0], answers.pop(): takes what is there, under no key. */
static bool takes_slot(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    if (a->op == OP_METHOD) return !a->nargs && str_is(access_method(p, ga), "pop");
    if (a->op == OP_ITEM_LOAD) return str_is(sym_str(p->facts[access_file(p, ga)], a->key), "0");
    return a->op == OP_LOAD || a->op == OP_RETURN || a->op == OP_ARG || a->op == OP_CREAD;
}

/* return answers.get(timeout=3): the next item of a queue, for the caller. */
static bool takes_next(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    const Facts *x = p->facts[access_file(p, ga)];
    if (p->places.v[p->access_place[ga]].type.kind != TYPE_QUEUE || a->awaited || x->blocks.v[a->block].repeats)
        return false;
    static const char *const answers[] = {"answer", "response", "reply", "replies", "result", "ack"};
    bool get = a->op == OP_METHOD && str_is(access_method(p, ga), "get");
    Str name = p->syms.strs[p->places.v[p->access_place[ga]].name]; /* others hold what comes by itself, or work */
    return get && str_has_any(name, answers, COUNT_OF(answers)) &&
           str_starts(str_slice(x->source->text, a->stmt, a->span.start), S("return "));
}

/* Is something sent between the two offsets of the function? */
static bool sends_between(const Facts *x, const Func *fn, u32 from, u32 to)
{
    static const char *const words[] = {"send",     "write", "request", "publish", "emit",   "post",
                                        "transmit", "query", "command", "cmd",     "invoke", "call_remote"};
    static const char *const first[] = {"ask"}; /* not task_done() */
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        if (c->span.start < from || c->span.end > to || c->awaited) continue;
        Str name = call_last(x, c);
        if (str_has_any(name, words, COUNT_OF(words)) || str_first_word(name, first, COUNT_OF(first))) return true;
    }
    return false;
}

/* The wait for an event before the offset, and what empties it before: the last ones. */
static Asking waits_for_event(const Program *p, u32 file, const Func *fn, u32 before)
{
    const Facts *x = p->facts[file];
    Asking out = {NONE, NONE, NONE};
    if (intern_find(&x->syms, S("wait")) == NONE) return out;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        u32 place = p->access_place[p->access_base[file] + i];
        if (a->op != OP_METHOD || a->awaited || place == NONE || a->span.end > before) continue;
        if (p->places.v[place].type.kind != TYPE_EVENT || p->places.v[place].kind == PLACE_CLOSURE) continue;
        Str method = sym_str(x, a->method);
        if (str_is(method, "clear") && (out.waited == NONE || out.event != place))
            out = (Asking){a->span.end, NONE, place};
        if (str_is(method, "wait")) {
            if (out.event != place) out = (Asking){NONE, NONE, place};
            out.waited = a->span.start;
        }
    }
    return out;
}

/* while self.answer is None: …, before the access: where the loop begins, NONE. */
static u32 waits_in_loop(const Finder *f, u32 take)
{
    const Program *p = f->p;
    const Facts *x = p->facts[access_file(p, take)];
    u32 end;
    for (u32 i = accesses_in(f, access_func(p, take), &end); i < end && f->acc[i] < take; i++) {
        const Access *a = program_access(p, f->acc[i]);
        if (a->cond == NONE || !x->conds.v[a->cond].loop) continue;
        bool waits = a->test == TEST_NONE || a->test == TEST_FALSE;
        if (waits && x->conds.v[a->cond].span.end <= program_access(p, take)->span.start)
            return x->conds.v[a->cond].span.start;
    }
    return NONE;
}

/* Where the slot is emptied last before the offset, in the function of the access; NONE. */
static u32 emptied_before(const Finder *f, u32 take, u32 offset)
{
    u32 end, at = NONE;
    for (u32 i = accesses_in(f, access_func(f->p, take), &end); i < end; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        if (a->span.end <= offset && empties_slot(f->p, f->acc[i])) at = a->span.end;
    }
    return at;
}

static bool sets_event(const Program *p, u32 gfunc, u32 event)
{
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++)
        if (p->access_place[p->access_base[g.file] + i] == event && x->accesses.v[i].op == OP_METHOD &&
            str_is(sym_str(x, x->accesses.v[i].method), "set"))
            return true;
    return false;
}

/* The access of another function that fills the slot for who waits; NONE. */
static u32 filled_by(const Finder *f, u32 take, u32 event)
{
    const Program *p = f->p;
    for (u32 i = 0; i < f->nacc && i < FILLERS; i++) {
        u32 ga = f->acc[i], gfunc = access_func(p, ga);
        bool fills = f->effect[i] & (EFFECT_GROW | EFFECT_REBIND) && !empties_slot(p, ga) && access_counts(p, ga);
        if (!fills || gfunc == access_func(p, take) || program_access(p, ga)->op == OP_DEL) continue;
        if (program_access(p, ga)->op == OP_ITEM_STORE) continue; /* under a key: each has its own answer */
        bool told = event != NONE ? sets_event(p, gfunc, event) : threads_reach(p, ga) && !threads_reach(p, take);
        if (told && may_run_together(p, take, ga)) return ga;
    }
    return NONE;
}

/* What the function does before it takes the answer; waited is NONE when it is not so. */
static Asking asks_first(const Finder *f, u32 take)
{
    const Program *p = f->p;
    u32 file = access_file(p, take);
    const Facts *x = p->facts[file];
    const Access *a = program_access(p, take);
    const Func *fn = &x->funcs.v[a->func];
    if (takes_next(p, take)) {
        bool sends = sends_between(x, fn, fn->body.start, a->stmt);
        return (Asking){fn->body.start, sends ? a->span.start : NONE, NONE};
    }
    Asking s = {NONE, NONE, NONE};
    if (f->events) s = waits_for_event(p, file, fn, a->span.start);
    if (s.waited == NONE) s = (Asking){NONE, waits_in_loop(f, take), NONE};
    if (s.waited == NONE) return s;
    if (s.reset == NONE || !sends_between(x, fn, s.reset, s.waited)) s.reset = emptied_before(f, take, s.waited);
    if (s.reset == NONE || !sends_between(x, fn, s.reset, s.waited)) s.waited = NONE;
    return s;
}

void race_answered(Finder *f)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    if (x->kind == PLACE_CLOSURE || x->kind == PLACE_DEFAULT || x->is_lock || f->nacc > STEPS_AHEAD) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 take = f->acc[i];
        if (f->claimed[take] || !access_counts(p, take) || (!takes_slot(p, take) && !takes_next(p, take))) continue;
        Asking s = asks_first(f, take);
        if (s.waited == NONE) continue;
        const Access *a = program_access(p, take);
        if (spots_in_section(p, access_file(p, take), a->func, s.reset, a->span.start, NULL)) continue;
        Conflict c = conflict_of(f, take, take);
        u32 fill = c.witness == NONE ? NONE : filled_by(f, take, s.event);
        if (fill == NONE) continue;
        c.witness = fill;
        Race *r = race_add(f, UG102, take, c);
        r->act = take;
        r->by_hand = "one lock must be held from each question to its answer, or each question has a slot of its own";
        GId g = access_gid(p, fill);
        race_message(
            f, r,
            "%.*s is where line %u of %.*s leaves the answer to what is asked here; of two calls at once, one "
            "takes the answer to the other's question",
            STR_ARG(short_state(p, f->place)), program_access(p, fill)->line,
            STR_ARG(p->facts[g.file]->source->path));
        return;
    }
}
