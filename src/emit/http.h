/* Requests to a hosting service's API over libcurl. Private to emit/. */
#ifndef UNGIL_EMIT_HTTP_H
#define UNGIL_EMIT_HTTP_H

#include "emit/json.h"

#include <curl/curl.h>

typedef struct Http {
    Arena *a;
    CURL *curl;
    struct curl_slist *headers; /* the token is in one of them */
    Str token;                  /* to keep it out of messages */
    double waited;              /* seconds spent waiting for limits, all requests together */
    u32 requests;
    Err *e;
} Http;

typedef enum Answer {
    ANSWER_OK,      /* 2xx */
    ANSWER_REFUSED, /* another status: see Reply.status; no error is set */
    ANSWER_UNSURE,  /* the connection broke, or the service failed, after the request was sent: it may have acted */
    ANSWER_FAILED   /* no use in going on; e is set */
} Answer;

typedef struct Reply {
    long status;
    json_t *json; /* the body; NULL when it is empty or no JSON. Freed by reply_free */
    Str text;     /* the body's first bytes, for messages */
    Str next;     /* address of the next page; empty on the last one */
} Reply;

/* `auth` is the header with the token, `accept` the media type wanted, `version` a further header or
 * NULL. */
bool http_open(Http *h, Arena *a, const char *auth_name, const char *auth_prefix, Str token, const char *accept,
               const char *version, Err *e);
void http_close(Http *h);
/* One request. A body may be NULL. All but POST, which makes something new each time, are repeated when the
 * connection breaks; limits (403 or 429 with Retry-After, or none left) are waited for. */
Answer http_call(Http *h, const char *method, Str url, const json_t *body, Reply *out);
/* A POST that may be repeated: a GraphQL query, or a change that is the same when made twice. */
Answer http_query(Http *h, Str url, const json_t *body, Reply *out);
void reply_free(Reply *r);
/* Fills e with what the service said about a request that it refused. */
bool reply_fail(Http *h, const Reply *r, const char *doing);

/* Calls `take` with each page of a list, following the links to the next one. */
bool http_pages(Http *h, Str url, const char *doing, bool (*take)(void *ctx, const json_t *page), void *ctx);

/* The token: from --token-file, else UNGIL_TOKEN, else the first of the named variables that is set. Empty when
 * there is none; an error when it holds what no token does. */
bool token_read(Arena *a, Str file, const char *const *names, Str *out, Err *e);

/* Percent-encodes a path segment. */
Str url_segment(Arena *a, Str s);

#endif
