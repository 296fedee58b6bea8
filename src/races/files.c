/* UG102 about files: a path is tested and then made or removed, in two steps that other threads can come between.
 *
 *   if not os.path.exists(folder):          if path.exists():
 *       os.makedirs(folder)                     path.unlink()
 *
 * The one that comes second raises FileExistsError or FileNotFoundError. Only in code that several threads reach
 * at once as far as can be seen, without a lock, and where nothing catches the error. What is removed must be a
 * path that threads share: kept in a module or an object, not a parameter or a local. */
#include "races/races.h"

static const struct FileAct {
    const char *name;
    bool removes;
    bool method; /* of a path object; else of os */
} acts[] = {{"makedirs", false, false}, {"mkdir", false, false}, {"mkdir", false, true}, {"remove", true, false},
            {"unlink", true, false},    {"rmdir", true, false},  {"unlink", true, true},  {"rmdir", true, true}};
static const char *const tests[] = {"exists", "isdir", "isfile", "lexists", "is_dir", "is_file"};

static Str text_of(const Facts *x, Span s)
{
    return str_slice(x->source->text, s.start, s.end);
}

/* What the call is about: the argument of os.makedirs(path), the object of path.mkdir(). */
static Str subject(const Program *p, u32 file, const Call *c, const char *module, bool *method)
{
    const Facts *x = p->facts[file];
    Str full = path_external(p, file, c->callee), text = text_of(x, c->span);
    *method = false;
    if (str_starts(full, str_from(module))) return c->nargs ? text_of(x, x->args.v[c->args].span) : S("");
    *method = true;
    Str name = call_last(x, c);
    size_t dot = str_search(text, str_fmt(p->arena, ".%.*s(", STR_ARG(name)));
    return dot < text.n && !full.n ? str_slice(text, 0, dot) : S("");
}

static const struct FileAct *act_of(const Program *p, u32 file, const Call *c, Str *what)
{
    bool method;
    Str name = call_last(p->facts[file], c);
    for (u32 i = 0; i < COUNT_OF(acts); i++) {
        if (!str_is(name, acts[i].name)) continue;
        *what = subject(p, file, c, "os.", &method);
        if (what->n && method == acts[i].method) return &acts[i];
    }
    return NULL;
}

static bool has_keyword(const Facts *x, const Call *c, const char *name)
{
    for (u32 i = c->args; i < c->args + c->nargs; i++)
        if (x->args.v[i].star || str_is(sym_str(x, x->args.v[i].keyword), name)) return true;
    return false;
}

/* The call in the head of the branch around the act that asks for the same path; NULL. */
static const Call *test_of(const Program *p, u32 file, const Call *act, bool removes, Str what)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[act->func];
    u32 cond = act->block == NONE ? NONE : x->blocks.v[act->block].cond;
    if (cond == NONE || x->conds.v[cond].then_block != act->block || x->conds.v[cond].loop) return NULL;
    Span head = x->conds.v[cond].head;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        bool method, asks = false, negated = c->span.start != head.start;
        if (c->span.start < head.start || c->span.end != head.end) continue;
        if (negated && !str_is(str_trim(text_of(x, (Span){head.start, c->span.start})), "not")) continue;
        for (u32 k = 0; k < COUNT_OF(tests); k++) asks |= str_is(call_last(x, c), tests[k]);
        if (asks && negated != removes && str_eq(subject(p, file, c, "os.path.", &method), what)) return c;
    }
    return NULL;
}

bool threads_meet(const Program *p, u32 gfunc)
{
    const FuncInfo *fi = &p->funcs[gfunc];
    u32 n = 0;
    for (u32 i = 0; i < fi->nroots; i++) n += p->roots.v[fi->roots[i]].main == MAIN_NOT;
    return !fi->import_time && n && (fi->many || n > 1);
}

bool call_is_held(const Program *p, u32 file, const Call *c)
{
    const Facts *x = p->facts[file];
    const Func *fn = &x->funcs.v[c->func];
    if (p->funcs[gfunc_of(p, file, c->func)].entry_locks) return true;
    for (u32 i = fn->sections; i < fn->sections + fn->nsections; i++)
        if (x->sections.v[i].span.start <= c->span.start && c->span.end <= x->sections.v[i].span.end) return true;
    return false;
}

/* Is a lock held, or the error caught? */
static bool held_or_caught(const Program *p, u32 file, const Call *c)
{
    const Facts *x = p->facts[file];
    if (call_is_held(p, file, c)) return true;
    for (u32 b = c->block; b != NONE; b = x->blocks.v[b].parent)
        if (x->blocks.v[b].kind == BLOCK_TRY || x->blocks.v[b].kind == BLOCK_WITH) return true;
    return false;
}

/* Is the path kept where all threads find it? */
static bool shared_path(const Program *p, u32 file, const Call *c, bool method)
{
    const Facts *x = p->facts[file];
    if (method) {
        const Path *q = &x->paths.v[c->callee];
        return q->root == ROOT_GLOBAL || (q->root == ROOT_SELF && q->nattr > 1);
    }
    const Arg *a = &x->args.v[c->args];
    if (a->kind == VAL_STRING) return true;
    if (a->kind != VAL_PATH) return false;
    const Path *q = &x->paths.v[a->value];
    return q->root == ROOT_GLOBAL || q->root == ROOT_SELF;
}

void race_files(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    if (intern_find(&x->syms, S("exists")) == NONE && intern_find(&x->syms, S("isdir")) == NONE &&
        intern_find(&x->syms, S("is_dir")) == NONE && intern_find(&x->syms, S("isfile")) == NONE)
        return;
    for (u32 i = 0; i < x->calls.n; i++) {
        const Call *c = &x->calls.v[i];
        Str what;
        if (c->func == 0 || !threads_meet(p, gfunc_of(p, file, c->func))) continue;
        const struct FileAct *act = act_of(p, file, c, &what);
        if (!act || has_keyword(x, c, "exist_ok") || has_keyword(x, c, "missing_ok")) continue;
        const Call *test = test_of(p, file, c, act->removes, what);
        if (!test || held_or_caught(p, file, c)) continue;
        if (act->removes && !shared_path(p, file, c, act->method)) continue;
        Race *r = race_at(f, UG102, file, c->func, c->span, what, CONF_MEDIUM);
        r->call = p->call_base[file] + i;
        race_message(f, r,
                     "line %u asks whether %.*s is there, and this %s it; another thread may do so in between, and "
                     "then this raises %s",
                     test->line, STR_ARG(what), act->removes ? "removes" : "makes",
                     act->removes ? "FileNotFoundError" : "FileExistsError");
    }
}
