/* What `ungil deps` found: for people a table with the three facts, the findings and a summary; for programs the JSON
 * of `check` with the packages beside the findings; every other format as `check` writes it. */
#include "ready/ready.h"
#include "emit/emit.h"
#include "emit/json.h"

static const char *const kind_name[] = {"declared", "constraint", "locked", "installed"};

/* ---- JSON -------------------------------------------------------------------------------------------------- */

static json_t *fact_json(const Fact *f)
{
    json_t *o = json_object();
    json_put(o, "answer", json_string(f->answer));
    json_put(o, "reason", json_str(f->reason));
    json_put(o, "evidence", json_str(f->evidence));
    return o;
}

static json_t *imports_json(const PackageVerdict *v)
{
    json_t *list = json_array();
    for (u32 i = 0; i < v->lines.n; i++) {
        json_t *o = json_object();
        json_put(o, "path", json_str(v->lines.v[i].path));
        json_put(o, "line", json_integer(v->lines.v[i].line));
        json_put(o, "module", json_str(v->lines.v[i].module));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *package_json(const Gather *g, const Dep *d, const PackageVerdict *v)
{
    json_t *o = json_object();
    json_put(o, "name", json_str(d->name));
    json_put(o, "version", d->version.n ? json_str(d->version) : json_null());
    json_put(o, "requires", json_str(d->spec));
    json_put(o, "kind", json_string(kind_name[d->kind]));
    json_put(o, "path", json_str(g->sources.v[d->file]->path));
    json_put(o, "line", json_integer(d->line));
    json_put(o, "installs", fact_json(&v->installs));
    json_put(o, "gil", fact_json(&v->gil));
    json_put(o, "safe", fact_json(&v->safe));
    json_put(o, "notes", json_str(v->row ? v->row->notes : (Str){0}));
    json_put(o, "imports", imports_json(v));
    return o;
}

static void json_report(Buf *out, const Gather *g, const PackageVerdict *verdicts, const Results *r)
{
    json_t *o = results_json(r), *packages = json_array();
    for (u32 i = 0; i < g->deps.n; i++) json_array_append_new(packages, package_json(g, &g->deps.v[i], &verdicts[i]));
    json_put(o, "target", json_str(str_fmt(g->a, "3.%d", g->o->target)));
    json_put(o, "packages", packages);
    json_text(out, o, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
}

/* ---- text --------------------------------------------------------------------------------------------------- */

enum { COLUMNS = 6, CELL_MAX = 40 };

/* A cell, cut where it would push the table apart. */
static Str cell_cut(Arena *a, Str s)
{
    if (s.n <= CELL_MAX) return s;
    size_t n = CELL_MAX - 3;
    while (n && ((u8)s.p[n] & 0xc0) == 0x80) n--; /* not inside of a character */
    return str_fmt(a, "%.*s...", (int)n, s.p);
}

static void row_cells(const Gather *g, const Dep *d, const PackageVerdict *v, Str cell[COLUMNS])
{
    Str version = d->version.n ? d->version : d->spec.n ? d->spec : S("any");
    Str where = str_fmt(g->a, "%.*s:%u", STR_ARG(g->sources.v[d->file]->path), d->line);
    cell[0] = cell_cut(g->a, d->name);
    cell[1] = cell_cut(g->a, version);
    cell[2] = where.n > CELL_MAX ? str_fmt(g->a, "...%.*s", CELL_MAX - 3, where.p + where.n - (CELL_MAX - 3)) : where;
    cell[3] = str_from(v->installs.answer);
    cell[4] = str_from(v->gil.answer);
    cell[5] = str_from(v->safe.answer);
}

static void rows_put(Buf *out, Str (*cells)[COLUMNS], u32 n)
{
    size_t wide[COLUMNS] = {0};
    for (u32 i = 0; i < n; i++)
        for (u32 k = 0; k < COLUMNS; k++) wide[k] = MAX(wide[k], cells[i][k].n);
    for (u32 i = 0; i < n; i++) {
        for (u32 k = 0; k < COLUMNS; k++) {
            safe_put(out, cells[i][k]);
            if (k + 1 < COLUMNS) buf_fill(out, ' ', wide[k] - cells[i][k].n + 2);
        }
        buf_char(out, '\n');
    }
}

static void imports_put(Buf *out, const Gather *g, const PackageVerdict *verdicts)
{
    enum { SHOWN = 5 };
    for (u32 i = 0; i < g->deps.n; i++) {
        const PackageVerdict *v = &verdicts[i];
        if (!v->lines.n) continue;
        buf_fmt(out, "%.*s is imported at ", STR_ARG(g->deps.v[i].name));
        for (u32 k = 0; k < MIN(v->lines.n, (u32)SHOWN); k++) {
            if (k) buf_c(out, ", ");
            safe_put(out, v->lines.v[k].path);
            buf_fmt(out, ":%u", v->lines.v[k].line);
        }
        if (v->lines.n > SHOWN) buf_fmt(out, " and %u more", v->lines.n - SHOWN);
        buf_char(out, '\n');
    }
}

/* -v: why each answer was given. */
static void reasons_put(Buf *out, const Gather *g, const PackageVerdict *verdicts)
{
    static const char *const asks[] = {"installs", "GIL", "safe"};
    for (u32 i = 0; i < g->deps.n; i++) {
        const PackageVerdict *v = &verdicts[i];
        const Fact *facts[] = {&v->installs, &v->gil, &v->safe};
        buf_fmt(out, "%.*s\n", STR_ARG(g->deps.v[i].name));
        for (u32 k = 0; k < COUNT_OF(facts); k++) {
            buf_fmt(out, "   = %s: %s, ", asks[k], facts[k]->answer);
            safe_put(out, facts[k]->reason);
            if (facts[k]->evidence.n) buf_c(out, "; "), safe_put(out, facts[k]->evidence);
            buf_char(out, '\n');
        }
    }
    buf_char(out, '\n');
}

static void table_put(Buf *out, const Gather *g, const PackageVerdict *verdicts)
{
    if (!g->deps.n) return;
    Str(*cells)[COLUMNS] = arena_alloc(g->a, sizeof *cells, _Alignof(Str), g->deps.n + 1);
    Str head[COLUMNS] = {S("package"), S("version"),
                         S("where"),   str_fmt(g->a, "installs on 3.%dt", g->o->target),
                         S("GIL"),     S("known to be safe")};
    memcpy(cells[0], head, sizeof head);
    for (u32 i = 0; i < g->deps.n; i++) row_cells(g, &g->deps.v[i], &verdicts[i], cells[i + 1]);
    rows_put(out, cells, g->deps.n + 1);
    buf_char(out, '\n');
}

static u32 answers(const Gather *g, const PackageVerdict *verdicts, const char *gil)
{
    u32 n = 0;
    for (u32 i = 0; i < g->deps.n; i++) n += strcmp(verdicts[i].gil.answer, gil) == 0;
    return n;
}

static void summary_put(Buf *out, const Gather *g, const PackageVerdict *verdicts, const Results *r)
{
    Counts c = results_count(r);
    buf_fmt(
        out,
        "%u package%s in %u file%s for free-threaded Python 3.%d: GIL stays off %u, comes back %u, not known %u; ",
        g->deps.n, g->deps.n == 1 ? "" : "s", r->sources->n, r->sources->n == 1 ? "" : "s", g->o->target,
        answers(g, verdicts, "off"), answers(g, verdicts, "on"), answers(g, verdicts, "unknown"));
    buf_fmt(out, "%u finding%s", c.findings, c.findings == 1 ? "" : "s");
    if (r->notes->n) buf_fmt(out, ", %u note%s", r->notes->n, r->notes->n == 1 ? "" : "s");
    buf_char(out, '\n');
}

static void text_report(Buf *out, const Gather *g, const PackageVerdict *verdicts, const Results *r)
{
    bool loud = g->o->verbosity >= 0;
    if (loud) table_put(out, g, verdicts);
    if (g->o->verbosity > 0) reasons_put(out, g, verdicts);
    text_write(out, r);
    if (!loud) return;
    imports_put(out, g, verdicts);
    notes_put(out, r);
    summary_put(out, g, verdicts, r);
}

int deps_report(Gather *g, const PackageVerdict *verdicts, const Results *r, Err *e)
{
    Buf out = {0};
    if (g->o->format != FMT_TEXT && g->o->format != FMT_JSON) return emit_findings(r, e);
    if (g->o->format == FMT_JSON)
        json_report(&out, g, verdicts, r);
    else
        text_report(&out, g, verdicts, r);
    bool ok = emit_text(g->o, buf_view(&out), e);
    buf_free(&out);
    return ok ? exit_status(r, results_count(r).serious > 0) : 2;
}
