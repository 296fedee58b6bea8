/* Planner "count": a counter that only hands out numbers becomes an itertools.count.
 *
 *   _last += 1                           _last = 0      →   _ids = itertools.count(1)
 *   return _last                    →    return next(_last)
 *
 * next() of a count is one step, so no two threads get the same number. Only where every use of the counter in the
 * program is such a pair of neighbouring statements, all of them in the same order, and where it is made from a
 * literal in one place, and where nothing else in the texts may read it (uses.c). The name stays. */
#include "fixes/fixes.h"

typedef struct Ids {
    Plan *pl;
    Work *w;
    Fix draft;
    u32 used;   /* accesses that are accounted for */
    bool after; /* the number is read after the update; set by the first pair */
    bool before;
    UseVec known; /* statements that are accounted for */
} Ids;

static bool plus_one(const Ast *t, u32 stmt, Str *text)
{
    u32 n = ast_is(t, stmt, NODE_expression_statement) ? ast_first(t, stmt) : NONE;
    if (!ast_is(t, n, NODE_augmented_assignment) || !ast_token(t, n, "+=")) return false;
    *text = ast_text(t, ast_field(t, n, FIELD_left));
    return str_is(ast_text(t, ast_field(t, n, FIELD_right)), "1");
}

/* The one mention of the counter in a simple statement; NONE when there is none, or more. */
static u32 one_mention(const Ast *t, u32 n, Str text, u32 *count)
{
    u8 k = t->v[n].kind;
    if ((k == NODE_identifier || k == NODE_attribute) && str_eq(ast_text(t, n), text)) {
        ++*count;
        return n;
    }
    u32 found = NONE;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next) {
        u32 f = one_mention(t, c, text, count);
        if (f != NONE) found = f;
    }
    return found;
}

static u32 reading(const Ast *t, u32 stmt, Str text)
{
    u8 k = stmt == NONE ? NODE_module : t->v[stmt].kind;
    if (k != NODE_return_statement && k != NODE_expression_statement) return NONE;
    u32 count = 0, n = one_mention(t, stmt, text, &count), up = n == NONE ? NONE : t->v[n].parent;
    for (; up != NONE && up != stmt; up = t->v[up].parent) { /* read once, and only read */
        u8 u = t->v[up].kind;
        if (u == NODE_lambda || u == NODE_boolean_operator || u == NODE_conditional_expression ||
            u == NODE_list_comprehension || u == NODE_generator_expression || u == NODE_augmented_assignment ||
            u == NODE_string) /* nothing is replaced within a text */
            return NONE;
        if (u == NODE_assignment && ast_inside(t, n, ast_field(t, up, FIELD_left))) return NONE;
    }
    return count == 1 ? n : NONE;
}

/* `global NAME` alone in the function is not needed any more. */
static void global_delete(Ids *x, u32 file, u32 func, Str name)
{
    const Ast *t = site_ast(x->pl, file);
    Span span = x->pl->p->facts[file]->funcs.v[func].span;
    for (u32 n = 0; n < t->n; n++) {
        if (t->v[n].kind != NODE_global_statement || t->v[n].start < span.start || t->v[n].end > span.end) continue;
        u32 first = ast_first(t, n);
        Str why;
        if (ast_after(t, first) == NONE && str_eq(ast_text(t, first), name))
            statement_delete(x->pl, &x->draft, file, func, n, &why);
    }
}

/* self.last += 1 makes a counter for each object, and cls.last += 1 one for each derived class; one count would be
 * that of all. */
static bool of_one_class(Plan *pl, u32 place, u32 file, const Access *a)
{
    u8 root = pl->p->facts[file]->paths.v[a->path].root;
    if (root != ROOT_CLS) return root == ROOT_GLOBAL || root == ROOT_CLASS;
    derived_index(pl);
    u32 owner = pl->p->places.v[place].owner;
    return pl->derived_first[owner] == pl->derived_first[owner + 1];
}

/* The pair of statements around one update. */
static bool pair_convert(Ids *x, u32 g)
{
    GId id = access_gid(x->pl->p, g);
    const Ast *t = site_ast(x->pl, id.file);
    const Access *a = program_access(x->pl->p, g);
    u32 stmt = ast_statement(t, ast_at(t, a->span));
    Str text;
    if (stmt == NONE || !plus_one(t, stmt, &text)) return false;
    if (x->pl->p->places.v[x->w->place].kind == PLACE_CLASS_ATTR && !of_one_class(x->pl, x->w->place, id.file, a))
        return false;
    u32 next = ast_after(t, stmt), prev = ast_before(t, stmt);
    u32 after = reading(t, next, text), before = reading(t, prev, text);
    if ((after == NONE) == (before == NONE)) return false;
    u32 n = after != NONE ? after : before;
    x->after |= after != NONE;
    x->before |= before != NONE;
    x->used += 2;
    vec_push(x->pl->a, &x->known, (Use){id.file, stmt});
    vec_push(x->pl->a, &x->known, (Use){id.file, after != NONE ? next : prev});
    intent_add(x->pl, &x->draft, INTENT_REPLACE, id.file, (Span){t->v[n].start, t->v[n].end},
               str_fmt(x->pl->a, "next(%.*s)", STR_ARG(text)), NONE);
    if (!statement_delete(x->pl, &x->draft, id.file, a->func, stmt, &x->w->tried)) return false;
    global_delete(x, id.file, a->func, text);
    return true;
}

/* Where the counter is made from a literal, in one place. */
static bool made_once(Ids *x)
{
    Plan *pl = x->pl;
    u32 found = 0;
    for (u32 file = 0; file < pl->p->nfiles; file++) {
        const Facts *f = pl->p->facts[file];
        for (u32 i = 0; i < f->defs.n; i++) {
            const Def *d = &f->defs.v[i];
            if (d->path == NONE || d->is_return || d->augmented || path_place(pl->p, file, d->path) != x->w->place)
                continue;
            const Ast *t = site_ast(pl, file);
            u32 n = ast_assignment(t, d->span);
            u32 value = n == NONE ? NONE : ast_field(t, n, FIELD_right);
            if (found++ || !ast_is(t, value, NODE_integer) || ast_field(t, n, FIELD_type) != NONE) return false;
            vec_push(pl->a, &x->known, (Use){file, ast_statement(t, n)});
            Str text = ast_text(t, value);
            u32 start = 0;
            for (size_t k = 0; k < text.n; k++) {
                if (text.p[k] < '0' || text.p[k] > '9' || k > 8) return false;
                start = start * 10 + (u32)(text.p[k] - '0');
            }
            start += x->after;
            ImportRef ref = import_ref(pl->a, f, t, S("itertools"), S("count"), false);
            if (!ref.have) intent_add(pl, &x->draft, INTENT_NEED_IMPORT, file, (Span){0}, ref.statement, NONE);
            text = start ? str_fmt(pl->a, "%.*s(%u)", STR_ARG(ref.text), start)
                         : str_fmt(pl->a, "%.*s()", STR_ARG(ref.text));
            intent_add(pl, &x->draft, INTENT_REPLACE, file, (Span){t->v[value].start, t->v[value].end}, text, NONE);
        }
    }
    return found == 1;
}

/* Is the counter named anywhere else, or had without its name? Whoever prints it, compares it or stores it with its
 * object would have the count. */
static bool asked_elsewhere(Ids *x)
{
    UseVec uses = {0};
    if (!uses_known(x->pl, x->w->place, &uses, &x->w->tried)) return true;
    for (u32 i = 0; i < uses.n; i++) {
        const Use *u = &uses.v[i];
        const Ast *t = site_ast(x->pl, u->file);
        bool known = false;
        for (u32 k = 0; k < x->known.n && !known; k++)
            known = x->known.v[k].file == u->file && ast_inside(t, u->node, x->known.v[k].node);
        if (known) continue;
        u32 line, column;
        source_position(t->source, t->v[u->node].start, &line, &column);
        x->w->tried =
            str_fmt(x->pl->a, "line %u of %.*s may ask what the counter stands at", line, STR_ARG(t->source->path));
        return true;
    }
    return false;
}

bool plan_count(Plan *pl, Work *w, const Page *page)
{
    Ids x = {.pl = pl, .w = w};
    w->tried = S("the counter does more than hand out numbers");
    if (w->place == NONE) return false;
    const Place *place = &pl->p->places.v[w->place];
    if (place->type.kind != TYPE_NUMBER || place->file == NONE || (place->public_ && pl->p->library)) return false;
    if (place->kind == PLACE_CLOSURE || place->kind == PLACE_DEFAULT) return false;
    if (place->kind == PLACE_INSTANCE &&
        (import_obstacle(pl, place->file).n || (pickled_obstacle(pl, place->owner).n && pl->pickled[place->owner])))
        return false;
    u32 total = 0;
    for (u32 i = place->first; i < place->first + place->n; i++) {
        u32 g = pl->p->place_access.v[i];
        const Access *a = program_access(pl->p, g);
        total += a->op != OP_STORE;
        bool here = a->op == OP_STORE ? a->func == 0 || pl->p->funcs[access_func(pl->p, g)].construct
                                      : a->op != OP_AUG || pair_convert(&x, g);
        if (!here) return false;
    }
    if (total != x.used || x.after == x.before || !made_once(&x)) return false;
    if (asked_elsewhere(&x)) return false;
    fix_take(fix_add(pl, page, w), &x.draft);
    w->done = true;
    return true;
}
