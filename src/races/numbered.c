/* UG101 about tables that number what is put into them by their own length:
 *
 *   return ids.setdefault(word, len(ids))         ids = defaultdict(lambda: len(ids))
 *                                                 return ids[word]
 *
 * Two threads that add different words may read the same length, and both words get the same number.
 *
 * Needs the accesses of one place and the definition that makes the table. The entry that is stored under a key after
 * a look is in update.c and check.c, lists that are appended to in peek.c. Not seen: a class with __missing__. */
#include "races/races.h"

static bool is_len(const Finder *f, u32 i)
{
    return program_access(f->p, f->acc[i])->op == OP_CREAD && str_is(access_method(f->p, f->acc[i]), "len");
}

/* The read of the length that stands among the arguments of access i, NONE. */
static u32 length_inside(const Finder *f, u32 i)
{
    const Access *a = program_access(f->p, f->acc[i]);
    for (u32 k = i; k-- > 0;) {
        const Access *b = program_access(f->p, f->acc[k]);
        if (access_file(f->p, f->acc[k]) != access_file(f->p, f->acc[i]) || b->func != a->func) return NONE;
        if (is_len(f, k) && b->span.start > a->span.start && b->span.end <= a->span.end) return f->acc[k];
    }
    return NONE;
}

/* A container that nothing but its module or class speaks for may well be one thread's. */
static void report(Finder *f, u32 ga, u32 other, Conflict c, const char *how)
{
    const Place *x = &f->p->places.v[f->place];
    bool known = x->kind == PLACE_GLOBAL || x->kind == PLACE_CLASS_ATTR ||
                 x->evidence & (EV_GUARDED | EV_CLASS_LOCKS | EV_SINGLETON | EV_PURPOSE);
    if (!c.roots && !known) c.confidence = CONF_LOW;
    Race *r = race_add(f, UG101, ga, c);
    if (other != NONE) race_site(r, other);
    race_message(f, r,
                 "%s of %.*s as its number; two threads may read the same length, and two entries get one number",
                 how, STR_ARG(short_state(f->p, f->place)));
}

/* ids.setdefault(word, len(ids)) */
static void by_default(Finder *f, u32 i)
{
    u32 ga = f->acc[i], len = length_inside(f, i);
    if (len == NONE || f->claimed[ga] || one_section(f->p, len, ga, NULL)) return;
    Conflict c = conflict_find(f, ga, EFFECT_GROW, true);
    if (c.witness != NONE) report(f, ga, len, c, "a new entry gets the length");
}

static bool names_place(const Finder *f, u32 file, u32 path)
{
    return path_place(f->p, file, path) == f->place;
}

/* ids = defaultdict(lambda: len(ids)) */
static bool made_with_length(const Finder *f, u32 file, const Def *d)
{
    const Facts *x = f->p->facts[file];
    const Call *made = d->kind == VAL_CALL ? &x->calls.v[d->value] : NULL;
    if (!made || !made->nargs || x->args.v[made->args].kind != VAL_LAMBDA) return false;
    u32 lambda = x->args.v[made->args].value;
    const Func *fn = &x->funcs.v[lambda];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        const Path *len = &x->paths.v[c->callee];
        bool whole = c->span.start == fn->body.start && c->span.end == fn->body.end;
        if (whole && !len->nattr && str_is(sym_str(x, len->name), "len") && c->nargs == 1 &&
            x->args.v[c->args].kind == VAL_PATH)
            return names_place(f, file, x->args.v[c->args].value);
    }
    return false;
}

/* ids.default_factory = ids.__len__ */
static bool given_length(const Finder *f, u32 file)
{
    const Facts *x = f->p->facts[file];
    u32 factory = intern_find(&x->syms, S("default_factory")), len = intern_find(&x->syms, S("__len__"));
    for (u32 i = 0; factory != NONE && len != NONE && i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        if (d->path == NONE || d->kind != VAL_PATH) continue;
        const Path *to = &x->paths.v[d->path], *from = &x->paths.v[d->value];
        if (!to->nattr || to->attr[to->nattr - 1] != factory || !from->nattr || from->attr[from->nattr - 1] != len)
            continue;
        for (u32 k = 0; k < f->nacc; k++) {
            if (access_file(f->p, f->acc[k]) != file) continue;
            const Path *q = &x->paths.v[program_access(f->p, f->acc[k])->path];
            if (q->root == to->root && q->name == to->name && q->nattr + 1 == to->nattr &&
                !memcmp(q->attr, to->attr, q->nattr * sizeof *q->attr))
                return true;
        }
    }
    return false;
}

/* ids[word], where a new entry gets the length. */
static void by_factory(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->type.kind != TYPE_DEFAULT_DICT || x->def == NONE) return;
    if (!made_with_length(f, x->def_file, &f->p->facts[x->def_file]->defs.v[x->def]) && !given_length(f, x->def_file))
        return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (program_access(f->p, ga)->op != OP_ITEM_LOAD || f->claimed[ga] || !access_counts(f->p, ga)) continue;
        Conflict c = conflict_find(f, ga, EFFECT_GROW, true);
        if (c.witness == NONE) continue;
        report(f, ga, NONE, c, "what is not there is put there, with the length");
        return; /* the others draw numbers as this one does */
    }
}

void race_numbered(Finder *f)
{
    u8 kind = f->p->places.v[f->place].type.kind;
    if (kind != TYPE_DICT && kind != TYPE_DEFAULT_DICT && kind != TYPE_ORDERED_DICT) return;
    for (u32 i = 0; i < f->nacc; i++)
        if (str_is(access_method(f->p, f->acc[i]), "setdefault")) by_default(f, i);
    by_factory(f);
}
