/* base/: memory, strings, buffers, tables, files, worker threads. Knows nothing of Python or git.
 *
 * Everything here is small enough to read in one sitting; the other folders include this one header. */
#ifndef UNGIL_BASE_H
#define UNGIL_BASE_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "map.h"
#include "os.h"
#include "pool.h"
#include "process.h"
#include "str.h"
#include "types.h"
#include "vec.h"

#endif
