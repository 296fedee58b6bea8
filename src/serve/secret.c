/* Secrets: where they come from, and whether a delivery was sent by somebody who knows one.
 *
 * GitHub and Gitea sign the body with HMAC-SHA256; GitLab sends the secret itself, or signs as the Standard Webhooks
 * specification says (webhook-id "." webhook-timestamp "." body, the key in base64 after "whsec_"). Hashes and the
 * comparison are nettle's: the library is small, kept up with GnuTLS, and loaded with libmicrohttpd anyhow.
 *
 * A comparison never ends early: what is compared are digests of equal length, all secrets are tried whichever fits,
 * and memeql_sec looks at every byte. Secrets are read from files or the environment and are never printed. */
#include "serve/serve.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>

enum {
    STANDARD_WINDOW = 600, /* seconds that a signed timestamp may be off */
    STANDARD_MAX = 4,      /* signatures of one delivery that are looked at; there are two while a key is replaced */
    DIGITS_MAX = 12,       /* of a timestamp */
    SECRET_FILE_MAX = 1024,
    SECRET_MIN = 16 /* characters */
};

/* ---- where they come from ------------------------------------------------------------------------------ */

/* The directory that --secrets names, or systemd's; NULL without either. */
static const char *secrets_dir(Arena *a, const Options *o)
{
    const char *env = getenv("CREDENTIALS_DIRECTORY");
    if (o->serve.secrets.n) return str_c(a, o->serve.secrets);
    return env && *env ? env : NULL;
}

/* The text of a secret file, or of the variable when there is no such file. */
static bool secret_text(Arena *a, const Options *o, const char *file, const char *variable, Str *out, Err *e)
{
    const char *dir = secrets_dir(a, o), *env = getenv(variable);
    if (dir) {
        Err why = {0};
        const char *path = str_fmt(a, "%s/%s", dir, file).p;
        if (os_read_file(a, path, SECRET_FILE_MAX, out, &why)) return true;
        if (!env) return err_set(e, "%s", why.msg);
    }
    *out = str_from(env);
    return env ? true : err_set(e, "the variable %s is not set and there is no --secrets directory", variable);
}

bool secrets_load(const Options *o, Secrets *out, Err *e)
{
    Arena a = {0};
    Str text, line;
    Secrets fresh = {0};
    bool ok = secret_text(&a, o, "webhook-secret", "UNGIL_WEBHOOK_SECRET", &text, e);
    if (ok && text.n > sizeof fresh.text) ok = err_set(e, "the webhook secrets are too long");
    size_t at = 0;
    while (ok && str_line(&text, &line)) {
        line = str_trim(line);
        if (!line.n) continue;
        if (line.n < SECRET_MIN)
            ok = err_set(e, "a webhook secret must have %d characters at least; make one with: openssl rand -hex 32",
                         SECRET_MIN);
        if (fresh.n == SECRETS_MAX) ok = err_set(e, "there are more than %d webhook secrets", SECRETS_MAX);
        if (!ok) break;
        memcpy(fresh.text + at, line.p, line.n);
        fresh.v[fresh.n++] = (Str){fresh.text + at, line.n};
        at += line.n;
    }
    if (ok && !fresh.n) ok = err_set(e, "there is no webhook secret; without one anybody could start reviews");
    if (ok) *out = fresh;
    for (u32 i = 0; ok && i < out->n; i++) out->v[i].p = out->text + (fresh.v[i].p - fresh.text);
    arena_free(&a);
    return ok;
}

bool token_load(const Options *o, Service s, char *room, size_t size)
{
    Arena a = {0};
    Err ignored = {0};
    Str text;
    bool ok = secret_text(&a, o, service_kinds[s].token_file, service_kinds[s].token_variable, &text, &ignored);
    if (ok) text = str_trim(text);
    ok = ok && text.n && text.n < size && str_find(text, '\n') == text.n;
    if (ok) memcpy(room, text.p, text.n);
    room[ok ? text.n : 0] = 0;
    arena_free(&a);
    return ok;
}

/* ---- digests ------------------------------------------------------------------------------------------- */

typedef struct Sum {
    u8 b[SHA256_DIGEST_SIZE];
} Sum;

static void hmac_begin(struct hmac_sha256_ctx *ctx, Str key)
{
    hmac_sha256_set_key(ctx, key.n, (const u8 *)key.p);
}

static Sum sum_of(Str text)
{
    struct sha256_ctx ctx;
    Sum sum;
    sha256_init(&ctx);
    sha256_update(&ctx, text.n, (const u8 *)text.p);
    sha256_digest(&ctx, sizeof sum.b, sum.b);
    return sum;
}

void digest_make(u8 out[DIGEST], const char *word, Str text)
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, strlen(word) + 1, (const u8 *)word); /* with its NUL: no two pairs are the same text */
    sha256_update(&ctx, text.n, (const u8 *)text.p);
    sha256_digest(&ctx, DIGEST, out);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool sum_from_hex(Str hex, Sum *out)
{
    if (hex.n != 2 * sizeof out->b) return false;
    for (size_t i = 0; i < sizeof out->b; i++) {
        int hi = hex_digit(hex.p[2 * i]), lo = hex_digit(hex.p[2 * i + 1]);
        if (hi < 0 || lo < 0) return false;
        out->b[i] = (u8)(hi << 4 | lo);
    }
    return true;
}

/* Decodes base64 into room; false when it is none, or too long. */
static bool base64_read(Str text, u8 *room, size_t size, size_t *n)
{
    struct base64_decode_ctx ctx;
    base64_decode_init(&ctx);
    if (BASE64_DECODE_LENGTH(text.n) > size) return false;
    *n = size;
    return base64_decode_update(&ctx, n, room, text.n, text.p) && base64_decode_final(&ctx);
}

/* ---- proofs -------------------------------------------------------------------------------------------- */

/* Is the HMAC of the body, in hexadecimal digits, one by a secret of ours? */
static bool body_signed(const Secrets *secrets, Str hex, Str body)
{
    Sum given, ours;
    int good = 0;
    if (!sum_from_hex(hex, &given)) return false;
    for (u32 i = 0; i < secrets->n; i++) {
        struct hmac_sha256_ctx ctx;
        hmac_begin(&ctx, secrets->v[i]);
        hmac_sha256_update(&ctx, body.n, (const u8 *)body.p);
        hmac_sha256_digest(&ctx, sizeof ours.b, ours.b);
        good |= memeql_sec(given.b, ours.b, sizeof ours.b);
    }
    return good;
}

static const Str standard_prefix = {"whsec_", 6};

/* Is the token a secret of ours itself? Keys that sign are none. */
static bool token_known(const Secrets *secrets, Str token)
{
    Sum given = sum_of(token), ours;
    int good = 0;
    for (u32 i = 0; i < secrets->n; i++) {
        ours = sum_of(secrets->v[i]);
        good |= memeql_sec(given.b, ours.b, sizeof ours.b) & !str_starts(secrets->v[i], standard_prefix);
    }
    return good;
}

static bool at_valid(Str at, i64 now)
{
    i64 t = 0;
    if (!at.n || at.n > DIGITS_MAX) return false;
    for (size_t i = 0; i < at.n; i++) {
        if (at.p[i] < '0' || at.p[i] > '9') return false;
        t = t * 10 + (at.p[i] - '0');
    }
    return t > now - STANDARD_WINDOW && t < now + STANDARD_WINDOW;
}

/* One of the space-separated "v1,BASE64" of a webhook-signature. */
static bool standard_one(const Secrets *secrets, const Proof *p, Str one, Str body)
{
    Sum ours;
    u8 given[SHA256_DIGEST_SIZE + 8], key[256];
    size_t n, nkey;
    int good = 0;
    if (!str_starts(one, S("v1,")) || !base64_read(str_slice(one, 3, one.n), given, sizeof given, &n) ||
        n != sizeof ours.b)
        return false;
    for (u32 i = 0; i < secrets->n; i++) {
        struct hmac_sha256_ctx ctx;
        Str secret = secrets->v[i];
        if (!str_starts(secret, standard_prefix)) continue;
        if (!base64_read(str_slice(secret, standard_prefix.n, secret.n), key, sizeof key, &nkey)) continue;
        hmac_begin(&ctx, (Str){(char *)key, nkey});
        hmac_sha256_update(&ctx, p->standard_id.n, (const u8 *)p->standard_id.p);
        hmac_sha256_update(&ctx, 1, (const u8 *)".");
        hmac_sha256_update(&ctx, p->standard_at.n, (const u8 *)p->standard_at.p);
        hmac_sha256_update(&ctx, 1, (const u8 *)".");
        hmac_sha256_update(&ctx, body.n, (const u8 *)body.p);
        hmac_sha256_digest(&ctx, sizeof ours.b, ours.b);
        good |= memeql_sec(given, ours.b, sizeof ours.b);
    }
    return good;
}

static bool standard_signed(const Secrets *secrets, const Proof *p, Str body, i64 now)
{
    bool good = false;
    Str rest = p->standard;
    for (u32 i = 0; i < STANDARD_MAX && rest.n; i++)
        good |= standard_one(secrets, p, str_cut(rest, ' ', &rest), body);
    return good && at_valid(p->standard_at, now);
}

bool proof_valid(Service s, const Secrets *secrets, const Proof *p, Str body, i64 now)
{
    Str prefix = S("sha256=");
    switch (s) {
    case SERVICE_GITHUB:
        return str_starts(p->signature, prefix) &&
               body_signed(secrets, str_slice(p->signature, prefix.n, p->signature.n), body);
    case SERVICE_GITLAB:
        return (p->standard.n && standard_signed(secrets, p, body, now)) ||
               (p->signature.n && token_known(secrets, p->signature));
    case SERVICE_GITEA: return body_signed(secrets, p->signature, body);
    default: return false;
    }
}
