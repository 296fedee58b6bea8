/* Shared by the files of link/: what the linker knows while it joins the facts of all files.
 *
 *   modules.c  which file is which module; what a module-level name is; imports
 *   siblings.c modules that are imported from the folder of a script
 *   chain.c    threads that start their own successor
 *   classes.c  bases, method resolution, who owns an attribute; properties.c: what self.x = v calls
 *   resolve.c  a path to the thing it names
 *   types.c    what kind of object a place, local or call result is
 *   serverof.c  the server that a request handler has
 *   funcattrs.c  attributes of functions
 *   places.c   pieces of shared state and who accesses them
 *   halves.c   runs what follows, to unseen.c without locks and guards, on two threads
 *   calls.c    call edges, with callbacks.c
 *   dispatch.c calls by a part of a name
 *   roots.c    thread roots, with rootcalls.c and rootclasses.c
 *   walk.c     what they reach
 *   loops.c    code of event loops, with loopcalls.c and tasks.c
 *   reach.c    what kind of code each function is
 *   ofprogram.c which files are modules of a program that is whole in sight
 *   vendored.c which files are copies of other people's packages
 *   processes.c what worker processes begin with
 *   waited.c   threads that their starter waits for at once
 *   spawning.c loops that start a thread in each round
 *   order.c    what runs before the first start and after the last join
 *   startup.c  what an application does while it starts
 *   percall.c  starters that are called again
 *   handover.c what an Event orders
 *   stopped.c  what comes after a method that waits for its object's thread
 *   opaque.c   places that hold objects of libraries, not containers
 *   locksets.c sets of locks
 *   locks.c    locks, and which are held where, with sections.c and entry.c
 *   hints.c    signs that a class is made to be shared
 *   guards.c   which lock guards which place
 *   evidence.c whether a place is shared
 *   alone.c    accesses that nobody else can meet
 *   made.c     which calls make objects of a class, and for whom
 *   kept.c     objects that are shared because of who has them
 *   found.c    objects that are put where any thread finds them
 *   records.c  classes whose objects are data
 *   given.c    objects that threads are given when they are started
 *   singles.c  classes that keep their own objects
 *   named.c    objects that module-level names hold
 *   unseen.c   counts what cannot be followed
 *   escape.c   what leaves the function that made it
 *   filled.c   what fills objects before anybody else has them
 *   confined.c signs that an object stays with one thread
 *   program.c  runs them in this order; small queries
 *   together.c may two accesses run at the same time, with objects.c: of one object
 *   dump.c     the text forms */
#ifndef UNGIL_LINK_H
#define UNGIL_LINK_H

#include "link/state.h"
#include "pipeline.h"

/* program.c: for each file the sum of count over the files before it; at n over all. */
u32 *files_base(Arena *a, Facts **facts, u32 n, u32 (*count)(const Facts *));

/* modules.c */
void modules_index(Program *p);
u32 gsym(const Program *p, u32 file, u32 sym);
Ent module_lookup(const Program *p, u32 file, u32 gs, u32 depth);
u32 module_find(const Program *p, Str dotted);
Ent import_target(const Program *p, u32 file, const Import *im, u32 depth);
/* The file of the module that an import names, for `from M import x` of M; NONE when it is not of the program. */
u32 import_file(const Program *p, u32 file, const Import *im);
Ent ent_external(const Program *p, Str dotted);

/* siblings.c */
void siblings_index(Program *p);
/* The dotted name of the module that `text` of an import without dots means, seen from its file. */
Str sibling_module(const Program *p, u32 file, const Import *im, Str text);

/* classes.c */
void classes_index(Program *p);
void properties_index(Program *p, u32 file); /* properties that can be set; after the methods */
void classes_attrs(Program *p);
const Class *program_class(const Program *p, u32 gclass, u32 *file);
u32 gclass_of(const Program *p, u32 file, u32 cls);
GId class_gid(const Program *p, u32 gclass);
/* What func_gid and its like need; from then on they may be asked. */
void gids_index(Program *p);
/* Has it decorators or bases that make fields of a class body's annotated names: every object has its own? */
bool class_makes_fields(const Program *p, u32 file, u32 cls);
/* Is this the full name of the class or function? */
bool class_named(const Program *p, u32 gclass, Str dotted);
bool func_named(const Program *p, u32 gfunc, Str dotted);
bool class_derives(const Program *p, u32 gclass, const char *external);
bool class_derives_any(const Program *p, u32 gclass, const char *const *external, size_t n);
bool class_derives_known(const Program *p, u32 gclass, u64 as); /* of one of which calls.def says so */
/* Is it derived from one of the library's queues, whose hooks _put, _get and _qsize run under the queue's mutex
 * (sections.c)? */
bool class_is_queue(const Program *p, u32 gclass);
/* "QtCore.QThread" for PyQt5.QtCore.QThread and what other bindings or the program's own modules call it; the name
 * itself for all others. Tables have the short form. */
Str toolkit_name(Str dotted);
u32 class_method(const Program *p, u32 gclass, u32 gs, bool skip_self);
/* The method of this name that the class itself has, not its bases; NONE. */
u32 class_own_method(const Program *p, u32 gclass, const char *name);
u32 class_setter(const Program *p, u32 gclass, u32 gs); /* what self.x = … calls, NONE */
/* The class in the method resolution order, nearest the root, that has the attribute; NONE when no class has it. */
u32 class_attr_owner(const Program *p, u32 gclass, u32 gs, u32 *bits);
/* What a name means in a mixin that has none of it, nor its bases: the method, or the class with the attribute, that
 * all classes derived from it have, be it from other bases. NONE where they do not agree. */
u32 class_completed_by(const Program *p, u32 gclass, u32 gs, bool method);
Str class_display(Arena *a, const Program *p, u32 gclass);

/* owner.c */
void owners_index(Program *p);
/* The class in whose body, however deep, the function stands, or NONE. */
u32 class_around(const Program *p, u32 file, u32 func);
/* The class that the attribute (a symbol of the file) of an object of unknown type belongs to, by its name; NONE. */
u32 owner_by_name(const Program *p, u32 file, const Path *x, u32 attr);
/* The class of what the attribute of an object of unknown type holds, by its name; NONE. */
u32 held_by_name(const Program *p, u32 file, u32 attr);

/* resolve.c */
Ent path_resolve(const Program *p, u32 file, const Path *x, u32 nattr);
/* From here on a path means the same whenever it is asked for: answers are kept. After params_link. */
void paths_settle(Program *p);
/* Finds what is called, ahead of those who ask. */
void callees_settle(Program *p);
Ent path_entity(const Program *p, u32 file, u32 path);
/* One attribute further. */
Ent ent_attr(const Program *p, Ent e, u32 gs);
/* The class whose object the path's root self, or whose class its cls, is: NONE when there is none. */
u32 root_class(const Program *p, u32 file, const Path *x);

/* serverof.c: the class of the one kind of server that the program makes for a class of request handlers; NONE. */
u32 server_of(const Program *p, u32 handler);

/* types.c */
Type ent_type(const Program *p, Ent e);
Type def_type(const Program *p, u32 file, const Def *d);
Type place_type(const Program *p, u32 place);
Type local_type(const Program *p, u32 file, u32 func, u32 sym);
/* What the elements of a place or local are. */
Type element_type(const Program *p, u32 file, Ent e);
Type external_type(const Program *p, Str dotted);
bool sounds_like_lock(Str name);
u64 local_key(u32 file, u32 func, u32 sym);

/* funcattrs.c */
void func_attrs_index(Program *p);
/* The attribute of a function as the place that it is; ENT_NONE when it is no state of the module. */
Ent func_attr(const Program *p, u32 gfunc, u32 gs);

/* holders.c: the attribute of an object of the type t, which the place holds, as a place; ENT_NONE */
void holders_index(Program *p);
Ent holder_attr(const Program *p, u32 place, Type t, u32 gs);

/* places.c */
void locals_index(Program *p);
void places_index(Program *p);
u32 place_of(const Program *p, u8 kind, u32 file, u32 owner, u32 gs);
void places_chain(Program *p); /* for class_places; of places that are made later, too */
/* The place of the local or parameter that the path begins with. */
u32 closure_place(Program *p, u32 file, const Path *x);
void places_access(Program *p);

/* defaults.c: what the default of a parameter holds that all calls share and can change, TYPE_UNKNOWN for nothing;
 * its place as far as the access is to the default, or NONE */
u8 default_kind(const Program *p, u32 file, const Param *q);
u32 default_place(Program *p, u32 file, const Path *x, const Access *a);

/* handed.c */
/* self.session = session: is the attribute, a symbol of the program, of a class's objects bound to a parameter, so
 * that others may have what it holds, too? */
bool attr_given(const Program *p, u32 cls, u32 gs);
void handed_find(Program *p); /* fills Place.to_thread; needs the roots, and the accesses of places */
/* The one place that all callers pass for this parameter, or NONE. */
u32 param_place(Program *p, u32 file, const Path *x);
/* Is the path a parameter that is given attributes of objects that are being made, and nothing else? */
bool param_made_here(const Program *p, u32 file, const Path *x);
/* The place whose container the attribute holds, when its maker was given it; else the place itself. Binding the
 * attribute (op) is no matter of the container. */
u32 handed_place(Program *p, u32 place, u8 op);

/* views.c */
/* The call whose result the path is: itself, or that of the one assignment of a local; NONE. */
u32 path_result_of(const Program *p, u32 file, const Path *x);
/* Is the path a view of a container of the same file, d.items()? Sets *out to the container's path. */
bool view_of(const Program *p, u32 file, const Path *x, Path *out);
/* Is the path an iterator over a container of the same file, iter(d), iter(d.values())? Sets *out likewise. */
bool iterated_of(const Program *p, u32 file, const Path *x, Path *out);
/* The place that a function hands out by its one return: as it is, from a property; or, when what it returns is only
 * walked, as a view or an iterator too, and from methods. NONE. */
u32 handed_out(const Program *p, u32 gfunc, bool walked);
/* The place that a walk (OP_ITER) or a read in one call (OP_CREAD) of the path goes through by a function, a property
 * or an __iter__ of ours; NONE. */
u32 walked_place(const Program *p, u32 file, const Path *x, u8 op);

/* The one value that a function returns, beside nothing or an empty container of its own; NULL. */
const Def *one_return(const Program *p, GId g);

/* ownops.c */
/* The attribute that the class's own method does an operation on self to, k in self or self[k]; NONE. */
u32 own_operation(const Program *p, u32 cls, u8 op);
/* Has the class a method for the operation; `above`: has one of its bases? */
bool defines_operation(const Program *p, u32 cls, u8 op, bool above);

/* accessor.c */
/* Does functools keep what the function returns, and give it to whoever calls it again? */
bool is_memoised(const Program *p, u32 file, const Func *fn);
/* The place of the container that a call gives, where a path stands for its result and the access is to what it
 * holds; NONE. */
u32 result_place(Program *p, u32 file, const Access *a, const Path *x);

/* element.c */
/* Is something done to what a container holds, or is it asked for that? */
bool access_of_contents(const Access *a);
/* The place of what a container in the container holds, for a path that ends in a subscript; NONE. */
u32 element_place(Program *p, u32 file, const Access *a, const Path *x);
/* The same for self.groups.get(key, []), self.groups.setdefault(key, set()) and a local that is assigned once, from
 * one of them. */
u32 element_asked(Program *p, u32 file, const Access *a, const Path *x);
/* The place of the inner container that a return hands out, or NONE. */
u32 element_returned(Program *p, u32 file, const Def *d);
/* Takes away the places of elements that no container shows in; once every access has its place. */
void elements_settle(Program *p);

/* halves.c: the passes from calls to order, and from places to what is unseen, on two threads. */
void halves_link(Program *p);

/* calls.c */
/* Which methods have a name. */
void methods_index(Program *p);
void calls_link(Program *p);
/* The edge is good until the next one is added. */
CallEdge *edge_add(Program *p, u32 caller, u32 callee, u32 file, u32 call);
/* The method of this name that an object of the class has: a global func, NONE. */
u32 method_by_name(const Program *p, u32 cls, const char *name);
/* implicit.c: edges to what syntax calls, of one file. */
void implicit_edges(Program *p, u32 file);
/* dispatch.c: edges to the methods that getattr(self, "do_" + name) asks for, of one file. */
void dispatch_edges(Program *p, u32 file);
/* Sorts the edges anew, after some were added. */
void calls_index(Program *p);
void params_link(Program *p);

/* The parameter that the call's argument number `arg` goes to, as its position; NONE. */
u32 param_of_arg(const Program *p, GId callee, u32 file, const Call *c, u32 arg);

/* callbacks.c: edges from the call's function to what it passes, where the callee calls its parameter. */
void callback_edges(Program *p, u32 file, u32 call, u32 gcallee);
/* The same for what is passed to a function of the library that calls it then and there: sorted(rows, key=f). */
void library_callbacks(Program *p, u32 file, u32 call);
/* loopcalls.c: what event loops call, LinkState.later. Needs the edges and the roots. */
void loop_calls_find(Program *p);
/* Coroutines that wait for each other are served together. What one of them hands to a thread and waits for runs
 * beside the others that have the same object. Needs FuncInfo.event_loop. */
void loop_calls_together(Program *p);
/* tasks.c: sets FuncInfo.served of coroutines of which several run beside each other, with one object. */
void tasks_find(Program *p);
/* Is a lock of an event loop held around the call? */
bool held_one_at_a_time(const Program *p, u32 file, u32 call);
/* stored.c: functions that are kept in attributes and containers. In this order: stored_index, then for each call
 * stored_passed with each of its targets and stored_called when it has none, then stored_edges. */
void stored_index(Program *p);
void stored_passed(Program *p, u32 file, u32 call, u32 gcallee);
void stored_called(Program *p, u32 file, u32 call);
void stored_edges(Program *p);
/* The functions that the value of the path may be, where it is kept; 0 when there are more than `max`. */
u32 stored_funcs(Program *p, u32 file, u32 path, u32 *out, u32 max);

/* Methods by name alone, when few have it; and whether that is all there is to go by. */
u32 weak_targets(const Program *p, u32 file, const Path *x, u32 *out, u32 max);
bool receiver_unknown(const Program *p, u32 file, const Path *x);

/* roots.c */
void roots_find(Program *p);
void roots_reach(Program *p);

/* window.c: may the file's public functions only run in the thread of the windows, since it draws windows and has no
 * other threads? And window_callbacks marks what the file hands to the loop of a window as run by the main thread. */
bool window_code(const Program *p, u32 file);
void window_callbacks(Program *p, u32 file);
/* Sets Program.one_loop. Needs the roots. */
void loop_program_find(Program *p);

/* vendored.c: sets Program.vendored, tests and examples. Needs nothing but the paths. */
void vendored_find(Program *p);

/* chain.c: sets Root.chain; needs what roots_reach fills. */
void roots_chain(Program *p);

/* roots.c: does the file import this package or one of its modules? */
bool file_imports(const Program *p, u32 file, const char *package);
/* Does it use threading for more than locks? Found once for each file, by the first. */
void threads_used_find(Program *p);
bool uses_threads(const Program *p, u32 file);

/* greenlets.c. Greenlets take turns in one thread, and so does what is written for them: a file that imports them, be
 * it to make them of threads, and what is in a package that cannot be imported without them, or whose import makes
 * them of threads unless the environment says otherwise. */
bool greenlet_code(const Program *p, u32 file);
/* Takes out the threads that gevent or eventlet have replaced. */
void roots_green(Program *p);

/* processes.c: marks what worker processes begin with; and is it that, and nothing else, that stores into the global
 * once its module is imported? Then there is one for each process. */
void processes_find(Program *p);
bool kept_by_process(const Program *p, const Place *x);

/* waited.c: does the call's function wait for the thread that it starts, at once? */
bool waited_for(const Program *p, u32 file, u32 call);

/* loops.c */
/* Does an event loop run it, step by step: async def, or a generator that a decorator makes a coroutine? */
bool is_coroutine(const Program *p, u32 file, u32 func);
/* Fills LinkState.of_loop. Needs what names stand for. */
void loop_classes_find(Program *p);

/* walk.c: marks what each root reaches. Needs the edges; fills FuncInfo.roots, threads and many. */
void roots_walk(Program *p);
/* Does code of tests in the file call or start a function that is none of tests? */
bool from_tests(const Program *p, u32 file, u32 callee);

/* spawning.c */
/* The outermost loop, a block, around the call that starts a thread, no round of which waits for that; NONE. */
u32 spawning_loop(const Program *p, u32 file, const Call *start);
/* Does the access stand before all starts of threads that its function makes, and in none of their rounds? */
bool before_threads(const Program *p, u32 ga);
/* Is the local bound anew in each round of the innermost loop around the block? */
bool bound_in_round(const Program *p, u32 file, const Path *x, u32 block);

/* waits.c: is what the path calls a method of a thread: t.join, threads[0].join, Thread(…).start? */
bool thread_named(const Program *p, u32 file, const Path *x);
/* From where on the threads have ended that the call waits for, a byte of its function; NONE. `starts`: it hands a
 * function to threads as well. */
u32 wait_end(const Program *p, u32 file, u32 call, bool starts);

/* order.c */
/* Fills first_start and last_join of all functions and LinkState.lead; needs the roots. */
void starts_find(Program *p);
void order_find(Program *p);
/* Callers of each function: the edges once more, by callee; first has an entry more than there are functions. */
typedef struct Callers {
    u32 *first, *edge;
} Callers;
/* reach.c: in the arena. */
Callers callers_index(const Program *p, Arena *a);
/* startup.c: marks what runs only while an application starts: FuncInfo.import_time and start_until; needs what
 * starts_find fills. */
void startup_find(Program *p);
/* beside.c: fills FuncInfo.beside; needs what starts_find and order_find fill. */
void beside_find(Program *p);
/* percall.c: fills FuncInfo.calls and maybe; needs the same. */
void percall_find(Program *p);
/* Does the first access, of an object's state and under no lock, stand in a function of no thread, before that
 * starts, or after it has joined, all threads that come to the second one? Whoever calls such a function of one
 * object from two threads at once does more harm than that. */
bool order_by_caller(const Program *p, u32 ga, u32 gb);
/* Does self.thread.join() stand in the function before the access, for the thread that the root is? */
bool joined_before(const Program *p, u32 file, const Access *a, const Root *r);
/* The attribute of self that holds the thread which the root's call makes, a symbol of that file; NONE. */
u32 thread_kept_as(const Program *p, const Root *r, u32 file);

/* stopped.c: does the function of the first access, which no thread comes to, call a method before it that waits for
 * the object's thread, the only one that comes to the second? stopped_find needs the
 * edges, the roots and FuncInfo.first_start. */
void stopped_find(Program *p);
bool stopped_before(const Program *p, u32 ga, u32 gb);

/* ended.c: does the first access stand in code of the main thread that runs before the start, or after the end, of
 * all threads that come to the second one? ENDED_NO: its function starts one that may run then. ended_find needs what
 * starts_find fills. */
typedef enum Ended { ENDED_UNKNOWN, ENDED_YES, ENDED_NO } Ended;
void ended_find(Program *p);
Ended ended_beside(const Program *p, u32 ga, u32 gb);

/* opaque.c */
void opaque_find(Program *p);

/* locksets.c */
enum { LOCKSET_TOP = NONE - 1 }; /* every lock: what is not known yet, while a fixed point is sought */
u32 lockset_intern(Program *p, const u32 *ids, u32 n);
u32 lockset_add(Program *p, u32 set, u32 lock);
u32 lockset_without(Program *p, u32 set, u32 lock);
u32 lockset_union(Program *p, u32 a, u32 b);
/* What is in both; LOCKSET_TOP is neutral. */
u32 lockset_both(Program *p, u32 a, u32 b);

/* locks.c */
void locks_link(Program *p);
/* The place whose object the place holds, at most `depth` steps away: the one attribute that every caller passes for
 * a parameter which is kept there. The place itself when there is none. */
u32 place_origin(Program *p, u32 place, u32 depth);
/* The lock that a place holds. */
u32 lock_at(Program *p, u32 place);

/* hints.c */
/* Evidence bits that the class itself gives: EV_NAME, EV_PURPOSE, EV_SINGLETON. */
u32 class_hints(const Program *p, u32 gclass);
/* Is the class a decorator by its shape: does __init__ keep the function that it is given first, and __call__(self,
 * *args) call it? */
bool wraps_function(const Program *p, u32 gclass);
/* The class of an object that this call registers with the interpreter, or NONE. */
u32 registered_class(const Program *p, u32 file, u32 call);

/* given.c: is a method of this name one that ends a thread, or an object that has one, or waits for the end? */
bool name_ends_thread(Str name);
/* given.c: which classes have objects that threads are given. */
void given_find(Program *p);

/* singles.c: classes that keep their own objects. Sets ClassInfo.singleton, and counts in kept_globally. */
void singles_find(Program *p);

/* named.c: what module-level names hold. Sets ClassInfo.named, and counts in kept_globally what they hold otherwise
 * than as the object itself; needs the types of places. Then fills LinkState.on_global; needs the edges. */
void named_count(Program *p);
void named_reach(Program *p);
/* The call that makes the object which the definition of a module-level name keeps: in a container, behind a bound
 * method, or as what a method of it returns; NONE. */
u32 named_made(const Program *p, u32 file, const Def *d);
/* Is the instance's state changed by way of an object that a name of a module or class holds? */
bool changed_on_global(const Program *p, const Place *x);

/* declared.c */
void declarations_apply(Program *p); /* once locks and types are known: fills declared_guard and confined */

/* made.c: fills made_elsewhere, made_inside, leaves, made_for_attr, queued and kept of each ClassInfo, and singleton
 * of classes that are registered. */
void constructions_count(Program *p);
/* each.c: takes the locks that each object has of its own out of the locksets of what all objects share. */
void each_find(Program *p);

/* guards.c: fills guard, guarded, total and evidence of each Place. */
void guards_find(Program *p);
/* Does the operation change what it is done to, as far as its kind tells? Methods may. */
bool op_changes(u8 op);

/* evidence.c */
/* A global or class attribute that is made at import time and holds an object of a class of ours for all. */
bool kept_for_all(const Program *p, const Place *x);
/* A script that neither starts nor imports threads: what it makes has one. */
bool lone_script(const Program *p, u32 file);
/* places.c: the first of LinkState.defrefs that binds the place or the local that an entity is; NONE. */
u32 entity_defs(const Program *p, Ent e);
/* classes.c: adds up a count of ClassInfo (a u32, by its offset) over the class and, as deep as that, those that
 * derive from it. */
u32 class_family_count(const Program *p, u32 gclass, size_t count, u32 depth);
/* Globals and class attributes that hold an object of the class or of a class derived from it. */
u32 class_kept_globally(const Program *p, u32 gclass);
/* alone.c: is the access to an object that its function made and has started, and which it still has to itself but
 * for the object's own thread? */
bool access_of_started(const Program *p, u32 ga);
/* From now on remembers what it and access_alone answer; nothing that they ask may change any more. */
void answers_keep(Program *p);
/* def wrapper(*args, **kwargs): does the function take whatever it is given? */
bool takes_anything(const Facts *f, const Func *fn);

/* stays.c: fills ClassInfo.stays and in_with. Needs the types of places and the edges. */
void stays_find(Program *p);
/* Does the path lead through an object of which each thread has its own, a threading.local? */
bool through_thread_local(const Program *p, u32 file, u32 path);

/* offered.c */
/* What the __init__.py files of a program hand on to its users. */
typedef struct Offer {
    Map names;   /* by global symbol: one of them imports it from a module */
    bool *whole; /* by file: one of them imports all that it has */
} Offer;
Offer offer_find(const Program *p, Arena *a);
/* Do packages offer the function, or its class, to their users: so, or by __all__? */
bool offered(const Program *p, const Offer *o, u32 gfunc);

/* wholes.c */
void wholes_find(Program *p);
/* Are all objects of the class parts, each made by the one object that it belongs to: of such a whole, or of other
 * threads? */
bool class_part_of(const Program *p, u32 gclass, u32 whole);
/* Are all wholes threads, objects of subclasses of threading.Thread, or parts of such? */
bool class_part_of_threads(const Program *p, u32 gclass);
/* Is it state of a part of the object whose method the root's thread runs? */
bool part_of_starter(const Program *p, const Root *r, const Place *x);
/* kept[get_ident()] = …, kept[pid, self.ident] = …: does the Def store an entry that no other thread asks for? */
bool under_own_key(const Program *p, u32 file, const Def *d);
/* Does every object of the class, and of those derived from it, stay with the thread that makes it? */
bool objects_stay(const Program *p, u32 cls);

/* kept.c: evidence from who has an object. Needs that of the classes (guards.c). */
void kept_find(Program *p);
/* The same for the parts of objects that any thread can find, once those are known (found.c). */
void parts_of_found(Program *p);

/* found.c: sets ClassInfo.found of objects that any thread can find. Needs what kept.c needs, and parts. */
void found_find(Program *p);

/* unseen.c */
void unseen_count(Program *p);

/* escape.c */
enum { ESCAPE_DEPTH = 2 };
/* May what the local or parameter names be seen by others than this call (and what it calls, `depth` calls deep)? */
bool local_escapes(const Program *p, u32 file, u32 func, u32 sym, u32 depth);
/* The same for uses that stand before this offset of the text. */
bool local_escapes_before(const Program *p, u32 file, u32 func, u32 sym, u32 depth, u32 before);
/* Does the function that is called keep this argument to itself? One that we cannot see, or not so deep, is judged by
 * its name. */
bool call_keeps_argument(const Program *p, u32 file, u32 call, u32 arg, u32 depth);

/* filled.c */
void filled_find(Program *p);

/* confined.c */
void confined_find(Program *p);
/* Is the class one of a toolkit's widgets, all code of which runs in the thread of the windows? */
bool class_is_widget(const Program *p, u32 cls);
/* Does it, or one of its bases, `depth` steps up, derive from what a toolkit draws? */
bool class_draws(const Program *p, u32 cls, u32 depth);
/* Finds the modules of which all users are in sight; needs the imports. */
void program_modules_find(Program *p);
/* Does the file make locks, Lock() of threading, in a program of which no thread is in sight? Whoever wrote that
 * knows of some. */
bool locks_for_unseen(const Program *p, u32 file);
/* Finds Events that hand over what their setter has done; needs roots and types. */
typedef struct Handover Handover;
void handovers_find(Program *p);
/* Is the first access over when the second one's function has waited for an event? */
bool event_orders(const Program *p, u32 ga, u32 gb);
/* Root.loop of what is handed to an event loop from other threads. */
extern const char event_loop_root[];
/* Is this file something that is run, or that only tests or builds the library? */
bool is_script(const Program *p, u32 file);

#endif
