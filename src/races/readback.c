/* UG108: a value that is changed under its lock and asked for after the lock is given back.
 *
 *   with self._lock:
 *       self.left -= 1
 *   if self.left == 0:          two threads may both see the last value
 *       self.finish()
 *
 * Needs the guard of the place. Only where the next statement is an if that tests it, or returns it;
 * what is merely shown may be old. Not handled: values that are changed in a function called before. */
#include "races/races.h"

static Str line_from(Str text, u32 at)
{
    Str rest = str_slice(text, at, text.n);
    return str_slice(rest, 0, str_find(rest, '\n'));
}

/* Is it tested by an if statement, or all that is returned? */
static bool decides_or_returns(const Facts *x, const Access *a)
{
    Str line = line_from(x->source->text, a->stmt);
    if (a->op == OP_TRUTH && a->cond != NONE) return str_starts(line, S("if ")) || str_starts(line, S("if("));
    Str before = str_slice(x->source->text, a->stmt, a->span.start);
    Str after = str_trim(line_from(x->source->text, a->span.end));
    return str_is(str_trim(before), "return") && (!after.n || after.p[0] == '#');
}

bool follows_at_once(Str text, u32 first, u32 second)
{
    Str line = line_from(text, first);
    if (str_find(line, ';') < line.n) return false;
    for (u32 at = first + (u32)line.n + 1; at < second;) {
        Str next = line_from(text, at);
        u32 end = at + (u32)next.n;
        if (second <= end) return !str_trim(str_slice(text, at, second)).n;
        next = str_trim(next);
        if (next.n && next.p[0] != '#') return false;
        at = end + 1;
    }
    return false;
}

/* The access that comes next in the same function, when it stands in a block around the update; NONE. */
static u32 next_read(const Finder *f, u32 i)
{
    const Access *update = program_access(f->p, f->acc[i]);
    u32 file = access_gid(f->p, f->acc[i]).file;
    if (i + 1 == f->nacc || access_gid(f->p, f->acc[i + 1]).file != file) return NONE;
    const Facts *x = f->p->facts[file];
    const Access *a = program_access(f->p, f->acc[i + 1]);
    bool after = a->func == update->func && a->path == update->path && a->span.start > update->span.end;
    if (!after || a->func == 0 || !block_within(x, update->block, a->block)) return NONE;
    if (!decides_or_returns(x, a) || !follows_at_once(x->source->text, update->stmt, a->stmt)) return NONE;
    return f->acc[i + 1];
}

void race_readback(Finder *f)
{
    u32 guard = f->p->places.v[f->place].guard;
    if (guard == NONE || f->p->locks.v[guard].maybe) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 update = f->acc[i], read;
        if (program_access(f->p, update)->op != OP_AUG) continue;
        if (!lockset_has(f->p, f->p->access_locks[update], guard)) continue;
        read = next_read(f, i);
        if (read == NONE || f->claimed[read] || lockset_has(f->p, f->p->access_locks[read], guard)) continue;
        Conflict c = conflict_find(f, read, EFFECT_WRITE, false);
        if (c.witness == NONE) continue;
        if (c.confidence > CONF_MEDIUM) c.confidence = CONF_MEDIUM;
        Race *r = race_add(f, UG108, read, c);
        r->lock = guard;
        r->test = update;
        r->act = read;
        race_site(r, update);
        race_message(f, r,
                     "%.*s is changed under %.*s on line %u and asked for here after the lock is given back; another "
                     "thread may have changed it in between",
                     STR_ARG(short_state(f->p, f->place)), STR_ARG(f->p->locks.v[guard].display),
                     program_access(f->p, update)->line);
    }
}
