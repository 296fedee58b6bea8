/* `ungil explain`: a rule's or a transform's own page, or everything that is known about one line of the program. */
#include "app.h"

#include <stdlib.h>
#include <sys/stat.h>

static void rule_describe(Buf *out, RuleId rule, const PageList *pages)
{
    const RuleInfo *r = &rule_table[rule];
    buf_str(out, rule_page(rule));
    buf_fmt(out, "\nSeverity: %s.\n", severity_name[r->severity]);
    for (u32 i = 0; i < pages->n; i++) {
        if (!str_contains(page_rules(pages->v[i]), str_from(r->code))) continue;
        Str id = page_id(pages->v[i]), title = page_title(pages->v[i]);
        buf_fmt(out, "\nFixed by %.*s: %.*s. `ungil explain %.*s` shows it.\n", STR_ARG(id), STR_ARG(title),
                STR_ARG(id));
    }
}

/* explain RULE and explain TRANSFORM; -1 when the word is neither. */
int explain_word(Arena *a, const Options *o, Err *e)
{
    Buf out = {0};
    PageList pages = {0};
    Str word = o->args.v[0];
    if (!pages_load(a, o->transforms_dir, &pages, e) || !pages_named(&pages, &o->prefer, e)) return 2;
    RuleId rule = rule_find(word);
    if (rule != RULE_COUNT) rule_describe(&out, rule, &pages);
    for (u32 i = 0; i < pages.n; i++) { /* some words name a rule and a transform */
        if (!str_eq(page_id(pages.v[i]), word)) continue;
        if (out.n) buf_char(&out, '\n');
        buf_str(&out, page_text(pages.v[i]));
    }
    if (out.n) return emit_text(o, buf_view(&out), e) ? 0 : 2;
    if (str_find(word, ':') < word.n) return -1;
    err_set(e, "'%.*s' is no rule, no transform and no FILE:LINE; see `ungil rules` and `ungil transforms`",
            STR_ARG(word));
    return 2;
}

/* The source that a FILE names, seen from the current directory. */
static u32 source_named(Arena *a, const SourceList *sources, Str file)
{
    char *real = realpath(str_c(a, file), NULL);
    u32 found = NONE;
    for (u32 i = 0; real && i < sources->n; i++)
        if (str_is(sources->v[i]->abs, real)) found = i;
    free(real);
    return found;
}

/* What would be done about the findings on the line, what it costs, and what else was weighed. */
static void fixes_explain(Buf *out, const Program *p, const RaceVec *races, const FixList *fixes, u32 file, u32 line)
{
    u32 last = NONE;
    for (u32 i = 0; i < races->n; i++) {
        const Race *r = &races->v[i];
        bool here = false;
        for (u32 k = 0; k < r->nsites; k++)
            here |= access_gid(p, r->sites[k]).file == file && program_access(p, r->sites[k])->line == line;
        if (!here || r->suppressed || r->fix == NONE || r->fix == last) continue;
        const Fix *f = &fixes->fixes.v[r->fix];
        last = r->fix;
        buf_fmt(out, "\nfix of %s %.*s: ", rule_table[r->rule].code, STR_ARG(r->state));
        if (f->declined)
            buf_fmt(out, "none: %.*s\n", STR_ARG(f->reason));
        else
            buf_fmt(out, "%.*s, %s%s%.*s\n", STR_ARG(f->transform), safety_name[f->safety], f->reason.n ? ": " : "",
                    STR_ARG(f->reason));
        if (f->lock != NONE && !f->declined) {
            const LockPlan *l = &fixes->locks.v[f->lock];
            buf_fmt(out, "  under %.*s, %s %s: %.*s\n", STR_ARG(l->display), l->existing ? "the existing" : "a new",
                    l->reentrant ? "RLock" : "Lock", STR_ARG(l->reason));
        }
        if (f->price.n) buf_fmt(out, "  price: %.*s\n", STR_ARG(f->price));
        for (u32 k = 0; k < f->others.n; k++)
            buf_fmt(out, "  not %.*s: %.*s\n", STR_ARG(f->others.v[k].what), STR_ARG(f->others.v[k].why));
    }
}

/* Why the program has no such file. */
static const char *why_left_out(Arena *a, Str file)
{
    struct stat st;
    if (stat(str_c(a, file), &st) == 0 && S_ISDIR(st.st_mode)) return "is a directory: FILE:LINE asks for a file";
    if (!str_ends(file, S(".py")) && !str_ends(file, S(".pyw")))
        return "is not analysed: its name is not that of a Python file";
    return "is not among the files that are analysed: git ignores it (--no-gitignore), exclude or include leave it "
           "out, or it is in a directory such as build or a virtual environment";
}

int explain_line(Arena *a, const Program *p, const SourceList *sources, const NoteVec *notes, const RaceVec *all,
                 const RaceVec *races, const FixList *fixes, Err *e)
{
    Str file;
    u32 line;
    CHECK(file_line_split(p->options->args.v[0], &file, &line));
    u32 at = source_named(a, sources, file);
    if (at == NONE) {
        for (u32 i = 0; i < notes->n; i++)
            if (notes->v[i].path.n && str_ends(file, notes->v[i].path))
                err_set(e, "%.*s: not analysed: %.*s", STR_ARG(notes->v[i].path), STR_ARG(notes->v[i].message));
        err_set(e, "%.*s %s", STR_ARG(file), why_left_out(a, file));
        return 2;
    }
    const Source *s = sources->v[at];
    u32 lines = s->nlines - (s->line_start[s->nlines - 1] == s->text.n); /* no line follows the last newline */
    if (line == 0 || line > lines) {
        err_set(e, "%.*s has %u line%s; there is no line %u", STR_ARG(file), lines, lines == 1 ? "" : "s", line);
        return 2;
    }
    Buf out = {0};
    races_explain(&out, p, all, at, line);
    fixes_explain(&out, p, races, fixes, at, line);
    Buf shown = {0};
    buf_shown(&shown, buf_view(&out));
    bool ok = emit_text(p->options, buf_view(&shown), e);
    buf_free(&shown);
    buf_free(&out);
    return ok ? 0 : 2;
}
