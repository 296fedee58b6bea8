/* UG102 about files that several threads use:
 *
 *   self.file.seek(at)               one thread moves the position that the other has just set, and what is read or
 *   return self.file.read(n)         written is at the wrong place (docs/memory-model.md, io)
 *
 * A single write or read keeps its own integrity, so nothing is said about those. os.pread and os.pwrite take the
 * position as an argument.
 *
 * Needs the accesses of one place. A file is known by what made it, or, where that is not in sight, by being used as
 * one: it is positioned and read. The two steps in two functions are in exchange.c. */
#include "races/races.h"

enum {
    WITNESSES = 400 /* as many accesses are looked at; a file with more of them has a witness among them */
};

static Str method_of(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    return a->op == OP_METHOD ? sym_str(p->facts[access_gid(p, ga).file], a->method) : S("");
}

static bool moves(Str method)
{
    static const char *const names[] = {"read",  "readline",   "readlines", "readinto",
                                        "write", "writelines", "truncate",  "seek"};
    for (u32 i = 0; i < COUNT_OF(names); i++)
        if (str_is(method, names[i])) return true;
    return false;
}

/* The next access of the function after the one at `i` that moves the position; it depends on where seek() has left
 * it. NONE when there is none, or another seek() comes first. */
static u32 used_next(const Finder *f, u32 i)
{
    GId g = access_gid(f->p, f->acc[i]);
    u32 func = program_access(f->p, f->acc[i])->func;
    for (u32 k = i + 1; k < f->nacc; k++) {
        GId h = access_gid(f->p, f->acc[k]);
        const Access *a = program_access(f->p, f->acc[k]);
        if (h.file != g.file || a->func != func || a->op == OP_STORE) return NONE;
        bool walked = a->op == OP_ITER || (a->op == OP_CREAD && str_is(access_method(f->p, f->acc[k]), "list"));
        if (walked || a->op == OP_ARG) return f->acc[k]; /* for line in f, json.load(f) */
        Str method = method_of(f->p, f->acc[k]);
        if (moves(method)) return str_is(method, "seek") ? NONE : f->acc[k];
    }
    return NONE;
}

/* Who moves the position between the two; the surest witness. */
static Conflict moved_between(const Finder *f, u32 seek, u32 use)
{
    Conflict best = {NONE, CONF_LOW, false};
    for (u32 i = 0, looked = 0; i < f->nacc && looked < WITNESSES && best.confidence < CONF_HIGH; i++) {
        if (!moves(method_of(f->p, f->acc[i])) || !access_counts(f->p, f->acc[i])) continue;
        looked++;
        Conflict c = conflict_of(f, use, f->acc[i]);
        if (c.witness == NONE || conflict_of(f, seek, f->acc[i]).witness == NONE) continue;
        if (best.witness == NONE || c.confidence > best.confidence) best = c;
    }
    return best;
}

void race_stream(Finder *f)
{
    if (!place_asks(f, TALK_FILE)) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 seek = f->acc[i];
        if (f->claimed[seek] || !str_is(method_of(f->p, seek), "seek") || !access_counts(f->p, seek)) continue;
        u32 use = used_next(f, i);
        Conflict c = use == NONE ? (Conflict){NONE, CONF_LOW, false} : moved_between(f, seek, use);
        if (c.witness == NONE) continue;
        Race *r = race_add(f, UG102, use, c);
        race_site(r, seek);
        r->test = seek;
        r->act = use;
        bool writes = str_is(method_of(f->p, use), "write") || str_is(method_of(f->p, use), "writelines");
        race_message(f, r,
                     "%.*s is positioned on line %u and %s here; another thread may move it in between, and this is "
                     "then at the wrong place",
                     STR_ARG(short_state(f->p, f->place)), program_access(f->p, seek)->line,
                     writes                                     ? "written"
                     : str_is(method_of(f->p, use), "truncate") ? "cut off"
                                                                : "read");
    }
}
