/* Keys that a dict was filled with, so that a store under one of them, or a subscript of a defaultdict, adds nothing:
 * strings of the literal that it was filled from, keys that a function which was called before has looked up, names
 * of a literal list all of which the dict's literal has, and what the dict holds itself.
 *
 * When it is filled is not asked: what is walked by threads was filled by a program's start, or the subscript would
 * have raised. Not seen: literals of other modules' objects behind parameters. */
#include "races/races.h"

/* Does one of the literals that the place is given have the key? */
static bool place_has(const Program *p, const Place *x, Str key)
{
    if (x->def != NONE &&
        dict_literal_has(dict_literal_of(p->facts[x->def_file], &p->facts[x->def_file]->defs.v[x->def]), key))
        return true;
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = p->place_access.v[i];
        const Access *a = program_access(p, ga);
        const Facts *f = p->facts[access_file(p, ga)];
        if (a->op == OP_STORE && a->value != NONE && dict_literal_has(dict_literal_of(f, &f->defs.v[a->value]), key))
            return true;
    }
    return false;
}

/* The place of an access whose items the call or loop takes that stands at the span; NONE. */
static const Place *source_of(const Program *p, u32 file, u32 access)
{
    u32 place = p->access_place[p->access_base[file] + access];
    return place == NONE ? NULL : &p->places.v[place];
}

/* for name in DEFAULTS: d[name] = {}: the places whose items the loop around the store gives it as keys. */
static void loop_sources(Filling *w, const Program *p, u32 ga)
{
    u32 file = access_file(p, ga);
    const Facts *f = p->facts[file];
    const Access *store = program_access(p, ga);
    const Func *fn = &f->funcs.v[store->func];
    if (store->op != OP_ITEM_STORE || store->key == SYM_EMPTY) return;
    u32 bound = local_bound_by(f, store->func, store->key, store->span.start);
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses && bound != NONE; i++) {
        const Access *a = &f->accesses.v[i];
        if (a->stmt != bound || a->span.start > store->span.start) continue;
        const Place *from = walks_keys(f, a) || copies_keys(f, a) ? source_of(p, file, i) : NULL;
        if (from && (!w->sources.n || w->sources.v[w->sources.n - 1] != from)) vec_push(&w->a, &w->sources, from);
    }
}

static bool updates(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    return a->op == OP_METHOD && a->nargs == 1 && str_is(sym_str(p->facts[access_file(p, ga)], a->method), "update");
}

/* d.update(DEFAULTS), d.update({"key": …}) */
static bool filled_by_update(const Program *p, u32 ga, Str key)
{
    u32 file = access_file(p, ga);
    const Facts *f = p->facts[file];
    const Access *a = program_access(p, ga);
    Str text = str_slice(f->source->text, a->span.start, a->span.end);
    size_t open = str_search(text, S(".update("));
    if (open == text.n) return false;
    Str arg = str_trim(str_slice(text, open + 8, text.n));
    if (str_starts(arg, S("{"))) return dict_literal_has(arg, key);
    const Func *fn = &f->funcs.v[a->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *given = &f->accesses.v[i];
        if (given->op != OP_CREAD || !span_within(given->span, a->span)) continue;
        const Place *from = source_of(p, file, i);
        if (from && place_has(p, from, key)) return true;
    }
    return false;
}

/* d[key] = 1: does it put the key there, where nobody else has the dict? */
static bool puts_alone(const Program *p, const Place *x, u32 ga)
{
    const Access *a = program_access(p, ga);
    bool puts = a->op == OP_ITEM_STORE || a->op == OP_ITEM_AUG ||
                (a->op == OP_ITEM_LOAD && x->type.kind == TYPE_DEFAULT_DICT);
    return puts && !access_counts(p, ga);
}

static u64 key_hash(Str key)
{
    return str_hash(key) >> 1;
}

static Str key_of(const Program *p, u32 ga)
{
    return sym_str(p->facts[access_file(p, ga)], program_access(p, ga)->key);
}

static void filling_find(Filling *w, const Program *p, const Place *x, const u32 *acc)
{
    w->found = true;
    for (u32 i = 0; i < x->n; i++) {
        if (key_is_string(key_of(p, acc[i])) && puts_alone(p, x, acc[i])) {
            u32 *n = map_at(&w->a, &w->alone, key_hash(key_of(p, acc[i])));
            *n = *n == NONE ? 1 : *n + 1;
        }
        loop_sources(w, p, acc[i]);
        if (updates(p, acc[i])) vec_push(&w->a, &w->calls, acc[i]);
    }
}

bool filled_key(Filling *w, const Program *p, const Place *x, const u32 *acc, u32 ga)
{
    Str key = key_of(p, ga);
    if (!key_is_string(key)) return false;
    if (!w->found) filling_find(w, p, x, acc);
    u32 alone = map_get(&w->alone, key_hash(key));
    if (alone != NONE && alone > puts_alone(p, x, ga)) return true; /* by another access */
    for (u32 i = 0; i < w->sources.n; i++)
        if (place_has(p, w->sources.v[i], key)) return true;
    for (u32 i = 0; i < w->calls.n; i++)
        if (filled_by_update(p, w->calls.v[i], key)) return true;
    return false;
}

/* Copies the text without what the accesses of the place stand for in it, and without spaces. */
static size_t without_own(const Program *p, u32 ga, Span arg, char *out, size_t room)
{
    const Facts *f = p->facts[access_file(p, ga)];
    const Access *at = program_access(p, ga);
    const Func *fn = &f->funcs.v[at->func];
    u32 place = p->access_place[ga], base = p->access_base[access_file(p, ga)];
    size_t n = 0;
    for (u32 i = arg.start; i < arg.end; i++) {
        u32 end = i;
        for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
            const Access *a = &f->accesses.v[k];
            bool own = p->access_place[base + k] == place && a->span.start == i && a->span.end <= arg.end;
            if (own && a->span.end > end) end = a->span.end;
        }
        if (end > i) {
            Str rest = str_slice(f->source->text, end, arg.end);
            static const char *const views[] = {".items()", ".keys()", ".values()"};
            for (size_t v = 0; v < COUNT_OF(views); v++)
                if (str_starts(rest, str_from(views[v]))) end += (u32)strlen(views[v]);
            i = end - 1;
            continue;
        }
        char c = f->source->text.p[i];
        if (c == '\n' || c == '\r') continue;
        if (c == ' ' && (!n || !is_word_char(out[n - 1]))) continue;
        if (n + 1 == room) return 0;
        out[n++] = c;
    }
    while (n && out[n - 1] == ' ') n--;
    return n;
}

/* {v: k for k, v in } */
static bool swaps(Str text)
{
    if (!str_starts(text, S("{")) || !str_ends(text, S("}"))) return false;
    size_t colon = str_find(text, ':'), loop = str_search(text, S(" for "));
    if (colon >= loop || loop == text.n) return false;
    Str key = str_trim(str_slice(text, 1, colon)), value = str_trim(str_slice(text, colon + 1, loop));
    Str names = str_slice(text, loop + 5, text.n);
    size_t comma = str_find(names, ','), in = str_search(names, S(" in"));
    if (comma >= in || in == names.n || str_slice(names, in + 3, names.n).n > 2) return false;
    Str first = str_trim(str_slice(names, 0, comma)), second = str_trim(str_slice(names, comma + 1, in));
    return str_eq(first, value) && str_eq(second, key);
}

bool own_inverse(const Program *p, u32 ga)
{
    enum { ROOM = 96 };
    const Facts *f = p->facts[access_file(p, ga)];
    const Access *a = program_access(p, ga);
    if (a->op != OP_METHOD || !str_is(sym_str(f, a->method), "update") || a->nargs != 1) return false;
    Str text = str_slice(f->source->text, a->span.start, a->span.end);
    size_t open = str_search(text, S(".update("));
    if (open == text.n) return false;
    char left[ROOM];
    Span arg = {a->span.start + (u32)open + 8, a->span.end - 1};
    Str rest = {left, without_own(p, ga, arg, left, ROOM)};
    return str_is(rest, "dict(zip(,))") || str_is(rest, "zip(,)") || swaps(rest);
}

/* Does the function look up what its parameter names, on every way to its end: `return self.d[key]`, and else it
 * raises? */
static bool looks_up(const Program *p, u32 gfunc, u32 place, u32 param)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    u32 base = p->access_base[g.file], returns = 0, stmt = NONE;
    if (param >= fn->nparams || fn->block == NONE || !f->blocks.v[fn->block].exits) return false;
    for (u32 i = 0; i < f->defs.n; i++)
        if (f->defs.v[i].is_return && f->defs.v[i].func == g.id) returns++, stmt = f->defs.v[i].stmt;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses && returns == 1; i++) {
        const Access *a = &f->accesses.v[i];
        bool same = a->key == f->params.v[fn->params + param].name && p->access_place[base + i] == place;
        if (a->op == OP_ITEM_LOAD && same && a->stmt == stmt) return true;
    }
    return false;
}

bool looked_up_by_call(const Program *p, const Place *x, u32 ga)
{
    enum { TARGETS = 4 };
    u32 file = access_file(p, ga), place = p->access_place[ga];
    const Facts *f = p->facts[file];
    const Access *store = program_access(p, ga);
    const Func *fn = &f->funcs.v[store->func];
    if (x->type.kind == TYPE_DEFAULT_DICT || !key_is_plain(sym_str(f, store->key))) return false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (c->span.end > store->stmt || !block_within(f, store->block, c->block)) continue;
        for (u32 k = 0; k < c->nargs; k++) {
            const Arg *arg = &f->args.v[c->args + k];
            Str text = str_slice(f->source->text, arg->span.start, arg->span.end);
            if (arg->keyword != SYM_EMPTY || arg->star || !str_eq(text, sym_str(f, store->key))) continue;
            if (!local_bound_once(f, store->func, store->key, c->span.start, store->span.start)) continue;
            u32 to[TARGETS], n = call_targets(p, file, i, to, TARGETS);
            GId g = n == 1 ? func_gid(p, to[0]) : (GId){NONE, NONE};
            if (n != 1) continue;
            const Func *called = &p->facts[g.file]->funcs.v[g.id];
            bool bound_self = called->cls != NONE && !called->is_static;
            if (looks_up(p, to[0], place, k + bound_self)) return true;
        }
    }
    return false;
}

/* Are all items of the list that the text begins with strings, and keys of the place's literal? */
static bool all_keys(const Program *p, const Place *x, Str text)
{
    enum { ITEMS = 64 };
    u32 items = 0;
    for (size_t i = 1; i < text.n && items < ITEMS; i++) {
        char c = text.p[i];
        if (c == ']' || c == ')' || c == '}') return items > 0;
        if (c == '"' || c == '\'') {
            size_t end = literal_string_end(text, i);
            if (!place_has(p, x, str_slice(text, i, end))) return false;
            items++;
            i = end - 1;
        } else if (c != ',' && c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            return false;
        }
    }
    return false;
}

/* The literal list, tuple or set that the place is bound to once, and that nobody changes; empty. */
static Str fixed_list(const Program *p, const Place *x)
{
    if (x->def == NONE || x->file == NONE) return S("");
    for (u32 i = x->first; i < x->first + x->n; i++)
        if (access_effect(p, p->place_access.v[i]) & EFFECT_WRITE && access_counts(p, p->place_access.v[i]))
            return S("");
    const Facts *f = p->facts[x->def_file];
    const Def *d = &f->defs.v[x->def];
    if (d->kind != VAL_LIST && d->kind != VAL_TUPLE && d->kind != VAL_SET) return S("");
    Str rest = str_slice(f->source->text, d->span.end, f->source->text.n);
    rest = str_trim(str_slice(rest, MIN(str_find(rest, '=') + 1, rest.n), rest.n));
    return rest.n && (rest.p[0] == '[' || rest.p[0] == '(' || rest.p[0] == '{') ? rest : S("");
}

/* Is the place bound to an empty dict after it was filled? */
static bool emptied(const Program *p, const Place *x, const u32 *acc)
{
    for (u32 i = 0; i < x->n; i++) {
        const Access *a = program_access(p, acc[i]);
        const Facts *f = p->facts[access_file(p, acc[i])];
        if (a->op == OP_STORE && a->value != NONE && f->defs.v[a->value].empty && access_counts(p, acc[i]))
            return true;
    }
    return false;
}

bool among_literal(const Program *p, const Place *x, const u32 *acc, u32 ga)
{
    u32 file = access_file(p, ga);
    const Facts *f = p->facts[file];
    const Access *store = program_access(p, ga);
    const Func *fn = &f->funcs.v[store->func];
    if (store->key == SYM_EMPTY || !key_is_plain(sym_str(f, store->key))) return false;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &f->accesses.v[i];
        if (a->op != OP_CONTAINS || a->test != TEST_IN || a->key != store->key || a->cond == NONE) continue;
        u32 then = f->conds.v[a->cond].then_block;
        const Place *names = source_of(p, file, i);
        if (names && then != NONE && block_within(f, store->block, then) && all_keys(p, x, fixed_list(p, names)))
            return !emptied(p, x, acc);
    }
    return false;
}
