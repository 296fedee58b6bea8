/* Brings two refs of a remote repository into a bare one of ours, by libgit2, for the bot (src/serve). From an
 * address, names of refs and credentials to the commits that they stand for.
 *
 * Nothing of the remote repository runs: there is no checkout, so neither filters nor attributes play a part; libgit2
 * runs no hooks when it fetches; no configuration but the one that libgit2 writes into the bare repository is read,
 * so that nobody's url.insteadOf or proxy setting decides where the token goes. The token is given only to the
 * address that it is meant for. Redirections to other hosts are not followed: not every libgit2 says which host it
 * wants the token for.
 *
 * The refs are asked for by name and nothing else is fetched, tags included. What has been fetched before is kept
 * alive by refs of our own below refs/ungil/. libgit2 1.5 cannot make shallow clones and has no time limits for a
 * silent server: the caller runs this in a process that it may kill, and fetch_sweep removes what a killed one left.
 */
#include "read/read.h"

#include <dirent.h>
#include <git2.h>
#include <unistd.h>

typedef struct Transfer {
    const FetchOrder *order;
    bool too_large, asked, strange_host;
} Transfer;

/* ---- what libgit2 calls back --------------------------------------------------------------------------- */

static int credentials_give(git_credential **out, const char *url, const char *user, unsigned int types, void *ctx)
{
    Transfer *t = ctx;
    (void)user;
    if (!t->order->token || !(types & GIT_CREDENTIAL_USERPASS_PLAINTEXT)) return GIT_PASSTHROUGH;
    if (t->asked) return GIT_EAUTH; /* refused once, refused for ever: libgit2 would ask again and again */
    t->asked = true;
    if (!str_starts(str_from(url), str_from(t->order->origin))) {
        t->strange_host = true;
        return GIT_EAUTH;
    }
    return git_credential_userpass_plaintext_new(out, t->order->user, t->order->token);
}

static int progress(const git_indexer_progress *p, void *ctx)
{
    Transfer *t = ctx;
    t->too_large = t->order->max_bytes && p->received_bytes > t->order->max_bytes;
    return t->too_large ? GIT_EUSER : 0;
}

/* ---- the steps ----------------------------------------------------------------------------------------- */

static FetchResult failure(const Transfer *t, int code, Err *e)
{
    const git_error *g = git_error_last();
    Str why = str_from(g && g->message ? g->message : "unknown reason");
    const FetchOrder *o = t->order;
    if (t->too_large) {
        err_set(e, "%s: more than %llu MiB; raise --repository-limit to review it", o->url,
                (unsigned long long)(o->max_bytes >> 20));
        return FETCH_REFUSED;
    }
    if (t->strange_host) {
        err_set(e, "%s redirects to another host, which is not given the token", o->url);
        return FETCH_REFUSED;
    }
    if (str_contains(why, S("redirect"))) {
        err_set(e, "%s redirects elsewhere, which is not followed; the service is to be named by its final address",
                o->url);
        return FETCH_REFUSED;
    }
    if (code == GIT_EAUTH || str_contains(why, S("status code: 401")) || str_contains(why, S("status code: 403"))) {
        err_set(e, "%s: access refused; %s", o->url,
                o->token ? "may the token read this repository?" : "there is no token for this service");
        return FETCH_REFUSED;
    }
    err_set(e, "%s: %.*s", o->url, STR_ARG(why));
    return str_contains(why, S("status code: 404")) ? FETCH_REFUSED : FETCH_RETRY;
}

static bool repository_ready(git_repository **repo, const char *dir, Err *e)
{
    git_repository_init_options init;
    git_repository_init_options_init(&init, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    if (git_repository_open_bare(repo, dir) == 0) return true;
    init.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
    if (git_repository_init_ext(repo, dir, &init) == 0) return true;
    const git_error *g = git_error_last();
    return err_set(e, "cannot use %s as a repository: %s", dir, g ? g->message : "unknown reason");
}

/* The commits that the wanted refs stand for, from what the remote advertises. */
static bool refs_find(git_remote *remote, const FetchOrder *o, git_oid *ids, Err *e)
{
    const git_remote_head **heads;
    size_t n;
    if (git_remote_ls(&heads, &n, remote) < 0) n = 0;
    for (u32 i = 0; i < FETCH_REFS; i++) {
        bool found = false;
        for (size_t k = 0; k < n && !found; k++) {
            found = strcmp(heads[k]->name, o->refs[i]) == 0;
            if (found) git_oid_cpy(&ids[i], &heads[k]->oid);
        }
        if (!found) return err_set(e, "%s has no ref %s", o->url, o->refs[i]);
    }
    return true;
}

static bool have(git_repository *repo, const git_oid *id)
{
    git_commit *c = NULL;
    bool yes = git_commit_lookup(&c, repo, id) == 0;
    git_commit_free(c);
    return yes;
}

static FetchResult refs_bring(git_repository *repo, git_remote *remote, Transfer *t, git_oid *ids, Err *e)
{
    const FetchOrder *o = t->order;
    git_fetch_options opts;
    git_fetch_options_init(&opts, GIT_FETCH_OPTIONS_VERSION);
    opts.callbacks.credentials = credentials_give;
    opts.callbacks.transfer_progress = progress;
    opts.callbacks.payload = t;
    opts.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    opts.update_fetchhead = 0;
    opts.proxy_opts.type = GIT_PROXY_AUTO;
    opts.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    git_remote_connect_options how;
    git_remote_connect_options_init(&how, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
    how.callbacks = opts.callbacks;
    how.proxy_opts = opts.proxy_opts;
    how.follow_redirects = opts.follow_redirects;
    int code = git_remote_connect_ext(remote, GIT_DIRECTION_FETCH, &how);
    if (code < 0) return failure(t, code, e);
    if (!refs_find(remote, o, ids, e)) return FETCH_REFUSED;

    char *names[FETCH_REFS];
    for (u32 i = 0; i < FETCH_REFS; i++) names[i] = (char *)(uintptr_t)o->refs[i];
    if (!have(repo, &ids[0]) || !have(repo, &ids[1])) {
        code = git_remote_download(remote, &(git_strarray){names, FETCH_REFS}, &opts);
        if (code < 0) return failure(t, code, e);
    }
    for (u32 i = 0; i < FETCH_REFS; i++) {
        git_reference *kept = NULL;
        char name[512];
        snprintf(name, sizeof name, "refs/ungil/%s", o->refs[i] + strlen("refs/"));
        code = git_reference_create(&kept, repo, name, &ids[i], 1, NULL);
        git_reference_free(kept);
        if (code < 0) return failure(t, code, e);
    }
    return FETCH_OK;
}

FetchResult repo_fetch(Arena *a, const FetchOrder *o, FetchedRefs *out, Err *e)
{
    static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                 GIT_CONFIG_LEVEL_GLOBAL};
    git_repository *repo = NULL;
    git_remote *remote = NULL;
    git_oid ids[FETCH_REFS];
    Transfer t = {.order = o};
    FetchResult result = FETCH_REFUSED;
    git_libgit2_init();
    for (u32 i = 0; i < COUNT_OF(levels); i++) git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
    if (!repository_ready(&repo, o->dir, e)) goto end;
    if (git_remote_create_anonymous(&remote, repo, o->url) < 0)
        result = failure(&t, 0, e);
    else
        result = refs_bring(repo, remote, &t, ids, e);
    if (result != FETCH_OK) goto end;
    for (u32 i = 0; i < FETCH_REFS; i++) {
        char hex[GIT_OID_HEXSZ + 1];
        out->ids[i] = str_dup(a, str_from(git_oid_tostr(hex, sizeof hex, &ids[i])));
    }
    git_oid wanted;
    out->has_expected = !o->expect || (git_oid_fromstr(&wanted, o->expect) == 0 && have(repo, &wanted));
end:
    git_remote_free(remote);
    git_repository_free(repo);
    git_libgit2_shutdown();
    return result;
}

/* Removes files in a directory whose name contains a word; below it, too, when deep. */
static void sweep(const char *dir, const char *word, bool deep)
{
    DIR *d = opendir(dir);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char path[4096];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (strstr(entry->d_name, word)) unlinkat(dirfd(d), entry->d_name, 0);
        if (deep && entry->d_type == DT_DIR &&
            snprintf(path, sizeof path, "%s/%s", dir, entry->d_name) < (int)sizeof path)
            sweep(path, word, true);
    }
    if (d) closedir(d);
}

void fetch_sweep(const char *dir)
{
    char path[4096];
    sweep(dir, ".lock", false);
    snprintf(path, sizeof path, "%s/refs", dir);
    sweep(path, ".lock", true);
    snprintf(path, sizeof path, "%s/objects", dir);
    sweep(path, "_git2_", true);
}
