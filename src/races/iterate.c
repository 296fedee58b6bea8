/* UG106: walking or copying a container step by step while another thread changes its size.
 *
 * Which copies happen in one step differs by type (docs/memory-model.md): list(d.items()) is safe on an exact dict,
 * tuple(d) is not, nothing is on a deque. A list skips or repeats but does not raise: not reported. */
#include "races/races.h"

static bool dict_like(u8 t)
{
    return t == TYPE_DICT || t == TYPE_SET || t == TYPE_DEQUE || t == TYPE_ORDERED_DICT || t == TYPE_DEFAULT_DICT ||
           t == TYPE_COUNTER || t == TYPE_WEAK_DICT || t == TYPE_WEAK_SET;
}

bool access_is_view(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    return f->paths.v[f->accesses.v[g.id].path].root == ROOT_CALL;
}

/* Of unknown type, but used as a dict or set somewhere. */
static bool used_as_dict(const Finder *f)
{
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        if (access_is_view(f->p, f->acc[i])) return true;
        if (a->op != OP_METHOD) continue;
        GId g = access_gid(f->p, f->acc[i]);
        Str m = sym_str(f->p->facts[g.file], a->method);
        if (str_is(m, "items") || str_is(m, "keys") || str_is(m, "values") || str_is(m, "setdefault") ||
            str_is(m, "discard") || str_is(m, "popleft") || str_is(m, "add"))
            return true;
    }
    return false;
}

bool access_walks(const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    if (a->op == OP_ITER) return true;
    if (a->op != OP_CREAD || p->access_place[ga] == NONE) return false;
    u8 type = p->places.v[p->access_place[ga]].type.kind;
    return !reader_is_safe(type, sym_str(x, a->method), access_is_view(p, ga));
}

/* sys.modules and the like: every import may change them. */
static void library_state(Finder *f)
{
    Str name = f->p->syms.strs[f->p->places.v[f->place].name];
    if (str_is(name, "warnings.filters") || str_is(name, "os.environ")) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        GId g = access_gid(f->p, ga);
        const FuncInfo *fi = &f->p->funcs[f->p->func_base[g.file] + program_access(f->p, ga)->func];
        if (!access_walks(f->p, ga) || !(fi->nroots || fi->api) || f->p->access_locks[ga] != 0 ||
            failure_caught(f->p, ga))
            continue;
        Race *r = race_add(f, UG106, ga, (Conflict){ga, fi->nroots ? CONF_HIGH : CONF_MEDIUM, false});
        race_message(f, r,
                     "%.*s is walked while any other thread may import or register; it then raises \"dictionary "
                     "changed size during iteration\"",
                     STR_ARG(name));
    }
}

void race_iterate(Finder *f)
{
    const Place *x = &f->p->places.v[f->place];
    if (x->file == NONE) {
        library_state(f);
        return;
    }
    bool known = dict_like(x->type.kind);
    if (!known && !((x->type.kind == TYPE_UNKNOWN || x->type.kind == TYPE_NONE) && used_as_dict(f))) return;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        if (f->claimed[ga] || !access_walks(f->p, ga)) continue;
        Conflict c = conflict_find(f, ga, EFFECT_GROW | EFFECT_SHRINK, false);
        if (c.witness == NONE) continue;
        if (program_access(f->p, c.witness)->op == OP_DEL) continue;
        if (!known && c.confidence > CONF_MEDIUM) c.confidence = CONF_MEDIUM;
        bool gap = x->guard != NONE && !f->p->locks.v[x->guard].maybe &&
                   lockset_has(f->p, f->p->access_locks[c.witness], x->guard);
        Race *r = race_add(f, gap ? UG108 : UG106, ga, c);
        if (gap) r->lock = x->guard;
        const Access *w = program_access(f->p, c.witness);
        GId g = access_gid(f->p, c.witness);
        race_message(f, r,
                     "%.*s is walked here while %.*s:%u changes its size in another thread; this then raises "
                     "RuntimeError or misses items",
                     STR_ARG(short_state(f->p, f->place)), STR_ARG(f->p->facts[g.file]->source->path), w->line);
    }
}
