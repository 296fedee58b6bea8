/* UG108 about the methods of an object that a place holds: called under a lock in one function, without it in
 * another, and both change the same field of the object.
 *
 *   with self._lock:                     data = self._protocol.take()
 *       self._protocol.add(request)
 *
 * The class of the object has no lock of its own for the field; who holds the object guards it, and not always.
 *
 * Needs the accesses of one place that has a guard, and the call edges: what a method changes is looked for in it and
 * in the methods of self that it calls. Of mixins like MutableMapping the methods are known by their names. What
 * ends something (close, stop) is left alone, the method and its caller: it runs when others are done, or to disturb
 * them. */
#include "races/races.h"

enum { FIELDS = 24, DEPTH = 3, OFTEN = 3, FINDINGS = 3 };

typedef struct Fields {
    u32 n, access[FIELDS];   /* that change places of the object */
    u32 nread, read[FIELDS]; /* places of the object that are read, too */
} Fields;

static void field_add(const Program *p, u32 ga, Fields *out)
{
    const Access *a = program_access(p, ga);
    const Path *q = &p->facts[access_gid(p, ga).file]->paths.v[a->path];
    u32 place = p->access_place[ga];
    if (place == NONE || q->root != ROOT_SELF || q->nattr != 1 || p->places.v[place].kind != PLACE_INSTANCE) return;
    u8 type = p->places.v[place].type.kind;
    bool known = type != TYPE_UNKNOWN && type != TYPE_NONE && type != TYPE_QUEUE;
    bool writes = access_effect(p, ga) & EFFECT_WRITE && (known || a->op != OP_METHOD);
    if (!is_data(&p->places.v[place])) return;
    if (writes && out->n < FIELDS) out->access[out->n++] = ga;
    if (!writes || a->op == OP_AUG || a->op == OP_ITEM_AUG)
        if (out->nread < FIELDS) out->read[out->nread++] = place;
}

/* x = None, x = True: who sets it twice, or late, sets the same. */
static bool sets_constant(const Program *p, u32 ga)
{
    const Def *d = program_access(p, ga)->op == OP_STORE ? stored_def(p, ga) : NULL;
    return d && (d->kind == VAL_NONE || d->kind == VAL_BOOL || d->kind == VAL_NUMBER || d->kind == VAL_STRING);
}

static void fields_of(const Program *p, u32 gfunc, u32 depth, Fields *out)
{
    GId g = func_gid(p, gfunc);
    const Facts *x = p->facts[g.file];
    const Func *fn = &x->funcs.v[g.id];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) field_add(p, p->access_base[g.file] + i, out);
    for (u32 e = p->edge_first[gfunc]; depth && e < p->edge_first[gfunc + 1]; e++) {
        const CallEdge *c = &p->edges.v[e];
        if (c->weak || c->call == NONE || c->file != g.file || c->callee == gfunc) continue;
        const Path *q = &x->paths.v[x->calls.v[c->call].callee];
        if ((q->root == ROOT_SELF || q->root == ROOT_SUPER) && q->nattr == 1) fields_of(p, c->callee, depth - 1, out);
    }
}

/* Methods that the abstract containers make of others. */
static const char *const made_of[][2] = {{"clear", "popitem"}, {"clear", "__delitem__"}, {"popitem", "__delitem__"},
                                         {"pop", "__delitem__"}, {"update", "__setitem__"}, {"clear", "pop"},
                                         {"setdefault", "__setitem__"}, {"discard", "remove"}, {"extend", "append"},
                                         {"append", "insert"}};

/* What the access changes in the object that the place holds. */
static void changed_by(const Program *p, u32 ga, u32 gclass, Fields *out)
{
    const Access *a = program_access(p, ga);
    Str name = a->op == OP_METHOD      ? sym_str(p->facts[access_gid(p, ga).file], a->method)
               : a->op == OP_ITEM_DEL  ? S("__delitem__")
               : a->op == OP_ITEM_LOAD ? S("__getitem__")
                                       : S("__setitem__");
    out->n = out->nread = 0;
    if (a->op != OP_METHOD && a->op != OP_ITEM_DEL && a->op != OP_ITEM_STORE && a->op != OP_ITEM_LOAD) return;
    u32 method = class_method_called(p, gclass, name);
    if (method != NONE) fields_of(p, method, DEPTH, out);
    for (u32 i = 0; method == NONE && i < COUNT_OF(made_of); i++) {
        u32 part = str_is(name, made_of[i][0]) ? class_method_called(p, gclass, str_from(made_of[i][1])) : NONE;
        if (part != NONE) fields_of(p, part, DEPTH, out);
    }
}

/* Is the change one of several steps: an update, or a write beside a read of the same field? */
static bool in_steps(const Program *p, const Fields *f, u32 i)
{
    for (u32 k = 0; k < f->nread; k++)
        if (f->read[k] == p->access_place[f->access[i]]) return true;
    return false;
}

/* A field that both change, one of them in several steps, without a lock of their own: an access of the second, or
 * NONE. */
static u32 same_field(const Program *p, const Fields *a, const Fields *b)
{
    for (u32 i = 0; i < a->n; i++)
        for (u32 k = 0; k < b->n; k++)
            if (p->access_place[a->access[i]] == p->access_place[b->access[k]] &&
                (in_steps(p, a, i) || in_steps(p, b, k)) && !sets_constant(p, a->access[i]) &&
                lockset_common(p, p->access_locks[a->access[i]], p->access_locks[b->access[k]]) == NONE)
                return b->access[k];
    return NONE;
}

static bool ends_it(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    const Facts *x = p->facts[access_gid(p, ga).file];
    return name_ends(sym_str(x, x->funcs.v[a->func].name), ENDS_OBJECT) ||
           (a->op == OP_METHOD && name_ends(sym_str(x, a->method), ENDS_OBJECT));
}

/* The access under the guard that changes a field which access i changes, too. */
static u32 guarded_change(const Finder *f, u32 i, u32 *field)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    Fields mine, theirs;
    changed_by(p, f->acc[i], x->type.id, &mine);
    for (u32 k = 0; k < f->nacc && mine.n; k++) {
        u32 gb = f->acc[k];
        if (k == i || !lockset_has(p, p->access_locks[gb], x->guard) || !access_counts(p, gb)) continue;
        changed_by(p, gb, x->type.id, &theirs);
        *field = same_field(p, &mine, &theirs);
        if (*field != NONE && conflict_of(f, f->acc[i], gb).witness != NONE) return gb;
    }
    return NONE;
}

/* Is a good part of what is called guarded? Else the lock is held for something else there. */
static bool guarded_often(const Finder *f)
{
    const Program *p = f->p;
    u32 held = 0, uses = 0;
    for (u32 i = 0; i < f->nacc; i++) {
        u8 op = program_access(p, f->acc[i])->op;
        if ((op != OP_METHOD && op != OP_ITEM_STORE && op != OP_ITEM_DEL) || !access_counts(p, f->acc[i])) continue;
        if (ends_it(p, f->acc[i])) continue;
        uses++;
        held += lockset_has(p, p->access_locks[f->acc[i]], p->places.v[f->place].guard);
    }
    return held * OFTEN >= uses;
}

/* Is the guard kept beside the object? Another's lock, held on the way here, is no guard. */
static bool guard_of_owner(const Program *p, const Place *x)
{
    u32 place = x->guard == NONE ? NONE : p->locks.v[x->guard].place;
    if (place == NONE) return false;
    const Place *y = &p->places.v[place];
    bool object = x->kind == PLACE_INSTANCE || x->kind == PLACE_CLASS_ATTR;
    if (y->file != x->file) return false;
    return object ? y->kind == PLACE_INSTANCE || y->kind == PLACE_CLASS_ATTR : y->kind == x->kind;
}

void race_object(Finder *f)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    if (x->type.kind != TYPE_CLASS || !guard_of_owner(p, x) || !guarded_often(f)) return;
    for (u32 i = 0, found = 0; i < f->nacc && found < FINDINGS; i++) {
        u32 ga = f->acc[i], field;
        if (f->claimed[ga] || lockset_has(p, p->access_locks[ga], x->guard) || !access_counts(p, ga)) continue;
        if (ends_it(p, ga)) continue;
        u32 held = guarded_change(f, i, &field);
        if (held == NONE) continue;
        found++;
        Conflict c = conflict_of(f, ga, held);
        Race *r = race_add(f, UG108, ga, c);
        r->lock = x->guard;
        race_message(f, r,
                     "this changes %.*s of the object, which line %u changes with %.*s held; here it is not",
                     STR_ARG(p->syms.strs[p->places.v[p->access_place[field]].name]), program_access(p, held)->line,
                     STR_ARG(p->locks.v[x->guard].display));
    }
}
