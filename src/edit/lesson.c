/* What the proof teaches: steps that become a finding once a fix guards others of the same state.
 *
 * A state that has a lock now is expected to be used under it, so that a test or a walk that nobody minded before is
 * found. The fix is then planned again with this step among those that it must guard. */
#include "edit/prove.h"

enum { LESSONS_MAX = 200 };

u32 offset_before(const Made *m, u32 after, u32 *fix)
{
    i64 shift = 0;
    *fix = NONE;
    for (u32 i = 0; i < m->change.edits.n; i++) {
        const Edit *e = &m->change.edits.v[i];
        i64 at = e->span.start + shift;
        if (at > after) break;
        if (after < at + (i64)e->text.n) {
            *fix = e->fix;
            return e->span.start;
        }
        shift += (i64)e->text.n - (e->span.end - e->span.start);
    }
    return (u32)(after - shift);
}

const Made *made_of(const Proof *v, u32 file)
{
    for (u32 i = 0; i < v->made.n; i++)
        if (v->made.v[i].change.file == file) return &v->made.v[i];
    return NULL;
}

/* The access of the program before that this one of the program after was; NONE when it is new. */
static u32 access_before(const Proof *v, const Program *after, u32 gaccess)
{
    GId g = access_gid(after, gaccess);
    const Access *a = program_access(after, gaccess);
    const Made *m = made_of(v, g.file);
    u32 fix = NONE, at = m ? offset_before(m, a->span.start, &fix) : a->span.start;
    const Facts *f = v->p->facts[g.file];
    for (u32 i = 0; fix == NONE && i < f->accesses.n; i++) {
        const Access *b = &f->accesses.v[i];
        if (b->span.start == at && b->op == a->op && b->span.end - b->span.start == a->span.end - a->span.start)
            return v->p->access_base[g.file] + i;
    }
    return NONE;
}

bool lesson_learn(Proof *v, const Program *after, const Race *r, u32 place)
{
    if (!r->nsites || v->lessons.n >= LESSONS_MAX) return false;
    u32 act = r->act != NONE ? r->act : r->sites[0], test = r->test != NONE ? r->test : act;
    if (r->rule == UG105 && r->nsites >= 3) test = r->sites[2];
    Lesson l = {.place = place, .test = access_before(v, after, test), .act = access_before(v, after, act)};
    if (l.test == NONE || l.act == NONE) return false;
    for (u32 i = 0; i < v->lessons.n; i++) {
        const Lesson *o = &v->lessons.v[i];
        if (o->place == l.place && o->test == l.test && o->act == l.act) return false;
    }
    vec_push(v->a, &v->lessons, l);
    return true;
}
