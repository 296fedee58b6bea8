/* What a change adds, cures and worsens, for people and in the formats of check. The formats for programs hold the
 * new findings; json tells the rest as well. */
#include "emit/review.h"
#include "emit/post.h"

/* ---- the summary --------------------------------------------------------------------------------------- */

static Str guarded_in(Arena *a, const Program *p, const Place *x)
{
    Str lock = p->locks.v[x->guard].display;
    if (x->guarded == x->total) return str_fmt(a, "guarded by %.*s in all %u places", STR_ARG(lock), x->total);
    return str_fmt(a, "guarded by %.*s in %u of %u places", STR_ARG(lock), x->guarded, x->total);
}

/* A change of the guard table as a sentence; empty when it is none that a reader would care about. */
static Str guard_sentence(Arena *a, const Results *r, const Review *v, const GuardChange *g)
{
    const Place *x = g->before == NONE ? NULL : &v->before->places.v[g->before];
    const Place *y = g->after == NONE ? NULL : &r->program->places.v[g->after];
    bool steady = x && y && x->total - x->guarded == y->total - y->guarded &&
                  str_eq(v->before->locks.v[x->guard].display, r->program->locks.v[y->guard].display);
    if (!y || steady || (!x && y->guarded == y->total)) return (Str){0};
    return str_fmt(a, "%.*s is now %.*s", STR_ARG(y->display), STR_ARG(guarded_in(a, r->program, y)));
}

static void count_put(Buf *out, const char *verb, u32 n)
{
    if (out->n) buf_c(out, ", ");
    buf_fmt(out, "%s %u", verb, n);
    if (str_is(str_from(verb), "adds")) buf_fmt(out, " racy site%s", n == 1 ? "" : "s");
}

enum { GUARDS_TOLD = 5 };

Str review_summary(Arena *a, const Results *r, const Review *v)
{
    const Comparison *c = v->comparison;
    Buf out = {0};
    u32 told = 0, more = 0;
    if (c->added.n) count_put(&out, "adds", c->added.n);
    if (c->fixed.n) count_put(&out, "fixes", c->fixed.n);
    if (c->worsened.n) count_put(&out, "worsens", c->worsened.n);
    if (!c->added.n) buf_c(&out, out.n ? ", adds no racy site" : "adds no racy site");
    for (u32 i = 0; i < c->guards.n; i++) {
        Str s = guard_sentence(a, r, v, &c->guards.v[i]);
        if (!s.n) continue;
        if (told++ < GUARDS_TOLD)
            buf_fmt(&out, "; %.*s", STR_ARG(s));
        else
            more++;
    }
    if (more) buf_fmt(&out, "; and %u more guards changed", more);
    Str text = str_dup(a, buf_view(&out));
    buf_free(&out);
    return text;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

static void short_put(Buf *out, const char *word, const SourceList *sources, const Race *race, Str how)
{
    buf_fmt(out, "%s: ", word);
    safe_put(out, sources->v[race->file]->path);
    buf_fmt(out, ":%u: %s ", race->line, rule_table[race->rule].code);
    safe_put(out, race->state);
    if (how.n) buf_fmt(out, ": %.*s", STR_ARG(how));
    buf_char(out, '\n');
}

static void group_put(Buf *out, const Results *r, const Review *v, const char *title, bool in_changed)
{
    RaceVec some = {0};
    for (u32 i = 0; i < r->races->n; i++)
        if (v->comparison->added.v[i].in_changed == in_changed) vec_push(r->arena, &some, r->races->v[i]);
    if (!some.n) return;
    Results part = *r;
    part.races = &some;
    color_put(out, r->options->colored, COLOR_BOLD, str_from(title));
    buf_c(out, "\n\n");
    writer_table[r->options->format].write(out, &part);
    if (r->options->format != FMT_TEXT) buf_char(out, '\n');
}

/* What could not be read is told where the change is; `ungil check` tells the rest, but for submodules, which it
 * reads. */
static void changed_notes_put(Buf *out, const Results *r, const Review *v)
{
    NoteVec some = {0};
    for (u32 i = 0; i < r->notes->n; i++)
        if (file_diff(v->revisions, r->notes->v[i].path) || strcmp(r->notes->v[i].code, "submodule") == 0)
            vec_push(r->arena, &some, r->notes->v[i]);
    Results part = *r;
    part.notes = &some;
    notes_put(out, &part);
}

static void readable_write(Buf *out, const Results *r, const Review *v)
{
    const Comparison *c = v->comparison;
    if (r->options->verbosity < 0) {
        writer_table[r->options->format].write(out, r);
        return;
    }
    group_put(out, r, v, "New in changed lines", true);
    group_put(out, r, v, "New elsewhere, brought about by this change", false);
    for (u32 i = 0; i < c->worsened.n; i++)
        short_put(out, "worse", r->sources, &v->now->v[c->worsened.v[i].after], c->worsened.v[i].how);
    for (u32 i = 0; i < c->fixed.n; i++)
        short_put(out, "fixed", &v->revisions->before, &v->old->v[c->fixed.v[i]], (Str){0});
    if (c->worsened.n || c->fixed.n) buf_char(out, '\n');
    changed_notes_put(out, r, v);
    buf_c(out, "This change ");
    safe_put(out, review_summary(r->arena, r, v));
    buf_c(out, ".\n");
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

int emit_review(const Results *r, const Review *v, Err *e)
{
    const Options *o = r->options;
    const Writer *w = &writer_table[o->format];
    Counts c = results_count(r);
    Buf out = {0};
    if (o->post.fix_branch.n && !o->post.dry_run && !sidebranch_make(r, v, e)) return 2;
    if (o->post.service) return post_review(r, v, e);
    if (w->summary)
        readable_write(&out, r, v);
    else if (o->format == FMT_JSON)
        json_text(&out, review_json(r, v), JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    else
        w->write(&out, r);
    bool ok = emit_text(o, buf_view(&out), e);
    buf_free(&out);
    ok = ok && (!o->step_summary || step_summary_append(r, e));
    return ok ? exit_status(r, c.serious > 0) : 2;
}
