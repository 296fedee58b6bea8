/* `ungil doctor [PYTHON]`: asks an interpreter what it is, finds out what turned its GIL on, looks at what is
 * installed beside it, and with --import at what modules do to it. */
#include "ready/doctor.h"
#include "ready/ready.h"

/* What turned the GIL on in a build that could do without; empty where it is off, or the build has no choice. */
static bool cause_find(Arena *a, Diagnosis *d, Question q, Err *e)
{
    Answer bare;
    Buf names = {0};
    if (!d->here.build || !d->here.gil) return true;
    if (d->here.flag == 1) {
        d->cause = S("PYTHON_GIL or -X gil asks for it");
        return true;
    }
    q.no_site = true;
    if (!interpreter_ask(a, &q, &bare, e)) return false;
    for (u32 i = 0; i < d->here.extensions.n; i++)
        buf_fmt(&names, "%s%.*s", i ? ", " : "", STR_ARG(d->here.extensions.v[i]));
    bool by_site = bare.answered && !bare.gil;
    d->cause =
        by_site
            ? str_fmt(a, "a .pth file, sitecustomize or usercustomize imports an extension module that needs it%s%s",
                      names.n ? "; loaded are " : "", names.n ? names.p : "")
            : S("it is on although nothing was imported");
    buf_free(&names);
    return true;
}

static void accused_add(Arena *a, Installed *x, const Dep *d)
{
    const Extension *bad = extension_accused(d);
    bool all = true;
    if (!d->extensions.n) return;
    x->with_extensions++;
    for (u32 i = 0; i < d->extensions.n; i++) all &= d->extensions.v[i].declared == DECLARED_YES;
    if (bad)
        vec_push(a, &x->accused, str_fmt(a, "%.*s (%.*s)", STR_ARG(d->name), STR_ARG(bad->path)));
    else if (all)
        x->declared++;
    else
        x->unknown++;
}

/* Reads what is installed in the interpreter's directories, as `ungil deps` does. */
static void installed_look(Arena *a, const Options *given, Diagnosis *d)
{
    NoteVec ignored = {0}; /* `ungil deps DIRECTORY` tells them */
    for (u32 i = 0; i < d->here.directories.n; i++) {
        Options o = *given;
        Err e = {0};
        o.command = CMD_DEPS;
        o.root = d->here.directories.v[i];
        o.args = (StrVec){0};
        vec_push(a, &o.args, o.root);
        Gather g = {.a = a, .o = &o, .notes = &ignored};
        if (!gather_paths(&g, &e)) continue; /* the directory need not exist */
        for (u32 k = 0; k < g.deps.n; k++) {
            if (g.deps.v[k].kind != DEP_INSTALLED) continue;
            d->installed.packages++;
            accused_add(a, &d->installed, &g.deps.v[k]);
        }
    }
}

static bool refuse(const Diagnosis *d, Str problem, Err *e)
{
    return err_set(e, "%s is no Python that can be asked: %.*s", d->python, STR_ARG(problem));
}

/* Asks it as it runs here, and without PYTHON_GIL. That variable may keep it from starting at all. */
static bool interpreter_examine(Arena *a, Diagnosis *d, Question q, Err *e)
{
    if (!interpreter_ask(a, &q, &d->here, e)) return false;
    d->plain = d->here;
    if (!d->variable) return d->here.answered || refuse(d, d->here.problem, e);
    q.unset = true;
    if (!interpreter_ask(a, &q, &d->plain, e)) return false;
    return d->plain.answered || refuse(d, d->plain.problem, e);
}

static bool imports_try(Arena *a, const Options *o, Diagnosis *d, Question q, Err *e)
{
    q.unset = true;
    for (u32 i = 0; i < o->imports.n; i++)
        if (!import_try(a, &q, o->imports.v[i], vec_add(a, &d->imports), e)) return false;
    return true;
}

int doctor_run(Arena *a, const Options *o, Err *e)
{
    Diagnosis d = {.python = o->args.n ? str_c(a, o->args.v[0]) : "python3", .variable = getenv("PYTHON_GIL")};
    Question q = {.python = d.python, .seconds = o->time_limit};
    Buf out = {0};
    if (d.variable && !*d.variable) d.variable = NULL; /* Python takes an empty value for none */
    if (!interpreter_examine(a, &d, q, e) || !cause_find(a, &d, q, e)) return 2;
    if (d.plain.build) installed_look(a, o, &d);
    if (!imports_try(a, o, &d, q, e)) return 2;
    if (o->format == FMT_JSON)
        diagnosis_json(a, &out, &d);
    else
        diagnosis_text(a, &out, o, &d);
    bool ok = emit_text(o, buf_view(&out), e);
    buf_free(&out);
    return ok ? !diagnosis_well(&d) : 2;
}
