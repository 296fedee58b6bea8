/* Comments that silence findings (docs/usage.md), and UG901/UG902 about the comments themselves. */
#include "races/races.h"

static bool codes_match(const Facts *f, const Comment *c, RuleId rule)
{
    Str rest = sym_str(f, c->codes);
    while (rest.n) {
        Str code = str_trim(str_cut(rest, ',', &rest));
        Str inner;
        while (code.n) { /* noqa lists may be separated by blanks */
            Str one = str_trim(str_cut(code, ' ', &inner));
            code = inner;
            if (one.n && rule_selected(rule, &one, 1)) return true;
        }
    }
    return false;
}

static bool speaks_of(const Race *r, const Comment *c)
{
    if (c->kind == COMMENT_FILE_IGNORE) return true;
    return r->line >= c->first_line && r->line <= c->last_line;
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
                if (r->file != file || !speaks_of(r, c) || !codes_match(x, c, r->rule)) continue;
                r->suppressed = true;
                r->suppress_reason = sym_str(x, c->reason);
                used = true;
            }
            if (!used && c->kind != COMMENT_NOQA) {
                Race *r = race_at(f, UG901, file, 0, c->span, sym_str(x, c->codes), CONF_HIGH);
                race_message(f, r, "this comment silences no finding; remove it, or check its codes");
            }
            if (!x->syms.strs[c->reason].n) {
                Race *r = race_at(f, UG902, file, 0, c->span, sym_str(x, c->codes), CONF_HIGH);
                race_message(f, r, "say why after the brackets, for those who read this later");
            }
        }
    }
}
