/* Questions about results that several outputs ask. */
#include "emit/emit.h"

const Fix *race_fix(const Results *r, const Race *race)
{
    return r->fixes && race->fix != NONE && race->fix < r->fixes->fixes.n ? &r->fixes->fixes.v[race->fix] : NULL;
}

bool fix_writes(const Results *r, const Fix *f)
{
    if (!f || f->declined || !f->intents.n) return false;
    return f->safety == FIX_SAFE || (f->safety == FIX_UNSAFE && r->options->unsafe_fixes);
}

Counts results_count(const Results *r)
{
    Counts c = {0};
    u32 last = NONE;
    for (u32 i = 0; i < r->races->n; i++) {
        const Race *race = &r->races->v[i];
        const Fix *f = race_fix(r, race);
        c.known += race->known;
        if (race->suppressed) continue;
        c.findings++;
        c.serious += race->severity != SEV_NOTE;
        c.high += race->confidence == CONF_HIGH;
        c.medium += race->confidence == CONF_MEDIUM;
        c.low += race->confidence == CONF_LOW;
        c.files += race->file != last;
        last = race->file;
        c.fixable += fix_writes(r, f);
        c.unsafe += f && !f->declined && f->safety == FIX_UNSAFE && !fix_writes(r, f);
    }
    for (u32 i = 0; i < r->sources->n; i++) {
        const Source *s = r->sources->v[i];
        c.lines += s->nlines - (s->line_start[s->nlines - 1] == s->text.n);
        c.bytes += s->text.n;
    }
    return c;
}

/* Does the note tell of a whole file that was left out? Only of bytes that are no UTF-8 it names a line. */
static bool leaves_file_out(const Note *n)
{
    return n->path.n && (!n->line || strcmp(n->code, "not-utf8") == 0);
}

void results_unseen(const Results *r, u32 out[UNSEEN_COUNT])
{
    for (u32 k = 0; k < UNSEEN_COUNT; k++) out[k] = r->program->unseen[k];
    for (u32 i = 0; i < r->notes->n; i++) out[UNSEEN_FILE] += leaves_file_out(&r->notes->v[i]);
}

const Source *file_source(const Results *r, u32 file)
{
    return file < r->sources->n ? r->sources->v[file] : r->baseline;
}

const char *access_word(const Access *x)
{
    switch (x->op) {
    case OP_STORE:
    case OP_DEL:
    case OP_ITEM_STORE:
    case OP_ITEM_DEL: return "write";
    case OP_AUG:
    case OP_ITEM_AUG: return "update";
    case OP_METHOD: return "call";
    case OP_ITER: return "iterate";
    case OP_CONTAINS:
    case OP_TRUTH:
    case OP_HASATTR: return "test";
    default: return x->test != TEST_NO ? "test" : "read";
    }
}

static const FuncInfo *access_info(const Results *r, u32 gaccess)
{
    return &r->program->funcs[access_func(r->program, gaccess)];
}

const LockSet *access_lockset(const Results *r, u32 gaccess)
{
    return &r->program->locksets.v[r->program->access_locks[gaccess]];
}

static Str root_name(const Results *r, u32 root, const char *otherwise)
{
    Str s = root < r->program->roots.n ? r->program->roots.v[root].display : (Str){0};
    return s.n ? s : str_from(otherwise);
}

u32 site_roots(const Results *r, u32 gaccess, Str out[SITE_ROOTS])
{
    const FuncInfo *f = access_info(r, gaccess);
    u32 n = 0, coming = roots_coming(r->program, gaccess);
    for (u32 i = 0; i < f->nroots; i++)
        if (coming & 1u << i) out[n++] = root_name(r, f->roots[i], "a thread");
    if (f->api) out[n++] = root_name(r, ROOT_API, "any caller");
    if (f->main || !n) out[n++] = root_name(r, ROOT_MAIN, "main program");
    return n;
}

bool same_site(const Results *r, u32 g1, u32 g2)
{
    if (g1 == g2) return true;
    const Access *x = program_access(r->program, g1), *y = program_access(r->program, g2);
    return access_gid(r->program, g1).file == access_gid(r->program, g2).file && x->line == y->line &&
           x->column == y->column;
}

int exit_status(const Results *r, bool something)
{
    return something && !r->options->exit_zero;
}

void fix_changes(Arena *a, const Results *r, u32 fix, ChangeVec *out)
{
    Wanted w = {.unsafe = true, .only = &fix, .nonly = 1};
    edits_make(a, r->program, r->fixes, &w, out);
}
