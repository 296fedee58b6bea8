/* The commands that analyse nothing: the lists of rules and transforms (text or JSON), the examples of the pages
 * run as tests, and help. */
#include "app.h"

#include <jansson.h>

static void json_out(Buf *out, json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2));
    CHECK(text);
    buf_fmt(out, "%s\n", text);
    free(text);
    json_decref(value);
}

int rules_list(const Options *o, Err *e)
{
    Buf out = {0};
    json_t *all = json_array();
    for (u32 i = 0; i < RULE_COUNT; i++) {
        const RuleInfo *r = &rule_table[i];
        if (o->format == FMT_TEXT)
            buf_fmt(&out, "%s  %-34s %-8s %s\n", r->code, r->name, severity_name[r->severity], r->line);
        else
            json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s}", "code", r->code, "name", r->name, "severity",
                                                 severity_name[r->severity], "summary", r->line));
    }
    if (o->format == FMT_JSON)
        json_out(&out, all);
    else
        json_decref(all);
    return emit_text(o, buf_view(&out), e) ? 0 : 2;
}

int transforms_list(Arena *a, const Options *o, Err *e)
{
    Buf out = {0};
    PageList pages = {0};
    if (!pages_load(a, o->transforms_dir, &pages, e)) return 2;
    json_t *all = json_array();
    for (u32 i = 0; i < pages.n; i++) {
        const Page *p = pages.v[i];
        Str id = page_id(p), rules = page_rules(p), safety = page_safety(p), title = page_title(p);
        if (o->format == FMT_TEXT)
            buf_fmt(&out, "%-24.*s %-14.*s %-7.*s %.*s\n", STR_ARG(id), STR_ARG(rules), STR_ARG(safety),
                    STR_ARG(title));
        else
            json_array_append_new(all, json_pack("{s:s%, s:s%, s:s%, s:s%}", "id", id.p, id.n, "rules", rules.p,
                                                 rules.n, "safety", safety.p, safety.n, "title", title.p, title.n));
    }
    if (o->format == FMT_JSON)
        json_out(&out, all);
    else
        json_decref(all);
    return emit_text(o, buf_view(&out), e) ? 0 : 2;
}

/* transforms --test: a line for each example, then the count. */
int transforms_test(Arena *a, const Options *o, Err *e)
{
    Buf out = {0};
    PageList pages = {0};
    if (!pages_load(a, o->transforms_dir, &pages, e)) return 2;
    u32 passed, failed = pages_test(&out, &pages, &passed);
    buf_fmt(&out, "%u examples hold, %u fail\n", passed, failed);
    return emit_text(o, buf_view(&out), e) ? failed > 0 : 2;
}

int help_out(const Options *o, Err *e)
{
    Buf out = {0};
    Command c = CMD_HELP;
    if (o->args.n && !command_named(o->args.v[0], &c)) {
        err_set(e, "there is no command '%.*s'; run `ungil --help`", STR_ARG(o->args.v[0]));
        return 2;
    }
    options_help(&out, c);
    return emit_text(NULL, buf_view(&out), e) ? 0 : 2;
}
