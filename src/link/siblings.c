/* Modules that are imported from the folder of a script: what stands in app/main.py and app/jobs.py,
 *
 *   import jobs                   main.py is run, so that its folder is the first one that Python looks into
 *   from models.user import User  app/models/base.py may say so as well: the folder is that of main.py
 *
 * is app.jobs and app.models.user by its path from the root. The folder of who imports is looked into first, then
 * those around it. Beside a file that is in no package, the module is what Python finds, whatever else has the name.
 * In a package, and further up, the name may be that of a library, as in backends/redis.py: there the module must
 * have all names that are taken from it, and it must not import one of its own name itself.
 *
 * Needs the names of all modules (modules_index). Not seen: folders that are put on sys.path. */
#include "link/link.h"

enum { NAME_MAX_LEN = 400 };

/* folder.text.name, as a module of the program; NONE. */
static u32 module_below(const Program *p, Str folder, Str text, Str name)
{
    char room[NAME_MAX_LEN];
    if (folder.n + text.n + name.n + 2 > sizeof room) return NONE;
    int n = snprintf(room, sizeof room, "%.*s%s%.*s%s%.*s", STR_ARG(folder), folder.n && text.n ? "." : "",
                     STR_ARG(text), name.n ? "." : "", STR_ARG(name));
    return module_find(p, (Str){room, (size_t)n});
}

static bool module_has(const Program *p, u32 file, u32 gs)
{
    return map_get(&p->state->module_names, map_key(file, gs)) != NONE;
}

static Str folder_of(Str module)
{
    size_t dot = str_rfind(module, '.');
    return str_slice(module, 0, dot < module.n ? dot : 0);
}

/* Does the module get another one of its own name from elsewhere? Then who is beside it does so, too. */
static bool imports_namesake(const Program *p, u32 module, Str text)
{
    const Facts *f = p->facts[module];
    for (u32 i = 0; i < f->imports.n; i++) {
        Str rest, head = str_cut(sym_str(f, f->imports.v[i].module), '.', &rest);
        if (!f->imports.v[i].level && str_eq(head, text)) return true;
    }
    return false;
}

/* Has the module every name that the importing file takes from it? */
static bool has_what_is_taken(const Program *p, u32 file, const Import *im, u32 module)
{
    const Facts *f = p->facts[file];
    if (im->star) return true;
    if (im->name != SYM_EMPTY) return module_has(p, module, gsym(p, file, im->name));
    bool any = false;
    for (u32 i = 0; i < f->paths.n; i++) {
        const Path *x = &f->paths.v[i];
        if (x->root != ROOT_GLOBAL || x->name != im->local || !x->nattr) continue;
        if (!module_has(p, module, gsym(p, file, x->attr[0]))) return false;
        any = true;
    }
    return any;
}

/* What stands at this place of the text: the module itself, or for `from folder import module` that module. */
static u32 found_below(const Program *p, u32 file, const Import *im, Str folder, Str text, bool surely)
{
    u32 module = module_below(p, folder, text, S(""));
    if (module == file || (module != NONE && imports_namesake(p, module, text))) return NONE;
    if (module != NONE) return surely || has_what_is_taken(p, file, im, module) ? module : NONE;
    return im->name == SYM_EMPTY ? NONE : module_below(p, folder, text, sym_str(p->facts[file], im->name));
}

Str sibling_module(const Program *p, u32 file, const Import *im, Str text)
{
    const Source *s = p->facts[file]->source;
    u32 tail = intern_find(&p->syms, str_last(text, '.'));
    if (tail == NONE || map_get(&p->state->module_tails, tail) == NONE) return text;
    Str name = im->name == SYM_EMPTY ? S("") : sym_str(p->facts[file], im->name);
    Str folder = str_ends(s->path, S("__init__.py")) ? s->module : folder_of(s->module);
    bool beside = !s->in_package && folder.n, absolute = module_below(p, S(""), text, S("")) != NONE;
    absolute |= name.n && module_below(p, S(""), text, name) != NONE;
    if (absolute && !beside) return text;
    for (; folder.n; folder = folder_of(folder), beside = false) {
        if (found_below(p, file, im, folder, text, beside) != NONE) return str_dot(p->arena, folder, text);
        if (absolute) break;
    }
    return text;
}

void siblings_index(Program *p)
{
    LinkState *s = p->state;
    for (u32 i = 0; i < p->nfiles; i++) {
        Str rest = p->facts[i]->source->module;
        while (rest.n) {
            Str head = str_cut(rest, '.', &rest);
            map_put(s->a, &s->module_tails, intern(s->a, &p->syms, head), 1);
        }
    }
}
