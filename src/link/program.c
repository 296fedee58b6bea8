/* Joins the facts of all files into one program: the order of the passes, and small queries over the result. */
#include "link/link.h"

u32 *files_base(Arena *a, Facts **facts, u32 n, u32 (*count)(const Facts *))
{
    u32 *base = arena_new(a, u32, n + 1);
    for (u32 i = 0; i < n; i++) base[i + 1] = base[i] + count(facts[i]);
    return base;
}

static u32 count_funcs(const Facts *f)
{
    return f->funcs.n;
}
static u32 count_classes(const Facts *f)
{
    return f->classes.n;
}
static u32 count_accesses(const Facts *f)
{
    return f->accesses.n;
}
static u32 count_calls(const Facts *f)
{
    return f->calls.n;
}
static u32 count_sections(const Facts *f)
{
    return f->sections.n;
}

Program *program_link(Arena *a, const Options *o, Facts **facts, u32 n)
{
    Program *p = arena_new(a, Program, 1);
    LinkState *s = arena_new(a, LinkState, 1);
    *p = (Program){.arena = a, .options = o, .facts = facts, .nfiles = n, .state = s};
    s->a = a;
    CHECK(intern(a, &p->syms, S("[]")) == SYM_ITEM && intern(a, &p->syms, S("")) == SYM_EMPTY);
    p->func_base = files_base(a, facts, n, count_funcs);
    p->class_base = files_base(a, facts, n, count_classes);
    p->access_base = files_base(a, facts, n, count_accesses);
    p->call_base = files_base(a, facts, n, count_calls);
    p->section_base = files_base(a, facts, n, count_sections);
    s->nfuncs = p->func_base[n];
    s->nclasses = p->class_base[n];
    s->naccesses = p->access_base[n];
    s->classes = arena_new(a, ClassInfo, s->nclasses);
    gids_index(p);
    vendored_find(p);
    threads_used_find(p);

    modules_index(p);
    locals_index(p);
    classes_index(p);
    classes_attrs(p);
    s->classes_known = true;
    func_attrs_index(p);
    holders_index(p);
    places_index(p);
    params_link(p);
    /* parameters have types now: what was asked before may have been answered too early */
    s->local_types = s->element_types = s->return_types = (Map){0};
    s->types.n = 0;
    if (s->place_state.n) memset(s->place_state.v, 0, s->place_state.n);
    owners_index(p);
    methods_index(p);
    halves_link(p);
    places_chain(p);
    handed_find(p);
    locks_link(p);
    guards_find(p);
    confined_find(p);
    filled_find(p);
    handovers_find(p);
    stopped_find(p);
    ended_find(p);
    answers_keep(p);
    return p;
}

const Access *program_access(const Program *p, u32 gaccess)
{
    GId g = access_gid(p, gaccess);
    return &p->facts[g.file]->accesses.v[g.id];
}

u32 access_file(const Program *p, u32 gaccess)
{
    return access_gid(p, gaccess).file;
}

u32 access_func(const Program *p, u32 gaccess)
{
    GId g = access_gid(p, gaccess);
    return gfunc_of(p, g.file, p->facts[g.file]->accesses.v[g.id].func);
}

const Func *program_func(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    return &p->facts[g.file]->funcs.v[g.id];
}

Str func_display(Arena *a, const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    Str out = S("");
    for (u32 i = g.id; i;) {
        const Func *fn = &f->funcs.v[i];
        out = out.n ? str_dot(a, sym_str(f, fn->name), out) : sym_str(f, fn->name);
        for (u32 c = fn->cls; c != NONE; c = f->classes.v[c].outer)
            out = str_dot(a, sym_str(f, f->classes.v[c].name), out);
        i = fn->parent;
    }
    Str m = f->source->module;
    return out.n ? str_dot(a, m, out) : m;
}

u32 class_made_at(const Program *p, u32 gclass)
{
    return gclass == NONE ? 0 : p->state->classes[gclass].made_at;
}

u32 class_kept_at(const Program *p, u32 gclass)
{
    return gclass == NONE ? 0 : p->state->classes[gclass].kept_globally;
}

u32 class_given_out(const Program *p, u32 gclass)
{
    return gclass == NONE ? 0 : p->state->classes[gclass].given_out;
}

bool func_returns(const Program *p, u32 file, u32 func, u32 path)
{
    const LinkState *s = p->state;
    for (u32 at = map_get(&s->local_defs, local_key(file, func, SYM_EMPTY)); at != NONE; at = s->defrefs.v[at].next) {
        const Def *d = &p->facts[file]->defs.v[s->defrefs.v[at].def];
        if (d->kind == VAL_PATH && d->value == path) return true;
    }
    return false;
}

bool class_of_call(const Program *p, u32 gclass)
{
    u32 file;
    return gclass != NONE && program_class(p, gclass, &file)->func != 0;
}

bool root_waited(const Program *p, const Root *r)
{
    if (r->call == NONE) return false;
    const Call *c = &p->facts[r->file]->calls.v[r->call];
    const FuncInfo *fi = &p->funcs[gfunc_of(p, r->file, c->func)];
    return c->func && fi->last_join != NONE && fi->last_join > c->span.start;
}

bool class_only_parts(const Program *p, u32 gclass)
{
    const ClassInfo *c = &p->state->classes[gclass];
    return c->made_for_attr && c->made_for_attr == c->leaves + c->made_inside;
}

bool class_baseless(const Program *p, u32 gclass)
{
    const ClassInfo *k = &p->state->classes[gclass];
    for (u32 i = 0; i < k->ext_bases.n; i++)
        if (!str_is(p->syms.strs[k->ext_bases.v[i]], "object")) return false;
    return !k->bases.n;
}

static bool seen_whole(const Program *p, u32 gclass, u32 depth)
{
    static const char *const empty[] = {"object", "typing.Generic", "typing.Protocol", "abc.ABC"};
    const ClassInfo *k = &p->state->classes[gclass];
    for (u32 i = 0; i < k->ext_bases.n; i++)
        if (!str_among(p->syms.strs[k->ext_bases.v[i]], empty, COUNT_OF(empty))) return false;
    for (u32 i = 0; i < k->bases.n; i++)
        if (!depth || !seen_whole(p, k->bases.v[i], depth - 1)) return false;
    return true;
}

bool class_seen_whole(const Program *p, u32 gclass)
{
    enum { DEPTH = 8 };
    return seen_whole(p, gclass, DEPTH);
}

bool class_only_threads(const Program *p, u32 gclass)
{
    const ClassInfo *c = &p->state->classes[gclass];
    return c->makes_threads && !c->any_lock;
}

bool class_only_tasks(const Program *p, u32 gclass)
{
    const ClassInfo *c = &p->state->classes[gclass];
    return c->tasks && !c->has_lock;
}

bool access_in_loop(const Program *p, u32 gaccess)
{
    GId g = access_gid(p, gaccess);
    const Func *fn = &p->facts[g.file]->funcs.v[program_access(p, gaccess)->func];
    if (p->funcs[access_func(p, gaccess)].event_loop) return true;
    return fn->self_class != NONE && p->state->classes[gclass_of(p, g.file, fn->self_class)].loop;
}
