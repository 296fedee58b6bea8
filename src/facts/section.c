/* Critical sections: with statements, acquire … release of one lock in one function, what stands before the release
 * of a lock that somebody else took (__enter__ acquires, __exit__ releases), and what stands between two calls that
 * are named like the two halves of that: _acquireLock() … _releaseLock(), db.lock() … db.unlock(); and what an
 * ExitStack has entered. */
#include "facts/walk.h"

/* contextlib.nullcontext() and what programs call the like. */
static bool null_context(const Walk *w, u32 n)
{
    if (!ast_is(&w->t, n, NODE_call)) return false;
    Str callee = str_last(ast_text(&w->t, ast_field(&w->t, n, FIELD_function)), '.');
    return str_is(callee, "nullcontext") || str_is(callee, "null_context");
}

/* with (lock if shared else nullcontext()): the lock, which whoever needs it chooses, so that it is held perhaps;
 * otherwise the node itself. */
static u32 chosen_lock(const Walk *w, u32 n, bool *perhaps)
{
    while (ast_is(&w->t, n, NODE_parenthesized_expression)) n = ast_first(&w->t, n);
    u32 first = ast_is(&w->t, n, NODE_conditional_expression) || ast_is(&w->t, n, NODE_boolean_operator)
                    ? ast_first(&w->t, n)
                    : NONE,
        last = first;
    for (u32 c = first; c != NONE; c = ast_after(&w->t, c)) last = c;
    if (first == NONE || (!null_context(w, first) && !null_context(w, last))) return n;
    *perhaps = true;
    return null_context(w, first) ? last : first;
}

static void section_add(Walk *w, u32 value, bool is_async, u32 stmt_node, u32 body)
{
    u8 kind;
    u32 v, path = NONE, call = NONE;
    bool empty, perhaps = false;
    value_of(w, chosen_lock(w, value, &perhaps), &kind, &v, &empty);
    if (kind == VAL_PATH) path = v;
    if (kind == VAL_CALL) {
        call = v;
        path = w->f->calls.v[v].callee;
        w->f->calls.v[v].in_with = true;
    }
    if (path == NONE) return;
    vec_push(w->a, &w->f->sections,
             (Section){.kind = is_async ? SECTION_ASYNC_WITH : SECTION_WITH,
                       .finally = true,
                       .maybe = perhaps,
                       .func = w->func,
                       .path = path,
                       .call = call,
                       .stmt = w->t.v[stmt_node].start,
                       .span = {w->t.v[value].end, body == NONE ? w->t.v[stmt_node].end : w->t.v[body].end}});
}

void walk_with(Walk *w, u32 n)
{
    bool is_async = ast_token(&w->t, n, "async");
    if (is_async) suspend_add(w, n, false);
    u32 body = ast_field(&w->t, n, FIELD_body);
    for (u32 clause = ast_first(&w->t, n); clause != NONE; clause = ast_after(&w->t, clause)) {
        if (w->t.v[clause].kind != NODE_with_clause) continue;
        for (u32 item = ast_first(&w->t, clause); item != NONE; item = ast_after(&w->t, item)) {
            u32 value = ast_field(&w->t, item, FIELD_value), alias = NONE;
            if (value == NONE) continue;
            if (w->t.v[value].kind == NODE_as_pattern) {
                alias = ast_field(&w->t, value, FIELD_alias);
                value = ast_first(&w->t, value);
            }
            u32 dep = w->dep.n;
            walk_expr(w, value, (Use){.op = OP_ARG});
            u8 kind;
            u32 v;
            bool empty;
            value_of(w, value, &kind, &v, &empty);
            u32 target = alias == NONE ? NONE : ast_first(&w->t, alias);
            if (target != NONE) {
                walk_assign_target(w, target, NONE, dep,
                                   kind == VAL_PATH   ? VAL_ENTER_OF
                                   : kind == VAL_CALL ? VAL_CALL
                                                      : VAL_OTHER,
                                   v);
                call_target(w, target, kind, v);
            }
            section_add(w, value, is_async, n, body);
        }
    }
    walk_block(w, BLOCK_WITH, NONE, body);
}

static bool method_is(const Walk *w, const Access *a, const char *name)
{
    return a->op == OP_METHOD && str_is(sym_str(w->f, a->method), name);
}

static void section_unpaired(Walk *w, const Access *a, Span span)
{
    vec_push(w->a, &w->f->sections,
             (Section){.kind = SECTION_ACQUIRE,
                       .finally = true,
                       .maybe = true,
                       .entered = true,
                       .func = w->func,
                       .path = a->path,
                       .call = NONE,
                       .span = span,
                       .stmt = span.start});
}

/* release() of what this function did not acquire: whoever came before holds it, from the start on. */
static void entered_section(Walk *w, u32 first_access, u32 first_section, u32 release)
{
    const Access *r = &w->f->accesses.v[release];
    for (u32 i = first_access; i < release; i++)
        if (w->f->accesses.v[i].path == r->path &&
            (method_is(w, &w->f->accesses.v[i], "acquire") || method_is(w, &w->f->accesses.v[i], "release")))
            return;
    for (u32 i = first_section; i < w->f->sections.n; i++)
        if (w->f->sections.v[i].path == r->path) return;
    section_unpaired(w, r, (Span){w->f->funcs.v[w->func].body.start, r->span.start});
}

/* with lock: … lock.release(); work(); lock.acquire(): what stands between the two does not hold what the `with`
 * took. The section ends at the release, and another one goes from the acquire to the end of the first. */
static void released_inside(Walk *w, u32 first_access, u32 first_section)
{
    Facts *f = w->f;
    for (u32 i = first_access; i < f->accesses.n; i++) {
        const Access *r = &f->accesses.v[i];
        u32 in = NONE, again = NONE;
        if (!method_is(w, r, "release")) continue;
        for (u32 k = first_section; k < f->sections.n; k++) {
            const Section *s = &f->sections.v[k];
            if (s->path == r->path && s->call == NONE && span_within(r->span, s->span)) in = k;
        }
        for (u32 k = first_access; k < f->accesses.n && in != NONE; k++) {
            const Access *a = &f->accesses.v[k];
            if (a->path != r->path || !method_is(w, a, "acquire") || !span_within(a->span, f->sections.v[in].span))
                continue;
            if (k < i) in = NONE; /* an RLock, taken once more in between */
            if (k > i && again == NONE) again = k;
        }
        if (in == NONE) continue;
        Section rest = f->sections.v[in];
        f->sections.v[in].span.end = r->span.start;
        if (again == NONE) continue;
        rest.kind = SECTION_ACQUIRE;
        rest.stmt = f->accesses.v[again].stmt;
        rest.span.start = f->accesses.v[again].span.end;
        vec_push(w->a, &f->sections, rest);
    }
}

/* Is there a section that begins where the acquire ends? */
static bool begins_section(const Walk *w, const Access *acquire, u32 first_section)
{
    for (u32 i = first_section; i < w->f->sections.n; i++)
        if (w->f->sections.v[i].path == acquire->path && w->f->sections.v[i].span.start == acquire->span.end)
            return true;
    return false;
}

/* if not lock.acquire(timeout=1): …; if lock.acquire(False): … else: …: the block that runs without the lock. */
static Span given_up(const Walk *w, const Access *acquire)
{
    if (acquire->cond == NONE || (acquire->test != TEST_FALSE && acquire->test != TEST_TRUE)) return (Span){0, 0};
    const Cond *c = &w->f->conds.v[acquire->cond];
    u32 block = acquire->test == TEST_FALSE ? c->then_block : c->else_block;
    return block == NONE || c->is_try ? (Span){0, 0} : w->f->blocks.v[block].span;
}

static bool says_no_wait(Str arguments)
{
    return str_is(arguments, "False") || str_is(arguments, "0") || str_is(arguments, "blocking=False");
}

/* Does control leave the function after the release: except: lock.release(); raise? A break or continue does not. */
static bool gives_up(const Walk *w, const Access *release, const Access *acquire)
{
    const Block *v = w->f->blocks.v;
    for (u32 b = release->block; b != NONE && !span_within(acquire->span, v[b].span); b = v[b].parent) {
        if (!v[b].exits || v[b].kind == BLOCK_FINALLY) continue;
        Str rest = str_slice(w->t.source->text, release->span.end, v[b].span.end);
        if (str_has_name(rest, S("return")) || str_has_name(rest, S("raise"))) return true;
    }
    return false;
}

/* acquire … release of one lock in one function: the section runs from the acquire to the last release before the
 * next acquire of the same lock; to the end of the function's text where what comes after that release is reached on
 * other ways only, on which the lock stays with whoever called. */
void acquire_sections(Walk *w, u32 first_access, u32 first_section)
{
    u32 end = w->f->accesses.n;
    released_inside(w, first_access, first_section);
    for (u32 i = first_access; i < end && w->func; i++)
        if (method_is(w, &w->f->accesses.v[i], "release")) entered_section(w, first_access, first_section, i);
    for (u32 i = first_access; i < end; i++) {
        const Access a = w->f->accesses.v[i];
        if (!method_is(w, &a, "acquire") || a.awaited || begins_section(w, &a, first_section)) continue;
        u32 last = NONE;
        for (u32 j = i + 1; j < end; j++) {
            const Access *b = &w->f->accesses.v[j];
            if (b->path != a.path) continue;
            if (method_is(w, b, "release"))
                last = j;
            else if (method_is(w, b, "acquire") && last != NONE)
                break;
        }
        if (last == NONE) { /* __enter__ takes it for __exit__ */
            if (w->func && a.cond == NONE && a.local == SYM_EMPTY && a.key == SYM_EMPTY)
                section_unpaired(w, &a, (Span){a.span.end, w->f->funcs.v[w->func].body.end});
            continue;
        }
        const Access *r = &w->f->accesses.v[last];
        Str key = w->f->syms.strs[a.key];
        bool finally = false;
        for (u32 b = r->block; b != NONE; b = w->f->blocks.v[b].parent)
            finally |= w->f->blocks.v[b].kind == BLOCK_FINALLY;
        bool kept = w->func && gives_up(w, r, &a);
        u32 to = kept ? w->f->funcs.v[w->func].body.end : r->span.start;
        vec_push(w->a, &w->f->sections,
                 (Section){.kind = SECTION_ACQUIRE,
                           .finally = finally,
                           .maybe = a.key != SYM_EMPTY && a.cond == NONE && a.local == SYM_EMPTY,
                           .ignored = says_no_wait(key) && a.stmt == a.span.start,
                           .hole = given_up(w, &a),
                           .tries = a.key != SYM_EMPTY && !str_is(key, "True") && !str_is(key, "blocking=True"),
                           .func = w->func,
                           .entered = kept,
                           .path = a.path,
                           .call = NONE,
                           .span = {a.span.end, to},
                           .stmt = a.stmt});
    }
}

static const char *const pair_words[][2] = {{"acquire", "release"}, {"Acquire", "Release"}, {"lock", "unlock"},
                                            {"Lock", "Unlock"},     {"lock", "release"},    {"enter", "exit"},
                                            {"enter", "leave"},     {"take", "give"},       {"hold", "release"},
                                            {"begin", "end"},       {"grab", "drop"}};

/* Has the name a word for taking in it? Most have none, and need not be compared with those of later calls. */
static bool names_taking(Str name)
{
    for (u32 i = 0; i < COUNT_OF(pair_words); i++) {
        const char *word = pair_words[i][0];
        size_t n = strlen(word);
        for (size_t at = 0; at + n <= name.n; at++)
            if (name.p[at] == word[0] && memcmp(name.p + at, word, n) == 0) return true;
    }
    return false;
}

/* Is `second` what `first` is called with the word for taking replaced by the word for giving back? */
static bool names_pair(Str first, Str second)
{
    for (u32 i = 0; i < COUNT_OF(pair_words); i++) {
        Str take = str_from(pair_words[i][0]), give = str_from(pair_words[i][1]);
        size_t at = str_search(first, take);
        if (at == first.n || first.n + give.n != second.n + take.n) continue;
        Str head = str_slice(first, 0, at), tail = str_slice(first, at + take.n, first.n);
        if (str_starts(second, head) && str_ends(second, tail) && str_eq(str_slice(second, at, at + give.n), give))
            return true;
    }
    return false;
}

/* The name of what is called, and whether it is called on something. */
static Str callee_name(const Walk *w, const Call *c, bool *method)
{
    const Path *x = &w->f->paths.v[c->callee];
    *method = x->nattr > 0;
    if (x->root == ROOT_UNKNOWN || x->truncated || path_is_item(x)) return S("");
    if (!x->nattr) return x->root == ROOT_CALL ? S("") : sym_str(w->f, x->name);
    return path_last(w->f, x);
}

/* The same object, apart from the name of the method. */
static bool same_receiver(const Walk *w, const Call *a, const Call *b)
{
    const Path *x = &w->f->paths.v[a->callee], *y = &w->f->paths.v[b->callee];
    if (x->root != y->root || x->func != y->func || x->nattr != y->nattr) return false;
    if (x->nattr && x->name != y->name) return false;
    for (u32 i = 0; i + 1 < x->nattr; i++)
        if (x->attr[i] != y->attr[i]) return false;
    return true;
}

/* From each call that takes to the last call that gives back, before it is taken again. */
void wrapper_sections(Walk *w, u32 first_call)
{
    u32 end = w->f->calls.n, kept = NONE; /* kept: the last callee that no later call gives back */
    for (u32 i = first_call; i < end; i++) {
        const Call a = w->f->calls.v[i];
        bool method, other;
        Str name = callee_name(w, &a, &method);
        if (!name.n || a.awaited || a.is_decorator || (method && str_is(name, "acquire"))) continue;
        if (a.callee == kept || !names_taking(name)) continue;
        u32 last = NONE;
        for (u32 j = i + 1; j < end; j++) {
            const Call *b = &w->f->calls.v[j];
            if (!same_receiver(w, &a, b)) continue;
            if (b->callee == a.callee) { /* taken again */
                if (last != NONE) break;
                continue;
            }
            if (names_pair(name, callee_name(w, b, &other))) last = j;
        }
        if (last == NONE) {
            kept = a.callee;
            continue;
        }
        const Call *r = &w->f->calls.v[last];
        bool finally = false;
        for (u32 b = r->block; b != NONE; b = w->f->blocks.v[b].parent)
            finally |= w->f->blocks.v[b].kind == BLOCK_FINALLY;
        vec_push(w->a, &w->f->sections,
                 (Section){.kind = SECTION_CALLS,
                           .finally = finally,
                           .func = w->func,
                           .path = a.callee,
                           .call = i,
                           .span = {a.span.end, MAX(a.span.end, r->span.start)},
                           .stmt = a.stmt});
    }
}

/* locker = QMutexLocker(self.mutex): held until the name goes, or locker.unlock() (Qt, "QMutexLocker"). */
void locker_sections(Walk *w, u32 first_call)
{
    for (u32 i = first_call, end = w->f->calls.n; i < end; i++) {
        const Call c = w->f->calls.v[i];
        bool method;
        Str name = callee_name(w, &c, &method);
        if (!str_ends(name, S("Locker")) || name.p[0] != 'Q' || c.in_with || c.target == NONE || !c.nargs) continue;
        const Path *x = &w->f->paths.v[c.target];
        u32 to = w->f->funcs.v[w->func].body.end;
        for (u32 k = i + 1; k < end; k++) {
            const Path *y = &w->f->paths.v[w->f->calls.v[k].callee];
            bool same = y->nattr == 1 && !x->nattr && y->root == x->root && y->name == x->name;
            if (same && str_is(sym_str(w->f, y->attr[0]), "unlock")) to = MIN(to, w->f->calls.v[k].span.start);
        }
        vec_push(w->a, &w->f->sections,
                 (Section){.kind = SECTION_ACQUIRE,
                           .finally = true,
                           .func = w->func,
                           .path = c.callee,
                           .call = i,
                           .span = {c.span.end, MAX(c.span.end, to)},
                           .stmt = c.stmt});
    }
}

/* The body of the `with … as NAME:` around the block whose NAME is the receiver of the call; NONE. */
static u32 body_of_stack(const Walk *w, const Call *c)
{
    const Facts *f = w->f;
    const Path *x = &f->paths.v[c->callee];
    for (u32 b = c->block; b != NONE && x->nattr == 1; b = f->blocks.v[b].parent) {
        if (f->blocks.v[b].kind != BLOCK_WITH) continue;
        for (u32 i = f->defs.n; i-- > 0;) {
            const Def *d = &f->defs.v[i];
            if (d->func != c->func || d->path == NONE || d->span.end > f->blocks.v[b].span.start) continue;
            const Path *q = &f->paths.v[d->path];
            Str between = str_trim(str_slice(f->source->text, d->span.end, f->blocks.v[b].span.start));
            bool header = str_is(between, ":") || str_starts(between, S(","));
            if (!q->nattr && q->root == x->root && q->name == x->name && header) return b;
        }
    }
    return NONE;
}

/* with ExitStack() as stack: … stack.enter_context(lock): held from there on to the end of the with. */
void stack_sections(Walk *w, u32 first_call)
{
    u32 last = NONE, body = NONE; /* the call before, and the body found for it: mostly they stand side by side */
    for (u32 i = first_call, end = w->f->calls.n; i < end; i++) {
        const Call c = w->f->calls.v[i];
        bool method;
        if (!c.nargs || !str_is(callee_name(w, &c, &method), "enter_context") || !method) continue;
        const Arg *a = &w->f->args.v[c.args];
        if (a->star || (a->kind != VAL_PATH && a->kind != VAL_CALL)) continue;
        const Call *before = last == NONE ? NULL : &w->f->calls.v[last];
        if (!before || before->block != c.block || before->callee != c.callee) body = body_of_stack(w, &c);
        last = i;
        u32 call = a->kind == VAL_CALL ? a->value : NONE;
        if (body == NONE) continue;
        vec_push(w->a, &w->f->sections,
                 (Section){.kind = SECTION_ACQUIRE,
                           .finally = true,
                           .func = w->func,
                           .path = call == NONE ? a->value : w->f->calls.v[call].callee,
                           .call = call,
                           .span = {c.span.end, MAX(c.span.end, w->f->blocks.v[body].span.end)},
                           .stmt = c.stmt});
    }
}
