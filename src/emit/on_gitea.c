/* Gitea and Forgejo: reviews as on GitHub, but with one line for each comment and without suggestions.
 *
 * When one comment of a review is refused, the service answers with an error of its own (500) and may keep the
 * earlier ones as a pending review. Such leftovers are deleted before anything is posted anew; then each comment
 * is posted as a review by itself, and what is still refused is left to the summary. */
#include "emit/post.h"

enum { REVIEWS_MAX = 500 };

static Str pull_url(const Poster *p, const char *rest)
{
    return str_fmt(p->a, "%.*s/pulls/%.*s%s", STR_ARG(p->url), STR_ARG(p->o->post.pull_request), rest);
}

static bool is_ours(const Poster *p, const json_t *o)
{
    return str_eq(poster_text(p, json_object_get(o, "user"), "login"), p->who);
}

/* ---- what is there ------------------------------------------------------------------------------------- */

static bool one_read(Poster *p, Str url, const char *doing, const char *object, const char *key, Str *out)
{
    Reply r;
    Answer answer = http_call(&p->http, "GET", url, NULL, &r);
    if (answer == ANSWER_REFUSED) reply_fail(&p->http, &r, doing);
    const json_t *o = object ? json_object_get(r.json, object) : r.json;
    if (answer == ANSWER_OK) *out = poster_text(p, o, key);
    reply_free(&r);
    if (answer == ANSWER_OK && !out->n) err_set(p->e, "cannot %s: the answer lacks it", doing);
    return answer == ANSWER_OK && out->n;
}

typedef struct Reviews {
    Poster *p;
    Vec(Str) ids, pending;
    u32 ours, others; /* comments of the review that is being read */
} Reviews;

static bool reviews_take(void *ctx, const json_t *page)
{
    Reviews *x = ctx;
    size_t i;
    const json_t *review;
    json_array_foreach(page, i, review)
    {
        if (!is_ours(x->p, review) || x->ids.n + x->pending.n >= REVIEWS_MAX) continue;
        Str id = poster_text(x->p, review, "id");
        if (str_is(poster_text(x->p, review, "state"), "PENDING"))
            vec_push(x->p->a, &x->pending, id);
        else
            vec_push(x->p->a, &x->ids, id);
    }
    return true;
}

static bool comments_take(void *ctx, const json_t *page)
{
    Reviews *x = ctx;
    Poster *p = x->p;
    size_t i;
    const json_t *comment;
    json_array_foreach(page, i, comment)
    {
        Thread t = {0};
        if (!is_ours(p, comment) || !marker_read(poster_text(p, comment, "body"), &t)) {
            x->others++;
            continue;
        }
        json_int_t line = json_integer_value(json_object_get(comment, "position"));
        t.id = t.comment = poster_text(p, comment, "id");
        t.resolved = json_is_object(json_object_get(comment, "resolver"));
        t.path = poster_text(p, comment, "path");
        t.first = t.last = line > 0 ? (u32)line : 0;
        x->ours++;
        vec_push(p->a, &p->threads, t);
    }
    return true;
}

static Str review_url(const Poster *p, Str id, const char *rest)
{
    return str_fmt(p->a, "%.*s/%.*s%s", STR_ARG(pull_url(p, "/reviews")), STR_ARG(id), rest);
}

/* A pending review of ours that holds nothing but our comments is what a run that was cut off has left. */
static bool pending_clear(Poster *p, Reviews *x)
{
    for (u32 i = 0; i < x->pending.n; i++) {
        u32 before = p->threads.n;
        x->ours = x->others = 0;
        if (!http_pages(&p->http, review_url(p, x->pending.v[i], "/comments"), "read a pending review", comments_take,
                        x))
            return false;
        p->threads.n = before;
        if (!x->ours || x->others || p->o->post.dry_run) continue;
        Reply r;
        Answer answer = http_call(&p->http, "DELETE", review_url(p, x->pending.v[i], ""), NULL, &r);
        if (answer == ANSWER_REFUSED) reply_fail(&p->http, &r, "delete a pending review");
        reply_free(&r);
        if (answer != ANSWER_OK) return false;
    }
    return true;
}

static bool notes_take(void *ctx, const json_t *page)
{
    Poster *p = ctx;
    size_t i;
    const json_t *comment;
    json_array_foreach(page, i, comment)
    {
        Str body = poster_text(p, comment, "body");
        if (p->note.comment.n || !is_ours(p, comment) || !note_marked(body)) continue;
        p->note.body = body;
        p->note.comment = poster_text(p, comment, "id");
    }
    return true;
}

static bool gitea_look(Poster *p)
{
    Reviews x = {.p = p};
    Str api = p->o->post.api_url;
    p->threads.n = 0;
    p->note = (Thread){0};
    if (!one_read(p, pull_url(p, ""), "read the pull request", "head", "sha", &p->pull_head)) return false;
    if (!p->who.n && !one_read(p, str_fmt(p->a, "%.*s/user", STR_ARG(api)),
                               "ask whose token this is (it needs read:user)", NULL, "login", &p->who))
        return false;
    if (!http_pages(&p->http, pull_url(p, "/reviews?limit=50"), "read the reviews", reviews_take, &x)) return false;
    for (u32 i = 0; i < x.ids.n; i++)
        if (!http_pages(&p->http, review_url(p, x.ids.v[i], "/comments"), "read a review", comments_take, &x))
            return false;
    Str notes = str_fmt(p->a, "%.*s/issues/%.*s/comments", STR_ARG(p->url), STR_ARG(p->o->post.pull_request));
    return pending_clear(p, &x) && http_pages(&p->http, notes, "read the comments", notes_take, p);
}

/* ---- posting ------------------------------------------------------------------------------------------- */

static Answer review_post(Poster *p, const u32 *v, u32 n, Str text, Reply *r)
{
    json_t *o = json_object(), *comments = json_array();
    for (u32 i = 0; i < n; i++) {
        const Remark *m = &p->remarks.v[v[i]];
        json_t *c = json_object();
        json_put(c, "path", json_str(m->anchor.path));
        json_put(c, "body", json_str(remark_body(p, m, NULL)));
        json_put(c, "new_position", json_integer(m->anchor.last));
        json_put(c, "old_position", json_integer(0));
        json_array_append_new(comments, c);
    }
    json_put(o, "event", json_string("COMMENT"));
    json_put(o, "body", json_str(text));
    json_put(o, "commit_id", json_str(p->head));
    json_put(o, "comments", comments);
    Answer answer = http_call(&p->http, "POST", pull_url(p, "/reviews"), o, r);
    json_decref(o);
    for (u32 i = 0; i < n && answer == ANSWER_OK; i++) p->remarks.v[v[i]].posted = true;
    return answer;
}

static bool thread_there(const Poster *p, Str fingerprint)
{
    for (u32 i = 0; i < p->threads.n; i++)
        if (str_eq(p->threads.v[i].fingerprint, fingerprint)) return true;
    return false;
}

/* After a refusal: the leftovers are cleared by looking again, then one after the other. */
static Answer one_by_one(Poster *p, const u32 *v, u32 n, Str text)
{
    if (!gitea_look(p)) return ANSWER_FAILED;
    for (u32 i = 0; i < n; i++) {
        Reply r;
        Remark *m = &p->remarks.v[v[i]];
        if (thread_there(p, m->fingerprint)) continue;
        Answer answer = review_post(p, &v[i], 1, text, &r);
        bool refused = (answer == ANSWER_REFUSED || answer == ANSWER_UNSURE) && (r.status == 422 || r.status == 500);
        if (answer == ANSWER_REFUSED && !refused) reply_fail(&p->http, &r, "post a comment");
        reply_free(&r);
        if (refused && !gitea_look(p)) return ANSWER_FAILED;
        m->refused = refused && !thread_there(p, m->fingerprint);
        if (!refused && answer != ANSWER_OK) return answer == ANSWER_REFUSED ? ANSWER_FAILED : answer;
    }
    return ANSWER_OK;
}

static Answer gitea_post(Poster *p, const u32 *v, u32 n, Str text)
{
    Reply r;
    Answer answer = review_post(p, v, n, text, &r);
    bool refused = (answer == ANSWER_REFUSED || answer == ANSWER_UNSURE) && (r.status == 422 || r.status == 500);
    if (answer == ANSWER_REFUSED && !refused) reply_fail(&p->http, &r, "post the review");
    reply_free(&r);
    if (refused) return one_by_one(p, v, n, text);
    return answer == ANSWER_REFUSED ? ANSWER_FAILED : answer;
}

/* ---- changes ------------------------------------------------------------------------------------------- */

static Answer body_send(Poster *p, const char *method, Str url, Str body, const char *doing)
{
    Reply r;
    json_t *o = json_pack("{s:o}", "body", json_str(body));
    Answer answer = http_call(&p->http, method, url, o, &r);
    json_decref(o);
    if (answer == ANSWER_REFUSED) reply_fail(&p->http, &r, doing);
    reply_free(&r);
    return answer == ANSWER_REFUSED ? ANSWER_FAILED : answer;
}

static bool gitea_edit(Poster *p, const Thread *t, Str body)
{
    Str url = str_fmt(p->a, "%.*s/issues/comments/%.*s", STR_ARG(p->url), STR_ARG(t->comment));
    return body_send(p, "PATCH", url, body, "edit a comment") == ANSWER_OK;
}

/* Newer versions can resolve; older ones answer 404 or 405. */
static Answer gitea_resolve(Poster *p, const Thread *t, bool on)
{
    Reply r;
    Str url = str_fmt(p->a, "%.*s/%.*s/%s", STR_ARG(pull_url(p, "/comments")), STR_ARG(t->comment),
                      on ? "resolve" : "unresolve");
    Answer answer = http_query(&p->http, url, NULL, &r);
    reply_free(&r);
    return answer;
}

static Answer gitea_note(Poster *p, Str body)
{
    bool old = p->note.comment.n > 0;
    Str url = old ? str_fmt(p->a, "%.*s/issues/comments/%.*s", STR_ARG(p->url), STR_ARG(p->note.comment))
                  : str_fmt(p->a, "%.*s/issues/%.*s/comments", STR_ARG(p->url), STR_ARG(p->o->post.pull_request));
    return body_send(p, old ? "PATCH" : "POST", url, body, "write the summary");
}

const Forge service_gitea = {.name = "gitea",
                             .suggest = SUGGEST_NONE,
                             .body_max = 64000,
                             .auth_name = "Authorization",
                             .auth_prefix = "token ",
                             .accept = "application/json",
                             .tokens = {"GITEA_TOKEN", "FORGEJO_TOKEN", "GITHUB_TOKEN"},
                             .look = gitea_look,
                             .post = gitea_post,
                             .edit = gitea_edit,
                             .resolve = gitea_resolve,
                             .note = gitea_note};
