/* Findings for reviewdog (rdjson). Columns count bytes there. A suggestion is one range of one file, so only fixes
 * whose edits lie close together are offered, as the whole lines from the first to the last: half a fix would be
 * worse than none. */
#include "emit/emit.h"
#include "emit/json.h"

enum { SUGGESTION_LINES = 60 };

static json_t *position(const Source *s, u32 offset)
{
    u32 line, column;
    source_position(s, offset, &line, &column);
    u32 start = s->line_start[line - 1] + (line == 1 && s->bom ? 3 : 0);
    return json_pack("{s:i, s:i}", "line", (int)line, "column", (int)(offset > start ? offset - start + 1 : 1));
}

static json_t *range(const Source *s, Span span)
{
    return json_pack("{s:o, s:o}", "start", position(s, span.start), "end", position(s, span.end));
}

static json_t *location(const Results *r, Str prefix, const Source *s, Span span)
{
    json_t *o = json_object();
    json_put(o, "path", json_str(str_fmt(r->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(s->path))));
    json_put(o, "range", range(s, span));
    return o;
}

/* The whole lines that a change replaces, as one range: from the line of the first edit to that of the last one. */
static json_t *lines_range(const Change *c, Str *text)
{
    const Source *s = c->before;
    const Edit *first = &c->edits.v[0], *last = &c->edits.v[c->edits.n - 1];
    u32 from, to, column;
    source_position(s, first->span.start, &from, &column);
    source_position(s, last->span.end > last->span.start ? last->span.end - 1 : last->span.end, &to, &column);
    if (to > from && column == 1 && last->span.end == last->span.start) to--; /* put in before line `to` */
    if (to - from >= SUGGESTION_LINES) return NULL;
    u32 start = s->line_start[from - 1], end = to < s->nlines ? s->line_start[to] : (u32)s->text.n;
    if (from == 1 && s->bom) start += 3;
    *text = str_slice(c->after, start, c->after.n - (s->text.n - end));
    if (str_ends(*text, S("\n"))) text->n--;
    if (str_ends(*text, S("\r"))) text->n--;
    return json_pack("{s:{s:i}, s:{s:i}}", "start", "line", (int)from, "end", "line", (int)to);
}

static json_t *suggestions(const Results *r, const Race *race)
{
    Arena scratch = {0};
    ChangeVec changes = {0};
    const Fix *f = race_fix(r, race);
    json_t *list = json_array();
    if (f && !f->declined && f->safety != FIX_MANUAL) fix_changes(&scratch, r, race->fix, &changes);
    if (changes.n == 1 && changes.v[0].edits.n && changes.v[0].file == race->file) {
        Str text;
        json_t *where = lines_range(&changes.v[0], &text);
        if (where) json_array_append_new(list, json_pack("{s:o, s:o}", "range", where, "text", json_str(text)));
    }
    arena_free(&scratch);
    return list;
}

static json_t *diagnostic(const Results *r, Str prefix, const Race *race)
{
    static const char *const severity[] = {"INFO", "WARNING", "ERROR"};
    json_t *o = json_object(), *related = json_array();
    json_put(o, "message", json_str(race->message));
    json_put(o, "location", location(r, prefix, file_source(r, race->file), race->span));
    json_put(o, "severity", json_string(severity[race->severity]));
    json_put(o, "code", json_pack("{s:s}", "value", rule_table[race->rule].code));
    json_put(o, "suggestions", suggestions(r, race));
    for (u32 i = 1; i < race->nsites; i++) {
        const Access *x = program_access(r->program, race->sites[i]);
        const Source *s = file_source(r, access_gid(r->program, race->sites[i]).file);
        if (same_site(r, race->sites[0], race->sites[i])) continue;
        json_t *site = json_object();
        json_put(site, "message", json_string(access_word(x)));
        json_put(site, "location", location(r, prefix, s, x->span));
        json_array_append_new(related, site);
    }
    json_put(o, "related_locations", related);
    return o;
}

void rdjson_write(Buf *out, const Results *r)
{
    Str prefix = repo_prefix(r->arena, r->options->root);
    json_t *list = json_array();
    for (u32 i = 0; i < r->races->n; i++)
        if (!r->races->v[i].suppressed) json_array_append_new(list, diagnostic(r, prefix, &r->races->v[i]));
    json_text(out, json_pack("{s:{s:s}, s:o}", "source", "name", "ungil", "diagnostics", list), JSON_INDENT(2));
}
