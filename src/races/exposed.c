/* UG105: an object that its own __init__ makes known to everybody before it is whole: `global pool; pool = self`, or
 * `Pool._instance = self`, and a field that methods use is set only afterwards. A thread that takes the object from
 * there in between finds no such attribute.
 *
 * Needs places and the Defs of a file, which tell where self is put. A field set before as well, or by the class
 * body, is not reported, nor is one that is set in the critical section in which the object is made known. Left
 * alone: lists of all objects, which are mostly walked for all or for none, state of another class (a plug-in makes
 * itself known to it), and state that is only asked whether it is there. Not seen: fields set in methods that
 * __init__ calls. */
#include "races/races.h"

/* The state of the module, or of the own class, that holds self once the Def is done; or NONE. */
static u32 known_to_all(const Program *p, u32 file, const Def *d)
{
    const Facts *f = p->facts[file];
    if (d->kind != VAL_PATH || d->is_return || d->path == NONE) return NONE;
    const Path *v = &f->paths.v[d->value];
    u32 place = v->root == ROOT_SELF && !v->nattr ? path_place(p, file, d->path) : NONE;
    if (place == NONE || p->places.v[place].file != file || !is_data(&p->places.v[place])) return NONE;
    const Place *x = &p->places.v[place];
    return x->kind == PLACE_GLOBAL ||
                   (x->kind == PLACE_CLASS_ATTR && x->owner == p->class_base[file] + f->funcs.v[d->func].cls)
               ? place
               : NONE;
}

/* Code that takes the object from there while threads run, NONE. */
static u32 taken_by(const Program *p, u32 place)
{
    const Place *x = &p->places.v[place];
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = p->place_access.v[i];
        const Access *a = program_access(p, ga);
        const FuncInfo *fi = &p->funcs[access_func(p, ga)];
        bool takes = a->op == OP_LOAD || a->op == OP_RETURN || a->op == OP_METHOD || a->op == OP_ARG;
        if (takes && a->func && (fi->nroots || fi->api) &&
            !fi->import_time && !p->tests[access_gid(p, ga).file])
            return ga;
    }
    return NONE;
}

/* A method that takes the field for granted, NONE. */
static u32 used_by(const Program *p, const Place *x)
{
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = p->place_access.v[i];
        const Access *a = program_access(p, ga);
        if (a->op != OP_STORE && a->op != OP_HASATTR && a->op != OP_DEL && !failure_caught(p, ga) &&
            !p->funcs[access_func(p, ga)].construct)
            return ga;
    }
    return NONE;
}

bool field_set_before(const Program *p, const Place *x, u32 file, u32 func, u32 block, u32 at)
{
    const Facts *f = p->facts[file];
    if (x->def_file == file && x->def != NONE && f->blocks.v[f->defs.v[x->def].block].kind == BLOCK_CLASS)
        return true;
    for (u32 i = x->first; i < x->first + x->n; i++) {
        u32 ga = p->place_access.v[i];
        const Access *a = program_access(p, ga);
        if (a->op != OP_STORE || !p->funcs[access_func(p, ga)].construct) continue;
        if (access_gid(p, ga).file != file || a->func != func) return true; /* a base class, a helper */
        if (a->span.start < at && (block == NONE || block_within(f, block, a->block))) return true;
    }
    return false;
}

static void late_field(Finder *f, u32 file, const Def *d, u32 place)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[d->func];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses; i++) {
        const Access *a = &x->accesses.v[i];
        u32 ga = p->access_base[file] + i, field = p->access_place[ga], reader, use;
        bool maybe = false;
        if (a->op != OP_STORE || a->stmt <= d->stmt || field == NONE || f->claimed[ga] ||
            x->paths.v[a->path].root != ROOT_SELF || p->places.v[field].kind != PLACE_INSTANCE)
            continue;
        if (!block_within(x, d->block, a->block) && !block_within(x, a->block, d->block)) continue;
        if (x->blocks.v[d->block].exits && d->block != a->block) continue;
        if (field_set_before(p, &p->places.v[field], file, d->func, d->block, d->stmt) ||
            spots_in_section(p, file, d->func, d->span.start, a->span.start, &maybe))
            continue;
        if ((use = used_by(p, &p->places.v[field])) == NONE || (reader = taken_by(p, place)) == NONE) continue;
        f->claimed[ga] = 1;
        u32 line, column;
        source_position(x->source, d->span.start, &line, &column);
        Race *r = race_at(f, UG105, file, d->func, a->span, p->places.v[field].display, CONF_MEDIUM);
        if (is_test_path(x->source->path)) r->confidence = CONF_LOW;
        r->sites[0] = ga;
        r->sites[1] = reader;
        r->sites[2] = use;
        r->nsites = 3;
        r->by_shape = true;
        r->by_hand = "a lock here does not help who reads without it; made whole first and bound last, it needs none";
        race_message(f, r,
                     "%.*s is set here, after line %u has put the object into %.*s, where %.*s:%u finds it; another "
                     "thread may use it before it has the attribute",
                     STR_ARG(path_text(f->a, x, a->path)), line, STR_ARG(short_state(p, place)),
                     STR_ARG(p->facts[access_gid(p, reader).file]->source->path), program_access(p, reader)->line);
        return; /* the first one stands for all */
    }
}

void race_exposed(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    for (u32 i = 0; i < x->defs.n; i++) {
        const Def *d = &x->defs.v[i];
        const Func *fn = &x->funcs.v[d->func];
        const FuncInfo *fi = &p->funcs[gfunc_of(p, file, d->func)];
        if (d->kind != VAL_PATH || fn->cls == NONE || !str_is(sym_str(x, fn->name), "__init__")) continue;
        if (!fi->nroots && !fi->api) continue; /* made while modules are imported */
        u32 place = known_to_all(p, file, d);
        if (place != NONE) late_field(f, file, d, place);
    }
}
