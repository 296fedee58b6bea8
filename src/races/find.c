/* Runs the rules: first those about places, one place at a time, then those about files and locks; silences, filters,
 * sorts. A finding that a stronger rule has made of the same access is not made again (Finder.claimed). */
#include "races/races.h"

/* What a thread-local holds is each thread's own; the thread-local itself is everybody's, and must be one. */
static bool made_for_threads(const Place *x)
{
    return x->type.kind == TYPE_LOCAL && (x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR);
}

/* An event, or what is each thread's own: how it is used is in order, but threads must have the same one. */
static bool meant_to_be_one(const Place *x)
{
    return x->type.kind == TYPE_EVENT || (x->type.kind == TYPE_LOCAL && x->kind == PLACE_INSTANCE);
}

static bool worth_looking(const Place *x)
{
    bool lock = (x->is_lock && x->type.kind != TYPE_ASYNC_LOCK) || meant_to_be_one(x);
    return x->n && x->display.n && !x->inner && (is_data(x) || made_for_threads(x) || lock);
}

/* d["new"] of a defaultdict adds the key. (What other subclasses of dict do is not known.) */
static bool is_insert(const Program *p, u32 place, u32 ga)
{
    Str name = p->syms.strs[p->places.v[place].name];
    return program_access(p, ga)->op == OP_ITEM_LOAD && !(name.n && name.p[0] == '<');
}

/* if key in d: d[key] finds the key. */
static bool key_tested(const Program *p, const u32 *accesses, u32 at)
{
    for (u32 i = at; i-- > 0 && access_gid(p, accesses[i]).file == access_gid(p, accesses[at]).file;) {
        const Access *t = program_access(p, accesses[i]);
        if (t->func != program_access(p, accesses[at])->func) return false;
        if (t->op == OP_CONTAINS && t->test == TEST_IN && same_key(p, accesses[i], accesses[at]) &&
            test_decides(p, accesses[i], accesses[at]))
            return true;
    }
    return false;
}

static bool holds_items(u8 t)
{
    return t == TYPE_DICT || t == TYPE_SET || t == TYPE_DEQUE || t == TYPE_ORDERED_DICT || t == TYPE_DEFAULT_DICT;
}

/* def f(options={}): options.pop("x", None): an empty default that nobody fills stays empty; where an entry is only
 * replaced, too. */
static bool stays_empty(const Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->kind != PLACE_DEFAULT || x->type.kind == TYPE_GENERATOR || x->type.kind == TYPE_ITERATOR) return false;
    GId g = func_gid(f->p, x->owner);
    const Facts *facts = f->p->facts[g.file];
    const Func *fn = &facts->funcs.v[g.id];
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++) {
        const Param *q = &facts->params.v[i];
        bool empty = q->empty || (q->def_kind == VAL_CALL && !facts->calls.v[q->def_value].nargs);
        if (str_eq(sym_str(facts, q->name), f->p->syms.strs[x->name]) && !empty) return false;
    }
    for (u32 i = 0; i < f->nacc; i++)
        if (f->effect[i] & EFFECT_WRITE && !(f->effect[i] & (EFFECT_SHRINK | EFFECT_REBIND)) &&
            !(program_access(f->p, f->acc[i])->op == OP_ITEM_STORE && key_tested(f->p, f->acc, i)))
            return false;
    return true;
}

/* State that nobody writes stays as it is, unless it is consumed or written by calls; or its object changes. */
static bool never_changes(const Place *x)
{
    u8 type = x->type.kind;
    return x->file != NONE && type != TYPE_GENERATOR && type != TYPE_ITERATOR && type != TYPE_EXTERNAL;
}

/* What each access does to the place. Does any that counts change it? */
static bool effects_find(Finder *f, Arena *scratch)
{
    const Place *x = &f->p->places.v[f->place];
    const u32 *acc = f->p->place_access.v + x->first;
    f->acc = acc;
    f->nacc = x->n;
    u8 *effect = arena_new(scratch, u8, x->n);
    bool written = false;
    for (u32 i = 0; i < x->n; i++) {
        effect[i] = (u8)access_effect(f->p, acc[i]);
        if (x->type.kind == TYPE_DEFAULT_DICT && is_insert(f->p, f->place, acc[i]) && !key_tested(f->p, acc, i))
            effect[i] |= EFFECT_GROW;
        if (holds_items(x->type.kind)) effect[i] |= (u8)passed_effect(f->p, acc[i]);
        effect[i] |= (u8)argument_effect(f, acc[i]);
        written |= effect[i] & (EFFECT_WRITE | EFFECT_GROW) && access_counts(f->p, acc[i]);
    }
    keys_there(f->p, x, acc, effect);
    f->effect = effect;
    return written;
}

/* The rules for a place, in the order in which they are asked: a rule claims the accesses that it reports, and those
 * behind it leave them alone. So what a comment declares comes first, then what says most about an access: a test or
 * an update with its act, before a walk or an access that merely lacks the lock. */
typedef void (*Rule)(Finder *);
static const Rule of_unwritten[] = {race_attributes, race_object, race_iterator, race_stream, race_conversation,
                                    race_exchange,   race_record, race_buffer,   NULL};
static const Rule of_lock[] = {race_lazy_lock, NULL};
static const Rule of_threads[] = {race_check, race_helper, NULL};
static const Rule of_data[] = {race_declared,     race_check,     race_missing,    race_helper,   race_ensured,
                               race_update,       race_numbered,  race_taken,      race_asked,    race_peek,
                               race_copied_keys,  race_single,    race_paced,      race_restored, race_saved,
                               race_taken_reset,  race_by_setter, race_on_entry,   race_entries,  race_kept_place,
                               race_default,      race_iterate,   race_attributes, race_iterator, race_stream,
                               race_conversation, race_exchange,  race_record,     race_buffer,   race_answered,
                               race_closed,       race_fields,    race_moved,      race_guard,    race_reset,
                               race_intrudes,     race_object,    race_growth,     race_set_back, race_readback,
                               race_drawn,        race_scratch,   race_told,       race_emptied,  NULL};
static const Rule of_uncured[] = {race_halfway, race_early, race_late, NULL}; /* of data as well: a lock is no cure */

static void rules_run(Finder *f, const Rule *rules)
{
    for (; *rules; rules++) (*rules)(f);
}

static const Rule *rules_for(const Place *x, bool written)
{
    if (meant_to_be_one(x)) return of_lock;
    if (!written && never_changes(x)) return of_unwritten;
    if (x->is_lock) return of_lock;
    return made_for_threads(x) ? of_threads : of_data;
}

/* Findings that no lock of the program cures, since the object has one of its own. */
static void locks_of_others(Finder *f, u32 first)
{
    bool queue = f->p->places.v[f->place].type.kind == TYPE_QUEUE, processes = place_of_processes(f->p, f->place);
    for (u32 i = first; i < f->out->n; i++) {
        Race *r = &f->out->v[i];
        if (processes || (queue && r->rule == UG106)) r->place = NONE;
        if (processes)
            r->by_hand = "its own lock has to be taken, get_lock(): other processes see no lock of threads";
    }
}

static void place_rules(Finder *f, Arena *scratch)
{
    const Place *x = &f->p->places.v[f->place];
    const Rule *rules = rules_for(x, effects_find(f, scratch));
    f->talks = talks_of_place(f);
    u32 first = f->out->n;
    if (rules != of_unwritten && stays_empty(f)) return;
    rules_run(f, rules);
    u32 uncured = f->out->n;
    if (rules == of_data) rules_run(f, of_uncured);
    u32 end = f->out->n;
    races_weigh(f, first);
    for (u32 i = uncured; i < end; i++) f->out->v[i].place = NONE;
    if (rules == of_data && f->out->n > first) locks_of_others(f, first);
}

static int race_cmp(const void *a, const void *b)
{
    const Race *x = a, *y = b;
    if (x->file != y->file) return x->file < y->file ? -1 : 1;
    if (x->span.start != y->span.start) return x->span.start < y->span.start ? -1 : 1;
    if (x->rule != y->rule) return x->rule < y->rule ? -1 : 1;
    return x->fingerprint < y->fingerprint ? -1 : x->fingerprint > y->fingerprint;
}

Confidence confidence_wanted(const Options *o, u8 rule)
{
    for (u32 i = o->rule_settings.n; i-- > 0;) {
        const RuleSetting *s = &o->rule_settings.v[i];
        if (s->min_confidence >= 0 && rule_selected((RuleId)rule, &s->code, 1)) return (Confidence)s->min_confidence;
    }
    return o->min_confidence;
}

static void severity_set(const Options *o, Race *r)
{
    for (u32 i = 0; i < o->rule_settings.n; i++) {
        const RuleSetting *s = &o->rule_settings.v[i];
        if (s->severity >= 0 && rule_selected((RuleId)r->rule, &s->code, 1)) r->severity = (u8)s->severity;
    }
}

bool race_wanted(const Options *o, Str path, const Race *r)
{
    if (r->confidence < confidence_wanted(o, r->rule)) return false;
    if (o->select.n && !rule_selected(r->rule, o->select.v, o->select.n)) return false;
    if (o->ignore.n && rule_selected(r->rule, o->ignore.v, o->ignore.n)) return false;
    bool opt_in = r->rule == UG902 || r->rule == UG601 || r->rule == UG602 || r->rule == UG603;
    if (opt_in && !(o->select.n && rule_selected(r->rule, o->select.v, o->select.n))) return false;
    return !path_ignores_rule(o, path, r->rule);
}

static void single_threaded(const Program *p, RaceVec *out)
{
    u32 n = 0;
    for (u32 i = 0; i < out->n; i++) {
        const Facts *x = p->facts[out->v[i].file];
        bool quiet = false;
        for (u32 k = 0; k < x->comments.n; k++) {
            const Comment *c = &x->comments.v[k];
            if (c->kind != COMMENT_SINGLE_THREADED && c->kind != COMMENT_THREAD_CONFINED) continue;
            quiet |= out->v[i].line >= c->first_line && out->v[i].line <= c->last_line;
        }
        if (!quiet) out->v[n++] = out->v[i];
    }
    out->n = n;
}

/* The edges once more, by who is called. */
static void callers_index(Finder *f)
{
    const Program *p = f->p;
    u32 n = p->func_base[p->nfiles];
    f->called_first = arena_new(f->scratch, u32, n + 2);
    f->called = arena_new(f->scratch, u32, p->edges.n + 1);
    for (u32 i = 0; i < p->edges.n; i++) f->called_first[p->edges.v[i].callee + 2]++;
    for (u32 i = 0; i <= n; i++) f->called_first[i + 1] += f->called_first[i];
    for (u32 i = 0; i < p->edges.n; i++) f->called[f->called_first[p->edges.v[i].callee + 1]++] = i;
}

void races_all(Arena *a, const Program *p, RaceVec *out)
{
    Arena scratch = {0};
    Finder f = {.told_of = NONE,
                .loops_at = NONE,
                .a = a,
                .scratch = &scratch,
                .p = p,
                .out = out,
                .claimed = arena_new(&scratch, u8, p->access_base[p->nfiles] + 1)};
    callers_index(&f);
    arguments_index(&f);
    for (u32 i = 0; i < p->places.n && !f.events; i++) f.events = p->places.v[i].type.kind == TYPE_EVENT;
    for (u32 i = 0; i < p->places.n; i++) {
        if (!worth_looking(&p->places.v[i])) continue;
        f.place = i;
        Arena room = {0};
        place_rules(&f, &room);
        arena_free(&room);
    }
    starters_index(&f);
    for (u32 file = 0; file < p->nfiles; file++) {
        race_start(&f, file);
        race_build(&f, file);
        race_hot_lock(&f, file);
        race_workers(&f, file);
        race_discipline(&f, file);
        race_condition(&f, file);
        race_settings(&f, file);
        race_replaced(&f, file);
        race_for_a_while(&f, file);
        race_context_default(&f, file);
        race_options(&f, file);
        race_cached(&f, file);
        race_files(&f, file);
        race_handlers(&f, file);
        race_entered(&f, file);
        race_published(&f, file);
        race_exposed(&f, file);
        race_first_use(&f, file);
        race_module_gauss(&f, file);
    }
    race_lock_order(&f);
    race_serial(&f);
    single_threaded(p, out);
    races_weigh_files(p, &scratch, out);
    races_suppress(&f);
    if (out->n) qsort(out->v, out->n, sizeof *out->v, race_cmp);
    arena_free(&scratch);
}

void races_wanted(Arena *a, const Program *p, const RaceVec *all, RaceVec *out)
{
    for (u32 i = 0; i < all->n; i++) {
        if (!race_wanted(p->options, p->facts[all->v[i].file]->source->path, &all->v[i])) continue;
        vec_push(a, out, all->v[i]);
        severity_set(p->options, &out->v[out->n - 1]);
    }
}

void races_find(Arena *a, const Program *p, RaceVec *out)
{
    RaceVec all = {0};
    races_all(a, p, &all);
    races_wanted(a, p, &all, out);
}
