/* gevent and eventlet, once they have replaced threading, run "threads" one at a time, in one thread. */
#include "link/link.h"

/* if not os.environ.get("NO_PATCH"): … is what happens unless somebody asks for the other. */
static bool unless_asked(const Program *p, u32 file, u32 cond)
{
    const Facts *f = p->facts[file];
    Span head = f->conds.v[cond].head;
    Str text = str_slice(f->source->text, head.start, head.end);
    if (!str_starts(text, S("not ")) && !str_contains(text, S(" not in "))) return false;
    if (str_contains(text, S("os.environ"))) return true;
    for (u32 i = f->funcs.v[0].calls; i < f->funcs.v[0].calls + f->funcs.v[0].ncalls; i++) {
        const Call *c = &f->calls.v[i];
        if (span_within(c->span, head) && str_is(path_external(p, file, c->callee), "os.getenv")) return true;
    }
    return false;
}

/* if options.server == "gevent": … : one way of several to run the program. */
static bool by_choice(const Program *p, u32 file, u32 block)
{
    const Facts *f = p->facts[file];
    for (; block != NONE; block = f->blocks.v[block].parent) {
        const Block *b = &f->blocks.v[block];
        if (b->kind == BLOCK_ELSE || b->kind == BLOCK_CASE) return true;
        if (b->kind == BLOCK_THEN && (b->cond == NONE || !unless_asked(p, file, b->cond))) return true;
    }
    return false;
}

/* Does the body of the file have gevent or eventlet replace threads? */
static bool makes_threads_green(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->calls.n; i++) {
        if (f->calls.v[i].func != 0) continue;
        Str ext = path_external(p, file, f->calls.v[i].callee);
        if (!str_is(ext, "gevent.monkey.patch_all") && !str_is(ext, "gevent.monkey.patch_thread") &&
            !str_is(ext, "eventlet.monkey_patch"))
            continue;
        if (!by_choice(p, file, f->calls.v[i].block)) return true;
    }
    return false;
}

/* Does an import that the module always does, in no function or try, bring them? Others are one way of several. */
static bool imports_greenlets(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    for (u32 i = 0; i < f->imports.n; i++) {
        const Import *im = &f->imports.v[i];
        Str module = sym_str(f, im->module);
        if (im->func || !(str_starts(module, S("gevent")) || str_starts(module, S("eventlet")))) continue;
        bool tried = false;
        for (u32 b = 0; b < f->blocks.n && !tried; b++)
            tried = f->blocks.v[b].kind == BLOCK_TRY && span_within(im->span, f->blocks.v[b].span);
        if (!tried) return true;
    }
    return false;
}

static bool makes_green(const Program *p, u32 file)
{
    return imports_greenlets(p, file) && makes_threads_green(p, file);
}

bool greenlet_code(const Program *p, u32 file)
{
    if (makes_green(p, file)) return true;
    bool threads = uses_threads(p, file);
    if (!threads && imports_greenlets(p, file)) return true;
    Str module = p->facts[file]->source->module;
    for (size_t dot = str_rfind(module, '.'); dot < module.n; dot = str_rfind(module, '.')) {
        module = str_slice(module, 0, dot);
        u32 package = module_find(p, module);
        if (package == NONE || !imports_greenlets(p, package)) continue;
        if (makes_threads_green(p, package) || (!threads && !uses_threads(p, package))) return true;
    }
    return false;
}

void roots_green(Program *p)
{
    bool program = false;
    for (u32 file = 0; file < p->nfiles && !program; file++) program = makes_green(p, file);
    if (!program) return;
    u32 n = ROOT_API + 1;
    for (u32 i = n; i < p->roots.n; i++) {
        const Root *r = &p->roots.v[i];
        Str ext = r->call == NONE ? S("") : path_external(p, r->file, p->facts[r->file]->calls.v[r->call].callee);
        bool green = str_starts(ext, S("threading.")) || str_starts(ext, S("thread.")) ||
                     str_starts(ext, S("_thread.")) || str_contains(r->display, S("(Thread subclass)")) ||
                     str_contains(r->display, S("Thread(target="));
        if (!green && !greenlet_code(p, r->file)) p->roots.v[n++] = p->roots.v[i];
    }
    p->roots.n = n;
}
