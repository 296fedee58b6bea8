/* UG503: a test that does not tell whether the interpreter is free-threaded.
 *
 * The Python howto "Python support for free threading" names sysconfig.get_config_var("Py_GIL_DISABLED") for the
 * build and sys._is_gil_enabled() for the running process. How the build was configured or compiled says neither. */
#include "races/races.h"

static bool speaks_of_gil(Str s)
{
    static const char *const words[] = {"gil", "free_thread", "free-thread", "freethread", "free thread"};
    return str_has_any(s, words, COUNT_OF(words));
}

static bool wrong_variable(Str text)
{
    static const char *const names[] = {
        "CONFIGURE_CFLAGS", "CONFIG_ARGS",    "CFLAGS",   "PY_CFLAGS", "CONFIGURE_CPPFLAGS",
        "CPPFLAGS",         "PY_CORE_CFLAGS", "ABIFLAGS", "SOABI",     "EXT_SUFFIX"};
    text = str_slice(text, 1, text.n ? text.n - 1 : 0);
    return str_among(text, names, COUNT_OF(names));
}

/* The function round it, or the line when it stands at module level: is it about the GIL? */
static Str surroundings(const Facts *f, const Call *c)
{
    if (c->func) return str_slice(f->source->text, f->funcs.v[c->func].span.start, f->funcs.v[c->func].span.end);
    u32 from = c->line > 2 ? c->line - 2 : 0, to = MIN(c->line + 2, f->source->nlines);
    u32 end = to < f->source->nlines ? f->source->line_start[to] : (u32)f->source->text.n;
    return str_slice(f->source->text, f->source->line_start[from], end);
}

void race_build(Finder *f, u32 file)
{
    const Facts *x = f->p->facts[file];
    for (u32 i = 0; i < x->calls.n; i++) {
        const Call *c = &x->calls.v[i];
        if (!c->nargs) continue;
        const Path *callee = &x->paths.v[c->callee];
        Str name = path_last(x, callee);
        bool get = str_is(name, "get_config_var") ||
                   (str_is(name, "get") && str_contains(path_text(f->a, x, c->callee), S("get_config_vars")));
        if (!get || x->args.v[c->args].kind != VAL_STRING || !wrong_variable(sym_str(x, x->args.v[c->args].text)))
            continue;
        if (!speaks_of_gil(surroundings(x, c))) continue;
        Race *r = race_at(f, UG503, file, c->func, c->span, S("sysconfig"), CONF_HIGH);
        r->call = f->p->call_base[file] + i;
        race_message(f, r,
                     "%.*s does not tell whether this is a free-threaded build; "
                     "sysconfig.get_config_var(\"Py_GIL_DISABLED\") does, and "
                     "sys._is_gil_enabled() tells whether the GIL is on now",
                     STR_ARG(sym_str(x, x->args.v[c->args].text)));
    }
}
