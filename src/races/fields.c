/* UG105, UG108: fields that belong together, changed or read one by one.
 *
 * The proxy for an invariant: fields of one object that one method stores one after the other, and that another
 * method, which may run at the same time, reads together. Only where the object is known to be shared, and where no
 * lock covers the writer, or one covers each of two changes by itself, or both changes but not the reader (UG108). */
#include "races/races.h"

/* Another data field of the same object stored in the same block within a few lines: the sibling's access, or NONE.
 * `updated`: or updated in place, self.sum += x beside self.count += 1. */
static u32 sibling_store(const Finder *f, u32 ga, bool updated)
{
    GId g = access_gid(f->p, ga);
    const Facts *x = f->p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *b = &x->accesses.v[i];
        u32 place = f->p->access_place[f->p->access_base[g.file] + i];
        bool stored = b->op == OP_STORE || (updated && b->op == OP_AUG);
        if (!stored || b->block != a->block || b->span.start <= a->span.start || b->line > a->line + 3 ||
            place == NONE || place == f->place)
            continue;
        const Place *y = &f->p->places.v[place], *me = &f->p->places.v[f->place];
        if (y->kind == me->kind && y->owner == me->owner && y->file == me->file && is_data(y) &&
            y->type.kind != TYPE_THREAD)
            return f->p->access_base[g.file] + i;
    }
    return NONE;
}

/* A function other than the writer's that loads both fields in one statement, without this lock where one is given:
 * its access of the place, and *second of the sibling; the first one from the *at-th access on, which is moved past
 * it. NONE. */
static u32 reads_both(const Finder *f, u32 ga, u32 sibling, u32 lock, u32 *at, u32 *second)
{
    u32 other = f->p->access_place[sibling];
    GId w = access_gid(f->p, ga);
    for (u32 i = *at; i < f->nacc; i++) {
        GId g = access_gid(f->p, f->acc[i]);
        const Facts *x = f->p->facts[g.file];
        const Access *a = &x->accesses.v[g.id];
        *at = i + 1;
        if (a->op != OP_LOAD && a->op != OP_TRUTH && a->op != OP_RETURN && a->op != OP_ARG) continue;
        if (g.file == w.file && a->func == program_access(f->p, ga)->func) continue;
        if (lock != NONE && lockset_has(f->p, f->p->access_locks[f->acc[i]], lock)) continue;
        const Func *fn = &x->funcs.v[a->func];
        for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
            const Access *b = &x->accesses.v[k];
            *second = f->p->access_base[g.file] + k;
            if (b->stmt == a->stmt && f->p->access_place[*second] == other && b->op != OP_STORE) return f->acc[i];
        }
    }
    return NONE;
}

/* Another data field of the object that the function changes afterwards, under the same lock but in a critical
 * section of its own. */
static u32 sibling_section(const Finder *f, u32 ga)
{
    GId g = access_gid(f->p, ga);
    const Facts *x = f->p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    const Place *me = &f->p->places.v[f->place];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *b = &x->accesses.v[i];
        u32 gb = f->p->access_base[g.file] + i, place = f->p->access_place[gb];
        if ((b->op != OP_STORE && b->op != OP_AUG) || b->span.start <= a->span.start || place == NONE ||
            place == f->place || f->claimed[gb])
            continue;
        const Place *y = &f->p->places.v[place];
        if (y->kind != me->kind || y->owner != me->owner || y->file != me->file || !is_data(y)) continue;
        if (lockset_common(f->p, f->p->access_locks[ga], f->p->access_locks[gb]) != NONE &&
            !one_section(f->p, ga, gb, NULL))
            return gb;
    }
    return NONE;
}

/* with lock: sum += x / with lock: n += 1, where sum / n is read under the lock: it holds for one field only. */
static void two_sections(Finder *f, u32 ga)
{
    const Program *p = f->p;
    u32 sibling = sibling_section(f, ga), at = 0, second;
    u32 reader = sibling == NONE ? NONE : reads_both(f, ga, sibling, NONE, &at, &second);
    if (reader == NONE || !may_run_together(p, ga, reader)) return;
    u32 lock = lockset_common(p, p->access_locks[ga], p->access_locks[sibling]);
    if (p->locks.v[lock].maybe || !lockset_has(p, p->access_locks[reader], lock)) return;
    Race *r = race_add(f, UG105, ga, (Conflict){reader, CONF_MEDIUM, false});
    race_site(r, sibling);
    r->lock = lock;
    f->claimed[sibling] = 1;
    race_message(f, r,
                 "%.*s and %.*s are changed in two critical sections of %.*s, and read together on line %u of %.*s; "
                 "a reader that comes between sees one new and one old value",
                 STR_ARG(short_state(p, f->place)), STR_ARG(short_state(p, p->access_place[sibling])),
                 STR_ARG(p->locks.v[lock].display), program_access(p, reader)->line,
                 STR_ARG(p->facts[access_gid(p, reader).file]->source->path));
}

enum {
    READ_TOGETHER = 3, /* a statement that reads more fields of an object than that copies it or tells of it */
    SET_TOGETHER = 8   /* a function that sets more than that sets the object up */
};

/* A function other than the writer's that reads both fields in one section of the lock: the same. */
static u32 reads_under(const Finder *f, u32 ga, u32 sibling, u32 lock, u32 *second)
{
    const Program *p = f->p;
    u32 other = p->access_place[sibling];
    for (u32 i = 0; i < f->nacc; i++) {
        GId g = access_gid(p, f->acc[i]);
        const Facts *x = p->facts[g.file];
        const Access *a = &x->accesses.v[g.id];
        if (a->op != OP_LOAD && a->op != OP_TRUTH && a->op != OP_RETURN && a->op != OP_ARG) continue;
        if (!lockset_has(p, p->access_locks[f->acc[i]], lock) || access_func(p, f->acc[i]) == access_func(p, ga))
            continue;
        const Func *fn = &x->funcs.v[a->func];
        for (u32 k = fn->accesses; k < fn->accesses + fn->naccesses; k++) {
            *second = p->access_base[g.file] + k;
            u8 op = x->accesses.v[k].op;
            if (p->access_place[*second] == other && op != OP_STORE && op != OP_AUG &&
                one_section(p, f->acc[i], *second, NULL))
                return f->acc[i];
        }
    }
    return NONE;
}

/* A constant resets the field, or is a flag that says that the other one is there. */
static bool stores_constant(const Finder *f, u32 ga)
{
    const Def *d = program_access(f->p, ga)->op == OP_AUG ? NULL : stored_def(f->p, ga);
    return d &&
           (d->empty || d->kind == VAL_NONE || d->kind == VAL_BOOL || d->kind == VAL_NUMBER || d->kind == VAL_STRING);
}

static bool func_stores(const Program *p, GId func, u32 place)
{
    const Facts *x = p->facts[func.file];
    const Func *fn = &x->funcs.v[func.id];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u8 op = x->accesses.v[i].op;
        if ((op == OP_STORE || op == OP_AUG) && p->access_place[p->access_base[func.file] + i] == place) return true;
    }
    return false;
}

/* Is the one never changed without the other, in any function? */
static bool changed_along(const Program *p, u32 place, u32 other)
{
    const Place *x = &p->places.v[place];
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = p->place_access.v[i];
        const Access *a = program_access(p, ga);
        if ((a->op != OP_STORE && a->op != OP_AUG) || !access_counts(p, ga)) continue;
        if (!func_stores(p, (GId){access_gid(p, ga).file, a->func}, other)) return false;
    }
    return true;
}

/* How many fields of the object the statement reads; or the whole function stores. */
static u32 fields_used(const Finder *f, u32 reader, bool stored)
{
    const Program *p = f->p;
    GId g = access_gid(p, reader);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    const Place *me = &p->places.v[f->place];
    u32 n = 0, seen[SET_TOGETHER + 1];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses && n < COUNT_OF(seen); i++) {
        u32 place = p->access_place[p->access_base[g.file] + i], k = 0;
        if (place == NONE || (stored ? x->accesses.v[i].op != OP_STORE : x->accesses.v[i].stmt != a->stmt)) continue;
        const Place *y = &p->places.v[place];
        if (y->kind != me->kind || y->owner != me->owner || y->file != me->file) continue;
        while (k < n && seen[k] != place) k++;
        if (k == n) seen[n++] = place; /* x * x is one field */
    }
    return n;
}

/* Do two fields that are stored and read side by side belong together? Of those read as maintainers would, that no
 * more than this spoke for, none did. */
static bool belong_together(const Finder *f, u32 ga, u32 sibling, u32 reader)
{
    u32 other = f->p->access_place[sibling];
    return !stores_constant(f, ga) && !stores_constant(f, sibling) && changed_along(f->p, f->place, other) &&
           changed_along(f->p, other, f->place) && fields_used(f, reader, false) <= READ_TOGETHER;
}

/* "<Range 1 to 5>": what is only shown may be torn. */
bool access_shown(const Program *p, u32 ga)
{
    const Facts *x = p->facts[access_gid(p, ga).file];
    Str name = sym_str(x, x->funcs.v[program_access(p, ga)->func].name);
    return str_is(name, "__repr__") || str_is(name, "__str__");
}

/* self.sum / self.count, self.sum / max(self.count, 1), return self.x, self.y: are the two operands of one operation,
 * or all that is returned? */
static bool reckoned(const Program *p, u32 one, u32 other)
{
    Span a = program_access(p, one)->span, b = program_access(p, other)->span;
    u32 from = MIN(a.end, b.end), to = MAX(a.start, b.start), first = MIN(a.start, b.start);
    Str text = p->facts[access_file(p, one)]->source->text;
    Str head = str_trim(str_slice(text, program_access(p, one)->stmt, first));
    Str rest = str_slice(text, MAX(a.end, b.end), text.n), line = str_slice(rest, 0, str_find(rest, '\n'));
    bool pair = str_is(str_trim(str_slice(text, from, to)), ",");
    if (pair && ((str_is(head, "return") && !str_trim(line).n) || (str_is(head, "return (") && str_is(line, ")"))))
        return true;
    while (from < to && (text.p[from] == ' ' || text.p[from] == ')')) from++;
    return from < to && memchr("+-*/%", text.p[from], 5);
}

/* with lock: low = a; high = b, where high - low is read elsewhere without the lock. The lock says that the pair
 * belongs together, and that threads share it. Flags that are asked one after the other are no pair. Of a sum and a
 * count, which are updated together, only what is reckoned from both is: numbers that are shown side by side are as
 * good as any. */
static void read_outside(Finder *f, u32 ga)
{
    const Program *p = f->p;
    u32 sibling = sibling_store(f, ga, true), at = 0, second, guard = p->places.v[f->place].guard;
    if (sibling == NONE || !one_section(p, ga, sibling, NULL) || fields_used(f, ga, true) > SET_TOGETHER) return;
    u32 lock = lockset_common(p, p->access_locks[ga], p->access_locks[sibling]);
    if (lock == NONE || p->locks.v[lock].maybe || (guard != NONE && guard != lock)) return;
    bool updated = program_access(p, ga)->op == OP_AUG || program_access(p, sibling)->op == OP_AUG;
    for (u32 reader; (reader = reads_both(f, ga, sibling, lock, &at, &second)) != NONE;) {
        if (f->claimed[reader] || f->claimed[second] || access_shown(p, reader)) continue;
        if (program_access(p, reader)->op == OP_TRUTH || (updated && !reckoned(p, reader, second))) continue;
        Conflict c = conflict_of(f, reader, ga);
        if (c.witness == NONE || !belong_together(f, ga, sibling, reader)) continue;
        c.confidence = CONF_MEDIUM;
        Race *r = race_add(f, UG108, reader, c);
        r->lock = lock;
        race_site(r, second);
        f->claimed[second] = 1;
        race_message(f, r,
                     "%.*s and %.*s are set together under %.*s on line %u of %.*s, and read together here without "
                     "it; one may be new and the other old",
                     STR_ARG(short_state(p, f->place)), STR_ARG(short_state(p, p->access_place[sibling])),
                     STR_ARG(p->locks.v[lock].display), program_access(p, ga)->line,
                     STR_ARG(p->facts[access_gid(p, ga).file]->source->path));
    }
}

/* low = a; high = b without the lock under which both are read, be it in two statements. The lock says that they
 * belong together. */
static void written_outside(Finder *f, u32 ga, u32 sibling)
{
    const Program *p = f->p;
    u32 second, guard = p->places.v[f->place].guard, other = p->places.v[p->access_place[sibling]].guard;
    if (guard == NONE || guard != other || p->locks.v[guard].maybe || fields_used(f, ga, true) > SET_TOGETHER) return;
    u32 reader = reads_under(f, ga, sibling, guard, &second);
    Conflict c = reader == NONE ? (Conflict){.witness = NONE} : conflict_of(f, ga, reader);
    if (c.witness == NONE || access_shown(p, reader) || !belong_together(f, ga, sibling, reader)) return;
    c.confidence = MIN(c.confidence, CONF_MEDIUM);
    Race *r = race_add(f, UG108, ga, c);
    r->lock = guard;
    race_site(r, sibling);
    f->claimed[ga] = f->claimed[sibling] = 1;
    race_message(
        f, r,
        "%.*s and %.*s are set one after the other here without %.*s, under which line %u of %.*s reads both; "
        "one may be new and the other old there",
        STR_ARG(short_state(p, f->place)), STR_ARG(short_state(p, p->access_place[sibling])),
        STR_ARG(p->locks.v[guard].display), program_access(p, reader)->line,
        STR_ARG(p->facts[access_file(p, reader)]->source->path));
}

void race_fields(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->kind != PLACE_INSTANCE && x->kind != PLACE_CLASS_ATTR && x->kind != PLACE_GLOBAL) return;
    if (!(x->evidence & (EV_SINGLETON | EV_DECORATOR | EV_CLASS_LOCKS | EV_MODULE))) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        const Access *a = program_access(f->p, ga);
        if ((a->op == OP_STORE || a->op == OP_AUG) && !f->claimed[ga] && f->p->access_locks[ga]) two_sections(f, ga);
        if ((a->op == OP_STORE || a->op == OP_AUG) && !f->claimed[ga] && f->p->access_locks[ga]) read_outside(f, ga);
        if (a->op != OP_STORE || f->claimed[ga] || f->p->access_locks[ga]) continue;
        u32 sibling = sibling_store(f, ga, false), at = 0, second;
        u32 reader = sibling == NONE ? NONE : reads_both(f, ga, sibling, NONE, &at, &second);
        Conflict c = reader == NONE ? (Conflict){.witness = NONE} : conflict_of(f, ga, reader);
        if (c.witness == NONE && sibling != NONE) written_outside(f, ga, sibling);
        if (c.witness == NONE) continue;
        GId gr = access_gid(f->p, reader);
        bool shared = x->evidence & EV_GUARDED || threads_visible(f->p, ga, reader);
        c.confidence = shared && belong_together(f, ga, sibling, reader) ? CONF_MEDIUM : CONF_LOW;
        Race *r = race_add(f, UG105, ga, c);
        race_site(r, sibling);
        f->claimed[sibling] = 1;
        race_message(f, r,
                     "%.*s and %.*s are stored one after the other, and read together on line %u of %.*s; a reader "
                     "can see one new and one old value",
                     STR_ARG(short_state(f->p, f->place)), STR_ARG(short_state(f->p, f->p->access_place[sibling])),
                     program_access(f->p, reader)->line, STR_ARG(f->p->facts[gr.file]->source->path));
    }
}
