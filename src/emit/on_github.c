/* GitHub and GitHub Enterprise: reviews by REST, conversations by GraphQL, which alone can tell whether one is
 * resolved, and whose it is.
 *
 * One line that GitHub does not know rejects a whole review. Lines come from the local diff; when they are refused
 * nevertheless, GitHub's own diff decides which to leave out, and at last each comment is posted by itself. */
#include "emit/post.h"

/* ---- addresses ----------------------------------------------------------------------------------------- */

static Str pull_url(const Poster *p, const char *rest)
{
    return str_fmt(p->a, "%.*s/pulls/%.*s%s", STR_ARG(p->url), STR_ARG(p->o->post.pull_request), rest);
}

/* https://HOST/api/v3 has its GraphQL at https://HOST/api/graphql. */
static Str graph_url(const Poster *p)
{
    Str api = p->o->post.api_url;
    if (str_ends(api, S("/v3"))) api.n -= 3;
    return str_fmt(p->a, "%.*s/graphql", STR_ARG(api));
}

/* ---- GraphQL ------------------------------------------------------------------------------------------- */

/* Sends a query and hands back "data". Errors in the answer count as a refusal, told by *why. */
static Answer graph_query(Poster *p, const char *query, json_t *variables, Reply *r, Str *why)
{
    json_t *body = json_pack("{s:s, s:o}", "query", query, "variables", variables);
    Answer answer = http_query(&p->http, graph_url(p), body, r);
    json_decref(body);
    *why = (Str){0};
    if (answer != ANSWER_OK) return answer;
    const json_t *error = json_array_get(json_object_get(r->json, "errors"), 0);
    if (!error && json_is_object(json_object_get(r->json, "data"))) return ANSWER_OK;
    const char *text = json_string_value(json_object_get(error, "message"));
    *why = str_dup(p->a, str_slice(str_from(text ? text : "the answer holds no data"), 0, 300));
    return ANSWER_REFUSED;
}

static json_t *pull_variables(Poster *p, const json_t *after)
{
    Str repo = p->o->post.repository;
    size_t slash = str_find(repo, '/');
    long long number = atoll(str_c(p->a, p->o->post.pull_request));
    return json_pack("{s:o, s:o, s:I, s:O?}", "owner", json_str(str_slice(repo, 0, slash)), "name",
                     json_str(str_slice(repo, slash + 1, repo.n)), "number", (json_int_t)number, "after", after);
}

static bool graph_fail(Poster *p, const Reply *r, Str why)
{
    if (!why.n) return reply_fail(&p->http, r, "read the pull request's comments");
    return err_set(p->e,
                   "cannot read the pull request's comments: %.*s; is the name right, and may the token read it?",
                   STR_ARG(why));
}

/* Walks through one list of the pull request, page by page. */
static bool graph_pages(Poster *p, const char *query, const char *list, void (*take)(Poster *p, const json_t *node))
{
    json_t *after = NULL;
    bool more = true;
    while (more) {
        Reply r;
        Str why;
        Answer answer = graph_query(p, query, pull_variables(p, after), &r, &why);
        json_decref(after);
        after = NULL;
        if (answer == ANSWER_REFUSED) graph_fail(p, &r, why);
        const json_t *data = answer == ANSWER_OK ? json_object_get(r.json, "data") : NULL;
        const json_t *pull = json_object_get(json_object_get(data, "repository"), "pullRequest");
        if (data && !json_is_object(pull)) graph_fail(p, &r, S("there is no such pull request"));
        if (!json_is_object(pull)) return reply_free(&r), false;
        const char *head = json_string_value(json_object_get(pull, "headRefOid"));
        if (head) p->pull_head = str_dup(p->a, str_from(head));
        const json_t *page = json_object_get(pull, list), *info = json_object_get(page, "pageInfo"), *node;
        size_t i;
        json_array_foreach(json_object_get(page, "nodes"), i, node) take(p, node);
        more = json_is_true(json_object_get(info, "hasNextPage"));
        after = more ? json_incref(json_object_get(info, "endCursor")) : NULL;
        more = more && json_is_string(after);
        reply_free(&r);
    }
    json_decref(after);
    return true;
}

/* ---- what is there ------------------------------------------------------------------------------------- */

static const char threads_query[] =
    "query($owner:String!,$name:String!,$number:Int!,$after:String){repository(owner:$owner,name:$name){"
    "pullRequest(number:$number){headRefOid reviewThreads(first:100,after:$after){pageInfo{hasNextPage endCursor}"
    "nodes{id isResolved path line startLine comments(first:1){nodes{id body viewerDidAuthor}}}}}}}";
static const char notes_query[] =
    "query($owner:String!,$name:String!,$number:Int!,$after:String){repository(owner:$owner,name:$name){"
    "pullRequest(number:$number){headRefOid comments(first:100,after:$after){pageInfo{hasNextPage endCursor}"
    "nodes{id body viewerDidAuthor}}}}}";

static void thread_take(Poster *p, const json_t *node)
{
    const json_t *first = json_array_get(json_object_get(json_object_get(node, "comments"), "nodes"), 0);
    Thread t = {0};
    if (!json_is_true(json_object_get(first, "viewerDidAuthor"))) return;
    if (!marker_read(poster_text(p, first, "body"), &t)) return;
    t.id = poster_text(p, node, "id");
    t.comment = poster_text(p, first, "id");
    t.resolved = json_is_true(json_object_get(node, "isResolved"));
    t.path = poster_text(p, node, "path");
    t.last = json_line(node, "line");
    t.first = json_line(node, "startLine");
    if (!t.first) t.first = t.last;
    vec_push(p->a, &p->threads, t);
}

static void note_take(Poster *p, const json_t *node)
{
    Str body = poster_text(p, node, "body");
    if (p->note.comment.n || !json_is_true(json_object_get(node, "viewerDidAuthor")) || !note_marked(body)) return;
    p->note.body = body;
    p->note.comment = poster_text(p, node, "id");
}

/* In a job that follows another one (workflow_run) only the branch is known; the pull request is looked up. */
static bool label_take(void *ctx, const json_t *page)
{
    Poster *p = ctx;
    size_t i;
    const json_t *pull;
    PostOptions *o = (PostOptions *)&p->o->post;
    json_array_foreach(page, i, pull)
    {
        if (o->pull_request.n || !str_eq(poster_text(p, json_object_get(pull, "head"), "sha"), p->head)) continue;
        o->pull_request = poster_text(p, pull, "number");
    }
    return true;
}

static bool pull_find(Poster *p)
{
    const PostOptions *o = &p->o->post;
    if (o->pull_request.n) return true;
    Str url = str_fmt(p->a, "%.*s/pulls?state=open&per_page=100&head=%.*s", STR_ARG(p->url),
                      STR_ARG(url_segment(p->a, o->head_label)));
    if (!http_pages(&p->http, url, "look for the pull request", label_take, p)) return false;
    return o->pull_request.n || err_set(p->e, "no open pull request of %.*s has the head %.*s; give --pr N",
                                        STR_ARG(o->head_label), STR_ARG(p->head));
}

static bool github_look(Poster *p)
{
    p->threads.n = 0;
    p->note = (Thread){0};
    return pull_find(p) && graph_pages(p, threads_query, "reviewThreads", thread_take) &&
           graph_pages(p, notes_query, "comments", note_take);
}

/* ---- posting ------------------------------------------------------------------------------------------- */

static json_t *comment_json(Poster *p, const Remark *m)
{
    json_t *o = json_object();
    json_put(o, "path", json_str(m->anchor.path));
    if (m->anchor.first < m->anchor.last) {
        json_put(o, "start_line", json_integer(m->anchor.first));
        json_put(o, "start_side", json_string("RIGHT"));
    }
    json_put(o, "line", json_integer(m->anchor.last));
    json_put(o, "side", json_string("RIGHT"));
    json_put(o, "body", json_str(remark_body(p, m, NULL)));
    return o;
}

static Answer review_post(Poster *p, const u32 *v, u32 n, Str text, Reply *r)
{
    json_t *o = json_object(), *comments = json_array();
    u32 count = 0;
    for (u32 i = 0; i < n; i++) {
        const Remark *m = &p->remarks.v[v[i]];
        if (m->refused) continue;
        json_array_append_new(comments, comment_json(p, m));
        count++;
    }
    json_put(o, "commit_id", json_str(p->head));
    json_put(o, "event", json_string("COMMENT"));
    json_put(o, "body", json_str(text));
    json_put(o, "comments", comments);
    *r = (Reply){0};
    Answer answer = count ? http_call(&p->http, "POST", pull_url(p, "/reviews"), o, r) : ANSWER_OK;
    json_decref(o);
    for (u32 i = 0; i < n && answer == ANSWER_OK; i++)
        if (!p->remarks.v[v[i]].refused) p->remarks.v[v[i]].posted = true;
    return answer;
}

/* Does a patch, as GitHub shows it, hold all of the lines of the new file in one hunk? "@@ -4,7 +4,9 @@"; of one line
 * no count is given, "@@ -1 +1 @@". */
static bool patch_holds(Str patch, u32 first, u32 last)
{
    for (Str line; str_line(&patch, &line);) {
        if (!str_starts(line, S("@@ -"))) continue;
        char head[80] = {0};
        memcpy(head, line.p, MIN(line.n, sizeof head - 1));
        const char *now = strchr(head, '+');
        unsigned start = 0, count = 1;
        if (now && sscanf(now, "+%u,%u", &start, &count) >= 1 && first >= start && last < start + count) return true;
    }
    return false;
}

typedef struct Files {
    Poster *p;
    const u32 *v;
    u32 n;
    bool *found; /* by remark of v: its file was listed */
} Files;

static bool files_take(void *ctx, const json_t *page)
{
    Files *f = ctx;
    size_t i;
    const json_t *file;
    json_array_foreach(page, i, file)
    {
        const char *name = json_string_value(json_object_get(file, "filename"));
        const char *patch = json_string_value(json_object_get(file, "patch"));
        for (u32 k = 0; k < f->n; k++) {
            Remark *m = &f->p->remarks.v[f->v[k]];
            if (!name || !str_is(m->anchor.path, name)) continue;
            f->found[k] = true;
            if (patch && !patch_holds(str_from(patch), m->anchor.first, m->anchor.last)) m->refused = true;
        }
    }
    return true;
}

/* Marks what GitHub's own diff does not show. Returns how many. */
static bool lines_check(Poster *p, const u32 *v, u32 n, u32 *refused)
{
    Files f = {p, v, n, arena_new(p->a, bool, n + 1)};
    if (!http_pages(&p->http, pull_url(p, "/files?per_page=100"), "read the pull request's diff", files_take, &f))
        return false;
    *refused = 0;
    for (u32 i = 0; i < n; i++) {
        if (!f.found[i]) p->remarks.v[v[i]].refused = true;
        *refused += p->remarks.v[v[i]].refused;
    }
    return true;
}

static Answer one_by_one(Poster *p, const u32 *v, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        Reply r;
        Remark *m = &p->remarks.v[v[i]];
        if (m->refused) continue;
        json_t *o = comment_json(p, m);
        json_put(o, "commit_id", json_str(p->head));
        Answer answer = http_call(&p->http, "POST", pull_url(p, "/comments"), o, &r);
        json_decref(o);
        m->posted = answer == ANSWER_OK;
        m->refused = answer == ANSWER_REFUSED && r.status == 422;
        if (answer == ANSWER_REFUSED && !m->refused)
            answer = (reply_fail(&p->http, &r, "post a comment"), ANSWER_FAILED);
        reply_free(&r);
        if (answer == ANSWER_FAILED || answer == ANSWER_UNSURE) return answer;
    }
    return ANSWER_OK;
}

static Answer github_post(Poster *p, const u32 *v, u32 n, Str text)
{
    Reply r;
    u32 refused = 0;
    Answer answer = review_post(p, v, n, text, &r);
    if (answer == ANSWER_REFUSED && r.status == 422) {
        reply_free(&r);
        if (!lines_check(p, v, n, &refused)) return ANSWER_FAILED;
        answer = refused ? review_post(p, v, n, text, &r) : ANSWER_REFUSED;
        if (answer == ANSWER_REFUSED && (!refused || r.status == 422)) return reply_free(&r), one_by_one(p, v, n);
    }
    if (answer == ANSWER_REFUSED) reply_fail(&p->http, &r, "post the review");
    reply_free(&r);
    return answer == ANSWER_REFUSED ? ANSWER_FAILED : answer;
}

/* ---- changes ------------------------------------------------------------------------------------------- */

/* Comments are edited by their node ids: the numbers of REST have outgrown GraphQL's integers. */
static Answer body_edit(Poster *p, const char *query, Str id, Str body)
{
    Reply r;
    Str why;
    Answer answer =
        graph_query(p, query, json_pack("{s:o, s:o}", "id", json_str(id), "body", json_str(body)), &r, &why);
    if (answer == ANSWER_REFUSED && why.n) err_set(p->e, "cannot edit a comment: %.*s", STR_ARG(why));
    if (answer == ANSWER_REFUSED) reply_fail(&p->http, &r, "edit a comment");
    reply_free(&r);
    return answer == ANSWER_REFUSED ? ANSWER_FAILED : answer;
}

static bool github_edit(Poster *p, const Thread *t, Str body)
{
    static const char query[] = "mutation($id:ID!,$body:String!){updatePullRequestReviewComment(input:{"
                                "pullRequestReviewCommentId:$id,body:$body}){pullRequestReviewComment{id}}}";
    return body_edit(p, query, t->comment, body) == ANSWER_OK;
}

static Answer github_resolve(Poster *p, const Thread *t, bool on)
{
    Reply r;
    Str why;
    const char *query = on ? "mutation($id:ID!){resolveReviewThread(input:{threadId:$id}){thread{isResolved}}}"
                           : "mutation($id:ID!){unresolveReviewThread(input:{threadId:$id}){thread{isResolved}}}";
    Answer answer = graph_query(p, query, json_pack("{s:o}", "id", json_str(t->id)), &r, &why);
    reply_free(&r);
    return answer;
}

static Answer github_note(Poster *p, Str body)
{
    static const char query[] =
        "mutation($id:ID!,$body:String!){updateIssueComment(input:{id:$id,body:$body}){issueComment{id}}}";
    if (p->note.comment.n) return body_edit(p, query, p->note.comment, body);
    Reply r;
    Str url = str_fmt(p->a, "%.*s/issues/%.*s/comments", STR_ARG(p->url), STR_ARG(p->o->post.pull_request));
    json_t *o = json_pack("{s:o}", "body", json_str(body));
    Answer answer = http_call(&p->http, "POST", url, o, &r);
    json_decref(o);
    if (answer == ANSWER_REFUSED) reply_fail(&p->http, &r, "write the summary");
    reply_free(&r);
    return answer == ANSWER_REFUSED ? ANSWER_FAILED : answer;
}

const Forge service_github = {.name = "github",
                              .suggest = SUGGEST_LINES,
                              .body_max = 64000,
                              .auth_name = "Authorization",
                              .auth_prefix = "Bearer ",
                              .accept = "application/vnd.github+json",
                              .version = "X-GitHub-Api-Version: 2022-11-28",
                              .tokens = {"GITHUB_TOKEN", "GH_TOKEN"},
                              .look = github_look,
                              .post = github_post,
                              .edit = github_edit,
                              .resolve = github_resolve,
                              .note = github_note};
