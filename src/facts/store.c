/* Facts are arrays of numbers and a table of strings, so storing them is copying them: a head with the sizes,
 * the scalars, the arrays one after the other (each from a multiple of 16), the strings. zstd makes it about as
 * small as the source and adds a checksum. The head names the text (length and hash) and the build:
 * facts_version changes with any source that has a say in facts, so an old entry is never taken for a new one.
 * */
#include "facts/store.h"

#include "facts_version.h"

#include <zstd.h>

enum { LEVEL = 1, ALIGN = 16 };

#define FACTS_VECTOR(name) +1
enum {
    VECTORS = 0
#include "facts/vectors.def"
};
#undef FACTS_VECTOR

typedef struct Head {
    char version[sizeof facts_version];
    u64 hash;
    u32 text, bytes; /* of the source; of all that follows the head, unpacked */
    u32 nsyms, nslots, nnotes;
    u32 n[VECTORS];
    u8 has_main_guard, runs_calls, python2;
} Head;

/* ---- out ---- */

static void bytes_put(Buf *b, const void *p, size_t n)
{
    static const char zeros[ALIGN];
    if (n) buf_bytes(b, (const char *)p, n);
    buf_bytes(b, zeros, -b->n & (ALIGN - 1));
}

static void number_put(Buf *b, u32 n)
{
    buf_bytes(b, (const char *)&n, sizeof n);
}

static void str_put(Buf *b, Str s)
{
    number_put(b, (u32)s.n);
    buf_str(b, s);
}

static void body_put(Buf *b, const Facts *f)
{
#define FACTS_VECTOR(name) bytes_put(b, f->name.v, f->name.n * sizeof *f->name.v);
#include "facts/vectors.def"
#undef FACTS_VECTOR
    bytes_put(b, f->syms.slots, f->syms.cap * sizeof *f->syms.slots);
    bytes_put(b, f->syms.hash, f->syms.n * sizeof *f->syms.hash);
    for (u32 i = 0; i < f->syms.n; i++) str_put(b, f->syms.strs[i]);
    for (u32 i = 0; i < f->notes.n; i++) {
        const Note *x = &f->notes.v[i];
        number_put(b, x->line);
        str_put(b, str_from(x->code));
        str_put(b, x->message);
    }
}

u64 facts_key(const Source *s)
{
    return hash_mix(s->hash, str_hash(str_from(facts_version)));
}

static Head head_of(const Source *s)
{
    Head h;
    memset(&h, 0, sizeof h); /* the padding is compared and stored, too */
    memcpy(h.version, facts_version, sizeof h.version);
    h.hash = s->hash;
    h.text = (u32)s->text.n;
    return h;
}

void facts_pack(Buf *out, const Facts *f)
{
    Buf body = {0};
    body_put(&body, f);
    Head h = head_of(f->source);
    h.bytes = (u32)body.n;
    h.nsyms = f->syms.n;
    h.nslots = f->syms.cap;
    h.nnotes = f->notes.n;
    u32 i = 0;
#define FACTS_VECTOR(name) h.n[i++] = f->name.n;
#include "facts/vectors.def"
#undef FACTS_VECTOR
    h.has_main_guard = f->has_main_guard;
    h.runs_calls = f->runs_calls;
    h.python2 = f->python2;
    buf_bytes(out, (const char *)&h, sizeof h);

    ZSTD_CCtx *z = ZSTD_createCCtx();
    if (!z) BUG("zstd gave no context");
    ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    size_t room = ZSTD_compressBound(body.n);
    char *packed = xmalloc(room);
    size_t n = ZSTD_compress2(z, packed, room, body.p, body.n);
    if (ZSTD_isError(n)) BUG("zstd: %s", ZSTD_getErrorName(n));
    buf_bytes(out, packed, n);
    free(packed);
    ZSTD_freeCCtx(z);
    buf_free(&body);
}

/* ---- in ---- */

typedef struct Reader {
    char *p;
    size_t n, at;
    bool short_; /* something wanted more than there is */
} Reader;

/* The next n bytes, which stay where they are. */
static void *bytes_take(Reader *r, size_t n)
{
    if (r->short_ || n > r->n - r->at) {
        r->short_ = true;
        return NULL;
    }
    void *p = r->p + r->at;
    r->at += n;
    return p;
}

static void *array_take(Reader *r, size_t size, u32 n)
{
    void *p = bytes_take(r, size * n);
    bytes_take(r, -r->at & (ALIGN - 1));
    return p;
}

static u32 number_take(Reader *r)
{
    u32 n = 0;
    const void *p = bytes_take(r, sizeof n);
    if (p) memcpy(&n, p, sizeof n);
    return n;
}

static Str str_take(Reader *r)
{
    u32 n = number_take(r);
    const char *p = bytes_take(r, n);
    return (Str){p, p ? n : 0};
}

static bool body_take(Arena *a, Reader *r, const Head *h, Facts *f)
{
    u32 i = 0;
#define FACTS_VECTOR(name)                                                                                           \
    f->name.n = f->name.cap = h->n[i++];                                                                             \
    f->name.v = array_take(r, sizeof *f->name.v, f->name.n);
#include "facts/vectors.def"
#undef FACTS_VECTOR
    f->syms = (Intern){.n = h->nsyms, .room = h->nslots / 2, .cap = h->nslots};
    f->syms.slots = array_take(r, sizeof *f->syms.slots, h->nslots);
    f->syms.hash = array_take(r, sizeof *f->syms.hash, h->nsyms);
    if (r->short_ || h->nsyms > h->nslots / 2) return false;
    f->syms.strs = arena_new(a, Str, f->syms.room);
    for (u32 k = 0; k < h->nsyms; k++) f->syms.strs[k] = str_take(r);
    for (u32 k = 0; k < h->nnotes && !r->short_; k++) {
        Note x = {.path = f->source->path, .line = number_take(r)};
        x.code = str_c(a, str_take(r));
        x.message = str_take(r);
        vec_push(a, &f->notes, x);
    }
    return !r->short_;
}

Facts *facts_unpack(Arena *a, const Source *s, Str bytes)
{
    Head h, want = head_of(s);
    if (bytes.n < sizeof h) return NULL;
    memcpy(&h, bytes.p, sizeof h);
    if (memcmp(h.version, want.version, sizeof h.version) != 0 || h.hash != want.hash || h.text != want.text)
        return NULL;
    Str packed = str_slice(bytes, sizeof h, bytes.n);
    if (ZSTD_getFrameContentSize(packed.p, packed.n) != h.bytes) return NULL;
    Reader r = {.p = arena_alloc(a, 1, ALIGN, (size_t)h.bytes + 1), .n = h.bytes};
    if (ZSTD_decompress(r.p, h.bytes, packed.p, packed.n) != h.bytes) return NULL;
    Facts *f = arena_new(a, Facts, 1);
    f->source = s;
    f->has_main_guard = h.has_main_guard;
    f->runs_calls = h.runs_calls;
    f->python2 = h.python2;
    return body_take(a, &r, &h, f) ? f : NULL;
}
