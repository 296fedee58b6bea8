/* UG108: a value that is changed under its lock and asked for after the lock is given back.
 *
 *   with self._lock:
 *       self.left -= 1
 *   if self.left == 0:          two threads may both see the last value
 *       self.finish()
 *
 *   with self._lock:
 *       self.last_id += 1
 *   packet = pack(body)
 *   self.send(self.last_id, packet)    two threads may send the same number
 *
 * Needs the guard of the place. The next statement is an if that tests it, or returns it; or the number only goes one
 * way, and is handed on, stored or returned further down in the same function: then it is meant to be the one that
 * the update gave. What is merely shown may be old. Not handled: values that are changed in a function called before;
 * items of containers. */
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

bool loop_between(const Facts *x, u32 inner, u32 outer)
{
    for (u32 b = inner; b != NONE && b != outer; b = x->blocks.v[b].parent)
        if (block_is_loop(&x->blocks.v[b])) return true;
    return false;
}

/* The sign of an augmented assignment and what is added: '+' of x += 1; 0 for other operators. */
static char sign_of(const Program *p, u32 update, Str *added)
{
    Str text = p->facts[access_gid(p, update).file]->source->text;
    Str rest = str_trim(line_from(text, program_access(p, update)->span.end));
    *added = str_trim(str_slice(rest, MIN(2u, rest.n), rest.n));
    return rest.n > 2 && rest.p[1] == '=' && (rest.p[0] == '+' || rest.p[0] == '-') ? rest.p[0] : 0;
}

/* Is the place a number, and do all its updates go the same way? What goes up and down is asked for what it is now.
 */
static bool goes_one_way(const Program *p, u32 place, u32 update)
{
    const Place *x = &p->places.v[place];
    Str added;
    char sign = sign_of(p, update, &added);
    if (!sign || !added.n) return false;
    if (x->type.kind != TYPE_NUMBER && !(added.p[0] >= '0' && added.p[0] <= '9')) return false;
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = p->place_access.v[i];
        if (program_access(p, ga)->op == OP_AUG && sign_of(p, ga, &added) != sign) return false;
    }
    return true;
}

static Str text_at(const Facts *x, Span s)
{
    return str_slice(x->source->text, s.start, s.end);
}

/* Is the state named there as in the update? A local may have its value, and self.count may be the object's own
 * beside Node.count. */
static bool names_it(const Facts *x, const Access *update, const Access *a)
{
    return a->path == update->path && str_eq(text_at(x, a->span), text_at(x, update->span));
}

static bool writes_place(const Program *p, u32 gfunc, u32 place)
{
    const Place *x = &p->places.v[place];
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = p->place_access.v[i];
        if (access_func(p, ga) == gfunc && access_effect(p, ga) & EFFECT_WRITE) return true;
    }
    return false;
}

/* Does a call between the two change the place, as far as calls are certain, `depth` functions down? */
static bool changed_between(const Program *p, u32 gfunc, u32 place, u32 from, u32 to, u32 depth)
{
    for (u32 i = p->edge_first[gfunc]; i < p->edge_first[gfunc + 1]; i++) {
        const CallEdge *e = &p->edges.v[i];
        if (e->weak || e->call == NONE) continue;
        u32 at = p->facts[e->file]->calls.v[e->call].span.start;
        if (at < from || at >= to) continue;
        if (writes_place(p, e->callee, place)) return true;
        if (depth && changed_between(p, e->callee, place, 0, NONE, depth - 1)) return true;
    }
    return false;
}

/* Is there a call between the two that starts something, or waits for it? Who asks then wants to know what others
 * have made of it. */
static bool others_between(const Facts *x, u32 func, u32 from, u32 to)
{
    static const char *const names[] = {"join",   "wait", "result",  "shutdown", "gather",       "sleep",
                                        "submit", "map",  "starmap", "start",    "as_completed", "run"};
    const Func *fn = &x->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        Str name = call_last(x, c);
        if (c->span.start >= from && c->span.end <= to && (c->in_with || str_among(name, names, COUNT_OF(names))))
            return true;
    }
    return false;
}

/* May the name by which the object is reached stand for another one further down? */
static bool steady_root(const Facts *x, u32 path)
{
    const Path *q = &x->paths.v[path];
    return q->root != ROOT_CALL && q->root != ROOT_UNKNOWN &&
           (!q->nattr || (q->root != ROOT_LOCAL && q->root != ROOT_PARAM));
}

/* The block in which the update always runs: its own, or around the sections that hold it. */
static u32 block_of_update(const Facts *x, const Access *u)
{
    const Func *fn = &x->funcs.v[u->func];
    u32 block = u->block;
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++) {
        const Section *s = &x->sections.v[i];
        if (s->kind == SECTION_WITH && span_within(u->span, s->span) && x->blocks.v[block].kind == BLOCK_WITH)
            block = x->blocks.v[block].parent;
    }
    return block;
}

u32 reads_back(const Program *p, u32 update, u32 out[READ_BACK])
{
    enum { DEPTH = 3 };
    GId g = access_gid(p, update);
    u32 place = p->access_place[update], n = 0, needed = 0;
    const Facts *x = p->facts[g.file];
    const Access *u = &x->accesses.v[g.id];
    if (place == NONE || u->op != OP_AUG || !u->func || !steady_root(x, u->path)) return 0;
    const Place *q = &p->places.v[place];
    u32 block = block_of_update(x, u);
    const Func *fn = &x->funcs.v[u->func];
    if (q->kind == PLACE_DEFAULT) return 0;
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        u32 ga = p->access_base[g.file] + i;
        const Access *a = &x->accesses.v[i];
        if (p->access_place[ga] != place || a->func != u->func || a->span.start < u->span.end) continue;
        if (access_effect(p, ga) & EFFECT_WRITE) break;
        if (!block_within(x, a->block, block)) continue;
        if (loop_between(x, a->block, block) || (a->cond != NONE && x->conds.v[a->cond].loop)) break;
        if (yields_between(x, u->func, u->span.end, a->span.start) || !names_it(x, u, a) || n == READ_BACK) break;
        out[n++] = ga;
        if (!access_told(p, ga)) needed = n;
    }
    if (!needed || !goes_one_way(p, place, update)) return 0;
    u32 end = program_access(p, out[needed - 1])->span.start;
    while (needed && (others_between(x, u->func, u->stmt, end) ||
                      changed_between(p, access_func(p, update), place, u->span.end, end, DEPTH))) {
        needed--; /* up to the call */
        end = needed ? program_access(p, out[needed - 1])->span.start : 0;
    }
    return needed ? MIN(n, needed) : 0;
}

/* show(self.done), progress.update(self.done): is it given to code that shows how far things are? */
static bool shown(const Program *p, const Access *a, u32 file)
{
    static const char *const words[] = {"show",   "display", "draw",  "progress", "update", "status",
                                        "format", "str",     "write", "notify",   "emit",   "repr",
                                        "title",  "text",    "label", "report"};
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[a->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        if (span_within(a->span, x->calls.v[i].span) &&
            str_has_any(call_last(x, &x->calls.v[i]), words, COUNT_OF(words)))
            return true;
    }
    return false;
}

/* The first read further down that hands on what the update gave, without the lock; NONE. */
static u32 later_read(const Finder *f, u32 update, u32 guard)
{
    u32 reads[READ_BACK], n = reads_back(f->p, update, reads);
    for (u32 i = 0; i < n; i++) {
        const Access *a = program_access(f->p, reads[i]);
        if (access_told(f->p, reads[i]) || shown(f->p, a, access_gid(f->p, update).file)) continue;
        return lockset_has(f->p, f->p->access_locks[reads[i]], guard) ? NONE : reads[i];
    }
    return NONE;
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
        bool next = read != NONE;
        if (!next) read = later_read(f, update, guard);
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
