/* The guard table (`ungil guards`): which lock guards which state, and where it is not held; as text and as JSON for
 * programs. What a `# guarded-by` comment declares stands there whatever the code does. */
#include "emit/html.h"
#include "emit/json.h"

typedef struct GuardRow {
    u32 lock, guarded, total;
    bool declared;
} GuardRow;

/* Is it an access that the table counts, made without the lock? */
static bool without_lock(const Program *p, u32 ga, u32 lock)
{
    return access_counts(p, ga) && !lockset_hopes(p, p->access_locks[ga], lock);
}

/* The line of the place; false when it has none. Two accesses at least make a habit, a comment makes a rule. */
static bool guard_row(const Program *p, const Place *x, GuardRow *row)
{
    if (x->is_lock) return false;
    *row = (GuardRow){x->guard, x->guarded, x->total, x->declared_guard != NONE};
    if (!row->declared) return x->guard != NONE && x->guarded >= 2;
    row->lock = x->declared_guard;
    row->guarded = row->total = 0;
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        if (!access_counts(p, ga)) continue;
        row->total++;
        row->guarded += !without_lock(p, ga, row->lock);
    }
    return true;
}

static void without_text(Buf *out, const Program *p, const Place *x, u32 lock)
{
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        if (!without_lock(p, ga, lock)) continue;
        const Access *access = program_access(p, ga);
        buf_c(out, "    without it: ");
        safe_put(out, p->facts[access_gid(p, ga).file]->source->path);
        buf_fmt(out, ":%u:%u %s\n", access->line, access->column, access_word(access));
    }
}

static void guards_text(Buf *out, const Program *p)
{
    GuardRow row;
    for (u32 i = 0; i < p->places.n; i++) {
        const Place *x = &p->places.v[i];
        if (!guard_row(p, x, &row)) continue;
        safe_put(out, x->display);
        buf_c(out, " → ");
        safe_put(out, p->locks.v[row.lock].display);
        buf_fmt(out, ", guarded %u of %u%s\n", row.guarded, row.total, row.declared ? " (declared)" : "");
        without_text(out, p, x, row.lock);
    }
}

static json_t *without_json(const Program *p, const Place *x, u32 lock)
{
    json_t *all = json_array();
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        if (!without_lock(p, ga, lock)) continue;
        const Access *access = program_access(p, ga);
        json_t *o = json_object();
        json_put(o, "path", json_str(p->facts[access_gid(p, ga).file]->source->path));
        json_put(o, "line", json_integer(access->line));
        json_put(o, "column", json_integer(access->column));
        json_put(o, "access", json_string(access_word(access)));
        json_array_append_new(all, o);
    }
    return all;
}

static void guards_json(Buf *out, const Program *p)
{
    json_t *o = json_object(), *guards = json_array();
    GuardRow row;
    for (u32 i = 0; i < p->places.n; i++) {
        const Place *x = &p->places.v[i];
        if (!guard_row(p, x, &row)) continue;
        CHECK(x->kind < COUNT_OF(place_kind_name));
        json_t *g = json_object();
        json_put(g, "place", json_str(x->display));
        json_put(g, "kind", json_string(place_kind_name[x->kind]));
        json_put(g, "lock", json_str(p->locks.v[row.lock].display));
        json_put(g, "declared", json_boolean(row.declared));
        json_put(g, "guarded", json_integer(row.guarded));
        json_put(g, "total", json_integer(row.total));
        json_put(g, "without", without_json(p, x, row.lock));
        json_array_append_new(guards, g);
    }
    json_put(o, "version", json_integer(1));
    json_put(o, "tool", json_pack("{s:s, s:s}", "name", "ungil", "version", UNGIL_VERSION));
    json_put(o, "guards", guards);
    json_text(out, o, JSON_INDENT(2));
}

void guards_html(Buf *out, const Program *p)
{
    GuardRow row;
    u32 n = 0;
    for (u32 i = 0; i < p->places.n; i++) {
        const Place *x = &p->places.v[i];
        if (!guard_row(p, x, &row)) continue;
        if (!n++) buf_c(out, "<table><tr><th>state</th><th>lock</th><th>held</th></tr>\n");
        buf_c(out, "<tr><td><code>");
        html_text(out, x->display);
        buf_c(out, "</code></td><td><code>");
        html_text(out, p->locks.v[row.lock].display);
        buf_fmt(out, "</code></td><td>%u of %u%s</td></tr>\n", row.guarded, row.total,
                row.declared ? " (declared)" : "");
    }
    buf_c(out, n ? "</table>\n" : "<p>None.</p>\n");
}

int emit_guards(const Options *o, const Program *p, Err *e)
{
    Buf out = {0};
    if (o->format == FMT_JSON)
        guards_json(&out, p);
    else
        guards_text(&out, p);
    bool ok = emit_text(o, buf_view(&out), e);
    buf_free(&out);
    return ok ? 0 : 2;
}
