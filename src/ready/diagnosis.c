/* What `ungil doctor` found, as text and as JSON. */
#include "ready/doctor.h"
#include "emit/emit.h"
#include "emit/json.h"

static bool import_well(const ImportTrial *t)
{
    return t->answered && !t->problem.n && !t->after;
}

bool diagnosis_well(const Diagnosis *d)
{
    bool well = d->here.answered && d->here.build && !d->here.gil;
    for (u32 i = 0; i < d->imports.n; i++) well &= import_well(&d->imports.v[i]);
    return well;
}

/* Whether all is well, as a sentence. */
static Str diagnosis_verdict(Arena *a, const Diagnosis *d)
{
    if (!d->here.answered)
        return str_fmt(a, "it does not run with PYTHON_GIL=%s: %.*s", d->variable, STR_ARG(d->here.problem));
    if (!d->here.build) return S("not free-threaded: this build cannot run without the GIL");
    if (d->here.gil) return str_fmt(a, "free-threaded, but the GIL is on: %.*s", STR_ARG(d->cause));
    for (u32 i = 0; i < d->imports.n; i++) {
        const ImportTrial *t = &d->imports.v[i];
        if (!t->answered || t->problem.n)
            return str_fmt(a, "free-threaded, and the GIL is off; the import of %.*s failed", STR_ARG(t->name));
        if (t->after) return str_fmt(a, "free-threaded, and the GIL is off until %.*s is imported", STR_ARG(t->name));
    }
    return S("free-threaded, and the GIL is off");
}

/* ---- text --------------------------------------------------------------------------------------------------- */

static void row_put(Buf *out, const char *label, Str value)
{
    buf_fmt(out, "%-12s ", label);
    safe_put(out, value);
    buf_char(out, '\n');
}

static Str state_word(const Answer *x)
{
    return !x->answered ? S("does not start") : x->gil ? S("on") : S("off");
}

static Str flag_text(Arena *a, const Diagnosis *d)
{
    if (!d->variable)
        return d->here.flag < 0 ? S("not set") : str_fmt(a, "not set; sys.flags.gil is %d", d->here.flag);
    return str_fmt(a, "%s; without it the GIL is %.*s", d->variable, STR_ARG(state_word(&d->plain)));
}

static Str import_text(Arena *a, const ImportTrial *t)
{
    if (!t->answered) return str_fmt(a, "%.*s: %.*s", STR_ARG(t->name), STR_ARG(t->problem));
    if (t->problem.n) return str_fmt(a, "%.*s: fails with %.*s", STR_ARG(t->name), STR_ARG(t->problem));
    if (!t->after) return str_fmt(a, "%.*s: the GIL stays off", STR_ARG(t->name));
    if (t->before) return str_fmt(a, "%.*s: the GIL was on before", STR_ARG(t->name));
    return str_fmt(a, "%.*s: turns the GIL on%s%.*s", STR_ARG(t->name), t->culprit.n ? " to load " : "",
                   STR_ARG(t->culprit));
}

static void installed_put(Arena *a, Buf *out, const Installed *x)
{
    row_put(out, "installed",
            str_fmt(a,
                    "%u package%s, %u with extension modules: %u declare that they run without the GIL, %u do not, "
                    "of %u that cannot be told",
                    x->packages, x->packages == 1 ? "" : "s", x->with_extensions, x->declared, x->accused.n,
                    x->unknown));
    for (u32 i = 0; i < x->accused.n; i++) row_put(out, "", str_fmt(a, "not ready: %.*s", STR_ARG(x->accused.v[i])));
}

void diagnosis_text(Arena *a, Buf *out, const Options *o, const Diagnosis *d)
{
    const Answer *x = d->here.answered ? &d->here : &d->plain;
    Str verdict = str_fmt(a, "%s: %.*s", d->python, STR_ARG(diagnosis_verdict(a, d)));
    if (o->verbosity >= 0) {
        row_put(out, "interpreter", x->executable.n ? x->executable : str_from(d->python));
        row_put(out, "version", str_fmt(a, "%.*s (%.*s)", STR_ARG(x->version), STR_ARG(x->implementation)));
        row_put(out, "build",
                str_fmt(a, "%s, abiflags '%.*s'", x->build ? "free-threaded" : "with the GIL", STR_ARG(x->abiflags)));
        row_put(out, "GIL", state_word(&d->here));
        row_put(out, "PYTHON_GIL", flag_text(a, d));
        if (x->build) installed_put(a, out, &d->installed);
        for (u32 i = 0; i < d->imports.n; i++) row_put(out, "import", import_text(a, &d->imports.v[i]));
    }
    Buf line = {0};
    safe_put(&line, verdict);
    buf_char(&line, '\n');
    color_put(out, o->colored, diagnosis_well(d) ? COLOR_GREEN : COLOR_YELLOW, buf_view(&line));
    buf_free(&line);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------ */

static json_t *strings_json(const StrVec *v)
{
    json_t *list = json_array();
    for (u32 i = 0; i < v->n; i++) json_array_append_new(list, json_str(v->v[i]));
    return list;
}

/* true, false, or null when it did not start. */
static json_t *gil_json(const Answer *x)
{
    return x->answered ? json_boolean(x->gil) : json_null();
}

static json_t *import_json(const ImportTrial *t)
{
    json_t *o = json_object();
    json_put(o, "name", json_str(t->name));
    json_put(o, "gil", t->answered ? json_boolean(t->after) : json_null());
    json_put(o, "module", json_str(t->culprit));
    json_put(o, "error", json_str(t->problem));
    return o;
}

static json_t *installed_json(const Installed *x)
{
    json_t *o = json_object();
    json_put(o, "packages", json_integer(x->packages));
    json_put(o, "with_extensions", json_integer(x->with_extensions));
    json_put(o, "declared", json_integer(x->declared));
    json_put(o, "unknown", json_integer(x->unknown));
    json_put(o, "not_declared", strings_json(&x->accused));
    return o;
}

void diagnosis_json(Arena *a, Buf *out, const Diagnosis *d)
{
    const Answer *x = d->here.answered ? &d->here : &d->plain;
    json_t *o = json_object(), *python = json_object(), *gil = json_object(), *imports = json_array();
    json_put(python, "command", json_str(str_from(d->python)));
    json_put(python, "executable", json_str(x->executable));
    json_put(python, "version", json_str(x->version));
    json_put(python, "implementation", json_str(x->implementation));
    json_put(python, "abiflags", json_str(x->abiflags));
    json_put(python, "free_threaded", json_boolean(x->build));
    json_put(gil, "enabled", gil_json(&d->here));
    json_put(gil, "enabled_by_default", gil_json(&d->plain));
    json_put(gil, "PYTHON_GIL", d->variable ? json_str(str_from(d->variable)) : json_null());
    json_put(gil, "flag", x->flag < 0 ? json_null() : json_integer(x->flag));
    json_put(gil, "cause", json_str(d->cause));
    for (u32 i = 0; i < d->imports.n; i++) json_array_append_new(imports, import_json(&d->imports.v[i]));
    json_put(o, "version", json_integer(1));
    json_put(o, "tool", json_pack("{s:s, s:s}", "name", "ungil", "version", UNGIL_VERSION));
    json_put(o, "python", python);
    json_put(o, "gil", gil);
    json_put(o, "installed", x->build ? installed_json(&d->installed) : json_null());
    json_put(o, "imports", imports);
    json_put(o, "ready", json_boolean(diagnosis_well(d)));
    json_put(o, "verdict", json_str(diagnosis_verdict(a, d)));
    json_text(out, o, JSON_INDENT(2));
}
