/* Facts as bytes, for the cache. */
#ifndef UNGIL_STORE_H
#define UNGIL_STORE_H

#include "pipeline.h"

/* Appends the facts of one file to out, compressed and with a checksum. They name neither path nor module: the
 * same text has the same facts wherever it lies. */
void facts_pack(Buf *out, const Facts *f);

/* Under which key they are kept: of the text and the build, so that several builds can share a cache. */
u64 facts_key(const Source *s);

/* The facts of s from what facts_pack made of the same text. NULL when the bytes are damaged or come from a
 * build that collects other facts. */
Facts *facts_unpack(Arena *a, const Source *s, Str bytes);

#endif
