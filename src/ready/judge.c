/* Three facts about each dependency, which are not mixed: does it install on a free-threaded Python, does it keep the
 * GIL off, is it known to be safe. And what of that is a finding: UG501, UG502.
 *
 * Evidence comes in this order: the installed extension files, the wheels that a lock names, the table. A wheel's tag
 * says that it installs, no more: tags were seen on modules that turn the GIL on. A declaration is a promise, and the
 * table repeats what people listed at some date; so the third fact is "stated" at best. */
#include "ready/ready.h"
#include "ready/version.h"
#include "ready/wheel.h"

typedef struct Judge {
    Gather *g;
    const CompatTable *table;
    RaceVec *out;
    Intern locked; /* "DIRECTORY NAME" of what lock files or exact requirements name */
    Map repeats;   /* fingerprint → how many so far */
} Judge;

static Str place(const Judge *j, u32 file, u32 line)
{
    return str_fmt(j->g->a, "%.*s:%u", STR_ARG(j->g->sources.v[file]->path), line);
}

static Str row_evidence(const Judge *j, const Compat *row)
{
    return str_fmt(j->g->a, "ungil's table (%.*s), as of %.*s", STR_ARG(row->source), STR_ARG(row->as_of));
}

/* "numpy 1.26.4", "numpy >=1.20", "numpy". */
static Str dep_title(const Judge *j, const Dep *d)
{
    Str rest = d->version.n ? d->version : d->spec;
    return str_fmt(j->g->a, "%.*s%s%.*s", STR_ARG(d->shown), rest.n ? " " : "", STR_ARG(rest));
}

/* ---- the version against the table ------------------------------------------------------------------------- */

/* Where the version or range lies to the first one that is ready. SPEC_UNKNOWN without such a version. */
static SpecSide side_of(const Dep *d, const Compat *row)
{
    Version first, v;
    if (!row || !row->first.n || d->other_source || !version_read(row->first, &first)) return SPEC_UNKNOWN;
    if (!d->version.n)
        return d->kind == DEP_LOCKED || d->kind == DEP_INSTALLED ? SPEC_UNKNOWN : spec_side(d->spec, &first);
    if (!version_read(d->version, &v)) return SPEC_UNKNOWN;
    return version_cmp(&v, &first) < 0 ? SPEC_BELOW : SPEC_FROM;
}

/* Was the import of this version seen to turn the GIL on? Of a range only when every version that was seen did. */
static bool seen_on(const Dep *d, const Compat *row)
{
    if (!row || !row->gil_on.n || d->other_source) return false;
    if (str_is(row->gil_on, "*")) return true;
    return d->version.n && spec_matches(row->gil_on, d->version);
}

/* ---- does it install? -------------------------------------------------------------------------------------- */

/* The best of the wheels for the target, and whether any of them has extension modules, or is for another
 * free-threaded Python. */
typedef struct WheelView {
    WheelFit fit;
    Str best;
    bool extends, other;
} WheelView;

static void wheel_view(WheelView *v, const WheelTags *t, Str shown, int target)
{
    WheelFit fit = wheel_fit(t, target);
    v->extends |= wheel_extends(t);
    v->other |= wheel_free_threaded(t);
    if (fit > v->fit) v->fit = fit, v->best = shown;
}

static WheelView wheels_view(const Judge *j, const Dep *d)
{
    WheelView v = {0};
    WheelName w;
    WheelTags t;
    for (u32 i = 0; i < d->wheels.n; i++)
        if (wheel_name_read(d->wheels.v[i], &w)) wheel_view(&v, &w.tags, d->wheels.v[i], j->g->o->target);
    for (u32 i = 0; i < d->tags.n; i++)
        if (wheel_tags_read(d->tags.v[i], &t)) wheel_view(&v, &t, d->tags.v[i], j->g->o->target);
    return v;
}

static bool lists_files(const Dep *d)
{
    return d->wheels.n || d->sdist;
}

static Fact installs_by_files(const Judge *j, const Dep *d, const WheelView *v)
{
    int target = j->g->o->target;
    Fact f = {.evidence = place(j, d->file, d->line)};
    if (v->fit == FIT_PURE) {
        f.answer = "pure";
        f.reason = v->extends ? S("the pure Python wheel; its extension modules are built for other interpreters")
                              : S("a pure Python wheel");
    } else if (v->fit != FIT_NONE) {
        f.answer = "yes";
        f.reason =
            str_fmt(j->g->a, "%.*s%s", STR_ARG(v->best), v->fit == FIT_BINARY ? ", without extension modules" : "");
    } else {
        f.answer = d->sdist ? "source" : "no";
        f.reason =
            str_fmt(j->g->a, "%s%s, and %s", d->wheels.n ? "no wheel for free-threaded 3." : "no wheel for 3.",
                    str_fmt(j->g->a, "%d", target).p, d->sdist ? "a source distribution" : "no source distribution");
        if (v->other) f.reason = str_fmt(j->g->a, "%.*s; other free-threaded versions have one", STR_ARG(f.reason));
    }
    return f;
}

static Fact installs_by_row(const Judge *j, const Dep *d, const Compat *row)
{
    SpecSide side = side_of(d, row);
    Fact f = {.answer = "unknown", .evidence = row_evidence(j, row)};
    bool pinned = d->version.n > 0;
    switch (row->status) {
    case COMPAT_FULL:
        if (side != SPEC_BELOW) f.answer = "yes";
        f.reason = str_fmt(j->g->a, "from version %.*s on", STR_ARG(row->first));
        break;
    case COMPAT_PARTIAL:
        if (!pinned) f.answer = "yes";
        f.reason = pinned ? S("a newer release had a free-threaded wheel; of this version it is not known")
                          : S("the newest release had a free-threaded wheel");
        break;
    case COMPAT_NONE:
        f.answer = "no";
        f.reason = S("the newest release had no free-threaded wheel");
        break;
    case COMPAT_NIGHTLY:
        f.answer = "no";
        f.reason = S("only nightly builds have a free-threaded wheel");
        break;
    default: f.answer = "pure"; f.reason = S("pure Python, or the pure Python wheel");
    }
    return f;
}

static Fact installs(const Judge *j, const Dep *d, const Compat *row, const WheelView *v)
{
    if (lists_files(d) || v->fit != FIT_NONE) return installs_by_files(j, d, v);
    if (d->other_source)
        return (Fact){"unknown", S("it comes from no index of packages"), place(j, d->file, d->line)};
    if (row) return installs_by_row(j, d, row);
    return (Fact){"unknown", S("not in the table"), S("")};
}

/* ---- does it keep the GIL off? ------------------------------------------------------------------------------ */

/* Was the file built for a free-threaded Python? Only then the missing mark means something: elsewhere it is often
 * left out of the build. */
static bool built_without_gil(const Dep *d, const Extension *x)
{
    Str name = str_last(x->path, '/'), rest;
    size_t at = str_search(name, S(".cpython-3"));
    if (at == name.n) return d->python > 0 && !x->stable;
    str_cut(str_slice(name, at + 1, name.n), '-', &rest);
    Str version = str_slice(rest, 0, MIN(str_find(rest, '-'), str_find(rest, '.')));
    return str_ends(version, S("t")) || str_ends(version, S("td"));
}

/* An .abi3.so where free-threaded 3.13 and 3.14 find it: they load it, and it was built for objects of another shape.
 */
static bool is_misplaced(const Dep *d, const Extension *x)
{
    return x->stable && d->python && d->python < 15;
}

const Extension *extension_accused(const Dep *d)
{
    for (u32 i = 0; i < d->extensions.n; i++) {
        const Extension *x = &d->extensions.v[i];
        if (is_misplaced(d, x) || (x->declared == DECLARED_NO && built_without_gil(d, x))) return x;
    }
    return NULL;
}

static Fact gil_by_extensions(const Judge *j, const Dep *d)
{
    const Extension *x = extension_accused(d);
    u32 yes = 0;
    if (x)
        return (Fact){is_misplaced(d, x) ? "unknown" : "on", str_fmt(j->g->a, "%.*s: %s", STR_ARG(x->path), x->why),
                      place(j, x->file, x->line)};
    for (u32 i = 0; i < d->extensions.n; i++) {
        x = &d->extensions.v[i];
        if (x->declared == DECLARED_YES) {
            yes++;
            continue;
        }
        Str why = x->declared == DECLARED_NO ? S("built for a Python with the GIL, where the mark may be left out")
                                             : str_from(x->why);
        return (Fact){"unknown", str_fmt(j->g->a, "cannot tell: %.*s: %.*s", STR_ARG(x->path), STR_ARG(why)),
                      place(j, x->file, x->line)};
    }
    x = &d->extensions.v[0];
    return (Fact){
        "off", str_fmt(j->g->a, "%u extension module%s declare%s it", yes, yes == 1 ? "" : "s", yes == 1 ? "s" : ""),
        place(j, x->file, x->line)};
}

static Fact gil_by_row(const Judge *j, const Dep *d, const Compat *row)
{
    SpecSide side = side_of(d, row);
    Fact f = {.answer = "unknown", .evidence = row_evidence(j, row)};
    bool off = row->status == COMPAT_FULL && side != SPEC_BELOW && side != SPEC_OLDER;
    if (off || row->status == COMPAT_PURE) {
        f.answer = "off";
        f.reason = row->status == COMPAT_PURE
                       ? S("no extension module")
                       : str_fmt(j->g->a, "listed as supported from %.*s on", STR_ARG(row->first));
    } else if (row->status == COMPAT_FULL) {
        f.reason = str_fmt(j->g->a, "listed as supported from %.*s on, not before", STR_ARG(row->first));
    } else if (row->gil_on.n) {
        f.reason = str_fmt(j->g->a, "versions %.*s turn it on", STR_ARG(row->gil_on));
    } else {
        f.reason =
            row->status == COMPAT_PARTIAL ? S("nobody has confirmed it") : S("no free-threaded build is known");
    }
    return f;
}

/* Does what is installed say something of itself as a free-threaded Python would load it? */
static bool extensions_tell(const Dep *d, const Fact *f)
{
    if (extension_accused(d) || strcmp(f->answer, "off") == 0) return true;
    for (u32 i = 0; i < d->extensions.n; i++)
        if (built_without_gil(d, &d->extensions.v[i])) return true;
    return false;
}

static Fact gil(const Judge *j, const Dep *d, const Compat *row, const WheelView *v)
{
    Fact own = {0};
    if (d->extensions.n) own = gil_by_extensions(j, d);
    if (d->extensions.n && (!row || extensions_tell(d, &own))) return own;
    if (seen_on(d, row)) return (Fact){"on", S("its import was seen to turn the GIL on"), row_evidence(j, row)};
    bool no_module = v->fit == FIT_PURE || v->fit == FIT_BINARY;
    if (no_module) return (Fact){"off", S("no extension module"), place(j, d->file, d->line)};
    if (row && !d->other_source) return gil_by_row(j, d, row);
    return (Fact){"unknown", S("not in the table"), S("")};
}

/* ---- is it known to be safe? ---------------------------------------------------------------------------------- */

static Fact safe(const Judge *j, const Dep *d, const Compat *row)
{
    SpecSide side = side_of(d, row);
    if (d->classifier.n) {
        bool bare = str_is(d->classifier, "yes");
        Str reason = str_fmt(j->g->a, "its METADATA says Free Threading%s%.*s",
                             bare ? "" : " :: ", bare ? 0 : (int)d->classifier.n, d->classifier.p);
        return (Fact){"stated", reason, place(j, d->file, d->classifier_line)};
    }
    if (row && row->status == COMPAT_FULL && side != SPEC_BELOW && side != SPEC_OLDER && !d->other_source)
        return (Fact){"stated", str_fmt(j->g->a, "listed as supported from %.*s on", STR_ARG(row->first)),
                      row_evidence(j, row)};
    return (Fact){"unknown", S("no statement is known"), S("")};
}

/* ---- findings ----------------------------------------------------------------------------------------------------
 */

static Race *finding_add(Judge *j, const Dep *d, RuleId rule, Confidence confidence, Str message)
{
    Arena *a = j->g->a;
    Race *r = vec_add(a, j->out);
    const Source *s = j->g->sources.v[d->file];
    *r = (Race){.rule = (u8)rule,
                .impact = IMPACT_NEW,
                .severity = (u8)rule_table[rule].severity,
                .confidence = (u8)confidence,
                .file = d->file,
                .place = NONE,
                .span = d->span,
                .test = NONE,
                .act = NONE,
                .lock = NONE,
                .call = NONE,
                .fix = NONE,
                .state = d->name,
                .message = message};
    source_position(s, r->span.start, &r->line, &r->column);
    source_position(s, r->span.end, &r->end_line, &r->end_column);
    u64 print = hash_mix(hash_mix(str_hash(str_from(rule_table[rule].code)), str_hash(s->path)), str_hash(d->name));
    u32 *n = map_at(a, &j->repeats, print >> 1);
    *n = *n == NONE ? 0 : *n + 1;
    r->fingerprint = *n ? hash_mix(print, *n) : print;
    return r;
}

static void why_add(Race *r, Str why)
{
    if (why.n && r->nwhy < RACE_WHY) r->why[r->nwhy++] = why;
}

static void row_why(const Judge *j, Race *r, const Compat *row)
{
    if (!row) return;
    why_add(r, row_evidence(j, row));
    size_t kind = str_starts(row->notes, S("ev=")) ? str_search(row->notes, S("; ")) + 2 : 0;
    why_add(r, str_trim(str_slice(row->notes, kind < row->notes.n ? kind : 0, row->notes.n)));
}

static void extension_finding(Judge *j, Dep *d, const Extension *x)
{
    Arena *a = j->g->a;
    const Source *s = j->g->sources.v[x->file];
    Dep at = *d;
    at.file = x->file;
    at.span = (Span){s->line_start[x->line - 1], s->line_start[x->line - 1] + (u32)x->path.n};
    Str message =
        is_misplaced(d, x)
            ? str_fmt(a,
                      "%.*s is built for the stable ABI of Pythons with the GIL; free-threaded 3.%d loads it and may "
                      "crash",
                      STR_ARG(x->path), d->python)
            : str_fmt(a, "%.*s does not declare that it runs without the GIL: importing it turns the GIL on",
                      STR_ARG(x->path));
    Race *r = finding_add(j, &at, UG501, CONF_HIGH, message);
    why_add(r, is_misplaced(d, x) ? S("its name ends in .abi3.so") : str_from(x->why));
}

/* UG501 by the table or by the wheels of a lock. */
static bool not_ready(Judge *j, const Dep *d, const PackageVerdict *v, const WheelView *w)
{
    Arena *a = j->g->a;
    const Compat *row = v->row;
    bool fits = w->fit != FIT_NONE;
    Race *r = NULL;
    if (seen_on(d, row) && w->fit != FIT_PURE && w->fit != FIT_BINARY) {
        bool sure = d->version.n && !str_is(row->gil_on, "*");
        r = finding_add(j, d, UG501, sure ? CONF_HIGH : CONF_MEDIUM,
                        str_fmt(a, "importing %.*s turns the GIL back on", STR_ARG(dep_title(j, d))));
    } else if (w->extends && d->kind != DEP_INSTALLED && !fits) {
        r = finding_add(j, d, UG501, d->sdist ? CONF_MEDIUM : CONF_HIGH,
                        str_fmt(a, "%.*s has no wheel for free-threaded Python 3.%d: it %s", STR_ARG(dep_title(j, d)),
                                j->g->o->target, d->sdist ? "must be built from source" : "does not install"));
    } else if (row && !fits && !d->other_source && (row->status == COMPAT_NONE || row->status == COMPAT_NIGHTLY)) {
        r = finding_add(
            j, d, UG501, CONF_MEDIUM,
            str_fmt(a, "%.*s has %s; built from source, it turns the GIL on unless it declares otherwise",
                    STR_ARG(d->shown),
                    row->status == COMPAT_NONE ? "no free-threaded wheel" : "only nightly free-threaded wheels"));
    }
    if (!r) return false;
    if (row && row->first.n)
        why_add(r, str_fmt(a, "the first version that is listed as ready is %.*s", STR_ARG(row->first)));
    row_why(j, r, row);
    return true;
}

static void too_old(Judge *j, const Dep *d, const PackageVerdict *v, const WheelView *w)
{
    Arena *a = j->g->a;
    Str title = dep_title(j, d), message;
    Confidence confidence;
    switch (side_of(d, v->row)) {
    case SPEC_BELOW:
        /* A pure wheel has nothing that could be too old for it; a free-threaded one was at least built. */
        confidence = w->fit == FIT_NONE ? CONF_HIGH : w->fit >= FIT_STABLE ? CONF_MEDIUM : CONF_LOW;
        message =
            d->version.n
                ? str_fmt(a, "%.*s is older than %.*s, the first version that is ready for free-threaded Python",
                          STR_ARG(title), STR_ARG(v->row->first))
                : str_fmt(a, "%.*s leaves out %.*s, the first version that is ready for free-threaded Python",
                          STR_ARG(title), STR_ARG(v->row->first));
        break;
    case SPEC_OLDER:
        confidence = d->covered ? CONF_LOW : CONF_MEDIUM;
        message = str_fmt(a, "%.*s allows older versions than %.*s, the first that is ready for free-threaded Python",
                          STR_ARG(title), STR_ARG(v->row->first));
        break;
    case SPEC_OPEN:
        confidence = CONF_LOW;
        message = str_fmt(a, "%.*s allows any version; the first that is ready for free-threaded Python is %.*s",
                          STR_ARG(title), STR_ARG(v->row->first));
        break;
    default: return;
    }
    row_why(j, finding_add(j, d, UG502, confidence, message), v->row);
}

static void findings(Judge *j, Dep *d, const PackageVerdict *v, const WheelView *w)
{
    bool accused = false;
    for (u32 i = 0; i < d->extensions.n; i++) {
        const Extension *x = &d->extensions.v[i];
        if (!is_misplaced(d, x) && (x->declared != DECLARED_NO || !built_without_gil(d, x))) continue;
        extension_finding(j, d, x);
        accused = true;
    }
    bool judged = accused || (d->extensions.n && strcmp(v->gil.answer, "off") == 0);
    if (!judged && !d->covered && not_ready(j, d, v, w)) return;
    if (!accused) too_old(j, d, v, w);
}

/* ---- all of them
 * --------------------------------------------------------------------------------------------------- */

static Str dir_key(Arena *a, Str path, Str name)
{
    return str_fmt(a, "%.*s %.*s", STR_ARG(str_folder(path)), STR_ARG(name));
}

/* Does a lock in the file's directory or above it, or a pinned requirement beside it, name the package? */
static bool is_covered(Judge *j, const Dep *d)
{
    Arena scratch = {0};
    Str path = j->g->sources.v[d->file]->path;
    bool found = false;
    for (bool more = d->kind == DEP_DECLARED && !d->version.n; more && !found;) {
        found = intern_find(&j->locked, dir_key(&scratch, path, d->name)) != NONE;
        more = str_rfind(path, '/') < path.n;
        path = str_folder(path);
    }
    arena_free(&scratch);
    return found;
}

/* What import statements name it: by what is installed, by the table, else the name itself. */
static Str import_names(Arena *a, const Dep *d, const Compat *row)
{
    Buf b = {0};
    for (u32 i = 0; i < d->imports.n; i++) buf_fmt(&b, "%s%.*s", i ? "," : "", STR_ARG(d->imports.v[i]));
    Str names = str_dup(a, buf_view(&b));
    buf_free(&b);
    return names.n ? names : row ? row->imports : (Str){0};
}

static int finding_cmp(const void *a, const void *b)
{
    const Race *x = a, *y = b;
    if (x->file != y->file) return x->file < y->file ? -1 : 1;
    if (x->span.start != y->span.start) return x->span.start < y->span.start ? -1 : 1;
    if (x->rule != y->rule) return x->rule < y->rule ? -1 : 1;
    return str_cmp(x->state, y->state);
}

void deps_judge(Gather *g, const CompatTable *t, PackageVerdict *verdicts, RaceVec *out)
{
    Judge j = {.g = g, .table = t, .out = out};
    for (u32 i = 0; i < g->deps.n; i++) {
        const Dep *d = &g->deps.v[i];
        if (d->kind == DEP_LOCKED || (d->kind == DEP_DECLARED && d->version.n))
            intern(g->a, &j.locked, dir_key(g->a, g->sources.v[d->file]->path, d->name));
    }
    for (u32 i = 0; i < g->deps.n; i++) {
        Dep *d = &g->deps.v[i];
        const Compat *row = compat_find(t, d->name);
        WheelView w = wheels_view(&j, d);
        d->covered = is_covered(&j, d);
        verdicts[i] = (PackageVerdict){.installs = installs(&j, d, row, &w),
                                       .gil = gil(&j, d, row, &w),
                                       .safe = safe(&j, d, row),
                                       .row = row,
                                       .imports = import_names(g->a, d, row)};
        findings(&j, d, &verdicts[i], &w);
    }
    if (out->n) qsort(out->v, out->n, sizeof *out->v, finding_cmp);
}
