/* The rule table, the words for its columns, and the page about each rule. */
#include "pipeline.h"

#define RULE(code, name, severity, line) {#code, name, severity, line},
const RuleInfo rule_table[RULE_COUNT] = {
#include "know/rules.def"
};
#undef RULE

const char *const severity_name[] = {"note", "warning", "error"};
const char *const confidence_name[] = {"low", "medium", "high"};
const char *const impact_name[] = {"new", "worse", "duplicate-work", "by-contract", "advice"};

RuleId rule_find(Str code)
{
    for (u32 i = 0; i < RULE_COUNT; i++)
        if (str_is(code, rule_table[i].code) || str_is(code, rule_table[i].name)) return (RuleId)i;
    return RULE_COUNT;
}

bool rule_selected(RuleId rule, const Str *codes, u32 n)
{
    const RuleInfo *r = &rule_table[rule];
    for (u32 i = 0; i < n; i++) {
        if (str_is(codes[i], "ALL") || str_is(codes[i], r->name)) return true;
        if (codes[i].n && str_starts(str_from(r->code), codes[i])) return true;
    }
    return false;
}

Str rule_page(RuleId rule)
{
    Str file = str_from(rule_table[rule].code);
    for (u32 i = 0; i < rule_page_count; i++) {
        Str name = str_from(rule_pages[i].name);
        if (str_starts(name, file) && str_is(str_slice(name, file.n, name.n), ".md"))
            return (Str){rule_pages[i].text, rule_pages[i].len};
    }
    return S("");
}
