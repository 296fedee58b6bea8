/* Blocks of 256 KiB, cut from the front; what tree-sitter frees goes into one list for each size and is given out
 * again, so that a long parse does not pile up its dead stacks. No locks: a heap is filled by one thread. Each thread
 * keeps a few free blocks for its next file, since fresh pages from the kernel cost as much as the work done in them.
 *
 * With AddressSanitizer memory stays malloc's, and trees are deleted piece by piece: a heap would hide their
 * mistakes. */
#include "parse/heap.h"

#include <pthread.h>
#include <tree_sitter/api.h>

#ifdef __SANITIZE_ADDRESS__

void heap_install(void)
{
}
void heap_enter(void)
{
}
struct Heap *heap_leave(void)
{
    return NULL;
}
void heap_free(struct Heap *h)
{
    (void)h;
}

#else

enum {
    UNIT = 8,          /* sizes are multiples of it, and all that tree-sitter's objects are aligned to */
    CLASSES = 256,     /* up to 2 KiB by size; larger ones by powers of two */
    BLOCK = 256 << 10, /* bytes */
    SPARE_BLOCKS = 64  /* kept by a thread: 16 MiB */
};

typedef struct Block {
    struct Block *next;
    size_t size;
} Block;

/* Before every piece. */
typedef struct Head {
    size_t class; /* number of the list; bytes follow from it */
} Head;

typedef struct Heap {
    Block *blocks;
    char *at, *end;
    void *free[CLASSES + 64];
} Heap;

typedef struct Spare {
    Block *first;
    u32 n;
} Spare;

static _Thread_local Heap *current;
static pthread_key_t spare_key; /* → Spare of the thread */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void blocks_free(Block *b)
{
    for (Block *next; b; b = next) {
        next = b->next;
        free(b);
    }
}

static void spare_end(void *arg)
{
    blocks_free(((Spare *)arg)->first);
    free(arg);
}

static Spare *spare(void)
{
    Spare *s = pthread_getspecific(spare_key);
    if (s) return s;
    s = xmalloc(sizeof *s);
    *s = (Spare){0};
    pthread_setspecific(spare_key, s);
    return s;
}

static size_t class_of(size_t n)
{
    if (n <= (size_t)UNIT * (CLASSES - 1)) return (n + UNIT - 1) / UNIT;
    size_t class = CLASSES, room = (size_t)UNIT * CLASSES;
    for (; room < n; room *= 2) class ++;
    return class;
}

static size_t class_bytes(size_t class)
{
    return class < CLASSES ? class * UNIT : (size_t)UNIT * CLASSES << (class - CLASSES);
}

static Block *block_new(size_t room)
{
    Spare *s = spare();
    Block *b = room <= BLOCK ? s->first : NULL;
    if (b) {
        s->first = b->next;
        s->n--;
        return b;
    }
    b = xmalloc(sizeof *b + MAX(room, (size_t)BLOCK));
    b->size = MAX(room, (size_t)BLOCK);
    return b;
}

static void *heap_malloc(size_t n)
{
    Heap *h = current;
    if (!h) return xmalloc(n);
    size_t class = class_of(n), want = sizeof(Head) + class_bytes(class);
    void *old = h->free[class];
    if (old) {
        h->free[class] = *(void **)old;
        return old;
    }
    if ((size_t)(h->end - h->at) < want) {
        Block *b = block_new(want);
        b->next = h->blocks;
        h->blocks = b;
        h->at = (char *)(b + 1);
        h->end = h->at + b->size;
    }
    Head *head = (Head *)h->at;
    h->at += want;
    head->class = class;
    return head + 1;
}

static void heap_release(void *p)
{
    Heap *h = current;
    if (!h) {
        free(p);
        return;
    }
    if (!p) return;
    size_t class = ((Head *)p - 1)->class;
    if (class == 0) return; /* no room for the link */
    *(void **)p = h->free[class];
    h->free[class] = p;
}

static void *heap_calloc(size_t n, size_t size)
{
    if (n && size > (SIZE_MAX >> 1) / n) BUG("request overflows: %zu * %zu", n, size);
    void *p = heap_malloc(n * size);
    memset(p, 0, n * size);
    return p;
}

static void *heap_realloc(void *p, size_t n)
{
    if (!current) return xrealloc(p, n);
    if (!p) return heap_malloc(n);
    size_t have = class_bytes(((Head *)p - 1)->class);
    if (n <= have) return p;
    void *to = heap_malloc(n);
    memcpy(to, p, have);
    heap_release(p);
    return to;
}

static void install(void)
{
    CHECK(pthread_key_create(&spare_key, spare_end) == 0);
    ts_set_allocator(heap_malloc, heap_calloc, heap_realloc, heap_release);
}

void heap_install(void)
{
    pthread_once(&once, install);
}

void heap_enter(void)
{
    CHECK(!current);
    current = xmalloc(sizeof *current);
    memset(current, 0, sizeof *current);
}

Heap *heap_leave(void)
{
    Heap *h = current;
    CHECK(h);
    current = NULL;
    return h;
}

void heap_free(Heap *h)
{
    if (!h) return;
    Spare *s = spare();
    for (Block *b = h->blocks, *next; b; b = next) {
        next = b->next;
        if (b->size != BLOCK || s->n >= SPARE_BLOCKS) {
            free(b);
            continue;
        }
        b->next = s->first;
        s->first = b;
        s->n++;
    }
    free(h);
}

#endif
