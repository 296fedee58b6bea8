/* UG102 about one object that several threads talk over, or one file that they position, by methods of their own:
 *
 *   def ask(self, command):                  def _send(self, command): self.sock.sendall(command)
 *       self._send(command)                  def _receive(self): return self.sock.recv(64)
 *       return self._receive()
 *
 * What conversation.c and stream.c look for in one function, where one of the halves at least is in a function that
 * is called. Needs the accesses of one place and the call edges. For each function is known which request it leaves
 * without an answer, and which answer it takes to a request of its caller; so halves may lie some calls deep. Calls
 * count on the own object, for state of a module all; and, where both halves are methods of one object that a module
 * or self has, self.port.write(command); self.port.read(), in the function that calls them. Set-up and ending of a
 * connection are left alone: nobody else has it yet, or any more. Where both halves take the lock, each for itself,
 * the exchange is as open as without. */
#include "races/races.h"

enum {
    DEPTH = 4,    /* calls down to a half */
    STEPS = 64,   /* of one function */
    EDGES = 2000, /* calls that are followed for one question */
    CALLERS = 96, /* functions that are looked at for one place */
    FINDINGS = 2  /* about one place: they say the same */
};

/* A step of a function: an access of the place, or a call that leads to some. */
typedef struct Step {
    u32 ask;    /* the access that asks, and leaves the answer to what follows; NONE */
    u32 answer; /* the one that takes an answer to what was asked before; NONE */
    u32 block, line;
    bool ends; /* the object is another one from here on */
    bool call;
    u32 callee; /* the path of a method that is called on an object which is not the own one; NONE */
    Span span;
} Step;

typedef struct Steps {
    Step v[STEPS];
    u32 n;
} Steps;

static void step_add(Steps *s, Step step)
{
    if (s->n == STEPS) return;
    u32 at = s->n++;
    for (; at && s->v[at - 1].span.end > step.span.end; at--) s->v[at] = s->v[at - 1]; /* what is inside runs first */
    s->v[at] = step;
}

/* self.sock.send(…): the object that the place is an attribute of is the own one. */
static bool on_own_object(const Finder *f, u32 ga)
{
    if (f->p->places.v[f->place].kind != PLACE_INSTANCE) return true;
    return f->p->facts[access_gid(f->p, ga).file]->paths.v[program_access(f->p, ga)->path].root == ROOT_SELF;
}

/* self.port.read(), of an object of the place's class that somebody else has? */
static bool of_kept_object(const Finder *f, const CallEdge *e)
{
    const Facts *x = f->p->facts[e->file];
    const Path *q = &x->paths.v[x->calls.v[e->call].callee];
    if (f->p->places.v[f->place].kind != PLACE_INSTANCE || q->truncated) return false;
    return (q->root == ROOT_SELF && q->nattr > 1) || (q->root == ROOT_GLOBAL && q->nattr);
}

static Step half_of_func(const Finder *f, Talk talk, u32 gfunc, u32 depth, u32 *edges);

/* `kept`: with calls on objects that are not the own one. `edges`: how many calls may still be followed. */
static void steps_of(const Finder *f, Talk talk, u32 gfunc, u32 depth, bool kept, u32 *edges, Steps *out)
{
    const Program *p = f->p;
    u32 end;
    for (u32 i = accesses_in(f, gfunc, &end); i < end; i++) {
        const Access *a = program_access(p, f->acc[i]);
        Half half = talk_half(p, f->acc[i], talk);
        Step s = {NONE, NONE, a->block, a->line, a->op == OP_STORE, false, NONE, a->span};
        if (half == HALF_ASKS) s.ask = f->acc[i];
        if (half == HALF_ANSWERS) s.answer = f->acc[i];
        if ((half != HALF_NONE || s.ends) && on_own_object(f, f->acc[i])) step_add(out, s);
    }
    for (u32 e = p->edge_first[gfunc]; depth && e < p->edge_first[gfunc + 1]; e++) {
        const CallEdge *edge = &p->edges.v[e];
        const Call *c = edge_call(p, edge);
        if (!c || c->is_decorator || edge->callee == gfunc) continue;
        bool own = calls_own_object(f, edge);
        if ((!own && !(kept && of_kept_object(f, edge))) || !*edges) continue;
        --*edges;
        Step s = half_of_func(f, talk, edge->callee, depth - 1, edges);
        if (s.ask == NONE && s.answer == NONE && !s.ends) continue;
        s.block = c->block;
        s.line = c->line;
        s.span = c->span;
        s.call = true;
        s.callee = own ? NONE : c->callee;
        step_add(out, s);
    }
}

static bool one_object(const Facts *x, const Step *first, const Step *second)
{
    if (first->callee == NONE || second->callee == NONE) return first->callee == second->callee;
    return of_one_object(x, first->callee, second->callee);
}

/* Does the second step follow on the first one, in one run of the function and with the same object? */
static bool follows(const Facts *x, const Step *first, const Step *second)
{
    if (!one_object(x, first, second)) return false;
    if (block_within(x, second->block, first->block)) return true;
    return block_within(x, first->block, second->block) && !x->blocks.v[first->block].exits;
}

/* Is the step part of what the function is for? One behind a test, the reply to an option say, is no request. */
static bool always_runs(const Facts *x, u32 block)
{
    for (; x->blocks.v[block].kind != BLOCK_FUNC; block = x->blocks.v[block].parent) {
        u8 kind = x->blocks.v[block].kind;
        if (kind != BLOCK_WITH && kind != BLOCK_TRY && kind != BLOCK_LOOP) return false;
    }
    return true;
}

/* What the function leaves open. */
static Step half_of_func(const Finder *f, Talk talk, u32 gfunc, u32 depth, u32 *edges)
{
    const Facts *x = f->p->facts[func_gid(f->p, gfunc).file];
    const Func *fn = program_func(f->p, gfunc);
    Step own = {NONE, NONE, NONE, 0, false, false, NONE, {0}};
    Steps s = {.n = 0};
    if (fn->is_async || fn->is_generator) return own;
    steps_of(f, talk, gfunc, depth, false, edges, &s);
    bool asked = false;
    for (u32 i = 0; i < s.n; i++) {
        own.ends |= s.v[i].ends;
        if (s.v[i].answer != NONE) {
            if (own.ask == NONE && !asked && own.answer == NONE) own.answer = s.v[i].answer;
            own.ask = NONE;
        }
        if (s.v[i].ask != NONE && always_runs(x, s.v[i].block)) {
            own.ask = s.v[i].ask;
            asked = true;
        }
    }
    return own;
}

/* The request that is answered in the function, by a call at least; both NONE. */
static bool exchange_in(const Finder *f, Talk talk, u32 gfunc, Step *ask, Step *answer)
{
    const Facts *x = f->p->facts[func_gid(f->p, gfunc).file];
    Steps s = {.n = 0};
    u32 edges = EDGES;
    steps_of(f, talk, gfunc, DEPTH, true, &edges, &s);
    *ask = (Step){.ask = NONE};
    for (u32 i = 0; i < s.n; i++) {
        if (s.v[i].ends) ask->ask = NONE;
        if (s.v[i].answer != NONE && ask->ask != NONE) {
            *answer = s.v[i];
            if ((ask->call || answer->call) && follows(x, ask, answer)) return true;
            ask->ask = NONE;
        }
        if (s.v[i].ask != NONE) *ask = s.v[i];
    }
    return false;
}

bool begins_or_ends(const Facts *x, const Func *fn)
{
    static const char *const anywhere[] = {"connect",   "setup",     "set_up",   "login",    "logout",
                                           "handshake", "negotiate", "__init__", "__enter__"};
    static const char *const first[] = {"init", "open", "auth", "hello", "quit", "enter", "start", "join", "prepare"};
    Str name = sym_str(x, fn->name);
    return str_has_any(name, anywhere, COUNT_OF(anywhere)) || str_first_word(name, first, COUNT_OF(first)) ||
           winds_up(x, fn);
}

/* Each half takes the lock, and both together do not: who asks in between, under that lock. */
static Conflict asked_in_gap(const Finder *f, u32 ask, u32 answer, Talk talk)
{
    const Program *p = f->p;
    u32 lock = lockset_common(p, p->access_locks[ask], p->access_locks[answer]);
    if (lock == NONE || p->locks.v[lock].maybe) return (Conflict){NONE, CONF_LOW, false};
    for (u32 i = 0; i < f->nacc; i++)
        if (talk_half(p, f->acc[i], talk) == HALF_ASKS && access_counts(p, f->acc[i]) &&
            may_run_together(p, ask, f->acc[i]))
            return (Conflict){f->acc[i], CONF_MEDIUM, false};
    return (Conflict){NONE, CONF_LOW, false};
}

static bool exchanged(Finder *f, Talk talk, u32 gfunc)
{
    const Program *p = f->p;
    const FuncInfo *fi = &p->funcs[gfunc];
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    Step ask, answer;
    if (!g.id || fi->construct || fi->import_time || fn->is_async || begins_or_ends(x, fn)) return false;
    if (!exchange_in(f, talk, gfunc, &ask, &answer) || f->claimed[ask.ask]) return false;
    if (spots_in_section(p, g.file, g.id, ask.span.start, answer.span.end - 1, NULL)) return false;
    if (!access_counts(p, ask.ask) || !access_counts(p, answer.answer)) return false;
    Conflict c = talk_between(f, ask.ask, talk);
    if (c.witness == NONE) c = asked_in_gap(f, ask.ask, answer.answer, talk);
    if (c.witness == NONE) return false;
    Race *r = race_add_at(f, UG102, ask.ask, c, g.file, g.id, ask.span);
    r->test = ask.ask;
    r->act = answer.answer;
    race_site(r, answer.answer);
    talk_message(f, r, talk, answer.line);
    return true;
}

/* The functions that come to the half, and who calls these. */
static void callers_add(const Finder *f, u32 gfunc, u32 depth, u32 *out, u32 *n)
{
    for (u32 i = 0; i < *n; i++)
        if (out[i] == gfunc) return;
    if (*n == CALLERS) return;
    out[(*n)++] = gfunc;
    for (u32 i = f->called_first[gfunc]; depth && i < f->called_first[gfunc + 1]; i++) {
        const CallEdge *e = &f->p->edges.v[f->called[i]];
        if (!edge_call(f->p, e)) continue;
        if (calls_own_object(f, e))
            callers_add(f, e->caller, depth - 1, out, n);
        else if (of_kept_object(f, e))
            callers_add(f, e->caller, 0, out, n);
    }
}

static int ids_cmp(const void *a, const void *b)
{
    const u32 *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

void race_exchange(Finder *f)
{
    static const u8 talks[] = {TALK_DATABASE, TALK_PEER, TALK_HTTP, TALK_FILE};
    const Place *x = &f->p->places.v[f->place];
    if (!f->talks || x->kind == PLACE_CLOSURE || x->kind == PLACE_DEFAULT) return;
    for (u32 t = 0; t < COUNT_OF(talks); t++) {
        Talk talk = (Talk)talks[t];
        if ((talk == TALK_PEER && place_is_file(f->p, x)) || !place_asks(f, talk) || !place_answers(f, talk))
            continue;
        u32 who[CALLERS], n = 0, found = 0;
        for (u32 i = 0; i < f->nacc; i++)
            if (talk_half(f->p, f->acc[i], talk) != HALF_NONE && on_own_object(f, f->acc[i]))
                callers_add(f, access_func(f->p, f->acc[i]), DEPTH, who, &n);
        if (n) qsort(who, n, sizeof *who, ids_cmp);
        for (u32 i = 0; i < n && found < FINDINGS; i++) found += exchanged(f, talk, who[i]);
    }
}
