/* Requests to a hosting service's API.
 *
 * What may go wrong and what is done: a broken connection is tried again for requests that may be made twice, and
 * reported as "unsure" for the others, since the service may have acted; the caller looks what is there before it
 * writes again. A limit (403 or 429 with Retry-After, or with none left until a time) is waited for, for ten
 * minutes in all. Redirects are not followed: they could carry the token elsewhere. The token is in a header only,
 * never in an address, an argument or a message. */
#include "emit/http.h"

#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { BODY_MAX = 32 << 20, TRIES = 4, WAIT_MAX = 600, PAGES_MAX = 200 };

/* ---- the token ----------------------------------------------------------------------------------------- */

bool token_read(Arena *a, Str file, const char *const *names, Str *out, Err *e)
{
    Str token = str_from(getenv("UNGIL_TOKEN"));
    for (u32 i = 0; !token.n && names[i]; i++) token = str_from(getenv(names[i]));
    if (file.n && !os_read_file(a, str_c(a, file), 64 << 10, &token, e)) return false;
    token = str_trim(token);
    for (size_t i = 0; i < token.n; i++)
        if (token.p[i] <= ' ' || token.p[i] > '~')
            return err_set(e, "the token %s holds blanks or control characters; it is one word",
                           file.n ? "in the token file" : "in the environment");
    if (file.n && !token.n) return err_set(e, "the token file %.*s is empty", STR_ARG(file));
    *out = str_dup(a, token);
    return true;
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static void header_add(Http *h, const char *text)
{
    struct curl_slist *more = curl_slist_append(h->headers, text);
    CHECK(more);
    h->headers = more;
}

bool http_open(Http *h, Arena *a, const char *auth_name, const char *auth_prefix, Str token, const char *accept,
               const char *version, Err *e)
{
    *h = (Http){.a = a, .token = token, .e = e};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(h->curl = curl_easy_init()))
        return err_set(e, "libcurl cannot be started");
    header_add(h, str_fmt(a, "Accept: %s", accept).p);
    if (version) header_add(h, version);
    header_add(h, "Content-Type: application/json");
    header_add(h, "Expect:");
    if (token.n) header_add(h, str_fmt(a, "%s: %s%.*s", auth_name, auth_prefix, STR_ARG(token)).p);
    return true;
}

void http_close(Http *h)
{
    curl_slist_free_all(h->headers);
    if (h->curl) curl_easy_cleanup(h->curl);
    h->curl = NULL;
    h->headers = NULL;
}

/* ---- one transfer -------------------------------------------------------------------------------------- */

typedef struct Transfer {
    Buf body;
    Str next;
    long retry_after, remaining, reset; /* -1: not told */
    Arena *a;
    bool too_long;
} Transfer;

static size_t body_take(char *p, size_t size, size_t n, void *ctx)
{
    Transfer *t = ctx;
    if (t->body.n + size * n > BODY_MAX) {
        t->too_long = true;
        return 0;
    }
    buf_bytes(&t->body, p, size * n);
    return size * n;
}

/* The address with rel="next" of a Link header. */
static Str link_next(Arena *a, Str value)
{
    while (value.n) {
        Str one = str_trim(str_cut(value, ',', &value));
        size_t end = str_find(one, '>');
        if (!str_starts(one, S("<")) || end == one.n) continue;
        if (str_contains(str_slice(one, end, one.n), S("rel=\"next\""))) return str_dup(a, str_slice(one, 1, end));
    }
    return (Str){0};
}

static bool header_is(Str line, const char *name, Str *value)
{
    size_t n = strlen(name);
    if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0) return false;
    *value = str_trim(str_slice(line, n + 1, line.n));
    return true;
}

static long number(Str s)
{
    long n = 0;
    if (!s.n || s.n > 15) return -1;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return -1;
        n = n * 10 + (s.p[i] - '0');
    }
    return n;
}

static size_t header_take(char *p, size_t size, size_t n, void *ctx)
{
    Transfer *t = ctx;
    Str line = str_trim((Str){p, size * n}), value;
    if (header_is(line, "link", &value)) t->next = link_next(t->a, value);
    if (header_is(line, "retry-after", &value)) t->retry_after = number(value);
    if (header_is(line, "x-ratelimit-remaining", &value) || header_is(line, "ratelimit-remaining", &value))
        t->remaining = number(value);
    if (header_is(line, "x-ratelimit-reset", &value) || header_is(line, "ratelimit-reset", &value))
        t->reset = number(value);
    return size * n;
}

static long timeout_seconds(void)
{
    long n = number(str_from(getenv("UNGIL_HTTP_TIMEOUT")));
    return n > 0 ? n : 60;
}

/* libcurl repeats a request by itself when a connection that it uses again turns out to be dead. What must not be
 * made twice gets a connection of its own. */
static CURLcode transfer(Http *h, const char *method, bool repeat, Str url, Str body, Transfer *t, long *status)
{
    CURL *c = h->curl;
    char why[CURL_ERROR_SIZE] = "";
    *t = (Transfer){.a = h->a, .retry_after = -1, .remaining = -1, .reset = -1};
    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_URL, url.p);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, h->headers);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "ungil/" UNGIL_VERSION);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, repeat ? 0L : 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, MIN(timeout_seconds(), 20L));
    curl_easy_setopt(c, CURLOPT_TIMEOUT, timeout_seconds());
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, header_take);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    if (body.p) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    }
    h->requests++;
    CURLcode code = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
    return code;
}

/* ---- trying again -------------------------------------------------------------------------------------- */

/* How long the service wants us to wait; 0 when it names no limit. */
static long limit_seconds(const Transfer *t, long status, u32 attempt)
{
    bool maybe = status == 403 || status == 429;
    if (!maybe) return 0;
    if (t->retry_after >= 0) return MAX(t->retry_after, 1L);
    if (t->remaining == 0 && t->reset > 0) return MAX(t->reset - (long)time(NULL), 1L);
    if (status == 429) return 60L << MIN(attempt, 3u);
    bool secondary = str_contains(buf_view(&t->body), S("secondary rate limit"));
    return secondary ? 60L << MIN(attempt, 3u) : 0;
}

static bool limit_wait(Http *h, long seconds)
{
    if (h->waited + (double)seconds > WAIT_MAX)
        return err_set(h->e, "the service wants %ld seconds of pause before it takes more requests; run again later",
                       seconds);
    fprintf(stderr, "ungil: the service has a limit on requests; waiting %ld s\n", seconds);
    h->waited += (double)seconds;
    sleep((unsigned)seconds);
    return true;
}

/* Did the request never leave, so that trying again cannot do anything twice? */
static bool never_sent(CURLcode code)
{
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
           code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_SSL_CONNECT_ERROR;
}

static Answer broken(Http *h, CURLcode code, Str url, bool repeat)
{
    if (repeat || never_sent(code))
        err_set(h->e, "%.*s: %s", STR_ARG(str_slice(url, 0, str_find(url, '?'))),
                code == CURLE_OK ? "the service fails again and again" : curl_easy_strerror(code));
    return h->e->set ? ANSWER_FAILED : ANSWER_UNSURE;
}

static Answer call(Http *h, const char *method, bool repeat, Str url, const json_t *json, Reply *out)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    Str body = text ? str_from(text) : (Str){0};
    Answer answer = ANSWER_FAILED;
    *out = (Reply){0};
    for (u32 attempt = 0;; attempt++) {
        Transfer t;
        CURLcode code = transfer(h, method, repeat, url, body, &t, &out->status);
        long pause = code == CURLE_OK ? limit_seconds(&t, out->status, attempt) : 0;
        bool again = code != CURLE_OK || out->status >= 500;
        if (t.too_long) {
            err_set(h->e, "an answer of the service is longer than %d bytes", BODY_MAX);
        } else if (pause) {
            bool go_on = attempt < TRIES && limit_wait(h, pause);
            buf_free(&t.body);
            if (go_on) continue;
            if (!h->e->set) err_set(h->e, "the service keeps refusing because of its limit on requests");
            break;
        } else if (again && (repeat || never_sent(code)) && attempt + 1 < TRIES) {
            buf_free(&t.body);
            usleep(200000u << attempt);
            continue;
        } else if (again) {
            answer = broken(h, code, url, repeat);
        } else {
            answer = out->status >= 200 && out->status < 300 ? ANSWER_OK : ANSWER_REFUSED;
            out->json = t.body.n ? json_loadb(t.body.p, t.body.n, JSON_DECODE_ANY, NULL) : NULL;
            out->text = str_dup(h->a, str_slice(buf_view(&t.body), 0, 300));
            out->next = t.next;
        }
        buf_free(&t.body);
        break;
    }
    free(text);
    return answer;
}

Answer http_call(Http *h, const char *method, Str url, const json_t *body, Reply *out)
{
    return call(h, method, strcmp(method, "POST") != 0, url, body, out);
}

Answer http_query(Http *h, Str url, const json_t *body, Reply *out)
{
    return call(h, "POST", true, url, body, out);
}

void reply_free(Reply *r)
{
    json_decref(r->json);
    r->json = NULL;
}

/* ---- what the service says ----------------------------------------------------------------------------- */

/* Text of a service in a message of ours: one line, no control characters, never the token. */
static void said_put(Http *h, Buf *out, const char *text)
{
    Str s = str_slice(str_from(text), 0, 300);
    if (h->token.n && str_contains(s, h->token)) s = S("(a text that repeats the token)");
    for (size_t i = 0; i < s.n; i++) buf_char(out, (u8)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i]);
}

/* errors: an array of strings, or of objects with a message. */
static void errors_put(Http *h, Buf *out, const json_t *errors)
{
    size_t i;
    const json_t *one;
    json_array_foreach(errors, i, one)
    {
        const char *text = json_string_value(json_is_object(one) ? json_object_get(one, "message") : one);
        if (!text || i >= 5) continue;
        buf_c(out, "; ");
        said_put(h, out, text);
    }
}

bool reply_fail(Http *h, const Reply *r, const char *doing)
{
    Buf said = {0};
    const json_t *message = json_object_get(r->json, "message");
    if (!message) message = json_object_get(r->json, "error");
    if (json_is_string(message)) said_put(h, &said, json_string_value(message));
    errors_put(h, &said, json_object_get(r->json, "errors"));
    const char *hint = "";
    if (r->status == 401) hint = "; the token is wrong or has expired";
    if (r->status == 403)
        hint =
            "; the token may not do this. For pull requests of forks the token is read-only: write the result with "
            "-o and post it in another job with --from (docs/review.md)";
    if (r->status == 404) hint = "; is the name right, and may the token read it?";
    err_set(h->e, "cannot %s: the service answered %ld%s%.*s%s", doing, r->status, said.n ? " " : "", (int)said.n,
            said.p ? said.p : "", hint);
    buf_free(&said);
    return false;
}

/* ---- lists --------------------------------------------------------------------------------------------- */

/* A link to the next page must stay where the token belongs. */
static bool same_origin(Str url, Str next)
{
    size_t scheme = str_search(url, S("://"));
    if (scheme == url.n) return false;
    size_t end = scheme + 3 + str_find(str_slice(url, scheme + 3, url.n), '/');
    return str_starts(next, str_slice(url, 0, MIN(end + 1, url.n)));
}

bool http_pages(Http *h, Str url, const char *doing, bool (*take)(void *ctx, const json_t *page), void *ctx)
{
    bool ok = true;
    Str at = url;
    for (u32 page = 0; ok && at.n && page < PAGES_MAX; page++) {
        Reply r;
        Answer answer = http_call(h, "GET", at, NULL, &r);
        if (answer == ANSWER_REFUSED) reply_fail(h, &r, doing);
        ok = answer == ANSWER_OK;
        if (ok && !json_is_array(r.json)) ok = err_set(h->e, "cannot %s: the answer is no list", doing);
        ok = ok && take(ctx, r.json);
        if (ok && r.next.n && !same_origin(url, r.next))
            ok = err_set(h->e, "cannot %s: the next page is said to be on another server", doing);
        at = r.next;
        reply_free(&r);
    }
    return ok;
}

Str url_segment(Arena *a, Str s)
{
    Buf b = {0};
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '_' || c == '.' || c == '~';
        if (plain)
            buf_char(&b, c);
        else
            buf_fmt(&b, "%%%02X", (u8)c);
    }
    Str out = str_dup(a, buf_view(&b));
    buf_free(&b);
    return out;
}
