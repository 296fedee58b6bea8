/* The table of what cannot be seen. */
#include "pipeline.h"

#define UNSEEN(id, key, what, why) {key, what, why},
const UnseenRow unseen_table[UNSEEN_COUNT] = {
#include "know/unseen.def"
};
#undef UNSEEN
