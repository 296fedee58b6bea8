/* UG103, UG101 about state that others find before it is whole: bound first, filled afterwards.
 *
 *   if self._table is None:                    self.names = {}
 *       with self._lock:                       for name in read():
 *           if self._table is None:                self.names[name] = 1
 *               self._table = {}
 *               self._table.update(read())     # lookups elsewhere miss names that were always there
 *
 * A lock around both steps does not help who reads without it. Made first and bound last, the state is always whole.
 * A table that is loaded anew in place, table.clear(); table.update(read()), is the same: look-ups in between find it
 * empty. What is emptied to begin anew, and caches, which their readers fill, are meant to be found so.
 *
 * And state in two parts, of which the one that is asked for is bound first:
 *
 *   if _version is None:                       # another thread finds _version, goes on,
 *       _version = read()                      # and takes None for _parsed
 *       _parsed = parse(_version)
 *   return _parsed
 *
 * Needs the accesses of one place. What is bound is an empty container, or, where a test without the lock finds it,
 * an object that is set up by a call on it or by storing its attributes. The second form only with both threads in
 * sight: of 24 in code that nobody runs in threads, read as maintainers would, 3 were true, since most of it sets a
 * program up. The findings name no place to the fixes: the cure is another order of the statements. */
#include "races/races.h"

enum { FINDINGS = 2 }; /* of one place */

static bool sets_up(Str name)
{
    static const char *const words[] = {"init",      "initialize", "initialise", "setup", "load",
                                        "configure", "populate",   "build",      "fill",  "prepare"};
    while (name.n && name.p[0] == '_') name = str_slice(name, 1, name.n);
    return str_starts_any(name, words, COUNT_OF(words));
}

/* Does access k, later in the function, complete what access i has bound? */
static bool completes(const Finder *f, u32 i, u32 k, bool object)
{
    const Program *p = f->p;
    const Access *a = program_access(p, f->acc[i]), *b = program_access(p, f->acc[k]);
    const Facts *x = p->facts[access_file(p, f->acc[i])];
    if (b->stmt == a->stmt || !block_within(x, b->block, a->block)) return false;
    if (object) return b->op == OP_METHOD && b->block == a->block && sets_up(sym_str(x, b->method));
    return f->effect[k] & EFFECT_GROW && !(f->effect[k] & EFFECT_REBIND);
}

/* pool = Pool(); pool.size = 4: the access that stores an attribute of what access i has bound, NONE. */
static u32 attribute_set(const Finder *f, u32 i)
{
    const Program *p = f->p;
    u32 file = access_file(p, f->acc[i]);
    const Facts *x = p->facts[file];
    const Access *a = program_access(p, f->acc[i]);
    const Path *q = &x->paths.v[a->path];
    const Func *fn = &x->funcs.v[a->func];
    for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
        const Access *b = &x->accesses.v[k];
        const Path *r = &x->paths.v[b->path];
        if (b->op == OP_STORE && b->stmt > a->stmt && b->block == a->block && r->root == q->root &&
            r->func == q->func && r->name == q->name && r->nattr == q->nattr + 1 &&
            !memcmp(r->attr, q->attr, q->nattr * sizeof *q->attr))
            return p->access_base[file] + k;
    }
    return NONE;
}

/* The first access that completes what access i has bound, unless another value is bound before. */
static u32 completed_by(const Finder *f, u32 i, bool object)
{
    const Access *a = program_access(f->p, f->acc[i]);
    u32 file = access_file(f->p, f->acc[i]);
    for (u32 k = i + 1; k < f->nacc && access_file(f->p, f->acc[k]) == file; k++) {
        const Access *b = program_access(f->p, f->acc[k]);
        if (b->func != a->func || b->op == OP_STORE || b->op == OP_DEL) break;
        if (completes(f, i, k, object)) return f->acc[k];
    }
    return object ? attribute_set(f, i) : NONE;
}

/* Does it look into the state, so that what is missing there matters? */
static bool looks_into(const Finder *f, u32 k)
{
    const Access *a = program_access(f->p, f->acc[k]);
    if (f->effect[k] & EFFECT_WRITE || failure_caught(f->p, f->acc[k])) return false;
    return a->op == OP_CONTAINS || a->op == OP_ITEM_LOAD || a->op == OP_ITER || a->op == OP_METHOD;
}

/* Is it asked, on the way to access i, whether the state is there? */
static bool asks(const Finder *f, u32 k, u32 i)
{
    const Access *a = program_access(f->p, f->acc[k]);
    return (a->op == OP_TRUTH || a->op == OP_HASATTR) && a->test && k < i && test_decides(f->p, f->acc[k], f->acc[i]);
}

/* The same in another function, on the way to a call of the one that binds it: if _table is None: _build(). */
static bool asks_and_calls(const Finder *f, u32 k, u32 i)
{
    const Access *a = program_access(f->p, f->acc[k]);
    return (a->op == OP_TRUTH || a->op == OP_HASATTR) && a->test &&
           test_decides_call(f, f->acc[k], access_func(f->p, f->acc[i]));
}

/* Who may find the state half made: `lazy`, a test without the lock on the way to access i; else a look from another
 * function. */
static Conflict found_by(const Finder *f, u32 i, u32 fill, bool lazy)
{
    const Program *p = f->p;
    Conflict best = {NONE, CONF_LOW, false};
    for (u32 k = 0; k < f->nacc; k++) {
        bool here = access_func(p, f->acc[k]) == access_func(p, f->acc[i]);
        if (lazy ? !(here ? asks(f, k, i) : asks_and_calls(f, k, i)) : here || !looks_into(f, k)) continue;
        if (access_fills(p, f->acc[k])) continue;
        u32 own = p->access_place[fill] == f->place ? fill : f->acc[i];
        Conflict c = conflict_of(f, own, f->acc[k]);
        if (c.witness == NONE || (best.witness != NONE && best.confidence >= c.confidence)) continue;
        best = c;
    }
    return best;
}

static bool report(Finder *f, u32 i, bool object, bool lazy)
{
    const Program *p = f->p;
    u32 ga = f->acc[i], fill = completed_by(f, i, object);
    if (fill == NONE) return false;
    Conflict c = found_by(f, i, fill, lazy);
    if (c.witness == NONE || (!lazy && !c.roots)) return false;
    if (c.confidence > CONF_MEDIUM) c.confidence = CONF_MEDIUM;
    Race *r = race_add(f, lazy ? UG103 : UG101, ga, c);
    r->act = ga;
    r->by_shape = true;
    r->by_hand = "a lock here does not help who reads without it; made whole first and bound last, it needs none";
    const Access *w = program_access(p, c.witness);
    if (p->access_place[fill] == f->place) race_site(r, fill);
    race_message(f, r,
                 "%.*s is bound here and %s only from line %u on; a thread that %s on line %u of %.*s finds it half "
                 "made; make it first and bind it last",
                 STR_ARG(short_state(p, f->place)), object ? "set up" : "filled", program_access(p, fill)->line,
                 lazy ? "asks for it without the lock" : "looks into it", w->line,
                 STR_ARG(p->facts[access_file(p, c.witness)]->source->path));
    return true;
}

/* ---- two parts, the one that is asked for bound first ---- */

/* Is the place None, or not there, until the function binds it? */
static bool none_before(const Program *p, u32 place, u32 func)
{
    const Place *y = &p->places.v[place];
    for (u32 i = y->first; i < y->first + y->n; i++) {
        u32 ga = p->place_access.v[i];
        if (program_access(p, ga)->op != OP_STORE || access_func(p, ga) == func) continue;
        const Def *d = stored_def(p, ga);
        if (!d || d->kind != VAL_NONE) return false;
    }
    return true;
}

/* Does the function call the one that binds both parts? */
static bool calls(const Finder *f, u32 caller, u32 callee)
{
    for (u32 i = f->called_first[callee]; i < f->called_first[callee + 1]; i++)
        if (f->p->edges.v[f->called[i]].caller == caller) return true;
    return false;
}

/* Does the function ask for the part itself before it uses it? */
static bool asks_itself(const Program *p, const Place *y, u32 use)
{
    for (u32 i = y->first; i < y->first + y->n; i++) {
        u32 ga = p->place_access.v[i];
        if (access_func(p, ga) == access_func(p, use) && program_access(p, ga)->test && test_decides(p, ga, use))
            return true;
    }
    return false;
}

/* A use of the second part by who relies on the test of the first: after the branch of access `a`, or in a function
 * that calls this one. NONE where each use asks for the part itself. */
static u32 relies_on(const Finder *f, u32 ga, u32 place)
{
    const Program *p = f->p;
    const Access *a = program_access(p, ga);
    const Facts *x = p->facts[access_file(p, ga)];
    const Place *y = &p->places.v[place];
    for (u32 i = y->first; i < y->first + y->n; i++) {
        u32 gb = p->place_access.v[i];
        const Access *b = program_access(p, gb);
        bool here = access_func(p, gb) == access_func(p, ga);
        if (b->op == OP_STORE || b->op == OP_DEL || b->test || failure_caught(p, gb)) continue;
        if (p->tests[access_file(p, gb)]) continue;
        if (here ? b->span.start < x->blocks.v[a->block].span.end : !calls(f, access_func(p, gb), access_func(p, ga)))
            continue;
        if (!asks_itself(p, y, gb)) return gb;
    }
    return NONE;
}

/* The store of a second part that follows access `ga` in its block, where somebody relies on it; NONE. */
static u32 second_part(const Finder *f, u32 ga, u32 *use)
{
    const Program *p = f->p;
    u32 file = access_file(p, ga);
    const Access *a = program_access(p, ga);
    const Place *x = &p->places.v[f->place];
    const Func *fn = &p->facts[file]->funcs.v[a->func];
    for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
        const Access *b = &p->facts[file]->accesses.v[k];
        u32 gb = p->access_base[file] + k, place = p->access_place[gb];
        if (b->op != OP_STORE || b->stmt <= a->stmt || b->block != a->block || place == NONE || place == f->place)
            continue;
        const Place *y = &p->places.v[place];
        const Def *d = stored_def(p, gb);
        if (y->kind != x->kind || y->file != x->file || y->owner != x->owner || !d || d->kind == VAL_NONE) continue;
        if (!none_before(p, place, access_func(p, ga))) continue;
        *use = relies_on(f, ga, place);
        if (*use != NONE) return gb;
    }
    return NONE;
}

bool race_in_parts(Finder *f, Race *r)
{
    const Program *p = f->p;
    u32 use, second = second_part(f, r->act, &use);
    const Def *d = stored_def(p, r->act);
    if (second == NONE || !d || d->kind == VAL_NONE) return false;
    race_message(f, r,
                 "%.*s, which line %u tests, is bound here and %.*s only on line %u; a thread that comes in between "
                 "finds the first and takes the second, on line %u of %.*s, as it was",
                 STR_ARG(short_state(p, f->place)), program_access(p, r->test)->line,
                 STR_ARG(short_state(p, p->access_place[second])), program_access(p, second)->line,
                 program_access(p, use)->line, STR_ARG(p->facts[access_file(p, use)]->source->path));
    r->in_parts = true;
    return true;
}

/* ---- loaded anew in place ---- */

/* Does access k put back what access i has taken out: all at once, or in a loop? */
static bool reloads(const Finder *f, u32 i, u32 k)
{
    const Program *p = f->p;
    const Access *a = program_access(p, f->acc[i]), *b = program_access(p, f->acc[k]);
    const Facts *x = p->facts[access_file(p, f->acc[i])];
    if (!(f->effect[k] & EFFECT_GROW) || f->effect[k] & EFFECT_REBIND || !block_within(x, b->block, a->block))
        return false;
    if (b->op == OP_AUG) return true; /* table |= new, rows += new */
    Str method = b->op == OP_METHOD ? sym_str(x, b->method) : S("");
    if (str_is(method, "update") || str_is(method, "extend")) return true;
    return b->block != a->block && x->blocks.v[b->block].repeats && !x->blocks.v[a->block].repeats;
}

/* The access that fills what access i empties, in the same function; NONE. */
static u32 reloaded_by(const Finder *f, u32 i)
{
    const Access *a = program_access(f->p, f->acc[i]);
    u32 file = access_file(f->p, f->acc[i]);
    if (a->op != OP_METHOD || !a->func || !str_is(access_method(f->p, f->acc[i]), "clear")) return NONE;
    for (u32 k = i + 1; k < f->nacc && access_file(f->p, f->acc[k]) == file; k++) {
        const Access *b = program_access(f->p, f->acc[k]);
        if (b->func != a->func || b->op == OP_STORE || b->op == OP_DEL) break;
        if (reloads(f, i, k)) return f->acc[k];
    }
    return NONE;
}

/* Does the reader's function fill the state itself, as caches are, or take from it? */
static bool fills_itself(const Finder *f, u32 reader)
{
    for (u32 k = 0; k < f->nacc; k++)
        if (access_func(f->p, f->acc[k]) == access_func(f->p, reader) && f->effect[k] & EFFECT_WRITE) return true;
    return false;
}

/* Who may find the state empty: a look from another function. */
static Conflict found_empty(const Finder *f, u32 i)
{
    Conflict best = {NONE, CONF_LOW, false};
    for (u32 k = 0; k < f->nacc; k++) {
        if (access_func(f->p, f->acc[k]) == access_func(f->p, f->acc[i]) || !looks_into(f, k)) continue;
        if (access_fills(f->p, f->acc[k]) || fills_itself(f, f->acc[k])) continue;
        Conflict c = conflict_of(f, f->acc[i], f->acc[k]);
        if (c.witness == NONE || (best.witness != NONE && best.confidence >= c.confidence)) continue;
        best = c;
    }
    return best;
}

static bool report_reload(Finder *f, u32 i)
{
    const Program *p = f->p;
    u32 ga = f->acc[i], fill = reloaded_by(f, i);
    Conflict c = fill == NONE ? (Conflict){.witness = NONE} : found_empty(f, i);
    if (c.witness == NONE) return false;
    if (p->places.v[f->place].kind == PLACE_INSTANCE ? !c.roots : !speaks_of_threads(f, ga, c.witness))
        c.confidence = CONF_LOW;
    c.confidence = MIN(c.confidence, CONF_MEDIUM);
    Race *r = race_add(f, UG101, ga, c);
    r->act = ga;
    r->by_shape = true;
    r->by_hand = "a lock here does not help who reads without it; a new one, made whole and bound last, needs none";
    race_site(r, fill);
    race_message(f, r,
                 "%.*s is emptied here and filled again from line %u on; a thread that looks into it on line %u of "
                 "%.*s in between finds it empty; make a new one first and bind it last",
                 STR_ARG(short_state(p, f->place)), program_access(p, fill)->line, program_access(p, c.witness)->line,
                 STR_ARG(p->facts[access_file(p, c.witness)]->source->path));
    return true;
}

void race_halfway(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    bool kind = x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR || x->kind == PLACE_INSTANCE;
    if (!kind || x->file == NONE || x->of != NONE) return;
    for (u32 i = 0, found = 0; i < f->nacc && found < FINDINGS; i++) {
        u32 ga = f->acc[i];
        const Access *a = program_access(f->p, ga);
        if (f->claimed[ga] || !access_counts(f->p, ga)) continue;
        if (a->op == OP_METHOD && type_is_container(x->type.kind)) found += report_reload(f, i);
        if (a->op != OP_STORE || !a->func) continue;
        bool object = x->type.kind == TYPE_CLASS && stores_object(f->p, ga);
        if (!object && !(type_is_container(x->type.kind) && stores_empty(f->p, ga))) continue;
        found += report(f, i, object, true) || (!object && report(f, i, object, false));
    }
}
