/* UG102, UG201 and UG203 where a property or a method says what is there, and the caller goes by it:
 *
 *   @property
 *   def open(self): return self._socket is not None
 *   if self.open: self._socket.send(data)              another thread may set it to None in between
 *
 *   def late(self): return now() - self.calls[0] > 60
 *   while self.late(): self.calls.popleft()            another thread may take the item in between
 *
 * Needs the accesses of one place, the call edges, and which accesses set the place to None (check.c). What is asked
 * is a function of the same object or module that only looks at the place, and says with a return what it found. For
 * the first form it must say just that: that it is there, or that it is not. Steps that both stand in one critical
 * section are left alone, and so is what copes with the failure. What the function changes after it has asked is
 * helper.c's. */
#include "races/races.h"

enum {
    FINDINGS = 2, /* of one place */
    STEPS = 100,  /* of one place that are looked at */
    LOOKED = 300, /* accesses before a step that are looked through for a question */
    EDGES = 200   /* calls of a function that are looked through for it */
};

/* What an answer says: nothing that is of use here, something of the place, that it is there, that it is not. */
typedef enum Says { SAYS_NOTHING, SAYS_SOMETHING, SAYS_THERE, SAYS_MISSING } Says;

typedef struct Question {
    u32 answer; /* the access in the function that is asked */
    Access at;  /* where it is asked */
    Says says;
} Question;

/* Of `return self.x is not None`, what stands around self.x. */
static Says said(Str before, Str after)
{
    before = str_trim(before);
    after = str_trim(after);
    bool not_ = str_is(before, "not"), bare = !before.n || not_;
    if (str_is(before, "bool(") && str_is(after, ")")) return SAYS_THERE;
    if (bare && !after.n) return not_ ? SAYS_MISSING : SAYS_THERE;
    if (!before.n && (str_is(after, "is not None") || str_is(after, "!= None"))) return SAYS_THERE;
    if (!before.n && (str_is(after, "is None") || str_is(after, "== None"))) return SAYS_MISSING;
    return SAYS_SOMETHING;
}

static Str line_from(Str text, u32 at)
{
    Str rest = str_slice(text, at, text.n);
    return str_slice(rest, 0, str_find(rest, '\n'));
}

/* What the function says of the place, by one return of an access that changes nothing; *answer: that access. */
static Says function_says(const Finder *f, u32 gfunc, u32 *answer)
{
    u32 end;
    Says says = SAYS_NOTHING;
    for (u32 i = accesses_in(f, gfunc, &end); i < end; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        Str text = f->p->facts[access_file(f->p, f->acc[i])]->source->text;
        if (f->effect[i] & EFFECT_WRITE) return SAYS_NOTHING;
        if (!str_starts(str_slice(text, a->stmt, text.n), S("return ")) || says != SAYS_NOTHING) continue;
        *answer = f->acc[i];
        says = said(str_slice(text, a->stmt + 7, a->span.start), line_from(text, a->span.end));
    }
    return says;
}

/* self.open as a test, or the call self.is_open(): the function that is asked by this access; NONE. */
static u32 asked_function(const Finder *f, u32 gfunc, const Access *a)
{
    const Program *p = f->p;
    u32 first = p->edge_first[gfunc];
    for (u32 e = first; e < p->edge_first[gfunc + 1] && e - first < EDGES; e++) {
        const CallEdge *edge = &p->edges.v[e];
        const Facts *x = p->facts[edge->file];
        const Path *q = &x->paths.v[a->path];
        if (edge->weak || edge->callee == gfunc || edge->param) continue;
        if (edge->call != NONE) {
            bool here = a->op == OP_METHOD && x->calls.v[edge->call].span.end == a->span.end;
            if (here && calls_own_object(f, edge)) return edge->callee;
        } else if (edge->at == a->span.start && a->op != OP_METHOD && q->root == ROOT_SELF && q->nattr == 1) {
            return edge->callee;
        }
    }
    return NONE;
}

/* The last question before the step whose answer decides about it. */
static bool question_before(const Finder *f, u32 step, Question *q)
{
    const Program *p = f->p;
    GId g = access_gid(p, step);
    const Facts *x = p->facts[g.file];
    const Access *act = program_access(p, step);
    const Func *fn = &x->funcs.v[act->func];
    for (u32 i = g.id, n = 0; i-- > fn->accesses && n < LOOKED; n++) {
        const Access *a = &x->accesses.v[i];
        u32 ga = p->access_base[g.file] + i;
        if (p->access_place[ga] == f->place && (check_tests(p, ga) || access_effect(p, ga) & EFFECT_WRITE))
            return false; /* that is what the step goes by, or what it goes with */
        if (!a->test || a->cond == NONE || !decides(x, a, act)) continue;
        u32 asked = asked_function(f, access_func(p, step), a);
        if (asked == NONE) continue;
        q->says = function_says(f, asked, &q->answer);
        q->at = *a;
        if (q->says != SAYS_NOTHING) return true;
    }
    return false;
}

/* Does the step stand where the answer is that it is there? */
static bool there(const Facts *x, const Question *q, const Access *act)
{
    if (q->says != SAYS_THERE && q->says != SAYS_MISSING) return false;
    const Cond *c = &x->conds.v[q->at.cond];
    bool yes = c->then_block != NONE && block_within(x, act->block, c->then_block);
    return (q->says == SAYS_THERE) == (yes == (q->at.test == TEST_TRUE));
}

/* Who sets it to None meanwhile. */
static Conflict taken_away(const Finder *f, u32 step)
{
    Conflict best = {NONE, CONF_LOW, false};
    for (u32 i = 0; i < f->nresets; i++) {
        Conflict c = conflict_of(f, step, f->resets[i]);
        if (c.witness != NONE && (best.witness == NONE || c.confidence > best.confidence)) best = c;
    }
    return best;
}

static Race *asked_add(Finder *f, RuleId rule, u32 step, const Question *q, Conflict c)
{
    c.confidence = MIN(c.confidence, CONF_MEDIUM);
    Race *r = race_add(f, rule, step, c);
    r->test = q->answer;
    r->act = step;
    race_site(r, q->answer);
    return r;
}

static bool used(Finder *f, u32 step, const Question *q)
{
    const Program *p = f->p;
    if (!there(p->facts[access_file(p, step)], q, program_access(p, step))) return false;
    Conflict c = taken_away(f, step);
    if (c.witness == NONE) return false;
    Race *r = asked_add(f, UG102, step, q, c);
    r->by_hand = "what is there has to be taken into a local, and the local be asked and used";
    race_message(
        f, r,
        "line %u goes by what line %u says, that %.*s is there, and it is used here; line %u of %.*s may set "
        "it to None in between, and this raises",
        q->at.line, program_access(p, q->answer)->line, STR_ARG(short_state(p, f->place)),
        program_access(p, c.witness)->line, STR_ARG(p->facts[access_file(p, c.witness)]->source->path));
    return true;
}

static bool taken(Finder *f, u32 step, const Question *q)
{
    const Program *p = f->p;
    Conflict c = conflict_find(f, step, EFFECT_SHRINK, true);
    if (c.witness == NONE) return false;
    bool list = p->places.v[f->place].type.kind == TYPE_LIST;
    Race *r = asked_add(f, list ? UG201 : UG203, step, q, c);
    race_message(f, r,
                 "line %u goes by what line %u finds in %.*s, and an item is taken here; another thread may take it "
                 "in between, so that this takes another one, or raises",
                 q->at.line, program_access(p, q->answer)->line, STR_ARG(short_state(p, f->place)));
    return true;
}

/* self.x.send(…), self.x[k], for … in self.x: what None does not have. */
static bool needs_it(const Program *p, u32 ga)
{
    u8 op = program_access(p, ga)->op;
    return op == OP_METHOD || op == OP_ITEM_LOAD || op == OP_ITEM_STORE || op == OP_ITEM_AUG || op == OP_ITER;
}

static bool takes_item(const Program *p, u32 ga)
{
    u8 type = p->places.v[p->access_place[ga]].type.kind;
    if (type != TYPE_LIST && type != TYPE_DEQUE && type != TYPE_SET && type != TYPE_DICT) return false;
    Str m = access_method(p, ga);
    return program_access(p, ga)->op == OP_METHOD &&
           (str_is(m, "popleft") || str_is(m, "popitem") || (str_is(m, "pop") && type != TYPE_DICT));
}

void race_asked(Finder *f)
{
    const Program *p = f->p;
    u8 kind = p->places.v[f->place].kind;
    if (kind == PLACE_CLOSURE || kind == PLACE_DEFAULT) return;
    for (u32 i = 0, found = 0, steps = 0; i < f->nacc && found < FINDINGS && steps < STEPS; i++) {
        u32 step = f->acc[i];
        bool takes = takes_item(p, step);
        if (f->claimed[step] || (!takes && !(f->nresets && needs_it(p, step)))) continue;
        if (!access_counts(p, step) || failure_caught(p, step)) continue;
        Question q = {.answer = NONE};
        steps++;
        if (!question_before(f, step, &q)) continue;
        const Access *act = program_access(p, step);
        if (spots_in_section(p, access_file(p, step), act->func, q.at.span.start, act->span.start, NULL)) continue;
        found += takes ? taken(f, step, &q) : used(f, step, &q);
    }
}
