/* The texts of --help, made from the tables. */
#include "conf/conf.h"

enum { HELP_COLUMN = 26, HELP_WIDTH = 100 };

/* Prints text wrapped between the two columns; the cursor stands at column `at`. */
static void wrap(Buf *out, Str text, size_t at)
{
    size_t column = at;
    if (column >= HELP_COLUMN) {
        buf_char(out, '\n');
        column = 0;
    }
    buf_fill(out, ' ', HELP_COLUMN - column);
    column = HELP_COLUMN;
    bool first = true;
    while (text.n) {
        Str word = str_cut(text, ' ', &text);
        if (!first && column + 1 + word.n > HELP_WIDTH) {
            buf_char(out, '\n');
            buf_fill(out, ' ', HELP_COLUMN);
            column = HELP_COLUMN;
            first = true;
        }
        if (!first) buf_char(out, ' ');
        buf_str(out, word);
        column += word.n + !first;
        first = false;
    }
    buf_char(out, '\n');
}

static void option_help(Buf *out, const OptRow *row)
{
    size_t start = out->n;
    if (row->letter)
        buf_fmt(out, "  -%c, --%s", row->letter, row->name);
    else
        buf_fmt(out, "      --%s", row->name);
    if (row->arg) buf_fmt(out, " %s", row->arg);
    wrap(out, str_from(row->help), out->n - start + 1 > HELP_COLUMN ? HELP_COLUMN : out->n - start);
}

static void general_help(Buf *out)
{
    buf_c(out, "ungil makes Python projects ready for free-threaded Python: it finds state that threads share\n"
               "without the right lock, and rewrites the source.\n\n"
               "usage: ungil COMMAND [options] [PATH...]\n\ncommands:\n");
    for (u32 c = 0; c < CMD_COUNT; c++) {
        const CommandRow *row = &command_table[c];
        size_t start = out->n;
        buf_fmt(out, "  %s %s", row->name, row->args);
        size_t at = out->n - start;
        Buf text = {0};
        buf_c(&text, row->help);
        wrap(out, buf_view(&text), MIN(at, (size_t)HELP_COLUMN));
        buf_free(&text);
    }
    buf_c(out, "\n`ungil COMMAND --help` lists the options of a command.\n"
               "Exit status: 0 nothing to report or change, 1 findings or changes, 2 an error.\n");
}

bool only_text(Command c)
{
    return c == CMD_EXPLAIN || c == CMD_DIFF || c == CMD_FIX || c == CMD_COMMIT || c == CMD_BASELINE;
}

void options_help(Buf *out, Command c)
{
    if (c >= CMD_HELP) {
        general_help(out);
        return;
    }
    const CommandRow *row = &command_table[c];
    buf_fmt(out, "usage: ungil %s [options]%s%s\n\n%s", row->name, *row->args ? " " : "", row->args, row->help);
    buf_c(out, "\n");
    if (strstr(row->args, "[PATH...]"))
        buf_c(out, "\nPATHs are files or directories; the default is the current directory.\n");
    buf_c(out, "\noptions:\n");
    for (u32 i = 0; i < option_count; i++)
        if (option_table[i].commands & 1u << c && !(only_text(c) && strcmp(option_table[i].name, "format") == 0))
            option_help(out, &option_table[i]);
    if (option_table[0].commands & 1u << c)
        buf_c(out, "\nMost options can also stand in [tool.ungil] of pyproject.toml, or in ungil.toml.\n");
}
