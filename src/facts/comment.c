/* Comments that speak to us: suppressions and declarations (docs/usage.md).
 *
 * A comment alone on its line covers the statement that follows; one at the end of a line covers the statement that
 * the line belongs to, at least the line itself, and may stand behind another tool's: `# type: ignore  # ungil: ...`.
 * Of a function or class only the header is covered, unless the comment declares that no threads share it. */
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
    if (str_starts(s, S("#"))) s = S(""); /* what follows speaks to another tool */
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

/* "ungil: WORD", a word that stands alone: one that we do not know, such as a misspelt one, is told. */
static bool directive(Walk *w, Str s, Comment *c)
{
    static const struct {
        const char *word;
        CommentKind kind;
    } known[] = {{"ignore", COMMENT_IGNORE},
                 {"file-ignore", COMMENT_FILE_IGNORE},
                 {"thread-confined", COMMENT_THREAD_CONFINED},
                 {"single-threaded", COMMENT_SINGLE_THREADED}};
    s = str_trim(s);
    size_t n = 0;
    while (n < s.n && (is_word_char(s.p[n]) || s.p[n] == '-')) n++;
    Str word = str_slice(s, 0, n);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (!str_is(word, known[i].word)) continue;
        c->kind = known[i].kind;
        codes_and_reason(w, str_slice(s, n, s.n), c);
        return true;
    }
    vec_push(w->a, &w->f->notes,
             (Note){.path = w->src->path,
                    .line = c->line,
                    .code = "unknown-comment",
                    .message = str_fmt(w->a,
                                       "'# ungil: %.*s' has no effect: known are ignore, file-ignore, "
                                       "thread-confined and single-threaded",
                                       STR_ARG(word))});
    return false;
}

static bool parse_comment(Walk *w, Str s, Comment *c)
{
    s = str_trim(str_slice(s, 1, s.n));
    if (keyword(&s, S("ungil:"))) return directive(w, s, c);
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

/* Where the header of a compound statement ends, at its colon; the end of any other one. */
static u32 header_end(const Ast *t, u32 n)
{
    u32 end = t->v[n].start;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next) {
        if (t->v[c].kind == NODE_block) return end;
        if (t->v[c].kind != NODE_comment) end = t->v[c].end;
    }
    if (t->v[n].kind == NODE_decorated_definition) {
        u32 def = ast_field(t, n, FIELD_definition);
        if (def != NONE) return header_end(t, def);
    }
    return t->v[n].end;
}

static bool is_definition(const Ast *t, u32 n)
{
    u8 kind = t->v[n].kind;
    return kind == NODE_function_definition || kind == NODE_class_definition || kind == NODE_decorated_definition;
}

/* How far the comment reaches when it stands at the statement: above one it speaks of all of it, but who silences
 * something at a function or class does not mean everything in there; on the header it speaks of the header, so that
 * `if x:  # ungil: ignore` does not silence the body. */
static u32 covered_end(const Ast *t, u32 n, const Comment *c)
{
    bool declares = c->kind == COMMENT_THREAD_CONFINED || c->kind == COMMENT_SINGLE_THREADED;
    if (is_definition(t, n)) return declares ? t->v[n].end : header_end(t, n);
    return c->own_line ? t->v[n].end : header_end(t, n);
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
    source_position(w->src, covered_end(&w->t, s, c), &line, &column);
    c->last_line = MAX(line, c->line);
}

/* One comment of ours on this line, from the `#` at `from` of the node's text. */
static void collect(Walk *w, u32 node, size_t from, u32 line, bool own_line)
{
    Str text = ast_text(&w->t, node);
    u32 start = w->t.v[node].start + (u32)from;
    Comment c = {.codes = SYM_EMPTY,
                 .reason = SYM_EMPTY,
                 .line = line,
                 .own_line = own_line,
                 .span = {start, w->t.v[node].end}};
    if (!parse_comment(w, str_slice(text, from, text.n), &c)) return;
    cover(w, node, &c);
    vec_push(w->a, &w->f->comments, c);
}

void comments_collect(Walk *w)
{
    for (u32 n = 0; n < w->t.n; n++) {
        if (w->t.v[n].kind != NODE_comment) continue;
        u32 line, column;
        source_position(w->src, w->t.v[n].start, &line, &column);
        Str before = str_slice(w->src->text, w->src->line_start[line - 1], w->t.v[n].start);
        bool own_line = str_trim(before).n == 0;
        Str text = ast_text(&w->t, n);
        collect(w, n, 0, line, own_line);
        /* further ones only at the end of a line: alone on it, it would be code that was commented out */
        for (size_t i = 1; i < text.n && !own_line; i++)
            if (text.p[i] == '#') collect(w, n, i, line, own_line);
    }
}
