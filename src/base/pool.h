/* Worker threads for independent items. */
#ifndef UNGIL_POOL_H
#define UNGIL_POOL_H

#include "types.h"

/* Calls fn(ctx, item, worker) once for every item in 0..items-1, on at most `workers` threads.
 * Returns when all are done. Items are handed out in order; `worker` is 0..workers-1 and
 * each is one thread, so that per-worker scratch needs no lock. fn must not touch another item's results. */
void pool_run(u32 workers, u32 items, void (*fn)(void *ctx, u32 item, u32 worker), void *ctx);

#endif
