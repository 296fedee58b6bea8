/* GitLab: a conversation for each finding, placed in the newest version of the merge request's diff.
 *
 * An added line is named by its number in the new file, an unchanged one by both numbers. GitLab has no reviews by
 * tokens, so that each comment is a request of its own. */
#include "emit/post.h"

static Str request_url(const Poster *p, const char *rest)
{
    return str_fmt(p->a, "%.*s/merge_requests/%.*s%s", STR_ARG(p->url), STR_ARG(p->o->post.pull_request), rest);
}

/* ---- what is there ------------------------------------------------------------------------------------- */

/* The answer to one GET; NULL with e set when it is none. The caller frees the reply. */
static const json_t *get(Poster *p, Str url, const char *doing, Reply *r)
{
    Answer answer = http_call(&p->http, "GET", url, NULL, r);
    if (answer == ANSWER_REFUSED) reply_fail(&p->http, r, doing);
    if (answer == ANSWER_OK && r->json) return r->json;
    err_set(p->e, "cannot %s: the answer is empty", doing);
    return NULL;
}

static bool version_read(Poster *p)
{
    Reply r;
    const json_t *list = get(p, request_url(p, "/versions"), "read the merge request", &r);
    const json_t *newest = json_array_get(list, 0);
    p->base_sha = poster_text(p, newest, "base_commit_sha");
    p->start_sha = poster_text(p, newest, "start_commit_sha");
    p->head_sha = p->pull_head = poster_text(p, newest, "head_commit_sha");
    reply_free(&r);
    if (list && !p->pull_head.n) return err_set(p->e, "the merge request has no diff yet; run again later");
    return list != NULL;
}

static bool who_read(Poster *p)
{
    Reply r;
    if (p->who.n) return true;
    const json_t *user =
        get(p, str_fmt(p->a, "%.*s/user", STR_ARG(p->o->post.api_url)), "ask whose token this is", &r);
    p->who = poster_text(p, user, "id");
    reply_free(&r);
    return p->who.n > 0 || err_set(p->e, "the service does not say whose token this is");
}

static void position_read(const Poster *p, const json_t *position, Thread *t)
{
    bool current = str_eq(poster_text(p, position, "head_sha"), p->pull_head);
    json_int_t line = json_integer_value(json_object_get(position, "new_line"));
    t->path = poster_text(p, position, "new_path");
    t->first = current && line > 0 ? (u32)line : 0;
}

static bool discussions_take(void *ctx, const json_t *page)
{
    Poster *p = ctx;
    size_t i;
    const json_t *discussion;
    json_array_foreach(page, i, discussion)
    {
        const json_t *first = json_array_get(json_object_get(discussion, "notes"), 0);
        Str body = poster_text(p, first, "body");
        Thread t = {0};
        if (!str_eq(poster_text(p, json_object_get(first, "author"), "id"), p->who)) continue;
        if (note_marked(body) && !p->note.comment.n) {
            p->note.body = body;
            p->note.comment = poster_text(p, first, "id");
        }
        if (!marker_read(body, &t)) continue;
        t.id = poster_text(p, discussion, "id");
        t.comment = poster_text(p, first, "id");
        t.resolved = json_is_true(json_object_get(first, "resolved"));
        position_read(p, json_object_get(first, "position"), &t);
        vec_push(p->a, &p->threads, t);
    }
    return true;
}

static bool gitlab_look(Poster *p)
{
    p->threads.n = 0;
    p->note = (Thread){0};
    return version_read(p) && who_read(p) &&
           http_pages(&p->http, request_url(p, "/discussions?per_page=100"), "read the merge request's comments",
                      discussions_take, p);
}

/* ---- posting ------------------------------------------------------------------------------------------- */

static json_t *position_json(Poster *p, const Anchor *x)
{
    json_t *o = json_object();
    json_put(o, "position_type", json_string("text"));
    json_put(o, "base_sha", json_str(p->base_sha));
    json_put(o, "start_sha", json_str(p->start_sha));
    json_put(o, "head_sha", json_str(p->head_sha));
    json_put(o, "old_path", json_str(x->old_path));
    json_put(o, "new_path", json_str(x->path));
    json_put(o, "new_line", json_integer(x->first));
    if (x->old_first) json_put(o, "old_line", json_integer(x->old_first));
    return o;
}

static Answer gitlab_post(Poster *p, const u32 *v, u32 n, Str text)
{
    for (u32 i = 0; i < n; i++) {
        Reply r;
        Remark *m = &p->remarks.v[v[i]];
        json_t *o = json_object();
        json_put(o, "body", json_str(remark_body(p, m, NULL)));
        json_put(o, "position", position_json(p, &m->anchor));
        Answer answer = http_call(&p->http, "POST", request_url(p, "/discussions"), o, &r);
        json_decref(o);
        m->posted = answer == ANSWER_OK;
        m->refused = answer == ANSWER_REFUSED && (r.status == 400 || r.status == 422);
        if (answer == ANSWER_REFUSED && !m->refused) {
            reply_fail(&p->http, &r, "post a comment");
            answer = ANSWER_FAILED;
        }
        reply_free(&r);
        if (answer == ANSWER_FAILED || answer == ANSWER_UNSURE) return answer;
    }
    return ANSWER_OK;
}

/* ---- changes ------------------------------------------------------------------------------------------- */

static Answer json_send(Poster *p, const char *method, Str url, json_t *o, const char *doing)
{
    Reply r;
    Answer answer = http_call(&p->http, method, url, o, &r);
    json_decref(o);
    if (answer == ANSWER_REFUSED && doing) {
        reply_fail(&p->http, &r, doing);
        answer = ANSWER_FAILED;
    }
    reply_free(&r);
    return answer;
}

static bool gitlab_edit(Poster *p, const Thread *t, Str body)
{
    Str url = str_fmt(p->a, "%.*s/%.*s/notes/%.*s", STR_ARG(request_url(p, "/discussions")), STR_ARG(t->id),
                      STR_ARG(t->comment));
    return json_send(p, "PUT", url, json_pack("{s:o}", "body", json_str(body)), "edit a comment") == ANSWER_OK;
}

static Answer gitlab_resolve(Poster *p, const Thread *t, bool on)
{
    Str url = str_fmt(p->a, "%.*s/%.*s", STR_ARG(request_url(p, "/discussions")), STR_ARG(t->id));
    return json_send(p, "PUT", url, json_pack("{s:b}", "resolved", on), NULL);
}

static Answer gitlab_note(Poster *p, Str body)
{
    bool old = p->note.comment.n > 0;
    Str url = request_url(p, "/notes");
    if (old) url = str_fmt(p->a, "%.*s/%.*s", STR_ARG(url), STR_ARG(p->note.comment));
    return json_send(p, old ? "PUT" : "POST", url, json_pack("{s:o}", "body", json_str(body)), "write the summary");
}

const Forge service_gitlab = {.name = "gitlab",
                              .suggest = SUGGEST_OFFSET,
                              .body_max = 500000,
                              .auth_name = "PRIVATE-TOKEN",
                              .auth_prefix = "",
                              .accept = "application/json",
                              .tokens = {"GITLAB_TOKEN"},
                              .look = gitlab_look,
                              .post = gitlab_post,
                              .edit = gitlab_edit,
                              .resolve = gitlab_resolve,
                              .note = gitlab_note};
