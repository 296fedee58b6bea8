/* Transform pages: one Markdown file holds a transform's documentation, its matcher, its rewrite and its
 * first tests.
 *
 * The page is read line by line: front matter between two --- lines, a # heading, prose, and the ##
 * sections that are known by name. Sections with other names are prose. Every error names the page's line.
 * Pages of a directory are checked whole, the compiled-in ones only in the tests, because compiling
 * queries takes time at every start. */
#include "fixes/fixes.h"
#include "parse/parse.h"

#include <dirent.h>

typedef struct Reader {
    Arena *a;
    Page *page;
    Err *e;
    Str rest;
    u32 line;    /* of the line last read */
    Str section; /* "" before the first ## heading */
    Str pending; /* an Example's first fence, waiting for the second */
    u32 pending_line;
    bool finds, rewrites;
} Reader;

static bool page_error(const Reader *r, u32 line, const char *sentence, Str what)
{
    return err_set(r->e, "%.*s:%u: %s%.*s", STR_ARG(r->page->file), line, sentence, STR_ARG(what));
}

static bool next_line(Reader *r, Str *line)
{
    if (!str_line(&r->rest, line)) return false;
    r->line++;
    return true;
}

/* ---- front matter ---- */

static bool read_rules(Reader *r, Str value)
{
    r->page->rules = value;
    while (value.n) {
        Str code = str_trim(str_cut(value, ',', &value));
        RuleId rule = rule_find(code);
        if (rule == RULE_COUNT) return page_error(r, r->line, "there is no rule ", code);
        vec_push(r->a, &r->page->rule_ids, (u8)rule);
    }
    return true;
}

static bool read_needs(Reader *r, Str value)
{
    r->page->needs = value;
    while (value.n) {
        Str name = str_trim(str_cut(value, ',', &value));
        const Judgement *j = judgement_find(name);
        if (!j) return page_error(r, r->line, "there is no judgement ", name);
        vec_push(r->a, &r->page->judgements, j);
    }
    return true;
}

static bool read_safety(Reader *r, Str value)
{
    r->page->safety = value;
    for (u8 i = FIX_SAFE; i <= FIX_MANUAL; i++)
        if (str_is(value, safety_name[i])) {
            r->page->safety_class = i;
            return true;
        }
    return page_error(r, r->line, "safety is one of safe, unsafe, manual, not ", value);
}

/* tokens, or replace; then what it adds and what it drops. */
static bool read_certificate(Reader *r, Str value)
{
    Page *p = r->page;
    Str kind = str_trim(str_cut(value, ';', &value));
    p->replaces = str_is(kind, "replace");
    if (!p->replaces && !str_is(kind, "tokens"))
        return page_error(r, r->line, "certificate is tokens or replace, not ", kind);
    while (value.n) {
        Str part = str_trim(str_cut(value, ';', &value)), words, verb = str_cut(part, ' ', &words);
        Str *to = str_is(verb, "adds") ? &p->adds : str_is(verb, "drops") ? &p->drops : NULL;
        if (!to || !p->replaces)
            return page_error(r, r->line, "after `replace;` comes `adds` or `drops`, not ", part);
        *to = str_trim(words);
        p->states = true;
    }
    return true;
}

static bool read_key(Reader *r, Str key, Str value)
{
    Page *p = r->page;
    if (!value.n) return page_error(r, r->line, "nothing stands after the colon of ", key);
    if (str_is(key, "id")) {
        p->id = value;
        return true;
    }
    if (str_is(key, "rules")) return read_rules(r, value);
    if (str_is(key, "needs")) return read_needs(r, value);
    if (str_is(key, "safety")) return read_safety(r, value);
    if (str_is(key, "plan")) {
        p->plan = value;
        p->planner = planner_find(value);
        return p->planner || page_error(r, r->line, "there is no planner ", value);
    }
    if (str_is(key, "model")) {
        p->strict = str_is(value, "strict");
        return p->strict || page_error(r, r->line, "model can only be strict, not ", value);
    }
    if (str_is(key, "when")) {
        p->preferred = str_is(value, "preferred");
        return p->preferred || page_error(r, r->line, "when can only be preferred, not ", value);
    }
    if (str_is(key, "certificate")) return read_certificate(r, value);
    return page_error(r, r->line, "there is no key ", key);
}

static bool read_front(Reader *r)
{
    Str line;
    if (!next_line(r, &line) || !str_is(str_trim(line), "---"))
        return page_error(r, 1, "a page starts with a line ---", S(""));
    while (next_line(r, &line)) {
        line = str_trim(line);
        if (str_is(line, "---")) return true;
        if (!line.n) continue;
        if (str_find(line, ':') == line.n) return page_error(r, r->line, "expected `key: value`, found ", line);
        Str value, key = str_trim(str_cut(line, ':', &value));
        if (!read_key(r, key, str_trim(value))) return false;
    }
    return page_error(r, 1, "the second --- line is missing", S(""));
}

/* ---- body ---- */

static bool example_add(Reader *r, u32 line, Str info, Str code)
{
    bool second = r->pending.p && !str_contains(info, S("before"));
    if (!second && r->pending.p) return page_error(r, line, "two `before` follow each other", S(""));
    if (!second && str_contains(info, S("after"))) return page_error(r, line, "`after` has no `before`", S(""));
    if (!second) {
        r->pending = code;
        r->pending_line = line;
        return true;
    }
    vec_push(r->a, &r->page->examples, (Example){.line = r->pending_line, .before = r->pending, .after = code});
    r->pending = (Str){0};
    return true;
}

static bool fence_done(Reader *r, u32 line, Str info, Str code)
{
    Page *p = r->page;
    if (str_is(r->section, "Finds")) {
        if (r->finds) return page_error(r, line, "there is a query already", S(""));
        r->finds = true;
        p->find = code;
        p->find_line = line + 1;
        return true;
    }
    if (str_is(r->section, "Rewrites")) {
        if (r->rewrites) return page_error(r, line, "there is an edit script already", S(""));
        r->rewrites = true;
        return script_parse(r->a, p->file, line + 1, code, &p->steps, r->e);
    }
    if (str_is(r->section, "Example")) return example_add(r, line, info, code);
    if (str_is(r->section, "Leaves alone")) vec_push(r->a, &p->examples, (Example){.line = line, .before = code});
    return true;
}

/* Called with the opening ``` line read. */
static bool read_fence(Reader *r, Str open)
{
    u32 first = r->line;
    Str start = r->rest, line;
    while (next_line(r, &line)) {
        if (!str_starts(line, S("```"))) continue;
        Str code = {start.p, (size_t)(line.p - start.p)};
        return fence_done(r, first, str_slice(open, 3, open.n), code.n ? code : S(""));
    }
    return page_error(r, first, "this ``` is never closed", S(""));
}

static bool read_body(Reader *r)
{
    Str line;
    while (next_line(r, &line)) {
        if (str_starts(line, S("```"))) {
            if (!read_fence(r, line)) return false;
        } else if (str_starts(line, S("## "))) {
            if (r->pending.p) return page_error(r, r->pending_line, "this example has no `after`", S(""));
            r->section = str_trim(str_slice(line, 3, line.n));
        } else if (str_starts(line, S("# ")) && !r->page->title.n) {
            r->page->title = str_trim(str_slice(line, 2, line.n));
        }
    }
    return !r->pending.p || page_error(r, r->pending_line, "this example has no `after`", S(""));
}

static bool page_complete(Reader *r)
{
    Page *p = r->page;
    if (!p->id.n) return page_error(r, 1, "the front matter lacks id", S(""));
    if (!p->rule_ids.n) return page_error(r, 1, "the front matter lacks rules", S(""));
    if (!p->safety.n) return page_error(r, 1, "the front matter lacks safety", S(""));
    if (!p->title.n) return page_error(r, 1, "the page has no # heading", S(""));
    if (p->planner && (r->finds || r->rewrites))
        return page_error(r, 1, "a page with a planner has no Finds and no Rewrites", S(""));
    if (!p->planner && p->safety_class != FIX_MANUAL && !(r->finds && r->rewrites))
        return page_error(r, 1, "the page needs Finds and Rewrites, or a planner, or safety manual", S(""));
    for (u32 i = 0; i < p->steps.n; i++)
        if (!p->replaces && p->steps.v[i].verb >= VERB_REPLACE)
            return page_error(r, p->steps.v[i].line, "this verb needs `certificate: replace`", S(""));
    return true;
}

Page *page_parse(Arena *a, Str file, Str text, Err *e)
{
    Page *p = arena_new(a, Page, 1);
    p->file = file;
    p->text = text;
    Reader r = {.a = a, .page = p, .e = e, .rest = text};
    return read_front(&r) && read_body(&r) && page_complete(&r) ? p : NULL;
}

/* ---- checks that take time ---- */

static bool capture_known(const Query *q, Str name)
{
    for (u32 i = 0; i < query_capture_count(q); i++)
        if (str_eq(query_capture_name(q, i), name)) return true;
    return false;
}

static bool step_check(const Page *p, const Query *q, const Step *s, Err *e)
{
    Str names[2] = {s->at, s->to};
    for (u32 i = 0; i < 2; i++)
        if (names[i].n && !capture_known(q, names[i]))
            return err_set(e, "%.*s:%u: the query has no capture @%.*s", STR_ARG(p->file), s->line,
                           STR_ARG(names[i]));
    return true;
}

bool page_check(const Page *p, Err *e)
{
    if (!p->find.n) return true;
    Arena a = {0};
    Err why = {0};
    u32 at = 0;
    Query *q = query_compile(&a, p->find, &at, &why);
    bool ok = q != NULL;
    if (!q) {
        u32 line = p->find_line;
        for (u32 i = 0; i < at && i < p->find.n; i++) line += p->find.p[i] == '\n';
        err_set(e, "%.*s:%u: %s", STR_ARG(p->file), line, why.msg);
    } else if (!capture_known(q, S("place"))) {
        ok = err_set(e, "%.*s:%u: the query needs a capture @place for the state it is about", STR_ARG(p->file),
                     p->find_line);
    }
    for (u32 i = 0; ok && i < p->steps.n; i++) ok = step_check(p, q, &p->steps.v[i], e);
    query_free(q);
    arena_free(&a);
    return ok;
}

/* ---- lists of pages ---- */

static void list_put(Arena *a, PageList *list, Page *p)
{
    for (u32 i = 0; i < list->n; i++)
        if (str_eq(list->v[i]->id, p->id)) {
            list->v[i] = p;
            return;
        }
    Page **v = arena_new(a, Page *, list->n + 1);
    if (list->n) memcpy(v, list->v, list->n * sizeof *v);
    v[list->n++] = p;
    list->v = v;
}

static int by_name(const void *x, const void *y)
{
    return str_cmp(*(const Str *)x, *(const Str *)y);
}

static bool load_file(Arena *a, Str dir, Str name, PageList *out, Err *e)
{
    Str text, path = str_fmt(a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(name));
    if (!os_read_file(a, path.p, 1 << 20, &text, e)) return false;
    Page *p = page_parse(a, path, text, e);
    if (!p || !page_check(p, e)) return false;
    list_put(a, out, p);
    return true;
}

static bool load_dir(Arena *a, Str dir, PageList *out, Err *e)
{
    DIR *d = opendir(str_c(a, dir));
    if (!d) return err_set(e, "cannot read the transforms folder %.*s", STR_ARG(dir));
    StrVec names = {0};
    for (struct dirent *entry; (entry = readdir(d));)
        if (str_ends(str_from(entry->d_name), S(".md"))) vec_push(a, &names, str_dup(a, str_from(entry->d_name)));
    closedir(d);
    if (names.n) qsort(names.v, names.n, sizeof *names.v, by_name);
    for (u32 i = 0; i < names.n; i++)
        if (!load_file(a, dir, names.v[i], out, e)) return false;
    return true;
}

bool pages_load(Arena *a, Str dir, PageList *out, Err *e)
{
    *out = (PageList){0};
    for (u32 i = 0; i < embedded_page_count; i++) {
        const EmbeddedPage *x = &embedded_pages[i];
        Page *p = page_parse(a, str_from(x->name), (Str){x->text, x->len}, e);
        if (!p) return false;
        list_put(a, out, p);
    }
    return dir.n == 0 || load_dir(a, dir, out, e);
}

bool pages_named(const PageList *pages, const StrVec *names, Err *e)
{
    for (u32 i = 0; i < names->n; i++)
        if (!page_find(pages, names->v[i]))
            return err_set(e, "there is no transform '%.*s' to prefer; `ungil transforms` lists them",
                           STR_ARG(names->v[i]));
    return true;
}

const Page *page_find(const PageList *pages, Str id)
{
    for (u32 i = 0; i < pages->n; i++)
        if (str_eq(pages->v[i]->id, id)) return pages->v[i];
    return NULL;
}

bool page_handles(const Page *p, u8 rule)
{
    for (u32 i = 0; i < p->rule_ids.n; i++)
        if (p->rule_ids.v[i] == rule) return true;
    return false;
}

bool page_locks(const Page *p)
{
    if (p->planner) return p->planner->locks;
    for (u32 i = 0; i < p->steps.n; i++)
        if (p->steps.v[i].verb == VERB_NEED_LOCK) return true;
    return false;
}

Str page_id(const Page *p)
{
    return p->id;
}
Str page_title(const Page *p)
{
    return p->title;
}
Str page_text(const Page *p)
{
    return p->text;
}
Str page_rules(const Page *p)
{
    return p->rules;
}
Str page_safety(const Page *p)
{
    return p->safety;
}
