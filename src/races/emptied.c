/* UG101 about a container of a module that each call starts anew, to collect in it what it finds on its way:
 *
 *   global found
 *   found = []
 *   parse(text)            whatever this calls appends to found
 *   return found
 *
 * A second call in between empties it, and what both find goes to one of them.
 *
 * Needs the accesses of one place. Only what is emptied at the top of a function that then calls others, filled by
 * those or by itself, and read again; not caches, which are emptied by functions that say so, or on a condition. No
 * fix is tried: see scratch.c. */
#include "races/races.h"

/* clear_cache, _reset, close: to empty it is what the function is for. */
static bool clears(Str name)
{
    static const char *const words[] = {"clear", "reset", "flush", "purge", "empty", "forget", "drop", "start",
                                        "close", "stop", "init", "reload", "setup", "clean", "cleanup", "load",
                                        "refresh", "build", "update", "invalidate", "shutdown", "register",
                                        "configure"};
    return str_has_any(name, words, COUNT_OF(words));
}

/* found = [], found.clear(), at the top of the function. */
static bool empties(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    if (!a->func || a->block != fn->block || clears(sym_str(x, fn->name))) return false;
    if (a->op == OP_METHOD) return str_is(sym_str(x, a->method), "clear");
    const Def *d = a->op == OP_STORE ? stored_def(p, ga) : NULL;
    return d && d->empty;
}

/* Does the function call something of the program, or of unknown code, after this? */
static bool calls_after(const Facts *x, const Access *a)
{
    const Func *fn = &x->funcs.v[a->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        if (x->calls.v[i].span.start > a->span.end && block_within(x, x->calls.v[i].block, a->block)) return true;
    return false;
}

/* Something is added to it, and somebody reads what was: the read, NONE. */
static u32 collected(const Finder *f)
{
    u32 read = NONE;
    bool grows = false;
    for (u32 i = 0; i < f->nacc; i++) {
        if (!access_counts(f->p, f->acc[i]) || !program_access(f->p, f->acc[i])->func) continue;
        u8 op = program_access(f->p, f->acc[i])->op;
        grows |= (f->effect[i] & EFFECT_GROW) != 0;
        bool reads = op == OP_ITER || op == OP_RETURN || op == OP_CREAD || op == OP_ITEM_LOAD;
        if (reads && !(f->effect[i] & EFFECT_WRITE) && read == NONE) read = f->acc[i];
    }
    return grows ? read : NONE;
}

void race_emptied(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->kind != PLACE_GLOBAL || x->file == NONE || !type_is_container(x->type.kind)) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        GId g = access_gid(f->p, ga);
        const Facts *facts = f->p->facts[g.file];
        if (f->claimed[ga] || !empties(f->p, ga) || !access_counts(f->p, ga)) continue;
        if (!calls_after(facts, &facts->accesses.v[g.id])) continue;
        u32 read = collected(f);
        Conflict c = read == NONE ? (Conflict){.witness = NONE} : conflict_find(f, ga, EFFECT_WRITE, true);
        if (c.witness == NONE) continue;
        Race *r = race_of_call(f, ga, read, c);
        race_message(f, r,
                     "%.*s is emptied here for this call, filled on the way and read on line %u; of two calls at "
                     "once, one takes away or gets what the other has found",
                     STR_ARG(short_state(f->p, f->place)), program_access(f->p, read)->line);
        return;
    }
}
