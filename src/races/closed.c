/* UG102 about an object that is closed and then replaced, while other threads use what the name stands for:
 *
 *   self._file.close()                             with nothing that keeps others from it:
 *   self._file = open(self._name, "a")                 self._file.write(line)
 *
 * Who comes between the two uses the closed one.
 *
 * Needs the accesses of one place. Not seen: closed through a helper, or under another name. Who catches the error
 * expects it. Where a lock is held for it, those who do not take it are a matter of guard.c. */
#include "races/races.h"

enum {
    WITNESSES = 16, ACCESSES = 200, /* that are looked at */
    USES = 500 /* no fix is tried that would lock more of them */
};

static bool closes(const Program *p, u32 ga)
{
    static const char *const names[] = {"close", "disconnect", "terminate", "shutdown"};
    return program_access(p, ga)->op == OP_METHOD && str_among(access_method(p, ga), names, COUNT_OF(names));
}

/* The store that follows in the same function, of an object that is made there; NONE. */
static u32 replaced_after(const Finder *f, u32 i)
{
    const Program *p = f->p;
    GId g = access_gid(p, f->acc[i]);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    for (u32 k = i + 1; k < f->nacc && k - i < STEPS_AHEAD && access_gid(p, f->acc[k]).file == g.file; k++) {
        const Access *b = program_access(p, f->acc[k]);
        if (b->func != a->func || b->path != a->path || b->op == OP_DEL) return NONE;
        if (b->op != OP_STORE) continue;
        const Def *d = stored_def(p, f->acc[k]);
        bool ordered = block_within(x, a->block, b->block) || block_within(x, b->block, a->block);
        return d && d->kind == VAL_CALL && !d->empty && ordered ? f->acc[k] : NONE;
    }
    return NONE;
}

/* Another function that calls something of the object, and does not expect it to fail; the surest witness. */
static Conflict used_between(const Finder *f, u32 close, u32 store)
{
    const Program *p = f->p;
    Conflict best = {NONE, CONF_LOW, false};
    u32 end = f->nacc < ACCESSES ? f->nacc : ACCESSES;
    for (u32 i = 0, looked = 0; i < end && looked < WITNESSES && best.confidence < CONF_HIGH; i++) {
        u32 use = f->acc[i];
        if (program_access(p, use)->op != OP_METHOD || closes(p, use) || !access_counts(p, use)) continue;
        if (access_func(p, use) == access_func(p, close) || failure_caught(p, use)) continue;
        looked++;
        Conflict c = conflict_of(f, store, use);
        if (c.witness == NONE || conflict_of(f, close, use).witness == NONE) continue;
        if (best.witness == NONE || c.confidence > best.confidence) best = c;
    }
    return best;
}

void race_closed(Finder *f)
{
    const Program *p = f->p;
    u8 kind = p->places.v[f->place].kind;
    if (kind == PLACE_CLOSURE || kind == PLACE_DEFAULT) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 close = f->acc[i], store = closes(p, close) && access_counts(p, close) ? replaced_after(f, i) : NONE;
        if (store == NONE || f->claimed[store] || p->access_locks[store]) continue;
        Conflict c = used_between(f, close, store);
        if (c.witness == NONE) continue;
        Race *r = race_add(f, UG102, store, c);
        r->test = close;
        r->act = store;
        r->readers = f->nacc <= USES; /* who uses it in between is harmed */
        if (!r->readers) r->by_hand = "it is used in too many places to lock each of them";
        race_site(r, close);
        GId w = access_gid(p, c.witness);
        race_message(f, r,
                     "%.*s is closed on line %u and replaced here; in another thread, line %u of %.*s may use the "
                     "closed one in between",
                     STR_ARG(short_state(p, f->place)), program_access(p, close)->line,
                     program_access(p, c.witness)->line, STR_ARG(p->facts[w.file]->source->path));
        return;
    }
}
