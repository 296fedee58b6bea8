/* What a function says about locks to its callers: "not thread-safe", "the caller must hold the lock". Then a race in
 * it is theirs to prevent (impact by-contract), and nothing to report where no thread in sight breaks the contract.
 *
 * Read are the comments above the definition, those before its first statement, and its docstring. Not read: the
 * documentation outside of the source, and what a class says (SIGN_CALLER). */
#include "races/races.h"

/* From the first of the comment lines that stand right above the definition. */
static u32 comments_start(Str text, u32 at)
{
    while (at && text.p[at - 1] != '\n') at--;
    while (at) {
        u32 line = at - 1;
        while (line && text.p[line - 1] != '\n') line--;
        if (!str_starts(str_trim(str_slice(text, line, at)), S("#"))) break;
        at = line;
    }
    return at;
}

/* To the end of the docstring, or to the first statement. */
static u32 docstring_end(Str text, Span body)
{
    Str rest = str_slice(text, body.start, body.end);
    size_t quote = 0;
    while (quote < rest.n && quote < 2 && rest.p[quote] != '"' && rest.p[quote] != '\'') quote++;
    if (quote >= rest.n || (rest.p[quote] != '"' && rest.p[quote] != '\'')) return body.start;
    char c = rest.p[quote];
    bool triple = quote + 2 < rest.n && rest.p[quote + 1] == c && rest.p[quote + 2] == c;
    for (size_t i = quote + (triple ? 3 : 1); i < rest.n; i++) {
        if (rest.p[i] == '\\')
            i++;
        else if (rest.p[i] == c && (!triple || (i + 2 < rest.n && rest.p[i + 1] == c && rest.p[i + 2] == c)))
            return body.start + (u32)i;
        else if (rest.p[i] == '\n' && !triple)
            break;
    }
    return body.start;
}

/* Of a function only: "Not safe to call from several threads", "call with the lock held". */
static bool wants_lock(Str text)
{
    static const char *const said[] = {
        "must hold the lock",   "must hold lock",        "lock must be held",         "call with the lock",
        "called with the lock", "must own the lock",     "called while holding the",  "caller holds the lock",
        "lock should be held",  "should hold the lock",  "lock is held by the caller"};
    if (str_has_any(text, said, COUNT_OF(said))) return true;
    return str_has_word(text, "not safe to") && str_has_word(text, "thread");
}

bool callers_lock(const Program *p, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    for (; func; func = f->funcs.v[func].parent) {
        const Func *fn = &f->funcs.v[func];
        u32 from = comments_start(f->source->text, fn->span.start), to = docstring_end(f->source->text, fn->body);
        Str text = str_slice(f->source->text, from, MAX(to, fn->body.start));
        if (leaves_locking(text) || wants_lock(text)) return true;
    }
    return false;
}

static bool section_spans(const Program *p, u32 file, const Func *fn, u32 at, u32 lock)
{
    const Facts *x = p->facts[file];
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Span *held = &x->sections.v[i].span;
        if (p->section_lock[p->section_base[file] + i] == lock && held->start <= at && at < held->end) return true;
    }
    return false;
}

/* Does the function say that its callers hold a lock: by its text, or by a name that ends in _locked? */
static bool says_held(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const LockSet *held = &p->locksets.v[p->funcs[gfunc].entry_locks];
    for (u32 i = 0; i < held->n; i++)
        if (p->locks.v[held->ids[i]].place == NONE && p->locks.v[held->ids[i]].maybe) return true;
    return callers_lock(p, g.file, g.id);
}

bool left_to_callers(const Finder *f, u32 ga, u32 lock)
{
    const Program *p = f->p;
    u32 gfunc = access_func(p, ga);
    if (lockset_hopes(p, p->access_locks[ga], lock)) return true;
    if (!says_held(p, gfunc)) return false;
    for (u32 i = f->called_first[gfunc]; i < f->called_first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[f->called[i]];
        const FuncInfo *caller = &p->funcs[e->caller];
        if (e->weak || e->call == NONE || e->caller == gfunc || caller->construct || caller->import_time ||
            p->tests[e->file])
            continue;
        u32 at = p->facts[e->file]->calls.v[e->call].span.start;
        if (!section_spans(p, e->file, program_func(p, e->caller), at, lock) &&
            !lockset_hopes(p, caller->entry_locks, lock) && !says_held(p, e->caller))
            return false;
    }
    return true;
}
