/* [tool.ungil.rules.CODE]: how severe the findings of some rules are, and how certain they must be to be reported. */
#include "conf/conf.h"

static const char *const severities[] = {"note", "warning", "error"}, *const levels[] = {"low", "medium", "high"};

static int word_find(const Toml *t, const char *const *words)
{
    for (int i = 0; i < 3 && t->kind == TOML_STRING; i++)
        if (str_is(t->text, words[i])) return i;
    return -1;
}

bool rule_setting_read(const Toml *t, Str file, RuleSetting *out, Err *e)
{
    Err why = {0};
    *out = (RuleSetting){t->key, -1, -1};
    if (!code_check(t->key, &why)) return err_set(e, "%.*s:%u: rules: %s", STR_ARG(file), t->line, why.msg);
    if (t->kind != TOML_TABLE)
        return err_set(e, "%.*s:%u: %.*s must be a table of severity and min-confidence", STR_ARG(file), t->line,
                       STR_ARG(t->key));
    for (u32 i = 0; i < t->items.n; i++) {
        const Toml *x = t->items.v[i];
        bool severity = str_is(x->key, "severity");
        if (!severity && !str_is(x->key, "min-confidence"))
            return err_set(e, "%.*s:%u: unknown key '%.*s'; a rule has severity and min-confidence", STR_ARG(file),
                           x->line, STR_ARG(x->key));
        int *slot = severity ? &out->severity : &out->min_confidence;
        *slot = word_find(x, severity ? severities : levels);
        if (*slot < 0)
            return err_set(e, "%.*s:%u: %.*s must be %s", STR_ARG(file), x->line, STR_ARG(x->key),
                           severity ? "note, warning or error" : "low, medium or high");
    }
    return true;
}
