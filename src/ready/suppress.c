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

/* Where what follows a mark begins, letters of any case; s.n + 1 without it. */
static size_t mark_end(Str s, Str mark)
{
    for (size_t i = 0; i + mark.n <= s.n; i++) {
        size_t k = 0;
        while (k < mark.n && (s.p[i + k] == mark.p[k] || (s.p[i + k] | 32) == mark.p[k])) k++;
        if (k == mark.n) return i + k;
    }
    return s.n + 1;
}

/* "# noqa: UG501, E501": of the line that it stands on. */
static bool noqa_silences(Str line, RuleId rule)
{
    Str comment = str_slice(line, str_find(line, '#'), line.n);
    size_t at = mark_end(comment, S("noqa:"));
    char upper[8];
    if (at > comment.n) return false;
    Str codes = str_cut(str_slice(comment, at, comment.n), '#', &(Str){0});
    while (codes.n) {
        Str one = str_trim(str_cut(codes, ',', &codes));
        if (!one.n || one.n > sizeof upper) continue;
        for (size_t i = 0; i < one.n; i++)
            upper[i] = (char)(one.p[i] >= 'a' && one.p[i] <= 'z' ? one.p[i] - 32 : one.p[i]);
        if (codes_have((Str){upper, one.n}, rule)) return true;
    }
    return false;
}

/* Does a comment of ours in the line silence the rule? *reason is what stands behind the brackets. */
static bool line_silences(Str line, RuleId rule, Str *reason)
{
    Str mark = S("ungil: ignore["), comment = str_slice(line, str_find(line, '#'), line.n);
    size_t at = str_search(comment, mark);
    if (at == comment.n) return false;
    Str codes = str_cut(str_slice(comment, at + mark.n, comment.n), ']', reason);
    *reason = str_trim(*reason);
    return codes_have(codes, rule);
}

void findings_suppress(const Gather *g, RaceVec *all)
{
    for (u32 i = 0; i < all->n; i++) {
        Race *r = &all->v[i];
        const Source *s = g->sources.v[r->file];
        RuleId rule = (RuleId)r->rule;
        Str line = source_line(s, r->line), above = r->line > 1 ? str_trim(source_line(s, r->line - 1)) : (Str){0};
        r->suppressed = line_silences(line, rule, &r->suppress_reason) || noqa_silences(line, rule) ||
                        (str_starts(above, S("#")) && line_silences(above, rule, &r->suppress_reason));
    }
}
