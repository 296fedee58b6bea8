/* serve/: what the command-line tests cannot reach. Signatures against published vectors, the parser of payloads on
 * damaged ones, and the ring of deliveries when it is full. */
#include "unit.h"

#include "serve/serve.h"

#include <ctype.h>

static Secrets secrets_of(Str text)
{
    Secrets s = {.n = 1};
    memcpy(s.text, text.p, text.n);
    s.v[0] = (Str){s.text, text.n};
    return s;
}

static bool valid(Service s, Str secret, Str signature, Str body)
{
    Secrets secrets = secrets_of(secret);
    secrets.v[0].p = secrets.text;
    return proof_valid(s, &secrets, &(Proof){.signature = signature}, body, 0);
}

/* RFC 4231, test cases 2 and 7; and the example of GitHub's documentation on validating deliveries. */
static void test_signatures(void **state)
{
    (void)state;
    assert_true(valid(SERVICE_GITEA, S("Jefe"), S("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
                      S("what do ya want for nothing?")));
    assert_false(valid(SERVICE_GITEA, S("Jefe"),
                       S("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3844"),
                       S("what do ya want for nothing?")));
    char key[131];
    memset(key, 0xaa, sizeof key);
    assert_true(valid(
        SERVICE_GITEA, (Str){key, sizeof key}, S("9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        S("This is a test using a larger than block-size key and a larger than block-size data. The key "
          "needs to be hashed before being used by the HMAC algorithm.")));
    assert_true(valid(SERVICE_GITHUB, S("It's a Secret to Everybody"),
                      S("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"),
                      S("Hello, World!")));
    assert_false(valid(SERVICE_GITHUB, S("It's a Secret to Everybody"),
                       S("757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"), S("Hello, World!")));
    assert_true(valid(SERVICE_GITLAB, S("token"), S("token"), S("")));
    assert_false(valid(SERVICE_GITLAB, S("token"), S("token "), S("")));
    assert_false(valid(SERVICE_GITLAB, S("token"), S(""), S("")));
}

static const char *const payloads[SERVICE_COUNT] = {
    [SERVICE_GITHUB] = "{\"action\": \"opened\", \"number\": 12, \"pull_request\": {\"head\": {\"sha\": "
                       "\"0123456789abcdef0123456789abcdef01234567\"}, \"base\": {\"ref\": \"release/1.x\"}, "
                       "\"draft\": false}, \"repository\": {\"full_name\": \"acme/shop\"}}",
    [SERVICE_GITLAB] =
        "{\"object_kind\": \"merge_request\", \"project\": {\"path_with_namespace\": \"acme/tools/shop\"}, "
        "\"object_attributes\": {\"iid\": 12, \"action\": \"update\", \"oldrev\": \"00\", "
        "\"target_branch\": \"release/1.x\", \"last_commit\": {\"id\": "
        "\"0123456789abcdef0123456789abcdef01234567\"}}}",
    [SERVICE_GITEA] = "{\"action\": \"synchronized\", \"number\": 12, \"pull_request\": {\"head\": {\"sha\": "
                      "\"0123456789abcdef0123456789abcdef01234567\"}, \"base\": {\"ref\": \"release/1.x\"}}, "
                      "\"repository\": {\"full_name\": \"acme/shop\"}, \"changes\": {\"ref\": {\"from\": \"x\"}}}",
};
static const char *const events[SERVICE_COUNT] = {"pull_request", "Merge Request Hook", "pull_request"};

static void test_payloads(void **state)
{
    (void)state;
    for (u32 s = 0; s < SERVICE_COUNT; s++) {
        Arena a = {0};
        Hook h;
        Err e = {0};
        assert_true(hook_parse(&a, (Service)s, str_from(events[s]), str_from(payloads[s]), &h, &e));
        assert_int_equal(h.kind, HOOK_REVIEW);
        assert_int_equal(h.number, 12);
        assert_str(h.head, "0123456789abcdef0123456789abcdef01234567");
        assert_str(h.base, "release/1.x");
        assert_str(h.repository, s == SERVICE_GITLAB ? "acme/tools/shop" : "acme/shop");
        assert_true(hook_parse(&a, (Service)s, S("push"), str_from(payloads[s]), &h, &e));
        assert_int_equal(h.kind, HOOK_IGNORE);
        arena_free(&a);
    }
}

/* What a damaged payload may lead to: an error with a reason, or a hook whose parts are what they have to be. */
static void hook_check(Service s, Str body)
{
    Arena a = {0};
    Hook h;
    Err e = {0};
    if (!hook_parse(&a, s, str_from(events[s]), body, &h, &e)) {
        assert_true(e.set);
    } else if (h.kind == HOOK_IGNORE) {
        assert_non_null(h.why);
    } else {
        assert_in_range(h.number, 1, INT32_MAX);
        assert_true(h.head.n == 40 || h.head.n == 64);
        assert_true(h.repository.n && h.repository.n < REPOSITORY_MAX &&
                    str_find(h.repository, '/') < h.repository.n);
        assert_true(h.base.n && h.base.n < REF_MAX && !str_contains(h.base, S("..")));
        for (size_t i = 0; i < h.repository.n; i++)
            assert_true(isalnum((u8)h.repository.p[i]) || memchr("/.-_", h.repository.p[i], 4) != NULL);
        for (size_t i = 0; i < h.base.n; i++) assert_true((u8)h.base.p[i] > ' ');
    }
    arena_free(&a);
}

static u32 random_next(u64 *seed, u32 below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (u32)(*seed >> 33) % below;
}

static void test_damaged_payloads(void **state)
{
    static const char *const pieces[] = {
        "null",         "-1",          "1e999",       "{}",         "[]",    "\"\"",
        "\"..\"",       "\"\\u0000\"", "\"\\ud800\"", "true",       "\"-\"", "99999999999999999999",
        "\"a/b/../c\"", "\"a/b\"",     "\"@{\"",      "\"x.lock\"", "\xff",  "{\"sha\": 1}"};
    (void)state;
    u64 seed = 20260101;
    for (u32 round = 0; round < 30000; round++) {
        Service s = (Service)(round % SERVICE_COUNT);
        char text[2048];
        size_t n = strlen(payloads[s]);
        memcpy(text, payloads[s], n);
        for (u32 k = 0; k <= random_next(&seed, 3); k++) {
            u32 at = random_next(&seed, (u32)n), how = random_next(&seed, 4);
            if (how == 0) {
                text[at] = (char)random_next(&seed, 256);
            } else if (how == 1) {
                n = at + 1;
            } else if (how == 2) { /* some bytes go */
                u32 some = random_next(&seed, 12), gone = MIN((u32)n - at, some);
                memmove(text + at, text + at + gone, n - at - gone);
                n = MAX(n - gone, 1u);
            } else { /* one value in place of another */
                char *colon = memchr(text + at, ':', n - at);
                const char *piece = pieces[random_next(&seed, COUNT_OF(pieces))];
                size_t from = colon ? (size_t)(colon - text) + 2 : n, to = from, len = strlen(piece);
                while (to < n && text[to] != ',' && text[to] != '}') to++;
                if (from >= n || n - (to - from) + len > sizeof text) continue;
                memmove(text + from + len, text + to, n - to);
                memcpy(text + from, piece, len);
                n = n - (to - from) + len;
            }
        }
        char *copy = malloc(n); /* so that the sanitizer sees its end */
        memcpy(copy, text, n);
        hook_check(s, (Str){copy, n});
        free(copy);
    }
}

static void mark(u8 id[DIGEST], u32 n)
{
    digest_make(id, "test", (Str){(char *)&n, sizeof n});
}

/* More deliveries than are kept: the oldest are forgotten, the others are not, also after a restart; the file does
 * not grow for ever. */
static void test_seen(void **state)
{
    (void)state;
    Arena a = {0};
    Err e = {0};
    Seen s;
    u8 id[DIGEST];
    char *dir = temp_dir(&a);
    u32 total = 3 * SEEN_MAX + 100;
    assert_true(seen_open(&a, &s, dir, &e));
    for (u32 i = 0; i < total; i++) {
        mark(id, i);
        assert_false(seen_has(&s, id));
        assert_true(seen_add(&s, id, &e));
        assert_true(seen_has(&s, id));
    }
    seen_flush(&s);
    for (u32 turn = 0; turn < 2; turn++) {
        for (u32 i = 0; i < total; i++) {
            mark(id, i);
            assert_int_equal(seen_has(&s, id), i >= total - SEEN_MAX);
        }
        close(s.file);
        struct stat st;
        assert_int_equal(stat(s.path, &st), 0);
        assert_true(st.st_size <= 2 * SEEN_MAX * (2 * DIGEST + 1));
        assert_true(seen_open(&a, &s, dir, &e));
    }
    close(s.file);
    temp_dir_remove(dir);
    arena_free(&a);
}

static void test_sites(void **state)
{
    (void)state;
    Arena a = {0};
    Err e = {0};
    Site sites[SERVICE_COUNT] = {0};
    StrVec words = {0};
    vec_push(&a, &words, S("gitea=https://git.example.org/code//"));
    vec_push(&a, &words, S("github"));
    vec_push(&a, &words, S("gitlab=https://gitlab.com/"));
    assert_true(sites_parse(&a, &words, sites, &e));
    assert_string_equal(sites[SERVICE_GITEA].web, "https://git.example.org/code");
    assert_string_equal(sites[SERVICE_GITEA].api, "https://git.example.org/code/api/v1");
    assert_string_equal(sites[SERVICE_GITHUB].api, "https://api.github.com");
    assert_string_equal(sites[SERVICE_GITLAB].api, "https://gitlab.com/api/v4");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_payloads), cmocka_unit_test(test_damaged_payloads),
        cmocka_unit_test(test_seen),       cmocka_unit_test(test_sites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
