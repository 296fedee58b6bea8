/* `ungil plan`: the plan as Markdown, to be kept in the repository and ticked off, or as JSON. No dates and no times:
 * the same program gives the same text, and what changes in it is progress. */
#include "emit/json.h"
#include "emit/plan.h"

static const char *plural(u32 n)
{
    return n == 1 ? "" : "s";
}

/* ---- where the project stands -------------------------------------------------------------------------- */

/* A table with a column for each of the names: how many findings have which value. */
static void counts_row(Buf *out, const char *what, const char *const *names, const u32 *count, u32 n)
{
    buf_fmt(out, "- by %s:", what);
    for (u32 i = n, shown = 0; i-- > 0;)
        if (count[i]) buf_fmt(out, "%s %u %s", shown++ ? "," : "", count[i], names[i]);
    buf_char(out, '\n');
}

static void standing_put(Buf *out, const Results *r, const MigrationPlan *p)
{
    Counts c = results_count(r);
    u32 impact[IMPACT_ADVICE + 1] = {0}, confidence[CONF_HIGH + 1] = {0}, rule[RULE_COUNT] = {0};
    for (u32 i = 0; i < r->races->n; i++) {
        const Race *race = &r->races->v[i];
        if (race->suppressed) continue;
        impact[race->impact]++;
        confidence[race->confidence]++;
        rule[race->rule]++;
    }
    buf_fmt(out, "- %u file%s, %llu lines; %u finding%s in %u file%s", r->sources->n, plural(r->sources->n),
            (unsigned long long)c.lines, c.findings, plural(c.findings), c.files, plural(c.files));
    if (c.known) buf_fmt(out, "; %u in the baseline", c.known);
    buf_char(out, '\n');
    if (!c.findings) return;
    buf_fmt(out, "- %u fixed safely, %u by fixes to look at, %u left by hand, %u advice\n", p->findings[PHASE_SAFE],
            p->findings[PHASE_DECIDE], p->findings[PHASE_HAND], p->findings[PHASE_ADVICE]);
    counts_row(out, "impact", impact_name, impact, COUNT_OF(impact));
    counts_row(out, "confidence", confidence_name, confidence, COUNT_OF(confidence));
    buf_c(out, "\n| findings | rule | |\n|---:|---|---|\n");
    for (u32 i = 0; i < RULE_COUNT; i++)
        if (rule[i])
            buf_fmt(out, "| %u | %s | %s |\n", rule[i], rule_table[i].code, rule_table[i].name);
}

static void burndown_put(Buf *out, const Results *r)
{
    const Burndown *b = r->burndown;
    if (!b) return;
    buf_c(out, "\n## Since ");
    markdown_code(out, b->rev, false);
    buf_c(out, "\n\n| rule | then | now | gone | new |\n|---|---:|---:|---:|---:|\n");
    for (u32 i = 0; i < RULE_COUNT; i++) {
        const BurndownRow *x = &b->rules[i];
        if (x->then || x->now)
            buf_fmt(out, "| %s %s | %u | %u | %u | %u |\n", rule_table[i].code, rule_table[i].name, x->then, x->now,
                    x->gone, x->fresh);
    }
    buf_fmt(out, "| all | %u | %u | %u | %u |\n", b->then, b->now, b->gone, b->fresh);
}

/* ---- steps --------------------------------------------------------------------------------------------- */

static void left_list(Buf *out, const Results *r, const PlanStep *s)
{
    for (u32 i = 0; i < s->races.n; i++) {
        const Race *race = &r->races->v[s->races.v[i]];
        buf_fmt(out, "  - [ ] line %u, %s ", race->line, rule_table[race->rule].code);
        markdown_code(out, race->state, false);
        buf_c(out, ": ");
        markdown_plain(out, s->phase == PHASE_ADVICE ? race->message : race_left(r, race));
        buf_char(out, '\n');
    }
}

/* Why the fixes of a step must be looked at, each reason once. */
static void reasons_list(Buf *out, Arena *a, const Results *r, const PlanStep *s)
{
    Intern seen = {0};
    for (u32 i = 0; s->phase == PHASE_DECIDE && i < s->fixes.n; i++) {
        Str reason = r->fixes->fixes.v[s->fixes.v[i]].reason;
        if (!reason.n || intern_find(&seen, reason) != NONE) continue;
        intern(a, &seen, reason);
        buf_c(out, "  - look at: ");
        markdown_plain(out, reason);
        buf_char(out, '\n');
    }
}

static void step_put(Buf *out, Arena *a, const Results *r, const MigrationPlan *p, const PlanStep *s)
{
    bool made = s->fixes.n > 0;
    buf_c(out, "- [ ] ");
    if (s->phase == PHASE_DECIDE) {
        markdown_plain(out, step_title(a, r, s));
        buf_fmt(out, " (%u finding%s) in ", s->races.n, plural(s->races.n));
        markdown_code(out, s->files, false);
    } else {
        markdown_code(out, s->files, false);
        buf_fmt(out, ": %s", step_title(a, r, s).p);
    }
    if (made)
        buf_fmt(out, "; %u hunk%s, +%u −%u", s->size.hunks, plural(s->size.hunks), s->size.added, s->size.removed);
    if (s->file < r->program->nfiles && p->levels[s->file].size > 1)
        buf_fmt(out, "; in a cycle of imports of %u files", p->levels[s->file].size);
    if (s->owners.n) buf_c(out, "; "), markdown_plain(out, s->owners);
    buf_char(out, '\n');
    reasons_list(out, a, r, s);
    if (made) buf_fmt(out, "  - `%.*s`\n", STR_ARG(s->command));
    if (!made) left_list(out, r, s);
}

static void phases_put(Buf *out, const Results *r, const MigrationPlan *p)
{
    Arena scratch = {0};
    for (u32 k = 0; k < PHASES; k++) {
        u32 n = p->first[k + 1] - p->first[k];
        if (!n) continue;
        buf_fmt(out, "\n## %s: %u finding%s\n\n%c%s.\n\n", phase_table[k].title, p->findings[k],
                plural(p->findings[k]), phase_table[k].what[0] - 32, phase_table[k].what + 1);
        for (u32 i = p->first[k]; i < p->first[k + 1]; i++) step_put(out, &scratch, r, p, &p->steps.v[i]);
    }
    arena_free(&scratch);
}

/* ---- what the plan does not know ------------------------------------------------------------------------ */

static void unseen_put(Buf *out, const Results *r)
{
    u32 count[UNSEEN_COUNT], n = 0;
    results_unseen(r, count);
    for (u32 i = 0; i < r->notes->n; i++) {
        const Note *note = &r->notes->v[i];
        buf_c(out, n++ ? "- " : "\n## Not analysed\n\n- ");
        if (note->path.n) markdown_code(out, note->path, false), buf_c(out, ": ");
        markdown_plain(out, note->message);
        buf_char(out, '\n');
    }
    for (u32 k = 0; k < UNSEEN_COUNT; k++)
        if (count[k])
            buf_fmt(out, "%s- not followed: %s (%u)\n", n++ ? "" : "\n## Not analysed\n\n",
                    unseen_table[k].what, count[k]);
}

static void roots_put(Buf *out, const Results *r)
{
    Arena scratch = {0};
    StrVec roots = {0};
    roots_named(&scratch, r->program, &roots);
    buf_c(out, "\n## Threads in sight\n\n");
    if (!roots.n) buf_c(out, "None.\n");
    for (u32 i = 0; i < roots.n; i++) buf_c(out, "- "), markdown_plain(out, roots.v[i]), buf_char(out, '\n');
    arena_free(&scratch);
}

static void plan_markdown(Buf *out, const Results *r, const MigrationPlan *p)
{
    Arena scratch = {0};
    buf_c(out, "# Plan for free-threaded Python\n\n**ungil: ");
    markdown_plain(out, plan_badge(&scratch, r));
    buf_c(out, "**\n\n");
    standing_put(out, r, p);
    burndown_put(out, r);
    if (p->steps.n)
        buf_c(out, "\nWithin a phase files come in the order of their imports: what imports nothing of the project "
                   "first. Sizes are those of the step's own diff. Tick off what is done, and run `ungil plan` "
                   "again: what is fixed is gone.\n");
    phases_put(out, r, p);
    roots_put(out, r);
    unseen_put(out, r);
    arena_free(&scratch);
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static json_t *step_json(Arena *a, const Results *r, const MigrationPlan *p, const PlanStep *s)
{
    json_t *o = json_object(), *findings = json_array();
    for (u32 i = 0; i < s->races.n; i++) {
        const Race *race = &r->races->v[s->races.v[i]];
        json_t *f = json_object();
        json_put(f, "rule", json_string(rule_table[race->rule].code));
        json_put(f, "path", json_str(file_source(r, race->file)->path));
        json_put(f, "line", json_integer(race->line));
        json_put(f, "state", json_str(race->state));
        json_put(f, "fingerprint", json_str(fingerprint_text(a, race->fingerprint)));
        json_put(f, "reason", s->phase == PHASE_SAFE ? json_null() : json_str(race_left(r, race)));
        json_array_append_new(findings, f);
    }
    json_put(o, "phase", json_string(phase_table[s->phase].key));
    json_put(o, "title", json_str(step_title(a, r, s)));
    json_put(o, "path", json_str(file_source(r, s->file)->path));
    json_put(o, "level", s->file < r->program->nfiles ? json_integer(p->levels[s->file].level) : json_null());
    json_put(o, "files", json_str(s->files));
    json_put(o, "owners", json_str(s->owners));
    json_put(o, "command", s->command.n ? json_str(s->command) : json_null());
    json_put(o, "hunks", json_integer(s->size.hunks));
    json_put(o, "added", json_integer(s->size.added));
    json_put(o, "removed", json_integer(s->size.removed));
    json_put(o, "findings", findings);
    return o;
}

static json_t *burndown_json(const Burndown *b)
{
    if (!b) return json_null();
    json_t *o = json_pack("{s:i, s:i, s:i, s:i}", "then", b->then, "now", b->now, "gone", b->gone, "new", b->fresh);
    json_t *rules = json_object();
    json_put(o, "base", json_str(b->rev));
    for (u32 i = 0; i < RULE_COUNT; i++) {
        const BurndownRow *x = &b->rules[i];
        if (x->then || x->now)
            json_put(rules, rule_table[i].code,
                     json_pack("{s:i, s:i, s:i, s:i}", "then", x->then, "now", x->now, "gone", x->gone, "new",
                               x->fresh));
    }
    json_put(o, "rules", rules);
    return o;
}

static void plan_json(Buf *out, const Results *r, const MigrationPlan *p)
{
    Arena scratch = {0};
    Counts c = results_count(r);
    StrVec names = {0};
    json_t *o = json_object(), *steps = json_array(), *notes = json_array(), *roots = json_array();
    for (u32 i = 0; i < p->steps.n; i++) json_array_append_new(steps, step_json(&scratch, r, p, &p->steps.v[i]));
    for (u32 i = 0; i < r->notes->n; i++) {
        const Note *n = &r->notes->v[i];
        json_array_append_new(notes, json_pack("{s:o, s:i, s:s, s:o}", "path", json_str(n->path), "line", n->line,
                                               "code", n->code, "message", json_str(n->message)));
    }
    roots_named(&scratch, r->program, &names);
    for (u32 i = 0; i < names.n; i++) json_array_append_new(roots, json_str(names.v[i]));
    json_put(o, "version", json_integer(1));
    json_put(o, "tool", json_pack("{s:s, s:s}", "name", "ungil", "version", UNGIL_VERSION));
    json_put(o, "summary", json_pack("{s:i, s:I, s:i}", "files", r->sources->n, "lines", (json_int_t)c.lines,
                                     "findings", c.findings));
    for (u32 k = 0; k < PHASES; k++)
        json_put(json_object_get(o, "summary"), phase_table[k].key, json_integer(p->findings[k]));
    json_put(o, "burndown", burndown_json(r->burndown));
    json_put(o, "steps", steps);
    json_put(o, "roots", roots);
    json_put(o, "notes", notes);
    /* As shields.io's endpoint badges want it. */
    json_put(o, "badge", json_pack("{s:i, s:s, s:o, s:s}", "schemaVersion", 1, "label", "ungil", "message",
                                   json_str(plan_badge(&scratch, r)), "color", c.serious ? "orange" : "brightgreen"));
    json_text(out, o, JSON_INDENT(2));
    arena_free(&scratch);
}

int emit_plan(const Results *r, Err *e)
{
    MigrationPlan plan;
    Buf out = {0};
    if (!plan_make(r->arena, r, &plan, e)) return 2;
    if (r->options->format == FMT_JSON)
        plan_json(&out, r, &plan);
    else
        plan_markdown(&out, r, &plan);
    bool ok = emit_text(r->options, buf_view(&out), e);
    buf_free(&out);
    return ok ? exit_status(r, results_count(r).serious > 0) : 2;
}
