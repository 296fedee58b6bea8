/* Edit scripts: the ## Rewrites of a page, one step a line, read here.
 *
 *   need-import NAME            need-lock @x                  wrap @a [to @b] in "with {lock}:"
 *   replace @x [to @y] by "…"   insert before|after @x "…"    delete @x
 *   decorate @def "…"           declare @x "…"
 *
 * No conditions, no loops, no variables but captures: what needs a decision is a judgement or a planner.
 * In texts, {name} is the text of a capture, {module.name} the way the file names an import of the script,
 * {{ and }} are braces; lines after the first are indented as the line they start on, in the file's own
 * units. A script that needs a lock only collects regions, as the planner guard does. */
#include "fixes/fixes.h"
#include "parse/parse.h"

typedef struct Line {
    Arena *a;
    Str file, rest;
    u32 line;
    Err *e;
} Line;

static const struct VerbInfo {
    const char *name;
    const char *form;
} verb_table[] = {
    [VERB_NEED_IMPORT] = {"need-import", "need-import NAME"},
    [VERB_NEED_LOCK] = {"need-lock", "need-lock @x"},
    [VERB_WRAP] = {"wrap", "wrap @a [to @b] in \"with {lock}:\""},
    [VERB_REPLACE] = {"replace", "replace @x [to @y] by \"text\""},
    [VERB_INSERT] = {"insert", "insert before|after @x \"text\""},
    [VERB_DELETE] = {"delete", "delete @x"},
    [VERB_DECORATE] = {"decorate", "decorate @def \"text\""},
    [VERB_DECLARE] = {"declare", "declare @x \"text\""},
};

static bool line_error(const Line *l, const char *sentence, const char *what)
{
    return err_set(l->e, "%.*s:%u: %s%s", STR_ARG(l->file), l->line, sentence, what);
}

static Str word(Line *l)
{
    l->rest = str_trim(l->rest);
    size_t n = 0;
    while (n < l->rest.n && l->rest.p[n] != ' ' && l->rest.p[n] != '\t') n++;
    Str w = str_slice(l->rest, 0, n);
    l->rest = str_trim(str_slice(l->rest, n, l->rest.n));
    return w;
}

static bool take(Line *l, const char *keyword)
{
    Line ahead = *l;
    if (!str_is(word(&ahead), keyword)) return false;
    *l = ahead;
    return true;
}

static bool capture(Line *l, Str *out)
{
    Line ahead = *l;
    Str w = word(&ahead);
    if (w.n < 2 || w.p[0] != '@') return false;
    *out = str_slice(w, 1, w.n);
    *l = ahead;
    return true;
}

/* "…" with \n \t \" \\ */
static bool quoted(Line *l, Str *out)
{
    Str s = str_trim(l->rest);
    if (s.n < 2 || s.p[0] != '"') return false;
    char *to = arena_new(l->a, char, s.n);
    size_t n = 0, i = 1;
    for (; i < s.n && s.p[i] != '"'; i++) {
        char c = s.p[i];
        if (c == '\\' && i + 1 < s.n) {
            c = s.p[++i];
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        to[n++] = c;
    }
    if (i == s.n) return false;
    *out = (Str){to, n};
    l->rest = str_trim(str_slice(s, i + 1, s.n));
    return true;
}

static bool step_read(Line *l, Step *s)
{
    switch (s->verb) {
    case VERB_NEED_IMPORT: s->text = word(l); return s->text.n > 0;
    case VERB_NEED_LOCK:
    case VERB_DELETE: return capture(l, &s->at);
    case VERB_WRAP:
        return capture(l, &s->at) && (!take(l, "to") || capture(l, &s->to)) && take(l, "in") && quoted(l, &s->text) &&
               str_is(s->text, "with {lock}:");
    case VERB_REPLACE:
        return capture(l, &s->at) && (!take(l, "to") || capture(l, &s->to)) && take(l, "by") && quoted(l, &s->text);
    case VERB_INSERT:
        s->before = take(l, "before");
        return (s->before || take(l, "after")) && capture(l, &s->at) && quoted(l, &s->text);
    default: return capture(l, &s->at) && quoted(l, &s->text);
    }
}

static bool line_read(Line *l, StepVec *out)
{
    Str verb = word(l);
    Step s = {.line = l->line};
    while (s.verb < COUNT_OF(verb_table) && !str_is(verb, verb_table[s.verb].name)) s.verb++;
    if (s.verb == COUNT_OF(verb_table)) return line_error(l, "there is no verb ", str_c(l->a, verb));
    if (!step_read(l, &s) || l->rest.n) return line_error(l, "expected ", verb_table[s.verb].form);
    vec_push(l->a, out, s);
    return true;
}

bool script_parse(Arena *a, Str file, u32 line, Str text, StepVec *out, Err *e)
{
    Line l = {.a = a, .file = file, .line = line, .e = e};
    for (; str_line(&text, &l.rest); l.line++) {
        l.rest = str_trim(l.rest);
        if (!l.rest.n || l.rest.p[0] == '#') continue;
        if (!line_read(&l, out)) return false;
        if (out->n > 10) return line_error(&l, "more than 10 steps; write a planner instead", "");
    }
    return out->n > 0 || line_error(&l, "the edit script is empty", "");
}

/* ---- running ---- */

Str text_indent(Plan *pl, u32 file, u32 at, Str text)
{
    const Source *s = site_source(pl, file);
    size_t from = at;
    while (from > 0 && s->text.p[from - 1] != '\n') from--;
    if (from == 0 && s->bom) from = 3;
    size_t n = from;
    while (n < s->text.n && (s->text.p[n] == ' ' || s->text.p[n] == '\t')) n++;
    Str indent = str_slice(s->text, from, n), unit = s->indent.n ? s->indent : S("    ");
    if (indent.n && indent.p[indent.n - 1] == '\t') unit = S("\t");
    Buf b = {0};
    for (size_t i = 0; i < text.n;) {
        if (text.p[i] != '\n') {
            buf_char(&b, text.p[i++]);
            continue;
        }
        buf_c(&b, s->newline == NL_CRLF ? "\r\n" : "\n");
        i++;
        if (i < text.n && text.p[i] != '\n') buf_str(&b, indent);
        for (; i + 4 <= text.n && memcmp(text.p + i, "    ", 4) == 0; i += 4) buf_str(&b, unit);
    }
    Str out = str_dup(pl->a, buf_view(&b));
    buf_free(&b);
    return out;
}

typedef struct Run {
    Plan *pl;
    Work *w;
    const Page *page;
    Fix *fix;
    u32 file, func, access; /* of the site */
    CaptureVec captures;
    Str why;
} Run;

static bool fails(Run *r, Str why)
{
    r->why = why;
    return false;
}

static const Capture *captured(const Run *r, Str name)
{
    for (u32 i = 0; i < r->captures.n; i++)
        if (str_eq(r->captures.v[i].name, name)) return &r->captures.v[i];
    return NULL;
}

static Str source_text(const Run *r, Span s)
{
    return str_slice(site_source(r->pl, r->file)->text, s.start, s.end);
}

/* "queue.Empty" named by need-import queue or need-import queue.Empty. */
static bool imported(Run *r, Str name, Str *out)
{
    size_t dot = str_rfind(name, '.');
    Str module = str_slice(name, 0, dot), last = str_slice(name, dot + 1, name.n);
    for (u32 i = 0; i < r->page->steps.n; i++) {
        const Step *s = &r->page->steps.v[i];
        if (s->verb != VERB_NEED_IMPORT || !(str_eq(s->text, module) || str_eq(s->text, name))) continue;
        ImportRef ref = import_ref(r->pl->a, r->pl->p->facts[r->file], site_ast(r->pl, r->file), module, last,
                                   str_eq(s->text, name));
        if (!ref.have) intent_add(r->pl, r->fix, INTENT_NEED_IMPORT, r->file, (Span){0}, ref.statement, NONE);
        *out = ref.text;
        return true;
    }
    return false;
}

static bool expand(Run *r, Str text, u32 at, Str *out)
{
    Buf b = {0};
    bool ok = true;
    for (size_t i = 0; i < text.n && ok; i++) {
        char c = text.p[i];
        if ((c == '{' || c == '}') && i + 1 < text.n && text.p[i + 1] == c) {
            buf_char(&b, c);
            i++;
            continue;
        }
        if (c != '{') {
            buf_char(&b, c);
            continue;
        }
        Str rest = str_slice(text, i + 1, text.n), name = str_slice(rest, 0, str_find(rest, '}')), value = S("");
        const Capture *x = captured(r, name);
        if (x)
            value = source_text(r, x->span);
        else if (!imported(r, name, &value))
            ok = fails(r, str_fmt(r->pl->a, "the page knows no {%.*s}", STR_ARG(name)));
        buf_str(&b, value);
        i += name.n + 1;
    }
    *out = ok ? text_indent(r->pl, r->file, at, str_dup(r->pl->a, buf_view(&b))) : S("");
    buf_free(&b);
    return ok;
}

/* A text as whole lines, with the indentation of the line of `like`. */
static bool whole_line(Run *r, const Step *s, u32 like, u32 at)
{
    const Source *src = site_source(r->pl, r->file);
    Str text;
    if (!expand(r, s->text, like, &text)) return false;
    u32 line, column;
    source_position(src, like, &line, &column);
    Str whole = source_line(src, line);
    size_t n = 0;
    while (n < whole.n && (whole.p[n] == ' ' || whole.p[n] == '\t')) n++;
    text = str_fmt(r->pl->a, "%.*s%.*s", (int)n, whole.p, STR_ARG(text));
    intent_add(r->pl, r->fix, INTENT_INSERT, r->file, (Span){at, at}, text, NONE);
    return true;
}

u32 line_after(const Source *s, u32 at)
{
    while (at < s->text.n && s->text.p[at] != '\n') at++;
    return at < s->text.n ? at + 1 : at;
}

u32 line_before(const Source *s, u32 at)
{
    while (at > 0 && s->text.p[at - 1] != '\n') at--;
    return at;
}

bool comment_above(const Source *s, u32 at)
{
    u32 start = line_before(s, at), above = start ? line_before(s, start - 1) : 0;
    return start && str_starts(str_trim(str_slice(s->text, above, start)), S("#"));
}

/* A span that goes must not take a comment with it. */
static bool comment_inside(const Ast *t, Span span)
{
    for (u32 n = 0; n < t->n && t->v[n].start < span.end; n++)
        if (t->v[n].kind == NODE_comment && t->v[n].start >= span.start) return true;
    return false;
}

bool statement_delete(Plan *pl, Fix *fix, u32 file, u32 func, u32 n, Str *why)
{
    const Source *s = site_source(pl, file);
    const Ast *t = site_ast(pl, file);
    u32 parent = t->v[n].parent;
    Span span = {t->v[n].start, t->v[n].end}, lines = {line_before(s, span.start), line_after(s, span.end)};
    Region line;
    *why = S("a comment would be lost");
    if (comment_inside(t, lines)) return false;
    if (ast_first(t, parent) == n && ast_after(t, n) == NONE && t->v[parent].kind == NODE_block) {
        intent_add(pl, fix, INTENT_REPLACE, file, span, S("pass"), NONE);
        return true;
    }
    if (!region_make(pl, file, func, span, span, &line, why)) return false;
    *why = S("the statement shares its line with others");
    if (line.first != n || line.last != n) return false;
    intent_add(pl, fix, INTENT_DELETE, file, lines, S(""), NONE);
    return true;
}

/* Whole statements go with their lines; the last statement of a suite leaves a pass. */
static bool delete_span(Run *r, Span span)
{
    const Ast *t = site_ast(r->pl, r->file);
    u32 n = ast_at(t, span);
    if (ast_is_statement(t, n) && t->v[n].start == span.start)
        return statement_delete(r->pl, r->fix, r->file, r->func, n, &r->why);
    intent_add(r->pl, r->fix, INTENT_DELETE, r->file, span, S(""), NONE);
    return true;
}

static bool wrap_step(Run *r, Span from, Span to)
{
    Region region;
    if (!region_make(r->pl, r->file, r->func, from, to, &region, &r->why)) return false;
    region.access = r->access;
    region.test = NONE;
    region.race = true;
    vec_push(r->pl->a, &r->w->regions, region);
    return true;
}

static bool step_run(Run *r, const Step *s)
{
    const Source *src = site_source(r->pl, r->file);
    const Capture *at = s->at.n ? captured(r, s->at) : NULL, *to = s->to.n ? captured(r, s->to) : at;
    if (s->at.n && (!at || !to)) return true; /* an optional part of the pattern that is not there */
    u32 n = at ? ast_statement(site_ast(r->pl, r->file), ast_at(site_ast(r->pl, r->file), at->span)) : NONE;
    Span stmt =
        n == NONE ? (Span){0} : (Span){site_ast(r->pl, r->file)->v[n].start, site_ast(r->pl, r->file)->v[n].end};
    Str text;
    switch (s->verb) {
    case VERB_NEED_IMPORT: /* made when a text names it; by itself only when no text does */
    case VERB_NEED_LOCK: return true;
    case VERB_WRAP: return wrap_step(r, at->span, to->span);
    case VERB_REPLACE:
        if (comment_inside(site_ast(r->pl, r->file), (Span){at->span.start, to->span.end}))
            return fails(r, S("a comment would be lost"));
        if (!expand(r, s->text, at->span.start, &text)) return false;
        intent_add(r->pl, r->fix, INTENT_REPLACE, r->file, (Span){at->span.start, to->span.end}, text, NONE);
        return true;
    case VERB_INSERT:
        return whole_line(r, s, stmt.start, s->before ? line_before(src, stmt.start) : line_after(src, stmt.end));
    case VERB_DECORATE: return whole_line(r, s, stmt.start, line_before(src, stmt.start));
    case VERB_DECLARE: return whole_line(r, s, stmt.start, line_after(src, stmt.end));
    default: return delete_span(r, at->span);
    }
}

/* One place in the source that the query must match. */
typedef struct Spot {
    Span span;
    u32 file, func, access;
} Spot;

static u32 spots_of(const Plan *pl, const Race *race, Spot *out)
{
    u32 ids[3] = {race->nsites ? race->sites[0] : NONE, race->test, race->act}, n = 0;
    for (u32 i = 0; i < COUNT_OF(ids); i++) {
        if (ids[i] == NONE) continue;
        GId g = access_gid(pl->p, ids[i]);
        const Access *a = program_access(pl->p, ids[i]);
        out[n++] = (Spot){a->span, g.file, a->func, ids[i]};
    }
    u32 func = 0;
    const Facts *f = pl->p->facts[race->file];
    for (u32 i = 0; i < f->funcs.n; i++)
        if (f->funcs.v[i].span.start <= race->span.start && race->span.end <= f->funcs.v[i].span.end) func = i;
    if (n == 0) out[n++] = (Spot){race->span, race->file, func, NONE};
    return n;
}

/* What the code evaluates twice, in the test and in the act, and the script once: what a page calls @again, and the
 * @place beside it. */
static bool evaluated_once(Run *r)
{
    static const char *const twice[] = {"again", "place"};
    for (u32 i = 0; i < COUNT_OF(twice) && captured(r, S("again")); i++) {
        const Capture *c = captured(r, str_from(twice[i]));
        u32 n = c ? ast_at(site_ast(r->pl, r->file), c->span) : NONE;
        if (c && !expr_steady(r->pl, r->file, n))
            return fails(r, S("what is asked for may be something else each time it is evaluated"));
    }
    return true;
}

static bool race_run(Run *r, const Query *q, const Race *race)
{
    Spot spots[4];
    u32 n = spots_of(r->pl, race, spots);
    for (u32 i = 0; i < n; i++) {
        r->captures.n = 0;
        r->file = spots[i].file;
        r->func = spots[i].func;
        r->access = spots[i].access;
        if (!site_match(r->pl, q, r->file, spots[i].span, &r->captures)) continue;
        Region region;
        Str why = S("");
        if (!evaluated_once(r)) return false;
        if (!region_make(r->pl, r->file, r->func, spots[i].span, spots[i].span, &region, &why)) return fails(r, why);
        region.access = r->access;
        region.test = NONE;
        Verdict v = judge_region(r->pl, r->page, r->w, &region, NULL, &why);
        if (v == VERDICT_DECLINE) return fails(r, why);
        if (v == VERDICT_UNSAFE) fix_caution(r->fix, FIX_UNSAFE, why);
        for (u32 k = 0; k < r->page->steps.n; k++)
            if (!step_run(r, &r->page->steps.v[k])) return false;
        return true;
    }
    return fails(r, S("the code does not have the shape that this transform knows"));
}

bool script_run(Plan *pl, Work *w, const Page *page)
{
    const Query *q = page_query(pl, page);
    if (!q) return false;
    Fix draft = {0};
    Run r = {.pl = pl, .w = w, .page = page, .fix = &draft};
    w->regions.n = 0;
    bool ok = true;
    for (u32 i = 0; i < w->races.n && ok; i++) ok = race_run(&r, q, &pl->races->v[w->races.v[i]]);
    if (!ok) {
        w->tried = r.why;
        w->regions.n = 0;
        return false;
    }
    if (page_locks(page)) {
        w->page = page;
        return true;
    }
    Fix *f = fix_add(pl, page, w);
    fix_take(f, &draft);
    if (draft.safety > f->safety) fix_caution(f, draft.safety, draft.reason);
    w->done = true;
    return true;
}
