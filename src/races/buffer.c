/* UG101 about bytes that one call puts into a buffer and takes out again, where the buffer is kept for all:
 *
 *   struct.pack_into("<I", self.buffer, 0, number)      self.port.readinto(self.buffer)
 *   self.port.write(self.buffer)                        return bytes(self.buffer)
 *
 * Of two calls at once, one sends or returns what the other has put in. Needs the accesses of one place. A buffer is
 * meant for the call when whoever reads it fills it first; one that others read, or that grows, is memory, and left
 * to the other rules. Not seen: filled by a helper; arrays of other libraries. */
#include "races/races.h"

enum { ACCESSES = 200 }; /* a buffer that is used more than that is memory */

/* struct.pack_into(format, buffer, …), sock.recv_into(buffer): does the call that is given it fill it? */
static bool filled_by_call(const Program *p, u32 ga)
{
    static const char *const names[] = {"pack_into", "readinto", "readinto1", "recv_into", "recvfrom_into"};
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    u32 at = 0;
    const Call *c = call_given(x, &x->accesses.v[g.id], &at);
    if (!c) return false;
    return str_among(call_last(x, c), names, COUNT_OF(names));
}

typedef enum Use { USE_NO, USE_FILLS, USE_READS, USE_KEEPS } Use;

static Use use_of(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    switch (a->op) {
    case OP_ITEM_STORE: return USE_FILLS;
    case OP_ARG:
    case OP_CREAD:
        return filled_by_call(p, ga) ? USE_FILLS : str_is(access_method(p, ga), "len") ? USE_NO : USE_READS;
    case OP_ITEM_LOAD:
    case OP_ITER:
    case OP_RETURN:
    case OP_CONTAINS: return USE_READS;
    case OP_METHOD: return str_is(access_method(p, ga), "decode") ? USE_READS : USE_KEEPS;
    case OP_LOAD:
    case OP_TRUTH:
    case OP_HASATTR: return USE_NO;
    default: return USE_KEEPS;
    }
}

/* The first access of the function that fills the buffer, before `ga`; NONE. */
static u32 filled_before(const Finder *f, u32 ga)
{
    u32 end;
    for (u32 i = accesses_in(f, access_func(f->p, ga), &end); i < end && f->acc[i] < ga; i++)
        if (use_of(f->p, f->acc[i]) == USE_FILLS) return f->acc[i];
    return NONE;
}

/* Does everybody who reads it fill it first? */
static bool of_each_call(const Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        if (!access_counts(f->p, f->acc[i])) continue;
        Use use = use_of(f->p, f->acc[i]);
        if (use == USE_KEEPS || (use == USE_READS && filled_before(f, f->acc[i]) == NONE)) return false;
    }
    return true;
}

/* with self.device: …, around both: whatever that is, a bus say, it may well exclude others. */
static bool within_with(const Program *p, u32 fill, u32 read)
{
    const Facts *x = p->facts[access_file(p, fill)];
    for (u32 b = program_access(p, fill)->block; b != NONE; b = x->blocks.v[b].parent)
        if (x->blocks.v[b].kind == BLOCK_WITH && block_within(x, program_access(p, read)->block, b)) return true;
    return false;
}

void race_buffer(Finder *f)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    if (x->type.kind != TYPE_BYTEARRAY || f->nacc > ACCESSES || x->kind == PLACE_CLOSURE ||
        x->kind == PLACE_DEFAULT || !of_each_call(f))
        return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 read = f->acc[i], fill = NONE;
        if (use_of(p, read) == USE_READS && access_counts(p, read)) fill = filled_before(f, read);
        if (fill == NONE || f->claimed[fill] || f->claimed[read] || one_section(p, fill, read, NULL)) continue;
        if (within_with(p, fill, read)) continue;
        Conflict c = conflict_of(f, fill, fill);
        if (c.witness == NONE || conflict_of(f, read, fill).witness == NONE) continue;
        Race *r = race_of_call(f, fill, read, c);
        r->by_hand =
            "it belongs to one call, so a buffer of its own is right, or one lock from filling it to its use";
        race_message(f, r,
                     "%.*s is filled here for this call and used on line %u; of two calls at once, one uses what the "
                     "other has put in",
                     STR_ARG(short_state(p, f->place)), program_access(p, read)->line);
    }
}
