/* What a commit says: the subject names the state and its lock; the body tells what raced, who runs it, the lock and
 * the sites; trailers carry rule, fingerprint and safety for tools. A commit of several decisions lists them. */
#include "emit/commit.h"

enum { SUBJECT = 72, BODY = 72, SITES = 6 };

/* Appends text broken at spaces; `indent` blanks before the second line and those that follow. */
static void wrap_put(Buf *out, Str text, u32 indent)
{
    size_t column = 0;
    bool first = true;
    for (Str word; text.n;) {
        word = str_cut(text, ' ', &text);
        if (!first && column + 1 + word.n > BODY) {
            buf_char(out, '\n');
            buf_fill(out, ' ', indent);
            column = indent;
        } else if (!first) {
            buf_char(out, ' ');
            column++;
        }
        buf_str(out, word);
        column += word.n;
        first = false;
    }
    buf_char(out, '\n');
}

static Str state_of(const Results *r, const Fix *f)
{
    if (f->races.n) return r->races->v[f->races.v[0]].state;
    return f->place != NONE ? r->program->places.v[f->place].display : f->transform;
}

static Str decision_subject(Arena *a, const Results *r, const Decision *d, bool brief)
{
    const Fix *f = &r->fixes->fixes.v[d->fixes.v[0]];
    Str state = state_of(r, f), more = d->fixes.n > 1 ? str_fmt(a, " and %u more", d->fixes.n - 1) : S("");
    if (brief) state = str_last(state, '.');
    if (f->lock == NONE)
        return str_fmt(a, "Apply %.*s to %.*s%.*s", STR_ARG(f->transform), STR_ARG(state), STR_ARG(more));
    return str_fmt(a, "Guard %.*s%.*s with %.*s", STR_ARG(state), STR_ARG(more),
                   STR_ARG(r->fixes->locks.v[f->lock].name));
}

/* Who runs the sites, each named once. */
static void roots_put(Buf *out, const Results *r, const Race *race)
{
    Str seen[16], roots[SITE_ROOTS];
    u32 n = 0;
    for (u32 s = 0; s < race->nsites; s++) {
        for (u32 i = 0, count = site_roots(r, race->sites[s], roots); i < count; i++) {
            bool old = n == COUNT_OF(seen);
            for (u32 k = 0; k < n; k++) old |= str_eq(seen[k], roots[i]);
            if (old) continue;
            buf_fmt(out, "%s%.*s", n ? ", " : "Run by ", STR_ARG(roots[i]));
            seen[n++] = roots[i];
        }
    }
    if (n) buf_char(out, '.');
}

static void site_put(Buf *out, const Results *r, u32 gaccess)
{
    Arena scratch = {0};
    const Access *x = program_access(r->program, gaccess);
    const LockSet *set = access_lockset(r, gaccess);
    GId id = access_gid(r->program, gaccess);
    Str func = func_display(&scratch, r->program, gfunc_of(r->program, id.file, x->func));
    Buf text = {0};
    buf_fmt(&text, "  %.*s:%u: %s in %.*s, ", STR_ARG(file_source(r, id.file)->path), x->line, access_word(x),
            STR_ARG(func));
    buf_c(&text, set->n ? "holding " : "no lock");
    for (u32 i = 0; i < set->n; i++)
        buf_fmt(&text, "%s%.*s", i ? ", " : "", STR_ARG(r->program->locks.v[set->ids[i]].display));
    wrap_put(out, buf_view(&text), 4);
    buf_free(&text);
    arena_free(&scratch);
}

static void race_put(Buf *out, const Results *r, const Race *race)
{
    Buf text = {0};
    u32 shown = 0;
    buf_fmt(&text, "%s %s: ", rule_table[race->rule].code, rule_table[race->rule].name);
    buf_str(&text, race->message);
    if (text.p[text.n - 1] != '.') buf_char(&text, '.');
    wrap_put(out, buf_view(&text), 0);
    buf_free(&text);
    roots_put(&text, r, race);
    if (text.n) wrap_put(out, buf_view(&text), 0);
    buf_free(&text);
    for (u32 i = 0; i < race->nsites && shown < SITES; i++) {
        if (i && same_site(r, race->sites[0], race->sites[i])) continue;
        site_put(out, r, race->sites[i]);
        shown++;
    }
    buf_char(out, '\n');
}

static void lock_put(Buf *out, const Results *r, const Fix *f)
{
    Buf text = {0};
    if (f->lock == NONE) {
        buf_fmt(&text, "Transform: %.*s.", STR_ARG(f->transform));
    } else {
        const LockPlan *lock = &r->fixes->locks.v[f->lock];
        buf_fmt(&text, "Lock: %.*s (%s%s)", STR_ARG(lock->display), lock->existing ? "existing" : "new",
                lock->reentrant ? ", reentrant" : "");
        if (lock->reason.n) buf_fmt(&text, ": %.*s", STR_ARG(lock->reason));
    }
    wrap_put(out, buf_view(&text), 2);
    buf_free(&text);
    if (f->safety == FIX_SAFE || !f->reason.n) return;
    buf_fmt(&text, "To be looked at: %.*s", STR_ARG(f->reason));
    wrap_put(out, buf_view(&text), 2);
    buf_free(&text);
}

/* ---- several decisions ---------------------------------------------------------------------------------- */

static u32 findings_count(const Commit *c, const Group *g)
{
    u32 n = 0;
    for (u32 i = 0; i < g->decisions.n; i++) {
        const Decision *d = &c->decisions.v[g->decisions.v[i]];
        for (u32 k = 0; k < d->fixes.n; k++) n += c->r->fixes->fixes.v[d->fixes.v[k]].races.n;
    }
    return n;
}

static Str group_subject(const Commit *c, const Group *g, bool brief)
{
    u32 n = findings_count(c, g);
    Str what = S("races"), where = S("");
    if (g->decisions.n == 1) return decision_subject(c->a, c->r, &c->decisions.v[g->decisions.v[0]], brief);
    if (c->r->options->per == PER_RULE && g->name.n) {
        RuleId rule = rule_find(g->name);
        what = rule == RULE_COUNT ? g->name : str_fmt(c->a, "%s %s", rule_table[rule].code, rule_table[rule].name);
    } else if (g->name.n) {
        where = str_fmt(c->a, " in %.*s", STR_ARG(brief ? str_last(g->name, '/') : g->name));
    } else if (g->owners.n && !brief) {
        where = str_fmt(c->a, " for %.*s", STR_ARG(g->owners));
    }
    return str_fmt(c->a, "Fix %u %.*s%.*s", n, STR_ARG(what), STR_ARG(where));
}

/* One line for the decision, one for each finding. */
static void decision_list(const Commit *c, Buf *out, const Decision *d)
{
    Str subject = decision_subject(c->a, c->r, d, false);
    wrap_put(out, subject, 2);
    for (u32 i = 0; i < d->fixes.n; i++) {
        const Fix *f = &c->r->fixes->fixes.v[d->fixes.v[i]];
        for (u32 k = 0; k < f->races.n; k++) {
            const Race *race = &c->r->races->v[f->races.v[k]];
            buf_fmt(out, "  %.*s:%u: %s %s\n", STR_ARG(file_source(c->r, race->file)->path), race->line,
                    rule_table[race->rule].code, rule_table[race->rule].name);
        }
    }
}

/* ---- the message ---------------------------------------------------------------------------------------- */

static void trailers_put(Buf *out, const Commit *c, const Group *g)
{
    const Results *r = c->r;
    Buf prints = {0};
    u32 safety = FIX_SAFE;
    bool rules[RULE_COUNT] = {0};
    for (u32 i = 0; i < g->decisions.n; i++) {
        const Decision *d = &c->decisions.v[g->decisions.v[i]];
        for (u32 k = 0; k < d->fixes.n; k++) {
            const Fix *f = &r->fixes->fixes.v[d->fixes.v[k]];
            safety = MAX(safety, (u32)f->safety);
            for (u32 j = 0; j < f->races.n; j++) {
                const Race *race = &r->races->v[f->races.v[j]];
                rules[race->rule] = true;
                buf_fmt(&prints, "Ungil-Fingerprint: %016llx\n", (unsigned long long)race->fingerprint);
            }
        }
    }
    for (u32 i = 0; i < RULE_COUNT; i++)
        if (rules[i]) buf_fmt(out, "Ungil-Rule: %s\n", rule_table[i].code);
    for (u32 i = 0; i < c->all->later.n && groups_one(r->options); i++)
        buf_fmt(&prints, "Ungil-Fingerprint: %016llx\n", (unsigned long long)c->all->later.v[i]);
    buf_str(out, buf_view(&prints));
    buf_free(&prints);
    buf_fmt(out, "Ungil-Safety: %s\n", safety_name[safety]);
    if (g->owners.n) buf_fmt(out, "Ungil-Owners: %.*s\n", STR_ARG(g->owners));
    if (r->options->signoff) buf_fmt(out, "Signed-off-by: %s <%s>\n", c->committer->name, c->committer->email);
}

static Str commit_subject(const Commit *c, const Group *g)
{
    Str subject = group_subject(c, g, false);
    if (subject.n > SUBJECT) subject = group_subject(c, g, true);
    while (subject.n > SUBJECT || (subject.n && ((u8)subject.p[subject.n] & 0xc0) == 0x80)) subject.n--;
    return subject;
}

Str commit_message(const Commit *c, const Group *g)
{
    Buf out = {0};
    const Results *r = c->r;
    buf_fmt(&out, "%.*s\n\n", STR_ARG(commit_subject(c, g)));
    for (u32 i = 0; i < g->decisions.n; i++) {
        const Decision *d = &c->decisions.v[g->decisions.v[i]];
        if (g->decisions.n > 1) decision_list(c, &out, d);
        for (u32 k = 0; k < d->fixes.n && g->decisions.n == 1; k++) {
            const Fix *f = &r->fixes->fixes.v[d->fixes.v[k]];
            for (u32 j = 0; j < f->races.n; j++) race_put(&out, r, &r->races->v[f->races.v[j]]);
        }
        if (g->decisions.n == 1) lock_put(&out, r, &r->fixes->fixes.v[d->fixes.v[0]]);
    }
    buf_char(&out, '\n');
    trailers_put(&out, c, g);
    Buf shown = {0};
    buf_shown(&shown, buf_view(&out));
    Str message = str_dup(c->a, buf_view(&shown));
    buf_free(&shown);
    buf_free(&out);
    return message;
}
