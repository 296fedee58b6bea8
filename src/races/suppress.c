/* Comments that silence findings (docs/usage.md), and UG901/UG902 about the comments themselves. */
#include "races/races.h"

/* The next code of a list, which commas or, for noqa, blanks separate; empty at its end. */
static Str next_code(Str *rest)
{
    size_t n = 0, end;
    while (n < rest->n && (rest->p[n] == ',' || rest->p[n] == ' ')) n++;
    for (end = n; end < rest->n && rest->p[end] != ',' && rest->p[end] != ' ';) end++;
    Str code = str_slice(*rest, n, end);
    *rest = str_slice(*rest, end, rest->n);
    return code;
}

static bool codes_match(const Facts *f, const Comment *c, RuleId rule)
{
    Str rest = sym_str(f, c->codes);
    for (Str code = next_code(&rest); code.n; code = next_code(&rest))
        if (rule_selected(rule, &code, 1)) return true;
    return false;
}

/* The first code that selects no rule at all; empty when there is none. */
static Str unknown_code(const Facts *f, const Comment *c)
{
    Str rest = sym_str(f, c->codes);
    for (Str code = next_code(&rest); code.n; code = next_code(&rest)) {
        bool known = false;
        for (u32 rule = 0; rule < RULE_COUNT && !known; rule++) known = rule_selected((RuleId)rule, &code, 1);
        if (!known) return code;
    }
    return S("");
}

/* The comment may also stand at the test, when test and act are two lines of one function. */
static bool speaks_of(const Program *p, const Race *r, const Comment *c)
{
    if (c->kind == COMMENT_FILE_IGNORE) return true;
    if (r->line >= c->first_line && r->line <= c->last_line) return true;
    if (r->test == NONE || access_gid(p, r->test).file != r->file) return false;
    const Access *test = program_access(p, r->test);
    return test->func == r->func && test->line >= c->first_line && test->line <= c->last_line;
}

void races_suppress(Finder *f)
{
    u32 n = f->out->n;
    for (u32 file = 0; file < f->p->nfiles; file++) {
        const Facts *x = f->p->facts[file];
        for (u32 i = 0; i < x->comments.n; i++) {
            const Comment *c = &x->comments.v[i];
            if (c->kind != COMMENT_IGNORE && c->kind != COMMENT_FILE_IGNORE && c->kind != COMMENT_NOQA) continue;
            bool used = false;
            for (u32 k = 0; k < n; k++) {
                Race *r = &f->out->v[k];
                if (r->file != file || !speaks_of(f->p, r, c) || !codes_match(x, c, r->rule)) continue;
                r->suppressed = true;
                r->suppress_reason = sym_str(x, c->reason);
                used = true;
            }
            if (!used && c->kind != COMMENT_NOQA) {
                Race *r = race_at(f, UG901, file, 0, c->span, sym_str(x, c->codes), CONF_HIGH);
                Str code = unknown_code(x, c);
                if (code.n)
                    race_message(f, r, "this comment silences no finding: %.*s is no rule", STR_ARG(code));
                else
                    race_message(f, r, "this comment silences no finding; remove it, or check its codes");
            }
            if (!x->syms.strs[c->reason].n) {
                Race *r = race_at(f, UG902, file, 0, c->span, sym_str(x, c->codes), CONF_HIGH);
                race_message(f, r, "say why after the brackets, for those who read this later");
            }
        }
    }
}
