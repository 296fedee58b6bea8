/* From accesses to a Race: position, sites, reasons, fingerprint. */
#include "races/races.h"

#include <stdarg.h>

static u8 default_impact(RuleId rule)
{
    switch (rule) {
    case UG103: return IMPACT_WORSE;
    case UG104: return IMPACT_DUPLICATE;
    case UG202:
    case UG601:
    case UG602:
    case UG603: return IMPACT_ADVICE;
    case UG101:
    case UG106:
    case UG107:
    case UG201:
    case UG203:
    case UG108: return IMPACT_NEW;
    default: return IMPACT_WORSE;
    }
}

/* Of what stays the same when lines move: rule, module, function, state, and the how-manieth of its kind there. */
static u64 fingerprint(Finder *f, const Race *r, u32 file, u32 func)
{
    const Facts *x = f->p->facts[file];
    Str name = func_display(f->a, f->p, gfunc_of(f->p, file, func));
    u64 h = hash_mix(str_hash(str_from(rule_table[r->rule].code)), str_hash(name));
    h = hash_mix(h, str_hash(r->state));
    h = hash_mix(h, str_hash(x->source->module));
    u32 *at = map_at(f->scratch, &f->alike, h & ~(1ull << 63)), same = *at == NONE ? 0 : *at;
    *at = same + 1;
    return hash_mix(h, same);
}

static Race *race_new(Finder *f, RuleId rule, u32 file, u32 func, Span span, Str state)
{
    Race *r = vec_add(f->a, f->out);
    *r = (Race){.rule = (u8)rule,
                .impact = default_impact(rule),
                .severity = (u8)rule_table[rule].severity,
                .file = file,
                .func = func,
                .place = NONE,
                .span = span,
                .test = NONE,
                .act = NONE,
                .lock = NONE,
                .call = NONE,
                .fix = NONE,
                .state = state};
    const Source *s = f->p->facts[file]->source;
    source_position(s, span.start, &r->line, &r->column);
    source_position(s, span.end, &r->end_line, &r->end_column);
    r->fingerprint = fingerprint(f, r, file, func);
    return r;
}

void race_site(Race *r, u32 ga)
{
    for (u32 i = 0; i < r->nsites; i++)
        if (r->sites[i] == ga && i != 0) return;
    if (r->nsites < RACE_SITES) r->sites[r->nsites++] = ga;
}

void race_why(Finder *f, Race *r, const char *fmt, ...)
{
    if (r->nwhy == RACE_WHY) return;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->why[r->nwhy++] = str_dup(f->a, str_from(text));
}

void race_message(Finder *f, Race *r, const char *fmt, ...)
{
    char text[768];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->message = str_dup(f->a, str_from(text));
}

/* Why the place counts as shared, in sentences. */
static void why_shared(Finder *f, Race *r, u32 site, Conflict c)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    const FuncInfo *fi = &p->funcs[access_func(p, site)];
    u32 coming = roots_coming(p, site), first = 0;
    while (first < fi->nroots && !(coming & 1u << first)) first++;
    if (coming) {
        const Root *root = &p->roots.v[fi->roots[first]];
        race_why(f, r, "reached from %.*s%s", STR_ARG(root->display),
                 root->many ? ", which may run more than once at a time" : "");
    }
    if (x->evidence & EV_GUARDED)
        race_why(f, r, "%.*s is held at %u of its %u accesses", STR_ARG(p->locks.v[x->guard].display), x->guarded,
                 x->total);
    if (!c.roots && x->kind == PLACE_GLOBAL && x->file != NONE)
        race_why(f, r, "it is module state, shared by all threads that use this module");
    if (!c.roots && x->file == NONE)
        race_why(f, r, "it belongs to the whole process; any import or call in another thread may change it");
    if (!c.roots && x->kind == PLACE_CLASS_ATTR)
        race_why(f, r, "it is class state, shared by all instances and threads");
    if (!c.roots && x->kind == PLACE_DEFAULT)
        race_why(f, r, "the default value is made once and shared by all calls");
    if (!c.roots && x->kind == PLACE_CLOSURE)
        race_why(f, r, "the inner function outlives the call and may run in any thread");
    if (x->kind == PLACE_INSTANCE && x->evidence & EV_SINGLETON)
        race_why(f, r, "an object of its class is kept in a global or class attribute");
    if (x->kind == PLACE_INSTANCE && !coming && x->evidence & EV_CLASS_LOCKS && !(x->evidence & EV_GUARDED))
        race_why(f, r, "its class uses locks or threads");
    if (x->kind == PLACE_INSTANCE && !(x->evidence & (EV_GUARDED | EV_CLASS_LOCKS | EV_SINGLETON | EV_DECORATOR)) &&
        !coming)
        race_why(f, r,
                 x->evidence & EV_PART      ? "the object that it belongs to uses locks, or is kept for all"
                 : x->evidence & EV_STARTER ? "whoever gives an object of its class to a thread goes on to use it"
                 : x->evidence & EV_FOUND   ? "objects of its class are put where any thread can find them"
                 : x->evidence & EV_NAME    ? "the name of its class says that it is kept and shared"
                 : x->evidence & EV_PURPOSE ? "its class speaks of threads"
                                            : "its file uses threads");
    if (x->kind == PLACE_INSTANCE && x->evidence & EV_DECORATOR)
        race_why(f, r, "its object wraps a function or attribute and is shared by all callers");
}

/* with self._lock: Job.done += 1, with locks[key]: total += 1, with self._lock: other.steps += 1 */
static void why_unguarded(Finder *f, Race *r, u32 site)
{
    u32 lock = lock_of_each(f->p, site);
    if (lock == NONE) return;
    const Lock *l = &f->p->locks.v[lock];
    u8 kind = f->p->places.v[f->place].kind;
    race_why(f, r,
             l->keyed ? "one of %.*s is held there, but another key takes another lock, and this state is one for all"
             : kind == PLACE_INSTANCE
                 ? "%.*s is held there, but that of self; the object whose state this is has a lock of its own"
                 : "%.*s is held there, but each object has such a lock of its own, and this state is one for all",
             STR_ARG(l->display));
}

static void place_impact(Race *r, const Place *x)
{
    if (x->type.kind == TYPE_ORDERED_DICT) r->impact = IMPACT_NEW;
}

Race *race_add_at(Finder *f, RuleId rule, u32 site, Conflict c, u32 file, u32 func, Span span)
{
    const Place *x = &f->p->places.v[f->place];
    Race *r = race_new(f, rule, file, func, span, x->display);
    r->place = f->place;
    r->confidence = c.confidence;
    bool always = f->p->options->assume == ASSUME_ALWAYS;
    if (!always && f->p->tests[file]) { /* of 68 such findings none was one that was fixed */
        r->confidence = CONF_LOW;
        r->low_why = "tests share on purpose";
    }
    r->sites[0] = site;
    r->sites[1] = c.witness;
    r->nsites = 2;
    place_impact(r, x);
    why_unguarded(f, r, site);
    why_shared(f, r, site, c);
    return r;
}

Race *race_add(Finder *f, RuleId rule, u32 site, Conflict c)
{
    GId g = access_gid(f->p, site);
    const Access *a = &f->p->facts[g.file]->accesses.v[g.id];
    f->claimed[site] = 1;
    return race_add_at(f, rule, site, c, g.file, a->func, a->span);
}

Race *race_at(Finder *f, RuleId rule, u32 file, u32 func, Span span, Str state, Confidence c)
{
    Race *r = race_new(f, rule, file, func, span, state);
    r->confidence = (u8)c;
    return r;
}

Race *race_at_section(Finder *f, RuleId rule, u32 file, const Section *s, u32 lock, Confidence c)
{
    const Facts *x = f->p->facts[file];
    u32 end = s->stmt;
    while (end < x->source->text.n && x->source->text.p[end] != '\n' && x->source->text.p[end] != '\r') end++;
    Race *r = race_at(f, rule, file, s->func, (Span){s->stmt, end}, f->p->locks.v[lock].display, c);
    r->lock = lock;
    return r;
}

Str short_state(const Program *p, u32 place)
{
    return p->syms.strs[p->places.v[place].name];
}
