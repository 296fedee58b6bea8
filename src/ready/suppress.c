/* `# ungil: ignore[CODES] reason` and `# noqa: CODES` in files of dependencies, all of which begin comments with #. A
 * comment speaks of the findings on its line; alone on a line, of those on the next. Comments that silence nothing
 * are not reported here: most of these files are written by tools. */
#include "ready/ready.h"

static bool codes_have(Str codes, RuleId rule)
{
    while (codes.n) {
        Str one = str_trim(str_cut(codes, ',', &codes));
        if (one.n && rule_selected(rule, &one, 1)) return true;
    }
    return false;
}

/* Does the line silence the rule? *reason is what stands behind the brackets. */
static bool line_silences(Str line, RuleId rule, Str *reason)
{
    static const char *const marks[] = {"ungil: ignore[", "noqa: "};
    Str comment = str_slice(line, str_find(line, '#'), line.n);
    for (u32 i = 0; i < COUNT_OF(marks); i++) {
        Str mark = str_from(marks[i]);
        size_t at = str_search(comment, mark);
        if (at == comment.n) continue;
        Str rest = str_slice(comment, at + mark.n, comment.n), codes = str_cut(rest, i ? '#' : ']', reason);
        *reason = i ? (Str){0} : str_trim(*reason);
        if (codes_have(codes, rule)) return true;
    }
    return false;
}

void findings_suppress(const Gather *g, RaceVec *all)
{
    for (u32 i = 0; i < all->n; i++) {
        Race *r = &all->v[i];
        const Source *s = g->sources.v[r->file];
        Str above = r->line > 1 ? str_trim(source_line(s, r->line - 1)) : (Str){0};
        r->suppressed = line_silences(source_line(s, r->line), (RuleId)r->rule, &r->suppress_reason) ||
                        (str_starts(above, S("#")) && line_silences(above, (RuleId)r->rule, &r->suppress_reason));
    }
}
