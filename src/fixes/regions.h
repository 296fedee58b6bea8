/* The regions of one place, while planner guard (guard.c) collects them. */
#ifndef UNGIL_FIXES_REGIONS_H
#define UNGIL_FIXES_REGIONS_H

#include "fixes/fixes.h"

/* Regions are added to the work from here on; of another one there may be an index. */
void regions_start(Plan *pl);
/* The first region that contains the span, which stands in the function: it is one of that or of one around it. */
u32 region_find(Plan *pl, const Work *w, u32 file, u32 func, Span s);
/* Is the span in one of the regions? */
bool has_region(const Work *w, u32 file, Span s);
/* A builtin that makes something of what it reads, and not of what it will read when that is walked. */
bool reads_at_once(Str builtin);
/* The region for two accesses of one function (or one access twice). */
void region_add(Plan *pl, Work *w, u32 from, u32 to, bool race);
/* Where the step that leads to this write begins. */
u32 write_source(Plan *pl, const Work *w, u32 gaccess);

#endif
