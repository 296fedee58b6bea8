/* Findings that maintainers leave as they are, whatever the evidence: shapes of which, in all that was read
 * (tests/readings.md), next to none was worth a change and none is a race that was fixed. They become low. */
#include "races/races.h"

static bool visible(const Program *p, const Race *r)
{
    return threads_reach(p, r->sites[0]) || (r->sites[1] != NONE && threads_reach(p, r->sites[1]));
}

/* self.shown = not self.shown: a switch that its user turns. */
static bool turned(const Program *p, const Race *r)
{
    const Access *a = program_access(p, r->sites[0]);
    if (r->rule != UG101 || a->op != OP_STORE) return false;
    Str text = p->facts[r->file]->source->text;
    size_t at = a->span.end;
    while (at < text.n && (text.p[at] == ' ' || text.p[at] == '=')) at++;
    return str_starts(str_slice(text, at, text.n), S("not "));
}

/* close(), stop(), shutdown(), __exit__(): the end of an object, which its owner brings about. */
static bool ends(Str name)
{
    static const char *const words[] = {"close",     "stop",    "shutdown", "disconnect",
                                        "terminate", "cleanup", "__exit__"};
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (str_contains(name, str_from(words[i]))) return true;
    return false;
}

/* def close(self): if self.file is not None: self.file.close(); self.file = None. Threads are another matter, and so
 * are objects of the program, which may be threads. */
static bool closed_twice(const Program *p, const Race *r, const Place *x)
{
    if (x->type.kind == TYPE_THREAD || x->type.kind == TYPE_CLASS) return false;
    if (r->rule != UG102 || x->kind != PLACE_INSTANCE || x->evidence & EV_GUARDED || r->act == NONE) return false;
    const Access *act = program_access(p, r->act);
    const Def *d = act->op == OP_STORE ? stored_def(p, r->act) : NULL;
    if (act->op != OP_DEL && (!d || d->kind != VAL_NONE)) return false;
    return ends(sym_str(p->facts[r->file], p->facts[r->file]->funcs.v[r->func].name));
}

/* for file in self.files: file.close() / self.files.clear(), in close(), with nobody else in sight who changes it. */
static bool ended_twice(const Program *p, const Race *r, const Place *x)
{
    if (r->rule != UG106 || x->kind != PLACE_INSTANCE || r->sites[1] == NONE) return false;
    if (x->evidence & EV_GUARDED) return false;
    u32 func = access_func(p, r->sites[0]);
    GId g = func_gid(p, func);
    return func == access_func(p, r->sites[1]) && ends(sym_str(p->facts[g.file], program_func(p, func)->name));
}

/* os.environ["X"] = …, sys.modules[…] = …, by code that nobody is seen to run in a thread. */
static bool of_process(const Program *p, const Race *r, const Place *x)
{
    bool entered = r->rule == UG104 && place_is_environ(p, x); /* of modules one was a race that was fixed */
    return x->file == NONE && (r->rule == UG101 || r->rule == UG102 || entered);
}

/* Made on first use by what a thread that was started far away comes to: no better known than without it. */
static bool far_first_use(const Finder *f, const Race *r, const Place *x)
{
    if (must_be_one(x) || starts_in_passing(f->p, r, x) || x->evidence & EV_GUARDED) return false;
    return r->rule == UG103 && x->kind == PLACE_GLOBAL && threads_reach(f->p, r->sites[0]) &&
           threads_reach(f->p, r->sites[1]) && !near_root(f->p, r->sites[0], x->file) &&
           !near_root(f->p, r->sites[1], x->file);
}

/* self.request = …, and self.request read again by the same call: most objects that keep what belongs to a call have
 * one user at a time. Of 29 such findings none was a race that was fixed; of five that were read none was true. Nor
 * was any of 71 in classes that lock, most of them for other things; they count where the class keeps few. */
static bool data_of_call(const Program *p, const Race *r, const Place *x)
{
    Str name = sym_str(p->facts[r->file], p->facts[r->file]->funcs.v[r->func].name);
    if (str_is(name, "__enter__")) return false;                   /* a manager that is kept is entered by all */
    if (x->evidence & EV_SINGLETON && visible(p, r)) return false; /* the one object, and threads in sight */
    bool locks = x->evidence & EV_CLASS_LOCKS &&
                 (x->evidence & EV_SINGLETON || visible(p, r) || !class_keeps_much(p, x->owner));
    return r->rule == UG101 && r->per_call && x->kind == PLACE_INSTANCE && !r->by_shape && !locks &&
           !(x->evidence & (EV_GUARDED | EV_NAME | EV_PURPOSE | EV_HANDED | EV_DECORATOR));
}

/* Does it read what it stores: an update? */
static bool updates(const Finder *f, u32 ga)
{
    u32 file = access_file(f->p, ga), id = ga - f->p->access_base[file];
    const Facts *x = f->p->facts[file];
    const Access *a = &x->accesses.v[id];
    u32 flow = flows_to(x, id);
    return a->op == OP_AUG || (a->op == OP_STORE && flow < x->flows.n && x->flows.v[flow].to == id);
}

/* Is what the update changes bound on the line before, to what is no mere beginning, "" or 0? */
static bool bound_just_before(const Finder *f, u32 update)
{
    GId g = access_gid(f->p, update);
    const Facts *x = f->p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    for (u32 i = f->nacc; i-- > 0;) {
        const Access *b = program_access(f->p, f->acc[i]);
        if (access_file(f->p, f->acc[i]) != g.file || b->func != a->func || b->op != OP_STORE || b->path != a->path)
            continue;
        if (b->span.start >= a->span.start || updates(f, f->acc[i])) continue;
        const Def *d = stored_def(f->p, f->acc[i]);
        if (!d || d->empty || d->kind == VAL_STRING || d->kind == VAL_NUMBER || d->kind == VAL_NONE) return false;
        u32 stmt = a->stmt, block = a->block;
        while (block != b->block && block != NONE && x->blocks.v[block].kind == BLOCK_THEN &&
               x->blocks.v[block].cond != NONE) {
            stmt = x->conds.v[x->blocks.v[block].cond].span.start;
            block = x->blocks.v[block].parent;
        }
        return block == b->block && follows_at_once(x->source->text, b->stmt, stmt);
    }
    return false;
}

/* paths = settings.paths; if not paths.endswith("/"): paths += "/": what is bound on the line before is put right,
 * and nothing else updates it. Whoever comes between binds it as well, and puts it right; what is added twice is the
 * worst. */
static bool completes_store(const Finder *f, const Race *r)
{
    if (r->rule != UG101 || r->act == NONE || r->per_call ||
        access_func(f->p, r->sites[0]) != access_func(f->p, r->act))
        return false;
    for (u32 i = 0; i < f->nacc; i++)
        if (updates(f, f->acc[i]) && !bound_just_before(f, f->acc[i])) return false;
    return bound_just_before(f, r->act);
}

/* Is the number compared with a limit here, n >= most? */
static bool asks_limit(const Facts *x, const Access *a)
{
    Str rest = str_trim(str_slice(x->source->text, a->span.end, a->span.end + 6));
    Str before = str_trim(str_slice(x->source->text, a->span.start > 6 ? a->span.start - 6 : 0, a->span.start));
    return a->cond != NONE && (str_starts(rest, S(">")) || str_starts(rest, S("<")) || str_ends(before, S("<")) ||
                               str_ends(before, S("<=")) || str_ends(before, S(">")) || str_ends(before, S(">=")));
}

/* if n > most: raise: what the limit is for is not to keep the number small. */
static bool refuses(const Facts *x, const Access *test)
{
    u32 then = x->conds.v[test->cond].then_block;
    return then != NONE && x->blocks.v[then].exits;
}

/* A count that nothing is done with but to log it, or to set it back to a number when it is past a limit: a step more
 * or less makes no difference. */
static bool only_told(const Finder *f, const Race *r)
{
    if (r->rule != UG101 || r->act == NONE || r->per_call) return false;
    bool told = false, limit = false, reset = false;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i], file = access_file(f->p, ga);
        const Facts *x = f->p->facts[file];
        const Access *a = program_access(f->p, ga);
        Str rest = str_trim(str_slice(x->source->text, a->span.end, a->span.end + 6));
        if (a->op == OP_AUG && str_starts(rest, S("+="))) continue;
        if (a->op == OP_STORE) {
            const Def *d = stored_def(f->p, ga);
            if (!d || d->kind != VAL_NUMBER) return false;
            reset |= access_counts(f->p, ga);
        } else if (access_logged(f->p, ga)) {
            told = true;
        } else if (asks_limit(x, a) && !refuses(x, a)) {
            limit = true;
        } else {
            return false;
        }
    }
    return limit ? reset : told;
}

/* if not set_up: set_up = True; logger.addHandler(handler): what is logged is logged twice. */
static bool log_twice(const Program *p, const Race *r)
{
    if ((r->rule != UG103 && r->rule != UG102) || r->act == NONE) return false;
    const Def *d = stored_def(p, r->act);
    return program_access(p, r->act)->op == OP_STORE && d && d->kind == VAL_BOOL && only_sets_up_log(p, r->act);
}

/* Is it a `del self.x`, or a constant that is stored, in close() or __del__? */
static bool ends_state(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    const Facts *f = p->facts[access_file(p, ga)];
    Str name = sym_str(f, f->funcs.v[a->func].name);
    bool last = str_is(name, "close") || str_is(name, "terminate") || str_is(name, "__del__") ||
                str_is(name, "shutdown") || str_is(name, "__exit__");
    const Def *d = a->op == OP_STORE ? stored_def(p, ga) : NULL;
    return last && (a->op == OP_DEL || (d && (d->kind == VAL_NONE || d->empty)));
}

/* An update that only meets the end of its object: nobody needs what is lost there. */
static bool only_ended(const Finder *f, const Race *r)
{
    if (r->rule != UG101 || r->act == NONE || r->sites[1] == NONE || !ends_state(f->p, r->sites[1])) return false;
    u32 read = r->test == NONE ? r->act : r->test;
    if (f->p->places.v[f->place].kind != PLACE_INSTANCE) return false;
    for (u32 i = 0; i < f->nacc; i++) {
        if (!(f->effect[i] & EFFECT_WRITE) || !access_counts(f->p, f->acc[i]) || ends_state(f->p, f->acc[i]))
            continue;
        if (conflict_of(f, read, f->acc[i]).witness != NONE) return false;
    }
    return true;
}

/* self.callbacks[event] = …: has an object of the class nothing to do that with? */
static bool cannot(const Program *p, u32 gclass, u32 ga)
{
    Str needs = S("");
    switch (program_access(p, ga)->op) {
    case OP_ITEM_STORE: needs = S("__setitem__"); break;
    case OP_ITEM_LOAD: needs = S("__getitem__"); break;
    case OP_ITEM_DEL: needs = S("__delitem__"); break;
    case OP_METHOD: needs = access_method(p, ga); break;
    default: return false;
    }
    return class_method_called(p, gclass, needs) == NONE &&
           class_method_called(p, gclass, S("__getattr__")) == NONE && class_seen_whole(p, gclass);
}

/* class Model: callbacks = Dict(String): what is read and stored as self.callbacks belongs to the object, where a
 * class in sight has __get__ and __set__, or could do nothing with the items that are taken by them. */
static bool of_descriptor(const Finder *f, const Race *r, const Place *x)
{
    const Program *p = f->p;
    if (x->kind != PLACE_CLASS_ATTR || x->def == NONE || x->def_file == NONE) return false;
    const Def *d = &p->facts[x->def_file]->defs.v[x->def];
    if (d->kind != VAL_CALL) return false;
    Type t = call_type(p, x->def_file, d->value);
    if (t.kind != TYPE_CLASS) return false;
    bool other = false;
    for (u32 i = 0; i < r->nsites && i < 2; i++) {
        if (r->sites[i] == NONE) continue;
        const Access *a = program_access(p, r->sites[i]);
        other |= cannot(p, t.id, r->sites[i]);
        if (p->facts[access_file(p, r->sites[i])]->paths.v[a->path].root != ROOT_SELF) return false;
    }
    if (other) return true;
    return class_method_called(p, t.id, S("__get__")) != NONE && class_method_called(p, t.id, S("__set__")) != NONE;
}

bool race_slight(const Finder *f, const Race *r, const Place *x)
{
    const Program *p = f->p;
    if (far_first_use(f, r, x) || data_of_call(p, r, x)) return true;
    if (only_ended(f, r) || of_descriptor(f, r, x) || completes_store(f, r) || log_twice(p, r) ||
        takes_early_locks(f, r, x))
        return true;
    bool both =
        visible(p, r) && threads_reach(p, r->sites[0]) && (r->sites[1] == NONE || threads_reach(p, r->sites[1]));
    if (!both && only_told(f, r)) return true;
    if (visible(p, r)) return false;
    if (x->kind == PLACE_INSTANCE && class_is_process(p, x->owner)) return true; /* what it runs has a copy of it */
    return turned(p, r) || closed_twice(p, r, x) || ended_twice(p, r, x) || of_process(p, r, x);
}
