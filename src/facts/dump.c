/* The facts of one file as text: one line each, in source order; the golden format of --dump=facts. */
#include "pipeline.h"

const char *const op_name[OP_COUNT] = {"load",     "store",    "del",    "aug",    "item-load", "item-store",
                                       "item-del", "item-aug", "method", "c-read", "contains",  "iter",
                                       "truth",    "hasattr",  "arg",    "return"};
const char *const block_name[] = {"func",   "class",   "then", "else", "loop",          "try",
                                  "except", "finally", "with", "case", "comprehension", "main"};
static const char *const test_name[] = {"", "true", "false", "none", "not-none", "in", "not-in", "compare"};
static const char *const value_name[] = {"other", "none", "bool",  "number",    "string",   "list",
                                         "dict",  "set",  "tuple", "generator", "lambda",   "path",
                                         "call",  "func", "class", "iter-of",   "enter-of", "one-of"};
static const char *const section_name[] = {"with", "acquire", "async-with", "calls"};
static const char *const comment_name[] = {"ignore",     "file-ignore",     "noqa",
                                           "guarded-by", "thread-confined", "single-threaded"};

#define NAMES_ALL(names, last) _Static_assert(COUNT_OF(names) == (last) + 1, "a name for each of them")
NAMES_ALL(block_name, BLOCK_MAIN);
NAMES_ALL(test_name, TEST_COMPARE);
NAMES_ALL(value_name, VAL_ONE_OF);
NAMES_ALL(section_name, SECTION_CALLS);
NAMES_ALL(comment_name, COMMENT_SINGLE_THREADED);

static void dump_func(Buf *out, Arena *a, const Facts *f, u32 id)
{
    const Func *x = &f->funcs.v[id];
    buf_fmt(out, "func %u %.*s line %u parent %u", id, STR_ARG(sym_str(f, x->name)), x->line, x->parent);
    if (x->cls != NONE) buf_fmt(out, " class %u", x->cls);
    if (x->is_async) buf_c(out, " async");
    if (x->is_generator) buf_c(out, " generator");
    if (x->is_static) buf_c(out, " static");
    if (x->is_classmethod) buf_c(out, " classmethod");
    if (x->is_property) buf_c(out, " property");
    if (x->has_error) buf_c(out, " syntax-error");
    for (u32 i = 0; i < x->nparams; i++)
        buf_fmt(out, "%s%.*s", i ? "," : " params ", STR_ARG(sym_str(f, f->params.v[x->params + i].name)));
    for (u32 i = 0; i < x->ndecorators; i++) {
        Str d = path_text(a, f, f->decorators.v[x->decorators + i]);
        buf_fmt(out, " @%.*s", STR_ARG(d));
    }
    buf_char(out, '\n');
}

static void dump_access(Buf *out, Arena *a, const Facts *f, u32 id)
{
    const Access *x = &f->accesses.v[id];
    Str p = path_text(a, f, x->path);
    buf_fmt(out, "access %u %u:%u %s %.*s", id, x->line, x->column, op_name[x->op], STR_ARG(p));
    if (x->method) buf_fmt(out, " by %.*s", STR_ARG(sym_str(f, x->method)));
    if (x->key != SYM_EMPTY) buf_fmt(out, " key %.*s", STR_ARG(sym_str(f, x->key)));
    buf_fmt(out, " func %u block %u", x->func, x->block);
    if (x->cond != NONE) buf_fmt(out, " cond %u %s", x->cond, test_name[x->test]);
    if (x->local != SYM_EMPTY) buf_fmt(out, " into %.*s", STR_ARG(sym_str(f, x->local)));
    if (x->awaited) buf_c(out, " awaited");
    buf_char(out, '\n');
}

static void dump_call(Buf *out, Arena *a, const Facts *f, u32 id)
{
    const Call *c = &f->calls.v[id];
    Str p = path_text(a, f, c->callee);
    buf_fmt(out, "call %u %u:%u %.*s func %u args %u", id, c->line, c->column, STR_ARG(p), c->func, c->nargs);
    for (u32 i = 0; i < c->nargs; i++) {
        const Arg *g = &f->args.v[c->args + i];
        if (g->keyword != SYM_EMPTY)
            buf_fmt(out, " %.*s=", STR_ARG(sym_str(f, g->keyword)));
        else
            buf_char(out, ' ');
        Str v = g->kind == VAL_PATH ? path_text(a, f, g->value) : str_from(value_name[g->kind]);
        buf_str(out, v);
    }
    if (c->target != NONE) {
        Str t = path_text(a, f, c->target);
        buf_fmt(out, " to %.*s", STR_ARG(t));
    }
    buf_char(out, '\n');
}

static void dump_def(Buf *out, Arena *a, const Facts *f, u32 id)
{
    const Def *d = &f->defs.v[id];
    Str p = d->is_return ? S("return") : path_text(a, f, d->path);
    buf_fmt(out, "def %u %.*s = %s", id, STR_ARG(p), value_name[d->kind]);
    if (d->kind == VAL_PATH || d->kind == VAL_ITER_OF || d->kind == VAL_ENTER_OF || d->kind == VAL_ONE_OF) {
        Str v = path_text(a, f, d->value);
        buf_fmt(out, " %.*s", STR_ARG(v));
    } else if (d->value != NONE) {
        buf_fmt(out, " %u", d->value);
    }
    if (d->annotation != NONE) {
        Str t = path_text(a, f, d->annotation);
        buf_fmt(out, " : %.*s", STR_ARG(t));
    }
    buf_fmt(out, " func %u%s%s\n", d->func, d->augmented ? " augmented" : "", d->empty ? " empty" : "");
}

static void dump_blocks(Buf *out, const Facts *f)
{
    for (u32 i = 0; i < f->blocks.n; i++) {
        const Block *b = &f->blocks.v[i];
        buf_fmt(out, "block %u %s func %u %u-%u", i, block_name[b->kind], b->func, b->span.start, b->span.end);
        if (b->parent != NONE) buf_fmt(out, " in %u", b->parent);
        if (b->cond != NONE) buf_fmt(out, " cond %u", b->cond);
        if (b->catches != SYM_EMPTY) buf_fmt(out, " catches %.*s", STR_ARG(sym_str(f, b->catches)));
        buf_fmt(out, "%s%s\n", b->exits ? " exits" : "", b->repeats ? " repeats" : "");
    }
}

void facts_dump(Buf *out, const Facts *f)
{
    Arena a = {0};
    buf_fmt(out, "file %.*s module %.*s\n", STR_ARG(f->source->path), STR_ARG(f->source->module));
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *x = &f->imports.v[i];
        buf_fmt(out, "import %.*s from level %u module %.*s name %.*s%s\n", STR_ARG(sym_str(f, x->local)), x->level,
                STR_ARG(sym_str(f, x->module)), STR_ARG(sym_str(f, x->name)), x->star ? " star" : "");
    }
    for (u32 i = 0; i < f->classes.n; i++) {
        const Class *c = &f->classes.v[i];
        buf_fmt(out, "class %u %.*s line %u", i, STR_ARG(sym_str(f, c->name)), c->line);
        for (u32 j = 0; j < c->nbases; j++) {
            Str b = path_text(&a, f, f->bases.v[c->bases + j]);
            buf_fmt(out, "%s%.*s", j ? "," : " bases ", STR_ARG(b));
        }
        buf_char(out, '\n');
    }
    for (u32 i = 0; i < f->funcs.n; i++) dump_func(out, &a, f, i);
    dump_blocks(out, f);
    for (u32 i = 0; i < f->accesses.n; i++) dump_access(out, &a, f, i);
    for (u32 i = 0; i < f->flows.n; i++) buf_fmt(out, "flow %u -> %u\n", f->flows.v[i].from, f->flows.v[i].to);
    for (u32 i = 0; i < f->calls.n; i++) dump_call(out, &a, f, i);
    for (u32 i = 0; i < f->defs.n; i++) dump_def(out, &a, f, i);
    for (u32 i = 0; i < f->sections.n; i++) {
        const Section *s = &f->sections.v[i];
        Str p = path_text(&a, f, s->path);
        buf_fmt(out, "section %u %s %.*s func %u %u-%u%s\n", i, section_name[s->kind], STR_ARG(p), s->func,
                s->span.start, s->span.end, s->finally ? "" : " no-finally");
    }
    for (u32 i = 0; i < f->comments.n; i++) {
        const Comment *c = &f->comments.v[i];
        buf_fmt(out, "comment %s %u covers %u-%u codes %.*s reason %.*s\n", comment_name[c->kind], c->line,
                c->first_line, c->last_line, STR_ARG(sym_str(f, c->codes)), STR_ARG(sym_str(f, c->reason)));
    }
    arena_free(&a);
}
