/* Who owns a file, by CODEOWNERS.
 *
 * GitHub: patterns as in .gitignore, without ! and [ ]; the last one that matches decides; one without owners takes
 * them away. A pattern that ends in a name matches a directory too and so all below it, one that ends in * only
 * files right there. GitLab: the same in sections, `[Name] @default`, `^[Optional][2]`; the last match of each
 * section counts and their owners add up; !pattern takes a path out of a section; a pattern without a leading slash
 * matches at any depth. Not handled: GitLab's roles and nested groups are names like any other, and addresses are
 * not checked. */
#include "emit/owners.h"

const char *const owners_paths[] = {".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS",
                                    NULL};

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The next word of a line; a backslash keeps a blank or # in it. False at the end and at a comment. */
static bool word_next(Arena *a, Str *rest, Str *word)
{
    size_t i = 0, n = 0;
    while (i < rest->n && blank(rest->p[i])) i++;
    if (i == rest->n || rest->p[i] == '#') return false;
    char *to = arena_new(a, char, rest->n + 1);
    for (; i < rest->n && !blank(rest->p[i]); i++) {
        bool escape = rest->p[i] == '\\' && i + 1 < rest->n && strchr(" \t#[", rest->p[i + 1]);
        if (escape) i++;
        to[n++] = rest->p[i];
    }
    *word = (Str){to, n};
    *rest = str_slice(*rest, i, rest->n);
    return true;
}

static Str owners_read(Arena *a, Str rest)
{
    Buf all = {0};
    for (Str word; word_next(a, &rest, &word);) {
        if (all.n) buf_char(&all, ' ');
        buf_str(&all, word);
    }
    Str owners = str_dup(a, buf_view(&all));
    buf_free(&all);
    return owners;
}

/* [Name], ^[Name], [Name][2], each with default owners behind it. False when the line is none. */
static bool section_read(Arena *a, Str line, Intern *names, u32 *section, Str *owners)
{
    if (str_starts(line, S("^"))) line = str_slice(line, 1, line.n);
    size_t end = str_find(line, ']');
    if (!str_starts(line, S("[")) || end == line.n) return false;
    char *name = str_c(a, str_slice(line, 1, end)); /* the case of letters does not count */
    for (char *c = name; *c; c++) *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    *section = intern(a, names, str_from(name)) + 1;
    line = str_slice(line, end + 1, line.n);
    if (str_starts(line, S("["))) line = str_slice(line, str_find(line, ']') + 1, line.n);
    *owners = owners_read(a, line);
    return true;
}

void owners_parse(Arena *a, Str path, Str text, Owners *out)
{
    Intern names = {0};
    u32 section = 0;
    Str defaults = {0};
    out->gitlab = str_starts(path, S(".gitlab/"));
    if (str_starts(text, S("\xef\xbb\xbf"))) text = str_slice(text, 3, text.n);
    for (Str line, pattern; str_line(&text, &line);) {
        line = str_trim(line);
        if (section_read(a, line, &names, &section, &defaults)) {
            out->gitlab = true;
            continue;
        }
        bool exclude = str_starts(line, S("!"));
        if (exclude) line = str_slice(line, 1, line.n);
        if (!word_next(a, &line, &pattern)) continue;
        Str owners = owners_read(a, line);
        vec_push(a, &out->rules, (OwnerRule){pattern, owners.n ? owners : defaults, section, exclude});
    }
    out->nsections = names.n + 1;
}

/* Does the pattern match the path, or a directory that the path is in? */
static bool pattern_matches(Arena *a, Str pattern, Str path, bool gitlab)
{
    bool dir_only = str_ends(pattern, S("/"));
    if (dir_only) pattern = str_slice(pattern, 0, pattern.n - 1);
    bool rooted = str_starts(pattern, S("/"));
    if (rooted) pattern = str_slice(pattern, 1, pattern.n);
    if (!pattern.n) return true; /* "/" */
    if (!rooted && (gitlab || str_find(pattern, '/') == pattern.n)) pattern = str_fmt(a, "**/%.*s", STR_ARG(pattern));
    if (!dir_only && glob_match(pattern, path)) return true;
    if (str_ends(pattern, S("/*")) && !dir_only) return false;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '/' && glob_match(pattern, str_slice(path, 0, i))) return true;
    return false;
}

static void owners_add(Buf *all, Str owners)
{
    for (Str one; owners.n;) {
        one = str_cut(owners, ' ', &owners);
        Str rest = all->n ? buf_view(all) : (Str){"", 0};
        bool there = false;
        while (rest.n) there |= str_eq(str_cut(rest, ' ', &rest), one);
        if (there) continue;
        if (all->n) buf_char(all, ' ');
        buf_str(all, one);
    }
}

Str owners_of(Arena *a, const Owners *o, Str path)
{
    Buf all = {0};
    for (u32 section = 0; section < o->nsections; section++) {
        const OwnerRule *last = NULL;
        bool excluded = false;
        for (u32 i = 0; i < o->rules.n; i++) {
            const OwnerRule *r = &o->rules.v[i];
            if (r->section != section || !pattern_matches(a, r->pattern, path, o->gitlab)) continue;
            if (r->exclude)
                excluded = true;
            else
                last = r;
        }
        if (last && !excluded) owners_add(&all, last->owners);
    }
    Str owners = str_dup(a, buf_view(&all));
    buf_free(&all);
    return owners;
}
