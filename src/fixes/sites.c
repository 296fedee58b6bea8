/* The files concerned, parsed again, and the statements that stand at the sites of a race.
 *
 * A region is the smallest run of whole statements of one block that holds two spans: both are lifted to
 * the block they have in common. Where the run does not stand on lines of its own (a; b, or a suite on the
 * line of its header), region_split leaves it to edit/split.c to give it such lines; region_make lets it grow
 * to the statements it shares its lines with, or to the compound statement around. */
#include "fixes/fixes.h"
#include "parse/parse.h"

const Source *site_source(const Plan *pl, u32 file)
{
    return pl->p->facts[file]->source;
}

static void site_drop(Plan *pl, u32 file)
{
    tree_free(pl->files[file]->tree);
    arena_free(&pl->files[file]->a);
    free(pl->files[file]);
    pl->files[file] = NULL;
    pl->nparsed--;
    pl->parsed -= site_source(pl, file)->text.n;
}

/* Makes room for a file by dropping those that were used longest ago, but never the last ones. */
static void site_room(Plan *pl, u32 file)
{
    while (pl->nparsed >= SITE_FILES && pl->parsed + site_source(pl, file)->text.n > SITE_BYTES) {
        u32 oldest = NONE;
        for (u32 i = 0; i < pl->p->nfiles; i++)
            if (pl->files[i] && (oldest == NONE || pl->files[i]->used < pl->files[oldest]->used)) oldest = i;
        site_drop(pl, oldest);
    }
}

typedef struct Ahead {
    const Plan *pl;
    u32 file[SITE_AHEAD];
    u32 n;
} Ahead;

static void site_parse(void *ctx, u32 item, u32 worker)
{
    const Ahead *x = ctx;
    SiteFile *f = x->pl->files[x->file[item]];
    (void)worker;
    f->tree = tree_parse(site_source(x->pl, x->file[item]));
    f->ast = ast_build(&f->a, f->tree);
}

static void site_open(Ahead *x, Plan *pl, u32 file)
{
    site_room(pl, file);
    SiteFile *f = pl->files[file] = xmalloc(sizeof *f);
    *f = (SiteFile){.used = ++pl->tick};
    pl->nparsed++;
    pl->parsed += site_source(pl, file)->text.n;
    pl->ahead[file] = false;
    x->file[x->n++] = file;
}

/* Parses the file and, on the other threads meanwhile, those that will be asked for next: findings are planned in the
 * order of the files. Each is parsed ahead once: where not all fit, a file that is asked for again would else bring
 * others with it that take the room of those in use. */
static void sites_parse(Plan *pl, u32 file)
{
    Ahead x = {.pl = pl};
    u32 jobs = pl->p->options->jobs ? pl->p->options->jobs : os_cpus();
    site_open(&x, pl, file);
    for (u32 i = file + 1; i < pl->p->nfiles && jobs > 1 && x.n < SITE_AHEAD; i++)
        if (pl->ahead[i] && !pl->files[i]) site_open(&x, pl, i);
    pool_run(jobs, x.n, site_parse, &x);
}

static SiteFile *site_file(Plan *pl, u32 file)
{
    if (!pl->files[file]) sites_parse(pl, file);
    pl->files[file]->used = ++pl->tick;
    return pl->files[file];
}

const Ast *site_ast(Plan *pl, u32 file)
{
    return &site_file(pl, file)->ast;
}

static const Tree *site_tree(Plan *pl, u32 file)
{
    return site_file(pl, file)->tree;
}

void sites_end(Plan *pl)
{
    pl->out->asts = asts_new(pl->a, pl->p->nfiles);
    for (u32 i = 0; i < pl->p->nfiles; i++) {
        if (!pl->files[i]) continue;
        asts_keep(pl->out->asts, i, &pl->files[i]->ast, &pl->files[i]->a);
        site_drop(pl, i);
    }
}

const Query *page_query(Plan *pl, const Page *page)
{
    u32 i = 0;
    while (pl->pages->v[i] != page) i++;
    if (!pl->queries) pl->queries = arena_new(pl->a, Query *, pl->pages->n);
    Err e = {0};
    u32 at;
    if (!pl->queries[i]) pl->queries[i] = query_compile(pl->a, page->find, &at, &e);
    return pl->queries[i];
}

void queries_free(Plan *pl)
{
    for (u32 i = 0; pl->queries && i < pl->pages->n; i++) query_free(pl->queries[i]);
}

/* ---- nodes ---- */

/* The last node that begins at the offset or before it; nodes are in the order of their beginnings. */
static u32 last_begun(const Ast *t, u32 offset)
{
    u32 low = 0, high = t->n;
    while (high - low > 1) {
        u32 mid = low + (high - low) / 2;
        if (t->v[mid].start <= offset)
            low = mid;
        else
            high = mid;
    }
    return low;
}

u32 ast_from(const Ast *t, u32 offset)
{
    return t->n && t->v[0].start < offset ? last_begun(t, offset - 1) + 1 : 0;
}

u32 ast_at(const Ast *t, Span s)
{
    u32 n = last_begun(t, s.start);
    while (n && !(t->v[n].named && s.end <= t->v[n].end)) n = t->v[n].parent;
    return n;
}

bool ast_is_statement(const Ast *t, u32 n)
{
    const Node *x = &t->v[n];
    if (x->parent == NONE || !x->named || x->kind == NODE_comment || x->kind == NODE_line_continuation) return false;
    u8 k = t->v[x->parent].kind;
    return k == NODE_module || k == NODE_block;
}

u32 ast_statement(const Ast *t, u32 n)
{
    while (n != NONE && !ast_is_statement(t, n)) n = t->v[n].parent;
    return n;
}

u32 ast_assignment(const Ast *t, Span target)
{
    u32 n = ast_at(t, target);
    while (n != NONE && t->v[n].kind != NODE_assignment) n = ast_is_statement(t, n) ? NONE : t->v[n].parent;
    return n;
}

bool ast_inside(const Ast *t, u32 n, u32 outer)
{
    while (n != NONE && n != outer) n = t->v[n].parent;
    return n == outer;
}

u32 ast_definition(const Ast *t, Span span)
{
    u32 n = ast_at(t, span);
    for (; n != NONE && t->v[n].start == span.start && t->v[n].end == span.end; n = t->v[n].parent)
        if (t->v[n].kind == NODE_function_definition || t->v[n].kind == NODE_class_definition) return n;
    return NONE;
}

/* ---- regions ---- */

/* The statement among the ancestors of n (or n) that is a child of `block`. */
static u32 child_of(const Ast *t, u32 n, u32 block)
{
    while (n != NONE && t->v[n].parent != block) n = t->v[n].parent;
    return n;
}

static u32 common_block(const Ast *t, u32 a, u32 b)
{
    for (u32 n = t->v[a].parent; n != NONE; n = t->v[n].parent)
        if ((t->v[n].kind == NODE_block || t->v[n].kind == NODE_module) && ast_inside(t, b, n)) return n;
    return NONE;
}

static bool only_blanks(Str text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (text.p[i] != ' ' && text.p[i] != '\t' && text.p[i] != '\f') return false;
    return true;
}

static bool starts_line(const Source *s, u32 at)
{
    size_t from = at;
    while (from > 0 && s->text.p[from - 1] != '\n' && s->text.p[from - 1] != '\r') from--;
    if (from == 0 && s->bom) from = 3;
    return only_blanks(s->text, from, at);
}

static bool ends_line(const Source *s, u32 at)
{
    size_t i = at;
    while (i < s->text.n && (s->text.p[i] == ' ' || s->text.p[i] == '\t')) i++;
    return i == s->text.n || s->text.p[i] == '\n' || s->text.p[i] == '\r' || s->text.p[i] == '#';
}

static u32 before(const Ast *t, u32 n)
{
    u32 last = NONE;
    for (u32 c = ast_first(t, t->v[n].parent); c != NONE && c != n; c = ast_after(t, c)) last = c;
    return last;
}

/* Grows the run until it stands on whole lines. False when it would leave the function. */
static bool whole_lines(const Source *s, const Ast *t, u32 *first, u32 *last)
{
    for (;;) {
        bool at_start = starts_line(s, t->v[*first].start), at_end = ends_line(s, t->v[*last].end);
        if (at_start && at_end) return true;
        u32 p = at_start ? NONE : before(t, *first), n = at_end ? NONE : ast_after(t, *last);
        if (p != NONE)
            *first = p;
        else if (n != NONE)
            *last = n;
        else {
            u32 up = ast_statement(t, t->v[t->v[*first].parent].parent);
            if (up == NONE || ast_is(t, up, NODE_module) || ast_is_definition(t, up)) return false;
            *first = *last = up;
        }
    }
}

bool stands_first(const Source *s, u32 at)
{
    u32 from = at;
    if (!starts_line(s, at)) return false;
    while (from > 0 && s->text.p[from - 1] != '\n' && s->text.p[from - 1] != '\r') from--;
    while (from > 0 && (s->text.p[from - 1] == '\n' || s->text.p[from - 1] == '\r')) from--;
    return from == 0 || s->text.p[from - 1] != '\\';
}

static bool one_of_chars(char c, const char *chars)
{
    return c && strchr(chars, c);
}

bool gap_before(const Source *s, const Ast *t, u32 stmt, Span *out)
{
    u32 last = before(t, stmt), at = t->v[stmt].start;
    if (last != NONE) {
        *out = (Span){t->v[last].end, at};
    } else {
        u32 from = at;
        while (from > 0 && one_of_chars(s->text.p[from - 1], " \t\f\\\r\n")) from--;
        if (from == 0 || s->text.p[from - 1] != ':' || t->v[stmt].parent == 0) return false;
        *out = (Span){from, at};
    }
    for (u32 i = out->start; i < out->end; i++)
        if (!one_of_chars(s->text.p[i], "; \t\f\\\r\n")) return false;
    return true;
}

/* Can the run be given lines of its own (edit/split.c)? Then it need not grow. */
static bool can_split(const Source *s, const Ast *t, u32 first, u32 last)
{
    Span gap;
    if (!stands_first(s, t->v[first].start) && !gap_before(s, t, first, &gap)) return false;
    u32 next = ast_after(t, last);
    return next == NONE || stands_first(s, t->v[next].start) || gap_before(s, t, next, &gap);
}

static bool region_build(Plan *pl, u32 file, u32 func, Span a, Span b, bool split, Region *out, Str *why)
{
    const Ast *t = site_ast(pl, file);
    const Source *s = site_source(pl, file);
    u32 na = ast_statement(t, ast_at(t, a)), nb = ast_statement(t, ast_at(t, b));
    if (na == NONE || nb == NONE) {
        *why = S("its statement is not found");
        return false;
    }
    u32 block = common_block(t, na, nb);
    u32 first = child_of(t, na, block), last = child_of(t, nb, block);
    if (t->v[last].start < t->v[first].start) {
        u32 swap = first;
        first = last;
        last = swap;
    }
    if (s->newline == NL_CR ||
        !((split && can_split(s, t, first, last)) || whole_lines(s, t, &first, &last))) {
        u32 line, column;
        source_position(s, t->v[first].start, &line, &column);
        *why = str_fmt(pl->a, "the statement in line %u shares its line with others", line);
        return false;
    }
    Span body = pl->p->facts[file]->funcs.v[func].body;
    if (func != 0 && (t->v[first].start < body.start || t->v[last].end > body.end)) {
        *why = S("it stands in a lambda or on the line of its function's header");
        return false;
    }
    *out = (Region){.file = file,
                    .func = func,
                    .first = first,
                    .last = last,
                    .access = NONE,
                    .span = {t->v[first].start, t->v[last].end}};
    return true;
}

bool region_make(Plan *pl, u32 file, u32 func, Span a, Span b, Region *out, Str *why)
{
    return region_build(pl, file, func, a, b, false, out, why);
}

bool region_split(Plan *pl, u32 file, u32 func, Span a, Span b, Region *out, Str *why)
{
    return region_build(pl, file, func, a, b, true, out, why);
}

/* ---- matches of a page's query ---- */

typedef struct Lookup {
    Arena *a;
    const Query *q;
    Span want;
    CaptureVec *out;
    bool found;
} Lookup;

static bool lookup_match(void *ctx, const Match *m)
{
    Lookup *f = ctx;
    for (u32 i = 0; i < m->n && !f->found; i++) {
        Span s = node_span(m->node[i]);
        f->found =
            str_is(query_capture_name(f->q, m->capture[i]), "place") &&
            (span_within(s, f->want) || span_within(f->want, s));
    }
    for (u32 i = 0; f->found && i < m->n; i++)
        vec_push(f->a, f->out, (Capture){query_capture_name(f->q, m->capture[i]), node_span(m->node[i])});
    return !f->found;
}

bool site_match(Plan *pl, const Query *q, u32 file, Span span, CaptureVec *out)
{
    Lookup f = {.a = pl->a, .q = q, .want = span, .out = out};
    query_run(q, site_source(pl, file), tree_root(site_tree(pl, file)), span, lookup_match, &f);
    return f.found;
}
