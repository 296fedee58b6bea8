/* `ungil explain FILE:LINE`: every access on the line, what it is, who reaches it, what it holds, and why it is
 * reported or not. */
#include "races/races.h"

static void explain_roots(Buf *out, const Program *p, const FuncInfo *fi)
{
    if (fi->import_time) buf_c(out, "    runs while modules are imported or before any thread starts\n");
    if (fi->construct) buf_c(out, "    runs while its object is being made\n");
    if (fi->event_loop) buf_c(out, "    runs in an event loop\n");
    for (u32 i = 0; i < fi->nroots; i++)
        buf_fmt(out, "    reached from %.*s\n", STR_ARG(p->roots.v[fi->roots[i]].display));
    if (fi->many) buf_c(out, "    such threads may run more than one at a time\n");
    if (!fi->nroots && fi->api)
        buf_c(out, "    no thread root in sight reaches it; as library code it may be called from any thread\n");
    if (!fi->nroots && !fi->api) buf_c(out, "    no thread root reaches it; only the main program runs it\n");
}

static void explain_locks(Buf *out, const Program *p, u32 set)
{
    const LockSet *ls = &p->locksets.v[set];
    if (!ls->n) buf_c(out, "    holds no lock\n");
    for (u32 i = 0; i < ls->n; i++)
        buf_fmt(out, "    holds %.*s%s\n", STR_ARG(p->locks.v[ls->ids[i]].display),
                p->locks.v[ls->ids[i]].maybe ? " (a lock by its name only)" : "");
}

static const Race *race_of(const RaceVec *races, u32 ga)
{
    for (u32 i = 0; i < races->n; i++)
        for (u32 k = 0; k < races->v[i].nsites; k++)
            if (races->v[i].sites[k] == ga) return &races->v[i];
    return NULL;
}

/* Why nothing is said about this access. */
static void explain_silence(Buf *out, const Program *p, u32 ga)
{
    const Place *x = &p->places.v[p->access_place[ga]];
    if (!is_data(x)) {
        buf_fmt(out, "    silent: it holds a %s, which is meant for threads or belongs to one\n",
                type_name[x->type.kind]);
        return;
    }
    if (!access_counts(p, ga)) {
        buf_c(out, "    silent: here nobody else can have it yet (import time, construction, or an object of this "
                   "function's own)\n");
        return;
    }
    u32 together = 0, guarded = 0;
    for (u32 i = 0; i < x->n; i++) {
        u32 gb = p->place_access.v[x->first + i];
        if (!(access_effect(p, gb) & EFFECT_WRITE) && !(access_effect(p, ga) & EFFECT_WRITE)) continue;
        if (!may_run_together(p, ga, gb)) continue;
        together++;
        guarded += lockset_common(p, p->access_locks[ga], p->access_locks[gb]) != NONE;
    }
    if (!together)
        buf_c(out, "    silent: nothing that changes it may run at the same time, as far as we can see (no visible "
                   "sharing; ordered by start, join or the event loop; --assume-threads always assumes more)\n");
    else if (guarded == together)
        buf_c(out, "    silent: every conflicting access holds a common lock\n");
    else
        buf_c(out, "    silent: this operation alone is atomic in CPython, and no test or update around it depends "
                   "on it (or the confidence is below --min-confidence)\n");
}

static void explain_access(Buf *out, Arena *a, const Program *p, const RaceVec *races, u32 file, u32 id)
{
    const Facts *f = p->facts[file];
    const Access *x = &f->accesses.v[id];
    u32 ga = p->access_base[file] + id, place = p->access_place[ga];
    Str text = path_text(a, f, x->path), where = func_display(a, p, p->func_base[file] + x->func);
    buf_fmt(out, "  %u:%u %s %.*s", x->line, x->column, op_name[x->op], STR_ARG(text));
    if (x->method) buf_fmt(out, " (%.*s)", STR_ARG(sym_str(f, x->method)));
    buf_fmt(out, " in %.*s\n", STR_ARG(where));
    if (place == NONE) {
        buf_c(out, "    not followed: the object it belongs to is unknown\n");
        return;
    }
    const Place *y = &p->places.v[place];
    buf_fmt(out, "    is %.*s, which holds: %s\n", STR_ARG(y->display), type_name[y->type.kind]);
    explain_roots(out, p, &p->funcs[p->func_base[file] + x->func]);
    explain_locks(out, p, p->access_locks[ga]);
    if (y->guard != NONE)
        buf_fmt(out, "    guarded by %.*s at %u of %u accesses\n", STR_ARG(p->locks.v[y->guard].display), y->guarded,
                y->total);
    const Race *r = race_of(races, ga);
    if (!r)
        explain_silence(out, p, ga);
    else if (r->known)
        buf_fmt(out, "    known: %s, listed in the baseline: %.*s\n", rule_table[r->rule].code, STR_ARG(r->message));
    else if (r->suppressed)
        buf_fmt(out, "    suppressed: %s, by a comment: %.*s\n", rule_table[r->rule].code,
                STR_ARG(r->suppress_reason));
    else
        buf_fmt(out, "    reported: %s at line %u: %.*s\n", rule_table[r->rule].code, r->line, STR_ARG(r->message));
}

void races_explain(Buf *out, const Program *p, const RaceVec *races, u32 file, u32 line)
{
    Arena a = {0};
    const Facts *f = p->facts[file];
    u32 n = 0;
    buf_fmt(out, "%.*s:%u\n", STR_ARG(f->source->path), line);
    for (u32 i = 0; i < f->accesses.n; i++) {
        if (f->accesses.v[i].line > line || f->accesses.v[i].end_line < line) continue;
        explain_access(out, &a, p, races, file, i);
        n++;
    }
    for (u32 i = 0; i < races->n; i++) {
        const Race *r = &races->v[i];
        if (r->file != file || r->line != line || r->nsites) continue;
        buf_fmt(out, "  reported: %s: %.*s\n", rule_table[r->rule].code, STR_ARG(r->message));
        n++;
    }
    for (u32 i = 0; i < f->errors.n; i++) {
        u32 l1, l2, c;
        source_position(f->source, f->errors.v[i].start, &l1, &c);
        source_position(f->source, f->errors.v[i].end, &l2, &c);
        if (line < l1 || line > l2) continue;
        buf_c(out, "  not analysed: a syntax error that the grammar could not read\n");
        n++;
    }
    if (!n) buf_c(out, "  nothing here touches state that threads could share\n");
    arena_free(&a);
}
