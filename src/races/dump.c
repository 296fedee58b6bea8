/* Races as text: --dump=races. */
#include "races/races.h"

void races_dump(Buf *out, const Program *p, const RaceVec *races)
{
    for (u32 i = 0; i < races->n; i++) {
        const Race *r = &races->v[i];
        Str path = p->facts[r->file]->source->path;
        buf_fmt(out, "race %s %.*s:%u:%u %.*s %s %s %s %016llx%s\n", rule_table[r->rule].code, STR_ARG(path), r->line,
                r->column, STR_ARG(r->state), severity_name[r->severity], confidence_name[r->confidence],
                impact_name[r->impact], (unsigned long long)r->fingerprint, r->suppressed ? " suppressed" : "");
        buf_fmt(out, "  %.*s\n", STR_ARG(r->message));
        for (u32 k = 0; k < r->nsites; k++) {
            GId g = access_gid(p, r->sites[k]);
            const Access *a = &p->facts[g.file]->accesses.v[g.id];
            buf_fmt(out, "  site %.*s:%u:%u %s", STR_ARG(p->facts[g.file]->source->path), a->line, a->column,
                    op_name[a->op]);
            const LockSet *ls = &p->locksets.v[p->access_locks[r->sites[k]]];
            for (u32 j = 0; j < ls->n; j++)
                buf_fmt(out, "%s%.*s", j ? "," : " locks ", STR_ARG(p->locks.v[ls->ids[j]].display));
            buf_char(out, '\n');
        }
        for (u32 k = 0; k < r->nwhy; k++) buf_fmt(out, "  why %.*s\n", STR_ARG(r->why[k]));
    }
}
