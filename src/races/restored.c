/* UG101 about a container that is changed for a while, and set back to a copy that was taken before:
 *
 *   saved = self.options.copy()
 *   self.options.update(given)
 *   try: yield
 *   finally: self.options = saved        or: self.options.clear(); self.options.update(saved), or the last call alone
 *
 * Other threads see the change meanwhile; of two such blocks at once one restores what the other has changed, or
 * takes it away. Needs the accesses of one place, and the names of locals that hold copies. Between change and
 * restoring stands a yield of a context manager, or the restoring stands in a finally. What is set back by itself is
 * in save.c (after a yield) and update.c. In __enter__ and __exit__ the copy is kept in an attribute. Not seen:
 * restoring through helpers that do not fill a dict of settings (bysetter.c).
 */
#include "races/races.h"

/* self.options.copy(), dict(self.options), self.path[:]: the local that holds the copy; SYM_EMPTY. */
static u32 copied_into(const Program *p, u32 ga)
{
    static const char *const copies[] = {"copy", "deepcopy", "dict", "list", "set", "tuple", "OrderedDict"};
    const Access *a = program_access(p, ga);
    Str name = access_method(p, ga);
    bool copy = false;
    if (a->op == OP_METHOD) copy = !a->nargs && str_is(name, "copy");
    if (a->op == OP_CREAD || a->op == OP_ARG) copy = str_among(name, copies, COUNT_OF(copies));
    if (a->op == OP_ITEM_LOAD) copy = str_is(sym_str(p->facts[access_file(p, ga)], a->key), ":");
    return copy ? a->local : SYM_EMPTY;
}

/* Does the access give the place what the local holds: x = saved, x[:] = saved, x.update(saved)? */
static bool gives_back(const Program *p, u32 ga, u32 local)
{
    static const char *const fills[] = {"update", "extend"};
    const Access *a = program_access(p, ga);
    const Facts *x = p->facts[access_file(p, ga)];
    if (a->op == OP_METHOD)
        return a->nargs == 1 && str_among(access_method(p, ga), fills, COUNT_OF(fills)) &&
               str_eq(sym_str(x, a->key), sym_str(x, local));
    if (a->op == OP_ITEM_STORE) {
        Str rest = str_slice(x->source->text, a->span.end, x->source->text.n);
        size_t end = str_find(rest, '\n');
        rest = str_trim(str_slice(rest, 0, end));
        return str_is(sym_str(x, a->key), ":") && str_starts(rest, S("=")) &&
               str_eq(str_trim(str_slice(rest, 1, rest.n)), sym_str(x, local));
    }
    const Def *d = a->op == OP_STORE ? stored_def(p, ga) : NULL;
    const Path *q = d && d->kind == VAL_PATH ? &x->paths.v[d->value] : NULL;
    return q && (q->root == ROOT_LOCAL || q->root == ROOT_PARAM) && !q->nattr && q->name == local;
}

/* Is the place emptied before it gets its items back, so that none stays? */
static bool emptied_before(const Finder *f, u32 change, u32 back)
{
    for (u32 k = back; k-- > change + 1;)
        if (str_is(access_method(f->p, f->acc[k]), "clear") && program_access(f->p, f->acc[k])->op == OP_METHOD)
            return true;
    return false;
}

/* settings.update(given), and later settings.update(saved): all keys that were there get their old values back. */
static bool overwrites(const Program *p, u32 change, u32 back)
{
    u8 op = program_access(p, change)->op;
    bool changes = op == OP_ITEM_STORE || (op == OP_METHOD && str_is(access_method(p, change), "update"));
    return changes && str_is(access_method(p, back), "update") &&
           p->places.v[p->access_place[back]].type.kind == TYPE_DICT;
}

/* The access that restores what access i has copied, and in *change the first one that changes it in between; NONE.
 */
static u32 restored_by(const Finder *f, u32 i, u32 local, u32 *change)
{
    const Program *p = f->p;
    u32 end;
    accesses_in(f, access_func(p, f->acc[i]), &end);
    *change = NONE;
    for (u32 k = i + 1; k < end && k - i <= STEPS_AHEAD; k++) {
        bool back = *change != NONE && gives_back(p, f->acc[k], local);
        bool whole = back && (program_access(p, f->acc[k])->op != OP_METHOD || emptied_before(f, *change, k) ||
                              overwrites(p, f->acc[*change], f->acc[k]));
        if (whole) return k;
        if (*change == NONE && f->effect[k] & EFFECT_WRITE) *change = k;
    }
    return NONE;
}

/* Does a block run between the two, of whoever uses the context manager or of the function itself? */
static bool for_a_while(const Program *p, u32 change, u32 back)
{
    const Facts *x = p->facts[access_file(p, change)];
    const Access *a = program_access(p, change), *b = program_access(p, back);
    const Func *fn = &x->funcs.v[a->func];
    if (fn->is_generator && !yields_once(p, x, fn)) return false;
    return changed_back_surely(p, x, a->func, (Moment){a->span.start, a->block}, (Moment){b->span.start, b->block});
}

/* self.old = dict(settings); settings.update(given) in __enter__, and settings.update(self.old) in __exit__: the
 * first change in the __enter__ of that class, where what access k gives back was read from the place before; NONE.
 */
static u32 changed_on_entry(const Finder *f, u32 k)
{
    const Program *p = f->p;
    const Facts *x = p->facts[access_file(p, f->acc[k])];
    const Access *back = program_access(p, f->acc[k]);
    const Func *exit = &x->funcs.v[back->func];
    if (back->op != OP_METHOD || back->nargs != 1 || !str_is(access_method(p, f->acc[k]), "update")) return NONE;
    if (exit->cls == NONE || !str_is(sym_str(x, exit->name), "__exit__")) return NONE;
    Str kept = sym_str(x, back->key);
    bool saved = false;
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(p, f->acc[i]);
        if (access_file(p, f->acc[i]) != access_file(p, f->acc[k]) || x->funcs.v[a->func].cls != exit->cls ||
            !str_is(sym_str(x, x->funcs.v[a->func].name), "__enter__"))
            continue;
        if (saved && f->effect[i] & EFFECT_WRITE) return f->acc[i];
        Str stmt = str_slice(x->source->text, a->stmt, a->span.start);
        saved |= kept.n && str_starts(stmt, kept) && str_starts(str_trim(str_slice(stmt, kept.n, stmt.n)), S("="));
    }
    return NONE;
}

static void report(Finder *f, u32 set, u32 back)
{
    Race *r = race_add(f, UG101, set, conflict_find(f, set, EFFECT_WRITE, true));
    r->test = set;
    r->act = back;
    r->by_hand = "a container of its own for the block, or a context variable, is right, not a lock";
    race_site(r, back);
    race_message(f, r,
                 "%.*s is changed here for the time of the block, and set back on line %u to what it was; other "
                 "threads see the change meanwhile, and of two such blocks at once, one restores the other's",
                 STR_ARG(short_state(f->p, f->place)), program_access(f->p, back)->line);
}

static void on_entry(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->kind != PLACE_GLOBAL && x->kind != PLACE_CLASS_ATTR) return;
    for (u32 k = 0; k < f->nacc; k++) {
        u32 set = f->claimed[f->acc[k]] ? NONE : changed_on_entry(f, k);
        if (set == NONE || f->claimed[set] || conflict_find(f, set, EFFECT_WRITE, true).witness == NONE) continue;
        report(f, set, f->acc[k]);
        f->claimed[set] = f->claimed[f->acc[k]] = 1;
    }
}

void race_restored(Finder *f)
{
    const Program *p = f->p;
    u8 kind = p->places.v[f->place].kind;
    if (kind == PLACE_CLOSURE || kind == PLACE_DEFAULT) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 local = copied_into(p, f->acc[i]), change = NONE;
        if (local == SYM_EMPTY || !access_counts(p, f->acc[i])) continue;
        u32 k = restored_by(f, i, local, &change);
        if (k == NONE || !for_a_while(p, f->acc[change], f->acc[k])) continue;
        u32 set = f->acc[change], back = f->acc[k];
        if (f->claimed[set] || f->claimed[back] || one_section(p, set, back, NULL)) continue;
        if (conflict_find(f, set, EFFECT_WRITE, true).witness == NONE) continue;
        report(f, set, back);
        for (u32 n = change; n <= k; n++) f->claimed[f->acc[n]] = 1;
    }
    on_entry(f);
}
