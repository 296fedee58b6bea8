/* Connections: libmicrohttpd, polled by the server's own loop, with the limits that keep a stranger from tying it up.
 *
 *   POST /github, /gitlab, /gitea   a delivery
 *   GET  /healthz                   200 while deliveries can be taken, else 503
 *   GET  /metrics                   for Prometheus
 *
 * Each connection serves one request, so that one clock limits it all: head, body and answer. libmicrohttpd only
 * knows how long a connection was silent; one that sends a byte a second is closed by http_run here. A request that
 * is refused before its body was read is read on without being kept, up to a bound, since an answer to somebody who
 * is still sending may never arrive. TLS is for the proxy in front. */
#include "serve/serve.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 2048, CONNECTION_MEMORY = 32 << 10, DRAIN_MAX = 32 << 20 };
static const size_t bodies_max = (size_t)64 << 20; /* of all requests together */

typedef struct Connection {
    struct Connection *next, **prev;
    struct MHD_Connection *c;
    double since;
    bool cut;
} Connection;

struct Http {
    Server *s;
    struct MHD_Daemon *daemon;
    int fd, listener;
    Connection *all;
    struct Request *waiting; /* for the disk */
    u32 n;
    size_t bodies;
    double checked;
};

/* A request while its body comes in, and until it is answered. */
typedef struct Request {
    struct Request *next; /* that waits */
    struct MHD_Connection *c;
    Service service;
    Taken refused; /* TAKEN_COUNT: not yet */
    Buf body;
    size_t drained;
    Taken taken; /* TAKEN_COUNT: not yet */
    Answer answer;
    Marks marks;
} Request;

/* ---- answers ------------------------------------------------------------------------------------------- */

static enum MHD_Result respond(Http *h, struct MHD_Connection *c, u32 status, const char *type, Str text)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(text.n, (void *)(uintptr_t)text.p, MHD_RESPMEM_MUST_COPY);
    if (!r) return MHD_NO;
    MHD_add_response_header(r, "Content-Type", type);
    MHD_add_response_header(r, "Connection", "close");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    if (status == 503) MHD_add_response_header(r, "Retry-After", "60");
    if (status == 405) MHD_add_response_header(r, "Allow", "GET, HEAD, POST");
    enum MHD_Result ok = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    h->s->metrics.requests++;
    return ok;
}

static enum MHD_Result respond_line(Http *h, struct MHD_Connection *c, u32 status, const char *line)
{
    char text[300];
    int n = snprintf(text, sizeof text, "%s\n", line);
    return respond(h, c, status, "text/plain; charset=utf-8", (Str){text, (size_t)n});
}

static enum MHD_Result respond_page(Http *h, struct MHD_Connection *c, const char *url)
{
    Server *s = h->s;
    if (strcmp(url, "/healthz") == 0) {
        const char *bad = s->stopping ? "stopping" : s->unwritable ? "the state directory cannot be written" : NULL;
        return respond_line(h, c, bad ? 503 : 200, bad ? bad : "ok");
    }
    if (strcmp(url, "/metrics") != 0) return respond_line(h, c, 404, "there is nothing here");
    Buf out = {0};
    metrics_print(&out, s, unix_now());
    enum MHD_Result ok = respond(h, c, 200, "text/plain; version=0.0.4; charset=utf-8", buf_view(&out));
    buf_free(&out);
    return ok;
}

/* ---- requests ------------------------------------------------------------------------------------------ */

static Str header(struct MHD_Connection *c, const char *name)
{
    return str_from(MHD_lookup_connection_value(c, MHD_HEADER_KIND, name));
}

static Request *request_start(Http *h, struct MHD_Connection *c, Service service)
{
    Request *r = xmalloc(sizeof *r);
    *r = (Request){.c = c, .service = service, .refused = TAKEN_COUNT, .taken = TAKEN_COUNT};
    size_t limit = (size_t)h->s->o->serve.body << 10;
    Str length = header(c, "Content-Length");
    bool signed_ = header(c, service_kinds[service].signature_header).n || header(c, "webhook-signature").n;
    if (!signed_) r->refused = TAKEN_UNSIGNED;
    if (length.n && strtoull(length.p, NULL, 10) > limit) r->refused = TAKEN_TOO_LARGE;
    return r;
}

/* Keeps a piece of the body, or only counts it. False: it is time to hang up. */
static bool request_feed(Http *h, Request *r, const char *data, size_t n)
{
    size_t limit = (size_t)h->s->o->serve.body << 10;
    if (r->refused == TAKEN_COUNT && r->body.n + n > limit) r->refused = TAKEN_TOO_LARGE;
    if (r->refused == TAKEN_COUNT && h->bodies + n > bodies_max) r->refused = TAKEN_FULL;
    if (r->refused == TAKEN_COUNT) {
        buf_bytes(&r->body, data, n);
        h->bodies += n;
        return true;
    }
    r->drained += n;
    return r->drained <= DRAIN_MAX;
}

static void request_take(Http *h, Request *r)
{
    const ServiceKind *kind = &service_kinds[r->service];
    struct MHD_Connection *c = r->c;
    Delivery d = {
        .service = r->service,
        .event = header(c, kind->event_header),
        .id = header(c, kind->delivery_header),
        .type = header(c, "Content-Type"),
        .proof = {header(c, kind->signature_header), header(c, "webhook-signature"), header(c, "webhook-id"),
                  header(c, "webhook-timestamp")},
        .body = buf_view(&r->body),
    };
    Str same = header(c, "Idempotency-Key"); /* GitLab's: the same when it delivers again, which the UUID is not */
    if (r->service == SERVICE_GITLAB && same.n) d.id = same;
    r->taken = delivery_take(h->s, &d, &r->answer, &r->marks);
}

static enum MHD_Result request_answer(Http *h, const Request *r)
{
    h->s->metrics.deliveries[r->service][r->taken]++;
    return respond_line(h, r->c, r->answer.status, r->answer.text);
}

/* The whole body is here; libmicrohttpd comes back to a request that was made to wait. */
static enum MHD_Result request_end(Http *h, Request *r)
{
    if (r->taken != TAKEN_COUNT) return request_answer(h, r);
    if (r->refused != TAKEN_COUNT) {
        r->taken = r->refused;
        answer_make(r->taken, &r->answer);
        log_line(h->s->o, LOG_WARN, "delivery service=%s result=%s", service_kinds[r->service].name,
                 taken_name[r->taken]);
        return request_answer(h, r);
    }
    request_take(h, r);
    if (!taken_waits(r->taken)) return request_answer(h, r);
    r->next = h->waiting;
    h->waiting = r;
    MHD_suspend_connection(r->c);
    return MHD_YES;
}

void http_settle(Http *h, bool ok)
{
    bool any = h->waiting != NULL;
    while (h->waiting) {
        Request *r = h->waiting;
        h->waiting = r->next;
        if (ok) {
            delivery_keep(h->s, &r->marks);
        } else {
            r->taken = TAKEN_FAILED;
            answer_make(r->taken, &r->answer);
        }
        MHD_resume_connection(r->c);
    }
    if (any) MHD_run(h->daemon);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *data, size_t *n, void **slot)
{
    Http *h = ctx;
    Request *r = *slot;
    (void)version;
    if (!r) {
        bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
        u32 service = 0;
        while (service < SERVICE_COUNT && strcmp(url + (*url == '/'), service_kinds[service].name) != 0) service++;
        bool served = service < SERVICE_COUNT && h->s->sites[service].web;
        if (get && !served) return respond_page(h, c, url);
        if (!served) return respond_line(h, c, 404, "there is nothing here");
        if (strcmp(method, "POST") != 0) return respond_line(h, c, 405, "deliveries are POSTed here");
        *slot = request_start(h, c, (Service)service);
        return MHD_YES;
    }
    if (*n == 0) return request_end(h, r);
    bool go_on = request_feed(h, r, data, *n);
    *n = 0;
    return go_on ? MHD_YES : MHD_NO;
}

static void on_request_end(void *ctx, struct MHD_Connection *c, void **slot, enum MHD_RequestTerminationCode code)
{
    Http *h = ctx;
    Request *r = *slot;
    (void)c, (void)code;
    if (!r) return;
    h->bodies -= r->body.n;
    buf_free(&r->body);
    free(r);
    *slot = NULL;
}

/* ---- connections --------------------------------------------------------------------------------------- */

static void on_connection(void *ctx, struct MHD_Connection *c, void **slot, enum MHD_ConnectionNotificationCode code)
{
    Http *h = ctx;
    Connection *k = *slot;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        k = xmalloc(sizeof *k);
        *k = (Connection){h->all, &h->all, c, os_seconds(), false};
        if (h->all) h->all->prev = &k->next;
        h->all = k;
        h->n++;
        *slot = k;
    } else if (k) {
        *k->prev = k->next;
        if (k->next) k->next->prev = k->prev;
        h->n--;
        free(k);
        *slot = NULL;
    }
}

/* Hangs up on connections that took longer than a request may. The newest are at the front. */
static void connections_limit(Http *h)
{
    double now = os_seconds();
    if (now < h->checked + 0.25) return;
    h->checked = now;
    for (Connection *k = h->all; k; k = k->next) {
        if (k->cut || now - k->since < h->s->o->serve.request_time) continue;
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(k->c, MHD_CONNECTION_INFO_CONNECTION_FD);
        k->cut = true;
        h->s->metrics.slow++;
        if (info) shutdown(info->connect_fd, SHUT_RDWR); /* libmicrohttpd reads the end and cleans up */
    }
}

/* ---- listening ----------------------------------------------------------------------------------------- */

/* ADDRESS:PORT, [ADDRESS]:PORT. */
static bool address_split(Str listen, char *host, size_t size, char *port, Err *e)
{
    size_t colon = str_rfind(listen, ':');
    Str h = str_slice(listen, 0, colon), p = str_slice(listen, colon + 1, listen.n);
    if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']') h = str_slice(h, 1, h.n - 1);
    bool ok = h.n && h.n < size && p.n && p.n < 6;
    for (size_t i = 0; ok && i < p.n; i++) ok = p.p[i] >= '0' && p.p[i] <= '9';
    if (!ok) return err_set(e, "--listen: '%.*s' is not ADDRESS:PORT", STR_ARG(listen));
    snprintf(host, size, "%.*s", STR_ARG(h));
    snprintf(port, 6, "%.*s", STR_ARG(p));
    return true;
}

static int listen_on(const Options *o, Err *e)
{
    char host[256], port[6];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found = NULL;
    Str listen_ = o->serve.listen;
    if (!address_split(listen_, host, sizeof host, port, e)) return -1;
    int code = getaddrinfo(host, port, &hints, &found), one = 1;
    if (code != 0) {
        err_set(e, "--listen %.*s: %s", STR_ARG(listen_), gai_strerror(code));
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 1024) < 0) {
        err_set(e, "cannot listen on %.*s: %s", STR_ARG(listen_), strerror(errno));
        if (fd >= 0) close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static void listening_say(const Server *s, int fd)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    char host[128], port[16];
    if (getsockname(fd, (struct sockaddr *)&at, &n) < 0 ||
        getnameinfo((struct sockaddr *)&at, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    bool six = at.ss_family == AF_INET6;
    log_line(s->o, LOG_INFO, "listening on http://%s%s%s:%s queue=%u", six ? "[" : "", host, six ? "]" : "", port,
             s->queue.n);
}

Http *http_start(Server *s, Err *e)
{
    Http *h = xmalloc(sizeof *h);
    *h = (Http){.s = s, .listener = listen_on(s->o, e)};
    if (h->listener < 0) goto fail;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, h->listener, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)s->o->serve.request_time, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_request_end, h},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, h},
        {MHD_OPTION_END, 0, NULL},
    };
    h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
                                 MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        err_set(e, "libmicrohttpd cannot start; is the limit of open files too low?");
        if (h->daemon) MHD_stop_daemon(h->daemon);
        goto fail;
    }
    h->fd = info->epoll_fd;
    listening_say(s, h->listener);
    return h;
fail:
    free(h);
    return NULL;
}

int http_fd(const Http *h)
{
    return h->fd;
}

int http_wait(Http *h)
{
    MHD_UNSIGNED_LONG_LONG ms;
    int wait = MHD_get_timeout(h->daemon, &ms) == MHD_YES ? (int)MIN(ms, 60000u) : -1;
    return h->n && (wait < 0 || wait > 250) ? 250 : wait;
}

void http_run(Http *h)
{
    MHD_run(h->daemon);
    connections_limit(h);
}

void http_stop_listening(Http *h)
{
    int fd = MHD_quiesce_daemon(h->daemon);
    if (fd >= 0) close(fd);
}

u32 http_connections(const Http *h)
{
    return h->n;
}

void http_end(Http *h)
{
    MHD_stop_daemon(h->daemon);
    free(h);
}
