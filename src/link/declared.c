/* What comments at the definition of state say of it: `# guarded-by: NAME`, `# ungil: thread-confined`,
 * `# ungil: single-threaded` (docs/usage.md). NAME is a lock of the same object or class, else of the module. */
#include "link/link.h"
#include "link/locks.h"

/* The lock of that name that is nearest to the place; NONE. */
static u32 lock_named(Program *p, const Place *x, Str want)
{
    u32 found = NONE;
    bool of_self = str_starts(want, S("self."));
    if (of_self) want = str_slice(want, 5, want.n);
    for (u32 l = 0; l < p->places.n; l++) {
        const Place *y = &p->places.v[l];
        bool own = y->owner == x->owner;
        if (y->file != x->file || !(own || (y->kind == PLACE_GLOBAL && !of_self)) || !type_is_lock(y->type.kind) ||
            !str_eq(p->syms.strs[y->name], want))
            continue;
        if (own) return lock_at(p, l);
        found = lock_at(p, l);
    }
    return found;
}

static u32 definition_line(const Program *p, const Place *x)
{
    u32 line, column;
    source_position(p->facts[x->def_file]->source, p->facts[x->def_file]->defs.v[x->def].span.start, &line, &column);
    return line;
}

void declarations_apply(Program *p)
{
    for (u32 i = 0; i < p->places.n; i++) {
        Place *x = &p->places.v[i];
        const Facts *f = x->def == NONE ? NULL : p->facts[x->def_file];
        if (!f || !f->comments.n) continue;
        u32 line = definition_line(p, x);
        for (u32 k = 0; k < f->comments.n; k++) {
            const Comment *c = &f->comments.v[k];
            if (line < c->first_line || line > c->last_line) continue;
            if (c->kind == COMMENT_THREAD_CONFINED || c->kind == COMMENT_SINGLE_THREADED) x->confined = true;
            if (c->kind == COMMENT_GUARDED_BY && x->declared_guard == NONE)
                x->declared_guard = lock_named(p, x, sym_str(f, c->codes));
        }
    }
}

enum { STANDS = 1, MET = 2 }; /* at a definition of state; at one that it gave a lock to */

/* What became of the comments of each file, by the comment's index; NULL for files without any. */
static u8 **comments_met(Arena *a, const Program *p)
{
    u8 **met = arena_new(a, u8 *, p->nfiles);
    for (u32 i = 0; i < p->nfiles; i++)
        if (p->facts[i]->comments.n) met[i] = arena_new(a, u8, p->facts[i]->comments.n);
    for (u32 i = 0; i < p->places.n; i++) {
        const Place *x = &p->places.v[i];
        if (x->def == NONE || !met[x->def_file]) continue;
        const Facts *f = p->facts[x->def_file];
        u32 line = definition_line(p, x);
        for (u32 k = 0; k < f->comments.n; k++)
            if (line >= f->comments.v[k].first_line && line <= f->comments.v[k].last_line)
                met[x->def_file][k] |= x->declared_guard != NONE ? STANDS | MET : STANDS;
    }
    return met;
}

void declarations_unmet(Arena *a, const Program *p, NoteVec *notes)
{
    u8 **met = comments_met(a, p);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 k = 0; k < f->comments.n; k++) {
            const Comment *c = &f->comments.v[k];
            if (c->kind != COMMENT_GUARDED_BY || met[file][k] & MET) continue;
            bool stands = met[file][k] & STANDS;
            vec_push(a, notes,
                     (Note){.path = f->source->path,
                            .line = c->first_line,
                            .code = "guarded-by-unknown",
                            .message = stands ? str_fmt(a,
                                                        "'# guarded-by: %.*s' has no effect: no lock of that name is "
                                                        "known in the class or the module",
                                                        STR_ARG(sym_str(f, c->codes)))
                                              : S("'# guarded-by' has no effect: it stands at no definition of "
                                                  "state; write it on the line that first assigns it")});
        }
    }
}
