/* Names of wheel files and what their tags say about free-threaded interpreters (packaging specification "Binary
 * distribution format", PEP 425, PEP 803). */
#ifndef UNGIL_READY_WHEEL_H
#define UNGIL_READY_WHEEL_H

#include "pipeline.h"

/* The tags of a wheel; each may be a set with dots: cp313.cp314. Slices of the name. */
typedef struct WheelTags {
    Str python, abi, platform;
} WheelTags;
typedef struct WheelName {
    Str name, version; /* as written: the name may have _ where the package has - */
    WheelTags tags;
} WheelName;

/* NAME-VERSION(-BUILD)?-PYTHON-ABI-PLATFORM.whl, read from the right, since only the name may hold more dashes in old
 * files. False when it is not the name of a wheel. */
bool wheel_name_read(Str file, WheelName *w);
/* PYTHON-ABI-PLATFORM, as in the Tag lines of a WHEEL file. */
bool wheel_tags_read(Str tag, WheelTags *t);

/* What a wheel is to free-threaded CPython 3.`minor`. Order: the more, the better. */
typedef enum WheelFit {
    FIT_NONE,   /* for other interpreters: with the GIL, or another version */
    FIT_BINARY, /* py3-none-PLATFORM: programs or libraries, no extension module */
    FIT_PURE,   /* py3-none-any */
    FIT_STABLE, /* abi3t: the stable ABI of free-threaded builds from 3.15 on */
    FIT_EXACT   /* cp314-cp314t */
} WheelFit;
WheelFit wheel_fit(const WheelTags *t, int minor);
/* Is it for some free-threaded CPython, whichever? */
bool wheel_free_threaded(const WheelTags *t);
/* Does it hold extension modules for some CPython: is there an ABI other than none? */
bool wheel_extends(const WheelTags *t);

#endif
