/* The floor that `make bench` measures against: read the files named on standard input, one a line, parse
 * each with tree-sitter, free the tree, do nothing else. Threads take the next file in the order given.
 *
 *     bench_parse THREADS <list      prints: files lines bytes */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

const TSLanguage *tree_sitter_python(void);

static char **paths;
static size_t npaths;
static atomic_size_t next_path, lines, bytes;

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

/* The file's bytes in *text, which grows as needed; returns how many. */
static size_t slurp(const char *path, char **text, size_t *room)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END)) fail(path);
    size_t n = (size_t)ftell(f);
    rewind(f);
    if (n + 1 > *room && !(*text = realloc(*text, *room = 2 * n + 1))) fail("realloc");
    if (fread(*text, 1, n, f) != n) fail(path);
    fclose(f);
    return n;
}

static void *work(void *unused)
{
    TSParser *parser = ts_parser_new();
    char *text = NULL;
    size_t room = 0, my_lines = 0, my_bytes = 0, i;

    ts_parser_set_language(parser, tree_sitter_python());
    while ((i = atomic_fetch_add(&next_path, 1)) < npaths) {
        size_t n = slurp(paths[i], &text, &room);
        ts_tree_delete(ts_parser_parse_string(parser, NULL, text, (uint32_t)n));
        for (const char *p = text; (p = memchr(p, '\n', (size_t)(text + n - p))); p++) my_lines++;
        my_bytes += n;
    }
    atomic_fetch_add(&lines, my_lines);
    atomic_fetch_add(&bytes, my_bytes);
    ts_parser_delete(parser);
    free(text);
    return NULL;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    pthread_t *ids = calloc((size_t)threads, sizeof *ids);
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    while ((n = getline(&line, &room, stdin)) > 0) {
        if (line[n - 1] == '\n') line[n - 1] = 0;
        paths = realloc(paths, (npaths + 1) * sizeof *paths);
        if (!paths || !(paths[npaths++] = strdup(line))) fail("realloc");
    }
    for (int i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, work, NULL)) fail("pthread_create");
    for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    printf("%zu %zu %zu\n", npaths, (size_t)lines, (size_t)bytes);
    return 0;
}
