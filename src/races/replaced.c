/* UG402 about functions, classes and streams of other modules that are replaced for a while:
 *
 *   make_id = uuid.uuid4                     def __enter__(self): self.old = sys.stdout
 *   uuid.uuid4 = refuse                                           sys.stdout = self.file
 *   try: return token(value)                 def __exit__(self, *exc): sys.stdout = self.old
 *   finally: uuid.uuid4 = make_id
 *
 * All threads call the replacement meanwhile; of two that do so at once, the second saves the replacement of the
 * first and puts that back for good.
 *
 * Needs the accesses of a function, and for managers those of __exit__. State of the program's own modules is a
 * place, for which save.c and onentry.c look. Not seen: setattr(), mock.patch, what is saved in a container. */
#include "races/races.h"

enum { ACCESSES = 400 }; /* that many accesses of a function are looked at for the other half */

/* sniffio.thread_local.name, as far as names tell: each thread has its own. */
static bool of_local(Str name)
{
    return str_search(name, S("local.")) < name.n;
}

/* What a program changes for a script that it runs: it runs one. */
static bool of_script(Str name)
{
    return str_is(name, "sys.argv") || str_is(name, "sys.path");
}

/* The attribute of a module that was not read, or the function or class of one that was, to which the access stores;
 * an empty string when it does something else. */
static Str replaces(const Program *p, u32 file, const Access *a)
{
    const Facts *x = p->facts[file];
    const Path *q = &x->paths.v[a->path];
    if (a->op != OP_STORE || a->value == NONE || q->root != ROOT_GLOBAL || !q->nattr) return S("");
    Str name = path_external(p, file, a->path);
    if (of_local(name) || (!name.n && !def_patches(p, file, a->value))) return S("");
    return path_text(p->arena, x, a->path);
}

/* Is the value that the function has read into a local before, stored again? */
static bool puts_back(const Facts *x, const Access *store, const Access *read)
{
    const Def *d = &x->defs.v[store->value];
    const Path *v = d->kind == VAL_PATH ? &x->paths.v[d->value] : NULL;
    return v && !v->nattr && v->root == ROOT_LOCAL && v->name == read->local;
}

/* In the function of access `store`: the read that saved what was there, before it, and the store that puts it back,
 * after it. That one, NONE. */
static u32 back_in_function(const Facts *x, u32 store)
{
    const Access *set = &x->accesses.v[store];
    const Func *fn = &x->funcs.v[set->func];
    u32 read = NONE, end = fn->accesses + fn->naccesses;
    for (u32 i = store; i-- > fn->accesses && store - i < ACCESSES && read == NONE;) {
        const Access *a = &x->accesses.v[i];
        if (a->path == set->path && a->op == OP_LOAD && a->local != SYM_EMPTY) read = i;
    }
    for (u32 i = store + 1; read != NONE && i < end && i - store < ACCESSES; i++) {
        const Access *a = &x->accesses.v[i];
        if (a->path == set->path && a->op == OP_STORE && a->value != NONE && puts_back(x, a, &x->accesses.v[read]))
            return i;
    }
    return NONE;
}

/* The store of __exit__ to what __enter__ replaces, NONE. */
static u32 back_on_exit(const Program *p, u32 file, u32 store, Str what)
{
    const Facts *x = p->facts[file];
    const Access *set = &x->accesses.v[store];
    u32 exits;
    if (!str_is(sym_str(x, x->funcs.v[set->func].name), "__enter__")) return NONE;
    if (!self_methods(p, file, set->func, "__exit__", &exits, 1) || func_gid(p, exits).file != file) return NONE;
    const Func *fn = &x->funcs.v[func_gid(p, exits).id];
    for (u32 i = fn->accesses; i < fn->accesses + fn->naccesses && i - fn->accesses < ACCESSES; i++)
        if (str_eq(replaces(p, file, &x->accesses.v[i]), what)) return i;
    return NONE;
}

static void report(Finder *f, u32 file, u32 store, u32 back, Str what)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    const Access *a = &x->accesses.v[store];
    u32 gfunc = gfunc_of(p, file, a->func);
    bool low = is_test_path(x->source->path) || p->vendored[file] || of_script(what);
    const Root *thread = thread_of(p, gfunc);
    bool several = thread && (p->funcs[gfunc].many || p->funcs[gfunc].nroots > 1);
    Confidence conf = low ? CONF_LOW : several ? CONF_HIGH : CONF_MEDIUM;
    Race *r = race_at(f, UG402, file, a->func, a->span, what, conf);
    r->sites[0] = p->access_base[file] + store;
    r->sites[1] = p->access_base[file] + back;
    r->nsites = 2;
    race_message(f, r,
                 "%.*s is replaced here for the whole process and put back on line %u; all other threads get the "
                 "replacement meanwhile, and two of these at once put the wrong one back",
                 STR_ARG(what), x->accesses.v[back].line);
}

void race_replaced(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    u32 last = 0; /* one finding for a function: streams go together */
    for (u32 i = 0; i < x->accesses.n; i++) {
        const Access *a = &x->accesses.v[i];
        const FuncInfo *fi = &p->funcs[gfunc_of(p, file, a->func)];
        if (a->op != OP_STORE || a->func == last || fi->import_time || (!fi->nroots && !fi->api)) continue;
        Str what = replaces(p, file, a);
        if (!what.n || p->access_locks[p->access_base[file] + i] || makes_process(p, file, a->func)) continue;
        u32 back = back_in_function(x, i);
        if (back == NONE) back = back_on_exit(p, file, i, what);
        if (back == NONE) continue;
        last = a->func;
        report(f, file, i, back, what);
    }
}
