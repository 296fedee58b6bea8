/* Which files are the modules of a program: in a tree that is not packaged for others to use, those that a script
 * imports, and what these import in turn. Everybody who calls their functions is in sight, so that "any thread of a
 * program that uses this code" does not count for them. Only where the whole is small: in larger programs too many
 * calls lead to places that we do not see. */
#include "link/link.h"

enum { SMALL = 40 }; /* files, tests aside */

static bool whole_in_sight(const Program *p)
{
    u32 n = 0;
    for (u32 file = 0; file < p->nfiles; file++) {
        Str path = p->facts[file]->source->path;
        if (str_is(str_last(path, '/'), "setup.py")) return false;
        n += !is_test_path(path);
    }
    return n <= SMALL && !p->options->packaged;
}

/* Something that is run itself, for what the project does: not to test, build or show it. */
static bool starts_program(const Program *p, u32 file)
{
    const Facts *f = p->facts[file];
    Str path = f->source->path;
    if (!f->has_main_guard && !f->runs_calls) return false;
    return (!f->source->in_package || str_is(str_last(path, '/'), "__main__.py")) && !is_test_path(path) &&
           !is_example_path(path);
}

static u32 mark(bool *part, u32 *stack, u32 n, u32 file)
{
    if (file == NONE || part[file]) return n;
    part[file] = true;
    stack[n++] = file;
    return n;
}

void program_modules_find(Program *p)
{
    p->state->of_program = arena_new(p->arena, bool, p->nfiles + 1);
    if (!whole_in_sight(p)) return;
    u32 *stack = xmalloc((p->nfiles + 1) * sizeof *stack), n = 0;
    for (u32 file = 0; file < p->nfiles; file++)
        if (starts_program(p, file)) n = mark(p->state->of_program, stack, n, file);
    while (n) {
        u32 file = stack[--n];
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->imports.n; i++) {
            const Import *im = &f->imports.v[i];
            n = mark(p->state->of_program, stack, n, import_file(p, file, im));
            Ent e = import_target(p, file, im, 0); /* from package import module */
            if (e.kind == ENT_MODULE) n = mark(p->state->of_program, stack, n, e.id);
        }
    }
    free(stack);
}
