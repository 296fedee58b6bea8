/* Findings as SARIF 2.1.0: for GitHub code scanning, editors and reviewdog.
 *
 * Columns count code points. A fix holds every edit it needs, imports and lock definitions included, against the
 * file as it is. Each finding has two fingerprints: GitHub's hash of the line, and ours, which holds no text of the
 * line. What was not analysed goes out as notifications. */
#include "emit/emit.h"
#include "emit/json.h"

typedef struct Sarif {
    const Results *r;
    Str prefix;            /* of our paths inside the repository */
    u32 index[RULE_COUNT]; /* of a rule in driver.rules */
    Str *hashes;           /* of the lines of file `hashed` */
    u32 hashed;
} Sarif;

static json_t *message(Str text)
{
    json_t *o = json_object();
    json_put(o, "text", json_str(text));
    return o;
}

static json_t *artifact(const Sarif *s, const Source *src)
{
    json_t *o = json_object();
    Str path = str_fmt(s->r->arena, "%.*s%.*s", STR_ARG(s->prefix), STR_ARG(src->path));
    Buf uri = {0};
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~/", c);
        if (plain)
            buf_char(&uri, c);
        else
            buf_fmt(&uri, "%%%02X", (u8)c);
    }
    json_put(o, "uri", json_str(buf_view(&uri)));
    json_put(o, "uriBaseId", json_string("SRCROOT"));
    buf_free(&uri);
    return o;
}

static json_t *region(u32 line, u32 column, u32 end_line, u32 end_column)
{
    return json_pack("{s:i, s:i, s:i, s:i}", "startLine", (int)line, "startColumn", (int)column, "endLine",
                     (int)end_line, "endColumn", (int)end_column);
}

static json_t *location(const Sarif *s, const Source *src, json_t *where, Str text)
{
    json_t *o = json_object(), *physical = json_object();
    json_put(physical, "artifactLocation", artifact(s, src));
    json_put(physical, "region", where);
    json_put(o, "physicalLocation", physical);
    if (text.n) json_put(o, "message", message(text));
    return o;
}

static json_t *site_location(const Sarif *s, u32 gaccess)
{
    const Access *x = program_access(s->r->program, gaccess);
    const Source *src = file_source(s->r, access_gid(s->r->program, gaccess).file);
    const LockSet *set = access_lockset(s->r, gaccess);
    Buf text = {0};
    buf_fmt(&text, "%s, %s", access_word(x), set->n ? "holding " : "no lock held");
    for (u32 i = 0; i < set->n; i++)
        buf_fmt(&text, "%s%.*s", i ? ", " : "", STR_ARG(s->r->program->locks.v[set->ids[i]].display));
    json_t *o = location(s, src, region(x->line, x->column, x->end_line, x->end_column), buf_view(&text));
    buf_free(&text);
    return o;
}

/* ---- the parts of a result ----------------------------------------------------------------------------- */

static json_t *related(const Sarif *s, const Race *race)
{
    json_t *list = json_array();
    for (u32 i = 1; i < race->nsites; i++) {
        if (same_site(s->r, race->sites[0], race->sites[i])) continue;
        json_t *o = site_location(s, race->sites[i]);
        json_put(o, "id", json_integer(i));
        json_array_append_new(list, o);
    }
    return list;
}

/* Two threads, one step each: the accesses that meet, and who runs them. */
static json_t *code_flows(const Sarif *s, const Race *race)
{
    json_t *threads = json_array();
    for (u32 i = 0; i < 2; i++) {
        Str roots[SITE_ROOTS];
        u32 n = site_roots(s->r, race->sites[i], roots);
        json_t *flow = json_pack("{s:s, s:[{s:o}]}", "id", i ? "thread 2" : "thread 1", "locations", "location",
                                 site_location(s, race->sites[i]));
        Buf text = {0};
        for (u32 k = 0; k < n; k++) buf_fmt(&text, "%s%.*s", k ? ", or " : "Run by ", STR_ARG(roots[k]));
        if (n) json_put(flow, "message", message(buf_view(&text)));
        buf_free(&text);
        json_array_append_new(threads, flow);
    }
    return json_pack("[{s:o}]", "threadFlows", threads);
}

static json_t *replacements(const Change *c)
{
    json_t *list = json_array();
    for (u32 i = 0; i < c->edits.n; i++) {
        u32 line, column, end_line, end_column;
        source_position(c->before, c->edits.v[i].span.start, &line, &column);
        source_position(c->before, c->edits.v[i].span.end, &end_line, &end_column);
        json_t *o = json_object();
        json_put(o, "deletedRegion", region(line, column, end_line, end_column));
        json_put(o, "insertedContent", message(c->edits.v[i].text));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *fixes(const Sarif *s, const Race *race)
{
    Arena scratch = {0};
    ChangeVec changes = {0};
    const Fix *f = race_fix(s->r, race);
    json_t *list = json_array(), *files = json_array(), *fix = json_object();
    if (f && !f->declined && f->safety != FIX_MANUAL) fix_changes(&scratch, s->r, race->fix, &changes);
    for (u32 i = 0; i < changes.n; i++) {
        json_t *o = json_object();
        json_put(o, "artifactLocation", artifact(s, changes.v[i].before));
        json_put(o, "replacements", replacements(&changes.v[i]));
        json_array_append_new(files, o);
    }
    if (changes.n) {
        json_put(fix, "description",
                 message(str_fmt(&scratch, "%.*s (%s)", STR_ARG(f->transform), safety_name[f->safety])));
        json_put(fix, "artifactChanges", json_incref(files));
        json_array_append(list, fix);
    }
    json_decref(files);
    json_decref(fix);
    arena_free(&scratch);
    return list;
}

static json_t *fingerprints(Sarif *s, const Race *race)
{
    json_t *o = json_object();
    if (s->hashed != race->file) {
        s->hashes = line_hashes(s->r->arena, file_source(s->r, race->file)->text);
        s->hashed = race->file;
    }
    json_put(o, "primaryLocationLineHash", json_str(s->hashes[race->line - 1]));
    json_put(o, "ungilFinding/v1", json_str(fingerprint_text(s->r->arena, race->fingerprint)));
    return o;
}

static json_t *suppressions(const Race *race)
{
    json_t *o = json_pack("{s:s}", "kind", race->known ? "external" : "inSource");
    if (race->known) json_put(o, "justification", json_string("listed in the baseline"));
    if (race->suppress_reason.n) json_put(o, "justification", json_str(race->suppress_reason));
    json_t *list = json_array();
    json_array_append_new(list, o);
    return list;
}

static json_t *result(Sarif *s, const Race *race)
{
    json_t *o = json_object(), *where = json_array(), *list;
    json_put(o, "ruleId", json_string(rule_table[race->rule].code));
    json_put(o, "ruleIndex", json_integer(s->index[race->rule]));
    json_put(o, "level", json_string(severity_name[race->severity]));
    json_put(o, "message", message(race->message));
    json_array_append_new(where,
                          location(s, file_source(s->r, race->file),
                                   region(race->line, race->column, race->end_line, race->end_column), (Str){0}));
    json_put(o, "locations", where);
    list = related(s, race);
    if (json_array_size(list)) json_put(o, "relatedLocations", json_incref(list));
    json_decref(list);
    if (race->nsites > 1) json_put(o, "codeFlows", code_flows(s, race));
    json_put(o, "partialFingerprints", fingerprints(s, race));
    list = fixes(s, race);
    if (json_array_size(list)) json_put(o, "fixes", json_incref(list));
    json_decref(list);
    if (race->suppressed) json_put(o, "suppressions", suppressions(race));
    if (s->r->baseline) json_put(o, "baselineState", json_string(race->known ? "unchanged" : "new"));
    json_put(o, "properties",
             json_pack("{s:s, s:s}", "impact", impact_name[race->impact], "confidence",
                       confidence_name[race->confidence]));
    return o;
}

/* ---- the run ------------------------------------------------------------------------------------------- */

enum { DESCRIPTION_MAX = 1000 }; /* GitHub takes 1024 characters */

/* The first paragraph of a rule's page; its one line when there is no page. */
static Str rule_paragraph(Arena *a, const RuleInfo *rule, Str page)
{
    Buf text = {0};
    bool in = false;
    for (Str line; str_line(&page, &line);) {
        if (str_starts(line, S("#"))) continue;
        if (!line.n && in) break;
        if (!line.n) continue;
        buf_fmt(&text, "%s%.*s", in ? " " : "", STR_ARG(line));
        in = true;
    }
    bool fits = text.n && text.n <= DESCRIPTION_MAX;
    Str paragraph = fits ? str_dup(a, buf_view(&text)) : str_from(rule->line);
    buf_free(&text);
    return paragraph;
}

static json_t *rule_json(Arena *a, const RuleInfo *rule)
{
    json_t *o = json_object(), *help = json_object();
    Str line = str_from(rule->line), page = rule_page((RuleId)(rule - rule_table));
    json_put(o, "id", json_string(rule->code));
    json_put(o, "name", json_string(rule->name));
    json_put(o, "shortDescription", message(line));
    json_put(o, "fullDescription", message(rule_paragraph(a, rule, page)));
    json_put(help, "text", json_str(page.n ? page : line));
    if (page.n) json_put(help, "markdown", json_str(page));
    json_put(o, "help", help);
    json_put(o, "defaultConfiguration", json_pack("{s:s}", "level", severity_name[rule->severity]));
    json_put(o, "properties",
             json_pack("{s:[s, s], s:s}", "tags", "concurrency", "free-threading", "precision", "medium"));
    return o;
}

static json_t *driver(Sarif *s)
{
    json_t *rules = json_array();
    bool used[RULE_COUNT] = {0};
    for (u32 i = 0; i < s->r->races->n; i++) used[s->r->races->v[i].rule] = true;
    for (u32 i = 0; i < RULE_COUNT; i++) {
        if (!used[i]) continue;
        s->index[i] = (u32)json_array_size(rules);
        json_array_append_new(rules, rule_json(s->r->arena, &rule_table[i]));
    }
    return json_pack("{s:s, s:s, s:o}", "name", "ungil", "semanticVersion", UNGIL_VERSION, "rules", rules);
}

/* What could not be followed, a notification for each kind. */
static void unseen_add(const Sarif *s, json_t *list)
{
    u32 count[UNSEEN_COUNT];
    results_unseen(s->r, count);
    for (u32 k = 0; k < UNSEEN_COUNT; k++) {
        if (!count[k]) continue;
        Str id = str_fmt(s->r->arena, "unseen-%s", unseen_table[k].key);
        json_t *o = json_object();
        json_put(o, "level", json_string("note"));
        json_put(o, "message",
                 message(str_fmt(s->r->arena, "not followed: %s (%u); %s", unseen_table[k].what, count[k],
                                 unseen_table[k].why)));
        json_put(o, "descriptor", json_pack("{s:s}", "id", id.p));
        json_array_append_new(list, o);
    }
}

static json_t *notifications(const Sarif *s)
{
    json_t *list = json_array();
    unseen_add(s, list);
    for (u32 i = 0; i < s->r->notes->n; i++) {
        const Note *n = &s->r->notes->v[i];
        Source named = {.path = n->path};
        json_t *o = json_object(), *where = json_object(), *physical = json_object();
        json_put(o, "level", json_string("note"));
        json_put(o, "message", message(n->message));
        json_put(o, "descriptor", json_pack("{s:s}", "id", n->code));
        json_put(physical, "artifactLocation", artifact(s, &named));
        if (n->line) json_put(physical, "region", json_pack("{s:i}", "startLine", (int)n->line));
        json_put(where, "physicalLocation", physical);
        if (n->path.n)
            json_put(o, "locations", json_pack("[o]", where));
        else
            json_decref(where);
        json_array_append_new(list, o);
    }
    return list;
}

void sarif_write(Buf *out, const Results *r)
{
    Sarif s = {.r = r, .prefix = repo_prefix(r->arena, r->options->root), .hashed = NONE};
    json_t *run = json_object(), *results = json_array();
    json_put(run, "tool", json_pack("{s:o}", "driver", driver(&s)));
    json_put(run, "columnKind", json_string("unicodeCodePoints"));
    json_put(run, "originalUriBaseIds",
             json_pack("{s:{s:{s:s}}}", "SRCROOT", "description", "text", "The root of the repository"));
    json_put(run, "automationDetails", json_pack("{s:s}", "id", "ungil/"));
    json_put(run, "invocations",
             json_pack("[{s:b, s:o}]", "executionSuccessful", 1, "toolExecutionNotifications", notifications(&s)));
    for (u32 i = 0; i < r->races->n; i++) json_array_append_new(results, result(&s, &r->races->v[i]));
    json_put(run, "results", results);
    json_text(out,
              json_pack("{s:s, s:s, s:[o]}", "$schema", "https://json.schemastore.org/sarif-2.1.0.json", "version",
                        "2.1.0", "runs", run),
              JSON_INDENT(2));
}
