/* Comments that speak to us: suppressions and declarations (docs/usage.md).
 *
 * A comment alone on its line covers the statement that follows; one at the end of a line covers the statement that
 * the line belongs to, at least the line itself. */
#include "facts/walk.h"

static bool keyword(Str *s, Str word)
{
    *s = str_trim(*s);
    if (!str_starts(*s, word)) return false;
    *s = str_slice(*s, word.n, s->n);
    return true;
}

/* "[codes] reason"; without brackets everything is meant. */
static void codes_and_reason(Walk *w, Str s, Comment *c)
{
    c->codes = intern(w->a, &w->f->syms, S("ALL"));
    s = str_trim(s);
    if (s.n && s.p[0] == '[') {
        Str rest, codes = str_cut(str_slice(s, 1, s.n), ']', &rest);
        c->codes = intern(w->a, &w->f->syms, str_trim(codes));
        s = str_trim(rest);
    }
    c->reason = intern(w->a, &w->f->syms, s);
}

static bool noqa(Walk *w, Str s, Comment *c)
{
    /* "# noqa: UG101, E501 why": only our codes count; a bare noqa speaks to other tools and to us alike. */
    s = str_trim(s);
    if (!s.n || s.p[0] != ':') return false;
    s = str_trim(str_slice(s, 1, s.n));
    if (!str_contains(s, S("UG"))) return false;
    size_t n = 0;
    while (n < s.n &&
           (s.p[n] == ',' || s.p[n] == ' ' || (s.p[n] >= 'A' && s.p[n] <= 'Z') || (s.p[n] >= '0' && s.p[n] <= '9')))
        n++;
    while (n && n < s.n && s.p[n - 1] >= 'A' && s.p[n - 1] <= 'Z') n--; /* the reason's first capital */
    c->codes = intern(w->a, &w->f->syms, str_trim(str_slice(s, 0, n)));
    c->reason = intern(w->a, &w->f->syms, str_trim(str_slice(s, n, s.n)));
    return true;
}

static bool parse_comment(Walk *w, Str s, Comment *c)
{
    s = str_trim(str_slice(s, 1, s.n));
    if (keyword(&s, S("ungil:"))) {
        if (keyword(&s, S("file-ignore")))
            c->kind = COMMENT_FILE_IGNORE;
        else if (keyword(&s, S("ignore")))
            c->kind = COMMENT_IGNORE;
        else if (keyword(&s, S("thread-confined")))
            c->kind = COMMENT_THREAD_CONFINED;
        else if (keyword(&s, S("single-threaded")))
            c->kind = COMMENT_SINGLE_THREADED;
        else
            return false;
        codes_and_reason(w, s, c);
        return true;
    }
    if (keyword(&s, S("guarded-by:"))) {
        c->kind = COMMENT_GUARDED_BY;
        s = str_trim(s);
        size_t n = 0;
        while (n < s.n && s.p[n] != ' ' && s.p[n] != ',' && s.p[n] != ';') n++;
        c->codes = intern(w->a, &w->f->syms, str_slice(s, 0, n));
        c->reason = intern(w->a, &w->f->syms, str_trim(str_slice(s, n, s.n)));
        return true;
    }
    if (keyword(&s, S("noqa"))) {
        c->kind = COMMENT_NOQA;
        return noqa(w, s, c);
    }
    return false;
}

static bool is_statement(const Ast *t, u32 n)
{
    u32 p = t->v[n].parent;
    return t->v[n].named && t->v[n].kind != NODE_comment && p != NONE &&
           (t->v[p].kind == NODE_module || t->v[p].kind == NODE_block);
}

/* For a compound statement only its header is covered, so that a comment on `if x:` does not silence the body. */
static u32 header_end(const Ast *t, u32 n)
{
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (t->v[c].kind == NODE_block) return t->v[c].start;
    if (t->v[n].kind == NODE_decorated_definition) {
        u32 def = ast_field(t, n, FIELD_definition);
        if (def != NONE) return header_end(t, def);
    }
    return t->v[n].end;
}

static void cover(Walk *w, u32 node, Comment *c)
{
    u32 line, column, s = node;
    c->first_line = c->last_line = c->line;
    if (c->own_line) { /* the next statement: the node after the comment in the same suite, or the first in the block
                          after it */
        for (s = node + 1; s < w->t.n && !is_statement(&w->t, s); s++) {
        }
        if (s >= w->t.n) return;
    } else {
        /* the comment is an extra: find the statement that ends on its line or spans it, just before it */
        for (s = node; s-- > 1;) {
            if (!is_statement(&w->t, s)) continue;
            source_position(w->src, header_end(&w->t, s), &line, &column);
            u32 first;
            source_position(w->src, w->t.v[s].start, &first, &column);
            if (first <= c->line && line >= c->line) break;
            if (w->t.v[s].end < w->t.v[node].start && line < c->line) return;
        }
        if (s == 0) return;
    }
    source_position(w->src, w->t.v[s].start, &line, &column);
    c->first_line = MIN(line, c->line);
    source_position(w->src, header_end(&w->t, s), &line, &column);
    c->last_line = MAX(line, c->line);
}

void comments_collect(Walk *w)
{
    for (u32 n = 0; n < w->t.n; n++) {
        if (w->t.v[n].kind != NODE_comment) continue;
        Comment c = {.codes = SYM_EMPTY, .reason = SYM_EMPTY, .span = {w->t.v[n].start, w->t.v[n].end}};
        if (!parse_comment(w, ast_text(&w->t, n), &c)) continue;
        u32 column;
        source_position(w->src, c.span.start, &c.line, &column);
        Str before = str_slice(w->src->text, w->src->line_start[c.line - 1], c.span.start);
        c.own_line = str_trim(before).n == 0;
        cover(w, n, &c);
        vec_push(w->a, &w->f->comments, c);
    }
}
