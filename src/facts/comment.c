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

static void comment_note(Walk *w, const Comment *c, const char *code, Str message)
{
    vec_push(w->a, &w->f->notes, (Note){.path = w->src->path, .line = c->line, .code = code, .message = message});
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The code at the start of a text, such as UG101 or E501: letters and digits, and nothing of a word behind them. UG
 * by itself is one, too. Its length, or 0. */
static size_t code_length(Str s)
{
    size_t letters = 0, n;
    while (letters < s.n && is_letter(s.p[letters])) letters++;
    for (n = letters; n < s.n && is_digit(s.p[n]);) n++;
    if (!letters || (n < s.n && is_word_char(s.p[n]))) return 0;
    return n > letters || (letters == 2 && str_starts(s, S("UG"))) ? n : 0;
}

/* Does a text start with one of our rules, in whatever way it is written? */
static bool names_rule(Str s)
{
    size_t n = 0;
    if (code_length(s) > 2 && (s.p[0] | 32) == 'u' && (s.p[1] | 32) == 'g' && is_digit(s.p[2])) return true;
    while (n < s.n && (is_word_char(s.p[n]) || s.p[n] == '-')) n++;
    for (u32 rule = 0; rule < RULE_COUNT; rule++)
        if (str_is(str_slice(s, 0, n), rule_table[rule].name)) return true;
    return false;
}

/* Codes that do not stand in brackets right behind the word: one who writes so means these rules, not all of them.
 * What names no rule is a reason. */
static bool codes_astray(Str s)
{
    if (s.n && strchr("({<", s.p[0])) return true;
    if (str_starts(str_trim(s), S("["))) return str_find(s, ']') == s.n;
    while (s.n && strchr(" \t:=,-({<", s.p[0])) s = str_slice(s, 1, s.n);
    return names_rule(s);
}

/* "[codes] reason"; without brackets everything is meant. False when neither can be what was meant. */
static bool codes_and_reason(Walk *w, Str word, Str s, Comment *c)
{
    c->codes = intern(w->a, &w->f->syms, S("ALL"));
    if ((c->kind == COMMENT_IGNORE || c->kind == COMMENT_FILE_IGNORE) && codes_astray(s)) {
        comment_note(w, c, "malformed-comment",
                     str_fmt(w->a,
                             "this comment silences nothing: rules stand in brackets, '# ungil: %.*s[UG101] reason'",
                             STR_ARG(word)));
        return false;
    }
    s = str_trim(s);
    if (s.n && s.p[0] == '[') {
        Str rest, codes = str_cut(str_slice(s, 1, s.n), ']', &rest);
        c->codes = intern(w->a, &w->f->syms, str_trim(codes));
        s = str_trim(rest);
    }
    if (str_starts(s, S("#"))) s = S(""); /* what follows speaks to another tool */
    c->reason = intern(w->a, &w->f->syms, s);
    return true;
}

/* "# noqa: UG101, E501 why", letters of any case: only our codes count; a bare noqa speaks to other tools alone. */
static bool noqa(Walk *w, Str s, Comment *c)
{
    Buf codes = {0};
    bool ours = false;
    s = str_trim(s);
    if (!s.n || s.p[0] != ':') return false;
    s = str_trim(str_slice(s, 1, s.n));
    for (size_t n; (n = code_length(s)) > 0;) {
        ours |= (s.p[0] | 32) == 'u' && n > 1 && (s.p[1] | 32) == 'g';
        for (size_t i = 0; i < n; i++)
            buf_char(&codes, (char)(s.p[i] >= 'a' && s.p[i] <= 'z' ? s.p[i] - 32 : s.p[i]));
        buf_char(&codes, ' ');
        s = str_slice(s, n, s.n);
        while (s.n && strchr(", \t", s.p[0])) s = str_slice(s, 1, s.n);
    }
    c->codes = intern(w->a, &w->f->syms, str_trim(buf_view(&codes)));
    c->reason = intern(w->a, &w->f->syms, s);
    buf_free(&codes);
    return ours;
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
        return codes_and_reason(w, word, str_slice(s, n, s.n), c);
    }
    comment_note(w, c, "unknown-comment",
                 str_fmt(w->a,
                         "'# ungil: %.*s' has no effect: known are ignore, file-ignore, thread-confined and "
                         "single-threaded",
                         STR_ARG(word)));
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
    if (s.n >= 4 && str_has_word(str_slice(s, 0, 4), "noqa")) {
        s = str_slice(s, 4, s.n);
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

/* How far the comment reaches when it stands at the statement: above one it speaks of all of it, but who silences
 * something at a function or class does not mean everything in there; on the header it speaks of the header, so that
 * `if x:  # ungil: ignore` does not silence the body. */
static u32 covered_end(const Ast *t, u32 n, const Comment *c)
{
    bool declares = c->kind == COMMENT_THREAD_CONFINED || c->kind == COMMENT_SINGLE_THREADED;
    if (ast_is_definition(t, n)) return declares ? t->v[n].end : header_end(t, n);
    return c->own_line ? t->v[n].end : header_end(t, n);
}

static void cover(Walk *w, u32 node, Comment *c)
{
    u32 line, column, s = node;
    c->first_line = c->last_line = c->line;
    if (c->own_line && c->kind == COMMENT_NOQA) return; /* it speaks of a line, and that is its own */
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
