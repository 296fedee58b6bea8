/* Posts a review: the new findings as comments in the changed lines, the rest as a list, and what is gone is
 * resolved.
 *
 * The order makes a run repeatable: look what of ours is there, plan, post what is missing as one review, edit
 * what changed, resolve what is gone, write the summary. When a connection breaks in the middle of a post, nobody
 * knows whether it arrived: then it looks again and plans anew. Nothing is said when there is nothing to say.
 *
 * What a person resolved stays resolved. We know our own resolutions by a mark in the comment. */
#include "emit/post.h"

Str poster_text(const Poster *p, const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    if (json_is_integer(v)) return str_fmt(p->a, "%lld", (long long)json_integer_value(v));
    return json_is_string(v) ? str_dup(p->a, str_from(json_string_value(v))) : (Str){0};
}

enum { ROUNDS = 3 };

static const Forge *const services[] = {
    [POST_GITHUB] = &service_github, [POST_GITLAB] = &service_gitlab, [POST_GITEA] = &service_gitea};

typedef struct Posting {
    Vec(u32) fresh;   /* remarks to be posted */
    Vec(u32) listed;  /* remarks that only the summary names */
    Vec(u32) edits;   /* remarks whose thread says something else */
    Vec(u32) reopens; /* remarks whose thread we had closed */
    Vec(u32) gone;    /* threads whose finding is gone */
    Str note;         /* the summary to write; empty: leave it */
} Posting;

/* ---- planning ------------------------------------------------------------------------------------------ */

static void threads_match(Poster *p)
{
    for (u32 i = 0; i < p->threads.n; i++) p->threads.v[i].kept = false;
    for (u32 i = 0; i < p->remarks.n; i++) {
        Remark *m = &p->remarks.v[i];
        m->thread = NONE;
        for (u32 k = 0; k < p->threads.n; k++) {
            if (!str_eq(p->threads.v[k].fingerprint, m->fingerprint)) continue;
            p->threads.v[k].kept = true;
            if (m->thread == NONE) m->thread = k;
        }
    }
}

static void remark_plan(Poster *p, Posting *plan, u32 i, u32 *room)
{
    const Remark *m = &p->remarks.v[i];
    if (m->thread != NONE) {
        const Thread *t = &p->threads.v[m->thread];
        bool same = str_eq(str_trim(remark_body(p, m, t)), str_trim(t->body));
        if (t->resolved && !t->gone) return; /* a person has seen it and does not want it */
        if (t->gone) vec_push(p->a, &plan->reopens, i);
        if (t->gone || !same) vec_push(p->a, &plan->edits, i);
        *room -= *room > 0;
    } else if (m->anchor.set && !m->refused && !m->posted) {
        vec_push(p->a, &plan->fresh, i);
    } else if (!m->posted) {
        vec_push(p->a, &plan->listed, i);
    }
}

/* What does not fit under the limit goes into the list. */
static void fresh_limit(Poster *p, Posting *plan, u32 room)
{
    for (u32 i = room; i < plan->fresh.n; i++) vec_push(p->a, &plan->listed, plan->fresh.v[i]);
    plan->fresh.n = MIN(plan->fresh.n, room);
}

static void note_plan(Poster *p, Posting *plan)
{
    if (!plan->listed.n && !p->note.comment.n) return;
    Str body = note_body(p, plan->listed.v, plan->listed.n);
    if (!str_eq(str_trim(body), str_trim(p->note.body))) plan->note = body;
}

static bool unseen(const Poster *p, Str path)
{
    for (u32 i = 0; i < p->unseen.n; i++)
        if (str_eq(p->unseen.v[i], path)) return true;
    return false;
}

static void posting_make(Poster *p, Posting *plan)
{
    u32 room = p->o->post.max_comments;
    *plan = (Posting){0};
    threads_match(p);
    for (u32 i = 0; i < p->remarks.n; i++) remark_plan(p, plan, i, &room);
    fresh_limit(p, plan, room);
    for (u32 i = 0; i < p->threads.n; i++) {
        const Thread *t = &p->threads.v[i];
        if (!t->kept && !t->gone && !t->resolved && !unseen(p, t->path)) vec_push(p->a, &plan->gone, i);
    }
    note_plan(p, plan);
    p->kept = 0;
    for (u32 i = 0; i < p->threads.n; i++) p->kept += p->threads.v[i].kept;
}

/* ---- doing --------------------------------------------------------------------------------------------- */

static bool posted_all(Poster *p, const Posting *plan, bool *unsure)
{
    *unsure = false;
    if (!plan->fresh.n) return true;
    Answer answer = p->service->post(p, plan->fresh.v, plan->fresh.n, review_body(p));
    *unsure = answer == ANSWER_UNSURE;
    return answer == ANSWER_OK || *unsure;
}

static bool gone_close(Poster *p, const Thread *t)
{
    Answer answer;
    if (!p->service->edit(p, t, gone_body(p, t))) return false;
    answer = p->service->resolve(p, t, true);
    p->resolved++;
    return answer != ANSWER_FAILED; /* without the right to resolve, the text says it */
}

static bool changes_make(Poster *p, const Posting *plan)
{
    for (u32 i = 0; i < plan->edits.n; i++) {
        const Remark *m = &p->remarks.v[plan->edits.v[i]];
        const Thread *t = &p->threads.v[m->thread];
        if (!p->service->edit(p, t, remark_body(p, m, t))) return false;
        p->edited++;
    }
    for (u32 i = 0; i < plan->reopens.n; i++) {
        const Thread *t = &p->threads.v[p->remarks.v[plan->reopens.v[i]].thread];
        if (p->service->resolve(p, t, false) == ANSWER_FAILED) return false;
        p->reopened++;
    }
    for (u32 i = 0; i < plan->gone.n; i++)
        if (!gone_close(p, &p->threads.v[plan->gone.v[i]])) return false;
    return true;
}

/* The summary may have been made although the answer was lost: look before it is made again. */
static bool note_write(Poster *p, const Posting *plan)
{
    for (u32 round = 0; plan->note.n && round < ROUNDS; round++) {
        Answer answer = p->service->note(p, plan->note);
        if (answer == ANSWER_OK) return true;
        if (answer != ANSWER_UNSURE || !p->service->look(p)) return false;
        if (str_eq(str_trim(p->note.body), str_trim(plan->note))) return true;
    }
    return !plan->note.n || err_set(p->e, "the connection broke each time the summary was sent; run again");
}

/* Remarks that were taken count as said, even where listing does not show them yet. */
static bool round_make(Poster *p, Posting *plan, bool *unsure)
{
    posting_make(p, plan);
    if (!posted_all(p, plan, unsure)) return false;
    if (*unsure) return p->service->look(p);
    u32 refused = 0;
    for (u32 i = 0; i < plan->fresh.n; i++) {
        const Remark *m = &p->remarks.v[plan->fresh.v[i]];
        p->posted += m->posted;
        refused += m->refused;
        if (m->refused) vec_push(p->a, &plan->listed, plan->fresh.v[i]);
    }
    if (refused) note_plan(p, plan);
    return true;
}

static bool posting_do(Poster *p, Posting *plan)
{
    bool unsure = true;
    for (u32 round = 0; unsure && round < ROUNDS; round++)
        if (!round_make(p, plan, &unsure)) return false;
    if (unsure) return err_set(p->e, "the connection broke each time the review was sent; run again");
    return changes_make(p, plan) && note_write(p, plan);
}

/* ---- saying what is done ------------------------------------------------------------------------------- */

static void line_put(Buf *out, const char *what, const Remark *m)
{
    buf_fmt(out, "%s ", what);
    safe_put(out, m->anchor.set ? m->anchor.path : m->path);
    buf_fmt(out, ":%u: %.*s ", m->anchor.set ? m->anchor.last : m->line, STR_ARG(m->rule));
    safe_put(out, m->message);
    buf_char(out, '\n');
}

static void posting_put(Buf *out, Poster *p, const Posting *plan)
{
    for (u32 i = 0; i < plan->fresh.n; i++) {
        const Remark *m = &p->remarks.v[plan->fresh.v[i]];
        line_put(out, "comment", m);
        if (p->o->verbosity > 0) {
            buf_shown(out, remark_body(p, m, NULL));
            buf_c(out, "\n\n");
        }
    }
    for (u32 i = 0; i < plan->edits.n; i++) line_put(out, "update", &p->remarks.v[plan->edits.v[i]]);
    for (u32 i = 0; i < plan->reopens.n; i++) line_put(out, "reopen", &p->remarks.v[plan->reopens.v[i]]);
    for (u32 i = 0; i < plan->listed.n; i++) line_put(out, "list", &p->remarks.v[plan->listed.v[i]]);
    for (u32 i = 0; i < plan->gone.n; i++)
        buf_fmt(out, "resolve the comment on %.*s\n", STR_ARG(p->threads.v[plan->gone.v[i]].fingerprint));
    if (plan->note.n) buf_fmt(out, "%s the summary\n", p->note.comment.n ? "update" : "write");
    if (!out->n) buf_c(out, "nothing to say\n");
}

static void done_put(Buf *out, const Poster *p, const Posting *plan)
{
    buf_fmt(out, "%s: %u comment%s posted, %u updated, %u resolved, %u already there", p->service->name, p->posted,
            p->posted == 1 ? "" : "s", p->edited, p->resolved, p->kept);
    if (p->reopened) buf_fmt(out, ", %u reopened", p->reopened);
    if (plan->listed.n) buf_fmt(out, ", %u in the summary only", plan->listed.n);
    buf_char(out, '\n');
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static bool address_make(Poster *p)
{
    const PostOptions *o = &p->o->post;
    bool gitlab = o->service == POST_GITLAB;
    if (!o->api_url.n)
        return err_set(p->e,
                       "--api-url is missing: where is the service? For example https://git.example.org/api/v1");
    if (!str_starts(o->api_url, S("https://")) && !str_starts(o->api_url, S("http://")))
        return err_set(p->e, "--api-url must start with https:// or http://");
    if (str_find(o->api_url, '@') < o->api_url.n || str_find(o->api_url, '?') < o->api_url.n)
        return err_set(p->e,
                       "--api-url holds a name, password or query; the token goes into the environment or a file");
    if (!o->repository.n)
        return err_set(p->e, "--repository is missing: %s", gitlab ? "group/project or its number" : "owner/name");
    if (!o->pull_request.n && !(o->head_label.n && o->service == POST_GITHUB))
        return err_set(p->e, "--pr is missing: the number of the %s request", gitlab ? "merge" : "pull");
    size_t slash = str_find(o->repository, '/');
    Str owner = str_slice(o->repository, 0, slash), name = str_slice(o->repository, slash + 1, o->repository.n);
    bool plain = owner.n && name.n && str_find(name, '/') == name.n;
    if (!gitlab && !plain)
        return err_set(p->e, "--repository must be owner/name, not '%.*s'", STR_ARG(o->repository));
    if (gitlab)
        p->url = str_fmt(p->a, "%.*s/projects/%.*s", STR_ARG(o->api_url), STR_ARG(url_segment(p->a, o->repository)));
    else
        p->url = str_fmt(p->a, "%.*s/repos/%.*s/%.*s", STR_ARG(o->api_url), STR_ARG(url_segment(p->a, owner)),
                         STR_ARG(url_segment(p->a, name)));
    return true;
}

bool url_is_loopback(Str url)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (u32 i = 0; i < COUNT_OF(hosts); i++) {
        Str host = str_from(hosts[i]);
        if (!str_starts(url, host)) continue;
        if (url.n == host.n || url.p[host.n] == ':' || url.p[host.n] == '/') return true;
    }
    return false;
}

static bool poster_open(Poster *p, Str token)
{
    const Forge *s = p->service;
    if (str_starts(p->o->post.api_url, S("http://")) && !url_is_loopback(p->o->post.api_url))
        fprintf(stderr, "ungil: the address starts with http://, so the token is sent in clear text\n");
    if (!http_open(&p->http, p->a, s->auth_name, s->auth_prefix, token, s->accept, s->version, p->e) || !s->look(p))
        return false;
    if (str_eq(p->pull_head, p->head)) return true;
    return err_set(
        p->e,
        "the %s request is at commit %.*s, but %.*s was reviewed; review that commit (--head), or leave it to "
        "the run for the newer one",
        p->o->post.service == POST_GITLAB ? "merge" : "pull", (int)MIN(p->pull_head.n, (size_t)12), p->pull_head.p,
        (int)MIN(p->head.n, (size_t)12), p->head.p);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static bool poster_run(Poster *p, const json_t *doc, Buf *out)
{
    Str token;
    Posting plan = {0};
    const PostOptions *o = &p->o->post;
    if (!remarks_read(p, doc) || !token_read(p->a, o->token_file, p->service->tokens, &token, p->e)) return false;
    if (!token.n && !o->dry_run)
        return err_set(p->e, "there is no token: set %s, or give --token-file FILE", p->service->tokens[0]);
    if (!token.n) {
        buf_c(out, "without a token, as if nothing had been posted before:\n");
        Buf planned = {0};
        posting_make(p, &plan);
        posting_put(&planned, p, &plan);
        buf_str(out, buf_view(&planned));
        buf_free(&planned);
        return true;
    }
    if (!address_make(p) || !poster_open(p, token)) return false;
    if (o->dry_run) {
        posting_make(p, &plan);
        posting_put(out, p, &plan);
        return true;
    }
    bool ok = posting_do(p, &plan);
    if (p->o->verbosity >= 0 && (ok || p->posted)) done_put(out, p, &plan);
    return ok;
}

static int post_document(Arena *a, const Options *o, const json_t *doc, bool trusted, Err *e)
{
    Poster p = {.a = a, .o = o, .service = services[o->post.service], .trusted = trusted, .e = e};
    Buf out = {0};
    bool ok = poster_run(&p, doc, &out);
    http_close(&p.http);
    if (out.n && !emit_text(o, buf_view(&out), e)) ok = false;
    buf_free(&out);
    return !ok ? 2 : p.serious && !o->exit_zero;
}

int post_review(const Results *r, const Review *v, Err *e)
{
    json_t *doc = review_json(r, v);
    int status = post_document(r->arena, r->options, doc, true, e);
    json_decref(doc);
    return status;
}

int emit_review_from(Arena *a, const Options *o, Err *e)
{
    enum { FROM_MAX = 32 << 20 };
    Str text;
    json_error_t why;
    if (!os_read_file(a, str_c(a, o->post.from), FROM_MAX, &text, e)) return 2;
    json_t *doc = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    if (!doc) {
        err_set(e, "%.*s:%d: no JSON: %s", STR_ARG(o->post.from), why.line, why.text);
        return 2;
    }
    int status = post_document(a, o, doc, false, e);
    json_decref(doc);
    return status;
}
