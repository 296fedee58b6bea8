/* What a finding is worth where no thread is in sight: a library's state is shared if its users share it, and some
 * code is written for objects that they do not. Each judgement below names a class of findings that maintainers would
 * not act on, and lowers it; it is still there under --min-confidence low. State that visible threads reach from both
 * sides, and runs that ask for everything (--assume-threads always), keep what the rules found. docs/accuracy.md has
 * the counts. */
#include "races/races.h"

static bool rooted(const Program *p, u32 ga)
{
    return ga != NONE && threads_reach(p, ga);
}

/* An object that can be found is shared as far as somebody looks for it. That is enough for steps by which an update
 * is lost or a test goes wrong: of 140 in the trees of all rows four are races that were fixed. Of 350 walks of such
 * objects, 90 first uses and 80 caches none was that is not found by such a step as well. */
static u32 found_counts(const Race *r)
{
    bool step = r->rule == UG101 || r->rule == UG102 || r->rule == UG201 || r->rule == UG203;
    return step ? EV_FOUND : 0;
}

/* Is there no other evidence, and no thread in sight that comes to the state? */
static bool found_only(const Program *p, const Race *r, const Place *x)
{
    u32 silent = EV_ROOTS | EV_HANDED | EV_ONE | EV_SAME;
    if (x->kind != PLACE_INSTANCE || (x->evidence & ~silent) != EV_FOUND || found_counts(r)) return false;
    return !rooted(p, r->sites[0]) && (r->nsites < 2 || !rooted(p, r->sites[1]));
}

/* The name of the class, threads somewhere in its file, what the class says of itself: two of them, if it says so;
 * one for a walk, which raises where others merely go by an old value; none for what belongs to one call, since most
 * objects that are written so have one user. */
static bool hint_only(const Program *p, const Race *r, const Place *x)
{
    bool comes = rooted(p, r->sites[0]) || (r->nsites > 1 && rooted(p, r->sites[1]));
    if (x->evidence & EV_STARTER && comes) return false;
    u32 strong = EV_MODULE | EV_GUARDED | EV_CLASS_LOCKS | EV_SINGLETON | EV_DECORATOR | EV_PART | found_counts(r);
    bool purpose = x->evidence & EV_PURPOSE && (x->evidence & (EV_NAME | EV_FILE) || r->rule == UG106);
    if (purpose && !r->per_call) return false;
    return x->kind == PLACE_INSTANCE && !(x->evidence & strong);
}

/* A thread in sight comes to the object from outside, by self.client.auth, and other code of the object's class,
 * which that thread does not run, is for whoever has it. */
static bool from_outside(const Program *p, u32 ga, u32 gb)
{
    if (ga == NONE || gb == NONE || !rooted(p, ga) || rooted(p, gb)) return false;
    const Path *q = &p->facts[access_gid(p, ga).file]->paths.v[program_access(p, ga)->path];
    const Path *own = &p->facts[access_gid(p, gb).file]->paths.v[program_access(p, gb)->path];
    return q->root == ROOT_SELF && q->nattr > 1 && own->root == ROOT_SELF && own->nattr == 1;
}

/* Updates, tests, flags and walks of instance state are everyday code of objects that one thread owns: hints are not
 * enough. Caches and queues are written for sharing. */
static bool everyday(RuleId rule)
{
    return rule == UG101 || rule == UG102 || rule == UG103 || rule == UG105 || rule == UG106;
}

/* `if self.closed: return … self.closed = True`: a state of the object that its one user changes. */
static bool flag(const Program *p, const Race *r)
{
    if (r->rule != UG103 || r->act == NONE) return false;
    const Def *d = stored_def(p, r->act);
    return d && (d->kind == VAL_BOOL || d->kind == VAL_NONE || d->kind == VAL_NUMBER || d->kind == VAL_STRING);
}

/* What a Singleton makes on first use, it is there to make once. */
static bool promised_once(const Program *p, const Race *r, const Place *x)
{
    return r->rule == UG103 && x->evidence & EV_ONE && !flag(p, r);
}

/* A number, a text, a class: whoever computes it second gets the same, or as good. */
static bool plain_value(const Program *p, const Race *r, const Place *x)
{
    if (r->rule != UG103 || r->act == NONE || flag(p, r) || stores_object(p, r->act)) return false;
    switch (x->type.kind) {
    case TYPE_NUMBER:
    case TYPE_STRING:
    case TYPE_MODULE:
    case TYPE_FUNC:
    case TYPE_CLASS_OBJECT: return true;
    default: return false;
    }
}

/* A table that is bound when it is whole, that stays where it is and that nobody changes: the second one says the
 * same. What it holds is not looked into. One of an object that no thread in sight comes to may be handed out, unless
 * somebody sets it back: who asks gets the one or the other. */
static bool table(const Finder *f, const Race *r, const Place *x)
{
    u8 kind = x->type.kind;
    bool here =
        r->test != NONE && access_func(f->p, r->test) == access_func(f->p, r->act); /* no helper of it asserts */
    bool unseen = here && x->kind == PLACE_INSTANCE && !rooted(f->p, r->sites[0]) &&
                  (r->nsites < 2 || !rooted(f->p, r->sites[1]));
    const Def *d = stored_def(f->p, r->act);
    if (kind == TYPE_TUPLE) return true;
    if ((kind != TYPE_LIST && kind != TYPE_DICT && kind != TYPE_SET) || !d || d->empty ||
        (d->kind == VAL_PATH && !stores_finished(f->p, r->act)))
        return false;
    bool returned = false, again = false;
    for (u32 i = 0; i < f->nacc; i++) {
        u8 op = program_access(f->p, f->acc[i])->op;
        if (op == OP_ARG || (f->effect[i] & EFFECT_WRITE && !(f->effect[i] & EFFECT_REBIND))) return false;
        returned |= op == OP_RETURN;
        again |= op == OP_STORE && f->acc[i] != r->act && access_counts(f->p, f->acc[i]);
    }
    return !returned || (unseen && !again);
}

/* Do objects of the class hold nothing but numbers, texts and functions, and never change once they are made? */
static bool stateless(const Program *p, u32 gclass)
{
    static const bool plain[TYPE_KINDS] = {
        [TYPE_NONE] = true,   [TYPE_NUMBER] = true, [TYPE_STRING] = true,      [TYPE_TUPLE] = true,
        [TYPE_MODULE] = true, [TYPE_FUNC] = true,   [TYPE_CLASS_OBJECT] = true};
    if (!class_baseless(p, gclass)) return false;
    for (u32 i = class_places(p, gclass); i != NONE; i = p->places.v[i].sibling) {
        const Place *x = &p->places.v[i];
        if (!plain[x->type.kind]) return false;
        for (u32 k = x->first; k < x->first + x->n; k++) {
            u32 ga = p->place_access.v[k];
            if (access_counts(p, ga) && access_effect(p, ga) & EFFECT_WRITE) return false;
        }
    }
    return true;
}

/* Client(), Client.connect(): a call that by its names makes an object of a class. */
static bool named_class(const Program *p, u32 act)
{
    const Facts *f = p->facts[access_gid(p, act).file];
    const Def *d = stored_def(p, act);
    if (!d || d->kind != VAL_CALL) return false;
    const Path *x = &f->paths.v[f->calls.v[d->value].callee];
    for (u32 back = 0; back < 2 && back <= x->nattr; back++) {
        Str name = sym_str(f, x->nattr > back ? x->attr[x->nattr - 1 - back] : x->name);
        while (name.n && name.p[0] == '_') name = str_slice(name, 1, name.n);
        if (name.n && name.p[0] >= 'A' && name.p[0] <= 'Z') return true;
    }
    return false;
}

/* A global that some call of a library fills on first use: a module's handle, a path, a configuration, a logger.
 * Of 100 in 50 repositories none was a race that was fixed; those that were make an object of a class of the
 * program, fill a container, set a flag, or are the one object of a class. */
static bool unknown_value(const Program *p, const Race *r, const Place *x)
{
    if (x->kind != PLACE_GLOBAL || x->file == NONE || flag(p, r) || stores_object(p, r->act)) return false;
    if (named_class(p, r->act)) return false;
    return x->type.kind == TYPE_NONE || x->type.kind == TYPE_LIST || x->type.kind == TYPE_EXTERNAL;
}

/* re.compile(…), struct.Struct(…): nobody can change it, and whoever makes it second has one that does the same. */
static bool unchanging(const Program *p, const Race *r)
{
    static const char *const makers[] = {"re.compile",          "struct.Struct",       "string.Template",
                                         "operator.itemgetter", "operator.attrgetter", "fnmatch.translate",
                                         "decimal.Decimal",     "fractions.Fraction",  "types.MappingProxyType"};
    const Def *d = stored_def(p, r->act);
    if (!d || d->kind != VAL_CALL) return false;
    return str_among(path_external(p, r->file, p->facts[r->file]->calls.v[d->value].callee), makers,
                     COUNT_OF(makers));
}

/* self.busy = True, self.busy = False; as it is written. */
static bool stores_word(const Program *p, u32 ga, Str word)
{
    const Facts *x = p->facts[access_file(p, ga)];
    const Def *d = program_access(p, ga)->op == OP_STORE ? stored_def(p, ga) : NULL;
    if (!d || d->kind != VAL_BOOL) return false;
    Str rest = str_trim(str_slice(x->source->text, d->span.end, MIN(d->span.end + 16u, (u32)x->source->text.n)));
    return str_starts(rest, S("=")) && str_starts(str_trim(str_slice(rest, 1, rest.n)), word);
}

/* if not self.busy: self.busy = True; call(self.work), of an object that a global holds, and another function sets it
 * back: no first use, but who does the work now. Who finds it set leaves his to the other one. */
static bool claimed_again(const Finder *f, const Race *r, const Place *x)
{
    if (!(x->evidence & EV_SINGLETON) || r->act == NONE || !stores_word(f->p, r->act, S("True"))) return false;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i], gfunc = access_func(f->p, ga);
        if (gfunc != access_func(f->p, r->act) && !f->p->funcs[gfunc].construct && access_counts(f->p, ga) &&
            stores_word(f->p, ga, S("False")))
            return true;
    }
    return false;
}

/* What one object that is kept for all makes or does on first use, a flag of it, or what a library's function
 * gives it. Of 120 such findings none was a race that was fixed; those that were fill a container, or set what
 * others are kept from by. */
static bool first_use_of_one(const Program *p, const Race *r, const Place *x)
{
    if (r->rule != UG103 || x->kind != PLACE_INSTANCE || r->in_parts) return false;
    if (must_be_one(x) || x->evidence & EV_GUARDED) return false;
    Str name = sym_str(p->facts[r->file], p->facts[r->file]->funcs.v[r->func].name);
    if (x->evidence & EV_MODULE && str_is(name, "__call__")) return false; /* of a metaclass: the one object */
    if (promised_once(p, r, x)) return false;
    if (starts_in_passing(p, r, x)) return false;
    if (x->signs & SIGN_FINAL && x->evidence & EV_CLASS_LOCKS) return false;
    return !type_is_container(x->type.kind) && !(x->evidence & EV_SINGLETON && stores_object(p, r->act));
}

/* if C.mode != mode: C.mode = mode: a setting of the class, which one of them sets last either way. */
static bool class_setting(const Program *p, const Race *r, const Place *x)
{
    if (r->rule != UG102 || x->kind != PLACE_CLASS_ATTR || r->act == NONE) return false;
    u8 op = program_access(p, r->act)->op;
    return op == OP_STORE || op == OP_DEL;
}

/* Made twice without harm. An object that its own class keeps is meant to be the only one. */
static bool as_good(const Finder *f, const Race *r, const Place *x)
{
    if (r->rule != UG103 || r->act == NONE || r->in_parts || (r->test != NONE && uses_up(f->p, r->test, r->act)))
        return false;
    bool only = x->kind == PLACE_CLASS_ATTR && x->owner == x->type.id;
    if (unknown_value(f->p, r, x) || unchanging(f->p, r)) return true;
    return table(f, r, x) || (x->type.kind == TYPE_CLASS && !only && stateless(f->p, x->type.id));
}

/* tuple(d), list(s): one call in C. It can raise without the GIL (docs/memory-model.md), rarely; and it is what
 * maintainers write to be safe. Of a deque or an OrderedDict no copy is; that counts where a thread is in sight. */
static bool whole_copy(const Program *p, const Race *r, const Place *x)
{
    bool never = x->type.kind == TYPE_DEQUE || x->type.kind == TYPE_ORDERED_DICT;
    if (never && (rooted(p, r->sites[0]) || rooted(p, r->sites[1]))) return false;
    static const char *const copies[] = {"copy", "deque", "OrderedDict"};
    const Access *a = program_access(p, r->sites[0]);
    if (a->op != OP_CREAD) return false;
    Str reader = sym_str(p->facts[r->file], a->method);
    if (access_is_view(p, r->sites[0]) && (str_is(reader, "set") || str_is(reader, "frozenset")))
        return false; /* hashes what the view makes, item by item: raises in half of the calls beside a writer */
    return known_builtin(reader, AS_COPIES) || str_among(reader, copies, COUNT_OF(copies));
}

/* A walk or copy elsewhere takes the lock that guards the place: whoever wrote that knows that a copy needs it. */
static bool walked_under_guard(const Finder *f, const Place *x)
{
    if (!(x->evidence & EV_GUARDED)) return false;
    for (u32 i = 0; i < f->nacc; i++) {
        u32 ga = f->acc[i];
        u8 op = program_access(f->p, ga)->op;
        bool copy = op == OP_CREAD && !str_is(access_method(f->p, ga), "len");
        if ((op == OP_ITER || copy) && access_counts(f->p, ga) && lockset_has(f->p, f->p->access_locks[ga], x->guard))
            return true;
    }
    return false;
}

/* A context manager sets it and sets it back (save.c): meant for all who use the object, and its name is hint enough.
 */
static bool set_for_block(const Program *p, const Race *r)
{
    bool pair = r->rule == UG101 && !r->per_call && r->test != NONE && r->act != NONE;
    return pair && program_access(p, r->test)->op == OP_STORE && !p->tests[r->file];
}

/* if self in table: del table[self]: only who has the same object comes to the same entry. */
static bool own_entry(const Program *p, const Race *r)
{
    if ((r->rule != UG102 && r->rule != UG104) || r->act == NONE || r->test == NONE) return false;
    const Access *act = program_access(p, r->act);
    Str key = sym_str(p->facts[access_gid(p, r->act).file], act->key);
    return str_is(key, "self") && same_key(p, r->test, r->act);
}

/* sys.modules["__main__"]: a name that the code itself writes out is set by this code alone. */
static bool fixed_module(const Program *p, const Race *r, const Place *x)
{
    if (x->file != NONE || r->act == NONE || (r->rule != UG102 && r->rule != UG104)) return false;
    Str key = sym_str(p->facts[access_gid(p, r->act).file], program_access(p, r->act)->key);
    return key.n && (key.p[0] == '"' || key.p[0] == '\'');
}

/* Does a thread run the access that a call in sight starts, and not a server for a request? */
static bool started_in_sight(const Program *p, u32 ga)
{
    const FuncInfo *fi = &p->funcs[access_func(p, ga)];
    for (u32 i = 0; i < fi->nroots; i++) {
        const Root *r = &p->roots.v[fi->roots[i]];
        if (r->call != NONE && !p->facts[r->file]->calls.v[r->call].is_decorator) return true;
    }
    return false;
}

/* Threads run the code of the class, or are started by it; that two of them have one object, nothing shows. Of 8
 * findings where only the file uses threads and where each object is made for another one, read as maintainers would,
 * none was true, unless it was a walk; of 10 about what an object makes or does on first use without a thread in
 * sight, whatever its class uses or is called, none; and of 130 tests and first uses that threads run on both sides
 * of objects that they were not given, none was a race that was fixed. */
static bool own_object(const Program *p, const Race *r, const Place *x)
{
    u32 shared = EV_MODULE | EV_GUARDED | EV_SINGLETON | EV_DECORATOR | EV_PART | found_counts(r);
    u32 any = shared | EV_CLASS_LOCKS | EV_HANDED | EV_SAME | EV_STARTER | EV_PURPOSE | EV_FOUND;
    bool started = started_in_sight(p, r->sites[0]) && (r->nsites < 2 || started_in_sight(p, r->sites[1]));
    if (x->kind == PLACE_INSTANCE && !(x->evidence & any) && !started && class_is_record(p, x->owner))
        return true; /* data that a request has read or made */
    if (x->kind != PLACE_INSTANCE || x->evidence & shared || r->rule == UG106) return false;
    bool used = x->evidence & (EV_CLASS_LOCKS | EV_HANDED | EV_NAME | EV_PURPOSE);
    bool visible = rooted(p, r->sites[0]) && rooted(p, r->sites[1]);
    if (r->rule == UG108) /* a lock that is held at few accesses for reasons of its own, and no walk */
        return r->act != NONE && !(visible && x->evidence & (EV_NAME | EV_PURPOSE));
    bool step = r->rule == UG102 || r->rule == UG103;
    const Facts *f = p->facts[access_gid(p, r->sites[0]).file];
    bool given = x->evidence & EV_HANDED || f->paths.v[program_access(p, r->sites[0])->path].root == ROOT_PARAM;
    bool flow = given && x->signs & SIGN_FLOW && !(x->evidence & (EV_SAME | EV_CLASS_LOCKS | EV_PURPOSE));
    if (visible && flow && (step || r->rule == UG101)) return true; /* the request that its thread was given */
    if (visible && step && !(x->evidence & (EV_HANDED | EV_NAME | EV_PURPOSE)) && !must_be_one(x)) return true;
    if (visible) return !used && class_only_parts(p, x->owner) && !part_of_one_starter(p, r->sites[0], r->sites[1]);
    if (r->rule == UG103 && (starts_in_passing(p, r, x) || promised_once(p, r, x) || (used && r->in_parts)))
        return false;
    if (r->rule == UG103) return !must_be_one(x) && x->type.kind != TYPE_EXECUTOR && !(used && x->signs & SIGN_FINAL);
    return !used && r->rule == UG107;
}

/* ---- judgements of what no thread in sight comes to from both sides ---- */

typedef enum Worth { WORTH_UNSAID, WORTH_LITTLE, WORTH_KEPT } Worth;

typedef struct Weighed {
    const Finder *f;
    const Program *p;
    const Race *r;
    const Place *x;
    bool registered; /* only what sets the program up changes the place */
    bool walk;
} Weighed;

static Worth little_if(bool so)
{
    return so ? WORTH_LITTLE : WORTH_UNSAID;
}

static Worth kept_if(bool so)
{
    return so ? WORTH_KEPT : WORTH_UNSAID;
}

static Worth copied_at_once(const Weighed *w)
{
    return little_if(w->walk && whole_copy(w->p, w->r, w->x) && !walked_under_guard(w->f, w->x));
}

/* What __del__ may run beside, in a class that locks. */
static Worth finalized(const Weighed *w)
{
    bool locks = w->r->rule == UG103 && w->x->evidence & EV_CLASS_LOCKS;
    return kept_if(locks && w->x->signs & SIGN_FINAL && !(w->x->signs & SIGN_FLOW));
}

/* Looked up and filled under the lock, computed outside: on purpose. */
static Worth computed_outside(const Weighed *w)
{
    const Race *r = w->r;
    return little_if(r->rule == UG104 && r->test != NONE && r->act != NONE &&
                     lockset_common(w->p, w->p->access_locks[r->test], w->p->access_locks[r->act]) != NONE);
}

static Worth only_found(const Weighed *w)
{
    return little_if(found_only(w->p, w->r, w->x));
}

static Worth only_hinted(const Weighed *w)
{
    const Race *r = w->r;
    if (!hint_only(w->p, r, w->x) || !everyday(r->rule) || r->by_shape) return WORTH_UNSAID;
    bool outside = from_outside(w->p, r->sites[0], r->sites[1]) || from_outside(w->p, r->sites[1], r->sites[0]);
    return little_if(!outside && !(w->x->evidence & EV_NAME && set_for_block(w->p, r)));
}

static Worth run_by_loop(const Weighed *w)
{
    bool loop = access_in_loop(w->p, w->r->sites[0]) || access_in_loop(w->p, w->r->sites[1]);
    if (!(w->x->signs & SIGN_LOOP) || !loop) return WORTH_UNSAID;
    return race_own_thread(w->f, w->r, w->x) ? WORTH_KEPT : WORTH_LITTLE;
}

static Worth made_twice(const Weighed *w)
{
    return little_if(as_good(w->f, w->r, w->x));
}

static Worth entry_of_one(const Weighed *w)
{
    return little_if(own_entry(w->p, w->r) || fixed_module(w->p, w->r, w->x));
}

static Worth set_up_once(const Weighed *w)
{
    const Race *r = w->r;
    bool step = r->rule == UG101 || r->rule == UG102 || r->rule == UG103 || r->rule == UG104 || r->rule == UG106;
    bool asked_first = r->test != NONE && r->act != NONE && access_func(w->p, r->test) != access_func(w->p, r->act);
    bool by_imports = w->x->file == NONE && w->walk; /* sys.modules: an import changes it, whatever a program does */
    return little_if(w->registered && step && !asked_first && !by_imports);
}

static Worth fields_without_thread(const Weighed *w)
{
    return little_if(w->r->rule == UG105 && !rooted(w->p, w->r->sites[0]));
}

static Worth guarded_or_reached(const Weighed *w)
{
    return kept_if(w->x->evidence & EV_GUARDED || rooted(w->p, w->r->sites[0]) || rooted(w->p, w->r->sites[1]));
}

static Worth program_of_one_loop(const Weighed *w)
{
    u32 threads = EV_CLASS_LOCKS | EV_PURPOSE; /* it locks, and says what for */
    return little_if(w->p->one_loop && w->x->file != NONE && (w->x->evidence & threads) != threads);
}

static Worth first_use_or_setting(const Weighed *w)
{
    bool first = first_use_of_one(w->p, w->r, w->x) && !claimed_again(w->f, w->r, w->x);
    return little_if(first || class_setting(w->p, w->r, w->x));
}

bool class_keeps_much(const Program *p, u32 gclass)
{
    enum { MUCH = 10 };
    u32 n = 0;
    for (u32 i = class_places(p, gclass); i != NONE && n < MUCH; i = p->places.v[i].sibling) n++;
    return n >= MUCH;
}

/* Updates and tests of what a class keeps among many other things beside its lock, in functions that take none: the
 * lock is for one of the others. Of 420 in classes of any size that no thread in sight comes to and nothing else
 * speaks for none was a race that was fixed; of 14 that were read three were true, and seven were wrong. Walks and
 * caches there were fixed. So it is of parts of an object that locks or is kept for all: of 57 updates none was. */
static Worth beside_a_lock(const Weighed *w)
{
    const Race *r = w->r;
    u32 signs = w->x->evidence & ~(u32)(EV_ROOTS | EV_FILE | EV_TOUCHED | EV_NAME);
    bool step = r->rule == UG101 || r->rule == UG102;
    if (!step || r->by_shape || w->x->kind != PLACE_INSTANCE ||
        (signs != EV_CLASS_LOCKS && (signs & ~(u32)EV_FOUND) != EV_PART))
        return WORTH_UNSAID;
    return little_if(!w->p->facts[r->file]->funcs.v[r->func].nsections && class_keeps_much(w->p, w->x->owner));
}

/* Does close(), stop(), __exit__() do it, at whose call nobody uses the object any more? */
static bool ends_use(const Program *p, u32 ga)
{
    const Facts *f = p->facts[access_file(p, ga)];
    return name_ends(sym_str(f, f->funcs.v[program_access(p, ga)->func].name), ENDS_USE);
}

/* Is the field that the function has tested bound anew by it? Not in an update, of which one may get lost, nor in a
 * step whose form alone speaks for threads. */
static bool asks_and_binds(const Program *p, const Race *r)
{
    if (r->rule != UG102 || r->by_shape || r->in_parts || r->test == NONE || r->act == NONE) return false;
    if (access_func(p, r->test) != access_func(p, r->act) || program_access(p, r->act)->op == OP_AUG) return false;
    return program_access(p, r->test)->cond != NONE && access_effect(p, r->act) & EFFECT_REBIND;
}

/* if self.socket: self.socket.close(); self.socket = None, in a class that has a lock for something else, and no
 * thread in sight comes here: of 190 such tests in the trees of all rows none is a race that was fixed, and of 16
 * that were read one was true. Nor was any of 30 about what only close() or stop() takes away: who ends an object has
 * stopped to use it. What changes in a container is another matter, and so is a thread that is kept and waited for.
 */
static Worth asked_beside_a_lock(const Weighed *w)
{
    const Race *r = w->r;
    u32 little = EV_ROOTS | EV_FILE | EV_TOUCHED | EV_NAME | EV_PURPOSE | EV_SINGLETON | EV_FOUND | EV_HANDED;
    if (w->x->kind != PLACE_INSTANCE || (w->x->evidence & ~little) != EV_CLASS_LOCKS) return WORTH_UNSAID;
    if (asks_and_binds(w->p, r) && !place_holds_thread(w->p, w->x)) return WORTH_LITTLE;
    bool taken = r->rule == UG102 && !r->by_shape && r->test != NONE && r->act != NONE && r->nsites > 1;
    return little_if(taken && !(access_effect(w->p, r->act) & EFFECT_WRITE) && ends_use(w->p, r->sites[1]));
}

/* Walks of what an object that is kept for all has among many other things, as the one object of a program has, or a
 * client that scripts use by its name: that others could find it is all that speaks for a second thread. None of
 * 45 in the trees of all rows is a race that was fixed; updates and tests there were. */
static Worth walked_beside_much(const Weighed *w)
{
    u32 signs = w->x->evidence & ~(u32)(EV_ROOTS | EV_FILE | EV_TOUCHED | EV_FOUND);
    if (w->r->rule != UG106 || w->r->by_shape || w->x->kind != PLACE_INSTANCE || signs != EV_SINGLETON)
        return WORTH_UNSAID;
    return little_if(class_keeps_much(w->p, w->x->owner));
}

static Worth signs_of_one_thread(const Weighed *w)
{
    const Race *r = w->r;
    const Place *x = w->x;
    if (x->kind != PLACE_INSTANCE) return WORTH_KEPT;
    u32 none = SIGN_FINAL | SIGN_BOTH; /* a loop for some of its objects, and the others are shared */
    if ((x->signs & SIGN_BOTH && !hint_only(w->p, r, x)) || promised_once(w->p, r, x)) none |= SIGN_LOOP;
    return little_if(x->signs & ~none || (flag(w->p, r) && !r->in_parts && !(x->evidence & EV_SINGLETON)));
}

/* The first that says something decides. Those above guarded_or_reached hold for what has a lock or a thread, too. */
static const struct {
    Worth (*says)(const Weighed *);
    const char *why; /* of WORTH_LITTLE, a clause */
} worth_table[] = {
    {copied_at_once, "it copies the whole in one call, which raises rarely"},
    {finalized, NULL},
    {computed_outside, "it is looked up and filled under the lock, and computed outside on purpose"},
    {only_found, "all that speaks for sharing is that others can find such objects"},
    {only_hinted, "only hints speak for sharing: a name, threads somewhere in the file"},
    {run_by_loop, "one event loop runs it"},
    {made_twice, "what is made a second time is as good as the first"},
    {entry_of_one, "only who has the same object comes to the same entry"},
    {set_up_once, "only code that sets the program up changes it"},
    {fields_without_thread, "no thread in sight comes between the fields"},
    {guarded_or_reached, NULL},
    {program_of_one_loop, "it is a program of windows or of one loop, and nothing of it says that it locks"},
    {first_use_or_setting, "it is made on the first use of one object, or a setting that all set alike"},
    {asked_beside_a_lock, "its class locks for other things, and no thread in sight asks for it"},
    {beside_a_lock, "its class, or the object that it is part of, locks for other things, and that is all"},
    {walked_beside_much, "its object keeps much else, and all that speaks for sharing is that others can find it"},
    {signs_of_one_thread, "its object is of a kind that one thread has for itself"},
};

/* Why the finding is worth little, NULL when it is not. */
static const char *worth_little(const Finder *f, const Race *r, bool registered)
{
    Weighed w = {f, f->p, r, &f->p->places.v[f->place], registered, false};
    w.walk = r->rule == UG106 || (r->rule == UG108 && r->act == NONE);
    for (u32 i = 0; i < COUNT_OF(worth_table); i++) {
        Worth worth = worth_table[i].says(&w);
        if (worth != WORTH_UNSAID) return worth == WORTH_LITTLE ? worth_table[i].why : NULL;
    }
    return NULL;
}

/* Of a finding that is low for several reasons, the first is told. */
static void lower(Race *r, const char *why)
{
    if (!r->low_why) r->low_why = why;
    r->confidence = CONF_LOW;
}

/* The same for judgements of findings whatever threads are in sight. */
static const char *speaks_against(Finder *f, const Race *r, const Place *x)
{
    if (x->signs & SIGN_INSIDE && !(x->evidence & EV_GUARDED))
        return "most objects of its class are made for one call and do not leave it";
    if (plain_value(f->p, r, x)) return "who computes it a second time gets the same";
    if (own_object(f->p, r, x) && !race_with_starter(f, r, x))
        return "nothing shows that two threads have the same object";
    if (race_slight(f, r, x)) return "such code was next to never changed by those who maintain it";
    if (race_imagined(f, r, x)) return "the second thread is one that nobody has seen";
    return NULL;
}

void races_weigh(Finder *f, u32 first)
{
    if (f->p->options->assume == ASSUME_ALWAYS || first == f->out->n) return;
    bool registered = only_set_up(f);
    for (u32 i = first; i < f->out->n; i++) {
        Race *r = &f->out->v[i];
        if (r->place != f->place || r->confidence == CONF_LOW || r->rule == UG307) continue;
        const Place *x = &f->p->places.v[f->place];
        if (r->confidence == CONF_HIGH && !race_sure(f, r, x)) r->confidence = CONF_MEDIUM;
        const char *why = speaks_against(f, r, x);
        if (why) lower(r, why);
        if (r->rule == UG108 && r->lock != NONE && f->p->locks.v[r->lock].passed)
            lower(r, "the lock is handed in, and its callers may hold it");
        bool contract = callers_lock(f->p, r->file, r->func);
        if (contract) r->impact = IMPACT_CONTRACT;
        if (rooted(f->p, r->sites[0]) && rooted(f->p, r->sites[1])) continue;
        if (contract) lower(r, "it says of itself that its callers have to lock");
        why = worth_little(f, r, registered);
        if (why) lower(r, why);
    }
}

/* Tests take locks in odd ways on purpose, examples are made to be read, and of what others maintain they are told by
 * others. */
void races_weigh_files(const Program *p, Arena *scratch, RaceVec *races)
{
    if (p->options->assume == ASSUME_ALWAYS) return;
    bool **off = arena_new(scratch, bool *, p->nfiles + 1);
    for (u32 i = 0; i < races->n; i++) {
        Race *r = &races->v[i];
        bool about_locks = r->rule >= UG301 && r->rule <= UG306;
        if (about_locks && p->tests[r->file]) lower(r, "tests take locks in odd ways on purpose");
        bool aside = p->vendored[r->file] || is_example_path(p->facts[r->file]->source->path);
        if (aside && r->rule <= UG403) lower(r, "it is code that others maintain, or an example");
        if (p->facts[r->file]->python2) r->confidence = MIN(r->confidence, CONF_MEDIUM); /* keys() is a list there */
        if (race_switched_off(p, scratch, off, r)) lower(r, "a constant that is False keeps it from running");
    }
}
