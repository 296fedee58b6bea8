/* Findings for programs: the JSON of docs/usage.md, whole (json) or one finding a line (jsonl). */
#include "emit/emit.h"
#include "emit/json.h"

json_t *json_str(Str s)
{
    json_t *v = json_stringn(s.p ? s.p : "", s.n);
    if (v) return v;
    /* Not UTF-8, which only a file's name can be here: each byte that does not fit becomes U+FFFD. */
    Buf b = {0};
    for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
        n = utf8_length(s, i);
        if (n)
            buf_bytes(&b, s.p + i, n);
        else
            buf_c(&b, NO_CHARACTER);
    }
    v = json_stringn(b.p, b.n);
    buf_free(&b);
    CHECK(v);
    return v;
}

void json_put(json_t *object, const char *key, json_t *value)
{
    CHECK(json_object_set_new(object, key, value) == 0);
}

u32 json_line(const json_t *object, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(object, key));
    return n > 0 && n < INT32_MAX ? (u32)n : 0;
}

static int text_add(const char *bytes, size_t n, void *out)
{
    buf_bytes(out, bytes, n);
    return 0;
}

void json_text(Buf *out, json_t *value, size_t flags)
{
    CHECK(json_dump_callback(value, text_add, out, flags) == 0);
    buf_char(out, '\n');
    json_decref(value);
}

static void range_put(json_t *o, u32 line, u32 column, u32 end_line, u32 end_column)
{
    json_put(o, "line", json_integer(line));
    json_put(o, "column", json_integer(column));
    json_put(o, "end_line", json_integer(end_line));
    json_put(o, "end_column", json_integer(end_column));
}

static json_t *site_json(const Results *r, u32 gaccess)
{
    const Access *x = program_access(r->program, gaccess);
    Str names[SITE_ROOTS];
    u32 nroots = site_roots(r, gaccess, names);
    const LockSet *set = access_lockset(r, gaccess);
    json_t *o = json_object(), *locks = json_array(), *roots = json_array();
    json_put(o, "path", json_str(file_source(r, access_gid(r->program, gaccess).file)->path));
    range_put(o, x->line, x->column, x->end_line, x->end_column);
    json_put(o, "access", json_string(access_word(x)));
    for (u32 i = 0; i < set->n; i++) json_array_append_new(locks, json_str(r->program->locks.v[set->ids[i]].display));
    for (u32 i = 0; i < nroots; i++) json_array_append_new(roots, json_str(names[i]));
    json_put(o, "locks", locks);
    json_put(o, "roots", roots);
    return o;
}

static json_t *edit_json(const Change *c, const Edit *edit)
{
    json_t *o = json_object();
    u32 line, column, end_line, end_column;
    source_position(c->before, edit->span.start, &line, &column);
    source_position(c->before, edit->span.end, &end_line, &end_column);
    json_put(o, "path", json_str(c->before->path));
    json_put(o, "start_byte", json_integer(edit->span.start));
    json_put(o, "end_byte", json_integer(edit->span.end));
    range_put(o, line, column, end_line, end_column);
    json_put(o, "text", json_str(edit->text));
    return o;
}

/* Why this fix and no other: its lock, its price, and what was weighed. */
static void choice_put(json_t *o, const Results *r, const Fix *f)
{
    const LockPlan *l = f->lock != NONE && !f->declined ? &r->fixes->locks.v[f->lock] : NULL;
    json_t *others = json_array(), *lock = l ? json_object() : json_null();
    for (u32 i = 0; i < f->others.n; i++) {
        json_t *one = json_object();
        json_put(one, "what", json_str(f->others.v[i].what));
        json_put(one, "reason", json_str(f->others.v[i].why));
        json_array_append_new(others, one);
    }
    if (l) {
        json_put(lock, "name", json_str(l->display));
        json_put(lock, "kind", json_string(l->reentrant ? "RLock" : "Lock"));
        json_put(lock, "new", json_boolean(!l->existing));
        json_put(lock, "reason", json_str(l->reason));
    }
    json_put(o, "lock", lock);
    json_put(o, "price", json_str(f->price));
    json_put(o, "alternatives", others);
}

/* A fix without its edits. */
static json_t *fix_json(const Results *r, const Fix *f)
{
    json_t *o = json_object();
    json_put(o, "transform", json_str(f->transform));
    json_put(o, "safety", json_string(safety_name[f->declined ? FIX_MANUAL : f->safety]));
    json_put(o, "reason", json_str(f->reason));
    json_put(o, "edits", json_array());
    choice_put(o, r, f);
    return o;
}

/* The fixes by their ids, each made once and shared by all findings that it serves: a lock for one global may serve
 * thousands, and has an edit for each. */
static json_t **fixes_make(const Results *r)
{
    u32 n = r->fixes ? r->fixes->fixes.n : 0;
    json_t **fix = arena_new(r->arena, json_t *, n + 1);
    for (u32 i = 0; i < n; i++) fix[i] = fix_json(r, &r->fixes->fixes.v[i]);
    for (u32 i = 0; r->changes && i < r->changes->n; i++) {
        const Change *c = &r->changes->v[i];
        for (u32 k = 0; k < c->edits.n; k++)
            if (c->edits.v[k].fix < n)
                json_array_append_new(json_object_get(fix[c->edits.v[k].fix], "edits"), edit_json(c, &c->edits.v[k]));
    }
    return fix;
}

static void fixes_release(const Results *r, json_t **fix)
{
    for (u32 i = 0; r->fixes && i < r->fixes->fixes.n; i++) json_decref(fix[i]);
}

Str fingerprint_text(Arena *a, u64 fingerprint)
{
    return str_fmt(a, "%016llx", (unsigned long long)fingerprint);
}

static json_t *race_json(const Results *r, json_t **fix, const Race *race)
{
    const RuleInfo *rule = &rule_table[race->rule];
    json_t *o = json_object(), *sites = json_array(), *why = json_array();
    json_put(o, "rule", json_string(rule->code));
    json_put(o, "name", json_string(rule->name));
    json_put(o, "impact", json_string(impact_name[race->impact]));
    json_put(o, "severity", json_string(severity_name[race->severity]));
    json_put(o, "confidence", json_string(confidence_name[race->confidence]));
    json_put(o, "path", json_str(file_source(r, race->file)->path));
    range_put(o, race->line, race->column, race->end_line, race->end_column);
    json_put(o, "state", json_str(race->state));
    json_put(o, "message", json_str(race->message));
    json_put(o, "fingerprint", json_str(fingerprint_text(r->arena, race->fingerprint)));
    for (u32 i = 0; i < race->nsites; i++) json_array_append_new(sites, site_json(r, race->sites[i]));
    for (u32 i = 0; i < race->nwhy; i++) json_array_append_new(why, json_str(race->why[i]));
    json_put(o, "sites", sites);
    json_put(o, "why", why);
    json_put(o, "fix", race_fix(r, race) ? json_incref(fix[race->fix]) : json_null());
    json_put(o, "suppressed", json_boolean(race->suppressed));
    json_put(o, "baseline", json_boolean(race->known));
    return o;
}

static json_t *note_json(const Note *n)
{
    json_t *o = json_object();
    json_put(o, "path", json_str(n->path));
    json_put(o, "line", json_integer(n->line));
    json_put(o, "code", json_string(n->code));
    json_put(o, "message", json_str(n->message));
    return o;
}

static json_t *summary_json(const Results *r)
{
    Counts c = results_count(r);
    u32 count[UNSEEN_COUNT];
    json_t *unseen = json_object();
    results_unseen(r, count);
    for (u32 k = 0; k < UNSEEN_COUNT; k++) json_put(unseen, unseen_table[k].key, json_integer(count[k]));
    json_t *o = json_object();
    json_put(o, "files", json_integer(r->sources->n));
    json_put(o, "lines", json_integer((json_int_t)c.lines));
    json_put(o, "bytes", json_integer((json_int_t)c.bytes));
    json_put(o, "findings", json_integer(c.findings));
    json_put(o, "fixable", json_integer(c.fixable));
    json_put(o, "baseline", json_integer(c.known));
    json_put(o, "unseen", unseen);
    json_put(o, "seconds", json_real((double)(long)(r->seconds * 1000) / 1000));
    return o;
}

json_t *results_json(const Results *r)
{
    json_t *o = json_object(), *findings = json_array(), *notes = json_array(), **fix = fixes_make(r);
    for (u32 i = 0; i < r->races->n; i++) json_array_append_new(findings, race_json(r, fix, &r->races->v[i]));
    fixes_release(r, fix);
    for (u32 i = 0; i < r->notes->n; i++) json_array_append_new(notes, note_json(&r->notes->v[i]));
    json_put(o, "version", json_integer(1));
    json_put(o, "tool", json_pack("{s:s, s:s}", "name", "ungil", "version", UNGIL_VERSION));
    json_put(o, "findings", findings);
    json_put(o, "notes", notes);
    json_put(o, "summary", summary_json(r));
    return o;
}

void json_write(Buf *out, const Results *r)
{
    json_text(out, results_json(r), JSON_INDENT(2) | JSON_REAL_PRECISION(6));
}

void jsonl_write(Buf *out, const Results *r)
{
    json_t **fix = fixes_make(r);
    for (u32 i = 0; i < r->races->n; i++) json_text(out, race_json(r, fix, &r->races->v[i]), JSON_COMPACT);
    fixes_release(r, fix);
}
