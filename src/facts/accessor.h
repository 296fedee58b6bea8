/* Functions of a file that hand out state (accessor.c), for path.c. */
#ifndef UNGIL_FACTS_ACCESSOR_H
#define UNGIL_FACTS_ACCESSOR_H

#include "facts/walk.h"

typedef struct Accessors {
    bool any;
    u32 *path; /* by function: the path that it hands out, NONE */
    Map funcs, classes,
        methods; /* by name, by class and name: the function or class; NONE - 1 when there are several */
} Accessors;

/* In the scratch memory of the walk. */
Accessors accessors_find(Walk *w);
/* Does the call hand out state of the file? Sets *out to the path by which its caller would name it. */
bool accessor_path(Walk *w, const Accessors *known, u32 call, Path *out);

#endif
