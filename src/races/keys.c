/* Stores into a dict that add no key: under a key that a loop has from the dict itself, under one that was looked up
 * before, under one of the literal that the dict is made of, and under one that a thread was started with after it
 * had been put there (slots.c), as long as nothing takes keys out. They change
 * neither its size nor what a walk meets.
 *
 * A test that finds the key there says the same, if d: or update({… if k in d}), as long as nothing takes keys out.
 * What else tells that a key is there is found by filledkeys.c.
 *
 * Not seen: dicts made by dict(a=1), literals behind a name. */
#include "races/races.h"

bool copies_keys(const Facts *f, const Access *a)
{
    Str reader = sym_str(f, a->method);
    return a->op == OP_CREAD && (known_builtin(reader, AS_COPIES) || str_is(reader, "[*]") || str_is(reader, "{*}"));
}

bool walks_keys(const Facts *f, const Access *a)
{
    return a->op == OP_ITER || (a->op == OP_METHOD && known_method(sym_str(f, a->method), AS_KEYS));
}

u32 local_bound_by(const Facts *f, u32 func, u32 sym, u32 before)
{
    u32 stmt = NONE, at = 0;
    Str name = sym_str(f, sym);
    bool literal = name.n && (name.p[0] == '"' || name.p[0] == '\'' || (name.p[0] >= '0' && name.p[0] <= '9'));
    for (u32 i = 0; i < f->defs.n && !literal; i++) {
        const Def *d = &f->defs.v[i];
        const Path *x = d->path == NONE ? NULL : &f->paths.v[d->path];
        if (!x || d->func != func || d->span.start > before || d->span.start < at) continue;
        if (x->root == ROOT_LOCAL && !x->nattr && x->name == sym) stmt = d->stmt, at = d->span.start;
    }
    return stmt;
}

bool local_bound_once(const Facts *f, u32 func, u32 sym, u32 first, u32 second)
{
    return local_bound_by(f, func, sym, first) == local_bound_by(f, func, sym, second);
}

enum { BODY = 256 }; /* accesses of the place in which the head of the loop is looked for */

/* for key in d: d[key] = 0 gives a key that is there another value. */
static bool walked_key(const Program *p, const u32 *accesses, u32 at)
{
    GId g = access_gid(p, accesses[at]);
    const Facts *f = p->facts[g.file];
    const Access *store = &f->accesses.v[g.id];
    if (store->op != OP_ITEM_STORE || store->key == SYM_EMPTY) return false;
    for (u32 i = at; i-- > 0 && at - i < BODY && access_gid(p, accesses[i]).file == g.file;) {
        const Access *a = program_access(p, accesses[i]);
        if (a->func != store->func) return false;
        if (a->local == store->key && a->path == store->path && (walks_keys(f, a) || copies_keys(f, a)))
            return local_bound_by(f, store->func, store->key, store->span.start) == a->stmt;
    }
    return false;
}

bool key_is_plain(Str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (!is_word_char(key.p[i]) && key.p[i] != '"' && key.p[i] != '\'') return false;
    return key.n > 0;
}

static bool in_loop_of_its_own(const Facts *f, u32 inner, u32 outer)
{
    for (u32 b = inner; b != NONE && b != outer; b = f->blocks.v[b].parent)
        if (f->blocks.v[b].kind == BLOCK_LOOP) return true;
    return false;
}

/* worker, _ = d[name] … d[name] = worker, pipe: without the key the first of them would have raised. */
static bool looked_up_key(const Program *p, const Place *x, const u32 *accesses, u32 at)
{
    GId g = access_gid(p, accesses[at]);
    const Facts *f = p->facts[g.file];
    const Access *store = &f->accesses.v[g.id];
    if (x->type.kind != TYPE_DICT || store->key == SYM_EMPTY) return false;
    for (u32 i = at; i-- > 0 && at - i < BODY && access_gid(p, accesses[i]).file == g.file;) {
        const Access *a = program_access(p, accesses[i]);
        if (a->func != store->func) return false;
        if (a->op != OP_ITEM_LOAD || a->key != store->key || a->path != store->path) continue;
        if (a->stmt == store->stmt || !block_within(f, store->block, a->block)) continue;
        if (in_loop_of_its_own(f, store->block, a->block)) continue;
        if (local_bound_once(f, store->func, store->key, a->span.start, store->span.start))
            return key_is_plain(sym_str(f, store->key));
    }
    return false;
}

/* if key in d: d[key] = 1, if name not in self.__dict__: return … setattr(self, name, v) */
static bool tested_key(const Program *p, const u32 *accesses, u32 at)
{
    GId g = access_gid(p, accesses[at]);
    const Facts *f = p->facts[g.file];
    const Access *store = &f->accesses.v[g.id];
    if (store->key == SYM_EMPTY) return false;
    for (u32 i = at; i-- > 0 && at - i < BODY && access_gid(p, accesses[i]).file == g.file;) {
        const Access *a = program_access(p, accesses[i]);
        if (a->func != store->func) return false;
        if (a->op != OP_CONTAINS || a->key != store->key || a->path != store->path || a->cond == NONE) continue;
        const Cond *c = &f->conds.v[a->cond];
        bool inside = a->test == TEST_IN && c->then_block != NONE && block_within(f, store->block, c->then_block);
        bool left = a->test == TEST_NOT_IN && c->then_block != NONE && f->blocks.v[c->then_block].exits &&
                    block_within(f, store->block, c->block) && !block_within(f, store->block, c->then_block);
        if ((inside || left) && local_bound_once(f, store->func, store->key, a->span.start, store->span.start))
            return key_is_plain(sym_str(f, store->key));
    }
    return false;
}

/* d.update({k: v for k, v in rows if k in d}) */
static bool only_known(const Program *p, u32 ga)
{
    const Facts *f = p->facts[access_gid(p, ga).file];
    const Access *a = program_access(p, ga);
    if (a->op != OP_METHOD || !str_is(sym_str(f, a->method), "update") || a->nargs != 1) return false;
    Str text = str_slice(f->source->text, a->span.start, a->span.end),
        own = str_slice(text, 0, str_search(text, S(".update(")));
    Str arg = str_slice(text, own.n + 8, text.n);
    if (own.n == text.n || !str_starts(arg, S("{")) || !str_ends(arg, S("})"))) return false;
    Str test = str_slice(arg, str_search(arg, S(" if ")), arg.n - 2);
    Str key = str_trim(str_slice(arg, 1, str_find(arg, ':')));
    if (!test.n || !str_starts(str_slice(test, 4, test.n), key) || !str_ends(test, own)) return false;
    return str_is(str_trim(str_slice(test, 4 + key.n, test.n - own.n)), "in");
}

size_t literal_string_end(Str text, size_t i)
{
    char quote = text.p[i];
    bool triple = i + 2 < text.n && text.p[i + 1] == quote && text.p[i + 2] == quote;
    for (size_t k = i + (triple ? 3 : 1); k < text.n; k++) {
        if (text.p[k] == '\\')
            k++;
        else if (text.p[k] == quote && !triple)
            return k + 1;
        else if (text.p[k] == quote && k + 2 < text.n && text.p[k + 1] == quote && text.p[k + 2] == quote)
            return k + 3;
    }
    return text.n;
}

enum { LITERAL = 16 << 10 }; /* bytes of a literal that are looked through */

bool dict_literal_has(Str text, Str key)
{
    u32 depth = 0;
    for (size_t i = 0; i < text.n && i < LITERAL; i++) {
        char c = text.p[i];
        if (c == '#') {
            while (i < text.n && text.p[i] != '\n') i++;
        } else if (c == '"' || c == '\'') {
            size_t end = literal_string_end(text, i), after = end;
            while (after < text.n && text.p[after] == ' ') after++;
            bool same = end - i == key.n && memcmp(text.p + i + 1, key.p + 1, key.n - 2) == 0;
            if (same && depth == 1 && after < text.n && text.p[after] == ':') return true;
            i = end - 1;
        } else if (c == '{' || c == '[' || c == '(') {
            depth++;
        } else if ((c == '}' || c == ']' || c == ')') && --depth == 0) {
            return false;
        }
    }
    return false;
}

Str dict_literal_of(const Facts *f, const Def *d)
{
    if (d->kind != VAL_DICT || d->is_return) return S("");
    Str text = f->source->text, rest = str_slice(text, d->span.end, text.n);
    rest = str_slice(rest, MIN(str_find(rest, '=') + 1, rest.n), rest.n);
    while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '(')) rest = str_slice(rest, 1, rest.n);
    return rest.n && rest.p[0] == '{' ? rest : S("");
}

enum { LITERALS = 8 };

/* The literals that the place is ever given; 0 when it is given something else, too, or loses keys. */
static u32 literals(const Program *p, const Place *x, const u32 *acc, const u8 *effect, Str out[LITERALS])
{
    u32 n = 0;
    if (x->type.kind != TYPE_DICT || x->def == NONE) return 0;
    out[n++] = dict_literal_of(p->facts[x->def_file], &p->facts[x->def_file]->defs.v[x->def]);
    for (u32 i = 0; i < x->n; i++) {
        const Access *a = program_access(p, acc[i]);
        if (effect[i] & EFFECT_SHRINK || a->op == OP_AUG) return 0;
        if (a->op != OP_STORE) continue;
        const Facts *f = p->facts[access_gid(p, acc[i]).file];
        if (n == LITERALS || a->value == NONE) return 0;
        out[n++] = dict_literal_of(f, &f->defs.v[a->value]);
    }
    for (u32 i = 0; i < n; i++)
        if (!out[i].n) return 0;
    return n;
}

bool key_is_string(Str key)
{
    return key.n >= 2 && (key.p[0] == '"' || key.p[0] == '\'') && key.p[key.n - 1] == key.p[0];
}

void keys_there(const Program *p, const Place *x, const u32 *acc, u8 *effect)
{
    Str given[LITERALS];
    Filling filling = {0};
    u32 n = literals(p, x, acc, effect, given);
    bool stays = true; /* no key is taken out */
    for (u32 i = 0; i < x->n; i++) stays &= !(effect[i] & EFFECT_SHRINK) || program_access(p, acc[i])->func == 0;
    for (u32 i = 0; i < x->n; i++) {
        const Access *a = program_access(p, acc[i]);
        if (stays && (only_known(p, acc[i]) || own_inverse(p, acc[i]))) effect[i] &= (u8)~EFFECT_GROW;
        if (a->op == OP_ITEM_LOAD && effect[i] & EFFECT_GROW && stays && filled_key(&filling, p, x, acc, acc[i]))
            effect[i] &= (u8)~EFFECT_GROW;
        if (a->op != OP_ITEM_STORE || !(effect[i] & EFFECT_GROW)) continue;
        Str key = sym_str(p->facts[access_gid(p, acc[i]).file], a->key);
        bool there = n && key_is_string(key);
        for (u32 k = 0; k < n && there; k++) there = dict_literal_has(given[k], key);
        there = there || walked_key(p, acc, i) || looked_up_key(p, x, acc, i);
        if (!there && stays) there = tested_key(p, acc, i);
        if (!there && stays)
            there = preset_key(p, x, acc, acc[i]) || looked_up_by_call(p, x, acc[i]) ||
                    filled_key(&filling, p, x, acc, acc[i]) || among_literal(p, x, acc, acc[i]);
        if (there) effect[i] &= (u8)~EFFECT_GROW;
    }
    arena_free(&filling.a);
}
