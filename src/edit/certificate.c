/* The certificate: taking away what was inserted gives back the original.
 *
 * Two comparisons of the old and the new syntax tree. The leaves, comments included, must be the same
 * texts in the same order once the leaves that lie in inserted text are left out. And the trees must be
 * the same node for node, comments left out, once inserted statements are skipped and an inserted with
 * or try statement is replaced by the statements in its body. A string counts as one leaf, so that its contents
 * are compared to the byte. Replaced spans are left out on both sides; a node whose shape differs is
 * accepted only when a replaced span touches it. A semicolon may become a line break. */
#include "edit/edit.h"

typedef struct Side {
    Ast ast;
    Span *spans; /* inserted or replaced, sorted */
    u8 *kinds;   /* PieceKind */
    u32 *fixes;
    u32 n;
} Side;

typedef struct Check {
    Arena *a;
    Side old, new;
    Str why;
    u32 fix;
} Check;

static u32 span_at(const Side *s, u32 start, u32 end)
{
    u32 lo = 0, hi = s->n; /* the last span that starts at or before `start` */
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (s->spans[mid].start <= start)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (u32 i = lo; i-- > 0 && lo - i < 8;)
        if (s->spans[i].start <= start && end <= s->spans[i].end && s->spans[i].end > s->spans[i].start) return i;
    return NONE;
}

static bool touches_replaced(const Side *s, const Node *n)
{
    for (u32 i = 0; i < s->n; i++)
        if (s->kinds[i] >= PIECE_REPLACE && s->spans[i].start < n->end && n->start < s->spans[i].end) return true;
    return false;
}

static void sides_fill(Check *c, const Made *m)
{
    u32 n = m->pieces.n;
    for (u32 i = 0; i < 2; i++) {
        Side *s = i ? &c->new : &c->old;
        s->spans = arena_new(c->a, Span, n + 1);
        s->kinds = arena_new(c->a, u8, n + 1);
        s->fixes = arena_new(c->a, u32, n + 1);
        s->n = n;
    }
    int64_t shift = 0;
    for (u32 i = 0; i < n; i++) {
        const Piece *p = &m->pieces.v[i];
        u32 at = (u32)(p->span.start + shift);
        c->old.spans[i] = p->span;
        c->new.spans[i] = (Span){at, at + (u32)p->text.n};
        c->old.kinds[i] = c->new.kinds[i] = p->kind;
        c->old.fixes[i] = c->new.fixes[i] = p->fix;
        shift += (int64_t)p->text.n - (p->span.end - p->span.start);
    }
}

/* ---- leaves ---- */

static bool is_leaf(const Node *n)
{
    return n->child == NONE || n->kind == NODE_string;
}

/* The next leaf at or after node i in pre-order that counts; ast.n at the end. */
static u32 next_leaf(const Side *s, u32 i, bool new_side)
{
    for (; i < s->ast.n; i++) {
        const Node *n = &s->ast.v[i];
        if (!is_leaf(n) || n->kind == NODE_line_continuation || n->start == n->end) continue;
        u32 at = span_at(s, n->start, n->end);
        if (at == NONE || (!new_side && s->kinds[at] < PIECE_BREAK)) return i;
    }
    return i;
}

/* Past a leaf: a string's own children do not count. */
static u32 after_leaf(const Ast *t, u32 i)
{
    u32 end = t->v[i].end;
    bool whole = t->v[i].kind == NODE_string;
    i++;
    while (whole && i < t->n && t->v[i].start < end && t->v[i].end <= end) i++;
    return i;
}

static bool differs(Check *c, const Node *o, const char *what)
{
    u32 line, column;
    source_position(c->old.ast.source, o ? o->start : 0, &line, &column);
    c->why = str_fmt(c->a, "line %u: %s", line, what);
    c->fix = NONE;
    return false;
}

static bool leaves_same(Check *c)
{
    const Ast *to = &c->old.ast, *tn = &c->new.ast;
    u32 o = 0, n = 0;
    for (;;) {
        o = next_leaf(&c->old, o, false);
        n = next_leaf(&c->new, n, true);
        if (o >= to->n && n >= tn->n) return true;
        if (o >= to->n) return differs(c, NULL, "the new file has a token too many");
        if (n >= tn->n) return differs(c, &to->v[o], "a token is missing in the new file");
        if (!str_eq(ast_text(to, o), ast_text(tn, n))) return differs(c, &to->v[o], "a token or comment changed");
        o = after_leaf(to, o);
        n = after_leaf(tn, n);
    }
}

/* ---- structure ---- */

typedef Vec(u32) NodeVec;

static bool put_in(const Side *s, u32 i)
{
    return s->kinds[i] < PIECE_WITH || s->kinds[i] == PIECE_BREAK;
}

/* Is the node all in inserted text, of one piece or of several that follow each other? */
static bool skipped(const Side *s, const Node *n)
{
    u32 at = span_at(s, n->start, n->end);
    if (at != NONE) return put_in(s, at);
    at = span_at(s, n->start, n->start + 1);
    while (at != NONE && put_in(s, at) && s->spans[at].end < n->end)
        at = at + 1 < s->n && s->spans[at + 1].start == s->spans[at].end ? at + 1 : NONE;
    return at != NONE && put_in(s, at);
}

/* An inserted `with LOCK:`, or `try:` whose other clauses are inserted as well, or their tokens would be too many. */
static bool inserted_with(const Side *s, u32 n)
{
    const Node *x = &s->ast.v[n];
    if (x->kind != NODE_with_statement && x->kind != NODE_try_statement) return false;
    u32 at = span_at(s, x->start, x->start + 3);
    return at != NONE && (s->kinds[at] == PIECE_WITH || s->kinds[at] == PIECE_BREAK);
}

/* The children that count; on the new side inserted statements are skipped and inserted withs opened. */
static void children(Check *c, const Side *s, u32 n, NodeVec *out)
{
    for (u32 k = s->ast.v[n].child; k != NONE; k = s->ast.v[k].next) {
        const Node *x = &s->ast.v[k];
        if (x->kind == NODE_comment || x->kind == NODE_line_continuation) continue;
        if (!x->named && x->end == x->start + 1 && s->ast.source->text.p[x->start] == ';') continue;
        if (s == &c->new &&skipped(s, x)) continue;
        if (s == &c->new &&inserted_with(s, k))
            children(c, s, ast_field(&s->ast, k, FIELD_body), out);
        else
            vec_push(c->a, out, k);
    }
}

static bool shape(Check *c, u32 o, const char *what)
{
    const Node *n = &c->old.ast.v[o];
    return touches_replaced(&c->old, n) || differs(c, n, what);
}

static bool same(Check *c, u32 o, u32 n)
{
    const Node *x = &c->old.ast.v[o], *y = &c->new.ast.v[n];
    if (x->kind != y->kind || x->named != y->named) return shape(c, o, "the structure changed");
    if (x->kind == NODE_string || x->child == NONE) return true; /* the leaves were compared */
    NodeVec a = {0}, b = {0};
    children(c, &c->old, o, &a);
    children(c, &c->new, n, &b);
    if (a.n != b.n) return shape(c, o, "a statement moved into or out of a block");
    for (u32 i = 0; i < a.n; i++)
        if (!same(c, a.v[i], b.v[i])) return false;
    return true;
}

static Str leading_blanks(const Source *s, u32 at, bool *first)
{
    u32 from = at;
    while (from > 0 && s->text.p[from - 1] != '\n' && s->text.p[from - 1] != '\r') from--;
    if (from == 0 && s->bom) from = 3;
    Str blanks = str_slice(s->text, from, at);
    *first = str_trim(blanks).n == 0;
    return blanks;
}

/* Statements of one block that are indented otherwise than its first: Python refuses them, tree-sitter
 * does not. */
static u32 misindented(const Ast *t)
{
    u32 bad = 0;
    for (u32 n = 0; n < t->n; n++) {
        if (t->v[n].kind != NODE_block && t->v[n].kind != NODE_module) continue;
        Str want = {0};
        for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c)) {
            bool first;
            Str have = leading_blanks(t->source, t->v[c].start, &first);
            if (!first) continue;
            if (!want.p) want = n == 0 ? S("") : have;
            bad += !str_eq(want, have);
        }
    }
    return bad;
}

static u32 errors(const Ast *t)
{
    u32 n = 0;
    for (u32 i = 0; i < t->n; i++) n += t->v[i].error;
    return n;
}

bool certificate_holds(Arena *a, const Made *m, const Ast *before, const Ast *after, Str *why, u32 *fix)
{
    Arena scratch = {0};
    Check c = {.a = &scratch, .fix = NONE, .old.ast = *before, .new.ast = *after};
    sides_fill(&c, m);
    bool ok = true;
    if (errors(&c.new.ast) > errors(&c.old.ast)) {
        ok = false;
        c.why = S("the new file has a syntax error that the old one did not have");
    }
    if (ok && misindented(&c.new.ast) > misindented(&c.old.ast)) {
        ok = false;
        c.why = S("a statement is indented otherwise than the others of its block");
    }
    ok = ok && leaves_same(&c) && same(&c, 0, 0);
    *why = ok ? S("") : str_dup(a, c.why);
    *fix = c.fix;
    arena_free(&scratch);
    return ok;
}
