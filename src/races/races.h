/* Shared by the files of races/: one function per kind of race, helpers to pair accesses and to fill in a Race.
 *
 *   ops.c       what a method or reader does to a container (docs/memory-model.md)
 *   passed.c    what a function does to a container that it is given
 *   pair.c      do two accesses conflict; does a test decide an act; how sure are we
 *   report.c    a Race from its accesses: message parts, reasons, fingerprint
 *   update.c numbered.c single.c taken.c peek.c copied.c check.c helper.c gap.c drawn.c save.c restored.c
 *   bysetter.c setback.c scratch.c
 *   told.c halfway.c
 *   early.c late.c ensured.c emptied.c firstuse.c slotuse.c onentry.c entries.c files.c handlers.c reset.c
 *   readback.c iterate.c lazy.c attributes.c iterator.c
 *   stream.c conversation.c exchange.c record.c buffer.c answered.c closed.c fields.c moved.c guard.c intrudes.c
 *   object.c growth.c
 *               rules about one place
 *   start.c publish.c exposed.c entered.c build.c discipline.c condition.c order.c settings.c forawhile.c replaced.c
 *   cached.c contextdefault.c
 *               rules about calls and locks
 *   hotlock.c workers.c serial.c   advice on scaling, with scaling.c and scaling.h
 *   contract.c  what a function says to its callers about locks
 *   harmless.c  gaps between test and act that do no harm
 *   overridden.c  steps of a base class that a derived class guards
 *   keys.c      stores under keys that are there; filledkeys.c: since the dict was filled with them;
 *               slots.c: in entries that each belong to one thread
 *   mustbe.c    what must be made once only: locks, and threads that are started in passing
 *   sure.c      which findings are high; matters.c: on which counts something depends
 *   slight.c    which are of no use whatever the evidence
 *   weigh.c     which findings are worth little without visible threads
 *   find.c      runs the rules, sorts, filters
 *   suppress.c  comments that silence findings
 *   explain.c   a line of the source: what is on it and what was decided
 *   silence.c   why an access is not reported
 *   compare.c   what a change adds: the findings of two programs side by side
 *   dump.c */
#ifndef UNGIL_RACES_H
#define UNGIL_RACES_H

#include "pipeline.h"

typedef struct Finder {
    Arena *a;
    const Program *p;
    RaceVec *out;
    Arena *scratch;
    Map alike;                  /* rule, function and state → how many findings of that kind so far */
    u32 *called_first, *called; /* global func → its range in called: ids of the edges that call it */
    Map first_args; /* (file, where the first argument of a call begins) → the call, an id of the file; of functions
                       with many calls */
    bool events;    /* does the program have any that threads wait for, Event()? */
    Map started_first; /* publish.c: function or class → the first root that it may start */
    u32 *started_next; /* and by root: the next one of the same starter, in the order of the ids */
    u8 *claimed;       /* by global access: a stronger rule has reported it */
    /* the place being looked at */
    u32 place;
    const u32 *acc;   /* its accesses, in text order */
    const u8 *effect; /* and what each does */
    u32 nacc;
    u32 talks;               /* what is asked and answered there (talks_of_place) */
    u32 resets[64], nresets; /* the accesses that set it to None or delete it, once check.c has looked */
    u32 told_of;             /* the place of which sure.c knows whether only a log is told of it, NONE: of none */
    bool told;
    u32 loops_at; /* likewise: the place of which imagined.c knows whether an event loop comes to it */
    bool loops;
} Finder;

/* registry.c: is a function that registers called while the program runs: by a context manager, for the time of a
 * block, or by a lookup of the place, which found nothing? */
bool called_again(const Finder *f, u32 gfunc);
/* registry.c: do only functions that set a program up, and decorators, change the place? */
bool only_set_up(const Finder *f);

/* ops.c */
typedef enum Effect {
    EFFECT_NONE = 0,
    EFFECT_WRITE = 1,  /* changes the container or the binding */
    EFFECT_GROW = 2,   /* changes its size: adds */
    EFFECT_SHRINK = 4, /* changes its size: takes away */
    EFFECT_REBIND = 8, /* another object is bound */
    EFFECT_READ = 16,
    EFFECT_RAISES = 32, /* raises when what was tested is gone */
    EFFECT_SHIFT = 64   /* moves other items of a list to other positions */
} Effect;
u32 access_effect(const Program *p, u32 gaccess);
/* Is it a method of a container that the place may hold, so that access_effect says what it does? */
bool method_known(const Place *x, Str name);
/* passed.c: whether an argument grows or shrinks in the function it is passed to. */
u32 passed_effect(const Program *p, u32 ga);
/* Does the function that the argument is passed to change its size, and only under a lock of the set? */
bool passed_under(const Program *p, u32 ga, u32 set);
/* The function that an argument is passed to and that walks it, or hands back a view that the caller walks (*view): a
 * global func, NONE. */
u32 passed_walk(const Program *p, u32 ga, bool *view);
/* single.c: EFFECT_WRITE for the first argument of a library function that changes it, heapq.heappush(h, x). */
u32 argument_effect(const Finder *f, u32 ga);
/* The dotted name of the library function whose first argument the access is, or an empty string. */
Str first_argument_of(const Finder *f, u32 ga);
/* What it needs: fills f->first_args. */
void arguments_index(Finder *f);
/* Is reading the whole of a container of this type with this reader safe while others change it?
 * (docs/memory-model.md) */
bool reader_is_safe(u8 type, Str reader, bool view);
bool is_data(const Place *x);
/* May it hold an object of a library, a file, a cursor? Those of the program's own classes are judged by what their
 * methods do. */
static inline bool place_may_be_foreign(const Place *x)
{
    return x->type.kind == TYPE_EXTERNAL || x->type.kind == TYPE_UNKNOWN || x->type.kind == TYPE_NONE;
}
/* iterate.c: does the access go through a container step by step, so that a change of its size is seen? Is what it
 * reads a view or an iterator that a method returned, d.items()? */
bool access_walks(const Program *p, u32 ga);
bool access_is_view(const Program *p, u32 ga);
/* lazy.c: is the access an argument of map(), filter(), … which reads it later? Is that, or a generator which walks
 * here, kept in a local and used when the lock that is held here is not held any more? */
bool reads_lazily(const Program *p, u32 ga);
bool kept_past_lock(const Program *p, u32 ga);
/* Is the place os.environ, a mapping that is written in Python? */
bool place_is_environ(const Program *p, const Place *x);

/* How many accesses of one place may stand between two steps that belong together. */
enum { STEPS_AHEAD = 300 };

/* save.c: does the access store an empty container, [], dict(), defaultdict(int)? */
bool stores_empty(const Program *p, u32 ga);
/* save.c: the access that takes all that is in the container, before access i of the place empties it; NONE. */
u32 taken_whole_before(const Finder *f, u32 i);
/* save.c: does the function's name say that it ends something? What comes too late for that is lost either way. */
bool winds_up(const Facts *x, const Func *fn);
/* save.c: stack.pop() and stack.pop(-1). */
bool pops_last(const Program *p, u32 ga);
/* save.c: does the block stand in a finally? */
bool in_finally(const Facts *f, u32 block);
/* Where in a function something is done. */
typedef struct Moment {
    u32 offset, block;
} Moment;
/* save.c: is what is changed at one moment changed back at the other whatever happens in between: after the yield of
 * a context manager, or in a finally that the change is not in? */
bool changed_back_surely(const Program *p, const Facts *f, u32 func, Moment change, Moment back);
/* check.c: the name of the method or of the function that reads, d.get(k), len(d); empty for other accesses. */
Str access_method(const Program *p, u32 ga);

/* contract.c: does the function, or one around it, tell its callers to see to the locking? */
bool callers_lock(const Program *p, u32 file, u32 func);
/* Is the lock that an access lacks one that its function's callers see to: all in sight hold it, or the function says
 * that they must and none in sight does not? */
bool left_to_callers(const Finder *f, u32 ga, u32 lock);

/* overridden.c: does an object of the class of the first access come to the second one, which is of a base class,
 * only through overriding methods that take a lock held at the first one? */
bool guarded_by_override(const Finder *f, u32 ga, u32 gb);

/* pair.c */
typedef struct Conflict {
    u32 witness; /* the access that conflicts, NONE */
    u8 confidence;
    bool roots; /* both sides are reached from visible thread roots */
} Conflict;
/* An access of the place with one of these effects that may run at the same time as `ga` without a common lock.
 * `self`: may ga conflict with itself in another thread? */
Conflict conflict_find(const Finder *f, u32 ga, u32 effects, bool self);
/* The same for two given accesses of the place, whatever they do. */
Conflict conflict_of(const Finder *f, u32 ga, u32 gb);
/* Are the threads that run both sides in sight? */
bool threads_visible(const Program *p, u32 ga, u32 gb);
/* Is the access reached from a thread that is started in sight? Callbacks of an object's end do not count. */
bool threads_reach(const Program *p, u32 ga);
/* Is a thread that reaches the access started in this file, the place's own, or in its package? A thread that is far
 * away, of a plot say, comes to much code of a library, without anybody having thought of threads there. */
bool near_root(const Program *p, u32 ga, u32 file);
bool root_near(const Program *p, const Root *r, u32 file);
/* Does the test decide whether the act runs (same function)? */
bool test_decides(const Program *p, u32 test, u32 act);
/* Does the test leave the function or a block, so that what stands after the blocks around it runs only when it has
 * not:  with lock:              if fresh:
 *           if k in d: return       if k in d: return
 *       d[k] = make(k)          d[k] = make(k) */
bool test_leaves(const Program *p, u32 test, u32 act);
/* The same as test_decides for an act that need not be a recorded access. */
bool decides(const Facts *f, const Access *t, const Access *a);
/* Are both inside one and the same critical section, or does every caller hold a lock? A lock known by its name only
 * counts too; then *maybe is set. */
bool one_section(const Program *p, u32 first, u32 second, bool *maybe);
/* The same for two offsets of a function. */
bool spots_in_section(const Program *p, u32 file, u32 func, u32 first, u32 second, bool *maybe);
/* Is the access inside a try that catches what it would raise? */
bool failure_caught(const Program *p, u32 ga);
/* Does it expect RuntimeError, which a walk raises when the size changes? Who catches all errors to go on loses the
 * walk. */
bool broken_walk_caught(const Program *p, u32 ga);
/* The same, or all errors: the walk is lost, and the program goes on. */
bool any_error_caught(const Program *p, u32 ga);
bool same_key(const Program *p, u32 a, u32 b);
/* Are the two accesses of one attribute those of two objects, as far as names tell: old.items and new.items,
 * self.level and scope.level, or one name bound again between the two? So are a name of a class and what
 * self.name = … makes in its object (the second). */
bool other_object(const Program *p, u32 ga, u32 gb);

/* report.c */
Race *race_add(Finder *f, RuleId rule, u32 site, Conflict c);
/* The same, reported elsewhere: where the function is called that has the access. */
Race *race_add_at(Finder *f, RuleId rule, u32 site, Conflict c, u32 file, u32 func, Span span);
/* One about data of a call, kept on an object: set there, and read or taken back by `act` (scratch.c). */
Race *race_of_call(Finder *f, u32 set, u32 act, Conflict c);
void race_site(Race *r, u32 ga);
void race_why(Finder *f, Race *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* "x is …" message; the pattern distinguishes fingerprints of one function. */
void race_message(Finder *f, Race *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
Race *race_at(Finder *f, RuleId rule, u32 file, u32 func, Span span, Str state, Confidence c);
/* The same about taking a lock: the line where the section takes it; the state is the lock. */
Race *race_at_section(Finder *f, RuleId rule, u32 file, const Section *s, u32 lock, Confidence c);
Str short_state(const Program *p, u32 place);

/* exposed.c: is the field there already when its object is made known at this offset of a function that makes it, in
 * this block (or whichever, NONE): set by the class body, a base class, a helper, or before? */
bool field_set_before(const Program *p, const Place *x, u32 file, u32 func, u32 block, u32 at);

/* check.c: parts that helper.c shares */
bool check_tests(const Program *p, u32 ga);
/* The nearest test before access `at` of the place that decides whether it is run; NONE. */
u32 check_nearest_test(const Finder *f, u32 at);
/* done[key] = True and then what is to be done: the entry is a claim, as an item of a set is. */
bool claims_key(const Program *p, u32 act);
bool check_harmless(const Program *p, u32 test, u32 act);
/* Does the act put another value in the place of one that is there, which the test found, without a look at it? */
bool check_overwrites(const Finder *f, u32 test, u32 act);
/* Is a grown copy published, which the caller has anyway, so that one that is lost is made again? */
bool check_copy_grown(const Finder *f, u32 test, u32 act);
/* What the act has found: `if x is None: raise … x = None` goes on with something. A TestKind. */
u8 test_for_act(const Program *p, u32 test, u32 act);
RuleId check_rule(const Finder *f, u32 test, u32 act);

/* save.c: is it a generator that contextlib makes a context manager? */
bool yields_once(const Program *p, const Facts *f, const Func *fn);
/* Is the function suspended by a yield between the two offsets? */
bool yields_between(const Facts *f, u32 func, u32 from, u32 to);

/* harmless.c: does the branch of the act do nothing beside it but write to a log, or set one up? */
bool only_sets_up_log(const Program *p, u32 act);
/* harmless.c: the Def that tells what a store stores, NULL. */
const Def *stored_def(const Program *p, u32 ga);
/* harmless.c: does the access store an object that it makes, of a class of the program? */
bool stores_object(const Program *p, u32 ga);
/* Does the access store a container that the function has filled under a name of its own, which it does not use any
 * more: table = {}; table[k] = v; TABLE = table? */
bool stores_finished(const Program *p, u32 ga);
/* Is the value only compared with the identity of the thread that runs here, as the owner of something? Only that
 * thread makes it so and takes it back, and so whatever the others store, the answer stays the same. */
bool own_thread_test(const Program *p, u32 test);
/* Does the access store the identity of the thread that runs here, by which others see who owns something? */
bool stores_own_thread(const Program *p, u32 ga);
/* Is the key the identity of the thread that runs here, d[get_ident()]? No other thread has it. */
bool own_key(const Program *p, u32 ga);
/* keys.c: takes EFFECT_GROW from the effects of those of the place's accesses `acc` that store under keys in it. */
void keys_there(const Program *p, const Place *x, const u32 *acc, u8 *effect);
/* The statement that binds the local last before the byte; NONE. */
u32 local_bound_by(const Facts *f, u32 func, u32 sym, u32 before);
/* Is it at both bytes what the same statement has bound it to? */
bool local_bound_once(const Facts *f, u32 func, u32 sym, u32 first, u32 second);
/* A name, a number or a string: no expression that gives something else the next time. */
bool key_is_plain(Str key);
/* Is the key a string that is written out? */
bool key_is_string(Str key);
/* Where the string ends whose first quote stands at i. */
size_t literal_string_end(Str text, size_t i);
/* The text from the brace of the dict literal on that the definition gives; empty when it gives something else. */
Str dict_literal_of(const Facts *f, const Def *d);
/* Has the dict literal that the text begins with the key, a string with its quotes? */
bool dict_literal_has(Str text, Str key);
/* filledkeys.c, all of a dict from which nothing takes keys: d.update(dict(zip(d.values(), d.keys()))): does the
 * access store under what the dict holds itself, so that only the first call adds anything? */
bool own_inverse(const Program *p, u32 ga);
/* What a place is filled with, found when the first key is asked for. Zero-initialise; arena_free(&w.a) when done. */
typedef struct Filling {
    Arena a;
    bool found;
    Map alone;                  /* hash of a key → accesses that put it there while nobody else has the dict */
    Vec(const Place *) sources; /* whose items loops give it as keys */
    Vec(u32) calls;             /* d.update(…) */
} Filling;
/* Is the key of the access, a string, one that the dict got when it was filled: from a literal, or while its object
 * or module was made? `acc` are the accesses of the place. */
bool filled_key(Filling *w, const Program *p, const Place *x, const u32 *acc, u32 ga);
/* old = self.get(k) … self.d[k] = v: has a function that was called with the key looked it up? */
bool looked_up_by_call(const Program *p, const Place *x, u32 ga);
/* if k in KINDS: d[k] = v: is the key one of a literal list, and has the dict's literal all of these? */
bool among_literal(const Program *p, const Place *x, const u32 *acc, u32 ga);
/* list(d), sorted(d): does the access copy the keys of a dict? for key in d, d.items(): does it hand them out? */
bool copies_keys(const Facts *f, const Access *a);
bool walks_keys(const Facts *f, const Access *a);
/* slots.c: is the entry that is stored or updated the one of the thread's own number? */
bool own_slot(const Program *p, u32 ga);
/* slots.c: does a thread store under the key that it was started with, which whoever started it had put there? `acc`
 * are the accesses of the place. */
bool preset_key(const Program *p, const Place *x, const u32 *acc, u32 ga);

/* mustbe.c: is what the act makes on first use made when its module is imported, since the module's body calls the
 * function, and nothing else changes it? */
bool made_by_import(const Finder *f, u32 act);
/* Is the lock that is made on first use an object of a class, or an attribute of one, that takes locks which all its
 * objects share and which are made when its module is imported? Then two of them still exclude each other. */
bool takes_early_locks(const Finder *f, const Race *r, const Place *x);
/* mustbe.c: does the place hold a lock or its like? */
bool must_be_one(const Place *x);
/* Is it a thread or an executor that is made on first use, by a function that is there for something else? */
bool starts_in_passing(const Program *p, const Race *r, const Place *x);
/* if x is None: x = make(source); del source: does what is made on first use use up what it is made of, so that who
 * comes second finds nothing? */
bool uses_up(const Program *p, u32 test, u32 act);

/* helper.c: a step of a pair that stands, or is called, in one function. */
typedef struct GapStep {
    u32 access;     /* of the place, where the step is really taken */
    u32 file, call; /* the call that leads there, NONE */
    Access at;      /* where it happens in the function that both steps share */
} GapStep;

/* Are both paths of one object that is no local, and no self: table.missing and table.add? */
bool of_one_object(const Facts *x, u32 path, u32 callee);
/* The call that an edge stands for; NULL where syntax calls. */
const Call *edge_call(const Program *p, const CallEdge *e);
/* Does the test decide whether its function calls the other one, a global func, on the own object? */
bool test_decides_call(const Finder *f, u32 test, u32 callee);
/* The range of the place's accesses that stand in this function. */
u32 accesses_in(const Finder *f, u32 gfunc, u32 *end);
/* Is the call one of a method on the caller's own object, or of a function of its module? */
bool calls_own_object(const Finder *f, const CallEdge *e);
/* The access whose value the function returns, when it does nothing else with the place; NONE. */
u32 answers(const Finder *f, u32 gfunc);

/* update.c: the first flow of the file that ends in the access, or where it would stand. */
u32 flows_to(const Facts *f, u32 access);

/* readback.c: does the second statement stand on the line after the first, blank lines and comments left out? */
bool follows_at_once(Str text, u32 first, u32 second);

/* guard.c: does the access stand where the lock is made anew, as after a fork? Who held it before is not there any
 * more. */
bool func_remakes_lock(const Program *p, u32 ga, u32 lock);

/* gap.c */
/* The block, or the one around it and around further `with` statements. */
u32 past_with(const Facts *f, u32 block);
/* Does the access take an item away by its key, and raise when it is gone? */
bool gap_raises(const Program *p, u32 ga);
/* Do both steps hold one lock, but not at one piece, so that what comes between does harm? *rule: what it is. */
bool gap_harms(const Finder *f, const GapStep *test, const GapStep *act, RuleId *rule);

/* readback.c: where the function that has this update of a number reads further down, in what is always run after it,
 * the value that it gave: accesses in text order; 0 where all that is merely told. Not behind another change of it, a
 * loop or a yield; nor of a number that goes up and down. */
enum { READ_BACK = 12 };
u32 reads_back(const Program *p, u32 update, u32 out[READ_BACK]);
/* Is the block in a loop that stands within the outer one? */
bool loop_between(const Facts *x, u32 inner, u32 outer);
/* sure.c: is the value that the access reads only told to a log, or printed? */
bool access_told(const Program *p, u32 ga);
/* Only told to a log? */
bool access_logged(const Program *p, u32 ga);
/* matters.c: does something depend on each step of the count that a finding of UG101 is about? */
bool count_matters(const Finder *f, const Race *r);
/* sure.c: would we bet on the finding, which is high by its threads? The rest of what threads in sight do is
 * medium. */
bool race_sure(Finder *f, const Race *r, const Place *x);

/* slight.c: is it of a shape that maintainers leave as it is? */
bool race_slight(const Finder *f, const Race *r, const Place *x);
/* weigh.c: does the class keep many things in its objects, so that its lock may be for others of them? */
bool class_keeps_much(const Program *p, u32 gclass);

/* imagined.c: is there too little that speaks for a second thread? */
bool race_imagined(Finder *f, const Race *r, const Place *x);
/* update.c: is there something that speaks of threads: one in sight that comes to the state, a lock that is held at
 * some of its accesses, a module that uses threads? */
bool speaks_of_threads(const Finder *f, u32 ga, u32 gb);
/* Does the class of the place run a method of its objects in a thread in sight, beside the finding's other side? */
bool race_own_thread(const Finder *f, const Race *r, const Place *x);
/* ofthread.c: is the object a thread, and does who has started it call what changes the place, beside the thread? */
bool race_with_starter(const Finder *f, const Race *r, const Place *x);

/* switchedoff.c: does a constant that is False keep it from running? `known` has a slot for each file, NULL at first;
 * what is found of a file is kept there, in the arena. */
bool race_switched_off(const Program *p, Arena *a, bool **known, const Race *r);

/* weigh.c: lowers the confidence of the findings about this place, from the first one on. */
void races_weigh(Finder *f, u32 first);
/* Lowers those about locks in tests, and all in examples, in copies of other people's packages, and in code that is
 * switched off. */
void races_weigh_files(const Program *p, Arena *scratch, RaceVec *races);

/* conversation.c: what threads talk over, and the two halves of an exchange there. */
typedef enum Talk { TALK_DATABASE, TALK_PEER, TALK_HTTP, TALK_BUFFER, TALK_FILE } Talk;
typedef enum Half { HALF_NONE, HALF_ASKS, HALF_ANSWERS } Half;
Half talk_half(const Program *p, u32 ga, Talk talk);
/* Which halves there are at the place, as bits: what Finder.talks holds; and whether there is one. */
u32 talks_of_place(const Finder *f);
bool place_asks(const Finder *f, Talk talk);
bool place_answers(const Finder *f, Talk talk);
/* Who asks the same object something in between; the surest witness. */
Conflict talk_between(const Finder *f, u32 ask, Talk talk);
/* The message, where the answer is taken on the line. */
void talk_message(Finder *f, Race *r, Talk talk, u32 line);
/* exchange.c: connect(), login(), close(): is the object not yet, or not any more, for others to have? */
bool begins_or_ends(const Facts *x, const Func *fn);
/* record.c: the call of the function that has the access among its arguments, NULL; *at: as which. */
const Call *call_given(const Facts *x, const Access *a, u32 *at);
/* iterator.c: does it hold what open() gave? */
bool place_is_file(const Program *p, const Place *x);

/* the rules */
void race_helper(Finder *f);
void race_update(Finder *f);
void race_single(Finder *f);
void race_numbered(Finder *f);
void race_taken(Finder *f);
void race_asked(Finder *f);
void race_peek(Finder *f);
void race_copied_keys(Finder *f);
void race_paced(Finder *f);
void race_saved(Finder *f);
void race_restored(Finder *f);
void race_by_setter(Finder *f);
void race_ensured(Finder *f);
void race_on_entry(Finder *f);
void race_entries(Finder *f);
void race_kept_place(Finder *f);
void race_scratch(Finder *f);
void race_told(Finder *f);
void race_emptied(Finder *f);
void race_set_back(Finder *f);
void race_readback(Finder *f);
void race_taken_reset(Finder *f);
void race_reset(Finder *f);
void race_drawn(Finder *f);
void race_halfway(Finder *f);
/* A first use whose function binds another part of the state after the one that is tested, and somebody takes that
 * part on the strength of the test: says so in the finding, which is never harmless then. False: it is no such one.
 */
bool race_in_parts(Finder *f, Race *r);
void race_early(Finder *f);
/* A first use that sets a flag before the work that it stands for, on which a caller relies: says so in the finding.
 * False: it is no such one. */
bool race_flag_first(Finder *f, Race *r);
void race_late(Finder *f);
void race_default(Finder *f);
void race_check(Finder *f);
void race_iterate(Finder *f);
void race_attributes(Finder *f);
void race_stream(Finder *f);
void race_conversation(Finder *f);
void race_exchange(Finder *f);
void race_record(Finder *f);
void race_buffer(Finder *f);
void race_answered(Finder *f);
void race_closed(Finder *f);
void race_iterator(Finder *f);
void race_declared(Finder *f);
void race_guard(Finder *f);
void race_intrudes(Finder *f);
void race_object(Finder *f);
void race_lazy_lock(Finder *f);
void race_growth(Finder *f);
/* fields.c: does it stand in __repr__ or __str__? What is only shown may be torn. */
bool access_shown(const Program *p, u32 ga);
void race_fields(Finder *f);
void race_moved(Finder *f);
void race_start(Finder *f, u32 file);
void race_build(Finder *f, u32 file);
void race_discipline(Finder *f, u32 file);
void race_condition(Finder *f, u32 file);
void race_hot_lock(Finder *f, u32 file);
void race_workers(Finder *f, u32 file);
void race_serial(Finder *f);
void race_lock_order(Finder *f);
void race_settings(Finder *f, u32 file);
/* The lock of a section of its function that the call stands in, not one that only sounds like a lock; NONE. */
u32 lock_around(const Program *p, u32 file, const Call *c);
/* settings.c: a thread in sight that runs the function, the one of an event loop aside; one that is started near it
 * before others; NULL. */
const Root *thread_of(const Program *p, u32 gfunc);
/* settings.c: does the function fork, or leave the session? */
bool makes_process(const Program *p, u32 file, u32 func);
/* settings.c: does the function say of itself that it is not thread-safe? */
bool func_says_unsafe(const Program *p, u32 file, u32 func);
void race_replaced(Finder *f, u32 file);
void race_for_a_while(Finder *f, u32 file);
void race_context_default(Finder *f, u32 file);
/* save.c: attributes that a context manager sets by names which are known at run time only */
void race_options(Finder *f, u32 file);
void race_cached(Finder *f, u32 file);
void race_files(Finder *f, u32 file);
/* files.c: do two threads at least, as far as can be seen, run the function? */
bool threads_meet(const Program *p, u32 gfunc);
/* Does the call stand in a critical section, or does every caller hold a lock? */
bool call_is_held(const Program *p, u32 file, const Call *c);
void race_handlers(Finder *f, u32 file);
void race_entered(Finder *f, u32 file);
void race_published(Finder *f, u32 file);
/* What it needs: fills f->started_first and f->started_next. */
void starters_index(Finder *f);
void race_exposed(Finder *f, u32 file);
void race_missing(Finder *f);
void race_first_use(Finder *f, u32 file);
/* slotuse.c */
void race_slot_use(Finder *f, u32 file, u32 func);
void race_module_gauss(Finder *f, u32 file);

/* suppress.c */
void races_suppress(Finder *f);

/* find.c: how certain a finding of the rule must be: what the last table of the configuration that selects the rule
 * says, else the general setting. */
Confidence confidence_wanted(const Options *o, u8 rule);

/* silence.c */
/* Appends why no finding is about the access, as lines that start with "silent:". */
void silence_put(Buf *out, Arena *a, const Program *p, u32 ga);
/* Appends why the options leave the finding out; nothing when they do not. */
void left_out_put(Buf *out, const Program *p, const Race *r);

#endif
