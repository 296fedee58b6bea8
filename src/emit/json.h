/* Small helpers over jansson for the JSON outputs. Private to emit/. */
#ifndef UNGIL_EMIT_JSON_H
#define UNGIL_EMIT_JSON_H

#include "pipeline.h"

#include <jansson.h>

/* A JSON string, whatever the bytes. */
json_t *json_str(Str s);
/* object[key] = value; takes the value over. */
void json_put(json_t *object, const char *key, json_t *value);
/* The number of a line that stands there; 0 when none does. */
u32 json_line(const json_t *object, const char *key);
/* Appends the value as text and a newline, and releases it. */
void json_text(Buf *out, json_t *value, size_t flags);
/* The whole document of --format json. */
json_t *results_json(const Results *r);
/* 16 hex digits. */
Str fingerprint_text(Arena *a, u64 fingerprint);

#endif
