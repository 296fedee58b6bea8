/* Planner "file-step": a path that was tested is made or removed in one step, whoever comes first.
 *
 *   os.makedirs(path)    os.makedirs(path, exist_ok=True)         path.unlink()    path.unlink(missing_ok=True)
 *   os.mkdir(path)       try: …                                   os.remove(path)  try: …
 *                        except FileExistsError:                                   except FileNotFoundError: pass
 *                            if not os.path.isdir(path): raise
 *
 * The test before it stays, so that a single thread does what it did: a file that is in the way of a folder raises,
 * as it does with exist_ok. */
#include "fixes/fixes.h"

static u32 call_node(const Ast *t, Span span)
{
    u32 n = ast_at(t, span);
    while (n != NONE && !(t->v[n].kind == NODE_call && t->v[n].start == span.start && t->v[n].end == span.end))
        n = t->v[n].parent;
    return n;
}

/* Has the call no room for exist_ok or missing_ok: makedirs(path, mode, exist_ok), path.mkdir(mode, parents,
 * exist_ok)?
 */
static bool argument_full(const Ast *t, u32 call, Str name, bool method)
{
    u32 n = 0, room = str_is(name, "makedirs") || (method && str_is(name, "mkdir")) ? 3 : 1;
    for (u32 c = ast_first(t, ast_field(t, call, FIELD_arguments)); c != NONE; c = ast_after(t, c)) {
        u8 k = t->v[c].kind;
        if (k == NODE_list_splat || k == NODE_dictionary_splat || k == NODE_generator_expression) return true;
        n += k != NODE_keyword_argument;
    }
    return n >= room && (method || room == 3);
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

/* What the file calls os.path.isdir, going by what it calls os.mkdir: "os.path.isdir", "isdir"; empty: it has no name
 * for it. */
static Str isdir_name(Plan *pl, u32 file, u32 func, u32 call)
{
    const Facts *f = pl->p->facts[file];
    Str mkdir = ast_text(site_ast(pl, file), ast_field(site_ast(pl, file), call, FIELD_function));
    if (str_is(mkdir, "os.mkdir")) return S("os.path.isdir");
    static const char *const names[] = {"isdir", "path.isdir", "os.path.isdir"};
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) { /* as the test beside it does */
        Span span = f->calls.v[i].span;
        Str text = str_slice(f->source->text, span.start, span.end), name = str_slice(text, 0, str_find(text, '('));
        if (str_is(path_external(pl->p, file, f->calls.v[i].callee), "os.path.isdir") &&
            str_among(name, names, COUNT_OF(names)))
            return name;
    }
    return S("");
}

/* What is done about the error: it is passed over, or raised again where the folder is none. Empty: that cannot be
 * told. */
static Str error_handled(Plan *pl, u32 file, u32 func, u32 call, bool makes)
{
    if (!makes) return S("pass");
    const Ast *t = site_ast(pl, file);
    u32 path = ast_first(t, ast_field(t, call, FIELD_arguments)), mode = path == NONE ? NONE : ast_after(t, path);
    Str isdir = isdir_name(pl, file, func, call);
    bool fits = path != NONE && expr_steady(pl, file, path) && (mode == NONE || ast_after(t, mode) == NONE);
    if (!isdir.n || !fits || ast_is(t, mode, NODE_keyword_argument)) return S("");
    return str_fmt(pl->a, "if not %.*s(%.*s):\n        raise", STR_ARG(isdir), STR_ARG(ast_text(t, path)));
}

/* try: the statement, except: the error that says that another thread was first. */
static bool try_write(Plan *pl, Work *w, Fix *fix, u32 file, u32 func, u32 call, bool makes)
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
    w->tried = S("whether a file is in the way cannot be asked without evaluating the path once more");
    Str handled = error_handled(pl, file, func, call, makes);
    if (!handled.n) return false;
    Str text = str_fmt(pl->a, "try:\n    %.*s\nexcept %s:\n    %.*s", STR_ARG(ast_text(t, stmt)),
                       makes ? "FileExistsError" : "FileNotFoundError", STR_ARG(handled));
    intent_add(pl, fix, INTENT_REPLACE, file, span, text_indent(pl, file, span.start, text), NONE);
    return true;
}

/* Is the path bound anew, or given to something else than a message, between the test and the call? Then what is made
 * or removed is not what was asked for. */
static bool touched_before(Plan *pl, u32 file, u32 call, Str path)
{
    const Ast *t = site_ast(pl, file);
    const Facts *f = pl->p->facts[file];
    u32 stmt = ast_statement(t, call), block = stmt == NONE ? NONE : t->v[stmt].parent;
    if (block == NONE) return true;
    Span before = {t->v[block].start, t->v[stmt].start};
    for (u32 i = 0; i < f->defs.n; i++) {
        const Path *p = f->defs.v[i].path == NONE ? NULL : &f->paths.v[f->defs.v[i].path];
        if (!p || !span_within(f->defs.v[i].span, before)) continue;
        Str name = path_last(f, p);
        if (p->nattr ? str_contains(path, name) : str_has_name(path, name)) return true;
    }
    static const char *const says[] = {"print(", "log", "self.log", "self._log", "_log", "LOG", "warnings.warn("};
    for (u32 s = ast_first(t, block); s != NONE && s != stmt; s = ast_after(t, s)) {
        bool message = false;
        for (u32 i = 0; i < COUNT_OF(says); i++) message |= str_starts(ast_text(t, s), str_from(says[i]));
        if (!message && str_contains(ast_text(t, s), path)) return true;
    }
    return false;
}

/* if not os.path.isfile(path): os.makedirs(path): a folder that is there raises. */
static bool folder_unasked(const Ast *t, u32 call)
{
    u32 n = ast_statement(t, call);
    while (n != NONE && t->v[n].kind != NODE_if_statement && t->v[n].kind != NODE_elif_clause) n = t->v[n].parent;
    Str head = n == NONE ? S("") : ast_text(t, ast_field(t, n, FIELD_condition));
    return str_contains(head, S("isfile(")) || str_contains(head, S("is_file("));
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
    Str name = path_last(f, p);
    bool method = !str_starts(path_external(pl->p, r->file, c->callee), S("os."));
    u32 arg = ast_first(t, ast_field(t, n, FIELD_arguments)), fn = ast_field(t, n, FIELD_function);
    u32 path = method ? ast_field(t, fn, FIELD_object) : arg;
    w->tried = S("what stands between the test and the call may change what the path is, or what is there");
    if (path == NONE || touched_before(pl, r->file, n, ast_text(t, path))) return false;
    w->tried = S("the test says nothing of a folder that is there already");
    if ((str_is(name, "mkdir") || str_is(name, "makedirs")) && folder_unasked(t, n)) return false;
    Fix draft = {0};
    w->tried = S("the call has the argument already");
    if (argument_full(t, n, name, method)) return false;
    if (str_is(name, "makedirs") || (method && str_is(name, "mkdir")))
        argument_add(pl, &draft, r->file, n, "exist_ok=True");
    else if (method && str_is(name, "unlink"))
        argument_add(pl, &draft, r->file, n, "missing_ok=True");
    else if (!try_write(pl, w, &draft, r->file, c->func, n, str_is(name, "mkdir")))
        return false;
    fix_take(fix_add(pl, page, w), &draft);
    w->done = true;
    return true;
}
