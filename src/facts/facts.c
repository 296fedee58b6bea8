/* Collects the facts of one file: names first, then every function's code, then aliases and comments.
 * Needs a parsed tree; fills a Facts whose ids count within the file; keeps nothing of the tree. */
#include "facts/walk.h"

/* Control of recursion for trees as deep as the parser allows is in expr.c and stmt.c. */

static void errors_collect(Walk *w)
{
    u32 line, column, lines = 0;
    for (u32 n = 0; n < w->t.n; n++) {
        const Node *x = &w->t.v[n];
        if (!x->error) continue;
        vec_push(w->a, &w->f->errors, (Span){x->start, x->end});
        w->f->funcs.v[w->node_owner[n]].has_error = true;
        if (lines++) continue;
        source_position(w->src, x->start, &line, &column);
        vec_push(w->a, &w->f->notes,
                 (Note){w->src->path, line, "syntax-error",
                        S("this is not Python that the grammar knows; code around it is analysed, the function that "
                          "contains it is never edited")});
    }
}

static int flow_cmp(const void *a, const void *b)
{
    const Flow *x = a, *y = b;
    if (x->to != y->to) return x->to < y->to ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* Keeps the flows that end where they began: the same object is read and then written. Sorts them by their ends. */
static void flows_filter(Facts *f)
{
    u32 n = 0;
    for (u32 i = 0; i < f->flows.n; i++) {
        Flow x = f->flows.v[i];
        if (f->accesses.v[x.from].path == f->accesses.v[x.to].path) f->flows.v[n++] = x;
    }
    f->flows.n = n;
    if (n) qsort(f->flows.v, n, sizeof *f->flows.v, flow_cmp);
}

static bool calls_own(const Facts *f, const Call *c)
{
    const Path *p = &f->paths.v[c->callee];
    if (p->root != ROOT_GLOBAL || p->nattr) return false;
    for (u32 i = 0; i < f->funcs.n; i++)
        if (f->funcs.v[i].name == p->name && f->funcs.v[i].parent == 0 && f->funcs.v[i].cls == NONE && i) return true;
    return false;
}

/* while True: schedule.run_pending(), app.mainloop(): whoever imports the module does not come back. */
static bool stays(const Facts *f, const Call *c)
{
    static const char *const loops[] = {"mainloop", "serve_forever", "run_forever"};
    const Path *x = &f->paths.v[c->callee];
    if (x->root == ROOT_CALL && !x->nattr) { /* joblib: Parallel(…)(delayed(f)(x) for x in …) */
        return str_is(call_last(f, &f->calls.v[x->func]), "Parallel");
    }
    Str name = path_is_attr(x) ? path_last(f, x) : S("");
    for (u32 i = 0; i < COUNT_OF(loops); i++)
        if (str_is(name, loops[i])) return true;
    for (u32 b = c->block; b != NONE; b = f->blocks.v[b].parent)
        if (f->blocks.v[b].kind == BLOCK_LOOP && f->blocks.v[b].cond != NONE) return true;
    return false;
}

/* A statement of the module that is a call of its own function, main(), or that has one in it beside statements that
 * are calls: print(total(rows)); or a loop that goes on. Values that a library makes once, DEFAULT = build(), do not
 * run anything. */
static bool runs_calls(const Facts *f)
{
    bool own = false, bare = false, own_bare = false;
    for (u32 i = 0; i < f->calls.n && !own_bare; i++) {
        const Call *c = &f->calls.v[i];
        if (c->func != 0 || c->is_decorator) continue;
        bool is_own = calls_own(f, c), is_bare = c->span.start == c->stmt;
        own |= is_own;
        bare |= is_bare;
        own_bare |= is_bare && (is_own || stays(f, c));
    }
    return own_bare || (own && bare);
}

/* Growing left holes: copies the array to its final place, at its final size. */
#define SETTLE(a, vec)                                                                                               \
    do {                                                                                                             \
        void *settled = arena_room((a), sizeof *(vec)->v, 16, (vec)->n);                                            \
        if ((vec)->n) memcpy(settled, (vec)->v, (vec)->n * sizeof *(vec)->v);                                        \
        (vec)->v = settled;                                                                                          \
        (vec)->cap = (vec)->n;                                                                                       \
    } while (0)

static Facts *facts_settle(Arena *a, const Facts *grown)
{
    Facts *f = arena_new(a, Facts, 1);
    *f = *grown;
    f->syms = intern_copy(a, &grown->syms);
    for (u32 i = 0; i < f->syms.n; i++) f->syms.strs[i] = str_dup(a, f->syms.strs[i]);
#define FACTS_VECTOR(name) SETTLE(a, &f->name);
#include "facts/vectors.def"
#undef FACTS_VECTOR
    SETTLE(a, &f->notes);
    for (u32 i = 0; i < f->notes.n; i++) f->notes.v[i].message = str_dup(a, f->notes.v[i].message);
    return f;
}

Facts *facts_collect(Arena *out, const Source *s, const Tree *tree)
{
    Arena scratch = {0};
    Ast t = ast_build(&scratch, tree);
    CHECK(t.source == s);
    Facts *f = facts_of_ast(out, &t);
    arena_free(&scratch);
    return f;
}

Facts *facts_of_ast(Arena *out, const Ast *t)
{
    Arena scratch = {0}, *a = &scratch;
    Facts *f = arena_new(a, Facts, 1);
    f->source = t->source;
    CHECK(intern(a, &f->syms, S("[]")) == SYM_ITEM && intern(a, &f->syms, S("")) == SYM_EMPTY);
    Walk w = {.a = a,
              .scratch = &scratch,
              .src = t->source,
              .f = f,
              .cls = NONE,
              .line = 1,
              .head_cond = NONE,
              .t = *t};
    names_scan(&w);
    vec_push(&scratch, &w.queue, (Pending){0, 0});
    for (u32 i = 0; i < w.queue.n; i++) walk_function(&w, w.queue.v[i]);
    aliases_resolve(&w);
    builtins_kept(&w);
    flows_filter(f);
    calls_of_attributes(&w);
    operations_of_bases(&w);
    calls_of_bound_methods(&w);
    errors_collect(&w);
    comments_collect(&w);
    f->runs_calls = runs_calls(f);
    says_collect(&w);
    f = facts_settle(out, f);
    arena_free(&scratch);
    return f;
}

Str sym_str(const Facts *f, u32 sym)
{
    return f->syms.strs[sym];
}

Str path_last(const Facts *f, const Path *x)
{
    return sym_str(f, x->nattr ? x->attr[x->nattr - 1] : x->name);
}

Str call_last(const Facts *f, const Call *c)
{
    return path_last(f, &f->paths.v[c->callee]);
}

Str path_text(Arena *a, const Facts *f, u32 path)
{
    if (path == NONE) return S("?");
    const Path *p = &f->paths.v[path];
    Buf b = {0};
    switch (p->root) {
    case ROOT_UNKNOWN: buf_c(&b, "?"); break;
    case ROOT_CALL: {
        Str callee = p->func < f->calls.n ? path_text(a, f, f->calls.v[p->func].callee) : S("?");
        buf_fmt(&b, "%.*s()", STR_ARG(callee));
        break;
    }
    case ROOT_SUPER: buf_c(&b, "super()"); break;
    case ROOT_CLS:
        if (f->funcs.v[p->func].is_classmethod)
            buf_str(&b, sym_str(f, p->name));
        else
            buf_c(&b, "type(self)");
        break;
    default: buf_str(&b, sym_str(f, p->name));
    }
    for (u32 i = 0; i < p->nattr; i++) {
        if (p->attr[i] == SYM_ITEM)
            buf_c(&b, "[…]");
        else
            buf_fmt(&b, ".%.*s", STR_ARG(sym_str(f, p->attr[i])));
    }
    if (p->truncated) buf_c(&b, "…");
    Str out = str_dup(a, buf_view(&b));
    buf_free(&b);
    return out;
}

u32 block_loop(const Facts *f, u32 block)
{
    while (block != NONE && !block_is_loop(&f->blocks.v[block])) block = f->blocks.v[block].parent;
    return block;
}

bool block_in_loop(const Facts *f, u32 block)
{
    while (block != NONE && f->blocks.v[block].kind != BLOCK_LOOP) block = f->blocks.v[block].parent;
    return block != NONE;
}

bool block_within(const Facts *f, u32 inner, u32 outer)
{
    while (inner != NONE && inner > outer) inner = f->blocks.v[inner].parent; /* made after the block around it */
    return inner != NONE && inner == outer;
}
