/* The text dump of a plan: one line per fix, lock and intent. */
#include "fixes/fixes.h"

static const char *const intent_name[] = {"import", "lock", "wrap", "replace", "insert", "delete", "keep"};
_Static_assert(COUNT_OF(intent_name) == INTENT_KEEP + 1, "a name for each of them");

static void intent_dump(Buf *out, const Program *p, const FixList *fixes, const Intent *in)
{
    const Source *s = p->facts[in->file]->source;
    buf_fmt(out, "    %s %.*s", intent_name[in->kind], STR_ARG(s->path));
    if (in->kind == INTENT_NEED_LOCK) {
        buf_fmt(out, " %.*s\n", STR_ARG(fixes->locks.v[in->lock].name));
        return;
    }
    if (in->span.end) {
        u32 line, column, end_line, end_column;
        source_position(s, in->span.start, &line, &column);
        source_position(s, in->span.end, &end_line, &end_column);
        buf_fmt(out, " %u:%u-%u:%u", line, column, end_line, end_column);
    }
    buf_c(out, " \"");
    for (size_t i = 0; i < in->text.n; i++) {
        if (in->text.p[i] == '\n')
            buf_c(out, "\\n");
        else if (in->text.p[i] != '\r')
            buf_char(out, in->text.p[i]);
    }
    buf_c(out, "\"\n");
}

static void fix_dump(Buf *out, const Program *p, const FixList *fixes, u32 i)
{
    const Fix *f = &fixes->fixes.v[i];
    const char *state = f->declined ? f->defect ? "defect" : "declined" : safety_name[f->safety];
    buf_fmt(out, "fix %u %.*s %s", i, STR_ARG(f->transform), state);
    if (f->place != NONE) buf_fmt(out, " %.*s", STR_ARG(p->places.v[f->place].display));
    buf_fmt(out, " findings %u\n", f->races.n);
    if (f->reason.n) buf_fmt(out, "  reason %.*s\n", STR_ARG(f->reason));
    if (f->lock != NONE) {
        const LockPlan *l = &fixes->locks.v[f->lock];
        buf_fmt(out, "  lock %.*s %s %s: %.*s\n", STR_ARG(l->display), l->existing ? "existing" : "new",
                l->reentrant ? "RLock" : "Lock", STR_ARG(l->reason));
    }
    for (u32 k = 0; k < f->intents.n; k++) intent_dump(out, p, fixes, &f->intents.v[k]);
}

void fixes_dump(Buf *out, const Program *p, const FixList *fixes)
{
    for (u32 i = 0; i < fixes->fixes.n; i++) fix_dump(out, p, fixes, i);
}
