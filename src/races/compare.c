/* What a change does: findings and guards of the program after it, set against those before it.
 *
 * Findings are paired in three passes. First by what they say (rule, function, state, as the names are after
 * renames) and by where they stand, lines followed through the diff, so that of two alike in one function the one
 * on the new line is the new one. Then by what they say alone, in the order of the text: an edited line that is
 * still wrong is no new finding. Then by rule, last name of the state and the text itself: code that was moved.
 * What is left of the new side was added, what is left of the old one is cured.
 *
 * Not handled: code that was moved and edited at once; it counts as cured there and added here. */
#include "races/races.h"

typedef struct Side {
    const Program *p;
    const RaceVec *races;
    u32 *pair; /* by race: the one of the other side, NONE */
} Side;

typedef struct Renaming {
    Str from, to; /* module names */
} Renaming;

typedef struct Comparer {
    Arena *a;
    Arena *scratch;
    const Revisions *r;
    Side old, now;
    Vec(Renaming) renamings;
    const NoteVec *notes; /* what was not read after the change */
    Comparison *out;
} Comparer;

/* ---- names under renames ------------------------------------------------------------------------------- */

static void renamings_collect(Comparer *c)
{
    for (u32 i = 0; i < c->r->before.n; i++) {
        u32 to = c->r->renamed[i];
        if (to == NONE || str_eq(c->r->before.v[i]->module, c->r->after.v[to]->module)) continue;
        vec_push(c->scratch, &c->renamings, (Renaming){c->r->before.v[i]->module, c->r->after.v[to]->module});
    }
}

/* The dotted name as it is after the change. */
static Str name_now(const Comparer *c, const Side *side, Str name)
{
    const Renaming *best = NULL;
    for (u32 i = 0; side == &c->old && i < c->renamings.n; i++) {
        const Renaming *x = &c->renamings.v[i];
        bool fits = str_starts(name, x->from) && (name.n == x->from.n || name.p[x->from.n] == '.');
        if (fits && (!best || x->from.n > best->from.n)) best = x;
    }
    if (!best) return name;
    return str_fmt(c->scratch, "%.*s%.*s", STR_ARG(best->to), STR_ARG(str_slice(name, best->from.n, name.n)));
}

/* The line of the new file that an old line is now, 0 when it was taken out or edited. */
static u32 line_now(const FileDiff *f, u32 line)
{
    int64_t shift = 0;
    for (u32 i = 0; f && i < f->hunks.n; i++) {
        const Hunk *h = &f->hunks.v[i];
        u32 from = h->old_start + (h->old_lines == 0), to = h->new_start + (h->new_lines == 0);
        if (line < from) break;
        for (size_t k = 0; k < h->marks.n; k++) {
            if (from == line && h->marks.p[k] != '+') return h->marks.p[k] == '-' ? 0 : to;
            from += h->marks.p[k] != '+';
            to += h->marks.p[k] != '-';
        }
        shift = (int64_t)to - from;
    }
    return (u32)(line + shift);
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

static u64 key_said(const Comparer *c, const Side *side, u32 i)
{
    const Race *r = &side->races->v[i];
    Str func = func_display(c->scratch, side->p, gfunc_of(side->p, r->file, r->func));
    u64 h = hash_mix(r->rule, str_hash(name_now(c, side, func)));
    return hash_mix(h, str_hash(name_now(c, side, r->state)));
}

static u64 key_placed(const Comparer *c, const Side *side, u32 i)
{
    const Race *r = &side->races->v[i];
    u32 file = r->file, line = r->line;
    if (side == &c->old) {
        file = c->r->renamed[r->file];
        if (file == NONE) return hash_mix(i, UINT32_MAX);
        line = line_now(file_diff(c->r, c->r->after.v[file]->path), line);
        if (!line) return hash_mix(i, UINT32_MAX);
    }
    return hash_mix(hash_mix(key_said(c, side, i), map_key(file, line)), r->column);
}

static u64 key_text(const Comparer *c, const Side *side, u32 i)
{
    const Race *r = &side->races->v[i];
    const Source *s = side->p->facts[r->file]->source;
    u64 h = hash_mix(r->rule, str_hash(str_last(r->state, '.')));
    for (u32 line = r->line; line <= MIN(r->end_line, r->line + 20); line++)
        h = hash_mix(h, str_hash(str_trim(source_line(s, line))));
    return h;
}

/* ---- pairing ------------------------------------------------------------------------------------------- */

/* Pairs what is still single and has equal keys, first with first. */
static void pass(Comparer *c, u64 (*key)(const Comparer *c, const Side *side, u32 i))
{
    Map first = {0};
    u32 *next = arena_new(c->scratch, u32, c->old.races->n + 1);
    for (u32 i = c->old.races->n; i-- > 0;) {
        if (c->old.pair[i] != NONE) continue;
        u32 *at = map_at(c->scratch, &first, key(c, &c->old, i) >> 1);
        next[i] = *at;
        *at = i;
    }
    for (u32 i = 0; i < c->now.races->n; i++) {
        if (c->now.pair[i] != NONE) continue;
        u32 *at = map_at(c->scratch, &first, key(c, &c->now, i) >> 1);
        if (*at == NONE) continue;
        c->now.pair[i] = *at;
        c->old.pair[*at] = i;
        *at = next[*at];
    }
}

static u32 *singles(Arena *a, u32 n)
{
    u32 *v = arena_new(a, u32, n + 1);
    for (u32 i = 0; i < n; i++) v[i] = NONE;
    return v;
}

/* ---- what was added, and by which lines ---------------------------------------------------------------- */

static bool file_lines_added(const Comparer *c, u32 file, u32 first, u32 last)
{
    return lines_added(file_diff(c->r, c->now.p->facts[file]->source->path), first, last);
}

static bool cause_set(const Comparer *c, Addition *x, Cause cause, u32 file, u32 line, u32 end_line)
{
    if (!file_lines_added(c, file, line, end_line)) return false;
    x->cause = (u8)cause;
    x->file = file;
    x->line = line;
    x->end_line = end_line;
    return true;
}

static bool cause_in_roots(const Comparer *c, Addition *x, u32 gaccess)
{
    const Program *p = c->now.p;
    const FuncInfo *f = &p->funcs[access_func(p, gaccess)];
    for (u32 i = 0; i < f->nroots; i++) {
        const Root *root = f->roots[i] < p->roots.n ? &p->roots.v[f->roots[i]] : NULL;
        if (!root || root->file == NONE || root->call == NONE) continue;
        u32 line = p->facts[root->file]->calls.v[root->call].line;
        if (cause_set(c, x, CAUSE_ROOT, root->file, line, line)) return true;
    }
    return false;
}

static void addition_make(Comparer *c, u32 race)
{
    const Program *p = c->now.p;
    const Race *r = &c->now.races->v[race];
    Addition x = {.race = race, .file = NONE, .cause = CAUSE_NONE};
    bool found = cause_set(c, &x, CAUSE_SELF, r->file, r->line, r->end_line);
    x.in_changed = found;
    for (u32 i = 0; !found && i < r->nsites; i++) {
        const Access *site = program_access(p, r->sites[i]);
        found = cause_set(c, &x, CAUSE_SITE, access_gid(p, r->sites[i]).file, site->line, site->end_line);
    }
    for (u32 i = 0; !found && i < r->nsites; i++) found = cause_in_roots(c, &x, r->sites[i]);
    vec_push(c->a, &c->out->added, x);
}

/* ---- what got worse ------------------------------------------------------------------------------------ */

static u32 sites_distinct(const Race *r)
{
    u32 n = 0;
    for (u32 i = 0; i < r->nsites; i++) {
        bool old = false;
        for (u32 k = 0; k < i; k++) old |= r->sites[k] == r->sites[i];
        n += !old;
    }
    return n;
}

static bool site_added(const Comparer *c, const Race *r)
{
    for (u32 i = 0; i < r->nsites; i++) {
        const Access *x = program_access(c->now.p, r->sites[i]);
        if (file_lines_added(c, access_gid(c->now.p, r->sites[i]).file, x->line, x->end_line)) return true;
    }
    return false;
}

static void pair_weigh(Comparer *c, u32 before, u32 after)
{
    const Race *x = &c->old.races->v[before], *y = &c->now.races->v[after];
    u32 sites = sites_distinct(x), more = sites_distinct(y);
    Str how = {0};
    if (x->suppressed || y->suppressed) return;
    if (y->severity > x->severity)
        how = str_fmt(c->a, "severity %s before, %s now", severity_name[x->severity], severity_name[y->severity]);
    else if (y->confidence > x->confidence)
        how = str_fmt(c->a, "confidence %s before, %s now", confidence_name[x->confidence],
                      confidence_name[y->confidence]);
    else if (more > sites && site_added(c, y))
        how = str_fmt(c->a, "%u places take part, %u before", more, sites);
    if (how.n) vec_push(c->a, &c->out->worsened, (Worsening){before, after, how});
}

/* The path that a file has after the change. */
static Str path_now(const Comparer *c, u32 file)
{
    if (c->r->renamed[file] != NONE) return c->r->after.v[c->r->renamed[file]]->path;
    Str path = c->r->before.v[file]->path;
    for (u32 i = 0; i < c->r->files.n; i++)
        if (!c->r->files.v[i].deleted && str_eq(c->r->files.v[i].old_path, path)) return c->r->files.v[i].path;
    return path;
}

static bool file_unseen(const Comparer *c, Str path)
{
    for (u32 i = 0; i < c->out->unseen.n; i++)
        if (str_eq(c->out->unseen.v[i], path)) return true;
    return false;
}

/* Files with a note, but for those that had syntax errors before as well: they were seen no better then. */
static void unseen_collect(Comparer *c)
{
    Intern damaged = {0};
    for (u32 i = 0; i < c->old.p->nfiles; i++)
        if (c->old.p->facts[i]->errors.n) intern(c->scratch, &damaged, path_now(c, i));
    for (u32 i = 0; i < c->notes->n; i++) {
        const Note *n = &c->notes->v[i];
        bool same = strcmp(n->code, "syntax-error") == 0 && intern_find(&damaged, n->path) != NONE;
        if (n->path.n && !same && !file_unseen(c, n->path)) vec_push(c->a, &c->out->unseen, n->path);
    }
}

static void findings_compare(Comparer *c)
{
    c->old.pair = singles(c->scratch, c->old.races->n);
    c->now.pair = singles(c->scratch, c->now.races->n);
    pass(c, key_placed);
    pass(c, key_said);
    pass(c, key_text);
    for (u32 i = 0; i < c->now.races->n; i++) {
        u32 pair = c->now.pair[i];
        bool unsilenced = pair != NONE && c->old.races->v[pair].suppressed;
        if (c->now.races->v[i].suppressed) continue;
        if (pair == NONE || unsilenced)
            addition_make(c, i);
        else
            pair_weigh(c, pair, i);
    }
    for (u32 i = 0; i < c->old.races->n; i++)
        if (c->old.pair[i] == NONE && !c->old.races->v[i].suppressed &&
            !file_unseen(c, path_now(c, c->old.races->v[i].file)))
            vec_push(c->a, &c->out->fixed, i);
}

/* ---- guards -------------------------------------------------------------------------------------------- */

/* Two accesses at least make a habit, as in `ungil guards`. */
static bool guarded(const Place *x)
{
    return x->guard != NONE && !x->is_lock && x->guarded >= 2;
}

static Str guard_name(const Comparer *c, const Side *side, const Place *x)
{
    return name_now(c, side, side->p->locks.v[x->guard].display);
}

static bool guard_same(const Comparer *c, const Place *x, const Place *y)
{
    return x->guarded == y->guarded && x->total == y->total &&
           str_eq(guard_name(c, &c->old, x), guard_name(c, &c->now, y));
}

static void guards_compare(Comparer *c)
{
    Map names = {0};
    const Program *old = c->old.p, *now = c->now.p;
    u8 *met = arena_new(c->scratch, u8, old->places.n + 1);
    for (u32 i = old->places.n; i-- > 0;)
        if (guarded(&old->places.v[i]))
            map_put(c->scratch, &names, str_hash(name_now(c, &c->old, old->places.v[i].display)) >> 1, i);
    for (u32 i = 0; i < now->places.n; i++) {
        if (!guarded(&now->places.v[i])) continue;
        u32 before = map_get(&names, str_hash(now->places.v[i].display) >> 1);
        if (before != NONE) met[before] = 1;
        if (before == NONE || !guard_same(c, &old->places.v[before], &now->places.v[i]))
            vec_push(c->a, &c->out->guards, (GuardChange){before, i});
    }
    for (u32 i = 0; i < old->places.n; i++)
        if (guarded(&old->places.v[i]) && !met[i]) vec_push(c->a, &c->out->guards, (GuardChange){i, NONE});
}

void races_compare(Arena *a, const Revisions *r, const Program *before, const RaceVec *old, const Program *after,
                   const RaceVec *now, const NoteVec *notes, Comparison *out)
{
    Arena scratch = {0};
    Comparer c = {.a = a,
                  .scratch = &scratch,
                  .r = r,
                  .old = {.p = before, .races = old},
                  .now = {.p = after, .races = now},
                  .notes = notes,
                  .out = out};
    renamings_collect(&c);
    unseen_collect(&c);
    findings_compare(&c);
    guards_compare(&c);
    arena_free(&scratch);
}
