/* `ungil explain FILE:LINE`: every access on the line, what it is, who reaches it, what it holds, and why it is
 * reported or not; then what else the line does that matters (locks taken, calls and code that are not followed); and
 * when it does nothing of the kind, what it is instead. A line in the middle of a statement is explained by the
 * accesses that span it. */
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
                p->locks.v[ls->ids[i]].maybe && !p->locks.v[ls->ids[i]].hoped ? " (a lock by its name only)" : "");
}

/* The verdict on a finding: reported, known, suppressed, or left out by the options. */
static void explain_race(Buf *out, const Program *p, const Race *r)
{
    const char *code = rule_table[r->rule].code;
    if (r->known)
        buf_fmt(out, "    known: %s, listed in the baseline: %.*s\n", code, STR_ARG(r->message));
    else if (r->suppressed)
        buf_fmt(out, "    suppressed: %s, by a comment: %.*s\n", code, STR_ARG(r->suppress_reason));
    else if (race_wanted(p->options, p->facts[r->file]->source->path, r))
        buf_fmt(out, "    reported: %s at line %u: %.*s\n", code, r->line, STR_ARG(r->message));
    else
        buf_fmt(out, "    found: %s at line %u: %.*s\n", code, r->line, STR_ARG(r->message));
    left_out_put(out, p, r);
}

/* Prints every finding that the access takes part in; false when there is none. */
static bool explain_races(Buf *out, const Program *p, const RaceVec *all, u32 ga)
{
    bool any = false;
    for (u32 i = 0; i < all->n; i++) {
        const Race *r = &all->v[i];
        bool mine = false;
        for (u32 k = 0; k < r->nsites; k++) mine |= r->sites[k] == ga;
        if (mine) explain_race(out, p, r);
        any |= mine;
    }
    return any;
}

static void explain_access(Buf *out, Arena *a, const Program *p, const RaceVec *all, u32 file, u32 id)
{
    const Facts *f = p->facts[file];
    const Access *x = &f->accesses.v[id];
    u32 ga = p->access_base[file] + id, place = p->access_place[ga];
    Str text = path_text(a, f, x->path), where = func_display(a, p, gfunc_of(p, file, x->func));
    buf_fmt(out, "  %u:%u %s %.*s", x->line, x->column, op_name[x->op], STR_ARG(text));
    if (x->method) buf_fmt(out, " (%.*s)", STR_ARG(sym_str(f, x->method)));
    buf_fmt(out, " in %.*s\n", STR_ARG(where));
    if (place != NONE) {
        const Place *y = &p->places.v[place];
        buf_fmt(out, "    is %.*s, which holds: %s\n", STR_ARG(y->display), type_name[y->type.kind]);
        explain_roots(out, p, &p->funcs[gfunc_of(p, file, x->func)]);
        explain_locks(out, p, p->access_locks[ga]);
        if (lock_of_each(p, ga) != NONE)
            buf_fmt(out, "    held, but there are several, and it guards nothing here: %.*s\n",
                    STR_ARG(p->locks.v[lock_of_each(p, ga)].display));
        if (y->guard != NONE)
            buf_fmt(out, "    guarded by %.*s at %u of %u accesses\n", STR_ARG(p->locks.v[y->guard].display),
                    y->guarded, y->total);
    }
    if (!explain_races(out, p, all, ga)) silence_put(out, a, p, ga);
}

/* ---- what else the line does --------------------------------------------------------------------------- */

static u32 span_line(const Facts *f, u32 offset)
{
    u32 line, column;
    source_position(f->source, offset, &line, &column);
    return line;
}

static u32 explain_sections(Buf *out, Arena *a, const Program *p, u32 file, u32 line)
{
    const Facts *f = p->facts[file];
    u32 n = 0;
    for (u32 i = 0; i < f->sections.n; i++) {
        const Section *s = &f->sections.v[i];
        if (span_line(f, s->stmt) != line) continue;
        u32 lock = p->section_lock[p->section_base[file] + i];
        Str text = path_text(a, f, s->path);
        if (lock == NONE)
            buf_fmt(out, "  enters %.*s, which is not known as a lock\n", STR_ARG(text));
        else
            buf_fmt(out, "  takes %.*s%s until line %u\n", STR_ARG(p->locks.v[lock].display),
                    p->locks.v[lock].maybe ? " (a lock by its name only)" : "", span_line(f, s->span.end));
        n++;
    }
    return n;
}

static u32 explain_starts(Buf *out, const Program *p, u32 file, u32 line)
{
    u32 n = 0;
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        if (r->call == NONE || r->file != file || p->facts[file]->calls.v[r->call].line != line) continue;
        buf_fmt(out, "  starts %.*s%s\n", STR_ARG(r->display),
                r->many ? ", which may run more than once at a time" : "");
        n++;
    }
    return n;
}

static u32 explain_calls(Buf *out, Arena *a, const Program *p, u32 file, u32 line)
{
    const Facts *f = p->facts[file];
    u32 n = 0;
    for (u32 i = 0; i < f->calls.n; i++) {
        const Call *c = &f->calls.v[i];
        if (c->line != line) continue;
        u32 to[4], m = call_targets(p, file, i, to, COUNT_OF(to));
        Str text = path_text(a, f, c->callee);
        for (u32 k = 0; k < m; k++)
            buf_fmt(out, "  %u:%u calls %.*s\n", c->line, c->column, STR_ARG(func_display(a, p, to[k])));
        if (!m && call_unknown(p, file, i))
            buf_fmt(out, "  %u:%u calls %.*s: not followed, the type of the object is unknown\n", c->line, c->column,
                    STR_ARG(text));
        else if (!m)
            buf_fmt(out, "  %u:%u calls %.*s, which is no code of this program\n", c->line, c->column, STR_ARG(text));
        n++;
    }
    return n;
}

static u32 explain_unseen(Buf *out, const Program *p, u32 file, u32 line)
{
    const Facts *f = p->facts[file];
    u32 n = 0;
    for (u32 i = 0; i < f->unseen.n; i++) {
        if (f->unseen.v[i].line != line) continue;
        const UnseenRow *row = &unseen_table[f->unseen.v[i].kind];
        buf_fmt(out, "  not analysed: %s: %s\n", row->what, row->why);
        n++;
    }
    for (u32 i = 0; i < f->defs.n; i++) {
        if (!def_patches(p, file, i) || span_line(f, f->defs.v[i].span.start) != line) continue;
        buf_fmt(out, "  not analysed: %s: %s\n", unseen_table[UNSEEN_PATCH].what, unseen_table[UNSEEN_PATCH].why);
        n++;
    }
    for (u32 i = 0; i < f->imports.n; i++) {
        if (!star_unknown(p, file, &f->imports.v[i]) || span_line(f, f->imports.v[i].span.start) != line) continue;
        buf_fmt(out, "  not analysed: %s: %s\n", unseen_table[UNSEEN_STAR].what, unseen_table[UNSEEN_STAR].why);
        n++;
    }
    for (u32 i = 0; i < f->errors.n; i++) {
        if (line < span_line(f, f->errors.v[i].start) || line > span_line(f, f->errors.v[i].end)) continue;
        buf_c(out, "  not analysed: a syntax error that the grammar could not read\n");
        return n + 1;
    }
    return n;
}

/* ---- lines without any of that ------------------------------------------------------------------------- */

static u32 explain_definition(Buf *out, Arena *a, const Program *p, u32 file, u32 line)
{
    const Facts *f = p->facts[file];
    u32 n = 0;
    for (u32 i = 1; i < f->funcs.n; i++) {
        if (f->funcs.v[i].line != line || f->funcs.v[i].is_lambda) continue;
        Str name = func_display(a, p, gfunc_of(p, file, i));
        buf_fmt(out, "  defines %.*s\n", STR_ARG(name));
        explain_roots(out, p, &p->funcs[gfunc_of(p, file, i)]);
        n++;
    }
    for (u32 i = 0; i < f->classes.n; i++) {
        if (f->classes.v[i].line != line) continue;
        buf_fmt(out, "  defines the class %.*s\n", STR_ARG(sym_str(f, f->classes.v[i].name)));
        n++;
    }
    for (u32 i = 0; i < f->imports.n && !n; i++) {
        if (span_line(f, f->imports.v[i].span.start) > line || span_line(f, f->imports.v[i].span.end) < line)
            continue;
        buf_c(out, "  imports; what modules do while they are imported runs in one thread\n");
        n++;
    }
    return n;
}

/* The innermost function whose text has the line. */
static u32 func_at(const Facts *f, u32 line)
{
    u32 best = 0;
    for (u32 i = 1; i < f->funcs.n; i++) {
        const Func *x = &f->funcs.v[i];
        if (span_line(f, x->span.start) > line || span_line(f, x->span.end) < line || x->is_lambda) continue;
        if (!best || x->span.start >= f->funcs.v[best].span.start) best = i;
    }
    return best;
}

/* Does the line stand in a branch that no Python with a free-threaded build takes? */
static bool never_runs(const Facts *f, u32 line)
{
    for (u32 i = 0; i < f->blocks.n; i++) {
        const Block *b = &f->blocks.v[i];
        if (b->dead && span_line(f, b->span.start) <= line && line <= span_line(f, b->span.end)) return true;
    }
    return false;
}

static void explain_nothing(Buf *out, Arena *a, const Program *p, u32 file, u32 line)
{
    const Facts *f = p->facts[file];
    Str text = str_trim(source_line(f->source, line));
    u32 func = func_at(f, line);
    if (!text.n || text.p[0] == '#') {
        buf_c(out, "  no code on this line\n");
    } else if (never_runs(f, line)) {
        buf_c(out, "  not analysed: only versions of Python run it that have no free-threaded build\n");
    } else if (func) {
        buf_fmt(
            out,
            "  nothing here touches state that threads could share: only literals, names of its own, and text, in "
            "%.*s\n",
            STR_ARG(func_display(a, p, gfunc_of(p, file, func))));
        explain_roots(out, p, &p->funcs[gfunc_of(p, file, func)]);
    } else {
        buf_c(out, "  nothing here touches state that threads could share; it runs while the module is imported\n");
    }
}

void races_explain(Buf *out, const Program *p, const RaceVec *all, u32 file, u32 line)
{
    Arena a = {0};
    const Facts *f = p->facts[file];
    u32 n = 0;
    buf_fmt(out, "%.*s:%u\n", STR_ARG(f->source->path), line);
    for (u32 i = 0; i < f->accesses.n; i++) {
        if (f->accesses.v[i].line > line || f->accesses.v[i].end_line < line) continue;
        explain_access(out, &a, p, all, file, i);
        n++;
    }
    for (u32 i = 0; i < all->n; i++) {
        const Race *r = &all->v[i];
        if (r->file != file || r->line != line || r->nsites) continue;
        buf_fmt(out, "  %u:%u %.*s\n", r->line, r->column, STR_ARG(r->state));
        explain_race(out, p, r);
        n++;
    }
    n += explain_sections(out, &a, p, file, line) + explain_unseen(out, p, file, line);
    n += explain_definition(out, &a, p, file, line);
    n += explain_starts(out, p, file, line) + explain_calls(out, &a, p, file, line);
    if (!n) explain_nothing(out, &a, p, file, line);
    arena_free(&a);
}
