/* Globs of options and configuration, matched against paths relative to the root. */
#include "conf/conf.h"

bool globs_match(const StrVec *globs, Str path)
{
    for (u32 i = 0; i < globs->n; i++) {
        Str g = globs->v[i];
        while (str_starts(g, S("./"))) g = str_slice(g, 2, g.n);
        if (g.n > 1 && g.p[g.n - 1] == '/') g.n--;
        bool whole = str_find(g, '/') < g.n;
        for (size_t from = 0, to; from <= path.n; from = to + 1) {
            Str rest = str_slice(path, from, path.n);
            to = from + str_find(rest, '/');
            if (glob_match(g, str_slice(path, whole ? 0 : from, to))) return true;
        }
        if (whole && glob_match(g, path)) return true;
    }
    return false;
}

bool glob_check(Str glob, Err *e)
{
    return glob_closed(glob) ||
           err_set(e, "the pattern '%.*s' has a [ without its ]; a bracket itself is written [[]", STR_ARG(glob));
}

bool path_ignores_rule(const Options *o, Str path, RuleId rule)
{
    for (u32 i = 0; i < o->path_ignores.n; i++) {
        const PathIgnore *p = &o->path_ignores.v[i];
        StrVec one = {(Str *)&p->glob, 1, 1};
        if (rule_selected(rule, p->codes.v, p->codes.n) && globs_match(&one, path)) return true;
    }
    return false;
}
