/* serve/: a server that takes webhooks of pull requests, keeps them in a queue on disk, and has each one fetched and
 * reviewed by a process of its own. Private to this folder.
 *
 *   http.c ─body→ take.c ─Hook→ queue.c ─Job→ work.c ─→ a child: cache.c, read/fetch.c, then exec of `ungil review`
 *
 * The server is one thread around one poll(): no state of it is shared, and a fork is safe at any time. What takes
 * long or may crash (fetching, analysing, posting) happens in children only. The server lives for months, so what it
 * keeps for a delivery or a job has a fixed room, and what a request needs is freed with the request. */
#ifndef UNGIL_SERVE_H
#define UNGIL_SERVE_H

#include "pipeline.h"

#include <sys/types.h>

/* ---- services: what differs between them --------------------------------------------------------------- */

typedef enum Service { SERVICE_GITHUB, SERVICE_GITLAB, SERVICE_GITEA, SERVICE_COUNT } Service;

typedef struct ServiceKind {
    const char *name;
    const char *web, *api; /* of the public instance, NULL: there is none */
    const char *api_path;  /* where an instance of one's own has its API */
    const char *token_file, *token_variable;
    const char *git_user; /* the name to give with the token */
    const char *head_ref; /* of a pull request, with its number */
    const char *signature_header, *event_header, *delivery_header;
} ServiceKind;
extern const ServiceKind service_kinds[SERVICE_COUNT];

/* Where a service that is served is; web is NULL for one that is not. */
typedef struct Site {
    const char *web, *api; /* without a final '/' */
} Site;
/* Reads --services. */
bool sites_parse(Arena *a, const StrVec *words, Site *sites, Err *e);

/* ---- secrets (secret.c) -------------------------------------------------------------------------------- */

enum { DIGEST = 16, SECRETS_MAX = 8 };
typedef struct Secrets {
    char text[2048];
    Str v[SECRETS_MAX];
    u32 n;
} Secrets;
/* The webhook secrets, one a line of the file or the value of the variable; any of them is valid. */
bool secrets_load(const Options *o, Secrets *out, Err *e);
/* The token for a service, into room; false when there is none. */
bool token_load(const Options *o, Service s, char *room, size_t size);
/* What a request says about who sent it. Str with p NULL: it has no such header. */
typedef struct Proof {
    Str signature; /* the service's own header */
    Str standard, standard_id,
        standard_at; /* webhook-signature, webhook-id, webhook-timestamp (GitLab's signing token) */
} Proof;
/* Was the body signed with one of the secrets (GitHub, Gitea), or did the sender know one (GitLab)? Takes the same
 * time whatever is wrong. */
bool proof_valid(Service s, const Secrets *secrets, const Proof *p, Str body, i64 now);
/* A digest of a word and a text that nobody can find a second text for. */
void digest_make(u8 out[DIGEST], const char *word, Str text);

/* ---- payloads (hook.c) --------------------------------------------------------------------------------- */

enum { REPOSITORY_MAX = 256, OID_MAX = 72, REF_MAX = 256 };
typedef enum HookKind { HOOK_IGNORE, HOOK_REVIEW, HOOK_CLOSE } HookKind;
typedef struct Hook {
    HookKind kind;
    const char *why; /* HOOK_IGNORE: the reason, a clause */
    Str repository;  /* full name */
    u32 number;
    Str head; /* commit */
    Str base; /* branch, without refs/heads/ */
} Hook;
/* What a delivery says. False, with the reason, when it is not what the service sends. Pure. */
bool hook_parse(Arena *a, Service s, Str event, Str body, Hook *out, Err *e);

/* ---- the queue on disk (queue.c) ----------------------------------------------------------------------- */

typedef struct Job {
    u64 id;            /* in the order of arrival; names the file */
    u32 version, safe; /* of the file: the newest, and the one known to be on the disk, 0 none */
    u8 service;
    u32 number, attempts;
    char repository[REPOSITORY_MAX], head[OID_MAX], base[REF_MAX];
    i64 received, not_before; /* seconds since 1970 */
    bool used, running;
    bool again;  /* pushed to while it ran */
    bool closed; /* closed while it ran */
} Job;
typedef struct Queue {
    char path[3072];
    int dir; /* its descriptor */
    Job *jobs;
    u32 limit, room, n;
    u64 next_id;
} Queue;
typedef enum QueuePut { QUEUE_NEW, QUEUE_MERGED, QUEUE_FULL, QUEUE_ERROR } QueuePut;
/* again: when jobs whose review was cut off may start. */
bool queue_open(Arena *a, Queue *q, const char *state, u32 limit, i64 again, Err *e);
/* In the kernel's hands when it returns QUEUE_NEW or QUEUE_MERGED, on the disk after queue_flush. A job of the same
 * pull request is replaced. */
QueuePut queue_put(Queue *q, Service s, const Hook *h, i64 now, Err *e);
/* Brings all that was put to the disk. Costs nothing when there is nothing. */
bool queue_flush(Queue *q, Err *e);
/* The pull request was closed: forgets its job. Was there one? */
bool queue_drop(Queue *q, Service s, const Hook *h);
/* The oldest job that may start: nothing of its repository runs. NULL when there is none. */
Job *queue_next(Queue *q, i64 now);
void queue_start(Queue *q, Job *j);
/* Ends a running job: done, to be tried again at a time, or given up (kept in failed/). One that was pushed to
 * meanwhile waits again. */
void queue_done(Queue *q, Job *j);
void queue_retry(Queue *q, Job *j, i64 at);
void queue_fail(Queue *q, Job *j);
/* Puts a running job back; it is not counted as a try. */
void queue_put_back(Queue *q, Job *j);

/* ---- deliveries seen before (seen.c) ------------------------------------------------------------------- */

enum { SEEN_MAX = 1 << 15 };
typedef struct Seen {
    char path[3072];
    int file;
    bool dirty;
    u32 lines;         /* in the file */
    u8 (*ids)[DIGEST]; /* a ring of the last SEEN_MAX */
    u32 n, at;
    u32 *slots; /* hash table of ring index + 1 */
} Seen;
bool seen_open(Arena *a, Seen *s, const char *state, Err *e);
bool seen_has(const Seen *s, const u8 id[DIGEST]);
/* In the file when it returns, on the disk after seen_flush. */
bool seen_add(Seen *s, const u8 id[DIGEST], Err *e);
void seen_flush(Seen *s);

/* ---- counting (metrics.c) ------------------------------------------------------------------------------ */

/* What became of a delivery; take.c has the answers. */
typedef enum Taken {
    TAKEN_QUEUED,
    TAKEN_MERGED,
    TAKEN_CLOSED,
    TAKEN_IGNORED,
    TAKEN_NOT_SERVED,
    TAKEN_REPLAYED,
    TAKEN_UNSIGNED,
    TAKEN_FORGED,
    TAKEN_MALFORMED,
    TAKEN_WRONG_TYPE,
    TAKEN_TOO_LARGE,
    TAKEN_FULL,
    TAKEN_STOPPING,
    TAKEN_FAILED,
    TAKEN_COUNT
} Taken;
typedef enum Ended {
    ENDED_DONE,
    ENDED_FETCH_REFUSED,
    ENDED_FETCH_FAILED,
    ENDED_STALE,
    ENDED_FAILED,
    ENDED_CRASHED,
    ENDED_TIMEOUT,
    ENDED_PUT_BACK,
    ENDED_COUNT
} Ended;
enum { BUCKETS = 10 };
typedef struct Metrics {
    u64 deliveries[SERVICE_COUNT][TAKEN_COUNT];
    u64 jobs[ENDED_COUNT];
    u64 seconds[BUCKETS + 1]; /* how many jobs took up to a bucket's bound; the last one has none */
    double seconds_sum;
    u64 requests, slow; /* slow: connections closed because a request took too long */
    u64 given_up;
    i64 started;
} Metrics;

/* ---- the server ---------------------------------------------------------------------------------------- */

typedef struct Run { /* a running child */
    pid_t pid;       /* and its process group; 0: free */
    Job *job;
    int out; /* what it prints */
    double started, deadline;
    bool timed_out, stopped, out_ended;
    char tail[2048]; /* the last of what it printed */
    u32 ntail;
} Run;
enum { WORKERS_MAX = 32 };

typedef struct Http Http;
typedef struct Server {
    const Options *o;
    Site sites[SERVICE_COUNT];
    Secrets secrets;
    Queue queue;
    Seen seen;
    Metrics metrics;
    Run runs[WORKERS_MAX];
    u32 running;
    const char *state, *cache, *self; /* self: the program that reviews */
    int lock;                         /* descriptor; held by the children too */
    pid_t pid;
    bool stopping, unwritable; /* unwritable: the last write to the queue failed */
    Http *http;
} Server;

/* http.c: connections, limits, answers. */
Http *http_start(Server *s, Err *e);
int http_fd(const Http *h);
/* Milliseconds until it wants to run again, -1: no need. */
int http_wait(Http *h);
void http_run(Http *h);
/* Gives the answers that wait for the disk; ok: it has everything. */
void http_settle(Http *h, bool ok);
void http_stop_listening(Http *h);
u32 http_connections(const Http *h);
void http_end(Http *h);

/* take.c: one delivery. */
typedef struct Delivery {
    Service service;
    Str event, id, type; /* headers; empty when absent */
    Proof proof;
    Str body;
} Delivery;
typedef struct Answer {
    u16 status;
    char text[256];
} Answer;
/* What tells a delivery from others. */
typedef struct Marks {
    u8 id[DIGEST], body[DIGEST];
    bool has_id;
} Marks;
Taken delivery_take(Server *s, const Delivery *d, Answer *out, Marks *marks);
/* Does the delivery change the queue, so that the answer waits for queue_flush? */
bool taken_waits(Taken t);
/* After queue_flush: remembers a delivery as seen. */
void delivery_keep(Server *s, const Marks *m);
/* The answer for an end that was clear before the body was read. */
void answer_make(Taken t, Answer *out);

/* work.c: children. */
void work_start(Server *s, i64 now);
void work_read(Server *s, Run *r);
void work_reap(Server *s);
void work_limits(Server *s, double now);
/* Kills what runs and puts it back. */
void work_stop(Server *s);

/* child.c: what a child does between fork and exec; it does not return. */
_Noreturn void child_run(const Server *s, const Job *j, int out);
enum { EXIT_FETCH_FAILED = 75, EXIT_FETCH_REFUSED = 77, EXIT_STALE = 79 };
enum { STALE_TRIES = 2 }; /* so often a ref that lags behind its webhook is waited for */
enum { ANEW_TRIES = 3 };  /* after so many failures it may be the cache that is broken */

/* cache.c: in a child. The path of the repository's directory, with its lock held until the process ends, and with
 * other repositories removed when there is too much. */
bool cache_enter(Arena *a, const char *cache, const char *name, u64 limit, bool anew, Str *dir, Err *e);

void metrics_job(Metrics *m, Ended e, double seconds);
void metrics_print(Buf *out, const Server *s, i64 now);
extern const char *const taken_name[TAKEN_COUNT], *const ended_name[ENDED_COUNT];

/* log.c: one line on standard error, in one write; control characters of foreign texts are made visible. */
typedef enum LogLevel { LOG_WARN = -1, LOG_INFO = 0, LOG_DEBUG = 1 } LogLevel;
void log_line(const Options *o, LogLevel level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
i64 unix_now(void);

#endif
