/* Payloads: what a delivery says about a pull request. From the bytes of a signed body to a Hook, or to the reason
 * why the delivery is none of our business or not what the service sends.
 *
 * Little is taken from a payload: the repository's full name, the number, the head commit and the base branch, each
 * checked to the letter, because the first three become paths, addresses and arguments. Addresses are never taken
 * from it.
 *
 * Reviewed are pull requests that are opened, pushed to, reopened, made ready, or aimed at another branch. Drafts are
 * not. */
#include "serve/serve.h"

#include <jansson.h>

/* ---- what the strings may be --------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
}

/* "owner/name", in GitLab with groups between. */
static bool repository_valid(Str s)
{
    u32 parts = 0;
    if (s.n >= REPOSITORY_MAX) return false;
    for (bool more = true; more; parts++) {
        more = str_find(s, '/') < s.n;
        Str part = str_cut(s, '/', &s);
        if (!part.n || str_is(part, ".") || str_is(part, "..")) return false;
        for (size_t i = 0; i < part.n; i++)
            if (!is_word(part.p[i])) return false;
    }
    return parts > 1;
}

static bool oid_valid(Str s)
{
    return str_is_hex(s, 40) || str_is_hex(s, 64);
}

/* The rules of git-check-ref-format for what stands behind refs/heads/. */
static bool branch_valid(Str s)
{
    if (!s.n || s.n > REF_MAX - 16 || str_contains(s, S("..")) || str_contains(s, S("@{")) || str_ends(s, S(".")))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((u8)s.p[i] <= ' ' || strchr("~^:?*[\\\x7f", s.p[i])) return false;
    for (bool more = true; more;) {
        more = str_find(s, '/') < s.n;
        Str part = str_cut(s, '/', &s);
        if (!part.n || part.p[0] == '.' || str_ends(part, S(".lock"))) return false;
    }
    return true;
}

/* ---- reading JSON -------------------------------------------------------------------------------------- */

/* The member under a dotted path of keys, or NULL. */
static const json_t *member(const json_t *j, const char *path)
{
    Str key, rest = str_from(path);
    while (j && rest.n) {
        char name[64];
        key = str_cut(rest, '.', &rest);
        CHECK(key.n < sizeof name);
        memcpy(name, key.p, key.n);
        name[key.n] = 0;
        j = json_object_get(j, name);
    }
    return j;
}

static Str text_at(const json_t *j, const char *path)
{
    const json_t *m = member(j, path);
    return (Str){json_string_value(m), json_string_length(m)};
}

typedef struct Shape { /* where a service has what */
    const char *action, *repository, *number, *head, *base, *draft, *draft_old;
} Shape;
static const Shape shapes[SERVICE_COUNT] = {
    [SERVICE_GITHUB] = {"action", "repository.full_name", "number", "pull_request.head.sha", "pull_request.base.ref",
                        "pull_request.draft", NULL},
    [SERVICE_GITLAB] = {"object_attributes.action", "project.path_with_namespace", "object_attributes.iid",
                        "object_attributes.last_commit.id", "object_attributes.target_branch",
                        "object_attributes.draft", "object_attributes.work_in_progress"},
    [SERVICE_GITEA] = {"action", "repository.full_name", "number", "pull_request.head.sha", "pull_request.base.ref",
                       "pull_request.draft", NULL},
};

typedef struct Action {
    u8 service;
    const char *name;
    HookKind kind;
    const char *only; /* reviewed only when one of these members is there, separated by blanks */
} Action;
static const Action actions[] = {
    {SERVICE_GITHUB, "opened", HOOK_REVIEW, NULL},
    {SERVICE_GITHUB, "synchronize", HOOK_REVIEW, NULL},
    {SERVICE_GITHUB, "reopened", HOOK_REVIEW, NULL},
    {SERVICE_GITHUB, "ready_for_review", HOOK_REVIEW, NULL},
    {SERVICE_GITHUB, "edited", HOOK_REVIEW, "changes.base"},
    {SERVICE_GITHUB, "closed", HOOK_CLOSE, NULL},
    {SERVICE_GITLAB, "open", HOOK_REVIEW, NULL},
    {SERVICE_GITLAB, "reopen", HOOK_REVIEW, NULL},
    {SERVICE_GITLAB, "update", HOOK_REVIEW,
     "object_attributes.oldrev changes.draft changes.work_in_progress changes.target_branch"},
    {SERVICE_GITLAB, "close", HOOK_CLOSE, NULL},
    {SERVICE_GITLAB, "merge", HOOK_CLOSE, NULL},
    {SERVICE_GITEA, "opened", HOOK_REVIEW, NULL},
    {SERVICE_GITEA, "synchronized", HOOK_REVIEW, NULL},
    {SERVICE_GITEA, "reopened", HOOK_REVIEW, NULL},
    {SERVICE_GITEA, "edited", HOOK_REVIEW, "changes.ref"},
    {SERVICE_GITEA, "closed", HOOK_CLOSE, NULL},
};

static const Action *action_find(Service s, Str name)
{
    for (u32 i = 0; i < COUNT_OF(actions); i++)
        if (actions[i].service == s && str_is(name, actions[i].name)) return &actions[i];
    return NULL;
}

static bool action_applies(const Action *a, const json_t *j)
{
    char path[64];
    Str only = str_from(a->only ? a->only : "");
    if (!only.n) return true;
    while (only.n) {
        Str one = str_cut(only, ' ', &only);
        CHECK(one.n < sizeof path);
        memcpy(path, one.p, one.n);
        path[one.n] = 0;
        const json_t *m = member(j, path);
        if (m && !json_is_null(m)) return true;
    }
    return false;
}

static bool event_is_pull_request(Service s, Str event)
{
    if (s == SERVICE_GITLAB) return str_is(event, "Merge Request Hook");
    return str_is(event, "pull_request") || (s == SERVICE_GITEA && str_is(event, "pull_request_sync"));
}

static bool ignore(Hook *out, const char *why)
{
    out->kind = HOOK_IGNORE;
    out->why = why;
    return true;
}

static bool hook_read(Arena *a, Service s, const json_t *j, Hook *out, Err *e)
{
    const Shape *shape = &shapes[s];
    Str name = text_at(j, shape->action);
    const Action *action = action_find(s, name);
    if (!name.p) return err_set(e, "%s is missing", shape->action);
    if (!action || !action_applies(action, j)) return ignore(out, "nothing about it changes what a review finds");

    const json_t *number = member(j, shape->number);
    i64 n = json_is_integer(number) ? json_integer_value(number) : 0;
    Str repository = text_at(j, shape->repository), head = text_at(j, shape->head), base = text_at(j, shape->base);
    if (n < 1 || n > INT32_MAX) return err_set(e, "%s is no number of a pull request", shape->number);
    if (!repository_valid(repository)) return err_set(e, "%s is no full name of a repository", shape->repository);
    if (!oid_valid(head)) return err_set(e, "%s is no commit", shape->head);
    if (!branch_valid(base)) return err_set(e, "%s is no branch", shape->base);
    bool draft =
        json_is_true(member(j, shape->draft)) || (shape->draft_old && json_is_true(member(j, shape->draft_old)));
    *out = (Hook){action->kind, NULL, str_dup(a, repository), (u32)n, str_dup(a, head), str_dup(a, base)};
    return draft && out->kind == HOOK_REVIEW ? ignore(out, "it is a draft") : true;
}

bool hook_parse(Arena *a, Service s, Str event, Str body, Hook *out, Err *e)
{
    json_error_t why;
    *out = (Hook){0};
    json_t *j = json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, &why);
    if (!j) return err_set(e, "the body is no JSON: line %d: %s", why.line, why.text);
    bool ok = json_is_object(j) ? true : err_set(e, "the body is no JSON object");
    if (ok && !event_is_pull_request(s, event))
        ignore(out, "it is not about a pull request");
    else if (ok)
        ok = hook_read(a, s, j, out, e);
    json_decref(j);
    return ok;
}
