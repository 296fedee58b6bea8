/* Findings as GitLab's Code Quality report. Fingerprints must be unique in the report, so that the second finding
 * with an equal one gets a number. */
#include "emit/emit.h"
#include "emit/json.h"

static json_t *point(u32 line, u32 column)
{
    return json_pack("{s:i, s:i}", "line", (int)line, "column", (int)column);
}

static json_t *issue(const Results *r, Str prefix, const Race *race, u32 ordinal)
{
    static const char *const severity[] = {"info", "minor", "major"};
    const RuleInfo *rule = &rule_table[race->rule];
    Str path = str_fmt(r->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(file_source(r, race->file)->path));
    json_t *o = json_object(), *where = json_object();
    Str id = fingerprint_text(r->arena, race->fingerprint);
    if (ordinal > 1) id = str_fmt(r->arena, "%.*s-%u", STR_ARG(id), ordinal);
    json_put(o, "description", json_str(str_fmt(r->arena, "%s: %.*s", rule->code, STR_ARG(race->message))));
    json_put(o, "check_name", json_string(rule->code));
    json_put(o, "fingerprint", json_str(id));
    json_put(o, "severity", json_string(severity[race->severity]));
    json_put(where, "path", json_str(path));
    json_put(where, "positions",
             json_pack("{s:o, s:o}", "begin", point(race->line, race->column), "end",
                       point(race->end_line, race->end_column)));
    json_put(o, "location", where);
    return o;
}

void gitlab_write(Buf *out, const Results *r)
{
    Str prefix = repo_prefix(r->arena, r->options->root);
    Map seen = {0};
    json_t *list = json_array();
    for (u32 i = 0; i < r->races->n; i++) {
        const Race *race = &r->races->v[i];
        if (race->suppressed) continue;
        u32 *count = map_at(r->arena, &seen, race->fingerprint >> 1);
        *count = *count == NONE ? 1 : *count + 1;
        json_array_append_new(list, issue(r, prefix, race, *count));
    }
    json_text(out, list, JSON_INDENT(2));
}
