/* What CI systems tell about the pull request in their environment: GitHub Actions by the file of the event,
 * GitLab CI by variables, Gitea and Forgejo as GitHub does.
 *
 * GITHUB_SHA is not the head of a pull request but a commit that merges it for the test run; the event's own head
 * is what comments must name, and it is reviewed by default. */
#include "emit/review.h"

enum { EVENT_MAX = 32 << 20 };

static Str env(const char *name)
{
    return str_from(getenv(name));
}

static void fill(Str *field, Str value)
{
    if (!field->n && value.n) *field = value;
}

/* A string below dotted keys; empty when there is none. */
static Str text_at(Arena *a, const json_t *o, const char *dotted)
{
    Str rest = str_from(dotted);
    while (o && rest.n) {
        Str key = str_cut(rest, '.', &rest);
        o = json_object_get(o, str_c(a, key));
    }
    if (json_is_string(o)) return str_dup(a, str_from(json_string_value(o)));
    if (json_is_integer(o)) return str_fmt(a, "%lld", (long long)json_integer_value(o));
    return (Str){0};
}

/* GITHUB_EVENT_PATH: the pull request that the run is about. */
static bool event_read(Arena *a, Options *o, Err *e)
{
    Str path = env("GITHUB_EVENT_PATH"), text;
    json_error_t why;
    if (!path.n) return true;
    if (!os_read_file(a, str_c(a, path), EVENT_MAX, &text, e)) return false;
    json_t *event = json_loadb(text.p, text.n, 0, &why);
    if (!event) return err_set(e, "%.*s (GITHUB_EVENT_PATH) is no JSON: %s", STR_ARG(path), why.text);
    if (json_object_get(event, "pull_request")) {
        fill(&o->base_rev, text_at(a, event, "pull_request.base.sha"));
        fill(&o->head_rev, text_at(a, event, "pull_request.head.sha"));
        fill(&o->post.pull_request, text_at(a, event, "pull_request.number"));
    }
    /* A job that follows the one of the pull request: its event knows the branch, and the number only for branches
     * of the repository itself. */
    Str owner = text_at(a, event, "workflow_run.head_repository.owner.login");
    Str branch = text_at(a, event, "workflow_run.head_branch");
    if (owner.n && branch.n) o->post.head_label = str_fmt(a, "%.*s:%.*s", STR_ARG(owner), STR_ARG(branch));
    json_decref(event);
    return true;
}

static void gitlab_read(Options *o)
{
    fill(&o->base_rev, env("CI_MERGE_REQUEST_DIFF_BASE_SHA"));
    if (env("CI_MERGE_REQUEST_IID").n) fill(&o->head_rev, env("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"));
    if (env("CI_MERGE_REQUEST_IID").n) fill(&o->head_rev, env("CI_COMMIT_SHA"));
    if (o->post.service != POST_GITLAB) return;
    fill(&o->post.pull_request, env("CI_MERGE_REQUEST_IID"));
    fill(&o->post.repository, env("CI_PROJECT_ID"));
    fill(&o->post.api_url, env("CI_API_V4_URL"));
}

bool review_defaults(Arena *a, Options *o, Err *e)
{
    bool gitlab = o->post.service == POST_GITLAB || (!o->post.service && env("GITLAB_CI").n);
    if (gitlab)
        gitlab_read(o);
    else if (!event_read(a, o, e))
        return false;
    if (o->post.service == POST_GITHUB || o->post.service == POST_GITEA) {
        fill(&o->post.repository, env("GITHUB_REPOSITORY"));
        fill(&o->post.api_url, env("GITHUB_API_URL"));
    }
    if (o->post.service == POST_GITHUB) fill(&o->post.api_url, S("https://api.github.com"));
    if (o->post.service == POST_GITLAB) fill(&o->post.api_url, S("https://gitlab.com/api/v4"));
    while (o->post.api_url.n && o->post.api_url.p[o->post.api_url.n - 1] == '/') o->post.api_url.n--;
    return true;
}
