/* What the user says about fixes: whose safety class is another one (extend-safe-fixes, extend-unsafe-fixes), and
 * which are to be made at all (--only). */
#include "fixes/fixes.h"

static bool any_rule(const RaceVec *races, const Fix *f, const StrVec *codes)
{
    for (u32 i = 0; i < f->races.n; i++)
        if (codes->n && rule_selected((RuleId)races->v[f->races.v[i]].rule, codes->v, codes->n)) return true;
    return false;
}

static bool all_rules(const RaceVec *races, const Fix *f, const StrVec *codes)
{
    for (u32 i = 0; i < f->races.n; i++)
        if (!rule_selected((RuleId)races->v[f->races.v[i]].rule, codes->v, codes->n)) return false;
    return codes->n && f->races.n;
}

void fixes_classify(const Options *o, const RaceVec *races, FixList *fixes)
{
    for (u32 i = 0; i < fixes->fixes.n; i++) {
        Fix *f = &fixes->fixes.v[i];
        if (f->declined || f->safety == FIX_MANUAL) continue;
        if (any_rule(races, f, &o->unsafe_rules)) {
            if (f->safety == FIX_SAFE) f->reason = S("extend-unsafe-fixes names its rule");
            f->safety = FIX_UNSAFE;
        } else if (all_rules(races, f, &o->safe_rules)) {
            f->safety = FIX_SAFE;
            f->reason = S("");
        }
    }
}

static bool fingerprint_is(u64 fingerprint, Str text)
{
    char hex[17];
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)fingerprint);
    return str_is(text, hex);
}

bool fixes_only(const Options *o, const RaceVec *races, FixList *fixes, Err *e)
{
    if (!o->only.n) return true;
    for (u32 k = 0; k < o->only.n; k++) {
        bool found = false;
        for (u32 i = 0; i < races->n && !found; i++) found = fingerprint_is(races->v[i].fingerprint, o->only.v[k]);
        if (!found)
            return err_set(e, "no finding has the fingerprint '%.*s'; `ungil check --format json` shows them",
                           STR_ARG(o->only.v[k]));
    }
    for (u32 i = 0; i < fixes->fixes.n; i++) {
        Fix *f = &fixes->fixes.v[i];
        bool wanted = false;
        for (u32 r = 0; r < f->races.n; r++)
            for (u32 k = 0; k < o->only.n; k++)
                wanted |= fingerprint_is(races->v[f->races.v[r]].fingerprint, o->only.v[k]);
        if (wanted || f->declined) continue;
        f->declined = true;
        f->reason = S("--only names other findings");
    }
    return true;
}
