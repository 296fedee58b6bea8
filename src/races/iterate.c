/* UG106: walking or copying a container step by step while another thread changes its size.
 *
 * Which copies happen in one step differs by type (docs/memory-model.md): list(d.items()) is safe on an exact dict,
 * tuple(d) is not, nothing is on a deque. A list skips or repeats but does not raise: reported where its own lock is
 * left out, where the loop itself takes items away, and where another thread removes or inserts in front. */
#include "races/races.h"

static bool dict_like(u8 t)
{
    return t == TYPE_DICT || t == TYPE_SET || t == TYPE_DEQUE || t == TYPE_ORDERED_DICT || t == TYPE_DEFAULT_DICT ||
           t == TYPE_COUNTER || t == TYPE_CACHE || t == TYPE_WEAK_DICT || t == TYPE_WEAK_SET || t == TYPE_QUEUE;
}

bool access_is_view(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Path *x = &f->paths.v[f->accesses.v[g.id].path];
    if (x->root != ROOT_CALL || access_of_whole(p, ga)) return false;
    const Path *callee = &f->paths.v[f->calls.v[x->func].callee];
    Str name = callee->nattr ? path_last(f, callee) : S("");
    return !str_is(name, "get") && !str_is(name, "setdefault"); /* of a container in the container: the item itself */
}

/* Of unknown type, but used as a dict or set somewhere. */
static bool used_as_dict(const Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        if (access_is_view(f->p, f->acc[i])) return true;
        if (a->op != OP_METHOD) continue;
        GId g = access_gid(f->p, f->acc[i]);
        Str m = sym_str(f->p->facts[g.file], a->method);
        if (str_is(m, "items") || str_is(m, "keys") || str_is(m, "values") || str_is(m, "setdefault") ||
            str_is(m, "discard") || str_is(m, "popleft") || str_is(m, "add"))
            return true;
    }
    return false;
}

/* os.environ is a mapping written in Python: every way to read the whole of it goes through it step by step. */
bool place_is_environ(const Program *p, const Place *x)
{
    return x->file == NONE && str_is(p->syms.strs[x->name], "os.environ");
}

static bool whole(Str reader)
{
    return str_is(reader, "dict") || str_is(reader, "list") || str_is(reader, "sorted") || str_is(reader, "{**}");
}

/* f"{q}", "%s" % q, q * 2, q + r: does an operator read the whole of the deque? Each goes through it item by item, or
 * copies it first (python/cpython Modules/_collectionsmodule.c). In braces a deque is no item of a set, being
 * mutable.
 */
static bool read_by_operator(const Facts *f, const Access *a)
{
    Str text = f->source->text;
    u32 from = a->span.start, to = a->span.end;
    if (a->op != OP_LOAD) return false;
    while (from > 0 && text.p[from - 1] == ' ') from--;
    while (to < text.n && text.p[to] == ' ') to++;
    char before = from > 0 ? text.p[from - 1] : ' ', after = to < text.n ? text.p[to] : ' ';
    char next = to + 1 < text.n ? text.p[to + 1] : ' ';
    if (before == '{') return after == '}' || after == ':' || (after == '!' && next != '=');
    return before == '%' || before == '+' || ((after == '*' || after == '+') && next != '=');
}

/* rows.extend(d): does the access stand in the only argument of extend() of a list? What list(d) copies in one step,
 * it adds in one. */
static bool extends_list(const Program *p, u32 file, const Access *a)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[a->func];
    if (!str_is(sym_str(x, a->method), "extend")) return false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        if (c->nargs != 1 || !span_within(a->span, x->args.v[c->args].span)) continue;
        Str text = str_slice(x->source->text, c->span.start, a->span.start);
        size_t end = str_search(text, S(".extend("));
        if (end == text.n) continue;
        for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
            const Access *to = &x->accesses.v[k];
            if (to->op == OP_METHOD && to->span.start == c->span.start && to->span.end == c->span.end)
                return path_type(p, file, to->path).kind == TYPE_LIST;
        }
    }
    return false;
}

bool access_walks(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    if (a->op == OP_ITER) return true;
    if (p->access_place[ga] == NONE) return false;
    u8 type = p->places.v[p->access_place[ga]].type.kind;
    bool copy = (a->op == OP_CREAD || a->op == OP_METHOD) && str_is(sym_str(x, a->method), "copy");
    if (copy && type == TYPE_DEQUE) return p->options->target < 15;             /* python/cpython#144809 */
    if (copy && (type == TYPE_WEAK_SET || type == TYPE_WEAK_DICT)) return true; /* Lib/weakref.py, _weakrefset.py */
    if (place_is_environ(p, &p->places.v[p->access_place[ga]]))
        return copy || (a->op == OP_CREAD && whole(sym_str(x, a->method)));
    if (type == TYPE_DEQUE && read_by_operator(x, a)) return true;
    if (a->op != OP_CREAD) return false;
    Str reader = extends_list(p, g.file, a) ? S("list") : sym_str(x, a->method);
    return !reader_is_safe(type, reader, access_is_view(p, ga));
}

static bool returned(const Program *p, u32 ga);

/* Everybody reads the environment, and few change it: only with both threads in sight. */
static void environ_walked(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (!access_walks(f->p, ga)) continue;
        Conflict c = conflict_find(f, ga, EFFECT_WRITE, false);
        if (c.witness == NONE || !c.roots) continue;
        Race *r = race_add(f, UG106, ga, c);
        race_message(f, r,
                     "os.environ is copied item by item here while line %u of %.*s sets a variable in another "
                     "thread; this then raises RuntimeError or KeyError",
                     program_access(f->p, c.witness)->line,
                     STR_ARG(f->p->facts[access_gid(f->p, c.witness).file]->source->path));
    }
}

/* sys.modules and the like: every import may change them. */
static void library_state(Finder *f)
{
    Str name = f->p->syms.strs[f->p->places.v[f->place].name];
    if (str_is(name, "warnings.filters")) return;
    if (place_is_environ(f->p, &f->p->places.v[f->place])) {
        environ_walked(f);
        return;
    }
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        const FuncInfo *fi = &f->p->funcs[access_func(f->p, ga)];
        if (!access_walks(f->p, ga) || returned(f->p, ga) || !(fi->nroots || fi->api) ||
            f->p->access_locks[ga] != 0 || broken_walk_caught(f->p, ga))
            continue;
        Race *r = race_add(f, UG106, ga, (Conflict){ga, fi->threads ? CONF_HIGH : CONF_MEDIUM, false});
        race_message(f, r,
                     "%.*s is walked while any other thread may import or register; it then raises \"dictionary "
                     "changed size during iteration\"",
                     STR_ARG(name));
    }
}

/* The body of the for loop that walks here, or NONE. */
static u32 loop_body(const Facts *x, const Access *walk)
{
    Str text = x->source->text; /* of a comprehension the statement begins with something else */
    if (!str_starts(str_slice(text, walk->stmt, text.n), S("for"))) return NONE;
    for (u32 b = walk->block + 1; b < x->blocks.n && x->blocks.v[b].func == walk->func; b++)
        if (x->blocks.v[b].kind == BLOCK_LOOP && x->blocks.v[b].parent == walk->block &&
            x->blocks.v[b].cond == NONE && x->blocks.v[b].span.start > walk->span.end)
            return b;
    return NONE;
}

/* for t in threads: if not t.is_alive(): threads.remove(t), and on it goes: every removal skips an item. */
static u32 removes_in_loop(const Finder *f, u32 i)
{
    GId g = access_gid(f->p, f->acc[i]);
    const Facts *x = f->p->facts[g.file];
    const Access *walk = &x->accesses.v[g.id];
    u32 body = walk->op == OP_ITER ? loop_body(x, walk) : NONE;
    if (body == NONE) return NONE;
    for (u32 k = i + 1; k < f->nacc && access_gid(f->p, f->acc[k]).file == g.file; k++) {
        const Access *a = program_access(f->p, f->acc[k]);
        if (a->func != walk->func) break;
        if (a->op == OP_METHOD && (f->effect[k] & EFFECT_SHRINK) && block_within(x, a->block, body) &&
            !x->blocks.v[a->block].exits)
            return f->acc[k];
    }
    return NONE;
}

static bool in_thread(const Program *p, u32 ga)
{
    return p->funcs[access_func(p, ga)].nroots > 0;
}

/* for x in items, while another thread takes out an item further to the front: the next one is not visited. */
static void items_skipped(Finder *f, u32 ga)
{
    Conflict c = conflict_find(f, ga, EFFECT_SHIFT, false);
    if (c.witness == NONE || access_is_view(f->p, ga)) return;
    const Access *w = program_access(f->p, c.witness);
    bool seen = in_thread(f->p, ga) || in_thread(f->p, c.witness);
    c.confidence = seen ? MIN(c.confidence, CONF_MEDIUM) : CONF_LOW;
    Race *r = race_add(f, UG106, ga, c);
    race_message(f, r,
                 "%.*s is walked here while %.*s:%u moves its items in another thread; the loop then skips or "
                 "repeats items without an error",
                 STR_ARG(short_state(f->p, f->place)),
                 STR_ARG(f->p->facts[access_gid(f->p, c.witness).file]->source->path), w->line);
}

static void walk_of_list(Finder *f, u32 i)
{
    const Place *x = &f->p->places.v[f->place];
    u32 ga = f->acc[i], taken = removes_in_loop(f, i);
    Conflict c = conflict_find(f, ga, EFFECT_GROW | EFFECT_SHRINK, true);
    if (c.witness == NONE) return;
    if (taken != NONE) {
        Race *r = race_add(f, UG106, ga, c);
        race_site(r, taken);
        race_message(f, r,
                     "%.*s is walked here while line %u of the loop takes items out of it; each one skips the next, "
                     "and other threads change it, too",
                     STR_ARG(short_state(f->p, f->place)), program_access(f->p, taken)->line);
        return;
    }
    const Access *w = program_access(f->p, c.witness);
    bool guarded = x->guard != NONE && !f->p->locks.v[x->guard].maybe && w->op == OP_METHOD &&
                   lockset_has(f->p, f->p->access_locks[c.witness], x->guard) &&
                   !lockset_has(f->p, f->p->access_locks[ga], x->guard);
    if (!guarded) {
        items_skipped(f, ga);
        return;
    }
    Race *r = race_add(f, UG108, ga, c);
    r->lock = x->guard;
    race_message(f, r,
                 "%.*s is walked here without %.*s, under which line %u changes it; items are skipped, or seen that "
                 "came too late",
                 STR_ARG(short_state(f->p, f->place)), STR_ARG(f->p->locks.v[x->guard].display), w->line);
}

static bool returned(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    return a->op == OP_CREAD && str_is(sym_str(p->facts[access_gid(p, ga).file], a->method), "return");
}

/* return (x for x in d): the caller walks it. */
static bool generated(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *a = &f->accesses.v[g.id];
    if (a->op != OP_ITER) return false;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->is_return && d->kind == VAL_GENERATOR && d->func == a->func && d->span.start <= a->span.start &&
            a->span.end <= d->span.end)
            return true;
    }
    return false;
}

/* with lock: return (x for x in d), or walked = map(f, d), which is used after the block */
static bool leaves_lock(const Finder *f, u32 ga)
{
    const Place *x = &f->p->places.v[f->place];
    return x->guard != NONE && lockset_has(f->p, f->p->access_locks[ga], x->guard) &&
           (generated(f->p, ga) || kept_past_lock(f->p, ga));
}

/* with lock: return d.items(): the lock is gone when the caller walks. Only where a lock guards the changes. `what`
 * leaves: a view, or a generator over it. */
static void view_leaves(Finder *f, u32 view, const char *what)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->guard == NONE || f->p->locks.v[x->guard].maybe) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (!(f->effect[i] & (EFFECT_GROW | EFFECT_SHRINK)) || !may_run_together(f->p, view, ga) ||
            !lockset_has(f->p, f->p->access_locks[ga], x->guard))
            continue;
        Race *r = race_add(f, UG106, view, (Conflict){ga, CONF_MEDIUM, false});
        r->lock = x->guard;
        race_message(f, r,
                     "%s %.*s leaves here, and whoever walks it does so without %.*s, under which line %u "
                     "changes its size",
                     what, STR_ARG(short_state(f->p, f->place)), STR_ARG(f->p->locks.v[x->guard].display),
                     program_access(f->p, ga)->line);
        return;
    }
}

/* for x in names(), where names() returns such an iterator: that is where it is reported. */
static bool loops_in_sight(const Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++)
        if (program_access(f->p, f->acc[i])->op == OP_ITER && access_of_iterator(f->p, f->acc[i])) return true;
    return false;
}

/* return iter(d), def __iter__(self): return iter(self._d): who walks it does so while others change the container,
 * as in a loop that stood here. Nothing is said where the loops are in sight, and of views: those may be asked again.
 */
static void iterator_leaves(Finder *f, u32 ga)
{
    const Program *p = f->p;
    if ((access_is_view(p, ga) && !reads_lazily(p, ga)) || loops_in_sight(f)) return;
    Conflict c = conflict_find(f, ga, EFFECT_GROW | EFFECT_SHRINK, false);
    if (c.witness == NONE || program_access(p, c.witness)->op == OP_DEL) return;
    c.confidence = MIN(c.confidence, CONF_MEDIUM);
    Race *r = race_add(f, UG106, ga, c);
    race_message(
        f, r,
        "an iterator over %.*s leaves here, and %.*s:%u changes its size in another thread; whoever walks it "
        "then gets RuntimeError or misses items",
        STR_ARG(short_state(p, f->place)), STR_ARG(p->facts[access_gid(p, c.witness).file]->source->path),
        program_access(p, c.witness)->line);
}

/* json and pickle read a list in C without its lock, and may crash when it changes (docs/memory-model.md). */
static void dump_of_list(Finder *f, u32 ga)
{
    Str name = first_argument_of(f, ga);
    bool json = str_is(name, "json.dumps") || str_is(name, "json.dump");
    bool pickle = str_is(name, "pickle.dumps") || str_is(name, "pickle.dump");
    if (!(json && f->p->options->target < 15) && !(pickle && f->p->options->target < 14)) return;
    Conflict c = conflict_find(f, ga, EFFECT_GROW | EFFECT_SHRINK, false);
    if (c.witness == NONE) return;
    if (!c.roots) c.confidence = CONF_LOW;
    Race *r = race_add(f, UG106, ga, c);
    race_message(f, r, "%.*s reads %.*s here while line %u of %.*s changes it in another thread; Python may crash",
                 STR_ARG(name), STR_ARG(short_state(f->p, f->place)), program_access(f->p, c.witness)->line,
                 STR_ARG(f->p->facts[access_gid(f->p, c.witness).file]->source->path));
}

static void lists_walked(Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        if (f->claimed[f->acc[i]]) continue;
        u8 op = program_access(f->p, f->acc[i])->op;
        if ((op == OP_ITER || op == OP_CREAD) && leaves_lock(f, f->acc[i]))
            view_leaves(f, f->acc[i], op == OP_ITER ? "a generator over" : "an iterator over");
        else if (op == OP_ITER)
            walk_of_list(f, i);
        if (op == OP_CREAD && returned(f->p, f->acc[i])) {
            if (!access_is_view(f->p, f->acc[i]) && !loops_in_sight(f)) view_leaves(f, f->acc[i], "an iterator over");
        } else if (op == OP_CREAD)
            dump_of_list(f, f->acc[i]);
    }
}

void race_iterate(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->file == NONE) {
        library_state(f);
        return;
    }
    if (x->type.kind == TYPE_LIST) lists_walked(f);
    bool known = dict_like(x->type.kind);
    if (!known && !((x->type.kind == TYPE_UNKNOWN || x->type.kind == TYPE_NONE) && used_as_dict(f))) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        u32 to = NONE;
        bool view = false;
        if (f->claimed[ga] || (!access_walks(f->p, ga) && (to = passed_walk(f->p, ga, &view)) == NONE)) continue;
        if (returned(f->p, ga)) {
            u32 before = f->out->n;
            view_leaves(f, ga, access_is_view(f->p, ga) ? "a view of" : "an iterator over");
            if (f->out->n == before && x->guard == NONE) iterator_leaves(f, ga);
            continue;
        }
        if (leaves_lock(f, ga)) {
            view_leaves(f, ga, program_access(f->p, ga)->op == OP_ITER ? "a generator over" : "an iterator over");
            continue;
        }
        Conflict c = conflict_find(f, ga, EFFECT_GROW | EFFECT_SHRINK, false);
        if (c.witness == NONE) continue;
        if (program_access(f->p, c.witness)->op == OP_DEL) continue;
        if (!known && c.confidence > CONF_MEDIUM) c.confidence = CONF_MEDIUM;
        bool gap = x->guard != NONE && !f->p->locks.v[x->guard].maybe &&
                   lockset_has(f->p, f->p->access_locks[c.witness], x->guard);
        Race *r = race_add(f, gap ? UG108 : UG106, ga, c);
        if (gap) r->lock = x->guard;
        const Access *w = program_access(f->p, c.witness);
        GId g = access_gid(f->p, c.witness);
        if (to != NONE) {
            race_message(f, r,
                         "%.*s is walked %s %.*s, to which it is passed here, while %.*s:%u changes its size in "
                         "another thread; this then raises RuntimeError or misses items",
                         STR_ARG(short_state(f->p, f->place)), view ? "through a view from" : "in",
                         STR_ARG(func_display(f->a, f->p, to)), STR_ARG(f->p->facts[g.file]->source->path), w->line);
            continue;
        }
        if (x->type.kind == TYPE_QUEUE) {
            race_message(f, r,
                         "the container inside %.*s is walked here while %.*s:%u puts or takes in another thread; "
                         "hold its mutex",
                         STR_ARG(short_state(f->p, f->place)), STR_ARG(f->p->facts[g.file]->source->path), w->line);
            continue;
        }
        race_message(f, r,
                     "%.*s is walked here while %.*s:%u changes its size in another thread; this then raises "
                     "RuntimeError or misses items",
                     STR_ARG(short_state(f->p, f->place)), STR_ARG(f->p->facts[g.file]->source->path), w->line);
    }
}
