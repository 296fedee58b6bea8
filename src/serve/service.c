/* What the services are called, where they are, and which headers and refs they use: one row each. The rows' facts
 * are from each service's documentation of webhooks and of its API; Forgejo sends Gitea's headers beside its own. */
#include "serve/serve.h"

const ServiceKind service_kinds[SERVICE_COUNT] = {
    [SERVICE_GITHUB] = {"github", "https://github.com", "https://api.github.com", "/api/v3", "github-token",
                        "GITHUB_TOKEN", "x-access-token", "refs/pull/%u/head", "X-Hub-Signature-256",
                        "X-GitHub-Event", "X-GitHub-Delivery"},
    [SERVICE_GITLAB] = {"gitlab", "https://gitlab.com", "https://gitlab.com/api/v4", "/api/v4", "gitlab-token",
                        "GITLAB_TOKEN", "oauth2", "refs/merge-requests/%u/head", "X-Gitlab-Token", "X-Gitlab-Event",
                        "X-Gitlab-Event-UUID"},
    [SERVICE_GITEA] = {"gitea", NULL, NULL, "/api/v1", "gitea-token", "GITEA_TOKEN", "ungil", "refs/pull/%u/head",
                       "X-Gitea-Signature", "X-Gitea-Event", "X-Gitea-Delivery"},
};

/* http:// would send the token for everybody to read; on the machine itself it is all right. */
static bool url_check(Str url, Err *e)
{
    Str host = str_slice(url, strlen("https://"), url.n);
    if (!url_is_loopback(url) && (!str_starts(url, S("https://")) || !host.n))
        return err_set(e, "--services: '%.*s' is no https:// address (http:// is for this machine only)",
                       STR_ARG(url));
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || strchr("?#@\\\"'\x7f", url.p[i]))
            return err_set(e, "--services: '%.*s' must be an address without user, query and blanks", STR_ARG(url));
    return true;
}

bool sites_parse(Arena *a, const StrVec *words, Site *sites, Err *e)
{
    static const Str usual[] = {S("github"), S("gitlab")};
    const Str *v = words->n ? words->v : usual;
    u32 n = words->n ? words->n : COUNT_OF(usual);
    for (u32 i = 0; i < n; i++) {
        Str url, name = str_cut(v[i], '=', &url);
        u32 s = 0;
        while (s < SERVICE_COUNT && !str_is(name, service_kinds[s].name)) s++;
        if (s == SERVICE_COUNT)
            return err_set(e, "--services: there is no service '%.*s'; it is one of github, gitlab, gitea",
                           STR_ARG(name));
        const ServiceKind *kind = &service_kinds[s];
        if (sites[s].web) return err_set(e, "--services: %s is there twice", kind->name);
        if (!url.n) {
            if (!kind->web)
                return err_set(e, "--services: %s has no public instance; give its address, %s=https://...",
                               kind->name, kind->name);
            sites[s] = (Site){kind->web, kind->api};
            continue;
        }
        while (str_ends(url, S("/"))) url.n--;
        if (!url_check(url, e)) return false;
        sites[s].web = str_c(a, url);
        sites[s].api = str_fmt(a, "%.*s%s", STR_ARG(url), kind->api_path).p;
        if (kind->web && str_is(url, kind->web)) sites[s].api = kind->api;
    }
    return true;
}
