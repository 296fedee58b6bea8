/* The guard table (`ungil guards`): the same places as link's text, as JSON for programs. */
#include "emit/emit.h"
#include "emit/json.h"

static const char *const kind_name[] = {"global", "class-attribute", "instance", "closure", "default"};

/* Two accesses at least make a habit; guards_dump says the same. */
static bool guard_listed(const Place *x)
{
    return x->guard != NONE && !x->is_lock && x->guarded >= 2;
}

static json_t *without_json(const Program *p, const Place *x)
{
    json_t *all = json_array();
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        if (!access_counts(p, ga) || lockset_has(p, p->access_locks[ga], x->guard)) continue;
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
    for (u32 i = 0; i < p->places.n; i++) {
        const Place *x = &p->places.v[i];
        if (!guard_listed(x)) continue;
        CHECK(x->kind < COUNT_OF(kind_name));
        json_t *g = json_object();
        json_put(g, "place", json_str(x->display));
        json_put(g, "kind", json_string(kind_name[x->kind]));
        json_put(g, "lock", json_str(p->locks.v[x->guard].display));
        json_put(g, "guarded", json_integer(x->guarded));
        json_put(g, "total", json_integer(x->total));
        json_put(g, "without", without_json(p, x));
        json_array_append_new(guards, g);
    }
    json_put(o, "version", json_integer(1));
    json_put(o, "tool", json_pack("{s:s, s:s}", "name", "ungil", "version", UNGIL_VERSION));
    json_put(o, "guards", guards);
    json_text(out, o, JSON_INDENT(2));
}

int emit_guards(const Options *o, const Program *p, Err *e)
{
    Buf out = {0};
    if (o->format == FMT_JSON)
        guards_json(&out, p);
    else
        guards_dump(&out, p);
    bool ok = emit_text(o, buf_view(&out), e);
    buf_free(&out);
    return ok ? 0 : 2;
}
