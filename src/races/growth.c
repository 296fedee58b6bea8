/* UG202, under --model strict: a shared list that several threads grow. CPython's append is atomic; who does not want
 * to rely on that uses a deque or a lock. */
#include "races/races.h"

void race_growth(Finder *f)
{
    const Options *o = f->p->options;
    bool asked = o->model == MODEL_STRICT || (o->select.n && rule_selected(UG202, o->select.v, o->select.n));
    if (!asked || f->p->places.v[f->place].type.kind != TYPE_LIST) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (f->claimed[ga] || program_access(f->p, ga)->op != OP_METHOD || !(access_effect(f->p, ga) & EFFECT_GROW))
            continue;
        Conflict c = conflict_find(f, ga, EFFECT_WRITE, true);
        if (c.witness == NONE) continue;
        Race *r = race_add(f, UG202, ga, c);
        if (o->model == MODEL_STRICT) r->severity = SEV_WARNING;
        race_message(f, r,
                     "%.*s grows from several threads; that is safe in CPython because of the list's own lock, and "
                     "nowhere promised",
                     STR_ARG(short_state(f->p, f->place)));
    }
}
