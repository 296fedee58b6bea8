/* The commits' messages. Private to emit/. */
#ifndef UNGIL_EMIT_COMMIT_H
#define UNGIL_EMIT_COMMIT_H

#include "emit/emit.h"

#include <git2.h>

/* The message of the commit that makes these fixes, which share a lock. */
Str commit_message(Arena *a, const Results *r, const u32 *fixes, u32 n, const git_signature *author);

#endif
