/* Proves texts that a person made of a fix: they parse as well as the files did, the findings of the fix are gone,
 * and there is none that was not there before about the same state or about locks. There is no certificate: a person
 * may change what they like. */
#include "edit/edit.h"
#include "parse/ast.h"

/* The line of the first error in a text that has one; 0. */
static u32 error_line(Arena *a, const Source *s)
{
    Tree *t = tree_parse(s);
    Ast ast = ast_build(a, t);
    u32 line = tree_damaged(t) ? 1 : 0, column;
    for (u32 i = 0; line && i < ast.n; i++)
        if (ast.v[i].error) {
            source_position(s, ast.v[i].start, &line, &column);
            break;
        }
    tree_free(t);
    return line;
}

static void complain(Arena *a, StrVec *out, Str text)
{
    vec_push(a, out, text);
}

/* The facts of the new texts in place of the old ones; false when one of them is no Python. */
static bool facts_of(Arena *a, const ChangeVec *changes, Facts **facts, StrVec *out)
{
    for (u32 i = 0; i < changes->n; i++) {
        const Change *c = &changes->v[i];
        NoteVec notes = {0};
        Source *s = source_changed(a, c, &notes);
        u32 line = s ? error_line(a, s) : 1;
        if (line && (!s || !error_line(a, c->before))) {
            complain(a, out, str_fmt(a, "%.*s:%u: a syntax error", STR_ARG(c->before->path), line));
            return false;
        }
        Tree *t = tree_parse(s);
        facts[c->file] = facts_collect(a, s, t);
        tree_free(t);
    }
    return true;
}

static u32 found_in(const RaceVec *races, u64 fingerprint)
{
    u32 n = 0;
    for (u32 i = 0; i < races->n; i++) n += !races->v[i].suppressed && races->v[i].fingerprint == fingerprint;
    return n;
}

static bool of_fix(const RaceVec *races, const Fix *f, u64 fingerprint)
{
    for (u32 i = 0; i < f->races.n; i++)
        if (races->v[f->races.v[i]].fingerprint == fingerprint) return true;
    return false;
}

bool texts_prove(Arena *a, const Program *p, const RaceVec *races, const Fix *f, const ChangeVec *changes,
                 StrVec *out)
{
    Facts **facts = arena_new(a, Facts *, p->nfiles + 1);
    memcpy(facts, p->facts, p->nfiles * sizeof *facts);
    if (!facts_of(a, changes, facts, out)) return false;
    const Program *after = program_link(a, p->options, facts, p->nfiles);
    RaceVec found = {0};
    races_find(a, after, &found);
    for (u32 i = 0; i < found.n; i++) {
        const Race *r = &found.v[i];
        if (r->suppressed) continue;
        u32 had = found_in(races, r->fingerprint), has = found_in(&found, r->fingerprint);
        Str where = after->facts[r->file]->source->path;
        const char *code = rule_table[r->rule].code;
        if (of_fix(races, f, r->fingerprint) && has >= had)
            complain(a, out, str_fmt(a, "%.*s:%u: %s is still found: %.*s", STR_ARG(where), r->line, code,
                                     STR_ARG(r->message)));
        else if (has > had && (same_state(p, f->place, after, r->place) || rule_about_locks(r->rule)))
            complain(a, out, str_fmt(a, "%.*s:%u: a new finding, %s: %.*s", STR_ARG(where), r->line, code,
                                     STR_ARG(r->message)));
    }
    return true;
}
