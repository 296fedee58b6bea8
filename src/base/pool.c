/* One atomic counter and a handful of threads; big stacks, since walks over deep trees recurse. */
#include "pool.h"

#include "arena.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct Pool {
    atomic_uint next;
    u32 items;
    void (*fn)(void *, u32, u32);
    void *ctx;
} Pool;

typedef struct Worker {
    Pool *pool;
    u32 id;
    bool started;
    pthread_t thread;
} Worker;

enum { STACK_BYTES = 64 << 20 };

static void *work(void *arg)
{
    Worker *w = arg;
    for (;;) {
        u32 item = atomic_fetch_add(&w->pool->next, 1);
        if (item >= w->pool->items) return NULL;
        w->pool->fn(w->pool->ctx, item, w->id);
    }
}

void pool_run(u32 workers, u32 items, void (*fn)(void *ctx, u32 item, u32 worker), void *ctx)
{
    Pool pool = {.items = items, .fn = fn, .ctx = ctx};
    if (!items) return;
    workers = MAX(1u, MIN(workers, items));
    Worker *all = xmalloc(workers * sizeof *all);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (u32 i = 0; i < workers; i++) {
        all[i] = (Worker){.pool = &pool, .id = i};
        all[i].started = pthread_create(&all[i].thread, &attr, work, &all[i]) == 0;
    }
    if (!all[0].started) work(&all[0]); /* no threads to be had: do it all here */
    for (u32 i = 0; i < workers; i++)
        if (all[i].started) pthread_join(all[i].thread, NULL);
    pthread_attr_destroy(&attr);
    free(all);
}
