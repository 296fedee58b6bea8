/* Proves the changes before anything is written.
 *
 * For each changed file: it parses without new errors, and the certificate holds. For the program: with
 * the changed files' facts in place of the old ones, the findings that were to be fixed are gone, no other
 * finding is there that was not there before, and planning again wants nothing more at the places that
 * were fixed. A fix that fails is declined as a defect of ours, and everything is made and proved again
 * without it. */
#include "edit/prove.h"

#include <malloc.h>

enum { PLANS_MAX = 4 }; /* how often all is planned for what the proof has taught */

void proof_drop(Proof *v, u32 fix, Str why)
{
    Fix *f = &v->fixes->fixes.v[fix];
    if (f->declined) return;
    f->declined = f->defect = true;
    f->reason = str_fmt(v->a, "left out by verification: %.*s", STR_ARG(why));
    v->failed = true;
}

/* No single fix is to blame: all that touch the file. */
static void drop_file(Proof *v, u32 file, Str why)
{
    for (u32 i = 0; i < v->fixes->fixes.n; i++)
        if (fix_wanted(v->fixes, i, v->w) && fix_uses(&v->fixes->fixes.v[i], file)) proof_drop(v, i, why);
}

/* ---- each file ---- */

/* The certificate, with the old file's tree from those that were kept, if it is one of them. */
static bool certified(Arena *a, const Made *m, const Asts *asts, const Ast *after, Str *why, u32 *fix)
{
    const Ast *before = asts_get(asts, m->change.file, m->change.before);
    if (before) return certificate_holds(a, m, before, after, why, fix);
    Arena scratch = {0};
    Ast parsed = ast_parse(&scratch, m->change.before);
    bool holds = certificate_holds(a, m, &parsed, after, why, fix);
    arena_free(&scratch);
    return holds;
}

/* One file's proof, found by one of the worker threads. */
typedef struct FileProof {
    const Made *made;
    const Asts *asts;
    Arena a;
    Facts *facts; /* NULL: it failed */
    Str why;
    u32 fix; /* to blame; NONE: all of the file */
} FileProof;

static void file_proof(void *ctx, u32 item, u32 worker)
{
    FileProof *x = *((FileProof **)ctx + item);
    (void)worker;
    NoteVec notes = {0};
    x->fix = NONE;
    Source *s = source_changed(&x->a, &x->made->change, &notes);
    if (!s) {
        x->why = S("the new file cannot be read back");
        return;
    }
    Arena scratch = {0};
    Ast after = ast_parse(&scratch, s);
    if (certified(&x->a, x->made, x->asts, &after, &x->why, &x->fix)) x->facts = facts_of_ast(&x->a, &after);
    arena_free(&scratch);
}

/* Proves each file whose text is not the one that was proved last, and puts its facts in place of the old ones. */
static void files_proof(Proof *v, Facts **facts)
{
    FileProof **todo = arena_new(v->a, FileProof *, v->made.n + 1);
    u32 n = 0;
    for (u32 i = 0; i < v->made.n; i++) {
        const Change *c = &v->made.v[i].change;
        if (v->proved_facts[c->file] && str_eq(v->proved[c->file], c->after)) continue;
        todo[n] = arena_new(v->a, FileProof, 1);
        *todo[n++] = (FileProof){.made = &v->made.v[i], .asts = v->fixes->asts};
    }
    pool_run(v->p->options->jobs ? v->p->options->jobs : os_cpus(), n, file_proof, todo);
    asts_drop(v->fixes->asts); /* the next link needs the room more than a further round does */
    malloc_trim(0); /* as after the facts of all files */
    for (u32 i = 0; i < n; i++) {
        FileProof *x = todo[i];
        u32 file = x->made->change.file;
        arena_adopt(v->a, &x->a);
        v->proved[file] = x->made->change.after;
        v->proved_facts[file] = x->facts;
        if (x->facts) continue;
        if (x->fix != NONE)
            proof_drop(v, x->fix, x->why);
        else
            drop_file(v, file, x->why);
    }
    for (u32 i = 0; i < v->made.n; i++) {
        u32 file = v->made.v[i].change.file;
        if (v->proved_facts[file]) facts[file] = v->proved_facts[file];
    }
}

/* ---- the program ---- */

static void count(Arena *a, Map *m, const RaceVec *races)
{
    for (u32 i = 0; i < races->n; i++) {
        if (races->v[i].suppressed && !races->v[i].known) continue;
        u32 *n = map_at(a, m, races->v[i].fingerprint >> 1);
        *n = *n == NONE ? 1 : *n + 1;
    }
}

static u32 counted(const Map *m, u64 fingerprint)
{
    u32 n = map_get(m, fingerprint >> 1);
    return n == NONE ? 0 : n;
}

/* How many findings with this fingerprint the wanted fixes take away. */
static u32 fixed_with(const Proof *v, u64 fingerprint)
{
    u32 n = 0;
    for (u32 i = 0; i < v->fixes->fixes.n; i++) {
        if (!fix_wanted(v->fixes, i, v->w)) continue;
        const Fix *f = &v->fixes->fixes.v[i];
        for (u32 k = 0; k < f->races.n; k++) n += v->races->v[f->races.v[k]].fingerprint == fingerprint;
    }
    return n;
}

static void races_gone(Proof *v, const Map *before, const Map *after)
{
    for (u32 i = 0; i < v->fixes->fixes.n; i++) {
        if (!fix_wanted(v->fixes, i, v->w)) continue;
        const Fix *f = &v->fixes->fixes.v[i];
        for (u32 k = 0; k < f->races.n; k++) {
            const Race *r = &v->races->v[f->races.v[k]];
            u32 left = counted(after, r->fingerprint), had = counted(before, r->fingerprint);
            if (left + fixed_with(v, r->fingerprint) <= had) continue;
            proof_drop(v, i,
                       str_fmt(v->a, "%s at line %u is still found after it", rule_table[r->rule].code, r->line));
            break;
        }
    }
}

bool rule_about_locks(u8 rule)
{
    return rule == UG301 || rule == UG303 || rule == UG304 || rule == UG305;
}

bool same_state(const Program *before, u32 place, const Program *after, u32 now)
{
    return place != NONE && now != NONE &&
           str_eq(before->places.v[place].display, after->places.v[now].display);
}

Str fix_lock_name(const Proof *v, const Fix *f)
{
    return f->lock == NONE ? S("") : v->fixes->locks.v[f->lock].display;
}

/* A finding about a lock: the fixes that take this lock in its file; all that touch the file where none does. */
static void blame_lock(Proof *v, const Program *after, const Race *r, Str why)
{
    Str lock = r->lock == NONE ? S("") : after->locks.v[r->lock].display;
    bool found = false;
    for (u32 i = 0; lock.n && i < v->fixes->fixes.n; i++) {
        if (!fix_wanted(v->fixes, i, v->w) || !str_eq(fix_lock_name(v, &v->fixes->fixes.v[i]), lock)) continue;
        found = true;
        proof_drop(v, i, why);
    }
    if (!found) drop_file(v, r->file, why);
}

/* The fixes to blame for a finding that was not there: those of its place; for a finding about locks also
 * those that touch its file. Other findings may appear because a lock shows that a class is meant for
 * several threads; they were there before, and only not believed. */
static void blame(Proof *v, const Program *after, const Race *r)
{
    Str why = str_fmt(v->a, "it brings a new finding, %s in line %u of %.*s: %.*s", rule_table[r->rule].code, r->line,
                      STR_ARG(after->facts[r->file]->source->path), STR_ARG(r->message));
    bool found = false;
    for (u32 i = 0; i < v->fixes->fixes.n; i++) {
        if (!fix_wanted(v->fixes, i, v->w)) continue;
        const Fix *f = &v->fixes->fixes.v[i];
        bool same = same_state(v->p, f->place, after, r->place);
        found |= same;
        if (!same) continue;
        if (v->teach && lesson_learn(v, after, r, f->place))
            v->learned = true;
        else
            proof_drop(v, i, why);
    }
    if (!found && rule_about_locks(r->rule) && !blame_cycle(v, after, r, why)) blame_lock(v, after, r, why);
}

static void none_new(Proof *v, const Program *after, const RaceVec *found, const Map *before, const Map *now)
{
    for (u32 i = 0; i < found->n; i++) {
        const Race *r = &found->v[i];
        if (!r->suppressed && counted(now, r->fingerprint) > counted(before, r->fingerprint)) blame(v, after, r);
    }
}

/* The wanted fix of the place with this name; NONE. */
static u32 fix_of_place(const Proof *v, const Program *after, u32 place)
{
    for (u32 i = 0; i < v->fixes->fixes.n; i++)
        if (fix_wanted(v->fixes, i, v->w) && same_state(v->p, v->fixes->fixes.v[i].place, after, place)) return i;
    return NONE;
}

/* Can the fix of this run do what that of a second run would do? */
static bool again_learn(Proof *v, const Program *after, const RaceVec *left, const Fix *again, u32 place)
{
    bool learned = false;
    for (u32 i = 0; v->teach && i < again->races.n; i++)
        learned |= lesson_learn(v, after, &left->v[again->races.v[i]], place);
    v->learned |= learned;
    return learned;
}

/* Findings are left at the fixed places only when the rule knows no fix; then planning must agree. */
static void idempotent(Arena *a, Proof *v, const Program *after, const RaceVec *all, const RaceVec *found)
{
    RaceVec left = {0};
    for (u32 i = 0; i < found->n; i++)
        if (fix_of_place(v, after, found->v[i].place) != NONE) vec_push(a, &left, found->v[i]);
    if (!left.n) return;
    FixList again;
    fixes_plan(a, after, v->pages, all, &left, &again);
    for (u32 i = 0; i < again.fixes.n; i++) {
        if (!fix_wanted(&again, i, &(Wanted){.unsafe = v->w->unsafe})) continue;
        u32 mine = fix_of_place(v, after, again.fixes.v[i].place);
        if (mine != NONE && !again_learn(v, after, &left, &again.fixes.v[i], v->fixes->fixes.v[mine].place))
            proof_drop(v, mine, S("a second run would change the same state again"));
    }
    asts_drop(again.asts);
}

/* What the baseline lists stays known. */
static void known_carry(Arena *a, const Proof *v, RaceVec *found)
{
    Map known = {0};
    for (u32 i = 0; i < v->races->n; i++)
        if (v->races->v[i].known) map_put(a, &known, v->races->v[i].fingerprint >> 1, 1);
    for (u32 i = 0; known.n && i < found->n; i++)
        if (map_get(&known, found->v[i].fingerprint >> 1) != NONE) found->v[i].known = found->v[i].suppressed = true;
}

/* The changed program is looked at and dropped: only what it says against fixes is kept. */
static void program_proof(Proof *v, Facts **facts)
{
    Arena scratch = {0}, *a = &scratch;
    Program *after = program_link(a, v->p->options, facts, v->p->nfiles);
    RaceVec all = {0}, found = {0};
    races_all(a, after, &all);
    races_wanted(a, after, &all, &found);
    Map before = {0}, now = {0};
    known_carry(a, v, &found);
    count(a, &before, v->races);
    count(a, &now, &found);
    races_gone(v, &before, &now);
    none_new(v, after, &found, &before, &now);
    if (!v->failed && !v->learned) idempotent(a, v, after, &all, &found);
    arena_free(a);
}

/* What the pages state of their own. */
static void pages_proof(Proof *v)
{
    Str why;
    for (u32 i = 0; i < v->fixes->fixes.n; i++)
        if (fix_wanted(v->fixes, i, v->w) && !page_certificate(v->a, v->p, v->pages, &v->made, v->fixes, i, &why))
            proof_drop(v, i, why);
}

static void round_proof(Proof *v)
{
    edits_draft(v->a, v->p, v->fixes, v->w, &v->made);
    if (!v->made.n) return;
    pages_proof(v);
    if (v->failed) return;
    Facts **facts = arena_new(v->a, Facts *, v->p->nfiles);
    memcpy(facts, v->p->facts, v->p->nfiles * sizeof *facts);
    files_proof(v, facts);
    if (!v->failed) program_proof(v, facts);
}

bool edits_certify(Arena *a, const Program *p, const FixList *fixes, const Wanted *w, ChangeVec *out, Str *why)
{
    FixList mine = fixes_copy(a, fixes);
    MadeVec made = {0};
    edits_draft(a, p, &mine, w, &made);
    out->n = 0;
    for (u32 i = 0; i < made.n; i++) {
        NoteVec notes = {0};
        Arena scratch = {0};
        u32 fix;
        Source *s = source_changed(a, &made.v[i].change, &notes);
        *why = S("the new file cannot be read back");
        if (!s) return false;
        Ast after = ast_parse(&scratch, s);
        bool holds = certified(a, &made.v[i], mine.asts, &after, why, &fix);
        arena_free(&scratch);
        if (!holds) return false;
        vec_push(a, out, made.v[i].change);
    }
    return true;
}

void edits_verify(Arena *a, const Program *p, const PageList *pages, const RaceVec *all, RaceVec *races,
                  FixList *fixes, const Wanted *w, ChangeVec *changes)
{
    Proof v = {.a = a, .p = p, .pages = pages, .races = races, .fixes = fixes, .w = w};
    v.proved = arena_new(a, Str, p->nfiles + 1);
    v.proved_facts = arena_new(a, Facts *, p->nfiles + 1);
    v.teach = !w->only && !p->options->only.n;
    u32 plans = 1;
    do {
        v.failed = v.learned = false;
        round_proof(&v);
        if (!v.learned) continue;
        fixes_replan(a, p, pages, all, races, &v.lessons, fixes);
        v.made = (MadeVec){0};
        v.teach = ++plans < PLANS_MAX;
        v.failed = true;
    } while (v.failed);
    asts_drop(fixes->asts);
    changes->n = 0;
    for (u32 i = 0; i < v.made.n; i++) vec_push(a, changes, v.made.v[i].change);
}
