/* Modules: which file a dotted name is, what a module-level name stands for, where imports lead.
 *
 * Names are looked up through `from x import y`, aliases, re-exports and star imports, up to a fixed depth. A module
 * that is found under several roots (src/pkg and pkg) goes by its first file. */
#include "link/link.h"

enum { MAX_HOPS = 8 };

u32 gsym(const Program *p, u32 file, u32 sym)
{
    u32 *at = &p->state->gsym[file][sym];
    if (*at != NONE) return *at;
    const Intern *syms = &p->facts[file]->syms;
    return *at = intern_hashed(p->arena, (Intern *)&p->syms, syms->strs[sym], syms->hash[sym]);
}

u32 module_find(const Program *p, Str dotted)
{
    u32 s = intern_find(&p->syms, dotted);
    return s == NONE ? NONE : map_get(&p->state->modules, s);
}

Ent ent_external(const Program *p, Str dotted)
{
    return (Ent){.kind = ENT_EXTERNAL, .id = intern(p->arena, (Intern *)&p->syms, dotted), .recv = NONE};
}

/* The dotted name that an import's module text means, seen from its file. */
static Str import_module(const Program *p, u32 file, const Import *im)
{
    const Facts *f = p->facts[file];
    Str text = sym_str(f, im->module);
    if (!im->level) return sibling_module(p, file, im, text);
    Str base = f->source->module;
    Str path = f->source->path;
    bool package = str_ends(path, S("__init__.py"));
    for (u32 i = package ? 1 : 0; i < im->level; i++)
        base = str_slice(base, 0, str_rfind(base, '.') == base.n ? 0 : str_rfind(base, '.'));
    if (!text.n) return base;
    return base.n ? str_dot(p->arena, base, text) : text;
}

bool star_unknown(const Program *p, u32 file, const Import *im)
{
    return im->star && !im->typing && module_find(p, import_module(p, file, im)) == NONE;
}

u32 import_file(const Program *p, u32 file, const Import *im)
{
    return module_find(p, import_module(p, file, im));
}

static Ent module_or_external(const Program *p, Str dotted)
{
    u32 file = module_find(p, dotted);
    return file == NONE ? ent_external(p, dotted) : (Ent){.kind = ENT_MODULE, .id = file, .recv = NONE};
}

static Ent import_find(const Program *p, u32 file, const Import *im, u32 depth)
{
    const Facts *f = p->facts[file];
    Str module = import_module(p, file, im);
    if (im->name == SYM_EMPTY) {
        /* import a.b as c names a.b; import a.b binds a */
        Str written = sym_str(f, im->module), rest, head = str_cut(written, '.', &rest);
        bool alias = !str_eq(sym_str(f, im->local), head);
        return module_or_external(p, alias ? module : str_slice(module, 0, module.n - written.n + head.n));
    }
    Str name = sym_str(f, im->name);
    u32 target = module_find(p, module);
    if (target != NONE && target != file) {
        Ent e = module_lookup(p, target, gsym(p, file, im->name), depth + 1);
        if (e.kind != ENT_NONE) return e;
    }
    Str full = module.n ? str_dot(p->arena, module, name) : name;
    return module_or_external(p, full);
}

/* Found once for each import; the names it makes on the way would pile up otherwise. */
Ent import_target(const Program *p, u32 file, const Import *im, u32 depth)
{
    LinkState *s = p->state;
    u64 key = map_key(file, (u32)(im - p->facts[file]->imports.v));
    u32 at = map_get(&s->import_ents, key);
    if (at != NONE) return s->ents.v[at];
    Ent e = import_find(p, file, im, depth);
    if (depth) return e; /* cut short by the limit on hops, perhaps */
    vec_push(s->a, &s->ents, e);
    map_put(s->a, &s->import_ents, key, s->ents.n - 1);
    return e;
}

/* try: from threading import RLock / except ImportError: class RLock: … : the one that we know is the real one. */
static bool known_import(const Program *p, u32 file, u32 import)
{
    const Facts *f = p->facts[file];
    const Import *im = &f->imports.v[import];
    Str module = sym_str(f, im->module), name = sym_str(f, im->name);
    if (im->level || im->typing || !name.n) return false;
    return external_type(p, str_dot(p->arena, module, name)).kind != TYPE_UNKNOWN;
}

/* What module `file` says the name is, imports not followed: kind ENT_NONE with sym = import id when it is one. */
static void entry_add(Program *p, u32 file, u32 gs, Ent e)
{
    LinkState *s = p->state;
    u32 *at = map_at(s->a, &s->module_names, map_key(file, gs));
    if (*at != NONE) {
        /* def/class beat an import (fallbacks for a failed import), an import beats a plain variable */
        u8 old = s->entries.v[*at].kind;
        if ((old == ENT_CLASS || old == ENT_FUNC) && !(e.kind == ENT_NONE && known_import(p, file, e.sym))) return;
        if (old == ENT_NONE && e.kind == ENT_PLACE) return;
        if (old == ENT_NONE && e.kind == ENT_NONE) return;
        s->entries.v[*at] = e;
        return;
    }
    vec_push(s->a, &s->entries, e);
    *at = s->entries.n - 1;
}

static void definition_add(Program *p, u32 file, u32 name, bool read, Ent e)
{
    u32 gs = gsym(p, file, name);
    if (read || map_get(&p->state->module_names, map_key(file, gs)) == NONE) entry_add(p, file, gs, e);
}

/* The functions and classes of the module of which something was read; or the others, which are for another Python:
 * only where nothing else has the name. */
static void definitions_add(Program *p, u32 file, bool read)
{
    const Facts *f = p->facts[file];
    for (u32 i = 1; i < f->funcs.n; i++) {
        const Func *x = &f->funcs.v[i];
        if (x->parent == 0 && x->cls == NONE && !x->is_lambda && (x->block != NONE) == read)
            definition_add(p, file, x->name, read, (Ent){ENT_FUNC, gfunc_of(p, file, i), NONE, NONE});
    }
    for (u32 i = 0; i < f->classes.n; i++) {
        const Class *c = &f->classes.v[i];
        if (c->func == 0 && c->outer == NONE && (c->block != NONE) == read)
            definition_add(p, file, c->name, read, (Ent){ENT_CLASS, p->class_base[file] + i, NONE, NONE});
    }
}

static void module_entries(Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    definitions_add(p, file, true);
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *im = &f->imports.v[i];
        if (im->func == 0 && !im->star) entry_add(p, file, gsym(p, file, im->local), (Ent){ENT_NONE, file, i, NONE});
    }
    for (u32 i = 0; i < f->defs.n; i++) {
        const Def *d = &f->defs.v[i];
        if (d->path == NONE) continue;
        const Path *x = &f->paths.v[d->path];
        if (x->root == ROOT_GLOBAL && !x->nattr && d->kind != VAL_FUNC && d->kind != VAL_CLASS)
            entry_add(p, file, gsym(p, file, x->name), (Ent){ENT_PLACE, NONE, NONE, NONE});
    }
    u32 dict = intern_find(&f->syms, S("__dict__")); /* what globals() gives */
    if (dict != NONE) entry_add(p, file, gsym(p, file, dict), (Ent){ENT_PLACE, NONE, NONE, NONE});
    definitions_add(p, file, false);
}

/* from threading import *: a name that we know the library has. Of two, the later import binds it. */
static Ent star_name(const Program *p, u32 file, Str name)
{
    enum { STARS = 50 }; /* of one file that are looked at */
    char room[200];
    const Facts *f = p->facts[file];
    u32 stars = 0;
    for (u32 i = f->imports.n; i-- > 0 && stars < STARS;) {
        const Import *im = &f->imports.v[i];
        stars += im->star;
        Str module = sym_str(f, im->module);
        if (!im->star || im->level || module.n + name.n + 2 > sizeof room || !star_unknown(p, file, im)) continue;
        int n = snprintf(room, sizeof room, "%.*s.%.*s", STR_ARG(module), STR_ARG(name));
        Str dotted = {room, (size_t)n};
        if (external_type(p, dotted).kind != TYPE_UNKNOWN) return ent_external(p, dotted);
    }
    return (Ent){ENT_NONE, NONE, NONE, NONE};
}

static Ent module_find_name(const Program *p, u32 file, u32 gs, u32 depth)
{
    LinkState *s = p->state;
    const Facts *f = p->facts[file];
    if (depth > MAX_HOPS) return (Ent){ENT_NONE, NONE, NONE, NONE};
    u32 at = map_get(&s->module_names, map_key(file, gs));
    if (at != NONE) {
        Ent e = s->entries.v[at];
        if (e.kind == ENT_PLACE) e.id = place_of(p, PLACE_GLOBAL, file, NONE, gs);
        if (e.kind != ENT_NONE) return e;
        return import_target(p, file, &f->imports.v[e.sym], depth);
    }
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *im = &f->imports.v[i];
        if (!im->star) continue;
        u32 target = module_find(p, import_module(p, file, im));
        if (target == NONE || target == file) continue;
        Ent e = module_lookup(p, target, gs, depth + 1);
        if (e.kind != ENT_NONE) return e;
    }
    Str name = p->syms.strs[gs];
    if (f->source->module.n && str_ends(f->source->path, S("__init__.py"))) {
        u32 sub = module_find(p, str_dot(p->arena, f->source->module, name));
        if (sub != NONE) return (Ent){ENT_MODULE, sub, NONE, NONE};
    }
    return star_name(p, file, name);
}

/* Remembered, since every use of a builtin in a module with star imports would search all of them again. */
Ent module_lookup(const Program *p, u32 file, u32 gs, u32 depth)
{
    LinkState *s = p->state;
    u32 at = map_get(&s->name_ents, map_key(file, gs));
    if (at != NONE) return s->ents.v[at];
    Ent e = module_find_name(p, file, gs, depth);
    if (depth && e.kind == ENT_NONE) return e; /* cut short by the limit on hops, perhaps */
    vec_push(s->a, &s->ents, e);
    map_put(s->a, &s->name_ents, map_key(file, gs), s->ents.n - 1);
    return e;
}

void modules_index(Program *p)
{
    LinkState *s = p->state;
    s->gsym = arena_new(s->a, u32 *, p->nfiles);
    s->root_ents = arena_new(s->a, u32 *, p->nfiles);
    for (u32 i = 0; i < p->nfiles; i++) {
        s->gsym[i] = arena_new(s->a, u32, p->facts[i]->syms.n);
        memset(s->gsym[i], 0xff, p->facts[i]->syms.n * sizeof(u32));
        s->root_ents[i] = arena_new(s->a, u32, p->facts[i]->syms.n);
        Str m = p->facts[i]->source->module;
        u32 *at = map_at(s->a, &s->modules, intern(s->a, &p->syms, m));
        if (*at == NONE) *at = i;
        /* src/pkg/mod.py is pkg.mod for those who import it */
        if (str_starts(m, S("src.")) || str_starts(m, S("lib."))) {
            at = map_at(s->a, &s->modules, intern(s->a, &p->syms, str_slice(m, 4, m.n)));
            if (*at == NONE) *at = i;
        }
    }
    siblings_index(p);
    for (u32 i = 0; i < p->nfiles; i++) module_entries(p, i);
}
