/* What must be made once only, whoever comes second. Of most things that are made on first use the second one takes
 * the first one's place, and nothing is lost: of 40 of those, read as maintainers would at high confidence, 2 were
 * true. Two locks exclude nobody; two threads both do the work, each with what only one was to have, and nobody waits
 * for the first.
 *
 * A thread that start() makes is another matter: that it is called once is what its user sees to. */
#include "races/races.h"

bool must_be_one(const Place *x)
{
    return x->is_lock || (x->type.kind >= TYPE_LOCK && x->type.kind <= TYPE_EVENT) || x->type.kind == TYPE_RWLOCK;
}

/* start, start_thread, run, open_connection, __enter__, onConnected, mainLoop: what a user calls once, or an event
 * does. */
static bool begins(Str name)
{
    static const char *const verbs[] = {"start", "run",  "open",   "connect", "begin",  "launch", "spawn", "setup",
                                        "init",  "main", "listen", "serve",   "enter",  "resume", "loop",  "on"};
    return str_first_word(name, verbs, COUNT_OF(verbs));
}

bool starts_in_passing(const Program *p, const Race *r, const Place *x)
{
    if (r->rule != UG103 || r->act == NONE || (x->type.kind != TYPE_THREAD && x->type.kind != TYPE_EXECUTOR))
        return false;
    const Def *d = stored_def(p, r->act);
    const Facts *f = p->facts[access_gid(p, r->act).file];
    return d && d->kind == VAL_CALL && !begins(sym_str(f, f->funcs.v[program_access(p, r->act)->func].name));
}
