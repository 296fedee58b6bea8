/* Tests and acts with a gap between them where the gap does no harm: both threads store the same constant, or say the
 * same thing in the log, or the last value counts. */
#include "races/races.h"

const Def *stored_def(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    u32 v = f->accesses.v[g.id].value;
    return v == NONE ? NULL : &f->defs.v[v];
}

bool stores_object(const Program *p, u32 ga)
{
    u32 file = access_gid(p, ga).file;
    const Def *d = stored_def(p, ga);
    return d && d->kind == VAL_CALL &&
           path_type(p, file, p->facts[file]->calls.v[d->value].callee).kind == TYPE_CLASS_OBJECT;
}

bool stores_finished(const Program *p, u32 ga)
{
    u32 file = access_gid(p, ga).file, func = program_access(p, ga)->func;
    const Facts *f = p->facts[file];
    const Def *d = stored_def(p, ga);
    if (!d || d->kind != VAL_PATH) return false;
    const Path *x = &f->paths.v[d->value];
    if (x->root != ROOT_LOCAL || x->nattr || x->func != func) return false;
    Str rest = str_slice(f->source->text, program_access(p, ga)->span.end, f->funcs.v[func].body.end);
    size_t line = str_find(rest, '\n');
    return type_is_container(path_type(p, file, d->value).kind) &&
           !str_has_name(str_slice(rest, line, rest.n), sym_str(f, x->name));
}

/* `if not stopping: stopping = True` and nothing else: the second thread does the same again. */
static bool flag_alone(const Program *p, u32 act)
{
    GId g = access_gid(p, act);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    const Block *b = &f->blocks.v[a->block];
    if (b->kind != BLOCK_THEN && b->kind != BLOCK_ELSE) return false;
    Str rest = str_slice(f->source->text, a->stmt, b->span.end);
    return b->span.start == a->stmt && str_find(rest, '\n') == rest.n && str_find(rest, ';') == rest.n;
}

bool claims_key(const Program *p, u32 act)
{
    GId g = access_gid(p, act);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    const Def *d = stored_def(p, act);
    if (a->op != OP_ITEM_STORE || !d || d->kind != VAL_BOOL) return false;
    Str rest = str_slice(f->source->text, a->span.end, f->blocks.v[a->block].span.end);
    size_t line = str_find(rest, '\n');
    return line < rest.n && str_trim(str_slice(rest, line, rest.n)).n;
}

/* Is the call one that writes to a log, or a print where that counts? */
static bool tells(const Facts *f, const Call *c, bool print)
{
    const Path *x = &f->paths.v[c->callee];
    Str name = path_is_attr(x) ? path_last(f, x) : S("");
    bool printed = print && !x->nattr && x->root == ROOT_GLOBAL && str_is(sym_str(f, x->name), "print");
    return printed || known_method(name, AS_LOG);
}

/* show_warning(text): does the function do nothing but tell? */
static bool calls_teller(const Program *p, u32 file, u32 call, bool print)
{
    u32 to;
    if (call_targets(p, file, call, &to, 1) != 1) return false;
    GId g = func_gid(p, to);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (!tells(f, &f->calls.v[i], print)) return false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++)
        if (access_effect(p, p->access_base[g.file] + i) & EFFECT_WRITE) return false;
    return fn->ncalls && !fn->is_generator && !fn->is_async;
}

/* print(red("…")), "…".format(x): what makes the text that is told. */
static bool makes_text(const Facts *f, const Func *fn, const Call *c)
{
    const Path *x = &f->paths.v[c->callee];
    if (x->nattr && str_is(path_last(f, x), "format")) return true;
    for (u32 i = 0; i < c->nargs; i++)
        if (f->args.v[c->args + i].kind != VAL_STRING) return false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls && c->nargs; i++)
        if (&f->calls.v[i] != c && span_within(c->span, f->calls.v[i].span) && tells(f, &f->calls.v[i], true))
            return true;
    return false;
}

/* filehandler.setFormatter(…), logger.addHandler(handler), StreamHandler() */
static bool sets_up_log(const Facts *f, const Call *c)
{
    static const char *const names[] = {"addHandler", "setFormatter", "setLevel", "getLogger", "Formatter"};
    Str name = call_last(f, c);
    return str_among(name, names, COUNT_OF(names)) || str_ends(name, S("Handler")) || str_ends(name, S("Formatter"));
}

/* What the block of the act may hold beside it. */
typedef enum Telling { TELL_LOG = 0, TELL_PRINT = 1, TELL_SET_UP = 2 } Telling;

/* if not warned: log.warning(…); warned = True: the worst is that it is said twice. */
static bool only_logs(const Program *p, u32 act, u32 allowed)
{
    GId g = access_gid(p, act);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    const Func *fn = &f->funcs.v[a->func];
    u8 kind = f->blocks.v[a->block].kind;
    bool logs = false;
    if (kind != BLOCK_THEN && kind != BLOCK_ELSE) return false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (!block_within(f, c->block, a->block) || span_within(c->span, a->span)) continue;
        bool log = tells(f, c, allowed & TELL_PRINT) || calls_teller(p, g.file, i, allowed & TELL_PRINT) ||
                   (allowed & TELL_SET_UP && sets_up_log(f, c));
        logs |= log;
        if (!log && !makes_text(f, fn, c)) return false;
    }
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        if (i == g.id || !block_within(f, f->accesses.v[i].block, a->block)) continue;
        const Path *x = &f->paths.v[f->accesses.v[i].path];
        bool own = x->root == ROOT_LOCAL || x->root == ROOT_CALL;
        if (!own && access_effect(p, p->access_base[g.file] + i) & EFFECT_WRITE) return false;
    }
    return logs;
}

bool only_sets_up_log(const Program *p, u32 act)
{
    return only_logs(p, act, TELL_PRINT | TELL_SET_UP);
}

/* if key not in said: said.add(key); warn(…): what is printed may be the work, what goes to a log is not. */
static bool notes_told(const Program *p, u32 act)
{
    const Access *a = program_access(p, act);
    bool adds = a->op == OP_METHOD && str_is(access_method(p, act), "add");
    return (adds || claims_key(p, act)) && only_logs(p, act, TELL_LOG);
}

/* while not self.stopped: … self.stopped = True, or while not self.status: … self.status = "done": whoever sets it,
 * the loop ends. */
static bool loops_on(const Program *p, u32 test, u32 act)
{
    const Facts *f = p->facts[access_gid(p, test).file];
    const Access *t = program_access(p, test), *a = program_access(p, act);
    if (access_gid(p, act).file != access_gid(p, test).file || t->cond == NONE || t->func != a->func) return false;
    const Cond *c = &f->conds.v[t->cond];
    return c->loop && c->then_block != NONE && block_within(f, a->block, c->then_block);
}

u8 test_for_act(const Program *p, u32 test, u32 act)
{
    const Access *t = program_access(p, test), *a = program_access(p, act);
    const Facts *f = p->facts[access_gid(p, test).file];
    if (access_gid(p, act).file != access_gid(p, test).file || t->cond == NONE) return t->test;
    const Cond *c = &f->conds.v[t->cond];
    bool after = a->func == t->func && a->span.start >= c->span.end && c->then_block != NONE &&
                 f->blocks.v[c->then_block].exits;
    bool other = c->else_block != NONE && !c->is_try && block_within(f, a->block, c->else_block);
    if (!after && !other) return t->test;
    switch (t->test) {
    case TEST_NONE: return TEST_NOT_NONE;
    case TEST_NOT_NONE: return TEST_NONE;
    case TEST_FALSE: return TEST_TRUE;
    case TEST_TRUE: return TEST_FALSE;
    default: return t->test;
    }
}

/* me = current_thread(), current_thread().ident, str(get_ident()), (id(self), get_ident()): is the call in what the
 * local is given, and does that tell threads apart as the call does? */
static bool tells_apart(const Facts *f, const Def *d, u32 call)
{
    static const char *const same[] = {"str", "int", "repr", "cast", "getName"};
    if (d->kind == VAL_TUPLE || d->kind == VAL_PATH) return d->stmt == f->calls.v[call].stmt;
    if (d->kind != VAL_CALL || d->value == call) return d->kind == VAL_CALL;
    const Call *outer = &f->calls.v[d->value];
    return span_within(f->calls.v[call].span, outer->span) && str_among(call_last(f, outer), same, COUNT_OF(same));
}

/* Does the access take or store an item whose key is the identity of the thread that runs here? */
static bool own_item(const Program *p, u32 file, const Access *a)
{
    const Facts *f = p->facts[file];
    Str key = sym_str(f, a->key);
    bool item = a->op == OP_ITEM_STORE || a->op == OP_ITEM_LOAD || a->op == OP_ITEM_DEL || a->op == OP_ITEM_AUG ||
                a->op == OP_METHOD;
    if (a->key == SYM_EMPTY || !item) return false;
    const Def *only = local_def(p, file, a->func, a->key);
    if (!only && !str_contains(key, S("("))) return false;
    const Func *fn = &f->funcs.v[a->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        bool here =
            only ? tells_apart(f, only, i) : str_eq(str_slice(f->source->text, c->span.start, c->span.end), key);
        if (here && call_asks_thread(p, file, i)) return true;
    }
    return false;
}

/* Is the key the identity of the thread that runs here: d[get_ident()], or me = current_thread(); seen.add(me), or
 * what is within that entry, d[me].add(x)? No other thread has it. */
bool own_key(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    const Path *x = &f->paths.v[a->path];
    if (own_item(p, g.file, a)) return true;
    if (!path_is_item(x)) return false;
    for (u32 i = f->funcs.v[a->func].accesses; i < g.id; i++) {
        const Access *entry = &f->accesses.v[i];
        if (entry->op == OP_ITEM_LOAD && span_within(entry->span, a->span) && own_item(p, g.file, entry)) return true;
    }
    return false;
}

/* Does the text name a local of the function that holds the thread's identity, or what a statement reads into it? */
static bool names_local(const Program *p, u32 file, u32 func, Str text, u32 stmt)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE || d->func != func) continue;
        const Path *x = &f->paths.v[d->path];
        if (x->root != ROOT_LOCAL || x->nattr || !str_has_name(text, sym_str(f, x->name))) continue;
        if (stmt == NONE ? d->kind == VAL_CALL && call_asks_thread(p, file, d->value) : d->stmt == stmt) return true;
    }
    return false;
}

bool stores_own_thread(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    if (a->op != OP_STORE || a->value == NONE) return false;
    const Def *d = &f->defs.v[a->value];
    if (d->kind == VAL_CALL) return call_asks_thread(p, g.file, d->value);
    if (d->kind != VAL_PATH) return false;
    const Path *x = &f->paths.v[d->value];
    return x->root == ROOT_LOCAL && !x->nattr && names_local(p, g.file, a->func, sym_str(f, x->name), NONE);
}

bool own_thread_test(const Program *p, u32 test)
{
    GId g = access_gid(p, test);
    const Facts *f = p->facts[g.file];
    const Access *t = &f->accesses.v[g.id];
    const Func *fn = &f->funcs.v[t->func];
    bool found = false;
    if (!func_asks_thread(p, g.file, t->func)) return false;
    for (u32 i = 0; i < f->conds.n; i++) {
        const Cond *c = &f->conds.v[i];
        if (c->func != t->func || c->is_try) continue;
        Str head = str_slice(f->source->text, c->head.start, c->head.end);
        bool here = c->head.start <= t->span.start && t->span.end <= c->head.end;
        if (!here && !names_local(p, g.file, t->func, head, t->stmt)) continue;
        bool own = names_local(p, g.file, t->func, head, NONE);
        for (u32 k = fn->calls; k < fn->calls + fn->ncalls && !own; k++)
            own = c->head.start <= f->calls.v[k].span.start && f->calls.v[k].span.end <= c->head.end &&
                  call_asks_thread(p, g.file, k);
        bool compares = str_search(head, S("==")) < head.n || str_search(head, S("!=")) < head.n ||
                        str_search(head, S(" is ")) < head.n;
        if (!own || !compares || str_has_name(head, S("and")) || str_has_name(head, S("or"))) return false;
        found = true;
    }
    return found;
}

/* Does the statement of the act read the place? */
static bool reads_itself(const Finder *f, u32 act)
{
    const Access *a = program_access(f->p, act);
    u32 file = access_gid(f->p, act).file;
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *b = program_access(f->p, f->acc[i]);
        if (f->acc[i] != act && access_gid(f->p, f->acc[i]).file == file && b->func == a->func && b->stmt == a->stmt)
            return true;
    }
    return false;
}

/* if self.database is not None: self.database = answer["database"]: the last answer counts, whoever stores it. */
bool check_overwrites(const Finder *f, u32 test, u32 act)
{
    const Access *t = program_access(f->p, test), *a = program_access(f->p, act);
    const Def *d = stored_def(f->p, act);
    if (a->op != OP_STORE || t->op == OP_HASATTR || !d || d->empty || d->kind == VAL_NONE || d->kind == VAL_BOOL)
        return false;
    u8 found = test_for_act(f->p, test, act);
    return (found == TEST_NOT_NONE || found == TEST_TRUE) && !reads_itself(f, act);
}

/* `return NAME` and nothing else? */
static bool returns_name(Str text, Str name)
{
    Str line = str_trim(str_slice(text, 0, str_find(text, '\n')));
    return str_starts(line, S("return ")) && str_eq(str_trim(str_slice(line, 7, line.n)), name);
}

/* known = self.known; if enough(known): return known; known = known + more; self.known = known; return known, where
 * nobody changes a container in place: each caller goes on with the one that it has, and what is lost when two
 * publish theirs is computed again. A number that is counted like this would be given out twice. */
bool check_copy_grown(const Finder *f, u32 test, u32 act)
{
    GId g = access_gid(f->p, act);
    const Facts *x = f->p->facts[g.file];
    const Access *t = program_access(f->p, test), *a = &x->accesses.v[g.id];
    const Def *d = stored_def(f->p, act);
    u8 type = f->p->places.v[f->place].type.kind;
    bool container = type >= TYPE_LIST && type <= TYPE_ARRAY;
    if (a->op != OP_STORE || !d || d->kind != VAL_PATH || t->cond == NONE || !container) return false;
    const Path *local = &x->paths.v[d->value];
    u32 enough = x->conds.v[t->cond].then_block;
    if (local->root != ROOT_LOCAL || local->nattr || enough == NONE) return false;
    for (u32 i = 0; i < f->nacc; i++)
        if (f->effect[i] & EFFECT_WRITE && program_access(f->p, f->acc[i])->op != OP_STORE) return false;
    Str text = x->source->text, name = sym_str(x, local->name);
    Span then = x->blocks.v[enough].span, whole = x->funcs.v[a->func].span;
    if (!returns_name(str_trim(str_slice(text, then.start, then.end)), name)) return false;
    Str rest = str_trim(str_slice(text, a->span.end, whole.end));
    size_t line = str_find(rest, '\n');
    return line < rest.n && returns_name(str_trim(str_slice(rest, line, rest.n)), name);
}

/* Nothing is lost when two threads store the same constant, or each stores under a key of its own. */
bool check_harmless(const Program *p, u32 test, u32 act)
{
    const Access *t = program_access(p, test), *a = program_access(p, act);
    if (own_key(p, act) || notes_told(p, act)) return true;
    if (a->op != OP_STORE && a->op != OP_ITEM_STORE) return false;
    const Def *d = stored_def(p, act);
    if (!d) return false;
    if (d->kind == VAL_BOOL && (flag_alone(p, act) || (!claims_key(p, act) && only_logs(p, act, TELL_PRINT))))
        return true;
    if ((d->kind == VAL_BOOL || d->kind == VAL_STRING) && loops_on(p, test, act)) return true;
    bool none_test = t->test == TEST_NONE || t->test == TEST_NOT_IN || t->op == OP_HASATTR;
    if (d->kind == VAL_STRING && t->test == TEST_COMPARE && t->op == OP_TRUTH && threads_reach(p, act))
        return flag_alone(p, act) || only_logs(p, act, TELL_PRINT); /* if state == "idle": state = "busy"; work() */
    if (d->kind == VAL_NUMBER || d->kind == VAL_STRING) return none_test || t->test == TEST_COMPARE;
    u8 found = test_for_act(p, test, act);
    return d->kind == VAL_NONE && found != TEST_NOT_NONE && found != TEST_TRUE;
}
