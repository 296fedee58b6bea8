/* One delivery, from its headers and body to an answer: who sent it, was it here before, what does it say, is the
 * repository one of ours, and into the queue. It is remembered as seen only when it is in the queue, so that the
 * sender may repeat one that was refused.
 *
 * Nothing is read from a body before its sender has proved to know the secret. */
#include "serve/serve.h"

static const struct {
    u16 status;
    const char *text;
} answers[TAKEN_COUNT] = {
    [TAKEN_QUEUED] = {202, "queued"},
    [TAKEN_MERGED] = {202, "queued; it replaces an earlier push to the same pull request"},
    [TAKEN_CLOSED] = {200, "noted; the pull request is closed"},
    [TAKEN_IGNORED] = {200, "ignored"},
    [TAKEN_NOT_SERVED] = {403, "this repository is not among --repositories"},
    [TAKEN_REPLAYED] = {200, "this delivery was here before"},
    [TAKEN_UNSIGNED] = {401, "the delivery is not signed; set the secret in the webhook's settings"},
    [TAKEN_FORGED] = {401, "the signature is wrong; is the secret the same on both sides?"},
    [TAKEN_MALFORMED] = {400, "the delivery is malformed"},
    [TAKEN_WRONG_TYPE] = {415, "the content type must be application/json; set it in the webhook's settings"},
    [TAKEN_TOO_LARGE] = {413, "the delivery is too large"},
    [TAKEN_FULL] = {503, "the queue is full; deliver it again later"},
    [TAKEN_STOPPING] = {503, "the server is being stopped; deliver it again later"},
    [TAKEN_FAILED] = {503, "the delivery could not be stored; deliver it again later"},
};

const char *const taken_name[TAKEN_COUNT] = {
    [TAKEN_QUEUED] = "queued",         [TAKEN_MERGED] = "merged",         [TAKEN_CLOSED] = "closed",
    [TAKEN_IGNORED] = "ignored",       [TAKEN_NOT_SERVED] = "not-served", [TAKEN_REPLAYED] = "replayed",
    [TAKEN_UNSIGNED] = "unsigned",     [TAKEN_FORGED] = "forged",         [TAKEN_MALFORMED] = "malformed",
    [TAKEN_WRONG_TYPE] = "wrong-type", [TAKEN_TOO_LARGE] = "too-large",   [TAKEN_FULL] = "full",
    [TAKEN_STOPPING] = "stopping",     [TAKEN_FAILED] = "failed",
};

void answer_make(Taken t, Answer *out)
{
    out->status = answers[t].status;
    snprintf(out->text, sizeof out->text, "%s", answers[t].text);
}

static void answer_add(Answer *out, const char *why)
{
    size_t n = strlen(out->text);
    snprintf(out->text + n, sizeof out->text - n, ": %s", why);
}

static bool repository_served(const Server *s, Str repository)
{
    const StrVec *globs = &s->o->serve.repositories;
    for (u32 i = 0; i < globs->n; i++)
        if (glob_match(globs->v[i], repository)) return true;
    return globs->n == 0;
}

static bool type_is_json(Str type)
{
    Str rest;
    type = str_trim(str_cut(type, ';', &rest));
    return type.n == strlen("application/json") && str_has_word(type, "application/json");
}

/* Two digests: a captured body could come with another id, which GitHub does not sign, so the body alone tells too.
 */
static Marks marks_make(const Delivery *d)
{
    Marks m = {.has_id = d->id.n > 0};
    char word[32];
    snprintf(word, sizeof word, "%s body", service_kinds[d->service].name);
    digest_make(m.body, word, d->body);
    digest_make(m.id, service_kinds[d->service].name, d->id);
    return m;
}

static Taken review_put(Server *s, const Delivery *d, const Hook *h)
{
    Err e = {0};
    Taken taken = TAKEN_FAILED;
    switch (queue_put(&s->queue, d->service, h, unix_now(), &e)) {
    case QUEUE_NEW: taken = TAKEN_QUEUED; break;
    case QUEUE_MERGED: taken = TAKEN_MERGED; break;
    case QUEUE_FULL: taken = TAKEN_FULL; break;
    case QUEUE_ERROR: break;
    }
    if (taken == TAKEN_FAILED) log_line(s->o, LOG_WARN, "%s", e.msg);
    if (taken != TAKEN_FULL) s->unwritable = taken == TAKEN_FAILED;
    return taken;
}

bool taken_waits(Taken t)
{
    return t == TAKEN_QUEUED || t == TAKEN_MERGED || t == TAKEN_CLOSED;
}

void delivery_keep(Server *s, const Marks *m)
{
    Err e = {0};
    if (!seen_add(&s->seen, m->body, &e) || (m->has_id && !seen_add(&s->seen, m->id, &e)))
        log_line(s->o, LOG_WARN, "%s", e.msg); /* the job is safe; only a replay would not be noticed */
}

static Taken delivery_decide(Server *s, const Delivery *d, Arena *a, Hook *h, Marks *m, const char **why)
{
    Err e = {0};
    if (!d->proof.signature.n && !d->proof.standard.n) return TAKEN_UNSIGNED;
    if (!proof_valid(d->service, &s->secrets, &d->proof, d->body, unix_now())) return TAKEN_FORGED;
    if (!type_is_json(d->type)) return TAKEN_WRONG_TYPE;
    if (!hook_parse(a, d->service, d->event, d->body, h, &e)) {
        *why = str_c(a, str_from(e.msg));
        return TAKEN_MALFORMED;
    }
    if (h->kind == HOOK_IGNORE) {
        *why = h->why;
        return TAKEN_IGNORED;
    }
    if (!repository_served(s, h->repository)) return TAKEN_NOT_SERVED;
    if (s->stopping) return TAKEN_STOPPING;
    *m = marks_make(d);
    if (seen_has(&s->seen, m->body) || (m->has_id && seen_has(&s->seen, m->id))) return TAKEN_REPLAYED;
    if (h->kind == HOOK_REVIEW) return review_put(s, d, h);
    queue_drop(&s->queue, d->service, h);
    return TAKEN_CLOSED;
}

Taken delivery_take(Server *s, const Delivery *d, Answer *out, Marks *marks)
{
    Arena a = {0};
    Hook h = {0};
    const char *why = NULL;
    Taken t = delivery_decide(s, d, &a, &h, marks, &why);
    answer_make(t, out);
    if (why) answer_add(out, why);
    bool bad = answers[t].status >= 400;
    log_line(s->o,
             bad                  ? LOG_WARN
             : t == TAKEN_IGNORED ? LOG_DEBUG
                                  : LOG_INFO,
             "delivery service=%s result=%s id=%.*s repository=%.*s number=%u head=%.*s%s%s",
             service_kinds[d->service].name, taken_name[t], (int)MIN(d->id.n, 80), d->id.p ? d->id.p : "",
             STR_ARG(h.repository), h.number, STR_ARG(h.head), why ? " why=" : "", why ? why : "");
    arena_free(&a);
    return t;
}
