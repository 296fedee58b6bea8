/* Asking an interpreter: probe.py is given to it with -c, and its answer, a line of JSON behind a mark, is read.
 *
 * Whatever else it prints is passed over. An interpreter that ends without an answer, takes too long, or is no Python
 * has a problem, which is a clause for the reader. */
#include "ready/doctor.h"
#include "ready/ready.h"

#include <jansson.h>

enum { OUTPUT_MAX = 4 << 20 };

static Str text_of(Arena *a, const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_string(v) ? str_dup(a, (Str){json_string_value(v), json_string_length(v)}) : (Str){0};
}

static bool is_true(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

static void list_of(Arena *a, const json_t *o, const char *key, StrVec *out)
{
    const json_t *list = json_object_get(o, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        if (json_is_string(v)) vec_push(a, out, str_dup(a, str_from(json_string_value(v))));
    }
}

/* The JSON behind the last mark; NULL. The caller releases it. */
static json_t *answer_in(Str out)
{
    Str line, mark = S("ungil-probe "), found = {0};
    json_error_t why;
    while (str_line(&out, &line))
        if (str_starts(line, mark)) found = str_slice(line, mark.n, line.n);
    json_t *v = found.n ? json_loadb(found.p, found.n, 0, &why) : NULL;
    if (v && !json_is_object(v)) {
        json_decref(v);
        v = NULL;
    }
    return v;
}

/* What a failed program said last, else how it ended. */
static Str complaint(Arena *a, const ProcessOrder *o, const ProcessEnd *end)
{
    Str rest = end->text[PROCESS_ERR], line, last = {0}, how = process_ending(a, o, end);
    if (end->timed_out) return str_fmt(a, "%.*s; --time-limit gives it more", STR_ARG(how));
    while (str_line(&rest, &line)) {
        if (str_trim(line).n) last = str_slice(str_trim(line), 0, 300);
        if (str_starts(line, S("Fatal Python error: "))) break;
    }
    how = str_fmt(a, "no answer, but %.*s", STR_ARG(how));
    return last.n ? str_fmt(a, "%.*s: %.*s", STR_ARG(how), STR_ARG(last)) : how;
}

/* Runs the probe, with the name of a module or without. The answer, or NULL and the problem. */
static bool probe(Arena *a, const Question *q, const char *module, json_t **answer, Str *problem, Err *e)
{
    static const char *const without_gil[] = {"PYTHON_GIL", NULL};
    const char *argv[6] = {q->python}, **next = argv + 1;
    if (q->no_site) *next++ = "-S";
    *next++ = "-c";
    *next++ = str_c(a, data_file_text("probe.py"));
    if (module) *next++ = module;
    ProcessOrder o = {.argv = argv, .set = q->unset ? without_gil : NULL, .seconds = q->seconds, .keep = OUTPUT_MAX};
    ProcessEnd end;
    *answer = NULL;
    if (!process_run(a, &o, &end, e)) return false;
    if (!end.timed_out) *answer = answer_in(end.text[PROCESS_OUT]);
    if (!*answer) *problem = complaint(a, &o, &end);
    return true;
}

bool interpreter_ask(Arena *a, const Question *q, Answer *out, Err *e)
{
    json_t *v;
    *out = (Answer){.flag = -1};
    if (!probe(a, q, NULL, &v, &out->problem, e)) return false;
    if (!v) return true;
    const json_t *minor = json_object_get(v, "minor"), *flag = json_object_get(v, "flag");
    out->version = text_of(a, v, "version");
    out->answered = out->version.n;
    if (!out->answered) out->problem = S("its answer names no version");
    out->implementation = text_of(a, v, "implementation");
    out->executable = text_of(a, v, "executable");
    out->abiflags = text_of(a, v, "abiflags");
    if (json_integer_value(json_array_get(minor, 0)) == 3)
        out->minor = (int)json_integer_value(json_array_get(minor, 1));
    out->build = is_true(v, "build");
    out->gil = is_true(v, "gil");
    if (json_is_integer(flag)) out->flag = json_integer_value(flag) != 0;
    list_of(a, v, "extensions", &out->extensions);
    list_of(a, v, "directories", &out->directories);
    json_decref(v);
    return true;
}

bool import_try(Arena *a, const Question *q, Str name, ImportTrial *out, Err *e)
{
    json_t *v;
    *out = (ImportTrial){.name = name};
    if (!probe(a, q, str_c(a, name), &v, &out->problem, e)) return false;
    if (!v) return true;
    out->answered = true;
    out->problem = text_of(a, v, "error");
    out->before = is_true(v, "before");
    out->after = is_true(v, "after");
    out->culprit = text_of(a, v, "culprit");
    json_decref(v);
    return true;
}
