/* Planner "thread-local": attributes of a threading.local() that only one thread ever sets become defaults of all.
 *
 *   context = threading.local()           class _Context(threading.local):
 *   context.stack = []                        def __init__(self):
 *                                    →            self.stack = []
 *
 *                                         context = _Context()
 *
 * threading.local calls __init__ of a subclass once more in each thread that uses the object (its
 * documentation). Only where the object is made in one place, without arguments, by a statement of the module or of
 * __init__, and where the attributes are set beside it to values that are the same whenever they are made. */
#include "fixes/fixes.h"

typedef struct Kept {
    u32 stmt; /* the statement that sets the attribute */
    Str name, value;
} Kept;

typedef struct Local {
    Plan *pl;
    Work *w;
    u32 file, func; /* where the object is made */
    u32 call;       /* threading.local(), a node */
    u32 stmt;       /* the statement */
    Str target;     /* "context", "self._local" */
    Vec(Kept) kept;
    Fix draft;
} Local;

static bool fails(Local *x, const char *why)
{
    x->w->tried = str_from(why);
    return false;
}

/* The path of the object whose attribute q is. */
static u32 holder_path(const Facts *f, const Path *q)
{
    for (u32 i = 0; i < f->paths.n; i++) {
        const Path *h = &f->paths.v[i];
        if (h->root != q->root || h->nattr + 1 != q->nattr || h->name != q->name) continue;
        if (h->root != ROOT_SELF && h->func != q->func) continue;
        bool same = true;
        for (u32 k = 0; k < h->nattr; k++) same &= h->attr[k] == q->attr[k];
        if (same) return i;
    }
    return NONE;
}

u32 perthread_holder(const Program *p, const Race *r)
{
    if (r->nsites != 2) return r->place;
    GId g = access_gid(p, r->sites[0]);
    const Facts *f = p->facts[g.file];
    const Path *q = &f->paths.v[program_access(p, r->sites[0])->path];
    u32 holder = q->nattr ? holder_path(f, q) : NONE;
    return holder == NONE ? NONE : path_place(p, g.file, holder);
}

/* ---- the object ---- */

static u32 stores_of(const Program *p, const Place *place, u32 *store)
{
    u32 n = 0;
    for (u32 i = place->first; i < place->first + place->n; i++) {
        if (program_access(p, p->place_access.v[i])->op != OP_STORE) continue;
        *store = p->place_access.v[i];
        n++;
    }
    return n;
}

/* NAME = threading.local(), once, in the module's own body or in that of __init__. */
static bool local_made(Local *x)
{
    const Program *p = x->pl->p;
    u32 store = NONE;
    if (stores_of(p, &p->places.v[x->w->place], &store) != 1)
        return fails(x, "the thread-local object is not made in one place");
    x->file = access_gid(p, store).file;
    x->func = program_access(p, store)->func;
    const Facts *f = p->facts[x->file];
    const Ast *t = site_ast(x->pl, x->file);
    u32 n = ast_assignment(t, program_access(p, store)->span);
    x->call = n == NONE ? NONE : ast_field(t, n, FIELD_right);
    if (!ast_is(t, x->call, NODE_call) || ast_field(t, n, FIELD_type) != NONE ||
        ast_first(t, ast_field(t, x->call, FIELD_arguments)) != NONE)
        return fails(x, "it is not made by a plain call of threading.local()");
    const Call *c = call_at(f, (Span){t->v[x->call].start, t->v[x->call].end});
    if (!c || !str_is(path_external(p, x->file, c->callee), "threading.local"))
        return fails(x, "it is not made by a plain call of threading.local()");
    x->stmt = ast_statement(t, n);
    x->target = ast_text(t, ast_field(t, n, FIELD_left));
    return true;
}

/* ---- its attributes ---- */

/* Does somebody ask whether the attribute is there, or walk through all attributes? */
static bool attribute_asked(Local *x, Str object, Str name)
{
    const Program *p = x->pl->p;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (intern_find(&f->syms, object) == NONE) continue;
        for (u32 i = 0; i < f->accesses.n; i++) {
            const Path *q = &f->paths.v[f->accesses.v[i].path];
            for (u32 k = 0; k < q->nattr; k++) {
                bool after = str_eq(sym_str(f, k ? q->attr[k - 1] : q->name), object);
                if (!after) continue;
                if (str_is(sym_str(f, q->attr[k]), "__dict__")) return true;
                if (f->accesses.v[i].op == OP_HASATTR && str_eq(sym_str(f, q->attr[k]), name)) return true;
            }
        }
    }
    return false;
}

/* The statement "context.stack = []" of one finding, in the block where the object is made. */
static bool keep(Local *x, const Race *r)
{
    const Program *p = x->pl->p;
    const Ast *t = site_ast(x->pl, x->file);
    GId g = access_gid(p, r->sites[0]);
    u32 n = g.file == x->file ? ast_assignment(t, program_access(p, r->sites[0])->span) : NONE;
    u32 stmt = n == NONE ? NONE : ast_statement(t, n), left = n == NONE ? NONE : ast_field(t, n, FIELD_left);
    bool beside = stmt != NONE && stmt > x->stmt && t->v[stmt].parent == t->v[x->stmt].parent;
    if (!beside || !ast_is(t, left, NODE_attribute))
        return fails(x, "the attribute is not set by a plain statement where the object is made");
    u32 value = ast_field(t, n, FIELD_right);
    if (value == NONE || ast_field(t, n, FIELD_type) != NONE || !value_plain(x->pl, x->file, value))
        return fails(x, "what the attribute is set to is more than a plain value; each thread needs one of its own");
    Kept k = {stmt, ast_text(t, ast_field(t, left, FIELD_attribute)), ast_text(t, value)};
    for (u32 i = 0; i < x->kept.n; i++)
        if (str_eq(x->kept.v[i].name, k.name)) return fails(x, "the attribute is set more than once");
    if (str_find(k.value, '\n') != k.value.n) return fails(x, "the value is written over several lines");
    Str object = str_last(x->target, '.');
    if (attribute_asked(x, object, k.name)) return fails(x, "other code asks whether the attribute is there");
    vec_push(x->pl->a, &x->kept, k);
    return true;
}

static bool statements_delete(Local *x)
{
    const Ast *t = site_ast(x->pl, x->file);
    for (u32 i = 0; i < x->kept.n; i++) {
        if (comment_above(t->source, t->v[x->kept.v[i].stmt].start))
            return fails(x, "a comment about the attribute would be left behind");
        if (!statement_delete(x->pl, &x->draft, x->file, x->func, x->kept.v[i].stmt, &x->w->tried)) return false;
    }
    return true;
}

/* ---- the class ---- */

/* context → _Context, _thread_data → _ThreadData, self._local → _Local */
bool perthread_class_name(Plan *pl, u32 file, Str object, Str *out)
{
    size_t dot = str_rfind(object, '.');
    Str from = str_slice(object, dot == object.n ? 0 : dot + 1, object.n);
    char *to = arena_new(pl->a, char, from.n + 2);
    size_t n = 0;
    to[n++] = '_';
    bool up = true;
    for (size_t i = 0; i < from.n; i++) {
        char c = from.p[i];
        if (c == '_') {
            up = true;
            continue;
        }
        to[n++] = up && c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
        up = false;
    }
    *out = (Str){to, n};
    Str other = str_fmt(pl->a, "%.*sLocal", STR_ARG(*out));
    const Facts *f = pl->p->facts[file];
    if (n > 1 && !name_used(f, *out)) return true;
    *out = other;
    return n > 1 && !name_used(f, other);
}

/* The byte where the class goes in: before the statement of the module, or the class that holds it, and the comments
 * right above. *blank: how many empty lines stand there. */
static u32 class_spot(const Ast *t, u32 stmt, u32 *blank)
{
    const Source *s = t->source;
    while (t->v[stmt].parent != 0) stmt = t->v[stmt].parent;
    u32 at = line_before(s, t->v[stmt].start);
    while (comment_above(s, at)) at = line_before(s, at - 1);
    *blank = 0;
    for (u32 k = at; k;) {
        u32 above = line_before(s, k - 1);
        if (str_trim(str_slice(s->text, above, k)).n) return at;
        ++*blank;
        k = above;
    }
    *blank = 2; /* first in the file */
    return at;
}

u32 perthread_class(Plan *pl, u32 file, u32 stmt, Str name, Str base, Str body, Fix *draft)
{
    u32 blank, at = class_spot(site_ast(pl, file), stmt, &blank);
    Buf b = {0};
    for (; blank < 2; blank++) buf_char(&b, '\n');
    buf_fmt(&b, "class %.*s(%.*s):\n    def __init__(self):\n%.*s\n", STR_ARG(name), STR_ARG(base), STR_ARG(body));
    Str text = text_indent(pl, file, at, str_dup(pl->a, buf_view(&b)));
    buf_free(&b);
    intent_add(pl, draft, INTENT_INSERT, file, (Span){at, at}, text, NONE);
    return at;
}

static bool class_write(Local *x)
{
    const Ast *t = site_ast(x->pl, x->file);
    ImportRef base = import_ref(x->pl->a, x->pl->p->facts[x->file], t, S("threading"), S("local"), false);
    Str name;
    u32 blank, at = class_spot(t, x->stmt, &blank);
    if (!base.have || base.end > at) return fails(x, "threading is not imported above it");
    if (!perthread_class_name(x->pl, x->file, x->target, &name))
        return fails(x, "there is no free name for the class");
    Buf b = {0};
    for (u32 i = 0; i < x->kept.n; i++)
        buf_fmt(&b, "        self.%.*s = %.*s\n", STR_ARG(x->kept.v[i].name), STR_ARG(x->kept.v[i].value));
    perthread_class(x->pl, x->file, x->stmt, name, base.text, str_dup(x->pl->a, buf_view(&b)), &x->draft);
    buf_free(&b);
    intent_add(x->pl, &x->draft, INTENT_REPLACE, x->file, (Span){t->v[x->call].start, t->v[x->call].end},
               str_fmt(x->pl->a, "%.*s()", STR_ARG(name)), NONE);
    return true;
}

bool plan_perthread(Plan *pl, Work *w, const Page *page)
{
    Local x = {.pl = pl, .w = w};
    w->tried = S("the object that is replaced is meant to be shared, or an attribute of it was meant; nothing tells");
    if (w->place == NONE) return false;
    for (u32 i = 0; i < w->races.n; i++)
        if (pl->races->v[w->races.v[i]].nsites != 2) return false;
    if (!local_made(&x)) return false;
    for (u32 i = 0; i < w->races.n; i++)
        if (!keep(&x, &pl->races->v[w->races.v[i]])) return false;
    const Ast *t = site_ast(pl, x.file);
    Region region;
    Span span = {t->v[x.stmt].start, t->v[x.stmt].end};
    if (!region_make(pl, x.file, x.func, span, span, &region, &w->tried)) return false;
    if (judgement_find(S("no-error-nearby"))->judge(pl, w, &region, NULL, &w->tried) != VERDICT_OK) return false;
    if (!statements_delete(&x) || !class_write(&x)) return false;
    fix_take(fix_add(pl, page, w), &x.draft);
    w->done = true;
    return true;
}
