/* Installed packages: a *.dist-info directory (packaging specification "Recording installed projects") and the
 * extension files that its RECORD lists.
 *
 * METADATA gives name, version and the classifier about free-threading, WHEEL the tags, RECORD the files: from them
 * come the import names and the extension modules, whose declaration is read from their bytes (elf.c).
 * Not read: eggs, conda's records, editable installs' targets. */
#include "ready/ready.h"
#include "ready/version.h"

enum {
    EXTENSION_MAX = 256 << 20, /* bytes; of a larger file it is not known what it declares */
    MINOR_DIGITS = 3           /* of a minor version */
};

/* The value of "Key: value"; empty when the line is another one. */
static Str header_value(Str line, Str key)
{
    if (line.n <= key.n || line.p[key.n] != ':' || !str_starts(line, key)) return (Str){0};
    return str_trim(str_slice(line, key.n + 1, line.n));
}

/* "3 - Stable" of the classifier about free-threading, "yes" of the bare one, empty for others. */
static Str free_threading(Str classifier)
{
    Str prefix = S("Programming Language :: Python :: Free Threading");
    if (!str_starts(classifier, prefix)) return (Str){0};
    Str rest = str_slice(classifier, prefix.n, classifier.n);
    return rest.n ? str_trim(str_slice(rest, str_starts(rest, S(" ::")) ? 3 : 0, rest.n)) : S("yes");
}

static Dep *metadata_read(Gather *g, const Source *s)
{
    Str name = {0}, version = {0}, classifier = {0};
    u32 name_line = 0, classifier_line = 0;
    for (u32 line = 1; line <= s->nlines; line++) {
        Str text = source_line(s, line), value;
        if (!text.n) break; /* the headers end here */
        if (!name.n && (value = header_value(text, S("Name"))).n) name = value, name_line = line;
        if (!version.n && (value = header_value(text, S("Version"))).n) version = value;
        if ((value = free_threading(header_value(text, S("Classifier")))).n)
            classifier = value, classifier_line = line;
    }
    if (!name_length(name)) {
        gather_note(g, s, 1, "metadata", "the package was left out: its METADATA has no Name");
        return NULL;
    }
    Dep *d = dep_add(g, DEP_INSTALLED, s, name_line, name);
    d->version = version;
    d->classifier = classifier;
    d->classifier_line = classifier_line;
    return d;
}

static void wheel_read(Gather *g, Dep *d, Str dir)
{
    Str text, line, value;
    Err e = {0};
    if (!os_read_file(g->a, str_fmt(g->a, "%.*s/WHEEL", STR_ARG(dir)).p, READY_FILE_MAX, &text, &e)) return;
    while (str_line(&text, &line))
        if ((value = header_value(line, S("Tag"))).n) vec_push(g->a, &d->tags, value);
}

/* The minor version N of a path through python3.Nt, the directory of a free-threaded interpreter; 0 for others. */
static int free_threaded_dir(Str path)
{
    Str prefix = S("python3.");
    while (path.n) {
        Str part = str_cut(path, '/', &path);
        if (!str_starts(part, prefix)) continue;
        Str digits = str_slice(part, prefix.n, part.n);
        int minor = 0;
        size_t i = 0;
        for (; i < digits.n && i < MINOR_DIGITS && digits.p[i] >= '0' && digits.p[i] <= '9'; i++)
            minor = minor * 10 + (digits.p[i] - '0');
        if (minor && str_is(str_slice(digits, i, digits.n), "t")) return minor;
    }
    return 0;
}

/* ---- RECORD ---------------------------------------------------------------------------------------------------- */

/* The path of a row: up to the first comma, or quoted. */
static Str row_path(Str row)
{
    if (!str_starts(row, S("\""))) return str_slice(row, 0, str_find(row, ','));
    Str body = str_slice(row, 1, row.n);
    return str_slice(body, 0, str_find(body, '"'));
}

static bool is_extension(Str path)
{
    return str_ends(path, S(".so")) || str_ends(path, S(".pyd"));
}

/* The name that a row is imported by: its first part; empty when it is nothing to import. */
static Str import_name(Str path)
{
    if (!str_ends(path, S(".py")) && !is_extension(path)) return (Str){0};
    Str rest, first = str_cut(path, '/', &rest);
    if (!rest.n) first = str_slice(first, 0, str_find(first, '.'));
    for (size_t i = 0; i < first.n; i++)
        if (!is_word_char(first.p[i])) return (Str){0}; /* ..; NAME.libs; NAME.data */
    return first;
}

static void extension_add(Gather *g, Dep *d, const Source *record, u32 line, Str site, Str path)
{
    Arena scratch = {0};
    Str bytes;
    Err e = {0};
    Extension x = {.path = path,
                   .file = record->id,
                   .line = line,
                   .why = "only ELF files are read",
                   .stable = str_ends(path, S(".abi3.so"))};
    if (str_ends(path, S(".so"))) {
        x.why = "the file cannot be read";
        if (os_read_file(&scratch, str_fmt(&scratch, "%.*s/%.*s", STR_ARG(site), STR_ARG(path)).p, EXTENSION_MAX,
                         &bytes, &e))
            x.declared = (u8)extension_declares(&scratch, bytes, &x.why);
    }
    if (x.declared != DECLARED_NOTHING) vec_push(g->a, &d->extensions, x);
    arena_free(&scratch);
}

static void record_read(Gather *g, Dep *d, Str dir, Str site)
{
    bool fresh;
    Arena scratch = {0};
    Intern seen = {0};
    Str path = str_fmt(g->a, "%.*s/RECORD", STR_ARG(dir));
    const Source *record = gather_source(g, path, &fresh);
    for (u32 line = 1; record && line <= record->nlines; line++) {
        Str file = row_path(source_line(record, line)), name = import_name(file);
        u32 known = seen.n;
        if (name.n && intern(&scratch, &seen, name) == known) vec_push(g->a, &d->imports, name);
        bool outside = str_starts(file, S("/")) || str_contains(file, S(".."));
        if (is_extension(file) && !outside) extension_add(g, d, record, line, site, file);
    }
    arena_free(&scratch);
}

void installed_read(Gather *g, const Source *s)
{
    Dep *d = metadata_read(g, s);
    if (!d) return;
    u32 id = (u32)(d - g->deps.v);
    Str dir = str_slice(s->abs, 0, str_rfind(s->abs, '/')), site = str_slice(dir, 0, str_rfind(dir, '/'));
    d->python = free_threaded_dir(site);
    wheel_read(g, &g->deps.v[id], dir);
    record_read(g, &g->deps.v[id], dir, site);
}
