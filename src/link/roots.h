/* Shared by roots.c, rootcalls.c and rootclasses.c. */
#ifndef UNGIL_ROOTS_H
#define UNGIL_ROOTS_H

#include "link/link.h"

/* roots.c */
/* Is the row one of the configuration, which may name the program's own functions? */
bool root_row_own(const Program *p, const RootRow *r);
/* Has one of the rows for this way (ROOT_BY_…) the name? Now and then true for a name that none has. */
bool root_row_named(const Program *p, u8 how, Str name);
/* The row names something of the program. */
void root_row_used(Program *p, const RootRow *r);
/* label with the function's name in place of %s, and where it is. */
Str root_display(Program *p, const char *label, Str name, u32 file, u32 line);
/* A root for each function and call; one that is there already only learns that it is many. */
void root_add(Program *p, u32 gfunc, bool many, bool own, Str display, u32 file, u32 call);
/* "f" or "C.f" */
Str short_name(const Program *p, u32 gfunc);
/* Is it the row's name, or does it begin as "name*" says? */
bool method_fits(Str name, const char *pattern);

/* rootcalls.c */
void roots_of_call(Program *p, u32 file, u32 call);
/* client.on_message = f */
void roots_of_def(Program *p, u32 file, u32 def);

/* onestart.c */
/* Does the call, which hands the function to a pool by a way that the row names, do so once? */
bool started_once(const Program *p, const RootRow *row, u32 file, const Call *c, u32 gfunc);
/* Is the thread that the call makes waited for in each round of the loop that it stands in? */
bool joined_in_round(const Facts *f, const Call *made);

/* qtworkers.c: slots of objects that are moved to a thread. */
void roots_moved(Program *p);

/* rootclasses.c */
/* A server that serves one request after the other: one is made somewhere, and nothing speaks of a threading one. */
bool serial_server(const Program *p);
void roots_of_class(Program *p, u32 gclass, bool serial);
void roots_of_decorators(Program *p, u32 file, u32 func);

#endif
