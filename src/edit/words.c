/* The certificate that a page states of its own: which words its rewrite adds and which it drops.
 *
 *   certificate: replace; adds pop, None; drops del
 *
 * Whatever a transform replaces, the words of the old code (names, numbers, the insides of strings; not Python's
 * own keywords) must come again in the new code of the same fix, but for those that the page says it drops; and
 * the new code must have no others, but for those that it says it adds. Names of locks and what the fix imports
 * may always come; `self` and `cls` say nothing by themselves. So a rewrite cannot lose an argument, nor call
 * something nobody knows of, and a page that says nothing of replacing may not replace at all. */
#include "edit/edit.h"

/* The next word of a text; false at its end. */
static bool next_word(Str *rest, Str *word)
{
    for (;;) {
        size_t i = 0;
        while (i < rest->n && !is_word_char(rest->p[i])) i++;
        size_t k = i;
        while (k < rest->n && is_word_char(rest->p[k])) k++;
        *word = str_slice(*rest, i, k);
        *rest = str_slice(*rest, k, rest->n);
        if (!word->n) return false;
        if (!python_keyword(*word)) return true;
    }
}

static bool has_word(Str text, Str word)
{
    Str w;
    while (next_word(&text, &w))
        if (str_eq(w, word)) return true;
    return false;
}

/* What a fix takes out, puts in, and may put in without saying so. */
typedef struct Words {
    Buf old, new, free;
} Words;

static void piece_words(Words *x, const Piece *p, const Source *s)
{
    Buf *to = p->kind == PIECE_REPLACE || p->kind == PIECE_INSERT ? &x->new : &x->free;
    buf_fmt(to, "%.*s\n", STR_ARG(p->text));
    if (p->kind == PIECE_REPLACE) buf_fmt(&x->old, "%.*s\n", STR_ARG(str_slice(s->text, p->span.start, p->span.end)));
}

/* The text of the innermost function around a place; of the whole file outside of any. */
static Str around(const Facts *f, Span span)
{
    Span best = {0, (u32)f->source->text.n};
    for (u32 i = 1; i < f->funcs.n; i++) {
        Span s = f->funcs.v[i].span;
        if (s.start <= span.start && span.end <= s.end && s.end - s.start < best.end - best.start) best = s;
    }
    return str_slice(f->source->text, best.start, best.end);
}

/* Is the word already in a function into which the fix puts it? */
static bool used_there(const Program *p, const MadeVec *made, u32 fix, Str word)
{
    for (u32 i = 0; i < made->n; i++)
        for (u32 k = 0; k < made->v[i].pieces.n; k++) {
            const Piece *x = &made->v[i].pieces.v[k];
            bool code = x->kind == PIECE_REPLACE || x->kind == PIECE_INSERT;
            if (x->fix != fix || !code || !has_word(x->text, word)) continue;
            if (has_word(around(p->facts[made->v[i].change.file], x->span), word)) return true;
        }
    return false;
}

/* Is the symbol a parameter or a variable of the function? */
static bool variable_of(const Facts *f, u32 func, u32 sym)
{
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++)
        if (f->params.v[i].name == sym) return true;
    for (u32 i = 0; i < f->defs.n; i++) {
        const Path *path = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
        if (path && path->root == ROOT_LOCAL && path->func == func && path->name == sym && !path->nattr) return true;
    }
    return false;
}

/* Is the word a parameter or a variable of a function that the fix changes? */
static bool local_there(const Program *p, const MadeVec *made, u32 fix, Str word)
{
    for (u32 i = 0; i < made->n; i++) {
        const Facts *f = p->facts[made->v[i].change.file];
        u32 sym = intern_find(&f->syms, word);
        for (u32 k = 0; sym != NONE && k < made->v[i].pieces.n; k++) {
            const Piece *x = &made->v[i].pieces.v[k];
            if (x->fix != fix || x->kind != PIECE_REPLACE) continue;
            for (u32 n = 1; n < f->funcs.n; n++) {
                Span s = f->funcs.v[n].span;
                if (s.start <= x->span.start && x->span.end <= s.end && variable_of(f, n, sym)) return true;
            }
        }
    }
    return false;
}

static bool is_number(Str w)
{
    return w.p[0] >= '0' && w.p[0] <= '9';
}

/* Is the word one of a list: itself, or of the kind that an entry with hyphens speaks of? */
static bool listed(const Program *p, const MadeVec *made, const FixList *fixes, u32 fix, Str list, Str word)
{
    const Fix *f = &fixes->fixes.v[fix];
    while (list.n) {
        Str entry = str_trim(str_cut(list, ',', &list));
        if (str_eq(entry, word)) return true;
        if (str_is(entry, "a-variable") && local_there(p, made, fix, word)) return true;
        if (str_is(entry, "a-number") && is_number(word)) return true;
        if (str_is(entry, "a-new-name") && !used_there(p, made, fix, word)) return true;
        if (str_is(entry, "the-state") && f->place != NONE && str_eq(p->syms.strs[p->places.v[f->place].name], word))
            return true;
    }
    return false;
}

/* The name of a lock that the program has, or of the one that the fix takes. */
static bool lock_word(const Program *p, const FixList *fixes, u32 fix, Str word)
{
    const Fix *f = &fixes->fixes.v[fix];
    if (f->lock != NONE && has_word(fixes->locks.v[f->lock].display, word)) return true;
    for (u32 i = 0; i < p->locks.n; i++)
        if (has_word(p->locks.v[i].display, word)) return true;
    return false;
}

/* The words of a text, each once. */
static Intern words_of(Arena *a, Str text)
{
    Intern words = {0};
    Str w;
    while (next_word(&text, &w)) intern(a, &words, w);
    return words;
}

static bool in_words(const Intern *words, Str w)
{
    return intern_find(words, w) != NONE;
}

static bool words_hold(Arena *a, const Program *p, const MadeVec *made, const FixList *fixes, u32 fix,
                       const Page *page, const Words *x, Str *why)
{
    if (!page->replaces && (buf_view(&x->old).n || buf_view(&x->new).n)) {
        *why = S("it replaces code, which its page does not say");
        return false;
    }
    if (!page->states) return true;
    Arena scratch = {0};
    Intern old = words_of(&scratch, buf_view(&x->old)), new = words_of(&scratch, buf_view(&x->new)),
           free = words_of(&scratch, buf_view(&x->free));
    *why = S("");
    for (u32 i = 0; i < old.n && !why->n; i++) {
        Str w = old.strs[i];
        if (!in_words(&new, w) && !in_words(&free, w) && !listed(p, made, fixes, fix, page->drops, w) &&
            !str_is(w, "self") && !str_is(w, "cls") && !lock_word(p, fixes, fix, w))
            *why = str_fmt(a, "it drops %.*s, which its page does not say", STR_ARG(w));
    }
    for (u32 i = 0; i < new.n && !why->n; i++) {
        Str w = new.strs[i];
        if (!in_words(&old, w) && !in_words(&free, w) && !listed(p, made, fixes, fix, page->adds, w) &&
            !lock_word(p, fixes, fix, w))
            *why = str_fmt(a, "it adds %.*s, which its page does not say", STR_ARG(w));
    }
    arena_free(&scratch);
    return !why->n;
}

bool page_certificate(Arena *a, const Program *p, const PageList *pages, const MadeVec *made, const FixList *fixes,
                      u32 fix, Str *why)
{
    const Page *page = page_find(pages, fixes->fixes.v[fix].transform);
    if (!page) return true;
    Words x = {0};
    for (u32 i = 0; i < made->n; i++)
        for (u32 k = 0; k < made->v[i].pieces.n; k++)
            if (made->v[i].pieces.v[k].fix == fix) piece_words(&x, &made->v[i].pieces.v[k], made->v[i].change.before);
    bool ok = words_hold(a, p, made, fixes, fix, page, &x, why);
    buf_free(&x.old);
    buf_free(&x.new);
    buf_free(&x.free);
    return ok;
}
