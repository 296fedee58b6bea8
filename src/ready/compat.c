/* The table of packages, know/compat.tsv, which is compiled in. */
#include "ready/ready.h"

enum { COLUMNS = 9 };

static CompatStatus status_read(Str word)
{
    static const char *const words[] = {"full", "partial", "none", "nightly", "pure-python"};
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (str_is(word, words[i])) return (CompatStatus)i;
    BUG("compat.tsv: '%.*s' is no status", STR_ARG(word));
}

static void row_read(Arena *a, CompatTable *t, Str line)
{
    Str cell[COLUMNS], rest = line;
    for (u32 i = 0; i < COLUMNS; i++) cell[i] = str_cut(rest, '\t', &rest);
    if (!cell[COLUMNS - 1].n) BUG("compat.tsv: a row has fewer than %d columns: %.*s", COLUMNS, STR_ARG(line));
    Compat row = {.package = cell[0],
                  .imports = cell[1],
                  .first = cell[2],
                  .status = (u8)status_read(cell[3]),
                  .gil_on = cell[4],
                  .notes = cell[6],
                  .source = cell[7],
                  .as_of = cell[8]};
    if (intern(a, &t->names, row.package) != t->rows.n)
        BUG("compat.tsv: %.*s stands there twice", STR_ARG(row.package));
    vec_push(a, &t->rows, row);
}

Str data_file_text(const char *name)
{
    for (u32 i = 0; i < data_file_count; i++)
        if (strcmp(data_files[i].name, name) == 0) return (Str){data_files[i].text, data_files[i].len};
    BUG("%s is not compiled in", name);
}

void compat_load(Arena *a, CompatTable *t)
{
    Str text = data_file_text("compat.tsv"), line;
    bool header = true;
    while (str_line(&text, &line)) {
        if (!line.n || line.p[0] == '#') continue;
        if (!header) row_read(a, t, line);
        header = false;
    }
}

const Compat *compat_find(const CompatTable *t, Str package)
{
    u32 id = intern_find(&t->names, package);
    return id == NONE ? NULL : &t->rows.v[id];
}
