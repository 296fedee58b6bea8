/* The two passes over all code that need nothing of each other, on two threads: who calls and starts whom, and which
 * state each access is of.
 *
 * Both ask for types, and what is found is remembered as it is found: an answer within a cycle depends on who asks
 * first. So each half has tables of its own, whatever the number of threads, and the result does not depend on it.
 * The calls work on a copy of the program; of it only edges, roots and what is known of functions are kept. Of a
 * class the halves write different fields, and read none that the other writes. */
#include "link/link.h"

static Map map_copy(Arena *a, const Map *m)
{
    Map c = *m;
    c.slots = arena_alloc(a, sizeof *c.slots, 16, m->cap);
    if (m->cap) memcpy(c.slots, m->slots, m->cap * sizeof *c.slots);
    return c;
}

#define VEC_COPY(a, vec)                                                                                             \
    do {                                                                                                             \
        void *copy = arena_alloc((a), sizeof *(vec)->v, 16, (vec)->cap);                                             \
        if ((vec)->n) memcpy(copy, (vec)->v, (vec)->n * sizeof *(vec)->v);                                           \
        (vec)->v = copy;                                                                                             \
    } while (0)

/* A table by file and local symbol. */
static u32 **by_symbol_copy(Arena *a, const Program *p, u32 **of)
{
    u32 **c = arena_new(a, u32 *, p->nfiles + 1);
    for (u32 i = 0; i < p->nfiles; i++) {
        c[i] = arena_new(a, u32, p->facts[i]->syms.n);
        memcpy(c[i], of[i], p->facts[i]->syms.n * sizeof **c);
    }
    return c;
}

/* A program with tables of its own for all that is made when it is asked for. */
static Program program_copy(const Program *p, Arena *keep, Arena *scratch)
{
    Program c = *p;
    LinkState *s = arena_new(scratch, LinkState, 1);
    *s = *p->state;
    c.arena = keep;
    c.state = s;
    s->a = scratch;
    c.syms = intern_copy(scratch, &p->syms);
    VEC_COPY(scratch, &c.places);
    VEC_COPY(scratch, &s->ents);
    VEC_COPY(scratch, &s->types);
    VEC_COPY(scratch, &s->place_state);
    s->gsym = by_symbol_copy(scratch, p, p->state->gsym);
    s->root_ents = by_symbol_copy(scratch, p, p->state->root_ents);
    s->places = map_copy(scratch, &p->state->places);
    s->completed = map_copy(scratch, &p->state->completed);
    s->import_ents = map_copy(scratch, &p->state->import_ents);
    s->dotted_ents = map_copy(scratch, &p->state->dotted_ents);
    s->name_ents = map_copy(scratch, &p->state->name_ents);
    s->module_ents = map_copy(scratch, &p->state->module_ents);
    s->class_ents = map_copy(scratch, &p->state->class_ents);
    s->local_types = map_copy(scratch, &p->state->local_types);
    s->element_types = map_copy(scratch, &p->state->element_types);
    s->return_types = map_copy(scratch, &p->state->return_types);
    return c;
}

static void half_link(void *ctx, u32 item, u32 worker)
{
    Program *p = ((Program **)ctx)[item];
    (void)worker;
    paths_settle(p);
    if (item == 0) {
        calls_link(p);
        roots_find(p);
        roots_reach(p);
        roots_chain(p);
        order_find(p);
        beside_find(p);
        percall_find(p);
    } else {
        places_access(p);
        opaque_find(p);
        unseen_count(p);
        loop_classes_find(p);
        callees_settle(p);
    }
}

void halves_link(Program *p)
{
    Arena scratch = {0}, keep = {0};
    Program calls = program_copy(p, &keep, &scratch);
    u32 jobs = p->options->jobs ? p->options->jobs : os_cpus();
    pool_run(MIN(jobs, 2u), 2, half_link, (Program *[]){&calls, p});
    p->edges.v = calls.edges.v;
    p->edges.n = calls.edges.n;
    p->edges.cap = calls.edges.cap;
    p->edge_first = calls.edge_first;
    p->roots.v = calls.roots.v;
    p->roots.n = calls.roots.n;
    p->roots.cap = calls.roots.cap;
    p->root_used = calls.root_used;
    p->funcs = calls.funcs;
    p->concurrent = calls.concurrent;
    p->unseen[UNSEEN_RECEIVER] = calls.unseen[UNSEEN_RECEIVER];
    p->library = calls.library;
    p->one_loop = calls.one_loop;
    arena_adopt(p->arena, &keep);
    arena_free(&scratch);
}
