/* Findings for people: a line that compilers' users know, the source with an underline, and a few short lines that
 * say who runs it, what is locked, why we believe it and what `ungil fix` would do, in at most about twelve rows; of
 * many findings of one rule about one state in a file the first few, and where the others are. */
#include "emit/emit.h"

static Color severity_color(u8 severity)
{
    return severity == SEV_ERROR ? COLOR_RED : severity == SEV_WARNING ? COLOR_YELLOW : COLOR_CYAN;
}

static void label_put(Buf *out, const Results *r, const char *label)
{
    Buf b = {0};
    buf_fmt(&b, "   = %s: ", label);
    color_put(out, r->options->colored, COLOR_BLUE, buf_view(&b));
    buf_free(&b);
}

/* ---- threads and locks --------------------------------------------------------------------------------- */

static void roots_put(Buf *out, const Results *r, u32 gaccess)
{
    Str roots[SITE_ROOTS];
    u32 n = site_roots(r, gaccess, roots);
    for (u32 i = 0; i < n; i++) {
        if (i) buf_c(out, ", ");
        safe_put(out, roots[i]);
    }
}

static bool same_roots(const Results *r, u32 g1, u32 g2)
{
    Str x[SITE_ROOTS], y[SITE_ROOTS];
    u32 n = site_roots(r, g1, x);
    bool same = n == site_roots(r, g2, y);
    for (u32 i = 0; same && i < n; i++) same = str_eq(x[i], y[i]);
    return same;
}

static void locks_put(Buf *out, const Results *r, u32 gaccess)
{
    const LockSet *set = access_lockset(r, gaccess);
    if (!set->n) buf_c(out, "none");
    for (u32 i = 0; i < set->n; i++) {
        if (i) buf_c(out, ", ");
        safe_put(out, r->program->locks.v[set->ids[i]].display);
    }
}

/* The access that conflicts with the reported one; NONE when there is none or it is the same place in the text. */
static u32 witness_of(const Results *r, const Race *race)
{
    for (u32 i = 1; i < race->nsites; i++)
        if (!same_site(r, race->sites[0], race->sites[i])) return race->sites[i];
    return NONE;
}

static void witness_put(Buf *out, const Results *r, const Race *race, u32 witness)
{
    const Access *x = program_access(r->program, witness);
    const Source *s = file_source(r, access_gid(r->program, witness).file);
    u32 others = 0;
    for (u32 i = 1; i < race->nsites; i++)
        others += !same_site(r, race->sites[0], race->sites[i]) && !same_site(r, witness, race->sites[i]);
    label_put(out, r, "also");
    safe_put(out, s->path);
    buf_fmt(out, ":%u:%u: %s", x->line, x->column, access_word(x));
    if (others) buf_fmt(out, ", and %u more", others);
    buf_char(out, '\n');
    frame_put(out, r->options->colored, s, x->span, COLOR_BLUE);
}

static void sites_put(Buf *out, const Results *r, const Race *race)
{
    if (!race->nsites) return;
    u32 first = race->sites[0], witness = witness_of(r, race);
    if (witness != NONE) witness_put(out, r, race, witness);
    label_put(out, r, "threads");
    roots_put(out, r, first);
    if (witness == NONE) {
        buf_c(out, race->nsites > 1 ? "; it runs together with itself" : "");
    } else if (!same_roots(r, first, witness)) {
        buf_c(out, "; there: ");
        roots_put(out, r, witness);
    }
    buf_char(out, '\n');
    label_put(out, r, "locks");
    locks_put(out, r, first);
    if (witness != NONE) {
        buf_c(out, "; there: ");
        locks_put(out, r, witness);
    }
    buf_char(out, '\n');
}

/* ---- the rest of a finding ----------------------------------------------------------------------------- */

static void fix_put(Buf *out, const Results *r, const Race *race)
{
    const Fix *f = race_fix(r, race);
    if (!f) return;
    label_put(out, r, "fix");
    if (f->declined || f->safety == FIX_MANUAL) {
        buf_c(out, "none: ");
        safe_put(out, f->reason.n ? f->reason : S("needs a person"));
    } else {
        buf_fmt(out, "%.*s (%s)", STR_ARG(f->transform), safety_name[f->safety]);
        if (f->lock != NONE) {
            const LockPlan *lock = &r->fixes->locks.v[f->lock];
            buf_fmt(out, " with %s lock ", lock->existing ? "the" : "a new");
            safe_put(out, lock->display);
        }
        if (f->reason.n) buf_c(out, "; "), safe_put(out, f->reason);
    }
    buf_char(out, '\n');
}

static void header_put(Buf *out, const Results *r, const Race *race)
{
    bool on = r->options->colored;
    Buf b = {0};
    safe_put(&b, file_source(r, race->file)->path);
    buf_fmt(&b, ":%u:%u:", race->line, race->column);
    color_put(out, on, COLOR_BOLD, buf_view(&b));
    buf_free(&b);
    buf_fmt(&b, " %s[%s]", severity_name[race->severity], rule_table[race->rule].code);
    color_put(out, on, severity_color(race->severity), buf_view(&b));
    buf_free(&b);
    buf_fmt(&b, " %s: ", rule_table[race->rule].name);
    safe_put(&b, race->message);
    color_put(out, on, COLOR_BOLD, buf_view(&b));
    buf_free(&b);
    buf_char(out, '\n');
}

/* ---- many findings of one rule about one state ---------------------------------------------------------- */

enum { SHOWN = 3, LINES = 12 }; /* shown whole, of one rule, state and file; lines of others that are told */

static u64 alike_key(const Race *race)
{
    return map_key(race->place, race->file << 8 | race->rule);
}

static u32 count_one(Arena *a, Map *m, const Race *race)
{
    u32 *n = map_at(a, m, alike_key(race));
    return *n = *n == NONE ? 1 : *n + 1;
}

static void rest_put(Buf *out, const Results *r, u32 i, u32 rest)
{
    u32 told = 0;
    label_put(out, r, "more");
    buf_fmt(out, "%u finding%s of the same in this file, at line%s ", rest, rest > 1 ? "s" : "", rest > 1 ? "s" : "");
    for (u32 k = i + 1; told < MIN(rest, (u32)LINES); k++) {
        const Race *other = &r->races->v[k];
        if (other->suppressed || alike_key(other) != alike_key(&r->races->v[i])) continue;
        buf_fmt(out, "%s%u", told++ ? ", " : "", other->line);
    }
    buf_c(out, rest > LINES ? ", …; -v shows them all\n" : "; -v shows all\n");
}

static void finding_put(Buf *out, const Results *r, u32 i, u32 rest)
{
    const Race *race = &r->races->v[i];
    header_put(out, r, race);
    frame_put(out, r->options->colored, file_source(r, race->file), race->span, severity_color(race->severity));
    sites_put(out, r, race);
    for (u32 k = 0; k < MIN((u32)race->nwhy, r->options->verbosity > 0 ? (u32)RACE_WHY : 2u); k++) {
        label_put(out, r, "why");
        safe_put(out, race->why[k]);
        buf_char(out, '\n');
    }
    fix_put(out, r, race);
    if (rest) rest_put(out, r, i, rest);
    buf_char(out, '\n');
}

void text_write(Buf *out, const Results *r)
{
    if (r->options->verbosity < 0) {
        concise_write(out, r);
        return;
    }
    Arena scratch = {0};
    Map all = {0}, put = {0};
    bool fold = r->options->verbosity == 0;
    for (u32 i = 0; fold && i < r->races->n; i++)
        if (!r->races->v[i].suppressed) count_one(&scratch, &all, &r->races->v[i]);
    for (u32 i = 0; i < r->races->n; i++) {
        const Race *race = &r->races->v[i];
        if (race->suppressed) continue;
        u32 nth = fold && race->place != NONE ? count_one(&scratch, &put, race) : 1;
        u32 rest = nth == SHOWN ? map_get(&all, alike_key(race)) - SHOWN : 0;
        if (nth <= SHOWN) finding_put(out, r, i, rest);
    }
    arena_free(&scratch);
}

void concise_write(Buf *out, const Results *r)
{
    for (u32 i = 0; i < r->races->n; i++) {
        const Race *race = &r->races->v[i];
        if (race->suppressed) continue;
        safe_put(out, file_source(r, race->file)->path);
        buf_fmt(out, ":%u:%u: %s [%s] ", race->line, race->column, rule_table[race->rule].code,
                confidence_name[race->confidence]);
        safe_put(out, race->message);
        buf_char(out, '\n');
    }
}
