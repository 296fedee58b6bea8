/* The gap between two critical sections: if not self.has(k): self.put(k, v), where each step takes the lock and gives
 * it back. Each access is guarded, the pair of them is not.
 *
 * helper.c finds the two steps; here is what they must be. The lock is one and the same; the test is about the very
 * thing that the act changes, the same key of a container or the same attribute; and the act of the second thread
 * does harm: it replaces what the first one stored, raises because the first one took it away, or starts a second
 * time what a flag says is running. Steps that are right whatever was found, pop(k, None), are none. */
#include "races/races.h"

u32 past_with(const Facts *f, u32 block)
{
    while (f->blocks.v[block].kind == BLOCK_WITH && f->blocks.v[block].parent != NONE)
        block = f->blocks.v[block].parent;
    return block;
}

static bool in_try(const Facts *f, u32 block)
{
    for (; block != NONE; block = f->blocks.v[block].parent)
        if (f->blocks.v[block].kind == BLOCK_TRY) return true;
    return false;
}

/* The argument that a step's call passes for this parameter of the function that has the access; NULL. */
static const Arg *argument(const Program *p, const GapStep *s, u32 name)
{
    const Facts *f = p->facts[access_gid(p, s->access).file], *x = p->facts[s->file];
    const Func *fn = &f->funcs.v[program_access(p, s->access)->func];
    const Call *c = &x->calls.v[s->call];
    u32 at = 0, self = fn->cls != NONE && !fn->is_static;
    while (at < fn->nparams && f->params.v[fn->params + at].name != name) at++;
    if (at == fn->nparams || at < self) return NULL;
    for (u32 i = c->args; i < c->args + c->nargs; i++) {
        const Arg *a = &x->args.v[i];
        if (a->star) return NULL;
        bool named = a->keyword != SYM_EMPTY;
        if (named ? str_eq(sym_str(x, a->keyword), sym_str(f, name)) : i - c->args == at - self) return a;
    }
    return NULL;
}

/* The text of the key that a step is about, as the function that has both steps writes it; empty when it is about
 * the whole. False: it cannot be told. */
static bool key_of(const Program *p, const GapStep *s, Str *key)
{
    const Facts *f = p->facts[access_gid(p, s->access).file], *x = p->facts[s->file];
    const Access *a = program_access(p, s->access);
    bool item = a->op == OP_CONTAINS || a->op == OP_METHOD || a->op == OP_ITEM_LOAD || a->op == OP_ITEM_STORE ||
                a->op == OP_ITEM_DEL;
    *key = S("");
    if (!item) return true;
    if (a->key == SYM_EMPTY) return false;
    *key = sym_str(f, a->key);
    if (s->call == NONE) return true;
    const Arg *arg = argument(p, s, a->key);
    if (!arg) return false;
    *key = str_slice(x->source->text, arg->span.start, arg->span.end);
    return true;
}

/* The rest of the statement on its line, from the start of the statement. */
static Str line_of(const Facts *f, const Access *a)
{
    Str text = str_slice(f->source->text, a->stmt, f->source->text.n);
    return str_slice(text, 0, str_find(text, '\n'));
}

/* What a function answers about the place: does `true` say that it is there? False: it answers something else. */
static bool answer_says(const Facts *f, const Access *a, bool *there)
{
    static const char *const other[] = {" and ", " or ", " if ", "==", "!=", "<", ">"};
    Str line = line_of(f, a);
    for (u32 i = 0; i < COUNT_OF(other); i++)
        if (str_contains(line, str_from(other[i]))) return false;
    bool none = str_contains(line, S(" is None")), no = str_contains(line, S(" not in "));
    bool neg = str_contains(line, S("return not "));
    *there = !(none || no || neg);
    return (u32)none + no + neg < 2;
}

/* Does the act run because the thing is missing (or unset), or because it is there? False: neither. */
static bool found(const Program *p, const GapStep *test, const GapStep *act, bool *missing)
{
    const Facts *x = p->facts[test->file];
    const Cond *c = &x->conds.v[test->at.cond];
    u8 t = test->at.test;
    bool no = t == TEST_FALSE || t == TEST_NONE || t == TEST_NOT_IN;
    if (!no && t != TEST_TRUE && t != TEST_NOT_NONE && t != TEST_IN) return false;
    bool then = c->then_block != NONE && block_within(x, act->at.block, c->then_block), there = true;
    *missing = no == then;
    if (test->call == NONE) return true;
    const Facts *f = p->facts[access_gid(p, test->access).file];
    if (!answer_says(f, program_access(p, test->access), &there)) return false;
    *missing ^= !there;
    return true;
}

/* Is what is stored there another thing each time, and no constant? */
static bool stores_new(const Program *p, const GapStep *act)
{
    const Facts *f = p->facts[access_gid(p, act->access).file];
    const Def *d = stored_def(p, act->access);
    if (!d || d->augmented) return false;
    if (d->kind == VAL_CALL) return true;
    const Path *v = d->kind == VAL_PATH ? &f->paths.v[d->value] : NULL;
    if (!v || v->nattr) return false;
    if (act->call == NONE) return v->root == ROOT_LOCAL || v->root == ROOT_PARAM;
    const Arg *arg = v->root == ROOT_PARAM ? argument(p, act, v->name) : NULL;
    return arg && (arg->kind == VAL_CALL || arg->kind == VAL_PATH);
}

/* self.running = True after something was begun, between the test and the flag. */
static bool begins(const Program *p, const GapStep *test, const GapStep *act)
{
    const Facts *x = p->facts[test->file];
    const Access *a = program_access(p, act->access);
    const Def *d = a->op == OP_STORE ? stored_def(p, act->access) : NULL;
    Str text = p->facts[access_gid(p, act->access).file]->source->text;
    if (!d || d->kind != VAL_BOOL || !str_starts(str_slice(text, a->span.end, text.n), S(" = True"))) return false;
    const Func *fn = &x->funcs.v[act->at.func];
    u32 from = x->conds.v[test->at.cond].head.end;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        const Path *q = &x->paths.v[c->callee];
        if (c->span.start > from && c->span.end < act->at.span.start && q->root == ROOT_SELF && q->nattr == 1)
            return true;
    }
    return false;
}

bool gap_raises(const Program *p, u32 ga)
{
    u32 e = access_effect(p, ga);
    const Access *a = program_access(p, ga);
    return (e & EFFECT_RAISES) && (e & EFFECT_SHRINK) && a->key != SYM_EMPTY && !failure_caught(p, ga);
}

bool gap_harms(const Finder *f, const GapStep *test, const GapStep *act, RuleId *rule)
{
    const Program *p = f->p;
    u32 lock = lockset_common(p, p->access_locks[test->access], p->access_locks[act->access]);
    if (lock == NONE || p->locks.v[lock].maybe || !may_run_together(p, act->access, act->access)) return false;
    Str tested, changed;
    bool missing;
    if (test->at.cond == NONE || !key_of(p, test, &tested) || !key_of(p, act, &changed)) return false;
    if (!str_eq(tested, changed) || !found(p, test, act, &missing)) return false;
    u8 op = program_access(p, act->access)->op;
    bool store = op == OP_ITEM_STORE || op == OP_STORE;
    *rule = op == OP_ITEM_STORE ? UG104 : store ? UG103 : UG102;
    if (store) return missing && (stores_new(p, act) || begins(p, test, act));
    return !missing && gap_raises(p, act->access) && !in_try(p->facts[act->file], act->at.block);
}
