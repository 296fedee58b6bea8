/* app/: the commands beside the pipeline. Each returns an exit status; 2 with e set. */
#ifndef UNGIL_APP_H
#define UNGIL_APP_H

#include "pipeline.h"

/* Lists the rules, as text or JSON by the options' format. */
int rules_list(const Options *o, Err *e);

/* Lists the transforms, built in or of --transforms DIR. */
int transforms_list(Arena *a, const Options *o, Err *e);

/* transforms --test: a line for each example of the pages, then the count; 1 when one fails. */
int transforms_test(Arena *a, const Options *o, Err *e);

/* explain RULE and explain TRANSFORM; -1 when the word is neither. */
int explain_word(Arena *a, const Options *o, Err *e);

/* explain FILE:LINE, of a program that went through all stages. */
int explain_line(Results *r, Err *e);

/* help [COMMAND]. */
int help_out(const Options *o, Err *e);

#endif
