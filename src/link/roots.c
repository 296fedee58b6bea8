/* Thread roots: the functions that run in threads of their own.
 *
 * Root 0 is the main program, root 1 is "any caller": in a library every function may be called from any thread. The
 * table of ways to start a thread is know/threads.def: what is passed to a call is rootcalls.c, what classes and
 * decorators make a root is rootclasses.c. */
#include "link/roots.h"

#define ROOT_CALL_ARG(name_, position_, keyword_, many_, label_)                                                     \
    {.how = ROOT_BY_CALL, .name = name_, .position = position_, .keyword = keyword_, .many = many_, .label = label_},
#define ROOT_CALLBACK(name_, position_, keyword_, many_, label_)                                                     \
    {.how = ROOT_BY_CALL,                                                                                            \
     .name = name_,                                                                                                  \
     .position = position_,                                                                                          \
     .keyword = keyword_,                                                                                            \
     .many = many_,                                                                                                  \
     .own = true,                                                                                                    \
     .label = label_},
#define ROOT_METHOD_ARG(name_, type_, position_, keyword_, package_, many_, label_)                                  \
    {.how = ROOT_BY_METHOD,                                                                                          \
     .name = name_,                                                                                                  \
     .type = type_,                                                                                                  \
     .position = position_,                                                                                          \
     .keyword = keyword_,                                                                                            \
     .package = package_,                                                                                            \
     .many = many_,                                                                                                  \
     .label = label_},
#define ROOT_SERVED(name_, position_, keyword_, package_, label_)                                                    \
    {.how = ROOT_BY_METHOD,                                                                                          \
     .name = name_,                                                                                                  \
     .type = TYPE_KINDS,                                                                                             \
     .position = position_,                                                                                          \
     .keyword = keyword_,                                                                                            \
     .method = "*",                                                                                                  \
     .package = package_,                                                                                            \
     .label = label_},
#define ROOT_LOOP_CALL(name_, position_, keyword_, label_)                                                           \
    {.how = ROOT_BY_CALL, .name = name_, .position = position_, .keyword = keyword_, .loop = true, .label = label_},
#define ROOT_LOOP_METHOD(name_, position_, keyword_, label_)                                                         \
    {.how = ROOT_BY_METHOD,                                                                                          \
     .name = name_,                                                                                                  \
     .type = TYPE_KINDS,                                                                                             \
     .position = position_,                                                                                          \
     .keyword = keyword_,                                                                                            \
     .loop = true,                                                                                                   \
     .label = label_},
#define ROOT_BASE(name_, method_, many_, own_, label_)                                                               \
    {.how = ROOT_BY_BASE, .name = name_, .method = method_, .many = many_, .own = own_, .label = label_},
#define ROOT_DECORATOR(name_, receivers_, many_, label_)                                                             \
    {.how = ROOT_BY_DECORATOR, .name = name_, .receivers = receivers_, .many = many_, .label = label_},
#define ROOT_ATTRIBUTE(name_, package_, many_, label_)                                                               \
    {.how = ROOT_BY_ATTRIBUTE, .name = name_, .package = package_, .many = many_, .label = label_},
static const RootRow known_rows[] = {
#include "know/threads.def"
};

/* The rows of the table, then those of the configuration, each among its like. */
static void rows_index(Program *p)
{
    LinkState *s = p->state;
    for (u32 i = 0; i < COUNT_OF(known_rows) + p->options->roots.n; i++) {
        const RootRow *r = i < COUNT_OF(known_rows) ? &known_rows[i] : &p->options->roots.v[i - COUNT_OF(known_rows)];
        Str name = str_from(r->name);
        vec_push(s->a, &s->rows[r->how], (RowName){name, r});
        map_put(s->a, &s->row_names[r->how], str_hash(name) >> 1, 1);
    }
}

bool root_row_named(const Program *p, u8 how, Str name)
{
    return map_get(&p->state->row_names[how], str_hash(name) >> 1) != NONE;
}

bool root_row_own(const Program *p, const RootRow *r)
{
    const RootRow *own = p->options->roots.v;
    return own && r >= own && r < own + p->options->roots.n;
}

void root_row_used(Program *p, const RootRow *r)
{
    if (root_row_own(p, r)) p->root_used[r - p->options->roots.v] = true;
}

void roots_unused(Arena *a, const Program *p, NoteVec *notes)
{
    const Options *o = p->options;
    for (u32 i = 0; i < o->roots.n + o->extend_roots.n; i++) {
        if (p->root_used[i]) continue;
        bool row = i < o->roots.n;
        Str name = row ? str_from(o->roots.v[i].name) : o->extend_roots.v[i - o->roots.n];
        vec_push(a, notes,
                 (Note){.code = "root-not-found",
                        .message = str_fmt(a,
                                           "nothing in the files that were read is or uses '%.*s', which %s names; "
                                           "write it as package.module.function",
                                           STR_ARG(name), row ? "a table of roots" : "extend-roots")});
    }
}

/* label with the function's name in place of %s, and where it is. */
Str root_display(Program *p, const char *label, Str name, u32 file, u32 line)
{
    Str l = str_from(label), head = str_slice(l, 0, str_search(l, S("%s"))), tail = str_slice(l, head.n + 2, l.n);
    if (head.n == l.n) name = S("");
    return str_fmt(p->arena, "%.*s%.*s%.*s at %.*s:%u", STR_ARG(head), STR_ARG(name), STR_ARG(tail),
                   STR_ARG(p->facts[file]->source->path), line);
}

void root_add(Program *p, u32 gfunc, bool many, bool own, Str display, u32 file, u32 call)
{
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        Root *r = &p->roots.v[i];
        if (r->func == gfunc && r->file == file && r->call == call) {
            r->many |= many;
            return;
        }
    }
    vec_push(
        p->arena, &p->roots,
        (Root){
            .func = gfunc, .many = many, .own = own, .display = display, .file = file, .call = call, .self = NONE});
}

Str short_name(const Program *p, u32 gfunc)
{
    GId g = func_gid(p, gfunc);
    const Facts *f = p->facts[g.file];
    const Func *fn = &f->funcs.v[g.id];
    if (fn->cls == NONE) return sym_str(f, fn->name);
    return str_dot(p->arena, sym_str(f, f->classes.v[fn->cls].name), sym_str(f, fn->name));
}

bool file_imports(const Program *p, u32 file, const char *package)
{
    const Facts *f = p->facts[file];
    Str name = str_from(package);
    for (u32 i = 0; i < f->imports.n; i++)
        if (str_starts(sym_str(f, f->imports.v[i].module), name)) return true;
    return false;
}

bool method_fits(Str name, const char *pattern)
{
    Str pat = str_from(pattern);
    if (str_ends(pat, S("*"))) return str_starts(name, str_slice(pat, 0, pat.n - 1));
    return str_eq(name, pat);
}

/* Functions that --extend-roots and the configuration name. */
static void roots_named(Program *p)
{
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 1; i < f->funcs.n && (p->options->roots.n || p->options->extend_roots.n); i++) {
            Arena scratch = {0};
            u32 g = gfunc_of(p, file, i);
            Str name = func_display(&scratch, p, g);
            for (u32 k = 0; k < p->options->extend_roots.n; k++) {
                if (!str_eq(name, p->options->extend_roots.v[k])) continue;
                p->root_used[p->options->roots.n + k] = true;
                root_add(p, g, true, false, root_display(p, "%s, by --extend-roots,", name, file, f->funcs.v[i].line),
                         file, NONE);
            }
            for (u32 k = 0; k < p->options->roots.n; k++) {
                const RootRow *r = &p->options->roots.v[k];
                if (r->how != ROOT_BY_FUNCTION || !str_is(name, r->name)) continue;
                root_row_used(p, r);
                root_add(p, g, r->many, false, root_display(p, r->label, name, file, f->funcs.v[i].line), file, NONE);
            }
            arena_free(&scratch);
        }
    }
}

/* What is registered for the exit and for signals runs in the main thread (Python library reference, "atexit" and
 * "signal"). */
static void roots_main(Program *p)
{
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++) {
        Root *r = &p->roots.v[i];
        Str ext = r->call == NONE ? S("") : path_external(p, r->file, p->facts[r->file]->calls.v[r->call].callee);
        r->main = str_is(ext, "atexit.register") ? MAIN_EXIT : str_is(ext, "signal.signal") ? MAIN_SIGNAL : MAIN_NOT;
    }
}

/* Do two blocks belong to different branches of one test? */
static bool branches_part(const Facts *f, u32 one, u32 other)
{
    for (; one != NONE; one = f->blocks.v[one].parent) {
        const Block *a = &f->blocks.v[one];
        if (a->cond == NONE) continue;
        for (u32 i = other; i != NONE; i = f->blocks.v[i].parent)
            if (f->blocks.v[i].cond == a->cond && f->blocks.v[i].kind != a->kind) return true;
    }
    return false;
}

/* Does the block stand in the else of `if __name__ == "__main__"`? */
static bool in_main_else(const Facts *f, u32 block)
{
    for (; block != NONE; block = f->blocks.v[block].parent) {
        const Block *b = &f->blocks.v[block];
        if (b->kind != BLOCK_ELSE || b->cond == NONE) continue;
        Span head = f->conds.v[b->cond].head;
        if (str_contains(str_slice(f->source->text, head.start, head.end), S("__main__"))) return true;
    }
    return false;
}

/* if quick: Worker(a) else: Worker(b), main() and what a module does instead when it is imported: does only one of
 * the two calls run? */
static bool one_of_two(const Facts *f, const Call *a, const Call *b)
{
    if (a->func != b->func)
        return (a->func == 0 && in_main_else(f, a->block)) || (b->func == 0 && in_main_else(f, b->block));
    return branches_part(f, a->block, b->block);
}

/* progress.thread = Progress() in one function and in another: does a global hold it that another call that was seen
 * binds as well? Then there is one at a time. */
static bool kept_again(const Program *p, Arena *scratch, Map *keepers, u32 file, const Call *c, u32 gclass)
{
    const Facts *f = p->facts[file];
    if (c->target == NONE || f->blocks.v[c->block].repeats) return false;
    Ent e = path_entity(p, file, c->target);
    if (e.kind != ENT_PLACE || p->places.v[e.id].kind != PLACE_GLOBAL) return false;
    u32 *seen = map_at(scratch, keepers, map_key(gclass, e.id));
    bool again = *seen != NONE;
    *seen = 1;
    return again;
}

/* Is it in the body of a for loop, or in a comprehension? A while loop may wait for the last one before it goes on,
 * as one that connects again does. */
static bool in_rounds(const Facts *f, u32 block)
{
    for (u32 b = block; b != NONE && f->blocks.v[b].repeats; b = f->blocks.v[b].parent) {
        const Block *x = &f->blocks.v[b];
        if (x->kind == BLOCK_COMPREHENSION || (x->kind == BLOCK_LOOP && x->cond == NONE)) return true;
    }
    return false;
}

/* for _ in range(n): self.add_worker(): which functions of ours does a loop call, by global func? */
static bool *called_in_rounds(Program *p, Arena *scratch)
{
    enum { METHODS = 8 };
    u32 own[METHODS];
    bool *out = arena_new(scratch, bool, p->state->nfuncs + 1);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n && !p->tests[file]; i++) {
            const Call *c = &f->calls.v[i];
            if (!f->blocks.v[c->block].repeats || !in_rounds(f, c->block) || joined_in_round(f, c)) continue;
            Ent e = path_entity(p, file, c->callee);
            if (e.kind == ENT_FUNC) out[e.id] = true;
            const Path *q = &f->paths.v[c->callee];
            if (q->root != ROOT_SELF || q->nattr != 1) continue;
            u32 n = self_methods(p, file, c->func, str_c(scratch, path_last(f, q)), own, METHODS);
            for (u32 k = 0; k < n; k++) out[own[k]] = true;
        }
    }
    return out;
}

/* Does the function that has the call make one each time, and not wait for it? Conditions may keep it from that. */
static bool made_each_time(const Facts *f, const Call *c)
{
    const Func *fn = &f->funcs.v[c->func];
    u32 b = c->block;
    while (b != fn->block && (f->blocks.v[b].kind == BLOCK_WITH || f->blocks.v[b].kind == BLOCK_TRY))
        b = f->blocks.v[b].parent;
    if (b != fn->block) return false;
    for (u32 i = fn->block; i < f->blocks.n && f->blocks.v[i].span.start < c->span.start; i++)
        if (f->blocks.v[i].func == c->func && f->blocks.v[i].exits && f->blocks.v[i].span.end < c->span.start)
            return false;
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        Str name = call_last(f, &f->calls.v[i]);
        if (str_is(name, "join") || str_is(name, "wait")) return false; /* for this one, or the one before */
    }
    return true;
}

/* How often, and whether in a loop, objects of each class are made. What tests make of a program's classes does not
 * run in it. */
static void count_constructions(Program *p)
{
    Arena scratch = {0};
    Map keepers = {0};
    Map before = {0}; /* file and class → the last call that makes one there */
    const bool *rounds = called_in_rounds(p, &scratch);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        bool test = p->tests[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            Ent e = path_entity(p, file, f->calls.v[i].callee);
            u32 at = NONE;
            if (e.kind == ENT_CLASS) program_class(p, e.id, &at);
            if (at == NONE || (test && !p->tests[at])) continue;
            const Call *c = &f->calls.v[i];
            bool repeats = f->blocks.v[c->block].repeats ||
                           (rounds[gfunc_of(p, file, c->func)] && class_is_thread(p, e.id) && made_each_time(f, c));
            if (kept_again(p, &scratch, &keepers, file, c, e.id)) continue;
            u32 *last = map_at(&scratch, &before, map_key(file, e.id));
            if (repeats || *last == NONE || !one_of_two(f, &f->calls.v[*last], c))
                p->state->classes[e.id].made_at += repeats ? 2 : 1;
            *last = i;
        }
    }
    arena_free(&scratch);
}

void roots_find(Program *p)
{
    rows_index(p);
    p->root_used = arena_new(p->arena, bool, p->options->roots.n + p->options->extend_roots.n + 1);
    vec_push(p->arena, &p->roots,
             (Root){.func = NONE, .display = S("the main thread"), .file = NONE, .call = NONE, .self = NONE});
    vec_push(p->arena, &p->roots,
             (Root){.func = NONE,
                    .many = true,
                    .display = S("any thread of a program that uses this code"),
                    .file = NONE,
                    .call = NONE,
                    .self = NONE});
    count_constructions(p);
    for (u32 file = 0; file < p->nfiles; file++) {
        for (u32 i = 0; i < p->facts[file]->calls.n; i++) roots_of_call(p, file, i);
        for (u32 i = 1; i < p->facts[file]->funcs.n; i++)
            if (p->facts[file]->funcs.v[i].ndecorators) roots_of_decorators(p, file, i);
        for (u32 i = 0; i < p->facts[file]->defs.n; i++) roots_of_def(p, file, i);
    }
    roots_named(p);
    bool serial = serial_server(p);
    for (u32 c = 0; c < p->state->nclasses; c++) roots_of_class(p, c, serial);
    roots_moved(p);
    roots_green(p);
    roots_main(p);
    p->concurrent = p->roots.n > ROOT_API + 1;
}
