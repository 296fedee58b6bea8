/* Containers that grow and shrink together: what is done to one of them is done under one lock with the rest.
 *
 *   names.append(name)             with _names_lock:
 *   ages.append(age)         →         names.append(name)
 *                                      ages.append(age)
 *
 * Only one of them may be tested somewhere, so that no finding is about the others; but a lock round one of two lines
 * that belong together would be worth little. They do where the same method is called of both, as statements of their
 * own one right after the other, in this function and in another one. */
#include "fixes/fixes.h"

enum {
    ALONG = 8,     /* containers on either side that go along */
    ELSEWHERE = 16 /* other places at which the same is looked for */
};

/* `names.append(x)` as a statement of its own: what is done, and to which container. */
typedef struct Done {
    u32 method, place; /* SYM_EMPTY: it is no such statement */
} Done;

/* A statement of a function. */
typedef struct Site {
    u32 file, func, stmt;
    const Ast *t;
} Site;

static Done done_in(const Plan *pl, u32 file, u32 func, const Ast *t, u32 stmt)
{
    const Facts *f = pl->p->facts[file];
    const Func *fn = &f->funcs.v[func];
    Done d = {SYM_EMPTY, NONE};
    u32 calls = 0;
    if (!ast_is(t, stmt, NODE_expression_statement) || !ast_is(t, ast_first(t, stmt), NODE_call)) return d;
    for (u32 i = 0; i < f->suspends.n; i++)
        if (f->suspends.v[i].func == func && f->suspends.v[i].offset >= ast_span(t, stmt).start &&
            f->suspends.v[i].offset < ast_span(t, stmt).end)
            return d;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++)
        calls += span_within(f->calls.v[i].span, ast_span(t, stmt));
    for (u32 i = fn->accesses; calls == 1 && i < fn->accesses + fn->naccesses; i++) {
        u32 g = pl->p->access_base[file] + i, place = pl->p->access_place[g];
        if (!span_within(f->accesses.v[i].span, ast_span(t, stmt)) || !access_writes(pl->p, g)) continue;
        if (place == NONE || f->accesses.v[i].op != OP_METHOD || d.place != NONE) return (Done){SYM_EMPTY, NONE};
        d = (Done){f->accesses.v[i].method, place};
    }
    return d;
}

/* One statement on: ast_before or ast_after. */
typedef u32 (*Sibling)(const Ast *t, u32 n);

/* Is the same done to the other place, in the run of such statements that goes on from this one? */
static bool run_has(const Plan *pl, const Site *at, Done d, u32 other, Sibling step)
{
    Done e = d;
    for (u32 n = step(at->t, at->stmt), k = 0; n != NONE && e.method == d.method && k < ALONG;
         n = step(at->t, n), k++) {
        e = done_in(pl, at->file, at->func, at->t, n);
        if (e.method == d.method && e.place == other) return true;
    }
    return false;
}

/* Is the same done to both places, one right after the other among such steps, in another function as well? */
static bool done_elsewhere(Plan *pl, const Work *w, const Region *r, u32 other)
{
    const Place *x = &pl->p->places.v[w->place];
    for (u32 i = x->first; i < x->first + MIN(x->n, (u32)ELSEWHERE); i++) {
        u32 g = pl->p->place_access.v[i], func = program_access(pl->p, g)->func;
        GId id = access_gid(pl->p, g);
        if (id.file != r->file || func == r->func || program_access(pl->p, g)->op != OP_METHOD) continue;
        const Ast *t = site_ast(pl, id.file);
        Site at = {id.file, func, ast_statement(t, ast_at(t, program_access(pl->p, g)->span)), t};
        Done d = at.stmt == NONE ? (Done){SYM_EMPTY, NONE} : done_in(pl, id.file, func, t, at.stmt);
        if (d.method == SYM_EMPTY) continue;
        if (run_has(pl, &at, d, other, ast_before) || run_has(pl, &at, d, other, ast_after)) return true;
    }
    return false;
}

/* Is it such a step with a container of the same kind, beside the work's, that goes with it elsewhere, too? */
static bool goes_along(Plan *pl, const Work *w, const Region *r, u32 stmt, u32 method)
{
    const Place *x = &pl->p->places.v[w->place];
    Done d = done_in(pl, r->file, r->func, site_ast(pl, r->file), stmt);
    if (d.method != method || d.place == NONE || d.place == w->place) return false;
    const Place *y = &pl->p->places.v[d.place];
    bool beside = y->kind == x->kind && y->owner == x->owner && y->file == x->file && y->type.kind == x->type.kind;
    return beside && type_holds_items(y->type.kind) && done_elsewhere(pl, w, r, d.place);
}

/* The last statement of the run from this one on of which each goes along. */
static u32 run_end(Plan *pl, const Work *w, const Region *r, u32 method, Sibling step)
{
    const Ast *t = site_ast(pl, r->file);
    u32 end = r->first;
    for (u32 n = step(t, end), k = 0; k < ALONG && n != NONE && goes_along(pl, w, r, n, method); n = step(t, n), k++)
        end = n;
    return end;
}

/* names.append(name); ages.append(age): containers beside each other to which the same is done, here and elsewhere,
 * belong together. */
void parallel_extend(Plan *pl, const Work *w, Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    Done d = r->first == r->last ? done_in(pl, r->file, r->func, t, r->first) : (Done){SYM_EMPTY, NONE};
    if (d.method == SYM_EMPTY || d.place != w->place) return;
    u32 first = run_end(pl, w, r, d.method, ast_before), last = run_end(pl, w, r, d.method, ast_after);
    Region more;
    Str why;
    if (first == last || !region_split(pl, r->file, r->func, ast_span(t, first), ast_span(t, last), &more, &why))
        return;
    if (more.first != first || more.last != last) return;
    r->first = first;
    r->last = last;
    r->span = more.span;
}
