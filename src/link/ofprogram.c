/* Which files are the modules of a program: in a tree that is not packaged for others to use, those that a script
 * imports, and what these import in turn. Everybody who calls their functions is in sight, so that "any thread of a
 * program that uses this code" does not count for them. Only where the whole is small: in larger programs too many
 * calls lead to places that we do not see.
 *
 * The command line of a package that nobody imports is such a file as well, and a command of Django's. Not so a
 * module that takes locks in a program of which no thread is in sight.
 *
 * And which single modules are installed for others to import, although they can be run, too: setup.py names them,
 * py_modules=["sh"] (Setuptools guide, "Package Discovery"). */
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

/* The command line of a package: cli.py, which reads its arguments, is run itself, and starts no thread. */
static bool command_line(const Program *p, u32 file)
{
    static const char *const names[] = {"cli.py",     "__main__.py", "main.py",         "command.py",
                                        "console.py", "commands.py", "command_line.py", "commandline.py"};
    const Facts *f = p->facts[file];
    Str path = f->source->path;
    if (!f->has_main_guard || !f->source->in_package || !str_among(str_last(path, '/'), names, COUNT_OF(names)))
        return false;
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++)
        if (p->roots.v[i].call != NONE && p->roots.v[i].file == file) return false;
    return !uses_threads(p, file) && (file_imports(p, file, "argparse") || file_imports(p, file, "optparse"));
}

/* A command of Django's, which manage.py finds by its path and runs, once in its process (Django, "How to create
 * custom django-admin commands"). */
static bool django_command(Str path)
{
    return str_ends(str_folder(path), S("management/commands"));
}

/* Such files that no other file imports, tests aside: nobody else calls their functions. */
static void command_lines_find(Program *p)
{
    bool *imported = arena_new(p->state->a, bool, p->nfiles + 1);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->imports.n && !is_test_path(f->source->path); i++) {
            u32 from = import_file(p, file, &f->imports.v[i]);
            Ent e = import_target(p, file, &f->imports.v[i], 0);
            if (from != NONE && from != file) imported[from] = true;
            if (e.kind == ENT_MODULE && e.id != file) imported[e.id] = true;
        }
    }
    for (u32 file = 0; file < p->nfiles; file++)
        p->state->of_program[file] |=
            !imported[file] && (command_line(p, file) || django_command(p->facts[file]->source->path));
}

/* Does the text of a setup.py name the module among its py_modules? */
static bool names_module(Str setup, Str module)
{
    char quoted[2][80];
    snprintf(quoted[0], sizeof quoted[0], "\"%.*s\"", STR_ARG(module));
    snprintf(quoted[1], sizeof quoted[1], "'%.*s'", STR_ARG(module));
    bool list = false;
    for (Str line; str_line(&setup, &line);) {
        list |= str_contains(line, S("py_modules"));
        if (list && (str_contains(line, str_from(quoted[0])) || str_contains(line, str_from(quoted[1])))) return true;
        if (str_contains(line, S("]"))) list = false;
    }
    return false;
}

static void installed_modules_find(Program *p)
{
    p->state->installed = arena_new(p->arena, bool, p->nfiles + 1);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Source *setup = p->facts[file]->source;
        if (!str_is(str_last(setup->path, '/'), "setup.py") || !str_contains(setup->text, S("py_modules"))) continue;
        Str dir = str_slice(setup->path, 0, setup->path.n - strlen("setup.py"));
        for (u32 i = 0; i < p->nfiles; i++) {
            Str path = p->facts[i]->source->path, name = str_last(path, '/');
            if (i == file || name.n + dir.n != path.n || !str_starts(path, dir) || !str_ends(name, S(".py")))
                continue;
            p->state->installed[i] = names_module(setup->text, str_slice(name, 0, name.n - 3));
        }
    }
}

bool locks_for_unseen(const Program *p, u32 file)
{
    static const char *const makers[] = {"Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition"};
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++)
        if (p->roots.v[i].file == NONE || !p->tests[p->roots.v[i].file]) return false;
    if (!file_imports(p, file, "threading") || p->tests[file]) return false;
    for (u32 i = 0; i < COUNT_OF(makers); i++)
        if (intern_find(&p->facts[file]->syms, str_from(makers[i])) != NONE) return true;
    return false;
}

void program_modules_find(Program *p)
{
    installed_modules_find(p);
    p->state->of_program = arena_new(p->arena, bool, p->nfiles + 1);
    command_lines_find(p);
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
    for (u32 file = 0; file < p->nfiles; file++) p->state->of_program[file] &= !locks_for_unseen(p, file);
}
