/* Does something depend on each step of a count: is it a name that is given out, self.id = n, return n, d[n] = …, or
 * does what happens at one value, n == 0, happen for one step; or is it a level, which goes up and down and is
 * tested? What is shown, logged, compared with a limit, handed to whoever asks or made a progress of may be off by
 * one: of 14 such findings that were read none was held to be a race that must be mended. Nor does
 * a number that only sorts what one class statement holds. */
#include "races/races.h"

static bool adds(const Access *a)
{
    return a->op == OP_AUG || a->op == OP_ITEM_AUG;
}

static Str text_after(const Facts *x, const Access *a, u32 n)
{
    return str_slice(x->source->text, a->span.end, a->span.end + n);
}

/* The text that follows the access begins so: n == 0. */
static bool followed_by(const Facts *x, const Access *a, const char *const *words, size_t n)
{
    Str rest = str_trim(text_after(x, a, 12));
    for (size_t i = 0; i < n; i++)
        if (str_starts(rest, str_from(words[i]))) return true;
    return false;
}

/* n = n + 1: is it the read of the update itself? */
static bool computes_store(const Facts *x, u32 access)
{
    for (u32 i = 0; i < x->flows.n; i++)
        if (x->flows.v[i].from == access) return true;
    return false;
}

/* sort(key=lambda x: x.order), __lt__: does the access stand where only an order comes of it? */
static bool in_order(const Facts *x, const Access *a)
{
    static const char *const methods[] = {"__lt__", "__le__", "__gt__", "__ge__", "__cmp__", "__eq__", "__hash__"};
    const Func *fn = &x->funcs.v[a->func];
    if (!fn->is_lambda) return str_among(sym_str(x, fn->name), methods, COUNT_OF(methods));
    u32 from = fn->span.start;
    while (from > 0 && x->source->text.p[from - 1] == ' ') from--;
    return str_ends(str_slice(x->source->text, from > 4 ? from - 4 : 0, from), S("key="));
}

/* self.id = n: the name of the attribute, or of what else the statement binds; empty when it binds nothing that
 * stays. */
static Str given_to(const Facts *x, const Access *a)
{
    Str before = str_trim(str_slice(x->source->text, a->stmt, a->span.start)), rest = text_after(x, a, 1);
    bool whole = !rest.n || rest.p[0] == '\n' || rest.p[0] == '\r';
    if (a->op == OP_STORE || a->value != NONE || !whole || !str_ends(before, S("="))) return S("");
    before = str_trim(str_slice(before, 0, before.n - 1));
    if (str_find(before, '.') == before.n && str_find(before, '[') == before.n) return S("");
    return str_last(before, '.');
}

/* self.order = n: is the attribute, of whatever object, read to sort by, and for nothing else? */
static bool only_sorts(const Program *p, Str attribute)
{
    bool sorts = false;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *x = p->facts[file];
        if (p->tests[file]) continue;
        u32 sym = intern_find(&x->syms, attribute);
        for (u32 i = 0; i < x->accesses.n && sym != NONE; i++) {
            const Access *a = &x->accesses.v[i];
            const Path *q = &x->paths.v[a->path];
            if (!q->nattr || q->attr[q->nattr - 1] != sym || a->op == OP_STORE || a->op == OP_DEL || adds(a))
                continue;
            if (computes_store(x, i) || str_eq(given_to(x, a), attribute)) continue; /* self.order = Field.order */
            if (!in_order(x, a)) return false;
            sorts = true;
        }
    }
    return sorts;
}

/* parts[n] = … */
static bool names_entry(const Facts *x, const Access *a)
{
    Str before = str_trim(str_slice(x->source->text, a->stmt, a->span.start));
    return a->op != OP_STORE && a->value == NONE && str_ends(before, S("[")) &&
           str_starts(text_after(x, a, 4), S("] ="));
}

/* Is the place updated in the function as well, so that what it returns is the number of this step? */
static bool updated_in(const Finder *f, u32 gfunc)
{
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        const Facts *x = f->p->facts[access_file(f->p, f->acc[i])];
        u32 id = f->acc[i] - f->p->access_base[access_file(f->p, f->acc[i])], flow = flows_to(x, id);
        bool update = adds(a) || (a->op == OP_STORE && flow < x->flows.n && x->flows.v[flow].to == id);
        if (update && access_func(f->p, f->acc[i]) == gfunc) return true;
    }
    return false;
}

/* Does it go up here and down there? What is lost then stays lost. */
static bool goes_both_ways(const Finder *f)
{
    bool up = false, down = false;
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        if (!adds(a) || !access_counts(f->p, f->acc[i])) continue;
        Str rest = str_trim(text_after(f->p->facts[access_file(f->p, f->acc[i])], a, 6));
        up |= str_starts(rest, S("+="));
        down |= str_starts(rest, S("-="));
    }
    return up && down;
}

bool count_matters(const Finder *f, const Race *r)
{
    if (r->rule != UG101) return true; /* whoever took a lock elsewhere minds */
    static const char *const exact[] = {"==", "!=", "<= 0", "< 1"};
    bool read = false, level = goes_both_ways(f);
    bool item = program_access(f->p, r->sites[0])->op != OP_AUG && program_access(f->p, r->sites[0])->op != OP_STORE;
    for (u32 i = 0; i < f->nacc; i++) {
        const Access *a = program_access(f->p, f->acc[i]);
        const Facts *x = f->p->facts[access_file(f->p, f->acc[i])];
        if (!access_counts(f->p, f->acc[i])) continue;
        bool update = adds(a) || a->op == OP_STORE || a->op == OP_ITEM_STORE || a->op == OP_DEL;
        read |= !update && !computes_store(x, f->acc[i] - f->p->access_base[access_file(f->p, f->acc[i])]);
        bool returned = a->op == OP_RETURN || (a->op == OP_CREAD && str_is(sym_str(x, a->method), "return"));
        if (returned && (level || item || updated_in(f, access_func(f->p, f->acc[i])))) return true;
        if (a->test == TEST_TRUE || a->test == TEST_FALSE || (level && a->test != TEST_NO)) return true;
        if (a->op == OP_TRUTH && followed_by(x, a, exact, COUNT_OF(exact))) return true;
        Str attribute = given_to(x, a);
        if ((attribute.n && !only_sorts(f->p, attribute)) || names_entry(x, a)) return true;
    }
    return !read; /* who reads it is not seen */
}
