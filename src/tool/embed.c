/* Writes files as one C table: embed OUT.c NAME FILE...
 *
 * Runs during the build. The table and its length are what pipeline.h and fixes/fixes.h declare as NAMEs
 * and NAME_count; with no files it is empty. What the pages say is checked by tests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *file)
{
    fprintf(stderr, "embed: %s %s\n", what, file);
    exit(1);
}

static char *read_whole(const char *file, size_t *n)
{
    FILE *f = fopen(file, "rb");
    if (!f) fail("cannot read", file);
    char *text = NULL;
    size_t room = 0;
    for (*n = 0;;) {
        if (*n + 4096 > room) text = realloc(text, room = 2 * room + 4096);
        if (!text) fail("out of memory for", file);
        size_t got = fread(text + *n, 1, 4096, f);
        *n += got;
        if (!got) break;
    }
    if (ferror(f)) fail("cannot read", file);
    fclose(f);
    return text;
}

static void write_literal(FILE *out, const char *text, size_t n)
{
    fputs("\n     \"", out);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n')
            fputs(i + 1 < n ? "\\n\"\n     \"" : "\\n", out);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ' || c > '~' || c == '?')
            fprintf(out, "\\%03o", c);
        else
            putc(c, out);
    }
    fputc('"', out);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: embed OUT.c NAME FILE...\n", stderr);
        return 2;
    }
    FILE *out = fopen(argv[1], "wb");
    if (!out) fail("cannot write", argv[1]);
    fputs("/* Made by src/tool/embed.c. */\n#include \"fixes/fixes.h\"\n\n", out);
    fprintf(out, "const EmbeddedPage %ss[] = {\n", argv[2]);
    for (int i = 3; i < argc; i++) {
        size_t n;
        char *text = read_whole(argv[i], &n);
        const char *slash = strrchr(argv[i], '/');
        fprintf(out, "    {\"%s\",", slash ? slash + 1 : argv[i]);
        write_literal(out, text, n);
        fprintf(out, ",\n     %zu},\n", n);
        free(text);
    }
    fprintf(out, "    {0, 0, 0},\n};\nconst u32 %s_count = %d;\n", argv[2], argc - 3);
    if (fclose(out) != 0) fail("cannot write", argv[1]);
    return 0;
}
