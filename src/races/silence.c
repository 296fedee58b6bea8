/* Why nothing is reported about an access: the first of the reasons below that holds, in the order in which the rules
 * ask. Each judgement is asked of the functions that the rules use, so that the answer is theirs; what is not traced
 * is a rule's own exception (a failure that is caught, a constant stored twice), which counts as "atomic". */
#include "races/races.h"

static void say(Buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#include <stdarg.h>

static void say(Buf *out, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_fmt(out, "    silent: %s\n", text);
}

static const char *const alone_text[] = {
    [ALONE_NOT] = "",
    [ALONE_DEFINITION] = "it runs when the function is defined",
    [ALONE_IMPORT] = "it runs while modules are imported, or before any thread starts",
    [ALONE_THREAD_OBJECT] = "every object of this class is made by the thread that uses it",
    [ALONE_CONSTRUCT] = "the object is being made, and nobody else has it yet",
    [ALONE_CAPTURE] = "the inner function that shares the variable is not given away yet",
    [ALONE_OWN] = "this function made the object and keeps it to itself",
};

static const char *const apart_text[] = {
    [APART_LOOP] = "ordered by the event loop, which runs one of them at a time",
    [APART_OBJECT] = "not shared: each of these threads has an object of its own",
    [APART_EVENT] = "ordered by an Event: one thread sets it afterwards, and the other has waited for it",
    [APART_ORDER] = "ordered by start and join: one runs before the first thread starts or after the last is joined",
    [APART_ONE_THREAD] = "not shared: one thread, of which there is only one, runs both",
};

static void site_put(Buf *out, const Program *p, u32 ga)
{
    const Access *x = program_access(p, ga);
    Str path = p->facts[access_gid(p, ga).file]->source->path;
    buf_fmt(out, "      %s at %.*s:%u:%u\n", op_name[x->op], STR_ARG(path), x->line, x->column);
}

/* Not data: what it holds is meant for threads. */
static bool not_data(Buf *out, const Place *x)
{
    if (is_data(x)) return false;
    if (x->in_call)
        say(out, "not shared: each call has its own, and no function that uses it outlives the call");
    else if (x->confined)
        say(out, "declared by a comment: only one thread uses it");
    else if (x->thread_local_)
        say(out, "not shared: it is thread-local, each thread has its own");
    else if (x->is_lock)
        say(out, "it holds a lock; how it is taken is judged by the rules UG301 to UG306");
    else
        say(out, "no data: what it holds (%s) is made for threads, or belongs to one", type_name[x->type.kind]);
    return true;
}

/* A `# ungil: single-threaded` that covers the line. */
static bool declared(Buf *out, const Facts *f, u32 line)
{
    for (u32 k = 0; k < f->comments.n; k++) {
        const Comment *c = &f->comments.v[k];
        if (c->kind != COMMENT_SINGLE_THREADED && c->kind != COMMENT_THREAD_CONFINED) continue;
        if (line < c->first_line || line > c->last_line) continue;
        say(out, "declared by the comment on line %u", c->line);
        return true;
    }
    return false;
}

typedef struct Pairs {
    u32 writes;   /* other accesses that conflict, or itself */
    u32 together; /* of those, the ones that may run at the same time */
    u32 guarded;  /* of those, the ones with a common lock */
    u32 apart[APART_NO_THREAD + 1];
    u32 example[APART_NO_THREAD + 1];
    u32 open; /* one without a common lock, NONE */
    u32 lock; /* a common lock of a guarded one */
} Pairs;

static Pairs pairs_count(const Program *p, const Place *x, u32 ga)
{
    Pairs n = {.open = NONE, .lock = NONE};
    bool writes = access_effect(p, ga) & EFFECT_WRITE;
    for (u32 i = 0; i < x->n; i++) {
        u32 gb = p->place_access.v[x->first + i];
        if (!writes && !(access_effect(p, gb) & EFFECT_WRITE)) continue;
        n.writes++;
        Apart apart = may_run_apart(p, ga, gb);
        if (apart != APART_NOT) {
            if (!n.apart[apart]++) n.example[apart] = gb;
            continue;
        }
        n.together++;
        u32 lock = lockset_common(p, p->access_locks[ga], p->access_locks[gb]);
        if (lock != NONE) {
            n.guarded++;
            n.lock = lock;
        } else if (n.open == NONE || n.open == ga) {
            n.open = gb;
        }
    }
    return n;
}

static void no_thread(Buf *out, const Program *p, const Place *x)
{
    if (p->options->assume == ASSUME_NEVER)
        say(out, "not shared: no thread in sight reaches two accesses, and --assume-threads never assumes none");
    else if (x->kind == PLACE_INSTANCE)
        say(out,
            "not shared: no two threads in sight reach it, and nothing shows that an object of its class is shared "
            "(a lock, a thread, a global that holds it); --assume-threads always assumes that");
    else
        say(out,
            "not shared: no two threads in sight reach it; --assume-threads always assumes that any function may run "
            "in several");
}

static void never_together(Buf *out, const Program *p, const Place *x, const Pairs *n)
{
    for (u32 k = APART_LOOP; k < APART_NO_THREAD; k++) {
        if (!n->apart[k]) continue;
        say(out, "%s", apart_text[k]);
        site_put(out, p, n->example[k]);
        return;
    }
    if (n->apart[APART_SECOND] && !n->apart[APART_NO_THREAD]) {
        u32 other = n->example[APART_SECOND];
        say(out, "not changed while threads run: where it is changed, %s", alone_text[access_alone(p, other)]);
        site_put(out, p, other);
        return;
    }
    no_thread(out, p, x);
}

/* The operation by itself is one step, and no rule sees a longer one around it. */
static void atomic(Buf *out, const Program *p, const Place *x, u32 ga, u32 other)
{
    const Access *a = program_access(p, ga);
    const Facts *f = p->facts[access_gid(p, ga).file];
    Str method = sym_str(f, a->method);
    u32 e = access_effect(p, ga);
    const char *model = p->options->model == MODEL_STRICT
                            ? "; the strict model wants a lock where a test or update depends on it"
                            : "";
    if (a->op == OP_METHOD && (e & EFFECT_WRITE))
        say(out,
            "atomic: %.*s() of a %s is one step in CPython, and nothing here tests or computes what it changes%s",
            STR_ARG(method), type_name[x->type.kind], model);
    else if (a->op == OP_METHOD)
        say(out,
            "atomic: %.*s() of a %s is one step in CPython, and nothing that follows from it needs the rest to "
            "stay%s",
            STR_ARG(method), type_name[x->type.kind], model);
    else if (a->op == OP_CREAD)
        say(out, "atomic: %.*s() reads a %s in one step, or nothing changes its size meanwhile%s", STR_ARG(method),
            type_name[x->type.kind], model);
    else if (a->op == OP_ITER)
        say(out,
            "atomic: the walk is not disturbed: others change nothing of its size meanwhile, or add and take at the "
            "end of a list only, or a copy is walked%s",
            model);
    else if (e & EFFECT_WRITE)
        say(out, "atomic: %s is one step in CPython, and the value does not depend on what was there%s",
            a->op == OP_STORE                         ? "storing a reference"
            : a->op == OP_DEL || a->op == OP_ITEM_DEL ? "deleting"
                                                      : "storing an item",
            model);
    else
        say(out,
            "atomic: reading a reference is one step in CPython, and nothing that follows from it needs it to "
            "stay%s",
            model);
    if (other != NONE && other != ga) {
        buf_c(out, "    although another thread may at the same time run the\n");
        site_put(out, p, other);
    }
}

/* A local that only the function that owns it touches. */
static bool only_owner(const Program *p, const Place *x)
{
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        if (access_func(p, ga) != x->owner) return false;
    }
    return true;
}

/* A method that is not one of a container's: what it does is known only for classes of the project. */
static bool foreign_method(Buf *out, const Program *p, const Place *x, const Facts *f, const Access *a)
{
    Str method = sym_str(f, a->method);
    if (method_known(x, method)) return false;
    switch (x->type.kind) {
    case TYPE_CLASS:
        say(out, "no state: it holds an object of a class of this project; what %.*s() does is judged there",
            STR_ARG(method));
        return true;
    case TYPE_UNKNOWN:
    case TYPE_NONE:
        say(out, "not analysed: the type of what it holds is unknown, and so is what %.*s() does to it",
            STR_ARG(method));
        return true;
    case TYPE_EXTERNAL:
        say(out, "not analysed: it holds an object of %.*s, whose code was not read",
            STR_ARG(p->syms.strs[x->type.id]));
        return true;
    default: return false;
    }
}

void silence_put(Buf *out, Arena *a, const Program *p, u32 ga)
{
    GId g = access_gid(p, ga);
    const Facts *f = p->facts[g.file];
    const Access *x = &f->accesses.v[g.id];
    u32 place = p->access_place[ga];
    if (f->blocks.v[x->block].typing) {
        say(out, "it is for type checkers and never runs");
        return;
    }
    if (place == NONE) {
        Str why = path_why_nothing(a, p, g.file, x->path);
        say(out, "%.*s", STR_ARG(why));
        return;
    }
    const Place *y = &p->places.v[place];
    if (y->kind == PLACE_CLOSURE && only_owner(p, y)) {
        Str name = p->syms.strs[y->name];
        if (f->paths.v[x->path].root == ROOT_PARAM)
            say(out, "not analysed: what callers pass for the parameter %.*s is not known to be one piece of state",
                STR_ARG(name));
        else
            say(out, "not shared: %.*s is a local of its function, and no inner function uses it", STR_ARG(name));
        return;
    }
    if (not_data(out, y) || declared(out, f, x->line)) return;
    Alone alone = access_alone(p, ga);
    if (alone != ALONE_NOT) {
        say(out, "not shared yet: %s", alone_text[alone]);
        return;
    }
    Pairs n = pairs_count(p, y, ga);
    if (x->op == OP_METHOD && (!n.writes || n.guarded < n.together) && foreign_method(out, p, y, f, x)) return;
    if (!n.writes) {
        say(out, "not changed: nothing in sight changes it, and reading together is safe");
    } else if (!n.together) {
        never_together(out, p, y, &n);
    } else if (n.guarded == n.together) {
        say(out, "guarded by %.*s at every access that may run at the same time%s",
            STR_ARG(p->locks.v[n.lock].display),
            p->locks.v[n.lock].maybe && !p->locks.v[n.lock].hoped ? " (a lock by its name only)" : "");
    } else {
        atomic(out, p, y, ga, n.open);
    }
}

void left_out_put(Buf *out, const Program *p, const Race *r)
{
    const Options *o = p->options;
    Str path = p->facts[r->file]->source->path;
    if (race_wanted(o, path, r)) return;
    if (r->confidence < confidence_wanted(o, r->rule))
        buf_fmt(out, "    not reported: its confidence is %s, below --min-confidence %s%s%s\n",
                confidence_name[r->confidence], confidence_name[confidence_wanted(o, r->rule)],
                r->confidence == CONF_LOW && r->low_why ? ", since " : "",
                r->confidence == CONF_LOW && r->low_why ? r->low_why : "");
    else if (path_ignores_rule(o, path, r->rule))
        buf_c(out, "    not reported: per-file-ignores leaves it out in this file\n");
    else if (o->ignore.n && rule_selected(r->rule, o->ignore.v, o->ignore.n))
        buf_c(out, "    not reported: --ignore leaves it out\n");
    else
        buf_c(out, "    not reported: it is not among the rules that are selected\n");
}
