/* Planner "file-step": a path that was tested is made or removed in one step, whoever comes first.
 *
 *   os.makedirs(path)    os.makedirs(path, exist_ok=True)         path.unlink()    path.unlink(missing_ok=True)
 *   os.mkdir(path)       try: …                                   os.remove(path)  try: …
 *                        except FileExistsError: pass                              except FileNotFoundError: pass
 *
 * The test before it stays, so that a single thread does what it did. */
#include "fixes/fixes.h"

static u32 call_node(const Ast *t, Span span)
{
    u32 n = ast_at(t, span);
    while (n != NONE && !(t->v[n].kind == NODE_call && t->v[n].start == span.start && t->v[n].end == span.end))
        n = t->v[n].parent;
    return n;
}

/* One argument more, by keyword, after the last one. */
static void argument_add(Plan *pl, Fix *fix, u32 file, u32 call, const char *text)
{
    const Ast *t = site_ast(pl, file);
    u32 list = ast_field(t, call, FIELD_arguments), last = NONE;
    for (u32 c = ast_first(t, list); c != NONE; c = ast_after(t, c)) last = c;
    u32 at = last == NONE ? t->v[list].start + 1 : t->v[last].end;
    intent_add(pl, fix, INTENT_REPLACE, file, (Span){at, at}, str_fmt(pl->a, "%s%s", last == NONE ? "" : ", ", text),
               NONE);
}

/* try: the statement, except: the error that says that another thread was first. */
static bool try_write(Plan *pl, Work *w, Fix *fix, u32 file, u32 call, const char *error)
{
    const Ast *t = site_ast(pl, file);
    u32 stmt = ast_statement(t, call);
    w->tried = S("its result is used, or its statement shares the line with others");
    if (!ast_is(t, stmt, NODE_expression_statement) || ast_first(t, stmt) != call) return false;
    if (!stands_first(t->source, t->v[stmt].start) || str_find(ast_text(t, stmt), '\n') != ast_text(t, stmt).n)
        return false;
    Span span = {t->v[stmt].start, t->v[stmt].end};
    Str line = str_trim(str_slice(t->source->text, span.end, line_after(t->source, span.end)));
    if (line.n) return false; /* a comment, or another statement */
    Str text = str_fmt(pl->a, "try:\n    %.*s\nexcept %s:\n    pass", STR_ARG(ast_text(t, stmt)), error);
    intent_add(pl, fix, INTENT_REPLACE, file, span, text_indent(pl, file, span.start, text), NONE);
    return true;
}

bool plan_files(Plan *pl, Work *w, const Page *page)
{
    const Race *r = &pl->races->v[w->races.v[0]];
    if (w->place != NONE || w->races.n != 1 || r->rule != UG102 || r->call == NONE) return false;
    const Facts *f = pl->p->facts[r->file];
    const Call *c = call_at(f, r->span);
    const Ast *t = site_ast(pl, r->file);
    u32 n = c ? call_node(t, c->span) : NONE;
    w->tried = S("the call is not found");
    if (n == NONE) return false;
    Region region;
    if (!region_make(pl, r->file, c->func, c->span, c->span, &region, &w->tried)) return false;
    if (judgement_find(S("no-error-nearby"))->judge(pl, w, &region, NULL, &w->tried) != VERDICT_OK) return false;
    const Path *p = &f->paths.v[c->callee];
    Str name = sym_str(f, p->nattr ? p->attr[p->nattr - 1] : p->name);
    bool method = !str_starts(path_external(pl->p, r->file, c->callee), S("os."));
    Fix draft = {0};
    if (str_is(name, "makedirs") || (method && str_is(name, "mkdir")))
        argument_add(pl, &draft, r->file, n, "exist_ok=True");
    else if (method && str_is(name, "unlink"))
        argument_add(pl, &draft, r->file, n, "missing_ok=True");
    else if (!try_write(pl, w, &draft, r->file, n, str_is(name, "mkdir") ? "FileExistsError" : "FileNotFoundError"))
        return false;
    fix_take(fix_add(pl, page, w), &draft);
    w->done = true;
    return true;
}
